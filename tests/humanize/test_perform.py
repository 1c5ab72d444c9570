from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Timeline
from takeprint.humanize import perform
from takeprint.humanize.profiles import load

from .made_scores import chorale, groove, planted, take_of


@pytest.fixture(scope="module")
def band():
    return take_of(groove(8, track=0) + chorale(8, track=1, channel=0) + chorale(8, track=2, channel=1))


def by_note(d, column):
    """Return a column in the score's order."""
    out = np.empty(len(d.notes))
    out[d.notes.reference_index] = getattr(d.notes, column)
    return out


def test_a_row_for_every_note_with_consistent_totals(band):
    d = perform(band, "piano-plain", drums="drums-rock", seed=3)
    n = d.notes
    assert sorted(n.reference_index.tolist()) == list(range(len(band.notes)))
    assert (np.diff(n.onset_s) >= 0).all()
    assert d.latency_ms == 0.0
    assert n.onset_s == pytest.approx(d.basis.seconds_at(n.reference_beat) + n.timing_ms / 1000, abs=1e-9)
    assert n.velocity == pytest.approx(n.reference_velocity + n.dynamics_velocity)
    length_s = d.basis.seconds_at(n.reference_beat + n.reference_duration_beat) - d.basis.seconds_at(n.reference_beat)
    assert n.duration_s == pytest.approx(length_s * 2**n.articulation_log2)
    assert n.velocity.min() >= 1
    assert n.velocity.max() <= 127
    assert d.reference["kind"] == "score"
    assert d.reference["sha256"] == band.sha256
    assert d.reference["timing_basis"] == "tempo"
    assert d.reference["tempo_map"] == band.timeline.to_dict()
    assert set(np.arange(0.0, 32.0)) <= set(d.tempo.beat.tolist())
    type(d).from_json(d.to_json())


@pytest.mark.parametrize("profile", ["piano-plain", "drums-rock", None])
def test_amount_0_is_the_score_to_the_last_bit(band, profile):
    d = perform(band, profile, seed=3, amount=0.0)
    for column, written in (("onset_s", "onset_s"), ("duration_s", "duration_s"), ("velocity", "velocity")):
        assert (by_note(d, column) == getattr(band.notes, written)).all()
    assert (d.tempo.time_s == band.timeline.seconds_at(d.tempo.beat)).all()


def test_tempo_knots_are_the_score_s_own_where_no_tempo_is_played():
    clock = Timeline(np.array([0.0, 3.3, 20.0]), np.array([0.1, 1.9, 9.0]))
    score = take_of(groove(4))
    notes = score.notes.replace(onset_s=clock.seconds_at(score.notes.onset_beat))
    from dataclasses import replace

    d = perform(replace(score, timeline=clock, notes=notes), "drums-rock", seed=1)
    assert 3.3 in d.tempo.beat
    assert (d.tempo.time_s == clock.seconds_at(d.tempo.beat)).all()


def test_traces_have_their_own_amounts(band):
    whole = perform(band, "piano-plain", drums="drums-rock", seed=5)
    still = perform(band, "piano-plain", drums="drums-rock", seed=5, timing=0.0)
    assert not by_note(still, "timing_ms").any()
    assert (by_note(still, "velocity") == by_note(whole, "velocity")).all()
    even = perform(band, "piano-plain", drums="drums-rock", seed=5, dynamics=0.0, articulation=0.5)
    assert (by_note(even, "velocity") == band.notes.velocity).all()
    assert (by_note(even, "timing_ms") == by_note(whole, "timing_ms")).all()
    assert by_note(even, "articulation_log2") == pytest.approx(0.5 * by_note(whole, "articulation_log2"))
    half = perform(band, "piano-plain", drums="drums-rock", seed=5, amount=0.5, timing=0.5)
    assert by_note(half, "timing_ms") == pytest.approx(0.25 * by_note(whole, "timing_ms"))


def test_an_inverted_amount_mirrors(band):
    there, back = (perform(band, "drums-rock", seed=5, timing=a) for a in (1.0, -1.0))
    assert by_note(back, "timing_ms") == pytest.approx(-by_note(there, "timing_ms"))


