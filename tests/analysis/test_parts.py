"""Parts of a recording and a score: what was not played."""

import numpy as np

from takeprint.analysis.parts import not_played
from takeprint.analysis.score_listening import ScoreOnsets
from takeprint.core.notes import Notes


class Line:
    """Reference and take of one tempo, one part."""

    reference_s = np.array([0.0, 100.0])
    time_s = np.array([1.0, 101.0])


def test_written_notes_without_a_pitch_are_no_passage_and_cut_none_in_two():
    """Every second written note has no pitch; the notes 20 to 39 lie in no part."""
    n = 120
    pitch = np.where(np.arange(n) % 2 == 0, 60.0, np.nan)
    score = Notes.build(onset_s=0.5 * np.arange(n), onset_beat=np.arange(float(n)), pitch=pitch, channel=np.zeros(n))
    beyond = (np.arange(n) >= 20) & (np.arange(n) < 40)
    heard = np.isfinite(pitch) & ~beyond
    found = ScoreOnsets.build(
        n, confidence=np.where(heard, 0.9, np.nan), onset_s=np.where(heard, score.onset_s, np.nan)
    )
    (passage,) = not_played(score, found, Line())
    assert passage.kind == "skipped"
    assert passage.score_rows.tolist() == list(range(20, 40, 2))
