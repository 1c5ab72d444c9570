"""Listening: one pass over a recording for every trace that is measured in its sound.

Conventions
-----------
A recording is read once, in chunks of 30 s that overlap by 2 s on either side; a chunk's core is the part whose results
count, and the cores tile the recording. Each listener is fed every chunk in order, and gives the same results whatever
the chunks are: nothing it says of a moment may depend on what is farther away than the overlap. Samples are mono
float64 with full scale 1.0, places are frames of the whole recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..core.errors import TakeprintError

if TYPE_CHECKING:
    from ..core.audio import AudioFile
    from ..core.take import Take

CHUNK_S = 30.0
OVERLAP_S = 2.0
_BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class Chunk:
    """A stretch of a recording.

    Parameters
    ----------
    samples : ndarray [shape=(frames,)], float64, full scale 1.0
        The core with what lies around it.
    first : int
        The recording's frame that ``samples[0]`` is.
    begin, end : int
        The core ``[begin, end)``, frames of the recording.
    rate : float, Hz
    is_last : bool
        Whether the recording ends with this chunk.
    """

    samples: np.ndarray
    first: int
    begin: int
    end: int
    rate: float
    is_last: bool


class Listener(Protocol):
    """Whoever measures in the sound."""

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A recording's mono mix, read as often as one likes.

    Parameters
    ----------
    rate : float, Hz
    frames : int
    blocks : callable
        Gives the samples from the beginning, in blocks of any length.
    """

    rate: float
    frames: int
    blocks: Callable[[], Iterator[np.ndarray]]

    @classmethod
    def of_samples(cls, y: np.ndarray, sample_rate: float) -> Sound:
        """Wrap mono samples in memory.

        Raises
        ------
        TakeprintError
            For another shape, an impossible rate or samples that are no finite floats.
        """
        y = np.asarray(y)
        if y.ndim != 1 or y.dtype.kind != "f":
            raise TakeprintError(f"samples of shape {y.shape} and type {y.dtype}", rule="a recording is mono floats")
        if not 1_000 <= sample_rate <= 768_000:
            raise TakeprintError(f"sample_rate={sample_rate}", rule="a rate is 1000 to 768000 Hz")
        for begin in range(0, len(y), _BLOCK):
            if not np.isfinite(y[begin : begin + _BLOCK]).all():
                raise TakeprintError(
                    "the samples hold values that are no finite numbers", remedy="open the file with open_audio"
                )
        return cls(float(sample_rate), len(y), lambda: (y[i : i + _BLOCK] for i in range(0, len(y), _BLOCK)))

    @classmethod
    def of_file(cls, audio: AudioFile) -> Sound:
        """Wrap a recording that is read block by block: memory does not grow with its length."""
        sound = cls(float(audio.sample_rate), audio.frames, audio.blocks_mono)
        if np.isfinite(audio.mono_peak):
            sound.__dict__["peak"] = audio.mono_peak  # known from looking through: the file is not read again
        return sound

    @classmethod
    def of_take(cls, take: Take) -> Sound:
        """Wrap an audio take."""
        return cls.of_file(take.audio) if take.audio is not None else cls.of_samples(*take.mono())

    @cached_property
    def peak(self) -> float:
        """The largest sample, full scale 1.0."""
        return max((float(np.abs(block).max()) for block in self.blocks() if len(block)), default=0.0)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the recording's chunks."""
        step = max(round(CHUNK_S * self.rate), 1)
        overlap = int(np.ceil(OVERLAP_S * self.rate))
        source = self.blocks()
        first, known, spare = 0, np.zeros(0), np.zeros(0)  # heard before and still wanted; read and not yet heard
        for begin in range(0, self.frames, step):
            end = min(begin + step, self.frames)
            wanted = min(end + overlap, self.frames) - first
            # One array a chunk, and no other that long: an hour at a high rate is heard in little memory.
            held = np.empty(wanted)
            held[: len(known)] = known
            have = len(known)
            while have < wanted:
                if not len(spare):
                    piece = next(source, None)
                    if piece is None:
                        break
                    spare = np.asarray(piece)
                count = min(len(spare), wanted - have)
                held[have : have + count] = spare[:count]
                spare, have = spare[count:], have + count
            keep = max(end - overlap, 0)
            known, held = held[keep - first : have].copy(), held[:have]
            yield Chunk(held, first, begin, end, self.rate, end == self.frames)
            first = keep
            del held


def listen(sound: Sound, *listeners: Listener) -> None:
    """Feed every chunk of a recording to every listener, in one pass."""
    for chunk in sound.chunks():
        for listener in listeners:
            listener.feed(chunk)
        del chunk  # before the next is read
