"""The warp between two performances."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from takeprint.analysis.listening import Chunk, Sound, listen
from takeprint.analysis.warp import align_features
from takeprint.analysis.warp_features import HOP_S, WarpListener, written_features
from takeprint.core.errors import TakeprintError
from takeprint.core.kernels.chain_path import chain_path
from takeprint.core.kernels.tube_path import tube_path
from takeprint.core.notes import Notes
from tests.naive.chain_path import chain_path as naive_chain_path
from tests.naive.tube_path import tube_path as naive_tube_path

RATE = 8_000


def piece(seed, seconds=30.0):
    """Return a made-up piece: onsets (s), pitches; chords of one to three notes of a scale."""
    rng = np.random.default_rng(seed)
    onset, pitch, now = [], [], 0.5
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    while now < seconds - 1.5:
        for _ in range(int(rng.integers(1, 4))):
            onset.append(now)
            pitch.append(int(48 + 12 * rng.integers(0, 3) + rng.choice(scale)))
        now += rng.choice([0.2, 0.25, 0.4, 0.5, 0.8])
    return np.array(onset), np.array(pitch)


def sounding(onset_s, pitch, rate=RATE, seconds=None, cents=0.0):
    """Return the samples of notes: three harmonics that die away."""
    out = np.zeros(int((seconds or onset_s.max() + 2.0) * rate))
    t = np.arange(int(0.8 * rate)) / rate
    for when, key in zip(onset_s, pitch, strict=True):
        f0 = 440 * 2 ** ((key - 69 + cents / 100) / 12)
        note = sum(np.sin(2 * np.pi * h * f0 * t) / h**1.5 for h in range(1, 4)) * np.exp(-t / 0.25)
        place = round(when * rate)
        out[place : place + len(note)] += 0.1 * note[: len(out) - place]
    return out


def heard(y, rate=RATE):
    listener = WarpListener(rate)
    listen(Sound.of_samples(y, rate), listener)
    return listener.result()


def off_ms(warp, reference_s, time_s):
    return 1000 * np.abs(warp.take_at(reference_s) - time_s)


# --- kernels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_chain_path_is_the_best_of_all_chains(seed):
    rng = np.random.default_rng(seed)
    gain = rng.normal(-0.3, 1.0, rng.integers(1, 14, 2)).astype(np.float32)
    path, total = chain_path(gain, 1.5, 0.2)
    naive, naive_total = naive_chain_path(gain, 1.5, 0.2)
    np.testing.assert_array_equal(path, naive)
    assert total == pytest.approx(naive_total, abs=1e-4)


@pytest.mark.parametrize("seed", range(12))
def test_tube_path_is_the_best_in_the_tube(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 14, 2)
    a, b = rng.normal(size=(n, 4)).astype(np.float32), rng.normal(size=(4, m)).astype(np.float32)
    a_own, b_own = rng.normal(size=n).astype(np.float32), rng.normal(size=m).astype(np.float32)
    low = np.sort(rng.integers(0, m, n))
    width = np.maximum.accumulate(np.minimum(low + rng.integers(1, 5, n), m)) - low
    path, total = tube_path(a, b, a_own, b_own, low, width, 0.2, 0.1)
    naive, naive_total = naive_tube_path(a, b, a_own, b_own, low, width, 0.2, 0.1)
    np.testing.assert_array_equal(path, naive)
    assert total == pytest.approx(naive_total, abs=1e-3)


# --- features -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100])
def test_features_do_not_depend_on_the_chunks(rate):
    rng = np.random.default_rng(1)
    y = sounding(*piece(1, 8.0), rate=rate) + 0.001 * rng.normal(size=len(sounding(*piece(1, 8.0), rate=rate)))
    whole, pieces = WarpListener(rate), WarpListener(rate)
    whole.feed(Chunk(y, 0, 0, len(y), rate, True))
    cuts = [0, int(2.1234 * rate), int(3.3 * rate), int(3.31 * rate), len(y)]
    for begin, end in pairwise(cuts):
        first, last = max(begin - 2 * rate, 0), min(end + 2 * rate, len(y))
        pieces.feed(Chunk(y[first:last], first, begin, end, rate, end == len(y)))
    one, other = whole.result(), pieces.result()
    assert len(one) == len(other) == pytest.approx(len(y) / rate / HOP_S, abs=1)
    for name in ("chroma", "onset", "level_db"):
        np.testing.assert_allclose(
            getattr(one, name).astype(float), getattr(other, name).astype(float), atol=0.001, rtol=0.001
        )


def test_the_level_of_a_recording_does_not_matter():
    y = sounding(*piece(2, 8.0))
    loud, soft = heard(y), heard(0.01 * y)
    np.testing.assert_allclose(loud.chroma.astype(float), soft.chroma.astype(float), atol=0.05)
    sounding_now = loud.level_db > -60
    np.testing.assert_allclose((loud.level_db - soft.level_db)[sounding_now], 40.0, atol=0.1)


# --- alignment ------------------------------------------------------------------------------------------------------


def wandering(onset_s):
    """Return another player's times: up to a fifth slower or faster, and a held note."""
    return 1.1 * onset_s + 0.8 * np.sin(onset_s / 4.0) + 1.2 * (onset_s > 17.0)


