"""Onsets: when sounds begin, to the sample.

Conventions
-----------
Times are seconds of the recording; an onset is physical: where a sound rises out of what was there before, which for
a sound in silence is its first sample above -40 dB of its peak, not where it is heard to begin. Two steps: detectors
propose frames (`analysis.onset_frames`), then each is refined in the waveform: what rings on is predicted and taken
away, and the change of variance of what remains is found. The work goes in chunks of 30 s that overlap, and gives the
same onsets whatever the chunks are.

References
----------
Sleeman and van Eck 1999, Robust automatic P-phase picking, Phys. Earth Planet. Inter. 113, 265-275 (autoregressive
prediction before Akaike's criterion).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.columns import Columns, real, text
from ..core.errors import TakeprintError
from .onset_frames import Grid, named, noise_rise, proposed, spectral_rise

if TYPE_CHECKING:
    from ..core.audio import AudioFile

_CHUNK_S = 30.0
# Everything an onset depends on lies within this distance of it.
_OVERLAP_S = 2.0
# Room noise begins with every recording: what is softer than this share of its peak is no onset at its very start.
_OPENING = 0.1
# A weak proposal (strength) counts only if the wave, too, changes: by how much Akaike's criterion must gain where the
# change lies near the proposal, and where it lies farther off than the given milliseconds.
_WEAK, _GAIN, _GAIN_FAR, _FAR_MS = 1.6, 10.0, 30.0, 15.0
# What begins nearer to the end of the recording must be as strong as this.
_LAST_MS, _SURE = 6.0, 4.0
_PREDICTOR_ORDER = 32
_WHITENING = 1e-7
# Share of the seen rise, and how long a softer start may be that noise hides wholly: chosen so that about nine of ten
# plucked strings, the hardest of these sounds, lie in the stated interval; single drum hits nearly all do.
_SEEN_SHARE, _HIDDEN_MS = 0.7, 3.0


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
    grid = Grid.at(sample_rate)
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


def _chunks(blocks: Iterable[np.ndarray], frames: int, grid: Grid) -> Iterator[tuple[np.ndarray, int, tuple[int, int]]]:
    """Yield (samples, their first frame, the core [begin, end) whose onsets count); cores tile the recording."""
    source = iter(blocks)
    step = grid.hop * round(_CHUNK_S * grid.rate / grid.hop)
    overlap = grid.hop * int(np.ceil(_OVERLAP_S * grid.rate / grid.hop))
    held = np.zeros(0)
    first = 0
    for begin in range(0, frames, step):
        end = min(begin + step, frames)
        wanted = min(end + overlap, frames)
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
        keep = max(end - overlap, 0)
        held = held[keep - first :]
        first = keep


def _in_chunk(x: np.ndarray, first: int, core: tuple[int, int], grid: Grid, peak_db: float) -> Onsets:
    """Return the onsets proposed in the core of one chunk of normalised samples."""
    flux, bands, noise = spectral_rise(x, grid)
    frames, strength, burst = proposed(flux, noise_rise(noise, len(x), grid), len(x), grid)
    place = frames * grid.hop
    inside = (place + first >= core[0]) & (place + first < core[1])
    if first == 0 and np.abs(x[: grid.ms(50)]).max(initial=0.0) < _OPENING:
        inside &= place >= grid.window
    kept, times, doubts, levels, names = [], [], [], [], []
    for i in np.flatnonzero(inside):
        before = place[i - 1] if i > 0 else -(1 << 60)
        after = place[i + 1] if i + 1 < len(place) else 1 << 60
        refine = _refined_burst if burst[i] else _refined
        onset, doubt, gain = refine(x, int(place[i]), int(before), int(after), grid)
        far = abs(onset - place[i]) > grid.ms(_FAR_MS)
        least = _GAIN_FAR if far else _GAIN
        # Where a recording ends, a tone that is cut off has a kink, which the detector hears, and a codec its worst.
        if place[i] + grid.window // 2 > len(x):
            least = np.inf if far or (onset + grid.ms(_LAST_MS) > len(x) and strength[i] < _SURE) else _GAIN_FAR
        elif strength[i] >= _WEAK:
            least = 0.0
        if gain < least:
            continue
        kept.append(i)
        times.append((onset + first) / grid.rate)
        doubts.append(1000 * doubt / grid.rate)
        reach = min(onset + grid.ms(50), max(after - grid.ms(12), onset + grid.ms(10)))
        top = float(np.abs(x[onset : reach + 1]).max(initial=0.0))
        levels.append(20 * np.log10(max(top, 1e-12)) + peak_db)
        names.append(named(bands, int(frames[i])))
    return Onsets.build(
        onset_s=np.array(times),
        onset_uncertainty_ms=np.array(doubts),
        strength=strength[np.array(kept, dtype=np.int64)],
        level_db=np.array(levels),
        instrument=np.array(names, dtype=np.str_),
    )


@dataclass(frozen=True)
class _Pick:
    """Where a sound begins, in samples of the stretch looked at."""

    onset: int
    half_width: float
    gain: float
    quiet_share: float  # mean square before, over that of the loudest 0.4 ms


def _refined(x: np.ndarray, place: int, before: int, after: int, grid: Grid) -> tuple[int, float, float]:
    """Return where the sound near ``place`` begins and the half width of its 90 % interval, in samples; the gain last.

    The gain is that of Akaike's criterion, infinite where the stretch is too short to be judged by it.
    """
    begin = max(place - grid.ms(30), before + grid.ms(15), 0)
    end = min(place + grid.ms(35), after, len(x))
    if end - begin < 8:
        return min(max(place, 0), len(x) - 1), float(grid.hop), np.inf
    learn = max(before + grid.ms(5), begin - grid.ms(45), 0)
    pick = _begins(_innovation(x, learn, begin, max(place - grid.ms(15), begin), end, grid), grid)
    if pick is None:
        return min(max(place, begin), end - 1), float(grid.hop), np.inf
    doubt = max(pick.half_width, 1.0, _hidden(x, begin + pick.onset, end, pick.quiet_share, grid))
    if pick.gain < 10:
        doubt = max(doubt, grid.hop)
    return begin + pick.onset, float(doubt), pick.gain


def _refined_burst(x: np.ndarray, place: int, before: int, after: int, grid: Grid) -> tuple[int, float, float]:
    """Do as `_refined` where noise rises over noise.

    The loudest place says nothing here, and no first sample stands out: the change of variance is all there is.
    """
    from ..core.kernels.change_point import change_point

    begin = max(place - grid.ms(25), before + grid.ms(15), 0)
    end = min(place + grid.ms(20), max(after, place + grid.ms(8)), len(x))
    if end - begin < 8:
        return min(max(place, 0), len(x) - 1), float(grid.hop), np.inf
    learn = max(before + grid.ms(5), begin - grid.ms(45), 0)
    e = _innovation(x, learn, begin, max(place - grid.ms(12), begin), end, grid)
    best, low, high, gain = change_point(np.ascontiguousarray(e), grid.ms(2), 1e-30)
    if best < 0:
        return place, float(grid.hop), np.inf
    return begin + best, (high - low) / 2 + grid.ms(_HIDDEN_MS), gain


def _begins(e: np.ndarray, grid: Grid) -> _Pick | None:
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


def _hidden(x: np.ndarray, onset: int, end: int, quiet_share: float, grid: Grid) -> float:
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


def _innovation(x: np.ndarray, learn: int, begin: int, known: int, end: int, grid: Grid) -> np.ndarray:
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
