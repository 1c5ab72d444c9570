"""Find the longest common subsequence of two sequences."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def common_order(a, b):
    """Pair as many equal members as keep their order in both sequences.

    A table of how many pairs the rests of both sequences have, filled from the ends (R. A. Wagner and M. J. Fischer,
    "The string-to-string correction problem", 1974). Of several longest ones, the way from the start pairs what is
    equal at once, else passes over a member of ``a`` where that loses nothing, else of ``b``.

    Parameters
    ----------
    a, b : ndarray of float64 [shape=(n,)], [shape=(m,)]
        NaN equals nothing.

    Returns
    -------
    pair : ndarray of int64 [shape=(k, 2)]
        Rows of ``a`` and of ``b``, increasing.
    """
    n, m = len(a), len(b)
    best = np.zeros((n + 1, m + 1), dtype=np.int32)
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            if a[i] == b[j]:
                best[i, j] = best[i + 1, j + 1] + 1
            else:
                best[i, j] = max(best[i + 1, j], best[i, j + 1])
    pair = np.zeros((best[0, 0], 2), dtype=np.int64)
    i, j, k = 0, 0, 0
    while i < n and j < m:
        if a[i] == b[j]:
            pair[k, 0] = i
            pair[k, 1] = j
            i, j, k = i + 1, j + 1, k + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return pair
