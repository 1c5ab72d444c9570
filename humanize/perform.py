"""What a player could have done here: deviations for a score, invented from a profile or taken from a real take.

Conventions
-----------
One row per score note, ``reference_index`` its row in the score's ``Notes``. ``onset_s``, ``duration_s`` and
``velocity`` are the totals, the trace columns the parts; ``dynamics_velocity`` counts from the written velocity. Late,
louder and longer are positive; latency is 0. The same seed, score and profile give the same deviations, whichever
tracks are selected and in however many processes they are made.

Who plays what: all notes on MIDI channel 10 are one kit with one clock; other notes belong to one player per program,
so that a piano's two hands move together. Strokes and notes written at one moment share their clock; flams and rolls
move with their hit. A drum profile on other instruments lends its clock and velocity spread at half size, and a
keyboard profile does the same for a kit. A kit keeps the click: a score with one gets a tempo curve only from a drum
profile that has one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.deviations import DeviationNotes, Deviations, TempoCurve
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.profile import Profile
from ..core.scaling import amounts_of
from ..core.take import Take, load_take
from ..core.timeline import Timeline
from . import profiles
from .players import donor, parametric
from .players.figures import check_figures
from .players.part import Dice, Invented, Part

PLAYERS = ("auto", "parametric", "donor")
DRUM_CHANNEL = 9
# Notes of one key keep their order: none moves further than this share of the way to its neighbour.
_REACH = 0.45
# Longer scores (a day at 120 bpm has 172 800 beats) get tempo knots around their notes only.
_MOST_BEATS = 200_000
# libm and FFT libraries differ in the last bits; rounding to a picosecond-like step makes results the same everywhere.
_STEP_MS = 1e-6


@dataclass(frozen=True)
class _Cast:
    """The profile of the kit and of the other players, and the player that plays them."""

    drums: Profile
    others: Profile
    player: str
    warnings: tuple[str, ...]


def perform(
    score: Any,
    profile: Profile | str | Path | None = None,
    *,
    like: Any = None,
    player: str = "auto",
    seed: int = 0,
    amount: float = 1.0,
    tracks: int | Iterable[int] | None = None,
    keep_accents: bool = True,
    drums: Profile | str | Path | None = None,
    **traces: float,
) -> Deviations:
    """Invent the deviations of a performance of a score.

    Parameters
    ----------
    score : path, Take or whatever ``load_take`` reads
        MIDI or MusicXML; of audio the detected onsets are played.
    profile : Profile, shipped name, path or None
        None: a shipped profile for each kind of part.
    like : path, Take, Deviations or None
        A real take whose own measured deviations are laid onto the score, instead of a profile.
    player : {"auto", "parametric", "donor"}
        ``auto`` takes the donor where the profile has one.
    seed : int
    amount : float
        Over all traces; 0 gives the score itself, exactly.
    tracks : int, list of int or None
        MIDI tracks to play, from 0; the others stay as written. The tempo belongs to all tracks, so with a selection
        it stays as written too.
    keep_accents : bool
        True: velocities vary around the written ones. False: the profile's own accents replace them.
    drums : Profile, shipped name, path or None
        Another profile for the kit.
    **traces : float
        Amounts by trace: ``tempo``, ``timing``, ``dynamics``, ``articulation``, …

    Returns
    -------
    Deviations
        ``reference["timing_basis"]`` is ``"tempo"``; ``tempo`` has a knot on every beat.

    Raises
    ------
    TakeprintError
        For an unknown player, profile, trace or track, both a profile and ``like``, or a score without notes.

    Examples
    --------
    >>> import numpy as np
    >>> from takeprint.core.take import load_take
    >>> dtype = [("onset_quarter", "f8"), ("duration_quarter", "f8"), ("pitch", "i4"), ("velocity", "i4")]
    >>> score = load_take(np.array([(0, 1, 60, 64), (1, 1, 62, 64), (2, 1, 64, 64)], dtype=dtype))
    >>> played = perform(score, "piano-plain", seed=7)
    >>> len(played.notes), bool((perform(score, "piano-plain", seed=7).notes.onset_s == played.notes.onset_s).all())
    (3, True)
    """
    amounts = amounts_of(amount, traces)
    if player not in PLAYERS:
        raise TakeprintError(f"player={player!r}", rule=f"a player is one of {', '.join(PLAYERS)}")
    take = load_take(score)
    notes, clock, written = _written(take)
    cast = _cast(profile, like, drums, player)
    selected = _selected(notes, tracks)
    parts = _parts(take, notes, clock, written)
    invented = _play(parts, cast, seed, take.sha256, keep_accents)
    warnings = [*cast.warnings, *_doubts(notes, parts, cast, keep_accents, amounts)]
    whole = bool(selected.all())
    curve, said = _tempo(take, notes, clock, parts, cast, seed, whole)
    if amounts["tempo"] != 0.0:
        warnings.extend(said)
    made = _assemble(take, notes, clock, written, parts, invented, selected, curve)
    made = _settled(made.scaled(amount, **traces), clock, notes)
    return made.replace(
        warnings=tuple(warnings), reference={**made.reference, "player": _told(cast, parts, seed, keep_accents)}
    )


# ---------------------------------------------------------------- what is written


def _written(take: Take) -> tuple[Notes, Timeline, Any]:
    """Return the score's notes with their beats, its clock and its metre."""
    if take.kind == "audio":
        return _written_audio(take)
    notes, clock = take.notes, take.timeline
    if notes is None or not len(notes) or clock is None:
        raise TakeprintError("no notes to play", where=take.name, rule="a score holds at least one note")
    lost = ~np.isfinite(notes.onset_beat)
    if lost.any():
        notes = notes.replace(onset_beat=np.where(lost, clock.beats_at(notes.onset_s), notes.onset_beat))
    lost = ~np.isfinite(notes.duration_beat)
    if lost.any():
        ends = clock.beats_at(notes.onset_s + np.nan_to_num(notes.duration_s))
        notes = notes.replace(
            duration_beat=np.where(lost, np.maximum(ends - notes.onset_beat, 0.0), notes.duration_beat)
        )
    return notes, clock, take.metre


