"""Laying the dynamics into MIDI: velocity bytes.

Conventions
-----------
Louder is positive. Velocities are rounded to the nearest (the middle goes up) and held in 1..127, for a note-on of
velocity 0 is a note-off. No other event changes: volume and expression controllers stay as they are.
"""

from __future__ import annotations

import numpy as np


def velocity_bytes(velocity: np.ndarray, written: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the velocities that can be written.

    Parameters
    ----------
    velocity : ndarray [shape=(n,)], wanted; NaN keeps the written one
    written : ndarray of int64 [shape=(n,)], 1 to 127

    Returns
    -------
    velocity : ndarray of int64 [shape=(n,)], 1 to 127
    limited : ndarray of bool [shape=(n,)], where 1 or 127 held it back

    Examples
    --------
    >>> import numpy as np
    >>> velocity_bytes(np.array([64.5, 140.0, -3.0, np.nan]), np.array([60, 60, 60, 61]))[0].tolist()
    [65, 127, 1, 61]
    """
    known = np.isfinite(velocity)
    whole = np.floor(np.clip(np.where(known, velocity, 1.0), -1e6, 1e6) + 0.5).astype(np.int64)
    held = np.clip(whole, 1, 127)
    return np.where(known, held, written), known & (whole != held)
