"""Follow a take through its score: where in the score each played note belongs, with leaps back and forth.

Conventions
-----------
A *position* is a place of the score with one or more written notes: notes of one written onset, or of one chord where
the reference is itself a free performance. Positions are numbered in the score's order. A *go* is a stretch of the take
that follows the score without a leap.

Method
------
A path over (position, played note) by dynamic programming (``core.kernels.jump_path``). It counts pitches in order and
no time, so that tempo, waits, rolls and trills cost nothing. Long pieces are first followed in blocks, by the pitches
that two blocks share, and then only near that coarse path: the work grows with the length, not with its square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.notes import Notes

# Notes of one chord in a free performance follow each other this closely.
_CHORD_GAP_S, _CHORD_SPAN_S = 0.035, 0.12
# Prices in units of one explained note: of a played note that is not written there, of the same pitch again at once (a
# trill), of a written note passed over, of going back at all and by each position, of a leap anywhere.
_ADDED, _ADDED_AGAIN, _PASSED, _BACK, _BACK_EACH, _LEAP, _LEAP_EACH = 0.5, 0.1, 0.5, 7.0, 0.1, 40.0, 0.03
_AGAIN_S, _AGAIN_NOTES, _GAIN_AGAIN = 0.4, 6, 0.5
# Price of a rhythm that does not fit, and the beats on either side that make a tempo.
_RHYTHM, _SPREAD_S, _TEMPO_BEATS = 2.0, 0.08, 3.0
# A go with fewer notes than this that are written where it says, or a smaller share of them, is chance.
_LEAST_GO, _LEAST_GO_SHARE = 6, 0.5
# Foreign music within a go is written where it says in fewer notes than one of these, clearly so from that many notes.
_FOREIGN_IN, _FOREIGN_NOTES = 4, 64
# Beside it, so many more written notes than others are the piece: a walk that gains by chance 2 times in 5 hardly ever
# comes so far.
_CLEAR = 24
# Table of a song, all of it looked at, and of longer pieces with many leaps: bytes.
_TABLE_CELLS, _MOST_CELLS = 16_000_000, 64_000_000
_BLOCK, _BLOCKS, _BLOCK_LEAP = 8, 1500, 4.0
# Beside a first path, the second looks this far.
_NEAR_NOTES, _NEAR_POSITIONS = 32, 24


@dataclass(frozen=True)
class Positions:
    """The score's places.

    Parameters
    ----------
    of_note : ndarray of int [shape=(n_score,)]
        Position of each written note.
    at : ndarray [shape=(n,)], beats, or seconds of a free reference
        Increasing.
    size : ndarray of int [shape=(n,)]
        Written notes of each.
    is_free : bool
        Whether the reference is a free performance.
    """

    of_note: np.ndarray
    at: np.ndarray
    size: np.ndarray
    is_free: bool


@dataclass(frozen=True)
class Course:
    """Where each played note belongs.

    Parameters
    ----------
    position : ndarray of int [shape=(n_take,)]
    is_written : ndarray of bool [shape=(n_take,)]
        Whether the note's pitch is written at its position.
    go : ndarray of int [shape=(n_take,)]
        Number of the go; -1 for notes of none.
    owner : ndarray of int [shape=(n_positions,)]
        The go whose notes count for each position: the last that plays it; -1 for none.
    total : float
        What the path gained, in notes.
    """

    position: np.ndarray
    is_written: np.ndarray
    go: np.ndarray
    owner: np.ndarray
    total: float


def is_written_out(notes: Notes) -> bool:
    """Tell a written score from a free take: its notes lie on 48ths or fifths of a beat, or share their onsets."""
    beat = np.sort(notes.onset_beat)
    off = np.minimum(
        np.abs(beat * 48.0 - np.round(beat * 48.0)) / 48.0, np.abs(beat * 20.0 - np.round(beat * 20.0)) / 20.0
    )
    if np.mean(off < 0.0022) > 0.9:
        return True
    step_s = np.diff(np.sort(notes.onset_s))
    together, nearly = int((np.diff(beat) < 1e-6).sum()), int(((step_s > 1e-4) & (step_s < _CHORD_GAP_S)).sum())
    return together > nearly


def positions_of(score: Notes) -> Positions:
    """Group the score's notes into positions."""
    if is_written_out(score):
        at, of_note = np.unique(np.round(score.onset_beat, 6), return_inverse=True)
        return Positions(of_note, at, np.bincount(of_note), False)
    order = np.argsort(score.onset_s, kind="stable")
    onset_s = score.onset_s[order]
    starts, number = [0], np.zeros(len(score), dtype=np.int64)
    for row, (time_s, step_s) in enumerate(zip(onset_s[1:].tolist(), np.diff(onset_s).tolist(), strict=True), 1):
        if step_s > _CHORD_GAP_S or time_s - onset_s[starts[-1]] > _CHORD_SPAN_S:
            starts.append(row)
        number[row] = len(starts) - 1
    of_note = np.zeros(len(score), dtype=np.int64)
    of_note[order] = number
    size = np.bincount(number)
    return Positions(of_note, np.bincount(number, weights=onset_s) / size, size, True)


