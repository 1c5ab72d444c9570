"""What a player gets and what it gives back: one part of a score, and the deviations invented for it.

Conventions
-----------
A part is what one player plays: the whole kit over all its tracks, or all notes of one program. Its notes are in order
of position. Late, louder and longer are positive; timing in ms, velocities 0 to 127, articulation as log2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...core.metrical import TWELFTHS, VOICES, cells, groups, leaders, ranks_from_top, voices
from ...core.notes import Notes
from ...core.randomness import Stream
from ...core.timeline import Metre, Timeline


@dataclass(frozen=True, eq=False)
class Voices:
    """Which voice each note belongs to.

    Parameters
    ----------
    names : tuple of str
        Each once.
    code : ndarray of int64 [shape=(n,)]
        Index into ``names``.
    """

    names: tuple[str, ...]
    code: np.ndarray

    @property
    def text(self) -> np.ndarray:
        """The name of each note's voice, ndarray of str [shape=(n,)]."""
        return np.array(self.names, dtype=np.str_)[self.code]

    def renamed(self, new: Mapping[str, str]) -> Voices:
        """Return the voices under other names; two of one new name become one."""
        names = tuple(sorted({new[name] for name in self.names}))
        return Voices(names, np.array([names.index(new[name]) for name in self.names], dtype=np.int64)[self.code])

    def per_note(self, of_name: Mapping[str, float]) -> np.ndarray:
        """Return each note's value, given one a name."""
        return np.array([of_name[name] for name in self.names], dtype=np.float64)[self.code]


@dataclass(frozen=True, eq=False)
class Part:
    """One player's notes.

    Parameters
    ----------
    name : str
        ``"kit"``, ``"program 0"`` and the like: names the player's random streams.
    drums : bool
    rows : ndarray of int64 [shape=(n,)]
        Rows in the score's ``Notes``.
    beat, onset_s, duration_beat, velocity, pitch : ndarray [shape=(n,)]
        As written.
    bar, cell, group, rank, leader : ndarray of int64 [shape=(n,)]
        See ``core.metrical``; ``group`` counts from 0 in order of position, ``leader`` holds rows of this part.
    voices : Voices
        Instruments of the kit; ``top``, ``inner`` and ``bass`` otherwise.
    tempo_bpm : float
        The part's median tempo.
    metre : Metre
    """

    name: str
    drums: bool
    rows: np.ndarray
    beat: np.ndarray
    onset_s: np.ndarray
    duration_beat: np.ndarray
    velocity: np.ndarray
    pitch: np.ndarray
    bar: np.ndarray
    cell: np.ndarray
    group: np.ndarray
    rank: np.ndarray
    leader: np.ndarray
    voices: Voices
    tempo_bpm: float
    metre: Metre

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, name: str, drums: bool, notes: Notes, rows: np.ndarray, clock: Timeline, metre: Metre) -> Part:
        """Make a part of some rows of a score's notes."""
        rows = rows[np.lexsort((notes.pitch[rows], notes.onset_beat[rows]))]
        beat, onset_s, pitch = notes.onset_beat[rows], notes.onset_s[rows], notes.pitch[rows]
        # An unknown velocity counts as mezzo forte.
        velocity = np.nan_to_num(notes.velocity[rows], nan=64.0)
        bar, cell = cells(beat, metre)
        group = groups(beat, np.zeros(len(rows), dtype=np.int64))
        if drums:
            sounds, rank = _sounds(notes.instrument[rows], pitch), np.zeros(len(rows), dtype=np.int64)
        else:
            sounds, rank = Voices(VOICES, voices(pitch, group)), ranks_from_top(pitch, group)
        # A roll is played on one key of the kit; melodic notes lead themselves (a trill is no flam).
        key = np.nan_to_num(pitch, nan=-1.0).astype(np.int64)
        own = np.arange(len(rows))
        leader = leaders(beat, onset_s, velocity, key) if drums else own
        return cls(
            name=name,
            drums=drums,
            rows=rows,
            beat=beat,
            onset_s=onset_s,
            duration_beat=notes.duration_beat[rows],
            velocity=velocity,
            pitch=pitch,
            bar=bar,
            cell=cell,
            group=group,
            rank=rank,
            leader=leader,
            voices=sounds,
            tempo_bpm=float(np.median(clock.tempo_bpm_at(beat))) if len(rows) else 120.0,
            metre=metre,
        )

    @property
    def group_first(self) -> np.ndarray:
        """The first note of each group, rows of this part."""
        return np.flatnonzero(np.diff(self.group, prepend=-1))

    @property
    def group_beat(self) -> np.ndarray:
        """Position of each group, beats."""
        return self.beat[self.group_first]

    @property
    def duration_s(self) -> np.ndarray:
        """The written lengths at the tempo around each note, ndarray [shape=(n,)], seconds; 0 where not known."""
        first = self.group_first
        beat = np.nan_to_num(self.duration_beat)
        if len(first) < 2:
            return beat * 60.0 / self.tempo_bpm
        period_s = np.diff(np.minimum.reduceat(self.onset_s, first)) / np.maximum(np.diff(self.beat[first]), 1e-9)
        return beat * np.append(period_s, period_s[-1])[self.group]

    def group_mean(self, values: np.ndarray) -> np.ndarray:
        """Return per note the mean over its group."""
        return (np.bincount(self.group, values) / np.bincount(self.group))[self.group]

    def level(self, window_beat: float = 4.0) -> np.ndarray:
        """Return the written velocity averaged over the beats around each note."""
        total = np.concatenate([[0.0], np.cumsum(self.velocity)])
        low = np.searchsorted(self.beat, self.beat - window_beat, side="left")
        high = np.searchsorted(self.beat, self.beat + window_beat, side="right")
        return (total[high] - total[low]) / (high - low)


