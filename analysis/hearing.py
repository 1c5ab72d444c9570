"""Hearing: everything that is measured in a recording's sound, in one pass, before it is held against a reference.

Conventions
-----------
Times are seconds of the recording, levels dB of full scale. What cannot be known is NaN or "", and never made up: a
take with several sounds at once has no pitch, a ringing drum has no end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import Deviations, PitchCurve
from ..core.notes import Notes
from ..core.take import Take
from .breath import BreathListener
from .fluctuation import describe
from .friction import FrictionListener
from .intonation import Intonation, measure_intonation, take_tuning
from .listening import Listener, Sound, listen
from .loudness import LoudnessListener, note_levels
from .note_ends import note_offsets
from .onsets import OnsetDetector, Onsets
from .pitch import PitchTrack, PitchTracker, is_monophonic
from .sustained import in_line
from .swells import SwellListener

if TYPE_CHECKING:
    from .warp_features import WarpFeatures

# An onset inside a breath this sure of itself is the breath's.
_SURE_BREATH = 0.7
# A soft note may look like a noise: an onset is taken out only for one this sure.
_SURE_NOISE = 0.7
_TUNING = ("tuning_hz", "tuning_cents", "tuning_uncertainty_cents")
_ANOTHER_NOTE_CENTS = 150.0


@dataclass(frozen=True)
class Heard:
    """What a recording holds.

    Parameters
    ----------
    notes : Notes
        Onsets with their doubt, level, instrument; pitch and duration where they can be known.
    onsets : Onsets
        The same onsets as they were detected.
    sound : ndarray of str [shape=(n,)]
        How each note begins: see ``Onsets.kind``.
    intonation : Intonation or None
        A row a note; None where there is no single line of pitch.
    pitch_curve : PitchCurve
        Empty where there is no single line of pitch.
    breath, friction : tuple of dict
    facts : dict
        For the document's ``reference``: ``tuning_hz`` and the like.
    warnings : tuple of str
    features : WarpFeatures or None
        What another recording or a score is aligned by, where that was asked for.
    """

    notes: Notes
    sound: np.ndarray
    onsets: Onsets
    intonation: Intonation | None = None
    pitch_curve: PitchCurve = field(default_factory=lambda: PitchCurve.build(0))
    breath: tuple[Mapping[str, Any], ...] = ()
    friction: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    features: WarpFeatures | None = None

    def with_found(self, onset_s: np.ndarray, uncertainty_ms: np.ndarray, row: np.ndarray) -> tuple[Heard, np.ndarray]:
        """Add notes that were found because another recording or a score told where to look.

        Parameters
        ----------
        onset_s, uncertainty_ms : ndarray [shape=(k,)]
        row : ndarray of int [shape=(k,)]
            The note each one is; -1 for one that is to be added.

        Returns
        -------
        heard : Heard
            With the added notes after the others, and nothing known of them but the onset.
        row : ndarray of int [shape=(k,)]
            The note each one is, the added ones numbered too.
        """
        new = np.flatnonzero(row < 0)
        added = Notes.build(onset_s=onset_s[new], onset_uncertainty_ms=uncertainty_ms[new])
        numbered = row.copy()
        numbered[new] = len(self.notes) + np.arange(len(new))
        sound = np.r_[self.sound, np.full(len(new), "")]
        return replace(self, notes=Notes.concatenate([self.notes, added]), sound=sound), numbered


def hear(take: Take, *, to_align: bool = False) -> Heard:
    """Measure everything in a recording that needs no reference.

    Parameters
    ----------
    take : Take
        Of kind ``"audio"``.
    to_align : bool
        Listen also for what a reference is aligned by.
    """
    sound = Sound.of_take(take)
    rate, peak = sound.rate, sound.peak
    detector, tracker, swell = OnsetDetector(rate, peak), PitchTracker(rate), SwellListener(rate)
    loudness, breathing, rubbing = LoudnessListener(rate), BreathListener(rate, peak), FrictionListener(rate, peak)
    features = None
    listeners: list[Listener] = [detector, tracker, swell, loudness, breathing, rubbing]
    if to_align:
        from .warp_features import WarpListener

        features = WarpListener(rate)
        listeners.append(features)
    listen(sound, *listeners)
    track, onsets, breath = tracker.result(), detector.result(), breathing.result()
    onsets, is_line = in_line(onsets, track, *swell.result())
    onsets = onsets if is_line else _without_breaths(onsets, breath)
    friction = rubbing.result(onsets.onset_s)
    onsets = _without_friction(onsets, friction)
    one_line = is_monophonic(track)  # every sustained line is
    level, ends = _levels_and_ends(loudness, onsets, track if one_line else None)
    notes = Notes.build(
        onset_s=onsets.onset_s,
        onset_uncertainty_ms=onsets.onset_uncertainty_ms,
        level_db=level,
        duration_s=ends - onsets.onset_s,
        instrument=onsets.instrument,
    )
    heard = Heard(notes, onsets.kind, onsets, breath=_rounded(breath), friction=_rounded(friction))
    if features is not None:
        heard = replace(heard, features=features.result())
    return _with_pitch(heard, track) if one_line else heard


def _with_pitch(heard: Heard, track: PitchTrack) -> Heard:
    """Add each note's pitch, its intonation and the take's tuning."""
    notes = heard.notes
    following = np.append(notes.onset_s[1:], float(track.time_s[-1]))
    length_s = np.where(np.isfinite(notes.duration_s), notes.duration_s, following - notes.onset_s)
    found = measure_intonation(track, notes.onset_s, np.maximum(length_s, 0.0))
    tuning = take_tuning(found)
    step = np.round(found.pitch - tuning.tuning_cents / 100.0)
    known = bool(np.isfinite(tuning.tuning_uncertainty_cents))
    facts = {name: float(getattr(tuning, name)) if known else None for name in _TUNING}
    curve = PitchCurve.build(
        time_s=np.round(track.time_s, 6), pitch_hz=np.round(track.pitch_hz, 3), confidence=np.round(track.confidence, 3)
    )
    return replace(heard, notes=notes.replace(pitch=step), intonation=found, pitch_curve=curve, facts=facts)


def _levels_and_ends(
    loudness: LoudnessListener, onsets: Onsets, pitch: PitchTrack | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each note's level in dB and its end in seconds, NaN where it cannot be known."""
    track = loudness.result()
    doubt_ms = onsets.onset_uncertainty_ms
    level = note_levels(track, onsets.onset_s, onset_uncertainty_ms=doubt_ms, group=onsets.instrument)
    ends = note_offsets(track, onsets.onset_s, onset_uncertainty_ms=doubt_ms, kind=onsets.kind, pitch=pitch)
    return level.level_db, ends.offset_s


