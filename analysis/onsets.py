"""Onsets: when sounds begin, to the sample.

Conventions
-----------
Times are seconds of the recording; an onset is physical: where a sound rises out of what was there before, which for
a sound in silence is its first sample above -40 dB of its peak, not where it is heard to begin. Two steps: a detector
proposes frames (spectral flux over a log-frequency bank), then each is refined in the waveform: what rings on is
predicted and taken away, and the change of variance of what remains is found. The work goes in chunks of
30 s that overlap, and gives the same onsets whatever the chunks are.

References
----------
Böck and Widmer 2013, Maximum filter vibrato suppression for onset detection, DAFx-13 (the maximum filter).
Sleeman and van Eck 1999, Robust automatic P-phase picking, Phys. Earth Planet. Inter. 113, 265-275 (autoregressive
prediction before Akaike's criterion).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..core.columns import Columns, real, text
from ..core.errors import TakeprintError

if TYPE_CHECKING:
    from ..core.audio import AudioFile

_WINDOW_S = 0.023
_HOP_S = 0.0029
_CHUNK_S = 30.0
# Everything an onset depends on lies within this distance of it.
_OVERLAP_S = 2.0
# Room noise begins with every recording: what is softer than this share of its peak is no onset at its very start.
_OPENING = 0.1
# A rise of noise is searched between these frequencies, in so many bands of one width, none of which counts for more
# than the cap: tones that beat rise in few bands, a cymbal in all.
_NOISE_HZ, _NOISE_BANDS, _NOISE_CAP_DB = (1500.0, 17_000.0), 8, 8.0
# In standard deviations of the estimate; of pure noise one moment in some 30 000 stands so far out.
_NOISE_THRESHOLD = 4.0
# Noise softer than this (mean square over the recording's peak) is not looked at: tails, gates and codecs move it.
_NOISE_LEAST_DB = -46.0
_PREDICTOR_ORDER = 32
_WHITENING = 1e-7
# Share of the seen rise, and how long a softer start may be that noise hides wholly: chosen so that about nine of ten
# true onsets lie in the stated interval (benchmarks/accuracy_onsets.py).
_SEEN_SHARE, _HIDDEN_MS = 0.3, 3.0


@dataclass(frozen=True, eq=False)
class Onsets(Columns):
    """Onsets in time order.

    Parameters
    ----------
    onset_s : ndarray [shape=(n,)], seconds
    onset_uncertainty_ms : ndarray [shape=(n,)], milliseconds
        Half width of the 90 % interval.
    strength : ndarray [shape=(n,)]
        Peak of the detector over its threshold; 1 is barely an onset.
    level_db : ndarray [shape=(n,)], dB
        Peak of the first 50 ms, full scale = 0.
    instrument : ndarray of str [shape=(n,)]
        ``"kick"``, ``"snare"``, ``"hat"`` by where the new energy lies, "" where that says nothing.
    """

    onset_s: np.ndarray = real()
    onset_uncertainty_ms: np.ndarray = real()
    strength: np.ndarray = real()
    level_db: np.ndarray = real()
    instrument: np.ndarray = text()


@dataclass(frozen=True)
class _Grid:
    """Sizes in samples at one rate."""

    rate: float
    window: int
    hop: int
    chunk: int  # a whole number of hops
    overlap: int

    @classmethod
    def at(cls, rate: float) -> _Grid:
        window = int(2 ** np.ceil(np.log2(_WINDOW_S * rate)))
        hop = max(round(_HOP_S * rate), 1)
        overlap = hop * int(np.ceil(_OVERLAP_S * rate / hop))
        return cls(rate, window, hop, hop * round(_CHUNK_S * rate / hop), overlap)

    def frames(self, seconds: float) -> int:
        """Return the odd number of frames nearest to a time."""
        return 2 * round(seconds * self.rate / self.hop / 2) + 1

    def ms(self, milliseconds: float) -> int:
        return max(round(milliseconds * self.rate / 1000), 1)


def detect_onsets(y: np.ndarray, sample_rate: float) -> Onsets:
    """Find the onsets in a mono recording.

    Parameters
    ----------
    y : ndarray [shape=(frames,)], float, full scale 1.0
    sample_rate : float, Hz
        1 kHz to 768 kHz.

    Returns
    -------
    Onsets

    Raises
    ------
    TakeprintError
        For another shape, an impossible rate or samples that are no numbers.

    Examples
    --------
    >>> y = np.zeros(44100)
    >>> y[20000:20400] = 0.5 * np.exp(-np.arange(400) / 80.0)
    >>> bool(abs(detect_onsets(y, 44100).onset_s[0] - 20000 / 44100) < 0.0005)
    True
    """
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind != "f":
        raise TakeprintError(f"samples of shape {y.shape} and type {y.dtype}", rule="onsets are found in mono floats")
    block = 1 << 20
    peak = max((float(np.max(np.abs(y[i : i + block]))) for i in range(0, len(y), block)), default=0.0)
    return _detect((y[i : i + block] for i in range(0, len(y), block)), len(y), sample_rate, peak)


def detect_onsets_in(audio: AudioFile) -> Onsets:
    """Find the onsets in a recording's mono mix, read block by block: memory does not grow with its length.

    Parameters
    ----------
    audio : AudioFile

    Returns
    -------
    Onsets
        The same as ``detect_onsets(audio.read_mono(), audio.sample_rate)``.
    """
    peak = audio.peak
    if audio.channels > 1:  # the mix has a peak of its own
        peak = max((float(np.abs(block).max()) for block in audio.blocks_mono()), default=0.0)
    return _detect(audio.blocks_mono(), audio.frames, audio.sample_rate, peak)


def _detect(blocks: Iterable[np.ndarray], frames: int, sample_rate: float, peak: float) -> Onsets:
    if not 1_000 <= sample_rate <= 768_000:
        raise TakeprintError(f"sample_rate={sample_rate}", rule="a rate is 1000 to 768000 Hz")
    if not np.isfinite(peak):
        raise TakeprintError(
            "the samples hold values that are no finite numbers", remedy="open the file with open_audio"
        )
    grid = _Grid.at(sample_rate)
    if peak < 1e-7 or frames < 2:
        return Onsets.build()
    parts = [
        _in_chunk(samples / peak, first, core, grid, 20 * np.log10(peak))
        for samples, first, core in _chunks(blocks, frames, grid)
    ]
    found = Onsets.concatenate(parts) if parts else Onsets.build()
    return _tidy(found)


def _tidy(found: Onsets) -> Onsets:
    """Put onsets in order; of two refined to one place keep the stronger."""
    found = found.rows(np.argsort(found.onset_s, kind="stable"))
    keep = np.ones(len(found), dtype=bool)
    last = -1
    for i in range(len(found)):
        if last >= 0 and found.onset_s[i] - found.onset_s[last] < 0.008:
            loser = last if found.strength[i] > found.strength[last] else i
            keep[loser] = False
            last = i if loser == last else last
        else:
            last = i
    return found.rows(keep)


def _chunks(
    blocks: Iterable[np.ndarray], frames: int, grid: _Grid
) -> Iterator[tuple[np.ndarray, int, tuple[int, int]]]:
    """Yield (samples, their first frame, the core [begin, end) whose onsets count); cores tile the recording."""
    source = iter(blocks)
    held = np.zeros(0)
    first = 0
    for begin in range(0, frames, grid.chunk):
        end = min(begin + grid.chunk, frames)
        wanted = min(end + grid.overlap, frames)
        pieces = [held]
        have = first + len(held)
        while have < wanted:
            piece = next(source, None)
            if piece is None:
                break
            pieces.append(np.asarray(piece, dtype=np.float64))
            have += len(piece)
        held = np.concatenate(pieces)
        yield held[: wanted - first], first, (begin, end)
        keep = max(end - grid.overlap, 0)
        held = held[keep - first :]
        first = keep


def _in_chunk(x: np.ndarray, first: int, core: tuple[int, int], grid: _Grid, peak_db: float) -> Onsets:
    """Return the onsets proposed in the core of one chunk of normalised samples."""
    flux, bands, noise = _flux(x, grid)
    frames, strength, burst = _proposed(flux, _noise_rise(noise, len(x), grid), grid)
    place = frames * grid.hop
    inside = (place + first >= core[0]) & (place + first < core[1])
    if first == 0 and np.abs(x[: grid.ms(50)]).max(initial=0.0) < _OPENING:
        inside &= place >= grid.window
    times, doubts, levels, names = [], [], [], []
    for i in np.flatnonzero(inside):
        before = place[i - 1] if i > 0 else -(1 << 60)
        after = place[i + 1] if i + 1 < len(place) else 1 << 60
        refine = _refined_burst if burst[i] else _refined
        onset, doubt = refine(x, int(place[i]), int(before), int(after), grid)
        times.append((onset + first) / grid.rate)
        doubts.append(1000 * doubt / grid.rate)
        reach = min(onset + grid.ms(50), max(after - grid.ms(12), onset + grid.ms(10)))
        top = float(np.abs(x[onset : reach + 1]).max(initial=0.0))
        levels.append(20 * np.log10(max(top, 1e-12)) + peak_db)
        names.append(_named(bands, int(frames[i])))
    return Onsets.build(
        onset_s=np.array(times),
        onset_uncertainty_ms=np.array(doubts),
        strength=strength[inside],
        level_db=np.array(levels),
        instrument=np.array(names, dtype=np.str_),
    )


@lru_cache(maxsize=8)
def _bank(rate: float, window: int) -> np.ndarray:
    """Return a bank of triangles, 12 an octave where the window resolves them [shape=(bands, window / 2 + 1)]."""
    top = min(0.48 * rate, 17_000.0)
    centres = 30.0 * 2.0 ** (np.arange(0, 12 * np.log2(top / 30.0) + 1) / 12.0)
    bins = np.unique(np.clip(np.round(centres * window / rate), 1, window // 2).astype(int))
    bank = np.zeros((max(len(bins) - 2, 1), window // 2 + 1), dtype=np.float32)
    if len(bins) < 3:
        bank[0, 1:] = 1.0
        return bank
    for row, (low, mid, high) in enumerate(zip(bins[:-2], bins[1:-1], bins[2:], strict=True)):
        bank[row, low : mid + 1] = np.linspace(0, 1, mid - low + 1)
        bank[row, mid : high + 1] = np.linspace(1, 0, high - mid + 1)
    return bank / bank.sum(1, keepdims=True)


def _flux(x: np.ndarray, grid: _Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return flux [shape=(frames,)] and power in three bands and in the bands of noise [shape=(frames, 3 or bands)].

    Frame i is centred on i hops.
    """
    from scipy.fft import rfft
    from scipy.ndimage import maximum_filter1d

    half = grid.window // 2
    count = len(x) // grid.hop + 1
    # A constant offset is not a sound that begins with the recording.
    rest = float(x[: grid.ms(50)].mean())
    padded = np.concatenate([np.full(half, rest), x, np.zeros(half + grid.hop)]).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, grid.window)[:: grid.hop][:count]
    shape = np.hanning(grid.window + 1)[:-1].astype(np.float32)
    shape /= shape.sum() / 2
    bank = _bank(grid.rate, grid.window).T.copy()
    hertz = np.arange(half + 1) * grid.rate / grid.window
    edges = _noise_edges(grid.rate)
    noisy = [(hertz >= low) & (hertz < high) for low, high in pairwise(edges)]
    splits = np.stack([(hertz > 20) & (hertz < 130), (hertz >= 130) & (hertz < 5000), hertz >= 5000, *noisy]).T
    logs, powers = [], []
    for begin in range(0, len(windows), 2048):
        size = np.abs(rfft(windows[begin : begin + 2048] * shape, axis=1))
        logs.append(np.log1p(1000.0 * (size @ bank)))
        powers.append((size**2) @ splits.astype(np.float32))
    bands = np.concatenate(logs)
    # A rise counts only over the loudest neighbour band some frames ago, so that a gliding tone does not rise.
    lag = max(round(0.25 * grid.window / grid.hop), 1)
    rise = np.zeros(len(bands))
    if len(bands) > lag:
        old = maximum_filter1d(bands[:-lag], 3, axis=1)
        rise[lag:] = np.maximum(bands[lag:] - old, 0.0).mean(1)
        # Before the recording there was nothing.
        rise[:lag] = bands[:lag].mean(1)
    # Windows that reach over the end hear it break off; in the middle of a recording the overlap covers them.
    rise[max((len(x) - half) // grid.hop + 1, 0) :] = 0.0
    power = np.concatenate(powers)
    return rise, power[:, :3], power[:, 3:]


def _noise_edges(rate: float) -> np.ndarray:
    """Return the edges in Hz of the bands in which noise is searched; none where the rate leaves no room for them."""
    low, high = _NOISE_HZ[0], min(_NOISE_HZ[1], 0.48 * rate)
    return np.linspace(low, high, _NOISE_BANDS + 1) if high >= 2 * low else np.zeros(1)


def _noise_rise(power: np.ndarray, length: int, grid: _Grid) -> np.ndarray:
    """Return how surely noise rises at every frame, in standard deviations [shape=(frames,)].

    The window after a frame is held against the one before it, in the mean of the logarithms of wide bands: steady as
    no narrow band of a noise is, so that one cymbal shows in the ringing of another. The power of noise in a band of
    width B over a time T scatters by 1 / sqrt(B T); what scatters more says so by its own lesser deviations.
    """
    from scipy.ndimage import median_filter, percentile_filter

    rise = np.zeros(len(power))
    lag = round(0.5 * grid.window / grid.hop)
    begin, end = 2 * lag, (length - grid.window) // grid.hop
    if not power.shape[1] or end <= begin:
        return rise
    # With the window of `_flux` the powers of a white noise sum up to 3 times its mean square.
    logs = np.log(power + 3 * 10 ** (_NOISE_LEAST_DB / 10) / power.shape[1])
    cap = _NOISE_CAP_DB * np.log(10) / 10
    rise[begin:end] = np.clip(logs[begin + lag : end + lag] - logs[begin - lag : end - lag], -cap, cap).mean(1)
    width = float(np.ptp(_noise_edges(grid.rate)))
    known = 1.0 / np.sqrt(0.5 * width * 0.514 * grid.window / grid.rate)  # 0.514: the equivalent share of a Hann window
    # What rings on falls steadily; a sound that only holds the level against that is one, too.
    usual = median_filter(rise, grid.frames(0.3), mode="reflect")
    rise -= np.minimum(usual, 0.0)
    # The 30th percentile of a normal variable's size is 0.385 of its deviation, and blind to the hits themselves.
    scatter = percentile_filter(np.abs(rise - np.maximum(usual, 0.0)), 30, grid.frames(0.6), mode="reflect") / 0.385
    rise /= np.maximum(known, scatter)
    rise[:begin] = rise[end:] = 0.0
    return rise


def _proposed(flux: np.ndarray, noise: np.ndarray, grid: _Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the frames at which a sound may begin, their strength, and whether only noise rose there."""
    from scipy.ndimage import maximum_filter1d

    frames, strength = _peaks(flux, grid)
    top = maximum_filter1d(noise, grid.frames(0.05), mode="constant")
    more = np.flatnonzero((noise >= top) & (noise > _NOISE_THRESHOLD))
    if len(frames) and len(more):
        near = np.searchsorted(frames, more)
        left, right = frames[np.maximum(near - 1, 0)], frames[np.minimum(near, len(frames) - 1)]
        more = more[np.minimum(np.abs(more - left), np.abs(more - right)) > grid.frames(0.035)]
    every = np.concatenate([frames, more])
    order = np.argsort(every, kind="stable")
    burst = np.arange(len(every)) >= len(frames)
    return every[order], np.concatenate([strength, noise[more] / _NOISE_THRESHOLD])[order], burst[order]


def _peaks(flux: np.ndarray, grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames of the peaks over a moving threshold, and how far they stand over it."""
    from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d

    threshold = (
        0.05
        + 1.0 * median_filter(flux, grid.frames(0.2), mode="reflect")
        + 0.6 * uniform_filter1d(flux, grid.frames(0.4), mode="reflect")
    )
    top = maximum_filter1d(flux, grid.frames(0.05), mode="constant")
    chosen = np.flatnonzero((flux >= top) & (flux > threshold))
    # A plateau is one peak: its first frame.
    if len(chosen):
        chosen = chosen[np.concatenate([[True], np.diff(chosen) > grid.frames(0.02)])]
    return chosen, flux[chosen] / threshold[chosen]


@dataclass(frozen=True)
class _Pick:
    """Where a sound begins, in samples of the stretch looked at."""

    onset: int
    half_width: float
    gain: float
    quiet_share: float  # mean square before, over that of the loudest 0.4 ms


def _refined(x: np.ndarray, place: int, before: int, after: int, grid: _Grid) -> tuple[int, float]:
    """Return the sample where the sound near ``place`` begins, and the half width of its 90 % interval in samples."""
    begin = max(place - grid.ms(30), before + grid.ms(15), 0)
    end = min(place + grid.ms(35), after, len(x))
    if end - begin < 8:
        return min(max(place, 0), len(x) - 1), float(grid.hop)
    learn = max(before + grid.ms(5), begin - grid.ms(45), 0)
    pick = _begins(_innovation(x, learn, begin, max(place - grid.ms(15), begin), end, grid), grid)
    if pick is None:
        return min(max(place, begin), end - 1), float(grid.hop)
    doubt = max(pick.half_width, 1.0, _hidden(x, begin + pick.onset, end, pick.quiet_share, grid))
    if pick.gain < 10:
        doubt = max(doubt, grid.hop)
    return begin + pick.onset, float(doubt)


def _refined_burst(x: np.ndarray, place: int, before: int, after: int, grid: _Grid) -> tuple[int, float]:
    """Return where noise rises over noise near ``place``, and the half width of its 90 % interval, in samples.

    The loudest place says nothing here, and no first sample stands out: the change of variance is all there is.
    """
    from ..core.kernels.change_point import change_point

    begin = max(place - grid.ms(25), before + grid.ms(15), 0)
    end = min(place + grid.ms(20), max(after, place + grid.ms(8)), len(x))
    if end - begin < 8:
        return min(max(place, 0), len(x) - 1), float(grid.hop)
    learn = max(before + grid.ms(5), begin - grid.ms(45), 0)
    e = _innovation(x, learn, begin, max(place - grid.ms(12), begin), end, grid)
    best, low, high, _ = change_point(np.ascontiguousarray(e), grid.ms(2), 1e-30)
    if best < 0:
        return place, float(grid.hop)
    return begin + best, (high - low) / 2 + grid.ms(_HIDDEN_MS)


def _begins(e: np.ndarray, grid: _Grid) -> _Pick | None:
    """Find the change of variance before the loudest place, and from there the first sample of the rise."""
    from ..core.kernels.change_point import change_point

    power = e * e
    smooth = max(grid.ms(0.4), 1)
    envelope = np.convolve(power, np.ones(smooth) / smooth)[: len(power)]
    top = int(np.argmax(envelope))
    stop = min(top + grid.ms(1), len(e))
    guard = max(grid.ms(0.1), 2)
    floor = 1e-12 * float(envelope[top]) + 1e-30
    best, low, high, gain = change_point(np.ascontiguousarray(e[:stop]), guard, floor)
    if best < 0:
        return None
    quiet = float(np.median(envelope[: max(best - guard, 1)])) if best > guard else 0.0
    least = max(1e-4 * float(power[best:stop].max(initial=0.0)), 9.0 * quiet, 1e-18)
    loud = power >= least
    # Back over the rise as long as it is loud without a gap, or on to where it becomes loud.
    reach = max(best - grid.ms(8), 0)
    onset = best
    for hit in np.flatnonzero(loud[reach:best])[::-1]:
        if onset - reach - hit > grid.ms(0.7):
            break
        onset = reach + int(hit)
    if not loud[onset]:
        later = np.flatnonzero(loud[onset:stop])
        onset += int(later[0]) if len(later) else 0
    return _Pick(onset, (high - low) / 2, gain, quiet / max(float(envelope[top]), 1e-30))


def _hidden(x: np.ndarray, onset: int, end: int, quiet_share: float, grid: _Grid) -> float:
    """Return how many samples a sound may have begun before it was seen.

    Even without noise a part of the rise to half the peak is doubtful: where it begins is a matter of definition. And
    of the 40 dB by which a sound rises, what was there before covers a part.
    """
    size = np.abs(x[onset : min(end, onset + grid.ms(25))])
    if not len(size):
        return 1.0
    rise = int(np.argmax(size >= 0.5 * size.max()))
    covered = (10 * np.log10(max(9 * quiet_share, 1e-12)) + 40) / 40
    return _SEEN_SHARE * rise + min(max(covered, 0.0), 1.0) * grid.ms(_HIDDEN_MS)


def _innovation(x: np.ndarray, learn: int, begin: int, known: int, end: int, grid: _Grid) -> np.ndarray:
    """Return what prediction from the sound before does not explain in ``x[begin:end]``."""
    from scipy.linalg import LinAlgError, solve_toeplitz
    from scipy.signal import lfilter

    order = _PREDICTOR_ORDER
    past = x[learn:known]
    raw = x[begin:end] - (x[begin - 1] if begin else 0.0)
    if len(past) < 6 * order:
        return raw
    tapered = past * np.hanning(len(past))
    r = np.array([tapered[: len(past) - k] @ tapered[k:] for k in range(order + 1)])
    if r[0] < 1e-14:
        return raw
    r[0] = r[0] * (1 + _WHITENING) + 1e-14
    try:
        a = solve_toeplitz(r[:order], r[1:])
    except (LinAlgError, ValueError):
        return raw
    lead = max(begin - order, 0)
    e = lfilter(np.concatenate([[1.0], -a]), [1.0], x[lead:end])
    return e[begin - lead :]


def _named(bands: np.ndarray, frame: int) -> str:
    """Guess a drum by where the energy that came lies."""
    # A kick's low tone outlasts its click: look at some 45 ms.
    now = bands[frame : frame + 16].mean(0)
    old = bands[max(frame - 10, 0) : max(frame - 4, 1)].mean(0)
    new = np.maximum(now - old, 0.0)
    if new.sum() <= 0:
        return ""
    low, _, high = new / new.sum()
    if low > 0.6:
        return "kick"
    if high > 0.6:
        return "hat"
    return "snare" if high > 0.03 and low < 0.4 else ""
