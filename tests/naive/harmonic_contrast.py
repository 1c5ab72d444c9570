"""Harmonics against the middles between them, summed in numpy."""

import numpy as np


def harmonic_contrast(amplitude, place, count):
    out, footing = np.zeros(place.shape), np.zeros(place.shape)
    for i, row in enumerate(np.asarray(amplitude, dtype=np.float64)):
        last = len(row) - 1
        for j, step in enumerate(place[i]):
            if not step > 0:
                continue
            for h in range(1, count + 1):
                for at, share in ((h * step, 1.0), ((h - 0.5) * step, -0.5), ((h + 0.5) * step, -0.5)):
                    # below the last bin, and no farther than the first place that is beyond
                    if int(at) + 1 <= last:
                        out[i, j] += share / np.sqrt(h) * np.interp(at, np.arange(len(row)), row)
            levels = [
                np.interp(h * step, np.arange(last + 1), row) for h in range(1, count + 1) if int(h * step) < last
            ]
            if levels and max(levels) > 0:
                footing[i, j] = max(levels[:2]) / max(levels)
    return out, footing
