"""Alignment of odd takes: foreign music within, everything at one instant, one note, nothing."""

import importlib
import re
import sys
import time

import numpy as np
import pytest

from takeprint.analysis import align_path
from takeprint.analysis.align import align_notes
from takeprint.analysis.rows import score_rows
from takeprint.analysis.slips import find_slips
from takeprint.core.deviations import DeviationNotes
from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes
from tests.analysis.test_align import stretches, take_of, written


def with_between(score, take, truth, first, time_s, pitch):
    """Return (take, truth) with other notes put in before row ``first``, the rest of the take after them."""
    later = np.r_[take.onset_s[:first], take.onset_s[first:] + time_s[-1] + 0.5]
    begin_s = take.onset_s[first - 1] if first else 0.0
    return take_of(
        np.r_[later[:first], begin_s + time_s, later[first:]],
        np.r_[take.pitch[:first], pitch, take.pitch[first:]],
        np.r_[truth[:first], np.full(len(pitch), -1), truth[first:]],
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("style", ["random", "same style"])
def test_foreign_music_in_place_of_the_piece_costs_only_itself(seed, style):
    score = written(3000, seed=seed)
    take, truth, _ = stretches(score, [(0, 1e9)], seed)
    rng = np.random.default_rng(seed)
    other = rng.integers(40, 95, 1500) if style == "random" else written(3000, seed=50 + seed).pitch[1000:2500]
    take = take.replace(pitch=np.r_[take.pitch[:1000], other, take.pitch[2500:]])
    row = align_notes(score, take).take_row
    right = int((truth[row[row >= 0]] == np.flatnonzero(row >= 0)).sum())
    assert right >= 0.99 * (len(take) - 1500)
    assert (row >= 0).sum() - right <= 0.05 * 1500


@pytest.mark.parametrize("seed", range(3))
def test_foreign_music_before_the_piece_costs_only_itself(seed):
    score = written(600, seed=seed)
    take, truth, _ = stretches(score, [(0, 1e9)], seed)
    other, _, _ = stretches(written(1500, seed=60 + seed), [(0, 1e9)], seed)
    take, truth = with_between(score, take, truth, 0, other.onset_s, other.pitch)
    row = align_notes(score, take).take_row
    assert (truth[row[row >= 0]] == np.flatnonzero(row >= 0)).sum() >= 0.98 * len(score)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("style", ["random", "same style"])
def test_foreign_music_between_two_halves_is_no_replay(seed, style):
    score = written(2000, seed=seed)
    take, truth, _ = stretches(score, [(0, 1e9)], seed)
    rng = np.random.default_rng(seed)
    pitch = rng.integers(40, 95, 2400) if style == "random" else written(2400, seed=70 + seed).pitch[:2400]
    take, truth = with_between(score, take, truth, 1000, np.cumsum(rng.uniform(0.05, 0.4, 2400)), pitch)
    alignment = align_notes(score, take)
    row = alignment.take_row
    assert (truth[row[row >= 0]] == np.flatnonzero(row >= 0)).sum() >= 0.97 * len(score)
    assert sum(len(passage.take_rows) for passage in alignment.passages if passage.kind == "replayed") <= 24


def test_a_replay_with_slips_is_still_one():
    score = written(400, seed=4)
    take, _, part = stretches(score, [(0, 64), (0, 1e9)])
    rng = np.random.default_rng(1)
    slip = (part == 0) & (rng.random(len(take)) < 0.2)
    alignment = align_notes(score, take.replace(pitch=take.pitch + np.where(slip, rng.integers(1, 4, len(take)), 0)))
    (replayed,) = [passage for passage in alignment.passages if passage.kind == "replayed"]
    assert len(replayed.take_rows) >= 0.97 * (part == 0).sum()


def test_many_notes_at_one_instant_take_no_cube_of_time():
    score = written(3000)
    take = score.replace(onset_s=np.zeros(len(score)))
    align_notes(score.rows(slice(0, 50)), take.rows(slice(0, 50)))  # the kernels are compiled
    begin_s = time.process_time()
    align_notes(score, take)
    assert time.process_time() - begin_s < 5.0


def test_many_leaps_in_a_long_take_stay_within_the_table(monkeypatch):
    """Every 40 notes a leap: all that lies between would be the whole table."""
    monkeypatch.setattr(align_path, "_TABLE_CELLS", 100_000)
    monkeypatch.setattr(align_path, "_MOST_CELLS", 400_000)
    kernel = importlib.import_module("takeprint.core.kernels.jump_path")
    score = written(1500)
    positions = align_path.positions_of(score)
    n = len(positions.at)
    rows = np.concatenate([np.arange(a, a + 40) for a in np.random.default_rng(1).integers(0, 1400, 40)])
    _, pitch = np.unique(score.pitch, return_inverse=True)
    cells = []

    def counted(*given):
        cells.append(int((given[7] - given[6]).sum()))
        return kernel.jump_path(*given)

    whole = type("module", (), {"jump_path": staticmethod(counted)})
    monkeypatch.setitem(sys.modules, "takeprint.core.kernels.jump_path", whole)
    course = align_path.follow(positions, pitch, pitch[rows], 0.2 * np.arange(len(rows)))
    assert len(cells) == 2
    assert max(cells) <= 400_000 < n * len(rows)
    assert course.is_written.mean() > 0.3


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("first", [0, 77, 190])
def test_a_take_of_a_few_notes_of_the_score_is_aligned_or_refused(n, first):
    """So few notes far from both ends may lie anywhere."""
    score = written(200, seed=3)
    take = score.rows(slice(first, first + n))
    said, row = "", np.zeros(0)
    try:
        row = align_notes(score, take).take_row
    except TakeprintError as error:
        said = error.problem
    if said:
        assert first > 0
        assert re.match(rf"the take has only {n} notes? with a pitch, and \w+ found a place in the reference", said)
        return
    assert (row >= 0).sum() == n
    assert score.pitch[row >= 0].tolist() == take.pitch[row[row >= 0]].tolist()


@pytest.mark.parametrize(("n", "words"), [(1, "1 note with a pitch, and none"), (3, "3 notes with a pitch, and none")])
def test_a_few_other_notes_are_refused_in_plain_words(n, words):
    score = written(200, seed=3)
    strange = np.setdiff1d(np.arange(20.0, 110.0), score.pitch)[:n]
    take = score.rows(slice(0, n)).replace(pitch=strange)
    with pytest.raises(TakeprintError, match=f"the take has only {words}") as refused:
        align_notes(score, take)
    assert refused.value.code == "align.other-music"


def test_written_notes_without_a_pitch_are_no_slips_and_no_passage():
    score = written(200, seed=15)
    take, _, _ = stretches(score, [(0, 1e9)])
    drums = Notes.build(onset_beat=0.5 * np.arange(60.0) + 0.1, onset_s=np.arange(60.0), pitch=np.full(60, np.nan))
    both = Notes.concatenate([score, drums])
    alignment = align_notes(both, take)
    assert alignment.passages == ()
    slips, _ = find_slips(*score_rows(both, take, alignment), alignment.passages)
    assert [slip for slip in slips if slip["kind"] == "missed"] == []


def test_a_long_gap_full_of_notes_makes_no_square_of_wrong_notes():
    """2000 written notes on which 2000 others were played, between two that are right."""
    n = 2000
    rng = np.random.default_rng(1)
    nothing, middle_s = np.full(n, np.nan), np.sort(rng.uniform(1.0, 60.0, n))
    beat = np.linspace(1.0, 119.0, n)
    due_s = np.r_[0.0, np.linspace(1.0, 60.0, n), middle_s, 61.0]
    rows = DeviationNotes.build(
        label=np.r_[["match"], ["deletion"] * n, ["insertion"] * n, ["match"]],
        reference_beat=np.r_[0.0, beat, nothing, 120.0],
        reference_pitch=np.r_[60.0, rng.integers(50, 80, n), nothing, 60.0],
        onset_s=np.r_[0.0, nothing, middle_s, 61.0],
        pitch=np.r_[60.0, nothing, rng.integers(50, 80, n), 60.0],
        slip_id=np.full(2 * n + 2, -1),
    )
    begin_s = time.process_time()
    slips, _ = find_slips(rows, due_s)
    assert time.process_time() - begin_s < 3.0
    assert sum(slip["kind"] == "wrong" for slip in slips) > n / 2
