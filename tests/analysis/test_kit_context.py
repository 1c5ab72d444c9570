"""What a drummer has before the eyes, and a take's habits: known music in, known numbers out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from takeprint.analysis.kit_context import (
    CLASSES,
    GROUP,
    HABITS_A_CLASS,
    N_ASKED,
    N_CLASSES,
    N_GROUPS,
    N_HABITS,
    NAMES,
    Hits,
    alike,
    asked,
    class_habits,
    class_of,
    context,
    habits,
    links,
    places,
    played,
)
from takeprint.analysis.measure import measure
from takeprint.analysis.observe import is_drum
from takeprint.core.timeline import Metre, Timeline

from .planted import drum_pattern, midi_take

KICK, SNARE, HAT, CRASH = (NAMES.index(n) for n in ("kick", "snare", "hat", "crash"))
OF_KIT = N_CLASSES * HABITS_A_CLASS


def _hits(beat, kind, metre="4/4", bpm=120.0):
    beat = np.asarray(beat, dtype=float)
    kind = np.broadcast_to(np.asarray(kind, dtype=np.int64), beat.shape)
    return Hits.of(beat, Timeline.constant(bpm).seconds_at(beat), kind, Metre.parse(metre))


def _groove(bars=8, metre="4/4"):
    beat, key = drum_pattern(bars, (0.0, 0.5))
    return _hits(beat, class_of(key.astype(float), np.full(len(key), "")), metre)


def _told(hits, bpm=120.0):
    return context(hits, np.full(len(hits), bpm))


# ---------------------------------------------------------------- hits


def test_every_key_has_a_class_and_every_class_a_group():
    keys = [key for _, keys in CLASSES for key in keys]
    assert len(set(keys)) == len(keys)
    for number, (_, own) in enumerate(CLASSES):
        assert set(class_of(np.array(own, float), np.full(len(own), "")).tolist()) == {number}
    every = class_of(np.arange(128.0), np.full(128, ""))
    assert every.min() >= 0
    assert every.max() < N_CLASSES
    assert len(GROUP) == N_CLASSES
    assert set(GROUP.tolist()) == set(range(N_GROUPS))


def test_without_a_key_the_instruments_name_tells():
    pitch = np.array([np.nan, 38.0, np.nan, np.nan, -5.0, 300.0])
    name = np.array(["kick", "kick", "hat", "a gong", "", ""])
    assert class_of(pitch, name)[:3].tolist() == [KICK, SNARE, HAT]
    assert (class_of(pitch, name) < N_CLASSES).all()


def test_hits_are_in_order_of_place_then_of_class():
    hits = _hits([1.0, 0.0, 0.0, 0.5, 1.002], [KICK, HAT, KICK, HAT, SNARE])
    assert hits.row.tolist() == [2, 1, 3, 0, 4]
    assert hits.kind.tolist() == [KICK, HAT, HAT, KICK, SNARE]
    # Closer than a 48th of a beat is one place.
    assert hits.slot.tolist() == [0, 0, 1, 2, 2]


def test_bars_are_those_of_the_metre():
    hits = _hits(np.arange(10.0), KICK, "5/4")
    assert hits.bar.tolist() == [0] * 5 + [1] * 5
    assert hits.cell.tolist() == [0, 12, 24, 36, 48] * 2
    assert hits.beat_in_bar.tolist() == [0, 1, 2, 3, 4] * 2
    assert set(hits.bar_beats.tolist()) == {5.0}


def test_a_part_begins_at_its_own_first_slot():
    hits = _groove()
    part = hits.part(10, 30)
    assert len(part) == 20
    assert part.slot[0] == 0
    np.testing.assert_array_equal(part.beat, hits.beat[10:30])
    np.testing.assert_array_equal(np.diff(part.slot), np.diff(hits.slot[10:30]))
    assert len(hits.part(5, 5)) == 0


def test_what_follows_is_later_in_everything_and_starts_a_bar():
    first, second = _groove(3), _groove(2)
    both = first.then(second)
    assert len(both) == len(first) + len(second)
    for name in ("slot", "bar", "beat", "onset_s"):
        line = getattr(both, name)
        np.testing.assert_array_equal(line[: len(first)], getattr(first, name))
        assert line[len(first)] > line[len(first) - 1]
        np.testing.assert_allclose(np.diff(line[len(first) :]), np.diff(getattr(second, name)))
    # Two bars make a figure: even bars stay even.
    assert (both.bar[len(first) :] % 2).tolist() == (second.bar % 2).tolist()
    np.testing.assert_array_equal(both.kind, np.concatenate([first.kind, second.kind]))


def test_nothing_follows_or_is_followed():
    hits, none = _groove(1), _hits([], [])
    assert len(hits.then(none)) == len(none.then(hits)) == len(hits)
    assert len(none.then(none)) == 0


# ---------------------------------------------------------------- links and places


def test_links_look_one_and_two_bars_back_and_to_the_last_of_its_place_in_a_beat():
    beat = [0.0, 4.0, 8.0, 1.0, 16.0, 0.5, 8.5]
    hits = _hits(beat, KICK)
    one, two, phase = links(hits).T
    row = {b: i for i, b in enumerate(hits.beat.tolist())}
    assert one.tolist() == [-1, -1, -1, row[0.0], row[4.0], -1, -1]
    # The two-bar link of 8.5 goes to 0.5 though nothing was there a bar ago.
    assert two[row[8.0]] == row[0.0]
    assert two[row[8.5]] == row[0.5]
    assert two[row[16.0]] == row[8.0]
    assert two[row[4.0]] == -1
    assert phase[row[1.0]] == row[0.0]
    assert phase[row[4.0]] == row[1.0]
    assert phase[row[8.5]] == row[0.5]


def test_links_stay_with_their_class_and_look_back_only():
    hits = _groove(6)
    linked = links(hits)
    for column in linked.T:
        has = column >= 0
        assert has.any()
        assert (column[has] < np.flatnonzero(has)).all()
        np.testing.assert_array_equal(hits.kind[column[has]], hits.kind[has])
        np.testing.assert_array_equal(hits.cell[column[has]] % 12, hits.cell[has] % 12)
    assert links(_hits([], [])).shape == (0, 3)


def test_what_follows_a_take_goes_on_as_if_the_next_bar_had_come():
    first, second = _groove(2), _groove(2)
    n = len(first)
    one, two, phase = links(first.then(second))[n:].T
    # Even bars stay even and this take ended with an odd one: each bar hears the last two.
    np.testing.assert_array_equal(one, np.arange(n) + n - n // 2)
    np.testing.assert_array_equal(two, np.arange(n))
    assert (phase >= n - n // 4).all()
    # A bar is left out where a take ends with an even one.
    short = _groove(1)
    assert (links(short.then(second))[len(short) : len(short) + n // 2, 0] == -1).all()


def test_a_place_is_a_stroke_and_a_cell():
    hits = _groove(4)
    place = places(hits)
    said = {}
    for p, kind, cell in zip(place, hits.kind, hits.cell, strict=True):
        assert said.setdefault(int(p), (kind, cell)) == (kind, cell)
    assert sorted(said) == list(range(len(set(said.values()))))


# ---------------------------------------------------------------- context


def test_context_is_small_finite_and_rounded():
    beat = np.sort(np.random.default_rng(3).uniform(0, 64, 300))
    kind = np.random.default_rng(4).integers(0, N_CLASSES, 300)
    told = context(_hits(beat, kind, "7/8"), np.random.default_rng(5).uniform(1.0, 900.0, 300))
    assert told.dtype == np.float32
    assert told.flags.c_contiguous
    assert np.isfinite(told).all()
    assert np.abs(told).max() < 4.0
    np.testing.assert_array_equal(told * 1024.0, np.rint(told * 1024.0))


def test_context_is_as_wide_for_one_hit_and_for_none():
    wide = _told(_groove()).shape[1]
    assert _told(_hits([3.0], [KICK])).shape == (1, wide)
    assert _told(_hits([], [])).shape == (0, wide)


def test_context_tells_what_is_struck_and_what_is_around():
    hits = _hits([0.0, 0.0, 1.0, 2.0], [KICK, HAT, SNARE, HAT])
    told = _told(hits)
    own, here, earlier = (told[:, k * N_CLASSES : (k + 1) * N_CLASSES] for k in range(3))
    assert own.argmax(axis=1).tolist() == [KICK, HAT, SNARE, HAT]
    assert (own.sum(axis=1) == 1).all()
    assert np.flatnonzero(here[0]).tolist() == np.flatnonzero(here[1]).tolist() == [KICK, HAT]
    assert np.flatnonzero(here[2]).tolist() == [SNARE]
    # Of the same place only those before it in playing order.
    assert [np.flatnonzero(row).tolist() for row in earlier] == [[], [KICK], [], []]
    before, after, later = (
        told[:, 3 * N_CLASSES + k * N_GROUPS : 3 * N_CLASSES + (k + 1) * N_GROUPS] for k in range(3)
    )
    groups = [[np.flatnonzero(row).tolist() for row in block] for block in (before, after, later)]
    assert groups[0] == [[], [], [0, 3], [1]]
    assert groups[1] == [[1], [1], [3], []]
    assert groups[2] == [[3], [3], [], []]


def test_context_does_not_look_at_where_in_a_file_the_music_lies():
    one = _groove(4)
    later = dataclasses.replace(one, beat=one.beat + 400, onset_s=one.onset_s + 200)
    np.testing.assert_array_equal(_told(one), _told(later))


def test_context_of_the_past_does_not_hear_of_bars_to_come():
    whole = _groove(6)
    begun = whole.part(0, len(whole) // 2)
    # Nothing but the next bar's crash, the next two slots and the bar's own count looks ahead.
    same = len(begun) - 16
    np.testing.assert_array_equal(_told(whole)[:same], _told(begun)[:same])


def test_a_crash_is_announced_a_bar_ahead_and_only_there():
    beat = np.arange(0.0, 24.0)
    kind = np.where(beat == 12.0, CRASH, KICK)
    with_crash, without = _told(_hits(beat, kind)), _told(_hits(beat, KICK))
    column = _crash_column(beat)
    announced = np.flatnonzero(with_crash[:, column] != without[:, column])
    assert announced.tolist() == [8, 9, 10, 11]
    # With the bar before it empty, none is there to hear of it.
    sparse = (beat < 8) | (beat >= 12)
    told = _told(_hits(beat[sparse], kind[sparse]))
    assert not told[:, column].any()


def _crash_column(beat):
    """Return the column that a crash at the third bar's end changes for a hit far from it in time."""
    slow = {"bpm": 10.0}
    a = _told(_hits(beat, np.where(beat == 12.0, CRASH, KICK), **slow))
    b = _told(_hits(beat, KICK, **slow))
    changed = np.flatnonzero((a != b)[8])
    assert len(changed) == 1
    return changed[0]


