"""Stretches to copy, from the definition: the whole cost of every place, turn by turn."""

import numpy as np


def stretch_choice(given, moment, begins, wanted, ring, offset, stride, ahead, seam, heat, again):
    m, n = len(given), len(wanted)
    ahead = min(ahead, m)
    take = np.cumsum(begins)
    wear = {place: 0.0 for place in range(m)}
    chosen = []
    for turn, start in enumerate(offset):
        look = wanted[turn * stride :][:ahead]
        costs = []
        for place in range(m - ahead + 1):
            unlike = np.abs(given[place : place + len(look)] - look).sum(axis=1).mean()
            far = 0.0
            if chosen:
                now, earlier = moment[max(place - 1, 0)], moment[max(place - 2, 0)]
                last, one_before = moment[chosen[-1]], moment[max(chosen[-1] - 1, 0)]
                far = np.abs(now - last).mean() + 0.5 * np.abs(earlier - one_before).mean()
                far = 1.0 if begins[place] else far
            over = 100.0 * (take[place + ahead - 1] != take[place])
            costs.append(unlike + seam * far + again * wear[place] + over - heat * ring[(start + place) % len(ring)])
        place = int(np.argmin(np.round(costs, 9)))
        copied = [min(place + i, m - 1) for i in range(min(stride, n - turn * stride))]
        wear = {p: 0.9 * w for p, w in wear.items()}
        for p in copied:
            wear[p] += 1.0
        wear[min(copied[-1] + 1, m - 1)] = 0.0
        chosen += copied
    return np.array(chosen)
