"""The piecewise constant course nearest to a curve, where every step has a price."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def level_steps(value, weight, levels, cap, price):
    """Return the level chosen for every point (Viterbi search).

    The cost of a course is the sum over points of ``weight * min(abs(value - level), cap)``, and ``price`` for every
    change of level.

    Parameters
    ----------
    value, weight : ndarray of float64 [shape=(n,)]
        A weight of 0 says the point is not known.
    levels : ndarray of float64 [shape=(m,)]
    cap, price : float

    Returns
    -------
    chosen : ndarray of int64 [shape=(n,)]
        Rows of ``levels``.
    """
    n, m = len(value), len(levels)
    chosen = np.zeros(n, dtype=np.int64)
    if n == 0 or m == 0:
        return chosen
    came = np.zeros((n, m), dtype=np.int32)
    cost = np.zeros(m)
    for i in range(n):
        best = 0
        for k in range(1, m):
            if cost[k] < cost[best]:
                best = k
        over = cost[best] + price
        for k in range(m):
            came[i, k] = k
            if i > 0 and over < cost[k]:
                cost[k] = over
                came[i, k] = best
            if weight[i] > 0.0:
                cost[k] += weight[i] * min(abs(value[i] - levels[k]), cap)
    last = 0
    for k in range(1, m):
        if cost[k] < cost[last]:
            last = k
    for i in range(n - 1, -1, -1):
        chosen[i] = last
        last = came[i, last]
    return chosen
