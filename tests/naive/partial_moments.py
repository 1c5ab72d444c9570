"""The slow twin of `core.kernels.partial_moments`, from its definition."""

from __future__ import annotations

import numpy as np


def partial_moments(cells, first, moments, stride, spans, starts):
    n, k, m, _ = cells.shape
    out = np.zeros((n, k, moments, len(starts) + len(spans)), dtype=np.float32)
    tops = np.full((n, k), -200.0)
    tone = cells[..., 0].astype(np.float64) + 1j * cells[..., 1]

    def whole(i, p, span, begin):
        window = 1.0 - np.cos(2.0 * np.pi * (np.arange(span) + 0.5) / span)
        return (window * tone[i, p, begin : begin + span]).sum() / span

    def mean(i, p, span, begin):
        # The nearest one of the moments' own grid that lies inside.
        begin = min(range(first % stride, m - span + 1, stride), key=lambda j: abs(j - begin))
        return whole(i, p, span, begin)

    for i in range(n):
        for p in range(k):
            top = max(abs(whole(i, p, spans[0], j)) ** 2 for j in range(m - spans[0] + 1))
            if top <= 0.0:
                out[i, p] = -60.0
                continue
            tops[i, p] = 10.0 * np.log10(top)

            def decibels(value, top=top):
                return 10.0 * np.log10(max(abs(value) ** 2 / top, 1e-6))

            for j in range(moments):
                at = first + j * stride
                for f, (w, start) in enumerate(starts):
                    out[i, p, j, f] = decibels(mean(i, p, spans[w], at + start))
                for w, span in enumerate(spans):
                    new = mean(i, p, span, at) - mean(i, p, span, at - span)
                    out[i, p, j, len(starts) + w] = decibels(new)
    return out, tops
