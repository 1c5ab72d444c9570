"""Attacks arrive where they are sent, sample by sample."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from takeprint.analysis.onsets import detect_onsets
from takeprint.core.audio import open_audio, write_audio
from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.files import sha256_of
from takeprint.core.kernels.splice_path import splice_path
from takeprint.core.take import load_take
from takeprint.humanize.disclosure import read_disclosure
from takeprint.humanize.render_audio import AFTER_S, BEFORE_S, render_audio
from takeprint.humanize.splicing import bridge, crossfade

from ..naive.splice_path import splice_path as naive_splice_path


def struck(rate, onsets_s, kind="drum", seed=0, level=0.3):
    """Return [frames, 2]: noise bursts, or plucked strings, beginning exactly at the sample of each onset."""
    rng = np.random.default_rng(seed)
    at = np.round(np.asarray(onsets_s) * rate).astype(int)
    out = np.zeros((int((max(onsets_s, default=0) + 1.0) * rate), 2))
    for k, i in enumerate(at):
        n = min(int(0.4 * rate), len(out) - i)
        t = np.arange(n) / rate
        if kind == "drum":
            sound = rng.normal(size=n) * np.exp(-t / 0.05)
        else:
            hz = 110.0 * 2 ** ((k * 7 % 24) / 12)
            partials = np.arange(1, 9)
            sound = (np.sin(2 * np.pi * hz * np.outer(t, partials)) / partials).sum(axis=1) * np.exp(-t / 0.25)
        out[i : i + n] += level * sound[:, None] * (1.0, 0.6)
    return out


def planted(onsets_s, dev_s, gain_db=None):
    onsets_s = np.asarray(onsets_s, float)
    rows = DeviationNotes.build(
        label=["match"] * len(onsets_s),
        reference_onset_s=onsets_s,
        onset_s=onsets_s + dev_s,
        timing_ms=1000.0 * np.asarray(dev_s),
        dynamics_db=np.zeros(len(onsets_s)) if gain_db is None else gain_db,
    )
    return Deviations(notes=rows, reference={"kind": "none"})


def onsets_of(n=60, seed=1):
    return 0.3 + np.cumsum(np.random.default_rng(seed).choice([0.125, 0.25, 0.25, 0.5], n))


@pytest.mark.parametrize("kind", ["drum", "string"])
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_every_attack_is_found_at_its_sample_by_cross_correlation(kind, rate):
    onsets = onsets_of(24 if rate > 50_000 else 60)
    y = struck(rate, onsets, kind)
    dev = 0.010 * np.random.default_rng(2).normal(size=len(onsets))
    out = render_audio((y.T, rate), planted(onsets, dev)).samples
    assert out.shape == y.shape
    before, after = int(0.002 * rate), int(0.03 * rate)
    reach = int(0.004 * rate)
    for a, b in zip(onsets, onsets + dev, strict=True):
        attack = y[round(a * rate) - before : round(a * rate) + after, 0]
        goal = round(b * rate)
        window = out[goal - before - reach : goal + after + reach, 0]
        # normalised, since the window holds louder neighbours
        energy = np.sqrt(np.convolve(window**2, np.ones(len(attack)), "valid"))
        found = int(np.argmax(np.correlate(window, attack, "valid") / (energy + 1e-12))) - reach
        assert abs(goal + found - b * rate) <= 1.0


def test_attacks_are_the_input_s_own_samples_and_applied_says_where():
    rate, onsets = 44100, onsets_of()
    y = struck(rate, onsets, "string")
    dev = 0.010 * np.random.default_rng(3).normal(size=len(onsets))
    made = render_audio((y.T, rate), planted(onsets, dev))
    out, applied = made.samples, made.applied.notes
    np.testing.assert_array_less(np.abs(applied.onset_s - onsets - dev) * rate, 0.51)
    np.testing.assert_allclose(applied.timing_ms, 1000 * (applied.onset_s - onsets), atol=1e-9)
    for a, b in zip(onsets, applied.onset_s, strict=True):
        source = round(a * rate)
        goal = source + round((b - a) * rate)
        np.testing.assert_array_equal(out[goal - 100 : goal + 1500], y[source - 100 : source + 1500])


def test_the_detector_finds_the_attacks_again_within_a_millisecond():
    rate, onsets = 44100, onsets_of()
    y = struck(rate, onsets)
    dev = 0.010 * np.random.default_rng(4).normal(size=len(onsets))
    out = render_audio((y.T, rate), planted(onsets, dev)).samples
    times = np.asarray(detect_onsets(out.mean(axis=1), rate).onset_s)
    error = np.array([np.abs(times - t).min() for t in onsets + dev])
    assert np.median(error) < 0.001
    assert np.mean(error < 0.005) > 0.95


def test_no_joint_makes_a_click_in_a_steady_tone():
    rate = 44100
    t = np.arange(4 * rate) / rate
    y = 0.5 * np.sin(2 * np.pi * 220.5 * t) + 0.2 * np.sin(2 * np.pi * 441.7 * t)
    onsets = np.arange(0.5, 3.6, 0.25)
    dev = 0.010 * np.random.default_rng(5).normal(size=len(onsets))
    out = render_audio((y, rate), planted(onsets, dev)).samples[:, 0]
    # A click is a curvature that the tone itself never has; a dip is a lost level.
    assert np.abs(np.diff(out, 2)).max() < 1.3 * np.abs(np.diff(y, 2)).max()
    level = np.sqrt(np.convolve(out**2, np.ones(882) / 882, "valid"))
    usual = np.sqrt(np.convolve(y**2, np.ones(882) / 882, "valid"))
    assert 20 * np.log10(level.min() / usual.min()) > -3.0
    assert 20 * np.log10(level.max() / usual.max()) < 1.5


def test_noise_keeps_its_level_through_joints():
    rate = 44100
    y = 0.1 * np.random.default_rng(6).normal(size=4 * rate)
    onsets = np.arange(0.5, 3.6, 0.25)
    dev = 0.010 * np.random.default_rng(7).normal(size=len(onsets))
    out = render_audio((y, rate), planted(onsets, dev)).samples[:, 0]
    level = 10 * np.log10(np.convolve(out**2, np.ones(441) / 441, "valid"))
    usual = 10 * np.log10(np.convolve(y**2, np.ones(441) / 441, "valid"))
    assert level.min() > usual.min() - 1.5
    assert level.max() < usual.max() + 1.5


def test_all_channels_are_cut_at_the_same_frames():
    rate, onsets = 44100, onsets_of(20)
    y = struck(rate, onsets)
    y[:, 1] = -0.5 * y[:, 0]
    dev = 0.010 * np.random.default_rng(8).normal(size=20)
    out = render_audio((y.T, rate), planted(onsets, dev)).samples
    np.testing.assert_allclose(out[:, 1], -0.5 * out[:, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("format", "subtype", "rate"),
    [("WAV", "PCM_16", 44100), ("WAV", "FLOAT", 48000), ("WAV", "PCM_24", 96000), ("AIFF", "PCM_16", 8000),
     ("FLAC", "PCM_24", 44100), ("WAV", "DOUBLE", 192000), ("WAV", "PCM_U8", 22050), ("OGG", "VORBIS", 44100)],
)  # fmt: skip
def test_the_output_has_the_input_s_form_and_exact_attacks(tmp_path, format, subtype, rate):
    onsets = onsets_of(8)
    source = tmp_path / "in"
    write_audio(source, struck(rate, onsets), sample_rate=rate, format=format, subtype=subtype)
    dev = 0.010 * np.random.default_rng(9).normal(size=8)
    render_audio(source, planted(onsets, dev)).save(tmp_path / "out")
    old, new = open_audio(source), open_audio(tmp_path / "out")
    told = ("format", "subtype", "sample_rate", "channels", "frames")
    assert [getattr(old, k) for k in told] == [getattr(new, k) for k in told]
    if subtype == "VORBIS":
        return
    a, b = old.read(), new.read()
    for s, d in zip(onsets, dev, strict=True):
        i = round(s * rate)
        j = i + round(d * rate)
        n = int(0.03 * rate)
        np.testing.assert_array_equal(b[j : j + n], a[i : i + n])


def test_amount_0_is_the_input(tmp_path):
    onsets = onsets_of(8)
    source = tmp_path / "in.wav"
    write_audio(source, struck(44100, onsets), sample_rate=44100)
    made = render_audio(source, planted(onsets, np.zeros(8)))
    made.save(tmp_path / "out.wav")
    assert made.report["identical"]
    assert (tmp_path / "out.wav").read_bytes() == source.read_bytes()
    np.testing.assert_array_equal(made.samples, open_audio(source).read())


def test_the_file_says_that_it_was_humanized(tmp_path):
    source = tmp_path / "in.wav"
    write_audio(source, struck(8000, [0.3]), sample_rate=8000)
    render_audio(source, planted([0.3], [0.01]), disclosure={"seed": 7}).save(tmp_path / "out.wav")
    told = read_disclosure(tmp_path / "out.wav")
    assert told["seed"] == "7"
    assert told["source-sha256"] == sha256_of(source)
    assert read_disclosure(source) is None
    render_audio(source, planted([0.3], [0.01]), disclosure=False).save(tmp_path / "silent.wav")
    assert read_disclosure(tmp_path / "silent.wav") is None


def test_a_change_of_velocity_is_a_gain_by_the_square_law():
    rows = planted([0.3, 0.6], [0.0, 0.0]).notes.replace(dynamics_db=[np.nan] * 2)
    y = struck(8000, [0.3, 0.6], level=0.01)
    rows = rows.replace(reference_velocity=[80.0, np.nan], velocity=[40.0, np.nan], dynamics_velocity=[0.0, 16.0])
    applied = render_audio((y.T, 8000), Deviations(notes=rows)).applied.notes.dynamics_db
    np.testing.assert_allclose(applied, [40 * np.log10(0.5), 40 * np.log10(1.2)])


def test_an_input_is_never_an_output(tmp_path):
    source = tmp_path / "in.wav"
    write_audio(source, struck(8000, [0.3]), sample_rate=8000)
    for dev in ([0.0], [0.01]):
        with pytest.raises(TakeprintError, match="input"):
            render_audio(source, planted([0.3], dev)).save(source, force=True)


def test_gain_is_reached_at_the_attack_without_clipping():
    rate, onsets = 44100, np.arange(0.5, 4.0, 0.5)
    y = struck(rate, onsets, "string", level=0.05)
    gain = np.array([6.0, -6.0, 3.0, 0.0, 12.0, -12.0, 40.0])
    made = render_audio((y.T, rate), planted(onsets, np.zeros(7), gain))
    out = made.samples
    applied = made.applied.notes.dynamics_db
    np.testing.assert_allclose(applied[:6], gain[:6])
    assert applied[6] < 40.0
    assert any("clipped" in w for w in made.warnings)
    assert np.abs(out).max() <= 1.0
    for s, g in zip(onsets, applied, strict=True):
        i = round(s * rate)
        np.testing.assert_allclose(out[i : i + 4000], y[i : i + 4000] * 10 ** (g / 20), atol=1e-12)


def test_attacks_never_cross_and_the_limit_is_told():
    rate, onsets = 44100, np.array([0.5, 0.6, 0.7])
    y = struck(rate, onsets)
    made = render_audio((y.T, rate), planted(onsets, [0.15, 0.0, -0.15]))
    assert (np.diff(made.applied.notes.onset_s) > 0.03).all()
    assert made.report["limited"] == 2  # the middle one is where it should be
    assert any("less than asked" in w for w in made.warnings)


def test_sounds_that_begin_together_move_together():
    rate = 44100
    y = struck(rate, [0.5, 1.0])
    made = render_audio((y.T, rate), planted([0.5, 0.501, 1.0], [0.010, 0.020, 0.0]))
    np.testing.assert_allclose(made.applied.notes.onset_s - [0.5, 0.501, 1.0], [0.015, 0.015, 0.0], atol=1e-4)
    assert any("share" in w for w in made.warnings)


@pytest.mark.parametrize("shift_s", [0.02, -0.02])
@pytest.mark.parametrize("onset_s", [0.0, 0.005, 0.3, 0.98])
def test_one_attack_anywhere(onset_s, shift_s):
    rate = 8000
    y = np.zeros(rate)
    y[round(onset_s * rate)] = 0.7
    made = render_audio((y, rate), planted([onset_s], [shift_s]))
    out = made.samples[:, 0]
    at = round(made.applied.notes.onset_s[0] * rate)
    assert np.abs(out).max() == 0.7
    assert np.argmax(np.abs(out)) == at
    assert len(out) >= rate
    if onset_s + shift_s >= 0:
        assert at == round((onset_s + shift_s) * rate)


def test_a_last_attack_past_the_end_makes_it_longer():
    y = struck(8000, [0.3, 0.9])
    y = y[:7600]
    made = render_audio((y.T, 8000), planted([0.3, 0.9], [0.0, 0.2]))
    assert made.frames == len(made.samples) == 7600 + 1600


def test_silence_and_no_attacks():
    y = np.zeros((2, 4000))
    assert not render_audio((y, 8000), planted([0.1, 0.3], [0.01, -0.01])).samples.any()
    made = render_audio((y + 0.1, 8000), planted([], []))
    assert made.report["identical"]
    with pytest.raises(TakeprintError, match="inside the recording"):
        render_audio((y, 8000), planted([7.0], [0.0]))


def test_missed_and_added_notes_are_told_not_hidden():
    rows = planted([0.2, 0.4], [0.01, 0.02]).notes
    rows = rows.replace(label=["match", "deletion"])
    made = render_audio((np.full(8000, 0.01), 8000), Deviations(notes=rows))
    assert made.applied.notes.label.tolist() == ["match", "match"]
    assert any("not rendered" in w for w in made.warnings)


def test_a_tempo_change_is_followed():
    rate = 8000
    onsets = np.arange(0.5, 20.0, 0.5)
    y = struck(rate, onsets)
    goal = onsets * 1.1
    made = render_audio((y.T, rate), planted(onsets, goal - onsets))
    assert made.frames == len(made.samples)
    np.testing.assert_allclose(made.applied.notes.onset_s, goal, atol=0.51 / rate)
    assert made.frames >= round(goal[-1] * rate) + 0.9 * (len(y) - round(onsets[-1] * rate))


def test_memory_does_not_grow_with_the_length(tmp_path):
    # Ten minutes here; what is held is bound by the longest piece.
    rate = 8000
    onsets = np.arange(1.0, 590.0, 5.0)
    source = tmp_path / "long.wav"
    block = 0.1 * np.random.default_rng(10).normal(size=(rate, 1))
    write_audio(source, (block for _ in range(600)), sample_rate=rate)
    dev = 0.010 * np.random.default_rng(11).normal(size=len(onsets))
    made = render_audio(source, planted(onsets, dev))
    tracemalloc.start()
    frames = sum(len(b) for b in made.blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == 600 * rate
    assert peak < 12_000_000  # the whole is 38 MB in float64


def test_splice_path_agrees_with_every_chain_tried():
    rng = np.random.default_rng(12)
    for case in range(20):
        samples = np.round(rng.normal(size=(80, 1 + case % 2)), 1)
        if case % 5 == 0:
            samples[:] = 0.0  # every chain costs the same
        k = 1 + case % 4
        centre = np.sort(rng.integers(10, 60, k))
        weight = rng.uniform(size=4)
        offset = rng.integers(-12, 12, (k + 1, 3))
        count = rng.integers(1, 4, k + 1)
        args = (samples, centre, weight, 2, offset, count, 5, 70, 3.0)
        path, cost = splice_path(*args)
        _, least = naive_splice_path(*args)
        np.testing.assert_allclose(cost, least, atol=1e-9)
        assert all(o in offset[j, : count[j]] for j, o in enumerate(path))
        alone = (samples, centre, weight, 2, path[:, None], np.ones(k + 1, np.int64), 5, 70, 3.0)
        np.testing.assert_allclose(naive_splice_path(*alone)[1], least, atol=1e-9)


def test_bridge_has_the_wanted_length_and_its_own_ends():
    rng = np.random.default_rng(13)
    for length, wanted in itertools.product([1, 7, 300, 3000, 30000], [1, 9, 310, 2800, 31000]):
        gap = rng.normal(size=(length, 2))
        around = rng.normal(size=(200, 2))
        made = bridge(around, gap, around, wanted, 44100)
        assert made.shape == (wanted, 2)
        assert np.isfinite(made).all()
        if min(length, wanted) > 2000:
            # A fade may begin here, but nothing jumps.
            np.testing.assert_allclose(made[:3], gap[:3], atol=1e-3)
            np.testing.assert_allclose(made[-3:], gap[-3:], atol=1e-3)


def test_a_fade_between_equal_sounds_changes_nothing():
    x = np.random.default_rng(14).normal(size=(100, 2))
    np.testing.assert_allclose(crossfade(x, x), x, atol=1e-12)
    assert BEFORE_S < AFTER_S


def test_protected_attacks_stay_whatever_moves_around_them():
    rate = 8000
    y = np.zeros(rate * 6)
    at = (np.arange(11) * 0.5 + 0.25) * rate
    y[at.astype(int)] = 0.5
    rng = np.random.default_rng(2)
    onset_s = at / rate + rng.normal(0, 0.25, 11)
    take = load_take((y, rate))
    rows = DeviationNotes.build(
        label=["match"] * 11,
        reference_index=np.arange(11),
        reference_onset_s=at / rate,
        onset_s=onset_s,
        instrument=["kick", "snare"] * 5 + ["kick"],
        dynamics_db=np.full(11, 2.0),
    )
    protected = [0, 4, 5, 10]
    reference = {"kind": "score", "sha256": take.sha256, "protected": protected}
    made = render_audio(take, Deviations(notes=rows, reference=reference))
    for k in protected:
        assert made.samples[int(at[k]), 0] == 0.5
    free = render_audio(take, Deviations(notes=rows, reference={**reference, "protected": []}))
    assert any(free.samples[int(at[k]), 0] != 0.5 for k in protected)
    others = np.setdiff1d(np.arange(11), protected)
    moved_s = np.array([made.applied.notes.onset_s[k] - at[k] / rate for k in others])
    assert (np.abs(moved_s) > 0.01).sum() >= 5
    assert (np.diff(made.applied.notes.onset_s) > 0).all()
    drums = {row["drum"]: row for row in made.report["drums"]}
    assert set(drums) == {"kick", "snare"}
    assert drums["kick"]["timing"]["n_changed"] + drums["snare"]["timing"]["n_changed"] == made.report["moved"]
    assert made.report["timing"]["max_ms"] == pytest.approx(made.report["largest_shift_ms"])
    assert made.report["dynamics"]["mean_db"] == pytest.approx(2.0)
