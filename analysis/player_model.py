"""The figures of a profile: what the parametric player needs to know of a player.

Conventions
-----------
Timing of a note, in ms:

    template[voice, cell] + its change from take to take + clock[moment] + motor[moment] + asynchrony[note]
    + ms_per_velocity * (how much louder the note is than expected)

The clock is fractional noise with power 1/f**beta over the moments (below ``corner``, in cycles a moment, it rises no
more: who hears a click comes back to it), motor and asynchrony are white; moments are the
sets of notes written at one time. Dynamics: template + change from take to take + a residual that remembers the note
before in its voice (``lag1``) and the same place a bar earlier (``bar_memory``). Every figure stands beside ``n``,
how many notes it was made of.

References
----------
Hennig et al. 2011, PLoS ONE 6:e26457 (1/f timing of musicians). Gilden, Thornton and Mallon 1995, Science 267
(1/f clock and white motor part). Goebl 2001, JASA 110, section III (louder notes of a chord sound earlier).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from ..core.fractional import fit_noise
from ..core.metrical import TWELFTHS, phrase_arch, previous_of, slot_means
from .observe import Observations, codes

# Window of the clock's size, in moments: about 16 bars of eighths.
CLOCK_WINDOW = 128
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
# An instrument's mean counts as this many notes against a cell's own.
SHRINK_NOTES = 8.0
# Within one take the cells hold few notes each, and the groove differs from take to take.
SHRINK_IN_TAKE = 4.0
_FEWEST = 16


def model_of(deviations: Sequence[Deviations], seen: Observations, kind: str) -> dict[str, Any]:
    """Return the model's figures by trace, ready for JSON."""
    names = sorted(set(seen.voice.tolist()))
    voice, slot = codes(seen, names)
    slope = _ms_per_velocity(seen, voice, slot, kind)
    straight = seen.replace(timing_ms=seen.timing_ms - _coupled(seen, slope["ms_per_velocity"], voice, slot, kind))
    timing_ms, timing_means = _within_takes(straight, straight.timing_ms, voice, slot)
    value, value_means = _within_takes(seen, seen.value, voice, slot)
    timing, clock = _timing(straight, timing_ms, voice, names)
    dynamics = _dynamics(seen, value, voice, slot, names)
    for trace, means, left in ((timing, timing_means, timing_ms), (dynamics, value_means, value)):
        for name, spread in _between_takes(seen, means, left, voice, slot, names).items():
            trace["voices"][name].update(spread)
    return {
        "takes": len(set(seen.take.tolist())),
        "notes": len(seen),
        "moments_per_take": int(np.median([len(np.unique(seen.group[seen.take == t])) for t in np.unique(seen.take)])),
        "voices": names,
        "template": _template(straight, timing_ms, value, voice, slot, names),
        "timing": {"n": len(seen), "voices": timing["voices"], "clock": clock, "coupling": slope},
        "dynamics": {"n": int(np.isfinite(seen.value).sum()), "absolute": kind == "drums", **dynamics},
        "articulation": _articulation(seen),
        "tempo": _tempo(deviations),
    }


