"""Real takes against the human alignment: a few, as a floor; `benchmarks/accuracy alignment` measures all of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.analysis.align import align_notes
from takeprint.analysis.tempo import FREE_BANDWIDTH_BEATS, fit_tempo
from takeprint.core.errors import TakeprintError
from takeprint.core.match_file import MatchFile, read_match
from takeprint.core.timeline import Timeline

# (match file, least F of matches, insertions and deletions)
TAKES = [
    ("vienna4x22/match/Chopin_op38_p03.match", 0.995, 0.0, 0.85),
    ("vienna4x22/match/Mozart_K331_1st-mov_p14.match", 0.99, 0.85, 0.8),
    ("restricted/asap/Bach/Fugue/bwv_867/Sham01M.match", 0.98, 0.0, 0.8),
    ("restricted/asap/Bach/Prelude/bwv_889/LiuY01M.match", 0.99, 0.8, 0.7),
]


def _f(true: Counter, told: Counter) -> float:
    total = sum(true.values()) + sum(told.values())
    return 2 * sum((true & told).values()) / total if total else 1.0


def _labels(match: MatchFile, pairs: np.ndarray) -> tuple[Counter, Counter, Counter]:
    """Return pairs, insertions and deletions; unisons of two voices are one place with two notes."""
    place = list(zip(np.round(match.score.onset_beat, 4).tolist(), match.score.pitch.tolist(), strict=True))
    added = set(range(len(match.performance))) - set(pairs[:, 1].tolist())
    matches = Counter((place[a], b) for a, b in pairs.tolist())
    return matches, Counter(added), Counter(place) - Counter(place[a] for a in pairs[:, 0].tolist())


def _read(shared_data: Path, name: str) -> MatchFile:
    if not (shared_data / name).is_file():
        pytest.skip(f"the shared data has no {name}")
    return read_match(shared_data / name)


@pytest.mark.parametrize(("name", "matches", "insertions", "deletions"), TAKES)
def test_a_real_take_is_aligned_as_people_align_it(shared_data, name, matches, insertions, deletions):
    match = _read(shared_data, name)
    alignment = align_notes(match.score, match.performance)
    rows = np.flatnonzero(alignment.take_row >= 0)
    found = _labels(match, np.c_[rows, alignment.take_row[rows]])
    for true, told, floor in zip(_labels(match, match.pairs), found, (matches, insertions, deletions), strict=True):
        assert _f(true, told) >= floor


def test_a_take_against_itself_is_aligned_exactly(shared_data):
    match = _read(shared_data, TAKES[1][0])
    take = match.performance
    as_score = take.replace(onset_beat=2.0 * take.onset_s, duration_beat=2.0 * take.duration_s)
    alignment = align_notes(as_score, take)
    np.testing.assert_array_equal(alignment.take_row, np.arange(len(take)))


def test_another_piece_is_refused(shared_data):
    score, take = (_read(shared_data, TAKES[i][0]) for i in (0, 1))
    with pytest.raises(TakeprintError):
        align_notes(score.score, take.performance)


def test_tempo_and_timing_are_those_of_the_human_alignment(shared_data):
    match = _read(shared_data, TAKES[1][0])
    midi = shared_data / "vienna4x22/midi/Mozart_K331_1st-mov_p14.mid"
    d = measure(midi, shared_data / TAKES[1][0])
    beat, onset_s = match.score.onset_beat[match.pairs[:, 0]], match.performance.onset_s[match.pairs[:, 1]]
    curve = fit_tempo(beat, onset_s, Timeline.constant(120.0), FREE_BANDWIDTH_BEATS)
    human, ours = Timeline(curve.beat, curve.time_s), Timeline(d.tempo.beat, d.tempo.time_s)
    at = np.intersect1d(curve.beat, d.tempo.beat)[:-1]
    assert len(at) > 50
    assert np.corrcoef(human.tempo_bpm_at(at), ours.tempo_bpm_at(at))[0, 1] >= 0.99
    late_ms = dict(zip(match.pairs[:, 0].tolist(), 1000.0 * (onset_s - human.seconds_at(beat)), strict=True))
    rows = d.notes.rows(d.notes.label == "match")
    both = [(late_ms[i], t) for i, t in zip(rows.reference_index.tolist(), rows.timing_ms, strict=True) if i in late_ms]
    assert len(both) > 450
    assert np.corrcoef(np.array(both).T)[0, 1] >= 0.97
