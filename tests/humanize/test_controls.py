"""Every control on a planted score: what it must do, exactly, and what it must leave alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.take import load_take
from takeprint.humanize import Controls, perform, read_disclosure, render
from tests import referee
from tests.humanize import midi_cases as cases

from .made_scores import chorale, groove, take_of

STILL = {"timing": 0.0, "tempo": 0.0, "dynamics": 0.0, "articulation": 0.0}
TOGETHER = {"drums": "drums-rock", "seed": 3}


@pytest.fixture(scope="module")
def band():
    return take_of(groove(8, track=0) + chorale(8, track=1, channel=0))


@pytest.fixture(scope="module")
def plain(band):
    return perform(band, "piano-plain", **TOGETHER)


def by_note(d, column):
    out = np.empty(len(d.notes))
    out[d.notes.reference_index] = getattr(d.notes, column)
    return out


def steer(band, controls, **more):
    return perform(band, "piano-plain", **TOGETHER, controls=controls, **more)


def test_no_control_changes_nothing(band, plain):
    assert steer(band, Controls()).dumps() == plain.dumps()


def test_tightness_multiplies_timing_at_its_places_alone(band, plain):
    d = steer(band, Controls(tight={"1": 0.0, "2&": 0.5}))
    beat = band.notes.onset_beat % 4
    factor = np.where(beat == 0, 0.0, np.where(beat == 1.5, 0.5, 1.0))
    assert by_note(d, "timing_ms") == pytest.approx(factor * by_note(plain, "timing_ms"), abs=1e-6)
    for column in ("velocity", "articulation_log2"):
        assert (by_note(d, column) == by_note(plain, column)).all()
    assert np.array_equal(d.tempo.time_s, plain.tempo.time_s)


def test_bias_comes_on_top_whatever_timing_s_amount(band, plain):
    d = steer(band, Controls(bias_ms={"snare": 8.0, "all": -3.0, "track=1": -4.0}))
    notes = band.notes
    due = -3.0 + 8.0 * (notes.instrument == "snare") - 4.0 * (notes.track == 1)
    assert by_note(d, "timing_ms") - by_note(plain, "timing_ms") == pytest.approx(due, abs=1e-6)
    alone = steer(band, Controls(bias_ms={"snare": 8.0}), **STILL)
    assert by_note(alone, "timing_ms") == pytest.approx(8.0 * (notes.instrument == "snare"), abs=1e-9)


@pytest.mark.parametrize(("amount", "bias", "moved"), [(0.5, 5.0, 0.5), (-1.0, -10.0, 0.0), (1.3, 13.0, 1.0)])
def test_the_overall_amount_holds_for_bias_and_swing(band, amount, bias, moved):
    d = steer(band, Controls(bias_ms={"all": 10.0}, swing=0.6), amount=amount, **STILL)
    off = band.notes.onset_beat % 1 == 0.5
    swing_ms = 0.1 * 60_000.0 / 110.0 * moved
    assert by_note(d, "timing_ms") == pytest.approx(np.where(off, bias + swing_ms, bias), abs=1e-5)


def test_amount_0_is_the_score_whatever_is_asked(band):
    every = Controls(
        tight={"1": 0.2}, bias_ms={"all": 9.0}, swing=0.66, amounts=[("all", {"timing": 2.0})], protect=["snare"],
        slips_per_100=9.0,
    )  # fmt: skip
    d = steer(band, every, amount=0.0)
    for column in ("onset_s", "duration_s", "velocity"):
        assert (by_note(d, column) == getattr(band.notes, column)).all()
    assert any("amount 0" in said for said in d.warnings)


def test_amounts_for_some_notes_multiply(band, plain):
    asked = [("track=1", {"timing": 0.5}), ("bars=3-4", {"timing": 0.5, "dynamics": 0.0}), ("kick", {"amount": 0.0})]
    d = steer(band, Controls(amounts=asked))
    notes = band.notes
    bars = (notes.onset_beat >= 8) & (notes.onset_beat < 16)
    timing = np.where(notes.track == 1, 0.5, 1.0) * np.where(bars, 0.5, 1.0) * (notes.instrument != "kick")
    assert by_note(d, "timing_ms") == pytest.approx(timing * by_note(plain, "timing_ms"), abs=1e-6)
    louder = ~bars & (notes.instrument != "kick")
    assert by_note(d, "dynamics_velocity") == pytest.approx(louder * by_note(plain, "dynamics_velocity"), abs=1e-6)
    held = by_note(plain, "articulation_log2") * (notes.instrument != "kick")
    assert by_note(d, "articulation_log2") == pytest.approx(held, abs=1e-9)


def test_bars_have_their_own_amount_of_tempo():
    score = take_of(chorale(16))
    free = perform(score, "piano-plain", seed=3)
    d = perform(score, "piano-plain", seed=3, controls=Controls(amounts=[("bars=5-8", {"amount": 0.0})]))

    def tempo(made):
        return made.tempo.tempo_bpm[(made.tempo.beat >= 16) & (made.tempo.beat < 32)]

    assert tempo(d) == pytest.approx(110.0, abs=1e-4)
    assert np.abs(tempo(free) - 110.0).max() > 0.5
    inside = (d.notes.reference_beat >= 16) & (d.notes.reference_beat < 32)
    assert (d.notes.timing_ms[inside] == 0.0).all()
    others = (free.tempo.beat < 16) | (free.tempo.beat >= 32)
    assert d.tempo.tempo_bpm[others] == pytest.approx(free.tempo.tempo_bpm[others], abs=1e-4)


def test_protected_notes_are_as_written_and_others_are_not(band, plain):
    d = steer(band, Controls(protect=["beat=1", "snare"], bias_ms={"all": 20.0}, swing=0.6))
    kept = (band.notes.onset_beat % 4 == 0) | (band.notes.instrument == "snare")
    for column in ("timing_ms", "dynamics_velocity", "articulation_log2"):
        assert (by_note(d, column)[kept] == 0.0).all()
    assert (by_note(d, "velocity")[kept] == band.notes.velocity[kept]).all()
    assert (np.abs(by_note(d, "timing_ms"))[~kept] > 0.0).all()


def test_flams_are_never_torn():
    rows = [(4.0 * b, 0.25, 38, 100, 0, 9) for b in range(12)]
    rows += [(4.0 * b - 0.04, 0.03, 38, 50, 0, 9) for b in range(1, 12)]
    rows += [(4.0 * b + 0.5, 0.25, 38, 100, 0, 9) for b in range(12)]
    rows += [(4.0 * b + 0.46, 0.03, 38, 50, 0, 9) for b in range(12)]
    score = take_of(rows)
    beat = score.notes.onset_beat
    for controls in (
        Controls(tight={"1": 0.3, "&": 0.0}),
        Controls(bias_ms={"beat=1": 30.0, "beat=1&": -30.0}),
        Controls(swing=0.66),
        Controls(amounts=[("bars=3-6", {"timing": 0.0}), ("beat=1", {"timing": 3.0})]),
        Controls(protect=["bars=4"]),
    ):
        d = perform(score, "drums-rock", seed=1, controls=controls)
        timing = by_note(d, "timing_ms")
        for b in range(12):
            for hit, grace in ((4.0 * b, 4.0 * b - 0.04), (4.0 * b + 0.5, 4.0 * b + 0.46)):
                if (beat == grace).any():
                    assert timing[beat == grace] == pytest.approx(timing[beat == hit], abs=1e-9), (controls, b)


def test_a_flam_at_the_beginning_keeps_its_shape_under_a_push():
    rows = [(0.0, 0.02, 38, 50, 0, 9), (0.04, 0.2, 38, 100, 0, 9), (1.0, 0.2, 38, 90, 0, 9)]
    d = perform(take_of(rows), "drums-rock", controls=Controls(bias_ms={"all": -40.0}), **STILL)
    onset = by_note(d, "onset_s")
    assert onset[1] - onset[0] == pytest.approx(0.04 * 60 / 110)
    assert onset[0] == 0.0
    assert by_note(d, "timing_ms")[2] == pytest.approx(-40.0)


def test_chords_keep_their_spread_and_move_as_one(band, plain):
    """A place's control scales a chord's spread with its shift; a bias moves it as it is."""
    d = steer(band, Controls(bias_ms={"beat=2": 11.0}, tight={"3": 0.5}))
    new, old = by_note(d, "timing_ms"), by_note(plain, "timing_ms")
    keys = band.notes.track == 1
    for beat in np.unique(band.notes.onset_beat[keys]):
        chord = keys & (band.notes.onset_beat == beat)
        if beat % 4 == 1:
            assert np.ptp(new[chord] - old[chord]) == pytest.approx(0.0, abs=1e-6)
        if beat % 4 == 2:
            assert new[chord] == pytest.approx(0.5 * old[chord], abs=1e-6)


def test_only_selected_tracks_are_steered(band):
    d = perform(
        band,
        "piano-plain",
        **TOGETHER,
        tracks=1,
        controls=Controls(bias_ms={"all": 9.0}, swing=0.6, slips_per_100=20.0),
    )
    drums = d.notes.track == 0
    assert (d.notes.label[drums] == "match").all()
    assert (d.notes.timing_ms[drums] == 0.0).all()
    assert (np.abs(d.notes.timing_ms[~drums & (d.notes.label == "match")]) > 0.0).mean() > 0.9


def test_parts_listen_to_each_other_unless_they_shall_not(band, plain):
    alone = steer(band, Controls(ensemble=0.0))
    led = steer(band, Controls(leader="track=1"))
    closer = steer(band, Controls(ensemble=3.0))
    apart = {}
    for name, d in (("alone", alone), ("usual", plain), ("closer", closer), ("led", led)):
        timing = by_note(d, "timing_ms")
        kick = band.notes.instrument == "kick"
        first = dict(zip(band.notes.onset_beat[kick], timing[kick], strict=True))
        keys = [np.mean(timing[(band.notes.track == 1) & (band.notes.onset_beat == b)]) for b in first]
        apart[name] = float(np.std(np.array(list(first.values())) - np.array(keys)))
    assert apart["closer"] < apart["alone"]
    assert len(set(apart.values())) == 4
    unheard = steer(band, Controls(leader="cowbell"))
    assert any("nobody leads" in said for said in unheard.warnings)
    assert (by_note(unheard, "timing_ms") == by_note(plain, "timing_ms")).all()


def test_slips_are_off_unless_asked_for(band, plain):
    assert not plain.slips
    assert (plain.notes.label == "match").all()
    asked = steer(band, Controls(slips_per_100=10.0))
    n = len(band.notes)
    assert 0.04 * n < len(asked.slips) < 0.2 * n
    assert not steer(band, None, slips=0.0).slips
    # One in a hundred at amount 1 where the profile does not know: ten at amount 10.
    assert steer(band, None, slips=10.0).slips == asked.slips
    assert not steer(band, Controls(slips_per_100=10.0), slips=0.0).slips


def test_slips_spare_protected_and_unselected_notes(band):
    d = steer(band, Controls(slips_per_100=25.0, protect=["bars=1-4"], amounts=[("kick", {"slips": 0.0})]))
    spared = (band.notes.onset_beat < 16) | (band.notes.instrument == "kick")
    gone = d.notes.reference_index[d.notes.label == "deletion"]
    assert len(gone) > 3
    assert not spared[gone].any()


def test_a_profile_s_own_rate_of_slips():
    from takeprint.humanize.profiles import load

    plain = load("piano-plain")
    clumsy = replace(plain, model={**plain.model, "slips": {"n": 0, "per_100": 12.0}})
    score = take_of(chorale(32))
    assert len(perform(score, clumsy, seed=1, slips=1.0).slips) > 4 * len(
        perform(score, plain, seed=1, slips=1.0).slips
    )
    assert perform(score, clumsy, seed=1, slips=0.5).reference["player"]["slips_per_100"] == 6.0


def test_what_acts_on_nothing_is_said(band):
    d = steer(band, Controls(bias_ms={"cowbell": 5.0}, tight={"3e": 0.0}, protect=["bars=90-99"]))
    for word in ("cowbell", "3e", "bars=90-99"):
        assert any(word in said and "no note" in said for said in d.warnings)
    d = perform(take_of([(k, 1, 60, 64, 0, 0) for k in range(8)]), controls=Controls(swing=0.6))
    assert any("off-beat" in said for said in d.warnings)


def test_what_acted_is_told(band):
    d = steer(band, Controls(bias_ms={"snare": 5.0}, swing=0.6))
    acted = {one["control"]: one["n_notes"] for one in d.reference["player"]["acted"]}
    assert acted["bias snare:5"] == int((band.notes.instrument == "snare").sum())
    assert acted["swing 0.6:8"] == int((band.notes.onset_beat % 1 == 0.5).sum())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"tight": {"5x": 1.0}}, "place in the bar"),
        ({"tight": {"1": 11.0}}, "-10 to 10"),
        ({"tight": {"1": float("nan")}}, "-10 to 10"),
        ({"tight": [("1", 0.0)]}, "maps"),
        ({"bias_ms": {"snare": 501.0}}, "-500 to 500"),
        ({"bias_ms": {"drum=cello": 5.0}}, "the kit has"),
        ({"bias_ms": 5.0}, "maps"),
        ({"swing": 0.8}, "swing is"),
        ({"swing": 0.4}, "swing is"),
        ({"swing": True}, "swing"),
        ({"swing": "0.6"}, "swing"),
        ({"swing_unit": 12}, "eighths"),
        ({"amounts": [("snare", {"colour": 1.0})]}, "give amount"),
        ({"amounts": [("snare", {"breath": 1.0})]}, "these can"),
        ({"amounts": [("snare", {"tempo": 0.5})]}, "belongs to all"),
        ({"amounts": [("snare", {})]}, "no trace"),
        ({"amounts": [("snare",)]}, "an entry is"),
        ({"amounts": "snare"}, "is a list"),
        ({"protect": "snare"}, "is a list"),
        ({"protect": ["x=1"]}, "names no notes"),
        ({"ensemble": -0.1}, "0 to 4"),
        ({"ensemble": 5.0}, "-4 to 4"),
        ({"leader": "drum=cello"}, "the kit has"),
        ({"slips_per_100": -1.0}, "a rate is"),
        ({"slips_per_100": 31.0}, "-30 to 30"),
    ],
)
def test_refusals(asked, said):
    with pytest.raises(TakeprintError, match=said):
        Controls(**asked)


# ---------------------------------------------------------------- in a file


def song(tmp_path):
    """Return a take of a real file: a groove with flams, and chords with a pedal, on two tracks."""
    drums, keys = [(0, b"\xff\x03\x05Drums")], [(0, b"\xff\x03\x04Keys")]
    for bar in range(8):
        at = 1920 * bar
        hits = [(at + 240 * k, at + 240 * k + 100, 42) for k in range(8)]
        hits += [(at, at + 200, 36), (at + 960, at + 1100, 36), (at + 480, at + 600, 38), (at + 1440, at + 1600, 38)]
        hits += [(at + 1440 - 18, at + 1440 - 4, 38)]
        drums += cases.notes_track(hits, channel=9)
        for beat in range(4):
            on = at + 480 * beat
            keys += cases.notes_track([(on, on + 470, key) for key in (48, 55, 64)])
            keys += [(on + 10, b"\xb0\x40\x7f"), (on + 460, b"\xb0\x40\x00")]
    return cases.take_of(cases.midi([drums, keys]), tmp_path)


EVERYTHING = Controls(
    tight={"1": 0.0, "&": 1.2},
    bias_ms={"all": -25.0, "snare": 8.0, "Keys": 30.0},
    swing=0.62,
    amounts=[("Keys", {"timing": 0.5}), ("bars=5-6", {"amount": 0.0}), ("hat", {"dynamics": 1.3})],
    protect=["bars=2,beat=1", "kick"],
)


@pytest.mark.parametrize("tempo_as", ["tempo-events", "notes"])
@pytest.mark.parametrize("amount", [1.0, 1.3, -1.0])
def test_all_controls_together_keep_the_guarantees(tmp_path, tempo_as, amount):
    take = song(tmp_path)
    d = perform(take, "piano-plain", **TOGETHER, amount=amount, controls=EVERYTHING, tempo=float(tempo_as != "notes"))
    made = render(take, d, tempo_as=tempo_as, disclosure=False)
    broken = referee.check_guarantees(take.smf.data, made.data, allow_tempo=True, moved_kinds=cases.MOVED_KINDS)
    assert broken == []
    assert render(take, perform(take, "piano-plain", **TOGETHER, amount=0.0, controls=EVERYTHING)).data == take.smf.data


def test_protected_notes_stay_to_the_tick_under_a_new_tempo(tmp_path):
    take = song(tmp_path)
    d = perform(take, "piano-plain", seed=3, amount=1.3, controls=EVERYTHING)
    made = render(take, d)
    assert made.report["tempo"]["n_changed"] > 4
    path = tmp_path / "out.mid"
    made.save(path)
    new = load_take(path).notes

    def rows(notes):
        order = np.lexsort((notes.on_event, notes.pitch, notes.channel))
        return notes.rows(order)

    old, new = rows(take.notes), rows(new)
    kept = (old.instrument == "kick") | ((old.onset_tick >= 1920) & (old.onset_tick < 1921))
    kept |= (old.onset_tick >= 4 * 1920) & (old.onset_tick < 6 * 1920 - 20)
    for column in ("onset_tick", "velocity"):
        assert (getattr(new, column)[kept] == getattr(old, column)[kept]).all(), column
    assert (new.onset_tick[~kept] != old.onset_tick[~kept]).mean() > 0.6


def test_the_report_tells_each_track_and_drum(tmp_path):
    take = song(tmp_path)
    made = render(take, perform(take, "piano-plain", **TOGETHER, controls=Controls(bias_ms={"snare": 12.0}), **STILL))
    (drum,) = made.report["drums"]
    assert drum["drum"] == "snare"
    assert drum["timing"]["n_changed"] == drum["n_notes"] == 24
    assert drum["timing"]["mean_ms"] == pytest.approx(12.0, abs=made.report["tick_ms"])
    (track,) = made.report["tracks"]
    assert (track["track"], track["name"], track["timing"]["n_changed"]) == (0, "Drums", 24)
    whole = render(take, perform(take, "piano-plain", **TOGETHER))
    assert [t["name"] for t in whole.report["tracks"]] == ["Drums", "Keys"]
    for trace in ("timing", "dynamics", "articulation"):
        total = sum(t[trace]["n_changed"] for t in whole.report["tracks"])
        assert total == whole.report[trace]["n_changed"]


def test_the_file_tells_all_of_it(tmp_path):
    take = song(tmp_path)
    mixture = {"drums-funk": 0.75, "drums-rock": 0.25}
    d = perform(take, "piano-plain", drums=mixture, seed=5, amount=0.5, keep_accents=False, controls=EVERYTHING)
    render(take, d).save(tmp_path / "out.mid")
    told = read_disclosure(tmp_path / "out.mid")
    assert told["controls"] == EVERYTHING.told()
    assert told["profile"] == "drums-funk:0.75+drums-rock:0.25,piano-plain"
    assert told["seed"] == "5"
    assert told["accents"] == "regenerated"
    assert told["amounts"] == {"tempo": 0.5, "timing": 0.5, "dynamics": 0.5, "articulation": 0.5}
    assert told["source-sha256"] == take.sha256
    assert told["player"]


def test_too_many_controls_to_tell_are_named_at_least(tmp_path):
    take = song(tmp_path)
    many = Controls(protect=[f"bars={k},beat=1,drum=snare" for k in range(1, 400)], swing=0.6)
    render(take, perform(take, "drums-rock", controls=many)).save(tmp_path / "out.mid")
    told = read_disclosure(tmp_path / "out.mid")
    assert set(told["controls"]) == {"protect", "swing"}
    assert told["source-sha256"] == take.sha256


def test_flams_in_a_file_keep_their_distance_under_any_controls(tmp_path):
    take = song(tmp_path)
    notes = take.notes
    flams = [
        (i, j)
        for i in np.flatnonzero(notes.instrument == "snare")
        for j in np.flatnonzero(notes.instrument == "snare")
        if notes.onset_tick[j] - notes.onset_tick[i] == 18
    ]
    assert len(flams) == 8
    rng = np.random.default_rng(0)
    wheres = ["all", "snare", "beat=4", "bars=3-6", "bars=2,beat=4", "pitch=38"]
    tick_s = 1 / 960
    for trial in range(16):
        one, two, three, four = (wheres[k] for k in rng.integers(0, len(wheres), 4))
        asked = Controls(
            tight={"4": float(rng.uniform(-1, 2)), "&": 0.0},
            bias_ms={one: float(rng.uniform(-60, 60))},
            swing=float(rng.choice([0.5, 0.6, 0.75])),
            swing_unit=int(rng.choice([8, 16])),
            amounts=[(two, {"timing": float(rng.uniform(0, 2))}), (three, {"amount": float(rng.uniform(-0.5, 1.3))})],
            protect=[four] if trial % 3 == 0 else [],
        )
        amount = float(rng.choice([0.5, 1.0, 1.3, -1.0]))
        made = render(take, perform(take, "drums-rock", seed=trial, amount=amount, controls=asked))
        onset_s = by_note(made.applied, "onset_s")
        apart = [(onset_s[j] - onset_s[i]) / tick_s for i, j in flams]
        assert apart == pytest.approx([18.0] * 8, abs=1.01), asked
