"""The donor player: lays stretches of a real take's deviations onto the score.

Conventions
-----------
One take gives all of a part's deviations. Drums: whole bars in the order they were played; each note takes the residual
of the donor's note of the same instrument nearest in the bar, timing and velocity together, on top of the donor's own
metrical template. Other instruments: blocks of eight moments, found where the donor plays alike. Late, louder and
longer are positive.

References
----------
The bars keep what statistics lose: who pushes whom inside a moment, and what one bar does to the next. Räsänen et al.
2015, PLoS ONE 10:e0127902 (repeating two-bar patterns of a drummer's timing and loudness).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.errors import TakeprintError
from ...core.metrical import TWELFTHS, slot_means
from ...core.profile import Profile
from .part import Dice, Invented, Part, SlotTable, Voices, known_voices

RUN_BARS = 8
BLOCK_MOMENTS = 8
# How many bars of a run are compared, and from how many of the best places one is drawn.
_LOOK_BARS = 4
_BEST = 8
# From how many takes that fit best one is drawn.
_TAKES = 4
_SHRINK = 4.0
_MOST_PLACES = 4000


@dataclass(frozen=True, eq=False)
class _Donor:
    """One take's rows, with template and residual parted; ``voice`` holds numbers into all of ``voices``."""

    voices: tuple[str, ...]
    voice: np.ndarray
    bar: np.ndarray
    cell: np.ndarray
    beat: np.ndarray
    group: np.ndarray
    rank: np.ndarray
    timing_ms: np.ndarray
    value: np.ndarray
    articulation_log2: np.ndarray
    timing_table: SlotTable
    value_table: SlotTable

    @property
    def names(self) -> list[str]:
        """The voices that sound in this take."""
        return [self.voices[i] for i in np.unique(self.voice)]


def can_play(profile: Profile, part: Part) -> bool:
    """Tell whether the profile holds a donor's rows for this kind of part."""
    return bool(len(profile.arrays.get("take", ()))) and part.drums == (profile.kind == "drums")


def play(part: Part, profile: Profile, dice: Dice, *, keep_accents: bool = True) -> Invented:
    """Copy one take's deviations onto a part.

    Parameters
    ----------
    part : Part
    profile : Profile
        With donor rows.
    dice : Dice
        Draws the take (among those that fit best) and the places to copy from.
    keep_accents : bool
        True: only the donor's residuals are laid on the written velocities. False: the donor's accents too.

    Raises
    ------
    TakeprintError
        When the profile holds no rows, or rows of another kind of instrument.
    """
    if not can_play(profile, part):
        raise TakeprintError(
            f"profile {profile.name!r} has no donor rows for {part.name}",
            rule="the donor player copies a real take of the same kind of instrument",
            remedy="use player='parametric', or fit a profile from takes",
        )
    donor = _donor(profile, _choose_take(part, profile, dice))
    voice = known_voices(part, donor.names)
    source, exact = _by_bars(part, donor, voice, dice) if part.drums else (_by_blocks(part, donor, dice), None)
    timing_ms = donor.timing_ms[source]
    value = donor.value[source]
    if exact is not None:
        # A stand-in of another instrument tells of the kit's clock, not of this instrument's touch.
        value = np.where(exact, value, 0.5 * value)
    timing_ms = timing_ms + donor.timing_table.at(voice, part.cell)
    clock_ms = part.group_mean(donor.timing_ms[source])
    absolute = not keep_accents
    velocity = value
    if absolute:
        accents = donor.value_table.at(voice, part.cell)
        velocity = value + (accents if part.drums else part.level() + accents)
        velocity = velocity[part.leader] + part.velocity - part.velocity[part.leader]
    else:
        velocity = velocity[part.leader]
    return Invented(
        timing_ms=timing_ms[part.leader],
        velocity=velocity,
        articulation_log2=np.zeros(len(part)) if part.drums else donor.articulation_log2[source],
        clock_ms=clock_ms[part.leader],
        absolute=absolute,
    )


