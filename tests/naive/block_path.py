"""The best way of played blocks through written ones, all predecessors looked at."""


def block_path(likeness, leap):
    m = len(likeness)
    n = len(likeness[0]) if m else 0
    if n == 0:
        return [-1] * m, 0.0
    best = [(likeness[0][i], [i]) for i in range(n)]
    for j in range(1, m):
        fresh = []
        for i in range(n):
            ways = [(best[k][0] - (0.0 if 0 <= i - k <= 2 else leap), best[k][1]) for k in range(n)]
            value, path = max(ways, key=lambda way: way[0])
            fresh.append((value + likeness[j][i], [*path, i]))
        best = fresh
    value, path = max(best, key=lambda way: way[0])
    return path, value
