"""Tell what kind of file lies at a path, by its first bytes and never by its name alone.

Conventions
-----------
Kinds: ``"midi"``, ``"score"`` (MusicXML, MEI), ``"match"``, ``"zip"``, ``"json"`` and ``"audio"`` (everything else: the
audio reader knows the many containers and says what it does not know).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import TakeprintError

_MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".smf")
_SCORE_SUFFIXES = (".musicxml", ".xml", ".mxl", ".mei")
_HEAD_BYTES = 4096


def sniff(path: str | os.PathLike[str]) -> str:
    """Return the kind of a regular file.

    Raises
    ------
    TakeprintError
        For a missing, unreadable or empty file, or one that is not regular (a folder, a pipe, a device).
    """
    where = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(where).st_mode):
            what = "a folder" if os.path.isdir(where) else "not a regular file"
            raise TakeprintError(
                what, where=where, rule="an input is a regular file", remedy="give a MIDI or audio file"
            )
        with open(where, "rb") as handle:
            head = handle.read(_HEAD_BYTES)
    except TakeprintError:
        raise
    except OSError as wrong:
        raise TakeprintError((wrong.strerror or str(wrong)).lower(), where=where, remedy="check the path") from wrong
    except ValueError as wrong:
        raise TakeprintError(str(wrong), where=where, rule="a path has no NUL characters") from wrong
    suffix = Path(where).suffix.lower()
    if b"MThd" in head[:256] or (head[:4] == b"RIFF" and head[8:12] == b"RMID"):
        return "midi"
    if head[:4] == b"PK\x03\x04":
        return "zip"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<" and (b"score-partwise" in head or b"score-timewise" in head or b"<mei" in head):
        return "score"
    if suffix in _SCORE_SUFFIXES and (start[:5] == b"<?xml" or head[:2] in (b"\xff\xfe", b"\xfe\xff")):
        return "score"
    if start[:5] == b"info(" and suffix not in _MIDI_SUFFIXES:
        return "match"
    if start[:1] == b"{" and suffix not in _MIDI_SUFFIXES:
        return "json"
    # A file called .mid that does not begin as MIDI is for the MIDI reader to explain, unless it plainly is audio.
    known_audio = (
        head[:4] in (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"caff", b".snd") or head[:3] == b"ID3"
    )
    if suffix in _MIDI_SUFFIXES and not known_audio:
        return "midi"
    if b"MTrk" in head[:_HEAD_BYTES] and not known_audio:
        return "midi"
    return "audio"
