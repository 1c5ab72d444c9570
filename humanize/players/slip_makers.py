"""Inventing slips: wrong, missed, ghosted, added and repeated notes, and hesitations, where a player would make them.

Conventions
-----------
A slip is laid into deviations as rows and an event of the kinds of ``analysis.slips``, so that measuring the rendered
take finds it again: a wrong note is a deletion and an insertion that share a ``slip_id``; an added or repeated note an
insertion; a hesitation a slow stretch of the tempo curve before the place it hesitates at, so that all parts wait. A
ghosted note is one more kind: a stroke that hardly sounds, a match row with a very low velocity. Seconds, beats, MIDI
velocities; a rate counts slips in 100 written notes.

Where slips fall: rather after leaps and in fast passages, inside chords rather than in the top voice, on soft notes
rather than loud ones; wrong keys are physical neighbours of the right one, rather those that the music around uses.
Hesitations come before hard places, and more often where a note went wrong. A kit has no pitches: its strokes are
missed, ghosted, or bounce into a second one; a kit keeps the click, so there are no hesitations beside one.

References
----------
Repp 1996, The art of inaccuracy, Music Perception 14(2): pianists' errors lie nearly all in voices other than the
melody, often inside chords, and most fit the harmony. Gingras, Palmer, Schubert and McAdams 2016, Psychology of Music
44(4): fewer errors in outer voices than in inner ones. Drake and Palmer 2000, Cognition 74: pitch and time errors
come together. Shares among the kinds, the sizes of the effects and all lengths are our own choice: no set that may be
built upon has slips counted by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.deviations import DeviationNotes, Deviations, TempoCurve
from ...core.errors import TakeprintError
from ...core.intervals import interval_name
from ...core.notes import Notes
from ...core.timeline import Timeline
from .part import Dice
from .slip_desk import LET_GO_S, Desk, difficulty, hand_is_there, neighbour

MOST_PER_100 = 30.0
SHARES = {"missed": 0.30, "wrong": 0.25, "added": 0.15, "repeated": 0.10, "ghosted": 0.12, "hesitation": 0.08}
KIT_SHARES = {"missed": 0.40, "ghosted": 0.40, "repeated": 0.20}
_AFTER_A_SLIP = 4.0  # how much likelier a hesitation is where a note went wrong


def invent_slips(
    made: Deviations,
    notes: Notes,
    clock: Timeline,
    rate_per_100: float,
    dice: Dice,
    *,
    eligible: np.ndarray | None = None,
    may_wait: bool = True,
) -> Deviations:
    """Lay slips into the deviations of a performance.

    Parameters
    ----------
    made : Deviations
        For ``notes``: a row a note, ``reference_index`` its row there.
    notes : Notes
        The score's.
    clock : Timeline
        The score's own.
    rate_per_100 : float
        Slips expected in 100 notes, 0 to 30; 0 gives ``made`` itself.
    dice : Dice
        Every note has its own numbers, so that a higher rate keeps nearly all slips of a lower one.
    eligible : ndarray of bool [shape=(n,)] or None
        Notes that may be touched; None for all.
    may_wait : bool
        False where the tempo must stay: no hesitations. Beside a kit, and where some notes are not eligible, there are
        none either.

    Returns
    -------
    Deviations
        In order of time, with an event a slip.

    Raises
    ------
    TakeprintError
        For a rate outside its limits.

    Examples
    --------
    >>> from takeprint.core.take import load_take
    >>> from takeprint.humanize import perform
    >>> dtype = [("onset_quarter", "f8"), ("duration_quarter", "f8"), ("pitch", "i4"), ("velocity", "i4")]
    >>> score = load_take(np.array([(k, 1, 60 + k % 12, 64) for k in range(200)], dtype=dtype))
    >>> played = invent_slips(perform(score), score.notes, score.timeline, 5.0, Dice(7, score.sha256, "slips"))
    >>> {slip["kind"] for slip in played.slips} <= {*SHARES}
    True
    """
    if isinstance(rate_per_100, bool) or not 0.0 <= rate_per_100 <= MOST_PER_100:
        raise TakeprintError(
            f"{rate_per_100} slips in 100 notes", rule=f"a rate lies between 0 and {MOST_PER_100:g}", remedy="try 1"
        )
    if rate_per_100 == 0.0 or not len(notes):
        return made
    desk = Desk.of(made, notes, eligible)
    chosen = _chosen(desk, rate_per_100, dice)
    wait = may_wait and not desk.kit.any() and bool(desk.free_all)
    stops = _stops(desk, chosen, rate_per_100, dice) if wait else []
    held = _with_waits(made, clock, stops)
    desk = Desk.of(held, notes, eligible)
    events = [dict(event) for event in held.slips] + [stop.event for stop in stops]
    for row in np.flatnonzero(chosen >= 0).tolist():
        _MAKERS[_KINDS[chosen[row]]](desk, row, events, dice)
    return _assembled(held, desk, events)


_KINDS = tuple(kind for kind in SHARES if kind != "hesitation")


# ---------------------------------------------------------------- which, and where


def _chosen(desk: Desk, rate_per_100: float, dice: Dice) -> np.ndarray:
    """Return the kind of slip at each note as an index into ``_KINDS``, -1 for none."""
    hard, fast, exposed = difficulty(desk)
    level = np.nan_to_num(np.nanmean(np.where(desk.free, desk.velocity, np.nan)) if desk.free.any() else 64.0)
    soft = np.clip(1.0 + (level - np.nan_to_num(desk.velocity, nan=level)) / 40.0, 0.3, 2.5)
    weight = {
        "wrong": hard * exposed,
        "missed": (1.0 + fast) * exposed * soft,
        "ghosted": (1.0 + fast) * exposed * soft,
        "added": hard * exposed,
        # A second stroke needs its time before the key is written again.
        "repeated": (desk.room_s > np.where(desk.kit, 0.2, 0.5)).astype(float) + 1e-9,
    }
    chance = np.zeros((len(_KINDS), len(desk.notes)))
    for side, shares in ((desk.free & ~desk.kit, SHARES), (desk.free & desk.kit, KIT_SHARES)):
        if side.any():
            for i, kind in enumerate(_KINDS):
                usual = weight[kind][side].mean()
                chance[i, side] = rate_per_100 / 100.0 * shares.get(kind, 0.0) * weight[kind][side] / usual
    upto = np.cumsum(np.minimum(chance, 0.5), axis=0)
    drawn = dice.uniform(len(desk.notes), "slips", "which")
    # The kind is drawn apart from whether: at a higher rate a slip stays the same.
    total = np.maximum(upto[-1], 1e-300)
    kind = (dice.uniform(len(desk.notes), "slips", "kind") > upto / total).sum(axis=0)
    return np.where(drawn < upto[-1], np.minimum(kind, len(_KINDS) - 1), -1)


@dataclass(frozen=True)
class _Stop:
    """A hesitation: the stretch of beats that is slowed down, and by how much."""

    from_beat: float
    to_beat: float
    excess_s: float
    event: dict[str, Any]


def _stops(desk: Desk, chosen: np.ndarray, rate_per_100: float, dice: Dice) -> list[_Stop]:
    """Choose the moments to hesitate before: hard ones, and those where a note went wrong."""
    order = np.argsort(desk.moment, kind="stable")
    first = np.flatnonzero(np.diff(desk.moment[order], prepend=-1))
    at = np.minimum.reduceat(desk.notes.onset_beat[order], first)
    played_s = np.where(np.isfinite(desk.onset_s), desk.onset_s, np.inf)[order]
    # The first of a moment's notes; a moment of which nothing sounds is none to hesitate at.
    time_s = np.minimum.reduceat(played_s, first)
    time_s = np.where(np.isfinite(time_s), time_s, np.nan)
    hard = np.maximum.reduceat(difficulty(desk)[0][order], first)
    size = np.diff(np.append(first, len(order)))
    missed = np.maximum.reduceat((chosen >= 0)[order].astype(float), first)
    near = np.maximum(missed, np.concatenate([[0.0], missed[:-1]]))
    weight = hard * np.sqrt(size) * np.where(near > 0, _AFTER_A_SLIP, 1.0)
    due_s = np.diff(time_s, prepend=np.nan)
    fair = (due_s > 0.08) & (due_s < 1.5) & np.isfinite(due_s)
    fair[:4] = fair[-4:] = False
    if not fair.any():
        return []
    # The rate counts notes, hesitations come at moments.
    expected = rate_per_100 / 100.0 * SHARES["hesitation"] * size.mean()
    chance = np.where(fair, expected * weight / weight[fair].mean(), 0.0)
    drawn = dice.uniform(len(at), "slips", "wait") < np.minimum(chance, 0.5)
    length = dice.uniform(len(at), "slips", "how long")
    stops: list[_Stop] = []
    last = -10
    for i in np.flatnonzero(drawn).tolist():
        if i - last < 3:
            continue
        last = i
        # As long as the note that was due at least, and never so short that it is no stop.
        excess_s = float(np.clip(due_s[i] * (1.0 + 1.5 * length[i]), 0.5 + 0.3 * length[i], 2.5))
        stops.append(_Stop(float(at[i - 1]), float(at[i]), excess_s, {"beat": float(at[i]), "due_s": float(due_s[i])}))
    return stops


def _with_waits(made: Deviations, clock: Timeline, stops: list[_Stop]) -> Deviations:
    """Lay the waits into the tempo curve; every later event follows. Fills in the stops' events."""
    if not stops:
        return made
    old = made.basis if made.reference.get("timing_basis") == "tempo" and len(made.tempo) >= 2 else clock
    edges = np.array([[s.from_beat, s.to_beat] for s in stops])
    knots = np.unique(np.concatenate([old.beat, edges.ravel()]))
    into = np.clip((knots[:, None] - edges[None, :, 0]) / (edges[:, 1] - edges[:, 0])[None, :], 0.0, 1.0)
    waits_s = np.array([s.excess_s for s in stops])
    time_s = np.round(old.seconds_at(knots) + into @ waits_s, 9)
    bpm = 60.0 * np.diff(knots) / np.diff(time_s)
    new = Timeline(knots, time_s)
    rows = made.notes
    beat = np.where(np.isfinite(rows.reference_beat), rows.reference_beat, old.beats_at(np.nan_to_num(rows.onset_s)))
    later_s = new.seconds_at(beat) - old.seconds_at(beat)
    ends = beat + np.nan_to_num(rows.reference_duration_beat)
    longer = (new.seconds_at(ends) - new.seconds_at(beat)) / np.maximum(
        old.seconds_at(ends) - old.seconds_at(beat), 1e-9
    )
    # What has no written length keeps its own.
    longer = np.where(np.nan_to_num(rows.reference_duration_beat) > 0, longer, 1.0)
    for stop in stops:
        due_s = float(new.seconds_at(stop.to_beat)) - stop.excess_s
        stop.event.pop("due_s")
        stop.event.update(
            {
                "kind": "hesitation",
                "time_s": due_s,
                "beat": stop.to_beat,
                "duration_s": stop.excess_s,
                "confidence": 1.0,
            }
        )
    return made.replace(
        notes=rows.replace(
            onset_s=np.round(rows.onset_s + later_s, 12), duration_s=np.round(rows.duration_s * longer, 9)
        ),
        tempo=TempoCurve(beat=knots, time_s=time_s, tempo_bpm=np.append(bpm, bpm[-1])),
        reference={**made.reference, "timing_basis": "tempo"},
        slips=tuple(_later(event, old, new) for event in made.slips),
    )


