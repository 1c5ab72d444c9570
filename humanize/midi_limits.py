"""What belongs together in a MIDI channel, and how far notes may move before it would come apart.

Conventions
-----------
A strand is what one channel plays: all tracks that share it, for a synthesizer hears them as one (in a format 2 file
each track for itself). Within a strand

- note-ons, note-offs and key pressure of one key keep their order; a note that had a length keeps a tick;
- control events keep their order, and those set in the very tick of a note's start never come behind that start;
- program changes and pedals keep their side of every note-on; pedals that go down or up, and channel mode messages
  (All Notes Off and the like), of every note-off too;
- in a strand that carries pitch bend (MPE, guitars) every control event keeps its side of every note-on and note-off.

Where the wishes cannot all be granted, note-ons go first, note-offs fit themselves in, control events last. What has
no reason to move stays at its tick: notes that shall not move are never pushed, neither are events of other tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.smf import Smf
from .articulation import PEDALS, pedal_changes
from .timing import carried_moves

_ON, _OFF, _CONTROL, _KEYED = 0, 1, 2, 3
_PASSIVE, _ACTIVE, _SETTLED = 0, 1, 2
REASONS = (
    "",
    "the file begins at tick 0",
    "notes of one key keep their order",
    "a note keeps at least one tick",
    "programs, pedals and bends keep their side of a note",
)
_HAT_PEDAL = 4  # foot controller: how far the hi-hat is open, on the percussion channel
_DRUM_CHANNEL = 9


@dataclass(frozen=True, eq=False)
class Strands:
    """The channel events of a file, strand by strand in order of time; positions are rows of these columns.

    Parameters
    ----------
    row : ndarray of int64 [shape=(m,)], row in ``Smf.events``
    starts : ndarray of int64 [shape=(c + 1,)], first position of each strand, then m
    strand : ndarray of int64 [shape=(m,)], number of the strand
    tick, track, role, key, barrier
        As ``core.kernels.order_limits`` takes them.
    carried : ndarray of bool [shape=(m,)], control events that go along with the notes around them
    bending : ndarray of bool [shape=(m,)], events of a strand that carries pitch bend
    """

    row: np.ndarray
    starts: np.ndarray
    strand: np.ndarray
    tick: np.ndarray
    track: np.ndarray
    role: np.ndarray
    key: np.ndarray
    barrier: np.ndarray
    carried: np.ndarray
    bending: np.ndarray


def strands_of(smf: Smf, gone: np.ndarray) -> Strands:
    """Sort a file's channel events into strands.

    Parameters
    ----------
    smf : Smf
    gone : ndarray of bool [shape=(k,)], events that are left out
    """
    events = smf.events
    row = np.flatnonzero((events.status < 0xF0) & ~gone)
    strand = (events.status[row] & 15).astype(np.int64)
    if smf.format == 2:
        strand += events.track[row].astype(np.int64) << 4
    # Rows already lie in order of track and place in the track: a stable sort keeps that within a tick.
    order = np.argsort((strand << 40) + events.tick[row], kind="stable")
    row, strand = row[order], strand[order]
    starts = np.append(np.flatnonzero(np.diff(strand, prepend=-1)), len(row))
    status, data1, data2 = events.status[row], events.data1[row], events.data2[row]
    kind = status & 0xF0
    role = np.full(len(row), _CONTROL, np.int8)
    role[kind == 0x90] = _ON
    role[(kind == 0x80) | ((kind == 0x90) & (data2 == 0))] = _OFF
    role[kind == 0xA0] = _KEYED

    which = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    bends = np.zeros(len(starts) - 1, np.bool_)
    bends[which[kind == 0xE0]] = True
    bending = bends[which] if len(which) else np.zeros(0, np.bool_)
    # Where bends are, key pressure is bound to every note as the other controls are, not to its own key alone.
    role[bending & (role == _KEYED)] = _CONTROL
    pedal = (kind == 0xB0) & np.isin(data1, PEDALS)
    barrier = np.zeros(len(row), np.int8)
    barrier[(kind == 0xC0) | pedal] = 1
    at = np.flatnonzero(pedal)
    barrier[at[pedal_changes(strand[at], data1[at], data2[at])]] = 3
    barrier[(kind == 0xB0) & (data1 >= 120)] = 3
    barrier[bending & (role == _CONTROL)] = 3
    hat = (kind == 0xB0) & (data1 == _HAT_PEDAL) & ((strand & 15) == _DRUM_CHANNEL)
    return Strands(
        row=row,
        starts=starts,
        strand=which,
        tick=events.tick[row],
        track=events.track[row],
        role=role,
        key=data1,
        barrier=barrier,
        carried=pedal | hat | (role == _KEYED) | (bending & (role == _CONTROL)),
        bending=bending,
    )


def fit_ticks(
    strands: Strands, home: np.ndarray, wanted: np.ndarray, may_move: np.ndarray, all_move: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ticks nearest to the wanted ones that keep what belongs together.

    Parameters
    ----------
    strands : Strands
    home : ndarray of int64 [shape=(k,)]
        Where each event of the file lies when it follows no note: its written tick, or that tick warped.
    wanted : ndarray of int64 [shape=(k,)], where notes shall go; ``home`` for everything else
    may_move : ndarray of bool [shape=(k,)], events that may move
    all_move : bool
        ``home`` is not the written tick: nothing stands still.

    Returns
    -------
    tick : ndarray of int64 [shape=(k,)], ticks
    reason : ndarray of int8 [shape=(k,)], index into ``REASONS``
    """
    from ..core.kernels.order_limits import order_limits

    tick = wanted.copy()
    reason = np.zeros(len(wanted), np.int8)
    if len(strands.row) == 0:
        return tick, reason
    at_home = home[strands.row]
    place = wanted[strands.row]
    moving = place != at_home
    busy = np.logical_or.reduceat(moving, strands.starts[:-1])[strands.strand]
    if all_move:
        free = np.ones(len(place), np.bool_)
    else:
        # A note-on that shall not move stands; the other events of a track that plays along make room.
        free = busy & may_move[strands.row] & (moving | (strands.role != _ON))
        place = np.where(free, place, at_home)
    why = np.zeros(len(place), np.int8)
    for stage in range(3):
        now = strands.role == stage
        if stage == _CONTROL:
            now |= strands.role == _KEYED
            place = np.where(now & free, at_home + _carried(strands, at_home, place, free), place)
        now &= free
        if not now.any():
            continue
        settled = ~free | (strands.role < stage)
        state = np.where(now, _ACTIVE, np.where(settled, _SETTLED, _PASSIVE)).astype(np.int8)
        place, held = order_limits(
            strands.starts,
            strands.tick,
            strands.track,
            strands.role,
            strands.key,
            strands.barrier,
            place,
            state,
        )
        why[now] = held[now]
    tick[strands.row] = place
    reason[strands.row] = why
    return tick, reason


