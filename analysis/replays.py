"""Find replays among added notes: a few notes that are played again, after or before their rightly played go.

Conventions
-----------
Times are seconds, positions beats; rows are those of the arrays given. The alignment tells long replays itself (as
passages); these are the short ones that it leaves as single added notes.

Method
------
Added notes that follow each other, with hardly a matched one among them, are a run. A run is a replay when most of its
pitches come in the same order among the matched notes right after it (a restart: the later go holds the matches) or
right before it; else its parts before and after its longest stop are tried. The order is the longest common
subsequence, chords sorted from below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LEAST_NOTES, _LEAST_MOMENTS = 3, 2
_LEAST_SHARE = 0.75
# Strokes as near as this are one moment.
_TOGETHER_S = 0.05
# Added notes with more matched moments between are two runs.
_MATCHES_BETWEEN = 1
_LONGEST = 400


@dataclass(frozen=True)
class Replay:
    """A run of added notes, and where in the score it belongs."""

    rows: np.ndarray
    start_s: float
    end_s: float
    start_beat: float
    end_beat: float


def find_replays(onset_s: np.ndarray, pitch: np.ndarray, beat: np.ndarray, is_added: np.ndarray) -> list[Replay]:
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
    list of Replay
        In order of time.
    """
    order = np.argsort(onset_s, kind="stable")
    onset_s, pitch, beat, is_added = onset_s[order], pitch[order], beat[order], is_added[order]
    found = []
    waiting = _runs(onset_s, is_added)
    while waiting:
        run = waiting.pop()
        if len(run) < _LEAST_NOTES or len(_moments(onset_s[run])) < _LEAST_MOMENTS:
            continue
        beats = _replayed_beats(onset_s, pitch, beat, is_added, run)
        if beats is not None:
            start_s, end_s = float(onset_s[run[0]]), float(onset_s[run[-1]])
            found.append(Replay(order[run], start_s, end_s, float(beats.min()), float(beats.max())))
            continue
        # Several goes in a row, or a go and something else: they part where the take stops longest.
        longest = int(np.diff(onset_s[run]).argmax()) + 1
        if onset_s[run[longest]] - onset_s[run[longest - 1]] > _TOGETHER_S:
            waiting += [run[:longest], run[longest:]]
    return sorted(found, key=lambda replay: replay.start_s)


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
    return [run[:_LONGEST] for run in np.split(added, split)]


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
    best = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int64)
    for i in range(len(a) - 1, -1, -1):
        same = a[i] == b
        for j in range(len(b) - 1, -1, -1):
            best[i, j] = best[i + 1, j + 1] + 1 if same[j] else max(best[i + 1, j], best[i, j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
