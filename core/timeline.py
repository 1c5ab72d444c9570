"""Monotone maps between beats and seconds, and the metre laid over the beats.

Conventions
-----------
A beat is a quarter note. A timeline is strictly increasing and piecewise linear between its knots; beyond the
outer knots it goes on at the outermost slope. Tempo is in bpm, quarter notes a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import TakeprintError

_LARGEST_METRE = 1e12  # beats, and far beyond any numerator


def through_knots(x: np.ndarray, y: np.ndarray, at: Any) -> np.ndarray:
    """Evaluate the piecewise-linear map with linear extrapolation; exact at the knots."""
    at = np.asarray(at, dtype=np.float64)
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    return y[i] + (at - x[i]) * ((y[i + 1] - y[i]) / (x[i + 1] - x[i]))


@dataclass(frozen=True, eq=False)
class Timeline:
    """A strictly increasing map from beats to seconds.

    Parameters
    ----------
    beat : ndarray [shape=(k,)], beats, k >= 2
    time_s : ndarray [shape=(k,)], seconds

    Examples
    --------
    >>> click = Timeline.constant(120.0)
    >>> float(click.seconds_at(4.0)), float(click.beats_at(1.0))
    (2.0, 2.0)
    """

    beat: np.ndarray
    time_s: np.ndarray

    def __post_init__(self) -> None:
        beat = np.array(self.beat, dtype=np.float64)
        time_s = np.array(self.time_s, dtype=np.float64)
        if beat.ndim != 1 or beat.shape != time_s.shape or len(beat) < 2:
            raise TakeprintError("a timeline needs two equally long one-dimensional arrays of at least two knots")
        if not (np.isfinite(beat).all() and np.isfinite(time_s).all()):
            raise TakeprintError("a timeline's knots must be finite")
        if (np.diff(beat) <= 0).any() or (np.diff(time_s) <= 0).any():
            raise TakeprintError("a timeline's knots must strictly increase in beats and in seconds")
        beat.flags.writeable = False
        time_s.flags.writeable = False
        object.__setattr__(self, "beat", beat)
        object.__setattr__(self, "time_s", time_s)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Timeline):
            return NotImplemented
        return np.array_equal(self.beat, other.beat) and np.array_equal(self.time_s, other.time_s)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def constant(cls, tempo_bpm: float, offset_s: float = 0.0) -> Timeline:
        """Return a click: beat 0 lies at ``offset_s`` seconds.

        Raises
        ------
        TakeprintError
            Unless the tempo is between 1 and 10 000 bpm and the offset finite.
        """
        if not (np.isfinite(tempo_bpm) and 1.0 <= tempo_bpm <= 10_000.0):
            raise TakeprintError(f"tempo={tempo_bpm} bpm", rule="a tempo lies between 1 and 10000 bpm")
        if not np.isfinite(offset_s):
            raise TakeprintError(f"offset={offset_s} s", rule="an offset is a finite number of seconds")
        return cls(np.array([0.0, 1.0]), np.array([offset_s, offset_s + 60.0 / tempo_bpm]))

    def seconds_at(self, beat: Any) -> np.ndarray:
        """Return the time of each beat position, seconds."""
        return through_knots(self.beat, self.time_s, beat)

    def beats_at(self, time_s: Any) -> np.ndarray:
        """Return the beat position of each time."""
        return through_knots(self.time_s, self.beat, time_s)

    def tempo_bpm_at(self, beat: Any) -> np.ndarray:
        """Return the tempo right after each beat position, bpm."""
        i = np.clip(np.searchsorted(self.beat, np.asarray(beat), side="right") - 1, 0, len(self.beat) - 2)
        # 60 [s/min] * [beats] / [s] = [beats/min]
        return 60.0 * (self.beat[i + 1] - self.beat[i]) / (self.time_s[i + 1] - self.time_s[i])

    def to_dict(self) -> dict[str, list[float]]:
        """Return ``{"beat": [...], "time_s": [...]}``."""
        return {"beat": self.beat.tolist(), "time_s": self.time_s.tolist()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Timeline:
        """Read what ``to_dict`` wrote.

        Raises
        ------
        TakeprintError
            For anything else.
        """
        if not isinstance(document, Mapping) or not {"beat", "time_s"} <= set(document):
            raise TakeprintError("a tempo map lacks its lists", rule="a tempo map has the lists beat and time_s")
        knots = []
        for name in ("beat", "time_s"):
            values = document[name]
            values = values.tolist() if isinstance(values, np.ndarray) else values
            if not isinstance(values, list | tuple) or not set(map(type, values)) <= {int, float}:
                raise TakeprintError(f"{name} of the tempo map is no list of numbers")
            try:
                knots.append(np.array(values, dtype=np.float64))
            except OverflowError as wrong:
                raise TakeprintError(f"{name} of the tempo map holds a number beyond all bounds") from wrong
        return cls(*knots)


@dataclass(frozen=True)
class Metre:
    """Time signatures along the beats.

    Parameters
    ----------
    changes : tuple of (beat, numerator, denominator)
        In order; the first lies at beat 0. A bar starts at every change.

    Examples
    --------
    >>> bar, beat_in_bar = Metre().position([0.0, 5.5])
    >>> bar.tolist(), beat_in_bar.tolist()
    ([0, 1], [0.0, 1.5])
    """

    changes: tuple[tuple[float, int, int], ...] = ((0.0, 4, 4),)

    @classmethod
    def parse(cls, said: str) -> Metre:
        """Read ``"3/4"``.

        Raises
        ------
        TakeprintError
            For anything but a numerator of 1 to 255 over a power of two up to 128.
        """
        top, _, bottom = said.partition("/")
        if not (top.strip().isdigit() and bottom.strip().isdigit()):
            raise TakeprintError(f"meter={said!r}", rule="a metre is written like 4/4, 3/4 or 12/8")
        numerator, denominator = int(top), int(bottom)
        if not 1 <= numerator <= 255 or denominator not in (1, 2, 4, 8, 16, 32, 64, 128):
            raise TakeprintError(f"meter={said!r}", rule="1 to 255 over 1, 2, 4, 8, 16, 32, 64 or 128")
        return cls(((0.0, numerator, denominator),))

    @classmethod
    def of(cls, changes: Iterable[Sequence[float]]) -> Metre:
        """Make a metre of (beat, numerator, denominator) rows; 4/4 holds before the first one."""
        rows: dict[float, tuple[float, int, int]] = {}
        for beat, numerator, denominator in changes:
            if numerator >= 1 and denominator >= 1:
                rows[float(beat)] = (float(beat), int(numerator), int(denominator))
        ordered = [rows[b] for b in sorted(rows)]
        if not ordered or ordered[0][0] > 0.0:
            ordered.insert(0, (0.0, 4, 4))
        return cls(tuple(ordered))

    def position(self, beat: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return (bar index from 0, beats since the bar line) for each beat position."""
        beat = np.asarray(beat, dtype=np.float64)
        starts = np.array([c[0] for c in self.changes])
        lengths = np.array([c[1] * 4.0 / c[2] for c in self.changes])
        # A change in the middle of a bar starts a new bar: the cut bar counts as one.
        bars = np.concatenate([[0.0], np.cumsum(np.ceil(np.diff(starts) / lengths[:-1] - 1e-9))])
        i = np.clip(np.searchsorted(starts, beat + 1e-9, side="right") - 1, 0, len(starts) - 1)
        inside = beat - starts[i]
        bar = np.floor(inside / lengths[i] + 1e-9)
        return (bars[i] + bar).astype(np.int64), inside - bar * lengths[i]

    def bar_beats_at(self, beat: Any) -> np.ndarray:
        """Return the length in beats of the bar that each position lies in."""
        starts = np.array([c[0] for c in self.changes])
        lengths = np.array([c[1] * 4.0 / c[2] for c in self.changes])
        i = np.searchsorted(starts, np.asarray(beat, dtype=np.float64) + 1e-9, side="right") - 1
        return lengths[np.clip(i, 0, len(starts) - 1)]

    def to_list(self) -> list[dict[str, float]]:
        """Return ``[{"beat", "numerator", "denominator"}, ...]``."""
        return [{"beat": b, "numerator": n, "denominator": d} for b, n, d in self.changes]

    @classmethod
    def from_list(cls, document: Iterable[Mapping[str, Any]]) -> Metre:
        """Read what ``to_list`` wrote.

        Raises
        ------
        TakeprintError
            For anything else.
        """
        rows = []
        for change in document if isinstance(document, list | tuple) else [None]:
            said: Mapping[str, Any] = change if isinstance(change, Mapping) else {}
            values: list[Any] = [said.get(k) for k in ("beat", "numerator", "denominator")]
            known = all(type(v) in (int, float) and abs(v) < _LARGEST_METRE for v in values)
            if not known or values[1] != int(values[1]) or values[2] != int(values[2]):
                raise TakeprintError(
                    "a metre is damaged", rule="a metre is a list of beat, numerator and denominator, all numbers"
                )
            rows.append(values)
        return cls.of(rows)
