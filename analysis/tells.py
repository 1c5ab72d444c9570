"""What gives a synthetic performance away: features, their permutation test, and a sentence for each.

Conventions
-----------
A feature is a function of sums over blocks, so that dealing the blocks to the two sides anew costs one matrix product.
Timing is centred on each take's own mean first. ``low`` and ``high`` are 95 % bounds from a bootstrap over blocks.
A feature is a tell when its p-value, corrected for looking at all features at once (the largest of all standardised
differences in each deal: Westfall & Young 1993, *Resampling-Based Multiple Testing*, section 2.3), is below 0.05,
and the difference is larger than that between the first and the second half of the real side: within a take people
change. Tells are ordered by strength: the difference over its bootstrap standard error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .block_sums import (
    centred,
    correlation,
    divide,
    following,
    grouped,
    known,
    means,
    medians,
    previous_bar,
    ratio,
    root,
    same_voice,
    slots,
    sums,
)
from .passages import Passages

LEVEL = 0.05
BOOTSTRAPS = 400
# Where one side does not vary at all the strength would be infinite.
_STRONGEST = 99.0
_EXACT_MS = 0.25
LEAST_VALUES = 20
NOTHING = 0.1

# Nobody says "-0 %".
_MINUS_NOTHING = re.compile(r"-(0(?:\.0+)?)(?![\d.])")

Value = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Feature:
    """One number a side, computed from sums over blocks.

    Parameters
    ----------
    name, trace : str
    figure : str
        Format of both numbers in a sentence, with ``{s}`` and ``{r}``.
    lower, higher : str
        What is wrong when the synthetic side lies lower, or higher.
    sums : ndarray [shape=(k, m)], a row a block; the last column counts what stands behind the others
    value : callable, (p, m) sums to (p,) numbers; NaN = not known
    none : str
        What is wrong when it is next to nothing, below 0.1 in size and smaller than the real one; "" = as above.
    least : float
        Differences below this are never a tell: nobody could hear or see them.
    enough : float
        What the last column of ``sums`` must come to on either side.
    """

    name: str
    trace: str
    figure: str
    lower: str
    higher: str
    sums: np.ndarray
    value: Value
    least: float = 0.0
    none: str = ""
    enough: float = LEAST_VALUES


def find_tells(passages: Passages, permutations: int, seed: int, more: Sequence[Feature] = ()) -> list[dict[str, Any]]:
    """Return what tells the synthetic side from the real one, strongest first.

    Parameters
    ----------
    passages : Passages
    permutations : int
    seed : int
    more : sequence of Feature
        To be looked at beside those of the notes.

    Returns
    -------
    list of dict
        ``feature, trace, sentence, real, real_low, real_high, synthetic, synthetic_low, synthetic_high, p_value``
        (corrected) and ``strength``.
    """
    side = passages.block_side
    features = [f for f in (*features_of(passages), *more) if _enough(f, side)]
    if not features or not passages.testable:
        return []
    rng = np.random.default_rng(seed)
    deals = dealt(side, permutations, rng)
    chosen = {which: resampled(side == which, BOOTSTRAPS, rng) for which in (0, 1)}
    observed = np.array([np.subtract(*_both(f, side)[::-1]) for f in features])
    moved = np.array([f.value(deals @ f.sums) - f.value((1.0 - deals) @ f.sums) for f in features])
    scale = np.sqrt(np.nanmean(moved**2, axis=1))
    usable = scale > 1e-12
    worst = np.nanmax(np.abs(moved[usable]) / scale[usable, None], axis=0) if usable.any() else np.zeros(permutations)
    tells = []
    for feature, difference, spread, ok in zip(features, observed, scale, usable, strict=True):
        if not ok or abs(difference) <= max(feature.least, _own_drift(feature, side)):
            continue
        # A hair below the value itself, so that a deal equal to the real one counts.
        reached = worst >= abs(difference) / spread * (1.0 - 1e-9)
        p_value = (1.0 + reached.sum()) / (permutations + 1.0)
        if p_value < LEVEL:
            tells.append(_tell(feature, side, chosen, p_value, passages))
    return sorted(tells, key=lambda tell: -tell["strength"])


def dealt(side: np.ndarray, permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Return random sides, 1.0 = synthetic, [shape=(permutations, k)]; each side keeps its number of blocks."""
    order = rng.permuted(np.tile(np.arange(len(side)), (permutations, 1)), axis=1)
    return side[order].astype(np.float64)


