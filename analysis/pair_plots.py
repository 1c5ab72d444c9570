"""Pictures of a take against its reference: tempo of both, timing with slips, levels, and where they lie to each other.

Conventions
-----------
A picture draws on the figure it is given and knows nothing of files. The take is blue, the reference grey. Late, slow
and loud point upwards, except a tempo, which is faster upwards. Along runs the reference: its bars where bar lines are
known, else its seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import Deviations
from .drawing import (
    GREY,
    REAL,
    bars_axis,
    edges_of,
    held_inside,
    histogram,
    legend,
    limits_of,
    mark_size,
    moving_median,
    plain,
    short,
    span_of,
    zero,
)
from .finding_tempo import common_steps, shared_steps, tempo_findings
from .finding_words import bars_are_known, beats_are_known
from .tempo import pause_steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Figure", Deviations], None]

_STRETCH = {"rushing": "#56B4E9", "dragging": "#E69F00"}
_ONLY_HERE = "#D55E00"
_NOT_HERE = "#CC79A7"
_SLIP_ROWS = ("hesitation", "repeated", "added", "missed", "wrong")
_SLIP_COLOUR = {
    "wrong": "#D55E00",
    "missed": "#CC79A7",
    "added": "#E69F00",
    "repeated": "#009E73",
    "hesitation": "#000000",
    "ghosted": "#56B4E9",
}
_DARK = "#003a5c"
_MEDIAN_BEATS = 8.0
_APART_SHARE = 0.02
# Nearer than this two recordings are in one tuning: the coarse alignment tells no finer.
_TUNED_CENTS = 15.0
# A gap shorter than this would not be seen.
_LEAST_GAP_S = 0.25


def pair_pictures(deviations: Deviations) -> dict[str, Draw]:
    """Return what can be drawn of a take and its reference, by the picture's name.

    Parameters
    ----------
    deviations : Deviations
        Measured against a score or another take.

    Returns
    -------
    dict of str to callable
        Each draws on ``(figure, deviations)``: ``pair_tempo``, ``pair_timing``, ``pair_level``, ``pair_map``; empty
        for a click or none as the reference.
    """
    if deviations.reference.get("kind") not in ("score", "take"):
        return {}
    notes = deviations.notes
    matched = notes.label == "match"
    both = [np.isfinite(a) & np.isfinite(b) & matched for a, b in _loudness(deviations)]
    known = {
        "pair_tempo": len(common_steps(deviations).beat) >= 2,
        "pair_timing": bool(np.isfinite(notes.timing_ms[matched]).any()),
        "pair_level": any(rows.sum() >= 2 for rows in both),
        "pair_map": len(deviations.alignment) >= 2,
    }
    drawn = {"pair_tempo": draw_tempo, "pair_timing": draw_timing, "pair_level": draw_level, "pair_map": draw_map}
    return {name: draw for name, draw in drawn.items() if known[name]}


def _title(figure: Figure, deviations: Deviations, what: str) -> None:
    take = plain(short(deviations.take.get("name") or "the take", 34))
    reference = plain(short(deviations.reference.get("name") or "its reference", 34))
    figure.suptitle(f"{what}: {take} against {reference}", x=0.01, ha="left", fontsize=12)


def _along(deviations: Deviations, beats: np.ndarray) -> np.ndarray:
    """Return where beats lie along the picture."""
    if bars_are_known(deviations) or not deviations.reference.get("tempo_map"):
        return np.asarray(beats, dtype=np.float64)
    return deviations.reference_timeline.seconds_at(beats)


def _label_along(axes: Axes, deviations: Deviations, x: np.ndarray) -> None:
    if bars_are_known(deviations):
        bars_axis(axes, deviations, x)
        return
    axes.set_xlabel("time in the reference (s)")
    if len(x):
        margin = 0.01 * max(float(np.ptp(x)), 1.0)
        axes.set_xlim(float(x.min()) - margin, float(x.max()) + margin)


def draw_tempo(figure: Figure, deviations: Deviations) -> None:
    """Draw both tempos with the doubt about the take's, and below how many seconds it falls behind."""
    figure.set_size_inches(11, 6.4)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    tempo = deviations.tempo
    x = _along(deviations, tempo.beat)
    in_time = _in_time(deviations)
    clock = deviations.reference_timeline
    written = 60.0 * np.diff(tempo.beat) / np.diff(clock.seconds_at(tempo.beat))
    bpm = np.where(in_time, tempo.tempo_bpm[:-1], np.nan)
    half = np.where(in_time, tempo.tempo_uncertainty_bpm[:-1], np.nan)
    unit, fastest = "tempo (bpm)", f"{np.median(written):.0f} bpm"
    if not beats_are_known(deviations):
        # Without beats there is no tempo; what is left is the pace of one side against the other's.
        bpm, half, written = 100.0 * bpm / written, 100.0 * half / written, np.full(len(written), 100.0)
        unit, fastest = "pace (%, reference 100)", "100 %"
    middle = 0.5 * (x[:-1] + x[1:])
    _shade_stretches(top, deviations)
    name = "reference" if deviations.reference.get("kind") == "take" else "score"
    # A score without a tempo of its own would squeeze the take's curve to the rim.
    far = abs(np.log(np.nanmedian(bpm) / np.median(written))) > np.log(1.6)
    if not far:
        top.plot(middle, np.where(in_time, written, np.nan), color=GREY, lw=1.3, label=name)
    if np.isfinite(half).any():
        top.fill_between(middle, bpm - half, bpm + half, color=REAL, alpha=0.25, lw=0, label="take, 90 % sure")
    top.plot(middle, bpm, color=REAL, lw=1.6, label=None if np.isfinite(half).any() else "take")
    shown = np.concatenate([bpm[np.isfinite(bpm)], [] if far else written[in_time]])
    low, high = np.quantile(shown, [0.005, 0.995])
    room = max(0.15 * (high - low), 0.03 * high)
    top.set_ylim(max(low - room, 0.0), high + room)
    top.set_ylabel(unit)
    if far:
        top.set_title(f"{name}: {fastest} (median), too far off to be drawn")
    legend(top)
    _draw_behind(bottom, deviations, x)
    _label_along(bottom, deviations, x)
    _title(figure, deviations, "Tempo of both")


