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
from .warp_levels import pooled
from .warp_match import best_match, cents_between, refuse_different
from .warp_paths import apart, extended, knots_of, refined

# Share of frames, and of their columns, that are alike to the last digit where two recordings are the same one.
_ALIKE = 0.9


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
        0 to 1: how far the match is from what chance gives, and from what the best match elsewhere does.
    evidence : dict
        The figures behind it: ``gain`` of the best stretch, ``chance``, their ``ratio``, the share of the gain that
        another place gives (``elsewhere``: near 1 where the music repeats, and it may be that place), ``by`` what it
        was told, ``shared_s``, ``parts``; of strokes also what they are ``worth`` and must be (``least_worth``), the
        lesser ``share`` of either side's that is explained, and ``speed``, the take's seconds for one of the
        reference.
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

    def turned(self) -> Warp:
        """Return the same map with the sides exchanged."""
        return replace(
            self, reference_s=self.time_s, time_s=self.reference_s, transposition_cents=-self.transposition_cents
        )


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
    match = best_match(take, reference)
    pair, parts, evidence = match.pair, match.parts, match.evidence
    held = match.take
    while pair.factor > 1:
        coarser, pair = pair, pair.at(held, reference, max(pair.factor // 4, 1))
        level, finer = pair.gains(), coarser.factor / pair.factor
        parts = [refined(level, path * finer, finer, pair.hops_s[0], pair.bend) for path in parts]
        parts = [path for path in parts if len(path) > 1]
    if not parts:
        refuse_different(evidence)
    strokes = pooled(held, 1).strokes(), pooled(reference, 1).strokes()
    lengths_s = len(reference) * reference.hop_s, len(take) * take.hop_s
    knots = [knots_of(path * pair.stretch, *strokes, take.hop_s) * (1.0, match.speed) for path in parts]
    knots = [_exact(k, take, reference) for k in extended(apart(knots), *lengths_s)]
    part = np.concatenate([np.full(len(k), n) for n, k in enumerate(knots)])
    reference_s, time_s = np.concatenate(knots).T
    evidence |= {"shared_s": float(sum(k[-1, 0] - k[0, 0] for k in knots)), "parts": len(knots)}
    cents = cents_between(take, reference, pair.thirds) if pair.tones else 0.0
    return Warp(reference_s, time_s, part, cents, evidence["confidence"], evidence)


def _exact(knots: np.ndarray, take: WarpFeatures, reference: WarpFeatures) -> np.ndarray:
    """Return a part's knots without any error where both sides are one recording, shifted by whole frames."""
    hop_s = take.hop_s
    shift = round(float(np.median(knots[:, 1] - knots[:, 0])) / hop_s)
    first, last = np.round(knots[[0, -1], 0] / hop_s).astype(int)
    first, last = max(first, -shift, 0), min(last, len(reference) - 1, len(take) - 1 - shift)
    if np.abs(knots[:, 1] - knots[:, 0] - shift * hop_s).max() > 2 * hop_s or last - first < 2:
        return knots
    same = np.isclose(reference.level_db[first:last], take.level_db[first + shift : last + shift], atol=1e-3)
    same &= (reference.chroma[first:last] == take.chroma[first + shift : last + shift]).mean(1) > _ALIKE
    if same.mean() < _ALIKE:
        return knots
    ends_s = knots[[0, -1], 0]
    return np.stack([ends_s, ends_s + shift * hop_s], axis=1)


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
