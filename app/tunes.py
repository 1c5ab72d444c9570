"""The music that ships: a public-domain minuet and a drum pattern of our own, as compact data.

Conventions
-----------
Everything lies exactly where it is written: nothing here was played. A bar of rest comes first, so that a note may come
early without lying before the beginning. A beat is a quarter note. Melodies are words
``pitch:length``, the length in eighths (1 when left out); drum bars are rows of sixteen places, a digit being a
stroke's loudness (1 ghost to 9 accent) and ``.`` silence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.notes import Notes
from ..core.take import with_drum_names
from ..core.timeline import Metre, Timeline

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_REST_BARS = 1
_FLAM_BEAT = 0.05  # a grace stroke lies this far before its hit: 29 ms at 104 bpm

# Menuet in G, first strain (16 bars of 3/4), attributed to Christian Petzold (1677-1733); in the notebook of
# Anna Magdalena Bach, 1725 (BWV Anh. 114). Long in the public domain; this encoding is our own.
_UPPER = """
    D5:2 G4 A4 B4 C5 | D5:2 G4:2 G4:2 | E5:2 C5 D5 E5 F#5 | G5:2 G4:2 G4:2
    C5:2 D5 C5 B4 A4 | B4:2 C5 B4 A4 G4 | F#4:2 G4 A4 B4 G4 | A4:6
    D5:2 G4 A4 B4 C5 | D5:2 G4:2 G4:2 | E5:2 C5 D5 E5 F#5 | G5:2 G4:2 G4:2
    C5:2 D5 C5 B4 A4 | B4:2 C5 B4 A4 G4 | A4:2 B4 A4 G4 F#4 | G4:6
"""
_LOWER = """
    G3:4 A3:2 | B3:6 | C4:6 | B3:6
    A3:6 | G3:6 | D4:2 B3:2 G3:2 | D4:2 D3 C4 B3 A3
    B3:4 A3:2 | G3:2 B3:2 G3:2 | C4:6 | B3:2 C4 B3 A3 G3
    A3:4 F#3:2 | G3:4 B3:2 | C4:2 D4:2 D3:2 | G3:4 G2:2
"""

# General MIDI keys
_KICK, _SNARE, _CLOSED, _OPEN, _CRASH, _HIGH, _LOW, _FLOOR = 36, 38, 42, 46, 49, 48, 45, 41
_GROOVE = {
    _CLOSED: "8.5.7.5.8.5.7.5.",
    _SNARE: "....9..2.1..9..1",
    _KICK: "9......6..8.....",
}
_TURN = {
    _CLOSED: "8.5.7.5.8.5.7...",
    _OPEN: "..............7.",
    _SNARE: "....9..2.1..9..1",
    _KICK: "9......6..8..5..",
}
_FILL = {
    _CLOSED: "8.5.7.5.........",
    _SNARE: "....9...8678....",
    _HIGH: "............87..",
    _LOW: "..............8.",
    _FLOOR: "...............9",
    _KICK: "9......6....7...",
}
_FORM = (_GROOVE, _GROOVE, _GROOVE, _TURN, _GROOVE, _GROOVE, _TURN, _FILL) * 2
_CRASH_BARS = (0, 8)
_FLAM_BARS = (3, 6, 11, 14)  # the backbeat on four


@dataclass(frozen=True)
class Tune:
    """Quantized music.

    Parameters
    ----------
    title : str
    notes : Notes
    tempo_bpm : float
    metre : Metre
    programs : dict
        General MIDI program of each channel.
    """

    title: str
    notes: Notes
    tempo_bpm: float
    metre: Metre
    programs: dict[int, int]

    def to_midi(self) -> bytes:
        """Return the tune as a MIDI file of format 1."""
        from ..core.smf import write_new_smf

        return write_new_smf(
            None,
            self.notes,
            Timeline.constant(self.tempo_bpm),
            self.metre,
            ticks_per_beat=960,
            programs=self.programs,
        )


def minuet() -> Tune:
    """Return the minuet's first strain, played twice as the repeat sign asks, in two voices."""
    rows: list[tuple[float, float, int, float, int]] = []
    for track, (line, velocity) in enumerate(((_UPPER, 72.0), (_LOWER, 60.0))):
        beat = _REST_BARS * 3.0
        for word in line.replace("|", " ").split() * 2:
            name, _, eighths = word.partition(":")
            length = int(eighths or 1) / 2.0
            rows.append((beat, length, _pitch(name), velocity, track))
            beat += length
    return _tune("Menuet in G (C. Petzold)", rows, 116.0, Metre.parse("3/4"), channel=0)


def drum_pattern() -> Tune:
    """Return sixteen bars of 4/4: backbeat, ghost strokes, open hats, flams and two fills."""
    rows: list[tuple[float, float, int, float, int]] = []
    for bar, pattern in enumerate(_FORM):
        for key, row in pattern.items():
            for place, stroke in enumerate(row):
                if stroke == ".":
                    continue
                beat = 4.0 * (_REST_BARS + bar) + place / 4.0
                if key == _CLOSED and place == 0 and bar in _CRASH_BARS:
                    rows.append((beat, 0.25, _CRASH, 108.0, 0))
                    continue
                rows.append((beat, 0.25, key, 8.0 + 12.0 * int(stroke), 0))
                if key == _SNARE and place == 12 and bar in _FLAM_BARS:
                    rows.append((beat - _FLAM_BEAT, 0.04, key, 52.0, 0))
    end = 4.0 * (_REST_BARS + len(_FORM))
    rows += [(end, 0.25, _CRASH, 112.0, 0), (end, 0.25, _KICK, 116.0, 0)]
    return _tune("Sixteen bars of drums", rows, 104.0, Metre.parse("4/4"), channel=9)


def _pitch(name: str) -> int:
    """Return the MIDI number of a name like ``F#4`` (C4 = 60)."""
    sharp = name.count("#")
    return 12 * (int(name[-1]) + 1) + _STEPS[name[0]] + sharp


def _tune(
    title: str, rows: list[tuple[float, float, int, float, int]], tempo_bpm: float, metre: Metre, channel: int
) -> Tune:
    rows = sorted(rows, key=lambda r: (r[0], r[4], r[2]))
    beat, length, pitch, velocity, track = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    clock = Timeline.constant(tempo_bpm)
    notes = Notes.build(
        onset_s=clock.seconds_at(beat),
        duration_s=clock.seconds_at(beat + length) - clock.seconds_at(beat),
        onset_beat=beat,
        duration_beat=length,
        pitch=pitch,
        velocity=velocity,
        track=track.astype(np.int64),
        channel=np.full(len(rows), channel),
    )
    return Tune(title, with_drum_names(notes), tempo_bpm, metre, {} if channel == 9 else {0: 0})
