"""Friction: squeaks of fingers on strings, string releases, noise of picks and keys.

Conventions
-----------
Times are seconds of the recording; a friction noise is a short noisy event that is no note's onset. Its start is where
it rises out of what sounds; its level is the RMS of its loudest 50 ms with what sounded before taken away, full scale
0 dB. Two steps: bumps of noise are found and described while the recording is read (`analysis.friction_frames`), then
a model says of each how probably a friction noise begins there, from how it looks and from what it stands among: noises
of fingers lie among notes and softer than these, a drum's hits among their like, and an onset speaks for a note.

References
----------
Bishop 2006, Pattern Recognition and Machine Learning, sections 4.3.2 (logistic regression) and 5.5.1 (weight decay).
Hastie and Tibshirani 1986, Generalized additive models, Statistical Science 1(3), 297-310.
Platt 1999, Probabilistic outputs for support vector machines (a logistic line turns scores into probabilities).
"""

from __future__ import annotations

import numpy as np

from .friction_frames import NAMES, Candidates, candidates
from .friction_model import believed, confident, kinds
from .friction_spectra import BLOCK_HOPS, Grid
from .listening import Chunk, Sound, listen

# Under this rate too little of a noise is in the recording to know it: none is reported.
LEAST_RATE_HZ = 6_000
# Pooled belief from which on an event is told, and under which a candidate does not count at all.
_SURE, _FAINT = 0.22, 0.03
# How far apart the rises of one noise's start may be.
_POOL_S = 0.045
# A noise that lies so near to a note's onset belongs to the note: seconds before and after.
_BEFORE_S, _AFTER_S = 0.06, 0.075
# An onset and a noise this near are one event.
_SAME_S, _AT_S = 0.05, 0.015
# Noises that follow each other nearer than this are one.
_APART_S = 0.3
_CONTEXT_S = 5.0
_TRAIL_S, _AWAY_S = 0.3, 0.03
CONTEXT = (
    "below_db", "dense", "tonal_around", "alike", "tonal_share", "rises_around",
    "earlier_db", "earlier_sure", "earlier_alike", "later_db", "later_sure", "later_alike",
    "onset_near_s", "onset_since", "onset_until",
)  # fmt: skip


def find_friction(
    y: np.ndarray, sample_rate: float, onset_s: np.ndarray | None = None
) -> tuple[dict[str, float | int | str], ...]:
    """Find squeaks, releases and noises of picks and keys in a mono recording.

    Parameters
    ----------
    y : ndarray [shape=(frames,)], float, full scale 1.0
    sample_rate : float, Hz
        1 kHz to 768 kHz; under 6 kHz too little of such noises is in the recording, and none is reported.
    onset_s : ndarray [shape=(n,)], seconds, or None
        Onsets, some of which may be noises; None: they are detected.

    Returns
    -------
    tuple of dict
        In order of time: ``start_s``, ``duration_s``, ``level_db``, ``confidence`` (0..1), ``kind`` (``"squeak"``,
        ``"release"``, ``"pick"``, ``"key"`` or "" where that cannot be told), ``belongs`` (the row of the given onset
        that is this noise and no note, -1 for none).

    Raises
    ------
    TakeprintError
        For another shape, an impossible rate or samples that are no numbers.

    Examples
    --------
    >>> find_friction(np.zeros(44100), 44100)
    ()
    """
    sound = Sound.of_samples(y, sample_rate)
    listener = FrictionListener(sound.rate, sound.peak)
    if onset_s is not None:
        listen(sound, listener)
        return listener.result(onset_s)
    from .onsets import OnsetDetector

    detector = OnsetDetector(sound.rate, sound.peak)
    listen(sound, detector, listener)
    return listener.result(detector.result().onset_s)


