"""The demo: everything that is said is there, and the figures are what they should be."""

from __future__ import annotations

import json

import numpy as np
import pytest

from takeprint.app.demo import DRUM_PROFILE, FILES, gaussian_of, real_takes, run_demo
from takeprint.app.tunes import drum_pattern, minuet
from takeprint.core.audio import open_audio
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.take import load_take
from takeprint.humanize import perform, profiles, read_disclosure, render


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "takeprint-demo"
    said = []
    assert run_demo(folder, say=said.append) == 0
    return folder, "\n".join(said)


def test_every_file_that_is_said_is_there_and_no_other(demo):
    folder, said = demo
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == set(FILES)
    text = (folder / "what-is-what.txt").read_text()
    assert all(name in text for name in FILES)
    assert "the law" in said


def test_what_was_planted_is_measured_back(demo):
    folder, _ = demo
    for name, profile in (("drums", DRUM_PROFILE), ("minuet", "piano-plain")):
        score = load_take(folder / f"{name}-quantized.mid")
        planted = perform(score, profile, seed=7, keep_accents=False)
        found = Deviations.load(folder / f"{name}-DEV.json").notes
        assert (found.label == "match").all()
        wanted = render(score, planted).applied.notes
        a = found.onset_s[np.argsort(found.reference_index, kind="stable")]
        b = wanted.onset_s[np.argsort(wanted.reference_index, kind="stable")]
        np.testing.assert_allclose(a, b, atol=1e-6)
        # Rounding to ticks: half a tick of 960 a beat is 0.3 ms.
        assert np.median(np.abs(b - planted.notes.onset_s[np.argsort(planted.notes.reference_index)])) < 0.0005


def test_the_comparison_tells_random_numbers_from_a_drummer(demo):
    folder, said = demo
    ours, random = (json.loads((folder / f"drums-CMP-{n}.json").read_text()) for n in ("takeprint", "gaussian"))
    assert random["traces"]["timing"]["synthetic"]["lag1"] < 0.15
    assert ours["traces"]["timing"]["synthetic"]["lag1"] > 0.25
    assert any(t["trace"] == "timing" for t in random["tells"])
    assert random["realism"]["auc"] > ours["realism"]["auc"]
    assert all(t["sentence"] in said for t in random["tells"][:3])


def test_midi_bytes_come_from_the_seed_alone(demo, tmp_path):
    folder, _ = demo
    score = load_take(folder / "drums-quantized.mid")
    again = render(score, perform(score, DRUM_PROFILE, seed=7, keep_accents=False)).data
    assert again == (folder / "drums-humanized.mid").read_bytes()
    assert drum_pattern().to_midi() == (folder / "drums-quantized.mid").read_bytes()
    other = render(score, perform(score, DRUM_PROFILE, seed=8, keep_accents=False)).data
    assert other != again


def test_only_the_humanized_files_say_that_they_are(demo):
    folder, _ = demo
    for name in ("drums-humanized.mid", "drums-gaussian.mid", "minuet-humanized.mid", "drums-moved-audio.wav"):
        assert read_disclosure(folder / name)["source-sha256"]
    for name in ("drums-quantized.mid", "minuet-quantized.mid", "drums-quantized.wav"):
        assert read_disclosure(folder / name) is None


def test_the_sound_is_loud_enough_and_clean(demo):
    folder, _ = demo
    for path in folder.glob("*.wav"):
        told = open_audio(path)
        assert 0.2 < told.peak < 1.0
        assert told.channels == 2
        assert not told.warnings


def test_the_pictures_are_pictures(demo):
    folder, _ = demo
    for path in folder.rglob("*.png"):
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(data) > 10_000


def test_an_earlier_demo_is_not_replaced_unasked(demo):
    folder, _ = demo
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(TakeprintError, match="--force"):
        run_demo(folder, say=lambda _: None)
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()} == before


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(TakeprintError, match="folder"):
        run_demo(tmp_path / "file" / "demo", say=lambda _: None)


@pytest.mark.parametrize(("tune", "bars", "bar_beats"), [(minuet(), 33, 3.0), (drum_pattern(), 17, 4.0)])
def test_the_tunes_lie_on_their_grid(tune, bars, bar_beats, tmp_path):
    path = tmp_path / "tune.mid"
    path.write_bytes(tune.to_midi())
    take = load_take(path)
    np.testing.assert_allclose(take.notes.onset_beat, tune.notes.onset_beat, atol=1 / 1900)
    np.testing.assert_array_equal(take.notes.pitch, tune.notes.pitch)
    np.testing.assert_array_equal(take.notes.instrument, tune.notes.instrument)
    assert take.metre == tune.metre
    assert tune.notes.onset_beat.min() == bar_beats  # a bar of rest
    last = tune.notes.onset_beat.max()
    assert bars * bar_beats - bar_beats <= last <= bars * bar_beats
    off_grid = np.abs(tune.notes.onset_beat * 4 - np.round(tune.notes.onset_beat * 4)) > 1e-9
    assert off_grid.sum() == (4 if tune.metre.changes[0][1] == 4 else 0)  # the flams
    if bar_beats == 3.0:
        # Both voices fill every bar, so no length was misspelt.
        for track in (0, 1):
            rows = tune.notes.rows(tune.notes.track == track)
            ends = rows.onset_beat + rows.duration_beat
            np.testing.assert_allclose(ends[:-1], rows.onset_beat[1:])
            assert set(np.arange(3.0, 99.0, 3.0)) <= set(rows.onset_beat)


def test_gaussian_deviations_are_independent_and_of_the_same_spread(tmp_path):
    path = tmp_path / "tune.mid"
    path.write_bytes(drum_pattern().to_midi())
    planted = perform(path, DRUM_PROFILE, seed=3)
    made = gaussian_of(planted, 3).notes
    late = made.onset_s - made.reference_onset_s
    wanted = np.std(planted.notes.onset_s - planted.notes.reference_onset_s)
    assert 0.85 < np.std(late) / wanted < 1.15
    assert abs(np.corrcoef(late[:-1], late[1:])[0, 1]) < 0.2


def test_real_takes_are_the_rows_that_ship():
    profile = profiles.load(DRUM_PROFILE)
    takes = real_takes(profile)
    assert sum(len(t.notes) for t in takes) == len(profile.arrays["take"])
    assert len(takes) == len(np.unique(profile.arrays["take"]))
    for take in takes:
        rows = take.notes
        late = 1000 * (rows.onset_s - rows.reference_onset_s)
        np.testing.assert_allclose(late - np.median(late), rows.timing_ms - np.median(rows.timing_ms), atol=1e-6)
