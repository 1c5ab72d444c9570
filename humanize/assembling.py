"""Invented parts -> one table of deviations.

Conventions
-----------
One row per score note, ``reference_index`` its row in the score's ``Notes``. ``onset_s``, ``duration_s`` and
``velocity`` are the totals, the trace columns the parts; ``dynamics_velocity`` counts from the written velocity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.deviations import DeviationNotes, Deviations, TempoCurve
from ..core.notes import Notes
from ..core.take import Take
from ..core.timeline import Metre, Timeline
from .players.part import Invented, Part

# Notes of one key keep their order: none moves further than this share of the way to its neighbour.
_REACH = 0.45
# libm and FFT libraries differ in the last bits; rounding to a picosecond-like step makes results the same everywhere.
_STEP_MS = 1e-6


def assemble(
    take: Take,
    notes: Notes,
    clock: Timeline,
    metre: Metre,
    parts: Sequence[Part],
    invented: Sequence[Invented],
    selected: np.ndarray,
    tempo: TempoCurve,
    factor: Mapping[str, np.ndarray],
) -> Deviations:
    """Return the invented parts as one table.

    Parameters
    ----------
    take, notes, clock, metre
        What is written.
    parts, invented
        What is played, as it may be written with another swing.
    selected : ndarray of bool [shape=(n,)]
        Other notes stay as they are written.
    tempo : TempoCurve
    factor : mapping of str to ndarray [shape=(n,)]
        Each note's amount of ``timing``, ``dynamics`` and ``articulation``.
    """
    n = len(notes)
    timing_ms, added, held = np.zeros(n), np.zeros(n), np.zeros(n)
    for part, made in zip(parts, invented, strict=True):
        # A constant early or late bias is not invented: timing has zero median, as where it is measured.
        timing_ms[part.rows] = _within_reach(part, made.timing_ms - made.middle_ms)
        added[part.rows] = _velocity_change(part, made)
        held[part.rows] = made.articulation_log2
    timing_ms, added, held = timing_ms * factor["timing"], added * factor["dynamics"], held * factor["articulation"]
    timing_ms = np.where(selected, np.round(timing_ms / _STEP_MS) * _STEP_MS, 0.0)
    added = np.where(selected, np.round(added, 6), 0.0)
    held = np.where(selected, np.round(held, 9), 0.0)
    basis = Timeline(tempo.beat, tempo.time_s)
    onset_s = basis.seconds_at(notes.onset_beat) + timing_ms / 1000.0
    local_s = basis.seconds_at(notes.onset_beat + notes.duration_beat) - basis.seconds_at(notes.onset_beat)
    known = np.isfinite(notes.velocity)
    # General MIDI's loudness law, 40 log10 of the velocity, around mezzo forte for sounds without a velocity.
    added_db = 40.0 * np.log10(np.clip(64.0 + added, 1.0, 127.0) / 64.0)
    rows = DeviationNotes.build(
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
        onset_s=onset_s,
        onset_uncertainty_ms=np.zeros(n),
        duration_s=local_s * 2.0**held,
        pitch=notes.pitch,
        velocity=notes.velocity + added,
        level_db=notes.level_db,
        instrument=notes.instrument,
        timing_ms=timing_ms,
        dynamics_velocity=np.where(known, added, np.nan),
        dynamics_db=np.where(known, np.nan, np.round(added_db, 6)),
        articulation_log2=held,
    )
    reference = {
        "kind": "score",
        "name": take.name,
        "sha256": take.sha256,
        "metre": metre.to_list(),
        "tempo_map": clock.to_dict(),
        "timing_basis": "tempo",
        "dynamics_basis": "written",
    }
    order = np.lexsort((rows.reference_index, rows.pitch, rows.onset_s))
    nobody = {"name": take.name, "sha256": None, "kind": "none", "duration_s": float(np.nanmax(onset_s))}
    return Deviations(notes=rows.rows(order), tempo=tempo, take=nobody, reference=reference, latency_ms=0.0)


def _velocity_change(part: Part, made: Invented) -> np.ndarray:
    """Return what is added to the written velocity so that it stays between 1 and 127."""
    target = made.velocity if made.absolute else part.velocity + made.added(part)
    return np.nan_to_num(np.clip(target, 1.0, 127.0) - part.velocity)


def _within_reach(part: Part, timing_ms: np.ndarray) -> np.ndarray:
    """Keep each cluster of notes of one key within reach, so that the order of a key's notes is kept."""
    key = np.nan_to_num(part.pitch, nan=-1.0)
    order = np.lexsort((part.onset_s, key))
    gap_ms = np.diff(part.onset_s[order]) * 1000.0
    apart = (np.diff(key[order]) == 0) & (np.diff(part.leader[order]) != 0) & (gap_ms > 0.0)
    room = np.full((2, len(part)), np.inf)
    room[0, order[1:][apart]] = gap_ms[apart]
    room[1, order[:-1][apart]] = gap_ms[apart]
    own = _REACH * room.min(axis=0)
    # All strokes of a flam have the room of the tightest, else it would not stay rigid.
    shared = np.full(len(part), np.inf)
    np.minimum.at(shared, part.leader, own)
    limit = shared[part.leader]
    return np.clip(timing_ms, -limit, limit)


def settled(made: Deviations, clock: Timeline, notes: Notes) -> Deviations:
    """Give notes that nothing moves exactly the times they are written at; round what depends on the machine."""
    rows = made.notes
    index = rows.reference_index
    # Powers of two differ in the last bit from one numpy to another; a nanosecond is nothing.
    rows = rows.replace(duration_s=np.round(rows.duration_s, 9))
    written_s = clock.seconds_at(made.tempo.beat)
    if not np.array_equal(made.tempo.time_s, written_s):
        return made.replace(notes=rows)
    # The notes' own seconds: in a format 2 file each track has its own clock.
    onset_s = notes.onset_s[index] + rows.timing_ms / 1000.0
    held = rows.articulation_log2
    written = notes.duration_s[index]
    duration_s = np.where(held == 0.0, written, np.round(written * 2.0**held, 9))
    duration_s = np.where(np.isfinite(written), duration_s, rows.duration_s)
    return made.replace(notes=rows.replace(onset_s=onset_s, duration_s=duration_s))
