"""Beats, bars and tempo without a reference, against planted ones."""

import numpy as np
import pytest

from takeprint.analysis.beats import infer_beat
from takeprint.core.kernels.beat_path import beat_path
from takeprint.core.kernels.beat_smoother import beat_smoother
from tests.naive.beat_path import beat_path as naive_beat_path
from tests.naive.beat_smoother import beat_smoother as naive_beat_smoother


@pytest.mark.parametrize("seed", range(10))
def test_beat_path_gains_what_the_best_of_all_series_gains(seed):
    rng = np.random.default_rng(seed)
    place = np.sort(rng.uniform(0, 14, rng.integers(1, 8)))
    weight, gain = rng.uniform(0.5, 1.5, len(place)), rng.normal(size=8)
    beats, total = beat_path(place, weight, gain, 14, 3, 6, 5.0, 2)
    assert np.isclose(total, naive_beat_path(place, weight, gain, 14, 3, 6, 5.0, 2))
    assert (np.diff(beats) >= 3).all()
    assert (np.diff(beats) <= 6).all()
    assert beats[0] <= 0
    assert beats[-1] >= 14


@pytest.mark.parametrize("seed", range(10))
def test_beat_smoother_solves_the_least_squares_problem(seed):
    rng = np.random.default_rng(seed)
    n_beats = int(rng.integers(2, 9))
    beat = np.sort(rng.integers(0, n_beats, 7))
    inside = rng.uniform(0, 1, 7)
    time_s = beat + inside + rng.normal(0, 0.05, 7)
    given = (beat, inside, time_s, rng.uniform(0.001, 0.01, 7), n_beats, 0.1, 0.9, 0.5, 0.3, 0.002)
    for got, wanted in zip(beat_smoother(*given), naive_beat_smoother(*given), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-9)


def f_measure(found_s, true_s, window_s=0.07):
    hits, i, j = 0, 0, 0
    while i < len(found_s) and j < len(true_s):
        off = found_s[i] - true_s[j]
        hits += abs(off) <= window_s
        i, j = i + (off <= window_s), j + (off >= -window_s)
    return 2.0 * hits / (len(found_s) + len(true_s))


def drums(beat_s, rng, jitter_s=0.006):
    """Rock in 4/4: eighths on the hat, kick on 1 and 3, snare on 2 and 4."""
    at = np.interp(np.arange(2 * len(beat_s) - 1) / 2, np.arange(len(beat_s)), beat_s)
    onset = np.r_[at, beat_s[0::4], beat_s[2::4], beat_s[1::4], beat_s[3::4]]
    name = np.array(
        ["hat"] * len(at) + ["kick"] * (len(onset) - len(at) - len(beat_s[1::2])) + ["snare"] * len(beat_s[1::2])
    )
    onset = onset + rng.normal(0, jitter_s, len(onset))
    order = np.argsort(onset)
    return onset[order], rng.normal(90, 8, len(onset))[order], name[order]


@pytest.mark.parametrize("bpm", [66, 92, 120, 138])
def test_a_drifting_drum_take_gives_its_beats_to_the_last(bpm):
    rng = np.random.default_rng(bpm)
    when = np.arange(120)
    tempo = bpm * (1 + 0.04 * np.sin(2 * np.pi * when / 40) + 0.03 * when / 120)
    beat_s = 0.7 + np.r_[0.0, np.cumsum(60.0 / tempo)]
    onset_s, weight, name = drums(beat_s, rng)
    found = infer_beat(onset_s, weight, instrument=name)
    assert f_measure(found.beat_s, beat_s) > 0.99
    assert found.belief > 0.5
    off_ms = 1000 * (found.beat_s - beat_s[np.abs(beat_s[:, None] - found.beat_s).argmin(axis=0)])
    assert 0.8 <= np.mean(np.abs(off_ms) <= found.beat_uncertainty_ms) <= 1.0
    assert found.bars.beats_per_bar in (2, 4)


def test_a_break_is_bridged_and_its_beats_are_less_sure():
    rng = np.random.default_rng(3)
    beat_s = np.cumsum(0.5 * np.exp(np.cumsum(rng.normal(0, 0.004, 64))))
    onset_s, weight, name = drums(beat_s, rng)
    silent = (onset_s > 12.1) & (onset_s < 17.9)
    found = infer_beat(onset_s[~silent], weight[~silent], instrument=name[~silent])
    assert f_measure(found.beat_s, beat_s) > 0.99
    middle = found.beat_uncertainty_ms[np.abs(found.beat_s - 15.0).argmin()]
    assert middle > 2 * np.median(found.beat_uncertainty_ms)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_onsets_say_that_nothing_is_known(n):
    found = infer_beat(1.0 + 0.5 * np.arange(n), np.ones(n))
    assert (found.belief, found.clearness, found.readings) == (0.0, 0.0, ())
    assert np.isnan(found.tempo_bpm)
    assert found.bars.beats_per_bar == 0


def test_chance_gets_little_belief():
    found = infer_beat(np.sort(np.random.default_rng(1).uniform(0, 60, 200)), np.ones(200))
    assert found.belief < 0.3


def test_a_plain_click_names_its_octaves():
    found = infer_beat(np.arange(64) / 3.0, np.ones(64))
    names = {reading.relation for reading in found.readings}
    assert names & {"half as fast", "twice as fast"}
    assert abs(sum(reading.belief for reading in found.readings) - 1.0) < 0.15


def test_levels_in_db_and_unknown_weights_do():
    onset_s = np.arange(64) * 0.5
    for weight in (np.full(64, np.nan), np.full(64, -30.0), np.tile([-12.0, -20.0], 32)):
        found = infer_beat(onset_s, weight)
        assert abs(found.tempo_bpm - 120.0) < 0.5
