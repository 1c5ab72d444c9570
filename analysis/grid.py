"""Find the written place of each note on a clock: straight, triplet and swung subdivisions, flams and rolls.

Conventions
-----------
Positions are beats on the clock (a beat is a quarter note), times seconds. A *line* is a place in the beat where a
note may be written, as a fraction from 0 to 1. Nothing is rounded to the nearest line before the slow offset of the
player against the clock is known: a take with 2 % drift would else draw as a sawtooth.

Method
------
1. The offset is tracked over the take (hidden Markov model over phase, ``core.kernels.phase_track``) and used where it
   explains the notes clearly better than one constant offset.
2. Every beat takes one subdivision. A note under a subdivision of n lines has the likelihood 1/n times a normal
   density about the line (plus a small uniform share for slips), so a finer grid must earn its extra lines; changing
   the subdivision costs, too (Viterbi, ``core.kernels.grid_path``).
3. One swing ratio a take is tried for eighths and for sixteenths, and kept when the take says so clearly.
4. Hits of one voice closer than a flam are one hit with its ornament: they share its line and its timing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.timeline import Timeline

# Lines of a beat and the prior of the subdivision; plain sixteenths are the field's default.
_STRAIGHT: dict[str, tuple[tuple[float, ...], float]] = {
    "8": ((0.0, 1 / 2), 0.25),
    "16": ((0.0, 1 / 4, 1 / 2, 3 / 4), 0.4),
    "triplet": ((0.0, 1 / 3, 2 / 3), 0.15),
    "sextuplet": (tuple(k / 6 for k in range(6)), 0.05),
    "32": (tuple(k / 8 for k in range(8)), 0.05),
}
_SWING_PRIOR = 0.1
_CHANGE_COST = 3.0
_SLIP_SHARE = 0.03
_BINS = 96
# Weights of the lines in the phase model before any subdivision is known.
_PHASE_LINES = (
    (0.0, 0.34), (1 / 2, 0.22), (1 / 4, 0.11), (3 / 4, 0.11), (1 / 3, 0.06), (2 / 3, 0.06),
    (1 / 6, 0.015), (5 / 6, 0.015), (1 / 8, 0.01), (3 / 8, 0.01), (5 / 8, 0.01), (7 / 8, 0.01),
)  # fmt: skip


@dataclass(frozen=True)
class GridFit:
    """The written places of a take's notes on a clock.

    Parameters
    ----------
    reference_beat : ndarray [shape=(n,)], beats
        Where each note is written; an ornament keeps its distance from the hit it decorates.
    ornament : ndarray of str [shape=(n,)]
        ``""``, ``"flam"`` or ``"roll"``.
    main : ndarray of int [shape=(n,)]
        Row of the hit a note belongs to, its own for all but ornaments.
    offset_beat : ndarray [shape=(n,)], beats
        The player's slow offset against the clock at each note.
    subdivision : dict of str to float
        Share of the beats with notes that took each subdivision.
    swing_ratio : float
        Place of the swung off-beat in its pair, 0.5 straight and 0.667 triplet; NaN where nothing swings.
    swing_unit : str
        ``"8"``, ``"16"`` or ``""``.
    sigma_ms : float
        Spread about the lines.
    gain : float
        Log likelihood a note under one constant offset, against notes that know no clock (nats): about 0.5 for
        notes played to this clock, about -0.2 for notes that were not.
    tracked : bool
        Whether the offset moved.
    """

    reference_beat: np.ndarray
    ornament: np.ndarray
    main: np.ndarray
    offset_beat: np.ndarray
    subdivision: dict[str, float]
    swing_ratio: float
    swing_unit: str
    sigma_ms: float
    gain: float
    tracked: bool


def fit_grid(
    onset_s: np.ndarray,
    voice: np.ndarray,
    weight: np.ndarray,
    clock: Timeline,
    *,
    offset_known: bool = True,
) -> GridFit:
    """Find each note's written place on the clock.

    Parameters
    ----------
    onset_s : ndarray [shape=(n,)], seconds, increasing
    voice : ndarray of int [shape=(n,)]
        Notes of one voice cannot share a line.
    weight : ndarray [shape=(n,)]
        Velocity or level: the strongest hit of a flam is the one that is written.
    clock : Timeline
    offset_known : bool
        Whether beat 0 of the clock is where the take's beats are but for a latency below a sixteenth; False lets the
        offset be anywhere in the beat.

    Returns
    -------
    GridFit
    """
    n = len(onset_s)
    if n == 0:
        nothing = np.zeros(0)
        return GridFit(nothing, np.zeros(0, "U4"), np.zeros(0, int), nothing, {}, np.nan, "", np.nan, np.nan, False)
    beat = clock.beats_at(onset_s)
    beat_s = 60.0 / clock.tempo_bpm_at(beat)
    main, ornament = _ornaments(onset_s, voice, weight, beat_s)
    own = np.flatnonzero(main == np.arange(n))
    offset_own, tracked, gain = _slow_offset(beat[own], beat_s[own], offset_known)
    sigma_s, line_beat, choice = 0.02, np.zeros(0), np.zeros(0, int)
    names: list[str] = []
    swing = (np.nan, "")
    for _ in range(3):
        place = beat[own] - offset_own
        names, lines, choice, swing = _subdivisions(place, beat_s[own], voice[own], sigma_s)
        line_beat = _nearest_lines(place, lines, choice)
        residual_s = (place - line_beat) * beat_s[own]
        if tracked:
            break
        shift = float(np.median(residual_s / beat_s[own]))
        offset_own = offset_own + shift
        spread = 1.4826 * float(np.median(np.abs(residual_s - np.median(residual_s))))
        sigma_s = float(np.clip(spread, 0.003, 0.03))
    reference = np.zeros(n)
    reference[own] = line_beat
    offset = np.zeros(n)
    offset[own] = offset_own
    main, ornament = _same_line(main, ornament, own, line_beat, voice, weight)
    is_main = main == np.arange(n)
    reference = np.where(is_main, reference, reference[main] + beat - beat[main])
    share = {name: float(np.mean(choice == i)) for i, name in enumerate(names)}
    return GridFit(
        reference_beat=reference,
        ornament=ornament,
        main=main,
        offset_beat=np.where(is_main, offset, offset[main]),
        subdivision={name: round(value, 4) for name, value in share.items() if value > 0},
        swing_ratio=swing[0],
        swing_unit=swing[1],
        sigma_ms=sigma_s * 1000.0,
        gain=gain,
        tracked=tracked,
    )


def _ornaments(
    onset_s: np.ndarray, voice: np.ndarray, weight: np.ndarray, beat_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Join hits of one voice that follow closer than a flam; a 32nd at the local tempo is no flam."""
    n = len(onset_s)
    main = np.arange(n)
    ornament = np.zeros(n, "U4")
    closest_s = np.minimum(0.05, 0.8 * beat_s / 8.0)
    order = np.lexsort((onset_s, voice))
    first = np.ones(n, dtype=bool)
    close = np.diff(onset_s[order]) < closest_s[order][1:]
    first[1:] = (np.diff(voice[order]) != 0) | ~close
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, n))
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        rows = order[start : start + size]
        # The strongest is the hit; of equals the last, since a grace note comes before its hit.
        strongest = rows[::-1][np.argmax(np.nan_to_num(weight[rows][::-1]))]
        main[rows] = strongest
        ornament[rows] = "flam" if size == 2 else "roll"
        ornament[strongest] = ""
    return main, ornament


