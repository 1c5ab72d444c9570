"""Measure a take: what a player did, note by note and moment by moment.

Conventions
-----------
Late, sharp, louder and longer are positive. Times are seconds, positions beats (a beat is a quarter note).

Against a click (or a MIDI file's own tempo map) ``timing_ms`` is the residual to the click itself less the constant
latency, and the tempo curve is told beside it. Against a score, another take or nothing it is the residual after the
tempo curve. Ornaments (flams, rolls) share the timing of the hit they decorate and are left out of the statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.deviations import AlignmentKnots, DeviationNotes, Deviations, TempoCurve
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import Take, load_take
from ..core.timeline import Metre, Timeline
from .align import align_notes
from .articulation import articulation_log2
from .beats import InferredBeat, infer_beat
from .dynamics import level_at, local_level
from .fluctuation import describe
from .grid import GridFit, fit_grid
from .hearing import hear, sound_summary, with_sound
from .slips import find_slips
from .tempo import CLICK_BANDWIDTH_BEATS, FREE_BANDWIDTH_BEATS, fit_tempo, mean_onsets, tempo_summary

# Notes played to a clock gain about 0.5 nats each on it, notes that were not about -0.2 (see ``grid.GridFit.gain``).
_CLOCK_GAIN = -0.1
_FEW_NOTES = 24
# A take that follows its score matches more of its notes than this, slips and ornaments included.
_DOUBTFUL_SHARE = 0.75


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
        A score (MIDI or MusicXML) or another MIDI take.
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
    heard = None
    if played.notes is not None:
        notes, words = _written_in(played, played.notes)
    else:
        heard = hear(played)
        # Pitch is laid beside what was matched, and takes no part in matching it: it may be missing anywhere.
        notes = heard.notes.replace(pitch=np.full(len(heard.notes), np.nan))
        words = () if len(notes) else ("no onset was found",)
    metre = Metre.parse(meter) if meter else None
    if against is not None:
        measured = _against_score(played, notes, load_take(against, strict=strict), metre)
    else:
        measured = _against_click(played, notes, click, metre)
    found = measured.deviations.replace(
        take=played.to_dict(),
        repairs=tuple(repair.to_dict() for repair in played.repairs),
        warnings=(*played.warnings, *words, *measured.warnings),
    )
    found = found if heard is None else with_sound(found, heard)
    return found.replace(summary=summarise(found))


@dataclass(frozen=True)
class _Measured:
    deviations: Deviations
    warnings: tuple[str, ...]


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


def _voices(notes: Notes) -> np.ndarray:
    """Give a number to each voice that cannot strike twice at once: drums by instrument, others by track and pitch."""
    named = np.isin(notes.instrument, ("kick", "snare"))
    pitch = np.nan_to_num(notes.pitch, nan=-1.0).astype(np.int64)
    _, instrument = np.unique(notes.instrument, return_inverse=True)
    unpitched = ~np.isfinite(notes.pitch)
    return np.where(named | unpitched, 1000 + instrument, pitch) + 10_000 * (notes.track + 1)


def _loudness(notes: Notes) -> np.ndarray:
    return np.where(np.isfinite(notes.velocity), notes.velocity, notes.level_db)


def _against_click(take: Take, notes: Notes, click: float | str | None, metre: Metre | None) -> _Measured:
    warnings: list[str] = []
    voices, loudness = _voices(notes), _loudness(notes)
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
        timing_ms=_to_the_nanosecond(residual_ms - constant_ms),
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
    found = Deviations(notes=rows, tempo=tempo, level=level, reference=reference, latency_ms=latency_ms)
    return _Measured(found, tuple(warnings))


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


def _against_score(take: Take, notes: Notes, reference: Take, metre: Metre | None) -> _Measured:
    if reference.kind == "audio":
        raise TakeprintError(
            "an audio reference",
            where=reference.name,
            rule="a reference is a score or a take as MIDI or MusicXML",
            remedy="give the score, or measure both takes against a click and compare them",
        )
    score, clock = reference.notes, reference.timeline
    if score is None or clock is None or len(score) == 0:
        raise TakeprintError("the reference has no notes", where=reference.name, rule="a score has at least one note")
    metre = metre or reference.metre
    own_clock = take.timeline if take.smf is not None and take.smf.ticks_per_beat else None
    alignment = align_notes(score, notes, own_clock)
    rows, due_s = _score_rows(score, notes, alignment.take_row, alignment)
    matched = rows.label == "match"
    tempo = fit_tempo(rows.reference_beat[matched], rows.onset_s[matched], clock, FREE_BANDWIDTH_BEATS)
    basis = Timeline(tempo.beat, tempo.time_s) if len(tempo) >= 2 else clock
    residual_ms = 1000.0 * (rows.onset_s - basis.seconds_at(np.nan_to_num(rows.reference_beat)))
    constant_ms = float(np.median(residual_ms[matched])) if matched.any() else 0.0
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
        timing_ms=np.where(matched, _to_the_nanosecond(residual_ms - constant_ms), np.nan),
        dynamics_velocity=np.where(is_midi, deviation, np.nan),
        dynamics_db=np.where(is_midi, np.nan, deviation),
        articulation_log2=np.where(matched & (rows.channel != 9), articulation, np.nan),
    )
    slips: tuple[dict[str, Any], ...] = ()
    warnings: list[str] = []
    fewest = min(len(score), len(notes))
    if take.kind != "audio" and matched.sum() < _DOUBTFUL_SHARE * fewest:
        warnings.append(
            f"only {int(matched.sum())} of {fewest} notes were matched: is this the score of this take, and all of it?"
        )
    if take.kind == "audio":
        warnings.append("audio against a score: onsets are aligned by their rhythm alone, chord notes share one onset")
    else:
        slips, rows = find_slips(rows, due_s)
    found = Deviations(
        notes=rows,
        tempo=tempo,
        level=level,
        alignment=_knots(rows, matched),
        slips=slips,
        reference={
            "kind": "score" if reference.kind == "score" or _is_quantized(score) else "take",
            "name": reference.name,
            "sha256": reference.sha256,
            "metre": metre.to_list(),
            "tempo_map": clock.to_dict(),
            "timing_basis": "tempo",
            "bandwidth_beats": FREE_BANDWIDTH_BEATS,
        },
        latency_ms=np.nan,
    )
    return _Measured(found, tuple(warnings))


def _score_rows(score: Notes, take: Notes, take_row: np.ndarray, alignment: Any) -> tuple[DeviationNotes, np.ndarray]:
    """Lay score and take side by side, a row a written note and a row an added one, in order of time."""
    n = len(score)
    extra = np.setdiff1d(np.arange(len(take)), take_row[take_row >= 0])
    if not np.isfinite(take.pitch).any():
        extra = extra[np.argsort(take.onset_s[extra], kind="stable")]
    written = np.r_[np.arange(n), np.full(len(extra), -1)]
    played = np.r_[take_row, extra]
    has_written, has_played = written >= 0, played >= 0
    slip_id = np.full(len(written), -1)
    for number, (row, column) in enumerate(alignment.wrong.tolist()):
        slip_id[row] = number
        slip_id[n + np.searchsorted(extra, column)] = number

    def of_score(column: np.ndarray, nothing: Any) -> np.ndarray:
        return _gathered(column, written, nothing)

    def of_take(column: np.ndarray, nothing: Any) -> np.ndarray:
        return _gathered(column, played, nothing)

    label = np.where(has_written & has_played, "match", np.where(has_written, "deletion", "insertion"))
    instrument = np.where(has_played, of_take(take.instrument, ""), of_score(score.instrument, ""))
    rows = DeviationNotes.build(
        label=label,
        confidence=np.r_[alignment.confidence, np.full(len(extra), np.nan)],
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
        slip_id=slip_id,
    )
    due_s = np.where(has_played, rows.onset_s, np.r_[alignment.expected_s, np.zeros(len(extra))])
    order = np.lexsort((rows.pitch, rows.reference_index, due_s))
    return rows.rows(order), due_s[order]


def _to_the_nanosecond(residual_ms: np.ndarray) -> np.ndarray:
    """Round away the last bits of a clock's arithmetic: a note that is exactly on time deviates by exactly 0."""
    return np.round(residual_ms, 6) + 0.0


