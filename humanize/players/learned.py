"""The learned kit player: a network that has heard drummers plays hit by hit, after listening to a take of the profile.

Conventions
-----------
The network (``profiles/kit-network.npz``, made by ``benchmarks/train_player.py``) draws the velocity and then the
timing of each hit from what is written around it, what it has played so far, and the habits of one of the profile's
takes; it hears the end of that take before it begins. What a drummer does follows from what he did: nothing is copied.
Strokes of a flam or a roll move with their hit; where they are written as loud as it, they are drawn softer. Late and
louder are positive.

References
----------
Gillick et al. 2019, ICML (a recurrent network that invents a drummer's timing and loudness, on the same data).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

from ...analysis.kit_context import (
    GROUP,
    HABITS_A_CLASS,
    N_CLASSES,
    N_GROUPS,
    N_HABITS,
    TIMING_UNIT_MS,
    VELOCITY_MIDDLE,
    VELOCITY_UNIT,
    Hits,
    alike,
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
from .part import Dice, Invented, Part

_LAYERS = ("habits", "input", "memory_in", "memory_back", "trunk", "velocity", "skip", "timing", "mixture", "near")
NETWORK = "network_"
# From how many of the takes most like the part one is drawn.
_BEST = 3
# What agreement of the places counts, beside the strokes' and an octave of tempo.
_OF_PLACES = 2.0
# Accents kept: a place's usual velocity counts its instrument's as one hit more, and no hit strays far beyond this.
_SHRINK, _FARTHEST = 1.0, 24.0
_FULL, _FULL_SD = 127.0, 8.0
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
        True: only how the drawn velocities differ from their usual at the place is laid on the written ones.

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
    take = _listened_to(hits, part.velocity[main[hits.row]], part, profile, dice)
    drawn_ms, drawn = _drawn(hits, part, profile, take, dice)
    timing_ms, velocity = np.zeros(len(part)), np.zeros(len(part))
    timing_ms[main[hits.row]], velocity[main[hits.row]] = drawn_ms, drawn
    clock_ms = part.group_mean(timing_ms[part.leader])
    if keep_accents:
        # A full-scale velocity tells no more than that it was this loud: how much louder it was meant is drawn.
        beyond = _FULL_SD * np.abs(dice.normal(len(hits), "learned", "beyond"))
        drawn = np.where(drawn >= _FULL, drawn + beyond, drawn)
        usual = slot_means(drawn.astype(np.float64), hits.kind, hits.kind * 32768 + hits.cell, _SHRINK)
        # What strays further is an accent that this drummer would put here; the written ones stand.
        velocity[main[hits.row]] = _FARTHEST * _bent((drawn - usual) / _FARTHEST)
        velocity = velocity[part.leader]
    else:
        velocity = _with_ornaments(part, velocity, dice)
    return Invented(
        timing_ms=timing_ms[part.leader],
        velocity=velocity,
        articulation_log2=np.zeros(len(part)),
        clock_ms=clock_ms[part.leader],
        absolute=not keep_accents,
    )


def _listened_to(hits: Hits, written: np.ndarray, part: Part, profile: Profile, dice: Dice) -> int:
    """Draw a take among those most like the part: in strokes, in who plays where in the bar, in tempo."""
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
    return int(best[int(dice.uniform(1, "learned", "take")[0] * len(best))])


def _drawn(hits: Hits, part: Part, profile: Profile, take: int, dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Return (timing in ms, velocity) of the hits, in their order."""
    from ...core.kernels.kit_player import kit_player

    prompt, heard_ms, heard = prompt_of(dict(profile.arrays), take)
    together = prompt.then(hits)
    heard_bpm = np.full(len(prompt), float(profile.arrays["kit_bpm"][take]))
    written = np.concatenate([context(prompt, heard_bpm), context(hits, _tempo_at(hits, part))])
    habits = profile.arrays["kit_habits"][take].astype(np.float32)
    written = np.concatenate([written, class_habits(habits)[together.kind]], axis=1)
    given = np.stack([heard_ms / TIMING_UNIT_MS, heard], axis=1).astype(np.float32)
    noise = np.full((len(together), 4), 0.5)
    noise[len(prompt) :] = dice.uniform(4 * len(hits), "learned", "hits").reshape(-1, 4)
    timing, velocity = kit_player(
        np.ascontiguousarray(written, dtype=np.float32),
        habits,
        together.slot.astype(np.int64),
        together.kind.astype(np.int64),
        GROUP.astype(np.int64),
        links(together),
        places(together),
        given,
        noise,
        np.float32(VELOCITY_MIDDLE),
        np.float32(VELOCITY_UNIT),
        _weights(profile, written.shape[1]),
    )
    return timing[len(prompt) :] * TIMING_UNIT_MS, velocity[len(prompt) :].astype(np.float64)


def _tempo_at(hits: Hits, part: Part) -> np.ndarray:
    """Return the written tempo around each hit, bpm."""
    low = np.searchsorted(hits.beat, hits.beat - _TEMPO_BEATS, side="left")
    high = np.searchsorted(hits.beat, hits.beat + _TEMPO_BEATS, side="right") - 1
    beats, seconds = hits.beat[high] - hits.beat[low], hits.onset_s[high] - hits.onset_s[low]
    known = (beats > 0.5) & (seconds > 1e-3)
    return np.where(known, 60.0 * beats / np.where(known, seconds, 1.0), part.tempo_bpm)


def _with_ornaments(part: Part, velocity: np.ndarray, dice: Dice) -> np.ndarray:
    """Give the strokes of flams and rolls their velocity: the written difference to their hit, or a drawn one."""
    out = np.clip(velocity[part.leader] + part.velocity - part.velocity[part.leader], 1.0, 127.0)
    drawn = part.leader != np.arange(len(part))
    drawn &= part.velocity == part.velocity[part.leader]
    ratio = np.interp(dice.uniform(len(part), "learned", "grace"), _GRACE_LEVELS, _GRACE_RATIO)
    out[drawn] = np.maximum(np.rint(velocity[part.leader] * ratio), 1.0)[drawn]
    return out


def _bent(x: np.ndarray) -> np.ndarray:
    """Return x where it is small, and less and less of it towards 1."""
    return x / np.sqrt(1.0 + x * x)


def _weights(profile: Profile, n_written: int) -> tuple[np.ndarray, ...]:
    own = {n.removeprefix(NETWORK): a for n, a in profile.arrays.items() if n.startswith(NETWORK)}
    return _in_order(own, n_written, f"profile {profile.name!r}") if own else _shipped(n_written)


def _in_order(named: dict[str, np.ndarray], n_written: int, where: str) -> tuple[np.ndarray, ...]:
    """Return a network's arrays as the kernel takes them; it indexes blindly, so every shape is looked at."""
    from ...core.kernels.kit_player import N_HISTORY

    names = [f"{n}_{k}" for n in _LAYERS for k in "wb"]
    damaged = [name for name in names if not _is_sound(named.get(name))]
    if not damaged:
        style, wide, gates, _, trunk, _, skip, inner, mixture, _ = (named[f"{n}_b"].size for n in _LAYERS)
        hidden, parts, blends = gates // 3, mixture // 3, (skip - 1) // 3
        heard, straight = n_written + N_HISTORY + style, HABITS_A_CLASS + N_HISTORY
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
def _shipped(n_written: int) -> tuple[np.ndarray, ...]:
    with (files(__package__.rpartition(".")[0]) / "profiles" / "kit-network.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as packed:
            return _in_order({name: packed[name] for name in packed.files}, n_written, "kit-network.npz")
