"""The lines of a match file, taken apart: raw facts, before positions become quarter notes and ticks seconds.

Conventions
-----------
A line is ``name(value,...)`` or two of them joined by a hyphen; a value in square brackets may hold commas. A line
about notes that cannot be read is refused with its number, a line about other things that is not known is passed over.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

import numpy as np

from .errors import TakeprintError

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ALTERS = {"n": 0, "-": 0, "": 0, "#": 1, "##": 2, "x": 2, "b": -1, "bb": -2}
_LONGEST_TICKS = 2**53
_LONGEST_BEATS = 1e7
_FINEST_FRACTION = 10**6
# How a played note is told that is no written one, and a written one that is not played.
_PLAYED_ONLY = ("insertion", "hammer_bounce", "trailing_played_note", "no_score_note", "virtualSnote")
_WRITTEN_ONLY = ("deletion", "trailing_score_note", "no_played_note", "virtualPnote")
_ORNAMENT = ("ornament", "trill")
# What is known and not about notes or pedals: how sections were unfolded, and where beats were heard.
_NOT_OURS = ("section(", "omittedSection(", "stime(")

_INFO = re.compile(r"info\(\s*([^,()]+?)\s*,(.*)\)\s*\.?$")
_PEDAL = re.compile(r"(sustain|soft)\(\s*(-?\d{1,15}(?:\.\d{1,9})?)\s*,\s*(\d{1,9})\s*\)\s*\.?$")
_TERM = re.compile(r"\s*([A-Za-z_]+)")
_ARGUMENT = re.compile(r"((?:\[[^\]]*\]|[^,\[\])])*+)([,)])")


@dataclass(frozen=True)
class Written:
    """A written note as a line tells it."""

    onset: float  # beats of the time signature
    offset: Fraction  # from the beat, whole notes
    duration: Fraction  # whole notes
    pitch: int
    spelling: str
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Played:
    """A played note as a line tells it."""

    pitch: int
    on: float  # ticks
    off: float
    velocity: int
    channel: int
    track: int


class MatchLines:
    """What the lines say so far.

    Parameters
    ----------
    name : str
        Of the file, for refusals.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = 0
        self.info: dict[str, str] = {}
        self.signatures: dict[float, tuple[int, int]] = {}
        self.keys: dict[float, str] = {}
        self.written: dict[str, Written] = {}
        self.played: dict[str, Played] = {}
        self.pairs: list[tuple[str, str]] = []
        self.ornaments: list[tuple[str, str, str]] = []
        self.pedals: dict[str, list[tuple[float, int]]] = {"sustain": [], "soft": []}
        self.passed_over: dict[str, int] = {}

    def refuse(self, problem: str, rule: str | None = None) -> NoReturn:
        """Raise what is said of the line that is being read."""
        raise TakeprintError(
            problem, where=f"{self.name}, line {self.line}", rule=rule, remedy="mend the line", code="match.line"
        )

    def read(self, number: int, line: str) -> None:
        """Read one line, without white space about it."""
        self.line = number
        if not line:
            return
        if pedal := _PEDAL.fullmatch(line):
            self.pedals[pedal[1]].append((float(pedal[2]), int(pedal[3])))
        elif info := _INFO.fullmatch(line):
            self._read_info(info[1], info[2].strip().strip("'"))
        elif line.startswith(("scoreprop(", "meta(")):
            self._read_property(line)
        elif "note(" in line or line.startswith("snote") or "note" in line.split("(", maxsplit=1)[0]:
            self._read_notes(line)
        elif not line.startswith(_NOT_OURS):
            head = _TERM.match(line)
            self.passed_over.setdefault(head[1] if head else line[:20], number)

    # --- facts about the file -------------------------------------------------------------------------------------

    def _read_info(self, name: str, value: str) -> None:
        self.info.setdefault(name, value)
        if name == "timeSignature":
            self.signatures.setdefault(-np.inf, self._signature(value))
        elif name == "keySignature":
            self.keys.setdefault(-np.inf, value.strip("[] "))

    def _read_property(self, line: str) -> None:
        (_, parts), *more = self._terms(line)
        if more or parts is None or len(parts) < 3:
            self.refuse(f"{line[:60]!r} is cut or damaged", "it tells a name, a value and a position")
        at = self._beats(parts[-1])
        if parts[0] == "timeSignature":
            self.signatures[at] = self._signature(parts[1])
        elif parts[0] == "keySignature":
            self.keys[at] = parts[1].strip("[] ")

    def _signature(self, said: str) -> tuple[int, int]:
        found = re.match(r"\[?\s*(\d{1,3})\s*/\s*(\d{1,3})\b", said)
        if not found or int(found[1]) < 1 or int(found[2]) not in (1, 2, 4, 8, 16, 32, 64, 128):
            self.refuse(f"time signature {said[:40]!r}", "a time signature is written like 6/8")
        return int(found[1]), int(found[2])

    # --- notes ----------------------------------------------------------------------------------------------------

    def _read_notes(self, line: str) -> None:
        terms = self._terms(line)
        if len(terms) == 1 and terms[0][0] in ("snote", "note"):
            # A note by itself, as unaligned lists tell it.
            terms = [terms[0], ("deletion", None)] if terms[0][0] == "snote" else [("insertion", None), terms[0]]
        if len(terms) != 2:
            self.refuse(f"{line[:60]!r} is cut or damaged", "a line about notes has a score's and a performance's half")
        (left, left_parts), (right, right_parts) = terms
        anchor = ""
        if left == "snote":
            anchor = self._read_written(left_parts)
        elif left in _ORNAMENT:
            anchor = left_parts[0] if left_parts else ""
        elif left not in _PLAYED_ONLY:
            self.refuse(f"{left!r} is not known", f"a played note is told by {', '.join((*_PLAYED_ONLY, *_ORNAMENT))}")
        if right == "note":
            played = self._read_played(right_parts)
            if left == "snote":
                self.pairs.append((anchor, played))
            elif left in _ORNAMENT:
                kind = left_parts[1].strip("[] ") if left_parts and len(left_parts) > 1 else ""
                self.ornaments.append((anchor, played, kind or ("trill" if left == "trill" else "")))
        elif right not in _WRITTEN_ONLY or left not in ("snote", "virtualSnote"):
            self.refuse(f"{left}-{right} is not known", f"a written note is told by {', '.join(_WRITTEN_ONLY)}")

    def _read_written(self, parts: list[str] | None) -> str:
        if parts is None or len(parts) not in (9, 10):
            self.refuse("a written note is cut or damaged", "snote(id,[name,modifier],octave,measure:beat,offset,...)")
        name, spelt, octave, _, offset, duration, onset, _, *more = parts
        pitch, spelling = self._spelt(spelt, octave)
        marks = tuple(m for m in (s.strip() for s in more[0].strip("[]").split(",")) if m) if more else ()
        note = Written(self._beats(onset), self._fraction(offset), self._fraction(duration), pitch, spelling, marks)
        if not name or self.written.setdefault(name, note) != note:
            self.refuse(f"written note {name!r} is told twice, differently", "a note's id is its own")
        return name

    def _read_played(self, parts: list[str] | None) -> str:
        if parts is None or len(parts) not in (6, 7):
            self.refuse("a played note is cut or damaged", "note(id,pitch,onset,offset,velocity,channel,track)")
        if parts[1].startswith("["):
            # note(id,[name,modifier],octave,on,off,velocity), later with the end of its sound before the velocity.
            name, spelt, octave, on, off, *more = parts
            pitch, velocity, channel, track = self._spelt(spelt, octave)[0], more[-1], "-1", "-1"
        else:
            name, key, on, off, velocity, channel, *rest = parts
            pitch, track = self._whole(key, 0, 127), rest[0] if rest else "-1"
        note = Played(
            pitch, self._ticks(on), self._ticks(off), self._whole(velocity, 0, 127), self._whole(channel, -1, 65535),
            self._whole(track, -1, 65535),
        )  # fmt: skip
        if not name or self.played.setdefault(name, note) != note:
            self.refuse(f"played note {name!r} is told twice, differently", "a note's id is its own")
        return name

    # --- values ---------------------------------------------------------------------------------------------------

    def _terms(self, line: str) -> list[tuple[str, list[str] | None]]:
        """Take ``head(a,[b,c],d)-head(...)`` apart: heads with their arguments, None where there are none."""
        out: list[tuple[str, list[str] | None]] = []
        at = 0
        while True:
            head = _TERM.match(line, at)
            if head is None:
                self.refuse(f"{line[:60]!r} is cut or damaged", "a match file's lines are made of name(value,...)")
            at = head.end()
            parts = None
            if line[at : at + 1] == "(":
                parts, at = self._arguments(line, at + 1)
            out.append((head[1], parts))
            if line[at : at + 1] != "-":
                break
            at += 1
        if line[at:].strip() not in ("", "."):
            self.refuse(f"{line[at : at + 40]!r} follows where the line should end")
        return out

    def _arguments(self, line: str, at: int) -> tuple[list[str], int]:
        parts = []
        while found := _ARGUMENT.match(line, at):
            parts.append(found[1].strip())
            at = found.end()
            if found[2] == ")":
                return parts, at
        self.refuse(f"{line[:60]!r} is cut: a bracket stays open")

    def _spelt(self, said: str, octave: str) -> tuple[int, str]:
        step, _, modifier = (p.strip() for p in said.strip("[]").partition(","))
        step, modifier = step.upper(), modifier.lower()
        if step not in STEPS or modifier not in ALTERS:
            self.refuse(f"note name {said[:20]!r}", "a note is named like [C,n], [F,#] or [B,b]")
        height = self._whole(octave, -2, 10)
        pitch = 12 * (height + 1) + STEPS[step] + ALTERS[modifier]
        if not 0 <= pitch <= 127:
            self.refuse(f"note {said[:20]} of octave {height}", "a pitch lies between 0 and 127")
        return pitch, f"{step}{modifier.replace('n', '').replace('-', '').replace('x', '##')}{height}"

    def _whole(self, said: str, low: int, high: int) -> int:
        try:
            number = int(said[:20])
        except ValueError:
            self.refuse(f"{said[:20]!r} is no whole number")
        if not low <= number <= high:
            self.refuse(f"{number} is out of range", f"here {low} to {high}")
        return number

    def _ticks(self, said: str) -> float:
        return self._real(said, _LONGEST_TICKS)

    def _beats(self, said: str) -> float:
        return self._real(said, _LONGEST_BEATS)

    def _real(self, said: str, limit: float) -> float:
        try:
            number = float(said[:40])
        except ValueError:
            self.refuse(f"{said[:20]!r} is no number")
        if not abs(number) <= limit:
            self.refuse(f"{said[:20]} is out of range", f"at most {limit:g}")
        return number

    def _fraction(self, said: str) -> Fraction:
        """Read whole notes: ``1/8``, ``1/4+1/16``, and ``1/8/3`` for a third of an eighth."""
        total = Fraction(0)
        for part in said[:200].split("+"):
            numbers = [self._whole(p, 0, _FINEST_FRACTION) for p in part.split("/")]
            below = math.prod(numbers[1:4])
            if len(numbers) > 3 or not 0 < below <= _FINEST_FRACTION:
                self.refuse(f"length {said[:20]!r}", "a length is written like 1/8")
            total += Fraction(numbers[0], below)
        return total
