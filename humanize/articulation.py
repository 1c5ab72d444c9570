"""Laying the articulation into MIDI: where notes end, and what the pedals do meanwhile.

Conventions
-----------
Longer is positive. A note that had a length keeps at least one tick. Pedals (sustain 64, sostenuto 66, soft 67, hold
69) belong to the articulation: they go along with the notes around them, never to the other side of a note's start,
and a pedal that goes down or up never to the other side of a note's end.
"""

from __future__ import annotations

import numpy as np

from .tempo import TickClock
from .timing import note_ticks

PEDALS = (64, 66, 67, 69)
PEDAL_DOWN = 64  # values from here on mean down


def note_ends(
    onset_s: np.ndarray,
    duration_s: np.ndarray,
    clock: TickClock,
    written_end_s: np.ndarray,
    on_move: np.ndarray,
    written_end_tick: np.ndarray,
) -> np.ndarray:
    """Return the ticks of note-offs.

    Parameters
    ----------
    onset_s, duration_s : ndarray [shape=(n,)], seconds; a note of unknown duration keeps its length in ticks
    clock : TickClock
    written_end_s : ndarray [shape=(n,)], seconds on the same clock
    on_move : ndarray of int64 [shape=(n,)], ticks that the note's start moves by
    written_end_tick : ndarray of int64 [shape=(n,)], ticks

    Returns
    -------
    ndarray of int64 [shape=(n,)], ticks
    """
    # Longer than the file could be: not a number that a note-off is placed by.
    end_s = onset_s + np.maximum(duration_s, 0.0)
    ticks = note_ticks(end_s, clock, written_end_s, written_end_tick)
    return np.where(np.isfinite(end_s), ticks, written_end_tick + on_move)


def pedal_changes(strand: np.ndarray, controller: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return which pedal events change between up and down.

    Parameters
    ----------
    strand : ndarray of int [shape=(m,)], number of the channel each event is sent on
    controller, value : ndarray of int [shape=(m,)], in order of time within each channel

    Returns
    -------
    ndarray of bool [shape=(m,)]
        A pedal is up before its first event.
    """
    order = np.lexsort((controller, strand))
    down = value[order] >= PEDAL_DOWN
    same = (np.diff(strand[order]) == 0) & (np.diff(controller[order]) == 0)
    before = np.concatenate([[False], down[:-1] & same]) if len(order) else down
    out = np.zeros(len(order), np.bool_)
    out[order] = down != before
    return out
