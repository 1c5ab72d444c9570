"""Fit the weights of `analysis/breath_weights.py` and print that file, or write it.

    python benchmarks/fit_breath.py [--write]      (some minutes on two cores; needs the shared data and the sound font)

Material, all CC BY, MIT, CC0 or made here: the takes of ``breath_sets.FITTING`` (respiro-en, LibriSpeech 198,
NIT SONG070 004, sms-tools), their breaths and made ones laid between their phrases, FluidR3 and Groove MIDI music
without breaths, made drums. Nothing of the checking takes. Half of everything is heard through another room,
microphone, noise or codec. All that is random comes from the seeds of ``DRAWS``, so the same sources and libraries give
the same weights. The weights that stand now were fitted on other draws and find a little more on the checking takes;
``--write`` replaces them. Two regularised logistic regressions: frames, then the stretches that likely frames make.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # sums in one order: the same weights every time
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "accuracy"))

import breath_sets as sets
from breath_sets import FITTING, RATE, Heard
from rooms import through_mp3

from takeprint.analysis import breath_evidence as evidence
from takeprint.analysis.breath_frames import HOP_S, FrameReader, Frames

HERE = Path(__file__).resolve().parent
# Seeds: each of the first draws all of the material anew, each of the second more voices in airy rooms.
DRAWS = {2027: "all", 2028: "all", 2029: "airy", 2030: "airy"}
L2_FRAMES, L2_STRETCHES = 1e-3, 1e-2
# What is known of breath bounds the weights, so that sounds unlike all that was fitted on are not taken for breath:
# more of the first can only speak for it, more of the second only against it.
FOR = ("coverage", "flat_low", "flat_mid", "swell", "stands", "evidence", "best", "onset", "ending", "voiced",
       "inner_rise", "nearest", "flat")  # fmt: skip
AGAINST = ("slope^2", "curve^2", "ripple", "peaked", "harmonic", "whitened", "level", "level^2", "crest", "change",
           "jump", "rise", "length^2", "noisy_before", "overshadow")  # fmt: skip
SPARSE = 3  # every third frame: neighbours say the same


@dataclass
class Read:
    """A recording's frames with their labels."""

    heard: Heard
    frames: Frames
    is_breath: np.ndarray
    counts: np.ndarray


def planted(
    data: Path, takes: tuple[sets.Labelled, ...], count: int, breaths: list[np.ndarray], rng: np.random.Generator,
    airy: bool = False,
) -> Iterator[Heard]:  # fmt: skip
    """Yield voices with breaths laid between their phrases, in rooms, through codecs and over soft music."""
    for k in range(count):
        level = (-60, -25) if k % 3 == 1 else (-50, -25)
        heard = sets.session(
            data, takes[k % len(takes)], breaths, rng, level_db=level, consonants=0.6, share=0.6, airy=airy
        )
        y = heard.samples if k % 3 == 0 else sets.wooden(heard.samples, rng)
        if k % 5 == 4:
            y = through_mp3(np.clip(y, -1, 1), RATE, int(rng.choice([64, 128])))
        if k % 4 == 1:  # light accompaniment
            tune = sets.line(rng, int(rng.choice([0, 24, 25, 33])), len(y) / RATE, (45, 75))[: len(y)]
            y = y.copy()
            y[: len(tune)] += tune * 10 ** (rng.uniform(-45, -28) / 20)
        yield replace(heard, samples=y)


def breaths_for(data: Path, rng: np.random.Generator) -> list[np.ndarray]:
    """Return real breaths of the fitting takes, varied, and made ones."""
    real = sets.clips(data, FITTING)
    return [sets.varied(real[i % len(real)], rng) for i in range(45)] + [sets.made_breath(rng) for _ in range(60)]


def airy_material(data: Path, rng: np.random.Generator) -> Iterator[Heard]:
    """Yield voices in rooms whose noise has the colour of breath.

    Without the take whose quietest pieces are all breath: its made room would be nothing but breaths called none.
    """
    takes = tuple(t for t in FITTING if "train-other" not in t.path)
    yield from planted(data, takes, 40, breaths_for(data, rng), rng, airy=True)


