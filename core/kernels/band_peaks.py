"""The largest value in each band of a spectrum, frame by frame."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def band_peaks(power, edges):
    """Return the largest value between neighbouring edges of every frame.

    Parameters
    ----------
    power : ndarray of float32 [shape=(frames, bins)]
    edges : ndarray of int64 [shape=(bands + 1,)]
        Rising; band b holds the bins ``edges[b]`` up to, not with, ``edges[b + 1]``.

    Returns
    -------
    ndarray of float32 [shape=(frames, bands)]
    """
    frames, bands = power.shape[0], len(edges) - 1
    out = np.empty((frames, bands), dtype=np.float32)
    for i in range(frames):
        for b in range(bands):
            top = power[i, edges[b]]
            for k in range(edges[b] + 1, edges[b + 1]):
                top = max(top, power[i, k])
            out[i, b] = top
    return out
