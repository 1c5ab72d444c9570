"""Follow the blocks of a performance through the blocks of a score, with leaps."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def block_path(likeness, leap):
    """Give each played block a block of the score, so that the sum of likeness is greatest.

    From one played block to the next the path stays, goes on by one or by two blocks, or leaps anywhere at a price.

    Parameters
    ----------
    likeness : ndarray of float64 [shape=(m, n)]
        Of each played block (a row) with each block of the score.
    leap : float

    Returns
    -------
    at : ndarray of int64 [shape=(m,)]
        -1 where the score has none.
    total : float
    """
    m, n = likeness.shape
    if n == 0 or m == 0:
        return np.full(m, -1, dtype=np.int64), 0.0
    value = likeness[0].copy()
    fresh = np.zeros(n)
    back = np.zeros((m, n), dtype=np.int8)
    best_at = np.zeros(m, dtype=np.int64)
    for j in range(1, m):
        top = 0
        for i in range(1, n):
            if value[i] > value[top]:
                top = i
        best_at[j] = top
        for i in range(n):
            best = value[i]
            step = 0
            for k in range(1, 3):
                if i >= k and value[i - k] >= best:
                    best = value[i - k]
                    step = k
            if value[top] - leap > best:
                best = value[top] - leap
                step = 3
            fresh[i] = best + likeness[j, i]
            back[j, i] = step
        for i in range(n):
            value[i] = fresh[i]
    at = np.zeros(m, dtype=np.int64)
    here = 0
    for i in range(1, n):
        if value[i] > value[here]:
            here = i
    total = value[here]
    for j in range(m - 1, -1, -1):
        at[j] = here
        if j == 0:
            break
        step = back[j, here]
        here = best_at[j] if step == 3 else here - step
    return at, total
