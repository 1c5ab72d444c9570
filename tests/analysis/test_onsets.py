"""Onsets against planted truth: synthetic drums and plucked tones, dry and in a noisy room; then real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from takeprint.analysis import listening
from takeprint.analysis.onsets import Onsets, detect_onsets, detect_onsets_in
from takeprint.core.audio import open_audio, write_audio
from takeprint.core.errors import TakeprintError

RATE = 44_100


def hit(kind: str, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return one sound whose first sample is its start: amplitude rises from 0 within 0.2 to 2 ms."""
    t = np.arange(int(0.4 * rate)) / rate
    noise = rng.normal(0, 1, len(t))
    if kind == "kick":
        return (1 - np.exp(-t / 0.001)) * (
            np.sin(2 * np.pi * 55 * t + 1.5) * np.exp(-t / 0.1) + 0.1 * noise * np.exp(-t / 0.003)
        )
    if kind == "snare":
        return (1 - np.exp(-t / 0.0004)) * (
            0.4 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.06) + 0.4 * noise * np.exp(-t / 0.08)
        )
    if kind == "hat":
        return (1 - np.exp(-t / 0.0003)) * 0.3 * np.diff(noise, 2, prepend=[0.0, 0.0]) * np.exp(-t / 0.03)
    pitch = 220 * 2 ** (rng.integers(0, 13) / 12)
    tone = sum(
        np.sin(2 * np.pi * pitch * k * t + k) / k * np.exp(-t * k / 0.4) for k in range(1, 9) if 2 * pitch * k < rate
    )
    damped = 0.5 + 0.5 * np.cos(np.pi * np.clip((t - 0.3) / 0.1, 0, 1))  # no click where it ends
    return (1 - np.exp(-t / 0.002)) * 0.4 * tone * damped


def planted(kinds: tuple[str, ...], count: int, rng: np.random.Generator, rate: float = RATE, step_s: float = 0.25):
    """Return (samples, start seconds, kinds): hits on a grid with jitter, mixed in at whole samples."""
    samples = np.zeros(int((step_s * count + 1.5) * rate))
    starts, names = [], []
    for i in range(count):
        sound = hit(kinds[i % len(kinds)], rate, rng)
        sound *= rng.uniform(0.3, 1.0) / np.abs(sound).max()
        place = round((0.5 + step_s * i + rng.normal(0, 0.008)) * rate)
        samples[place : place + len(sound)] += sound
        # The law of the module: the first sample above -40 dB of its own peak.
        starts.append((place + int(np.argmax(np.abs(sound) >= 0.01 * np.abs(sound).max()))) / rate)
        names.append(kinds[i % len(kinds)])
    return 0.6 * samples / np.abs(samples).max(), np.array(starts), np.array(names)


def in_room(samples: np.ndarray, rng: np.random.Generator, noise_db: float) -> np.ndarray:
    from scipy.signal import fftconvolve

    t = np.arange(int(0.8 * RATE)) / RATE
    tail = rng.normal(0, 1, len(t)) * 10 ** (-3 * t / 0.8) * (t > 0.004)
    wet = samples + fftconvolve(samples, 0.3 * tail / np.sqrt((tail**2).sum()))[: len(samples)]
    return wet + rng.normal(0, 1, len(wet)) * 10 ** (noise_db / 20) * np.sqrt((wet**2).mean())


