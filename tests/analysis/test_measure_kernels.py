"""The kernels that measuring stands on, each against its naive twin."""

import numpy as np
import pytest

from takeprint.core.kernels.grid_path import grid_path
from takeprint.core.kernels.local_fit import local_linear, local_quadratic
from takeprint.core.kernels.phase_track import phase_track
from tests.naive.grid_path import grid_path as naive_grid_path
from tests.naive.local_fit import local_linear as naive_local_linear
from tests.naive.local_fit import local_quadratic as naive_local_quadratic
from tests.naive.phase_track import phase_track as naive_phase_track


@pytest.mark.parametrize("seed", range(8))
def test_local_linear_equals_least_squares(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 10, rng.integers(1, 30)))
    if seed % 2:
        x = np.round(x)  # chords share one position
    y = rng.normal(size=len(x))
    at = np.sort(rng.uniform(-2, 12, 9))
    got = local_linear(x, y, at, 0.7, 4)
    want = naive_local_linear(x, y, at, 0.7, 4)
    straight = ~np.isnan(want[1])
    np.testing.assert_allclose(got[0][straight], want[0][straight], atol=1e-7)
    np.testing.assert_allclose(got[1][straight], want[1][straight], atol=1e-6)


def test_local_linear_keeps_a_line_exactly_and_one_point_has_no_slope():
    x = np.arange(20.0)
    value, slope = local_linear(x, 3 * x + 1, np.array([-1.0, 2.5, 30.0]), 1.0, 4)
    np.testing.assert_allclose(value, [-2.0, 8.5, 91.0])
    np.testing.assert_allclose(slope, 3.0)
    value, slope = local_linear(np.array([1.0]), np.array([5.0]), np.array([0.0]), 1.0, 4)
    assert value[0] == 5.0
    assert np.isnan(slope[0])


@pytest.mark.parametrize("seed", range(8))
def test_local_quadratic_equals_least_squares(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 10, rng.integers(1, 40)))
    if seed % 2:
        x = np.round(x)
    y = rng.normal(size=len(x))
    weight, variance = rng.uniform(0.2, 1.0, len(x)), rng.uniform(0.0, 2.0, len(x))
    at = np.sort(rng.uniform(-1, 11, 9))
    got = local_quadratic(x, y, weight, variance, at, 0.7, 5)
    for ours, theirs in zip(got, naive_local_quadratic(x, y, weight, variance, at, 0.7, 5), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=1e-6)


def test_local_quadratic_keeps_a_parabola_exactly():
    x, one = np.arange(20.0), np.ones(20)
    value, _, _, _ = local_quadratic(x, x**2 - 3 * x, one, one, x + 0.0, 1.0, 6)
    np.testing.assert_allclose(value, x**2 - 3 * x, atol=1e-9)
    alone = np.ones(1)
    value, own, _, step = local_quadratic(alone, 5.0 * alone, alone, alone, np.zeros(1), 1.0, 6)
    assert value[0] == 5.0
    assert own[0] > 0
    assert np.isnan(step[0])


@pytest.mark.parametrize("seed", range(10))
def test_phase_track_finds_the_best_of_all_paths(seed):
    rng = np.random.default_rng(seed)
    beat = np.sort(rng.uniform(0, 3, 5))
    likelihood, prior, first = rng.normal(size=6) * 2, rng.normal(size=6) * 0.3, rng.normal(size=6)
    path = phase_track(beat, likelihood, first, prior, 0.3, 1)
    best, _ = naive_phase_track(beat, likelihood, first, prior, 0.3, 1)
    place = np.floor(beat * 6 + 0.5).astype(int)
    moves = 0.3 * np.diff(path) ** 2 / np.maximum(np.diff(beat), 0.02)
    start = first[path[0] % 6]
    assert np.isclose(start + likelihood[(place - path) % 6].sum() + prior[path % 6].sum() - moves.sum(), best)


@pytest.mark.parametrize("seed", range(10))
def test_grid_path_finds_the_best_of_all_paths(seed):
    emission = np.random.default_rng(seed).normal(size=(6, 3))
    path, total = grid_path(emission, 0.7)
    want_path, want_total = naive_grid_path(emission, 0.7)
    assert np.isclose(total, want_total)
    np.testing.assert_array_equal(path, want_path)
