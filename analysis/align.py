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
4. Were the two different music, about as many notes would find a partner by chance, that is with the take played
   backwards: then the alignment is refused.

References
----------
.. [1] C. Fremerey, M. Müller and M. Clausen, "Handling repeats and jumps in score-performance synchronization", ISMIR
   2010: paths that leap.
.. [2] E. Nakamura, K. Yoshii and H. Katayose, "Performance error detection and post-processing for fast and accurate
   symbolic music alignment", ISMIR 2017: a path first, then notes pitch by pitch about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.timeline import Timeline
from .align_pairs import Due, pair_along, pair_near
from .align_passages import TRACK, UNPITCHED, Passage, label_confidence, ornaments_of, passages_of, wrong_notes
from .align_path import Course, Positions, follow, positions_of

# Sure of the same music from this share of partners on; below, so much more than by chance.
_SURE_SHARE, _LEAST_GAIN = 0.75, 0.25
# Of fewer notes neither the music nor the key can be told.
_FEWEST_TO_TELL = 6
# Pitch classes agree sooner by chance (0.8 between two easy pieces): so many must where a hand is an octave off.
_OCTAVES_SHARE = 0.9


@dataclass(frozen=True)
class Alignment:
    """Which played note each written note is.

    Parameters
    ----------
    take_row : ndarray of int [shape=(n_score,)]
        Row of the take's note, -1 for a deletion.
    confidence : ndarray [shape=(n_score,)]
        0 to 1: of its place in time; of a deletion NaN.
    expected_s : ndarray [shape=(n_score,)], seconds
        When each written note was due in this take.
    wrong : ndarray of int [shape=(k, 2)]
        Score and take rows of wrong notes.
    insertion_confidence : ndarray [shape=(n_take,)]
        How sure it is that the note is added, 0 to 1; of a match NaN.
    deletion_confidence : ndarray [shape=(n_score,)]
        How sure it is that the note is missing, 0 to 1; of a match NaN.
    ornament : ndarray of str [shape=(n_take,)]
        ``"trill"`` or ``"mordent"`` for added notes that shake a written one, else "".
    passages : tuple of Passage
        In order of time.
    """

    take_row: np.ndarray
    confidence: np.ndarray
    expected_s: np.ndarray
    wrong: np.ndarray
    insertion_confidence: np.ndarray
    deletion_confidence: np.ndarray
    ornament: np.ndarray
    passages: tuple[Passage, ...]


def align_notes(score: Notes, take: Notes, take_clock: Timeline | None = None) -> Alignment:
    """Align a take with its score by pitch and order.

    Parameters
    ----------
    score : Notes
        With ``onset_beat`` and ``pitch``; of another take also with ``onset_s``.
    take : Notes
        With ``onset_s`` and pitches.
    take_clock : Timeline or None
        The take file's own clock: where the file was made from the score it is the best first guess.

    Returns
    -------
    Alignment

    Raises
    ------
    TakeprintError
        When hardly more notes find a partner than in the take played backwards: the two are different music, or one
        is transposed; when the take has no pitches.
    """
    if len(score) == 0 or len(take) == 0:
        nothing = np.full(len(score), np.nan)
        return _plain(np.full(len(score), -1), nothing, nothing, len(take))
    if not np.isfinite(take.pitch).any():
        raise TakeprintError(
            "the take's notes have no pitches",
            rule="notes are aligned by pitch and order",
            remedy="measure the recording itself: it is listened to for the score's notes",
        )
    keys = _keys(score, take)
    positions = positions_of(score)
    is_grace = ~(score.duration_beat > 0.0) & np.isfinite(score.duration_beat)
    found_by_clock = _by_clock(score, take, keys, take_clock)
    if found_by_clock is not None:
        take_row, due = found_by_clock
        passages: tuple[Passage, ...] = ()
    else:
        course, take_row, due = _by_path(positions, keys, is_grace, take.onset_s)
        _refuse_chance(score, take, keys, positions, is_grace, take_row)
        course, take_row, due, alike = _by_octaves(keys, positions, is_grace, take.onset_s, (course, take_row, due))
        passages = passages_of(positions, course, alike, due, score, take.onset_s)
    ornament = ornaments_of(take, take_row)
    is_out = np.zeros(len(score), dtype=bool), ornament != ""
    for passage in passages:
        is_out[0][passage.score_rows] = True
        is_out[1][passage.take_rows] = True
    added, missed = label_confidence(keys, take_row, due, take.onset_s, positions.of_note)
    return Alignment(
        take_row=take_row,
        confidence=_match_confidence(take_row, due, take.onset_s),
        expected_s=due.due_s,
        wrong=wrong_notes(score, take, take_row, due, is_out),
        insertion_confidence=added,
        deletion_confidence=missed,
        ornament=ornament,
        passages=passages,
    )


