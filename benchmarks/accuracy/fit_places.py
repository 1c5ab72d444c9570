"""Fit the networks that place onsets, and write them to `analysis/onset_weights.py`.

    python benchmarks/accuracy/fit_places.py [--seeds 3] [--epochs 12] [-o FILE] [--check]

Fitted on fold 0 of the sets' material and more of other kinds (`place_scenes`; only what may ship: MIT, CC0, CC BY and
our own synthesis), checked on fold 1: other samples, drummers, players. Proposals are the truth moved at random,
so that the answer does not lean on a detector's habits. ``--check`` only prints the table of what is shipped. What is
shipped was fitted by this code in several runs, each begun with the weights of the one before, while scenes were added.
"""

from __future__ import annotations

import argparse
import base64
import time
from pathlib import Path

import numpy as np
import place_scenes
import sets

from takeprint.analysis import listening, onsets
from takeprint.analysis import onset_places as places
from takeprint.analysis.networks import Layers

HIDDEN = (32, 16)
MOST = 900  # onsets of one kind in one condition, so that none outweighs the others
Row = tuple[place_scenes.Scene, np.ndarray, np.ndarray, np.ndarray]  # scene, samples of peak 1, proposals, truths


def proposals(onset: np.ndarray, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return places as a detector could propose them, in order, and the true place of each (NaN: of none).

    Every detector has its own lateness and spread, now and then it is far off, hears the second note of a chord or
    the next string of a strum, or hears a string more.
    """
    count = len(onset)
    off_ms = rng.uniform(-3, 5) + rng.uniform(0.5, 3.5) * rng.normal(0, 1, count)
    off_ms = np.where(rng.random(count) < 0.25, rng.uniform(-9, 9, count), off_ms)
    off_ms += np.where(rng.random(count) < 0.15, rng.uniform(0, 10, count), 0.0)
    place = onset + np.round(np.clip(off_ms, -18, 18) * rate / 1000).astype(np.int64)
    more = place[rng.random(count) < 0.12]
    more = more + np.round(rng.uniform(12, 40, len(more)) * rate / 1000).astype(np.int64)
    every = np.concatenate([place, more])
    truth = np.concatenate([onset.astype(np.float64), np.full(len(more), np.nan)])
    order = np.argsort(every, kind="stable")
    apart = np.concatenate([[True], np.diff(every[order]) > 0])
    return every[order][apart], truth[order][apart]


def detected(scene: place_scenes.Scene, x: np.ndarray, onset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what our own detector proposes in a scene, and the true place of each (NaN: of none).

    The first proposal about a sound, from 15 ms before to 25 ms after it begins, is the one that is to find it.
    """
    heard: list[np.ndarray] = []

    def noted(x: np.ndarray, proposed: np.ndarray, rate: float) -> places.Placed:
        heard.append(np.asarray(proposed, dtype=np.int64))
        return places.Placed(heard[-1], np.ones(len(proposed)), np.ones(len(proposed)))

    saved = onsets.place_onsets, listening.CHUNK_S
    onsets.place_onsets, listening.CHUNK_S = noted, 1e6
    try:
        onsets.detect_onsets(x, scene.rate)
    finally:
        onsets.place_onsets, listening.CHUNK_S = saved
    place = np.concatenate([np.zeros(0, dtype=np.int64), *heard])
    truth = np.full(len(place), np.nan)
    begin, end = (round(ms * scene.rate / 1000) for ms in (15, 25))
    first = np.searchsorted(place, onset - begin)
    found = np.flatnonzero(first < len(place))
    found = found[place[first[found]] < onset[found] + end]
    truth[first[found]] = onset[found]
    return place, truth


def batch(evidence: places.Evidence, which: np.ndarray) -> places.Evidence:
    part = evidence.rows(which)
    return places.Evidence(part.levels.astype(np.float32), part.tops, part.floors)


def target(truth: np.ndarray, count: int) -> np.ndarray:
    """Return the belief wanted [shape=(n, count)]: the two moments about the truth, by nearness."""
    low = np.floor(truth).astype(int)
    out = np.zeros((len(truth), count), np.float32)
    rows = np.arange(len(truth))
    out[rows, low] = 1 - (truth - low)
    out[rows, low + 1] = truth - low
    return out


def fit(
    evidence: places.Evidence,
    truth: np.ndarray,
    scale: places.Scale,
    epochs: int,
    rng: np.random.Generator,
    layers: Layers | None = None,
) -> Layers:
    """Fit a network by likelihood with Adam (Kingma and Ba 2015, algorithm 1), its rate falling by half a cosine."""
    count, each, rate = 2 * scale.reach + 1, 48, 3e-3
    wanted = target(truth, count)
    width = places.moments(batch(evidence, np.arange(1)), scale).shape[2]
    for size in (*HIDDEN, 1) if layers is None else ():
        spread = np.sqrt(2 / width)
        layer = (rng.normal(0, spread, (width, size)).astype(np.float32), np.zeros(size, np.float32))
        layers, width = [*(layers or []), layer], size
    assert layers is not None
    first = [[np.zeros_like(a) for a in layer] for layer in layers]
    second = [[np.zeros_like(a) for a in layer] for layer in layers]
    steps, step, begin = epochs * (len(truth) // each), 0, time.time()
    for epoch in range(epochs):
        order, loss = rng.permutation(len(truth)), 0.0
        for start in range(0, len(order) - each + 1, each):
            which = order[start : start + each]
            features = places.moments(batch(evidence, which), scale)
            acts = [features.reshape(-1, features.shape[2])]
            for number, (weight, bias) in enumerate(layers):
                out = acts[-1] @ weight + bias
                acts.append(np.maximum(out, np.float32(0.1) * out) if number < len(layers) - 1 else out)
            score = acts[-1].reshape(each, count)
            belief = np.exp(score - score.max(1, keepdims=True))
            belief /= belief.sum(1, keepdims=True)
            loss -= float((wanted[which] * np.log(belief + 1e-9)).sum())
            slope = ((belief - wanted[which]) / each).reshape(-1, 1)
            step += 1
            now = rate * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1.0, step / 200)
            for number in range(len(layers) - 1, -1, -1):
                weight, bias = layers[number]
                slopes = (acts[number].T @ slope + 1e-5 * weight, slope.sum(0))
                if number:
                    slope = (slope @ weight.T) * np.where(acts[number] > 0, np.float32(1), np.float32(0.1))
                for k, (value, change) in enumerate(zip((weight, bias), slopes, strict=True)):
                    first[number][k] = 0.9 * first[number][k] + 0.1 * change
                    second[number][k] = 0.999 * second[number][k] + 0.001 * change * change
                    mean = first[number][k] / (1 - 0.9**step)
                    move = now * mean / (np.sqrt(second[number][k] / (1 - 0.999**step)) + 1e-7)
                    np.subtract(value, move.astype(np.float32), out=value)
        print(f"epoch {epoch + 1}/{epochs}: loss {loss / len(truth):.3f}, {time.time() - begin:.0f} s", flush=True)
    return layers


def gathered(fold: int, seeds: range, rng: np.random.Generator, each: int) -> list[Row]:
    """Return every scene with proposals, ``each`` times with others."""
    out = []
    for seed in seeds:
        for scene in place_scenes.scenes(fold, seed):
            x = scene.samples / np.abs(scene.samples).max()
            truth = np.round(scene.onset_s * scene.rate).astype(np.int64)
            out += [(scene, x, *proposals(truth, scene.rate, rng)) for _ in range(each)]
            out.append((scene, x, *detected(scene, x, truth)))
    return out


def collected(rows: list[Row], scale_of, seeds_of=None) -> tuple[places.Evidence, np.ndarray, np.ndarray]:
    """Return evidence (half precision), true moments and kinds.

    ``seeds_of`` gives, for the fine scale, the places to look at and which of the proposals are looked at.
    """
    parts, truths, kinds = [], [], []
    for scene, x, proposed, truth in rows:
        scale = scale_of(scene.rate)
        before = places.predicted(x, proposed, scene.rate)
        coarse = before.evidence(proposed, places.Scale.coarse(scene.rate))
        looked, which = proposed, np.arange(len(proposed))
        if seeds_of is not None:
            if scene.rate < places._FINE_RATE:
                continue
            looked, which = seeds_of(coarse, proposed, scene.rate)
            if not len(which):
                continue
            coarse = before.rows(which).evidence(looked, scale, coarse.rows(which))
        moment = (truth[which] - looked) / scale.cell + scale.reach
        inside = (moment >= 1) & (moment < 2 * scale.reach - 1)
        part = coarse.rows(np.flatnonzero(inside))
        parts.append(places.Evidence(part.levels.astype(np.float16), part.tops, part.floors))
        truths.append(moment[inside])
        kinds += [f"{scene.kind}|{scene.condition}"] * int(inside.sum())
    evidence = places.Evidence(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("levels", "tops", "floors")))
    return evidence, np.concatenate(truths), np.array(kinds)


