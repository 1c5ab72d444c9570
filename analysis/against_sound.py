"""Measure against a recording, or a recording against written notes: the side that is sound is listened to.

Conventions
-----------
Two recordings are compared by pairs of onsets: one event of the reference, one of the take, each placed to its own
sample. The reference is listened to as the take is; its own tempo curve is the clock, so that the timing is what the
take does beyond the reference's own freedom. Where one side is written, its notes tell what to listen for in the other,
and each note has its onset, those of a chord one by one where the sound allows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import DeviationNotes, Deviations
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import Take
from ..core.timeline import Metre, Timeline
from .against_click import against_click
from .against_score import passage_words, reference_facts, written_part
from .hearing import Heard, hear, with_sound
from .listening import Sound
from .parts import breaks, not_played, parts_of, parts_words, waits
from .rows import free_deviations, gathered, in_time_order
from .slips import find_slips, likely
from .summary import summarise

if TYPE_CHECKING:
    from .onset_pairs import OnsetPairs
    from .score_listening import ScoreOnsets
    from .warp import Warp

_SEMITONE_CENTS = 100.0
# What begins so soon after an onset that both sides have is taken for the same chord, which one side spreads and the
# other does not: a choice, some three times a pianist's usual melody lead (see ``tempo``).
_CHORD_S = 0.08
# Where one note of fifty is left out, so many of those that are not heard in a recording were not played, and so many
# of the onsets that no note explains were notes: `benchmarks/accuracy score_sound`, its planted ones.
_RIGHT_OF_UNHEARD, _RIGHT_OF_UNEXPLAINED = 0.45, 0.45
# An onset of this strength is as likely one as not.
_STRENGTH_OF_EVEN_ODDS = 1.95


@dataclass(frozen=True)
class AgainstSound:
    """What was measured, and the take with the notes that were only found by looking.

    Parameters
    ----------
    deviations : Deviations
    heard : Heard
    """

    deviations: Deviations
    heard: Heard


def against_recording(take: Take, heard: Heard, reference: Take, metre: Metre | None) -> AgainstSound:
    """Measure a recording against another one of the same music, as live against studio.

    Parameters
    ----------
    take : Take
    heard : Heard
        The take, listened to with ``to_align``.
    reference : Take
        Of kind ``"audio"``.
    metre : Metre or None

    Raises
    ------
    TakeprintError
        Where nothing in the two recordings matches.
    """
    from .onset_pairs import pair_onsets
    from .warp import align_features

    studio = hear(reference, to_align=True)
    _refuse_silence(heard, take.name)
    _refuse_silence(studio, reference.name)
    assert heard.features is not None  # both heard to be aligned
    assert studio.features is not None
    warp = align_features(heard.features, studio.features)
    pairs = pair_onsets(heard.onsets, Sound.of_take(take), studio.onsets, Sound.of_take(reference), warp)
    alone = _alone(reference, studio, metre)
    heard, found_in_take = heard.with_found(pairs.time_s, pairs.uncertainty_ms, pairs.take_row)
    studio, found_in_reference = studio.with_found(
        pairs.reference_s, pairs.reference_uncertainty_ms, pairs.reference_row
    )
    rows = _rows_of_pairs(pairs, found_in_take, found_in_reference, heard, studio, alone, warp)
    measured = free_deviations(rows, alone.basis, breaks(warp, alone.basis))
    facts = {**_facts_of_recording(reference, alone), **_facts_of_warp(warp)}
    doubts = (*parts_words(warp, rows, "onset"), *_of_the_beat(alone))
    measured = measured.replace(slips=waits(rows, warp), reference=facts, warnings=doubts)
    return AgainstSound(measured, heard)


def _alone(reference: Take, studio: Heard, metre: Metre | None) -> Deviations:
    """Return the reference measured for itself: its beat is found in it."""
    notes = studio.notes.replace(pitch=np.full(len(studio.notes), np.nan))
    alone = with_sound(against_click(reference, notes, None, metre), studio)
    return alone.replace(take=reference.to_dict()).replace(summary=summarise(alone))


def _of_the_beat(alone: Deviations) -> tuple[str, ...]:
    """Say what the beats are that tempo and bars are counted in: those found in the reference."""
    start = "no reference: "
    return tuple(f"in the reference {w.removeprefix(start)}" for w in alone.warnings if w.startswith(start))


def _facts_of_recording(reference: Take, alone: Deviations) -> dict[str, Any]:
    clock = alone.basis
    return {
        "kind": "take",
        "name": reference.name,
        "sha256": reference.sha256,
        "metre": list(alone.reference["metre"]),
        "tempo_map": clock.to_dict(),
        "timing_basis": "tempo",
        "beats": alone.reference.get("beats"),
        "duration_s": reference.duration_s,
        "breath": list(alone.breath),
        "friction": list(alone.friction),
        "summary": alone.summary,
    }


def _facts_of_warp(warp: Warp) -> dict[str, Any]:
    return {
        "transposition_cents": round(float(warp.transposition_cents), 1),
        "alignment_confidence": float(warp.confidence),
        "alignment_evidence": dict(warp.evidence),
        "parts": parts_of(warp),
    }


def _sure(slips: tuple[dict[str, Any], ...], rows: DeviationNotes) -> tuple[tuple[dict[str, Any], ...], DeviationNotes]:
    """Keep the slips that are likelier than not: in a recording a soft note is easily missed, a noise taken for one."""
    kept = tuple(dict(slip) for slip in likely(slips))
    told = np.isin(rows.slip_id, [slip.get("slip_id", -1) for slip in kept])
    return kept, rows.replace(slip_id=np.where(told, rows.slip_id, -1))


def _rows_of_pairs(
    pairs: OnsetPairs,
    take_row: np.ndarray,
    reference_row: np.ndarray,
    heard: Heard,
    studio: Heard,
    alone: Deviations,
    warp: Warp,
) -> DeviationNotes:
    """Lay both recordings' onsets side by side: a row a pair, one an onset that only one side has."""
    missing = np.setdiff1d(np.arange(len(studio.notes)), reference_row)
    extra = np.setdiff1d(np.arange(len(heard.notes)), take_row)
    none_missing, none_extra = np.full(len(missing), -1), np.full(len(extra), -1)
    reference_index = np.r_[reference_row, missing, none_extra]
    take_index = np.r_[take_row, none_missing, extra]

    def of_reference(name: str, nothing: Any = np.nan) -> np.ndarray:
        return gathered(getattr(studio.notes, name), reference_index, nothing)

    def of_take(name: str, nothing: Any = np.nan) -> np.ndarray:
        return gathered(getattr(heard.notes, name), take_index, nothing)

    # A pair is placed anew, each side to its own sample.
    paired = np.arange(len(reference_index)) < len(pairs)
    begin_s, onset_s, doubt_ms = of_reference("onset_s"), of_take("onset_s"), of_take("onset_uncertainty_ms")
    begin_s[paired], onset_s[paired], doubt_ms[paired] = pairs.reference_s, pairs.time_s, pairs.uncertainty_ms
    clock = alone.basis
    beat = clock.beats_at(begin_s)
    # How long a struck sound rings is its room's doing; of sung, bowed and blown lines it is the player's.
    lines = studio.intonation is not None and heard.intonation is not None
    unknown = np.full(len(beat), np.nan)
    rows = DeviationNotes.build(
        label=np.where(paired, "match", np.where(take_index < 0, "deletion", "insertion")),
        confidence=np.r_[pairs.confidence, np.full(len(missing) + len(extra), np.nan)],
        reference_index=reference_index,
        take_index=take_index,
        track=np.zeros(len(beat)),
        channel=np.zeros(len(beat)),
        reference_beat=beat,
        reference_duration_beat=clock.beats_at(begin_s + of_reference("duration_s")) - beat if lines else unknown,
        reference_onset_s=begin_s,
        reference_level_db=of_reference("level_db"),
        reference_pitch=gathered(_pitch_written(studio, heard, warp), reference_index, np.nan),
        onset_s=onset_s,
        onset_uncertainty_ms=doubt_ms,
        duration_s=of_take("duration_s"),
        level_db=of_take("level_db"),
        instrument=np.where(take_index >= 0, of_take("instrument", ""), of_reference("instrument", "")),
        ornament=np.where(paired, "", _of_chords(onset_s, begin_s, paired)),
    )
    return in_time_order(rows, np.where(take_index >= 0, onset_s, _due(warp, begin_s)))[0]


