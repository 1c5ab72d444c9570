"""Onsets: when sounds begin, to the sample.

Conventions
-----------
Times are seconds of the recording; an onset is physical: where a sound rises out of what was there before, which for
a sound in silence is its first sample above -40 dB of its peak, not where it is heard to begin. Three steps: moments
at which a sound may begin are told apart by the evidence around them (`analysis.onset_evidence`), each is placed to
the sample (`analysis.onset_places`), and what begins together is made one event at its first sound: whatever lies
within 30 ms, and the strings of a strum. The work goes in chunks that overlap, and gives the same onsets whatever the
chunks are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..core.columns import Columns, real, text
from .listening import Chunk, Sound, listen
from .onset_evidence import candidates, class_odds, evidence, named, onset_odds
from .onset_frames import Grid, heard
from .onset_places import place_onsets

if TYPE_CHECKING:
    from ..core.audio import AudioFile

# A moment is an onset from these odds on (as their logarithm); of two closer than _APART_MS the likelier is meant.
_LEAST, _APART_MS = -0.95, 7.0
# Sounds this close are one event, at the first; but not at one of little strength that long before the next.
TOGETHER_MS, _FLICKER, _FLICKER_MS = 29.5, 2.5, 16.0
# Among strums less strength is enough, as the first string is often the softest: where more than so many of nine events
# are several sounds, plucked with more than this probability.
_FLICKER_STRUMMED, _STRUMS, _PLUCKED = 1.5, 3.5, 0.6
# Where most of so many sounds before and after are plucked, what follows each other this fast is a strum, within the
# second figure. Whether it is plucked cannot be told of a single string among others that ring.
_STRUM_MS, _STRUM_ALL_MS, _AROUND = 45.0, 110.0, 16
# Where plucked sounds prevail and drums are rarer than the first share, what is rather a noise (the second) and so much
# softer (dB) than those around is a finger's squeak or a release, and no onset.
_FEW_DRUMS, _NOISY, _SOFTER_DB = 0.25, 0.3, -8.0
# Room noise begins with every recording: what is softer than this share of its peak is no onset at its very start.
_OPENING = 0.1
# What begins so near to the end of the recording must be this sure (logarithm of the odds).
_LAST_MS, _SURE = 12.0, 2.5
# A cut: from the first to the second figure before it something sounds, above this share of the recording's peak, and
# as long after it nothing does.
_KINK_MS, _CUT_MS, _SILENCE = 1.0, 15.0, 1e-7
# A recording is heard as if so much silence were before it.
_BEFORE_MS = 100.0
# Neighbours beyond a chunk's core that the places in it depend on.
_MARGIN_MS = 300.0


@dataclass(frozen=True, eq=False)
class Onsets(Columns):
    """Onsets in time order.

    Parameters
    ----------
    onset_s : ndarray [shape=(n,)], seconds
    onset_uncertainty_ms : ndarray [shape=(n,)], milliseconds
        Half width of the 90 % interval.
    strength : ndarray [shape=(n,)]
        1 is barely an onset; 1 more for every factor e in the odds that it is one.
    level_db : ndarray [shape=(n,)], dB
        Peak of the first 50 ms, full scale = 0.
    instrument : ndarray of str [shape=(n,)]
        A drum's ``"kick"``, ``"snare"``, ``"hat"``, ``"cymbal"`` or ``"other"``, the strongest where several are
        struck together; "" where it is none, or that cannot be told.
    kind : ndarray of str [shape=(n,)]
        ``"percussive"``, ``"plucked"``, ``"struck"`` (a string or bar that rings on), ``"sustained"``, or "" where
        none of these stands out.
    """

    onset_s: np.ndarray = real()
    onset_uncertainty_ms: np.ndarray = real()
    strength: np.ndarray = real()
    level_db: np.ndarray = real()
    instrument: np.ndarray = text()
    kind: np.ndarray = text()


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
    from .pitch import PitchTracker
    from .sustained import in_line
    from .swells import SwellListener

    detector, tracker, swell = (
        OnsetDetector(sound.rate, sound.peak),
        PitchTracker(sound.rate),
        SwellListener(sound.rate),
    )
    listen(sound, detector, tracker, swell)
    return in_line(detector.result(), tracker.result(), *swell.result())[0]


class OnsetDetector:
    """Listens for what strikes, plucks or otherwise begins at once.

    Parameters
    ----------
    rate : float, Hz
    peak : float
        The largest sample of the recording.
    """

    def __init__(self, rate: float, peak: float) -> None:
        self._grid = Grid.at(rate)
        self._peak = peak
        self._parts: list[tuple[Onsets, np.ndarray]] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        if self._peak < 1e-7 or len(chunk.samples) < 2:
            return
        skip = -chunk.first % (2 * self._grid.hop)  # frames lie on multiples of the hop, whatever the chunk
        samples = chunk.samples[skip:] / self._peak
        begin = chunk.begin
        if chunk.first == 0:
            begin = skip = -2 * self._grid.hop * self._grid.steps(_BEFORE_MS)
            # At rest a recording may lie off zero.
            samples = np.concatenate([np.full(-skip, np.median(samples)), samples])
        self._parts.append(
            _in_chunk(samples, chunk.first + skip, (begin, chunk.end), self._grid, 20 * np.log10(self._peak))
        )

    def result(self) -> Onsets:
        """Return the onsets of all that was heard, in order of time."""
        if not self._parts:
            return Onsets.build()
        found, likely = zip(*self._parts, strict=True)
        return _events(Onsets.concatenate(found), np.concatenate(likely))


def _events(found: Onsets, likely: np.ndarray) -> Onsets:
    """Make one event of sounds that begin together; ``likely`` are their probabilities of `CLASSES`."""
    order = np.argsort(found.onset_s, kind="stable")
    found, likely = found.rows(order), likely[order]
    drums = likely[:, :5].sum(1)
    likely, around = _in_company(likely)
    plucked = around[:, 1] > around[:, 0] + around[:, 2]
    softer_db = found.level_db - _middle(found.level_db)
    squeak = plucked & (around[:, 0] < _FEW_DRUMS) & (drums > _NOISY) & (softer_db < _SOFTER_DB)
    found, likely, plucked, around = found.rows(~squeak), likely[~squeak], plucked[~squeak], around[~squeak]
    instrument, kind = named(likely)
    place_ms = 1000 * found.onset_s
    firsts: list[int] = []
    members: list[list[int]] = []
    for i in range(len(found)):
        if firsts:
            since_first, since_last = place_ms[i] - place_ms[firsts[-1]], place_ms[i] - place_ms[i - 1]
            strummed = plucked[i] and since_last < _STRUM_MS and since_first < _STRUM_ALL_MS
            if since_first < TOGETHER_MS or strummed:
                members[-1].append(i)
                continue
        firsts.append(i)
        members.append([i])
    # The event is at its first sound, as sure and loud and named as its strongest.
    several = np.convolve([0.0, *(len(m) > 1 for m in members)], np.ones(9))[5 : 5 + len(members)] > _STRUMS
    strummed = [s and around[m[0], 1] > _PLUCKED for m, s in zip(members, several.tolist(), strict=True)]
    least = [_FLICKER_STRUMMED if s else _FLICKER for s in strummed]
    firsts = [_beginning(m, place_ms, found.strength >= s) for m, s in zip(members, least, strict=True)]
    strongest = np.array([max(m, key=lambda i: found.level_db[i]) for m in members], dtype=np.int64)
    events = found.rows(np.array(firsts, dtype=np.int64))
    return events.replace(
        strength=np.array([found.strength[m].max() for m in members]),
        level_db=found.level_db[strongest],
        instrument=instrument[strongest],
        kind=kind[strongest],
    )


def _beginning(members: list[int], place_ms: np.ndarray, strong: np.ndarray) -> int:
    """Return the first of an event's sounds that is no mere flicker before it."""
    for this, then in pairwise(members):
        if strong[this] or place_ms[then] - place_ms[this] < _FLICKER_MS:
            return this
    return members[-1]


