"""The warp: which moment of one performance is which of another, of two recordings or of a recording and written notes.

Conventions
-----------
Times are seconds of each performance. The map is piecewise linear between knots and strictly increasing within a part;
between parts one side has music that the other has not (an intro, a cut, applause, a repeat), and there the map is not
known (NaN). Method: the two are held side by side coarsely first, as a whole, in whatever stretches match
(`core.kernels.chain_path`), then ever finer in a tube around the path (`core.kernels.tube_path`). What matching by
chance is worth is learnt from the same two performances, one of them played backwards: it has the same harmonies, the
same rhythms and the same instruments, and no common music. A stretch counts only if it is worth more than that.

References
----------
Müller 2015, Fundamentals of Music Processing, chapters 3 and 7 (alignment, subsequences, partial matching).
Ewert, Müller and Grosche 2009, High resolution audio synchronization using chroma onset features, ICASSP.
Müller, Mattes and Kurth 2006, An efficient multiscale approach to audio synchronization, ISMIR.
Prätzlich, Driedger and Müller 2016, Memory-restricted multiscale dynamic time warping, ICASSP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..core.errors import TakeprintError
from .warp_features import WarpFeatures
from .warp_levels import Gains, Pooled, gains, pooled, tuning_thirds
from .warp_paths import BEND, extended, joined_parts, knots_of, refined

# Pairs of rows of the coarsest level, and of the one at which transpositions are tried.
_CELLS, _FEW_CELLS = 1_000_000, 300_000
# Onsets alone need a finer grid, of so many frames of features, and as a makeshift of twice as many.
_RHYTHM_CELLS, _RHYTHM_FACTOR = 24_000_000, 4
# Keys in which the take is held backwards against the reference, semitones from its own.
_OTHER_KEYS = (0, -4, 3, 5)
# How many times more than by chance the best stretch must be worth.
_LEAST_RATIO = 3.0
# Beyond this ratio onsets alone are not tried: they tell less of tonal music.
_BEYOND_DOUBT = 8.0
# A stretch of so many seconds worth one standard deviation above the threshold comes about easily (s).
_LEAST_S = 2.0
# Another transposition than none must be worth this much more: without tones all are worth the same.
_RATHER_NONE = 1.1


@dataclass(frozen=True, eq=False)
class Warp:
    """The map between two performances.

    Parameters
    ----------
    reference_s, time_s : ndarray [shape=(k,)], seconds
        Knots: a moment of the reference, and the take's moment that is the same in the music.
    part : ndarray of int64 [shape=(k,)]
        Number of the continuous part that a knot belongs to, from 0 on.
    transposition_cents : float
        How far the take sounds above the reference.
    confidence : float
        0 to 1: how far the match is from what chance gives.
    evidence : dict
        The figures behind it: ``gain`` of the best stretch, ``chance``, their ``ratio``, ``shared_s``, ``parts``.
    """

    reference_s: np.ndarray
    time_s: np.ndarray
    part: np.ndarray
    transposition_cents: float = 0.0
    confidence: float = 1.0
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def take_at(self, reference_s: Any) -> np.ndarray:
        """Return the take's time of each moment of the reference, seconds; NaN outside the parts."""
        return _mapped(self.reference_s, self.time_s, self.part, reference_s)

    def reference_at(self, time_s: Any) -> np.ndarray:
        """Return the reference's time of each moment of the take, seconds; NaN outside the parts."""
        return _mapped(self.time_s, self.reference_s, self.part, time_s)


def _mapped(x: np.ndarray, y: np.ndarray, part: np.ndarray, at: Any) -> np.ndarray:
    at = np.asarray(at, dtype=np.float64)
    if len(x) < 2:
        return np.full(at.shape, np.nan)
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    # On the last knot of a part the segment before it tells.
    i = np.where((part[i] != part[i + 1]) & (at == x[i]) & (i > 0), i - 1, i)
    inside = (at >= x[i]) & (at <= x[i + 1]) & (part[i] == part[i + 1])
    share = (at - x[i]) / (x[i + 1] - x[i])
    # Where the map is a constant shift it is one exactly.
    shift = y - x
    return np.where(inside, at + shift[i] + share * (shift[i + 1] - shift[i]), np.nan)


