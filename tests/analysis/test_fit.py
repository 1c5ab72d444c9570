"""Plant and recover: a profile performed on a long quantized pattern and fitted again gives its figures back."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from takeprint.analysis.fit import fit
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.metrical import phrase_arch
from takeprint.core.profile import Profile
from takeprint.humanize import perform
from takeprint.humanize.profiles import load

from ..humanize.made_scores import chorale, groove, planted, take_of


@pytest.fixture(scope="module")
def drum_takes() -> list[Deviations]:
    score = take_of(groove(96))
    return [perform(score, planted(), seed=s, player="parametric", keep_accents=False) for s in range(8)]


@pytest.fixture(scope="module")
def refitted(drum_takes) -> Profile:
    return fit(drum_takes, name="again")


def test_drums_are_known_as_drums(refitted):
    assert refitted.kind == "drums"
    assert refitted.model["voices"] == ["hat", "kick", "snare"]
    assert refitted.model["notes"] == 8 * 96 * 13


def test_clock_comes_back(refitted):
    clock = refitted.model["timing"]["clock"]
    assert clock["beta"] == pytest.approx(1.0, abs=0.2)
    assert clock["sd"] == pytest.approx(10.0, rel=0.15)
    assert clock["corner"] == 0.0


def test_asynchrony_comes_back(refitted):
    voices = refitted.model["timing"]["voices"]
    # The fit parts own from shared variance by least squares: 2.5 ms is what 10,000 notes allow.
    for name, planted_ms in {"hat": 4.0, "kick": 8.0, "snare": 12.0}.items():
        assert voices[name]["asynchrony"] == pytest.approx(planted_ms, abs=2.5)


def test_template_comes_back(refitted):
    rows = {(r["voice"], r["cell"]): r for r in refitted.model["template"]}
    shift = np.mean([rows["hat", c]["timing_ms"] for c in range(0, 48, 6)])
    for key, planted_ms in {("kick", 0): -6.0, ("kick", 24): -6.0, ("snare", 12): 8.0, ("snare", 36): 8.0}.items():
        assert rows[key]["timing_ms"] - shift == pytest.approx(planted_ms, abs=1.5)
        assert rows[key]["n"] == 8 * 96
    assert rows["hat", 0]["velocity"] == pytest.approx(80.0, abs=1.5)
    assert rows["hat", 6]["velocity"] == pytest.approx(60.0, abs=1.5)
    assert rows["snare", 33]["velocity"] == pytest.approx(70.0, abs=1.5)


def test_dynamics_come_back(refitted):
    for figures in refitted.model["dynamics"]["voices"].values():
        assert figures["sd"] == pytest.approx(8.0, rel=0.1)
        assert figures["lag1"] == pytest.approx(0.2, abs=0.08)
        assert figures["bar_memory"] == pytest.approx(0.4, abs=0.08)
        assert figures["quantiles"][4] == pytest.approx(0.0, abs=0.1)


def test_coupling_comes_back(refitted):
    assert refitted.model["timing"]["coupling"]["ms_per_velocity"] == pytest.approx(0.3, abs=0.05)


def test_takes_of_one_template_do_not_differ(refitted):
    for figures in refitted.model["timing"]["voices"].values():
        assert figures["between_takes_cell"] < 1.5


def test_a_piano_comes_back():
    profile = load("piano-plain")
    score = take_of(chorale(64))
    found = fit([perform(score, profile, seed=s) for s in range(6)])
    assert found.kind == "keyboard"
    assert found.model["timing"]["coupling"]["ms_per_velocity"] == pytest.approx(-1.5, abs=0.1)
    assert found.model["timing"]["clock"]["beta"] == pytest.approx(1.0, abs=0.25)
    assert found.model["timing"]["clock"]["sd"] == pytest.approx(8.0, rel=0.2)
    held = found.model["articulation"]
    assert held["mean_log2"] == pytest.approx(-0.07, abs=0.015)
    assert held["sd_log2"] == pytest.approx(0.12, rel=0.1)
    tempo = found.model["tempo"]
    assert tempo["phrase_beats"] == 16
    assert tempo["arch_log2"] == pytest.approx(0.02, abs=0.005)
    assert tempo["drift_sd_log2"] == pytest.approx(0.02, rel=0.3)


def test_arch_has_unit_variance():
    arch = phrase_arch(np.arange(0, 16, 0.001), 16)
    assert arch.mean() == pytest.approx(0.0, abs=1e-3)
    assert arch.std() == pytest.approx(1.0, abs=1e-3)
    assert arch[8000] > 0 > arch[0]


def test_donor_rows_are_the_measured_ones(drum_takes, refitted):
    first = refitted.arrays["take"] == 0
    notes = drum_takes[0].notes
    assert first.sum() == len(notes)
    stored, real = np.sort(refitted.arrays["timing_ms"][first]), np.sort(notes.timing_ms)
    assert np.abs(stored[10:-10] - real[10:-10]).max() <= 1 / 32
    # The outermost few are drawn in to 3.5 robust standard deviations.
    reach = 3.5 * 1.4826 * np.median(np.abs(real - np.median(real)))
    assert np.abs(stored - np.median(real)).max() <= reach + 1 / 32
    assert set(refitted.arrays["velocity"][first].tolist()) == set(np.rint(notes.velocity).astype(int).tolist())


def test_document_survives_saving(tmp_path, refitted):
    path = tmp_path / "again.json"
    refitted.save(path)
    loaded = Profile.load(path)
    assert loaded.model == refitted.to_json()["model"]
    for name, array in refitted.arrays.items():
        assert array.dtype == loaded.arrays[name].dtype
        assert np.array_equal(array, loaded.arrays[name], equal_nan=array.dtype.kind == "f")
    for field in ("source", "licence", "attribution", "method", "figures"):
        assert field in loaded.card


def test_a_short_take_is_fitted_too():
    found = fit(perform(take_of(groove(1)), planted(), seed=1))
    assert found.model["notes"] == 13
    assert found.model["timing"]["clock"]["measured"] is False
    assert len(perform(take_of(groove(4)), found, seed=1).notes) == 4 * 13


@pytest.mark.parametrize(
    ("given", "said"),
    [((), "nothing to fit"), (("take.mid",), "cannot be fitted"), ((Deviations(),), "no melody note")],
)
def test_refusals(given, said):
    with pytest.raises(TakeprintError, match=said):
        fit(*[[g] if isinstance(g, str) else g for g in given])


def test_unknown_kind(drum_takes):
    with pytest.raises(TakeprintError, match="kind"):
        fit(drum_takes, kind="strings")


def test_a_real_drummer(shared_data):
    from takeprint.analysis.measure import measure

    folder = shared_data / "groove"
    rows = csv.DictReader((folder / "info.csv").read_text().splitlines())
    long = [r for r in rows if r["drummer"] == "drummer1" and r["style"] == "rock" and float(r["duration"]) > 60]
    found = fit([measure(folder / r["midi_filename"], click="file") for r in long[:3]])
    assert found.kind == "drums"
    clock = found.model["timing"]["clock"]
    # Over 196 takes the middle half of drummers lies at lag-1 0.45 to 0.64 and 15 to 20 ms within an instrument's cell.
    assert 0.2 < clock["lag1"] < 0.8
    assert 8.0 < found.model["timing"]["voices"]["snare"]["sd"] < 35.0
