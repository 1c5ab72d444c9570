"""Tell the stretches of a take that were replayed or passed over as a whole.

Conventions
-----------
Times are seconds, positions beats; rows are those of the table or the arrays given. The alignment tells long stretches
itself (as passages); short replays it leaves as single added notes, and they are found here.

Method
------
Added notes that follow each other, with hardly a matched one among them, are a run. A run is a replay when most of its
pitches come in the same order among the matched notes right after it (a restart: the later go holds the matches) or
right before it; else its parts before and after its longest stop are tried. The order is the longest common
subsequence, chords sorted from below.

A passage that was passed over and is written right before or after once more is a repeat that was not taken: a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.deviations import DeviationNotes

if TYPE_CHECKING:
    from .align import Passage

_LEAST_NOTES, _LEAST_MOMENTS = 3, 2
_LEAST_SHARE = 0.75
# Strokes as near as this are one moment.
_TOGETHER_S = 0.05
# Added notes with more matched moments between are two runs.
_MATCHES_BETWEEN = 1
# A run is looked at in pieces of at most so many notes, cut at long stops, and parted no deeper than so.
_LONGEST, _DEEPEST = 400, 40
# A note this far in time from the others of its passage is none of them.
_STRAY_S = 8.0
# Of the notes passed over so many are written again, at the same places, where it was a repeat.
_REPEAT_SHARE = 0.8


@dataclass(frozen=True)
class Stretch:
    """A stretch and where in the score it belongs.

    Parameters
    ----------
    kind : str
        As of a passage, or ``"repeat"`` for a repeat that was not taken.
    rows : ndarray of int
        Added, or missed, notes.
    start_s, end_s : float, seconds
    start_beat, end_beat : float, beats
    """

    kind: str
    rows: np.ndarray
    start_s: float
    end_s: float
    start_beat: float
    end_beat: float


def find_stretches(notes: DeviationNotes, passages: Sequence[Passage], free: np.ndarray) -> list[Stretch]:
    """Return the passages as rows of the table, and the short replays.

    Parameters
    ----------
    notes : DeviationNotes
    passages : sequence of Passage
    free : ndarray of bool [shape=(n,)]
        Rows that no other slip claims.

    Returns
    -------
    list of Stretch
        In order of time.
    """
    free = free & (notes.label != "match")
    out = []
    for passage in passages:
        stretch = _of_passage(notes, passage, free)
        if stretch is not None:
            free[stretch.rows] = False
            out.append(stretch)
    added = free & (notes.label == "insertion")
    rows = np.flatnonzero((notes.label == "match") | added)
    for run, beats in find_replays(notes.onset_s[rows], notes.pitch[rows], notes.reference_beat[rows], added[rows]):
        at_s = notes.onset_s[rows[run]]
        out.append(Stretch("replayed", rows[run], at_s.min(), at_s.max(), beats.min(), beats.max()))
    return sorted(out, key=lambda stretch: stretch.start_s)


def _of_passage(notes: DeviationNotes, passage: Passage, free: np.ndarray) -> Stretch | None:
    """Return a passage without strays; None where hardly a note is left of it."""
    played = (notes.label == "insertion") & np.isin(notes.take_index, passage.take_rows)
    written = (notes.label == "deletion") & np.isin(notes.reference_index, passage.score_rows)
    rows = np.flatnonzero((played | written) & free)
    kind, start_s, end_s = passage.kind, float(passage.start_s), float(passage.end_s)
    if kind == "replayed" and len(rows):
        rows = rows[np.argsort(notes.onset_s[rows], kind="stable")]
        parts = np.split(rows, np.flatnonzero(np.diff(notes.onset_s[rows]) > _STRAY_S) + 1)
        rows = max(parts, key=len)
        start_s, end_s = float(notes.onset_s[rows[0]]), float(notes.onset_s[rows[-1]])
    if len(rows) < _LEAST_MOMENTS:
        return None
    if kind == "skipped" and _is_written_again(notes, rows):
        kind = "repeat"
    return Stretch(kind, rows, start_s, end_s, float(passage.start_beat), float(passage.end_beat))


def _is_written_again(notes: DeviationNotes, rows: np.ndarray) -> bool:
    """Tell whether what was passed over is written once more right before it or right after it."""
    written = notes.label != "insertion"
    beats = np.unique(notes.reference_beat[written])
    start = float(notes.reference_beat[rows].min())
    following = beats[beats > notes.reference_beat[rows].max() + 1e-6]
    if len(following) == 0:
        return False
    places = np.round(notes.reference_beat, 3), notes.reference_pitch
    there = set(zip(places[0][written].tolist(), places[1][written].tolist(), strict=True))
    length = float(following[0]) - start
    return any(
        np.mean([(round(float(b) + by, 3), p) in there for b, p in zip(places[0][rows], places[1][rows], strict=True)])
        >= _REPEAT_SHARE
        for by in (-length, length)
    )


def find_replays(
    onset_s: np.ndarray, pitch: np.ndarray, beat: np.ndarray, is_added: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Find replays.

    Parameters
    ----------
    onset_s, pitch : ndarray [shape=(n,)]
        Played notes, matched and added ones.
    beat : ndarray [shape=(n,)], beats
        Where the matched ones are written.
    is_added : ndarray of bool [shape=(n,)]

    Returns
    -------
    list of (rows, beats)
        Rows of the added notes in order of time, and the positions of what they replay.
    """
    order = np.argsort(onset_s, kind="stable")
    onset_s, pitch, beat, is_added = onset_s[order], pitch[order], beat[order], is_added[order]
    found = []
    waiting = [(run, 0) for run in _runs(onset_s, is_added)]
    while waiting:
        run, depth = waiting.pop()
        if len(run) < _LEAST_NOTES or len(_moments(onset_s[run])) < _LEAST_MOMENTS:
            continue
        beats = _replayed_beats(onset_s, pitch, beat, is_added, run)
        if beats is not None:
            found.append((order[run], beats))
            continue
        # Several goes in a row, or a go and something else: they part where the take stops longest.
        longest = int(np.diff(onset_s[run]).argmax()) + 1
        if depth < _DEEPEST and onset_s[run[longest]] - onset_s[run[longest - 1]] > _TOGETHER_S:
            waiting += [(run[:longest], depth + 1), (run[longest:], depth + 1)]
    return found


