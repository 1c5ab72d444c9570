"""Infer the beat where there is neither a click nor a score.

Conventions
-----------
Onsets in seconds, weights as velocity or level; the answer is a clock (beats to seconds) whose beat 0 is the first
beat found. Where the bar begins cannot be told from onsets alone, and the level of the beat (half or double) is a
choice: the result says how clear it was.

Method
------
The onsets' autocorrelation, weighted by a log-normal preference about 120 bpm, gives the period; a dynamic program
lays beats on the onsets, first about that period, then about the local period of the first pass; a local linear fit
through the onsets' places on the subdivisions of those beats makes the clock smooth.

References
----------
Ellis 2007, Beat tracking by dynamic programming, J. New Music Research 36(1). The preference for 0.5 s: Parncutt 1994,
A perceptual model of pulse salience and metrical accent, Music Perception 11(4), section on the existence region.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.timeline import Timeline

_FRAME_S = 0.005
_SHORTEST_S, _LONGEST_S = 0.25, 1.5


@dataclass(frozen=True)
class InferredBeat:
    """A clock read from the onsets.

    Parameters
    ----------
    clock : Timeline
    other_bpm : float
        The next best level of the beat, bpm.
    clearness : float
        How much better the chosen level is than the next, 0 (a toss-up) to 1.
    """

    clock: Timeline
    other_bpm: float
    clearness: float


def infer_beat(onset_s: np.ndarray, weight: np.ndarray) -> InferredBeat:
    """Read a clock from onsets.

    Parameters
    ----------
    onset_s : ndarray [shape=(n,)], seconds, increasing
    weight : ndarray [shape=(n,)]
        Strength of each onset; NaN counts as the mean.

    Returns
    -------
    InferredBeat
        For fewer than 4 onsets a clock of 120 bpm from the first onset, with clearness 0.
    """
    distinct = np.unique(np.round(onset_s / _FRAME_S))
    if len(distinct) < 4:
        start_s = float(onset_s[0]) if len(onset_s) else 0.0
        return InferredBeat(Timeline.constant(120.0, start_s), np.nan, 0.0)
    strength, first_s = _strength(onset_s, weight)
    period, other, clearness = _period(strength)
    beats = _beats(strength, np.full(len(strength), period))
    if len(beats) >= 4:
        local = np.interp(np.arange(len(strength)), beats[1:], np.diff(beats))
        wide = int(4 * period)
        padded = np.pad(local, wide, mode="edge")
        local = np.convolve(padded, np.ones(2 * wide + 1) / (2 * wide + 1), mode="valid")
        beats = _beats(strength, local)
    if len(beats) < 2:
        beats = np.array([0, round(period)])
    time_s = first_s + beats * _FRAME_S
    clock = Timeline(np.arange(len(time_s), dtype=np.float64), time_s)
    return InferredBeat(_refined(clock, onset_s), 60.0 / (other * _FRAME_S), clearness)


def _strength(onset_s: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    first_s = float(onset_s[0]) - 0.1
    frames = (onset_s - first_s) / _FRAME_S
    known = np.where(np.isfinite(weight), weight, np.nanmean(weight) if np.isfinite(weight).any() else 1.0)
    known = known - min(0.0, float(known.min()))
    known = 0.5 + known / max(float(known.mean()), 1e-9)
    pulses = np.bincount(np.round(frames).astype(np.int64), weights=known, minlength=int(frames[-1]) + 40)
    # Simultaneous notes add up to an accent, but ten of them are not ten times a beat.
    pulses = np.sqrt(pulses)
    shape = np.exp(-0.5 * (np.arange(-12, 13) / 4.0) ** 2)
    return np.convolve(pulses, shape, mode="same"), first_s


def _period(strength: np.ndarray) -> tuple[float, float, float]:
    n = len(strength)
    size = 1 << int(np.ceil(np.log2(2 * n)))
    centred = strength - strength.mean()
    spectrum = np.fft.rfft(centred, size)
    correlation = np.fft.irfft(spectrum * np.conj(spectrum), size)[:n]
    correlation = correlation / max(correlation[0], 1e-12)
    lags = np.arange(round(_SHORTEST_S / _FRAME_S), min(round(_LONGEST_S / _FRAME_S), n - 1) + 1)
    if len(lags) < 3:
        return 0.5 / _FRAME_S, 1.0 / _FRAME_S, 0.0
    total = np.zeros(len(lags))
    for multiple in (1, 2, 3, 4):
        at = np.minimum(lags * multiple, n - 1)
        total += np.where(lags * multiple < n, correlation[at], 0.0) / multiple
    octaves = np.log2(lags * _FRAME_S / 0.5)
    preference = np.exp(-0.5 * (octaves / 0.8) ** 2)
    score = np.maximum(total, 0.0) * preference
    best = int(np.argmax(score))
    if score[best] <= 0.0:
        return 0.5 / _FRAME_S, 1.0 / _FRAME_S, 0.0
    elsewhere = np.where(np.abs(np.log2(lags / lags[best])) > 0.2, score, 0.0)
    second = int(np.argmax(elsewhere))
    return float(lags[best]), float(lags[second]), float(1.0 - elsewhere[second] / score[best])


def _beats(strength: np.ndarray, period: np.ndarray) -> np.ndarray:
    from ..core.kernels.beat_chain import beat_chain

    scale = float(np.sqrt(np.mean(strength**2))) or 1.0
    beats, _ = beat_chain(np.ascontiguousarray(strength / scale), np.ascontiguousarray(period), 40.0)
    return beats


def _refined(clock: Timeline, onset_s: np.ndarray) -> Timeline:
    """Smooth the beats through the onsets that lie on their quarters and thirds."""
    from ..core.kernels.local_linear import local_linear

    beat = clock.beats_at(onset_s)
    lines = np.round(beat * 4.0) / 4.0
    off = np.abs(beat - lines)
    near = off < 0.08
    if near.sum() < 8:
        return clock
    knots = np.arange(np.floor(beat[0]), np.ceil(beat[-1]) + 1.0)
    time_s, _ = local_linear(np.ascontiguousarray(lines[near]), np.ascontiguousarray(onset_s[near]), knots, 2.0, 6)
    if len(knots) < 2 or (np.diff(time_s) <= 0.05).any():
        return clock
    return Timeline(knots, time_s)
