"""Lay beats through weighted onsets: the best path of beat times and periods of a hidden semi-Markov model."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def beat_path(place, weight, gain, n_frames, shortest, longest, tightness, reach):
    """Choose beats, and with them periods, so that the onsets lie where onsets of a beat use to lie.

    An onset at phase ``p`` of its beat is worth its weight times the gain of that phase; a period that differs from
    the one before costs ``tightness`` times its squared log ratio. Nothing is paid for a beat that holds no onset.

    Parameters
    ----------
    place : ndarray of float64 [shape=(n,)], frames, increasing, in [0, n_frames)
    weight : ndarray of float64 [shape=(n,)]
    gain : ndarray of float64 [shape=(bins,)]
        By phase: bin 0 is centred on the beat, bin ``bins / 2`` halfway to the next.
    n_frames : int
    shortest, longest : int, frames
        Periods that are allowed, ``longest`` included.
    tightness : float
    reach : int, frames
        The most that a period may differ from the one before.

    Returns
    -------
    beat : ndarray of int64 [shape=(k,)], frames, increasing
        The first lies before the first onset or on it, the last behind the last onset; the first may be negative.
    total : float

    References
    ----------
    The pointer that moves through a beat at a hidden tempo: Whiteley, Cemgil and Godsill 2006, Bayesian Modelling of
    Temporal Structure in Musical Audio, ISMIR. Tempo changes at beats only: Krebs, Boeck and Widmer 2015, An Efficient
    State-Space Model for Joint Tempo and Meter Tracking, ISMIR. Here whole beats are the steps and onsets, not frames,
    are what is observed.
    """
    n, bins, n_periods = len(place), len(gain), longest - shortest + 1
    # Row i is frame i - longest: the first beat may lie before the first frame, the last behind the last one.
    rows = n_frames + 2 * longest
    score = np.zeros((longest + 1, n_periods))
    back = np.full((rows, n_periods), -1, dtype=np.int16)
    change = np.zeros((n_periods, n_periods))
    for p in range(n_periods):
        for q in range(n_periods):
            off = np.log((p + shortest) / (q + shortest))
            change[p, q] = tightness * off * off
    final = -np.inf
    last_row = rows - 1
    last_period = 0
    low = 0
    high = 0
    for row in range(longest + 1, rows):
        t = row - longest
        while low < n and place[low] < t - longest:
            low += 1
        while high < n and place[high] < t:
            high += 1
        for p in range(n_periods):
            period = p + shortest
            before = score[(row - period) % (longest + 1)]
            best = -np.inf
            where = -1
            if t - period <= 0:
                # A path begins with a beat at or before the first frame.
                best = 0.0
            else:
                for q in range(max(0, p - reach), min(n_periods, p + reach + 1)):
                    candidate = before[q] - change[p, q]
                    if candidate > best:
                        best = candidate
                        where = q
            per_frame = bins / period
            for i in range(high - 1, low - 1, -1):
                since = place[i] - t + period
                if since < 0.0:
                    break
                phase = int(since * per_frame + 0.5)
                best += weight[i] * gain[phase if phase < bins else 0]
            score[row % (longest + 1), p] = best
            back[row, p] = where
            if t >= n_frames and best > final:
                final = best
                last_row = row
                last_period = p
    beat = np.empty(rows // shortest + 2, dtype=np.int64)
    count = 0
    row = last_row
    which = last_period
    while which >= 0:
        beat[count] = row - longest
        count += 1
        row, which = row - (which + shortest), back[row, which]
    beat[count] = row - longest
    return beat[: count + 1][::-1].copy(), final
