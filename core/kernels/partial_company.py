"""Which partials of written notes lie on those of other notes."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def partial_company(begin_s, end_s, hz, near_s, width_hz):
    """Tell how much of each partial is shared with notes that begin with it, or sound already.

    A partial ``k`` is shared with partial ``h`` of another note by ``exp(-(difference / width)^2)``, times
    ``min(1, k / h)``, for higher partials are weaker; what several notes share is the greatest of theirs.

    Parameters
    ----------
    begin_s, end_s : ndarray of float64 [shape=(n,)], seconds
        In order of ``begin_s``.
    hz : ndarray of float64 [shape=(n, k)]
        The partials of every note.
    near_s : float
        What begins this near begins with it; what began earlier and ends later than the note begins sounds already.
    width_hz : float

    Returns
    -------
    ndarray of float32 [shape=(n, k, 2)]
        Shared with notes that begin with it; with notes that sound.
    """
    n, count = hz.shape
    out = np.zeros((n, count, 2), dtype=np.float32)
    longest = 0.0
    for i in range(n):
        longest = max(longest, end_s[i] - begin_s[i])
    for i in range(n):
        for side in range(2):
            j = i
            while True:
                j += 1 if side else -1
                if j < 0 or j >= n:
                    break
                apart = begin_s[j] - begin_s[i]
                if apart > near_s or apart < -longest - near_s:
                    break
                if apart >= -near_s:
                    which = 0
                elif end_s[j] > begin_s[i]:
                    which = 1
                else:
                    continue
                for k in range(count):
                    for h in range(count):
                        off = (hz[j, h] - hz[i, k]) / width_hz
                        if -3.0 < off < 3.0:
                            shared = np.exp(-off * off) * min(1.0, (k + 1.0) / (h + 1.0))
                            out[i, k, which] = max(out[i, k, which], shared)
    return out
