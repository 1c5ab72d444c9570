"""A recurrent network that plays a kit hit by hit, each hit hearing those before it.

Only +, -, *, / and comparisons are used on floats, in one fixed order, so that every machine draws the same hits.
"""

import math

import numba
import numpy as np

N_HISTORY = 42
_FAST, _SLOW, _USUAL = 0.2, 0.04, 0.12
# What is added to a spread before its logarithm is taken.
_LEAST_SPREAD = 0.03
# A running mean counts at least this much of each new hit, so that it forgets.
_LEAST_OF_CLASS, _LEAST_OF_PLACE = 1.0 / 64.0, 0.1
# Drawn timing stays where that of the takes learned from lies, 150 ms: what a network hears, it may answer with more.
_FARTHEST = np.float32(7.5)
# 1 / n! from n = 13 down to 0, and 2**k from k = -128 on.
_TAYLOR = np.array([1.0 / math.factorial(n) for n in range(13, -1, -1)])
_POWERS = np.array([math.ldexp(1.0, k) for k in range(-128, 129)])


@numba.njit(cache=True)
def _exp(x):
    """Return e**x from the four operations alone: 2**k times a Taylor sum over less than half a binary step."""
    # NaN counts as very small: what it would index lies outside the table.
    x = min(x, 80.0) if x > -80.0 else -80.0
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = x - k * 0.693147180369123816490 - k * 1.90821492927058770002e-10
    s = _TAYLOR[0]
    for n in range(1, 14):
        s = s * r + _TAYLOR[n]
    return s * _POWERS[int(k) + 128]


@numba.njit(cache=True)
def _log(y):
    """Return the natural logarithm by the series of the inverse hyperbolic tangent."""
    m, e = math.frexp(y)
    if m < 0.70710678118654752:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    total = 0.0
    for n in range(23, 0, -2):
        total = total * q + 1.0 / n
    return 2.0 * s * total + e * 0.69314718055994530942


@numba.njit(cache=True)
def _remember(i, slot, kind, group, link, place, timing, loud, kit, by_class, by_group, by_place, out):
    """Write what hit ``i`` hears of the hits before it into ``out``; ``kit`` holds the running state of the slots."""
    out[:] = 0.0
    # kit: 0 sum of the open slot's timing, 1 its count, 2 sum of velocity, 3 last slot's timing, 4 the one before,
    # 5 last slot's velocity, 6 fast mean, 7 slow mean, 8 slots so far, 9 number of the open slot
    if slot[i] != kit[9]:
        if kit[1] > 0.0:
            mean = kit[0] / kit[1]
            kit[4] = kit[3]
            kit[3] = mean
            kit[5] = kit[2] / kit[1]
            if kit[8] == 0.0:
                kit[6] = mean
                kit[7] = mean
            else:
                kit[6] += _FAST * (mean - kit[6])
                kit[7] += _SLOW * (mean - kit[7])
            kit[8] += 1.0
        kit[0] = 0.0
        kit[1] = 0.0
        kit[2] = 0.0
        kit[9] = slot[i]
    if kit[1] > 0.0:
        out[0] = kit[0] / kit[1]
        out[1] = 1.0
        out[2] = kit[2] / kit[1]
        out[28] = timing[i - 1]
        out[29] = loud[i - 1]
    out[3] = kit[3]
    out[4] = kit[4]
    out[5] = kit[5]
    c = by_class[kind[i]]
    # c: 0 count, 1 last timing, 2 last velocity, 3 velocity before, 4 usual velocity, 5 usual timing of late,
    # 6 mean velocity, 7 its spread, 8 mean timing, 9 its spread
    if c[0] > 0.0:
        out[6] = c[1]
        out[7] = c[2]
        out[8] = 1.0
        out[9] = c[3]
        out[21] = c[4]
        out[22] = c[5]
        for k in range(4):
            out[34 + k] = c[6 + k]
        out[38] = 0.5 * _log(float(c[7]) + _LEAST_SPREAD)
        out[39] = 0.5 * _log(float(c[9]) + _LEAST_SPREAD)
        out[40] = 0.5 * _log(abs(float(c[2]) - float(c[3])) + _LEAST_SPREAD)
    # p: 0 count, 1 mean velocity, 2 mean timing, 3 spread of the velocity
    p = by_place[place[i]]
    if p[0] > 0.0:
        out[30] = p[1]
        out[31] = p[2]
        out[32] = p[3]
        out[33] = p[0] / (p[0] + 4.0)
        out[41] = 0.5 * _log(float(p[3]) + _LEAST_SPREAD)
    for k in range(3):
        j = link[i, k]
        if j >= 0:
            out[10 + 3 * k] = timing[j]
            out[11 + 3 * k] = loud[j]
            out[12 + 3 * k] = 1.0
    out[19] = kit[6]
    out[20] = kit[7]
    g = by_group[group[kind[i]]]
    if g[0] > 0.0:
        out[23] = g[2]
        out[24] = g[1]
        out[25] = 1.0
    out[26] = 0.5 * c[0] / (c[0] + 8.0)
    out[27] = kit[8] / (kit[8] + 32.0)