def test_bars_far_apart_cost_no_room():
    hits = _hits([0.0, 1.0, 4e9, 4e9 + 1], KICK)
    told = _told(hits)
    near = _told(_hits([0.0, 1.0, 4e3, 4e3 + 1], KICK))
    np.testing.assert_array_equal(told[:2], near[:2])


# ---------------------------------------------------------------- what is asked


def test_nothing_asked_is_nothing():
    hits = _groove(2)
    assert asked(hits, None).shape == (len(hits), N_ASKED)
    assert not asked(hits, None).any()
    assert asked(_hits(np.zeros(0), HAT), np.zeros(0)).shape == (0, N_ASKED)


def test_asked_accents_are_told_beside_their_class_and_neighbours():
    hits = _hits(np.arange(4.0), HAT)
    told = asked(hits, np.array([70.0, 102.0, 38.0, 70.0]))
    np.testing.assert_array_equal(told[:, 0], 1.0)
    np.testing.assert_array_equal(told[:, 1], [0, 1, -1, 0])
    np.testing.assert_array_equal(told[:, 2], [0, 1, -1, 0])
    np.testing.assert_array_equal(told[:, 3], [0, 1, -2, 1])
    np.testing.assert_array_equal(told[:, 4], [1, -2, 1, 0])
    louder = asked(hits, np.array([102.0, 134.0, 70.0, 102.0]))
    np.testing.assert_array_equal(louder[:, 2:], told[:, 2:])


