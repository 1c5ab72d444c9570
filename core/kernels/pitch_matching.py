"""Match two increasing sequences of times at the least cost: one pitch's written and played notes."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def pitch_matching(expected, played, tolerance):
    """Pair expected with played times in order.

    A pair costs the square of its distance divided by the expected time's tolerance, a time without partner costs 1;
    no pair lies farther apart than twice the tolerance. The table is kept only inside that distance, so the work is
    linear. The square lets a whole roll lie a little late sooner than leave its first and last stroke over.

    Parameters
    ----------
    expected : ndarray of float64 [shape=(n,)], seconds, increasing
    played : ndarray of float64 [shape=(m,)], seconds, increasing
    tolerance : ndarray of float64 [shape=(n,)], seconds

    Returns
    -------
    pair : ndarray of int64 [shape=(n,)]
        Row of the played time, -1 for none.
    """
    n, m = len(expected), len(played)
    pair = np.full(n, -1, dtype=np.int64)
    if n == 0 or m == 0:
        return pair
    low = np.searchsorted(played, expected - 2.0 * tolerance)
    high = np.searchsorted(played, expected + 2.0 * tolerance)
    # The windows must move on together, also where the tolerance changes.
    for i in range(n - 2, -1, -1):
        low[i] = min(low[i], low[i + 1])
    for i in range(1, n):
        high[i] = max(high[i], high[i - 1])
    # Row i: i expected times used up; columns from low[i-1] (row 0: 0) to high[i-1], the played times used up.
    start = np.zeros(n + 2, dtype=np.int64)
    for i in range(1, n + 1):
        before = low[i - 2] if i > 1 else 0
        start[i + 1] = start[i] + high[i - 1] - before + 1
    back = np.zeros(start[n + 1], dtype=np.int8)
    score = np.zeros(m + 1)
    fresh = np.zeros(m + 1)
    score_low = 0
    score_high = 0
    for i in range(1, n + 1):
        before = low[i - 2] if i > 1 else 0
        for j in range(before, high[i - 1] + 1):
            inside = score[j] if score_low <= j <= score_high else np.inf
            if j > score_high:
                inside = score[score_high] + (j - score_high)
            best = inside + 1.0
            step = 1
            if j > before:
                last = score[j - 1] if score_low <= j - 1 <= score_high else np.inf
                if j - 1 > score_high:
                    last = score[score_high] + (j - 1 - score_high)
                share = abs(played[j - 1] - expected[i - 1]) / tolerance[i - 1]
                if share <= 2.0 and last + share * share <= best:
                    best = last + share * share
                    step = 0
                if fresh[j - 1] + 1.0 < best:
                    best = fresh[j - 1] + 1.0
                    step = 2
            fresh[j] = best
            back[start[i] + j - before] = step
        score_low = before
        score_high = high[i - 1]
        for j in range(score_low, score_high + 1):
            score[j] = fresh[j]
    i = n
    j = high[n - 1]
    while i > 0:
        before = low[i - 2] if i > 1 else 0
        if j > high[i - 1]:
            j = high[i - 1]
            continue
        step = back[start[i] + j - before]
        if step == 0:
            pair[i - 1] = j - 1
            i -= 1
            j -= 1
        elif step == 1:
            i -= 1
        else:
            j -= 1
    return pair