def _due(warp: Warp, reference_s: np.ndarray) -> np.ndarray:
    """Return when moments of the reference are due in the take; of what it passes over, when the part before ends."""
    due_s = warp.take_at(reference_s)
    before = np.maximum(np.searchsorted(warp.reference_s, reference_s, side="right") - 1, 0)
    return np.where(np.isfinite(due_s), due_s, warp.time_s[before])


def _of_chords(onset_s: np.ndarray, begin_s: np.ndarray, paired: np.ndarray) -> np.ndarray:
    """Return ``"chord"`` for what only one side tells apart from the onset before it, that both have."""
    out = np.full(len(paired), "", dtype="U5")
    for side_s in (onset_s, begin_s):
        known = np.sort(side_s[paired])
        if len(known):
            before = known[np.maximum(np.searchsorted(known, np.nan_to_num(side_s)) - 1, 0)]
            out[(side_s > before) & (side_s - before < _CHORD_S)] = "chord"
    return out


def _pitch_written(studio: Heard, heard: Heard, warp: Warp) -> np.ndarray:
    """Return what pitch the take should have at each of the reference's notes, its tuning and key apart."""
    if studio.intonation is None or heard.intonation is None:
        return np.full(len(studio.notes), np.nan)
    tuned = [float(side.facts.get("tuning_cents") or 0.0) for side in (heard, studio)]
    steps = round((warp.transposition_cents - (tuned[0] - tuned[1])) / _SEMITONE_CENTS)
    pitch = studio.intonation.pitch - tuned[1] / 100.0 + steps
    return np.asarray(np.round(np.r_[pitch, np.full(len(studio.notes) - len(pitch), np.nan)], 5))


