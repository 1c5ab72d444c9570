"""Sound in: any recording, in blocks, with every doubt about it said.

Conventions
-----------
Samples are float64 arrays [shape=(frames, channels)], full scale is 1.0. A frame is one sample of every channel.
Frame numbers count from 0 after ``skipped_frames`` were left out. Only regular files are opened; the header is ours
to read and is held against the bytes on disk; memory does not grow with the length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .audio_decode import BLOCK_FRAMES, READABLE, decode, open_bytes
from .audio_plan import Plan, Source
from .audio_scan import look_through
from .audio_write import Written, write_audio
from .errors import Repair, TakeprintError

__all__ = ["BLOCK_FRAMES", "AudioFile", "Written", "open_audio", "write_audio"]


@dataclass(frozen=True)
class AudioFile:
    """A recording that was looked through once and can be read again and again.

    Parameters
    ----------
    path : Path
    sample_rate : int, Hz
    channels, frames : int
    format, subtype : str
        libsndfile's names, e.g. ``"WAV"`` and ``"PCM_24"``.
    duration_s : float, seconds
    peak : float
        Largest absolute sample, full scale = 1.0.
    mono_weights : tuple of float [length channels]
        How ``read_mono`` mixes: silent channels are left out, and of two channels in opposite phase only the first
        is taken.
    mono_peak : float
        Largest absolute sample of that mix; NaN where only reading again can tell (some of many channels silent).
    skipped_frames : int
        Frames of encoder delay left out at the start (MP3 without a LAME tag).
    nonfinite : int
        Samples that are no numbers, read as 0.
    repairs : tuple of Repair
    warnings : tuple of str
    """

    path: Path
    sample_rate: int
    channels: int
    frames: int
    format: str
    subtype: str
    duration_s: float
    peak: float
    mono_weights: tuple[float, ...]
    mono_peak: float
    skipped_frames: int
    nonfinite: int
    repairs: tuple[Repair, ...]
    warnings: tuple[str, ...]
    _plan: Plan

    def blocks(self, block_frames: int = BLOCK_FRAMES, start: int = 0, frames: int = -1) -> Iterator[np.ndarray]:
        """Yield the samples from ``start`` in blocks.

        Parameters
        ----------
        block_frames : int, frames
            Length of every block but the last.
        start : int, frames
        frames : int, frames
            How many in all; -1 for all that follow.

        Yields
        ------
        ndarray [shape=(block_frames, channels)], float64

        Raises
        ------
        TakeprintError
            For a place outside the file, or when the file changed since it was opened.
        """
        if block_frames < 1:
            raise TakeprintError(f"block_frames={block_frames}", rule="a block has 1 frame or more")
        if not 0 <= start <= self.frames:
            raise TakeprintError(f"start={start}", where=self.path.name, rule=f"frames are 0 to {self.frames}")
        left = self.frames - start if frames < 0 else min(frames, self.frames - start)
        if left == 0:
            return
        missing = TakeprintError("the file changed while it was read", where=self.path.name, remedy="run again")
        with open_bytes(self.path) as handle:
            decoded = decode(handle, self._plan, start + self.skipped_frames, block_frames)
            while left > 0:
                block = next(decoded, None)
                if block is None:
                    raise missing
                block = block[:left]
                left -= len(block)
                if self.nonfinite:
                    block[~np.isfinite(block)] = 0.0
                yield block

    def read(self, start: int = 0, frames: int = -1) -> np.ndarray:
        """Return samples as one array [shape=(frames, channels)], float64."""
        parts = list(self.blocks(start=start, frames=frames))
        return np.concatenate(parts) if parts else np.zeros((0, self.channels))

    def blocks_mono(self, block_frames: int = BLOCK_FRAMES, start: int = 0, frames: int = -1) -> Iterator[np.ndarray]:
        """Yield the mono mix in blocks [shape=(block_frames,)], float64."""
        weights = np.array(self.mono_weights)
        for block in self.blocks(block_frames, start, frames):
            yield block @ weights

    def read_mono(self, start: int = 0, frames: int = -1) -> np.ndarray:
        """Return the mono mix as one array [shape=(frames,)], float64; see ``mono_weights``."""
        parts = list(self.blocks_mono(start=start, frames=frames))
        return np.concatenate(parts) if parts else np.zeros(0)


def open_audio(path: str | os.PathLike[str], *, strict: bool = False) -> AudioFile:
    """Look through a recording and say what it is and what is doubtful about it.

    Parameters
    ----------
    path : path-like
        A regular file.
    strict : bool
        Refuse what would be repaired.

    Returns
    -------
    AudioFile

    Raises
    ------
    TakeprintError
        When it is no recording we read, cannot be repaired, or ``strict`` forbids the repair.

    Examples
    --------
    >>> try:
    ...     open_audio("missing.wav")
    ... except TakeprintError as error:
    ...     print(error)
    missing.wav: there is no such file
    """
    place = Path(path)
    with open_bytes(place) as handle:
        source = Source(handle, place.name)
        plan = _plan(source)
        if strict and plan.repairs:
            raise _strict_refusal(place.name, plan.repairs[0])
        look = look_through(handle, plan, place.name)
    if strict and plan.repairs:
        raise _strict_refusal(place.name, plan.repairs[0])
    return AudioFile(
        path=place,
        sample_rate=plan.sample_rate,
        channels=plan.channels,
        frames=look.frames,
        format=plan.format,
        subtype=plan.subtype,
        duration_s=look.frames / plan.sample_rate,
        peak=look.peak,
        mono_weights=look.mono_weights(),
        mono_peak=look.mono_peak(),
        skipped_frames=plan.skip_frames,
        nonfinite=look.nonfinite,
        repairs=tuple(plan.repairs),
        warnings=tuple(plan.warnings),
        _plan=plan,
    )


def _strict_refusal(name: str, repair: Repair) -> TakeprintError:
    where = f"{name}, byte {repair.offset}" if repair.offset >= 0 else name
    return TakeprintError(
        repair.text,
        where=where,
        rule="strict reading repairs nothing",
        remedy="leave strict away to read it as repaired",
        code=repair.code,
    )


_STRANGERS = (
    (b"MThd", "a MIDI file", "measure it as MIDI: give it the ending .mid"),
    (b"version https://git-lfs", "a Git LFS pointer instead of the sound", "fetch the file itself: git lfs pull"),
    (b"\x30\x26\xb2\x75", "a WMA (ASF) file", "convert it to WAV or FLAC"),
    (b"\x89PNG", "a PNG picture", "choose the sound file"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM file", "convert its sound to WAV or FLAC"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it first"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"wvpk", "a WavPack file", "convert it to WAV or FLAC"),
    (b"MAC ", "a Monkey's Audio file", "convert it to WAV or FLAC"),
)


def _plan(source: Source) -> Plan:
    """Choose the parser by the first bytes, never by the name."""
    from . import audio_headers as headers
    from . import audio_streams as streams

    if source.size == 0:
        raise source.refusal("the file is empty", rule=READABLE, remedy="copy or record it again")
    start, tag = 0, streams.id3_size(source.at(0, 10))
    while tag and start < source.size:
        start += tag
        tag = streams.id3_size(source.at(start, 10))
    head = source.at(start, 64)
    plan: Plan | None = None
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        plan = headers.parse_wav(source, start)
    elif head[:16] == bytes.fromhex("726966662e91cf11a5d628db04c10000"):
        plan = headers.parse_w64(source, start)
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        plan = headers.parse_aiff(source, start)
    elif head[:4] in (b".snd", b"dns."):
        plan = headers.parse_au(source, start)
    elif head[:4] == b"caff":
        plan = headers.parse_caf(source, start)
    elif head[:4] == b"fLaC":
        return streams.plan_flac(source, start)
    elif head[:4] == b"OggS":
        plan = streams.plan_ogg(source, start)
    if plan is not None:
        if start:
            plan.mend(0, "id3.in-front", f"an ID3 tag of {start} bytes stands in front; it is passed over")
        return plan
    _refuse_strangers(source, head, start)
    return streams.plan_mpeg(source, start, source.size)


def _refuse_strangers(source: Source, head: bytes, start: int) -> None:
    """Name what the file is when it is no sound we read."""
    for magic, what, remedy in _STRANGERS:
        if head.startswith(magic):
            raise source.refusal(f"it is {what}", rule=READABLE, remedy=remedy)
    if head[4:8] == b"ftyp":
        raise source.refusal("it is an MP4 or M4A file", rule=READABLE, remedy="convert it to WAV or FLAC")
    if head[:1] == b"<" or head[:9].lower() == b"<!doctype":
        raise source.refusal("it is a web page", rule=READABLE, remedy="download the sound file itself")
    mpeg = head[:1] == b"\xff" or start or any(source.at(0, 4096)[i] == 0xFF for i in range(min(source.size, 4096)))
    if not mpeg:
        what = "it is text" if head and all(c in b"\t\r\n" or 32 <= c < 127 for c in head) else "its kind is not known"
        raise source.refusal(
            what, rule=READABLE, remedy="convert it to WAV or FLAC; raw samples need an import in an audio editor"
        )
