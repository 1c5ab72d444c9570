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

import numpy as np

from .errors import TakeprintError

BETA_LIMITS = (-1.0, 2.5)


def circle_length(n: int, window: int) -> int:
    """Return the number of steps of the circle that ``n`` steps are cut from: a power of two."""
    return 1 << int(2 * max(n, window, 8) - 1).bit_length()


def _spectrum(length: int, beta: float, window: int) -> np.ndarray:
    """Return the power of frequencies 1/length .. 1/2, scaled so that the expected variance in a window is 1."""
    f = np.arange(1, length // 2 + 1) / length
    power = f**-beta
    power[-1] *= 0.5  # the Nyquist frequency has one side only
    # A window's mean takes away sin^2(pi f w) / (w sin(pi f))^2 of the power at f (Fejér's kernel).
    kept = 1.0 - (np.sin(np.pi * f * window) / (window * np.sin(np.pi * f))) ** 2
    return power / float((power * kept).sum())


def autocovariance(beta: float, lags: np.ndarray, window: int, n: int | None = None) -> np.ndarray:
    """Return the process's autocovariance at each lag, for a size set by ``window``.

    Parameters
    ----------
    beta : float
    lags : ndarray of int [shape=(k,)], steps
    window : int, steps
    n : int or None
        Length of the stretch, where it is longer than the window.
    """
    length = circle_length(n or window, window)
    f = np.arange(1, length // 2 + 1) / length
    power = _spectrum(length, beta, window)
    return np.array([float((power * np.cos(2.0 * np.pi * f * lag)).sum()) for lag in np.asarray(lags)])


def fractional_noise(normals: np.ndarray, n: int, beta: float, window: int = 256) -> np.ndarray:
    """Return ``n`` steps of noise with power ``f ** -beta``.

    Parameters
    ----------
    normals : ndarray [shape=(circle_length(n, window),)]
        Independent standard normal numbers.
    n : int
    beta : float, -1 to 2.5
    window : int, steps
        Within this many steps the expected variance is 1.

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
    power = _spectrum(length, beta, window)
    # x_t = sum_k sqrt(P_k) (a_k cos + b_k sin): coefficient k of the inverse transform is sqrt(P_k) (a - ib) L / 2.
    coefficients = np.zeros(half + 1, dtype=np.complex128)
    size = np.sqrt(power) * (length / 2.0)
    coefficients[1:] = size * (normals[:half] - 1j * np.append(normals[half:-1], 0.0))
    # At Nyquist there is one real term x = sqrt(P) a (-1)^t, which the transform does not halve.
    coefficients[half] = np.sqrt(power[-1]) * length * normals[half - 1]
    return np.fft.irfft(coefficients, length)[:n]


def white_share_fit(series: list[np.ndarray], window: int) -> tuple[float, float, float]:
    """Fit "fractional noise plus white noise" to several series at once.

    Parameters
    ----------
    series : list of ndarray
        Each a residual series in steps; shorter than 32 are passed over.
    window : int, steps
        The size figure's window.

    Returns
    -------
    beta : float, 0 to 2 in steps of 0.02; NaN where there is too little
    fractional_sd : float
        Of the fractional part within ``window``, in the series' unit.
    white_sd : float

    Notes
    -----
    Whittle's likelihood, sum(log S + I / S), of Hann-tapered periodograms on a grid of beta and white share; for each
    pair the size has a closed form.

    References
    ----------
    Whittle 1953, Arkiv för Matematik 2; Percival and Walden 1993, Spectral Analysis, section 6.4 (tapering).
    """
    frequencies, powers = [], []
    for x in series:
        n = len(x)
        if n < 32:
            continue
        taper = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
        centred = x - np.average(x, weights=taper)
        periodogram = np.abs(np.fft.rfft(centred * taper)) ** 2 / (taper**2).sum()
        # The two lowest bins carry the mean that was taken away.
        frequencies.append(np.fft.rfftfreq(n)[2:])
        powers.append(periodogram[2:])
    if not frequencies:
        return float("nan"), float("nan"), float("nan")
    f, power = np.concatenate(frequencies), np.concatenate(powers)
    # Bins of equal log width keep the grid search small; a bin's mean stands for all its values.
    edges = np.geomspace(f.min() * 0.999, 0.5001, 120)
    which = np.digitize(f, edges)
    count = np.bincount(which, minlength=len(edges) + 1).astype(float)
    used = count > 0
    f_bin = np.bincount(which, f, len(edges) + 1)[used] / count[used]
    p_bin = np.bincount(which, power, len(edges) + 1)[used] / count[used]
    count = count[used]
    best = (np.inf, 0.0, 0.0, 0.0)
    length = circle_length(window, window)
    for beta in np.arange(0.0, 2.001, 0.02):
        # Power a step at f of the unit process: its line power spread over 1/length, both sides.
        level = float(_spectrum(length, beta, window)[0]) / (1.0 / length) ** -beta * length / 2.0
        line = level * f_bin**-beta
        for share in np.linspace(0.0, 1.0, 41):
            shape = (1.0 - share) * line + share
            size = float((count * p_bin / shape).sum() / count.sum())
            cost = float((count * np.log(size * shape)).sum())
            if cost < best[0]:
                best = (cost, float(beta), size * (1.0 - share), size * share)
    _, beta, fractional, white = best
    if fractional <= 0.0:
        beta = 0.0
    return round(beta, 2), float(np.sqrt(fractional)), float(np.sqrt(white))
