"""What is written around each note of a chordal part: what a pianist's touch depends on, as numbers.

Conventions
-----------
Notes come in order of (position, pitch). A moment is the set of notes written at one time. Lengths of time enter as
log2 of seconds in the tempo that is played, so that a slow eighth and a fast quarter are alike. Nothing of a file
(ticks, names, written velocities) is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .metrical import groups

NAMES = (
    "step_before", "step_after", "step_ratio", "length", "length_to_step", "rest_after", "struck_again",
    "bar_place", "strength", "beat_place", "size", "from_top", "from_bass", "below_top", "above_bass", "pitch",
    "top_step_before", "top_step_after", "top_over_neighbours", "own_step_before", "density", "size_before",
    "size_after", "tempo", "tempo_slope", "level", "level_slope", "is_top", "is_bass", "moving_before",
    "length_log_beat",
)  # fmt: skip
# Columns that make one moment like another, and how much a unit of each counts.
_LIKE = {
    "step_before": 1.0, "step_after": 1.0, "length_to_step": 0.5, "rest_after": 0.5, "strength": 0.15, "size": 1.0,
    "top_step_before": 0.06, "top_step_after": 0.06, "top_over_neighbours": 0.04, "size_before": 0.3,
    "size_after": 0.3, "density": 0.3,
}  # fmt: skip
N_LIKE = len(_LIKE)
# Columns in which performances differ from each other: the middle and the spread that make them numbers around 0.
STYLE = {
    "is_top": (0.5, 0.5), "is_bass": (0.3, 0.5), "from_top": (1.0, 1.0), "step_before": (-1.5, 1.0),
    "step_after": (-1.5, 1.0), "length_to_step": (0.5, 1.0), "strength": (1.0, 1.5), "size": (0.8, 0.8),
    "pitch": (62.0, 10.0), "top_over_neighbours": (0.0, 4.0), "struck_again": (3.0, 1.5), "level_slope": (0.0, 5.0),
}  # fmt: skip
# Lengths of time beyond these are all the same to a hand.
_SHORTEST_S, _LONGEST_S = 1 / 64, 8.0
_NEAR_S = 1.0
_PACE_OCTAVES = 2.0


@dataclass(frozen=True, eq=False)
class Written:
    """A chordal part as written, with the tempo and the level at which it is played.

    Parameters
    ----------
    beat, duration_beat, pitch : ndarray [shape=(n,)], in order of (beat, pitch)
    onset_s : ndarray [shape=(n,)], seconds
        Where the tempo curve has each note.
    bpm : ndarray [shape=(n,)]
        The tempo there.
    inside_bar, bar_beats : ndarray [shape=(n,)], beats
        Place in the bar, and the bar's length.
    level : ndarray [shape=(n,)]
        The local level, velocity.
    """

    beat: np.ndarray
    duration_beat: np.ndarray
    pitch: np.ndarray
    onset_s: np.ndarray
    bpm: np.ndarray
    inside_bar: np.ndarray
    bar_beats: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.beat)

    @property
    def group(self) -> np.ndarray:
        """Number of each note's moment, from 0."""
        return groups(self.beat, np.zeros(len(self.beat), dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Links:
    """Which notes a note may take after, rows; -1 for none.

    Parameters
    ----------
    own, own_before : ndarray of int64 [shape=(n,)]
        The note before in its own line, and the one before that: of the last four moments the note nearest in pitch,
        two semitones further off for each moment in between, at most seven.
    above : ndarray of int64 [shape=(n,)]
        The next higher note of its moment.
    first, size : ndarray of int64 [shape=(m,)]
        Of each moment: its lowest note's row, how many it has.
    """

    own: np.ndarray
    own_before: np.ndarray
    above: np.ndarray
    first: np.ndarray
    size: np.ndarray


_LINE_MOMENTS, _LINE_STEP, _LINE_REACH = 4, 2.0, 7.0


def links_of(pitch: np.ndarray, group: np.ndarray) -> Links:
    """Return which notes each may take after.

    Parameters
    ----------
    pitch : ndarray [shape=(n,)]
    group : ndarray of int64 [shape=(n,)]
        Number of the moment, from 0; in a moment notes rise.
    """
    n = len(pitch)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(first, n))
    own, far = np.full(n, -1), np.full(n, _LINE_REACH + 1e-9)
    for back in range(1, _LINE_MOMENTS + 1):
        earlier = group - back
        begin, many = first[np.maximum(earlier, 0)], size[np.maximum(earlier, 0)]
        for k in range(int(size.max()) if n else 0):
            row = np.minimum(begin + k, n - 1)
            distance = np.abs(pitch - pitch[row]) + _LINE_STEP * (back - 1)
            nearer = (earlier >= 0) & (k < many) & (distance < far)
            own, far = np.where(nearer, row, own), np.where(nearer, distance, far)
    rank = np.arange(n) - first[group]
    above = np.where(rank < size[group] - 1, np.arange(n) + 1, -1)
    return Links(own, np.where(own >= 0, own[own], -1), above, first, size)


def _log_s(seconds: np.ndarray) -> np.ndarray:
    return np.log2(np.clip(seconds, _SHORTEST_S, _LONGEST_S))


def strength_of(inside: np.ndarray, bar_beats: np.ndarray) -> np.ndarray:
    """Return 4 on the bar line, 3 in its middle, 2 on a beat, 1 on a half, 0 elsewhere."""

    def on(place: np.ndarray) -> np.ndarray:
        return np.abs(place - np.round(place)) < 0.02

    out = np.zeros(len(inside))
    out[on(inside * 2.0)] = 1.0
    out[on(inside)] = 2.0
    out[on(2.0 * inside / bar_beats)] = 3.0
    out[on(inside / bar_beats)] = 4.0
    return out


def context_of(written: Written) -> np.ndarray:
    """Return what is written around each note.

    Parameters
    ----------
    written : Written

    Returns
    -------
    ndarray of float64 [shape=(n, len(NAMES))], in steps of 1/1024
    """
    n = len(written)
    group = written.group
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(first, n))
    last = first + size - 1
    at_s, pitch = written.onset_s[first], written.pitch
    step_s = np.diff(at_s)
    usual = float(np.median(step_s)) if len(step_s) else 0.5
    before, after = _log_s(np.append(usual, step_s)), _log_s(np.append(step_s, max(usual, 1.0)))
    top, bass = pitch[last], pitch[first]
    length_s = written.duration_beat * 60.0 / written.bpm
    held_until = written.onset_s + length_s
    next_s = np.append(at_s[1:], at_s[-1:] + usual)[group]
    again_s = _again(written, group)
    near = np.searchsorted(written.onset_s, written.onset_s + _NEAR_S) - np.searchsorted(
        written.onset_s, written.onset_s - _NEAR_S
    )
    tempo = np.log2(written.bpm / float(np.median(written.bpm)))
    ahead = np.interp(written.beat + 1.0, written.beat[first], tempo[first])
    behind = np.interp(written.beat - 1.0, written.beat[first], tempo[first])
    level_ahead = np.interp(written.onset_s + 1.0, at_s, written.level[first])
    level_behind = np.interp(written.onset_s - 1.0, at_s, written.level[first])
    top_mean = _around(top, 4)
    rank = np.arange(n) - first[group]
    columns = (
        before[group],
        after[group],
        (after - before)[group],
        _log_s(length_s),
        _log_s(length_s) - after[group],
        np.clip(next_s - held_until, -2.0, 2.0),
        np.clip(np.log2(np.maximum(again_s, 1e-3) / np.maximum(length_s, 1e-3)), -1.0, 4.0),
        written.inside_bar / written.bar_beats,
        strength_of(written.inside_bar, written.bar_beats),
        written.inside_bar - np.floor(written.inside_bar + 1e-6),
        np.log2(size)[group],
        np.minimum(size[group] - 1 - rank, 6.0),
        np.minimum(rank, 6.0),
        np.minimum(top[group] - pitch, 48.0),
        np.minimum(pitch - bass[group], 48.0),
        pitch,
        np.clip(np.diff(top, prepend=top[:1]), -24, 24)[group],
        np.clip(np.diff(top, append=top[-1:]), -24, 24)[group],
        (top - top_mean)[group],
        _own_step(pitch, group, first, size),
        np.log2(np.maximum(near, 1)),
        np.log2(np.append(size[:1], size[:-1]))[group],
        np.log2(np.append(size[1:], size[-1:]))[group],
        tempo,
        ahead - behind,
        written.level,
        level_ahead - level_behind,
        (rank == size[group] - 1).astype(float),
        ((rank == 0) & (size[group] > 1)).astype(float),
        (before - np.append(before[:1], before[:-1]))[group],
        np.log2(np.clip(written.duration_beat, 1 / 32, 16.0)),
    )
    told = np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1)
    # Logarithms differ in their last bit from machine to machine, and steady music repeats its numbers, so that a
    # table's question lies on one of them: a step of 1/1024 hides the bit.
    return np.round(told * 1024.0) / 1024.0


