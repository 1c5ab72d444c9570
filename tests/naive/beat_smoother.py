"""Beat times by one dense weighted least-squares problem over all beats and periods."""

import numpy as np


def beat_smoother(beat, inside, time_s, variance, n_beats, start_s, period_s, start_sd, period_sd, drift):
    # Unknowns: the first beat, then every period; beat k is the first one plus the periods before it.
    rows, wanted, sd = [], [], []

    def at(k, fraction):
        row = np.zeros(1 + n_beats)
        row[0] = 1.0
        row[1 : 1 + k] = 1.0
        row[1 + k] += fraction
        return row

    rows.append(at(0, 0.0)), wanted.append(start_s), sd.append(start_sd)
    first_period = np.zeros(1 + n_beats)
    first_period[1] = 1.0
    rows.append(first_period), wanted.append(period_s), sd.append(period_sd)
    for k in range(1, n_beats):
        step = np.zeros(1 + n_beats)
        step[1 + k], step[k] = 1.0, -1.0
        rows.append(step), wanted.append(0.0), sd.append(np.sqrt(drift))
    for k, f, t, v in zip(beat, inside, time_s, variance, strict=True):
        rows.append(at(k, f)), wanted.append(t), sd.append(np.sqrt(v))
    design, target, sd = np.array(rows), np.array(wanted), np.array(sd)
    covariance = np.linalg.inv((design / sd[:, None]).T @ (design / sd[:, None]))
    solution = covariance @ ((design / sd[:, None]).T @ (target / sd))
    beats = np.array([at(k, 0.0) for k in range(n_beats)])
    mean = beats @ solution
    spread = np.einsum("ij,jk,ik->i", beats, covariance, beats)
    # The onsets are jointly normal: prior covariance of the unknowns carried to them, plus their own noise.
    known = len(beat)
    prior = np.linalg.inv((design[:-known] / sd[:-known, None]).T @ (design[:-known] / sd[:-known, None]))
    expected = prior @ ((design[:-known] / sd[:-known, None]).T @ (target[:-known] / sd[:-known]))
    heard = design[-known:]
    total = heard @ prior @ heard.T + np.diag(sd[-known:] ** 2)
    miss = target[-known:] - heard @ expected
    misfit = miss @ np.linalg.solve(total, miss)
    likelihood = -0.5 * (misfit + np.linalg.slogdet(2 * np.pi * total)[1])
    return mean, solution[1:], spread, likelihood, misfit
