"""A sum of small decision trees, from plain arrays.

Conventions
-----------
All trees lie in one list of nodes. A node asks whether a row's number in column ``feature`` lies below ``threshold``:
then ``left`` comes next, else ``right``; a leaf (``left`` -1) adds its ``value``. A number that is not known lies below
all others. Children come after their node, so that every walk ends.

References
----------
Friedman 2001, Annals of Statistics 29 (gradient boosting).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NAMES = ("feature", "threshold", "left", "right", "value", "root")


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """The trees.

    Parameters
    ----------
    feature, left, right : ndarray of int64 [shape=(nodes,)]
    threshold, value : ndarray of float64 [shape=(nodes,)]
    root : ndarray of int64 [shape=(trees,)]
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    root: np.ndarray

    @classmethod
    def read(cls, arrays: Mapping[str, np.ndarray], columns: int) -> BoostedTrees | None:
        """Return the trees of some arrays, None where these do not fit each other or rows of so many columns."""
        found = [np.asarray(arrays.get(name, ())) for name in NAMES]
        if any(a.ndim != 1 or not a.size or a.dtype.kind not in "iuf" for a in found):
            return None
        if any(not np.isfinite(a).all() for a in found) or len({len(a) for a in found[:5]}) != 1:
            return None
        feature, left, right, root = (found[i].astype(np.int64) for i in (0, 2, 3, 5))
        nodes, inner = len(feature), left >= 0
        at = np.arange(nodes)[inner]
        after = (left[inner] > at) & (right[inner] > at) & (left[inner] < nodes) & (right[inner] < nodes)
        known = (feature[inner] >= 0) & (feature[inner] < columns)
        if not (after.all() and known.all() and root.min() >= 0 and root.max() < nodes):
            return None
        return cls(feature, found[1].astype(np.float64), left, right, found[4].astype(np.float64), root)

    def score(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the trees of each row, ndarray [shape=(rows,)].

        Parameters
        ----------
        values : ndarray [shape=(rows, columns)], NaN = not known
        """
        x = np.where(np.isfinite(values), values, -np.inf)
        rows = np.arange(len(x))[:, None]
        at = np.tile(self.root, (len(x), 1))
        while (inner := self.left[at] >= 0).any():
            below = x[rows, self.feature[at]] < self.threshold[at]
            at = np.where(inner, np.where(below, self.left[at], self.right[at]), at)
        return self.value[at].sum(axis=1)