@numba.njit(cache=True)
def _note(i, kind, group, place, timing, loud, kit, by_class, by_group, by_place):
    """Take hit ``i`` into the running state."""
    t, v = timing[i], loud[i]
    kit[0] += t
    kit[1] += 1.0
    kit[2] += v
    c = by_class[kind[i]]
    c[3] = c[2] if c[0] > 0.0 else v
    c[1] = t
    c[2] = v
    if c[0] == 0.0:
        c[4] = v
        c[5] = t
        c[6] = v
        c[8] = t
    else:
        part = max(np.float32(1.0) / (c[0] + np.float32(1.0)), np.float32(_LEAST_OF_CLASS))
        c[7] += part * (abs(v - c[4]) - c[7])
        c[9] += part * (abs(t - c[5]) - c[9])
        c[6] += part * (v - c[6])
        c[8] += part * (t - c[8])
        c[4] += np.float32(_USUAL) * (v - c[4])
        c[5] += np.float32(_USUAL) * (t - c[5])
    c[0] += 1.0
    g = by_group[group[kind[i]]]
    g[0] = 1.0
    g[1] = t
    g[2] = v
    p = by_place[place[i]]
    part = max(np.float32(1.0) / (p[0] + np.float32(1.0)), np.float32(_LEAST_OF_PLACE))
    if p[0] > 0.0:
        p[3] += part * (abs(v - p[1]) - p[3])
    p[1] += part * (v - p[1])
    p[2] += part * (t - p[2])
    p[0] += 1.0


@numba.njit(cache=True)
def kit_history(slot, kind, group, link, place, timing, loud):
    """Return what each hit of a played take heard of the hits before it, ndarray of float32 [shape=(n, N_HISTORY)].

    Parameters
    ----------
    slot, kind : ndarray of int64 [shape=(n,)]
    group : ndarray of int64 [shape=(classes,)]
    link : ndarray of int64 [shape=(n, 3)]
    place : ndarray of int64 [shape=(n,)]
    timing, loud : ndarray of float32 [shape=(n,)]
        Scaled timing and velocity.
    """
    n = slot.shape[0]
    out = np.zeros((n, N_HISTORY), dtype=np.float32)
    kit = np.zeros(10, dtype=np.float32)
    kit[9] = -1.0
    by_class = np.zeros((group.shape[0], 10), dtype=np.float32)
    by_group = np.zeros((group.max() + 1, 3), dtype=np.float32)
    by_place = np.zeros((place.max() + 1, 4), dtype=np.float32)
    for i in range(n):
        _remember(i, slot, kind, group, link, place, timing, loud, kit, by_class, by_group, by_place, out[i])
        _note(i, kind, group, place, timing, loud, kit, by_class, by_group, by_place)
    return out


@numba.njit(cache=True)
def _layer(x, weight, bias, out):
    """Write ``x @ weight + bias`` into ``out``, row by row, so that the sums' order is the same everywhere."""
    for j in range(out.shape[0]):
        out[j] = bias[j]
    for i in range(x.shape[0]):
        v = x[i]
        if v != 0.0:
            row = weight[i]
            for j in range(out.shape[0]):
                out[j] += v * row[j]


@numba.njit(cache=True)
def _relu(x):
    for j in range(x.shape[0]):
        x[j] = max(x[j], 0.0)


