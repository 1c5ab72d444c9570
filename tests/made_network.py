"""A small network of chance weights, of the shapes that the learned kit player reads."""

import numpy as np

LAYERS = ("habits", "input", "memory_in", "memory_back", "trunk", "velocity", "skip", "timing", "mixture", "near")


def network_of(seed, n_written, n_habits, size=0.3, *, style=3, wide=7, hidden=5, trunk=6, inner=4, blends=3, parts=2):
    """Return the arrays by name, float32."""
    n_history = 42
    straight = min(n_written, 16) + n_history
    shapes = {
        "habits": (n_habits, style),
        "input": (n_written + n_history + style, wide),
        "memory_in": (wide, 3 * hidden),
        "memory_back": (hidden, 3 * hidden),
        "trunk": (hidden + wide, trunk),
        "velocity": (trunk, 128 + 3 * blends),
        "skip": (straight, 1 + 3 * blends),
        "timing": (trunk + 2, inner),
        "mixture": (inner, 3 * parts),
        "near": (straight, 2 * parts),
    }
    rng = np.random.default_rng(seed)
    out = {}
    for name in LAYERS:
        rows, columns = shapes[name]
        out[f"{name}_w"] = (size * rng.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)
        out[f"{name}_b"] = (size * rng.standard_normal(columns)).astype(np.float32)
    return out


def in_order(network):
    """Return the arrays as ``kit_player`` takes them."""
    return tuple(network[f"{name}_{k}"] for name in LAYERS for k in "wb")
