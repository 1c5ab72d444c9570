"""Onsets on the constructed sets: how many are found, how exactly, how alike for every instrument, how honestly."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import peers as peers_table
from mixing import Sound, joined
from scoring import ENOUGH, Score, coverage, micro_timing, score, verdict
from sets import make
from settings import SETTINGS

# Targets of the issue: F at 50 ms, F at 10 ms, median abs. error ms, 95th percentile of abs. error ms.
TARGETS: dict[str, tuple[float, float, float, float]] = {
    "drums_solo": (0.998, 0.998, 0.1, 0.5),
    "drums_kit": (0.98, 0.97, 0.1, 1.5),
    "guitar_line": (0.985, 0.98, 1.0, 3.0),
    "guitar_strum": (0.99, 0.95, 1.0, 4.0),
    "piano": (0.93, 0.90, 1.2, 6.0),
    "mono": (0.92, 0.65, 5.0, 15.0),
    "drums_kit_live": (0.97, 0.96, 0.5, 3.0),
    "guitar_line_live": (0.985, 0.96, 1.2, 4.0),
}
NO_TARGET = ("bass",)
EXTRAS = ("drums_solo_live", "guitar_strum_live", "piano_live", "mono_live", "bass_live", "drums_kit_bleed",
          "guitar_line_bleed", "drums_kit_8k", "drums_kit_22k", "drums_kit_96k", "guitar_line_8k", "guitar_line_22k",
          "guitar_line_96k", "piano_22k", "drums_kit_uncut", "guitar_line_uncut", "piano_uncut")  # fmt: skip
ATTACKED = ("drums_solo", "drums_kit", "guitar_line", "guitar_strum", "piano")  # a take of them must agree on time
GAP_S = 1.0
HEAD = (f"{'set':18s} {'detector':20s}    F50    F25    F10  med|e|    p95 p95-bias   bias  robust     sd spread "
        "found truth  cpu s/min")  # fmt: skip


@dataclass
class Tally:
    """What a detector did on every set so far."""

    scores: dict[str, Score] = field(default_factory=dict)
    cpu_s: float = 0.0
    sound_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Found:
    """Onsets of a detector; what only ours state is NaN or "" for others."""

    onset_s: np.ndarray
    uncertainty_ms: np.ndarray
    kind: np.ndarray


@dataclass
class Stated:
    """Errors of our onsets beside what was stated about them."""

    error_ms: list[np.ndarray] = field(default_factory=list)
    uncertainty_ms: list[np.ndarray] = field(default_factory=list)
    label: list[np.ndarray] = field(default_factory=list)


def ours(samples: np.ndarray, rate: int):
    from takeprint.analysis.onsets import detect_onsets

    return detect_onsets(samples, rate)


def run(peers: bool) -> None:
    """Print the tables."""
    names = SETTINGS.only or [*TARGETS, *NO_TARGET, *(EXTRAS if SETTINGS.extras else ())]
    detectors: dict[str, Callable] = {"takeprint": ours}
    if peers:
        print(f"peers: {peers_table.versions()}")
        detectors.update(peers_table.installed(peers_table.ONSETS))
    seeds = f"{SETTINGS.seeds} seed(s) from {SETTINGS.seed}"
    print(f"half {SETTINGS.fold} of the data, {seeds}; errors in ms, late positive; ! misses its target")
    print(HEAD)
    tallies = {name: Tally() for name in detectors}
    stated: dict[str, Stated] = {}
    solo: list[str] = []
    for name in names:
        sounds = [make(name, SETTINGS.seed + k, SETTINGS.fold) for k in range(SETTINGS.seeds)]
        sound = joined(sounds, gap_s=GAP_S)
        for label, detect in detectors.items():
            found = _measured(detect, sounds, tallies[label])
            result = tallies[label].scores[name] = score(sound, found.onset_s)
            print(_row(name, label, result, tallies[label]), flush=True)
            if label == "takeprint":
                stated[name] = _stated(sound, result, found)
            if name == "drums_solo":
                solo.append(_musical(label, sound, result, found.onset_s))
        if name in TARGETS:
            print(_target_row(name))
    _overall(tallies)
    if peers:
        _beside_targets(tallies)
    if solo:
        print("\nmicro-timing on drums_solo: sd of the deviations from the grid (ms)")
        print(f"{'detector':20s} planted measured   off %  correlation  bias of each instrument (ms)")
        print("\n".join(solo))
    _calibration(stated)


def _measured(detect: Callable, sounds: list[Sound], tally: Tally) -> Found:
    """Run a detector, warm, over sounds of one set; their onsets as if they followed each other (`mixing.joined`)."""
    detect(sounds[0].samples[: 3 * sounds[0].rate], sounds[0].rate)
    parts, at = [], 0
    tally.cpu_s = tally.sound_s = 0.0
    for sound in sounds:
        begin = time.process_time()
        got = detect(sound.samples, sound.rate)
        tally.cpu_s += time.process_time() - begin
        tally.sound_s += sound.duration_s
        times = np.asarray(getattr(got, "onset_s", got), dtype=float)
        parts.append((times + at / sound.rate, getattr(got, "onset_uncertainty_ms", np.full(len(times), np.nan)),
                      getattr(got, "kind", np.full(len(times), ""))))  # fmt: skip
        at += len(sound.samples) + int(GAP_S * sound.rate)
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _row(name: str, label: str, s: Score, tally: Tally) -> str:
    marks = [" "] * 4
    if label == "takeprint" and name in TARGETS:
        f50, f10, median, p95 = TARGETS[name]
        marks = [verdict(s.f50, f50, True), verdict(s.f10, f10, True), verdict(s.median_abs_ms, median),
                 verdict(s.p95_ms, p95)]  # fmt: skip
    cpu = 60 * tally.cpu_s / tally.sound_s
    return (
        f"{name:18s} {label:20s} {s.f50:6.3f}{marks[0]}{s.f25:6.3f} {s.f10:6.3f}{marks[1]}{s.median_abs_ms:7.2f}"
        f"{marks[2]}{s.p95_ms:6.2f}{marks[3]} {s.p95_unbiased_ms:7.2f} {s.bias_ms:+6.2f} {s.robust_sd_ms:7.2f}"
        f" {s.sd_ms:6.2f} {s.spread_ms:6.2f} {s.found_count:5d} {s.truth_count:5d} {cpu:10.2f}"
    )


def _target_row(name: str) -> str:
    f50, f10, median, p95 = TARGETS[name]
    return f"{name:18s} {'(target)':20s} {f50:6.3f}        {f10:6.3f} {median:7.2f} {p95:6.2f}"


def _beside_targets(tallies: dict[str, Tally]) -> None:
    """Print the issue's table: ours, the target and the best peer of each column (which may be another in each)."""
    print("\nours / target / best peer of this run in each column")
    print(f"{'set':18s} {'F at 50 ms':>23s} {'F at 10 ms':>23s} {'median |e| ms':>20s} {'p95 |e| ms':>20s}")
    for name, wanted in TARGETS.items():
        if name not in tallies["takeprint"].scores:
            continue
        own = tallies["takeprint"].scores[name]
        others = [t.scores[name] for label, t in tallies.items() if label != "takeprint"]
        cells = []
        for place, (key, best) in enumerate(
            (("f50", max), ("f10", max), ("median_abs_ms", min), ("p95_ms", min)),
        ):
            # a detector that finds next to nothing is exact by chance
            able = [getattr(o, key) for o in others if o.f50 > 0.5]
            value, met = getattr(own, key), verdict(getattr(own, key), wanted[place], best is max)
            digits = 3 if best is max else 2
            ceiling = f"{best(able):.{digits}f}" if able else "-"
            cells.append(f"{value:.{digits}f}{met}/ {wanted[place]:.{digits}f} / {ceiling}")
        print(f"{name:18s} {cells[0]:>23s} {cells[1]:>23s} {cells[2]:>20s} {cells[3]:>20s}")


