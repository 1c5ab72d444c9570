"""Measure ``slips``: wrong, missed, added and repeated notes, restarts, skips and hesitations.

Conventions
-----------
A slip is an event with ``kind``, ``time_s`` (in the take), ``beat`` (in the score), ``confidence`` (0 to 1) and, where
they apply:

- ``pitch_written``, ``pitch_played``: MIDI note numbers;
- ``interval`` of a wrong note: ``"semitone"``, ``"neighbour"`` (a whole tone), ``"octave"`` or ``"other"``;
- ``duration_s``: of a hesitation the wait beyond what was due, of a restart the time until the music goes on;
- ``beat_from``, ``beat_to``, ``n_notes``: of what was replayed (``repeated``), passed over (``missed``) or played in
  another octave (``wrong``) as a whole, which is one event;
- ``slip_id``: the rows of the notes table that it speaks of.

A wrong note is one slip, though it is a deletion and an insertion. No slips are: notes of an ornament, the second of
two notes that one key plays at once, in the score or in the take, what was played before and after the piece, the
rest of a piece where the take stops, a repeat that was not taken, and written notes without a pitch that nothing tells
of.
A hesitation lies between two written positions: ``time_s`` is when the second was due, ``beat`` where it is written.

Method
------
A hesitation is an interval between successive written onsets that is longer than its surroundings explain. Its due
length is its written length times the slower of the local periods before and after it (medians weighted by the
written length), so that neither a ritardando nor the tempo after it makes a wait. The excess must be long enough to
be heard as a stop and must stand out from the take's own unevenness: by the median absolute deviation of the log
ratios nearby and in the whole take, or, where a player is uneven by habit (swung notes), above the longest of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import DeviationNotes
from ..core.intervals import interval_name
from .stretches import Stretch, find_stretches
from .waits import find_waits

if TYPE_CHECKING:
    from .align import Passage

# A key struck again while its written note lasts, at least so soon, or so shortly before it, is a repeated note, ...
_REPEAT_S, _REPEAT_BEFORE_S = 0.4, 0.35
# ... unless the finger grasped it along with the next key or the next but one: then the key is added.
_ALONG_S, _ALONG_SEMITONES = 0.04, 2.0
_NEARBY_S = 1.0
# Two strokes of one key nearer than this are one stroke that the file tells twice.
_AT_ONCE_S = 0.01
# A wrong key lies this near to the right one, or an octave off; in a chord it is struck this near to the others.
_NEAR_SEMITONES, _CHORD_S = 4.0, 0.15
# So many added notes at most may each stand for a missed one.
_MOST_CANDIDATES = 32
# Notes in another octave, this many in a row with no farther gap, are one displacement.
_LEAST_DISPLACED, _DISPLACED_GAP_BEATS = 4, 8.0
# A touch so short and soft against the notes around is more likely a brush than a stroke.
_BRUSH_S = 0.04
# A replay longer than this (eight bars of four) may be a repeat that the score does not write out.
_LONG_REPLAY_BEATS = 32.0
_UNKNOWN = {"wrong": 0.8, "missed": 0.7, "added": 0.7, "repeated": 0.7}


# A slip counts from this confidence on.
_LIKELY = 0.5

Slip = dict[str, Any]


def likely(slips: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return the slips that are likelier than not: those that are counted."""
    return tuple(s for s in slips if s.get("confidence") is None or float(s["confidence"]) >= _LIKELY)


def find_slips(
    notes: DeviationNotes, onset_due_s: np.ndarray, passages: Sequence[Passage] = ()
) -> tuple[tuple[Slip, ...], DeviationNotes]:
    """Name the slips of an aligned take and number them.

    Parameters
    ----------
    notes : DeviationNotes
        Rows of a wrong note already share a ``slip_id``.
    onset_due_s : ndarray [shape=(n,)], seconds
        When each row was due; for an insertion when it sounded.
    passages : sequence of Passage, optional
        What was replayed, skipped, or played before or after the piece, as ``align.align_notes`` finds it.

    Returns
    -------
    slips : tuple of dict
        In order of time.
    notes : DeviationNotes
        With a ``slip_id`` on every row that belongs to a slip.
    """
    slip_id = notes.slip_id.copy()
    taken = (notes.ornament != "") | _written_twice(notes) | _told_twice(notes) | _not_told(notes)
    slips: list[Slip] = []
    where = _Places(notes)
    stretches = find_stretches(notes, passages, (slip_id < 0) & ~taken)
    for stretch in stretches:
        taken[stretch.rows] = stretch.kind not in ("before", "after")
        if stretch.kind in ("replayed", "skipped"):
            slip_id[stretch.rows] = number = _following(slip_id)
            slips.append(_whole(stretch, notes, number, where))
    pairs = _wrong_pairs(notes, slip_id, taken)
    pairs += _pairs_left(notes, onset_due_s, (slip_id < 0) & ~taken, where)
    for group in _grouped(notes, pairs):
        known = int(slip_id[group[0][0]])
        slip_id[np.array(group).ravel()] = number = known if known >= 0 else _following(slip_id)
        slips.append(_wrong(notes, group, number))
    # What else was played before and after is no slip, unless it stands for the first notes or the last.
    for stretch in stretches:
        taken[stretch.rows] = True
    for row in np.flatnonzero((notes.label != "match") & (slip_id < 0) & ~taken).tolist():
        slip_id[row] = number = _following(slip_id)
        slips.append(_single(notes, row, float(onset_due_s[row]), number, where))
    slips.extend(_hesitations(notes, [(stretch.start_s, stretch.end_s) for stretch in stretches]))
    return tuple(sorted(slips, key=lambda slip: slip["time_s"])), notes.replace(slip_id=slip_id)


