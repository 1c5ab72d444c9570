"""Spans of levels around moments, by slices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def level_spans(levels, tops, floors, first, count, widths, place) -> np.ndarray:
    edges = np.concatenate([[0], np.cumsum(widths)])
    out = []
    for level, top, floor in zip(levels, tops, floors, strict=True):
        rows = []
        for moment in range(first, first + count):
            after = [level[:, moment + a : moment + b].mean(1) for a, b in pairwise(edges)]
            before = [level[:, moment - b : moment - a].mean(1) for a, b in pairwise(edges)]
            spans = np.clip(
                np.concatenate([*(s - top for s in after), *(s - top for s in before), floor - top]), -80, 10
            )
            colour = np.clip(top[1:] - top[0], -60, 10)
            distance = (moment - place) / 40
            rows.append(np.concatenate([spans / 20 + 1.5, colour / 20 + 1, [distance, abs(distance)]]))
        out.append(rows)
    return np.array(out)
