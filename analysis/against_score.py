"""Measure a MIDI take against a score or another MIDI take, note by note.

Conventions
-----------
The tempo curve is fitted through the matched notes and ``timing_ms`` is the residual: a ritardando is tempo, and no
lateness. The constant belongs to the curve; where a free take begins is no latency.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.deviations import DeviationNotes, Deviations
from ..core.errors import TakeprintError
from ..core.notes import Notes
from ..core.take import Take
from ..core.timeline import Metre, Timeline
from .align import align_notes
from .align_passages import Passage
from .align_path import is_written_out
from .rows import free_deviations, score_rows
from .slips import find_slips
from .tempo import FREE_BANDWIDTH_BEATS

# A take that follows its score matches more of its notes than this, slips and ornaments included.
_DOUBTFUL_SHARE = 0.75


def against_score(take: Take, notes: Notes, reference: Take, metre: Metre | None) -> Deviations:
    """Measure a MIDI take against written notes.

    Parameters
    ----------
    take : Take
    notes : Notes
        The take's notes.
    reference : Take
        A score, or another MIDI take.
    metre : Metre or None
        None takes the reference's own.

    Raises
    ------
    TakeprintError
        For a reference without notes, or of other music.
    """
    score, clock = written_part(reference)
    own_clock = take.timeline if take.smf is not None and take.smf.ticks_per_beat else None
    alignment = align_notes(score, notes, own_clock)
    rows, due_s = score_rows(score, notes, alignment)
    slips, rows = find_slips(rows, due_s, alignment.passages)
    fewest = min(len(score), len(notes))
    matched = int((rows.label == "match").sum())
    warnings = passage_words(alignment.passages)
    if matched < _DOUBTFUL_SHARE * fewest:
        doubt = f"only {matched} of {fewest} notes were matched: is this the score of this take, and all of it?"
        warnings = (*warnings, doubt)
    return free_deviations(rows, clock, _breaks(rows, alignment.passages)).replace(
        slips=slips, reference=reference_facts(reference, clock, metre), warnings=warnings
    )


def passage_words(passages: tuple[Passage, ...]) -> tuple[str, ...]:
    """Say what of the score was never begun, and what of the take lies outside the piece: neither is a slip."""
    said = []
    for passage in passages:
        written, played = len(passage.score_rows), len(passage.take_rows)
        if passage.kind == "stopped" and written:
            said.append(
                f"the take stops at {passage.start_s:.1f} s: {written} notes after that are not counted as missed"
            )
        elif passage.kind in ("before", "after") and played:
            said.append(
                f"{played} notes {passage.kind} the piece ({passage.start_s:.1f} to {passage.end_s:.1f} s) do not count"
            )
    return tuple(said)


def _breaks(rows: DeviationNotes, passages: tuple[Passage, ...]) -> np.ndarray:
    """Return the beats at which the take goes on after a passage that it passed over or played again."""
    matched = rows.rows(rows.label == "match")
    goes_on = []
    for passage in passages:
        if passage.kind in ("replayed", "skipped"):
            last = passage.end_beat if passage.kind == "skipped" else passage.start_beat
            later = matched.reference_beat[
                (matched.reference_beat >= last - 1e-6) & (matched.onset_s > passage.start_s)
            ]
            goes_on += [float(later.min())] if len(later) else []
    return np.array(goes_on)


def written_part(reference: Take) -> tuple[Notes, Timeline]:
    """Return the notes and the clock of a reference that is no recording.

    Raises
    ------
    TakeprintError
        Where it has no notes.
    """
    score, clock = reference.notes, reference.timeline
    if score is None or clock is None or len(score) == 0:
        raise TakeprintError("the reference has no notes", where=reference.name, rule="a score has at least one note")
    return score, clock


def reference_facts(reference: Take, clock: Timeline, metre: Metre | None) -> dict[str, Any]:
    """Return what a deviations document says of a written reference or of a MIDI take."""
    is_score = reference.kind == "score" or (reference.notes is not None and is_written_out(reference.notes))
    return {
        "kind": "score" if is_score else "take",
        "name": reference.name,
        "sha256": reference.sha256,
        "metre": (metre or reference.metre).to_list(),
        "tempo_map": clock.to_dict(),
        # MusicXML and match files say where notes lie in beats; their clock of 120 bpm only counts them.
        "tempo_is_written": reference.kind != "score",
        "timing_basis": "tempo",
        "bandwidth_beats": FREE_BANDWIDTH_BEATS,
    }
