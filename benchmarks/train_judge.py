"""Train the judge by which the learned kit player chooses among its continuations.

    python benchmarks/train_judge.py NETWORK.npz [--setting all|same|unseen] [--rotation R]

Adds to the file of a network (made by `benchmarks/train_player.py`) the trees that tell windows of real takes from
what this network plays on their scores: arrays ``judge_…`` where the accents are the player's own, ``kept_…`` where the
usual accents of each place are kept. Only takes that the network may learn from are looked at. Half of every drummer's
takes is played after the other half, so that no take is played by who has just heard it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from realism import ours, sets, splits
from realism.accents import with_usual_accents
from realism.bench import remeasured, thinned
from realism.cache import Cache
from realism.sets import Item

from takeprint.analysis.judge import Trees, auc, train_judge
from takeprint.analysis.realism_features import windows_of
from takeprint.core.boosted_trees import NAMES

PER_TAKE = 40
# A threshold that lies on one of a feature's few values is moved below it: the last bit must not decide.
ASIDE = 1e-6
SEED = 11
# How often a judge is trained, each time on what is played when those before it have chosen.
ROUNDS = 2


def add(path: Path, items: Sequence[Item]) -> dict[str, float]:
    """Write both judges into the network's file; return what each makes of the takes it learned on (AUC)."""
    with np.load(path) as packed:
        arrays = {n: packed[n] for n in packed.files if not n.startswith(("judge_", "kept_"))}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    real = thinned(windows_of([item.deviations for item in items], "drums"), PER_TAKE)
    found, told = {}, {}
    for turn in range(ROUNDS):
        fresh = {}
        for name, accents in (("judge", False), ("kept", True)):
            made = thinned(windows_of(played(items, path, accents), "drums"), PER_TAKE)
            judge = train_judge(real, made, seed=SEED + turn)
            if judge.trees is None:
                raise SystemExit("too few takes to train a judge on")
            fresh[name] = as_arrays(judge.trees)
            score = np.concatenate([judge.trees.score(real.values), judge.trees.score(made.values)])
            told[f"{name} {turn + 1}"] = auc(score, np.repeat([0, 1], [len(real), len(made)]))
        for name, new in fresh.items():
            found |= {f"{name}_{n}": a for n, a in _beside(found, name, new).items()}
        np.savez_compressed(path, **arrays, **found)  # type: ignore[arg-type]
    return told


def played(items: Sequence[Item], path: Path, accents: bool) -> list:
    """Return what the network makes of the scores, measured as the takes were."""
    half = np.zeros(len(items), dtype=int)
    rng = np.random.default_rng(SEED)
    for group in sorted({item.group for item in items}):
        own = [k for k, item in enumerate(items) if item.group == group]
        half[rng.permutation(own)] = np.arange(len(own)) % 2
    out: list = [None] * len(items)
    for side in (0, 1):
        player = ours.Shipped("learned", {}, path)
        player.fit([item for item, h in zip(items, half, strict=True) if h != side], SEED)
        for k in np.flatnonzero(half == side):
            item = with_usual_accents(items[k]) if accents else items[k]
            out[k] = remeasured(item, player.play(item, SEED, accents), accents)
    return out


def _beside(found: dict[str, np.ndarray], name: str, new: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the trees of before and the new ones: their sum judges."""
    old = {n: found.get(f"{name}_{n}", np.zeros(0, a.dtype)) for n, a in new.items()}
    after = len(old["feature"])
    moved = {"left": np.where(new["left"] >= 0, new["left"] + after, -1), "root": new["root"] + after}
    moved["right"] = np.where(new["right"] >= 0, new["right"] + after, -1)
    return {n: np.concatenate([old[n], moved.get(n, a)]).astype(a.dtype) for n, a in new.items()}


def as_arrays(trees: Trees) -> dict[str, np.ndarray]:
    """Return boosted trees as the arrays of ``core.boosted_trees``."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    start = 0
    for stage in trees.model._predictors:
        nodes = stage[0].nodes
        inner = nodes["is_leaf"] == 0
        feature = np.where(inner, trees.used[nodes["feature_idx"]], 0)
        # The library asked whether the number of a bin lies at or below this one; bins begin at their edge.
        bins = np.floor(nodes["num_threshold"]).astype(int)
        threshold = [_edge(trees.edges[f], b) if i else 0.0 for f, b, i in zip(feature, bins, inner, strict=True)]
        rows = {
            "feature": feature.astype(np.int16),
            "threshold": np.array(threshold, dtype=np.float32),
            "left": np.where(inner, nodes["left"].astype(int) + start, -1).astype(np.int32),
            "right": np.where(inner, nodes["right"].astype(int) + start, -1).astype(np.int32),
            "value": np.where(inner, 0.0, nodes["value"]).astype(np.float32),
            "root": np.array([start], dtype=np.int32),
        }
        for name, values in rows.items():
            columns[name].append(values)
        start += len(nodes)
    return {name: np.concatenate(values) for name, values in columns.items()}


def _edge(edges: np.ndarray, number: int) -> float:
    """Return below which value the bins up to ``number`` lie; bin -1 is of what is not known."""
    largest = float(np.finfo(np.float32).max)
    if number < 0 or number >= len(edges):
        return -largest if number < 0 else largest
    return float(edges[number] - ASIDE * max(1.0, abs(edges[number])))


def items_of(setting: str, rotation: int) -> list[Item]:
    """Return the takes that a network of this setting may learn from."""
    items = sets.groove_takes(cache=Cache(None))
    return items if setting == "all" else splits.SPLITS[setting](items, rotation)[0]


def main() -> None:
    """Train and add both judges, print what they make of the takes they learned on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", type=Path)
    parser.add_argument("--setting", choices=("all", "same", "unseen"), default="all")
    parser.add_argument("--rotation", type=int, default=0)
    asked = parser.parse_args()
    for name, told in add(asked.network, items_of(asked.setting, asked.rotation)).items():
        print(f"{name}: AUC {told:.3f} on the takes it learned from")
    print(f"{asked.network}: {asked.network.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
