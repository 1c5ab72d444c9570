"""Local linear regression with a Gaussian window."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def local_linear(x, y, at, bandwidth, least):
    """Fit a weighted straight line around each position and evaluate it there.

    Parameters
    ----------
    x : ndarray of float64 [shape=(n,)], increasing, ties allowed
    y : ndarray of float64 [shape=(n,)]
    at : ndarray of float64 [shape=(m,)], increasing
    bandwidth : float
        Standard deviation of the window, in the unit of ``x``; widened where it holds too little.
    least : int
        The window's half width (2 standard deviations) reaches at least this many points, all of them if fewer.

    Returns
    -------
    value, slope : ndarray of float64 [shape=(m,)]
        The slope is NaN where all points in the window share one ``x``.
    """
    n, m = len(x), len(at)
    value = np.full(m, np.nan)
    slope = np.full(m, np.nan)
    need = min(least, n)
    for j in range(m):
        lo = np.searchsorted(x, at[j])
        hi = lo
        # Grow towards the nearer neighbour until `need` points are in: their farthest distance sets the least width.
        reach = 0.0
        while hi - lo < need:
            left = at[j] - x[lo - 1] if lo > 0 else np.inf
            right = x[hi] - at[j] if hi < n else np.inf
            if left <= right:
                lo -= 1
                reach = max(reach, left)
            else:
                hi += 1
                reach = max(reach, right)
        width = max(bandwidth, reach / 2.0)
        while lo > 0 and at[j] - x[lo - 1] <= 4.0 * width:
            lo -= 1
        while hi < n and x[hi] - at[j] <= 4.0 * width:
            hi += 1
        total = 0.0
        mean_x = 0.0
        mean_y = 0.0
        for i in range(lo, hi):
            z = (x[i] - at[j]) / width
            w = np.exp(-0.5 * z * z)
            total += w
            mean_x += w * x[i]
            mean_y += w * y[i]
        if total == 0.0:
            continue
        mean_x /= total
        mean_y /= total
        sxx = 0.0
        sxy = 0.0
        for i in range(lo, hi):
            z = (x[i] - at[j]) / width
            w = np.exp(-0.5 * z * z)
            sxx += w * (x[i] - mean_x) ** 2
            sxy += w * (x[i] - mean_x) * (y[i] - mean_y)
        if sxx > 1e-12 * total * width * width:
            slope[j] = sxy / sxx
            value[j] = mean_y + slope[j] * (at[j] - mean_x)
        else:
            value[j] = mean_y
    return value, slope
