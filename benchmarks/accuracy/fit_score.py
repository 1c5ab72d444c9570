"""Fit the network that tells when a written note begins, and write it to `analysis/score_weights.py`.

    python benchmarks/accuracy/fit_score.py [--scenes 60] [--epochs 12] [-o FILE] [--check]

Fitted on invented music (`score_scenes.invented`) rendered from fold 0 of FluidR3 (MIT), checked on fold 1. Some
written notes are not played and some others are instead: those are to be called missing.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import score_scenes
import sets
from fit_places import written as written_to

from takeprint.analysis import onset_places as places
from takeprint.analysis import score_evidence as evidence
from takeprint.analysis.networks import Layers

ABOUT = (
    "The fitted network of `analysis.score_evidence`: made by benchmarks/accuracy/fit_score.py, not by hand.",
    "Fitted on invented music, played by FluidR3 (MIT) and by own synthesis.",
)
REACH = 60
WIDTHS = {"partials": (24, 24), "alone": (24, 1), "beside": (24, 1)}


@dataclass(frozen=True, eq=False)
class Examples:
    """Features of notes, what any sound's beginnings are like there, and the true moment (NaN: not played)."""

    features: np.ndarray
    weights: np.ndarray
    beside: np.ndarray
    truth: np.ndarray
    group: np.ndarray
    height: np.ndarray

    def rows(self, which: np.ndarray) -> Examples:
        return Examples(*(getattr(self, f.name)[which] for f in fields(self)))


def examples(scene: score_scenes.Scene, rng: np.random.Generator) -> Examples:
    """Return every written note of a scene, looked for somewhat beside its place."""
    expected = scene.warp(rng, 14.0, 5.0).take_at(scene.score.onset_s)
    order = np.argsort(expected, kind="stable")
    onset, truth = expected[order], scene.onset_s[order]
    end = onset + scene.score.duration_s[order]
    written = evidence.Written.of(onset, end, scene.score.pitch[order], float(rng.normal(0, 4)))
    peak = float(np.abs(scene.samples).max())
    low = evidence.Lowered.of(scene.samples, scene.rate, 0)
    which = np.flatnonzero(np.isnan(truth) | (np.abs(truth - onset) < 0.001 * (REACH - 5)))
    features, weights, begin_s, _ = evidence.described(low, written, which, onset[which], REACH, peak)
    centres, back = np.unique(np.round(onset[which] * scene.rate).astype(np.int64), return_inverse=True)
    x = scene.samples / peak
    cell_s = places.Scale.coarse(scene.rate).cell / scene.rate
    reach = round(0.001 * (REACH + 10) / cell_s)
    log_belief = evidence.anything(x, centres, scene.rate, reach)
    first_s = centres[back] / scene.rate - reach * cell_s
    beside = evidence.by_moment(log_belief[back], cell_s, begin_s - first_s, 2 * REACH + 1)
    moment = (truth[which] - begin_s) / evidence.CELL_S
    return Examples(features.astype(np.float16), weights, beside, moment, back.ravel(), written.height[which])


def target(truth: np.ndarray, count: int) -> np.ndarray:
    """Return the belief wanted [shape=(n, count + 1)]: the two moments about the truth, or the last: not played."""
    out = np.zeros((len(truth), count + 1), np.float32)
    missing = np.isnan(truth)
    out[missing, count] = 1.0
    rows = np.flatnonzero(~missing)
    low = np.clip(np.floor(truth[rows]).astype(int), 0, count - 2)
    out[rows, low] = 1 - (truth[rows] - low)
    out[rows, low + 1] = truth[rows] - low
    return out


def begun(width: int, beside: int, rng: np.random.Generator) -> dict[str, Layers]:
    """Return layers at random."""
    out: dict[str, Layers] = {}
    for name, sizes in WIDTHS.items():
        into = width if name == "partials" else WIDTHS["partials"][-1] + (beside if name == "beside" else 0)
        layers = []
        for size in sizes:
            layers.append(
                (rng.normal(0, np.sqrt(2 / into), (into, size)).astype(np.float32), np.zeros(size, np.float32))
            )
            into = size
        out[name] = layers
    out["missing"] = [(np.zeros((1, 2), np.float32), np.zeros(2, np.float32))]
    return out


def forward(layers: Layers, x: np.ndarray, last: bool) -> list[np.ndarray]:
    """Return the layers' outputs, the input first; the last layer is linear if ``last``."""
    acts = [x]
    for number, (weight, bias) in enumerate(layers):
        out = acts[-1] @ weight + bias
        acts.append(out if last and number == len(layers) - 1 else np.maximum(out, np.float32(0.1) * out))
    return acts