def _without_breaths(onsets: Onsets, breath: tuple[Mapping[str, Any], ...]) -> Onsets:
    """Take out onsets that are a breath's."""
    keep = np.ones(len(onsets), dtype=bool)
    for event in breath:
        if event["confidence"] >= _SURE_BREATH:
            start_s = float(event["start_s"])
            keep &= (onsets.onset_s < start_s - 0.03) | (onsets.onset_s > start_s + float(event["duration_s"]) - 0.03)
    return onsets.rows(keep)


def _without_friction(onsets: Onsets, friction: tuple[Mapping[str, Any], ...]) -> Onsets:
    """Take out onsets that are no notes but noises."""
    noises = [int(e["belongs"]) for e in friction if e["belongs"] >= 0 and e["confidence"] >= _SURE_NOISE]
    return onsets.rows(np.setdiff1d(np.arange(len(onsets)), noises))


def _rounded(events: tuple[Mapping[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """Return events as the document has them: to a tenth of a millisecond and of a dB."""
    places = {"start_s": 4, "duration_s": 4, "level_db": 1, "confidence": 3}
    return tuple(
        {**{name: round(float(event[name]), digits) for name, digits in places.items()}, "kind": str(event["kind"])}
        for event in events
    )


def with_sound(deviations: Deviations, heard: Heard) -> Deviations:
    """Lay what was heard beside the rows that were matched: pitch, how notes begin, breath and friction."""
    rows = deviations.notes
    index = rows.take_index

    def of_take(column: np.ndarray) -> np.ndarray:
        nothing = "" if column.dtype.kind == "U" else np.nan
        # Of a note that was only found by looking nothing but the onset is known.
        known = (index >= 0) & (index < len(column))
        return (
            np.where(known, column[np.where(known, index, 0)], nothing) if len(column) else np.full(len(rows), nothing)
        )

    rows = rows.replace(sound=of_take(heard.sound))
    if heard.intonation is not None:
        of_note = heard.intonation
        cents = of_take(of_note.intonation_cents)
        off = 100.0 * (of_take(of_note.pitch) - rows.reference_pitch) - float(heard.facts["tuning_cents"] or 0.0)
        # Farther from what is written it is another note, and says nothing of intonation.
        against = np.where(np.abs(off) <= _ANOTHER_NOTE_CENTS, off, np.nan)
        rows = rows.replace(
            pitch=of_take(heard.notes.pitch),
            intonation_cents=np.round(np.where(np.isfinite(rows.reference_pitch), against, cents), 3),
            intonation_uncertainty_cents=np.round(of_take(of_note.intonation_uncertainty_cents), 3),
            drift_cents=np.round(of_take(of_note.drift_cents), 3),
            vibrato_rate_hz=np.round(of_take(of_note.vibrato_rate_hz), 4),
            vibrato_extent_cents=np.round(of_take(of_note.vibrato_extent_cents), 3),
            vibrato_delay_s=np.round(of_take(of_note.vibrato_delay_s), 4),
        )
    return deviations.replace(
        notes=rows,
        pitch_curve=heard.pitch_curve,
        breath=heard.breath,
        friction=heard.friction,
        reference={**deviations.reference, **heard.facts},
        warnings=(*deviations.warnings, *heard.warnings),
    )


def sound_summary(deviations: Deviations) -> dict[str, dict[str, Any]]:
    """Return the statistics of intonation, breath and friction, where a recording tells of them."""
    out: dict[str, dict[str, Any]] = {}
    notes = deviations.notes
    cents = notes.intonation_cents[np.isfinite(notes.intonation_cents)]
    if len(cents):
        said: dict[str, Any] = {k: v for k, v in describe(cents).items() if k in ("n", "median", "iqr", "sd", "p95")}
        said |= {name: deviations.reference.get(name) for name in _TUNING}
        has_vibrato = np.isfinite(notes.vibrato_rate_hz)
        said["n_vibrato"] = int(has_vibrato.sum())
        for name in ("vibrato_rate_hz", "vibrato_extent_cents"):
            said[name] = float(np.median(getattr(notes, name)[has_vibrato])) if has_vibrato.any() else None
        drift = np.abs(notes.drift_cents[np.isfinite(notes.drift_cents)])
        said["drift_cents"] = float(np.median(drift)) if len(drift) else None
        out["intonation"] = said
    minutes = float(deviations.take.get("duration_s") or 0.0) / 60.0
    for trace in ("breath", "friction"):
        events = getattr(deviations, trace)
        if events:
            out[trace] = {
                "n": len(events),
                "per_min": len(events) / minutes if minutes > 0 else None,
                "median_level_db": float(np.median([e["level_db"] for e in events])),
                "median_duration_s": float(np.median([e["duration_s"] for e in events])),
            }
    return out
