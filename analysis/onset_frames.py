"""What is heard where: the traces on a grid of 3 ms from which `analysis.onset_evidence` tells onsets.

Conventions
-----------
Frame i is centred on i hops. Two transforms: a short window (12 ms) tells fast changes in wide bands, a long one
(46 ms) tells tones in quarter tones; and the power of the wave and of its difference, in quarters of a hop. Levels
are relative to the recording's peak.

References
----------
Böck and Widmer 2013, Maximum filter vibrato suppression for onset detection, DAFx-13 (the maximum filter).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from .running import ranked

_WINDOW_S, _SHORT_S, _LONG_S = 0.023, 0.0116, 0.0464
_HOP_S = 0.0029
# Bands of the short window, of the long one's quarter tones, and the wide ones that tell drums apart, in Hz.
_SHORT_HZ = (0, 200, 400, 800, 1600, 3200, 5000, 7500, 10_500, 14_000, 17_500)
_LONG_HZ, _BANDS_AN_OCTAVE = (40.0, 13_000.0), 24
WIDE_HZ = (20, 120, 300, 1000, 5000, 17_500)
# Least power in a band, full scale 1: silence is as good as what lies below.
FLOOR = 1e-9


@dataclass(frozen=True)
class Grid:
    """Sizes in samples at one rate."""

    rate: float
    window: int
    hop: int

    @classmethod
    def at(cls, rate: float) -> Grid:
        """Return the sizes at a rate in Hz."""
        window = int(2 ** np.ceil(np.log2(_WINDOW_S * rate)))
        hop = max(round(_HOP_S * rate), 1)
        return cls(rate, window, hop)

    @property
    def short(self) -> int:
        """The short window."""
        return max(int(2 ** round(np.log2(_SHORT_S * self.rate))), 8)

    @property
    def long(self) -> int:
        """The long window."""
        return max(int(2 ** round(np.log2(_LONG_S * self.rate))), 16)

    @property
    def grain(self) -> int:
        """The quarter of a hop."""
        return max(self.hop // 4, 1)

    def frames(self, seconds: float) -> int:
        """Return the odd number of frames nearest to a time."""
        return 2 * round(seconds * self.rate / self.hop / 2) + 1

    def steps(self, milliseconds: float) -> int:
        """Return a time in hops."""
        return round(milliseconds / 1000 * self.rate / self.hop)

    def grains(self, milliseconds: float) -> int:
        """Return a time in quarters of a hop."""
        return round(milliseconds / 1000 * self.rate / self.grain)

    def ms(self, milliseconds: float) -> int:
        """Return a time in samples, at least one."""
        return max(round(milliseconds * self.rate / 1000), 1)


@dataclass(frozen=True, eq=False)
class Frames:
    """The traces of a stretch; arrays of one row a frame unless said otherwise."""

    grid: Grid
    short: np.ndarray  # power in the short window's bands
    centres: np.ndarray  # of those bands, Hz
    flux: np.ndarray  # mean rise over quarter tones, natural logarithm
    lasting: np.ndarray  # the part of it still there 58 ms later
    risen: np.ndarray  # the share of quarter tones that rise by 1
    wide: np.ndarray  # power in WIDE_HZ of the long window; a row every other frame
    fine: np.ndarray  # power of the wave, a value a grain
    fine_bright: np.ndarray  # power of its difference

    def __len__(self) -> int:
        return len(self.short)

    @cached_property
    def decibels(self) -> tuple[np.ndarray, np.ndarray]:
        """The rise in dB around every frame in every short band: over 6 ms, and over 23 ms."""
        return _rises(self.short, 2), _rises(self.short, 8)

    @cached_property
    def burst(self) -> np.ndarray:
        """The mean rise over the short bands within 6 ms, dB; what falls counts nothing."""
        return np.clip(self.decibels[0], 0, 15).mean(1)

    @cached_property
    def noise(self) -> np.ndarray:
        """How surely noise rises, in standard deviations: see `_noise`."""
        return _noise(self.decibels[1], self.centres, self.grid)

    @cached_property
    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """How far the power of the wave and of its difference rises between the grains, dB."""
        return _slope(self.fine), _slope(self.fine_bright)


def heard(x: np.ndarray, grid: Grid) -> Frames:
    """Return the traces of a stretch of samples whose recording has the peak 1."""
    from ..core.kernels.band_flux import band_flux
    from ..core.kernels.band_peaks import band_peaks

    count = len(x) // grid.hop + 1
    top = 0.48 * grid.rate
    edges = sorted({*(e for e in _SHORT_HZ if e < top), min(top, _SHORT_HZ[-1])})
    bins = np.arange(grid.short // 2 + 1) * grid.rate / grid.short
    splits = np.stack([(bins >= a) & (bins < b) for a, b in pairwise(edges)]).T.astype(np.float32)
    short = np.concatenate([p @ splits for p in _powers(x, grid.short, grid.hop, count)]).astype(np.float64)
    bins = np.arange(grid.long // 2 + 1) * grid.rate / grid.long
    splits = np.stack([(bins >= a) & (bins < b) for a, b in pairwise(WIDE_HZ)]).T.astype(np.float32)
    tones = _quarter_tones(grid)
    levels, wide = [], []
    for power in _powers(x, grid.long, 2 * grid.hop, (count + 1) // 2):
        levels.append(np.log1p(1000.0 * np.sqrt(band_peaks(power, tones))))
        wide.append(power @ splits)
    flux, lasting, risen = np.repeat(band_flux(np.concatenate(levels), 2, 10), 2, axis=1)[:, :count]
    return Frames(
        grid,
        short + FLOOR,
        np.array([(a + b) / 2 for a, b in pairwise(edges)]),
        flux,
        lasting,
        risen,
        np.concatenate(wide).astype(np.float64) + FLOOR,
        _by_grain(x, grid),
        _by_grain(np.diff(x, prepend=x[:1]), grid),
    )


def _powers(x: np.ndarray, window: int, hop: int, count: int) -> Iterator[np.ndarray]:
    """Yield blocks of power spectra [shape=(frames, window / 2 + 1)]; a sine of amplitude 1 has the peak 1."""
    from scipy.fft import rfft

    half = window // 2
    # A constant offset is not a sound that begins with the recording; the end is mirrored, so that nothing breaks off.
    rest = float(x[: max(window // 2, 1)].mean())
    padded = np.concatenate([np.full(half, rest), np.pad(x, (0, half + hop), mode="symmetric")]).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count]
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    shape /= shape.sum() / 2
    step = max((1 << 18) // window, 1)
    for begin in range(0, count, step):
        spectrum = rfft(windows[begin : begin + step] * shape, axis=1)
        power = spectrum.real**2
        power += spectrum.imag**2
        yield power


def _quarter_tones(grid: Grid) -> np.ndarray:
    """Return the first bins of quarter tones, as far as the long window resolves them, and the end of the last."""
    top = min(0.48 * grid.rate, _LONG_HZ[1])
    steps = np.arange(max(_BANDS_AN_OCTAVE * np.log2(top / _LONG_HZ[0]), 0) + 1)
    hertz = _LONG_HZ[0] * 2.0 ** (steps / _BANDS_AN_OCTAVE)
    edges = np.unique(np.clip(np.round(hertz * grid.long / grid.rate), 1, grid.long // 2).astype(np.int64))
    return edges if len(edges) > 1 else np.array([1, grid.long // 2 + 1])


def _by_grain(x: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the mean square of every whole grain."""
    whole = len(x) // grid.grain
    parts = x[: whole * grid.grain].reshape(whole, grid.grain)
    return np.einsum("ij,ij->i", parts, parts) / grid.grain + 1e-12 if whole else np.full(1, 1e-12)


