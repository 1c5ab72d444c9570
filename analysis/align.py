"""Align a take's notes with a score's: which written note each played note is.

Conventions
-----------
A written note is a *match* (played) or a *deletion* (not played), a played note without a written one an *insertion*.
Both sides are ``Notes``; positions of the score are beats, of the take seconds.

Method
------
1. A first guess of when each written note is due: the clock of the take's own file where most notes lie near it, else
   a dynamic time warp over chords by the pitches they share (``core.kernels.chord_path``); without pitches, a chain
   over inter-onset intervals (``core.kernels.onset_chain``).
2. Pitch by pitch, written and played notes are paired in order at the least total distance in time
   (``core.kernels.pitch_matching``); what is farther than the tolerance stays without partner.
3. The pairs give a smoother guess; the pairing is done again with a narrower tolerance.
4. Left-over pairs near in time and pitch are wrong notes: a deletion and an insertion that share an id.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.timeline import Timeline

# Notes of one chord follow each other this closely (a quick trill is no chord, a melody that leads is part of one), and
# the whole chord lasts no longer.
_CHORD_GAPS_S, _CHORD_SPAN_S = (0.04, 0.07), 0.2
# A note may lie this share of a local beat from where it was due, within these bounds.
_TOLERANCE_BEATS, _LEAST_TOLERANCE_S, _MOST_TOLERANCE_S = 0.3, 0.15, 0.8
_WRONG_NOTE_S = 0.15
# A leap: over this many written beats in less than a fourth of their time.
_LEAP_BEATS, _LEAP_FACTOR, _LEAST_AFTER_LEAP = 2.0, 4.0, 8
# A chord whose notes lie farther apart than this may be rolled.
_ROLL_S = 0.15
_LEAST_SHARE = 0.4
_LEAST_EVEN = 4
_TABLE_CELLS = 40_000_000


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
    """

    take_row: np.ndarray
    confidence: np.ndarray
    expected_s: np.ndarray
    wrong: np.ndarray


