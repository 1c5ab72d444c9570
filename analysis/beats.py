"""Infer the beat where there is neither a click nor a score.

Conventions
-----------
Onsets in seconds, weights as velocity or level; the answer is a clock (beats to seconds) whose beat 0 is the first
beat at or after the first onset. Which of the pulses is the beat (the level: half, double, three for two) and where
the bar begins are choices: every answer comes with its belief and with what else it could be.

Method
------
1. A hidden semi-Markov model lays beats through the onsets, for ranges of tempo from 22 to 330 bpm, each with
   onsets on the quarters or on the thirds of the beat (``core.kernels.beat_path``): some twenty readings remain.
2. A conditional logit weighs the readings against each other (``beat_levels``).
3. Onsets near the lines of the best reading, freed from what is late or early on every such line (a swing, a laid-back
   backbeat), go through a Kalman smoother over beat and period (``core.kernels.beat_smoother``). How fast the tempo
   wanders is estimated by maximum likelihood, so that a click comes out straight and a rubato bent. The smoother's
   variance is the uncertainty of each beat; it grows in a break.
4. Bars of 2 to 7 beats are weighed by what returns with them, by accents, kicks and snares (``bar_lines``).

References
----------
Whiteley, Cemgil and Godsill 2006, Bayesian Modelling of Temporal Structure in Musical Audio, ISMIR. Cemgil, Kappen,
Desain and Honing 2000, On tempo tracking: tempogram representation and Kalman filtering, J. New Music Research 29(4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.timeline import Timeline
from .bar_lines import BarLines, infer_bar_lines
from .beat_levels import QUARTERS, THIRDS, Events, beliefs_of, describe_reading

# Ranges of tempo: centres and what a period may be in each, in frames; a frame is a share of the centre.
_CENTRES_S = 0.25 * 2.0 ** (0.375 * np.arange(9))
_FRAMES, _SHORTEST, _LONGEST, _REACH = 36, 26, 49, 6
_TIGHTNESS = 1000.0
# Wider and looser ranges for takes that change their tempo by more than a third, and for rubato: centre, shortest,
# longest, tightness, reach.
_LOOSE = ((0.45, 18, 72, 1000.0, 6), (0.25, 24, 54, 100.0, 10), (0.55, 24, 54, 100.0, 10), (1.2, 24, 54, 100.0, 10))
# Onsets closer than this are one moment: a chord, a flam.
_MOMENT_S = 0.03
_STRENGTH = {"kick": 1.3, "snare": 1.2, "hat": 0.8, "ride": 0.9}
# Readings that agree in this share of beats, to 70 ms or a tenth of a beat, are one.
_SAME = 0.9
# Half width about a line, beats, within which an onset tells of its beat.
_NEAR = 0.1
# Variance of the period's step over the variance of the onsets' noise.
_WANDER = 10.0 ** np.arange(-4.0, 1.5, 0.5)
_LEAST_NOISE_S = 1e-4
_TO_90_PERCENT = 1.645
# Share of belief from which another reading is named.
_WORTH_SAYING = 0.1


@dataclass(frozen=True)
class BeatReading:
    """One way to hear the beat.

    Parameters
    ----------
    tempo_bpm : float
    belief : float
        Share of belief, 0 to 1.
    relation : str
        To the chosen beat: ``"chosen"``, ``"twice as fast"``, ``"half as fast"``, ``"between the beats"``, or a
        ratio of tempi such as ``"3:2"`` or ``"1.18"``.
    """

    tempo_bpm: float
    belief: float
    relation: str


@dataclass(frozen=True)
class InferredBeat:
    """A clock read from the onsets.

    Parameters
    ----------
    clock : Timeline
        Beat 0 is the first beat; onsets before it have negative beats.
    other_bpm : float
        The next best level of the beat, bpm; NaN where there is none.
    clearness : float
        How much better the chosen level is than the next, 0 (a toss-up) to 1.
    beat_s : ndarray [shape=(k,)], seconds
        The beats from the first onset to the last.
    beat_uncertainty_ms : ndarray [shape=(k,)], milliseconds
        Half width of the 90 % interval of each beat, given that the level and the phase are right.
    tempo_bpm : float
        Median tempo; NaN where no beat was found.
    belief : float
        Share of belief in this level and phase, 0 to 1.
    readings : tuple of BeatReading
        What the beat could be, the chosen one first, then by belief; those below 2 % are left out.
    bars : BarLines
        Beats a bar and the phase of the first one, with their probabilities.
    """

    clock: Timeline
    other_bpm: float
    clearness: float
    beat_s: np.ndarray
    beat_uncertainty_ms: np.ndarray
    tempo_bpm: float
    belief: float
    readings: tuple[BeatReading, ...]
    bars: BarLines

    def in_words(self) -> str:
        """Say what was found, how surely, and what else it could be."""
        if not np.isfinite(self.tempo_bpm):
            return "too few onsets to infer a beat: 120 bpm was assumed"
        said = f"the beat was inferred at about {self.tempo_bpm:.1f} bpm (belief {100 * self.belief:.0f} %)"
        others = [r for r in self.readings[1:] if r.belief >= _WORTH_SAYING]
        if others:
            said += ", otherwise " + " or ".join(
                f"{r.tempo_bpm:.0f} bpm ({r.relation}, {100 * r.belief:.0f} %)" for r in others[:3]
            )
        if self.bars.probability >= 0.5:
            return said + f"; bars of {self.bars.beats_per_bar} beats ({100 * self.bars.probability:.0f} %)"
        return said + "; the bar line is not known"

    def to_dict(self) -> dict[str, Any]:
        """Return beats, readings and bars in plain lists, dicts and numbers; None where something is not known."""
        return {
            "beat_s": self.beat_s.tolist(),
            "beat_uncertainty_ms": np.round(self.beat_uncertainty_ms, 3).tolist(),
            "tempo_bpm": self.tempo_bpm if np.isfinite(self.tempo_bpm) else None,
            "belief": self.belief,
            "readings": [{"tempo_bpm": r.tempo_bpm, "belief": r.belief, "relation": r.relation} for r in self.readings],
            "bars": {
                "beats_per_bar": self.bars.beats_per_bar or None,
                "phase": self.bars.phase if self.bars.beats_per_bar else None,
                "probability": self.bars.probability,
                "length_probability": {str(m): p for m, p in self.bars.length_probability.items()},
                "phase_probability": self.bars.phase_probability.tolist(),
            },
        }


def infer_beat(onset_s: np.ndarray, weight: np.ndarray, *, instrument: np.ndarray | None = None) -> InferredBeat:
    """Read a clock from onsets.

    Parameters
    ----------
    onset_s : ndarray [shape=(n,)], seconds, increasing
    weight : ndarray [shape=(n,)]
        Strength of each onset, velocity or level in dB; NaN counts as the mean.
    instrument : ndarray of str [shape=(n,)] or None
        Such as ``"kick"`` and ``"snare"``; they help to choose the level and the bar.

    Returns
    -------
    InferredBeat
        For fewer than 4 moments a clock of 120 bpm from the first onset, with belief and clearness 0.

    Examples
    --------
    >>> import numpy as np
    >>> found = infer_beat(np.arange(32) * 0.6, np.ones(32))
    >>> round(found.tempo_bpm), len(found.beat_s)
    (100, 32)
    """
    onset_s = np.asarray(onset_s, dtype=np.float64)
    events = _events(onset_s, np.asarray(weight, dtype=np.float64), instrument)
    if len(events.time_s) < 4:
        return _unknown(float(onset_s[0]) if len(onset_s) else 0.0)
    readings = _distinct(_tracks(events))
    beliefs = beliefs_of(np.array([describe_reading(beat_s, events) for beat_s in readings]), events.named)
    order = np.argsort(-beliefs, kind="stable")
    readings, beliefs = [readings[i] for i in order], beliefs[order]
    beat_s, spread_s, clock = _smoothed(readings[0], events)
    said = tuple(
        BeatReading(_bpm(beat_s if i == 0 else other), float(belief), _relation(other, readings[0]))
        for i, (other, belief) in enumerate(zip(readings, beliefs, strict=True))
        if i == 0 or belief >= 0.02
    )
    # Clearness compares levels: what lies between the beats has the same tempo.
    ratio = np.array([_bpm(other) for other in readings]) / _bpm(readings[0])
    same = np.abs(np.log2(ratio)) < 0.05
    other = int(np.argmax(np.where(same, -1.0, beliefs)))
    clear = 1.0 - float(beliefs[other] / beliefs[same].sum()) if not same.all() else 1.0
    return InferredBeat(
        clock=clock,
        other_bpm=_bpm(readings[other]) if not same.all() else np.nan,
        clearness=float(np.clip(clear, 0.0, 1.0)),
        beat_s=beat_s,
        beat_uncertainty_ms=1000.0 * _TO_90_PERCENT * spread_s,
        tempo_bpm=_bpm(beat_s) if len(beat_s) > 1 else _bpm(readings[0]),
        belief=float(beliefs[0]),
        readings=said,
        bars=infer_bar_lines(clock, len(beat_s), events),
    )


def _unknown(start_s: float) -> InferredBeat:
    clock = Timeline.constant(120.0, start_s)
    nothing = np.zeros(0)
    return InferredBeat(clock, np.nan, 0.0, nothing, nothing, np.nan, 0.0, (), BarLines.unknown())


def _bpm(beat_s: np.ndarray) -> float:
    return float(60.0 / np.median(np.diff(beat_s)))


def _events(onset_s: np.ndarray, weight: np.ndarray, instrument: np.ndarray | None) -> Events:
    """Join onsets to moments, each with its strength; a strength does not add up as fast as its onsets."""
    n = len(onset_s)
    order = np.argsort(onset_s, kind="stable")
    onset_s, weight = onset_s[order], weight[order]
    name = np.full(n, "") if instrument is None else np.asarray(instrument)[order]
    finite = np.isfinite(weight)
    known = np.where(finite, weight, weight[finite].mean() if finite.any() else 1.0)
    if n and known.min() < 0.0:
        # Levels in dB: 20 dB below the loudest count half.
        known = 2.0 ** ((known - known.max()) / 20.0)
    known = known / max(float(known.mean()), 1e-9) if n else known
    starts = np.r_[True, np.diff(onset_s) > _MOMENT_S][:n]
    moment = np.cumsum(starts) - 1
    count = int(starts.sum())
    heavy = np.maximum(known, 1e-9)
    total = np.maximum(np.bincount(moment, weights=heavy, minlength=count), 1e-9)
    time_s = np.bincount(moment, weights=heavy * onset_s, minlength=count) / total
    share = np.array([_STRENGTH.get(str(i), 1.0) for i in name])
    strength = np.sqrt(np.bincount(moment, weights=known * share, minlength=count))
    strength = strength / max(float(strength.mean()), 1e-9) if count else strength
    by_name = [np.bincount(moment, weights=known * (name == one), minlength=count) for one in ("kick", "snare")]
    named = all(int((name == one).sum()) >= 4 for one in ("kick", "snare"))
    return Events(time_s, strength, by_name[0], by_name[1], named)


def _tracks(events: Events) -> list[tuple[tuple[bool, float, bool], np.ndarray]]:
    """Return (rank, beats) of the best path in every range of tempo, and the beats between them.

    Steady readings by gain rank before loose ones, whose gain is greater by what they are free to follow.
    """
    from ..core.kernels.beat_path import beat_path

    first_s = float(events.time_s[0])
    out = []
    ranges = [*((float(centre_s), _SHORTEST, _LONGEST, _TIGHTNESS, _REACH) for centre_s in _CENTRES_S), *_LOOSE]
    for centre_s, shortest, longest, tightness, reach in ranges:
        frame_s = centre_s / _FRAMES
        place = np.ascontiguousarray((events.time_s - first_s) / frame_s)
        for gain in (QUARTERS, THIRDS):
            beat, total = beat_path(
                place, events.strength, gain, int(place[-1]) + 1, shortest, longest, tightness, reach
            )
            beat_s = first_s + beat * frame_s
            rank = (tightness == _TIGHTNESS, float(total))
            out.append(((*rank, True), beat_s))
            out.append(((*rank, False), (beat_s[1:] + beat_s[:-1]) / 2.0))
    return out


def _distinct(tracks: list[tuple[tuple[bool, float, bool], np.ndarray]]) -> list[np.ndarray]:
    """Keep of readings that agree the one of the highest rank."""
    kept: list[np.ndarray] = []
    for _, beat_s in sorted(tracks, key=lambda track: track[0], reverse=True):
        if len(beat_s) >= 3 and not any(_agreement(beat_s, other) > _SAME for other in kept):
            kept.append(beat_s)
    # Of four onsets a slow reading may hold two beats only: then any is kept.
    return kept or [max(tracks, key=lambda track: len(track[1]))[1]]


def _agreement(beat_s: np.ndarray, other_s: np.ndarray) -> float:
    """Return the share of beats that two readings have in common."""
    if not 0.8 < len(beat_s) / len(other_s) < 1.25:
        return 0.0
    near_s = min(0.07, 0.1 * float(np.median(np.diff(beat_s))))
    right = np.clip(np.searchsorted(other_s, beat_s), 1, len(other_s) - 1)
    off_s = np.minimum(np.abs(beat_s - other_s[right - 1]), np.abs(beat_s - other_s[right]))
    return 2.0 * float((off_s < near_s).sum()) / (len(beat_s) + len(other_s))


def _relation(beat_s: np.ndarray, chosen_s: np.ndarray) -> str:
    """Name the ratio of two readings' tempi."""
    if beat_s is chosen_s:
        return "chosen"
    ratio = _bpm(beat_s) / _bpm(chosen_s)
    names = {1.0: "between the beats", 2.0: "twice as fast", 0.5: "half as fast", 3.0: "3:1", 1 / 3: "1:3",
             1.5: "3:2", 2 / 3: "2:3", 4 / 3: "4:3", 0.75: "3:4", 4.0: "4:1", 0.25: "1:4"}  # fmt: skip
    nearest = min(names, key=lambda value: abs(np.log(value / ratio)))
    return names[nearest] if abs(np.log2(nearest / ratio)) < 0.05 else f"{ratio:.2f}"


