"""Decode one track of a Standard MIDI File from the words of the standard, an event at a time.

Returns rows (tick, offset, status, data1, data2, length, delta length, running) and how the reading ended:
"end" (End of Track), "missing" (bytes used up), "truncated", "number" (over four bytes).
"""

from __future__ import annotations


class _Cut(Exception):
    pass


class _Number(Exception):
    pass


def _number(data, at):
    value = 0
    for k in range(4):
        if at + k >= len(data):
            raise _Cut
        value = value * 128 + data[at + k] % 128
        if data[at + k] < 128:
            return value, at + k + 1
    raise _Number


def _data_bytes(status):
    if status < 0xF0:
        return 1 if status // 16 in (12, 13) else 2
    return {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(status, 0)


def smf_decode(data):
    rows = []
    at = tick = 0
    running = None
    while at < len(data):
        start = at
        try:
            try:
                delta, at = _number(data, at)
            except _Number:
                # the standard's four bytes are over; whether a fifth is there at all decides
                if len(data) - start <= 4:
                    raise _Cut from None
                raise
            if at == len(data):
                raise _Cut
            event = at
            if data[at] >= 128:
                status, written = data[at], True
                at += 1
            elif running is None:
                at += 2 if at + 1 < len(data) and data[at + 1] < 128 else 1
                tick += delta
                continue
            else:
                status, written = running, False
            data1 = data2 = -1
            if status in (0xF0, 0xF7, 0xFF):
                if status == 0xFF:
                    if at == len(data):
                        raise _Cut
                    data1 = data[at]
                    at += 1
                size, at = _number(data, at)
                if at + size > len(data):
                    raise _Cut
                at += size
            else:
                count = _data_bytes(status)
                values = [min(v, 127) for v in data[at : at + count]]
                if len(values) < count:
                    raise _Cut
                data1, data2 = [*values, -1, -1][:2]
                at += count
                if status < 0xF0:
                    running = status
        except _Cut:
            return rows, "truncated"
        except _Number:
            return rows, "number"
        tick += delta
        rows.append((tick, event, status, data1, data2, at - event, event - start, not written))
        if (status, data1) == (0xFF, 0x2F):
            return rows, "end"
    return rows, "missing"
