"""Ensemble statistics against players whose coupling is known."""

import json

import numpy as np
import pytest

from takeprint.analysis import ensemble, measure
from takeprint.analysis.ensemble import PartTimes, ensemble_of, ensemble_summary
from takeprint.analysis.ensemble_plots import plot_ensemble
from takeprint.analysis.ensemble_statistics import detrended_correlation, follow, lagged_correlation
from takeprint.analysis.plots import plot_deviations
from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.smf import read_smf, write_new_smf
from takeprint.core.take import take_of_smf
from takeprint.core.timeline import Metre, Timeline


def players(n, gain_first, gain_second, seed, *, motor_ms=5.0, clock_ms=8.0, to_click=0.1):
    """Two players after Vorberg and Schulze: each takes back a share of the asynchrony it heard."""
    rng = np.random.default_rng(seed)
    clock, played = np.zeros(2), np.zeros((n, 2))
    for k in range(1, n):
        apart = played[k - 1, 0] - played[k - 1, 1]
        clock += -to_click * played[k - 1] + np.array([-gain_first, gain_second]) * apart
        clock += clock_ms * rng.standard_normal(2)
        played[k] = clock + motor_ms * rng.standard_normal(2)
    return played


def document(late_ms, *, step_beat=0.5, bpm=120.0, channels=(0, 1), name="song.mid", kind="click"):
    """Return deviations of parts that play every ``step_beat``; NaN where one is silent."""
    rows, part = np.nonzero(np.isfinite(late_ms))
    beat = rows * step_beat
    written_s = beat * 60.0 / bpm
    late = late_ms[rows, part]
    notes = DeviationNotes.build(
        len(beat),
        label=np.full(len(beat), "match"),
        track=part,
        channel=np.asarray(channels)[part],
        reference_beat=beat,
        reference_onset_s=written_s,
        onset_s=written_s + late / 1000.0,
        timing_ms=late,
        pitch=np.full(len(beat), 60.0),
    )
    clock = Timeline.constant(bpm)
    reference = {"kind": kind, "timing_basis": "reference", "tempo_map": clock.to_dict(), "metre": Metre().to_list()}
    return Deviations(notes=notes, take={"name": name}, reference=reference)


@pytest.mark.parametrize(
    ("gain_first", "gain_second", "leader"),
    [(0.05, 0.4, "track 0"), (0.4, 0.05, "track 1"), (0.25, 0.25, ""), (0.0, 0.0, "")],
)
def test_planted_gains_are_found(gain_first, gain_second, leader):
    pairs = [ensemble(document(players(600, gain_first, gain_second, seed))).pairs[0] for seed in range(6)]
    assert np.mean([p["gain_first"] for p in pairs]) == pytest.approx(gain_first, abs=0.05)
    assert np.mean([p["gain_second"] for p in pairs]) == pytest.approx(gain_second, abs=0.05)
    # 95 % bounds: of six, one may miss.
    assert sum(p["leader"] == leader for p in pairs) >= 5
    assert sum(p["gain_second_low"] <= gain_second <= p["gain_second_high"] for p in pairs) >= 4


def test_hands_delays_do_not_pass_for_following():
    # Nearly all spread is of the hands: plain regression would find a gain far too large.
    pairs = [
        ensemble(document(players(2000, 0.0, 0.2, seed, motor_ms=8.0, clock_ms=4.0))).pairs[0] for seed in range(4)
    ]
    assert np.mean([p["gain_second"] for p in pairs]) == pytest.approx(0.2, abs=0.06)
    assert abs(np.mean([p["gain_first"] for p in pairs])) < 0.06


@pytest.mark.parametrize("lag", [-3, -1, 0, 2, 4])
def test_a_planted_lag_is_found_and_its_sign(lag):
    x = np.random.default_rng(1).standard_normal(900)
    n = len(x)
    # y[k + lag] = x[k]: the second part does later what the first did.
    y = np.roll(x, lag)[4 : n - 4]
    found = lagged_correlation(x[4 : n - 4], y)
    assert np.argmax(found) == lag + 4
    assert found[lag + 4] > 0.99
    assert np.abs(np.delete(found, lag + 4)).max() < 0.2


def test_no_step_leads_over_a_silence():
    rng = np.random.default_rng(2)
    x = rng.standard_normal(400)
    joined = np.arange(400) // 2
    # Only the second of each two moments answers the first; across the silences nothing is to be found.
    y = np.where(np.arange(400) % 2 == 1, np.roll(x, 1), rng.standard_normal(400))
    across = lagged_correlation(x, y)
    within = lagged_correlation(x, y, joined)
    assert within[5] > 0.9
    assert across[5] < 0.7
    assert np.isnan(within[6])
    assert np.isfinite(follow(x, y, joined, np.random.default_rng(0)).gain_second.value)


