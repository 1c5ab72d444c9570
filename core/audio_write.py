"""Sound out: streamed, atomic, at the input's own format.

Conventions
-----------
Samples come as float [shape=(frames,) or (frames, channels)], full scale 1.0. The numbers of a PCM file are made
here and not in libsndfile, which divides by 2**15 when it reads and multiplies by 2**15 - 1 when it writes: samples
that were only read and not changed come out bit for bit. The bytes of a file depend on its samples alone.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .audio_plan import MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ, SAMPLE_BYTES
from .errors import TakeprintError
from .files import _flush_folder, _take_name, check_output
from .randomness import Stream

# libsndfile's Vorbis encoder keeps a whole call's samples on the stack: never more than this at once.
_CHUNK_FRAMES = 65_536
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "ULAW": 16, "ALAW": 16}
_SHORT = ("WAV", "WAVEX", "AIFF", "AU")
_OGG_SERIAL = 0x54414B45


@dataclass(frozen=True)
class Written:
    """What came out.

    Parameters
    ----------
    path : Path
    frames : int
    clipped : int
        Samples beyond full scale that a PCM format cannot hold.
    dithered : int
        Changed samples that were dithered on their way to 16 bits or fewer.
    """

    path: Path
    frames: int
    clipped: int
    dithered: int


class _Guard(io.RawIOBase):
    """A file for libsndfile that keeps the error which a callback into Python would swallow."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.file = file
        self.error: OSError | None = None

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer: Any) -> int:
        return self.file.readinto(buffer)  # type: ignore[attr-defined]

    def write(self, data: Any) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            return 0


def write_audio(
    path: str | os.PathLike[str],
    blocks_or_array: np.ndarray | Iterable[np.ndarray],
    *,
    sample_rate: int,
    format: str = "WAV",
    subtype: str = "PCM_16",
    force: bool = False,
    inputs: Sequence[str | os.PathLike[str]] = (),
    seed: int = 0,
    comment: str = "",
) -> Written:
    """Write sound so that the name holds the old file or the whole new one at any moment.

    Parameters
    ----------
    path : path-like
    blocks_or_array : ndarray or iterable of ndarray [shape=(frames,) or (frames, channels)]
        Full scale 1.0. An iterable is written block by block and never held whole.
    sample_rate : int, Hz
    format, subtype : str
        libsndfile's names, as ``AudioFile.format`` and ``AudioFile.subtype`` tell them.
    force : bool
        Let an existing file be replaced.
    inputs : sequence of path-like
        Files that must not be replaced under any name.
    seed : int
        Of the dither. Only samples that do not lie on the steps of a format of 16 bits or fewer are dithered, with
        triangular noise of two steps: what was not changed comes out bit for bit.
    comment : str
        Put into the file's comment tag, where its format has one.

    Returns
    -------
    Written

    Raises
    ------
    TakeprintError
        For a format that cannot be written, samples that are no numbers, an output that is an input or exists, a
        full disk. No temporary file is left.

    References
    ----------
    Lipshitz, Wannamaker and Vanderkooy 1992, Quantization and dither, J. Audio Eng. Soc. 40(5), section 5.
    """
    import soundfile

    target_name = Path(path).name
    _check_request(target_name, sample_rate, format, subtype)
    check_output(path, force=force, inputs=inputs)
    target = Path(os.path.realpath(path))
    temporary = target.parent / f".takeprint-{secrets.token_hex(8)}.tmp"
    made = False
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o666)
        made = True
        with os.fdopen(descriptor, "w+b") as file:
            guard = _Guard(file)
            try:
                frames, clipped, dithered = _stream(guard, blocks_or_array, sample_rate, format, subtype, seed, comment)
            except (soundfile.SoundFileError, AssertionError) as error:
                # soundfile asserts that every frame was written; a full disk breaks that
                if guard.error is not None:
                    raise guard.error from None
                text = getattr(error, "error_string", str(error)).strip() or "unknown error"
                raise TakeprintError(
                    f"{format} {subtype} at {sample_rate} Hz cannot be written ({text})",
                    where=target_name,
                    remedy="write WAV or FLAC",
                    code="audio.write",
                ) from None
            if guard.error is not None:
                raise guard.error
            _settle(file, format)
            file.flush()
            os.fsync(file.fileno())
        _take_name(temporary, target, force)
        made = False
        _flush_folder(target.parent)
    except FileExistsError as error:
        raise TakeprintError(
            "the output has just appeared",
            where=target_name,
            remedy="give another name, or --force to replace it",
            code="file.exists",
        ) from error
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise TakeprintError(f"cannot write the file: {said}", where=target_name, code="file.os") from error
    finally:
        if made:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    return Written(Path(path), frames, clipped, dithered)


