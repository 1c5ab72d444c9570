"""Deviations -> MIDI: the input's own bytes with notes moved, and everything else where it was.

Conventions
-----------
Late, louder and longer are positive. Row ``reference_index`` of the deviations' notes addresses row of the score's
notes; the totals ``onset_s``, ``duration_s``, ``velocity`` say where each note goes, in seconds of the output. A time
goes to the nearest tick (the middle between two to the later one), so each total is met within half a tick unless the
report says what limited it. A note whose totals equal the written ones keeps its ticks exactly.

What belongs together stays together: see ``midi_limits``. The one event added is the disclosure (see ``disclosure``);
tempo events are exchanged when the deviations hold a tempo curve of their own. A file that nothing changes comes out
byte for byte, without a disclosure.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.smf import Insert, Smf
from ..core.take import Take, load_take
from . import midi_report
from .articulation import note_ends
from .disclosure import disclosure_event, disclosure_text, player_facts
from .dynamics import velocity_bytes
from .midi_limits import fit_ticks, strands_of
from .slips import Placed, note_inserts, place_added
from .tempo import TickClock, differs, tempo_events, warped_ticks
from .timing import nearest_tick, note_ticks

if TYPE_CHECKING:
    from .render_audio import RenderedAudio

TEMPO_AS = ("tempo-events", "notes")
_MOVING_TEXTS = (0x01, 0x05, 0x06, 0x07)  # text, lyric, marker, cue: at tick 0 they belong to the music, not the set-up
_TEMPO = 0x51


@dataclass(frozen=True)
class Rendered:
    """A humanized file.

    Parameters
    ----------
    data : bytes
        The whole file.
    applied : Deviations
        What was really laid in, after limits and the rounding to ticks: the same rows as asked for. An added note that
        found no room has NaN as onset.
    report : dict
        Per trace what was changed and what was limited, with the reasons in words.
    warnings : tuple of str
    """

    data: bytes
    applied: Deviations
    report: dict[str, Any]
    warnings: tuple[str, ...] = ()

    def save(
        self, path: str | os.PathLike[str], force: bool = False, inputs: Sequence[str | os.PathLike[str]] = ()
    ) -> None:
        """Write the file atomically; over an existing one only with ``force``, over one of ``inputs`` never."""
        from ..core.files import write_atomic

        write_atomic(path, self.data, force=force, inputs=inputs)


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be laid into which notes: only rows that are chosen."""

    notes: Notes
    matched: np.ndarray  # rows of the deviations
    deleted: np.ndarray
    added: np.ndarray
    m: np.ndarray  # rows of the score's notes, beside ``matched``
    d: np.ndarray  # and beside ``deleted``
    still: np.ndarray  # mask over the score's notes: those not to be moved