def follow(positions: Positions, score_key: np.ndarray, take_key: np.ndarray, onset_s: np.ndarray) -> Course:
    """Find the path of a take through its score.

    Parameters
    ----------
    positions : Positions
    score_key, take_key : ndarray of int [shape=(n_score,)], [shape=(n_take,)]
        What must agree between a written and a played note.
    onset_s : ndarray [shape=(n_take,)], seconds
    """
    from ..core.kernels.jump_path import jump_path

    order = np.argsort(onset_s, kind="stable")
    kinds, written = np.unique(score_key, return_inverse=True)
    played = np.searchsorted(kinds, take_key[order])
    foreign = (played == len(kinds)) | (kinds[np.minimum(played, len(kinds) - 1)] != take_key[order])
    played[foreign] = len(kinds)
    n, m = len(positions.at), len(order)
    member = np.zeros((len(kinds) + 1, n), dtype=np.uint8)
    member[written, positions.of_note] = 1
    low, high = _corridor(positions, written, played, len(kinds) + 1)
    before = _same_before(played)
    time_s = onset_s[order]
    again = _shaken(before, take_key[order], time_s)
    added = np.where(again, _ADDED_AGAIN, _ADDED)
    gain = np.where(again, _GAIN_AGAIN, 1.0) + _PASSED
    toll = _PASSED * member.sum(axis=0)
    # First by pitches alone; the tempo that this shows lets rhythm tell the rest.
    due = np.arange(n + 1.0)
    for rhythm in (0.0, _RHYTHM):
        price = np.array([_BACK, _BACK_EACH, _LEAP, _LEAP_EACH, rhythm, _SPREAD_S])
        position, step, total = jump_path(
            member, toll, due, played, before, np.ascontiguousarray(time_s), low, high, gain, added, price
        )
        due = _at_local_tempo(positions.at, position, step, time_s)
        near = _near(position, n)
        if (near[1] - near[0]).sum() <= max(_MOST_CELLS, (high - low).sum()):
            low, high = near
    leapt = np.cumsum(step & 3 >= 2) - 1
    is_written = step >= 4
    go = _with_support(leapt, is_written)
    owner = _owners(position, is_written, go, n)
    back = np.empty(m, dtype=np.int64)
    back[order] = np.arange(m)
    return Course(position[back], is_written[back], go[back], owner, float(total))


