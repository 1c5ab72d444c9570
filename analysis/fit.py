"""From what players did to what such a player does: deviations in, a profile out.

Conventions
-----------
A profile keeps both the figures (``model``, readable JSON, for the parametric player) and the deviations themselves
(``arrays``, for the donor player), one row a note in order of take and time. Late, louder and longer are positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from ..core.profile import Profile
from .keyboard_model import keyboard_arrays, keyboard_words
from .kit_model import kit_arrays
from .observe import Observations, codes, kind_of, observe
from .player_model import model_of
from .shape_model import shape_arrays, shape_words


def fit(
    *deviations: Deviations | Iterable[Deviations],
    name: str = "fitted",
    kind: str | None = None,
    card: Mapping[str, Any] | None = None,
) -> Profile:
    """Fit a profile to measured takes.

    Parameters
    ----------
    *deviations : Deviations, or lists of them
        One per take, of one player or one style.
    name : str
    kind : str or None
        ``"drums"``, ``"keyboard"`` or ``"melody"``; None decides from the notes. Notes of other kinds are passed over.
    card : mapping or None
        ``source, licence, attribution`` of the takes; ``method`` and ``figures`` are added.

    Returns
    -------
    Profile

    Raises
    ------
    TakeprintError
        When nothing is given, something is no ``Deviations``, or no note can be used.

    Notes
    -----
    See ``player_model`` for what the figures mean. Means of cells with few notes are drawn towards their instrument's.
    """
    takes: list[Deviations] = []
    for item in deviations:
        takes.extend([item] if isinstance(item, Deviations) else list(item))
    for item in takes:
        if not isinstance(item, Deviations):
            raise TakeprintError(
                f"a {type(item).__name__} cannot be fitted",
                rule="fit takes Deviations",
                remedy="measure the take first: fit(measure(take))",
            )
    if not takes:
        raise TakeprintError("nothing to fit", rule="fit takes at least one Deviations")
    kind = kind or kind_of(takes)
    seen = observe(takes, kind)
    model = model_of(takes, seen, kind)
    arrays = donor_arrays(takes, seen, model["voices"])
    made = _card(takes, model, card)
    if kind == "drums":
        arrays |= kit_arrays(takes)
    if kind == "keyboard":
        keys = keyboard_arrays(takes)
        arrays |= keys
        if keys:
            shape = shape_arrays(takes)
            arrays |= shape
            made["tempo_and_level"] = shape_words(shape)
        made["keyboard_player"] = keyboard_words(keys)
    return Profile(name=name, kind=kind, card=made, model=model, arrays=arrays)


def _card(takes: list[Deviations], model: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    clock = model["timing"]["clock"]
    figures = {
        "takes": model["takes"],
        "notes": model["notes"],
        "clock_sd_ms": clock["sd"],
        "beta": clock["beta"],
        "lag1": clock["lag1"],
        "dfa_exponent": clock["dfa_exponent"],
    }
    card = {
        "source": [str(d.take.get("name", "")) for d in takes],
        "licence": "not stated",
        "attribution": "not stated",
        "method": "takeprint fit: metrical template with shrinkage, 1/f**beta clock and white parts by Whittle's "
        "likelihood, velocity memory, velocity-timing coupling; donor rows as measured",
    }
    return {**card, **dict(given or {}), "figures": {**figures, **dict((given or {}).get("figures", {}))}}


def donor_arrays(takes: list[Deviations], seen: Observations, names: list[str]) -> dict[str, np.ndarray]:
    """Return the measured rows in small types: timing to 1/16 ms, articulation to 1/256 octave.

    Rounding to powers of two leaves the last bits of a float32 zero, which packs well.
    """
    voice, _ = codes(seen, names)
    bpm = []
    for d in takes:
        tempo = d.tempo.tempo_bpm if len(d.tempo) else np.array([120.0])
        bpm.append(round(float(np.median(tempo[np.isfinite(tempo)]))) if np.isfinite(tempo).any() else 120)
    bar_start = seen.beat - _inside(takes, seen)
    return {
        "take": seen.take.astype(np.int16),
        "bar": seen.bar.astype(np.int32),
        "cell": np.clip(seen.cell, 0, 32767).astype(np.int16),
        "beat": (np.round((seen.beat - bar_start) * 4096) / 4096).astype(np.float32),
        "group": seen.group.astype(np.int32),
        "rank": np.clip(seen.rank, 0, 127).astype(np.int8),
        "voice": voice.astype(np.int8),
        "timing_ms": (np.round(seen.timing_ms * 16) / 16).astype(np.float32),
        "velocity": np.clip(np.nan_to_num(np.rint(seen.velocity), nan=-1), -1, 127).astype(np.int8),
        "dynamics_velocity": (np.round(seen.value * 8) / 8).astype(np.float32),
        "articulation_log2": (np.round(seen.articulation_log2 * 256) / 256).astype(np.float32),
        "take_bpm": np.array(bpm, dtype=np.float32),
    }


def _inside(takes: list[Deviations], seen: Observations) -> np.ndarray:
    """Return each row's distance from its bar line, which is below zero for a note drawn up to the next bar."""
    out = np.empty(len(seen))
    for number, d in enumerate(takes):
        rows = seen.take == number
        bar, inside = d.metre.position(seen.beat[rows])
        late = seen.bar[rows] > bar
        out[rows] = np.where(late, inside - d.metre.bar_beats_at(seen.beat[rows]), inside)
    return out
