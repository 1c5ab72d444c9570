"""What a frame of sound tells of breath: how noisy, how coloured, how steady it is.

Conventions
-----------
Frames are centred on multiples of 10 ms of the recording, with a Hann window of 40 ms; a frame says nothing of what is
farther off. Levels are dB with full scale 0. Bands end at 7.6 kHz, or at 3.9 kHz where the rate allows no more, so that
one reading serves every rate.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

HOP_S = 0.01
_WINDOW_S = 0.04
# About two bands an octave below 1 kHz and three above: formants of a breath show, harmonics do not.
BAND_EDGES_HZ = (250, 350, 480, 650, 860, 1100, 1400, 1750, 2150, 2650, 3200, 3900, 4700, 5600, 6600, 7600)
_FLATNESS_HZ = ((500, 1500), (1500, 3700), (3700, 7600))
_LOW_HZ = (80, 250)
_PITCH_HZ = (80.0, 900.0)
_HARMONIC_HZ = (100.0, 3600.0)
_WHITENED_OVER_HZ = 500.0
_BLOCK = 128
# Below the first rate there is no telling a breath at all; below the second it is told from what lies under 3.9 kHz.
SLOWEST_HZ, WIDE_HZ, NARROW_BANDS = 7_900.0, 15_500.0, 11


@dataclass(frozen=True, eq=False)
class Frames:
    """Readings of a recording, a row every 10 ms.

    Parameters
    ----------
    bands_db : ndarray [shape=(n, bands)], dB
    low_db : ndarray [shape=(n,)], dB
        Level between 80 and 250 Hz.
    level_db : ndarray [shape=(n,)], dB
        RMS of the window, from 80 Hz up.
    flatness_db : ndarray [shape=(n, ranges)], dB
        Geometric over arithmetic mean of the power in three ranges (two if narrow): -2.5 is noise, tones are far
        below.
    harmonicity, whitened : ndarray [shape=(n,)], 0 to 1
        Highest autocorrelation at a pitch's period, of the power as it is and with its envelope taken away.
    crest_db : ndarray [shape=(n,)], dB
        Loudest 2.5 ms over the window's mean: high where something clicks or strikes.
    """

    bands_db: np.ndarray
    low_db: np.ndarray
    level_db: np.ndarray
    flatness_db: np.ndarray
    harmonicity: np.ndarray
    whitened: np.ndarray
    crest_db: np.ndarray

    def __len__(self) -> int:
        return len(self.level_db)

    def part(self, begin: int, end: int) -> Frames:
        """Return the readings of frames ``[begin, end)``, as float32."""
        return Frames(**{f.name: getattr(self, f.name)[begin:end].astype(np.float32) for f in fields(self)})

    def narrowed(self) -> Frames:
        """Return the readings without what lies above 3.9 kHz."""
        return replace(self, bands_db=self.bands_db[:, :NARROW_BANDS], flatness_db=self.flatness_db[:, :2])

    @classmethod
    def of_table(cls, table: np.ndarray) -> Frames:
        """Name the columns of what `FrameReader.read` gives."""
        t = table
        n_bands = len(BAND_EDGES_HZ) - 1 if t.shape[1] > NARROW_BANDS + 7 else NARROW_BANDS
        n_flat = t.shape[1] - n_bands - 5
        return cls(
            t[:, :n_bands], t[:, n_bands], t[:, n_bands + 1], t[:, n_bands + 2 : n_bands + 2 + n_flat],
            t[:, -3], t[:, -2], t[:, -1],
        )  # fmt: skip


class FrameReader:
    """Reads frames at one rate.

    Parameters
    ----------
    rate : float, Hz
        `SLOWEST_HZ` or more.
    """

    def __init__(self, rate: float) -> None:
        self.hop = max(round(HOP_S * rate), 1)
        self.half = round(_WINDOW_S * rate / 2)
        n = 2 * self.half
        self._window = np.hanning(n + 1)[:n].astype(np.float32)
        # Not padded for the autocorrelation: what wraps around is the window's ends, softer than what is asked for.
        self._size = _smooth(n)
        self._scale = 2.0 / (self._size * float(np.sum(self._window**2)))
        hertz = np.fft.rfftfreq(self._size, 1 / rate)
        edges = BAND_EDGES_HZ if rate >= WIDE_HZ else BAND_EDGES_HZ[: NARROW_BANDS + 1]
        self._cuts = np.searchsorted(hertz, edges)
        self._low = slice(*np.searchsorted(hertz, _LOW_HZ))
        self._flat = [slice(*np.searchsorted(hertz, r)) for r in _FLATNESS_HZ if r[1] <= edges[-1] + 1]
        self._top = int(self._cuts[-1]) + 1
        # Autocorrelation of what lies below 3.6 kHz, at its own low rate.
        self._harmonic = slice(*np.searchsorted(hertz, (_HARMONIC_HZ[0], min(_HARMONIC_HZ[1], edges[-1]))))
        self._lags = _smooth(2 * self._harmonic.stop)
        lag_s = np.arange(self._lags) * self._size / (rate * self._lags)
        self._periods = slice(*np.searchsorted(lag_s, (1 / _PITCH_HZ[1], 1 / _PITCH_HZ[0])))
        own = np.fft.irfft(np.abs(np.fft.rfft(self._window, self._size)[: self._harmonic.stop]) ** 2, self._lags)
        self._own = (own[0] / own)[self._periods].astype(np.float32)
        self._reach = max(round(_WHITENED_OVER_HZ * self._size / rate / 2), 1)
        self._grain = max(round(0.0025 * rate), 1)
        self._lag = max(round(rate / 32_000), 1)
        self.columns = len(edges) + 1 + len(self._flat) + 3

    def read(self, samples: np.ndarray, first: int, count: int, peak: float = 1.0) -> np.ndarray:
        """Return the readings of frames whose centres lie at ``first``, ``first + hop``, ... in samples.

        Parameters
        ----------
        samples : ndarray [shape=(frames,)], full scale ``peak``
            What lies outside counts as silence.
        first : int
        count : int
        peak : float

        Returns
        -------
        table : ndarray [shape=(count, columns)], float16
            Compact: levels to a sixteenth of a dB. `Frames.of_table` names the columns.
        """
        table = np.empty((count, self.columns), dtype=np.float16)
        before = self.half + self._lag
        padded = np.zeros((_BLOCK, self._size), dtype=np.float32)
        for begin in range(0, count, _BLOCK):  # few enough to stay in the processor's cache
            n = min(_BLOCK, count - begin)
            low = first + begin * self.hop - before
            high = low + before + (n - 1) * self.hop + self.half
            x = np.zeros(high - low, dtype=np.float32)
            inside = samples[max(low, 0) : max(high, 0)]
            x[max(-low, 0) : max(-low, 0) + len(inside)] = inside / peak
            windows = np.lib.stride_tricks.sliding_window_view(x[self._lag :], 2 * self.half)[:: self.hop]
            np.multiply(windows, self._window, out=padded[:n, : 2 * self.half])
            self._block(padded[:n], table[begin : begin + n])
            table[begin : begin + n, -1] = self._crest(x, n)
        return table

    def _block(self, windows: np.ndarray, out: np.ndarray) -> None:
        """Write all columns but the last from the windowed frames' spectra."""
        spectrum = np.fft.rfft(windows, axis=1).astype(np.complex64, copy=False)  # numpy 1 makes it double
        pairs = spectrum.view(np.float32)[:, 2 * self._low.start :]
        total = np.einsum("ij,ij->i", pairs, pairs) * np.float32(self._scale)
        part = spectrum[:, : self._top]
        p = (part.real**2 + part.imag**2) * np.float32(self._scale) + np.float32(1e-16)
        bands = np.add.reduceat(p, self._cuts, axis=1)[:, :-1]
        n = bands.shape[1]
        out[:, :n] = 10 * np.log10(np.maximum(bands, 1e-14))
        out[:, n] = 10 * np.log10(np.maximum(p[:, self._low].sum(axis=1), 1e-14))
        out[:, n + 1] = 10 * np.log10(np.maximum(total, 1e-14))
        for i, s in enumerate(self._flat, n + 2):
            inside = p[:, s]
            out[:, i] = 10 / np.log(10) * (np.log(inside).mean(axis=1) - np.log(inside.mean(axis=1)))
        out[:, -3] = self._periodic(p[:, self._harmonic])
        out[:, -2] = self._periodic(p[:, self._harmonic] / np.maximum(self._envelope(p), 1e-16))

    def _envelope(self, power: np.ndarray) -> np.ndarray:
        """Return the sum of the power over 500 Hz around every bin of the harmonic range."""
        first, stop = self._harmonic.start - self._reach, self._harmonic.stop + self._reach
        sums = np.zeros((len(power), stop - first + 1), dtype=np.float32)
        inside = power[:, max(first, 0) : stop]
        begin = max(-first, 0) + 1
        np.cumsum(inside, axis=1, out=sums[:, begin : begin + inside.shape[1]])
        sums[:, begin + inside.shape[1] :] = sums[:, begin + inside.shape[1] - 1, None]
        width, bins = 2 * self._reach, self._harmonic.stop - self._harmonic.start
        return sums[:, width : width + bins] - sums[:, :bins]

    def _periodic(self, power: np.ndarray) -> np.ndarray:
        """Return the highest autocorrelation at a pitch's period, of the power in the harmonic range."""
        kept = np.zeros((len(power), self._lags // 2 + 1), dtype=np.float32)
        kept[:, self._harmonic] = power
        sequence = np.fft.irfft(kept, self._lags, axis=1)
        at_zero = np.maximum(sequence[:, 0], 1e-20)
        return np.clip((sequence[:, self._periods] * self._own).max(axis=1) / at_zero, 0.0, 1.0)

    def _crest(self, x: np.ndarray, count: int) -> np.ndarray:
        """Return the loudest 2.5 ms of each frame's inner 20 ms over their mean, of the difference of near samples."""
        grains = 8
        sharp = np.zeros(len(x) + 1, dtype=np.float32)
        np.square(x[self._lag :] - x[: -self._lag], out=sharp[self._lag : len(x)])
        starts = self.half + self._lag - grains // 2 * self._grain + np.arange(count)[:, None] * self.hop
        starts = starts + np.arange(grains) * self._grain
        pairs = np.stack([starts, starts + self._grain], axis=2).ravel()
        energy = np.add.reduceat(sharp, pairs)[::2].reshape(starts.shape) + np.float32(1e-15)
        return 10 * np.log10(energy.max(axis=1) / energy.mean(axis=1))


def _smooth(least: int) -> int:
    """Return the least even number from ``least`` on without a prime factor above 5: a quick length to transform."""
    n = least + least % 2
    while True:
        rest = n
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return n
        n += 2
