"""The cheapest cut from its definition: every cut is tried."""

from itertools import combinations

import numpy as np


def segment_path(cost, shortest, penalty):
    n, longest = cost.shape[0] - 1, cost.shape[1] - 1
    best, found = np.inf, []
    for count in range(n):
        for inner in combinations(range(1, n), count):
            ends = [*inner, n]
            starts = [0, *inner]
            lengths = [b - a for a, b in zip(starts, ends, strict=True)]
            if min(lengths) < shortest or max(lengths) > longest:
                continue
            total = sum(cost[b, k] + penalty for b, k in zip(ends, lengths, strict=True))
            if total < best:
                best, found = total, starts
    return np.array(found, dtype=np.int64)
