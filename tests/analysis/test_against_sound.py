"""Recordings against recordings and scores: what was planted between two made-up takes is what is measured."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError

RATE = 22_050
_WRITTEN = [("onset_quarter", "f8"), ("duration_quarter", "f8"), ("pitch", "i4"), ("velocity", "i4")]


def tune(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (beats, keys) of a wandering tune with a bass note on every fourth beat."""
    rng = np.random.default_rng(seed)
    beat, key, now, at = [], [], 0.0, 67
    while len(beat) < n:
        at = int(np.clip(at + rng.choice([-5, -3, -2, -1, 1, 2, 4]), 58, 82))
        beat.append(now)
        key.append(at)
        if now % 4 == 0:
            beat.append(now)
            key.append(int(rng.integers(36, 52)))
        now += float(rng.choice([0.5, 0.5, 1.0]))
    return np.array(beat), np.array(key)


def sounded(onset_s: np.ndarray, key: np.ndarray, seed: int = 0, tuning_cents: float = 0.0) -> np.ndarray:
    """Return struck tones with four partials over a soft noise."""
    rng = np.random.default_rng(seed)
    y = 1e-4 * rng.normal(size=int((onset_s.max() + 2.0) * RATE))
    t = np.arange(int(0.9 * RATE)) / RATE
    for when, pitch in zip(onset_s, key, strict=True):
        hz = 440.0 * 2.0 ** ((pitch - 69 + tuning_cents / 100.0) / 12.0)
        tone = sum(np.sin(2 * np.pi * k * hz * t) * np.exp(-(3.0 + k) * t) / k for k in range(1, 5))
        place = round(when * RATE)
        y[place : place + len(t)] += 0.15 * tone * np.clip(t / 0.002, 0, 1)
    return y


def played(beat: np.ndarray, seed: int, period_s: float = 0.5) -> np.ndarray:
    """Return onsets of a free performance: a wandering tempo and 12 ms of timing a moment."""
    rng = np.random.default_rng(seed)
    where, index = np.unique(beat, return_inverse=True)
    local_s = period_s * np.exp(0.08 * np.sin(where / 5.0 + seed))
    line_s = 0.7 + np.r_[0.0, np.cumsum(np.diff(where) * local_s[:-1])]
    return (line_s + rng.normal(0, 0.012, len(where)))[index]


def moments(deviations: Deviations, reference_s: np.ndarray, take_s: np.ndarray) -> np.ndarray:
    """Return the errors (ms) of the measured moves at the true moments of the reference; NaN where none was found."""
    rows = deviations.notes.rows(deviations.notes.label == "match")
    out = np.full(len(reference_s), np.nan)
    for i, (a, b) in enumerate(zip(reference_s, take_s, strict=True)):
        near = int(np.argmin(np.abs(rows.reference_onset_s - a)))
        if abs(rows.reference_onset_s[near] - a) < 0.02:
            out[i] = 1000.0 * ((rows.onset_s - rows.reference_onset_s)[near] - (b - a))
    return out


def agrees(deviations: Deviations, reference_s: np.ndarray, take_s: np.ndarray, found: float = 0.95) -> None:
    error = moments(deviations, *(np.unique(s) for s in (reference_s, take_s)))
    assert np.isfinite(error).mean() >= found
    assert np.nanmedian(np.abs(error)) < 1.0
    assert np.nanpercentile(np.abs(error), 90) < 5.0


