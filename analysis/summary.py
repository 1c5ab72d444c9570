"""Summary: the statistics of each trace that is known.

Conventions
-----------
Every figure is in its trace's unit; ornaments are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from .ensemble import ensemble_summary
from .fluctuation import describe
from .hearing import sound_summary
from .slips import likely
from .tempo import mean_onsets, tempo_summary


def summarise(deviations: Deviations) -> dict[str, Mapping[str, Any]]:
    """Return the statistics of each trace that is known.

    Returns
    -------
    dict
        ``tempo`` as in ``tempo.tempo_summary``; ``timing``, ``dynamics`` and ``articulation`` as in
        ``fluctuation.describe``, ``timing`` also with ``latency_ms``, ``asynchrony_sd_ms`` (spread of notes written
        together about their mean) and ``n_ornaments``; ``slips`` counts by kind; ``ensemble`` where two or more
        players share moments, as in ``ensemble.ensemble_summary``.
    """
    notes = deviations.notes
    out: dict[str, Mapping[str, Any]] = {}
    if len(deviations.tempo) >= 2:
        out["tempo"] = tempo_summary(deviations.tempo, deviations.reference_timeline)
    main = (notes.label == "match") & (notes.ornament == "")
    if main.any():
        timing = notes.timing_ms[main]
        together_beat, together_ms, index = mean_onsets(notes.reference_beat[main], timing)
        # Memory lies in the series of moments; notes struck together are one moment.
        said = describe(together_ms, together_beat)
        said |= {k: v for k, v in describe(timing).items() if k in ("n", "median", "iqr", "sd", "p95")}
        several = np.bincount(index) > 1
        apart = (timing - together_ms[index])[several[index]]
        freedom = len(apart) - int(several.sum())
        said["asynchrony_sd_ms"] = float(np.sqrt((apart**2).sum() / freedom)) if freedom > 0 else np.nan
        said["n_moments"] = len(together_ms)
        said["n_ornaments"] = int((notes.ornament != "").sum())
        out["timing"] = said
    for trace, column in (
        ("dynamics", notes.dynamics_velocity if np.isfinite(notes.dynamics_velocity).any() else notes.dynamics_db),
        ("articulation", notes.articulation_log2),
    ):
        values = column[main]
        if np.isfinite(values).any():
            out[trace] = describe(values, notes.onset_s[main])
    out |= sound_summary(deviations)
    if deviations.reference.get("kind") in ("score", "take"):
        kinds = [slip["kind"] for slip in likely(deviations.slips)]
        names = ("wrong", "missed", "added", "repeated", "hesitation")
        out["slips"] = {"n": len(kinds), **{kind: kinds.count(kind) for kind in names}}
    together = ensemble_summary(deviations)
    return out | ({"ensemble": together} if together else {})