def _gathered(column: np.ndarray, index: np.ndarray, nothing: Any) -> np.ndarray:
    """Return ``column[index]``, and ``nothing`` where the index is negative."""
    if len(column) == 0:
        return np.full(len(index), nothing)
    return np.where(index >= 0, column[np.maximum(index, 0)], nothing)


def _knots(rows: DeviationNotes, matched: np.ndarray) -> AlignmentKnots:
    """Return the monotone map from the reference's time to the take's, a knot per written onset."""
    if matched.sum() < 2:
        return AlignmentKnots.build(0)
    reference_s, time_s, _ = mean_onsets(rows.reference_onset_s[matched], rows.onset_s[matched])
    rising = np.r_[True, time_s[1:] > np.maximum.accumulate(time_s)[:-1]]
    return AlignmentKnots(reference_s=reference_s[rising], time_s=time_s[rising])


def _is_quantized(notes: Notes) -> bool:
    """Tell a written score from a take: nearly all onsets lie on 48ths or fifths of a beat, to a tick's rounding."""
    beat = notes.onset_beat
    off = np.minimum(
        np.abs(beat * 48.0 - np.round(beat * 48.0)) / 48.0, np.abs(beat * 20.0 - np.round(beat * 20.0)) / 20.0
    )
    return bool(np.mean(off < 0.0022) > 0.9)


