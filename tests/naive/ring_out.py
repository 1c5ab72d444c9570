"""What only rings on, tone by tone."""

import numpy as np


def ring_out(level_db, height, drop_db, leak_db, ahead, fall_db, rise_db, turn):
    n = len(level_db)
    rings = np.zeros(n, dtype=bool)
    i, reference = 0, -np.inf
    while i < n:
        # A tone: until its level is below all earlier levels of it, each sunk by the leak, and goes on falling.
        start, end = i, n
        before = reference
        for j in range(start, n):
            sunk = [level_db[k] - leak_db * (j - k) for k in range(start, j + 1)]
            reference = max([*sunk, before - leak_db * (j - start + 1)])
            if level_db[j] < reference - drop_db and level_db[j : j + ahead + 1].min() <= level_db[j] - fall_db:
                end = j
                break
        if end == n:
            return rings
        tones = [h for h in height[: end + 1] if np.isfinite(h)]
        tone = tones[-1] if tones else np.nan
        rings[foot(level_db, start, end, leak_db, before) : end] = True
        # Its ring: until the level has risen enough above the least.
        fresh = n
        for j in range(end + 1, n):
            least = level_db[end : j + 1].min()
            other = np.isfinite(height[j]) and abs(height[j] - tone) > turn
            if level_db[j] > least + (rise_db / 4 if other else rise_db):
                fresh = j
                break
        rings[end:fresh] = True
        if fresh < n:
            least = end + int(np.argmin(level_db[end : fresh + 1]))
            rings[least : fresh + 1] = False
            reference = level_db[fresh]
        i = fresh + 1
    return rings


def foot(level_db, start, end, leak_db, before):
    """Two frames after the steepest place since the tone was last within 2 dB of its reference."""
    reference, high = before, 0
    for j in range(start, end + 1):
        reference = max(reference - leak_db, level_db[j])
        if level_db[j] > reference - 2:
            high = j
    n = len(level_db)
    steep = end
    for j in range(max(high, 2), min(end + 1, n - 2)):
        if level_db[j - 2] - level_db[j + 2] > level_db[steep - 2] - level_db[min(steep + 2, n - 1)]:
            steep = j
    return steep + 2
