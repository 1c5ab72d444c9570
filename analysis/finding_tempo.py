"""Findings in ``tempo``: drift, its trend, rushing and dragging stretches, pauses, arcs, and what only one side has.

Conventions
-----------
Faster than the reference is positive. Only what lies beyond two standard errors is said; what the beats of a take have
in common with their neighbours counts against it: n beats of lag-1 correlation r are n (1 - r) / (1 + r) of their own.

Method
------
The log ratio of both tempos, a value a beat, is cut into level stretches (dynamic programming; a stretch costs two
parameters by Schwarz's criterion); those off the median of the levels by more than two standard errors and 1.5 % are
told, the six that gain or lose most, if at least 0.1 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..core.deviations import Deviations
from .finding_words import (
    Finding,
    bar_words,
    bars_of,
    beats_are_known,
    clock_words,
    count_words,
    finding,
    length_words,
    number_words,
    place_words,
    reference_words,
)
from .phrase_arcs import phrase_arcs
from .tempo import pause_steps

_SURE = 2.0
_LEAST_PERCENT = 0.1
_SECTION_PERCENT = 1.5
_SECTION_BEATS = 4
# So much faster or slower than otherwise (a factor of 2, as a logarithm) is no pace: one of the two stands still.
_STANDSTILL = 0.69
_SECTION_S = 0.1
_LONGEST_BEATS = 256
_MOST_SECTIONS = 6
_BLOCKS = 8
_TREND_T = 2.45  # Student's t, 6 degrees of freedom, 95 % both sides
_PAUSE_S = 0.25
_CUT_S = 1.0


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of the tempo curve in which both sides play.

    Parameters
    ----------
    beat, end_beat : ndarray [shape=(k,)]
    start_s, end_s : ndarray [shape=(k,)], seconds in the take
    written_s : ndarray [shape=(k,)], seconds that the reference takes
    log_ratio : ndarray [shape=(k,)], of the tempos, faster is positive
    """

    beat: np.ndarray
    end_beat: np.ndarray
    start_s: np.ndarray
    end_s: np.ndarray
    written_s: np.ndarray
    log_ratio: np.ndarray


def tempo_findings(deviations: Deviations) -> list[Finding]:
    """Return everything there is to say about the tempo."""
    found = cuts(deviations)
    steps = common_steps(deviations)
    if len(steps.beat) < 2:
        return found
    found += _drift(deviations, steps)
    if deviations.reference.get("kind") != "none":
        found += _trend(deviations, steps)
    found += _sections(deviations, steps)
    found += _pauses(deviations)
    if deviations.reference.get("kind") in ("score", "none"):
        found += _arcs(deviations)
    return found


def common_steps(deviations: Deviations) -> Steps:
    """Return the beats that both sides play in time: no pauses, no cuts, no replayed or skipped passages."""
    tempo = deviations.tempo
    nothing = np.zeros(0)
    if len(tempo) < 2 or not deviations.reference.get("tempo_map"):
        return Steps(nothing, nothing, nothing, nothing, nothing, nothing)
    written = deviations.reference_timeline.seconds_at(tempo.beat)
    steps = np.flatnonzero(shared_steps(deviations) & ~pause_steps(tempo) & (np.diff(tempo.time_s) > 0))
    low_s, high_s = written[:-1], written[1:]
    return Steps(
        beat=tempo.beat[steps],
        end_beat=tempo.beat[steps + 1],
        start_s=tempo.time_s[steps],
        end_s=tempo.time_s[steps + 1],
        written_s=(high_s - low_s)[steps],
        log_ratio=np.log((high_s - low_s)[steps] / np.diff(tempo.time_s)[steps]),
    )


def shared_steps(deviations: Deviations) -> np.ndarray:
    """Tell which steps of the tempo curve are music that both sides have: no cuts, no passages replayed or skipped.

    Returns
    -------
    ndarray of bool [shape=(max(k - 1, 0),)]
    """
    tempo = deviations.tempo
    kept = np.ones(max(len(tempo) - 1, 0), dtype=bool)
    if len(tempo) < 2 or not deviations.reference.get("tempo_map"):
        return kept
    written = deviations.reference_timeline.seconds_at(tempo.beat)
    for start_s, end_s in _gaps(deviations, "reference_end_s", "reference_start_s"):
        kept &= (written[1:] <= start_s) | (written[:-1] >= end_s)
    for slip in deviations.slips:
        if slip.get("n_notes") and slip.get("beat_to") is not None and slip["kind"] in ("missed", "repeated"):
            low, high = float(slip["beat_from"]), float(slip["beat_to"])
            if slip["kind"] == "repeated":
                high = low  # of both goes the later is the take's: the time that is lost lies before it
            kept &= (tempo.beat[1:] < low) | (tempo.beat[:-1] >= high)
    return kept