def _smoothed(beat_s: np.ndarray, events: Events) -> tuple[np.ndarray, np.ndarray, Timeline]:
    """Return the beats between the first and the last onset, their standard deviations, and the clock."""
    rough = Timeline(np.arange(len(beat_s), dtype=np.float64), beat_s)
    start, end = events.time_s[[0, -1]]
    first, last = float(np.floor(rough.beats_at(start) + _NEAR)), float(np.ceil(rough.beats_at(end) - _NEAR))
    knots = np.arange(first, max(last, first + 1.0) + 0.5)
    time_s = rough.seconds_at(knots)
    period_s = float(np.median(np.diff(time_s)))
    spread_s = np.full(len(knots), 0.1 * period_s)
    for _ in range(2):
        beat, inside, near, late = _on_lines(np.interp(events.time_s, time_s, np.arange(len(knots))) + 1e-9)
        if near.sum() < 4:
            break
        # An onset is compared where the line of its kind lies, late or early.
        mean_s, deviation_s = _likeliest(beat[near], inside[near] + late[near], events.time_s[near], time_s, period_s)
        if (np.diff(mean_s) <= 0.2 * period_s).any():
            break
        time_s, spread_s = mean_s, deviation_s
    here = (time_s >= start - _NEAR * period_s) & (time_s <= end + _NEAR * period_s)
    zero = int(np.argmax(here)) if here.any() else 0
    clock = Timeline(np.arange(len(time_s), dtype=np.float64) - zero, time_s)
    return time_s[here], spread_s[here], clock


