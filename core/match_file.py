"""Match files: a score, a performance and which played note each written note is, as other tools store them.

Conventions
-----------
A match file is text, a fact a line. Written notes come as ``snote(id,[name,modifier],octave,measure:beat,offset,
duration,onset,end,[marks])``, played ones as ``note(...)``, and a line says how they belong together:
``snote-note`` (match), ``snote-deletion``, ``insertion-note``, ``ornament(anchor,[kinds])-note``. Two families of
dialects are read: 1.0.0 and later with ``note(id,pitch,on,off,velocity,channel,track)``, and the older ones with
``note(id,[name,modifier],octave,on,off,pedal_off,velocity)`` or without ``pedal_off``; 1.0.0 is written.

Positions of a match file follow the time signature (in 6/8 its beat is an eighth); here a beat is a quarter note, as
everywhere. Beat 0 is the first full bar's line, an upbeat lies before it, at negative beats. Times of a match file
are whole ticks of its own clock; here they are seconds. Durations are those of the keys, not of the pedal.

References
----------
F. Foscarin, E. Karystinaios, S. D. Peter, C. Cancino-Chacón, M. Grachten, G. Widmer, "The match file format: encoding
alignments between scores and performances", Music Encoding Conference 2022, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .errors import TakeprintError
from .files import Name, read_regular
from .match_lines import MatchLines, Written
from .notes import Notes
from .timeline import Metre, Timeline, through_knots

MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class MatchClock:
    """The clock that a match file's ticks count.

    Parameters
    ----------
    units : int
        Ticks a quarter note.
    rate_us : int
        Microseconds a quarter note.
    """

    units: int = 480
    rate_us: int = 500_000

    @property
    def tick_s(self) -> float:
        """Length of a tick, seconds."""
        return self.rate_us * 1e-6 / self.units


@dataclass(frozen=True, eq=False)
class MatchFile:
    """What a match file says.

    Parameters
    ----------
    score : Notes
        ``onset_beat``, ``duration_beat`` (0 for a grace note), ``pitch``, ``track`` (the staff from 0, where told), and
        ``onset_s``, ``duration_s`` at 120 bpm; in order of (onset, track, pitch).
    performance : Notes
        ``onset_s``, ``duration_s``, ``pitch``, ``velocity``, ``channel``, ``track`` and the ticks of ``clock``; in
        order of (onset, track, pitch).
    pairs : ndarray of int [shape=(k, 2)]
        Score row and performance row of each match; no row comes twice.
    ornaments : ndarray of int [shape=(m, 2)]
        Played notes that belong to a written ornament: row of the note that carries it (-1 where the file names none
        that it has), performance row.
    ornament_kinds : tuple of str
        What each row of ``ornaments`` is, e.g. ``"trill"``; "" where it is not told.
    score_ids, performance_ids : tuple of str
        Names of the notes, row by row.
    spelling : tuple of str
        How the written notes are spelt, e.g. ``"Ab4"``, ``"F##5"``; row by row.
    marks : tuple of tuple of str
        What else a written note is told to be, e.g. ``("v1", "staff1", "grace")``; row by row.
    metre : Metre
    keys : tuple of (beat, str)
        Key signatures as the file spells them.
    clock : MatchClock
    sustain, soft : ndarray [shape=(p, 2)]
        Pedal: seconds, value 0 to 127.
    info : dict of str to str
        Piece, composer, performer, file names and what else is told by ``info``.
    version : str
    warnings : tuple of str
        What was read with a doubt.

    Notes
    -----
    Written notes without a row in ``pairs`` are deletions; played notes in neither ``pairs`` nor ``ornaments`` are
    insertions.
    """

    score: Notes
    performance: Notes
    pairs: np.ndarray
    ornaments: np.ndarray
    score_ids: tuple[str, ...]
    performance_ids: tuple[str, ...]
    spelling: tuple[str, ...] = ()
    marks: tuple[tuple[str, ...], ...] = ()
    ornament_kinds: tuple[str, ...] = ()
    metre: Metre = field(default_factory=Metre)
    keys: tuple[tuple[float, str], ...] = ()
    clock: MatchClock = field(default_factory=MatchClock)
    sustain: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    soft: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    info: dict[str, str] = field(default_factory=dict)
    version: str = "1.0.0"
    warnings: tuple[str, ...] = ()

    @property
    def deletions(self) -> np.ndarray:
        """Rows of the written notes that are not played [shape=(d,)]."""
        return np.setdiff1d(np.arange(len(self.score)), self.pairs[:, 0])

    @property
    def insertions(self) -> np.ndarray:
        """Rows of the played notes that are neither written nor part of an ornament [shape=(i,)]."""
        return np.setdiff1d(np.arange(len(self.performance)), np.r_[self.pairs[:, 1], self.ornaments[:, 1]])


def read_match(path: Name) -> MatchFile:
    """Read a match file of any dialect.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    MatchFile

    Raises
    ------
    TakeprintError
        For what is no match file, and for a line about notes that cannot be read, with its number: no note is lost in
        silence. Lines about other things that are not known are passed over, and ``warnings`` says so.
    """
    data = read_regular(path, MAX_BYTES)
    warnings: list[str] = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        warnings.append("the text is no UTF-8, and was read as Latin-1")
    if "\0" in text:
        raise TakeprintError("there are NUL bytes in it", where=Path(path).name, rule="a match file is text")
    lines = MatchLines(Path(path).name)
    for number, line in enumerate(text.split("\n"), 1):
        lines.read(number, line.strip())
    return _together(lines, warnings)


def _together(lines: MatchLines, warnings: list[str]) -> MatchFile:
    """Make rows of the raw facts, in order, in quarter notes and seconds."""
    if not lines.written and not lines.played:
        raise TakeprintError(
            "there is no note in it", where=lines.name, rule="a match file has lines like snote(...)-note(...)",
            code="match.empty",
        )  # fmt: skip
    clock = _clock(lines, warnings)
    metre, quarters = _metre(lines, warnings)
    score, score_ids = _score(lines.written, quarters)
    performance, performance_ids = _performance(lines, clock, warnings)
    row = {name: i for i, name in enumerate(score_ids)}
    column = {name: i for i, name in enumerate(performance_ids)}
    pairs, spare = _one_to_one([(row[a], column[b]) for a, b in lines.pairs], warnings)
    kinds = dict.fromkeys(spare, "") | {(row.get(a, -1), column[b]): kind for a, b, kind in lines.ornaments}
    ornaments = sorted(kinds)
    if any(a < 0 for a, _ in ornaments):
        warnings.append("an ornament hangs on a written note that is not there")
    for head, number in lines.passed_over.items():
        warnings.append(f"line {number}: {head!r} is not known, such lines are passed over")
    told = [lines.written[name] for name in score_ids]
    # A key told for the whole file counts where none is told with its place.
    keys = {quarters(at) if np.isfinite(at) else 0.0: said for at, said in lines.keys.items()}
    pedals = {
        kind: np.array([(t * clock.tick_s, v) for t, v in events], dtype=np.float64).reshape(-1, 2)
        for kind, events in lines.pedals.items()
    }
    return MatchFile(
        score=score,
        performance=performance,
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        ornaments=np.array(ornaments, dtype=np.int64).reshape(-1, 2),
        score_ids=score_ids,
        performance_ids=performance_ids,
        spelling=tuple(note.spelling for note in told),
        marks=tuple(note.marks for note in told),
        ornament_kinds=tuple(kinds[pair] for pair in ornaments),
        metre=metre,
        keys=tuple(sorted(keys.items())),
        clock=clock,
        info=lines.info,
        version=lines.info.get("matchFileVersion", ""),
        warnings=tuple(dict.fromkeys(warnings)),
        **pedals,
    )


def _one_to_one(told: list[tuple[int, int]], warnings: list[str]) -> tuple[list[tuple[int, int]], set[tuple[int, int]]]:
    """Return the pairs with each row once, and what more was played for a written note."""
    played_for: dict[int, int] = {}
    written_of: dict[int, int] = {}
    spare: set[tuple[int, int]] = set()
    for written, played in told:
        if played in written_of:
            if written_of[played] != written:
                warnings.append("a played note is told to be two written ones: the first counts")
        elif written in played_for:
            warnings.append("a written note is told to be played twice: the first counts, the other is its ornament")
            spare.add((written, played))
            written_of[played] = written
        else:
            played_for[written], written_of[played] = played, written
    return sorted(played_for.items()), spare


def _clock(lines: MatchLines, warnings: list[str]) -> MatchClock:
    numbers = []
    for name, usual in (("midiClockUnits", 480), ("midiClockRate", 500_000)):
        said = lines.info.get(name, "")
        if not said:
            warnings.append(f"{name} is not told: taken as {usual}")
        try:
            number = float(said) if said else float(usual)
        except ValueError:
            number = np.nan
        if not 1 <= number <= 1e9 or number != int(number):
            raise TakeprintError(
                f"{name} is {said[:20]!r}", where=lines.name, rule="a clock is told by two whole numbers above 0",
                code="match.clock",
            )  # fmt: skip
        numbers.append(int(number))
    return MatchClock(*numbers)


def _metre(lines: MatchLines, warnings: list[str]) -> tuple[Metre, _Quarters]:
    """Return the metre, and the map from the file's beats to quarter notes."""
    changes = sorted((at, said) for at, said in lines.signatures.items() if np.isfinite(at))
    whole = lines.signatures.get(-np.inf)
    if not changes and whole is None:
        warnings.append("no time signature is told: taken as 4/4")
    # What is told for the whole file holds up to the first signature that has a place.
    if not changes or (whole is not None and changes[0][0] > 0.0):
        changes.insert(0, (0.0, whole or (4, 4)))
    changes[0] = (min(changes[0][0], 0.0), changes[0][1])
    quarters = _Quarters(np.array([at for at, _ in changes]), np.array([4.0 / s[1] for _, s in changes]))
    # An upbeat is the end of a bar that begins before it: the bars are counted from beat 0.
    return Metre.of([(max(0.0, quarters(at)), *signature) for at, signature in changes]), quarters


