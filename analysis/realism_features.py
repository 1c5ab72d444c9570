"""Features of windows of notes: what a judge may look at to tell real from invented playing.

Conventions
-----------
A window is ``WINDOW`` neighbouring notes of one take; features of a window look at nothing outside it. A feature's name
is ``channel.what``: the channel is ``timing``, ``velocity``, ``articulation``, ``coupling`` (two channels at once) or
``context`` (how dense and which voices: the same on both sides where both play the same music; the judge needs it to
know what to expect). Values are NaN where a window holds too little. Late, louder and longer are positive; timing is in
ms, velocity in MIDI steps (dB for audio), articulation in log2.

The list and the window are fixed: figures made with other ones do not compare. ``docs/realism.md`` tells each family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from .observe import KINDS, kind_of
from .realism_couplings import PITCHED, TOGETHER
from .realism_families import ALONE
from .realism_table import Sheet, Table, table_of

WINDOW = 48
CHANNELS = ("timing", "velocity", "articulation", "coupling", "context")


@dataclass(frozen=True, eq=False)
class Windows:
    """Features of windows.

    Parameters
    ----------
    names : tuple of str [k]
    values : ndarray of float64 [shape=(w, k)], NaN = not known
    take : ndarray of int64 [shape=(w,)], number of the take each window comes from
    """

    names: tuple[str, ...]
    values: np.ndarray
    take: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, index: np.ndarray) -> Windows:
        """Return the windows that a mask or index selects."""
        return Windows(self.names, self.values[index], self.take[index])

    def columns(self, index: np.ndarray) -> Windows:
        """Return only these features, by number."""
        return Windows(tuple(self.names[i] for i in index), self.values[:, index], self.take)

    def channels(self, channels: Sequence[str]) -> Windows:
        """Return only the columns of these channels.

        Raises
        ------
        TakeprintError
            For an unknown channel.
        """
        unknown = set(channels) - set(CHANNELS)
        if unknown:
            raise TakeprintError(f"channel {sorted(unknown)[0]!r}", rule=f"channels are {', '.join(CHANNELS)}")
        return self.columns(np.array([i for i, n in enumerate(self.names) if n.split(".")[0] in channels], dtype=int))


def windows_of(takes: Sequence[Deviations], kind: str | None = None, window: int = WINDOW) -> Windows:
    """Return the features of all whole windows of some takes.

    Parameters
    ----------
    takes : sequence of Deviations
    kind : ``"drums"``, ``"keyboard"``, ``"melody"`` or None
        Which notes are looked at and which features there are; None: what most notes are.
    window : int
        Notes a window; figures compare only at one length.

    Raises
    ------
    TakeprintError
        For an unknown kind or a window of fewer than 8 notes.
    """
    if window < 8:
        raise TakeprintError(f"window={window}", rule="a window has at least 8 notes")
    kind = kind_of(takes) if kind is None else kind
    if kind not in KINDS:
        raise TakeprintError(f"kind={kind!r}", rule=f"one of {', '.join(KINDS)}")
    table = table_of(takes, kind, window)
    sheet = _sheet_of(table)
    values = np.stack(list(sheet.values.values()), axis=1) if sheet.values else np.zeros((0, 0))
    return Windows(tuple(sheet.values), values, table.rows.take[::window].copy())


def feature_words(kind: str) -> dict[str, str]:
    """Return what each feature is, in words."""
    return _sheet_of(table_of([], kind, WINDOW)).words


def words_of_features() -> dict[str, str]:
    """Return what every feature of any kind is, in words."""
    return {name: words for kind in KINDS for name, words in feature_words(kind).items()}


def _sheet_of(table: Table) -> Sheet:
    sheet = Sheet()
    for family in (*ALONE, *TOGETHER, *(() if table.kind == "drums" else PITCHED)):
        family(sheet, table)
    return sheet
