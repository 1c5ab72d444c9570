"""What was measured once is kept in a folder, under a name made of all it depends on."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Files of analysis/ that judge or fit and never measure: a change of theirs leaves what was measured as it is.
_NOT_MEASURING = ("realism", "compare", "passages", "tells", "fit", "player_model", "observe", "ensemble", "plots")


class Cache:
    """Results in files of one folder; only the user's own folder is read, since a pickle can run code.

    Parameters
    ----------
    folder : path or None
        None: a folder of this user below the system's temporary one.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        if folder is None:
            folder = Path(tempfile.gettempdir()) / f"takeprint-realism-{os.getuid()}"
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.folder.stat().st_uid != os.getuid():
            raise SystemExit(f"{self.folder} belongs to somebody else: say --cache FOLDER")

    def of(self, what: str, key: Iterable[Any], make: Callable[[], Any]) -> Any:
        """Return what is kept under the key, or make and keep it."""
        name = hashlib.sha256("\x1f".join(str(part) for part in key).encode()).hexdigest()[:24]
        path = self.folder / f"{what}-{name}.pickle"
        if path.exists():
            return pickle.loads(path.read_bytes())
        made = make()
        spare = path.with_suffix(f".{os.getpid()}")
        spare.write_bytes(pickle.dumps(made, protocol=5))
        os.replace(spare, path)
        return made


def sources(*patterns: str, leave_out: Sequence[str] = ()) -> str:
    """Return a hash over the program's files that match, so that a changed program measures anew."""
    total = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            if not path.name.startswith(tuple(leave_out)) or not leave_out:
                total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


@lru_cache
def measuring() -> str:
    """Return the hash of all that measures MIDI."""
    return sources("core/**/*.py", "analysis/*.py", leave_out=_NOT_MEASURING)


@lru_cache
def judging() -> str:
    """Return the hash of what makes windows and features."""
    return sources("analysis/realism*.py", "analysis/passages.py", "benchmarks/realism/sets.py")


def mapped(work: Callable[[Any], Any], over: Sequence[Any], jobs: int = 1) -> list[Any]:
    """Return ``work`` of each, in order, in ``jobs`` processes."""
    if jobs <= 1 or len(over) < 2:
        return [work(one) for one in over]
    with get_context("fork").Pool(min(jobs, len(over))) as pool:
        return pool.map(work, over, chunksize=max(1, len(over) // (8 * jobs)))
