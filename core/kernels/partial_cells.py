"""A signal around some places, shifted down by some frequencies and kept in short cells."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def partial_cells(x, begins, turns, cell, cells):
    """Demodulate stretches of a signal and average them in overlapping triangles.

    Cell ``m`` of a stretch is the sum of the samples about ``begin + m * cell``, weighed by a triangle that falls to 0
    one cell before and after, times ``exp(-2j * pi * turn * (sample - begin))``, divided by ``cell``: a steady tone of
    that frequency is the same number in every cell.

    Parameters
    ----------
    x : ndarray of float64 [shape=(frames,)]
        What lies outside is zero.
    begins : ndarray of int64 [shape=(n,)]
        Places of the first cells; may be negative.
    turns : ndarray of float64 [shape=(n, k)]
        Frequencies as turns a sample; 0 gives zeros.
    cell, cells : int

    Returns
    -------
    ndarray of float32 [shape=(n, k, cells, 2)]
        Real and imaginary parts.
    """
    n, k = turns.shape
    out = np.zeros((n, k, cells, 2), dtype=np.float32)
    re, im = np.empty(k), np.empty(k)
    step_re, step_im = np.empty(k), np.empty(k)
    old_re, old_im, new_re, new_im = np.empty(k), np.empty(k), np.empty(k), np.empty(k)
    over_re, over_im = np.empty(k), np.empty(k)
    for i in range(n):
        for p in range(k):
            angle = 2.0 * np.pi * turns[i, p]
            step_re[p], step_im[p] = np.cos(angle), -np.sin(angle)
            over_re[p] = over_im[p] = 0.0
        for block in range(-1, cells):
            # A block lies between two centres: its samples count for both.
            for p in range(k):
                angle = 2.0 * np.pi * ((turns[i, p] * (block * cell)) % 1.0)
                re[p], im[p] = np.cos(angle), -np.sin(angle)
                old_re[p], old_im[p] = over_re[p], over_im[p]
                new_re[p] = new_im[p] = 0.0
            for j in range(cell):
                at = begins[i] + block * cell + j
                sample = x[at] if 0 <= at < len(x) else 0.0
                later = sample * (j / cell)
                sooner = sample - later
                for p in range(k):
                    old_re[p] += sooner * re[p]
                    old_im[p] += sooner * im[p]
                    new_re[p] += later * re[p]
                    new_im[p] += later * im[p]
                    turned = re[p] * step_re[p] - im[p] * step_im[p]
                    im[p] = re[p] * step_im[p] + im[p] * step_re[p]
                    re[p] = turned
            for p in range(k):
                if block >= 0 and turns[i, p] != 0.0:
                    out[i, p, block, 0] = old_re[p] / cell
                    out[i, p, block, 1] = old_im[p] / cell
                over_re[p], over_im[p] = new_re[p], new_im[p]
    return out
