"""What is written around each beat, against counting by hand."""

from __future__ import annotations

import numpy as np

from takeprint.core.written_beats import BEAT_NAMES, N_BEAT_LIKE, beat_context, beat_likeness, whole_beats
from takeprint.core.written_context import Written


def _written(rows, shift=0.0):
    """Return (beat, length, pitch) rows in 4/4 at 60 bpm."""
    beat, length, pitch = np.array(sorted(rows), dtype=float).T
    n = len(beat)
    return Written(beat + shift, length, pitch, beat + shift, np.full(n, 60.0), beat % 4, np.full(n, 4.0), np.zeros(n))


def _random(seed, n=120):
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.choice([0.25, 0.5, 0.5, 1.0, 3.0], n))
    # One length a moment: of a key's chord the pitches differ.
    return [(b, float(rng.choice([0.25, 0.5, 1.0])), p) for b in at for p in rng.choice(np.arange(40, 80), 2, False)]


def _column(written, name):
    return beat_context(written, whole_beats(written))[:, BEAT_NAMES.index(name)]


def test_by_hand():
    music = _written([(0, 1, 60), (0, 1, 72), (0.5, 0.5, 74), (1, 1, 76), (2, 0.5, 71), (4, 1, 60), (5, 1, 62)])
    assert whole_beats(music).tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(_column(music, "many"), np.log2([3, 2, 2, 1, 2, 2]), atol=1e-3)
    assert _column(music, "bar_place").tolist() == [0.0, 0.25, 0.5, 0.75, 0.0, 0.25]
    assert _column(music, "strength").tolist() == [4, 2, 3, 2, 4, 2]
    # Beats 2 and 3 hold one step of two beats; after half a beat nothing sounds for one and a half.
    assert _column(music, "rest").tolist() == [0, 0, 1.5, 0, 0, 0]
    np.testing.assert_allclose(_column(music, "to_end"), np.log2(6.0 - np.arange(6)), atol=1e-3)


def test_longest_steps_against_a_loop():
    music = _written(_random(3))
    at, beats = np.unique(music.beat), whole_beats(music)
    step = np.append(np.diff(at), 1.0)
    longest = np.array(
        [max(s for a, s in zip(at, step, strict=True) if a < b + 1 - 1e-3 and a + s > b + 1e-3) for b in beats]
    )
    log = np.log2(longest)
    usual = np.array([log[max(k - 8, 0) : k + 9].mean() for k in range(len(log))])
    np.testing.assert_allclose(_column(music, "step"), log - usual, atol=1e-3)
    long = np.flatnonzero(log - usual >= 1.0)
    due = [min([far - k for far in long if far >= k] + [8]) for k in range(len(beats))]
    assert len(long)
    np.testing.assert_array_equal(_column(music, "to_long"), due)


def test_whole_bars_further_on_is_the_same_and_nothing_is_missing():
    for seed in range(5):
        rows = _random(seed)
        here, there = _written(rows), _written(rows, shift=16.0)
        context = beat_context(here, whole_beats(here))
        np.testing.assert_array_equal(context, beat_context(there, whole_beats(there)))
        assert context.shape[1] == len(BEAT_NAMES)
        assert np.isfinite(context).all()
        assert beat_likeness(context).shape[1] == N_BEAT_LIKE


def test_one_note_and_long_rests_are_told_of_too():
    for rows in ([(0, 1, 60)], [(3, 1, 60), (90, 1, 61)]):
        music = _written(rows)
        assert np.isfinite(beat_context(music, whole_beats(music))).all()


def test_the_last_bit_of_a_logarithm_decides_nothing(monkeypatch):
    """Steps that double: what is an octave longer than usual is so on every machine."""
    steps = np.tile([0.75, 1.5, 3.0, 6.0, 1.5, 0.75, 3.0, 1.5], 12)
    at = np.cumsum(steps)
    music = _written([(b, s, 60) for b, s in zip(at, steps, strict=True)])
    plain = beat_context(music, whole_beats(music))
    log2 = np.log2
    for side in (-np.inf, np.inf):
        monkeypatch.setattr(np, "log2", lambda x, side=side: np.nextafter(log2(x), side))
        np.testing.assert_array_equal(beat_context(music, whole_beats(music)), plain)
