"""What prevails around every moment of a curve: the greatest, the mean and ranks of its neighbours.

Conventions
-----------
``width`` neighbours, odd, half of them on either side. Beyond its ends a curve is mirrored, its first and last value
doubled; only for the greatest it may be nothing there instead.
"""

from __future__ import annotations

import numpy as np


def greatest(x: np.ndarray, width: int, *, mirrored: bool = True) -> np.ndarray:
    """Return the greatest of every value's neighbours.

    Parameters
    ----------
    x : ndarray [shape=(n,)]
    width : int
    mirrored : bool
        Otherwise zeros lie beyond the ends.

    Returns
    -------
    ndarray [shape=(n,)]
    """
    out = np.pad(x, width // 2, mode="symmetric") if mirrored else np.pad(x, width // 2)
    have = 1
    while have < width:  # by doubling
        more = min(have, width - have)
        out = np.maximum(out[:-more], out[more:])
        have += more
    return out


def mean(x: np.ndarray, width: int) -> np.ndarray:
    """Return the mean of every value's neighbours.

    Parameters
    ----------
    x : ndarray [shape=(n,)]
    width : int

    Returns
    -------
    ndarray of float64 [shape=(n,)]
    """
    sums = np.concatenate([[0.0], np.cumsum(np.pad(x, width // 2, mode="symmetric"), dtype=np.float64)])
    return (sums[width:] - sums[:-width]) / width


def ranked(x: np.ndarray, width: int, share: float) -> np.ndarray:
    """Return the value that a share of every value's neighbours lie below.

    Parameters
    ----------
    x : ndarray [shape=(n,)]
    width : int
    share : float
        0 to 1; 0.5 is the median.

    Returns
    -------
    ndarray of float64 [shape=(n,)]
    """
    from ..core.kernels.running_rank import running_rank

    around = np.pad(np.asarray(x, dtype=np.float64), width // 2, mode="symmetric")
    return running_rank(around, width, min(int(share * width), width - 1))