def _later(event: Mapping[str, Any], old: Timeline, new: Timeline) -> dict[str, Any]:
    beat = old.beats_at(float(event.get("time_s", 0.0)))
    return {**event, "time_s": float(new.seconds_at(beat))}


# ---------------------------------------------------------------- one slip


def _dice_of(dice: Dice, row: int, what: str, n: int = 1) -> np.ndarray:
    return dice.uniform(n, "slips", what, str(row))


def _miss(desk: Desk, row: int, events: list[dict[str, Any]], dice: Dice) -> None:
    number = desk.number_next()
    desk.gone[row] = True
    desk.slip_id[row] = number
    events.append(_event(desk, "missed", row, number, pitch_played=None))


def _ghost(desk: Desk, row: int, events: list[dict[str, Any]], dice: Dice) -> None:
    number = desk.number_next()
    share = 0.10 + 0.15 * float(_dice_of(dice, row, "ghost")[0])
    desk.velocity[row] = float(np.clip(np.round(share * desk.velocity[row]), 1, 20))
    desk.slip_id[row] = number
    events.append(_event(desk, "ghosted", row, number))


def _mistake(desk: Desk, row: int, events: list[dict[str, Any]], dice: Dice) -> None:
    """Strike a neighbour of the right key in its stead."""
    u = _dice_of(dice, row, "wrong", 3)
    start_s = float(desk.onset_s[row]) + 0.010 * (2.0 * float(u[1]) - 1.0)
    duration_s = float(desk.end_s[row] - desk.onset_s[row])
    pitch = neighbour(desk, row, start_s, duration_s, float(u[0]))
    if pitch is None:
        return
    number = desk.number_next()
    desk.gone[row] = True
    desk.slip_id[row] = number
    desk.add(row, start_s, duration_s, pitch, desk.velocity[row] * (0.80 + 0.25 * float(u[2])), number)
    event = _event(desk, "wrong", row, number, pitch_played=float(pitch), time_s=start_s)
    event["interval"] = interval_name(pitch - float(desk.pitch[row]))
    events.append(event)


