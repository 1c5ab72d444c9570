"""How deviations hang together in time: autocorrelation, detrended fluctuation analysis, spectral exponent.

Conventions
-----------
A series is one number a note (or a beat) in playing order; lags are counted in notes. NaN marks a note whose deviation
is not known. ``autocorrelation`` uses the pairs in which both are known, at their true distance; ``dfa`` and
``spectrum`` take the gaps out and join the ends (harmless for positively correlated series, not for anticorrelated
ones: Chen et al. 2002, Physical Review E 65, 041107), and warn when more than a fifth is missing.

Series of fewer than 32 known values, or without any variation, give NaN and a ``reason``, never a number.
All bounds are 95 % confidence bounds. Exponents of a stationary series: DFA alpha = (1 + beta) / 2; white noise has
alpha 0.5 and beta 0, "1/f" noise alpha 1 and beta 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.errors import TakeprintError

LEAST = 32
_Z95 = 1.959963984540054
# Standard deviation of the DFA exponent of white noise by length: 400 series each, windows as `dfa` chooses them.
_DFA_LENGTH = np.log([32.0, 48.0, 64.0, 95.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 8192.0])
_DFA_SPREAD = np.log([0.239, 0.143, 0.125, 0.092, 0.080, 0.063, 0.047, 0.038, 0.029, 0.019])
# A Hann taper correlates neighbouring frequencies: the regression's standard error grows by this much (measured).
_TAPER_INFLATION = 1.28


class _Record:
    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON has them, NaN as None."""
        from ..core.deviations import finite

        return finite(vars(self))


@dataclass(frozen=True)
class Autocorrelation(_Record):
    """Autocorrelation by lag, lags 0 to ``max_lag``.

    Parameters
    ----------
    lag : ndarray of int64 [shape=(k,)]
    value, low, high : ndarray [shape=(k,)], -1 to 1, with 95 % bounds; NaN where too few pairs are known
    n : int
        Known values.
    reason : str
        Why there are no numbers; "" otherwise.
    """

    lag: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    reason: str = ""


@dataclass(frozen=True)
class Dfa(_Record):
    """Result of detrended fluctuation analysis of order 1.

    Parameters
    ----------
    exponent, low, high : float
        Scaling exponent alpha with 95 % bounds.
    window : ndarray [shape=(w,)], notes
    fluctuation : ndarray [shape=(w,)], the unit of the series
        Root mean squared residual by window length, corrected for short windows.
    n : int
        Known values.
    trusted : bool
        False where the method is known to fail; ``warning`` says why.
    warning, reason : str
        A doubt in words; why there is no number at all.
    """

    exponent: float
    low: float
    high: float
    window: np.ndarray
    fluctuation: np.ndarray
    n: int
    trusted: bool = True
    warning: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SpectralExponent(_Record):
    """Exponent of a power spectrum 1 / f**beta.

    Parameters
    ----------
    beta, low, high : float
        With 95 % bounds.
    band : tuple of float
        Lowest and highest frequency of the fit, cycles a note.
    frequency, power : ndarray [shape=(k,)]
        The periodogram that was fitted.
    n : int
        Known values.
    warning, reason : str
        A doubt in words; why there is no number at all.
    """

    beta: float
    low: float
    high: float
    band: tuple[float, float]
    frequency: np.ndarray = field(repr=False)
    power: np.ndarray = field(repr=False)
    n: int = 0
    warning: str = ""
    reason: str = ""


