"""Find the written place of each note on a clock: straight, triplet and swung subdivisions, flams and rolls.

Conventions
-----------
Positions are beats on the clock (a beat is a quarter note), times seconds. A *line* is a place in the beat where a
note may be written, as a fraction from 0 to 1. Nothing is rounded to the nearest line before the slow offset of the
player against the clock is known: a take with 2 % drift would else draw as a sawtooth.

Method
------
1. The offset is tracked over the take (a constant rate of drift by search, what is left by a hidden Markov model over
   phase, ``core.kernels.phase_track``) and used where it explains the notes clearly better than one constant offset.
   Notes repeat from line to line, so that several offsets fit alike: of these the smallest is taken.
2. Every beat takes one subdivision. A note under a subdivision of n lines has the likelihood 1/n times a normal
   density about the line (plus a small uniform share for slips), so a finer grid must earn its extra lines; changing
   the subdivision costs, too (Viterbi, ``core.kernels.grid_path``).
3. One swing ratio a take is tried for eighths and for sixteenths, each with the offset and the spread that suit it best
   (a swung off-beat under straight lines looks like half a latency), and kept when the take says so clearly. It is the
   median place of the swung notes.
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
# Share of the straight grid's prior that the swung one of its unit has; that there is swing at all costs once (nats).
_SWING_PRIOR, _SWING_COST = 0.5, 10.0
_SWING_RATIOS = (0.56, 0.59, 0.62, 2 / 3, 0.71)
# At 0.75 a swung pair is a dotted one, which straight lines hold.
_LEAST_RATIO, _MOST_RATIO = 0.535, 0.74
_LEAST_SWUNG_SHARE = 0.1
_CHANGE_COST = 3.0
# Standard deviation of a latency, seconds.
_LATENCY_S = 0.03
_FARTHEST = -50.0  # log prior of a constant offset that is out of reach
# Rates of constant drift that are tried (share of the tempo) and the beats over which one offset holds meanwhile.
_DRIFT_RATES = np.arange(-26, 27) * 0.0025
_DRIFT_WINDOW_BEATS = 16.0
_SLIP_SHARE = 0.03
_LEAST_TRACKED, _LEAST_STEADY = 8, 4
_BINS = 96
# Bin of the distance from an offset's bin (column) to a note's (row).
_DISTANCE = (np.arange(_BINS)[:, None] - np.arange(_BINS)[None, :]) % _BINS
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
    followed_gain : float
        As ``gain``, under the offset that was taken, less the cost of its moves.
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
    followed_gain: float


@dataclass(frozen=True)
class _Offset:
    """The player's offset at each note, beats; whether it moves; the gains a note of a constant one and of this one."""

    beat: np.ndarray
    tracked: bool
    gain: float
    followed_gain: float