def render(
    score: Any,
    deviations: Deviations,
    *,
    tempo_as: str = "tempo-events",
    tracks: Iterable[int] | None = None,
    protect: Iterable[int] | None = None,
    disclosure: Mapping[str, Any] | bool | None = None,
) -> Rendered | RenderedAudio:
    """Lay deviations into a score.

    Parameters
    ----------
    score : path or Take
        A MIDI file, of which only what the deviations name is changed. An audio file is handed to the audio renderer.
    deviations : Deviations
    tempo_as : ``"tempo-events"`` or ``"notes"``
        Write the tempo curve as tempo events, so that notes, bars and lyrics stay together, or keep the tempo map and
        move every event of every track. SMPTE and format 2 files know only ``"notes"``.
    tracks : iterable of int or None
        Only notes of these tracks change; the tempo is everybody's.
    protect : iterable of int or None
        Rows of the score's notes that must stay exactly as they are, e.g. downbeats.
    disclosure : mapping, bool or None
        Facts for the disclosure (``profile``, ``seed``, ``amounts``). None: what the deviations tell of their player.
        False: no disclosure.

    Returns
    -------
    Rendered
        ``RenderedAudio`` for an audio file: it has ``applied``, ``report``, ``warnings`` and ``save`` too.

    Raises
    ------
    TakeprintError
        When the deviations do not fit the score.
    """
    if tempo_as not in TEMPO_AS:
        raise TakeprintError(f"tempo_as={tempo_as!r}", rule=f"tempo is laid in as {' or '.join(TEMPO_AS)}")
    take = load_take(score)
    if take.kind == "audio":
        from .render_audio import render_audio

        return render_audio(take, deviations, disclosure=disclosure)
    if take.smf is None or take.notes is None:
        raise TakeprintError(
            f"a take of kind {take.kind!r} has no MIDI events to edit",
            where=take.name,
            rule="deviations are laid into a MIDI or audio file",
            remedy="export the score as MIDI",
        )
    smf, warnings = take.smf, _doubts(take, deviations)
    plan = _plan(take.notes, deviations, tracks, _protected(take, deviations, protect), take.name)
    own = _own_clocks(smf)
    curve, warp = _tempo_plan(smf, deviations, own, tempo_as, warnings)
    clocks, tempo_edit = own, None
    if curve is not None and not warp:
        tick, us_per_quarter, said = tempo_events(curve, smf.division)
        warnings += said
        clocks = {None: TickClock.of_tempi(tick, us_per_quarter, smf.division)}
        tempo_edit = (tick, us_per_quarter)
    home = _warped_home(smf, own, curve) if warp and curve is not None else smf.events.tick
    laid = _lay(smf, plan, deviations, clocks, home, moves_all=warp)
    data = _write(take, smf, laid, tempo_edit, deviations, disclosure)
    applied = _applied(plan, deviations, laid, clocks)
    report = midi_report.report_of(smf, plan, deviations, laid, clocks, home, tempo_edit)
    warnings += midi_report.warnings_of(report)
    return Rendered(data, applied, report, tuple(warnings))


# ------------------------------------------------------------------ what is asked


def _doubts(take: Take, deviations: Deviations) -> list[str]:
    said = deviations.reference.get("sha256") if deviations.reference.get("kind") in ("score", "take") else None
    if said and said != take.sha256 and deviations.take.get("sha256") != take.sha256:
        return ["the deviations were measured or made against another file; rows are matched by their number alone"]
    return []


def _protected(take: Take, deviations: Deviations, protect: Iterable[int] | None) -> Iterable[int] | None:
    """Return the rows that must stay: those asked for, and those that the deviations were made around."""
    said = deviations.reference.get("protected")
    if not isinstance(said, list | tuple) or deviations.reference.get("sha256") != take.sha256:
        return protect
    return [*(protect if protect is not None else ()), *(row for row in said if isinstance(row, int))]


def _plan(
    notes: Notes, deviations: Deviations, tracks: Iterable[int] | None, protect: Iterable[int] | None, name: str
) -> Plan:
    rows = deviations.notes
    index = rows.reference_index
    label = rows.label
    unknown = ~np.isin(label, ("match", "deletion", "insertion"))
    if unknown.any():
        raise TakeprintError(
            f"row {int(np.argmax(unknown))} has label {str(label[unknown][0])!r}",
            where=name,
            rule="a row is a match, a deletion or an insertion",
        )
    written = label != "insertion"
    used = index[written]
    if len(used) and (used.max() >= len(notes) or used.min() < 0):
        raise TakeprintError(
            f"reference_index {int(used.max() if used.max() >= len(notes) else used.min())}",
            where=name,
            rule=f"it addresses one of the score's {len(notes)} notes",
            remedy="render onto the file that the deviations were measured against or made for",
        )
    if len(np.unique(used)) != len(used):
        raise TakeprintError("two rows address one note", where=name, rule="a note of the score has one row")
    chosen = np.ones(len(notes), np.bool_)
    added = label == "insertion"
    if tracks is not None:
        wanted = np.unique(np.array([tracks] if isinstance(tracks, int) else list(tracks), dtype=np.int64))
        chosen &= np.isin(notes.track, wanted)
        added &= np.isin(rows.track, wanted)
    if protect is not None:
        kept = np.array(list(protect), dtype=np.int64)
        if len(kept) and (kept.min() < 0 or kept.max() >= len(notes)):
            raise TakeprintError("protect holds a row that is none", rule=f"the score has {len(notes)} notes")
        chosen[kept] = False
    here = np.zeros(len(rows), np.bool_)
    here[written] = chosen[used]
    matched, deleted = np.flatnonzero(here & (label == "match")), np.flatnonzero(here & (label == "deletion"))
    return Plan(notes, matched, deleted, np.flatnonzero(added), index[matched], index[deleted], ~chosen)


