"""Small takes of our own making, for the faces."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest

TICKS = 480
BEATS = 64


def written(rows: list[tuple[int, int, int, int]], channel: int, tempo_us: int = 500_000) -> mido.MidiFile:
    """Return a MIDI file of (tick, length in ticks, pitch, velocity) rows."""
    track = mido.MidiTrack()
    events = [
        (0, 0, mido.MetaMessage("set_tempo", tempo=tempo_us)),
        (0, 0, mido.MetaMessage("track_name", name="Part")),
    ]
    for tick, length, pitch, velocity in rows:
        events.append((tick, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((tick + length, 1, mido.Message("note_off", channel=channel, note=pitch)))
    now = 0
    for tick, _, message in sorted(events, key=lambda e: e[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS)
    file.tracks.append(track)
    return file


def melody(human: bool) -> list[tuple[int, int, int, int]]:
    """Return a line of eighths; the human one is late and early, louder and softer, and slips now and then."""
    rng = np.random.default_rng(5)
    scale = (60, 62, 64, 65, 67, 69, 71, 72)
    rows = []
    for k in range(2 * BEATS):
        tick, length, velocity = k * TICKS // 2, TICKS // 2 - 20, 80
        if human:
            tick = max(0, tick + round(float(rng.normal(0, 8))))
            length -= round(float(rng.integers(0, 60)))
            velocity += round(float(rng.normal(0, 9)))
            if k in (41, 90):
                continue
        rows.append((tick, length, scale[(k * 5) % 8], int(np.clip(velocity, 1, 127))))
        if human and k == 60:
            rows.append((tick + 130, 60, 50, 40))
    return rows


@pytest.fixture(scope="session")
def midi_score(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the written line."""
    path = tmp_path_factory.mktemp("score") / "score.mid"
    written(melody(human=False), channel=0).save(path)
    return path


@pytest.fixture(scope="session")
def midi_take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same line as somebody played it to the click."""
    path = tmp_path_factory.mktemp("take") / "take.mid"
    written(melody(human=True), channel=0).save(path)
    return path


@pytest.fixture(scope="session")
def drum_pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return sixteen bars of a quantized beat."""
    rows = []
    for bar in range(16):
        start = bar * 4 * TICKS
        rows += [(start + k * TICKS // 2, 60, 42, 90) for k in range(8)]
        rows += [(start + k * TICKS, 60, 36 if k % 2 == 0 else 38, 100) for k in range(4)]
    path = tmp_path_factory.mktemp("drums") / "beat.mid"
    written(rows, channel=9).save(path)
    return path
