"""The rooms' pure functions: tempo events, note ticks, pedals, added notes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takeprint.core.timeline import Timeline
from takeprint.humanize.articulation import note_ends, pedal_changes
from takeprint.humanize.slips import place_added
from takeprint.humanize.tempo import SLOWEST_US, TickClock, differs, tempo_events
from takeprint.humanize.timing import carried_moves, nearest_tick, note_ticks


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(2, 200),
    division=st.sampled_from([24, 96, 480, 960, 15360]),
    step=st.sampled_from([0.25, 1.0, 1.5]),
)
def test_every_knot_of_the_tempo_is_met(seed, n, division, step):
    rng = np.random.default_rng(seed)
    beat = step * np.arange(n + 1.0)
    curve = Timeline(beat, np.concatenate([[0.0], np.cumsum(step * rng.uniform(0.1, 3.0, n))]))
    tick, us, said = tempo_events(curve, division)
    assert said == []
    assert tick[0] == 0
    assert ((us >= 1) & (us <= SLOWEST_US)).all()
    clock = TickClock.of_tempi(tick, us, division)
    # half a microsecond a quarter note, over the longest knot distance; no error adds up
    assert np.abs(clock.seconds_at(beat * division) - curve.seconds_at(beat)).max() <= 0.5e-6 * max(step, 1.0) + 1e-9


def test_tempi_that_three_bytes_cannot_hold_are_said():
    tick, us, said = tempo_events(Timeline(np.array([0.0, 1.0, 2.0]), np.array([0.0, 40.0, 40.5])), 480)
    assert us[0] == SLOWEST_US
    assert TickClock.of_tempi(tick, us, 480).seconds_at(960) == pytest.approx(16.777215 + 0.5)
    assert any("three bytes" in line for line in said)


def test_a_clock_differs_from_itself_in_nothing():
    clock = TickClock.of_tempi(np.array([0, 960]), np.array([500_000, 400_000]), 480)
    same = Timeline(np.array([0.0, 2.0, 3.0]), np.array([0.0, 1.0, 1.4]))
    assert not differs(same, clock, 480)
    assert differs(Timeline(np.array([0.0, 3.0]), np.array([0.0, 1.4])), clock, 480)
    assert clock.ticks_at(clock.seconds_at([-10, 0, 959, 960, 5000])).tolist() == [-10, 0, 959, 960, 5000]
    assert clock.longest_tick_s(100) == pytest.approx(0.5 / 480)


def test_the_middle_between_two_ticks_goes_to_the_later_one():
    assert nearest_tick(np.array([0.5, 1.5, 2.5, 2.499, 7.0])).tolist() == [1, 2, 3, 2, 7]
    clock = TickClock(np.zeros(1), np.zeros(1), np.array([0.001]))
    went = note_ticks(np.array([0.0105, np.nan, 0.02]), clock, np.array([0.0, 0.0, 0.02]), np.array([0, 5, 19]))
    assert went.tolist() == [11, 5, 19]


def test_notes_of_unknown_length_keep_theirs():
    clock = TickClock(np.zeros(1), np.zeros(1), np.array([0.001]))
    ends = note_ends(
        np.array([0.01, 0.01]),
        np.array([np.nan, 0.005]),
        clock,
        np.array([0.02, 0.02]),
        np.array([7, 7]),
        np.array([20, 20]),
    )
    assert ends.tolist() == [27, 15]


def test_events_between_notes_go_along():
    moves = carried_moves(np.array([0, 50, 100, 150, 200, 900]), np.array([100, 100, 200]), np.array([10, 20, -5]))
    assert moves.tolist() == [0, 8, 15, 5, -5, -5]
    assert carried_moves(np.array([3]), np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == [0]


def test_pedal_changes_are_told_from_pedal_streams():
    strand = np.array([0, 0, 0, 1, 0, 0])
    controller = np.array([64, 64, 64, 64, 66, 64])
    value = np.array([0, 70, 127, 90, 0, 10])
    assert pedal_changes(strand, controller, value).tolist() == [False, True, False, True, False, True]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(0, 8), m=st.integers(0, 8))
def test_added_notes_never_overlap_their_key(seed, n, m):
    rng = np.random.default_rng(seed)
    # written notes of two keys, one after another
    voice = rng.integers(0, 2, n)
    edges = np.sort(rng.choice(60, 2 * n, replace=False))
    on, off = edges[::2], edges[1::2].copy()
    off[rng.random(n) < 0.1] = -1
    new_on = rng.integers(-3, 60, m)
    placed = place_added(voice, on, off, rng.integers(0, 2, m) * 0, new_on, new_on + rng.integers(0, 30, m))
    put = placed.on_tick >= 0
    assert ((placed.off_tick > placed.on_tick) | ~put).all()
    assert ((placed.end_tick == off) | ((placed.end_tick < off) & (placed.end_tick > on))).all()
    mine = voice == 0
    starts = np.concatenate([on[mine], placed.on_tick[put]])
    ends = np.concatenate([placed.end_tick[mine], placed.off_tick[put]])
    order = np.argsort(starts)
    starts, ends = starts[order], ends[order]
    # A note without end rings on under later written notes; nothing is ever added to it.
    ringing = ends[:-1] < 0
    assert (starts[1:] > ends[:-1])[~ringing].all()
    added = np.concatenate([np.zeros(mine.sum(), bool), np.ones(put.sum(), bool)])[order]
    assert not added[1:][ringing].any()
