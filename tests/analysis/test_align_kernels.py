"""The kernels of note alignment against their naive twins."""

import numpy as np
import pytest

from takeprint.core.kernels.block_path import block_path
from takeprint.core.kernels.jump_path import jump_path
from takeprint.core.kernels.late_matching import late_matching
from tests.naive.block_path import block_path as naive_block_path
from tests.naive.jump_path import jump_path as naive_jump_path
from tests.naive.late_matching import late_matching as naive_late_matching


def a_case(seed, band):
    """Return arguments of ``jump_path`` for a small score and a take of it with added notes and a leap."""
    rng = np.random.default_rng(seed)
    n, m, kinds = 14, 30, 4
    member = (rng.random((kinds, n)) < 0.45).astype(np.uint8)
    toll = rng.uniform(0.1, 0.9, n)
    due = np.r_[0.0, np.cumsum(rng.uniform(0.05, 0.6, n))]
    pitch = rng.integers(0, kinds, m)
    before = np.array([max([k for k in range(j) if pitch[k] == pitch[j]], default=-1) for j in range(m)])
    onset = np.cumsum(rng.uniform(0.01, 0.4, m))
    middle = np.arange(m) * n // m
    low = np.maximum(middle - band, 0) if band else np.zeros(m, dtype=np.int64)
    high = np.minimum(middle + band + 1, n) if band else np.full(m, n)
    gain, added = rng.uniform(0.5, 1.5, m), rng.uniform(0.1, 0.6, m)
    price = np.array([rng.uniform(0.3, 3.0), 0.113, rng.uniform(0.5, 6.0), 0.0317, rng.uniform(0.0, 2.0), 0.08])
    return member, toll, due, pitch, before, onset, low, high, gain, added, price


@pytest.mark.parametrize("band", [0, 3])
@pytest.mark.parametrize("seed", range(12))
def test_jump_path_is_its_naive_twin(seed, band):
    case = a_case(seed, band)
    position, step, total = jump_path(*case)
    naive_position, naive_step, naive_total = naive_jump_path(*case)
    assert total == pytest.approx(naive_total)
    assert position.tolist() == naive_position
    assert step.tolist() == naive_step


@pytest.mark.parametrize("seed", range(12))
def test_late_matching_is_its_naive_twin(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(0, 14, 2)
    expected, played = np.sort(rng.uniform(0, 6, n)), np.sort(rng.uniform(0, 6, m))
    scale, reach = rng.uniform(0.03, 0.2, n), rng.uniform(0.3, 2.0, n)
    assert late_matching(expected, played, scale, reach).tolist() == naive_late_matching(expected, played, scale, reach)


@pytest.mark.parametrize("seed", range(6))
def test_block_path_is_its_naive_twin(seed):
    likeness = np.random.default_rng(seed).random((15, 9))
    path, total = block_path(likeness, 0.6)
    naive_path, naive_total = naive_block_path(likeness.tolist(), 0.6)
    assert total == pytest.approx(naive_total)
    assert path.tolist() == naive_path


@pytest.mark.parametrize(("m", "n"), [(0, 0), (0, 3), (3, 0), (1, 1), (1, 4), (4, 1)])
def test_kernels_of_nothing_and_of_one_note(m, n):
    rng = np.random.default_rng(10 * m + n)
    likeness = rng.random((m, n))
    path, total = block_path(likeness, 0.6)
    naive_path, naive_total = naive_block_path(likeness.tolist(), 0.6)
    assert (path.tolist(), total) == (naive_path, pytest.approx(naive_total))
    whole = np.zeros(m, dtype=np.int64), np.full(m, n)
    case = (
        np.ones((1, n), dtype=np.uint8), np.full(n, 0.5), np.arange(n + 1.0), np.zeros(m, dtype=np.int64),
        np.arange(m) - 1, 0.3 * np.arange(m), *whole, np.full(m, 1.5), np.full(m, 0.5),
        np.array([7.0, 0.1, 40.0, 0.03, 2.0, 0.08]),
    )  # fmt: skip
    position, step, total = jump_path(*case)
    naive_position, naive_step, naive_total = naive_jump_path(*case)
    assert (position.tolist(), step.tolist(), total) == (naive_position, naive_step, pytest.approx(naive_total))
    times = np.arange(float(n)), np.arange(float(m)), np.full(n, 0.1), np.full(n, 0.5)
    assert late_matching(*times).tolist() == naive_late_matching(*times)


def test_jump_path_looks_ahead_at_so_many_notes_and_no_more():
    case = list(a_case(3, 0))
    m = 80
    rng = np.random.default_rng(5)
    pitch = rng.integers(0, 4, m)
    case[3] = pitch
    case[4] = np.array([max([k for k in range(j) if pitch[k] == pitch[j]], default=-1) for j in range(m)])
    case[5] = np.zeros(m)
    case[6], case[7] = np.zeros(m, dtype=np.int64), np.full(m, 14)
    case[8], case[9] = rng.uniform(0.5, 1.5, m), rng.uniform(0.1, 0.6, m)
    position, step, total = jump_path(*case)
    naive_position, naive_step, naive_total = naive_jump_path(*case)
    assert total == pytest.approx(naive_total)
    assert position.tolist() == naive_position
    assert step.tolist() == naive_step