def resampled(members: np.ndarray, times: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each block is drawn in a bootstrap over ``members``, [shape=(times, k)]."""
    index = np.flatnonzero(members)
    counts = rng.multinomial(len(index), np.full(len(index), 1.0 / len(index)), size=times)
    out = np.zeros((times, len(members)))
    out[:, index] = counts
    return out


def _both(feature: Feature, side: np.ndarray) -> np.ndarray:
    weights = np.stack([side == 0, side == 1]).astype(np.float64)
    return feature.value(weights @ feature.sums)


def _enough(feature: Feature, side: np.ndarray) -> bool:
    counts = [feature.sums[side == which, -1].sum() for which in (0, 1)]
    return min(counts) >= feature.enough and bool(np.isfinite(_both(feature, side)).all())


def _own_drift(feature: Feature, side: np.ndarray) -> float:
    """Return how far the first and second half of the real side lie apart: a player changes in the course of a take."""
    index = np.flatnonzero(side == 0)
    halves = np.zeros((2, len(side)))
    halves[0, index[: len(index) // 2]] = 1.0
    halves[1, index[len(index) // 2 :]] = 1.0
    first, second = feature.value(halves @ feature.sums)
    return float(abs(first - second)) if np.isfinite([first, second]).all() else 0.0


def _tell(
    feature: Feature, side: np.ndarray, chosen: dict[int, np.ndarray], p_value: float, passages: Passages
) -> dict[str, Any]:
    real, synthetic = _both(feature, side)
    drawn = [feature.value(chosen[which] @ feature.sums) for which in (0, 1)]
    bounds = [np.nanpercentile(values, [2.5, 97.5]) for values in drawn]
    error = np.sqrt(sum(np.nanvar(values) for values in drawn))
    strength = min(_STRONGEST, abs(synthetic - real) / max(error, 1e-12))
    words = feature.lower if synthetic < real else feature.higher
    if feature.none and abs(synthetic) < min(NOTHING, abs(real)):
        words = feature.none
    takes = "take" if (passages.take_side == 0).sum() == 1 else "takes"
    figures = _MINUS_NOTHING.sub(r"\1", feature.figure.format(s=synthetic, r=real))
    return {
        "feature": feature.name,
        "trace": feature.trace,
        "sentence": f"{words}: {figures} in the real {takes}.",
        "real": float(real),
        "real_low": float(bounds[0][0]),
        "real_high": float(bounds[0][1]),
        "synthetic": float(synthetic),
        "synthetic_low": float(bounds[1][0]),
        "synthetic_high": float(bounds[1][1]),
        "p_value": float(p_value),
        "strength": float(strength),
    }


def features_of(passages: Passages) -> list[Feature]:
    """Return every feature that the two sides allow."""
    return [*_timing(passages), *_chords(passages), *_loudness(passages), *_articulation(passages), *_tempo(passages)]


def _timing(p: Passages) -> Iterator[Feature]:
    hits, k = p.hits, len(p.block_side)
    timing = centred(hits.timing_ms, hits.take)
    slot_take, slot_block, slot_mean, slot_bar = slots(hits, timing)
    x, y, block = following(slot_mean, slot_take, slot_block)
    yield Feature(
        "timing_memory",
        "timing",
        "autocorrelation from one place to the next {s:.2f} against {r:.2f}",
        "Timing has too little memory",
        "Timing hangs together too much",
        sums(k, block, x * y, 0.5 * (x * x + y * y)),
        ratio,
        0.03,
        "Timing has no memory",
    )
    keys, bar_of = grouped(slot_take, slot_bar)
    bar_mean = means(slot_mean, bar_of, len(keys))
    count = np.bincount(bar_of, weights=np.isfinite(slot_mean), minlength=len(keys))
    bar_block = np.zeros(len(keys), dtype=np.int64)
    bar_block[bar_of] = slot_block
    full = count >= 3
    yield Feature(
        "timing_wander",
        "timing",
        "the bars' mean timing varies with an sd of {s:.1f} ms against {r:.1f} ms",
        "Timing does not wander from bar to bar",
        "Timing wanders too far from bar to bar",
        sums(k, bar_block[full], bar_mean[full] ** 2, np.ones(int(full.sum()))),
        root,
        0.5,
    )
    x, y, block = previous_bar(hits, timing)
    yield Feature(
        "timing_echo",
        "timing",
        "correlation with the same place one bar before {s:.2f} against {r:.2f}",
        "Timing does not repeat from bar to bar",
        "Timing repeats too faithfully from bar to bar",
        sums(k, block, x * y, 0.5 * (x * x + y * y)),
        ratio,
        0.03,
    )
    yield _template(
        p,
        "timing",
        timing,
        "Timing does not depend on the place in the bar",
        "Timing follows the place in the bar too strictly",
    )
    yield _spread(p, "timing", timing, "ms", "Timing is too tight", "Timing is too loose")
    yield _tails(p, "timing", timing)
    grid = np.abs(hits.timing_ms - medians(hits.timing_ms, hits.take)) < _EXACT_MS
    yield Feature(
        "timing_on_grid",
        "timing",
        "{s:.0%} of the notes lie within 0.25 ms of one constant offset from the grid against {r:.0%}",
        "Hardly a note lies exactly on the grid",
        "Notes lie exactly on the grid",
        sums(k, hits.block, known(hits.timing_ms, grid), known(hits.timing_ms, 1.0)),
        ratio,
        0.03,
    )


def _chords(p: Passages) -> Iterator[Feature]:
    hits, k = p.hits, len(p.block_side)
    keys, slot = np.unique(hits.slot, return_inverse=True)
    inside = hits.timing_ms - means(hits.timing_ms, slot, len(keys))[slot]
    loud = hits.velocity - means(hits.velocity, slot, len(keys))[slot]
    size = np.bincount(slot, weights=np.isfinite(hits.timing_ms), minlength=len(keys))[slot]
    chord = (size >= 2) & np.isfinite(inside)
    freedom = np.where(chord, 1.0 - 1.0 / np.maximum(size, 1.0), 0.0)
    yield Feature(
        "chord_spread",
        "timing",
        "notes written together sound with an sd of {s:.1f} ms between them against {r:.1f} ms",
        "Notes written together sound too much together",
        "Notes written together fall too far apart",
        sums(k, hits.block, np.where(chord, inside, np.nan) ** 2, freedom),
        root,
        0.5,
    )
    both = chord & np.isfinite(loud)
    a, b = np.where(both, inside, np.nan), np.where(both, loud, np.nan)
    yield Feature(
        "chord_coupling",
        "timing",
        "correlation of loudness and lateness inside chords {s:.2f} against {r:.2f}",
        "In chords the louder notes come too early",
        "In chords the louder notes come too late",
        sums(k, hits.block, a * b, a * a, b * b),
        correlation,
        0.05,
        "In chords loudness and lateness have nothing to do with each other",
    )


def _loudness(p: Passages) -> Iterator[Feature]:
    hits, k, unit = p.hits, len(p.block_side), p.loudness_unit
    loud = hits.velocity
    said = "velocity steps" if unit == "velocity" else "dB"
    yield Feature(
        "loudness_level",
        "dynamics",
        f"mean {{s:.1f}} {said} against {{r:.1f}}",
        "The playing is softer over all",
        "The playing is louder over all",
        sums(k, hits.block, known(loud, loud), known(loud, 1.0)),
        ratio,
        1.0,
    )
    yield _spread(p, "dynamics", loud, said, "Loudness hardly varies", "Loudness varies too much")
    yield _template(
        p,
        "dynamics",
        loud,
        "Accents do not follow the place in the bar",
        "Accents follow the place in the bar too strictly",
    )
    x, y, block = previous_bar(hits, loud)
    yield Feature(
        "loudness_bar_step",
        "dynamics",
        f"a note differs from the same place one bar before by {{s:.1f}} {said} on average against {{r:.1f}}",
        "Bars repeat each other's loudness too faithfully",
        "Loudness does not repeat from bar to bar",
        sums(k, block, np.abs(x - y), np.ones(len(x))),
        ratio,
        0.5,
    )
    x, y, block = same_voice(hits, loud)
    yield Feature(
        "loudness_step",
        "dynamics",
        f"a note differs from the one before by {{s:.1f}} {said} on average against {{r:.1f}}",
        "Loudness changes too little from note to note",
        "Loudness jumps too much from note to note",
        sums(k, block, np.abs(x - y), np.ones(len(x))),
        ratio,
        0.5,
    )
    if unit == "velocity":
        yield Feature(
            "velocity_repeats",
            "dynamics",
            "{s:.0%} of the notes have exactly the velocity of the one before against {r:.0%}",
            "Velocities hardly ever repeat exactly",
            "Velocities repeat exactly",
            sums(k, block, (x == y).astype(np.float64), np.ones(len(x))),
            ratio,
            0.03,
        )
    level = centred(hits.dynamics, hits.take)
    x, y, block = following(level, hits.take, hits.block)
    yield Feature(
        "dynamics_memory",
        "dynamics",
        "lag-1 autocorrelation {s:.2f} against {r:.2f}",
        "Dynamics have too little memory",
        "Dynamics hang together too much",
        sums(k, block, x * y, 0.5 * (x * x + y * y)),
        ratio,
        0.05,
        "Dynamics have no memory",
    )
    yield _tails(p, "dynamics", level)


def _articulation(p: Passages) -> Iterator[Feature]:
    hits, k = p.hits, len(p.block_side)
    length = hits.articulation_log2
    yield Feature(
        "articulation_level",
        "articulation",
        "mean length {s:+.2f} octaves (log2) of the written one against {r:+.2f}",
        "Notes are held too short",
        "Notes are held too long",
        sums(k, hits.block, known(length, length), known(length, 1.0)),
        ratio,
        0.03,
    )
    length = centred(length, hits.take)
    yield _spread(
        p, "articulation", length, "log2", "Note lengths hardly vary", "Note lengths vary too much", "{:.2f}", 0.03
    )
    x, y, block = following(length, hits.take, hits.block)
    yield Feature(
        "articulation_memory",
        "articulation",
        "lag-1 autocorrelation {s:.2f} against {r:.2f}",
        "Note lengths have too little memory",
        "Note lengths hang together too much",
        sums(k, block, x * y, 0.5 * (x * x + y * y)),
        ratio,
        0.05,
        "Note lengths have no memory",
    )


def _tempo(p: Passages) -> Iterator[Feature]:
    tempo, k = p.tempo, len(p.block_side)
    value = centred(tempo.value, tempo.take)
    yield Feature(
        "tempo_spread",
        "tempo",
        "sd of the tempo {s:.2f} % against {r:.2f} %",
        "The tempo is too steady",
        "The tempo is too unsteady",
        sums(k, tempo.block, known(value, value**2), known(value, 1.0)),
        root,
        0.1,
    )
    x, y, block = following(value, tempo.take, tempo.block)
    yield Feature(
        "tempo_memory",
        "tempo",
        "autocorrelation from one beat to the next {s:.2f} against {r:.2f}",
        "The tempo has too little memory",
        "The tempo moves too smoothly",
        sums(k, block, x * y, 0.5 * (x * x + y * y)),
        ratio,
        0.05,
        "The tempo has no memory",
    )


def _spread(
    p: Passages,
    trace: str,
    values: np.ndarray,
    unit: str,
    lower: str,
    higher: str,
    form: str = "{:.1f}",
    least: float = 0.5,
) -> Feature:
    known = np.isfinite(values)
    x = values[known] - (values[known].mean() if known.any() else 0.0)
    figure = f"sd {form.replace('{', '{s')} {unit} against {form.replace('{', '{r')} {unit}"
    return Feature(
        f"{trace}_spread",
        trace,
        figure,
        lower,
        higher,
        sums(len(p.block_side), p.hits.block[known], x, x**2),
        lambda s: np.sqrt(np.maximum(divide(s[:, 1], s[:, 2]) - divide(s[:, 0], s[:, 2]) ** 2, 0.0)),
        least,
    )


def _tails(p: Passages, trace: str, values: np.ndarray) -> Feature:
    centre = medians(values, p.hits.take)
    # 1.4826 times the median distance is the sd of a normal distribution.
    scale = 1.4826 * medians(np.abs(values - centre), p.hits.take)
    far = (np.abs(values - centre) > 3.0 * scale) & (scale > 0.0)
    return Feature(
        f"{trace}_tails",
        trace,
        "{s:.1%} lie beyond three robust sd against {r:.1%}",
        f"The {trace} has no outliers",
        f"The {trace} has too many outliers",
        sums(len(p.block_side), p.hits.block, known(values, far), known(values, 1.0)),
        ratio,
        0.01,
    )


def _template(p: Passages, trace: str, values: np.ndarray, lower: str, higher: str) -> Feature:
    """Return the share of the variance that the place in the bar explains (omega squared, not below 0)."""
    known = np.isfinite(values)
    x = values[known] - (values[known].mean() if known.any() else 0.0)
    cells, cell = np.unique(p.hits.cell[known], return_inverse=True)
    block, k, c = p.hits.block[known], len(p.block_side), len(cells)
    tables = [
        np.bincount(block * c + cell, weights=w, minlength=k * c).reshape(k, c) for w in (np.ones(len(x)), x, x**2)
    ]

    def explained(sums: np.ndarray) -> np.ndarray:
        count, total, square = sums[:, :c], sums[:, c : 2 * c], sums[:, 2 * c : 3 * c]
        between = divide(total**2, count)
        within = np.where(count > 0, square - between, 0.0).sum(axis=1)
        n, used = count.sum(axis=1), (count > 0).sum(axis=1)
        everything = square.sum(axis=1) - divide(total.sum(axis=1) ** 2, n)
        rest = divide(within, n - used)
        share = 1.0 - divide(rest, divide(everything, n - 1.0))
        # A side that does not vary at all follows nothing.
        return np.where((n > used) & (n > 1), np.where(everything > 1e-9, np.maximum(share, 0.0), 0.0), np.nan)

    return Feature(
        f"{trace}_template",
        trace,
        "the place in the bar explains {s:.0%} of the variance against {r:.0%}",
        lower,
        higher,
        np.concatenate([*tables, tables[0].sum(axis=1, keepdims=True)], axis=1),
        explained,
        0.04,
    )
