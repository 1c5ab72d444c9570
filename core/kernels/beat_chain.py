"""Lay beats on an onset-strength signal: dynamic programming with a log-squared penalty on the period."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def beat_chain(strength, period, tightness):
    """Choose frames for beats so that strength is high and intervals stay near the local period.

    Parameters
    ----------
    strength : ndarray of float64 [shape=(n,)], not negative
    period : ndarray of float64 [shape=(n,)], frames
        Expected distance to the beat before, at each frame.
    tightness : float
        Weight of the squared log ratio of an interval to the period.

    Returns
    -------
    beats : ndarray of int64, increasing frames
    total : float
        Gain of the best chain.

    References
    ----------
    Ellis 2007, Beat tracking by dynamic programming, J. New Music Research 36(1), section 3.
    """
    n = len(strength)
    gain = np.zeros(n)
    back = np.full(n, -1, dtype=np.int64)
    for i in range(n):
        near = int(period[i] / 2.0)
        far = int(period[i] * 2.0)
        best = 0.0
        where = -1
        for j in range(max(0, i - far), i - max(near, 1) + 1):
            off = np.log((i - j) / period[i])
            candidate = gain[j] - tightness * off * off
            if candidate > best:
                best = candidate
                where = j
        gain[i] = strength[i] + best
        back[i] = where
    count = 0
    i = int(np.argmax(gain)) if n else -1
    total = gain[i] if n else 0.0
    beats = np.zeros(n, dtype=np.int64)
    while i >= 0:
        beats[count] = i
        count += 1
        i = back[i]
    return beats[:count][::-1].copy(), total
