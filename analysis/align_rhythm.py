"""Align onsets without pitch (of audio) with a score: a chain over the intervals between them.

Conventions
-----------
A written chord is one onset; all its notes take the same row.

Method
------
A chain over inter-onset intervals (``core.kernels.onset_chain``), or the take's own clock, says when each written note
was due. Written and played onsets are paired in order at the least total distance (``core.kernels.pitch_matching``);
the pairs give a smoother guess, and the pairing is done again.
"""

from __future__ import annotations

import numpy as np

from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.timeline import Timeline

# A note may lie this share of a local beat from where it was due, within these bounds.
_TOLERANCE_BEATS, _LEAST_TOLERANCE_S, _MOST_TOLERANCE_S = 0.3, 0.15, 0.8
_LEAST_EVEN = 4
_TABLE_CELLS = 40_000_000


def pair_by_rhythm(score: Notes, take: Notes, take_clock: Timeline | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair written and played onsets.

    Returns
    -------
    take_row : ndarray of int [shape=(n_score,)]
        -1 for none.
    due_s, tolerance_s : ndarray [shape=(n_score,)], seconds
    """
    candidates = []
    for first_guess_s in _first_guesses(score, take, take_clock):
        pairs, guess_s = _refined(score, take, first_guess_s)
        candidates.append((_left_over(score, take, pairs), _cost(score, take, pairs, guess_s), pairs, guess_s))
    _, _, pairs, guess_s = min(candidates, key=lambda found: found[:2])
    return pairs, guess_s, _tolerance_s(score.onset_beat, guess_s)


def _first_guesses(score: Notes, take: Notes, take_clock: Timeline | None) -> list[np.ndarray]:
    """Return guesses of when each written note is due; a clock that leaves no note over ends the search."""
    guesses = []
    if take_clock is not None:
        guess_s = _latency_free(take_clock.seconds_at(score.onset_beat), score, take)
        pairs = _pairs(score, take, guess_s)
        rows = np.flatnonzero(pairs >= 0)
        off_s = np.abs(take.onset_s[pairs[rows]] - guess_s[rows])
        if _left_over(score, take, pairs) == 0 and float(np.percentile(off_s, 90)) < 0.08:
            return [guess_s]
        guesses.append(guess_s)
    return [*guesses, _by_intervals(score, take)]


def _latency_free(guess_s: np.ndarray, score: Notes, take: Notes) -> np.ndarray:
    pairs = _pairs(score, take, guess_s)
    if not (pairs >= 0).any():
        return guess_s
    rows = np.flatnonzero(pairs >= 0)
    return guess_s + float(np.median(take.onset_s[pairs[rows]] - guess_s[rows]))


def _pairs(score: Notes, take: Notes, guess_s: np.ndarray) -> np.ndarray:
    from ..core.kernels.pitch_matching import pitch_matching

    tolerance_s = _tolerance_s(score.onset_beat, guess_s)
    beat, index = np.unique(score.onset_beat, return_inverse=True)
    guess = np.full(len(beat), np.inf)
    np.minimum.at(guess, index, guess_s)
    together_s = np.full(len(beat), _LEAST_TOLERANCE_S)
    together_s[index] = tolerance_s
    return pitch_matching(guess, np.ascontiguousarray(take.onset_s), together_s)[index]


def _refined(score: Notes, take: Notes, guess_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair, and pair again about the pairs found, more or less closely; keep the evenest that leaves few notes over.

    A figure that is repeated under a ritardando, or one of equal notes of which one is missing, can be put one too
    early and then confirms itself: the pairs are judged by the line between their neighbours, not by their own guess.
    """
    pairs = _pairs(score, take, guess_s)
    best = (_unevenness(score, take, pairs, guess_s), pairs, guess_s)
    first = pairs, guess_s
    for own_share in (1.0, 0.75, 0.5, 0.25, 0.0):
        pairs, guess_s = first
        for _ in range(3):
            guess_s = _smooth_guess(score.onset_beat, take.onset_s, pairs, guess_s, own_share)
            pairs = _pairs(score, take, guess_s)
            found = (_unevenness(score, take, pairs, guess_s), pairs, guess_s)
            if found[0] < best[0]:
                best = found
    return best[1], best[2]


def _left_over(score: Notes, take: Notes, pairs: np.ndarray) -> int:
    return len(score) + len(take) - 2 * int((pairs >= 0).sum())


def _unevenness(score: Notes, take: Notes, pairs: np.ndarray, guess_s: np.ndarray) -> float:
    """Return how far the onsets lie from the line between their neighbours: a guess of its own confirms itself."""
    rows = np.flatnonzero(pairs >= 0)
    if len(rows) < _LEAST_EVEN:
        return _cost(score, take, pairs, guess_s)
    where, index = np.unique(score.onset_beat[rows], return_inverse=True)
    mean_s = np.bincount(index, weights=take.onset_s[pairs[rows]]) / np.bincount(index)
    tolerance_s = np.ones(len(where))
    tolerance_s[index] = _tolerance_s(score.onset_beat, guess_s)[rows]
    apart = (take.onset_s[pairs[rows]] - mean_s[index]) / tolerance_s[index]
    uneven = (mean_s - _between(where, mean_s)) / tolerance_s
    # A wait or a roll is no worse than a note that is left over.
    return float(sum(np.minimum(share**2, 1.0).sum() for share in (uneven, apart))) + _left_over(score, take, pairs)


def _cost(score: Notes, take: Notes, pairs: np.ndarray, guess_s: np.ndarray) -> float:
    rows = np.flatnonzero(pairs >= 0)
    share = np.abs(take.onset_s[pairs[rows]] - guess_s[rows]) / _tolerance_s(score.onset_beat, guess_s)[rows]
    return float((share**2).sum()) + len(score) + len(take) - 2 * len(rows)


def _tolerance_s(beat: np.ndarray, guess_s: np.ndarray) -> np.ndarray:
    """Return how far from its due time each note may lie: a share of the local beat."""
    where, index = np.unique(beat, return_inverse=True)
    due_s = np.zeros(len(where))
    due_s[index] = guess_s
    if len(where) < 2:
        return np.full(len(beat), _MOST_TOLERANCE_S)
    # The local beat over two beats on either side.
    early_s, late_s = np.interp(where - 2.0, where, due_s), np.interp(where + 2.0, where, due_s)
    span = np.clip(where + 2.0, where[0], where[-1]) - np.clip(where - 2.0, where[0], where[-1])
    period_s = (late_s - early_s) / np.maximum(span, 1e-9)
    return np.clip(_TOLERANCE_BEATS * period_s, _LEAST_TOLERANCE_S, _MOST_TOLERANCE_S)[index]


def _by_intervals(score: Notes, take: Notes) -> np.ndarray:
    from ..core.kernels.onset_chain import onset_chain

    beat = np.unique(score.onset_beat)
    time_s = np.unique(take.onset_s)
    if len(beat) * len(time_s) > _TABLE_CELLS:
        raise TakeprintError(
            f"{len(beat)} written against {len(time_s)} detected onsets",
            rule="an audio take of this length is not yet aligned with a score",
            remedy="measure it in parts, or against a click",
        )
    if len(beat) < 2 or len(time_s) < 2:
        return np.full(len(score), time_s[0])
    best = (-np.inf, np.zeros(0, dtype=np.int64))
    span = (time_s[-1] - time_s[0]) / (beat[-1] - beat[0])
    for factor in (0.8, 0.9, 1.0, 1.1, 1.25):
        pair, total = onset_chain(beat, time_s, span * factor, 0.25, 1.0, 3)
        if total > best[0]:
            best = (total, pair)
    rows = np.flatnonzero(best[1] >= 0)
    return _through_anchors(beat[rows], time_s[best[1][rows]], score.onset_beat)


def _through_anchors(beat: np.ndarray, time_s: np.ndarray, at: np.ndarray, own_share: float = 0.75) -> np.ndarray:
    """Draw a line through anchor pairs and read it at each written position.

    Each anchor stands for itself by ``own_share`` and for the rest for what its neighbours say: a smoother line lags
    in a final ritardando and puts the last notes on the figure before.
    """
    if len(beat) < 2:
        shift = float(time_s[0] - 0.5 * beat[0]) if len(beat) else 0.0
        return 0.5 * at + shift
    line_s = np.maximum.accumulate(own_share * time_s + (1.0 - own_share) * _between(beat, time_s))
    edge = min(8, len(beat)) - 1
    before = np.polyfit(beat[: edge + 1], line_s[: edge + 1], 1)[0]
    after = np.polyfit(beat[-edge - 1 :], line_s[-edge - 1 :], 1)[0]
    out = np.interp(at, beat, line_s)
    out = np.where(at < beat[0], line_s[0] + (at - beat[0]) * before, out)
    return np.where(at > beat[-1], line_s[-1] + (at - beat[-1]) * after, out)


def _between(beat: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Return where each anchor would lie on the line between its two neighbours; the ends stay."""
    out = time_s.copy()
    share = (beat[1:-1] - beat[:-2]) / (beat[2:] - beat[:-2])
    out[1:-1] = time_s[:-2] + share * (time_s[2:] - time_s[:-2])
    return out


def _smooth_guess(
    beat: np.ndarray, onset_s: np.ndarray, pairs: np.ndarray, guess_s: np.ndarray, own_share: float
) -> np.ndarray:
    rows = np.flatnonzero(pairs >= 0)
    if len(rows) < 4:
        return guess_s
    rows = rows[np.argsort(beat[rows], kind="stable")]
    where, index = np.unique(beat[rows], return_inverse=True)
    mean_s = np.bincount(index, weights=onset_s[pairs[rows]]) / np.bincount(index)
    return _through_anchors(where, mean_s, beat, own_share)
