"""Onset pairs: which onset of one recording is which of the other, both to their own sample.

Conventions
-----------
Times are seconds of each recording; "take" minus "reference", late is positive. A `Warp` tells roughly where every
moment of the reference lies in the take; what begins there is then matched event by event, never frame by frame, so
that a deviation is the distance of two real onsets and no jitter of a path. A chord that is spread is one event, at
its first sound on either side, however many onsets were told apart in it.

Every two events near each other are weighed by what they would be by chance: how alike what begins is (see
`analysis.onset_prints`), how far they lie from where the music around them says, how sure each is an onset at all,
and how closely the sounds of a spread chord follow each other. Forward and backward over all orderly pairings make of
that how likely each pair is; from the likely ones it is learnt how alike and how near pairs of these two recordings
are, and how the take moves against the warp, and all is weighed again. The pairs are those of the orderly pairing
with the most belief.

References
----------
Durbin, Eddy, Krogh and Mitchison 1998, Biological Sequence Analysis, chapter 4 (pairing by forward and backward sums).
Holmes and Durbin 1998, Dynamic programming alignment accuracy, J. Comput. Biol. 5, 493-504 (the pairing with the most
belief). Cleveland 1979, Robust locally weighted regression, J. Am. Stat. Assoc. 74, 829-836 (the movement between).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..core.columns import Columns, real, whole
from ..core.errors import TakeprintError
from .onset_foreruns import Second, foreruns
from .onset_lookup import LookedUp, Sought, alone, due, look_up
from .onset_prints import MOST, Prints, take_prints

if TYPE_CHECKING:
    from .listening import Sound
    from .warp import Warp

# How far from the warp is looked, at first and then, seconds; and how many onsets at most.
_REACH_S, _REACH_AGAIN_S, _MOST_NEAR = 0.35, 0.25, 24
# Share of real onsets that the other side has, too; of those that are a chord's second or third; and how fast these
# follow each other, seconds. These and what is begun with below are as music of chance has them that is played twice on
# FluidR3's instruments (benchmarks/accuracy/fit_pairs.py, fold 0).
_SHARED, _SPREAD, _SPREAD_S = 0.92, 0.09, 0.06
# Odds of an onset of strength 0 (as their logarithm): see `analysis.onsets`.
_STRENGTH_0 = -1.95
# At first: the cosines of pairs and of others (mean, sd), and how far off pairs are (seconds, mean size; between what
# half of the errors of a warp say, 0.026, and all of them, 0.067).
_ALIKE, _OTHERS, _OFF_S = (0.76, 0.2), (0.43, 0.26), 0.04
_LEAST_OFF_S, _LEAST_SD = 0.006, 0.05
_ROUNDS = 3
# The movement between take and warp is told from so many pairs on either side.
_AROUND = 6
_SURE = 0.3
# Onsets whose possible partners are weighed at once.
_BLOCK = 64


class OnsetLike(Protocol):
    """Columns of onsets: `Onsets`, or `Notes` with a strength."""

    @property
    def onset_s(self) -> np.ndarray:
        """Seconds."""

    @property
    def onset_uncertainty_ms(self) -> np.ndarray:
        """Half widths of the 90 % intervals, milliseconds."""

    @property
    def strength(self) -> np.ndarray:
        """How surely each is an onset: see `analysis.onsets.Onsets`."""


@dataclass(frozen=True, eq=False)
class OnsetPairs(Columns):
    """Pairs of onsets in order of the reference's time.

    Parameters
    ----------
    reference_row, take_row : ndarray of int64 [shape=(n,)]
        Rows of the onsets given; -1 where that side's detector had none and it was found by looking where the other
        side says.
    reference_s, time_s : ndarray [shape=(n,)], seconds
        Of the recording each.
    reference_uncertainty_ms, uncertainty_ms : ndarray [shape=(n,)], milliseconds
        Half widths of the 90 % intervals of the two.
    confidence : ndarray [shape=(n,)]
        Probability that these two are the same event.
    """

    reference_row: np.ndarray = whole()
    take_row: np.ndarray = whole()
    reference_s: np.ndarray = real()
    time_s: np.ndarray = real()
    reference_uncertainty_ms: np.ndarray = real()
    uncertainty_ms: np.ndarray = real()
    confidence: np.ndarray = real()


def align_sounds(take: Any, reference: Any) -> tuple[Warp, OnsetPairs]:
    """Align two recordings of the same music: only what that needs is listened to.

    Parameters
    ----------
    take, reference : path, Take or (y, sample_rate)

    Returns
    -------
    warp : Warp
    pairs : OnsetPairs
        Their rows count the onsets of `analysis.onsets.OnsetDetector`.

    Raises
    ------
    TakeprintError
        Where a side is no recording, or nothing in the two matches.

    Examples
    --------
    >>> from takeprint.analysis.onset_pairs import align_sounds
    >>> rng = np.random.default_rng(0)
    >>> y, noise = np.zeros(8 * 22050), rng.normal(0, 0.3, 400) * np.exp(-np.arange(400) / 80)
    >>> for at in np.cumsum(rng.integers(4000, 9000, 24)):
    ...     y[at : at + 400] += noise
    >>> warp, pairs = align_sounds((np.concatenate([np.zeros(441), y]), 22050), (y, 22050))
    >>> len(pairs) > 20, bool(np.allclose(pairs.time_s - pairs.reference_s, 0.02, atol=2e-4))
    (True, True)
    """
    from ..core.take import load_take
    from .listening import Sound, listen
    from .onsets import OnsetDetector
    from .warp import align_features
    from .warp_features import WarpListener

    sounds, onsets, features = [], [], []
    for source, name in ((take, "the take"), (reference, "the reference")):
        loaded = load_take(source)
        if loaded.kind != "audio":
            raise TakeprintError(
                f"{name} ({loaded.name}) is no recording",
                rule="onset pairs are of two recordings",
                remedy="use measure",
            )
        sound = Sound.of_take(loaded)
        detector, listener = OnsetDetector(sound.rate, sound.peak), WarpListener(sound.rate)
        listen(sound, detector, listener)
        sounds.append(sound)
        onsets.append(detector.result())
        features.append(listener.result())
    warp = align_features(*features)
    return warp, pair_onsets(onsets[0], sounds[0], onsets[1], sounds[1], warp)


def pair_onsets(
    take: OnsetLike, take_sound: Sound, reference: OnsetLike, reference_sound: Sound, warp: Warp
) -> OnsetPairs:
    """Pair the onsets of two recordings of the same music.

    Parameters
    ----------
    take, reference : Onsets-like columns
        ``onset_s`` rising, ``onset_uncertainty_ms``, ``strength``.
    take_sound, reference_sound : Sound
        Each is read once more.
    warp : Warp
        Within some 0.1 s of the truth.

    Returns
    -------
    OnsetPairs
    """
    top_hz = 0.45 * min(take_sound.rate, reference_sound.rate)
    ours = take_prints(take_sound, take.onset_s, top_hz, warp.transposition_cents)
    theirs = take_prints(reference_sound, reference.onset_s, top_hz)
    found, of_part, like = [], [], {}
    expected = warp.take_at(reference.onset_s)
    part = _part_of(warp, reference.onset_s)
    heard_in = _part_of_take(warp, take.onset_s)
    for number in np.unique(warp.part):
        here = np.flatnonzero(np.isfinite(expected) & (part == number))
        there = np.flatnonzero(heard_in == number)
        if len(here) and len(there):
            a = _Side(reference.onset_s, reference.strength, theirs, here)
            b = _Side(take.onset_s, take.strength, ours, there)
            rows, like[int(number)] = _paired(a, b, expected[here])
            found.append(rows)
            of_part.append(np.full(len(rows), number))
    rows = np.concatenate(found) if found else np.zeros((0, 3))
    at, to = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    begin_s, begin_ms, onset_s, onset_ms = _placed(reference, theirs.second, at, take, ours.second, to)
    pairs = OnsetPairs.build(
        reference_row=at,
        take_row=to,
        reference_s=begin_s,
        time_s=onset_s,
        reference_uncertainty_ms=begin_ms,
        uncertainty_ms=onset_ms,
        confidence=rows[:, 2],
    )
    pairs_part = np.concatenate(of_part) if of_part else np.zeros(0, dtype=np.int64)
    lone = alone(reference.onset_s, reference.strength, at)
    due_s = due(reference.onset_s[lone], part[lone], begin_s, onset_s, pairs_part)
    own = Sought(lone, due_s, theirs.prints[theirs.spans[lone, 0]], _like_of(part[lone], like))
    in_take = look_up(take_sound, take.onset_s, own, top_hz, warp.transposition_cents)
    lone = alone(take.onset_s, take.strength, to)
    due_s = due(take.onset_s[lone], heard_in[lone], onset_s, begin_s, pairs_part)
    own = Sought(lone, due_s, ours.prints[ours.spans[lone, 0]], _like_of(heard_in[lone], like))
    in_reference = look_up(reference_sound, reference.onset_s, own, top_hz, 0.0)
    return _with_found(pairs, reference, in_take, take, in_reference)


def _like_of(part: np.ndarray, like: dict[int, tuple[float, float]]) -> np.ndarray:
    """Return mean and deviation of the cosines of pairs in each onset's part [shape=(n, 2)]."""
    return np.array([like.get(number, _ALIKE) for number in part.tolist()]).reshape(-1, 2)


