"""The keyboard player: what is written decides the mean and the spread, one real performance the rest.

Conventions
-----------
Each note's deviation is ``mean(what is written) + size(what is written) * left``. Mean and size are boosted tables
fitted to the profile's takes; ``left`` is copied from one performance in stretches of whole moments, all channels
together, so that what a hand does to timing, touch and length at once stays at once. A stretch is chosen where the
performance has like music ahead and where its own past agrees with what was played last, so that no seam shows.

References
----------
Hunt and Black 1996, ICASSP (units of a recording chosen by target cost and join cost). Goebl 2001, JASA 110 (melody
lead and velocity go together: they are copied together).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from ...core.boosted_tables import BoostedTables
from ...core.errors import TakeprintError
from ...core.memory_of_touch import with_memory
from ...core.metrical import TWELFTHS, groups
from ...core.profile import Profile
from ...core.written_context import Written, context_of, likeness, links_of, pace_factors, pace_of, style_columns
from .part import Dice, Invented, Part
from .shaping import Shape
from .stretches import Choosing, chosen_places

CHANNELS = ("together", "spread", "loud", "held")
_LOOKED_AT, _MOST_COMPARED, _FEWEST_TO_DRAW, _ENOUGH_MOMENTS = 64, 1000, 4, 200


@dataclass(frozen=True, eq=False)
class Bank:
    """One performance, moment by moment.

    Parameters
    ----------
    like : ndarray [shape=(m, k)]
        What each moment is like.
    first, size : ndarray of int [shape=(m,)]
        Its notes, rows of ``left``, from the bass up.
    fresh : ndarray [shape=(n, 4)]
        What neither the written notes nor what was played before tells.
    moment : ndarray [shape=(m, 4)]
        Mean over the moment.
    begins : ndarray of bool [shape=(m,)]
        Where a take begins: nothing goes on from before.
    """

    like: np.ndarray
    first: np.ndarray
    size: np.ndarray
    fresh: np.ndarray
    moment: np.ndarray
    begins: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


def bank_of(arrays: Mapping[str, np.ndarray], takes: np.ndarray) -> Bank:
    """Return the moments of some takes of a profile's arrays."""
    rows = np.flatnonzero(np.isin(arrays["keys.take"], takes))
    take = arrays["keys.take"][rows].astype(np.int64)
    group = groups(arrays["keys.beat"][rows], take)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(first, len(rows)))
    moments = np.isin(arrays["keys.take_of_moment"], takes)
    like = arrays["keys.like"][moments].astype(np.float64)
    moment = arrays["keys.moment"][moments].astype(np.float64)
    fresh = arrays["keys.fresh"][rows].astype(np.float64)
    # A moment has one timing: its highest note's.
    fresh[:, 0] = fresh[first + size - 1, 0][group]
    return Bank(like, first, size, fresh, moment, np.diff(take[first], prepend=-1) != 0)


def can_play(profile: Profile, part: Part) -> bool:
    """Tell whether the profile holds a keyboard player and the part is no kit."""
    return "keys.take" in profile.arrays and not part.drums and profile.kind == "keyboard"


def play(
    part: Part, profile: Profile, dice: Dice, *, keep_accents: bool = True, shape: Shape | None = None
) -> Invented:
    """Play a part from what a keyboard profile's takes tell.

    Parameters
    ----------
    part : Part
    profile : Profile
    dice : Dice
        Draws the take and the stretches that are copied.
    keep_accents : bool
        True: the written velocities vary by what is left of a note beyond its expectation. False: the expected
        loudness of each note against the local level replaces its written accent.
    shape : Shape or None
        The tempo and the level that are played. Where the velocities are written at one level the level is the
        shape's, else as much of it is added as the written one moves less.

    Raises
    ------
    TakeprintError
        When the profile holds no such arrays.
    """
    if not can_play(profile, part):
        raise TakeprintError(
            f"profile {profile.name!r} has no keyboard player for {part.name}",
            rule="the keyboard player needs a profile fitted to keyboard takes with a score",
            remedy="use player='donor' or 'parametric', or fit a profile from takes measured against their score",
        )
    written = written_of(part, shape)
    takes = shape.takes if shape is not None and shape.profile == profile.name else None
    made, expected = _invented(profile.arrays, written, dice, takes, None)
    # Where nothing is written of the level, the usual one is for the players to look at, and kept where accents are.
    flat = part.level() if shape is None else level_of(part, shape, usual=part.level())
    loud = flat - part.level() + made[:, 2] - expected[:, 2] if keep_accents else written.level + made[:, 2]
    return Invented(
        timing_ms=made[:, 0] + made[:, 1],
        velocity=loud,
        articulation_log2=made[:, 3],
        clock_ms=made[:, 0],
        absolute=not keep_accents,
    )


