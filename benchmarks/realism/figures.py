"""Figures of a take that people read, real and made side by side."""

from __future__ import annotations

import numpy as np
from groove_table import within

from takeprint.core.deviations import Deviations
from takeprint.core.metrical import cells, previous_of

FIGURES = (
    "timing sd", "within sd", "kit lag-1", "kit DFA", "async sd", "vel sd", "vel within", "|dvel| bar", "kick lag-1",
    "snare lag-1", "hat lag-1",
)  # fmt: skip
LEAST_HITS = 300


def statistics_of(d: Deviations) -> tuple[float, ...]:
    """Return the figures of one take, in the order of ``FIGURES``; NaN where the take is too short or has none."""
    notes = d.notes.rows((d.notes.label == "match") & (d.notes.ornament == "") & np.isfinite(d.notes.timing_ms))
    if len(notes) < LEAST_HITS:
        return (np.nan,) * len(FIGURES)
    bar, cell = cells(notes.reference_beat, d.metre)
    _, voice = np.unique(notes.instrument, return_inverse=True)
    slot = voice * 4096 + cell
    spread, lag1, exponent = within(d)
    velocity = notes.velocity
    before = previous_of(slot, bar.astype(np.float64))
    last_bar = (before >= 0) & (bar[before] == bar - 1)
    step = np.abs(velocity - velocity[before])[last_bar]
    return (
        float(notes.timing_ms.std()),
        spread,
        float(lag1),
        float(exponent),
        float(d.summary["timing"]["asynchrony_sd_ms"]),
        float(velocity.std()),
        _within(velocity, slot),
        float(step.mean()) if len(step) else np.nan,
        *(_lag1(velocity[notes.instrument == name]) for name in ("kick", "snare", "hat")),
    )


def _within(values: np.ndarray, slot: np.ndarray) -> float:
    """Return the sd about each slot's mean, over slots heard more than once."""
    _, index = np.unique(slot, return_inverse=True)
    count = np.bincount(index)
    residual = values - (np.bincount(index, weights=values) / count)[index]
    several = count[index] > 1
    degrees = max(int(several.sum()) - int((count > 1).sum()), 1)
    return float(np.sqrt((residual[several] ** 2).sum() / degrees))


def _lag1(values: np.ndarray) -> float:
    if len(values) < 32 or values.std() == 0:
        return np.nan
    return float(np.corrcoef(values[1:], values[:-1])[0, 1])


def table(groups: np.ndarray, real: np.ndarray, made: np.ndarray) -> list[str]:
    """Return the lines of a table: medians over takes, real above made, a player after another."""
    lines = [f"{'player':<12}{'takes':>6}  {'side':<6}" + "".join(f"{name:>12}" for name in FIGURES)]
    for name in [*sorted(set(groups.tolist()), key=lambda g: (len(g), g)), "all"]:
        own = (groups == name) | (name == "all")
        own &= np.isfinite(real[:, 0]) & np.isfinite(made[:, 0])
        if not own.any():
            continue
        for side, figures in (("real", real[own]), ("made", made[own])):
            cells_said = "".join(f"{_median(column):>12.2f}" for column in figures.T)
            lines.append(f"{name:<12}{int(own.sum()):>6}  {side:<6}{cells_said}")
    return lines


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