def _in_time(deviations: Deviations) -> np.ndarray:
    """Tell which steps of the curve both sides play in time."""
    steps = common_steps(deviations)
    return np.isin(deviations.tempo.beat[:-1], steps.beat)


def _shade_stretches(axes: Axes, deviations: Deviations) -> None:
    named: set[str] = set()
    for found in tempo_findings(deviations):
        colour = _STRETCH.get(found["kind"])
        if colour is None:
            continue
        beats = np.interp([found["start_s"], found["end_s"]], deviations.tempo.time_s, deviations.tempo.beat)
        low, high = _along(deviations, beats)
        label = None if found["kind"] in named else found["kind"]
        named.add(found["kind"])
        axes.axvspan(low, high, color=colour, alpha=0.22, lw=0, label=label, zorder=0)


def _draw_behind(axes: Axes, deviations: Deviations, x: np.ndarray) -> None:
    """Draw the seconds that the take lies behind; where it is much slower or faster, behind its own even pace."""
    tempo = deviations.tempo
    written_s = deviations.reference_timeline.seconds_at(tempo.beat)
    shared = shared_steps(deviations)
    written_step = np.where(shared, np.diff(written_s), 0.0)
    behind_s = np.r_[0.0, np.cumsum(np.where(shared, np.diff(tempo.time_s), 0.0) - written_step)]
    even_s = np.r_[0.0, np.cumsum(written_step)] * behind_s[-1] / max(float(written_step.sum()), 1e-9)
    zero(axes)
    is_apart = abs(behind_s[-1]) > _APART_SHARE * written_step.sum()
    if is_apart:
        behind_s = behind_s - even_s
        overall = f"{abs(even_s[-1]):.1f} s {'behind' if even_s[-1] > 0 else 'ahead'}"
        axes.set_title(f"over all {overall} by the end; below, what is left of it at an even pace")
    else:
        axes.plot(x, even_s, color=GREY, lw=1.0, ls="--", label="at an even pace")
    # Across what only one side has, no line is drawn.
    breaks = np.flatnonzero(~shared) + 1
    axes.plot(np.insert(x, breaks, np.nan), np.insert(behind_s, breaks, np.nan), color=REAL, lw=1.6, label="take")
    pauses = np.flatnonzero(pause_steps(tempo) & shared)
    if len(pauses):
        axes.plot(x[pauses + 1], behind_s[pauses + 1], "v", color=_ONLY_HERE, ms=6, label="after a pause")
    axes.set_ylabel(
        "behind an even pace (s)\nahead is below 0" if is_apart else "behind the reference (s)\nahead is below 0"
    )
    legend(axes)


