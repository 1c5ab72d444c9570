"""Reading Standard MIDI Files, event by event and byte for byte; the door to everything about them.

Conventions
-----------
As in core/smf_file.py. Defects are mended and listed, unless the reader is strict; every refusal is a
``TakeprintError`` with the byte offset. The memory taken grows with the bytes that are there, never with those claimed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from .errors import Repair, TakeprintError
from .files import read_regular
from .smf_file import Smf, SmfEvents, SmfLimits
from .smf_layout import lay_out
from .smf_repair import MAX_LISTED, place, refuse_kind, refuse_outcome, repairs_of
from .smf_write import Insert, write_new_smf

__all__ = ["Insert", "Smf", "SmfEvents", "SmfLimits", "read_smf", "write_new_smf"]

_DEFAULT = SmfLimits()


def read_smf(
    source: str | os.PathLike[str] | bytes,
    *,
    strict: bool = False,
    name: str | None = None,
    limits: SmfLimits = _DEFAULT,
) -> Smf:
    """Read a Standard MIDI File: types 0, 1 and 2, bare or in a RIFF (RMID) wrapper.

    Parameters
    ----------
    source : str, path or bytes
        A file, or its content.
    strict : bool
        Refuse the first defect instead of mending it.
    name : str or None
        For messages; the path by default.
    limits : SmfLimits

    Returns
    -------
    Smf

    Raises
    ------
    TakeprintError
        When the file is no MIDI file, cannot be repaired or breaks a limit; with ``strict`` for every defect.

    Examples
    --------
    >>> from takeprint.core.notes import Notes
    >>> notes = Notes.build(onset_beat=[0, 1], duration_beat=[1, 1], pitch=[60, 64], velocity=[80, 90])
    >>> smf = read_smf(write_new_smf(None, notes))
    >>> smf.notes().onset_s.tolist()
    [0.0, 0.5]
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        if len(data) > limits.max_bytes:
            raise TakeprintError(
                f"{len(data)} bytes",
                where=place(name),
                rule=f"a MIDI file has at most {limits.max_bytes} bytes",
                code="midi.limit",
            )
    else:
        name = name if name is not None else os.fsdecode(os.fspath(source))
        data = read_regular(source, limits.max_bytes)
    refuse_kind(data, name)
    decoder = _Decoder(data, limits, name)
    forced: dict[int, int] = {}
    while True:
        repairs: list[Repair] = []
        warnings: list[str] = []
        layout = lay_out(
            data,
            name=name,
            max_tracks=limits.max_tracks,
            scan=decoder.scan,
            forced=forced,
            repairs=repairs,
            warnings=warnings,
        )
        decoder.decode(layout.chunks, layout.ends)
        swallowed = decoder.swallowed(layout.chunks, layout.ends)
        if not swallowed:
            break
        forced |= swallowed
    repairs += [
        Repair(
            chunk + 4, "midi.track-length", f"a track claims to hold the next one; it ends {end - chunk - 8} bytes on"
        )
        for chunk, end in forced.items()
    ]
    found, doubts = repairs_of(decoder.issues, decoder.n_issues)
    repairs = sorted(repairs + found, key=lambda r: (r.offset < 0, r.offset))
    if decoder.n == 0 and any(r.code == "midi.truncated" for r in repairs):
        raise TakeprintError(
            "nothing in the file can be read",
            where=place(name, repairs[0].offset),
            rule=repairs[0].text,
            code="midi.truncated",
        )
    if strict and repairs:
        raise TakeprintError(
            repairs[0].text,
            where=place(name, repairs[0].offset),
            remedy="leave out --strict to repair it",
            code=repairs[0].code,
        )
    return Smf(
        data,
        layout.format,
        layout.division,
        len(layout.chunks),
        decoder.events(),
        tuple(repairs),
        name,
        limits=limits,
        layout=layout,
        spans=decoder.spans,
        reading_warnings=tuple(warnings + doubts),
    )


class _Decoder:
    """Runs the decoding kernel with columns just long enough."""

    def __init__(self, data: bytes, limits: SmfLimits, name: str | None) -> None:
        from .kernels.smf_decode import smf_decode

        self._kernel = smf_decode
        self._raw = np.frombuffer(data, np.uint8)
        self._data = data
        self._limits = limits
        self._name = name

    def _run(self, starts: np.ndarray, ends: np.ndarray, first_end: bool) -> tuple[int, int, int]:
        n_bytes = int((ends - starts).sum())
        longest = self._limits.max_message_bytes
        # Most events take four bytes or more; the smallest possible takes two.
        for room in (n_bytes // 3 + 16, n_bytes // 2 + 16):
            room = min(room, self._limits.max_events)  # noqa: PLW2901
            self.wide = np.empty((2, room), np.int64)
            self.narrow = np.empty((7, room), np.int32)
            self.spans = np.empty((len(starts), 5), np.int64)
            self.issues = np.empty((MAX_LISTED, 4), np.int64)
            outcome, self.n, self.n_issues, offset, value = self._kernel(
                self._raw, starts, ends, first_end, longest, self.wide, self.narrow, self.spans, self.issues
            )
            if outcome != 1:
                break
        return outcome, offset, value

    def decode(self, chunks: Sequence[int], ends: Sequence[int]) -> None:
        """Decode all tracks."""
        outcome, offset, value = self._run(np.array(chunks, np.int64) + 8, np.array(ends, np.int64), False)
        if outcome == 1:
            limit = self._limits.max_events
            raise TakeprintError(
                f"more than {limit} events",
                where=place(self._name, offset),
                rule=f"a file has at most {limit} events",
                code="midi.limit",
            )
        if outcome:
            raise refuse_outcome(outcome, offset, value, self._limits, self._name)

    def scan(self, start: int, end: int) -> int:
        """Return where the End of Track of a track at ``start`` ends, -1 when it is not met before ``end``."""
        outcome, _, _ = self._run(np.array([start]), np.array([end]), True)
        return int(self.spans[0, 2]) if outcome == 0 and self.spans[0, 3] else -1

    def swallowed(self, chunks: Sequence[int], ends: Sequence[int]) -> dict[int, int]:
        """Return the right ends of tracks whose length covers the following track."""
        if self.n_issues == 0:
            return {}
        stops = self.spans[:, 2].tolist()
        return {
            chunk: stop
            for chunk, stop, end in zip(chunks, stops, ends, strict=True)
            if stop < end and self._data[stop : stop + 4] == b"MTrk"
        }

    def events(self) -> SmfEvents:
        """Return the columns."""
        wide, narrow = self.wide[:, : self.n], self.narrow[:, : self.n]
        wide.flags.writeable = False
        narrow.flags.writeable = False
        return SmfEvents(
            track=narrow[0],
            tick=wide[0],
            status=narrow[1],
            data1=narrow[2],
            data2=narrow[3],
            offset=wide[1],
            length=narrow[4],
            delta_length=narrow[5],
            flags=narrow[6],
        )
