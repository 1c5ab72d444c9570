"""Foreruns of onsets: what is heard some milliseconds before a sound begins, and is not yet the sound.

Conventions
-----------
A lossy codec spreads an attack over the frame before it, a room or a key's noise may do alike: an onset is then found
at a soft hiss, and the stroke comes 8 to 32 ms later. Against another recording that can be told: the same event does
not begin twice there. The step is how far the power of the wave's difference (which attacks are rich in) after a
moment stands above that of all since the onset, both less what sounded before, dB. What stands out so is placed anew.

References
----------
Painter and Spanias 2000, Perceptual coding of digital audio, Proc. IEEE 88, 451-513, section II-G (pre-echo).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# From here on a step is no mere growing of a sound, nor a loud note after a soft one of its chord, dB.
LEAST_DB = 11.0
# Cells of 1 ms before the onset and after it, when the second beginning may come, and what its power is taken of.
_BEFORE, _AFTER, _EARLIEST, _LATEST, _SPAN = 20, 44, 8, 32, 6
# Steps that both sides have, this much alike (ms), are in the music.
_ALIKE_MS = 6.0


@dataclass(frozen=True, eq=False)
class Second:
    """A second beginning after each onset.

    Parameters
    ----------
    step_db : ndarray [shape=(n,)], dB
    onset_s : ndarray [shape=(n,)], seconds
        NaN where the step is less than `LEAST_DB`.
    uncertainty_ms : ndarray [shape=(n,)], milliseconds
        Half width of its 90 % interval.
    """

    step_db: np.ndarray
    onset_s: np.ndarray
    uncertainty_ms: np.ndarray

    @classmethod
    def none(cls, count: int) -> Second:
        """Return that there is none after any of so many onsets."""
        return cls(np.full(count, -np.inf), np.full(count, np.nan), np.full(count, np.nan))

    def rows(self, which: np.ndarray) -> Second:
        """Return some of the onsets'."""
        return Second(self.step_db[which], self.onset_s[which], self.uncertainty_ms[which])


def second_beginnings(x: np.ndarray, places: np.ndarray, rate: float) -> Second:
    """Find what begins anew just after some onsets.

    Parameters
    ----------
    x : ndarray of float64 [shape=(frames,)]
    places : ndarray of int64 [shape=(n,)], samples
        Rising.
    rate : float, Hz

    Returns
    -------
    Second
        Its times count from the first sample of ``x``.
    """
    from .onset_places import place_onsets

    out = Second.none(len(places))
    step_db, after = _steps(_powers(x, places, rate))
    out.step_db[:] = step_db
    rows = np.flatnonzero(step_db >= LEAST_DB)
    if len(rows):
        later = places[rows] + np.round(after[rows] * rate / 1000).astype(np.int64)
        both = np.unique(np.concatenate([places[rows], later]))
        placed = place_onsets(x, both, rate)
        at = np.searchsorted(both, later)
        out.onset_s[rows] = placed.onset[at] / rate
        out.uncertainty_ms[rows] = 1000 * placed.half_width[at] / rate
    return out


def _powers(x: np.ndarray, places: np.ndarray, rate: float) -> np.ndarray:
    """Return the power of the difference in cells of 1 ms around some places [shape=(n, cells)]."""
    cell = max(round(0.001 * rate), 1)
    size = (_BEFORE + _AFTER) * cell
    out = np.zeros((len(places), _BEFORE + _AFTER))
    for row, begin in enumerate((places - _BEFORE * cell).tolist()):
        low, high = max(begin, 1), min(begin + size, len(x))
        if high > low:
            stretch = np.zeros(size)
            stretch[low - begin : high - begin] = np.diff(x[low - 1 : high])
            out[row] = (stretch.reshape(-1, cell) ** 2).mean(1)
    return out


def _steps(power: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest step after each onset, dB, and when it comes, ms."""
    # The last cells before the onset may hold its own first rise.
    before = power[:, : _BEFORE - 2].mean(1, keepdims=True)
    over = np.maximum(power[:, _BEFORE:] - before, 1e-15 + 1e-3 * before)
    sums = np.cumsum(np.concatenate([np.zeros((len(over), 1)), over], axis=1), axis=1)
    at = np.arange(_EARLIEST, _LATEST + 1)
    risen = (sums[:, at + _SPAN] - sums[:, at]) / _SPAN
    since = sums[:, at - 1] / (at - 1)
    step_db = 10 * np.log10(risen / since)
    best = step_db.argmax(1)
    return step_db[np.arange(len(power)), best], at[best].astype(np.float64)


def foreruns(own_s: np.ndarray, own: Second, other_s: np.ndarray, other: Second) -> np.ndarray:
    """Tell which onsets of some pairs are foreruns: followed by a step that the other side has not.

    Parameters
    ----------
    own_s, other_s : ndarray [shape=(n,)], seconds
        Both sides' onsets.
    own, other : Second

    Returns
    -------
    ndarray of bool [shape=(n,)]
    """
    steps = np.isfinite(own.onset_s)
    gap_ms, other_ms = 1000 * (own.onset_s - own_s), 1000 * (other.onset_s - other_s)
    shared = np.isfinite(other_ms) & (np.abs(gap_ms - other_ms) < _ALIKE_MS)
    return steps & ~shared
