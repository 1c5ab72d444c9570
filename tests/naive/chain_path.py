"""The best chain of stretches, every end of one tried as the beginning of the next."""

import numpy as np


def chain_path(gain, jump, bend):
    n, m = gain.shape
    best = {}
    for i in range(n):
        for j in range(m):
            here = float(gain[i, j])
            options = [(here, None, False)]
            for (p, q), (value, _, _) in best.items():
                if p < i and q < j:
                    options.append((value - jump + here, (p, q), True))
            for (di, dj), extra in (
                ((1, 1), 0.0),
                ((1, 2), 0.5 * float(gain[i, j - 1]) - bend),
                ((2, 1), 0.5 * float(gain[i - 1, j]) - bend),
            ):
                if (i - di, j - dj) in best:
                    options.append((best[i - di, j - dj][0] + here + extra, (i - di, j - dj), False))
            best[i, j] = max(options, key=lambda o: o[0])
    if not best or max(v[0] for v in best.values()) <= 0:
        return np.zeros((0, 3), dtype=np.int64), 0.0
    cell = max(best, key=lambda c: best[c][0])
    total, path, part = best[cell][0], [], 0
    while cell is not None:
        path.append((*cell, part))
        _, before, jumped = best[cell]
        part += jumped
        cell = before
    return np.array([(i, j, part - p) for i, j, p in reversed(path)], dtype=np.int64), total
