"""Swing replaced: planted off-beats go exactly where the ratio puts them, everything else stays."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.core.timeline import Metre, Timeline
from takeprint.humanize import Controls, perform
from takeprint.humanize.score_parts import parts_of, written
from takeprint.humanize.swing import swing_replaced
from takeprint.humanize.where import Places

from .made_scores import groove, take_of

STILL = {"timing": 0.0, "tempo": 0.0, "dynamics": 0.0, "articulation": 0.0}


def moved_beats(rows, ratio, unit=8, metre=None, share=1.0):
    """Return ({written beat: beat}, {written beat: length}) of a one-voice score."""
    take = take_of(rows)
    notes, clock, found = written(take)
    metre = metre or found
    parts = parts_of(take, notes, clock, metre)
    places = Places.of(notes, parts, metre)
    out = swing_replaced(
        notes, parts, places, clock, metre, ratio=ratio, unit=unit, share=np.full(len(notes), float(share))
    )
    assert out.notes.onset_s == pytest.approx(clock.seconds_at(out.notes.onset_beat))
    assert (out.moved == (out.notes.onset_beat != notes.onset_beat)).all()
    pairs = zip(notes.onset_beat, out.notes.onset_beat, out.notes.duration_beat, strict=True)
    onset, length = {}, {}
    for a, b, n in pairs:
        onset[round(float(a), 4)], length[round(float(a), 4)] = float(b), float(n)
    return onset, length


def line(beats, length=0.5, channel=0):
    return [(b, length, 60, 64, 0, channel) for b in beats]


@pytest.mark.parametrize("written_at", [0.5, 0.55, 2 / 3, 0.7])
@pytest.mark.parametrize("ratio", [0.5, 0.6, 2 / 3, 0.75])
def test_eighths_straight_or_swung_go_to_the_ratio(written_at, ratio):
    beats = [b + off for b in range(8) for off in (0.0, written_at)]
    onset, _ = moved_beats(line(beats, 0.25), ratio)
    for b in range(8):
        assert onset[b] == b
        assert onset[round(b + written_at, 4)] == pytest.approx(b + ratio, abs=1e-9)


def test_sixteenths_swing_and_eighths_stay():
    beats = [k / 4 for k in range(16)]
    onset, _ = moved_beats(line(beats, 0.25), 0.6, unit=16)
    for k in range(16):
        assert onset[k / 4] == pytest.approx(k / 4 + (0.05 if k % 2 else 0.0), abs=1e-9)


def test_triplets_and_real_notes_between_stay():
    beats = [0, 1 / 3, 2 / 3, 1, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.5, 3 + 2 / 3]
    onset, _ = moved_beats(line(beats, 0.1), 0.6)
    for b in beats:
        # In beats 2 and 3 the off-beat alone goes; two moments in the span of beat 4 stay both.
        new = {1.5: 1.6, 2.5: 2.6}.get(b, b)
        assert onset[round(b, 4)] == pytest.approx(new, abs=1e-9), b


def test_a_note_of_the_same_key_in_the_way_keeps_the_moment():
    rows = [*line([0, 0.5, 0.75, 1.0, 1.5]), (0.5, 0.2, 72, 64, 0, 0)]
    onset, _ = moved_beats(rows, 0.75)
    assert onset[0.5] == 0.5
    assert onset[1.5] == 1.75


def test_lengths_follow():
    _, length = moved_beats(line([0, 0.5, 1, 1.5, 2], 0.5), 2 / 3)
    assert [length[b] for b in (0, 0.5, 1, 1.5, 2)] == pytest.approx([2 / 3, 1 / 3, 2 / 3, 1 / 3, 0.5])
    _, short = moved_beats(line([0.5], 0.25), 0.6)
    assert short[0.5] == pytest.approx(0.25)
    _, long = moved_beats(line([0.5], 3.0), 0.6)
    assert long[0.5] == pytest.approx(2.9)


def test_flams_move_with_their_hit():
    rows = [(0, 0.2, 38, 90, 0, 9), (0.47, 0.02, 38, 40, 0, 9), (0.5, 0.2, 38, 100, 0, 9), (0.5, 0.2, 42, 90, 0, 9)]
    onset, _ = moved_beats(rows, 2 / 3)
    assert onset[0.47] == pytest.approx(0.47 + 1 / 6)
    assert onset[0.5] == pytest.approx(2 / 3)


def test_six_eight_has_no_pairs_of_eighths_but_of_sixteenths():
    beats = [k / 2 for k in range(12)]
    onset, _ = moved_beats(line(beats, 0.25), 2 / 3, metre=Metre.of([(0.0, 6, 8)]))
    assert all(a == b for a, b in onset.items())
    onset, _ = moved_beats(line([0.25]), 0.6, unit=16, metre=Metre.of([(0.0, 6, 8)]))
    assert onset[0.25] == pytest.approx(0.3)


def test_pairs_count_from_the_bar_line():
    onset, _ = moved_beats(line([3.5, 4.0, 4.5], 0.25), 0.6, metre=Metre.of([(0.0, 7, 8)]))
    assert onset == pytest.approx({3.5: 3.5, 4.0: 4.1, 4.5: 4.5})


def test_a_share_of_the_way():
    onset, _ = moved_beats(line([0.5]), 0.7, share=0.5)
    assert onset[0.5] == pytest.approx(0.6)


def test_it_is_laid_into_the_timing_at_the_played_tempo():
    take = take_of(groove(4), tempo_bpm=120.0)
    d = perform(take, "drums-rock", controls=Controls(swing=0.6), **STILL)
    off = d.notes.reference_beat % 1 == 0.5
    assert d.notes.timing_ms[off] == pytest.approx(50.0, abs=1e-6)
    assert (d.notes.timing_ms[~off] == 0.0).all()
    half = perform(take, "drums-rock", amount=0.5, controls=Controls(swing=0.6), **STILL)
    assert half.notes.timing_ms[half.notes.reference_beat % 1 == 0.5] == pytest.approx(25.0, abs=1e-6)


def test_it_bends_with_a_written_tempo_change():
    clock = Timeline(np.array([0.0, 8.0, 16.0]), np.array([0.0, 4.0, 12.0]))  # 120, then 60 bpm
    take = take_of(groove(4))
    notes = take.notes.replace(onset_s=clock.seconds_at(take.notes.onset_beat))
    from dataclasses import replace

    d = perform(replace(take, timeline=clock, notes=notes), "drums-rock", controls=Controls(swing=0.6), **STILL)
    off = d.notes.reference_beat % 1 == 0.5
    slow = d.notes.reference_beat > 8
    assert d.notes.timing_ms[off & ~slow] == pytest.approx(50.0, abs=1e-6)
    assert d.notes.timing_ms[off & slow] == pytest.approx(100.0, abs=1e-6)


def test_replaced_swing_is_not_swung_again():
    from .made_scores import planted

    profile = planted()
    timing = {**profile.model["timing"], "swing": {"tempo_bpm": [60.0, 300.0], "share": [0.66, 0.66]}}
    from dataclasses import replace

    swinging = replace(profile, kind="melody", model={**profile.model, "timing": timing})
    take = take_of([(k / 2, 0.5, 60 + k % 5, 64, 0, 0) for k in range(64)])
    own = perform(take, swinging, seed=1, player="parametric")
    straight = perform(take, swinging, seed=1, player="parametric", controls=Controls(swing=0.5))
    gap = {}
    for name, d in (("own", own), ("straight", straight)):
        off = d.notes.reference_beat % 1 == 0.5
        gap[name] = d.notes.timing_ms[off].mean() - d.notes.timing_ms[~off].mean()
    assert gap["own"] > 50.0
    assert abs(gap["straight"]) < 15.0