# ---------------------------------------------------------------- habits


def _kit_take(bars=32):
    hits = _groove(bars)
    rng = np.random.default_rng(2)
    late = np.zeros(N_CLASSES)
    late[[KICK, SNARE, HAT]] = -8.0, 12.0, 0.0
    loud = np.full(N_CLASSES, 60.0)
    loud[[KICK, SNARE, HAT]] = 100.0, 90.0, 60.0
    return hits, late[hits.kind] + rng.normal(0, 2, len(hits)), loud[hits.kind] + rng.normal(0, 3, len(hits))


def test_habits_tell_the_planted_means_and_spreads():
    hits, timing_ms, velocity = _kit_take(64)
    told = habits(hits, timing_ms, velocity)
    assert told.shape == (N_HABITS,)
    assert told.dtype == np.float32
    table = class_habits(told)
    middle = np.median(timing_ms)
    for c, late, loud in ((KICK, -8.0, 100.0), (SNARE, 12.0, 90.0), (HAT, 0.0, 60.0)):
        n = (hits.kind == c).sum()
        share = n / (n + 3)
        assert table[c, 0] * 32 / share + 70 == pytest.approx(loud, abs=0.6)
        assert table[c, 1] * 32 / share == pytest.approx(3.0, abs=0.5)
        assert table[c, 2] * 20 / share == pytest.approx(late - middle, abs=0.5)
        assert table[c, 3] * 20 / share == pytest.approx(2.0, abs=0.3)
        assert table[c, -1] == pytest.approx(np.log1p(n) / 5)
    assert not np.delete(table, [KICK, SNARE, HAT], axis=0).any()


