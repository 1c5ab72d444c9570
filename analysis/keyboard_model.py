"""What a keyboard player's touch depends on, and what is left of it: the arrays a keyboard profile plays from.

Conventions
-----------
Four channels a note: ``together`` (timing of its moment, ms), ``spread`` (its timing against its moment, ms; earlier is
negative), ``loud`` (velocity against the local level) and ``held`` (articulation, log2). Of each channel two things
are expected from what is written around a note (``core.written_context``): its mean and the size of what is left.
What is left, divided by its size, is kept in the order played: the residual that a player copies in stretches.

The expectation at a note is never made from the note itself: takes of one piece are left out together, and of a single
take one of four stretches. How many tables are kept is what predicts the left-out notes best; none where nothing does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.boosted_tables import BoostedTables
from ..core.deviations import Deviations
from ..core.memory_of_touch import history_of, kinds_of
from ..core.metrical import groups
from ..core.written_context import (
    N_LIKE,
    NAMES,
    STYLE,
    Written,
    context_of,
    likeness,
    links_of,
    pace_factors,
    pace_of,
    style_columns,
)
from .boosting import Boosting, crossed_tables, no_tables
from .dynamics import level_at
from .observe import is_drum

CHANNELS = ("together", "spread", "loud", "held")
# Beyond these, a timing is an arpeggio or a wrong match, a length a slip of the pedal.
_REACH, _FARTHEST, _DOUBTFUL = 4.0, 12.0, 3.5
_FOLDS = 4
_MOST_NOTES = 100_000
_WORDS = {"together": "timing", "spread": "how chords spread", "loud": "loudness", "held": "articulation"}
_FEW_NOTES = 600
# How the size of timing grows with the length of a step where no take tells: Weber's law, and half of it for chords.
_PACE_SLOPE = {"together": 1.0, "spread": 0.5}
_PACE_TAKES = 4.0
_IN_MS = ("together", "spread")
_SMALLEST = 0.15
_RIDGE, _STYLE_RIDGE = 50.0, 100.0
# What the arrays of a profile from anywhere may hold: far beyond what people do, and no overflow in exp.
_LIMITS = {
    "take": (0.0, 32_767.0), "take_of_moment": (0.0, 32_767.0), "beat": (-1e9, 1e9), "fresh": (-1e3, 1e3),
    "like": (-1e3, 1e3), "moment": (-1e3, 1e3), "style": (-1e3, 1e3), "memory": (-10.0, 10.0), "pace": (-10.0, 10.0),
}  # fmt: skip
_TABLE_LIMITS = {"mean": (-1e4, 1e4), "size": (-100.0, 20.0), "unit": (-100.0, 20.0)}
_DEEPEST = 12
_MEAN = Boosting(rounds=120)
_SIZE = Boosting(rounds=60, depth=3, shrink=40.0)


@dataclass(frozen=True, eq=False)
class Played:
    """One take's notes, in order of (position, pitch).

    Parameters
    ----------
    written : Written
    context : ndarray [shape=(n, k)]
    y : ndarray [shape=(n, 4)]
        The channels.
    """

    written: Written
    context: np.ndarray
    y: np.ndarray


def played_of(deviations: Deviations) -> Played | None:
    """Return what a keyboard take gives, None where it has too few notes with timing, velocity and length."""
    notes = deviations.notes
    good = (notes.label == "match") & (notes.ornament == "") & ~is_drum(deviations)
    for column in (notes.timing_ms, notes.reference_beat, notes.dynamics_velocity):
        good &= np.isfinite(column)
    with_length = good & np.isfinite(notes.reference_duration_beat)
    # Without a score no lengths are written: notes then count as long as the step to what comes next.
    scored = 2 * with_length.sum() > good.sum()
    rows = notes.rows(with_length if scored else good)
    pitch = np.where(np.isfinite(rows.reference_pitch), rows.reference_pitch, rows.pitch)
    order = np.lexsort((pitch, rows.reference_beat))
    rows, pitch = rows.rows(order), pitch[order]
    if len(rows) < 16:
        return None
    clock = deviations.basis
    beat = rows.reference_beat
    onset_s = clock.seconds_at(beat)
    written = Written(
        beat=beat,
        duration_beat=np.maximum(rows.reference_duration_beat if scored else _steps(beat), 1 / 64),
        pitch=pitch,
        onset_s=onset_s,
        bpm=clock.tempo_bpm_at(beat),
        inside_bar=deviations.metre.position(beat)[1],
        bar_beats=deviations.metre.bar_beats_at(beat),
        level=level_at(deviations.level, onset_s),
    )
    group = written.group
    # Where the beat was inferred, a timing far out is a doubt about the beat and no playing.
    timing_ms = rows.timing_ms if scored else drawn_in(rows.timing_ms, _DOUBTFUL)
    mean = (np.bincount(group, timing_ms) / np.bincount(group))[group]
    held = rows.articulation_log2
    held = np.where(np.isfinite(held), held, np.nanmedian(held) if np.isfinite(held).any() else 0.0)
    y = np.stack([mean, timing_ms - mean, rows.dynamics_velocity, held], axis=1)
    return Played(written, context_of(written), y)


def _steps(beat: np.ndarray) -> np.ndarray:
    """Return the step from each moment to the next, beats."""
    at, index = np.unique(beat, return_inverse=True)
    return np.append(np.diff(at), 1.0)[index]


def drawn_in(values: np.ndarray, reach: float = _REACH) -> np.ndarray:
    """Return the values, those beyond ``reach`` usual sizes from the middle brought in to there."""
    middle = float(np.median(values))
    size = float(np.std(values))
    size = max(1.4826 * float(np.median(np.abs(values - middle))), 0.5 * size)
    return np.clip(values, middle - reach * size, middle + reach * size) if size > 0 else values


def keyboard_arrays(takes: Sequence[Deviations], seed: int = 0, *, memory: bool = True) -> dict[str, np.ndarray]:
    """Return the arrays of a keyboard player, names beginning with ``keys.``; empty where no take gives enough.

    Parameters
    ----------
    takes : sequence of Deviations
    seed : int
        Of the random halves that tables are fitted on.
    memory : bool
        False: a note takes after nothing that was played before it.
    """
    number: list[int] = []
    found: list[Played] = []
    notes = 0
    # Of thousands of takes some, evenly.
    share = min(1.0, _MOST_NOTES / max(sum(len(d.notes) for d in takes), 1))
    for i, d in enumerate(takes):
        played = played_of(d) if int((i + 1) * share) > int(i * share) or not found else None
        if played is not None and notes < 2 * _MOST_NOTES:
            number.append(i)
            found.append(played)
            notes += len(played.y)
    if not found:
        return {}
    x = np.concatenate([p.context for p in found])
    y = np.concatenate([p.y for p in found])
    take = np.repeat(number, [len(p.y) for p in found])
    beat = np.concatenate([p.written.beat for p in found])
    fold = piece_folds(takes, take)
    rng = np.random.default_rng([seed, 5])
    arrays, y = _at_one_pace(found, y, take)
    z = np.empty_like(y)
    for c, name in enumerate(CHANNELS):
        used = _rows_of(name, beat, take)
        tables, z[:, c] = _channel(name, x, y[:, c], fold, used, rng)
        arrays |= tables
    pitch = np.concatenate([p.written.pitch for p in found])
    top = np.flatnonzero(np.diff(groups(beat, take), append=-1))
    style = np.zeros((int(take.max()) + 1, len(STYLE) + 1, len(CHANNELS)))
    columns = style_columns(x)
    for t in number:
        rows = take == t
        style[t] = _style(columns[rows], z[rows])
        z[rows] -= columns[rows] @ style[t]
    weights, fresh = _memory(z, pitch, take, beat, _RIDGE if memory else np.inf)
    return arrays | {
        "keys.style": style.astype(np.float32),
        "keys.memory": weights.astype(np.float32),
        "keys.fresh": (np.round(fresh * 256) / 256).astype(np.float32),
        "keys.take": take.astype(np.int16),
        "keys.beat": np.round(beat * 4096) / 4096,
        "keys.take_of_moment": take[top].astype(np.int16),
        "keys.like": likeness(x, top).astype(np.float16),
        "keys.moment": _moment_means(z, top).astype(np.float16),
    }


def _channel(
    name: str, x: np.ndarray, y: np.ndarray, fold: np.ndarray, used: np.ndarray, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return (the tables of one channel, what is left of each note in units of its expected size)."""
    arrays: dict[str, np.ndarray] = {}
    unit = np.ones(len(y))
    if name in _IN_MS:
        tables, unit = _unit(x, y, fold, used, rng)
        arrays |= tables.to_arrays(f"keys.{name}.unit")
    in_units = y / unit
    mean, expected = crossed_tables(x, drawn_in(in_units), fold, used, _MEAN, rng)
    arrays |= mean.to_arrays(f"keys.{name}.mean")
    left = drawn_in(in_units - expected, _FARTHEST)
    usual = float(np.sqrt(np.mean(left[used] ** 2))) if used.any() else 0.0
    if usual <= 0.0:
        size = no_tables(0.0, _SIZE)
        return arrays | size.to_arrays(f"keys.{name}.size"), np.zeros(len(y))
    size, log_size = crossed_tables(x, np.log(np.abs(left) / usual + _SMALLEST), fold, used, _SIZE, rng)
    # A mean of logs is not the log of a mean: the sizes are brought to those of what is left.
    again = usual * float(np.sqrt(np.mean((left[used] / (usual * np.exp(log_size[used]))) ** 2)))
    size = BoostedTables(size.mean + np.log(again), size.column, size.threshold, size.value)
    return arrays | size.to_arrays(f"keys.{name}.size"), left / (again * np.exp(log_size))


