"""Power of a sound behind two filters, frame by frame."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def filtered_power(samples, sections, state, sums, filled, hop):
    """Filter a stretch of sound and add up the energy of each frame; what is unfinished is carried on.

    Parameters
    ----------
    samples : ndarray of float64 [shape=(n,)]
    sections : ndarray of float64 [shape=(3, 5)]
        Second-order sections ``b0, b1, b2, a1, a2``: the first two in series are one filter, the third is the other.
    state : ndarray of float64 [shape=(3, 2)]
        Transposed direct form II, changed in place.
    sums : ndarray of float64 [shape=(2,)]
        Energy of the frame that is under way, behind either filter, changed in place.
    filled : int
        Samples that frame holds already.
    hop : int
        Samples of a frame.

    Returns
    -------
    energy : ndarray of float64 [shape=(frames, 2)]
        Of every frame that was completed.
    """
    count = (filled + len(samples)) // hop
    energy = np.empty((count, 2))
    b00, b01, b02, a01, a02 = sections[0]
    b10, b11, b12, a11, a12 = sections[1]
    b20, b21, b22, a21, a22 = sections[2]
    s00, s01 = state[0]
    s10, s11 = state[1]
    s20, s21 = state[2]
    first, second = sums
    row = 0
    for x in samples:
        u = b00 * x + s00
        s00 = b01 * x - a01 * u + s01
        s01 = b02 * x - a02 * u
        v = b10 * u + s10
        s10 = b11 * u - a11 * v + s11
        s11 = b12 * u - a12 * v
        w = b20 * x + s20
        s20 = b21 * x - a21 * w + s21
        s21 = b22 * x - a22 * w
        first += v * v
        second += w * w
        filled += 1
        if filled == hop:
            energy[row, 0] = first
            energy[row, 1] = second
            row += 1
            first = 0.0
            second = 0.0
            filled = 0
            # In digital silence the states would sink into subnormal numbers, which are slow.
            if abs(s00) + abs(s01) + abs(s10) + abs(s11) + abs(s20) + abs(s21) < 1e-100:
                s00 = s01 = s10 = s11 = s20 = s21 = 0.0
    state[0, 0], state[0, 1] = s00, s01
    state[1, 0], state[1, 1] = s10, s11
    state[2, 0], state[2, 1] = s20, s21
    sums[0] = first
    sums[1] = second
    return energy
