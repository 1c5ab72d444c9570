"""What the market does, and what the literature proposes: the generators that a strong test must tell from people.

Conventions
-----------
Each is fitted to the hits of G, all drummers together, and plays timing (ms, late positive) and velocity. Ornaments
take their hit's timing, and its velocity times a share drawn from those in G. In keep-accents mode a generator's
variation is laid on the written velocities; its own accents are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from takeprint.core.deviations import Deviations

from .hits import VOICES, Rows, dice, laid, rows_of_score, rows_of_take
from .players import player
from .sets import FLAT_VELOCITY, Item

_SHRINK = 4.0


@dataclass(frozen=True, eq=False)
class Pool:
    """The hits of many takes in one table, and what the guards read off it."""

    take: np.ndarray
    rows: Rows
    style: np.ndarray

    @classmethod
    def of(cls, items: Sequence[Item]) -> Pool:
        tables = [rows_of_take(item) for item in items]
        start = np.cumsum([0, *(len(t) for t in tables)])
        joined = {
            name: np.concatenate([getattr(t, name) for t in tables])
            for name in ("index", "bar", "cell", "moment", "voice", "beat", "timing_ms", "velocity")
        }
        lead = np.concatenate([t.lead + first for t, first in zip(tables, start, strict=False)])
        take = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
        style = np.array([item.style for item in items])[take]
        return cls(take, Rows(lead=lead, **joined), style)

    def hits(self) -> Pool:
        """Return the hits without their ornaments."""
        kept = self.rows.hits
        fields = {name: getattr(self.rows, name)[kept] for name in Rows.__dataclass_fields__ if name != "lead"}
        return Pool(self.take[kept], Rows(lead=np.arange(len(kept)), **fields), self.style[kept])

    def ornaments(self) -> tuple[np.ndarray, float]:
        """Return (velocity of each ornament as a share of its hit's, share of ornaments that come after their hit)."""
        other = np.flatnonzero(self.rows.lead != np.arange(len(self.rows)))
        if not len(other):
            return np.array([0.5]), 0.0
        hit = self.rows.lead[other]
        share = self.rows.velocity[other] / np.maximum(self.rows.velocity[hit], 1.0)
        return share, float((self.rows.beat[other] > self.rows.beat[hit]).mean())


def by_voice(values: np.ndarray, voice: np.ndarray, what: str) -> np.ndarray:
    """Return mean or sd of each voice; of all notes where a voice has fewer than 8."""
    of = np.mean if what == "mean" else np.std
    out = np.full(len(VOICES), float(of(values)))
    for code in range(len(VOICES)):
        if (voice == code).sum() >= 8:
            out[code] = float(of(values[voice == code]))
    return out


def moment_means(values: np.ndarray, take: np.ndarray, moment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (the mean of each moment, its take), in order."""
    key = take.astype(np.int64) * 10_000_000 + moment
    unique, index = np.unique(key, return_inverse=True)
    return np.bincount(index, values) / np.bincount(index), unique // 10_000_000


def lag1(values: np.ndarray, chain: np.ndarray) -> float:
    """Return the correlation of neighbours of one chain."""
    same = chain[1:] == chain[:-1]
    return float(np.corrcoef(values[1:][same], values[:-1][same])[0, 1]) if same.sum() > 8 else 0.0


def ar1(n: int, phi: float, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` values of an AR(1) process of unit variance."""
    from scipy.signal import lfilter

    if not n:
        return np.zeros(0)
    noise = rng.standard_normal(n)
    noise[1:] *= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise)


def pink(n: int, rng: np.random.Generator, beta: float = 1.0) -> np.ndarray:
    """Return ``n`` values of 1/f**beta noise of unit variance (made in the frequency domain)."""
    if n < 2:
        return rng.standard_normal(n)
    size = 2 * n
    power = np.fft.rfftfreq(size)
    power[0] = power[1]
    shape = power ** (-beta / 2)
    shape[0] = 0.0
    spectrum = shape * (rng.standard_normal(len(power)) + 1j * rng.standard_normal(len(power)))
    out = np.fft.irfft(spectrum, size)[:n]
    return (out - out.mean()) / max(out.std(), 1e-12)


class Guard:
    """A generator fitted to pooled hits; a subclass says how notes are played."""

    def fit(self, items: Sequence[Item], seed: int) -> None:
        pool = Pool.of(items)
        self.shares, self.after = pool.ornaments()
        self.learn(pool.hits(), items)

    def learn(self, pool: Pool, items: Sequence[Item]) -> None:
        """Learn from hits."""

    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (timing, velocity as the player's accents have it, what is varied on top of it) of each row."""
        raise NotImplementedError

    def play(self, item: Item, seed: int, accents: bool = False) -> Deviations:
        score = item.score(accents)
        rng = dice(type(self).__name__, item.name, seed)
        rows = rows_of_score(score)
        if not accents:
            rows = self.led(rows, rng)
        timing, mean, varied = self.invent(rows, item, rng)
        velocity = (rows.velocity if accents else mean) + varied
        if not accents:
            softer = self.shares[rng.integers(0, len(self.shares), len(rows))]
            velocity = np.where(rows.lead == np.arange(len(rows)), velocity, softer * velocity[rows.lead])
        out = np.empty((2, len(rows)))
        out[:, rows.index] = timing[rows.lead], velocity
        return laid(score, out[0], out[1])

    def led(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Let the first stroke of a flam be its hit as often as in G: strokes of one velocity do not tell."""
        first = np.full(len(rows), len(rows))
        np.minimum.at(first, rows.lead, np.arange(len(rows)))
        early = rng.random(len(rows)) < self.after
        return replace(rows, lead=np.where(early[rows.lead], first[rows.lead], rows.lead))


class Quantized(Guard):
    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        flat = np.full(len(rows), float(FLAT_VELOCITY))
        return np.zeros(len(rows)), flat, np.zeros(len(rows))


class Daw(Quantized):
    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        flat = np.full(len(rows), float(FLAT_VELOCITY))
        return rng.uniform(-10, 10, len(rows)), flat, rng.uniform(-10, 10, len(rows))


class Gaussian(Guard):
    def learn(self, pool: Pool, items: Sequence[Item]) -> None:
        rows = pool.rows
        self.timing = [by_voice(rows.timing_ms, rows.voice, what) for what in ("mean", "sd")]
        self.velocity = [by_voice(rows.velocity, rows.voice, what) for what in ("mean", "sd")]

    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        noise = rng.standard_normal((2, len(rows)))
        timing = self.timing[0][rows.voice] + noise[0] * self.timing[1][rows.voice]
        return timing, self.velocity[0][rows.voice], noise[1] * self.velocity[1][rows.voice]


class SharedClock(Gaussian):
    """AR(1): one clock for the kit, the rest of each instrument's spread white; each velocity's memory its own."""

    beta = 0.0

    def learn(self, pool: Pool, items: Sequence[Item]) -> None:
        super().learn(pool, items)
        rows = pool.rows
        centred = rows.timing_ms - self.timing[0][rows.voice]
        clock, take = moment_means(centred, pool.take, rows.moment)
        self.clock_sd, self.phi = float(clock.std()), lag1(clock, take)
        self.memory = np.zeros(len(VOICES))
        for code in range(len(VOICES)):
            own = rows.voice == code
            if own.sum() > 64:
                self.memory[code] = lag1(rows.velocity[own], pool.take[own])

    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = int(rows.moment.max()) + 1
        clock = self.clock(n, rng)[rows.moment] * self.clock_sd
        rest = np.sqrt(np.maximum(self.timing[1] ** 2 - self.clock_sd**2, 1.0))
        timing = self.timing[0][rows.voice] + clock + rest[rows.voice] * rng.standard_normal(len(rows))
        varied = self.touch(rows, rng) * self.velocity[1][rows.voice]
        return timing, self.velocity[0][rows.voice], varied

    def clock(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return ar1(n, self.phi, rng)

    def touch(self, rows: Rows, rng: np.random.Generator) -> np.ndarray:
        out = np.zeros(len(rows))
        for code in np.unique(rows.voice):
            own = rows.voice == code
            out[own] = ar1(int(own.sum()), self.memory[code], rng)
        return out


class Hennig(SharedClock):
    """1/f: clock of the kit and touch of each instrument are fractional noise."""

    def clock(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return pink(n, rng)

    def touch(self, rows: Rows, rng: np.random.Generator) -> np.ndarray:
        out = np.zeros(len(rows))
        for code in np.unique(rows.voice):
            own = rows.voice == code
            out[own] = pink(int(own.sum()), rng)
        return out


@dataclass(frozen=True, eq=False)
class SlotTable:
    """Mean and sd of each voice and cell, drawn towards the voice's where hits are few."""

    mean: dict[int, float]
    sd: dict[int, float]
    voice_mean: np.ndarray
    voice_sd: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, rows: Rows) -> SlotTable:
        voice_mean, voice_sd = (by_voice(values, rows.voice, what) for what in ("mean", "sd"))
        slot, index = np.unique(rows.slot, return_inverse=True)
        n = np.bincount(index)
        voice = slot // 4096
        mean = (np.bincount(index, values) + _SHRINK * voice_mean[voice]) / (n + _SHRINK)
        square = np.bincount(index, (values - mean[index]) ** 2)
        sd = np.sqrt((square + _SHRINK * voice_sd[voice] ** 2) / (n + _SHRINK))
        keys = slot.tolist()
        return cls(dict(zip(keys, mean, strict=True)), dict(zip(keys, sd, strict=True)), voice_mean, voice_sd)

    def at(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        slot, index = np.unique(rows.slot, return_inverse=True)
        keys, voice = slot.tolist(), slot // 4096
        mean = np.array([self.mean.get(k, self.voice_mean[v]) for k, v in zip(keys, voice, strict=True)])
        sd = np.array([self.sd.get(k, self.voice_sd[v]) for k, v in zip(keys, voice, strict=True)])
        return mean[index], sd[index]


class Template(Guard):
    """Metrical template, its residual a 1/f clock and a white rest; velocities white about their template."""

    def learn(self, pool: Pool, items: Sequence[Item]) -> None:
        rows = pool.rows
        self.timing, self.velocity = SlotTable.of(rows.timing_ms, rows), SlotTable.of(rows.velocity, rows)
        residual = rows.timing_ms - self.timing.at(rows)[0]
        clock, _ = moment_means(residual, pool.take, rows.moment)
        self.clock_sd = float(clock.std())
        self.rest = float(np.sqrt(max(residual.var() - clock.var(), 1.0)))

    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        clock = pink(int(rows.moment.max()) + 1, rng)[rows.moment] * self.clock_sd
        timing = self.timing.at(rows)[0] + clock + self.rest * rng.standard_normal(len(rows))
        mean, sd = self.velocity.at(rows)
        return timing, mean, sd * rng.standard_normal(len(rows))


class Buckets(Guard):
    """Sampling from what was heard at the same place, ordered by a shared AR(1) clock: the closest public peer's way.

    Buckets of (style, voice, sixteenth), then without style, then the voice at the same place of any beat, then the
    voice, then all; a bucket counts from 24 hits on. A smoothed draw: the quantile at the clock's rank, and a kernel.
    The kick's velocities have a memory of their own, the others' none.
    """

    least = 24
    clock_share = 0.7

    def learn(self, pool: Pool, items: Sequence[Item]) -> None:
        rows = pool.rows
        centred = rows.timing_ms - by_voice(rows.timing_ms, rows.voice, "mean")[rows.voice]
        clock, take = moment_means(centred, pool.take, rows.moment)
        self.phi = lag1(clock, take)
        kick = rows.voice == VOICES.index("kick")
        self.kick = lag1(rows.velocity[kick], pool.take[kick]) if kick.sum() > 64 else 0.3
        self.styles = {name: i for i, name in enumerate(sorted(set(pool.style.tolist())))}
        style = np.array([self.styles[s] for s in pool.style.tolist()], dtype=np.int64)
        self.buckets: list[dict[int, tuple[np.ndarray, np.ndarray]]] = []
        for key in self.keys(rows, style):
            order = np.argsort(key, kind="stable")
            edges = np.flatnonzero(np.diff(key[order], prepend=-1))
            parts = np.split(order, edges[1:])
            self.buckets.append(
                {
                    int(key[part[0]]): (np.sort(rows.timing_ms[part]), np.sort(rows.velocity[part]))
                    for part in parts
                    if len(part) >= self.least
                }
            )
        everything = np.sort(rows.timing_ms), np.sort(rows.velocity)
        self.buckets[-1].setdefault(0, everything)

    @staticmethod
    def keys(rows: Rows, style: np.ndarray) -> list[np.ndarray]:
        cell = rows.cell
        fine = rows.voice * 4096 + cell
        return [style * 1_000_000 + fine, fine, rows.voice * 12 + cell % 12, rows.voice, np.zeros_like(fine)]

    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        from scipy.stats import norm

        n = len(rows)
        clock = ar1(int(rows.moment.max()) + 1, self.phi, rng)[rows.moment]
        z = np.sqrt(self.clock_share) * clock + np.sqrt(1 - self.clock_share) * rng.standard_normal(n)
        touch = rng.standard_normal(n)
        kick = rows.voice == VOICES.index("kick")
        touch[kick] = ar1(int(kick.sum()), self.kick, rng)
        rank = norm.cdf(np.stack([z, touch]))
        kernel = rng.standard_normal((2, n))
        style = np.full(n, self.styles.get(item.style, -1), dtype=np.int64)
        keys = np.stack(self.keys(rows, style))
        timing, velocity, middle = np.empty(n), np.empty(n), np.empty(n)
        for column in np.unique(keys, axis=1).T:
            own = np.flatnonzero((keys == column[:, None]).all(axis=0))
            heard = next(b[int(k)] for b, k in zip(self.buckets, column, strict=True) if int(k) in b)
            for values, rank_of, noise, out in (
                (heard[0], rank[0], kernel[0], timing),
                (heard[1], rank[1], kernel[1], velocity),
            ):
                # Silverman's bandwidth.
                width = 0.9 * values.std() * len(values) ** -0.2
                out[own] = np.quantile(values, rank_of[own]) + width * noise[own]
            middle[own] = heard[1].mean()
        return timing, middle, velocity - middle


GUARDS = {
    "quantized": (Quantized, "the score itself"),
    "daw": (Daw, "a workstation's humanize: uniform +-10 ms, +-10 velocity"),
    "iid": (Gaussian, "independent normal noise, mean and sd of each instrument"),
    "ar1": (SharedClock, "a shared AR(1) clock, velocities AR(1) by instrument"),
    "pink": (Hennig, "1/f noise (Hennig)"),
    "template": (Template, "metrical template and 1/f residual"),
    "buckets": (Buckets, "sampling by place, AR(1) copula (the closest public peer's way)"),
}
for _name, (_kind, _says) in GUARDS.items():
    player(_name, _says)(_kind)
