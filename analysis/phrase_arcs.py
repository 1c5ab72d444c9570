"""Find the arcs of ``tempo``: accelerando and ritardando over a phrase, and the final ritardando.

Conventions
-----------
Positions are beats, tempo is bpm. An arc is a stretch whose tempo rises and falls as a parabola of its logarithm; its
depth is how far the peak lies above the mean of its two ends, in percent.

Method
------
The logarithm of the tempo, a value a beat, is cut into parabolas so that Schwarz's criterion is least (a segment of 6
to 64 beats costs three coefficients and a cut); the exact cut of each trial penalty is found by dynamic programming. A
segment is an arc where its parabola is hollow below with its peak inside, is better than a line (F test, p < 0.01) and
deeper than the curve's own uncertainty. The final ritardando is the best of all falls of the cube of the tempo along
the last beats, from the level of what lies before them.

References
----------
Todd 1992, The dynamics of dynamics, Journal of the Acoustical Society of America 91, section II (tempo as a parabola a
phrase); Repp 1992, Diversity and commonality in music performance, the same 92; Friberg and Sundberg 1999, Does music
performance allude to locomotion?, the same 105, equation 4 with q = 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.deviations import TempoCurve
from .tempo import pause_steps

_SHORTEST_BEATS = 6
_LONGEST_BEATS = 64
_TRIALS = 14
_MARGIN = 0.1
_LEAST_DEPTH_PERCENT = 2.0
_ENDING_BEATS = 24
_LEVEL_BEATS = 8
_LEAST_FALL = 0.93
_SURE = 0.01


def phrase_arcs(tempo: TempoCurve) -> tuple[dict[str, Any], ...]:
    """Find the phrase arcs and the final ritardando of a tempo curve.

    Parameters
    ----------
    tempo : TempoCurve
        As measured with a bandwidth of about a beat; a smoother one hides short arcs.

    Returns
    -------
    tuple of dict
        In order: ``kind`` ``"arc"`` with ``start_beat, peak_beat, end_beat, peak_bpm, depth_percent``; at the end
        perhaps one of ``kind`` ``"final_ritardando"`` with ``start_beat, end_beat, from_bpm, to_bpm, depth_percent``
        (of the fall). Empty where there are fewer than 12 beats, or nothing of the sort.
    """
    beat, log_bpm, doubts = _per_beat(tempo)
    doubt = float(np.median(doubts)) if len(doubts) else 0.0
    if len(beat) < 2 * _SHORTEST_BEATS:
        return ()
    found = [arc for low, high in _cut(log_bpm) if (arc := _arc(beat, log_bpm, doubt, low, high))]
    ending = _final_ritardando(beat, log_bpm, float(np.max(doubts[-_SHORTEST_BEATS:])))
    return (*found, *([ending] if ending else []))


def _per_beat(tempo: TempoCurve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the middle of each beat, the log of its tempo with pauses bridged, and its relative half width, or 0."""
    in_time = ~pause_steps(tempo)
    steps = np.flatnonzero(in_time & np.isfinite(tempo.tempo_bpm[:-1]) & (np.diff(tempo.beat) > 0))
    if len(steps) < 2:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    middle = 0.5 * (tempo.beat[:-1] + tempo.beat[1:])[steps]
    bpm = tempo.tempo_bpm[:-1][steps]
    beat = np.arange(np.floor(middle[0]), np.floor(middle[-1]) + 1) + 0.5
    relative = tempo.tempo_uncertainty_bpm[:-1][steps] / bpm
    return beat, np.interp(beat, middle, np.log(bpm)), np.interp(beat, middle, np.nan_to_num(relative))


def _parabola_costs(series: np.ndarray) -> np.ndarray:
    """Return the squared error of the best parabola through each run: [end, length]."""
    n = len(series)
    cost = np.full((n + 1, min(_LONGEST_BEATS, n) + 1), np.inf)
    for length in range(_SHORTEST_BEATS, cost.shape[1]):
        x = np.linspace(-1.0, 1.0, length)
        basis, _ = np.linalg.qr(np.column_stack([np.ones(length), x, x * x]))
        runs = np.lib.stride_tricks.sliding_window_view(series, length)
        mean = runs.mean(axis=1, keepdims=True)
        about = runs - mean
        cost[length:, length] = np.maximum((about**2).sum(axis=1) - ((about @ basis) ** 2).sum(axis=1), 0.0)
    return cost


