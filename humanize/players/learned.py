"""The learned kit player: a network that has heard drummers plays hit by hit, after listening to a take of the profile.

Conventions
-----------
The network (``profiles/kit-network.npz``, made by ``benchmarks/train_player.py`` and ``train_judge.py``) draws the
velocity and then the timing of each hit from what is written around it, what it has played so far, and the habits of
one of the profile's takes; it hears the end of that take before it begins. Accents that are to be kept are told to it,
hit by hit. What a drummer does follows from what he did: nothing is copied. Strokes of a flam or a roll move with their
hit; where they are written as loud as it, they are drawn softer. Late and louder are positive.

References
----------
Gillick et al. 2019, ICML (a recurrent network that invents a drummer's timing and loudness, on the same data).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ...analysis.kit_context import (
    FULL_SCALE,
    GROUP,
    HABITS_A_CLASS,
    N_ASKED,
    N_CLASSES,
    N_GROUPS,
    N_HABITS,
    TIMING_UNIT_MS,
    VELOCITY_MIDDLE,
    VELOCITY_UNIT,
    Hits,
    alike,
    asked,
    class_habits,
    class_of,
    context,
    links,
    places,
)
from ...analysis.kit_model import arrays_are_sound, prompt_of
from ...core.errors import TakeprintError
from ...core.metrical import slot_means
from ...core.profile import Profile
from .choosing import Judge, Run, choices, chosen, judge_of
from .part import Dice, Invented, Part

_LAYERS = ("habits", "input", "memory_in", "memory_back", "trunk", "velocity", "skip", "timing", "mixture", "near")
NETWORK = "network_"
# From how many of the takes most like the part one is drawn.
_BEST = 8
# What agreement of the places counts, beside the strokes' and an octave of tempo.
_OF_PLACES = 2.0
# A place's usual velocity counts its class's as one hit more.
_SHRINK = 1.0
# Accents kept: how much louder or softer than written a place may be in the mean, in steps of velocity; how many times
# this of a single hit beyond it; how far beyond full scale one may have been meant.
_ALLOWED, _OF_CHANCE, _BEYOND_SD = 4.0, 3.0, 8.0
# How far any hit strays at most, and how far a soft one: so many steps and a share of what is written.
_FARTHEST, _FAR_OF_NONE, _FAR_OF_WRITTEN = 40.0, 6.0, 0.4
# How much of the way to the next place in the music a hit may go, how far in any case, and how many places on either
# side tell where it lies.
_OF_GAP, _LEAST_ROOM_MS, _AROUND = 0.45, 20.0, 4
# Groove MIDI, 6010 strokes before their hit: quantiles of their velocity over the hit's.
_GRACE_LEVELS = np.array([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
_GRACE_RATIO = np.array([0.12, 0.15, 0.40, 0.74, 0.94, 1.0, 1.0])
_TEMPO_BEATS = 2.0
# No weight is larger: ten layers of these stay finite.
_LARGEST = 1e3


def can_play(profile: Profile, part: Part) -> bool:
    """Tell whether the profile holds takes to listen to, and the part is a kit's."""
    return part.drums and profile.kind == "drums" and "kit_take" in profile.arrays


