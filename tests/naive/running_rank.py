"""The value of a rank among neighbours, each sorted anew."""

import numpy as np


def running_rank(x, width, rank):
    return np.array([sorted(x[i : i + width])[rank] for i in range(len(x) - width + 1)])
