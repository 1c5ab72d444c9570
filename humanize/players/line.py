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
# A note is written until the next moment when it ends within so much of the way there.
_LEADS = 0.12
_LEAST_WAY = 0.5
_ENTRY_REST_S = 0.2


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


def swing(part: Part, figures: Mapping[str, Any] | None, dice: Dice) -> np.ndarray:
    """Return how much later the written straight off-beats of a part come.

    Parameters
    ----------
    part : Part
    figures : mapping or None
        ``tempo_bpm`` and ``share``, lists of one length; ``between_takes``, the sd of what a whole take adds.
    dice : Dice

    Returns
    -------
    ndarray [shape=(n,)], ms

    Notes
    -----
    A beat swings whose notes stand on it and in its middle alone: sixteenths and triplets are played as written.
    """
    late = np.zeros(len(part))
    if not figures or not len(part):
        return late
    own = float(figures.get("between_takes") or 0.0) * dice.normal(1, "timing", "swing")[0]
    share = float(np.clip(swing_share(figures, part.tempo_bpm) + own, *_SHARES))
    whole = np.floor(part.beat + _NEAR_BEAT)
    inside = part.beat - whole
    off = np.abs(inside - 0.5) < _NEAR_BEAT
    alien = ~off & (inside > _NEAR_BEAT)
    number = (whole - whole.min()).astype(np.int64)
    off &= (np.bincount(number, alien) == 0)[number]
    late[off] = 60_000.0 / part.tempo_bpm * (share - 0.5)
    return late


def connected(part: Part, timing_ms: np.ndarray) -> np.ndarray:
    """Return how much longer notes are held because the note that they lead to comes later, or they themselves earlier.

    Parameters
    ----------
    part : Part
    timing_ms : ndarray [shape=(n,)], ms

    Returns
    -------
    ndarray [shape=(n,)], log2
        Of notes written until the next moment; 0 for others.
    """
    first = part.group_first
    if len(first) < 2:
        return np.zeros(len(part))
    late_s = part.group_mean(timing_ms)[first] / 1000.0
    at_s = np.minimum.reduceat(part.onset_s, first)
    written_s = np.append(np.diff(at_s), np.inf)[part.group]
    change_s = np.append(np.diff(late_s), 0.0)[part.group]
    leads = np.abs(part.onset_s + part.duration_s - np.append(at_s[1:], np.inf)[part.group]) < _LEADS * written_s
    # A note is never squeezed to less than a quarter, however early the next one comes.
    longer = np.log2(np.maximum(1.0 + change_s / written_s, 0.25))
    return np.where(leads, np.round(longer, 9), 0.0)


def motor_sizes(part: Part, figures: Mapping[str, Any] | None, otherwise_ms: float) -> np.ndarray:
    """Return the sd of each moment's own unevenness, which grows with the time around it.

    Parameters
    ----------
    part : Part
    figures : mapping or None
        ``gap_s`` and ``sd_ms``, lists of one length: between these it is interpolated, beyond them it stays.
    otherwise_ms : float
        Where there are no figures.

    Returns
    -------
    ndarray [shape=(m,)], ms, of each moment

    References
    ----------
    Repp 1997, Psychological Research 59 and others: the sd of intervals grows with them.
    """
    first = part.group_first
    if not figures or len(first) < 2:
        return np.full(len(first), otherwise_ms)
    gap_s = np.diff(np.minimum.reduceat(part.onset_s, first))
    shorter_s = np.minimum(np.append(np.inf, gap_s), np.append(gap_s, np.inf))
    return np.interp(np.log(np.maximum(shorter_s, 1e-3)), np.log(figures["gap_s"]), figures["sd_ms"])


def in_turn(part: Part, timing_ms: np.ndarray) -> np.ndarray:
    """Return the timing with moments that keep their turn: none nearer to the one before than a share of the way.

    Parameters
    ----------
    part : Part
    timing_ms : ndarray [shape=(n,)], ms

    Returns
    -------
    ndarray [shape=(n,)], ms
    """
    first = part.group_first
    at_ms = 1000.0 * np.minimum.reduceat(part.onset_s, first)
    middle = part.group_mean(timing_ms)[first]
    # Played a share of every way further on, the moments must not fall back: the running maximum sees to it.
    least = at_ms * (1.0 - _LEAST_WAY) + middle
    kept = np.maximum.accumulate(least) - at_ms * (1.0 - _LEAST_WAY)
    return timing_ms + (kept - middle)[part.group]


def contrast(part: Part, figures: Mapping[str, Any] | None) -> np.ndarray:
    """Return how players soften the contrast of long and short, and how late they enter.

    Parameters
    ----------
    part : Part
    figures : mapping or None
        ``softened``: the share of half the difference of the times before and behind a note that it moves to the longer
        side by, for differences up to ``upto_s``. ``entry_ms``: how much later notes after a rest come.

    Returns
    -------
    ndarray [shape=(n,)], ms
    """
    first = part.group_first
    if not figures or len(first) < 3:
        return np.zeros(len(part))
    at_s = np.minimum.reduceat(part.onset_s, first)
    end_s = np.maximum.accumulate(np.maximum.reduceat(part.onset_s + part.duration_s, first))
    gap_s = np.diff(at_s)
    entry = np.append(True, at_s[1:] - end_s[:-1] >= _ENTRY_REST_S)
    half_s = np.zeros(len(first))
    half_s[1:-1] = 0.5 * (gap_s[:-1] - gap_s[1:])
    # Across a rest there is nothing to compare.
    half_s[entry | np.append(entry[1:], True)] = 0.0
    limit_s = 0.5 * float(figures["upto_s"])
    late_ms = -1000.0 * float(figures["softened"]) * np.clip(half_s, -limit_s, limit_s)
    return (late_ms + np.where(entry, float(figures["entry_ms"]), 0.0))[part.group]
