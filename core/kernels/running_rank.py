"""The value of a rank among neighbours, moment by moment."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def running_rank(x, width, rank):
    """Return of every ``width`` neighbours the one that ``rank`` others are not above.

    Parameters
    ----------
    x : ndarray of float64 [shape=(n,)], n >= width
        Without NaN.
    width : int
        At least 1.
    rank : int
        0 is the least, ``width - 1`` the greatest.

    Returns
    -------
    ndarray of float64 [shape=(n - width + 1,)]
        Of ``x[i : i + width]``.
    """
    count = len(x) - width + 1
    out = np.empty(count)
    # The neighbours in rising order; from one moment to the next one leaves and one comes.
    held = np.sort(x[:width])
    out[0] = held[rank]
    for i in range(1, count):
        gone, comes = x[i - 1], x[i + width - 1]
        at = np.searchsorted(held, gone)
        while at + 1 < width and held[at + 1] < comes:
            held[at] = held[at + 1]
            at += 1
        while at > 0 and held[at - 1] > comes:
            held[at] = held[at - 1]
            at -= 1
        held[at] = comes
        out[i] = held[rank]
    return out
