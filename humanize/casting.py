"""Who plays: the profile and the player of each part, and their playing.

Conventions
-----------
A drum profile on other instruments lends its clock and velocity spread at half size, and a keyboard profile does the
same for a kit. ``auto`` takes the learned player where the profile carries its weights, else the donor where it carries
a take's rows, else the parametric player.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.profile import Profile
from ..core.sniff import sniff
from ..core.timeline import Timeline
from . import profiles
from .players import donor, keyboard, parametric, shaping
from .players.breaths import breathed
from .players.figures import check_figures
from .players.part import Dice, Invented, Part
from .players.shaping import Shape
from .profiles.mixing import Mixture, alternated, mixture_said

PLAYERS = ("auto", "learned", "donor", "parametric")
# The modules that play what they have learned, best first; each plays its own kind of profile.
LEARNED = ("learned", "keyboard")
_MEZZO_FORTE = 64.0


@dataclass(frozen=True)
class Cast:
    """The profiles of the kit and of the other players, and the player that plays them."""

    kit: Mixture
    rest: Mixture
    player: str
    warnings: tuple[str, ...] = ()

    @property
    def drums(self) -> Profile:
        """The kit's figures, blended where several profiles are mixed."""
        return self.kit.blend

    @property
    def others(self) -> Profile:
        """The other players' figures."""
        return self.rest.blend

    def mixture_for(self, part: Part) -> Mixture:
        """Return the profiles that play a part."""
        return self.kit if part.drums else self.rest

    def profile_for(self, part: Part) -> Profile:
        """Return the figures that a part is played from."""
        return self.mixture_for(part).blend

    def players_for(self, part: Part) -> list[str]:
        """Return who plays a part from each of its profiles: a name of ``LEARNED``, ``"donor"`` or ``"parametric"``."""
        return [_player_for(part, profile, self.player) for profile, _ in self.mixture_for(part).members]

    def without_swing(self) -> Cast:
        """Return the cast with no swing of its own, for a score whose swing is replaced."""
        return replace(self, kit=self.kit.without_swing(), rest=self.rest.without_swing())


def _player_for(part: Part, profile: Profile, asked: str) -> str:
    for name in LEARNED if asked in ("auto", "learned") else ():
        module = _learned(name)
        if module is not None and module.can_play(profile, part):
            return name
    return "donor" if asked != "parametric" and donor.can_play(profile, part) else "parametric"


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
    raise TakeprintError(
        f"a {type(given).__name__} is no profile", rule="a profile is a Profile, a name, a path, or a mixture of these"
    )


def mixture_of(given: Any) -> Mixture:
    """Return one profile, or several with their shares: ``{"drums-funk": 0.7, "drums-rock": 0.3}`` or as one text.

    Raises
    ------
    TakeprintError
        For anything else, and for a damaged profile.
    """
    shares = given if isinstance(given, Mapping) else None
    if isinstance(given, str) and given not in profiles.names() and not os.path.lexists(given):
        shares = dict(said) if (said := mixture_said(given)) is not None and len(said) > 1 else None
        if said is not None and shares is not None and len(shares) < len(said):
            raise TakeprintError(f"the mixture {given!r}", rule="a mixture names each profile once")
    members = [(profile_of(given), 1.0)] if shares is None else [(profile_of(p), w) for p, w in shares.items()]
    for profile, _ in members:
        check_figures(profile)
    return Mixture.of(members)


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
    if like is not None:
        fitted = _like(like)
        kit = mixture_of(fitted.get("drums") or fitted["others"])
        rest = mixture_of(fitted["others"]) if "others" in fitted else kit
    elif profile is not None:
        kit = rest = mixture_of(profile)
    else:
        kit, rest = mixture_of(profiles.DEFAULT_DRUMS), mixture_of(profiles.DEFAULT_OTHERS)
    if drums is not None:
        kit = mixture_of(drums)
    return Cast(kit, rest, player)


def _like(like: Any) -> dict[str, Profile]:
    """Fit profiles to one take: one for its drums, one for its other notes."""
    from ..analysis.fit import fit
    from ..analysis.observe import is_drum, kind_of

    if isinstance(like, Profile):
        return {"drums" if like.kind == "drums" else "others": like}
    if isinstance(like, Deviations):
        found = like
    elif isinstance(like, str | os.PathLike) and sniff(like) == "json":
        found = Deviations.load(Path(like))
    else:
        from ..analysis.measure import measure

        found = measure(like)
    found = _with_velocities(found)
    name = f"like {found.take.get('name', 'take')}"
    out = {}
    kit = is_drum(found)
    if kit.sum() >= 8 or (kit.any() and kit.all()):
        out["drums"] = fit(found, name=name, kind="drums")
    if (~kit).sum() >= 8 or not out:
        kind = kind_of([found.replace(notes=found.notes.rows(~kit))])
        out["others"] = fit(found, name=name, kind=kind)
    return out


