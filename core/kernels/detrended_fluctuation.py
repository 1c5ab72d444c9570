"""Mean squared fluctuation of a profile around straight lines, window length by window length."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def detrended_fluctuation(profile, windows):
    """Cut the profile into windows from both ends, take a straight line off each, average the squares.

    Parameters
    ----------
    profile : ndarray of float64 [shape=(n,)]
        The running sum of the series less its mean.
    windows : ndarray of int64 [shape=(w,)]
        Window lengths, 3 to n.

    Returns
    -------
    squared : ndarray of float64 [shape=(w,)]
        Mean squared residual; NaN for a window length outside 3 to n.

    References
    ----------
    Peng et al. 1994, Physical Review E 49, 1685; both ends: Kantelhardt et al. 2001, Physica A 295, 441, section 2.
    """
    n = len(profile)
    squared = np.full(len(windows), np.nan)
    for j in range(len(windows)):
        s = windows[j]
        if s < 3 or s > n:
            continue
        count = n // s
        middle = 0.5 * (s - 1)
        # sum of (i - middle)^2 over a window
        sxx = s * (s * s - 1.0) / 12.0
        total = 0.0
        for side in range(2):
            shift = 0 if side == 0 else n - count * s
            for k in range(count):
                start = shift + k * s
                mean = 0.0
                for i in range(s):
                    mean += profile[start + i]
                mean /= s
                sxy = 0.0
                for i in range(s):
                    sxy += (i - middle) * (profile[start + i] - mean)
                slope = sxy / sxx
                for i in range(s):
                    rest = profile[start + i] - mean - slope * (i - middle)
                    total += rest * rest
        squared[j] = total / (2.0 * count * s)
    return squared
