"""Levels and ends of notes against planted truth, and the K-filter against the standard."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis import listening
from takeprint.analysis.loudness import SILENCE_DB, LevelTrack, k_weighting, note_levels, track_level
from takeprint.analysis.note_ends import note_offsets
from takeprint.analysis.pitch import PitchTrack
from takeprint.core.errors import TakeprintError
from takeprint.core.kernels.filtered_power import filtered_power
from tests.naive.filtered_power import filtered_power as naive_filtered_power

RATE = 44_100
# ITU-R BS.1770-5, Annex 1, tables 1 and 2: b0, b1, b2, a1, a2 at 48 kHz.
SHELF = [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585]
CUT = [1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621]


def string(pitch_hz: float, held_s: float, tau_s: float = 0.8, release_s: float = 0.02, rate: float = RATE):
    """Return a plucked tone that is damped after ``held_s``: from there it dies by 1/e in ``release_s``."""
    t = np.arange(int((held_s + 12 * release_s) * rate)) / rate
    partials = range(1, 1 + min(int(0.4 * rate / pitch_hz), 11))
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * t + k) / k * np.exp(-t * np.sqrt(k) / tau_s) for k in partials)
    held = np.where(t < held_s, 1.0, np.exp(-np.maximum(t - held_s, 0.0) / release_s))
    return 0.5 * (1 - np.exp(-t / 0.002)) * tone * held


def sung(pitch_hz: float, held_s: float, release_s: float = 0.03) -> np.ndarray:
    """Return a tone with vibrato and its swaying level, held and then let go."""
    t = np.arange(int((held_s + 8 * release_s) * RATE)) / RATE
    sway = np.sin(2 * np.pi * 5.5 * t)
    phase = 2 * np.pi * np.cumsum(pitch_hz * 2 ** (30 / 1200 * sway)) / RATE
    tone = sum(np.sin(k * phase + k) / k for k in range(1, 15)) * (1 + 0.1 * sway)
    held = np.where(t < held_s, 1.0, np.exp(-np.maximum(t - held_s, 0.0) / release_s))
    return 0.3 * (1 - np.exp(-t / 0.04)) * tone * held


def drum(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Return a hit that rings out."""
    t = np.arange(int(1.2 * RATE)) / RATE
    if kind == "kick":
        return (1 - np.exp(-t / 0.001)) * np.sin(2 * np.pi * 55 * t + 1.5) * np.exp(-t / 0.1)
    return (1 - np.exp(-t / 0.0004)) * 0.3 * rng.normal(0, 1, len(t)) * np.exp(-t / 0.06)


def laid(sounds, starts_s, gains_db, noise: float = 1e-5, room_s: float = 0.0, seed: int = 0) -> np.ndarray:
    """Mix sounds at their starts, in a room if there is one, with noise."""
    rng = np.random.default_rng(seed)
    y = np.zeros(round((starts_s[-1] + 3.0) * RATE))
    for sound, start, gain in zip(sounds, starts_s, gains_db, strict=True):
        first = round(start * RATE)
        part = sound[: len(y) - first]
        y[first : first + len(part)] += 10 ** (gain / 20) * part
    if room_s:
        from scipy.signal import fftconvolve

        t = np.arange(int(room_s * RATE)) / RATE
        tail = rng.normal(0, 1, len(t)) * 10 ** (-3 * t / room_s) * (t > 0.004)
        y = y + fftconvolve(y, 0.3 * tail / np.sqrt((tail**2).sum()))[: len(y)]
    return 0.3 * y + rng.normal(0, noise, len(y))


# ------------------------------------------------------------------------------------------------ the filter


def test_the_filter_is_the_standards_at_its_rate() -> None:
    assert np.allclose(k_weighting(48_000.0), [SHELF, CUT], atol=1e-12)


