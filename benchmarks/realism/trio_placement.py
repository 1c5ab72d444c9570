"""Where pianist and bassist stand against their drummer: the Jazz Trio Database, a median a recording.

Detected onsets in steps of 10 ms: medians of whole recordings only (Cheston, Schlichting, Cross and Harrison 2024,
TISMIR; MIT).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

INSTRUMENTS = ("piano", "bass", "drums")
# On the beat: nearer to it than this, beats.
_NEAR_BEAT = 0.15
_LEAST_ONSETS = 50
_LEAST_BEATS = 30


def print_placements(folder: Path) -> None:
    """Print the median placement of piano and bass against the drums on the beat, with quartiles over recordings."""
    path = folder / "jtd_feel.npz"
    if not path.is_file():
        print(f"\nno {path.name} in {folder}: no placements")
        return
    with np.load(path) as table:
        recording, instrument, position, beat_s = (table[name] for name in ("rec", "instr", "pos", "beat_time"))
    from_beat = position - np.round(position)
    rows = np.split(np.arange(len(recording)), np.flatnonzero(np.diff(recording)) + 1)
    found = np.array([placement(instrument[r], from_beat[r], beat_s[r]) for r in rows])
    print("\nplacement against the drums on the beat, ms (Jazz Trio Database): recordings, median [quartiles]")
    for i, name in enumerate(INSTRUMENTS[:2]):
        known = (found[:, i] - found[:, 2])[np.isfinite(found[:, i] - found[:, 2])]
        low, middle, high = np.percentile(known, [25, 50, 75])
        print(f"  {name:<6}{len(known):6d}  {middle:+.1f} [{low:+.1f}, {high:+.1f}]")


def placement(instrument: np.ndarray, from_beat: np.ndarray, beat_s: np.ndarray) -> list[float]:
    """Return each instrument's median lateness on the beat in one recording, ms; NaN where there is too little."""
    beats = np.unique(beat_s)
    if len(beats) <= _LEAST_BEATS:
        return [float("nan")] * 3
    step_ms = 1000.0 * float(np.median(np.diff(beats)))
    near = np.abs(from_beat) < _NEAR_BEAT
    chosen = [from_beat[near & (instrument == i)] for i in range(3)]
    return [step_ms * float(np.median(x)) if len(x) > _LEAST_ONSETS else float("nan") for x in chosen]
