"""What the command line chose, for every topic."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Settings:
    """``fold`` 1 is the half no one tuned on.

    Sets of ``seeds`` seeds from ``seed`` on are pooled; ``only`` names sets, all where it is empty.
    """

    fold: int = 1
    seed: int = 0
    seeds: int = 1
    only: list[str] = field(default_factory=list)
    extras: bool = False


SETTINGS = Settings()