def test_habits_do_not_change_with_a_constant_lateness():
    hits, timing_ms, velocity = _kit_take()
    np.testing.assert_allclose(habits(hits, timing_ms + 30.0, velocity), habits(hits, timing_ms, velocity), atol=1e-6)


def test_softer_off_beats_are_told():
    hits, timing_ms, velocity = _kit_take(64)
    softer = velocity - 16.0 * (hits.beat % 1 == 0.5)
    n = (hits.beat % 1 == 0.5).sum()
    changed = class_habits(habits(hits, timing_ms, softer) - habits(hits, timing_ms, velocity))
    assert changed[HAT, 5] * (n + 3) / n == pytest.approx(-0.5, abs=0.01)
    assert not changed[[KICK, SNARE], 5].any()


def test_steps_from_stroke_to_stroke_and_bar_to_bar_are_told():
    hits = _hits(np.arange(0.0, 128.0), HAT)
    # Louder in every other bar: alike from stroke to stroke, 32 apart from bar to bar.
    velocity = 70.0 + 32.0 * (hits.bar % 2)
    table = class_habits(habits(hits, np.zeros(len(hits)), velocity))
    n = len(hits)
    assert table[HAT, 6] == pytest.approx(31 / (n + 3))
    assert table[HAT, 7] == pytest.approx((n - 4) / (n - 4 + 3))


def test_the_first_stroke_of_a_class_is_no_step():
    hits, timing_ms, velocity = _kit_take()
    snare = hits.kind == SNARE
    table = class_habits(habits(hits, timing_ms, np.where(snare, 90.0, velocity)))
    assert table[SNARE, 6] == 0.0


def test_a_slow_wander_and_a_zigzag_have_their_signs():
    hits = _hits(np.arange(0.0, 256.0), HAT)
    at = np.arange(256)
    wander = habits(hits, 20 * np.sin(at / 12), np.full(256, 70.0))[OF_KIT:]
    zigzag = habits(hits, 20.0 * (-1.0) ** at, np.full(256, 70.0))[OF_KIT:]
    assert wander[1] > 0.9
    assert zigzag[1] == pytest.approx(-1.0, abs=0.02)
    assert wander[4] > 0.4
    assert zigzag[4] < 0.1
    assert zigzag[0] == pytest.approx(1.0, abs=0.02)


