"""The sets and figures of benchmarks/accuracy: a truth that is wrong would make every table wrong."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "accuracy"
NAMES = ("mixing", "rooms", "sung", "soundfont", "sets", "scoring")


@pytest.fixture(scope="module")
def bench():
    """Import the benchmark's modules by their plain names, and take them away again."""
    sys.path.insert(0, str(FOLDER))
    before = {n: sys.modules.pop(n, None) for n in NAMES}
    try:
        yield SimpleNamespace(**{n: importlib.import_module(n) for n in NAMES})
    finally:
        sys.path.remove(str(FOLDER))
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


@pytest.fixture
def font(bench):
    if bench.soundfont.installed() is None:
        pytest.skip("no fluid-soundfont-gm here")
    return bench.soundfont.soundfont()


def click(length=2000):
    return np.exp(-np.arange(length) / 300.0) * np.cos(np.arange(length) * 0.7)


# --- mixing --------------------------------------------------------------------------------------------------------


def test_a_note_lies_at_its_sample_with_silence_before(bench):
    late = np.concatenate([1e-3 * np.ones(150), click()])
    sound = bench.mixing.mixed([bench.mixing.Note(0.123456, bench.mixing.cut(late), "x", "percussive")], [], tail_s=0.1)
    first = int(np.flatnonzero(sound.samples)[0])
    assert first == round(0.123456 * 44100)
    assert sound.onset_s[0] == first / 44100
    assert np.argmax(np.abs(sound.samples) > 0.01 * np.abs(sound.samples).max()) == first


def test_notes_within_30_ms_of_the_first_are_one_event(bench):
    notes = [bench.mixing.Note(t, click(), n, "percussive") for t, n in ((0.1, "a"), (0.12, "b"), (0.135, "a"))]
    sound = bench.mixing.mixed(notes, [])
    assert np.allclose(sound.onset_s, [0.1, 0.135], atol=1e-5)  # 35 ms after the first, though 15 ms after the second
    assert sound.names.tolist() == ["several", "a"]
    assert sound.note_event.tolist() == [0, 0, 1]


def test_a_strum_is_one_event_at_its_first_string_however_long(bench):
    notes = [bench.mixing.Note(0.1 + 0.014 * i, click(), "s", "plucked", event=0) for i in range(6)]
    notes.append(bench.mixing.Note(0.5, click(), "s", "plucked", event=1))
    sound = bench.mixing.mixed(notes[::-1], [])
    assert np.allclose(sound.onset_s, [0.1, 0.5], atol=1e-5)


def test_joined_and_part_carry_the_truth_along(bench):
    one = bench.mixing.mixed([bench.mixing.Note(t, click(), "x", "percussive", grid_s=t) for t in (0.2, 0.4)], [])
    two = bench.mixing.joined([one, one], gap_s=0.5)
    at = np.argmax(np.abs(two.samples) > 0) / 44100
    assert at == one.onset_s[0]
    second = two.part(one.duration_s + 0.3, two.duration_s)
    assert len(second.onset_s) == 2
    assert np.argmax(np.abs(second.samples) > 0) == round(second.onset_s[0] * 44100)
    assert second.note_event.tolist() == [0, 1]


# --- rooms ---------------------------------------------------------------------------------------------------------


def test_mp3_and_other_rates_leave_onsets_where_they_are(bench):
    notes = [bench.mixing.Note(t, click(), "x", "percussive") for t in (0.2, 0.75, 1.1)]
    raw = bench.mixing.mixed(notes, [])
    try:
        coded = bench.rooms.through_mp3(raw.samples, 44100)
    except SystemExit:
        pytest.skip("this soundfile writes no MP3")
    assert len(coded) == len(raw.samples)
    assert bench.rooms.codec_delay(raw.samples, coded) == 0
    for rate in (8_000, 96_000):
        other = bench.rooms.at_rate(raw, rate)
        back = bench.rooms.at_rate(other, 44100)
        assert bench.rooms.codec_delay(raw.samples, back.samples) == 0
        assert np.array_equal(other.onset_s, raw.onset_s)


def test_the_direct_sound_passes_a_room_unmoved(bench):
    raw = bench.mixing.mixed([bench.mixing.Note(0.2, click(), "x", "percussive")], [])
    wet = bench.rooms.in_room(raw, np.random.default_rng(1), 1.1, 0.4)
    assert np.argmax(np.abs(wet.samples) > 0.01 * np.abs(wet.samples).max()) == round(0.2 * 44100)


