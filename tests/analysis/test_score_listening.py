"""Notes listened for with a score: planted onsets of tones in chords, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis import listening
from takeprint.analysis.listening import Sound, listen
from takeprint.analysis.onsets import OnsetDetector, Onsets
from takeprint.analysis.score_chain import moment_offsets
from takeprint.analysis.score_habits import Habit
from takeprint.analysis.score_listening import ScoreOnsets, listen_for, unexplained
from takeprint.analysis.warp import Warp
from takeprint.core.notes import Notes
from tests.analysis.test_onsets import hit
from tests.naive.partial_cells import partial_cells as naive_partial_cells
from tests.naive.partial_company import partial_company as naive_partial_company
from tests.naive.partial_moments import partial_moments as naive_partial_moments
from tests.naive.partial_tuning import partial_tuning as naive_partial_tuning

RATE = 44_100


def tone(key: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a struck string: partials that fade, and a knock."""
    t = np.arange(int(seconds * RATE)) / RATE
    hz = 440.0 * 2.0 ** ((key - 69) / 12)
    sound = sum(
        np.sin(2 * np.pi * k * hz * t + rng.uniform(0, 6.28)) * np.exp(-t * (1.0 + 0.4 * k)) / k for k in range(1, 9)
    )
    sound *= (1 - np.exp(-t / 0.001)) * np.clip((seconds - t) / 0.05, 0, 1)
    return sound + 0.1 * rng.normal(0, 1, len(t)) * np.exp(-t / 0.004)


def played(
    written: list[tuple[float, float, int]], rng: np.random.Generator, spread_s: float = 0.006, missing: float = 0.0
) -> tuple[Notes, np.ndarray, np.ndarray]:
    """Return the score, the recording and each note's true onset (NaN: left out)."""
    onset, duration, pitch = (np.array(c, dtype=float) for c in zip(*written, strict=True))
    truth = 0.5 + 1.05 * onset + spread_s * rng.normal(0, 1, len(onset))
    truth[rng.random(len(onset)) < missing] = np.nan
    samples = np.zeros(int((2.0 + np.nanmax(truth)) * RATE))
    for t, d, key in zip(truth, duration, pitch, strict=True):
        if np.isfinite(t):
            sound = rng.uniform(0.4, 1.0) * tone(int(key), d + 0.2, rng)
            place = round(t * RATE)
            samples[place : place + len(sound)] += sound[: len(samples) - place]
    samples *= 0.5 / np.abs(samples).max()
    samples += 1e-4 * rng.normal(0, 1, len(samples))
    return Notes.build(onset_s=onset, duration_s=duration, pitch=pitch), samples, np.round(truth * RATE) / RATE


def chords(rng: np.random.Generator, count: int = 24) -> list[tuple[float, float, int]]:
    """Return chords of three and four notes, one every 0.4 s."""
    out = []
    for i in range(count):
        keys = rng.choice(np.arange(48, 84), int(rng.integers(3, 5)), replace=False)
        out += [(0.4 * i, 0.35, int(k)) for k in keys]
    return out


def warp_of(score: Notes, off_s: float = 0.0, wander_s: float = 0.0) -> Warp:
    at = np.linspace(-0.2, float(score.onset_s.max()) + 1.5, 12)
    wander = off_s + wander_s * np.sin(np.arange(12.0))
    return Warp(at, 0.5 + 1.05 * at + wander, np.zeros(12, dtype=np.int64))


def blind(samples: np.ndarray) -> Onsets:
    sound = Sound.of_samples(samples, RATE)
    detector = OnsetDetector(sound.rate, sound.peak)
    listen(sound, detector)
    return detector.result()


def heard(score: Notes, samples: np.ndarray, warp: Warp) -> tuple[ScoreOnsets, Onsets]:
    onsets = blind(samples)
    return listen_for(score, Sound.of_samples(samples, RATE), warp, onsets), onsets


