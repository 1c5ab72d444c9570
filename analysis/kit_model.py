"""What the learned kit player needs to know of a drummer: how single takes went, and their last hits.

Conventions
-----------
A profile's arrays whose names begin with ``kit_``: a row a hit (``kit_take`` tells of which take, in playing order) and a
row a take (``kit_habits``, ``kit_alike``, ``kit_bpm``). Timing in ms, late positive; velocities 1 to 127.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.deviations import Deviations
from .kit_context import CLASSES, N_CLASSES, N_HABITS, Hits, alike, habits, played
from .observe import is_drum

# Hits of a take that are listened to before playing, and the fewest that tell of habits.
PROMPT_HITS = 300
LEAST_HITS = 24
# Takes that are kept: more only add choice.
MOST_TAKES = 48


def kit_arrays(takes: Sequence[Deviations]) -> dict[str, np.ndarray]:
    """Return the arrays that the learned kit player plays from; none where no take has enough hits.

    Parameters
    ----------
    takes : sequence of Deviations
        Of more than ``MOST_TAKES`` an even selection is kept, the longest in each run of takes.
    """
    found = [played(d, is_drum(d)) for d in takes]
    bpm = [_tempo_bpm(d) for d in takes]
    usable = [i for i, (hits, _, _) in enumerate(found) if len(hits) >= LEAST_HITS]
    kept = [max(run, key=lambda i: len(found[i][0])) for run in np.array_split(usable, MOST_TAKES) if len(run)]
    if not kept:
        return {}
    rows = []
    for number, i in enumerate(kept):
        hits, timing_ms, velocity = found[i]
        start = max(0, len(hits) - PROMPT_HITS)
        tail = hits.part(start, len(hits))
        columns = (
            np.full(len(tail), number), tail.kind, tail.beat - tail.beat[0], tail.bar - tail.bar[0], tail.cell,
            tail.beat_in_bar, tail.bar_beats, timing_ms[start:], velocity[start:],
        )  # fmt: skip
        rows.append(columns)
    names = ("take", "kind", "beat", "bar", "cell", "beat_in_bar", "bar_beats", "timing_ms", "velocity")
    types = (np.int16, np.int8, np.float32, np.int32, np.int16, np.float32, np.float32, np.float32, np.int8)
    out = {
        f"kit_{name}": np.concatenate([row[k] for row in rows]).astype(kind)
        for k, (name, kind) in enumerate(zip(names, types, strict=True))
    }
    out["kit_timing_ms"] = (np.round(out["kit_timing_ms"] * 16) / 16).astype(np.float32)
    told = np.array([habits(*found[i]) for i in kept])
    out["kit_habits"] = (np.round(told * 1024) / 1024).astype(np.float32)
    out["kit_alike"] = (np.round(np.array([alike(found[i][0]) for i in kept]) * 4096) / 4096).astype(np.float32)
    out["kit_bpm"] = np.array([bpm[i] for i in kept], dtype=np.float32)
    return out


def prompt_of(arrays: dict[str, np.ndarray], take: int) -> tuple[Hits, np.ndarray, np.ndarray]:
    """Return (hits, timing_ms, velocity) of the end of one take."""
    rows = np.flatnonzero(arrays["kit_take"] == take)
    beat = arrays["kit_beat"][rows].astype(np.float64)
    grid = np.rint(beat * 48.0).astype(np.int64)
    hits = Hits(
        row=np.arange(len(rows)),
        beat=beat,
        onset_s=beat * 60.0 / float(arrays["kit_bpm"][take]),
        kind=arrays["kit_kind"][rows].astype(np.int64),
        slot=np.cumsum(np.diff(grid, prepend=grid[:1]) != 0).astype(np.int64),
        bar=arrays["kit_bar"][rows].astype(np.int64),
        cell=arrays["kit_cell"][rows].astype(np.int64),
        beat_in_bar=arrays["kit_beat_in_bar"][rows].astype(np.float64),
        bar_beats=arrays["kit_bar_beats"][rows].astype(np.float64),
    )
    return hits, arrays["kit_timing_ms"][rows].astype(np.float64), arrays["kit_velocity"][rows].astype(np.float64)


def arrays_are_sound(arrays: dict[str, np.ndarray]) -> bool:
    """Tell whether the arrays of a profile from anywhere fit together and lie within their limits."""
    names = ("take", "kind", "beat", "bar", "cell", "beat_in_bar", "bar_beats", "timing_ms", "velocity")
    rows = [arrays.get(f"kit_{name}") for name in names]
    told = [arrays.get(f"kit_{name}") for name in ("habits", "alike", "bpm")]
    if any(a is None or a.ndim == 0 for a in (*rows, *told)) or len({len(a) for a in rows if a is not None}) != 1:
        return False
    take, kind, beat, bar, cell, inside, beats, timing_ms, velocity = (np.asarray(a, dtype=np.float64) for a in rows)
    habit, mix, bpm = (np.asarray(a, dtype=np.float64) for a in told)
    k = len(bpm)
    if habit.shape != (k, N_HABITS) or mix.shape != (k, N_CLASSES + 12) or not len(take) or bpm.ndim != 1:
        return False
    if any(a.ndim != 1 for a in (take, kind, beat, bar, cell, inside, beats, timing_ms, velocity)):
        return False
    limits = (
        (take, 0, k - 1), (kind, 0, len(CLASSES) - 1), (beat, -1.0, 1e6), (bar, 0, 1e6), (cell, 0, 32767),
        (inside, -1.0, 4096.0), (beats, 0.01, 4096.0), (timing_ms, -1e4, 1e4), (velocity, 1, 127),
        (habit, -100.0, 100.0), (mix, 0.0, 1.0), (bpm, 1.0, 2000.0),
    )  # fmt: skip
    inside_limits = all(np.isfinite(a).all() and a.min() >= low and a.max() <= high for a, low, high in limits)
    return inside_limits and len(np.unique(take)) == k and bool((np.diff(take) >= 0).all())


def _tempo_bpm(deviations: Deviations) -> float:
    tempo = deviations.tempo.tempo_bpm if len(deviations.tempo) else np.array([120.0])
    known = tempo[np.isfinite(tempo)]
    return round(float(np.median(known)), 3) if len(known) else 120.0
