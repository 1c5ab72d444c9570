"""Align a take's notes with a score's, or another take's: which written note each played note is.

Conventions
-----------
A written note is a *match* (played) or a *deletion* (not played), a played note without a written one an *insertion*.
Both sides are ``Notes``; positions of the score are beats, of the take seconds. The score may itself be a free
performance: then its seconds count, and its chords are told by the gaps between its notes.

Method
------
1. A path through the score, with leaps back and forth, says which place of the score each played note belongs to
   (``align_path``). A take file's own clock says it where most notes lie near it.
2. Pitch by pitch, written and played notes are paired in order, near when each was due (``align_pairs``).
3. What a leap passes over or plays a second time is a passage; left-over notes are told as ornaments, as wrong notes
   (a deletion and an insertion near each other), or as what they are.
4. Were the two different music, about as many notes would find a partner by chance: then the alignment is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.timeline import Timeline
from .align_pairs import Due, pair_along, pair_near
from .align_path import follow, positions_of
from .align_rhythm import pair_by_rhythm

_WRONG_NOTE_S = 0.15
_LEAST_SHARE = 0.4


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
        In the take; of what was skipped, when it was due.
    start_beat, end_beat : float, beats
        In the score.
    take_rows, score_rows : ndarray of int
        Insertions, or deletions, that belong to it.
    """

    kind: str
    start_s: float
    end_s: float
    start_beat: float
    end_beat: float
    take_rows: np.ndarray
    score_rows: np.ndarray


@dataclass(frozen=True)
class Alignment:
    """Which played note each written note is.

    Parameters
    ----------
    take_row : ndarray of int [shape=(n_score,)]
        Row of the take's note, -1 for a deletion.
    confidence : ndarray [shape=(n_score,)]
        0 to 1; of a deletion NaN.
    expected_s : ndarray [shape=(n_score,)], seconds
        When each written note was due in this take.
    wrong : ndarray of int [shape=(k, 2)]
        Score and take rows of wrong notes.
    insertion_confidence : ndarray [shape=(n_take,)]
        How sure it is that the note is added, 0 to 1; of a match NaN.
    deletion_confidence : ndarray [shape=(n_score,)]
        How sure it is that the note is missing, 0 to 1; of a match NaN.
    ornament : ndarray of str [shape=(n_take,)]
        ``"trill"``, ``"grace"`` ... for added notes that belong to a written one, else "".
    passages : tuple of Passage
        In order of time.
    """

    take_row: np.ndarray
    confidence: np.ndarray
    expected_s: np.ndarray
    wrong: np.ndarray
    insertion_confidence: np.ndarray = field(default_factory=lambda: np.zeros(0))
    deletion_confidence: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ornament: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype="<U1"))
    passages: tuple[Passage, ...] = ()


def align_notes(score: Notes, take: Notes, take_clock: Timeline | None = None) -> Alignment:
    """Align a take with its score by pitch and order.

    Parameters
    ----------
    score : Notes
        With ``onset_beat`` and ``pitch``; of another take also with ``onset_s``.
    take : Notes
        With ``onset_s``; with pitches for MIDI, without for audio.
    take_clock : Timeline or None
        The take file's own clock: where the file was made from the score it is the best first guess.

    Raises
    ------
    TakeprintError
        When fewer than four in ten notes of the shorter side find a partner: the two are different music.
    """
    if len(score) == 0 or len(take) == 0:
        nothing = np.full(len(score), np.nan)
        return _complete(np.full(len(score), -1), nothing, nothing, np.zeros((0, 2), dtype=np.int64), len(take))
    if not np.isfinite(take.pitch).any():
        take_row, due_s, tolerance_s = pair_by_rhythm(score, take, take_clock)
        _refuse_chance(take_row, min(len(np.unique(score.onset_beat)), len(take)))
        off_s = np.abs(take.onset_s[take_row] - due_s)
        confidence = np.where(take_row >= 0, np.exp(-off_s / tolerance_s), np.nan)
        return _complete(take_row, confidence, due_s, np.zeros((0, 2), dtype=np.int64), len(take))
    keys = _keys(score, take)
    is_grace = ~(score.duration_beat > 0.0) & np.isfinite(score.duration_beat)
    found = _by_clock(score, take, keys, take_clock)
    if found is None:
        positions = positions_of(score)
        course = follow(positions, keys[0] % _TRACK, keys[1] % _TRACK, take.onset_s)
        found = pair_along(positions, course, keys, is_grace, take.onset_s)
    take_row, due = found
    _refuse_chance(take_row, min(len(score), len(take)))
    share = (take.onset_s[take_row] - due.due_s) / due.scale_s
    confidence = np.where(
        take_row >= 0, 1.0 - 0.5 * np.log1p(share**2) / np.log1p((due.reach_s / due.scale_s) ** 2), np.nan
    )
    wrong = _wrong_notes(score, take, take_row, due.due_s)
    return _complete(take_row, confidence, due.due_s, wrong, len(take))


