"""Intonation: planted tuning, centres, drifts and vibratos, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis.intonation import Intonation, Tuning, measure_intonation, take_tuning
from takeprint.analysis.pitch import PitchTrack, track_pitch
from takeprint.core.errors import TakeprintError

RATE = 44_100
HOP = 0.005


def track_of(midi, time=None, confidence=1.0):
    """A pitch track as if it had been measured."""
    midi = np.asarray(midi, dtype=np.float64)
    time = np.arange(len(midi)) * HOP if time is None else time
    return PitchTrack.build(
        time_s=time,
        pitch_hz=440 * 2 ** ((midi - 69) / 12),
        confidence=np.full(len(midi), confidence),
        level_db=np.full(len(midi), -20.0),
    )


def course(rng, length_s, drift=0.0, rate=np.nan, extent=0.0, delay=0.0, scoop=0.0, wander=0.0):
    """Cents about a note's centre, every 5 ms."""
    t = np.arange(round(length_s / HOP)) * HOP
    out = drift * (t / length_s - 0.5)
    if np.isfinite(rate):
        swell = np.clip((t - delay) / 0.08 + 0.5, 0, 1)
        out += extent * swell * np.sin(2 * np.pi * rate * (t - delay))
    walk = np.cumsum(rng.normal(size=len(t))) * np.sqrt(HOP) * wander
    walk -= np.polyval(np.polyfit(t, walk, 1), t)
    return out - scoop * np.exp(-t / 0.03) + walk