def arrays_are_sound(arrays: Mapping[str, np.ndarray]) -> bool:
    """Tell whether the ``keys.`` arrays of a profile from anywhere fit together and lie within their limits."""
    found = {name: np.asarray(arrays.get(f"keys.{name}", ())) for name in _LIMITS}
    for name, limits in _LIMITS.items():
        whole = name in ("take", "take_of_moment")
        if not found[name].size or not within(found[name], limits, "iu" if whole else "f"):
            return False
    take, beat, c = found["take"].astype(np.int64), found["beat"], len(CHANNELS)
    n, m = take.size, found["take_of_moment"].size
    shapes = {
        "take": (n,), "take_of_moment": (m,), "beat": (n,), "fresh": (n, c), "like": (m, N_LIKE), "moment": (m, c),
        "style": (int(take.max()) + 1, len(STYLE) + 1, c), "memory": (3, 8 * c, c), "pace": (1 + c,),
    }  # fmt: skip
    if any(found[name].shape != shape for name, shape in shapes.items()):
        return False
    # Takes one after the other, each in order of position; a moment is told of once.
    step = np.diff(take)
    if (step < 0).any() or (np.diff(beat)[step == 0] < 0.0).any():
        return False
    top = np.flatnonzero(np.diff(groups(beat, take), append=-1))
    if not np.array_equal(take[top], found["take_of_moment"]):
        return False
    kinds = [(name, kind) for name in CHANNELS for kind in _TABLE_LIMITS]
    # Profiles made before there were units have none.
    has_units = {name: any(key.startswith(f"keys.{name}.unit.") for key in arrays) for name in CHANNELS}
    return all(
        tables_are_sound(arrays, f"keys.{a}.{b}", _TABLE_LIMITS[b]) for a, b in kinds if b != "unit" or has_units[a]
    )


