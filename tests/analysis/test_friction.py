"""Friction: planted noises among plucked strings, all by own synthesis; bad input; one result whatever the chunks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from takeprint.analysis import listening
from takeprint.analysis.friction import FrictionListener, find_friction
from takeprint.core.errors import TakeprintError
from takeprint.core.kernels.linear_residual import linear_residual
from tests.naive.linear_residual import linear_residual as naive_residual

RATE = 44_100


def plucked(rng: np.random.Generator, hertz: float, seconds: float) -> np.ndarray:
    """Return a string after Karplus and Strong (1983): a burst of noise in a damped loop."""
    from scipy.signal import lfilter

    period = round(RATE / hertz)
    burst = np.zeros(int(seconds * RATE))
    burst[:period] = rng.uniform(-1, 1, period)
    burst = lfilter([0.4], [1, -0.6], burst)
    loop = np.zeros(period + 2)
    loop[0], loop[period], loop[period + 1] = 1.0, -0.498, -0.498
    y = lfilter([1.0], loop, burst)
    return y / np.sqrt(np.mean(y[: int(0.05 * RATE)] ** 2))


def squeak(rng: np.random.Generator, seconds: float = 0.12) -> np.ndarray:
    """Return a swelling noise with a gliding ridge, as of a finger along a wound string."""
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    glide = np.sin(2 * np.pi * np.cumsum(2200 + 1500 * np.sin(np.pi * t / seconds)) / RATE)
    noise = np.diff(rng.standard_normal(n + 1))
    y = (glide * (1 + 0.5 * rng.standard_normal(n)) + 0.7 * noise) * np.sin(np.pi * t / seconds)
    return y / np.sqrt(np.mean(y[n // 4 : 3 * n // 4] ** 2))


def click(rng: np.random.Generator) -> np.ndarray:
    """Return a dull tap of some 15 ms, as of a finger that leaves or stops a string."""
    n = int(0.03 * RATE)
    y = rng.standard_normal(n) * np.exp(-np.arange(n) / (0.005 * RATE))
    return y / np.sqrt(np.mean(y[: int(0.015 * RATE)] ** 2))


def played(seed: int, level_db: float = -15.0, with_noises: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a line of 40 notes, their onsets and the starts of the noises between some of them."""
    rng = np.random.default_rng(seed)
    y = np.zeros(22 * RATE)
    notes, starts = 0.3 + 0.5 * np.arange(40), []
    for i, onset in enumerate(notes):
        wave = plucked(rng, 110 * 2 ** (rng.integers(0, 20) / 12), 0.47)
        wave = wave * np.clip((0.47 * RATE - np.arange(len(wave))) / (0.04 * RATE), 0, 1)
        first = int(onset * RATE)
        y[first : first + len(wave)] += wave * 10 ** (-rng.uniform(0, 6) / 20)
        if i % 2 and with_noises:
            noise = squeak(rng) if i % 4 == 1 else click(rng)
            start = onset + rng.uniform(0.24, 0.33)
            first = int(start * RATE)
            y[first : first + len(noise)] += noise * 10 ** (level_db / 20)
            starts.append(start)
    y += 1e-4 * rng.standard_normal(len(y))
    return 0.5 * y / np.abs(y).max(), notes, np.array(starts)


def f_of(found: np.ndarray, truth: np.ndarray) -> float:
    hits = sum(bool(np.any(np.abs(found - t) < 0.05)) for t in truth)
    return 2 * hits / (len(found) + len(truth))


def starts_of(events: tuple[dict[str, float | int | str], ...]) -> np.ndarray:
    return np.array([float(e["start_s"]) for e in events])


def test_planted_noises_are_found() -> None:
    scores = []
    for seed in (1, 2):
        y, notes, truth = played(seed)
        scores.append(f_of(starts_of(find_friction(y, RATE, notes)), truth))
    assert np.mean(scores) >= LEAST_F


LEAST_F = 0.7


def test_few_events_where_nothing_is_planted() -> None:
    y, notes, _ = played(3, with_noises=False)
    assert len(find_friction(y, RATE, notes)) <= 2


def test_an_onset_that_is_a_noise_is_named() -> None:
    y, notes, truth = played(4)
    onset_s = np.sort(np.concatenate([notes, truth]))
    events = find_friction(y, RATE, onset_s)
    named = [onset_s[int(e["belongs"])] for e in events if int(e["belongs"]) >= 0]
    assert len(named) >= 0.5 * len(truth)
    assert sum(bool(np.any(np.abs(truth - t) < 1e-9)) for t in named) >= 0.8 * len(named)


def test_events_are_in_order_and_in_bounds() -> None:
    y, notes, _ = played(5)
    events = find_friction(y, RATE, notes)
    assert events
    assert np.all(np.diff(starts_of(events)) > 0)
    for e in events:
        assert 0 <= float(e["start_s"]) < len(y) / RATE
        assert float(e["duration_s"]) > 0
        assert 0 <= float(e["confidence"]) <= 1
        assert -90 < float(e["level_db"]) < 0
        assert e["kind"] in ("squeak", "release", "pick", "key", "")