def recording_against_written(take: Take, heard: Heard, reference: Take, metre: Metre | None) -> AgainstSound:
    """Measure a recording against a score or a MIDI take: each written note is listened for.

    Parameters
    ----------
    take : Take
    heard : Heard
        The take, listened to with ``to_align``.
    reference : Take
    metre : Metre or None

    Raises
    ------
    TakeprintError
        For a reference without notes, or of other music.
    """
    score, clock = written_part(reference)
    _refuse_silence(heard, take.name)
    found, warp = _listened_for(score, heard, take)
    heard, take_row = heard.with_found(*_heard_of(found))
    rows, due_s = _rows_of_written(score, heard, found, take_row, warp)
    passages = not_played(score, found, warp)
    slips, rows = _sure(*find_slips(rows, due_s, passages))
    measured = free_deviations(rows, clock, breaks(warp, clock))
    facts = {**reference_facts(reference, clock, metre), **_facts_of_warp(warp)}
    doubts = (*parts_words(warp, rows, "note"), *passage_words(passages))
    measured = measured.replace(slips=slips, reference=facts, warnings=doubts)
    return AgainstSound(measured, heard)


def written_against_recording(take: Take, notes: Notes, reference: Take, metre: Metre | None) -> Deviations:
    """Measure a MIDI take against a recording: each note played is listened for in it.

    Parameters
    ----------
    take : Take
    notes : Notes
        The take's.
    reference : Take
        Of kind ``"audio"``.
    metre : Metre or None

    Raises
    ------
    TakeprintError
        For a take without notes, a silent reference, or one of other music.
    """
    if not len(notes):
        raise TakeprintError("the take has no notes", where=take.name, rule="a take has at least one note")
    studio = hear(reference, to_align=True)
    _refuse_silence(studio, reference.name)
    found, warp = _listened_for(notes, studio, reference)
    alone = _alone(reference, studio, metre)
    studio, reference_row = studio.with_found(*_heard_of(found))
    clock = alone.basis
    rows = _turned(_rows_of_written(notes, studio, found, reference_row, warp)[0], clock)
    rows = rows.replace(duration_s=gathered(notes.duration_s, rows.take_index, np.nan))
    # What was found is where the take lies in the reference: the other way round.
    facts = {**_facts_of_recording(reference, alone), **_facts_of_warp(warp.turned())}
    turned = warp.turned()
    measured = free_deviations(rows, clock, breaks(turned, clock))
    doubts = (*parts_words(turned, rows, "note"), *_of_the_beat(alone))
    return measured.replace(slips=waits(rows, turned), reference=facts, warnings=doubts)


def _refuse_silence(heard: Heard, name: str) -> None:
    if not len(heard.notes):
        raise TakeprintError("no onset was found", where=name, rule="a recording to be aligned has sounds that begin")


def _listened_for(score: Notes, heard: Heard, take: Take) -> tuple[ScoreOnsets, Warp]:
    from .score_listening import listen_for
    from .warp import align_features
    from .warp_features import written_features

    assert heard.features is not None  # heard to be aligned
    warp = align_features(heard.features, written_features(score))
    return listen_for(score, Sound.of_take(take), warp, heard.onsets), warp


