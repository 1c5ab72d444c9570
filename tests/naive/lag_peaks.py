"""Peaks of the normalised autocorrelation, frame by frame."""

import numpy as np


def lag_peaks(correlation, window, low, high, octave_cost, count, sinc):
    lags = np.full((len(correlation), count), np.nan)
    values = np.zeros((len(correlation), count))
    steps = np.arange(len(sinc)) / (len(sinc) - 1)
    for f, row in enumerate(np.asarray(correlation, dtype=np.float64)):
        if row[0] <= 0:
            continue
        n = (row[: high + 6] / row[0]) / (window[: high + 6] / window[0])
        negative = np.flatnonzero(n[: high + 1] <= 0)
        first = negative[0] if len(negative) else high + 1
        found = []
        for k in range(max(first, low), high + 1):
            if n[k] > 0.2 and n[k] >= n[k - 1] and n[k] > n[k + 1]:
                left = k - 1 if n[k - 1] > n[k + 1] else k
                curve = sinc @ n[np.abs(np.arange(left - 3, left + 5))]
                i = np.clip(np.argmax(curve), 1, len(curve) - 2)
                c2, c1, c0 = np.polyfit(steps[i - 1 : i + 2] - steps[i], curve[i - 1 : i + 2], 2)
                shift = np.clip(-c1 / (2 * c2), -steps[1], steps[1]) if c2 < 0 else 0.0
                top = min(c0 + c1 * shift / 2, 1.0)
                at = left + steps[i] + shift
                found.append((top - octave_cost * np.log2(at / low), at, top))
        found.sort(key=lambda item: -item[0])
        for i, (_, at, top) in enumerate(found[:count]):
            lags[f, i], values[f, i] = at, top
    return lags, values
