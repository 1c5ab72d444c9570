"""Where an onset lies, to the sample: what was proposed is placed in the waveform, and how sure that is.

Conventions
-----------
Places are samples of the stretch given; levels are dB. A sound begins where it rises above -40 dB of its own peak,
whether that can be seen or lies hidden under noise, a room or what rings on. Every moment around a proposal is
described by the levels before and after it, at spans that widen with their distance: of the wave, of its innovation
(what prediction from the sound before does not explain) and of four bands. A small network, fitted on sounds whose
beginning is known (`benchmarks/accuracy/fit_places.py`), makes of that how likely the sound begins there. So all
evidence is weighed at once, by the sound itself: where a stroke stands out of the noise its step counts, where a
string begins under it what is seen of its rise. The onset is the median of that posterior about its strongest place,
its uncertainty the half width in which 90 % of it lie. Where cells of 0.25 ms are too coarse, the same is done again
with single samples.

References
----------
Sleeman and van Eck 1999, Robust automatic P-phase picking, Phys. Earth Planet. Inter. 113, 265-275 (prediction from
what was before). Bishop 1994, Mixture density networks, Aston University NCRG/94/004 (a network that says how sure it
is, fitted by likelihood).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .networks import Layers, read_layers

ORDER = 32
# Spans on either side of a moment, in cells, and how far from the proposal moments are looked at.
_SPANS = (1, 1, 2, 4, 8, 16, 32)
_BANDS_HZ = ((None, 250.0), (250.0, 1000.0), (1000.0, 4000.0), (4000.0, None))
# The mass that competes for the place, and how far about it the median is taken, in cells.
_CORE_CELLS, _NEAR_CELLS = 7, 12
# Samples are looked at singly where the first answer is surer than this, and the rate allows it.
_FINE_MS, _FINE_RATE = 1.2, 30_000.0
# What the networks say of sounds they have heard is wider for others: every instrument has its own first millisecond.
# Chosen on instruments of fold 1 that the sets do not have.
_WIDER, _LEAST_MS, _WIDER_FINE, _COARSE_SHARE = 1.1, 0.25, 1.5, 0.3
# And wider by so much (natural logarithm) for every 20 dB by which a sound has less above 4 kHz than in all, from the
# second figure (dB) on: a dull sound's beginning hides under what rings. Fitted on scenes of fold 0 not heard before.
_DULLER, _BRIGHT_DB, _MOST_WIDER = 0.71, -17.0, 0.7
# No farther than this share of the way to another proposal.
_SHARE = 0.6


@dataclass(frozen=True)
class Scale:
    """How finely is looked: cells of so many samples, before and after the proposal, and the moments among them."""

    cell: int
    before: int
    after: int
    reach: int

    @classmethod
    def coarse(cls, rate: float) -> Scale:
        """Cells of 0.25 ms, moments within 25 ms."""
        return cls(max(round(0.00025 * rate), 1), 180, 164, 100)

    @classmethod
    def fine(cls, rate: float) -> Scale:
        """Single samples (at 44.1 kHz), moments within 1 ms."""
        return cls(max(round(rate / 44_100), 1), 112, 112, 48)


@dataclass(frozen=True, eq=False)
class Placed:
    """Onsets in samples, and the half widths of their 90 % intervals in samples."""

    onset: np.ndarray
    half_width: np.ndarray


@dataclass(frozen=True, eq=False)
class Evidence:
    """Levels [shape=(n, streams, cells)] around the proposals, and each stream's top and floor [shape=(n, streams)]."""

    levels: np.ndarray
    tops: np.ndarray
    floors: np.ndarray

    def rows(self, which: np.ndarray) -> Evidence:
        """Return some of the proposals'."""
        return Evidence(self.levels[which], self.tops[which], self.floors[which])