def _cut(series: np.ndarray) -> list[tuple[int, int]]:
    """Return the segments (low, high) that Schwarz's criterion likes best."""
    from ..core.kernels.segment_path import segment_path

    n = len(series)
    cost = _parabola_costs(series)
    # A curve that a few parabolas meet to the last bit has no noise: a thousandth of a percent is nobody's.
    floor = n * 1e-10
    best, chosen = np.inf, np.zeros(1, dtype=np.int64)
    each = 4.0 * np.log(n)
    for scale in np.geomspace(1e-3, 3.0, _TRIALS) * max(float(np.var(series)), 1e-10):
        starts = segment_path(cost, _SHORTEST_BEATS, float(scale * each))
        if not len(starts):
            continue
        ends = np.append(starts[1:], n)
        left = float(cost[ends, ends - starts].sum())
        score = n * np.log((left + floor) / n) + each * len(starts)
        if score < best:
            best, chosen = score, starts
    return list(zip(chosen.tolist(), [*chosen[1:].tolist(), n], strict=True))


def _arc(beat: np.ndarray, log_bpm: np.ndarray, doubt: float, low: int, high: int) -> dict[str, Any] | None:
    """Return the arc of a segment, or None."""
    from scipy.stats import f as f_law

    x, y = beat[low:high] - beat[low:high].mean(), log_bpm[low:high]
    bend, slope, level = np.polyfit(x, y, 2)
    if bend >= 0.0:
        return None
    peak = -slope / (2.0 * bend)
    span = x[-1] - x[0] + 1.0
    start, end = x[0] - 0.5, x[-1] + 0.5
    if not start + _MARGIN * span < peak < end - _MARGIN * span:
        return None
    at = np.polyval([bend, slope, level], [start, peak, end])
    depth = float(np.expm1(at[1] - 0.5 * (at[0] + at[2])))
    curved = float(((y - np.polyval([bend, slope, level], x)) ** 2).sum())
    straight = float(((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2).sum())
    freedom = len(x) - 3
    ratio = (straight - curved) / max(curved / max(freedom, 1), 1e-12)
    if freedom < 1 or f_law.sf(ratio, 1, freedom) > _SURE or 100.0 * depth < max(_LEAST_DEPTH_PERCENT, 100.0 * doubt):
        return None
    middle = beat[low:high].mean()
    return {
        "kind": "arc",
        "start_beat": float(middle + start),
        "peak_beat": float(middle + peak),
        "end_beat": float(middle + end),
        "peak_bpm": float(np.exp(at[1])),
        "depth_percent": 100.0 * depth,
    }


def _final_ritardando(beat: np.ndarray, log_bpm: np.ndarray, doubt: float) -> dict[str, Any] | None:
    """Fit a level and a fall v(x) = v0 * (1 + (w**3 - 1) * x) ** (1 / 3), x from 0 to 1 along the last beats."""
    n = len(beat)
    window = min(_ENDING_BEATS, n)
    y = log_bpm[n - window :]
    falls = np.linspace(0.1, _LEAST_FALL, 84)
    best: tuple[float, int, float, float] | None = None
    for length in range(2, window - 3):
        before, after = y[: window - length], y[window - length :]
        level = float(np.median(before[-_LEVEL_BEATS:]))
        x = (np.arange(length) + 0.5) / length
        shapes = np.log1p((falls[:, None] ** 3 - 1.0) * x) / 3.0
        left = ((after - level - shapes) ** 2).sum(axis=1)
        row = int(np.argmin(left))
        total = float(left[row] + ((before - level) ** 2).sum())
        if best is None or total < best[0]:
            best = (total, length, float(falls[row]), level)
    if best is None:
        return None
    total, length, fall, level = best
    steady = float(((y - np.median(y)) ** 2).sum())
    is_better = window * np.log(max(steady, 1e-12) / max(total, 1e-12)) > 2.0 * np.log(window)
    is_falling = y[-1] < level + 0.5 * np.log(fall)
    if not is_better or not is_falling or 1.0 - fall < 2.0 * doubt:
        return None
    # What the last beat, about its middle, has fallen to: the model's very end is never heard.
    reached = float(np.cbrt(1.0 + (fall**3 - 1.0) * (length - 0.5) / length))
    return {
        "kind": "final_ritardando",
        "start_beat": float(beat[-1] + 0.5 - length),
        "end_beat": float(beat[-1] + 0.5),
        "from_bpm": float(np.exp(level)),
        "to_bpm": float(reached * np.exp(level)),
        "depth_percent": 100.0 * (1.0 - reached),
    }