def _check_request(name: str, sample_rate: int, format: str, subtype: str) -> None:
    import soundfile

    if sample_rate != int(sample_rate) or not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
        raise TakeprintError(
            f"sample_rate={sample_rate}",
            where=name,
            rule=f"a rate is a whole number, {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz",
        )
    try:
        good = soundfile.check_format(format, subtype)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise TakeprintError(
            f"{format} {subtype} cannot be written",
            where=name,
            rule="WAV, RF64, W64, AIFF, AU, CAF, FLAC, OGG and MP3 are written",
            remedy="write WAV PCM_24 or FLAC PCM_24",
            code="audio.write",
        )


def _pieces(blocks: np.ndarray | Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield float64 pieces [shape=(at most _CHUNK_FRAMES, channels)], all with the same channels."""
    channels = 0
    for block in [blocks] if isinstance(blocks, np.ndarray) else blocks:
        array = np.asarray(block)
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2 or array.dtype.kind != "f" or not 1 <= array.shape[1] <= MAX_CHANNELS:
            raise TakeprintError(
                f"a block of shape {np.shape(block)} and type {array.dtype}",
                rule=f"samples are float, [frames] or [frames, channels], 1 to {MAX_CHANNELS} channels",
            )
        if channels not in (0, array.shape[1]):
            raise TakeprintError(f"a block has {array.shape[1]} channels, earlier ones {channels}")
        channels = array.shape[1]
        if not len(array):
            yield array.astype(np.float64)
        for place in range(0, len(array), _CHUNK_FRAMES):
            yield array[place : place + _CHUNK_FRAMES].astype(np.float64)


def _stream(
    guard: _Guard,
    blocks: np.ndarray | Iterable[np.ndarray],
    sample_rate: int,
    format: str,
    subtype: str,
    seed: int,
    comment: str,
) -> tuple[int, int, int]:
    """Write all pieces; return frames, clipped samples and dithered samples."""
    import soundfile

    pieces = _pieces(blocks)
    first = next(pieces, None)
    if first is None:
        raise TakeprintError("there is nothing to write", rule="a recording has 1 block or more")
    quantizer = _Quantizer(subtype, Stream(seed, "dither"))
    channels = first.shape[1]
    limit = 0xFFFFFFFF - (1 << 20) if format in _SHORT else 1 << 62
    frames = 0
    with soundfile.SoundFile(guard, "w", int(sample_rate), channels, subtype, format=format) as out:
        if comment:
            with contextlib.suppress(soundfile.SoundFileError):  # W64 and AU have no place for it
                out.comment = comment
        piece: np.ndarray | None = first
        while piece is not None:
            bad = ~np.isfinite(piece)
            if bad.any():
                where = frames + int(np.flatnonzero(bad.any(1))[0])
                raise TakeprintError(f"sample {where} is no finite number", rule="only finite samples are written")
            frames += len(piece)
            if frames * channels * SAMPLE_BYTES.get(subtype, 0) > limit:
                raise TakeprintError(f"{format} cannot hold more than 4 GiB", remedy="write RF64, W64 or FLAC")
            out.write(quantizer.numbers(piece))
            piece = next(pieces, None)
    return frames, quantizer.clipped, quantizer.dithered


class _Quantizer:
    """Floats to the whole numbers of a PCM format, in the type libsndfile passes through unchanged."""

    def __init__(self, subtype: str, noise: Stream) -> None:
        self.bits = _BITS.get(subtype, 0)
        self.noise = noise
        self.clipped = 0
        self.dithered = 0

    def numbers(self, piece: np.ndarray) -> np.ndarray:
        """Return int16 or int32 for PCM, the floats themselves for other formats."""
        if not self.bits:
            return piece
        top = float(2 ** (self.bits - 1))
        scaled = piece * top
        steps = np.rint(scaled)
        if self.bits <= 16:
            moved = np.flatnonzero(scaled != steps)
            if len(moved):
                self.dithered += len(moved)
                drawn = self.noise.uniform(2 * len(moved))
                triangular = drawn[: len(moved)] - drawn[len(moved) :]
                flat = steps.reshape(-1)
                flat[moved] = np.rint(scaled.reshape(-1)[moved] + triangular)
        over = (steps > top - 1) | (steps < -top)
        # +1.0 exactly, one step beyond the top, is the everyday case and not worth a warning.
        self.clipped += int((over & (np.abs(scaled) > top)).sum())
        steps = np.clip(steps, -top, top - 1)
        if self.bits <= 16:
            return (steps.astype(np.int32) << (16 - self.bits)).astype(np.int16)
        return (steps.astype(np.int64) << (32 - self.bits)).astype(np.int32)


def _settle(file: BinaryIO, format: str) -> None:
    """Take the clock and the dice out of a finished file: the PEAK chunk's time, the Ogg stream's serial number."""
    if format in ("WAV", "WAVEX", "RF64", "AIFF"):
        file.seek(0)
        head = file.read(4096)
        place = head.find(b"PEAK")
        ends = [p for p in (head.find(b"data"), head.find(b"SSND")) if p >= 0]
        if 0 <= place < min(ends, default=0):
            file.seek(place + 12)  # name, size, version, then the time
            file.write(bytes(4))
    elif format == "OGG":
        _settle_ogg(file)
    file.seek(0, os.SEEK_END)


def _settle_ogg(file: BinaryIO) -> None:
    """Give every page one serial number and the checksum that goes with it.

    The checksum is linear: exchanging the serial number exclusive-ors a term that depends on the page's length alone.
    """
    file.seek(0, os.SEEK_END)
    size, place = file.tell(), 0
    while place + 27 <= size:
        file.seek(place)
        head = file.read(27)
        if head[:4] != b"OggS":
            return
        length = 27 + head[26] + sum(file.read(head[26]))
        change = struct.unpack("<I", head[14:18])[0] ^ _OGG_SERIAL
        # The serial's bytes, first byte highest, followed by the rest of the page.
        message = int.from_bytes(change.to_bytes(4, "little"), "big")
        term = _times(message, _power_of_x(32 + 8 * (length - 18)))
        file.seek(place + 14)
        file.write(struct.pack("<I", _OGG_SERIAL))
        file.seek(place + 22)
        file.write(struct.pack("<I", struct.unpack("<I", head[22:26])[0] ^ term))
        place += length


_OGG_POLYNOMIAL = 0x104C11DB7


def _times(a: int, b: int) -> int:
    """Multiply two polynomials over GF(2) modulo Ogg's, degree below 32."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        b >>= 1
        a <<= 1
        if a >> 32:
            a ^= _OGG_POLYNOMIAL
    return product


@lru_cache(maxsize=4096)
def _power_of_x(exponent: int) -> int:
    """Return x**exponent modulo Ogg's polynomial."""
    result, square = 1, 2
    while exponent:
        if exponent & 1:
            result = _times(result, square)
        square = _times(square, square)
        exponent >>= 1
    return result