def _by_path(
    positions: Positions, keys: tuple[np.ndarray, np.ndarray], is_grace: np.ndarray, onset_s: np.ndarray
) -> tuple[Course, np.ndarray, Due]:
    course = follow(positions, keys[0] % TRACK, keys[1] % TRACK, onset_s)
    return (course, *pair_along(positions, course, keys, is_grace, onset_s))


def _by_octaves(
    keys: tuple[np.ndarray, np.ndarray],
    positions: Positions,
    is_grace: np.ndarray,
    onset_s: np.ndarray,
    found: tuple[Course, np.ndarray, Due],
) -> tuple[Course, np.ndarray, Due, np.ndarray]:
    """Follow a take by pitch classes where that explains far more: one hand plays in another octave.

    Its notes stay wrong notes, and are due where they were played. The last item pairs octaves too.
    """
    fewest, exact = _fewest(keys), int((found[1] >= 0).sum())
    if exact >= _SURE_SHARE * fewest:
        return (*found, found[1])
    classes = tuple(np.where(key % TRACK < 128, key - key % TRACK + key % TRACK % 12, key) for key in keys)
    course, alike, due = _by_path(positions, (classes[0], classes[1]), is_grace, onset_s)
    if (alike >= 0).sum() < max(_OCTAVES_SHARE * fewest, exact + _LEAST_GAIN * fewest):
        return (*found, found[1])
    return course, pair_near(keys, due, onset_s, np.arange(len(onset_s))), due, alike


def _match_confidence(take_row: np.ndarray, due: Due, onset_s: np.ndarray) -> np.ndarray:
    """Return 1 on time, 1/2 where leaving both notes over would cost as little."""
    share = (onset_s[take_row] - due.due_s) / due.scale_s
    most = due.reach_s / due.scale_s
    return np.where(take_row >= 0, np.maximum(1.0 - 0.5 * np.log1p(share**2) / np.log1p(most**2), 0.0), np.nan)


def _plain(take_row: np.ndarray, confidence: np.ndarray, expected_s: np.ndarray, n_take: int) -> Alignment:
    """Return an alignment of which nothing more is known."""
    added = np.ones(n_take, dtype=bool)
    added[take_row[take_row >= 0]] = False
    return Alignment(
        take_row,
        confidence,
        expected_s,
        np.zeros((0, 2), dtype=np.int64),
        insertion_confidence=np.where(added, 0.5, np.nan),
        deletion_confidence=np.where(take_row < 0, 0.5, np.nan),
        ornament=np.full(n_take, "", dtype="<U8"),
        passages=(),
    )


