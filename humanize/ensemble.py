"""Ensemble: the players of one song listen to each other.

Conventions
-----------
What each player would play alone is invented first; ``couple`` then acts on the clock part of it only. All notes that a
player has at one moment move together, ornaments with their hit, so that a hand's texture stays its own. Late is
positive, milliseconds. A player's spread stays what it was: being pulled together would otherwise make every player
tighter than the profile says. One player alone, and amount 0, come out untouched, the very same objects.

What the figures stand on: three whole songs of the IEMP corpus of Cuban son and salsa (seven to nine parts each), the
only ensemble recordings with onsets of every part that were at hand; ``python benchmarks/realism ensemble`` fits them
again. There the percussion leads and the bass follows it, so here a kit is heeded three times as much as another part
and a bass is not heeded more. Constant placement (a soloist behind, the hi-hat ahead) is an explicit control and not
invented: ``Controls(bias_ms=...)``.

References
----------
Hennig 2014, Synchronization in human musical rhythms and mutually interacting complex systems, PNAS 111, 12974-12979
(two scale-free clocks, mutually coupled). Vorberg and Schulze 2002, Journal of Mathematical Psychology 46, 56-87
(correction of a share of the last asynchrony). van der Steen and Keller 2013, Frontiers in Human Neuroscience 7:253
(anticipation beside correction). Data: Eerola and Clayton, onsetsync (MIT); Poole, Tarsitani and Clayton, IEMP Cuban
Son and Salsa; only the figures below were taken from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..core.errors import TakeprintError
from ..core.metrical import groups
from .players.part import Dice, Invented, Part

ROLES = ("kit", "bass", "other")
_BASS_PROGRAMS = range(32, 40)
# A part without a program whose notes lie mostly below C3 is the bass.
_BASS_PITCH = 48.0
# A leader is heeded this much, by itself too.
_LEADER_HEED = 10.0
# A player's size is put right within these bounds.
_RESIZE = (0.25, 4.0)
AMOUNT_LIMIT = 4.0


@dataclass(frozen=True)
class Coupling:
    """How closely the players of a song listen to each other.

    Parameters
    ----------
    amount : float, 0 to 4
        Multiplies the shares and the push below; 0 leaves everybody alone. Shares stop at 1: there all agree.
    steady : float, 0 to 1
        How much of a new deviation of its own a player feels at once; what it does not feel is the hand's, and stays.
    anticipation : float, 0 to 1
        How far a player comes at a shared moment towards the mean of what all there mean to play, itself included.
    correction : float, 0 to 1
        Share of the way that is left to that mean, taken back afterwards.
    keep : float, 0 to 1
        How much of a correction is left a beat later.
    push : float
        Standard deviation of each part's own push or drag from section to section, as a share of its clock's.
    shared_push : float
        The same of all parts together, beyond what wanders with the clocks by itself.
    section_bars : int
        Length of a section.
    heed : mapping of str to float
        How much a part is heeded, by others and by itself, by its name or its role (``kit``, ``bass``, ``other``); 1
        where nothing is said.
    kick_tie : float
        By what factor more than 1 the bass heeds moments with a kick.
    leader : str or None
        Name of a part that the others follow instead: it is heeded ten times.

    Raises
    ------
    TakeprintError
        For a figure out of its limits.

    Examples
    --------
    >>> Coupling(leader="program 33", amount=0.5).heed
    {'kit': 3.0}
    """

    amount: float = 1.0
    steady: float = 0.5
    anticipation: float = 0.6
    correction: float = 0.2
    keep: float = 0.9
    push: float = 0.2
    shared_push: float = 0.0
    section_bars: int = 8
    heed: Mapping[str, float] = field(default_factory=lambda: {"kit": 3.0})
    kick_tie: float = 2.0
    leader: str | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("amount", 0.0, AMOUNT_LIMIT),
            ("steady", 0.0, 1.0),
            ("anticipation", 0.0, 1.0),
            ("correction", 0.0, 1.0),
            ("keep", 0.0, 1.0),
            ("push", 0.0, 10.0),
            ("shared_push", 0.0, 10.0),
            ("section_bars", 1.0, 1e6),
            ("kick_tie", 0.0, 100.0),
            *((f"heed[{name!r}]", 0.0, 1000.0) for name in self.heed),
        ):
            value = self.heed[name[6:-2]] if name.startswith("heed[") else getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise TakeprintError(f"{name}={value!r}", rule=f"{name.split('[')[0]} is {low:g} to {high:g}")


def couple(
    parts: Sequence[Part], invented: Sequence[Invented], dice: Dice, coupling: Coupling | None = None
) -> list[Invented]:
    """Let the players of one song listen to each other.

    Parameters
    ----------
    parts : list of Part
    invented : list of Invented, beside ``parts``
        What each would play alone.
    dice : Dice
        Draws the sections' push and drag; the coupling itself draws nothing.
    coupling : Coupling or None
        None: the figures of the corpus.

    Returns
    -------
    list of Invented
        With other ``clock_ms`` and ``timing_ms``; the same objects where there is nobody to listen to.

    Raises
    ------
    TakeprintError
        For a leader that is no part.

    Examples
    --------
    >>> import numpy as np
    >>> from takeprint.core.notes import Notes
    >>> from takeprint.core.timeline import Metre, Timeline
    >>> clock, beat = Timeline.constant(120.0), np.arange(8.0)
    >>> notes = Notes.build(8, onset_beat=beat, onset_s=beat / 2, pitch=np.full(8, 60.0))
    >>> parts = [Part.of(f"program {i}", False, notes, np.arange(8), clock, Metre()) for i in range(2)]
    >>> late = np.array([0.0, 8.0, 0.0, -8.0, 0.0, 8.0, 0.0, -8.0])
    >>> alone = [Invented(x, 0 * x, 0 * x, x, False) for x in (late, late[::-1])]
    >>> together = couple(parts, alone, Dice(7, "song", "ensemble"), Coupling(push=0.0))
    >>> [bool(np.std(a.timing_ms - b.timing_ms) > np.std(c.timing_ms - d.timing_ms))
    ...  for (a, b), (c, d) in [(alone, together)]]
    [True]
    """
    coupling = Coupling() if coupling is None else coupling
    if coupling.leader is not None and coupling.leader not in [part.name for part in parts]:
        raise TakeprintError(
            f"leader={coupling.leader!r}", rule=f"a leader is one of the parts: {', '.join(p.name for p in parts)}"
        )
    if coupling.amount == 0.0 or sum(len(part) > 0 for part in parts) < 2:
        return list(invented)
    clocks = [_clock(part, made) for part, made in zip(parts, invented, strict=True)]
    played = _played(parts, clocks, coupling)
    pushes = _pushes(parts, clocks, dice, coupling)
    out = []
    for part, made, alone, together, push in zip(parts, invented, clocks, played, pushes, strict=True):
        if not len(part):
            out.append(made)
            continue
        clock = _resized(together + push, alone)
        shift = (clock - alone)[part.group]
        # What decorates a hit moves with it, also where it is written at a moment of its own.
        shift = shift[part.leader]
        out.append(replace(made, timing_ms=made.timing_ms + shift, clock_ms=made.clock_ms + shift))
    return out


def role_of(part: Part) -> str:
    """Return a part's role: ``"kit"``, ``"bass"`` or ``"other"``."""
    if part.drums:
        return "kit"
    kind, _, number = part.name.partition(" ")
    if kind == "program" and number.isdigit():
        return "bass" if int(number) in _BASS_PROGRAMS else "other"
    known = part.pitch[np.isfinite(part.pitch)]
    return "bass" if len(known) and float(np.median(known)) < _BASS_PITCH else "other"