@pytest.mark.parametrize("rate", [8_000.0, 16_000.0, 22_050.0, 44_100.0, 96_000.0, 192_000.0])
def test_the_filter_is_the_same_at_other_rates(rate: float) -> None:
    def gain_db(sections, at_rate: float, hz: np.ndarray) -> np.ndarray:
        z = np.exp(-2j * np.pi * hz / at_rate)
        gain = [(b0 + b1 * z + b2 * z**2) / (1 + a1 * z + a2 * z**2) for b0, b1, b2, a1, a2 in sections]
        return 20 * np.log10(np.abs(np.prod(gain, axis=0)))

    hz = np.geomspace(20.0, min(0.2 * rate, 15_000.0), 200)
    assert np.abs(gain_db(k_weighting(rate), rate, hz) - gain_db([SHELF, CUT], 48_000.0, hz)).max() < 0.35
    middle = hz[(hz < 0.08 * rate) & (hz < 4000)]
    assert np.abs(gain_db(k_weighting(rate), rate, middle) - gain_db([SHELF, CUT], 48_000.0, middle)).max() < 0.15


@pytest.mark.parametrize("rate", [1_000.0, 2_500.0, 3_700.0])
def test_the_filter_is_stable_at_any_rate(rate: float) -> None:
    for section in k_weighting(rate):
        assert np.abs(np.roots([1.0, *section[3:]])).max() < 1.0


@pytest.mark.parametrize("rate", [44_100, 48_000, 192_000])
def test_a_full_scale_sine_reads_as_the_standard_says(rate: int) -> None:
    track = track_level(np.sin(2 * np.pi * 997 * np.arange(rate) / rate), rate)
    inside = track.level_db[40:-2]
    assert 10 * np.log10(np.mean(10 ** (inside / 10))) == pytest.approx(-3.01, abs=0.02)
    assert 10 * np.log10(np.mean(10 ** (track.broadband_db[40:-2] / 10))) == pytest.approx(-3.01, abs=0.02)


def test_the_kernel_is_its_naive_twin() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.1, 2003)
    sections = np.vstack([k_weighting(44_100.0), [0.999, -0.999, 0.0, -0.998, 0.0]])
    state, sums = np.zeros((3, 2)), np.zeros(2)
    parts, filled = [], 0
    for piece in np.split(x, [1, 40, 41, 900, 1999]):
        parts.append(filtered_power(np.ascontiguousarray(piece), sections, state, sums, filled, 13))
        filled = (filled + len(piece)) % 13
    ours, naive = np.concatenate(parts), naive_filtered_power(x, sections, 13)
    assert ours.shape == naive.shape == (2003 // 13, 2)
    assert np.allclose(ours, naive, rtol=1e-9)


# ------------------------------------------------------------------------------------------------ the track


def test_the_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.random.default_rng(2).normal(0, 0.1, 10 * RATE + 77)
    whole = track_level(y, RATE)
    monkeypatch.setattr(listening, "CHUNK_S", 1.7321)
    assert track_level(y, RATE) == whole


@pytest.mark.parametrize("rate", [1_000, 8_000, 44_100, 192_000])
@pytest.mark.parametrize("seconds", [0.0, 0.00099, 0.001, 0.0137, 0.5])
def test_any_length_gives_finite_levels(rate: int, seconds: float) -> None:
    y = np.random.default_rng(3).normal(0, 0.1, int(rate * seconds) + (seconds == 0.001))
    track = track_level(y, rate)
    assert np.isfinite(track.level_db).all()
    assert (track.level_db >= SILENCE_DB).all()
    assert abs(len(track) * track.hop_s - len(y) / rate) <= track.hop_s or len(track) == 1
    assert (len(track) > 0) == (len(y) > 0)


def test_silence_offset_and_square_waves_are_told_as_they_are() -> None:
    assert (track_level(np.zeros(RATE), RATE).level_db == SILENCE_DB).all()
    assert track_level(np.full(RATE, 0.7), RATE).level_db.max() < -150  # an offset is no sound, and no bang
    assert track_level(np.full(RATE, 0.7), RATE).broadband_db.max() < -150
    clipped = np.sign(np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE + 0.1))
    assert np.median(track_level(clipped, RATE).broadband_db) == pytest.approx(0.0, abs=0.1)
    assert len(track_level(np.zeros(0), RATE)) == 0


