"""The pairing of the greatest gain, by listing them all."""

from __future__ import annotations

import numpy as np

from .pair_belief import pairings, total


def pair_path(gains, low):
    best = max(pairings(gains, low), key=lambda pairing: total(gains, low, pairing))
    return np.array(best, dtype=np.int64).reshape(-1, 4)