def within(values: np.ndarray, limits: tuple[float, float], kinds: str) -> bool:
    """Tell whether all are numbers of these kinds within the limits; NaN is within none."""
    if values.dtype.kind not in kinds:
        return False
    return not values.size or bool(values.min() >= limits[0] and values.max() <= limits[1])


def tables_are_sound(
    arrays: Mapping[str, np.ndarray], name: str, limits: tuple[float, float], columns: int = len(NAMES)
) -> bool:
    """Tell whether tables can be looked up, and whether whatever they sum to lies within the limits."""
    if any(f"{name}.{part}" not in arrays for part in ("mean", "column", "threshold", "value")):
        return False
    mean, column, threshold, value = (
        np.asarray(arrays[f"{name}.{part}"]) for part in ("mean", "column", "threshold", "value")
    )
    if column.ndim != 2 or column.shape[1] > _DEEPEST or mean.shape != (1,):
        return False
    if threshold.shape != column.shape or value.shape != (len(column), 1 << column.shape[1]):
        return False
    if not (within(column, (0, columns - 1), "iu") and within(threshold, (-1e9, 1e9), "f")):
        return False
    if not (within(mean, limits, "f") and within(value, (-1e4, 1e4), "f")):
        return False
    least, most = (float(mean[0] + reach.sum(dtype=np.float64)) for reach in (value.min(axis=1), value.max(axis=1)))
    return least >= limits[0] and most <= limits[1]


