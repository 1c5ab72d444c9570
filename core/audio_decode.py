"""From a plan to samples: the streams of a file decoded in blocks.

Conventions
-----------
Samples are float64 [shape=(frames, channels)], full scale 1.0. Lengths come from what the decoder delivers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, BinaryIO

import numpy as np

from .audio_plan import Part, Plan, Window
from .errors import TakeprintError
from .files import open_regular

BLOCK_FRAMES = 65_536
# The decoder is always asked for this many: where it stumbles must not depend on the caller's blocks.
_READ_FRAMES = 16_384
READABLE = "WAV, RF64, Wave64, AIFF, AU, CAF, FLAC, Ogg Vorbis, Opus and MP3 are read"


@cache
def _decoder() -> Any:
    """Return a SoundFile that neither seeks after every read nor believes the header's length."""
    import soundfile

    class Forward(soundfile.SoundFile):
        def seekable(self) -> bool:
            return False

    return Forward


def open_bytes(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file, unbuffered; anything else is refused before it can block."""
    descriptor, _ = open_regular(path)
    return os.fdopen(descriptor, "rb", buffering=0)


def open_part(handle: BinaryIO, part: Part, plan: Plan) -> Any:
    """Open one stream for decoding: plain samples by the plan, coded ones by their own header."""
    raw: dict[str, Any] = {}
    if part.raw_subtype:
        raw = {
            "samplerate": plan.sample_rate,
            "channels": plan.channels,
            "format": "RAW",
            "subtype": part.raw_subtype,
            "endian": part.raw_endian,
        }
    return _decoder()(Window(handle, part.pieces), **raw)


def _read(decoder: Any, frames: int, channels: int) -> tuple[np.ndarray, str]:
    """Return what the decoder delivers and why it stopped ("" when it did not).

    A damaged stream yields good samples before its error, but the error hides how many: unwritten places keep NaN.
    """
    from soundfile import SoundFileError

    out = np.empty((frames, channels))
    out[:, -1] = np.nan
    try:
        return decoder.read(frames, dtype="float64", always_2d=True, out=out), ""
    except SoundFileError as error:
        written = np.flatnonzero(~np.isnan(out[:, -1]))
        return out[: written[-1] + 1 if len(written) else 0], getattr(error, "error_string", str(error))


def decode(
    handle: BinaryIO, plan: Plan, start: int, block_frames: int, trouble: Callable[[str], None] | None = None
) -> Iterator[np.ndarray]:
    """Yield blocks of exactly ``block_frames`` (but the last) from frame ``start`` of the decoder's count.

    Parameters
    ----------
    handle : BinaryIO
    plan : Plan
    start, block_frames : int, frames
    trouble : callable or None
        Is told why a stream ended before its time.

    Yields
    ------
    ndarray [shape=(block_frames, channels)], float64
    """
    from soundfile import SoundFile, SoundFileError

    held: list[np.ndarray] = []
    count = 0
    for part in plan.parts:
        stopped = ""
        try:
            with open_part(handle, part, plan) as decoder:
                if (decoder.samplerate, decoder.channels) != (plan.sample_rate, plan.channels):
                    raise TakeprintError(
                        f"the stream has {decoder.samplerate} Hz and {decoder.channels} channels, "
                        f"its header {plan.sample_rate} Hz and {plan.channels}",
                        rule="the two agree",
                        remedy="the file is damaged: export it again",
                    )
                if start and plan.can_seek and part.raw_subtype:
                    SoundFile.seek(decoder, start)
                    start = 0
                while not stopped:
                    fresh, stopped = _read(decoder, _READ_FRAMES, plan.channels)
                    if not len(fresh):
                        break
                    if start:
                        passed = min(start, len(fresh))
                        start -= passed
                        fresh = fresh[passed:]
                    held.append(fresh)
                    count += len(fresh)
                    if count < block_frames:
                        continue
                    joined = np.concatenate(held)
                    whole = count - count % block_frames
                    for place in range(0, whole, block_frames):
                        yield joined[place : place + block_frames]
                    held, count = [joined[whole:].copy()], count - whole
        except SoundFileError as error:
            stopped = getattr(error, "error_string", str(error))
        if stopped:
            if trouble is not None:
                trouble(stopped)
            break  # what follows would lie at a wrong time
    if count:
        yield np.concatenate(held)