def test_bad_samples_are_refused() -> None:
    with pytest.raises(TakeprintError, match="no finite"):
        track_level(np.array([0.0, np.nan]), RATE)


# ------------------------------------------------------------------------------------------------ levels of notes


@pytest.mark.parametrize(("kind", "step_s"), [("kick", 0.5), ("snare", 0.25), ("string", 0.4), ("sung", 0.4)])
def test_a_planted_gain_is_measured(kind: str, step_s: float) -> None:
    rng = np.random.default_rng(4)
    starts = 0.5 + step_s * np.arange(40) + rng.normal(0, 0.005, 40)
    gain = rng.uniform(-15, 0, 40)
    sound = {
        "string": lambda: string(220.0, 0.8 * step_s),
        "sung": lambda: sung(220.0, 0.7 * step_s, 0.015),
    }.get(kind, lambda: drum(kind, np.random.default_rng(5)))()
    track = track_level(laid([sound] * 40, starts, gain), RATE)
    found = note_levels(track, starts + rng.normal(0, 0.001, 40), onset_uncertainty_ms=np.full(40, 2.0))
    error = found.level_db - gain
    error -= np.median(error)
    assert np.abs(error).max() < 0.3
    assert (np.abs(error) <= found.level_uncertainty_db).mean() >= 0.85
    louder = note_levels(track.replace(level_db=track.level_db - 30), starts)
    assert np.allclose(louder.level_db, note_levels(track, starts).level_db - 30)


def test_short_notes_are_judged_by_their_kind() -> None:
    """Hits 35 ms apart among others that have room: the energy of a few ms tells how loud the whole would be."""
    rng = np.random.default_rng(6)
    steps = np.tile([0.3, 0.3, 0.035, 0.3], 12)
    starts = 0.5 + np.cumsum(steps)
    gain = rng.uniform(-6, 0, len(starts))
    sounds = [drum("snare", np.random.default_rng(5))] * len(starts)
    found = note_levels(track_level(laid(sounds, starts, gain), RATE), starts)
    error = found.level_db - gain
    error -= np.median(error)
    assert np.isfinite(error).mean() > 0.95
    assert np.nanmax(np.abs(error)) < 2.5
    assert (np.abs(error) <= found.level_uncertainty_db)[np.isfinite(error)].mean() >= 0.8


def test_a_note_under_a_louder_one_is_in_doubt_or_not_known() -> None:
    starts = np.array([0.5, 0.8])
    y = laid([string(110.0, 2.0, 2.0), string(330.0, 1.0)], starts, [0.0, -25.0])
    found = note_levels(track_level(y, RATE), starts)
    assert found.level_uncertainty_db[0] < 0.5
    assert not np.isfinite(found.level_db[1]) or found.level_uncertainty_db[1] > 2.0


def test_odd_onsets_have_no_level() -> None:
    track = track_level(0.1 * np.random.default_rng(7).normal(0, 1, RATE), RATE)
    found = note_levels(track, np.array([np.nan, -1.0, 0.2, 0.2, 5.0]))
    assert np.isfinite(found.level_db).sum() <= 1
    assert len(note_levels(track, np.zeros(0))) == 0
    assert np.isnan(note_levels(LevelTrack.build(0), np.array([0.1])).level_db).all()
    assert np.isnan(note_levels(track_level(np.zeros(RATE), RATE), np.array([0.1])).level_db).all()


# ------------------------------------------------------------------------------------------------ ends of notes