def _donor(profile: Profile, take: int) -> _Donor:
    rows = np.flatnonzero(profile.arrays["take"] == take)
    a = {name: profile.arrays[name][rows] for name in ("bar", "cell", "beat", "group", "rank", "voice")}
    names = (*profile.model["voices"], "*")
    cell = a["cell"].astype(np.int64)
    code = np.clip(a["voice"].astype(np.int64), 0, len(names) - 1)
    residual, tables = [], []
    for column in ("timing_ms", "dynamics_velocity"):
        values = profile.arrays[column][rows].astype(np.float64)
        mean = slot_means(values, code, code * 32768 + cell, _SHRINK)
        _, first, count = np.unique(code * 32768 + cell, return_index=True, return_counts=True)
        items = [(names[code[i]], int(cell[i]), float(mean[i]), float(n)) for i, n in zip(first, count, strict=True)]
        tables.append(SlotTable(items))
        residual.append(np.nan_to_num(values - mean))
    held = profile.arrays["articulation_log2"][rows].astype(np.float64)
    usual = float(np.nanmedian(held)) if np.isfinite(held).any() else 0.0
    return _Donor(
        voices=names,
        voice=code,
        bar=a["bar"].astype(np.int64),
        cell=cell,
        beat=a["beat"].astype(np.float64),
        group=a["group"].astype(np.int64),
        rank=a["rank"].astype(np.int64),
        timing_ms=residual[0],
        value=residual[1],
        articulation_log2=np.where(np.isfinite(held), held, usual),
        timing_table=tables[0],
        value_table=tables[1],
    )


