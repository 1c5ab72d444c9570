"""Fit the weights of `analysis.beat_levels` and those of the bars' phases in `analysis.bar_lines`, and print them.

    python benchmarks/accuracy/fit_beats.py

Heard are Groove MIDI performances of drummers 1, 2, 4 and 5 (CC BY 4.0), in stretches, and every twelfth song of
POP909 (MIT) with chords spread and beats that drift as those of the Weimar Jazz Database do (ODbL). A reading is right
where its beats agree with the truth (F at 70 ms of 0.85 and more). The weights maximise the likelihood of the right
readings (McFadden 1974), with a small ridge in units of the figures' spread. Shares of right readings are printed for
what was fitted and for the other drummers and songs, beside those of the weights that ship: these are of an earlier
draw of the same recipe, and differ most in what the roughness of a reading costs.
"""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from beat_scenes import Scene, groove
from scoring import f_measure
from sets import shared

from takeprint.analysis.bar_lines import NAMED_WEIGHTS as BAR_WEIGHTS
from takeprint.analysis.bar_lines import beat_rows, describe_bars
from takeprint.analysis.beat_levels import NAMED_WEIGHTS, WEIGHTS, Events, describe_reading
from takeprint.analysis.beats import _distinct, _events, _smoothed, _tracks

# Of every performance these stretches are heard: from, for, seconds.
STRETCHES_S = ((0.0, 40.0), (0.0, 150.0), (47.0, 40.0), (101.0, 25.0))
SONG_LENGTHS_S = (30.0, 60.0, 15.0)
RIGHT = 0.85
RIDGE = 0.003
# What unnamed songs count beside unnamed drums.
SONG_SHARE = 2

Case = tuple[np.ndarray, np.ndarray]  # figures of the readings (n, figures), and which of them are right (n,)


def stretch(one: Scene, begin_s: float, length_s: float) -> Scene | None:
    """Return a part of a performance, None where there is too little of it."""
    begin_s += float(one.onset_s[0])
    inside = (one.onset_s >= begin_s) & (one.onset_s < begin_s + length_s)
    if inside.sum() < 12:
        return None
    first_s, last_s = one.onset_s[inside][[0, -1]]
    here = (one.beat_s > first_s - 0.2) & (one.beat_s < last_s + 0.1)
    if here.sum() < 6:
        return None
    return replace(one, onset_s=one.onset_s[inside], weight=one.weight[inside], instrument=one.instrument[inside],
                   beat_s=one.beat_s[here], bar=one.bar[here])  # fmt: skip


def drums(fold: int) -> Iterator[Scene]:
    """Yield stretches of a fold's drummers."""
    for _, one in groove(fold):
        for begin_s, length_s in STRETCHES_S:
            if length_s > 100.0 and np.ptp(one.onset_s) < 60.0:
                continue
            part = stretch(one, begin_s, length_s)
            if part is not None:
                yield part


def drifts() -> list[np.ndarray]:
    """Return how the beats of jazz solos last, over their median, no more than a tenth off."""
    beats: dict[str, list[float]] = {}
    with open(shared() / "wjd-beats" / "wjd_beats.csv", newline="") as file:
        for row in csv.DictReader(file):
            beats.setdefault(row["melid"], []).append(float(row["onset"]))
    lasting = [np.diff(np.sort(times)) for times in beats.values() if len(times) >= 16]
    return [np.clip(each / np.median(each), 0.9, 1.1) for each in lasting]


