"""Fit boosted tables: what is expected of a number, given what is known beside it.

Conventions
-----------
Squared error. Columns are cut at their quantiles once; each round fits one table to what is left, on a random half of
the rows, and takes a small part of it. A row of a table with few rows of data behind it is drawn towards 0.

References
----------
Friedman 2001, Annals of Statistics 29; Friedman 2002, Computational Statistics & Data Analysis 38 (random halves).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.boosted_tables import BoostedTables


@dataclass(frozen=True)
class Boosting:
    """How tables are fitted.

    Parameters
    ----------
    rounds, depth : int
    rate : float
        The share of each table that is taken.
    shrink : float
        A row of a table counts as this many rows of zeros more.
    cuts : int
        Places at which a column can be cut.
    """

    rounds: int = 120
    depth: int = 4
    rate: float = 0.08
    shrink: float = 20.0
    cuts: int = 24


_USUAL = Boosting()
# Rows that one table is fitted to: more make it hardly better.
_MOST_AT_ONCE = 8192


def fit_tables(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, how: Boosting = _USUAL) -> BoostedTables:
    """Fit tables to ``y`` given ``x``.

    Parameters
    ----------
    x : ndarray [shape=(n, k)]
    y : ndarray [shape=(n,)]
    rng : Generator
        Draws the halves.
    how : Boosting

    Returns
    -------
    BoostedTables
    """
    from ..core.kernels.table_growth import table_growth

    mean = float(y.mean()) if len(y) else 0.0
    nothing = np.zeros((0, how.depth))
    if len(y) < 8 or float(np.ptp(y)) == 0.0:
        return BoostedTables(mean, nothing.astype(np.int64), nothing, np.zeros((0, 1 << how.depth)))
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, how.cuts + 2)[1:-1])) for column in x.T]
    binned = np.stack([np.searchsorted(e, column, side="left") for e, column in zip(edges, x.T, strict=True)], axis=1)
    binned = binned.astype(np.uint8)
    left = y - mean
    tables = []
    many_rows = min(max(len(y) // 2, 8), _MOST_AT_ONCE)
    for _ in range(how.rounds):
        some = rng.permutation(len(y))[:many_rows]
        asked, cut = table_growth(binned, left, some, how.depth, how.cuts + 1, how.shrink)
        row = np.zeros(len(y), dtype=np.int64)
        for bit, (c, t) in enumerate(zip(asked, cut, strict=True)):
            row += (binned[:, c] > t).astype(np.int64) << bit
        total = np.bincount(row[some], left[some], 1 << how.depth)
        many = np.bincount(row[some], minlength=1 << how.depth)
        value = how.rate * total / (many + how.shrink)
        left = left - value[row]
        cuts = [float(edges[c][min(t, len(edges[c]) - 1)]) for c, t in zip(asked, cut, strict=True)]
        tables.append((asked, cuts, value))
    return BoostedTables(
        mean,
        np.array([t[0] for t in tables], dtype=np.int64),
        np.array([t[1] for t in tables]),
        np.array([t[2] for t in tables]),
    )
