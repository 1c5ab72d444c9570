"""Spectral flux with a maximum filter, from its definition."""

import numpy as np


def band_flux(bands: np.ndarray, lag: int, stay: int) -> np.ndarray:
    frames, count = bands.shape
    walled = np.pad(bands.astype(float), ((0, 0), (1, 1)), constant_values=-np.inf)
    old = np.zeros((frames, count))
    for i in range(lag, frames):
        old[i] = np.max([walled[i - lag, k : k + count] for k in range(3)], axis=0)
    rise = np.maximum(bands - old, 0)
    later = np.array([bands[min(i + stay, frames - 1)] for i in range(frames)]).reshape(frames, count)
    left = np.clip(later - old, 0, rise)
    return np.stack([rise.mean(1), left.mean(1), (rise >= 1).mean(1)])
