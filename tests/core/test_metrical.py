from __future__ import annotations

import numpy as np
import pytest

from takeprint.core.kernels.linked_memory import linked_memory
from takeprint.core.metrical import VOICES, cells, groups, leaders, previous_of, ranks_from_top, slot_means, voices
from takeprint.core.randomness import Stream
from takeprint.core.timeline import Metre

from ..naive.linked_memory import linked_memory as naive_linked_memory


def test_cells_snap_before_they_ask_for_the_bar():
    bar, cell = cells([0.0, 0.26, 0.34, 3.98, 4.0, 5.51], Metre())
    assert bar.tolist() == [0, 0, 0, 1, 1, 1]
    assert cell.tolist() == [0, 3, 4, 0, 0, 18]


def test_groups_keep_players_apart():
    beat = np.array([0.0, 0.0, 0.01, 1.0, 0.0])
    assert groups(beat, np.array([0, 0, 0, 0, 1])).tolist() == [0, 0, 0, 1, 2]
    assert groups(np.zeros(0), np.zeros(0, dtype=int)).tolist() == []


def test_a_flam_s_grace_stroke_follows_its_hit():
    beat = np.array([0.95, 1.0, 1.0, 2.0])
    onset_s = beat * 0.4
    leader = leaders(beat, onset_s, np.array([40.0, 100.0, 90.0, 100.0]), np.array([38, 38, 36, 38]))
    assert leader.tolist() == [1, 1, 2, 3]


def test_voices_and_ranks():
    pitch, group = np.array([60.0, 48.0, 55.0, 70.0]), np.array([0, 0, 0, 1])
    assert [VOICES[v] for v in voices(pitch, group)] == ["top", "bass", "inner", "top"]
    assert ranks_from_top(pitch, group).tolist() == [0, 2, 1, 0]


def test_slot_means_shrink_where_little_is_known():
    values = np.array([10.0] * 100 + [50.0])
    level = np.zeros(101, dtype=int)
    slot = np.array([0] * 100 + [1])
    means = slot_means(values, level, slot, 8.0)
    plain = values.mean()
    assert means[0] == pytest.approx(10.0, abs=0.1)
    assert means[-1] == pytest.approx((50.0 + 8.0 * plain) / 9.0)
    assert slot_means(np.full(3, np.nan), level[:3], slot[:3], 8.0).tolist() == [0.0, 0.0, 0.0]


def test_linked_memory_is_its_naive_twin():
    stream = Stream(5, "memory")
    noise, memory = stream.normal(200), stream.uniform(200) * 1.8 - 0.9
    previous = previous_of(stream.integers(200, 7), np.arange(200.0))
    assert (previous < np.arange(200)).all()
    assert linked_memory(noise, previous, memory) == pytest.approx(naive_linked_memory(noise, previous, memory))
    assert len(linked_memory(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0))) == 0
