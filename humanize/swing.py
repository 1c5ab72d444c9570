"""Replacing the swing: written off-beats go where the asked ratio puts them.

Conventions
-----------
A pair is two eighths (one beat) or two sixteenths (half a beat), counted from the bar line. The ratio is the share of
the pair that passes before its off-beat: 0.5 straight, 2/3 triplets, 0.75 dotted. Positions are beats (quarter notes).

An off-beat is the one moment of its pair that is written between the middle and two thirds of it, straight or swung as
it may be. It stays where it is written when it is the last of three triplets, when two moments share that span, or when
a note of the same key would be in its way. Everything else of the pair (triplets, sixteenths, grace notes of the beat)
stays. A hit takes its flam or roll along, and a note that ends at an off-beat goes on to where that off-beat goes. In
6/8, 9/8 and 12/8 eighths do not come in pairs: there only sixteenths swing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.notes import Notes
from ..core.timeline import Metre, Timeline
from .players.part import Part
from .where import Places

# Of the pair's length: a moment counts as standing at a place that it is this near to.
_NEAR = 1.0 / 24.0
_MIDDLE, _THIRD, _TWO_THIRDS = 0.5, 1.0 / 3.0, 2.0 / 3.0


@dataclass(frozen=True, eq=False)
class Swung:
    """A score with its off-beats moved.

    Parameters
    ----------
    notes : Notes
        As they are played: positions and seconds moved, the rows those of the score.
    moved : ndarray of bool [shape=(n,)]
        Notes whose beginning moved.
    """

    notes: Notes
    moved: np.ndarray


def swing_replaced(
    notes: Notes,
    parts: Sequence[Part],
    places: Places,
    clock: Timeline,
    metre: Metre,
    *,
    ratio: float,
    unit: int,
    share: np.ndarray,
) -> Swung:
    """Move the written off-beats of a score to a ratio.

    Parameters
    ----------
    notes : Notes
    parts : list of Part
        Off-beats are looked for in each part by itself.
    places : Places
    clock : Timeline
    metre : Metre
    ratio : float
    unit : 8 or 16
    share : ndarray [shape=(n,)], 0 to 1
        How much of the way each note goes.

    Returns
    -------
    Swung
    """
    pair_beat = 1.0 if unit == 8 else 0.5
    onset, end = notes.onset_beat.copy(), notes.onset_beat + notes.duration_beat
    moved = np.zeros(len(notes), dtype=bool)
    for part in parts:
        rows = part.rows
        inside = places.since_bar_line[rows]
        pair = np.floor(inside / pair_beat + _NEAR)
        at = inside / pair_beat - pair
        if unit == 8:
            pair = np.where(_in_eighths(notes.onset_beat[rows], metre), -1.0, pair)
        number = places.bar[rows] * 4096 + pair.astype(np.int64)
        off, begins = _off_beats(number, at, np.nan_to_num(part.pitch, nan=-1.0), ratio)
        off &= pair >= 0
        # A billionth of a beat is what positions are known to: less is no move.
        step = np.round(np.where(off, share[rows] * (ratio - begins) * pair_beat, 0.0), 9) + 0.0
        moved[rows] = step != 0.0
        line = notes.onset_beat[rows] - at * pair_beat
        end[rows] = _ends(end[rows], notes.onset_beat[rows], step, line + pair_beat, pair_beat)
        onset[rows] += step
    length = np.where(np.isfinite(end), np.maximum(end - onset, 0.0), notes.duration_beat)
    still = (onset == notes.onset_beat) & (np.abs(length - notes.duration_beat) < 1e-9)
    length = np.where(still, notes.duration_beat, length)
    onset_s = notes.onset_s + np.where(moved, clock.seconds_at(onset) - clock.seconds_at(notes.onset_beat), 0.0)
    lasts_s = clock.seconds_at(onset + length) - clock.seconds_at(onset)
    duration_s = np.where(still | ~np.isfinite(length), notes.duration_s, lasts_s)
    return Swung(notes.replace(onset_beat=onset, duration_beat=length, onset_s=onset_s, duration_s=duration_s), moved)


def _off_beats(pair: np.ndarray, at: np.ndarray, key: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (which notes are off-beats to move, where their moment begins in the pair) of one part."""
    _, pair = np.unique(pair, return_inverse=True)
    n = int(pair.max()) + 1 if len(pair) else 0
    near_off = (at > _MIDDLE - _NEAR) & (at < _TWO_THIRDS + _NEAR)
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, pair[near_off], at[near_off])
    np.maximum.at(last, pair[near_off], at[near_off])
    third = np.zeros(n, dtype=bool)
    third[pair[np.abs(at - _THIRD) < _NEAR]] = True
    with np.errstate(invalid="ignore"):
        triplet = third & (np.abs(first - _TWO_THIRDS) < _NEAR)
        good = (last - first < _NEAR) & ~triplet
    begins = first[pair]
    off = near_off & good[pair]
    # Another note of the same key between here and there: then all notes of this moment stay.
    low, high = np.minimum(begins, ratio) - _NEAR, np.maximum(begins, ratio) + _NEAR
    between = ~off & (at > low) & (at < high) & good[pair]
    in_way = np.isin(pair * 256.0 + key, (pair * 256.0 + key)[between]) & off
    blocked = np.zeros(n, dtype=bool)
    blocked[pair[in_way]] = True
    off &= ~blocked[pair]
    return off, np.where(off, begins, 0.0)


def _ends(end: np.ndarray, onset: np.ndarray, step: np.ndarray, pair_end: np.ndarray, pair_beat: float) -> np.ndarray:
    """Return where notes end: with an off-beat that they lead to; a moved note not before it has sounded."""
    out = end.copy()
    near = _NEAR * pair_beat
    inside = (step != 0.0) & (end < pair_end - near)
    out[inside] = np.minimum(end[inside] + step[inside], pair_end[inside])
    moves = np.flatnonzero(step != 0.0)
    if not len(moves):
        return out
    order = moves[np.argsort(onset[moves], kind="stable")]
    at = onset[order]
    there = np.clip(np.searchsorted(at, end - near), 0, len(at) - 1)
    meets = (np.abs(end - at[there]) < near) & (onset < at[there] - near)
    out[meets] = end[meets] + step[order][there][meets]
    return out


def _in_eighths(beat: np.ndarray, metre: Metre) -> np.ndarray:
    """Tell which positions lie in bars that are counted in groups of three eighths."""
    starts = np.array([change[0] for change in metre.changes])
    threes = np.array([top % 3 == 0 and top > 3 and bottom >= 8 for _, top, bottom in metre.changes])
    return threes[np.clip(np.searchsorted(starts, beat + 1e-9, side="right") - 1, 0, len(starts) - 1)]
