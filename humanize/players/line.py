"""What the notes of a line tell of each other: how long each is held, and where its off-beats swing to.

Conventions
-----------
Articulation is log2 of the held length over the written one. A row of the table of lengths holds for the notes of a
voice (``"*"``: of all) that are written up to ``upto_s`` long and followed by a note ``step`` away: the same pitch
(``repeat``), one or two semitones (``step``), three or four (``skip``), more (``leap``), ``"*"`` for any; its quantiles
are those of what players do there. Swing is the share of a beat that passes before its off-beat, by tempo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.randomness import normal_quantile
from .part import Dice, Part

STEPS = ("repeat", "step", "skip", "leap")
_STEP_EDGES = (0.5, 2.5, 4.5)
# An off-beat stands within so much of a beat of its middle, and beside nothing but the beat.
_NEAR_BEAT = 0.02
_SHARES = (0.5, 0.72)


def step_of(semitones: np.ndarray) -> np.ndarray:
    """Return the kind of each step between two notes, an index into ``STEPS``.

    Examples
    --------
    >>> [STEPS[i] for i in step_of([0.0, -2.0, 3.0, 12.0])]
    ['repeat', 'step', 'skip', 'leap']
    """
    return np.searchsorted(_STEP_EDGES, np.abs(np.asarray(semitones, dtype=np.float64)))


def followers(group: np.ndarray, onset_s: np.ndarray, pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per note (seconds until the next moment, semitones to the nearest note of it).

    Parameters
    ----------
    group : ndarray of int [shape=(n,)]
        Numbers of the moments, rising from 0.
    onset_s, pitch : ndarray [shape=(n,)]

    Returns
    -------
    gap_s : ndarray [shape=(n,)], inf after the last moment
    semitones : ndarray [shape=(n,)], from 0 on; 0 after the last moment
    """
    n = int(group[-1]) + 1 if len(group) else 0
    first = np.flatnonzero(np.diff(group, prepend=-1))
    at_s = np.minimum.reduceat(onset_s, first) if n else np.zeros(0)
    gap_s = np.append(np.diff(at_s), np.inf)[group] if n else np.zeros(0)
    pitch = np.nan_to_num(pitch)
    # Each moment's pitches in order on one axis, moment by moment: the nearest is beside the place it would have.
    axis = np.sort(group * 1000.0 + pitch)
    wanted = (group + 1) * 1000.0 + pitch
    place = np.searchsorted(axis, wanted)
    apart = np.full(len(group), np.inf)
    for side in (place - 1, place):
        there = (side >= 0) & (side < len(axis))
        value = axis[np.clip(side, 0, max(len(axis) - 1, 0))] if len(axis) else axis
        there &= np.floor(value / 1000.0) == group + 1
        apart = np.where(there, np.minimum(apart, np.abs(value - wanted)), apart)
    return gap_s, np.where(np.isfinite(apart), apart, 0.0)


def lengths(part: Part, figures: Mapping[str, Any], dice: Dice) -> np.ndarray:
    """Return how long each note is held, drawn from the table of lengths.

    Parameters
    ----------
    part : Part
    figures : mapping
        ``table``, ``quantile_levels``, ``lag1``, and ``between_takes``, the sd of what a whole take adds.
    dice : Dice

    Returns
    -------
    ndarray [shape=(n,)], log2
    """
    from ...core.kernels.linked_memory import linked_memory

    n = int(part.group.max()) + 1
    memory = np.full(n, min(max(2.0 * float(figures["lag1"]), -0.9), 0.9))
    hand = linked_memory(dice.normal(n, "articulation", "chord"), np.arange(-1, n - 1), memory)
    finger = dice.normal(len(part), "articulation", "finger")
    single = np.bincount(part.group)[part.group] == 1
    # A lone note's finger is the hand; in a chord half of the spread is each finger's own.
    unit = np.where(single, hand[part.group], np.sqrt(0.5) * (hand[part.group] + finger))
    _, semitones = followers(part.group, part.onset_s, part.pitch)
    kind = step_of(semitones)
    knots = normal_quantile(np.asarray(figures["quantile_levels"], dtype=np.float64))
    rows = _rows_for(figures["table"], part.voices.text, part.duration_s, kind)
    out = np.zeros(len(part))
    for i, row in enumerate(figures["table"]):
        mine = rows == i
        out[mine] = np.interp(unit[mine], knots, row["quantiles"])
    whole = float(figures.get("between_takes") or 0.0) * dice.normal(1, "articulation", "take")[0]
    # A player who holds all notes shorter does so; beyond what was ever heard nobody holds them longer.
    longest = max((float(row["quantiles"][-1]) for row in figures["table"]), default=0.0)
    return np.minimum(out + whole, longest)


