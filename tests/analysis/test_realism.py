"""The judge on planted differences, on none, and on groups that must not leak."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis import realism as realism_module
from takeprint.analysis.judge import Ridge, balanced, train_judge
from takeprint.analysis.realism import auc, auc_bounds, energy_ratio, realism
from takeprint.analysis.realism_features import Windows, windows_of
from takeprint.analysis.verbatim import BLOCK, verbatim_blocks
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError
from tests.analysis.handmade import drums, pattern, player, remade
from tests.analysis.test_compare import independent


@pytest.fixture(scope="module")
def takes() -> list[Deviations]:
    return [player(32, seed) for seed in range(12)]


@pytest.fixture(scope="module")
def others() -> list[Deviations]:
    return [player(32, 100 + seed) for seed in range(12)]


def test_one_player_against_himself_is_not_told(takes, others):
    found = realism(takes, others)
    assert found["judge"].startswith("gradient boosting")
    assert found["n_groups"] == 12
    assert found["groups"] == "the n-th take of either side"
    assert 0.4 < found["auc"] < 0.6
    assert 0.4 < found["null_auc"] < 0.6
    assert 0.35 < found["floor_auc"] < 0.65
    assert found["energy_ratio"] < 1.0
    assert found["auc_low"] < found["auc"] < found["auc_high"]
    assert found["auc_high"] - found["auc_low"] < 0.25


def test_a_clock_without_memory_is_told_and_named(takes):
    rng = np.random.default_rng(5)
    drawn = [remade(t, rng.permutation(t.notes.timing_ms)) for t in takes]
    found = realism(takes, drawn)
    assert found["auc"] > 0.95
    told = [one["feature"] for one in found["told_by"][:4]]
    assert any(name.startswith("timing.") and ("acf" in name or "scale" in name or "follows" in name) for name in told)
    assert found["told_by"][0]["auc_alone"] > 0.75
    assert sum(one["share"] for one in found["told_by"]) <= 1.0 + 1e-9
    assert found["energy_ratio"] > 2.0


def test_a_planted_velocity_floor_is_named(takes):
    """All else real: only the softest strokes are lifted."""
    lifted = [remade(t, None, np.maximum(t.notes.velocity, 38.0)) for t in takes]
    real, fake = windows_of(takes), windows_of(lifted)
    train = real.take % 3 > 0
    judge, again = (train_judge(real.rows(train), fake.rows(train)) for _ in range(2))
    score = np.concatenate([judge.score(w.rows(~train)) for w in (real, fake)])
    assert auc(score, np.repeat([0, 1], (~train).sum())) > 0.9
    told = judge.told_by(real, fake)
    assert any("velocity" in one for one in told[:2])
    assert judge.score(real).tolist() == again.score(real).tolist()


def test_few_windows_are_judged_by_the_ridge_alone():
    real = player(48, 1)
    found = realism([real], [independent(real, 2)])
    assert found["judge"] == "a ridge regression"
    assert found["window_notes"] == 24
    assert found["groups"] == "a fifth of a take"
    assert found["auc"] > 0.9


def test_same_seed_same_figures(takes, others):
    a, b = (realism(takes[:6], others[:6], seed=4) for _ in range(2))
    assert a == b


def signatures(per_group: int, seed: int, groups: int = 24) -> tuple[Windows, np.ndarray]:
    """Windows that say only which group they are of; half the groups are called synthetic."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), per_group)
    values = rng.standard_normal((groups, 30))[group] + 0.1 * rng.standard_normal((len(group), 30))
    return Windows(tuple(f"timing.f{i}" for i in range(30)), values, group), (group % 2).astype(np.int64)


def test_grouped_folds_do_not_leak():
    found = {"grouped": [], "leaking": []}
    for seed in range(3):
        windows, side = signatures(12, seed)
        order = np.argsort(side, kind="stable")
        sides = realism_module._Sides(windows.rows(order[side[order] == 0]), windows.rows(order[side[order] == 1]))
        rng = np.random.default_rng(seed)
        fold = realism_module._folds(sides, 5, rng)
        for group in np.unique(sides.joined.take):
            assert len(set(fold[sides.joined.take == group])) == 1
        score, _ = realism_module._cross_judged(sides, fold, seed, rounds=30)
        found["grouped"].append(auc(score, sides.side))
        score, _ = realism_module._cross_judged(sides, rng.integers(0, 5, len(side)), seed, rounds=30)
        found["leaking"].append(auc(score, sides.side))
    assert np.mean(found["leaking"]) > 0.99
    assert 0.25 < np.mean(found["grouped"]) < 0.7