def _score(written: dict[str, Written], quarters: _Quarters) -> tuple[Notes, tuple[str, ...]]:
    names, notes = list(written), list(written.values())
    offset = np.array([4.0 * float(note.offset) for note in notes])
    onset = quarters.exactly(np.array([note.onset for note in notes], dtype=np.float64), offset)
    length = np.array([4.0 * float(note.duration) for note in notes], dtype=np.float64)
    staff = [next((m[5:] for m in note.marks if m.startswith("staff") and m[5:].isdecimal()), "0") for note in notes]
    track = np.array([min(int(s[:4]), 128) - 1 for s in staff], dtype=np.int64)
    pitch = np.array([note.pitch for note in notes], dtype=np.float64)
    clock = Timeline.constant(120.0)
    table = Notes.build(
        len(notes),
        onset_beat=onset,
        duration_beat=length,
        onset_s=clock.seconds_at(onset),
        duration_s=0.5 * length,
        pitch=pitch,
        track=track,
    )
    order = np.lexsort((pitch, track, onset))
    return table.rows(order), tuple(names[i] for i in order)


def _performance(lines: MatchLines, clock: MatchClock, warnings: list[str]) -> tuple[Notes, tuple[str, ...]]:
    names, notes = list(lines.played), list(lines.played.values())
    on = np.array([note.on for note in notes], dtype=np.float64)
    off = np.array([note.off for note in notes], dtype=np.float64)
    if (backward := off < on).any():
        warnings.append(f"{int(backward.sum())} played notes end before they begin: their ends are not known")
    whole = np.array_equal(on, np.round(on)) and np.array_equal(off, np.round(off)) and bool((on >= 0).all())
    table = Notes.build(
        len(notes),
        onset_s=on * clock.tick_s,
        duration_s=np.where(backward, np.nan, (off - on) * clock.tick_s),
        pitch=[float(note.pitch) for note in notes],
        velocity=[float(note.velocity) for note in notes],
        onset_tick=on.astype(np.int64) if whole else np.full(len(notes), -1),
        offset_tick=np.where(backward, -1, off).astype(np.int64) if whole else np.full(len(notes), -1),
        channel=[note.channel for note in notes],
        track=[note.track for note in notes],
    )
    order = np.lexsort((table.pitch, table.track, table.onset_s))
    return table.rows(order), tuple(names[i] for i in order)


class _Quarters:
    """The map from beats of changing time signatures to quarter notes; beat 0 is quarter 0."""

    def __init__(self, at: np.ndarray, length: np.ndarray) -> None:
        # The last stretch goes on for ever: a knot one beat after its beginning tells its slope.
        self.beat = np.r_[at, at[-1] + 1.0]
        steps = np.diff(self.beat) * length
        self.quarter = np.r_[0.0, np.cumsum(steps)]
        self.quarter -= through_knots(self.beat, self.quarter, 0.0)

    def __call__(self, beat: float) -> float:
        return float(through_knots(self.beat, self.quarter, beat))

    def exactly(self, beat: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Return positions told in a few decimals, whose offsets from the beat (quarters) are told exactly."""
        quarter = through_knots(self.beat, self.quarter, beat)
        # What is left without the offset is a beat; a bar may begin anywhere, but seldom off this grid.
        whole = 64.0 * (quarter - offset)
        return np.where(np.abs(whole - np.round(whole)) < 0.01, np.round(whole) / 64.0 + offset, quarter)
