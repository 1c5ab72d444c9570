"""Deviations laid onto a recording: attacks moved to their sample, what lies between made longer or shorter.

Conventions
-----------
``reference_onset_s`` says where an attack lies in the input, ``onset_s`` where it goes, ``dynamics_db`` how much louder
it becomes (late and louder are positive). Attacks move by whole samples, so a moved attack is the input's own samples;
the error is half a sample at most. Everything is cut at the same frames in all channels.

The output has the input's rate, channels and length; it is longer only when the last attack moves so far that the rest
no longer fits. Where nothing moves and nothing becomes louder, the output is the input, sample by sample, and ``save``
copies the file's bytes.

What a mixed recording cannot do: sounds that begin together stay together, missed notes stay, added notes do not come,
and a louder note takes along what still rings beneath it. ``applied`` and ``warnings`` say so where it matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.deviations import DeviationNotes, Deviations
from ..core.errors import TakeprintError
from ..core.files import Name, copy_atomic
from ..core.take import Take, load_take
from ..core.timeline import through_knots
from .audio_report import changes_of
from .disclosure import disclosure_text, player_facts
from .splicing import Source, bridge

BEFORE_S = 0.004  # of an attack, moved with it: an onset is found a little late rather than early
AFTER_S = 0.060  # of an attack, moved with it
TOGETHER_S = 0.005  # attacks closer than this are one
CLOSEST_SHARE = 0.4  # of the distance to the next attack must stay
_ROOM = 0.55  # of the distance to the next attack may be moved verbatim
_PIECE_S = 4.0  # longer gaps are stretched piece by piece, to bound memory
_BLOCK = 65_536  # frames
_NO_COMMENT = ("W64", "AU")
_MAX_GAIN_DB = 40.0
_MIDDLE_VELOCITY = 80.0  # that a change of velocity is counted from where none is written
_HEARD_RATIO = 2.0  # stretching further than this is heard


@dataclass(frozen=True)
class Attacks:
    """Where attacks are, where they go and how much louder they become.

    Parameters
    ----------
    source, goal : ndarray of int64 [shape=(n,)], frames
        Strictly increasing, both.
    gain_db : ndarray [shape=(n,)], dB
    """

    source: np.ndarray
    goal: np.ndarray
    gain_db: np.ndarray


@dataclass(frozen=True)
class _Piece:
    """Source frames ``start`` to ``stop`` become ``frames`` output frames; ``reach_*`` around may be read by fades.

    No source frames at all make silence.
    """

    start: int
    stop: int
    frames: int
    reach_before: int = 0
    reach_after: int = 0


@dataclass(frozen=True)
class RenderedAudio:
    """A rendered recording that is made block by block when it is asked for.

    Parameters
    ----------
    sample_rate : float, Hz
    channels, frames : int
    applied : Deviations
        What was really applied, after rounding to samples and limits.
    report : dict
        ``attacks, moved, limited, identical, largest_shift_ms, format, subtype, disclosure``, and ``timing``,
        ``dynamics`` and ``drums`` as ``audio_report`` tells them.
    warnings : tuple of str
    """

    take: Take
    sample_rate: float
    channels: int
    frames: int
    applied: Deviations
    report: Mapping[str, Any]
    warnings: tuple[str, ...]
    _attacks: Attacks = field(repr=False)
    _pieces: tuple[_Piece, ...] = field(repr=False)

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the output in blocks [shape=(frames, channels)], float64; memory does not grow with the length."""
        if self.report["identical"]:
            yield from _source_blocks(self.take)
            return
        source = Source(_source_blocks(self.take), self.channels)
        ceiling = max(1.0, float(self.take.facts.get("peak") or 0.0))
        done = 0
        for piece in self._pieces:
            for made in _made(source, piece, self.sample_rate):
                block = _with_gain(made, done, self._attacks, self.sample_rate)
                done += len(block)
                # Only joints of full-scale noise can get here; the input's own peak is never cut.
                yield block if block is made else np.clip(block, -ceiling, ceiling)

    @property
    def samples(self) -> np.ndarray:
        """The whole output [shape=(frames, channels)], float64."""
        parts = list(self.blocks())
        return np.concatenate(parts) if parts else np.zeros((0, self.channels))

    def save(self, path: Name, *, force: bool = False, inputs: Sequence[Name] = ()) -> None:
        """Write the file in the input's format, subtype, rate and channel count; atomically, never over an input.

        Raises
        ------
        TakeprintError
            When the output exists and ``force`` is not given, is an input, or cannot be written.
        """
        save_audio(self, path, force=force, inputs=inputs)