def on_score(take: Deviations, sha256: str) -> Deviations:
    return take.replace(reference={**take.reference, "kind": "score", "sha256": sha256})


def test_takes_of_one_score_are_one_group(takes, others):
    names = ["a", "b", "c", "d", "e", "f"]
    real = [on_score(t, n) for t, n in zip(takes[:6], names, strict=True)]
    # In another order, and two synthetic takes of one score.
    synthetic = [on_score(t, n) for t, n in zip(others[:7], [*names[::-1], "a"], strict=True)]
    pieces, said = realism_module._pieces(real, synthetic)
    assert pieces[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert pieces[1].tolist() == [5, 4, 3, 2, 1, 0, 0]
    assert said == "the takes of one score"
    named = [t.replace(take={"name": n, "kind": "midi"}) for t, n in zip(takes[:4], "abcd", strict=True)]
    pieces, said = realism_module._pieces(named[:3], [named[2], named[0]])
    assert [p.tolist() for p in pieces] == [[0, 1, 2], [2, 0]]
    assert said == "the takes of one name"
    pieces, said = realism_module._pieces(named[:3], [named[3], named[0]])
    assert said == "the n-th take of either side"
    pieces, said = realism_module._pieces(takes[:3], others[:2])
    assert [p.tolist() for p in pieces] == [[0, 1, 2], [0, 1]]
    assert said == "the n-th take of either side"


def test_players_stay_together(takes, others):
    labels = (["ann", "ann", "bob", "bob", "cem", "cem"], ["x", "x", "y", "y", "z", "z"])
    found = realism(takes[:6], others[:6], groups=labels)
    assert found["n_groups"] == 3
    assert "label" in found["groups"]
    alone = realism(takes[:6], others[:6], groups=(["ann"] * 6, ["ann"] * 6))
    assert alone["n_groups"] == 6
    assert "players cannot be kept apart" in alone["groups"]
    with pytest.raises(TakeprintError, match="group labels"):
        realism(takes[:6], others[:6], groups=(["ann"], ["x"] * 6))


def test_bounds_are_of_groups_not_of_windows():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 50)
    side = group % 2
    score = rng.standard_normal(20)[group] + 0.2 * rng.standard_normal(1000)
    low, high = auc_bounds(score, side, group, np.random.default_rng(1))
    naive = auc_bounds(score, side, np.arange(1000), np.random.default_rng(1))
    assert low < auc(score, side) < high
    assert high - low > 3.0 * (naive[1] - naive[0])
    # Groups on both sides are drawn as one: a shift common to both sides of a group costs no precision.
    paired = np.tile(np.repeat(np.arange(10), 50), 2)
    side = np.repeat([0, 1], 500)
    score = side + 1e-3 * rng.standard_normal(1000)
    assert auc_bounds(score, side, paired, np.random.default_rng(1)) == (1.0, 1.0)


def test_bootstrap_draws_the_weighted_auc():
    """Against the definition: repeat the windows of each group as often as it was drawn."""
    rng = np.random.default_rng(3)
    group, side = np.repeat(np.arange(6), 4), np.tile([0, 1], 12)
    score = np.round(rng.standard_normal(24), 1)
    counts = np.random.default_rng(7).multinomial(6, np.full(6, 1 / 6), size=50)
    found = [auc(np.repeat(score, c[group]), np.repeat(side, c[group])) for c in counts]
    low, high = auc_bounds(score, side, group, np.random.default_rng(7), draws=50)
    assert (low, high) == pytest.approx(tuple(np.percentile(found, [2.5, 97.5])))


def test_energy_ratio_is_the_definition(takes, others):
    real, other = windows_of(takes), windows_of(others)
    assert energy_ratio(real, real) == pytest.approx(0.0, abs=1e-9)
    few = real.rows(real.take < 3)
    assert np.isnan(energy_ratio(few, other))
    louder = windows_of([remade(t, None, np.clip(t.notes.velocity + 12.0, 1, 127)) for t in takes])
    assert energy_ratio(real, louder) > 3.0
    assert energy_ratio(real, other) < 1.5


