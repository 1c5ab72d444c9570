"""Measure ``articulation``: a note held longer or shorter than written.

Conventions
-----------
log2 of the key's held time over the written duration in local time; longer is positive, 0 is as written, -1 half.
Against a click nothing is written and the answer is NaN; so it is for grace notes, drums and notes without end.
"""

from __future__ import annotations

import numpy as np

from ..core.timeline import Timeline


def articulation_log2(
    duration_s: np.ndarray, beat: np.ndarray, duration_beat: np.ndarray, local: Timeline
) -> np.ndarray:
    """Return the log2 ratio of held to written duration.

    Parameters
    ----------
    duration_s : ndarray [shape=(n,)], seconds
    beat, duration_beat : ndarray [shape=(n,)], beats
    local : Timeline
        The performed tempo.

    Returns
    -------
    ndarray [shape=(n,)]
    """
    beat = np.nan_to_num(beat)
    written_s = local.seconds_at(beat + np.nan_to_num(duration_beat)) - local.seconds_at(beat)
    known = (duration_s > 0.0) & (duration_beat > 0.0) & (written_s > 0.0)
    ratio = np.divide(duration_s, written_s, out=np.ones(len(duration_s)), where=known)
    return np.where(known, np.log2(ratio), np.nan)
