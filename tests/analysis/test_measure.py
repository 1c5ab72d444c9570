"""What is planted is measured: bias, spread and 95th percentile apart."""

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.smf import read_smf
from takeprint.core.take import take_of_smf
from takeprint.core.timeline import Timeline
from takeprint.humanize import render
from tests.analysis.planted import HAT, KICK, SNARE, drum_pattern, midi_take


def errors_ms(measured, planted):
    """Return (constant bias, sd, 95th percentile of what is left after the bias)."""
    off = measured - planted
    return np.median(off), np.std(off), np.percentile(np.abs(off - np.median(off)), 95)


@pytest.mark.parametrize(
    ("lines", "bpm", "name"),
    [
        ((0, 0.25, 0.5, 0.75), 100, "16"),
        ((0, 1 / 3, 2 / 3), 110, "triplet"),
        ((0, 0.5), 140, "8"),
        ((0, 0.62), 120, "swung 8"),
        ((0, 0.3, 0.5, 0.8), 90, "swung 16"),
    ],
)
def test_planted_timing_against_the_click(lines, bpm, name):
    rng = np.random.default_rng(4)
    beat, pitch = drum_pattern(24, lines)
    planted_ms = rng.normal(0, 8, len(beat))
    clock = Timeline.constant(bpm)
    onset_s = np.maximum(clock.seconds_at(beat + 4) + 0.015 + planted_ms / 1000, 0)
    take = midi_take(onset_s, 0.05, pitch, 90, clock=clock, channel=9)
    d = measure(take, click="file")
    order = np.lexsort((pitch, onset_s))
    np.testing.assert_allclose(d.notes.reference_beat, (beat + 4)[order], atol=0.011)
    assert d.reference["grid"]["subdivision"][name] > 0.9
    bias, sd, p95 = errors_ms(d.notes.timing_ms + d.latency_ms, planted_ms[order] + 15)
    # The measured swing ratio is a figure of the take, to about 0.01 of a beat.
    slack_ms = 600 / bpm if "swung" in name else 0.06
    assert abs(bias) < slack_ms
    assert sd < slack_ms
    assert p95 < slack_ms
    if "swung" in name:
        assert d.reference["grid"]["swing_ratio"] == pytest.approx(0.62 if name == "swung 8" else 0.6, abs=0.011)


def test_latency_is_apart_and_timing_has_zero_median():
    beat, pitch = drum_pattern(8)
    clock = Timeline.constant(120)
    late = measure(midi_take(clock.seconds_at(beat) + 0.020, 0.05, pitch, 90, clock=clock, channel=9))
    assert late.latency_ms == pytest.approx(20.0, abs=0.06)
    np.testing.assert_allclose(late.notes.timing_ms, 0.0, atol=0.06)


def test_late_is_positive():
    beat, pitch = drum_pattern(8)
    clock = Timeline.constant(120)
    onset_s = clock.seconds_at(beat + 4)
    onset_s[pitch == SNARE] += 0.010
    d = measure(midi_take(onset_s, 0.05, pitch, 90, clock=clock, channel=9))
    np.testing.assert_allclose(d.notes.timing_ms[d.notes.pitch == SNARE], 10.0, atol=0.06)


def test_flams_and_rolls_belong_to_the_hit_they_decorate():
    beat, pitch = drum_pattern(8)
    clock = Timeline.constant(120)
    onset_s = clock.seconds_at(beat + 4)
    flams = onset_s[(pitch == SNARE)][::2] - 0.028
    rolls = np.add.outer(onset_s[pitch == SNARE][1::4], [-0.09, -0.06, -0.03]).ravel()
    times = np.r_[onset_s, flams, rolls]
    velocity = np.r_[np.full(len(onset_s), 100), np.full(len(flams), 40), np.full(len(rolls), 45)]
    take = midi_take(
        times, 0.01, np.r_[pitch, np.full(len(flams) + len(rolls), SNARE)], velocity, clock=clock, channel=9
    )
    d = measure(take, click="file")
    quiet = d.notes.velocity < 50
    assert (d.notes.ornament[quiet] != "").all()
    assert (d.notes.ornament[~quiet] == "").all()
    assert (d.notes.ornament == "roll").sum() == len(rolls)
    np.testing.assert_allclose(d.notes.timing_ms, 0.0, atol=0.06)
    assert d.summary["timing"]["n_ornaments"] == len(flams) + len(rolls)


