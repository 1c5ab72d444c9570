"""Whether two performances are of one piece, and which stretches of them roughly belong together.

Conventions
-----------
What matching by chance is worth is learnt from the same two performances, one of them played backwards, or in other
keys: it has the same harmonies, rhythms and instruments, and no common music. A stretch counts only if it is worth
more.
Where tones say little (drums) the strokes alone are tried (`analysis.warp_groove`), and where two performances differ
in tempo by more than the steps of a path allow, one of them is held at half the speed.

References
----------
Müller 2015, Fundamentals of Music Processing, chapter 7 (partial matching of music recordings).
That local alignments of unrelated sequences have a score of their own, which a real one must exceed: Karlin and
Altschul 1990, PNAS 87.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.errors import TakeprintError
from .warp_features import WarpFeatures
from .warp_groove import at_speed, groove_bend, groove_gains, shares_of, speed_of, without
from .warp_levels import Gains, Pooled, gains, pooled, tuning_thirds
from .warp_paths import BEND, joined_parts

# Pairs of rows of the coarsest level, and of the one at which transpositions are tried.
_CELLS, _FEW_CELLS = 1_000_000, 300_000
# Strokes alone need a finer grid, of so many frames of features, and where that is too many cells of so many at most.
_GROOVE_CELLS, _GROOVE_FACTOR, _GROOVE_COARSEST = 24_000_000, 2, 8
# Keys in which the take is held backwards against the reference, semitones from its own.
_OTHER_KEYS = (0, -4, 3, 5)
# How many times more than by chance the best stretch must be worth.
_LEAST_RATIO = 2.4
# What a groove must be worth, see `_by_strokes`; and where another place gives so much of it, as any two performances
# of one pulse do when the best of many places is chosen, and as a loop does, which is worth more.
_LEAST_WORTH, _ANYWHERE, _LEAST_WORTH_ANYWHERE = 0.55, 0.87, 0.8
# In a groove a jump costs this share of what chance gives: it repeats, and chance gives much.
_JUMP = 0.3
# Beyond the first ratio other tempi are not tried, beyond the second not strokes alone: they tell less of tonal music.
_BEYOND_DOUBT, _TONES_WILL_DO = 8.0, 4.0
# A path is elsewhere from here on (s): tones last.
_ELSEWHERE_S, _ELSEWHERE_STROKES_S = 1.0, 0.1
# A stretch of so many seconds worth one standard deviation above the threshold comes about easily (s).
_LEAST_S = 2.0
# Another transposition than none must be worth this much more: without tones all are worth the same.
_RATHER_NONE = 1.1


@dataclass(frozen=True, eq=False)
class Pair:
    """Two performances at one level, and how they are held side by side.

    Parameters
    ----------
    take, reference : Pooled
        A row of the take is ``factor * stretch[0]`` frames, one of the reference ``factor * stretch[1]``.
    factor : int
    stretch : tuple of int
    thirds : int
        How far the take's pitches lie above the reference's, in thirds of a semitone.
    tuning : int
        How far the reference's lie above those of A = 440 Hz.
    tones : bool
        By tones and onsets, or by strokes alone.
    """

    take: Pooled
    reference: Pooled
    factor: int
    stretch: tuple[int, int] = (1, 1)
    thirds: int = 0
    tuning: int = 0
    tones: bool = True

    @classmethod
    def of(
        cls, take: WarpFeatures, reference: WarpFeatures, factor: int, stretch: tuple[int, int] = (1, 1), **how: Any
    ) -> Pair:
        """Return two performances at a level."""
        return cls(pooled(take, factor * stretch[0]), pooled(reference, factor * stretch[1]), factor, stretch, **how)

    def at(self, take: WarpFeatures, reference: WarpFeatures, factor: int) -> Pair:
        """Return the same at another level."""
        return Pair.of(take, reference, factor, self.stretch, thirds=self.thirds, tuning=self.tuning, tones=self.tones)

    @property
    def hops_s(self) -> tuple[float, float]:
        """What a row of the take and one of the reference last, seconds."""
        return self.take.hop_s, self.reference.hop_s

    @property
    def bend(self) -> float:
        """What a bend of a path costs."""
        return BEND if self.tones else groove_bend(self.take.hop_s)

    def gains(self) -> Gains:
        """Return what pairs of rows are worth."""
        if not self.tones:
            return groove_gains(self.take, self.reference)
        return gains(self.take.side(self.thirds + self.tuning), self.reference.side(self.tuning))


@dataclass(frozen=True, eq=False)
class Match:
    """What the coarsest level gives: stretches as paths of (take's row, reference's row), and the evidence.

    ``take`` is the take as it is held against the reference: ``speed`` times faster than it is.
    """

    pair: Pair
    parts: list[np.ndarray]
    evidence: dict[str, Any]
    take: WarpFeatures
    speed: float = 1.0


def best_match(take: WarpFeatures, reference: WarpFeatures) -> Match:
    """Hold two performances side by side as a whole: by tones and onsets, and otherwise where that leaves doubts.

    Raises
    ------
    TakeprintError
        Where no stretch is worth enough more than by chance.
    """
    best = _by_tones(take, reference, (1, 1))
    if best.evidence["ratio"] < _BEYOND_DOUBT:
        tried = [best, *(_by_tones(take, reference, stretch) for stretch in ((1, 2), (2, 1)))]
        best = max(tried, key=lambda m: m.evidence["ratio"])
    if best.evidence["ratio"] < _TONES_WILL_DO:
        groove = _by_strokes(take, reference)
        if groove is not None:
            best.evidence.update({name: groove.evidence[name] for name in ("worth", "least_worth")})
            # Whichever is farther from what is least.
            times = groove.evidence["worth"] / groove.evidence["least_worth"]
            if times > max(best.evidence["ratio"] / _LEAST_RATIO, 1.0):
                return groove
    if best.evidence["ratio"] < _LEAST_RATIO:
        refuse_different(best.evidence)
    return best


def _by_tones(take: WarpFeatures, reference: WarpFeatures, stretch: tuple[int, int]) -> Match:
    thirds, tuning, contrast = _transposition(take, reference, stretch)
    factor = _factor(take, reference, _CELLS, stretch)
    return _coarse(take, Pair.of(take, reference, factor, stretch, thirds=thirds, tuning=tuning), contrast)


def _by_strokes(take: WarpFeatures, reference: WarpFeatures) -> Match | None:
    """Hold two performances side by side by their strokes alone; None where that would be too much.

    ``worth`` is what a second of the path gives, times how much more that is than backwards and times the share of
    both sides' strokes that it explains, of both their roots: a groove that is the same backwards is known by the one,
    one that is played loosely in a hall by the other, and neither is worth much where only a piece fits.
    """
    from ..core.kernels.chain_path import chain_path

    factor = max(_factor(take, reference, _GROOVE_CELLS), _GROOVE_FACTOR)
    if factor > _GROOVE_COARSEST:
        return None
    pair = Pair.of(take, reference, factor, tones=False)
    # First with bends that cost little: that tells the speed.
    speed = speed_of(chain_path(pair.gains().matrix(), np.inf, BEND)[0][:, :2])
    if speed != 1.0:
        take = at_speed(take, speed)
        pair = Pair.of(take, reference, factor, tones=False)
    match = replace(_coarse(take, pair, jump=_JUMP), speed=speed)
    if not match.parts:
        return None
    evidence = match.evidence
    share = min(shares_of(pair.take, pair.reference, match.parts))
    length_s = sum(min(path[-1] - path[0]) for path in match.parts) * pair.take.hop_s
    a_second = evidence["gain"] * pair.take.hop_s / max(length_s, _LEAST_S)
    evidence |= {
        "worth": float(a_second * np.sqrt(evidence["ratio"] * share)),
        "least_worth": _LEAST_WORTH if evidence["elsewhere"] < _ANYWHERE else _LEAST_WORTH_ANYWHERE,
        "share": share,
        "speed": speed,
    }
    return match


def _factor(take: WarpFeatures, reference: WarpFeatures, cells: int, stretch: tuple[int, int] = (1, 1)) -> int:
    """Return the least power of two at which two performances make no more than so many pairs of rows."""
    factor = 1
    while (len(take) // (factor * stretch[0])) * (len(reference) // (factor * stretch[1])) > cells:
        factor *= 2
    return factor


def _transposition(take: WarpFeatures, reference: WarpFeatures, stretch: tuple[int, int]) -> tuple[int, int, float]:
    """Return how far the take lies above the reference, and that above A = 440 Hz, in thirds of semitones.

    And how many times more the best stretch is worth in that key than in the next best.
    """
    from ..core.kernels.chain_path import chain_path

    tuning = round(tuning_thirds(reference))
    off = round(_detuning(take, reference))
    pair = Pair.of(take, reference, max(_factor(take, reference, _FEW_CELLS, stretch), 4), stretch, tuning=tuning)
    worth = {}
    for thirds in range(off - 18, off + 18, 3):
        total = chain_path(replace(pair, thirds=thirds).gains().matrix(), np.inf, BEND)[1]
        worth[thirds] = total * (_RATHER_NONE if abs(thirds) <= 1 else 1.0)
    second, best = sorted(worth, key=lambda t: worth[t])[-2:]
    return best, tuning, worth[best] / max(worth[second], _LEAST_S / max(pair.hops_s))


def _detuning(take: WarpFeatures, reference: WarpFeatures, near: int = 0) -> float:
    """Return how far the take's tuning lies above the reference's, in thirds of a semitone, within 1.5 of ``near``."""
    off = tuning_thirds(take) - tuning_thirds(reference)
    return near + ((off - near + 1.5) % 3.0 - 1.5)


def cents_between(take: WarpFeatures, reference: WarpFeatures, thirds: int) -> float:
    """Return how far the take sounds above the reference, near a number of thirds of a semitone."""
    return 100.0 / 3.0 * _detuning(take, reference, thirds)


def _chance(pair: Pair) -> float:
    """Return the most that a stretch of the take played backwards is worth, in its own and in other keys."""
    from ..core.kernels.chain_path import chain_path

    back = replace(pair, take=pair.take.backwards())
    worth = [_LEAST_S / max(pair.hops_s)]
    for semitones in _OTHER_KEYS if pair.tones else _OTHER_KEYS[:1]:
        matrix = replace(back, thirds=pair.thirds + 3 * semitones).gains().matrix()
        worth.append(chain_path(matrix, np.inf, pair.bend)[1])
    return float(max(worth))


def _coarse(take: WarpFeatures, pair: Pair, contrast: float = np.inf, jump: float = 1.0) -> Match:
    """Return the stretches that match, as paths of (row, column), and the evidence."""
    from ..core.kernels.chain_path import chain_path

    matrix = pair.gains().matrix()
    chance = _chance(pair)
    path, total = chain_path(matrix, jump * chance, pair.bend)
    worth: np.ndarray = np.zeros(0)
    if len(path):
        steps = np.diff(path[:, :2].sum(1), prepend=path[0, :2].sum() - 2)
        steps[np.diff(path[:, 2], prepend=0) > 0] = 2
        worth = np.bincount(path[:, 2], matrix[path[:, 0], path[:, 1]] * steps / 2.0)
    # In a groove all stretches together are the evidence: each for itself is found elsewhere, too.
    best = float(worth.max(initial=0.0)) if pair.tones else float(total)
    chance = max(chance, best / contrast)  # music that is not the same matches as well in another key
    paths = [path[path[:, 2] == n, :2] for n in range(len(worth)) if worth[n] > 0]
    elsewhere_s = _ELSEWHERE_S if pair.tones else _ELSEWHERE_STROKES_S
    elsewhere = chain_path(without(matrix, paths, max(round(elsewhere_s / pair.hops_s[1]), 1)), np.inf, pair.bend)[1]
    evidence: dict[str, Any] = {
        "gain": best,
        "chance": chance,
        "ratio": best / chance,
        "elsewhere": elsewhere / best if best > 0 else 1.0,
        "by": "tones and onsets" if pair.tones else "strokes",
        "confidence": float(np.clip(1.0 - max(chance, elsewhere) / best, 0.0, 1.0)) if best > 0 else 0.0,
    }
    return Match(pair, joined_parts(paths, pair.hops_s), evidence, take)


def refuse_different(evidence: Mapping[str, Any]) -> None:
    """Refuse two performances that have no music in common, with the figures."""
    strokes = f", and by their strokes alone {evidence['worth']:.2f}" if "worth" in evidence else ""
    raise TakeprintError(
        f"the two do not match: their best common stretch is worth {evidence['gain']:.0f}, "
        f"{evidence['ratio']:.1f} times what they give backwards or in other keys ({evidence['chance']:.0f}){strokes}",
        rule=f"the same music is worth at least {_LEAST_RATIO:g} times as much"
        + (f", the same groove {evidence['least_worth']:g}" if strokes else ""),
        remedy="give a take and a reference of the same piece",
        code="warp.different",
    )
