"""Our own players, as they are shipped, with a profile fitted to G; and the take itself, for a floor."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from takeprint.analysis.fit import fit
from takeprint.core.deviations import Deviations
from takeprint.humanize import perform

from .hits import laid
from .players import player
from .sets import Item


class Shipped:
    """`perform` with a profile fitted to the target's own player in G, or to all of G where he is not in it.

    ``weights``: the network that the learned player plays with. The shipped one has heard A and B too. Ablations:
    ``heard=N`` lets it listen to the last N hits of a take only, ``habits=0`` gives every take the same habits,
    ``choosing=0`` takes the judge away by whom it chooses among continuations.
    """

    def __init__(self, player: str, options: dict[str, Any], weights: Path | None = None) -> None:
        self.heard, self.habits = options.pop("heard", None), options.pop("habits", True)
        choosing = options.pop("choosing", True)
        self.player, self.options, self.network = player, options, {}
        if player in ("auto", "learned"):
            if weights is None or not weights.is_file():
                raise SystemExit(
                    f"the learned player needs weights trained on G alone ({weights}): make them with `python "
                    "benchmarks/train_player.py FILE --setting S --rotation R` and `train_judge.py` with the same, "
                    "give their folder as --weights"
                )
            with np.load(weights) as packed:
                kept = [n for n in packed.files if choosing or not n.startswith(("judge_", "kept_"))]
                self.network = {f"network_{name}": packed[name] for name in kept}

    def fit(self, items: Sequence[Item], seed: int) -> None:
        own = {group: [i.deviations for i in items if i.group == group] for group in {i.group for i in items}}
        self.profiles = {group: fit(takes, name=group, kind="drums") for group, takes in sorted(own.items())}
        self.everyone = fit([i.deviations for i in items], name="everyone", kind="drums")

    def play(self, item: Item, seed: int, accents: bool = False) -> Deviations:
        profile = self.profiles.get(item.group, self.everyone)
        arrays = _without(dict(profile.arrays), self.heard, bool(self.habits))
        profile = dataclasses.replace(profile, arrays={**arrays, **self.network})
        return perform(
            item.score(accents), profile, player=self.player, seed=seed, keep_accents=accents, **self.options
        )


def _without(arrays: dict[str, np.ndarray], heard: int | None, habits: bool) -> dict[str, np.ndarray]:
    """Return a profile's arrays with less to listen to."""
    if "kit_take" not in arrays:
        return arrays
    if not habits:
        arrays["kit_habits"] = np.tile(arrays["kit_habits"].mean(axis=0), (len(arrays["kit_habits"]), 1))
    if heard is not None:
        take = arrays["kit_take"]
        keep = np.concatenate([np.flatnonzero(take == t)[-int(heard) :] for t in np.unique(take)])
        rows = [name for name, a in arrays.items() if name.startswith("kit_") and len(a) == len(take)]
        arrays |= {name: arrays[name][keep] for name in rows}
    return arrays


class Itself:
    """The take's own deviations through the same rendering and measuring: what the pipe alone gives away."""

    def fit(self, items: Sequence[Item], seed: int) -> None:
        """Nothing to learn."""

    def play(self, item: Item, seed: int, accents: bool = False) -> Deviations:
        score, notes = item.score(accents), item.deviations.notes.rows(item.rows)
        late = notes.onset_s - notes.reference_onset_s
        return laid(score, 1000.0 * np.where(np.isfinite(late), late, 0.0), notes.velocity)


@player("parametric", "ours: figures and 1/f clock, fitted to G")
def _parametric(**options: Any) -> Shipped:
    return Shipped("parametric", options)


@player("donor", "ours: bars of a take of G")
def _donor(**options: Any) -> Shipped:
    return Shipped("donor", options)


@player("ours", "ours: what is shipped, fitted to G")
def _ours(weights: Path | None = None, **options: Any) -> Shipped:
    return Shipped("auto", options, weights)


@player("learned", "ours: the learned player with the weights of this split")
def _learned(weights: Path | None = None, **options: Any) -> Shipped:
    return Shipped("learned", options, weights)


@player("itself", "the take itself through the same pipe")
def _itself() -> Itself:
    return Itself()
