"""The warp of two recordings, before any onset is paired: how far it misses, in every condition it must stand.

Truth is sample-exact (`recording_scenes`). The error is what the map misses the take's moment by; a moment that it does
not know counts as missed. CPU is of both sides' features and of the alignment, warm. Then what must be refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import rooms
import sets
from mixing import RATE
from recording_scenes import Pair, drummers, introduced, on_tape, pairs_of, pianists
from scipy.signal import resample_poly
from settings import SETTINGS

from takeprint.analysis.listening import Sound, listen
from takeprint.analysis.warp import Warp, align_features
from takeprint.analysis.warp_features import WarpFeatures, WarpListener, written_features
from takeprint.core.errors import TakeprintError

NAMES = ("median", "p95", "max", "<50 ms", "<100 ms", "bias", "n", "ratio", "CPU s")
HEAD = " " * 30 + "".join(f"{n:>{w}s}" for n, w in zip(NAMES, (8, 8, 9, 8, 8, 8, 6, 7, 7), strict=True))


def features(samples: np.ndarray, rate: float) -> WarpFeatures:
    """Return the features of a recording."""
    listener = WarpListener(rate)
    listen(Sound.of_samples(samples, rate), listener)
    return listener.result()


def noisy(pair: Pair) -> Pair:
    """Return the pair with its take in a hall of 2.5 s, as loud as the direct sound, and noise 10 dB below."""
    rng = np.random.default_rng(0)
    hall = pair.take + _wet(pair.take, rng)
    level = np.sqrt((hall**2).mean())
    return replace(pair, take=hall + rng.normal(0, level * 10 ** (-10 / 20), len(hall)))


def _wet(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    from scipy.signal import oaconvolve

    return oaconvolve(samples, rooms.tail(rng, 2.5, 1.0, RATE))[: len(samples)]


def cut(pair: Pair, begin_s: float, end_s: float) -> Pair:
    """Return the pair with a stretch taken out of its take."""
    left, right = round(begin_s * RATE), round(end_s * RATE)
    truth = pair.truth[(pair.truth[:, 1] < begin_s) | (pair.truth[:, 1] > end_s)].copy()
    truth[truth[:, 1] > end_s, 1] -= (right - left) / RATE
    return replace(pair, take=np.concatenate([pair.take[:left], pair.take[right:]]), truth=truth)


def excerpt(pair: Pair, begin_s: float, end_s: float) -> Pair:
    """Return the pair with a stretch of its take only."""
    inside = (pair.truth[:, 1] >= begin_s) & (pair.truth[:, 1] <= end_s)
    truth = pair.truth[inside] - np.array([0.0, begin_s])
    return replace(pair, take=pair.take[round(begin_s * RATE) : round(end_s * RATE)], truth=truth)


def at_8k(pair: Pair) -> Pair:
    """Return the pair with a take at 8 kHz."""
    return replace(pair, take=resample_poly(pair.take, 80, 441), take_rate=8_000)


def conditions(fold: int) -> Iterator[tuple[str, list[Pair]]]:
    """Yield every condition with its pairs: one of each excerpt."""
    couples = pairs_of(fold)[:: len(pairs_of(fold)) // 2][:2]
    dry = [pianists(*c) for c in couples]
    others = [pair.reference for pair in reversed(dry)]
    yield "two pianists, studio", dry
    yield "live, another instrument", [pianists(*c, "live") for c in couples]
    yield "hall 2.5 s, noise 10 dB", [noisy(p) for p in dry]
    yield "20 % slower", [pianists(*c, stretch=1.2) for c in couples]
    yield "a fourth higher", [pianists(*c, keys=5) for c in couples]
    for cents in (100.0, -100.0):
        yield f"tape {cents:+.0f} cents", [on_tape(p, cents) for p in dry]
    yield "another intro of 20 s", [introduced(p, y, 20.0) for p, y in zip(dry, others, strict=True)]
    yield "20 s cut", [cut(p, 35.0, 55.0) for p in dry]
    yield "30 s of it", [excerpt(p, 20.0, 50.0) for p in dry]
    for seconds in (20.0, 15.0, 8.0):
        yield f"{seconds:.0f} s of it", [excerpt(p, at, at + seconds) for p in dry for at in (10.0, 30.0)]
    yield "take at 8 kHz", [at_8k(p) for p in dry]
    drums = [drummers(fold, n) for n in beats(fold)]
    yield "drummers, live, other kit", drums
    yield "drummers, wow of 4 %", [wandering(p) for p in drums]
    yield "drummers, 20 % slower", [on_tape(p, -316.0) for p in drums]
    yield "drummers, 15 s cut", [cut(p, 25.0, 40.0) for p in drums]
    yield "drummers, noise 10 dB", [noisy(p) for p in drums]
    yield "drummers, 30 s of it", [excerpt(p, 20.0, 50.0) for p in drums]


def beats(fold: int) -> list[int]:
    """Return the numbers of six performances of drummers, each of another style or tempo."""
    first: dict[str, int] = {}
    for number, path in enumerate(sets.performances(fold)):
        first.setdefault("_".join(path.stem.split("_")[1:3]), number)
    return list(first.values())[:6]


def wandering(pair: Pair) -> Pair:
    """Return the pair with a take whose speed, and pitch, wander by 4 % within 25 s."""
    old_s = np.arange(len(pair.take)) / RATE
    period_s = 25.0
    there_s = old_s + 0.04 * period_s / (2 * np.pi) * np.sin(2 * np.pi * old_s / period_s)
    truth = pair.truth.copy()
    truth[:, 1] = np.interp(truth[:, 1], there_s, old_s)
    return replace(pair, take=np.interp(there_s, old_s, pair.take), truth=truth)


def line(name: str, errors: list[np.ndarray], ratios: list[float], cpu_s: float) -> None:
    """Print the figures of a condition."""
    if not errors:
        print(f"{name:30s}  all refused")
        return
    error = np.concatenate(errors)
    size = np.where(np.isfinite(error), np.abs(error), np.inf)
    print(
        f"{name:30s}{np.median(size):8.1f}{np.quantile(size, 0.95, method='lower'):8.1f}{size.max():9.1f}"
        f"{(size < 50).mean():8.3f}{(size < 100).mean():8.3f}{np.nanmedian(error):+8.1f}{len(error):6d}"
        f"{min(ratios, default=np.nan):7.1f}{cpu_s:7.2f}",
        flush=True,
    )


def aligned(name: str, pairs: list[Pair]) -> None:
    """Align every pair, and print what came of it."""
    errors, ratios, cpu_s = [], [], 0.0
    for pair in pairs:
        begin = time.process_time()
        try:
            warp = align_features(features(pair.take, pair.take_rate), features(pair.reference, pair.reference_rate))
        except TakeprintError as said:
            print(f"  refused: {said}")
            continue
        cpu_s += time.process_time() - begin
        errors.append(1000 * (warp.take_at(pair.truth[:, 0]) - pair.truth[:, 1]))
        ratios.append(float(warp.evidence["ratio"]))
    line(name, errors, ratios, cpu_s)


def written(fold: int) -> None:
    """Hold recordings against the reference's notes as if they were written, and print what came of it."""
    errors, ratios, cpu_s = [], [], 0.0
    for reference, take in pairs_of(fold)[:: len(pairs_of(fold)) // 2][:2]:
        pair = pianists(reference, take)
        begin = time.process_time()
        warp = align_features(features(pair.take, RATE), written_features(reference.take))
        cpu_s += time.process_time() - begin
        errors.append(
            1000 * (warp.take_at(pair.truth[:, 0] - 0.5) - pair.truth[:, 1])
        )  # recordings begin 0.5 s earlier
        ratios.append(float(warp.evidence["ratio"]))
    line("recording and written notes", errors, ratios, cpu_s)


def refused(fold: int) -> None:
    """Hold different music side by side, and print what was not refused."""
    couples = pairs_of(fold)
    sounds: dict[str, np.ndarray] = {f"{c[0].name}": pianists(*c).reference for c in couples[:: len(couples) // 2][:2]}
    sounds |= {f"drummer {n}": drummers(fold, n).take for n in beats(fold)}
    sounds["a grid"] = drummers(fold, beats(fold)[1]).reference
    sounds |= {
        "guitar": sets.make("guitar_line", 0, fold).samples,
        "strums": sets.make("guitar_strum", 0, fold).samples,
    }
    sounds["noise"] = np.random.default_rng(0).normal(0, 0.1, 60 * RATE)
    heard = {name: features(y, RATE) for name, y in sounds.items()}
    ratios, wrong = [], 0
    names = list(heard)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if (a, b) == (f"drummer {beats(fold)[1]}", "a grid"):
                continue
            try:
                warp: Warp = align_features(heard[a], heard[b])
                evidence = warp.evidence
                print(f"  not refused: {a} and {b}, by {evidence['by']}, confidence {warp.confidence:.2f}, "
                      f"ratio {evidence['ratio']:.1f}, worth {evidence.get('worth', np.nan):.2f}")  # fmt: skip
                wrong += 1
            except TakeprintError as said:
                ratios.append(str(said))
    print(f"different music: {len(ratios)} of {len(ratios) + wrong} pairs refused, e.g.\n  {ratios[0]}")


def run(with_peers: bool) -> None:
    """Print everything; peers are those of the topic ``recordings``."""
    print("errors in ms")
    print(HEAD)
    features(np.zeros(RATE), RATE)
    for name, pairs in conditions(SETTINGS.fold):
        if not SETTINGS.only or name in SETTINGS.only:
            aligned(name, pairs)
    written(SETTINGS.fold)
    refused(SETTINGS.fold)