def errors_ms(truth: np.ndarray, found: np.ndarray, window_s: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Return the error of the nearest onset found to each true one, and which true ones have one in the window."""
    nearest = found[np.argmin(np.abs(found[None, :] - truth[:, None]), axis=1)]
    error = (nearest - truth) * 1000
    return error, np.abs(error) <= window_s * 1000


CASES = {
    # kinds, room noise (dB below the sound, None = dry), |bias|, p95 of |error|, spread of the kinds' biases (ms)
    "drums, dry": (("kick", "snare", "hat"), None, 0.1, 0.3, 0.2),
    "drums, room and noise": (("kick", "snare", "hat"), -30.0, 0.2, 0.7, 0.3),
    "plucked, dry": (("pluck",), None, 0.3, 1.0, 0.0),
    # The noise covers the first 2 ms of a tone that rises without a transient: late, and by a known sign.
    "plucked, room and noise": (("pluck",), -30.0, 2.5, 4.0, 0.0),
}


@pytest.mark.parametrize("case", list(CASES))
def test_planted_onsets_are_measured(case: str) -> None:
    kinds, noise_db, bias_limit, p95_limit, spread_limit = CASES[case]
    rng = np.random.default_rng(3)
    samples, truth, names = planted(kinds, 120, rng)
    if noise_db is not None:
        samples = in_room(samples, rng, noise_db)
    found = detect_onsets(samples, RATE)
    error, hits = errors_ms(truth, found.onset_s)
    assert hits.mean() >= 0.99  # recall
    assert len(found) == len(truth)  # precision
    bias = np.median(error[hits])
    assert abs(bias) <= bias_limit
    assert np.percentile(np.abs(error[hits]), 95) <= p95_limit
    per_kind = [np.median(error[hits & (names == k)]) for k in kinds]
    assert max(per_kind) - min(per_kind) <= spread_limit


def test_measured_microtiming_is_the_planted_one() -> None:
    rng = np.random.default_rng(8)
    samples, truth, _ = planted(("kick", "hat", "snare", "hat"), 160, rng)
    found = detect_onsets(in_room(samples, rng, -40.0), RATE).onset_s
    error, hits = errors_ms(truth, found)
    grid = 0.5 + 0.25 * np.arange(160)
    deviation = (truth - grid)[hits] * 1000
    measured = deviation + error[hits]
    assert hits.all()
    assert abs(measured.std() / deviation.std() - 1) < 0.02
    assert np.corrcoef(deviation, measured)[0, 1] > 0.995


def test_better_than_librosa_at_its_defaults() -> None:
    import librosa

    rng = np.random.default_rng(4)
    samples, truth, names = planted(("kick", "snare", "hat", "pluck"), 80, rng)
    ours = detect_onsets(samples, RATE).onset_s
    y = librosa.resample(samples, orig_sr=RATE, target_sr=22_050)
    theirs = librosa.onset.onset_detect(y=y, sr=22_050, units="time")
    figures = []
    for found in (ours, theirs):
        error, hits = errors_ms(truth, found)
        spread = np.ptp([np.median(error[hits & (names == k)]) for k in ("kick", "snare", "hat", "pluck")])
        figures.append((hits.mean(), np.median(np.abs(error[hits])), spread))
    assert figures[0][0] >= figures[1][0]
    assert figures[0][1] < 0.1 * figures[1][1]
    assert figures[0][2] < 0.2 * figures[1][2]


def test_stated_intervals_hold() -> None:
    covered = []
    for seed, noise_db in ((1, -50.0), (2, -30.0)):
        rng = np.random.default_rng(seed)
        samples, truth, _ = planted(("kick", "pluck", "snare", "hat"), 100, rng)
        found = detect_onsets(in_room(samples, rng, noise_db), RATE)
        nearest = np.argmin(np.abs(found.onset_s[None, :] - truth[:, None]), axis=1)
        error = np.abs(found.onset_s[nearest] - truth) * 1000
        near = error < 50
        covered += (error <= found.onset_uncertainty_ms[nearest])[near].tolist()
        assert np.median(found.onset_uncertainty_ms) < 3.0  # an interval of everything would say nothing
    assert np.mean(covered) >= 0.85


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000, 96_000, 192_000])
def test_any_rate(rate: int) -> None:
    samples, truth, _ = planted(("kick", "snare", "pluck"), 12, np.random.default_rng(5), rate)
    found = detect_onsets(samples, rate).onset_s
    error, hits = errors_ms(truth, found)
    assert hits.all()
    assert len(found) == 12
    assert np.median(np.abs(error)) < 0.5
    assert np.abs(error).max() < 4.0


def test_ringing_notes_do_not_pull_the_next_one() -> None:
    """A soft note under the loud tail of another is found at its own start."""
    rng = np.random.default_rng(6)
    t = np.arange(RATE) / RATE
    samples = np.zeros(4 * RATE)
    tail = sum(np.sin(2 * np.pi * f * t) for f in (110.0, 221.0, 333.0)) * np.exp(-t / 0.8) * (1 - np.exp(-t / 0.002))
    truth = []
    for i in range(3):
        first = RATE // 2 + i * RATE
        samples[first : first + RATE] += 0.2 * tail
        soft = first + round((0.3 + 0.1 * i) * RATE)
        sound = 0.05 * hit("pluck", RATE, rng)
        samples[soft : soft + len(sound)] += sound
        truth += [first / RATE, (soft + int(np.argmax(np.abs(sound) >= 0.01 * np.abs(sound).max()))) / RATE]
    samples += 1e-4 * rng.normal(0, 1, len(samples))
    error, hits = errors_ms(np.array(truth), detect_onsets(samples, RATE).onset_s)
    assert hits.all()
    assert np.median(np.abs(error)) < 1.0
    assert np.abs(error).max() < 2.5  # under a tail 14 dB louder


def cymbals(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return (samples, start seconds): every hit rings under the next two, and rises over them by 2 to 6 dB."""
    samples = np.zeros(8 * RATE)
    t = np.arange(RATE) / RATE
    starts = RATE // 2 + np.round(0.13 * RATE * np.arange(48) + rng.normal(0, 0.01 * RATE, 48)).astype(int)
    for start in starts:
        ring = np.diff(rng.normal(0, 1, RATE), 2, prepend=[0.0, 0.0]) * np.exp(-t / 0.25) * (1 - np.exp(-t / 0.001))
        samples[start : start + RATE] += 0.05 * rng.uniform(0.7, 1.0) * ring
    return samples, starts / RATE


def test_a_cymbal_is_heard_in_the_ringing_of_others() -> None:
    samples, truth = cymbals(np.random.default_rng(14))
    found = detect_onsets(samples, RATE)
    assert np.abs(found.onset_s[:, None] - truth[None, :]).min(1).max() < 0.012  # none is false
    error, hits = errors_ms(truth, found.onset_s, 0.012)
    assert hits.mean() >= 0.95
    assert np.median(np.abs(error[hits])) < 2.0


def test_noise_has_no_onsets_but_its_beginning() -> None:
    noise = 0.1 * np.random.default_rng(15).normal(0, 1, 20 * RATE)
    fading = np.concatenate([noise, noise[::-1] * np.linspace(1, 0, len(noise))])
    assert detect_onsets(fading, RATE).onset_s[1:].tolist() == []


def test_noise_that_swells_is_no_hit() -> None:
    rng = np.random.default_rng(16)
    samples = rng.normal(0, 1, 12 * RATE)
    swell = np.ones(len(samples))
    for start in range(2 * RATE, 11 * RATE, RATE):  # 6 dB within 80 ms, away again within 400
        swell[start : start + RATE] += np.interp(np.arange(RATE) / RATE, [0, 0.08, 0.2, 0.6, 1], [0, 1, 1, 0, 0])
    assert len(detect_onsets(0.1 * samples * swell, RATE).onset_s[1:]) <= 2


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_end_of_a_recording(rate: int) -> None:
    """A hit is found 8 ms before the end; a tone or a tail that is cut off there is none."""
    samples, truth, _ = planted(("kick", "pluck", "snare", "hat"), 16, np.random.default_rng(17), rate)
    found = 0
    for start in truth[4:]:
        last = detect_onsets(samples[: round((start + 0.008) * rate)], rate).onset_s[-1]
        found += abs(last - start) < 0.0005
        between = start + 0.12  # 130 ms after a hit, as many before the next
        assert detect_onsets(samples[: round(between * rate)], rate).onset_s[-1] < start + 0.001
    assert found >= 11


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0), np.zeros(1), np.ones(1), np.ones(10), np.zeros(RATE), np.full(RATE, 0.5), np.full(RATE, 1e-9)],
)
def test_nothing_to_find(samples: np.ndarray) -> None:
    found = detect_onsets(samples, RATE)
    assert isinstance(found, Onsets)
    assert len(found) == 0


