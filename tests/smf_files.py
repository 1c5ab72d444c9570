"""Standard MIDI Files made by hand, and those found in a folder."""

from __future__ import annotations

from pathlib import Path

EOT = b"\x00\xff\x2f\x00"


def vlq(number: int) -> bytes:
    out = bytes([number & 127])
    while number := number >> 7:
        out = bytes([128 | number & 127]) + out
    return out


def chunk(tag: bytes, body: bytes) -> bytes:
    return tag + len(body).to_bytes(4, "big") + body


def smf_of(*tracks: bytes, form: int = 1, division: int = 480) -> bytes:
    head = b"".join(n.to_bytes(2, "big") for n in (form, len(tracks), division))
    return chunk(b"MThd", head) + b"".join(chunk(b"MTrk", t) for t in tracks)


def note(wait: int, length: int, key: int, velocity: int = 80, channel: int = 0) -> bytes:
    return vlq(wait) + bytes([0x90 | channel, key, velocity]) + vlq(length) + bytes([0x80 | channel, key, 64])


def midi_below(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi") and p.is_file())