def _choose_take(part: Part, profile: Profile, dice: Dice) -> int:
    """Draw a take among the few that fit best: alike in tempo, with the part's instruments, long enough."""
    take = profile.arrays["take"].astype(np.int64)
    takes = np.unique(take)
    if len(takes) == 1:
        return int(takes[0])
    names = [*profile.model["voices"], "*"]
    wanted = {names.index(v) for v in part.voices.names if v in names}
    bars = int(part.bar.max() - part.bar.min()) + 1
    scores = []
    for number in takes:
        rows = take == number
        have = set(np.unique(profile.arrays["voice"][rows]).tolist())
        length = len(np.unique(profile.arrays["bar"][rows]))
        bpm = max(float(profile.arrays["take_bpm"][number]), 1.0)
        score = len(wanted & have) / max(len(wanted), 1)
        score += 0.5 * min(length, 32) / min(max(bars, 8), 32)
        score += _alike(part, profile, rows) - abs(np.log2(part.tempo_bpm / bpm))
        scores.append(score)
    best = np.argsort(-np.array(scores), kind="stable")[:_TAKES]
    # One take further with every seed, and once more when the places to begin at have all been had.
    return int(takes[best[dice.turn(len(best), dice.seed + dice.seed // _BEST, "donor", "take")]])


def _alike(part: Part, profile: Profile, rows: np.ndarray) -> float:
    """Return how alike two parts' use of the beat is: the cosine of their histograms over cells within the beat."""
    a = np.bincount(part.cell % TWELFTHS, minlength=TWELFTHS).astype(float)
    b = np.bincount(profile.arrays["cell"][rows].astype(np.int64) % TWELFTHS, minlength=TWELFTHS).astype(float)
    return float(a @ b / np.sqrt(max((a @ a) * (b @ b), 1e-12)))


# ---------------------------------------------------------------- drums: bars in sequence


def _patterns(bar: np.ndarray, cell: np.ndarray, voice: np.ndarray, n_voices: int, n: int) -> np.ndarray:
    """Return one row a bar: which instruments sound in which sixteenth, each row of length 1."""
    grid = np.zeros((n, n_voices * 32), dtype=np.float32)
    sixteenth = np.minimum(cell // 3, 31)
    grid[bar, voice * 32 + sixteenth] = 1.0
    return grid / np.maximum(np.linalg.norm(grid, axis=1, keepdims=True), 1.0)


def _as_donor(voice: Voices, donor: _Donor) -> np.ndarray:
    """Return the donor's number of each note's voice."""
    numbers = {name: i for i, name in enumerate(donor.voices)}
    return np.array([numbers[name] for name in voice.names], dtype=np.int64)[voice.code]


def _bar_runs(part: Part, donor: _Donor, voice: Voices, dice: Dice) -> np.ndarray:
    """Return for each of the part's bars, from its first, the donor bar it copies."""
    first, donor_first = int(part.bar.min()), int(donor.bar.min())
    n, m = int(part.bar.max()) - first + 1, int(donor.bar.max()) - donor_first + 1
    # A short take is copied in shorter runs, so that there is more than one place to begin at.
    longest = min(RUN_BARS, max(m // 2, 1))
    draws = dice.uniform(-(-n // longest), "donor", "run")
    wanted = _patterns(part.bar - first, part.cell, _as_donor(voice, donor), len(donor.voices), n)
    played = _patterns(donor.bar - donor_first, donor.cell, donor.voice, len(donor.voices), m)
    heard = np.unique(donor.bar) - donor_first
    chosen = np.empty(n, dtype=np.int64)
    at = 0
    while at < n:
        run = min(longest, n - at)
        # Places with a whole run ahead of them; a short take gives what it has, and runs round.
        places = heard[heard + run <= m]
        if not len(places):
            places = heard
        look = min(_LOOK_BARS, run)
        alike = np.zeros(len(places))
        for k in range(look):
            alike += played[np.minimum(places + k, m - 1)] @ wanted[at + k]
        best = np.argsort(-alike, kind="stable")[:_BEST]
        which = int(draws[at // longest] * len(best)) if at else dice.turn(len(best), dice.seed, "donor", "run")
        place = places[best[which]]
        chosen[at : at + run] = place + np.arange(run) % max(m - place, 1)
        at += run
    return chosen + donor_first


def _by_bars(part: Part, donor: _Donor, voice: Voices, dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Return (donor row for each note, whether it is of the same instrument and bar)."""
    bar = _bar_runs(part, donor, voice, dice)[part.bar - int(part.bar.min())]
    place, width = part.cell / TWELFTHS, len(donor.voices)
    row, same = _nearest(donor.bar * width + donor.voice, donor.beat, bar * width + _as_donor(voice, donor), place)
    # Not in this bar: any instrument of the bar, which shares the kit's clock; an empty bar: the whole take.
    other, in_bar = _nearest(donor.bar, donor.beat, bar, place)
    row = np.where(same, row, other)
    anywhere, _ = _nearest(
        np.zeros(len(donor.bar)), donor.bar * 64.0 + donor.beat, np.zeros(len(bar)), bar * 64.0 + place
    )
    return np.where(same | in_bar, row, anywhere), same


def _nearest(
    key: np.ndarray, place: np.ndarray, asked_key: np.ndarray, asked_place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (row of the nearest place under the same key, whether the key occurs) for each question."""
    order = np.lexsort((place, key))
    # One sorted number for both: keys are whole, and a place lies far below a key's width.
    width = 4.0 * (np.abs(place).max() + np.abs(asked_place).max() + 1.0)
    line = key[order] * width + place[order]
    right = np.searchsorted(line, asked_key * width + asked_place)
    left = np.clip(right - 1, 0, len(order) - 1)
    right = np.clip(right, 0, len(order) - 1)
    left_ok, right_ok = key[order][left] == asked_key, key[order][right] == asked_key
    left_far = np.where(left_ok, np.abs(place[order][left] - asked_place), np.inf)
    right_far = np.where(right_ok, np.abs(place[order][right] - asked_place), np.inf)
    return order[np.where(right_far < left_far, right, left)], left_ok | right_ok


# ---------------------------------------------------------------- other instruments: blocks of moments


def _moments(beat: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per moment (what it is like: log2 of the step to the next, log2 of its size; its first row)."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(first, append=len(group))
    step = np.diff(beat[first], append=beat[first][-1] + 1.0)
    like = np.stack([np.log2(np.clip(step, 1.0 / 16.0, 16.0)), np.log2(size)], axis=1)
    return like, first


def _by_blocks(part: Part, donor: _Donor, dice: Dice) -> np.ndarray:
    """Return the donor row for each note: eight moments at a time, from where the donor's rhythm is alike."""
    order = np.lexsort((donor.rank, donor.group))
    # The place counted through the take; 64 beats a bar keep bars apart, and steps over a bar line are put right below.
    whole = donor.bar * _bar_length(donor) + donor.beat
    given, first = _moments(whole[order], donor.group[order])
    size = np.diff(first, append=len(order))
    wanted, _ = _moments(part.beat, part.group)
    block = min(BLOCK_MOMENTS, len(given))
    places = np.arange(len(given) - block + 1)
    if len(places) > _MOST_PLACES:
        places = places[:: -(-len(places) // _MOST_PLACES)]
    draws = dice.uniform(-(-len(wanted) // block), "donor", "block")
    copied = np.empty(len(wanted), dtype=np.int64)
    following = -1
    for at in range(0, len(wanted), block):
        n = min(block, len(wanted) - at)
        far = np.zeros(len(places))
        for k in range(n):
            far += np.abs(given[places + k] - wanted[at + k]).sum(axis=1)
        # Going on where the last block ended leaves no seam: it counts as half a moment's difference nearer.
        far[places == following] -= 0.5 * n
        best = np.argsort(far, kind="stable")[:_BEST]
        best = best[far[best] <= far[best[0]] + 0.25 * n]
        place = int(places[best[int(draws[at // block] * len(best))]])
        copied[at : at + n] = place + np.arange(n)
        following = place + block
    moment = copied[part.group]
    return order[first[moment] + np.minimum(part.rank, size[moment] - 1)]


def _bar_length(donor: _Donor) -> float:
    """Return the donor's bar length, beats, as its positions tell."""
    return float(max(np.ceil(donor.beat.max() + 1e-6), 1.0))
