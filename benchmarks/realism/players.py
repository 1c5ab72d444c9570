"""Who plays: a register of generators by name, the guards' and ours.

A generator is fitted to G (`fit`) and plays a score of A or B (`play`). A name may carry options:
``learned:amount=0.9,blend=1``. A new player registers a maker:

    @player("mine", "what it does, for the table")
    def mine(weights=None, setting="same", rotation=0, **options): return Mine(...)

``weights`` is the file ``DIR/learned-<setting>-<rotation>.npz`` where ``--weights DIR`` is given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from takeprint.core.deviations import Deviations

from .sets import Item


class Generator(Protocol):
    """What the driver asks of a player."""

    def fit(self, items: Sequence[Item], seed: int) -> None:
        """Learn from the takes of G."""

    def play(self, item: Item, seed: int, accents: bool = False) -> Deviations:
        """Play the item's score, flat or (``accents``) with the real velocities kept."""


Maker = Callable[..., Generator]
_MAKERS: dict[str, tuple[Maker, str]] = {}


def player(name: str, says: str) -> Callable[[Maker], Maker]:
    """Register a maker of generators under a name."""

    def register(make: Maker) -> Maker:
        _MAKERS[name] = (make, says)
        return make

    return register


def names() -> dict[str, str]:
    """Return what each registered player does."""
    _registered()
    return {name: says for name, (_, says) in _MAKERS.items()}


def make(said: str, *, setting: str, rotation: int, weights: Path | None = None) -> Generator:
    """Return the generator that ``name:option=value,…`` names."""
    _registered()
    name, _, rest = said.partition(":")
    if name not in _MAKERS:
        raise SystemExit(f"no player {name!r}; there are {', '.join(_MAKERS)}")
    options: dict[str, Any] = dict(_option(part) for part in rest.split(",") if part)
    maker = _MAKERS[name][0]
    given = {"setting": setting, "rotation": rotation, "weights": None}
    if weights is not None:
        given["weights"] = weights / f"learned-{setting}-{rotation}.npz"
    wanted = inspect.signature(maker).parameters
    return maker(**{k: v for k, v in given.items() if k in wanted}, **options)


def _option(part: str) -> tuple[str, Any]:
    name, _, value = part.partition("=")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, {"true": True, "false": False, "": True}.get(value, value)


def _registered() -> None:
    from . import donors, guards, ours  # noqa: F401
