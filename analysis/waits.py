"""Find waits: intervals between written onsets that last longer than the music around them explains.

Conventions
-----------
Positions are beats, times seconds. A wait lies between two successive written positions; its excess is what it lasts
beyond what was due. The method is told in ``slips``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The tempo of a moment is that of so many intervals on either side, the unevenness of so many.
_TEMPO_INTERVALS, _NOISE_INTERVALS = 8, 24
_LEAST_INTERVALS = 6
# Shorter steps (written-out ornaments, runs) are taken together: a player shapes them as one.
_LEAST_STEP_S = 0.12
# A stop: at least so much longer than due, by so many seconds, ...
_LEAST_RATIO, _LEAST_EXCESS_S = 1.6, 0.25
# ... so many times the unevenness (which is never taken for smaller than a steady player's), ...
_LEAST_TIMES_NOISE, _LEAST_NOISE = 4.0, 0.06
# ... or twice the due time and longer by half than nine in ten around, for players who are uneven by habit.
_UNEVEN_RATIO, _OVER_LONGEST = 2.0, 1.6
# Towards the end of a take no tempo follows that could tell a ritardando from a stop.
_LAST_INTERVALS = 8


@dataclass(frozen=True)
class Wait:
    """A wait before ``beat``: the next note was due at ``due_s`` and came ``excess_s`` later."""

    beat: float
    due_s: float
    excess_s: float
    confidence: float


def find_waits(beat: np.ndarray, onset_s: np.ndarray, breaks: Sequence[tuple[float, float]] = ()) -> list[Wait]:
    """Find the waits of a take.

    Parameters
    ----------
    beat, onset_s : ndarray [shape=(n,)], beats and seconds
        Written and played onsets of matched notes.
    breaks : sequence of (start_s, end_s)
        Intervals that meet one of these say nothing about tempo or waits.

    Returns
    -------
    list of Wait
        In order of time.
    """
    at, time_s = _moments(beat, onset_s)
    if len(at) < 2:
        return []
    step_beat, step_s = np.diff(at), np.diff(time_s)
    free = step_s > 0
    for start_s, end_s in breaks:
        free &= ~((time_s[:-1] <= end_s) & (time_s[1:] >= start_s))
    where = np.flatnonzero(free)
    if len(where) <= _LEAST_INTERVALS:
        return []
    step_beat, step_s = step_beat[where], step_s[where]
    period_s = step_s / step_beat
    due_s, longest_s = _due(period_s, step_beat)
    log_ratio = np.log(step_s / due_s)
    noise = _unevenness(log_ratio)
    found = []
    candidates = (log_ratio > np.log(_LEAST_RATIO)) & (step_s - due_s > _LEAST_EXCESS_S)
    for i in np.flatnonzero(candidates).tolist():
        stands_out = log_ratio[i] / (_LEAST_TIMES_NOISE * noise[i])
        among_uneven = min(step_s[i] / (_UNEVEN_RATIO * due_s[i]), step_s[i] / (_OVER_LONGEST * longest_s[i]))
        strength = among_uneven if i >= len(where) - _LAST_INTERVALS else max(stands_out, among_uneven)
        if strength < 1.0:
            continue
        k = where[i]
        strength = min(strength, log_ratio[i] / np.log(_LEAST_RATIO), (step_s[i] - due_s[i]) / _LEAST_EXCESS_S)
        found.append(
            Wait(
                beat=float(at[k + 1]),
                due_s=float(time_s[k] + due_s[i]),
                excess_s=float(step_s[i] - due_s[i]),
                confidence=float(strength**2 / (1.0 + strength**2)),
            )
        )
    return found


def _moments(beat: np.ndarray, onset_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the written positions and the median onset of each; steps too short to judge are left out."""
    order = np.lexsort((onset_s, beat))
    at, first, count = np.unique(np.round(beat[order], 6), return_index=True, return_counts=True)
    sorted_s = onset_s[order]
    time_s = 0.5 * (sorted_s[first + (count - 1) // 2] + sorted_s[first + count // 2])
    if len(at) < 2:
        return at, time_s
    # A moment is kept when its due distance from the last one kept is long enough.
    usual_s = _weighted_median(np.diff(time_s) / np.diff(at), np.diff(at))
    keep = [0]
    for i in range(1, len(at)):
        if (at[i] - at[keep[-1]]) * usual_s >= _LEAST_STEP_S:
            keep.append(i)
    return at[keep], time_s[keep]


def _weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def _due(period_s: np.ndarray, step_beat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how long each interval was due to last, and how long it would be at the slowest tempo around."""
    n, k = len(period_s), _TEMPO_INTERVALS
    due_s, longest_s = np.empty(n), np.empty(n)
    for i in range(n):
        before, after = slice(max(0, i - k), i), slice(i + 1, i + 1 + k)
        sides = [s for s in (before, after) if len(period_s[s]) >= _LEAST_INTERVALS // 2]
        due_s[i] = max(_weighted_median(period_s[s], step_beat[s]) for s in sides)
        around = np.r_[period_s[before], period_s[after]]
        longest_s[i] = around.max() if i >= n - _LAST_INTERVALS else np.percentile(around, 90)
    return due_s * step_beat, longest_s * step_beat


def _unevenness(log_ratio: np.ndarray) -> np.ndarray:
    """Return the spread of the log ratios about each interval: the larger of nearby's and the whole take's."""
    spread = np.empty(len(log_ratio))
    for i in range(len(log_ratio)):
        low = max(0, i - _NOISE_INTERVALS)
        near = np.delete(log_ratio[low : i + _NOISE_INTERVALS + 1], i - low)
        spread[i] = 1.4826 * np.median(np.abs(near - np.median(near)))
    everywhere = 1.4826 * float(np.median(np.abs(log_ratio - np.median(log_ratio))))
    return np.maximum(np.maximum(spread, everywhere), _LEAST_NOISE)
