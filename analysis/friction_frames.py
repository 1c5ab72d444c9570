"""Where short noises may be, and how each looks: candidates and their features for `analysis.friction`.

Conventions
-----------
Two transforms share a grid that lies on absolute multiples of the hop: short windows (11 ms every 5 ms), summed up to
bands, for when and how noisy; long ones (46 ms every 20 ms) for which tones sound before and after. Samples are
normalised to the recording's peak. A candidate is a bump of the bands over what lies around it, shorter than 0.4 s.

References
----------
Serra 1983, Image analysis and mathematical morphology, ch. XII (the top hat: what is narrower than the opening).
Fitzgerald 2010, Harmonic/percussive separation using median filtering, DAFx-10 (what is narrow in time is no tone).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .friction_spectra import (
    BANDS,
    BLOCK_HOPS,
    EDGES_HZ,
    FLOOR,
    HOP_S,
    RING_EDGES_HZ,
    TONE_STEP,
    Grid,
    band_power,
    moving_max,
    moving_mean,
    moving_rank,
    residual_power,
    tone_power,
    window_of,
)  # fmt: skip

# Groups of bands that may rise alone: low, middle, high, and most of them.
_GROUPS = ((1, 6), (4, 10), (8, 15), (1, 15))
_RING_GROUPS = ((0, 3), (2, 6), (0, 6), (6, 7), (7, 8))
# A rise counts from this many deviations of its neighbourhood on.
_THRESHOLD, _AROUND_S = 2.0, 2.0
_APART_S = 0.04
_LONGEST_S = 0.45


@dataclass(frozen=True)
class Scale:
    """How fast a noise may rise: frames to smooth over, what it is held against, how far to look; seconds, dB."""

    smooth: int
    old_s: float
    lag_s: float
    back_s: float
    climb_s: float
    least_db: float


# The last scale finds nothing of its own: it pools what each candidate shows over 0.1 s, for rooms and hiss.
SCALES = (
    Scale(2, 0.025, 0.01, 0.03, 0.03, 0.7),
    Scale(2, 0.06, 0.015, 0.03, 0.03, 0.7),
    Scale(9, 0.12, 0.08, 0.2, 0.2, 0.5),
    Scale(20, 0.16, 0.13, 0.2, 0.2, 0.4),
)
_FINDING = 3


NAMES = (
    "sure", "sure_raw", "sure_ring", "sure_third", "slow", "level_db", "over_db", "duration", "climb", "centroid",
    "high", "low", "rise_db", "wide", "left_60_db", "left_120_db", "left_200_db", "tone_new_db", "tone_gain_db",
    "tone_lost_db", "tonal", "glide", "flat", "ring_rise_db", "ring_left_60_db", "ring_left_120_db", "ring_share",
    "spike_ring_db", "spike_db", "spike_ring_fall_db", "spike_fall_db",
    "sure_60", "sure_60_ring", "sure_60_mean", "sure_120", "sure_120_ring", "sure_120_mean",
    "sure_200", "sure_200_ring", "sure_200_mean", "longer_db", "longer_high_db", "longer_ring_db",
    "back_db", "back_high_db", "back_ring_db",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Candidates:
    """Bumps of noise, in order of time.

    Parameters
    ----------
    start_s, peak_s, end_s : ndarray [shape=(n,)], seconds
    power : ndarray [shape=(n,)]
        Mean square of the loudest 50 ms over what was there before, the recording's peak = 1.
    features : ndarray [shape=(n, len(NAMES))], float16
    profile : ndarray [shape=(n, BANDS)], float16
        The bump's spectrum, of unit length.
    """

    start_s: np.ndarray
    peak_s: np.ndarray
    end_s: np.ndarray
    power: np.ndarray
    features: np.ndarray
    profile: np.ndarray

    @classmethod
    def join(cls, parts: list[Candidates]) -> Candidates:
        """Return one table of all parts' rows."""
        if not parts:
            none = np.zeros(0)
            return cls(none, none, none, none, np.zeros((0, len(NAMES)), "f2"), np.zeros((0, BANDS), "f2"))
        return cls(*(np.concatenate([getattr(p, f) for p in parts]) for f in cls.__dataclass_fields__))


