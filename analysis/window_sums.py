"""Statistics of many windows of notes at once: every sum is one ``bincount`` over all windows.

Conventions
-----------
Notes lie in one flat array, window after window; ``window[i]`` is the window of note i, rising. NaN values count for
nothing. A statistic made of fewer than ``least`` values is NaN; so is a correlation of something that does not vary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FLAT = 1e-9


@dataclass(frozen=True)
class Cut:
    """Where each of n values belongs.

    Parameters
    ----------
    window : ndarray of int64 [shape=(n,)], rising
    count : int
        Number of windows w.
    """

    window: np.ndarray
    count: int

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of each window [shape=(w,)]."""
        return np.bincount(self.window, values, self.count)

    def mean(self, x: np.ndarray, where: np.ndarray | None = None, least: int = 3) -> np.ndarray:
        """Return the mean over the known values, and over those of ``where``."""
        known = np.isfinite(x) if where is None else np.isfinite(x) & where
        n = self.total(known)
        return _over(self.total(np.where(known, x, 0.0)), n, n >= least)

    def share(self, flag: np.ndarray, where: np.ndarray | None = None, least: int = 1) -> np.ndarray:
        """Return the share of values that ``flag`` holds for, among those of ``where``."""
        return self.mean(flag.astype(np.float64), where, least)

    def centred(self, x: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
        """Return the values less their window's mean; NaN outside ``where``."""
        less = x - self.mean(x, where, 1)[self.window]
        return less if where is None else np.where(where, less, np.nan)

    def sd(self, x: np.ndarray, where: np.ndarray | None = None, least: int = 4) -> np.ndarray:
        """Return the standard deviation (divided by n)."""
        return np.sqrt(self.mean(self.centred(x, where) ** 2, where, least))

    def moment(self, x: np.ndarray, power: int, least: int = 8) -> np.ndarray:
        """Return the mean of the standardised values to a power: 3 is skewness, 4 kurtosis."""
        less = self.centred(x)
        sd = np.sqrt(self.mean(less**2, None, least))
        return _over(self.mean(less**power, None, least), sd**power, sd > _FLAT)

    def correlation(self, x: np.ndarray, y: np.ndarray, where: np.ndarray | None = None, least: int = 6) -> np.ndarray:
        """Return Pearson's correlation over the pairs of which both values are known."""
        both = np.isfinite(x) & np.isfinite(y)
        if where is not None:
            both &= where
        a, b = self.centred(x, both), self.centred(y, both)
        power = np.sqrt(self.mean(a * a, both, least) * self.mean(b * b, both, least))
        return _over(self.mean(a * b, both, least), power, power > _FLAT)

    def lagged(self, x: np.ndarray, y: np.ndarray, lag: int, least: int = 8) -> np.ndarray:
        """Return the correlation of ``x`` with ``y`` that many places later, over each window's own sd."""
        a, b = self.centred(x), self.centred(y)
        product = np.full(len(x), np.nan)
        if len(x) > lag:
            same = self.window[lag:] == self.window[:-lag]
            product[:-lag] = np.where(same, a[:-lag] * b[lag:], np.nan)
        power = np.sqrt(self.mean(a * a, None, least) * self.mean(b * b, None, least))
        return _over(self.mean(product, None, least - lag if least > lag + 3 else 3), power, power > _FLAT)

    def step(self, x: np.ndarray) -> np.ndarray:
        """Return each value less the one before it in its window; NaN for the first."""
        out = np.full(len(x), np.nan)
        out[1:] = np.where(self.window[1:] == self.window[:-1], np.diff(x), np.nan)
        return out

    def code(self, key: np.ndarray) -> np.ndarray:
        """Return one whole number a (window, key)."""
        if not len(key):
            return np.zeros(0, dtype=np.int64)
        low = int(key.min())
        return self.window * (int(key.max()) - low + 1) + (key - low)

    def previous(self, key: np.ndarray) -> np.ndarray:
        """Return the row of the value before it with the same key in the same window; -1 for the first."""
        code = self.code(key)
        order = np.argsort(code, kind="stable")
        out = np.full(len(key), -1, dtype=np.int64)
        same = np.diff(code[order]) == 0
        out[order[1:][same]] = order[:-1][same]
        return out

    def within(self, x: np.ndarray, key: np.ndarray, least: int = 2) -> np.ndarray:
        """Return the values less the mean of those with the same key in the same window; NaN for lone ones."""
        _, number = np.unique(self.code(key), return_inverse=True)
        known = np.isfinite(x)
        n = np.bincount(number, known)
        middle = _over(np.bincount(number, np.where(known, x, 0.0)), n, n >= least)
        return x - middle[number] if len(x) else x

    def quantiles(self, x: np.ndarray, at: tuple[float, ...], size: int, least: int = 8) -> list[np.ndarray]:
        """Return linearly interpolated quantiles of each window; every window holds ``size`` values."""
        rows = np.sort(x.reshape(self.count, size), axis=1)
        n = np.isfinite(rows).sum(axis=1)
        out = []
        for q in at:
            place = q * np.maximum(n - 1, 0)
            low = np.floor(place).astype(np.int64)
            high = np.minimum(low + 1, np.maximum(n - 1, 0))
            pick = np.take_along_axis(rows, np.stack([low, high], axis=1), axis=1)
            value = pick[:, 0] + (place - low) * (pick[:, 1] - pick[:, 0])
            out.append(np.where(n >= least, value, np.nan))
        return out


def at_rows(x: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return ``x[row]``, NaN where the row is -1."""
    if not len(x):
        return np.full(len(row), np.nan)
    return np.where(row >= 0, x[np.maximum(row, 0)], np.nan)


def _over(a: np.ndarray, b: np.ndarray, ok: np.ndarray) -> np.ndarray:
    return np.where(ok, a / np.where(ok, b, 1.0), np.nan)