def test_habits_are_finite_for_few_hits_and_for_machines():
    for n in (1, 2, 3, 30):
        told = habits(_hits(np.arange(float(n)), KICK), np.zeros(n), np.full(n, 127.0))
        assert np.isfinite(told).all()
    assert told[OF_KIT + 9] == 1.0  # all at full velocity


def test_what_a_take_is_made_of_sums_to_one_and_one():
    told = alike(_groove(8), np.full(len(_groove(8)), 80.0))
    assert told[:N_CLASSES].sum() == pytest.approx(1.0)
    assert told[N_CLASSES:].sum() == pytest.approx(1.0)
    assert told[[KICK, SNARE, HAT]].tolist() == [1 / 6, 1 / 6, 2 / 3]
    assert not alike(_hits([], []), np.zeros(0)).any()
    # Who plays where: a kick on three is none on one, and a long bar's fifth beat counts as its first.
    on = [
        alike(_hits([b], [KICK], metre), np.array([90.0]))[N_CLASSES:]
        for b, metre in ((0.0, "4/4"), (2.0, "4/4"), (4.0, "5/4"))
    ]
    assert [int(np.flatnonzero(row)[0]) for row in on] == [0, 8, 0]


# ---------------------------------------------------------------- what was played


def _measured(beat, key, late_ms, velocity, bpm=120.0):
    clock = Timeline.constant(bpm)
    onset_s = clock.seconds_at(np.asarray(beat) + 4) + np.asarray(late_ms) / 1000.0
    return measure(midi_take(onset_s, 0.02, key, velocity, channel=9, clock=clock), click=bpm)


def test_what_was_played_comes_out_in_playing_order():
    beat, key = drum_pattern(8, (0.0, 0.5))
    late_ms = np.where(key == 38, 10.0, 0.0)
    velocity = np.where(key == 36, 100, 64)
    found = _measured(beat, key, late_ms, velocity)
    hits, timing_ms, loud = played(found, is_drum(found))
    assert len(hits) == len(beat)
    assert np.median(timing_ms) == pytest.approx(0.0, abs=0.01)
    np.testing.assert_allclose(timing_ms, np.where(hits.kind == SNARE, 10.0, 0.0), atol=0.2)
    np.testing.assert_array_equal(loud, np.where(hits.kind == KICK, 100, 64))
    assert (np.diff(hits.slot) >= 0).all()
    assert hits.slot[-1] == 63


def test_a_flam_is_one_hit_led_by_its_last_stroke_and_as_loud_as_its_loudest():
    beat, key = drum_pattern(8, (0.0, 0.5))
    snares = beat[key == 38]
    graces = snares - 0.02 * 2
    every, keys = np.concatenate([beat, graces]), np.concatenate([key, np.full(len(graces), 38)])
    velocity = np.where(keys == 38, 60, 80)
    velocity[-1] = 110
    order = np.lexsort((keys, every))
    found = _measured(every[order], keys[order], np.zeros(len(every)), velocity[order])
    hits, timing_ms, loud = played(found, is_drum(found))
    assert len(hits) == len(beat)
    snare = hits.kind == SNARE
    assert snare.sum() == len(snares)
    # Where the first stroke is the louder one it is the hit that was measured.
    np.testing.assert_allclose(timing_ms[snare], [0.0] * (len(snares) - 1) + [-20.0], atol=0.5)
    assert loud[snare].tolist() == [60.0] * (len(snares) - 1) + [110.0]


def test_only_the_kits_rows_are_heard_and_none_are_none():
    beat, key = drum_pattern(4, (0.0, 0.5))
    found = _measured(beat, key, np.zeros(len(beat)), 80)
    hits, timing_ms, loud = played(found, np.zeros(len(found.notes), dtype=bool))
    assert len(hits) == len(timing_ms) == len(loud) == 0
    some = found.notes.pitch == 42
    assert set(played(found, some)[0].kind.tolist()) == {HAT}
