"""Adds the human trace to quantized MIDI or audio."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .disclosure import read_disclosure
    from .perform import perform
    from .render_midi import Rendered, render

__all__ = ["Rendered", "perform", "read_disclosure", "render"]

# Loaded when first asked for, so that importing the package stays light.
_HOMES = {"Rendered": "render_midi", "perform": "perform", "read_disclosure": "disclosure", "render": "render_midi"}


class _Package(ModuleType):
    """Python sets a submodule as attribute of its package: ``perform.py`` would hide the function ``perform``."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
