"""Power behind two filters from the definition: the whole sound through each section's difference equation."""

import numpy as np


def _filtered(x, section):
    b0, b1, b2, a1, a2 = section
    x1 = x2 = y1 = y2 = 0.0
    out = []
    for now in x:
        y = b0 * now + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x1, x2, y1, y2 = now, x1, y, y1
        out.append(y)
    return np.array(out)


def filtered_power(samples, sections, hop):
    """Energy [shape=(frames, 2)] of the whole frames of a sound that begins in silence."""
    paths = (_filtered(_filtered(samples, sections[0]), sections[1]), _filtered(samples, sections[2]))
    count = len(samples) // hop
    return np.array([[np.sum(p[k * hop : (k + 1) * hop] ** 2) for p in paths] for k in range(count)]).reshape(count, 2)