def test_a_drifting_take_is_not_drawn_as_a_sawtooth():
    """2 % faster than the click: single notes must not wrap round half a grid step."""
    beat, pitch = drum_pattern(16)
    clock = Timeline.constant(120)
    faster = Timeline.constant(122.4)
    take = midi_take(faster.seconds_at(beat), 0.05, pitch, 90, clock=clock, channel=9)
    d = measure(take, click=120)
    np.testing.assert_allclose(np.diff(d.notes.reference_beat), np.diff(np.sort(beat)), atol=1e-6)
    assert d.summary["tempo"]["median_bpm"] == pytest.approx(122.4, abs=0.1)
    assert any("drifts" in w for w in d.warnings)


def test_without_a_reference_the_beat_is_inferred_and_said():
    rng = np.random.default_rng(2)
    beat, pitch = drum_pattern(24)
    played = Timeline(
        np.array([0.0, 48.0, 96.0]), np.array([3.0, 3.0 + 48 * 60 / 97, 3.0 + 48 * 60 / 97 + 48 * 60 / 103])
    )
    onset_s = played.seconds_at(beat) + rng.normal(0, 0.005, len(beat))
    take = midi_take(onset_s, 0.05, pitch, np.where(pitch == HAT, 60, 110), channel=9)
    d = measure(take)
    assert d.reference["kind"] == "none"
    assert np.isnan(d.latency_ms)
    assert any("inferred" in w for w in d.warnings)
    assert d.tempo.tempo_bpm[10] == pytest.approx(97, rel=0.01)
    assert d.tempo.tempo_bpm[-15] == pytest.approx(103, rel=0.01)
    assert d.summary["timing"]["sd"] == pytest.approx(5.0, abs=1.0)


def melody(n=64):
    """Return (beat, length, pitch) of a melody in eighths and quarters over long bass notes."""
    rng = np.random.default_rng(9)
    steps = rng.choice([0.5, 1.0], n)
    beat = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    pitch = 72 + np.cumsum(rng.integers(-3, 4, n)) % 12
    bass_beat = np.arange(0, beat[-1], 2.0)
    return (
        np.r_[beat, bass_beat],
        np.r_[steps, np.full(len(bass_beat), 2.0)],
        np.r_[pitch, 48 + np.arange(len(bass_beat)) % 5].astype(float),
    )


def rubato(last_beat):
    knots = np.arange(0, last_beat + 3.0)
    period_s = 0.6 * np.exp(0.15 * np.sin(knots / 8.0))
    return Timeline(knots, 1.0 + np.concatenate([[0.0], np.cumsum(period_s)[:-1]]))


@pytest.fixture(scope="module")
def played():
    """Return (score, take, planted): a melody played with rubato, single deviations, wrong, missed and added notes."""
    rng = np.random.default_rng(5)
    beat, length, pitch = melody()
    clock = Timeline.constant(100)
    written_s = clock.seconds_at(beat)
    score = midi_take(written_s, clock.seconds_at(beat + length) - written_s, pitch, 64, clock=clock, name="score")
    notes = score.notes
    line = rubato(notes.onset_beat.max() + 4)
    timing_ms = rng.normal(0, 6, len(notes))
    articulation = rng.normal(-0.3, 0.1, len(notes))
    onset_s = line.seconds_at(notes.onset_beat) + timing_ms / 1000
    due_s = line.seconds_at(notes.onset_beat + notes.duration_beat) - line.seconds_at(notes.onset_beat)
    take_pitch = notes.pitch.copy()
    take_pitch[20] += 1
    kept = np.arange(len(notes)) != 40
    take = midi_take(
        np.r_[onset_s[kept], onset_s[30] + 0.3],
        np.r_[(due_s * 2**articulation)[kept], 0.1],
        np.r_[take_pitch[kept], 101],
        np.r_[np.clip(np.round(64 + rng.normal(0, 8, kept.sum())), 1, 127), 50],
    )
    return score, take, {"timing_ms": timing_ms, "articulation": articulation, "line": line}


def test_a_score_played_freely(played):
    score, take, planted = played
    d = measure(take, score)
    match = d.notes.label == "match"
    assert match.sum() == len(score.notes) - 2
    rows = d.notes.rows(match)
    onset_s = planted["line"].seconds_at(rows.reference_beat) + planted["timing_ms"][rows.reference_index] / 1000
    np.testing.assert_allclose(rows.onset_s, onset_s, atol=6e-5)
    np.testing.assert_allclose(rows.articulation_log2, planted["articulation"][rows.reference_index], atol=0.12)
    tempo = planted["line"].tempo_bpm_at(d.tempo.beat + 0.5)
    assert np.corrcoef(d.tempo.tempo_bpm[2:-3], tempo[2:-3])[0, 1] > 0.97
    assert np.median(rows.timing_ms) == pytest.approx(0.0, abs=1e-6)


