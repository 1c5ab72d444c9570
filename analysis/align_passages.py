"""What an alignment leaves over, told as a musician would: passages, ornaments, wrong notes, and how sure each is.

Conventions
-----------
Rows are those of the score's and the take's ``Notes``; ``take_row`` is -1 for a written note that was not played.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.notes import Notes
from .align_pairs import Due
from .align_path import Course, Positions

# So many written notes at so many places, one after the other and none of them played, are passed over as a whole; two
# such runs with fewer places between them are one.
_LEAST_NOTES, _LEAST_PLACES = 8, 4
# A replay has more written notes than this share, by twice the spread of as many throws of a coin.
_CHANCE_SHARE = 0.5
# So many added notes in a row before the first or after the last match stand outside the piece.
_LEAST_OUTSIDE = 4
# Notes of a trill follow each other this closely, two neighbouring pitches in turn; so many are one.
_TRILL_GAP_S, _LEAST_TRILL, _LEAST_LONG_TRILL = 0.35, 3, 6
# A wrong note lies this near its due time, a semitone to a third or an octave away.
_WRONG_NOTE_S, _WRONG_INTERVALS = 0.15, (1, 2, 3, 4, 12)


@dataclass(frozen=True)
class Passage:
    """A stretch that is played a second time, passed over, or stands outside the piece.

    Parameters
    ----------
    kind : str
        ``"replayed"`` (played again later: a restart, or a repeat that is not written out; the later go holds the
        matches), ``"skipped"`` (written and passed over), ``"stopped"`` (the take ends before the score), ``"before"``
        or ``"after"`` (played outside the piece).
    start_s, end_s : float, seconds
        In the take, from the first onset to the last; of what was not played, when it was due.
    start_beat, end_beat : float, beats
        In the score, from the first onset to the last; NaN outside the piece.
    take_rows, score_rows : ndarray of int
        The insertions, or the deletions, that belong to it.
    """

    kind: str
    start_s: float
    end_s: float
    start_beat: float
    end_beat: float
    take_rows: np.ndarray
    score_rows: np.ndarray


def passages_of(
    positions: Positions, course: Course, take_row: np.ndarray, due: Due, score: Notes, onset_s: np.ndarray
) -> tuple[Passage, ...]:
    """Return the passages of an alignment in order of time."""
    found = [*_replayed(positions, course, take_row, score, onset_s), *_unplayed(positions, take_row, due, score)]
    found += _outside(take_row, onset_s, {int(row) for passage in found for row in passage.take_rows})
    return tuple(sorted(found, key=lambda passage: passage.start_s))


def _replayed(
    positions: Positions, course: Course, take_row: np.ndarray, score: Notes, onset_s: np.ndarray
) -> list[Passage]:
    """Return the stretches whose place in the score a later go plays again."""
    added = np.ones(len(onset_s), dtype=bool)
    added[take_row[take_row >= 0]] = False
    again = added & (course.go >= 0) & (course.go != course.owner[course.position])
    rows = np.flatnonzero(again)
    rows = rows[np.argsort(onset_s[rows], kind="stable")]
    first_beat = np.full(len(positions.at), np.inf)
    np.minimum.at(first_beat, positions.of_note, score.onset_beat)
    out = []
    for number in np.unique(course.go[rows]).tolist():
        mine = rows[course.go[rows] == number]
        written = mine[course.is_written[mine]]
        # Foreign music beside a go finds some notes in it by chance: a replay is written by far more than half.
        if len(written) < min(len(mine), _CHANCE_SHARE * len(mine) + np.sqrt(len(mine))):
            continue
        beats = first_beat[course.position[written]]
        times = onset_s[mine[0]], onset_s[mine[-1]]
        out.append(_passage("replayed", *times, beats.min(), beats.max(), mine, np.zeros(0, dtype=np.int64)))
    return out


def _unplayed(positions: Positions, take_row: np.ndarray, due: Due, score: Notes) -> list[Passage]:
    """Return the runs of places of which no note was played."""
    # Places where a pitch is written: of the others nothing says whether they were played.
    pitched = np.flatnonzero(np.isfinite(score.pitch))
    places, number = np.unique(positions.of_note[pitched], return_inverse=True)
    n = len(places)
    played = np.zeros(n, dtype=bool)
    played[number[take_row[pitched] >= 0]] = True
    edge = np.diff(np.r_[0, ~played, 0])
    nothing = np.zeros(0, dtype=np.int64)
    by_place = np.argsort(number, kind="stable")
    order, place = pitched[by_place], number[by_place]
    runs: list[list[int]] = []
    for first, end in zip(np.flatnonzero(edge == 1).tolist(), np.flatnonzero(edge == -1).tolist(), strict=True):
        size = np.searchsorted(place, end) - np.searchsorted(place, first)
        if size < _LEAST_NOTES or end - first < _LEAST_PLACES:
            continue
        if runs and first - runs[-1][1] < _LEAST_PLACES:
            runs[-1][1] = end
        else:
            runs.append([first, end])
    out = []
    for first, end in runs:
        rows = order[np.searchsorted(place, first) : np.searchsorted(place, end)]
        rows = rows[take_row[rows] < 0]
        kind = "stopped" if end == n else "skipped"
        beats, times = score.onset_beat[rows], due.due_s[rows]
        out.append(_passage(kind, times.min(), times.max(), beats.min(), beats.max(), nothing, np.sort(rows)))
    return out


def _outside(take_row: np.ndarray, onset_s: np.ndarray, told: set[int]) -> list[Passage]:
    """Return what is played before the first match and after the last."""
    got = take_row[take_row >= 0]
    if len(got) == 0:
        return []
    first_s, last_s = onset_s[got].min(), onset_s[got].max()
    nothing = np.zeros(0, dtype=np.int64)
    out = []
    for kind, beyond in (("before", onset_s < first_s), ("after", onset_s > last_s)):
        rows = np.array([row for row in np.flatnonzero(beyond).tolist() if row not in told], dtype=np.int64)
        if len(rows) >= _LEAST_OUTSIDE:
            out.append(_passage(kind, onset_s[rows].min(), onset_s[rows].max(), np.nan, np.nan, rows, nothing))
    return out


def _passage(
    kind: str,
    start_s: float,
    end_s: float,
    start_beat: float,
    end_beat: float,
    take_rows: np.ndarray,
    score_rows: np.ndarray,
) -> Passage:
    return Passage(kind, float(start_s), float(end_s), float(start_beat), float(end_beat), take_rows, score_rows)


def ornaments_of(take: Notes, take_row: np.ndarray) -> np.ndarray:
    """Name the added notes that shake a written one: two neighbouring pitches in quick turn, one of them matched.

    Returns
    -------
    ndarray of str [shape=(n_take,)]
        ``"trill"`` from six notes on, ``"mordent"`` of fewer, else "".
    """
    name = np.full(len(take), "", dtype="<U8")
    added = np.ones(len(take), dtype=bool)
    added[take_row[take_row >= 0]] = False
    pitch = np.where(np.isfinite(take.pitch), take.pitch, -99.0).astype(np.int64)
    onset_s = take.onset_s
    order = np.argsort(onset_s, kind="stable")
    by_pitch = {int(p): order[pitch[order] == p] for p in np.unique(pitch)}
    for row in np.flatnonzero(added & (take.channel != 9)).tolist():
        for step in (1, -1, 2, -2):
            other = by_pitch.get(int(pitch[row]) + step)
            if name[row] or other is None:
                continue
            chain = _shake(row, by_pitch[int(pitch[row])], other, onset_s)
            own = [member for member in chain if added[member]]
            if len(chain) >= _LEAST_TRILL and 2 <= len(own) < len(chain):
                name[own] = "trill" if len(chain) >= _LEAST_LONG_TRILL else "mordent"
    return name


def _shake(row: int, same: np.ndarray, other: np.ndarray, onset_s: np.ndarray) -> list[int]:
    """Return the longest run of two pitches in quick turn that a note is part of."""
    chain = [row]
    for side in (-1, 1):
        tables, at = (other, same), row
        for count in range(1, 10_000):
            table = tables[(count - 1) % 2]
            if side < 0:
                k = int(np.searchsorted(onset_s[table], onset_s[at], side="left")) - 1
            else:
                k = int(np.searchsorted(onset_s[table], onset_s[at], side="right"))
            if not 0 <= k < len(table) or abs(onset_s[table[k]] - onset_s[at]) > _TRILL_GAP_S:
                break
            at = int(table[k])
            chain.append(at)
    return chain


def wrong_notes(
    score: Notes, take: Notes, take_row: np.ndarray, due: Due, is_out: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Pair what is left over where a neighbour, a third or an octave was struck instead, nearest in time first.

    Parameters
    ----------
    score, take : Notes
    take_row : ndarray of int [shape=(n_score,)]
    due : Due
    is_out : (ndarray of bool [shape=(n_score,)], ndarray of bool [shape=(n_take,)])
        Notes of passages and ornaments, which are no wrong notes.

    Returns
    -------
    ndarray of int [shape=(k, 2)]
        Score and take rows.
    """
    added = ~is_out[1]
    added[take_row[take_row >= 0]] = False
    missed = np.flatnonzero((take_row < 0) & ~is_out[0] & np.isfinite(score.pitch))
    columns = np.flatnonzero(added & np.isfinite(take.pitch))
    columns = columns[np.argsort(take.onset_s[columns], kind="stable")]
    time_s = take.onset_s[columns]
    low = np.searchsorted(time_s, due.due_s[missed] - _WRONG_NOTE_S)
    high = np.searchsorted(time_s, due.due_s[missed] + _WRONG_NOTE_S)
    candidates = []
    for row, first, end in zip(missed.tolist(), low.tolist(), high.tolist(), strict=True):
        for column, at_s in zip(columns[first:end].tolist(), time_s[first:end].tolist(), strict=True):
            interval = abs(float(take.pitch[column] - score.pitch[row]))
            if interval in _WRONG_INTERVALS:
                candidates.append((abs(at_s - due.due_s[row]) / _WRONG_NOTE_S + interval / 12.0, row, column))
    used_written: set[int] = set()
    used_played: set[int] = set()
    wrong = []
    for _, row, column in sorted(candidates):
        if row not in used_written and column not in used_played:
            used_written.add(row)
            used_played.add(column)
            wrong.append((row, column))
    return np.array(sorted(wrong), dtype=np.int64).reshape(-1, 2)