def _gaps(deviations: Deviations, end: str, start: str) -> list[tuple[float, float]]:
    """Return the stretches between the parts that both sides have, on the side whose names are given."""
    parts = deviations.reference.get("parts") or []
    return [(float(a[end]), float(b[start])) for a, b in pairwise(parts)]


def _drift(deviations: Deviations, steps: Steps) -> list[Finding]:
    take_s, written_s = float((steps.end_s - steps.start_s).sum()), float(steps.written_s.sum())
    beats = float((steps.end_beat - steps.beat).sum())
    percent = 100.0 * (written_s / take_s - 1.0)
    timing_s = _spread_s(deviations)
    sure = 100.0 * _SURE * np.sqrt(2.0) * timing_s / take_s
    take_bpm, written_bpm = 60.0 * beats / take_s, 60.0 * beats / written_s
    figures = {
        "take_bpm": take_bpm,
        "reference_bpm": written_bpm,
        "percent": percent,
        "gained_s": written_s - take_s,
    }
    named = reference_words(deviations)
    if deviations.reference.get("kind") == "none" or deviations.reference.get("tempo_is_written") is False:
        # A score in beats alone has no tempo to be faster than.
        figures = {"take_bpm": take_bpm}
        text = f"The take keeps {take_bpm:.1f} bpm over {length_words(take_s)}."
        return [finding(deviations, "tempo", "pace", text, figures)]
    if abs(percent) < max(sure, _LEAST_PERCENT):
        apart_s = abs(written_s - take_s)
        text = f"The take keeps the tempo of {named}: where both play, the two drift {apart_s:.2f} s apart."
        return [finding(deviations, "tempo", "drift", text, figures)]
    faster, gains = ("faster", "ahead of") if percent > 0 else ("slower", "behind")
    if beats_are_known(deviations):
        pace = f"{take_bpm:.1f} bpm against {written_bpm:.1f} bpm"
    else:
        pace = f"it takes {length_words(take_s)} for what the reference plays in {length_words(written_s)}"
        del figures["take_bpm"], figures["reference_bpm"]
    text = (
        f"The take is {number_words(abs(percent))} % {faster} than {named}: {pace}, which puts it "
        f"{number_words(abs(written_s - take_s))} s {gains} it by the end."
    )
    return [finding(deviations, "tempo", "drift", text, figures)]


def _spread_s(deviations: Deviations) -> float:
    notes = deviations.notes
    timing = notes.timing_ms[(notes.label == "match") & np.isfinite(notes.timing_ms)]
    return float(timing.std()) / 1000.0 if len(timing) > 1 else 0.0


def _trend(deviations: Deviations, steps: Steps) -> list[Finding]:
    """Say whether the tempo wanders in one direction: the slope through the means of eight blocks."""
    if len(steps.beat) < 4 * _BLOCKS:
        return []
    at = 0.5 * (steps.start_s + steps.end_s) / 60.0
    blocks = np.array_split(np.arange(len(at)), _BLOCKS)
    x = np.array([at[b].mean() for b in blocks])
    y = np.array([100.0 * steps.log_ratio[b].mean() for b in blocks])
    slope, level = np.polyfit(x, y, 1)
    left = y - slope * x - level
    error = np.sqrt((left**2).sum() / (_BLOCKS - 2) / ((x - x.mean()) ** 2).sum())
    change = slope * (x[-1] - x[0])
    if abs(slope) <= _TREND_T * error or abs(change) < 0.5:
        return []
    way = "faster" if slope > 0 else "slower"
    text = (
        f"It gets {way} against {reference_words(deviations)} along the way, by {number_words(abs(change))} % from its "
        "beginning to its end."
    )
    figures = {"percent_per_min": slope, "standard_error": error, "change_percent": change}
    return [finding(deviations, "tempo", "trend", text, figures)]