def test_single_deviations_stand_out_from_the_tempo_curve():
    """Four notes a beat, one beat of bandwidth: the curve swallows about 6 ms / sqrt(8) of independent timing."""
    rng = np.random.default_rng(6)
    beat = np.arange(0, 64, 0.25)
    score = midi_take(beat * 0.5, 0.1, 60 + np.arange(len(beat)) % 24, 64, name="s")
    planted_ms = rng.normal(0, 6, len(beat))
    onset_s = rubato(66).seconds_at(beat) + planted_ms / 1000
    d = measure(midi_take(onset_s, 0.1, 60 + np.arange(len(beat)) % 24, 64), score)
    inner = (d.notes.reference_beat > 1) & (d.notes.reference_beat < 63)
    bias, sd, p95 = errors_ms(d.notes.timing_ms[inner], (planted_ms - np.median(planted_ms))[inner])
    # The constant of a free take is not known: the medians of 256 draws scatter by 0.3 ms (40 seeds).
    assert abs(bias) < 0.9
    assert sd < 2.8
    assert p95 < 5.6


def test_slips_are_named(played):
    score, take, _ = played
    d = measure(take, score)
    assert [s["kind"] for s in d.slips] == ["wrong", "added", "missed"]
    wrong = d.slips[0]
    assert wrong["pitch_played"] - wrong["pitch_written"] == 1
    rows = np.flatnonzero(d.notes.slip_id == wrong["slip_id"])
    assert sorted(d.notes.label[rows]) == ["deletion", "insertion"]
    assert d.summary["slips"]["n"] == 3


def test_a_wait_is_a_hesitation():
    beat = np.arange(0, 60, 0.5)
    score = midi_take(beat * 0.6, 0.2, 60 + np.arange(len(beat)) % 12, 64, clock=Timeline.constant(100), name="s")
    onset_s = beat * 0.5 + 1
    onset_s[70:] += 0.8
    d = measure(midi_take(onset_s, 0.2, 60 + np.arange(len(beat)) % 12, 64), score)
    (wait,) = d.slips
    assert wait["kind"] == "hesitation"
    assert wait["beat"] == beat[70]
    assert wait["duration_s"] == pytest.approx(0.8, abs=0.02)


def test_the_law_on_what_was_measured(played):
    """measure(render(score, d), score) == d within half a tick on the total onset."""
    score, take, _ = played
    d = measure(take, score)
    rendered = take_of_smf(read_smf(render(score, d).data), "rendered")
    again = measure(rendered, score)
    assert again.notes.label.tolist() == d.notes.label.tolist()
    played = np.isfinite(d.notes.onset_s)
    tick_s = 60 / rendered.timeline.tempo_bpm_at(rendered.timeline.beats_at(d.notes.onset_s[played])) / 9600
    assert (np.abs(again.notes.onset_s - d.notes.onset_s)[played] <= 0.5 * tick_s + 1e-9).all()
    np.testing.assert_array_equal(again.notes.velocity, d.notes.velocity)
    np.testing.assert_allclose(again.notes.timing_ms, d.notes.timing_ms, atol=0.2)
    np.testing.assert_allclose(again.notes.articulation_log2, d.notes.articulation_log2, atol=0.01)


def test_identical_files_deviate_by_nothing(played):
    score, _, _ = played
    d = measure(score, score)
    np.testing.assert_array_equal(d.notes.timing_ms, 0.0)
    np.testing.assert_allclose(d.notes.articulation_log2, 0.0, atol=1e-9)
    assert d.slips == ()
    np.testing.assert_allclose(d.tempo.tempo_bpm, 100.0)


def test_other_music_is_refused(played):
    score, _, _ = played
    rng = np.random.default_rng(0)
    other = midi_take(np.sort(rng.uniform(0, 40, 120)), 0.2, rng.integers(30, 50, 120), 64)
    with pytest.raises(TakeprintError, match="partner"):
        measure(other, score)


