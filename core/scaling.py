"""Scaling deviations: amounts per trace, without leaving the type.

Conventions
-----------
Amount 0 gives the reference, 1 the deviations as they are, a negative amount the inverse. Tempo is scaled as a log
ratio against the reference's clock, timing in ms, dynamics as velocity against the written one, articulation in log2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import TakeprintError
from .timeline import Timeline

if TYPE_CHECKING:
    from .deviations import DeviationNotes, Deviations, TempoCurve

_GOLDEN = 0.6180339887498949
_LARGEST_ID = 2**53


def amounts_of(amount: float, traces: Mapping[str, float]) -> dict[str, float]:
    """Return the amount of every trace: the overall amount times its own.

    Raises
    ------
    TakeprintError
        For an unknown trace or an amount that is not finite.
    """
    from .deviations import TRACES

    unknown = set(traces) - set(TRACES)
    if unknown:
        raise TakeprintError(f"unknown trace {sorted(unknown)[0]!r}", rule=f"the traces are {', '.join(TRACES)}")
    amounts = {trace: float(amount) * float(traces.get(trace, 1.0)) for trace in TRACES}
    for trace, value in amounts.items():
        if not np.isfinite(value):
            raise TakeprintError(f"amount of {trace} is {value}", rule="an amount is a finite number")
    return amounts


def scale(deviations: Deviations, amount: float, traces: Mapping[str, float]) -> Deviations:
    """Return scaled deviations: see ``Deviations.scaled``."""
    amounts = amounts_of(amount, traces)
    if all(value == 1.0 for value in amounts.values()):
        return deviations
    clock = deviations.reference_timeline
    free = deviations.reference.get("timing_basis") == "tempo" and len(deviations.tempo) >= 2
    old_basis = deviations.basis if free else clock
    tempo = _scaled_tempo(deviations.tempo, clock, amounts["tempo"])
    new_basis = Timeline(tempo.beat, tempo.time_s) if free else clock
    latency_ms = deviations.latency_ms * amounts["timing"]
    notes = _with_slips(deviations.notes, amounts["slips"])
    notes = _scaled_notes(notes, amounts, old_basis, new_basis, deviations.latency_ms, latency_ms)
    order = np.lexsort((notes.reference_index, notes.pitch, _sort_time(notes)))
    return deviations.replace(
        notes=notes.rows(order),
        tempo=tempo,
        latency_ms=latency_ms,
        slips=_kept_slips(deviations.slips, amounts["slips"]),
        breath=() if amounts["breath"] == 0.0 else deviations.breath,
        friction=() if amounts["friction"] == 0.0 else deviations.friction,
    )


def _sort_time(notes: DeviationNotes) -> np.ndarray:
    return np.where(np.isfinite(notes.onset_s), notes.onset_s, notes.reference_onset_s)


def _scaled_tempo(tempo: TempoCurve, clock: Timeline, amount: float) -> TempoCurve:
    if len(tempo) < 2 or amount == 1.0:
        return tempo
    written_s = clock.seconds_at(tempo.beat)
    start_s = written_s[0] + amount * (tempo.time_s[0] - written_s[0])
    written_step = np.diff(written_s)
    step = written_step * (np.diff(tempo.time_s) / written_step) ** amount
    time_s = start_s + np.concatenate([[0.0], np.cumsum(step)])
    if amount == 0.0:
        time_s = written_s  # the sum of steps would differ from the clock in the last bits
    bpm = 60.0 * np.diff(tempo.beat) / np.diff(time_s)
    # A scaled curve is made, not measured: its uncertainty is none.
    return tempo.replace(
        time_s=time_s, tempo_bpm=np.append(bpm, bpm[-1]), tempo_uncertainty_bpm=np.full(len(tempo), np.nan)
    )


def _is_kept(slip_id: np.ndarray, amount: float) -> np.ndarray:
    """Tell which slips stay: by their number alone, so that a smaller amount keeps a part of what a larger one does."""
    return np.modf((slip_id + 1) * _GOLDEN)[0] < max(amount, 0.0)


def _kept_slips(slips: tuple[Mapping[str, Any], ...], amount: float) -> tuple[Mapping[str, Any], ...]:
    """Leave out the events whose rows are gone; a wait has no row and stays while there are slips at all."""
    if amount >= 1.0:
        return slips
    return tuple(slip for slip in slips if _event_is_kept(slip.get("slip_id"), amount))


def _event_is_kept(number: Any, amount: float) -> bool:
    if not isinstance(number, int) or not 0 <= number < _LARGEST_ID:
        return amount > 0.0
    return bool(_is_kept(np.array(number), amount))


def _with_slips(notes: DeviationNotes, amount: float) -> DeviationNotes:
    """Keep the share ``amount`` of the slips; dropped, a deletion is played as written and an insertion is gone."""
    if amount >= 1.0:
        return notes
    slip = np.where(notes.slip_id >= 0, notes.slip_id, np.arange(len(notes)) + 1_000_003)
    kept = _is_kept(slip, amount)
    label = notes.label.copy()
    gone = (label == "insertion") & ~kept
    restored = (label == "deletion") & ~kept
    label[restored] = "match"
    # A match that is a slip is a ghosted note: it sounds as loud as written again.
    ghosted = (notes.label == "match") & (notes.slip_id >= 0) & ~kept
    louder = restored | ghosted
    return notes.replace(
        label=label,
        timing_ms=np.where(restored, 0.0, notes.timing_ms),
        dynamics_velocity=np.where(louder, 0.0, notes.dynamics_velocity),
        articulation_log2=np.where(restored, 0.0, notes.articulation_log2),
        velocity=np.where(louder, notes.reference_velocity, notes.velocity),
        pitch=np.where(restored, notes.reference_pitch, notes.pitch),
        slip_id=np.where(louder, -1, notes.slip_id),
    ).rows(~gone)


def _scaled_notes(
    notes: DeviationNotes,
    amounts: Mapping[str, float],
    old: Timeline,
    new: Timeline,
    old_latency_ms: float,
    new_latency_ms: float,
) -> DeviationNotes:
    match = notes.label == "match"
    added = notes.label == "insertion"
    old_latency_s = np.nan_to_num(old_latency_ms) / 1000.0
    new_latency_s = np.nan_to_num(new_latency_ms) / 1000.0
    timing_ms = notes.timing_ms * amounts["timing"]
    # An added note has no written place: it keeps its place in the music, beat for beat.
    beat = np.where(added, old.beats_at(np.nan_to_num(notes.onset_s) - old_latency_s), notes.reference_beat)
    residual_s = np.where(added, 0.0, timing_ms / 1000.0)
    due_s = new.seconds_at(np.nan_to_num(beat))
    if old is new or amounts["tempo"] == 0.0:
        # The reference's own clock: in a MIDI file of format 2 every track has one of its own.
        due_s = np.where(match & np.isfinite(notes.reference_onset_s), notes.reference_onset_s, due_s)
    onset_s = np.where(match | added, due_s + new_latency_s + residual_s, np.nan)

    written_velocity = np.where(np.isfinite(notes.reference_velocity), notes.reference_velocity, notes.velocity)
    velocity = written_velocity + amounts["dynamics"] * (notes.velocity - written_velocity)

    articulation = notes.articulation_log2 * amounts["articulation"]
    length_beat = notes.reference_duration_beat
    written_s = new.seconds_at(beat + length_beat) - new.seconds_at(beat)
    by_articulation = written_s * 2.0**articulation
    # Where the articulation is not known the sounding length follows the local tempo alone.
    stretch = new.tempo_bpm_at(np.nan_to_num(beat)) / old.tempo_bpm_at(np.nan_to_num(beat))
    duration_s = np.where(np.isfinite(by_articulation), by_articulation, notes.duration_s / stretch)
    return notes.replace(
        onset_s=onset_s,
        timing_ms=timing_ms,
        velocity=velocity,
        dynamics_velocity=notes.dynamics_velocity * amounts["dynamics"],
        dynamics_db=notes.dynamics_db * amounts["dynamics"],
        articulation_log2=articulation,
        intonation_cents=notes.intonation_cents * amounts["intonation"],
        drift_cents=notes.drift_cents * amounts["intonation"],
        vibrato_extent_cents=notes.vibrato_extent_cents * amounts["intonation"],
        duration_s=np.where(match | added, duration_s, np.nan),
    )
