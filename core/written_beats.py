"""What is written around each beat: what a pianist's tempo and level depend on, as numbers.

Conventions
-----------
A row a whole beat: what begins in it, before and after it. All lengths are in beats, so that the tempo that is played
does not enter; how long a beat is as a whole does, in one column. A *long* step takes at least twice what is usual
around it: a phrase often ends there.

References
----------
Cambouropoulos 2001, ICMC (boundaries where steps are longer than their neighbours). Todd 1985, Music Perception 3
(slowing grows with the depth of the boundary).
"""

from __future__ import annotations

import numpy as np

from .written_context import Written, strength_of

BEAT_NAMES = (
    "many_before", "many", "many_after", "step_before", "step", "step_after", "step_in_two", "to_long", "since_long",
    "rest_before", "rest", "rest_after", "bar_place", "strength", "bar_beats", "size", "size_after", "top",
    "top_slope", "top_slope_far", "leap", "register", "to_end", "from_start", "pace", "new_keys", "new_keys_after",
    "many_around", "lowest",
)  # fmt: skip
# Columns that make one beat like another, and how much a unit of each counts.
_LIKE = {
    "many": 0.5, "many_after": 0.3, "step": 0.5, "step_after": 0.5, "to_long": 0.15, "since_long": 0.1, "rest": 0.5,
    "strength": 0.15, "to_end": 0.3, "from_start": 0.2, "top_slope": 0.04,
}  # fmt: skip
N_BEAT_LIKE = len(_LIKE)
_FAR, _LONG_OCTAVES, _FARTHEST = 8, 1.0, 8.0


def whole_beats(written: Written) -> np.ndarray:
    """Return the whole beats from the one of the first note to the one in which the last note begins."""
    return np.arange(np.floor(written.beat[0] + 1e-6), np.floor(written.beat[-1] + 1e-6) + 1.0)


def beat_context(written: Written, beat: np.ndarray) -> np.ndarray:
    """Return what is written around each beat.

    Parameters
    ----------
    written : Written
    beat : ndarray [shape=(k,)], whole beats, rising

    Returns
    -------
    ndarray of float64 [shape=(k, len(BEAT_NAMES))], in steps of 1/1024
    """
    group = written.group
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(first, len(group)))
    at, top, lowest = written.beat[first], written.pitch[first + size - 1], written.pitch[first]
    # A note a hair before its beat, as some files have it, belongs to the beat.
    low, high = np.searchsorted(at, beat - 1e-3), np.searchsorted(at, beat + 1.0 - 1e-3)
    many = np.log2(1.0 + high - low)
    longest = _longest_step(at, low, high, beat)
    # Rounded before it is compared: logarithms differ in their last bit from machine to machine.
    relative = np.round((longest - _around(longest, _FAR)) * 1024.0) / 1024.0
    rest = _rests(written, first, at, beat)
    line = _mean_of(top, low, high)
    leap = np.abs(np.diff(top, prepend=top[:1]))
    new = _new_keys(written, first, size, low, high)
    chord = _mean_of(np.log2(size), low, high)
    is_long = relative >= _LONG_OCTAVES
    inside, bar_beats = _bars(written, first, at, beat)
    beat_s = np.log2(60.0 / float(np.median(written.bpm)))
    columns = (
        _shifted(many, -1), many, _shifted(many, 1),
        _shifted(relative, -1), relative, _shifted(relative, 1), _shifted(relative, 2),
        _steps_to(is_long), _steps_to(is_long[::-1])[::-1],
        _shifted(rest, -1), rest, _shifted(rest, 1),
        inside / bar_beats, strength_of(inside, bar_beats), bar_beats,
        chord, _shifted(chord, 1),
        np.clip(line - _around(line, _FAR), -24.0, 24.0),
        np.clip(_slope(line, 2), -24.0, 24.0), np.clip(_slope(line, 6), -24.0, 24.0),
        np.minimum(_most_of(leap, low, high), 24.0),
        _around(line, _FAR),
        np.log2(1.0 + np.clip(beat[-1] - beat, 0.0, 16.0)), np.log2(1.0 + np.clip(beat - beat[0], 0.0, 16.0)),
        np.full(len(beat), np.clip(beat_s, -3.0, 3.0)),
        new, _shifted(new, 1),
        many - _around(many, 4),
        _mean_of(lowest, low, high) - _around(_mean_of(lowest, low, high), _FAR),
    )  # fmt: skip
    told = np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1)
    # As of notes: logarithms differ in their last bit from machine to machine.
    return np.round(told * 1024.0) / 1024.0


