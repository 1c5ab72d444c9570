"""Chain two sequences of onsets by their inter-onset intervals: alignment without pitches."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def onset_chain(written, played, ratio, spread, skip, most):
    """Find the chain of pairs whose inter-onset intervals agree best with one tempo.

    Parameters
    ----------
    written, played : ndarray of float64 [shape=(n,)], [shape=(m,)], strictly increasing
    ratio : float
        Expected played interval divided by the written one.
    spread : float
        Standard deviation of the log ratio of an interval.
    skip : float
        Cost of an onset without partner, in nats.
    most : int
        At most this many onsets are passed over at once on either side.

    Returns
    -------
    pair : ndarray of int64 [shape=(n,)]
        Row of the played onset, -1 for none.
    total : float
        The chain's gain: 2 * skip a pair, less the costs.
    """
    n, m = len(written), len(played)
    gain = np.zeros((n, m))
    back = np.full((n, m), -1, dtype=np.int64)
    best_i, best_j, best = 0, 0, -np.inf
    for i in range(n):
        for j in range(m):
            # A chain may begin anywhere; what lies before it has no partner.
            value = -skip * (i + j)
            before = -1
            for a in range(1, most + 2):
                if a > i:
                    break
                for b in range(1, most + 2):
                    if b > j:
                        break
                    off = np.log((played[j] - played[j - b]) / ((written[i] - written[i - a]) * ratio)) / spread
                    candidate = gain[i - a, j - b] - 0.5 * off * off - skip * (a + b - 2)
                    if candidate > value:
                        value = candidate
                        before = (a - 1) * (most + 1) + b - 1
            gain[i, j] = value + 2.0 * skip
            back[i, j] = before
            total = gain[i, j] - skip * (n - 1 - i + m - 1 - j)
            if total > best:
                best, best_i, best_j = total, i, j
    pair = np.full(n, -1, dtype=np.int64)
    i, j = best_i, best_j
    while True:
        pair[i] = j
        before = back[i, j]
        if before < 0:
            break
        i -= before // (most + 1) + 1
        j -= before % (most + 1) + 1
    return pair, best
