"""Measure a take against a click, its own file's tempo map, or a beat inferred from the take itself.

Conventions
-----------
Against a click ``timing_ms`` is the residual to the click itself less the constant latency, and the tempo curve is
told beside it; where the beat is inferred it is the residual after the tempo curve. Ornaments (flams, rolls) share the
timing of the hit they decorate.
"""

from __future__ import annotations

import numpy as np

from ..core.deviations import DeviationNotes, Deviations, TempoCurve
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import Take
from ..core.timeline import Metre, Timeline
from .beats import InferredBeat, infer_beat
from .dynamics import level_at, local_level
from .grid import GridFit, fit_grid
from .rows import loudness_of, to_the_nanosecond
from .tempo import CLICK_BANDWIDTH_BEATS, FREE_BANDWIDTH_BEATS, fit_tempo

# Notes played to a clock gain about 0.5 nats each on it, notes that were not about -0.2 (see ``grid.GridFit.gain``).
_CLOCK_GAIN = -0.1
_FEW_NOTES = 24


def against_click(take: Take, notes: Notes, click: float | str | None, metre: Metre | None) -> Deviations:
    """Measure a take against a clock.

    Parameters
    ----------
    take : Take
    notes : Notes
        Its notes, written or heard.
    click : float, ``"file"``, ``"none"`` or None
        As ``measure`` has it.
    metre : Metre or None
        None takes the take's own.

    Raises
    ------
    TakeprintError
        For an impossible click, or ``"file"`` of a take without a tempo map.
    """
    warnings: list[str] = []
    voices, loudness = _voices(notes), loudness_of(notes)
    clock, fit, kind, known, inferred = _clock_and_grid(take, notes, voices, loudness, click, warnings)
    metre = metre or take.metre
    free = kind == "none"
    is_main = fit.main == np.arange(len(notes))
    tempo = TempoCurve.build(0)
    if len(notes):
        width = FREE_BANDWIDTH_BEATS if free else CLICK_BANDWIDTH_BEATS
        tempo = fit_tempo(fit.reference_beat[is_main], notes.onset_s[is_main], clock, width)
    basis = Timeline(tempo.beat, tempo.time_s) if free and len(tempo) >= 2 else clock
    residual_ms = 1000.0 * (notes.onset_s - basis.seconds_at(fit.reference_beat))
    # An ornament has its hit's timing, whatever the clock does between the two.
    residual_ms = residual_ms[fit.main] if len(notes) else residual_ms
    constant_ms = float(np.median(residual_ms[is_main])) if len(notes) else 0.0
    latency_ms = constant_ms if known and len(notes) else np.nan
    if not known and len(notes):
        # Where beat 0 lies was not given: the constant is the place of the click, not a latency.
        if free:
            tempo = tempo.replace(time_s=tempo.time_s + constant_ms / 1000.0)
        clock = Timeline(clock.beat, clock.time_s + constant_ms / 1000.0)
    level = local_level(notes.onset_s, loudness)
    deviation = loudness - level_at(level, notes.onset_s)
    is_midi = np.isfinite(notes.velocity)
    rows = DeviationNotes.build(
        label=np.full(len(notes), "match"),
        confidence=np.full(len(notes), np.nan),
        reference_index=np.arange(len(notes)),
        take_index=np.arange(len(notes)),
        track=notes.track,
        channel=notes.channel,
        reference_beat=fit.reference_beat,
        reference_onset_s=clock.seconds_at(fit.reference_beat) if len(notes) else np.zeros(0),
        reference_pitch=notes.pitch,
        onset_s=notes.onset_s,
        onset_uncertainty_ms=notes.onset_uncertainty_ms,
        duration_s=notes.duration_s,
        pitch=notes.pitch,
        velocity=notes.velocity,
        level_db=notes.level_db,
        instrument=notes.instrument,
        timing_ms=to_the_nanosecond(residual_ms - constant_ms),
        dynamics_velocity=np.where(is_midi, deviation, np.nan),
        dynamics_db=np.where(is_midi, np.nan, deviation),
        ornament=fit.ornament,
    )
    reference = {
        "kind": kind,
        "name": None,
        "metre": metre.to_list(),
        "tempo_map": clock.to_dict(),
        "timing_basis": "tempo" if free else "reference",
        "grid": {
            "subdivision": fit.subdivision,
            "swing_ratio": fit.swing_ratio,
            "swing_unit": fit.swing_unit or None,
            "spread_ms": fit.sigma_ms,
            "gain_nats": fit.gain,
            "offset_tracked": fit.tracked,
        },
    }
    if inferred is not None:
        reference["beats"] = inferred.to_dict()
    return Deviations(
        notes=rows, tempo=tempo, level=level, reference=reference, latency_ms=latency_ms, warnings=tuple(warnings)
    )


