"""The kernel that keeps bound events in order, against its naive twin and the constraints themselves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takeprint.core.kernels.order_limits import order_limits
from tests.naive import order_limits as naive

ON, OFF, CONTROL, KEYED = 0, 1, 2, 3
PASSIVE, ACTIVE, SETTLED = 0, 1, 2


@st.composite
def channels(draw):
    """Return the arguments of ``order_limits`` for random channels with overlapping and empty notes."""
    starts, rows = [0], []
    for _ in range(draw(st.integers(1, 2))):
        events = []
        for note in range(draw(st.integers(0, 5))):
            at, length = draw(st.integers(0, 12)), draw(st.integers(0, 6))
            track, key = draw(st.integers(0, 2)), draw(st.integers(60, 61))
            events.append((at, track, 2 * note, ON, key, note))
            events.append((at + length, track, 2 * note + 1, OFF, key, note))
        for _ in range(draw(st.integers(0, 5))):
            role = draw(st.sampled_from([CONTROL, CONTROL, KEYED]))
            place = (draw(st.integers(0, 18)), draw(st.integers(0, 2)), draw(st.integers(-50, 50)))
            events.append((*place, role, draw(st.integers(60, 61)), -1))
        events.sort(key=lambda e: e[:3])
        for e in events:
            rows.append((e[0], e[1], e[3], e[4], draw(st.integers(0, 3)), draw(st.integers(-25, 25))))
        starts.append(len(rows))
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    tick, track, role, key, barrier, move = columns
    stage = draw(st.integers(0, 2))
    fixed = np.array([draw(st.integers(0, 4)) == 0 for _ in rows], np.bool_)
    active = (role == stage) | ((stage == CONTROL) & (role == KEYED))
    state = np.where(active & ~fixed, ACTIVE, np.where(fixed, SETTLED, PASSIVE)).astype(np.int8)
    wanted = np.where(state == ACTIVE, tick + move, tick)
    return (
        np.array(starts, np.int64),
        tick,
        track.astype(np.int32),
        role.astype(np.int8),
        key.astype(np.int32),
        barrier.astype(np.int8),
        wanted,
        state,
    )


@settings(max_examples=150, deadline=None)
@given(channels())
def test_kernel_agrees_with_naive_twin(case):
    new, reason = order_limits(*case)
    assert new.tolist() == naive.order_limits(*[c.tolist() for c in case])
    wanted, state = case[6], case[7]
    assert ((reason > 0) == ((state == ACTIVE) & (new != wanted))).all()


@settings(max_examples=100, deadline=None)
@given(channels())
def test_all_constraints_hold_when_everything_is_decided(case):
    """Stage by stage as the renderer does it; whatever the random flags, the original order is kept."""
    starts, tick, track, role, key, barrier, wanted, state = case
    fixed = state == SETTLED
    wanted = np.where(fixed, tick, wanted)
    for stage in ((ON,), (OFF,), (CONTROL, KEYED)):
        now = np.isin(role, stage) & ~fixed
        done = fixed | (role < stage[0])
        states = np.where(now, ACTIVE, np.where(done, SETTLED, PASSIVE)).astype(np.int8)
        wanted, _ = order_limits(starts, tick, track, role, key, barrier, wanted, states)
    assert (wanted >= 0).all()
    assert (wanted[fixed] == tick[fixed]).all()
    for first, end in itertools.pairwise(starts):
        edges = naive.edges_of(first, end, tick, track, role, key, barrier)
        for (i, j), gap in edges.items():
            assert wanted[j] - wanted[i] >= gap


def _one(tick, role, wanted, key=60):
    n = len(tick)
    role = np.array(role, np.int8)
    done = (role == ON).astype(np.int8)
    return order_limits(
        np.array([0, n]),
        np.array(tick, np.int64),
        np.zeros(n, np.int32),
        role,
        np.full(n, key, np.int32),
        np.zeros(n, np.int8),
        np.array(wanted, np.int64),
        done,
    )


def test_two_notes_of_a_key_that_want_to_pass_meet_half_way():
    new, reason = _one([0, 5, 10, 15], [ON, OFF, ON, OFF], [20, 5, 4, 15])
    # one tick stays between them for the first note's length
    assert new[[0, 2]].tolist() == [12, 13]
    assert reason[0] > 0
    assert reason[2] > 0


@pytest.mark.parametrize("wanted", [-1, -500])
def test_nothing_comes_before_the_beginning(wanted):
    new, reason = _one([3, 9], [ON, OFF], [wanted, 9])
    assert new.tolist() == [0, 9]
    assert reason.tolist() == [1, 0]