def _strike_along(desk: Desk, row: int, events: list[dict[str, Any]], dice: Dice) -> None:
    """Brush a neighbour along with the right key: softer, and let go at once."""
    u = _dice_of(dice, row, "along", 4)
    start_s = float(desk.onset_s[row]) + 0.030 * float(u[1])
    duration_s = min(0.06 + 0.20 * float(u[2]), max(0.06, float(desk.end_s[row]) - start_s))
    pitch = neighbour(desk, row, start_s, duration_s, float(u[0]))
    if pitch is None:
        return
    number = desk.number_next()
    desk.add(row, start_s, duration_s, pitch, desk.velocity[row] * (0.4 + 0.5 * float(u[3])), number)
    events.append(_event(desk, "added", row, number, pitch_written=None, pitch_played=float(pitch), time_s=start_s))


def _strike_twice(desk: Desk, row: int, events: list[dict[str, Any]], dice: Dice) -> None:
    """Strike the key again soon after; a stick or a beater bounces sooner than a finger."""
    u = _dice_of(dice, row, "twice", 2)
    kit = bool(desk.kit[row])
    again_s = float(desk.onset_s[row]) + (0.055 + 0.055 * float(u[0]) if kit else 0.13 + 0.20 * float(u[0]))
    room_s = desk.next_strike(row) - again_s
    if room_s < (0.08 if kit else 0.14) or (not kit and hand_is_there(desk, row, again_s)):
        return
    number = desk.number_next()
    held_s = float(desk.end_s[row])
    if held_s > again_s - LET_GO_S:
        _shorten(desk, row, again_s - LET_GO_S)
    length_s = float(np.clip(held_s - again_s, 0.05, max(room_s - LET_GO_S, 0.05)))
    share = (0.35 if kit else 0.70) + 0.35 * float(u[1])
    desk.add(row, again_s, length_s, int(desk.pitch[row]), desk.velocity[row] * share, number)
    events.append(_event(desk, "repeated", row, number, pitch_played=float(desk.pitch[row]), time_s=again_s))


