"""What the command line chose, for every topic."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Settings:
    """``fold`` 1 is the half no one tuned on; ``only`` names sets, all where it is empty."""

    fold: int = 1
    seed: int = 0
    only: list[str] = field(default_factory=list)
    extras: bool = False


SETTINGS = Settings()
