"""The gain of the best path of beats by trying every series of periods."""

import itertools

import numpy as np


def beat_path(place, weight, gain, n_frames, shortest, longest, tightness, reach):
    best = -np.inf
    for first in range(-longest + 1, 1):
        # Series of periods whose first beat lies at or before frame 0, the second one behind it, the last one at or
        # behind the end, the one before it not.
        waiting = [[first, first + period] for period in range(shortest, longest + 1) if first + period > 0]
        while waiting:
            beats = waiting.pop()
            if beats[-1] >= n_frames:
                best = max(best, _worth(beats, place, weight, gain, tightness))
                continue
            before = beats[-1] - beats[-2]
            for period in range(max(shortest, before - reach), min(longest, before + reach) + 1):
                waiting.append([*beats, beats[-1] + period])
    return best


def _worth(beats, place, weight, gain, tightness):
    total = 0.0
    for start, end in itertools.pairwise(beats):
        for onset, heavy in zip(place, weight, strict=True):
            if start <= onset < end:
                total += heavy * gain[int((onset - start) / (end - start) * len(gain) + 0.5) % len(gain)]
    periods = np.diff(beats)
    return total - tightness * (np.diff(np.log(periods)) ** 2).sum()
