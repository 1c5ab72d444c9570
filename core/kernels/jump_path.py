"""Follow played notes through a score that may be left and entered anywhere."""

from __future__ import annotations

import numpy as np
from numba import njit

# More notes than hands and an orchestra's chords have; without a bound, notes at one instant cost their cube.
_AHEAD = 32


@njit(cache=True)
def jump_path(member, toll, due, pitch, before, onset, low, high, gain, added, price):
    """Give each played note a position of the score, so that the most notes are explained.

    A played note either is written at its position (its own gain; the same pitch a second time in one visit is none)
    or is added there, at its own price. From one note to the next the path stays, goes on to a later position, goes
    back (price 0 and price 1 a position), or leaps anywhere from where it stands best (price 2 and price 3 a position).
    Every position from the first to the last of a go has its toll, which the gains of its notes pay back. To begin
    later and to end earlier than the score costs the tolls left out, or three quarters of a leap and price 3 a place.

    Rhythm (price 4) tells apart what pitches leave open: to stay costs price 4 times the square of the time since the
    last note there as a share of the time due until the next position; to go on costs price 4 times the square of the
    difference between the time taken and the time due as a share of the time due, counted from the first or the last
    note of the position that is left, whichever fits better; neither more than price 4. What hands and fingers spread
    anyway (price 5, seconds) is added to the time due before shares are taken. Whether to stay or to come anew is
    decided with the notes that follow within that time (no more than 32): who stays may have spent their pitches.

    Parameters
    ----------
    member : ndarray of uint8 [shape=(p, n)]
        Whether pitch (a row) is written at position (a column).
    toll : ndarray of float64 [shape=(n,)]
        Price of each position: what its written notes cost where none is played.
    due : ndarray of float64 [shape=(n + 1,)], seconds
        Increasing: when each position would come at the local tempo, from any origin; last the end.
    pitch : ndarray of int64 [shape=(m,)]
        Row of ``member`` of each played note, in order of time.
    before : ndarray of int64 [shape=(m,)]
        The played note before with the same pitch, -1 for none.
    onset : ndarray of float64 [shape=(m,)], seconds
    low, high : ndarray of int64 [shape=(m,)]
        Positions each played note may have, ``low <= position < high``.
    gain, added : ndarray of float64 [shape=(m,)]
        Of each played note: gain where it is written, price where it is not.
    price : ndarray of float64 [shape=(6,)]
        Of going back, of each position back, of a leap, of each position of it, of a rhythm that is wrong; last the
        spread in seconds.

    Returns
    -------
    position : ndarray of int64 [shape=(m,)]
        -1 where there are none.
    step : ndarray of int64 [shape=(m,)]
        How the note was reached: 0 stayed, 1 went on, 2 leapt (also the first), 3 went back; plus 4 where the note is
        written there.
    total : float
    """
    n, m = len(toll), len(pitch)
    if n == 0 or m == 0:
        return np.full(m, -1, dtype=np.int64), np.zeros(m, dtype=np.int64), 0.0
    back_once, back_each, leap, leap_each = price[0], price[1], price[2], price[3]
    rhythm, slack = price[4], price[5]
    start = np.zeros(m + 1, dtype=np.int64)
    for j in range(m):
        start[j + 1] = start[j] + high[j] - low[j]
    back = np.zeros(start[m], dtype=np.int8)
    ahead = np.zeros(n + 1)
    for i in range(n):
        ahead[i + 1] = ahead[i] + toll[i]
    value = np.full(n, -np.inf)
    onward = np.full(n + 1, -np.inf)  # entry i: the best of the positions before i, their tolls paid
    origin = np.zeros(n + 1, dtype=np.int64)  # entry i: which position that was
    way = 0
    homeward = np.full(n + 1, -np.inf)  # entry i: the best of the positions after i, less the way back
    entered = np.zeros(n, dtype=np.int64)
    latest = np.zeros(n, dtype=np.int64)
    best_at = np.zeros(m, dtype=np.int64)
    best = 0.0
    last_low, last_high = 0, 0
    for j in range(m):
        # What the note before could not reach is out of reach.
        for i in range(low[j], min(last_low, high[j])):
            value[i] = -np.inf
            onward[i] = -np.inf
            homeward[i] = -np.inf
        for i in range(max(last_high, low[j]), high[j]):
            value[i] = -np.inf
            onward[i + 1] = -np.inf
            homeward[i] = -np.inf
        if last_low >= high[j] or last_high <= low[j]:
            onward[low[j]] = -np.inf
        row = member[pitch[j]]
        # From the last position down: going on reads what the note before left at earlier ones.
        for i in range(high[j] - 1, low[j] - 1, -1):
            if j == 0:
                value[i] = -min(ahead[i], 0.75 * leap + leap_each * i) - toll[i] + (gain[j] if row[i] else -added[j])
                entered[i] = j
                latest[i] = j
                back[i - low[j]] = 6 if row[i] else 2
                continue
            stay = value[i] - added[j]
            come = -np.inf
            code = 0
            if row[i]:
                if before[j] < entered[i]:
                    share = (onset[j] - onset[latest[i]]) / (due[i + 1] - due[i] + slack)
                    stay = value[i] + gain[j] - rhythm * min(1.0, share * share)
                    code = 4
                if onward[i] > -np.inf:
                    k = origin[i]
                    wanted = due[i] - due[k]
                    first = (onset[j] - onset[entered[k]] - wanted) / (wanted + slack)
                    last = (onset[j] - onset[latest[k]] - wanted) / (wanted + slack)
                    come = onward[i] - rhythm * min(1.0, first * first, last * last)
                    way = 5
                if homeward[i] - back_once > come:
                    come = homeward[i] - back_once
                    way = 7
                jump = best - leap - leap_each * abs(i - best_at[j - 1])
                if jump > come:
                    come = jump
                    way = 6
                come += gain[j] - toll[i]
                # The notes that follow at once decide with it: in a first visit they may be spent.
                fresh = 0.0
                k = j + 1
                while k < m and k <= j + _AHEAD and onset[k] <= onset[j] + slack:
                    if member[pitch[k], i] and before[k] < j:
                        fresh += gain[k] + added[k]
                        if before[k] < entered[i]:
                            fresh -= gain[k] + added[k]
                    k += 1
                if come + fresh >= stay:
                    stay = come
                    code = way
            value[i] = stay
            if code >= 4:
                latest[i] = j
            if code >= 5:
                entered[i] = j
            back[start[j] + i - low[j]] = code
        best = -np.inf
        onward[low[j]] = -np.inf
        for i in range(low[j], high[j]):
            if value[i] > best:
                best = value[i]
                best_at[j] = i
            over = onward[i] - toll[i]
            if over > value[i]:
                onward[i + 1] = over
                origin[i + 1] = origin[i]
                back[start[j] + i - low[j]] += 8
            else:
                onward[i + 1] = value[i]
                origin[i + 1] = i
        ahead_of = -np.inf
        for i in range(high[j] - 1, low[j] - 1, -1):
            homeward[i] = ahead_of
            if value[i] > ahead_of:
                ahead_of = value[i]
            else:
                back[start[j] + i - low[j]] += 16
            ahead_of -= back_each
        last_low, last_high = low[j], high[j]
    total = -np.inf
    at = 0
    for i in range(low[m - 1], high[m - 1]):
        final = value[i] - min(ahead[n] - ahead[i + 1], 0.75 * leap + leap_each * (n - 1 - i))
        if final > total:
            total = final
            at = i
    position = np.zeros(m, dtype=np.int64)
    step = np.zeros(m, dtype=np.int64)
    for j in range(m - 1, -1, -1):
        code = back[start[j] + at - low[j]] & 7
        position[j] = at
        step[j] = code
        if j == 0:
            break
        if code & 3 == 1:
            at -= 1
            while back[start[j - 1] + at - low[j - 1]] & 8:
                at -= 1
        elif code & 3 == 2:
            at = best_at[j - 1]
        elif code & 3 == 3:
            at += 1
            while back[start[j - 1] + at - low[j - 1]] & 16:
                at += 1
    return position, step, total
