"""A judge: trained on windows of real and invented playing, it says of others how invented they look.

Conventions
-----------
Side 0 is real, 1 synthetic; a larger score is more synthetic. ``Windows.take`` numbers what belongs together: a real
take and what was invented on the same score share a number, and training and validation never share one.

References
----------
Friedman 2001, Annals of Statistics 29 (gradient boosting; scikit-learn's histogram version does the work). Hoerl and
Kennard 1970, Technometrics 12 (ridge). Lopez-Paz and Oquab 2017, ICLR (classifiers as two-sample tests).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import TakeprintError
from .realism_features import Windows

# Fewer windows a side than this are too few for trees: the ridge judges alone.
ENOUGH_FOR_TREES = 60
_ROUNDS = 240
_ROUNDS_UNSEEN = 100
_RATE = 0.06
_LEAVES = 8
_SHARE_OF_FEATURES = 0.2
# One of 64 is for what is not known.
_BINS = 63
# The ridge counts as so much of the trees; validation chooses.
_RIDGE_SHARES = (0.0, 0.5, 1.0)
_VALIDATION = 0.2
_FARTHEST = 4.0


@dataclass(frozen=True, eq=False)
class Ridge:
    """Least squares on standardised features towards -1 (real) and +1, with as much penalty as there are features."""

    middle: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: float

    def score(self, values: np.ndarray) -> np.ndarray:
        """Return a number a row."""
        return self._standard(values) @ self.weights + self.intercept

    def _standard(self, values: np.ndarray) -> np.ndarray:
        x = np.where(np.isfinite(values), values, self.middle)
        return np.clip((x - self.mean) / self.scale, -_FARTHEST, _FARTHEST)

    @classmethod
    def fit(cls, values: np.ndarray, side: np.ndarray, weight: np.ndarray) -> Ridge:
        """Fit to rows with weights that make both sides equal."""
        middle = medians_of(values)
        filled = np.where(np.isfinite(values), values, middle)
        mean = filled.mean(axis=0)
        scale = filled.std(axis=0)
        scale = np.where(scale > 1e-9, scale, 1.0)
        x = np.clip((filled - mean) / scale, -_FARTHEST, _FARTHEST)
        y = 2.0 * side - 1.0
        # Weighted centring makes the intercept free of penalty.
        centre, level = weight @ x / weight.sum(), float(weight @ y / weight.sum())
        root = np.sqrt(weight)[:, None]
        a, b = (x - centre) * root, (y - level) * root[:, 0]
        penalty = max(x.shape[1], 1)
        if x.shape[0] < x.shape[1]:
            dual = np.linalg.solve(a @ a.T + penalty * np.eye(len(a)), b)
            weights = a.T @ dual
        else:
            weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ b)
        return cls(middle, mean, scale, weights, level - float(centre @ weights))


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosted trees over values cut into bins at their quantiles.

    Cutting is done here, as scikit-learn's own takes ten times as long as the trees where rows have weights.
    """

    edges: tuple[np.ndarray, ...]
    used: np.ndarray
    model: Any

    @classmethod
    def fit(cls, values: np.ndarray, side: np.ndarray, seed: int, rounds: int) -> Trees:
        """Fit ``rounds`` small trees; both sides weigh the same."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        at = np.linspace(0.0, 1.0, _BINS + 1)[1:-1]
        edges = tuple(np.unique(np.quantile(c[np.isfinite(c)], at)) if np.isfinite(c).any() else at for c in values.T)
        model = HistGradientBoostingClassifier(
            max_iter=rounds,
            learning_rate=_RATE,
            max_leaf_nodes=_LEAVES,
            max_bins=_BINS + 1,
            max_features=_SHARE_OF_FEATURES,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=int(seed) % 2**32,
        )
        bins = _binned(values, edges)
        # The library refuses columns that fall into one bin.
        used = np.flatnonzero(bins.min(axis=0) < bins.max(axis=0))
        with one_thread():
            model.fit(bins[:, used], side, sample_weight=balanced(side))
        return cls(edges, used, model)

    def score(self, values: np.ndarray) -> np.ndarray:
        """Return the log odds of each row."""
        with one_thread():
            return np.asarray(self.model.decision_function(_binned(values, self.edges)[:, self.used]))

    def stages(self, values: np.ndarray) -> list[np.ndarray]:
        """Return the log odds after each round."""
        with one_thread():
            stages = self.model.staged_decision_function(_binned(values, self.edges)[:, self.used])
            return [np.array(stage) for stage in stages]

    def gains(self) -> np.ndarray:
        """Return what each column's splits gained, all together."""
        gain = np.zeros(len(self.used))
        for stage in self.model._predictors:
            for tree in stage:
                inner = tree.nodes["is_leaf"] == 0
                np.add.at(gain, tree.nodes["feature_idx"][inner], tree.nodes["gain"][inner])
        out = np.zeros(len(self.edges))
        out[self.used] = gain
        return out