_MAKERS = {
    "missed": _miss,
    "ghosted": _ghost,
    "wrong": _mistake,
    "added": _strike_along,
    "repeated": _strike_twice,
}


def _event(desk: Desk, kind: str, row: int, number: int, **more: Any) -> dict[str, Any]:
    pitch = float(desk.pitch[row])
    event = {
        "kind": kind,
        "time_s": float(desk.onset_s[row]),
        "beat": float(desk.notes.onset_beat[row]),
        "pitch_written": pitch,
        "pitch_played": pitch,
        "confidence": 1.0,
        "slip_id": number,
    }
    return {**event, **more}


def _shorten(desk: Desk, row: int, end_s: float) -> None:
    old_s = desk.end_s[row] - desk.onset_s[row]
    new_s = max(end_s - desk.onset_s[row], 0.02)
    if old_s > 0:
        desk.articulation[row] += np.round(np.log2(new_s / old_s), 9)
    desk.end_s[row] = desk.onset_s[row] + new_s


# ---------------------------------------------------------------- putting it together


def _assembled(made: Deviations, desk: Desk, events: list[dict[str, Any]]) -> Deviations:
    rows = made.notes
    here = desk.order >= 0
    row = desk.order[here]

    def changed(column: np.ndarray, values: np.ndarray) -> np.ndarray:
        out = column.copy()
        out[row] = values[here]
        return out

    lost = np.zeros(len(rows), dtype=bool)
    lost[row] = desk.gone[here]
    due_s = np.where(np.isfinite(rows.onset_s), rows.onset_s, rows.reference_onset_s)
    velocity = changed(rows.velocity, desk.velocity)
    columns: dict[str, np.ndarray] = {
        "velocity": velocity,
        "dynamics_velocity": rows.dynamics_velocity + (velocity - rows.velocity),
        "duration_s": changed(rows.duration_s, np.round(desk.end_s - desk.onset_s, 9)),
        "articulation_log2": changed(rows.articulation_log2, desk.articulation),
    }
    heard = ("onset_s", "onset_uncertainty_ms", "pitch", "level_db", "timing_ms", "dynamics_db", "intonation_cents")
    columns |= {name: getattr(rows, name) for name in heard}
    columns = {name: np.where(lost, np.nan, values) for name, values in columns.items()}
    rows = rows.replace(
        **columns, label=np.where(lost, "deletion", rows.label), slip_id=changed(rows.slip_id, desk.slip_id)
    )
    if desk.added:
        rows = DeviationNotes.concatenate([rows, _insertions(desk)])
        due_s = np.concatenate([due_s, [a["onset_s"] for a in desk.added]])
    order = np.lexsort((rows.reference_index, rows.pitch, due_s))
    events = sorted(events, key=lambda event: event["time_s"])
    take = {**made.take, "duration_s": float(np.nanmax(rows.onset_s))} if made.take.get("kind") == "none" else made.take
    return made.replace(notes=rows.rows(order), slips=tuple(events), take=take)


def _insertions(desk: Desk) -> DeviationNotes:
    host = np.array([a["row"] for a in desk.added])
    n = len(host)

    def column(name: str) -> np.ndarray:
        return np.array([a[name] for a in desk.added])

    return DeviationNotes.build(
        label=np.full(n, "insertion"),
        confidence=np.ones(n),
        track=desk.notes.track[host],
        channel=desk.notes.channel[host],
        onset_s=np.round(column("onset_s"), 9),
        onset_uncertainty_ms=np.zeros(n),
        duration_s=np.round(column("duration_s"), 9),
        pitch=column("pitch").astype(float),
        velocity=column("velocity"),
        instrument=desk.notes.instrument[host],
        slip_id=column("slip_id"),
    )