def align_notes(score: Notes, take: Notes, take_clock: Timeline | None = None) -> Alignment:
    """Align a take with its score by pitch and order.

    Parameters
    ----------
    score : Notes
        With ``onset_beat`` and ``pitch``.
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
        return Alignment(np.full(len(score), -1), nothing, nothing, np.zeros((0, 2), dtype=np.int64))
    pitched = bool(np.isfinite(take.pitch).any())
    keys = _keys(score, take) if pitched else None
    candidates = []
    for first_guess_s in _first_guesses(score, take, keys, take_clock):
        pairs, guess_s = _refined(score, take, keys, first_guess_s)
        candidates.append((_left_over(score, take, pairs), _cost(score, take, pairs, guess_s), pairs, guess_s))
    _, _, best_pairs, best_guess = min(candidates, key=lambda found: found[:2])
    found = int((best_pairs >= 0).sum())
    fewest = min(len(np.unique(score.onset_beat)), len(take)) if keys is None else min(len(score), len(take))
    if found < _LEAST_SHARE * fewest:
        raise TakeprintError(
            f"only {found} of {fewest} notes find a partner in the reference",
            rule="a take is measured against its own score",
            remedy="check that both files are the same piece, or measure against a click",
        )
    off_s = np.abs(take.onset_s[best_pairs] - best_guess)
    confidence = np.where(best_pairs >= 0, np.exp(-off_s / _tolerance_s(score.onset_beat, best_guess)), np.nan)
    wrong = _wrong_notes(score, take, best_pairs, best_guess) if pitched else np.zeros((0, 2), dtype=np.int64)
    return Alignment(best_pairs, confidence, best_guess, wrong)


def _keys(score: Notes, take: Notes) -> tuple[np.ndarray, np.ndarray]:
    """Return what must agree between partners: pitch, drums or not, and the track where both files have the same."""
    keys = []
    for side in (score, take):
        key = np.nan_to_num(side.pitch, nan=-1.0).astype(np.int64)
        keys.append(np.where(side.channel == 9, key + 1000, key))
    if (keys[0] >= 1000).all() != (keys[1] >= 1000).all():
        keys = [np.where(k >= 1000, k - 1000, k) for k in keys]
    tracks = np.unique(score.track)
    if len(tracks) > 1 and np.array_equal(tracks, np.unique(take.track)):
        shares = [np.bincount(np.searchsorted(tracks, side.track)) / len(side) for side in (score, take)]
        if np.abs(shares[0] - shares[1]).max() < 0.05:
            keys = [k + 10_000 * side.track for k, side in zip(keys, (score, take), strict=True)]
    return keys[0], keys[1]


def _latency_free(
    guess_s: np.ndarray, onset_s: np.ndarray, score: Notes, take: Notes, keys: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    pairs = _pairs(score, take, keys, guess_s)
    if not (pairs >= 0).any():
        return guess_s
    rows = np.flatnonzero(pairs >= 0)
    return guess_s + float(np.median(onset_s[pairs[rows]] - guess_s[rows]))


def _first_guesses(
    score: Notes, take: Notes, keys: tuple[np.ndarray, np.ndarray] | None, take_clock: Timeline | None
) -> list[np.ndarray]:
    """Return guesses of when each written note is due; a clock that leaves no note over ends the search."""
    guesses = []
    if take_clock is not None:
        guess_s = _latency_free(take_clock.seconds_at(score.onset_beat), take.onset_s, score, take, keys)
        pairs = _pairs(score, take, keys, guess_s)
        rows = np.flatnonzero(pairs >= 0)
        off_s = np.abs(take.onset_s[pairs[rows]] - guess_s[rows])
        if _left_over(score, take, pairs) == 0 and float(np.percentile(off_s, 90)) < 0.08:
            return [guess_s]
        guesses.append(guess_s)
    if keys is None:
        return [*guesses, _by_intervals(score, take)]
    return [*guesses, *(_by_chords(score, take, keys, gap_s) for gap_s in _CHORD_GAPS_S)]


def _refined(
    score: Notes,
    take: Notes,
    keys: tuple[np.ndarray, np.ndarray] | None,
    guess_s: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Pair, and pair again about the pairs found, more or less closely; keep the evenest that leaves few notes over.

    A figure that is repeated under a ritardando, or one of equal notes of which one is missing, can be put one too
    early and then confirms itself: the pairs are judged by the line between their neighbours, not by their own guess.
    """
    pairs = _pairs(score, take, keys, guess_s)
    best = (_unevenness(score, take, pairs, guess_s), pairs, guess_s)
    first = pairs, guess_s
    for own_share in (1.0, 0.75, 0.5, 0.25, 0.0):
        pairs, guess_s = first
        for _ in range(3):
            guess_s = _smooth_guess(score.onset_beat, take.onset_s, pairs, guess_s, own_share)
            guess_s = _along_rolls(score, take, pairs, guess_s)
            pairs = _pairs(score, take, keys, guess_s)
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


def _pairs(score: Notes, take: Notes, keys: tuple[np.ndarray, np.ndarray] | None, guess_s: np.ndarray) -> np.ndarray:
    from ..core.kernels.pitch_matching import pitch_matching

    take_row = np.full(len(score), -1, dtype=np.int64)
    tolerance_s = _tolerance_s(score.onset_beat, guess_s)
    if keys is None:
        # Without pitches a chord is one onset: all its notes take it.
        beat, index = np.unique(score.onset_beat, return_inverse=True)
        guess = np.full(len(beat), np.inf)
        np.minimum.at(guess, index, guess_s)
        together_s = np.full(len(beat), _LEAST_TOLERANCE_S)
        together_s[index] = tolerance_s
        pair = pitch_matching(guess, np.ascontiguousarray(take.onset_s), together_s)
        return pair[index]
    score_key, take_key = keys
    score_order = np.lexsort((guess_s, score_key))
    take_order = np.lexsort((take.onset_s, take_key))
    common, first = np.unique(score_key[score_order], return_index=True)
    last = np.append(first[1:], len(score_order))
    low = np.searchsorted(take_key[take_order], common, side="left")
    high = np.searchsorted(take_key[take_order], common, side="right")
    for a, b, c, d in zip(first.tolist(), last.tolist(), low.tolist(), high.tolist(), strict=True):
        if c == d:
            continue
        written, played = score_order[a:b], take_order[c:d]
        pair = pitch_matching(guess_s[written], take.onset_s[played], tolerance_s[written])
        got = pair >= 0
        take_row[written[got]] = played[pair[got]]
    return take_row


