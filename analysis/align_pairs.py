"""Pair written and played notes pitch by pitch, near where each was due.

Conventions
-----------
``due_s`` is when each written note was due in this take, seconds. A *line* maps places of the score (beats, or seconds
of a free reference) to the take's seconds within one go.

Method
------
The path (``align_path``) says roughly when each position sounded. About that, written and played notes of each pitch
are paired in order at the least total cost (``core.kernels.late_matching``): a pair costs little near its due time and
the logarithm of its distance far from it, so that one late note is found and does not bend the others. The pairs give
better due times, and the pairing is done again. A position with few notes stands for itself only in part: a single
repeated note, put one too early, would confirm itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .align_path import Course, Positions

# A note's distance from its due time: usual, and farthest, in local beats and within bounds in seconds.
_SCALE_BEATS, _SCALE_S = 0.1, (0.03, 0.08)
_REACH_BEATS, _REACH_S = 1.2, (0.3, 1.5)
# Grace notes lie before or on their note, each about this far apart.
_GRACE_S, _GRACE_REACH_S = 0.08, 0.15
# A chord is rolled where this many notes spread so much (standard deviation) and rise with time (correlation).
_LEAST_ROLL, _ROLL_S, _ROLL_LIKENESS = 3, 0.06, 0.8
_PASSES = 2
# More positions than this, passed in less than this share of their time, were not played.
_LEAST_PASSED, _PASSED_SHARE = 4, 0.4
_BEAT_S = 0.5  # of a free reference


@dataclass(frozen=True)
class Due:
    """When each written note was due, and how far from it it may lie.

    Parameters
    ----------
    due_s, scale_s, reach_s : ndarray [shape=(n_score,)], seconds
    is_owned : ndarray of bool [shape=(n_score,)]
        Whether a go of the take plays this place.
    """

    due_s: np.ndarray
    scale_s: np.ndarray
    reach_s: np.ndarray
    is_owned: np.ndarray


def pair_along(
    positions: Positions,
    course: Course,
    keys: tuple[np.ndarray, np.ndarray],
    is_grace: np.ndarray,
    onset_s: np.ndarray,
) -> tuple[np.ndarray, Due]:
    """Pair the notes along a path.

    Returns
    -------
    take_row : ndarray of int [shape=(n_score,)]
    due : Due
    """
    first = course.is_written & (course.go >= 0) & (course.go == course.owner[course.position])
    time_s, count = _medians(course.position[first], onset_s[first], len(positions.at))
    owner = _widened(np.where(_passed_over(positions, course.owner, time_s), -1, course.owner))
    plays = (course.go < 0) | (course.go == course.owner[course.position])
    apart_s = _along_path(positions, course, keys, first, onset_s)
    due = _due(positions, owner, time_s, count, is_grace, apart_s)
    rows = np.flatnonzero(plays)
    take_row = pair_near(keys, due, onset_s, rows)
    for _ in range(_PASSES):
        got = np.flatnonzero(take_row >= 0)
        main = got if is_grace[got].all() else got[~is_grace[got]]
        time_s, count = _medians(positions.of_note[main], onset_s[take_row[main]], len(positions.at))
        due = _due(positions, owner, time_s, count, is_grace, apart_s)
        take_row = pair_near(keys, due, onset_s, rows)
    return take_row, due


def pair_near(keys: tuple[np.ndarray, np.ndarray], due: Due, onset_s: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Pair the owned written notes with the given played ones, pitch by pitch in order of time."""
    from ..core.kernels.late_matching import late_matching

    score_key, take_key = keys
    take_row = np.full(len(score_key), -1, dtype=np.int64)
    owned = np.flatnonzero(due.is_owned)
    if len(owned) == 0 or len(rows) == 0:
        return take_row
    score_order = owned[np.lexsort((due.due_s[owned], score_key[owned]))]
    take_order = rows[np.lexsort((onset_s[rows], take_key[rows]))]
    common, first = np.unique(score_key[score_order], return_index=True)
    last = np.append(first[1:], len(score_order))
    low = np.searchsorted(take_key[take_order], common, side="left")
    high = np.searchsorted(take_key[take_order], common, side="right")
    for a, b, c, d in zip(first.tolist(), last.tolist(), low.tolist(), high.tolist(), strict=True):
        if c == d:
            continue
        written, played = score_order[a:b], take_order[c:d]
        pair = late_matching(due.due_s[written], onset_s[played], due.scale_s[written], due.reach_s[written])
        got = pair >= 0
        take_row[written[got]] = played[pair[got]]
    return take_row


