"""A judge with other eyes: random convolutions over the plain hits of a window, none of the features of the test.

A player that chooses by the features of the test could hide from these alone. This judge sees timing and velocity hit
by hit, all of them and each group of drums for itself, through some hundred random kernels, and a ridge on top.

References
----------
Dempster, Petitjean and Webb 2020, Data Mining and Knowledge Discovery 34 (random convolutional kernels: the share of
positive values and the largest).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from takeprint.analysis import realism
from takeprint.analysis.kit_context import GROUP, N_GROUPS, class_of
from takeprint.core.deviations import Deviations

from .bench import evenly

WINDOW, PER_TAKE = 48, 40
KERNELS, LENGTH = 800, 7
DILATIONS = (1, 2, 4, 6)
TIMING_MS, VELOCITY = 20.0, 32.0
PENALTIES = np.logspace(0, 4, 9)


def other_auc(
    real: tuple[Sequence[Deviations], Sequence[Deviations]],
    made: tuple[Sequence[Deviations], Sequence[Deviations]],
    seed: int,
) -> tuple[float, float, float]:
    """Return (AUC, its lower and upper bound): trained on the first of each pair, asked about the second."""
    from sklearn.linear_model import RidgeCV

    rng = np.random.default_rng(seed)
    sides = []
    for part in (0, 1):
        (a, take_a), (b, take_b) = _windows(real[part]), _windows(made[part])
        sides.append((np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)]), np.concatenate([take_a, take_b])))
    kernels = _kernels(sides[0][0], rng)
    x = [_features(windows, kernels) for windows, _, _ in sides]
    middle, scale = x[0].mean(axis=0), np.maximum(x[0].std(axis=0), 1e-9)
    line = RidgeCV(PENALTIES).fit((x[0] - middle) / scale, 2.0 * sides[0][1] - 1.0)
    score = line.predict((x[1] - middle) / scale)
    low, high = realism.auc_bounds(score, sides[1][1], sides[1][2], np.random.default_rng(seed))
    return realism.auc(score, sides[1][1]), low, high


def _windows(takes: Sequence[Deviations]) -> tuple[np.ndarray, np.ndarray]:
    """Return (values [windows, channels, WINDOW], number of the take of each)."""
    out, number = [], []
    for k, take in enumerate(takes):
        rows = take.notes
        rows = rows.rows((rows.label == "match") & (rows.ornament == "") & np.isfinite(rows.reference_beat))
        order = np.lexsort((rows.pitch, rows.onset_s, np.rint(rows.reference_beat * 48)))
        rows = rows.rows(order)
        group = GROUP[class_of(rows.pitch, rows.instrument)]
        plain = np.stack([rows.timing_ms / TIMING_MS, (rows.velocity - 64.0) / VELOCITY])
        own = np.stack([plain * (group == g) for g in range(N_GROUPS)]).reshape(2 * N_GROUPS, -1)
        both = np.nan_to_num(np.concatenate([plain, own]))
        kept = evenly(len(rows) // WINDOW, PER_TAKE)
        out += [both[:, WINDOW * w : WINDOW * (w + 1)] for w in kept]
        number += [k] * len(kept)
    return np.array(out), np.array(number)


def _kernels(windows: np.ndarray, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, int, float]]:
    """Draw (channels, weights, dilation, bias); a bias is what one window of the training gives somewhere."""
    out = []
    for _ in range(KERNELS):
        channels = rng.choice(windows.shape[1], int(rng.integers(1, 4)), replace=False)
        weights = rng.normal(size=(len(channels), LENGTH))
        weights -= weights.mean(axis=1, keepdims=True)
        dilation = int(rng.choice(DILATIONS))
        given = _convolved(windows[rng.integers(len(windows)) :][:1], channels, weights, dilation)
        out.append((channels, weights, dilation, float(np.quantile(given, rng.uniform(0.1, 0.9)))))
    return out


def _convolved(windows: np.ndarray, channels: np.ndarray, weights: np.ndarray, dilation: int) -> np.ndarray:
    span = windows.shape[2] - (LENGTH - 1) * dilation
    total = np.zeros((len(windows), span))
    for row, channel in enumerate(channels):
        for k in range(LENGTH):
            total += weights[row, k] * windows[:, channel, k * dilation : k * dilation + span]
    return total


def _features(windows: np.ndarray, kernels: list) -> np.ndarray:
    columns = []
    for channels, weights, dilation, bias in kernels:
        made = _convolved(windows, channels, weights, dilation) - bias
        columns += [(made > 0.0).mean(axis=1), made.max(axis=1)]
    return np.stack(columns, axis=1)
