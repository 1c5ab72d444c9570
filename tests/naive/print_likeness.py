"""The cosines of fingerprints, by their definition."""

from __future__ import annotations

import numpy as np


def print_likeness(prints, spans, other_prints, other_spans, low, width):
    n, most = spans.shape
    out = np.full((n, width, most, most), -2.0)
    for i, w, p, q in np.ndindex(out.shape):
        j = low[i] + w
        if j < len(other_spans) and spans[i, p] >= 0 and other_spans[j, q] >= 0:
            out[i, w, p, q] = float(np.dot(prints[spans[i, p]], other_prints[other_spans[j, q]]))
    return out
