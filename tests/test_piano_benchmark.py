"""The piano topic of the realism benchmark on an invented match file: reading, both ways alike, splits."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from takeprint.core.match_write import match_of_notes, write_match
from takeprint.core.notes import Notes

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")
if BENCHMARKS not in sys.path:
    sys.path.append(BENCHMARKS)

from realism import piano_players, piano_sets  # noqa: E402


@dataclass(frozen=True)
class _Named:
    group: str
    piece: str


def _written(bars=12):
    beat = np.repeat(np.arange(bars * 4) * 1.0, 3)
    pitch = np.tile([48.0, 60.0, 76.0], bars * 4) + np.repeat(np.arange(bars * 4) % 5, 3)
    return Notes.build(
        onset_beat=beat,
        duration_beat=np.ones(len(beat)),
        onset_s=beat / 2,
        duration_s=np.full(len(beat), 0.5),
        pitch=pitch,
    )


@pytest.fixture(scope="module")
def item(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vienna")
    rng = np.random.default_rng(1)
    score = _written()
    n = len(score)
    performance = Notes.build(
        onset_s=1.0 + score.onset_beat * 0.6 + rng.normal(0, 0.015, n),
        duration_s=np.full(n, 0.4),
        pitch=score.pitch,
        velocity=np.rint(rng.normal(64, 8, n)),
    )
    order = np.argsort(performance.onset_s, kind="stable")
    pairs = np.stack([np.arange(n), np.argsort(order)], axis=1)
    write_match(folder / "Piece_p01.match", match_of_notes(score, performance.rows(order), pairs))
    (found,) = piano_sets.piano_items(folder, None)
    return found


def test_a_take_is_read_with_its_score_and_tempo(item):
    assert (item.group, item.piece, len(item)) == ("vienna:p01", "vienna:Piece", len(_written()))
    assert item.bpm == pytest.approx(100.0, rel=0.02)
    np.testing.assert_allclose(np.sort(item.score.notes.onset_beat), np.sort(_written().onset_beat), atol=1e-3)


def test_a_real_take_rendered_again_is_the_same(item):
    again = piano_sets.remeasured(item, item.deviations)
    np.testing.assert_allclose(again.notes.timing_ms, item.deviations.notes.timing_ms, atol=1.5)
    np.testing.assert_array_equal(again.notes.velocity, item.deviations.notes.velocity)


def test_jitter_keeps_the_curves_and_changes_the_notes(item):
    jitter = piano_players.Gaussian()
    jitter.fit([item])
    made = piano_sets.remeasured(item, jitter.play(item, 1))
    assert made.tempo.tempo_bpm.mean() == pytest.approx(item.deviations.tempo.tempo_bpm.mean(), rel=0.02)
    # Note by note as written: in order of time the rows of a chord would be alike by their order alone.
    timing = [d.notes.timing_ms[piano_players.ordered(d)] for d in (made, item.deviations)]
    assert np.abs(np.corrcoef(*timing)[0, 1]) < 0.3


@pytest.mark.parametrize("rotation", range(piano_sets.ROTATIONS))
def test_no_pianist_and_no_piece_is_in_two_parts(rotation):
    items = [_Named(f"p{k}", piece) for piece in ("a", "b") for k in range(16)]
    items += [_Named(f"{piece} {k}", piece) for piece in "cdefghij" for k in range(3)] + [_Named("c 0", "d")]
    parts = piano_sets.piano_split(items, rotation)
    assert min(map(len, parts)) >= 8
    for what in ("group", "piece"):
        sets = [{getattr(i, what) for i in part} for part in parts]
        assert sum(map(len, sets)) == len(set().union(*sets))
    known = piano_sets.pianist_split(items, rotation)
    people = [{i.group for i in part} for part in known]
    assert sum(map(len, known)) == len(items)
    assert sum(map(len, people)) == len(set().union(*people))
