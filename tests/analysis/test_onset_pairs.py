"""Pairs of onsets: kernels against their naive twins, then two recordings with known deviations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takeprint.analysis import listening, onset_pairs
from takeprint.analysis.listening import Sound
from takeprint.analysis.onset_foreruns import Second
from takeprint.analysis.onset_lookup import due
from takeprint.analysis.onset_pairs import OnsetPairs, _like_of, _paired, _placed, _Side, align_sounds, pair_onsets
from takeprint.analysis.onset_prints import MOST, Prints, take_prints
from takeprint.analysis.onsets import Onsets
from takeprint.analysis.warp import Warp
from takeprint.core.errors import TakeprintError
from takeprint.core.kernels.pair_belief import pair_belief
from takeprint.core.kernels.pair_path import pair_path
from takeprint.core.kernels.print_likeness import print_likeness
from tests.naive.pair_belief import pair_belief as naive_belief
from tests.naive.pair_belief import total
from tests.naive.pair_path import pair_path as naive_path
from tests.naive.print_likeness import print_likeness as naive_likeness

RATE = 22_050


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_belief_and_path_are_those_of_all_pairings(seed):
    rng = np.random.default_rng(seed)
    n, width, most = rng.integers(1, 5), rng.integers(1, 4), rng.integers(1, 3)
    scores = rng.normal(0, 1.5, (n, width, most, most)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    low = np.cumsum(rng.integers(0, 3, n + 1)).astype(np.int64)
    assert np.allclose(pair_belief(scores, low), naive_belief(scores, low), atol=1e-5)
    best = [tuple(row) for row in pair_path(scores, low).tolist()]
    assert np.isclose(total(scores, low, best), total(scores, low, naive_path(scores, low)), atol=1e-5)


def test_likeness_is_the_cosine():
    rng = np.random.default_rng(3)
    prints, others = (rng.random((m, 7)).astype(np.float32) for m in (9, 11))
    spans, other_spans = rng.integers(-1, 9, (5, 2)), rng.integers(-1, 11, (6, 2))
    low = np.array([0, 0, 2, 3, 5])
    given_ = (prints, spans, others, other_spans, low, 3)
    assert np.allclose(print_likeness(*given_), naive_likeness(*given_), atol=1e-6)


def string(pitch, seconds=0.6, rate=RATE, gain=1.0):
    """Return a plucked tone: eight partials that die away, beginning at once."""
    t = np.arange(int(seconds * rate)) / rate
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    return sum(
        gain / k * np.sin(2 * np.pi * k * hertz * t) * np.exp(-3 * k * t)
        for k in range(1, 9)
        if k * hertz < 0.45 * rate
    )


def laid(onset_s, pitches, rate=RATE, gain=None, seed=0):
    """Return strings laid at exact samples over a little noise, and their true onsets."""
    rng = np.random.default_rng(seed)
    out = rng.normal(0, 1e-4, int((max(onset_s) + 1.0) * rate))
    for row, (at, pitch) in enumerate(zip(onset_s, pitches, strict=True)):
        sound = string(pitch, rate=rate, gain=0.2 if gain is None else gain[row])
        out[round(at * rate) : round(at * rate) + len(sound)] += sound[: len(out) - round(at * rate)]
    return out


def melody(n=40, seed=1):
    """Return a reference's onsets and pitches, and a take's onsets: a slow drift and 12 ms of play."""
    rng = np.random.default_rng(seed)
    reference_s = 0.5 + np.cumsum(rng.choice([0.22, 0.3, 0.45], n))
    pitches = 60 + np.cumsum(rng.choice([-5, -2, 2, 3, 4], n)) % 24
    take_s = 1.06 * reference_s + 0.05 * np.sin(reference_s / 3) + rng.normal(0, 0.012, n)
    return np.round(reference_s * RATE) / RATE, np.round(take_s * RATE) / RATE, pitches


def rough_warp(reference_s, take_s, wander_s=0.03, cents=0.0):
    """Return a warp that wanders about the truth."""
    at = np.concatenate([[0.0], reference_s[::4], [reference_s[-1] + 1]])
    to = np.interp(at, reference_s, take_s) + 1.06 * (at - np.clip(at, reference_s[0], reference_s[-1]))
    to = to + wander_s * np.sin(at)
    return Warp(at, to, np.zeros(len(at), np.int64), cents)


def found_by(onset_s, strength=5.0):
    onset_s = np.asarray(onset_s)
    return Onsets.build(
        onset_s=onset_s, onset_uncertainty_ms=np.full(len(onset_s), 1.0), strength=np.full(len(onset_s), strength)
    )


def test_every_onset_has_its_partner_although_the_warp_wanders():
    reference_s, take_s, pitches = melody()
    reference, take = (Sound.of_samples(laid(at, pitches), RATE) for at in (reference_s, take_s))
    pairs = pair_onsets(found_by(take_s), take, found_by(reference_s), reference, rough_warp(reference_s, take_s))
    assert np.array_equal(pairs.reference_row, np.arange(40))
    assert np.array_equal(pairs.take_row, np.arange(40))
    assert np.array_equal(pairs.time_s, take_s)
    assert pairs.confidence.min() > 0.7


def test_what_only_one_side_plays_has_no_partner():
    reference_s, take_s, pitches = melody()
    left_out, added_s = [7, 20, 21], (take_s[30] + take_s[31]) / 2
    played = np.delete(np.arange(40), left_out)
    heard_s = np.sort(np.append(take_s[played], added_s))
    order = np.argsort(np.append(take_s[played], added_s))
    sounding = np.append(pitches[played], 47)[order]
    take = Sound.of_samples(laid(heard_s, sounding), RATE)
    reference = Sound.of_samples(laid(reference_s, pitches), RATE)
    pairs = pair_onsets(found_by(heard_s), take, found_by(reference_s), reference, rough_warp(reference_s, take_s))
    assert np.array_equal(pairs.reference_row, played)
    assert np.array_equal(pairs.time_s, take_s[played])


def test_a_spread_chord_is_one_event_at_its_first_sound_in_whatever_order():
    reference_s, take_s, pitches = melody()
    spread = np.arange(2, 40, 3)  # chords: melody first in the reference, the other sound first in the take
    more_reference, more_take = reference_s[spread] + 0.05, take_s[spread] + 0.04
    reference_all, take_all = np.append(reference_s, more_reference), np.append(take_s, more_take)
    low = pitches[spread] - 15
    reference_pitch = np.append(pitches, low)
    take_pitch = np.append(pitches, low)
    take_pitch[spread], take_pitch[40:] = low, pitches[spread]
    a, b = np.argsort(reference_all), np.argsort(take_all)
    reference = Sound.of_samples(laid(reference_all, reference_pitch), RATE)
    take = Sound.of_samples(laid(take_all, take_pitch), RATE)
    pairs = pair_onsets(
        found_by(take_all[b]), take, found_by(reference_all[a]), reference, rough_warp(reference_s, take_s)
    )
    where = np.searchsorted(pairs.reference_s, reference_s[spread])
    right = (pairs.reference_s[where] == reference_s[spread]) & (pairs.time_s[where] == take_s[spread])
    assert right.mean() > 0.9


def test_another_tuning_and_another_rate_change_nothing():
    reference_s, take_s, pitches = melody()
    reference = Sound.of_samples(laid(reference_s, pitches), RATE)
    take = Sound.of_samples(laid(take_s, pitches - 1.4, rate=16_000), 16_000)
    warp = rough_warp(reference_s, take_s, cents=-140.0)
    pairs = pair_onsets(found_by(take_s), take, found_by(reference_s), reference, warp)
    assert np.array_equal(pairs.take_row, pairs.reference_row)
    assert len(pairs) == 40


def test_parts_are_paired_each_by_itself():
    reference_s, take_s, pitches = melody()
    later = np.where(np.arange(40) < 20, 0.0, 7.0)  # applause, heard by no one
    take = Sound.of_samples(laid(take_s + later, pitches), RATE)
    reference = Sound.of_samples(laid(reference_s, pitches), RATE)
    cut = [reference_s[0] - 0.2, reference_s[19] + 0.1, reference_s[20] - 0.1, reference_s[39] + 0.2]
    to = [take_s[0] - 0.2, take_s[19] + 0.1, take_s[20] + 6.9, take_s[39] + 7.2]
    whole = rough_warp(reference_s, take_s, 0.0)
    at = np.sort(np.concatenate([cut, reference_s[1:19:3], reference_s[22:38:3]]))
    times = whole.take_at(at) + np.where(at > cut[1], 7.0, 0.0)
    times[np.searchsorted(at, cut)] = to
    warp = Warp(at, times, (at > cut[1]).astype(np.int64))
    pairs = pair_onsets(found_by(take_s + later), take, found_by(reference_s), reference, warp)
    assert np.array_equal(pairs.take_row, pairs.reference_row)
    assert len(pairs) >= 39


def test_a_print_does_not_know_the_gain():
    reference_s, _, pitches = melody(8)
    y = laid(reference_s, pitches)
    loud, soft = (take_prints(Sound.of_samples(g * y, RATE), reference_s, 9000.0).prints for g in (1.0, 0.01))
    assert np.allclose(loud, soft, atol=1e-5)
    assert np.allclose((loud**2).sum(1), 1.0, atol=1e-5)


def test_a_stroke_just_after_another_is_no_second_beginning_of_it():
    """Each side tells both; only the take has the step: moving the first onset would pass the second one by."""
    own_s, other_s = np.array([1.0, 1.018, 2.0]), np.array([1.1, 1.116, 2.1])
    given_ = Onsets.build(onset_s=other_s, onset_uncertainty_ms=np.ones(3)), Second.none(3), np.arange(3)
    take = Onsets.build(onset_s=own_s, onset_uncertainty_ms=np.ones(3))
    step = Second(np.array([20.0, -np.inf, 20.0]), np.array([1.0185, np.nan, 2.02]), np.array([1.5, np.nan, 1.5]))
    _, _, onset_s, doubt_ms = _placed(*given_, take, step, np.arange(3))
    assert onset_s.tolist() == [1.0, 1.018, 2.02]
    assert doubt_ms.tolist() == [1.0, 1.0, 1.5]


def test_what_is_looked_for_is_due_between_the_pairs_of_its_own_part():
    there_s, here_s = np.array([1.0, 2.0, 1.99, 3.0, 10.0, 11.0]), np.array([2.0, 3.0, 3.01, 4.0, 30.0, 31.0])
    part = np.array([0, 0, 0, 0, 1, 1])
    got = due(np.array([2.5, 5.0, 9.0, 10.5, 10.5]), np.array([0, 0, 1, 1, 0]), there_s, here_s, part)
    np.testing.assert_allclose(got, [3.5, np.nan, np.nan, 30.5, np.nan])
    like = _like_of(np.array([1, 0, 1, -1]), {0: (0.9, 0.05), 1: (0.6, 0.2)})
    assert like[:3].tolist() == [[0.6, 0.2], [0.9, 0.05], [0.6, 0.2]]
    assert len(like) == 4


def dense(n, seed=6):
    """Return two sides of some 60 onsets a second, each with the prints of what it is."""
    rng = np.random.default_rng(seed)
    prints = rng.random((n, 12)).astype(np.float32)
    prints /= np.linalg.norm(prints, axis=1, keepdims=True)
    at = np.cumsum(rng.uniform(0.005, 0.028, n))
    spans = np.full((n, MOST), -1)
    spans[:, 0] = np.arange(n)
    found = Prints(prints, spans, Second.none(n))
    moved = np.sort(at + rng.normal(0, 0.004, n))
    return [_Side(times, np.full(n, 5.0), found, np.arange(n)) for times in (at, moved)], at


def test_many_onsets_take_little_memory_and_blocks_change_nothing(monkeypatch):
    import tracemalloc

    (a, b), expected = dense(400)
    whole, like = _paired(a, b, expected)
    monkeypatch.setattr(onset_pairs, "_BLOCK", 13)
    parts, also = _paired(a, b, expected)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-6)
    np.testing.assert_allclose(also, like, atol=1e-9)
    assert len(whole) > 350
    monkeypatch.undo()
    (a, b), expected = dense(4000)
    tracemalloc.start()
    _paired(a, b, expected)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # At most 24 partners of 3 by 3 sounds: two tables of single floats, and what the kernels hold besides.
    assert peak < 4000 * 24 * 9 * 16


def test_no_pair_depends_on_the_chunks(monkeypatch):
    """Onsets are hissed before, missed by a detector and struck close together, wherever the chunks end."""
    reference_s, take_s, pitches = melody()
    places = np.round(take_s[1::4] * RATE).astype(int)
    told_s = take_s.copy()
    told_s[1::4] -= 0.02
    take = Sound.of_samples(hissing(laid(take_s, pitches, seed=2), places), RATE)
    reference = Sound.of_samples(laid(reference_s, pitches), RATE)
    told, known = np.delete(np.arange(40), [6, 19]), np.delete(np.arange(40), [30])
    given_ = found_by(told_s[told]), take, found_by(reference_s[known]), reference, rough_warp(reference_s, take_s)
    whole = pair_onsets(*given_)
    assert (whole.take_row < 0).any()
    assert (whole.reference_row < 0).any()
    for seconds in (2.9, 0.30001, 5.0 + 1.0 / RATE):
        monkeypatch.setattr(listening, "CHUNK_S", seconds)
        parts = pair_onsets(*given_)
        for name in OnsetPairs.names():
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=0, atol=1e-9, err_msg=name)


def test_nothing_to_pair():
    warp = rough_warp(*melody()[:2])
    silence = Sound.of_samples(np.zeros(RATE), RATE)
    assert len(pair_onsets(found_by([]), silence, found_by([]), silence, warp)) == 0
    assert len(pair_onsets(found_by([0.5]), silence, found_by([]), silence, warp)) == 0


def test_sounds_are_aligned_from_beginning_to_end():
    reference_s, take_s, pitches = melody(60, seed=5)
    y, z = laid(reference_s, pitches), laid(take_s, pitches, seed=2)
    warp, pairs = align_sounds((z, RATE), (y, RATE))
    assert isinstance(pairs, OnsetPairs)
    assert abs(warp.transposition_cents) < 20
    got = np.interp(reference_s, pairs.reference_s, pairs.time_s)
    assert np.median(np.abs(got - take_s)) < 0.001
    assert np.percentile(np.abs(got - take_s), 95) < 0.006
    _, same = align_sounds((y, RATE), (y, RATE))
    assert np.array_equal(same.time_s, same.reference_s)
    assert np.array_equal(same.take_row, same.reference_row)
    assert np.array_equal(same.take_row, np.arange(len(same)))
    assert len(same) >= 55


def test_notes_are_refused():
    from tests.analysis.planted import midi_take

    with pytest.raises(TakeprintError, match="no recording"):
        align_sounds(midi_take([0.0, 1.0], 0.5, 60, 64), (np.zeros(RATE), RATE))


def hissing(y, places, level=0.002, ms=20, seed=4):
    """Return a sound with a hiss before some places, as a codec lays it there."""
    rng, out, length = np.random.default_rng(seed), y.copy(), round(ms * RATE / 1000)
    for place in places:
        out[place - length : place] += rng.normal(0, level, length)
    return out


def test_a_hiss_before_the_stroke_is_not_its_onset():
    reference_s, take_s, pitches = melody()
    hissed = np.arange(1, 40, 4)
    places = np.round(take_s[hissed] * RATE).astype(int)
    take = Sound.of_samples(hissing(laid(take_s, pitches, seed=2), places), RATE)
    reference = Sound.of_samples(laid(reference_s, pitches), RATE)
    told_s = take_s.copy()
    told_s[hissed] -= 0.02
    pairs = pair_onsets(found_by(told_s), take, found_by(reference_s), reference, rough_warp(reference_s, take_s))
    assert np.array_equal(pairs.take_row, np.arange(40))
    assert np.abs(pairs.time_s - take_s)[hissed].max() < 0.005
    assert np.array_equal(np.delete(pairs.time_s, hissed), np.delete(take_s, hissed))


def test_a_soft_sound_before_a_loud_one_stays_where_both_sides_have_it():
    reference_s, take_s, pitches = melody()
    both = []
    for at, seed in ((reference_s, 1), (take_s, 2)):
        y = laid(at, pitches, seed=seed)
        both.append(Sound.of_samples(hissing(y, np.round(at * RATE).astype(int), seed=seed), RATE))
    early_s, early_take_s = reference_s - 0.02, take_s - 0.02
    warp = rough_warp(reference_s, take_s)
    pairs = pair_onsets(found_by(early_take_s), both[1], found_by(early_s), both[0], warp)
    assert np.mean(np.isin(pairs.time_s, early_take_s)) > 0.9


def test_what_one_detector_missed_is_looked_up_and_what_is_not_there_is_not():
    reference_s, take_s, pitches = melody()
    missed, missing, not_found = [5, 18], [11, 25], [30]
    played = np.delete(np.arange(40), missing)
    take = Sound.of_samples(laid(take_s[played], pitches[played], seed=2), RATE)
    reference = Sound.of_samples(laid(reference_s, pitches), RATE)
    told = np.delete(np.arange(40), missed + missing)
    known = np.delete(np.arange(40), not_found)
    pairs = pair_onsets(
        found_by(take_s[told]), take, found_by(reference_s[known]), reference, rough_warp(reference_s, take_s)
    )
    looked_up = pairs.take_row < 0
    assert np.array_equal(pairs.reference_s[looked_up], reference_s[missed])
    assert np.abs(pairs.time_s[looked_up] - take_s[missed]).max() < 0.002
    other = pairs.reference_row < 0
    assert np.array_equal(pairs.time_s[other], take_s[not_found])
    assert np.abs(pairs.reference_s[other] - reference_s[not_found]).max() < 0.002
    assert len(pairs) == 38
