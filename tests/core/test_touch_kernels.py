"""The memory of touch and the choice of stretches: kernels against their twins, and what they are for."""

import numpy as np
import pytest

from takeprint.core.kernels.linked_touch import linked_touch
from takeprint.core.kernels.stretch_choice import stretch_choice
from takeprint.core.memory_of_touch import history_of, kinds_of, with_memory
from takeprint.core.written_context import links_of
from tests.naive.linked_touch import linked_touch as naive_touch
from tests.naive.stretch_choice import stretch_choice as naive_choice


def _chords(rng, moments=60):
    size = rng.integers(1, 5, moments)
    group = np.repeat(np.arange(moments), size)
    pitch = np.concatenate([np.sort(rng.choice(np.arange(40, 80), k, replace=False)) for k in size]).astype(float)
    return group, links_of(pitch, group)


@pytest.mark.parametrize("seed", range(4))
def test_the_memory_is_its_twins(seed):
    rng = np.random.default_rng(seed)
    group, links = _chords(rng)
    fresh, weights = rng.standard_normal((len(group), 4)), 0.2 * rng.standard_normal((3, 32, 4))
    kind = kinds_of(links, group)
    args = (kind, links.own, links.own_before, links.above, links.first, links.size, 0.15, 6.0)
    np.testing.assert_allclose(linked_touch(fresh, weights, *args), naive_touch(fresh, weights, *args), atol=1e-9)


def test_what_is_fresh_gives_back_what_was_left():
    rng = np.random.default_rng(3)
    group, links = _chords(rng, 80)
    left = rng.standard_normal((len(group), 4))
    left[:, 0] = left[links.first + links.size - 1, 0][group]
    weights = 0.05 * rng.standard_normal((3, 32, 4))
    weights[1, :, 0] = 0.0
    history, kind = history_of(left, links, group), kinds_of(links, group)
    fresh = left - np.einsum("nh,nhc->nc", history, weights[kind])
    np.testing.assert_allclose(with_memory(fresh, weights, links, group), left, atol=1e-9)


def test_lines_go_on_in_the_nearest_note():
    pitch = np.array([48.0, 72.0, 74.0, 50.0, 72.0])
    links = links_of(pitch, np.array([0, 0, 1, 2, 2]))
    assert links.own.tolist() == [-1, -1, 1, 0, 2]
    assert links.above.tolist() == [1, -1, -1, 4, -1]
    assert links.own_before.tolist() == [-1, -1, -1, -1, 1]


@pytest.mark.parametrize("seed", range(6))
def test_stretches_are_chosen_as_the_twin_does(seed):
    rng = np.random.default_rng(seed)
    given, moment = rng.integers(0, 4, (30, 3)).astype(float), rng.standard_normal((30, 4))
    begins = np.isin(np.arange(30), (0, 17))
    wanted, ring, stride = rng.integers(0, 4, (23, 3)).astype(float), rng.standard_normal(101), 4
    offset = rng.integers(0, 101, -(-23 // stride))
    args = (given, moment, begins, wanted, ring, offset, stride, 3, 0.3, 0.2, 0.5)
    np.testing.assert_array_equal(stretch_choice(*args), naive_choice(*args))


def test_the_same_music_is_copied_from_beginning_to_end():
    rng = np.random.default_rng(1)
    like = rng.standard_normal((40, 5))
    begins = np.arange(40) == 0
    moment = rng.standard_normal((40, 4))
    chosen = stretch_choice(like, moment, begins, like, np.zeros(7), np.zeros(10, np.int64), 4, 4, 0.3, 0.0, 0.5)
    assert chosen.tolist() == list(range(40))
