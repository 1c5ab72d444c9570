"""Parangonar's alignment of a recording and a score, for the benchmark: one onset for every written note."""

from __future__ import annotations

import warnings

import numpy as np
from score_scenes import Scene

FIELDS = [("onset_beat", "f4"), ("duration_beat", "f4"), ("onset_quarter", "f4"), ("duration_quarter", "f4"),
          ("pitch", "i4"), ("id", "U12")]  # fmt: skip


def parangonar_onsets(scene: Scene) -> np.ndarray:
    """Return each written note's onset by `parangonar.AudioToScoreMatcher` with its defaults, seconds."""
    import parangonar

    score = scene.score
    notes = np.zeros(len(score), dtype=FIELDS)
    for name in ("onset_beat", "onset_quarter"):
        notes[name] = score.onset_s / 0.6
    for name in ("duration_beat", "duration_quarter"):
        notes[name] = score.duration_s / 0.6
    notes["pitch"] = score.pitch
    notes["id"] = [f"n{i}" for i in range(len(score))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = parangonar.AudioToScoreMatcher()(scene.samples, notes, sample_rate=scene.rate)
    out = np.full(len(score), np.nan)
    for row in found:
        if row["label"] == "match":
            out[int(str(row["score_id"])[1:])] = float(row["performance_time"])
    return out
