"""Choose stretches of a performance to copy: alike in what lies ahead, at one with what was copied last."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def stretch_choice(given, moment, begins, wanted, ring, offset, stride, ahead, seam, heat, again):
    """Return the moment of the performance that each wanted moment copies.

    Parameters
    ----------
    given : ndarray of float64 [shape=(m, k)]
        What each moment of the performance is like.
    moment : ndarray of float64 [shape=(m, c)]
        What was left of it.
    begins : ndarray of bool [shape=(m,)]
        Where a take begins.
    wanted : ndarray of float64 [shape=(n, k)]
    ring : ndarray of float64 [shape=(r,)]
        Random numbers; place ``p`` of turn ``t`` has number ``(offset[t] + p) % r``.
    offset : ndarray of int64 [shape=(ceil(n / stride),)]
    stride, ahead : int
        Moments copied at a turn; moments compared.
    seam, heat, again : float
        What disagreement with the past, a random number, and having been copied lately count.

    Returns
    -------
    ndarray of int64 [shape=(n,)]
        The cost of a place is the mean unlikeness of what lies ahead, plus ``seam`` times its disagreement (mean
        distance of the two moments before to the two copied last, the earlier one at half; 1 at the beginning of a
        take), plus ``again`` times its wear (one for each time it was copied, less a tenth a turn; going on has
        none), less ``heat`` times its random number. Of equal ones the first.
    """
    m, k = given.shape
    c = moment.shape[1]
    n = len(wanted)
    ahead = min(ahead, m)
    chosen = np.zeros(n, np.int64)
    wear = np.zeros(m)
    take = np.cumsum(begins.astype(np.int64))
    last = -1
    for turn in range(len(offset)):
        at = turn * stride
        look = min(ahead, n - at)
        best, place = np.inf, 0
        for p in range(m - ahead + 1):
            cost = 100.0 if take[p + ahead - 1] != take[p] else 0.0
            cost += again * wear[p] - heat * ring[(offset[turn] + p) % len(ring)]
            for i in range(look):
                for j in range(k):
                    cost += abs(given[p + i, j] - wanted[at + i, j]) / look
            if last >= 0:
                far = 1.0
                if not begins[p]:
                    far = 0.0
                    for j in range(c):
                        far += abs(moment[max(p - 1, 0), j] - moment[last, j]) / c
                        far += 0.5 * abs(moment[max(p - 2, 0), j] - moment[max(last - 1, 0), j]) / c
                cost += seam * far
            if cost < best:
                best, place = cost, p
        for i in range(m):
            wear[i] *= 0.9
        for i in range(min(stride, n - at)):
            last = min(place + i, m - 1)
            chosen[at + i] = last
            wear[last] += 1.0
        wear[min(last + 1, m - 1)] = 0.0
    return chosen
