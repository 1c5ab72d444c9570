"""The warp between two performances on drums: long steady paths instead of harmonies."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis.listening import Sound, listen
from takeprint.analysis.warp import align_features
from takeprint.analysis.warp_features import WarpListener
from takeprint.analysis.warp_groove import at_speed, shares_of, speed_of, without
from takeprint.analysis.warp_levels import pooled
from takeprint.analysis.warp_paths import apart
from takeprint.core.errors import TakeprintError

RATE = 16_000
# Sixteenths of a bar on which kick, snare and hat are struck.
ROCK = ((0, 8, 10), (4, 12), (0, 2, 4, 6, 8, 10, 12, 14))
MARCH = ((0, 4, 8, 12), (2, 3, 6, 10, 11, 14, 15), (0, 8))


def groove(bars, bpm, pattern=ROCK, fills=None):
    """Return (seconds, drum) of every stroke; with a generator, one bar in four has a fill of its own."""
    out = []
    for bar in range(bars):
        own = [list(drum) for drum in pattern]
        if fills is not None and fills.random() < 0.5:
            own[1] = sorted({4, *fills.choice(16, 5, replace=False).tolist()})
        out += [((bar * 16 + place) * 15.0 / bpm, drum) for drum, places in enumerate(own) for place in places]
    return np.array(sorted(out))


def struck(strokes, kit, noise=0.0):
    """Return the samples of strokes on a kit: a thump, a burst of noise and a short bright one; kits differ."""
    rng = np.random.default_rng(kit)
    t = np.arange(int(0.25 * RATE)) / RATE
    burst = rng.normal(size=(3, len(t)))
    bright = np.diff(burst[2], prepend=0.0)
    sounds = (
        np.sin(2 * np.pi * (55 + 10 * kit) * t) * np.exp(-t / 0.07),
        (0.5 * burst[1] + np.sin(2 * np.pi * (180 + 25 * kit) * t)) * np.exp(-t / (0.06 + 0.02 * kit)),
        0.4 * bright * np.exp(-t / (0.02 + 0.01 * kit)),
    )
    out = noise * rng.normal(size=int((strokes[:, 0].max() + 1.5) * RATE))
    for when, drum in strokes:
        place = round((0.5 + when) * RATE)
        out[place : place + len(t)] += rng.uniform(0.6, 1.0) * sounds[int(drum)]
    return out


def heard(strokes, kit, noise=0.0):
    listener = WarpListener(RATE)
    listen(Sound.of_samples(struck(strokes, kit, noise), RATE), listener)
    return listener.result()


def played(strokes, seed, tempo=1.0, drift_s=0.3):
    """Return a drummer's strokes: a wandering tempo, 10 ms of timing."""
    when = strokes[:, 0]
    moved = tempo * when + drift_s * np.sin(when / 6.0) + np.random.default_rng(seed).normal(0, 0.01, len(when))
    return np.column_stack([np.maximum(moved, -0.4), strokes[:, 1]])


def off_s(warp, strokes, live):
    return np.abs(warp.take_at(0.5 + strokes[:, 0]) - 0.5 - live[:, 0])


@pytest.mark.parametrize("tempo", [1.0, 1.2, 0.85])
def test_a_drummer_is_held_against_the_grid(tempo):
    written = groove(18, 100, fills=np.random.default_rng(1))
    live = played(written, 2, tempo)
    warp = align_features(heard(live, 1, 0.02), heard(written, 0))
    assert warp.evidence["by"] == "strokes"
    assert warp.evidence["speed"] == pytest.approx(tempo, abs=0.06)
    off = off_s(warp, written, live)
    assert np.nanmedian(off) < 0.02
    assert np.nanpercentile(off, 95) < 0.06
    assert np.isfinite(off).mean() > 0.97


def test_a_loop_is_held_from_its_beginning_to_its_end_and_confidence_is_low():
    written = groove(16, 110)
    live = played(written, 3, drift_s=0.1)
    loop = align_features(heard(live, 1), heard(written, 0))
    off = off_s(loop, written, live)
    assert np.nanpercentile(off, 95) < 0.06
    assert np.isfinite(off).mean() > 0.95
    fills = groove(16, 110, fills=np.random.default_rng(4))
    telling = align_features(heard(played(fills, 3, drift_s=0.1), 1), heard(fills, 0))
    # A loop matches nearly as well a bar away.
    assert loop.evidence["elsewhere"] > 0.85
    assert loop.confidence < 0.2
    assert telling.confidence > loop.confidence + 0.1


