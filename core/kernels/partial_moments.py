"""What the partials of a note do before and after a moment."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def partial_moments(cells, first, moments, stride, spans, starts):
    """Describe moments by each partial's levels in windows about them, and by what is new in them.

    A window of ``span`` cells is Hann's. A level is ``10 log10`` of the squared magnitude of the windowed mean; what
    is new at a moment is the level of the difference of the window that begins there and the one that ends there:
    nothing for a tone that goes on, in phase.

    Parameters
    ----------
    cells : ndarray of float32 [shape=(n, k, m, 2)]
        See `partial_cells`.
    first, moments, stride : int
        The first moment's cell, how many, and how many cells from one to the next.
    spans : ndarray of int64 [shape=(s,)]
        Cells of each window, multiples of ``stride`` as all of ``starts`` are; ``span <= first`` and
        ``first + moments * stride + span <= m``.
    starts : ndarray of int64 [shape=(t, 2)]
        Which windows' levels are told: row of ``spans``, and where it begins, in cells from the moment.

    Returns
    -------
    ndarray of float32 [shape=(n, k, moments, t + s)], dB
        The levels, then what is new for every span; no less than 60 dB below the loudest level of the partial
        anywhere in the shortest span, which is taken away from all.
    tops : ndarray of float64 [shape=(n, k)], dB
        What was taken away.
    """
    n, k, m, _ = cells.shape
    s, t = len(spans), len(starts)
    out = np.zeros((n, k, moments, t + s), dtype=np.float32)
    tops = np.full((n, k), -200.0)
    re, im, level = np.zeros((s, m)), np.zeros((s, m)), np.zeros((s, m))
    for i in range(n):
        for p in range(k):
            top = 0.0
            for w in range(s):
                span = spans[w]
                turn_re, turn_im = np.cos(2.0 * np.pi / span), np.sin(2.0 * np.pi / span)
                # Hann's window is a constant less a cosine: three running sums, the outer two turned along.
                a_re = a_im = b_re = b_im = c_re = c_im = 0.0
                half_re, half_im = np.cos(np.pi / span), np.sin(np.pi / span)
                last_re, last_im = np.cos(np.pi * (2 * span - 1) / span), np.sin(np.pi * (2 * span - 1) / span)
                for j in range(span):
                    angle = 2.0 * np.pi * (j + 0.5) / span
                    cos, sin = np.cos(angle), np.sin(angle)
                    u, v = cells[i, p, j, 0], cells[i, p, j, 1]
                    a_re += u
                    a_im += v
                    b_re += u * cos - v * sin
                    b_im += u * sin + v * cos
                    c_re += u * cos + v * sin
                    c_im += v * cos - u * sin
                for j in range(m - span + 1):
                    x = (a_re - 0.5 * (b_re + c_re)) / span
                    y = (a_im - 0.5 * (b_im + c_im)) / span
                    re[w, j], im[w, j] = x, y
                    level[w, j] = x * x + y * y
                    if w == 0 and level[w, j] > top:
                        top = level[w, j]
                    if j + span < m:
                        u, v = cells[i, p, j, 0], cells[i, p, j, 1]
                        a_re -= u
                        a_im -= v
                        b_re -= u * half_re - v * half_im
                        b_im -= u * half_im + v * half_re
                        c_re -= u * half_re + v * half_im
                        c_im -= v * half_re - u * half_im
                        # The window moves on by one cell: each term's angle falls by one step.
                        b_re, b_im = b_re * turn_re + b_im * turn_im, b_im * turn_re - b_re * turn_im
                        c_re, c_im = c_re * turn_re - c_im * turn_im, c_im * turn_re + c_re * turn_im
                        u, v = cells[i, p, j + span, 0], cells[i, p, j + span, 1]
                        a_re += u
                        a_im += v
                        b_re += u * last_re - v * last_im
                        b_im += u * last_im + v * last_re
                        c_re += u * last_re + v * last_im
                        c_im += v * last_re - u * last_im
            if top <= 0.0:
                out[i, p] = -60.0
                continue
            tops[i, p] = 10.0 * np.log10(top)
            floor = 1e-6 * top
            for w in range(s):
                for j in range(first % stride, m - spans[w] + 1, stride):
                    level[w, j] = 10.0 * np.log10(max(level[w, j], floor) / top)
            for j in range(moments):
                at = first + j * stride
                for f in range(t):
                    w = starts[f, 0]
                    last = m - spans[w]
                    begin = min(max(at + starts[f, 1], first % stride), last - (last - first) % stride)
                    out[i, p, j, f] = level[w, begin]
                for w in range(s):
                    x = re[w, at] - re[w, at - spans[w]]
                    y = im[w, at] - im[w, at - spans[w]]
                    out[i, p, j, t + w] = 10.0 * np.log10(max(x * x + y * y, floor) / top)
    return out, tops
