"""Which files a batch takes, and how its outputs are called.

Conventions
-----------
A file that is named is taken as it is; of a folder those files are taken whose suffix, or where there is none whose
content, is MIDI or audio. Output names depend on the set of inputs only, never on their order: where two would be
equal (also to a file system that does not tell letter case apart), each gets the start of its content's SHA-256.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import TakeprintError
from .journal import NAME as JOURNAL_NAME

FAILURES_NAME = "failures.csv"
_MAX_NAME_BYTES = 180  # leaves room for suffixes, file systems allow 255
_RESERVED = (JOURNAL_NAME, FAILURES_NAME)
_STARTS = (b"MThd", b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"caff", b".snd", b"ID3")
_NOT_PORTABLE = '<>:"/\\|?*'


@dataclass(frozen=True)
class Found:
    """One input: the path to open, and the name it has under its folder, with ``/``."""

    path: str
    name: str


@dataclass
class Intake:
    """What was found: inputs, what was passed over (suffix: count) and what cannot be taken (path: reason)."""

    found: list[Found] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)


def gather(given: Sequence[str], leave_out: str | None = None, *, documents: bool = False) -> Intake:
    """Return the files that the given names mean.

    Parameters
    ----------
    given : sequence of str
        Files and folders, as the user wrote them.
    leave_out : str or None
        A folder that is not searched: the output's.
    documents : bool
        Of a folder, take JSON documents as well.
    """
    intake = Intake()
    seen: set[str] = set()
    barred = os.path.realpath(leave_out) if leave_out else None
    for path in given:
        if not os.path.isdir(path):
            inside = [Found(path, os.path.basename(path))]
        else:
            inside = _of_folder(path, barred, intake, documents)
            if not inside:
                intake.refused[path] = "this is a folder with no MIDI or audio file in it"
        for found in inside:
            real = os.path.realpath(found.path)
            if real not in seen:
                seen.add(real)
                intake.found.append(found)
    return intake


def _of_folder(folder: str, barred: str | None, intake: Intake, documents: bool) -> list[Found]:
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and os.path.realpath(os.path.join(root, f)) != barred
        )
        for name in sorted(files):
            path = os.path.join(root, name)
            if name.startswith(".") or name == FAILURES_NAME:
                continue
            if _is_take(path) or (documents and name.lower().endswith(".json")):
                found.append(Found(path, os.path.relpath(path, folder).replace(os.sep, "/")))
            else:
                intake.passed_over[os.path.splitext(name)[1].lower() or "no suffix"] += 1
    return found


def _is_take(path: str) -> bool:
    from ..core.files import open_regular
    from ..core.take import AUDIO_SUFFIXES, MIDI_SUFFIXES

    suffix = os.path.splitext(path)[1].lower()
    if suffix:
        return suffix in MIDI_SUFFIXES or suffix in AUDIO_SUFFIXES
    try:
        with os.fdopen(open_regular(path)[0], "rb") as file:
            head = file.read(16)
    except (TakeprintError, OSError):
        return False
    return head.startswith(_STARTS) or head[:2] in (b"\xff\xfb", b"\xff\xf3")


def _portable(name: str) -> str:
    """Return a file name that every file system holds and every terminal shows."""
    kept = "".join(c if c.isprintable() and c not in _NOT_PORTABLE else "_" for c in name).strip() or "_"
    kept = "_" + kept[1:] if kept[0] in ".-" else kept
    if len(kept.encode()) <= _MAX_NAME_BYTES:
        return kept
    mark = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    stem, suffix = os.path.splitext(kept)
    suffix = suffix if len(suffix.encode()) <= 10 else ""
    return stem.encode()[: _MAX_NAME_BYTES - 20].decode("utf-8", "ignore") + "-" + mark + suffix


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def output_names(found: Sequence[Found], rename: Callable[[str], str]) -> list[str]:
    """Return an output name, with ``/``, for every input.

    Parameters
    ----------
    found : sequence of Found
    rename : callable
        Makes the output's file name of the input's.

    Raises
    ------
    TakeprintError
        When two inputs of equal name cannot be told apart by their content either: they are the same file twice.
    """
    plain = ["/".join(_portable(part) for part in item.name.split("/")) for item in found]
    names = [_renamed(name, rename) for name in plain]
    crowd = Counter(_alike(n) for n in names)
    out = []
    for item, name, wanted in zip(found, plain, names, strict=True):
        if crowd[_alike(wanted)] > 1 or wanted in _RESERVED:
            out.append(_renamed(_marked(name, item.path), rename))
        else:
            out.append(wanted)
    twice = [n for n, count in Counter(_alike(n) for n in out).items() if count > 1]
    if twice:
        same = [item.path for item, n in zip(found, out, strict=True) if _alike(n) == twice[0]]
        raise TakeprintError(
            f"{same[0]} and {same[1]} have the same name and the same content",
            rule="every input has an output of its own",
            remedy="give only one of them",
            code="batch.twice",
        )
    return out


def _renamed(name: str, rename: Callable[[str], str]) -> str:
    folder, slash, last = name.rpartition("/")
    return folder + slash + rename(last)


def _marked(name: str, path: str) -> str:
    from ..core.files import sha256_of

    try:
        mark = sha256_of(path)[:8]
    except TakeprintError:  # it will fail under this name, and say why
        mark = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    stem, suffix = os.path.splitext(name)
    return f"{stem}-{mark}{suffix}"


def refuse_inputs_as_outputs(folder: Path, names: Sequence[str], found: Sequence[Found]) -> None:
    """Refuse a batch one of whose outputs is one of its inputs.

    Raises
    ------
    TakeprintError
        Naming the first such file.
    """
    inputs = {identity for item in found if (identity := _identity(item.path))}
    for name in names:
        if _identity(folder / name) in inputs:
            raise TakeprintError(
                "this output is an input",
                where=str(folder / name),
                rule="an input is never replaced",
                remedy="give another folder",
                code="file.input-is-output",
            )


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return None
    return facts.st_dev, facts.st_ino
