"""Cheapest chain of source offsets through a gap: where a stretch may cut and join a waveform."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def splice_path(samples, centre, weight, stride, offset, count, low, high, dear):
    """Choose a source offset after every possible joint so that the joints are heard least.

    Output frame ``t`` between joints ``j`` and ``j + 1`` is source frame ``t + path[j]``. At joint ``j`` the sound
    fades from offset ``path[j - 1]`` to ``path[j]``; its cost is the weighted squared difference of both over the fade,
    so that keeping an offset is free, quiet places are cheap, and similar waveforms are cheap.

    Parameters
    ----------
    samples : ndarray [shape=(n, channels)]
        Source.
    centre : ndarray of int64 [shape=(k,)], frames
        Middle of each fade, in output frames; joint ``j`` (1 to k) has ``centre[j - 1]``.
    weight : ndarray [shape=(m,)]
        Weight of every ``stride``-th frame of the fade; the fade begins ``(m * stride) // 2`` frames before its middle.
    stride : int, frames
    offset : ndarray of int64 [shape=(k + 1, s)], frames
        Offsets allowed after each joint; row 0 before the first.
    count : ndarray of int64 [shape=(k + 1,)]
        How many of each row count.
    low, high : int, frames
        Source frames a fade should stay within (``low <= frame < high``).
    dear : float
        Cost of a weighted frame outside them.

    Returns
    -------
    path : ndarray of int64 [shape=(k + 1,)], frames
        Among equally cheap paths the one with the earliest listed offsets, decided from the last joint backwards.
    cost : float
    """
    n, channels = samples.shape
    k = len(centre)
    m = len(weight)
    begin = (m * stride) // 2
    width = offset.shape[1]
    total = np.full((k + 1, width), np.inf)
    came = np.zeros((k + 1, width), np.int64)
    total[0, : count[0]] = 0.0
    for j in range(1, k + 1):
        first = centre[j - 1] - begin
        for b in range(count[j]):
            to = offset[j, b]
            best = np.inf
            origin = 0
            for a in range(count[j - 1]):
                off = offset[j - 1, a]
                cost = total[j - 1, a]
                if off != to:
                    for i in range(m):
                        if cost >= best:
                            break
                        one = first + i * stride + off
                        two = first + i * stride + to
                        if one < low or one >= high or two < low or two >= high:
                            cost += weight[i] * dear
                        one = min(max(one, 0), n - 1)
                        two = min(max(two, 0), n - 1)
                        square = 0.0
                        for c in range(channels):
                            difference = samples[one, c] - samples[two, c]
                            square += difference * difference
                        cost += weight[i] * square
                if cost < best:
                    best = cost
                    origin = a
            total[j, b] = best
            came[j, b] = origin
    path = np.empty(k + 1, np.int64)
    at = 0
    for b in range(1, count[k]):
        if total[k, b] < total[k, at]:
            at = b
    cost = total[k, at]
    for j in range(k, -1, -1):
        path[j] = offset[j, at]
        at = came[j, at]
    return path, cost
