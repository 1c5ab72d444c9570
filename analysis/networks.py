"""Networks: how the layers of a fitted network are kept in a module of weights, and read from it.

Conventions
-----------
A row is a layer: the network's name, the shape of its weight, then weight and bias as little-endian float16 in base 85.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

import numpy as np

Layers = list[tuple[np.ndarray, np.ndarray]]


def read_layers(rows: Iterable[tuple[str, tuple[int, int], str]]) -> dict[str, Layers]:
    """Return (weight, bias) of every layer of every network, float32.

    Parameters
    ----------
    rows : iterable of (name, shape, text)
        Layer after layer of each network.
    """
    out: dict[str, Layers] = {}
    for name, shape, text in rows:
        values = np.frombuffer(base64.b85decode(text), dtype="<f2").astype(np.float32)
        size = shape[0] * shape[1]
        out.setdefault(name, []).append((values[:size].reshape(shape).copy(), values[size:].copy()))
    return out