class FrictionListener:
    """Listens for friction.

    Parameters
    ----------
    rate : float, Hz
    peak : float
        The largest sample of the recording.
    """

    def __init__(self, rate: float, peak: float) -> None:
        self._grid = Grid.at(rate)
        self._peak = peak
        self._parts: list[Candidates] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        if self._peak < 1e-7 or self._grid.rate < LEAST_RATE_HZ:
            return
        skip = -chunk.first % (self._grid.hop * BLOCK_HOPS)
        samples = chunk.samples[skip:] / self._peak
        if len(samples) < 2 * self._grid.tone_window:
            return
        self._parts.append(candidates(samples, chunk.first + skip, (chunk.begin, chunk.end), self._grid))

    def found(self) -> Candidates:
        """Return all candidates."""
        return Candidates.join(self._parts)

    def result(self, onset_s: np.ndarray) -> tuple[dict[str, float | int | str], ...]:
        """Return the friction noises among a recording's onsets.

        Parameters
        ----------
        onset_s : ndarray [shape=(n,)], seconds

        Returns
        -------
        tuple of dict
            As of `find_friction`.
        """
        found, onset_s = self.found(), np.asarray(onset_s, dtype=np.float64)
        if not len(found.start_s):
            return ()
        looks = looks_of(found, onset_s)
        belief = believed(looks)
        noise, beside = _beside(found.start_s, belief, onset_s)
        belief = np.where(beside, 0.0, belief)
        out: list[dict[str, float | int | str]] = []
        for start_s, value in gathered(found.start_s, belief):
            mine = np.flatnonzero((np.abs(found.start_s - start_s) < 1.6 * _POOL_S) & (belief > _FAINT))
            trail = (
                (found.start_s >= start_s - 1.6 * _POOL_S) & (found.start_s < start_s + _APART_S) & (belief >= _SURE)
            )
            best = mine[np.argmax(belief[mine])]
            end = max(found.end_s[trail].max(initial=0.0), found.end_s[best])
            near = np.where(noise, np.abs(onset_s - start_s), np.inf)
            out.append(
                {
                    "start_s": float(start_s),
                    "duration_s": float(max(end - start_s, 0.005)),
                    "level_db": float(10 * np.log10(max(found.power[best], 1e-14)) + 20 * np.log10(self._peak)),
                    "confidence": float(confident(value)),
                    "kind": kinds(looks[best : best + 1])[0],
                    "belongs": int(np.argmin(near)) if near.min(initial=np.inf) <= _SAME_S else -1,
                }
            )
        return tuple(out)


def looks_of(found: Candidates, onset_s: np.ndarray) -> np.ndarray:
    """Return what the model looks at [shape=(n, len(NAMES) + len(CONTEXT))], float32."""
    return np.column_stack([found.features.astype(np.float32), context(found, onset_s)])


def gathered(start_s: np.ndarray, belief: np.ndarray) -> list[tuple[float, float]]:
    """Return start and pooled belief of every event.

    A noise often shows several rises, each a possible start. Its start is where most belief lies nearby: at a rise or
    midway between two, whichever gathers more.
    """
    chosen = np.flatnonzero(belief > _FAINT)
    times, weights = start_s[chosen], belief[chosen]
    places = []
    for i, time in enumerate(times):
        last = np.searchsorted(times, time + 2 * _POOL_S)
        places.extend(0.5 * (time + times[i:last]))
    centres = np.sort(np.array(places))
    low, high = np.searchsorted(times, centres - 1.6 * _POOL_S), np.searchsorted(times, centres + 1.6 * _POOL_S)
    value = np.array(
        [
            weights[a:b] @ np.clip(1.6 - np.abs(times[a:b] - c) / _POOL_S, 0.0, 1.0)
            for c, a, b in zip(centres, low, high, strict=True)
        ]
    )
    events: dict[float, float] = {}
    slots: dict[int, list[float]] = {}
    for k in np.lexsort((centres, -np.round(value, 6))):
        if value[k] < _SURE:
            break
        c, slot = float(centres[k]), int(centres[k] / _APART_S)
        if all(abs(c - other) >= _APART_S for j in (slot - 1, slot, slot + 1) for other in slots.get(j, ())):
            events[c] = min(float(value[k]), 1.0)
            slots.setdefault(slot, []).append(c)
    return sorted(events.items())


