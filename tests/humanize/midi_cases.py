"""What the renderer's tests share: random MIDI files, deviations by hand, and the referee."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from takeprint.core.deviations import DeviationNotes, Deviations, TempoCurve
from takeprint.core.take import Take, load_take
from takeprint.core.timeline import Timeline

# Program changes may go along with a note, too: they never pass it (G6).
MOVED_KINDS = (0xA, 0xB, 0xC, 0xD, 0xE)


def vlq(number: int) -> bytes:
    out = [number & 127]
    while number := number >> 7:
        out.append(128 | (number & 127))
    return bytes(reversed(out))


def midi(tracks, *, division: int = 480, kind: int = 1) -> bytes:
    """Return a file of tracks given as [(tick, event bytes)], written in the order of tick."""
    out = b"MThd" + (6).to_bytes(4, "big")
    out += b"".join(n.to_bytes(2, "big") for n in (kind, len(tracks), division))
    for events in tracks:
        body, last = b"", 0
        for tick, raw in sorted(events, key=lambda e: e[0]):
            body += vlq(tick - last) + raw
            last = tick
        body += b"\x0a\xff\x2f\x00"
        out += b"MTrk" + len(body).to_bytes(4, "big") + body
    return out


def notes_track(notes, channel: int = 0, velocity: int = 64) -> list[tuple[int, bytes]]:
    """Return the events of (on tick, off tick, key) notes."""
    out = []
    for on, off, key in notes:
        out.append((on, bytes([0x90 | channel, key, velocity])))
        out.append((off, bytes([0x80 | channel, key, 64])))
    return out


def take_of(data: bytes, folder: Path) -> Take:
    path = folder / "case.mid"
    path.write_bytes(data)
    return load_take(path)


def planted(take: Take, onset_ms=0.0, velocity=0.0, log2_length=0.0, label="match", tempo=None) -> Deviations:
    """Return deviations made by hand: scalars or a value per note of the take, against its own clock or a tempo."""
    notes, n = take.notes, len(take.notes)
    onset_ms, velocity, log2_length = (np.broadcast_to(v, n).astype(float) for v in (onset_ms, velocity, log2_length))
    reference = {"kind": "click", "timing_basis": "reference", "metre": take.metre.to_list()}
    reference["tempo_map"] = take.timeline.to_dict()
    start_s = notes.onset_s
    if tempo is not None:
        reference |= {"kind": "score", "timing_basis": "tempo"}
        start_s = Timeline(tempo.beat, tempo.time_s).seconds_at(notes.onset_beat)
    rows = DeviationNotes.build(
        label=np.broadcast_to(label, n),
        reference_index=np.arange(n),
        take_index=np.arange(n),
        track=notes.track,
        channel=notes.channel,
        reference_beat=notes.onset_beat,
        reference_duration_beat=notes.duration_beat,
        reference_velocity=notes.velocity,
        reference_onset_s=notes.onset_s,
        reference_pitch=notes.pitch,
        onset_s=start_s + onset_ms / 1000.0,
        duration_s=notes.duration_s * 2.0**log2_length,
        pitch=notes.pitch,
        velocity=notes.velocity + velocity,
        timing_ms=onset_ms,
        dynamics_velocity=velocity,
        articulation_log2=log2_length,
    )
    return Deviations(notes=rows, tempo=tempo if tempo is not None else TempoCurve.build(0), reference=reference)


def same_order(notes) -> np.ndarray:
    """Return the rows so that notes of one track, channel and key stand in the order of the file."""
    return np.lexsort((notes.on_event, notes.pitch, notes.channel, notes.track))


_CONTROLLERS = (64, 64, 66, 1, 7, 11, 4, 0, 32, 101, 6, 120, 123)
_OTHERS = (b"\xff\x05\x02la", b"\xff\x51\x03\x07\xa1\x20", b"\xff\x51\x03\x03\x00\x00", b"\xf0\x02\x7d\xf7")


@st.composite
def _events(draw, channel: int, keys: int, bends: bool) -> list[tuple[int, bytes]]:
    events = []
    ticks = st.integers(0, 400)
    for _ in range(draw(st.integers(0, 8))):
        on, key = draw(ticks), 60 + draw(st.integers(0, keys))
        length = draw(st.sampled_from([0, 0, 1, 2, 30, 100, 300]))
        events.append((on, bytes([0x90 | channel, key, draw(st.integers(1, 127))])))
        how = draw(st.integers(0, 9))
        if how == 0:
            continue  # a hanging note
        off = bytes([0x90 | channel, key, 0]) if how < 5 else bytes([0x80 | channel, key, 33])
        events.append((on + length, off))
    for _ in range(draw(st.integers(0, 6))):
        value, key = draw(st.integers(0, 127)), 60 + draw(st.integers(0, keys))
        controller = bytes([0xB0 | channel, draw(st.sampled_from(_CONTROLLERS)), value])
        bend = bytes([0xE0 | channel, 0, value]) if bends else controller
        program, pressure = bytes([0xC0 | channel, value]), bytes([0xD0 | channel, value])
        of_key, orphan = bytes([0xA0 | channel, key, value]), bytes([0x80 | channel, key, 64])
        raw = draw(st.sampled_from([controller, controller, program, pressure, of_key, bend, orphan]))
        events.append((draw(ticks), raw))
    for _ in range(draw(st.integers(0, 2))):
        events.append((draw(ticks), draw(st.sampled_from(_OTHERS))))
    return events


@st.composite
def midi_files(draw) -> bytes:
    """Return small files with overlapping, empty, hanging notes, pedals, bends and tracks that share a channel."""
    kind = draw(st.sampled_from([0, 1, 1, 1, 2]))
    keys, bends = draw(st.integers(0, 3)), draw(st.booleans())
    tracks = [
        draw(_events(channel=draw(st.integers(0, 1)), keys=keys, bends=bends))
        for _ in range(1 if kind == 0 else draw(st.integers(1, 4)))
    ]
    # Without any order of kinds within a tick: a file may hold every one.
    tracks = [draw(st.permutations(events)) for events in tracks]
    return midi(tracks, kind=kind, division=draw(st.sampled_from([24, 96, 480, 0xE728])))
