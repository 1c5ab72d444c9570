"""What to read of an audio file: the plan that a header parser hands to the reader.

Conventions
-----------
Offsets count bytes of the file as it lies on disk. A plan never trusts a claimed length: its byte ranges lie inside
the file. ``Window`` presents such ranges, and bytes of our own making, as one read-only file to the decoder, so that a
damaged header needs no copy of the audio.
"""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import BinaryIO

from .errors import Repair, TakeprintError

# Bytes that one sample of each plain coding takes.
SAMPLE_BYTES = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
    "ULAW": 1,
    "ALAW": 1,
}
MAX_CHANNELS = 64
MIN_RATE_HZ = 1_000
MAX_RATE_HZ = 768_000


class Source:
    """A regular file, opened for reading at any place, with the end as it lies on disk.

    Parameters
    ----------
    handle : BinaryIO
        The open file, unbuffered or buffered.
    name : str
        How messages call the file.
    """

    def __init__(self, handle: BinaryIO, name: str) -> None:
        self.handle = handle
        self.name = name
        self.size = os.fstat(handle.fileno()).st_size

    def at(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes from ``offset``; fewer at the end of the file."""
        if offset < 0 or offset >= self.size or count <= 0:
            return b""
        self.handle.seek(offset)
        return self.handle.read(min(count, self.size - offset))

    def refusal(
        self, problem: str, offset: int = -1, rule: str | None = None, remedy: str | None = None
    ) -> TakeprintError:
        """Return the error that names this file and the byte where the trouble lies."""
        where = f"{self.name}, byte {offset}" if offset >= 0 else self.name
        return TakeprintError(problem, where=where, rule=rule, remedy=remedy, code="audio.refused")


@dataclass(frozen=True)
class Stretch:
    """A range of bytes of the file.

    Parameters
    ----------
    offset, size : int, bytes
    """

    offset: int
    size: int


@dataclass(frozen=True)
class Part:
    """One stream for the decoder.

    Parameters
    ----------
    pieces : tuple of (bytes or Stretch)
        What the decoder sees, in order.
    raw_subtype, raw_endian : str
        Where the samples are plain numbers: libsndfile's names; "" lets the decoder read the stream's own header.
    """

    pieces: tuple[bytes | Stretch, ...]
    raw_subtype: str = ""
    raw_endian: str = ""


@dataclass
class Plan:
    """Everything a header told, checked against the bytes on disk.

    Parameters
    ----------
    format, subtype : str
        libsndfile's names, e.g. ``"WAV"`` and ``"PCM_16"``; ``subtype`` may be "" until the decoder has told it.
    sample_rate : int, Hz
    channels : int
    parts : list of Part
        Streams that follow each other (more than one only in chained Ogg files).
    claimed_frames : int
        Length the header states, -1 where it states none.
    skip_frames : int
        Frames of encoder and decoder delay to leave out at the start.
    md5 : bytes
        FLAC's checksum of the samples, b"" where there is none.
    bits : int
        Bits a sample, 0 where that has no meaning.
    can_seek : bool
        Whether the decoder jumps to a frame exactly.
    """

    format: str
    subtype: str
    sample_rate: int
    channels: int
    parts: list[Part] = field(default_factory=list)
    claimed_frames: int = -1
    skip_frames: int = 0
    md5: bytes = b""
    bits: int = 0
    can_seek: bool = False
    repairs: list[Repair] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def mend(self, offset: int, code: str, text: str) -> None:
        """Note one repair."""
        self.repairs.append(Repair(offset, code, text))


def check_facts(source: Source, sample_rate: float, channels: int, offset: int) -> None:
    """Refuse a rate or a channel count that no recording has.

    Raises
    ------
    TakeprintError
        Outside 1 kHz to 768 kHz and 1 to 64 channels.
    """
    if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
        raise source.refusal(
            f"the sample rate is {sample_rate:g} Hz",
            offset,
            rule=f"a recording has {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz",
            remedy="the header is damaged: export the file again, or import it as raw data in an audio editor",
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise source.refusal(
            f"the file has {channels} channels",
            offset,
            rule=f"a recording has 1 to {MAX_CHANNELS} channels",
            remedy="export the channels that matter to a file of their own",
        )


class Window(io.RawIOBase):
    """The pieces of a part as one read-only file.

    Parameters
    ----------
    handle : BinaryIO
        The open file the stretches lie in; it stays open when the window is closed.
    pieces : tuple of (bytes or Stretch)
    """

    def __init__(self, handle: BinaryIO, pieces: tuple[bytes | Stretch, ...]) -> None:
        super().__init__()
        self._handle = handle
        self._pieces = pieces
        self._starts: list[int] = []
        total = 0
        for piece in pieces:
            self._starts.append(total)
            total += len(piece) if isinstance(piece, bytes) else piece.size
        self._size = total
        self._place = 0
        self._index = 0

    def readable(self) -> bool:
        """Say that the window can be read."""
        return True

    def seekable(self) -> bool:
        """Say that the window can be sought in."""
        return True

    def tell(self) -> int:
        """Return the place in the window."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place in the window."""
        base = 0 if whence == os.SEEK_SET else self._place if whence == os.SEEK_CUR else self._size
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """Fill a buffer as far as the window reaches."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._place < self._size:
            self._find_piece()
            piece = self._pieces[self._index]
            inside = self._place - self._starts[self._index]
            if isinstance(piece, bytes):
                chunk = piece[inside : inside + len(view) - done]
            else:
                self._handle.seek(piece.offset + inside)
                chunk = self._handle.read(min(len(view) - done, piece.size - inside))
            if not chunk:  # the file shrank while it was read
                break
            view[done : done + len(chunk)] = chunk
            done += len(chunk)
            self._place += len(chunk)
        return done

    def _find_piece(self) -> None:
        here, starts = self._index, self._starts
        if starts[here] <= self._place and (here + 1 == len(starts) or self._place < starts[here + 1]):
            return
        self._index = bisect_right(starts, self._place) - 1
