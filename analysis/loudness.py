"""Loudness: the level of a recording over time, how loud each note is, and where a note ends if that can be known.

Conventions
-----------
Levels are dB of full scale. ``level_db`` is K-weighted and carries the standard's constant, so that it reads as LUFS of
one channel (a full-scale sine of 997 Hz has -3.01); ``broadband_db`` is the plain mean square above 10 Hz. Silence is
-200 dB. Louder and longer are positive; a NaN is not known, and nothing is guessed in its place.

Method
------
The K-filter is that of the standard, given there at 48 kHz only: its two sections are taken back through the bilinear
transform to their analogue form and laid at the take's own rate with each section's corner kept in place. Mean squares
of frames of about 2.5 ms are kept; the filter's state is carried from chunk to chunk.

A note's level is the greatest mean power of any 60 ms between its onset and the next one, at most 0.5 s on, less the
power of what was ringing before, its decay drawn on. A note that has less than 60 ms to itself is judged by how the
other notes of the recording would have been in so short a time. Its end is where its decay bends down: the level falls
away from the line of its decay and does not come back before the next onset. A sound that rings out never bends down,
so it has no end; neither has one still sounding when the next begins, unless the pitch says that it changed.

References
----------
ITU-R BS.1770-5 (2023), Algorithms to measure audio programme loudness and true-peak audio level, Annex 1, tables 1, 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.columns import Columns, real
from .listening import Chunk, Sound, listen

SILENCE_DB = -200.0
_HOP_S = 0.0025
_CONSTANT_DB = -0.691
# The standard's sections at 48 kHz: b0, b1, b2, a1, a2 (the shelf of the head, the low cut).
_TABLE = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585),
    (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621),
)
_TABLE_RATE = 48_000.0
# Below twice the head's corner there is no such place: the corner stays within the rate.
_HIGHEST_CORNER = 0.45
# A note's level is that of its loudest stretch so long, begun at most so long after the onset.
_WINDOW_S, _SEARCH_S = 0.06, 0.5
# A note may begin this many frames before its onset was found, at most.
_MOST_LEAD = 4
# What rings before a note is measured in two such stretches, after the attack of the note before.
_BEFORE_S, _ATTACK_S = 0.025, 0.01
_STEEPEST = 200.0  # 1/s: nothing that rings dies faster
# A note with less to itself has no level of its own; nor has one whose power is a smaller share of what rings on.
_SHORTEST_S, _BURIED = 0.01, 0.1
# Short notes are judged by at least so many; where there are fewer, this is their doubt.
_FEWEST_ALIKE, _SHORT_DOUBT_DB = 5, 4.0
# Doubt: of the window itself, and by the share of the power that was there before.
_OWN_DOUBT_DB, _INTERFERENCE, _DAMPED_SHARE = 0.15, 0.5, 0.5


@dataclass(frozen=True, eq=False)
class LevelTrack(Columns):
    """The level of a recording, a row a frame.

    Parameters
    ----------
    time_s : ndarray [shape=(frames,)], seconds
        Middle of each frame; frames adjoin and the first begins at 0.
    level_db, broadband_db : ndarray [shape=(frames,)], dB
    """

    time_s: np.ndarray = real()
    level_db: np.ndarray = real()
    broadband_db: np.ndarray = real()

    @property
    def hop_s(self) -> float:
        """Length of a frame, seconds."""
        return 2.0 * float(self.time_s[0]) if len(self) else _HOP_S


def k_weighting(rate: float) -> np.ndarray:
    """Return the two sections of the K-filter at a rate.

    Parameters
    ----------
    rate : float, Hz
        Below 3.8 kHz the head's shelf lies lower than it should.

    Returns
    -------
    ndarray [shape=(2, 5)]
        ``b0, b1, b2, a1, a2`` of each section.

    Examples
    --------
    >>> np.round(k_weighting(48000.0), 6).tolist()[1]
    [1.0, -2.0, 1.0, -1.990047, 0.990072]
    """
    out = np.empty((2, 5))
    for i, (b0, b1, b2, a1, a2) in enumerate(_TABLE):
        # With z^-1 = (1 - p) / (1 + p) a section is a quotient of polynomials of p, in rising powers:
        above = np.array([b0 + b1 + b2, 2 * (b0 - b2), b0 - b1 + b2])
        below = np.array([1 + a1 + a2, 2 * (1 - a2), 1 - a1 + a2])
        here = np.sqrt(below[0] / below[2])  # p at the corner
        corner = min(_TABLE_RATE / np.pi * np.arctan(here), _HIGHEST_CORNER * rate)
        moved = (here / np.tan(np.pi * corner / rate)) ** np.arange(3)
        out[i, :3] = _in_z(above * moved)
        a = _in_z(below * moved)
        out[i] /= a[0]
        out[i, 3:] = a[1:] / a[0]
    return out


def _in_z(of_p: np.ndarray) -> np.ndarray:
    c0, c1, c2 = of_p
    return np.array([c0 + c1 + c2, 2 * (c0 - c2), c0 - c1 + c2])


def track_level(y: np.ndarray, sample_rate: float) -> LevelTrack:
    """Measure the level of a mono recording over time.

    Parameters
    ----------
    y : ndarray [shape=(frames,)], float, full scale 1.0
    sample_rate : float, Hz

    Returns
    -------
    LevelTrack

    Raises
    ------
    TakeprintError
        For another shape, an impossible rate or samples that are no numbers.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
    >>> round(float(np.median(track_level(tone, 48000).level_db)), 1)
    -3.0
    """
    sound = Sound.of_samples(y, sample_rate)
    listener = LoudnessListener(sound.rate)
    listen(sound, listener)
    return listener.result()


def _settled(state: np.ndarray, section: np.ndarray, value: float) -> float:
    """Put a section's state where a constant input leaves it; return its output then."""
    b0, b1, b2, a1, a2 = section.tolist()
    out = value * (b0 + b1 + b2) / (1 + a1 + a2)
    state[1] = b2 * value - a2 * out
    state[0] = b1 * value - a1 * out + state[1]
    return out