def _beside(start_s: np.ndarray, belief: np.ndarray, onset_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which onsets are noises, and which candidates lie beside the onset of a note."""
    noise = np.zeros(len(onset_s), dtype=bool)
    beside = np.zeros(len(start_s), dtype=bool)
    for k, onset in enumerate(onset_s):
        first, last = np.searchsorted(start_s, (onset - _SAME_S, onset + _SAME_S))
        distance, sure = np.abs(start_s[first:last] - onset), belief[first:last] >= _SURE
        # The rise at the onset itself decides; where there is none, a noise's rise nearby.
        at = last > first and (sure[np.argmin(distance)] or (sure.any() and distance.min() > _AT_S))
        noise[k] = at
        if not at:
            first, last = np.searchsorted(start_s, (onset - _BEFORE_S, onset + _AFTER_S))
            beside[first:last] = True
    return noise, beside


def context(found: Candidates, onset_s: np.ndarray) -> np.ndarray:
    """Return what each candidate stands among [shape=(n, len(CONTEXT))], float32.

    Level under the loud ones around, how many there are a second, how tonal and how sudden the loud ones are, how many
    look like it and are as loud; the strongest just before and after it; where the onsets around it lie.
    """
    n = len(found.start_s)
    out = np.zeros((n, len(CONTEXT)), dtype=np.float32)
    level, tonal, climb, new, sure = (
        found.features[:, NAMES.index(name)].astype(np.float32)
        for name in ("level_db", "tonal", "climb", "tone_new_db", "sure")
    )
    profile, time, tone = found.profile.astype(np.float32), found.start_s, np.clip(new, -30, 10)
    lo, hi = (np.searchsorted(time, time + side * _CONTEXT_S) for side in (-1, 1))
    early, near = (np.searchsorted(time, time - lag) for lag in (_TRAIL_S, 0.035))
    late, far = (np.searchsorted(time, time + lag) for lag in (0.035, _TRAIL_S))
    for i in range(n):
        part = slice(lo[i], hi[i])
        levels = level[part]
        rank = max(len(levels) // 5, 1)
        loud = np.partition(levels, -rank)[-rank]
        heavy = np.clip((levels - loud + 15) / 15, 0, 1)
        heavy = heavy / heavy.sum()
        span = min(time[i] + _CONTEXT_S, time[-1]) - max(time[i] - _CONTEXT_S, time[0]) + 1.0
        alike = (profile[part] @ profile[i] > 0.93) & (np.abs(levels - level[i]) < 6)
        out[i, :6] = (
            level[i] - loud,
            (levels > loud - 30).sum() / span,
            heavy @ tone[part],
            (alike.sum() - 1) / span,
            heavy @ tonal[part],
            heavy @ climb[part],
        )
        for k, (a, b) in enumerate(((early[i], near[i]), (late[i], far[i]))):
            j = a + int(np.argmax(level[a:b])) if b > a else -1
            out[i, 6 + 3 * k : 9 + 3 * k] = (
                (level[j] - level[i], sure[a:b].max() - sure[i], profile[j] @ profile[i]) if j >= 0 else (-30, -10, 0)
            )
    out[:, 12:] = _among_onsets(time, onset_s)
    return out


def _among_onsets(start_s: np.ndarray, onset_s: np.ndarray) -> np.ndarray:
    """Return how near the nearest onset is, and how long since the last and until the next one [shape=(n, 3)]."""
    held = np.concatenate([[-np.inf], np.sort(onset_s), [np.inf]])
    after = np.searchsorted(held, start_s)
    near = np.minimum(start_s - held[after - 1], held[after] - start_s)
    last = start_s - held[np.searchsorted(held, start_s - _AWAY_S) - 1]
    following = held[np.searchsorted(held, start_s + _AWAY_S, side="right")] - start_s
    return np.column_stack([np.minimum(near, 0.1), *(np.log(np.minimum(t, 2.0)) for t in (last, following))])
