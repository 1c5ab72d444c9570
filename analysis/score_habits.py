"""What a player does with the notes of a chord, and where the top note that is heard puts the others.

Conventions
-----------
Times are seconds, lags milliseconds, late is positive. Notes of one written moment are the top one, the lowest and
those between. Pianists play the melody some 20 to 30 ms before the rest, or break chords from below. How the lowest
and the inner notes lie after the top one is learnt from the take: the distribution of their lags under which all that
was heard of them is likeliest (expectation and maximization), each note's evidence taken whole, so that those that
are hardly told apart count a little each. Where there is little to learn from it stays near what is usual.

References
----------
Goebl 2001, Melody lead in piano performance: expressive device or artifact?, J. Acoust. Soc. Am. 110, 563-572.
Dempster, Laird and Rubin 1977, Maximum likelihood from incomplete data via the EM algorithm, J. R. Stat. Soc. B 39.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .score_chain import spread_kernel

TOP, LOWEST, BETWEEN = 1, 2, 3
# A top note this sure, and within so much (ms), tells of the others.
_SURE, _CLOSELY_MS = 0.9, 8.0
# Lags that are looked at (ms), and their steps.
_FIRST_MS, _LAST_MS, _STEP_MS = -80.0, 120.0, 2.0
# What is usual: Laplace's of this scale, some of it anywhere; it counts as so many notes. Steps of the learning, and
# how smooth its answer is (ms).
_USUAL_MS, _ANYWHERE, _FEW, _STEPS, _SMOOTH_MS = 12.0, 0.2, 6.0, 12, 5.0
# How much of what is expected still comes from the chain of moments alone.
_STILL = 0.12


@dataclass(frozen=True, eq=False)
class Habit:
    """How notes lag behind the top one of their moment.

    Parameters
    ----------
    place : ndarray of int64 [shape=(n,)]
        `TOP`, `LOWEST` or `BETWEEN`; 0 for a note alone.
    lag_ms : ndarray [shape=(n,)], ms
        Mean lag of such a note.
    moment_lag_ms : ndarray [shape=(g,)], ms
        The mean of each moment's notes.
    top_s : ndarray [shape=(n,)], seconds
        When the top note of each note's moment begins; NaN where that is not sure, or the note is the top one.
    lags_ms : ndarray [shape=(m,)], ms
    density : ndarray [shape=(4, m)], per ms
        Of the lags, by place.
    """

    place: np.ndarray
    lag_ms: np.ndarray
    moment_lag_ms: np.ndarray
    top_s: np.ndarray
    lags_ms: np.ndarray
    density: np.ndarray

    @classmethod
    def of(
        cls, group: np.ndarray, height: np.ndarray, found: Mapping[str, np.ndarray], score: np.ndarray,
        begin_s: np.ndarray,
    ) -> Habit:  # fmt: skip
        """Learn from what was found.

        Parameters
        ----------
        group : ndarray of int64 [shape=(n,)]
            Every note's moment, in order.
        height : ndarray [shape=(n,)]
            Orders the notes of a moment.
        found : mapping
            ``onset_s``, ``onset_uncertainty_ms``, ``confidence``.
        score : ndarray [shape=(n, moments)]
            Logarithm of how likely each note begins at every millisecond, against not at all.
        begin_s : ndarray [shape=(n,)], seconds
            Of the first millisecond.
        """
        place = _places(group, height)
        doubt_ms = np.nan_to_num(found["onset_uncertainty_ms"], nan=1e3)
        sure = (place == TOP) & (found["confidence"] > _SURE) & (doubt_ms < _CLOSELY_MS)
        top_of = np.full(int(group[-1]) + 1, np.nan)
        top_of[group[sure]] = found["onset_s"][sure]
        top_s = np.where(place >= LOWEST, top_of[group], np.nan)
        lags_ms = np.arange(_FIRST_MS, _LAST_MS + 0.5 * _STEP_MS, _STEP_MS)
        usual = (1.0 - _ANYWHERE) * spread_kernel(lags_ms, _USUAL_MS) + _ANYWHERE / (_LAST_MS - _FIRST_MS)
        usual /= usual.sum()
        smooth = np.exp(-0.5 * (np.subtract.outer(lags_ms, lags_ms) / _SMOOTH_MS) ** 2)
        smooth /= smooth.sum(0, keepdims=True)
        density = np.tile(usual / _STEP_MS, (4, 1))
        mean = np.zeros(4)
        for kind in (LOWEST, BETWEEN):
            rows = np.flatnonzero((place == kind) & np.isfinite(top_s))
            if len(rows):
                share = _learnt(_said(score, begin_s, rows, top_s[rows], lags_ms), usual, smooth)
                density[kind], mean[kind] = share / _STEP_MS, float(share @ lags_ms)
        lag_ms = mean[place]
        sizes = np.maximum(np.bincount(group), 1)
        return cls(place, lag_ms, np.bincount(group, lag_ms) / sizes, top_s, lags_ms, density)

    def told(self, which: np.ndarray, time_s: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """Return how likely some notes begin at some times, by the top notes of their moments where these are sure.

        Parameters
        ----------
        which : ndarray of int64 [shape=(n,)]
        time_s, prior : ndarray [shape=(n, m)]
            Moments, and how likely they are without the top notes.
        """
        out = prior.copy()
        for kind in (LOWEST, BETWEEN):
            rows = np.flatnonzero((self.place[which] == kind) & np.isfinite(self.top_s[which]))
            if len(rows):
                off_ms = 1000.0 * (time_s[rows] - self.top_s[which[rows], None])
                near = np.interp(off_ms, self.lags_ms, self.density[kind], left=1e-5, right=1e-5)
                out[rows] = _STILL * prior[rows] + (1.0 - _STILL) * near
        return out


def _said(
    score: np.ndarray, begin_s: np.ndarray, rows: np.ndarray, top_s: np.ndarray, lags_ms: np.ndarray
) -> np.ndarray:
    """Return how likely each note begins at each lag [shape=(n, lags)], against all it could be."""
    at = np.round(1000.0 * (top_s - begin_s[rows])[:, None] + lags_ms[None, :]).astype(np.int64)
    inside = (at >= 0) & (at < score.shape[1])
    said = np.exp(np.clip(np.take_along_axis(score[rows], np.clip(at, 0, score.shape[1] - 1), 1), -30.0, 12.0))
    return np.where(inside, said, 1e-4).astype(np.float64)


def _learnt(said: np.ndarray, usual: np.ndarray, smooth: np.ndarray) -> np.ndarray:
    """Return the distribution of lags under which what was heard is likeliest; what is not heard says nothing."""
    share = usual.copy()
    for _ in range(_STEPS):
        each = said * share[None, :]
        total = each.sum(1, keepdims=True)
        # A note that may as well not have been played counts by how likely it was.
        each /= total + 0.05 / len(usual)
        share = smooth @ each.sum(0) + _FEW * usual
        share /= share.sum()
    return share


def _places(group: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Return of each note whether it is alone (0), or the top, the lowest or between in its moment."""
    top = np.full(int(group[-1]) + 1, -np.inf)
    low = np.full(len(top), np.inf)
    np.maximum.at(top, group, height)
    np.minimum.at(low, group, height)
    is_top, is_low = height == top[group], height == low[group]
    return np.where(is_top & is_low, 0, np.where(is_top, TOP, np.where(is_low, LOWEST, BETWEEN)))
