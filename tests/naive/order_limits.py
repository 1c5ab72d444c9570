"""Order limits from the definition: every pair of bound events is an edge; the solutions are longest paths over it."""

from __future__ import annotations

import itertools
import math

ON, OFF, CONTROL, KEYED = 0, 1, 2, 3
PASSIVE, ACTIVE, SETTLED = 0, 1, 2


def edges_of(first, end, tick, track, role, key, barrier):
    """Return {(i, j): gap}: event j must lie at least ``gap`` ticks behind event i."""
    edges = {}
    for i in range(first, end):
        for j in range(i + 1, end):
            notes = role[i] != CONTROL and role[j] != CONTROL
            bound = notes and key[i] == key[j]
            bound |= role[i] >= CONTROL and role[j] >= CONTROL
            for control, other in ((i, j), (j, i)):
                if role[control] == CONTROL:
                    bound |= bool(barrier[control] & 1) and role[other] == ON
                    bound |= bool(barrier[control] & 2) and role[other] == OFF
            bound |= role[i] == CONTROL and role[j] == ON and tick[i] == tick[j]
            if not bound:
                continue
            gap = 1 if track[i] > track[j] else 0
            if notes and role[i] == ON and role[j] == OFF and tick[j] > tick[i]:
                gap = 1
            edges[i, j] = gap
    return edges


def order_limits(starts, tick, track, role, key, barrier, wanted, state):
    new = [int(w) for w in wanted]
    for first, end in itertools.pairwise(starts):
        edges = edges_of(first, end, tick, track, role, key, barrier)
        rows = range(first, end)

        def later(base, rows=rows, edges=edges):
            value = {}
            for j in rows:
                value[j] = max([base[j], 0] + [value[i] + gap for (i, k), gap in edges.items() if k == j])
            return value

        def earlier(base, rows=rows, edges=edges):
            value = {}
            for i in reversed(rows):
                value[i] = min([base[i]] + [value[j] - gap for (k, j), gap in edges.items() if k == i])
            return value

        settled = {i: state[i] == SETTLED for i in rows}
        low = later({i: wanted[i] if settled[i] else -math.inf for i in rows})
        high = earlier({i: wanted[i] if settled[i] else math.inf for i in rows})
        aim = {i: min(max(wanted[i], low[i]), high[i]) for i in rows}
        passive = {i: state[i] == PASSIVE for i in rows}
        late = later({i: -math.inf if passive[i] else aim[i] for i in rows})
        early = earlier({i: math.inf if passive[i] else aim[i] for i in rows})
        for i in rows:
            if state[i] == ACTIVE:
                new[i] = math.floor((late[i] + early[i] + 1) / 2)
    return new
