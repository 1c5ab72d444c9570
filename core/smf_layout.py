"""Where the chunks of a Standard MIDI File lie: wrapper, header, tracks and the rest.

Conventions
-----------
Offsets count in the file as it lies on disk. A chunk of a track is ``data[chunk:end]``, its events lie
``data[chunk + 8:end]``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import Repair, TakeprintError
from .smf_repair import place

_HEADER_SEARCH = 1 << 16  # bytes of foreign matter tolerated before MThd

# (first byte, one past the last) -> (one past the End of Track or -1)
Scan = Callable[[int, int], int]


@dataclass(frozen=True)
class Layout:
    """The places of a file's parts.

    Parameters
    ----------
    header : int
        Offset of ``MThd``.
    format, claimed_tracks, division : int
        The header's three numbers.
    header_end : int
        One past the header.
    gaps : tuple of (first byte, one past the last)
        Foreign bytes between chunks that no chunk length accounts for.
    chunks, ends : tuple of int
        A track's chunk header, and one past its last byte.
    riff : tuple of (offset of the RIFF size, offset of the data size, one past the data) or None
    """

    header: int
    format: int
    claimed_tracks: int
    division: int
    header_end: int
    gaps: tuple[tuple[int, int], ...]
    chunks: tuple[int, ...]
    ends: tuple[int, ...]
    riff: tuple[int, int, int] | None


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _unwrap(data: bytes, name: str | None, repairs: list[Repair]) -> tuple[int, int, tuple[int, int, int] | None]:
    """Find the MIDI data: (first byte, one past the last, RIFF places)."""
    if data[:4] == b"MThd":
        return 0, len(data), None
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = 12
        while at + 8 <= len(data):
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            if data[at : at + 4] == b"data":
                end = at + 8 + size
                if end > len(data):
                    repairs.append(
                        Repair(at + 4, "midi.riff-length", f"the RIFF data claims {size} bytes; taken to the end")
                    )
                    end = len(data)
                if data[at + 8 : at + 12] == b"MThd":
                    return at + 8, end, (4, at + 4, end)
                break
            at += 8 + size + (size & 1)
        raise TakeprintError(
            "a RIFF MIDI file without MIDI data",
            where=place(name),
            rule="its data chunk starts with MThd",
            code="midi.not-midi",
        )
    at = data.find(b"MThd", 0, _HEADER_SEARCH)
    if at < 0:
        said = "a MIDI track without a file header" if data[:4] == b"MTrk" else "this is not a MIDI file"
        raise TakeprintError(
            said,
            where=place(name, 0),
            rule="a Standard MIDI File starts with MThd",
            remedy="export the file again",
            code="midi.not-midi",
        )
    repairs.append(Repair(0, "midi.before-header", f"{at} foreign bytes before the header MThd are passed over"))
    return at, len(data), None


def _header(data: bytes, at: int, end: int, name: str | None, repairs: list[Repair]) -> tuple[int, int, int, int]:
    """Read MThd: (format, claimed tracks, division, first byte after it)."""
    where = place(name, at)
    if end - at < 14:
        raise TakeprintError("the file breaks off inside its header", where=where, code="midi.truncated")
    size = _word(data, at + 4)
    if size < 6:
        raise TakeprintError(
            f"a header of {size} bytes", where=where, rule="MThd has at least 6 bytes", code="midi.header"
        )
    after = at + 8 + size
    if after > end:
        found = data.find(b"MTrk", at + 14, end)
        repairs.append(
            Repair(at + 4, "midi.header-length", f"the header claims {size} bytes; taken to the first track")
        )
        after = found if found >= 0 else end
    kind, claimed, division = (int.from_bytes(data[at + i : at + i + 2], "big") for i in (8, 10, 12))
    if kind > 2:
        raise TakeprintError(
            f"format {kind}", where=place(name, at + 8), rule="formats are 0, 1 and 2", code="midi.format"
        )
    if division == 0:
        raise TakeprintError(
            "a division of 0 ticks",
            where=place(name, at + 12),
            rule="a quarter note has 1 to 32767 ticks",
            remedy="export the file again: its times are lost",
            code="midi.division",
        )
    if division & 0x8000:
        frames, ticks = 256 - (division >> 8), division & 0xFF
        if frames not in (24, 25, 29, 30) or ticks == 0:
            raise TakeprintError(
                f"an SMPTE division of {frames} frames of {ticks} ticks",
                where=place(name, at + 12),
                rule="SMPTE time has 24, 25, 29 or 30 frames a second, of 1 to 255 ticks",
                code="midi.division",
            )
    return kind, claimed, division, after


def _chunk_like(data: bytes, at: int, end: int) -> bool:
    """Return whether a chunk seems to start here: four printable letters and a length that fits, or a (cut) MTrk."""
    head = data[at : min(at + 4, end)]
    if b"MTrk".startswith(head):
        return True
    return at + 8 <= end and all(32 <= c < 127 for c in head) and at + 8 + _word(data, at + 4) <= end


def _track_end(data: bytes, at: int, end: int, scan: Scan, repairs: list[Repair]) -> int:
    """Find where the track at ``at`` really ends: its length may lie."""
    claimed = _word(data, at + 4)
    stop = at + 8 + claimed
    if stop == end or (stop < end and _chunk_like(data, stop, end)):
        return stop
    following = data.find(b"MTrk", at + 8, end)
    bound = following if following >= 0 else end
    found = scan(at + 8, bound)
    if found == stop or (found < 0 and stop <= bound):
        return stop  # the length is right, what follows is no chunk
    if found < 0:
        found = bound
    repairs.append(Repair(at + 4, "midi.track-length", f"a track claims {claimed} bytes and has {found - at - 8}"))
    return found


def lay_out(
    data: bytes,
    *,
    name: str | None,
    max_tracks: int,
    scan: Scan,
    forced: dict[int, int],
    repairs: list[Repair],
    warnings: list[str],
) -> Layout:
    """Walk over the chunks of a file.

    Parameters
    ----------
    data : bytes
    name : str or None
        For messages.
    max_tracks : int
    scan : callable
        Reads a track's events up to its End of Track.
    forced : dict of {chunk offset: one past its last byte}
        Ends that are known better than by the length written.
    repairs, warnings : list
        Lengthened by what is found.

    Raises
    ------
    TakeprintError
        When no header or no track can be made out, or there are too many.
    """
    header, end, riff = _unwrap(data, name, repairs)
    kind, claimed, division, at = _header(data, header, end, name, repairs)
    header_end = at
    gaps: list[tuple[int, int]] = []
    chunks: list[int] = []
    ends: list[int] = []
    while at < end:
        if data[at : at + 4] == b"MTrk" and at + 8 <= end:
            stop = forced.get(at) or _track_end(data, at, end, scan, repairs)
            chunks.append(at)
            ends.append(stop)
            if len(chunks) > max_tracks:
                raise TakeprintError(
                    f"more than {max_tracks} tracks",
                    where=place(name, at),
                    rule=f"a file has at most {max_tracks} tracks",
                    code="midi.limit",
                )
            at = stop
            continue
        if at + 8 <= end and _chunk_like(data, at, end):
            at += 8 + _word(data, at + 4)  # a chunk of another kind: the standard has readers skip it
            continue
        found = data.find(b"MTrk", at + 1, end)
        if found >= 0 and found + 8 <= end:
            repairs.append(
                Repair(at, "midi.between-chunks", f"{found - at} foreign bytes before a track are passed over")
            )
            gaps.append((at, found))
            at = found
            continue
        if b"MTrk".startswith(data[at : at + 4]):
            repairs.append(Repair(at, "midi.truncated", "the file breaks off inside the header of a track"))
        elif any(data[at:end]):
            warnings.append(f"byte {at}: {end - at} bytes after the last track are kept and not read")
        at = end
    if not chunks and claimed:
        raise TakeprintError(
            f"the header promises {claimed} track{'s' if claimed > 1 else ''} and none is there",
            where=place(name, header),
            remedy="the file is cut: copy or download it again",
            code="midi.no-track",
        )
    if len(chunks) != claimed:
        repairs.append(
            Repair(
                header + 10,
                "midi.track-count",
                f"the header promises {claimed} tracks, there are {len(chunks)}; all are read",
            )
        )
    if kind == 0 and len(chunks) > 1:
        repairs.append(
            Repair(header + 8, "midi.format-0", f"a file of format 0 with {len(chunks)} tracks; read like format 1")
        )
    if not chunks:
        warnings.append("the file has no track")
    return Layout(header, kind, claimed, division, header_end, tuple(gaps), tuple(chunks), tuple(ends), riff)