def _heard_of(found: ScoreOnsets) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return onset, doubt and row of the notes that were heard."""
    is_heard = np.isfinite(found.onset_s)
    return found.onset_s[is_heard], found.onset_uncertainty_ms[is_heard], found.onset_row[is_heard]


def _rows_of_written(
    score: Notes, heard: Heard, found: ScoreOnsets, heard_row: np.ndarray, warp: Warp
) -> tuple[DeviationNotes, np.ndarray]:
    """Lay written notes and a recording side by side: a row a written note, one an onset that none explains.

    Return the rows and when each sounded or was due.
    """
    from .score_listening import unexplained

    is_heard = np.isfinite(found.onset_s)
    take_index = np.full(len(score), -1)
    take_index[is_heard] = heard_row
    extra = unexplained(found, heard.onsets)
    index = np.r_[take_index, extra]
    written = np.r_[np.arange(len(score)), np.full(len(extra), -1)]

    def of_score(name: str, nothing: Any = np.nan) -> np.ndarray:
        return gathered(getattr(score, name), written, nothing)

    def of_sound(name: str, nothing: Any = np.nan) -> np.ndarray:
        return gathered(getattr(heard.notes, name), index, nothing)

    def told(name: str, otherwise: np.ndarray) -> np.ndarray:
        return np.r_[np.where(is_heard, getattr(found, name), np.nan), otherwise[len(score) :]]

    # The end of a sound is one note's where it is the sound of one note alone.
    alone = np.bincount(index[index >= 0], minlength=len(heard.notes))[np.maximum(index, 0)] == 1
    label = np.where(written < 0, "insertion", np.where(index < 0, "deletion", "match"))
    rows = DeviationNotes.build(
        label=label,
        # Of a note that is not heard, how sure that is; of an onset that no note explains, how sure it is one.
        confidence=np.r_[
            np.where(is_heard, found.confidence, _not_there(found)),
            _RIGHT_OF_UNEXPLAINED / (1.0 + np.exp(_STRENGTH_OF_EVEN_ODDS - heard.onsets.strength[extra])),
        ],
        reference_index=written,
        take_index=index,
        track=np.maximum(of_score("track", -1), 0),
        channel=np.maximum(of_score("channel", -1), 0),
        reference_beat=of_score("onset_beat"),
        reference_duration_beat=of_score("duration_beat"),
        reference_velocity=of_score("velocity"),
        reference_onset_s=of_score("onset_s"),
        reference_pitch=of_score("pitch"),
        onset_s=told("onset_s", of_sound("onset_s")),
        onset_uncertainty_ms=told("onset_uncertainty_ms", of_sound("onset_uncertainty_ms")),
        duration_s=np.where(alone, of_sound("duration_s"), np.nan),
        level_db=told("level_db", of_sound("level_db")),
        instrument=np.where(written < 0, of_sound("instrument", ""), of_score("instrument", "")),
    )
    due_s = np.r_[_due(warp, score.onset_s), np.zeros(len(extra))]
    return in_time_order(rows, np.where(index >= 0, rows.onset_s, due_s))


def _not_there(found: ScoreOnsets) -> np.ndarray:
    """Return how sure it is that a note that is not heard was not played: in no part of the recording it is sure."""
    return np.where(np.isnan(found.confidence), 1.0, _RIGHT_OF_UNHEARD * (1.0 - found.confidence))


def _turned(rows: DeviationNotes, clock: Timeline) -> DeviationNotes:
    """Exchange the sides of rows whose written side is the take and whose sound is the reference."""
    beat = clock.beats_at(rows.onset_s)
    label = np.where(rows.label == "deletion", "insertion", np.where(rows.label == "insertion", "deletion", "match"))
    turned = rows.replace(
        label=label,
        reference_index=rows.take_index,
        take_index=rows.reference_index,
        reference_beat=beat,
        reference_duration_beat=clock.beats_at(rows.onset_s + rows.duration_s) - beat,
        reference_velocity=np.full(len(rows), np.nan),
        reference_onset_s=rows.onset_s,
        reference_level_db=rows.level_db,
        reference_pitch=np.full(len(rows), np.nan),
        onset_s=rows.reference_onset_s,
        onset_uncertainty_ms=np.where(label == "deletion", np.nan, rows.onset_uncertainty_ms),
        pitch=rows.reference_pitch,
        velocity=rows.reference_velocity,
        level_db=np.full(len(rows), np.nan),
    )
    due_s = np.where(np.isfinite(turned.onset_s), turned.onset_s, _between_neighbours(turned))
    return in_time_order(turned, due_s)[0]


def _between_neighbours(rows: DeviationNotes) -> np.ndarray:
    """Return when in the take each reference onset was due, by the pairs around it."""
    both = np.isfinite(rows.onset_s) & np.isfinite(rows.reference_onset_s)
    if not both.any():
        return np.nan_to_num(rows.reference_onset_s)
    order = np.argsort(rows.reference_onset_s[both], kind="stable")
    return np.interp(
        np.nan_to_num(rows.reference_onset_s), rows.reference_onset_s[both][order], rows.onset_s[both][order]
    )
