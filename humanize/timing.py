"""Laying the timing into MIDI: note ticks, and how far the events around a note go with it.

Conventions
-----------
Late is positive. A time goes to the nearest tick; the middle between two ticks goes to the later one (half away from
zero, as no tick is negative). Moves are ticks.
"""

from __future__ import annotations

import numpy as np

from .tempo import TickClock


def nearest_tick(ticks: np.ndarray) -> np.ndarray:
    """Return the nearest whole ticks, int64; the middle goes up, whatever whole number is added to both sides."""
    return np.floor(np.asarray(ticks) + 0.5).astype(np.int64)


def note_ticks(time_s: np.ndarray, clock: TickClock, written_s: np.ndarray, written_tick: np.ndarray) -> np.ndarray:
    """Return the ticks of note times; NaN and unchanged times keep the written tick.

    Parameters
    ----------
    time_s : ndarray [shape=(n,)], seconds
    clock : TickClock
    written_s : ndarray [shape=(n,)], seconds on the same clock
    written_tick : ndarray of int64 [shape=(n,)], ticks

    Returns
    -------
    ndarray of int64 [shape=(n,)], ticks; negative where the time lies before the file's beginning
    """
    still = ~np.isfinite(time_s) | (time_s == written_s)
    # A tick beyond 2**40 could only come from damaged numbers; the limits and the writer see to the rest.
    ticks = np.clip(clock.ticks_at(np.where(still, 0.0, time_s)), -(2.0**40), 2.0**40)
    return np.where(still, written_tick, nearest_tick(ticks))


def carried_moves(tick: np.ndarray, anchor_tick: np.ndarray, anchor_move: np.ndarray) -> np.ndarray:
    """Return how far events between notes go with them.

    Notes of one tick count with their mean move; between notes the move goes over linearly, behind the last one it
    stays, and before the first one it begins from nothing at tick 0, where a file sets up its sounds.

    Parameters
    ----------
    tick : ndarray of int64 [shape=(m,)], ticks
    anchor_tick, anchor_move : ndarray of int64 [shape=(n,)], ticks as written, rising; ticks moved

    Returns
    -------
    ndarray of int64 [shape=(m,)], ticks
    """
    if len(anchor_tick) == 0:
        return np.zeros(len(tick), np.int64)
    at, first, count = np.unique(anchor_tick, return_index=True, return_counts=True)
    move = np.add.reduceat(anchor_move.astype(np.float64), first) / count
    if at[0] > 0:
        at, move = np.append(0, at), np.append(0.0, move)
    return nearest_tick(np.interp(tick, at, move))
