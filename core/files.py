"""Reading and writing whole files safely.

Conventions
-----------
Only regular files are read. A written file is first a temporary file in the same folder, flushed to the disk, and then
takes its name in one step, so that a crash leaves the old file or the whole new one. An input is never an output.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from .errors import TakeprintError

Name = str | os.PathLike[str]

_BLOCK = 1 << 20  # bytes


def _said(path: Name) -> str:
    """Return a path as it is said in a message: one line, whatever its name holds."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in os.fsdecode(os.fspath(path)))


def _refuse(error: OSError, path: Name, doing: str) -> NoReturn:
    reason = error.strerror or type(error).__name__
    raise TakeprintError(f"cannot {doing} the file: {reason}", where=_said(path), code="file.os") from error


def open_regular(path: Name) -> tuple[int, os.stat_result]:
    """Open a regular file for reading without ever waiting on a pipe or a device.

    Returns
    -------
    descriptor, facts : int, os.stat_result
        The caller closes the descriptor.

    Raises
    ------
    TakeprintError
        For a missing or unreadable file, a folder, a pipe, a socket or a device.
    """
    where = _said(path)
    try:
        facts = os.stat(path)  # first: opening some devices has effects
        if stat.S_ISREG(facts.st_mode):
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
            descriptor = os.open(path, flags)
            facts = os.fstat(descriptor)
            if stat.S_ISREG(facts.st_mode):
                return descriptor, facts
            os.close(descriptor)
    except FileNotFoundError as error:
        raise TakeprintError("there is no such file", where=where, code="file.missing") from error
    except OSError as error:
        _refuse(error, path, "read")
    except ValueError as error:  # a name with a NUL character
        raise TakeprintError("this cannot be a file name", where=where, code="file.name") from error
    kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "a pipe, socket or device"
    raise TakeprintError(f"this is {kind}", where=where, rule="an input is a regular file", code="file.kind")


def read_regular(path: Name, max_bytes: int) -> bytes:
    """Return the content of a regular file.

    Parameters
    ----------
    path : str or path
    max_bytes : int
        A longer file is refused before it is read.

    Raises
    ------
    TakeprintError
        As ``open_regular``, and for a file that is too long.
    """
    descriptor, facts = open_regular(path)
    try:
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(max_bytes + 1) if facts.st_size <= max_bytes else b""
    except OSError as error:
        _refuse(error, path, "read")
    if facts.st_size > max_bytes or len(data) > max_bytes:
        raise TakeprintError(
            f"{max(facts.st_size, len(data))} bytes",
            where=_said(path),
            rule=f"a file of this kind has at most {max_bytes} bytes",
            code="file.too-long",
        )
    return data


