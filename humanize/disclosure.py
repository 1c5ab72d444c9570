"""Saying in the file itself that it was humanized, by what, and from which source.

Conventions
-----------
One line of text: ``takeprint/<version> humanized key=value key=value ...``, values percent-encoded, always with
``source-sha256``. In MIDI it is a text event (FF 01) at tick 0 of the first track, behind the events that are there; in
WAV an ``ICMT`` comment in a ``LIST`` chunk of type ``INFO``; other audio formats hold it as their comment tag. A file
that was humanized twice says so twice; the last line counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from ..core.deviations import Deviations

_MARK = "takeprint/"
_SAFE = "/:.,+-_"
_MAX_TEXT = 8_192  # characters; a longer comment is not ours
_RIFF_KINDS = (b"RIFF", b"RIFX", b"RF64", b"BW64")


@cache
def program_version() -> str:
    """Return Takeprint's version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("takeprint")
    except PackageNotFoundError:
        return "0"


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        # Inside a mapping a text's own commas and colons are encoded, so that the pairs can be told apart.
        return ",".join(
            f"{quote(str(k), safe='')}:{quote(v, safe='/.+-_') if isinstance(v, str) else _said(v)}"
            for k, v in value.items()
        )
    if isinstance(value, float):
        value = f"{value:.6g}"
    return quote(str(value), safe=_SAFE)


def disclosure_text(facts: Mapping[str, Any], source_sha256: str) -> str:
    """Return the line that tells of a humanized file.

    Parameters
    ----------
    facts : mapping
        E.g. ``profile``, ``seed``, ``amounts`` (a mapping of trace to amount), ``controls`` (a mapping of control to
        text); what is None is left out. Controls that would make the line too long are told by their names alone.
    source_sha256 : str
        Of the source's bytes.

    Examples
    --------
    >>> text = disclosure_text({"profile": "rock", "seed": 7, "amounts": {"timing": 0.5}}, "ab12")
    >>> text.split(" ", 1)[1]
    'humanized profile=rock seed=7 amounts=timing:0.5 source-sha256=ab12'
    """
    line = _line(facts, source_sha256)
    controls = facts.get("controls")
    if len(line) > _MAX_TEXT and isinstance(controls, Mapping):
        line = _line({**facts, "controls": dict.fromkeys(controls, "too long to tell")}, source_sha256)
    return line


def _line(facts: Mapping[str, Any], source_sha256: str) -> str:
    said = [
        f"{quote(str(k), safe='-_')}={_said(v)}" for k, v in facts.items() if v is not None and k != "source-sha256"
    ]
    return " ".join([f"{_MARK}{program_version()} humanized", *said, f"source-sha256={_said(source_sha256)}"])


def parse_disclosure(text: str) -> dict[str, Any] | None:
    """Return what a line tells: ``program``, ``version`` and its values as text.

    ``amounts`` is a dict of floats, ``controls`` a dict of texts.

    None for a text that is no disclosure.
    """
    words = text.strip("\0 \r\n").split(" ")
    if not words[0].startswith(_MARK) or len(words) < 2 or words[1] != "humanized" or len(text) > _MAX_TEXT:
        return None
    out: dict[str, Any] = {"program": "takeprint", "version": words[0][len(_MARK) :]}
    for word in words[2:]:
        name, equals, value = word.partition("=")
        if equals:
            several = unquote(name) == "controls" and ":" in value
            out[unquote(name)] = _texts(value) if several else unquote(value)
    if "amounts" in out:
        pairs = (part.partition(":") for part in str(out["amounts"]).split(","))
        try:
            out["amounts"] = {trace: float(value) for trace, _, value in pairs}
        except ValueError:
            pass  # written by a later version: the text itself still tells something
    return out


def _texts(said: str) -> dict[str, str]:
    pairs = (pair.partition(":") for pair in said.split(","))
    return {unquote(name): unquote(value) for name, _, value in pairs}


def disclosure_event(text: str) -> bytes:
    """Return the text event (FF 01) without its delta time."""
    payload = text.encode("ascii")
    size = [len(payload) & 127]
    rest = len(payload) >> 7
    while rest:
        size.insert(0, 128 | (rest & 127))
        rest >>= 7
    return b"\xff\x01" + bytes(size) + payload


