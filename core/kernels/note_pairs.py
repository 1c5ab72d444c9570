"""Note-ons and note-offs -> pairs, first in, first out."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def note_pairs(track, status, data1, data2):
    """Pair every note-on with its note-off.

    Within a track, a note-off ends the oldest open note of its channel and key. All Notes Off and All Sound Off
    (controllers 123 and 120) cut the open notes of their channel; a cut note may still take a later note-off, but
    only when no uncut note of that key is open.

    Parameters
    ----------
    track, status, data1, data2 : ndarray [shape=(n,)], events, the tracks one after another

    Returns
    -------
    on, off, cut : ndarray of int64 [shape=(k,)]
        Rows of the note-on, of its note-off and of the controller that cut it (-1: none), in order of ``on``.
    n_orphans : int
        Note-offs that end nothing.
    """
    n = len(status)
    count = 0
    for i in range(n):
        if (status[i] & 0xF0) == 0x90 and data2[i] > 0:
            count += 1
    on = np.empty(count, np.int64)
    off = np.full(count, -1, np.int64)
    cut = np.full(count, -1, np.int64)
    following = np.full(count, -1, np.int64)
    # first and last open note of [uncut, cut] x channel x key
    first = np.full((2, 16, 128), -1, np.int64)
    last = np.full((2, 16, 128), -1, np.int64)
    count = 0
    n_orphans = 0
    for i in range(n):
        if i > 0 and track[i] != track[i - 1]:
            first[:] = -1
        kind = status[i] & 0xF0
        if kind == 0xF0:
            continue
        channel = status[i] & 15
        key = data1[i]
        if kind == 0x90 and data2[i] > 0:
            on[count] = i
            if first[0, channel, key] < 0:
                first[0, channel, key] = count
            else:
                following[last[0, channel, key]] = count
            last[0, channel, key] = count
            count += 1
        elif kind in (0x80, 0x90):
            side = 0 if first[0, channel, key] >= 0 else 1
            note = first[side, channel, key]
            if note < 0:
                n_orphans += 1
            else:
                off[note] = i
                first[side, channel, key] = following[note]
        elif kind == 0xB0 and (key == 120 or key == 123):
            for k in range(128):
                note = first[0, channel, k]
                if note < 0:
                    continue
                if first[1, channel, k] < 0:
                    first[1, channel, k] = note
                else:
                    following[last[1, channel, k]] = note
                last[1, channel, k] = last[0, channel, k]
                first[0, channel, k] = -1
                while note >= 0:
                    cut[note] = i
                    note = following[note]
    return on, off, cut, n_orphans