def _rows_for(
    table: Sequence[Mapping[str, Any]], voice: np.ndarray, written_s: np.ndarray, kind: np.ndarray
) -> np.ndarray:
    """Return each note's row of the table: of its voice and step, with the least ``upto_s`` that it fits into."""
    out = np.full(len(voice), -1, dtype=np.int64)
    fit = np.full(len(voice), np.inf)
    for i, row in enumerate(table):
        upto_s = np.inf if row["upto_s"] is None else float(row["upto_s"])
        mine = written_s <= upto_s
        mine &= (row["voice"] == "*") | (voice == row["voice"])
        if row["step"] != "*":
            mine &= kind == STEPS.index(row["step"])
        # A row for this very voice and step goes before one for all.
        strange = 1e6 * ((row["voice"] == "*") + (row["step"] == "*"))
        key = min(upto_s, 1e5) + strange
        mine &= key < fit
        out[mine], fit[mine] = i, key
    return out


def swing_share(figures: Mapping[str, Any], tempo_bpm: float) -> float:
    """Return the share of a beat that passes before its off-beat at a tempo."""
    return float(np.interp(tempo_bpm, figures["tempo_bpm"], figures["share"]))


def swing(part: Part, figures: Mapping[str, Any] | None, dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Return how the written straight eighths of a part swing.

    Parameters
    ----------
    part : Part
    figures : mapping or None
        ``tempo_bpm`` and ``share``, lists of one length; ``between_takes``, the sd of what a whole take adds.
    dice : Dice

    Returns
    -------
    late_ms : ndarray [shape=(n,)], ms, what off-beats are late by
    held_log2 : ndarray [shape=(n,)]
        A note that leads up to a late off-beat is held until it, the off-beat itself ends where it is written.

    Notes
    -----
    A beat swings whose notes stand on it and in its middle alone: sixteenths and triplets are played as written.
    """
    late, held = np.zeros(len(part)), np.zeros(len(part))
    if not figures or not len(part):
        return late, held
    own = float(figures.get("between_takes") or 0.0) * dice.normal(1, "timing", "swing")[0]
    share = float(np.clip(swing_share(figures, part.tempo_bpm) + own, *_SHARES))
    whole = np.floor(part.beat + _NEAR_BEAT)
    inside = part.beat - whole
    off = np.abs(inside - 0.5) < _NEAR_BEAT
    alien = ~off & (inside > _NEAR_BEAT)
    number = (whole - whole.min()).astype(np.int64)
    off &= (np.bincount(number, alien) == 0)[number]
    step_beat = share - 0.5
    late[off] = 60_000.0 / part.tempo_bpm * step_beat
    end = part.beat + np.nan_to_num(part.duration_beat)
    swung = np.zeros(int(number.max()) + 2, dtype=bool)
    swung[number[off]] = True
    end_whole = np.clip(np.floor(end + _NEAR_BEAT) - whole.min(), 0, len(swung) - 1).astype(np.int64)
    into = swung[end_whole] & (np.abs(end - np.floor(end + _NEAR_BEAT) - 0.5) < 0.15) & ~off
    length = np.maximum(np.nan_to_num(part.duration_beat), 1e-3)
    change = np.where(into, step_beat, 0.0) - np.where(off & (length > 2.0 * step_beat), step_beat, 0.0)
    held = np.log2(np.maximum(length + change, 0.25 * length) / length)
    return late, np.round(held, 9)
