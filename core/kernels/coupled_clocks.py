"""Players who listen to each other: mutual coupling of their clocks, moment by moment."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def coupled_clocks(moment, player, clock, marked, beat, steady, listen, tie, anticipation, correction, keep):
    """Return what each player plays once the players hear each other.

    What a player feels as its own time is its clock, smoothed: the rest of it is the hand's, which nobody answers to. A
    player means to play ``felt + corrections so far``. At a moment that several play, each comes towards the
    weighted mean of what all of them mean to play, itself included, by its share ``anticipation``; what is left of the
    way it takes back by its share ``correction`` in all that it plays later, until the correction fades. A player who
    rests hears the others too: its silent clock stands where it last was.

    Parameters
    ----------
    moment : ndarray of int64 [shape=(n,)]
        Number of the moment of each event, from 0, not falling; one event a player and moment.
    player : ndarray of int64 [shape=(n,)]
    clock : ndarray of float64 [shape=(n,)]
        What the player would play alone.
    marked : ndarray of float64 [shape=(n,)]
        1 for events that tied players listen to more.
    beat : ndarray of float64 [shape=(n,)]
        Where the event stands; not falling.
    steady : ndarray of float64 [shape=(p,)], 0 to 1
        How much of a new deviation of its own clock a player feels at once; 1 = all of it.
    listen : ndarray of float64 [shape=(p, p)]
        How much the row's player heeds the column's, and itself, 0 or more; only proportions matter within a row.
    tie : ndarray of float64 [shape=(p,)]
        By what factor more than 1 a player heeds marked events: weight times ``1 + tie``.
    anticipation, correction : ndarray of float64 [shape=(p,)], 0 to 1
        Shares of the way to the mean.
    keep : ndarray of float64 [shape=(p,)], 0 to 1
        How much of a correction is left a beat later.

    Returns
    -------
    ndarray of float64 [shape=(n,)]

    References
    ----------
    Hennig 2014, PNAS 111:12974, eq. 3 (mutual coupling of two complex clocks); Vorberg and Schulze 2002 (linear
    correction); van der Steen and Keller 2013, Frontiers in Human Neuroscience 7:253 (anticipation and adaptation).
    """
    n = clock.shape[0]
    p = listen.shape[0]
    out = np.empty(n)
    taken = np.zeros(p)
    felt = np.zeros(p)
    meant = np.zeros(p)
    began = np.zeros(p, dtype=np.bool_)
    plays = np.zeros(p, dtype=np.bool_)
    start = 0
    before = beat[0] if n else 0.0
    while start < n:
        stop = start
        while stop < n and moment[stop] == moment[start]:
            stop += 1
        gap = beat[start] - before
        before = beat[start]
        for i in range(p):
            taken[i] *= keep[i] ** gap
            plays[i] = False
        for e in range(start, stop):
            i = player[e]
            if began[i]:
                felt[i] += steady[i] * (clock[e] - felt[i])
            else:
                felt[i] = clock[e]
            began[i] = True
            plays[i] = True
            meant[i] = felt[i] + taken[i]
        # First all come together, then all hear how it was.
        for e in range(start, stop):
            i = player[e]
            total = 0.0
            weight = 0.0
            for f in range(start, stop):
                j = player[f]
                w = listen[i, j] * (1.0 + tie[i] * marked[f])
                total += w * meant[j]
                weight += w
            out[e] = clock[e] + taken[i]
            if weight > 0.0:
                out[e] -= anticipation[i] * (meant[i] - total / weight)
        for e in range(start, stop):
            i = player[e]
            meant[i] = out[e] - clock[e] + felt[i]
        for i in range(p):
            if not began[i]:
                continue
            own = meant[i] if plays[i] else felt[i] + taken[i]
            total = 0.0 if plays[i] else listen[i, i] * own
            weight = 0.0 if plays[i] else listen[i, i]
            for f in range(start, stop):
                j = player[f]
                w = listen[i, j] * (1.0 + tie[i] * marked[f])
                total += w * meant[j]
                weight += w
            if weight > 0.0:
                taken[i] -= correction[i] * (own - total / weight)
        start = stop
    return out
