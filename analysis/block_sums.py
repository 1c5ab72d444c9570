"""Sums over blocks of notes, and pairs of notes that belong together: what the features of ``tells`` are made of.

Conventions
-----------
NaN = not known, and is passed over. A pair belongs to the block of its first note and never spans two takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .passages import Hits


def sums(k: int, block: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Add up the rows in which every column is known, block by block; the last column counts them."""
    known = np.isfinite(np.stack(columns)).all(axis=0)
    weights = [*(c[known] for c in columns), np.ones(int(known.sum()))]
    return np.stack([np.bincount(block[known], weights=w, minlength=k) for w in weights], axis=1)


def known(values: np.ndarray, then: Any) -> np.ndarray:
    """Return ``then`` where the values are known, else NaN."""
    return np.where(np.isfinite(values), then, np.nan)


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a / b, 0 where b is not positive."""
    return np.where(b > 0, a / np.where(b > 0, b, 1.0), 0.0)


def ratio(sums: np.ndarray) -> np.ndarray:
    """Return the first sum over the second."""
    a, b = sums[:, 0], sums[:, 1]
    # No variance at all (a quantized side) means no memory: 0, not unknown.
    return np.where(b > 1e-12, a / np.where(b > 1e-12, b, 1.0), 0.0)


def root(sums: np.ndarray) -> np.ndarray:
    """Return the root of the first sum over the second."""
    return np.sqrt(np.maximum(divide(sums[:, 0], sums[:, 1]), 0.0))


def correlation(sums: np.ndarray) -> np.ndarray:
    """Return the correlation of sums of products, squares and squares."""
    return divide(sums[:, 0], np.sqrt(np.maximum(sums[:, 1] * sums[:, 2], 0.0)))


def means(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Return the mean of each group, NaN for none."""
    known = np.isfinite(values)
    count = np.bincount(group[known], minlength=groups)
    total = np.bincount(group[known], weights=values[known], minlength=groups)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def centred(values: np.ndarray, take: np.ndarray) -> np.ndarray:
    """Return the values less their take's mean."""
    return values - means(values, take, int(take.max()) + 1 if len(take) else 0)[take]


def medians(values: np.ndarray, take: np.ndarray) -> np.ndarray:
    """Return, for each value, its take's median."""
    out = np.full(len(values), np.nan)
    for number in np.unique(take):
        rows = take == number
        known = values[rows & np.isfinite(values)]
        out[rows] = np.median(known) if len(known) else np.nan
    return out


def grouped(take: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (keys, row of each value in them) of pairs (take, number)."""
    keys = take * (int(number.max()) + 2 if len(number) else 1) + number
    return np.unique(keys, return_inverse=True)


def slots(hits: Hits, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return take, block, mean value and bar of each written place, in the order of the music."""
    numbers, first, inverse = np.unique(hits.slot, return_index=True, return_inverse=True)
    mean = means(values, inverse, len(numbers))
    return hits.take[first], hits.block[first], mean, hits.bar[first]


def following(values: np.ndarray, take: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of neighbours within a take; a pair belongs to the block of its first."""
    pair = (take[1:] == take[:-1]) & np.isfinite(values[1:]) & np.isfinite(values[:-1])
    return values[:-1][pair], values[1:][pair], block[:-1][pair]


def previous_bar(hits: Hits, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of notes in one cell in neighbouring bars."""
    order = np.lexsort((hits.bar, hits.cell, hits.take))
    a, b = order[:-1], order[1:]
    pair = (hits.take[a] == hits.take[b]) & (hits.cell[a] == hits.cell[b]) & (hits.bar[b] == hits.bar[a] + 1)
    pair &= np.isfinite(values[a]) & np.isfinite(values[b])
    return values[a][pair], values[b][pair], hits.block[a][pair]


def same_voice(hits: Hits, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of neighbouring notes of one voice."""
    _, voice = np.unique(hits.voice, return_inverse=True)
    order = np.lexsort((np.arange(len(hits)), voice, hits.take))
    a, b = order[:-1], order[1:]
    pair = (hits.take[a] == hits.take[b]) & (voice[a] == voice[b]) & np.isfinite(values[a]) & np.isfinite(values[b])
    return values[a][pair], values[b][pair], hits.block[a][pair]