def _binned(values: np.ndarray, edges: Sequence[np.ndarray]) -> np.ndarray:
    """Return the number of each value's bin; not known is a bin of its own below all others."""
    out = np.empty(values.shape)
    for i, edge in enumerate(edges):
        out[:, i] = np.searchsorted(edge, values[:, i], side="right")
    return np.where(np.isfinite(values), out, -1.0)


@dataclass(frozen=True, eq=False)
class Judge:
    """What was learned of one pair of sides.

    Parameters
    ----------
    names : tuple of str [k]
        The features it looks at.
    ridge : Ridge
    trees : Trees or None
        None where there was too little for trees.
    rounds : int
        Of boosting, chosen on takes left out.
    scales : (float, float)
        Size of the trees' and of the ridge's scores.
    ridge_share : float
        What the ridge counts beside the trees.
    """

    names: tuple[str, ...]
    ridge: Ridge
    trees: Trees | None
    rounds: int
    scales: tuple[float, float]
    ridge_share: float

    @property
    def said(self) -> str:
        """Return what kind of judge this is, in words."""
        if self.trees is None:
            return "a ridge regression"
        beside = " with a ridge regression beside it" if self.ridge_share else ""
        return f"gradient boosting{beside}"

    def score(self, windows: Windows) -> np.ndarray:
        """Return how synthetic each window looks [shape=(w,)]; the scale has no meaning of its own."""
        values = self._columns(windows)
        if not len(values):
            return np.zeros(0)
        line = self.ridge.score(values) / self.scales[1]
        if self.trees is None:
            return line
        return self.trees.score(values) / self.scales[0] + self.ridge_share * line

    def _columns(self, windows: Windows) -> np.ndarray:
        if windows.names == self.names:
            return windows.values
        place = {name: i for i, name in enumerate(windows.names)}
        missing = [name for name in self.names if name not in place]
        if missing:
            raise TakeprintError(f"the windows have no feature {missing[0]!r}", rule="a judge sees what it learned on")
        return windows.values[:, [place[name] for name in self.names]]

    def importance(self) -> dict[str, float]:
        """Return each feature's share in the judgement; the shares sum to 1.

        Trees: the share of the gain of all splits. Ridge: the share of the sum of weights' sizes, squared.
        """
        share = self.ridge.weights**2
        share = share / max(share.sum(), 1e-12)
        if self.trees is not None:
            gain = self.trees.gains()
            share = (gain / max(gain.sum(), 1e-12) + self.ridge_share * share) / (1.0 + self.ridge_share)
        return dict(zip(self.names, share.tolist(), strict=True))

    def told_by(self, real: Windows, synthetic: Windows, most: int = 8) -> list[str]:
        """Return the features that count most, with both sides' medians and the AUC of each alone."""
        from .realism_features import words_of_features

        words = words_of_features()
        return [
            f"{words.get(told['feature'], told['feature'])}: {told['synthetic']:.3g} against {told['real']:.3g}"
            f" ({told['share']:.0%} of the judgement; AUC {told['auc_alone']:.2f} alone)"
            for told in what_told(self.importance(), real, synthetic, most)
        ]


def what_told(share: dict[str, float], real: Windows, synthetic: Windows, most: int = 8) -> list[dict[str, Any]]:
    """Return ``feature, share, real, synthetic`` (medians) and ``auc_alone`` of the features that tell most.

    Of those that count most in the judgement the ones that also tell by themselves come first: a feature can count
    because it explains another.
    """
    place = {name: i for i, name in enumerate(real.names)}
    out: list[dict[str, Any]] = []
    for name in sorted(share, key=lambda n: -share[n])[: 4 * most]:
        columns = [windows.values[:, place[name]] for windows in (real, synthetic)]
        a, b = (column[np.isfinite(column)] for column in columns)
        if share[name] <= 0.0 or not len(a) or not len(b):
            continue
        alone = auc(np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)]))
        told: dict[str, Any] = {"feature": name, "share": share[name]}
        told |= {"real": float(np.median(a)), "synthetic": float(np.median(b)), "auc_alone": max(alone, 1.0 - alone)}
        out.append(told)
    return sorted(out, key=lambda told: -told["share"] * (2.0 * told["auc_alone"] - 1.0) ** 2)[:most]


