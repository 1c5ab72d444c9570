"""The gain of the best chain of beats by trying every set of frames."""

import itertools

import numpy as np


def beat_chain(strength, period, tightness):
    n, best = len(strength), 0.0
    for size in range(1, n + 1):
        for frames in itertools.combinations(range(n), size):
            total, allowed = strength[frames[0]], True
            for j, i in itertools.pairwise(frames):
                allowed &= max(int(period[i] / 2), 1) <= i - j <= int(period[i] * 2)
                total += strength[i] - tightness * np.log((i - j) / period[i]) ** 2
            if allowed:
                best = max(best, total)
    return best