def _sections(deviations: Deviations, steps: Steps) -> list[Finding]:
    from ..core.kernels.segment_path import segment_path

    ratio = steps.log_ratio
    n = len(ratio)
    if n < 3 * _SECTION_BEATS or np.ptp(ratio) < 1e-9:
        return []
    cost = _level_costs(ratio)
    # Noise from step to step; in a smooth curve it is too small, so what correlates counts as fewer values.
    rough = np.diff(ratio)
    noise2 = max(float(np.median(np.abs(rough)) / 0.6745) ** 2 / 2.0, 1e-12)
    best, chosen = np.inf, np.zeros(1, dtype=np.int64)
    for scale in np.geomspace(noise2, max(float(np.var(ratio)), 2.0 * noise2), 10):
        starts = segment_path(cost, _SECTION_BEATS, float(2.0 * scale * np.log(n)))
        ends = np.append(starts[1:], n)
        left = float(cost[ends, ends - starts].sum())
        score = n * np.log((left + n * 1e-12) / n) + 3.0 * len(starts) * np.log(n)
        if score < best:
            best, chosen = score, starts
    ends = np.append(chosen[1:], n)
    level = np.array([ratio[a:b].mean() for a, b in zip(chosen, ends, strict=True)])
    left = ratio - np.repeat(level, ends - chosen)
    # The usual pace is the median of levels, not of beats: a short wild end does not move it.
    middle = float(np.median(np.repeat(level, ends - chosen)))
    told = []
    for low, high in _joined(chosen, ends, level - middle):
        mean = float(ratio[low:high].mean()) - middle
        if abs(mean) > max(_SURE * _standard_error(left, high - low), _SECTION_PERCENT / 100.0):
            told.append((low, high, mean))
    if len(told) == 1 and told[0][1] - told[0][0] == n:
        return []
    told.sort(key=lambda row: -abs(row[2]) * float(steps.written_s[row[0] : row[1]].sum()))
    found = [_section(deviations, steps, *row, middle) for row in sorted(told[:_MOST_SECTIONS])]
    return [section for section in found if abs(section["figures"]["gained_s"]) >= _SECTION_S]


def _joined(starts: np.ndarray, ends: np.ndarray, off: np.ndarray) -> list[tuple[int, int]]:
    """Join neighbouring stretches that lie off to the same side."""
    out: list[tuple[int, int]] = []
    sides = np.where(np.abs(off) > _SECTION_PERCENT / 100.0, np.sign(off), 0.0)
    for number, (low, high) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        if out and sides[number] != 0 and sides[number] == sides[number - 1]:
            out[-1] = (out[-1][0], high)
        else:
            out.append((low, high))
    return out


def _standard_error(left: np.ndarray, count: int) -> float:
    """Return the standard error of a mean of ``count`` neighbours."""
    spread = float(left.std())
    if spread == 0.0 or len(left) < 3:
        return 0.0
    together = float(np.clip((left[1:] * left[:-1]).mean() / spread**2, 0.0, 0.9))
    return spread / np.sqrt(max(count * (1.0 - together) / (1.0 + together), 1.0))


def _level_costs(series: np.ndarray) -> np.ndarray:
    n = len(series)
    cost = np.full((n + 1, min(_LONGEST_BEATS, n) + 1), np.inf)
    total = np.concatenate([[0.0], np.cumsum(series - series.mean())])
    square = np.concatenate([[0.0], np.cumsum((series - series.mean()) ** 2)])
    for length in range(_SECTION_BEATS, cost.shape[1]):
        part = total[length:] - total[:-length]
        cost[length:, length] = np.maximum(square[length:] - square[:-length] - part**2 / length, 0.0)
    return cost


def _section(deviations: Deviations, steps: Steps, low: int, high: int, mean: float, middle: float) -> Finding:
    beats = float(steps.beat[low]), float(steps.end_beat[high - 1])
    span_s = float(steps.start_s[low]), float(steps.end_s[high - 1])
    percent = 100.0 * np.expm1(mean)
    took_s = float((steps.end_s - steps.start_s)[low:high].sum())
    gained_s = float(steps.written_s[low:high].sum()) / np.exp(middle) - took_s
    kind, way, gains = ("rushing", "faster", "gains") if mean > 0 else ("dragging", "slower", "loses")
    than = {"none": "than its own steady tempo", "take": "against the reference than otherwise"}.get(
        str(deviations.reference.get("kind")), "than the take is otherwise"
    )
    text = (
        f"{kind.capitalize()} {place_words(deviations, span_s, beats)}: {number_words(abs(percent))} % {way} {than}, "
        f"which {gains} {number_words(abs(gained_s))} s."
    )
    if abs(mean) > _STANDSTILL:
        sooner = "sooner" if mean > 0 else "later"
        text = (
            f"{place_words(deviations, span_s, beats).capitalize()} the take goes on {number_words(abs(gained_s))} s "
            f"{sooner} than {reference_words(deviations)}, which {'waits' if mean > 0 else 'does not'}."
        )
    return finding(deviations, "tempo", kind, text, {"percent": percent, "gained_s": gained_s}, span_s, beats)


