"""Fluctuation measures on series whose truth is known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis.fluctuation import (
    LEAST,
    autocorrelation,
    describe,
    dfa,
    in_order,
    spectrum,
)
from takeprint.core.errors import TakeprintError
from takeprint.core.kernels.detrended_fluctuation import detrended_fluctuation
from tests.naive.detrended_fluctuation import detrended_fluctuation as naive_fluctuation


def fgn_covariance(n: int, hurst: float) -> np.ndarray:
    """Covariance of fractional Gaussian noise, from the definition (Mandelbrot and Van Ness 1968)."""
    k = np.arange(n, dtype=float)
    by_lag = 0.5 * ((k + 1) ** (2 * hurst) - 2 * k ** (2 * hurst) + np.abs(k - 1) ** (2 * hurst))
    return by_lag[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))]


def fgn(n: int, hurst: float, count: int, seed: int) -> np.ndarray:
    """``count`` exact series, by the Cholesky factor of the covariance."""
    factor = np.linalg.cholesky(fgn_covariance(n, hurst))
    return (factor @ np.random.default_rng(seed).standard_normal((n, count))).T


def covered(low: list[float], high: list[float], truth: float) -> float:
    return float(np.mean((np.array(low) <= truth) & (truth <= np.array(high))))


def test_kernel_is_its_naive_twin():
    rng = np.random.default_rng(3)
    for n in (3, 10, 97, 256):
        profile = np.cumsum(rng.standard_normal(n))
        windows = np.array([2, 3, 4, 5, 7, 11, 50, n, n + 1])
        np.testing.assert_allclose(
            detrended_fluctuation(profile, windows), naive_fluctuation(profile, windows), rtol=1e-9, atol=1e-12
        )
    spoiled = np.full(20, np.nan)
    assert np.isnan(detrended_fluctuation(spoiled, np.array([4, 8]))).all()
    assert np.isnan(detrended_fluctuation(np.zeros(0), np.array([4]))).all()


def test_short_window_correction_is_exact_for_white_noise():
    # The expected squared fluctuation of white noise: trace of the residual projector on the profile's covariance.
    for s in (4, 6, 9):
        steps = np.tril(np.ones((s, s)))
        line = np.column_stack([np.ones(s), np.arange(s)])
        rest = np.eye(s) - line @ np.linalg.pinv(line)
        expected = np.trace(rest @ steps @ steps.T @ rest) / s
        assert expected * s**2 / (s**2 - 4.0) == pytest.approx(s / 15.0, rel=1e-9)


@pytest.mark.parametrize(("hurst", "bias", "spread"), [(0.5, 0.03, 0.08), (0.7, 0.04, 0.1), (0.9, 0.05, 0.11)])
def test_dfa_recovers_known_exponents_and_its_bounds_cover(hurst, bias, spread):
    found = [dfa(x) for x in fgn(256, hurst, 200, seed=11)]
    error = np.array([d.exponent for d in found]) - hurst
    assert abs(error.mean()) < bias
    assert error.std() < spread
    assert np.percentile(np.abs(error), 95) < 2.2 * spread
    assert 0.90 <= covered([d.low for d in found], [d.high for d in found], hurst) <= 0.995
    assert np.mean([d.trusted for d in found]) > 0.9


def test_dfa_says_its_known_failure_on_anticorrelated_series():
    found = [dfa(x) for x in fgn(128, 0.2, 60, seed=4)]
    # It fails as the docstring says: too high on the whole, never to be trusted.
    assert np.mean([d.exponent for d in found]) > 0.22
    assert not any(d.trusted for d in found)
    assert all("anticorrelated" in d.warning for d in found)


def test_dfa_says_when_there_is_no_single_exponent():
    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(1024) * 2 * np.pi / 16) * 3 + rng.standard_normal(1024)
    result = dfa(wave)
    assert not result.trusted
    assert "no single exponent" in result.warning


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7, 0.9])
def test_spectrum_recovers_known_exponents_and_its_bounds_cover(hurst):
    beta = 2 * hurst - 1
    found = [spectrum(x) for x in fgn(256, hurst, 200, seed=12)]
    error = np.array([s.beta for s in found]) - beta
    assert abs(error.mean()) < 0.16
    assert error.std() < 0.3
    assert np.percentile(np.abs(error), 95) < 0.62
    assert 0.90 <= covered([s.low for s in found], [s.high for s in found], beta) <= 0.995


@pytest.mark.parametrize("hurst", [0.5, 0.7])
def test_autocorrelation_bounds_cover_short_memory(hurst):
    truth = fgn_covariance(9, hurst)[0]
    found = [autocorrelation(x, 8) for x in fgn(300, hurst, 200, seed=13)]
    for lag in (1, 2, 8):
        assert abs(np.mean([a.value[lag] for a in found]) - truth[lag]) < 0.05
        assert 0.90 <= covered([a.low[lag] for a in found], [a.high[lag] for a in found], truth[lag]) <= 0.995


def test_autocorrelation_bounds_cover_a_first_order_process():
    rng = np.random.default_rng(14)
    x = rng.standard_normal((200, 400))
    for i in range(1, 400):
        x[:, i] += 0.6 * x[:, i - 1]
    found = [autocorrelation(row[100:], 2) for row in x]
    assert 0.90 <= covered([a.low[1] for a in found], [a.high[1] for a in found], 0.6) <= 0.995


def test_autocorrelation_is_the_definition():
    x = np.random.default_rng(1).standard_normal(200)
    centred = x - x.mean()
    expected = np.mean(centred[:-3] * centred[3:]) / np.mean(centred**2)
    assert autocorrelation(x, 5).value[3] == pytest.approx(expected, rel=1e-12)


def test_gaps_are_passed_over_at_their_true_distance():
    x = np.resize([1.0, -1.0], 200)
    x[::10] = np.nan
    result = autocorrelation(x, 3)
    assert result.n == 180
    # The gaps take away more of one value than of the other, hence not exactly -1 and 1.
    np.testing.assert_allclose(result.value, [1.0, -1.0, 1.0, -1.0], atol=0.15)


def test_missing_values_warn():
    x = np.random.default_rng(1).standard_normal(300)
    x[100:200] = np.nan
    assert "33 %" in dfa(x).warning
    assert "33 %" in spectrum(x).warning
    assert np.isfinite(dfa(x).exponent)


@pytest.mark.parametrize(
    "series", [[], [1.0], [np.nan] * 100, np.arange(LEAST - 1.0), np.full(100, 3.3), [np.inf] * 50, [0.1 + 0.2] * 40]
)
def test_too_little_gives_nan_and_a_reason(series):
    for result, number in (
        (autocorrelation(series), "value"),
        (dfa(series), "exponent"),
        (spectrum(series), "beta"),
    ):
        assert np.isnan(getattr(result, number)).all()
        assert result.reason
        assert result.to_dict()["reason"]
    assert np.isnan(describe(series)["dfa_exponent"])


@pytest.mark.parametrize("series", [np.zeros((3, 3)), "words", 3.0, None])
def test_what_is_no_series_is_refused(series):
    with pytest.raises(TakeprintError):
        autocorrelation(series)
    with pytest.raises(TakeprintError):
        describe(series)


def test_bad_options_are_refused():
    x = np.random.default_rng(1).standard_normal(100)
    with pytest.raises(TakeprintError):
        autocorrelation(x, 0)
    with pytest.raises(TakeprintError):
        dfa(x, smallest=2)
    with pytest.raises(TakeprintError):
        dfa(x, largest=1000)
    with pytest.raises(TakeprintError):
        spectrum(x, lowest=0.4, highest=0.3)
    with pytest.raises(TakeprintError):
        describe(x, x[:5])


def test_describe_orders_by_time_and_counts_the_known():
    rng = np.random.default_rng(2)
    walk = np.cumsum(rng.standard_normal(200))
    order = rng.permutation(200)
    straight, shuffled = describe(walk), describe(walk[order], np.arange(200.0)[order])
    assert straight == shuffled
    assert straight["lag1"] > 0.8 > abs(describe(walk[order])["lag1"])
    assert describe([1.0, np.nan, 3.0, 5.0]) | {} == pytest.approx(describe([1.0, 3.0, 5.0]), nan_ok=True)
    assert describe([0.0, 0.0, 0.0, 0.0, 10.0])["p95"] == pytest.approx(8.0)
    np.testing.assert_array_equal(in_order([1.0, 2.0, 3.0], [3.0, np.nan, 1.0]), [3.0, 1.0])