def train_judge(
    real: Windows,
    synthetic: Windows,
    seed: int = 0,
    channels: Sequence[str] | None = None,
    *,
    rounds: int | None = None,
) -> Judge:
    """Train a judge on real and synthetic windows.

    Parameters
    ----------
    real, synthetic : Windows
        With the same features; equal numbers in ``take`` stay together where takes are left out for validation.
    seed : int
    channels : sequence of str or None
        Look only at features of these channels; None: at all.
    rounds : int or None
        Rounds of boosting; None: as many as serve best on a fifth of the takes, left out.

    Returns
    -------
    Judge
        The same for the same windows and seed.

    Raises
    ------
    TakeprintError
        When a side has no window or the sides have different features.
    """
    if real.names != synthetic.names:
        raise TakeprintError("the two sides have different features", rule="both are made with one kind and window")
    if not len(real) or not len(synthetic):
        raise TakeprintError("a side has no window", rule="a judge is trained on windows of both sides")
    if channels is not None:
        real, synthetic = real.channels(channels), synthetic.channels(channels)
    values = np.concatenate([real.values, synthetic.values])
    # What is not known of any window, or the same in all, can tell nothing; the trees refuse it.
    real, synthetic = (w.columns(_telling(values)) for w in (real, synthetic))
    values = np.concatenate([real.values, synthetic.values])
    side = np.repeat([0, 1], [len(real), len(synthetic)])
    if min(len(real), len(synthetic)) < ENOUGH_FOR_TREES:
        ridge = Ridge.fit(values, side, balanced(side))
        return Judge(real.names, ridge, None, 0, (1.0, _size(ridge.score(values))), 1.0)
    take = np.concatenate([real.take, synthetic.take])
    chosen = (rounds, 0.5) if rounds is not None else _validated(values, side, take, seed)
    ridge = Ridge.fit(values, side, balanced(side))
    trees = Trees.fit(values, side, seed, chosen[0])
    scales = _size(trees.score(values)), _size(ridge.score(values))
    return Judge(real.names, ridge, trees, chosen[0], scales, chosen[1])


