"""Naive twin of ``core.kernels.breath_path``: all sets of breaths are tried."""

from __future__ import annotations

import itertools


def breath_path(begin_s, end_s, is_free, cost, comfort_s, longest_s, steep, beyond):
    """Return the cheapest set of moments to breathe behind, for a line of few moments."""
    n = len(begin_s)
    free = {k for k in range(n - 1) if is_free[k]}
    places = [k for k in range(n - 1) if k not in free]
    best = (float("inf"), ())
    for number in range(len(places) + 1):
        for chosen in itertools.combinations(places, number):
            total, first = sum(cost[k] for k in chosen), 0
            for k in [*sorted(free | set(chosen)), n - 1]:
                lasts_s = end_s[k] - begin_s[first]
                total += steep * (max(lasts_s - comfort_s, 0.0) / comfort_s) ** 2
                total += beyond * max(lasts_s - longest_s, 0.0)
                first = k + 1
            if total < best[0] - 1e-12:
                best = (total, chosen)
    return list(best[1])