def beat_likeness(context: np.ndarray) -> np.ndarray:
    """Return what makes one beat like another [shape=(k, N_BEAT_LIKE)]."""
    columns = np.array([BEAT_NAMES.index(name) for name in _LIKE])
    return context[:, columns] * np.array(list(_LIKE.values()))


def _shifted(values: np.ndarray, by: int) -> np.ndarray:
    """Return the value ``by`` rows on; at the ends that of the outermost row."""
    return values[np.clip(np.arange(len(values)) + by, 0, len(values) - 1)]


def _around(values: np.ndarray, reach: int) -> np.ndarray:
    total = np.append(0.0, np.cumsum(values))
    low = np.maximum(np.arange(len(values)) - reach, 0)
    high = np.minimum(np.arange(len(values)) + reach + 1, len(values))
    return (total[high] - total[low]) / (high - low)


def _slope(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the mean of the rows after less that of the rows before."""
    total = np.append(0.0, np.cumsum(values))
    row = np.arange(len(values))
    low, high = np.maximum(row - reach, 0), np.minimum(row + reach + 1, len(values))
    after = (total[high] - total[row]) / (high - row)
    before = (total[row + 1] - total[low]) / (row + 1 - low)
    return after - before


def _longest_step(at: np.ndarray, low: np.ndarray, high: np.ndarray, beat: np.ndarray) -> np.ndarray:
    """Return the longest step from moment to moment that sounds in each beat, log2 of beats."""
    step = np.log2(np.clip(np.append(np.diff(at), 1.0), 1 / 32, _FARTHEST))
    # The step that began before the beat sounds in it, unless a moment falls on the beat.
    held = np.where((low < len(at)) & (np.abs(at[np.minimum(low, len(at) - 1)] - beat) < 1e-3), low, low - 1)
    return _most_of(step, np.maximum(held, 0), np.maximum(high, np.maximum(held, 0) + 1))


def _most_of(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the largest value of each span of moments; of an empty one that of the moment before."""
    low = np.where(high > low, low, np.maximum(low - 1, 0))
    low = np.minimum(low, len(values) - 1)
    bounds = np.stack([low, np.minimum(np.maximum(high, low + 1), len(values))], axis=1).ravel()
    return np.maximum.reduceat(np.append(values, values[-1]), bounds)[::2]


def _mean_of(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the mean of each span of moments; of an empty one the value of the moment before."""
    total = np.append(0.0, np.cumsum(values))
    before = values[np.clip(low - 1, 0, len(values) - 1)]
    return np.where(high > low, (total[high] - total[low]) / np.maximum(high - low, 1), before)


def _rests(written: Written, first: np.ndarray, at: np.ndarray, beat: np.ndarray) -> np.ndarray:
    """Return the longest silence that begins in each beat, at most 2 beats."""
    until = np.maximum.accumulate(np.maximum.reduceat(written.beat + written.duration_beat, first))
    gap = np.clip(np.append(at[1:] - until[:-1], 0.0), 0.0, 2.0)
    out = np.zeros(len(beat))
    row = np.clip(np.searchsorted(beat, until + 1e-3, side="right") - 1, 0, len(beat) - 1)
    np.maximum.at(out, row, gap)
    return out


def _new_keys(written: Written, first: np.ndarray, size: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which share of a beat's pitch classes were not heard in the two beats before it."""
    code = np.zeros((len(first), 12))
    moment = np.repeat(np.arange(len(first)), size)
    code[moment, np.round(written.pitch).astype(np.int64) % 12] = 1.0
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(code, axis=0)])
    here = total[np.maximum(high, low)] - total[low] > 0.0
    earlier = low[np.maximum(np.arange(len(low)) - 2, 0)]
    heard = total[low] - total[earlier] > 0.0
    return (here & ~heard).sum(axis=1) / np.maximum(here.sum(axis=1), 1)


def _bars(written: Written, first: np.ndarray, at: np.ndarray, beat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each beat's place in its bar and the bar's length, as the last note before it or on it tells."""
    row = first[np.clip(np.searchsorted(at, beat + 1e-3, side="right") - 1, 0, len(first) - 1)]
    bar_beats = written.bar_beats[row]
    inside = np.mod(written.inside_bar[row] + beat - written.beat[row] + 1e-3, bar_beats) - 1e-3
    return np.maximum(np.round(inside * 48.0) / 48.0, 0.0), bar_beats


def _steps_to(flags: np.ndarray) -> np.ndarray:
    """Return how many rows on the next flag is, at most ``_FARTHEST``."""
    rows = np.flatnonzero(flags)
    nearest = np.searchsorted(rows, np.arange(len(flags)))
    there = np.append(rows, len(flags) + int(_FARTHEST))[nearest]
    return np.minimum(there - np.arange(len(flags)), _FARTHEST).astype(np.float64)
