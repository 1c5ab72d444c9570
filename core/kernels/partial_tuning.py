"""Turn demodulated partials so that each stands still at the frequency it really has."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def partial_tuning(cells, first, span, lag, most):
    """Return cells turned by how far each partial's tone is from the frequency it was demodulated by.

    From a cell on, every ``lag`` cells a window of ``span`` (Hann's) is averaged; the turn from each to the next,
    weighed by their energies, is the partial's. Strings are stiff and recordings detuned, so partials are not quite
    where they are written.

    Parameters
    ----------
    cells : ndarray of float32 [shape=(n, k, m, 2)]
        See `partial_cells`.
    first, span, lag : int
    most : ndarray of float64 [shape=(n, k)]
        The greatest turn that is made, in turns a cell; tones farther away are not this partial, and are left as
        they are.

    Returns
    -------
    turned : ndarray of float32 [shape=(n, k, m, 2)]
    turn : ndarray of float64 [shape=(n, k)]
        In turns a cell.
    """
    n, k, m, _ = cells.shape
    out = np.empty_like(cells)
    turn = np.zeros((n, k))
    window = 1.0 - np.cos(2.0 * np.pi * (np.arange(span) + 0.5) / span)
    for i in range(n):
        for p in range(k):
            real = imag = old_re = old_im = 0.0
            begin = first
            while begin + span <= m:
                re = im = 0.0
                for j in range(span):
                    re += window[j] * cells[i, p, begin + j, 0]
                    im += window[j] * cells[i, p, begin + j, 1]
                if begin > first:
                    real += re * old_re + im * old_im
                    imag += im * old_re - re * old_im
                old_re, old_im = re, im
                begin += lag
            found = np.arctan2(imag, real) / (2.0 * np.pi * lag)
            if abs(found) <= most[i, p]:
                turn[i, p] = found
            step = 2.0 * np.pi * turn[i, p]
            cos, sin = np.cos(step), -np.sin(step)
            a, b = 1.0, 0.0
            for j in range(m):
                u, v = cells[i, p, j, 0], cells[i, p, j, 1]
                out[i, p, j, 0] = u * a - v * b
                out[i, p, j, 1] = u * b + v * a
                a, b = a * cos - b * sin, a * sin + b * cos
    return out, turn
