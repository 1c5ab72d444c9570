"""The best orderly pairing of two sequences of events, several of one side with several of the other at once."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def pair_path(gains, low):
    """Find the pairing of the greatest gain.

    A pairing is a set of pairs, each of the events ``i`` to ``i + p`` of the first sequence with ``j`` to ``j + q`` of
    the second as one event; no two pairs share an event or cross. Its gain is the sum of
    ``gains[i, j - low[i], p, q]``. A pair may follow another only if, with ``i'`` and ``j'`` the events after that,
    ``j' <= low[i'] + width``.

    Parameters
    ----------
    gains : ndarray of float32 [shape=(n, width, most, most)]
        ``-inf`` where events are none together.
    low : ndarray of int64 [shape=(n + 1,)]
        Never falling: event i may be paired with ``low[i]`` to ``low[i] + width - 1``.

    Returns
    -------
    ndarray of int64 [shape=(pairs, 4)]
        ``i, j, p, q`` of every pair taken, in order.
    """
    n, width, most, _ = gains.shape
    none = -np.inf
    best = np.zeros((n + 1, width + 1))
    move = np.full((n + 1, width + 1), -2, dtype=np.int16)
    for i in range(n - 1, -1, -1):
        for w in range(width, -1, -1):
            v = max(low[i] + w - low[i + 1], 0)
            top, way = best[i + 1, v], -1
            if w < width:
                if best[i, w + 1] > top:
                    top, way = best[i, w + 1], -2
                for p in range(min(most, n - i)):
                    for q in range(most):
                        s = gains[i, w, p, q]
                        v = max(low[i] + w + q + 1 - low[i + p + 1], 0)
                        if s > none and v <= width and best[i + p + 1, v] + s > top:
                            top, way = best[i + p + 1, v] + s, p * most + q
            best[i, w] = top
            move[i, w] = way
    out = np.zeros((n, 4), dtype=np.int64)
    count, i, w = 0, 0, 0
    while i < n:
        way = move[i, w]
        if way == -2:
            w += 1
        elif way == -1:
            w = max(low[i] + w - low[i + 1], 0)
            i += 1
        else:
            j, p, q = low[i] + w, way // most, way % most
            out[count, 0], out[count, 1], out[count, 2], out[count, 3] = i, j, p, q
            count += 1
            i += p + 1
            w = max(j + q + 1 - low[i], 0)
    return out[:count]
