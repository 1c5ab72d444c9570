"""The words for what can be wrong in a Standard MIDI File, and for files that are none.

Conventions
-----------
A repair tells of a defect that was mended or passed over; a strict reader refuses it. A warning tells of something
that is allowed and yet deserves doubt. Byte offsets count in the file as it lies on disk.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import Repair, TakeprintError

MAX_LISTED = 500  # repairs of events listed one by one; more are counted in a last line

_META_NAMES = {
    0x00: "sequence number",
    0x20: "channel prefix",
    0x21: "port",
    0x2F: "end of track",
    0x51: "tempo",
    0x54: "SMPTE offset",
    0x58: "time signature",
    0x59: "key signature",
}


def _meta_length(value: int, track: int) -> str:
    kind, size = value >> 32, value & 0xFFFFFFFF
    name = _META_NAMES.get(kind, f"meta event {kind:#04x}")
    return f"track {track}: a {name} of {size} bytes is kept and not used"


# issue number of core/kernels/smf_decode.py -> code, words of (value, track)
_ISSUES: dict[int, tuple[str, Callable[[int, int], str]]] = {
    1: ("midi.truncated", lambda v, t: f"track {t} breaks off inside an event; its last {v} bytes are not read"),
    2: ("midi.missing-end-of-track", lambda v, t: f"track {t} has no End of Track; it ends with its last event"),
    3: ("midi.after-end-of-track", lambda v, t: f"track {t}: {v} bytes after End of Track are kept and not read"),
    4: ("midi.stray-data", lambda v, t: f"track {t}: data byte {v:#04x} without any status before; passed over"),
    5: (
        "midi.running-after-system",
        lambda v, t: f"track {t}: running status goes on after a meta or system event; taken as status {v:#04x}",
    ),
    6: ("midi.data-byte", lambda v, t: f"track {t}: data byte {v} is over 127; taken as 127"),
    7: ("midi.undefined-status", lambda v, t: f"track {t}: undefined status {v:#04x}; kept as an event of one byte"),
    8: ("midi.system-message", lambda v, t: f"track {t}: system message {v:#04x} does not belong in a file; kept"),
    9: ("midi.sysex-byte", lambda v, t: f"track {t}: byte {v:#04x} inside a system exclusive message; kept"),
    10: ("midi.meta-type", lambda v, t: f"track {t}: meta type {v >> 32} is over 127; kept and not used"),
    11: ("midi.meta-length", _meta_length),
    12: ("midi.tempo-zero", lambda v, t: f"track {t}: a tempo of 0 microseconds a quarter note is kept and not used"),
    13: ("midi.key-signature", lambda v, t: f"track {t}: a key signature out of range is kept and not used"),
    14: ("midi.time-signature", lambda v, t: f"track {t}: a time signature out of range is kept and not used"),
    15: ("midi.smpte-offset", lambda v, t: f"track {t}: an SMPTE offset out of range is kept and not used"),
    17: ("midi.early-end-of-track", lambda v, t: f"track {t}: {v} bytes of events after an End of Track are read too"),
}
HUGE_DELTA = 16


def repairs_of(issues: np.ndarray, n_issues: int) -> tuple[list[Repair], list[str]]:
    """Put the decoder's issues into words.

    Parameters
    ----------
    issues : ndarray of int64 [shape=(j, 4)], issue number, byte offset, value, track
    n_issues : int
        How many there were; those beyond ``j`` are counted only.

    Returns
    -------
    repairs, warnings : list of Repair, list of str
    """
    repairs: list[Repair] = []
    warnings: list[str] = []
    for number, offset, value, track in issues[: min(n_issues, len(issues))].tolist():
        if number == HUGE_DELTA:
            if len(warnings) < 3:
                warnings.append(f"track {track}, byte {offset}: a wait of {value} ticks; perhaps a negative time")
            continue
        code, words = _ISSUES[number]
        repairs.append(Repair(offset, code, words(value, track)))
    if n_issues > len(issues):
        repairs.append(Repair(-1, "midi.more", f"and {n_issues - len(issues)} further doubts about events"))
    return repairs, warnings


def refuse_outcome(outcome: int, offset: int, value: int, limits: object, name: str | None) -> TakeprintError:
    """Return the refusal that belongs to an outcome of ``smf_decode``."""
    where = place(name, offset)
    if outcome == 2:
        return TakeprintError(
            "a number of more than four bytes",
            where=where,
            rule="times and lengths have at most four bytes",
            remedy="export the file again; some programs write negative times like this",
            code="midi.number-too-long",
        )
    if outcome == 3:
        return TakeprintError(
            f"a message of {value} bytes",
            where=where,
            rule=f"a single message has at most {getattr(limits, 'max_message_bytes', '?')} bytes",
            code="midi.limit",
        )
    return TakeprintError(
        f"a track of {value} ticks", where=where, rule="a track has at most 2^38 ticks", code="midi.limit"
    )


def place(name: str | None, offset: int | None = None) -> str:
    """Return ``"file, byte 12"``; the name is made printable."""
    said = "".join(c if c.isprintable() else repr(c)[1:-1] for c in name or "MIDI data")
    return said if offset is None or offset < 0 else f"{said}, byte {offset}"


# first bytes -> what the file is, what to do
_KINDS: tuple[tuple[bytes, int, str, str], ...] = (
    (b"version https://git-lfs", 0, "a Git LFS pointer", "fetch the real file with `git lfs pull`"),
    (b"WAVE", 8, "a WAVE audio file", "use it as audio"),
    (b"AVI ", 8, "a video file", "give a MIDI file"),
    (b"fLaC", 0, "a FLAC audio file", "use it as audio"),
    (b"OggS", 0, "an Ogg audio file", "use it as audio"),
    (b"ID3", 0, "an MP3 audio file", "use it as audio"),
    (b"FORM", 0, "an IFF file (AIFF audio?)", "use it as audio"),
    (b"caff", 0, "a CAF audio file", "use it as audio"),
    (b".snd", 0, "an AU audio file", "use it as audio"),
    (b"ftyp", 4, "an MP4 file", "give a MIDI file"),
    (b"sfbk", 8, "a sound font", "give a MIDI file"),
    (b"SMF2CLIP", 0, "a MIDI 2.0 clip", "export it as a Standard MIDI File (.mid)"),
    (b"XMF_", 0, "an XMF file", "export it as a Standard MIDI File (.mid)"),
    (b"PK\x03\x04", 0, "a ZIP archive (or .mxl, .mscz)", "unpack it first"),
    (b"\x1f\x8b", 0, "a gzip archive", "unpack it first"),
    (b"BZh", 0, "a bzip2 archive", "unpack it first"),
    (b"7z\xbc\xaf", 0, "a 7z archive", "unpack it first"),
    (b"Rar!", 0, "a RAR archive", "unpack it first"),
    (b"\x89PNG", 0, "a PNG picture", "give a MIDI file"),
    (b"\xff\xd8\xff", 0, "a JPEG picture", "give a MIDI file"),
    (b"%PDF", 0, "a PDF document", "give a MIDI file"),
    (b"{", 0, "a JSON or RTF document", "give a MIDI file"),
)


def refuse_kind(data: bytes, name: str | None) -> None:
    """Refuse a file that its first bytes tell to be something else; silent for what may be MIDI.

    Raises
    ------
    TakeprintError
        With code ``"midi.empty"`` or ``"midi.not-midi"``.
    """
    if not data:
        raise TakeprintError("the file is empty", where=place(name), code="midi.empty")
    if data.startswith((b"MThd", b"RIFF")) and data[8:12] != b"WAVE" and data[8:12] not in (b"AVI ", b"sfbk"):
        return
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<!--")) or b"<html" in head:
        kind, remedy = "a web page", "download the file itself: a server has answered with a page"
    elif head.startswith((b"<?xml", b"<score")):
        kind, remedy = "an XML document (MusicXML?)", "give it as a score, or export it as MIDI"
    else:
        for magic, at, said, what in _KINDS:
            if data[at : at + len(magic)] == magic:
                kind, remedy = said, what
                break
        else:
            return
    raise TakeprintError(
        f"this is {kind}",
        where=place(name),
        rule="a Standard MIDI File starts with MThd",
        remedy=remedy,
        code="midi.not-midi",
    )