def _complete(
    take_row: np.ndarray, confidence: np.ndarray, expected_s: np.ndarray, wrong: np.ndarray, n_take: int
) -> Alignment:
    added = np.ones(n_take, dtype=bool)
    added[take_row[take_row >= 0]] = False
    return Alignment(
        take_row,
        confidence,
        expected_s,
        wrong,
        insertion_confidence=np.where(added, 1.0, np.nan),
        deletion_confidence=np.where(take_row < 0, 1.0, np.nan),
        ornament=np.full(n_take, "", dtype="<U8"),
    )


def _refuse_chance(take_row: np.ndarray, fewest: int) -> None:
    found = int((take_row >= 0).sum())
    if found < _LEAST_SHARE * fewest:
        raise TakeprintError(
            f"only {found} of {fewest} notes find a partner in the reference",
            rule="a take is measured against its own score",
            remedy="check that both files are the same piece, or measure against a click",
        )


_TRACK = 10_000


def _keys(score: Notes, take: Notes) -> tuple[np.ndarray, np.ndarray]:
    """Return what must agree between partners: pitch, drums or not, and the track where both files have the same."""
    keys = []
    for side in (score, take):
        key = np.nan_to_num(side.pitch, nan=-1.0).astype(np.int64)
        keys.append(np.where(side.channel == 9, key + 1000, key))
    if (keys[0] >= 1000).all() != (keys[1] >= 1000).all():
        keys = [np.where(k >= 1000, k - 1000, k) for k in keys]
    # What has no pitch finds no partner.
    keys = [np.where(keys[0] < 0, 8000, keys[0]), np.where(keys[1] < 0, 8001, keys[1])]
    tracks = np.unique(score.track)
    if len(tracks) > 1 and np.array_equal(tracks, np.unique(take.track)):
        shares = [np.bincount(np.searchsorted(tracks, side.track)) / len(side) for side in (score, take)]
        if np.abs(shares[0] - shares[1]).max() < 0.05:
            keys = [
                k + _TRACK * np.searchsorted(tracks, side.track) for k, side in zip(keys, (score, take), strict=True)
            ]
    return keys[0], keys[1]


def _by_clock(
    score: Notes, take: Notes, keys: tuple[np.ndarray, np.ndarray], clock: Timeline | None
) -> tuple[np.ndarray, Due] | None:
    """Pair by the take file's own clock; None where it leaves notes over or far from their time."""
    if clock is None:
        return None
    due_s = clock.seconds_at(score.onset_beat)
    near = np.full(len(score), 0.08)
    rows = np.arange(len(take))
    for _ in range(2):
        due = Due(due_s, near, 10.0 * near, np.ones(len(score), dtype=bool))
        take_row = pair_near(keys, due, take.onset_s, rows)
        got = take_row >= 0
        if 2 * got.sum() < len(score) + len(take):
            return None
        off_s = take.onset_s[take_row] - due_s
        due_s = due_s + float(np.median(off_s))
    off_s = take.onset_s[take_row] - due.due_s
    return (take_row, due) if float(np.percentile(np.abs(off_s), 90)) < 0.08 else None


def _wrong_notes(score: Notes, take: Notes, pairs: np.ndarray, expected_s: np.ndarray) -> np.ndarray:
    """Pair what is left over where a neighbour, a third or an octave was struck instead, nearest in time first."""
    missed = np.flatnonzero(pairs < 0)
    added = np.setdiff1d(np.arange(len(take)), pairs[pairs >= 0])
    if len(missed) == 0 or len(added) == 0:
        return np.zeros((0, 2), dtype=np.int64)
    added = added[np.argsort(take.onset_s[added], kind="stable")]
    time_s = take.onset_s[added]
    candidates = []
    for row in missed.tolist():
        low, high = np.searchsorted(time_s, [expected_s[row] - _WRONG_NOTE_S, expected_s[row] + _WRONG_NOTE_S])
        for k in range(low, high):
            interval = abs(float(take.pitch[added[k]] - score.pitch[row]))
            if 0 < interval <= 4 or interval == 12:
                cost = abs(time_s[k] - expected_s[row]) / _WRONG_NOTE_S + interval / 12.0
                candidates.append((cost, row, int(added[k])))
    used_written: set[int] = set()
    used_played: set[int] = set()
    wrong = []
    for _, row, column in sorted(candidates):
        if row not in used_written and column not in used_played:
            used_written.add(row)
            used_played.add(column)
            wrong.append((row, column))
    return np.array(sorted(wrong), dtype=np.int64).reshape(-1, 2)