def _refuse_chance(
    score: Notes,
    take: Notes,
    keys: tuple[np.ndarray, np.ndarray],
    positions: Positions,
    is_grace: np.ndarray,
    take_row: np.ndarray,
) -> None:
    """Refuse an alignment that the same notes in the reverse order would find nearly as well."""
    found, fewest = int((take_row >= 0).sum()), _fewest(keys)
    if found >= _SURE_SHARE * fewest:
        return
    if fewest < _FEWEST_TO_TELL:
        side, other = ("take", "reference") if len(take) <= len(score) else ("reference", "take")
        notes = "note" if fewest == 1 else "notes"
        raise _other_music(
            f"the {side} has only {fewest} {notes} with a pitch, and {found or 'none'} found a place in the {other}"
        )
    _, backwards, _ = _by_path(positions, keys, is_grace, float(take.onset_s.max()) - take.onset_s)
    by_chance = int((backwards >= 0).sum())
    share = by_chance / fewest
    if found - by_chance >= max(_LEAST_GAIN * fewest, 3.0 * np.sqrt(fewest * share * (1.0 - share))):
        return
    if found >= _LEAST_GAIN * fewest and _is_same_by_octaves(keys, positions, is_grace, take.onset_s, fewest):
        return
    said = f"only {found} of {fewest} notes find a partner in the reference, and {by_chance} do by chance"
    semitones = _transposition(keys, positions, is_grace, take.onset_s)
    if semitones:
        raise TakeprintError(
            f"{said}; moved by {-semitones:+d} semitones most would",
            rule="a take and its reference are in the same key",
            remedy="transpose one of the two",
            code="align.transposed",
        )
    raise _other_music(said)


def _is_same_by_octaves(
    keys: tuple[np.ndarray, np.ndarray], positions: Positions, is_grace: np.ndarray, onset_s: np.ndarray, fewest: int
) -> bool:
    """Tell whether the music is the same but for octaves: one hand plays in another one."""
    folded = tuple(np.where(key % TRACK < 128, key % TRACK % 12 + 60, key) for key in keys)
    forth, back = (
        int((_by_path(positions, (folded[0], folded[1]), is_grace, time_s)[1] >= 0).sum())
        for time_s in (onset_s, float(onset_s.max()) - onset_s)
    )
    return forth >= _OCTAVES_SHARE * fewest and forth - back >= _LEAST_GAIN * fewest


def _fewest(keys: tuple[np.ndarray, np.ndarray]) -> int:
    """Return how many notes can be pairs at most: those with a pitch, of the side that has fewer."""
    return int(min((key % TRACK < UNPITCHED).sum() for key in keys))


def _other_music(said: str) -> TakeprintError:
    return TakeprintError(
        said,
        rule="a take is measured against its own score",
        remedy="check that both files are the same piece, or measure against a click",
        code="align.other-music",
    )


def _transposition(
    keys: tuple[np.ndarray, np.ndarray], positions: Positions, is_grace: np.ndarray, onset_s: np.ndarray
) -> int:
    """Return how many semitones above the reference the take is the same music, 0 for none."""
    sides = [np.bincount(key[key % TRACK < 128] % TRACK, minlength=128).astype(np.float64) for key in keys]
    likely = {shift: float(sides[0] @ np.roll(sides[1], -shift)) for shift in range(-24, 25) if shift}
    for shift in sorted(likely, key=likely.__getitem__, reverse=True)[:4]:
        moved = keys[0], np.where(keys[1] % TRACK < 128, keys[1] - shift, keys[1])
        _, take_row, _ = _by_path(positions, moved, is_grace, onset_s)
        if (take_row >= 0).sum() >= _SURE_SHARE * _fewest(keys):
            return shift
    return 0


def _keys(score: Notes, take: Notes) -> tuple[np.ndarray, np.ndarray]:
    """Return what must agree between partners: pitch, drums or not, and the track where both files have the same."""
    keys = []
    for side in (score, take):
        key = np.nan_to_num(side.pitch, nan=-1.0).astype(np.int64)
        keys.append(np.where(side.channel == 9, key + 1000, key))
    if (keys[0] >= 1000).all() != (keys[1] >= 1000).all():
        keys = [np.where(k >= 1000, k - 1000, k) for k in keys]
    # What has no pitch finds no partner.
    keys = [np.where(k < 0, UNPITCHED + side, k) for side, k in enumerate(keys)]
    tracks = np.unique(score.track)
    if len(tracks) > 1 and np.array_equal(tracks, np.unique(take.track)):
        shares = [np.bincount(np.searchsorted(tracks, side.track)) / len(side) for side in (score, take)]
        if np.abs(shares[0] - shares[1]).max() < 0.05:
            keys = [
                k + TRACK * np.searchsorted(tracks, side.track) for k, side in zip(keys, (score, take), strict=True)
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