def level_of(part: Part, shape: Shape, usual: np.ndarray) -> np.ndarray:
    """Return the level of each note: ``usual`` where all is written at one, else the written one; and the shape's."""
    moves = shape.level_at(part.beat)
    if len(part) < 2 or float(np.ptp(part.velocity)) == 0.0:
        return usual + moves
    level = part.level()
    # A written level that moves as much as a player's is taken for a player's.
    missing = 1.0 - float(level.var()) / max(float(moves.var()), 1e-9)
    return level + np.sqrt(max(missing, 0.0)) * moves


def written_of(part: Part, shape: Shape | None = None) -> Written:
    """Return a part as written, at the tempo it is written in or at that of a shape."""
    first = part.group_first
    beat, onset_s = part.beat[first], part.onset_s[first]
    if shape is not None:
        onset_s = shape.curve.seconds_at(beat)
    step_s = np.diff(onset_s)
    bpm = 60.0 * np.diff(beat) / np.where(step_s > 1e-6, step_s, np.inf)
    bpm = np.append(bpm, part.tempo_bpm) if len(bpm) else np.array([part.tempo_bpm])
    bpm = np.clip(np.where(bpm > 0.0, bpm, part.tempo_bpm), 5.0, 1000.0)
    if shape is not None:
        bpm = np.clip(shape.curve.tempo_bpm_at(beat), 5.0, 1000.0)
    inside = part.cell / TWELFTHS
    return Written(
        beat=part.beat,
        duration_beat=np.maximum(np.nan_to_num(part.duration_beat, nan=0.25), 1 / 64),
        pitch=np.nan_to_num(part.pitch, nan=60.0),
        onset_s=onset_s[part.group],
        bpm=bpm[part.group],
        inside_bar=inside,
        bar_beats=_bar_beats(part.bar, part.beat - inside),
        level=part.level() if shape is None else level_of(part, shape, np.full(len(part), shape.usual_level)),
    )


def merged(parts: Sequence[Written]) -> Written:
    """Return the notes of several parts as one part's."""
    if len(parts) == 1:
        return parts[0]
    columns = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Written)}
    order = np.lexsort((columns["pitch"], columns["beat"]))
    return Written(**{name: values[order] for name, values in columns.items()})


def _bar_beats(bar: np.ndarray, bar_line: np.ndarray) -> np.ndarray:
    """Return the length of each note's bar, as the distance of bar lines tells; 4 beats where nothing does."""
    number, first = np.unique(bar, return_index=True)
    if len(number) < 2:
        return np.full(len(bar), 4.0)
    length = np.diff(bar_line[first]) / np.diff(number)
    length = np.append(length, length[-1])
    length = np.where(length > 0.25, length, max(float(np.median(length)), 1.0))
    return length[np.searchsorted(number, bar)]