def _following(slip_id: np.ndarray) -> int:
    return int(slip_id.max(initial=-1)) + 1


class _Places:
    """Where in the score a moment of the take lies, by the matched notes."""

    def __init__(self, notes: DeviationNotes) -> None:
        rows = np.flatnonzero((notes.label == "match") & np.isfinite(notes.onset_s))
        rows = rows[np.argsort(notes.onset_s[rows], kind="stable")]
        self.rows = rows
        self.time_s = notes.onset_s[rows]
        self.beat = np.maximum.accumulate(notes.reference_beat[rows]) if len(rows) else np.zeros(0)

    def beat_at(self, time_s: float) -> float | None:
        """Return the position in the score, None without matches."""
        if len(self.time_s) == 0:
            return None
        return float(np.interp(time_s, self.time_s, self.beat))

    def time_at(self, beat: np.ndarray) -> np.ndarray:
        """Return when positions of the score came in the take, seconds."""
        return np.interp(beat, self.beat, self.time_s)

    def around(self, beat: float) -> tuple[float, float, float]:
        """Return the last onset before a written position, the mean at it (NaN for none) and the first after it."""
        low, high = np.searchsorted(self.beat, [beat - 1e-6, beat + 1e-6])
        own_s = float(np.mean(self.time_s[low:high])) if high > low else np.nan
        before_s = float(self.time_s[low - 1]) if low else -np.inf
        return before_s, own_s, float(self.time_s[high]) if high < len(self.time_s) else np.inf

    def between(self, first_s: float, last_s: float) -> np.ndarray:
        """Return the rows of matches in a span of time."""
        low, high = np.searchsorted(self.time_s, [first_s, last_s])
        return self.rows[low:high]


def _written_twice(notes: DeviationNotes) -> np.ndarray:
    """Tell the missed notes that another voice has at the same place and pitch: one key plays both."""
    played = notes.label == "match"
    have = set(
        zip(np.round(notes.reference_beat[played], 6).tolist(), notes.reference_pitch[played].tolist(), strict=True)
    )
    out = np.zeros(len(notes), dtype=bool)
    for row in np.flatnonzero(notes.label == "deletion").tolist():
        out[row] = (round(float(notes.reference_beat[row]), 6), float(notes.reference_pitch[row])) in have
    return out


def _told_twice(notes: DeviationNotes) -> np.ndarray:
    """Tell the added notes that a key gives together with its rightly played note: no hand strikes it twice at once."""
    played = notes.label == "match"
    out = np.zeros(len(notes), dtype=bool)
    for row in np.flatnonzero(notes.label == "insertion").tolist():
        same = played & (notes.pitch == notes.pitch[row]) & (notes.channel == notes.channel[row])
        out[row] = (np.abs(notes.onset_s[same] - notes.onset_s[row]) < _AT_ONCE_S).any()
    return out


def _not_told(notes: DeviationNotes) -> np.ndarray:
    """Tell the written notes without a pitch of which nothing says whether they were played: no sound, no key."""
    return (notes.label == "deletion") & ~np.isfinite(notes.reference_pitch) & ~(notes.confidence > 0.0)


