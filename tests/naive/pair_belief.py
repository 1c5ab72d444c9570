"""All orderly pairings of two sequences, one by one, and the share of their weight that has a pair."""

from __future__ import annotations

import numpy as np


def pairings(scores, low, i=0, j=0):
    """Yield every set of pairs (i, j, p, q) of the events from i and j on that neither share an event nor cross."""
    yield ()
    n, width, most, _ = scores.shape
    for first in range(i, n):
        for w, p, q in np.ndindex(width, most, most):
            other = low[first] + w
            allowed = other >= j and first + p + 1 <= n and scores[first, w, p, q] > -np.inf
            if allowed and other + q + 1 <= low[first + p + 1] + width:
                for rest in pairings(scores, low, first + p + 1, other + q + 1):
                    yield ((first, int(other), p, q), *rest)


def total(scores, low, pairing):
    """Return the sum of the scores of a pairing's pairs."""
    return sum(float(scores[i, j - low[i], p, q]) for i, j, p, q in pairing)


def pair_belief(scores, low):
    out = np.zeros(scores.shape)
    weights = 0.0
    for pairing in pairings(scores, low):
        weight = np.exp(total(scores, low, pairing))
        weights += weight
        for i, j, p, q in pairing:
            out[i, j - low[i], p, q] += weight
    return out / weights
