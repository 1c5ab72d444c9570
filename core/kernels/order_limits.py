"""Wanted ticks -> the nearest ticks that keep the order of what belongs together.

Conventions
-----------
Events come channel by channel, each channel in its order of time (tick, track, place in the track). An event may not
overtake another one it is bound to; events of two tracks are compared as (tick, track), for at one tick the lower
track plays first. Bound to each other are, within a channel,

- note-ons, note-offs and key pressure of one key, in their order;
- a note-on and the note-offs of its key behind it, which stay a tick apart if they were (whatever way they are paired);
- all control events and key pressure, in their order;
- a control event and the note-ons (barrier bit 1) or note-offs (bit 2) before and behind it;
- a control event and the note-ons that follow it within its own tick.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# roles
ON, OFF, CONTROL, KEYED = 0, 1, 2, 3
# states
PASSIVE, ACTIVE, SETTLED = 0, 1, 2
# what held an event back
FREE, START, KEY, LENGTH, COUPLED = 0, 1, 2, 3, 4

_SHIFT = 16  # (tick << 16) | track orders events of several tracks; a file has at most 2**16 tracks
_MASK = (1 << 16) - 1
_FAR = 1 << 44  # a tick beyond every other


@njit(cache=True)
def _least(bound, track):
    """Return the lowest tick that an event of ``track`` may take behind the packed place ``bound``."""
    if bound < 0:
        return np.int64(0)
    return (bound >> _SHIFT) + (1 if (bound & _MASK) > track else 0)


@njit(cache=True)
def _most(bound, track):
    """Return the highest tick that an event of ``track`` may take before the packed place ``bound``."""
    return (bound >> _SHIFT) - (1 if track > (bound & _MASK) else 0)


@njit(cache=True)
def _push_later(first, end, tick, track, role, key, barrier, base, wanted, value, reason):
    """Walk forward and give every event its base, or later where one before it demands that."""
    last_of_key = np.full(128, -1, np.int64)
    # the last note-on of each key, its tick as written, and the last one of an earlier tick
    on_here = np.full(128, -1, np.int64)
    on_tick = np.full(128, -1, np.int64)
    on_before = np.full(128, -1, np.int64)
    control = control_on = control_off = control_now = np.int64(-1)
    now = np.int64(-1)
    on_max = off_max = np.int64(-1)
    for i in range(first, end):
        me = track[i]
        what = role[i]
        if tick[i] != now:
            now = tick[i]
            control_now = np.int64(-1)
        least = np.int64(0)
        why = START
        if what == CONTROL:
            least = _least(control, me)
            if barrier[i] & 1:
                least = max(least, _least(on_max, me))
            if barrier[i] & 2:
                least = max(least, _least(off_max, me))
            why = COUPLED
        else:
            bound = _least(last_of_key[key[i]], me)
            if bound > least:
                least = bound
                why = KEY
            if what == ON:
                bound = max(_least(control_on, me), _least(control_now, me))
            elif what == OFF:
                bound = _least(control_off, me)
            else:
                bound = _least(control, me)
            if bound > least:
                least = bound
                why = COUPLED
            if what == OFF:
                bound = (on_here[key[i]] if on_tick[key[i]] < now else on_before[key[i]]) + 1
                if bound > least:
                    least = bound
                    why = LENGTH
        value[i] = max(base[i], least)
        if least > wanted[i]:
            reason[i] = why
        place = (value[i] << _SHIFT) | me
        if what == CONTROL:
            control = place
            control_now = place
            if barrier[i] & 1:
                control_on = place
            if barrier[i] & 2:
                control_off = place
        else:
            last_of_key[key[i]] = place
            if what == ON:
                on_max = max(on_max, place)
                if on_tick[key[i]] != now:
                    on_before[key[i]] = on_here[key[i]]
                    on_tick[key[i]] = now
                on_here[key[i]] = value[i]
            elif what == OFF:
                off_max = max(off_max, place)
            else:
                control = place


@njit(cache=True)
def _pull_earlier(first, end, tick, track, role, key, barrier, base, wanted, value, reason):
    """Walk backward and give every event its base, or earlier where one behind it demands that."""
    far = np.int64(_FAR) << _SHIFT
    next_of_key = np.full(128, far, np.int64)
    # the next note-off of each key, its tick as written, and the next one of a later tick
    off_here = np.full(128, np.int64(_FAR), np.int64)
    off_tick = np.full(128, -1, np.int64)
    off_behind = np.full(128, np.int64(_FAR), np.int64)
    control = control_on = control_off = far
    now = np.int64(-1)
    on_min = off_min = on_now = far
    for i in range(end - 1, first - 1, -1):
        me = track[i]
        what = role[i]
        if tick[i] != now:
            now = tick[i]
            on_now = far
        most = np.int64(_FAR)
        why = COUPLED
        if what == CONTROL:
            most = min(_most(control, me), _most(on_now, me))
            if barrier[i] & 1:
                most = min(most, _most(on_min, me))
            if barrier[i] & 2:
                most = min(most, _most(off_min, me))
        else:
            bound = _most(next_of_key[key[i]], me)
            if bound < most:
                most = bound
                why = KEY
            if what == ON:
                bound = _most(control_on, me)
            elif what == OFF:
                bound = _most(control_off, me)
            else:
                bound = _most(control, me)
            if bound < most:
                most = bound
                why = COUPLED
            if what == ON:
                bound = (off_here[key[i]] if off_tick[key[i]] > now else off_behind[key[i]]) - 1
                if bound < most:
                    most = bound
                    why = LENGTH
        value[i] = min(base[i], most)
        if most < wanted[i]:
            reason[i] = why
        place = (value[i] << _SHIFT) | me
        if what == CONTROL:
            control = place
            if barrier[i] & 1:
                control_on = place
            if barrier[i] & 2:
                control_off = place
        else:
            next_of_key[key[i]] = place
            if what == ON:
                on_min = min(on_min, place)
                on_now = min(on_now, place)
            elif what == OFF:
                off_min = min(off_min, place)
                if off_tick[key[i]] != now:
                    off_behind[key[i]] = off_here[key[i]]
                    off_tick[key[i]] = now
                off_here[key[i]] = value[i]
            else:
                control = place


@njit(cache=True)
def order_limits(starts, tick, track, role, key, barrier, wanted, state):
    """Move the active events as near to their wanted ticks as the order allows.

    Settled events stand at their wanted ticks; passive ones are decided later and only hand constraints on. Pushing
    every active event that is too early behind those before it gives one solution, pulling every one that is too late
    before those behind it gives another; the middle of the two meets every constraint too, and two notes that want to
    pass each other meet half way.

    Parameters
    ----------
    starts : ndarray of int64 [shape=(c + 1,)], first row of each channel, then the number of rows
    tick : ndarray of int64 [shape=(n,)], ticks as written
    track : ndarray of int32 [shape=(n,)]
    role : ndarray of int8 [shape=(n,)], ON, OFF, CONTROL, KEYED
    key : ndarray of int32 [shape=(n,)], 0 to 127; not read for CONTROL
    barrier : ndarray of int8 [shape=(n,)], for CONTROL: 1 to keep its side of note-ons, 2 of note-offs
    wanted : ndarray of int64 [shape=(n,)], ticks; the settled ones must keep all constraints
    state : ndarray of int8 [shape=(n,)], PASSIVE, ACTIVE, SETTLED

    Returns
    -------
    new : ndarray of int64 [shape=(n,)]
        Ticks; for passive events as wanted.
    reason : ndarray of int8 [shape=(n,)]
        For active events that could not go where they wanted: START, KEY, LENGTH or COUPLED, else FREE.
    """
    n = len(tick)
    new = wanted.copy()
    reason = np.zeros(n, np.int8)
    base = np.empty(n, np.int64)
    low = np.empty(n, np.int64)
    high = np.empty(n, np.int64)
    for g in range(len(starts) - 1):
        first, end = starts[g], starts[g + 1]
        busy = False
        for i in range(first, end):
            busy = busy or state[i] == ACTIVE
            base[i] = wanted[i] if state[i] == SETTLED else 0
        if not busy:
            continue
        # The room that the settled events leave ...
        _push_later(first, end, tick, track, role, key, barrier, base, wanted, low, reason)
        for i in range(first, end):
            base[i] = wanted[i] if state[i] == SETTLED else _FAR
        _pull_earlier(first, end, tick, track, role, key, barrier, base, wanted, high, reason)
        # ... and within it the active ones among themselves.
        lowest = low[first:end].copy()
        for i in range(first, end):
            if state[i] == ACTIVE:
                base[i] = min(max(wanted[i], low[i]), high[i])
            elif state[i] == PASSIVE:
                base[i] = 0
        aim = base[first:end].copy()
        _push_later(first, end, tick, track, role, key, barrier, base, wanted, low, reason)
        for i in range(first, end):
            if state[i] == PASSIVE:
                base[i] = _FAR
            elif state[i] == ACTIVE:
                base[i] = max(aim[i - first], lowest[i - first])
        _pull_earlier(first, end, tick, track, role, key, barrier, base, wanted, high, reason)
        for i in range(first, end):
            if state[i] == ACTIVE:
                new[i] = (low[i] + high[i] + 1) >> 1
            if state[i] != ACTIVE or new[i] == wanted[i]:
                reason[i] = FREE
    return new, reason