def _written_audio(take: Take) -> tuple[Notes, Timeline, Any]:
    """Return an audio take's measured onsets as what is written: their own times stay the reference."""
    from ..analysis.measure import measure

    found = measure(take)
    rows = found.notes.rows(np.isfinite(found.notes.onset_s))
    if not len(rows):
        raise TakeprintError("no onsets to play", where=take.name, rule="audio needs at least one attack")
    clock = found.basis
    beat = clock.beats_at(rows.onset_s)
    notes = Notes.build(
        onset_s=rows.onset_s,
        duration_s=rows.duration_s,
        onset_beat=beat,
        # NaN stays NaN: how long a sound lasts is not always known.
        duration_beat=clock.beats_at(rows.onset_s + rows.duration_s) - beat,
        pitch=rows.pitch,
        velocity=rows.velocity,
        level_db=rows.level_db,
        onset_uncertainty_ms=rows.onset_uncertainty_ms,
        instrument=rows.instrument,
    )
    return notes, clock, found.metre


def _selected(notes: Notes, tracks: int | Iterable[int] | None) -> np.ndarray:
    """Return a mask of the notes to play."""
    if tracks is None:
        return np.ones(len(notes), dtype=bool)
    asked = [tracks] if isinstance(tracks, int | np.integer) else list(tracks)
    have = sorted(set(notes.track.tolist()))
    for track in asked:
        if isinstance(track, bool) or not isinstance(track, int | np.integer) or int(track) not in have:
            raise TakeprintError(
                f"track {track!r} holds no notes", rule=f"tracks with notes are {', '.join(map(str, have))}"
            )
    return np.isin(notes.track, [int(t) for t in asked])


def _parts(take: Take, notes: Notes, clock: Timeline, metre: Any) -> list[Part]:
    """Return the parts: the kit first, then one a program (a score without programs: one a track)."""
    kit = notes.channel == DRUM_CHANNEL
    if take.kind == "audio":
        kit = notes.instrument != ""
    role = np.full(len(notes), -1, dtype=np.int64)
    programs = take.smf.programs if take.smf is not None else {}
    if take.smf is None:
        role = notes.track.copy()
    else:
        for track, channel in set(zip(notes.track.tolist(), notes.channel.tolist(), strict=True)):
            rows = (notes.track == track) & (notes.channel == channel)
            # A program may be set in another track of the same channel.
            others = [p for (_, c), p in sorted(programs.items()) if c == channel]
            role[rows] = programs.get((track, channel), others[0] if others else 0)
    kind = "program" if take.smf is not None else "track"
    parts = []
    if kit.any():
        parts.append(Part.of("kit", True, notes, np.flatnonzero(kit), clock, metre))
    for number in sorted(set(role[~kit].tolist())):
        rows = np.flatnonzero(~kit & (role == number))
        # Sounds of a recording that were given no instrument's name have no track either.
        name = f"{kind} {number}" if number >= 0 else "other sounds"
        parts.append(Part.of(name, False, notes, rows, clock, metre))
    return parts


