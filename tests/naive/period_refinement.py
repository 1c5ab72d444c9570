"""The period as the lag of greatest likeness, every lag on its own and densely between the samples."""

import numpy as np


def likeness_at(x, centre, span, base, lags, offset):
    """Likeness of two stretches at lags base, base + 1, ...: the first stretch begins at the same place for all."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(span) + 0.5) / span)
    begin = centre - (base + offset + span) // 2
    first = x[begin : begin + span]
    out = []
    for lag in range(base, base + lags):
        second = x[begin + lag : begin + lag + span]
        out.append(np.sum(hann * first * second) / np.sqrt(np.sum(hann * first**2) * np.sum(hann * second**2)))
    return np.array(out)


def period_refinement(x, centre, lag, window, reach, sinc):
    times = max(1, round(reach / lag), int(np.ceil(7 / lag)))
    span = int(max(window, 2 * lag))
    phases = len(sinc) - 1
    base = round(times * lag) - 8
    curve = likeness_at(x, centre, span, base, 17, 8)
    places, values = [], []
    for left in range(3, 12):
        places += [base + left + p / phases for p in range(phases)]
        values += [sinc[p] @ curve[left - 3 : left + 5] for p in range(phases)]
    places, values = np.array(places), np.array(values)
    values[np.abs(places - times * lag) > 0.5 * lag] = -np.inf
    i = int(np.argmax(values))
    c2, c1, c0 = np.polyfit(places[i - 1 : i + 2] - places[i], values[i - 1 : i + 2], 2)
    return (places[i] - c1 / (2 * c2)) / times, c0 - c1 * c1 / (4 * c2)
