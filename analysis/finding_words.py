"""What a finding is, and how times, places and numbers are said in it.

Conventions
-----------
A finding is a dict: ``trace, kind, text`` (one plain English sentence with its figures and units), ``figures`` (the
same as numbers), ``start_s, end_s`` (in the take) and, where bar lines are known, ``bars`` [from, to], counted from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.deviations import Deviations

Finding = dict[str, Any]


def finding(
    deviations: Deviations,
    trace: str,
    kind: str,
    text: str,
    figures: Mapping[str, Any],
    span_s: tuple[float, float] | None = None,
    beats: tuple[float, float] | None = None,
) -> Finding:
    """Make a finding; without a span it is of the whole take."""
    start_s, end_s = span_s if span_s is not None else whole_span(deviations)
    out: Finding = {
        "trace": trace,
        "kind": kind,
        "text": text,
        "figures": {name: _plain(value) for name, value in figures.items()},
        "start_s": round(float(start_s), 3),
        "end_s": round(float(end_s), 3),
    }
    bars = bars_of(deviations, *beats) if beats is not None else None
    if bars is not None:
        out["bars"] = bars
    return out


def _plain(value: Any) -> Any:
    """Return a figure as JSON has it: three digits behind the point are finer than anything heard."""
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return round(float(value), 3) if np.isfinite(value) else None


def whole_span(deviations: Deviations) -> tuple[float, float]:
    """Return where the matched notes begin and end in the take, seconds."""
    onset_s = deviations.notes.onset_s[deviations.notes.label == "match"]
    onset_s = onset_s[np.isfinite(onset_s)]
    return (float(onset_s.min()), float(onset_s.max())) if len(onset_s) else (0.0, 0.0)


def bars_are_known(deviations: Deviations) -> bool:
    """Tell whether the reference says where its bar lines are."""
    reference = deviations.reference
    tempo_map = reference.get("tempo_map")
    flagged = reference.get("bars_known") or (isinstance(tempo_map, Mapping) and tempo_map.get("bars_known"))
    return reference.get("kind") in ("score", "click") or bool(flagged)


def beats_are_known(deviations: Deviations) -> bool:
    """Tell whether the reference has musical beats: a MIDI take that was not played to its file's has none."""
    reference = deviations.reference
    return reference.get("kind") != "take" or bool(reference.get("beats")) or bars_are_known(deviations)


def bars_of(deviations: Deviations, beat_from: float, beat_to: float) -> list[int] | None:
    """Return the first and the last bar of a stretch of beats, from 1; None where bar lines are not known."""
    if not bars_are_known(deviations) or not (np.isfinite(beat_from) and np.isfinite(beat_to)):
        return None
    # A stretch that ends on a bar line does not reach into the bar behind it.
    last = max(beat_from, beat_to - 1e-3)
    number, _ = deviations.metre.position(np.array([beat_from, last]))
    return [int(number[0]) + 1, int(number[1]) + 1]


def place_words(deviations: Deviations, span_s: tuple[float, float], beats: tuple[float, float] | None = None) -> str:
    """Return such as ``in bars 9 to 12 (0:21 to 0:30)``, ``from 0:21 to 0:30`` or ``at 0:21``."""
    start, end = clock_words(span_s[0]), clock_words(span_s[1])
    bars = bars_of(deviations, *beats) if beats is not None else None
    if bars is None:
        return f"from {start} to {end}" if start != end else f"at {start}"
    return f"in {bar_words(bars)} ({f'{start} to {end}' if start != end else start})"


def bar_words(bars: Sequence[int]) -> str:
    """Return ``bar 3`` or ``bars 3 to 5``."""
    return f"bar {bars[0]}" if bars[0] == bars[1] else f"bars {bars[0]} to {bars[1]}"


def clock_words(time_s: float) -> str:
    """Return a time as minutes and seconds.

    Examples
    --------
    >>> clock_words(83.4), clock_words(3725.0)
    ('1:23', '1:02:05')
    """
    total = int(max(time_s, 0.0) + 0.5)
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def length_words(length_s: float) -> str:
    """Return a length of time in words.

    Examples
    --------
    >>> length_words(22.4), length_words(100.0)
    ('22 s', '1:40 minutes')
    """
    return (
        f"{length_s:.0f} s"
        if length_s < 90.0
        else f"{clock_words(length_s)} {'minutes' if length_s < 3600 else 'hours'}"
    )


def number_words(value: float, digits: int = 2) -> str:
    """Return a number with so many significant digits and no exponent.

    Examples
    --------
    >>> number_words(0.01234), number_words(12.34), number_words(1234.5)
    ('0.012', '12', '1234')
    """
    if value == 0.0:
        return "0"
    power = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:.{max(digits - 1 - power, 0)}f}"


def count_words(count: int, thing: str, several: str | None = None) -> str:
    """Return ``1 note`` or ``3 notes``."""
    return f"{count} {thing if count == 1 else several or thing + 's'}"


def list_words(parts: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def reference_words(deviations: Deviations) -> str:
    """Return what the take is held against."""
    return {"score": "the score", "click": "the click", "none": "a steady beat"}.get(
        str(deviations.reference.get("kind")), "the reference"
    )
