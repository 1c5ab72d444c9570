"""Where a wind player or a singer breathes, laid into MIDI as gaps: the note before a breath ends early.

Conventions
-----------
Seconds; articulation as log2 of the held length over the written one, shorter is negative. A rest that is long enough
is a breath that costs nothing. Between rests breaths are chosen so that no stretch is blown for too long and each lies
where a phrase may end: after a long note, before a leap, at a small gap, before a bar line. Never at every such place:
a player with air left goes on.

Method
------
Of all sets of breaths in a stretch without rests the one of least cost is taken (dynamic programming): a breath costs
more where the music goes on, a stretch costs the square of what it lasts beyond comfort. How long people blow and how
short their breaths are comes from the profile; else from the solos of the Weimar Jazz Database (419 solos by players of
saxophones, brass and clarinets): three in four stretches without a gap of 0.2 s last less than 3.4 s and 99 in 100 less
than 9.3 s; of the gaps between phrases the shortest quarter lasts 0.23 to 0.45 s.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.profile import Profile
from .part import Dice, Invented, Part

# General MIDI: brass, reeds and pipes; choirs and voices; the synthesizer's voice; shanai.
BLOWN = frozenset({*range(56, 80), 52, 53, 54, 85, 111})
USUAL: Mapping[str, float] = {"comfort_s": 3.4, "longest_s": 9.3, "gap_short_s": 0.23, "gap_long_s": 0.45}
# A rest as long as this is breath enough; of a note at most this share is given to a breath.
_REST_S, _MOST_OF_NOTE = 0.20, 0.45
# Notes shorter than this leave no room for one.
_ROOM_S = 0.30
_NOISE = 0.25  # how much a player's whim counts beside the music
_STEEP = 1.5  # cost of a stretch that lasts twice what is comfortable
_BEYOND = 4.0  # cost of every second beyond the longest
_NO_ROOM = 2.5
_LOOK_BACK = 2.5  # stretches longer than so many times the longest are not looked at


def program_of(part: Part) -> int:
    """Return the General MIDI program that a part plays, from 0; -1 where none is known."""
    kind, _, number = part.name.partition(" ")
    return int(number) if kind == "program" and number.isdigit() else -1


def is_blown(part: Part) -> bool:
    """Tell whether a part's player must breathe: a wind instrument or a voice."""
    return not part.drums and program_of(part) in BLOWN


def gaps(part: Part, profile: Profile, dice: Dice) -> np.ndarray:
    """Return how much earlier the notes before a breath end.

    Parameters
    ----------
    part : Part
    profile : Profile
        Its ``breath`` figures, where it has some and is for melodies.
    dice : Dice

    Returns
    -------
    ndarray [shape=(n,)]
        log2 of the held length over the written one for notes before a breath, 0 for all others.
    """
    out = np.zeros(len(part))
    if not is_blown(part) or len(part) < 2:
        return out
    figures = {**USUAL, **(profile.model.get("breath") or {} if profile.kind == "melody" else {})}
    length_s = part.duration_s
    first = part.group_first
    onset_s = np.minimum.reduceat(part.onset_s, first)
    # What was held from before sounds on: a moment ends when all before it have ended.
    end_s = np.maximum.accumulate(np.maximum.reduceat(part.onset_s + length_s, first))
    rest_s = onset_s[1:] - end_s[:-1]
    own_s = np.minimum.reduceat(length_s, first)
    cost = _costs(part, onset_s, rest_s, own_s, dice)
    breathed = _places(onset_s, end_s, rest_s, cost, figures)
    draws = dice.uniform(len(first), "breath", "gap")
    gap_s = figures["gap_short_s"] + (figures["gap_long_s"] - figures["gap_short_s"]) * draws
    for k in breathed.tolist():
        rows = np.arange(first[k], first[k + 1])
        wanted_s = min(gap_s[k], _MOST_OF_NOTE * own_s[k])
        held_s = np.minimum(length_s[rows], onset_s[k + 1] - wanted_s - part.onset_s[rows])
        good = (held_s > 0.0) & (length_s[rows] > 0.0)
        out[rows[good]] = np.log2(held_s[good] / length_s[rows][good])
    return np.minimum(np.round(out, 9), 0.0)


def breathed(part: Part, profile: Profile, made: Invented, dice: Dice) -> Invented:
    """Return a playing with the breaths laid in: a note before one ends there at the latest."""
    cut = gaps(part, profile, dice)
    if not cut.any():
        return made
    held = np.where(cut < 0.0, np.minimum(made.articulation_log2, cut), made.articulation_log2)
    return dataclasses.replace(made, articulation_log2=held)


def _costs(part: Part, onset_s: np.ndarray, rest_s: np.ndarray, own_s: np.ndarray, dice: Dice) -> np.ndarray:
    """Return what a breath costs after each moment but the last: 0 where a phrase surely ends, 1 where none does."""
    first = part.group_first
    step_s = np.diff(onset_s)
    before_s = np.concatenate([step_s[:1], step_s[:-1]])
    after_s = np.concatenate([step_s[1:], step_s[-1:]])
    usual_s = np.sqrt(np.maximum(before_s * after_s, 1e-6))
    # Gestalt rules of phrase ends: a note longer than its neighbours, a gap, a leap, a new bar.
    long = np.clip(np.log2(np.maximum(step_s, 1e-3) / np.maximum(usual_s, 1e-3)) / 1.5, 0.0, 1.0)
    gap = np.clip(rest_s / 0.10, 0.0, 1.0)
    top = np.maximum.reduceat(np.nan_to_num(part.pitch), first)
    leap = np.clip((np.abs(np.diff(top)) - 2.0) / 7.0, 0.0, 1.0)
    bar = np.diff(part.bar[first]) > 0
    four = bar & (part.bar[first][1:] % 4 == 0)
    like = 0.55 * long + 0.45 * gap + 0.20 * leap + 0.15 * bar + 0.20 * four
    cost = 1.0 - np.minimum(like, 1.0) + _NOISE * np.abs(dice.normal(len(step_s), "breath", "place"))
    return cost + np.where(own_s[:-1] < _ROOM_S, _NO_ROOM * (1.0 - own_s[:-1] / _ROOM_S) + 0.5, 0.0)


def _places(
    onset_s: np.ndarray, end_s: np.ndarray, rest_s: np.ndarray, cost: np.ndarray, figures: Mapping[str, Any]
) -> np.ndarray:
    """Return the moments after which to breathe: the cheapest set."""
    from ...core.kernels.breath_path import breath_path

    comfort_s, longest_s = float(figures["comfort_s"]), max(float(figures["longest_s"]), float(figures["comfort_s"]))
    return breath_path(
        np.ascontiguousarray(onset_s),
        np.ascontiguousarray(end_s),
        np.append(rest_s >= _REST_S, True),
        np.append(cost, 0.0),
        comfort_s,
        longest_s,
        _STEEP,
        _BEYOND,
        _LOOK_BACK * longest_s,
    )
