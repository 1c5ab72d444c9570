"""What the learned kit player needs to know of a drummer: how single takes went, and their last hits.

Conventions
-----------
Arrays of a profile whose names begin with ``kit_``: a row a hit (``kit_take``: of which take, in playing order), and
a row a take (``kit_habits``, ``kit_alike``, ``kit_bpm``; ``kit_source``: which of the takes that were fitted it is).
Timing in ms, late positive; velocities 1 to 127.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.deviations import Deviations
from .kit_context import CLASSES, N_ALIKE, N_HABITS, Hits, alike, habits, played
from .observe import is_drum

# Hits of a take that are listened to before playing, and the fewest that tell of habits.
PROMPT_HITS = 300
LEAST_HITS = 24
# Takes that are kept: more only add choice.
MOST_TAKES = 48
# Limits of what is kept; no drummer is further off, and what is learned from never is.
_FARTHEST_MS = 150.0
_LONGEST_BEAT = 1e6
_BPM = (1.0, 2000.0)
_BAR_BEATS = (0.01, 2048.0)
_HABIT = 100.0
_CELLS = 32_767


def kit_arrays(takes: Sequence[Deviations]) -> dict[str, np.ndarray]:
    """Return the arrays that the learned kit player plays from; none where no take has enough hits.

    Parameters
    ----------
    takes : sequence of Deviations
        Of more than ``MOST_TAKES`` an even selection is kept, the longest in each run of takes.
    """
    found = [played(d, is_drum(d)) for d in takes]
    bpm = [_tempo_bpm(d) for d in takes]
    usable = [i for i, (hits, _, _) in enumerate(found) if len(hits) >= LEAST_HITS and _is_usual(hits)]
    kept = [max(run, key=lambda i: len(found[i][0])) for run in np.array_split(usable, MOST_TAKES) if len(run)]
    if not kept:
        return {}
    rows, like = [], []
    for number, i in enumerate(kept):
        hits, timing_ms, velocity = found[i]
        start = max(0, len(hits) - PROMPT_HITS)
        tail = hits.part(start, len(hits))
        # Bars keep their place among four.
        bar = tail.bar - tail.bar.min() // 4 * 4
        late_ms, loud = np.clip(timing_ms[start:], -_FARTHEST_MS, _FARTHEST_MS), np.clip(velocity[start:], 1, 127)
        columns = (
            np.full(len(tail), number), tail.kind, tail.beat - tail.beat[0], bar, tail.cell, tail.beat_in_bar,
            tail.bar_beats, late_ms, np.rint(loud),
        )  # fmt: skip
        rows.append(columns)
        # Of what is listened to, not of the whole take: a take may end with another groove than it began with.
        like.append(alike(tail, velocity[start:]))
    names = ("take", "kind", "beat", "bar", "cell", "beat_in_bar", "bar_beats", "timing_ms", "velocity")
    types = (np.int16, np.int8, np.float32, np.int32, np.int16, np.float32, np.float32, np.float32, np.int8)
    out = {
        f"kit_{name}": np.concatenate([row[k] for row in rows]).astype(kind)
        for k, (name, kind) in enumerate(zip(names, types, strict=True))
    }
    out["kit_timing_ms"] = (np.round(out["kit_timing_ms"] * 16) / 16).astype(np.float32)
    told = np.clip([habits(*found[i]) for i in kept], -_HABIT, _HABIT)
    out["kit_habits"] = (np.round(told * 1024) / 1024).astype(np.float32)
    out["kit_alike"] = (np.round(np.array(like) * 4096) / 4096).astype(np.float32)
    out["kit_source"] = np.array(kept, dtype=np.int32)
    out["kit_bpm"] = np.clip([bpm[i] for i in kept], *_BPM).astype(np.float32)
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
    limits = {
        "take": (0, len(np.atleast_1d(arrays.get("kit_bpm", ()))) - 1), "kind": (0, len(CLASSES) - 1),
        "beat": (-1.0, _LONGEST_BEAT), "bar": (0, _LONGEST_BEAT), "cell": (0, _CELLS), "beat_in_bar": (-1.0, 4096.0),
        "bar_beats": (0.01, 4096.0), "timing_ms": (-1e4, 1e4), "velocity": (1, 127),
        "habits": (-_HABIT, _HABIT), "alike": (0.0, 1.0), "bpm": _BPM,
    }  # fmt: skip
    found = {name: np.asarray(arrays.get(f"kit_{name}", ())) for name in limits}
    for name, (low, high) in limits.items():
        a = found[name]
        # NaN is within no limits.
        if not a.size or a.dtype.kind not in "iuf" or not (a.min() >= low and a.max() <= high):
            return False
        if name in ("take", "kind", "bar", "cell") and (a != np.rint(a)).any():
            return False
    rows, takes = len(found["take"]) if found["take"].ndim else 0, found["bpm"].size
    shapes = {"bpm": (takes,), "habits": (takes, N_HABITS), "alike": (takes, N_ALIKE)}
    if any(a.shape != shapes.get(name, (rows,)) for name, a in found.items()):
        return False
    step = np.diff(found["take"].astype(np.int64))
    return len(np.unique(found["take"])) == takes and bool((step >= 0).all())


def _is_usual(hits: Hits) -> bool:
    """Tell whether a take's length and bars can be kept: people play nothing else."""
    usual = hits.beat[-1] - hits.beat[0] < _LONGEST_BEAT and hits.bar[-1] - hits.bar[0] < _LONGEST_BEAT
    beats = hits.bar_beats
    return bool(usual and beats.min() >= _BAR_BEATS[0] and beats.max() <= _BAR_BEATS[1])


def _tempo_bpm(deviations: Deviations) -> float:
    tempo = deviations.tempo.tempo_bpm if len(deviations.tempo) else np.array([120.0])
    known = tempo[np.isfinite(tempo)]
    return round(float(np.median(known)), 3) if len(known) else 120.0