def _overall(tallies: dict[str, Tally]) -> None:
    """Print the means over the sets, and how far the biases of struck and plucked sets lie apart."""
    print("\nover the sets (spread: largest minus smallest bias of the struck and plucked sets, ms)")
    print(f"{'detector':20s} mean F50    F25    F10  spread")
    for label, tally in tallies.items():
        figures = list(tally.scores.values())
        biases = [s.bias_ms for n, s in tally.scores.items() if n in ATTACKED]
        spread = max(biases) - min(biases) if len(biases) > 1 else np.nan
        means = [np.mean([getattr(s, k) for s in figures]) for k in ("f50", "f25", "f10")]
        print(f"{label:20s} {means[0]:8.3f} {means[1]:6.3f} {means[2]:6.3f} {spread:7.2f}")


def _musical(label: str, sound: Sound, result: Score, found: np.ndarray) -> str:
    planted, measured, correlation = micro_timing(sound, result, found)
    off = 100 * (measured / planted - 1)
    biases = result.bias_by_name
    worst = max((abs(b) for b in biases.values()), default=np.nan)
    marks = (verdict(abs(off), 1.0), verdict(worst, 0.2)) if label == "takeprint" else (" ", " ")
    each = "  ".join(f"{n} {b:+.2f}" for n, b in biases.items())
    return f"{label:20s} {planted:7.2f} {measured:8.2f} {off:+7.2f}{marks[0]} {correlation:11.4f}  {each}{marks[1]}"


def _stated(sound: Sound, result: Score, found: Found) -> Stated:
    """Collect our errors with what was stated of them, under each label they may be looked at by."""
    out = Stated()
    i, j = result.truth_index, result.found_index
    uncertainty, kinds = found.uncertainty_ms[j], found.kind[j]
    first = np.unique(sound.note_event, return_index=True)[1]
    how = sound.note_how[first][i]
    for label in (np.array([f"kind said: {k or '(none)'}" for k in kinds]),
                  np.array([f"truly: {k}" + ("" if h == "attack" else f", {h}")
                            for k, h in zip(sound.kinds[i], how, strict=True)])):  # fmt: skip
        out.error_ms.append(result.error_ms)
        out.uncertainty_ms.append(uncertainty)
        out.label.append(label)
    return out


def _calibration(stated: dict[str, Stated]) -> None:
    """Print how much of the truth lies inside the stated 90 % intervals; 85 to 95 % is meant."""
    print("\ncalibration of onset_uncertainty_ms (half width of the 90 % interval): share of matched truth inside, %")
    print(f"{'':34s}     n  inside  median stated ms  p90 of |error| ms")
    rows = [(name, s.error_ms[0], s.uncertainty_ms[0]) for name, s in stated.items()]
    error, uncertainty, label = (
        np.concatenate([np.concatenate(getattr(s, k)) for s in stated.values()])
        for k in ("error_ms", "uncertainty_ms", "label")
    )
    rows += [(str(one), error[label == one], uncertainty[label == one]) for one in np.unique(label)]
    for name, some, width in rows:
        if len(some) >= ENOUGH:
            share = 100 * coverage(some, width)
            mark = " " if 85 <= share <= 95 else "!"
            print(f"{name:34s} {len(some):5d} {share:7.1f}{mark} {np.median(width):17.2f} "
                  f"{np.percentile(np.abs(some), 90):18.2f}")  # fmt: skip
