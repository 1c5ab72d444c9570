"""Match files written: version 1.0.0, as other tools read it.

Conventions
-----------
What a match file cannot leave open is filled in: a played note without a velocity (from sound) gets 64, one without an
end the shortest length, a written note without a length a sixteenth. Where a played file's own clock is not kept, ticks
are 20 µs long, so that no onset moves by more than 10 µs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .deviations import Deviations
from .errors import TakeprintError
from .files import Name, write_atomic
from .match_file import MatchClock, MatchFile
from .notes import Notes
from .timeline import Metre

FINE_CLOCK = MatchClock(25_000, 500_000)
_USUAL_VELOCITY = 64
_USUAL_LENGTH_BEATS = 0.25
_USUAL_SPELLING = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_FINEST_FRACTION = 10_000
_ID = re.compile(r"[^\s,()\[\]]+")
_SPELT = re.compile(r"([A-G])(##|#|bb|b|)(-?\d+)")
# What info a file of version 1.0.0 has, in its order.
_INFO = ("piece", "scoreFileName", "midiFileName", "composer", "performer")


def match_of_notes(
    score: Notes,
    performance: Notes,
    pairs: Any,
    *,
    ornaments: Any = (),
    ornament_kinds: Sequence[str] = (),
    metre: Metre | None = None,
    clock: MatchClock = FINE_CLOCK,
    info: dict[str, str] | None = None,
) -> MatchFile:
    """Put a score, a performance and their pairs together, ready to be written.

    Parameters
    ----------
    score : Notes
        With ``onset_beat``, ``duration_beat`` and ``pitch``.
    performance : Notes
        With ``onset_s`` and ``pitch``.
    pairs, ornaments : array_like of int [shape=(k, 2)]
        Score row and performance row; a note is at most in one of them.
    ornament_kinds : sequence of str
        What each row of ``ornaments`` is.
    metre : Metre or None
        4/4 where it is None.
    clock : MatchClock
    info : dict of str to str or None

    Raises
    ------
    TakeprintError
        For notes without pitch or place, and pairs that name no row or one row twice.
    """
    _refuse_gaps(score, "a written note", "onset_beat", "pitch")
    _refuse_gaps(performance, "a played note", "onset_s", "pitch")
    sides = []
    for table in (pairs, ornaments):
        rows = np.array(table, dtype=np.int64).reshape(-1, 2)
        if ((rows >= [len(score), len(performance)]) | (rows < [-1, 0])).any():
            raise TakeprintError("a pair names a row that is not there", rule="a pair is a score and a take row")
        sides.append(rows)
    played = np.r_[sides[0][:, 1], sides[1][:, 1]]
    if len(np.unique(sides[0][:, 0])) < len(sides[0]) or len(np.unique(played)) < len(played) or (sides[0] < 0).any():
        raise TakeprintError("a note is paired twice", rule="each note has one partner at most")
    return MatchFile(
        score=score,
        performance=performance,
        pairs=sides[0],
        ornaments=sides[1],
        score_ids=tuple(f"n{i + 1}" for i in range(len(score))),
        performance_ids=tuple(f"n{i}" for i in range(len(performance))),
        ornament_kinds=tuple(ornament_kinds) or ("",) * len(sides[1]),
        metre=metre or Metre(),
        clock=clock,
        info=dict(info or {}),
    )


def match_of_deviations(deviations: Deviations) -> MatchFile:
    """Put a measured take's written and played notes together, ready to be written.

    An added note that belongs to an ornament hangs on the written note played nearest in time, among those within a
    whole tone of it where there are any.

    Raises
    ------
    TakeprintError
        When the notes have no written places or no pitches: a recording that was measured against nothing.
    """
    rows = deviations.notes
    written, played = rows.label != "insertion", rows.label != "deletion"
    score = Notes.build(
        onset_beat=rows.reference_beat[written],
        duration_beat=rows.reference_duration_beat[written],
        onset_s=rows.reference_onset_s[written],
        pitch=np.where(np.isfinite(rows.reference_pitch), rows.reference_pitch, rows.pitch)[written],
        velocity=rows.reference_velocity[written],
        track=rows.track[written],
    )
    performance = Notes.build(
        onset_s=rows.onset_s[played],
        duration_s=rows.duration_s[played],
        pitch=np.where(np.isfinite(rows.pitch), rows.pitch, rows.reference_pitch)[played],
        velocity=rows.velocity[played],
        channel=rows.channel[played],
    )
    score_row, performance_row = np.cumsum(written) - 1, np.cumsum(played) - 1
    matched = np.flatnonzero(written & played)
    pairs = np.c_[score_row[matched], performance_row[matched]]
    ornaments, kinds = [], []
    for row in np.flatnonzero(~written & (rows.ornament != "")).tolist() if len(matched) else []:
        away_s = np.abs(rows.onset_s[matched] - rows.onset_s[row])
        near = np.abs(rows.pitch[matched] - rows.pitch[row]) <= 2
        anchor = matched[int(np.argmin(np.where(near, away_s, away_s + (1e9 if near.any() else 0.0))))]
        ornaments.append((score_row[anchor], performance_row[row]))
        kinds.append(str(rows.ornament[row]))
    told = deviations.reference.get("metre")
    names = {"midiFileName": deviations.take, "scoreFileName": deviations.reference}
    return match_of_notes(
        score,
        performance,
        pairs,
        ornaments=ornaments,
        ornament_kinds=kinds,
        metre=Metre.from_list(told) if told else None,
        info={k: str(v["name"]) for k, v in names.items() if v.get("name")},
    )


def write_match(
    path: Name, source: MatchFile | Deviations, *, force: bool = False, inputs: Sequence[Name] = ()
) -> None:
    """Write a match file of version 1.0.0.

    Parameters
    ----------
    path : str or path
    source : MatchFile or Deviations
        What ``read_match`` returned, what ``match_of_notes`` put together, or a measured take.
    force : bool
        Let an existing file be replaced.
    inputs : sequence of str or path
        Files that must not be replaced.

    Raises
    ------
    TakeprintError
        As ``match_of_notes``, ``match_of_deviations`` and ``core.files.write_atomic``; for ids that the format cannot
        hold.
    """
    write_atomic(path, match_text(source).encode(), force=force, inputs=inputs)


def match_text(source: MatchFile | Deviations) -> str:
    """Return the whole text that ``write_match`` writes."""
    match = match_of_deviations(source) if isinstance(source, Deviations) else source
    return "\n".join(_lines(match)) + "\n"


def _refuse_gaps(notes: Notes, what: str, *columns: str) -> None:
    for name in columns:
        if not np.isfinite(getattr(notes, name)).all():
            raise TakeprintError(
                f"{what} has no {name}", rule="a match file tells place and pitch of every note",
                remedy="measure against a score, or write JSON or CSV",
            )  # fmt: skip


def _lines(match: MatchFile) -> list[str]:
    for ids in (match.score_ids, match.performance_ids):
        if len(set(ids)) < len(ids) or not all(_ID.fullmatch(name) for name in ids):
            raise TakeprintError("an id is empty, told twice or has a comma, bracket or space", rule="an id is a name")
    info = {name: " ".join(match.info.get(name, "-").split()) or "-" for name in _INFO}
    info |= {"midiClockUnits": str(match.clock.units), "midiClockRate": str(match.clock.rate_us)}
    places = _Places(match.metre)
    out = ["info(matchFileVersion,1.0.0).", *(f"info({k},{v})." for k, v in info.items())]
    first = min(0.0, float(np.min(match.score.onset_beat, initial=0.0)))
    for beat, said in match.keys:
        if key := _key(said):
            out.append(f"scoreprop(keySignature,{key},{places.place(max(beat, first))}).")
    for number, (beat, top, bottom) in enumerate(match.metre.changes):
        out.append(f"scoreprop(timeSignature,{top}/{bottom},{places.place(beat if number else first)}).")
    out += _in_order(match, _written_lines(match, places), _played_lines(match))
    for kind, events in (("sustain", match.sustain), ("soft", match.soft)):
        out += [f"{kind}({round(t / match.clock.tick_s)},{int(v)})." for t, v in events.tolist()]
    return out


def _key(said: str) -> str:
    """Return a key signature as version 1.0.0 spells it: ``Ab``, ``F#m``; "" for what is none."""
    found = re.match(r"([A-G][#b]?)[\s,]*(m\b|min|maj|$)", said, re.IGNORECASE)
    if found is None:
        return ""
    return found[1].capitalize() + ("m" if found[2].lower() in ("m", "min") else "")


