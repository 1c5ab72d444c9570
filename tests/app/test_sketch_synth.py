"""The sketch synth: exact onsets, no clicks, louder when struck harder."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.app.sketch_synth import PEAK, synthesize, write_wav
from takeprint.core.audio import open_audio
from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes

DRUMS = [36, 37, 38, 42, 44, 46, 41, 48, 49, 51, 39, 56, 75]


def one(pitch, channel=0, velocity=100, onset_s=0.1, duration_s=0.5):
    return Notes.build(
        onset_s=[onset_s], duration_s=[duration_s], pitch=[pitch], channel=[channel], velocity=[velocity]
    )


@pytest.mark.parametrize(("pitch", "channel"), [(k, 9) for k in DRUMS] + [(p, 0) for p in (28, 60, 72, 100)])
@pytest.mark.parametrize("rate", [22050, 48000])
def test_a_sound_starts_at_the_sample_nearest_to_its_onset_and_dies_away(pitch, channel, rate):
    y = synthesize(one(pitch, channel, onset_s=0.12345), sample_rate=rate)
    assert y.shape[1] == 2
    loud = np.abs(y).max(axis=1)
    assert np.flatnonzero(loud > 0)[0] == round(0.12345 * rate)
    # The attack is heard at once: half its peak within 15 ms.
    attack = loud[round(0.12345 * rate) :]
    assert np.flatnonzero(attack > 0.4 * loud.max())[0] < 0.015 * rate
    assert loud[-1] < 1e-3 * loud.max()
    assert 0.01 < loud.max() <= PEAK + 1e-12


@pytest.mark.parametrize("pitch", [36, 60, 84])
def test_a_note_off_makes_no_click(pitch):
    rate = 44100
    held = synthesize(one(pitch, duration_s=2.0), sample_rate=rate)[:, 0]
    short = synthesize(one(pitch, duration_s=0.4), sample_rate=rate)[:, 0]
    off = round(0.5 * rate)
    np.testing.assert_array_equal(short[: off - 1], held[: off - 1])
    around = slice(off - 50, off + 400)
    # A click would be a curvature that the undamped string does not have.
    assert np.abs(np.diff(short[around], 2)).max() < 1.1 * np.abs(np.diff(held[around], 2)).max()
    assert np.abs(short[off + rate // 4 : off + rate // 2]).max() < 0.05 * np.abs(held[off : off + rate // 2]).max()


@pytest.mark.parametrize(("pitch", "channel"), [(38, 9), (42, 9), (60, 0)])
def test_harder_is_louder_and_brighter(pitch, channel):
    def level_and_centre(velocity):
        y = synthesize(one(pitch, channel, velocity))[:, 0][4410:13230]
        spectrum = np.abs(np.fft.rfft(y)) ** 2
        centre = (spectrum * np.fft.rfftfreq(len(y), 1 / 44100)).sum() / spectrum.sum()
        return np.sqrt(np.mean(y**2)), centre

    soft, hard = level_and_centre(40), level_and_centre(120)
    assert hard[0] > 3 * soft[0]
    assert hard[1] > 1.01 * soft[1]


def test_a_string_has_the_pitch_that_is_asked():
    y = synthesize(one(69, duration_s=1.5))[:, 0]
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 1 << 19))
    low = slice(round(400 / 44100 * (1 << 19)), round(480 / 44100 * (1 << 19)))
    found = (low.start + np.argmax(spectrum[low])) * 44100 / (1 << 19)
    assert abs(1200 * np.log2(found / 440.0)) < 5  # cents: two strings a little apart


def test_a_closing_hat_ends_the_open_one():
    both = Notes.build(onset_s=[0.0, 0.25], pitch=[46, 44], channel=[9, 9], velocity=[100, 1])
    alone = synthesize(both.rows(slice(0, 1)))
    cut = synthesize(both)
    at = slice(int(0.40 * 44100), int(0.5 * 44100))
    assert np.abs(cut[at]).max() < 0.02 * np.abs(alone[at]).max()


def test_the_same_notes_give_the_same_sound_and_many_never_clip(tmp_path):
    rng = np.random.default_rng(0)
    n = 400
    notes = Notes.build(
        onset_s=np.sort(rng.uniform(0, 3, n)),
        duration_s=rng.uniform(0.05, 0.5, n),
        pitch=rng.choice(DRUMS, n),
        channel=rng.choice([0, 9], n),
        velocity=rng.integers(1, 128, n),
    )
    y = synthesize(notes)
    np.testing.assert_array_equal(y, synthesize(notes))
    assert np.abs(y).max() <= PEAK + 1e-12
    write_wav(tmp_path / "y.wav", y)
    told = open_audio(tmp_path / "y.wav")
    assert (told.frames, told.channels, told.sample_rate, told.subtype) == (len(y), 2, 44100, "PCM_16")
    assert not told.warnings


def test_unknown_values_and_no_notes():
    assert not synthesize(Notes.build(0)).any()
    y = synthesize(Notes.build(onset_s=[0.0, 0.5], instrument=["snare", ""]))
    assert np.abs(y[:2000]).max() > 0.01
    assert np.abs(y[22050:24000]).max() > 0.01
    with pytest.raises(TakeprintError, match="negative"):
        synthesize(one(60, onset_s=-0.1))
    with pytest.raises(TakeprintError, match="sample_rate"):
        synthesize(one(60), sample_rate=100)
