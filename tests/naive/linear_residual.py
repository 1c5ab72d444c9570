"""The error of linear prediction, every block's predictor by least squares on the rows written out."""

import numpy as np


def linear_residual(x, order, block, ridge):
    n = len(x)
    out = np.array(x, dtype=float)
    for begin in range(0, n, block):
        end = min(begin + block, n)
        first, last = max(begin - block // 2, order), min(end + block // 2, n)
        if last - first < 2 * order:
            continue
        rows = np.array([[x[t - k] for k in range(1, order + 1)] for t in range(first, last)])
        wanted = x[first:last]
        energy = np.sum(wanted**2)
        if energy <= 0:
            continue
        loaded = np.vstack([rows, np.sqrt(ridge * energy) * np.eye(order)])
        coefficients = np.linalg.lstsq(loaded, np.concatenate([wanted, np.zeros(order)]), rcond=None)[0]
        for t in range(begin, end):
            past = [x[t - k] if t >= k else 0.0 for k in range(1, order + 1)]
            out[t] = x[t] - np.dot(coefficients, past)
    return out