class LoudnessListener:
    """Listens for the level.

    Parameters
    ----------
    rate : float, Hz
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._hop = max(round(_HOP_S * rate), 1)
        # One zero at 0 Hz and one pole at 10 Hz keep an offset out of the plain level.
        pole = np.exp(-2 * np.pi * 10.0 / rate)
        gain = (1 + pole) / 2
        self._sections = np.vstack([k_weighting(rate), [gain, -gain, 0.0, -pole, 0.0]])
        self._state = np.zeros((3, 2))
        self._sums = np.zeros(2)
        self._heard = 0
        self._parts: list[np.ndarray] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        from ..core.kernels.filtered_power import filtered_power

        samples = np.ascontiguousarray(chunk.samples[chunk.begin - chunk.first : chunk.end - chunk.first])
        if not len(samples):
            return
        if self._heard == 0:
            self._settle(float(samples[0]))
        filled = self._heard % self._hop
        energy = filtered_power(samples, self._sections, self._state, self._sums, filled, self._hop)
        self._parts.append((energy / self._hop).astype(np.float32))
        self._heard += len(samples)

    def _settle(self, value: float) -> None:
        """Begin as though the first sample had always been there: an offset is no bang."""
        head, cut, plain = self._sections
        shelved = _settled(self._state[0], head, value)
        _settled(self._state[1], cut, shelved)
        _settled(self._state[2], plain, value)

    def result(self) -> LevelTrack:
        """Return the level of all that was heard."""
        left = self._heard % self._hop
        # A frame that the recording's end cuts off counts from half its length on, and always if it is the only one.
        rest = [self._sums[None] / left] if left and (2 * left >= self._hop or self._heard < self._hop) else []
        weighted, plain = (_decibels([part[:, column] for part in (*self._parts, *rest)]) for column in (0, 1))
        weighted += _CONSTANT_DB
        return LevelTrack(
            time_s=(np.arange(len(plain)) + 0.5) * (self._hop / self._rate),
            level_db=np.maximum(weighted, SILENCE_DB, out=weighted),
            broadband_db=np.maximum(plain, SILENCE_DB, out=plain),
        )


def _decibels(parts: list[np.ndarray]) -> np.ndarray:
    """Return the level of power in parts, all in the memory of the result: an hour has more than a million frames."""
    out = np.concatenate([np.zeros(0), *parts])
    np.log10(np.maximum(out, 1e-30, out=out), out=out)
    out *= 10.0
    return out


@dataclass(frozen=True, eq=False)
class NoteLevels(Columns):
    """The level of each note, in the order of the onsets given.

    Parameters
    ----------
    level_db : ndarray [shape=(n,)], dB
        K-weighted; NaN where the note cannot be told from what rings on.
    level_uncertainty_db : ndarray [shape=(n,)], dB
        Half width of the 90 % interval.
    """

    level_db: np.ndarray = real()
    level_uncertainty_db: np.ndarray = real()


@dataclass(frozen=True)
class _Heard:
    """One note's own power, frame by frame: what is there less what would have rung on."""

    net: np.ndarray
    ring: np.ndarray
    lead: int  # frames before the onset


