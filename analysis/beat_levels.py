"""Weigh readings of one rhythm against each other: the beat of a take, twice as fast, half as fast, off by a half.

Conventions
-----------
A *reading* is a series of beat times. An *event* is a moment with one or several onsets. Beliefs add up to 1.

Method
------
Each reading is described by a few figures (``describe_reading``): its tempo, how well the events lie on its quarters or
thirds, how many of its beats hold an event, how strong those are, how steady it is and, where instruments are known,
where kicks and snares fall. A conditional logit (McFadden 1974) over the readings of a take turns the figures into
beliefs. Its weights were fitted by maximum likelihood on performances whose beat is known; ``benchmarks/accuracy``
holds them against others.

References
----------
McFadden 1974, Conditional logit analysis of qualitative choice behavior, in Frontiers in Econometrics, section 2. That
the snare marks 2 and 4: Ellis and Arroyo 2004, Eigenrhythms, ISMIR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Half width about a line, beats.
_NEAR = 0.09
_BINS = 96


@dataclass(frozen=True)
class Events:
    """The moments of a take.

    Parameters
    ----------
    time_s : ndarray [shape=(n,)], seconds, increasing
    strength : ndarray [shape=(n,)]
        Mean 1.
    kick, snare : ndarray [shape=(n,)]
        Strength of that instrument in the moment, 0 where it is silent.
    named : bool
        Whether both instruments are known.
    """

    time_s: np.ndarray
    strength: np.ndarray
    kick: np.ndarray
    snare: np.ndarray
    named: bool


def phase_gain(lines: tuple[tuple[float, float], ...], spread_beat: float, elsewhere: float) -> np.ndarray:
    """Return the log density of an event's phase against a uniform one.

    Parameters
    ----------
    lines : tuple of (phase, weight)
    spread_beat : float
        Standard deviation about a line.
    elsewhere : float
        Weight of any phase at all.

    Returns
    -------
    ndarray [shape=(96,)]
        Bin 0 is centred on the beat.
    """
    phase = np.arange(_BINS) / _BINS
    density = np.full(_BINS, elsewhere)
    for line, weight in lines:
        off = (phase - line + 0.5) % 1.0 - 0.5
        density += weight * np.exp(-0.5 * (off / spread_beat) ** 2) / (spread_beat * np.sqrt(2.0 * np.pi))
    return np.log(density / density.mean())


# Weights of the lines: quarters and thirds of the beat.
QUARTERS = phase_gain(((0.0, 0.42), (1 / 2, 0.26), (1 / 4, 0.09), (3 / 4, 0.11)), 0.035, 0.12)
THIRDS = phase_gain(((0.0, 0.46), (1 / 3, 0.16), (2 / 3, 0.26)), 0.035, 0.12)


def describe_reading(beat_s: np.ndarray, events: Events) -> np.ndarray:
    """Return the figures that a reading is judged by.

    Parameters
    ----------
    beat_s : ndarray [shape=(k,)], seconds, increasing, k >= 2
    events : Events

    Returns
    -------
    ndarray [shape=(21,)]
        log2 of the tempo over 110 bpm and its square; mean gain on quarters, and how much better thirds are; share of
        beats and of halves that hold an event; log2 of events a beat and its square; how much stronger events on beats
        are than others and than those on halves; change of the period from beat to beat; shares of events on beats and
        on halves. Then, 0 where no instrument is known, shares of kicks and of snares on beats; how far snares take
        every second beat and kicks the others, and its square; snares on one beat of four; snares on halves, kicks on
        halves, snares between.
    """
    period = np.diff(beat_s)
    at = np.interp(events.time_s, beat_s, np.arange(len(beat_s)))
    phase, beat = at % 1.0, np.round(at).astype(np.int64)
    bins = np.floor(phase * _BINS + 0.5).astype(np.int64) % _BINS
    weight = events.strength / events.strength.sum()
    straight, ternary = float(weight @ QUARTERS[bins]), float(weight @ THIRDS[bins])
    on = np.abs(at - beat) < _NEAR
    half = np.abs(phase - 0.5) < _NEAR
    inside = np.unique(np.floor(at).astype(np.int64))
    # Beats next to an event: a break says nothing about the level.
    due = np.unique(np.r_[inside, inside + 1])
    held = len(np.unique(beat[on])) / len(due)
    held_half = len(np.unique(np.floor(at[half]))) / max(len(inside), 1)
    tempo = np.log2(60.0 / np.median(period) / 110.0)
    density = np.log2(len(at) / max(len(inside), 1))
    accent = float(events.strength[on].mean() - events.strength[~on].mean()) if 0 < on.sum() < len(on) else 0.0
    accent_half = float(events.strength[on].mean() - events.strength[half].mean()) if on.any() and half.any() else 0.0
    change = np.diff(np.log(period))
    rough = float(np.sqrt(np.mean(change**2))) if len(change) else 0.0
    figures = [tempo, tempo**2, straight, max(ternary - straight, 0.0), held, held_half, density, density**2, accent,
               accent_half, rough, float(on.mean()), float(half.mean())]  # fmt: skip
    return np.array(figures + _instruments(at, beat, on, half, events))


def _instruments(at: np.ndarray, beat: np.ndarray, on: np.ndarray, half: np.ndarray, events: Events) -> list[float]:
    if not events.named:
        return [0.0] * 8
    kick, snare = events.kick / max(events.kick.sum(), 1e-9), events.snare / max(events.snare.sum(), 1e-9)
    # Backbeat: snares on every second beat and kicks on the others; slow: snares on one beat of four.
    snare_at = np.bincount(beat[on] % 4, weights=snare[on], minlength=4)
    kick_at = np.bincount(beat[on] % 4, weights=kick[on], minlength=4)
    sign = np.array([1.0, -1.0, 1.0, -1.0])
    two, two_kick = float(snare_at @ sign), float(kick_at @ sign)
    backbeat = max(two - two_kick, two_kick - two) / 2.0
    slow = float((snare_at - np.roll(snare_at, 2)).max())
    quarter = ~on & ~half
    return [
        float(kick[on].sum()),
        float(snare[on].sum()),
        backbeat,
        backbeat**2,
        slow,
        float(snare[half].sum()),
        float(kick[half].sum()),
        float(snare[quarter].sum()),
    ]


def beliefs_of(figures: np.ndarray, named: bool) -> np.ndarray:
    """Return the share of belief in each reading.

    Parameters
    ----------
    figures : ndarray [shape=(n, 21)]
        As ``describe_reading`` gives them.
    named : bool
        Whether kicks and snares are known.

    Returns
    -------
    ndarray [shape=(n,)]
    """
    score = figures @ (NAMED_WEIGHTS if named else WEIGHTS)
    share = np.exp(score - score.max())
    return share / share.sum()


# Fitted on Groove MIDI performances of drummers 1, 2, 4 and 5 (CC BY 4.0), for unnamed onsets together with POP909
# songs (MIT) whose beats drift as those of the Weimar Jazz Database do (ODbL: only these weights come of it); held
# against drummers 6, 8 and 10 and other songs. benchmarks/accuracy/fit_beats.py fits them again and compares. In the
# order of the figures.
WEIGHTS = np.array([-1.52, -2.07, 5.72, 4.07, 10.33, -0.89, -0.44, -0.2, 3.93, -0.55, -22.38, -6.09, -2.17, *[0.0] * 8])
NAMED_WEIGHTS = np.array(
    [-1.33, -1.87, 5.11, 4.86, 13.82, 1.38, -0.6, -0.19, 6.25, -1.62, -18.55, -4.49, -3.88, 3.01, -1.19, 4.14, -3.11,
     -1.85, -0.58, -0.89, 1.25]
)  # fmt: skip
