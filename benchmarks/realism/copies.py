"""How much of a made take is a real one note for note: blocks of eight notes with the same keys at the same ticks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from takeprint.core.deviations import Deviations

BLOCK = 8
_TICKS = 480


def _blocks(deviations: Deviations) -> tuple[np.ndarray, np.ndarray]:
    """Return a hash of each block of eight notes in time order: (keys and ticks between them, with velocities)."""
    notes = deviations.notes
    order = np.lexsort((notes.pitch, notes.onset_s))
    order = order[np.isfinite(notes.onset_s[order])]
    tick = np.rint(deviations.reference_timeline.beats_at(notes.onset_s[order]) * _TICKS).astype(np.int64)
    if len(order) < BLOCK:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64)
    view = np.lib.stride_tricks.sliding_window_view
    key = view(notes.pitch[order].astype(np.int64), BLOCK)
    place = view(tick, BLOCK)
    place = place - place[:, :1]
    hard = view(np.nan_to_num(notes.velocity[order]).astype(np.int64), BLOCK)
    return _hashed(key, place), _hashed(key, place, hard)


def _hashed(*columns: np.ndarray) -> np.ndarray:
    total = np.full(len(columns[0]), 1469598103934665603, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            for k in range(BLOCK):
                total = (total ^ column[:, k].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
                total ^= total >> np.uint64(29)
    return total


def blocks_of(takes: Sequence[Deviations]) -> tuple[np.ndarray, np.ndarray]:
    """Return all blocks of some takes, each once, without and with velocities."""
    found = [_blocks(d) for d in takes]
    return np.unique(np.concatenate([f[0] for f in found])), np.unique(np.concatenate([f[1] for f in found]))


def copied_share(takes: Sequence[Deviations], known: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Return which share of the takes' blocks are known, without and with velocities."""
    found = [_blocks(d) for d in takes]
    return tuple(
        float(np.isin(np.concatenate([f[i] for f in found]), known[i]).mean()) if found else 0.0 for i in (0, 1)
    )  # type: ignore[return-value]