def balanced(kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rows of a choice in which no kind has more than `MOST`."""
    return np.sort(np.concatenate([rng.permutation(np.flatnonzero(kinds == k))[:MOST] for k in np.unique(kinds)]))


def fine_seeds(layers: Layers):
    """Return the function that says where single samples are looked at."""

    def seeds(coarse: places.Evidence, proposed: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
        scale = places.Scale.coarse(rate)
        belief = places.allowed(places.likelihood(places.moments(coarse, scale), layers), proposed, scale)
        median, half_width = places.read(belief)
        sure = np.flatnonzero(half_width * scale.cell < places._FINE_MS * rate / 1000)
        return np.round(proposed + (median - scale.reach) * scale.cell).astype(np.int64)[sure], sure

    return seeds


ABOUT = (
    "The fitted networks of `analysis.onset_places`: made by benchmarks/accuracy/fit_places.py, not by hand.",
    "Fitted on FluidR3 (MIT), Karoryfer guitars and basses (CC0), rhythms of Groove MIDI (CC BY), own synthesis.",
)


def written(networks: dict[str, Layers], path: Path, about: tuple[str, str] = ABOUT) -> None:
    """Write the module of the weights, which says what they are and what they were fitted on: float16, base 85."""
    lines = [
        f'"""{about[0]}',
        "",
        about[1],
        '"""',
        "",
        "# Rows as `analysis.networks` reads them.",
        "LAYERS = (",
    ]
    for name, layers in networks.items():
        for weight, bias in layers:
            raw = np.concatenate([weight.ravel(), bias]).astype("<f2").tobytes()
            said = base64.b85encode(raw).decode()
            lines += ["    (", f'        "{name}",', f"        {weight.shape},"]
            lines += [f'        "{said[i : i + 100]}"' for i in range(0, len(said), 100)]
            lines += ["    ),"]
    lines += [")", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def table(rows: list[Row]) -> None:
    """Print what becomes of proposals: errors and coverage of every kind in every condition."""
    errors: dict[str, list[np.ndarray]] = {}
    for scene, x, proposed, truth in rows:
        found = places.place_onsets(x, proposed, scene.rate)
        one = np.stack([found.onset - truth, found.half_width])[:, np.isfinite(truth)] * 1000 / scene.rate
        errors.setdefault(f"{scene.kind} {scene.condition}", []).append(one)
    print(f"{'sound':20s}     n  med|e|    bias  p95|e|   F10  within  median half width (ms)")
    for name in sorted(errors):
        e, h = np.concatenate(errors[name], axis=1)
        print(f"{name:20s} {len(e):5d} {np.median(abs(e)):7.3f} {np.median(e):+7.3f} {np.percentile(abs(e), 95):7.2f}"
              f" {np.mean(abs(e) <= 10):.3f}  {np.mean(abs(e) <= h):.3f}  {np.median(h):.3f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=Path(places.__file__).with_name("onset_weights.py"))
    said = parser.parse_args()
    if not sets.available():
        raise SystemExit("the fit needs FluidR3 (Debian's fluid-soundfont-gm) and the shared data")
    rng = np.random.default_rng(20)
    if not said.check:
        rows = gathered(0, range(said.seeds), rng, 1)
        evidence, truth, kinds = collected(rows, places.Scale.coarse)
        keep = balanced(kinds, rng)
        print(f"{len(keep)} onsets of {len(np.unique(kinds))} kinds and conditions")
        coarse = fit(evidence.rows(keep), truth[keep], places.Scale.coarse(44_100), said.epochs, rng)
        coarse = rounded(coarse)
        evidence, truth, kinds = collected(rows, places.Scale.fine, fine_seeds(coarse))
        keep = balanced(kinds, rng)
        fine = fit(evidence.rows(keep), truth[keep], places.Scale.fine(44_100), said.epochs, rng)
        written({"coarse": coarse, "fine": rounded(fine)}, said.output)
        places.weights.cache_clear()
    table(gathered(1, range(1), np.random.default_rng(21), 1))


def rounded(layers: Layers) -> Layers:
    """Return the layers as they are written."""
    return [(w.astype(np.float16).astype(np.float32), b.astype(np.float16).astype(np.float32)) for w, b in layers]


if __name__ == "__main__":
    main()
