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

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..core.deviations import Deviations, TempoCurve
from ..core.notes import Notes
from ..core.scaling import amounts_of
from ..core.take import Take, load_take
from ..core.timeline import Timeline
from .assembling import assemble, settled
from .casting import Cast, cast_of, doubts, play_parts, shape_for, told
from .controls import Controls
from .players import parametric
from .players.part import Dice, Part
from .players.shaping import Shape
from .score_parts import selected_rows, written
from .steering import slip_rate, steered

# Longer scores (a day at 120 bpm has 172 800 beats) get tempo knots around their notes only.
_MOST_BEATS = 200_000


def perform(
    score: Any,
    profile: Any = None,
    *,
    like: Any = None,
    player: str = "auto",
    seed: int = 0,
    amount: float = 1.0,
    tracks: int | Iterable[int] | None = None,
    keep_accents: bool = True,
    drums: Any = None,
    controls: Controls | None = None,
    **traces: float,
) -> Deviations:
    """Invent the deviations of a performance of a score.

    Parameters
    ----------
    score : path, Take or whatever ``load_take`` reads
        MIDI or MusicXML; of audio the detected onsets are played.
    profile : Profile, shipped name, path, mapping of these to shares, or None
        Several with shares are a mixture, also as one text: ``"drums-funk:0.7,drums-rock:0.3"``. None: a shipped
        profile for each kind of part.
    like : path, Take, Deviations or None
        A real take whose own measured deviations are laid onto the score, instead of a profile: MIDI, audio, or
        what ``measure`` made of it.
    player : {"auto", "learned", "donor", "parametric"}
        ``auto`` takes the best that the profile has: a learned player, a donor's bars, or its figures.
    seed : int
    amount : float
        Over all traces; 0 gives the score itself, exactly.
    tracks : int, list of int or None
        MIDI tracks to play, from 0; the others stay as written. The tempo belongs to all tracks, so with a selection
        it stays as written too.
    keep_accents : bool
        True: velocities vary around the written ones. False: the profile's own accents replace them; where all
        velocities are written alike a keyboard profile's own level does too.
    drums : as ``profile``
        Another profile for the kit.
    controls : Controls or None
        Tightness, bias, swing, amounts for some notes, protected notes, slips: see ``Controls``.
    **traces : float
        Amounts by trace: ``tempo``, ``timing``, ``dynamics``, ``articulation``, … Slips are invented only where they
        are asked for: ``slips`` times the profile's own rate, or times one in 100 notes where it has none.

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
    controls = Controls() if controls is None else controls
    take = load_take(score)
    notes, clock, metre = written(take)
    cast = cast_of(profile, like, drums, player)
    if controls.swing is not None:
        cast = cast.without_swing()
    selected = selected_rows(notes, tracks)
    steering = steered(take, notes, clock, metre, controls, selected, amount)
    parts = steering.parts
    # All parts are invented, selected or not, so that those that listen to others hear the same whatever is selected.
    # Sequences of a format 2 file have tempos of their own: nobody could play along one.
    many = take.smf is not None and take.smf.format == 2
    shape = None if many else shape_for(parts, cast, clock, seed, take.sha256)
    invented = play_parts(parts, cast, seed, take.sha256, keep_accents, shape)
    # Sequences of a format 2 file are pieces of their own: their players never meet.
    if not many:
        invented = steering.together(invented, Dice(seed, take.sha256, "ensemble"))
    warnings = [*doubts(notes, parts, cast, keep_accents, amounts), *steering.doubts()]
    curve, said = _tempo(take, notes, clock, parts, cast, seed, bool(selected.all()), shape)
    if amounts["tempo"] != 0.0:
        warnings.extend(said)
    curve = steering.tempo(curve, clock)
    made = assemble(take, notes, clock, metre, parts, invented, selected, curve, steering.factor)
    made = settled(made.scaled(amount, **traces), clock, notes)
    made = steering.laid_on(made)
    rate = slip_rate(controls, cast.rest if any(not part.drums for part in parts) else cast.kit, amount, traces)
    made = steering.with_slips(made, rate, Dice(seed, take.sha256, "slips"), may_wait=bool(selected.all()))
    player_told = told(cast, parts, seed, keep_accents) | steering.told(amounts, rate)
    return made.replace(warnings=tuple(warnings), reference={**made.reference, "player": player_told})


def _tempo(
    take: Take,
    notes: Notes,
    clock: Timeline,
    parts: Sequence[Part],
    cast: Cast,
    seed: int,
    whole: bool,
    shape: Shape | None,
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
    if shape is not None or parametric.has_tempo(profile):
        if not whole:
            said.append("only some tracks are played: the tempo, which belongs to all, stays as written")
        elif take.smf is not None and take.smf.format == 2:
            said.append("each sequence of a format 2 file has its own tempo: it stays as written")
        elif shape is not None:
            ratio = -shape.longer_at(beat)
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