@pytest.mark.parametrize(("pattern", "bpm"), [(MARCH, 100), (MARCH, 141), (ROCK, 67)])
def test_another_groove_or_tempo_is_refused(pattern, bpm):
    reference = heard(groove(16, 100, fills=np.random.default_rng(5)), 0)
    other = groove(round(16 * bpm / 100), bpm, pattern, np.random.default_rng(6))
    with pytest.raises(TakeprintError, match="by their strokes alone") as said:
        align_features(heard(played(other, 7), 1), reference)
    assert said.value.code == "warp.different"


def test_a_cut_in_a_groove_makes_two_parts_that_do_not_overlap():
    written = groove(24, 100, fills=np.random.default_rng(8))
    live = played(written, 9, drift_s=0.1)
    cut_s = 7.3 * 2.4
    kept = (live[:, 0] < 20.0) | (live[:, 0] > 20.0 + cut_s)
    live[live[:, 0] > 20.0 + cut_s, 0] -= cut_s
    warp = align_features(heard(live[kept], 1), heard(written, 0))
    assert len(set(warp.part)) == 2
    assert (np.diff(warp.reference_s) >= 0).all()
    assert (np.diff(warp.time_s) >= 0).all()
    off = off_s(warp, written, live)[kept]
    assert np.mean(off < 0.06) > 0.9


def test_parts_that_overlap_are_parted():
    first = np.array([[0.0, 30.0], [30.0, 61.0], [31.0, 65.0]])
    second = np.array([[49.0, 63.0], [50.0, 65.0], [91.0, 106.0]])
    a, b = apart([first, second])
    assert a[-1, 1] == pytest.approx(64.0)
    assert b[0, 1] == pytest.approx(64.0)
    assert a[-1, 0] == pytest.approx(30.75)
    assert b[0, 0] == pytest.approx(49.5)
    np.testing.assert_array_equal(a[0], first[0])
    np.testing.assert_array_equal(b[-1], second[-1])


def test_parts_that_overlap_on_both_sides_or_wholly():
    rng = np.random.default_rng(10)
    for _ in range(200):
        parts = []
        for _ in range(3):
            begin = rng.uniform(0, 20, 2)
            parts.append(begin + np.cumsum(rng.uniform(0.1, 3, (int(rng.integers(2, 8)), 2)), axis=0))
        parted = apart(parts)
        knots = np.concatenate(parted)
        assert (np.diff(knots, axis=0) >= 0).all()
        assert all(len(p) >= 2 and (np.diff(p, axis=0) > 0).all() for p in parted)
    lone = [np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([[6.0, 7.0], [9.0, 9.0]])]
    assert all(np.array_equal(a, b) for a, b in zip(apart(lone), lone, strict=True))


def test_speed_does_not_see_a_cut():
    rows = np.arange(0, 400)
    path = np.stack([np.round(1.1 * rows), rows], axis=1).astype(np.int64)
    path[300:, 1] += 200
    assert speed_of(path) == pytest.approx(1.1, abs=0.01)
    assert speed_of(np.stack([rows, rows], axis=1)) == 1.0
    assert speed_of(path[:3]) == 1.0


def test_at_speed_moves_frames_and_keeps_values():
    side = heard(groove(2, 100), 0)
    faster = at_speed(side, 1.25)
    assert faster.duration_s == pytest.approx(side.duration_s / 1.25, abs=0.03)
    np.testing.assert_allclose(faster.level_db[40], side.level_db[50], atol=1e-3)


def test_shares_and_elsewhere_are_counted_by_the_path():
    side = pooled(heard(groove(4, 100), 0), 2)
    n = len(side.chroma)
    path = np.stack([np.arange(n), np.arange(n)], axis=1)
    assert shares_of(side, side, [path]) == (1.0, 1.0)
    assert max(shares_of(side, side, [path[: n // 4]])) < 0.5
    left = without(np.zeros((n, n)), [path], 2)
    assert (left < 0).sum() == 5 * n - 6
    assert left[0, 3] == 0