def test_judge_knows_its_columns_and_refuses_others(takes, others):
    real, fake = windows_of(takes[:6]), windows_of([independent(t, 1) for t in others[:6]])
    blind = real.values.copy()
    blind[:, 7] = np.nan  # a column of which nothing is known
    timing = train_judge(Windows(real.names, blind, real.take), fake, channels=("timing",))
    assert all(name.startswith("timing.") for name in timing.names)
    assert timing.score(real).shape == (len(real),)
    assert sum(timing.importance().values()) == pytest.approx(1.0)
    assert (
        auc(np.concatenate([timing.score(real), timing.score(fake)]), np.repeat([0, 1], [len(real), len(fake)])) > 0.95
    )
    assert "against" in timing.told_by(real, fake)[0]
    with pytest.raises(TakeprintError, match="no feature"):
        timing.score(real.channels(("velocity",)))
    with pytest.raises(TakeprintError, match="no window"):
        train_judge(real, fake.rows(np.zeros(len(fake), dtype=bool)))
    with pytest.raises(TakeprintError, match="different features"):
        train_judge(real, fake.channels(("timing",)))


def test_columns_of_one_value_or_none_are_borne():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((160, 6))
    values[:, 1] = 3.0
    values[:, 2] = np.nan
    values[:, 3] = np.where(rng.random(160) < 0.5, 2.0, np.nan)  # known or not: the only thing it says
    values[:, 4] = np.r_[np.zeros(159), 1.0]
    side = np.isfinite(values[:, 3]).astype(np.int64)
    windows = Windows(tuple(f"timing.f{i}" for i in range(6)), values, np.arange(160) // 4)
    judge = train_judge(windows.rows(side == 0), windows.rows(side == 1))
    assert judge.trees is not None
    assert auc(judge.score(windows), side) == 1.0
    assert max(judge.importance(), key=judge.importance().__getitem__) == "timing.f3"


def test_ridge_is_the_definition():
    """Penalised weighted least squares on standardised columns, by the normal equations with an intercept."""
    rng = np.random.default_rng(0)
    for rows, columns in ((200, 5), (12, 30)):
        x, side = rng.standard_normal((rows, columns)), (np.arange(rows) % 3 == 0).astype(np.int64)
        weight = balanced(side)
        ridge = Ridge.fit(x, side, weight)
        z = np.clip((x - x.mean(axis=0)) / x.std(axis=0), -4, 4)
        design = np.column_stack([np.ones(rows), z])
        penalty = columns * np.eye(columns + 1)
        penalty[0, 0] = 0.0
        left = design.T @ (weight[:, None] * design) + penalty
        solved = np.linalg.solve(left, design.T @ (weight * (2.0 * side - 1.0)))
        assert ridge.score(x) == pytest.approx(design @ solved)


def test_copied_blocks_are_counted(takes):
    # As in a file: 480 ticks a beat, at 100 bpm 1.25 ms each.
    real, other = (remade(t, 1.25 * np.round(t.notes.timing_ms / 1.25)) for t in takes[:2])
    assert verbatim_blocks([real], [other])["verbatim_blocks"] == 0
    timing, velocity = other.notes.timing_ms.copy(), other.notes.velocity.copy()
    # The same bar of the pattern, ten notes long: three blocks of eight.
    at = slice(28, 28 + BLOCK + 2)
    timing[at], velocity[at] = real.notes.timing_ms[at] + 2.5, real.notes.velocity[at]
    copied = drums(other.notes.reference_beat, timing, velocity, other.notes.instrument)
    found = verbatim_blocks([real], [copied])
    order = np.argsort(copied.notes.onset_s, kind="stable")
    expected = naive_copies(real, copied)
    assert found["verbatim_blocks"] == expected > 0
    assert found["blocks"] == len(order) - BLOCK + 1


def naive_copies(real: Deviations, made: Deviations) -> int:
    def blocks(d: Deviations) -> list[tuple]:
        notes = sorted(zip(d.notes.onset_s, d.notes.pitch, d.notes.velocity, strict=True))
        ticks = [(round(float(d.reference_timeline.beats_at(s)) * 480), p, v) for s, p, v in notes]
        return [
            tuple((t - ticks[i][0], p, v) for t, p, v in ticks[i : i + BLOCK]) for i in range(len(ticks) - BLOCK + 1)
        ]

    known = set(blocks(real))
    return sum(block in known for block in blocks(made))


def test_flat_or_exact_notes_are_no_copies():
    beat, drum = pattern(16)
    n = len(beat)
    flat = drums(beat, np.zeros(n), np.full(n, 90.0), drum)
    assert verbatim_blocks([flat], [flat]) == {"verbatim_blocks": 0, "blocks": 0}
    shaken = drums(beat, np.random.default_rng(0).normal(0.0, 10.0, n), np.arange(n) % 60 + 40.0, drum)
    assert verbatim_blocks([shaken], [shaken])["verbatim_blocks"] == n - BLOCK + 1
    heard = shaken.replace(notes=shaken.notes.replace(velocity=np.full(n, np.nan)))
    assert verbatim_blocks([heard], [heard]) == {"verbatim_blocks": None, "blocks": None}