def autocorrelation(series: Any, max_lag: int = 32) -> Autocorrelation:
    """Return the autocorrelation of a series by lag, with confidence bounds.

    Parameters
    ----------
    series : array_like [shape=(n,)], any unit; NaN = not known
    max_lag : int
        Largest lag, cut to a quarter of the series.

    Returns
    -------
    Autocorrelation

    Raises
    ------
    TakeprintError
        For a series that is not one-dimensional, or ``max_lag`` below 1.

    Notes
    -----
    The value is the mean product of the known pairs over the variance. Taking off the sample's own mean pulls every
    lag down by about the variance of that mean; the bounds are centred on the value with that much given back. Their
    width is Bartlett's, with the estimated autocorrelation tapered, applied on Fisher's z so that they stay within
    -1 to 1. Both need memory that is short against the series: for noise with alpha near 1 nothing computed from one
    take can know the mean, the value lies low and the bounds are too narrow.

    References
    ----------
    Bartlett 1946, Supplement to the Journal of the Royal Statistical Society 8, 27, eq. 7 on the large-sample variance.

    Examples
    --------
    >>> r = autocorrelation([1.0, 2.0] * 40, max_lag=2)
    >>> r.value.round(6).tolist()
    [1.0, -1.0, 1.0]
    """
    x = _series(series)
    if max_lag < 1:
        raise TakeprintError(f"max_lag={max_lag}", rule="the largest lag is at least 1")
    known = np.isfinite(x)
    n = int(known.sum())
    reason = _why_not(x[known])
    lags = np.arange(min(max_lag, max(1, len(x) // 4)) + 1)
    if reason:
        none = np.full(len(lags), np.nan)
        return Autocorrelation(lags, none, none.copy(), none.copy(), n, reason)
    value, pairs = _pairwise(x, known, max(int(lags[-1]), min(len(x) // 4, int(2.0 * np.sqrt(n)))))
    tapered = np.nan_to_num(value) * _taper(len(value))
    # Variance of the mean over the variance of the series: what subtracting the mean took away.
    taken = np.clip((1.0 + 2.0 * tapered[1:].sum()) / n, 0.0, 0.5)
    centre = np.clip(value * (1.0 - taken) + taken, -0.999999, 0.999999)
    spread = _bartlett(tapered, n) * np.sqrt(n / np.maximum(pairs, 1))
    z = np.arctanh(centre)
    # Delta method: the standard error on Fisher's scale, held below 1.5 where it has lost its meaning.
    half = _Z95 * np.minimum(spread / (1.0 - centre**2), 1.5)
    k = len(lags)
    low, high = np.tanh(z - half)[:k], np.tanh(z + half)[:k]
    value = np.clip(value[:k], -1.0, 1.0)
    low, high = np.minimum(low, value), np.maximum(high, value)
    value[0] = low[0] = high[0] = 1.0
    return Autocorrelation(lags, value, low, high, n)


def _pairwise(x: np.ndarray, known: np.ndarray, max_lag: int) -> tuple[np.ndarray, np.ndarray]:
    centred = np.where(known, x - x[known].mean(), 0.0)
    variance = (centred**2).sum() / known.sum()
    value = np.full(max_lag + 1, np.nan)
    pairs = np.zeros(max_lag + 1)
    for lag in range(max_lag + 1):
        pairs[lag] = (known[: len(x) - lag] & known[lag:]).sum()
        if pairs[lag] >= 8:
            value[lag] = (centred[: len(x) - lag] * centred[lag:]).sum() / pairs[lag] / variance
    return value, pairs


def _taper(count: int) -> np.ndarray:
    """Return a flat-top window: full weight for the first half of the lags, then a straight line to zero."""
    return np.clip(2.0 - 2.0 * np.arange(count) / max(count - 1, 1), 0.0, 1.0)


def _bartlett(rho: np.ndarray, n: int) -> np.ndarray:
    """Return the standard error of each lag: Bartlett's sum over the given (tapered) autocorrelation."""
    k = len(rho)
    full = np.concatenate([rho[:0:-1], rho])
    spread = np.empty(k)
    for lag in range(k):
        ahead = _shifted(full, lag)
        behind = _shifted(full, -lag)
        total = full**2 + ahead * behind - 4.0 * rho[lag] * full * ahead + 2.0 * rho[lag] ** 2 * full**2
        spread[lag] = np.sqrt(max(total.sum(), 1e-3) / n)
    return spread


def _shifted(full: np.ndarray, lag: int) -> np.ndarray:
    out = np.zeros_like(full)
    if lag >= 0:
        out[: len(full) - lag] = full[lag:]
    else:
        out[-lag:] = full[:lag]
    return out


def dfa(series: Any, *, smallest: int | None = None, largest: int | None = None, count: int = 16) -> Dfa:
    """Return the scaling exponent of a series by detrended fluctuation analysis of order 1.

    Parameters
    ----------
    series : array_like [shape=(n,)], any unit; NaN = not known, taken out
    smallest, largest : int or None
        Window lengths, notes; by default 6 (4 below 96 values) to a quarter of the series.
    count : int
        How many window lengths, evenly spaced in their logarithm.

    Returns
    -------
    Dfa

    Raises
    ------
    TakeprintError
        For a series that is not one-dimensional or windows outside 4 to n.

    Notes
    -----
    The squared fluctuation is multiplied by s**2 / (s**2 - 4), which makes it exact for white noise at every window
    length s; the exponent is the slope of a straight line through log fluctuation against log length. The bounds come
    from a table of the estimate's spread in simulated fractional noise, by length and exponent.

    Known failure: on anticorrelated series (true exponent below 0.5) the estimate is too high, the more so the
    shorter the series, and any added white noise or gap hides the anticorrelation altogether. An exponent
    surely below 0.5 is returned with ``trusted`` False. Above 1 the estimate is too low by up to 0.1 in short series.

    References
    ----------
    Peng et al. 1994, Physical Review E 49, 1685. Short windows and the failure below 0.5: Kantelhardt et al. 2001,
    Physica A 295, 441, section 3; Hu et al. 2001, Physical Review E 64, 011114, section III.

    Examples
    --------
    >>> white = np.random.default_rng(0).standard_normal(4096)
    >>> result = dfa(white)
    >>> result.low < 0.5 < result.high
    True
    """
    from ..core.kernels.detrended_fluctuation import detrended_fluctuation

    full = _series(series)
    x = full[np.isfinite(full)]
    n = len(x)
    reason = _why_not(x)
    if reason:
        return Dfa(np.nan, np.nan, np.nan, np.zeros(0), np.zeros(0), n, False, "", reason)
    smallest = (4 if n < 96 else 6) if smallest is None else smallest
    largest = max(n // 4, smallest + 3) if largest is None else largest
    if not 4 <= smallest < largest <= n or count < 3:
        raise TakeprintError(
            f"windows from {smallest} to {largest} notes, {count} of them",
            rule=f"at least three windows from 4 to the series' length ({n})",
        )
    window = np.unique(np.round(np.geomspace(smallest, largest, count)).astype(np.int64))
    squared = detrended_fluctuation(np.cumsum(x - x.mean()), window)
    squared = np.maximum(squared, 1e-300) * window**2 / (window**2 - 4.0)
    log_window, log_fluctuation = np.log(window), 0.5 * np.log(squared)
    exponent = _slope(log_window, log_fluctuation)
    spread = dfa_spread(n, exponent)
    # Above 1 the estimate lies low (measured: 0.12 at 256 values), so the upper bound reaches further.
    lies_low = 0.12 * np.sqrt(256.0 / n) * np.clip((exponent - 0.95) / 0.1, 0.0, 1.0)
    warning, trusted = _dfa_doubts(full, x, exponent, log_window, log_fluctuation, spread)
    return Dfa(
        exponent,
        exponent - _Z95 * spread,
        float(exponent + _Z95 * spread + lies_low),
        window.astype(np.float64),
        np.sqrt(squared),
        n,
        trusted,
        warning,
    )


def dfa_spread(n: int, exponent: float) -> float:
    """Return the standard deviation of the DFA exponent of ``n`` values of fractional noise with that exponent."""
    white = np.exp(np.interp(np.log(n), _DFA_LENGTH, _DFA_SPREAD))
    if n > 8192:
        white *= np.sqrt(8192.0 / n)
    return float(white * (0.45 + 1.1 * np.clip(exponent, 0.2, 1.2)))


def _dfa_doubts(
    full: np.ndarray, x: np.ndarray, exponent: float, log_window: np.ndarray, log_fluctuation: np.ndarray, spread: float
) -> tuple[str, bool]:
    said = []
    trusted = True
    if exponent < 0.5 - _Z95 * spread:
        trusted = False
        said.append(
            f"the series looks anticorrelated (exponent {exponent:.2f}): DFA overestimates such exponents and cannot"
            " tell how strong the anticorrelation is"
        )
    half = len(log_window) // 2
    if len(log_window) >= 10:
        fine = _slope(log_window[: half + 1], log_fluctuation[: half + 1])
        coarse = _slope(log_window[half:], log_fluctuation[half:])
        if abs(fine - coarse) > 5.0 * spread:
            trusted = False
            said.append(
                f"no single exponent: {fine:.2f} in windows up to {np.exp(log_window[half]):.0f} notes, {coarse:.2f}"
                " beyond"
            )
    if len(x) < 0.8 * len(full):
        said.append(_missing_words(full, x))
    return "; ".join(said), trusted


def spectrum(series: Any, *, lowest: float | None = None, highest: float = 0.25) -> SpectralExponent:
    """Return the exponent beta of a power spectrum 1 / f**beta.

    Parameters
    ----------
    series : array_like [shape=(n,)], any unit; NaN = not known, taken out
    lowest, highest : float, cycles a note
        The band of the fit; by default from 2 / n (below it the removed trend and the taper weigh in) to 0.25 (above
        it fractional noise bends away from its power law).

    Returns
    -------
    SpectralExponent

    Raises
    ------
    TakeprintError
        For a series that is not one-dimensional or a band outside 0 to 0.5.

    Notes
    -----
    A straight line is taken off, a Hann taper laid on, and the log of the periodogram regressed on the log of the
    frequency. The log of a periodogram ordinate has standard deviation pi / sqrt(6) whatever the spectrum is; the
    taper's correlation of neighbours widens the bounds by a measured factor of 1.28. On fractional noise that is not
    an exact power law the constant bias is within 0.1 for beta -0.4 to 1 from 256 values on (too steep above 0).

    References
    ----------
    Geweke & Porter-Hudak 1983, Journal of Time Series Analysis 4, 221, section 3 (log-periodogram regression).

    Examples
    --------
    >>> white = np.random.default_rng(0).standard_normal(4096)
    >>> result = spectrum(white)
    >>> result.low < 0.0 < result.high
    True
    """
    full = _series(series)
    x = full[np.isfinite(full)]
    n = len(x)
    reason = _why_not(x)
    if reason:
        none = np.zeros(0)
        return SpectralExponent(np.nan, np.nan, np.nan, (np.nan, np.nan), none, none.copy(), n, "", reason)
    lowest = 2.0 / n if lowest is None else lowest
    if not 0.0 < lowest < highest <= 0.5:
        raise TakeprintError(f"band from {lowest} to {highest}", rule="a band lies between 0 and 0.5 cycles a note")
    at = np.arange(n) - 0.5 * (n - 1)
    centred = x - x.mean()
    centred = centred - at * (centred @ at / (at @ at))
    power = np.abs(np.fft.rfft(centred * np.hanning(n + 2)[1:-1])) ** 2
    frequency = np.arange(len(power)) / n
    inside = (frequency >= lowest * (1.0 - 1e-9)) & (frequency <= highest * (1.0 + 1e-9))
    inside &= power > power.max() * 1e-24
    if inside.sum() < 4:
        reason = "fewer than 4 frequencies with power lie in the band"
        return SpectralExponent(np.nan, np.nan, np.nan, (lowest, highest), frequency, power, n, "", reason)
    log_f = np.log(frequency[inside])
    beta = -_slope(log_f, np.log(power[inside]))
    error = _TAPER_INFLATION * np.pi / np.sqrt(6.0) / np.sqrt(((log_f - log_f.mean()) ** 2).sum())
    warning = _missing_words(full, x) if n < 0.8 * len(full) else ""
    return SpectralExponent(
        float(beta),
        float(beta - _Z95 * error),
        float(beta + _Z95 * error),
        (float(lowest), float(highest)),
        frequency[inside],
        power[inside],
        n,
        warning,
    )


def describe(values: Any, order_times: Any = None) -> dict[str, float | int]:
    """Return the statistics of one trace as ``summary`` holds them.

    Parameters
    ----------
    values : array_like [shape=(n,)], the trace's unit; NaN = not known
    order_times : array_like [shape=(n,)] or None
        Where each value lies in time; None when they are in playing order. Values without a time are left out of the
        series, not of the distribution.

    Returns
    -------
    dict
        ``n, median, iqr, sd, p95`` (of the distance from the median), ``lag1, lag1_low, lag1_high, dfa_exponent,
        dfa_low, dfa_high, spectral_exponent, spectral_low, spectral_high``; NaN = not known.

    Examples
    --------
    >>> describe([1.0, 2.0, 3.0])["median"]
    2.0
    """
    x = _series(values)
    known = x[np.isfinite(x)]
    out: dict[str, float | int] = {"n": len(known)}
    if len(known) == 0:
        out |= dict.fromkeys(("median", "iqr", "sd", "p95"), np.nan)
    else:
        low, median, high = np.percentile(known, [25.0, 50.0, 75.0])
        out |= {
            "median": float(median),
            "iqr": float(high - low),
            "sd": float(known.std(ddof=1)) if len(known) > 1 else np.nan,
            "p95": float(np.percentile(np.abs(known - median), 95.0)),
        }
    ordered = in_order(x, order_times)
    memory, scaling, spectral = autocorrelation(ordered, 1), dfa(ordered), spectrum(ordered)
    return out | {
        "lag1": _at(memory.value, 1),
        "lag1_low": _at(memory.low, 1),
        "lag1_high": _at(memory.high, 1),
        "dfa_exponent": scaling.exponent,
        "dfa_low": scaling.low,
        "dfa_high": scaling.high,
        "spectral_exponent": spectral.beta,
        "spectral_low": spectral.low,
        "spectral_high": spectral.high,
    }


def in_order(values: Any, order_times: Any = None) -> np.ndarray:
    """Return the values sorted by time, ties in the order given; values without a time are left out."""
    x = _series(values)
    if order_times is None:
        return x
    times = _series(order_times)
    if len(times) != len(x):
        raise TakeprintError(f"{len(times)} times for {len(x)} values", rule="every value has one time")
    placed = np.flatnonzero(np.isfinite(times))
    return x[placed[np.argsort(times[placed], kind="stable")]]


def _series(values: Any) -> np.ndarray:
    try:
        x = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as wrong:
        raise TakeprintError(f"the series cannot be read ({wrong})", rule="a series is numbers") from wrong
    if x.ndim != 1:
        raise TakeprintError(f"the series has shape {x.shape}", rule="a series is one-dimensional")
    x[~np.isfinite(x)] = np.nan
    return x


def _why_not(known: np.ndarray) -> str:
    if len(known) < LEAST:
        return f"too short: {len(known)} of at least {LEAST} known values"
    # Rounding alone must not look like variation.
    if np.ptp(known) <= 1e-12 * max(1.0, float(np.abs(known).max())):
        return "all values are equal"
    return ""


def _missing_words(full: np.ndarray, x: np.ndarray) -> str:
    share = 100.0 * (1.0 - len(x) / len(full))
    return f"{share:.0f} % of the values are not known; the gaps were taken out and their ends joined"


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    centred = x - x.mean()
    return float(centred @ y / (centred @ centred))


def _at(values: np.ndarray, index: int) -> float:
    return float(values[index]) if len(values) > index else np.nan