def candidates(x: np.ndarray, first: int, core: tuple[int, int], grid: Grid) -> Candidates:
    """Return the noises that may begin in the core ``[begin, end)`` frames of the recording.

    Parameters
    ----------
    x : ndarray [shape=(frames,)], float
        Samples with the recording's peak at 1.
    first : int
        The frame of the recording that ``x[0]`` is, a multiple of ``BLOCK_HOPS`` hops.
    core : (int, int)
    grid : Grid
    """
    power = band_power(x, grid.window, grid.hop, grid.rate, EDGES_HZ[: grid.bands + 1])
    ringless = residual_power(x, grid)
    both = np.concatenate([power, ringless], axis=1)
    rises = [_rises(both, scale, grid) for scale in SCALES]
    parts = [_of_scale(*rise, scale, grid) for rise, scale in zip(rises[:_FINDING], SCALES, strict=False)]
    begins, peaks, ends, surely, slow = (np.concatenate(c) for c in zip(*parts, strict=True))
    keep = _unique(begins, peaks, surely.max(1), slow, grid)
    place = first + begins[keep] * grid.hop
    keep = keep[(place >= core[0]) & (place < core[1])]
    if not len(keep):
        return Candidates.join([])
    begins, peaks, ends, slow = begins[keep], peaks[keep], ends[keep], slow[keep]
    tones = tone_power(x, grid)
    features, profile, loud = _features(power, ringless, tones, (begins, peaks, ends), (surely[keep], slow), grid)
    pooled = _pooled([rise[2] for rise in rises[1:]], both, begins, grid)
    features = np.column_stack([features, pooled]).astype(np.float16)
    second, offset = grid.hop / grid.rate, first / grid.rate
    return Candidates(
        offset + begins * second,
        offset + peaks * second,
        offset + ends * second,
        loud,
        features,
        profile.astype(np.float16),
    )


def _unique(begins: np.ndarray, peaks: np.ndarray, surely: np.ndarray, slow: np.ndarray, grid: Grid) -> np.ndarray:
    """Return which candidates to keep, in order of time: the surest of neighbours, and slow ones only by themselves."""
    apart = grid.frames(_APART_S)
    keep: list[int] = []
    taken = np.zeros(begins.max(initial=0) + grid.frames(1.0), dtype=bool)
    spots = np.zeros(len(taken))
    for i in np.lexsort((begins, -surely, slow)):
        b, reach = begins[i], max(int(peaks[i]), begins[i] + apart)
        if taken[max(b - apart + 1, 0) : b + apart].any():
            continue
        if slow[i] and spots[max(b - apart, 0) : reach + 1].max() > 0.4 * surely[i]:
            continue
        keep.append(int(i))
        taken[b] = True
        spots[b] = surely[i]
    return np.array(sorted(keep, key=lambda i: begins[i]), dtype=np.int64)


