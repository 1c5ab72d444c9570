"""How well a simple classifier tells synthetic windows from real ones, beside how well it tells real from real.

Conventions
-----------
A window is a run of neighbouring notes of one take. AUC 0.5 = cannot tell them apart, 1.0 = always. Windows of one
group (a take, or a contiguous fifth of a take) are never in the training and the testing part at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .passages import Passages

LEAST_WINDOWS = 12
_FOLDS = 5
_FLOOR_DRAWS = 10
_BOOTSTRAPS = 400
_PENALTY = 1.0
_N_FEATURES = 14


def realism(passages: Passages, seed: int) -> dict[str, Any]:
    """Return the classifier's AUC with bounds and its floor.

    Parameters
    ----------
    passages : Passages
    seed : int

    Returns
    -------
    dict
        ``auc, auc_low, auc_high, floor_auc, n_windows, window_notes, reason``; the numbers are None and ``reason`` says
        why where there is too little to train on. ``floor_auc`` is the mean AUC of real against real, groups of the
        real side dealt to two halves at random.

    Notes
    -----
    Logistic regression with a ridge penalty on 14 features of a window, five folds by group; bounds by a bootstrap
    over groups. Fifths of one take share its mood, so that a single take a side flatters neither: the floor shows how
    much of the AUC is due to that. With few groups cross-validation errs to below 0.5 when there is nothing to find,
    the floor too. This is a weak judge by design: it can prove a difference, not likeness.
    """
    rng = np.random.default_rng(seed)
    for size in (48, 24):
        features, side, group = windows(passages, size)
        counts = [int((side == which).sum()) for which in (0, 1)]
        if min(counts) >= (2 * LEAST_WINDOWS if size == 48 else LEAST_WINDOWS):
            break
    empty: dict[str, Any] = dict.fromkeys(("auc", "auc_low", "auc_high", "floor_auc"))
    shape = {"n_windows": len(side), "window_notes": size}
    if min(counts) < LEAST_WINDOWS:
        reason = (
            f"{counts[0]} real and {counts[1]} synthetic windows of {size} notes, {LEAST_WINDOWS} are needed of each"
        )
        return empty | shape | {"reason": reason}
    score = _scores(features, side, group, rng)
    low, high = _auc_bounds(score, side, group, rng)
    floor = _floor(features[side == 0], group[side == 0], rng)
    found: dict[str, Any] = {"auc": auc(score, side), "auc_low": low, "auc_high": high, "floor_auc": floor}
    return empty | found | shape | {"reason": ""}


def windows(passages: Passages, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (features [shape=(w, 14)], side, group) of all whole windows of ``size`` notes."""
    hits = passages.hits
    rows, side, group = [], [], []
    _, voice = np.unique(hits.voice, return_inverse=True)
    columns = (hits.timing_ms, hits.velocity, hits.articulation_log2, voice, hits.cell, hits.bar, hits.slot)
    several = [(passages.take_side == which).sum() >= _FOLDS for which in (0, 1)]
    for take in np.unique(hits.take):
        index = np.flatnonzero(hits.take == take)
        which = int(passages.take_side[take])
        count = len(index) // size
        for w in range(count):
            inside = index[w * size : (w + 1) * size]
            rows.append(_features(*(column[inside] for column in columns)))
            side.append(which)
            part = 0 if several[which] else w * _FOLDS // count
            group.append(int(take) * _FOLDS + part)
    table = np.array(rows).reshape(-1, _N_FEATURES)
    return table, np.array(side, dtype=np.int64), np.array(group, dtype=np.int64)


def _features(
    timing: np.ndarray,
    loud: np.ndarray,
    length: np.ndarray,
    voice: np.ndarray,
    cell: np.ndarray,
    bar: np.ndarray,
    slot: np.ndarray,
) -> np.ndarray:
    by_voice = np.lexsort((np.arange(len(voice)), voice))
    same_voice = np.diff(voice[by_voice]) == 0
    by_cell = np.lexsort((bar, cell))
    same_cell = np.diff(cell[by_cell]) == 0
    chord = np.diff(slot) == 0
    step = np.abs(np.diff(loud))
    return np.array([
        _sd(timing), _lagged(timing, 1), _lagged(timing, 2), _mean(np.abs(np.diff(timing))[chord]),
        _mean(np.abs(np.diff(timing[by_cell]))[same_cell]), _mean((np.abs(timing) < 0.25).astype(float)),
        _mean(loud), _sd(loud), _lagged(loud, 1), _mean(np.abs(np.diff(loud[by_cell]))[same_cell]),
        _mean(np.abs(np.diff(loud[by_voice]))[same_voice]), _mean((step == 0.0).astype(float)),
        _sd(length), _lagged(length, 1),
    ])  # fmt: skip


