"""Measure ``dynamics``: a note louder or softer than the local level.

Conventions
-----------
Louder is positive: velocity steps for MIDI, dB for audio. The local level is a curve of its own in the document, so
that level plus deviation gives the note back.

Method
------
Local linear regression of velocity (or level in dB) on time with a Gaussian window of 2 s standard deviation, at
least 12 notes wide, on knots one second apart.
"""

from __future__ import annotations

import numpy as np

from ..core.deviations import LevelCurve

BANDWIDTH_S = 2.0
_LEAST_NOTES = 12


def local_level(onset_s: np.ndarray, loudness: np.ndarray) -> LevelCurve:
    """Return the local level that single notes deviate from.

    Parameters
    ----------
    onset_s : ndarray [shape=(n,)], seconds, in any order
    loudness : ndarray [shape=(n,)], velocity or dB; NaN where not known

    Returns
    -------
    LevelCurve
        Knots one second apart; empty where no loudness is known.
    """
    from ..core.kernels.local_fit import local_linear

    known = np.isfinite(loudness) & np.isfinite(onset_s)
    if not known.any():
        return LevelCurve.build(0)
    order = np.argsort(onset_s[known], kind="stable")
    time_s = np.ascontiguousarray(onset_s[known][order])
    value = np.ascontiguousarray(loudness[known][order])
    knots = time_s[0] + np.arange(int(np.ceil(time_s[-1] - time_s[0])) + 1, dtype=np.float64)
    level, _ = local_linear(time_s, value, knots, BANDWIDTH_S, _LEAST_NOTES)
    # A line through few notes may run out of their range at the ends.
    return LevelCurve(time_s=knots, level=np.clip(level, value.min(), value.max()))


def level_at(level: LevelCurve, time_s: np.ndarray) -> np.ndarray:
    """Return the level at each time; NaN where there is no curve."""
    if len(level) == 0:
        return np.full(np.shape(time_s), np.nan)
    return np.interp(time_s, level.time_s, level.level)