def summarise(deviations: Deviations) -> dict[str, Mapping[str, Any]]:
    """Return the statistics of each trace that is known.

    Returns
    -------
    dict
        ``tempo`` as in ``tempo.tempo_summary``; ``timing``, ``dynamics`` and ``articulation`` as in
        ``fluctuation.describe``, ``timing`` also with ``latency_ms``, ``asynchrony_sd_ms`` (spread of notes written
        together about their mean) and ``n_ornaments``; ``slips`` counts by kind.
    """
    notes = deviations.notes
    out: dict[str, Mapping[str, Any]] = {}
    if len(deviations.tempo) >= 2:
        out["tempo"] = tempo_summary(deviations.tempo, deviations.reference_timeline)
    main = (notes.label == "match") & (notes.ornament == "")
    if main.any():
        timing = notes.timing_ms[main]
        together_beat, together_ms, index = mean_onsets(notes.reference_beat[main], timing)
        # Memory lies in the series of moments; notes struck together are one moment.
        said = describe(together_ms, together_beat)
        said |= {k: v for k, v in describe(timing).items() if k in ("n", "median", "iqr", "sd", "p95")}
        several = np.bincount(index) > 1
        apart = (timing - together_ms[index])[several[index]]
        freedom = len(apart) - int(several.sum())
        said["asynchrony_sd_ms"] = float(np.sqrt((apart**2).sum() / freedom)) if freedom > 0 else np.nan
        said["n_moments"] = len(together_ms)
        said["n_ornaments"] = int((notes.ornament != "").sum())
        out["timing"] = said
    for trace, column in (
        ("dynamics", notes.dynamics_velocity if np.isfinite(notes.dynamics_velocity).any() else notes.dynamics_db),
        ("articulation", notes.articulation_log2),
    ):
        values = column[main]
        if np.isfinite(values).any():
            out[trace] = describe(values, notes.onset_s[main])
    out |= sound_summary(deviations)
    if deviations.reference.get("kind") in ("score", "take"):
        kinds = [slip["kind"] for slip in deviations.slips]
        names = ("wrong", "missed", "added", "repeated", "hesitation")
        out["slips"] = {"n": len(kinds), **{kind: kinds.count(kind) for kind in names}}
    return out
