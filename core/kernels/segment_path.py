"""The cheapest cut of a series into segments, each segment at its own cost."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def segment_path(cost, shortest, penalty):
    """Cut a series where the sum of the segments' costs, and a penalty for each, is least.

    Parameters
    ----------
    cost : ndarray of float64 [shape=(n + 1, longest + 1)]
        ``cost[j, k]`` is that of the segment of ``k`` values that ends before value ``j``; read for
        ``shortest <= k <= min(j, longest)`` only.
    shortest : int
    penalty : float

    Returns
    -------
    ndarray of int64
        Where the segments start, rising from 0; empty where no cut has segments as short as that and no longer than
        ``longest``.
    """
    n, longest = cost.shape[0] - 1, cost.shape[1] - 1
    best = np.full(n + 1, np.inf)
    last = np.full(n + 1, -1, np.int64)
    best[0] = 0.0
    for j in range(shortest, n + 1):
        for k in range(shortest, min(j, longest) + 1):
            total = best[j - k] + cost[j, k] + penalty
            if total < best[j]:
                best[j] = total
                last[j] = j - k
    if not np.isfinite(best[n]):
        return np.zeros(0, np.int64)
    count = 0
    j = n
    while j > 0:
        j = last[j]
        count += 1
    starts = np.zeros(count, np.int64)
    j = n
    for row in range(count - 1, -1, -1):
        j = last[j]
        starts[row] = j
    return starts
