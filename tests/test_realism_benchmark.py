"""The realism benchmark on invented takes: sets, splits, guards' generators, the pipe, copies."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from takeprint.core.notes import Notes
from takeprint.core.smf_write import write_new_smf
from takeprint.core.timeline import Timeline

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")
if BENCHMARKS not in sys.path:
    sys.path.append(BENCHMARKS)

from realism import guards, players, sets, splits  # noqa: E402
from realism.accents import with_usual_accents  # noqa: E402
from realism.bench import Bench, remeasured  # noqa: E402
from realism.cache import Cache  # noqa: E402
from realism.hits import rows_of_score, rows_of_take  # noqa: E402
from realism.other_eyes import other_auc  # noqa: E402

PIECES = ("funk", "rock", "jazz")
GENERATORS = (*guards.GUARDS, "trial-i", "trial-i2", "trial-i3", "parametric", "donor", "itself")


def _take(drummer: int, number: int) -> bytes:
    """A rock beat of 20 bars with eighths on the hat, a flam now and then, played with a wandering clock."""
    rng = np.random.default_rng([drummer, number])
    rows = []
    for eighth in range(20 * 8):
        rows.append((eighth / 2, 42, 70 + 20 * (eighth % 2 == 0)))
        if eighth % 8 in (0, 5):
            rows.append((eighth / 2, 36, 100))
        if eighth % 8 in (2, 6):
            rows.append((eighth / 2, 38, 90))
        if eighth % 32 == 14:
            rows.append((eighth / 2 + 0.045, 38, 40))
    beat, key, velocity = np.array(rows, dtype=float).T
    clock = 0.012 * guards.pink(20 * 8, rng)
    late = clock[(beat * 2).astype(int)] + 0.004 * rng.standard_normal(len(beat))
    at = np.maximum(beat + 4.0 + (0.01 * drummer + late) * 2.0, 0.0)  # 120 bpm: two beats a second
    hard = np.clip(velocity + 6 * rng.standard_normal(len(beat)), 1, 127).round()
    notes = Notes.build(
        onset_beat=at, duration_beat=np.full(len(at), 0.03), pitch=key, velocity=hard, channel=np.full(len(at), 9)
    )
    return write_new_smf(None, notes, Timeline.constant(120.0), ticks_per_beat=480)


@pytest.fixture(scope="module")
def groove(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groove")
    fields = ("drummer", "session", "style", "bpm", "beat_type", "time_signature", "midi_filename")
    rows = []
    for drummer in (1, 2, 3):
        for number in range(11):
            name = f"drummer{drummer}-{number}.mid"
            # The last take is the first one over again, as a set may hold it.
            (folder / name).write_bytes(_take(drummer, number % 10))
            style = PIECES[number % 10 % 3]
            rows.append((f"drummer{drummer}", f"drummer{drummer}/s", style, "120", "beat", "4-4", name))
    with (folder / "info.csv").open("w", newline="") as file:
        csv.writer(file).writerows([fields, *rows])
    return folder


@pytest.fixture(scope="module")
def items(groove: Path) -> list[sets.Item]:
    return sets.groove_takes(groove)


def test_a_take_that_is_there_twice_counts_once(items: list[sets.Item]) -> None:
    assert len(items) == 30


def test_a_score_lies_on_the_grid_and_knows_its_notes(items: list[sets.Item]) -> None:
    item = items[0]
    played, flat, loud = item.deviations.notes.rows(item.rows), item.score().notes, item.score(accents=True).notes
    assert len(flat) == len(item) == len(played)
    assert (flat.velocity == sets.FLAT_VELOCITY).all()
    np.testing.assert_array_equal(loud.velocity, played.velocity)
    np.testing.assert_array_equal(flat.pitch, played.pitch)
    main = played.ornament == ""
    np.testing.assert_allclose((flat.onset_beat[main] * 4) % 1, 0, atol=1e-9)


def test_no_take_and_no_piece_is_in_two_parts(items: list[sets.Item]) -> None:
    for deal, together in ((splits.drums_same, "piece"), (splits.drums_unseen, "group")):
        parts = deal(items, 0)
        assert sum(map(len, parts)) == len(items)
        for i in (0, 1):
            for j in range(i + 1, 3):
                found = [{(item.group, getattr(item, together)) for item in parts[k]} for k in (i, j)]
                assert not found[0] & found[1]
    assert all({item.group for item in part} == {f"drummer{d}" for d in (1, 2, 3)} for part in splits.drums_same(items))


def test_rotations_turn_the_parts(items: list[sets.Item]) -> None:
    first = splits.drums_same(items, 0)
    assert splits.drums_same(items, 1) == (first[1], first[2], first[0])
    assert splits.drums_same(items, 4) == (first[2], first[1], first[0])
    with pytest.raises(SystemExit):
        splits.drums_same(items, 6)


def test_the_pipe_gives_a_take_back(items: list[sets.Item]) -> None:
    item = items[0]
    made = players.make("itself", setting="same", rotation=0).play(item, 0)
    again, real = (
        notes.rows(np.lexsort((notes.pitch, np.round(notes.onset_s, 4))))
        for notes in (remeasured(item, made, False).notes, item.deviations.notes.rows(item.rows))
    )
    np.testing.assert_array_equal(again.pitch, real.pitch)
    np.testing.assert_allclose(again.timing_ms, real.timing_ms, atol=1e-3)
    np.testing.assert_array_equal(again.velocity, real.velocity)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_plays_every_note_alike_for_a_seed(name: str, items: list[sets.Item]) -> None:
    g, a, _ = splits.drums_same(items)
    generator = players.make(name, setting="same", rotation=0)
    generator.fit(g[:6], 0)
    for accents in (False, True):
        one, again, other = (generator.play(a[0], seed, accents) for seed in (0, 0, 1))
        assert len(one.notes) == len(a[0])
        np.testing.assert_array_equal(one.notes.onset_s, again.notes.onset_s)
        np.testing.assert_array_equal(one.notes.velocity, again.notes.velocity)
        if name not in ("quantized", "itself"):
            assert (one.notes.onset_s != other.notes.onset_s).any()
        assert len(remeasured(a[0], one, accents).notes) == len(a[0])


def test_guards_have_the_spread_and_the_memory_they_are_named_for(items: list[sets.Item]) -> None:
    g, a, _ = splits.drums_same(items)
    real = guards.Pool.of(g).hits().rows
    found = {}
    for name in ("iid", "ar1", "pink"):
        generator = players.make(name, setting="same", rotation=0)
        generator.fit(g, 0)
        made, memory = [], []
        for item in a:
            rows = rows_of_score(item.score())
            timing, mean, varied = generator.invent(rows, item, np.random.default_rng(len(made)))
            made.append((timing, mean + varied))
            clock, _ = guards.moment_means(timing, np.zeros(len(rows)), rows.moment)
            memory.append(guards.lag1(clock, np.zeros(len(clock))))
        timing, velocity = (np.concatenate([m[i] for m in made]) for i in (0, 1))
        found[name] = (timing.std() / real.timing_ms.std(), velocity.std() / real.velocity.std(), np.mean(memory))
    assert all(0.8 < f[0] < 1.25 and 0.8 < f[1] < 1.25 for f in found.values())
    assert abs(found["iid"][2]) < 0.15
    assert found["ar1"][2] > 0.3 < found["pink"][2]


def test_the_trials_donor_plays_velocities_of_one_take_of_the_same_drummer(items: list[sets.Item]) -> None:
    g, a, _ = splits.drums_same(items)
    generator = players.make("trial-i3", setting="same", rotation=0)
    generator.fit(g, 0)
    item = a[0]
    rows, made = rows_of_score(item.score()), generator.play(item, 0).notes
    # Which stroke of a flam is the hit is drawn: only hits without one are looked at.
    main = rows.index[np.bincount(rows.lead, minlength=len(rows)) == 1]
    said = set(zip(made.pitch[main].tolist(), made.velocity[main].tolist(), strict=True))
    holds = []
    for other in g:
        real = rows_of_take(other)
        notes = other.deviations.notes.rows(real.index[real.hits])
        if said <= set(zip(notes.pitch.tolist(), notes.velocity.tolist(), strict=True)):
            holds.append(other.group)
    assert set(holds) == {item.group}


def test_options_stand_behind_a_players_name() -> None:
    assert players.make("donor:amount=0.5,swing=keep", setting="same", rotation=0).options == {
        "amount": 0.5,
        "swing": "keep",
    }
    with pytest.raises(SystemExit):
        players.make("nobody", setting="same", rotation=0)


def test_the_cache_keeps_what_depends_on_the_same(tmp_path: Path) -> None:
    cache, made = Cache(tmp_path), []
    for key in (("a", 1), ("a", 1), ("a", 2)):
        cache.of("thing", key, lambda: made.append(1) or len(made))
    assert len(made) == 2


def test_a_judge_tells_noise_and_not_the_take_itself(items: list[sets.Item], tmp_path: Path) -> None:
    bench = Bench(splits.drums_same(items), "drums", cache=Cache(tmp_path), columns={"all": None})
    found = {}
    for name in ("itself", "iid"):
        played = bench.played(name, lambda name=name: players.make(name, setting="same", rotation=0))
        found[name] = bench.judged(name, played)
        assert bench.judged(name, played) == found[name]
    assert found["iid"].auc["all"][0] > 0.95
    assert 0.3 < found["itself"].auc["all"][0] < 0.7
    assert found["iid"].energy > 2 * max(found["itself"].energy, 0.5)


def test_other_eyes_tell_noise_and_not_the_take_itself(items: list[sets.Item]) -> None:
    parts = [items[0::3], items[1::3]]
    real = tuple([item.deviations for item in part] for part in parts)
    found = {}
    for name in ("itself", "iid"):
        player = players.make(name, setting="same", rotation=0)
        player.fit(items[2::3], 1)
        made = tuple([remeasured(item, player.play(item, 1), False) for item in part] for part in parts)
        found[name] = other_auc(real, made, 1)
        assert found[name][1] <= found[name][0] <= found[name][2]
    assert found["iid"][0] > 0.85
    assert 0.3 < found["itself"][0] < 0.7


def test_usual_accents_are_the_means_of_places(items: list[sets.Item]) -> None:
    item = items[0]
    played, usual = item.score(accents=True).notes, with_usual_accents(item).score(accents=True).notes
    np.testing.assert_array_equal(usual.onset_tick, played.onset_tick)
    hats = played.pitch == 42
    for place in (0.0, 0.5):
        here = hats & (played.onset_beat % 4 == place)
        assert np.ptp(usual.velocity[here]) == 0 < np.ptp(played.velocity[here])
        assert abs(usual.velocity[here][0] - played.velocity[here].mean()) < 2