# ------------------------------------------------------------------ tempo


Clocks = dict[int | None, TickClock]


def _own_clocks(smf: Smf) -> Clocks:
    if smf.format == 2 and smf.ticks_per_second is None:
        return {track: TickClock.of_smf(smf, track) for track in range(smf.n_tracks)}
    return {None: TickClock.of_smf(smf)}


def _by_clock(clocks: Clocks, track: np.ndarray) -> list[tuple[Any, TickClock]]:
    """Return (rows, clock) pairs that cover the rows of ``track``."""
    if None in clocks:
        return [(slice(None), clocks[None])]
    return [(np.flatnonzero(track == t), clocks[t]) for t in np.unique(track).tolist()]


def _tempo_plan(smf: Smf, deviations: Deviations, own: Clocks, tempo_as: str, warnings: list[str]) -> tuple[Any, bool]:
    """Return the tempo curve that is to be laid in (None: nothing to do), and whether by moving every event."""
    if deviations.reference.get("timing_basis") != "tempo" or len(deviations.tempo) < 2:
        return None, False
    curve = deviations.basis
    per_beat = smf.nominal_ticks_per_beat
    if smf.format == 2 and not differs(curve, TickClock.of_smf(smf), per_beat):
        return None, False  # the first sequence's own tempo: nothing is asked of the others
    if not any(differs(curve, clock, per_beat) for clock in own.values()):
        return None, False
    if tempo_as == "notes":
        return curve, True
    if smf.ticks_per_second is not None or smf.format == 2:
        what = (
            "SMPTE time knows no tempo events" if smf.ticks_per_second is not None else "format 2 has many tempo maps"
        )
        warnings.append(f"{what}: the tempo is laid in by moving every event")
        return curve, True
    return curve, False


def _warped_home(smf: Smf, own: Clocks, curve: Any) -> np.ndarray:
    """Return the ticks of all events when the curve is played under the file's own tempo map, which stays."""
    events = smf.events
    home = np.empty(len(events), np.int64)
    for rows, clock in _by_clock(own, events.track):
        ticks = warped_ticks(events.tick[rows], curve, clock, smf.nominal_ticks_per_beat)
        home[rows] = np.maximum(nearest_tick(np.clip(ticks, -1.0, 2.0**37)), 0)
    note = events.is_note_on | events.is_note_off
    text = (events.status == 0xFF) & np.isin(events.data1, _MOVING_TEXTS)
    still = ((events.tick == 0) & ~note & ~text) | ((events.status == 0xFF) & (events.data1 == _TEMPO))
    return np.where(still, events.tick, home)


# ------------------------------------------------------------------ laying in


@dataclass(frozen=True, eq=False)
class Laid:
    """What the file's events become."""

    tick: np.ndarray  # of all events
    reason: np.ndarray  # of all events, see midi_limits.REASONS
    wanted: np.ndarray  # of all events
    velocity: np.ndarray  # of all events: data2
    velocity_limited: np.ndarray  # beside plan.matched
    drop: np.ndarray  # of all events
    insert: list[Insert]
    placed: Placed  # beside plan.added
    added_velocity: np.ndarray


