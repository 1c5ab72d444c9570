"""What two parts of one piece have to do with each other: lagged correlation, correction gains, scaling.

Conventions
-----------
Series are milliseconds, late positive, one value a moment that both parts play, in playing order; lags count such
moments. At a positive lag the second part is looked at later than the first: where correlation is larger there, the
second follows the first. All bounds are 95 % and come from dealing blocks of neighbouring moments anew, so that
memory within a block is kept.

References
----------
Vorberg and Schulze 2002, Linear phase-correction in synchronization, Journal of Mathematical Psychology 46, 56-87.
Wing, Endo, Bradbury and Vorberg 2014, Optimal feedback correction in string quartet synchronization, J. R. Soc.
Interface 11:20131125. Jacoby, Tishby, Repp, Ahissar and Keller 2015, Timing & Time Perception 3, 52-87 (why ordinary
least squares fail here). Hennig 2014, PNAS 111, 12974-12979. Künsch 1989, Annals of Statistics 17 (blocks).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

MAX_LAG = 4
BOOTSTRAPS = 400
# Motor delays make the noise of one step return in the next with the other sign; a clock with memory does the reverse.
_MEMORIES = np.round(np.arange(-0.9, 0.51, 0.05), 2)
_LEAST_BLOCKS = 4


@dataclass(frozen=True)
class Bounded:
    """A figure with its 95 % bounds; NaN = not known."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    @property
    def sign(self) -> int:
        """1 or -1 where the bounds leave no doubt of it, else 0."""
        return int(self.low > 0.0) - int(self.high < 0.0)


@dataclass(frozen=True, eq=False)
class Following:
    """How two parts follow each other.

    Parameters
    ----------
    correlation, low, high : ndarray [shape=(2 * MAX_LAG + 1,)], -1 to 1
        Of the first part's moment k with the second's moment k + lag, lags from -MAX_LAG to MAX_LAG.
    lean : Bounded
        Mean correlation at positive lags less that at negative ones.
    gain_first, gain_second : Bounded
        The share of the last asynchrony that the first (second) part takes back at the next shared moment.
    lead : Bounded
        ``gain_second`` less ``gain_first``: positive where the first part leads.
    """

    correlation: np.ndarray
    low: np.ndarray
    high: np.ndarray
    lean: Bounded
    gain_first: Bounded
    gain_second: Bounded
    lead: Bounded


def block_length(n: int) -> int:
    """Return how many neighbouring moments are dealt together: about 2 n^(1/3), at least 4."""
    return max(4, round(2.0 * n ** (1.0 / 3.0)))


