"""Linear prediction by its normal equations, solved as they stand."""

from __future__ import annotations

import numpy as np


def linear_prediction(x: np.ndarray, begins: np.ndarray, ends: np.ndarray, order: int) -> np.ndarray:
    out = []
    for begin, end in zip(begins, ends, strict=True):
        part = x[begin:end]
        tapered = (part - part.mean()) * np.hanning(len(part)) if len(part) >= 6 * order else np.zeros(1)
        r = np.array([np.sum(tapered[: len(tapered) - k] * tapered[k:]) for k in range(order + 1) if k < len(tapered)])
        if r[0] <= 1e-14:
            out.append([1.0, -1.0] + [0.0] * (order - 1))
            continue
        r[0] = r[0] * (1 + 1e-7) + 1e-14
        matrix = np.array([[r[abs(i - j)] for j in range(order)] for i in range(order)])
        out.append([1.0, *(-np.linalg.solve(matrix, r[1:]))])
    return np.array(out).reshape(-1, order + 1)
