"""Who plays: the profile and the player of each part, and their playing.

Conventions
-----------
A drum profile on other instruments lends its clock and velocity spread at half size, and a keyboard profile does the
same for a kit. ``auto`` takes the learned player where the profile carries its weights, else the donor where it carries
a take's rows, else the parametric player.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.profile import Profile
from . import profiles
from .players import donor, parametric
from .players.figures import check_figures
from .players.part import Dice, Invented, Part

PLAYERS = ("auto", "learned", "donor", "parametric")


@dataclass(frozen=True)
class Cast:
    """The profile of the kit and of the other players, and the player that plays them."""

    drums: Profile
    others: Profile
    player: str
    warnings: tuple[str, ...]

    def profile_for(self, part: Part) -> Profile:
        """Return the profile that plays a part."""
        return self.drums if part.drums else self.others

    def player_for(self, part: Part) -> str:
        """Return who plays a part: ``"learned"``, ``"donor"`` or ``"parametric"``."""
        profile = self.profile_for(part)
        learned = _learned() if self.player in ("auto", "learned") else None
        if learned is not None and learned.can_play(profile, part):
            return "learned"
        if self.player != "parametric" and donor.can_play(profile, part):
            return "donor"
        return "parametric"


def profile_of(given: Profile | str | os.PathLike[str]) -> Profile:
    """Return a profile that is given itself, by a shipped name, or as a path.

    Raises
    ------
    TakeprintError
        For anything else.
    """
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


def cast_of(profile: Any, like: Any, drums: Any, player: str) -> Cast:
    """Return who plays, from what was asked for.

    Raises
    ------
    TakeprintError
        For an unknown player or profile, a damaged profile, or both a profile and ``like``.
    """
    if player not in PLAYERS:
        raise TakeprintError(f"player={player!r}", rule=f"a player is one of {', '.join(PLAYERS)}")
    if profile is not None and like is not None:
        raise TakeprintError("both a profile and a take to play like were given", remedy="give one of them")
    warnings: list[str] = []
    if like is not None:
        fitted = _like(like)
        kit = fitted.get("drums") or fitted["others"]
        others = fitted.get("others") or kit
    elif profile is not None:
        kit = others = profile_of(profile)
    else:
        kit = profile_of(profiles.DEFAULT_DRUMS)
        others = profile_of(profiles.DEFAULT_OTHERS)
    if drums is not None:
        kit = profile_of(drums)
    for one in {kit.name: kit, others.name: others}.values():
        check_figures(one)
        if player == "donor" and not len(one.arrays.get("take", ())):
            warnings.append(f"profile {one.name!r} has no donor's bars: the parametric player plays from its figures")
    return Cast(kit, others, player, tuple(warnings))


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


def play_parts(parts: Sequence[Part], cast: Cast, seed: int, score: str, keep_accents: bool) -> list[Invented]:
    """Invent every part, the kit first, so that others can follow its clock.

    Parameters
    ----------
    parts : list of Part
    cast : Cast
    seed : int
    score : str
        sha256 of the score: other scores, other random numbers.
    keep_accents : bool

    Returns
    -------
    list of Invented, beside ``parts``
    """
    out: list[Invented] = []
    follow = None
    for part in parts:
        made = _play_part(part, cast, Dice(seed, score, part.name), keep_accents, follow)
        if part.drums:
            follow = (part.group_beat, made.clock_ms[part.group_first])
        out.append(made)
    return out


def _play_part(part: Part, cast: Cast, dice: Dice, keep_accents: bool, follow: Any) -> Invented:
    profile = cast.profile_for(part)
    player = cast.player_for(part)
    if player == "learned":
        return _learned().play(part, profile, dice, keep_accents=keep_accents)
    if player == "donor":
        return donor.play(part, profile, dice, keep_accents=keep_accents)
    borrowed = follow if profile.kind == "drums" and not part.drums else None
    return parametric.play(part, profile, dice, keep_accents=keep_accents, follow=borrowed)


def _learned() -> Any:
    """Return the learned player where this version has one, else None."""
    name = f"{__package__}.players.learned"
    return import_module(name) if find_spec(name) is not None else None


def doubts(notes: Notes, parts: Sequence[Part], cast: Cast, keep_accents: bool, amounts: dict[str, float]) -> list[str]:
    """Return in words what this cast cannot do for these parts."""
    said = []
    for part in parts:
        profile = cast.profile_for(part)
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


def told(cast: Cast, parts: Sequence[Part], seed: int, keep_accents: bool) -> dict[str, Any]:
    """Return who played, for the disclosure."""
    used = {}
    for part in parts:
        profile = cast.profile_for(part)
        used[part.name] = {"profile": profile.name, "player": cast.player_for(part)}
    return {"seed": int(seed), "keep_accents": bool(keep_accents), "parts": used}