def play(part: Part, profile: Profile, dice: Dice, *, keep_accents: bool = True) -> Invented:
    """Play a kit's part.

    Parameters
    ----------
    part : Part
    profile : Profile
        With the arrays of ``analysis.kit_model``; a network of its own (arrays ``network_…``) goes before the shipped.
    dice : Dice
        Draws the take to listen to (among those most like the part) and every hit.
    keep_accents : bool
        True: the network is asked for the written velocities, and draws how people vary around such accents.

    Raises
    ------
    TakeprintError
        When the profile holds no takes, or damaged ones, or a damaged network.
    """
    if not can_play(profile, part) or not arrays_are_sound(dict(profile.arrays)):
        raise TakeprintError(
            f"profile {profile.name!r} has no sound takes to listen to",
            rule="the learned player plays a kit, from a drum profile with kit_ arrays",
            remedy="use player='parametric', or fit a profile from takes",
        )
    main = np.flatnonzero(part.leader == np.arange(len(part)))
    instrument = part.voices.text[main]
    hits = Hits.of(part.beat[main], part.onset_s[main], class_of(part.pitch[main], instrument), part.metre)
    written = np.clip(part.velocity[main[hits.row]], 1.0, 127.0)
    network = _network(profile)
    trees = judge_of(network, keep_accents)
    many = choices(len(hits)) if trees is not None else (1, 1)
    # Accents that go do not tell what to listen to: a ghost note would count as hardly written.
    sought = written if keep_accents else np.ones(len(hits))
    takes = _listened_to(hits, sought, part, profile, dice)[: many[0]]
    noise = [_noise(dice, len(hits), k) for k in range(max(many))]
    around = context(hits, _tempo_at(hits, part))
    weights = _weights(network, around.shape[1] + HABITS_A_CLASS + N_ASKED, profile)
    begun = [_begun(hits, around, profile, weights, take, written if keep_accents else None, dice) for take in takes]
    if trees is None or max(many) == 1:
        run = begun[0].play(0, len(hits), noise[0])
    else:
        judge = Judge(trees, hits, part.pitch[main[hits.row]], instrument[hits.row], part.metre)
        run = chosen(begun, judge, noise, many[1])
    drawn_ms, drawn = run.played()
    if keep_accents:
        drawn = _about_the_written(hits, written, drawn, dice)
    timing_ms, velocity = np.zeros(len(part)), np.zeros(len(part))
    timing_ms[main[hits.row]], velocity[main[hits.row]] = _in_its_place(hits, drawn_ms), drawn
    clock_ms = part.group_mean(timing_ms[part.leader])
    return Invented(
        timing_ms=timing_ms[part.leader],
        velocity=_with_ornaments(part, velocity, keep_accents, dice),
        articulation_log2=np.zeros(len(part)),
        clock_ms=clock_ms[part.leader],
        absolute=True,
    )


def _listened_to(hits: Hits, written: np.ndarray, part: Part, profile: Profile, dice: Dice) -> np.ndarray:
    """Return the takes most like the part in drawn order: in strokes, in who plays where in the bar, in tempo."""
    own, arrays = alike(hits, written), profile.arrays
    score = -np.abs(np.log2(part.tempo_bpm / np.maximum(arrays["kit_bpm"].astype(np.float64), 1.0)))
    kinds, theirs = own[:N_CLASSES], arrays["kit_alike"][:, :N_CLASSES].astype(np.float64)
    score = score + theirs @ kinds / np.sqrt(np.maximum((kinds @ kinds) * (theirs**2).sum(axis=1), 1e-12))
    # Group by group, so that the many hats do not drown where the backbeat falls.
    where = own[N_CLASSES:].reshape(N_GROUPS, -1)
    there = arrays["kit_alike"][:, N_CLASSES:].astype(np.float64).reshape(len(theirs), N_GROUPS, -1)
    used = where.any(axis=1)
    size = np.sqrt(np.maximum((where**2).sum(axis=1) * (there**2).sum(axis=2), 1e-12))
    if used.any():
        score = score + _OF_PLACES * ((there * where).sum(axis=2) / size)[:, used].mean(axis=1)
    # Rounded, so that equal takes are equal on every machine.
    best = np.argsort(-np.round(score, 6), kind="stable")[:_BEST]
    return best[np.argsort(dice.uniform(len(best), "learned", "take"), kind="stable")]


def _noise(dice: Dice, n: int, number: int) -> np.ndarray:
    return dice.uniform(4 * n, "learned", "hits", str(number)).reshape(-1, 4)


