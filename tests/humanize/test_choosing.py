"""Choosing among continuations: stretches, who goes on, and that what goes on has the memory of what was played."""

import dataclasses

import numpy as np
import pytest

from takeprint.analysis.kit_context import Hits
from takeprint.analysis.realism_features import windows_of
from takeprint.core.boosted_trees import BoostedTrees
from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Metre
from takeprint.humanize import perform
from takeprint.humanize.players import choosing, learned
from takeprint.humanize.players.part import Part

from .made_scores import groove, take_of
from .test_learned import _part, _play, _with, profile  # noqa: F401


def _liking(name, sign):
    """Return arrays of a judge of one tree: windows with more of a feature are more (sign 1) or less synthetic."""
    names = windows_of([], "drums").names
    at = names.index(name)
    steps = np.arange(0.0, 128.0, 0.5)
    root = 3 * np.arange(len(steps))
    feature, threshold, left, right, value = (np.zeros(3 * len(steps)) for _ in range(5))
    feature[root], threshold[root], left[root], right[root] = at, steps, root + 1, root + 2
    for leaf in (1, 2):
        left[root + leaf] = right[root + leaf] = -1
    value[root + 2] = sign
    return {"feature": feature, "threshold": threshold, "left": left, "right": right, "value": value, "root": root}


def _judged_by(profile, sign, name="velocity.mean"):  # noqa: F811
    made = _liking(name, sign)
    both = {f"network_{kind}_{n}": a for kind in ("judge", "kept") for n, a in made.items()}
    return _with(profile, **both)


@pytest.mark.parametrize("n", [0, 1, 47, 48, 500, 1536, 1537, 1583, 1584, 5000])
def test_stretches_are_one_after_the_other_and_none_is_too_short_to_judge(n):
    found = list(choosing.stretches(n))
    at = [0, *(end for _, end in found)]
    assert at[-1] == n
    assert [start for start, _ in found] == at[:-1]
    assert all(end - start >= 48 for start, end in found[1:])


def test_a_long_part_has_less_to_choose_from():
    assert choosing.choices(100) == choosing.choices(4000) == (8, 4)
    assert choosing.choices(100_000) == (1, 1)
    assert choosing.choices(0)[1] == 4
    assert choosing.choices(20_000) == (2, 2)


@pytest.mark.parametrize("keep_accents", [True, False])
def test_what_the_judge_likes_is_played(profile, keep_accents):  # noqa: F811
    part = _part(groove(128))
    softer, louder = (_play(part, _judged_by(profile, s), keep_accents).velocity.mean() for s in (1.0, -1.0))
    assert softer < louder - 0.3


def test_a_part_too_short_to_judge_is_played_as_without(profile):  # noqa: F811
    part = _part(groove(2))
    plain, judged = _play(part, profile), _play(part, _judged_by(profile, 1.0))
    np.testing.assert_array_equal(plain.velocity, judged.velocity)


def test_the_same_seed_chooses_the_same(profile):  # noqa: F811
    with_judge = _judged_by(profile, 1.0)
    made = [perform(take_of(groove(64)), with_judge, player="learned", seed=4).notes for _ in range(2)]
    np.testing.assert_array_equal(made[0].onset_s, made[1].onset_s)
    np.testing.assert_array_equal(made[0].velocity, made[1].velocity)


def test_going_on_stretch_by_stretch_is_playing_at_once(profile, monkeypatch):  # noqa: F811
    """With one candidate a stretch the memory that is carried over must be that of one playing."""
    part = _part(groove(128))
    plain = _play(part, profile)
    monkeypatch.setattr(choosing, "_FIRST_CHOICE", 2)
    monkeypatch.setattr(choosing, "_LATER_CHOICE", 1)
    monkeypatch.setattr(choosing.Judge, "best", lambda self, runs, start, end: runs[0])
    stepwise = _play(part, _judged_by(profile, 1.0))
    np.testing.assert_array_equal(plain.velocity, stepwise.velocity)
    np.testing.assert_array_equal(plain.timing_ms, stepwise.timing_ms)


def test_a_damaged_judge_is_an_error(profile):  # noqa: F811
    bad = _with(_judged_by(profile, 1.0), network_judge_left=np.zeros(3))
    with pytest.raises(TakeprintError, match="judge_"):
        _play(_part(groove(64)), bad)


def test_the_judge_reads_the_hits_as_windows_and_takes_the_first_of_equals():
    n = 96
    hits = Hits.of(np.arange(n) / 2.0, np.arange(n) / 4.0, np.arange(n) % 2, Metre())
    trees = BoostedTrees.read(_liking("velocity.mean", 1.0), len(windows_of([], "drums").names))
    judge = choosing.Judge(
        trees, hits, np.where(hits.kind == 0, 36.0, 38.0), np.where(hits.kind == 0, "kick", "snare"), Metre()
    )
    loud = np.zeros(n, np.float32)
    soft = choosing.Run(lambda *_: None, (), loud, loud, np.full(n, 50), 0)
    hard = dataclasses.replace(soft, velocity=np.full(n, 90))
    windows = windows_of([judge._as_measured(soft, 0, n)], "drums")
    assert len(windows) == 2
    assert windows.values[0, windows.names.index("velocity.mean")] == 50.0
    assert judge.best([hard, soft], 0, n) is soft
    assert judge.best([soft, dataclasses.replace(soft)], 0, n) is soft
    assert learned.judge_of({}, True) is None


def test_one_place_at_two_moments_is_played(profile):  # noqa: F811
    """As a file of several sequences has it: each with its own clock, their beats interleaved."""
    rows = groove(32)
    take = take_of([*rows, *rows])
    beat = take.notes.onset_beat.copy()
    late = np.arange(len(beat)) % 2
    notes = take.notes.replace(onset_s=np.where(late, 0.3, 0.7) * beat, onset_beat=beat + 1e-12 * late)
    part = learned_part(notes, take)
    assert np.isfinite(_play(part, _judged_by(profile, 1.0)).timing_ms).all()


def learned_part(notes, take):
    return Part.of("kit", True, notes, np.arange(len(notes)), take.timeline, Metre())
