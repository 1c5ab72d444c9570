"""Local regression with a Gaussian window: straight lines, and parabolas, which follow a bend that a line cuts."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def _window(x, at, bandwidth, need):
    """Return the rows [lo, hi) within four widths of a position, and the width that reaches ``need`` points."""
    n = len(x)
    lo = np.searchsorted(x, at)
    hi = lo
    # Grow towards the nearer neighbour until `need` points are in: their farthest distance sets the least width.
    reach = 0.0
    while hi - lo < need:
        left = at - x[lo - 1] if lo > 0 else np.inf
        right = x[hi] - at if hi < n else np.inf
        if left <= right:
            lo -= 1
            reach = max(reach, left)
        else:
            hi += 1
            reach = max(reach, right)
    width = max(bandwidth, reach / 2.0)
    while lo > 0 and at - x[lo - 1] <= 4.0 * width:
        lo -= 1
    while hi < n and x[hi] - at <= 4.0 * width:
        hi += 1
    return lo, hi, width


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
        lo, hi, width = _window(x, at[j], bandwidth, need)
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


@njit(cache=True)
def local_quadratic(x, y, at, bandwidth, least):
    """Fit a weighted parabola around each position and evaluate it there.

    Outside the data, and where fewer than four distinct positions lie within two standard deviations, a straight line
    is fitted instead; where all points share one position, their mean.

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
    value : ndarray of float64 [shape=(m,)]
    """
    n, m = len(x), len(at)
    value = np.full(m, np.nan)
    need = min(least, n)
    for j in range(m):
        lo, hi, width = _window(x, at[j], bandwidth, need)
        # Moments about the position, in widths.
        s0 = s1 = s2 = s3 = s4 = t0 = t1 = t2 = 0.0
        distinct = 0
        last = -np.inf
        for i in range(lo, hi):
            z = (x[i] - at[j]) / width
            w = np.exp(-0.5 * z * z)
            if abs(z) <= 2.0 + 1e-9 and x[i] > last:
                distinct += 1
                last = x[i]
            s0 += w
            s1 += w * z
            s2 += w * z * z
            s3 += w * z * z * z
            s4 += w * z * z * z * z
            t0 += w * y[i]
            t1 += w * z * y[i]
            t2 += w * z * z * y[i]
        if s0 == 0.0:
            continue
        inside = n > 0 and x[0] <= at[j] <= x[n - 1]
        if inside and distinct >= 4:
            # Cramer's rule for the intercept of the three normal equations.
            determinant = s0 * (s2 * s4 - s3 * s3) - s1 * (s1 * s4 - s2 * s3) + s2 * (s1 * s3 - s2 * s2)
            if determinant > 1e-10 * s0 * s0 * s0:
                top = t0 * (s2 * s4 - s3 * s3) - s1 * (t1 * s4 - t2 * s3) + s2 * (t1 * s3 - t2 * s2)
                value[j] = top / determinant
                continue
        determinant = s0 * s2 - s1 * s1
        if determinant > 1e-10 * s0 * s0:
            value[j] = (t0 * s2 - s1 * t1) / determinant
        else:
            value[j] = t0 / s0
    return value
