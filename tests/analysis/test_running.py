"""Running filters against their definitions, and the kernel against its naive twin."""

import numpy as np
import pytest

from takeprint.analysis.running import greatest, mean, ranked
from takeprint.core.kernels.running_rank import running_rank
from tests.naive.running_rank import running_rank as naive_running_rank


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("width", [1, 2, 7, 30])
def test_running_rank_like_its_twin(seed, width):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=30 + rng.integers(200))
    if seed % 2:
        x = np.round(x)  # many alike
    for rank in {0, width // 3, width // 2, width - 1}:
        np.testing.assert_array_equal(running_rank(x, width, rank), naive_running_rank(x, width, rank))


@pytest.mark.parametrize("width", [1, 3, 9, 41])
@pytest.mark.parametrize("length", [1, 5, 90])
def test_neighbours(width, length):
    x = np.random.default_rng(width + length).normal(size=length)
    half = width // 2
    mirror = np.concatenate([x, x[::-1]])  # and so on, on either side
    around = [mirror[np.arange(i - half, i + half + 1) % (2 * length)] for i in range(length)]
    np.testing.assert_array_equal(greatest(x, width), [a.max() for a in around])
    np.testing.assert_allclose(mean(x, width), [a.mean() for a in around], atol=1e-12)
    np.testing.assert_array_equal(ranked(x, width, 0.5), [np.median(a) for a in around])
    np.testing.assert_array_equal(ranked(x, width, 0.3), [np.sort(a)[int(0.3 * width)] for a in around])
    alone = np.pad(x, half)
    np.testing.assert_array_equal(
        greatest(x, width, mirrored=False), [alone[i : i + width].max() for i in range(length)]
    )


@pytest.mark.parametrize("width", [1, 5, 69, 207])
def test_like_scipy(width):
    ndimage = pytest.importorskip("scipy.ndimage")
    x = np.abs(np.random.default_rng(0).normal(size=2000))
    np.testing.assert_array_equal(greatest(x, width), ndimage.maximum_filter1d(x, width))
    np.testing.assert_array_equal(
        greatest(x, width, mirrored=False), ndimage.maximum_filter1d(x, width, mode="constant")
    )
    np.testing.assert_array_equal(ranked(x, width, 0.5), ndimage.median_filter(x, width))
    np.testing.assert_array_equal(ranked(x, width, 0.3), ndimage.percentile_filter(x, 30, width))
    np.testing.assert_allclose(mean(x, width), ndimage.uniform_filter1d(x, width), atol=1e-12)