def place_onsets(x: np.ndarray, proposals: np.ndarray, rate: float) -> Placed:
    """Find where the sounds near some proposals begin.

    Parameters
    ----------
    x : ndarray of float64 [shape=(frames,)]
    proposals : ndarray of int64 [shape=(n,)], samples
        In order of time, one for every sound.
    rate : float, Hz

    Returns
    -------
    Placed
    """
    proposals = np.asarray(proposals, dtype=np.int64)
    if not len(proposals) or len(x) < 2:
        return Placed(proposals, np.full(len(proposals), 0.003 * rate))
    first = predicted(x, proposals, rate)
    coarse = Scale.coarse(rate)
    evidence = first.evidence(proposals, coarse)
    belief = allowed(likelihood(moments(evidence, coarse), weights()["coarse"]), proposals, coarse)
    median, spread = read(belief)
    onset = proposals + (median - coarse.reach) * coarse.cell
    spread *= coarse.cell
    half_width = (_WIDER * spread + _LEAST_MS * rate / 1000) * _wider(evidence)
    sure = np.flatnonzero(spread < _FINE_MS * rate / 1000) if rate >= _FINE_RATE else np.zeros(0, dtype=int)
    if len(sure) and "fine" in weights():
        scale = Scale.fine(rate)
        seeds = np.round(onset[sure]).astype(np.int64)
        close = first.rows(sure).evidence(seeds, scale, evidence.rows(sure))
        median, single = read(likelihood(moments(close, scale), weights()["fine"]))
        onset[sure] = seeds + (median - scale.reach) * scale.cell
        half_width[sure] = _WIDER_FINE * single * scale.cell + _COARSE_SHARE * spread[sure]
    onset = np.clip(np.round(onset), 0, len(x) - 1).astype(np.int64)
    return Placed(onset, np.maximum(half_width, 1.0))


@dataclass(frozen=True, eq=False)
class Predicted:
    """A signal with the predictors and constant offsets that hold before some proposals."""

    x: np.ndarray
    rate: float
    predictors: np.ndarray
    offsets: np.ndarray

    def rows(self, which: np.ndarray) -> Predicted:
        """Return some of the proposals'."""
        return Predicted(self.x, self.rate, self.predictors[which], self.offsets[which])

    def evidence(self, places: np.ndarray, scale: Scale, around: Evidence | None = None) -> Evidence:
        """Return the levels around places; their tops and floors are those of ``around`` where it is given."""
        from ..core.kernels.cell_levels import cell_levels

        begins = places - scale.before * scale.cell - scale.cell // 2
        lead = round(0.006 * self.rate) + ORDER
        levels = cell_levels(
            self.x, begins, self.offsets, scale.cell, scale.before + scale.after, lead, self.predictors,
            _sections(self.rate),
        )  # fmt: skip
        if around is not None:
            return Evidence(levels, around.tops, around.floors)
        sums = np.cumsum(levels[:, :, scale.before - 32 : scale.before + 120].astype(np.float64), axis=2)
        tops = (sums[:, :, 4:] - sums[:, :, :-4]).max(2) / 4
        floors = np.median(levels[:, :, : scale.before - scale.reach], axis=2).astype(np.float64)
        return Evidence(levels, tops, floors)


def predicted(x: np.ndarray, proposals: np.ndarray, rate: float) -> Predicted:
    """Learn what was there before every proposal, since the one before it."""
    from ..core.kernels.linear_prediction import linear_prediction

    x = np.ascontiguousarray(x, dtype=np.float64)
    known = np.clip(proposals - round(0.015 * rate), 0, len(x))
    since = np.concatenate([[-(1 << 60)], proposals[:-1] + round(0.005 * rate)])
    learn = np.clip(np.maximum(since, proposals - round(0.075 * rate)), 0, known)
    begin = np.clip(proposals - round(0.046 * rate), 0, len(x) - 1)
    rest = np.clip(proposals - round(0.016 * rate), begin + 1, len(x))
    offsets = np.array([x[b:e].mean() for b, e in zip(begin, rest, strict=True)])
    return Predicted(x, rate, linear_prediction(x, learn, known, ORDER), offsets)


def moments(evidence: Evidence, scale: Scale) -> np.ndarray:
    """Return what describes every moment [shape=(n, 2 * reach + 1, features)]."""
    from ..core.kernels.level_spans import level_spans

    return level_spans(
        evidence.levels, evidence.tops, evidence.floors, scale.before - scale.reach, 2 * scale.reach + 1,
        np.array(_SPANS), float(scale.before),
    )  # fmt: skip


