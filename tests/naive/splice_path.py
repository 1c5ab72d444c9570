"""Every chain of offsets tried, from the definition."""

from __future__ import annotations

import itertools

import numpy as np


def splice_path(samples, centre, weight, stride, offset, count, low, high, dear):
    n = len(samples)
    start = -((len(weight) * stride) // 2)
    best, chosen = np.inf, None
    for path in itertools.product(*(offset[j, : count[j]] for j in range(len(count)))):
        cost = 0.0
        for j, middle in enumerate(centre, start=1):
            if path[j] == path[j - 1]:
                continue
            frames = middle + start + stride * np.arange(len(weight))
            before, after = frames + path[j - 1], frames + path[j]
            outside = (before < low) | (before >= high) | (after < low) | (after >= high)
            heard = samples[np.clip(before, 0, n - 1)] - samples[np.clip(after, 0, n - 1)]
            cost += float(np.sum(weight * ((heard**2).sum(axis=1) + dear * outside)))
        if cost < best:
            best, chosen = cost, path
    return np.array(chosen), best