def _at_local_tempo(at: np.ndarray, position: np.ndarray, step: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Return when each position, and the end, would come if the score were played once at the local tempo."""
    n = len(at)
    if n < 2:
        return np.arange(n + 1.0)
    period = np.full(n, np.nan)
    starts = np.flatnonzero(step & 3 >= 2)
    for first, last in zip(starts, np.append(starts[1:], len(position)), strict=True):
        rows = np.arange(first, last)[step[first:last] >= 4]
        if len(rows) < 2:
            continue
        where, index = np.unique(position[rows], return_index=True)
        when_s = time_s[rows[index]]
        if len(where) < 2:
            continue
        x = at[where]
        here = at[where[0] : where[-1] + 1]
        early, late = np.clip(here - _TEMPO_BEATS, x[0], x[-1]), np.clip(here + _TEMPO_BEATS, x[0], x[-1])
        period[where[0] : where[-1] + 1] = (np.interp(late, x, when_s) - np.interp(early, x, when_s)) / (late - early)
    usual = float(np.nanmedian(period)) if np.isfinite(period).any() else 1.0
    period = np.clip(np.where(np.isfinite(period), period, usual), 0.1 * usual, 10.0 * usual)
    step_beat = np.diff(at)
    step_beat = np.append(step_beat, np.median(step_beat))
    return np.r_[0.0, np.cumsum(np.maximum(period * step_beat, 1e-3))]


def _shaken(before: np.ndarray, key: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Tell which notes come back at once after a neighbour: those of a trill, that say little about the place."""
    again = (before >= 0) & (time_s - time_s[before] < _AGAIN_S)
    neighbour = np.zeros(len(key), dtype=bool)
    for back in range(1, _AGAIN_NOTES):
        between = np.arange(len(key)) - back
        step = np.abs(key - key[np.maximum(between, 0)])
        neighbour |= (between > before) & (between >= 0) & (step >= 1) & (step <= 2)
    return again & neighbour


def _same_before(played: np.ndarray) -> np.ndarray:
    """Return the row of the note before with the same pitch, -1 for none."""
    order = np.argsort(played, kind="stable")
    before = np.full(len(played), -1, dtype=np.int64)
    same = played[order[1:]] == played[order[:-1]]
    before[order[1:][same]] = order[:-1][same]
    return before


def _with_support(leapt: np.ndarray, is_written: np.ndarray) -> np.ndarray:
    """Give each note its go's number, -1 where a go, or a stretch of it, explains too few notes to be one."""
    pieces: list[tuple[int, int]] = []
    edges = np.r_[0, np.flatnonzero(np.diff(leapt)) + 1, len(leapt)]
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        kept = _without_foreign(is_written[first:end])
        pieces += [(first + a, first + b) for a, b in kept]
    go = np.full(len(leapt), -1, dtype=np.int64)
    if not pieces:
        return go
    explained = np.array([is_written[a:b].sum() for a, b in pieces])
    total = np.array([b - a for a, b in pieces])
    sure = (explained >= min(_LEAST_GO, explained.max())) & (explained >= _LEAST_GO_SHARE * total)
    sure[np.argmax(explained)] = explained.max() > 0
    for (a, b), is_sure in zip(pieces, sure.tolist(), strict=True):
        if is_sure:
            go[a:b] = leapt[a]
    return go


def _without_foreign(is_written: np.ndarray) -> list[tuple[int, int]]:
    """Return the stretches (first, end) of a go that are left when foreign music is cut out, in order.

    A written note counts as many as foreign ones it outweighs: the stretch in which the sum falls most is cut first,
    then the parts beside it are looked at in turn. Of such a part the best stretch is left, where the sum of written
    notes less others is largest, and clear; a go without one is left whole.
    """
    kept, waiting = [], [(0, len(is_written))]
    while waiting:
        first, end = waiting.pop()
        height = np.r_[0, np.cumsum(np.where(is_written[first:end], _FOREIGN_IN - 1, -1))]
        fall = np.maximum.accumulate(height) - height
        low = int(fall.argmax())
        if fall[low] < _FOREIGN_NOTES:
            if end - first == len(is_written):
                return [(first, end)]
            # Its best stretch: what lies beside it is foreign too.
            height = np.r_[0, np.cumsum(np.where(is_written[first:end], 1, -1))]
            rise = height - np.minimum.accumulate(height)
            high = int(rise.argmax())
            if rise[high] >= _CLEAR:
                kept.append((first + int(height[: high + 1].argmin()), first + high))
            continue
        high = int(height[: low + 1].argmax())
        waiting += [(first, first + high), (first + low, end)]
    return sorted(kept) or [(0, len(is_written))]


def _owners(position: np.ndarray, is_written: np.ndarray, go: np.ndarray, n: int) -> np.ndarray:
    """Return for each position the last go that plays it, -1 for none."""
    owner = np.full(n, -1, dtype=np.int64)
    gaps = []
    edges = np.r_[0, np.flatnonzero(np.diff(go)) + 1, len(go)]
    last: dict[int, int] = {}
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        number = int(go[first])
        mine = position[first:end][is_written[first:end]]
        if number < 0 or len(mine) == 0:
            continue
        owner[mine.min() : mine.max() + 1] = number
        if number in last:
            gaps.append((number, last[number], int(mine.min())))
        last[number] = int(mine.max()) + 1
    # What lies between two stretches of one go is its own, unless another plays it.
    for number, first, end in gaps:
        between = owner[first:end]
        between[between < 0] = number
    return owner


def _unit_rows(count: np.ndarray) -> np.ndarray:
    return count / np.maximum(np.sqrt((count**2).sum(axis=1, keepdims=True)), 1e-9)


def _near(position: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions about a path, also what lies between where it leaps."""
    m = len(position)
    starts = np.arange(0, m, _NEAR_NOTES)
    least, most = np.minimum.reduceat(position, starts), np.maximum.reduceat(position, starts)
    least, most = np.r_[least[:1], least, least[-1:]], np.r_[most[:1], most, most[-1:]]
    least = np.minimum(np.minimum(least[:-2], least[1:-1]), least[2:])
    most = np.maximum(np.maximum(most[:-2], most[1:-1]), most[2:])
    block = np.arange(m) // _NEAR_NOTES
    return np.maximum(least - _NEAR_POSITIONS, 0)[block], np.minimum(most + _NEAR_POSITIONS + 1, n)[block]


def _corridor(
    positions: Positions, written: np.ndarray, played: np.ndarray, n_kinds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions each played note may have: all of them in a song, near a coarse path in more."""
    n, m = len(positions.at), len(played)
    if n * m <= _TABLE_CELLS:
        return np.zeros(m, dtype=np.int64), np.full(m, n, dtype=np.int64)
    from ..core.kernels.block_path import block_path

    blocks_a, blocks_b = (int(np.clip(size // _BLOCK, 1, _BLOCKS)) for size in (n, m))
    edge_a = np.linspace(0, n, blocks_a + 1).astype(np.int64)
    edge_b = np.linspace(0, m, blocks_b + 1).astype(np.int64)
    count_a, count_b = np.zeros((blocks_a, n_kinds)), np.zeros((blocks_b, n_kinds))
    np.add.at(count_a, (np.searchsorted(edge_a, positions.of_note, side="right") - 1, written), 1.0)
    np.add.at(count_b, (np.searchsorted(edge_b, np.arange(m), side="right") - 1, played), 1.0)
    likeness = _unit_rows(count_b) @ _unit_rows(count_a).T
    likeness = np.ascontiguousarray(likeness)
    size = np.bincount(np.searchsorted(edge_b, np.arange(m), side="right") - 1, minlength=blocks_b)
    leap = _BLOCK_LEAP
    while True:
        at, _ = block_path(likeness, leap)
        # A block on either side, and where the path leaps all that lies between.
        first, last = at.copy(), at.copy()
        for side in (-2, -1, 1, 2):
            near = at[np.clip(np.arange(blocks_b) + side, 0, blocks_b - 1)]
            first, last = np.minimum(first, near), np.maximum(last, near)
        low = edge_a[np.maximum(first - 2, 0)]
        high = edge_a[np.minimum(last + 3, blocks_a)]
        # Leaps everywhere would open the whole table; from a price of all blocks on there are none.
        if (high - low) @ size <= _MOST_CELLS or leap > blocks_b:
            break
        leap *= 4.0
    block = np.searchsorted(edge_b, np.arange(m), side="right") - 1
    return low[block], high[block]