def _in_company(likely: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of `CLASSES` as those around make them, and the mean of those of the kinds around.

    A kick under a hat may be taken for a string when heard alone, among drums it is none.
    """
    kinds = np.concatenate([likely[:, :5].sum(1, keepdims=True), likely[:, 5:]], axis=1)
    rows = np.arange(len(likely))
    low, high = np.maximum(rows - _AROUND, 0), np.minimum(rows + _AROUND + 1, len(likely))
    sums = np.concatenate([np.zeros((1, 4)), np.cumsum(kinds, axis=0)])
    around = (sums[high] - sums[low]) / (high - low)[:, None]
    told = likely * np.repeat(around + 0.02, (5, 1, 1, 1), axis=1)
    return told / told.sum(1, keepdims=True), around


def _middle(values: np.ndarray) -> np.ndarray:
    """Return the median of each value and those around it."""
    return np.array([np.median(values[max(i - _AROUND, 0) : i + _AROUND + 1]) for i in range(len(values))])


def _in_chunk(
    x: np.ndarray, first: int, core: tuple[int, int], grid: Grid, peak_db: float
) -> tuple[Onsets, np.ndarray]:
    """Return the sounds that begin in the core of one chunk of normalised samples, and how likely each is what."""
    traces = heard(x, grid)
    at = candidates(traces)
    place = at * grid.hop
    margin = grid.ms(_MARGIN_MS)
    near = (place + first >= core[0] - margin) & (place + first < core[1] + margin)
    if first < 0 and np.abs(x[-first : grid.ms(50) - first]).max(initial=0.0) < _OPENING:
        near &= place + first >= grid.window
    at = at[near]
    figures = np.stack(list(evidence(traces, at).values()), axis=1)
    odds = onset_odds(figures)
    chosen = _likeliest(at, odds, grid)
    at, odds, figures = at[chosen], odds[chosen], figures[chosen]
    place = at * grid.hop
    placed = place_onsets(x, place, grid.rate)
    onset = placed.onset
    inside = (place + first >= core[0]) & (place + first < core[1])
    # Where a recording ends, a tone that is cut off has a kink, which is heard, and a codec its worst.
    last = (first + len(x) <= core[1]) & (onset + grid.ms(_LAST_MS) > len(x))
    keep = np.flatnonzero(inside & ~(last & (odds < _SURE)) & ~_is_cut(x, onset, grid))
    ends = [*onset[1:].tolist(), len(x)]
    tops = []
    for i in keep.tolist():
        begin = int(onset[i])
        end = min(begin + grid.ms(50), max(int(ends[i]) - grid.ms(1), begin + grid.ms(10)))
        tops.append(float(np.abs(x[begin : end + 1]).max(initial=0.0)))
    found = Onsets.build(
        onset_s=np.maximum(onset[keep] + first, 0) / grid.rate,
        onset_uncertainty_ms=1000 * placed.half_width[keep] / grid.rate,
        strength=1 + odds[keep] - _LEAST,
        level_db=20 * np.log10(np.maximum(tops, 1e-12)) + peak_db,
    )
    return found, class_odds(figures[keep])


def _is_cut(x: np.ndarray, onset: np.ndarray, grid: Grid) -> np.ndarray:
    """Tell where a sound is cut off into digital silence: there is a kink, and no onset."""
    kink, reach = grid.ms(_KINK_MS), grid.ms(_CUT_MS)

    def sounds(begin: int, end: int) -> bool:
        return bool(np.abs(x[max(begin, 0) : max(end, 0)]).max(initial=0.0) > _SILENCE)

    return np.array(
        [sounds(i - reach, i - kink) and not sounds(i + kink, i + reach) for i in onset.tolist()], dtype=bool
    )


def _likeliest(at: np.ndarray, odds: np.ndarray, grid: Grid) -> np.ndarray:
    """Return which frames are onsets: likely enough, and likelier than all that are near."""
    apart = grid.steps(_APART_MS)
    taken: list[int] = []
    free = odds > _LEAST
    for i in np.argsort(-odds, kind="stable"):
        if odds[i] <= _LEAST:
            break
        if free[i]:
            taken.append(int(i))
            low, high = np.searchsorted(at, (at[i] - apart, at[i] + apart + 1))
            free[low:high] = False
    return np.sort(np.array(taken, dtype=np.int64))