def test_one_click_and_an_offset() -> None:
    samples = np.full(RATE, 0.25)
    samples[20_000] += 0.5
    found = detect_onsets(samples, RATE)
    assert np.abs(found.onset_s - 20_000 / RATE).tolist() == pytest.approx([0.0], abs=0.0002)
    assert detect_onsets(samples - 0.25, RATE).onset_s.tolist() == pytest.approx(found.onset_s.tolist(), abs=1e-4)


def test_level_is_the_peak_of_the_hit() -> None:
    samples, truth, _ = planted(("snare",), 20, np.random.default_rng(7), step_s=0.5)
    found = detect_onsets(samples, RATE)
    for start, level in zip(found.onset_s, found.level_db, strict=True):
        first = round(start * RATE)
        assert level == pytest.approx(20 * np.log10(np.abs(samples[first : first + 2205]).max()), abs=0.2)
    halved = detect_onsets(0.5 * samples, RATE)
    assert np.allclose(halved.onset_s, found.onset_s)
    assert np.allclose(halved.level_db, found.level_db - 6.0206, atol=1e-3)
    assert len(found) == len(truth)


def test_drums_are_named() -> None:
    samples, truth, names = planted(("kick", "snare", "hat"), 60, np.random.default_rng(9), step_s=0.4)
    found = detect_onsets(samples, RATE)
    nearest = np.argmin(np.abs(found.onset_s[None, :] - truth[:, None]), axis=1)
    assert np.mean(found.instrument[nearest] == names) > 0.95
    assert set(found.kind[nearest].tolist()) == {"percussive"}


