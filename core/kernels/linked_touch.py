"""Run the memory of touch forward: each note from what is fresh in it and from notes played before."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def linked_touch(fresh, weights, kind, own, own_before, above, first, size, share, farthest):
    """Return what is left of each note.

    Parameters
    ----------
    fresh : ndarray of float64 [shape=(n, c)]
    weights : ndarray of float64 [shape=(3, 8 * c, c)]
        Rows in the order: own line, one before that, note above, the last four moments from the latest on,
        running mean.
    kind, own, own_before, above : ndarray of int64 [shape=(n,)]
        Row of ``weights``; rows of notes, -1 for none. Of a moment the highest note comes last and is made first.
    first, size : ndarray of int64 [shape=(m,)]
    share : float
        What a moment counts in the running mean.
    farthest : float
        Nothing goes beyond this: a law fitted to few notes could else run away.

    Returns
    -------
    ndarray of float64 [shape=(n, c)]
        The first channel is one for a whole moment: that of its highest note.
    """
    n, c = fresh.shape
    left = np.zeros((n, c))
    past = np.zeros((4, c))
    running = np.zeros(c)
    before = np.zeros(8 * c)
    for g in range(len(first)):
        for k in range(size[g] - 1, -1, -1):
            row = first[g] + k
            for j in range(c):
                before[j] = left[own[row], j] if own[row] >= 0 else 0.0
                before[c + j] = left[own_before[row], j] if own_before[row] >= 0 else 0.0
                before[2 * c + j] = left[above[row], j] if above[row] >= 0 else 0.0
                for lag in range(4):
                    before[(3 + lag) * c + j] = past[lag, j]
                before[7 * c + j] = running[j]
            for j in range(c):
                total = fresh[row, j]
                for i in range(8 * c):
                    total += before[i] * weights[kind[row], i, j]
                left[row, j] = min(max(total, -farthest), farthest)
            if above[row] >= 0:
                left[row, 0] = left[above[row], 0]
        for j in range(c):
            mean = 0.0
            for k in range(size[g]):
                mean += left[first[g] + k, j]
            mean /= size[g]
            for lag in range(3, 0, -1):
                past[lag, j] = past[lag - 1, j]
            past[0, j] = mean
            running[j] = (1.0 - share) * running[j] + share * mean
    return left
