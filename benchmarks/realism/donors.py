"""The trial's donor-and-bars players, written again from its description: what ours must come below.

Conventions
-----------
One take of G lends a target take everything: of the same player where G has one. Its metrical template (mean timing and
velocity of each voice and cell) is drawn towards that of all of G where the donor has few hits; its residuals about the
template are copied bar by bar, timing and velocity of one hit together, each note from the hit of its voice nearest in
the lent bar. ``snap`` moves velocities to the nearest that the donor played on that voice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .guards import Guard, Pool, SlotTable
from .hits import Rows, rows_of_take
from .players import player
from .sets import Item

_SHRINK = 4.0
_BAR = 1024.0  # further than any place in a bar: a bar's own hits always lie nearer than another's
_FEW = 3


class Donor(Guard):
    """Bars of one take: ``bars`` is ``random``, ``sequence`` or ``match``."""

    def __init__(self, bars: str = "sequence", snap: bool = True) -> None:
        self.bars, self.snap = bars, snap

    def learn(self, pool: Pool, items: Sequence[Item]) -> None:
        self.population = [SlotTable.of(values, pool.rows) for values in (pool.rows.timing_ms, pool.rows.velocity)]
        self.donors: list[tuple[Item, Rows]] = []
        for item in items:
            rows = rows_of_take(item)
            kept = rows.hits
            fields = {name: getattr(rows, name)[kept] for name in Rows.__dataclass_fields__ if name != "lead"}
            self.donors.append((item, Rows(lead=np.arange(len(kept)), **fields)))

    def invent(self, rows: Rows, item: Item, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        donor = self.choose(rows, item, rng)
        template = [self.template(donor, rows, which) for which in (0, 1)]
        source = self.copied(rows, donor, rng)
        timing = template[0][1] + (donor.timing_ms - template[0][0])[source]
        mean = template[1][1]
        residual = (donor.velocity - template[1][0])[source]
        return timing, mean, self.snapped(mean + residual, rows, donor) - mean if self.snap else residual

    def choose(self, rows: Rows, item: Item, rng: np.random.Generator) -> Rows:
        """Return the donor's hits: drawn from the few takes in which most of the target's places occur."""
        own = [table for other, table in self.donors if other.group == item.group]
        tables = own or [table for _, table in self.donors]
        slots = rows.slot[rows.hits]
        heard = [float(np.isin(slots, table.slot).mean()) for table in tables]
        best = np.argsort(-np.array(heard), kind="stable")[:_FEW]
        return tables[int(best[int(rng.integers(len(best)))])]

    def template(self, donor: Rows, rows: Rows, which: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the template at the donor's hits and at the target's."""
        table = self.population[which]
        values = donor.timing_ms if which == 0 else donor.velocity
        own = values - table.at(donor)[0]
        # The donor's own way, first by voice, then by place, as far as its hits carry it.
        voice_n = np.bincount(donor.voice, minlength=16)
        voice = np.bincount(donor.voice, own, minlength=16) / (voice_n + _SHRINK)
        slot, index = np.unique(donor.slot, return_inverse=True)
        n = np.bincount(index)
        place = np.bincount(index, own - voice[donor.voice]) / (n + _SHRINK)
        at = np.clip(np.searchsorted(slot, rows.slot), 0, len(slot) - 1)
        known = np.where(slot[at] == rows.slot, place[at], 0.0)
        at_donor = table.at(donor)[0] + voice[donor.voice] + place[index]
        return at_donor, table.at(rows)[0] + voice[rows.voice] + known

    def copied(self, rows: Rows, donor: Rows, rng: np.random.Generator) -> np.ndarray:
        """Return the donor's hit that each note copies."""
        lent = self.lent(rows, donor, rng)[rows.bar - rows.bar.min()]
        out = np.empty(len(rows), dtype=np.int64)
        # A twelfth of a beat is the unit of a cell.
        place, asked = donor.bar * _BAR + donor.cell / 12.0, lent * _BAR + rows.cell / 12.0
        for voice in np.unique(rows.voice):
            mine = rows.voice == voice
            theirs = np.flatnonzero(donor.voice == voice)
            if not len(theirs):
                theirs = np.arange(len(donor))
            order = theirs[np.argsort(place[theirs], kind="stable")]
            right = np.searchsorted(place[order], asked[mine])
            left, right = np.clip(right - 1, 0, len(order) - 1), np.clip(right, 0, len(order) - 1)
            nearer = np.abs(place[order[left]] - asked[mine]) <= np.abs(place[order[right]] - asked[mine])
            out[mine] = order[np.where(nearer, left, right)]
        return out

    def lent(self, rows: Rows, donor: Rows, rng: np.random.Generator) -> np.ndarray:
        """Return the donor's bar for each of the target's bars, from its first."""
        n = int(rows.bar.max() - rows.bar.min()) + 1
        heard = np.unique(donor.bar)
        if self.bars == "random":
            return heard[rng.integers(0, len(heard), n)]
        if self.bars == "sequence":
            return heard[(int(rng.integers(len(heard))) + np.arange(n)) % len(heard)]
        wanted = _patterns(rows.bar - rows.bar.min(), rows, n)
        played = _patterns(np.searchsorted(heard, donor.bar), donor, len(heard))
        alike = wanted @ played.T + 1e-3 * rng.random((n, len(heard)))
        best = np.argsort(-alike, axis=1, kind="stable")[:, :_FEW]
        return heard[best[np.arange(n), rng.integers(0, best.shape[1], n)]]

    def snapped(self, velocity: np.ndarray, rows: Rows, donor: Rows) -> np.ndarray:
        """Return the nearest velocities that the donor played on each voice."""
        out = velocity.copy()
        for voice in np.unique(rows.voice):
            mine, theirs = rows.voice == voice, donor.voice == voice
            alphabet = np.unique(donor.velocity[theirs] if theirs.any() else donor.velocity)
            right = np.clip(np.searchsorted(alphabet, velocity[mine]), 0, len(alphabet) - 1)
            left = np.maximum(right - 1, 0)
            nearer = np.abs(alphabet[left] - velocity[mine]) <= np.abs(alphabet[right] - velocity[mine])
            out[mine] = alphabet[np.where(nearer, left, right)]
        return out


def _patterns(bar: np.ndarray, rows: Rows, n: int) -> np.ndarray:
    grid = np.zeros((n, 8 * 64), dtype=np.float32)
    grid[bar, rows.voice * 64 + np.minimum(rows.cell // 3, 63)] = 1.0
    return grid / np.maximum(np.linalg.norm(grid, axis=1, keepdims=True), 1e-9)


@player("trial-i", "the trial's donor: template, bars drawn one by one")
def _trial_i() -> Donor:
    return Donor("random", snap=False)


@player("trial-i2", "the trial's donor: best-matching bars, velocities snapped")
def _trial_i2() -> Donor:
    return Donor("match")


@player("trial-i3", "the trial's donor: bars in sequence, velocities snapped")
def _trial_i3() -> Donor:
    return Donor("sequence")