def _passed_over(positions: Positions, owner: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Tell which positions a go passes in so little time that none of them can have been played."""
    out = np.zeros(len(owner), dtype=bool)
    for number in np.unique(owner[owner >= 0]).tolist():
        knots = np.flatnonzero((owner == number) & np.isfinite(time_s))
        if len(knots) < 2:
            continue
        step_s, step = np.diff(time_s[knots]), np.diff(positions.at[knots])
        period = np.median(step_s / step)
        for k in np.flatnonzero((np.diff(knots) > _LEAST_PASSED) & (step_s < _PASSED_SHARE * period * step)).tolist():
            out[knots[k] + 1 : knots[k + 1]] = True
    return out


def _widened(owner: np.ndarray) -> np.ndarray:
    """Let each go have the two positions on either side that belong to no other."""
    out = owner.copy()
    for _ in range(2):
        for side in (1, -1):
            near = np.roll(out, side)
            near[0 if side == 1 else -1] = -1
            out = np.where(out < 0, near, out)
    return out


def _medians(index: np.ndarray, value: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the median value of each index (NaN for none) and how many there were."""
    out = np.full(n, np.nan)
    order = np.lexsort((value, index))
    count = np.bincount(index, minlength=n)
    first = np.cumsum(count) - count
    has = count > 0
    low, high = first[has] + (count[has] - 1) // 2, first[has] + count[has] // 2
    ordered = value[order]
    out[has] = 0.5 * (ordered[low] + ordered[high])
    return out, count


def _due(
    positions: Positions,
    owner: np.ndarray,
    time_s: np.ndarray,
    count: np.ndarray,
    is_grace: np.ndarray,
    apart_s: np.ndarray,
) -> Due:
    """Draw each go's line through its positions' times and read it at every written note."""
    n = len(positions.at)
    line_s, period_s = np.full(n, np.nan), np.full(n, _BEAT_S)
    for number in np.unique(owner[owner >= 0]).tolist():
        mine = np.flatnonzero(owner == number)
        knots = mine[np.isfinite(time_s[mine])]
        if len(knots):
            line_s[mine], period_s[mine] = _line(positions, mine, knots, time_s[knots], count[knots])
    is_owned = np.isfinite(line_s)
    line_s = _drawn_on(positions, line_s, period_s, is_owned)
    place = positions.of_note
    scale_s = np.clip(_SCALE_BEATS * period_s, *_SCALE_S)[place]
    reach_s = np.clip(_REACH_BEATS * period_s, *_REACH_S)[place]
    graces = np.bincount(place, weights=is_grace, minlength=n)[place]
    due_s = line_s[place] - np.where(is_grace, 0.5 * _GRACE_S * (1.0 + graces), 0.0)
    reach_s = reach_s + np.where(graces > 0, _GRACE_REACH_S * graces, 0.0)
    scale_s = scale_s + np.where(is_grace, 0.5 * _GRACE_S * graces, 0.0)
    due_s = np.where(np.isfinite(apart_s), apart_s, due_s)
    return Due(due_s, scale_s, reach_s, is_owned[place])


def _drawn_on(positions: Positions, line_s: np.ndarray, period_s: np.ndarray, is_owned: np.ndarray) -> np.ndarray:
    """Return times also for what no go plays: between two goes, at the start of the take, or after its end."""
    owned = np.flatnonzero(is_owned)
    if len(owned) == 0:
        return positions.at - positions.at[0]
    first, last, at = owned[0], owned[-1], positions.at
    beat = _BEAT_S if positions.is_free else 1.0
    out = np.interp(np.arange(len(at)), owned, line_s[owned])
    out[:first] = line_s[first] - (at[first] - at[:first]) * period_s[first] / beat
    out[last + 1 :] = line_s[last] + (at[last + 1 :] - at[last]) * period_s[last] / beat
    return out


def _line(
    positions: Positions, mine: np.ndarray, knots: np.ndarray, time_s: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return when each of a go's positions was due and the local beat, seconds."""
    at = positions.at
    span = 1.0 if positions.is_free else 2.0
    beat = _BEAT_S if positions.is_free else 1.0
    if len(knots) < 2:
        return time_s[0] + (at[mine] - at[knots[0]]) * _BEAT_S / beat, np.full(len(mine), _BEAT_S)
    between = _between(at[knots], time_s)
    own = count / (count + 1.0)
    line_s = np.maximum.accumulate(own * time_s + (1.0 - own) * between)
    x = at[knots]
    early, late = np.clip(at[mine] - span, x[0], x[-1]), np.clip(at[mine] + span, x[0], x[-1])
    wide = late - early
    mean = (line_s[-1] - line_s[0]) / (x[-1] - x[0])
    slope = np.where(
        wide > 1e-6, (np.interp(late, x, line_s) - np.interp(early, x, line_s)) / np.maximum(wide, 1e-6), mean
    )
    out = np.interp(at[mine], x, line_s)
    edge = min(8, len(x)) - 1
    before = (line_s[edge] - line_s[0]) / (x[edge] - x[0])
    after = (line_s[-1] - line_s[-1 - edge]) / (x[-1] - x[-1 - edge])
    out = np.where(at[mine] < x[0], line_s[0] + (at[mine] - x[0]) * before, out)
    out = np.where(at[mine] > x[-1], line_s[-1] + (at[mine] - x[-1]) * after, out)
    return out, np.maximum(slope * beat, 0.05)


def _between(at: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Return where each knot would lie on the line between its two neighbours; the ends stay."""
    out = time_s.copy()
    share = (at[1:-1] - at[:-2]) / (at[2:] - at[:-2])
    out[1:-1] = time_s[:-2] + share * (time_s[2:] - time_s[:-2])
    return out


def _along_path(
    positions: Positions, course: Course, keys: tuple[np.ndarray, np.ndarray], first: np.ndarray, onset_s: np.ndarray
) -> np.ndarray:
    """Return when the path came to each note of the chords that are rolled from below, else NaN."""
    n, base = len(positions.at), int(max(keys[0].max(), keys[1].max())) + 1
    rows = np.flatnonzero(first)
    if len(rows) == 0:
        return np.full(len(positions.of_note), np.nan)
    rows = rows[np.argsort(onset_s[rows], kind="stable")]
    place = course.position[rows]
    struck, index = np.unique(place * base + keys[1][rows], return_index=True)
    where, time_s, pitch = place[index], onset_s[rows[index]], keys[1][rows[index]].astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(where, weights=values, minlength=n) / np.maximum(count, 1)

    count = np.bincount(where, minlength=n)
    off_s, off = time_s - mean(time_s)[where], pitch - mean(pitch)[where]
    spread_s = np.sqrt(mean(off_s**2))
    likeness = mean(off_s * off) / np.maximum(spread_s * np.sqrt(mean(off**2)), 1e-9)
    rolled = (count >= _LEAST_ROLL) & (spread_s > _ROLL_S) & (likeness > _ROLL_LIKENESS)
    wanted = positions.of_note * base + keys[0]
    at = np.minimum(np.searchsorted(struck, wanted), len(struck) - 1)
    has = (struck[at] == wanted) & rolled[positions.of_note]
    return np.where(has, time_s[at], np.nan)
