"""Where slips are laid: a performance in the order of its score, how hard each note is, and which keys are free.

Conventions
-----------
Seconds, beats, MIDI note numbers and velocities. A desk is edited in place; the tables it was made of are not.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.deviations import DeviationNotes, Deviations
from ...core.metrical import VOICES, groups, voices
from ...core.notes import Notes

_DRUM_CHANNEL = 9
_LOWEST, _HIGHEST = 21, 108  # a piano's keys
# A step of this many semitones beyond the hand's last place, or this long a gap, doubles what goes wrong.
_LEAP_SEMITONES, _FAST_S = 6.0, 0.20
_MOST_DIFFICULT = 4.0
_OF_VOICE = {"inner": 1.6, "bass": 1.0, "top": 0.3, "lone": 0.5}
# A key is no candidate while it sounds, or was struck or will be within these: it would be heard as a repetition.
_STRUCK_BEFORE_S, _STRUCK_AFTER_S = 0.45, 0.40
_TOGETHER_S = 0.05
_RIGID_S = 0.045  # strokes of one drum nearer than this are a flam or a roll
LET_GO_S = 0.010  # a key comes up this long before it is struck again
_NEIGHBOURHOOD_BEAT = 2.0
# Where the finger may land, in key widths from the middle of the right key: most on the next keys.
_MISS_SD_WIDTHS = 0.75
_OTHER_COLOUR = 0.5  # black keys lie further back than white ones
_STRAY = 0.35  # odds of a neighbour foreign to the music around, against one that it uses
# Middles of the twelve keys of an octave in widths of a white key; black keys lie between two white ones.
_KEY_MIDDLE = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5])
_IS_BLACK = np.array([0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0], dtype=bool)
_STEPS = np.array([-4, -3, -2, -1, 1, 2, 3, 4])


@dataclass(eq=False)
class Desk:
    """What is edited: rows in the order of the score's notes, with what is known of each."""

    notes: Notes
    rows: DeviationNotes
    order: np.ndarray  # row of ``rows`` for each note of the score
    free: np.ndarray  # notes that may be touched
    free_all: bool
    kit: np.ndarray
    moment: np.ndarray  # number of each note's written moment, over all parts
    onset_s: np.ndarray
    end_s: np.ndarray
    velocity: np.ndarray
    pitch: np.ndarray
    keyed: dict[tuple[int, int], np.ndarray]  # notes of each (channel, key), in order of time
    room_s: np.ndarray  # until the key's next written stroke, seconds
    gone: np.ndarray
    articulation: np.ndarray
    slip_id: np.ndarray
    others: list[dict[str, Any]]  # strokes that were added before
    added: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0

    @classmethod
    def of(cls, made: Deviations, notes: Notes, eligible: np.ndarray | None) -> Desk:
        """Lay out a performance of a score; only ``eligible`` notes are free."""
        rows, n = made.notes, len(notes)
        order = np.full(n, -1, dtype=np.int64)
        written = np.flatnonzero(rows.reference_index >= 0)
        order[rows.reference_index[written]] = written
        there = order >= 0

        def column(values: np.ndarray, nothing: Any) -> np.ndarray:
            return np.where(there, values[np.maximum(order, 0)], nothing) if len(values) else np.full(n, nothing)

        onset_s, duration_s = column(rows.onset_s, np.nan), column(rows.duration_s, np.nan)
        velocity, pitch = column(rows.velocity, np.nan), notes.pitch
        free = column(rows.label, "") == "match"
        free &= np.isfinite(onset_s) & np.isfinite(duration_s) & np.isfinite(velocity) & np.isfinite(pitch)
        free_all = eligible is None or bool(np.all(eligible))
        if eligible is not None:
            free &= np.asarray(eligible, dtype=bool)
        moment = groups(notes.onset_beat, np.zeros(n, dtype=np.int64))
        # The first and the last moment hold the piece together.
        free &= (moment > 0) & (moment < moment.max()) & (notes.duration_beat > 0)
        keyed = _keyed(notes, onset_s)
        free &= ~_doubled(notes, keyed, onset_s)
        return cls(
            notes=notes,
            rows=rows,
            order=order,
            free=free,
            free_all=free_all,
            kit=notes.channel == _DRUM_CHANNEL,
            moment=moment,
            onset_s=onset_s,
            end_s=onset_s + duration_s,
            velocity=velocity,
            pitch=np.nan_to_num(pitch, nan=-1.0).astype(np.int64),
            keyed=keyed,
            room_s=_room(keyed, onset_s),
            gone=np.zeros(n, dtype=bool),
            articulation=column(rows.articulation_log2, np.nan),
            slip_id=column(rows.slip_id, -1),
            others=_added_before(rows),
            number=int(rows.slip_id.max(initial=-1)) + 1,
        )

    def strikes(self, channel: int, key: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (starts, ends) of a key's notes, missed ones too: a missed note could be played as well."""
        own = self.keyed.get((channel, key), np.zeros(0, dtype=np.int64))
        more = [a for a in (*self.others, *self.added) if a["channel"] == channel and a["pitch"] == key]
        starts = np.concatenate([self.onset_s[own], [a["onset_s"] for a in more]])
        return starts, np.concatenate([self.end_s[own], [a["onset_s"] + a["duration_s"] for a in more]])

    def is_busy(self, channel: int, key: int, start_s: float, end_s: float) -> bool:
        """Tell whether a key sounds in a span of time or is struck so near that a stroke would be a repetition."""
        starts, ends = self.strikes(channel, key)
        sounds = (starts < end_s + LET_GO_S) & (ends > start_s - LET_GO_S)
        near = (starts > start_s - _STRUCK_BEFORE_S) & (starts < start_s + _STRUCK_AFTER_S)
        return bool((sounds | near).any())

    def next_strike(self, row: int) -> float:
        """Return when a note's key is struck again, seconds."""
        starts, _ = self.strikes(int(self.notes.channel[row]), int(self.pitch[row]))
        later = starts[starts > self.onset_s[row]]
        return float(later.min()) if len(later) else np.inf

    def number_next(self) -> int:
        """Return a new slip's number."""
        self.number += 1
        return self.number - 1

    def add(self, row: int, onset_s: float, duration_s: float, pitch: int, velocity: float, number: int) -> None:
        """Add a stroke beside or instead of the note ``row``."""
        self.added.append(
            {
                "row": row,
                "channel": int(self.notes.channel[row]),
                "onset_s": onset_s,
                "duration_s": duration_s,
                "pitch": int(pitch),
                "velocity": float(np.clip(np.round(velocity), 1, 127)),
                "slip_id": number,
            }
        )


def _added_before(rows: DeviationNotes) -> list[dict[str, Any]]:
    there = (rows.label == "insertion") & np.isfinite(rows.onset_s) & np.isfinite(rows.pitch)
    return [
        {"channel": channel, "pitch": int(pitch), "onset_s": onset_s, "duration_s": duration_s}
        for channel, pitch, onset_s, duration_s in zip(
            rows.channel[there].tolist(),
            rows.pitch[there].tolist(),
            rows.onset_s[there].tolist(),
            np.nan_to_num(rows.duration_s[there]).tolist(),
            strict=True,
        )
    ]


def _keyed(notes: Notes, onset_s: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    key = notes.channel * 256 + np.nan_to_num(notes.pitch, nan=255.0).astype(np.int64)
    order = np.lexsort((onset_s, key))
    bounds = np.append(np.flatnonzero(np.diff(key[order], prepend=-(10**6))), len(key))
    parts = [order[a:b] for a, b in itertools.pairwise(bounds.tolist())]
    return {(int(key[p[0]]) // 256, int(key[p[0]]) % 256): p for p in parts}


def _room(keyed: Mapping[tuple[int, int], np.ndarray], onset_s: np.ndarray) -> np.ndarray:
    out = np.full(len(onset_s), np.inf)
    for rows in keyed.values():
        out[rows[:-1]] = np.diff(onset_s[rows])
    return out


def _doubled(notes: Notes, keyed: Mapping[tuple[int, int], np.ndarray], onset_s: np.ndarray) -> np.ndarray:
    """Tell the notes whose key has another stroke beside them: two voices on one key, a flam, a roll."""
    out = np.zeros(len(notes), dtype=bool)
    for rows in keyed.values():
        close = np.diff(onset_s[rows]) < _RIGID_S
        out[rows[1:][close]] = out[rows[:-1][close]] = True
    return out


def difficulty(desk: Desk) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per note (how hard its key is to hit, how fast it comes, how exposed its voice is to slips)."""
    notes = desk.notes
    player = notes.track * 16 + notes.channel
    group = groups(notes.onset_beat, player)
    order = np.lexsort((desk.pitch, group))
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    low = np.minimum.reduceat(desk.pitch[order], first)
    high = np.maximum.reduceat(desk.pitch[order], first)
    begin_s = np.fmin.reduceat(np.where(np.isfinite(desk.onset_s), desk.onset_s, np.inf)[order], first)
    of_player = player[order][first]
    same = np.diff(of_player, prepend=-1) == 0
    before = np.where(same, np.arange(len(first)) - 1, 0)
    gap_s = np.where(same, begin_s - begin_s[before], 10.0)[group]
    leap = np.maximum(np.maximum(low[before][group] - desk.pitch, desk.pitch - high[before][group]), 0)
    leap = np.where(same[group], leap, 0)
    fast = np.clip(_FAST_S / np.maximum(np.nan_to_num(gap_s, nan=10.0), 0.05), 0.0, 3.0)
    hard = np.clip(1.0 + leap / _LEAP_SEMITONES + fast, 1.0, _MOST_DIFFICULT)
    size = np.bincount(group)[group]
    voice = np.where(size == 1, len(VOICES), voices(notes.pitch, group))
    exposed = np.array([_OF_VOICE[name] for name in (*VOICES, "lone")])[voice]
    return np.where(desk.kit, 1.0 + fast, hard), fast, np.where(desk.kit, 1.0, exposed)


def hand_is_there(desk: Desk, row: int, time_s: float) -> bool:
    """Tell whether the hand strikes a key beside a note's own just then: the second stroke would be a grasp of both."""
    low, high = time_s - _TOGETHER_S, time_s + _TOGETHER_S
    channel, pitch = int(desk.notes.channel[row]), int(desk.pitch[row])
    for key in range(pitch - 2, pitch + 3):
        starts, _ = desk.strikes(channel, key)
        if ((starts >= low) & (starts <= high)).any():
            return True
    return False


def key_odds(pitch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys that a finger may land on instead of one, and how likely each is.

    Parameters
    ----------
    pitch : int
        The right key.

    Returns
    -------
    keys : ndarray of int64 [shape=(k,)]
    odds : ndarray [shape=(k,)]
        Their sum is 1. They fall with the distance of the keys' middles; a key of the other colour lies further off.

    Examples
    --------
    >>> keys, odds = key_odds(60)
    >>> int(keys[odds.argmax()]), {59, 61, 62} <= set(keys.tolist())
    (59, True)
    """
    keys = pitch + _STEPS
    keys = (
        keys[(keys >= _LOWEST) & (keys <= _HIGHEST)]
        if _LOWEST <= pitch <= _HIGHEST
        else keys[(keys >= 0) & (keys < 128)]
    )
    middle = _KEY_MIDDLE[keys % 12] + 7.0 * (keys // 12) - _KEY_MIDDLE[pitch % 12] - 7.0 * (pitch // 12)
    odds = np.exp(-0.5 * (middle / _MISS_SD_WIDTHS) ** 2)
    odds *= np.where(_IS_BLACK[keys % 12] == _IS_BLACK[pitch % 12], 1.0, _OTHER_COLOUR)
    return keys, odds / odds.sum()


def neighbour(desk: Desk, row: int, start_s: float, duration_s: float, u: float) -> int | None:
    """Return a free neighbour key, rather one that the music around uses; None where there is none."""
    channel = int(desk.notes.channel[row])
    keys, odds = key_odds(int(desk.pitch[row]))
    low, high = np.searchsorted(
        desk.notes.onset_beat, desk.notes.onset_beat[row] + np.array([-1, 1]) * _NEIGHBOURHOOD_BEAT
    )
    around = desk.pitch[low:high][~desk.kit[low:high]] % 12
    odds = odds * np.where(np.isin(keys % 12, around), 1.0, _STRAY)
    odds *= [not desk.is_busy(channel, int(key), start_s, start_s + duration_s) for key in keys]
    if odds.sum() <= 0.0:
        return None
    upto = np.cumsum(odds) / odds.sum()
    return int(keys[int(np.searchsorted(upto, u, side="right").clip(0, len(keys) - 1))])
