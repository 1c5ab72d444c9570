"""Which notes a control acts on: a small language, and the places of a score's notes that it is asked of.

Conventions
-----------
A *where* is a list of conditions between commas, ``track=Bass,bars=9-16``. Conditions of different names must all hold;
of one name, one of them is enough (``drum=kick,drum=snare``).

    track=2  track=Bass     a track by number, from 0, or by name
    channel=10              MIDI channel, 1 to 16
    drum=snare              an instrument of the kit
    bars=9-16  bars=9-      bars from 1, both ends included; ``bar=9`` is one
    beat=1  beat=2&         a place in the bar: see below
    pitch=36  pitch=60-72   keys
    all                     every note

A word alone is an instrument of the kit (``snare``) or else a track's name (``Bass``).

Places: beats are quarter notes counted from 1 at the bar line; ``2&`` is half a beat behind beat 2, ``2e`` a quarter,
``2a`` three quarters, ``2.33`` a third; without a number (``&``) the place of every beat is meant. A note counts as
standing at a place from which it is written less than a 24th of a beat away. Flams and rolls stand where their hit
stands, and notes written at one moment stand together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import DRUM_NAMES
from ..core.timeline import Metre
from .players.part import Part

# By General MIDI's keys, and as the instruments of a recording are called.
DRUMS = tuple(sorted({*DRUM_NAMES.values(), "percussion", "cymbal", "other"}))
NEAR_BEAT = 1.0 / 24.0
_NAMES = {"track", "channel", "drum", "bars", "bar", "beat", "pitch"}
_INSIDE = {"": 0.0, "e": 0.25, "&": 0.5, "a": 0.75}
_PLACE = re.compile(r"([0-9]{0,3}(?:\.[0-9]{1,6})?)([e&a]?)")
_RANGE = re.compile(r"([0-9]{1,6})(-([0-9]{0,6}))?")
_EVERYWHERE = ("all", "*", "")
_RULE = (
    "notes are named by track=, channel=, drum=, bars=A-B, beat= and pitch= between commas, "
    "by an instrument's or a track's name alone, or by `all`"
)


@dataclass(frozen=True)
class Place:
    """A place in the bar.

    Parameters
    ----------
    beat : int or None
        Whole beats behind the bar line, from 0; None: in every beat.
    inside : float, beats
        Behind that beat.
    """

    beat: int | None
    inside: float

    def holds(self, since_bar_line: np.ndarray) -> np.ndarray:
        """Tell which positions, beats since the bar line, stand here."""
        if self.beat is None:
            off = np.mod(since_bar_line - self.inside + 0.5, 1.0) - 0.5
        else:
            off = since_bar_line - (self.beat + self.inside)
        return np.abs(off) < NEAR_BEAT


def place_of(said: str) -> Place:
    """Read a place in the bar.

    Raises
    ------
    TakeprintError
        For anything else.

    Examples
    --------
    >>> place_of("2&"), place_of("&")
    (Place(beat=1, inside=0.5), Place(beat=None, inside=0.5))
    """
    found = _PLACE.fullmatch(said.strip())
    number, letter = found.groups() if found else ("", "")
    if not found or not (number or letter) or number.startswith(".") or ("." in number and letter):
        _refuse_place(said)
    if not number:
        return Place(None, _INSIDE[letter])
    value = float(number)
    if value < 1.0:
        _refuse_place(said)
    whole = math.floor(value)
    return Place(whole - 1, value - whole + _INSIDE[letter])


def _refuse_place(said: str) -> None:
    raise TakeprintError(
        f"{said!r} is no place in the bar",
        rule="a place is a beat from 1 (1, 2, 2.5), with & e or a behind it (2&, 4e), or one of these alone (&)",
    )


@dataclass(frozen=True, eq=False)
class Places:
    """Where a score's notes stand.

    Parameters
    ----------
    notes : Notes
    track_names : tuple of str
        Empty where the score has no tracks.
    bar : ndarray of int64 [shape=(n,)], from 1
    since_bar_line : ndarray [shape=(n,)], beats
    leader : ndarray of int64 [shape=(n,)], row of the note each moves with
    """

    notes: Notes
    track_names: tuple[str, ...]
    bar: np.ndarray
    since_bar_line: np.ndarray
    leader: np.ndarray

    @classmethod
    def of(cls, notes: Notes, parts: Sequence[Part], metre: Metre, track_names: Sequence[str] = ()) -> Places:
        """Find where notes stand: each at the beginning of the moment of the hit it belongs to."""
        beat, leader = notes.onset_beat.copy(), np.arange(len(notes))
        for part in parts:
            group = part.group[part.leader]
            first = np.full(int(part.group.max()) + 1, np.inf)
            np.minimum.at(first, part.group, notes.onset_beat[part.rows])
            beat[part.rows] = first[group]
            leader[part.rows] = part.rows[part.leader]
        # A hair before the bar line is the next bar's one.
        bar, inside = metre.position(beat + NEAR_BEAT)
        return cls(notes, tuple(track_names), bar + 1, inside - NEAR_BEAT, leader)

    def __len__(self) -> int:
        return len(self.notes)


@dataclass(frozen=True)
class Where:
    """Conditions on notes: see the module's Conventions.

    Parameters
    ----------
    said : str
        As it was written.
    track, drum : tuple of str
    channel : tuple of int, 0 to 15
    bars, pitch : tuple of (first, last)
    beat : tuple of Place
    """

    said: str
    track: tuple[str, ...] = ()
    drum: tuple[str, ...] = ()
    channel: tuple[int, ...] = ()
    bars: tuple[tuple[int, int], ...] = ()
    pitch: tuple[tuple[int, int], ...] = ()
    beat: tuple[Place, ...] = field(default=())

    @classmethod
    def read(cls, said: str) -> Where:
        """Read what is written.

        Raises
        ------
        TakeprintError
            For an unknown condition or a value that is none.

        Examples
        --------
        >>> Where.read("drum=snare,bars=9-16").bars
        ((9, 16),)
        """
        if not isinstance(said, str):
            raise TakeprintError(f"{said!r} names no notes", rule=_RULE)
        text = said.strip()
        found: dict[str, list[object]] = {}
        for condition in text.split(",") if text not in _EVERYWHERE else ():
            name, equals, value = (part.strip() for part in condition.partition("="))
            if not equals:
                name, value = ("drum" if name.casefold() in DRUMS else "track"), name
            name = name.casefold()
            if name not in _NAMES or not value:
                raise TakeprintError(f"{condition.strip()!r} names no notes", rule=_RULE)
            name = "bars" if name == "bar" else name
            found.setdefault(name, []).append(_value(name, value))
        return cls(said, **{name: tuple(values) for name, values in found.items()})  # type: ignore[arg-type]

    @property
    def bars_alone(self) -> bool:
        """Whether every note of some bars, or of all, is meant, and so the tempo there too."""
        return not (self.track or self.drum or self.channel or self.pitch or self.beat)

    def mask(self, places: Places) -> np.ndarray:
        """Tell which notes are meant, ndarray of bool [shape=(n,)].

        Raises
        ------
        TakeprintError
            For a track that the score has not.
        """
        notes = places.notes
        out = np.ones(len(places), dtype=bool)
        if self.track:
            out &= np.isin(notes.track, tracks_called(self.track, places.track_names))
        if self.channel:
            out &= np.isin(notes.channel, self.channel)
        if self.drum:
            out &= np.isin(notes.instrument, self.drum)
        if self.bars:
            out &= self.bars_hold(places.bar)
        if self.pitch:
            key = np.nan_to_num(notes.pitch, nan=-1.0)
            out &= np.any([(key >= low) & (key <= high) for low, high in self.pitch], axis=0)
        if self.beat:
            out &= np.any([place.holds(places.since_bar_line) for place in self.beat], axis=0)
        # What is meant of a hit is meant of what decorates it.
        return out[places.leader]

    def bars_hold(self, bar: np.ndarray) -> np.ndarray:
        """Tell which bars, counted from 1, are meant."""
        if not self.bars:
            return np.ones(len(bar), dtype=bool)
        return np.any([(bar >= low) & (bar <= high) for low, high in self.bars], axis=0)


def _value(name: str, said: str) -> object:
    if name == "track":
        return said
    if name == "drum":
        if said.casefold() not in DRUMS:
            raise TakeprintError(f"there is no drum {said!r}", rule=f"the kit has {', '.join(DRUMS)}")
        return said.casefold()
    if name == "beat":
        return place_of(said)
    found = _RANGE.fullmatch(said)
    if name == "channel":
        if not found or found.group(2) or not 1 <= int(said) <= 16:
            raise TakeprintError(f"there is no channel {said!r}", rule="MIDI channels are 1 to 16")
        return int(said) - 1
    low, high = (1, 10**6) if name == "bars" else (0, 127)
    if found:
        first = int(found.group(1))
        last = first if not found.group(2) else int(found.group(3) or high)
        if low <= first <= last <= high:
            return first, last
    example = "bars=9-16 counted from 1" if name == "bars" else "pitch=60-72 of the keys 0 to 127"
    raise TakeprintError(f"{name}={said} is no range", rule=f"a range is one number or two, as in {example}")


def tracks_called(said: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the numbers of tracks that are named by number, from 0, or by name, whatever its case.

    Raises
    ------
    TakeprintError
        For a track that is not there.
    """
    chosen: set[int] = set()
    for one in said:
        alike = [k for k, name in enumerate(names) if name.casefold() == one.strip().casefold() and name]
        if one.isascii() and one.isdigit() and int(one[:6]) < len(names):
            chosen.add(int(one))
        elif alike:
            chosen.update(alike)
        elif not names:
            raise TakeprintError(f"there is no track {one!r}", rule="this file has no tracks")
        else:
            there = ", ".join(f"{k} {name}".strip() for k, name in enumerate(names))
            raise TakeprintError(f"there is no track {one!r}", rule=f"its tracks are {there}")
    return sorted(chosen)


def words_of(where: str, values: Mapping[str, float]) -> str:
    """Return a place and its amounts as one line, as they are written on the command line."""
    return " ".join([where.strip() or "all", *(f"{name}={value:g}" for name, value in values.items())])
