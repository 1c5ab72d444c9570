"""The tempo curve: planted tempos come back, with strays, rolls and pauses in them; arcs are found where they lie."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis.phrase_arcs import phrase_arcs
from takeprint.analysis.tempo import fit_tempo, moments, pause_steps, tempo_summary
from takeprint.analysis.tempo_fit import pauses
from takeprint.core.deviations import TempoCurve
from takeprint.core.kernels.segment_path import segment_path
from takeprint.core.timeline import Timeline
from tests.naive.segment_path import segment_path as naive_segment_path

CLOCK = Timeline.constant(120.0)


def played(log_bpm_of, *, beats=96, grid=0.5, noise_s=0.0, seed=0):
    """Return (beat, onset_s, the true time at any beat) of a planted tempo."""
    fine = np.arange(0.0, beats + 0.001, 0.01)
    time_s = np.concatenate([[0.0], np.cumsum(0.6 / np.exp(log_bpm_of(fine[:-1] + 0.005)))])
    beat = np.arange(0.0, beats + 1e-9, grid)
    noise = np.random.default_rng(seed).normal(0.0, noise_s, len(beat))
    return beat, np.interp(beat, fine, time_s) + noise, lambda at: np.interp(at, fine, time_s)


def wave(beat):
    return np.log(100.0) + 0.06 * np.sin(2.0 * np.pi * beat / 32.0)


def arches(beat, length=16.0, depth=0.2):
    inside = 2.0 * (beat % length) / length - 1.0
    return np.log(100.0) + np.log1p(depth) * (1.0 - inside**2)


def test_a_clock_followed_exactly_comes_out_exactly():
    beat = np.arange(0.0, 40.0, 0.5)
    clock = Timeline(np.array([0.0, 10.0, 40.0]), np.array([0.0, 5.0, 27.5]))
    curve = fit_tempo(beat, clock.seconds_at(beat), clock, 1.0)
    np.testing.assert_array_equal(curve.time_s, clock.seconds_at(curve.beat))
    assert (curve.tempo_uncertainty_bpm == 0.0).all()
    assert not pause_steps(curve).any()


@pytest.mark.parametrize("grid", [0.25, 0.5, 1.0])
def test_nine_beats_in_ten_lie_within_their_interval(grid):
    inside = []
    for seed in range(8):
        beat, onset_s, true_s = played(wave, grid=grid, noise_s=0.015, seed=seed)
        curve = fit_tempo(beat, onset_s, CLOCK, 1.0)
        error = curve.tempo_bpm[:-1] - 60.0 / np.diff(true_s(curve.beat))
        inside.append(np.abs(error[2:-2]) <= curve.tempo_uncertainty_bpm[2:-3])
    assert 0.86 < np.mean(inside) < 0.95


@pytest.mark.parametrize("place", [0, 1, 80, 190, 191, 192])
@pytest.mark.parametrize("late_s", [-0.3, 0.15, 0.5])
def test_one_stray_does_not_pull_the_curve(place, late_s):
    beat, onset_s, _ = played(wave, noise_s=0.008, seed=3)
    clean = fit_tempo(beat, onset_s, CLOCK, 1.0)
    onset_s[place] += late_s
    pulled = fit_tempo(beat, onset_s, CLOCK, 1.0)
    assert np.abs(pulled.tempo_bpm - clean.tempo_bpm).max() < 6.0  # of 100; the mean of the old curve moved by 25
    assert abs(onset_s[place] - np.interp(beat[place], pulled.beat, pulled.time_s)) > 0.7 * abs(late_s)


def test_a_rolled_chord_begins_on_its_beat():
    beat, onset_s, true_s = played(wave, noise_s=0.005, seed=5)
    row = 100
    rolled_s = onset_s[row] + np.arange(1, 9) * 0.25
    curve = fit_tempo(np.append(beat, np.full(8, beat[row])), np.append(onset_s, rolled_s), CLOCK, 1.0)
    assert np.abs(curve.time_s - true_s(curve.beat)).max() < 0.02
    at, place_s, index = moments(np.zeros(5), np.array([1.0, 1.01, 1.02, 0.5, 2.0]))
    assert len(at) == 1
    assert place_s[0] == pytest.approx(1.01)
    assert index.tolist() == [0] * 5


def test_a_pause_is_a_break_and_no_tempo():
    beat, onset_s, _ = played(wave, noise_s=0.008, seed=7)
    onset_s[beat >= 50.5] += 2.0
    assert pauses(CLOCK.seconds_at(beat), onset_s).tolist() == [100]
    curve = fit_tempo(beat, onset_s, CLOCK, 1.0)
    step = np.flatnonzero(pause_steps(curve))
    assert curve.beat[step].tolist() == [50.0]
    assert np.abs(1000.0 * (onset_s - np.interp(beat, curve.beat, curve.time_s))).max() < 30.0
    said = tempo_summary(curve, CLOCK)
    assert said["n_pauses"] == 1
    assert said["paused_s"] == pytest.approx(2.0, abs=0.1)
    assert 94.0 < said["low_bpm"] < said["median_bpm"] < said["high_bpm"] < 107.0


def test_a_break_that_is_told_is_fitted_on_either_side():
    beat, onset_s, _ = played(wave, noise_s=0.008, seed=7)
    kept = (beat < 40.0) | (beat >= 48.0)
    beat, onset_s = beat[kept], np.where(beat >= 48.0, onset_s - 4.2, onset_s)[kept]  # eight beats are skipped
    curve = fit_tempo(beat, onset_s, CLOCK, 1.0, breaks=np.array([48.0]))
    step = np.flatnonzero(pause_steps(curve))
    assert curve.beat[step].tolist() == [39.5]
    assert curve.beat[step + 1].tolist() == [48.0]
    assert np.abs(1000.0 * (onset_s - np.interp(beat, curve.beat, curve.time_s))).max() < 30.0
    for nowhere in (np.array([-5.0]), np.array([0.0, 400.0]), None):
        assert fit_tempo(beat, onset_s, CLOCK, 1.0, breaks=nowhere) == fit_tempo(beat, onset_s, CLOCK, 1.0)


def test_a_ritardando_is_tempo_and_no_pause():
    def slowing(beat):
        return np.log(100.0) + np.log1p((0.5**3 - 1.0) * np.clip((beat - 88.0) / 8.0, 0.0, 1.0)) / 3.0

    beat, onset_s, _ = played(slowing, noise_s=0.01, seed=1)
    curve = fit_tempo(beat, onset_s, CLOCK, 1.0)
    assert not pause_steps(curve).any()
    timing_ms = 1000.0 * (onset_s - np.interp(beat, curve.beat, curve.time_s))
    assert np.abs(timing_ms[beat >= 88.0]).max() < 60.0
    (ending,) = (arc for arc in phrase_arcs(curve) if arc["kind"] == "final_ritardando")
    assert ending["start_beat"] == pytest.approx(88.0, abs=1.5)
    # Half a beat before the end, v ** 3 has come 15 / 16 of its way to 1 / 8.
    assert ending["depth_percent"] == pytest.approx(100.0 * (1.0 - np.cbrt(1.0 - 0.875 * 15 / 16)), abs=6.0)


def test_planted_arcs_are_found():
    right = []
    for seed in range(3):
        curve = fit_tempo(*played(arches, noise_s=0.01, seed=seed)[:2], CLOCK, 1.0)
        arcs = [arc for arc in phrase_arcs(curve) if arc["kind"] == "arc"]
        right += [arc for arc in arcs if abs((arc["start_beat"] + 8.0) % 16.0 - 8.0) <= 1.5]
    assert len(right) >= 14  # of 18
    assert np.median([arc["depth_percent"] for arc in right]) == pytest.approx(20.0, abs=3.0)
    assert np.mean([abs(arc["peak_beat"] % 16 - 8.0) <= 1.5 for arc in right]) > 0.8


def test_a_steady_take_has_no_arcs():
    found = 0
    for seed in range(6):
        curve = fit_tempo(*played(lambda b: np.log(100.0) + 0.0 * b, noise_s=0.015, seed=seed)[:2], CLOCK, 1.0)
        found += len(phrase_arcs(curve))
    assert found <= 2
    assert phrase_arcs(TempoCurve.build(0)) == ()


@pytest.mark.parametrize("onsets", [0, 1, 2, 3, 7])
def test_few_onsets_make_a_curve_without_a_doubt_of_its_own(onsets):
    beat = np.arange(float(onsets))
    curve = fit_tempo(beat, beat * 0.5, CLOCK, 1.0)
    assert len(curve) == (0 if onsets == 0 else max(onsets, 2))
    assert np.isnan(curve.tempo_uncertainty_bpm).all()
    assert not pause_steps(curve).any()


@pytest.mark.parametrize("seed", range(6))
def test_segment_path_is_the_cheapest_of_all_cuts(seed):
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0.0, 1.0, (10, 6))
    got = segment_path(cost, 2, 0.2)
    np.testing.assert_array_equal(got, naive_segment_path(cost, 2, 0.2))
    assert segment_path(cost[:2], 2, 0.2).tolist() == []