def test_another_tempo_is_followed():
    onset, pitch = piece(3)
    played = wandering(onset)
    warp = align_features(heard(sounding(played, pitch)), heard(sounding(onset, pitch)))
    off = off_ms(warp, onset, played)
    assert np.median(off) < 20
    assert np.percentile(off, 95) < 60
    assert len(set(warp.part)) == 1
    assert (np.diff(warp.reference_s) > 0).all()
    assert (np.diff(warp.time_s) > 0).all()
    np.testing.assert_allclose(warp.reference_at(warp.take_at(onset)), onset, atol=1e-6)


def test_written_notes_are_found_in_a_recording():
    onset, pitch = piece(4)
    played = wandering(onset)
    notes = Notes.build(onset_s=onset, duration_s=np.full(len(onset), 0.4), pitch=pitch.astype(float))
    warp = align_features(heard(sounding(played, pitch)), written_features(notes))
    off = off_ms(warp, onset, played)
    assert np.median(off) < 25
    assert np.percentile(off, 95) < 80


@pytest.mark.parametrize("cents", [-100.0, 35.0, 500.0])
def test_another_key_or_tuning_is_told(cents):
    onset, pitch = piece(5)
    warp = align_features(heard(sounding(onset, pitch, cents=cents)), heard(sounding(onset, pitch)))
    assert warp.transposition_cents == pytest.approx(cents, abs=12)
    assert np.percentile(off_ms(warp, onset, onset), 95) < 40


def test_identical_recordings_map_exactly():
    y = sounding(*piece(6))
    warp = align_features(heard(y), heard(y.copy()))
    at = np.linspace(0, len(y) / RATE, 1001)
    np.testing.assert_array_equal(warp.take_at(at), at)


def test_what_only_one_has_is_left_out():
    rng = np.random.default_rng(7)
    onset, pitch = piece(7, 60.0)
    intro, intro_pitch = piece(70, 12.0)
    cut = (onset > 25.0) & (onset < 37.0)
    played = np.where(onset > 37.0, onset - 12.0, onset) + 12.0
    y = sounding(
        np.concatenate([intro, played[~cut]]), np.concatenate([intro_pitch, pitch[~cut]]), seconds=72.0
    ) + 0.01 * rng.normal(size=72 * RATE)
    warp = align_features(heard(y), heard(sounding(onset, pitch)))
    off = off_ms(warp, onset, played)
    assert np.mean(off[~cut] < 60) > 0.93
    assert np.isnan(off[cut]).mean() > 0.8
    assert len(set(warp.part)) == 2
    assert np.isnan(warp.reference_at([3.0, 6.0])).all()


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [8, 9, 10])
def test_other_music_is_refused_with_figures(seed):
    with pytest.raises(TakeprintError, match="times what they give backwards"):
        align_features(heard(sounding(*piece(seed))), heard(sounding(*piece(seed + 100))))


def test_noise_and_silence_are_refused():
    music = heard(sounding(*piece(11)))
    with pytest.raises(TakeprintError, match="do not match"):
        align_features(heard(0.1 * np.random.default_rng(0).normal(size=30 * RATE)), music)
    with pytest.raises(TakeprintError, match="the take holds no sound"):
        align_features(heard(np.zeros(10 * RATE)), music)
