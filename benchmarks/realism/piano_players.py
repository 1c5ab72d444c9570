"""Generators for piano: jitter, the trial's players re-implemented, another pianist's own deviations, and ours.

Conventions
-----------
A generator is fitted to the takes of G and plays a score along a real take's tempo and level curves: what is invented
is each note's timing against the curve, its velocity against the level and its length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from takeprint.analysis import fit
from takeprint.analysis.boosting import Boosting, fit_tables
from takeprint.analysis.dynamics import level_at
from takeprint.analysis.keyboard_model import keyboard_arrays, played_of
from takeprint.core.boosted_tables import BoostedTables
from takeprint.core.deviations import Deviations, LevelCurve, TempoCurve
from takeprint.core.written_context import NAMES, Written, context_of
from takeprint.humanize import perform
from takeprint.humanize.players import keyboard
from takeprint.humanize.players.part import Dice
from takeprint.humanize.players.shaping import invent_shape

from .piano_sets import PianoItem


def rng_of(*names: object) -> np.random.Generator:
    """Return random numbers that belong to the names alone."""
    key = "\x1f".join(map(str, names)).encode()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()[:8], "big"))


class Generator:
    """Fitted to G, plays a score."""

    def fit(self, items: Sequence[PianoItem], seed: int = 0) -> None:
        """Learn from the takes of G."""

    def invent(self, item: PianoItem, written: Written, seed: int) -> np.ndarray:
        """Return timing (ms), velocity against the level and log2 of the length [shape=(n, 3)]."""
        raise NotImplementedError

    def play(self, item: PianoItem, seed: int) -> Deviations:
        """Return the take with its note-level deviations replaced by invented ones."""
        return with_notes(item.deviations, lambda written: self.invent(item, written, seed))


def ordered(d: Deviations) -> np.ndarray:
    """Return the rows that ``played_of`` takes, in its order."""
    notes = d.notes
    good = (notes.label == "match") & (notes.ornament == "")
    for column in (notes.timing_ms, notes.reference_beat, notes.reference_duration_beat, notes.dynamics_velocity):
        good &= np.isfinite(column)
    rows = np.flatnonzero(good)
    return rows[np.lexsort((notes.reference_pitch[rows], notes.reference_beat[rows]))]


def with_notes(d: Deviations, invent) -> Deviations:  # type: ignore[no-untyped-def]
    """Return the take with invented notes on its own curves."""
    played = played_of(d)
    assert played is not None
    rows = ordered(d)
    notes = d.notes.rows(rows)
    made = invent(played.written)
    basis = d.basis
    beat, length = notes.reference_beat, notes.reference_duration_beat
    onset_s = basis.seconds_at(beat) + made[:, 0] / 1000.0
    plain_s = basis.seconds_at(beat + length) - basis.seconds_at(beat)
    return d.replace(
        notes=notes.replace(
            onset_s=onset_s,
            duration_s=plain_s * 2.0 ** made[:, 2],
            velocity=np.clip(np.rint(level_at(d.level, onset_s) + made[:, 1]), 1, 127),
            timing_ms=made[:, 0],
            dynamics_velocity=made[:, 1],
            articulation_log2=made[:, 2],
        ),
        slips=(),
    )


class Quantized(Generator):
    """The curves alone."""

    def invent(self, item: PianoItem, written: Written, seed: int) -> np.ndarray:
        return np.zeros((len(written), 3))


class Gaussian(Generator):
    """Independent normal numbers with the sds of G."""

    def fit(self, items: Sequence[PianoItem], seed: int = 0) -> None:
        y = three(np.concatenate([p.y for p in map(played_of, (i.deviations for i in items)) if p is not None]))
        self.mean, self.sd = y.mean(axis=0), y.std(axis=0)

    def invent(self, item: PianoItem, written: Written, seed: int) -> np.ndarray:
        return self.mean + self.sd * rng_of("gaussian", item.name, seed).standard_normal((len(written), 3))


class Hennig(Gaussian):
    """1/f noise a channel."""

    def invent(self, item: PianoItem, written: Written, seed: int) -> np.ndarray:
        from .guards import pink

        rng = rng_of("hennig", item.name, seed)
        return self.mean + self.sd * np.stack([pink(len(written), rng) for _ in range(3)], axis=1)


def three(y: np.ndarray) -> np.ndarray:
    return np.stack([y[:, 0] + y[:, 1], y[:, 2], y[:, 3]], axis=1)


_MOTIF = ("step_before", "step_after", "length", "from_top", "size", "own_step_before", "strength")
_MOTIF_UNITS = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 1.5])


class TrialMotif(Generator):
    """The trial's j8 and k8: cross-fitted mean, and what is left in blocks of 8 notes from one pianist of G.

    Of ``standardised`` (k8) what is left is divided by its conditional size. A block is drawn among the ``best`` that
    are most alike in rhythm, chord and melody. Means and sizes are boosted tables: on this data as good as the trial's
    trees.
    """

    block = 8
    best = 20

    def __init__(self, *, standardised: bool) -> None:
        self.standardised = standardised

    def fit(self, items: Sequence[PianoItem], seed: int = 0) -> None:
        played = [played_of(item.deviations) for item in items]
        x = np.concatenate([p.context for p in played])
        y = three(np.concatenate([p.y for p in played]))
        pieces = {piece: i for i, piece in enumerate(dict.fromkeys(item.piece for item in items))}
        fold = np.repeat([pieces[item.piece] % 4 for item in items], [len(p.y) for p in played])
        rng = np.random.default_rng([seed, 8])
        self.mean: list[BoostedTables] = []
        self.size: list[BoostedTables] = []
        left = np.empty_like(y)
        for c in range(3):
            self.mean.append(fit_tables(x, y[:, c], rng))
            left[:, c] = y[:, c] - _crossed(x, y[:, c], fold, rng, Boosting())
            usual = left[:, c].std()
            target = np.log(np.abs(left[:, c]) / usual + 0.15)
            how = Boosting(rounds=60, depth=3, shrink=40.0)
            size, scale = fit_tables(x, target, rng, how), np.exp(_crossed(x, target, fold, rng, how))
            again = np.sqrt(np.mean((left[:, c] / scale) ** 2))
            self.size.append(BoostedTables(size.mean + np.log(again), size.column, size.threshold, size.value))
            if self.standardised:
                left[:, c] /= again * scale
        self.by_group: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        start = 0
        pools: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        for item, p in zip(items, played, strict=True):
            motif, rows = _motifs(p.context, self.block)
            pools.setdefault(item.group, []).append((motif, rows + start))
            start += len(p.y)
        for group, parts in pools.items():
            self.by_group[group] = (np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts]))
        self.left = left

    def invent(self, item: PianoItem, written: Written, seed: int) -> np.ndarray:
        rng = rng_of("motif", item.name, seed)
        group = sorted(self.by_group)[int(rng.integers(len(self.by_group)))]
        motif, start = self.by_group[group]
        context = context_of(written)
        n = len(written)
        left = np.empty((n, 3))
        wanted, first = _motifs(np.concatenate([context, context[-1:].repeat(self.block, axis=0)]), self.block)
        for at in range(0, n, self.block):
            far = ((motif - wanted[first == at]) ** 2).sum(axis=1)
            near = np.argpartition(far, min(self.best, len(far) - 1))[: self.best]
            row = int(start[near[int(rng.integers(len(near)))]])
            count = min(self.block, n - at)
            left[at : at + count] = self.left[row : row + count]
        out = np.empty((n, 3))
        for c in range(3):
            scale = np.exp(self.size[c](context)) if self.standardised else 1.0
            out[:, c] = self.mean[c](context) + scale * left[:, c]
        return out


def _motifs(context: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    columns = context[:, [NAMES.index(name) for name in _MOTIF]] / _MOTIF_UNITS
    first = np.arange(max(len(columns) - block + 1, 0))
    return columns[first[:, None] + np.arange(block)].reshape(len(first), -1), first


def _crossed(x: np.ndarray, y: np.ndarray, fold: np.ndarray, rng: np.random.Generator, how: Boosting) -> np.ndarray:
    out = np.empty(len(y))
    for number in np.unique(fold):
        out[fold == number] = fit_tables(x[fold != number], y[fold != number], rng, how)(x[fold == number])
    return out


class Ours(Generator):
    """``humanize.players.keyboard`` fitted by ``analysis.keyboard_model``; an ablation leaves the memory out."""

    def __init__(self, how: keyboard.Choosing | None = None, *, memory: bool = True) -> None:
        self.how = how
        self.memory = memory

    def fit(self, items: Sequence[PianoItem], seed: int = 0) -> None:
        self.arrays = keyboard_arrays([item.deviations for item in items], seed, memory=self.memory)

    def invent(self, item: PianoItem, written: Written, seed: int) -> np.ndarray:
        return three(keyboard.invent(self.arrays, written, Dice(seed, item.name, "piano"), None, self.how))


class Shuffled(Ours):
    """An ablation: each moment copied from anywhere, no stretches."""

    def __init__(self) -> None:
        super().__init__(keyboard.Choosing(stride=1, ahead=1, seam=0.0))


class Partly(Ours):
    """Between ours and free: of tempo and level one is the real take's, the other invented."""

    def __init__(self, *, tempo: bool, level: bool) -> None:
        super().__init__()
        self.tempo = tempo
        self.level = level

    def fit(self, items: Sequence[PianoItem], seed: int = 0) -> None:
        self.profile = fit([item.deviations for item in items], name="G", kind="keyboard")
        self.arrays = dict(self.profile.arrays)

    def play(self, item: PianoItem, seed: int) -> Deviations:
        d = item.deviations
        dice = Dice(seed, item.name, "piano")
        played = played_of(d)
        assert played is not None
        real, clock = d.basis, d.reference_timeline
        onset_s, bpm = clock.seconds_at(played.written.beat), np.full(len(played.y), item.bpm)
        flat = replace(played.written, onset_s=onset_s, bpm=bpm)
        takes = keyboard.fitting_takes(self.arrays, flat, dice)
        shape = invent_shape(self.profile, flat, clock, takes, Dice(seed, item.name, "shape"))
        assert shape is not None
        basis = shape.curve if self.tempo else real
        # The level belongs to the music, not to the clock.
        beat = real.beats_at(d.level.time_s)
        level = shape.usual_level + shape.level_at(beat) if self.level else d.level.level
        bpm = 60.0 * np.diff(basis.beat) / np.diff(basis.time_s)
        tempo = TempoCurve(beat=basis.beat, time_s=basis.time_s, tempo_bpm=np.append(bpm, bpm[-1]))
        d = d.replace(tempo=tempo, level=LevelCurve(time_s=basis.seconds_at(beat), level=level))
        return with_notes(d, lambda written: three(keyboard.invent(self.arrays, written, dice, takes)))


class Free(Ours):
    """Everything invented, tempo and level too: ``perform`` with a profile fitted to G, on the score alone."""

    def fit(self, items: Sequence[PianoItem], seed: int = 0) -> None:
        self.profile = fit([item.deviations for item in items], name="G", kind="keyboard")

    def play(self, item: PianoItem, seed: int) -> Deviations:
        return perform(item.score, self.profile, seed=seed, keep_accents=False)
