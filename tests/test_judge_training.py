"""The judge beside the kit's network: its arrays say what the trained trees say, and the player reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from takeprint.analysis import realism
from takeprint.analysis.kit_context import HABITS_A_CLASS, N_ASKED, N_HABITS, Hits, context
from takeprint.analysis.realism_features import Windows
from takeprint.core.boosted_trees import BoostedTrees
from takeprint.core.timeline import Metre
from tests.made_network import network_of
from tests.test_realism_benchmark import groove, items  # noqa: F401

# That module finds the benchmarks.
import train_judge  # isort: skip
from realism import ours, sets  # isort: skip


def test_trees_as_arrays_say_what_the_trees_say():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(400, 6))
    # Few values, many unknown: thresholds lie on values there.
    values[:, 1], values[:, 2] = np.rint(values[:, 1]), np.where(values[:, 2] > 0, np.nan, values[:, 2])
    side = (values[:, 0] + values[:, 1] + np.nan_to_num(values[:, 2]) + rng.normal(size=400)) > 0
    names = tuple("timing.a timing.b timing.c timing.d timing.e timing.f".split())
    take = np.arange(400) // 4
    judge = realism.train_judge(*(Windows(names, values[side == s], take[side == s]) for s in (False, True)), seed=1)
    trees = BoostedTrees.read(train_judge.as_arrays(judge.trees), 6)
    fresh = np.concatenate([values, rng.normal(size=(100, 6))])
    difference = trees.score(fresh) - judge.trees.score(fresh)
    assert np.std(trees.score(fresh)) > 0.3
    np.testing.assert_allclose(difference, difference[0], atol=1e-4)
    both = train_judge._beside({f"judge_{n}": a for n, a in train_judge.as_arrays(judge.trees).items()}, "judge",
                               train_judge.as_arrays(judge.trees))  # fmt: skip
    np.testing.assert_allclose(BoostedTrees.read(both, 6).score(fresh), 2 * trees.score(fresh), atol=1e-9)


def test_a_network_gets_its_judges_and_is_played_by_their_choice(items: list[sets.Item], tmp_path: Path):  # noqa: F811
    n_context = context(Hits.of(np.zeros(1), np.zeros(1), np.zeros(1, np.int64), Metre()), np.full(1, 120.0)).shape[1]
    path = tmp_path / "network.npz"
    np.savez(path, **network_of(3, n_context + HABITS_A_CLASS + N_ASKED, N_HABITS, size=0.6))
    told = train_judge.add(path, items)
    assert set(told) == {"judge 1", "kept 1", "judge 2", "kept 2"}
    assert told["judge 1"] > 0.9
    with np.load(path) as packed:
        assert "judge_root" in packed.files
        assert "kept_root" in packed.files
        assert "memory_in_w" in packed.files
    made = {}
    for choosing in (True, False):
        player = ours.Shipped("learned", {"choosing": choosing}, path)
        player.fit(items, 1)
        made[choosing] = player.play(items[0], 1).notes.velocity
    assert (made[True] != made[False]).any()