@dataclass(frozen=True)
class _Settled:
    """Grids with the offset, spread and swing ratio that suit them; ``total`` is the log likelihood."""

    total: float
    names: list[str]
    choice: np.ndarray
    line_beat: np.ndarray
    offset: np.ndarray
    sigma_s: float
    swing: tuple[float, str]


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
        nothing, none = np.zeros(0), np.zeros(0, int)
        return GridFit(nothing, np.zeros(0, "U4"), none, nothing, {}, np.nan, "", np.nan, np.nan, False, np.nan)
    beat = clock.beats_at(onset_s)
    beat_s = 60.0 / clock.tempo_bpm_at(beat)
    main, ornament = _ornaments(onset_s, voice, weight, beat_s)
    own = np.flatnonzero(main == np.arange(n))
    slow = _slow_offset(beat[own], beat_s[own], offset_known)
    best = _best_grids(beat[own], beat_s[own], voice[own], slow, offset_known)
    line_beat, choice = best.line_beat, best.choice
    reference = np.zeros(n)
    reference[own] = line_beat
    offset = np.zeros(n)
    offset[own] = best.offset
    main, ornament = _same_line(main, ornament, own, line_beat, voice, weight)
    is_main = main == np.arange(n)
    reference = np.where(is_main, reference, reference[main] + beat - beat[main])
    share = {name: float(np.mean(choice == i)) for i, name in enumerate(best.names)}
    return GridFit(
        reference_beat=reference,
        ornament=ornament,
        main=main,
        offset_beat=np.where(is_main, offset, offset[main]),
        subdivision={name: round(value, 4) for name, value in share.items() if value > 0},
        swing_ratio=best.swing[0],
        swing_unit=best.swing[1],
        sigma_ms=best.sigma_s * 1000.0,
        gain=slow.gain,
        tracked=slow.tracked,
        followed_gain=slow.followed_gain,
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


def _wrapped_likelihood(sigma_beat: float, lines: tuple[tuple[float, float], ...] = _PHASE_LINES) -> np.ndarray:
    """Log likelihood of a note by its phase under weighted lines; density against a uniform phase."""
    phase = np.arange(_BINS) / _BINS
    density = np.full(_BINS, _SLIP_SHARE)
    for line, weight in lines:
        distance = (phase - line + 0.5) % 1.0 - 0.5
        density += (
            (1.0 - _SLIP_SHARE)
            * weight
            * np.exp(-0.5 * (distance / sigma_beat) ** 2)
            / (sigma_beat * np.sqrt(2 * np.pi))
        )
    return np.log(density)


def _signed_bins() -> np.ndarray:
    return (np.arange(_BINS) + _BINS // 2) % _BINS - _BINS // 2


def _latency_prior(beat_s: float, offset_known: bool) -> np.ndarray:
    """Log prior of each constant offset: small ones first; beyond a sixteenth lies another place in the music."""
    if not offset_known:
        return np.zeros(_BINS)
    offset_beat = _signed_bins() / _BINS
    widest = min(1.0 / 8.0, 0.1 / beat_s)
    return np.where(np.abs(offset_beat) <= widest, -0.5 * (offset_beat * beat_s / _LATENCY_S) ** 2, -np.inf)


def _constant_offset(beat: np.ndarray, likelihood: np.ndarray, prior: np.ndarray) -> tuple[float, float]:
    """Return the best constant offset in beats and its log likelihood, prior apart."""
    counts = np.bincount(np.floor(beat * _BINS + 0.5).astype(np.int64) % _BINS, minlength=_BINS).astype(np.float64)
    totals = likelihood[_DISTANCE].T @ counts
    best = int(np.argmax(totals + prior))
    return float(_signed_bins()[best]) / _BINS, float(totals[best])


def _drift_rate(beat: np.ndarray, likelihood: np.ndarray) -> float:
    """Return the constant rate of drift (beats gained a beat of the click) that lines the notes up, 0 unless clear."""
    window = np.floor((beat - beat[0]) / _DRIFT_WINDOW_BEATS).astype(np.int64)
    _, window = np.unique(window, return_inverse=True)
    shift = likelihood[_DISTANCE]
    totals = np.empty(len(_DRIFT_RATES))
    for k, rate in enumerate(_DRIFT_RATES):
        place = beat - rate * (beat - beat[0])
        cell = window * _BINS + np.floor(place * _BINS + 0.5).astype(np.int64) % _BINS
        counts = np.bincount(cell, minlength=(window[-1] + 1) * _BINS).reshape(-1, _BINS)
        totals[k] = (counts @ shift).max(axis=1).sum()
    best = int(np.argmax(totals))
    still = totals[len(_DRIFT_RATES) // 2]
    return float(_DRIFT_RATES[best]) if totals[best] - still > 10.0 + 0.1 * len(beat) else 0.0


def _slow_offset(beat: np.ndarray, beat_s: np.ndarray, offset_known: bool) -> _Offset:
    """Follow the player's offset: constant, or moving where that explains the notes clearly better."""
    from ..core.kernels.local_fit import local_linear
    from ..core.kernels.phase_track import phase_track

    n, typical_s = len(beat), float(np.median(beat_s))
    likelihood = _wrapped_likelihood(max(0.02 / typical_s, 1.0 / _BINS))
    prior = _latency_prior(typical_s, offset_known)
    constant, flat_total = _constant_offset(beat, likelihood, prior)
    gain = flat_total / n
    flat = _Offset(np.full(n, constant), False, gain, gain)
    if n < _LEAST_TRACKED:
        return flat
    rate = _drift_rate(beat, likelihood)
    drift = rate * (beat - beat[0])
    place = np.ascontiguousarray(beat - drift)
    # A take that drifts begins with its click; one that does not stays near it.
    everywhere = prior if rate == 0.0 else np.zeros(_BINS)
    path = phase_track(place, likelihood, prior, np.where(np.isfinite(everywhere), 0.0, -np.inf), 0.5, 2)
    bins = np.floor(place * _BINS + 0.5).astype(np.int64)
    moves = float((0.5 * np.diff(path) ** 2 / np.maximum(np.diff(place), 0.02)).sum())
    path_total = float(likelihood[(bins - path) % _BINS].sum()) - moves
    if path_total - flat_total < 10.0 + 0.1 * n:
        return flat
    path = path - _BINS * int(np.round((path[0] - _signed_bins()[path[0] % _BINS]) / _BINS))
    smooth, _ = local_linear(beat, path / _BINS + drift, beat, 2.0, 4)
    return _Offset(smooth, True, gain, path_total / n)


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


def _swung_lines(ratio: float, unit: str) -> tuple[float, ...]:
    return (0.0, ratio) if unit == "8" else (0.0, ratio / 2, 0.5, 0.5 + ratio / 2)


def _best_grids(beat: np.ndarray, beat_s: np.ndarray, voice: np.ndarray, slow: _Offset, offset_known: bool) -> _Settled:
    """Choose a subdivision for every beat that holds notes, and one swing ratio where the take says so."""
    typical_s = float(np.median(beat_s))
    prior = _latency_prior(typical_s, offset_known)
    best = _settled(beat, beat_s, voice, slow.beat, (np.nan, ""))
    best_total = best.total + _prior_at(prior, best.offset, slow.tracked)
    sigma_beat = max(0.02 / typical_s, 1.0 / _BINS)
    for unit in ("8", "16"):
        for ratio in _SWING_RATIOS:
            lines = _swung_lines(ratio, unit)
            likelihood = _wrapped_likelihood(sigma_beat, tuple((line, 0.9 / len(lines)) for line in lines))
            # Straight lines put half of the swing into the offset, not more.
            reach = (ratio - 0.5) / (2.0 if unit == "8" else 4.0) + 0.02
            near = np.where(np.abs(_signed_bins()) / _BINS <= reach, 0.0, -np.inf)
            extra, _ = _constant_offset(beat - slow.beat, likelihood, near)
            swung = _settled(beat, beat_s, voice, slow.beat + extra, (ratio, unit))
            total = swung.total + _prior_at(prior, swung.offset, slow.tracked) - _SWING_COST
            share = float(np.mean(swung.choice == len(_STRAIGHT)))
            inside = _LEAST_RATIO < swung.swing[0] < _MOST_RATIO
            if total > best_total and share >= _LEAST_SWUNG_SHARE and inside:
                best, best_total = swung, total
    return best


def _prior_at(prior: np.ndarray, offset_beat: np.ndarray, tracked: bool) -> float:
    """Read the prior of a constant offset; one that moves has had its own."""
    if tracked:
        return 0.0
    bins = int(np.floor(offset_beat[0] * _BINS + 0.5)) % _BINS
    return float(max(prior[bins], _FARTHEST))


def _settled(
    beat: np.ndarray,
    beat_s: np.ndarray,
    voice: np.ndarray,
    offset: np.ndarray,
    swing: tuple[float, str],
) -> _Settled:
    """Let grids, offset, spread and swing ratio settle on each other, in three rounds."""
    from ..core.kernels.grid_path import grid_path

    sigma_s = 0.02
    ratio, unit = swing
    names = [*_STRAIGHT, f"swung {unit}"] if unit else list(_STRAIGHT)
    for last in (False, False, True):
        grids = list(_STRAIGHT.values())
        if unit:
            grids.append((_swung_lines(ratio, unit), _SWING_PRIOR * _STRAIGHT[unit][1]))
        place = beat - offset
        emission = np.column_stack([_emission(place, beat_s, voice, g, p, sigma_s) for g, p in grids])
        choice, total = grid_path(emission, _CHANGE_COST)
        line_beat, grid = _nearest_lines(place, [lines for lines, _ in grids], choice)
        if last:
            break
        residual = place - line_beat
        inside = line_beat - np.floor(line_beat)
        off_beat = (grid == len(_STRAIGHT)) & (np.abs(inside) > 1e-9) & (np.abs(inside - 0.5) > 1e-9)
        steady = ~off_beat if (~off_beat).sum() >= _LEAST_STEADY else np.ones(len(beat), dtype=bool)
        shift = float(np.median(residual[steady]))
        if unit and off_beat.any():
            late = float(np.median(residual[off_beat])) - shift
            ratio = float(np.clip(ratio + late * (1.0 if unit == "8" else 2.0), _LEAST_RATIO, _MOST_RATIO))
        offset = offset + shift
        residual_s = residual * beat_s
        spread = 1.4826 * float(np.median(np.abs(residual_s - np.median(residual_s))))
        sigma_s = float(np.clip(spread, 0.003, 0.03))
    return _Settled(total, names, choice, line_beat, offset, sigma_s, (ratio, unit))


def _nearest_lines(
    place: np.ndarray, lines: list[tuple[float, ...]], choice: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the line of each note, beats, and the grid of its beat."""
    whole = np.floor(place)
    _, index = np.unique(whole, return_inverse=True)
    grid = choice[index]
    out = np.empty(len(place))
    for g, fractions in enumerate(lines):
        rows = np.flatnonzero(grid == g)
        at = np.array([*fractions, 1.0])
        inside = place[rows] - whole[rows]
        out[rows] = whole[rows] + at[np.abs(inside[:, None] - at[None, :]).argmin(axis=1)]
    return out, grid
