"""Write events of one track, one bytes object each, from the words of the standard."""

from __future__ import annotations


def _number(value):
    out = bytes([value % 128])
    while value >= 128:
        value //= 128
        out = bytes([128 + value % 128]) + out
    return out


def smf_encode(pool, order, tick, offset, length, delta_length, status, running, data1, data2, edited):
    parts = []
    last = 0
    held = None
    for i in order:
        delta = tick[i] - last
        last = tick[i]
        own = bytes(pool[offset[i] - delta_length[i] : offset[i]])
        said = sum((byte % 128) * 128**k for k, byte in enumerate(reversed(own)))
        parts.append(own if own and said == delta else _number(delta))
        event = bytes(pool[offset[i] : offset[i] + length[i]])
        if edited[i]:
            event = b"" if running[i] else bytes([status[i]])
            event += bytes(v for v in (data1[i], data2[i]) if v >= 0)
        if running[i] and held != status[i]:
            event = bytes([status[i]]) + event
        parts.append(event)
        if status[i] < 0xF0:
            held = status[i]
        elif not 0xF8 <= status[i] <= 0xFE:
            held = None
    return b"".join(parts)
