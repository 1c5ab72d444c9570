"""The human floor: another pianist's own deviations on this pianist's curves, same score.

Conventions
-----------
Vienna 4x22, where every pianist plays both pieces. For a split of the pianists in two halves: each pianist's take gets
the note-level deviations of another one of the same half. The judge learns from one piece and one half and is asked
about the other piece and the other half. No player can be expected to do better than people.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from takeprint.analysis import realism
from takeprint.analysis.keyboard_model import played_of
from takeprint.analysis.realism_features import windows_of
from takeprint.core.deviations import Deviations

from .piano_players import rng_of, three, with_notes
from .piano_sets import PianoItem, remeasured


def transplanted(item: PianoItem, donor: PianoItem) -> Deviations:
    """Return a take with another pianist's deviations; a note the other did not play keeps its own."""
    own, other = played_of(item.deviations), played_of(donor.deviations)
    assert own is not None
    assert other is not None
    keys = {_key(b, p): i for i, (b, p) in enumerate(zip(other.written.beat, other.written.pitch, strict=True))}
    row = np.array([keys.get(_key(b, p), -1) for b, p in zip(own.written.beat, own.written.pitch, strict=True)])
    mine, theirs = three(own.y), three(other.y)
    made = np.where((row >= 0)[:, None], theirs[np.maximum(row, 0)], mine)
    return remeasured(item, with_notes(item.deviations, lambda _: made))


def _key(beat: float, pitch: float) -> tuple[float, float]:
    return round(float(beat), 3), float(pitch)


def transplant_floor(items: Sequence[PianoItem], seed: int) -> list[str]:
    """Return what a judge makes of transplants, in words, a sentence a direction."""
    pieces = sorted({i.piece for i in items if i.piece.startswith("vienna")})
    if len(pieces) != 2:
        return []
    people = sorted({i.group for i in items if i.piece in pieces})
    half = set(people[::2])
    said = []
    for train, test in (pieces, pieces[::-1]):
        sides = []
        for piece, inside in ((train, True), (test, False)):
            takes = [i for i in items if i.piece == piece and (i.group in half) == inside]
            order = rng_of("transplant", piece, seed).permutation(len(takes))
            donors = {int(a): int(b) for a, b in zip(order, np.roll(order, 1), strict=True)}
            made = [transplanted(item, takes[donors[n]]) for n, item in enumerate(takes)]
            sides.append([windows_of([i.deviations for i in takes], "keyboard"), windows_of(made, "keyboard")])
        judge = realism.train_judge(sides[0][0], sides[0][1], seed=seed)
        score = np.concatenate([judge.score(w) for w in sides[1]])
        side = np.repeat([0, 1], [len(w) for w in sides[1]])
        take = np.concatenate([w.take for w in sides[1]])
        low, high = realism.auc_bounds(score, side, take, np.random.default_rng(seed))
        energy = realism.energy_ratio(*sides[1], seed)
        said.append(
            f"another pianist's deviations on the same score, asked about {test.split(':')[1]}: "
            f"{realism.auc(score, side):.3f} [{low:.3f}, {high:.3f}], energy {energy:.2f}x"
        )
    return said
