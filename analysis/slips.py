"""Measure ``slips``: wrong, missed, added and repeated notes, and hesitations.

Conventions
-----------
A slip is an event with ``kind``, ``time_s`` (in the take), ``beat`` (in the score) and, where they apply,
``pitch_written``, ``pitch_played``, ``duration_s`` (of a hesitation, beyond what was due) and ``slip_id`` (the rows of
the notes table that it speaks of). A wrong note is one slip, though it is a deletion and an insertion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.deviations import DeviationNotes
from .tempo import mean_onsets

_REPEAT_S = 0.6
_HESITATION_FACTOR = 2.0
_HESITATION_S = 0.25
_NEIGHBOURS = 8


def find_slips(notes: DeviationNotes, onset_due_s: np.ndarray) -> tuple[tuple[dict[str, Any], ...], DeviationNotes]:
    """Name the slips of an aligned take and number them.

    Parameters
    ----------
    notes : DeviationNotes
        Rows of a wrong note already share a ``slip_id``.
    onset_due_s : ndarray [shape=(n,)], seconds
        When each row was due; for an insertion when it sounded.

    Returns
    -------
    slips : tuple of dict
        In order of time.
    notes : DeviationNotes
        With a ``slip_id`` on every row that belongs to a slip.
    """
    slip_id = notes.slip_id.copy()
    following = int(slip_id.max(initial=-1)) + 1
    slips: list[dict[str, Any]] = []
    for number in np.unique(slip_id[slip_id >= 0]).tolist():
        rows = np.flatnonzero(slip_id == number)
        missed = rows[notes.label[rows] == "deletion"][0]
        added = rows[notes.label[rows] == "insertion"][0]
        slips.append(_event("wrong", notes, number, added, missed))
    matched = np.flatnonzero(notes.label == "match")
    matched = matched[np.argsort(notes.onset_s[matched], kind="stable")]
    for row in np.flatnonzero((notes.label != "match") & (slip_id < 0)).tolist():
        slip_id[row] = following
        if notes.label[row] == "deletion":
            slips.append(_event("missed", notes, following, None, row, float(onset_due_s[row])))
        else:
            kind = "repeated" if _is_repeat(notes, matched, row) else "added"
            slips.append(_event(kind, notes, following, row, None))
        following += 1
    slips.extend(_hesitations(notes))
    return tuple(sorted(slips, key=lambda slip: slip["time_s"])), notes.replace(slip_id=slip_id)


def _event(
    kind: str,
    notes: DeviationNotes,
    number: int,
    played: int | None,
    written: int | None,
    time_s: float | None = None,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "time_s": float(notes.onset_s[played]) if played is not None else time_s,
        "beat": float(notes.reference_beat[written]) if written is not None else None,
        "pitch_written": float(notes.reference_pitch[written]) if written is not None else None,
        "pitch_played": float(notes.pitch[played]) if played is not None else None,
        "slip_id": number,
    }


def _is_repeat(notes: DeviationNotes, matched: np.ndarray, row: int) -> bool:
    """Tell whether the same pitch was rightly played shortly before or after."""
    low, high = np.searchsorted(
        notes.onset_s[matched], [notes.onset_s[row] - _REPEAT_S, notes.onset_s[row] + _REPEAT_S]
    )
    return bool((notes.pitch[matched[low:high]] == notes.pitch[row]).any())


def _hesitations(notes: DeviationNotes) -> list[dict[str, Any]]:
    """Find waits: an interval at least twice as long as its neighbours' tempo makes due, and by a quarter second."""
    rows = notes.label == "match"
    if rows.sum() < 2 * _NEIGHBOURS:
        return []
    beat, onset_s, _ = mean_onsets(notes.reference_beat[rows], notes.onset_s[rows])
    step_s, step_beat = np.diff(onset_s), np.diff(beat)
    period_s = step_s / step_beat
    found = []
    for i in range(len(period_s)):
        around = np.r_[period_s[max(0, i - _NEIGHBOURS) : i], period_s[i + 1 : i + 1 + _NEIGHBOURS]]
        if len(around) < _NEIGHBOURS:
            continue
        due_s = float(np.median(around)) * step_beat[i]
        # A ritardando slows its neighbours too; a wait does not.
        slowest_s = float(np.percentile(around, 90)) * step_beat[i]
        if step_s[i] > max(_HESITATION_FACTOR * due_s, 1.5 * slowest_s) and step_s[i] - due_s > _HESITATION_S:
            found.append(
                {
                    "kind": "hesitation",
                    "time_s": float(onset_s[i] + due_s),
                    "beat": float(beat[i + 1]),
                    "duration_s": float(step_s[i] - due_s),
                }
            )
    return found
