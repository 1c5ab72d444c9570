"""Lay two sequences side by side in stretches that match, with jumps in between: the best chain of sloping paths."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def chain_path(gain, jump, bend):
    """Choose a chain of stretches that gains most.

    Within a stretch the steps are (1, 1), (1, 2) and (2, 1), each worth the mean gain of the cells it passes times half
    the rows and columns it goes on, the last two less ``bend``. Before a stretch any number of rows and columns may be
    left out, for nothing before the first one and at the price ``jump`` before every other; what follows the last one
    costs nothing.

    Parameters
    ----------
    gain : ndarray of float32 [shape=(n, m)]
        Positive where a row and a column go together.
    jump, bend : float

    Returns
    -------
    path : ndarray of int64 [shape=(k, 3)]
        Row, column and number of the stretch, in order; empty where nothing gains.
    total : float

    References
    ----------
    Smith and Waterman 1981, Identification of common molecular subsequences, J. Mol. Biol. 147 (local alignment); the
    steps: Sakoe and Chiba 1978, Dynamic programming algorithm optimization for spoken word recognition, IEEE TASSP
    26(1), table I, P = 1/2 without its long runs.
    """
    n, m = gain.shape
    # From where a cell was reached: -1, -2, -3 the steps in order, -4 a beginning, else the cell before a jump.
    back = np.empty((n, m), dtype=np.int32)
    rows = np.full((3, m), -np.inf)
    # The best chain that ends above and left of a cell, the row before included: its total and its last cell.
    reached = np.zeros(m)
    where = np.full(m, -4, dtype=np.int32)
    top, top_cell = 0.0, -1
    for i in range(n):
        now, before, earlier = rows[i % 3], rows[(i - 1) % 3], rows[(i - 2) % 3]
        for j in range(m):
            here = gain[i, j]
            best, how = 0.0, np.int32(-4)
            if i > 0 and j > 0:
                if reached[j - 1] - jump > best:
                    best, how = reached[j - 1] - jump, where[j - 1]
                if before[j - 1] > best:
                    best, how = before[j - 1], np.int32(-1)
                best += here
                if j > 1:
                    value = before[j - 2] + here + 0.5 * gain[i, j - 1] - bend
                    if value > best:
                        best, how = value, np.int32(-2)
                if i > 1:
                    value = earlier[j - 1] + here + 0.5 * gain[i - 1, j] - bend
                    if value > best:
                        best, how = value, np.int32(-3)
            else:
                best += here
            now[j] = best
            back[i, j] = how
            if best > top:
                top, top_cell = best, i * m + j
        best, how = 0.0, np.int32(-4)
        for j in range(m):
            if now[j] > reached[j]:
                reached[j] = now[j]
                where[j] = i * m + j
            if reached[j] > best:
                best, how = reached[j], where[j]
            else:
                reached[j], where[j] = best, how
    path = np.empty((n + m, 3), dtype=np.int64)
    count, part, cell = 0, 0, top_cell
    while cell >= 0:
        i, j = cell // m, cell % m
        path[count, 0], path[count, 1], path[count, 2] = i, j, part
        count += 1
        how = back[i, j]
        if how == -1:
            cell -= m + 1
        elif how == -2:
            cell -= m + 2
        elif how == -3:
            cell -= 2 * m + 1
        elif how == -4:
            cell = -1
        else:
            cell = how
            part += 1
    path = path[:count][::-1].copy()
    for k in range(count):
        path[k, 2] = part - path[k, 2]
    return path, top
