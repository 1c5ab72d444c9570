"""A Standard MIDI File in memory: its events, its time, its notes, and edited copies.

Conventions
-----------
Ticks are absolute and int64. Tracks count the ``MTrk`` chunks from 0. Byte offsets count in the file as it lies on
disk, whatever wraps it. A beat is a quarter note. What is not changed keeps its own bytes: running status, padded
delta times, foreign chunks, everything behind the last track.

References
----------
MIDI Manufacturers Association, "Standard MIDI Files 1.0" (RP-001), 1996: chunks, delta times,
running status, meta events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .errors import Repair
from .notes import Notes
from .smf_layout import Layout
from .smf_write import Insert, edit
from .timeline import Metre, Timeline

RUNNING, UNUSABLE = 1, 2  # flags, as in core/kernels/smf_decode.py
_DEFAULT_TEMPO_US = 500_000  # microseconds a quarter note: 120 bpm until a file says otherwise
_SMPTE_BPM = 120.0  # SMPTE files have no beats; this is the nominal tempo that gives them some


@dataclass(frozen=True)
class SmfLimits:
    """How much a file may ask for; what a file claims is never allocated before it is there.

    Parameters
    ----------
    max_bytes : int
        Length of the file.
    max_tracks, max_events : int
    max_message_bytes : int
        Length of a single meta or system exclusive message.
    """

    max_bytes: int = 256 << 20
    max_tracks: int = 16_384
    max_events: int = 20_000_000
    max_message_bytes: int = 16 << 20


@dataclass(frozen=True, eq=False)
class SmfEvents:
    """Every event of a file, the tracks one after another, each in the order of the file.

    Parameters
    ----------
    track : ndarray of int32 [shape=(n,)]
    tick : ndarray of int64 [shape=(n,)], ticks from the track's start
    status : ndarray of int32 [shape=(n,)], 0x80 to 0xFF, running status resolved
    data1, data2 : ndarray of int32 [shape=(n,)]
        Data bytes (at most 127), -1 for none. A meta event's type is its ``data1``.
    offset : ndarray of int64 [shape=(n,)], byte offset of the event behind its delta time
    length : ndarray of int32 [shape=(n,)], bytes of the event: status if written, type, length, payload
    delta_length : ndarray of int32 [shape=(n,)], bytes of the delta time right before
    flags : ndarray of int32 [shape=(n,)]
        1: the status byte is not written (running status). 2: a meta event that is kept and not used.
    """

    track: np.ndarray
    tick: np.ndarray
    status: np.ndarray
    data1: np.ndarray
    data2: np.ndarray
    offset: np.ndarray
    length: np.ndarray
    delta_length: np.ndarray
    flags: np.ndarray

    def __len__(self) -> int:
        return len(self.tick)

    @property
    def running(self) -> np.ndarray:
        """Whether each event's status byte is left out in the file."""
        return (self.flags & RUNNING) != 0

    @property
    def is_note_on(self) -> np.ndarray:
        """Note-ons with a velocity above 0."""
        return ((self.status & 0xF0) == 0x90) & (self.data2 > 0)

    @property
    def is_note_off(self) -> np.ndarray:
        """Note-offs, and note-ons with velocity 0."""
        kind = self.status & 0xF0
        return (kind == 0x80) | ((kind == 0x90) & (self.data2 == 0))

    @property
    def channel(self) -> np.ndarray:
        """Channel 0 to 15, -1 for events without one."""
        return np.where(self.status < 0xF0, self.status & 15, -1)

    def is_meta(self, kind: int) -> np.ndarray:
        """Meta events of one type that keep its definition."""
        return (self.status == 0xFF) & (self.data1 == kind) & ((self.flags & UNUSABLE) == 0)


