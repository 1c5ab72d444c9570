"""Local regression from its definition: a weighted least-squares line or parabola at every position."""

import numpy as np


def local_linear(x, y, at, bandwidth, least):
    value, slope = [], []
    for position in at:
        distance = np.abs(x - position)
        reach = np.sort(distance)[min(least, len(x)) - 1] if len(x) else 0.0
        width = max(bandwidth, reach / 2.0)
        inside = distance <= 4.0 * width
        weight = np.where(inside, np.exp(-0.5 * (distance / width) ** 2), 0.0)
        design = np.column_stack([np.ones(len(x)), x - position])
        root = np.sqrt(weight)[:, None]
        if np.ptp(x[inside]) > 0:
            solution = np.linalg.lstsq(design * root, y * root[:, 0], rcond=None)[0]
            value.append(solution[0])
            slope.append(solution[1])
        else:
            value.append(np.average(y, weights=weight))
            slope.append(np.nan)
    return np.array(value), np.array(slope)


def local_quadratic(x, y, weight, variance, at, bandwidth, least):
    share = np.zeros((len(at), len(x)))
    own = np.zeros(len(at))
    for j, position in enumerate(at):
        distance = np.abs(x - position)
        reach = np.sort(distance)[min(least, len(x)) - 1]
        width = max(bandwidth, reach / 2.0)
        kernel = weight * np.where(distance <= 4.0 * width, np.exp(-0.5 * (distance / width) ** 2), 0.0)
        near = len(np.unique(x[distance <= 2.0 * width + 1e-9 * width]))
        z = (x - position) / width
        if x[0] <= position <= x[-1] and near >= 4:
            columns = [np.ones(len(x)), z, z**2]
        elif np.ptp(x[kernel > 0]) > 0:
            columns = [np.ones(len(x)), z]
        else:
            columns = [np.ones(len(x))]
        design = np.column_stack(columns)
        # The intercept is a weighted sum of y: the first row of (X'WX)^-1 X'W.
        inverse = np.linalg.inv(design.T @ (kernel[:, None] * design))
        share[j] = (inverse @ (design.T * kernel))[0]
        own[j] = inverse[0, 0]
    steps = np.diff(share, axis=0)
    return share @ y, own, share**2 @ variance, np.append((steps**2) @ variance, np.nan)
