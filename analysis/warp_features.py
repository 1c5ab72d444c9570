"""What two performances of one piece have in common, frame by frame: pitch classes and where they begin.

Conventions
-----------
Frame i is centred on ``i * HOP_S`` seconds, at every sampling rate. Columns of pitch classes are thirds of a semitone,
36 an octave, the first one centred on C of A = 440 Hz. Values are relative to the sound around them (one second on
either side), so neither the level of a recording nor, for the most part, its room and microphone matter. A recording
is heard chunk by chunk and gives the same features whatever the chunks are; written notes give the features that they
would have if they were heard.

References
----------
Müller and Ewert 2010, Towards timbre-invariant audio features for harmony-based music, IEEE TASLP 18(3): what varies
slowly along the pitch axis is timbre, and is taken away (here by a running mean over an octave of logarithmic bands).
Ewert, Müller and Grosche 2009, High resolution audio synchronization using chroma onset features, ICASSP: onsets by
pitch class tell the moment, chroma the place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from ..core.notes import Notes
from .listening import Chunk

HOP_S = 0.02
# Thirds of a semitone from C2 to C8, in regions that each have a window of their own: (first, last octave, seconds).
A_OCTAVE = 36
_LOWEST_HZ = 440.0 * 2 ** (-45 / 12)
_REGIONS = ((0, 2, 0.372), (2, 4, 0.186), (4, 6, 0.093))
_OCTAVES = 6
_BANDS = A_OCTAVE * _OCTAVES
# Wide bands of a short window for what has no pitch.
WIDE_HZ = (30.0, 120.0, 250.0, 600.0, 1500.0, 3500.0, 7000.0, 14_000.0)
_SHORT_S = 0.0232
# Frames around a chunk's core that its values depend on, and how far the sound around a frame reaches.
_MARGIN = 64
_AROUND = 50
# Levels are compressed as log(1 + this * power / the loudest around).
_COMPRESSION = 1000.0
_FLOOR = 1e-12
_HEARD_HZ = 10_500.0


@dataclass(frozen=True, eq=False)
class WarpFeatures:
    """Features of one performance, for `analysis.warp`.

    Parameters
    ----------
    hop_s : float, seconds
        Row i is centred on ``i * hop_s``.
    chroma : ndarray of float16 [shape=(n, 36)]
        How much each third of a semitone stands out of its surroundings in pitch, folded to an octave.
    onset : ndarray of float16 [shape=(n, 36 + 7)]
        How much each third of a semitone rises, folded to an octave; then how much each of the wide bands rises.
    level_db : ndarray of float32 [shape=(n,)], dB
        Power, full scale = 0; of written notes relative to one loud note.
    """

    hop_s: float
    chroma: np.ndarray
    onset: np.ndarray
    level_db: np.ndarray

    def __len__(self) -> int:
        return len(self.level_db)

    def backwards(self) -> WarpFeatures:
        """Return the features of the same sounds in the opposite order."""
        return WarpFeatures(self.hop_s, self.chroma[::-1], self.onset[::-1], self.level_db[::-1])

    @property
    def duration_s(self) -> float:
        """From the first frame to the last, seconds."""
        return max(len(self) - 1, 0) * self.hop_s


class WarpListener:
    """Listens for the features of a recording.

    Parameters
    ----------
    rate : float, Hz

    Examples
    --------
    >>> from takeprint.analysis.listening import Sound, listen
    >>> tone = np.sin(2 * np.pi * 440.0 * np.arange(22050) / 22050)
    >>> listener = WarpListener(22050)
    >>> listen(Sound.of_samples(tone, 22050), listener)
    >>> heard = listener.result()
    >>> int(heard.chroma[25].argmax()) // 3, len(heard)
    (9, 50)
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._factor = max(int(rate // _HEARD_HZ), 1)
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        hop = HOP_S * self._rate
        begin, end = (int(np.ceil(place / hop - 0.5)) for place in (chunk.begin, chunk.end))
        # The frame that holds a place is the one whose centre is nearest: both ends are asked alike.
        if end <= begin:
            return
        frames = np.arange(max(begin - _MARGIN, 0), end + _MARGIN)
        levels, wide, power = _heard(chunk, frames, self._rate, self._factor)
        chroma, onset = _told(levels, wide)
        inside = slice(begin - int(frames[0]), end - int(frames[0]))
        level = 10 * np.log10(power[inside] + _FLOOR)
        self._parts.append(
            (chroma[inside].astype(np.float16), onset[inside].astype(np.float16), level.astype(np.float32))
        )

    def result(self) -> WarpFeatures:
        """Return the features of all that was heard."""
        return _joined(self._parts)


def written_features(notes: Notes) -> WarpFeatures:
    """Return the features that notes would have if they were heard.

    Every note is a few harmonics that begin at once and die away until it ends; a drum is a short noise.

    Parameters
    ----------
    notes : Notes
        With ``onset_s``; the other columns where they are known. Notes before 0 are left out.

    Returns
    -------
    WarpFeatures
    """
    known = np.isfinite(notes.onset_s) & (notes.onset_s >= 0)
    notes = notes.rows(np.flatnonzero(known)[np.argsort(notes.onset_s[known], kind="stable")])
    if not len(notes):
        return _joined([])
    duration = np.where(np.isfinite(notes.duration_s), np.maximum(notes.duration_s, 0.05), 0.3)
    last = int(np.ceil((notes.onset_s + duration).max() / HOP_S)) + 25
    parts = []
    for begin in range(0, last, 1500):
        end = min(begin + 1500, last)
        frames = np.arange(max(begin - _MARGIN, 0), end + _MARGIN)
        levels, wide, power = _imagined(notes, duration, frames)
        chroma, onset = _told(levels, wide)
        inside = slice(begin - int(frames[0]), end - int(frames[0]))
        level = 10 * np.log10(power[inside] + _FLOOR)
        parts.append((chroma[inside].astype(np.float16), onset[inside].astype(np.float16), level.astype(np.float32)))
    return _joined(parts)


def _joined(parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> WarpFeatures:
    if not parts:
        columns = A_OCTAVE + len(WIDE_HZ) - 1
        nothing = np.zeros((0, A_OCTAVE), np.float16), np.zeros((0, columns), np.float16), np.zeros(0, np.float32)
        return WarpFeatures(HOP_S, *nothing)
    chroma, onset, level = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return WarpFeatures(HOP_S, chroma, onset, level)


# --- from the bands to the features ---------------------------------------------------------------------------------


def _told(levels: np.ndarray, wide: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return chroma and onset features.

    Parameters
    ----------
    levels : ndarray [shape=(frames, 216)]
        Power by thirds of a semitone.
    wide : ndarray [shape=(2 * frames + 1, 7)]
        Power by wide bands at every half frame, from half a frame before the first on.
    """
    loudest = _greatest_around(levels.max(1), _AROUND)[:, None] + _FLOOR
    logs = np.log1p(levels * (_COMPRESSION / loudest)).astype(np.float32)
    sums = np.cumsum(np.pad(logs, ((0, 0), (A_OCTAVE // 2 + 1, A_OCTAVE // 2)), mode="symmetric"), axis=1)
    standing = np.maximum(logs - (sums[:, A_OCTAVE:-1] - sums[:, : -A_OCTAVE - 1])[:, :_BANDS] / A_OCTAVE, 0.0)
    rise = np.zeros_like(logs)
    rise[1:-1] = np.maximum(logs[2:] - logs[:-2], 0.0)
    chroma, rises = (x.reshape(len(x), _OCTAVES, A_OCTAVE).sum(1) for x in (standing, rise))
    # A wide band is held against itself, so that a dull microphone hears as much of a cymbal as a bright one; what is
    # 60 dB below the loudest band is no sound.
    strongest = _greatest_around(wide, 2 * _AROUND)
    strongest = np.maximum(strongest, 1e-6 * strongest.max(1, keepdims=True)) + _FLOOR
    logs = np.log1p(100.0 * wide / strongest)
    steps = np.maximum(np.diff(logs, axis=0), 0.0)
    return chroma, np.concatenate([rises, steps[0::2] + steps[1::2]], axis=1)


def _greatest_around(x: np.ndarray, reach: int) -> np.ndarray:
    """Return the greatest value within ``reach`` rows of every row."""
    from scipy.ndimage import maximum_filter1d

    return maximum_filter1d(x, 2 * reach + 1, axis=0, mode="nearest")


# --- bands that are heard -------------------------------------------------------------------------------------------


def _heard(chunk: Chunk, frames: np.ndarray, rate: float, factor: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the power in thirds of semitones, in wide bands at half frames, and the power of every frame."""
    from ..core.kernels.decimation import decimation

    skip = -chunk.first % (4 * factor)  # places of the decimated sound are multiples of the recording's frames
    x = np.ascontiguousarray(chunk.samples[skip:], dtype=np.float64)
    first = chunk.first + skip
    middle = decimation(x, _low_pass(factor), factor) if factor > 1 else x
    low = decimation(middle, _low_pass(4), 4)
    levels = np.zeros((len(frames), _BANDS), dtype=np.float32)
    for region, (from_octave, to_octave, window_s) in enumerate(_REGIONS):
        sound, step = (low, 4 * factor) if region < len(_REGIONS) - 1 else (middle, factor)
        its_rate = rate / step
        places = np.floor(frames * (HOP_S * its_rate) + 0.5).astype(np.int64) - first // step
        window, low_bin, weights = _third_tones(its_rate, from_octave, to_octave, window_s)
        columns = slice(from_octave * A_OCTAVE, to_octave * A_OCTAVE)
        for begin, power in _powers(sound, places, window):
            levels[begin : begin + len(power), columns] = power[:, low_bin : low_bin + len(weights)] @ weights
    halves = np.arange(2 * frames[0] - 1, 2 * frames[-1] + 2)
    places = np.round(halves * (0.5 * HOP_S * rate)).astype(np.int64) - first
    window, splits = _wide(rate)
    wide = np.zeros((len(halves), splits.shape[1]), dtype=np.float32)
    total = np.zeros(len(halves), dtype=np.float32)
    for begin, power in _powers(x, places, window):
        wide[begin : begin + len(power)] = power @ splits
        total[begin : begin + len(power)] = power.sum(1)
    return levels, wide, total[1::2].astype(np.float64)


def _powers(x: np.ndarray, places: np.ndarray, window: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, power spectra) of windows centred on places; a sine of amplitude 1 has the sum 1/2."""
    from scipy.fft import rfft

    half = window // 2
    padded = np.zeros(len(x) + 2 * window, dtype=np.float32)
    padded[window : window + len(x)] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)
    starts = np.clip(places + window - half, 0, len(windows) - 1)
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    shape *= np.float32(np.sqrt(2.0 / (window * np.sum(shape.astype(np.float64) ** 2))))
    step = max((1 << 18) // window, 1)
    for begin in range(0, len(starts), step):
        spectrum = rfft(windows[starts[begin : begin + step]] * shape, axis=1)
        power = spectrum.real**2
        power += spectrum.imag**2
        yield begin, power


@cache
def _low_pass(factor: int) -> np.ndarray:
    """Return the taps that keep what lies below 0.8 of the rate that remains."""
    half = 12 * factor
    at = np.arange(-half, half + 1) / factor
    taps = np.sinc(0.8 * at) * np.kaiser(2 * half + 1, 6.0)
    return np.asarray(taps / taps.sum())


@cache
def _third_tones(rate: float, from_octave: int, to_octave: int, window_s: float) -> tuple[int, int, np.ndarray]:
    """Return a window's length, the first bin used, and the weights [shape=(bins, bands)] of bins in the bands."""
    window = 2 ** round(np.log2(window_s * rate))
    centre = _LOWEST_HZ * 2.0 ** (np.arange(from_octave * A_OCTAVE, to_octave * A_OCTAVE) / A_OCTAVE)
    bins = np.arange(window // 2 + 1) * (rate / window)
    # A triangle from a band's neighbour to its other neighbour, at least two bins wide on either side of the centre:
    # below, a bin is wider than a band.
    reach = np.maximum(centre * (2.0 ** (1 / A_OCTAVE) - 1.0), rate / window)
    weights = np.maximum(1.0 - np.abs(bins[:, None] - centre) / reach, 0.0)
    weights[:, centre > 0.45 * rate] = 0.0
    used = np.flatnonzero(weights.any(1))
    low_bin, high_bin = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
    return window, low_bin, np.ascontiguousarray(weights[low_bin:high_bin], dtype=np.float32)


@cache
def _wide(rate: float) -> tuple[int, np.ndarray]:
    """Return the short window's length and its bins' shares of the wide bands."""
    window = max(2 ** round(np.log2(_SHORT_S * rate)), 16)
    bins = np.arange(window // 2 + 1) * (rate / window)
    splits = [(bins >= low) & (bins < high) for low, high in pairwise(WIDE_HZ)]
    return window, np.stack(splits, axis=1).astype(np.float32)


# --- bands that are imagined ----------------------------------------------------------------------------------------

# Power of a note's harmonics, how long it takes to fall by a factor e (s, at C4; an octave up it is 0.7 times that).
_HARMONICS = 0.4 ** np.arange(8)
_DECAY_S = 0.8
# Wide bands that a drum sounds in, by name; others are heard in all.
_DRUM_BANDS = {
    "kick": (1.0, 0.6, 0.1, 0.05, 0.05, 0.02, 0.0),
    "snare": (0.1, 0.8, 1.0, 0.6, 0.6, 0.5, 0.4),
    "tom": (0.6, 1.0, 0.5, 0.1, 0.05, 0.02, 0.0),
    "hat": (0.0, 0.0, 0.0, 0.02, 0.2, 0.8, 1.0),
    "crash": (0.0, 0.0, 0.1, 0.3, 0.8, 1.0, 1.0),
    "ride": (0.0, 0.0, 0.05, 0.1, 0.5, 1.0, 1.0),
}


def _imagined(notes: Notes, duration_s: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what `_heard` returns, of written notes."""
    levels = np.zeros((len(frames), _BANDS), dtype=np.float32)
    halves = np.arange(2 * frames[0] - 1, 2 * frames[-1] + 2)
    wide = np.zeros((len(halves), len(WIDE_HZ) - 1), dtype=np.float32)
    begin_s, end_s = frames[0] * HOP_S, frames[-1] * HOP_S
    low = int(np.searchsorted(notes.onset_s, begin_s - 8.0))
    high = int(np.searchsorted(notes.onset_s, end_s + 0.2))
    velocity = np.where(np.isfinite(notes.velocity), notes.velocity, 64.0)
    for i in range(low, high):
        onset_s, length_s = float(notes.onset_s[i]), float(duration_s[i])
        power = float((max(velocity[i], 1.0) / 127.0) ** 2.4)
        drum = notes.instrument[i] != "" or notes.channel[i] == 9 or not np.isfinite(notes.pitch[i])
        if drum:
            sounds = np.array(_DRUM_BANDS.get(str(notes.instrument[i]), (0.5,) * (len(WIDE_HZ) - 1)))
            rows = _span(halves, 0.5 * HOP_S, onset_s - 0.02, onset_s + 0.4)
            wide[rows] += _envelope(halves[rows] * (0.5 * HOP_S) - onset_s, 0.4, 0.06, _SHORT_S)[:, None] * (
                power * sounds
            )
            continue
        decay_s = _DECAY_S * 0.7 ** ((float(notes.pitch[i]) - 60.0) / 12.0)
        length_s = min(length_s, 7.5)
        for h, strength in enumerate(_HARMONICS, start=1):
            step = 3.0 * (float(notes.pitch[i]) - 36.0) + A_OCTAVE * np.log2(h)
            band = round(step)
            if not 0 <= band < _BANDS:
                continue
            window_s = next(w for a, b, w in _REGIONS if a * A_OCTAVE <= band < b * A_OCTAVE)
            rows = _span(frames, HOP_S, onset_s - window_s, onset_s + length_s + window_s)
            shape = power * strength * _envelope(frames[rows] * HOP_S - onset_s, length_s, decay_s, window_s)
            levels[rows, band] += shape
            levels[rows, max(band - 1, 0)] += 0.3 * shape
            levels[rows, min(band + 1, _BANDS - 1)] += 0.3 * shape
            hertz = _LOWEST_HZ * 2.0 ** (step / A_OCTAVE)
            which = int(np.searchsorted(WIDE_HZ, hertz)) - 1
            rows = _span(halves, 0.5 * HOP_S, onset_s - 0.02, onset_s + length_s + 0.02)
            if 0 <= which < wide.shape[1]:
                wide[rows, which] += (
                    power * strength * _envelope(halves[rows] * (0.5 * HOP_S) - onset_s, length_s, decay_s, _SHORT_S)
                )
    return levels, wide, wide[1::2].sum(1).astype(np.float64)


def _span(rows: np.ndarray, hop_s: float, begin_s: float, end_s: float) -> slice:
    """Return which of consecutive rows lie between two times."""
    low = int(np.clip(np.floor(begin_s / hop_s) - rows[0], 0, len(rows)))
    high = int(np.clip(np.ceil(end_s / hop_s) + 1 - rows[0], low, len(rows)))
    return slice(low, high)


def _envelope(since_s: np.ndarray, length_s: float, decay_s: float, window_s: float) -> np.ndarray:
    """Return the power of a note that dies away, as a window of that length hears it."""
    heard = np.clip(0.5 + since_s / window_s, 0.0, 1.0)
    rise = heard - np.sin(2 * np.pi * heard) / (2 * np.pi)
    gone = np.clip(0.5 + (since_s - length_s) / window_s, 0.0, 1.0)
    return np.asarray(rise**2 * np.exp(-np.maximum(since_s, 0.0) / decay_s) * (1.0 - gone))
