"""Event rows, in the order to be written -> the bytes of one track."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def smf_encode(pool, order, tick, offset, length, delta_length, status, running, data1, data2, edited, out):
    """Write events one after another.

    An event comes out with its own bytes. Its delta time keeps its own bytes where they still say the right value
    (they may be padded), else it is written in the shortest form. A status byte that was left out in the source is
    left out again only where the bytes before allow it.

    Parameters
    ----------
    pool : ndarray of uint8 [shape=(m,)], the bytes that ``offset`` counts in
    order : ndarray of int64 [shape=(k,)], rows in the order of writing
    tick : ndarray of int64 [shape=(n,)], absolute ticks, not falling along ``order``
    offset, length, delta_length : ndarray [shape=(n,)], an event's own bytes; its delta time lies right before them
    status : ndarray [shape=(n,)]
    running : ndarray of bool [shape=(n,)], the status byte is not among the event's own bytes
    data1, data2 : ndarray of int64 [shape=(n,)], new data bytes, -1 for none
    edited : ndarray of bool [shape=(n,)], take data1 and data2 instead of the event's own bytes
    out : ndarray of uint8, long enough: length + 5 bytes an event

    Returns
    -------
    int
        Bytes written; -1 - row for an event whose delta time does not fit four bytes.
    """
    at = 0
    last = np.int64(0)
    held = 0  # the running status at this place of the output
    for k in range(len(order)):
        i = order[k]
        delta = tick[i] - last
        last = tick[i]
        if delta < 0 or delta > 0x0FFFFFFF:
            return -1 - i
        start = offset[i]
        own = np.int64(0)
        n_own = np.int64(delta_length[i])
        for j in range(start - n_own, start):
            own = (own << 7) | (np.int64(pool[j]) & 127)
        if n_own > 0 and own == delta:
            for j in range(start - n_own, start):
                out[at] = pool[j]
                at += 1
        else:
            if delta >= 1 << 21:
                out[at] = 128 | (delta >> 21)
                at += 1
            if delta >= 1 << 14:
                out[at] = 128 | ((delta >> 14) & 127)
                at += 1
            if delta >= 1 << 7:
                out[at] = 128 | ((delta >> 7) & 127)
                at += 1
            out[at] = delta & 127
            at += 1
        kind = status[i]
        if running[i] and kind != held:
            out[at] = kind
            at += 1
        if edited[i]:
            if not running[i]:
                out[at] = kind
                at += 1
            if data1[i] >= 0:
                out[at] = data1[i]
                at += 1
            if data2[i] >= 0:
                out[at] = data2[i]
                at += 1
        else:
            for j in range(start, start + length[i]):
                out[at] = pool[j]
                at += 1
        if kind < 0xF0:
            held = kind
        elif kind < 0xF8 or kind == 0xFF:
            held = 0
    return at