def backward(layers: Layers, acts: list[np.ndarray], slope: np.ndarray, last: bool) -> tuple[list, np.ndarray]:
    """Return each layer's slopes and the input's."""
    slopes: list = [None] * len(layers)
    for number in range(len(layers) - 1, -1, -1):
        if not (last and number == len(layers) - 1):
            slope = slope * np.where(acts[number + 1] > 0, np.float32(1), np.float32(0.1))
        slopes[number] = (acts[number].T @ slope, slope.sum(0))
        slope = slope @ layers[number][0].T
    return slopes, slope


def fit(
    data: Examples, epochs: int, rng: np.random.Generator, nets: dict[str, Layers] | None = None
) -> dict[str, Layers]:
    """Fit by likelihood with Adam (Kingma and Ba 2015, algorithm 1), its rate falling by half a cosine."""
    n, moments, partials, width = data.features.shape
    nets = nets or begun(width, data.beside.shape[2], rng)
    wanted, each = target(data.truth, moments), 32
    steps, step, begin = epochs * (n // each), 0, time.time()
    first = {k: [[np.zeros_like(a) for a in layer] for layer in v] for k, v in nets.items()}
    second = {k: [[np.zeros_like(a) for a in layer] for layer in v] for k, v in nets.items()}
    for epoch in range(epochs):
        order, losses = rng.permutation(n), np.zeros(2)
        for start in range(0, n - each + 1, each):
            which = order[start : start + each]
            x = data.features[which].astype(np.float32).reshape(-1, width)
            weights = data.weights[which]
            inner = forward(nets["partials"], x, False)
            size = inner[-1].shape[1]
            mean = np.einsum("nmkw,nk->nmw", inner[-1].reshape(each, moments, partials, size), weights)
            total = np.zeros_like(mean)
            slopes: dict[str, list] = {"missing": [(np.zeros((1, 2), np.float32), np.zeros(2, np.float32))]}
            for head, name in enumerate(("alone", "beside")):
                into = mean if name == "alone" else np.concatenate([mean, data.beside[which]], axis=2)
                acts = forward(nets[name], into.reshape(each * moments, -1), True)
                null = np.full((each, 1), nets["missing"][0][1][head], np.float32)
                score = np.concatenate([acts[-1].reshape(each, moments), null], axis=1)
                belief = np.exp(score - score.max(1, keepdims=True))
                belief /= belief.sum(1, keepdims=True)
                losses[head] -= float((wanted[which] * np.log(belief + 1e-9)).sum())
                slope = (belief - wanted[which]) / each
                slopes["missing"][0][1][head] = slope[:, -1].sum()
                slopes[name], back = backward(nets[name], acts, slope[:, :-1].reshape(-1, 1), True)
                total += back.reshape(each, moments, -1)[:, :, :size]
            outer = (total[:, :, None, :] * weights[:, None, :, None]).reshape(-1, size)
            slopes["partials"], _ = backward(nets["partials"], inner, outer, False)
            step += 1
            now = 3e-3 * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1.0, step / 100)
            for name, layers in nets.items():
                for number, layer in enumerate(layers):
                    for k, (value, change) in enumerate(zip(layer, slopes[name][number], strict=True)):
                        a, b = first[name][number], second[name][number]
                        a[k] = 0.9 * a[k] + 0.1 * change
                        b[k] = 0.999 * b[k] + 0.001 * change * change
                        move = now * (a[k] / (1 - 0.9**step)) / (np.sqrt(b[k] / (1 - 0.999**step)) + 1e-7)
                        np.subtract(value, move.astype(np.float32), out=value)
        print(f"epoch {epoch + 1}/{epochs}: losses {losses / n}, {time.time() - begin:.0f} s", flush=True)
    return nets