def _likeliest(
    beat: np.ndarray, inside: np.ndarray, heard_s: np.ndarray, time_s: np.ndarray, period_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Smooth the beats with the noise and the wandering of the period that explain the onsets best."""
    from ..core.kernels.beat_smoother import beat_smoother

    inside, even = np.ascontiguousarray(inside), np.ones(len(beat))

    def smooth(noise_s: float, wander: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
        variance, start_s = noise_s**2, 30.0 * noise_s
        return beat_smoother(
            beat,
            inside,
            heard_s,
            variance * even,
            len(time_s),
            time_s[0],
            period_s,
            start_s,
            start_s,
            variance * wander,
        )

    def misfit(wander: float) -> tuple[float, float]:
        """Return the least minus log density over all noise levels, and the noise it takes, seconds."""
        *_, likelihood, squares = smooth(1.0, wander)
        # All variances are multiples of the noise's: it can be told from one run.
        ratio = squares / len(beat)
        return 0.5 * len(beat) * (np.log(max(ratio, 1e-12)) + 1.0) - likelihood - 0.5 * squares, float(np.sqrt(ratio))

    best = min((misfit(wander), wander) for wander in _WANDER)
    noise_s, wander = max(best[0][1], _LEAST_NOISE_S), best[1]
    mean_s, _, variance, *_ = smooth(noise_s, wander)
    return mean_s, np.sqrt(variance)


def _on_lines(place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return each onset's beat and line, whether it is near one, and how late that line's onsets are as a rule."""
    scores = []
    for parts in (4, 3):
        off = place * parts - np.round(place * parts)
        scores.append(float(np.mean(np.abs(off) / parts < 0.05)) - (0.4 if parts == 4 else 0.3))
    parts = 4 if scores[0] >= scores[1] else 3
    line = np.round(place * parts).astype(np.int64)
    beat, which = line // parts, line % parts
    off = place - line / parts
    near = np.abs(off) < _NEAR
    late = np.zeros(len(place))
    for k in range(1, parts):
        rows = near & (which == k)
        if rows.sum() >= 3:
            late[rows] = np.median(off[rows])
    return beat, which / parts, near, late
