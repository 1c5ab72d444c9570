"""Spectral flux that a gliding tone does not raise, and how much of it stays."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def band_flux(bands, lag, stay):
    """Return the mean rise over bands, the part of it that stays, and the share of bands that rise by 1 or more.

    A band's rise is over the loudest of itself and its neighbours ``lag`` frames ago, 0 if it falls; what stays of it
    is no more than what the band is over that ``stay`` frames later. Before the first frame there was nothing; after
    the last one all stays as it is.

    Parameters
    ----------
    bands : ndarray of float32 [shape=(frames, bands)]
        Logarithmic levels, 0 for nothing.
    lag, stay : int

    Returns
    -------
    ndarray of float64 [shape=(3, frames)]

    References
    ----------
    Böck and Widmer 2013, Maximum filter vibrato suppression for onset detection, DAFx-13 (the maximum filter).
    """
    frames, count = bands.shape
    out = np.zeros((3, frames))
    for i in range(frames):
        later = min(i + stay, frames - 1)
        rises, stays, many = 0.0, 0.0, 0
        for b in range(count):
            old = 0.0
            if i >= lag:
                old = bands[i - lag, b]
                if b > 0:
                    old = max(old, bands[i - lag, b - 1])
                if b + 1 < count:
                    old = max(old, bands[i - lag, b + 1])
            rise = bands[i, b] - old
            if rise > 0.0:
                rises += rise
                stays += max(min(rise, bands[later, b] - old), 0.0)
                many += rise >= 1.0
        out[0, i] = rises / count
        out[1, i] = stays / count
        out[2, i] = many / count
    return out
