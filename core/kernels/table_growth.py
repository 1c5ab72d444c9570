"""Grow one table of yes-or-no questions: each the one that, after those before it, leaves the least squared error."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def table_growth(binned, left, rows, depth, width, shrink):
    """Choose the questions of a table.

    Parameters
    ----------
    binned : ndarray of uint8 [shape=(n, k)]
        Which interval of each column a row lies in, below ``width``.
    left : ndarray of float64 [shape=(n,)]
        What is to be explained.
    rows : ndarray of int64 [shape=(r,)]
        The rows that are looked at.
    depth, width : int
    shrink : float
        Zeros that each cell of the table holds beside its rows.

    Returns
    -------
    column, cut : ndarray of int64 [shape=(depth,)]
        "Is the interval of this column above the cut?" Of equal ones the first column, then the lowest cut.
    """
    k = binned.shape[1]
    column = np.zeros(depth, np.int64)
    cut = np.zeros(depth, np.int64)
    cell = np.zeros(len(rows), np.int64)
    for level in range(depth):
        cells = 1 << level
        total = np.zeros((cells, k, width))
        many = np.zeros((cells, k, width))
        for i in range(len(rows)):
            row = rows[i]
            value = left[row]
            at = cell[i]
            for c in range(k):
                total[at, c, binned[row, c]] += value
                many[at, c, binned[row, c]] += 1.0
        best = -1.0
        for c in range(k):
            low = np.zeros(cells)
            low_n = np.zeros(cells)
            for t in range(width - 1):
                gain = 0.0
                for at in range(cells):
                    low[at] += total[at, c, t]
                    low_n[at] += many[at, c, t]
                high = 0.0
                high_n = 0.0
                for at in range(cells):
                    high = 0.0
                    high_n = 0.0
                    for u in range(t + 1, width):
                        high += total[at, c, u]
                        high_n += many[at, c, u]
                    gain += low[at] ** 2 / (low_n[at] + shrink) + high**2 / (high_n + shrink)
                if gain > best:
                    best = gain
                    column[level] = c
                    cut[level] = t
        for i in range(len(rows)):
            if binned[rows[i], column[level]] > cut[level]:
                cell[i] += cells
    return column, cut
