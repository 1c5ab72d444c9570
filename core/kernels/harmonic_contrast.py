"""How much stronger a spectrum is at the harmonics of a pitch than between them."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def harmonic_contrast(amplitude, place, count):
    """Weigh harmonics against the middles between them.

    Harmonic h counts 1 / sqrt(h) and half of each of its neighbouring middles is subtracted with the same weight
    (after Camacho and Harris 2008, A sawtooth waveform inspired pitch estimator, J. Acoust. Soc. Am. 124, 1638). An
    octave below the pitch every other harmonic is missing, so each counts less; an octave above, harmonics lie in
    the middles.

    Parameters
    ----------
    amplitude : ndarray of float32 [shape=(m, bins)]
    place : ndarray of float64 [shape=(m, k)], bins
        Candidates' fundamental; NaN is passed over.
    count : int
        The most harmonics looked at.

    Returns
    -------
    contrast : ndarray of float64 [shape=(m, k)]
        0 for no candidate.
    footing : ndarray of float64 [shape=(m, k)]
        The first or second harmonic's amplitude, whichever is greater, over the greatest harmonic's: next to nothing
        if the period is only a common one of several tones.
    """
    m, bins = amplitude.shape
    k = place.shape[1]
    out = np.zeros((m, k))
    footing = np.zeros((m, k))
    for i in range(m):
        for j in range(k):
            step = place[i, j]
            if not step > 0.0:
                continue
            total = 0.0
            # Middle, harmonic, middle, harmonic ... : each middle serves the harmonics on both its sides.
            below = 0.0
            base = 0.0
            greatest = 0.0
            for half in range(1, 2 * count + 2):
                at = 0.5 * half * step
                bin_ = int(at)
                if bin_ + 1 >= bins:
                    break
                part = at - bin_
                level = (1.0 - part) * amplitude[i, bin_] + part * amplitude[i, bin_ + 1]
                if half % 2 == 0:
                    weight = 1.0 / np.sqrt(0.5 * half)
                    total += weight * level
                    below = weight
                    if half <= 4:
                        base = max(base, level)
                    greatest = max(greatest, level)
                else:
                    above = 1.0 / np.sqrt(0.5 * (half + 1)) if half < 2 * count else 0.0
                    total -= 0.5 * (below + above) * level
            out[i, j] = total
            if greatest > 0.0:
                footing[i, j] = base / greatest
    return out, footing
