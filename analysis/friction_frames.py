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

WINDOW_S, HOP_S = 0.0116, 0.005
TONE_WINDOW_S, TONE_STEP = 0.0464, 4
EDGES_HZ = (
    100, 300, 500, 700, 900, 1150, 1450, 1800, 2250, 2800, 3500, 4400, 5500, 7000, 9000, 12_000, 16_000
)  # fmt: skip
RING_EDGES_HZ = (200, 600, 1100, 1700, 2500, 3500, 4400)
_SPIKE_S = 0.0015
_RING_HZ, _ORDER, _RIDGE = 10_500, 48, 1e-7
# A predictor's block in hops (60 ms); what is fed begins on a multiple of it, so that blocks are the same in any chunk.
BLOCK_HOPS = 12
BANDS = len(EDGES_HZ) - 1
_TONES_HZ = (80.0, 5000.0)
# What is softer than this under the recording's peak, in a band, is not looked at.
_FLOOR = 1e-10
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


SCALES = (
    Scale(2, 0.025, 0.01, 0.03, 0.03, 0.7),
    Scale(2, 0.06, 0.015, 0.03, 0.03, 0.7),
    Scale(9, 0.12, 0.08, 0.2, 0.2, 0.5),
)


@dataclass(frozen=True)
class Grid:
    """Sizes in samples at one rate."""

    rate: float
    step: int
    hop: int
    window: int
    tone_window: int

    @classmethod
    def at(cls, rate: float) -> Grid:
        """Return the sizes at a rate in Hz."""
        # What rings on is predicted at a lower rate, near this one; a hop is a whole number of its frames.
        step = max(int(rate / _RING_HZ), 1)
        return cls(
            rate,
            step,
            step * max(round(HOP_S * rate / step), 1),
            int(2 ** np.round(np.log2(WINDOW_S * rate))),
            int(2 ** np.round(np.log2(TONE_WINDOW_S * rate))),
        )

    def frames(self, seconds: float) -> int:
        """Return a time in hops, at least one."""
        return max(round(seconds * self.rate / self.hop), 1)

    @property
    def ring_bands(self) -> int:
        """How many bands of the residual lie under its Nyquist frequency."""
        return int(np.sum(np.array(RING_EDGES_HZ[1:]) <= 0.5 * self.rate / self.step * 1.001))

    @property
    def bands(self) -> int:
        """How many bands lie under the Nyquist frequency."""
        return int(np.sum(np.array(EDGES_HZ[1:]) <= 0.5 * self.rate * 1.001))


NAMES = (
    "sure", "sure_raw", "sure_ring", "sure_third", "slow", "level_db", "over_db", "duration", "climb", "centroid",
    "high", "low", "rise_db", "wide", "left_60_db", "left_120_db", "left_200_db", "tone_new_db", "tone_gain_db",
    "tone_lost_db", "tonal", "glide", "flat", "ring_rise_db", "ring_left_60_db", "ring_left_120_db", "ring_share",
    "spike_ring_db", "spike_db", "spike_ring_fall_db", "spike_fall_db",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Candidates:
    """Bumps of noise, in order of time.

    Parameters
    ----------
    start_s, peak_s, end_s : ndarray [shape=(n,)], seconds
    power : ndarray [shape=(n,)]
        Mean square of the loudest 50 ms over what was there before, the recording's peak = 1.
    features : ndarray [shape=(n, len(NAMES))], float32
    profile : ndarray [shape=(n, BANDS)], float32
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
            return cls(none, none, none, none, np.zeros((0, len(NAMES)), "f4"), np.zeros((0, BANDS), "f4"))
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
    power = _band_power(x, grid.window, grid.hop, grid.rate, EDGES_HZ[: grid.bands + 1])
    ringless = _residual_power(x, grid)
    parts = [_of_scale(np.concatenate([power, ringless], axis=1), scale, grid) for scale in SCALES]
    begins, peaks, ends, surely, slow = (np.concatenate(c) for c in zip(*parts, strict=True))
    keep = _unique(begins, peaks, surely.max(1), slow, grid)
    place = first + begins[keep] * grid.hop
    keep = keep[(place >= core[0]) & (place < core[1])]
    if not len(keep):
        return Candidates.join([])
    begins, peaks, ends, slow = begins[keep], peaks[keep], ends[keep], slow[keep]
    tones = _tone_power(x, grid)
    features, profile, loud = _features(power, ringless, tones, (begins, peaks, ends), (surely[keep], slow), grid)
    second, offset = grid.hop / grid.rate, first / grid.rate
    return Candidates(
        offset + begins * second, offset + peaks * second, offset + ends * second, loud, features, profile
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


def _spectra(x: np.ndarray, window: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return overlapping windows centred on multiples of the hop, and the window's shape."""
    half = window // 2
    count = len(x) // hop + 1
    padded = np.pad(x.astype(np.float32), (half, half + hop), mode="reflect" if len(x) > half + hop else "constant")
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    shape /= np.sqrt(np.sum(shape.astype(np.float64) ** 2) * window / 2)
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count], shape


