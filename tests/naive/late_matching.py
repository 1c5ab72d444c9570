"""The cheapest matching in order, over the whole table."""

from math import inf, log1p


def late_matching(expected, played, scale, reach):
    n, m = len(expected), len(played)
    cost = [[float(i + j) for j in range(m + 1)] for i in range(n + 1)]
    pair = [[[] for _ in range(m + 1)] for _ in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            off = abs(played[j - 1] - expected[i - 1])
            together = inf
            if off <= reach[i - 1]:
                share, most = off / scale[i - 1], reach[i - 1] / scale[i - 1]
                together = cost[i - 1][j - 1] + 2.0 * log1p(share**2) / log1p(most**2)
            cost[i][j], pair[i][j] = min(
                (together, [*pair[i - 1][j - 1], (i - 1, j - 1)]),
                (cost[i - 1][j] + 1.0, pair[i - 1][j]),
                (cost[i][j - 1] + 1.0, pair[i][j - 1]),
                key=lambda option: option[0],
            )
    out = [-1] * n
    for i, j in pair[n][m]:
        out[i] = j
    return out
