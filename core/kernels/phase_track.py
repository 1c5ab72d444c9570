"""Track the slow offset of notes against a clock: a hidden Markov model over phase within the beat."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def phase_track(beat, log_likelihood, first, prior, stickiness, max_step):
    """Find the most likely path of phase bins by Viterbi's algorithm.

    Parameters
    ----------
    beat : ndarray of float64 [shape=(n,)], increasing
        Where each note lies on the clock.
    log_likelihood : ndarray of float64 [shape=(bins,)]
        Log likelihood of a note by its phase distance (note minus offset) modulo one beat.
    first : ndarray of float64 [shape=(bins,)]
        Log prior of the first note's offset.
    prior : ndarray of float64 [shape=(bins,)]
        Log prior of each offset, counted at every note; -inf forbids an offset.
    stickiness : float
        Cost of moving by one bin in one beat, per bin squared and divided by the beats between two notes.
    max_step : int
        Largest move in bins between two notes.

    Returns
    -------
    path : ndarray of int64 [shape=(n,)]
        Offset in bins, unwrapped: it goes on past one beat.

    References
    ----------
    Rabiner 1989, A tutorial on hidden Markov models, section III.B (Viterbi).
    """
    n, bins = len(beat), len(log_likelihood)
    score = np.empty(bins)
    fresh = np.empty(bins)
    back = np.zeros((n, bins), dtype=np.int8)
    for b in range(bins):
        k = int(np.floor(beat[0] * bins + 0.5)) - b
        score[b] = first[b] + prior[b] + log_likelihood[k % bins]
    for i in range(1, n):
        gap = max(beat[i] - beat[i - 1], 0.02)
        for b in range(bins):
            best = -np.inf
            best_step = 0
            for step in range(-max_step, max_step + 1):
                candidate = score[(b - step) % bins] - stickiness * step * step / gap
                if candidate > best:
                    best = candidate
                    best_step = step
            k = int(np.floor(beat[i] * bins + 0.5)) - b
            fresh[b] = best + prior[b] + log_likelihood[k % bins]
            back[i, b] = best_step
        for b in range(bins):
            score[b] = fresh[b]
    path = np.empty(n, dtype=np.int64)
    here = int(np.argmax(score))
    path[n - 1] = here
    at = here
    for i in range(n - 1, 0, -1):
        step = back[i, at % bins]
        at -= step
        path[i - 1] = at
    return path
