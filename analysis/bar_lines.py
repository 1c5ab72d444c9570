"""Find the bars: how many beats they have and which beat begins one.

Conventions
-----------
``phase`` is the number of the first beat that begins a bar, from 0 to ``beats_per_bar - 1``, on the clock whose beat 0
is the first beat found. Probabilities add up to 1 over all lengths and phases.

Method
------
Every beat is described by what is heard on it and in its quarters. For each bar length and phase: does the bar return
(the correlation of beats that far apart against other distances), are first beats accented, does the take begin with a
bar, and, where instruments are known, do kicks open the bar and snares stand on 2 and 4. A conditional logit makes
probabilities of it; where nothing tells the bar, they stay close to each other and say so.

References
----------
What returns makes the metre: Gouyon and Herrera 2003, Determination of the meter of musical audio signals, AES 114.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.timeline import Timeline
from .beat_levels import Events

_LENGTHS = (2, 3, 4, 5, 6, 7)
# Log odds of a length before anything is heard.
_PRIOR = {2: -2.0, 3: -1.0, 4: 0.0, 5: -2.5, 6: -2.0, 7: -3.0}
_FEWEST_BEATS = 8
_PARTS = 4


@dataclass(frozen=True)
class BarLines:
    """Bars over inferred beats.

    Parameters
    ----------
    beats_per_bar : int
        0 where it is not known.
    phase : int
        The beat that begins the first whole bar.
    probability : float
        Of this length and this phase together.
    length_probability : dict of int to float
        Of each length, whatever the phase.
    phase_probability : ndarray [shape=(beats_per_bar,)]
        Of each phase, given the length.
    """

    beats_per_bar: int
    phase: int
    probability: float
    length_probability: dict[int, float]
    phase_probability: np.ndarray

    @classmethod
    def unknown(cls) -> BarLines:
        """Return that nothing is known."""
        return cls(0, 0, 0.0, {}, np.zeros(0))


def infer_bar_lines(clock: Timeline, n_beats: int, events: Events) -> BarLines:
    """Weigh bar lengths and phases.

    Parameters
    ----------
    clock : Timeline
    n_beats : int
    events : Events

    Returns
    -------
    BarLines
        Unknown for fewer than 8 beats.
    """
    if n_beats < _FEWEST_BEATS:
        return BarLines.unknown()
    rows = beat_rows(clock, n_beats, events)
    cases = [(m, j) for m in _LENGTHS if n_beats >= 2 * m for j in range(m)]
    figures = np.array([describe_bars(rows, m, j, events.named) for m, j in cases])
    prior = np.array([_PRIOR[m] - np.log(m) for m, _ in cases])
    score = prior + figures @ (NAMED_WEIGHTS if events.named else WEIGHTS)
    share = np.exp(score - score.max())
    share /= share.sum()
    by_length = {m: float(sum(share[i] for i, case in enumerate(cases) if case[0] == m)) for m in _LENGTHS}
    length = max(by_length, key=lambda m: by_length[m])
    phases = np.array([share[i] for i, case in enumerate(cases) if case[0] == length])
    phase = int(np.argmax(phases))
    known = {m: p for m, p in by_length.items() if p > 0.0}
    return BarLines(length, phase, float(phases[phase]), known, phases / phases.sum())


def beat_rows(clock: Timeline, n_beats: int, events: Events) -> np.ndarray:
    """Return strength, kick and snare in the quarters of every beat.

    Returns
    -------
    ndarray [shape=(n_beats, 3, 4)]
    """
    line = np.round(clock.beats_at(events.time_s) * _PARTS).astype(np.int64)
    inside = (line >= 0) & (line < n_beats * _PARTS)
    out = np.zeros((3, n_beats * _PARTS))
    for i, column in enumerate((events.strength, events.kick, events.snare)):
        out[i] = np.bincount(line[inside], weights=column[inside], minlength=n_beats * _PARTS)
    return out.reshape(3, n_beats, _PARTS).transpose(1, 0, 2)


def describe_bars(rows: np.ndarray, length: int, phase: int, named: bool) -> np.ndarray:
    """Return the figures that a bar length and phase are judged by.

    Returns
    -------
    ndarray [shape=(8,)]
        How much better beats a bar apart agree than others; accent of first beats; density of first beats; whether the
        take begins with a bar; excess of kicks on the first beat, of kicks on the middle one, of snares on first and
        middle beats, of snares on the beats right after those.
    """
    flat = rows.reshape(len(rows), -1)
    flat = flat - flat.mean(axis=0)
    flat = flat / max(float(np.sqrt((flat**2).sum(axis=1).mean())), 1e-9)
    lags = np.arange(1, min(8, len(rows) - 1) + 1)
    agree = np.array([float((flat[lag:] * flat[:-lag]).sum(axis=1).mean()) for lag in lags])
    returns = float(agree[length - 1] - np.median(agree)) if length <= len(agree) else 0.0
    place = (np.arange(len(rows)) - phase) % length
    on = rows[:, :, 0]
    scale = on.mean(axis=0) + 1e-9
    excess = np.array([[on[place == p, i].mean() / scale[i] - 1.0 for p in range(length)] for i in range(3)])
    crowd = (rows[:, 0] > 0).sum(axis=1)
    figures = [returns, excess[0, 0], crowd[place == 0].mean() / (crowd.mean() + 1e-9) - 1.0, float(phase == 0)]
    if not named:
        return np.array([*figures, 0.0, 0.0, 0.0, 0.0])
    strong = [p for p in range(length) if p % 2 == 0 and p < length - (length % 2)]
    weak = [p + 1 for p in strong]
    return np.array(
        [*figures, excess[1, 0], excess[1, length // 2] if length % 2 == 0 else 0.0,
         excess[2, strong].mean(), excess[2, weak].mean()]
    )  # fmt: skip


# The length's weight is chosen by hand; those of the phases follow, rounded, a fit on Groove MIDI drummers 1, 2, 4, 5.
WEIGHTS = np.array([4.0, 1.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0])
NAMED_WEIGHTS = np.array([4.0, 0.2, 0.0, 1.0, 1.0, -0.5, -0.3, 0.3])
