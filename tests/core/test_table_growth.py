"""Growing one table of questions: the kernel against its twin."""

import numpy as np
import pytest

from takeprint.core.kernels.table_growth import table_growth
from tests.naive.table_growth import table_growth as naive


@pytest.mark.parametrize("seed", range(6))
def test_the_kernel_asks_what_its_twin_asks(seed):
    rng = np.random.default_rng(seed)
    binned = rng.integers(0, 6, (80, 4)).astype(np.uint8)
    left = rng.standard_normal(80) + (binned[:, 1] > 2) * 2.0 - (binned[:, 3] > 4)
    rows = rng.permutation(80)[:50]
    found = table_growth(binned, left, rows, 3, 6, 5.0)
    assert [a.tolist() for a in found] == [a.tolist() for a in naive(binned, left, rows, 3, 6, 5.0)]
    assert found[0][0] == 1
