"""Boosted tables: a sum of small tables that are looked up by a few yes-or-no questions about the columns.

Conventions
-----------
A table asks ``depth`` questions "is column ``c`` above ``t``?"; the answers are the bits of a row number, the first
question the lowest bit. The prediction is the mean plus the rows' sum over all tables. It is what other programs call
oblivious decision trees; looking up costs a few array operations a table and needs nothing but numpy.

References
----------
Friedman 2001, Annals of Statistics 29 (gradient boosting). Kohavi and Li 1995, IJCAI (oblivious decision trees).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class BoostedTables:
    """A fitted sum of tables.

    Parameters
    ----------
    mean : float
    column : ndarray of int [shape=(m, depth)]
    threshold : ndarray [shape=(m, depth)]
    value : ndarray [shape=(m, 2**depth)]
    """

    mean: float
    column: np.ndarray
    threshold: np.ndarray
    value: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the prediction for each row of ``x`` [shape=(n, k)]."""
        out = np.full(len(x), self.mean)
        columns = np.ascontiguousarray(x.T)
        for asked, edges, values in zip(self.column, self.threshold, self.value, strict=True):
            row = np.zeros(len(x), dtype=np.int64)
            for bit, (c, t) in enumerate(zip(asked.tolist(), edges.tolist(), strict=True)):
                row += (columns[c] > t).astype(np.int64) << bit
            out += values[row]
        return out

    def to_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Return the tables as arrays under names that begin with ``name``."""
        return {
            f"{name}.mean": np.array([self.mean], dtype=np.float64),
            f"{name}.column": self.column.astype(np.int16),
            f"{name}.threshold": self.threshold.astype(np.float32),
            f"{name}.value": self.value.astype(np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], name: str) -> BoostedTables:
        """Read what ``to_arrays`` gave."""
        return cls(
            float(arrays[f"{name}.mean"][0]),
            arrays[f"{name}.column"].astype(np.int64),
            arrays[f"{name}.threshold"].astype(np.float64),
            arrays[f"{name}.value"].astype(np.float64),
        )
