"""What was measured once is kept in a folder, under a name made of all it depends on."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# What measures MIDI; files that judge, fit, listen or draw leave what was measured as it is.
_MEASURING = (
    *(
        f"core/{name}.py"
        for name in ("columns", "deviations", "metrical", "notes", "smf*", "take", "timeline", "match*")
    ),
    *(f"core/kernels/{name}.py" for name in ("*_path", "phase_track", "local_fit", "note_pairs", "segment*", "smf*")),
    *(f"analysis/{name}.py" for name in ("against_*", "align*", "articulation", "dynamics", "grid", "measure", "rows")),
    *(f"analysis/{name}.py" for name in ("slips", "stretches", "tempo*", "running")),
)


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
        path = self.folder / f"{what}-{name}.pickle.z"
        if path.exists():
            return pickle.loads(zlib.decompress(path.read_bytes()))
        made = make()
        spare = path.with_suffix(f".{os.getpid()}")
        spare.write_bytes(zlib.compress(pickle.dumps(made, protocol=5), 1))
        os.replace(spare, path)
        return made


def sources(*patterns: str) -> str:
    """Return a hash over the program's files that match, so that a changed program works anew."""
    total = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


@lru_cache
def measuring() -> str:
    """Return the hash of all that measures MIDI."""
    return sources(*_MEASURING)


@lru_cache
def judging() -> str:
    """Return the hash of what makes windows and judges them."""
    return sources(
        "analysis/judge.py",
        "analysis/realism_*.py",
        "analysis/window_sums.py",
        "analysis/observe.py",
        "analysis/verbatim.py",
    )


def mapped(work: Callable[[Any], Any], over: Sequence[Any], jobs: int = 1) -> list[Any]:
    """Return ``work`` of each, in order, in ``jobs`` processes."""
    if jobs <= 1 or len(over) < 2:
        return [work(one) for one in over]
    with get_context("fork").Pool(min(jobs, len(over))) as pool:
        return pool.map(work, over, chunksize=max(1, len(over) // (8 * jobs)))
