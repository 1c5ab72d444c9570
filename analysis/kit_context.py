"""What a drummer has before the eyes: the written surroundings of each hit, and the habits of a take in a few numbers.

Conventions
-----------
A *hit* is a stroke or the loudest of those that move as one with it (a flam). Hits are in order of
place in the music, then of ``CLASSES``; a *slot* is a place where one or more of them are written. Everything here is
read off the written music (``context``, ``links``) or off a take's own deviations (``habits``); timing in ms, late
positive. The numbers feed a network: they are scaled to about one, and their order is part of the weights' meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.deviations import Deviations
from ..core.metrical import cells, leaders, previous_of
from ..core.timeline import Metre

# One class a way of striking, as electronic kits send them; General MIDI's numbers are among them.
CLASSES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("kick", (35, 36)),
    ("snare", (38,)),
    ("rim", (40, 39)),
    ("stick", (37,)),
    ("tom_high", (48, 50, 60, 65)),
    ("tom_mid", (45, 47, 61, 66)),
    ("tom_low", (41, 43, 58, 64)),
    ("hat", (42, 54, 69, 70, 82)),
    ("hat_edge", (22,)),
    ("hat_open", (46, 26)),
    ("hat_pedal", (44,)),
    ("crash", (49, 57, 55, 52)),
    ("ride", (51, 59)),
    ("bell", (53, 56, 80, 81)),
)
NAMES = tuple(name for name, _ in CLASSES)
N_CLASSES = len(CLASSES)
# kick, snare, toms, hats, cymbals
GROUP = np.array([0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4])
N_GROUPS = 5
N_ASKED = 5
_PLACES = 16
N_ALIKE = N_CLASSES + N_GROUPS * _PLACES
TIMING_UNIT_MS = 20.0
VELOCITY_MIDDLE, VELOCITY_UNIT = 70.0, 32.0
_OTHER = NAMES.index("tom_high")
_SLOT_BEAT = 48.0
# What lies between a take that is listened to and the music that is played after it.
_BETWEEN_BEAT, _BETWEEN_S = 4.0, 2.0
_OF_KEY = np.full(128, _OTHER)
for _number, (_, _keys) in enumerate(CLASSES):
    _OF_KEY[list(_keys)] = _number
_OF_INSTRUMENT = {"kick": 0, "snare": 1, "tom": 5, "hat": 7, "crash": 11, "ride": 12, "clap": 2}
# What is added to a mean step of velocity before its logarithm is taken.
_LEAST_STEP = 0.03
_PHASES = (0, 3, 4, 6, 8, 9)
_N_POSITIONS = 4


def class_of(pitch: np.ndarray, instrument: np.ndarray) -> np.ndarray:
    """Return each hit's number in ``CLASSES``: by its MIDI key, where there is none by the instrument's name."""
    known = np.isfinite(pitch)
    out = _OF_KEY[np.clip(np.where(known, pitch, 0), 0, 127).astype(np.int64)]
    if not known.all():
        named = np.array([_OF_INSTRUMENT.get(str(name), _OTHER) for name in instrument[~known]], dtype=np.int64)
        out[~known] = named
    return out


@dataclass(frozen=True, eq=False)
class Hits:
    """The hits of a kit as written, in playing order.

    Parameters
    ----------
    row : ndarray of int64 [shape=(n,)]
        Row of each hit in what was given.
    beat, onset_s : ndarray [shape=(n,)]
    kind : ndarray of int64 [shape=(n,)]
        Number in ``CLASSES``.
    slot : ndarray of int64 [shape=(n,)]
        Counted from 0.
    bar, cell : ndarray of int64 [shape=(n,)]
    beat_in_bar, bar_beats : ndarray [shape=(n,)]
    """

    row: np.ndarray
    beat: np.ndarray
    onset_s: np.ndarray
    kind: np.ndarray
    slot: np.ndarray
    bar: np.ndarray
    cell: np.ndarray
    beat_in_bar: np.ndarray
    bar_beats: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def part(self, start: int, end: int) -> Hits:
        """Return the hits from ``start`` up to ``end``."""
        fields = {name: getattr(self, name)[start:end] for name in self.__dataclass_fields__}
        fields["slot"] = fields["slot"] - fields["slot"][:1]
        return Hits(**fields)

    def then(self, other: Hits) -> Hits:
        """Return these hits and, from a new bar on, others."""
        if not len(self) or not len(other):
            return self if len(self) else other
        bars = int(self.bar[-1] - other.bar[0]) + 1
        # Bars keep their parity: figures are two bars long.
        bars += bars % 2
        moved = {
            "slot": other.slot + self.slot[-1] + 1,
            "bar": other.bar + bars,
            "beat": other.beat + (self.beat[-1] - other.beat[0] + _BETWEEN_BEAT),
            "onset_s": other.onset_s + (self.onset_s[-1] - other.onset_s[0] + _BETWEEN_S),
        }
        return Hits(
            **{
                n: np.concatenate([getattr(self, n), moved.get(n, getattr(other, n))])
                for n in self.__dataclass_fields__
            }
        )

    @classmethod
    def of(cls, beat: np.ndarray, onset_s: np.ndarray, kind: np.ndarray, metre: Metre) -> Hits:
        """Lay hits out in playing order."""
        grid = np.rint(beat * _SLOT_BEAT).astype(np.int64)
        row = np.lexsort((beat, kind, grid))
        bar, cell = cells(beat[row], metre)
        _, inside = metre.position(beat[row])
        return cls(
            row=row,
            beat=beat[row],
            onset_s=onset_s[row],
            kind=kind[row],
            slot=np.cumsum(np.diff(grid[row], prepend=grid[row][:1]) != 0) if len(row) else row,
            bar=bar,
            cell=cell,
            beat_in_bar=inside,
            bar_beats=metre.bar_beats_at(beat[row]),
        )


def played(deviations: Deviations, drums: np.ndarray) -> tuple[Hits, np.ndarray, np.ndarray]:
    """Return (hits, timing_ms, velocity) of what a drummer played, in playing order.

    Parameters
    ----------
    deviations : Deviations
    drums : ndarray of bool [shape=(rows,)]
        Which rows are the kit's.
    """
    rows = deviations.notes
    known = (rows.label == "match") & np.isfinite(rows.timing_ms) & np.isfinite(rows.reference_beat)
    rows = rows.rows(known & drums & np.isfinite(rows.velocity))
    onset_s = deviations.reference_timeline.seconds_at(rows.reference_beat)
    key = np.nan_to_num(rows.pitch, nan=-1.0).astype(np.int64)
    # As a score without accents has them: of a flam's strokes the last leads. It sounds as loud as the loudest.
    leader = leaders(rows.reference_beat, onset_s, np.zeros(len(rows)), key)
    loudest = np.zeros(len(rows))
    np.maximum.at(loudest, leader, rows.velocity)
    main = np.flatnonzero(leader == np.arange(len(rows)))
    kind = class_of(rows.pitch[main], rows.instrument[main])
    hits = Hits.of(rows.reference_beat[main], onset_s[main], kind, deviations.metre)
    timing_ms = rows.timing_ms[main][hits.row]
    middle = float(np.median(timing_ms)) if len(timing_ms) else 0.0
    return hits, timing_ms - middle, loudest[main][hits.row]


def links(hits: Hits) -> np.ndarray:
    """Return the rows each hit looks back at, ndarray of int64 [shape=(n, 3)], -1 = none.

    The same stroke at the same place one bar before, two bars before, and the last one at this place in a beat.
    """
    place = hits.kind * 100_000 + hits.cell
    last = previous_of(place, hits.beat)
    one = np.where((last >= 0) & (hits.bar - hits.bar[last] == 1), last, -1)
    before = np.where(last >= 0, last[last], -1)
    two = np.where((last >= 0) & (hits.bar - hits.bar[last] == 2), last, -1)
    two = np.where((before >= 0) & (hits.bar - hits.bar[before] == 2), before, two)
    phase = previous_of(hits.kind * 100 + hits.cell % 12, hits.beat)
    return np.stack([one, two, phase], axis=1).astype(np.int64)


def places(hits: Hits) -> np.ndarray:
    """Return a number per kind of stroke and place in the bar, ndarray of int64 [shape=(n,)], from 0."""
    return np.unique(hits.kind * 100_000 + hits.cell, return_inverse=True)[1].astype(np.int64)


def context(hits: Hits, tempo_bpm: np.ndarray) -> np.ndarray:
    """Return what is written around each hit, ndarray of float32 [shape=(n, k)], about -1 to 1.

    Parameters
    ----------
    hits : Hits
    tempo_bpm : ndarray [shape=(n,)]
        Written tempo at each hit.
    """
    n = len(hits)
    slot, kind = hits.slot, hits.kind
    n_slots = int(slot[-1]) + 1 if n else 0
    full = np.zeros((n_slots + 3, N_CLASSES), dtype=np.float32)
    full[slot, kind] = 1.0
    coarse = np.zeros((n_slots + 3, N_GROUPS), dtype=np.float32)
    coarse[slot, GROUP[kind]] = 1.0
    first = np.diff(slot, prepend=-1) != 0
    start = np.maximum.accumulate(np.where(first, np.arange(n), 0))
    one_hot = np.eye(N_CLASSES, dtype=np.float32)[kind]
    total = np.concatenate([np.zeros((1, N_CLASSES), dtype=np.float32), np.cumsum(one_hot, axis=0, dtype=np.float32)])
    earlier = np.minimum(total[np.arange(n)] - total[start], 1.0)
    slot_beat, slot_s = hits.beat[first], hits.onset_s[first]
    step_beat = np.diff(slot_beat, prepend=slot_beat[:1] - 4.0, append=slot_beat[-1:] + 4.0)
    step_s = np.diff(slot_s, prepend=slot_s[:1] - 2.0, append=slot_s[-1:] + 2.0)
    steps = np.stack([_log(step_beat[slot]), _log(step_beat[slot + 1]), _log(step_s[slot]), _log(step_s[slot + 1])], 1)
    before = previous_of(kind, hits.beat)
    gap = np.where(before >= 0, hits.onset_s - hits.onset_s[before], 4.0)
    gap_after = np.full(n, 4.0)
    gap_after[before[before >= 0]] = gap[before >= 0]
    columns = [
        one_hot,
        full[slot],
        earlier,
        coarse[np.maximum(slot - 1, -1)] * (slot > 0)[:, None],
        coarse[slot + 1],
        coarse[slot + 2],
        steps,
        np.stack([_log(gap), _log(gap_after)], axis=1),
        _metrical(hits),
        _surroundings(hits, before, gap),
        np.log2(np.clip(tempo_bpm, 20.0, 400.0) / 110.0)[:, None],
        first[:, None],
    ]
    told = np.concatenate([np.asarray(c, dtype=np.float64) for c in columns], axis=1)
    # Logarithms differ in their last bit from machine to machine: a step of 1/1024 hides it.
    return np.ascontiguousarray(np.round(told * 1024.0) / 1024.0, dtype=np.float32)


def asked(hits: Hits, velocity: np.ndarray | None) -> np.ndarray:
    """Return what is asked of each hit's loudness, ndarray of float32 [shape=(n, N_ASKED)]; all 0 where nothing is.

    That something is asked, the velocity asked for, how it lies over what is asked of this class in the mean, of the
    stroke of its class before and of the one after.

    Parameters
    ----------
    hits : Hits
    velocity : ndarray [shape=(n,)] or None
        The accents to keep; None: the drummer's own are wanted.
    """
    out = np.zeros((len(hits), N_ASKED), dtype=np.float32)
    if velocity is None or not len(hits):
        return out
    kind = hits.kind
    loud = (velocity - VELOCITY_MIDDLE) / VELOCITY_UNIT
    usual = np.bincount(kind, loud, N_CLASSES) / np.maximum(np.bincount(kind, minlength=N_CLASSES), 1)
    before = previous_of(kind, hits.beat)
    over = np.where(before >= 0, loud - loud[before], 0.0)
    after = np.zeros(len(hits))
    after[before[before >= 0]] = over[before >= 0]
    told = np.stack([np.ones(len(hits)), loud, loud - usual[kind], over, after], axis=1)
    return np.ascontiguousarray(np.round(told * 1024.0) / 1024.0, dtype=np.float32)


def _log(x: np.ndarray) -> np.ndarray:
    return np.log2(np.clip(x, 1.0 / 32.0, 4.0)) / 2.0


def _metrical(hits: Hits) -> np.ndarray:
    phase = hits.cell % 12
    in_beat = np.floor(hits.cell / 12.0)
    columns = [phase == p for p in _PHASES]
    columns += [in_beat == b for b in range(_N_POSITIONS)]
    columns += [
        in_beat >= np.ceil(hits.bar_beats) - 1,
        hits.bar % 2 == 1,
        hits.bar % 4 == 3,
        np.clip(hits.beat_in_bar * 12.0 - hits.cell, -1.0, 1.0),
        np.abs(hits.bar_beats - 4.0) > 0.01,
        np.tanh(hits.bar / 16.0),
    ]
    return np.stack([np.asarray(c, dtype=np.float32) for c in columns], axis=1)


def _surroundings(hits: Hits, before: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Return density, the bar's toms and class counts, a crash at the next bar's start, and the run so far."""
    n = len(hits)
    line = hits.onset_s
    density = np.searchsorted(line, line + 0.5, side="right") - np.searchsorted(line, line - 0.5, side="left")
    behind = np.arange(n) - np.searchsorted(line, line - 1.0, side="left")
    # Bars with hits, counted in a row: a score may rest for years.
    heard, bar = np.unique(hits.bar, return_inverse=True)
    bars = len(heard)
    toms = np.bincount(bar, GROUP[hits.kind] == 2, minlength=bars)
    everything = np.bincount(bar, minlength=bars)
    alike = np.zeros((bars, N_CLASSES))
    np.add.at(alike, (bar, hits.kind), 1.0)
    crash = np.bincount(bar, (hits.kind == NAMES.index("crash")) & (hits.cell == 0), minlength=bars) > 0
    crash_next = np.append(crash[1:], False) & np.append(np.diff(heard) == 1, False)
    run = np.zeros(n)
    for i in range(n):  # a run: strokes of one class within a quarter of a second of each other
        if before[i] >= 0 and gap[i] < 0.25:
            run[i] = run[before[i]] + 1.0
    return np.stack(
        [
            density / 12.0,
            behind / 12.0,
            toms[bar] / everything[bar],
            np.log1p(alike[bar, hits.kind]) / 3.0,
            crash_next[bar],
            crash[bar],
            np.log1p(run) / 3.0,
        ],
        axis=1,
    ).astype(np.float32)