def test_asynchrony_placement_and_their_signs():
    rng = np.random.default_rng(3)
    late = np.stack([10.0 + 3.0 * rng.standard_normal(400), -5.0 + 4.0 * rng.standard_normal(400)], axis=1)
    found = ensemble(document(late))
    pair = found.pair("track 0", "track 1")
    assert pair["median_ms"] == pytest.approx(15.0, abs=0.7)
    assert pair["median_low_ms"] < 15.0 < pair["median_high_ms"]
    assert pair["sd_ms"] == pytest.approx(5.0, abs=0.5)
    assert pair["p95_ms"] == pytest.approx(1.96 * 5.0, abs=1.2)
    behind, ahead = found.parts
    assert behind["placement_ms"] == pytest.approx(15.0, abs=0.7)
    assert ahead["placement_ms"] == pytest.approx(-15.0, abs=0.7)
    said = " ".join(found.sentences())
    assert "track 0 plays 15 ms behind" in said
    assert "track 1 plays 15 ms ahead" in said


def test_push_and_drag_by_section():
    rng = np.random.default_rng(4)
    late = 2.0 * rng.standard_normal((8 * 64, 3))
    late[64 * 3 : 64 * 4, 1] -= 12.0  # bars 25 to 32: eight eighths a bar
    late[64 * 5 : 64 * 6] += 9.0  # the whole group drags
    found = ensemble(document(late, channels=(0, 1, 2)))
    assert [s["start_bar"] for s in found.sections] == list(range(0, 64, 8))
    assert found.sections[3]["parts"]["track 1"]["push_ms"] == pytest.approx(-12.0, abs=1.5)
    assert found.sections[5]["parts"]["track 1"]["push_ms"] == pytest.approx(0.0, abs=1.5)
    assert found.sections[5]["ensemble_ms"] == pytest.approx(9.0, abs=1.0)
    assert any("track 1 pushes in bars 25 to 32" in line for line in found.sentences())
    halves = ensemble(document(late, channels=(0, 1, 2)), sections=[0.0, 128.0])
    assert len(halves.sections) == 2


def test_stems_give_what_one_document_gives():
    late = players(300, 0.1, 0.3, 5)
    whole = ensemble(document(late))
    stems = [document(np.where(np.arange(2) == i, late, np.nan), name=f"stem{i}") for i in range(2)]
    apart = ensemble(stems)
    assert apart.names == ("stem0", "stem1")
    for name in ("median_ms", "sd_ms", "gain_first", "gain_second", "correlation"):
        assert apart.pairs[0][name] == pytest.approx(whole.pairs[0][name], abs=1e-6), name
    assert ensemble(stems, ["bass", "drums"]).names == ("bass", "drums")
    other = stems[1].replace(reference={**stems[1].reference, "kind": "score"})
    with pytest.raises(TakeprintError, match="another reference"):
        ensemble([stems[0], other])


def test_parts_of_a_document_by_track_player_instrument_and_name():
    late = np.random.default_rng(6).standard_normal((100, 4))
    found = document(late, channels=(9, 9, 0, 1))
    instrument = np.array(["kick", "snare", "", ""])[found.notes.track]
    found = found.replace(notes=found.notes.replace(instrument=instrument))
    assert ensemble(found).names == ("kit", "track 2", "track 3")
    assert ensemble(found, "tracks").names == ("track 0", "track 1", "track 2", "track 3")
    assert set(ensemble(found, "instruments").names) == {"kick", "snare", "track 2", "track 3"}
    named = np.where(found.notes.track < 2, "a", "b")
    assert set(ensemble(found, named).names) == {"a", "b"}
    kit = found.replace(notes=found.notes.rows(found.notes.channel == 9))
    assert set(ensemble(kit).names) == {"kick", "snare"}
    with pytest.raises(TakeprintError, match="at least two parts"):
        ensemble(kit, "players")
    with pytest.raises(TakeprintError, match="names for"):
        ensemble(found, ["a", "b"])
    with pytest.raises(TakeprintError, match="parts="):
        ensemble(found, "voices")
    with pytest.raises(TakeprintError, match="no list"):
        ensemble([])


def test_odd_ensembles_give_numbers_or_nothing():
    still = ensemble(document(np.zeros((40, 2))))
    assert still.pairs[0]["gain_first"] is None
    assert still.pairs[0]["sd_ms"] == 0.0
    json.dumps(still.to_json(), allow_nan=False)
    few = ensemble(document(np.random.default_rng(0).standard_normal((12, 2))))
    assert few.pairs == ()
    assert "fewer than 32" in few.warnings[0]
    never = np.full((80, 2), np.nan)
    never[::2, 0] = never[1::2, 1] = 1.0
    assert ensemble(document(never)).n_moments == 0
    with pytest.raises(TakeprintError, match="no figures"):
        few.pair("track 0", "track 1")
    with pytest.raises(TakeprintError, match="section_bars"):
        ensemble(document(never), section_bars=0)


