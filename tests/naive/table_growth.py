"""Questions of a table from their definition: try every cut of every column, and see what error would be left."""

import numpy as np


def table_growth(binned, left, rows, depth, width, shrink):
    x, y = binned[rows].astype(int), left[rows]
    cell = np.zeros(len(rows), int)
    asked = []
    for level in range(depth):
        gains = {}
        for column in range(x.shape[1]):
            for cut in range(width - 1):
                new = cell + (x[:, column] > cut) * 2**level
                sums = [(y[new == c].sum(), (new == c).sum()) for c in range(2 ** (level + 1))]
                gains[column, cut] = sum(total**2 / (n + shrink) for total, n in sums)
        best = max(gains.values())
        asked.append(next(key for key, gain in gains.items() if gain >= best - 1e-9))
        cell = cell + (x[:, asked[-1][0]] > asked[-1][1]) * 2**level
    return np.array([c for c, _ in asked]), np.array([t for _, t in asked])
