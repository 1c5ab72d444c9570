"""How likely every two events of two sequences are the same one: forward and backward over all orderly pairings."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def pair_belief(scores, low):
    """Weigh every pair by all orderly pairings it is part of.

    A pairing is a set of pairs, each of the events ``i`` to ``i + p`` of the first sequence with ``j`` to ``j + q`` of
    the second as one event; no two pairs share an event or cross. Its weight is the product of
    ``exp(scores[i, j - low[i], p, q])`` over its pairs. A pair may follow another only if, with
    ``i'`` and ``j'`` the events after that, ``j' <= low[i'] + width``.

    Parameters
    ----------
    scores : ndarray of float32 [shape=(n, width, most, most)]
        ``-inf`` where events are none together.
    low : ndarray of int64 [shape=(n + 1,)]
        Never falling: event i may be paired with ``low[i]`` to ``low[i] + width - 1``.

    Returns
    -------
    ndarray of float32 [shape=(n, width, most, most)]
        The share of all pairings' weight that has the pair.
    """
    n, width, most, _ = scores.shape
    none = -np.inf
    # Logarithms of the weight of all ways to (i, low[i] + w) and on from there. Between two pairs the first sequence's
    # events are passed over before the second's, so that a pairing is walked in one way only: `free` may do either,
    # `bound` has passed over one of the second's.
    free = np.full((n + 1, width + 1), none)
    bound = np.full((n + 1, width + 1), none)
    free[0, 0] = 0.0
    for i in range(n):
        for w in range(width + 1):
            if free[i, w] > none:
                v = max(low[i] + w - low[i + 1], 0)
                free[i + 1, v] = np.logaddexp(free[i + 1, v], free[i, w])
            here = np.logaddexp(free[i, w], bound[i, w])
            if w == width or here == none:
                continue
            bound[i, w + 1] = here
            for p in range(min(most, n - i)):
                for q in range(most):
                    s = scores[i, w, p, q]
                    v = max(low[i] + w + q + 1 - low[i + p + 1], 0)
                    if s > none and v <= width:
                        free[i + p + 1, v] = np.logaddexp(free[i + p + 1, v], here + s)
    # Backward only the next events are looked at: event i is row i % (most + 1).
    rows = most + 1
    on_free = np.full((rows, width + 1), none)
    on_bound = np.full(width + 1, none)
    on_free[n % rows, :] = 0.0
    out = np.zeros(scores.shape, dtype=np.float32)
    whole = none
    for w in range(width + 1):
        whole = np.logaddexp(whole, free[n, w])
    for i in range(n - 1, -1, -1):
        for w in range(width, -1, -1):
            total = none
            if w < width:
                here = np.logaddexp(free[i, w], bound[i, w])
                total = on_bound[w + 1]
                for p in range(min(most, n - i)):
                    for q in range(most):
                        s = scores[i, w, p, q]
                        v = max(low[i] + w + q + 1 - low[i + p + 1], 0)
                        if s > none and v <= width:
                            after = s + on_free[(i + p + 1) % rows, v]
                            total = np.logaddexp(total, after)
                            out[i, w, p, q] = np.exp(here + after - whole)
            on_bound[w] = total
            v = max(low[i] + w - low[i + 1], 0)
            on_free[i % rows, w] = np.logaddexp(total, on_free[(i + 1) % rows, v]) if v <= width else total
    return out