def test_one_note_and_none():
    one = midi_take([1.0], 0.5, [60], 64)
    d = measure(one)
    assert len(d.notes) == 1
    assert Deviations.from_json(d.to_json()).notes == d.notes
    assert measure(one, one).notes.label.tolist() == ["match"]
    none = midi_take(np.zeros(0), 0.5, np.zeros(0), 64)
    d = measure(none)
    assert len(d.notes) == 0
    assert any("no notes" in w for w in d.warnings)
    with pytest.raises(TakeprintError, match="no notes"):
        measure(one, none)
    assert measure(none, one).notes.label.tolist() == ["deletion"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"click": 0}, "bpm"),
        ({"click": "fast"}, "click"),
        ({"meter": "4/5"}, "meter"),
        ({"click": 120, "against": "x.mid"}, "one of them"),
    ],
)
def test_wrong_options(options, said):
    with pytest.raises(TakeprintError, match=said):
        measure(midi_take([0.0], 0.1, [60], 64), **options)


def test_arrays_and_pretty_midi_objects_are_takes(played):
    score, _, _ = played
    import pretty_midi

    other = pretty_midi.PrettyMIDI(resolution=960)
    piano = pretty_midi.Instrument(0)
    for onset_s, length_s, pitch in zip(score.notes.onset_s, score.notes.duration_s, score.notes.pitch, strict=True):
        piano.notes.append(pretty_midi.Note(64, int(pitch), float(onset_s), float(onset_s + length_s)))
    other.instruments.append(piano)
    d = measure(other, score)
    assert np.abs(d.notes.timing_ms).max() < 1.1
    array = np.zeros(3, dtype=[("onset_sec", "f4"), ("duration_sec", "f4"), ("pitch", "i4"), ("velocity", "i4")])
    array["onset_sec"] = [0, 0.5, 1]
    assert len(measure(array).notes) == 3


def test_clicks_in_a_waveform_are_measured():
    sample_rate, rng = 22050, np.random.default_rng(1)
    beat = np.arange(0, 64, 0.5)
    planted_ms = rng.normal(0, 6, len(beat))
    onset_s = 0.5 + beat * 0.5 + planted_ms / 1000
    y = rng.normal(0, 1e-4, int(33 * sample_rate))
    burst = rng.normal(0, 1, 800) * np.exp(-np.arange(800) / 150)
    for start in np.round(onset_s * sample_rate).astype(int):
        y[start : start + 800] += 0.5 * burst
    d = measure((y, sample_rate), click=120)
    assert np.isnan(d.latency_ms)
    assert len(d.notes) == len(beat)
    bias, sd, p95 = errors_ms(d.notes.timing_ms, planted_ms - np.median(planted_ms))
    assert abs(bias) < 0.5
    assert sd < 0.5
    assert p95 < 1.0
    assert np.isfinite(d.notes.dynamics_db).all()


def test_real_drummers_follow_their_click(shared_data):
    takes = sorted((shared_data / "groove").rglob("*_beat_4-4.mid"))[::25]
    assert takes
    for path in takes:
        d = measure(path)
        assert d.reference["kind"] == "click", path
        assert abs(d.latency_ms) < 60, path
        if len(d.notes) > 100:
            assert 8 < d.summary["timing"]["sd"] < 45, path


def test_real_pianists_are_aligned_with_their_score(shared_data):
    """Against the human alignment: the same notes matched, tempo and timing correlate."""
    partitura = pytest.importorskip("partitura")
    folder = shared_data / "vienna4x22"
    if not folder.is_dir():
        pytest.skip("no Vienna 4x22 here")
    import warnings

    for piece in ("Chopin_op38", "Mozart_K331_1st-mov"):
        for player in ("p02", "p09"):
            d = measure(folder / "midi" / f"{piece}_{player}.mid", folder / "musicxml" / f"{piece}.musicxml")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _, alignment = partitura.load_match(str(folder / "match" / f"{piece}_{player}.match"))
            true = sum(a["label"] == "match" for a in alignment)
            assert abs((d.notes.label == "match").sum() - true) <= 0.005 * true, (piece, player)


def test_a_crowd_of_notes_keeps_kick_hat_snare_names():
    beat, pitch = drum_pattern(2)
    d = measure(midi_take(beat * 0.5, 0.05, pitch, 90, channel=9))
    names = dict(zip(d.notes.pitch.tolist(), d.notes.instrument.tolist(), strict=True))
    assert names == {KICK: "kick", SNARE: "snare", HAT: "hat"}
