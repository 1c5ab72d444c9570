"""Candidates for the pitch of every frame, and the exact period of the chosen one.

Conventions
-----------
Everything but the source's rate is in samples of the working rate, about 11 kHz. A frame is known by its number:
frame i is centred on sample ``i * hop`` of the working rate, which is sample ``i * hop * factor`` of the recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from .listening import Chunk

HOP_S = 0.005
# The working rate is at least this, Hz: a tone of 3.5 kHz still has three samples a period.
_RATE = 11_000.0
_FRAME_S, _WINDOW_S, _REACH_S, _LEVEL_S = 0.067, 0.024, 0.008, 0.020
CANDIDATES = 6
_HARMONICS = 12
_BATCH = 128
# An octave lower costs this much in the choice of the candidates (not yet among them): multiples of the period, which
# repeat as well as it does, must not crowd it out.
_CROWDING = 0.1
# Quieter than this (dB, full scale 0) nothing is looked at: far below the last bit of 24.
_NOTHING_DB = -150.0


@dataclass(frozen=True)
class Grid:
    """Rates and lengths."""

    source_rate: float
    factor: int
    rate: float
    hop: int
    frame: int
    low: int
    high: int

    @classmethod
    def at(cls, rate: float, low_hz: float, high_hz: float) -> Grid:
        """Return the grid for a recording's rate and a range of pitch."""
        factor = max(1, int(rate // _RATE))
        working = rate / factor
        longest = int(np.ceil(working / low_hz)) + 2
        return cls(
            source_rate=rate,
            factor=factor,
            rate=working,
            hop=max(round(HOP_S * working), 1),
            frame=max(2 * round(_FRAME_S * working / 2), 2 * (longest + 8)),
            low=max(int(working / min(high_hz, 0.34 * working)), 2),
            high=longest,
        )

    @property
    def step(self) -> int:
        """Frames of the recording between two of ours."""
        return self.hop * self.factor

    @property
    def margin(self) -> int:
        """How far around its centre a frame hears, with the filters' tails."""
        return self.frame + 2 * self.high + self.of(0.2)

    def of(self, seconds: float) -> int:
        """Return a length in samples."""
        return max(round(seconds * self.rate), 1)

    @cached_property
    def window(self) -> np.ndarray:
        """Hann window, shape (frame,)."""
        at = (np.arange(self.frame) + 0.5) / self.frame
        return (0.5 - 0.5 * np.cos(2 * np.pi * at)).astype(np.float32)

    @cached_property
    def length(self) -> int:
        """Length of the Fourier transform: no lag up to the longest wraps around."""
        from scipy import fft

        return int(fft.next_fast_len(self.frame + self.high + 6, real=True))

    @cached_property
    def window_correlation(self) -> np.ndarray:
        """The window's own autocorrelation from lag 0."""
        window = self.window.astype(np.float64)
        return np.correlate(window, window, mode="full")[self.frame - 1 :]


@dataclass(frozen=True)
class Candidates:
    """The candidates of consecutive frames, shape (n, CANDIDATES), best first; NaN and 0 where there are fewer."""

    lag: np.ndarray
    strength: np.ndarray
    contrast: np.ndarray
    footing: np.ndarray
    level_db: np.ndarray

    def columns(self) -> tuple[np.ndarray, ...]:
        """Return the arrays in order."""
        return self.lag, self.strength, self.contrast, self.footing, self.level_db


@dataclass(frozen=True)
class Heard:
    """A chunk at the working rate: ``x[0]`` is sample ``first``; beyond the recording lies silence."""

    x: np.ndarray
    first: int

    @classmethod
    def of(cls, chunk: Chunk, grid: Grid) -> Heard:
        """Filter and decimate a chunk, and take away what lies below all pitches."""
        from ..core.kernels.decimation import decimation

        skip = -chunk.first % grid.factor
        x = decimation(np.ascontiguousarray(chunk.samples[skip:]), _low_pass(grid.factor), grid.factor)
        x = _without_drift(x, grid.of(0.08)) if len(x) else x
        silence = np.zeros(grid.margin)
        return cls(np.concatenate([silence, x, silence]), (chunk.first + skip) // grid.factor - grid.margin)


@cache
def _low_pass(factor: int) -> np.ndarray:
    """Return a linear-phase filter that keeps 0.32 of the new rate and stops 0.45 of it by 70 dB.

    Below half the rate already, so that what is left can be interpolated with few samples.
    """
    keep, stop = 0.32 / factor, 0.45 / factor  # cycles a sample
    half = int(np.ceil((70.0 - 8.0) / (2.285 * 2 * np.pi * (stop - keep)) / 2))
    at = np.arange(-half, half + 1)
    taps = (keep + stop) * np.sinc((keep + stop) * at) * np.kaiser(2 * half + 1, 6.755)
    return taps / taps.sum()


@cache
def _sinc(phases: int) -> np.ndarray:
    """Return the weights, shape (phases + 1, 8), that interpolate between the fourth and fifth of eight samples.

    Least squares over 0.7 of the band, the lowest frequencies weighted most: the place of a peak is as wrong as the
    error divided by the square of the frequency.
    """
    turn = np.linspace(1e-3, 0.7 * np.pi, 600)
    weight = np.tile((turn / np.pi + 0.02) ** -3, 2)[:, None]
    at, wanted = np.arange(8) - 3, np.arange(phases + 1) / phases
    waves = np.concatenate([np.cos(np.outer(turn, at)), np.sin(np.outer(turn, at))])
    aim = np.concatenate([np.cos(np.outer(turn, wanted)), np.sin(np.outer(turn, wanted))])
    return np.ascontiguousarray(np.linalg.lstsq(weight * waves, weight * aim, rcond=None)[0].T)


def _without_drift(x: np.ndarray, span: int) -> np.ndarray:
    """Subtract the moving mean over about ``span`` samples, taken twice: no offset, no rumble."""
    half = min(span // 2, (len(x) - 1) // 2)
    if half == 0:
        return x - x.mean()
    count = np.full(len(x), 2.0 * half + 1)
    count[:half] -= np.arange(half, 0, -1)
    count[len(x) - half :] -= np.arange(1, half + 1)
    for _ in range(2):
        sums = np.cumsum(np.concatenate([np.zeros(half + 1), x, np.zeros(half)]))
        x = x - (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / count
    return x


def candidates(heard: Heard, begin: int, end: int, grid: Grid) -> Candidates:
    """Return the candidates of the frames ``[begin, end)``."""
    from ..core.kernels.harmonic_contrast import harmonic_contrast
    from ..core.kernels.lag_peaks import lag_peaks

    n = end - begin
    centre = np.arange(begin, end) * grid.hop - heard.first
    level_db = _level_db(heard.x, centre, grid.of(_LEVEL_S) // 2)
    lag = np.full((n, CANDIDATES), np.nan)
    strength = np.zeros((n, CANDIDATES))
    contrast = np.zeros((n, CANDIDATES))
    footing = np.zeros((n, CANDIDATES))
    quiet = heard.x.astype(np.float32)
    busy = np.flatnonzero(level_db > _NOTHING_DB)
    for start in range(0, len(busy), _BATCH):
        rows = busy[start : start + _BATCH]
        amplitude, correlation = _spectra(quiet, centre[rows] - grid.frame // 2, grid)
        lag[rows], strength[rows] = lag_peaks(
            correlation, grid.window_correlation, grid.low, grid.high, _CROWDING, CANDIDATES, _sinc(4)
        )
        contrast[rows], footing[rows] = harmonic_contrast(amplitude, grid.length / lag[rows], _HARMONICS)
    return Candidates(lag, strength, contrast, footing, level_db)


def _level_db(x: np.ndarray, centre: np.ndarray, half: int) -> np.ndarray:
    sums = np.concatenate([[0.0], np.cumsum(x * x)])
    power = np.maximum(sums[centre + half] - sums[centre - half], 0.0) / (2 * half)
    return 10 * np.log10(np.maximum(power, 1e-30))


def _spectra(x: np.ndarray, begin: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the amplitude spectra and autocorrelations of windowed frames at the given places."""
    from scipy import fft

    padded = np.zeros((len(begin), grid.length), dtype=np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(x, grid.frame)[begin]
    np.multiply(frames, grid.window, out=padded[:, : grid.frame])
    spectrum = fft.rfft(padded, axis=1, overwrite_x=True)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return np.sqrt(power), fft.irfft(power, grid.length, axis=1)


def periods(heard: Heard, begin: int, lag: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return exact periods and how alike they are for consecutive frames whose period is roughly known.

    Parameters
    ----------
    heard : Heard
    begin : int
        The first frame.
    lag : ndarray [shape=(n,)], samples
        NaN where there is none.
    grid : Grid

    Returns
    -------
    period : ndarray [shape=(n,)], samples
    likeness : ndarray [shape=(n,)], -1 to 1
    late : ndarray [shape=(n,)], samples
        How far after its centre a frame was read.
    """
    from ..core.kernels.period_refinement import period_refinement

    centre = np.arange(begin, begin + len(lag)) * grid.hop - heard.first
    return period_refinement(heard.x, centre, lag, _WINDOW_S * grid.rate, _REACH_S * grid.rate, _sinc(16))


def swing_kept(pitch_hz: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return how much of a vibrato's extent remains in the track, because each frame hears 24 ms and more.

    Parameters
    ----------
    pitch_hz : ndarray [shape=(n,)], Hz
    rate_hz : float, Hz
        The vibrato's rate.

    Returns
    -------
    ndarray [shape=(n,)]
        0 to 1: the response of the Hann window, times that of the distance between the two stretches.
    """
    window = rate_hz * np.maximum(_WINDOW_S, 2 / pitch_hz)
    apart = rate_hz * np.maximum(np.round(_REACH_S * pitch_hz), 1) / pitch_hz
    return np.sinc(window) / (1 - window**2) * np.sinc(apart)
