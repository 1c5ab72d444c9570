"""The slow twin of `core.kernels.partial_tuning`, from its definition."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def partial_tuning(cells, first, span, lag, most):
    n, k, m, _ = cells.shape
    tone = cells[..., 0].astype(np.float64) + 1j * cells[..., 1]
    window = 1.0 - np.cos(2.0 * np.pi * (np.arange(span) + 0.5) / span)
    turn = np.zeros((n, k))
    for i in range(n):
        for p in range(k):
            means = [(window * tone[i, p, b : b + span]).sum() for b in range(first, m - span + 1, lag)]
            steps = sum((b * np.conj(a) for a, b in pairwise(means)), 0j)
            found = np.angle(steps) / (2.0 * np.pi * lag)
            if abs(found) <= most[i, p]:
                turn[i, p] = found
    turned = tone * np.exp(-2j * np.pi * turn[:, :, None] * np.arange(m))
    return np.stack([turned.real, turned.imag], axis=3).astype(np.float32), turn
