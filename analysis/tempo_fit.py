"""The smoother under the tempo curve: a local parabola that neither strays nor pauses pull.

Conventions
-----------
Moments are distinct written positions in order, each with one onset; what is smoothed is their lateness in seconds.
A *part* is what lies between two pauses: it is fitted by itself.

Method
------
Local quadratic regression with a Gaussian window. Every moment is held against the curve of the *others* of its part:
beyond eight times what is usual around it (sixteen where several notes agree) it counts for nothing, below that for
less the farther off it lies (the bisquare, four rounds). Around a ritardando such distances are usual, so it does not
stray; nor is a single last note believed that leaves a steady pace. The curve is a weighted sum of the onsets, so the
variance of a beat's length follows from theirs: the mean square distance of the 16 moments around from the curve, each
over the share of its variance that the curve, which it pulls, leaves of it.

References
----------
Fan and Gijbels 1996, Local Polynomial Modelling and Its Applications, chapters 2 and 3; Cleveland 1979, Robust locally
weighted regression and smoothing scatterplots, Journal of the American Statistical Association 74, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LEAST_ONSETS = 6
_PAUSE_S = 0.25
_PAUSE_FACTOR = 2.0
_PACE_STEPS = 6
_KEPT_MOMENTS = 3
_HELD_MOMENTS = 6
_ROUNDS = 4
_STRAY = 8.0
# Notes that are late together are rarely late by mistake.
_STRAY_TOGETHER = 16.0
# Files say onsets no finer: below it nothing strays.
_LEAST_SCALE_S = 0.003
_AROUND = 8
_MOST_OWN = 0.98
_LEAST_LEFT = 0.05
# Weights would pull the variance down: a moment counts for it in full or, as a stray, not at all.
_BELIEVED = 0.25
# A moment that weighs less is left out, or the window would take itself for filled.
_NO_WEIGHT = 0.01


@dataclass(frozen=True, eq=False)
class Fit:
    """A smoother fitted to moments: their part, weight, distance and variance.

    Parameters
    ----------
    beat, late_s : ndarray [shape=(k,)]
    part : ndarray of int [shape=(k,)], counted from 0
    weight : ndarray [shape=(k,)], 0 for a stray, 1 for what lies on the curve
    distance_s : ndarray [shape=(k,)], from the curve of the others
    variance_s2 : ndarray [shape=(k,)], of each moment's lateness
    bandwidth_beats : float
    """

    beat: np.ndarray
    late_s: np.ndarray
    part: np.ndarray
    weight: np.ndarray
    distance_s: np.ndarray
    variance_s2: np.ndarray
    bandwidth_beats: float

    def at(self, knots: np.ndarray, part: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the smooth lateness of a part at each knot, and the variance of each step to the next knot."""
        from ..core.kernels.local_fit import local_quadratic

        kept = (self.part == part) & (self.weight > _NO_WEIGHT)
        value_s, _, _, step_s2 = local_quadratic(
            self.beat[kept],
            self.late_s[kept],
            self.weight[kept],
            self.variance_s2[kept],
            np.ascontiguousarray(knots),
            self.bandwidth_beats,
            _LEAST_ONSETS,
        )
        return value_s, step_s2


