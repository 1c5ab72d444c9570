"""Tempo and level from beat to beat: what was planted in takes comes out of the profile fitted to them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from takeprint.analysis.fit import fit
from takeprint.analysis.measure import measure
from takeprint.analysis.shape_model import beats_of, shape_arrays, shapes_are_sound
from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Timeline
from takeprint.humanize import perform
from takeprint.humanize.players.figures import check_figures

from .made_scores import groove, take_of

BARS = 32


def _music(seed, bars=BARS, loud=80):
    """Chords under running eighths; every phrase of 3 to 5 bars ends on a half note."""
    rng = np.random.default_rng(seed)
    rows, at = [], 0.0
    while at < 4.0 * bars:
        beats = 4 * int(rng.integers(3, 6))
        for k in range(beats):
            length = 2.0 if k == beats - 2 else 1.0
            if k == beats - 1:
                continue
            rows += [(at + k, length, p + int(rng.integers(-2, 3)), loud, 0, 0) for p in (43, 55)]
            steps = (0.0,) if k == beats - 2 else (0.0, 0.5)
            rows += [(at + k + s, length / len(steps), 69 + int(rng.integers(-4, 5)), loud, 0, 0) for s in steps]
        at += beats
    return take_of(rows, tempo_bpm=100.0, name=f"music {seed}")


def _ends(take):
    """Return the whole beats in which a half note sounds."""
    notes = take.notes
    long = np.unique(notes.onset_beat[notes.duration_beat == 2.0])
    return np.unique(np.concatenate([long, long + 1.0]))


def _played(seed, slower=0.4, softer=14.0, walk=0.05, usual=58.0, loud_noise=4.0):
    """Return a measured take: slower and softer where phrases end, and a tempo that drifts with a memory of 0.8."""
    score = _music(seed)
    rng = np.random.default_rng(seed + 100)
    beat = np.arange(0.0, score.notes.onset_beat.max() + 4.0)
    drift = np.zeros(len(beat))
    for k in range(1, len(beat)):
        drift[k] = 0.8 * drift[k - 1] + 0.6 * walk * rng.normal()
    end = np.isin(beat, _ends(score))
    time_s = 0.5 + np.concatenate([[0.0], np.cumsum(0.6 * 2.0 ** (drift + slower * end))])
    curve = Timeline(np.append(beat, beat[-1] + 1.0), time_s)
    notes = score.notes
    level = usual - softer * np.isin(np.floor(notes.onset_beat), _ends(score))
    onset_s = curve.seconds_at(notes.onset_beat) + rng.normal(0, 0.004, len(notes))
    played = notes.replace(
        onset_s=onset_s,
        duration_s=curve.seconds_at(notes.onset_beat + 0.9 * notes.duration_beat) - curve.seconds_at(notes.onset_beat),
        velocity=np.clip(np.rint(level + rng.normal(0, loud_noise, len(notes))), 1, 127),
    )
    order = np.lexsort((played.pitch, played.onset_s))
    name = f"played {seed}"
    take = dataclasses.replace(score, name=name, sha256=name, notes=played.rows(order), duration_s=200.0)
    return measure(take, against=score)


@pytest.fixture(scope="module")
def takes():
    return [_played(seed) for seed in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def profile(takes):
    return fit(takes, name="planted", kind="keyboard")


def _longer(made, score):
    """Return (whole beats, how much longer each is played than written, log2)."""
    beat = np.arange(0.0, np.floor(score.notes.onset_beat.max()) + 1.0)
    ends = np.append(beat, beat[-1] + 1.0)
    return beat, np.log2(np.diff(made.basis.seconds_at(ends)) / np.diff(score.timeline.seconds_at(ends)))


def test_phrases_slow_down_and_fade_where_the_takes_do(profile):
    score = _music(11)
    made = perform(score, profile, seed=2, keep_accents=False)
    beat, longer = _longer(made, score)
    end = np.isin(beat, _ends(score))
    planted = np.mean([np.diff([y[:, 0][~e].mean(), y[:, 0][e].mean()])[0] for y, e in _told_of((1, 2, 3, 4))])
    assert planted > 0.2
    assert longer[end].mean() - longer[~end].mean() == pytest.approx(planted, abs=0.35 * planted)
    last = np.isin(np.floor(made.notes.reference_beat), _ends(score))
    assert made.notes.velocity[~last].mean() - made.notes.velocity[last].mean() > 5.0


def _told_of(seeds):
    out = []
    for seed in seeds:
        _, y = beats_of(_played(seed))
        out.append((y, np.isin(np.arange(len(y)), _ends(_music(seed)))))
    return out


def test_where_nothing_is_planted_nothing_slows_down():
    steady = fit([_played(seed, slower=0.0, softer=0.0) for seed in (1, 2, 3, 4)], name="steady", kind="keyboard")
    score = _music(11)
    beat, longer = _longer(perform(score, steady, seed=2), score)
    end = np.isin(beat, _ends(score))
    assert abs(longer[end].mean() - longer[~end].mean()) < 0.06


@pytest.mark.parametrize("walk", [0.02, 0.1])
def test_the_drift_is_as_large_and_as_slow_as_the_takes(walk):
    real = [_played(seed, slower=0.0, walk=walk) for seed in (1, 2, 3, 4)]
    profile = fit(real, name="drifting", kind="keyboard")
    measured = [beats_of(take)[1][:, 0] for take in real]
    invented = [_longer(perform(_music(s), profile, seed=s), _music(s))[1] for s in (11, 12, 13, 14)]
    spread, remembered = ([np.mean([f(x) for x in side]) for side in (measured, invented)] for f in (np.std, _lag1))
    assert spread[1] == pytest.approx(spread[0], rel=0.35)
    assert remembered[1] == pytest.approx(remembered[0], abs=0.15)


def _lag1(x):
    x = x - x.mean()
    return float((x[:-1] * x[1:]).mean() / x.var())


def test_the_piece_keeps_its_length_and_its_written_tempi(profile):
    score = _music(11)
    half = Timeline(np.array([0.0, 64.0, 400.0]), np.array([0.0, 64 * 1.0, 64 * 1.0 + 336 * 0.4]))
    notes = score.notes.replace(
        onset_s=half.seconds_at(score.notes.onset_beat),
        duration_s=half.seconds_at(score.notes.onset_beat + score.notes.duration_beat)
        - half.seconds_at(score.notes.onset_beat),
    )
    changed = dataclasses.replace(score, notes=notes, timeline=half, sha256="changed")
    for one in (score, changed):
        made = perform(one, profile, seed=4)
        beat, longer = _longer(made, one)
        span = np.array([beat[0], beat[-1] + 1.0])
        assert np.diff(made.basis.seconds_at(span)) == pytest.approx(np.diff(one.timeline.seconds_at(span)), abs=1e-3)
        assert longer.std() > 0.05
    assert abs(longer[beat < 64].mean() - longer[beat >= 64].mean()) < 0.15


def test_a_shape_spans_all_parts_that_are_played(profile):
    """The part with most notes ends early; another goes on."""
    rows = [(k / 2, 0.5, 60 + k % 7, 70, 0, 0) for k in range(120)] + [
        (60.0 + 2 * k, 2.0, 50 + k % 5, 70, 1, 1) for k in range(60)
    ]
    score = take_of(rows, 100.0)
    for seed in (1, 2):
        made = perform(score, profile, seed=seed)
        beat, longer = _longer(made, score)
        assert longer[beat > 70].std() > 0.02
        span = np.array([0.0, beat[-1] + 1.0])
        assert np.diff(made.basis.seconds_at(span)) == pytest.approx(np.diff(score.timeline.seconds_at(span)), rel=1e-3)


def test_a_flat_score_gets_the_takes_level_only_where_its_accents_may_go(profile):
    flat = _music(11, loud=100)
    own = perform(flat, profile, seed=4, keep_accents=False).notes.velocity
    kept = perform(flat, profile, seed=4, keep_accents=True).notes.velocity
    assert own.mean() == pytest.approx(54.0, abs=6.0)
    assert kept.mean() == pytest.approx(100.0, abs=3.0)
    assert np.std(kept) > 2.0


def test_a_written_level_that_moves_as_much_is_not_moved_twice(profile):
    score = _music(11)
    beat = score.notes.onset_beat
    swell = dataclasses.replace(
        score, notes=score.notes.replace(velocity=np.rint(70 + 20 * np.sin(beat / 10))), sha256="swell"
    )
    made = perform(swell, profile, seed=4, keep_accents=False).notes
    mean = np.array([made.velocity[np.floor(made.reference_beat / 4) == bar].mean() for bar in range(BARS)])
    due = np.array([70 + 20 * np.sin((4 * bar + 1.5) / 10) for bar in range(BARS)])
    assert np.corrcoef(mean, due)[0, 1] > 0.9
    assert mean.std() < 1.15 * due.std()


def test_the_same_seed_shapes_the_same_and_another_something_else(profile):
    first, again, other = (perform(_music(11), profile, seed=s).tempo.time_s for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05


def test_amounts_scale_the_tempo_and_nothing_gives_the_score(profile):
    score = _music(11)
    whole, half = (_longer(perform(score, profile, seed=5, tempo=a), score)[1] for a in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * whole, atol=1e-6)
    still = perform(score, profile, seed=5, tempo=0.0)
    np.testing.assert_array_equal(still.tempo.time_s, score.timeline.seconds_at(still.tempo.beat))
    nothing = perform(score, profile, seed=5, amount=0.0).notes
    order = np.argsort(nothing.reference_index)
    np.testing.assert_array_equal(nothing.onset_s[order], score.notes.onset_s)
    np.testing.assert_array_equal(nothing.velocity[order], score.notes.velocity)


def test_beside_a_kit_the_tempo_stays(profile):
    rows = [
        (b, d, p, v, 0, 0)
        for b, d, p, v in zip(
            *(getattr(_music(11).notes, name) for name in ("onset_beat", "duration_beat", "pitch", "velocity")),
            strict=True,
        )
    ]
    band = take_of(rows + groove(BARS, track=1))
    made = perform(band, profile, seed=5, drums="drums-rock")
    np.testing.assert_array_equal(made.tempo.time_s, band.timeline.seconds_at(made.tempo.beat))


def test_takes_against_a_click_tell_no_shape():
    score = _music(1)
    click = measure(score, click=100.0)
    assert shape_arrays([click]) == {}
    assert fit(click, kind="keyboard").card["tempo_and_level"].startswith("none: ")
    assert np.isfinite(perform(_music(11), fit(click, kind="keyboard"), seed=1).notes.onset_s).all()


def test_one_take_is_enough(takes):
    alone = fit(takes[0], name="alone", kind="keyboard")
    assert shapes_are_sound(alone.arrays)
    assert "beats in 1 take" in alone.card["tempo_and_level"]
    _, longer = _longer(perform(_music(11), alone, seed=1), _music(11))
    assert 0.05 < longer.std() < 0.4


DAMAGES = {
    "memory": lambda v: v[:, :4],
    "fresh": lambda v: v * np.nan,
    "moment": lambda v: v[:-1],
    "like": lambda v: v[:, :3],
    "take": lambda v: v[::-1],
    "of_take": lambda v: v[:1],
    "tempo.mean.column": lambda v: v + 90,
    "level.size.mean": lambda v: v + 1000,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_arrays_are_refused_in_words(profile, name):
    key = f"shape.{name}"
    for arrays in (
        {**profile.arrays, key: DAMAGES[name](profile.arrays[key])},
        {k: v for k, v in profile.arrays.items() if k != key},
    ):
        with pytest.raises(TakeprintError, match=r"'planted'.*tempo and level of its takes are damaged"):
            check_figures(dataclasses.replace(profile, arrays=arrays))


def test_with_some_tracks_alone_the_notes_are_the_same_and_the_tempo_stays(profile):
    rows = [(b * 1.0, 1.0, p + b % 5, 70, track, 0) for b in range(120) for track, p in ((0, 45), (1, 70))]
    whole, top = perform(take_of(rows), profile, seed=5), perform(take_of(rows), profile, seed=5, tracks=1)
    np.testing.assert_array_equal(top.tempo.time_s, take_of(rows).timeline.seconds_at(top.tempo.beat))
    both = [made.notes.timing_ms[made.notes.track == 1] for made in (whole, top)]
    np.testing.assert_allclose(*both, atol=1e-6)
