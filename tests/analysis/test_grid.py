"""Places on a clock, planted: sparse and swung patterns, early and late players, drift."""

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.core.timeline import Timeline
from tests.analysis.planted import HAT, KICK, SNARE, midi_take


def planted(bpm, lines, *, beats=64, hats_only=True, sd_ms=8.0, bias_ms=0.0, rate=0.0, seed=0):
    """Return (take, beat, timing) of hats on the lines of every beat from beat 4 on; ``rate`` faster than the clock."""
    rng = np.random.default_rng(seed)
    beat = np.add.outer(np.arange(beats, dtype=float), lines).ravel()
    pitch = np.full(len(beat), HAT)
    if not hats_only:
        quarters = np.arange(beats, dtype=float)
        beat = np.r_[beat, quarters]
        pitch = np.r_[pitch, np.where(quarters % 2, SNARE, KICK)]
    beat = beat + 4
    timing_ms = rng.normal(0, sd_ms, len(beat)) + bias_ms
    clock = Timeline.constant(bpm)
    written_s = clock.seconds_at(beat)
    onset_s = written_s.min() + (written_s - written_s.min()) / (1 + rate) + timing_ms / 1000
    order = np.lexsort((pitch, onset_s))
    take = midi_take(onset_s, 0.03, pitch, 90, clock=clock, channel=9)
    return take, beat[order], timing_ms[order]


@pytest.mark.parametrize("bpm", [50, 110, 180])
@pytest.mark.parametrize("bias_ms", [-30.0, 20.0])
@pytest.mark.parametrize(
    "lines",
    [(0,), (0.5,), (0, 0.25, 0.5, 0.75), (0, 1 / 3, 2 / 3), (0, 0.75), (0, 0.58), (0, 0.667), (0, 0.31, 0.5, 0.81)],
    ids=["quarters", "off-beats", "16", "triplets", "dotted", "swung-.58", "swung-.667", "swung-16"],
)
def test_one_voice_alone_is_placed(lines, bias_ms, bpm):
    """Hats alone fit several offsets alike; the smallest is the player's, and swing is no latency."""
    take, beat, timing_ms = planted(bpm, lines, bias_ms=bias_ms)
    d = measure(take, click="file")
    # A swing ratio is the median place of the swung notes: as exact as 8 ms of spread let it be.
    slack_ms = 3.0 if len(lines) in (2, 4) and lines[1] not in (0.25, 0.5, 0.75) else 0.1
    np.testing.assert_allclose(d.notes.reference_beat, beat, atol=slack_ms * bpm / 60_000)
    np.testing.assert_allclose(d.notes.timing_ms + d.latency_ms, timing_ms, atol=slack_ms + 0.1)
    assert d.latency_ms == pytest.approx(bias_ms, abs=4)


def test_a_row_of_thirty_seconds_alone_has_no_latency():
    take, beat, _ = planted(100, np.arange(8) / 8, sd_ms=0.0)
    d = measure(take, click="file")
    np.testing.assert_allclose(d.notes.reference_beat, beat, atol=1e-6)
    assert d.latency_ms == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("ratio", [0.56, 0.6, 0.64, 0.7])
@pytest.mark.parametrize("unit", ["8", "16"])
def test_the_swing_ratio_is_measured(unit, ratio):
    lines = (0, ratio) if unit == "8" else (0, ratio / 2, 0.5, 0.5 + ratio / 2)
    take, _, _ = planted(84, lines, hats_only=False, sd_ms=6.0, bias_ms=-15)
    d = measure(take, click="file")
    assert d.reference["grid"]["swing_unit"] == unit
    assert d.reference["grid"]["swing_ratio"] == pytest.approx(ratio, abs=0.005)
    assert d.latency_ms == pytest.approx(-15, abs=2)


@pytest.mark.parametrize("rate", [-0.03, -0.01, 0.01, 0.03])
@pytest.mark.parametrize(
    ("bpm", "lines"),
    [(80, (0,)), (120, (0, 0.5)), (120, (0, 0.62)), (160, (0, 0.25, 0.5, 0.75)), (100, (0, 1 / 3, 2 / 3))],
)
def test_drift_against_a_given_click_is_tempo(bpm, lines, rate):
    """A take that leaves its click keeps its places and tells its own tempo."""
    take, beat, _ = planted(bpm, lines, hats_only=False, rate=rate)
    d = measure(take, click=bpm)
    swung_slack = 0.006 if lines[-1] == 0.62 else 1e-6
    np.testing.assert_allclose(d.notes.reference_beat, beat, atol=swung_slack)
    assert d.summary["tempo"]["median_bpm"] == pytest.approx(bpm * (1 + rate), rel=0.001)
    assert any("drifts" in w for w in d.warnings)
    assert not any("chance" in w or "place was found" in w for w in d.warnings)


def test_a_steady_take_does_not_drift():
    for bpm in (60, 120, 200):
        take, _, _ = planted(bpm, (0, 0.5), hats_only=False, sd_ms=15.0)
        d = measure(take, click=bpm)
        assert not d.reference["grid"]["offset_tracked"]
        assert d.warnings == ()