@pytest.mark.parametrize(
    ("kind", "room_s", "bias_ms", "p95_ms", "known"),
    [("string", 0.0, 2, 6, 0.9), ("sung", 0.0, 3, 12, 0.9), ("string", 1.1, 4, 20, 0.85), ("sung", 1.1, 6, 35, 0.85)],
)
def test_planted_lengths_are_measured(kind: str, room_s: float, bias_ms: float, p95_ms: float, known: float) -> None:
    rng = np.random.default_rng(8)
    starts = 0.5 + 0.5 * np.arange(40) + rng.normal(0, 0.005, 40)
    held = rng.uniform(0.15, 0.45, 40)
    make = string if kind == "string" else sung
    sounds = [make(110 * 2 ** (rng.integers(0, 25) / 12), h) for h in held]
    y = laid(sounds, starts, rng.uniform(-12, 0, 40), room_s=room_s, noise=1e-4)
    found = note_offsets(track_level(y, RATE), starts)
    error_ms = 1000 * (found.offset_s - starts - held)
    told = np.isfinite(error_ms)
    assert told.mean() >= known
    assert set(found.ending[told]) == {"released"}
    assert set(found.ending[~told]) <= {""}
    assert abs(np.median(error_ms[told])) <= bias_ms
    assert np.percentile(np.abs(error_ms[told]), 95) <= p95_ms
    assert (np.abs(error_ms) <= found.offset_uncertainty_ms)[told].mean() >= 0.85


@pytest.mark.parametrize("room_s", [0.0, 0.4, 1.1])
def test_what_rings_out_has_no_end(room_s: float) -> None:
    rng = np.random.default_rng(9)
    starts = 0.5 + 0.4 * np.arange(30)
    for make in (lambda: drum("kick", rng), lambda: drum("snare", rng), lambda: string(196.0, 3.0, 0.5)):
        y = laid([make() for _ in starts], starts, rng.uniform(-9, 0, 30), room_s=room_s, noise=1e-4)
        found = note_offsets(track_level(y, RATE), starts)
        assert np.isfinite(found.offset_s).mean() <= 0.05
    named = note_offsets(track_level(y, RATE), starts, kind=np.full(30, "percussive"))
    assert np.isnan(named.offset_s).all()


def test_the_pitch_tells_where_a_slur_changes() -> None:
    """No level falls between slurred notes; with another pitch the first one's end is known, without it is not."""
    starts = np.array([0.5, 1.0, 1.5])
    y = laid([sung(f, 0.5, 0.005) for f in (220.0, 247.0, 247.0)], starts, [0.0, 0.0, 0.0])
    time_s = np.arange(0.0, 3.0, 0.005)
    pitch_hz = np.where(time_s < 0.5, np.nan, np.where(time_s < 1.0, 220.0, np.where(time_s < 2.0, 247.0, np.nan)))
    pitch = PitchTrack.build(time_s=time_s, pitch_hz=pitch_hz, confidence=np.where(time_s < 2.0, 0.95, 0.1))
    track = track_level(y, RATE)
    found = note_offsets(track, starts, kind=np.full(3, "sustained"), pitch=pitch)
    assert found.ending.tolist() == ["changed", "", "released"]
    assert found.offset_s[0] == 1.0
    assert found.offset_s[2] == pytest.approx(2.0, abs=0.02)
    doubtful = note_offsets(track, starts, pitch=pitch.replace(confidence=np.full(len(time_s), 0.4)))
    assert doubtful.ending.tolist() == ["", "", "released"]


def test_ends_do_not_depend_on_the_level_and_odd_input_has_none() -> None:
    starts = 0.5 + 0.5 * np.arange(6)
    y = laid([string(147.0, 0.3) for _ in starts], starts, np.zeros(6))
    loud = note_offsets(track_level(y, RATE), starts)
    soft = note_offsets(track_level(0.03 * y, RATE), starts)
    assert np.allclose(loud.offset_s, soft.offset_s, atol=1e-6)
    odd = note_offsets(track_level(y[:RATE], RATE), np.array([np.nan, -3.0, 0.999, 9.0]))
    assert np.isnan(odd.offset_s).all()
    assert len(note_offsets(LevelTrack.build(0), np.array([0.1]))) == 1
    noise = track_level(0.1 * np.random.default_rng(10).normal(0, 1, 5 * RATE), RATE)
    assert np.isnan(note_offsets(noise, np.arange(0.1, 4.5, 0.4)).offset_s).all()
