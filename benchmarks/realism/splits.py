"""Who fits, who trains the judge, who is judged: G, A and B, never with a take in two of them.

Conventions
-----------
A split is a tuple (G, A, B) of lists of items. Parts are made without chance: pieces (or players) in order of size,
then name, each to the part that holds fewest notes so far. ``rotation`` exchanges the parts' roles: 0, 1, 2 turn them,
3, 4, 5 turn them the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .sets import Item

Split = tuple[list[Item], list[Item], list[Item]]
LEAST_TAKES = 10
LEAST_PIECES = 3
_ROLES = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2))


def drums_same(items: Sequence[Item], rotation: int = 0) -> Split:
    """Deal each drummer's pieces to the three parts; drummers with too few takes are left out."""
    parts: list[list[Item]] = [[], [], []]
    for group in sorted({item.group for item in items}):
        own = [item for item in items if item.group == group]
        if len(own) < LEAST_TAKES or len({item.piece for item in own}) < LEAST_PIECES:
            continue
        for part, dealt in zip(parts, _dealt(own, lambda item: item.piece), strict=True):
            part.extend(dealt)
    return _turned(parts, rotation)


def drums_unseen(items: Sequence[Item], rotation: int = 0) -> Split:
    """Deal the drummers to the three parts: the three largest part company, the others fill up."""
    return _turned(_dealt(items, lambda item: item.group), rotation)


def dealt_by(items: Sequence[Item], key: Callable[[Item], str], rotation: int = 0) -> Split:
    """Deal whatever ``key`` names (a pianist, a piece) to the three parts."""
    return _turned(_dealt(items, key), rotation)


SPLITS: dict[str, Callable[[Sequence[Item], int], Split]] = {"same": drums_same, "unseen": drums_unseen}


def _dealt(items: Iterable[Item], key: Callable[[Item], str]) -> list[list[Item]]:
    bundles: dict[str, list[Item]] = {}
    for item in items:
        bundles.setdefault(key(item), []).append(item)
    size = {name: sum(len(item) for item in bundle) for name, bundle in bundles.items()}
    parts: list[list[Item]] = [[], [], []]
    held = [0, 0, 0]
    for name in sorted(bundles, key=lambda n: (-size[n], n)):
        lightest = held.index(min(held))
        parts[lightest].extend(bundles[name])
        held[lightest] += size[name]
    return parts


def _turned(parts: list[list[Item]], rotation: int) -> Split:
    if not 0 <= rotation < len(_ROLES):
        raise SystemExit(f"rotation {rotation}: rotations are 0 to {len(_ROLES) - 1}")
    ordered = [sorted(parts[i], key=lambda item: item.name) for i in _ROLES[rotation]]
    return ordered[0], ordered[1], ordered[2]
