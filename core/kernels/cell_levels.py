"""Levels of some stretches of a signal in short cells: of the signal, of what prediction leaves, and of its bands."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def cell_levels(x, begins, offsets, cell, cells, lead, predictors, sections):
    """Measure the level in every cell of some stretches of a signal.

    A stretch is ``cells * cell`` samples. Its streams are the signal; the signal behind its predictor; and the signal
    behind every filter. Samples before the signal are its first one; cells that reach over its end have the levels
    of the last one that does not.

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
    sections : ndarray of float64 [shape=(filters, 2, 5)], an even number of filters
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
    y = np.empty((2, lead + size))
    power = np.empty((2 + filters, cells))
    for i in range(n):
        for j in range(lead + size):
            s[j] = x[min(max(begins[i] - lead + j, 0), len(x) - 1)] - offsets[i]
        for pair in range(0, 2 + filters, 2):
            if pair == 0:
                y[0] = s
                y[1] = 0.0
                left = y[1, lead:]
                for m in range(predictors.shape[1]):
                    weight = predictors[i, m]
                    past = s[lead - m : lead - m + size]
                    for j in range(size):
                        left[j] += weight * past[j]
            else:
                # Two filters at once: a recursion waits for its last value, and meanwhile the other one works.
                p, q = sections[pair - 2], sections[pair - 1]
                p0, p1, p2, p3, p4 = p[0, 0], p[0, 1], p[0, 2], p[0, 3], p[0, 4]
                r0, r1, r2, r3, r4 = p[1, 0], p[1, 1], p[1, 2], p[1, 3], p[1, 4]
                q0, q1, q2, q3, q4 = q[0, 0], q[0, 1], q[0, 2], q[0, 3], q[0, 4]
                t0, t1, t2, t3, t4 = q[1, 0], q[1, 1], q[1, 2], q[1, 3], q[1, 4]
                pa = pb = ra = rb = qa = qb = ta = tb = 0.0
                for j in range(lead + size):
                    v = s[j]
                    w = p0 * v + pa
                    pa = (p1 * v + pb) - p3 * w
                    pb = p2 * v - p4 * w
                    u = r0 * w + ra
                    ra = (r1 * w + rb) - r3 * u
                    rb = r2 * w - r4 * u
                    y[0, j] = u
                    w = q0 * v + qa
                    qa = (q1 * v + qb) - q3 * w
                    qb = q2 * v - q4 * w
                    u = t0 * w + ta
                    ta = (t1 * w + tb) - t3 * u
                    tb = t2 * w - t4 * u
                    y[1, j] = u
            for side in range(2):
                for c in range(cells):
                    total = 0.0
                    for j in range(lead + c * cell, lead + (c + 1) * cell):
                        total += y[side, j] * y[side, j]
                    power[pair + side, c] = total / cell
        for c in range(1, cells):
            if begins[i] + (c + 1) * cell > len(x):
                power[:, c] = power[:, c - 1]
        top = 0.0
        for c in range(cells):
            top = max(top, power[0, c])
        floor = 1e-10 * top + 1e-30
        for k in range(2 + filters):
            for c in range(cells):
                out[i, k, c] = 10.0 * np.log10(power[k, c] + floor)
    return out
