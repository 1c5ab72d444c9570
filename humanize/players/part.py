"""What a player gets and what it gives back: one part of a score, and the deviations invented for it.

Conventions
-----------
A part is what one player plays: the whole kit over all its tracks, or all notes of one program. Its notes are in order
of position. Late, louder and longer are positive; timing in ms, velocities 0 to 127, articulation as log2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.metrical import TWELFTHS, cells, groups, leaders, ranks_from_top, voices
from ...core.notes import Notes
from ...core.randomness import Stream
from ...core.timeline import Metre, Timeline


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
    voice : ndarray of str [shape=(n,)]
    tempo_bpm : float
        The part's median tempo.
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
    voice: np.ndarray
    tempo_bpm: float

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, name: str, drums: bool, notes: Notes, rows: np.ndarray, clock: Timeline, metre: Metre) -> Part:
        """Make a part of some rows of a score's notes."""
        rows = rows[np.lexsort((notes.pitch[rows], notes.onset_beat[rows]))]
        beat, onset_s, pitch = notes.onset_beat[rows], notes.onset_s[rows], notes.pitch[rows]
        bar, cell = cells(beat, metre)
        group = groups(beat, np.zeros(len(rows), dtype=np.int64))
        if drums:
            voice, rank = notes.instrument[rows], np.zeros(len(rows), dtype=np.int64)
        else:
            voice, rank = voices(pitch, group), ranks_from_top(pitch, group)
        # A roll is played on one key of the kit; melodic notes lead themselves (a trill is no flam).
        key = np.nan_to_num(pitch, nan=-1.0).astype(np.int64)
        own = np.arange(len(rows))
        leader = leaders(beat, onset_s, notes.velocity[rows], key) if drums else own
        return cls(
            name=name,
            drums=drums,
            rows=rows,
            beat=beat,
            onset_s=onset_s,
            duration_beat=notes.duration_beat[rows],
            velocity=notes.velocity[rows],
            pitch=pitch,
            bar=bar,
            cell=cell,
            group=group,
            rank=rank,
            leader=leader,
            voice=voice,
            tempo_bpm=float(np.median(clock.tempo_bpm_at(beat))) if len(rows) else 120.0,
        )

    @property
    def group_beat(self) -> np.ndarray:
        """Position of each group, beats."""
        return self.beat[np.unique(self.group, return_index=True)[1]]

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
    """

    timing_ms: np.ndarray
    velocity: np.ndarray
    articulation_log2: np.ndarray
    clock_ms: np.ndarray
    absolute: bool


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

    def at(self, voice: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Return the value of each note."""
        names, number = np.unique(voice, return_inverse=True)
        pairs, inverse = np.unique(np.stack([number, cell]), axis=1, return_inverse=True)
        found = [self._of(str(names[v]), int(c)) for v, c in pairs.T]
        return np.array(found, dtype=np.float64)[inverse.ravel()] if found else np.zeros(0)

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

    def integer(self, below: int, *names: str) -> int:
        """Return one whole number from 0 to ``below`` - 1."""
        return int(Stream(self.seed, self.score, self.part, *names).integers(1, below)[0])


def known_voices(part: Part, available: Mapping[str, Any] | Iterable[str]) -> np.ndarray:
    """Return each note's voice as far as the profile knows it, else the most alike one it knows, else ``"*"``."""
    have = set(available)
    alike = {
        "ride": ("hat", "crash"), "crash": ("ride", "hat"), "hat": ("ride",), "clap": ("snare",),
        "tambourine": ("hat", "ride"), "cowbell": ("ride", "hat"), "percussion": ("tom", "snare"), "tom": ("snare",),
        "snare": ("tom",), "inner": ("bass", "top"), "bass": ("inner", "top"), "top": ("inner",),
    }  # fmt: skip
    chosen = {}
    for name in np.unique(part.voice).tolist():
        options = [name, *alike.get(name, ())]
        chosen[name] = next((o for o in options if o in have), "*")
    return np.array([chosen[v] for v in part.voice.tolist()], dtype="<U16")
