"""The peaks of the normalised autocorrelation of many frames."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def lag_peaks(correlation, window, low, high, octave_cost, count, sinc):
    """Find the lags at which each frame repeats itself best.

    The autocorrelation of a windowed frame, divided by that of the window, is that of the sound itself (Boersma 1993,
    Proc. Inst. Phonetic Sciences 17, section 3). Peaks are local maxima above 0.2 of the value at lag 0, after the
    first lag where it is negative. Their tops are found between the samples: a high tone has few samples a period,
    and its second or fifth period may happen to meet a sample where its first does not.

    Parameters
    ----------
    correlation : ndarray of float32 [shape=(m, at least high + 6)]
        Each frame's autocorrelation, from lag 0.
    window : ndarray of float64 [shape=(at least high + 6,)]
        The window's.
    low, high : int, samples
        Peaks lie between these lags; low >= 2.
    octave_cost : float
        What a peak's rank loses for each octave below ``1 / low``.
    count : int
        How many peaks a frame keeps.
    sinc : ndarray of float64 [shape=(phases + 1, 8)]
        Weights that give the value ``phase / phases`` between the fourth and the fifth of eight samples.

    Returns
    -------
    lag : ndarray of float64 [shape=(m, count)], samples
        Best first, NaN where there are fewer.
    value : ndarray of float64 [shape=(m, count)]
        The normalised autocorrelation there, 0 where there is no peak.
    """
    m = correlation.shape[0]
    phases = sinc.shape[0] - 1
    lag = np.full((m, count), np.nan)
    value = np.zeros((m, count))
    rank = np.zeros(count)
    n = np.zeros(high + 6)
    scale = window[0] / window[: high + 6]
    fine = np.zeros(phases + 1)
    for f in range(m):
        if correlation[f, 0] <= 0.0:
            continue
        rank[:] = -np.inf
        for k in range(high + 6):
            n[k] = correlation[f, k] * scale[k] / correlation[f, 0]
        start = 1
        while start <= high and n[start] > 0.0:
            start += 1
        for k in range(max(start, low), high + 1):
            if n[k] <= 0.2 or n[k] < n[k - 1] or n[k] <= n[k + 1]:
                continue
            left = k - 1 if n[k - 1] > n[k + 1] else k
            best = 0
            for p in range(phases + 1):
                fine[p] = 0.0
                for j in range(8):
                    fine[p] += sinc[p, j] * n[abs(left - 3 + j)]
                if fine[p] > fine[best]:
                    best = p
            best = min(max(best, 1), phases - 1)
            bend = fine[best - 1] - 2.0 * fine[best] + fine[best + 1]
            shift = 0.5 * (fine[best - 1] - fine[best + 1]) / bend if bend < 0.0 else 0.0
            shift = min(max(shift, -1.0), 1.0)
            top = min(fine[best] - 0.25 * (fine[best - 1] - fine[best + 1]) * shift, 1.0)
            at = left + (best + shift) / phases
            score = top - octave_cost * np.log2(at / low)
            if score <= rank[count - 1]:
                continue
            i = count - 1
            while i > 0 and score > rank[i - 1]:
                rank[i] = rank[i - 1]
                lag[f, i] = lag[f, i - 1]
                value[f, i] = value[f, i - 1]
                i -= 1
            rank[i] = score
            lag[f, i] = at
            value[f, i] = top
    return lag, value
