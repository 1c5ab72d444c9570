"""The definition of the two-segment Akaike criterion, without running sums."""

from __future__ import annotations

import numpy as np


def change_point(x: np.ndarray, guard: int, floor: float) -> tuple[int, int, int, float]:
    n = len(x)
    places = list(range(guard, n - guard + 1))
    if not places:
        return -1, -1, -1, 0.0
    aic = np.array(
        [k * np.log(np.mean(x[:k] ** 2) + floor) + (n - k) * np.log(np.mean(x[k:] ** 2) + floor) for k in places]
    )
    likelihood = np.exp(-0.5 * (aic - aic.min()))
    share = np.cumsum(likelihood) / likelihood.sum()
    low = places[int(np.argmax(share >= 0.05))]
    high = places[int(np.argmax(share >= 0.95))]
    gain = n * np.log(np.mean(x**2) + floor) - aic.min()
    return places[int(np.argmin(aic))], low, high, max(float(gain), 0.0)