def test_notes_of_chords_have_their_own_onsets() -> None:
    rng = np.random.default_rng(1)
    score, samples, truth = played(chords(rng), rng, spread_s=0.012)
    found, onsets = heard(score, samples, warp_of(score, 0.02, 0.02))
    error_ms = 1000 * (found.onset_s - truth)
    assert np.isfinite(error_ms).mean() > 0.98
    assert np.nanmedian(np.abs(error_ms)) < 2.5
    assert np.nanpercentile(np.abs(error_ms), 90) < 20.0
    assert np.nanmean(np.abs(error_ms) <= found.onset_uncertainty_ms) > 0.8
    # The deviations within chords are heard, not a chord's onset for all.
    within = [truth[score.onset_s == t] - truth[score.onset_s == t].mean() for t in np.unique(score.onset_s)]
    told = [
        found.onset_s[score.onset_s == t] - found.onset_s[score.onset_s == t].mean() for t in np.unique(score.onset_s)
    ]
    assert np.corrcoef(np.concatenate(within), np.concatenate(told))[0, 1] > 0.7
    assert np.mean(found.onset_row >= 0) > 0.8
    beside = found.onset_s[found.onset_row >= 0] - onsets.onset_s[found.onset_row[found.onset_row >= 0]]
    assert np.abs(beside).max() < 0.05


def test_an_alignment_that_is_off_is_mended() -> None:
    rng = np.random.default_rng(2)
    score, samples, truth = played(chords(rng, 16), rng)
    found, _ = heard(score, samples, warp_of(score, 0.08))
    assert np.nanmedian(np.abs(found.onset_s - truth)) < 0.0025


def test_what_is_left_out_is_doubted_and_what_is_played_is_not() -> None:
    rng = np.random.default_rng(3)
    written = [(0.3 * i, 0.28, int(k)) for i, k in enumerate(rng.choice(np.arange(50, 84), 30, replace=False))]
    score, samples, truth = played(written, rng, missing=0.2)
    found, _ = heard(score, samples, warp_of(score))
    left_out = np.isnan(truth)
    assert left_out.sum() >= 3
    assert np.median(found.confidence[~left_out]) > 0.95
    assert np.mean(found.confidence[~left_out] < 0.5) < 0.05
    assert np.mean(found.confidence[left_out] < 0.5) > 0.6


def test_a_repeated_note_is_found_each_time() -> None:
    rng = np.random.default_rng(4)
    score, samples, truth = played([(0.16 * i, 0.3, 64) for i in range(20)], rng, spread_s=0.008)
    found, _ = heard(score, samples, warp_of(score, 0.015))
    assert np.nanmedian(np.abs(found.onset_s - truth)) < 0.003
    assert np.all(np.diff(found.onset_s) > 0.05)


def test_an_added_note_stays_unexplained() -> None:
    rng = np.random.default_rng(5)
    written = [(0.5 * i, 0.4, int(k)) for i, k in enumerate(rng.choice(np.arange(55, 80), 12, replace=False))]
    score, samples, truth = played(written, rng)
    place = round((truth[6] + 0.25) * RATE)
    extra = 0.4 * tone(91, 0.3, rng)
    samples[place : place + len(extra)] += extra
    found, onsets = heard(score, samples, warp_of(score))
    rows = unexplained(found, onsets)
    assert len(rows) == 1
    assert abs(onsets.onset_s[rows[0]] - place / RATE) < 0.005


def test_transposition_is_followed() -> None:
    rng = np.random.default_rng(6)
    score, samples, truth = played(chords(rng, 12), rng)
    low = score.replace(pitch=score.pitch - 3.0)
    straight = warp_of(score)
    warp = Warp(straight.reference_s, straight.time_s, straight.part, transposition_cents=300.0)
    found, _ = heard(low, samples, warp)
    assert np.nanmedian(np.abs(found.onset_s - truth)) < 0.0025