def _rises(power: np.ndarray, scale: Scale, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return level and rise of every band in dB, and the rise of groups of bands in deviations of its neighbourhood."""
    size = scale.smooth
    level = 10 * np.log10(moving_mean(power, size) + np.float32(FLOOR))
    old, lag = grid.frames(scale.old_s), grid.frames(scale.lag_s)
    # The middle of what was there before: `old` long, ending `lag` ago.
    past = moving_mean(level, old)
    shift = lag + old // 2
    rise = np.zeros_like(level)
    rise[shift:] = np.clip(level[shift:] - past[:-shift], -6.0, 15.0)
    raw = grid.bands
    groups = np.column_stack(
        [rise[:, low : min(high, raw)].mean(1) for low, high in _GROUPS if low < raw]
        + [rise[:, raw + low : raw + high].mean(1) for low, high in _RING_GROUPS]
    )
    coarse = groups[::BLOCK_HOPS]
    wide = grid.frames(_AROUND_S) // (2 * BLOCK_HOPS)
    middle = np.minimum(moving_rank(coarse, wide, 0.5), 0.0)
    scatter = moving_rank(np.abs(coarse - middle), wide, 0.35) / 0.454
    middle, scatter = (np.repeat(v, BLOCK_HOPS, axis=0)[: len(groups)] for v in (middle, scatter))
    return level, rise, ((groups - middle) / np.maximum(scatter, scale.least_db)).astype(np.float32)


def _of_scale(
    level: np.ndarray, rise: np.ndarray, each: np.ndarray, scale: Scale, grid: Grid
) -> tuple[np.ndarray, ...]:
    """Return begin, peak and end frames, sureness and slowness of what rises at one scale."""
    old, lag = grid.frames(scale.old_s), grid.frames(scale.lag_s)
    sure = each.max(1)
    rises = _peaks(sure, grid)
    if not len(rises):
        none = np.zeros(0, dtype=np.int64)
        return none, none, none, np.zeros((0, each.shape[1])), none
    weight = np.maximum(window_of(rise, rises, np.arange(0, 3)).max(1), 0.1)
    weight /= weight.sum(1, keepdims=True)
    ground = np.median(window_of(level, rises, np.arange(-lag - old, -lag + 1)), axis=1)
    reach = grid.frames(_LONGEST_S)
    back = grid.frames(scale.back_s)
    around = window_of(level, rises, np.arange(-back, reach + 1)) - ground[:, None, :]
    curve = np.einsum("nfb,nb->nf", np.clip(around, -5.0, 30.0), weight)
    peaks = np.argmax(curve[:, back : back + grid.frames(scale.climb_s) + 1], axis=1) + back
    top = curve[np.arange(len(rises)), peaks]
    frames = np.arange(curve.shape[1])
    under = curve < np.maximum(0.3 * top, top - 12.0)[:, None]
    begins = np.where(under & (frames < peaks[:, None]), frames, -1).max(1) + 1
    if scale.smooth > 3:
        # A swell begins before it is seen: the line through two heights of it leads back to where.
        half = (curve < 0.65 * top[:, None]) & (frames < peaks[:, None])
        climb = np.where(half, frames, -1).max(1) + 1 - begins
        begins = begins - np.minimum(np.round(0.8 * climb).astype(int), back)
    ends = np.where(under & (frames > peaks[:, None]), frames, curve.shape[1]).min(1) - 1
    base = rises - back
    peaks = np.clip(base + peaks, 0, len(level) - 1)
    begins, ends = np.clip(base + begins, 0, peaks), np.clip(base + ends, peaks, len(level) - 1)
    return begins, peaks, ends, each[rises], np.full(len(rises), int(scale.smooth > 3))


def _peaks(sure: np.ndarray, grid: Grid) -> np.ndarray:
    """Return where the curve is over the threshold and the largest around."""
    top = moving_max(sure, grid.frames(0.5 * _APART_S))
    return np.flatnonzero((sure >= top) & (sure > _THRESHOLD))


def _features(
    power: np.ndarray,
    ringless: np.ndarray,
    tones: tuple[np.ndarray, np.ndarray],
    spans: tuple[np.ndarray, np.ndarray, np.ndarray],
    marks: tuple[np.ndarray, np.ndarray],
    grid: Grid,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features [shape=(n, len(NAMES))], profiles [shape=(n, BANDS)] and the power of the loudest 50 ms."""
    begins, peaks, ends = spans
    sure, slow = marks
    f = grid.frames
    pre = np.median(window_of(power, begins, np.arange(-f(0.04), -f(0.005))), axis=1)
    at = np.maximum(peaks, begins + f(0.015))
    near = window_of(power, at, np.arange(-f(0.025), f(0.025) + 1))
    excess = np.maximum(near - pre[:, None, :], 0.0)
    loud = excess.mean(1)  # mean square of 50 ms around the peak over what was there before
    total = loud.sum(1)
    share = loud / np.maximum(total, 1e-20)[:, None]
    centre_hz = np.sqrt(np.array(EDGES_HZ[:-1], float) * np.array(EDGES_HZ[1:]))[: grid.bands]
    octave = np.log2(centre_hz / 1000.0)
    middle = slice(1, min(14, grid.bands))
    # How much of the rise is left, band by band in decibels, weighted by the rise.
    now = _db(near[:, f(0.025) - 2 : f(0.025) + 3].mean(1))
    rise = np.clip(now - _db(pre), 0.0, 25.0)
    weight = rise / np.maximum(rise.sum(1, keepdims=True), 1e-3)
    left = []
    for low, high in ((0.04, 0.08), (0.1, 0.15), (0.18, 0.24)):
        then = _db(window_of(power, at, np.arange(f(low), f(high))).mean(1))
        left.append((weight * np.clip(then - _db(pre), -5.0, 25.0)).sum(1))
    moving = excess @ octave / np.maximum(excess.sum(2), 1e-20)
    heavy = excess.sum(2) / np.maximum(excess.sum(2).sum(1), 1e-20)[:, None]
    glide = np.sqrt((heavy * (moving - (heavy * moving).sum(1, keepdims=True)) ** 2).sum(1))
    clipped = np.maximum(share[:, middle], 1e-4)
    columns = np.column_stack(
        [
            sure.max(1),
            sure[:, : len(_GROUPS)].max(1),
            sure[:, -len(_RING_GROUPS) :].max(1),
            np.sort(sure, axis=1)[:, -3],
            slow,
            _db(total),
            _db(total) - _db(pre.sum(1)),
            np.log((ends - begins + 1) * HOP_S),
            np.log((peaks - begins + 1) * HOP_S),
            share @ octave,
            share[:, 13:].sum(1),
            share[:, :1].sum(1),
            (weight * rise).sum(1),
            (rise[:, middle] > 4.0).mean(1),
            *left,
            *_tone_features(tones, spans, total, grid),
            glide,
            np.log(clipped).mean(1) - np.log(clipped.mean(1)),
            *_ring_features(ringless, begins, at, total, grid),
        ]
    )
    profile = np.zeros((len(peaks), BANDS), dtype=np.float32)
    root = np.sqrt(share)
    profile[:, : grid.bands] = root / np.maximum(np.sqrt((root**2).sum(1)), 1e-10)[:, None]
    return columns.astype(np.float32), profile, total


def _pooled(surely: list[np.ndarray], power: np.ndarray, begins: np.ndarray, grid: Grid) -> np.ndarray:
    """Return how sure each rise is at longer scales, how far 0.1 s of it and what follows stand over what was before.

    A noise under hiss or in a room is seen only where enough of it is taken together.
    """
    f = grid.frames
    groups = len(_GROUPS)
    columns = []
    for each, scale in zip(surely, SCALES[1:], strict=True):
        near = window_of(each, begins, np.arange(-1, f(0.5 * scale.smooth * HOP_S + 0.06), 2))
        top = near.max(1)
        columns += [top[:, :groups].max(1), top[:, groups:].max(1), near.mean(2).max(1)]
    base = _db(window_of(power, begins, np.arange(-f(0.13), -f(0.015))).mean(1))
    for low, high in ((0.0, 0.1), (0.16, 0.32)):
        over = np.clip(_db(window_of(power, begins, np.arange(f(low), f(high))).mean(1)) - base, -8.0, 25.0)
        raw = over[:, : grid.bands]
        columns += [
            raw[:, 1:10].mean(1),
            raw[:, min(8, grid.bands - 2) :].mean(1),
            over[:, grid.bands :][:, :6].mean(1),
        ]
    return np.column_stack(columns)


def _ring_features(
    ringless: np.ndarray, begins: np.ndarray, at: np.ndarray, total: np.ndarray, grid: Grid
) -> list[np.ndarray]:
    """Return how far the residual rises, how much is left of that later, and its share in the noise."""
    f = grid.frames
    before, bands = np.arange(-f(0.04), -f(0.005)), slice(0, len(RING_EDGES_HZ) - 1)
    pre = np.median(window_of(ringless, begins, before), axis=1)
    base = _db(pre)
    now = _db(window_of(ringless, at, np.arange(-2, 3)).mean(1))
    whole = window_of(ringless, at, np.arange(-f(0.025), f(0.025) + 1)).mean(1)
    left = [
        np.clip(_db(window_of(ringless, at, np.arange(f(low), f(high))).mean(1)) - base, -5.0, 25.0)
        for low, high in ((0.04, 0.08), (0.1, 0.15))
    ]
    share = _db(np.maximum(whole - pre, 0.0)[:, bands].sum(1)) - _db(total)
    spike = _db(window_of(ringless, begins, np.arange(-1, 5)).max(1)) - base
    fall = _db(np.median(window_of(ringless, begins, np.arange(f(0.035), f(0.065))), axis=1)) - base
    return [
        np.clip(now - base, -5.0, 25.0)[:, bands].mean(1),
        *(v[:, bands].mean(1) for v in left),
        share,
        *np.clip(spike[:, bands.stop :], -5.0, 30.0).T,
        *np.clip(spike - fall, -5.0, 30.0)[:, bands.stop :].T,
    ]


def _db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + FLOOR)