def note_levels(
    track: LevelTrack,
    onset_s: np.ndarray,
    *,
    onset_uncertainty_ms: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> NoteLevels:
    """Measure how loud each note is.

    Parameters
    ----------
    track : LevelTrack
    onset_s : ndarray [shape=(n,)], seconds, in any order
        All onsets of the recording: each note is bounded by the next.
    onset_uncertainty_ms : ndarray [shape=(n,)] or None, milliseconds
    group : ndarray [shape=(n,)] or None
        Which notes are alike, such as the instruments' names: short notes are judged by their own kind.

    Returns
    -------
    NoteLevels
        All NaN for onsets that are not known or lie outside the recording.
    """
    onset_s = np.asarray(onset_s, dtype=np.float64)
    out = np.full((2, len(onset_s)), np.nan)
    hop_s, power = track.hop_s, 10.0 ** (0.1 * track.level_db)
    first = np.floor(np.nan_to_num(onset_s, nan=-1.0) / hop_s + 1e-9).astype(np.int64)
    order = np.argsort(onset_s, kind="stable")
    order = order[(first[order] >= 0) & (first[order] < len(power))]
    if not len(order):
        return NoteLevels(out[0], out[1])
    first = first[order]
    wide = np.zeros(len(order)) if onset_uncertainty_ms is None else np.nan_to_num(onset_uncertainty_ms)[order]
    begin = np.maximum(first - np.clip(np.ceil(wide / (1000 * hop_s)), 1, _MOST_LEAD).astype(np.int64), 0)
    end = np.minimum(np.r_[begin[1:], len(power)], first + round(_SEARCH_S / hop_s))
    previous = np.r_[0, first[:-1]]
    heard = [
        _without_ringing(power, *bounds, hop_s)
        for bounds in zip(previous.tolist(), begin.tolist(), first.tolist(), end.tolist(), strict=True)
    ]
    whole = max(round(_WINDOW_S / hop_s), 1)
    values = np.array([_loudest(note, whole) for note in heard])  # of those with room: level, doubt
    short = np.array([len(note.net) < whole for note in heard])
    if short.any():
        kinds = np.zeros(len(order)) if group is None else np.asarray(group)[order]
        for kind in np.unique(kinds[short]):
            of_kind = kinds == kind
            alike = [(heard[i], values[i, 0]) for i in np.flatnonzero(of_kind & np.isfinite(values[:, 0]))]
            gains: dict[int, tuple[float, float]] = {}  # by how many frames a note has to itself
            for i in np.flatnonzero(of_kind & short):
                count = len(heard[i].net) - heard[i].lead
                if count < round(_SHORTEST_S / hop_s):
                    continue
                if count not in gains:
                    gains[count] = _gain_of_kind(alike, count)
                gain_db, spread_db = gains[count]
                own = float(heard[i].net.sum()) / count
                level, doubt = _judged(own, float(heard[i].ring.mean()), spread_db)
                values[i] = level + gain_db, doubt
    out[:, order] = values.T
    return NoteLevels(out[0], out[1])


def _without_ringing(power: np.ndarray, previous: int, begin: int, first: int, end: int, hop_s: float) -> _Heard:
    """Draw the decay of what sounds before a note on under it, and take it away."""
    stretch = max(round(_BEFORE_S / hop_s), 2)
    begin_before = max(begin - 2 * stretch, previous + round(_ATTACK_S / hop_s) if previous else 0)
    before = power[min(begin_before, max(begin - 2, 0)) : begin]
    at = np.arange(max(end - begin, 0))
    ring = np.zeros(len(at))
    if len(before):
        half = len(before) // 2
        late = float(before[half:].mean())
        rate = 0.0
        if half >= 2:
            early = float(before[:half].mean())
            rate = float(np.clip(np.log(early / late) * 2 / len(before), 0.0, _STEEPEST * hop_s))
        ring = late * np.exp(-rate * (at + (len(before) - half) / 2))
    return _Heard(power[begin:end] - ring, ring, first - begin)


def _loudest(note: _Heard, whole: int) -> tuple[float, float]:
    """Return the level of the loudest stretch of ``whole`` frames and its doubt; NaN where there is none so long."""
    if len(note.net) < whole:
        return np.nan, np.nan
    total = np.cumsum(np.r_[0.0, note.net])
    mean = (total[whole:] - total[:-whole]) / whole
    best = int(np.argmax(mean))
    return _judged(float(mean[best]), float(note.ring[best : best + whole].mean()), 0.0)


def _gain_of_kind(alike: list[tuple[_Heard, float]], count: int) -> tuple[float, float]:
    """Return by how much notes are louder in all than in their first ``count`` frames, dB, and the spread of that."""
    early = np.array([other.net[: other.lead + count].sum() / count for other, _ in alike])
    levels = np.array([level for _, level in alike])[early > 0]
    gain = levels - 10.0 * np.log10(early[early > 0])
    if len(gain) < _FEWEST_ALIKE:
        return 0.0, _SHORT_DOUBT_DB
    middle = float(np.median(gain))
    return middle, float(np.quantile(np.abs(gain - middle), 0.9))


def _judged(net: float, ring: float, spread_db: float) -> tuple[float, float]:
    """Return the level of a power and its doubt: what rings on interferes, and may not have rung on as it did."""
    if net <= _BURIED * ring or net <= 1e-20:
        return np.nan, np.nan
    share = ring / net
    other_db = 10.0 * np.log10(1.0 + _INTERFERENCE * np.sqrt(share) + _DAMPED_SHARE * share)
    return 10.0 * np.log10(net), float(np.sqrt(_OWN_DOUBT_DB**2 + other_db**2 + spread_db**2))