def draw_timing(figure: Figure, deviations: Deviations) -> None:
    """Draw each note's timing, and below it the slips, a row a kind."""
    slips = [s for s in deviations.slips if s.get("beat") is not None and s["kind"] in _SLIP_COLOUR]
    figure.set_size_inches(11, 6.0 if slips else 4.6)
    if slips:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.25])
    else:
        top = bottom = figure.subplots()
    notes = deviations.notes
    rows = notes.rows((notes.label == "match") & np.isfinite(notes.timing_ms) & np.isfinite(notes.reference_beat))
    x = _along(deviations, rows.reference_beat)
    limits = limits_of(rows.timing_ms, least=5.0)
    zero(top)
    inside = np.abs(rows.timing_ms) <= limits[1]
    top.plot(x[inside], rows.timing_ms[inside], "o", ms=mark_size(len(rows)), mew=0, color=REAL, alpha=0.45)
    for sign, mark in ((1.0, "^"), (-1.0, "v")):
        out = ~inside & (np.sign(rows.timing_ms) == sign)
        if out.any():
            said = f"{int(out.sum())} beyond {limits[1]:.0f} ms {'late' if sign > 0 else 'early'}"
            at = held_inside(rows.timing_ms[out], limits)
            top.plot(x[out], 0.98 * at, mark, ms=6, mew=0, color=_ONLY_HERE, label=said, clip_on=False)
    at, middle = moving_median(rows.reference_beat, rows.timing_ms, _MEDIAN_BEATS)
    if len(at):
        top.plot(_along(deviations, at), middle, color=_DARK, lw=1.8, label=f"median of {_MEDIAN_BEATS:.0f} beats")
    top.set_ylim(*limits)
    top.set_ylabel("timing (ms): late is up")
    if top.get_legend_handles_labels()[0]:
        legend(top)
    if slips:
        _draw_slips(bottom, deviations, slips)
    _label_along(bottom, deviations, x)
    _title(figure, deviations, "Timing and slips")