# ---------------------------------------------------------------- who plays


def _profile(given: Profile | str | os.PathLike[str]) -> Profile:
    if isinstance(given, Profile):
        return given
    if isinstance(given, str) and given in profiles.names():
        return profiles.load(given)
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if path.suffix.lower() == ".json" or path.exists():
            return Profile.load(path)
        return profiles.load(str(given))
    raise TakeprintError(f"a {type(given).__name__} is no profile", rule="a profile is a Profile, a name or a path")


def _cast(profile: Any, like: Any, drums: Any, player: str) -> _Cast:
    if profile is not None and like is not None:
        raise TakeprintError("both a profile and a take to play like were given", remedy="give one of them")
    warnings: list[str] = []
    if like is not None:
        fitted = _like(like)
        kit = fitted.get("drums") or fitted["others"]
        others = fitted.get("others") or kit
    elif profile is not None:
        kit = others = _profile(profile)
    else:
        kit = _profile(profiles.DEFAULT_DRUMS)
        others = _profile(profiles.DEFAULT_OTHERS)
    if drums is not None:
        kit = _profile(drums)
    for one in {kit.name: kit, others.name: others}.values():
        check_figures(one)
        if player == "donor" and not len(one.arrays.get("take", ())):
            warnings.append(f"profile {one.name!r} has no donor's bars: the parametric player plays from its figures")
    return _Cast(kit, others, player, tuple(warnings))


def _like(like: Any) -> dict[str, Profile]:
    """Fit profiles to one take: one for its drums, one for its other notes."""
    from ..analysis.fit import fit
    from ..analysis.observe import is_drum, kind_of

    if isinstance(like, Profile):
        return {"drums" if like.kind == "drums" else "others": like}
    if isinstance(like, Deviations):
        found = like
    else:
        from ..analysis.measure import measure

        found = measure(like)
    name = f"like {found.take.get('name', 'take')}"
    out = {}
    kit = is_drum(found)
    if kit.sum() >= 8 or (kit.any() and kit.all()):
        out["drums"] = fit(found, name=name, kind="drums")
    if (~kit).sum() >= 8 or not out:
        kind = kind_of([found.replace(notes=found.notes.rows(~kit))])
        out["others"] = fit(found, name=name, kind=kind)
    return out


def _play(parts: Sequence[Part], cast: _Cast, seed: int, score: str, keep_accents: bool) -> list[Invented]:
    out: list[Invented] = []
    follow = None
    for part in parts:
        profile = cast.drums if part.drums else cast.others
        dice = Dice(seed, score, part.name)
        if cast.player != "parametric" and donor.can_play(profile, part):
            made = donor.play(part, profile, dice, keep_accents=keep_accents)
        else:
            borrowed = follow if profile.kind == "drums" and not part.drums else None
            made = parametric.play(part, profile, dice, keep_accents=keep_accents, follow=borrowed)
        if part.drums:
            follow = (part.group_beat, made.clock_ms[part.group_first])
        out.append(made)
    return out


def _doubts(
    notes: Notes, parts: Sequence[Part], cast: _Cast, keep_accents: bool, amounts: dict[str, float]
) -> list[str]:
    said = []
    for part in parts:
        profile = cast.drums if part.drums else cast.others
        if part.drums and profile.kind != "drums":
            said.append(
                f"{part.name}: profile {profile.name!r} is no drum profile; half of its clock and spread is used"
            )
        if not part.drums and profile.kind == "drums":
            said.append(f"{part.name}: drum profile {profile.name!r}; half of its clock and velocity spread is used")
        flat = np.isfinite(notes.velocity[part.rows]).all() and len(part) > 1 and np.ptp(part.velocity) == 0
        if keep_accents and flat and amounts["dynamics"] != 0.0:
            said.append(
                f"{part.name}: all velocities are {part.velocity[0]:g}, so there are no accents to keep; "
                "keep_accents=False gives the profile's own"
            )
    return said


