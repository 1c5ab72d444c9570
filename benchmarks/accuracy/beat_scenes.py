"""Rhythms with planted beats, and real performances whose beat is known, for `beats`.

A scene is onsets (seconds, strength, instrument) with the beats they were laid on. The lateness of onsets is planted:
independent, normal, of 6 ms.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sets import shared

TUNED = ("drummer1", "drummer2", "drummer4", "drummer5")  # the weights of `analysis.beat_levels` saw these
JITTER_S = 0.006
# Hits of a bar by beat: kick, snare, hat, and what has no name.
ROCK = {"kick": (0, 2, 2.5), "snare": (1, 3), "hat": tuple(np.arange(8) / 2)}
SIXTEENTHS = {"kick": (0, 0.75, 2.5), "snare": (1, 3), "hat": tuple(np.arange(16) / 4)}
SWING = {"hat": (0, 1, 1.64, 2, 3, 3.64), "kick": (0, 2), "snare": (1, 3)}
WALTZ = {"kick": (0,), "snare": (1, 2), "hat": tuple(np.arange(6) / 2)}
FIVE = {"kick": (0, 3), "snare": (2, 4), "hat": tuple(np.arange(10) / 2)}
TRIPLETS = {"": tuple(np.arange(12) / 3)}
MELODY = {"": (0, 1, 1.5, 2, 2.75, 3, 3.5)}
CLICK = {"": (0,)}


@dataclass(frozen=True)
class Scene:
    """Onsets and the beats they belong to; ``bar`` counts the beats from a bar line, -1 where that is not known."""

    name: str
    onset_s: np.ndarray
    weight: np.ndarray
    instrument: np.ndarray
    beat_s: np.ndarray
    bar: np.ndarray
    onset_beat: np.ndarray
    beats_per_bar: int = 4
    planted: bool = False


def periods(kind: str, bpm: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return how long each beat lasts, seconds."""
    k = np.arange(n)
    if kind == "drift":  # +-5 bpm of a sine and +4 bpm over the take, as ANALYSIS_PEERS has it, at 120 bpm
        return 60.0 / (bpm * (1 + 5 / 120 * np.sin(2 * np.pi * k / 48) + 4 / 120 * k / n))
    if kind == "rubato":  # phrases of 8 beats that end 25 % slower, and a wandering of 3 % a beat
        return 60.0 / bpm * (1 + 0.25 * (k % 8 / 7) ** 3) * np.exp(rng.normal(0, 0.03, n))
    if kind == "accelerando":
        return 60.0 / (bpm * 2.0 ** (0.6 * k / n))
    return np.full(n, 60.0 / bpm)


def scene(
    name: str, pattern: dict, per_bar: int, tempo: str, bpm: float, n: int, rng: np.random.Generator, **how
) -> Scene:
    """Lay a pattern on beats; ``gap`` silences bars 5 to 8, ``drop`` leaves out that share of the hits."""
    beat_s = 0.4 + np.r_[0.0, np.cumsum(periods(tempo, bpm, n, rng))]
    place, weight, names = [], [], []
    for bar in range(0, n, per_bar):
        if how.get("gap") and 4 * per_bar <= bar < 8 * per_bar:
            continue
        for instrument, hits in pattern.items():
            for hit in hits:
                if bar + hit < n and rng.random() >= how.get("drop", 0.0):
                    place.append(bar + hit)
                    weight.append(80 + 25 * (hit == 0) + 10 * (hit % 1 == 0) + rng.normal(0, 8))
                    names.append(instrument)
    at = np.array(place)
    onset_s = np.interp(at, np.arange(n + 1), beat_s) + rng.normal(0, JITTER_S, len(at))
    order = np.argsort(onset_s)
    true = beat_s[:-1][(beat_s[:-1] >= onset_s.min() - 0.1) & (beat_s[:-1] <= onset_s.max() + 0.1)]
    return Scene(name, onset_s[order], np.array(weight)[order], np.array(names)[order], true,
                 np.arange(len(true)) % per_bar, at[order], per_bar, True)  # fmt: skip


def planted(rng: np.random.Generator) -> Iterator[Scene]:
    """Yield the constructed scenes, of one to two minutes."""
    for bpm in (40, 60, 80, 100, 120, 150, 180, 210, 240):
        yield scene(f"click {bpm}", CLICK, 1, "steady", bpm, 80, rng)
    for bpm in (75, 95, 120, 150):
        yield scene(f"drums drift {bpm}", ROCK, 4, "drift", bpm, 160, rng)
    yield scene("drums sixteenths drift 120", SIXTEENTHS, 4, "drift", 120, 160, rng)
    yield scene("drums swing 130", SWING, 4, "drift", 130, 160, rng)
    yield scene("drums 3/4", WALTZ, 3, "drift", 110, 120, rng)
    yield scene("drums 5/4", FIVE, 5, "drift", 120, 120, rng)
    yield scene("drums half the hits 120", ROCK, 4, "drift", 120, 160, rng, drop=0.5)
    yield scene("drums silent 16 beats", ROCK, 4, "drift", 120, 128, rng, gap=True)
    yield scene("triplets 100", TRIPLETS, 4, "drift", 100, 100, rng)
    yield scene("melody drift 100", MELODY, 4, "drift", 100, 120, rng)
    yield scene("melody rubato 80", MELODY, 4, "rubato", 80, 120, rng)
    yield scene("melody accelerando 90 to 136", MELODY, 4, "accelerando", 90, 120, rng)


def groove(fold: int) -> Iterator[tuple[str, Scene]]:
    """Yield (style, scene) of the Groove MIDI performances of a fold's drummers that follow their click."""
    from takeprint.core.take import load_take

    with open(shared() / "groove" / "info.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["beat_type"] == "beat" and float(r["duration"]) >= 10]
    for row in rows:
        if (row["drummer"] in TUNED) == bool(fold):
            continue
        take = load_take(shared() / "groove" / row["midi_filename"])
        notes = take.notes
        # A performance that ran free of its click has no truth: its hits lie anywhere between quarters and thirds.
        follows = max(abs(np.exp(2j * np.pi * parts * notes.onset_beat).mean()) for parts in (3, 4))
        if len(notes) < 12 or follows < 0.15:
            continue
        beat = np.arange(np.ceil(notes.onset_beat[0] - 0.2), notes.onset_beat[-1] + 0.1)
        numerator, denominator = map(int, row["time_signature"].split("-"))
        per_bar = numerator * 4 // denominator
        yield row["style"].split("/")[0], Scene(row["id"], notes.onset_s, notes.velocity, notes.instrument,
              take.timeline.seconds_at(beat), (beat % per_bar).astype(int), notes.onset_beat, per_bar)  # fmt: skip


def asap() -> Iterator[Scene]:
    """Yield performances of pianists with their annotated beats: measuring only."""
    from takeprint.core.take import load_take

    for path in sorted((shared() / "restricted" / "asap").rglob("*_annotations.txt")):
        midi = path.with_name(path.name.replace("_annotations.txt", ".mid"))
        if "score" in path.name or not midi.exists():
            continue
        beat_s = np.array([float(line.split()[0]) for line in path.read_text().splitlines() if line.strip()])
        notes = load_take(midi).notes
        nothing = np.full(len(beat_s), -1)
        yield Scene(path.stem, notes.onset_s, notes.velocity, np.full(len(notes), ""), beat_s, nothing,
                    np.zeros(0), 1)  # fmt: skip
