"""What a sound holds beyond what rings on: the error of linear prediction, block by block.

Every block has its own predictor: the least-squares one (covariance method) of the block with as much again around it,
so that decaying partials, which obey a linear recurrence exactly, leave almost nothing, and what sets in leaves all.

References
----------
Makhoul 1975, Linear prediction: a tutorial review, Proc. IEEE 63(4), 561-580 (the covariance method, section II-C).
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def linear_residual(x: np.ndarray, order: int, block: int, ridge: float, out: np.ndarray) -> None:
    """Write the prediction error of every block.

    Parameters
    ----------
    x : ndarray [shape=(frames,)], float64
    order : int
        Coefficients of a predictor.
    block : int
        Length of a block in frames; it is fitted on itself and half as much on either side.
    ridge : float
        Added to the diagonal, as a share of the mean power times the frames of the fit, so that silence is no error.
    out : ndarray [shape=(frames,)], float64
        The residual; where a fit has too few frames, the sound itself.
    """
    n = len(x)
    gram = np.zeros((order + 1, order + 1))
    coefficients = np.zeros(order)
    row = np.zeros(order + 1)
    for begin in range(0, n, block):
        end = min(begin + block, n)
        first = max(begin - block // 2, order)
        last = min(end + block // 2, n)
        count = last - first
        if count < 2 * order:
            for t in range(begin, end):
                out[t] = x[t]
            continue
        # gram[i, j] = sum of x[t - i] x[t - j]: the first row in full, the others by what enters and leaves.
        # Sums of all lags side by side: a compiler that may not reorder a sum can still do several at once.
        row[:] = 0.0
        for t in range(first, last):
            value = x[t]
            for j in range(order + 1):
                row[j] += value * x[t - order + j]
        for j in range(order + 1):
            gram[0, j] = row[order - j]
        for i in range(1, order + 1):
            for j in range(i, order + 1):
                gram[i, j] = gram[i - 1, j - 1] + x[first - i] * x[first - j] - x[last - i] * x[last - j]
        least = ridge * (gram[0, 0] + 1e-300)
        if gram[0, 0] <= 0.0:
            for t in range(begin, end):
                out[t] = x[t]
            continue
        # Cholesky of the lower right part, in place in the lower triangle, then the two substitutions.
        for i in range(1, order + 1):
            for j in range(1, i + 1):
                total = gram[j, i]
                if i == j:
                    total += least
                for k in range(1, j):
                    total -= gram[i, k] * gram[j, k]
                if i == j:
                    gram[i, i] = np.sqrt(max(total, least * 1e-3))
                else:
                    gram[i, j] = total / gram[j, j]
            # the diagonal of the upper half was overwritten by the root; it is not read again
        for i in range(1, order + 1):
            total = gram[0, i]
            for k in range(1, i):
                total -= gram[i, k] * coefficients[k - 1]
            coefficients[i - 1] = total / gram[i, i]
        for i in range(order, 0, -1):
            total = coefficients[i - 1]
            for k in range(i + 1, order + 1):
                total -= gram[k, i] * coefficients[k - 1]
            coefficients[i - 1] = total / gram[i, i]
        for t in range(begin, end):
            out[t] = x[t]
        for k in range(1, order + 1):
            weight = coefficients[k - 1]
            for t in range(max(begin, k), end):
                out[t] -= weight * x[t - k]