def _told(cast: _Cast, parts: Sequence[Part], seed: int, keep_accents: bool) -> dict[str, Any]:
    """Return who played, for the disclosure."""
    used = {}
    for part in parts:
        profile = cast.drums if part.drums else cast.others
        lent = cast.player != "parametric" and donor.can_play(profile, part)
        used[part.name] = {"profile": profile.name, "player": "donor" if lent else "parametric"}
    return {"seed": int(seed), "keep_accents": bool(keep_accents), "parts": used}


# ---------------------------------------------------------------- putting it together


def _tempo(
    take: Take, notes: Notes, clock: Timeline, parts: Sequence[Part], cast: _Cast, seed: int, whole: bool
) -> tuple[TempoCurve, list[str]]:
    """Return the played tempo with a knot on every beat and on every written tempo change."""
    end = float(np.max(notes.onset_beat + np.nan_to_num(notes.duration_beat)))
    first = min(0.0, float(np.floor(notes.onset_beat.min())))
    if end - first <= _MOST_BEATS:
        beat = np.arange(first, np.ceil(end) + 2.0)
    else:  # a note a year later: knots around the notes only
        near = np.floor(np.concatenate([notes.onset_beat, notes.onset_beat + np.nan_to_num(notes.duration_beat)]))
        beat = np.unique(np.concatenate([[first], near, near + 1.0, near + 2.0]))
    profile = cast.drums if any(part.drums for part in parts) else cast.others
    said = []
    ratio = np.zeros(len(beat))
    if profile is not cast.others and parametric.has_tempo(cast.others) and not parametric.has_tempo(profile):
        said.append("the kit keeps the click: no tempo curve was invented")
    if parametric.has_tempo(profile):
        if not whole:
            said.append("only some tracks are played: the tempo, which belongs to all, stays as written")
        elif take.smf is not None and take.smf.format == 2:
            said.append("each sequence of a format 2 file has its own tempo: it stays as written")
        else:
            ratio = parametric.tempo_curve(beat, profile, Dice(seed, take.sha256, "tempo"))
    knots = np.unique(np.concatenate([beat, clock.beat[(clock.beat > beat[0]) & (clock.beat < beat[-1])]]))
    time_s = clock.seconds_at(knots)
    if ratio.any():
        slower = 2.0 ** -ratio[np.clip(np.searchsorted(beat, knots[:-1], side="right") - 1, 0, len(beat) - 1)]
        step = np.round(np.diff(time_s) * slower, 9)
        # A knot a millionth of a beat before another must not fall onto it by rounding.
        time_s = time_s[0] + np.concatenate([[0.0], np.cumsum(np.maximum(step, 1e-9))])
    bpm = 60.0 * np.diff(knots) / np.diff(time_s)
    return TempoCurve(beat=knots, time_s=time_s, tempo_bpm=np.append(bpm, bpm[-1])), said


