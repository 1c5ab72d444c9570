"""What is written, and who plays which notes of it.

Conventions
-----------
All notes on MIDI channel 10 are one kit with one clock; other notes belong to one player per program, so that a piano's
two hands move together. Of a recording the measured onsets are what is written: their own times stay the reference.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import Take
from ..core.timeline import Metre, Timeline
from .players.part import Part

DRUM_CHANNEL = 9


def written(take: Take) -> tuple[Notes, Timeline, Metre]:
    """Return the score's notes with their beats, its clock and its metre; of audio, the measured onsets.

    Raises
    ------
    TakeprintError
        For a take without notes.
    """
    if take.kind == "audio":
        return _written_audio(take)
    notes, clock = take.notes, take.timeline
    if notes is None or not len(notes) or clock is None:
        raise TakeprintError("no notes to play", where=take.name, rule="a score holds at least one note")
    lost = ~np.isfinite(notes.onset_beat)
    if lost.any():
        notes = notes.replace(onset_beat=np.where(lost, clock.beats_at(notes.onset_s), notes.onset_beat))
    lost = ~np.isfinite(notes.duration_beat)
    if lost.any():
        ends = clock.beats_at(notes.onset_s + np.nan_to_num(notes.duration_s))
        notes = notes.replace(
            duration_beat=np.where(lost, np.maximum(ends - notes.onset_beat, 0.0), notes.duration_beat)
        )
    return notes, clock, take.metre


def _written_audio(take: Take) -> tuple[Notes, Timeline, Metre]:
    """Return an audio take's measured onsets as what is written: their own times stay the reference."""
    from ..analysis.measure import measure

    found = measure(take)
    rows = found.notes.rows(np.isfinite(found.notes.onset_s))
    if not len(rows):
        raise TakeprintError("no onsets to play", where=take.name, rule="audio needs at least one attack")
    clock = found.basis
    beat = clock.beats_at(rows.onset_s)
    notes = Notes.build(
        onset_s=rows.onset_s,
        duration_s=rows.duration_s,
        onset_beat=beat,
        # NaN stays NaN: how long a sound lasts is not always known.
        duration_beat=clock.beats_at(rows.onset_s + rows.duration_s) - beat,
        pitch=rows.pitch,
        velocity=rows.velocity,
        level_db=rows.level_db,
        onset_uncertainty_ms=rows.onset_uncertainty_ms,
        instrument=rows.instrument,
    )
    return notes, clock, found.metre


def selected_rows(notes: Notes, tracks: int | Iterable[int] | None) -> np.ndarray:
    """Return a mask of the notes to play."""
    if tracks is None:
        return np.ones(len(notes), dtype=bool)
    asked = [tracks] if isinstance(tracks, int | np.integer) else list(tracks)
    have = sorted(set(notes.track.tolist()))
    for track in asked:
        if isinstance(track, bool) or not isinstance(track, int | np.integer) or int(track) not in have:
            raise TakeprintError(
                f"track {track!r} holds no notes", rule=f"tracks with notes are {', '.join(map(str, have))}"
            )
    return np.isin(notes.track, [int(t) for t in asked])


def parts_of(take: Take, notes: Notes, clock: Timeline, metre: Metre) -> list[Part]:
    """Return the parts: the kit first, then one a program (a score without programs: one a track)."""
    kit = notes.channel == DRUM_CHANNEL
    if take.kind == "audio":
        kit = notes.instrument != ""
    role = np.full(len(notes), -1, dtype=np.int64)
    programs = take.smf.programs if take.smf is not None else {}
    if take.smf is None:
        role = notes.track.copy()
    else:
        for track, channel in set(zip(notes.track.tolist(), notes.channel.tolist(), strict=True)):
            rows = (notes.track == track) & (notes.channel == channel)
            # A program may be set in another track of the same channel.
            others = [p for (_, c), p in sorted(programs.items()) if c == channel]
            role[rows] = programs.get((track, channel), others[0] if others else 0)
    kind = "program" if take.smf is not None else "track"
    parts = []
    if kit.any():
        parts.append(Part.of("kit", True, notes, np.flatnonzero(kit), clock, metre))
    for number in sorted(set(role[~kit].tolist())):
        rows = np.flatnonzero(~kit & (role == number))
        # Sounds of a recording that were given no instrument's name have no track either.
        name = f"{kind} {number}" if number >= 0 else "other sounds"
        parts.append(Part.of(name, False, notes, rows, clock, metre))
    return parts