def _same_line(
    main: np.ndarray,
    ornament: np.ndarray,
    own: np.ndarray,
    line_beat: np.ndarray,
    voice: np.ndarray,
    weight: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Hits of one voice that got one line: the strongest is written there, the others are its ornaments."""
    key = np.round(line_beat * 48.0).astype(np.int64)
    order = np.lexsort((np.arange(len(own)), key, voice[own]))
    same = (np.diff(voice[own][order]) == 0) & (np.diff(key[order]) == 0)
    main, ornament = main.copy(), ornament.copy()
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    sizes = np.diff(np.append(starts, len(order)))
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        rows = own[order[start : start + size]]
        strongest = rows[::-1][np.argmax(np.nan_to_num(weight[rows][::-1]))]
        for row in rows:
            if row != strongest:
                main[main == row] = strongest
                ornament[row] = "flam" if size == 2 else "roll"
        ornament[(main == strongest) & (ornament == "") & (np.arange(len(main)) != strongest)] = "roll"
    return main, ornament


def _wrapped_likelihood(sigma_beat: float) -> np.ndarray:
    """Log likelihood of a note by its phase, before any subdivision is known; density against a uniform phase."""
    phase = np.arange(_BINS) / _BINS
    density = np.full(_BINS, _SLIP_SHARE)
    for line, weight in _PHASE_LINES:
        distance = (phase - line + 0.5) % 1.0 - 0.5
        density += (
            (1.0 - _SLIP_SHARE)
            * weight
            * np.exp(-0.5 * (distance / sigma_beat) ** 2)
            / (sigma_beat * np.sqrt(2 * np.pi))
        )
    return np.log(density)


def _slow_offset(beat: np.ndarray, beat_s: np.ndarray, offset_known: bool) -> tuple[np.ndarray, bool, float]:
    """Return the offset of the player at each note in beats, whether it moves, and the gain a note."""
    from ..core.kernels.local_linear import local_linear
    from ..core.kernels.phase_track import phase_track

    sigma_beat = max(0.02 / float(np.median(beat_s)), 1.0 / _BINS)
    likelihood = _wrapped_likelihood(sigma_beat)
    bins = (np.arange(_BINS) + _BINS // 2) % _BINS - _BINS // 2
    prior = np.zeros(_BINS)
    if offset_known:
        # A latency below an eighth of a beat and 0.1 s; more would be another place in the music.
        widest = min(1.0 / 8.0, 0.1 / float(np.median(beat_s)))
        prior = np.where(np.abs(bins) / _BINS <= widest, 0.0, -np.inf)
    phase_bin = np.floor(beat * _BINS + 0.5).astype(np.int64)
    counts = np.bincount(phase_bin % _BINS, minlength=_BINS).astype(np.float64)
    constant = np.array([prior[b] + counts @ likelihood[(np.arange(_BINS) - b) % _BINS] for b in range(_BINS)])
    best = int(np.argmax(constant))
    flat_total = float(constant[best])
    flat = np.full(len(beat), bins[best] / _BINS)
    if len(beat) < 8:
        return flat, False, flat_total / len(beat)
    path = phase_track(np.ascontiguousarray(beat), likelihood, prior, 0.5, 2)
    path_total = float(likelihood[(phase_bin - path) % _BINS].sum())
    moves = float((0.5 * np.diff(path) ** 2 / np.maximum(np.diff(beat), 0.02)).sum())
    if path_total - moves - flat_total < 10.0 + 0.1 * len(beat):
        return flat, False, flat_total / len(beat)
    path = path - _BINS * int(np.round((path[0] - bins[path[0] % _BINS]) / _BINS))
    smooth, _ = local_linear(beat, path / _BINS, beat, 2.0, 4)
    return smooth, True, flat_total / len(beat)


def _emission(
    place: np.ndarray, beat_s: np.ndarray, voice: np.ndarray, lines: tuple[float, ...], prior: float, sigma_s: float
) -> np.ndarray:
    """Log likelihood of each beat that holds notes, in order, under one subdivision."""
    at = np.array([*lines, 1.0])
    whole = np.floor(place)
    inside = place - whole
    nearest = np.abs(inside[:, None] - at[None, :]).argmin(axis=1)
    distance_s = (inside - at[nearest]) * beat_s
    # Densities are per second: a line's share 1/n against the slip's uniform 1/beat.
    density = (1.0 - _SLIP_SHARE) / len(lines) * np.exp(-0.5 * (distance_s / sigma_s) ** 2)
    density = density / (sigma_s * np.sqrt(2.0 * np.pi)) + _SLIP_SHARE / beat_s
    note = np.log(density)
    # Two hits of one voice cannot be written on one line.
    line = whole * 1000 + nearest
    order = np.lexsort((line, voice))
    twice = np.zeros(len(place), dtype=bool)
    twice[order[1:]] = (np.diff(voice[order]) == 0) & (np.diff(line[order]) == 0)
    note = np.where(twice, np.minimum(note, np.log(_SLIP_SHARE / beat_s)), note)
    _, index = np.unique(whole, return_inverse=True)
    return np.bincount(index, weights=note) + np.log(prior)


def _subdivisions(
    place: np.ndarray, beat_s: np.ndarray, voice: np.ndarray, sigma_s: float
) -> tuple[list[str], list[tuple[float, ...]], np.ndarray, tuple[float, str]]:
    """Choose a subdivision for every beat that holds notes, and one swing ratio where the take says so."""
    from ..core.kernels.grid_path import grid_path

    names = list(_STRAIGHT)
    lines: list[tuple[float, ...]] = [_STRAIGHT[name][0] for name in names]
    base = np.column_stack([_emission(place, beat_s, voice, g, p, sigma_s) for g, p in _STRAIGHT.values()])
    choice, total = grid_path(base, _CHANGE_COST)
    best = (total + 10.0, choice, names, lines, (np.nan, ""))
    for unit in ("8", "16"):
        for ratio in (*np.arange(0.54, 0.655, 0.01), 2.0 / 3.0, *np.arange(0.68, 0.765, 0.01)):
            swung = (0.0, ratio) if unit == "8" else (0.0, ratio / 2, 0.5, 0.5 + ratio / 2)
            extra = _emission(place, beat_s, voice, swung, _SWING_PRIOR, sigma_s)
            path, sum_ = grid_path(np.column_stack([base, extra]), _CHANGE_COST)
            if sum_ > best[0]:
                best = (sum_, path, [*names, f"swung {unit}"], [*lines, swung], (float(ratio), unit))
    _, choice, names, lines, swing = best
    return names, lines, choice, swing


def _nearest_lines(place: np.ndarray, lines: list[tuple[float, ...]], choice: np.ndarray) -> np.ndarray:
    whole = np.floor(place)
    _, index = np.unique(whole, return_inverse=True)
    out = np.empty(len(place))
    for g, fractions in enumerate(lines):
        rows = np.flatnonzero(choice[index] == g)
        at = np.array([*fractions, 1.0])
        inside = place[rows] - whole[rows]
        out[rows] = whole[rows] + at[np.abs(inside[:, None] - at[None, :]).argmin(axis=1)]
    return out