def material(data: Path, rng: np.random.Generator) -> Iterator[Heard]:
    """Yield recordings to fit on."""
    breaths = breaths_for(data, rng)
    for take in FITTING:
        heard = sets.taken(data, take)
        yield heard
        for _ in range(2):
            yield replace(heard, samples=sets.wooden(heard.samples, rng))
    yield from planted(data, FITTING, 90, breaths, rng)
    for k in range(12):  # a few catch breaths: more of them make consonants into breaths
        heard = sets.session(data, FITTING[k % len(FITTING)], breaths, rng, level_db=(-60, -25), consonants=0.5,
                             share=0.7, wedged=0.7, seconds=16)  # fmt: skip
        yield replace(heard, samples=sets.wooden(heard.samples, rng)) if k % 3 == 2 else heard
    for program, low, high in ((0, 40, 85), (24, 40, 76), (25, 40, 76), (33, 28, 50), (40, 55, 90), (73, 60, 90),
                               (65, 50, 75), (56, 55, 80), (48, 40, 80), (16, 40, 80)):  # fmt: skip
        y = sets.line(rng, program, 15, (low, high), 3 if program in (0, 24, 48) else 1)
        yield Heard(sets.wooden(y, rng), RATE)
        if program in (24, 25):
            y = sets.squeaky(y, data, rng, "emilyguitar/noises/*rr[123].wav")
            yield Heard(y, RATE)
            yield Heard(sets.wooden(y, rng), RATE)
    for drummer in ("drummer1", "drummer2", "drummer1", "drummer2", "drummer5"):
        y = sets.drums(rng, data, drummer, 20)
        yield Heard(y, RATE)
        yield Heard(sets.wooden(y, rng), RATE)
    for k in range(24):
        y = sets.made_drums(rng, 15)
        yield Heard(sets.wooden(y, rng) if k % 2 else y, RATE)
    for _ in range(3):
        yield Heard(sets.coloured(rng, 10) * rng.uniform(0.05, 1), RATE)
    for name in ("sms-tools-sounds/cello-phrase.wav", "librosa-examples/sorohanro_-_solo-trumpet-06.hq.ogg",
                 "sms-tools-sounds/trumpet-A4.wav"):  # fmt: skip
        yield Heard(sets.wooden(sets.loaded(data / name), rng), RATE)