def _assemble(
    take: Take,
    notes: Notes,
    clock: Timeline,
    metre: Any,
    parts: Sequence[Part],
    invented: Sequence[Invented],
    selected: np.ndarray,
    tempo: TempoCurve,
) -> Deviations:
    n = len(notes)
    timing_ms, added, held = np.zeros(n), np.zeros(n), np.zeros(n)
    for part, made in zip(parts, invented, strict=True):
        # A constant early or late bias is not invented: timing has zero median, as where it is measured.
        timing_ms[part.rows] = _within_reach(part, made.timing_ms - np.median(made.timing_ms))
        added[part.rows] = _velocity_change(part, made)
        held[part.rows] = made.articulation_log2
    timing_ms = np.where(selected, np.round(timing_ms / _STEP_MS) * _STEP_MS, 0.0)
    added = np.where(selected, np.round(added, 6), 0.0)
    held = np.where(selected, np.round(held, 9), 0.0)
    basis = Timeline(tempo.beat, tempo.time_s)
    onset_s = basis.seconds_at(notes.onset_beat) + timing_ms / 1000.0
    local_s = basis.seconds_at(notes.onset_beat + notes.duration_beat) - basis.seconds_at(notes.onset_beat)
    known = np.isfinite(notes.velocity)
    # General MIDI's loudness law, 40 log10 of the velocity, around mezzo forte for sounds without a velocity.
    added_db = 40.0 * np.log10(np.clip(64.0 + added, 1.0, 127.0) / 64.0)
    rows = DeviationNotes.build(
        label=np.full(n, "match"),
        confidence=np.ones(n),
        reference_index=np.arange(n),
        track=notes.track,
        channel=notes.channel,
        reference_beat=notes.onset_beat,
        reference_duration_beat=notes.duration_beat,
        reference_velocity=notes.velocity,
        reference_onset_s=notes.onset_s,
        reference_pitch=notes.pitch,
        onset_s=onset_s,
        onset_uncertainty_ms=np.zeros(n),
        duration_s=local_s * 2.0**held,
        pitch=notes.pitch,
        velocity=notes.velocity + added,
        level_db=notes.level_db,
        instrument=notes.instrument,
        timing_ms=timing_ms,
        dynamics_velocity=np.where(known, added, np.nan),
        dynamics_db=np.where(known, np.nan, np.round(added_db, 6)),
        articulation_log2=held,
    )
    reference = {
        "kind": "score",
        "name": take.name,
        "sha256": take.sha256,
        "metre": metre.to_list(),
        "tempo_map": clock.to_dict(),
        "timing_basis": "tempo",
        "dynamics_basis": "written",
    }
    order = np.lexsort((rows.reference_index, rows.pitch, rows.onset_s))
    nobody = {"name": take.name, "sha256": None, "kind": "none", "duration_s": float(np.nanmax(onset_s))}
    return Deviations(notes=rows.rows(order), tempo=tempo, take=nobody, reference=reference, latency_ms=0.0)


def _velocity_change(part: Part, made: Invented) -> np.ndarray:
    """Return what is added to the written velocity so that it stays between 1 and 127."""
    if made.absolute:
        target = made.velocity
    else:
        # Soft notes vary less: below half the scale the spread shrinks in proportion, so that ghost notes stay ghosts.
        target = part.velocity + made.velocity * np.clip(part.velocity / 64.0, 0.25, 1.0)
    return np.nan_to_num(np.clip(target, 1.0, 127.0) - part.velocity)


def _within_reach(part: Part, timing_ms: np.ndarray) -> np.ndarray:
    """Keep each cluster of notes of one key within reach, so that the order of a key's notes is kept."""
    key = np.nan_to_num(part.pitch, nan=-1.0)
    order = np.lexsort((part.onset_s, key))
    gap_ms = np.diff(part.onset_s[order]) * 1000.0
    apart = (np.diff(key[order]) == 0) & (np.diff(part.leader[order]) != 0) & (gap_ms > 0.0)
    room = np.full((2, len(part)), np.inf)
    room[0, order[1:][apart]] = gap_ms[apart]
    room[1, order[:-1][apart]] = gap_ms[apart]
    own = _REACH * room.min(axis=0)
    # All strokes of a flam have the room of the tightest, else it would not stay rigid.
    shared = np.full(len(part), np.inf)
    np.minimum.at(shared, part.leader, own)
    limit = shared[part.leader]
    return np.clip(timing_ms, -limit, limit)


def _settled(made: Deviations, clock: Timeline, notes: Notes) -> Deviations:
    """Give notes that nothing moves exactly the times they are written at; round what depends on the machine."""
    rows = made.notes
    index = rows.reference_index
    # Powers of two differ in the last bit from one numpy to another; a nanosecond is nothing.
    rows = rows.replace(duration_s=np.round(rows.duration_s, 9))
    written_s = clock.seconds_at(made.tempo.beat)
    if not np.array_equal(made.tempo.time_s, written_s):
        return made.replace(notes=rows)
    # The notes' own seconds: in a format 2 file each track has its own clock.
    onset_s = notes.onset_s[index] + rows.timing_ms / 1000.0
    held = rows.articulation_log2
    written = notes.duration_s[index]
    duration_s = np.where(held == 0.0, written, np.round(written * 2.0**held, 9))
    duration_s = np.where(np.isfinite(written), duration_s, rows.duration_s)
    return made.replace(notes=rows.replace(onset_s=onset_s, duration_s=duration_s))
