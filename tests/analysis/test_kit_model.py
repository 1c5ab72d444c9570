"""What a profile keeps of a drummer: it comes back as it was, and nothing damaged passes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from takeprint.analysis import kit_model
from takeprint.analysis.kit_context import N_ALIKE, N_HABITS, habits, played
from takeprint.analysis.kit_model import LEAST_HITS, PROMPT_HITS, arrays_are_sound, kit_arrays, prompt_of
from takeprint.analysis.measure import measure
from takeprint.analysis.observe import is_drum
from takeprint.core.timeline import Timeline

from .planted import drum_pattern, midi_take


def _take(seed, bars=16, bpm=110.0, channel=9, spread_s=0.006):
    rng = np.random.default_rng(seed)
    beat, key = drum_pattern(bars)
    clock = Timeline.constant(bpm)
    onset_s = clock.seconds_at(beat + 4) + rng.normal(0.0, spread_s, len(beat))
    velocity = rng.integers(20, 127, len(beat))
    return measure(midi_take(onset_s, 0.02, key, velocity, channel=channel, clock=clock), click=bpm)


@pytest.fixture(scope="module")
def takes():
    return [_take(1), _take(2, bars=24, bpm=150.0), _take(3, bars=6)]


@pytest.fixture(scope="module")
def arrays(takes):
    return kit_arrays(takes)


def test_the_end_of_each_take_comes_back(takes, arrays):
    for number, take in enumerate(takes):
        hits, timing_ms, velocity = played(take, is_drum(take))
        tail = slice(max(0, len(hits) - PROMPT_HITS), len(hits))
        kept, kept_ms, kept_velocity = prompt_of(arrays, number)
        assert len(kept) == min(len(hits), PROMPT_HITS)
        np.testing.assert_array_equal(kept_velocity, velocity[tail])
        np.testing.assert_allclose(kept_ms, timing_ms[tail], atol=1 / 32)
        for name in ("kind", "cell", "bar_beats"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(hits, name)[tail])
        np.testing.assert_array_equal(kept.slot, hits.slot[tail] - hits.slot[tail][0])
        np.testing.assert_allclose(kept.beat, hits.beat[tail] - hits.beat[tail][0], atol=1e-4)
        np.testing.assert_allclose(np.diff(kept.onset_s), np.diff(hits.onset_s[tail]), atol=1e-3)
        # A bar keeps its place among four.
        np.testing.assert_array_equal(kept.bar % 4, hits.bar[tail] % 4)
        assert 0 <= kept.bar[0] < 4


def test_habits_and_tempo_are_those_of_whole_takes(takes, arrays):
    assert arrays["kit_habits"].shape == (3, N_HABITS)
    assert arrays["kit_alike"].shape == (3, N_ALIKE)
    np.testing.assert_allclose(arrays["kit_bpm"], [110.0, 150.0, 110.0], atol=0.5)
    assert arrays["kit_source"].tolist() == [0, 1, 2]
    for number, take in enumerate(takes):
        np.testing.assert_allclose(arrays["kit_habits"][number], habits(*played(take, is_drum(take))), atol=1 / 1024)


def test_arrays_are_small_and_sound(arrays):
    assert arrays_are_sound(arrays)
    assert {a.dtype.kind for a in arrays.values()} <= {"i", "f"}
    assert sum(a.nbytes for a in arrays.values()) < 40_000


def test_takes_with_too_few_hits_are_left_out(takes):
    few = takes[2].replace(notes=takes[2].notes.rows(slice(0, LEAST_HITS - 1)))
    assert kit_arrays([few]) == {}
    assert kit_arrays([]) == {}
    made = kit_arrays([few, takes[0]])
    assert made["kit_bpm"].shape == (1,)
    assert made["kit_source"].tolist() == [1]
    assert arrays_are_sound(made)


def test_a_pianist_gives_nothing():
    assert kit_arrays([_take(1, channel=0)]) == {}


def test_of_many_takes_the_longest_of_each_run_is_kept(takes, monkeypatch):
    monkeypatch.setattr(kit_model, "MOST_TAKES", 2)
    made = kit_arrays([takes[2], takes[0], takes[1], takes[2]])
    assert made["kit_source"].tolist() == [1, 2]
    assert arrays_are_sound(made)


def test_extremes_are_kept_within_limits(takes):
    notes = takes[0].notes
    rng = np.random.default_rng(1)
    wild = takes[0].replace(
        notes=notes.replace(
            timing_ms=rng.normal(0, 1e6, len(notes)), velocity=np.where(np.arange(len(notes)) % 2, 300.0, 0.4)
        )
    )
    made = kit_arrays([wild, takes[1]])
    assert arrays_are_sound(made)
    assert np.abs(made["kit_timing_ms"]).max() <= 150.0


def test_a_take_that_lasts_for_years_is_left_out(takes):
    notes = takes[0].notes
    far = np.where(np.arange(len(notes)) > 100, 3e7, 0.0)
    long = takes[0].replace(notes=notes.replace(reference_beat=notes.reference_beat + far))
    assert kit_arrays([long]) == {}


def _changed(arrays):
    """Yield (what is wrong, arrays) for every kind of damage."""
    rows = ("take", "kind", "beat", "bar", "cell", "beat_in_bar", "bar_beats", "timing_ms", "velocity")
    for name in (*rows, "habits", "alike", "bpm"):
        whole = arrays[f"kit_{name}"]

        def other(value, name=name):
            return arrays | {f"kit_{name}": value}

        yield f"{name} missing", {k: v for k, v in arrays.items() if k != f"kit_{name}"}
        yield f"{name} shorter", other(whole[:-1])
        yield f"{name} empty", other(whole[:0])
        yield f"{name} a number", other(np.array(1.0))
        yield f"{name} one dimension more", other(whole[None])
        yield f"{name} text", other(whole.astype(str))
        yield f"{name} complex", other(whole.astype(complex))
        yield f"{name} true and false", other(whole > 0)
        yield f"{name} dates", other(np.zeros(whole.shape, "datetime64[s]"))
        for said, value in (("NaN", np.nan), ("infinite", np.inf), ("too small", -1e9), ("too large", 1e9)):
            broken = whole.astype(float)
            broken.flat[-1] = value
            yield f"{name} {said}", other(broken)
    for name in ("take", "kind", "bar", "cell"):
        yield f"{name} between", arrays | {f"kit_{name}": np.maximum(arrays[f"kit_{name}"] - 0.5, 0.0)}
    take = arrays["kit_take"]
    yield "takes out of order", arrays | {"kit_take": take[::-1]}
    yield "a take without hits", arrays | {"kit_take": np.where(take == 1, 0, take)}
    yield "hits of no take", arrays | {"kit_take": take + 1}
    yield "nothing", {}


def test_no_damage_passes(arrays):
    passed = [said for said, broken in _changed(arrays) if arrays_are_sound(broken)]
    assert passed == []


def test_a_fitted_profile_keeps_them(takes):
    from takeprint.analysis.fit import fit

    made = fit(takes, name="d", kind="drums")
    assert arrays_are_sound(dict(made.arrays))
    again = fit([dataclasses.replace(t) for t in takes], name="d", kind="drums")
    for name, value in made.arrays.items():
        np.testing.assert_array_equal(value, again.arrays[name])
