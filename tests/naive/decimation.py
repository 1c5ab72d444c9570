"""Filter everything, then throw samples away."""

import numpy as np


def decimation(x, taps, factor):
    half = len(taps) // 2
    if len(x) == 0:
        return np.zeros(0)
    return np.convolve(x, taps, mode="full")[half : half + len(x)][::factor]