def _replayed_beats(
    onset_s: np.ndarray, pitch: np.ndarray, beat: np.ndarray, is_added: np.ndarray, run: np.ndarray
) -> np.ndarray | None:
    """Return where in the score a run belongs, None where it is no replay."""
    matched = np.flatnonzero(~is_added)
    first, last = np.searchsorted(matched, [run[0], run[-1]])
    reach = len(run) + 4
    for go in (matched[last : last + reach], matched[max(0, first - reach) : first]):
        a, b = _from_below(onset_s, pitch, run), _from_below(onset_s, pitch, go)
        pairs = _common(pitch[a], pitch[b])
        if len(pairs) < max(_LEAST_NOTES, _LEAST_SHARE * len(run)):
            continue
        beats = beat[b[pairs[:, 1]]]
        if len(np.unique(beats)) >= _LEAST_MOMENTS:
            return beats
    return None


def _runs(onset_s: np.ndarray, is_added: np.ndarray) -> list[np.ndarray]:
    """Return the rows of added notes that follow each other; times increase."""
    added = np.flatnonzero(is_added)
    if len(added) == 0:
        return []
    # Moments of matched notes between two added ones.
    begins = np.r_[True, np.diff(onset_s) > _TOGETHER_S]
    moment = np.cumsum(begins & ~is_added)
    split = np.flatnonzero(np.diff(moment[added]) > _MATCHES_BETWEEN) + 1
    return [piece for run in np.split(added, split) for piece in _pieces(run, onset_s)]


def _pieces(run: np.ndarray, onset_s: np.ndarray) -> list[np.ndarray]:
    """Cut a run into pieces of at most ``_LONGEST`` notes, at the longest stop in the later half of each."""
    pieces = []
    while len(run) > _LONGEST:
        stop_s = np.diff(onset_s[run[_LONGEST // 2 - 1 : _LONGEST + 1]])
        cut = _LONGEST // 2 + int(stop_s.argmax())
        pieces.append(run[:cut])
        run = run[cut:]
    return [*pieces, run]


def _moments(onset_s: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.r_[True, np.diff(onset_s) > _TOGETHER_S])


def _from_below(onset_s: np.ndarray, pitch: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the rows moment by moment, each from its lowest note."""
    if len(rows) == 0:
        return rows
    moment = np.cumsum(np.r_[0, np.diff(onset_s[rows]) > _TOGETHER_S])
    return rows[np.lexsort((pitch[rows], moment))]


def _common(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the places of a longest common subsequence [shape=(k, 2)]."""
    from ..core.kernels.common_order import common_order

    return np.asarray(common_order(np.ascontiguousarray(a), np.ascontiguousarray(b)))