def likelihood(features: np.ndarray, layers: Layers) -> np.ndarray:
    """Return how likely the sound begins at every moment [shape=(n, moments)]; each row's sum is 1."""
    hidden = features
    for number, (weight, bias) in enumerate(layers):
        # One product a proposal: what is found does not depend on how many are looked at together.
        hidden = np.matmul(hidden, weight) + bias
        if number < len(layers) - 1:
            hidden = np.maximum(hidden, 0.1 * hidden)
    score = hidden[:, :, 0].astype(np.float64)
    score = np.exp(score - score.max(1, keepdims=True))
    return score / score.sum(1, keepdims=True)


def allowed(belief: np.ndarray, proposals: np.ndarray, scale: Scale) -> np.ndarray:
    """Take away what is nearer to another proposal."""
    far = 1 << 40
    gap = np.diff(proposals, prepend=proposals[0] - far, append=proposals[-1] + far)
    distance = (np.arange(belief.shape[1]) - scale.reach)[None, :] * scale.cell
    out = np.where((distance >= -_SHARE * gap[:-1, None]) & (distance <= _SHARE * gap[1:, None]), belief, 0.0)
    total = out.sum(1, keepdims=True)
    return np.where(total > 1e-6, out / np.maximum(total, 1e-300), belief)


def read(belief: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median about the strongest place and the half width around it that holds 90 %, in cells."""
    count = belief.shape[1]
    cells = np.arange(count)
    sums = np.concatenate([np.zeros((len(belief), 1)), np.cumsum(belief, axis=1)], axis=1)
    half = _CORE_CELLS // 2
    core = sums[:, np.minimum(cells + half + 1, count)] - sums[:, np.maximum(cells - half, 0)]
    top = core.argmax(1)[:, None]
    near = np.where(np.abs(cells - top) <= _NEAR_CELLS, belief, 0.0)
    share = np.cumsum(near, axis=1)
    middle = 0.5 * share[:, -1:]
    at = (share >= middle).argmax(1)[:, None]
    here = np.take_along_axis(near, at, 1)
    median = at - 0.5 + 1 - (np.take_along_axis(share, at, 1) - middle) / np.maximum(here, 1e-300)
    distance = np.abs(cells - median)
    order = np.argsort(distance, axis=1, kind="stable")
    held = np.cumsum(np.take_along_axis(belief, order, 1), axis=1)
    last = np.take_along_axis(order, (held >= 0.9 * held[:, -1:]).argmax(1)[:, None], 1)
    return median[:, 0], np.take_along_axis(distance, last, 1)[:, 0] + 0.5


def _wider(evidence: Evidence) -> np.ndarray:
    """Return by what factor intervals are wider than the posteriors say; below 1 for bright sounds."""
    bright_db = evidence.tops[:, 1 + len(_BANDS_HZ)] - evidence.tops[:, 0]
    return np.exp(np.clip(_DULLER * (_BRIGHT_DB - bright_db) / 20, -_MOST_WIDER, _MOST_WIDER))


@lru_cache(maxsize=8)
def _sections(rate: float) -> np.ndarray:
    """Return the bands' filters, Butterworth's of second order by the bilinear transform [shape=(4, 2, 5)]."""
    out = np.zeros((len(_BANDS_HZ), 2, 5))
    out[:, :, 0] = 1.0
    for band, edges in enumerate(_BANDS_HZ):
        for side, hertz in enumerate(edges):
            if hertz is None:
                continue
            k = np.tan(np.pi * min(hertz, 0.45 * rate) / rate)
            scale = 1.0 + np.sqrt(2.0) * k + k * k
            b = np.array([1.0, -2.0, 1.0]) if side == 0 else k * k * np.array([1.0, 2.0, 1.0])
            out[band, side] = [*(b / scale), 2.0 * (k * k - 1.0) / scale, (1.0 - np.sqrt(2.0) * k + k * k) / scale]
    return out


@lru_cache(maxsize=1)
def weights() -> dict[str, Layers]:
    """Return the layers (weight, bias) of the fitted networks."""
    from .onset_weights import LAYERS

    return read_layers(LAYERS)