def keyboard_words(arrays: Mapping[str, np.ndarray]) -> str:
    """Say what a keyboard player stands on, and what it had to do without."""
    if not arrays:
        return "none: no take has 16 notes whose timing, velocity and place are known"
    notes, takes = len(arrays["keys.take"]), len(np.unique(arrays["keys.take"]))
    said = f"expectation, memory and residuals of {notes} notes in {takes} take{'s' * (takes != 1)}"
    missing = [word for name, word in _WORDS.items() if not len(arrays[f"keys.{name}.mean.value"])]
    if not arrays["keys.fresh"][:, CHANNELS.index("held")].any():
        missing.remove(_WORDS["held"])
        said += "; no lengths were written, so that articulation is left as it is"
    if missing:
        said += f"; what is written does not tell {' and '.join(missing)} here: these come from the residuals alone"
    if notes < _FEW_NOTES:
        said += f"; {notes} notes are few: stretches of them will come again"
    return said


def _style(columns: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return what one performance does otherwise than the others: weights of the columns, ridge but for the mean."""
    penalty = np.full(columns.shape[1], _STYLE_RIDGE)
    penalty[0] = 1.0
    drawn = np.clip(z, -_REACH, _REACH)
    return np.linalg.solve(columns.T @ columns + np.diag(penalty), columns.T @ drawn)


def _moment_means(z: np.ndarray, top: np.ndarray) -> np.ndarray:
    size = np.diff(top, prepend=-1)
    total = np.cumsum(z, axis=0)[top]
    means = np.diff(total, axis=0, prepend=np.zeros((1, z.shape[1]))) / size[:, None]
    means[:, 0] = z[top, 0]
    return means


def _memory(
    z: np.ndarray, pitch: np.ndarray, take: np.ndarray, beat: np.ndarray, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (weights of what came before [3, channels of before, 4], what it does not tell of each note).

    Three kinds of notes have weights of their own: the highest of a chord, the others of a chord, lone notes. Ridge
    regression with as much penalty as ``penalty`` notes.
    """
    before, kind, fresh = [], [], np.empty_like(z)
    for number in np.unique(take):
        rows = take == number
        group = groups(beat[rows], np.zeros(int(rows.sum()), dtype=np.int64))
        links = links_of(pitch[rows], group)
        own = z[rows].copy()
        own[:, 0] = own[links.first + links.size - 1, 0][group]
        z[rows] = own
        before.append(history_of(own, links, group))
        kind.append(kinds_of(links, group))
    h, kinds = np.concatenate(before), np.concatenate(kind)
    weights = np.zeros((3, h.shape[1], z.shape[1]))
    for k in range(3):
        rows = kinds == k
        if rows.sum() >= 32 and np.isfinite(penalty):
            a = h[rows]
            weights[k] = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ z[rows])
        fresh[rows] = z[rows] - h[rows] @ weights[k]
    # A moment has one timing: lower notes have it from the highest.
    weights[1, :, 0] = 0.0
    return weights, fresh