def _telling(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(axis=0)
    high = np.where(known, values, -np.inf).max(axis=0)
    return np.flatnonzero((high > low) | (known.any(axis=0) & ~known.all(axis=0)))


def _validated(values: np.ndarray, side: np.ndarray, take: np.ndarray, seed: int) -> tuple[int, float]:
    """Return (rounds, what the ridge counts) that tell takes left out of training best."""
    takes = np.unique(take)
    if len(takes) < 5:
        return _ROUNDS_UNSEEN, 0.5
    rng = np.random.default_rng([seed, 1])
    left_out = np.isin(take, rng.permutation(takes)[: max(1, round(_VALIDATION * len(takes)))])
    if any(len(np.unique(side[part])) < 2 for part in (left_out, ~left_out)):
        return _ROUNDS_UNSEEN, 0.5
    train = ~left_out
    stages = Trees.fit(values[train], side[train], seed, _ROUNDS).stages(values[left_out])
    # Few windows are left out, so that single rounds are noise: the loss is smoothed over ten.
    loss = np.array([_log_loss(stage, side[left_out]) for stage in stages])
    smooth = np.convolve(np.pad(loss, 5, mode="edge"), np.full(11, 1.0 / 11.0), mode="valid")
    rounds = max(20, int(np.argmin(smooth)) + 1)
    ridge = Ridge.fit(values[train], side[train], balanced(side[train]))
    line, tree = ridge.score(values[left_out]), stages[rounds - 1]
    found = [auc(tree / _size(tree) + share * line / _size(line), side[left_out]) for share in _RIDGE_SHARES]
    return rounds, _RIDGE_SHARES[int(np.argmax(found))]


def _log_loss(score: np.ndarray, side: np.ndarray) -> float:
    return float(balanced(side) @ np.logaddexp(0.0, np.where(side == 1, -score, score)) / len(side))


def one_thread() -> Any:
    """Return a context in which OpenMP uses one thread: sums come out the same, and a busy machine is no slower."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="openmp")


def balanced(side: np.ndarray) -> np.ndarray:
    """Return weights that sum to half the rows for either side."""
    ones = max(int((side == 1).sum()), 1)
    zeros = max(int((side == 0).sum()), 1)
    return np.where(side == 1, 0.5 * len(side) / ones, 0.5 * len(side) / zeros)


def medians_of(values: np.ndarray) -> np.ndarray:
    """Return the median of each column's known values; 0 where none is known."""
    out = np.zeros(values.shape[1])
    known = np.isfinite(values)
    some = known.any(axis=0)
    if some.any():
        out[some] = np.nanmedian(values[:, some], axis=0)
    return out


def _size(score: np.ndarray) -> float:
    return float(max(np.sqrt(np.mean(score**2)), 1e-9))


def auc(score: np.ndarray, side: np.ndarray) -> float:
    """Return the chance that a synthetic window scores above a real one, ties counting half; NaN with one side only."""
    from scipy.stats import rankdata

    ones = np.asarray(side) == 1
    m, n = int(ones.sum()), int((~ones).sum())
    if not m or not n:
        return float("nan")
    return float((rankdata(score)[ones].sum() - m * (m + 1) / 2.0) / (m * n))


def auc_bounds(
    score: np.ndarray, side: np.ndarray, group: np.ndarray, rng: np.random.Generator, draws: int = 400
) -> tuple[float, float]:
    """Return 95 % bounds of the AUC from a bootstrap over groups.

    Parameters
    ----------
    score, side, group : ndarray [shape=(w,)]
        Groups on both sides (a take and what was invented on its score) are drawn as one.
    rng : numpy.random.Generator
    draws : int

    References
    ----------
    Field and Welsh 2007, Bootstrapping clustered data, JRSS B 69.
    """
    both = set(np.unique(group[side == 0])) & set(np.unique(group[side == 1]))
    # Groups of one side only are drawn within their side, so that no draw lacks a side.
    stratum = np.where(np.isin(group, list(both)), 2, side)
    kinds, number = np.unique(np.stack([stratum, group]), axis=1, return_inverse=True)
    number = number.reshape(-1)
    kinds = kinds[0]
    _, level = np.unique(score, return_inverse=True)
    counts = np.zeros((draws, len(kinds)))
    for kind in np.unique(kinds):
        index = np.flatnonzero(kinds == kind)
        counts[:, index] = rng.multinomial(len(index), np.full(len(index), 1.0 / len(index)), size=draws)
    found = [_weighted_auc(level, side, drawn[number]) for drawn in counts]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def _weighted_auc(level: np.ndarray, side: np.ndarray, weight: np.ndarray) -> float:
    ones = np.bincount(level, np.where(side == 1, weight, 0.0))
    zeros = np.bincount(level, np.where(side == 0, weight, 0.0))
    pairs = ones.sum() * zeros.sum()
    return float(ones @ (np.cumsum(zeros) - 0.5 * zeros) / pairs) if pairs > 0 else np.nan


def energy_ratio(real: Windows, synthetic: Windows, seed: int = 0, halvings: int = 8, most: int = 2000) -> float:
    """Return how far the sides lie apart, as a multiple of how far halves of the real takes do.

    Energy distance (Székely and Rizzo 2013, J. Stat. Plan. Inference 143) over the first 20 principal components of
    both sides' features, standardised by the real side's mean and sd; NaN with fewer than four real takes or no
    synthetic window.

    Parameters
    ----------
    real, synthetic : Windows
    seed : int
    halvings : int
        Random halvings of the real takes; their mean is what the ratio is taken to.
    most : int
        Windows a side that are looked at, evenly chosen.
    """
    real, synthetic = (
        w.rows(np.unique(np.linspace(0, len(w) - 1, min(len(w), most)).astype(int))) for w in (real, synthetic)
    )
    takes = np.unique(real.take)
    if len(takes) < 4 or not len(synthetic):
        return float("nan")
    middle = medians_of(real.values)
    filled = [np.where(np.isfinite(w.values), w.values, middle) for w in (real, synthetic)]
    mean, sd = filled[0].mean(axis=0), filled[0].std(axis=0)
    x, y = (np.clip((f - mean) / np.where(sd > 1e-9, sd, 1.0), -5.0, 5.0) for f in filled)
    # Components of both sides together: those of the real side alone could be blind to what sets them apart.
    both = np.concatenate([x, y])
    _, _, axes = np.linalg.svd(both - both.mean(axis=0), full_matrices=False)
    x, y = x @ axes[:20].T, y @ axes[:20].T
    rng = np.random.default_rng([seed, 2])
    between = _distances(x, x)
    floor = []
    for _ in range(halvings):
        half = np.isin(real.take, rng.permutation(takes)[: len(takes) // 2])
        cross = between[np.ix_(half, ~half)].mean()
        floor.append(2.0 * cross - between[np.ix_(half, half)].mean() - between[np.ix_(~half, ~half)].mean())
    apart = 2.0 * _distances(x, y).mean() - between.mean() - _distances(y, y).mean()
    return float(apart / max(float(np.mean(floor)), 1e-12))


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return cdist(a, b)