def shifted(rows: np.ndarray, by: int) -> np.ndarray:
    """Return the rows that lie ``by`` later; the first and last go on beyond the ends."""
    return rows[np.clip(np.arange(len(rows)) + by, 0, len(rows) - 1)]


def _rises(power: np.ndarray, length: int) -> np.ndarray:
    """Return in dB how the mean power of some frames after a frame stands over that of as many before it."""
    total, have = power, 1
    while have < length:  # sums of 2, 4, 8 frames: no running sum, whose rounding would know where it began
        total = total + shifted(total, have)
        have *= 2
    # A window reaches two frames to either side of its centre.
    logs = 10 * np.log10(total)
    return shifted(logs, 1) - shifted(logs, -1 - length)


def _noise(rise_db: np.ndarray, centres: np.ndarray, grid: Grid) -> np.ndarray:
    """Return how surely noise rises at every frame, in standard deviations.

    The power of noise in a band of width B over a time T scatters by 1 / sqrt(B T): the mean over the bands above
    1.5 kHz is steady as no narrow band is, so that one cymbal shows in the ringing of another. What scatters more
    says so by its own lesser deviations.
    """
    wide = centres > 1500
    if wide.sum() < 2:
        return np.zeros(len(rise_db))
    rise = np.clip(rise_db[:, wide], -8, 8).mean(1)
    usual = ranked(rise, grid.frames(0.3), 0.5)
    rise = rise - np.minimum(usual, 0.0)  # what rings on falls steadily; a sound that holds the level is one, too
    # The 30th percentile of a normal variable's size is 0.385 of its deviation, and blind to the hits themselves.
    scatter = ranked(np.abs(rise - np.maximum(usual, 0.0)), grid.frames(0.6), 0.3) / 0.385
    known = 6.1 / np.sqrt(8 * grid.hop / grid.rate * np.ptp(centres[wide]))
    return rise / np.maximum(known, scatter)


def _slope(power: np.ndarray) -> np.ndarray:
    """Return in dB how the 3 ms after a grain's beginning stand over some 4 ms before."""
    after = sum(shifted(power, k) for k in range(4)) / 4
    before = sum(shifted(power, -k) for k in range(3, 9)) / 6
    return 10 * np.log10(after / before)
