"""The best phase path by trying every one."""

import itertools

import numpy as np


def phase_track(beat, log_likelihood, first_prior, prior, stickiness, max_step):
    n, bins = len(beat), len(log_likelihood)
    best, best_path = -np.inf, None
    for first in range(bins):
        for steps in itertools.product(range(-max_step, max_step + 1), repeat=n - 1):
            path = first + np.concatenate([[0], np.cumsum(steps)]).astype(int)
            total = first_prior[first]
            for i in range(n):
                total += prior[path[i] % bins]
                total += log_likelihood[(int(np.floor(beat[i] * bins + 0.5)) - path[i]) % bins]
                if i:
                    total -= stickiness * (path[i] - path[i - 1]) ** 2 / max(beat[i] - beat[i - 1], 0.02)
            if total > best + 1e-12:
                best, best_path = total, path
    return best, best_path
