"""Predict a signal from its own past: one predictor for every stretch it is learnt from."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def linear_prediction(x, begins, ends, order):
    """Learn the prediction of a signal from stretches of it, tapered by a Hann window.

    Parameters
    ----------
    x : ndarray of float64 [shape=(frames,)]
    begins, ends : ndarray of int64 [shape=(n,)]
        The stretches, within the signal.
    order : int
        At least 1.

    Returns
    -------
    ndarray of float64 [shape=(n, order + 1)]
        The filters that leave what cannot be predicted, ``e[t] = sum(a[k] * x[t - k])`` with ``a[0] = 1``; the first
        difference where a stretch is shorter than 6 orders or silent.

    References
    ----------
    Makhoul 1975, Linear prediction: a tutorial review, Proc. IEEE 63, 561-580, sections II and III (autocorrelation
    method, Levinson's recursion).
    """
    n = len(begins)
    out = np.zeros((n, order + 1))
    r = np.empty(order + 1)
    old = np.empty(order + 1)
    part = np.empty(0)
    for i in range(n):
        a = out[i]
        a[0] = 1.0
        a[1] = -1.0
        past = ends[i] - begins[i]
        if past < 6 * order:
            continue
        if len(part) < past + order:
            part = np.empty(past + order)
        mean = 0.0
        for j in range(past):
            mean += x[begins[i] + j] / past
        for j in range(past):
            part[j] = (x[begins[i] + j] - mean) * (0.5 - 0.5 * np.cos(2 * np.pi * j / (past - 1)))
        part[past : past + order] = 0.0
        r[:] = 0.0
        for j in range(past):
            here = part[j]
            later = part[j : j + order + 1]
            for k in range(order + 1):
                r[k] += here * later[k]
        if r[0] <= 1e-14:
            continue
        error = r[0] * (1.0 + 1e-7) + 1e-14
        a[1] = 0.0
        for k in range(1, order + 1):
            total = r[k]
            for j in range(1, k):
                total += a[j] * r[k - j]
            reflection = -total / error
            for j in range(k):
                old[j] = a[j]
            for j in range(1, k):
                a[j] = old[j] + reflection * old[k - j]
            a[k] = reflection
            error *= 1.0 - reflection * reflection
    return out
