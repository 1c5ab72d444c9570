"""Onsets of sustained lines: planted attacks, slurs and repeated notes."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis import listening
from takeprint.analysis.listening import Sound, listen
from takeprint.analysis.onsets import OnsetDetector
from takeprint.analysis.pitch import PitchTracker
from takeprint.analysis.sustained import SustainedNotes, is_sustained, line_onsets, sustained_notes
from takeprint.analysis.swells import SwellListener
from tests.naive.level_steps import level_steps as naive_level_steps

RATE = 44_100


def line(
    pitches: list[float], how: list[str], seed: int = 0, gain: float = 0.3, rate: int = RATE
) -> tuple[np.ndarray, np.ndarray]:
    """Return a line of harmonics with vibrato, and where its notes begin: "attack" out of silence, "slur", "again"."""
    rng = np.random.default_rng(seed)
    step = 1.0 / rate
    lengths = rng.uniform(0.35, 0.8, len(pitches))
    starts, at = [], 0.4
    for i, said in enumerate(how):
        at += rng.uniform(0.25, 0.5) if said == "attack" and i else 0.0
        starts.append(at)
        at += lengths[i]
    t = np.arange(int((at + 0.5) * rate)) * step
    key, size = np.full(len(t), pitches[0]), np.zeros(len(t))
    truth = []
    for i, (start, said) in enumerate(zip(starts, how, strict=True)):
        stop = start + lengths[i]
        rise = rng.uniform(0.035, 0.06)
        if said == "slur":
            width = rng.uniform(0.04, 0.08)
            key += (pitches[i] - pitches[i - 1]) * np.clip((t - start) / width + 0.5, 0, 1)
            truth.append(start)
        else:
            key[t >= start - 0.02] = pitches[i]
            truth.append(start + 0.01 ** (1 / 1.5) * rise * 2 / np.pi)
        last = i + 1 == len(how) or how[i + 1] != "slur"
        shape = np.sin(np.pi / 2 * np.clip((t - start) / rise, 0, 1)) ** 1.5 if said != "slur" else 1.0 * (t >= start)
        fall = np.sin(np.pi / 2 * np.clip((stop - t) / 0.06, 0, 1)) if last else 1.0 * (t < stop)
        size = np.maximum(size, shape * fall)
        swell = np.clip((t - start - 0.2) / 0.1, 0, 1) * (t < stop)
        key += swell * 0.3 * np.sin(2 * np.pi * 5.5 * (t - start))
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((key - 69) / 12)) * step
    sound = sum(np.sin(k * phase) / k**1.2 for k in range(1, 12) if k * 700 < 0.4 * rate)
    noise = 10 ** (-66 / 20) * rng.normal(0, 1, len(t))
    return gain * (sound * size / 1.8 + noise), np.array(truth)


def heard(y: np.ndarray, rate: float = RATE) -> tuple[SustainedNotes, bool, np.ndarray]:
    sound = Sound.of_samples(y, rate)
    tracker, swell, struck = PitchTracker(rate), SwellListener(rate), OnsetDetector(rate, sound.peak)
    listen(sound, tracker, swell, struck)
    notes = sustained_notes(tracker.result(), *swell.result())
    sung = is_sustained(tracker.result(), notes, *swell.result())
    return notes, sung, line_onsets(struck.result(), notes, *swell.result()).onset_s


PITCHES = [60.0, 62.0, 64.0, 62.0, 62.0, 67.0, 65.0, 64.0, 60.0, 60.0, 59.0, 61.0]
HOW = ["attack", "slur", "slur", "attack", "again", "slur", "attack", "slur", "attack", "again", "slur", "attack"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_line_is_cut_into_its_notes(seed: int) -> None:
    y, truth = line(PITCHES, HOW, seed)
    notes, sung, onset_s = heard(y)
    assert sung
    error_ms = 1000 * (onset_s[np.argmin(np.abs(onset_s[None, :] - truth[:, None]), axis=1)] - truth)
    assert np.all(np.abs(error_ms) < 25), error_ms.round(1)
    assert np.median(np.abs(error_ms)) < 4
    assert len(onset_s) <= len(truth) + 1
    said = notes.how[np.argmin(np.abs(notes.onset_s[None, :] - truth[:, None]), axis=1)]
    assert np.mean((said == "slur") == (np.array(HOW) == "slur")) > 0.9


def test_the_doubt_covers_the_truth() -> None:
    inside = []
    for seed in range(4):
        y, truth = line(PITCHES, HOW, 10 + seed)
        notes, _, _ = heard(y)
        row = np.argmin(np.abs(notes.onset_s[None, :] - truth[:, None]), axis=1)
        inside += (np.abs(notes.onset_s[row] - truth) * 1000 <= notes.onset_uncertainty_ms[row]).tolist()
    assert np.mean(inside) > 0.75


def test_vibrato_is_no_note() -> None:
    t = np.arange(3 * RATE) / RATE
    key = 62 + 0.8 * np.sin(2 * np.pi * 5.5 * t)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((key - 69) / 12)) / RATE
    swell = 1 + 0.2 * np.sin(2 * np.pi * 5.5 * t + 1)
    y = 0.2 * swell * np.clip(t / 0.05, 0, 1) * np.clip((3 - t) / 0.1, 0, 1) * (np.sin(phase) + 0.5 * np.sin(2 * phase))
    notes, _, onset_s = heard(y)
    assert len(onset_s) == 1
    assert len(notes) >= 1


def test_plucked_notes_are_no_sustained_line() -> None:
    rng = np.random.default_rng(5)
    t = np.arange(int(0.5 * RATE)) / RATE
    y = np.zeros(7 * RATE)
    for i in range(12):
        hz = 440 * 2 ** ((50 + rng.integers(0, 20) - 69) / 12)
        note = sum(np.sin(2 * np.pi * k * hz * t) * np.exp(-t * (4 + 2 * k)) / k for k in range(1, 8))
        begin = int((0.3 + 0.5 * i) * RATE)
        y[begin : begin + len(t)] += 0.2 * note * np.clip(t / 0.002, 0, 1)
    assert not heard(y)[1]


def test_neither_gain_nor_chunks_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    y, _ = line(PITCHES, HOW, 3)
    notes, _, onset_s = heard(y)
    quiet, _, softer_s = heard(y * 10 ** (-30 / 20))
    assert len(quiet) == len(notes)
    assert np.allclose(softer_s, onset_s, atol=0.002)
    monkeypatch.setattr(listening, "CHUNK_S", 2.7)
    cut, _, cut_s = heard(y)
    assert np.allclose(cut_s, onset_s, atol=1e-9)
    assert np.array_equal(cut.how, notes.how)


@pytest.mark.parametrize("rate", [16_000, 96_000])
def test_other_rates(rate: int) -> None:
    y, truth = line(PITCHES[:6], HOW[:6], 4, rate=rate)
    _, _, onset_s = heard(y, rate)
    error_ms = 1000 * np.abs(onset_s[None, :] - truth[:, None]).min(axis=1)
    assert np.median(error_ms) < 5


@pytest.mark.parametrize(
    "y", [np.zeros(RATE), np.zeros(1), np.r_[np.zeros(9999), 0.9, np.zeros(9999)], np.full(RATE, 0.5)]
)
def test_nothing_is_made_of_nothing(y: np.ndarray) -> None:
    notes, sung, onset_s = heard(y)
    assert not sung
    assert len(notes) == 0
    assert len(onset_s) == 0


def test_noise_is_no_line() -> None:
    assert not heard(0.1 * np.random.default_rng(0).normal(0, 1, 3 * RATE))[1]


def test_level_steps_is_its_naive_twin() -> None:
    from takeprint.core.kernels.level_steps import level_steps

    rng = np.random.default_rng(1)
    levels = np.array([0.0, 10.0, 20.0])
    for n in (0, 1, 2, 5, 6):
        for _ in range(6):
            value = rng.uniform(-5, 25, n)
            weight = (rng.random(n) < 0.8).astype(float)
            chosen = level_steps(value, weight, levels, 12.0, 7.0)
            _, least = naive_level_steps(value, weight, levels, 12.0, 7.0)
            cost = float((weight * np.minimum(np.abs(value - levels[chosen]), 12.0)).sum()) if n else 0.0
            cost += 7.0 * np.count_nonzero(np.diff(chosen))
            assert n == 0 or abs(cost - least) < 1e-9
