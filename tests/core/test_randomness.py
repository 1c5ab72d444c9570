import subprocess
import sys

import numpy as np
import pytest
from scipy.special import ndtri

from takeprint.core.errors import TakeprintError
from takeprint.core.randomness import Stream, normal_quantile


def test_quantiles_are_those_of_the_normal_distribution():
    p = np.concatenate([np.logspace(-300, -1, 3000), np.linspace(0.001, 0.999, 4999), 1 - np.logspace(-15, -1, 500)])
    off = np.abs(p - 0.5) > 1e-3
    np.testing.assert_allclose(normal_quantile(p)[off], ndtri(p)[off], rtol=5e-15)
    assert normal_quantile(np.array([0.5]))[0] == 0.0


def test_numbers_are_these_on_every_machine():
    # Written down once: a change here changes every humanized file.
    assert Stream(7, "timing").raw(2).tolist() == RAW
    np.testing.assert_array_equal(Stream(7, "timing").normal(3), NORMAL)


RAW = [10254817998926782881, 12137230931931563935]
NORMAL = np.array([0.14061967445535442, 0.4069036084940432, -1.1398279868309904])


def test_streams_are_known_by_seed_and_names():
    first = Stream(1, "ab", "c").raw(4)
    np.testing.assert_array_equal(first, Stream(1, "ab", "c").raw(4))
    for other in (Stream(1, "a", "bc"), Stream(2, "ab", "c"), Stream(1, "abc"), Stream(1)):
        assert (other.raw(4) != first).any()


def test_drawing_in_pieces_gives_the_same_numbers():
    whole, pieces = Stream(3, "x").uniform(10), Stream(3, "x")
    np.testing.assert_array_equal(np.concatenate([pieces.uniform(3), pieces.uniform(0), pieces.uniform(7)]), whole)


def test_another_process_draws_the_same():
    code = "from takeprint.core.randomness import Stream; print(Stream(5, 'é').normal(4).tobytes().hex())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert said == Stream(5, "é").normal(4).tobytes().hex()


def test_distributions():
    n = 200_000
    normal, uniform, dice = Stream(1, "n").normal(n), Stream(1, "u").uniform(n), Stream(1, "d").integers(n, 6)
    assert abs(normal.mean()) < 4 / np.sqrt(n)
    assert abs(normal.std() - 1) < 4 / np.sqrt(2 * n)
    assert abs(np.corrcoef(normal[1:], normal[:-1])[0, 1]) < 4 / np.sqrt(n)
    assert uniform.min() > 0
    assert uniform.max() < 1
    assert set(dice.tolist()) == set(range(6))
    assert np.abs(np.bincount(dice) / n - 1 / 6).max() < 0.004


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "7", None, True])
def test_no_such_seed(seed):
    with pytest.raises(TakeprintError, match="seed"):
        Stream(seed, "x")
