"""Does a player fitted from one take sound like that pianist? Nearer to the pianist's other take than to others'?

Conventions
-----------
Vienna 4x22: each pianist plays two pieces. A profile is fitted from a pianist's take of one piece and plays the other
piece (tempo and level curves of a third pianist, the same for all, so that only the note-level playing is compared).
The windows' features of what it plays are compared with every pianist's real take of that piece, laid on the same
curves: the energy distance to the pianist's own take has a rank among all. By chance the mean rank is in the middle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from takeprint.analysis.realism_features import windows_of

from .piano_players import Ours
from .piano_sets import PianoItem, remeasured
from .piano_transplant import transplanted

_SEEDS = 3


def run(items: Sequence[PianoItem], seed: int) -> int:
    """Print the ranks; always 0."""
    pieces = sorted({i.piece for i in items if i.piece.startswith("vienna")})
    of = {(i.piece, i.group): i for i in items if i.piece in pieces}
    people = sorted({group for _, group in of})
    print(f"nearness: {len(people)} pianists, profile from one take each, plays the other piece")
    ranks: list[int] = []
    for learned, asked in (pieces, pieces[::-1]):
        bed = of[asked, people[0]]
        real = [windows_of([transplanted(bed, of[asked, p])], "keyboard").values for p in people]
        made = []
        for person in people:
            player = Ours()
            player.fit([of[learned, person]], seed)
            takes = [remeasured(bed, player.play(bed, seed + k)) for k in range(_SEEDS)]
            made.append(windows_of(takes, "keyboard").values)
        far = _distances(made, real)
        order = np.argsort(np.argsort(far - far.mean(axis=0), axis=1), axis=1)
        own = np.diag(order) + 1
        ranks += own.tolist()
        said = f"mean rank of the own take {own.mean():.1f} of {len(people)}"
        print(
            f"  from {learned} to {asked}: {said} (by chance {(len(people) + 1) / 2:.1f}), nearest {(own == 1).sum()}"
        )
    own = np.array(ranks)
    rng = np.random.default_rng(seed)
    chance = rng.integers(1, len(people) + 1, (20_000, len(own))).mean(axis=1)
    p = float((1 + (chance <= own.mean()).sum()) / (1 + len(chance)))
    print(f"together: mean rank {own.mean():.2f}, p = {p:.4f} against chance")
    return 0


def _distances(made: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> np.ndarray:
    """Return the energy distance of each made set to each real one, over standardised features."""
    everything = np.concatenate([*real])
    known = np.isfinite(everything).any(axis=0)
    middle = np.full(everything.shape[1], np.nan)
    middle[known] = np.nanmedian(everything[:, known], axis=0)

    def filled(values: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(values), values, middle)[:, known]

    mean, sd = filled(everything).mean(axis=0), filled(everything).std(axis=0)
    sets = [
        [np.clip((filled(v) - mean) / np.where(sd > 1e-9, sd, np.inf), -4, 4) for v in side] for side in (made, real)
    ]
    out = np.empty((len(made), len(real)))
    for i, a in enumerate(sets[0]):
        for j, b in enumerate(sets[1]):
            out[i, j] = 2 * _mean(a, b) - _mean(a, a) - _mean(b, b)
    return out


def _mean(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2)).mean())
