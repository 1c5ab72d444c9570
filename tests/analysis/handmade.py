"""Deviations made by hand: of planted series, and of real drum takes by plain rounding to sixteenths."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from takeprint.core.deviations import DeviationNotes, Deviations, TempoCurve
from takeprint.core.take import load_take


def drums(beat, timing_ms, velocity, instrument, *, bpm=100.0, name="take.mid", kind="midi", **columns) -> Deviations:
    """A drum take against a click, from its written beats and its deviations."""
    beat, velocity = np.asarray(beat, float), np.asarray(velocity, float)
    timing_ms = np.asarray(timing_ms, float)
    latency = float(np.median(timing_ms)) if len(timing_ms) else 0.0
    written_s = beat * 60.0 / bpm
    rows = np.arange(len(beat))
    level = velocity.mean() if len(beat) else 0.0
    notes = DeviationNotes.build(
        len(beat),
        label=np.full(len(beat), "match"),
        confidence=np.ones(len(beat)),
        reference_index=rows,
        take_index=rows,
        channel=np.full(len(beat), 9),
        reference_beat=beat,
        reference_onset_s=written_s,
        onset_s=written_s + timing_ms / 1000.0,
        velocity=velocity,
        instrument=np.asarray(instrument, dtype=str),
        pitch=np.unique(np.asarray(instrument, dtype=str), return_inverse=True)[1] + 36.0,
        timing_ms=timing_ms - latency,
        dynamics_velocity=velocity - level,
        **columns,
    )
    knots = np.arange(0.0, np.ceil(beat.max()) + 1) if len(beat) else np.zeros(0)
    seconds = knots * 60.0 / bpm
    reference = {
        "kind": "click",
        "timing_basis": "reference",
        "metre": [{"beat": 0.0, "numerator": 4, "denominator": 4}],
        "tempo_map": {"beat": [0.0, 1.0], "time_s": [0.0, 60.0 / bpm]},
    }
    return Deviations(
        notes=notes,
        tempo=TempoCurve(knots, seconds, np.full(len(knots), bpm)),
        take={"name": name, "kind": kind},
        reference=reference,
        latency_ms=latency,
    )


def groove(path: Path) -> Deviations:
    """A Groove MIDI take, each hit rounded to its nearest sixteenth; one hit an instrument and place."""
    take = load_take(path)
    notes = take.notes
    assert notes is not None
    beat = np.round(notes.onset_beat * 4.0) / 4.0
    keys = [f"{b:.2f} {i}" for b, i in zip(beat, notes.instrument, strict=True)]
    _, first = np.unique(keys, return_index=True)
    first = first[np.argsort(notes.onset_s[first], kind="stable")]
    assert take.timeline is not None
    bpm = float(take.timeline.tempo_bpm_at(0.0))
    timing_ms = (notes.onset_beat - beat)[first] * 60_000.0 / bpm
    return drums(beat[first], timing_ms, notes.velocity[first], notes.instrument[first], bpm=bpm, name=path.name)


def remade(real: Deviations, timing_ms=None, velocity=None, name="synthetic.mid") -> Deviations:
    """The same written notes with other deviations."""
    notes = real.notes
    timing = notes.timing_ms if timing_ms is None else timing_ms
    loud = notes.velocity if velocity is None else velocity
    bpm = float(real.reference_timeline.tempo_bpm_at(0.0))
    return drums(notes.reference_beat, timing, loud, notes.instrument, bpm=bpm, name=name)


def pattern(bars: int) -> tuple[np.ndarray, np.ndarray]:
    """A plain rock beat: hats on eighths, kick on 1 and 3, snare on 2 and 4, a few ghost notes."""
    bar = [(e / 2, "hat") for e in range(8)] + [(0.0, "kick"), (2.0, "kick"), (2.75, "kick"), (1.0, "snare")]
    bar += [(3.0, "snare"), (1.75, "snare")]
    rows = sorted((4.0 * b + at, drum) for b in range(bars) for at, drum in bar)
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows])


def player(bars: int, seed: int) -> Deviations:
    """A made-up drummer with memory: a wandering clock, a template, accents, and hands that shake a little."""
    rng = np.random.default_rng(seed)
    beat, drum = pattern(bars)
    places = int(beat.max() * 4) + 1
    clock = np.zeros(places)
    for pull in (0.8, 0.95, 0.99):
        walk = np.zeros(places)
        for i in range(1, places):
            walk[i] = pull * walk[i - 1] + np.sqrt(1 - pull**2) * rng.standard_normal()
        clock += walk
    place = np.round(beat * 4).astype(int)
    template = np.array([0.0, 4.0, -3.0, 6.0])[place % 4]
    timing = 7.0 * clock[place] + template + 9.0 * rng.standard_normal(len(beat))
    accent = np.where(drum == "hat", np.where(beat % 1 == 0, 70, 45), np.where(beat % 1 == 0.75, 35, 95))
    velocity = np.clip(np.round(accent + 7.0 * rng.standard_normal(len(beat))), 1, 127)
    return drums(beat, timing, velocity, drum, name="player.mid")