def frames_of(heard: Heard) -> Frames:
    """Return a recording's frames as the listener reads them."""
    reader = FrameReader(heard.rate)
    y = heard.samples / np.abs(heard.samples).max()
    return Frames.of_table(reader.read(y, 0, -(-len(y) // reader.hop)))


def read(heard: Heard) -> Read:
    """Read a recording and label its frames; edges and doubtful spans do not count."""
    frames = frames_of(heard)
    t = np.arange(len(frames)) * HOP_S
    is_breath, counts = np.zeros(len(t), dtype=bool), np.ones(len(t), dtype=bool)
    for begin, end in heard.breaths:
        is_breath |= (t >= begin) & (t <= end)
        counts &= (np.abs(t - begin) >= 0.03) & (np.abs(t - end) >= 0.03)
    for begin, end in heard.doubtful:
        counts &= (t < begin - 0.05) | (t > end + 0.05)
    return Read(replace(heard, samples=np.zeros(0)), frames, is_breath, counts)


def logistic(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, names: tuple[str, ...], l2: float
) -> tuple[float, np.ndarray]:
    """Return bias and weights, of the plain features, of a regularised logistic regression on standardised ones."""
    from scipy.optimize import minimize

    mean, spread = x.mean(axis=0), x.std(axis=0)
    z = (x - mean) / spread
    weight = weight / weight.sum()

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        odds = z @ b[1:] + b[0]
        slope = weight * (1 / (1 + np.exp(-odds)) - y)
        value = float((weight * (np.logaddexp(0, odds) - y * odds)).sum() + l2 * (b[1:] ** 2).sum())
        return value, np.concatenate([[slope.sum()], z.T @ slope + 2 * l2 * b[1:]])

    bounds = [(None, None)] + [(0.0 if n in FOR else None, 0.0 if n in AGAINST else None) for n in names]
    start = np.zeros(x.shape[1] + 1)
    b = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x
    return float(b[0] - (b[1:] * mean / spread).sum()), b[1:] / spread


def fitted_frames(reads: list[Read]) -> tuple[float, np.ndarray]:
    """Fit the frames' weights; every breath counts alike, however long it is."""
    xs, ys, ws = [], [], []
    for r in reads:
        ground = evidence.Ground.of(r.frames)
        _, _, features, saliences, _ = zip(*evidence.blocks(r.frames, ground), strict=True)
        unpitched = ~evidence.voiced_frames(r.frames, ground)
        possible = r.counts & unpitched & evidence.audible(r.frames, np.concatenate(saliences))
        kept = np.flatnonzero(possible)[::SPARSE]
        weight = np.ones(len(r.counts))
        for begin, end in r.heard.breaths:
            span = slice(int(begin / HOP_S), int(end / HOP_S) + 1)
            weight[span] = 3 * np.clip(0.35 / (end - begin + 0.01), 0.3, 3)
        xs.append(np.concatenate(features)[kept].astype(np.float64))
        ys.append(r.is_breath[kept])
        ws.append(weight[kept])
    return logistic(
        np.concatenate(xs), np.concatenate(ys).astype(float), np.concatenate(ws), evidence.FRAME_FEATURES, L2_FRAMES
    )


def labelled(heard: Heard, spans: list[tuple[int, int]]) -> np.ndarray:
    """Return for each stretch whether it is a breath (1), is none (0) or does not count (-1)."""
    out = []
    for first, last in spans:
        begin, end = first * HOP_S, last * HOP_S
        shared = [(min(end, q) - max(begin, p), q - p) for p, q in heard.breaths]
        own = max((s / (end - begin) for s, _ in shared), default=0.0)
        theirs = max((s / whole for s, whole in shared), default=0.0)
        doubt = any(min(end, q) > max(begin, p) for p, q in heard.doubtful)
        out.append(1 if own > 0.6 and theirs > 0.4 else 0 if own < 0.15 and not doubt else -1)
    return np.array(out, dtype=int)


def fitted_stretches(reads: list[Read]) -> tuple[float, np.ndarray]:
    """Fit the stretches' weights, with the frames' weights that the module holds now."""
    xs, ys = [], []
    for r in reads:
        found = evidence.weighed(r.frames)
        xs.append(found.features)
        ys.append(labelled(r.heard, found.spans))
    x, y = np.concatenate(xs), np.concatenate(ys)
    print(f"stretches: {(y == 1).sum()} breaths, {(y == 0).sum()} others, {(y < 0).sum()} left out", file=sys.stderr)
    return logistic(
        x[y >= 0], y[y >= 0].astype(float), np.ones((y >= 0).sum()), evidence.STRETCH_FEATURES, L2_STRETCHES
    )


def named(names: tuple[str, ...], fit: tuple[float, np.ndarray]) -> dict[str, float]:
    """Return weights by name, to four figures."""
    return {"bias": float(f"{fit[0]:.4g}"), **{n: float(f"{w:.4g}") for n, w in zip(names, fit[1], strict=True)}}


HEAD = '''"""Weights of the evidence of breath: log odds are ``bias`` plus the sum of weight times feature.

Fitted and written by `benchmarks/fit_breath.py` on CC BY, MIT and CC0 recordings and sounds made there. First the
weights where all bands are known, then those for what lies under 3.9 kHz.
"""
'''


def fit(reads: list[Read]) -> str:
    """Return the text of `analysis/breath_weights.py`."""
    frames: list[dict[str, float]] = [{}, {}]
    whole: list[dict[str, float]] = [{}, {}]
    evidence.FRAME_WEIGHTS, evidence.STRETCH_WEIGHTS = frames, whole
    for narrow in (False, True):
        wide = [r for r in reads if not evidence.known(r.frames)[1]]  # the others have nothing up there
        heard = [replace(r, frames=r.frames.narrowed()) for r in reads] if narrow else wide
        frames[narrow] = named(evidence.FRAME_FEATURES, fitted_frames(heard))
        whole[narrow] = named(evidence.STRETCH_FEATURES, fitted_stretches(heard))
    return f"{HEAD}\n{told('FRAME_WEIGHTS', frames)}\n{told('STRETCH_WEIGHTS', whole)}"


def told(name: str, tables: list[dict[str, float]]) -> str:
    """Return two tables of weights as source, a weight a line."""
    lines = [f"{name}: tuple[dict[str, float], dict[str, float]] = ("]
    for table in tables:
        lines += ["    {", *(f'        "{feature}": {weight},' for feature, weight in table.items()), "    },"]
    return "\n".join([*lines, ")", ""])


def drawn(seed: int) -> list[Read]:
    """Return one draw of the material, read."""
    data = Path(os.environ.get("TAKEPRINT_DATA", HERE.parents[1] / "shared" / "data"))
    source = airy_material if DRAWS[seed] == "airy" else material
    return [read(h) for h in source(data, np.random.default_rng(seed))]


def main() -> None:
    said = argparse.ArgumentParser("python benchmarks/fit_breath.py", description=__doc__.splitlines()[0])
    said.add_argument("--write", action="store_true", help="replace the module instead of printing it")
    chosen = said.parse_args()
    with ProcessPoolExecutor(2) as workers:
        text = fit([r for reads in workers.map(drawn, DRAWS) for r in reads])
    if chosen.write:
        (HERE.parent / "analysis" / "breath_weights.py").write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
