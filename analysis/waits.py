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
# ... or, for players who are uneven by habit, twice the due time, longer by half than nine in ten around, and longer.
_UNEVEN_RATIO, _OVER_LONGEST, _UNEVEN_EXCESS_S = 2.0, 1.5, 0.4
# Towards the end of a take no tempo follows that could tell a ritardando from a stop.
_LAST_INTERVALS = 8
_ROUNDS = 6


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
    is_wait = np.zeros(len(where), dtype=bool)
    # A wait found says nothing about the tempo and the unevenness that the next one is judged by.
    for _ in range(_ROUNDS):
        due_s, strength = _strengths(step_beat, step_s, is_wait)
        found = strength >= 1.0
        if (found <= is_wait).all():
            break
        is_wait |= found
    return [
        Wait(
            beat=float(at[where[i] + 1]),
            due_s=float(time_s[where[i]] + due_s[i]),
            excess_s=float(step_s[i] - due_s[i]),
            confidence=float(strength[i] ** 2 / (1.0 + strength[i] ** 2)),
        )
        for i in np.flatnonzero(is_wait & (step_s > due_s)).tolist()
    ]


def _strengths(step_beat: np.ndarray, step_s: np.ndarray, is_wait: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return when each interval was due to end, and how clearly it is a wait: 1 is the least of which all holds."""
    due_s, longest_s = _due(step_s / step_beat, step_beat, is_wait)
    log_ratio = np.log(step_s / due_s)
    stands_out = log_ratio / (_LEAST_TIMES_NOISE * _unevenness(log_ratio, is_wait))
    over_longest = step_s / (_OVER_LONGEST * longest_s)
    among_uneven = np.minimum(step_s / (_UNEVEN_RATIO * due_s), (step_s - due_s) / _UNEVEN_EXCESS_S)
    strength = np.maximum(stands_out, np.minimum(among_uneven, over_longest))
    strength[-_LAST_INTERVALS:] = np.minimum(stands_out, over_longest)[-_LAST_INTERVALS:]
    strength = np.minimum(strength, log_ratio / np.log(_LEAST_RATIO))
    return due_s, np.minimum(strength, (step_s - due_s) / _LEAST_EXCESS_S)


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
    return float(_weighted_medians(values[None, :], weight[None, :])[0])


def _weighted_medians(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted median of each row; weight 0 for what is not there."""
    order = np.argsort(values, axis=1)
    total = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    column = (total >= 0.5 * total[:, -1:]).argmax(axis=1)
    return np.take_along_axis(values, np.take_along_axis(order, column[:, None], axis=1), axis=1)[:, 0]


def _quantiles(values: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """Return a quantile of each row's numbers that are not NaN; NaN where there are none."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(ordered).sum(axis=1)
    place = share * np.maximum(count - 1, 0)
    low = np.floor(place).astype(np.int64)
    rows = np.arange(len(ordered))
    lower, upper = ordered[rows, low], ordered[rows, np.minimum(low + 1, np.maximum(count - 1, 0))]
    return lower + (place - low) * (upper - lower)


def _neighbours(is_wait: np.ndarray, before: int, after: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of the nearest intervals on both sides that are no waits, and which of them there are."""
    steady = np.flatnonzero(~is_wait)
    rows = np.arange(len(is_wait))
    back = np.searchsorted(steady, rows)[:, None] - 1 - np.arange(before)
    forth = np.searchsorted(steady, rows, side="right")[:, None] + np.arange(after)
    place = np.concatenate([back, forth], axis=1)
    there = (place >= 0) & (place < len(steady))
    return steady[np.clip(place, 0, len(steady) - 1)], there


def _due(period_s: np.ndarray, step_beat: np.ndarray, is_wait: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how long each interval was due to last, and how long it would be at the slowest tempo around."""
    k = _TEMPO_INTERVALS
    near, there = _neighbours(is_wait, k, k)
    period, weight = period_s[near], np.where(there, step_beat[near], 0.0)
    side_s = []
    for side in (slice(0, k), slice(k, 2 * k)):
        enough = there[:, side].sum(axis=1) >= _LEAST_INTERVALS // 2
        side_s.append(np.where(enough, _weighted_medians(period[:, side], weight[:, side]), 0.0))
    due_s = np.maximum(*side_s)
    due_s = np.where(due_s > 0.0, due_s, _weighted_medians(period, weight))
    share = np.full(len(period_s), 0.9)
    share[-_LAST_INTERVALS:] = 1.0
    longest_s = _quantiles(np.where(there, period, np.nan), share)
    return due_s * step_beat, longest_s * step_beat


def _unevenness(log_ratio: np.ndarray, is_wait: np.ndarray) -> np.ndarray:
    """Return the spread of the log ratios about each interval: the larger of nearby's and the whole take's."""
    near, there = _neighbours(is_wait, _NOISE_INTERVALS, _NOISE_INTERVALS)
    nearby = _spreads(np.where(there, log_ratio[near], np.nan))
    everywhere = _spreads(np.where(is_wait, np.nan, log_ratio)[None, :])
    return np.maximum(np.maximum(nearby, everywhere), _LEAST_NOISE)


def _spreads(values: np.ndarray) -> np.ndarray:
    """Return the median absolute deviation of each row, as a standard deviation."""
    return 1.4826 * _quantiles(np.abs(values - _quantiles(values, 0.5)[:, None]), 0.5)