def align_features(take: WarpFeatures, reference: WarpFeatures) -> Warp:
    """Find which moments of two performances belong together.

    Parameters
    ----------
    take, reference : WarpFeatures

    Returns
    -------
    Warp

    Raises
    ------
    TakeprintError
        Where one of them is silent, or nothing matches: with the figures.
    """
    if _same(take, reference):
        end_s = len(take) * take.hop_s
        ends = np.array([0.0, end_s])
        return Warp(
            ends, ends.copy(), np.zeros(2, np.int64), evidence={"identical": True, "shared_s": end_s, "parts": 1}
        )
    for side, name in ((take, "the take"), (reference, "the reference")):
        _refuse_nothing(side, name)
    match = _match(take, reference)
    factor, parts, evidence = match.factor, match.parts, match.evidence
    pair = match.pair
    while factor > 1:
        coarser, factor = factor, max(factor // 4, 1)
        pair = replace(pair, take=pooled(take, factor), reference=pooled(reference, factor))
        level = pair.gains()
        parts = [refined(level, path * (coarser / factor), coarser / factor, pair.hop_s) for path in parts]
        parts = [path for path in parts if len(path) > 1]
    if not parts:
        _refuse_different(evidence)
    strokes = pooled(take, 1).strokes(), pooled(reference, 1).strokes()
    ends = len(reference) * reference.hop_s, len(take) * take.hop_s
    knots = extended([knots_of(path, *strokes, take.hop_s) for path in parts], *ends)
    part = np.concatenate([np.full(len(k), n) for n, k in enumerate(knots)])
    reference_s, time_s = np.concatenate(knots).T
    evidence |= {"shared_s": float(sum(k[-1, 0] - k[0, 0] for k in knots)), "parts": len(knots)}
    cents = _cents(take, reference, pair.thirds) if pair.tones else 0.0
    return Warp(reference_s, time_s, part, cents, evidence["confidence"], evidence)


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two performances at one level, and how they are held side by side.

    The take's pitches lie ``thirds`` of a semitone above the reference's, and those ``tuning`` above A = 440 Hz;
    by tones and onsets, or by onsets alone.
    """

    take: Pooled
    reference: Pooled
    thirds: int
    tuning: int
    tones: bool = True

    @property
    def hop_s(self) -> float:
        return self.take.hop_s

    def gains(self) -> Gains:
        return gains(self.take.side(self.thirds + self.tuning), self.reference.side(self.tuning), tones=self.tones)


@dataclass(frozen=True, eq=False)
class _Match:
    """What the coarsest level gives."""

    pair: _Pair
    factor: int
    parts: list[np.ndarray]
    evidence: dict[str, Any]


def _match(take: WarpFeatures, reference: WarpFeatures) -> _Match:
    """Hold two performances side by side as a whole: by tones and onsets, and by onsets alone where that tells more.

    Raises
    ------
    TakeprintError
        Where no stretch is worth enough more than by chance.
    """
    thirds, tuning = _transposition(take, reference)
    factor = _factor(take, reference, _CELLS)
    best = _coarse(_Pair(pooled(take, factor), pooled(reference, factor), thirds, tuning), factor)
    if best.evidence["ratio"] < _BEYOND_DOUBT:
        factor = max(_factor(take, reference, _RHYTHM_CELLS), _RHYTHM_FACTOR)
        if factor <= 2 * _RHYTHM_FACTOR:
            rhythm = _Pair(pooled(take, factor), pooled(reference, factor), 0, tuning, tones=False)
            best = max(best, _coarse(rhythm, factor), key=lambda m: m.evidence["ratio"])
    if best.evidence["ratio"] < _LEAST_RATIO:
        _refuse_different(best.evidence)
    return best


def _same(take: WarpFeatures, reference: WarpFeatures) -> bool:
    return len(take) == len(reference) > 0 and all(
        np.array_equal(getattr(take, name), getattr(reference, name)) for name in ("chroma", "onset", "level_db")
    )


def _refuse_nothing(side: WarpFeatures, name: str) -> None:
    """Refuse a performance in which nothing is heard."""
    if len(side) < 25 or side.level_db.max(initial=-np.inf) < -100.0 or not side.onset.any():
        raise TakeprintError(
            f"{name} holds no sound ({side.duration_s:.1f} s, loudest {side.level_db.max(initial=-120.0):.0f} dB)",
            rule="only what sounds can be held against what sounds",
            code="warp.silent",
        )


def _factor(take: WarpFeatures, reference: WarpFeatures, cells: int) -> int:
    """Return the least power of two at which two performances make no more than so many pairs of rows."""
    factor = 1
    while (len(take) // factor) * (len(reference) // factor) > cells:
        factor *= 2
    return factor


def _transposition(take: WarpFeatures, reference: WarpFeatures) -> tuple[int, int]:
    """Return how far the take lies above the reference, and the reference above A = 440 Hz, in thirds of semitones."""
    from ..core.kernels.chain_path import chain_path

    tuning = round(tuning_thirds(reference))
    off = round(_detuning(take, reference))
    factor = max(_factor(take, reference, _FEW_CELLS), 4)
    pair = _Pair(pooled(take, factor), pooled(reference, factor), 0, tuning)
    worth = {}
    for thirds in range(off - 18, off + 18, 3):
        total = chain_path(replace(pair, thirds=thirds).gains().matrix(), np.inf, BEND)[1]
        worth[thirds] = total * (_RATHER_NONE if abs(thirds) <= 1 else 1.0)
    return max(worth, key=lambda t: worth[t]), tuning


def _detuning(take: WarpFeatures, reference: WarpFeatures, near: int = 0) -> float:
    """Return how far the take's tuning lies above the reference's, in thirds of a semitone, within 1.5 of ``near``."""
    off = tuning_thirds(take) - tuning_thirds(reference)
    return near + ((off - near + 1.5) % 3.0 - 1.5)


def _cents(take: WarpFeatures, reference: WarpFeatures, thirds: int) -> float:
    return 100.0 / 3.0 * _detuning(take, reference, thirds)


def _chance(pair: _Pair) -> float:
    """Return the most that a stretch of the take played backwards is worth, in its own and in other keys."""
    from ..core.kernels.chain_path import chain_path

    back = replace(pair, take=pair.take.backwards())
    worth = [_LEAST_S / pair.hop_s]
    for semitones in _OTHER_KEYS if pair.tones else _OTHER_KEYS[:1]:
        matrix = replace(back, thirds=pair.thirds + 3 * semitones).gains().matrix()
        worth.append(chain_path(matrix, np.inf, BEND)[1])
    return float(max(worth))


def _coarse(pair: _Pair, factor: int) -> _Match:
    """Return the stretches that match, as paths of (row, column), and the evidence."""
    from ..core.kernels.chain_path import chain_path

    matrix = pair.gains().matrix()
    chance = _chance(pair)
    path, _ = chain_path(matrix, chance, BEND)
    worth = np.zeros(0)
    if len(path):
        steps = np.diff(path[:, :2].sum(1), prepend=path[0, :2].sum() - 2)
        steps[np.diff(path[:, 2], prepend=0) > 0] = 2
        worth = np.bincount(path[:, 2], matrix[path[:, 0], path[:, 1]] * steps / 2.0)
    best = float(worth.max(initial=0.0))
    evidence: dict[str, Any] = {
        "gain": best,
        "chance": chance,
        "ratio": best / chance,
        "by": "tones and onsets" if pair.tones else "onsets",
        "confidence": float(np.clip(1.0 - chance / best, 0.0, 1.0)) if best > 0 else 0.0,
    }
    paths = [path[path[:, 2] == n, :2] for n in range(len(worth)) if worth[n] > 0]
    return _Match(pair, factor, joined_parts(paths, pair.hop_s), evidence)


def _refuse_different(evidence: Mapping[str, Any]) -> None:
    raise TakeprintError(
        f"the two do not match: their best common stretch is worth {evidence['gain']:.0f}, "
        f"{evidence['ratio']:.1f} times what the same two give backwards ({evidence['chance']:.0f})",
        rule=f"the same music is worth at least {_LEAST_RATIO:g} times as much",
        remedy="give a take and a reference of the same piece",
        code="warp.different",
    )
