"""The peaks of the normalised autocorrelation of many frames."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def lag_peaks(frames, correlation, low, high, octave_cost, count, sinc):
    """Find the lags at which each frame repeats itself best.

    The autocorrelation r of a frame of w samples is divided by the energy of the two parts it compares,
    n(lag) = 2 r(lag) / sum(x[j]^2 + x[j + lag]^2), which is at most 1 whatever the frame's envelope (McLeod and Wyvill
    2005, A smarter way to find pitch, Proc. ICMC, section 4). Peaks are local maxima above 0.2, after the first lag
    where n is negative. Their tops are found between the samples: a high tone has few samples a period, and its second
    or fifth period may happen to meet a sample where its first does not.

    Parameters
    ----------
    frames : ndarray of float32 [shape=(m, w)]
    correlation : ndarray of float32 [shape=(m, at least high + 6)]
        The frames' autocorrelation without normalisation, from lag 0.
    low, high : int, samples
        Peaks lie between these lags; low >= 2, high < w - 6.
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
    m, w = frames.shape
    phases = sinc.shape[0] - 1
    lag = np.full((m, count), np.nan)
    value = np.zeros((m, count))
    rank = np.zeros(count)
    n = np.zeros(high + 6)
    fine = np.zeros(phases + 1)
    for f in range(m):
        energy = 0.0
        for j in range(w):
            energy += np.float64(frames[f, j]) ** 2
        if energy <= 0.0:
            continue
        rank[:] = -np.inf
        total = 2.0 * energy
        n[0] = 1.0
        for k in range(1, high + 6):
            total -= np.float64(frames[f, k - 1]) ** 2 + np.float64(frames[f, w - k]) ** 2
            # A part that holds next to nothing of the frame compares noise with noise.
            n[k] = 2.0 * correlation[f, k] / total if total > 1e-3 * energy else 0.0
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
