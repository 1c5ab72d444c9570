"""Writing Standard MIDI Files: edited copies that keep every other byte, and new files.

Conventions
-----------
As in core/smf.py. A chunk that nothing changes is copied; a changed track is written event by event.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import TakeprintError
from .files import write_atomic
from .notes import Notes
from .smf_repair import place
from .timeline import Metre, Timeline

if TYPE_CHECKING:
    from .smf import Smf

Insert = tuple[int, int, bytes, int]
"""A new event: track, absolute tick, its bytes with status and without delta time, side (-1 before, 1 after)."""

MAX_TICK = 1 << 38  # as in core/kernels/smf_decode.py
_END_OF_TRACK = b"\xff\x2f\x00"


def _column(values: Any, old: np.ndarray, what: str) -> np.ndarray:
    """Return new values of an event column as int64."""
    if values is None:
        return old.astype(np.int64, copy=False)
    given = np.asarray(values)
    if given.shape != old.shape:
        raise TakeprintError(f"{what} has shape {given.shape}", rule=f"a value per event: {old.shape}")
    if given.dtype.kind not in "iu":
        raise TakeprintError(f"{what} is of type {given.dtype}", rule="events are edited in whole numbers")
    return given.astype(np.int64, copy=False)


def _vlq(number: int) -> bytes:
    out = [number & 127]
    while number := number >> 7:
        out.append(128 | (number & 127))
    return bytes(reversed(out))


def _check_event(raw: bytes) -> None:
    """Refuse bytes that are not exactly one event."""
    good = False
    if raw and 0x80 <= raw[0] < 0xF0:
        good = len(raw) == (2 if 0xC0 <= raw[0] < 0xE0 else 3) and max(raw[1:]) < 128
    elif raw and raw[0] in (0xF0, 0xF7, 0xFF):
        at = 2 if raw[0] == 0xFF else 1
        size = 0
        for i in range(at, min(len(raw), at + 4)):
            size = size << 7 | raw[i] & 127
            if raw[i] < 128:
                good = len(raw) == i + 1 + size and raw[:2] != b"\xff\x2f" and (at == 1 or raw[1] < 128)
                break
    if not good:
        raise TakeprintError(
            f"bytes {raw[:8].hex(' ')!r} to insert", rule="one whole event with its status byte, not End of Track"
        )


def _checked_data(smf: Smf, new: np.ndarray, old: np.ndarray, what: str) -> np.ndarray:
    """Return which events' data bytes change; refuse what cannot."""
    status = smf.events.status
    changed: np.ndarray = new != old
    at = np.flatnonzero(changed)
    if len(at) == 0:
        return changed
    if ((status[at] >= 0xF0) | (old[at] < 0) | (new[at] < 0) | (new[at] > 127)).any():
        raise TakeprintError(
            f"{what} changed to {new[at].min()}..{new[at].max()}",
            where=place(smf.name),
            rule="data bytes are 0 to 127, and only those of channel messages can change",
        )
    if what == "data2" and (((status[at] & 0xF0) == 0x90) & ((new[at] == 0) != (old[at] == 0))).any():
        raise TakeprintError(
            "a note-on's velocity changed to or from 0",
            where=place(smf.name),
            rule="velocity 0 means note-off; velocities are 1 to 127",
        )
    return changed


