"""The transforms that `analysis.friction` looks at: powers in bands, what prediction leaves, tones.

Conventions
-----------
Frames lie on multiples of the hop from the first sample on; powers are mean squares, float32.
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
FLOOR = 1e-10


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


def _spectra(x: np.ndarray, window: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return overlapping windows centred on multiples of the hop, and the window's shape."""
    half = window // 2
    count = len(x) // hop + 1
    padded = np.pad(x.astype(np.float32), (half, half + hop), mode="reflect" if len(x) > half + hop else "constant")
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    shape /= np.sqrt(np.sum(shape.astype(np.float64) ** 2) * window / 2)
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count], shape


def band_power(x: np.ndarray, window: int, hop: int, rate: float, edges_hz: tuple[float, ...]) -> np.ndarray:
    """Return the mean square in every band [shape=(frames, bands)], float32."""
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
        z = np.fft.rfft(windows[begin : begin + 1024] * shape, axis=1)[:, :top]
        out[begin : begin + 1024] = (z.real**2 + z.imag**2) @ bank[:top]
    return out


def residual_power(x: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the mean square in bands of what linear prediction leaves [shape=(frames, ring_bands)], float32."""
    from ..core.kernels.linear_residual import linear_residual

    low = _decimated(x, grid.step)
    rate, hop = grid.rate / grid.step, grid.hop // grid.step
    out = np.empty_like(low)
    block = hop * BLOCK_HOPS
    linear_residual(low, min(_ORDER, block // 2), block, _RIDGE, out)
    window = int(2 ** np.round(np.log2(WINDOW_S * rate)))
    power = band_power(out, window, hop, rate, RING_EDGES_HZ[: grid.ring_bands + 1])
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
    from ..core.kernels.decimation import decimation

    n = np.arange(-5 * step, 5 * step + 1)
    taps = np.sinc(0.9 * n / step) * np.hanning(len(n) + 2)[1:-1]
    return decimation(np.ascontiguousarray(x, dtype=np.float64), taps / taps.sum(), step)


def tone_power(x: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the power of the bins where tones lie [shape=(frames, bins)] and whether each is part of a tone."""
    windows, shape = _spectra(x, grid.tone_window, TONE_STEP * grid.hop)
    hertz = np.arange(grid.tone_window // 2 + 1) * grid.rate / grid.tone_window
    low, high = np.searchsorted(hertz, _TONES_HZ)
    z = np.fft.rfft(windows * shape, axis=1)[:, low:high]
    power = z.real**2 + z.imag**2 + np.float32(FLOOR / 10)
    return power, power > 3.0 * moving_mean(power.T, 13).T


def moving_mean(values: np.ndarray, size: int) -> np.ndarray:
    """Return means along the first axis, half of each before its place, the ends repeated; of the values' type."""
    before = size // 2
    padded = np.pad(values, [(before, size - 1 - before)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    total = np.zeros((len(padded) + 1, *values.shape[1:]))
    np.cumsum(padded, axis=0, dtype=np.float64, out=total[1:])
    return ((total[size:] - total[:-size]) / size).astype(values.dtype)


def moving_max(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the largest value up to ``reach`` away along the first axis."""
    out = values.copy()
    for k in range(1, min(reach, len(values) - 1) + 1):
        np.maximum(out[k:], values[:-k], out=out[k:])
        np.maximum(out[:-k], values[k:], out=out[:-k])
    return out


def moving_rank(values: np.ndarray, reach: int, share: float) -> np.ndarray:
    """Return the value that ``share`` of those up to ``reach`` rows away lie below, the ends repeated."""
    size = 2 * reach + 1
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    rank = int(share * size)
    return np.partition(np.lib.stride_tricks.sliding_window_view(padded, size, axis=0), rank, axis=-1)[..., rank]


def window_of(values: np.ndarray, centre: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the rows around every centre [shape=(n, offsets, columns)], the ends repeated."""
    return values[np.clip(centre[:, None] + offsets, 0, len(values) - 1)]
