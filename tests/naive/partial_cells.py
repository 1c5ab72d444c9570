"""The slow twin of `core.kernels.partial_cells`, from its definition."""

from __future__ import annotations

import cmath

import numpy as np


def partial_cells(x, begins, turns, cell, cells):
    n, k = turns.shape
    out = np.zeros((n, k, cells, 2), dtype=np.float32)
    for i in range(n):
        for p in range(k):
            if turns[i, p] == 0.0:
                continue
            for m in range(cells):
                total = 0j
                for j in range(-cell, cell + 1):
                    at = m * cell + j
                    if 0 <= begins[i] + at < len(x):
                        weight = 1.0 - abs(j) / cell
                        total += weight * x[begins[i] + at] * cmath.exp(-2j * cmath.pi * turns[i, p] * at)
                out[i, p, m] = total.real / cell, total.imag / cell
    return out
