"""Where a tone no longer sounds but only rings on in the room."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def ring_out(level_db, height, drop_db, leak_db, ahead, fall_db, rise_db, turn):
    """Tell what rings from what sounds, by the course of the level.

    A tone ends where its level has dropped below a reference, which follows every rise at once and sinks slowly, and
    goes on falling; its end is laid back to the foot of the steepest fall on the way. What follows rings, until the
    level has risen above its least since, or less if the pitch is another one. The new tone then begins at that least
    level.

    Parameters
    ----------
    level_db : ndarray of float64 [shape=(n,)], dB
    height : ndarray of float64 [shape=(n,)], octaves
        The pitch; NaN where there is none.
    drop_db : float, dB
        How far below the reference a tone has ended.
    leak_db : float, dB a frame
        How fast the reference sinks.
    ahead : int, frames
        How far ahead the fall is looked for.
    fall_db : float, dB
        The level must have fallen so far at some frame until then.
    rise_db : float, dB
        A rise so far above the least level is a new tone; a quarter of it where the pitch differs.
    turn : float, octaves
        A pitch that differs by more is another one.

    Returns
    -------
    ndarray of bool [shape=(n,)]
        True where it only rings.
    """
    n = len(level_db)
    rings = np.zeros(n, dtype=np.bool_)
    ringing = False
    reference = -np.inf
    least = 0.0
    since = 0
    high = 0
    tone = np.nan
    for i in range(n):
        now = level_db[i]
        if not ringing:
            reference = max(reference - leak_db, now)
            if now > reference - 2.0:
                high = i
            if height[i] == height[i]:
                tone = height[i]
            later = now
            if now < reference - drop_db:
                for j in range(i, min(i + ahead, n - 1) + 1):
                    later = min(later, level_db[j])
            if later <= now - fall_db:
                ringing = True
                least = now
                since = i
                # Two frames on either side: the foot is two frames after the steepest place.
                steep = i
                for j in range(max(high, 2), min(i + 1, n - 2)):
                    if level_db[j - 2] - level_db[j + 2] > level_db[steep - 2] - level_db[min(steep + 2, n - 1)]:
                        steep = j
                for j in range(steep + 2, i):
                    rings[j] = True
        else:
            other = height[i] == height[i] and abs(height[i] - tone) > turn
            if now < least:
                least = now
                since = i
            if now > least + (0.25 * rise_db if other else rise_db):
                ringing = False
                reference = now
                for j in range(since, i):
                    rings[j] = False
        rings[i] = ringing
    return rings
