"""An independent referee for humanized MIDI files: a slow, obvious parser and the guarantees G1 to G11.

Nothing here is taken from takeprint.core.smf: it is written from "Standard MIDI Files 1.0" alone. It reads what the
standard allows, RIFF wrappers, foreign chunks and a few common flaws (running status after meta events, data bytes over
127, events behind an early End of Track, a missing End of Track); for anything worse it raises ``Unreadable``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field


class Unreadable(Exception):
    """The referee cannot judge this file."""


@dataclass
class Event:
    """One event: where it lies in time, and its bytes with the status byte always written."""

    tick: int
    raw: bytes

    @property
    def kind(self) -> str:
        status = self.raw[0]
        if 0x90 <= status < 0xA0 and self.raw[2] > 0:
            return "on"
        if 0x80 <= status < 0xA0:
            return "off"
        if status == 0xFF:
            return "end" if self.raw[1] == 0x2F else "tempo" if self.raw[1] == 0x51 else "meta"
        return "channel" if status < 0xF0 else "system"

    @property
    def key(self) -> tuple[int, int]:
        """Channel and key of a note event."""
        return self.raw[0] & 15, self.raw[1]


@dataclass
class File:
    format: int
    division: int
    claimed: int
    tracks: list[list[Event]] = field(default_factory=list)
    alien: list[bytes] = field(default_factory=list)


class _Bytes:
    """A reader that never goes past its end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise Unreadable(f"cut at {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        value = 0
        for _ in range(4):
            byte = self.byte()
            value = (value << 7) + (byte & 0x7F)
            if byte < 0x80:
                return value
        raise Unreadable("a number of more than four bytes")

    @property
    def left(self) -> int:
        return len(self.data) - self.at


def parse_track(data: bytes) -> list[Event]:
    """Read the events of one track chunk's content."""
    source, tick, running = _Bytes(data), 0, None
    events: list[Event] = []
    while source.left:
        tick += source.number()
        first = source.byte()
        if first < 0x80:
            if running is None:
                raise Unreadable("data without status")
            source.at -= 1
            status = running
        else:
            status = first
        if status < 0xF0:
            running = status
            count = 1 if 0xC0 <= status <= 0xDF else 2
            raw = bytes([status]) + bytes(min(b, 127) for b in source.take(count))
        elif status == 0xFF:
            kind, begin = source.byte(), source.at
            source.take(source.number())
            raw = bytes([0xFF, kind]) + source.data[begin : source.at]
        elif status in (0xF0, 0xF7):
            begin = source.at
            source.take(source.number())
            raw = bytes([status]) + source.data[begin : source.at]
        else:
            raw = bytes([status]) + source.take({0xF1: 1, 0xF2: 2, 0xF3: 1}.get(status, 0))
        events.append(Event(tick, raw))
    return events


def _until_end(data: bytes) -> list[Event]:
    """Read a track; what lies behind its first End of Track counts only when it is flawless and ends with another."""
    try:
        events = parse_track(data)
        if events and events[-1].kind == "end":
            return events
        if not any(e.kind == "end" for e in events):
            return events
    except Unreadable:
        pass
    for size in range(len(data) + 1):
        if data[:size].endswith(b"\xff\x2f\x00"):
            try:
                events = parse_track(data[:size])
            except Unreadable:
                continue
            if events and events[-1].kind == "end":
                return events
    raise Unreadable("a track that breaks off")


def parse(data: bytes) -> File:
    """Read a whole file."""
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        riff = _Bytes(data)
        riff.take(12)
        while True:
            name, size = riff.take(4), int.from_bytes(riff.take(4), "little")
            body = riff.take(size)
            riff.at += size & 1
            if name == b"data":
                data = body
                break
    source = _Bytes(data)
    if source.take(4) != b"MThd":
        raise Unreadable("no header")
    head = source.take(int.from_bytes(source.take(4), "big"))
    if len(head) < 6:
        raise Unreadable("short header")
    file = File(*(int.from_bytes(head[i : i + 2], "big") for i in (0, 4, 2)))
    while source.left >= 8:
        name, size = source.take(4), int.from_bytes(source.take(4), "big")
        if not all(32 <= c < 127 for c in name):
            break  # matter behind the last chunk
        body = source.take(size)
        if name == b"MTrk":
            file.tracks.append(_until_end(body))
        else:
            file.alien.append(name + body)
    return file


def pairs(events: list[Event]) -> dict[tuple[int, int], list[list[int]]]:
    """Return [on tick, off tick or -1] of each (channel, key) of a track, first in, first out, in order of onset."""
    notes: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    ended: Counter[tuple[int, int]] = Counter()
    for event in events:
        if event.kind == "on":
            notes[event.key].append([event.tick, -1])
        elif event.kind == "off" and ended[event.key] < len(notes[event.key]):
            notes[event.key][ended[event.key]][1] = event.tick
            ended[event.key] += 1
    return dict(notes)


def _plain(event: Event) -> bytes:
    """An event's bytes without what a humanizer may set: the velocity."""
    return event.raw[:2] if event.kind in ("on", "off") else event.raw


def _guarantee_1_8(
    track: int, a: list[Event], b: list[Event], moved: set[int], tempo: bool, extra: set[bytes]
) -> list[str]:
    """Non-note events: the same, at the same ticks, in the same order; those bound to notes may move in time."""
    out = []
    here = [e for e in a if e.kind not in ("on", "off", "end") and not (tempo and e.kind == "tempo")]
    there = [
        e for e in b if e.kind not in ("on", "off", "end") and not (tempo and e.kind == "tempo") and e.raw not in extra
    ]
    lost = Counter(e.raw for e in here) - Counter(e.raw for e in there)
    gained = Counter(e.raw for e in there) - Counter(e.raw for e in here)
    out += [f"G1 track {track}: event lost: {raw[:12].hex(' ')} x{n}" for raw, n in lost.items()]
    out += [f"G1 track {track}: event gained: {raw[:12].hex(' ')} x{n}" for raw, n in gained.items()]
    if lost or gained:
        return out

    def is_moved(event: Event) -> bool:
        return event.kind == "channel" and event.raw[0] >> 4 in moved

    fixed_a = [(e.tick, e.raw) for e in here if not is_moved(e)]
    fixed_b = [(e.tick, e.raw) for e in there if not is_moved(e)]
    if fixed_a != fixed_b:
        x, y = next((x, y) for x, y in zip(fixed_a, fixed_b, strict=True) if x != y)
        out.append(f"G8 track {track}: {x[1][:8].hex(' ')} at tick {x[0]} became {y[1][:8].hex(' ')} at tick {y[0]}")
    # bound events keep their order within their channel
    for channel in range(16):
        strip_a = [e.raw for e in here if is_moved(e) and e.raw[0] & 15 == channel]
        strip_b = [e.raw for e in there if is_moved(e) and e.raw[0] & 15 == channel]
        if strip_a != strip_b:
            out.append(f"G6 track {track} channel {channel}: bound events changed their order")
    return out


def _guarantee_3_4_5(track: int, a: list[Event], b: list[Event]) -> list[str]:
    """Notes: all there, none left hanging, same-key order kept, none of them squeezed to nothing."""
    out = []
    if Counter(_plain(e) for e in a if e.kind == "on") != Counter(_plain(e) for e in b if e.kind == "on"):
        return [f"G5 track {track}: the note-ons are not the same"]
    kinds_a, kinds_b = _by_key(a), _by_key(b)
    notes_a, notes_b = pairs(a), pairs(b)
    for key in sorted(kinds_a | kinds_b):
        mine_a, mine_b = kinds_a.get(key, []), kinds_b.get(key, [])
        where = f"track {track} channel {key[0]} key {key[1]}"
        if mine_b.count("on") - mine_b.count("off") > mine_a.count("on") - mine_a.count("off"):
            out.append(f"G3 {where}: a note hangs that did not")
        if mine_a != mine_b:
            out.append(f"G4 {where}: the order of on and off changed")
        first, second = notes_a.get(key, []), notes_b.get(key, [])
        if sum(end < 0 for _, end in second) > sum(end < 0 for _, end in first):
            out.append(f"G3 {where}: a note lost its off")
        for (on_a, off_a), (on_b, off_b) in zip(first, second, strict=True):
            if off_a > on_a and off_b == on_b:
                out.append(f"G4 {where} tick {on_a}: a note became empty")
    return out


def _by_key(events: list[Event]) -> dict[tuple[int, int], list[str]]:
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for event in events:
        if event.kind in ("on", "off"):
            found[event.key].append(event.kind)
    return dict(found)


def _guarantee_4_shared(a: list[list[Event]], b: list[list[Event]]) -> list[str]:
    """Same-key order over the tracks that share a channel."""

    def sequence(tracks: list[list[Event]]) -> dict[tuple[int, int], list[tuple[int, str]]]:
        found: dict[tuple[int, int], list[tuple[int, int, int, str]]] = defaultdict(list)
        for t, events in enumerate(tracks):
            for i, e in enumerate(events):
                if e.kind in ("on", "off"):
                    found[e.key].append((e.tick, t, i, e.kind))
        return {key: [(t, kind) for _, t, _, kind in sorted(rows)] for key, rows in found.items()}

    first, second = sequence(a), sequence(b)
    return [
        f"G4 channel {key[0]} key {key[1]}: the order of on and off over the tracks changed"
        for key in first
        if len({t for t, _ in first[key]}) > 1 and first[key] != second.get(key)
    ]


def _passed(events: list[Event], channel: int, picked: Callable[[Event], bool]) -> dict[tuple[int, int], int]:
    """Return for each note-on of a channel (key, how manieth of it) the number of picked events before it."""
    count: Counter[int] = Counter()
    seen, out = 0, {}
    for event in events:
        if event.raw[0] >= 0xF0 or event.raw[0] & 15 != channel:
            continue
        if event.kind == "on":
            out[event.raw[1], count[event.raw[1]]] = seen
            count[event.raw[1]] += 1
        elif picked(event):
            seen += 1
    return out


def _guarantee_6_7(track: int, a: list[Event], b: list[Event]) -> list[str]:
    """Program changes, bends and pressure keep their side of every note-on; notes before a pedal-up stay before it."""
    out = []
    for channel in sorted({e.raw[0] & 15 for e in a if e.kind == "on"}):

        def kinds(*nibbles: int) -> Callable[[Event], bool]:
            return lambda event: event.raw[0] >> 4 in nibbles

        def pedal_up(e: Event) -> bool:
            return e.raw[0] >> 4 == 11 and e.raw[1] == 64 and e.raw[2] < 64

        where = f"track {track} channel {channel}"
        if _passed(a, channel, kinds(12)) != _passed(b, channel, kinds(12)):
            out.append(f"G6 {where}: a program change passed a note-on")
        bends = any(e.raw[0] == 0xE0 | channel for e in a)
        if bends and _passed(a, channel, kinds(10, 11, 13, 14)) != _passed(b, channel, kinds(10, 11, 13, 14)):
            out.append(f"G6 {where}: a bend, pressure or controller event passed a note-on")
        up_a, up_b = _passed(a, channel, pedal_up), _passed(b, channel, pedal_up)
        if any(up_b.get(note, 0) > up_a[note] for note in up_a):
            out.append(f"G7 {where}: a note that began before a pedal-up begins after it")
    return out


def check_guarantees(
    before: bytes,
    after: bytes,
    *,
    allow_tempo: bool = False,
    moved_kinds: tuple[int, ...] = (0xA, 0xB, 0xD, 0xE),
    added: tuple[bytes, ...] = (),
    max_shift_ticks: int | None = None,
) -> list[str]:
    """List how a humanized file breaks the guarantees G1 to G11 towards its input; empty when it keeps them.

    Parameters
    ----------
    before, after : bytes
        The input and the output.
    allow_tempo : bool
        Tempo events may come, go and change (``tempo`` rendered as ``set_tempo``).
    moved_kinds : tuple of int
        High nibbles of the channel messages that may move with their notes: poly pressure, controllers, channel
        pressure, pitch bend. Without any, they must stay at their tick.
    added : tuple of bytes
        Whole events (status, type, length, payload) that the output may have more of, as the disclosure.
    max_shift_ticks : int or None
        No note-on may have moved farther.

    Raises
    ------
    Unreadable
        When the input or the output is too broken to judge.
    """
    a, b = parse(before), parse(after)
    out = []
    if (a.format, a.division) != (b.format, b.division):
        out.append(f"G9, G10: format and division {a.format}, {a.division:#x} became {b.format}, {b.division:#x}")
    if len(a.tracks) != len(b.tracks) or a.claimed != b.claimed:
        return [*out, f"G10: {len(a.tracks)} tracks became {len(b.tracks)}"]
    if a.alien != b.alien:
        out.append("G10: foreign chunks changed")
    moved = set(moved_kinds)
    for track, (x, y) in enumerate(zip(a.tracks, b.tracks, strict=True)):
        out += _guarantee_1_8(track, x, y, moved, allow_tempo, set(added))
        out += _guarantee_3_4_5(track, x, y)
        out += _guarantee_6_7(track, x, y)
        if x and y and y[-1].tick < x[-1].tick:
            out.append(f"G8 track {track}: the end moved from tick {x[-1].tick} to {y[-1].tick}")
        if y and y[-1].kind != "end" and x[-1].kind == "end":
            out.append(f"G1 track {track}: End of Track is lost")
        if any(e.tick < 0 for e in y):
            out.append(f"G11 track {track}: a negative time")
        if max_shift_ticks is not None:
            out += _too_far(track, x, y, max_shift_ticks)
    if a.format != 2:
        out += _guarantee_4_shared(a.tracks, b.tracks)
    return out


def _too_far(track: int, a: list[Event], b: list[Event], limit: int) -> list[str]:
    def onsets(events: list[Event]) -> dict[tuple[int, int], list[int]]:
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for e in events:
            if e.kind == "on":
                found[e.key].append(e.tick)
        return found

    first, second = onsets(a), onsets(b)
    return [
        f"G11 track {track} channel {key[0]} key {key[1]}: a note-on moved {abs(x - y)} ticks"
        for key in first
        for x, y in zip(first[key], second.get(key, []), strict=False)
        if abs(x - y) > limit
    ]