def render_audio(
    source: Any, deviations: Deviations, *, disclosure: Mapping[str, Any] | bool | None = None
) -> RenderedAudio:
    """Render deviations onto a recording.

    Parameters
    ----------
    source : path, Take or (y, sample_rate)
        ``y`` has shape (frames,) or (channels, frames).
    deviations : Deviations
        ``notes.reference_onset_s`` on the recording's own clock; see the module's Conventions.
    disclosure : mapping, bool or None
        Facts for the disclosure in the file's comment (``profile``, ``seed``, ``amounts``); None: those that the
        deviations tell, False: no disclosure.

    Returns
    -------
    RenderedAudio

    Raises
    ------
    TakeprintError
        When the source is no recording, or no attack of the deviations lies inside it.

    Notes
    -----
    ``measure`` of the output against the same reference gives ``applied`` back within the error of the onset detector.

    Examples
    --------
    >>> import numpy as np
    >>> from takeprint.core.deviations import DeviationNotes, Deviations
    >>> y = np.zeros(8000)
    >>> y[4000] = 0.5
    >>> rows = DeviationNotes.build(label=["match"], reference_onset_s=[0.5], onset_s=[0.51])
    >>> int(np.argmax(render_audio((y, 8000), Deviations(notes=rows)).samples[:, 0]))
    4080
    """
    take = load_take(source)
    if take.kind != "audio":
        raise TakeprintError(
            f"this is a {take.kind} take", where=take.name, rule="render_audio needs a recording", remedy="use render"
        )
    rate = float(take.facts["sample_rate"])
    frames, channels = int(take.facts["frames"]), int(take.facts["channels"])
    warnings: list[str] = []
    said = deviations.reference.get("sha256")
    if said and take.sha256 and said != take.sha256 and deviations.reference.get("kind") != "click":
        warnings.append("these deviations were made for another file: the attacks may lie elsewhere in this one")
    rows, group, wanted = _attacks_of(deviations.notes, frames, rate, take.name, warnings)
    still = _protected(deviations, rows, group, len(wanted.source)) if said == take.sha256 else None
    if still is not None:
        wanted = Attacks(
            wanted.source, np.where(still, wanted.source, wanted.goal), np.where(still, 0.0, wanted.gain_db)
        )
    goal, limited = _limited(wanted, int(BEFORE_S * rate), max(2, int(0.002 * rate)), still)
    gain_db, quieter = _fitting_gain(take, wanted)
    if limited.any():
        warnings.append(f"{int(limited.sum())} attack(s) moved less than asked: attacks may not cross or meet")
    if quieter:
        warnings.append(f"{quieter} attack(s) became less loud than asked, since they would have clipped")
    attacks = Attacks(wanted.source, goal, gain_db)
    identical = bool((goal == wanted.source).all() and not gain_db.any())
    pieces, length = _pieces(attacks, frames, rate, warnings)
    shift = (goal - wanted.source) / rate
    report: dict[str, Any] = {
        "attacks": len(goal),
        "moved": int((goal != wanted.source).sum()),
        "limited": int(limited.sum()),
        "identical": identical,
        "largest_shift_ms": 1000.0 * float(np.abs(shift).max(initial=0.0)),
        "format": take.audio.format if take.audio is not None else "",
        "subtype": take.audio.subtype if take.audio is not None else "",
    } | changes_of(shift, gain_db, limited, deviations.notes.instrument[rows], group)
    if disclosure is not False and not identical:
        facts = disclosure if isinstance(disclosure, Mapping) else player_facts(deviations)
        report["disclosure"] = disclosure_text(facts, take.sha256)
        if report["format"] in _NO_COMMENT:
            warnings.append(f"{report['format']} files hold no comment: the output cannot say that it was humanized")
    applied = _applied(deviations, rows, group, shift, gain_db, warnings)
    return RenderedAudio(take, rate, channels, length, applied, report, tuple(warnings), attacks, tuple(pieces))


def save_audio(rendered: RenderedAudio, path: Name, *, force: bool, inputs: Sequence[Name]) -> None:
    """Write a rendered recording; see ``RenderedAudio.save``."""
    from ..core.audio import write_audio

    take = rendered.take
    guarded = [*inputs, *([take.path] if take.path is not None else [])]
    if rendered.report["identical"] and take.path is not None:
        copy_atomic(take.path, path, force=force, inputs=guarded)
        return
    write_audio(
        path,
        rendered.blocks(),
        sample_rate=int(rendered.sample_rate),
        format=rendered.report["format"] or "WAV",
        subtype=rendered.report["subtype"] or "FLOAT",
        force=force,
        inputs=guarded,
        comment=rendered.report.get("disclosure", ""),
    )


