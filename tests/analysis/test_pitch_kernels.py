"""The pitch kernels against their naive twins."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis.pitch_frames import Grid, _low_pass, _sinc, _spectra
from takeprint.core.kernels.decimation import decimation
from takeprint.core.kernels.harmonic_contrast import harmonic_contrast
from takeprint.core.kernels.lag_peaks import lag_peaks
from takeprint.core.kernels.period_refinement import period_refinement
from takeprint.core.kernels.pitch_path import pitch_path
from takeprint.core.kernels.ring_out import ring_out
from tests.naive.decimation import decimation as naive_decimation
from tests.naive.harmonic_contrast import harmonic_contrast as naive_harmonic_contrast
from tests.naive.lag_peaks import lag_peaks as naive_lag_peaks
from tests.naive.period_refinement import period_refinement as naive_period_refinement
from tests.naive.pitch_path import pitch_path as naive_pitch_path
from tests.naive.ring_out import ring_out as naive_ring_out


def tones(rng, rate, count, length):
    """Frames of random harmonic tones with some noise, float64."""
    t = np.arange(length) / rate
    out = np.zeros((count, length))
    for i in range(count):
        f0 = np.exp(rng.uniform(np.log(60), np.log(1500)))
        for k in range(1, 1 + int(3000 / f0)):
            out[i] += rng.uniform(0.1, 1) / k * np.sin(2 * np.pi * k * f0 * t + rng.uniform(0, 7))
        out[i] += 0.05 * rng.normal(size=length)
    return out


@pytest.mark.parametrize(("length", "factor"), [(0, 4), (1, 4), (3, 8), (5000, 1), (10_000, 4), (9_999, 7)])
def test_decimation_is_filtering_and_throwing_away(length, factor):
    x = np.random.default_rng(length).normal(size=length)
    taps = _low_pass(factor)
    np.testing.assert_allclose(decimation(x, taps, factor), naive_decimation(x, taps, factor), atol=1e-12)


def test_lag_peaks_and_contrast_like_their_twins():
    rng = np.random.default_rng(3)
    grid = Grid.at(44_100, 40.0, 3500.0)
    x = np.concatenate([*tones(rng, grid.rate, 6, 800), np.zeros(1600), rng.normal(size=800)]).astype(np.float32)
    amplitude, correlation = _spectra(x, np.arange(0, len(x) - grid.frame, 373), grid)
    about = (correlation, grid.window_correlation, grid.low, grid.high, 0.1, 5, _sinc(4))
    lag, value = lag_peaks(*about)
    naive_lag, naive_value = naive_lag_peaks(*about)
    assert np.isfinite(lag).any()
    assert np.isnan(lag).any()
    np.testing.assert_allclose(value, naive_value, atol=1e-6)
    np.testing.assert_allclose(lag, naive_lag, atol=1e-4)
    about = (amplitude, grid.length / lag, 12)
    for ours, theirs in zip(harmonic_contrast(*about), naive_harmonic_contrast(*about), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)


def test_period_refinement_finds_the_lag_of_greatest_likeness():
    rng = np.random.default_rng(8)
    sinc = _sinc(16)
    for row in range(12):
        f0 = np.exp(rng.uniform(np.log(60), np.log(2500)))
        x = sum(np.sin(2 * np.pi * k * f0 * np.arange(2000) / 11_025 + k) / k for k in range(1, 1 + int(3000 / f0)))
        x = x + 0.02 * rng.normal(size=2000)
        rough = 11_025 / f0 * (1 + rng.uniform(-0.003, 0.003))
        period, likeness, late = period_refinement(x, np.array([1000 + row]), np.array([rough]), 264.6, 88.2, sinc)
        wanted, alike = naive_period_refinement(x, 1000 + row, rough, 264.6, 88.2, sinc)
        assert period[0] == pytest.approx(wanted, rel=1e-5)
        assert likeness[0] == pytest.approx(alike, abs=1e-4)
        assert abs(late[0]) < rough + 60  # a third of the window


def test_period_refinement_passes_over_what_has_no_period():
    x = np.zeros(500)
    period, likeness, _ = period_refinement(
        x, np.array([250, 250, 5]), np.array([np.nan, 40.0, 40.0]), 264.0, 88.0, _sinc(16)
    )
    assert np.isnan(period).all()
    assert not likeness.any()


def chosen(height, score, silent, pieces):
    """Follow the kernel's course, its frames given in pieces."""
    k = height.shape[1]
    before, sums_before = np.full(k, np.nan), np.full(k + 1, np.nan)
    backs, last = [], None
    for part in np.array_split(np.arange(len(height)), pieces):
        back, sums = pitch_path(height[part], score[part], silent[part], 1.0, 0.3, before, sums_before)
        backs.append(back)
        if len(part):
            before, sums_before, last = height[part][-1], sums[-1], sums[-1]
    back = np.concatenate(backs)
    state, course = int(np.argmax(last)), []
    for i in range(len(height) - 1, -1, -1):
        course.append(state if state < k else -1)
        state = back[i, state]
    return np.array(course[::-1])


@pytest.mark.parametrize("seed", range(6))
def test_pitch_path_is_the_best_of_all_courses(seed):
    rng = np.random.default_rng(seed)
    height = np.log2(110) + rng.uniform(0, 2, (7, 3))
    height[rng.random((7, 3)) < 0.3] = np.nan
    score, silent = rng.uniform(0, 1, (7, 3)), np.full(7, 0.5)
    _, wanted = naive_pitch_path(height, score, silent, 1.0, 0.3)
    np.testing.assert_array_equal(chosen(height, score, silent, 1), wanted)
    np.testing.assert_array_equal(chosen(height, score, silent, 3), wanted)


@pytest.mark.parametrize("seed", range(8))
def test_ring_out_like_its_twin(seed):
    rng = np.random.default_rng(seed)
    level, height = [], []
    for _ in range(6):
        hold, ring = rng.integers(10, 40), rng.integers(3, 60)
        top = rng.uniform(-30, -6)
        level += [
            *(top - 0.05 * np.arange(hold)),
            *(top - rng.uniform(6, 14) - rng.uniform(0.1, 1.2) * np.arange(ring)),
        ]
        height += [
            *np.full(hold, rng.uniform(7, 9)),
            *np.where(rng.random(ring) < 0.7, height[-1] if height else 8, np.nan),
        ]
    level = np.array(level) + rng.normal(0, 0.7, len(level))
    about = (level, np.array(height), 9.0, 0.15, 12, 3.0, 8.0, 0.06)
    rings = ring_out(*about)
    assert rings.any()
    assert not rings.all()
    np.testing.assert_array_equal(rings, naive_ring_out(*about))
