"""The best course by trying every one."""

import itertools

import numpy as np


def pitch_path(height, score, silent, jump_cost, voicing_cost):
    n, k = height.shape
    best, best_choice = -np.inf, ()
    options = [[-1] + [j for j in range(k) if np.isfinite(height[i, j])] for i in range(n)]
    for course in itertools.product(*options):
        value = sum(score[i, j] if j >= 0 else silent[i] for i, j in enumerate(course))
        for i in range(1, n):
            a, b = course[i - 1], course[i]
            if a >= 0 and b >= 0:
                value -= jump_cost * abs(height[i, b] - height[i - 1, a])
            elif a >= 0 or b >= 0:
                value -= voicing_cost
        if value > best:
            best, best_choice = value, course
    return best, np.array(best_choice, dtype=np.int64)
