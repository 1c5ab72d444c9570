"""Keep the repository's root off ``sys.path``: ``import humanize`` must find PyPI's package, never our folder."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _ROOT]
