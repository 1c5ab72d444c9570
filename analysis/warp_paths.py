"""Paths of cells on their way to a map: joined, refined in tubes, smoothed to knots, extended to their ends.

Conventions
-----------
A path is rows (cell of the take, cell of the reference), in order. Knots are rows (reference_s, time_s), both strictly
increasing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .warp_levels import Gains

# Two stretches are one where what lies between them is no longer than this on either side (s), or where it is about as
# long on both sides and no longer than the second figure: the player held on, or played something else for a while.
_HELD_S, _OTHERWISE_S = 3.0, 12.0
# Reach of the tube around a coarser path beyond that path's own coarseness (s), and beyond its ends.
_REACH_S, _ENDS_S = 0.8, 1.0
# What a step costs in which one side goes twice as far as the other, and one in which it alone goes on, in standard
# deviations of gains.
BEND, _HOLD = 0.3, 1.0
# A path is smoothed over so long (s); knots are left out where the map stays this close without them (s).
_SMOOTH_S, _EXACT_S = 0.12, 0.001
# A part longer than this (s, both sides together) that is straight within a frame is taken to be straight.
_STRAIGHT_S = 20.0
# Strokes tell how late the take is within so many frames, over so long (s).
_LAGS, _LATE_S = 4, 2.5
# Beyond what matches a part is extended by no more than this (s), at the tempo of its end.
_EXTENDED_S = 0.5


def joined_parts(paths: Sequence[np.ndarray], hops_s: tuple[float, float]) -> list[np.ndarray]:
    """Join stretches between which nothing, or the same time in another way, is played."""
    out: list[np.ndarray] = []
    for path in paths:
        if out:
            rows, columns = (path[0] - out[-1][-1]) * np.array(hops_s)
            longer, shorter = max(rows, columns), min(rows, columns)
            if longer <= _HELD_S or (longer <= _OTHERWISE_S and longer <= 2.0 * shorter):
                out[-1] = np.concatenate([out[-1], path])
                continue
        out.append(path)
    return out


def refined(level: Gains, path: np.ndarray, coarseness: float, hop_s: float, bend: float = BEND) -> np.ndarray:
    """Return the best path of a level near a coarser one.

    Parameters
    ----------
    level : Gains
    path : ndarray [shape=(k, 2)]
        In cells of this level.
    coarseness : float
        Cells of this level that a cell of the coarser one holds.
    hop_s : float, seconds
    bend : float
        What a bend costs; to hold on costs as much, and at least `_HOLD`.
    """
    from ..core.kernels.tube_path import tube_path

    n, m = len(level.take), level.reference.shape[1]
    ends = max(_ENDS_S / hop_s, 2.0 * coarseness)
    path = np.concatenate([path[:1] - ends, path, path[-1:] + ends])
    rows = np.arange(max(int(np.ceil(path[0, 0])), 0), min(int(path[-1, 0]), n - 1) + 1)
    if not len(rows):
        return np.zeros((0, 2), dtype=np.int64)
    middle = np.interp(rows, path[:, 0], path[:, 1])
    reach = 2.0 * coarseness + _REACH_S / hop_s
    # As far as the path goes on within that many rows before and after, so that a jump lies inside the tube.
    low = np.interp(rows - reach / 2, path[:, 0], path[:, 1])
    high = np.interp(rows + reach / 2, path[:, 0], path[:, 1])
    low = np.clip(np.floor(np.minimum(low, middle - reach)), 0, m - 1).astype(np.int64)
    high = np.clip(np.ceil(np.maximum(high, middle + reach)), 0, m - 1).astype(np.int64)
    first = int(rows[0])
    found, _ = tube_path(
        level.take[first : rows[-1] + 1],
        level.reference,
        level.take_own[first : rows[-1] + 1],
        level.reference_own,
        low,
        high - low + 1,
        bend,
        max(bend, _HOLD),
    )
    found[:, 0] += first
    return found


def knots_of(path: np.ndarray, take_strokes: np.ndarray, reference_strokes: np.ndarray, hop_s: float) -> np.ndarray:
    """Return a path of the finest level as knots (reference_s, time_s) of a smooth map.

    Parameters
    ----------
    path : ndarray of int64 [shape=(k, 2)]
    take_strokes, reference_strokes : ndarray of float32 [shape=(n, 7)], [shape=(m, 7)]
        How much the wide bands rise.
    hop_s : float, seconds
    """
    from scipy.ndimage import gaussian_filter1d

    # Along the sum of both sides, which always grows, their difference is smoothed. Neither side may stand still: where
    # one holds on it creeps, and catches up afterwards.
    along = np.arange(path[0].sum(), path[-1].sum() + 1)
    across = np.interp(along, path.sum(1), path[:, 0] - path[:, 1])
    smooth = gaussian_filter1d(across, 2.0 * _SMOOTH_S / hop_s, mode="nearest")
    smooth += _late(0.5 * (along + smooth), 0.5 * (along - smooth), take_strokes, reference_strokes, hop_s)
    least = 0.025 * np.arange(len(along))
    take, reference = (np.maximum.accumulate(0.5 * x - least) + least for x in (along + smooth, along - smooth))
    slope, begin = np.polyfit(reference, take, 1)
    off = np.abs(take - slope * reference - begin)
    if len(off) * hop_s > _STRAIGHT_S and off.max() < 3.0 and np.quantile(off, 0.95) < 1.0:
        # One recording is a copy of the other, or both follow one click.
        take = slope * reference + begin
    inside = (take >= 0) & (reference >= 0)
    knots = np.stack([reference, take], axis=1)[inside] * hop_s
    return knots[_telling(knots)]


def _late(take: np.ndarray, reference: np.ndarray, a: np.ndarray, b: np.ndarray, hop_s: float) -> np.ndarray:
    """Return by how many frames the take's strokes come later than a path says, smoothed over some seconds.

    Tones are heard through long windows, earlier in a dry room than in a hall; strokes are not. Their correlation along
    the path, at some lags, has its peak where they really lie.
    """
    from scipy.ndimage import gaussian_filter1d

    rows = np.clip(np.round(take).astype(np.int64), 0, len(a) - 1)
    struck = b[np.clip(np.round(reference).astype(np.int64), 0, len(b) - 1)]
    lags = np.arange(-_LAGS, _LAGS + 1)
    agree = np.stack([np.einsum("kb,kb->k", a[np.clip(rows + lag, 0, len(a) - 1)], struck) for lag in lags], axis=1)
    # What the rounding to frames adds is known, and taken away.
    weight = struck.sum(1) + 1e-6
    rounded = ((np.round(take) - take) - (np.round(reference) - reference)) * weight
    # In blocks of a quarter of the time it is smoothed over: it changes slowly.
    length = max(round(0.5 * _LATE_S / hop_s), 1)
    starts = np.arange(0, len(rows), length)
    blocks = np.add.reduceat(np.column_stack([agree, rounded, weight]), starts, axis=0)
    blocks = gaussian_filter1d(blocks.astype(np.float64), 4.0, axis=0, mode="nearest")
    agree = blocks[:, :-2]
    peak = np.clip(agree.argmax(1), 1, len(lags) - 2)
    left, top, right = (agree[np.arange(len(agree)), peak + side] for side in (-1, 0, 1))
    curve = np.maximum(2.0 * top - left - right, 1e-9)
    late = lags[peak] + np.clip(0.5 * (right - left) / curve, -1.0, 1.0) + blocks[:, -2] / blocks[:, -1]
    late = gaussian_filter1d(late, 4.0, mode="nearest")
    return np.interp(np.arange(len(rows)), starts + 0.5 * (length - 1), late)


def _telling(knots: np.ndarray) -> np.ndarray:
    """Return which knots are needed for the map to stay within `_EXACT_S` of itself."""
    shift = knots[:, 1] - knots[:, 0]
    keep = [0]
    spans = [(0, len(knots) - 1)]
    while spans:
        a, b = spans.pop()
        if b - a > 1:
            line = shift[a] + (shift[b] - shift[a]) * (knots[a:b, 0] - knots[a, 0]) / (knots[b, 0] - knots[a, 0])
            off = np.abs(shift[a:b] - line)
            worst = int(off.argmax())
            if off[worst] > _EXACT_S:
                spans += [(a + worst, b), (a, a + worst)]
                continue
        keep.append(b)
    return np.unique(keep)


def apart(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return parts, in order, that overlap on neither side: where two do, they part in the middle of what both claim.

    Refining lets a part reach beyond its ends, and so into the next. What both claim of the one side is cut in halves,
    then what is left of it on the other; a part of which nothing is left is left out.
    """
    out: list[np.ndarray] = []
    for knots in parts:
        later = knots
        while out:
            before, after = _parted(out[-1], later)
            if len(before):
                if len(after):
                    out[-1] = before
                later = after
                break
            out.pop()
        if len(later):
            out.append(later)
    return out