def _with_found(
    pairs: OnsetPairs, reference: OnsetLike, in_take: LookedUp, take: OnsetLike, in_reference: LookedUp
) -> OnsetPairs:
    """Add the pairs of which one side was looked up, as far as they keep the order."""
    one = OnsetPairs.build(
        reference_row=in_take.row,
        take_row=np.full(len(in_take.row), -1),
        reference_s=reference.onset_s[in_take.row],
        time_s=in_take.onset_s,
        reference_uncertainty_ms=reference.onset_uncertainty_ms[in_take.row],
        uncertainty_ms=in_take.uncertainty_ms,
        confidence=in_take.confidence,
    )
    other = OnsetPairs.build(
        reference_row=np.full(len(in_reference.row), -1),
        take_row=in_reference.row,
        reference_s=in_reference.onset_s,
        time_s=take.onset_s[in_reference.row],
        reference_uncertainty_ms=in_reference.uncertainty_ms,
        uncertainty_ms=take.onset_uncertainty_ms[in_reference.row],
        confidence=in_reference.confidence,
    )
    both = OnsetPairs.concatenate([pairs, one, other])
    both = both.rows(np.argsort(both.reference_s, kind="stable"))
    found = (both.reference_row < 0) | (both.take_row < 0)
    late = both.time_s
    crossing = (late <= np.concatenate([[-np.inf], late[:-1]])) | (late >= np.concatenate([late[1:], [np.inf]]))
    return both.rows(~(found & crossing))


