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


def look_up(
    sound: Sound,
    known_s: np.ndarray,
    rows: np.ndarray,
    onset_s: np.ndarray,
    prints: np.ndarray,
    pairs_s: tuple[np.ndarray, np.ndarray],
    like: tuple[float, float],
    top_hz: float,
    cents: float,
) -> LookedUp:
    """Look in one recording for onsets of the other.

    Parameters
    ----------
    sound : Sound
        Where is looked.
    known_s : ndarray [shape=(m,)], seconds
        Its onsets, rising.
    rows : ndarray of int64 [shape=(k,)]
        Names of those looked for.
    onset_s : ndarray [shape=(k,)], seconds of the other recording
    prints : ndarray of float32 [shape=(k, bands)]
        What begins there.
    pairs_s : (ndarray, ndarray) [shape=(n,)], seconds
        Of the pairs, in order: the other recording's time, and this one's.
    like : (float, float)
        Mean and standard deviation of the cosines of pairs.
    top_hz, cents : float
        See `analysis.onset_prints`.

    Returns
    -------
    LookedUp
    """
    there_s, here_s = pairs_s
    if not len(rows) or len(there_s) < 2:
        return LookedUp.nothing()
    inside = (onset_s > there_s[0]) & (onset_s < there_s[-1]) & (_distance(there_s, onset_s) < _NEAR_S)
    rows, onset_s, prints = rows[inside], onset_s[inside], prints[inside]
    due_s = np.interp(onset_s, there_s, here_s)
    steps = np.arange(-round(_REACH_S / _STEP_S), round(_REACH_S / _STEP_S) + 1) * _STEP_S
    at = (due_s[:, None] + steps).ravel()
    free = (_distance(known_s, at) > _APART_S).reshape(len(rows), len(steps)).all(1)
    if not free.any():
        return LookedUp.nothing()
    rows, prints, at = rows[free], prints[free], at.reshape(-1, len(steps))[free]
    following = np.concatenate([known_s, [np.inf]])[np.searchsorted(known_s, at.ravel())]
    listener = PrintListener(sound.rate, at.ravel(), at.ravel(), following, top_hz, cents, seconds=False)
    listen(sound, listener)
    cosine = np.einsum("kb,ksb->ks", prints, listener.result().reshape(len(rows), len(steps), -1))
    # The windows of the print reach farther than a step: of the moments at which nearly all of it begins the likest.
    risen = cosine * listener.sizes().reshape(cosine.shape)
    best = np.where(risen >= _NEARLY * risen.max(1, keepdims=True), cosine, -1.0).argmax(1)
    ends = 0.5 * (risen[:, 0] + risen[:, -1])
    top, most = cosine[np.arange(len(rows)), best], risen[np.arange(len(rows)), best]
    keep = (top >= like[0] - like[1]) & (most >= _STANDS_OUT * ends)
    if not keep.any():
        return LookedUp.nothing()
    placing = PlaceListener(sound.rate, np.round(at[keep, best[keep]] * sound.rate).astype(np.int64))
    listen(sound, placing)
    sure = np.clip(1.0 - (like[0] - top[keep]) / (3 * like[1]), 0.5, 0.9)
    return LookedUp(rows[keep], placing.onset_s, placing.uncertainty_ms, sure)


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
