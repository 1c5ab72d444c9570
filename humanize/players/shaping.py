"""How a keyboard player shapes a piece: the tempo and the level of each beat, invented from a profile's takes.

Conventions
-----------
Slower is positive, as log2 of played over written length; the piece as a whole keeps its written length. The level is
what single velocities deviate from. Mean and size of both come from what is written around a beat; what is left is
copied from real takes in stretches of four beats and goes through the memory that was fitted to them: see
``analysis.shape_model``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.shape_model import CHANNELS, alone
from ...core.boosted_tables import BoostedTables
from ...core.memory_of_touch import with_memory
from ...core.profile import Profile
from ...core.timeline import Timeline
from ...core.written_beats import beat_context, beat_likeness, whole_beats
from ...core.written_context import Written
from .part import Dice
from .stretches import Choosing, chosen_places

_MOST_BEATS = 100_000
_ENOUGH_BEATS = 400
# Nobody plays a beat four times as long as he means it, pauses apart.
_FARTHEST_LOG2 = 1.5


@dataclass(frozen=True, eq=False)
class Shape:
    """Tempo and level of a piece.

    Parameters
    ----------
    beat : ndarray [shape=(k,)], whole beats
    longer_log2 : ndarray [shape=(k,)]
        How much longer each beat is than written; 0 where the tempo stays.
    level : ndarray [shape=(k,)], velocity
        Of the middle of each beat, against the usual one.
    usual_level : float
        That of the take it is made after.
    curve : Timeline
        The tempo.
    profile : str
    takes : ndarray of int
        The profile's takes after which it is made, those most like the piece first; the size of both is that of the
        first that tells a tempo, of all the profile's where none of these does.
    """

    beat: np.ndarray
    longer_log2: np.ndarray
    level: np.ndarray
    usual_level: float
    curve: Timeline
    profile: str
    takes: np.ndarray

    def longer_at(self, beat: np.ndarray) -> np.ndarray:
        """Return how much longer each whole beat is; before the first and after the last 0."""
        row = np.searchsorted(self.beat, beat + 1e-6, side="right") - 1
        inside = (row >= 0) & (beat < self.beat[-1] + 1.0 - 1e-6)
        return np.where(inside, self.longer_log2[np.maximum(row, 0)], 0.0)

    def level_at(self, beat: np.ndarray) -> np.ndarray:
        """Return the level at each place, against the usual one."""
        return np.interp(beat, self.beat + 0.5, self.level)


def can_shape(arrays: Mapping[str, np.ndarray]) -> bool:
    """Tell whether a profile holds what a shape is made from."""
    return "shape.take" in arrays and len(arrays["shape.take"]) > 0 and "keys.take" in arrays


def invent_shape(profile: Profile, written: Written, clock: Timeline, takes: np.ndarray, dice: Dice) -> Shape | None:
    """Invent tempo and level for what is written.

    Parameters
    ----------
    profile : Profile
        With ``shape.`` arrays.
    written : Written
    clock : Timeline
        The written tempo.
    takes : ndarray of int
        The profile's takes, those to play after first.
    dice : Dice

    Returns
    -------
    Shape or None
        None for a piece of more than 100 000 beats.
    """
    if not len(written) or written.beat[-1] - written.beat[0] > _MOST_BEATS:
        return None
    arrays = profile.arrays
    beat = whole_beats(written)
    context = beat_context(written, beat)
    known = _known(arrays, takes)
    places, rows = _places(arrays, known, beat_likeness(context), dice)
    fresh = np.ascontiguousarray(arrays["shape.fresh"][rows].astype(np.float64)[places])
    left = with_memory(fresh, arrays["shape.memory"].astype(np.float64), *alone(len(beat)))
    tempo_size, level_size, usual_level = arrays["shape.of_take"][known[0]].astype(np.float64).tolist()
    made = np.empty_like(left)
    for c, (name, size) in enumerate(zip(CHANNELS, (tempo_size, level_size), strict=True)):
        mean = BoostedTables.from_arrays(arrays, f"shape.{name}.mean")(context)
        spread = np.exp(BoostedTables.from_arrays(arrays, f"shape.{name}.size")(context))
        made[:, c] = size * (mean + spread * left[:, c])
    longer = np.clip(made[:, 0], -_FARTHEST_LOG2, _FARTHEST_LOG2)
    # The piece keeps its length: what is lost here is won there.
    step_s = np.diff(clock.seconds_at(np.append(beat, beat[-1] + 1.0)))
    longer = longer - np.log2((step_s * 2.0**longer).sum() / step_s.sum())
    level = made[:, 1] - made[:, 1].mean()
    longer, level = np.round(longer, 6), np.round(level, 6)
    return Shape(beat, longer, level, round(usual_level, 3), _curve(beat, longer, clock), profile.name, takes)


def _known(arrays: Mapping[str, np.ndarray], takes: np.ndarray) -> np.ndarray:
    """Return the takes that tell a tempo; all of them where none of these does."""
    have = np.unique(arrays["shape.take"]).astype(np.int64)
    kept = takes[np.isin(takes, have)]
    return kept if len(kept) else have


def _places(
    arrays: Mapping[str, np.ndarray], takes: np.ndarray, like: np.ndarray, dice: Dice
) -> tuple[np.ndarray, np.ndarray]:
    """Return (which beat of some takes each beat copies, rows of these takes' beats)."""
    take = arrays["shape.take"].astype(np.int64)
    rows: list[int] = []
    for number in takes.tolist():
        if len(rows) < _ENOUGH_BEATS:
            rows += np.flatnonzero(take == number).tolist()
    bank = np.array(rows)
    return (
        chosen_places(
            arrays["shape.like"][bank].astype(np.float64),
            arrays["shape.moment"][bank].astype(np.float64),
            np.diff(take[bank], prepend=-1) != 0,
            like,
            dice,
            Choosing(),
        ),
        bank,
    )


def _curve(beat: np.ndarray, longer: np.ndarray, clock: Timeline) -> Timeline:
    """Return the played tempo, with a knot on every beat and every written change between them."""
    ends = np.append(beat, beat[-1] + 1.0)
    knots = np.unique(np.concatenate([ends, clock.beat[(clock.beat > ends[0]) & (clock.beat < ends[-1])]]))
    time_s = clock.seconds_at(knots)
    row = np.clip(np.searchsorted(beat, knots[:-1], side="right") - 1, 0, len(beat) - 1)
    step = np.round(np.diff(time_s) * 2.0 ** longer[row], 9)
    return Timeline(knots, time_s[0] + np.concatenate([[0.0], np.cumsum(np.maximum(step, 1e-9))]))
