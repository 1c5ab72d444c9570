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
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import Take, load_take
from ..core.timeline import Metre
from .against_click import against_click
from .against_score import against_score
from .fluctuation import describe
from .hearing import hear, sound_summary, with_sound
from .tempo import mean_onsets, tempo_summary


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
        reference = load_take(against, strict=strict)
        if reference.kind == "audio":
            raise TakeprintError(
                "an audio reference",
                where=reference.name,
                rule="a reference is a score or a take as MIDI or MusicXML",
                remedy="give the score, or measure both takes against a click and compare them",
            )
        found = against_score(played, notes, reference, metre)
    else:
        found = against_click(played, notes, click, metre)
    found = found.replace(
        take=played.to_dict(),
        repairs=tuple(repair.to_dict() for repair in played.repairs),
        warnings=(*played.warnings, *words, *found.warnings),
    )
    found = found if heard is None else with_sound(found, heard)
    return found.replace(summary=summarise(found))


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
