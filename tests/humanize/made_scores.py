"""Scores and profiles made by hand for the tests of fit, perform and the players."""

from __future__ import annotations

import hashlib

import numpy as np

from takeprint.core.notes import Notes
from takeprint.core.profile import Profile
from takeprint.core.take import Take, with_drum_names
from takeprint.core.timeline import Timeline


def take_of(rows, tempo_bpm=110.0, name="made") -> Take:
    """Make a take of (beat, duration_beat, pitch, velocity, track, channel) rows."""
    table = np.array(sorted(rows, key=lambda r: (r[0], r[4], r[2])), dtype=float)
    clock = Timeline.constant(tempo_bpm)
    beat, length = table[:, 0], table[:, 1]
    notes = Notes.build(
        onset_s=clock.seconds_at(beat),
        duration_s=clock.seconds_at(beat + length) - clock.seconds_at(beat),
        onset_beat=beat,
        duration_beat=length,
        pitch=table[:, 2],
        velocity=table[:, 3],
        track=table[:, 4].astype(int),
        channel=table[:, 5].astype(int),
    )
    digest = hashlib.sha256(table.tobytes() + name.encode()).hexdigest()
    end = float((notes.onset_s + notes.duration_s).max())
    return Take(name, "midi", digest, end, notes=with_drum_names(notes), timeline=clock)


def groove(bars=64, track=0, velocity=None) -> list[tuple]:
    """Hats on eighths, kick on 1 and 3, snare on 2 and 4 with a ghost before 4."""
    rows = []
    for bar in range(bars):
        at = 4.0 * bar
        rows += [(at + k / 2, 0.25, 42, velocity or (90 if k % 2 == 0 else 60), track, 9) for k in range(8)]
        rows += [(at + k, 0.25, 36, velocity or 100, track, 9) for k in (0, 2)]
        rows += [(at + k, 0.25, 38, velocity or 105, track, 9) for k in (1, 3)]
        rows += [(at + 2.75, 0.25, 38, velocity or 35, track, 9)]
    return rows


def chorale(bars=64, track=1, channel=0) -> list[tuple]:
    """Four-voice chords on every beat, eighths in the top voice, the top louder."""
    rows = []
    for bar in range(bars):
        for beat in range(4):
            at = 4.0 * bar + beat
            rows += [(at, 1.0, p + beat, 55, track, channel) for p in (36, 52, 57)]
            rows += [(at, 0.5, 72 + beat, 75, track, channel), (at + 0.5, 0.5, 74 + beat, 70, track, channel)]
    return rows


def planted() -> Profile:
    """A drum profile whose every figure is known."""
    levels = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
    normal = [-2.326, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326]
    apart = {"hat": 4.0, "kick": 8.0, "snare": 12.0}
    means = {"hat": 0.0, "kick": -6.0, "snare": 8.0}
    level = {"hat": 70.0, "kick": 90.0, "snare": 80.0}
    none = {"between_takes": 0.0, "between_takes_cell": 0.0}
    cells = {"hat": range(0, 48, 6), "kick": (0, 24), "snare": (12, 33, 36)}
    template = [
        {
            "voice": v, "cell": c, "beat": 1 + c / 12, "n": 100, "timing_ms": means[v], "timing_sd_ms": 10.0,
            "velocity": level[v] + (10.0 if c % 12 == 0 else -10.0), "velocity_sd": 8.0,
        }
        for v in cells for c in cells[v]
    ]  # fmt: skip
    dynamics = {
        v: {"n": 100, "mean": level[v], "sd": 8.0, "lag1": 0.2, "bar_memory": 0.4, "quantiles": normal, **none}
        for v in apart
    }
    model = {
        "takes": 1,
        "notes": 300,
        "voices": sorted(apart),
        "template": template,
        "timing": {
            "n": 300,
            "voices": {v: {"n": 100, "mean": means[v], "sd": 14.0, "asynchrony": apart[v], **none} for v in apart},
            "clock": {"n": 300, "beta": 1.0, "corner": 0.0, "sd": 10.0, "window": 128, "motor": 0.0},
            "coupling": {"n": 300, "ms_per_velocity": 0.3, "correlation": None},
        },
        "dynamics": {"n": 300, "absolute": True, "quantile_levels": levels, "voices": dynamics},
        "articulation": {"n": 0, "mean_log2": 0.0, "sd_log2": 0.0, "lag1": 0.0},
        "tempo": {"n": 0, "arch_log2": 0.0, "phrase_beats": 16, "drift_sd_log2": 0.0, "beta": 1.0, "window": 64},
    }
    return Profile("planted", "drums", {}, model)
