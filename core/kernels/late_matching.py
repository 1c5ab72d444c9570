"""Match two increasing sequences of times, near pairs first and late ones rather than none."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def late_matching(expected, played, scale, reach):
    """Pair expected with played times in order at the least total cost.

    A time without partner costs 1. A pair at distance d costs ``2 log(1 + (d / scale)²) / log(1 + (reach / scale)²)``:
    little within ``scale``, as much as leaving both at ``reach``, beyond which no pair is made. The logarithm (a Cauchy
    error) lets one late note be late without bending others. Ties prefer pairs; the work is linear where the reach is
    bounded.

    Parameters
    ----------
    expected : ndarray of float64 [shape=(n,)], seconds, increasing
    played : ndarray of float64 [shape=(m,)], seconds, increasing
    scale, reach : ndarray of float64 [shape=(n,)], seconds

    Returns
    -------
    pair : ndarray of int64 [shape=(n,)]
        Row of the played time, -1 for none.
    """
    n, m = len(expected), len(played)
    pair = np.full(n, -1, dtype=np.int64)
    if n == 0 or m == 0:
        return pair
    low = np.searchsorted(played, expected - reach)
    high = np.searchsorted(played, expected + reach, side="right")
    # The windows must move on together, also where the reach changes.
    for i in range(n - 2, -1, -1):
        low[i] = min(low[i], low[i + 1])
    for i in range(1, n):
        high[i] = max(high[i], high[i - 1])
    # Row i: i expected times used up; columns from floor(i) to high[i - 1] played times used up.
    start = np.zeros(n + 2, dtype=np.int64)
    for i in range(1, n + 1):
        floor = low[i - 2] if i > 1 else 0
        start[i + 1] = start[i] + high[i - 1] - floor + 1
    back = np.zeros(start[n + 1], dtype=np.int8)
    score = np.zeros(m + 1)
    fresh = np.zeros(m + 1)
    score_low = 0
    score_high = 0
    for i in range(1, n + 1):
        floor = low[i - 2] if i > 1 else 0
        unit = 2.0 / np.log1p((reach[i - 1] / scale[i - 1]) ** 2)
        for j in range(floor, high[i - 1] + 1):
            beyond = j - score_high
            inside = score[j] if beyond <= 0 else score[score_high] + beyond
            best = inside + 1.0
            step = 1
            if j > floor:
                off = abs(played[j - 1] - expected[i - 1])
                if off <= reach[i - 1]:
                    last = score[j - 1] if beyond <= 1 else score[score_high] + beyond - 1
                    cost = last + unit * np.log1p((off / scale[i - 1]) ** 2)
                    if cost <= best:
                        best = cost
                        step = 0
                if fresh[j - 1] + 1.0 < best:
                    best = fresh[j - 1] + 1.0
                    step = 2
            fresh[j] = best
            back[start[i] + j - floor] = step
        score_low = floor
        score_high = high[i - 1]
        for j in range(score_low, score_high + 1):
            score[j] = fresh[j]
    i = n
    j = high[n - 1]
    while i > 0:
        floor = low[i - 2] if i > 1 else 0
        if j > high[i - 1]:
            j = high[i - 1]
            continue
        step = back[start[i] + j - floor]
        if step == 0:
            pair[i - 1] = j - 1
            i -= 1
            j -= 1
        elif step == 1:
            i -= 1
        else:
            j -= 1
    return pair