class _Places:
    """Where positions in quarter notes lie in bars, and in beats of the time signature."""

    def __init__(self, metre: Metre) -> None:
        self.metre = metre
        starts = np.array([c[0] for c in metre.changes])
        self.below = np.array([c[2] for c in metre.changes])
        self.starts = starts
        self.signature_beats = np.r_[0.0, np.cumsum(np.diff(starts) * self.below[:-1] / 4.0)]

    def beats(self, quarter: float) -> float:
        i = max(int(np.searchsorted(self.starts, quarter + 1e-9, side="right")) - 1, 0)
        return float(self.signature_beats[i] + (quarter - self.starts[i]) * self.below[i] / 4.0)

    def place(self, quarter: float) -> str:
        """Return ``measure:beat,offset,beats``; the bar before beat 0, an upbeat's, is measure 0."""
        return f"{self.measure(quarter)},{_decimal(self.beats(quarter))}"

    def measure(self, quarter: float) -> str:
        """Return ``measure:beat,offset``."""
        bar, inside = self.metre.position(quarter)
        i = max(int(np.searchsorted(self.starts, quarter + 1e-9, side="right")) - 1, 0)
        whole = Fraction(float(inside) / 4.0).limit_denominator(_FINEST_FRACTION)
        beat = max(int(whole * int(self.below[i])), 0)
        return f"{int(bar) + 1}:{beat + 1},{max(whole - Fraction(beat, int(self.below[i])), Fraction(0))}"


