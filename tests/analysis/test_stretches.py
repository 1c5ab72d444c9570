"""Stretches: runs of added notes of any length and shape, and the kernel they use."""

import time

import numpy as np
import pytest

from takeprint.analysis.stretches import find_replays
from takeprint.core.kernels.common_order import common_order
from tests.naive.common_order import common_order as naive_common_order


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 4), (4, 0), (1, 1), (1, 5), (12, 9), (9, 14), (20, 20)])
def test_common_order_is_its_naive_twin(n, m):
    rng = np.random.default_rng(31 * n + m)
    a, b = rng.integers(0, 5, n).astype(np.float64), rng.integers(0, 5, m).astype(np.float64)
    b[rng.random(m) < 0.1] = np.nan
    assert common_order(a, b).tolist() == naive_common_order(a.tolist(), b.tolist())


def go_and_replay(n, gap_s):
    """Return columns of ``find_replays``: a first go of which every note is added, and the one that counts."""
    pitch = np.random.default_rng(n).integers(40, 90, n).astype(np.float64)
    first_s = np.cumsum(gap_s)
    second_s = first_s[-1] + 1.0 + 0.3 * np.arange(n)
    is_added = np.arange(2 * n) < n
    beat = np.r_[np.full(n, np.nan), np.arange(float(n))]
    return np.r_[first_s, second_s], np.r_[pitch, pitch], beat, is_added


@pytest.mark.parametrize("n", [30, 400])
def test_a_go_that_was_begun_again_is_found_whole(n):
    ((rows, beats),) = find_replays(*go_and_replay(n, np.full(n, 0.3)))
    assert rows.tolist() == list(range(n))
    assert (beats.min(), beats.max()) == (0.0, n - 1.0)


def test_a_run_of_other_notes_with_falling_gaps_takes_no_square_of_splits():
    """Each split parts one note from the rest: the dearest run there is."""
    n = 600
    onset_s, pitch, beat, is_added = go_and_replay(n, np.linspace(0.9, 0.1, n))
    pitch[:n] = np.random.default_rng(1).integers(0, 30, n)
    find_replays(onset_s[:40], pitch[:40], beat[:40], is_added[:40])
    begin_s = time.process_time()
    assert find_replays(onset_s, pitch, beat, is_added) == []
    assert time.process_time() - begin_s < 2.0


def test_nothing_of_a_long_run_is_dropped():
    """The end of 1000 added notes is played again right after them; what comes before is other music."""
    n, replayed = 1000, 60
    onset_s, pitch, beat, is_added = go_and_replay(n, np.full(n, 0.3))
    onset_s[n - replayed :] += 3.0
    matched = np.r_[np.arange(n), n + np.arange(n - replayed, n)]
    pitch[: n - replayed] = np.random.default_rng(2).integers(0, 30, n - replayed)
    found = find_replays(onset_s[matched], pitch[matched], beat[matched], is_added[matched])
    rows = np.concatenate([rows for rows, _ in found])
    assert set(range(n - replayed, n)) <= set(rows.tolist())
