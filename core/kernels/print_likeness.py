"""How alike what begins is, on two sides: the cosine of every two fingerprints that may belong together."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def print_likeness(prints, spans, other_prints, other_spans, low, width):
    """Compare the fingerprints of what begins on one side with those of what begins on the other, within a band.

    Parameters
    ----------
    prints, other_prints : ndarray of float32 [shape=(m, bands)], [shape=(k, bands)]
        Of length 1 each.
    spans, other_spans : ndarray of int64 [shape=(n, most)], [shape=(o, most)]
        The row of the print of each onset alone, of it and the next, of it and the next two...; -1 where these are
        too far apart to be one event.
    low : ndarray of int64 [shape=(n,)]
        The first onset of the other side that each onset is compared with.
    width : int
        How many it is compared with at most.

    Returns
    -------
    ndarray of float32 [shape=(n, width, most, most)]
        The cosine; -2 where there is nothing to compare.
    """
    n, most = spans.shape
    bands = prints.shape[1]
    out = np.full((n, width, most, most), np.float32(-2.0), dtype=np.float32)
    for i in range(n):
        for w in range(width):
            j = low[i] + w
            if j >= len(other_spans):
                break
            for p in range(most):
                a = spans[i, p]
                if a < 0:
                    continue
                for q in range(most):
                    b = other_spans[j, q]
                    if b < 0:
                        continue
                    total = 0.0
                    for k in range(bands):
                        total += prints[a, k] * other_prints[b, k]
                    out[i, w, p, q] = total
    return out
