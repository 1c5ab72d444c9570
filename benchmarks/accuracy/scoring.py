"""Figures of onsets against a truth.

Onsets are matched one to one, nearest pairs first. Errors are found minus true, in ms, of the onsets matched within
50 ms: late is positive. What is found where the truth says an onset counts neither way (`Sound.maybe_s`) and matches
nothing is left out; every other onset found beside the truth is false, the second string of a strum too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mixing import Sound

WIDE_S = 0.05
ENOUGH = 8  # fewer matched onsets say nothing about an instrument's bias


def matched(truth: np.ndarray, found: np.ndarray, window_s: float) -> list[tuple[int, int]]:
    """Return (truth, found) indices matched one to one within a window, nearest pairs first; both sorted."""
    pairs = []
    for i, t in enumerate(truth):
        low, high = np.searchsorted(found, t - window_s), np.searchsorted(found, t + window_s, "right")
        pairs += [(abs(found[j] - t), i, j) for j in range(low, high)]
    used_i: set[int] = set()
    used_j: set[int] = set()
    out = []
    for _, i, j in sorted(pairs):
        if i not in used_i and j not in used_j:
            used_i.add(i)
            used_j.add(j)
            out.append((i, int(j)))
    return sorted(out)


def f_measure(truth: np.ndarray, found: np.ndarray, window_s: float) -> float:
    """Return the F measure at a window; 1.0 if there is nothing and nothing was found."""
    total = len(truth) + len(found)
    return 2 * len(matched(truth, found, window_s)) / total if total else 1.0


def counting(truth: np.ndarray, maybe: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return a mask of what is found and counts: not what matches nothing but a moment that counts neither way."""
    keep = np.ones(len(found), dtype=bool)
    for _, j in matched(maybe, found, WIDE_S):
        keep[j] = False
    keep[[j for _, j in matched(truth, found, WIDE_S)]] = True
    return keep


@dataclass(frozen=True)
class Score:
    """What a detector did on one recording; ``error_ms``, ``truth_index`` and ``found_index`` are per match."""

    f50: float
    f25: float
    f10: float
    recall: float
    precision: float
    error_ms: np.ndarray
    truth_index: np.ndarray
    found_index: np.ndarray
    truth_count: int
    found_count: int
    bias_by_name: dict[str, float]

    @property
    def median_abs_ms(self) -> float:
        return _of(np.median, np.abs(self.error_ms))

    @property
    def bias_ms(self) -> float:
        return _of(np.median, self.error_ms)

    @property
    def p95_ms(self) -> float:
        return _of(lambda e: np.percentile(e, 95), np.abs(self.error_ms))

    @property
    def p95_unbiased_ms(self) -> float:
        return _of(lambda e: np.percentile(e, 95), np.abs(self.error_ms - self.bias_ms))

    @property
    def sd_ms(self) -> float:
        return _of(np.std, self.error_ms)

    @property
    def robust_sd_ms(self) -> float:
        return _of(lambda e: 1.4826 * np.median(e), np.abs(self.error_ms - self.bias_ms))

    @property
    def spread_ms(self) -> float:
        """Largest minus smallest bias of an instrument."""
        biases = list(self.bias_by_name.values())
        return max(biases) - min(biases) if len(biases) > 1 else np.nan


def _of(figure, values: np.ndarray) -> float:
    return float(figure(values)) if len(values) else np.nan


def score(sound: Sound, found: np.ndarray) -> Score:
    """Return the figures of onsets found (seconds, sorted) in a sound."""
    return score_times(sound.onset_s, found, sound.names, sound.maybe_s)


def score_times(
    truth: np.ndarray, found: np.ndarray, names: np.ndarray | None = None, maybe: np.ndarray | None = None
) -> Score:
    """Return the figures of onsets found (seconds, sorted) against true ones."""
    found = np.asarray(found, dtype=float)
    index = np.flatnonzero(counting(truth, np.zeros(0) if maybe is None else maybe, found))
    kept = found[index]
    pairs = matched(truth, kept, WIDE_S)
    i, j = (np.array([p[k] for p in pairs], dtype=int) for k in (0, 1))
    error = 1000 * (kept[j] - truth[i])
    own = np.array([""] * len(truth)) if names is None else names
    singles = [str(n) for n in np.unique(own[i]) if n not in ("", "several")] if len(i) else []
    biases = {n: float(np.median(error[own[i] == n])) for n in singles if int(np.sum(own[i] == n)) >= ENOUGH}
    return Score(
        f50=f_measure(truth, kept, 0.05),
        f25=f_measure(truth, kept, 0.025),
        f10=f_measure(truth, kept, 0.01),
        recall=len(i) / len(truth) if len(truth) else 1.0,
        precision=len(i) / len(kept) if len(kept) else 1.0,
        error_ms=error,
        truth_index=i,
        found_index=index[j],
        truth_count=len(truth),
        found_count=len(kept),
        bias_by_name=biases,
    )


def coverage(error_ms: np.ndarray, uncertainty_ms: np.ndarray) -> float:
    """Return the share of errors inside the stated interval (half widths); NaN where there are none or none stated."""
    known = np.isfinite(uncertainty_ms)
    return float(np.mean(np.abs(error_ms[known]) <= uncertainty_ms[known])) if known.any() else np.nan


def micro_timing(sound: Sound, result: Score, found: np.ndarray) -> tuple[float, float, float]:
    """Return the sd (ms) of planted and of measured deviations from the grid, and their correlation."""
    i, j = result.truth_index, result.found_index
    planted = 1000 * (sound.onset_s[i] - sound.grid_s[i])
    measured = 1000 * (np.asarray(found)[j] - sound.grid_s[i])
    if len(i) < 3:
        return float(planted.std()) if len(i) else np.nan, np.nan, np.nan
    return float(planted.std()), float(measured.std()), float(np.corrcoef(planted, measured)[0, 1])


def verdict(value: float, target: float, at_least: bool = False) -> str:
    """Return a mark: a blank where a target is met, "!" where it is missed."""
    met = value >= target if at_least else value <= target
    return " " if met else "!"