@numba.njit(cache=True)
def _step(a, h, w_in, b_in, w_back, b_back, gate_in, gate_back):
    """Move the gated recurrent unit's state ``h`` on by one hit."""
    _layer(a, w_in, b_in, gate_in)
    _layer(h, w_back, b_back, gate_back)
    n = h.shape[0]
    for j in range(n):
        r = 1.0 / (1.0 + _exp(-float(gate_in[j] + gate_back[j])))
        z = 1.0 / (1.0 + _exp(-float(gate_in[n + j] + gate_back[n + j])))
        c = 2.0 / (1.0 + _exp(-2.0 * (gate_in[2 * n + j] + r * gate_back[2 * n + j]))) - 1.0
        h[j] = np.float32((1.0 - z) * c + z * h[j])


@numba.njit(cache=True)
def _draw_class(score, u, sums):
    """Return the class whose share of the softmax holds ``u``; ``sums`` is room for the running sums."""
    top = score[0]
    for j in range(1, score.shape[0]):
        top = max(top, score[j])
    total = 0.0
    for j in range(score.shape[0]):
        total += _exp(float(score[j] - top))
        sums[j] = total
    left = u * total
    for j in range(score.shape[0]):
        if left <= sums[j]:
            return j
    return score.shape[0] - 1


@numba.njit(cache=True)
def kit_memory(hidden, group, place):
    """Return the state before the first hit: of the network, the slots, the classes, the groups and the places.

    Parameters
    ----------
    hidden : int
        Size of the recurrent state.
    group : ndarray of int64 [shape=(classes,)]
    place : ndarray of int64 [shape=(n,)]
    """
    f = np.float32
    kit = np.zeros(10, f)
    kit[9] = -1.0
    classes, groups, places = np.zeros((len(group), 10), f), np.zeros((group.max() + 1, 3), f), place.max() + 1
    return np.zeros(hidden, f), kit, classes, groups, np.zeros((places, 4), f)


@numba.njit(cache=True)
def kit_player(written, habits, slot, kind, group, link, place, given, noise, middle, unit, weights):
    """Return (timing, velocity) of every hit: ``kit_plays_on`` from the first to the last."""
    n = written.shape[0]
    timing, loud, velocity = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.int64)
    memory = kit_memory(weights[6].shape[0], group, place)
    where, scale = (slot, kind, group, link, place), (middle, unit)
    kit_plays_on(0, n, written, habits, where, given, noise, scale, weights, memory, timing, loud, velocity)
    return timing, velocity