@dataclass(frozen=True, eq=False)
class Smf:
    """A Standard MIDI File.

    Parameters
    ----------
    data : bytes
        The file as it lies on disk.
    format : int
        0, 1 or 2.
    division : int
        As written: ticks a quarter note, or SMPTE frames and ticks (bit 15 set).
    n_tracks : int
    events : SmfEvents
    repairs : tuple of Repair
        Defects mended on reading, in the order of the file.
    name : str or None
        For messages.
    origin : ndarray of int64 [shape=(n,)] or None
        After ``edited``: the row each event had before, -1 for a new one.
    """

    data: bytes
    format: int
    division: int
    n_tracks: int
    events: SmfEvents
    repairs: tuple[Repair, ...]
    name: str | None = None
    origin: np.ndarray | None = None
    limits: SmfLimits = field(default_factory=SmfLimits, repr=False)
    layout: Layout = field(repr=False, kw_only=True)
    spans: np.ndarray = field(repr=False, kw_only=True)
    reading_warnings: tuple[str, ...] = field(default=(), repr=False, kw_only=True)

    def __repr__(self) -> str:
        return f"<Smf {self.name or ''} format {self.format}, {self.n_tracks} tracks, {len(self.events)} events>"

    @property
    def ticks_per_beat(self) -> int | None:
        """Ticks a quarter note; None for an SMPTE division."""
        return None if self.division & 0x8000 else self.division

    @property
    def ticks_per_second(self) -> float | None:
        """Ticks a second for an SMPTE division; None where beats are counted."""
        if not self.division & 0x8000:
            return None
        frames, ticks = 256 - (self.division >> 8), self.division & 0xFF
        # "29" means drop-frame time of 30000/1001 frames a second
        return ticks * 30_000 / 1001 if frames == 29 else float(frames * ticks)

    @property
    def nominal_ticks_per_beat(self) -> float:
        """Ticks a beat, for an SMPTE division at the nominal 120 bpm."""
        rate = self.ticks_per_second
        return float(self.division) if rate is None else rate * 60.0 / _SMPTE_BPM

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Doubts about the file that need no repair, in words."""
        said = list(self.reading_warnings)
        if self.format == 2:
            said.append(f"format 2: {self.n_tracks} independent sequences, each with its own tempo, all from time 0")
        if self.ticks_per_second is not None:
            said.append(
                f"SMPTE time: {self.ticks_per_second:g} ticks a second; beats are nominal, at {_SMPTE_BPM:g} bpm"
            )
        us = self._tempi(None)[1]
        if len(us):
            low, high = 60e6 / us.max(), 60e6 / us.min()
            if high > 1000.0 or low < 3.0:
                said.append(f"tempi from {low:.4g} to {high:.6g} bpm are hard to believe")
        on, off, cut, _ = self._pairs
        hanging = on[off < 0]
        if len(hanging):
            stopped = int((cut[off < 0] >= 0).sum())
            first = int(hanging[0])
            said.append(
                f"{len(hanging)} note-on{'s' if len(hanging) > 1 else ''} without note-off (first: byte "
                f"{int(self.events.offset[first])}, track {int(self.events.track[first])}, "
                f"key {int(self.events.data1[first])}); "
                f"{stopped} end at All Notes Off, {len(hanging) - stopped} at the end of the track"
            )
        return tuple(said)

    # ------------------------------------------------------------------ time

    def _tempi(self, track: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Return (ticks, microseconds a quarter note) of the tempo events; of several at a tick the last counts."""
        events = self.events
        chosen = events.is_meta(0x51)
        if track is not None:
            chosen &= events.track == track
        rows = np.flatnonzero(chosen)
        if len(rows) == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        rows = rows[np.argsort(events.tick[rows], kind="stable")]
        ticks = events.tick[rows]
        keep = np.append(ticks[1:] != ticks[:-1], True)
        at = (events.offset[rows] + events.length[rows])[keep]
        raw = np.frombuffer(self.data, np.uint8)
        us = (raw[at - 3].astype(np.int64) << 16) | (raw[at - 2].astype(np.int64) << 8) | raw[at - 1]
        return ticks[keep], us

    def _clock(self, track: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return knots (ticks, elapsed microseconds x ticks a beat as int64, microseconds a beat from there)."""
        kept: dict[int | None, tuple[np.ndarray, np.ndarray, np.ndarray]] = self.__dict__.setdefault("_clocks", {})
        key = track if self.format == 2 else None
        if key not in kept:
            ticks, us = self._tempi(key)
            if len(ticks) == 0 or ticks[0] > 0:
                ticks = np.concatenate([[0], ticks])
                us = np.concatenate([[_DEFAULT_TEMPO_US], us])
            # Whole numbers: 2^38 ticks x 2^24 us fit; the only rounding is the last division.
            elapsed = np.concatenate([[0], np.cumsum(np.diff(ticks) * us[:-1])])
            kept[key] = (ticks, elapsed, us)
        return kept[key]

    def seconds_at_tick(self, ticks: Any, track: int | None = None) -> np.ndarray:
        """Return the time of ticks by the file's tempo map.

        Parameters
        ----------
        ticks : array_like, ticks (whole or fractional)
        track : int or None
            The sequence of a format 2 file (default: the first); the others have one tempo map for all tracks.

        Returns
        -------
        ndarray, seconds, float64
        """
        ticks = np.asarray(ticks)
        rate = self.ticks_per_second
        if rate is not None:
            return ticks / rate
        knots, elapsed, us = self._clock(track if track is not None else 0)
        i = np.maximum(np.searchsorted(knots, ticks, side="right") - 1, 0)
        return (elapsed[i] + (ticks - knots[i]) * us[i]) / (self.division * 1e6)

    def tempo_map(self, track: int | None = None) -> Timeline:
        """Return the map from beats to seconds.

        Parameters
        ----------
        track : int or None
            The sequence of a format 2 file (default: the first).

        Raises
        ------
        TakeprintError
            When the tempi are so fast that the times of two tempo events cannot be told apart.
        """
        if self.ticks_per_second is not None:
            return Timeline.constant(_SMPTE_BPM)
        knots, elapsed, us = self._clock(track if track is not None else 0)
        ticks = np.append(knots, knots[-1] + self.division)
        elapsed = np.append(elapsed, elapsed[-1] + self.division * us[-1])
        return Timeline(ticks / self.division, elapsed / (self.division * 1e6))

    def metre(self, track: int | None = None) -> Metre:
        """Return the time signatures; 4/4 holds where the file says nothing. ``track`` as in ``tempo_map``."""
        chosen = self.events.is_meta(0x58)
        if self.format == 2:
            chosen &= self.events.track == (track if track is not None else 0)
        rows = np.flatnonzero(chosen)
        rows = rows[np.argsort(self.events.tick[rows], kind="stable")]
        per_beat = self.nominal_ticks_per_beat
        changes = []
        for row in rows.tolist():
            said = self.payload(row)
            changes.append((float(self.events.tick[row]) / per_beat, said[0], 1 << said[1]))
        return Metre.of(changes)

    # ------------------------------------------------------------------ notes and names

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        from .kernels.note_pairs import note_pairs

        events = self.events
        on, off, cut, n_orphans = note_pairs(events.track, events.status, events.data1, events.data2)
        return on, off, cut, n_orphans

    def notes(self) -> Notes:
        """Return the notes.

        Within a track, a note-off ends the oldest open note of its channel and key: zero-length, unison and
        overlapping notes all survive. A note without note-off lasts to All Notes Off (controller 123) or All Sound
        Off (120) of its channel, else to the end of its track; its ``offset_tick`` and ``off_event`` are -1 and
        ``warnings`` tells of it. In a format 2 file every track has its own tempo and starts at time 0.

        Returns
        -------
        notes : Notes
            Rows are in order of (onset, track, pitch).
        """
        events = self.events
        on, off, cut, _ = self._pairs
        onset = events.tick[on]
        track = events.track[on].astype(np.int64)
        end = np.where(off >= 0, events.tick[off], np.where(cut >= 0, events.tick[cut], self.spans[track, 4]))
        onset_s, end_s = np.empty(len(on)), np.empty(len(on))
        for one in np.unique(track).tolist() if self.format == 2 else [None]:
            here = track == one if one is not None else slice(None)
            onset_s[here] = self.seconds_at_tick(onset[here], one)
            end_s[here] = self.seconds_at_tick(end[here], one)
        order = np.lexsort((events.data1[on], track, onset_s))
        per_beat = self.nominal_ticks_per_beat
        return Notes.build(
            onset_s=onset_s[order],
            duration_s=(end_s - onset_s)[order],
            onset_beat=onset[order] / per_beat,
            duration_beat=(end - onset)[order] / per_beat,
            pitch=events.data1[on][order],
            velocity=events.data2[on][order],
            onset_uncertainty_ms=np.zeros(len(on)),
            onset_tick=onset[order],
            offset_tick=np.where(off >= 0, end, -1)[order],
            track=track[order],
            channel=(events.status[on] & 15)[order],
            on_event=on[order],
            off_event=off[order],
        )

    def payload(self, row: int) -> bytes:
        """Return the payload of a meta or system exclusive event, b"" for others."""
        status = int(self.events.status[row])
        if status not in (0xFF, 0xF0, 0xF7):
            return b""
        at = int(self.events.offset[row])
        end = at + int(self.events.length[row])
        at += 2 if status == 0xFF else 1
        while self.data[at] > 127:
            at += 1
        return self.data[at + 1 : end]

    def track_names(self) -> list[str]:
        """Return the first name of each track, "" where it has none; UTF-8 if it can be, else Latin-1."""
        names = [""] * self.n_tracks
        for row in np.flatnonzero(self.events.is_meta(0x03))[::-1].tolist():
            said = self.payload(row)
            try:
                name = said.decode("utf-8")
            except UnicodeDecodeError:
                name = said.decode("latin-1")
            names[int(self.events.track[row])] = name
        return names

    @property
    def programs(self) -> dict[tuple[int, int], int]:
        """The first program of each (track, channel) that sets one."""
        rows = np.flatnonzero((self.events.status & 0xF0) == 0xC0)[::-1].tolist()
        events = self.events
        return {(int(events.track[r]), int(events.status[r]) & 15): int(events.data1[r]) for r in rows}

    # ------------------------------------------------------------------ writing

    def to_bytes(self) -> bytes:
        """Return the file's bytes; of a file that was only read, exactly those read."""
        return self.data

    def edited_bytes(
        self,
        *,
        tick: Any = None,
        data1: Any = None,
        data2: Any = None,
        drop: Any = None,
        insert: Sequence[Insert] = (),
    ) -> bytes:
        """Return the bytes of an edited copy; see ``edited``."""
        return edit(self, tick=tick, data1=data1, data2=data2, drop=drop, insert=insert)[0]

    def edited(
        self,
        *,
        tick: Any = None,
        data1: Any = None,
        data2: Any = None,
        drop: Any = None,
        insert: Sequence[Insert] = (),
    ) -> Smf:
        """Return a copy with some events moved, changed, left out or added.

        Tracks that nothing changes come out byte for byte; so do foreign chunks, a RIFF wrapper and trailing bytes. In
        the others events are written in order of tick, those of one tick in their old order; every event that keeps
        its data keeps its bytes. End of Track comes last and moves back when an event would lie behind it.

        Parameters
        ----------
        tick : array_like of int [shape=(n,)] or None, new absolute ticks, at least 0
        data1, data2 : array_like of int [shape=(n,)] or None
            New data bytes of channel messages; those of other events must stay as they are.
        drop : array_like of bool [shape=(n,)] or None
            Events to leave out; End of Track cannot be.
        insert : sequence of (track, tick, event bytes with status, side)
            New events; side -1 comes before the old events of its tick, 1 after them.

        Returns
        -------
        Smf
            ``origin`` tells the old row of each event.

        Raises
        ------
        TakeprintError
            For values out of range, or a wait between two events that four bytes cannot hold.
        """
        from .smf import read_smf

        data, origin = edit(self, tick=tick, data1=data1, data2=data2, drop=drop, insert=insert)
        made = read_smf(data, name=self.name, limits=self.limits)
        if len(origin) == len(made.events):
            origin.flags.writeable = False
            object.__setattr__(made, "origin", origin)
        return made
