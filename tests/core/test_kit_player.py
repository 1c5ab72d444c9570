"""The network that plays a kit: the kernel against its twin, its own logarithm and power, its limits."""

import math

import numpy as np
import pytest

from takeprint.core.kernels import kit_player as kernel
from tests.made_network import in_order, network_of
from tests.naive import kit_player as naive

GROUP = np.array([0, 1, 1, 2])
MIDDLE, UNIT = np.float32(70.0), np.float32(32.0)


def _music(seed, n=70):
    """Return (slot, kind, group, link, place): of up to three strokes a slot, in a made order."""
    rng = np.random.default_rng(seed)
    slot = np.cumsum(rng.uniform(size=n) < 0.6)
    slot -= slot[0]
    kind = rng.integers(0, 4, n)
    link = np.array([[rng.integers(-1, i) if i else -1 for _ in range(3)] for i in range(n)])
    place = np.unique(kind * 8 + slot % 8, return_inverse=True)[1]
    return slot, kind, GROUP, link, place


def _asked(seed, n=70, n_given=0, n_written=4, n_habits=6, **sizes):
    rng = np.random.default_rng(seed + 100)
    given = np.stack([rng.normal(0, 0.7, n_given), rng.integers(1, 128, n_given)], axis=1).astype(np.float32)
    network = network_of(seed, n_written, n_habits, **sizes)
    written = rng.standard_normal((n, n_written)).astype(np.float32)
    habits = rng.standard_normal(n_habits).astype(np.float32)
    noise = rng.uniform(1e-6, 1 - 1e-6, (n - n_given, 4))
    return written, habits, *_music(seed, n), given, noise, MIDDLE, UNIT, in_order(network)


@pytest.mark.parametrize("seed", range(3))
def test_the_history_is_its_twins(seed):
    rng = np.random.default_rng(seed)
    music, n = _music(seed, 160), 160
    timing, loud = rng.normal(0, 1, n).astype(np.float32), rng.normal(0, 0.8, n).astype(np.float32)
    made = kernel.kit_history(*music, timing, loud)
    assert made.dtype == np.float32
    assert made.shape == (n, kernel.N_HISTORY)
    wide = (timing.astype(float), loud.astype(float))
    np.testing.assert_allclose(made, naive.kit_history(*music, *wide), atol=2e-5)


@pytest.mark.parametrize(("seed", "n_given"), [(0, 0), (1, 0), (2, 25), (3, 69), (4, 1)])
def test_the_playing_is_its_twins(seed, n_given):
    asked = _asked(seed, n_given=n_given, size=0.8)
    timing, velocity = kernel.kit_player(*asked)
    naive_timing, naive_velocity = naive.kit_player(*asked)
    np.testing.assert_array_equal(velocity, naive_velocity)
    np.testing.assert_allclose(timing, naive_timing, atol=1e-4)
    assert len(set(velocity[n_given:].tolist())) > 1 or n_given > 60


def test_other_sizes_are_played_as_well():
    sizes = {"style": 1, "wide": 2, "hidden": 1, "trunk": 3, "inner": 1, "blends": 1, "parts": 1}
    asked = _asked(7, n=40, **sizes)
    timing, velocity = kernel.kit_player(*asked)
    naive_timing, naive_velocity = naive.kit_player(*asked)
    np.testing.assert_array_equal(velocity, naive_velocity)
    np.testing.assert_allclose(timing, naive_timing, atol=1e-4)


def test_what_is_given_comes_out_and_is_heard():
    asked = _asked(5, n_given=30, size=1.0)
    given = asked[7]
    timing, velocity = kernel.kit_player(*asked)
    np.testing.assert_array_equal(timing[:30], given[:, 0])
    np.testing.assert_array_equal(velocity[:30], given[:, 1])
    other = given.copy()
    other[:, 0] += 1.0
    otherwise = kernel.kit_player(*asked[:7], other, *asked[8:])
    assert np.abs(timing[30:] - otherwise[0][30:]).max() > 1e-3


def test_the_history_that_is_played_is_the_history_that_is_learned():
    """A network that only repeats one number it hears: what it says must be what ``kit_history`` tells of it."""
    asked = list(_asked(6, n=60, parts=1))
    network = network_of(6, 4, 6, parts=1)
    for name in network:
        if name.split("_")[0] in ("mixture", "near"):
            network[name][:] = 0.0
    network["mixture_b"][2] = -9.0
    network["near_w"][29 - 42, 0], network["near_w"][7 - 42, 0], network["near_b"][0] = 0.5, 0.3, 0.1
    asked[8][:, 3] = 0.5
    asked[-1] = in_order(network)
    timing, velocity = kernel.kit_player(*asked)
    loud = ((velocity - MIDDLE) / UNIT).astype(np.float32)
    heard = kernel.kit_history(*asked[2:7], timing, loud)
    np.testing.assert_allclose(timing, 0.5 * heard[:, 29] + 0.3 * heard[:, 7] + 0.1, atol=1e-5)


def test_a_wild_network_stays_within_what_can_be_played():
    """Each hit answers the last with far more, as a badly trained network could: it must not run away."""
    asked = list(_asked(8, n=200, size=30.0))
    asked[8][:, 1] = np.where(np.arange(200) % 2, 1e-12, 1.0 - 1e-12)
    timing, velocity = kernel.kit_player(*asked)
    assert set(velocity.tolist()) <= set(range(1, 128))
    assert np.abs(timing).max() == 7.5


def test_a_network_that_overflows_reads_nothing_it_should_not():
    asked = list(_asked(9, n=50))
    asked[-1] = tuple(np.full_like(w, 3e38) for w in asked[-1])
    timing, velocity = kernel.kit_player(*asked)
    assert len(timing) == len(velocity) == 50


def test_the_own_power_of_e_is_maths():
    for x in [*np.linspace(-79.9, 79.9, 1601), 0.0, -0.0, 0.34657, 1e-9, -1e-300]:
        assert kernel._exp(x) == pytest.approx(math.exp(x), rel=1e-13)
    assert kernel._exp(-1000.0) == pytest.approx(math.exp(-80.0), rel=1e-13)
    assert kernel._exp(1000.0) == pytest.approx(math.exp(80.0), rel=1e-13)
    assert kernel._exp(math.nan) == kernel._exp(-math.inf) == kernel._exp(-80.0)
    assert kernel._exp(math.inf) == kernel._exp(80.0)


def test_the_own_logarithm_is_maths():
    for y in [*np.exp(np.linspace(-40.0, 40.0, 1601)), 1.0, 0.5, math.sqrt(0.5), 1.0 + 1e-12, 5e-300, 1e300]:
        assert kernel._log(y) == pytest.approx(math.log(y), rel=1e-13, abs=1e-13)
    assert kernel._log(1.0) == 0.0
