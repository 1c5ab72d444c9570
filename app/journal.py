"""The journal of a batch: what is done, so that a stopped run goes on where it stopped.

Conventions
-----------
``.takeprint-journal.jsonl`` in the output folder holds one JSON object a line, only ever appended to by the one run
that holds its lock: ``{"begun": output, "settings": hash}`` before a file is worked on, then either
``{"done": output, "settings": hash, "input": sha256, "sha256": sha256 of the output}`` or ``{"failed": output,
"settings": hash}``. A line torn by a crash is passed over. An output that was begun and neither done nor failed is
this tool's own and may be written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..core.errors import TakeprintError

NAME = ".takeprint-journal.jsonl"
_MAX_BYTES = 1_000_000_000


def settings_hash(settings: dict[str, Any]) -> str:
    """Return the SHA-256 of settings that JSON can hold, whatever the order of their names."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


class Journal:
    """The journal of one output folder, locked for one run at a time.

    Parameters
    ----------
    folder : path
        The output folder; it must exist.

    Raises
    ------
    TakeprintError
        When another run is writing into the folder, or the journal is not a regular file (on entering).
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / NAME
        self._descriptor = -1
        self._begun: set[tuple[str, str]] = set()
        self._done: dict[tuple[str, str], dict[str, str]] = {}

    def __enter__(self) -> Self:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o666)
        except OSError as wrong:
            raise TakeprintError(f"cannot open the journal ({wrong.strerror})", where=str(self.path)) from wrong
        try:
            if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                raise TakeprintError("the journal is not a regular file", where=str(self.path))
            self._lock()
            self._read()
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)  # the lock goes with it, also when the process is killed

    def _lock(self) -> None:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            else:
                import fcntl

                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as wrong:
            raise TakeprintError(
                "another run is writing into this folder",
                where=str(self.path.parent),
                rule="one batch a folder at a time",
                remedy="wait for it, or give another folder",
                code="batch.locked",
            ) from wrong

    def _read(self) -> None:
        size = os.fstat(self._descriptor).st_size
        if size > _MAX_BYTES:
            raise TakeprintError(f"the journal has {size} bytes", where=str(self.path), remedy="give another folder")
        with open(self._descriptor, "rb", closefd=False) as file:
            data = file.read()
        for line in data.splitlines():
            self._take_in(line)
        if data and not data.endswith(b"\n"):
            os.write(self._descriptor, b"\n")  # end the torn line, so that the next one stands alone

    def _take_in(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            if "begun" in entry:
                self._begun.add((str(entry["begun"]), str(entry["settings"])))
            elif "failed" in entry:
                self._begun.discard((str(entry["failed"]), str(entry["settings"])))
            else:
                key = (str(entry["done"]), str(entry["settings"]))
                self._done.setdefault(key, {})[str(entry["input"])] = str(entry["sha256"])
                self._begun.discard(key)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return

    def _append(self, entry: dict[str, str]) -> None:
        try:
            os.write(self._descriptor, json.dumps(entry).encode() + b"\n")
        except OSError as wrong:
            raise TakeprintError(f"cannot write the journal ({wrong.strerror})", where=str(self.path)) from wrong

    def known(self, output: str, settings: str) -> dict[str, str]:
        """Return ``{sha256 of an input: sha256 of the output}`` that earlier runs made of it under this name."""
        return dict(self._done.get((output, settings), {}))

    def interrupted(self, output: str, settings: str) -> bool:
        """Tell whether an earlier run was stopped while it worked on this output."""
        return (output, settings) in self._begun

    def begin(self, output: str, settings: str) -> None:
        """Note that the output is worked on from now."""
        self._append({"begun": output, "settings": settings})

    def finish(self, output: str, settings: str, input_sha256: str, output_sha256: str) -> None:
        """Note that the output is whole."""
        self._append({"done": output, "settings": settings, "input": input_sha256, "sha256": output_sha256})

    def give_up(self, output: str, settings: str) -> None:
        """Note that nothing was written."""
        self._append({"failed": output, "settings": settings})