def test_a_selected_track_plays_what_it_plays_with_all_others(band):
    every = perform(band, "piano-plain", drums="drums-rock", seed=5)
    for track in (0, 1, 2):
        one = perform(band, "piano-plain", drums="drums-rock", seed=5, tracks=track)
        mine = band.notes.track == track
        for column in ("timing_ms", "velocity", "articulation_log2"):
            assert (by_note(one, column)[mine] == by_note(every, column)[mine]).all()
        for column in ("onset_s", "velocity", "duration_s"):
            assert (by_note(one, column)[~mine] == getattr(band.notes, column)[~mine]).all()


def test_a_selection_leaves_the_tempo_to_all():
    score = take_of(chorale(8, track=1) + chorale(8, track=2))
    whole = perform(score, "piano-plain", seed=5)
    assert not np.array_equal(whole.tempo.time_s, score.timeline.seconds_at(whole.tempo.beat))
    part = perform(score, "piano-plain", seed=5, tracks=[1])
    assert (part.tempo.time_s == score.timeline.seconds_at(part.tempo.beat)).all()
    assert any("tempo" in said for said in part.warnings)


def test_the_tempo_curve_keeps_the_length_and_moves_the_beats():
    score = take_of(chorale(32))
    d = perform(score, "piano-plain", seed=2)
    written = score.timeline.seconds_at(d.tempo.beat)
    assert d.tempo.time_s[-1] == pytest.approx(written[-1], rel=0.01)
    assert np.abs(d.tempo.time_s - written).max() > 0.02
    assert (np.diff(d.tempo.time_s) > 0).all()


