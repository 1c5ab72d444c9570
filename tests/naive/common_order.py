"""The longest common subsequence, by its recursion."""

from functools import cache


def common_order(a, b):
    @cache
    def rest(i, j):
        if i == len(a) or j == len(b):
            return ()
        if a[i] == b[j]:
            return ((i, j), *rest(i + 1, j + 1))
        without_a, without_b = rest(i + 1, j), rest(i, j + 1)
        return without_a if len(without_a) >= len(without_b) else without_b

    return [list(pair) for pair in rest(0, 0)]
