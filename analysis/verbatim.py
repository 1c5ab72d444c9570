"""Whether a synthetic side copies the real one note for note.

Conventions
-----------
A block is eight neighbouring notes of one take in time order. Two blocks are equal when all keys (or drums), all times
between the notes in ticks and all velocities are equal; a tick is the 480th part of a beat of the reference. Flat
velocities on the grid equal each other without anybody having copied: blocks all of whose notes lie exactly on the
reference, or whose velocities are one, do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.deviations import Deviations

BLOCK = 8
_TICKS = 480


def verbatim_blocks(real: Sequence[Deviations], synthetic: Sequence[Deviations]) -> dict[str, Any]:
    """Count the synthetic blocks that are a real one to the tick.

    Returns
    -------
    dict
        ``verbatim_blocks``: how many of the synthetic side's blocks are also on the real side, ``blocks``: of how many;
        None where no velocity is known (audio), as nothing is exact there.
    """
    known = [hashes for d in real if (hashes := _blocks(d)) is not None]
    made = [hashes for d in synthetic if (hashes := _blocks(d)) is not None]
    if not known or not made:
        return {"verbatim_blocks": None, "blocks": None}
    found = np.concatenate(made)
    return {"verbatim_blocks": int(np.isin(found, np.concatenate(known)).sum()), "blocks": len(found)}


def _blocks(d: Deviations) -> np.ndarray | None:
    """Return a hash of each block that counts; None where velocities or places are not known."""
    notes = d.notes
    rows = notes.rows(np.isfinite(notes.onset_s) & np.isfinite(notes.velocity) & (notes.label != "deletion"))
    if not len(rows) or not d.reference.get("tempo_map"):
        return None
    rows = rows.rows(np.lexsort((rows.pitch, rows.onset_s)))
    if len(rows) < BLOCK:
        return np.zeros(0, dtype=np.uint64)
    place = np.rint(d.reference_timeline.beats_at(rows.onset_s) * _TICKS).astype(np.int64)
    _, drum = np.unique(rows.instrument, return_inverse=True)
    key = np.where(np.isfinite(rows.pitch), rows.pitch, 1000 + drum).astype(np.int64)
    velocity = np.rint(rows.velocity).astype(np.int64)
    view = np.lib.stride_tricks.sliding_window_view
    keys, places, hard = view(key, BLOCK), view(place, BLOCK), view(velocity, BLOCK)
    off = np.where(np.isfinite(rows.timing_ms), np.abs(rows.timing_ms), np.inf) > _one_tick_ms(d, rows.reference_beat)
    counts = view(off, BLOCK).any(axis=1) & (hard.min(axis=1) < hard.max(axis=1))
    return _hashed(keys, places - places[:, :1], hard)[counts]


def _one_tick_ms(d: Deviations, beat: np.ndarray) -> np.ndarray:
    at = np.where(np.isfinite(beat), beat, 0.0)
    return 60_000.0 / d.reference_timeline.tempo_bpm_at(at) / _TICKS


def _hashed(*columns: np.ndarray) -> np.ndarray:
    """Return one 64-bit number a row: multiply by the golden ratio and fold (Knuth, TAOCP 3, section 6.4)."""
    total = np.full(len(columns[0]), 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            for k in range(column.shape[1]):
                total = (total ^ column[:, k].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
                total ^= total >> np.uint64(31)
    return total