def test_what_bleeds_counts_neither_way(bench):
    raw = bench.mixing.mixed([bench.mixing.Note(1.0, click(), "x", "percussive")], [])
    other = bench.mixing.mixed([bench.mixing.Note(0.5, click(), "y", "plucked")], [], tail_s=0.45)
    both = bench.rooms.bleeding(raw, other)
    assert np.allclose(both.maybe_s[:2], [0.5, 0.5 + other.duration_s])
    assert both.onset_s.tolist() == raw.onset_s.tolist()


# --- sung lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["voice", "violin", "flute"])
def test_the_stated_fundamental_is_the_sounding_one(bench, name):
    sound = bench.sung.line(name, np.random.default_rng(3), 5)
    turns = np.interp(np.arange(len(sound.samples)) / 44100, sound.f0_time_s, np.nan_to_num(sound.f0_hz))
    # the first harmonic, brought to 0 Hz by the stated fundamental, must stand still: 1 cent at 500 Hz is 0.3 Hz
    still = sound.samples * np.exp(-2j * np.pi * np.cumsum(turns) / 44100)
    smooth = np.convolve(still, np.hanning(1764) / 882, "same")
    hop = 441
    moved = np.angle(smooth[hop::hop] * np.conj(smooth[:-hop:hop])) * 100 / (2 * np.pi)
    sure = np.abs(smooth[hop::hop]) > 0.3 * np.abs(smooth).max()
    assert sure.sum() > 20
    assert np.median(np.abs(moved[sure])) < 0.3


def test_a_slur_begins_in_the_middle_of_its_glide(bench):
    sound = bench.sung.line("flute", np.random.default_rng(5), 12)
    slurs = np.flatnonzero(sound.note_how == "slur")
    assert len(slurs)
    for i in slurs:
        middle = 0.5 * (sound.note_pitch[i] + sound.note_pitch[i - 1])
        at = 69 + 12 * np.log2(np.interp(sound.note_onset_s[i], sound.f0_time_s, sound.f0_hz) / 440)
        assert abs(at - middle) < 0.35


def test_sung_attacks_come_out_of_silence_at_the_truth(bench):
    sound = bench.sung.line("violin", np.random.default_rng(2), 4)
    first = round(sound.note_onset_s[0] * 44100)
    assert not sound.samples[:first].any()
    assert 8 < sound.note_rise_ms[0] < 60


# --- the sound font and the sets -----------------------------------------------------------------------------------


def test_a_soundfont_note_has_its_key(font):
    for key in (45, 57, 69):
        y = font.note(0, 73 if key > 60 else 0, key, 90, 1.0)[11025:33075]
        size = 1 << 17
        spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), size))
        hz = 440 * 2 ** ((key - 69) / 12)
        low, high = (int(hz * f * size / 44100) for f in (0.97, 1.03))
        peak = (low + np.argmax(spectrum[low:high])) * 44100 / size
        assert abs(1200 * np.log2(peak / hz)) < 20  # as well as the sample itself is in tune


def test_resampling_keeps_a_sine_a_sine(bench):
    t = np.arange(4000)
    out = bench.soundfont.resampled(np.sin(0.2 * t), 0.7937)
    want = np.sin(0.2 * 0.7937 * np.arange(len(out)))
    assert np.abs(out - want)[200:-200].max() < 1e-3


def test_both_folds_share_no_sample(bench, font):
    if not bench.sets.available():
        pytest.skip("no shared data here")
    for program in (24, 25, 33, 40, 73):
        sources = [{font.source(0, program, k) for k in bench.sets.keys_of(0, program, 40, 80, f)} for f in (0, 1)]
        assert sources[0]
        assert sources[1]
        assert not sources[0] & sources[1]
    assert not set(bench.sets.performances(0)) & set(bench.sets.performances(1))


