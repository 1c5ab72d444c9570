"""Pitch: the fundamental frequency of one voice or instrument, moment by moment.

Conventions
-----------
One row every 5 ms (to the nearest sample). ``time_s`` is the centre of what was heard, ``pitch_hz`` is NaN where no
note sounds: in silence, breath, consonants, noise, and while a room rings on after the note. ``confidence`` is 0 to 1.

Method: the sound is filtered and decimated to about 11 kHz. Candidates are the peaks of the normalised
autocorrelation of 70 ms; each is refined in the 24 ms around the moment, by the correlation of two stretches several
periods apart, symmetric about the moment and interpolated within its band. A Viterbi search over the whole recording
then chooses one candidate or none in every frame: a higher candidate before its subharmonics, and no leap without
reason.

References
----------
McLeod and Wyvill 2005, A smarter way to find pitch, Proc. ICMC (normalised square difference, section 4).
de Cheveigné and Kawahara 2002, YIN, a fundamental frequency estimator, J. Acoust. Soc. Am. 111, 1917-1930.
Boersma 1993, Accurate short-term analysis of the fundamental frequency, Proc. Inst. Phonetic Sciences 17, 97-110
(octave cost and the path through the candidates).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..core.columns import Columns, real
from ..core.errors import TakeprintError
from .listening import Chunk, Sound, listen

_HOP_S = 0.005
# The working rate is at least this, Hz: a tone of 3.5 kHz still has three samples a period.
_RATE = 11_000.0
_FRAME_S, _WINDOW_S, _REACH_S, _LEVEL_S = 0.070, 0.024, 0.008, 0.020
_CANDIDATES = 4
_BATCH = 512
# Boersma's costs: an octave lower among one frame's candidates; an octave between frames 10 ms apart; a beginning.
_OCTAVE_COST, _JUMP_COST, _VOICING_COST = 0.03, 1.0, 0.3
_UNVOICED = 0.55
# Quieter than this (dB, full scale 0) nothing is looked at: far below the last bit of 24.
_NOTHING_DB = -150.0


@dataclass(frozen=True, eq=False)
class PitchTrack(Columns):
    """The pitch of a recording, one row every 5 ms.

    Parameters
    ----------
    time_s : ndarray [shape=(n,)], seconds
        Centre of the frame.
    pitch_hz : ndarray [shape=(n,)], Hz
        NaN where no note sounds.
    confidence : ndarray [shape=(n,)]
        0 to 1: how surely the frame's pitch is that of a single note; below one half where ``pitch_hz`` is NaN.
    level_db : ndarray [shape=(n,)], dB
        Level of the 20 ms around, full scale = 0.
    """

    time_s: np.ndarray = real()
    pitch_hz: np.ndarray = real()
    confidence: np.ndarray = real()
    level_db: np.ndarray = real()


def track_pitch(y: np.ndarray, sample_rate: float, *, low_hz: float = 40.0, high_hz: float = 3500.0) -> PitchTrack:
    """Follow the pitch of a mono recording of one voice or instrument.

    Parameters
    ----------
    y : ndarray [shape=(frames,)], float, full scale 1.0
    sample_rate : float, Hz
        1 kHz to 768 kHz; pitches up to 0.32 of it are found.
    low_hz, high_hz : float, Hz
        The range looked at, 25 Hz to 5000 Hz.

    Returns
    -------
    PitchTrack

    Raises
    ------
    TakeprintError
        For another shape, an impossible rate or range, or samples that are no finite numbers.

    Examples
    --------
    >>> y = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(44100) / 44100)
    >>> round(float(np.nanmedian(track_pitch(y, 44100).pitch_hz)), 2)
    440.0
    """
    sound = Sound.of_samples(y, sample_rate)
    tracker = PitchTracker(sound.rate, low_hz=low_hz, high_hz=high_hz)
    listen(sound, tracker)
    return tracker.result()


class PitchTracker:
    """Listens for pitch.

    Parameters
    ----------
    rate : float, Hz
    low_hz, high_hz : float, Hz
        The range looked at, 25 Hz to 5000 Hz.

    Raises
    ------
    TakeprintError
        For an impossible range.
    """

    def __init__(self, rate: float, *, low_hz: float = 40.0, high_hz: float = 3500.0) -> None:
        if not 25.0 <= low_hz < high_hz <= 5000.0:
            raise TakeprintError(
                f"pitch range {low_hz} to {high_hz} Hz", rule="pitches are looked for between 25 and 5000 Hz"
            )
        self._grid = _Grid.at(rate, low_hz, high_hz)
        self._parts: list[_Frames] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        self._parts.append(_heard(chunk, self._grid))

    def result(self) -> PitchTrack:
        """Return the pitch of all that was heard."""
        if not self._parts:
            return PitchTrack.build()
        frames = _Frames(*(np.concatenate(column) for column in zip(*map(_Frames.columns, self._parts), strict=True)))
        return _followed(frames, self._grid)


@dataclass(frozen=True)
class _Grid:
    """Rates and lengths; all but ``factor`` in samples of the working rate."""

    source_rate: float
    factor: int
    rate: float
    hop: int
    frame: int
    low: int
    high: int

    @classmethod
    def at(cls, rate: float, low_hz: float, high_hz: float) -> _Grid:
        factor = max(1, int(rate // _RATE))
        working = rate / factor
        longest = int(np.ceil(working / low_hz)) + 2
        return cls(
            source_rate=rate,
            factor=factor,
            rate=working,
            hop=max(round(_HOP_S * working), 1),
            frame=max(2 * round(_FRAME_S * working / 2), 2 * (longest + 8)),
            low=max(int(working / min(high_hz, 0.34 * working)), 2),
            high=longest,
        )

    def of(self, seconds: float) -> int:
        return max(round(seconds * self.rate), 1)


@dataclass(frozen=True)
class _Frames:
    """What is kept of every frame until the recording has been heard.

    ``hop`` counts frames from the recording's beginning; candidates have shape (n, _CANDIDATES).
    """

    hop: np.ndarray
    pitch_hz: np.ndarray
    strength: np.ndarray
    likeness: np.ndarray
    level_db: np.ndarray

    def columns(self) -> tuple[np.ndarray, ...]:
        return self.hop, self.pitch_hz, self.strength, self.likeness, self.level_db


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
    half = min(span // 2, max((len(x) - 1) // 2, 0))
    for _ in range(2):
        sums = np.cumsum(np.concatenate([np.zeros(half + 1), x, np.zeros(half)]))
        mean = sums[2 * half + 1 :] - sums[: len(x) - 0 if half == 0 else -2 * half - 1]
        count = np.full(len(x), 2.0 * half + 1)
        count[:half] -= np.arange(half, 0, -1)
        count[len(x) - half :] -= np.arange(1, half + 1)
        x = x - mean / count
    return x


def _heard(chunk: Chunk, grid: _Grid) -> _Frames:
    """Return the candidates of every frame whose centre lies in a chunk's core."""
    from ..core.kernels.decimation import decimation
    from ..core.kernels.lag_peaks import lag_peaks
    from ..core.kernels.period_refinement import period_refinement

    skip = -chunk.first % grid.factor
    x = decimation(np.ascontiguousarray(chunk.samples[skip:]), _low_pass(grid.factor), grid.factor)
    first = (chunk.first + skip) // grid.factor
    step = grid.hop * grid.factor
    hops = np.arange(-(-chunk.begin // step), -(-chunk.end // step))
    x = _without_drift(x, grid.of(0.08)) if len(x) else x
    # What lies beyond the recording is silence; frames reach half their length beyond their centres.
    margin = grid.frame + 2 * grid.high
    x = np.concatenate([np.zeros(margin), x, np.zeros(margin)])
    centre = hops * grid.hop - first + margin
    level_db = _level_db(x, centre, grid.of(_LEVEL_S) // 2)
    pitch = np.full((len(hops), _CANDIDATES), np.nan)
    strength = np.zeros((len(hops), _CANDIDATES))
    likeness = np.zeros((len(hops), _CANDIDATES))
    busy = np.flatnonzero(level_db > _NOTHING_DB)
    for begin in range(0, len(busy), _BATCH):
        rows = busy[begin : begin + _BATCH]
        frames, correlation = _autocorrelation(x, centre[rows] - grid.frame // 2, grid)
        lag, value = lag_peaks(frames, correlation, grid.low, grid.high, _OCTAVE_COST, _CANDIDATES, _sinc(4))
        period, alike = period_refinement(
            x,
            np.repeat(centre[rows], _CANDIDATES),
            lag.ravel(),
            _WINDOW_S * grid.rate,
            _REACH_S * grid.rate,
            _sinc(16),
        )
        pitch[rows] = grid.rate / period.reshape(lag.shape)
        strength[rows] = value
        likeness[rows] = alike.reshape(lag.shape)
    return _Frames(
        hops, pitch.astype(np.float32), strength.astype(np.float32), likeness.astype(np.float32),
        level_db.astype(np.float32),
    )  # fmt: skip


def _level_db(x: np.ndarray, centre: np.ndarray, half: int) -> np.ndarray:
    sums = np.concatenate([[0.0], np.cumsum(x * x)])
    power = np.maximum(sums[centre + half] - sums[centre - half], 0.0) / (2 * half)
    return 10 * np.log10(np.maximum(power, 1e-30))


def _autocorrelation(x: np.ndarray, begin: np.ndarray, grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return frames at the given places and their autocorrelation to the longest lag, by the Fourier transform."""
    from scipy import fft

    length = fft.next_fast_len(grid.frame + grid.high + 6, real=True)
    padded = np.zeros((len(begin), length), dtype=np.float32)
    view = np.lib.stride_tricks.sliding_window_view(x, grid.frame)[begin]
    padded[:, : grid.frame] = view - view.mean(axis=1, keepdims=True)
    spectrum = fft.rfft(padded, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.ascontiguousarray(padded[:, : grid.frame]), fft.irfft(power, length, axis=1)


def _followed(frames: _Frames, grid: _Grid) -> PitchTrack:
    """Choose a course through the candidates and tell notes from what is none."""
    from ..core.kernels.pitch_path import pitch_path

    with np.errstate(invalid="ignore", divide="ignore"):
        height = np.log2(frames.pitch_hz.astype(np.float64))
    score = np.minimum(frames.strength, frames.likeness).astype(np.float64) + _OCTAVE_COST * height
    silent = np.full(len(height), _UNVOICED + _OCTAVE_COST * np.log2(110.0))
    choice = pitch_path(height, score, silent, _JUMP_COST, _VOICING_COST)
    rows = np.arange(len(choice))
    chosen = np.maximum(choice, 0)
    voiced = choice >= 0
    likeness = np.where(voiced, frames.likeness[rows, chosen], 0.0)
    return PitchTrack(
        time_s=frames.hop * (grid.hop * grid.factor / grid.source_rate),
        pitch_hz=np.where(voiced, frames.pitch_hz[rows, chosen], np.nan),
        confidence=np.clip(likeness, 0.0, 1.0),
        level_db=frames.level_db,
    )