# ------------------------------------------------------------------ habits

HABITS_A_CLASS = 11
N_HABITS = N_CLASSES * HABITS_A_CLASS + 12
# Where the share of strokes at full scale stands.
FULL_SCALE = N_CLASSES * HABITS_A_CLASS + 9


def alike(hits: Hits, velocity: np.ndarray) -> np.ndarray:
    """Return what a take is made of, ndarray [shape=(N_ALIKE,)]: shares of the classes, then of groups and places.

    A place is a sixteenth of a bar of four beats; longer bars wrap round. There a stroke counts as much as it sounds: a
    backbeat and a ghost note at one place are not alike.
    """
    kinds = np.bincount(hits.kind, minlength=N_CLASSES) / max(len(hits), 1)
    places = GROUP[hits.kind] * _PLACES + hits.cell // 3 % _PLACES
    loud = np.bincount(places, velocity, minlength=N_GROUPS * _PLACES)
    return np.concatenate([kinds, loud / max(float(velocity.sum()), 1.0)])


def habits(hits: Hits, timing_ms: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return a take's habits, ndarray of float32 [shape=(N_HABITS,)].

    Per class: mean and sd of velocity, mean and sd of timing, the velocity's difference between on-beats and
    sixteenth off-beats and between on-beats and eighth off-beats, its mean step from stroke to stroke and to the same
    place a bar before with the logarithms of both, and how much of it there is (0: none, and the others
    are 0 too). Then for the kit: sd of the slots' timing, its lag-1 and lag-4 autocorrelation, spread inside slots,
    slow wander, and velocity steps to the same place a bar before.

    Parameters
    ----------
    hits : Hits
    timing_ms, velocity : ndarray [shape=(n,)]
        In the order of ``hits``; the timing's median need not be zero.
    """
    timing = (timing_ms - np.median(timing_ms)) / TIMING_UNIT_MS
    loud = (velocity - VELOCITY_MIDDLE) / VELOCITY_UNIT
    out = np.zeros(N_HABITS, dtype=np.float32)
    table = class_habits(out)
    one = links(hits)[:, 0]
    phase = hits.cell % 12
    for c in np.unique(hits.kind):
        rows = hits.kind == c
        own = np.flatnonzero(rows)
        n = len(own)
        weight = n / (n + 3.0)
        t, v = timing[rows], loud[rows]
        sixteenth = np.isin(phase[rows], (3, 9, 4, 8))
        eighth = phase[rows] == 6
        on = phase[rows] == 0
        steps = (
            _step(loud, rows, own[np.maximum(np.cumsum(rows) - 2, 0)], n),
            _step(loud, rows & (one >= 0), one, int((rows & (one >= 0)).sum())),
        )
        table[c] = (
            v.mean() * weight,
            v.std() * weight,
            np.clip(t.mean(), -3, 3) * weight,
            np.clip(t.std(), 0, 3) * weight,
            _difference(v, sixteenth, on),
            _difference(v, eighth, on),
            *steps,
            *(0.5 * np.log(step + _LEAST_STEP) for step in steps),
            np.log1p(n) / 5.0,
        )
    out[N_CLASSES * HABITS_A_CLASS :] = _kit_habits(hits, timing, loud)
    return out


def class_habits(values: np.ndarray) -> np.ndarray:
    """Return the part of ``habits`` that is told by class, ndarray [shape=(classes, HABITS_A_CLASS)]."""
    return values[: N_CLASSES * HABITS_A_CLASS].reshape(N_CLASSES, HABITS_A_CLASS)


def _step(loud: np.ndarray, rows: np.ndarray, before: np.ndarray, n: int) -> float:
    return float(np.abs(loud[rows] - loud[before[rows]]).sum() / (n + 3.0))


def _difference(v: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    n = min(int(one.sum()), int(other.sum()))
    return float((v[one].mean() - v[other].mean()) * n / (n + 3.0)) if n else 0.0


def _kit_habits(hits: Hits, timing: np.ndarray, loud: np.ndarray) -> np.ndarray:
    count = np.bincount(hits.slot)
    mean = np.bincount(hits.slot, timing) / count
    inside = timing - mean[hits.slot]
    together = count[hits.slot] > 1
    own = mean - mean.mean()
    power = max(float((own**2).mean()), 1e-6)
    slow = np.convolve(own, np.full(16, 1 / 16.0), mode="same") if len(own) >= 16 else own
    one = links(hits)[:, 0]
    has = one >= 0
    phase = hits.cell[np.flatnonzero(np.diff(hits.slot, prepend=-1))] % 12
    odd, eighth, on = np.isin(phase, (3, 9, 4, 8)), phase == 6, phase == 0
    return np.array([
        min(np.sqrt(power), 3.0),
        _acf(own, 1, power),
        _acf(own, 4, power),
        min(float(inside[together].std()), 3.0) if together.any() else 0.0,
        min(float(slow.std()), 3.0),
        float(np.abs(loud[has] - loud[one[has]]).mean()) if has.any() else 0.5,
        float(np.abs(timing[has] - timing[one[has]]).mean()) if has.any() else 0.8,
        np.clip(_difference(mean, odd, on), -3, 3),
        np.clip(_difference(mean, eighth, on), -3, 3),
        float((loud >= (126.5 - VELOCITY_MIDDLE) / VELOCITY_UNIT).mean()),
        float(loud.std()),
        _acf(loud - loud.mean(), 1, max(float(loud.var()), 1e-6)),
    ])  # fmt: skip


def _acf(x: np.ndarray, lag: int, power: float) -> float:
    return float((x[lag:] * x[:-lag]).mean() / power) if len(x) > 4 * lag else 0.0
