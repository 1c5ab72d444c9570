"""A period to a small part of a sample, from the sound just around one moment."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def period_refinement(x, centre, lag, window, reach, sinc):
    """Find the lag at which the sound around a moment is most like itself.

    Two stretches of the sound under a Hann window, one as far before the moment as the other lies after it, are
    correlated and normalised by their energies, so that neither a growing nor a fading tone shifts the peak. The
    stretches lie several periods apart, which divides the error of the period. The correlation is as band-limited in
    its lag as the sound itself: between samples it is interpolated by a windowed sinc.

    Parameters
    ----------
    x : ndarray of float64 [shape=(n,)]
    centre : ndarray of int64 [shape=(m,)], samples
    lag : ndarray of float64 [shape=(m,)], samples
        The period as it is roughly known; NaN is passed over.
    window : float, samples
        Length of the Hann window; at least two periods are taken.
    reach : float, samples
        The stretches lie as many whole periods apart as come nearest to this, at least one.
    sinc : ndarray of float64 [shape=(phases + 1, 8)]
        Weights that give the value ``phase / phases`` between the fourth and the fifth of eight samples.

    Returns
    -------
    period : ndarray of float64 [shape=(m,)], samples
        NaN where no peak lies near the rough period.
    likeness : ndarray of float64 [shape=(m,)]
        The normalised correlation at the peak, -1 to 1; 0 where there is none.
    late : ndarray of float64 [shape=(m,)], samples
        How far after ``centre`` the moment lies that the period was read at: the middle of the window's share of the
        squared slope, for it is slopes that place a peak, and a voice's come in pulses.
    """
    n, m = len(x), len(centre)
    phases = sinc.shape[0] - 1
    period = np.full(m, np.nan)
    likeness = np.zeros(m)
    late = np.zeros(m)
    lags = 12
    product = np.zeros(lags)
    energy = np.zeros(lags)
    curve = np.zeros(lags)
    fine = np.zeros(phases + 1)
    span = 0
    hann = np.zeros(n)
    for i in range(m):
        now = lag[i]
        if not now > 0.0:
            continue
        times = max(1, int(np.round(reach / now)))
        # A rough period multiplied too often would miss the peak: go there in steps of four.
        k = times
        while k > 3:
            k = k // 4
        k = max(k, 1, int(np.ceil((lags // 2 + 1) / now)))
        times = max(times, k)
        found = False
        best = 0.0
        a = 0
        while True:
            wanted = int(max(window, 2.0 * now))
            if wanted != span:
                span = wanted
                if span > len(hann):
                    break
                # Chebyshev's recurrence: a cosine for each sample would cost more than the correlation.
                turn = 2.0 * np.cos(2.0 * np.pi / span)
                last = np.cos(np.pi / span)
                this = last
                for u in range(span):
                    hann[u] = 0.5 - 0.5 * this
                    last, this = this, turn * this - last
            base = int(np.round(k * now)) - lags // 2
            found = False
            for _attempt in range(3):
                base = max(base, 0)
                a = centre[i] - (base + lags // 2 + span) // 2
                if a < 0 or a + base + span + lags > n:
                    break
                product[:] = 0.0
                energy[:] = 0.0
                own = 0.0
                for u in range(span):
                    v = hann[u] * x[a + u]
                    own += v * x[a + u]
                    for j in range(lags):
                        y = x[a + base + u + j]
                        product[j] += v * y
                        energy[j] += hann[u] * y * y
                for j in range(lags):
                    scale = own * energy[j]
                    curve[j] = product[j] / np.sqrt(scale) if scale > 0.0 else 0.0
                # Nearer than half a period there is one peak only.
                near = min(lags // 2 - 1, max(1, int(0.5 * now)))
                top = lags // 2
                for j in range(lags // 2 - near, lags // 2 + near + 1):
                    if curve[j] > curve[top]:
                        top = j
                if 4 <= top <= 7:
                    found = True
                    break
                if base == 0 and top < 4:
                    break
                base += top - lags // 2
            if not found:
                break
            left = top - 1 if curve[top - 1] > curve[top + 1] else top
            for p in range(phases + 1):
                total = 0.0
                for j in range(8):
                    total += sinc[p, j] * curve[left - 3 + j]
                fine[p] = total
            p = 0
            for q in range(phases + 1):
                if fine[q] > fine[p]:
                    p = q
            p = min(max(p, 1), phases - 1)
            bend = fine[p - 1] - 2.0 * fine[p] + fine[p + 1]
            shift = 0.5 * (fine[p - 1] - fine[p + 1]) / bend if bend < 0.0 else 0.0
            shift = min(max(shift, -1.0), 1.0)
            best = fine[p] - 0.25 * (fine[p - 1] - fine[p + 1]) * shift
            now = (base + left + (p + shift) / phases) / k
            if k >= times:
                break
            k = min(4 * k, times)
        # What moved by more than a semitone was another peak's; silence has none.
        if found and best > 0.0 and abs(np.log2(now / lag[i])) < 1.0 / 12.0:
            period[i] = now
            total = 0.0
            moment = 0.0
            for u in range(1, span - 1):
                slope = x[a + u + 1] - x[a + u - 1]
                part = hann[u] * slope * slope
                total += part
                moment += part * u
            if total > 0.0:
                late[i] = a + moment / total + 0.5 * k * now - centre[i]
            likeness[i] = min(best, 1.0)
    return period, likeness, late