def _begun(
    hits: Hits,
    around: np.ndarray,
    profile: Profile,
    weights: tuple[np.ndarray, ...],
    take: int,
    accents: np.ndarray | None,
    dice: Dice,
) -> Run:
    """Return a playing that listens to a take and has played nothing.

    ``around``: what is written around each hit; ``accents``: the velocities to keep.
    """
    from ...core.kernels.kit_player import kit_memory, kit_plays_on

    prompt, heard_ms, heard = prompt_of(dict(profile.arrays), take)
    together = prompt.then(hits)
    heard_bpm = np.full(len(prompt), float(profile.arrays["kit_bpm"][take]))
    habits = profile.arrays["kit_habits"][take].astype(np.float32)
    wanted = asked(prompt, None), asked(hits, None)
    if accents is not None:
        # A stroke at full scale may have been meant louder.
        beyond = _BEYOND_SD * np.abs(dice.normal(len(heard), "learned", "beyond"))
        habits, heard = _as_loud_as(hits, accents, prompt, habits, np.where(heard >= 127, heard + beyond, heard))
        usual = slot_means(heard, prompt.kind, places(prompt), _SHRINK)
        wanted = asked(prompt, usual), asked(hits, accents)
    surroundings = np.concatenate([context(prompt, heard_bpm), around])
    of_class = class_habits(habits)[together.kind]
    written = np.ascontiguousarray(
        np.concatenate([surroundings, of_class, np.concatenate(wanted)], axis=1), dtype=np.float32
    )
    slot, kind, group = (a.astype(np.int64) for a in (together.slot, together.kind, GROUP))
    where = (slot, kind, group, links(together), places(together))
    given = np.stack([heard_ms / TIMING_UNIT_MS, heard], axis=1).astype(np.float32)
    scale = (np.float32(VELOCITY_MIDDLE), np.float32(VELOCITY_UNIT))

    def on(start: int, end: int, noise: np.ndarray, *state: Any) -> None:
        kit_plays_on(start, end, written, habits, where, given, noise, scale, weights, *state)

    n = len(together)
    memory = kit_memory(weights[6].shape[0], where[2], where[4])
    room = (np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.int64))
    return Run(on, memory, *room, len(prompt))


def _in_its_place(hits: Hits, drawn_ms: np.ndarray) -> np.ndarray:
    """Keep each hit nearer to its own place than to the next one, as those around it lie: else it is another rhythm."""
    if not len(hits):
        return drawn_ms
    first = np.flatnonzero(np.diff(hits.slot, prepend=-1))
    gap_ms = 1000.0 * np.abs(np.diff(hits.onset_s[first]))
    room = np.minimum(np.append(np.inf, gap_ms), np.append(gap_ms, np.inf))
    limit = np.maximum(_OF_GAP * room, _LEAST_ROOM_MS)[hits.slot]
    mean = np.bincount(hits.slot, drawn_ms) / np.bincount(hits.slot)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(mean, _AROUND, mode="edge"), 2 * _AROUND + 1)
    # A clock that wanders takes the neighbours along: what counts is how far a hit is off them.
    lying = np.median(around, axis=1)[hits.slot]
    return lying + np.clip(drawn_ms - lying, -limit, limit)


def _about_the_written(hits: Hits, written: np.ndarray, drawn: np.ndarray, dice: Dice) -> np.ndarray:
    """Return the drawn velocities, moved where a place is clearly louder or softer than written in the mean.

    Smaller differences stay: to take them out would break the few velocities a drummer comes back to.
    """
    # A stroke at full scale may have been meant louder: there is none to tell, where it is moved down.
    full = (drawn >= 127) & (written < 127)
    meant = drawn + _BEYOND_SD * np.abs(dice.normal(len(drawn), "learned", "louder")) * full
    place = places(hits)
    count = np.bincount(place)[place]
    bias = slot_means(meant - written, hits.kind, place, _SHRINK)
    clear = np.abs(bias) - _ALLOWED * (1.0 + _OF_CHANCE / np.sqrt(count))
    over = np.rint(np.sign(bias) * np.maximum(clear, 0.0))
    far = np.minimum(_FARTHEST, np.rint(_FAR_OF_NONE + _FAR_OF_WRITTEN * written))
    return np.clip(np.where(over == 0.0, drawn, np.rint(meant - over)), written - far, written + far)