def label_confidence(
    keys: tuple[np.ndarray, np.ndarray], take_row: np.ndarray, due: Due, onset_s: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how sure it is that a note was added, and that one was missed.

    A label is unsure where the other side has the same pitch left over not far away (the two may be one late note),
    or matched nearly as well (either may be the one): half sure where both fit alike, 1 where nothing is near. A
    missed note whose pitch is written twice at its place and played once says nothing: 0.

    Parameters
    ----------
    keys : (ndarray of int [shape=(n_score,)], ndarray of int [shape=(n_take,)])
    take_row : ndarray of int [shape=(n_score,)]
    due : Due
    onset_s : ndarray [shape=(n_take,)], seconds
    place : ndarray of int [shape=(n_score,)]
        Position of each written note.
    """
    inverse = np.full(len(onset_s), -1, dtype=np.int64)
    inverse[take_row[take_row >= 0]] = np.flatnonzero(take_row >= 0)
    written = {int(key): np.flatnonzero(keys[0] == key) for key in np.unique(keys[0])}
    played = {int(key): np.flatnonzero(keys[1] == key) for key in np.unique(keys[1])}
    nothing = np.zeros(0, dtype=np.int64)
    insertion = np.where(inverse < 0, 1.0, np.nan)
    for row in np.flatnonzero(inverse < 0).tolist():
        near = written.get(int(keys[1][row]), nothing)
        near = near[np.abs(due.due_s[near] - onset_s[row]) < 3.0 * due.reach_s[near]]
        if len(near):
            off_s = np.abs(due.due_s[near] - onset_s[row])
            has = take_row[near] >= 0
            held_s = np.where(has, np.abs(onset_s[take_row[near]] - due.due_s[near]), due.reach_s[near])
            worse = np.maximum(off_s - held_s, 0.0) / np.where(has, due.scale_s[near], due.reach_s[near])
            insertion[row] = 1.0 - 0.5 * float(np.exp(-worse.min()))
    deletion = np.where(take_row < 0, 1.0, np.nan)
    for row in np.flatnonzero(take_row < 0).tolist():
        twins = written[int(keys[0][row])]
        if keys[0][row] % TRACK >= UNPITCHED or ((place[twins] == place[row]) & (take_row[twins] >= 0)).any():
            deletion[row] = 0.0
            continue
        near = played.get(int(keys[0][row]), nothing)
        off_s = np.abs(onset_s[near] - due.due_s[row])
        near, off_s = near[off_s < 3.0 * due.reach_s[row]], off_s[off_s < 3.0 * due.reach_s[row]]
        if len(near):
            has = inverse[near] >= 0
            held_s = np.where(has, np.abs(onset_s[near] - due.due_s[inverse[near]]), due.reach_s[row])
            worse = np.maximum(off_s - held_s, 0.0) / np.where(has, due.scale_s[row], due.reach_s[row])
            deletion[row] = 1.0 - 0.5 * float(np.exp(-worse.min()))
    return insertion, deletion


# Keys beyond pitches: of notes without one, and a step for each track.
UNPITCHED, TRACK = 8000, 10_000
