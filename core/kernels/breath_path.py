"""The cheapest places to breathe along a line: dynamic programming over the moments of a part."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def breath_path(
    begin_s: np.ndarray,
    end_s: np.ndarray,
    is_free: np.ndarray,
    cost: np.ndarray,
    comfort_s: float,
    longest_s: float,
    steep: float,
    beyond: float,
    look_back_s: float,
) -> np.ndarray:
    """Return the moments behind which a breath is taken that costs something.

    Parameters
    ----------
    begin_s, end_s : ndarray [shape=(n,)], seconds
        When each moment begins and when all up to it have ended.
    is_free : ndarray of bool [shape=(n,)]
        Moments followed by a rest that is breath enough: the air is new there.
    cost : ndarray [shape=(n,)]
        Of a breath behind each moment; nothing behind the last one.
    comfort_s, longest_s : float, seconds
    steep, beyond : float
        A stretch that lasts x costs ``steep * (max(x - comfort_s, 0) / comfort_s) ** 2``
        ``+ beyond * max(x - longest_s, 0)``.
    look_back_s : float, seconds
        Longer stretches are not looked at, but those of one moment.

    Returns
    -------
    ndarray of int64 [shape=(k,)], rising
    """
    n = len(begin_s)
    best = np.zeros(n + 1)
    came = np.zeros(n + 1, np.int64)
    low = 0
    for j in range(1, n + 1):
        while low < j - 1 and end_s[j - 1] - begin_s[low] > look_back_s:
            low += 1
        least, at = np.inf, j - 1
        for i in range(low, j):
            lasts_s = end_s[j - 1] - begin_s[i]
            over = max(lasts_s - comfort_s, 0.0) / comfort_s
            total = best[i] + steep * over * over + beyond * max(lasts_s - longest_s, 0.0)
            if total < least:
                least, at = total, i
        free = is_free[j - 1] or j == n
        best[j] = least + (0.0 if free else cost[j - 1])
        came[j] = at
        if is_free[j - 1]:
            low = j
    count = 0
    j = n
    while j > 0:
        if not (is_free[j - 1] or j == n):
            count += 1
        j = came[j]
    out = np.empty(count, np.int64)
    j = n
    while j > 0:
        if not (is_free[j - 1] or j == n):
            count -= 1
            out[count] = j - 1
        j = came[j]
    return out
