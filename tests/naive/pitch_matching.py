"""The cheapest ordered matching of two sequences by trying every set of pairs."""

import itertools


def pitch_matching(expected, played, tolerance):
    best, best_pairs = float(len(expected) + len(played)), ()
    for size in range(1, min(len(expected), len(played)) + 1):
        for rows in itertools.combinations(range(len(expected)), size):
            for columns in itertools.combinations(range(len(played)), size):
                share = [abs(expected[i] - played[j]) / tolerance[i] for i, j in zip(rows, columns, strict=True)]
                if max(share) > 2:
                    continue
                cost = sum(x * x for x in share) + len(expected) + len(played) - 2 * size
                if cost < best - 1e-12:
                    best, best_pairs = cost, tuple(zip(rows, columns, strict=True))
    return best, best_pairs
