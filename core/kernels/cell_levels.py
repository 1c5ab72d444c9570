"""Levels of some stretches of a signal in short cells: of the signal, of what prediction leaves, and of its bands."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def cell_levels(x, begins, offsets, cell, cells, lead, predictors, sections):
    """Measure the level in every cell of some stretches of a signal.

    A stretch is ``cells * cell`` samples. Its streams are the signal; the signal behind its predictor; and the signal
    behind every filter. Samples before the signal are its first one; cells that reach over its end have the levels of the
    last one that does not.

    Parameters
    ----------
    x : ndarray of float64 [shape=(frames,)]
    begins : ndarray of int64 [shape=(n,)]
        First samples of the stretches; may be negative.
    offsets : ndarray of float64 [shape=(n,)]
        Taken away from every sample of a stretch: a constant is no sound.
    cell, cells : int
    lead : int
        Samples before a stretch in which the filters settle, at least as many as a predictor's order.
    predictors : ndarray of float64 [shape=(n, order + 1)]
    sections : ndarray of float64 [shape=(filters, 2, 5)]
        Two second-order sections a filter: ``b0, b1, b2, a1, a2``.

    Returns
    -------
    ndarray of float32 [shape=(n, 2 + filters, cells)], dB
        Mean square of every cell, with 100 dB below the loudest cell of the stretch's signal added to it.
    """
    n = len(begins)
    filters = sections.shape[0]
    size = cells * cell
    out = np.empty((n, 2 + filters, cells), dtype=np.float32)
    s = np.empty(lead + size)
    y = np.empty(size)
    z = np.empty((lead + size, filters))
    state = np.empty((4, filters))
    b = np.ascontiguousarray(sections.transpose(1, 2, 0))
    power = np.empty((2 + filters, cells))
    for i in range(n):
        for j in range(lead + size):
            s[j] = x[min(max(begins[i] - lead + j, 0), len(x) - 1)] - offsets[i]
        y[:] = 0.0
        for k in range(predictors.shape[1]):
            weight = predictors[i, k]
            for j in range(size):
                y[j] += weight * s[lead + j - k]
        state[:] = 0.0
        for j in range(lead + size):
            for f in range(filters):
                w = b[0, 0, f] * s[j] + state[0, f]
                state[0, f] = b[0, 1, f] * s[j] - b[0, 3, f] * w + state[1, f]
                state[1, f] = b[0, 2, f] * s[j] - b[0, 4, f] * w
                v = b[1, 0, f] * w + state[2, f]
                state[2, f] = b[1, 1, f] * w - b[1, 3, f] * v + state[3, f]
                state[3, f] = b[1, 2, f] * w - b[1, 4, f] * v
                z[j, f] = v
        top = 0.0
        power[:] = 0.0
        for c in range(cells):
            for j in range(c * cell, (c + 1) * cell):
                power[0, c] += s[lead + j] * s[lead + j] / cell
                power[1, c] += y[j] * y[j] / cell
                for f in range(filters):
                    power[2 + f, c] += z[lead + j, f] * z[lead + j, f] / cell
            if c > 0 and begins[i] + (c + 1) * cell > len(x):
                power[:, c] = power[:, c - 1]
            top = max(top, power[0, c])
        floor = 1e-10 * top + 1e-30
        for k in range(2 + filters):
            for c in range(cells):
                out[i, k, c] = 10.0 * np.log10(power[k, c] + floor)
    return out