def _source_blocks(take: Take) -> Iterator[np.ndarray]:
    if take.audio is not None:
        yield from take.audio.blocks(_BLOCK)
    elif take.samples is not None:
        for start in range(0, len(take.samples), _BLOCK):
            yield take.samples[start : start + _BLOCK]


def _attacks_of(
    notes: DeviationNotes, frames: int, rate: float, name: str, warnings: list[str]
) -> tuple[np.ndarray, np.ndarray, Attacks]:
    """Return (rows used, attack of each such row, wanted attacks): rows that sound together are one attack."""
    placed = np.isfinite(notes.reference_onset_s) & (notes.label == "match") & np.isfinite(notes.onset_s)
    at = np.round(np.nan_to_num(notes.reference_onset_s) * rate)
    inside = (at >= 0) & (at < frames)
    rows = np.flatnonzero(placed & inside)
    if placed.any() and not len(rows):
        raise TakeprintError(
            "no attack of the deviations lies inside the recording",
            where=name,
            rule=f"reference_onset_s lies between 0 and {frames / rate:.3f} s here",
            remedy="measure or perform on this very recording",
        )
    outside = int((placed & ~inside).sum())
    if outside:
        warnings.append(f"{outside} attack(s) lie outside the recording and were passed over")
    rows = rows[np.argsort(notes.reference_onset_s[rows], kind="stable")]
    source = at[rows].astype(np.int64)
    # A new attack begins where the distance to the first of the attack reaches TOGETHER_S.
    group = np.zeros(len(rows), np.int64)
    first = 0
    for i in range(1, len(rows)):
        if source[i] - source[first] >= max(2, TOGETHER_S * rate):
            group[i] = group[i - 1] + 1
            first = i
        else:
            group[i] = group[i - 1]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    n = len(starts)
    moved = (notes.onset_s[rows] - notes.reference_onset_s[rows]) * rate
    size = np.bincount(group, minlength=n) if n else np.zeros(0)
    shift = np.round(np.bincount(group, moved, n) / size).astype(np.int64) if n else np.zeros(0, np.int64)
    gain_db = np.bincount(group, _gain_of(notes)[rows], n) / size if n else np.zeros(0)
    if n < len(rows) and np.any(np.abs(moved - shift[group]) > 1.0):
        warnings.append(f"{len(rows)} notes share {n} attacks: what begins together in a recording moves together")
    first_frames = source[starts]
    return rows, group, Attacks(first_frames, first_frames + shift, np.clip(gain_db, -_MAX_GAIN_DB, _MAX_GAIN_DB))


def _gain_of(notes: DeviationNotes) -> np.ndarray:
    """Return the gain of each row, dB: the one given, or that of the velocities by General MIDI's square law."""
    written = np.where(np.isfinite(notes.reference_velocity), notes.reference_velocity, _MIDDLE_VELOCITY)
    total = np.isfinite(notes.reference_velocity) & np.isfinite(notes.velocity)
    played = np.where(total, notes.velocity, written + notes.dynamics_velocity)
    gain_db = 40.0 * np.log10(np.maximum(np.nan_to_num(played, nan=1.0), 1.0) / np.maximum(written, 1.0))
    gain_db = np.where(np.isfinite(played), gain_db, 0.0)
    return np.where(np.isfinite(notes.dynamics_db), notes.dynamics_db, gain_db)


def _protected(deviations: Deviations, rows: np.ndarray, group: np.ndarray, n: int) -> np.ndarray | None:
    """Return which attacks hold a note that the deviations were made around, None where there is none."""
    told = deviations.reference.get("protected")
    if not isinstance(told, list | tuple) or not told:
        return None
    still = np.zeros(n, bool)
    still[group[np.isin(deviations.notes.reference_index[rows], np.array(told, dtype=np.int64))]] = True
    return still


