"""Pitch: planted truth, odd input, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis import listening
from takeprint.analysis.pitch import PitchTracker, is_monophonic, monophonic_share, track_pitch
from takeprint.core.errors import TakeprintError


def tone(hz, rate, weights=None, rng=None):
    """Harmonics of a fundamental given for every sample."""
    turn = 2 * np.pi * np.cumsum(hz) / rate
    weights = 0.8 ** np.arange(12) / np.arange(1, 13) if weights is None else weights
    out = np.zeros(len(hz))
    for k, weight in enumerate(weights, 1):
        out += weight * np.sin(k * turn + 0.7 * k) * (k * hz < 0.45 * rate)
    return 0.2 * out


def swelled(y, rate, rise_s=0.04, fall_s=0.06):
    t = np.arange(len(y)) / rate
    return y * np.clip(t / rise_s, 0, 1) * np.clip((t[-1] - t) / fall_s, 0, 1)


def cents(track, hz_of_time):
    with np.errstate(invalid="ignore"):
        return 1200 * np.log2(track.pitch_hz / hz_of_time(track.time_s))


def room(y, rate, reverb_s, level, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(int(reverb_s * rate)) / rate
    tail = rng.normal(size=len(t)) * 10 ** (-3 * t / reverb_s)
    tail[: int(0.004 * rate)] = 0
    tail *= level / np.sqrt(np.sum(tail**2))
    n = len(y) + len(tail)
    wet = np.fft.irfft(np.fft.rfft(y, n) * np.fft.rfft(tail, n), n)[: len(y)]
    return y + wet


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("hz", [41.2, 110.0, 443.1, 1000.0, 2350.0])
def test_steady_tones_at_any_rate(rate, hz):
    y = tone(np.full(int(0.8 * rate), hz), rate)
    off = cents(track_pitch(y, rate), lambda t: hz)[20:-20]
    assert np.isfinite(off).all()
    assert np.median(np.abs(off)) < 0.7
    assert np.abs(off).max() < 3.0


@pytest.mark.parametrize("weights", [[0.1, 1.0, 0.6, 0.4, 0.2], [0, 1, 1, 1, 0.5, 0.5], [1], [0.3, 0.1, 1.0, 0.2, 0.1]])
@pytest.mark.parametrize("hz", [55.0, 147.0, 392.0])
def test_weak_and_missing_fundamentals_make_no_octave_error(weights, hz):
    y = tone(np.full(30_000, hz), 44_100, weights) + 1e-4 * np.random.default_rng(1).normal(size=30_000)
    off = cents(track_pitch(y, 44_100), lambda t: hz)[20:-20]
    assert np.nanmax(np.abs(off)) < 10


@pytest.mark.parametrize("hz", [120.0, 300.0, 900.0, 1800.0])
def test_vibrato_is_followed_where_it_is(hz):
    rate = 44_100
    t = np.arange(3 * rate) / rate

    def truth(at):
        return hz * 2 ** (50 / 1200 * np.sin(2 * np.pi * 5.5 * at))

    track = track_pitch(tone(truth(t), rate), rate)
    inner = slice(20, -20)
    off = cents(track, truth)[inner]
    assert np.median(np.abs(off)) < (0.8 if hz > 150 else 1.4)  # the window takes 2 or 3 % of 50 cents at the peaks
    swing = cents(track, lambda at: hz)[inner]
    at = 2 * np.pi * 5.5 * track.time_s[inner]
    into, across = np.linalg.lstsq(np.stack([np.sin(at), np.cos(at)], axis=1), swing, rcond=None)[0]
    assert into == pytest.approx(50, rel=0.03 if hz > 150 else 0.04)
    assert abs(across) < 0.5  # nothing lags: 0.5 cents of 50 is 0.3 ms


def test_glides_and_leaps():
    rate = 44_100
    hz = np.concatenate([np.geomspace(200, 800, rate), np.full(rate // 2, 220.0), np.full(rate // 2, 440.0)])
    track = track_pitch(tone(hz, rate), rate)
    off = cents(track, lambda t: hz[np.minimum((t * rate).astype(int), len(hz) - 1)])
    edges = np.array([0.0, 1.0, 1.5, 2.0])
    away = np.abs(track.time_s[:, None] - edges).min(axis=1) > 0.05
    assert np.abs(off[away]).max() < 5
    assert np.median(np.abs(off[away])) < 0.6


def test_what_rings_on_in_a_room_is_no_note():
    rate = 44_100
    rng = np.random.default_rng(5)
    y, sounds = [np.zeros(rate // 2)], [np.zeros(rate // 2, dtype=bool)]
    for key in (57, 64, 60, 69, 72, 55):
        length = int(rng.uniform(0.4, 0.9) * rate)
        y += [swelled(tone(np.full(length, 440 * 2 ** ((key - 69) / 12)), rate), rate), np.zeros(rate // 2)]
        sounds += [np.ones(length, dtype=bool), np.zeros(rate // 2, dtype=bool)]
    y, sounds = np.concatenate(y), np.concatenate(sounds)
    y = room(y, rate, 0.35, 0.25) + 5e-4 * rng.normal(size=len(y))
    track = track_pitch(y, rate)
    truth = sounds[np.minimum((track.time_s * rate).astype(int), len(y) - 1)]
    heard = np.isfinite(track.pitch_hz)
    assert heard[truth].mean() > 0.96  # the fades belong to the notes
    assert heard[~truth].mean() < 0.05
    assert (track.confidence[heard] >= 0.5).all()
    assert (track.confidence[~heard] < 0.5).all()


def test_a_plucked_string_sounds_on_while_it_decays():
    rate = 44_100
    t = np.arange(2 * rate) / rate
    y = tone(np.full(len(t), 196.0), rate) * np.exp(-t * 20 / 8.686)  # 20 dB a second
    track = track_pitch(y, rate)
    assert np.isfinite(track.pitch_hz[5:-10]).all()


@pytest.mark.parametrize(
    "y",
    [
        np.zeros(44_100),
        np.zeros(0),
        np.zeros(1),
        np.full(1, 0.5),
        np.full(30_000, 0.5),
        np.eye(1, 40_000, 20_000)[0],
        0.1 * np.random.default_rng(0).normal(size=60_000),
        np.cumsum(np.random.default_rng(1).normal(size=60_000)) / 1000,
    ],
    ids=["silence", "nothing", "one zero", "one sample", "offset", "click", "white noise", "brown noise"],
)
def test_no_pitch_where_there_is_none(y):
    track = track_pitch(y, 44_100)
    assert np.isfinite(track.pitch_hz).mean() < 0.02 if len(track) else True
    assert ((track.confidence >= 0) & (track.confidence <= 1)).all()


def test_clipped_offset_and_noisy_tones_keep_their_pitch():
    rate = 44_100
    y = tone(np.full(rate, 330.0), rate)
    noisy = y + 0.02 * np.random.default_rng(2).normal(size=rate)
    for heard, most in ((np.clip(4 * y, -0.3, 0.3), 0.3), (y + 0.4, 0.3), (noisy, 3.0)):
        off = cents(track_pitch(heard, rate), lambda t: 330.0)[20:-20]
        assert np.isfinite(off).all()
        assert np.median(np.abs(off)) < most


@pytest.fixture(scope="module")
def phrase():
    rate = 22_050
    rng = np.random.default_rng(9)
    parts = []
    for key in (60, 62, 55, 67, 64, 62, 71, 59):
        t = np.arange(int(rng.uniform(0.3, 0.9) * rate)) / rate
        hz = 440 * 2 ** ((key - 69 + 0.3 * np.sin(2 * np.pi * 5 * t)) / 12)
        parts += [swelled(tone(hz, rate), rate), np.zeros(rate // 5)]
    y = room(np.concatenate(parts), rate, 0.5, 0.3)
    return y + 3e-4 * rng.normal(size=len(y)), rate


def test_gain_does_not_matter(phrase):
    y, rate = phrase
    loud, soft = track_pitch(y, rate), track_pitch(y * 10**-1.5, rate)
    np.testing.assert_array_equal(np.isnan(loud.pitch_hz), np.isnan(soft.pitch_hz))
    np.testing.assert_allclose(soft.pitch_hz, loud.pitch_hz, rtol=1e-5)
    np.testing.assert_allclose(soft.confidence, loud.confidence, atol=1e-4)
    np.testing.assert_allclose(soft.level_db, loud.level_db - 30, atol=1e-3)


@pytest.mark.parametrize("chunk_s", [1.0, 2.3])
def test_chunks_do_not_matter(phrase, monkeypatch, chunk_s):
    y, rate = phrase
    whole = track_pitch(y, rate)
    monkeypatch.setattr(listening, "CHUNK_S", chunk_s)
    parts = track_pitch(y, rate)
    assert len(whole) == len(parts)
    np.testing.assert_array_equal(np.isnan(whole.pitch_hz), np.isnan(parts.pitch_hz))
    np.testing.assert_allclose(parts.pitch_hz, whole.pitch_hz, rtol=1e-5)
    np.testing.assert_allclose(parts.confidence, whole.confidence, atol=1e-4)


def test_a_line_is_told_from_chords(phrase):
    y, rate = phrase
    assert is_monophonic(track_pitch(y, rate))
    rng = np.random.default_rng(4)
    chords = []
    for root in (60, 65, 62, 67):
        keys = root + np.array([0, 4, 7, 11]) + rng.normal(0, 0.03, 4)
        chords.append(sum(tone(np.full(rate, 440 * 2 ** ((key - 69) / 12)), rate) for key in keys))
    track = track_pitch(np.concatenate(chords), rate)
    assert not is_monophonic(track)
    assert monophonic_share(track) < 0.5
    assert np.isnan(monophonic_share(track_pitch(np.zeros(0), rate)))
    assert not is_monophonic(track_pitch(np.zeros(rate), rate))


def test_refusals():
    with pytest.raises(TakeprintError, match="pitch range"):
        PitchTracker(44_100, low_hz=500, high_hz=100)
    with pytest.raises(TakeprintError, match="mono"):
        track_pitch(np.zeros((2, 100)), 44_100)
    with pytest.raises(TakeprintError, match="finite"):
        track_pitch(np.full(100, np.nan), 44_100)


@pytest.mark.shared
def test_a_real_singer_against_people(shared_data):
    soundfile = pytest.importorskip("soundfile")
    y, rate = soundfile.read(shared_data / "vocadito" / "Audio" / "vocadito_1.wav")
    truth = np.loadtxt(shared_data / "vocadito" / "Annotations" / "F0" / "vocadito_1_f0.csv", delimiter=",")
    track = track_pitch(y, rate)
    row = np.round(np.interp(truth[:, 0], track.time_s, np.arange(len(track)))).astype(int)
    sung, said = truth[:, 1] > 0, track.pitch_hz[row]
    off = 1200 * np.log2(said[sung] / truth[sung, 1])
    assert np.mean(np.abs(off) < 50) > 0.955
    assert np.nanmedian(np.abs(off)) < 3
    assert np.isfinite(said[~sung]).mean() < 0.06
    assert is_monophonic(track)