def _chords(onset: np.ndarray, key: np.ndarray, gap: float, span: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (first onset, low and high pitch bits) of each group of notes that begin together; onset is increasing."""
    starts = [0]
    at = onset.tolist()
    for i in range(1, len(at)):
        if at[i] - at[i - 1] > gap or at[i] - at[starts[-1]] > span:
            starts.append(i)
    bits = (np.asarray(key) % 128).astype(np.uint64)
    one = np.uint64(1)
    low = np.where(bits < 64, one << (bits & np.uint64(63)), np.uint64(0))
    high = np.where(bits >= 64, one << (bits & np.uint64(63)), np.uint64(0))
    return onset[starts], np.bitwise_or.reduceat(low, starts), np.bitwise_or.reduceat(high, starts)


def _by_chords(score: Notes, take: Notes, keys: tuple[np.ndarray, np.ndarray], gap_s: float) -> np.ndarray:
    from ..core.kernels.chord_path import chord_path

    written_order = np.argsort(score.onset_beat, kind="stable")
    played_order = np.argsort(take.onset_s, kind="stable")
    beat, low, high = _chords(score.onset_beat[written_order], keys[0][written_order], 1e-6, 1e-6)
    played = take.onset_s[played_order], keys[1][played_order]
    time_s, low_played, high_played = _chords(*played, gap_s, _CHORD_SPAN_S)
    n, m = len(beat), len(time_s)
    # The whole table for a song; a wide band about the diagonal for more.
    band = m if (n + 1) * (2 * m + 2) <= _TABLE_CELLS else max(2000, int(0.05 * m), m // max(n, 1) + 1)
    pair, _ = chord_path(low, high, low_played, high_played, band)
    rows = np.flatnonzero(pair >= 0)
    shared = (low[rows] & low_played[pair[rows]]) | (high[rows] & high_played[pair[rows]])
    rows = rows[shared != 0]
    rows = rows[_rooted(beat[rows], time_s[pair[rows]])]
    return _through_anchors(beat[rows], time_s[pair[rows]], score.onset_beat)


def _rooted(beat: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Tell which anchors belong to the take: a few, reached by a leap over the score in no time, do not.

    Where a take stops early the path through the chords strews its last notes over what was not played. Many anchors
    beyond a leap are a skipped section, and stay.
    """
    if len(beat) < 2 * _LEAST_AFTER_LEAP:
        return np.ones(len(beat), dtype=bool)
    step_beat, step_s = np.diff(beat), np.diff(time_s)
    leap = (step_beat > _LEAP_BEATS) & (step_s * _LEAP_FACTOR < step_beat * np.median(step_s / step_beat))
    part = np.r_[0, np.cumsum(leap)]
    size = np.bincount(part)
    return (size >= min(_LEAST_AFTER_LEAP, int(size.max())))[part]


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


def _along_rolls(score: Notes, take: Notes, pairs: np.ndarray, guess_s: np.ndarray) -> np.ndarray:
    """Let the notes of a chord that is rolled from below be due one after the other, as the matched ones say."""
    _, index, size = np.unique(score.onset_beat, return_inverse=True, return_counts=True)
    matched = pairs >= 0
    first_s, last_s = np.full(len(size), np.inf), np.full(len(size), -np.inf)
    np.minimum.at(first_s, index[matched], take.onset_s[pairs[matched]])
    np.maximum.at(last_s, index[matched], take.onset_s[pairs[matched]])
    count = np.bincount(index[matched], minlength=len(size))
    out = guess_s.copy()
    for chord in np.flatnonzero((count >= 4) & (last_s - first_s > _ROLL_S)).tolist():
        rows = np.flatnonzero(index == chord)
        rank = np.argsort(np.argsort(score.pitch[rows], kind="stable"), kind="stable")
        has = matched[rows]
        heard_s = take.onset_s[pairs[rows[has]]]
        line = np.polyfit(rank[has], heard_s, 1)
        off_s = heard_s - np.polyval(line, rank[has])
        if line[0] > 0.0 and np.std(off_s) < 0.25 * np.std(heard_s):
            out[rows] = np.polyval(line, rank)
    return out


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