def test_planted_notes_from_sound_to_table():
    rng = np.random.default_rng(2)
    y, rows, at = [np.zeros(RATE // 4)], [], 0.25
    for i in range(14):
        key, off, drift = int(rng.integers(55, 80)), rng.normal(0, 8), rng.uniform(-15, 15)
        length = rng.uniform(0.7, 1.4)
        vibrato = (rng.uniform(4.6, 7), rng.uniform(12, 60), rng.uniform(0, 0.25)) if i % 3 else (np.nan, 0.0, 0.0)
        cents = course(rng, length, drift, *vibrato, scoop=80.0 * (i % 2))
        samples = np.arange(int(length * RATE))
        midi = key + (off - 23 + np.interp(samples / RATE, np.arange(len(cents)) * HOP, cents)) / 100
        turn = 2 * np.pi * np.cumsum(440 * 2 ** ((midi - 69) / 12)) / RATE
        tone = sum(np.sin(k * turn + k) / k**1.5 for k in range(1, 9))
        fade = np.clip(samples / RATE / 0.04, 0, 1) * np.clip((samples[-1] - samples) / RATE / 0.05, 0, 1)
        y += [0.2 * tone * fade, np.zeros(RATE // 8)]
        rows.append((at, length, key, off, drift, *vibrato))
        at += (len(samples) + RATE // 8) / RATE
    y = np.concatenate(y) + 3e-4 * rng.normal(size=sum(map(len, y)))
    onset, length, key, off, drift, rate, extent, delay = np.array(rows).T
    notes = measure_intonation(track_pitch(y, RATE), onset, length)
    error = 100 * (notes.pitch - key) - off + 23
    assert np.median(np.abs(error)) < 0.8
    assert np.abs(error).max() < 4
    assert np.median(np.abs(notes.drift_cents - drift)) < 2.5
    swings = np.isfinite(rate)
    np.testing.assert_array_equal(np.isfinite(notes.vibrato_rate_hz), swings)
    assert np.median(np.abs(notes.vibrato_rate_hz / rate - 1)[swings]) < 0.01
    assert np.abs(notes.vibrato_rate_hz / rate - 1)[swings].max() < 0.02
    assert np.median(np.abs(notes.vibrato_extent_cents / extent - 1)[swings]) < 0.02
    assert np.median(np.abs(notes.vibrato_delay_s - delay)[swings]) < 0.07  # a third of a cycle
    tuning = take_tuning(notes)
    assert abs(tuning.tuning_cents - (-23 + off.mean())) < 2.5
    assert tuning.tuning_hz == pytest.approx(440 * 2 ** (tuning.tuning_cents / 1200))
    np.testing.assert_allclose(notes.intonation_cents, 100 * (notes.pitch - key) - tuning.tuning_cents, atol=1e-9)


def test_centres_are_covered_by_their_doubt():
    rng = np.random.default_rng(12)
    inside = []
    for i in range(120):
        length = rng.uniform(0.3, 1.2)
        vibrato = (rng.uniform(4.5, 7), rng.uniform(10, 60), rng.uniform(0, 0.2)) if i % 2 else (np.nan, 0, 0)
        cents = course(rng, length, rng.uniform(-15, 15), *vibrato, scoop=60.0 * (i % 3 == 0), wander=4.0)
        note = measure_intonation(track_of(60 + cents / 100), [0.0], [length])
        inside.append(abs(100 * (note.pitch[0] - 60)) <= note.intonation_uncertainty_cents[0])
    assert 0.8 <= np.mean(inside) <= 0.99


def test_a_wandering_pitch_is_no_vibrato():
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(150):
        length = rng.uniform(0.3, 2.0)
        note = measure_intonation(track_of(60 + course(rng, length, wander=25.0) / 100), [0.0], [length])
        found += np.isfinite(note.vibrato_rate_hz[0])
    assert found <= 7  # one in a hundred, looked for in two ways


@pytest.mark.parametrize("shift", [-49.0, -20.0, 0.0, 31.0, 50.0])
def test_tuning_is_circular_and_robust(shift):
    rng = np.random.default_rng(7)
    keys = rng.integers(50, 80, 30)
    off = rng.normal(0, 6, 30)
    off[:3] = 45  # three that are far out
    notes = Intonation.build(
        pitch=keys + (shift + off) / 100,
        duration_s=rng.uniform(0.2, 1, 30),
        onset_s=np.arange(30.0),
        intonation_uncertainty_cents=np.ones(30),
    )
    tuning = take_tuning(notes)
    error = (tuning.tuning_cents - shift + 50) % 100 - 50
    assert abs(error) < 4
    assert 1 < tuning.tuning_uncertainty_cents < 8
    assert abs(error) < 1.5 * tuning.tuning_uncertainty_cents


def test_written_pitches_and_a_given_tuning():
    track = track_of(np.concatenate([np.full(100, 60.3), np.full(100, 61.2)]))
    onset, length = np.array([0.0, 0.5]), np.array([0.5, 0.5])
    notes = measure_intonation(track, onset, length, written=np.array([60, np.nan]), tuning=Tuning(442.0, 7.85, 1.0))
    assert notes.intonation_cents[0] == pytest.approx(30 - 7.85, abs=0.2)
    assert np.isnan(notes.intonation_cents[1])
    assert notes.pitch[1] == pytest.approx(61.2, abs=0.002)


def test_slurred_neighbours_do_not_bend_each_other():
    glide = 2 * (0.5 - 0.5 * np.cos(np.pi * np.clip((np.arange(200) - 93) / 14, 0, 1)))
    track = track_of(60 + glide)
    notes = measure_intonation(track, np.array([0.0, 0.5]), np.array([0.5, 0.5]))
    np.testing.assert_allclose(notes.pitch, [60, 62], atol=0.01)
    np.testing.assert_allclose(notes.drift_cents, [0, 0], atol=2)


def test_nothing_is_known_of_what_is_not_heard():
    silent = track_of(np.full(100, np.nan), confidence=0.0)
    notes = measure_intonation(silent, np.array([0.0, 5.0, np.nan, 0.2]), np.array([0.5, 1.0, 1.0, 0.0]))
    assert len(notes) == 4
    for name in ("pitch", "intonation_cents", "drift_cents", "vibrato_rate_hz", "vibrato_extent_cents"):
        assert np.isnan(getattr(notes, name)).all()
    tuning = take_tuning(notes)
    assert tuning.tuning_hz == 440.0
    assert np.isinf(tuning.tuning_uncertainty_cents)
    assert len(measure_intonation(PitchTrack.build(), np.zeros(0), np.zeros(0))) == 0
    short = measure_intonation(track_of(np.full(7, 60.1)), np.array([0.0]), np.array([0.035]))
    assert short.pitch[0] == pytest.approx(60.1, abs=0.01)
    with pytest.raises(TakeprintError, match="onsets"):
        measure_intonation(silent, np.zeros(2), np.zeros(3))


def test_two_notes_taken_for_one_have_no_centre():
    rng = np.random.default_rng(3)
    heights = np.concatenate([np.full(40, 60.0), np.full(40, 62.0)]) + rng.normal(0, 0.03, 80)
    notes = measure_intonation(track_of(heights), np.array([0.0]), np.array([0.4]))
    for name in ("pitch", "intonation_cents", "intonation_uncertainty_cents", "drift_cents"):
        assert np.isnan(getattr(notes, name)).all()
    assert np.isinf(take_tuning(notes).tuning_uncertainty_cents)
