"""Takes and scores as plain rows, and rows back to deviations of a score.

Conventions
-----------
A row is a note; ``lead`` is the row of the hit it decorates (a flam, a roll), its own for all others. ``moment`` counts
the written places from 0, ``cell`` is the place in the bar in twelfths of a beat. Late and louder positive, ms and MIDI
velocity.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from takeprint.core.deviations import DeviationNotes, Deviations, TempoCurve
from takeprint.core.metrical import cells, groups, leaders
from takeprint.core.take import Take

from .sets import Item

VOICES = ("kick", "snare", "hat", "ride", "tom", "crash", "percussion")


@dataclass(frozen=True, eq=False)
class Rows:
    """Notes of one take or score, in order of (place, key).

    Parameters
    ----------
    index : ndarray of int64 [shape=(n,)], row in the score's notes or the take's deviations
    bar, cell, moment, voice, lead : ndarray of int64 [shape=(n,)]
    beat, timing_ms, velocity : ndarray [shape=(n,)]; timing is NaN for a score
    """

    index: np.ndarray
    bar: np.ndarray
    cell: np.ndarray
    moment: np.ndarray
    voice: np.ndarray
    lead: np.ndarray
    beat: np.ndarray
    timing_ms: np.ndarray
    velocity: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    @property
    def hits(self) -> np.ndarray:
        """Rows that are no ornaments."""
        return np.flatnonzero(self.lead == np.arange(len(self)))

    @property
    def slot(self) -> np.ndarray:
        """One number a voice and cell."""
        return self.voice * 4096 + self.cell


def voice_codes(instrument: np.ndarray) -> np.ndarray:
    """Return each instrument's number in ``VOICES``; the unknown ones are percussion."""
    numbers = {name: i for i, name in enumerate(VOICES)}
    return np.array([numbers.get(name, len(VOICES) - 1) for name in instrument.tolist()], dtype=np.int64)


def rows_of_take(item: Item) -> Rows:
    """Return what was played, ornaments with the hit they were found to decorate."""
    notes = item.deviations.notes
    index = np.flatnonzero(np.isfinite(notes.reference_beat) & np.isfinite(notes.timing_ms))
    index = index[np.lexsort((notes.pitch[index], notes.reference_beat[index]))]
    notes = notes.rows(index)
    bar, cell = cells(notes.reference_beat, item.deviations.metre)
    lead = np.arange(len(index))
    voice = voice_codes(notes.instrument)
    for row in np.flatnonzero(notes.ornament != ""):
        # The hit of the same key with the same timing lies nearest.
        near = np.flatnonzero((voice == voice[row]) & (notes.ornament == ""))
        if len(near):
            lead[row] = near[np.argmin(np.abs(notes.onset_s[near] - notes.onset_s[row]))]
    moment = groups(notes.reference_beat, np.zeros(len(index), dtype=np.int64))
    return Rows(index, bar, cell, moment, voice, lead, notes.reference_beat, notes.timing_ms, notes.velocity)


def rows_of_score(take: Take) -> Rows:
    """Return what is written."""
    notes = take.notes
    assert notes is not None
    index = np.lexsort((notes.pitch, notes.onset_beat))
    notes = notes.rows(index)
    bar, cell = cells(notes.onset_beat, take.metre)
    lead = leaders(notes.onset_beat, notes.onset_s, notes.velocity, notes.pitch.astype(np.int64))
    moment = groups(notes.onset_beat, np.zeros(len(index), dtype=np.int64))
    unknown = np.full(len(index), np.nan)
    return Rows(
        index, bar, cell, moment, voice_codes(notes.instrument), lead, notes.onset_beat, unknown, notes.velocity
    )


def laid(take: Take, timing_ms: np.ndarray, velocity: np.ndarray) -> Deviations:
    """Return deviations of a score from each note's timing and velocity, in the order of the score's notes."""
    notes, clock = take.notes, take.timeline
    assert notes is not None
    assert clock is not None
    n = len(notes)
    velocity = np.clip(velocity, 1.0, 127.0)
    table = DeviationNotes.build(
        label=np.full(n, "match"),
        confidence=np.ones(n),
        reference_index=np.arange(n),
        track=notes.track,
        channel=notes.channel,
        reference_beat=notes.onset_beat,
        reference_duration_beat=notes.duration_beat,
        reference_velocity=notes.velocity,
        reference_onset_s=notes.onset_s,
        reference_pitch=notes.pitch,
        onset_s=notes.onset_s + timing_ms / 1000.0,
        duration_s=notes.duration_s,
        pitch=notes.pitch,
        velocity=velocity,
        instrument=notes.instrument,
        timing_ms=timing_ms,
        dynamics_velocity=velocity - notes.velocity,
        articulation_log2=np.zeros(n),
    )
    tempo = TempoCurve(beat=clock.beat, time_s=clock.time_s, tempo_bpm=clock.tempo_bpm_at(clock.beat))
    reference = {
        "kind": "score",
        "name": take.name,
        "sha256": take.sha256,
        "metre": take.metre.to_list(),
        "tempo_map": clock.to_dict(),
        "timing_basis": "tempo",
        "dynamics_basis": "written",
    }
    return Deviations(notes=table, tempo=tempo, reference=reference)


def dice(*names: object) -> np.random.Generator:
    """Return a generator of random numbers known by its names."""
    key = hashlib.sha256("\x1f".join(str(name) for name in names).encode()).digest()
    return np.random.default_rng(int.from_bytes(key[:16], "big"))