def test_rows_are_the_scores_whatever_their_order() -> None:
    rng = np.random.default_rng(7)
    score, samples, _ = played(chords(rng, 8), rng)
    warp, onsets = warp_of(score), blind(samples)
    sound = Sound.of_samples(samples, RATE)
    found = listen_for(score, sound, warp, onsets)
    order = rng.permutation(len(score))
    again = listen_for(score.rows(order), sound, warp, onsets)
    np.testing.assert_allclose(again.onset_s, found.onset_s[order], atol=1e-6)
    # A voice in unison has the same note, hence the same row.
    twice = Notes.concatenate([score, score.rows(slice(3, 4))])
    both = listen_for(twice, sound, warp, onsets)
    assert both.onset_s[-1] == both.onset_s[3]


def test_nothing_depends_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    score, samples, _ = played(chords(rng, 20), rng)
    warp, onsets = warp_of(score), blind(samples)
    whole = listen_for(score, Sound.of_samples(samples, RATE), warp, onsets)
    for seconds in (2.9, 0.70001, 5.0 + 1.0 / RATE):
        monkeypatch.setattr(listening, "CHUNK_S", seconds)
        parts = listen_for(score, Sound.of_samples(samples, RATE), warp, onsets)
        for name in ScoreOnsets.names():
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=0, atol=1e-9, err_msg=name)


def test_no_stroke_depends_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(14)
    score, samples, _ = struck(rng, 32)
    at = warp_of(score).reference_s
    warp, onsets = Warp(at, 0.5 + at, np.zeros(len(at), dtype=np.int64)), blind(samples)
    whole = listen_for(score, Sound.of_samples(samples, RATE), warp, onsets)
    for seconds in (2.9, 0.50001):
        monkeypatch.setattr(listening, "CHUNK_S", seconds)
        parts = listen_for(score, Sound.of_samples(samples, RATE), warp, onsets)
        for name in ScoreOnsets.names():
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=0, atol=1e-9, err_msg=name)


def test_what_the_recording_does_not_have_is_not_looked_for() -> None:
    rng = np.random.default_rng(9)
    score, samples, _ = played(chords(rng, 8), rng)
    at = np.array([0.0, 1.5])
    found, onsets = heard(score, samples, Warp(at, 0.5 + 1.05 * at, np.zeros(2, dtype=np.int64)))
    outside = score.onset_s > 1.6
    assert np.isnan(found.onset_s[outside]).all()
    assert np.isnan(found.confidence[outside]).all()
    assert np.isfinite(found.onset_s[score.onset_s < 1.4]).mean() > 0.9
    unpitched = listen_for(
        score.replace(pitch=np.full(len(score), np.nan)), Sound.of_samples(samples, RATE), warp_of(score), onsets
    )
    assert np.isnan(unpitched.onset_s).all()


@pytest.mark.parametrize("frames", [0, 1, 50, 4000])
def test_nothing_to_hear(frames: int) -> None:
    score = Notes.build(onset_s=[0.0, 0.01], duration_s=[0.5, np.nan], pitch=[60.0, 127.0])
    found = listen_for(score, Sound.of_samples(np.zeros(frames), RATE), warp_of(score), Onsets.build(0))
    assert len(found) == 2
    assert np.isnan(found.onset_s).all()
    noise = Sound.of_samples(1e-3 * np.random.default_rng(0).normal(0, 1, frames), RATE)
    listen_for(score, noise, warp_of(score), Onsets.build(0))
    assert len(listen_for(Notes.build(0), noise, warp_of(score), Onsets.build(0))) == 0
    assert len(unexplained(ScoreOnsets.build(0), Onsets.build(0))) == 0