@dataclass(frozen=True, eq=False)
class Invented:
    """A player's deviations for one part.

    Parameters
    ----------
    timing_ms : ndarray [shape=(n,)], ms
    velocity : ndarray [shape=(n,)]
        What is added to the written velocity (``absolute`` False) or the velocity itself (True).
    articulation_log2 : ndarray [shape=(n,)]
    clock_ms : ndarray [shape=(n,)], ms
        The part of the timing that the player's inner clock gives, for others to follow.
    absolute : bool
    swing_ms : ndarray [shape=(n,)], ms, or None
        The part of the timing that swings the off-beats: no lateness of the player.
    """

    timing_ms: np.ndarray
    velocity: np.ndarray
    articulation_log2: np.ndarray
    clock_ms: np.ndarray
    absolute: bool
    swing_ms: np.ndarray | None = None

    @property
    def middle_ms(self) -> float:
        """The constant that counts as on time: the median of the timing but for the swing, ms."""
        return float(np.median(self.timing_ms if self.swing_ms is None else self.timing_ms - self.swing_ms))

    def added(self, part: Part) -> np.ndarray:
        """Return what goes onto the written velocity of each note, where that is what ``velocity`` holds.

        Soft notes vary less: below half the scale the spread shrinks in proportion, so that ghost notes stay ghosts.
        """
        return self.velocity * np.clip(part.velocity / 64.0, 0.25, 1.0)


class SlotTable:
    """Means by voice and cell, with what to take where a cell was never heard.

    Order: the cell of the bar, the same place in any beat, the voice, nothing (0).
    """

    def __init__(self, rows: Iterable[tuple[str, int, float, float]]) -> None:
        """Take rows of (voice, cell, value, weight)."""
        self._cell: dict[tuple[str, int], float] = {}
        sums: dict[tuple[str, int], list[float]] = {}
        for voice, cell, value, weight in rows:
            self._cell[voice, cell] = value
            for key in ((voice, cell % TWELFTHS), (voice, -1)):
                entry = sums.setdefault(key, [0.0, 0.0])
                entry[0] += weight * value
                entry[1] += weight
        self._coarse = {key: total / weight for key, (total, weight) in sums.items() if weight > 0}

    def at(self, voices: Voices, cell: np.ndarray) -> np.ndarray:
        """Return the value of each note."""
        width = int(cell.max()) + 1 if len(cell) else 1
        place = voices.code * width + cell
        used = np.flatnonzero(np.bincount(place))
        table = np.zeros(int(used[-1]) + 1 if len(used) else 1)
        table[used] = [self._of(voices.names[p // width], p % width) for p in used.tolist()]
        return table[place]

    def _of(self, voice: str, cell: int) -> float:
        if (voice, cell) in self._cell:
            return self._cell[voice, cell]
        return self._coarse.get((voice, cell % TWELFTHS), self._coarse.get((voice, -1), 0.0))


@dataclass(frozen=True)
class Dice:
    """Where a part's random numbers come from: seed, score and part; each purpose has its own stream."""

    seed: int
    score: str
    part: str

    def normal(self, n: int, *names: str) -> np.ndarray:
        """Return ``n`` standard normal numbers for the named purpose."""
        return Stream(self.seed, self.score, self.part, *names).normal(n)

    def uniform(self, n: int, *names: str) -> np.ndarray:
        """Return ``n`` numbers between 0 and 1 for the named purpose."""
        return Stream(self.seed, self.score, self.part, *names).uniform(n)

    def turn(self, below: int, count: int, *names: str) -> int:
        """Return ``count`` steps round a circle of ``below`` places, from a start that the score and the part give.

        With the seed as count, neighbouring seeds differ: a few choices drawn by chance would often give two of
        several takes the same.
        """
        start = Stream(0, self.score, self.part, "turn", *names).uniform(1)[0]
        return (int(start * below) + count) % below


def known_voices(part: Part, available: Iterable[str]) -> Voices:
    """Return each note's voice as far as the profile knows it, else the most alike one it knows, else ``"*"``."""
    have = set(available)
    chosen = {}
    for name in part.voices.names:
        chosen[name] = next((o for o in (name, *_ALIKE.get(name, ())) if o in have), "*")
    return part.voices.renamed(chosen)


_ALIKE = {
    "ride": ("hat", "crash"), "crash": ("ride", "hat"), "hat": ("ride",), "clap": ("snare",),
    "tambourine": ("hat", "ride"), "cowbell": ("ride", "hat"), "percussion": ("tom", "snare"), "tom": ("snare",),
    "snare": ("tom",), "inner": ("bass", "top"), "bass": ("inner", "top"), "top": ("inner",),
}  # fmt: skip


def _sounds(instrument: np.ndarray, pitch: np.ndarray) -> Voices:
    """Return the kit's instruments as voices."""
    key = np.nan_to_num(pitch, nan=0.0).astype(np.int64)
    first = np.full(int(key.max()) + 1 if len(key) else 1, 0, dtype=np.int64)
    first[key[::-1]] = np.arange(len(key))[::-1]
    used = np.unique(key)
    named = instrument[first[used]]
    names, code = np.unique(named, return_inverse=True)
    table = np.zeros(len(first), dtype=np.int64)
    table[used] = code
    # One key, one instrument is the rule and quick; else the names themselves are sorted.
    if (np.asarray(names)[table[key]] == instrument).all():
        return Voices(tuple(names.tolist()), table[key])
    names, code = np.unique(instrument, return_inverse=True)
    return Voices(tuple(names.tolist()), code.astype(np.int64))