def _carried(strands: Strands, home: np.ndarray, place: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return how far each control event goes along with the notes around it, ticks."""
    moves = np.zeros(len(home), np.int64)
    going = strands.carried & free
    for g in np.unique(strands.strand[going]).tolist():
        here = slice(int(strands.starts[g]), int(strands.starts[g + 1]))
        role = strands.role[here]
        anchor = (role == _ON) | (strands.bending[here] & (role == _OFF))
        move = (place - home)[here]
        goes = going[here]
        moves[here][goes] = carried_moves(strands.tick[here][goes], strands.tick[here][anchor], move[anchor])
    _pressure_moves(strands, home, place, going, moves)
    return moves


def _pressure_moves(
    strands: Strands, home: np.ndarray, place: np.ndarray, going: np.ndarray, moves: np.ndarray
) -> None:
    """Let key pressure go along with the last note-on of its own key; fills ``moves``."""
    pressed = (strands.role == _KEYED) & going
    if not pressed.any():
        return
    rows = np.flatnonzero(pressed | (strands.role == _ON))
    rows = rows[np.argsort(strands.strand[rows] * 128 + strands.key[rows], kind="stable")]
    voice = strands.strand[rows] * 128 + strands.key[rows]
    is_on = strands.role[rows] == _ON
    last = np.maximum.accumulate(np.where(is_on, np.arange(len(rows)), -1))
    found = (last >= 0) & (voice[last] == voice) & ~is_on
    moves[rows[~is_on]] = 0
    moves[rows[found]] = (place - home)[rows[last[found]]]