def test_a_plucked_line_is_no_drum() -> None:
    samples, truth, _ = planted(("pluck",), 40, np.random.default_rng(19), step_s=0.35)
    found = detect_onsets(samples, RATE)
    assert len(found) == len(truth)
    assert np.mean(np.isin(found.kind, ("plucked", "struck"))) > 0.9
    assert np.mean(found.instrument == "") > 0.9


def test_hits_that_begin_together_are_one_and_a_flam_apart_is_two() -> None:
    """Within 30 ms it is one event, at the first; 45 ms apart, two."""
    rng = np.random.default_rng(20)
    for gap_s, events in ((0.0, 1), (0.012, 1), (0.024, 1), (0.045, 2), (0.08, 2)):
        samples = np.zeros(13 * RATE)
        truth = []
        for i in range(24):
            for k, gap in enumerate((0.0, gap_s)):
                sound = hit("snare" if k else "kick", RATE, rng)
                sound *= np.clip((len(sound) - np.arange(len(sound))) / (0.1 * RATE), 0, 1)  # no click at its end
                place = round((0.5 + 0.5 * i + gap) * RATE)
                samples[place : place + len(sound)] += 0.4 * sound / np.abs(sound).max()
                if k < events:
                    truth.append((place + int(np.argmax(np.abs(sound) >= 0.01 * np.abs(sound).max()))) / RATE)
        found = detect_onsets(samples, RATE).onset_s
        error, hits = errors_ms(np.array(truth), found)
        assert hits.mean() >= 0.97, gap_s
        assert len(found) <= 1.05 * len(truth), gap_s
        assert np.median(np.abs(error)) < 0.5, gap_s


def test_a_strum_is_one_event_at_its_first_string() -> None:
    rng = np.random.default_rng(21)
    samples = np.zeros(14 * RATE)
    truth = []
    for i in range(25):
        each = rng.uniform(0.006, 0.014)
        for k, key in enumerate((40, 47, 52, 56, 59, 64)):
            t = np.arange(int(0.45 * RATE)) / RATE
            hertz = 440 * 2 ** ((key - 69) / 12)
            tone = sum(np.sin(2 * np.pi * hertz * h * t + h) / h * np.exp(-t * h / 0.5) for h in range(1, 12))
            tone *= (1 - np.exp(-t / 0.001)) * np.clip((0.45 - t) / 0.08, 0, 1) * rng.uniform(0.7, 1.0)
            place = round((0.5 + 0.5 * i + each * k) * RATE)
            samples[place : place + len(tone)] += tone
            if k == 0:
                truth.append((place + int(np.argmax(np.abs(tone) >= 0.01 * np.abs(tone).max()))) / RATE)
    samples = 0.6 * samples / np.abs(samples).max() + 1e-4 * rng.normal(0, 1, len(samples))
    found = detect_onsets(samples, RATE).onset_s
    error, hits = errors_ms(np.array(truth), found)
    assert hits.all()
    assert len(found) <= 27
    assert np.median(np.abs(error)) < 2.0