def _lay(smf: Smf, plan: Plan, deviations: Deviations, clocks: Clocks, home: np.ndarray, *, moves_all: bool) -> Laid:
    events, notes, rows = smf.events, plan.notes, deviations.notes
    on, off = notes.on_event[plan.m], notes.off_event[plan.m]
    ended = off >= 0
    wanted = home.copy()
    onset_s, duration_s = rows.onset_s[plan.matched], rows.duration_s[plan.matched]
    for part, clock in _by_clock(clocks, notes.track[plan.m]):
        ons, offs, has_end = on[part], off[part], ended[part]
        at_home = home[ons]
        to = note_ticks(onset_s[part], clock, clock.seconds_at(at_home), at_home)
        wanted[ons] = to
        end_home = home[offs[has_end]]
        ends = note_ends(
            onset_s[part][has_end],
            duration_s[part][has_end],
            clock,
            clock.seconds_at(end_home),
            (to - at_home)[has_end],
            end_home,
        )
        wanted[offs[has_end]] = ends
    velocity = events.data2.astype(np.int64)
    new_velocity, velocity_limited = velocity_bytes(rows.velocity[plan.matched], velocity[on])
    velocity[on] = new_velocity
    drop = np.zeros(len(events), np.bool_)
    drop[notes.on_event[plan.d]] = True
    drop[notes.off_event[plan.d][notes.off_event[plan.d] >= 0]] = True
    moving = (wanted != home) & ~drop
    tick, reason = wanted, np.zeros(len(events), np.int8)
    if moving.any() or moves_all:
        free_track = np.zeros(smf.n_tracks, np.bool_)
        free_track[events.track[moving]] = True
        strands = strands_of(smf, drop)
        still = np.zeros(len(events), np.bool_)
        still[notes.on_event[plan.still]] = True
        ends = notes.off_event[plan.still]
        still[ends[ends >= 0]] = True
        tick, reason = fit_ticks(strands, home, wanted, free_track[events.track] & ~still, moves_all)
    placed, insert, added_velocity = _add(smf, plan, deviations, clocks, tick, drop)
    return Laid(tick, reason, wanted, velocity, velocity_limited, drop, insert, placed, added_velocity)


def _add(
    smf: Smf, plan: Plan, deviations: Deviations, clocks: Clocks, tick: np.ndarray, drop: np.ndarray
) -> tuple[Placed, list[Insert], np.ndarray]:
    """Place the added notes between the others; shortens in ``tick`` what they strike again."""
    rows, notes = deviations.notes.rows(plan.added), plan.notes
    m = len(rows)
    empty = np.full(m, -1, np.int64)
    if m == 0:
        return Placed(empty, empty, notes.offset_tick), [], empty
    tracks_with_notes = np.unique(notes.track) if len(notes) else np.arange(smf.n_tracks)
    track = np.where((rows.track >= 0) & (rows.track < smf.n_tracks), rows.track, tracks_with_notes[0])
    channel = np.where((rows.channel >= 0) & (rows.channel < 16), rows.channel, _usual_channel(notes, track))
    pitch = np.where(np.isfinite(rows.pitch), rows.pitch, rows.reference_pitch)
    key = np.floor(np.nan_to_num(pitch, nan=-1.0) + 0.5).astype(np.int64)
    velocity, _ = velocity_bytes(rows.velocity, np.full(m, 64))
    good = np.isfinite(rows.onset_s) & np.isfinite(rows.duration_s) & (key >= 0) & (key <= 127)
    new_on, new_off = empty.copy(), empty.copy()
    for part, clock in _by_clock(clocks, track):
        new_on[part] = note_ticks(rows.onset_s[part], clock, np.full(len(key[part]), np.nan), empty[part])
        new_off[part] = note_ticks(
            (rows.onset_s + rows.duration_s)[part], clock, np.full(len(key[part]), np.nan), empty[part]
        )
    there = ~drop[notes.on_event]
    on_event, off_event = notes.on_event[there], notes.off_event[there]
    shared = np.zeros(len(notes), np.int64) if smf.format != 2 else notes.track
    voice = (shared * 16 + notes.channel)[there] * 128 + smf.events.data1[on_event]
    new_shared = np.zeros(m, np.int64) if smf.format != 2 else track
    new_voice = (new_shared * 16 + channel) * 128 + np.where(good, key, 0)
    ends = np.where(off_event >= 0, tick[off_event], -1)
    found = place_added(voice, tick[on_event], ends, new_voice[good], new_on[good], new_off[good])
    tick[off_event[off_event >= 0]] = found.end_tick[off_event >= 0]
    placed_on, placed_off = empty.copy(), empty.copy()
    placed_on[good], placed_off[good] = found.on_tick, found.off_tick
    insert = note_inserts(track, channel, key, velocity, placed_on, placed_off)
    return Placed(placed_on, placed_off, found.end_tick), insert, velocity


