"""The placing of onsets against planted truth: proposals are the truth moved at random."""

from __future__ import annotations

import io

import numpy as np
import pytest

from takeprint.analysis.onset_places import place_onsets, read
from tests.analysis.test_onsets import hit, in_room, planted
from tests.naive.cell_levels import cell_levels as naive_cell_levels
from tests.naive.level_spans import level_spans as naive_level_spans
from tests.naive.linear_prediction import linear_prediction as naive_linear_prediction

RATE = 44_100
DRUMS = ("kick", "snare", "hat")


def placed(samples: np.ndarray, truth: np.ndarray, seed: int, rate: int = RATE, spread_ms: float = 8.0):
    """Return (errors, stated half widths) in ms for proposals up to ``spread_ms`` off."""
    moved = truth + np.random.default_rng(seed).uniform(-spread_ms, spread_ms, len(truth)) / 1000
    found = place_onsets(samples / np.abs(samples).max(), np.round(moved * rate).astype(np.int64), rate)
    return (found.onset / rate - truth) * 1000, found.half_width * 1000 / rate


def through_mp3(samples: np.ndarray) -> np.ndarray:
    soundfile = pytest.importorskip("soundfile")
    if "MP3" not in soundfile.available_formats():
        pytest.skip("this soundfile writes no MP3")
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", RATE, 1, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0.67
    ) as out:
        for begin in range(0, len(samples), 1 << 16):
            out.write(samples[begin : begin + (1 << 16)])
    file.seek(0)
    back = soundfile.read(file)[0]
    length = min(len(samples), len(back))
    lags = np.arange(-2500, 2500)
    middle = slice(length // 4, length // 4 + 8 * RATE)
    span = np.arange(middle.start, min(middle.stop, length - 2500))
    delay = lags[np.argmax([samples[span] @ back[span + lag] for lag in lags[::1]])]
    back = back[delay:] if delay > 0 else np.concatenate([np.zeros(-delay), back])
    return np.concatenate([back, np.zeros(max(len(samples) - len(back), 0))])[: len(samples)]


@pytest.mark.parametrize(
    ("kinds", "noise_db", "median_ms", "p95_ms"),
    [(DRUMS, None, 0.1, 0.5), (DRUMS, -30.0, 0.3, 1.5), (("pluck",), None, 0.3, 1.0), (("pluck",), -30.0, 1.0, 6.0)],
)
def test_planted_onsets_are_placed(kinds, noise_db, median_ms: float, p95_ms: float) -> None:
    rng = np.random.default_rng(31)
    samples, truth, names = planted(kinds, 150, rng)
    if noise_db is not None:
        samples = in_room(samples, rng, noise_db)
    error, half_width = placed(samples, truth, 1)
    assert np.median(np.abs(error)) <= median_ms
    assert np.percentile(np.abs(error), 95) <= p95_ms
    assert np.abs(error).max() < 12.0  # the other hits are farther away
    biases = [np.median(error[names == k]) for k in kinds]
    assert np.ptp(biases) < 1.0
    assert np.mean(np.abs(error) <= half_width) >= 0.85
    assert np.median(half_width) < 7.0  # an interval of everything would say nothing


def test_pre_echo_of_a_codec_is_no_onset() -> None:
    rng = np.random.default_rng(32)
    samples, truth, _ = planted(DRUMS, 80, rng, step_s=0.3)
    error, half_width = placed(through_mp3(samples), truth, 2)
    assert np.median(np.abs(error)) < 0.3
    assert np.percentile(error, 5) > -1.5  # pre-echo begins 3 to 10 ms before
    assert np.mean(np.abs(error) <= half_width) >= 0.85


def test_a_note_does_not_jump_to_its_neighbour() -> None:
    """Loud and soft notes in turn, 45 ms apart: each proposal keeps its own."""
    rng = np.random.default_rng(33)
    samples, truth = np.zeros(14 * RATE), []
    for i in range(40):
        for offset, gain in ((0.0, 1.0), (0.045, 0.25)):
            place = round((0.5 + 0.3 * i + offset + rng.normal(0, 0.003)) * RATE)
            sound = hit(("snare", "pluck")[i % 2], RATE, rng)
            sound = gain * sound / np.abs(sound).max()
            samples[place : place + len(sound)] += sound[: len(samples) - place]
            truth.append((place + int(np.argmax(np.abs(sound) >= 0.01 * gain))) / RATE)
    samples += 1e-3 * rng.normal(0, 1, len(samples))
    error, half_width = placed(samples, np.array(truth), 3, spread_ms=5.0)
    assert np.percentile(np.abs(error), 90) < 6.0
    assert np.abs(error).max() < 20.0
    assert np.mean(np.abs(error) <= half_width) >= 0.85


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000, 96_000, 192_000])
def test_any_rate(rate: int) -> None:
    samples, truth, _ = planted(("kick", "snare", "pluck"), 30, np.random.default_rng(34), rate)
    error, half_width = placed(samples, truth, 4, rate)
    assert np.median(np.abs(error)) < max(0.25, 1500 / rate)
    assert np.percentile(np.abs(error), 95) < 3.0
    assert np.mean(np.abs(error) <= half_width) >= 0.8


