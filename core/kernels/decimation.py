"""Filter and keep every so-manieth sample."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def decimation(x, taps, factor):
    """Convolve with a symmetric filter and keep the samples at multiples of ``factor``.

    Parameters
    ----------
    x : ndarray of float64 [shape=(n,)]
    taps : ndarray of float64 [shape=(k,)], k odd
        The filter; sample ``i`` of the result is centred on ``x[i * factor]``, what lies outside ``x`` is zero.
    factor : int

    Returns
    -------
    ndarray of float64 [shape=(ceil(n / factor),)]
    """
    n, half = len(x), len(taps) // 2
    count = (n + factor - 1) // factor
    out = np.zeros(count)
    # Each branch holds every factor-th sample, so that a tap is one step over contiguous memory: the compiler may then
    # work on several outputs at once without reordering any sum.
    block = 2048
    branch = np.zeros(block + (2 * half) // factor + 2)
    for begin in range(0, count, block):
        end = min(begin + block, count)
        for phase in range(min(factor, len(taps))):
            # Taps phase, phase + factor, ... meet x[i * factor - half + tap].
            steps = (len(taps) - 1 - phase) // factor
            length = end - begin + steps
            start = begin * factor - half + phase
            for j in range(length):
                at = start + j * factor
                branch[j] = x[at] if 0 <= at < n else 0.0
            for step in range(steps + 1):
                weight = taps[phase + step * factor]
                for j in range(end - begin):
                    out[begin + j] += weight * branch[j + step]
    return out
