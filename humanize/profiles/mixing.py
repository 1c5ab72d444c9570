"""Playing by several profiles at once, each with its share.

Conventions
-----------
A mixture is written ``drums-funk:0.7,drums-rock:0.3``; shares are brought to a sum of 1. What it means depends on who
plays. Figures are blended: each figure of the blend is the weighted mean of those profiles that have it, place by place
in the bar and instrument by instrument. Copied and learned playing cannot be averaged without losing what makes it
human, so there the playing itself alternates: each stretch of four bars is played wholly by one of the profiles, drawn
with the shares as odds, so that over a long piece each has its share of the bars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...core.errors import TakeprintError
from ...core.profile import Profile
from ..players.part import Dice, Invented, Part

STRETCH_BARS = 4
MOST_PROFILES = 8
_ITEM = re.compile(r"(.+):(\d*\.?\d+)")
# Figures that are choices, not amounts: those of the profile with the largest share hold.
_CHOICES = ("absolute", "quantile_levels", "window", "phrase_beats", "measured")


@dataclass(frozen=True)
class Mixture:
    """Several profiles of one kind and their shares.

    Parameters
    ----------
    members : tuple of (Profile, float)
        Shares add up to 1.
    blend : Profile
        The blended figures, under a name that tells what is in it.
    """

    members: tuple[tuple[Profile, float], ...]
    blend: Profile

    @classmethod
    def of(cls, members: Sequence[tuple[Profile, float]]) -> Mixture:
        """Mix profiles.

        Raises
        ------
        TakeprintError
            For profiles of different kinds, one twice, or more than eight.
        """
        if not all(isinstance(s, int | float) and not isinstance(s, bool) and 0.0 <= s < np.inf for _, s in members):
            raise TakeprintError("the shares of a mixture", rule="shares are positive numbers")
        kinds = sorted({profile.kind for profile, _ in members})
        names = [profile.name for profile, _ in members]
        if len(kinds) > 1:
            raise TakeprintError(
                f"a mixture of {' and '.join(kinds)} profiles",
                rule="profiles of one kind are mixed",
                remedy="give the kit's own with drums= (--drums)",
            )
        if len(set(names)) < len(names) or not 1 <= len(members) <= MOST_PROFILES:
            raise TakeprintError(
                f"a mixture of {', '.join(names) or 'nothing'}",
                rule=f"a mixture holds up to {MOST_PROFILES} profiles, each once",
            )
        total = sum(share for _, share in members)
        if total <= 0.0:
            raise TakeprintError("the shares of a mixture", rule="shares are positive numbers")
        if len(members) == 1:
            return cls(((members[0][0], 1.0),), members[0][0])
        shared = tuple((profile, share / total) for profile, share in members if share > 0.0)
        name = "+".join(f"{profile.name}:{share:.4g}" for profile, share in shared)
        model = blended([(profile.model, share) for profile, share in shared])
        return cls(
            shared, Profile(name, kinds[0], {"mixture": dict(zip(names, [s for _, s in members], strict=True))}, model)
        )

    def without_swing(self) -> Mixture:
        """Return the mixture with no swing in its figures."""
        return Mixture(tuple((_straight(p), share) for p, share in self.members), _straight(self.blend))


def _straight(profile: Profile) -> Profile:
    timing = profile.model["timing"]
    if not timing.get("swing"):
        return profile
    return replace(profile, model={**profile.model, "timing": {**timing, "swing": None}})


def mixture_said(text: str) -> list[tuple[str, float]] | None:
    """Return the profiles and shares that a text names, None for a text that is no mixture.

    Examples
    --------
    >>> mixture_said("drums-funk:0.7,drums-rock:0.3")
    [('drums-funk', 0.7), ('drums-rock', 0.3)]
    >>> mixture_said("drums-funk") is None
    True
    """
    found = [_ITEM.fullmatch(item.strip()) for item in re.split(r"[,+]", text)]
    if not all(found):
        return None
    return [(item.group(1), float(item.group(2))) for item in found if item is not None]


def blended(models: Sequence[tuple[Mapping[str, Any], float]]) -> dict[str, Any]:
    """Return the weighted mean of several models' figures, figure by figure."""
    heaviest = max(models, key=lambda entry: entry[1])[0]
    # Velocities counted from 0 and velocities counted from the level around do not mix: the largest share decides.
    absolute = bool(heaviest["dynamics"].get("absolute"))
    agree = [(m, w) for m, w in models if bool(m["dynamics"].get("absolute")) == absolute]
    out = _mean([(dict(m, template=None), w) for m, w in models])
    out["dynamics"] = _mean([(m["dynamics"], w) for m, w in agree])
    out["template"] = _template(models, [m for m, _ in agree])
    out["voices"] = sorted({voice for m, _ in models for voice in m["voices"]})
    return out


