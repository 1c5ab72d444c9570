"""Parts: the stretches that two sides have in common, where one is a recording, and what lies outside them.

Conventions
-----------
Times are seconds of the reference and of the take. An intro, a cut, applause or a repeat that only one side has lies
between two parts, or before the first and after the last.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import DeviationNotes
from ..core.notes import Notes
from ..core.timeline import Timeline
from .align_passages import Passage
from .slips import find_slips

if TYPE_CHECKING:
    from .score_listening import ScoreOnsets
    from .warp import Warp

# What is outside the parts at either end is told from this length on, seconds.
_WORTH_SAYING_S = 2.0
# So few written notes before the first part or after the last are its rim, and no passage.
_RIM_NOTES = 12
# Below this confidence of the warp another place of the music is nearly as good.
_DOUBTFUL = 0.22
# Detuning is told from this on, cents: the coarse alignment tells no finer.
_DETUNED_CENTS = 15.0


def parts_of(warp: Warp) -> list[dict[str, float]]:
    """Return the stretches that both sides have: ``reference_start_s, reference_end_s, start_s, end_s`` each."""
    out = []
    for part in np.unique(warp.part).tolist():
        rows = np.flatnonzero(warp.part == part)
        first, last = rows[0], rows[-1]
        out.append(
            {
                "reference_start_s": float(warp.reference_s[first]),
                "reference_end_s": float(warp.reference_s[last]),
                "start_s": float(warp.time_s[first]),
                "end_s": float(warp.time_s[last]),
            }
        )
    return out


def breaks(warp: Warp, clock: Timeline) -> np.ndarray:
    """Return the beats at which the take goes on elsewhere in the reference."""
    return clock.beats_at(np.array([part["reference_start_s"] for part in parts_of(warp)[1:]]))


def waits(rows: DeviationNotes, warp: Warp) -> tuple[dict[str, Any], ...]:
    """Return the hesitations within the parts: what only one side has may be a note of a chord as well as a slip."""
    found = find_slips(rows.rows(rows.label == "match"), np.zeros(0))[0]
    parts = parts_of(warp)
    joints = [(a["end_s"] - 1.0, b["start_s"] + 1.0) for a, b in pairwise(parts)]
    return tuple(s for s in found if not any(low <= s["time_s"] <= high for low, high in joints))


def parts_words(warp: Warp, rows: DeviationNotes, thing: str) -> tuple[str, ...]:
    """Say how much of the reference the take has, and where it lies in it; how it is tuned.

    Parameters
    ----------
    warp : Warp
    rows : DeviationNotes
    thing : ``"onset"`` or ``"note"``
    """
    matched = int((rows.label == "match").sum())
    in_parts = np.isfinite(warp.take_at(rows.reference_onset_s))
    missed = int(((rows.label == "deletion") & (rows.ornament == "") & in_parts).sum())
    said = [f"{matched} of {matched + missed} {thing}s of the reference were found in the take"]
    if not in_parts[np.isfinite(rows.reference_onset_s)].all():
        said[0] += ", those apart that lie in passages it leaves out"
    cents = float(warp.transposition_cents)
    if abs(cents) >= _DETUNED_CENTS:
        steps = round(cents / 100.0)
        exact = abs(cents - 100.0 * steps) < _DETUNED_CENTS and steps
        size = ("a semitone" if abs(steps) == 1 else f"{abs(steps)} semitones") if exact else f"{abs(cents):.0f} cents"
        said.append(f"the take sounds {size} {'higher' if cents > 0 else 'lower'}")
    parts = parts_of(warp)
    for side, start, end, onset_s in (
        ("reference", "reference_start_s", "reference_end_s", rows.reference_onset_s),
        ("take", "start_s", "end_s", rows.onset_s),
    ):
        known = onset_s[np.isfinite(onset_s)]
        low, high = float(parts[0][start]), float(parts[-1][end])
        if len(known) and (low - known.min() > _WORTH_SAYING_S or known.max() - high > _WORTH_SAYING_S):
            said.append(f"of the {side} only {_clock(low)} to {_clock(high)} is in both")
    if len(parts) > 1:
        said.append(f"the two have {len(parts)} stretches in common; between them one has what the other has not")
    if warp.confidence < _DOUBTFUL:
        said.append("another place fits nearly as well: this may be a repeat, or another take of the same loop")
    return tuple(said)


def _clock(time_s: float) -> str:
    return f"{int(time_s // 60)}:{int(time_s % 60):02d}"


def not_played(score: Notes, found: ScoreOnsets, warp: Warp) -> tuple[Passage, ...]:
    """Return the stretches of the score that lie in no part of the recording, as passages passed over."""
    # What has no pitch and is no drum is never listened for: that says nothing of whether it was played.
    listened = np.flatnonzero(np.isfinite(score.pitch) | (score.channel == 9) | np.isfinite(found.confidence))
    order = listened[np.argsort(score.onset_s[listened], kind="stable")]
    out = np.isnan(found.confidence[order])
    edges = np.flatnonzero(np.diff(np.r_[False, out, False].astype(np.int8)))
    last_s = float(warp.reference_s[-1])
    passages = []
    for low, high in edges.reshape(-1, 2).tolist():
        rows = order[low:high]
        begin_s = float(score.onset_s[rows[0]])
        is_rim = low == 0 and high < _RIM_NOTES
        # Where the music goes on, or stops: the end of the part before, else the recording's first.
        at_s = warp.time_s[max(int(np.searchsorted(warp.reference_s, begin_s)) - 1, 0)]
        passages.append(
            Passage(
                kind="stopped" if begin_s > last_s or is_rim else "skipped",
                start_s=float(at_s),
                end_s=float(at_s),
                start_beat=float(score.onset_beat[rows[0]]),
                end_beat=float(score.onset_beat[rows[-1]]),
                take_rows=np.zeros(0, dtype=np.int64),
                score_rows=rows,
            )
        )
    return tuple(passages)
