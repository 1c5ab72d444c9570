"""Measure a take: what a player did, note by note and moment by moment.

Conventions
-----------
Late, sharp, louder and longer are positive. Times are seconds, positions beats (a beat is a quarter note).

Against a click (or a MIDI file's own tempo map) ``timing_ms`` is the residual to the click itself less the constant
latency, and the tempo curve is told beside it. Against a score, another take or nothing it is the residual after the
tempo curve. Ornaments (flams, rolls) share the timing of the hit they decorate and are left out of the statistics.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import Take, load_take
from ..core.timeline import Metre
from .against_click import against_click
from .against_score import against_score
from .against_sound import against_recording, recording_against_written, written_against_recording
from .findings import find_differences
from .hearing import hear, with_sound
from .summary import summarise


def measure(
    take: Any,
    against: Any = None,
    *,
    click: float | str | None = None,
    meter: str | None = None,
    strict: bool = False,
) -> Deviations:
    """Measure a performance against a score, a click or nothing.

    Parameters
    ----------
    take : path, Take, pretty_midi.PrettyMIDI, (y, sample_rate) or partitura note array
        The performance, MIDI or audio.
    against : the same kinds, or None
        A score (MIDI, MusicXML or a match file) or another take, MIDI or audio: the studio version.
    click : float, ``"file"``, ``"none"`` or None
        Tempo of a click in bpm; the MIDI file's own tempo map; no click (the beat is inferred); None chooses: a MIDI
        file's own tempo map where its notes agree with it, otherwise none.
    meter : str or None
        Such as ``"3/4"``; None takes the file's own, or 4/4.
    strict : bool
        Refuse files that would be repaired.

    Returns
    -------
    Deviations

    Raises
    ------
    TakeprintError
        For unreadable input, contradictory options, or a reference of other music.
    """
    if against is not None and click is not None:
        raise TakeprintError("both a reference and a click are given", rule="a take is measured against one of them")
    played = load_take(take, strict=strict)
    metre = Metre.parse(meter) if meter else None
    reference = None if against is None else load_take(against, strict=strict, as_reference=True)
    measured = _measured_sound if played.notes is None else _measured_notes
    found, words = measured(played, reference, click, metre)
    found = found.replace(
        take=played.to_dict(),
        repairs=tuple(repair.to_dict() for repair in played.repairs),
        warnings=(*played.warnings, *words, *found.warnings),
    )
    found = found.replace(summary=summarise(found))
    return found.replace(findings=find_differences(found))


def _measured_notes(
    take: Take, reference: Take | None, click: float | str | None, metre: Metre | None
) -> tuple[Deviations, tuple[str, ...]]:
    """Measure a MIDI take; return also what there is to say about its notes."""
    assert take.notes is not None
    notes, words = _written_in(take, take.notes)
    if reference is None:
        return against_click(take, notes, click, metre), words
    if reference.kind == "audio":
        return written_against_recording(take, notes, reference, metre), words
    return against_score(take, notes, reference, metre), words


def _measured_sound(
    take: Take, reference: Take | None, click: float | str | None, metre: Metre | None
) -> tuple[Deviations, tuple[str, ...]]:
    """Measure a recording; return also what there is to say about its onsets."""
    heard = hear(take, to_align=reference is not None)
    words = () if len(heard.notes) else ("no onset was found",)
    if reference is None:
        # Pitch is laid beside what was matched, and takes no part in matching it: it may be missing anywhere.
        notes = heard.notes.replace(pitch=np.full(len(heard.notes), np.nan))
        return with_sound(against_click(take, notes, click, metre), heard), words
    against = against_recording if reference.kind == "audio" else recording_against_written
    found = against(take, heard, reference, metre)
    return with_sound(found.deviations, found.heard), words


def _written_in(take: Take, notes: Notes) -> tuple[Notes, tuple[str, ...]]:
    """Return a MIDI take's notes with their doubt, and what there is to say about them."""
    notes = notes.rows(np.isfinite(notes.onset_s))
    if take.smf is not None and take.timeline is not None and take.smf.ticks_per_beat and len(notes):
        tick_ms = 60_000.0 / take.timeline.tempo_bpm_at(notes.onset_beat) / take.smf.ticks_per_beat
        # A tick's rounding is uniform: 90 % of it lies within 0.45 tick.
        notes = notes.replace(onset_uncertainty_ms=0.45 * tick_ms)
        if float(np.median(tick_ms)) > 2.0:
            said = f"one tick is {float(np.median(tick_ms)):.1f} ms: timing finer than that is not in this file"
            return notes, (said,)
    return notes, () if len(notes) else ("the take has no notes",)
