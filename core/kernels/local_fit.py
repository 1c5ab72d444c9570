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
def local_quadratic(x, y, weight, variance, at, bandwidth, least):
    """Fit a weighted parabola around each position, evaluate it there, and tell how sure the steps between are.

    Outside the data, and where fewer than four distinct positions lie within two standard deviations, a straight line
    is fitted instead; where all points share one position, their mean.

    Parameters
    ----------
    x : ndarray of float64 [shape=(n,)], increasing, ties allowed
    y : ndarray of float64 [shape=(n,)]
    weight : ndarray of float64 [shape=(n,)], above 0
        Multiplies the window.
    variance : ndarray of float64 [shape=(n,)]
        Of each ``y``, its square's unit; the points' errors are taken as independent.
    at : ndarray of float64 [shape=(m,)], increasing
    bandwidth : float
        Standard deviation of the window, in the unit of ``x``; widened where it holds too little.
    least : int
        The window's half width (2 standard deviations) reaches at least this many points, all of them if fewer.

    Returns
    -------
    value : ndarray of float64 [shape=(m,)]
    own : ndarray of float64 [shape=(m,)]
        What a point of weight 1 exactly there would count for in its own fit, the other points as they are.
    value_variance : ndarray of float64 [shape=(m,)]
        Variance of each value.
    step_variance : ndarray of float64 [shape=(m,)]
        Variance of ``value[j + 1] - value[j]``; the last one is NaN.
    """
    n, m = len(x), len(at)
    value = np.full(m, np.nan)
    own = np.full(m, np.nan)
    value_variance = np.full(m, np.nan)
    step_variance = np.full(m, np.nan)
    need = min(least, n)
    share = np.zeros(n)  # what each point counts for in the fit here
    before = np.zeros(n)  # and in the fit before
    from_row, to_row = 0, 0
    for j in range(m):
        lo, hi, width = _window(x, at[j], bandwidth, need)
        # Moments about the position, in widths.
        s0 = s1 = s2 = s3 = s4 = 0.0
        distinct = 0
        last = -np.inf
        for i in range(lo, hi):
            z = (x[i] - at[j]) / width
            w = weight[i] * np.exp(-0.5 * z * z)
            if abs(z) <= 2.0 + 1e-9 and x[i] > last:
                distinct += 1
                last = x[i]
            s0 += w
            s1 += w * z
            s2 += w * z * z
            s3 += w * z * z * z
            s4 += w * z * z * z * z
        if s0 == 0.0:
            continue
        # The fit's value is a weighted sum of y, its weights w * (c0 + c1 * z + c2 * z * z) by Cramer's rule.
        c0, c1, c2 = 1.0 / s0, 0.0, 0.0
        determinant = s0 * s2 - s1 * s1
        if determinant > 1e-10 * s0 * s0:
            c0, c1 = s2 / determinant, -s1 / determinant
        inside = n > 0 and x[0] <= at[j] <= x[n - 1]
        if inside and distinct >= 4:
            determinant = s0 * (s2 * s4 - s3 * s3) - s1 * (s1 * s4 - s2 * s3) + s2 * (s1 * s3 - s2 * s2)
            if determinant > 1e-10 * s0 * s0 * s0:
                c0 = (s2 * s4 - s3 * s3) / determinant
                c1 = (s2 * s3 - s1 * s4) / determinant
                c2 = (s1 * s3 - s2 * s2) / determinant
        total = 0.0
        spread = 0.0
        for i in range(lo, hi):
            z = (x[i] - at[j]) / width
            share[i] = weight[i] * np.exp(-0.5 * z * z) * (c0 + c1 * z + c2 * z * z)
            total += share[i] * y[i]
            spread += share[i] ** 2 * variance[i]
        value[j] = total
        value_variance[j] = spread
        own[j] = c0
        if j > 0 and np.isfinite(value[j - 1]):
            spread = 0.0
            for i in range(min(lo, from_row), max(hi, to_row)):
                spread += (share[i] - before[i]) ** 2 * variance[i]
            step_variance[j - 1] = spread
        for i in range(from_row, to_row):
            before[i] = 0.0
        for i in range(lo, hi):
            before[i] = share[i]
            share[i] = 0.0
        from_row, to_row = lo, hi
    return value, own, value_variance, step_variance