def _clock(part: Part, made: Invented) -> np.ndarray:
    """Return the clock's deviation at each of a part's moments, ms."""
    if not len(part):
        return np.zeros(0)
    return np.bincount(part.group, made.clock_ms) / np.bincount(part.group)


def _played(parts: Sequence[Part], clocks: Sequence[np.ndarray], coupling: Coupling) -> list[np.ndarray]:
    """Return each part's clock at its moments as the coupling leaves it, ms."""
    from ..core.kernels.coupled_clocks import coupled_clocks

    beats = [part.group_beat if len(part) else np.zeros(0) for part in parts]
    beat, clock = np.concatenate(beats), np.concatenate(clocks)
    player = np.repeat(np.arange(len(parts)), [len(b) for b in beats])
    marked = np.concatenate([_kicks(part) for part in parts])
    order = np.lexsort((player, beat))
    moment = groups(beat[order], np.zeros(len(beat), dtype=np.int64))
    listen, tie = _listening(parts, coupling)
    anticipation, correction = (
        np.full(len(parts), min(coupling.amount * share, 1.0)) for share in (coupling.anticipation, coupling.correction)
    )
    # A moment has one place: notes a hair apart do not let time pass.
    at = beat[order][np.searchsorted(moment, moment)]
    out = np.empty(len(beat))
    out[order] = coupled_clocks(
        moment,
        player[order],
        clock[order],
        marked[order],
        at,
        np.full(len(parts), coupling.steady),
        listen,
        tie,
        anticipation,
        correction,
        np.full(len(parts), coupling.keep),
    )
    return np.split(out, np.cumsum([len(b) for b in beats])[:-1])