def test_same_seed_same_deviations_in_other_processes(tmp_path):
    code = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]);"
        "from made_scores import *; from takeprint.humanize import perform;"
        "s = take_of(groove(8) + chorale(8));"
        "print(hashlib.sha256(perform(s, 'piano-plain', drums='drums-funk', seed=11).dumps().encode()).hexdigest())"
    )
    here = str(Path(__file__).parent)
    runs = [
        subprocess.run([sys.executable, "-c", code, here], cwd=tmp_path, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    import hashlib

    score = take_of(groove(8) + chorale(8))
    here_too = perform(score, "piano-plain", drums="drums-funk", seed=11).dumps()
    assert hashlib.sha256(here_too.encode()).hexdigest() == runs[0].stdout.strip()
    assert perform(score, "piano-plain", drums="drums-funk", seed=12).dumps() != here_too


@pytest.mark.parametrize("player", ["parametric", "donor"])
def test_players_do_something(band, player):
    d = perform(band, "drums-rock", seed=1, player=player)
    kit = band.notes.channel == 9
    assert 5.0 < by_note(d, "timing_ms")[kit].std() < 60.0
    assert 2.0 < by_note(d, "dynamics_velocity")[kit].std() < 40.0
    assert not by_note(d, "articulation_log2")[kit].any()
    assert d.reference["player"]["parts"]["kit"] == {"profile": "drums-rock", "player": player}


def test_accents_are_kept_or_exchanged():
    score = take_of(groove(32))
    kept = perform(score, planted(), seed=1)
    loud = score.notes.velocity > 80
    velocity = by_note(kept, "velocity")
    assert velocity[loud].mean() - velocity[~loud].mean() > 30
    taken = perform(score, planted(), seed=1, keep_accents=False)
    ghost = (score.notes.pitch == 38) & (score.notes.velocity == 35)
    # The planted profile plays that place at 80 - 10.
    assert by_note(taken, "velocity")[ghost].mean() == pytest.approx(70.0, abs=5.0)


def test_one_velocity_is_said():
    d = perform(take_of(groove(8, velocity=100)), "drums-rock", seed=1)
    assert any("no accents to keep" in said for said in d.warnings)


def test_both_hands_of_a_chord_move_together(band):
    d = perform(band, "drums-rock", seed=2)
    timing = by_note(d, "timing_ms")
    for track in (1, 2):
        rows = band.notes.track == track
        for beat in np.unique(band.notes.onset_beat[rows]):
            assert np.ptp(timing[rows & (band.notes.onset_beat == beat)]) == 0.0


def test_a_louder_melody_leads():
    d = perform(take_of(chorale(64)), "piano-plain", seed=2, dynamics=0.0)
    n = d.notes
    top = (n.reference_pitch >= 72) & (n.reference_beat % 1 == 0)
    # 20 steps of velocity louder: 30 ms earlier.
    assert n.timing_ms[n.reference_pitch < 72].mean() - n.timing_ms[top].mean() == pytest.approx(30.0, abs=4.0)


def test_flams_and_rolls_move_with_their_hit():
    rows = [(4.0 * b, 0.25, 38, 100, 0, 9) for b in range(16)]
    rows += [(4.0 * b - 0.04, 0.1, 38, 50, 0, 9) for b in range(1, 16)]
    score = take_of(rows)
    timing = by_note(perform(score, "drums-rock", seed=1), "timing_ms")
    beat = score.notes.onset_beat
    for b in range(1, 16):
        assert timing[beat == 4.0 * b - 0.04] == timing[beat == 4.0 * b]


def test_a_key_s_notes_keep_their_order():
    rows = [(k / 16, 0.05, 42, 90, 0, 9) for k in range(512)]
    score = take_of(rows, tempo_bpm=100.0)
    d = perform(score, "drums-drummer6", seed=1, player="parametric")
    assert (np.diff(by_note(d, "onset_s")) > 0).all()


def test_kits_spread_over_tracks_share_their_clock():
    rows = groove(32)
    apart = [(b, n, p, v, {36: 0, 38: 1, 42: 2}[int(p)], c) for b, n, p, v, _, c in rows]
    d = perform(take_of(apart), planted(), seed=1)
    n = d.notes
    hat = {b: t for b, t, p in zip(n.reference_beat, n.timing_ms, n.reference_pitch, strict=True) if p == 42}
    kick = {b: t for b, t, p in zip(n.reference_beat, n.timing_ms, n.reference_pitch, strict=True) if p == 36}
    both = sorted(set(hat) & set(kick))
    assert np.corrcoef([hat[b] for b in both], [kick[b] for b in both])[0, 1] > 0.3


def test_defaults_fit_each_kind_of_part(band):
    parts = perform(band, seed=1).reference["player"]["parts"]
    assert parts["kit"]["profile"].startswith("drums-")
    assert {p["profile"] for name, p in parts.items() if name != "kit"} == {"piano-plain"}


def test_unlike_profiles_are_said_and_gentle(band):
    d = perform(band, "piano-plain", seed=1)
    assert any("no drum profile" in said for said in d.warnings)
    kit = band.notes.channel == 9
    assert 0.5 < by_note(d, "timing_ms")[kit].std() < 10.0


def test_like_a_measured_take(band):
    source = perform(take_of(groove(32)), planted(), seed=9)
    d = perform(band, like=source, seed=1)
    kit = band.notes.channel == 9
    assert d.reference["player"]["parts"]["kit"]["player"] == "learned"
    timing = by_note(d, "timing_ms")
    assert timing[kit].std() == pytest.approx(source.notes.timing_ms.std(), rel=0.35)


def test_like_a_real_file(shared_data):
    path = shared_data / "groove" / "drummer1" / "session1" / "1_funk_80_beat_4-4.mid"
    d = perform(take_of(groove(16)), like=path, seed=1)
    assert 5.0 < d.notes.timing_ms.std() < 40.0


def test_the_constant_is_not_invented():
    for player in ("parametric", "donor"):
        d = perform(take_of(groove(64)), "drums-drummer1", seed=4, player=player)
        assert abs(float(np.median(d.notes.timing_ms))) < 0.5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"profile": "drums-nobody"}, "piano-plain"),
        ({"player": "nobody"}, "parametric"),
        ({"tracks": [9]}, "tracks with notes"),
        ({"profile": "piano-plain", "like": "take.mid"}, "one of them"),
        ({"wobble": 1.0}, "traces"),
        ({"amount": float("nan")}, "finite"),
        ({"seed": -1}, "seed"),
        ({"profile": 7}, "profile"),
    ],
)
def test_refusals(band, options, said):
    with pytest.raises(TakeprintError, match=said):
        perform(band, **options)


def test_a_score_without_notes():
    score = take_of(groove(1))
    from dataclasses import replace

    with pytest.raises(TakeprintError, match="no notes"):
        perform(replace(score, notes=score.notes.rows(slice(0, 0))))


def test_a_profile_from_a_path(tmp_path, band):
    load("drums-funk").save(tmp_path / "mine.json")
    d = perform(band, tmp_path / "mine.json", seed=1)
    assert (d.notes.onset_s == perform(band, "drums-funk", seed=1).notes.onset_s).all()
