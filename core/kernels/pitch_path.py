"""The likeliest course of a pitch through the candidates of every frame."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def pitch_path(height, score, silent, jump_cost, voicing_cost):
    """Choose in every frame one candidate or none, at the greatest sum of scores less the cost of changes.

    Parameters
    ----------
    height : ndarray of float64 [shape=(n, k)], octaves
        Candidates' log2 frequency; NaN where there is none.
    score : ndarray of float64 [shape=(n, k)]
    silent : ndarray of float64 [shape=(n,)]
        The score of choosing none.
    jump_cost : float
        Cost of an octave between neighbouring frames, in proportion.
    voicing_cost : float
        Cost of beginning or ending.

    Returns
    -------
    choice : ndarray of int64 [shape=(n,)]
        Index of the candidate, -1 for none.
    """
    n, k = height.shape
    choice = np.full(n, -1, dtype=np.int64)
    if n == 0:
        return choice
    back = np.zeros((n, k + 1), dtype=np.int8)
    best = np.full(k + 1, -np.inf)
    fresh = np.zeros(k + 1)
    for j in range(k):
        if height[0, j] == height[0, j]:
            best[j] = score[0, j]
    best[k] = silent[0]
    for i in range(1, n):
        top = best[0]
        for j in range(1, k + 1):
            top = max(top, best[j])
        for j in range(k + 1):
            fresh[j] = -np.inf
            if j < k and not height[i, j] == height[i, j]:
                continue
            for s in range(k + 1):
                if best[s] == -np.inf:
                    continue
                value = best[s]
                if s < k and j < k:
                    value -= jump_cost * abs(height[i, j] - height[i - 1, s])
                elif s < k or j < k:
                    value -= voicing_cost
                if value > fresh[j]:
                    fresh[j] = value
                    back[i, j] = s
            fresh[j] += score[i, j] if j < k else silent[i]
        for j in range(k + 1):
            best[j] = fresh[j] - top  # kept small, so that an hour adds no rounding
    j = np.argmax(best)
    for i in range(n - 1, -1, -1):
        choice[i] = j if j < k else -1
        j = back[i, j]
    return choice
