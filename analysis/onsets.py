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

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.columns import Columns, real, text
from .listening import Chunk, Sound, listen
from .onset_frames import Grid, named, noise_rise, proposed, spectral_rise
from .onset_places import placed, placed_burst

if TYPE_CHECKING:
    from ..core.audio import AudioFile

# Room noise begins with every recording: what is softer than this share of its peak is no onset at its very start.
_OPENING = 0.1
# A weak proposal (strength) counts only if the wave, too, changes: by how much Akaike's criterion must gain where the
# change lies near the proposal, and where it lies farther off than the given milliseconds.
_WEAK, _GAIN, _GAIN_FAR, _FAR_MS = 1.6, 10.0, 30.0, 15.0
# What begins nearer to the end of the recording must be as strong as this.
_LAST_MS, _SURE = 6.0, 4.0


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
    return _detected(Sound.of_samples(y, sample_rate))


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
    return _detected(Sound.of_file(audio))


def _detected(sound: Sound) -> Onsets:
    detector = OnsetDetector(sound.rate, sound.peak)
    listen(sound, detector)
    return detector.result()


class OnsetDetector:
    """Listens for onsets.

    Parameters
    ----------
    rate : float, Hz
    peak : float
        The largest sample of the recording.
    """

    def __init__(self, rate: float, peak: float) -> None:
        self._grid = Grid.at(rate)
        self._peak = peak
        self._parts: list[Onsets] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        if self._peak < 1e-7 or len(chunk.samples) < 2:
            return
        skip = -chunk.first % self._grid.hop  # frames lie on multiples of the hop, whatever the chunk
        samples = chunk.samples[skip:] / self._peak
        self._parts.append(
            _in_chunk(samples, chunk.first + skip, (chunk.begin, chunk.end), self._grid, 20 * np.log10(self._peak))
        )

    def result(self) -> Onsets:
        """Return the onsets of all that was heard, in order of time."""
        return _tidy(Onsets.concatenate(self._parts)) if self._parts else Onsets.build()


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
        refine = placed_burst if burst[i] else placed
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
