"""Rows of a measured take: reference and take laid side by side, and what every way of measuring needs of them.

Conventions
-----------
A row a written note (match or deletion) and a row an added one (insertion), in order of time. Times are seconds,
positions beats. Late and louder are positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.deviations import AlignmentKnots, DeviationNotes, Deviations
from ..core.notes import Notes
from ..core.timeline import Timeline
from .align import Alignment
from .articulation import articulation_log2
from .dynamics import level_at, local_level
from .tempo import FREE_BANDWIDTH_BEATS, fit_tempo, mean_onsets


def loudness_of(notes: Notes) -> np.ndarray:
    """Return what dynamics is measured from: velocity for MIDI, dB for audio."""
    return np.where(np.isfinite(notes.velocity), notes.velocity, notes.level_db)


def score_rows(score: Notes, take: Notes, alignment: Alignment) -> tuple[DeviationNotes, np.ndarray]:
    """Lay score and take side by side, a row a written note and a row an added one, in order of time."""
    n, take_row = len(score), alignment.take_row
    extra = np.setdiff1d(np.arange(len(take)), take_row[take_row >= 0])
    written = np.r_[np.arange(n), np.full(len(extra), -1)]
    played = np.r_[take_row, extra]
    has_written, has_played = written >= 0, played >= 0
    slip_id = np.full(len(written), -1)
    for number, (row, column) in enumerate(alignment.wrong.tolist()):
        slip_id[row] = number
        slip_id[n + np.searchsorted(extra, column)] = number

    def of_score(column: np.ndarray, nothing: Any) -> np.ndarray:
        return gathered(column, written, nothing)

    def of_take(column: np.ndarray, nothing: Any) -> np.ndarray:
        return gathered(column, played, nothing)

    label = np.where(has_written & has_played, "match", np.where(has_written, "deletion", "insertion"))
    instrument = np.where(has_played, of_take(take.instrument, ""), of_score(score.instrument, ""))
    rows = DeviationNotes.build(
        label=label,
        confidence=np.r_[
            np.where(take_row >= 0, alignment.confidence, alignment.deletion_confidence),
            alignment.insertion_confidence[extra],
        ],
        reference_index=written,
        take_index=played,
        track=np.where(has_written, of_score(score.track, -1), of_take(take.track, -1)),
        channel=np.where(has_written, of_score(score.channel, -1), of_take(take.channel, -1)),
        reference_beat=of_score(score.onset_beat, np.nan),
        reference_duration_beat=of_score(score.duration_beat, np.nan),
        reference_velocity=of_score(score.velocity, np.nan),
        reference_onset_s=of_score(score.onset_s, np.nan),
        reference_pitch=of_score(score.pitch, np.nan),
        onset_s=of_take(take.onset_s, np.nan),
        onset_uncertainty_ms=of_take(take.onset_uncertainty_ms, np.nan),
        duration_s=of_take(take.duration_s, np.nan),
        pitch=of_take(take.pitch, np.nan),
        velocity=of_take(take.velocity, np.nan),
        level_db=of_take(take.level_db, np.nan),
        instrument=instrument,
        ornament=np.r_[np.full(n, ""), alignment.ornament[extra]],
        slip_id=slip_id,
    )
    return in_time_order(rows, np.where(has_played, rows.onset_s, np.r_[alignment.expected_s, np.zeros(len(extra))]))


def in_time_order(rows: DeviationNotes, due_s: np.ndarray) -> tuple[DeviationNotes, np.ndarray]:
    """Sort rows by when they sounded or were due; return them and that time."""
    order = np.lexsort((rows.pitch, rows.reference_index, due_s))
    return rows.rows(order), due_s[order]


def free_deviations(rows: DeviationNotes, clock: Timeline, breaks: np.ndarray | None = None) -> Deviations:
    """Split what was played freely into tempo and timing, and measure dynamics and articulation.

    Parameters
    ----------
    rows : DeviationNotes
        Aligned with the reference; the deviations are not yet known.
    clock : Timeline
        The reference's own.
    breaks : ndarray [shape=(b,)], beats, or None
        Where the take goes on elsewhere: see ``tempo.fit_tempo``.

    Returns
    -------
    Deviations
        With notes, tempo, level and alignment; ``latency_ms`` is NaN.
    """
    matched = rows.label == "match"
    main = matched & (rows.ornament == "")
    tempo = fit_tempo(rows.reference_beat[main], rows.onset_s[main], clock, FREE_BANDWIDTH_BEATS, breaks)
    basis = Timeline(tempo.beat, tempo.time_s) if len(tempo) >= 2 else clock
    residual_ms = 1000.0 * (rows.onset_s - basis.seconds_at(np.nan_to_num(rows.reference_beat)))
    constant_ms = float(np.median(residual_ms[main])) if main.any() else 0.0
    if len(tempo) >= 2:
        # The constant belongs to the curve: where a free take begins is no latency.
        tempo = tempo.replace(time_s=tempo.time_s + constant_ms / 1000.0)
        basis = Timeline(tempo.beat, tempo.time_s)
    loudness = np.where(np.isfinite(rows.velocity), rows.velocity, rows.level_db)
    level = local_level(rows.onset_s, loudness)
    deviation = loudness - level_at(level, np.nan_to_num(rows.onset_s))
    is_midi = np.isfinite(rows.velocity)
    articulation = articulation_log2(rows.duration_s, rows.reference_beat, rows.reference_duration_beat, basis)
    rows = rows.replace(
        timing_ms=np.where(matched, to_the_nanosecond(residual_ms - constant_ms), np.nan),
        dynamics_velocity=np.where(is_midi, deviation, np.nan),
        dynamics_db=np.where(is_midi, np.nan, deviation),
        articulation_log2=np.where(matched & (rows.channel != 9), articulation, np.nan),
    )
    return Deviations(
        notes=rows, tempo=tempo, level=level, alignment=alignment_knots(rows, matched), latency_ms=float("nan")
    )


def to_the_nanosecond(residual_ms: np.ndarray) -> np.ndarray:
    """Round away the last bits of a clock's arithmetic: a note that is exactly on time deviates by exactly 0."""
    return np.round(residual_ms, 6) + 0.0


def gathered(column: np.ndarray, index: np.ndarray, nothing: Any) -> np.ndarray:
    """Return ``column[index]``, and ``nothing`` where the index is negative."""
    if len(column) == 0:
        return np.full(len(index), nothing)
    return np.where(index >= 0, column[np.maximum(index, 0)], nothing)


def alignment_knots(rows: DeviationNotes, matched: np.ndarray) -> AlignmentKnots:
    """Return the monotone map from the reference's time to the take's, a knot per written onset."""
    if matched.sum() < 2:
        return AlignmentKnots.build(0)
    reference_s, time_s, _ = mean_onsets(rows.reference_onset_s[matched], rows.onset_s[matched])
    rising = np.r_[True, time_s[1:] > np.maximum.accumulate(time_s)[:-1]]
    return AlignmentKnots(reference_s=reference_s[rising], time_s=time_s[rising])
