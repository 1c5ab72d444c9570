"""Which moments are onsets, and of what: the evidence around a moment, weighed by small fitted networks.

Conventions
-----------
Wherever a trace of `analysis.onset_frames` peaks a sound may begin; some thirty figures tell how it does there. One
layer of hyperbolic tangents weighs them, once into how likely a sound begins, once into what it is. All figures are
differences of levels within 1.5 s, so that nothing farther away and no gain matters. The weights of
`analysis.detection_weights` were fitted to constructed sets by ``benchmarks/accuracy/fit_onsets.py``, which prints
them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from .onset_frames import Frames
from .running import greatest, mean, ranked

# What a sound may be: drums by name, then how others are played.
CLASSES = ("kick", "snare", "hat", "cymbal", "other", "plucked", "struck", "sustained")
# A name is given from this probability on.
_SURE = 0.4


def candidates(heard: Frames) -> np.ndarray:
    """Return the frames where a sound may begin: far more than sounds do [shape=(n,)], rising."""
    at = _peaks(heard, heard.burst, 6, 0.4)
    at = np.sort(np.concatenate([at, _away(heard, _peaks(heard, heard.flux, 15, 0.03), at, 15)]))
    return np.sort(np.concatenate([at, _away(heard, _peaks(heard, heard.noise, 15, 2.5), at, 12)]))


def _peaks(heard: Frames, trace: np.ndarray, reach_ms: float, least: float) -> np.ndarray:
    """Return the frames where a trace is largest for some time around; of a plateau the first."""
    top = greatest(trace, 2 * heard.grid.steps(reach_ms) + 1, mirrored=False)
    at = np.flatnonzero((trace >= top) & (trace > least))
    return at[np.concatenate([[True], np.diff(at) > 1])] if len(at) else at


def _away(heard: Frames, more: np.ndarray, at: np.ndarray, ms: float) -> np.ndarray:
    """Return those frames of ``more`` that have none of ``at`` near."""
    if not len(at):
        return more
    right = np.searchsorted(at, more)
    gap = np.minimum(np.abs(more - at[np.maximum(right - 1, 0)]), np.abs(more - at[np.minimum(right, len(at) - 1)]))
    return more[gap > heard.grid.steps(ms)]


def evidence(heard: Frames, at: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures that tell what happens at some frames, by name [each shape=(n,)]."""
    grid, last = heard.grid, len(heard) - 1

    def near(trace: np.ndarray, low_ms: float, high_ms: float, how: Callable = np.max) -> np.ndarray:
        frames = at[:, None] + np.arange(grid.steps(low_ms), grid.steps(high_ms) + 1)
        return how(trace[np.clip(frames, 0, last)], axis=1)

    def fine(trace: np.ndarray, low_ms: float, high_ms: float, how: Callable = np.mean) -> np.ndarray:
        grains = (at * grid.hop // grid.grain)[:, None] + np.arange(grid.grains(low_ms), grid.grains(high_ms) + 1)
        return how(trace[np.clip(grains, 0, len(trace) - 1)], axis=1)

    burst, flux = near(heard.burst, -3, 3), near(heard.flux, -9, 15)
    out = {
        "burst": _log(burst, 0.1),
        "burst_over": _log(burst, 0.1) - _log(ranked(heard.burst, grid.frames(0.2), 0.5)[at], 0.3),
        "burst_before": _log(near(heard.burst, -80, -20), 0.1) - _log(burst, 0.1),
        "burst_just_before": _log(near(heard.burst, -32, -9), 0.1) - _log(burst, 0.1),
        "burst_after": _log(near(heard.burst, 12, 60), 0.1) - _log(burst, 0.1),
        "flux": _log(flux, 0.005),
        "flux_over": _log(flux, 0.005) - _log(ranked(heard.flux, grid.frames(0.3), 0.5)[at], 0.02),
        "flux_over_mean": _log(flux, 0.005) - _log(mean(heard.flux, grid.frames(0.4))[at], 0.02),
        "flux_before": _log(near(heard.flux, -90, -25), 0.01) - _log(flux, 0.01),
        "flux_after": _log(near(heard.flux, 30, 80), 0.01) - _log(flux, 0.01),
        "lasting": _log(near(heard.lasting, -9, 15), 0.003),
        "risen": near(heard.risen, -9, 15),
        "noise": np.clip(near(heard.noise, -9, 9), -2, 12),
    }
    short, long = (np.max([r[np.clip(at + k, 0, last)] for k in (-1, 0, 1)], axis=0) for r in heard.decibels)
    centres = heard.centres
    low, high = centres < 1600, centres >= min(7500, 0.6 * centres[-1])
    middle = ~low & ~high if (~low & ~high).any() else high
    out |= {
        "share_2_db": (long > 1.5).mean(1),
        "share_5_db": (long > 5).mean(1),
        "burst_top": np.clip(short, 0, 25).max(1),
        "low": np.clip(long[:, low], -3, 15).mean(1),
        "middle": np.clip(long[:, middle], -3, 15).mean(1),
        "high": np.clip(long[:, high], -3, 15).mean(1),
        "low_top": np.clip(long[:, low], -3, 20).max(1),
        "high_top": np.clip(long[:, high], -3, 20).max(1),
    }
    power = heard.short.sum(1)
    after = near(power, 3, 24, np.mean)
    out["level"] = np.clip(_db(after / greatest(power, grid.frames(3.0))[at]), -60, 5)
    out["level_near"] = np.clip(_db(after / greatest(power, grid.frames(0.3))[at]), -40, 5)
    slope, slope_bright = heard.slopes
    out |= {
        "slope": np.clip(fine(slope, -10, 12, np.max), -3, 40),
        "slope_bright": np.clip(fine(slope_bright, -10, 12, np.max), -3, 40),
        "decay": np.clip(_db(fine(heard.fine, 50, 90) / fine(heard.fine, 0, 25)), -30, 10),
        "decay_bright": np.clip(_db(fine(heard.fine_bright, 50, 90) / fine(heard.fine_bright, 0, 25)), -30, 10),
        "swell": np.clip(_db(fine(heard.fine_bright, 15, 35) / fine(heard.fine_bright, -2, 10)), -20, 15),
        "bright": _db(fine(heard.fine_bright, 0, 20) / fine(heard.fine, 0, 20)) + 20 * np.log10(grid.rate / 44_100),
    }
    return out | _colour(heard, at)


def _colour(heard: Frames, at: np.ndarray) -> dict[str, np.ndarray]:
    """Return how the power that comes lies in wide bands: at once, and 60 ms later (dB, of all that comes at once)."""
    step, last = max(heard.grid.steps(12) // 2, 1), len(heard.wide) - 1
    old, soon, later = (heard.wide[np.clip(at // 2 + k * step, 0, last)] for k in (-2, 1, 6))
    came, stays = np.maximum(soon - old, 0), np.maximum(later - old, 0)
    total = came.sum(1, keepdims=True) + 1e-9
    parts = np.clip(_db(np.concatenate([came, stays], axis=1) / total + 1e-4), -40, 5)
    return {f"{when}_{k}": parts[:, 5 * i + k] for i, when in enumerate(("came", "stays")) for k in range(5)}


def _log(values: np.ndarray, least: float) -> np.ndarray:
    return np.log(np.maximum(values, 0) + least)


def _db(values: np.ndarray) -> np.ndarray:
    return 10 * np.log10(values)


def onset_odds(figures: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of the odds that a sound begins [shape=(n,)]; ``figures`` has a row a moment."""
    return _network(figures, *weights()["begins"])[:, 0]


def class_odds(figures: np.ndarray) -> np.ndarray:
    """Return how likely the sounds that begin are of each of `CLASSES` [shape=(n, 8)], adding to 1."""
    scores = _network(figures, *weights()["what"])
    odds = np.exp(scores - scores.max(1, keepdims=True, initial=-1e9))
    return odds / odds.sum(1, keepdims=True)


def named(likely: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return instrument and kind of sounds [each shape=(n,)]; "" where neither stands out.

    Instruments are told of drums only; where several begin together it is the strongest.
    """
    kinds = np.concatenate([likely[:, :5].sum(1, keepdims=True), likely[:, 5:]], axis=1)
    best = kinds.argmax(1)
    sure = kinds[np.arange(len(best)), best] >= _SURE
    kind = np.where(sure, np.array(["percussive", *CLASSES[5:]])[best], "")
    drum = np.array(CLASSES[:5])[likely[:, :5].argmax(1)]
    return np.where(kind == "percussive", drum, ""), kind


def _network(figures: np.ndarray, middle: np.ndarray, spread: np.ndarray, *layers: np.ndarray) -> np.ndarray:
    """Return what one hidden layer makes of figures, which count no farther than four spreads from their middles."""
    into, bias, out, last = layers
    return np.tanh(np.clip((figures - middle) / spread, -4, 4) @ into + bias) @ out + last


@lru_cache(maxsize=1)
def weights() -> dict[str, list[np.ndarray]]:
    """Return each network's middles, spreads, weights and biases."""
    from .detection_weights import networks

    return networks()
