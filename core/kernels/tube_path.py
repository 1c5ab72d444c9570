"""Lay two sequences side by side near a path that is roughly known."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def tube_path(a, b, a_own, b_own, low, width, bend, hold):
    """Choose the path that gains most inside a tube; it begins and ends where that gains most.

    A cell gains ``a[i] @ b[:, j] + a_own[i] + b_own[j]``. The steps (1, 1), (1, 2) and (2, 1) are worth the mean gain
    of the cells they pass times half the rows and columns they go on, the last two less ``bend``; the steps (1, 0)
    and (0, 1), by which one side holds on, half the gain of their cell less ``hold``.

    Parameters
    ----------
    a : ndarray of float32 [shape=(n, d)]
    b : ndarray of float32 [shape=(d, m)]
    a_own : ndarray of float32 [shape=(n,)]
    b_own : ndarray of float32 [shape=(m,)]
    low : ndarray of int64 [shape=(n,)], rising, in [0, m)
        First column of each row's part of the tube.
    width : ndarray of int64 [shape=(n,)], at least 1
        Columns of each row's part; none beyond ``m``, and the last one of a row does not lie before the row above's.
    bend, hold : float

    Returns
    -------
    path : ndarray of int64 [shape=(k, 2)]
        Row and column, in order; empty where nothing gains.
    total : float

    References
    ----------
    Refinement inside a tube around a coarser path: Müller, Mattes and Kurth 2006, An efficient multiscale approach to
    audio synchronization, ISMIR, section 4; Prätzlich, Driedger and Müller 2016, Memory-restricted multiscale dynamic
    time warping, ICASSP.
    """
    n, d = a.shape
    widest = 0
    for i in range(n):
        widest = max(widest, width[i])
    back = np.zeros((n, widest), dtype=np.int8)  # 0 a beginning, 1 to 5 the steps in the order above
    total = np.full((3, widest), -np.inf)
    gain = np.zeros((2, widest), dtype=np.float32)
    top, top_i, top_j = 0.0, -1, -1
    for i in range(n):
        first, count = low[i], width[i]
        g, g_before = gain[i % 2], gain[(i - 1) % 2]
        now, before, earlier = total[i % 3], total[(i - 1) % 3], total[(i - 2) % 3]
        for c in range(count):
            g[c] = a_own[i] + b_own[first + c]
        for k in range(d):
            weight = a[i, k]
            if weight != 0.0:
                row = b[k, first : first + count]
                for c in range(count):
                    g[c] += weight * row[c]
        # Columns of the rows above are counted from their own first one.
        up = first - low[i - 1] if i > 0 else 0
        upper = width[i - 1] if i > 0 else 0
        up2 = first - low[i - 2] if i > 1 else 0
        upper2 = width[i - 2] if i > 1 else 0
        for c in range(count):
            here = g[c]
            best, how = here, 0
            at = c + up - 1
            if 0 <= at < upper and before[at] + here > best:
                best, how = before[at] + here, 1
            at = c + up - 2
            if c > 0 and 0 <= at < upper:
                value = before[at] + here + 0.5 * g[c - 1] - bend
                if value > best:
                    best, how = value, 2
            at, over = c + up2 - 1, c + up
            if 0 <= at < upper2 and over < upper:
                value = earlier[at] + here + 0.5 * g_before[over] - bend
                if value > best:
                    best, how = value, 3
            at = c + up
            if at < upper and before[at] + 0.5 * here - hold > best:
                best, how = before[at] + 0.5 * here - hold, 4
            if c > 0 and now[c - 1] + 0.5 * here - hold > best:
                best, how = now[c - 1] + 0.5 * here - hold, 5
            now[c] = best
            back[i, c] = how
            if best > top:
                top, top_i, top_j = best, i, first + c
    path = np.empty((2 * (n + widest) + (low[n - 1] - low[0] if n else 0), 2), dtype=np.int64)
    length = 0
    i, j = top_i, top_j
    while i >= 0:
        path[length, 0], path[length, 1] = i, j
        length += 1
        how = back[i, j - low[i]]
        if how == 0:
            break
        i -= 1 if how in (1, 2, 4) else 2 if how == 3 else 0
        j -= 1 if how in (1, 3, 5) else 2 if how == 2 else 0
    return path[:length][::-1].copy(), top
