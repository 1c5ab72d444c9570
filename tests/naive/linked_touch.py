"""The memory of touch from its definition: moment by moment, in each the highest note first."""

import numpy as np


def linked_touch(fresh, weights, kind, own, own_before, above, first, size, share, farthest):
    left = np.zeros_like(fresh)
    nothing = np.zeros(fresh.shape[1])
    means, running = [], nothing
    for begin, many in zip(first, size, strict=True):
        for row in range(begin + many - 1, begin - 1, -1):
            notes = [left[r[row]] if r[row] >= 0 else nothing for r in (own, own_before, above)]
            moments = [means[-lag] if len(means) >= lag else nothing for lag in (1, 2, 3, 4)]
            before = np.concatenate([*notes, *moments, running])
            left[row] = np.clip(fresh[row] + before @ weights[kind[row]], -farthest, farthest)
            if above[row] >= 0:
                left[row, 0] = left[above[row], 0]
        means.append(left[begin : begin + many].mean(axis=0))
        running = (1 - share) * running + share * means[-1]
    return left