@pytest.fixture(scope="module")
def music() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (beats, keys, studio onsets, live onsets) of one tune played twice."""
    beat, key = tune(90, 1)
    return beat, key, played(beat, 2), played(beat, 3)


def test_live_against_studio(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, live_s = music
    found = measure((sounded(live_s, key, 5), RATE), against=(sounded(studio_s, key, 4), RATE))
    agrees(found, studio_s, live_s)
    assert found.reference["kind"] == "take"
    assert found.reference["transposition_cents"] == pytest.approx(0.0, abs=15.0)
    assert len(found.reference["parts"]) == 1
    assert {"tempo", "timing", "dynamics"} <= set(found.reference["summary"])
    where = np.unique(studio_s)
    ahead = np.interp(where, found.alignment.reference_s, found.alignment.time_s) - np.unique(live_s)
    assert np.median(np.abs(ahead)) < 0.002


def test_identical_recordings_deviate_by_exactly_nothing(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, _ = music
    y = sounded(studio_s, key, 4)
    found = measure((y, RATE), against=(y, RATE))
    assert set(found.notes.label.tolist()) == {"match"}
    assert (found.notes.timing_ms == 0.0).all()
    assert (found.notes.onset_s == found.notes.reference_onset_s).all()
    assert found.slips == ()


@pytest.mark.parametrize(("tempo", "cents"), [(0.8, 0.0), (1.25, 0.0), (1.0, 100.0), (1.0, -60.0)])
def test_another_tempo_or_key(music: tuple[np.ndarray, ...], tempo: float, cents: float) -> None:
    _, key, studio_s, live_s = music
    faster_s = live_s / tempo
    take = sounded(faster_s, key, 5, tuning_cents=cents)
    found = measure((take, RATE), against=(sounded(studio_s, key, 4), RATE))
    agrees(found, studio_s, faster_s, 0.9)
    assert found.reference["transposition_cents"] == pytest.approx(cents, abs=20.0)


def test_an_intro_and_a_cut_of_one_side_only(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, live_s = music
    other_beat, other_key = tune(20, 9)
    intro_s = played(other_beat, 4)
    live = np.r_[sounded(intro_s, other_key, 6), sounded(live_s, key, 5)]
    shift_s = (len(live) - len(sounded(live_s, key, 5))) / RATE
    found = measure((live, RATE), against=(sounded(studio_s, key, 4), RATE))
    agrees(found, studio_s, live_s + shift_s, 0.9)
    before = found.notes.onset_s[found.notes.label == "match"].min()
    assert before > shift_s - 0.1


def test_other_music_is_refused_with_the_evidence(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, _ = music
    beat, other = tune(90, 77)
    with pytest.raises(TakeprintError) as refusal:
        measure((sounded(played(beat, 8), other, 5), RATE), against=(sounded(studio_s, key, 4), RATE))
    assert any(c.isdigit() for c in str(refusal.value))
    assert refusal.value.remedy


def test_noise_and_silence_are_refused(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, _ = music
    studio = sounded(studio_s, key, 4)
    noise = 0.1 * np.random.default_rng(0).normal(size=len(studio))
    for other in (noise, np.zeros(len(studio))):
        with pytest.raises(TakeprintError):
            measure((other, RATE), against=(studio, RATE))
        with pytest.raises(TakeprintError):
            measure((studio, RATE), against=(other, RATE))


def score_of(beat: np.ndarray, key: np.ndarray) -> np.ndarray:
    return np.array([(b, 0.5, k, 64) for b, k in zip(beat, key, strict=True)], dtype=_WRITTEN)


def test_a_recording_against_its_score(music: tuple[np.ndarray, ...]) -> None:
    beat, key, _, live_s = music
    found = measure((sounded(live_s, key, 5), RATE), against=score_of(beat, key))
    rows = found.notes.rows(found.notes.label == "match")
    assert len(rows) >= 0.95 * len(key)
    truth = {(round(b, 4), k): s for b, k, s in zip(beat, key, live_s, strict=True)}
    error_ms = [
        1000.0 * (s - truth[(round(b, 4), int(p))])
        for b, p, s in zip(rows.reference_beat, rows.reference_pitch, rows.onset_s, strict=True)
    ]
    assert np.median(np.abs(error_ms)) < 2.0
    assert found.reference["kind"] == "score"


def test_a_passage_of_the_score_that_is_passed_over_is_one_slip_in_its_place(music: tuple[np.ndarray, ...]) -> None:
    beat, key, _, live_s = music
    cut = (beat >= 20) & (beat < 36)
    joined_s = live_s - np.where(beat >= 36, live_s[beat >= 36][0] - live_s[beat >= 20][0], 0.0)
    found = measure((sounded(joined_s[~cut], key[~cut], 5), RATE), against=score_of(beat, key))
    written = found.notes.rows(found.notes.label != "insertion")
    assert (np.diff(written.reference_beat) >= 0).all()
    passed = [slip for slip in found.slips if slip.get("n_notes", 1) > 1]
    assert [slip["kind"] for slip in passed] == ["missed"]
    assert passed[0]["n_notes"] == pytest.approx(cut.sum(), abs=4)
    assert passed[0]["time_s"] == pytest.approx(joined_s[beat >= 36][0], abs=1.0)


def test_a_midi_take_against_a_recording(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, live_s = music
    take = np.array(
        [(s, 0.2, k, 70) for s, k in zip(live_s, key, strict=True)],
        dtype=[("onset_sec", "f8"), ("duration_sec", "f8"), ("pitch", "i4"), ("velocity", "i4")],
    )
    found = measure(take, against=(sounded(studio_s, key, 4), RATE))
    agrees(found, studio_s, live_s, 0.9)
    rows = found.notes.rows(found.notes.label == "match")
    assert np.isfinite(rows.velocity).all()
    assert found.take["kind"] == "midi"


def test_another_score_is_refused(music: tuple[np.ndarray, ...]) -> None:
    _, key, _, live_s = music
    with pytest.raises(TakeprintError):
        measure((sounded(live_s, key, 5), RATE), against=score_of(*tune(90, 77)))


def test_stereo_is_as_mono(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, live_s = music
    live = sounded(live_s, key, 5)
    found = measure((np.stack([live, 0.7 * live]), RATE), against=(sounded(studio_s, key, 4), RATE))
    agrees(found, studio_s, live_s)


def test_a_take_that_stops_in_the_middle(music: tuple[np.ndarray, ...]) -> None:
    _, key, studio_s, live_s = music
    end_s = float(np.median(live_s))
    live = sounded(live_s, key, 5)[: round(end_s * RATE)]
    found = measure((live, RATE), against=(sounded(studio_s, key, 4), RATE))
    played_s = np.unique(live_s)
    kept = played_s < end_s - 1.0
    agrees(found, np.unique(studio_s)[kept], played_s[kept], 0.9)


def test_one_note_is_not_enough() -> None:
    one = sounded(np.array([0.5]), np.array([60]))
    beat, key = tune(60, 1)
    with pytest.raises(TakeprintError):
        measure((one, RATE), against=(sounded(played(beat, 2), key), RATE))
