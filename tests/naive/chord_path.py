"""Chord alignment by the full table, from the definition of its cost."""

import numpy as np


def chord_path(chords_a, chords_b, skip=0.6):
    n, m = len(chords_a), len(chords_b)
    table = np.full((n + 1, m + 1), np.inf)
    table[0] = skip * np.arange(m + 1)
    table[:, 0] = skip * np.arange(n + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            a, b = chords_a[i - 1], chords_b[j - 1]
            cost = 1.0 - len(a & b) / max(len(a), len(b))
            table[i, j] = min(table[i - 1, j - 1] + cost, table[i - 1, j] + skip, table[i, j - 1] + skip)
    return table[n, m]