def _whole(stretch: Stretch, notes: DeviationNotes, number: int, where: _Places) -> Slip:
    """Return the event of a stretch that was replayed or skipped."""
    replayed = stretch.kind == "replayed"
    confidence = _mean_confidence(notes, stretch.rows, 0.9)
    if replayed and stretch.end_beat - stretch.start_beat > _LONG_REPLAY_BEATS:
        confidence *= 0.5  # perhaps a repeat that the score does not write out
    slip: Slip = {
        "kind": "repeated" if replayed else "missed",
        "time_s": stretch.end_s if replayed else stretch.start_s,
        "beat": stretch.end_beat if replayed else stretch.start_beat,
        "beat_from": stretch.start_beat,
        "beat_to": stretch.end_beat,
        "n_notes": len(stretch.rows),
        "confidence": confidence,
        "slip_id": number,
    }
    if replayed:
        # The first go's start until the second's: what the restart cost.
        later = where.time_s[np.searchsorted(where.time_s, stretch.end_s, side="right") :]
        slip["duration_s"] = float(later[0] if len(later) else stretch.end_s) - stretch.start_s
    return slip


def _mean_confidence(notes: DeviationNotes, rows: np.ndarray, otherwise: float) -> float:
    known = notes.confidence[rows]
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else otherwise


def _wrong_pairs(notes: DeviationNotes, slip_id: np.ndarray, taken: np.ndarray) -> list[tuple[int, int]]:
    """Return (missed row, added row) of the wrong notes that the alignment tells; half pairs lose their number."""
    pairs = []
    for number in np.unique(notes.slip_id[notes.slip_id >= 0]).tolist():
        rows = np.flatnonzero((slip_id == number) & ~taken)
        missed, added = rows[notes.label[rows] == "deletion"], rows[notes.label[rows] == "insertion"]
        if len(missed) and len(added):
            pairs.append((int(missed[0]), int(added[0])))
        elif len(rows):
            slip_id[rows] = -1
    return pairs