def test_struck_and_plucked_notes_begin_where_the_set_says(bench, font):
    if not bench.sets.available():
        pytest.skip("no shared data here")
    rng = np.random.default_rng(7)
    notes = [bench.sets.guitar_note(0.3 + 0.01 * i + i, 0.5, rng, 0) for i in range(6)]
    notes += [bench.sets.drum_note(6.5 + 3 * i, 0, key, 90, rng) for i, key in enumerate((36, 38, 42))]
    sound = bench.mixing.mixed(notes, [])
    for i, onset in enumerate(sound.note_onset_s):
        first = round(onset * 44100)
        end = min(round(sound.note_end_s[i] * 44100), len(sound.samples))
        own = np.abs(sound.samples[first:end])
        assert own[0] > 0.01 * own.max() * (1 - 1e-9)
        assert not sound.samples[first - 441 : first].any()


def test_uncut_notes_keep_their_truth(bench, font):
    if not bench.sets.available():
        pytest.skip("no shared data here")
    bench.sets.Uncut.now = True
    try:
        note = bench.sets.drum_note(1.0, 0, 36, 90, np.random.default_rng(0))
    finally:
        bench.sets.Uncut.now = False
    assert note.time_s + note.truth_s == pytest.approx(1.0, abs=1 / 44100)
    assert bench.mixing.first_loud(note.samples) == round(note.truth_s * 44100)


# --- figures -------------------------------------------------------------------------------------------------------


def test_matching_is_one_to_one_and_nearest(bench):
    matched = bench.scoring.matched
    assert matched(np.array([1.0, 2.0]), np.array([0.99, 1.004, 2.2]), 0.05) == [(0, 1)]
    assert matched(np.array([1.0, 1.03]), np.array([1.028]), 0.05) == [(1, 0)]
    assert matched(np.array([1.0]), np.array([1.05]), 0.05 + 1e-12) == [(0, 0)]
    assert matched(np.zeros(0), np.array([1.0]), 0.05) == []


def test_f_measure_counts_misses_and_extras(bench):
    truth = np.arange(1.0, 11.0)
    assert bench.scoring.f_measure(truth, truth[:8] + 0.004, 0.01) == pytest.approx(16 / 18)
    assert bench.scoring.f_measure(truth, truth + 0.02, 0.01) == 0.0
    assert bench.scoring.f_measure(np.zeros(0), np.zeros(0), 0.05) == 1.0


def test_bias_is_per_instrument_and_late_is_positive(bench):
    truth = np.arange(40) * 0.5 + 1
    names = np.array(["kick", "snare"] * 20)
    found = truth + np.where(names == "kick", 0.003, -0.001)
    s = bench.scoring.score_times(truth, found, names)
    assert s.bias_by_name == pytest.approx({"kick": 3.0, "snare": -1.0})
    assert s.spread_ms == pytest.approx(4.0)
    assert s.p95_ms == pytest.approx(3.0)
    assert s.sd_ms == pytest.approx(2.0)


def test_moments_that_count_neither_way(bench):
    truth, maybe = np.array([1.0, 2.0]), np.array([0.96, 1.5])
    s = bench.scoring.score_times(truth, np.array([0.955, 1.002, 1.51, 1.8]), None, maybe)
    # 1.002 is the onset, 0.955 and 1.51 lie at moments that do not count, 1.8 is false, 2.0 was missed
    assert (s.found_count, s.truth_count) == (2, 2)
    assert s.f50 == pytest.approx(0.5)
    assert s.found_index.tolist() == [1]
    assert bench.scoring.score_times(truth, np.array([1.51]), None, maybe).precision == 1.0


def test_coverage_and_micro_timing(bench):
    assert bench.scoring.coverage(np.array([0.5, -3.0, 1.0, 9.0]), np.array([1.0, 2.0, 1.0, np.nan])) == pytest.approx(
        2 / 3
    )
    grid = np.arange(20) * 0.25 + 1
    late = np.random.default_rng(0).normal(0, 0.007, 20)
    sound = SimpleNamespace(onset_s=grid + late, grid_s=grid)
    found = grid + 1.1 * late + 0.002
    s = bench.scoring.score_times(sound.onset_s, found)
    planted, measured, r = bench.scoring.micro_timing(sound, s, found)
    assert measured == pytest.approx(1.1 * planted)
    assert r == pytest.approx(1.0)


def test_nothing_found_is_told_without_a_number(bench):
    s = bench.scoring.score_times(np.array([1.0]), np.zeros(0))
    assert s.f50 == 0.0
    assert np.isnan(s.median_abs_ms)
    assert np.isnan(s.spread_ms)
