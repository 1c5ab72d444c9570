"""Looking up onsets: what began in one recording and was not found in the other is looked for where it must be.

Conventions
-----------
Times are seconds. An onset without a partner has a due time on the other side, from the pairs around it. There, at
moments 5 ms apart, what begins is compared with what began on its own side (`analysis.onset_prints`); where it is as
like it as pairs of these two recordings are, and liker than anything else around, the onset is placed to its sample.
Otherwise it stays alone: one side plays what the other does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .listening import Chunk, listen
from .onset_prints import PrintListener

if TYPE_CHECKING:
    from .listening import Sound

# How far around the due time is looked, in what steps, and how far from any onset that is known, seconds.
_REACH_S, _STEP_S, _APART_S = 0.04, 0.005, 0.03
# Least strength of an onset that is looked for, and how far it must be from those that have a partner, seconds.
_STRONG, _ALONE_S = 3.0, 0.1
# Pairs no farther away than this tell when it is due, seconds.
_NEAR_S = 3.0
# What begins must be so many times what seems to begin at the ends of the reach, so that it does begin there.
_STANDS_OUT, _NEARLY = 1.6, 0.7


@dataclass(frozen=True, eq=False)
class LookedUp:
    """Onsets found by looking: row of the one looked for, its place on the other side, half width, and how sure."""

    row: np.ndarray
    onset_s: np.ndarray
    uncertainty_ms: np.ndarray
    confidence: np.ndarray

    @classmethod
    def nothing(cls) -> LookedUp:
        """Return that nothing was found."""
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))


def alone(onset_s: np.ndarray, strength: np.ndarray, paired: np.ndarray) -> np.ndarray:
    """Return the rows of sure onsets that have no partner, and none near that has one."""
    at = onset_s[paired]
    free = np.setdiff1d(np.flatnonzero(strength >= _STRONG), paired)
    return free[_distance(at, onset_s[free]) > _ALONE_S]


@dataclass(frozen=True, eq=False)
class Sought:
    """Onsets of one recording that are looked for in the other.

    Parameters
    ----------
    row : ndarray of int64 [shape=(k,)]
        Their names.
    due_s : ndarray [shape=(k,)], seconds of the recording that is looked in
        NaN: nowhere.
    prints : ndarray of float32 [shape=(k, bands)]
        What begins there.
    like : ndarray [shape=(k, 2)]
        Mean and standard deviation of the cosines of pairs in the part of the music that each is of.
    """

    row: np.ndarray
    due_s: np.ndarray
    prints: np.ndarray
    like: np.ndarray

    def rows(self, which: np.ndarray) -> Sought:
        """Return some of them."""
        return Sought(self.row[which], self.due_s[which], self.prints[which], self.like[which])


def due(
    onset_s: np.ndarray, part: np.ndarray, there_s: np.ndarray, here_s: np.ndarray, pairs_part: np.ndarray
) -> np.ndarray:
    """Return when onsets of one recording are due in the other, by the pairs around each in its own part.

    Parameters
    ----------
    onset_s : ndarray [shape=(k,)], seconds of the one recording
    part : ndarray of int64 [shape=(k,)]
    there_s, here_s : ndarray [shape=(n,)], seconds
        The pairs' onsets in the one and in the other.
    pairs_part : ndarray of int64 [shape=(n,)]

    Returns
    -------
    ndarray [shape=(k,)], seconds of the other; NaN where no pair is on either side or none is near
    """
    out = np.full(len(onset_s), np.nan)
    for number in np.unique(part):
        at, to = there_s[pairs_part == number], here_s[pairs_part == number]
        # Nothing is told between pairs that do not rise on both sides.
        keep = _rising(at) & _rising(to)
        at, to = at[keep], to[keep]
        rows = np.flatnonzero((part == number) & (_distance(at, onset_s) < _NEAR_S))
        if len(at) >= 2:
            out[rows] = np.interp(onset_s[rows], at, to, left=np.nan, right=np.nan)
    return out


def _rising(at_s: np.ndarray) -> np.ndarray:
    """Return which moments are later than all before them."""
    return at_s > np.concatenate([[-np.inf], np.maximum.accumulate(at_s)[:-1]])[: len(at_s)]


def look_up(sound: Sound, known_s: np.ndarray, sought: Sought, top_hz: float, cents: float) -> LookedUp:
    """Look in one recording for onsets of the other.

    Parameters
    ----------
    sound : Sound
        Where is looked.
    known_s : ndarray [shape=(m,)], seconds
        Its onsets, rising.
    sought : Sought
    top_hz, cents : float
        See `analysis.onset_prints`.

    Returns
    -------
    LookedUp
    """
    sought = sought.rows(np.flatnonzero(np.isfinite(sought.due_s)))
    if not len(sought.row):
        return LookedUp.nothing()
    steps = np.arange(-round(_REACH_S / _STEP_S), round(_REACH_S / _STEP_S) + 1) * _STEP_S
    at = (sought.due_s[:, None] + steps).ravel()
    free = (_distance(known_s, at) > _APART_S).reshape(-1, len(steps)).all(1)
    if not free.any():
        return LookedUp.nothing()
    sought, at = sought.rows(np.flatnonzero(free)), at.reshape(-1, len(steps))[free]
    following = np.concatenate([known_s, [np.inf]])[np.searchsorted(known_s, at.ravel())]
    listener = PrintListener(sound.rate, at.ravel(), at.ravel(), following, top_hz, cents, seconds=False)
    listen(sound, listener)
    cosine = np.einsum("kb,ksb->ks", sought.prints, listener.result().reshape(*at.shape, -1))
    # The windows of the print reach farther than a step: of the moments at which nearly all of it begins the likest.
    risen = cosine * listener.sizes().reshape(cosine.shape)
    best = np.where(risen >= _NEARLY * risen.max(1, keepdims=True), cosine, -1.0).argmax(1)
    ends = 0.5 * (risen[:, 0] + risen[:, -1])
    top, most = cosine[np.arange(len(best)), best], risen[np.arange(len(best)), best]
    mean, sd = sought.like.T
    keep = (top >= mean - sd) & (most >= _STANDS_OUT * ends)
    if not keep.any():
        return LookedUp.nothing()
    placing = PlaceListener(sound.rate, np.round(at[keep, best[keep]] * sound.rate).astype(np.int64))
    listen(sound, placing)
    sure = np.clip(1.0 - (mean - top)[keep] / (3 * sd[keep]), 0.5, 0.9)
    return LookedUp(sought.row[keep], placing.onset_s, placing.uncertainty_ms, sure)


class PlaceListener:
    """Places what begins near some moments, each to its sample.

    Parameters
    ----------
    rate : float, Hz
    places : ndarray of int64 [shape=(n,)], frames
    """

    def __init__(self, rate: float, places: np.ndarray) -> None:
        self._rate, self._places = rate, places
        self.onset_s = places / rate
        self.uncertainty_ms = np.full(len(places), 1000 * _STEP_S)

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        from .onset_places import place_onsets

        for row in np.flatnonzero((self._places >= chunk.begin) & (self._places < chunk.end)).tolist():
            placed = place_onsets(chunk.samples, self._places[row : row + 1] - chunk.first, self._rate)
            self.onset_s[row] = (placed.onset[0] + chunk.first) / self._rate
            self.uncertainty_ms[row] = 1000 * placed.half_width[0] / self._rate


def _distance(known_s: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    """Return how far each moment is from the nearest known one."""
    if not len(known_s):
        return np.full(at_s.shape, np.inf)
    right = np.searchsorted(known_s, at_s)
    before, after = known_s[np.maximum(right - 1, 0)], known_s[np.minimum(right, len(known_s) - 1)]
    return np.minimum(np.abs(at_s - before), np.abs(after - at_s))