def _usual_channel(notes: Notes, track: np.ndarray) -> np.ndarray:
    """Return the first channel of each track's notes, 0 where it has none."""
    first = {t: int(notes.channel[notes.track == t][0]) for t in np.unique(notes.track).tolist()}
    return np.array([first.get(t, 0) for t in track.tolist()], np.int64)


# ------------------------------------------------------------------ writing


def _write(
    take: Take,
    smf: Smf,
    laid: Laid,
    tempo_edit: tuple[np.ndarray, np.ndarray] | None,
    deviations: Deviations,
    disclosure: Mapping[str, Any] | bool | None,
) -> bytes:
    events = smf.events
    insert, drop = list(laid.insert), laid.drop
    if tempo_edit is not None:
        drop = drop | ((events.status == 0xFF) & (events.data1 == _TEMPO))
        for tick, us in zip(*(column.tolist() for column in tempo_edit), strict=True):
            insert.append((0, tick, b"\xff\x51\x03" + us.to_bytes(3, "big"), -1))
    if not (insert or drop.any() or (laid.tick != events.tick).any() or (laid.velocity != events.data2).any()):
        return smf.data
    if disclosure is not False and smf.n_tracks:
        facts = disclosure if isinstance(disclosure, Mapping) else player_facts(deviations)
        insert.append((0, 0, disclosure_event(disclosure_text(facts, take.sha256)), 1))
    return smf.edited_bytes(tick=laid.tick, data2=laid.velocity, drop=drop, insert=insert)


def _applied(plan: Plan, deviations: Deviations, laid: Laid, clocks: Clocks) -> Deviations:
    """Return the deviations as they came out; parts that are not known stay so."""
    rows, notes = deviations.notes, plan.notes
    onset_s, duration_s, velocity = rows.onset_s.copy(), rows.duration_s.copy(), rows.velocity.copy()
    # Rows that were not chosen (other tracks, protected notes) lie where the file has them.
    match = np.flatnonzero(rows.label == "match")
    index = rows.reference_index[match]
    track, on, off = notes.track[index], notes.on_event[index], notes.off_event[index]
    start_s = midi_report.seconds_of(clocks, track, laid.tick[on])
    end_s = np.where(off >= 0, midi_report.seconds_of(clocks, track, laid.tick[off]), np.nan)
    onset_s[match] = start_s
    duration_s[match] = np.where(off >= 0, end_s - start_s, rows.duration_s[match])
    velocity[match] = laid.velocity[on]
    added = np.full(len(rows), -1, np.int64)
    added[plan.added] = np.arange(len(plan.added))
    for i in np.flatnonzero(rows.label == "insertion").tolist():
        k = int(added[i])
        at = int(laid.placed.on_tick[k]) if k >= 0 else -1
        onset_s[i], duration_s[i], velocity[i] = np.nan, np.nan, np.nan
        if at >= 0:
            clock = clocks.get(int(rows.track[i])) or next(iter(clocks.values()))
            onset_s[i] = clock.seconds_at(at)
            duration_s[i] = clock.seconds_at(laid.placed.off_tick[k]) - onset_s[i]
            velocity[i] = laid.added_velocity[k]
    with np.errstate(divide="ignore", invalid="ignore"):
        longer = np.log2(duration_s / rows.duration_s)
        timing_ms = rows.timing_ms + 1000.0 * (onset_s - rows.onset_s)
        dynamics_velocity = rows.dynamics_velocity + (velocity - rows.velocity)
    changed = rows.replace(
        onset_s=onset_s,
        duration_s=duration_s,
        velocity=velocity,
        timing_ms=timing_ms,
        dynamics_velocity=dynamics_velocity,
        articulation_log2=rows.articulation_log2 + np.where(np.isfinite(longer), longer, 0.0),
    )
    return deviations.replace(notes=changed)