def sha256_of(path: Name) -> str:
    """Return the SHA-256 of a regular file's bytes, in hexadecimal, read block by block."""
    digest = hashlib.sha256()
    descriptor, _ = open_regular(path)
    try:
        with os.fdopen(descriptor, "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        _refuse(error, path, "read")
    return digest.hexdigest()


def _identity(path: Name) -> tuple[int, int] | None:
    """Return what tells a file apart whatever its name (links, letter case), None when it is not there."""
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return None
    return facts.st_dev, facts.st_ino


def check_output(path: Name, *, force: bool = False, inputs: Sequence[Name] = ()) -> None:
    """Refuse an output path that is an input, or that exists without ``force``.

    Parameters
    ----------
    path : str or path
    force : bool
        Let an existing regular file be replaced.
    inputs : sequence of str or path
        Files that must not be replaced, under whatever name.

    Raises
    ------
    TakeprintError
        With code ``"file.input-is-output"``, ``"file.exists"``, ``"file.kind"`` or ``"file.no-folder"``.
    """
    where = _said(path)
    there = _identity(path)
    real = os.path.realpath(path)
    for source in inputs:
        if os.path.realpath(source) == real or (there is not None and there == _identity(source)):
            raise TakeprintError(
                "this output is an input",
                where=where,
                rule="an input is never replaced",
                remedy="give another output name",
                code="file.input-is-output",
            )
    if not os.path.lexists(path):
        folder = os.path.dirname(real)
        if not os.path.isdir(folder):
            raise TakeprintError(
                f"there is no folder {_said(os.path.dirname(os.fspath(path)))}",
                where=where,
                remedy="make it first, or give another output name",
                code="file.no-folder",
            )
        return
    if not os.path.isfile(path):
        raise TakeprintError(
            "something that is not a regular file has this name",
            where=where,
            remedy="give another output name",
            code="file.kind",
        )
    if not force:
        raise TakeprintError(
            "the output is already there",
            where=where,
            remedy="give another name, or --force to replace it",
            code="file.exists",
        )


def write_atomic(path: Name, data: bytes, *, force: bool = False, inputs: Sequence[Name] = ()) -> None:
    """Write a file so that its name holds the old content or the whole new one at any moment.

    Parameters
    ----------
    path : str or path
    data : bytes
    force : bool
        Let an existing file be replaced.
    inputs : sequence of str or path
        Files that must not be replaced; see ``check_output``.

    Raises
    ------
    TakeprintError
        As ``check_output``, and when the folder cannot be written or the disk is full; no temporary file is left then.
    """
    _fill({path: lambda file: file.write(data)}, force, inputs)


def write_together(contents: Mapping[Any, bytes], *, force: bool = False) -> None:
    """Write files that belong together: none takes its name before all are whole on the disk.

    A full disk then leaves the old ones as they were; what is left between the names is a moment without any writing.

    Raises
    ------
    TakeprintError
        As ``write_atomic``.
    """
    _fill({path: partial(_write_to, data=data) for path, data in contents.items()}, force, ())


def _write_to(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def copy_atomic(source: Name, path: Name, *, force: bool = False, inputs: Sequence[Name] = ()) -> None:
    """Copy a regular file block by block, as ``write_atomic`` writes one; the source is one of the inputs.

    Raises
    ------
    TakeprintError
        As ``open_regular`` and ``write_atomic``.
    """
    descriptor, _ = open_regular(source)
    with os.fdopen(descriptor, "rb") as old:
        _fill({path: lambda file: shutil.copyfileobj(old, file, _BLOCK)}, force, [*inputs, source])


def _fill(fills: Mapping[Name, Callable[[BinaryIO], object]], force: bool, inputs: Sequence[Name]) -> None:
    """Write a temporary file beside each path, and give them their names when all are whole on the disk."""
    for output in fills:
        check_output(output, force=force, inputs=inputs)
    written: list[tuple[Name, Path, Path]] = []
    path: Name = ""
    try:
        for path in fills:
            fill = fills[path]
            # Through a symbolic link the file itself is replaced, not the link.
            target = Path(os.path.realpath(path))
            temporary = target.parent / f".takeprint-{secrets.token_hex(8)}.tmp"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            descriptor = os.open(temporary, flags, 0o666)
            written.append((path, temporary, target))
            with os.fdopen(descriptor, "wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
        while written:
            path, temporary, target = written[0]
            _take_name(temporary, target, force)
            del written[0]
            _flush_folder(target.parent)
    except FileExistsError as error:
        raise TakeprintError(
            "the output has just appeared",
            where=_said(path),
            remedy="give another name, or --force to replace it",
            code="file.exists",
        ) from error
    except OSError as error:
        _refuse(error, path, "write")
    finally:
        for _, temporary, _ in written:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _take_name(temporary: Path, target: Path, force: bool) -> None:
    """Give the finished temporary file its name; without ``force`` never over another file."""
    if force:
        os.replace(temporary, target)
        return
    try:
        os.link(temporary, target)  # unlike a rename, this fails when the name is taken meanwhile
    except FileExistsError:
        raise
    except OSError:
        if target.exists():
            raise FileExistsError(str(target)) from None
        os.replace(temporary, target)  # a file system without hard links
    else:
        os.unlink(temporary)


def _flush_folder(folder: Path) -> None:
    """Make the new name itself last; not every system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
