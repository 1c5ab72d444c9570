"""The kit's network from its definition: of every hit's past the whole list is gone through again."""

import math

import numpy as np

FAST, SLOW, USUAL = 0.2, 0.04, 0.12
LEAST_SPREAD = 0.03
LEAST_OF_CLASS, LEAST_OF_PLACE = 1.0 / 64.0, 0.1
FARTHEST = 7.5


def following(values, share):
    """Return the running mean that begins at the first value and takes ``share`` of each later one."""
    mean = values[0]
    for value in values[1:]:
        mean += share * (value - mean)
    return mean


def forgetful(values, least, start=0.0, before=0):
    """Return the mean of values in which each new one counts as one of all, but at least ``least``."""
    mean = start
    for count, value in enumerate(values, start=before + 1):
        mean += max(1.0 / count, least) * (value - mean)
    return mean


def narrowness(spread):
    return 0.5 * math.log(spread + LEAST_SPREAD)


def history_of(i, slot, kind, group, link, place, timing, loud):
    """Return what hit ``i`` hears of the hits before it."""
    out = np.zeros(42)
    past = range(i)
    here = [j for j in past if slot[j] == slot[i]]
    if here:
        out[0], out[1], out[2] = np.mean(timing[here]), 1.0, np.mean(loud[here])
        out[28], out[29] = timing[here[-1]], loud[here[-1]]
    over = [[j for j in past if slot[j] == s] for s in dict.fromkeys(slot[:i].tolist()) if s != slot[i]]
    means = [np.mean(timing[rows]) for rows in over]
    if over:
        out[3], out[5] = means[-1], np.mean(loud[over[-1]])
        out[4] = means[-2] if len(over) > 1 else 0.0
        out[19], out[20] = following(means, FAST), following(means, SLOW)
    out[27] = len(over) / (len(over) + 32.0)

    own = [j for j in past if kind[j] == kind[i]]
    n = len(own)
    out[26] = 0.5 * n / (n + 8.0)
    if own:
        t, v = timing[own], loud[own]
        out[6], out[7], out[8], out[9] = t[-1], v[-1], 1.0, v[-2] if n > 1 else v[-1]
        out[21], out[22] = following(v, USUAL), following(t, USUAL)
        off_v = [abs(v[k] - following(v[:k], USUAL)) for k in range(1, n)]
        off_t = [abs(t[k] - following(t[:k], USUAL)) for k in range(1, n)]
        out[34], out[36] = forgetful(v, LEAST_OF_CLASS), forgetful(t, LEAST_OF_CLASS)
        out[35] = forgetful(off_v, LEAST_OF_CLASS, before=1)
        out[37] = forgetful(off_t, LEAST_OF_CLASS, before=1)
        out[38], out[39] = narrowness(out[35]), narrowness(out[37])
        out[40] = narrowness(abs(out[7] - out[9]))

    near = [j for j in past if group[kind[j]] == group[kind[i]]]
    if near:
        out[23], out[24], out[25] = loud[near[-1]], timing[near[-1]], 1.0

    same = [j for j in past if place[j] == place[i]]
    n = len(same)
    if same:
        v = loud[same]
        off = [abs(v[k] - forgetful(v[:k], LEAST_OF_PLACE)) for k in range(1, n)]
        out[30], out[31] = forgetful(v, LEAST_OF_PLACE), forgetful(timing[same], LEAST_OF_PLACE)
        out[32], out[33] = forgetful(off, LEAST_OF_PLACE, before=1), n / (n + 4.0)
        out[41] = narrowness(out[32])

    for k, j in enumerate(link[i]):
        if j >= 0:
            out[10 + 3 * k : 13 + 3 * k] = timing[j], loud[j], 1.0
    return out


def kit_history(slot, kind, group, link, place, timing, loud):
    return np.array([history_of(i, slot, kind, group, link, place, timing, loud) for i in range(len(slot))])


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def drawn(scores, u):
    """Return the first class up to which the softmax reaches ``u``."""
    share = np.exp(scores - scores.max())
    return int(np.argmax(np.cumsum(share) >= u * share.sum()))


def logistic(centre, log_width, u):
    return centre + np.exp(log_width) * np.log(u / (1.0 - u))


def kit_player(written, habits, slot, kind, group, link, place, given, noise, middle, unit, weights):
    weights = [np.asarray(w, dtype=float) for w in weights]
    layers = [lambda x, w=w, b=b: x @ w + b for w, b in zip(weights[::2], weights[1::2], strict=True)]
    of_habits, into, gate_in, gate_back, of_trunk, of_velocity, skip, of_timing, mixture, near = layers
    style = np.maximum(of_habits(habits), 0.0)
    n, h = len(written), np.zeros(len(weights[6]))
    timing, velocity, loud = np.zeros(n), np.zeros(n, dtype=int), np.zeros(n)
    for i in range(n):
        heard = history_of(i, slot, kind, group, link, place, timing, loud)
        straight = np.concatenate([written[i], heard])
        a = np.maximum(into(np.concatenate([written[i], heard, style])), 0.0)
        (r_in, z_in, c_in), (r_back, z_back, c_back) = np.split(gate_in(a), 3), np.split(gate_back(h), 3)
        reset, keep = sigmoid(r_in + r_back), sigmoid(z_in + z_back)
        h = (1.0 - keep) * np.tanh(c_in + reset * c_back) + keep * h
        if i < len(given):
            timing[i], velocity[i] = given[i]
            loud[i] = (velocity[i] - middle) / unit
            continue
        chance = noise[i - len(given)]
        c = np.maximum(of_trunk(np.concatenate([h, a])), 0.0)
        told = of_velocity(c)
        blends = (len(told) - 128) // 3
        told = np.concatenate([told[:127], told[127:] + skip(straight[-len(weights[12]) :])])
        centres = told[128 + blends : 128 + 2 * blends]
        widths = np.clip(told[128 + 2 * blends :], -3.5, 1.5)
        part = drawn(told[127 : 128 + blends], chance[0])
        if part == 0:
            velocity[i] = 1 + drawn(told[:127], chance[1])
        else:
            x = logistic(centres[part - 1], widths[part - 1], chance[1])
            velocity[i] = int(np.clip(np.floor(x * unit + middle + 0.5), 1, 127))
        loud[i] = (velocity[i] - middle) / unit
        shares, places, spreads = np.split(
            mixture(np.maximum(of_timing(np.concatenate([c, [loud[i], velocity[i] == 127]])), 0.0)), 3
        )
        shift, wider = np.split(near(straight[-len(weights[18]) :]), 2)
        part = drawn(shares, chance[2])
        x = logistic(places[part] + shift[part], np.clip(spreads[part] + wider[part], -3.5, 2.0), chance[3])
        timing[i] = np.clip(x, -FARTHEST, FARTHEST)
    return timing, velocity
