"""Named, seeded, portable random streams.

Conventions
-----------
A stream is known by (seed, names): the same key gives the same numbers on every machine, in any order of use and on
any number of workers. Only ``PCG64.random_raw`` is taken from numpy: it is an integer generator and the same
everywhere, while numpy promises its distributions on one build alone. Uniform and normal numbers are made here from
+, -, *, / and sqrt, which IEEE 754 fixes to the last bit.
"""

from __future__ import annotations

import hashlib

import numpy as np

from .errors import TakeprintError

# Coefficients of algorithm AS 241 (PPND16), the inverse of the normal distribution, relative error about 1e-16.
_CENTRE = (
    (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
     21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610),
)  # fmt: skip
_MIDDLE = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
     0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_TAIL = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
     0.0265321895265761230930, 0.00124266094738807843860, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip
_LN2 = 0.693147180559945309417


def _horner(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def _portable_log(x: np.ndarray) -> np.ndarray:
    """Return ln(x) for positive x from a fixed series: libraries' logarithms differ in the last bit."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.70710678118654752440
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    exponent = exponent - low
    # ln m = 2 artanh((m - 1) / (m + 1)), |argument| < 0.172: 12 odd terms reach 1e-19.
    z = (mantissa - 1.0) / (mantissa + 1.0)
    square = z * z
    series = np.zeros_like(z)
    for k in range(23, 0, -2):
        series = series * square + 1.0 / k
    return 2.0 * z * series + exponent * _LN2


def normal_quantile(probability: np.ndarray) -> np.ndarray:
    """Return the standard normal quantile of each probability in (0, 1).

    References
    ----------
    Wichura 1988, Algorithm AS 241, Applied Statistics 37(3), routine PPND16.
    """
    p = np.asarray(probability, dtype=np.float64)
    q = p - 0.5
    centre = np.abs(q) <= 0.425
    r = np.where(centre, 0.180625 - q * q, 0.0)
    value = q * _horner(_CENTRE[0], r) / _horner(_CENTRE[1], r)
    tail = np.sqrt(-_portable_log(np.where(centre, 0.5, np.minimum(p, 1.0 - p))))
    near = tail - 1.6
    far = tail - 5.0
    size = np.where(
        tail <= 5.0,
        _horner(_MIDDLE[0], near) / _horner(_MIDDLE[1], near),
        _horner(_TAIL[0], far) / _horner(_TAIL[1], far),
    )
    return np.where(centre, value, np.where(q < 0.0, -size, size))


class Stream:
    """One named stream of random numbers.

    Parameters
    ----------
    seed : int
        Not negative, below 2**63.
    *names : str
        What the numbers are for, e.g. ``"timing", "track 1"``. Other names, independent numbers.

    Examples
    --------
    >>> a, b = Stream(7, "timing"), Stream(7, "timing")
    >>> bool((a.normal(5) == b.normal(5)).all())
    True
    """

    def __init__(self, seed: int, *names: str) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
            raise TakeprintError(f"seed={seed!r}", rule="a seed is a whole number from 0 to 2**63 - 1")
        # Length-prefixed names: ("ab", "c") and ("a", "bc") are different streams.
        key = b"".join(len(n.encode()).to_bytes(4, "big") + n.encode() for n in (str(int(seed)), *names))
        entropy = int.from_bytes(hashlib.sha256(key).digest(), "big")
        self._bits = np.random.PCG64(np.random.SeedSequence(entropy))

    def raw(self, n: int) -> np.ndarray:
        """Return ``n`` random 64-bit integers, uint64."""
        return np.atleast_1d(self._bits.random_raw(n)) if n else np.zeros(0, dtype=np.uint64)

    def uniform(self, n: int) -> np.ndarray:
        """Return ``n`` numbers in the open interval (0, 1)."""
        # The middle of one of 2**52 equal cells: never 0 or 1, symmetric about 0.5.
        return ((self.raw(n) >> np.uint64(12)).astype(np.float64) + 0.5) / 4503599627370496.0

    def normal(self, n: int) -> np.ndarray:
        """Return ``n`` standard normal numbers."""
        return normal_quantile(self.uniform(n))

    def integers(self, n: int, below: int) -> np.ndarray:
        """Return ``n`` whole numbers from 0 to ``below`` - 1, int64."""
        if below < 1:
            raise TakeprintError(f"below={below}", rule="there must be at least one number to choose from")
        return np.minimum((self.uniform(n) * below).astype(np.int64), below - 1)