def _parted(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    for side in (0, 1):
        if len(before) and len(after) and after[0, side] < before[-1, side]:
            middle = 0.5 * (after[0, side] + before[-1, side])
            middle = min(max(middle, before[0, side]), after[-1, side])
            before, after = _trimmed(before, side, -np.inf, middle), _trimmed(after, side, middle, np.inf)
    return before, after


def _trimmed(knots: np.ndarray, side: int, begin: float, end: float) -> np.ndarray:
    """Return what of a part lies between two moments of one side, with knots at these."""
    at = np.array([max(begin, knots[0, side]), min(end, knots[-1, side])])
    if at[1] - at[0] < 1e-6:
        return knots[:0]
    ends = np.stack([np.interp(at, knots[:, side], knots[:, n]) for n in (0, 1)], axis=1)
    inside = (knots[:, side] > at[0]) & (knots[:, side] < at[1])
    return np.concatenate([ends[:1], knots[inside], ends[1:]])


def extended(parts: Sequence[np.ndarray], reference_end_s: float, take_end_s: float) -> list[np.ndarray]:
    """Extend parts at their ends a little, at the tempo there, without meeting another or leaving the performances."""
    ends = np.array([reference_end_s, take_end_s])
    out = []
    for n, knots in enumerate(parts):
        before = parts[n - 1][-1] if n else np.zeros(2)
        after = parts[n + 1][0] if n + 1 < len(parts) else ends
        before, after = (
            (0.5 * (before + knots[0]) if n else before),
            (0.5 * (after + knots[-1]) if n + 1 < len(parts) else after),
        )
        far = knots[np.searchsorted(knots[:, 0], knots[0, 0] + 2.0).clip(1, len(knots) - 1)] - knots[0]
        begin = knots[0] - far * min(_EXTENDED_S / far.max(), *((knots[0] - before) / far).clip(0))
        near = knots[(np.searchsorted(knots[:, 0], knots[-1, 0] - 2.0) - 1).clip(0, len(knots) - 2)]
        far = knots[-1] - near
        end = knots[-1] + far * min(_EXTENDED_S / far.max(), *((after - knots[-1]) / far).clip(0))
        rows = [knots]
        if (knots[0] - begin).min() > 1e-6:
            rows.insert(0, begin[None])
        if (end - knots[-1]).min() > 1e-6:
            rows.append(end[None])
        out.append(np.concatenate(rows))
    return out
