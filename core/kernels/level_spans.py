"""What the levels around every moment look like: means over spans that widen with their distance."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def level_spans(levels, tops, floors, first, count, widths, place):
    """Describe moments by the levels before and after them.

    Parameters
    ----------
    levels : ndarray of float32 [shape=(n, streams, cells)], dB
    tops, floors : ndarray of float64 [shape=(n, streams)], dB
        Of every stretch: its loudest level and the one before the sound.
    first, count : int
        The moments are the beginnings of the cells ``first`` to ``first + count - 1``.
    widths : ndarray of int64 [shape=(spans,)]
        Of the spans in cells; the first one touches the moment. All of them lie within the stretch on either side.
    place : float
        The cell that was proposed, which the distance is measured from.

    Returns
    -------
    ndarray of float32 [shape=(n, count, 2 * spans * streams + 2 * streams + 1)]
        For every moment the mean levels of the spans after it, the streams of a span together, then of those before
        it, in units of 20 dB under each stream's top (1.5 is the top, -2.5 the least); then alike the floors of the
        streams, the tops of all streams but the first against the first one's, and the distance in units of 40 cells
        and its size.
    """
    n, streams, cells = levels.shape
    spans = len(widths)
    out = np.empty((n, count, 2 * spans * streams + 2 * streams + 1), dtype=np.float32)
    sums = np.empty(cells + 1)
    last = 2 * spans * streams
    for i in range(n):
        for k in range(streams):
            sums[0] = 0.0
            for c in range(cells):
                sums[c + 1] = sums[c] + levels[i, k, c]
            near = 0
            for w in range(spans):
                width = widths[w]
                far = near + width
                after = w * streams + k
                before = (spans + w) * streams + k
                for m in range(count):
                    c = first + m
                    up = (sums[c + far] - sums[c + near]) / width - tops[i, k]
                    down = (sums[c - near] - sums[c - far]) / width - tops[i, k]
                    out[i, m, after] = min(max(up, -80.0), 10.0) * 0.05 + 1.5
                    out[i, m, before] = min(max(down, -80.0), 10.0) * 0.05 + 1.5
                near = far
        for m in range(count):
            for k in range(streams):
                out[i, m, last + k] = min(max(floors[i, k] - tops[i, k], -80.0), 10.0) * 0.05 + 1.5
            for k in range(1, streams):
                out[i, m, last + streams + k - 1] = min(max(tops[i, k] - tops[i, 0], -60.0), 10.0) * 0.05 + 1.0
            distance = (first + m - place) / 40.0
            out[i, m, last + 2 * streams - 1] = distance
            out[i, m, last + 2 * streams] = abs(distance)
    return out