def test_a_noise_in_silence_has_its_level() -> None:
    listener = FrictionListener(RATE, 1.0)
    rng = np.random.default_rng(0)
    y = np.zeros(4 * RATE)
    y[2 * RATE : 2 * RATE + 2205] = 0.1 * rng.standard_normal(2205)
    y[RATE] = 1.0
    listening.listen(listening.Sound.of_samples(y, RATE), listener)
    found = listener.found()
    i = int(np.argmin(np.abs(found.start_s - 2.0)))
    assert abs(found.start_s[i] - 2.0) < 0.01
    assert abs(10 * np.log10(found.power[i]) + 20.0) < 4.0


def test_the_same_at_any_gain() -> None:
    y, notes, _ = played(6)
    loud, soft = (find_friction(y * gain, RATE, notes) for gain in (1.0, 10 ** (-30 / 20)))
    assert len(loud) == len(soft) > 0
    for a, b in zip(loud, soft, strict=True):
        assert a["start_s"] == pytest.approx(b["start_s"], abs=1e-6)
        assert a["level_db"] == pytest.approx(float(b["level_db"]) + 30, abs=0.01)
        assert a["confidence"] == pytest.approx(b["confidence"], abs=1e-3)


def test_the_same_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    y, notes, _ = played(7)
    whole = find_friction(y, RATE, notes)
    monkeypatch.setattr(listening, "CHUNK_S", 4.3)
    parts = find_friction(y, RATE, notes)
    assert len(whole) == len(parts) > 0
    assert np.allclose(starts_of(whole), starts_of(parts), atol=1e-6)
    for a, b in zip(whole, parts, strict=True):
        assert a["confidence"] == pytest.approx(b["confidence"], abs=0.02)


@pytest.mark.parametrize("rate", [1000, 8000, 44_100, 192_000])
def test_bad_input_has_an_honest_answer(rate: int) -> None:
    rng = np.random.default_rng(0)
    n = 2 * rate
    one = np.zeros(n)
    one[rate // 2] = 1.0
    tone = np.sin(2 * np.pi * 220 * np.arange(n) / rate)
    for y in (np.zeros(0), np.full(1, 0.3), np.zeros(n), np.full(n, 0.3), one, tone):
        assert find_friction(y, rate) == ()
    for y in (0.1 * rng.standard_normal(n), np.clip(5 * tone, -1, 1)):
        assert len(find_friction(y, rate)) <= 2


def test_refusals() -> None:
    with pytest.raises(TakeprintError):
        find_friction(np.full(100, np.nan), RATE)
    with pytest.raises(TakeprintError):
        find_friction(np.zeros((2, 100)), RATE)
    with pytest.raises(TakeprintError):
        find_friction(np.zeros(100), 0)


def test_residual_is_that_of_the_naive_twin() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(700)
    for x in (
        rng.standard_normal(700),
        np.sin(0.3 * t) + 0.01 * rng.standard_normal(700),
        np.zeros(700),
        rng.standard_normal(5),
    ):
        out = np.empty_like(x)
        linear_residual(x, 6, 100, 1e-7, out)
        assert np.allclose(out, naive_residual(x, 6, 100, 1e-7), atol=1e-6)


def test_residual_of_what_rings_is_nothing() -> None:
    t = np.arange(4000)
    x = np.exp(-t / 3000) * np.sin(0.21 * t) + 0.5 * np.exp(-t / 2000) * np.sin(0.5 * t + 1)
    x[2000:2010] += 0.01 * np.random.default_rng(0).standard_normal(10)
    out = np.empty_like(x)
    linear_residual(x, 12, 400, 1e-9, out)
    assert np.abs(out[500:1500]).max() < 1e-4
    assert np.abs(out[2000:2010]).max() > 3e-3


def test_real_noises_of_a_guitar(shared_data: Path) -> None:
    import soundfile

    rng = np.random.default_rng(0)
    notes = [soundfile.read(f)[0] for f in sorted(shared_data.glob("emilyguitar/notes/*.wav"))[::3]]
    noises = [soundfile.read(f)[0] for f in sorted(shared_data.glob("emilyguitar/release/*rr2.wav"))[1::4]]
    if not notes or not noises:
        pytest.skip("no emilyguitar among the shared data")
    y, onset_s, truth = np.zeros(20 * RATE), 0.3 + 0.75 * np.arange(25), []
    for i, onset in enumerate(onset_s):
        wave = notes[rng.integers(len(notes))][: int(0.7 * RATE)]
        wave = wave.reshape(len(wave), -1).mean(1) * np.clip((0.7 * RATE - np.arange(len(wave))) / (0.05 * RATE), 0, 1)
        y[int(onset * RATE) : int(onset * RATE) + len(wave)] += wave
        if i % 2:
            start = onset + rng.uniform(0.4, 0.6)
            noise = noises[rng.integers(len(noises))]
            noise = noise.reshape(len(noise), -1).mean(1)
            y[int(start * RATE) : int(start * RATE) + len(noise)] += noise
            truth.append(start)
    y = 0.5 * y / np.abs(y).max()
    assert f_of(starts_of(find_friction(y, RATE, onset_s)), np.array(truth)) >= LEAST_F
