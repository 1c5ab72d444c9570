"""Standard MIDI File tracks -> event columns, one pass over the bytes of each track.

Conventions
-----------
``wide`` rows: absolute tick, byte offset. ``narrow`` rows: track, status, data1, data2, length, delta length, flags.
``spans`` columns, a row per track: first event, one past the last event, byte where reading stopped, whether an
End of Track was met, tick of the last event. ``issues`` columns: issue number, byte offset, value, track.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# flags of an event
RUNNING = 1  # the status byte is not written, running status holds
UNUSABLE = 2  # a meta event whose length or value breaks its definition: kept, not used

# issue numbers; the words are in core/smf_repair.py
TRUNCATED = 1
NO_END_OF_TRACK = 2
AFTER_END_OF_TRACK = 3
STRAY_DATA = 4
RUNNING_AFTER_SYSTEM = 5
DATA_BYTE = 6
UNDEFINED_STATUS = 7
SYSTEM_MESSAGE = 8
SYSEX_BYTE = 9
META_TYPE = 10
META_LENGTH = 11
TEMPO_ZERO = 12
KEY_SIGNATURE = 13
TIME_SIGNATURE = 14
SMPTE_OFFSET = 15
HUGE_DELTA = 16
EARLY_END_OF_TRACK = 17

# outcomes
DONE = 0
FULL = 1  # the columns are too short
VLQ_TOO_LONG = 2
MESSAGE_TOO_LONG = 3
TOO_MANY_TICKS = 4

MAX_TICK = 1 << 38  # with 2**24 us a quarter note, microseconds * ticks still fit 63 bits


@njit(cache=True)
def _length_of_meta(kind):
    """Return the defined payload length of a meta event, -1 where any length is good."""
    if kind == 0x51:
        return 3
    if kind == 0x58:
        return 4
    if kind == 0x59:
        return 2
    if kind == 0x54:
        return 5
    if kind == 0x20 or kind == 0x21:
        return 1
    if kind == 0x2F:
        return 0
    return -1


@njit(cache=True)
def _issue_of_meta(data, kind, size, at):
    """Return the issue number of a meta event's payload, 0 for none."""
    if kind > 127:
        return META_TYPE
    right = _length_of_meta(kind)
    if right < 0:
        # A sequence number has two bytes, or none in the type 2 files that number their patterns by position.
        if kind == 0 and size != 0 and size != 2:
            return META_LENGTH
        return 0
    if size != right:
        return META_LENGTH
    if kind == 0x51 and data[at] == 0 and data[at + 1] == 0 and data[at + 2] == 0:
        return TEMPO_ZERO
    if kind == 0x58 and (data[at] == 0 or data[at + 1] > 7):
        return TIME_SIGNATURE
    if kind == 0x59:
        sharps = np.int64(data[at])
        if (7 < sharps < 249) or data[at + 1] > 1:
            return KEY_SIGNATURE
    if kind == 0x54 and (
        (data[at] & 31) > 23 or data[at + 1] > 59 or data[at + 2] > 59 or data[at + 3] > 29 or data[at + 4] > 99
    ):
        return SMPTE_OFFSET
    return 0