def _with_velocities(found: Deviations) -> Deviations:
    """Return what was measured with velocities in place of decibels, where only those are known, as of a recording."""
    rows = found.notes
    if np.isfinite(rows.velocity).any() or not np.isfinite(rows.level_db).any():
        return found
    # General MIDI's loudness law, 40 log10 of the velocity; the take's middle is mezzo forte.
    louder_db = rows.level_db - np.nanmedian(rows.level_db)
    velocity = np.clip(np.round(_MEZZO_FORTE * 10.0 ** (louder_db / 40.0), 6), 1.0, 127.0)
    change = np.round(_MEZZO_FORTE * (10.0 ** (rows.dynamics_db / 40.0) - 1.0), 6)
    return found.replace(notes=rows.replace(velocity=velocity, dynamics_velocity=change))


def play_parts(
    parts: Sequence[Part], cast: Cast, seed: int, score: str, keep_accents: bool, shape: Shape | None = None
) -> list[Invented]:
    """Invent every part, the kit first, so that others can follow its clock.

    Parameters
    ----------
    parts : list of Part
    cast : Cast
    seed : int
    score : str
        sha256 of the score: other scores, other random numbers.
    keep_accents : bool
    shape : Shape or None
        Tempo and level that keyboard players play along.

    Returns
    -------
    list of Invented, beside ``parts``
    """
    out: list[Invented] = []
    follow = None
    for part in parts:
        dice = Dice(seed, score, part.name)
        # Whoever plays: wind players and singers must breathe.
        made = breathed(part, cast.profile_for(part), _play_part(part, cast, dice, keep_accents, follow, shape), dice)
        if part.drums:
            follow = (part.group_beat, made.clock_ms[part.group_first])
        out.append(made)
    return out


def shape_for(parts: Sequence[Part], cast: Cast, clock: Timeline, seed: int, score: str) -> Shape | None:
    """Return the tempo and level that a keyboard profile's takes tell; None where none of them plays by itself.

    Parameters
    ----------
    parts : sequence of Part
        A kit keeps the click: beside one there is no such shape.
    cast : Cast
    clock : Timeline
        The written tempo.
    seed : int
    score : str
    """
    played = [part for part in parts if len(part) and not part.drums and "keyboard" in cast.players_for(part)]
    members = sorted(cast.rest.members, key=lambda member: -member[1])
    profile = next((profile for profile, _ in members if shaping.can_shape(profile.arrays)), None)
    if profile is None or not played or any(part.drums for part in parts):
        return None
    written = keyboard.merged([keyboard.written_of(part) for part in played])
    takes = keyboard.fitting_takes(profile.arrays, written, Dice(seed, score, max(played, key=len).name))
    return shaping.invent_shape(profile, written, clock, takes, Dice(seed, score, "shape"))


def _play_part(part: Part, cast: Cast, dice: Dice, keep_accents: bool, follow: Any, shape: Shape | None) -> Invented:
    mixture, players = cast.mixture_for(part), cast.players_for(part)
    if set(players) == {"parametric"}:
        borrowed = follow if mixture.blend.kind == "drums" and not part.drums else None
        return parametric.play(part, mixture.blend, dice, keep_accents=keep_accents, follow=borrowed)
    played = []
    for (profile, share), name in zip(mixture.members, players, strict=True):
        player = {"donor": donor, "parametric": parametric}.get(name) or _learned(name)
        more = {"shape": shape} if name == "keyboard" and shape is not None else {}
        played.append((player.play(part, profile, dice, keep_accents=keep_accents, **more), share))
    return played[0][0] if len(played) == 1 else alternated(part, played, dice)


def _learned(name: str) -> Any:
    """Return a player that plays what it has learned, where this version has it, else None."""
    place = f"{__package__}.players.{name}"
    return import_module(place) if find_spec(place) is not None else None


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
        if cast.player in ("donor", "learned") and part.drums == (profile.kind == "drums"):
            missing = "donor's bars" if cast.player == "donor" else "learned player"
            said += [
                f"profile {one.name!r} has no {missing}: the {who} player plays"
                for (one, _), who in zip(cast.mixture_for(part).members, cast.players_for(part), strict=True)
                if who != cast.player and not (cast.player == "learned" and who in LEARNED)
            ]
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
        used[part.name] = {"profile": profile.name, "player": "+".join(dict.fromkeys(cast.players_for(part)))}
    return {"seed": int(seed), "keep_accents": bool(keep_accents), "parts": used}
