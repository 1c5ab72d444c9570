"""Dynamic time warping between two sequences of chords, by the pitches they share."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def chord_path(low_a, high_a, low_b, high_b, band):
    """Align chords in order at the least total cost.

    The cost of a pair is 1 minus the share of common pitches in the larger chord; leaving a chord without partner
    costs 0.6. Ties prefer pairs.

    Parameters
    ----------
    low_a, high_a : ndarray of uint64 [shape=(n,)]
        Pitches 0 to 63 and 64 to 127 of each chord as bits.
    low_b, high_b : ndarray of uint64 [shape=(m,)]
    band : int
        Greatest distance, in chords of b, from the straight line between the corners.

    Returns
    -------
    pair : ndarray of int64 [shape=(n,)]
        Chord of b that each chord of a is paired with, -1 for none.
    total : float
    """
    n, m = len(low_a), len(low_b)
    width = 2 * band + 2
    skip = 0.6
    score = np.full(width, np.inf)
    fresh = np.full(width, np.inf)
    back = np.zeros((n + 1, width), dtype=np.int8)
    # Column c of row i stands for j = c + first(i) chords of b used up.
    first_before = 0 - band
    for c in range(width):
        j = c + first_before
        if 0 <= j <= m:
            score[c] = skip * j
            back[0, c] = 2
    for i in range(1, n + 1):
        first = (i * m) // n - band
        for c in range(width):
            fresh[c] = np.inf
            j = c + first
            if j < 0 or j > m:
                continue
            up = j - first_before
            best = np.inf
            step = 0
            if j > 0 and 0 <= up - 1 < width and score[up - 1] < np.inf:
                common = 0
                size_a = 0
                size_b = 0
                for word in range(2):
                    a = low_a[i - 1] if word == 0 else high_a[i - 1]
                    b = low_b[j - 1] if word == 0 else high_b[j - 1]
                    both = a & b
                    while both:
                        both &= both - np.uint64(1)
                        common += 1
                    while a:
                        a &= a - np.uint64(1)
                        size_a += 1
                    while b:
                        b &= b - np.uint64(1)
                        size_b += 1
                best = score[up - 1] + 1.0 - common / max(size_a, size_b)
            if 0 <= up < width and score[up] + skip < best:
                best = score[up] + skip
                step = 1
            if c > 0 and fresh[c - 1] + skip < best:
                best = fresh[c - 1] + skip
                step = 2
            fresh[c] = best
            back[i, c] = step
        for c in range(width):
            score[c] = fresh[c]
        first_before = first
    pair = np.full(n, -1, dtype=np.int64)
    i, j = n, m
    total = score[m - first_before]
    while i > 0:
        first = (i * m) // n - band
        step = back[i, j - first]
        if step == 0:
            pair[i - 1] = j - 1
            i -= 1
            j -= 1
        elif step == 1:
            i -= 1
        else:
            j -= 1
    return pair, total