def _pauses(deviations: Deviations) -> list[Finding]:
    """Tell where time stands still, unless a slip says so."""
    tempo = deviations.tempo
    written = np.diff(deviations.reference_timeline.seconds_at(tempo.beat))
    took = np.diff(tempo.time_s)
    flags = pause_steps(tempo)
    if not flags.any() or flags.all():
        return []
    ratio = float(np.median(took[~flags] / written[~flags]))
    known = [(float(s["time_s"]), float(s.get("duration_s") or 0.0)) for s in deviations.slips if s.get("duration_s")]
    cuts_s = _gaps(deviations, "end_s", "start_s")
    out = []
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(int), 0]))
    for low, high in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        start_s, end_s = float(tempo.time_s[low]), float(tempo.time_s[high])
        excess_s = end_s - start_s - ratio * float(written[low:high].sum())
        slipped = any(start_s - 1.0 <= at <= end_s + 1.0 or start_s <= at - lasts <= end_s for at, lasts in known)
        if excess_s < _PAUSE_S or slipped or any(a - 1.0 <= start_s and end_s <= b + 1.0 for a, b in cuts_s):
            continue
        beats = float(tempo.beat[low]), float(tempo.beat[high])
        place = place_words(deviations, (start_s, start_s), beats)
        named = reference_words(deviations)
        text = f"The take stands still {place} for {number_words(excess_s)} s longer than {named}."
        out.append(finding(deviations, "tempo", "pause", text, {"pause_s": excess_s}, (start_s, end_s), beats))
    return sorted(out, key=lambda f: -f["figures"]["pause_s"])[:3]


def _arcs(deviations: Deviations) -> list[Finding]:
    tempo = deviations.tempo
    found = phrase_arcs(tempo)
    arcs = [arc for arc in found if arc["kind"] == "arc"]
    out = []
    if len(arcs) >= 2:
        deepest = max(arcs, key=lambda arc: float(arc["depth_percent"]))
        depth = float(np.median([arc["depth_percent"] for arc in arcs]))
        length = float(np.median([arc["end_beat"] - arc["start_beat"] for arc in arcs]))
        beats = deepest["start_beat"], deepest["end_beat"]
        span_s = _times(deviations, beats)
        text = (
            f"{count_words(len(arcs), 'phrase')} speed up and slow down again, each over about {length:.0f} beats, by "
            f"{depth:.0f} % (median); most {place_words(deviations, span_s, beats)}: "
            f"{deepest['depth_percent']:.0f} %."
        )
        figures = {"n": len(arcs), "median_depth_percent": depth, "median_beats": length}
        out.append(finding(deviations, "tempo", "phrase_arcs", text, figures))
    for ending in found[len(arcs) :]:
        beats = ending["start_beat"], ending["end_beat"]
        bars = bars_of(deviations, *beats)
        where = (
            f"over {bar_words(bars)}"
            if bars
            else f"over the last {ending['end_beat'] - ending['start_beat']:.0f} beats"
        )
        text = (
            f"It ends with a ritardando {where}: from {ending['from_bpm']:.0f} to {ending['to_bpm']:.0f} bpm, "
            f"{ending['depth_percent']:.0f} % slower."
        )
        figures = {name: ending[name] for name in ("from_bpm", "to_bpm", "depth_percent")}
        out.append(finding(deviations, "tempo", "final_ritardando", text, figures, _times(deviations, beats), beats))
    return out


def _times(deviations: Deviations, beats: tuple[float, float]) -> tuple[float, float]:
    low, high = np.interp(beats, deviations.tempo.beat, deviations.tempo.time_s)
    return float(low), float(high)


def cuts(deviations: Deviations) -> list[Finding]:
    """Tell what music only one side has between the stretches that both have."""
    out = []
    for (end_s, start_s), (reference_end_s, reference_start_s) in zip(
        _gaps(deviations, "end_s", "start_s"), _gaps(deviations, "reference_end_s", "reference_start_s"), strict=True
    ):
        more_s, less_s = start_s - end_s, reference_start_s - reference_end_s
        figures = {"take_s": more_s, "reference_s": less_s}
        if more_s >= _CUT_S:
            text = (
                f"From {clock_words(end_s)} to {clock_words(start_s)} the take has {number_words(more_s)} s that the "
                "reference does not have."
            )
            out.append(finding(deviations, "tempo", "only_in_take", text, figures, (end_s, start_s)))
        if less_s >= _CUT_S:
            text = (
                f"At {clock_words(end_s)} the take leaves out {number_words(less_s)} s of the reference "
                f"({clock_words(reference_end_s)} to {clock_words(reference_start_s)} there)."
            )
            out.append(finding(deviations, "tempo", "left_out", text, figures, (end_s, start_s)))
    return out