def block_weights(n: int, rng: np.random.Generator, times: int = BOOTSTRAPS) -> tuple[np.ndarray, np.ndarray]:
    """Return (block of each of ``n`` moments, how often each block is dealt in each of the bootstrap's draws)."""
    size = block_length(n)
    block = np.minimum(np.arange(n) // size, max(n // size - 1, 0))
    count = int(block[-1]) + 1 if n else 0
    if count < _LEAST_BLOCKS:
        return block, np.zeros((0, count))
    return block, rng.multinomial(count, np.full(count, 1.0 / count), size=times).astype(np.float64)


def bounded(value: float, drawn: np.ndarray) -> Bounded:
    """Return a figure with the 2.5 and 97.5 percentiles of its bootstrap."""
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or not np.isfinite(value):
        return Bounded(float(value))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Bounded(float(value), float(min(low, value)), float(max(high, value)))


def median_bounded(values: np.ndarray, rng: np.random.Generator) -> Bounded:
    """Return the median of a series in order, with bounds from blocks."""
    n = len(values)
    block, weights = block_weights(n, rng)
    if not len(weights):
        return Bounded(float(np.median(values)) if n else float("nan"))
    order = np.argsort(values, kind="stable")
    weight = np.cumsum(weights[:, block[order]], axis=1)
    middle = np.argmax(weight >= 0.5 * weight[:, -1:], axis=1)
    return bounded(float(np.median(values)), values[order][middle])


def follow(first: np.ndarray, second: np.ndarray, joined: np.ndarray, rng: np.random.Generator) -> Following:
    """Return how two parts follow each other.

    Parameters
    ----------
    first, second : ndarray [shape=(n,)], ms
        At the moments both play, the metrical template taken off.
    joined : ndarray of int [shape=(n,)]
        Number of the stretch each moment lies in: no step leads from one stretch into the next.
    rng : Generator
        For the bounds only.
    """
    x, y = first - first.mean(), second - second.mean()
    block, weights = block_weights(len(x), rng)
    value, drawn = _lagged(x, y, joined, block, weights)
    bounds = [bounded(v, d) for v, d in zip(value, drawn.T, strict=True)]
    ahead, behind = slice(MAX_LAG + 1, None), slice(0, MAX_LAG)
    lean = bounded(
        float(np.nanmean(value[ahead]) - np.nanmean(value[behind])),
        drawn[:, ahead].mean(axis=1) - drawn[:, behind].mean(axis=1),
    )
    gain_x, drawn_x = _gain(x, y, joined, block, weights)
    gain_y, drawn_y = _gain(y, x, joined, block, weights)
    return Following(
        correlation=value,
        low=np.array([b.low for b in bounds]),
        high=np.array([b.high for b in bounds]),
        lean=lean,
        gain_first=bounded(gain_x, drawn_x),
        gain_second=bounded(gain_y, drawn_y),
        lead=bounded(gain_y - gain_x, drawn_y - drawn_x),
    )


def correction_gains(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the shares of the last asynchrony that the first and the second part take back; no bounds.

    Parameters
    ----------
    first, second : ndarray [shape=(n,)], ms
        At the moments both play.
    """
    x, y = first - first.mean(), second - second.mean()
    one, none = np.zeros(len(x), dtype=np.int64), np.zeros((0, 1))
    return _gain(x, y, one, one, none)[0], _gain(y, x, one, one, none)[0]


def lagged_correlation(x: np.ndarray, y: np.ndarray, joined: np.ndarray | None = None) -> np.ndarray:
    """Return the correlation of ``x[k]`` with ``y[k + lag]`` for lags from -MAX_LAG to MAX_LAG.

    Returns
    -------
    ndarray [shape=(2 * MAX_LAG + 1,)]; NaN where fewer than 8 pairs are left or a series stands still

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal(500)
    >>> int(np.argmax(lagged_correlation(x[1:], x[:-1]))) - MAX_LAG  # the second does later what the first did
    1
    """
    stretch = np.zeros(len(x), dtype=np.int64) if joined is None else joined
    none = np.zeros((0, 0))
    return _lagged(x - x.mean(), y - y.mean(), stretch, np.zeros(len(x), dtype=np.int64), none)[0]


def _lagged(
    x: np.ndarray, y: np.ndarray, joined: np.ndarray, block: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (correlation by lag, the same in each draw)."""
    count = weights.shape[1]
    value = np.full(2 * MAX_LAG + 1, np.nan)
    drawn = np.full((len(weights), 2 * MAX_LAG + 1), np.nan)
    for place, lag in enumerate(range(-MAX_LAG, MAX_LAG + 1)):
        k = np.arange(max(0, -lag), len(x) - max(0, lag))
        k = k[joined[k] == joined[k + lag]]
        if len(k) < 8:
            continue
        products = np.stack([x[k] * y[k + lag], x[k] ** 2, y[k + lag] ** 2])
        cross, own, other = products.sum(axis=1)
        if own <= 0.0 or other <= 0.0:
            continue
        value[place] = cross / np.sqrt(own * other)
        if len(weights):
            cross, own, other = (weights @ np.bincount(block[k], p, count) for p in products)
            drawn[:, place] = cross / np.sqrt(np.maximum(own * other, 1e-300))
    return value, drawn


def _gain(
    x: np.ndarray, y: np.ndarray, joined: np.ndarray, block: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the share of its asynchrony to ``y`` that ``x`` takes back at the next moment, and the bootstrap's draws.

    The model is ``x[k+1] - x[k] = c - own x[k] - gain (x[k] - y[k]) + u[k] + memory u[k-1]``: the part ``own`` pulls
    to the clock, and the noise is that of a clock and of a hand (Vorberg and Schulze's two levels), which makes it a
    moving average of order 1. What the hand did is inside the asynchrony that is answered, so plain regression is
    biased; filtering both sides by the noise's inverse leaves innovations that nothing in the past can foretell.
    """
    k = np.flatnonzero(joined[:-1] == joined[1:])
    if len(k) < 16:
        return float("nan"), np.full(len(weights), np.nan)
    best, found = np.inf, None
    columns = np.stack([np.ones(len(k)), x[k], y[k], x[k + 1]], axis=1)
    starts = np.flatnonzero(np.diff(k, prepend=-2) != 1)
    for memory in _MEMORIES:
        whitened = _unfiltered(columns, float(memory), starts)
        solution, *_ = np.linalg.lstsq(whitened[:, :3], whitened[:, 3], rcond=None)
        left = whitened[:, 3] - whitened[:, :3] @ solution
        cost = float(left @ left)
        if cost < best:
            best, found = cost, (whitened, float(solution[2]))
    assert found is not None
    whitened, gain = found
    if not len(weights):
        return gain, np.zeros(0)
    products = whitened[:, :, None] * whitened[:, None, :]
    count = weights.shape[1]
    sums = np.stack([np.bincount(block[k], products[:, i, j], count) for i in range(4) for j in range(4)], axis=1)
    drawn = (weights @ sums).reshape(-1, 4, 4)
    # A hair of ridge: a draw of few blocks may hold the same moments again and again.
    ridge = 1e-9 * np.trace(drawn[:, :3, :3], axis1=1, axis2=2)[:, None, None] * np.eye(3)
    return gain, np.linalg.solve(drawn[:, :3, :3] + ridge, drawn[:, :3, 3:])[:, 2, 0]


def _unfiltered(columns: np.ndarray, memory: float, starts: np.ndarray) -> np.ndarray:
    """Return v with v[k] = columns[k] - memory v[k - 1], beginning anew at each start."""
    from scipy.signal import lfilter

    if memory == 0.0:
        return columns
    out = lfilter([1.0], [1.0, memory], columns, axis=0)
    # A stretch begins with nothing before it: take off what the recursion carried over, the last stretch first.
    edges = [*starts.tolist(), len(columns)]
    for start, stop in reversed(list(pairwise(edges))[1:]):
        steps = np.arange(1, min(stop - start, 128) + 1)
        out[start : start + len(steps)] -= (-memory) ** steps[:, None] * out[start - 1]
    return out


def detrended_correlation(first: np.ndarray, second: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Return the correlation of two series' fluctuations about straight lines, by window length.

    Parameters
    ----------
    first, second : ndarray [shape=(n,)], ms
    windows : ndarray of int64 [shape=(w,)], moments

    Returns
    -------
    ndarray [shape=(w,)], -1 to 1; NaN where a series stands still

    Notes
    -----
    The covariance within windows is found from the fluctuation of the sum and of the difference:
    cov = (F(x + y) - F(x - y)) / 4.

    References
    ----------
    Zebende 2011, Physica A 390, 614 (the coefficient); Podobnik and Stanley 2008, Physical Review Letters 100, 084102.
    """
    from ..core.kernels.detrended_fluctuation import detrended_fluctuation

    x, y = first - first.mean(), second - second.mean()
    squared = {
        name: detrended_fluctuation(np.cumsum(series), windows)
        for name, series in (("x", x), ("y", y), ("sum", x + y), ("difference", x - y))
    }
    size = np.sqrt(squared["x"] * squared["y"])
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 0.25 * (squared["sum"] - squared["difference"]) / size
    return np.where(size > 0.0, np.clip(value, -1.0, 1.0), np.nan)
