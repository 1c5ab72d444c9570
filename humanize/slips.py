"""Laying slips into MIDI: missed notes go, added ones find a place between the others of their key.

Conventions
-----------
A deletion takes a note's on and off out of the file. An insertion becomes a note-on and a note-off (0x80, release
velocity 64). A key that sounds already is let go a tick before it is struck again, and an added note ends a tick before
the key's next note: so the order of on and off of the written notes is untouched. Where a key leaves no room for
that, the added note is left out and said.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ..core.smf import Insert

_RELEASE = 64  # release velocity that means nothing special
_NEVER = 1 << 62  # tick of an end that never comes


@dataclass(frozen=True, eq=False)
class Placed:
    """Where added notes went.

    Parameters
    ----------
    on_tick, off_tick : ndarray of int64 [shape=(m,)], ticks; -1 for a note that found no room
    end_tick : ndarray of int64 [shape=(n,)], ticks of the written notes' ends, some of them earlier than before
    """

    on_tick: np.ndarray
    off_tick: np.ndarray
    end_tick: np.ndarray


def place_added(
    voice: np.ndarray,
    on_tick: np.ndarray,
    off_tick: np.ndarray,
    new_voice: np.ndarray,
    new_on: np.ndarray,
    new_off: np.ndarray,
) -> Placed:
    """Find room for added notes.

    Parameters
    ----------
    voice : ndarray of int64 [shape=(n,)], number of each written note's channel and key
    on_tick, off_tick : ndarray of int64 [shape=(n,)], ticks where the written notes lie now; off -1 for never
    new_voice, new_on, new_off : ndarray of int64 [shape=(m,)], of the added notes, ticks

    Returns
    -------
    Placed
    """
    placed_on, placed_off = np.full(len(new_on), -1, np.int64), np.full(len(new_on), -1, np.int64)
    end = off_tick.copy()
    order = np.lexsort((on_tick, voice))
    keys, ons = voice[order], on_tick[order]
    latest = _latest_end_before(keys, np.where(off_tick < 0, _NEVER, off_tick)[order])
    last_added: dict[int, int] = {}
    for i in np.lexsort((new_off, new_on, new_voice)).tolist():
        key, at = int(new_voice[i]), max(int(new_on[i]), 0)
        first, stop = np.searchsorted(keys, [key, key + 1]).tolist()
        k = first + int(np.searchsorted(ons[first:stop], at, side="right"))
        until = max(int(new_off[i]), at + 1)
        if k < stop:
            until = min(until, int(ons[k]) - 1)
        if until <= at:
            continue
        if k > first:
            before = int(order[k - 1])
            rings = end[before] < 0 or end[before] >= at
            # Struck again only when it alone rings and keeps a length; a note that never ends stays alone.
            if on_tick[before] >= at or latest[k - 1] >= at:
                continue
            if rings and (end[before] < 0 or on_tick[before] > at - 2):
                continue
        earlier = last_added.get(key, -1)
        if earlier >= 0:
            if placed_on[earlier] > at - 2:
                continue
            placed_off[earlier] = min(placed_off[earlier], at - 1)
        if k > first and end[before] >= at:
            end[before] = at - 1
        placed_on[i], placed_off[i] = at, until
        last_added[key] = i
    return Placed(placed_on, placed_off, end)


def _latest_end_before(keys: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return for each note the latest end of the earlier notes of its key, -1 for none; rows by key, then onset."""
    out = np.full(len(keys), -1, np.int64)
    bounds = np.append(np.flatnonzero(np.diff(keys, prepend=-1)), len(keys)).tolist()
    for a, b in itertools.pairwise(bounds):
        out[a + 1 : b] = np.maximum.accumulate(ends[a : b - 1])
    return out


def note_inserts(
    track: np.ndarray,
    channel: np.ndarray,
    key: np.ndarray,
    velocity: np.ndarray,
    on_tick: np.ndarray,
    off_tick: np.ndarray,
) -> list[Insert]:
    """Return the events of added notes as ``Smf.edited`` takes them; those at tick -1 are left out."""
    out: list[Insert] = []
    for t, c, k, v, on, off in zip(track, channel, key, velocity, on_tick, off_tick, strict=True):
        if on >= 0:
            out.append((int(t), int(on), bytes([0x90 | int(c), int(k), int(v)]), 1))
            out.append((int(t), int(off), bytes([0x80 | int(c), int(k), _RELEASE]), 1))
    return out
