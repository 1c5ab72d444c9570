"""Where a note stands: its cell in the bar, the notes that sound with it, the hit it decorates.

Conventions
-----------
A cell is a place in the bar, counted in twelfths of a beat from the bar line: straight sixteenths fall on 0, 3, 6, 9
and triplets on 4, 8 of each beat; anything else is counted to the nearest of these. A group is a set of notes written
at one moment and played by one player. A cluster is a hit with its flam or roll, which move as one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .timeline import Metre

TWELFTHS = 12
# The middle between neighbouring allowed twelfths 0 3 4 6 8 9 (12) decides.
_EDGES = np.array([1.5, 3.5, 5.0, 7.0, 8.5, 10.5])
_ALLOWED = np.array([0, 3, 4, 6, 8, 9, 12])
VOICES = ("bass", "inner", "top")
# Written closer than this, notes count as one moment (a 64th triplet is 0.04 beats).
SAME_MOMENT_BEAT = 0.02
# Strokes of one instrument closer than this are one gesture: flams lie at 5 to 30 ms.
RIGID_S = 0.030
RIGID_BEAT = 1.0 / 24.0


def cells(beat: Any, metre: Metre) -> tuple[np.ndarray, np.ndarray]:
    """Return (bar, cell) of each beat position.

    Parameters
    ----------
    beat : array_like [shape=(n,)], beats
    metre : Metre

    Returns
    -------
    bar : ndarray of int64 [shape=(n,)], from 0
    cell : ndarray of int64 [shape=(n,)], twelfths of a beat since the bar line

    Examples
    --------
    >>> bar, cell = cells([0.0, 1.25, 4.66, 7.99], Metre())
    >>> bar.tolist(), cell.tolist()
    ([0, 0, 1, 2], [0, 15, 8, 0])
    """
    beat = np.asarray(beat, dtype=np.float64)
    whole = np.floor(beat)
    twelfth = _ALLOWED[np.searchsorted(_EDGES, (beat - whole) * TWELFTHS, side="right")]
    # Snap first, then ask for the bar: a note a hair before the bar line belongs to the next bar.
    bar, inside = metre.position(whole + twelfth / TWELFTHS)
    return bar, np.rint(inside * TWELFTHS).astype(np.int64)


def groups(beat: np.ndarray, player: np.ndarray) -> np.ndarray:
    """Return a group number per note: notes of one player written at one moment share it.

    Parameters
    ----------
    beat : ndarray [shape=(n,)], beats
    player : ndarray of int [shape=(n,)]

    Returns
    -------
    group : ndarray of int64 [shape=(n,)]
        Numbered from 0 in order of (player, beat).
    """
    if not len(beat):
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((beat, player))
    new = np.ones(len(beat), dtype=bool)
    new[1:] = (np.diff(player[order]) != 0) | (np.diff(beat[order]) > SAME_MOMENT_BEAT)
    out = np.empty(len(beat), dtype=np.int64)
    out[order] = np.cumsum(new) - 1
    return out


def leaders(beat: np.ndarray, onset_s: np.ndarray, velocity: np.ndarray, voice: np.ndarray) -> np.ndarray:
    """Return for each note the row of the note it moves with: the loudest of its cluster, often itself.

    Parameters
    ----------
    beat, onset_s, velocity : ndarray [shape=(n,)]
    voice : ndarray of int [shape=(n,)]
        Notes of one voice (an instrument of the kit) form clusters; others never do.

    Returns
    -------
    leader : ndarray of int64 [shape=(n,)], rows
    """
    n = len(beat)
    if not n:
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((onset_s, voice))
    close = (np.diff(onset_s[order]) < RIGID_S) | (np.diff(beat[order]) < RIGID_BEAT)
    new = np.ones(n, dtype=bool)
    new[1:] = (np.diff(voice[order]) != 0) | ~close
    cluster = np.empty(n, dtype=np.int64)
    cluster[order] = np.cumsum(new) - 1
    # The loudest leads; of equals the last one, as a grace stroke comes before its hit.
    rank = np.lexsort((onset_s, np.nan_to_num(velocity), cluster))
    last = np.append(np.diff(cluster[rank]) != 0, True)
    leader = np.empty(cluster.max() + 1, dtype=np.int64)
    leader[cluster[rank][last]] = rank[last]
    return leader[cluster]


def voices(pitch: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return each note's place in its group as an index into ``VOICES``; a lone note is on top."""
    out = np.full(len(pitch), VOICES.index("inner"), dtype=np.int64)
    if len(pitch):
        order = np.lexsort((np.nan_to_num(pitch), group))
        edge = np.diff(group[order]) != 0
        out[order[np.append(True, edge)]] = VOICES.index("bass")
        out[order[np.append(edge, True)]] = VOICES.index("top")
    return out


def ranks_from_top(pitch: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return each note's place in its group counted from the highest, 0 = top."""
    out = np.zeros(len(pitch), dtype=np.int64)
    if len(pitch):
        order = np.lexsort((-np.nan_to_num(pitch), group))
        start = np.append(True, np.diff(group[order]) != 0)
        first = np.maximum.accumulate(np.where(start, np.arange(len(pitch)), 0))
        out[order] = np.arange(len(pitch)) - first
    return out


def slot_means(values: np.ndarray, level: np.ndarray, slot: np.ndarray, weight: float) -> np.ndarray:
    """Return per note the mean of its slot, drawn towards the mean of its level where the slot holds few notes.

    Parameters
    ----------
    values : ndarray [shape=(n,)]
        NaN = not known; such notes count for nothing but get a mean.
    level, slot : ndarray of int [shape=(n,)]
        A slot (instrument and cell) lies inside a level (instrument).
    weight : float
        The level's mean counts as this many notes; the mean of all draws the level's the same way.

    Returns
    -------
    ndarray [shape=(n,)]; 0 where nothing is known at all

    References
    ----------
    Efron and Morris 1975, Data analysis using Stein's estimator, JASA 70 (partial pooling).
    """
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    whole = float(values[known].mean())
    _, level = np.unique(level, return_inverse=True)
    _, slot = np.unique(slot, return_inverse=True)
    v = np.where(known, values, 0.0)
    level_mean = (np.bincount(level, v) + weight * whole) / (np.bincount(level, known) + weight)
    total = np.bincount(slot, v)
    parent = np.zeros(len(total))
    parent[slot] = level_mean[level]
    return ((total + weight * parent) / (np.bincount(slot, known) + weight))[slot]


def previous_of(chain: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return for each note the row of the note before it in its chain, -1 for the first.

    Parameters
    ----------
    chain : ndarray of int [shape=(n,)]
    time : ndarray [shape=(n,)]
        Order inside a chain.
    """
    out = np.full(len(chain), -1, dtype=np.int64)
    order = np.lexsort((np.arange(len(chain)), time, chain))
    same = np.diff(chain[order]) == 0
    out[order[1:][same]] = order[:-1][same]
    return out


def phrase_arch(beat: np.ndarray, phrase_beats: float) -> np.ndarray:
    """Return an arch over each phrase: a parabola, slow at both ends, of zero mean and unit variance.

    References
    ----------
    Todd 1992, The dynamics of dynamics, JASA 91 (tempo arches over phrases).
    """
    x = np.mod(beat, phrase_beats) / phrase_beats * 2.0 - 1.0
    # 1/3 - x^2 has mean 0 and variance 4/45 over a phrase.
    return (1.0 / 3.0 - x**2) / np.sqrt(4.0 / 45.0)