def _mean(x: np.ndarray) -> float:
    known = x[np.isfinite(x)]
    return float(known.mean()) if len(known) else np.nan


def _sd(x: np.ndarray) -> float:
    known = x[np.isfinite(x)]
    return float(known.std()) if len(known) > 1 else np.nan


def _lagged(x: np.ndarray, lag: int) -> float:
    known = x[np.isfinite(x)]
    if len(known) < 8:
        return np.nan
    centred = known - known.mean()
    variance = (centred**2).mean()
    return float((centred[lag:] * centred[:-lag]).mean() / variance) if variance > 1e-12 else 0.0


def auc(score: np.ndarray, side: np.ndarray) -> float:
    """Return the chance that a synthetic window scores above a real one, ties counting half."""
    from scipy.stats import rankdata

    ones = side == 1
    rank = rankdata(score)
    m, n = int(ones.sum()), int((~ones).sum())
    return float((rank[ones].sum() - m * (m + 1) / 2.0) / (m * n))


def _folds(group: np.ndarray, side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal the groups to the folds; the n-th group of either side goes into one fold.

    Where the synthetic side was made from the real one its n-th group is the same music: with a twin of the other side
    in the training part the classifier would be pulled to the wrong answer.
    """
    rank = np.zeros(len(group), dtype=np.int64)
    for which in (0, 1):
        rank[side == which] = np.unique(group[side == which], return_inverse=True)[1]
    return (rng.permutation(int(rank.max()) + 1) % _FOLDS)[rank]


def _scores(features: np.ndarray, side: np.ndarray, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    fold = _folds(group, side, rng)
    score = np.zeros(len(side))
    for number in np.unique(fold):
        test = fold == number
        train = ~test
        if len(np.unique(side[train])) < 2:
            continue
        middle = _column_medians(features[train])
        x = np.where(np.isfinite(features), features, middle)
        mean, sd = x[train].mean(axis=0), x[train].std(axis=0)
        x = np.clip((x - mean) / np.where(sd > 1e-9, sd, 1.0), -5.0, 5.0)
        weights = logistic_ridge(x[train], side[train].astype(np.float64))
        score[test] = x[test] @ weights[1:] + weights[0]
    return score


def _column_medians(features: np.ndarray) -> np.ndarray:
    return np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in features.T])


def logistic_ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return intercept and weights of a ridge logistic regression with balanced classes, by Newton's method."""
    design = np.column_stack([np.ones(len(x)), x])
    balance = np.where(y > 0.5, 0.5 / max(y.mean(), 1e-9), 0.5 / max(1.0 - y.mean(), 1e-9))
    penalty = np.full(design.shape[1], _PENALTY)
    penalty[0] = 1e-6
    weights = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30.0, 30.0)))
        slope = design.T @ (balance * (chance - y)) + penalty * weights
        curvature = (design * (balance * chance * (1.0 - chance) + 1e-9)[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _auc_bounds(
    score: np.ndarray, side: np.ndarray, group: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    members = [
        [np.flatnonzero((group == g) & (side == which)) for g in np.unique(group[side == which])] for which in (0, 1)
    ]
    drawn = []
    for _ in range(_BOOTSTRAPS):
        index = np.concatenate([part[i] for part in members for i in rng.integers(0, len(part), len(part))])
        drawn.append(auc(score[index], side[index]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _floor(features: np.ndarray, group: np.ndarray, rng: np.random.Generator) -> float | None:
    names = np.unique(group)
    if len(names) < 4:
        return None
    found = []
    for _ in range(_FLOOR_DRAWS):
        fake = np.isin(group, rng.permutation(names)[: len(names) // 2]).astype(np.int64)
        found.append(auc(_scores(features, fake, group, rng), fake))
    return float(np.mean(found))