def _within_takes(
    seen: Observations, values: np.ndarray, voice: np.ndarray, slot: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (residual, take's own template) per row."""
    means = np.zeros(len(values))
    for take in np.unique(seen.take):
        rows = seen.take == take
        means[rows] = slot_means(values[rows], voice[rows], slot[rows], SHRINK_IN_TAKE)
    return values - means, means


def group_means(values: np.ndarray, seen: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Return (mean of each row's moment, size of the moment) over the known values."""
    _, moment = np.unique(seen.take * (seen.group.max() + 1) + seen.group, return_inverse=True)
    known = np.isfinite(values)
    size = np.bincount(moment, known)
    mean = np.bincount(moment, np.where(known, values, 0.0)) / np.maximum(size, 1)
    return mean[moment], size[moment]


def _louder(seen: Observations, voice: np.ndarray, slot: np.ndarray, kind: str) -> np.ndarray:
    """Return how much louder each note is than expected: than its moment's mean, for drums than its slot's."""
    if kind == "drums":
        return _within_takes(seen, seen.value, voice, slot)[0]
    # Within a moment the level is one, so that velocities compare as they are.
    loud = np.where(np.isfinite(seen.velocity), seen.velocity, seen.value)
    return loud - group_means(loud, seen)[0]


def _ms_per_velocity(seen: Observations, voice: np.ndarray, slot: np.ndarray, kind: str) -> dict[str, Any]:
    louder = _louder(seen, voice, slot, kind)
    if kind == "drums":
        late = _within_takes(seen, seen.timing_ms, voice, slot)[0]
        used = np.isfinite(louder) & np.isfinite(late)
    else:
        mean, size = group_means(seen.timing_ms, seen)
        late = seen.timing_ms - mean
        used = np.isfinite(louder) & np.isfinite(late) & (size > 1)
    n, power = int(used.sum()), float((louder[used] ** 2).sum())
    if n < _FEWEST or power <= 0.0:
        return {"n": n, "ms_per_velocity": 0.0, "correlation": None}
    cross = float((louder[used] * late[used]).sum())
    spread = float(np.sqrt(power * (late[used] ** 2).sum()))
    return {"n": n, "ms_per_velocity": _r(cross / power, 4), "correlation": _r(cross / spread, 3) if spread else 0.0}


def _coupled(seen: Observations, slope: float, voice: np.ndarray, slot: np.ndarray, kind: str) -> np.ndarray:
    return slope * np.nan_to_num(_louder(seen, voice, slot, kind)) if slope else np.zeros(len(seen))


def _timing(
    seen: Observations, residual: np.ndarray, voice: np.ndarray, names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the residual into clock, motor and asynchrony."""
    mean, size = group_means(residual, seen)
    first = np.flatnonzero(np.diff(seen.take * (seen.group.max() + 1) + seen.group, prepend=-1))
    series = [mean[first][seen.take[first] == take] for take in np.unique(seen.take)]
    lag1 = [float(np.corrcoef(x[:-1], x[1:])[0, 1]) for x in series if len(x) >= 32 and x.std() > 0.0]
    # Takes count alike, whatever their size: one that lost the click would else speak for all.
    sizes = np.array([x.std() for x in series])
    usual = float(np.median(sizes[sizes > 0.0])) if (sizes > 0.0).any() else 0.0
    factor = np.where(sizes > 0.0, usual / np.where(sizes > 0.0, sizes, 1.0), 0.0)
    noise = fit_noise([x * f for x, f in zip(series, factor, strict=True) if f > 0.0], CLOCK_WINDOW)
    of_row = factor[np.unique(seen.take, return_inverse=True)[1]]
    residual, mean = residual * of_row, mean * of_row
    beta, clock_sd, white_sd = noise.beta, noise.fractional_sd, noise.white_sd
    known = np.isfinite(beta)
    if not known:  # too short a take for a spectrum: 1/f with the residual's own size, as Hennig et al. found
        beta, clock_sd = 1.0, float(np.sqrt(0.5) * residual.std())
    asynchrony, motor = _white_parts(residual, mean, size, voice, len(names), clock_sd**2)
    voices: dict[str, Any] = {}
    for i, name in enumerate(names):
        rows = voice == i
        voices[name] = {
            "n": int(rows.sum()),
            "mean": _r(float(seen.timing_ms[rows].mean()), 3),
            "sd": _r(float(residual[rows].std()), 3),
            "asynchrony": _r(float(asynchrony[i]), 3),
        }
    clock = {
        "n": int(sum(len(s) for s in series)),
        "measured": bool(known),
        "beta": _r(beta, 3),
        "corner": _r(noise.corner, 6) if known else 0.0,
        "sd": _r(clock_sd, 3),
        "window": CLOCK_WINDOW,
        "motor": _r(motor, 3),
        "white_sd": _r(white_sd, 3) if known else None,
        "lag1": _r(float(np.median(lag1)), 3) if lag1 else None,
        "dfa_exponent": _dfa(series),
    }
    return {"voices": voices}, clock


def _white_parts(
    residual: np.ndarray, mean: np.ndarray, size: np.ndarray, voice: np.ndarray, n_voices: int, clock_variance: float
) -> tuple[np.ndarray, float]:
    """Return (asynchrony sd per voice, motor sd) by least squares on variances.

    Two kinds of equations, linear in the variances: a note's squared distance from its moment's mean, and each voice's
    own variance, which holds the clock's, the motor's and its own part.
    """
    from scipy.optimize import nnls

    left, right = [], []
    chord = size > 1
    if chord.any():
        moment = np.unique(np.stack([mean[chord], size[chord]]), axis=1, return_inverse=True)[1].ravel()
        count = np.zeros((moment.max() + 1, n_voices))
        np.add.at(count, (moment, voice[chord]), 1.0)
        m = size[chord][:, None]
        own = np.zeros((int(chord.sum()), n_voices))
        own[np.arange(len(own)), voice[chord]] = 1.0
        # var(r_i - mean) = s_i^2 (1 - 2/m) + sum_j s_j^2 / m^2
        left.append(np.hstack([own * (1.0 - 2.0 / m) + count[moment] / m**2, np.zeros((len(own), 1))]))
        right.append((residual[chord] - mean[chord]) ** 2)
    for i in range(n_voices):
        rows = voice == i
        weight = np.sqrt(rows.sum())
        row = np.zeros((1, n_voices + 1))
        row[0, i] = row[0, n_voices] = weight
        left.append(row)
        right.append(np.array([weight * max(float((residual[rows] ** 2).mean()) - clock_variance, 0.0)]))
    matrix, target = np.vstack(left), np.concatenate(right)
    # The normal equations have one row an unknown, so that a million notes cost no more than ten.
    solved, _ = nnls(matrix.T @ matrix + 1e-9 * np.eye(n_voices + 1), matrix.T @ target)
    return np.sqrt(solved[:-1]), float(np.sqrt(solved[-1]))


def _dynamics(
    seen: Observations, residual: np.ndarray, voice: np.ndarray, slot: np.ndarray, names: Sequence[str]
) -> dict[str, Any]:
    take_slot = seen.take * (slot.max() + 1) + slot
    take_voice = seen.take * (voice.max() + 1) + voice
    before = previous_of(take_voice, seen.beat)
    bar_before = previous_of(take_slot, seen.beat)
    bar_before[(bar_before >= 0) & (seen.bar - seen.bar[bar_before] != 1)] = -1
    voices: dict[str, Any] = {}
    for i, name in enumerate(names):
        rows = (voice == i) & np.isfinite(residual)
        n = int(rows.sum())
        sd = float(residual[rows].std()) if n else 0.0
        standard = residual[rows] / sd if sd > 0 else np.zeros(1)
        voices[name] = {
            "n": n,
            "mean": _r(float(seen.value[rows].mean()), 2) if n else None,
            "sd": _r(sd, 2),
            "lag1": _correlation(residual, before, rows),
            "bar_memory": _correlation(residual, bar_before, rows),
            "quantiles": [_r(float(q), 3) for q in np.quantile(standard, QUANTILES)],
        }
    return {"quantile_levels": list(QUANTILES), "voices": voices}


def _correlation(values: np.ndarray, previous: np.ndarray, rows: np.ndarray) -> float:
    """Return the correlation of each value with the one it follows; 0 where there are too few."""
    late = np.flatnonzero(rows & (previous >= 0))
    late = late[np.isfinite(values[previous[late]])]
    if len(late) < _FEWEST:
        return 0.0
    a, b = values[late], values[previous[late]]
    return _r(float(np.corrcoef(a, b)[0, 1]), 3) if a.std() > 0 and b.std() > 0 else 0.0


def _between_takes(
    seen: Observations,
    means: np.ndarray,
    residual: np.ndarray,
    voice: np.ndarray,
    slot: np.ndarray,
    names: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return per voice the sd between takes: of the whole voice, and of its cells beside that; 0 for one take."""
    takes = len(np.unique(seen.take))
    out = {name: {"between_takes": 0.0, "between_takes_cell": 0.0} for name in names}
    if takes < 2:
        return out
    _, first, count = np.unique(seen.take * (slot.max() + 1) + slot, return_index=True, return_counts=True)
    own, n = means[first], count.astype(float)
    _, cell = np.unique(slot[first], return_inverse=True)
    away = own - (np.bincount(cell, n * own) / np.bincount(cell, n))[cell]
    _, part = np.unique(seen.take[first] * (voice.max() + 1) + voice[first], return_inverse=True)
    common = (np.bincount(part, n * away) / np.bincount(part, n))[part]
    # n / (n - 1) for the common mean that was taken from the same takes.
    widen = takes / (takes - 1.0)
    for i, name in enumerate(names):
        rows = voice[first] == i
        weight = n[rows].sum()
        if weight:
            out[name]["between_takes"] = _r(np.sqrt(widen * (n[rows] * common[rows] ** 2).sum() / weight), 3)
            # The means of cells with few notes differ by chance alone: residual variance over their count.
            chance = float(np.nanvar(residual[voice == i])) * rows.sum() / weight
            rest = widen * (n[rows] * (away - common)[rows] ** 2).sum() / weight - chance
            out[name]["between_takes_cell"] = _r(np.sqrt(max(rest, 0.0)), 3)
    return out


def _template(
    seen: Observations,
    timing_ms: np.ndarray,
    value: np.ndarray,
    voice: np.ndarray,
    slot: np.ndarray,
    names: Sequence[str],
) -> list[dict[str, Any]]:
    """Return a row per voice and cell: shrunken means, the sd of what is left, and how many notes."""
    mean_ms = slot_means(seen.timing_ms, voice, slot, SHRINK_NOTES)
    mean_value = slot_means(seen.value, voice, slot, SHRINK_NOTES)
    spread_ms = np.sqrt(slot_means(timing_ms**2, voice, slot, SHRINK_NOTES))
    spread_value = np.sqrt(slot_means(value**2, voice, slot, SHRINK_NOTES))
    _, first, count = np.unique(slot, return_index=True, return_counts=True)
    return [
        {
            "voice": names[voice[i]],
            "cell": int(seen.cell[i]),
            "beat": _r(1.0 + float(seen.cell[i]) / TWELFTHS, 3),
            "n": int(n),
            "timing_ms": _r(float(mean_ms[i]), 2),
            "timing_sd_ms": _r(float(spread_ms[i]), 2),
            "velocity": _r(float(mean_value[i]), 1),
            "velocity_sd": _r(float(spread_value[i]), 1),
        }
        for i, n in zip(first, count, strict=True)
    ]


def _articulation(seen: Observations) -> dict[str, Any]:
    values = seen.articulation_log2
    rows = np.isfinite(values)
    if rows.sum() < _FEWEST:
        return {"n": int(rows.sum()), "mean_log2": 0.0, "sd_log2": 0.0, "lag1": 0.0}
    before = previous_of(seen.take, seen.beat)
    middle = float(np.median(values[rows]))
    # 0.7413 times the range between the quartiles is the sd of a normal distribution: staccato tails do not widen it.
    low, high = np.quantile(values[rows], (0.25, 0.75))
    return {
        "n": int(rows.sum()),
        "mean_log2": _r(middle, 3),
        "sd_log2": _r(0.7413 * float(high - low), 3),
        "lag1": _correlation(values, before, rows),
    }


def _tempo(deviations: Sequence[Deviations]) -> dict[str, Any]:
    """Fit the tempo curve: an arch over each phrase and a fractional drift, both as log2 of the tempo ratio."""
    none = {
        "n": 0,
        "arch_log2": 0.0,
        "phrase_beats": 16,
        "drift_sd_log2": 0.0,
        "beta": 1.0,
        "corner": 0.0,
        "window": 64,
    }
    curves = []
    for d in deviations:
        if d.reference.get("timing_basis") != "tempo" or len(d.tempo) < _FEWEST:
            continue
        beat = np.arange(np.ceil(d.tempo.beat[0]), np.floor(d.tempo.beat[-1]))
        if len(beat) >= _FEWEST:
            ratio = np.log2(d.basis.tempo_bpm_at(beat) / d.reference_timeline.tempo_bpm_at(beat))
            curves.append((beat, ratio - ratio.mean()))
    if not curves:
        return none
    best = (-1.0, 16, 0.0)
    total = sum(float((r**2).sum()) for _, r in curves)
    for phrase_beats in (8, 12, 16, 24, 32):
        shapes = [phrase_arch(beat, phrase_beats) for beat, _ in curves]
        power = sum(float((s**2).sum()) for s in shapes)
        cross = sum(float((s * r).sum()) for s, (_, r) in zip(shapes, curves, strict=True))
        if cross > 0.0 and cross**2 / power > best[0]:
            best = (cross**2 / power, phrase_beats, cross / power)
    _, phrase_beats, arch = best
    left = [r - arch * phrase_arch(beat, phrase_beats) for beat, r in curves]
    # The drift's size is told for a piece as long as those heard; a longer one strays little further.
    window = int(np.clip(np.median([len(r) for r in left]), 16, 512))
    noise = fit_noise(left, window)
    known = noise.fractional_sd > 0.0
    pooled = float(np.sqrt(np.mean(np.concatenate(left) ** 2)))
    return {
        "n": int(sum(len(r) for r in left)),
        "arch_log2": _r(arch, 4),
        "phrase_beats": phrase_beats,
        "explained_by_arch": _r(max(best[0], 0.0) / total, 3) if total > 0 else 0.0,
        "drift_sd_log2": _r(pooled, 4),
        "beta": _r(noise.beta, 3) if known else 1.0,
        "corner": _r(max(noise.corner if known else 0.0, 1.0 / window), 6),
        "window": window,
    }


def _dfa(series: Sequence[np.ndarray]) -> float | None:
    """Return the median DFA exponent of the takes long enough for one."""
    try:
        from .fluctuation import dfa
    except ImportError:
        return None
    found = []
    for x in series:
        if len(x) >= 128:
            value = getattr(dfa(x), "exponent", np.nan)
            if np.isfinite(value):
                found.append(float(value))
    return _r(float(np.median(found)), 3) if found else None


def _r(value: float, digits: int) -> float:
    """Round for a readable document; -0.0 becomes 0.0."""
    return round(float(value), digits) + 0.0