def _voices(notes: Notes) -> np.ndarray:
    """Give a number to each voice that cannot strike twice at once: drums by instrument, others by track and pitch."""
    named = np.isin(notes.instrument, ("kick", "snare"))
    pitch = np.nan_to_num(notes.pitch, nan=-1.0).astype(np.int64)
    _, instrument = np.unique(notes.instrument, return_inverse=True)
    unpitched = ~np.isfinite(notes.pitch)
    return np.where(named | unpitched, 1000 + instrument, pitch) + 10_000 * (notes.track + 1)


def _clock_and_grid(
    take: Take,
    notes: Notes,
    voices: np.ndarray,
    loudness: np.ndarray,
    click: float | str | None,
    warnings: list[str],
) -> tuple[Timeline, GridFit, str, bool, InferredBeat | None]:
    """Return the clock, the notes' places on it, the reference's kind, whether beat 0 is known, what was inferred."""
    if click not in (None, "file", "none"):
        try:
            tempo_bpm = float(click)
        except (TypeError, ValueError):
            raise TakeprintError(f"click={click!r}", rule="a click is a tempo in bpm, 'file' or 'none'") from None
        clock = Timeline.constant(tempo_bpm)
        known = take.kind != "audio"
        fit = fit_grid(notes.onset_s, voices, loudness, clock, offset_known=known)
        if known and len(notes) >= _FEW_NOTES and fit.followed_gain < _CLOCK_GAIN:
            known, fit = False, fit_grid(notes.onset_s, voices, loudness, clock, offset_known=False)
            warnings.append("the notes do not lie on a click that begins at 0 s; its place was found from the notes")
        _doubt_click(fit, len(notes), warnings)
        return clock, fit, "click", known, None
    own = take.timeline if take.smf is None or take.smf.ticks_per_beat else None
    if click == "file" and own is None:
        raise TakeprintError(
            "this take has no tempo map",
            where=take.name,
            rule="click 'file' needs a MIDI file with beats",
            remedy="give a tempo in bpm",
        )
    if own is not None and click != "none":
        fit = fit_grid(notes.onset_s, voices, loudness, own)
        if click == "file" or len(notes) < _FEW_NOTES or fit.gain >= _CLOCK_GAIN:
            _doubt_click(fit, len(notes), warnings)
            return own, fit, "click", True, None
        warnings.append(
            "the notes do not follow the file's own tempo map, so the beat was inferred; "
            "--click file measures against the map all the same"
        )
    inferred = infer_beat(notes.onset_s, loudness, instrument=notes.instrument)
    fit = fit_grid(notes.onset_s, voices, loudness, inferred.clock)
    if len(notes):
        warnings.append(f"no reference: {inferred.in_words()}")
        bpm = float(np.median(inferred.clock.tempo_bpm_at(inferred.clock.beat)))
        clock = Timeline.constant(bpm, float(inferred.clock.seconds_at(0.0)))
        # Residuals are taken from the tempo curve; the constant clock only says what a steady player would have done.
        return clock, fit, "none", False, inferred
    return inferred.clock, fit, "none", False, None


def _doubt_click(fit: GridFit, n: int, warnings: list[str]) -> None:
    if n >= _FEW_NOTES and fit.followed_gain < _CLOCK_GAIN:
        warnings.append("the notes agree with this click hardly better than chance: check the tempo")
    if fit.tracked:
        warnings.append("the take drifts against the click; notes were followed along the drift")