@pytest.mark.parametrize("rate", [8_000, 16_000, 96_000])
def test_any_rate(rate: int) -> None:
    from math import gcd

    from scipy.signal import resample_poly

    rng = np.random.default_rng(10)
    score, samples, truth = played([(0.3 * i, 0.3, 60 + i) for i in range(12)], rng)
    shared = gcd(rate, RATE)
    other = resample_poly(samples, rate // shared, RATE // shared)
    found = listen_for(score, Sound.of_samples(other, rate), warp_of(score), Onsets.build(0))
    assert np.nanmedian(np.abs(found.onset_s - truth)) < 0.004


def test_moments_follow_those_around_them() -> None:
    """Silent moments between others that are 20 ms late are expected late too."""
    states, step = 61, 4.0
    offset = (np.arange(states) - 30) * step
    ratio = np.ones((10, states))
    for g in (0, 1, 2, 7, 8, 9):
        ratio[g] = 0.02 + 500 * np.exp(-0.5 * ((offset - 20.0) / 4.0) ** 2)
    said = moment_offsets(ratio, np.arange(10), 0.3 * np.arange(10.0), np.zeros(10, bool), step)
    np.testing.assert_allclose(said.sum(1), 1.0)
    assert np.all(np.abs(said @ offset - 20.0) < 5.0)
    breaks = np.zeros(10, bool)
    breaks[3], breaks[7] = True, True
    alone = moment_offsets(ratio, np.arange(10), 0.3 * np.arange(10.0), breaks, step)
    assert np.all(np.abs(alone[3:7] @ offset) < 5.0)


def test_a_habit_is_learnt() -> None:
    """The lowest note lags 25 ms behind the top one; what is heard of it is vague, and of one note nothing."""
    rng = np.random.default_rng(11)
    group = np.repeat(np.arange(60), 2)
    low = np.tile([True, False], 60)
    height = np.where(low, 100.0, 400.0)
    onset = 0.5 * group + np.where(low, 0.025, 0.0) + 0.003 * rng.normal(0, 1, 120)
    begin = 0.5 * group - 0.06
    found = {"onset_s": onset, "onset_uncertainty_ms": np.full(120, 2.0), "confidence": np.ones(120)}
    off_ms = np.arange(121)[None, :] - 1000 * (onset - begin)[:, None]
    # As likely where the top note begins as where it does itself.
    heard_top = np.exp(-0.5 * ((off_ms + 25.0) / 3.0) ** 2) * low[:, None]
    score = np.log(0.01 + np.exp(-0.5 * (off_ms / 3.0) ** 2) + rng.uniform(0.2, 1.2, (120, 1)) * heard_top)
    score[10] = -2.0
    habit = Habit.of(group, height, found, score, begin)
    assert abs(habit.lag_ms[10] - 25.0) < 8.0
    time_s = begin[10] + 0.001 * np.arange(121)[None, :]
    told = habit.told(np.array([10]), time_s, np.full((1, 121), 1e-3))
    assert abs(time_s[0, told[0].argmax()] - (onset[11] + 0.025)) < 0.008
    top = habit.told(np.array([11]), time_s, np.full((1, 121), 1e-3))
    np.testing.assert_allclose(top, 1e-3)


def test_kernels_are_their_twins() -> None:
    from takeprint.core.kernels.partial_cells import partial_cells
    from takeprint.core.kernels.partial_company import partial_company
    from takeprint.core.kernels.partial_moments import partial_moments
    from takeprint.core.kernels.partial_tuning import partial_tuning

    rng = np.random.default_rng(12)
    x = rng.normal(0, 1, 3000)
    begins, turns = np.array([-50, 400, 2500]), rng.uniform(0.01, 0.2, (3, 4))
    turns[1, 2] = 0.0
    cells = partial_cells(x, begins, turns, 11, 60)
    np.testing.assert_allclose(cells, naive_partial_cells(x, begins, turns, 11, 60), atol=1e-5)
    spans = np.array([4, 8, 16])
    starts = np.array([[0, -8], [0, -4], [0, 0], [1, -8], [1, 4], [2, -16], [2, 0], [0, 40]])
    for stride, moments in ((1, 20), (2, 10), (4, 5)):
        args = (cells, 18, moments, stride, spans, starts)
        for ours, theirs in zip(partial_moments(*args), naive_partial_moments(*args), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-3)
    most = np.full((3, 4), 0.02)
    for ours, theirs in zip(
        partial_tuning(cells, 20, 16, 4, most), naive_partial_tuning(cells, 20, 16, 4, most), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    tone = partial_cells(np.cos(2 * np.pi * 0.1003 * np.arange(3000)), np.array([0]), np.array([[0.1]]), 11, 200)
    _, turn = partial_tuning(tone, 50, 32, 8, np.full((1, 1), 0.02))
    assert abs(turn[0, 0] - 11 * 0.0003) < 1e-6
    begin = np.sort(rng.uniform(0, 3, 30))
    end, hz = begin + rng.uniform(0.05, 1.0, 30), rng.uniform(50, 400, (30, 1)) * np.arange(1, 7)
    np.testing.assert_allclose(
        partial_company(begin, end, hz, 0.08, 25.0), naive_partial_company(begin, end, hz, 0.08, 25.0), atol=1e-6
    )
    assert partial_company(begin[:0], end[:0], hz[:0], 0.08, 25.0).shape == (0, 6, 2)


def struck(rng: np.random.Generator, count: int = 48) -> tuple[Notes, np.ndarray, np.ndarray]:
    """Return a drum score, its recording and the true onsets (NaN: left out); every fourth beat two drums at once."""
    keys = {"kick": 36, "snare": 38, "hat": 42}
    rows, sounds, truth = [], [], []
    samples = np.zeros(int((0.25 * count + 2.0) * RATE))
    for i in range(count):
        names = ("kick", "hat") if i % 4 == 0 else (("hat", "snare")[i % 2],)
        for name in names:
            rows.append((0.25 * i, keys[name]))
            sounds.append(hit(name, RATE, rng))
            left_out = name == "snare" and rng.random() < 0.2
            truth.append(np.nan if left_out else 0.5 + 0.25 * i + 0.006 * rng.normal())
    for n, (t, sound) in enumerate(zip(truth, sounds, strict=True)):
        if np.isfinite(t):
            place = round(t * RATE)
            samples[place : place + len(sound)] += rng.uniform(0.5, 1.0) * sound / np.abs(sound).max()
            truth[n] = (place + int(np.argmax(np.abs(sound) >= 0.01 * np.abs(sound).max()))) / RATE
    samples = 0.5 * samples / np.abs(samples).max() + 1e-4 * rng.normal(0, 1, len(samples))
    onset, pitch = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    channel = np.full(len(rows), 9)
    return (
        Notes.build(onset_s=onset, duration_s=np.full(len(rows), 0.1), pitch=pitch, channel=channel),
        samples,
        (np.array(truth)),
    )


def test_drums_are_found_by_their_onsets() -> None:
    rng = np.random.default_rng(13)
    score, samples, truth = struck(rng)
    straight = warp_of(score)
    at = straight.reference_s
    warp = Warp(at, 0.5 + at + 0.02 * np.sin(np.arange(len(at))), straight.part)
    found, onsets = heard(score, samples, warp)
    left_out = np.isnan(truth)
    assert left_out.sum() >= 2
    error_ms = 1000 * np.abs(found.onset_s - truth)[~left_out]
    assert np.isfinite(error_ms).mean() > 0.95
    assert np.nanmedian(error_ms) < 1.0
    assert np.nanpercentile(error_ms, 90) < 12.0
    assert np.mean(found.confidence[left_out] < 0.5) > 0.9
    assert np.mean(found.confidence[~left_out] < 0.5) < 0.05
    assert not np.any(onsets.strength[unexplained(found, onsets)] > 5.0)
    nothing = listen_for(score, Sound.of_samples(samples, RATE), warp, Onsets.build(0))
    assert np.isnan(nothing.onset_s).all()