@njit(cache=True)
def smf_decode(data, starts, ends, first_end, max_message, wide, narrow, spans, issues):
    """Decode the tracks lying at ``data[starts[i]:ends[i]]``.

    Some programs write End of Track too early and go on. What follows it is read when it is flawless and ends
    with another End of Track, else left alone.

    Parameters
    ----------
    data : ndarray of uint8 [shape=(m,)]
    starts, ends : ndarray of int64 [shape=(t,)], byte offsets
    first_end : bool
        Stop at the first End of Track in any case.
    max_message : int, bytes
    wide : ndarray of int64 [shape=(2, k)], filled
    narrow : ndarray of int32 [shape=(7, k)], filled
    spans : ndarray of int64 [shape=(t, 5)], filled
    issues : ndarray of int64 [shape=(j, 4)], filled

    Returns
    -------
    tuple of (outcome, number of events, number of issues (may exceed j), byte offset, value)
    """
    room = wide.shape[1]
    issue_room = issues.shape[0]
    n = 0
    n_issues = 0
    for track in range(len(starts)):
        pos = starts[track]
        end = ends[track]
        tick = np.int64(0)
        running = 0
        cancelled = False
        ended = False
        truncated = False
        fatal = DONE
        fatal_at = pos
        fatal_value = np.int64(track)
        doubtful = False  # a flaw behind an early End of Track
        early_n = -1
        early_pos = pos
        early_tick = tick
        early_issues = 0
        begin = pos
        spans[track, 0] = n
        while pos < end:
            begin = pos
            # the delta time: up to four bytes of seven bits
            byte = np.int64(data[pos])
            pos += 1
            delta = byte & 127
            while byte > 127:
                if pos - begin >= 4:
                    fatal = VLQ_TOO_LONG
                    fatal_at = begin
                    break
                if pos >= end:
                    break
                byte = np.int64(data[pos])
                pos += 1
                delta = (delta << 7) | (byte & 127)
            if fatal != DONE:
                break
            if pos >= end:
                truncated = True
                break
            ended = False
            if n >= room:
                return FULL, n, n_issues, begin, track
            issue = 0
            value = np.int64(0)
            flags = 0
            data1 = -1
            data2 = -1
            at = pos
            status = np.int64(data[pos])
            if status < 0x80:
                if running == 0:
                    # Most messages have two data bytes: take these for one whose status is lost, and go on behind it.
                    if n_issues < issue_room:
                        issues[n_issues, 0] = STRAY_DATA
                        issues[n_issues, 1] = at
                        issues[n_issues, 2] = status
                        issues[n_issues, 3] = track
                    n_issues += 1
                    doubtful = True
                    tick += delta
                    pos += 1
                    if pos < end and data[pos] < 0x80:
                        pos += 1
                    continue
                if cancelled:
                    issue = RUNNING_AFTER_SYSTEM
                    value = running
                    cancelled = False
                status = running
                flags = RUNNING
            else:
                pos += 1
            if status < 0xF0:
                running = status
                cancelled = False
                two = status < 0xC0 or status >= 0xE0
                if pos + (2 if two else 1) > end:
                    truncated = True
                    break
                data1 = np.int64(data[pos])
                pos += 1
                if two:
                    data2 = np.int64(data[pos])
                    pos += 1
                if data1 > 127:
                    issue = DATA_BYTE
                    value = data1
                    data1 = 127
                if data2 > 127:
                    issue = DATA_BYTE
                    value = data2
                    data2 = 127
            elif status == 0xFF or status == 0xF0 or status == 0xF7:
                if status == 0xFF:
                    if pos >= end:
                        truncated = True
                        break
                    data1 = np.int64(data[pos])
                    pos += 1
                size = np.int64(0)
                count = 0
                byte = np.int64(128)
                while byte > 127 and pos < end and count < 4:
                    byte = np.int64(data[pos])
                    pos += 1
                    count += 1
                    size = (size << 7) | (byte & 127)
                if byte > 127:
                    if count == 4:
                        fatal = VLQ_TOO_LONG
                        fatal_at = at
                    else:
                        truncated = True
                    break
                if pos + size > end:
                    truncated = True
                    break
                if size > max_message:
                    fatal = MESSAGE_TOO_LONG
                    fatal_at = at
                    fatal_value = size
                    break
                if status == 0xFF:
                    issue = _issue_of_meta(data, data1, size, pos)
                    value = (data1 << 32) | size
                    if issue != 0:
                        flags |= UNUSABLE
                    ended = data1 == 0x2F
                elif status == 0xF0:
                    for i in range(pos, pos + size):
                        if data[i] > 127 and not (data[i] == 0xF7 and i == pos + size - 1):
                            issue = SYSEX_BYTE
                            value = np.int64(data[i])
                            break
                pos += size
                cancelled = running != 0
            else:
                issue = SYSTEM_MESSAGE
                value = status
                extra = 0
                if status == 0xF1 or status == 0xF3:
                    extra = 1
                elif status == 0xF2:
                    extra = 2
                elif status == 0xF4 or status == 0xF5 or status == 0xF9 or status == 0xFD:
                    issue = UNDEFINED_STATUS
                if pos + extra > end:
                    truncated = True
                    break
                if extra > 0:
                    data1 = np.int64(data[pos])
                if extra > 1:
                    data2 = np.int64(data[pos + 1])
                if data1 > 127 or data2 > 127:
                    issue = DATA_BYTE
                    value = max(data1, data2)
                    data1 = min(data1, 127)
                    data2 = min(data2, 127)
                pos += extra
                if status < 0xF8:
                    cancelled = running != 0
            tick += delta
            if tick > MAX_TICK:
                fatal = TOO_MANY_TICKS
                fatal_at = begin
                fatal_value = tick
                break
            wide[0, n] = tick
            wide[1, n] = at
            narrow[0, n] = track
            narrow[1, n] = status
            narrow[2, n] = data1
            narrow[3, n] = data2
            narrow[4, n] = pos - at
            narrow[5, n] = at - begin
            narrow[6, n] = flags
            n += 1
            if delta >= 1 << 27:
                if n_issues < issue_room:
                    issues[n_issues, 0] = HUGE_DELTA
                    issues[n_issues, 1] = begin
                    issues[n_issues, 2] = delta
                    issues[n_issues, 3] = track
                n_issues += 1
            if issue != 0:
                doubtful = True
                if n_issues < issue_room:
                    issues[n_issues, 0] = issue
                    issues[n_issues, 1] = at
                    issues[n_issues, 2] = value
                    issues[n_issues, 3] = track
                n_issues += 1
            if ended:
                if first_end or pos >= end:
                    break
                if early_n < 0:
                    early_n = n
                    early_pos = pos
                    early_tick = tick
                    early_issues = n_issues
                    doubtful = False
        left = early_n >= 0 and (doubtful or truncated or not ended or fatal != DONE)
        if left:
            n = early_n
            pos = early_pos
            tick = early_tick
            n_issues = early_issues
            truncated = False
            ended = True
        elif fatal != DONE:
            return fatal, n, n_issues, fatal_at, fatal_value
        spans[track, 1] = n
        spans[track, 2] = begin if truncated else pos
        spans[track, 3] = ended
        spans[track, 4] = tick
        kind = 0
        at = pos
        if truncated:
            kind = TRUNCATED
            at = begin
        elif not ended:
            kind = NO_END_OF_TRACK
        elif pos < end:
            kind = AFTER_END_OF_TRACK
        elif early_n >= 0:
            kind = EARLY_END_OF_TRACK
            at = early_pos
        if kind != 0:
            if n_issues < issue_room:
                issues[n_issues, 0] = kind
                issues[n_issues, 1] = at
                issues[n_issues, 2] = end - at
                issues[n_issues, 3] = track
            n_issues += 1
    return DONE, n, n_issues, 0, 0
