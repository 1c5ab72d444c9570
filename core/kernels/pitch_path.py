"""The likeliest course of a pitch through the candidates of every frame."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def pitch_path(height, score, silent, jump_cost, voicing_cost, height_before, sums_before):
    """Sum, for every candidate of every frame, the best course that ends there: scores less the cost of changes.

    The state after the candidates is that of having none. A course is read by following ``back`` from the best sum.

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
    height_before : ndarray of float64 [shape=(k,)], octaves
        Of the frame before the first.
    sums_before : ndarray of float64 [shape=(k + 1,)]
        Its sums, of which the last is NaN where there was no frame before.

    Returns
    -------
    back : ndarray of int8 [shape=(n, k + 1)]
        The state before, on the best course to this one.
    sums : ndarray of float64 [shape=(n, k + 1)]
        Less the greatest of the frame before, so that hours add no rounding; -inf where there is no candidate.
    """
    n, k = height.shape
    back = np.zeros((n, k + 1), dtype=np.int8)
    sums = np.full((n, k + 1), -np.inf)
    before = height_before.copy()
    best = sums_before.copy()
    for i in range(n):
        begins = best[k] != best[k]
        top = 0.0 if begins else best.max()
        for j in range(k + 1):
            if j < k and height[i, j] != height[i, j]:
                continue
            value = 0.0 if begins else -np.inf
            back[i, j] = j
            if not begins:
                for s in range(k + 1):
                    if best[s] == -np.inf:
                        continue
                    cost = 0.0
                    if s < k and j < k:
                        cost = jump_cost * abs(height[i, j] - before[s])
                    elif s < k or j < k:
                        cost = voicing_cost
                    if best[s] - cost > value:
                        value = best[s] - cost
                        back[i, j] = s
            sums[i, j] = value - top + (score[i, j] if j < k else silent[i])
        before = height[i]
        best = sums[i]
    return back, sums
