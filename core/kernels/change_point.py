"""Find where the variance of a signal changes once: the two-segment Akaike criterion."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def change_point(x, guard, floor):
    """Split a signal into a quiet and a loud part.

    With k samples before the change, ``aic(k) = k log(v1) + (n - k) log(v2)``, v1 and v2 the mean squares of both
    parts plus ``floor``. The best k has the smallest ``aic``; every k is as likely as ``exp(-aic / 2)``.

    Parameters
    ----------
    x : ndarray of float64 [shape=(n,)]
        White apart from its change of variance.
    guard : int
        Smallest length of either part, at least 1.
    floor : float
        Added to both mean squares; positive, so that silence has a logarithm.

    Returns
    -------
    best, low, high : int
        The first sample of the loud part, and the samples between which 90 % of the likelihood lies; -1 each when the
        signal is shorter than two guards.
    gain : float
        How much larger ``aic`` is without a change, 0 when there is none.

    References
    ----------
    Maeda 1985, A method for reading and checking phase times, Zisin 38, 365-379 (the criterion on the signal itself).
    """
    n = len(x)
    if n < 2 * guard:
        return -1, -1, -1, 0.0
    total = 0.0
    for i in range(n):
        total += x[i] * x[i]
    count = n - 2 * guard + 1
    aic = np.empty(count)
    before = 0.0
    for i in range(guard):
        before += x[i] * x[i]
    best = 0
    for j in range(count):
        k = guard + j
        if j > 0:
            before += x[k - 1] * x[k - 1]
        after = max(total - before, 0.0)
        aic[j] = k * np.log(before / k + floor) + (n - k) * np.log(after / (n - k) + floor)
        if aic[j] < aic[best]:
            best = j
    mass = 0.0
    for j in range(count):
        mass += np.exp(-0.5 * (aic[j] - aic[best]))
    low = best
    high = best
    seen = 0.0
    found = False
    for j in range(count):
        seen += np.exp(-0.5 * (aic[j] - aic[best]))
        if not found and seen >= 0.05 * mass:
            low = j
            found = True
        if seen >= 0.95 * mass:
            high = j
            break
    gain = n * np.log(total / n + floor) - aic[best]
    return guard + best, guard + low, guard + high, max(gain, 0.0)