def _draw_slips(axes: Axes, deviations: Deviations, slips: list[Any]) -> None:
    # Ghosted strokes are invented, never measured: they have a row only where there are some.
    rows = _SLIP_ROWS + (("ghosted",) if any(slip["kind"] == "ghosted" for slip in slips) else ())
    for slip in slips:
        row = rows.index(slip["kind"])
        colour = _SLIP_COLOUR[slip["kind"]]
        sure = slip.get("confidence")
        alpha = 0.35 + 0.65 * (1.0 if sure is None else float(np.clip(sure, 0.0, 1.0)))
        place = _along(deviations, np.array([float(slip["beat"])]))[0]
        if slip.get("beat_to") is not None:
            low, high = _along(deviations, np.array([float(slip["beat_from"]), float(slip["beat_to"])]))
            axes.barh(row, max(high - low, 1e-9), left=low, height=0.5, color=colour, alpha=0.4 * alpha, lw=0)
            place = low
        axes.plot(place, row, "|", ms=11, mew=2.0, color=colour, alpha=alpha)
        if slip["kind"] == "hesitation" and slip.get("duration_s") is not None and len(slips) <= 40:
            said = f"{float(slip['duration_s']):.1f} s"
            axes.annotate(said, (place, row), xytext=(4, 0), textcoords="offset points", fontsize=7.5, va="center")
    counts = {kind: sum(s["kind"] == kind for s in slips) for kind in rows}
    axes.set_yticks(range(len(rows)), [f"{kind} ({counts[kind]})" for kind in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(axis="y", color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)


def _loudness(deviations: Deviations) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    notes = deviations.notes
    return ((notes.velocity, notes.reference_velocity), (notes.level_db, notes.reference_level_db))


def draw_level(figure: Figure, deviations: Deviations) -> None:
    """Draw how loud each note is on both sides, their moving medians, and the distributions."""
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[5, 1])
    notes = deviations.notes
    placed = (notes.label == "match") & np.isfinite(notes.reference_beat)
    sides = [(ours, theirs, np.isfinite(ours) & np.isfinite(theirs) & placed) for ours, theirs in _loudness(deviations)]
    by_velocity = sides[0][2].sum() >= 2
    ours, theirs, both = sides[0 if by_velocity else 1]
    words, unit = ("velocity", "") if by_velocity else ("level (dB)", " dB")
    beat, ours, theirs = notes.reference_beat[both], ours[both], theirs[both]
    x = _along(deviations, beat)
    limits = (0.0, 128.0) if by_velocity else span_of(ours, theirs, least=1.0)
    name = "reference" if deviations.reference.get("kind") == "take" else "score"
    for values, colour, dark, label in ((theirs, GREY, "#333333", name), (ours, REAL, _DARK, "take")):
        marks = held_inside(values, limits)
        left.plot(x, marks, "o", ms=mark_size(len(x)), mew=0, color=colour, alpha=0.35)
        at, middle = moving_median(beat, values, _MEDIAN_BEATS)
        low, high = np.percentile(values, [5.0, 95.0])
        said = f"{label}: {low:.0f} to {high:.0f}{unit} (5th to 95th percentile)"
        left.plot(_along(deviations, at), middle, color=dark, lw=2.0, label=said)
        histogram(right, values, edges_of(limits, bool(by_velocity)), colour)
    left.set_ylim(*limits)
    left.set_ylabel(words)
    legend(left)
    right.tick_params(labelleft=False)
    right.set_xlabel("notes (%)")
    _label_along(left, deviations, x)
    _title(figure, deviations, "Loudness of both")


def draw_map(figure: Figure, deviations: Deviations) -> None:
    """Draw where the take lies to the reference: the aligned knots, what only one side has, unmatched onsets."""
    figure.set_size_inches(11, 7.4)
    axes = figure.subplots()
    knots = deviations.alignment
    parts = deviations.reference.get("parts") or []
    for number, (before, after) in enumerate(pairwise(parts)):
        low, high = float(before["reference_end_s"]), float(after["reference_start_s"])
        if high - low > _LEAST_GAP_S:
            label = "only in the reference" if number == 0 else None
            axes.axvspan(low, high, color=_NOT_HERE, alpha=0.25, lw=0, label=label)
        low, high = float(before["end_s"]), float(after["start_s"])
        if high - low > _LEAST_GAP_S:
            label = "only in the take" if number == 0 else None
            axes.axhspan(low, high, color=_ONLY_HERE, alpha=0.25, lw=0, label=label)
    reference_s, time_s = knots.reference_s, knots.time_s
    if len(parts) > 1:
        part = np.searchsorted([float(p["reference_start_s"]) for p in parts], reference_s + 1e-6) - 1
        for row in np.unique(part):
            axes.plot(reference_s[part == row], time_s[part == row], color=REAL, lw=1.2)
    else:
        axes.plot(reference_s, time_s, color=REAL, lw=1.2)
    axes.plot(reference_s, time_s, ".", color=REAL, ms=4, label=f"{len(knots)} aligned moments")
    notes = deviations.notes
    alone = notes.ornament == ""
    missing = notes.reference_onset_s[(notes.label == "deletion") & alone & np.isfinite(notes.reference_onset_s)]
    added = notes.onset_s[(notes.label == "insertion") & alone & np.isfinite(notes.onset_s)]
    low_x, high_x, low_y, high_y = _map_limits(deviations, reference_s, time_s, missing, added)
    axes.set_xlim(low_x, high_x)
    axes.set_ylim(low_y, high_y)
    if len(missing):
        label = f"{len(missing)} of the reference alone"
        axes.plot(missing, np.full(len(missing), low_y), "|", ms=14, mew=1.2, color=_NOT_HERE, label=label)
    if len(added):
        label = f"{len(added)} of the take alone"
        axes.plot(np.full(len(added), low_x), added, "_", ms=14, mew=1.2, color=_ONLY_HERE, label=label)
    slope = float(np.median(np.diff(time_s) / np.diff(reference_s)))
    steady = (reference_s - reference_s[0]) * (time_s[-1] - time_s[0]) / (reference_s[-1] - reference_s[0])
    axes.plot(reference_s[[0, -1]], time_s[0] + steady[[0, -1]], color=GREY, lw=0.8, ls="--", label="an even pace")
    axes.set_xlabel("time in the reference (s)")
    axes.set_ylabel("time in the take (s)")
    cents = deviations.reference.get("transposition_cents")
    said = f"typically {slope:.3f} s in the take for 1 s of the reference"
    if cents and abs(float(cents)) >= _TUNED_CENTS:
        said += f"; the take is {abs(float(cents)):.0f} cents {'higher' if float(cents) > 0 else 'lower'}"
    axes.set_title(said, pad=38)
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2)
    _title(figure, deviations, "Where both lie to each other")


def _map_limits(
    deviations: Deviations, reference_s: np.ndarray, time_s: np.ndarray, missing: np.ndarray, added: np.ndarray
) -> tuple[float, float, float, float]:
    """Return limits that hold all of both sides."""
    length, other = deviations.take.get("duration_s"), deviations.reference.get("duration_s")
    across = np.concatenate([reference_s, missing, [] if other is None else [0.0, float(other)]])
    up = np.concatenate([time_s, added, [] if length is None else [0.0, float(length)]])
    room_x, room_y = 0.02 * float(np.ptp(across)), 0.02 * float(np.ptp(up))
    return (
        float(across.min()) - room_x,
        float(across.max()) + room_x,
        float(up.min()) - room_y,
        float(up.max()) + room_y,
    )
