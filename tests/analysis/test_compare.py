"""Comparisons of sides whose difference is planted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from takeprint.analysis.compare import SCHEMA, Comparison, compare
from takeprint.analysis.passages import passages_of
from takeprint.analysis.realism import auc
from takeprint.analysis.tells import find_tells
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError
from tests.analysis.handmade import drums, groove, pattern, player, remade

FAST = {"permutations": 500}


@pytest.fixture(scope="module")
def real() -> Deviations:
    return player(48, seed=1)


def told(comparison: Comparison) -> list[str]:
    return [tell["feature"] for tell in comparison.tells]


def independent(real: Deviations, seed: int) -> Deviations:
    """Independent Gaussian timing of the same sd, velocities shuffled within each drum."""
    rng = np.random.default_rng(seed)
    notes = real.notes
    velocity = notes.velocity.copy()
    for drum in np.unique(notes.instrument):
        rows = np.flatnonzero(notes.instrument == drum)
        velocity[rows] = velocity[rng.permutation(rows)]
    return remade(real, rng.normal(0.0, notes.timing_ms.std(), len(notes)), velocity)


def test_a_side_against_itself_shows_nothing(real):
    found = compare(real, real, **FAST)
    assert found.tells == ()
    assert found.realism["auc"] == pytest.approx(0.5, abs=0.05)
    for trace in found.traces.values():
        assert trace["distance"] == 0.0
        assert trace["p_value"] == 1.0
        assert trace["effect"] == 0.0
    assert any("Nothing gives the synthetic side away" in s and "no proof" in s for s in found.sentences())


def test_independent_noise_has_no_memory(real):
    found = compare(real, independent(real, 2), **FAST)
    memory = next(t for t in found.tells if t["feature"] == "timing_memory")
    assert memory["sentence"].startswith("Timing has no memory: autocorrelation from one place to the next")
    assert "in the real take (DFA exponent" in memory["sentence"]
    assert memory["real"] > 0.3 > memory["real"] - memory["real_high"]
    assert abs(memory["synthetic"]) < 0.1
    assert memory["p_value"] < 0.05
    assert "dynamics_template" in told(found)
    assert "timing_spread" not in told(found)
    assert found.realism["auc"] > 0.85 > found.realism["floor_auc"]
    assert found.traces["timing"]["real"]["lag1"] > found.traces["timing"]["synthetic"]["lag1_high"]


def test_a_quantized_side_lies_on_the_grid(real):
    n = len(real.notes)
    found = compare(real, remade(real, np.zeros(n), np.full(n, 90.0)), **FAST)
    assert told(found)[0] == "timing_on_grid"
    assert found.tells[0]["sentence"].startswith("Notes lie exactly on the grid: 100%")
    assert {"velocity_repeats", "timing_spread", "dynamics_spread"} <= set(told(found))
    assert found.traces["timing"]["spread_ratio"] == 0.0
    assert [t["strength"] for t in found.tells] == sorted((t["strength"] for t in found.tells), reverse=True)


def test_distance_effect_and_direction_are_as_planted(real):
    louder = remade(real, 1.5 * real.notes.timing_ms, np.clip(real.notes.velocity + 20.0, 1, 127))
    found = compare(real, louder, **FAST)
    timing = found.traces["timing"]
    expected = np.mean(np.abs(np.sort(1.5 * real.notes.timing_ms) - np.sort(real.notes.timing_ms)))
    assert timing["distance"] == pytest.approx(expected, rel=0.01)
    assert timing["spread_ratio"] == pytest.approx(1.5, rel=0.01)
    assert timing["spread_ratio_low"] < 1.5 < timing["spread_ratio_high"]
    assert timing["p_value"] < 0.02
    sentences = {t["feature"]: t["sentence"] for t in found.tells}
    assert sentences["timing_spread"].startswith("Timing is too loose")
    assert sentences["loudness_level"].startswith("The playing is louder over all")


def test_cliffs_delta_is_the_definition(real):
    other = player(48, seed=9)
    a, b = real.notes.dynamics_velocity, other.notes.dynamics_velocity
    expected = np.sign(np.subtract.outer(b, a)).mean()
    effect = compare(real, other, permutations=99).traces["dynamics"]
    assert effect["effect"] == pytest.approx(expected, abs=1e-9)
    assert effect["effect_low"] <= effect["effect"] <= effect["effect_high"]


def tells_of(real: Deviations, synthetic: Deviations) -> list[dict]:
    return find_tells(passages_of([real], [synthetic]), permutations=300, seed=0)


def halves(whole: Deviations, seed: int) -> tuple[Deviations, Deviations]:
    """Two random halves of one take, dealt in runs of four bars; each keeps its bars' numbers."""
    bar = (whole.notes.reference_beat // 16).astype(int)
    first = np.random.default_rng(seed).permutation(bar.max() + 1) % 2 == 0
    return tuple(whole.replace(notes=whole.notes.rows(part[bar])) for part in (first, ~first))


def test_halves_of_one_take_seldom_raise_an_alarm():
    whole = player(128, seed=3)
    false_alarms = [bool(tells_of(*halves(whole, seed))) for seed in range(40)]
    # The level is 5 % for all features together; 40 draws of it stay below 7 with probability 0.998.
    assert sum(false_alarms) < 7


def test_two_performances_of_one_player_seldom_raise_an_alarm():
    false_alarms = [bool(tells_of(player(40, 2 * s), player(40, 2 * s + 1))) for s in range(30)]
    assert sum(false_alarms) < 7


def test_several_takes_are_dealt_whole(real):
    takes = [player(8, seed) for seed in range(6)]
    fakes = [independent(take, 50) for take in takes]
    found = compare(takes, fakes, **FAST)
    assert found.basis["block"] == "a whole take"
    assert found.real["n_takes"] == 6
    assert "timing_memory" in told(found)
    assert "in the real takes" in found.tells[0]["sentence"]
    assert np.isfinite(found.traces["timing"]["real"]["dfa_exponent"])


@pytest.mark.parametrize("notes", [0, 1, 3, 40])
def test_too_little_is_said_not_tested(real, notes):
    little = real.replace(notes=real.notes.rows(slice(0, notes)))
    for sides in ((real, little), (little, real), (little, little)):
        found = compare(*sides, permutations=99)
        assert found.tells == ()
        assert found.realism["auc"] is None
        assert found.realism["reason"]
        assert any("Too little to test" in s for s in found.sentences())
        json.loads(found.dumps())


def test_saves_and_loads(real, tmp_path):
    found = compare(real, independent(real, 2), permutations=99)
    path = tmp_path / "cmp.json"
    found.save(path)
    assert json.loads(path.read_text())["schema"] == SCHEMA
    assert Comparison.load(path).dumps() == found.dumps()
    assert Comparison.load(path).sentences() == found.sentences()
    with pytest.raises(TakeprintError):
        found.save(path)
    found.save(path, force=True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema":"takeprint.comparison/1"}', "[" * 100_000, '{"schema":1}'])
def test_what_is_no_comparison_is_refused(tmp_path, text):
    path = tmp_path / "cmp.json"
    path.write_text(text)
    with pytest.raises(TakeprintError):
        Comparison.load(path)


def test_one_measuring_path_only(real):
    audio = real.replace(take={"name": "a.wav", "kind": "audio"})
    with pytest.raises(TakeprintError, match="MIDI with MIDI or audio with audio"):
        compare(real, audio)
    free = real.replace(reference={**real.reference, "timing_basis": "tempo"})
    with pytest.raises(TakeprintError, match="same kind of reference"):
        compare(real, free)
    invented = real.replace(take={"name": "", "kind": "none"})
    assert "invented" in compare(real, invented, permutations=99).warnings[0]


def test_other_music_is_said(real):
    rng = np.random.default_rng(0)
    beat = np.arange(400) / 3.0 + 1.0 / 6.0
    waltz = drums(beat, rng.normal(0, 10, 400), rng.integers(40, 100, 400), np.full(400, "ride"))
    assert any("different music" in s for s in compare(real, waltz, permutations=99).sentences())


def test_same_seed_same_document(real):
    fake = independent(real, 4)
    assert compare(real, fake, seed=3, **FAST).dumps() == compare(real, fake, seed=3, **FAST).dumps()


@pytest.mark.parametrize("options", [{"permutations": 3}, {"seed": -1}, {"seed": True}])
def test_bad_options_are_refused(real, options):
    with pytest.raises(TakeprintError):
        compare(real, real, **options)
    with pytest.raises(TakeprintError):
        compare([], real)


def test_reads_deviations_from_files(real, tmp_path):
    real.save(tmp_path / "dev.json")
    assert compare(tmp_path / "dev.json", str(tmp_path / "dev.json"), permutations=99).tells == ()


def test_slips_are_counted_against_written_notes(real):
    slips = tuple({"kind": "missed", "time_s": 2.5 * i, "beat": None} for i in range(40))
    clumsy = real.replace(slips=slips)
    slips = compare(real, clumsy, permutations=99).traces["slips"]
    assert slips["synthetic"]["missed_rate"] == pytest.approx(100.0 * 40 / len(real.notes))
    assert slips["p_value"] == pytest.approx(0.01)
    assert slips["effect"] == pytest.approx(slips["synthetic"]["rate"])


def test_slips_that_nothing_could_tell_of_are_not_called_none(real):
    """Against a click no slip is ever found: a rate of 0 with p = 1 would be a claim."""
    clicked = real.replace(reference={**real.reference, "kind": "click"})
    assert "slips" not in compare(clicked, clicked, permutations=99).traces
    written = real.replace(reference={**real.reference, "kind": "score"})
    assert compare(written, written, permutations=99).traces["slips"]["distance"] == 0.0


def test_blocks_are_as_long_as_they_can_be():
    long, short = passages_of([player(100, 1)], [player(100, 2)]), passages_of([player(14, 1)], [player(14, 2)])
    assert (long.unit, short.unit) == ("8 bars", "1 bar")
    assert np.bincount(long.block_side).tolist() == [13, 13]
    assert long.testable
    assert not passages_of([player(4, 1)], [player(100, 2)]).testable


def test_auc_from_the_definition():
    rng = np.random.default_rng(0)
    score, side = np.round(rng.standard_normal(60), 1), np.arange(60) % 2
    pairs = np.sign(np.subtract.outer(score[side == 1], score[side == 0]))
    assert auc(score, side) == pytest.approx((pairs.mean() + 1.0) / 2.0)


def test_a_real_groove_against_noise_of_its_own_sd_and_its_quantized_self(shared_data):
    path = shared_data / "groove" / "drummer1" / "session1" / "1_funk_80_beat_4-4.mid"
    if not path.is_file():
        path = max((shared_data / "groove").rglob("*_beat_4-4.mid"), key=lambda p: p.stat().st_size)
    take = groove(path)
    n = len(take.notes)
    assert "timing_memory" in told(compare(take, independent(take, 1), **FAST))
    assert told(compare(take, remade(take, np.zeros(n)), **FAST))[0] == "timing_on_grid"


def test_pattern_is_in_order():
    beat, drum = pattern(2)
    assert len(beat) == len(drum) == 28
    assert (np.diff(beat) >= 0).all()