def _mean(given: Sequence[tuple[Any, float]]) -> Any:
    """Blend trees of figures; what only some have is the mean of those."""
    there = [(value, weight) for value, weight in given if value is not None]
    if not there:
        return None
    heaviest = max(there, key=lambda entry: entry[1])[0]
    if isinstance(heaviest, Mapping):
        trees = [(tree, weight) for tree, weight in there if isinstance(tree, Mapping)]
        names = list(dict.fromkeys(name for tree, _ in trees for name in tree))
        out = {}
        for name in names:
            mine = [(tree.get(name), weight) for tree, weight in trees]
            if name in _CHOICES:
                mine = [max((m for m in mine if m[0] is not None), key=lambda entry: entry[1], default=(None, 1.0))]
            out[name] = _mean(mine)
        return out
    if isinstance(heaviest, bool | str):
        return heaviest
    if isinstance(heaviest, list | tuple):
        rows = [(row, weight) for row, weight in there if len(row) == len(heaviest)]
        if not all(isinstance(v, int | float) for row, _ in rows for v in row):
            return list(heaviest)
        return [_mean([(row[i], weight) for row, weight in rows]) for i in range(len(heaviest))]
    total = sum(weight for _, weight in there)
    return sum(weight * value for value, weight in there) / total


def _template(models: Sequence[tuple[Mapping[str, Any], float]], with_velocity: Sequence[Any]) -> list[dict[str, Any]]:
    """Blend the rows of each instrument and cell."""
    places: dict[tuple[str, int], list[tuple[dict[str, Any], float]]] = {}
    for model, weight in models:
        for row in model["template"]:
            told = dict(row) if any(model is m for m in with_velocity) else dict(row, velocity=None, velocity_sd=None)
            # A place that is hardly ever played tells little: its notes count beside the share.
            places.setdefault((row["voice"], int(row["cell"])), []).append((told, weight * max(float(row["n"]), 1e-9)))
    out = []
    for (voice, cell), rows in sorted(places.items()):
        row = _mean(rows)
        if row.get("velocity") is not None and row.get("velocity_sd") is None:
            row["velocity_sd"] = 0.0
        out.append({**row, "voice": voice, "cell": cell})
    return out


def alternated(part: Part, playings: Sequence[tuple[Invented, float]], dice: Dice) -> Invented:
    """Return one playing of a part, each stretch of bars from one of several playings of the whole.

    Parameters
    ----------
    part : Part
    playings : sequence of (Invented, share)
    dice : Dice
    """
    # A hit's bar is that of its moment; what decorates it comes along, even from behind the bar line.
    bar = part.bar[part.group_first][part.group[part.leader]]
    stretch = (bar - int(bar.min())) // STRETCH_BARS
    draws = dice.uniform(int(stretch.max()) + 1, "mixture", "stretch")
    shares = np.array([share for _, share in playings])
    upto = np.cumsum(shares / shares.sum())
    who = np.minimum(np.searchsorted(upto, draws), len(playings) - 1)[stretch]
    absolute = any(made.absolute for made, _ in playings)

    def chosen(columns: Sequence[np.ndarray]) -> np.ndarray:
        return np.choose(who, columns)

    def velocity(made: Invented) -> np.ndarray:
        return part.velocity + made.added(part) if absolute and not made.absolute else made.velocity

    # A constant early or late bias is not invented: without it no stretch jumps against the next.
    middles = [made.middle_ms for made, _ in playings]
    return Invented(
        timing_ms=chosen([made.timing_ms - m for (made, _), m in zip(playings, middles, strict=True)]),
        velocity=chosen([velocity(made) for made, _ in playings]),
        articulation_log2=chosen([made.articulation_log2 for made, _ in playings]),
        clock_ms=chosen([made.clock_ms - m for (made, _), m in zip(playings, middles, strict=True)]),
        absolute=absolute,
    )
