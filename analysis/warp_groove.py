"""Two performances held side by side by their strokes alone: drums, and whatever else has no tones that tell.

Conventions
-----------
A groove repeats every bar, and many a groove is the same backwards: that a stretch is worth more than backwards says
little of it, and the same groove elsewhere matches nearly as well. What tells is that one long path at a steady speed
explains the strokes of both performances from their beginnings to their ends. So bends cost more than where tones
lead, the tempo ratio is taken out before, and what counts is how well the strokes agree along the path and how much of
both it covers; ``ratio`` still says how much better that is than backwards.

Strokes are told by band, relative to the loudest around them and to the mean of the seconds around: what agrees is
when which drum is struck, and neither how loud nor in what room.

References
----------
Müller 2015, Fundamentals of Music Processing, chapters 6 and 7 (onset functions; matching procedures).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .warp_features import WarpFeatures
from .warp_levels import Gains, Pooled

# A stroke is felt so far around it (s): hands are not exact. Its band's mean is of so long (s).
_FELT_S, _MEAN_S = 0.04, 2.0
# A pair of rows is worth something from here on, in standard deviations of pairs at random.
_THRESHOLD = 0.2
# What a step costs in which one side goes twice as far as the other, at rows of one second: hands keep their tempo, and
# finer rows tell no more.
_BEND_S = 0.08
# Speeds that differ by less are the same.
_NO_OTHER = 0.005


def strokes_of(side: Pooled) -> np.ndarray:
    """Return the strokes of a performance by band, each with mean 0 and spread 1 [shape=(n, 7)], float32."""
    from scipy.ndimage import gaussian_filter1d, uniform_filter1d

    felt = gaussian_filter1d(np.sqrt(side.strokes()), _FELT_S / side.hop_s, axis=0)
    felt -= uniform_filter1d(felt, 2 * round(0.5 * _MEAN_S / side.hop_s) + 1, axis=0)
    return np.asarray(felt / (felt.std(0) + 1e-3), dtype=np.float32)


def groove_gains(take: Pooled, reference: Pooled) -> Gains:
    """Return what pairs of rows are worth by their strokes alone: by their scalar product."""
    sides = strokes_of(take), strokes_of(reference)
    rng = np.random.default_rng(0)
    i, j = (rng.integers(0, len(side), 4000) for side in sides)
    sd = max(float((sides[0][i] * sides[1][j]).sum(1).std()), 1e-6)
    return Gains(
        np.ascontiguousarray(sides[0] / np.float32(sd)),
        np.ascontiguousarray(sides[1].T),
        np.full(len(sides[0]), -_THRESHOLD, np.float32),
        np.zeros(len(sides[1]), np.float32),
    )


def groove_bend(hop_s: float) -> float:
    """Return what a bend of a path costs at rows of so many seconds."""
    return _BEND_S / hop_s


def speed_of(path: np.ndarray) -> float:
    """Return how many rows of the take a row of the reference is, of a path of (take's row, reference's row).

    The median over stretches of the path, so that a cut does not count; 1 where it is nearly that.
    """
    along = max(len(path) // 4, 1)
    rows = (path[along:] - path[:-along]).astype(np.float64)
    if len(path) < 8:
        return 1.0
    speed = float(np.median(rows[:, 0] / rows[:, 1]))
    return speed if abs(speed - 1.0) > _NO_OTHER else 1.0


def at_speed(features: WarpFeatures, speed: float) -> WarpFeatures:
    """Return a performance as if it were played so many times faster."""
    rows = np.arange(int((len(features) - 1) / speed) + 1) * speed
    below = np.minimum(rows.astype(np.int64), len(features) - 2)
    share = (rows - below).astype(np.float32)

    def between(x: np.ndarray) -> np.ndarray:
        weight = share[:, None] if x.ndim == 2 else share
        return ((1 - weight) * x[below].astype(np.float32) + weight * x[below + 1].astype(np.float32)).astype(x.dtype)

    return WarpFeatures(features.hop_s, between(features.chroma), between(features.onset), between(features.level_db))


def shares_of(take: Pooled, reference: Pooled, paths: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the shares of the take's and of the reference's strokes that lie within paths of their rows."""
    out = []
    for which, side in enumerate((take, reference)):
        strength = side.strokes().sum(1)
        inside = sum(float(strength[path[0, which] : path[-1, which] + 1].sum()) for path in paths)
        out.append(inside / max(float(strength.sum()), 1e-9))
    return out[0], out[1]


def without(matrix: np.ndarray, paths: Sequence[np.ndarray], reach: int) -> np.ndarray:
    """Take from gains what lies within so many columns of paths, in place: so that the best elsewhere can be found."""
    for path in paths:
        rows = np.arange(path[0, 0], path[-1, 0] + 1)
        columns = np.round(np.interp(rows, path[:, 0], path[:, 1])).astype(np.int64)
        for off in range(-reach, reach + 1):
            inside = (columns + off >= 0) & (columns + off < matrix.shape[1])
            matrix[rows[inside], columns[inside] + off] = -10.0
    return matrix