def fitting_takes(arrays: Mapping[str, np.ndarray], written: Written, dice: Dice) -> np.ndarray:
    """Draw a take among those whose music is most alike; a short one with others beside it.

    Parameters
    ----------
    arrays : mapping
        ``keys.*`` of a profile.
    written : Written
    dice : Dice

    Returns
    -------
    ndarray of int
        Numbers of takes.
    """
    takes = np.unique(arrays["keys.take"]).astype(np.int64)
    if len(takes) == 1:
        return takes
    group = written.group
    top = np.flatnonzero(np.diff(group, append=-1))
    wanted = likeness(context_of(written), top)
    wanted = wanted[:: max(len(wanted) // _LOOKED_AT, 1)]
    banks = [bank_of(arrays, np.array([take])) for take in takes]
    far = []
    for bank in banks:
        have = bank.like[:: max(len(bank) // _MOST_COMPARED, 1)]
        far.append(np.abs(wanted[:, None] - have[None]).sum(axis=2).min(axis=1).mean())
    # Sums may differ in their last bit from machine to machine: takes as like as each other keep their order.
    order = np.argsort(np.round(far, 9), kind="stable")
    best = min(max(_FEWEST_TO_DRAW, len(takes) // 3), len(takes))
    drawn = int(dice.uniform(1, "keyboard", "take")[0] * best)
    chosen = [order[drawn], *(i for i in order if i != order[drawn])]
    moments = np.cumsum([len(banks[i]) for i in chosen])
    return takes[chosen[: int(np.searchsorted(moments, _ENOUGH_MOMENTS)) + 1]]


def invent(
    arrays: Mapping[str, np.ndarray],
    written: Written,
    dice: Dice,
    takes: np.ndarray | None = None,
    how: Choosing | None = None,
) -> np.ndarray:
    """Invent the four channels for what is written.

    Parameters
    ----------
    arrays : mapping
        ``keys.*`` of a profile.
    written : Written
    dice : Dice
    takes : ndarray of int or None
        The takes whose residuals are copied; None: see ``fitting_takes``.
    how : Choosing or None

    Returns
    -------
    ndarray [shape=(n, 4)]
        ``together`` and ``spread`` in ms, ``loud`` in velocity steps, ``held`` as log2.
    """
    return _invented(arrays, written, dice, takes, how)[0]


def _invented(
    arrays: Mapping[str, np.ndarray], written: Written, dice: Dice, takes: np.ndarray | None, how: Choosing | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (the channels, what was expected of them)."""
    how = how or Choosing()
    takes = fitting_takes(arrays, written, dice) if takes is None else takes
    context = context_of(written)
    group = written.group
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(first, len(group)))
    top = first + size - 1
    bank = bank_of(arrays, takes)
    like = likeness(context, top)
    place = chosen_places(bank.like, bank.moment, bank.begins, like, dice, how)
    fresh = _laid(bank, place, like, first, size, group)
    links = links_of(written.pitch, group)
    left = with_memory(fresh, arrays["keys.memory"].astype(np.float64), links, group)
    style = style_columns(context) @ arrays["keys.style"][takes[0]].astype(np.float64)
    left = left + style
    made, expected = np.empty_like(left), np.empty_like(left)
    pace = pace_factors(arrays, pace_of(context, top))
    for c, name in enumerate(CHANNELS):
        mean = BoostedTables.from_arrays(arrays, f"keys.{name}.mean")(context)
        spread = np.exp(BoostedTables.from_arrays(arrays, f"keys.{name}.size")(context))
        unit = pace[c]
        if f"keys.{name}.unit.mean" in arrays:
            unit = unit * np.exp(BoostedTables.from_arrays(arrays, f"keys.{name}.unit")(context))
        expected[:, c] = unit * (mean + spread * style[:, c])
        made[:, c] = unit * (mean + spread * left[:, c])
    made[:, 0] = made[top, 0][group]
    made[:, 1] -= (np.bincount(group, made[:, 1]) / size)[group]
    return made, expected


def _laid(
    bank: Bank, place: np.ndarray, like: np.ndarray, first: np.ndarray, size: np.ndarray, group: np.ndarray
) -> np.ndarray:
    """Return what is left for each note: the moment's, and its own against its moment's."""
    # Where the chord copied from has another size, its inner life comes from the most alike chord of the same size.
    other = np.flatnonzero((bank.size[place] != size) & (size > 1))
    inner = place.copy()
    for many in np.unique(size[other]).tolist():
        rows = other[size[other] == many]
        have = np.flatnonzero(bank.size == many)
        if not len(have):
            have = np.flatnonzero(bank.size == bank.size[np.argmin(np.abs(bank.size - many))])
        for i in rows.tolist():
            inner[i] = have[np.argmin(np.round(np.abs(bank.like[have] - like[i]).sum(axis=1), 9))]
    m = bank.size[inner][group]
    rank = np.arange(len(group)) - first[group]
    n = size[group]
    # From bass to top in proportion; the outer notes stay outer.
    at = np.where(n > 1, np.rint(rank * (m - 1) / np.maximum(n - 1, 1)), m - 1).astype(np.int64)
    row = bank.first[inner][group] + at
    out = bank.fresh[row]
    out[:, 0] = bank.fresh[bank.first[place], 0][group]
    return out