@pytest.mark.parametrize("kind", ["vibrato", "beating", "glide", "pink"])
def test_what_only_moves_is_no_onset(kind: str) -> None:
    rng = np.random.default_rng(22)
    t = np.arange(12 * RATE) / RATE
    if kind == "vibrato":
        phase = 2 * np.pi * np.cumsum(220 * (1 + 0.015 * np.sin(2 * np.pi * 5.5 * t))) / RATE
        samples = sum(np.sin(h * phase) / h for h in range(1, 9))
    elif kind == "beating":
        samples = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 223.0, 331.0, 440.5, 447.0))
    elif kind == "glide":
        samples = np.sin(2 * np.pi * np.cumsum(200 * 2 ** (2 * np.sin(2 * np.pi * t / 6) ** 2)) / RATE)
    else:
        samples = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, len(t))) / np.sqrt(np.arange(len(t) // 2 + 1) + 1), len(t))
    samples = samples * np.clip(t / 0.5, 0, 1) * np.clip((12 - t) / 0.5, 0, 1) + 1e-4 * rng.normal(0, 1, len(t))
    found = detect_onsets(0.5 * samples / np.abs(samples).max(), RATE).onset_s
    assert len(found[found > 0.6]) <= 1


@pytest.mark.parametrize("chunk_s", [2.0, 5.3, 11.0])
def test_chunks_do_not_matter(chunk_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, _, _ = planted(("kick", "hat", "snare", "pluck"), 100, np.random.default_rng(10), step_s=0.2)
    whole = detect_onsets(samples, RATE)
    monkeypatch.setattr(listening, "CHUNK_S", chunk_s)
    other = detect_onsets(samples, RATE)
    for name in ("onset_s", "onset_uncertainty_ms", "level_db", "instrument", "kind"):
        assert np.array_equal(getattr(other, name), getattr(whole, name)), name
    assert np.allclose(other.strength, whole.strength, rtol=1e-9)  # a running mean rounds by where it began


def test_a_file_is_its_samples(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    left, _, _ = planted(("kick", "hat"), 20, rng)
    right, _, _ = planted(("snare",), 20, rng)
    size = min(len(left), len(right))
    write_audio(tmp_path / "a.flac", np.stack([left[:size], right[:size]], axis=1), sample_rate=RATE, format="FLAC")
    sound = open_audio(tmp_path / "a.flac")
    assert detect_onsets_in(sound) == detect_onsets(sound.read_mono(), RATE)


def test_what_is_no_mono_sound_is_refused() -> None:
    for bad in (np.zeros((5, 2)), np.zeros(5, dtype=np.int16)):
        with pytest.raises(TakeprintError, match="mono floats"):
            detect_onsets(bad, RATE)
    with pytest.raises(TakeprintError, match="rate"):
        detect_onsets(np.zeros(100), 10)
    with pytest.raises(TakeprintError, match="finite"):
        detect_onsets(np.array([0.0, np.nan, 0.5] * 100), RATE)


def test_band_kernels_are_their_naive_twins() -> None:
    from takeprint.core.kernels.band_flux import band_flux
    from takeprint.core.kernels.band_peaks import band_peaks
    from tests.naive.band_flux import band_flux as naive_band_flux
    from tests.naive.band_peaks import band_peaks as naive_band_peaks

    rng = np.random.default_rng(23)
    for frames, count, lag, stay in ((30, 7, 2, 10), (5, 1, 2, 10), (1, 3, 2, 4), (12, 2, 0, 0), (0, 4, 2, 3)):
        levels = np.maximum(rng.normal(1, 1.5, (frames, count)), 0).astype(np.float32)
        assert np.allclose(band_flux(levels, lag, stay), naive_band_flux(levels, lag, stay), atol=1e-6)
    power = rng.random((9, 20)).astype(np.float32)
    for edges in ([0, 20], [1, 2, 3, 7, 20], [5, 6]):
        at = np.array(edges, dtype=np.int64)
        assert np.array_equal(band_peaks(power, at), naive_band_peaks(power, at))


@pytest.mark.shared
def test_a_drum_machine_at_120_bpm(shared_data: Path) -> None:
    sound = open_audio(shared_data / "beatnet-808" / "808kick120bpm.mp3")
    found = detect_onsets_in(sound)
    whole = found.onset_s[found.onset_s > 0.25]  # the first hit is cut by the beginning of the file
    assert len(whole) == 19
    intervals = np.diff(whole) * 1000
    assert np.abs(intervals - 500.0).max() < 1.2  # an MP3: what a codec lays before a hit blurs its beginning
    assert intervals.std() < 0.5
    assert np.mean(found.instrument == "kick") >= 0.9


@pytest.mark.shared
def test_a_trumpet(shared_data: Path) -> None:
    """Tongued notes, read from where the pitch of a pYIN contour steps (its frames are 12 ms and see ahead)."""
    sound = open_audio(shared_data / "librosa-examples" / "sorohanro_-_solo-trumpet-06.hq.ogg")
    found = detect_onsets_in(sound).onset_s
    steps = np.array([0.186, 0.546, 0.871, 1.045, 1.347, 1.985, 2.299])
    _, hits = errors_ms(steps, found)
    assert hits.all()
    assert len(found) <= 20


def test_what_begins_with_the_recording_is_heard() -> None:
    y, rate = np.zeros(88_200), 44_100
    for place in (0, 22_050, 44_100):
        y[place : place + 2000] += 0.5 * np.exp(-np.arange(2000) / 100.0) * np.sin(0.15 * np.arange(2000))
    found = detect_onsets(y, rate).onset_s
    assert len(found) == 3
    assert np.abs(found - [0.0, 0.5, 1.0]).max() < 0.0005


def test_a_tone_cut_off_into_digital_silence_does_not_begin_there() -> None:
    y, rate = np.zeros(220_500), 44_100
    begins = np.arange(0.5, 4.5, 0.5)
    for begin_s in begins:
        t = np.arange(int(0.3 * rate)) / rate
        y[int(begin_s * rate) :][: len(t)] += 0.4 * np.exp(-4 * t) * np.sin(2 * np.pi * 330 * t)
    found = detect_onsets(y, rate).onset_s
    assert len(found) == len(begins)
    assert np.abs(found - begins).max() < 0.001
