"""Breath: how many are found, how many are invented, where their edges lie and what the confidence is worth.

Everything here is checked on takes, singers, drummers and instruments that `benchmarks/fit_breath.py` does not fit on
(the sets are told in `breath_sets.py`); the breaths that are laid into a voice come from another take than the voice.
No peer is known to find breaths, so none stands beside the figures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import breath_sets as sets
import numpy as np
from breath_sets import CHECKING, RATE, Heard
from rooms import through_mp3
from settings import SETTINGS

from takeprint.analysis.breath import find_breaths

LEVELS_DB = (-50, -45, -40, -35, -30, -25)
# General MIDI programs and ranges of keys that are not fitted on.
PROGRAMS = ((4, 40, 85), (1, 40, 80), (27, 40, 76), (26, 40, 76), (42, 36, 60), (41, 50, 80), (71, 55, 80))
BINS = (0.3, 0.5, 0.7, 0.9, 0.97, 1.0001)


@dataclass
class Tally:
    """Counts over recordings."""

    hits: int = 0
    truths: int = 0
    false: int = 0
    seconds: float = 0.0
    by_level: dict[int, list[int]] = field(default_factory=lambda: {low: [0, 0] for low in LEVELS_DB[:-1]})
    starts_s: list[float] = field(default_factory=list)
    ends_s: list[float] = field(default_factory=list)
    verdicts: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, heard: Heard) -> None:
        """Find the breaths of a recording and compare; one counts as found where they share half of the longer."""
        found = [
            (e["start_s"], e["start_s"] + e["duration_s"], e["confidence"])
            for e in find_breaths(heard.samples, heard.rate)
        ]
        free = set(range(len(found)))
        self.seconds += len(heard.samples) / heard.rate
        for k, (begin, end) in enumerate(heard.breaths):
            shares = [(min(end, q) - max(begin, p)) / max(end - begin, q - p) for p, q, _ in found]
            best = int(np.argmax(shares)) if shares else -1
            hit = best in free and shares[best] >= 0.5
            self.truths += 1
            self.hits += hit
            if heard.levels_db:
                low = max(v for v in LEVELS_DB[:-1] if v <= heard.levels_db[k])
                self.by_level[low][0] += hit
                self.by_level[low][1] += 1
            if hit:
                free.remove(best)
                self.starts_s.append(found[best][0] - begin)
                self.ends_s.append(found[best][1] - end)
                self.verdicts.append((found[best][2], True))
        for i in free:
            p, q, confidence = found[i]
            if not any(min(q, b) > max(p, a) for a, b in (*heard.doubtful,)):
                self.false += 1
                self.verdicts.append((confidence, False))

    @property
    def figures(self) -> tuple[float, float, float]:
        """Precision, recall, F."""
        precision = self.hits / max(self.hits + self.false, 1)
        recall = self.hits / max(self.truths, 1)
        return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def _data() -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("TAKEPRINT_DATA", beside))


def planted(data: Path, seed: int) -> Iterator[tuple[str, Heard]]:
    """Yield real voices with breaths of other takes between their phrases: as they are, and through a room or codec."""
    rng = np.random.default_rng(seed)
    cuts = {i: sets.clips(data, (CHECKING[i],)) for i in (0, 1)}
    for take, source in ((0, 1), (1, 0), (2, 1), (3, 1), (2, 0), (3, 0)):
        breaths = [sets.varied(c, rng) for c in cuts[source] * 3]
        heard = sets.session(data, CHECKING[take], breaths, rng, seconds=12 if take == 2 else 40)
        yield "clean", heard
        y = sets.wooden(heard.samples, rng)
        yield "room, mic, noise, MP3", replace(heard, samples=through_mp3(np.clip(y, -1, 1), RATE, 96))
        tune = sets.line(rng, int(rng.choice([4, 26, 27])), len(heard.samples) / RATE, (45, 75))
        y = heard.samples.copy()
        y[: len(tune)] += tune * 10 ** (-40 / 20)
        yield "light accompaniment (-40 dB peak)", replace(heard, samples=y)


def at_rate(heard: Heard, rate: int) -> Heard:
    from math import gcd

    from scipy.signal import resample_poly

    shared = gcd(rate, RATE)
    return replace(heard, samples=resample_poly(heard.samples, rate // shared, RATE // shared), rate=rate)


def music(data: Path, seed: int) -> Iterator[tuple[str, Heard]]:
    """Yield music without breaths."""
    rng = np.random.default_rng(seed)
    for program, low, high in PROGRAMS:
        y = sets.line(rng, program, 20, (low, high), 3 if program in (1, 4) else 1)
        name = {4: "piano", 1: "piano", 27: "guitar", 26: "guitar", 71: "clarinet"}.get(program, "bowed")
        yield f"{name}, sampled", Heard(y, RATE)
        yield f"{name}, sampled", Heard(sets.wooden(y, rng), RATE)
        if name == "guitar":
            for noises in ("emilyguitar/noises/*rr[45].wav", "swagbass/noises/*.wav"):
                yield "guitar with squeaks", Heard(sets.squeaky(y, data, rng, noises), RATE)
    for drummer in ("drummer4", "drummer6", "drummer8"):
        y = sets.drums(rng, data, drummer, 30)
        yield "drums, sampled", Heard(y, RATE)
        yield "drums, sampled", Heard(sets.wooden(y, rng), RATE)
    for path in sorted((data / "restricted" / "mdb-drums" / "audio" / "drum_only").glob("*.wav")):
        yield "drums, real", Heard(sets.loaded(path), RATE)
    yield "violin, real", Heard(sets.loaded(data / "sms-tools-sounds" / "violin-B3.wav"), RATE)
    applause = sets.loaded(data / "fluidr3-noises" / "Applause.wav")
    yield "applause, noise", Heard(np.tile(applause, 6), RATE)
    for _ in range(3):
        yield "applause, noise", Heard(sets.coloured(rng, 15), RATE)


def run(peers: bool) -> None:
    """Print the figures beside the targets."""
    data, seed = _data(), 11 + SETTINGS.seed
    print("\n## Breath (no peer is known)" if peers else "\n## Breath")
    tallies: dict[str, Tally] = {}
    verdicts = []
    for name, heard in planted(data, seed):
        tallies.setdefault(name, Tally()).add(heard)
        if name == "clean":
            for rate in (16_000, 8_000):
                tallies.setdefault(f"clean at {rate // 1000} kHz", Tally()).add(at_rate(heard, rate))
    print("\nPlanted over real voices, -50 to -25 dBFS; target F >= 0.9, edges within 40 ms (8 kHz: no target)\n")
    print("| set | breaths | precision | recall | F | edges within 40 ms | median | recall by level, dBFS |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, t in tallies.items():
        edges = np.abs(np.concatenate([t.starts_s, t.ends_s]))
        levels = ", ".join(f"{low}: {n}/{of}" for low, (n, of) in t.by_level.items())
        p, r, f = t.figures
        print(f"| {name} | {t.truths} | {p:.3f} | {r:.3f} | {f:.3f} | {100 * np.mean(edges <= 0.04):.0f} % "
              f"| {1000 * np.median(edges):.0f} ms | {levels} |")  # fmt: skip
        verdicts += t.verdicts if "8 kHz" not in name else []
    print("\nAs recorded; target: all four labels of nit-song070 007\n")
    print(
        "| take | labelled | found | false | edges within 40 ms | within 60 ms |\n| --- | --- | --- | --- | --- | --- |"
    )
    for take in CHECKING:
        t = Tally()
        t.add(sets.taken(data, take))
        edges = np.abs(np.array([*t.starts_s, *t.ends_s, np.nan]))[:-1]
        shares = [f"{np.sum(edges <= least)} of {len(edges)}" for least in (0.0401, 0.0601)]
        print(f"| {Path(take.path).stem} | {t.truths} | {t.hits} | {t.false} | {' | '.join(shares)} |")
        verdicts += t.verdicts
    print(
        "\nMusic without breaths; target <= 1 false a minute\n\n"
        "| music | minutes | false a minute |\n| --- | --- | --- |"
    )
    without: dict[str, Tally] = {}
    for name, heard in music(data, seed):
        without.setdefault(name, Tally()).add(heard)
    for name, t in (*without.items(), ("all", sum_of(without))):
        print(f"| {name} | {t.seconds / 60:.1f} | {60 * t.false / t.seconds:.2f} |")
        verdicts += t.verdicts if name != "all" else []
    print(
        "\nWhat the confidence is worth (all of the above but 8 kHz)\n\n"
        "| confidence | said | right |\n| --- | --- | --- |"
    )
    for low, high in pairwise(BINS):
        inside = [right for c, right in verdicts if low <= c < high]
        if inside:
            print(f"| {low:.2f} to {min(high, 1):.2f} | {len(inside)} | {100 * np.mean(inside):.0f} % |")


def sum_of(tallies: dict[str, Tally]) -> Tally:
    return Tally(false=sum(t.false for t in tallies.values()), seconds=sum(t.seconds for t in tallies.values()))
