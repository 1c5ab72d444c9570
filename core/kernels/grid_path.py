"""Choose a subdivision for every beat: Viterbi over a few grids with a cost for changing."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def grid_path(emission, change):
    """Find the sequence of grids with the highest total.

    Parameters
    ----------
    emission : ndarray of float64 [shape=(beats, grids)]
        Log likelihood of the notes of each beat under each grid, prior included.
    change : float
        Cost of taking another grid than in the beat before.

    Returns
    -------
    path : ndarray of int64 [shape=(beats,)]
    total : float
        Log likelihood of the path.
    """
    beats, grids = emission.shape
    score = emission[0].copy()
    back = np.zeros((beats, grids), dtype=np.int64)
    for i in range(1, beats):
        best = int(np.argmax(score))
        fresh = np.empty(grids)
        for g in range(grids):
            if score[g] >= score[best] - change:
                back[i, g] = g
                fresh[g] = score[g] + emission[i, g]
            else:
                back[i, g] = best
                fresh[g] = score[best] - change + emission[i, g]
        score = fresh
    path = np.empty(beats, dtype=np.int64)
    path[beats - 1] = int(np.argmax(score))
    for i in range(beats - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path, score[path[beats - 1]]