def test_gain_offset_and_company_do_not_matter() -> None:
    rng = np.random.default_rng(35)
    samples, truth, _ = planted(("kick", "pluck", "hat"), 30, rng)
    samples += 1e-4 * rng.normal(0, 1, len(samples))
    proposals = np.round((truth + rng.uniform(-0.006, 0.006, len(truth))) * RATE).astype(np.int64)
    found = place_onsets(samples, proposals, RATE)
    for other in (0.03 * samples, -samples, samples + 0.2):
        again = place_onsets(other, proposals, RATE)
        assert np.mean(np.abs(again.onset - found.onset) <= 1) >= 0.96
    alone = [place_onsets(samples, proposals[max(i - 1, 0) : i + 2], RATE) for i in range(30)]
    assert [int(a.onset[min(i, 1)]) for i, a in enumerate(alone)] == found.onset.tolist()
    assert np.array_equal([a.half_width[min(i, 1)] for i, a in enumerate(alone)], found.half_width)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.zeros(5000), np.full(300, 0.5), np.ones(3)])
def test_nothing_there(samples: np.ndarray) -> None:
    places = np.unique(np.clip(np.array([0, 1, 150, 4999]), 0, max(len(samples) - 1, 0))).astype(np.int64)
    found = place_onsets(samples, places, RATE)
    assert len(found.onset) == len(places)
    assert np.isfinite(found.half_width).all()
    assert ((found.onset >= 0) & (found.onset < max(len(samples), 1))).all()
    assert len(place_onsets(samples, np.zeros(0, dtype=np.int64), RATE).onset) == 0


def test_a_posterior_is_read() -> None:
    belief = np.zeros((3, 101))
    belief[0, 40] = 1.0
    belief[1, 58:63] = 0.2
    belief[2, [20, 70]] = 0.3, 0.7
    median, half_width = read(belief)
    assert median == pytest.approx([40.0, 60.0, 70.0])
    assert half_width[0] <= 1.0
    assert 2.0 <= half_width[1] <= 3.0
    assert half_width[2] == pytest.approx(50.5)  # nine of ten do not lie at the stronger place


def test_the_kernels_are_their_naive_twins() -> None:
    from takeprint.core.kernels.cell_levels import cell_levels
    from takeprint.core.kernels.level_spans import level_spans
    from takeprint.core.kernels.linear_prediction import linear_prediction

    rng = np.random.default_rng(36)
    x = np.convolve(rng.normal(0, 0.1, 900), [1.0, 0.8, 0.5])[:900] + 0.3 * np.sin(0.2 * np.arange(900))
    begins, ends = np.array([0, 100, 5, 899]), np.array([300, 130, 700, 900])
    predictors = linear_prediction(x, begins, ends, 8)
    assert np.allclose(predictors, naive_linear_prediction(x, begins, ends, 8), atol=1e-5)
    assert np.array_equal(linear_prediction(np.zeros(100), begins[:1], ends[1:2] - 30, 3), [[1, -1, 0, 0]])
    sections = np.array([[[1, 0, 0, 0, 0], [0.2, 0.3, 0.1, -0.5, 0.2]], [[0.6, -0.9, 0.3, -0.2, 0.1], [1, 0, 0, 0, 0]]])
    places, offsets = np.array([-30, 200, 860, 2000]), np.array([0.0, 0.01, -0.2, 0.0])
    fast = cell_levels(x, places, offsets, 3, 20, 12, predictors, sections)
    slow = naive_cell_levels(x, places, offsets, 3, 20, 12, predictors, sections)
    assert np.allclose(fast, slow, atol=1e-3)
    tops, floors = fast.max(2).astype(np.float64), fast.min(2).astype(np.float64)
    widths = np.array([1, 2, 4])
    spans = level_spans(fast, tops, floors, 8, 5, widths, 10.0)
    assert np.allclose(spans, naive_level_spans(fast.astype(np.float64), tops, floors, 8, 5, widths, 10.0), atol=1e-5)
