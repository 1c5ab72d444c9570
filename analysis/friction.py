"""Friction: squeaks of fingers on strings, string releases, noise of picks and keys.

Conventions
-----------
Times are seconds of the recording; a friction noise is a short noisy event that is no note's onset. Its start is where
it rises out of what sounds; its level is the RMS of its loudest 50 ms with what sounded before taken away, full scale
0 dB. Two steps: bumps of noise are found and described while the recording is read (`analysis.friction_frames`), then
a logistic model says of each how probably it is friction, from how it looks and from what it stands among: noises of
fingers lie among notes and softer than these, a drum's hits among their like.

References
----------
Fletcher and Rossing 1998, The Physics of Musical Instruments, 2nd ed., section 9.10 (noises of the string instruments).
Bishop 2006, Pattern Recognition and Machine Learning, section 4.3.2 (logistic regression).
"""

from __future__ import annotations

import numpy as np

from .friction_frames import BLOCK_HOPS, NAMES, Candidates, Grid, candidates
from .friction_model import believed, kinds
from .listening import Chunk, Sound, listen

# Under this rate too little of a noise is in the recording to know it: none is reported.
LEAST_RATE_HZ = 6_000
_SURE = 0.3
# A noise that lies so near to a note's onset belongs to the note: seconds before and after.
_BEFORE_S, _AFTER_S = 0.06, 0.075
# An onset and a noise this near are one event.
_SAME_S = 0.03
# Noises that follow each other nearer than this are one.
_APART_S = 0.25
_CONTEXT_S = 5.0
CONTEXT = ("below_db", "dense", "tonal_around", "alike", "tonal_share", "rises_around")


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

    def heard(self) -> tuple[Candidates, np.ndarray]:
        """Return all candidates and what the model looks at [shape=(n, len(NAMES) + len(CONTEXT))]."""
        found = Candidates.join(self._parts)
        return found, np.column_stack([found.features.astype(np.float64), _context(found)])

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
        found, looks = self.heard()
        if not len(found.start_s):
            return ()
        belief = believed(looks)
        onset_s = np.asarray(onset_s, dtype=np.float64)
        same, near = _beside(found.start_s, belief, onset_s)
        names = kinds(looks)
        out = []
        for first, last, i in _grouped(found, belief, np.flatnonzero((belief >= _SURE) & ~near)):
            mine = same[first : last + 1]
            out.append(
                {
                    "start_s": float(found.start_s[first]),
                    "duration_s": float(max(found.end_s[first : last + 1].max() - found.start_s[first], 0.005)),
                    "level_db": float(10 * np.log10(max(found.power[i], 1e-14)) + 20 * np.log10(self._peak)),
                    "confidence": float(belief[i]),
                    "kind": names[i],
                    "belongs": int(mine.max(initial=-1)) if (mine >= 0).any() else -1,
                }
            )
        return tuple(out)


def _grouped(found: Candidates, belief: np.ndarray, chosen: np.ndarray) -> list[tuple[int, int, int]]:
    """Return first, last and surest candidate of every event: a scrape is one, however often the finger catches."""
    groups: list[list[int]] = []
    for i in chosen:
        if groups and found.start_s[i] < found.start_s[groups[-1][-1]] + _APART_S:
            groups[-1].append(int(i))
        else:
            groups.append([int(i)])
    return [(g[0], g[-1], max(g, key=lambda i: belief[i])) for g in groups]


def _beside(start_s: np.ndarray, belief: np.ndarray, onset_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which onset each noise is (-1: none), and whether it lies beside the onset of a note."""
    same = np.full(len(start_s), -1, dtype=np.int64)
    near = np.zeros(len(start_s), dtype=bool)
    notes = np.ones(len(onset_s), dtype=bool)
    for k, onset in enumerate(onset_s):
        distance = np.abs(start_s - onset)
        i = int(np.argmin(distance))
        if distance[i] <= _SAME_S and belief[i] >= _SURE:
            same[i] = k if same[i] < 0 else same[i]
            notes[k] = False
    for onset in onset_s[notes]:
        near |= (start_s > onset - _BEFORE_S) & (start_s < onset + _AFTER_S)
    return same, near


def _context(found: Candidates) -> np.ndarray:
    """Return what each candidate stands among [shape=(n, len(CONTEXT))].

    Level under the loud ones around, how many there are a second, how tonal and how sudden the loud ones are, how many
    look like it and are as loud.
    """
    n = len(found.start_s)
    out = np.zeros((n, len(CONTEXT)))
    column = {name: found.features[:, i].astype(np.float64) for i, name in enumerate(NAMES)}
    level, time = column["level_db"], found.start_s
    lo = np.searchsorted(time, time - _CONTEXT_S)
    hi = np.searchsorted(time, time + _CONTEXT_S, side="right")
    tone = np.clip(column["tone_new_db"], -30, 10)
    for i in range(n):
        part = slice(lo[i], hi[i])
        levels = level[part]
        loud = np.partition(levels, -max(len(levels) // 5, 1))[-max(len(levels) // 5, 1)]
        heavy = np.clip((levels - loud + 15) / 15, 0, 1)
        heavy = heavy / heavy.sum()
        strong = levels > loud - 30
        span = min(time[i] + _CONTEXT_S, time[-1]) - max(time[i] - _CONTEXT_S, time[0]) + 1.0
        alike = (found.profile[part] @ found.profile[i] > 0.93) & (np.abs(levels - level[i]) < 6)
        out[i] = (
            level[i] - loud,
            strong.sum() / span,
            heavy @ tone[part],
            (alike.sum() - 1) / span,
            heavy @ column["tonal"][part],
            heavy @ column["climb"][part],
        )
    return out
