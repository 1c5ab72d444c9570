"""The slow twin of the DFA kernel: polyfit a line in every window, from the definition."""

import numpy as np


def detrended_fluctuation(profile, windows):
    squared = []
    for s in windows:
        if s < 3 or s > len(profile):
            squared.append(np.nan)
            continue
        count = len(profile) // s
        head = profile[: count * s].reshape(count, s)
        tail = profile[len(profile) - count * s :].reshape(count, s)
        means = []
        for part in np.concatenate([head, tail]):
            x = np.arange(s)
            means.append(np.mean((part - np.polyval(np.polyfit(x, part, 1), x)) ** 2))
        squared.append(np.mean(means))
    return np.array(squared)