def _as_loud_as(
    hits: Hits, accents: np.ndarray, prompt: Hits, habits: np.ndarray, heard: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a take's habits and velocities as if its drummer played each class as loud as it is written."""
    count = [np.bincount(h.kind, minlength=N_CLASSES) for h in (hits, prompt)]
    level = [
        np.bincount(h.kind, v, N_CLASSES) / np.maximum(c, 1)
        for h, v, c in ((hits, accents, count[0]), (prompt, heard, count[1]))
    ]
    louder = np.where((count[0] > 0) & (count[1] > 0), level[0] - level[1], 0.0)
    heard = np.clip(np.rint(heard + louder[prompt.kind]), 1.0, 127.0)
    habits = habits.copy()
    class_habits(habits)[:, 0] += louder / VELOCITY_UNIT
    habits[FULL_SCALE] = (heard >= 127.0).mean()
    return habits, heard


def _tempo_at(hits: Hits, part: Part) -> np.ndarray:
    """Return the written tempo around each hit, bpm."""
    low = np.searchsorted(hits.beat, hits.beat - _TEMPO_BEATS, side="left")
    high = np.searchsorted(hits.beat, hits.beat + _TEMPO_BEATS, side="right") - 1
    beats, seconds = hits.beat[high] - hits.beat[low], hits.onset_s[high] - hits.onset_s[low]
    known = (beats > 0.5) & (seconds > 1e-3)
    return np.where(known, 60.0 * beats / np.where(known, seconds, 1.0), part.tempo_bpm)


def _with_ornaments(part: Part, velocity: np.ndarray, keep_accents: bool, dice: Dice) -> np.ndarray:
    """Give the strokes of flams and rolls their velocity: the written difference to their hit, or a drawn one."""
    hit, written, of_hit = velocity[part.leader], part.velocity, part.velocity[part.leader]
    if keep_accents:
        # A stroke half as loud as its hit changes half as much.
        return np.clip(written + (hit - of_hit) * np.minimum(written / np.maximum(of_hit, 1.0), 1.0), 1.0, 127.0)
    out = np.clip(hit + written - of_hit, 1.0, 127.0)
    drawn = (part.leader != np.arange(len(part))) & (written == of_hit)
    ratio = np.interp(dice.uniform(len(part), "learned", "grace"), _GRACE_LEVELS, _GRACE_RATIO)
    out[drawn] = np.maximum(np.rint(hit * ratio), 1.0)[drawn]
    return out


def _network(profile: Profile) -> Mapping[str, np.ndarray]:
    """Return a profile's own network, or the shipped one."""
    own = {n.removeprefix(NETWORK): a for n, a in profile.arrays.items() if n.startswith(NETWORK)}
    return own or _shipped()


def _weights(network: Mapping[str, np.ndarray], n_written: int, profile: Profile) -> tuple[np.ndarray, ...]:
    if network is _shipped():
        return _shipped_weights(n_written)
    return _in_order(network, n_written, f"profile {profile.name!r}")


def _in_order(named: Mapping[str, np.ndarray], n_written: int, where: str) -> tuple[np.ndarray, ...]:
    """Return a network's arrays as the kernel takes them; it indexes blindly, so every shape is looked at."""
    from ...core.kernels.kit_player import N_HISTORY

    names = [f"{n}_{k}" for n in _LAYERS for k in "wb"]
    damaged = [name for name in names if not _is_sound(named.get(name))]
    if not damaged:
        style, wide, gates, _, trunk, _, skip, inner, mixture, _ = (named[f"{n}_b"].size for n in _LAYERS)
        hidden, parts, blends = gates // 3, mixture // 3, (skip - 1) // 3
        heard, straight = n_written + N_HISTORY + style, HABITS_A_CLASS + N_ASKED + N_HISTORY
        shapes = (
            (N_HABITS, style), (heard, wide), (wide, 3 * hidden), (hidden, 3 * hidden), (hidden + wide, trunk),
            (trunk, 128 + 3 * blends), (straight, 1 + 3 * blends), (trunk + 2, inner), (inner, 3 * parts),
            (straight, 2 * parts),
        )  # fmt: skip
        wanted = [shape for both in shapes for shape in (both, both[1:])]
        damaged = [name for name, shape in zip(names, wanted, strict=True) if named[name].shape != shape]
    if damaged:
        raise TakeprintError(
            f"the network's array {damaged[0]!r} is missing, damaged or of a shape that does not fit the others",
            where=where,
            rule="a network has a weight and a bias a layer, finite numbers",
            remedy="take the profile from where it came from again, or use player='parametric'",
        )
    return tuple(np.ascontiguousarray(named[name], dtype=np.float32) for name in names)


def _is_sound(array: np.ndarray | None) -> bool:
    return array is not None and array.dtype.kind == "f" and array.size > 0 and bool((abs(array) <= _LARGEST).all())


@cache
def _shipped() -> Mapping[str, np.ndarray]:
    with (files(__package__.rpartition(".")[0]) / "profiles" / "kit-network.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as packed:
            return {name: packed[name] for name in packed.files}


@cache
def _shipped_weights(n_written: int) -> tuple[np.ndarray, ...]:
    return _in_order(_shipped(), n_written, "kit-network.npz")