def _checked(
    smf: Smf, tick: Any, data1: Any, data2: Any, drop: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return ticks, data1, data2, whether the data change, whether the event goes; each a full column."""
    events = smf.events
    ticks = _column(tick, events.tick, "tick")
    first = _column(data1, events.data1, "data1")
    second = _column(data2, events.data2, "data2")
    gone = np.zeros(len(events), np.bool_) if drop is None else np.asarray(drop)
    if gone.shape != ticks.shape or gone.dtype != np.bool_:
        raise TakeprintError("drop is not a mask over the events", rule="one bool per event")
    if drop is not None and gone[smf.spans[smf.spans[:, 3] > 0, 1] - 1].any():
        raise TakeprintError("End of Track is to be dropped", rule="every track keeps its End of Track")
    if tick is not None and len(ticks) and (ticks.min() < 0 or ticks.max() > MAX_TICK):
        said = f"an event at tick {ticks.min() if ticks.min() < 0 else ticks.max()}"
        raise TakeprintError(said, where=place(smf.name), rule="ticks lie between 0 and 2^38")
    changed = np.zeros(len(events), np.bool_)
    if data1 is not None:
        changed |= _checked_data(smf, first, events.data1, "data1")
    if data2 is not None:
        changed |= _checked_data(smf, second, events.data2, "data2")
    return ticks, first, second, changed, gone


def edit(
    smf: Smf,
    *,
    tick: Any = None,
    data1: Any = None,
    data2: Any = None,
    drop: Any = None,
    insert: Sequence[Insert] = (),
) -> tuple[bytes, np.ndarray]:
    """Return the bytes of an edited copy and the old row of each of its events (-1: new); see ``Smf.edited``."""
    from .kernels.smf_encode import smf_encode

    events, n = smf.events, len(smf.events)
    ticks, first, second, changed, gone = _checked(smf, tick, data1, data2, drop)
    different = ticks != events.tick
    if data1 is not None or data2 is not None or drop is not None:
        different |= changed | gone
    touched = np.array([different[i:j].any() for i, j in smf.spans[:, :2].tolist()], np.bool_)
    for track, at, raw, side in insert:
        _check_event(raw)
        if not (0 <= track < smf.n_tracks and 0 <= at <= MAX_TICK and side in (-1, 1)):
            raise TakeprintError(
                f"an event to insert at track {track}, tick {at}, side {side}",
                rule="track and tick of the file; side -1 or 1",
            )
        touched[track] = True
    if not touched.any():
        return smf.data, np.arange(n)
    rows = _Rows(smf, ticks, first, second, changed, gone, touched, insert)
    parts: list[bytes] = []
    origin: list[np.ndarray] = []
    at = 0
    for track, (chunk, end) in enumerate(zip(smf.layout.chunks, smf.layout.ends, strict=True)):
        parts.append(_between(smf, at, chunk))
        at = end
        if not touched[track]:
            origin.append(np.arange(smf.spans[track, 0], smf.spans[track, 1]))
            parts += [b"MTrk", (end - chunk - 8).to_bytes(4, "big"), smf.data[chunk + 8 : end]]
            continue
        order, room = rows.of(track)
        out = np.empty(room, np.uint8)
        size = smf_encode(rows.pool, order, *rows.columns, out)
        if size < 0:
            raise TakeprintError(
                f"track {track} has a wait of more than {0x0FFFFFFF} ticks",
                where=place(smf.name),
                rule="a delta time has four bytes",
            )
        # what lies behind End of Track stays there; what could not be read without one does not
        rest = smf.data[int(smf.spans[track, 2]) : end] if smf.spans[track, 3] else b""
        parts += [b"MTrk", (size + len(rest)).to_bytes(4, "big"), out[:size].tobytes(), rest]
        origin.append(np.where(order < n, order, -1) if len(insert) or not smf.spans[track, 3] else order)
    parts.append(_between(smf, at, len(smf.data)))
    return _rewrapped(b"".join(parts), smf), np.concatenate(origin)


def _between(smf: Smf, begin: int, end: int) -> bytes:
    """Return what lies outside the tracks, flawed lengths mended.

    A length that lies is read by what follows it, and an edit changes that: it must not survive one.
    """
    layout = smf.layout
    kept = smf.data[begin:end]
    if begin <= layout.header < end:
        size_at = layout.header + 4 - begin
        size = (layout.header_end - layout.header - 8).to_bytes(4, "big")
        kept = kept[:size_at] + size + kept[size_at + 4 :]
    for first, last in reversed(layout.gaps):
        if begin <= first < end:
            kept = kept[: first - begin] + kept[last - begin :]
    return kept


def _rewrapped(data: bytes, smf: Smf) -> bytes:
    """Bring the sizes of a RIFF wrapper up to date."""
    if smf.layout.riff is None or len(data) == len(smf.data):
        return data
    riff_at, size_at, end = smf.layout.riff
    more = len(data) - len(smf.data)
    fixed = bytearray(data)
    size = end + more - size_at - 4
    fixed[size_at : size_at + 4] = size.to_bytes(4, "little")
    new_end = end + more
    old_pad = (end - size_at - 4) & 1 and end < len(smf.data)
    if old_pad and not size & 1:
        del fixed[new_end]
    elif not old_pad and size & 1 and end < len(smf.data):
        fixed.insert(new_end, 0)
    claimed = int.from_bytes(data[riff_at : riff_at + 4], "little")
    outside = max(0, len(smf.data) - 8 - claimed)  # bytes behind the wrapper
    fixed[riff_at : riff_at + 4] = max(0, len(fixed) - 8 - outside).to_bytes(4, "little")
    return bytes(fixed)


class _Rows:
    """The columns that the encoder reads: old events, then inserted ones, then missing Ends of Track."""

    def __init__(
        self,
        smf: Smf,
        ticks: np.ndarray,
        first: np.ndarray,
        second: np.ndarray,
        changed: np.ndarray,
        gone: np.ndarray,
        touched: np.ndarray,
        insert: Sequence[Insert],
    ) -> None:
        events = smf.events
        self._smf, self._gone = smf, gone
        new = [(int(t), int(at), bytes(raw), int(side)) for t, at, raw, side in insert]
        self._plain = not new and not gone.any()
        for track in np.flatnonzero(touched & (smf.spans[:, 3] == 0)).tolist():
            new.append((track, int(smf.spans[track, 4]), _END_OF_TRACK, 1))
        tick, offset, length = ticks, events.offset, events.length
        delta_length, status, running = events.delta_length, events.status, events.running
        self.pool = np.frombuffer(smf.data, np.uint8)
        self._new_tracks = np.array([row[0] for row in new], np.int64)
        self._sides = np.array([row[3] for row in new], np.int64)
        self._ends = np.array([row[2] == _END_OF_TRACK for row in new], np.bool_)
        if new:
            k = len(new)
            sizes = np.array([len(row[2]) for row in new], np.int64)
            self.pool = np.concatenate([self.pool, np.frombuffer(b"".join(row[2] for row in new), np.uint8)])
            tick = np.concatenate([tick, [row[1] for row in new]])
            offset = np.concatenate([offset, len(smf.data) + np.cumsum(sizes) - sizes])
            length = np.concatenate([length, sizes]).astype(np.int32)
            delta_length = np.concatenate([delta_length, np.zeros(k, np.int32)])
            status = np.concatenate([status, np.array([row[2][0] for row in new], np.int32)])
            running = np.concatenate([running, np.zeros(k, np.bool_)])
            first, second = (
                np.concatenate([first, np.zeros(k, np.int64)]),
                np.concatenate([second, np.zeros(k, np.int64)]),
            )
            changed = np.concatenate([changed, np.zeros(k, np.bool_)])
        self._tick = tick.copy()
        self._length = length
        self.columns = (self._tick, offset, length, delta_length, status, running, first, second, changed)

    def of(self, track: int) -> tuple[np.ndarray, int]:
        """Return a track's rows in the order of writing, and the room they need in bytes."""
        smf, n = self._smf, len(self._smf.events)
        begin, end = int(smf.spans[track, 0]), int(smf.spans[track, 1])
        if self._plain and smf.spans[track, 3]:
            ticks = self._tick[begin : end - 1]
            if not (ticks[1:] < ticks[:-1]).any():
                if len(ticks):
                    self._tick[end - 1] = max(self._tick[end - 1], ticks[-1])
                return np.arange(begin, end), int(self._length[begin:end].sum()) + 5 * (end - begin)
        rows = np.arange(begin, end)
        last = end - 1 if smf.spans[track, 3] else -1
        if last >= 0:
            rows = rows[:-1]
        if self._gone[begin:end].any():
            rows = rows[~self._gone[rows]]
        here = n + np.flatnonzero(self._new_tracks == track)
        if last < 0:
            ends = here[self._ends[here - n]]
            last, here = int(ends[0]), here[~self._ends[here - n]]
        if len(here):
            sides = np.concatenate([np.zeros(len(rows), np.int64), self._sides[here - n]])
            rows = np.concatenate([rows, here])
            rows = rows[np.lexsort((sides, self._tick[rows]))]
        else:
            ticks = self._tick[rows]
            if (ticks[1:] < ticks[:-1]).any():
                rows = rows[np.argsort(ticks, kind="stable")]
        if len(rows):
            self._tick[last] = max(self._tick[last], self._tick[rows[-1]])
        order = np.append(rows, last)
        return order, int(self._length[order].sum()) + 5 * len(order)


def write_new_smf(
    path: str | os.PathLike[str] | None,
    notes: Notes,
    tempo_map: Timeline | None = None,
    metre: Metre | None = None,
    *,
    ticks_per_beat: int = 960,
    programs: Mapping[int, int] | None = None,
    names: Mapping[int, str] | None = None,
    force: bool = False,
) -> bytes:
    """Make a new file of format 1: a conductor track, then the notes' tracks.

    Parameters
    ----------
    path : str, path or None
        Where to write; None only returns the bytes.
    notes : Notes
        ``onset_beat`` and ``duration_beat`` place them, or where those are not known the seconds through
        ``tempo_map``. Unknown velocity is 80, unknown channel 0, unknown track 0; unpitched rows are left out.
    tempo_map : Timeline or None
        A tempo event per knot; 120 bpm by default. Beat 0 lies at tick 0.
    metre : Metre or None
        4/4 by default.
    ticks_per_beat : int
        1 to 32767.
    programs : mapping of {channel: program} or None
    names : mapping of {track of the notes: name} or None
    force : bool
        Let an existing file be replaced.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    TakeprintError
        For values out of range, or when the file cannot be written.
    """
    if not 1 <= ticks_per_beat <= 32_767:
        raise TakeprintError(f"{ticks_per_beat} ticks a beat", rule="a beat has 1 to 32767 ticks")
    tempo_map = tempo_map or Timeline.constant(120.0)
    tracks = [_conductor(tempo_map, metre or Metre(), ticks_per_beat)]
    notes = notes.rows(np.isfinite(notes.pitch))
    onset = np.where(np.isfinite(notes.onset_beat), notes.onset_beat, tempo_map.beats_at(notes.onset_s))
    ends = tempo_map.beats_at(notes.onset_s + notes.duration_s)
    end = np.where(np.isfinite(notes.duration_beat), onset + notes.duration_beat, ends)
    velocity = np.where(np.isfinite(notes.velocity), notes.velocity, 80.0)
    if not (np.isfinite(onset).all() and np.isfinite(end).all()):
        raise TakeprintError("a note without onset or duration", rule="a written note has both, in beats or seconds")
    on_tick = np.rint(onset * ticks_per_beat).astype(np.int64)
    off_tick = np.maximum(np.rint(end * ticks_per_beat).astype(np.int64), on_tick)
    pitch = np.rint(notes.pitch).astype(np.int64)
    loud = np.rint(velocity).astype(np.int64)
    channel, track = np.maximum(notes.channel, 0), np.maximum(notes.track, 0)
    if len(pitch) and (
        on_tick.min() < 0
        or pitch.min() < 0
        or pitch.max() > 127
        or loud.min() < 1
        or loud.max() > 127
        or channel.max() > 15
    ):
        raise TakeprintError(
            "a note out of range", rule="onset from beat 0, pitch 0 to 127, velocity 1 to 127, channel 0 to 15"
        )
    for one in np.unique(track).tolist():
        rows = np.flatnonzero(track == one)
        # At one tick, old notes end before new ones start; a note of no length ends after its own start.
        events: list[tuple[int, int, int, bytes]] = []
        for i in rows.tolist():
            key, strip = int(pitch[i]), int(channel[i])
            events.append((int(on_tick[i]), 1, i, bytes([0x90 | strip, key, int(loud[i])])))
            events.append((int(off_tick[i]), 0 if off_tick[i] > on_tick[i] else 2, i, bytes([0x80 | strip, key, 64])))
        head = [(0, -1, 0, _meta(0x03, names[one].encode()))] if names and one in names else []
        for strip in np.unique(channel[rows]).tolist():
            if programs and strip in programs:
                if not 0 <= programs[strip] <= 127:
                    raise TakeprintError(f"program {programs[strip]}", rule="programs are 0 to 127")
                head.append((0, -1, 1 + strip, bytes([0xC0 | strip, programs[strip]])))
        tracks.append(sorted(head + events, key=lambda e: e[:3]))
    out = b"MThd" + b"".join(n.to_bytes(k, "big") for n, k in ((6, 4), (1, 2), (len(tracks), 2), (ticks_per_beat, 2)))
    out += b"".join(_track_chunk(events) for events in tracks)
    if path is not None:
        write_atomic(path, out, force=force)
    return out


def _meta(kind: int, payload: bytes) -> bytes:
    return bytes([0xFF, kind]) + _vlq(len(payload)) + payload


def _conductor(tempo_map: Timeline, metre: Metre, ticks_per_beat: int) -> list[tuple[int, int, int, bytes]]:
    """Return the events of tempo and metre."""
    events: list[tuple[int, int, int, bytes]] = []
    beats = np.concatenate([[0.0], tempo_map.beat[:-1][tempo_map.beat[:-1] > 0]])
    last = None
    for i, (beat, bpm) in enumerate(zip(beats.tolist(), tempo_map.tempo_bpm_at(beats).tolist(), strict=True)):
        us = round(60e6 / bpm)
        if not 1 <= us <= 0xFFFFFF:
            raise TakeprintError(f"tempo={bpm} bpm", rule="a MIDI tempo lies between 3.58 and 60 million bpm")
        if us != last:
            events.append((round(beat * ticks_per_beat), 1, i, _meta(0x51, us.to_bytes(3, "big"))))
        last = us
    for i, (beat, top, bottom) in enumerate(metre.changes):
        if not 1 <= top <= 255 or bottom not in (1, 2, 4, 8, 16, 32, 64, 128):
            raise TakeprintError(f"metre {top}/{bottom}", rule="1 to 255 over a power of two up to 128")
        said = bytes([top, bottom.bit_length() - 1, 24, 8])
        events.append((round(beat * ticks_per_beat), 0, i, _meta(0x58, said)))
    return sorted(events, key=lambda e: e[:3])


def _track_chunk(events: Sequence[tuple[int, int, int, bytes]]) -> bytes:
    """Return a whole track of events in order of tick."""
    out = bytearray()
    last = 0
    for tick, _, _, raw in events:
        if tick - last > 0x0FFFFFFF:
            raise TakeprintError(f"a wait of {tick - last} ticks", rule="a delta time has four bytes")
        out += _vlq(tick - last) + raw
        last = tick
    out += b"\x00" + _END_OF_TRACK
    return b"MTrk" + len(out).to_bytes(4, "big") + bytes(out)