@numba.njit(cache=True)
def kit_plays_on(start, end, written, habits, where, given, noise, scale, weights, memory, timing, loud, velocity):
    """Play on: draw the hits from ``start`` to ``end``, one after the other, into ``timing``, ``loud``, ``velocity``.

    Parameters
    ----------
    start, end : int
        All hits before ``start`` have been played with this ``memory``.
    written : ndarray of float32 [shape=(n, k)]
        What is written around each hit.
    habits : ndarray of float32 [shape=(h,)]
    where : (slot, kind, group, link, place)
        ndarrays of int64; see ``analysis.kit_context.links`` and ``places``.
    given : ndarray of float32 [shape=(m, 2)]
        Timing (scaled) and velocity of the first ``m`` hits, which are heard and not drawn.
    noise : ndarray of float64 [shape=(n - m, 4)], above 0 and below 1
        For the velocity's part and place, and for the timing's, of the hits that are drawn.
    scale : (float, float)
        Velocity's middle and unit.
    weights : tuple of float32 arrays
        Weight and bias of: habits, input, recurrent input, recurrent state, trunk, velocity (127 classes, then the
        shares of them and of the blends, then the blends' centres and log widths), what goes
        straight to shares, centres and widths, timing, its mixture, and what goes straight to that: the last columns of
        ``written`` and what was heard.
    memory : tuple of arrays
        Of ``kit_memory``; moved on.
    timing : ndarray of float32 [shape=(n,)], scaled, what is drawn within 7.5
    loud : ndarray of float32 [shape=(n,)], scaled velocity
    velocity : ndarray of int64 [shape=(n,)], 1 to 127

    References
    ----------
    Cho et al. 2014, EMNLP, section 2.3 (gated recurrent unit). Salimans et al. 2017, ICLR, section 2.1 (mixtures of
    logistics as output).
    """
    w_habits, b_habits, w_in, b_in, w_ih, b_ih, w_hh, b_hh, w_trunk, b_trunk = weights[:10]
    w_vel, b_vel, w_skip, b_skip, w_tim, b_tim, w_mix, b_mix, w_near, b_near = weights[10:]
    slot, kind, group, link, place = where
    h, kit, by_class, by_group, by_place = memory
    middle, unit = scale
    k = written.shape[1]
    f = np.float32
    style = np.zeros(b_habits.shape[0], f)
    _layer(habits, w_habits, b_habits, style)
    _relu(style)
    x = np.zeros(w_in.shape[0], f)
    x[k + N_HISTORY :] = style
    a = np.zeros(b_in.shape[0], f)
    gate_in, gate_back = np.zeros(b_ih.shape[0], f), np.zeros(b_hh.shape[0], f)
    both = np.zeros(w_trunk.shape[0], f)
    trunk = np.zeros(w_tim.shape[0], f)
    score = np.zeros(b_vel.shape[0], f)
    inner, mix = np.zeros(b_tim.shape[0], f), np.zeros(b_mix.shape[0], f)
    parts = b_mix.shape[0] // 3
    blends = (b_skip.shape[0] - 1) // 3
    skip = np.zeros(1 + 3 * blends, f)
    near = np.zeros(2 * parts, f)
    sums = np.zeros(b_vel.shape[0] + b_mix.shape[0])
    for i in range(start, end):
        x[:k] = written[i]
        heard = x[k : k + N_HISTORY]
        _remember(i, slot, kind, group, link, place, timing, loud, kit, by_class, by_group, by_place, heard)
        _layer(x, w_in, b_in, a)
        _relu(a)
        _step(a, h, w_ih, b_ih, w_hh, b_hh, gate_in, gate_back)
        both[: h.shape[0]] = h
        both[h.shape[0] :] = a
        if i < given.shape[0]:
            timing[i] = given[i, 0]
            velocity[i] = int(given[i, 1])
            loud[i] = (given[i, 1] - middle) / unit
            _note(i, kind, group, place, timing, loud, kit, by_class, by_group, by_place)
            continue
        chance = noise[i - given.shape[0]]
        wide = trunk[: b_trunk.shape[0]]
        _layer(both, w_trunk, b_trunk, wide)
        _relu(wide)
        _layer(wide, w_vel, b_vel, score)
        _layer(x[k + N_HISTORY - w_skip.shape[0] : k + N_HISTORY], w_skip, b_skip, skip)
        for j in range(1 + blends):
            score[127 + j] += skip[j]
        p = _draw_class(score[127 : 128 + blends], chance[0], sums)
        if p == 0:
            v = 1 + _draw_class(score[:127], chance[1], sums)
        else:
            at = 127 + blends + p
            spread = _exp(float(min(max(score[at + blends] + skip[2 * blends + p], f(-3.5)), f(1.5))))
            drawn = score[at] + skip[blends + p] + spread * _log(chance[1] / (1.0 - chance[1]))
            v = int(min(max(np.floor(drawn * unit + middle + 0.5), 1.0), 127.0))
        velocity[i] = v
        loud[i] = (v - middle) / unit
        trunk[b_trunk.shape[0]] = loud[i]
        trunk[b_trunk.shape[0] + 1] = 1.0 if v == 127 else 0.0
        _layer(trunk, w_tim, b_tim, inner)
        _relu(inner)
        _layer(inner, w_mix, b_mix, mix)
        _layer(x[k + N_HISTORY - w_near.shape[0] : k + N_HISTORY], w_near, b_near, near)
        p = _draw_class(mix[:parts], chance[2], sums)
        u = chance[3]
        narrow = min(max(mix[2 * parts + p] + near[parts + p], f(-3.5)), f(2.0))
        late = mix[parts + p] + near[p] + _exp(float(narrow)) * _log(u / (1.0 - u))
        timing[i] = min(max(late, -_FARTHEST), _FARTHEST)
        _note(i, kind, group, place, timing, loud, kit, by_class, by_group, by_place)
