"""The gain of the best chain by trying every set of pairs."""

import itertools

import numpy as np


def onset_chain(written, played, ratio, spread, skip, most):
    n, m, best = len(written), len(played), -np.inf
    for size in range(1, min(n, m) + 1):
        for rows in itertools.combinations(range(n), size):
            for columns in itertools.combinations(range(m), size):
                total = 2 * skip * size - skip * (n + m - 2 * size)
                allowed = True
                for (i, k), (j, h) in zip(itertools.pairwise(rows), itertools.pairwise(columns), strict=True):
                    allowed &= k - i <= most + 1 and h - j <= most + 1
                    off = np.log((played[h] - played[j]) / ((written[k] - written[i]) * ratio)) / spread
                    total -= 0.5 * off * off
                # Onsets before the first and after the last pair are charged as any other.
                if allowed:
                    best = max(best, total)
    return best
