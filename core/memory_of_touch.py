"""How a pianist's touch remembers: what is left of a note, given what was left of those before it.

Conventions
-----------
``left`` has a row a note and a column a channel, in units of its expected size. A note takes after eight things: the
two notes before it in its own line, the next higher note of its moment, the means of the four moments before, and a
running mean of all moments before. The law is linear; what it does not tell is called fresh.

References
----------
Whittle 1963, Biometrika 50 (autoregression of several channels).
"""

from __future__ import annotations

import numpy as np

from .written_context import Links

# A moment counts as this share of the running mean.
SHARE = 0.15
# In expected sizes: real ones of a thousand notes go about as far.
FARTHEST = 12.0
HIGHEST, LOWER, LONE = 0, 1, 2


def kinds_of(links: Links, group: np.ndarray) -> np.ndarray:
    """Return each note's kind: highest of a chord, another of a chord, a lone note."""
    lone = links.size[group] == 1
    return np.where(lone, LONE, np.where(links.above < 0, HIGHEST, LOWER))


def history_of(left: np.ndarray, links: Links, group: np.ndarray) -> np.ndarray:
    """Return what each note takes after.

    Parameters
    ----------
    left : ndarray [shape=(n, c)]
    links : Links
    group : ndarray of int64 [shape=(n,)]

    Returns
    -------
    ndarray [shape=(n, 8 * c)]
    """
    c = left.shape[1]
    means = np.stack([np.bincount(group, column) for column in left.T], axis=1) / links.size[:, None]
    running = np.zeros_like(means)
    for g in range(1, len(means)):
        running[g] = (1.0 - SHARE) * running[g - 1] + SHARE * means[g - 1]
    padded = np.concatenate([np.zeros((4, c)), means])
    none = np.zeros((1, c))
    with_none = np.concatenate([left, none])
    parts = [with_none[links.own], with_none[links.own_before], with_none[links.above]]
    moments = [padded[group + 4 - lag] for lag in (1, 2, 3, 4)]
    return np.concatenate([*parts, *moments, running[group]], axis=1)


def with_memory(fresh: np.ndarray, weights: np.ndarray, links: Links, group: np.ndarray) -> np.ndarray:
    """Return what is left of each note, from what is fresh in it and what it takes after.

    Parameters
    ----------
    fresh : ndarray [shape=(n, c)]
    weights : ndarray [shape=(3, 8 * c, c)]
        A matrix a kind of note.
    links : Links
    group : ndarray of int64 [shape=(n,)]

    Returns
    -------
    ndarray [shape=(n, c)]
    """
    from .kernels.linked_touch import linked_touch

    return linked_touch(
        np.ascontiguousarray(fresh),
        np.ascontiguousarray(weights),
        kinds_of(links, group),
        links.own,
        links.own_before,
        links.above,
        links.first,
        links.size,
        SHARE,
        FARTHEST,
    )
