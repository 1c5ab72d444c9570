"""Choosing among continuations: what a judge of kits holds for most real is played.

Conventions
-----------
The judge (arrays ``judge_…`` beside the network's; ``kept_…`` where accents are kept) is boosted trees over the
features of windows of 48 hits, trained to tell real takes from what the network plays (``benchmarks/train_judge.py``);
a larger score is more synthetic. Where accents are kept it hears the hits as drawn, before a place that came out much
louder or softer than written is brought back. A stretch is played several times on from where the
last one ended, and the least synthetic goes on; the first stretch is played once after each of several takes.

References
----------
Hunt and Black 1996, ICASSP, choose among recordings; here the candidates are drawn. Azadi et al. 2019, ICLR
(discriminator rejection sampling).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ...analysis.kit_context import TIMING_UNIT_MS, Hits
from ...analysis.realism_features import WINDOW, windows_of
from ...core.boosted_trees import NAMES, BoostedTrees
from ...core.deviations import DeviationNotes, Deviations
from ...core.errors import TakeprintError
from ...core.timeline import Metre, Timeline

# Hits of the first stretch and of each later one: whole windows.
_FIRST, _LATER = 32 * WINDOW, 6 * WINDOW
# How many are heard of each, while no more hits than this are played in all.
_FIRST_CHOICE, _LATER_CHOICE = 8, 4
_MOST_PLAYED = 40_000
# Scores are compared in these steps: the last bits differ from machine to machine.
_DIGITS = 6


@dataclass(eq=False)
class Run:
    """A playing up to some hit.

    Parameters
    ----------
    on : callable of (start, end, noise, memory, timing, loud, velocity)
        Plays hits of the score on, writing into the arrays.
    memory : tuple of ndarray
    timing, loud, velocity : ndarray [shape=(m + n,)]
        Of what was heard first (m hits) and the score's hits.
    heard : int
        The m.
    """

    on: Callable[..., None]
    memory: tuple[np.ndarray, ...]
    timing: np.ndarray
    loud: np.ndarray
    velocity: np.ndarray
    heard: int

    def again(self) -> Run:
        """Return a playing that goes on from here by itself."""
        own = (self.timing.copy(), self.loud.copy(), self.velocity.copy())
        return Run(self.on, tuple(a.copy() for a in self.memory), *own, self.heard)

    def play(self, start: int, end: int, noise: np.ndarray) -> Run:
        """Play the score's hits from ``start`` to ``end`` and return this playing."""
        first, last = (self.heard + start if start else 0), self.heard + end
        self.on(first, last, noise, self.memory, self.timing, self.loud, self.velocity)
        return self

    def played(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (timing in ms, velocity) of the score's hits."""
        own = slice(self.heard, None)
        return self.timing[own] * TIMING_UNIT_MS, self.velocity[own].astype(np.float64)


@dataclass(frozen=True, eq=False)
class Judge:
    """Who says which playing is the least synthetic.

    Parameters
    ----------
    trees : BoostedTrees
    hits : Hits
    pitch : ndarray [shape=(n,)]
    instrument : ndarray of str [shape=(n,)]
    metre : Metre
    """

    trees: BoostedTrees
    hits: Hits
    pitch: np.ndarray
    instrument: np.ndarray
    metre: Metre

    def best(self, runs: Sequence[Run], start: int, end: int) -> Run:
        """Return the playing whose hits from ``start`` to ``end`` look the least synthetic, the first of equals."""
        if len(runs) == 1 or end - start < WINDOW:
            return runs[0]
        windows = windows_of([self._as_measured(run, start, end) for run in runs], "drums")
        score = self.trees.score(windows.values)
        mean = np.bincount(windows.take, score, len(runs)) / np.bincount(windows.take, minlength=len(runs))
        return runs[int(np.argmin(np.round(mean, _DIGITS)))]

    def _as_measured(self, run: Run, start: int, end: int) -> Deviations:
        timing_ms, velocity = (x[start:end] for x in run.played())
        hits, n = self.hits.part(start, end), end - start
        onset_s = hits.onset_s + timing_ms / 1000.0
        rows = DeviationNotes.build(
            label=np.full(n, "match"),
            channel=np.full(n, 9),
            reference_beat=hits.beat,
            reference_onset_s=hits.onset_s,
            reference_pitch=self.pitch[start:end],
            pitch=self.pitch[start:end],
            instrument=self.instrument[start:end],
            onset_s=onset_s,
            duration_s=np.full(n, 0.05),
            timing_ms=timing_ms,
            velocity=velocity,
        )
        beat, first = np.unique(hits.beat, return_index=True)
        time_s = hits.onset_s[first]
        # In a file of several sequences, each with its own clock, a later place may be an earlier moment.
        later = np.diff(np.maximum.accumulate(time_s), prepend=-np.inf) > 0.0
        clock = Timeline(beat[later], time_s[later]) if later.sum() > 1 else Timeline.constant(120.0)
        reference = {"kind": "click", "metre": self.metre.to_list(), "tempo_map": clock.to_dict()}
        return Deviations(notes=rows, reference=reference)


def judge_of(arrays: Mapping[str, np.ndarray], keep_accents: bool) -> BoostedTrees | None:
    """Return the trees that lie beside a network; None where there are none.

    Raises
    ------
    TakeprintError
        Where they are damaged.
    """
    name = "kept" if keep_accents else "judge"
    found = {n: arrays[f"{name}_{n}"] for n in NAMES if f"{name}_{n}" in arrays}
    if not found:
        return None
    trees = BoostedTrees.read(found, _n_features())
    if trees is None:
        raise TakeprintError(
            f"the network's arrays {name}_… are damaged or do not fit each other",
            rule="a judge is a list of trees over the features of windows",
            remedy="take the profile from where it came from again, or use player='parametric'",
        )
    return trees


@cache
def _n_features() -> int:
    return len(windows_of([], "drums").names)


def choices(n: int) -> tuple[int, int]:
    """Return how many first and later stretches are played of a part of ``n`` hits."""
    many = max(_MOST_PLAYED // max(n, 1), 1)
    return min(_FIRST_CHOICE, many), min(_LATER_CHOICE, many)


def stretches(n: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the stretches of ``n`` hits; none but the only one is shorter than a window."""
    start = 0
    while start < n:
        end = start + (_LATER if start else _FIRST)
        end = n if n - end < WINDOW else end
        yield start, end
        start = end


def chosen(begun: Sequence[Run], judge: Judge, noise: Sequence[np.ndarray], later: int) -> Run:
    """Play all hits, stretch by stretch, and return the playing.

    Parameters
    ----------
    begun : sequence of Run
        Candidates for the first stretch, nothing of the score played.
    judge : Judge
    noise : sequence of ndarray [shape=(n, 4)], above 0 and below 1
        As many as candidates at most.
    later : int
        Candidates of each later stretch.
    """
    best, own = begun[0], list(begun)
    for start, end in stretches(len(judge.hits)):
        runs = own if start == 0 else [best.again() for _ in range(later)]
        best = judge.best([run.play(start, end, drawn) for run, drawn in zip(runs, noise, strict=False)], start, end)
    return best
