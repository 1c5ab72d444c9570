"""What a player does with the notes of a chord, and where the notes that are heard surely put the others.

Conventions
-----------
Times are seconds, lags milliseconds, late is positive. Notes of one written moment are the top one, the lowest and
those between. Pianists play the melody some 20 to 30 ms before the rest, or break chords from below: how much is
learnt from the notes of the take that are sure, by medians that are drawn to zero while there are few. The notes of a
moment that are sure then tell, each less its lag, when the moment was; a note is told by the others and not by itself.

References
----------
Goebl 2001, Melody lead in piano performance: expressive device or artifact?, J. Acoust. Soc. Am. 110, 563-572.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .score_chain import spread_kernel

# A note this sure, and within so much (ms), tells of others.
_SURE, _CLOSELY_MS = 0.9, 7.0
# Lags are drawn to zero as if so many notes had none; a note deviates from what it is told by so much at first, and at
# least (ms), as if so many had.
_FEW, _LOOSE_MS, _LEAST_MS = 8.0, 8.0, 2.5
# How much of what is expected still comes from the chain of moments alone.
_STILL = 0.12


@dataclass(frozen=True, eq=False)
class Habit:
    """Lags, and what is sure.

    Parameters
    ----------
    lag_ms : ndarray [shape=(n,)], ms
        Of every note after the top one of its moment.
    moment_lag_ms : ndarray [shape=(g,)], ms
        The mean of each moment's notes.
    loose_ms : ndarray [shape=(n,)], ms
        Mean deviation of such a note from its lag.
    group, weight : ndarray [shape=(n,)]
        The notes' moments, and how much each tells of it; 0 if it is not sure.
    anchor_s : ndarray [shape=(n,)], seconds
        When each note says its moment was.
    """

    lag_ms: np.ndarray
    moment_lag_ms: np.ndarray
    loose_ms: np.ndarray
    group: np.ndarray
    weight: np.ndarray
    anchor_s: np.ndarray

    @classmethod
    def of(cls, group: np.ndarray, height: np.ndarray, found: Mapping[str, np.ndarray]) -> Habit:
        """Learn from what was found; ``height`` orders the notes of a moment."""
        groups = int(group[-1]) + 1
        place = _places(group, height)
        onset_ms = 1000.0 * np.nan_to_num(found["onset_s"])
        doubt_ms = np.nan_to_num(found["onset_uncertainty_ms"], nan=1e3)
        sure = (found["confidence"] > _SURE) & (doubt_ms < _CLOSELY_MS)
        lag = np.zeros(4)
        loose = np.full(4, _LOOSE_MS)
        for _ in range(3):
            # Each note's moment by the others that are sure, less their lags.
            rest_ms, others = _by_others(group, np.where(sure, 1.0, 0.0), onset_ms - lag[place], groups)
            off_ms = onset_ms - rest_ms
            for kind in (2, 3):
                rows = sure & (others > 0) & (place == kind)
                count = int(rows.sum())
                if count:
                    lag[kind] = np.median(off_ms[rows]) * count / (count + _FEW)
                    apart = np.minimum(np.abs(off_ms[rows] - lag[kind]), 40.0)
                    loose[kind] = max((apart.sum() + _FEW * _LOOSE_MS) / (count + _FEW), _LEAST_MS)
        loose[1] = min(loose[2], loose[3])
        lag_ms, loose_ms = lag[place], loose[place]
        sizes = np.maximum(np.bincount(group, minlength=groups), 1)
        weight = np.where(sure, 1.0 / (0.4 * doubt_ms**2 + loose_ms**2), 0.0)
        return cls(
            lag_ms, np.bincount(group, lag_ms, groups) / sizes, loose_ms, group, weight, (onset_ms - lag_ms) / 1000.0
        )

    def told(self, which: np.ndarray, time_s: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """Return how likely some notes begin at some times, by their moments' other notes where these are sure.

        Parameters
        ----------
        which : ndarray of int64 [shape=(n,)]
        time_s, prior : ndarray [shape=(n, m)]
            Moments, and how likely they are without the others.
        """
        rest_s, others = _by_others(self.group, self.weight, self.anchor_s, len(self.moment_lag_ms))
        have = others[which] > 0
        off_ms = 1000.0 * (time_s - rest_s[which][:, None]) - self.lag_ms[which][:, None]
        scale = np.sqrt(self.loose_ms[which] ** 2 + 0.25 / np.maximum(others[which], 1e-6))
        scale = np.minimum(scale, 20.0)
        near = spread_kernel(off_ms / scale[:, None], 1.0) / scale[:, None]
        return np.where(have[:, None], _STILL * prior + (1.0 - _STILL) * near, prior)


def _places(group: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Return of each note whether it is alone (0), or the top (1), the lowest (2) or between (3) in its moment."""
    top = np.full(int(group[-1]) + 1, -np.inf)
    low = np.full(len(top), np.inf)
    np.maximum.at(top, group, height)
    np.minimum.at(low, group, height)
    is_top, is_low = height == top[group], height == low[group]
    return np.where(is_top & is_low, 0, np.where(is_top, 1, np.where(is_low, 2, 3)))


def _by_others(group: np.ndarray, weight: np.ndarray, value: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of the other notes of each note's moment, and their weight; 0 where there are none."""
    total = np.bincount(group, weight, groups)[group] - weight
    sums = np.bincount(group, weight * value, groups)[group] - weight * value
    total = np.where(total > 1e-9, total, 0.0)
    return np.where(total > 0, sums / np.maximum(total, 1e-9), 0.0), total