def _placed(
    reference: OnsetLike, reference_second: Second, at: np.ndarray, take: OnsetLike, take_second: Second, to: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return where the pairs' onsets lie and how sure that is, reference's and take's, foreruns passed over.

    What begins anew where the next pair's onset is already is that one: no onset is moved there, and all still rise.
    """
    out: list[np.ndarray] = []
    own, other = reference_second.rows(at), take_second.rows(to)
    own_s, other_s = reference.onset_s[at], take.onset_s[to]
    later = foreruns(own_s, own, other_s, other), foreruns(other_s, other, own_s, own)
    doubts_ms = reference.onset_uncertainty_ms[at], take.onset_uncertainty_ms[to]
    for moved, when_s, doubt_ms, second in zip(later, (own_s, other_s), doubts_ms, (own, other), strict=True):
        free = moved & (second.onset_s < np.concatenate([when_s[1:], [np.inf]])[: len(when_s)])
        out += [np.where(free, second.onset_s, when_s), np.where(free, second.uncertainty_ms, doubt_ms)]
    return out[0], out[1], out[2], out[3]


def _part_of(warp: Warp, reference_s: np.ndarray) -> np.ndarray:
    knot = np.clip(np.searchsorted(warp.reference_s, reference_s, "right") - 1, 0, len(warp.part) - 1)
    return np.asarray(warp.part)[knot]


def _part_of_take(warp: Warp, time_s: np.ndarray) -> np.ndarray:
    """Return the part that each moment of the take belongs to, and somewhat around it; -1 outside all."""
    out = np.full(len(time_s), -1, dtype=np.int64)
    for number in np.unique(warp.part):
        mine = warp.time_s[np.asarray(warp.part) == number]
        inside = (time_s >= mine[0] - _REACH_S) & (time_s <= mine[-1] + _REACH_S) & (out < 0)
        out[inside] = number
    return out


class _Side:
    """One recording's onsets in one part of the warp."""

    def __init__(self, onset_s: np.ndarray, strength: np.ndarray, prints: Prints, rows: np.ndarray) -> None:
        self.rows = rows
        self.onset_s = onset_s[rows]
        self.prints = prints.prints
        spans = prints.spans[rows].copy()
        for more in range(1, MOST):  # spans that reach over the part's end
            spans[len(rows) - more :, more] = -1
        self.spans = spans
        odds = 1.0 / (1.0 + np.exp(-(strength[rows] + _STRENGTH_0)))
        shared = _SHARED * np.clip(odds, 0.02, 1.0)
        self.belief = np.log(shared / (1.0 - shared))
        self.density = len(rows) / max(np.ptp(self.onset_s), 1.0)

    def event(self) -> np.ndarray:
        """Return how much rather than not each onset, with the next ones, is an event that the other side has, too.

        Logarithm of the odds [shape=(n, MOST)].
        """
        out = np.zeros(self.spans.shape) + self.belief[:, None]
        one = np.log(_SPREAD / (_SPREAD_S * self.density))
        for more in range(1, MOST):
            gap = self.onset_s[more:] - self.onset_s[more - 1 : -1]
            out[: len(gap), more] = out[: len(gap), more - 1] + one - gap / _SPREAD_S + self.belief[more:]
        return out


def _paired(a: _Side, b: _Side, expected: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Return (row of a, row of b, confidence) of the pairs within one part [shape=(n, 3)], and how alike pairs are."""
    from ..core.kernels.pair_belief import pair_belief
    from ..core.kernels.pair_path import pair_path
    from ..core.kernels.print_likeness import print_likeness

    alike, others, off_s = _ALIKE, _OTHERS, _OFF_S
    prior, other = a.event(), b.event()
    fit = expected
    for turn in range(_ROUNDS):
        reach = _REACH_S if turn == 0 else _REACH_AGAIN_S
        low, width = _band(fit, b.onset_s, reach)
        cosine = print_likeness(a.prints, a.spans, b.prints, b.spans, low[:-1], width)
        scores = np.empty(cosine.shape, dtype=np.float32)
        for some in _blocks(len(fit)):
            j = np.minimum(low[:-1][some, None] + np.arange(width), len(b.onset_s) - 1)
            off = b.onset_s[j] - fit[some, None]
            said = prior[some, None, :, None] + other[j][:, :, None, :]
            said += _likeness(cosine[some].astype(np.float64), alike, others)
            said += (-np.abs(off) / off_s - np.log(2 * off_s * b.density))[:, :, None, None]
            said[(cosine[some] < -1) | (np.abs(off) > reach)[:, :, None, None]] = -np.inf
            scores[some] = said
        belief = pair_belief(scores, low)
        del scores
        alike, others = _learnt(cosine, belief, alike, others)
        # However many sounds the chord has on either side, its first is its first.
        first = belief.sum((2, 3), dtype=np.float64)
        del cosine, belief
        path = pair_path(np.where(first > 0.02, first, -np.inf).astype(np.float32)[:, :, None, None], low)
        sure = first[path[:, 0], path[:, 1] - low[path[:, 0]]]
        if turn < _ROUNDS - 1:
            moved = _movement(a.onset_s[path[:, 0]], b.onset_s[path[:, 1]] - expected[path[:, 0]], sure, a.onset_s)
            fit = expected + moved
            left = np.abs(b.onset_s[path[:, 1]] - fit[path[:, 0]])
            off_s = max(float((sure * left).sum() / max(sure.sum(), 1e-9)), _LEAST_OFF_S) if len(path) else _OFF_S
    keep = sure >= _SURE
    return np.stack([a.rows[path[keep, 0]], b.rows[path[keep, 1]], np.minimum(sure[keep], 1.0)], axis=1), alike


def _blocks(count: int) -> list[slice]:
    """Return slices of so many onsets, each few enough that what is worked out of their pairs at once is small."""
    return [slice(begin, begin + _BLOCK) for begin in range(0, count, _BLOCK)]


def _band(expected: np.ndarray, onset_s: np.ndarray, reach_s: float) -> tuple[np.ndarray, int]:
    """Return the first onset that each of the other side is compared with, never falling, and how many at most."""
    begin = np.searchsorted(onset_s, expected - reach_s)
    end = np.searchsorted(onset_s, expected + reach_s, "right")
    begin = np.minimum(np.maximum.accumulate(begin), len(onset_s))
    width = int(np.clip((end - begin).max(initial=1), 1, _MOST_NEAR))
    if (end - begin).max(initial=0) > width:  # the nearest ones
        middle = np.searchsorted(onset_s, expected) - width // 2
        begin = np.maximum.accumulate(np.where(end - begin > width, np.maximum(middle, begin), begin))
    return np.concatenate([begin, begin[-1:]]).astype(np.int64), width


def _likeness(cosine: np.ndarray, alike: tuple[float, float], others: tuple[float, float]) -> np.ndarray:
    """Return how much likelier a cosine is of a pair than of others, logarithm; between the two means it counts."""
    at = np.clip(cosine, others[0] - others[1], alike[0] + alike[1])
    own = -0.5 * ((at - alike[0]) / alike[1]) ** 2 - np.log(alike[1])
    foreign = -0.5 * ((at - others[0]) / others[1]) ** 2 - np.log(others[1])
    return own - foreign


def _learnt(
    cosine: np.ndarray, belief: np.ndarray, alike: tuple[float, float], others: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return mean and deviation of the cosines of pairs and of others, as these recordings have them."""
    # Of pairs and of others: the sum of weights, of weighed cosines and of weighed squares.
    sums = np.zeros((2, 3))
    for some in _blocks(len(cosine)):
        known = cosine[some] > -1
        share, said = belief[some][known].astype(np.float64), cosine[some][known].astype(np.float64)
        for side, weight in enumerate((share, 1.0 - share)):
            sums[side] += weight.sum(), weight @ said, weight @ said**2
    out = []
    # A prior as heavy as 20 pairs: few events teach little.
    for (heavy, first, second), (mean, sd) in zip(sums.tolist(), (alike, others), strict=True):
        total = heavy + 20.0
        centre = (first + 20.0 * mean) / total
        spread = (second - 2.0 * centre * first + centre**2 * heavy + 20.0 * sd**2) / total
        out.append((centre, max(float(np.sqrt(max(spread, 0.0))), _LEAST_SD)))
    return out[0], out[1]


def _movement(at_s: np.ndarray, off_s: np.ndarray, weight: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Return the take's movement against the warp at some moments, told by the pairs around [shape=(n,)]."""
    if len(at_s) < 3:
        return np.zeros(len(wanted_s)) + (float(np.median(off_s)) if len(off_s) else 0.0)
    middle = np.searchsorted(at_s, wanted_s)
    near = middle[:, None] + np.arange(-_AROUND, _AROUND + 1)
    inside = (near >= 0) & (near < len(at_s))
    near = np.clip(near, 0, len(at_s) - 1)
    t, y = at_s[near] - wanted_s[:, None], off_s[near]
    reach = np.maximum(np.abs(np.where(inside, t, 0.0)).max(1, keepdims=True), 0.5) * 1.01
    base = np.where(inside, weight[near], 0.0) * (1 - np.minimum(np.abs(t) / reach, 1.0) ** 3) ** 3 + 1e-12
    w = base
    for _ in range(3):
        s0, s1, s2 = w.sum(1), (w * t).sum(1), (w * t * t).sum(1)
        r0, r1 = (w * y).sum(1), (w * t * y).sum(1)
        # A slope is believed as far as the pairs are spread: half a second stands against it.
        s2 = s2 + 0.25 * s0
        value = (r0 * s2 - r1 * s1) / np.maximum(s0 * s2 - s1 * s1, 1e-12)
        slope = (r1 - value * s1) / s2
        left = np.abs(y - value[:, None] - slope[:, None] * t)
        scale = np.maximum((w * left).sum(1) / s0, 0.004)[:, None]
        w = base / np.maximum(left / scale, 1.0) ** 2
    return value