def _decimal(value: float) -> str:
    """Return a number with the usual four decimals, or with nine where four are too few."""
    four = f"{value:.4f}"
    said = four if abs(float(four) - value) < 1e-9 else f"{value:.9f}"
    return said if float(said) else said.lstrip("-")


def _written_lines(match: MatchFile, places: _Places) -> list[str]:
    score, out = match.score, []
    length = np.where(np.isfinite(score.duration_beat), score.duration_beat, _USUAL_LENGTH_BEATS)
    for i, (beat, pitch) in enumerate(zip(score.onset_beat.tolist(), score.pitch.tolist(), strict=True)):
        key = round(pitch)
        spelt = match.spelling[i] if match.spelling else f"{_USUAL_SPELLING[key % 12]}{key // 12 - 1}"
        found = _SPELT.fullmatch(spelt)
        if found is None:
            raise TakeprintError(f"spelling {spelt!r}", rule="a note is spelt like Ab4 or F##5")
        marks = match.marks[i] if match.marks else ()
        if not marks:
            staff = (f"staff{int(score.track[i]) + 1}",) if score.track[i] >= 0 else ()
            marks = (*staff, "grace") if length[i] == 0 else staff
        duration = Fraction(length[i] / 4.0).limit_denominator(_FINEST_FRACTION)
        # The end lies where the length says in the time signature of the beginning, as others write it.
        out.append(
            f"snote({match.score_ids[i]},[{found[1]},{found[2] or 'n'}],{found[3]},{places.measure(beat)},"
            f"{duration},{_decimal(places.beats(beat))},{_decimal(places.beats(beat + length[i]))},"
            f"[{','.join(marks)}])"
        )
    return out


def _played_lines(match: MatchFile) -> list[str]:
    notes, tick_s, out = match.performance, match.clock.tick_s, []
    off_s = notes.onset_s + np.nan_to_num(notes.duration_s)
    velocity = np.where(np.isfinite(notes.velocity), notes.velocity, _USUAL_VELOCITY)
    for i, name in enumerate(match.performance_ids):
        out.append(
            f"note({name},{round(notes.pitch[i])},{round(notes.onset_s[i] / tick_s)},{round(off_s[i] / tick_s)},"
            f"{round(velocity[i])},{max(int(notes.channel[i]), 0)},{max(int(notes.track[i]), 0)})."
        )
    return out


def _in_order(match: MatchFile, written: list[str], played: list[str]) -> list[str]:
    """Return the lines of the notes in the order of the score, what was added after what was played before it."""
    partner = dict(match.pairs.tolist())
    lines = []
    for i, said in enumerate(written):
        half = played[partner[i]] if i in partner else "deletion."
        lines.append((float(match.score.onset_beat[i]), 0, float(i), f"{said}-{half}"))
    order = match.pairs[np.argsort(match.performance.onset_s[match.pairs[:, 1]], kind="stable")]
    known_s = match.performance.onset_s[order[:, 1]]
    hung = {column: (row, kind) for (row, column), kind in zip(
        match.ornaments.tolist(), match.ornament_kinds or ("",) * len(match.ornaments), strict=True)}  # fmt: skip
    for i in sorted({*match.insertions.tolist(), *hung}):
        onset_s = float(match.performance.onset_s[i])
        before = int(np.searchsorted(known_s, onset_s, side="right")) - 1
        beat = float(match.score.onset_beat[order[max(before, 0), 0]]) if len(order) else 0.0
        head = "insertion"
        if i in hung:
            row, kind = hung[i]
            head = f"ornament({match.score_ids[row] if row >= 0 else '-'},[{kind or 'trill'}])"
        lines.append((beat, 1, onset_s, f"{head}-{played[i]}"))
    return [line for *_, line in sorted(lines)]
