"""Boosted trees from arrays: what they add up to, and that damaged ones are not read."""

import numpy as np
import pytest

from takeprint.core.boosted_trees import NAMES, BoostedTrees

# Below 1 in column 0: 10, else by column 1 below 5: 20, else 30. And a tree of one leaf.
ARRAYS = {
    "feature": np.array([0, 0, 1, 0, 0, 0]),
    "threshold": np.array([1.0, 0, 5.0, 0, 0, 0]),
    "left": np.array([1, -1, 3, -1, -1, -1]),
    "right": np.array([2, -1, 4, -1, -1, -1]),
    "value": np.array([0, 10.0, 0, 20.0, 30.0, 0.5]),
    "root": np.array([0, 5]),
}


def test_every_tree_adds_its_leaf():
    rows = np.array([[0.0, 9.0], [1.0, 4.9], [2.0, 5.0], [np.nan, 9.0], [2.0, np.nan]])
    trees = BoostedTrees.read(ARRAYS, 2)
    np.testing.assert_array_equal(trees.score(rows), [10.5, 20.5, 30.5, 10.5, 20.5])
    assert trees.score(np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize("name", NAMES)
def test_missing_arrays_are_not_read(name):
    assert BoostedTrees.read({n: a for n, a in ARRAYS.items() if n != name}, 2) is None
    assert BoostedTrees.read(ARRAYS | {name: ARRAYS[name].astype(str)}, 2) is None
    assert BoostedTrees.read(ARRAYS | {name: np.full(len(ARRAYS[name]), np.nan)}, 2) is None


@pytest.mark.parametrize(
    ("name", "node", "value"),
    [
        ("feature", 0, 2),
        ("feature", 2, -1),
        ("left", 0, 0),
        ("left", 0, 6),
        ("right", 2, 1),
        ("root", 1, 6),
        ("root", 0, -1),
    ],
)
def test_trees_that_lead_nowhere_are_not_read(name, node, value):
    changed = ARRAYS[name].copy()
    changed[node] = value
    assert BoostedTrees.read(ARRAYS | {name: changed}, 2) is None
