"""Fractional noise: random series whose power falls as 1/f**beta, exactly.

Conventions
-----------
Frequencies are in cycles a step. The series is a stretch of ``n`` steps cut from a Gaussian process on a circle of at
least ``2 n`` steps, whose power at every frequency of the circle is exactly ``f ** -beta`` (none at f = 0); being cut,
the stretch does not return to its beginning. beta 0 is white, 1 is 1/f ("pink"), 2 is a random walk.

The size is set by ``window``: within ``window`` consecutive steps the expected variance about their own mean is 1.
For beta > 0 a longer stretch wanders further, as people do.

References
----------
Timmer and König 1995, On generating power law noise, Astronomy and Astrophysics 300, section 3 (random amplitude and
phase for every frequency). Gilden, Thornton and Mallon 1995, 1/f noise in human cognition, Science 267 (clock + motor).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .errors import TakeprintError

BETA_LIMITS = (-1.0, 2.5)


def circle_length(n: int, window: int) -> int:
    """Return the number of steps of the circle that ``n`` steps are cut from: a power of two."""
    return 1 << int(2 * max(n, window, 8) - 1).bit_length()


def _power(f: np.ndarray, beta: float, corner: float) -> np.ndarray:
    return (f * f + corner * corner) ** (-0.5 * beta)


def _spectrum(length: int, beta: float, window: int, corner: float) -> np.ndarray:
    """Return the power of frequencies 1/length .. 1/2, scaled so that the expected variance in a window is 1."""
    f = np.arange(1, length // 2 + 1) / length
    power = _power(f, beta, corner)
    power[-1] *= 0.5  # the Nyquist frequency has one side only
    # A window's mean takes away sin^2(pi f w) / (w sin(pi f))^2 of the power at f (Fejér's kernel).
    kept = 1.0 - (np.sin(np.pi * f * window) / (window * np.sin(np.pi * f))) ** 2
    return power / float((power * kept).sum())


def autocovariance(beta: float, lags: np.ndarray, window: int, n: int | None = None, corner: float = 0.0) -> np.ndarray:
    """Return the process's autocovariance at each lag, for a size set by ``window``.

    Parameters
    ----------
    beta : float
    lags : ndarray of int [shape=(k,)], steps
    window : int, steps
    n : int or None
        Length of the stretch, where it is longer than the window.
    corner : float, cycles a step
    """
    length = circle_length(n or window, window)
    f = np.arange(1, length // 2 + 1) / length
    power = _spectrum(length, beta, window, corner)
    return np.array([float((power * np.cos(2.0 * np.pi * f * lag)).sum()) for lag in np.asarray(lags)])


def fractional_noise(normals: np.ndarray, n: int, beta: float, window: int = 256, corner: float = 0.0) -> np.ndarray:
    """Return ``n`` steps of noise with power ``f ** -beta``.

    Parameters
    ----------
    normals : ndarray [shape=(circle_length(n, window),)]
        Independent standard normal numbers.
    n : int
    beta : float, -1 to 2.5
    window : int, steps
        Within this many steps the expected variance is 1.
    corner : float, cycles a step
        Below it the power rises no more: a player who hears a click strays only so far. 0 = none.

    Returns
    -------
    ndarray [shape=(n,)]

    Raises
    ------
    TakeprintError
        For a beta outside its limits or the wrong count of normals.

    Examples
    --------
    >>> from takeprint.core.randomness import Stream
    >>> x = fractional_noise(Stream(1, "drift").normal(circle_length(1000, 256)), 1000, beta=1.0)
    >>> x.shape
    (1000,)
    """
    if not BETA_LIMITS[0] <= beta <= BETA_LIMITS[1]:
        raise TakeprintError(f"beta={beta}", rule=f"beta lies between {BETA_LIMITS[0]} and {BETA_LIMITS[1]}")
    window = max(int(window), 2)
    length = circle_length(n, window)
    if len(normals) != length:
        raise TakeprintError(f"{len(normals)} normals given", rule=f"{n} steps need circle_length = {length}")
    half = length // 2
    power = _spectrum(length, beta, window, corner)
    # x_t = sum_k sqrt(P_k) (a_k cos + b_k sin): coefficient k of the inverse transform is sqrt(P_k) (a - ib) L / 2.
    coefficients = np.zeros(half + 1, dtype=np.complex128)
    size = np.sqrt(power) * (length / 2.0)
    coefficients[1:] = size * (normals[:half] - 1j * np.append(normals[half:-1], 0.0))
    # At Nyquist there is one real term x = sqrt(P) a (-1)^t, which the transform does not halve.
    coefficients[half] = np.sqrt(power[-1]) * length * normals[half - 1]
    return np.fft.irfft(coefficients, length)[:n]


@dataclass(frozen=True)
class NoiseFit:
    """Fractional plus white noise, as fitted.

    Parameters
    ----------
    beta : float, 0 to 2 in steps of 0.02; NaN where there was too little to fit
    corner : float, cycles a step; 0 = none found
    fractional_sd, white_sd : float
        In the series' unit; the fractional part's within the window.
    """

    beta: float
    corner: float
    fractional_sd: float
    white_sd: float


def fit_noise(series: Sequence[np.ndarray], window: int, *, corners: bool = True) -> NoiseFit:
    """Fit fractional noise plus white noise to several series at once.

    Parameters
    ----------
    series : sequence of ndarray
        Each a residual series in steps; shorter than 32 are passed over.
    window : int, steps
        The size figure's window.
    corners : bool
        Whether a corner may be found.

    Returns
    -------
    NoiseFit

    Notes
    -----
    Whittle's likelihood, sum(log S + I / S), of sine-squared-tapered periodograms on a grid of beta, corner and white
    share; the size has a closed form for each. A corner must make the data 50 times more likely to be believed.

    References
    ----------
    Whittle 1953, Arkiv för Matematik 2; Percival and Walden 1993, Spectral Analysis, section 6.4 (tapering).
    """
    f, power, count = _binned_periodograms(series)
    if not len(f):
        return NoiseFit(*[float("nan")] * 4)
    length = circle_length(window, window)
    share = np.linspace(0.0, 1.0, 41)[:, None]
    best, found = np.inf, (0.0, 0.0, 0.0, 1.0)
    for corner in (0.0, *(2.0**-k for k in np.arange(9.0, 3.9, -0.5))) if corners else (0.0,):
        # Believe a corner only where it is inside what was heard and tells clearly.
        doubt = 0.0 if corner == 0.0 else np.log(50.0)
        if corner and corner < 3.0 * f[0]:
            continue
        for beta in np.arange(0.0, 2.001, 0.02):
            # Power a step at f of the unit process: a line's power spread over 1/length, on both sides.
            unit = _spectrum(length, beta, window, corner)[0] / _power(np.array([1.0 / length]), beta, corner)
            shape = (1.0 - share) * (unit * 0.5 * length * _power(f, beta, corner)) + share
            size = (count * power / shape).sum(axis=1) / count.sum()
            cost = (count * np.log(size[:, None] * shape)).sum(axis=1) + doubt
            i = int(np.argmin(cost))
            if cost[i] < best:
                best, found = float(cost[i]), (float(beta), corner, float(size[i]), float(share[i, 0]))
    beta, corner, size, white = found
    flat = white == 1.0 or beta == 0.0
    return NoiseFit(
        beta=0.0 if flat else round(beta, 2),
        corner=0.0 if flat else float(corner),
        fractional_sd=float(np.sqrt(size * (1.0 - white))),
        white_sd=float(np.sqrt(size * white)),
    )


def _binned_periodograms(series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (frequency, mean power, how many values) in bins of equal log width, pooled over the series."""
    frequencies: list[np.ndarray] = [np.zeros(0)]
    powers: list[np.ndarray] = [np.zeros(0)]
    for x in series:
        length = len(x)
        if length < 32:
            continue
        taper = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
        centred = x - np.average(x, weights=taper)
        # The two lowest bins carry the mean that was taken away.
        powers.append((np.abs(np.fft.rfft(centred * taper)) ** 2 / (taper**2).sum())[2:])
        frequencies.append(np.fft.rfftfreq(length)[2:])
    f, power = np.concatenate(frequencies), np.concatenate(powers)
    if not len(f) or not power.any():
        return np.zeros(0), np.zeros(0), np.zeros(0)
    edges = np.geomspace(f.min() * 0.999, 0.5001, 120)
    which = np.digitize(f, edges)
    count = np.bincount(which, minlength=len(edges) + 1).astype(float)
    used = count > 0
    n = count[used]
    return np.bincount(which, f, len(count))[used] / n, np.bincount(which, power, len(count))[used] / n, n