def songs(fold: int) -> Iterator[Scene]:
    """Yield stretches of POP909 songs, quantized as they are, on beats that drift."""
    import symusic

    rng, slow = np.random.default_rng(fold), drifts()
    with tarfile.open(shared() / "pop909" / "pop909_main.tar.gz") as archive:
        members = {m.name: m for m in archive if m.isfile()}
        for name in sorted(n for n in members if n.endswith(".mid")):
            number = int(Path(name).parts[1])
            beats_name = f"{Path(name).parent}/beat_midi.txt"
            if number % 12 != 6 * fold or beats_name not in members:
                continue
            score = symusic.Score.from_midi(archive.extractfile(members[name]).read())
            tracks = [t for t in score.tracks if t.name == "PIANO" or number % 24 < 12]
            notes = sorted((n.time / score.ticks_per_quarter, n.velocity) for t in tracks for n in t.notes)
            if len(notes) < 50:
                continue
            at, velocity = np.array(notes).T
            written_s = np.loadtxt(archive.extractfile(members[beats_name]))[:, 0]
            period_s = float(np.median(np.diff(written_s)))
            drift = slow[int(rng.integers(len(slow)))]
            warped_s = np.r_[0.0, np.cumsum(np.resize(drift, int(written_s[-1] / period_s) + 8))] * period_s
            lasting = np.arange(len(warped_s)) * period_s
            # Chords move together by 10 ms, their notes apart by 6 ms.
            together = rng.normal(0.0, 0.010, 1 + int(20 * at[-1] * 60 / score.tempos[0].qpm))
            onset_s = at * 60.0 / score.tempos[0].qpm
            moved = together[np.minimum((onset_s * 20).astype(int), len(together) - 1)] + rng.normal(0, 0.006, len(at))
            onset_s = np.interp(onset_s, lasting, warped_s) + moved
            order = np.argsort(onset_s)
            nothing = np.full(len(written_s), -1)
            one = Scene(name, onset_s[order], velocity[order], np.full(len(at), ""),
                        np.interp(written_s, lasting, warped_s), nothing, np.zeros(0))  # fmt: skip
            part = stretch(one, 0.0, SONG_LENGTHS_S[number // 12 % 3])
            if part is not None:
                yield part


def read(one: Scene, is_named: bool) -> tuple[Events, list[np.ndarray], np.ndarray]:
    """Return the moments, the readings, and how far each agrees with the truth."""
    events = _events(one.onset_s, one.weight, one.instrument if is_named else None)
    readings = _distinct(_tracks(events))
    first_s, last_s = events.time_s[[0, -1]]
    agree = [
        f_measure(one.beat_s, beat_s[(beat_s >= first_s - 0.2) & (beat_s <= last_s + 0.1)], 0.07) for beat_s in readings
    ]
    return events, readings, np.array(agree)


def level_case(one: Scene, is_named: bool) -> Case:
    """Return the figures of a scene's readings and which are right."""
    events, readings, agree = read(one, is_named)
    return np.array([describe_reading(beat_s, events) for beat_s in readings]), agree >= RIGHT


def bar_case(one: Scene) -> Case | None:
    """Return the figures of the four phases of a bar of four on the right beats, and which is right."""
    events, readings, agree = read(one, True)
    best = int(np.argmax(agree))
    if one.beats_per_bar != 4 or agree[best] < 0.9 or not events.named:
        return None
    beat_s, _, clock = _smoothed(readings[best], events)
    if len(beat_s) < 12:
        return None
    bar = one.bar[np.argmin(np.abs(one.beat_s[:, None] - beat_s[None]), axis=0)]
    votes = np.bincount((np.arange(len(beat_s)) - bar) % 4, minlength=4)
    rows = beat_rows(clock, len(beat_s), events)
    return np.array([describe_bars(rows, 4, j, True) for j in range(4)]), np.arange(4) == np.argmax(votes)


def fitted(cases: list[Case]) -> np.ndarray:
    """Return the weights under which the right readings are likeliest."""
    from scipy.optimize import minimize

    every = np.concatenate([figures for figures, _ in cases])
    scale = every.std(axis=0) + 1e-9
    useful = [(figures / scale, right) for figures, right in cases if right.any()]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = 0.0, np.zeros_like(weights)
        for figures, right in useful:
            score = figures @ weights
            share = np.exp(score - score.max())
            share /= share.sum()
            likely = max(float(share[right].sum()), 1e-300)
            total -= np.log(likely)
            slope -= figures.T @ (share * right / likely - share)
        n = len(useful)
        return total / n + RIDGE * weights @ weights, slope / n + 2.0 * RIDGE * weights

    return minimize(loss, np.zeros(len(scale)), jac=True, method="L-BFGS-B").x / scale


def told(what: str, cases: list[Case], weights: np.ndarray, shipped: np.ndarray) -> None:
    """Print in which share of the cases the likeliest reading is right: with these weights, with the shipped ones."""
    share = [np.mean([right[np.argmax(figures @ w)] for figures, right in cases]) for w in (weights, shipped)]
    possible = np.mean([right.any() for _, right in cases])
    print(f"  {what:20s} n {len(cases):4d}  right {share[0]:.3f}, shipped {share[1]:.3f}, at best {possible:.3f}")


def shown(name: str, weights: np.ndarray) -> None:
    """Print weights as they stand in the module."""
    print(f"{name} = {np.array2string(np.round(weights, 2), separator=', ', max_line_width=110, suppress_small=True)}")


def main() -> None:
    """Fit and print."""
    parts = {fold: list(drums(fold)) for fold in (0, 1)}
    tunes = {fold: [level_case(one, False) for one in songs(fold)] for fold in (0, 1)}
    for is_named, shipped in ((False, WEIGHTS), (True, NAMED_WEIGHTS)):
        cases = {fold: [level_case(one, is_named) for one in parts[fold]] for fold in (0, 1)}
        weights = fitted(cases[0] if is_named else cases[0] + SONG_SHARE * tunes[0])
        shown("NAMED_WEIGHTS" if is_named else "WEIGHTS", weights)
        told("drummers fitted on", cases[0], weights, shipped)
        told("other drummers", cases[1], weights, shipped)
        if not is_named:
            told("songs fitted on", tunes[0], weights, shipped)
            told("other songs", tunes[1], weights, shipped)
    bars = {fold: [case for one in parts[fold] if (case := bar_case(one)) is not None] for fold in (0, 1)}
    weights = fitted(bars[0])
    shown("bars of four, phases", weights)
    told("drummers fitted on", bars[0], weights, BAR_WEIGHTS)
    told("other drummers", bars[1], weights, BAR_WEIGHTS)


if __name__ == "__main__":
    main()
