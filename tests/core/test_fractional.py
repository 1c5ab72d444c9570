"""The exponent is exact: measured beta equals the one asked for, over many seeds and up to a million steps."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.fractional import autocovariance, circle_length, fit_noise, fractional_noise
from takeprint.core.randomness import Stream


def noise(seed, n, beta, window=256, corner=0.0):
    return fractional_noise(Stream(seed, "noise").normal(circle_length(n, window)), n, beta, window, corner)


def slope(series, low=0.01, high=0.4):
    """Minus the slope of log power against log frequency: the textbook estimate, apart from our own fit."""
    n = len(series[0])
    taper = np.hanning(n)
    power = np.mean([np.abs(np.fft.rfft((x - x.mean()) * taper)) ** 2 for x in series], axis=0)
    f = np.fft.rfftfreq(n)
    edges = np.geomspace(low, high, 25)
    which = np.digitize(f, edges)
    bins = [k for k in range(1, 25) if (which == k).any()]
    x = [np.log(f[which == k]).mean() for k in bins]
    y = [np.log(power[which == k].mean()) for k in bins]
    return -np.polyfit(x, y, 1)[0]


@pytest.mark.parametrize("beta", [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0])
def test_exponent_over_seeds(beta):
    assert slope([noise(seed, 2048, beta) for seed in range(60)]) == pytest.approx(beta, abs=0.04)


def test_exponent_of_a_million_steps():
    x = noise(3, 1_000_000, 1.0)
    assert len(x) == 1_000_000
    assert slope([x], low=1e-4) == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize(("beta", "window"), [(0.0, 64), (1.0, 64), (1.0, 256), (1.8, 256)])
def test_size_within_the_window(beta, window):
    variances = [noise(seed, window, beta, window).var() for seed in range(300)]
    error = np.std(variances) / np.sqrt(len(variances))
    assert np.mean(variances) == pytest.approx(1.0, abs=4 * error)


def test_autocovariance_is_the_process_s():
    lags = np.array([0, 1, 2, 5, 10])
    told = autocovariance(1.0, lags, 128)
    xs = np.array([noise(seed, 128, 1.0, 128) for seed in range(1500)])
    # The process's mean is known to be 0, so that no sample mean enters.
    found = [float((xs[:, : 128 - k] * xs[:, k:]).mean()) for k in lags]
    assert found == pytest.approx(told, abs=0.06)


@pytest.mark.parametrize(("beta", "corner"), [(0.6, 0.0), (1.0, 0.0), (1.6, 0.0), (1.5, 2.0**-5)])
def test_fit_finds_what_was_planted(beta, corner):
    series = [9.0 * noise(seed, 800, beta, 128, corner) + 5.0 * Stream(seed, "white").normal(800) for seed in range(12)]
    found = fit_noise(series, 128)
    # Near its corner a spectrum bends slowly: beta and corner make up for each other, and are known less well.
    assert found.beta == pytest.approx(beta, abs=0.35 if corner else 0.2)
    assert found.fractional_sd == pytest.approx(9.0, rel=0.15)
    assert found.white_sd == pytest.approx(5.0, rel=0.3 if beta < 1 else 0.1)
    assert corner / 2.0 <= found.corner <= 2.0 * corner


def test_too_little_is_not_fitted():
    assert np.isnan(fit_noise([np.ones(10)], 64).beta)
    assert np.isnan(fit_noise([], 64).beta)


def test_limits():
    with pytest.raises(TakeprintError, match="beta"):
        fractional_noise(np.zeros(circle_length(8, 8)), 8, 3.0, 8)
    with pytest.raises(TakeprintError, match="circle_length"):
        fractional_noise(np.zeros(8), 8, 1.0, 8)
