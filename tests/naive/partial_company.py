"""The slow twin of `core.kernels.partial_company`, from its definition."""

from __future__ import annotations

import numpy as np


def partial_company(begin_s, end_s, hz, near_s, width_hz):
    n, count = hz.shape
    out = np.zeros((n, count, 2), dtype=np.float32)
    for i in range(n):
        for j in range(n):
            apart = begin_s[j] - begin_s[i]
            if i == j or apart > near_s:
                continue
            which = 0 if apart >= -near_s else 1
            if which == 1 and end_s[j] <= begin_s[i]:
                continue
            for k in range(count):
                off = np.abs(hz[j] - hz[i, k]) / width_hz
                shared = np.where(off < 3.0, np.exp(-(off**2)), 0.0)
                shared *= np.minimum(1.0, (k + 1) / (1 + np.arange(count)))
                out[i, k, which] = max(out[i, k, which], shared.max())
    return out