def test_the_document_is_json_and_the_same_every_time():
    late = players(200, 0.1, 0.3, 7)
    first, second = (json.dumps(ensemble(document(late)).to_json(), allow_nan=False) for _ in range(2))
    assert first == second


def test_fluctuations_together_at_all_scales_and_at_long_ones_only():
    rng = np.random.default_rng(8)
    slow = np.cumsum(rng.standard_normal(2048)) * 0.3
    x, y = slow + 3.0 * rng.standard_normal(2048), slow + 3.0 * rng.standard_normal(2048)
    found = detrended_correlation(x, y, np.array([6, 24, 96, 384]))
    assert found[0] < 0.2
    assert found[-1] > 0.9
    assert (np.diff(found) > 0).all()
    assert detrended_correlation(x, x, np.array([6, 96])) == pytest.approx(1.0)
    assert detrended_correlation(x, -x, np.array([6, 96])) == pytest.approx(-1.0)
    assert np.isnan(detrended_correlation(np.zeros(50), x[:50], np.array([6]))).all()


def test_a_metrical_pattern_is_no_conversation():
    # Both parts play every second eighth late: that is a groove, and no listening.
    rng = np.random.default_rng(9)
    late = 3.0 * rng.standard_normal((480, 2)) + 20.0 * (np.arange(480) % 2)[:, None]
    pair = ensemble(document(late)).pairs[0]
    assert abs(pair["correlation"][4]) < 0.2


def test_a_measured_file_with_two_players_has_ensemble_figures_in_its_summary(tmp_path):
    late = players(256, 0.05, 0.4, 10)
    rows = np.repeat(np.arange(256), 2)
    part = np.tile([0, 1], 256)
    clock = Timeline.constant(120.0)
    from takeprint.core.notes import Notes

    onset_s = 1.0 + rows * 0.25 + late.ravel() / 1000.0
    notes = Notes.build(
        len(rows),
        onset_s=onset_s,
        duration_s=np.full(len(rows), 0.1),
        onset_beat=clock.beats_at(onset_s),
        duration_beat=np.full(len(rows), 0.2),
        pitch=np.where(part == 0, 36.0, 40.0),
        velocity=np.full(len(rows), 80.0),
        track=part,
        channel=np.where(part == 0, 9, 1),
    )
    take = take_of_smf(read_smf(write_new_smf(None, notes, clock, Metre(), ticks_per_beat=9600)), "duo.mid")
    found = measure(take, click=120.0)
    facts = found.summary["ensemble"]
    assert facts["n_parts"] == 2
    assert facts["n"] == 256
    assert facts["asynchrony_sd_ms"] == pytest.approx(np.std(late[:, 0] - late[:, 1]), abs=0.5)
    pair = ensemble(found).pair("kit", "track 2" if "track 2" in ensemble(found).names else "track 1")
    assert pair["leader"] == "kit"
    alone = found.replace(notes=found.notes.rows(found.notes.channel == 9))
    assert ensemble_summary(alone) == {}


def test_the_picture_is_drawn_and_never_over_another(tmp_path):
    late = players(200, 0.1, 0.3, 11)
    found = ensemble(document(late))
    path = plot_ensemble(found, tmp_path / "ensemble.png")
    assert path.read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(TakeprintError):
        plot_ensemble(found, path)
    few = ensemble(document(late[:8]))
    plot_ensemble(few, tmp_path / "few.png")


def test_real_percussion_leads_the_strings(shared_data):
    folder = shared_data / "iemp-ensemble"
    if not folder.is_dir():
        pytest.skip("no iemp-ensemble here")
    import csv

    path = folder / "CSS_IEMP_El_Cantante.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    names = ("Bass", "Tres", "Conga")
    grid = np.array([float(r["Isochronous.SD.Time"]) for r in rows])
    late = np.array([[float(r[n]) if r[n] else np.nan for n in names] for r in rows]) - grid[:, None]
    found = ensemble_of(PartTimes(names, np.arange(len(grid)) / 4.0, 1000.0 * late, Metre()))
    assert found.pair("Bass", "Conga")["leader"] == "Conga"
    assert found.pair("Tres", "Conga")["leader"] == "Conga"


def test_a_file_with_several_players_gets_the_picture_among_the_others(tmp_path):
    found = document(players(200, 0.1, 0.3, 12))
    with_summary = found.replace(summary={"ensemble": ensemble_summary(found)})
    names = {path.name for path in plot_deviations(with_summary, tmp_path / "duo")}
    assert "ensemble.png" in names
    assert "ensemble.png" not in {path.name for path in plot_deviations(found, tmp_path / "solo")}