def _tone_features(
    tones: tuple[np.ndarray, np.ndarray],
    spans: tuple[np.ndarray, np.ndarray, np.ndarray],
    total: np.ndarray,
    grid: Grid,
) -> list[np.ndarray]:
    """Return what new tone sounds after a bump, against the bump and against before; what was lost; how tonal it is."""
    power, tonal = tones
    begins, peaks, ends = spans
    half = 0.5 * grid.tone_window / grid.hop
    at = lambda frames: np.clip(np.floor(frames / TONE_STEP + 0.5).astype(int), 0, len(power) - 1)  # noqa: E731
    before = at(begins - half - 1)
    old = np.minimum(power[before], power[np.maximum(before - 1, 0)])
    older = np.maximum(power[before], power[np.maximum(before - 1, 0)])
    wide = moving_max(older.T, 1).T
    last = np.maximum(ends, peaks + grid.frames(0.015))
    after = at(last + half + grid.frames(0.02))
    later = np.minimum(after + 2, len(power) - 1)
    new = np.minimum(power[after], power[later])
    both = tonal[after] & tonal[later]
    fresh = (np.maximum(new - 2.0 * wide, 0.0) * both).sum(1)
    now = power[at(peaks)]
    rise = np.maximum(now - 2.0 * wide, 0.0)
    floor = 0.1 * FLOOR * power.shape[1]
    db = lambda v: 10 * np.log10(np.maximum(v, floor))  # noqa: E731
    return [
        np.maximum(db(fresh) - db(total), -40.0),
        np.maximum(db(fresh) - db(older.sum(1)), -40.0),
        db(old.sum(1)) - db(np.maximum(power[after], power[later]).sum(1)),
        (rise * tonal[at(peaks)]).sum(1) / np.maximum(rise.sum(1), floor),
    ]
