"""One run: real takes of A and B, what a player made of their scores, and a judge trained on A and asked about B.

Conventions
-----------
``kind`` is the judge's kind of music; a column is a name and the channels of features the judge may see (None: all).
Bounds are of a bootstrap over takes; a take and what was played on its score are one cluster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from takeprint.analysis import realism
from takeprint.analysis.realism_features import Windows, windows_of
from takeprint.analysis.verbatim import verbatim_blocks
from takeprint.core.deviations import Deviations
from takeprint.humanize import render

from .cache import Cache, judging, mapped, measuring, sources
from .figures import statistics_of
from .hits import dice
from .sets import Item, measured

COLUMNS: dict[str, tuple[str, ...] | None] = {
    "all": None,
    "timing": ("timing", "context"),
    "velocity": ("velocity", "context"),
}
Remeasure = Callable[[Any, Deviations, bool], Deviations]


def remeasured(item: Item, made: Deviations, accents: bool) -> Deviations:
    """Render to a file's bytes and measure these as the real take was."""
    return measured(render(item.score(accents), made).data, item.name)


def evenly(count: int, most: int) -> np.ndarray:
    """Return at most so many of the numbers below ``count``, evenly over them."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def thinned(windows: Windows, per_take: int) -> Windows:
    """Keep at most ``per_take`` windows a take, evenly over the take, so that no long take rules."""
    own = (np.flatnonzero(windows.take == take) for take in np.unique(windows.take))
    kept = [rows[evenly(len(rows), per_take)] for rows in own]
    return windows.rows(np.concatenate(kept)) if kept else windows


@dataclass(frozen=True, eq=False)
class Played:
    """What a generator made of the scores of A and B.

    Parameters
    ----------
    takes : (deviations of A, deviations of B), measured again after rendering
    seconds : float
        For fitting, playing, rendering and measuring all.
    """

    takes: tuple[list[Deviations], list[Deviations]]
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """One player's figures.

    Parameters
    ----------
    auc : a column's AUC and its bounds
    energy : energy distance over that of halves of the real takes
    copied : share of blocks of 8 notes that are in G to the tick, velocities too
    tells : what told it, in words
    """

    auc: dict[str, tuple[float, float, float]]
    energy: float
    copied: float
    tells: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Bench:
    """A split with all that is needed to judge players on it."""

    split: tuple[list[Any], list[Any], list[Any]]
    kind: str
    seed: int = 0
    jobs: int = 1
    cache: Cache | None = None
    accents: bool = False
    per_take: int = 40
    remeasure: Remeasure = remeasured
    columns: dict[str, tuple[str, ...] | None] = field(default_factory=lambda: dict(COLUMNS))

    def __post_init__(self) -> None:
        self.real = tuple(self.thinned(windows_of([i.deviations for i in part], self.kind)) for part in self.split[1:])

    def thinned(self, windows: Windows) -> Windows:
        """Keep at most ``per_take`` windows a take."""
        return thinned(windows, self.per_take)

    # ------------------------------------------------------------ playing

    def played(self, name: str, make: Callable[[], Any], depends: Sequence[Any] = ()) -> Played:
        """Return what a player makes of A and B; kept in the cache under all that it ``depends`` on."""
        if self.cache is None:
            return self._play(make())
        return self.cache.of("played", self.key(name, depends), lambda: self._play(make()))

    def key(self, name: str, depends: Sequence[Any] = ()) -> tuple[Any, ...]:
        """Return what a player's windows depend on."""
        items = [(item.name, item.deviations.take.get("sha256"), len(item)) for part in self.split for item in part]
        program = (measuring(), _program())
        return (name, self.kind, self.seed, self.accents, self.per_take, items, *program, *depends)

    def _play(self, generator: Any) -> Played:
        start = time.perf_counter()
        generator.fit(self.split[0], self.seed)

        def work(item: Any) -> Deviations:
            made = generator.play(item, self.seed, True) if self.accents else generator.play(item, self.seed)
            return self.remeasure(item, made, self.accents)

        _WORK["now"] = work
        takes = [mapped(_call, part, self.jobs) for part in self.split[1:]]
        return Played((takes[0], takes[1]), time.perf_counter() - start)

    def statistics(self, played: Played) -> np.ndarray:
        """Return the figures of each made take of B."""
        return np.array([statistics_of(d) for d in played.takes[1]])

    # ------------------------------------------------------------ judging

    def judged(self, name: str, played: Played, depends: Sequence[Any] = ()) -> Verdict:
        """Train a judge on A and ask it about B, a column at a time."""
        if self.cache is None:
            return self._judge(played)
        key = (*self.key(name, depends), judging(), sorted(self.columns))
        return self.cache.of("verdict", key, lambda: self._judge(played))

    def _judge(self, played: Played) -> Verdict:
        found, tells = {}, []
        made = [self.thinned(windows_of(part, self.kind)) for part in played.takes]
        for column, channels in self.columns.items():
            judge, found[column] = self._auc(self.real[0], made[0], self.real[1], made[1], channels)
            if column == "all":
                tells = judge.told_by(self.real[1], made[1], most=16)
        found_again = verbatim_blocks([item.deviations for item in self.split[0]], played.takes[1])
        copied = (found_again["verbatim_blocks"] or 0) / max(found_again["blocks"] or 0, 1)
        energy = realism.energy_ratio(self.real[1], made[1], self.seed)
        return Verdict(found, energy, copied, tells)

    def _auc(
        self, real_a: Windows, fake_a: Windows, real_b: Windows, fake_b: Windows, channels: Sequence[str] | None = None
    ) -> tuple[realism.Judge, tuple[float, float, float]]:
        judge = realism.train_judge(real_a, fake_a, seed=self.seed, channels=channels)
        score = np.concatenate([judge.score(real_b), judge.score(fake_b)])
        side = np.repeat([0, 1], [len(real_b), len(fake_b)])
        take = np.concatenate([real_b.take, fake_b.take])
        low, high = realism.auc_bounds(score, side, take, np.random.default_rng(self.seed))
        return judge, (realism.auc(score, side), low, high)

    # ------------------------------------------------------------ floors

    def floors(self) -> tuple[list[float], list[tuple[str, str, float]]]:
        """Return (AUC of random labels, a draw each; AUC of each pair of players)."""
        if self.cache is None:
            return self.random_labels(), self.person_against_person()
        key = (*self.key("floors"), judging())
        return self.cache.of("floors", key, lambda: (self.random_labels(), self.person_against_person()))

    def random_labels(self, draws: int = 6) -> list[float]:
        """Return the AUC of real takes against real takes called invented at random."""
        found = []
        for draw in range(draws):
            sides = []
            for number, windows in enumerate(self.real):
                takes = np.unique(windows.take)
                chosen = dice("labels", self.seed, draw, number).permutation(takes)[: len(takes) // 2]
                mask = np.isin(windows.take, chosen)
                sides.append((windows.rows(~mask), windows.rows(mask)))
            found.append(self._auc(sides[0][0], sides[0][1], sides[1][0], sides[1][1])[1][0])
        return found

    def person_against_person(self, least_takes: int = 4) -> list[tuple[str, str, float]]:
        """Return the AUC of each pair of players who have takes enough in A and in B."""
        groups = [np.array([item.group for item in part]) for part in self.split[1:]]
        names = [n for n in sorted(set(groups[0])) if all((g == n).sum() >= least_takes for g in groups)]
        out = []
        for i, one in enumerate(names):
            for other in names[i + 1 :]:
                sides = [
                    windows.rows(g[windows.take] == name)
                    for windows, g in zip(self.real, groups, strict=True)
                    for name in (one, other)
                ]
                out.append((one, other, self._auc(*sides)[1][0]))
        return out


def _program() -> str:
    """Return the hash of the benchmark's own files that playing depends on."""
    return sources(*(f"benchmarks/realism/{name}.py" for name in ("sets", "hits", "guards", "donors")))


# A forked process finds here what it is to do; a function inside a function cannot be sent to it.
_WORK: dict[str, Callable[[Any], Any]] = {}


def _call(item: Any) -> Any:
    return _WORK["now"](item)