def pauses(written_s: np.ndarray, onset_s: np.ndarray) -> np.ndarray:
    """Find the steps in which time stands still: what follows keeps the delay.

    Parameters
    ----------
    written_s, onset_s : ndarray [shape=(k,)], seconds
        Where each moment lies on the reference's clock and in the take.

    Returns
    -------
    ndarray of int
        Rows of the moments before the pauses. A step is one where it takes at least twice what the slower of the
        paces before and after makes due, and 0.25 s more; of the six moments on either side (three at least) most agree
        to at least half the delay, so a stray is none; nor is a step near either end, where nothing could tell.
    """
    n = len(written_s)
    if n < 2 * _KEPT_MOMENTS + 1:
        return np.zeros(0, dtype=np.int64)
    step_s, due = np.diff(onset_s), np.diff(written_s)
    before, after = _paces(step_s, due)
    slow = np.maximum(before, after)
    excess_s = step_s - slow * due
    found = np.flatnonzero((excess_s > _PAUSE_S) & (step_s > _PAUSE_FACTOR * slow * due))
    kept: list[int] = []
    for row in found.tolist():
        if row < _KEPT_MOMENTS - 1 or row + _KEPT_MOMENTS >= n:
            continue
        ahead = slice(row + 1, row + 1 + _HELD_MOMENTS)
        behind = slice(max(row + 1 - _HELD_MOMENTS, 0), row + 1)
        late_after = np.median(onset_s[ahead] - onset_s[row] - slow[row] * (written_s[ahead] - written_s[row]))
        late_from = np.median(onset_s[row + 1] - onset_s[behind] - slow[row] * (written_s[row + 1] - written_s[behind]))
        if min(late_after, late_from) > max(0.5 * excess_s[row], _PAUSE_S) and (
            not kept or row - kept[-1] >= _KEPT_MOMENTS
        ):
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def _paces(step_s: np.ndarray, due: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pace before and after each step: the median of six steps, each as heavy as it is long.

    In a take that serves as the reference a chord's notes lie a few milliseconds apart: such steps say nothing.
    """
    pad = (_PACE_STEPS, _PACE_STEPS)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(step_s / due, pad), _PACE_STEPS)
    heavy = np.lib.stride_tricks.sliding_window_view(np.pad(due, pad), _PACE_STEPS)
    order = np.argsort(windows, axis=1)
    total = np.cumsum(np.take_along_axis(heavy, order, axis=1), axis=1)
    half = np.argmax(total >= 0.5 * total[:, -1:], axis=1)
    rows = np.arange(len(windows))
    middle = windows[rows, order[rows, half]]
    return middle[: len(due)], middle[_PACE_STEPS + 1 :]


def fit_robustly(
    beat: np.ndarray, late_s: np.ndarray, part: np.ndarray, bandwidth_beats: float, count: np.ndarray
) -> Fit:
    """Fit the smoother and tell strays from what belongs.

    Parameters
    ----------
    beat, late_s : ndarray [shape=(k,)]
    part : ndarray of int [shape=(k,)], rising
    bandwidth_beats : float
    count : ndarray of int [shape=(k,)], notes that agree on the moment
    """
    reach = np.where(count > 1, _STRAY_TOGETHER, _STRAY)
    weight = np.ones(len(beat))
    distance_s, square_s2 = _distances(beat, late_s, part, weight, bandwidth_beats)
    for _ in range(_ROUNDS):
        reach_s = reach * _usual(np.abs(distance_s))
        weight = np.square(np.maximum(1.0 - np.square(distance_s / reach_s), 0.0))
        # A part of which nothing were left keeps all of it.
        lost = np.bincount(part, weights=weight > _NO_WEIGHT) < 2
        weight[lost[part]] = 1.0
        distance_s, square_s2 = _distances(beat, late_s, part, weight, bandwidth_beats)
    return Fit(beat, late_s, part, weight, distance_s, _local_mean(square_s2, weight > _BELIEVED), bandwidth_beats)


def _distances(
    beat: np.ndarray, late_s: np.ndarray, part: np.ndarray, weight: np.ndarray, bandwidth_beats: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each moment lies from the curve of the others, and what its square from the curve says."""
    from ..core.kernels.local_fit import local_quadratic

    distance_s, square_s2 = np.zeros(len(beat)), np.zeros(len(beat))
    for number in range(int(part[-1]) + 1):
        low, high = np.searchsorted(part, [number, number + 1])
        x, y, w = beat[low:high], late_s[low:high], weight[low:high]
        kept = w > _NO_WEIGHT
        one = np.ones(int(kept.sum()))
        value_s, own, norm, _ = local_quadratic(x[kept], y[kept], w[kept], one, x, bandwidth_beats, _LEAST_ONSETS)
        residual_s = y - value_s
        pull = np.where(kept, np.minimum(w * own, _MOST_OWN), 0.0)
        distance_s[low:high] = residual_s / (1.0 - pull)
        # The variance of y - sum(share * y) is 1 - 2 * own share + sum(share ** 2) times that of a moment.
        square_s2[low:high] = residual_s**2 / np.maximum(1.0 - 2.0 * pull + norm, _LEAST_LEFT)
    return distance_s, square_s2


def _usual(distance_s: np.ndarray) -> np.ndarray:
    """Return what is usual around each moment: the median of its neighbours, or of all where that is more."""
    reach = _AROUND - 2
    padded = np.pad(distance_s, reach, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).copy()
    windows[:, reach] = np.nan  # itself
    ordered = np.sort(windows, axis=1)
    known = np.isfinite(windows).sum(axis=1)
    rows = np.arange(len(distance_s))
    middle = 0.5 * (ordered[rows, np.maximum(known - 1, 0) // 2] + ordered[rows, np.maximum(known // 2, 0)])
    middle = np.where(known > 0, middle, 0.0)
    return np.maximum(np.maximum(middle, np.median(distance_s)), _LEAST_SCALE_S)


def _local_mean(square: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return the mean of the counted ones among up to 17 moments around each."""
    top = np.concatenate([[0.0], np.cumsum(np.where(counted, square, 0.0))])
    total = np.concatenate([[0.0], np.cumsum(counted)])
    rows = np.arange(len(square))
    low, high = np.maximum(rows - _AROUND, 0), np.minimum(rows + _AROUND + 1, len(square))
    return np.maximum(top[high] - top[low], 0.0) / np.maximum(total[high] - total[low], 1.0)
