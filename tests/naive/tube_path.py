"""The best path in a tube, from a table of all gains."""

import numpy as np


def tube_path(a, b, a_own, b_own, low, width, bend, hold):
    gain = a.astype(float) @ b.astype(float) + a_own[:, None] + b_own
    inside = {(i, j) for i in range(len(a)) for j in range(low[i], low[i] + width[i])}
    best = {}
    for i, j in sorted(inside):
        here = gain[i, j]
        options = [(here, None)]
        for di, dj, worth in (
            (1, 1, here),
            (1, 2, here + 0.5 * gain[i, j - 1] - bend),
            (2, 1, here + 0.5 * gain[i - 1, j] - bend),
            (1, 0, 0.5 * here - hold),
            (0, 1, 0.5 * here - hold),
        ):
            passed = {(1, 2): (i, j - 1), (2, 1): (i - 1, j)}.get((di, dj), (i, j))
            if (i - di, j - dj) in best and passed in inside:
                options.append((best[i - di, j - dj][0] + worth, (i - di, j - dj)))
        best[i, j] = max(options, key=lambda o: o[0])
    if not best or max(v[0] for v in best.values()) <= 0:
        return np.zeros((0, 2), dtype=np.int64), 0.0
    cell = max(best, key=lambda c: best[c][0])
    total, path = best[cell][0], []
    while cell is not None:
        path.append(cell)
        cell = best[cell][1]
    return np.array(path[::-1], dtype=np.int64), total
