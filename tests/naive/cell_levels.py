"""Levels in cells, sample by sample from the definitions."""

from __future__ import annotations

import numpy as np


def filtered(s: np.ndarray, section: np.ndarray) -> np.ndarray:
    b0, b1, b2, a1, a2 = section
    y = np.zeros(len(s))
    for t in range(len(s)):
        past = [(s[t - k] if t >= k else 0.0, y[t - k] if t >= k else 0.0) for k in (1, 2)]
        y[t] = b0 * s[t] + b1 * past[0][0] + b2 * past[1][0] - a1 * past[0][1] - a2 * past[1][1]
    return y


def cell_levels(x, begins, offsets, cell, cells, lead, predictors, sections) -> np.ndarray:
    out = []
    for begin, offset, predictor in zip(begins, offsets, predictors, strict=True):
        where = np.arange(begin - lead, begin + cells * cell)
        s = x[np.clip(where, 0, len(x) - 1)] - offset
        streams = [s, np.convolve(s, predictor)[: len(s)]]
        streams += [filtered(filtered(s, first), second) for first, second in sections]
        power = np.array(
            [[np.mean(y[lead + c * cell : lead + (c + 1) * cell] ** 2) for c in range(cells)] for y in streams]
        )
        for c in range(1, cells):
            if begin + (c + 1) * cell > len(x):
                power[:, c] = power[:, c - 1]
        out.append(10 * np.log10(power + 1e-10 * power[0].max() + 1e-30))
    return np.array(out)
