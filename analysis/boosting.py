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
from typing import Any

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
# Rows that tables are fitted to at all.
_MOST_ROWS = 40_000


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
    if len(y) < 8 or float(np.ptp(y)) == 0.0:
        return no_tables(mean, how)
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


def no_tables(mean: float, how: Boosting) -> BoostedTables:
    """Return tables that say the same of everything."""
    nothing = np.zeros((0, how.depth))
    return BoostedTables(mean, nothing.astype(np.int64), nothing, np.zeros((0, 1 << how.depth)))


def crossed_tables(
    x: np.ndarray, y: np.ndarray, fold: np.ndarray, used: np.ndarray, how: Boosting, rng: np.random.Generator
) -> tuple[BoostedTables, np.ndarray]:
    """Return tables, and what each row is expected to be by tables that have not seen its fold.

    Parameters
    ----------
    x : ndarray [shape=(n, k)]
    y : ndarray [shape=(n,)]
    fold : ndarray of int [shape=(n,)]
    used : ndarray of bool [shape=(n,)]
        Rows that tables are fitted to and judged by.
    how : Boosting
    rng : Generator

    Returns
    -------
    tables : BoostedTables
        From all rows; as many as predict left-out folds best, taken as far as their word holds there.
    expected : ndarray [shape=(n,)]
    """
    whole = _some(used, rng)
    models = []
    for number in np.unique(fold):
        seen = used & (fold != number)
        models.append((number, fit_tables(x[(rows := _some(seen, rng))], y[rows], rng, how)))
    best, expected = _best_length(x, y, fold, used, models, how)
    tables = _cut(fit_tables(x[whole], y[whole], rng, how), best)
    # Tables that know a note's piece say more than they know of others: what they say is taken as far as it holds.
    middle = float(y[used].mean()) if used.any() else 0.0
    said, true = expected[used] - middle, y[used] - middle
    power = float(said @ said)
    holds = float(np.clip(said @ true / power, 0.0, 1.0)) if power > 0.0 else 0.0
    tables = BoostedTables(
        middle + holds * (tables.mean - middle), tables.column, tables.threshold, holds * tables.value
    )
    return tables, middle + holds * (expected - middle)


def _some(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows = np.flatnonzero(mask)
    return rows if len(rows) <= _MOST_ROWS else np.sort(rng.choice(rows, _MOST_ROWS, replace=False))


def _best_length(
    x: np.ndarray,
    y: np.ndarray,
    fold: np.ndarray,
    used: np.ndarray,
    models: list[tuple[Any, BoostedTables]],
    how: Boosting,
) -> tuple[int, np.ndarray]:
    """Return how many tables predict left-out rows best, and that prediction."""
    lengths = sorted({0, how.rounds // 8, how.rounds // 4, how.rounds // 2, how.rounds})
    error, guesses = [], []
    for length in lengths:
        guess = np.empty(len(y))
        for number, tables in models:
            rows = fold == number
            guess[rows] = _cut(tables, length)(x[rows])
        guesses.append(guess)
        error.append(float(np.mean((y[used] - guess[used]) ** 2)) if used.any() else 0.0)
    best = int(np.argmin(error))
    return lengths[best], guesses[best]


def _cut(tables: BoostedTables, length: int) -> BoostedTables:
    return BoostedTables(tables.mean, tables.column[:length], tables.threshold[:length], tables.value[:length])
