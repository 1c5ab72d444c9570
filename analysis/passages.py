"""Two sides of deviations laid out note by note and cut into blocks that may change sides.

Conventions
-----------
``real`` is side 0, ``synthetic`` side 1. Notes are the matched ones with a place in the music, sorted by take, beat and
onset; ornaments belong to the hit they decorate and added notes have no place: both are left out. A *slot* is a place
in one take where one or more notes are written (a chord); a *cell* is a place in the bar, per drum where drums are
known. A *block* is a run of bars, or a whole take: the unit that a permutation moves, long enough that what hangs
together within it stays together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.columns import Columns, real, text, whole
from ..core.deviations import Deviations

# Twelve blocks a side can be dealt in 2.7 million ways; five in 252, where p can still reach 0.004.
ENOUGH_BLOCKS = 12
LEAST_BLOCKS = 5
LEAST_TAKES = 6
_BLOCK_BARS = (8, 4, 2, 1)


@dataclass(frozen=True, eq=False)
class Hits(Columns):
    """The matched notes of both sides.

    Parameters
    ----------
    take, block, bar : ndarray of int64 [shape=(n,)], counted over both sides; ``bar`` within the take
    slot : ndarray of int64 [shape=(n,)], one number a written place and take
    cell : ndarray of int64 [shape=(n,)], one number a place in the bar and voice, shared by all takes
    voice : ndarray of str [shape=(n,)], the drum's name, "" for pitched notes
    beat, onset_s : ndarray [shape=(n,)]
    timing_ms, velocity, dynamics, articulation_log2 : ndarray [shape=(n,)]
        ``velocity`` and ``dynamics`` are in dB where no velocity is known.
    """

    take: np.ndarray = whole()
    block: np.ndarray = whole()
    bar: np.ndarray = whole()
    slot: np.ndarray = whole()
    cell: np.ndarray = whole()
    voice: np.ndarray = text()
    beat: np.ndarray = real()
    onset_s: np.ndarray = real()
    timing_ms: np.ndarray = real()
    velocity: np.ndarray = real()
    dynamics: np.ndarray = real()
    articulation_log2: np.ndarray = real()


@dataclass(frozen=True)
class Passages:
    """Both sides, cut into blocks.

    Parameters
    ----------
    hits : Hits
    tempo : Series
        Log tempo ratio at the knots, percent.
    block_side : ndarray of int64 [shape=(k,)], 0 real, 1 synthetic
    take_side : ndarray of int64 [shape=(t,)]
    unit : str
        What a block is, in words.
    loudness_unit : str
        ``"velocity"`` or ``"dB"``.
    """

    hits: Hits
    tempo: Series
    block_side: np.ndarray
    take_side: np.ndarray
    unit: str
    loudness_unit: str

    @property
    def testable(self) -> bool:
        """Whether there are blocks enough for a permutation to say anything."""
        return bool(min((self.block_side == side).sum() for side in (0, 1)) >= LEAST_BLOCKS)


@dataclass(frozen=True, eq=False)
class Series(Columns):
    """One number a place, in order, with its take and block."""

    take: np.ndarray = whole()
    block: np.ndarray = whole()
    bar: np.ndarray = whole()
    value: np.ndarray = real()


def loudness_unit(takes: Sequence[Deviations]) -> str:
    """Return ``"velocity"`` where any note of these takes has one, else ``"dB"``."""
    return "velocity" if any(np.isfinite(d.notes.velocity).any() for d in takes) else "dB"


def hits_of(deviations: Deviations, unit: str = "velocity") -> Hits:
    """Return the matched notes of one take, in the order of the music; ``cell`` is not numbered yet."""
    notes = deviations.notes
    kept = (notes.label == "match") & (notes.ornament == "") & np.isfinite(notes.reference_beat)
    kept &= np.isfinite(notes.onset_s)
    notes = notes.rows(kept)
    notes = notes.rows(np.lexsort((notes.pitch, notes.onset_s, _grid_number(notes.reference_beat))))
    bar, _ = deviations.metre.position(notes.reference_beat)
    by_velocity = unit == "velocity"
    return Hits.build(
        len(notes),
        bar=bar - min(0, int(bar.min())) if len(bar) else bar,
        slot=np.unique(_grid_number(notes.reference_beat), return_inverse=True)[1],
        voice=notes.instrument,
        beat=notes.reference_beat,
        onset_s=notes.onset_s,
        timing_ms=notes.timing_ms,
        velocity=notes.velocity if by_velocity else notes.level_db,
        dynamics=notes.dynamics_velocity if by_velocity else notes.dynamics_db,
        articulation_log2=notes.articulation_log2,
    )


def tempo_of(deviations: Deviations) -> Series:
    """Return 100 times the log of the tempo against the reference's, at each knot: percent, faster is positive."""
    tempo = deviations.tempo
    if len(tempo) < 3:
        return Series.build(0)
    # The last knot repeats the tempo of the one before it.
    beat, bpm = tempo.beat[:-1], tempo.tempo_bpm[:-1]
    if deviations.reference.get("tempo_map"):
        written = deviations.reference_timeline.tempo_bpm_at(beat)
    else:
        written = np.full(len(beat), np.nanmedian(bpm) if np.isfinite(bpm).any() else np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 100.0 * np.log(bpm / written)
    bar, _ = deviations.metre.position(beat)
    ratio[~np.isfinite(ratio)] = np.nan
    return Series.build(len(beat), bar=bar - min(0, int(bar.min())), value=ratio)


def passages_of(real_takes: Sequence[Deviations], synthetic_takes: Sequence[Deviations]) -> Passages:
    """Lay both sides out and cut them into blocks.

    Whole takes are the blocks where each side has at least 6; else the longest runs of 8, 4, 2 or 1 bars that give
    each side 12 blocks (1 bar where none does).
    """
    takes = [*real_takes, *synthetic_takes]
    sides = np.array([0] * len(real_takes) + [1] * len(synthetic_takes))
    unit = loudness_unit(takes)
    tables = [hits_of(d, unit) for d in takes]
    curves = [tempo_of(d) for d in takes]
    whole_takes = min((sides == side).sum() for side in (0, 1)) >= LEAST_TAKES
    bars = 0 if whole_takes else _block_bars(tables, sides)
    hits, tempo, block_side = [], [], []
    first_slot = first_block = 0
    for index, (table, curve) in enumerate(zip(tables, curves, strict=True)):
        label = np.zeros(len(table), dtype=np.int64) if whole_takes else table.bar // bars
        numbers, block = np.unique(label, return_inverse=True)
        curve_block = np.clip(np.searchsorted(numbers, curve.bar // max(bars, 1)), 0, max(len(numbers) - 1, 0))
        if whole_takes:
            curve_block = np.zeros(len(curve), dtype=np.int64)
        number = np.full(len(table), index)
        hits.append(table.replace(take=number, block=block + first_block, slot=table.slot + first_slot))
        if len(numbers):
            tempo.append(curve.replace(take=np.full(len(curve), index), block=curve_block + first_block))
        block_side += [sides[index]] * len(numbers)
        first_block += len(numbers)
        first_slot += int(table.slot.max()) + 1 if len(table) else 0
    joined = Hits.concatenate(hits)
    joined = joined.replace(
        cell=_cells(joined, [d.metre.position(t.beat)[1] for d, t in zip(takes, tables, strict=True)])
    )
    said = "a whole take" if whole_takes else f"{bars} bar{'s' if bars > 1 else ''}"
    return Passages(
        joined,
        Series.concatenate(tempo) if tempo else Series.build(0),
        np.array(block_side, dtype=np.int64),
        sides,
        said,
        unit,
    )


def _block_bars(tables: Sequence[Hits], sides: np.ndarray) -> int:
    for bars in _BLOCK_BARS:
        counts = [0, 0]
        for table, side in zip(tables, sides, strict=True):
            counts[side] += len(np.unique(table.bar // bars))
        if min(counts) >= ENOUGH_BLOCKS:
            return bars
    return 1


def _cells(hits: Hits, positions: Sequence[np.ndarray]) -> np.ndarray:
    place = _grid_number(np.concatenate(positions)) if positions else np.zeros(0, dtype=np.int64)
    _, voice = np.unique(hits.voice, return_inverse=True)
    return np.unique(place * 1000 + voice, return_inverse=True)[1]


def _grid_number(beat: np.ndarray) -> np.ndarray:
    """Return the nearest 48th of a beat: straight and triplet grids fall on them exactly."""
    return np.round(np.asarray(beat) * 48.0).astype(np.int64)