def _again(written: Written, group: np.ndarray) -> np.ndarray:
    """Return how long after each note its key is written again, seconds; long where it is not."""
    order = np.lexsort((group, written.pitch))
    out = np.full(len(written), 16.0)
    same = np.diff(written.pitch[order]) == 0
    out[order[:-1][same]] = np.diff(written.onset_s[order])[same]
    return out


def _around(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the mean over the neighbours up to ``reach`` places off."""
    total = np.append(0.0, np.cumsum(values))
    low = np.maximum(np.arange(len(values)) - reach, 0)
    high = np.minimum(np.arange(len(values)) + reach + 1, len(values))
    return (total[high] - total[low]) / (high - low)


def _own_step(pitch: np.ndarray, group: np.ndarray, first: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the step to each note from the nearest note of the moment before, semitones up."""
    out = np.zeros(len(pitch))
    earlier = np.maximum(group - 1, 0)
    begin, many = first[earlier], size[earlier]
    best = np.full(len(pitch), np.inf)
    for k in range(int(size.max()) if len(size) else 0):
        there = k < many
        step = pitch - pitch[np.minimum(begin + k, len(pitch) - 1)]
        nearer = there & (np.abs(step) < best)
        best = np.where(nearer, np.abs(step), best)
        out = np.where(nearer, step, out)
    return np.clip(np.where(group > 0, out, 0.0), -24.0, 24.0)


def likeness(context: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Return what each moment is like, given its highest note's row."""
    columns = np.array([NAMES.index(name) for name in _LIKE])
    return context[np.ix_(top, columns)] * np.array(list(_LIKE.values()))


def style_columns(context: np.ndarray) -> np.ndarray:
    """Return a column of ones and those of ``STYLE`` [shape=(n, 1 + len(STYLE))]."""
    columns = [NAMES.index(name) for name in STYLE]
    middle, size = np.array(list(STYLE.values())).T
    return np.column_stack([np.ones(len(context)), np.clip((context[:, columns] - middle) / size, -3.0, 3.0)])


def pace_of(context: np.ndarray, top: np.ndarray) -> float:
    """Return how long the steps of a piece are as a whole, log2 of seconds; ``top`` holds a row of each moment."""
    steps = context[np.ix_(top, np.array([NAMES.index("step_before"), NAMES.index("step_after")]))]
    return float(np.median(steps.mean(axis=1)))


def pace_factors(arrays: Mapping[str, np.ndarray], pace: float) -> np.ndarray:
    """Return how much larger each channel's deviations are at a pace than at the usual one [shape=(c,)].

    ``arrays["keys.pace"]`` holds the usual pace and each channel's slope.
    """
    middle, *slopes = arrays["keys.pace"].tolist()
    return 2.0 ** (np.array(slopes) * np.clip(pace - middle, -_PACE_OCTAVES, _PACE_OCTAVES))