def _grouped(notes: DeviationNotes, pairs: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return the pairs in order of time, each a group of its own, but a hand in another octave one group."""
    pairs = sorted(pairs, key=lambda pair: notes.onset_s[pair[1]])
    shift = np.array([notes.pitch[added] - notes.reference_pitch[missed] for missed, added in pairs])
    groups: list[list[tuple[int, int]]] = []
    open_group: dict[float, int] = {}
    for pair, by in zip(pairs, shift.tolist(), strict=True):
        octaves = by != 0 and by % 12 == 0
        if octaves and by in open_group and _goes_on(notes, groups[open_group[by]][-1], pair):
            groups[open_group[by]].append(pair)
            continue
        if octaves:
            open_group[by] = len(groups)
        groups.append([pair])
    return [part for group in groups for part in ([group] if len(group) >= _LEAST_DISPLACED else [[p] for p in group])]


def _pairs_left(
    notes: DeviationNotes, onset_due_s: np.ndarray, free: np.ndarray, where: _Places
) -> list[tuple[int, int]]:
    """Pair a missed note with an added one that came in its stead: a near key, between the moments before and after.

    Around a wait or a late hand no time is surely due; which notes are rightly played before and after is sure.
    """
    added = np.flatnonzero(free & (notes.label == "insertion"))
    added = added[np.argsort(notes.onset_s[added], kind="stable")]
    candidates = []
    for row in np.flatnonzero(free & (notes.label == "deletion")).tolist() if len(added) else []:
        low_s, own_s, high_s = where.around(float(notes.reference_beat[row]))
        due_s = float(onset_due_s[row])
        if np.isfinite(own_s):
            # The rest of its chord says when.
            reach_s = max(_CHORD_S, 0.3 * min(own_s - low_s, high_s - own_s))
            low_s, high_s, due_s = own_s - reach_s, own_s + reach_s, own_s
        first, last = np.searchsorted(notes.onset_s[added], [low_s + _AT_ONCE_S, high_s - _AT_ONCE_S])
        if last - first > _MOST_CANDIDATES:
            # A long gap full of notes: those nearest to the due time alone.
            nearest = np.argsort(np.abs(np.nan_to_num(notes.onset_s[added[first:last]] - due_s)), kind="stable")
            among = added[first:last][np.sort(nearest[:_MOST_CANDIDATES])]
        else:
            among = added[first:last]
        for played in among.tolist():
            apart = abs(float(notes.pitch[played] - notes.reference_pitch[row]))
            if 0 < apart <= _NEAR_SEMITONES or apart == 12:
                off = abs(float(notes.onset_s[played]) - due_s) / max(high_s - low_s, _CHORD_S)
                candidates.append((np.nan_to_num(off) + apart / 12.0, row, played))
    out: list[tuple[int, int]] = []
    used: set[int] = set()
    for _, row, played in sorted(candidates):
        if row not in used and played not in used:
            used |= {row, played}
            out.append((row, played))
    return out


def _goes_on(notes: DeviationNotes, before: tuple[int, int], now: tuple[int, int]) -> bool:
    """Tell whether two wrong notes are of one displacement: near, and nothing between them played as written."""
    beats = notes.reference_beat[[before[0], now[0]]]
    if beats[1] - beats[0] > _DISPLACED_GAP_BEATS:
        return False
    low, high = np.sort(notes.reference_pitch[[before[0], now[0]]])
    between = (notes.label == "match") & (notes.reference_beat > beats[0]) & (notes.reference_beat < beats[1])
    return not (between & (notes.reference_pitch >= low) & (notes.reference_pitch <= high)).any()


def _wrong(notes: DeviationNotes, pairs: list[tuple[int, int]], number: int) -> Slip:
    missed, added = pairs[0]
    slip: Slip = {
        "kind": "wrong",
        "time_s": float(notes.onset_s[added]),
        "beat": float(notes.reference_beat[missed]),
        "pitch_written": float(notes.reference_pitch[missed]),
        "pitch_played": float(notes.pitch[added]),
        "interval": interval_name(float(notes.pitch[added] - notes.reference_pitch[missed])),
        "confidence": _mean_confidence(notes, np.array(pairs).ravel(), _UNKNOWN["wrong"]),
        "slip_id": number,
    }
    if len(pairs) > 1:
        slip |= {
            "beat_from": float(notes.reference_beat[missed]),
            "beat_to": float(notes.reference_beat[pairs[-1][0]]),
            "n_notes": len(pairs),
        }
    return slip


def _single(notes: DeviationNotes, row: int, due_s: float, number: int, where: _Places) -> Slip:
    """Return the event of one missed or added note."""
    if notes.label[row] == "deletion":
        known = np.isfinite(due_s) or len(where.rows) == 0
        return {
            "kind": "missed",
            "time_s": float(np.nan_to_num(due_s)) if known else float(where.time_at(notes.reference_beat[[row]])[0]),
            "beat": float(notes.reference_beat[row]),
            "pitch_written": float(notes.reference_pitch[row]),
            "pitch_played": None,
            "confidence": _mean_confidence(notes, np.array([row]), _UNKNOWN["missed"]),
            "slip_id": number,
        }
    time_s, pitch = float(notes.onset_s[row]), float(notes.pitch[row])
    near = where.between(time_s - _NEARBY_S, time_s + _NEARBY_S)
    repeated = _is_repeat(notes, row, where)
    kind = "repeated" if repeated else "added"
    return {
        "kind": kind,
        "time_s": time_s,
        "beat": where.beat_at(time_s),
        "pitch_written": pitch if repeated else None,
        "pitch_played": pitch if np.isfinite(pitch) else None,
        "confidence": _mean_confidence(notes, np.array([row]), _UNKNOWN[kind]) * _stroke_share(notes, row, near),
        "slip_id": number,
    }


def _is_repeat(notes: DeviationNotes, row: int, where: _Places) -> bool:
    """Tell whether an added note strikes again, or too early, the key of a note that is rightly played."""
    time_s, pitch = notes.onset_s[row], notes.pitch[row]
    along = where.between(time_s - _ALONG_S, time_s + _ALONG_S)
    if (np.abs(notes.pitch[along] - pitch) <= _ALONG_SEMITONES).any():
        return False
    same = where.rows[notes.pitch[where.rows] == pitch]
    onset_s = notes.onset_s[same]
    end_s = where.time_at(notes.reference_beat[same] + np.nan_to_num(notes.reference_duration_beat[same]))
    after = (onset_s <= time_s) & (time_s <= np.maximum(end_s, onset_s + _REPEAT_S))
    before = (onset_s > time_s) & (onset_s - time_s <= _REPEAT_BEFORE_S)
    return bool((after | before).any())


def _stroke_share(notes: DeviationNotes, row: int, near: np.ndarray) -> float:
    """Return how much an added note is a stroke: a brush of a key is short and softer than what sounds around."""
    if not np.isfinite(notes.duration_s[row]) or notes.duration_s[row] >= _BRUSH_S or len(near) == 0:
        return 1.0
    around = np.median(notes.velocity[near])
    return 0.5 if notes.velocity[row] < around else 1.0


def _hesitations(notes: DeviationNotes, breaks: Sequence[tuple[float, float]]) -> list[Slip]:
    """Return the waits between matched notes; where a passage was replayed or skipped the break is that event's."""
    rows = (notes.label == "match") & np.isfinite(notes.onset_s) & (notes.ornament == "")
    # Grace notes have no written length and take theirs from a neighbour.
    rows &= ~(notes.reference_duration_beat <= 0)
    return [
        {
            "kind": "hesitation",
            "time_s": wait.due_s,
            "beat": wait.beat,
            "duration_s": wait.excess_s,
            "confidence": wait.confidence,
        }
        for wait in find_waits(notes.reference_beat[rows], notes.onset_s[rows], breaks)
    ]