def _limited(
    wanted: Attacks, before: int, closest: int, still: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (goals that keep order and a least distance, which of them were limited); some may have to stay."""
    n = len(wanted.goal)
    if n == 0:
        return wanted.goal, np.zeros(0, bool)
    distance = np.diff(wanted.source)
    # A distance that grows, or keeps its share, is free.
    least = np.maximum(np.minimum(distance, closest), np.ceil(CLOSEST_SHARE * distance).astype(np.int64))
    floor = np.minimum(wanted.source[0], before)
    asked = wanted.goal
    if still is not None:
        # Between two that stay there is room for the least distances of all that lie between them, and no more.
        along = np.concatenate([[0], np.cumsum(least)])
        fixed = (wanted.source - along).astype(np.float64)
        low = np.maximum.accumulate(np.where(still, fixed, -np.inf)) + along
        high = np.minimum.accumulate(np.where(still, fixed, np.inf)[::-1])[::-1] + along
        asked = np.clip(asked, low, high).astype(np.int64)
    later = asked.copy()
    later[0] = max(later[0], floor)
    for i in range(1, n):
        later[i] = max(later[i], later[i - 1] + least[i - 1])
    earlier = asked.copy()
    for i in range(n - 2, -1, -1):
        earlier[i] = min(earlier[i], earlier[i + 1] - least[i])
    # Both orders alone are fair to one side only; their mean keeps the distances too.
    goal = (later + earlier) // 2
    goal[0] = max(goal[0], floor)
    for i in range(1, n):
        goal[i] = max(goal[i], goal[i - 1] + least[i - 1])
    return goal, goal != wanted.goal


def _fitting_gain(take: Take, wanted: Attacks) -> tuple[np.ndarray, int]:
    """Return gains that let no attack pass full scale (or the input's own peak), and how many were made smaller."""
    gain_db = wanted.gain_db
    if not (gain_db > 0.0).any():
        return gain_db, 0
    starts = np.concatenate([[0], wanted.source])
    peak = np.zeros(len(starts))
    at = 0
    for block in _source_blocks(take):
        level = np.abs(block).max(axis=1)
        i = np.searchsorted(starts, at, side="right") - 1
        j = np.searchsorted(starts, at + len(block), side="left")
        cut = np.maximum(starts[i:j] - at, 0)
        peak[i:j] = np.maximum(peak[i:j], np.maximum.reduceat(level, cut))
        at += len(block)
    # The next attack's gain is reached a little before it, over this one's end: both must fit.
    ceiling = max(1.0, float(take.facts.get("peak") or 0.0))
    with np.errstate(divide="ignore"):
        room = np.maximum(0.0, 20.0 * np.log10(ceiling / peak[1:]))
    fitted = np.minimum(gain_db, room)
    return fitted, int((fitted < gain_db - 1e-9).sum())


def _pieces(attacks: Attacks, frames: int, rate: float, warnings: list[str]) -> tuple[list[_Piece], int]:
    """Cut the recording into verbatim attacks and stretched gaps; return them and the output's length, frames."""
    source, goal = attacks.source, attacks.goal
    n = len(source)
    shift = goal - source
    end = frames
    if n:
        left, room = frames - source[-1], frames - goal[-1]
        if room < max(0.5 * left, min(left, AFTER_S * rate)):
            end = frames + int(shift[-1])
    before = np.minimum(int(BEFORE_S * rate), source) if n else source
    nearest = np.minimum(np.diff(source), np.diff(goal)) if n > 1 else np.zeros(0, np.int64)
    before[1:] = np.minimum(before[1:], nearest // 4)
    room_after = np.append(_ROOM * nearest, max(0, min(frames - source[-1], end - goal[-1]))) if n else np.zeros(0)
    after = np.minimum(int(AFTER_S * rate), room_after).astype(np.int64)
    pieces: list[_Piece] = []
    at_source, at_goal, reach = 0, 0, 0
    stretched = 0
    for i in range(n):
        start, goal_start = int(source[i] - before[i]), int(goal[i] - before[i])
        if i == 0 and goal_start > 1.5 * start:  # too little sound before the first attack: it waits in silence
            pieces.append(_Piece(0, 0, goal_start - start))
            at_goal = goal_start - start
        stretched += _add_gap(pieces, at_source, start, goal_start - at_goal, reach, int(before[i]), rate)
        pieces.append(_Piece(start, int(source[i] + after[i]), int(before[i] + after[i])))
        at_source, at_goal, reach = int(source[i] + after[i]), int(goal[i] + after[i]), int(after[i]) // 2
    spare = end - at_goal - (frames - at_source)
    if spare > 0.5 * (frames - at_source):  # too little sound is left to fill the time: it ends in silence
        pieces += [_Piece(at_source, frames, frames - at_source), _Piece(frames, frames, spare)]
    else:
        stretched += _add_gap(pieces, at_source, frames, end - at_goal, reach, 0, rate)
    if stretched:
        warnings.append(f"{stretched} stretch(es) between attacks change their length more than twofold: audible")
    return pieces, end


def _add_gap(pieces: list[_Piece], start: int, stop: int, frames: int, before: int, after: int, rate: float) -> int:
    """Add a gap, cut into bounded pieces along a straight time map; return 1 when it is stretched audibly."""
    length = stop - start
    n = max(1, int(np.ceil(max(length, frames) / (_PIECE_S * rate)))) if length != frames else 1
    cut = start + (np.arange(n + 1) * length) // n
    goal = (np.arange(n + 1) * frames) // n
    margin = int(0.02 * rate)
    for i in range(n):
        pieces.append(
            _Piece(
                int(cut[i]),
                int(cut[i + 1]),
                int(goal[i + 1] - goal[i]),
                before if i == 0 else margin,
                after if i == n - 1 else margin,
            )
        )
    change = abs(frames - length)
    return int(change > 0.01 * rate and max(frames, length) > _HEARD_RATIO * max(1, min(frames, length)))


def _made(source: Source, piece: _Piece, rate: float) -> Iterator[np.ndarray]:
    length = piece.stop - piece.start
    if length == 0 and piece.frames > 0 and piece.reach_before + piece.reach_after == 0:
        for start in range(0, piece.frames, _BLOCK):
            yield np.zeros((min(_BLOCK, piece.frames - start), source.channels))
        return
    if length == piece.frames:
        for start in range(piece.start, piece.stop, _BLOCK):
            yield source.get(start, min(piece.stop, start + _BLOCK), start - int(0.1 * rate))
        return
    first = max(0, piece.start - piece.reach_before)
    held = source.get(first, piece.stop + piece.reach_after, first - int(0.1 * rate))
    lead = piece.start - first
    made = bridge(held[:lead], held[lead : lead + length], held[lead + length :], piece.frames, rate)
    for start in range(0, len(made), _BLOCK):
        yield made[start : start + _BLOCK]


def _with_gain(block: np.ndarray, start: int, attacks: Attacks, rate: float) -> np.ndarray:
    """Return the block with every attack's gain, reached over the few milliseconds before it; itself where 0 dB."""
    if not attacks.gain_db.any() or not len(block):
        return block
    rise = max(1, int(BEFORE_S * rate))
    knots = np.stack([attacks.goal - rise, attacks.goal], axis=1).ravel()
    gains = np.stack([np.concatenate([[0.0], attacks.gain_db[:-1]]), attacks.gain_db], axis=1).ravel()
    # Only the knots around the block: an hour has many.
    i = max(0, int(np.searchsorted(attacks.goal, start)) - 1)
    j = int(np.searchsorted(attacks.goal, start + len(block) + rise, side="right")) + 1
    local, gain = knots[2 * i : 2 * j], gains[2 * i : 2 * j]
    local = np.maximum.accumulate(local)
    curve = np.interp(np.arange(start, start + len(block)), local, gain)
    return block * (10.0 ** (curve / 20.0))[:, None] if curve.any() else block


def _applied(
    deviations: Deviations,
    rows: np.ndarray,
    group: np.ndarray,
    shift_s: np.ndarray,
    gain_db: np.ndarray,
    warnings: list[str],
) -> Deviations:
    """Return the deviations with what became of them."""
    notes = deviations.notes
    added, missed = notes.label == "insertion", notes.label == "deletion"
    if added.any() or missed.any():
        warnings.append(
            f"{int(missed.sum())} missed and {int(added.sum())} added note(s) were not rendered: "
            "a recording keeps its notes"
        )
    for trace in ("breath", "friction"):
        if getattr(deviations, trace):
            warnings.append(f"{len(getattr(deviations, trace))} {trace} event(s) were not rendered")
    onset_s = notes.onset_s.copy()
    timing_ms, dynamics_db = notes.timing_ms.copy(), notes.dynamics_db.copy()
    before_s = onset_s[rows]
    onset_s[rows] = notes.reference_onset_s[rows] + shift_s[group]
    timing_ms[rows] += 1000.0 * (onset_s[rows] - before_s)
    dynamics_db[rows] = gain_db[group]
    label = notes.label.copy()
    where = np.flatnonzero(missed & np.isfinite(notes.reference_onset_s))
    if len(rows):
        known = notes.reference_onset_s[rows]
        at, first = np.unique(known, return_index=True)
        kept = onset_s[rows][first]
        if len(at) > 1:
            onset_s[where] = through_knots(at, kept, notes.reference_onset_s[where])
        else:
            onset_s[where] = notes.reference_onset_s[where]
    else:
        onset_s[where] = notes.reference_onset_s[where]
    label[where] = "match"
    applied = notes.replace(label=label, onset_s=onset_s, timing_ms=timing_ms, dynamics_db=dynamics_db)
    return deviations.replace(
        notes=applied.rows(~added), slips=(), breath=(), friction=(), warnings=(*deviations.warnings, *warnings)
    )