def wav_disclosure_chunk(text: str) -> bytes:
    """Return a whole ``LIST``/``INFO`` chunk with the line as its comment, to be appended to a WAV file's chunks.

    The length of the enclosing RIFF has to grow by the chunk's length, which is even.
    """
    comment = text.encode("ascii") + b"\0"
    comment += b"\0" * (len(comment) & 1)
    body = b"INFO" + b"ICMT" + len(comment).to_bytes(4, "little") + comment
    return b"LIST" + len(body).to_bytes(4, "little") + body


def read_disclosure(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return what a MIDI or audio file tells about having been humanized, None when it tells nothing.

    Raises
    ------
    TakeprintError
        For a file that cannot be read as MIDI or audio.
    """
    from ..core.files import open_regular
    from ..core.sniff import sniff

    if sniff(path) == "midi":
        from ..core.smf import read_smf

        smf = read_smf(path)
        rows = smf.events.is_meta(0x01).nonzero()[0].tolist()
        return _last(smf.payload(row).decode("latin-1") for row in rows)
    descriptor, facts = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        head = file.read(12)
        if head[:4] in _RIFF_KINDS and head[8:12] == b"WAVE":
            return _last(_wav_comments(file, facts.st_size, "big" if head[:4] == b"RIFX" else "little"))
    return _last(_comment_of_audio(path))


def _last(texts: Iterator[str]) -> dict[str, Any] | None:
    found = None
    for text in texts:
        found = parse_disclosure(text) or found
    return found


def _wav_comments(file: Any, size: int, order: Any) -> Iterator[str]:
    """Yield the comments of a WAV file's LIST/INFO chunks; never trusts a length beyond the file."""
    at, data_size = 12, None
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        name, length = head[:4], int.from_bytes(head[4:8], order)
        if name == b"ds64":
            data_size = int.from_bytes(file.read(16)[8:16], "little")
        elif name == b"data" and length == 0xFFFFFFFF and data_size is not None:
            length = data_size
        elif name == b"LIST" and length <= 1 << 20:
            body = file.read(length)
            if body[:4] == b"INFO":
                inside = 4
                while inside + 8 <= len(body):
                    part = int.from_bytes(body[inside + 4 : inside + 8], order)
                    if body[inside : inside + 4] == b"ICMT":
                        yield body[inside + 8 : inside + 8 + part].decode("latin-1")
                    inside += 8 + part + (part & 1)
        at += 8 + length + (length & 1)


def _comment_of_audio(path: str | os.PathLike[str]) -> Iterator[str]:
    import soundfile

    from ..core.errors import TakeprintError

    try:
        with soundfile.SoundFile(os.fspath(path)) as sound:
            comment = sound.comment
    except (RuntimeError, OSError, ValueError) as wrong:
        raise TakeprintError(
            f"this is neither MIDI nor audio that can be read ({wrong})",
            where=os.fsdecode(os.fspath(path)),
            rule="a disclosure is read from MIDI and audio files",
        ) from wrong
    yield comment or ""


def player_facts(deviations: Deviations) -> dict[str, Any]:
    """Return who invented the deviations and how, as ``perform`` notes it in their reference; empty when nobody did.

    Returns
    -------
    dict
        ``profile``, ``player``, ``seed``, ``accents`` (``kept`` or ``regenerated``), ``amounts``, ``controls``,
        ``slips-per-100``; None for what is not known or not asked for.
    """
    told = deviations.reference.get("player") or {}
    parts = [part for part in (told.get("parts") or {}).values() if isinstance(part, Mapping)]
    kept = told.get("keep_accents")
    return {
        "profile": ",".join(sorted({str(part["profile"]) for part in parts if part.get("profile")})) or None,
        "player": ",".join(sorted({str(part["player"]) for part in parts if part.get("player")})) or None,
        "seed": told.get("seed"),
        "accents": None if kept is None else "kept" if kept else "regenerated",
        "amounts": told.get("amounts") or None,
        "controls": told.get("controls") or None,
        "slips-per-100": told.get("slips_per_100"),
    }