def _at_one_pace(found: Sequence[Played], y: np.ndarray, take: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return (how deviations in ms grow with the pace of a piece, deviations as they would be at the usual pace).

    By Weber's law the spread of timing is a share of the interval, by what takes at several paces show more or less
    of it: the slope of log size on log pace, takes against takes, with a prior worth ``_PACE_TAKES`` takes that lie an
    octave apart. Notes inside one piece cannot tell this: within it the beat holds short and long notes together.
    """
    paces = np.array([pace_of(p.context, np.flatnonzero(np.diff(p.written.group, append=-1))) for p in found])
    middle = float(np.mean(paces))
    slopes = np.zeros(len(CHANNELS))
    for name, prior in _PACE_SLOPE.items():
        c = CHANNELS.index(name)
        sizes = [np.median(np.abs(p.y[:, c][p.y[:, c] != 0.0])) if p.y[:, c].any() else 0.0 for p in found]
        known = np.array(sizes) > 0.0
        away = paces[known] - paces[known].mean() if known.any() else np.zeros(0)
        grown = np.log2(np.array(sizes)[known])
        slopes[c] = (_PACE_TAKES * prior + float(away @ grown)) / (_PACE_TAKES + float(away @ away))
    slopes = np.clip(slopes, 0.0, 1.5)
    arrays = {"keys.pace": np.append(middle, slopes)}
    order = {t: i for i, t in enumerate(dict.fromkeys(take.tolist()))}
    factors = np.array([pace_factors(arrays, pace) for pace in paces])
    return arrays, y / factors[[order[t] for t in take.tolist()]]


def _unit(
    x: np.ndarray, y: np.ndarray, fold: np.ndarray, used: np.ndarray, rng: np.random.Generator
) -> tuple[BoostedTables, np.ndarray]:
    """Return how large a deviation is here, ms, as log tables and for each row: slow music would else outweigh fast."""
    usual = float(np.median(np.abs(y[used]))) if used.any() else 0.0
    if usual <= 0.0:
        return no_tables(0.0, _SIZE), np.ones(len(y))
    size, log_size = crossed_tables(x, np.log(np.abs(y) / usual + _SMALLEST), fold, used, _SIZE, rng)
    size = BoostedTables(size.mean + np.log(usual), size.column, size.threshold, size.value)
    return size, usual * np.exp(log_size)


def _rows_of(name: str, beat: np.ndarray, take: np.ndarray) -> np.ndarray:
    """Return which rows a channel is fitted to: a moment counts once, and a lone note has no spread."""
    if name not in ("together", "spread"):
        return np.ones(len(beat), dtype=bool)
    group = groups(beat, take)
    if name == "spread":
        return np.bincount(group)[group] > 1
    return np.diff(group, append=-1) != 0


def piece_folds(takes: Sequence[Deviations], take: np.ndarray) -> np.ndarray:
    """Return each row's fold: takes of one piece together, stretches of the rows where there are fewer than 3."""
    pieces: list[Any] = []
    for d in takes:
        pieces.append(d.reference.get("sha256") or id(d))
    names = {piece: i for i, piece in enumerate(dict.fromkeys(pieces[t] for t in np.unique(take)))}
    if len(names) < 3:
        return (np.arange(len(take)) * _FOLDS) // max(len(take), 1)
    return np.array([names[piece] % _FOLDS if piece in names else 0 for piece in pieces], dtype=np.int64)[take]
