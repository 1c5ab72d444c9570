"""A first-order memory along any chain of notes."""

import numba
import numpy as np


@numba.njit(cache=True)
def linked_memory(noise, previous, memory):
    """Return u with u[i] = memory[i] * u[previous[i]] + sqrt(1 - memory[i] ** 2) * noise[i].

    Parameters
    ----------
    noise : ndarray of float64 [shape=(n,)]
        Independent, of unit variance.
    previous : ndarray of int64 [shape=(n,)]
        Row of the note before in the chain, always less than the own row; -1 where the chain begins.
    memory : ndarray of float64 [shape=(n,)], -1 to 1

    Returns
    -------
    ndarray of float64 [shape=(n,)], of unit variance
    """
    out = np.empty(noise.shape[0], dtype=np.float64)
    for i in range(noise.shape[0]):
        j = previous[i]
        if j < 0:
            out[i] = noise[i]
        else:
            m = memory[i]
            out[i] = m * out[j] + np.sqrt(1.0 - m * m) * noise[i]
    return out
