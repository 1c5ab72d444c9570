"""Smooth beat times through onsets on and between the beats: a Kalman filter and smoother over beat and period."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def beat_smoother(beat, inside, time_s, variance, n_beats, start_s, period_s, start_sd, period_sd, drift):
    """Estimate when each beat falls, with its variance, from onsets that lie at known places of known beats.

    The period wanders from beat to beat by a normal step of variance ``drift``; an onset at fraction ``f`` of beat
    ``k`` falls at ``time[k] + f * period[k]`` plus normal noise.

    Parameters
    ----------
    beat : ndarray of int64 [shape=(n,)], increasing, in [0, n_beats)
    inside : ndarray of float64 [shape=(n,)], fraction of the beat
    time_s : ndarray of float64 [shape=(n,)]
    variance : ndarray of float64 [shape=(n,)]
        Of each onset's noise.
    n_beats : int
    start_s, period_s, start_sd, period_sd : float
        Mean and standard deviation of the first beat's time and period before anything is heard.
    drift : float
        Variance of the step of the period.

    Returns
    -------
    mean, period : ndarray of float64 [shape=(n_beats,)]
    spread : ndarray of float64 [shape=(n_beats,)]
        Variance of ``mean``.
    likelihood : float
        Log density of the onsets.
    misfit : float
        Sum of squared misses, each over the variance that it was expected with.

    References
    ----------
    Rauch, Tung and Striebel 1965, Maximum likelihood estimates of linear dynamic systems, AIAA Journal 3(8). The state
    of beat and period: Cemgil, Kappen, Desain and Honing 2000, On tempo tracking, J. New Music Research 29(4).
    """
    n = len(beat)
    # State (time, period) with variances (a, b) and covariance c: filtered, and as predicted from the beat before.
    state = np.empty((n_beats, 2))
    cover = np.empty((n_beats, 3))
    ahead = np.empty((n_beats, 2))
    ahead_cover = np.empty((n_beats, 3))
    x, v = start_s, period_s
    a, c, b = start_sd * start_sd, 0.0, period_sd * period_sd
    likelihood = 0.0
    misfit = 0.0
    i = 0
    for k in range(n_beats):
        ahead[k, 0], ahead[k, 1] = x, v
        ahead_cover[k, 0], ahead_cover[k, 1], ahead_cover[k, 2] = a, c, b
        while i < n and beat[i] == k:
            f = inside[i]
            ha, hc = a + f * c, c + f * b
            total = ha + f * hc + variance[i]
            miss = time_s[i] - x - f * v
            misfit += miss * miss / total
            likelihood -= 0.5 * (miss * miss / total + np.log(2.0 * np.pi * total))
            x += ha / total * miss
            v += hc / total * miss
            a, c, b = a - ha * ha / total, c - ha * hc / total, b - hc * hc / total
            i += 1
        state[k, 0], state[k, 1] = x, v
        cover[k, 0], cover[k, 1], cover[k, 2] = a, c, b
        x += v
        a, c, b = a + 2.0 * c + b, c + b, b + drift
    mean, period, spread = np.empty(n_beats), np.empty(n_beats), np.empty(n_beats)
    x, v = state[n_beats - 1, 0], state[n_beats - 1, 1]
    a, c, b = cover[n_beats - 1, 0], cover[n_beats - 1, 1], cover[n_beats - 1, 2]
    mean[n_beats - 1], period[n_beats - 1], spread[n_beats - 1] = x, v, a
    for k in range(n_beats - 2, -1, -1):
        fa, fc, fb = cover[k, 0], cover[k, 1], cover[k, 2]
        pa, pc, pb = ahead_cover[k + 1, 0], ahead_cover[k + 1, 1], ahead_cover[k + 1, 2]
        determinant = pa * pb - pc * pc
        # Gain: covariance of this state with the next one, over the next one's own.
        g00 = ((fa + fc) * pb - fc * pc) / determinant
        g01 = (fc * pa - (fa + fc) * pc) / determinant
        g10 = ((fc + fb) * pb - fb * pc) / determinant
        g11 = (fb * pa - (fc + fb) * pc) / determinant
        dx, dv = x - ahead[k + 1, 0], v - ahead[k + 1, 1]
        x, v = state[k, 0] + g00 * dx + g01 * dv, state[k, 1] + g10 * dx + g11 * dv
        da, dc, db = a - pa, c - pc, b - pb
        a = fa + g00 * g00 * da + 2.0 * g00 * g01 * dc + g01 * g01 * db
        c = fc + g00 * g10 * da + (g00 * g11 + g01 * g10) * dc + g01 * g11 * db
        b = fb + g10 * g10 * da + 2.0 * g10 * g11 * dc + g11 * g11 * db
        mean[k], period[k], spread[k] = x, v, a
    return mean, period, spread, likelihood, misfit