def fit_company(data: Examples, nets: dict[str, Layers], epochs: int, rng: np.random.Generator) -> None:
    """Fit the last head, which knows of a chord's other notes, on what the others say."""
    means, score = judged(data, nets)
    null = float(nets["missing"][0][1][1])
    loud = data.features[:, 0, 0, evidence.LOUD].astype(np.float32)
    more = evidence.company(score - null, data.group, loud, data.height)
    into = np.concatenate([means, data.beside, more, (score - null)[:, :, None] / 5.0], axis=2, dtype=np.float32)
    n, moments, width = into.shape
    layers: Layers = []
    for size in (24, 1):
        weight = rng.normal(0, np.sqrt(2 / width), (width, size)).astype(np.float32)
        layers, width = [*layers, (weight, np.zeros(size, np.float32))], size
    absent = np.zeros(1, np.float32)
    values = [a for layer in layers for a in layer] + [absent]
    first, second = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    wanted, each = target(data.truth, moments), 32
    steps, step = epochs * (n // each), 0
    for epoch in range(epochs):
        order, loss = rng.permutation(n), 0.0
        for start in range(0, n - each + 1, each):
            which = order[start : start + each]
            acts = forward(layers, into[which].reshape(each * moments, -1), True)
            said = np.concatenate([acts[-1].reshape(each, moments), np.repeat(absent[None], each, 0)], axis=1)
            belief = np.exp(said - said.max(1, keepdims=True))
            belief /= belief.sum(1, keepdims=True)
            loss -= float((wanted[which] * np.log(belief + 1e-9)).sum())
            slope = (belief - wanted[which]) / each
            slopes, _ = backward(layers, acts, slope[:, :-1].reshape(-1, 1), True)
            changes = [a for layer in slopes for a in layer] + [slope[:, -1].sum(keepdims=True)]
            step += 1
            now = 3e-3 * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1.0, step / 100)
            for k, change in enumerate(changes):
                first[k] += 0.1 * (change - first[k])
                second[k] += 0.001 * (change * change - second[k])
                move = now * (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-7)
                np.subtract(values[k], move, out=values[k], casting="same_kind")
        print(f"company {epoch + 1}/{epochs}: loss {loss / n:.4f}", flush=True)
    nets["company"] = layers
    nulls = np.zeros(3, np.float32)
    nulls[:2], nulls[2] = nets["missing"][0][1][:2], absent[0]
    nets["missing"] = [(np.zeros((1, 3), np.float32), nulls)]


def judged(data: Examples, nets: dict[str, Layers]) -> tuple[np.ndarray, np.ndarray]:
    """Return what the partials say together, and the scores beside what begins at all."""
    means, scores = [], []
    for start in range(0, len(data.truth), 64):
        part = data.rows(np.arange(start, min(start + 64, len(data.truth))))
        mean = evidence.pooled(part.features.astype(np.float32), part.weights, nets["partials"])
        means.append(mean.astype(np.float32))
        scores.append(evidence.headed(np.concatenate([mean, part.beside], axis=2), nets["beside"]))
    return np.concatenate(means), np.concatenate(scores).astype(np.float32)


def gathered(fold: int, count: int, seed: int) -> Examples:
    """Return the notes of invented pieces."""
    parts: list[Examples] = []
    for number in range(count):
        rng = np.random.default_rng([seed, fold, number])
        scene = score_scenes.invented(rng, fold)
        part = examples(scene, rng)
        before = parts[-1].group[-1] + 1 if parts else 0
        parts.append(replace(part, group=part.group + before))
    return Examples(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Examples)))


def table(nets: dict[str, Layers], data: Examples) -> None:
    """Print what the network says of notes."""
    means, beside = judged(data, nets)
    scores = {"alone": evidence.headed(means, nets["alone"]), "beside": beside}
    nulls = nets["missing"][0][1]
    if "company" in nets:
        loud = data.features[:, 0, 0, evidence.LOUD].astype(np.float32)
        more = evidence.company(beside - nulls[1], data.group, loud, data.height)
        into = np.concatenate([means, data.beside, more, (beside - nulls[1])[:, :, None] / 5.0], axis=2)
        scores["company"] = evidence.headed(into, nets["company"])
    for head, (name, score) in enumerate(scores.items()):
        mass = np.exp(score.astype(float)).sum(1)
        present = mass / (mass + np.exp(float(nulls[head])))
        error = score.argmax(1) - data.truth
        played = np.isfinite(error)
        e = error[played]
        print(f"{name:8s} n {len(e)} med|e| {np.median(abs(e)):.2f} p90 {np.percentile(abs(e), 90):.1f} p95 "
              f"{np.percentile(abs(e), 95):.1f} bias {np.median(e):+.2f}; played called missing "
              f"{np.mean(present[played] < 0.5):.4f}, missing found {np.mean(present[~played] < 0.5):.3f}"
              f" (p < 0.1: {np.mean(present[played] < 0.1):.4f}, {np.mean(present[~played] < 0.1):.3f})")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=Path(evidence.__file__).with_name("score_weights.py"))
    said = parser.parse_args()
    if not sets.available():
        raise SystemExit("the fit needs FluidR3 (Debian's fluid-soundfont-gm) and the shared data")
    if said.check:
        nets = evidence.network()
    else:
        data = gathered(0, said.scenes, said.seed)
        print(f"{len(data.truth)} notes, {np.isnan(data.truth).sum()} of them not played", flush=True)
        rng = np.random.default_rng(said.seed)
        nets = fit(data, said.epochs, rng)
        fit_company(data, nets, said.epochs, rng)
        written_to(nets, said.output, ABOUT)
    table(nets, gathered(1, 12, 99))


if __name__ == "__main__":
    main()