def _kicks(part: Part) -> np.ndarray:
    """Return 1 for each of a part's moments that has a kick, else 0."""
    if not len(part):
        return np.zeros(0)
    is_kick = part.voices.per_note({name: float(part.drums and name == "kick") for name in part.voices.names})
    return (np.bincount(part.group, is_kick) > 0.0).astype(np.float64)


def _listening(parts: Sequence[Part], coupling: Coupling) -> tuple[np.ndarray, np.ndarray]:
    """Return (how much each heeds each, how much more at a kick)."""
    roles = [role_of(part) for part in parts]
    heed = np.array(
        [coupling.heed.get(p.name, coupling.heed.get(r, 1.0)) for p, r in zip(parts, roles, strict=True)], dtype=float
    )
    if coupling.leader is not None:
        heed[[part.name for part in parts].index(coupling.leader)] = _LEADER_HEED
    tie = np.array([coupling.kick_tie if role == "bass" else 0.0 for role in roles])
    return np.tile(heed, (len(parts), 1)), tie


def _pushes(parts: Sequence[Part], clocks: Sequence[np.ndarray], dice: Dice, coupling: Coupling) -> list[np.ndarray]:
    """Return each part's push or drag at its moments, ms: one size a section, changing over the last bar of each."""
    last = max(int(part.bar.max()) for part in parts if len(part))
    first = min(int(part.bar.min()) for part in parts if len(part))
    first -= first % coupling.section_bars
    count = (last - first) // coupling.section_bars + 1
    together = coupling.shared_push * dice.normal(count, "push")
    out = []
    for part, clock in zip(parts, clocks, strict=True):
        own = coupling.push * dice.normal(count, "push", part.name)
        if not len(part):
            out.append(np.zeros(0))
            continue
        section, inside = np.divmod(part.bar[part.group_first] - first, coupling.section_bars)
        sizes = coupling.amount * float(clock.std()) * (own + together)
        # The bar before a change is half way there.
        turning = (inside == coupling.section_bars - 1) & (coupling.section_bars > 1)
        half_way = 0.5 * (sizes[section] + sizes[np.minimum(section + 1, count - 1)])
        out.append(np.where(turning, half_way, sizes[section]))
    return out


def _resized(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return the values with the spread that ``like`` has, so that no player becomes tighter or looser.

    Who plays like a machine goes on so: the others hear it, and it hears nobody.
    """
    spread, wanted = float(values.std()), float(like.std())
    if spread <= 0.0 or wanted <= 0.0:
        return like
    middle = float(values.mean())
    return middle + (values - middle) * float(np.clip(wanted / spread, *_RESIZE))