def _band_power(x: np.ndarray, window: int, hop: int, rate: float, edges_hz: tuple[float, ...]) -> np.ndarray:
    """Return the mean square in every band [shape=(frames, bands)], float32."""
    from scipy.fft import rfft

    windows, shape = _spectra(x, window, hop)
    hertz = np.arange(window // 2 + 1) * rate / window
    # Whole bins; a band narrower than one shares the nearest.
    edges = np.searchsorted(hertz, np.array(edges_hz) - 0.5 * hertz[1])
    count = len(edges) - 1
    bank = np.zeros((len(hertz), count), dtype=np.float32)
    for b in range(count):
        bank[edges[b] : max(edges[b + 1], edges[b] + 1), b] = 1.0
    top = max(edges[-1], edges[-2] + 1)
    out = np.empty((len(windows), count), dtype=np.float32)
    for begin in range(0, len(windows), 1024):
        z = rfft(windows[begin : begin + 1024] * shape, axis=1)[:, :top]
        out[begin : begin + 1024] = (z.real**2 + z.imag**2) @ bank[:top]
    return out


def _residual_power(x: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the mean square in bands of what linear prediction leaves [shape=(frames, ring_bands)], float32."""
    from ..core.kernels.linear_residual import linear_residual

    low = _decimated(x, grid.step)
    rate, hop = grid.rate / grid.step, grid.hop // grid.step
    out = np.empty_like(low)
    block = hop * BLOCK_HOPS
    linear_residual(low, min(_ORDER, block // 2), block, _RIDGE, out)
    window = int(2 ** np.round(np.log2(WINDOW_S * rate)))
    power = _band_power(out, window, hop, rate, RING_EDGES_HZ[: grid.ring_bands + 1])
    # Always as many columns: at low rates the highest band stands for those there are not.
    power = np.pad(power, ((0, 0), (0, len(RING_EDGES_HZ) - 1 - power.shape[1])), mode="edge")
    count = len(x) // grid.hop + 1
    spikes = [_spikes(out, hop, rate), _spikes(np.diff(x, 2, prepend=(x[0], x[0])), grid.hop, grid.rate)]
    return np.column_stack([c[:count] for c in (power, *spikes)])


def _spikes(x: np.ndarray, hop: int, rate: float) -> np.ndarray:
    """Return the largest mean square of 1.5 ms within a hop around every frame [shape=(frames,)], float32."""
    size = max(round(_SPIKE_S * rate), 2)
    total = np.concatenate([[0.0], np.cumsum(x * x)])
    power = np.maximum(total[size:] - total[:-size], 0.0) / size
    half = hop // 2
    count = len(x) // hop + 2
    padded = np.pad(power, (half + size // 2, count * hop), mode="edge")[: count * hop]
    return padded.reshape(count, hop).max(1).astype(np.float32)


def _decimated(x: np.ndarray, step: int) -> np.ndarray:
    """Return every ``step``-th sample of the sound without what lies over the new Nyquist frequency."""
    if step == 1:
        return np.ascontiguousarray(x, dtype=np.float64)
    reach = 8 * step
    n = np.arange(-reach, reach + 1)
    taps = np.sinc(0.9 * n / step) * np.hanning(2 * reach + 3)[1:-1]
    taps /= taps.sum()
    count = (len(x) - 1) // step + 1
    rows = count + 2 * reach // step + 1
    padded = np.zeros(rows * step)
    padded[reach : reach + len(x)] = x[: rows * step - reach]
    phases = np.ascontiguousarray(padded.reshape(rows, step).T)
    out = np.zeros(count)
    for k, tap in enumerate(taps):
        row, phase = divmod(k, step)
        out += tap * phases[phase, row : row + count]
    return out


def _tone_power(x: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the power of the bins where tones lie [shape=(frames, bins)] and whether each is part of a tone."""
    from scipy.fft import rfft
    from scipy.ndimage import uniform_filter1d

    windows, shape = _spectra(x, grid.tone_window, TONE_STEP * grid.hop)
    hertz = np.arange(grid.tone_window // 2 + 1) * grid.rate / grid.tone_window
    low, high = np.searchsorted(hertz, _TONES_HZ)
    z = rfft(windows * shape, axis=1)[:, low:high]
    power = z.real**2 + z.imag**2 + np.float32(_FLOOR / 10)
    return power, power > 3.0 * uniform_filter1d(power, 13, axis=1, mode="nearest")


def _of_scale(power: np.ndarray, scale: Scale, grid: Grid) -> tuple[np.ndarray, ...]:
    """Return begin, peak and end frames, sureness and slowness of what rises at one scale."""
    from scipy.ndimage import median_filter, percentile_filter, uniform_filter1d

    size = scale.smooth
    level = 10 * np.log10(uniform_filter1d(power, size, axis=0, mode="nearest") + np.float32(_FLOOR))
    old, lag = grid.frames(scale.old_s), grid.frames(scale.lag_s)
    # The middle of what was there before: `old` long, ending `lag` ago.
    past = uniform_filter1d(level, old, axis=0, mode="nearest")
    shift = lag + old // 2
    rise = np.zeros_like(level)
    rise[shift:] = np.clip(level[shift:] - past[:-shift], -6.0, 15.0)
    raw = grid.bands
    groups = np.column_stack(
        [rise[:, low : min(high, raw)].mean(1) for low, high in _GROUPS if low < raw]
        + [rise[:, raw + low : raw + high].mean(1) for low, high in _RING_GROUPS]
    )
    coarse = groups[::BLOCK_HOPS]
    wide = (2 * (grid.frames(_AROUND_S) // (2 * BLOCK_HOPS)) + 1, 1)
    middle = np.minimum(median_filter(coarse, wide, mode="nearest"), 0.0)
    scatter = percentile_filter(np.abs(coarse - middle), 35, wide, mode="nearest") / 0.454
    middle, scatter = (np.repeat(v, BLOCK_HOPS, axis=0)[: len(groups)] for v in (middle, scatter))
    each = (groups - middle) / np.maximum(scatter, scale.least_db)
    sure = each.max(1)
    rises = _peaks(sure, grid)
    if not len(rises):
        none = np.zeros(0, dtype=np.int64)
        return none, none, none, np.zeros((0, groups.shape[1])), none
    weight = np.maximum(_window(rise, rises, np.arange(0, 3)).max(1), 0.1)
    weight /= weight.sum(1, keepdims=True)
    ground = np.median(_window(level, rises, np.arange(-lag - old, -lag + 1)), axis=1)
    reach = grid.frames(_LONGEST_S)
    back = grid.frames(scale.back_s)
    around = _window(level, rises, np.arange(-back, reach + 1)) - ground[:, None, :]
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
    from scipy.ndimage import maximum_filter1d

    top = maximum_filter1d(sure, 2 * grid.frames(0.5 * _APART_S) + 1, mode="constant")
    return np.flatnonzero((sure >= top) & (sure > _THRESHOLD))


def _window(values: np.ndarray, centre: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the rows around every centre [shape=(n, offsets, columns)], the ends repeated."""
    return values[np.clip(centre[:, None] + offsets, 0, len(values) - 1)]


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
    pre = np.median(_window(power, begins, np.arange(-f(0.04), -f(0.005))), axis=1)
    at = np.maximum(peaks, begins + f(0.015))
    near = _window(power, at, np.arange(-f(0.025), f(0.025) + 1))
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
        then = _db(_window(power, at, np.arange(f(low), f(high))).mean(1))
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


def _ring_features(
    ringless: np.ndarray, begins: np.ndarray, at: np.ndarray, total: np.ndarray, grid: Grid
) -> list[np.ndarray]:
    """Return how far the residual rises, how much is left of that later, and its share in the noise."""
    f = grid.frames
    before, bands = np.arange(-f(0.04), -f(0.005)), slice(0, len(RING_EDGES_HZ) - 1)
    pre = np.median(_window(ringless, begins, before), axis=1)
    base = _db(pre)
    now = _db(_window(ringless, at, np.arange(-2, 3)).mean(1))
    whole = _window(ringless, at, np.arange(-f(0.025), f(0.025) + 1)).mean(1)
    left = [
        np.clip(_db(_window(ringless, at, np.arange(f(low), f(high))).mean(1)) - base, -5.0, 25.0)
        for low, high in ((0.04, 0.08), (0.1, 0.15))
    ]
    share = _db(np.maximum(whole - pre, 0.0)[:, bands].sum(1)) - _db(total)
    spike = _db(_window(ringless, begins, np.arange(-1, 5)).max(1)) - base
    fall = _db(np.median(_window(ringless, begins, np.arange(f(0.035), f(0.065))), axis=1)) - base
    return [
        np.clip(now - base, -5.0, 25.0)[:, bands].mean(1),
        *(v[:, bands].mean(1) for v in left),
        share,
        *np.clip(spike[:, bands.stop :], -5.0, 30.0).T,
        *np.clip(spike - fall, -5.0, 30.0)[:, bands.stop :].T,
    ]


def _db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + _FLOOR)


def _tone_features(
    tones: tuple[np.ndarray, np.ndarray],
    spans: tuple[np.ndarray, np.ndarray, np.ndarray],
    total: np.ndarray,
    grid: Grid,
) -> list[np.ndarray]:
    """Return what new tone sounds after a bump, against the bump and against before; what was lost; how tonal it is."""
    from scipy.ndimage import maximum_filter1d

    power, tonal = tones
    begins, peaks, ends = spans
    half = 0.5 * grid.tone_window / grid.hop
    at = lambda frames: np.clip(np.floor(frames / TONE_STEP + 0.5).astype(int), 0, len(power) - 1)  # noqa: E731
    before = at(begins - half - 1)
    old = np.minimum(power[before], power[np.maximum(before - 1, 0)])
    older = np.maximum(power[before], power[np.maximum(before - 1, 0)])
    wide = maximum_filter1d(older, 3, axis=1)
    last = np.maximum(ends, peaks + grid.frames(0.015))
    after = at(last + half + grid.frames(0.02))
    later = np.minimum(after + 2, len(power) - 1)
    new = np.minimum(power[after], power[later])
    both = tonal[after] & tonal[later]
    fresh = (np.maximum(new - 2.0 * wide, 0.0) * both).sum(1)
    now = power[at(peaks)]
    rise = np.maximum(now - 2.0 * wide, 0.0)
    floor = 0.1 * _FLOOR * power.shape[1]
    db = lambda v: 10 * np.log10(np.maximum(v, floor))  # noqa: E731
    return [
        np.maximum(db(fresh) - db(total), -40.0),
        np.maximum(db(fresh) - db(older.sum(1)), -40.0),
        db(old.sum(1)) - db(np.maximum(power[after], power[later]).sum(1)),
        (rise * tonal[at(peaks)]).sum(1) / np.maximum(rise.sum(1), floor),
    ]
