"""Pictures of the traces that only a recording holds: intonation, breath and friction, over its seconds.

Conventions
-----------
A picture draws on the figure it is given and knows nothing of files. Sharp and louder point upwards. What the take's
notes are is grey or blue, the events themselves have a colour of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import Deviations
from .drawing import GREY, REAL, edges_of, histogram, legend, limits_of, spread_words, zero

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EVENT = {"breath": "#009E73", "friction": "#D55E00"}
_CURVE = "#56B4E9"
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_MOST_LABELS = 60


def has_intonation(deviations: Deviations) -> bool:
    """Tell whether there is pitch to draw."""
    return bool(np.isfinite(deviations.notes.intonation_cents).any())


def draw_intonation(figure: Figure, deviations: Deviations) -> None:
    """Draw the pitch curve on the ladder of semitones with each note's centre, and how the centres scatter."""
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=[5, 1])
    notes = deviations.notes
    known = np.isfinite(notes.intonation_cents) & np.isfinite(notes.onset_s) & np.isfinite(notes.pitch)
    tuning_hz = float(deviations.reference.get("tuning_hz") or 440.0)
    curve = deviations.pitch_curve
    voiced = np.isfinite(curve.pitch_hz)
    if voiced.any():
        with np.errstate(invalid="ignore"):
            semitone = 69.0 + 12.0 * np.log2(curve.pitch_hz / tuning_hz)
        left.plot(curve.time_s, semitone, color=_CURVE, lw=0.9, label="pitch")
    written = np.where(np.isfinite(notes.reference_pitch), notes.reference_pitch, np.round(notes.pitch))
    following = np.append(notes.onset_s[1:], notes.onset_s[-1:] + 0.3)
    for number, row in enumerate(np.flatnonzero(known)):
        has_end = bool(np.isfinite(notes.duration_s[row]))
        stop = notes.onset_s[row] + notes.duration_s[row] if has_end else following[row]
        ends = [notes.onset_s[row], stop]
        left.plot(ends, [written[row]] * 2, color=GREY, lw=0.8)
        centre = written[row] + notes.intonation_cents[row] / 100.0
        label = "a note's centre (dotted: no end heard)" if number == 0 else None
        style = "-" if has_end else ":"
        left.plot(ends, [centre] * 2, color=REAL, lw=2.2, ls=style, solid_capstyle="butt", label=label)
    if known.sum() <= _MOST_LABELS:
        for row in np.flatnonzero(known):
            at = (notes.onset_s[row], written[row] + notes.intonation_cents[row] / 100.0)
            said = f"{notes.intonation_cents[row]:+.0f}"
            left.annotate(said, at, xytext=(0, 4), textcoords="offset points", fontsize=7, color=REAL)
    low, high = float(written[known].min()) - 1.5, float(written[known].max()) + 1.5
    left.set_ylim(low, high)
    ladder = np.arange(np.ceil(low), np.floor(high) + 1).astype(int)
    step = max(int(np.ceil(len(ladder) / 18)), 1)
    left.set_yticks(ladder[::step], [f"{_NAMES[n % 12]}{n // 12 - 1}" for n in ladder[::step]])
    left.grid(axis="y", color="#e6e6e6", lw=0.6)
    left.set_xlabel("time (s)")
    left.set_ylabel(f"pitch, A4 = {tuning_hz:.1f} Hz: sharp is up")
    legend(left)
    cents = notes.intonation_cents[known]
    limits = limits_of(cents, least=10.0)
    zero(right)
    histogram(right, cents, edges_of(limits, False), REAL)
    right.set_ylim(*limits)
    right.set_xlabel("notes (%)")
    right.set_ylabel("cents")
    right.set_title(spread_words(cents, "cents"))


def draw_events(figure: Figure, deviations: Deviations, trace: str) -> None:
    """Draw breaths or frictions as bars at their level, among the levels of the notes."""
    figure.set_size_inches(11, 4.2)
    axes = figure.subplots()
    events: Sequence[Mapping[str, Any]] = getattr(deviations, trace)
    notes = deviations.notes
    heard = np.isfinite(notes.onset_s) & np.isfinite(notes.level_db)
    levels = [float(e["level_db"]) for e in events if e.get("level_db") is not None]
    floor = min([*levels, *notes.level_db[heard].tolist()], default=-60.0) - 6.0
    if heard.any():
        axes.vlines(notes.onset_s[heard], floor, notes.level_db[heard], color="#c9c9c9", lw=0.9, label="notes")
    for number, event in enumerate(events):
        _draw_event(axes, event, floor, _EVENT[trace], trace if number == 0 else None, len(events) <= _MOST_LABELS)
    length = deviations.take.get("duration_s")
    axes.set_xlim(0.0, float(length) if length else None)
    axes.set_ylim(floor, max([*levels, *notes.level_db[heard].tolist()], default=-20.0) + 6.0)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("level (dB, full scale is 0)")
    count = f"{len(events)} events" if len(events) != 1 else "1 event"
    axes.set_title(f"{count}; the fuller a bar's colour, the surer")
    legend(axes)


def _draw_event(
    axes: Axes, event: Mapping[str, Any], floor: float, colour: str, label: str | None, is_named: bool
) -> None:
    level = event.get("level_db")
    level = floor + 3.0 if level is None else float(level)
    start_s = float(event["start_s"])
    sure = event.get("confidence")
    alpha = 0.35 + 0.65 * (1.0 if sure is None else float(sure))
    axes.bar(
        start_s, level - floor, width=float(event.get("duration_s") or 0.01), bottom=floor, align="edge", color=colour,
        edgecolor=colour, lw=1.2, alpha=alpha, label=label, zorder=3,
    )  # fmt: skip
    if is_named and event.get("kind"):
        axes.annotate(str(event["kind"]), (start_s, level), xytext=(0, 3), textcoords="offset points", fontsize=7)
