from __future__ import annotations

import numpy as np
import pytest

from takeprint.core.timeline import Metre
from takeprint.humanize import perform, profiles
from takeprint.humanize.players import line, parametric
from takeprint.humanize.players.part import Dice, Part

from .made_scores import take_of

DICE = Dice(1, "score", "program 65")


def line_part(rows, tempo_bpm=120.0) -> Part:
    take = take_of([(b, d, p, 80, 0, 0) for b, d, p in rows], tempo_bpm)
    return Part.of("program 65", False, take.notes, np.arange(len(take.notes)), take.timeline, Metre())


def eighths(bars=64, tempo_bpm=120.0, steps=(2,)) -> Part:
    pitch, rows = 60, []
    for k in range(8 * bars):
        pitch += steps[k % len(steps)] * (1 if (k // len(steps)) % 2 == 0 else -1)
        rows.append((k / 2, 0.5, pitch))
    return line_part(rows, tempo_bpm)


def test_followers_are_the_nearest_notes_of_the_next_moment():
    rng = np.random.default_rng(3)
    group = np.sort(rng.integers(0, 40, 120))
    group = np.unique(group, return_inverse=True)[1]
    pitch = rng.integers(30, 90, 120).astype(float)
    onset_s = group * 0.25 + 0.0
    gap_s, apart = line.followers(group, onset_s, pitch)
    for i in range(120):
        later = pitch[group == group[i] + 1]
        assert gap_s[i] == (0.25 if len(later) else np.inf)
        assert apart[i] == (np.abs(later - pitch[i]).min() if len(later) else 0.0)


def test_lengths_follow_their_row():
    table = [
        {"voice": "*", "upto_s": 0.3, "step": "repeat", "n": 1, "quantiles": [-2.0, -1.5, -1.0]},
        {"voice": "*", "upto_s": 0.3, "step": "*", "n": 1, "quantiles": [-0.4, -0.2, 0.0]},
        {"voice": "*", "upto_s": None, "step": "*", "n": 1, "quantiles": [-0.1, -0.05, 0.0]},
    ]
    figures = {"table": table, "quantile_levels": [0.1, 0.5, 0.9], "lag1": 0.2, "between_takes": 0.0}
    part = line_part([(k / 2, 0.5, 60 + (k // 2) % 5) for k in range(2000)])
    held = line.lengths(part, figures, DICE)
    again = np.append(np.diff(part.pitch) == 0, False)
    assert np.median(held[again]) == pytest.approx(-1.5, abs=0.05)
    assert np.median(held[~again]) == pytest.approx(-0.2, abs=0.02)
    assert held.max() <= 0.0
    slow = line.lengths(line_part([(2.0 * k, 2.0, 60 + k % 5) for k in range(500)]), figures, DICE)
    assert np.median(slow) == pytest.approx(-0.05, abs=0.01)


def test_off_beats_swing_less_the_faster_it_goes():
    figures = profiles.load("sax-jazz").model["timing"]["swing"]
    shares = []
    for tempo_bpm in (120.0, 220.0, 300.0):
        part = eighths(16, tempo_bpm)
        late = line.swing(part, {**figures, "between_takes": 0.0}, DICE)
        off = part.beat % 1 == 0.5
        assert not late[~off].any()
        assert np.ptp(late[off]) == 0.0
        shares.append(0.5 + late[off][0] * tempo_bpm / 60_000.0)
    assert 0.7 > shares[0] > shares[1] > shares[2] > 0.52


def test_sixteenths_and_triplets_do_not_swing():
    figures = profiles.load("sax-jazz").model["timing"]["swing"]
    for rows in ([(k / 4, 0.25, 60 + k % 5) for k in range(64)], [(k / 3, 0.3, 60 + k % 5) for k in range(48)]):
        assert not line.swing(line_part(rows), figures, DICE).any()


def test_legato_stays_legato_when_notes_move():
    part = eighths(16, 120.0)
    late_ms = np.random.default_rng(1).normal(0.0, 25.0, len(part))
    held = line.connected(part, late_ms)
    end_s = part.onset_s + late_ms / 1000.0 + 2.0**held * part.duration_s
    start_s = part.onset_s + late_ms / 1000.0
    assert np.abs(start_s[1:] - end_s[:-1]).max() < 1e-6
    # What was written short keeps its length.
    short = line_part([(k / 2, 0.2, 60 + k % 5) for k in range(64)])
    assert not line.connected(short, late_ms[:64]).any()


def test_quick_notes_are_played_more_evenly():
    figures = {"gap_s": [0.1, 0.4], "sd_ms": [5.0, 35.0]}
    sizes = [line.motor_sizes(eighths(4, tempo_bpm), figures, 9.0)[3] for tempo_bpm in (300.0, 150.0, 75.0, 40.0)]
    assert sizes[0] == 5.0
    assert sizes[1] == pytest.approx(20.0)
    assert np.allclose(sizes[2:], 35.0)
    assert (line.motor_sizes(eighths(4), None, 9.0) == 9.0).all()


def test_moments_keep_their_turn():
    part = eighths(32, 300.0)
    kept = line.in_turn(part, np.random.default_rng(2).normal(0.0, 80.0, len(part)))
    way_ms = np.diff(1000.0 * part.onset_s + kept)
    assert way_ms.min() >= 0.5 * 100.0 - 1e-6
    small = np.random.default_rng(2).normal(0.0, 5.0, len(part))
    assert np.allclose(line.in_turn(part, small), small)


def test_contrasts_are_softened_and_entries_late():
    rows = [(2.0 * k + b, d, 60 + k % 5) for k in range(40) for b, d in ((0.0, 0.75), (0.75, 0.25), (1.0, 0.5))]
    late = line.contrast(line_part(rows, 120.0), {"softened": 0.1, "upto_s": 0.3, "entry_ms": 9.0})
    assert late[0] == 9.0
    table = late[3:].reshape(-1, 3)
    # After a rest; between 0.375 s and 0.125 s, drawn to the longer side; before a rest.
    assert (table[:, 0] == 9.0).all()
    assert np.allclose(table[:, 1], -0.1 * 125.0)
    assert (table[:, 2] == 0.0).all()


def test_swing_is_no_lateness_of_the_player():
    rows = [(b + h, 0.5, 60 + int(b) % 7, 80, 0, 0) for b in range(256) for h in (0.0, 0.5)]
    rows = [r for r in rows if r[0] % 4 != 0.0]  # more off-beats than beats
    on, off = [], []
    for seed in range(5):
        d = perform(take_of(rows, 120.0), "sax-jazz", seed=seed)
        late = d.notes.reference_beat % 1 == 0.5
        on.append(np.median(d.notes.timing_ms[~late]))
        off.append(np.median(d.notes.timing_ms[late]))
    assert np.median(on) == pytest.approx(0.0, abs=15.0)
    # 0.66 of a beat of half a second, a third of the way from straight to dotted, give or take the take's own.
    assert 55.0 < np.median(off) < 105.0


def test_leaps_and_repetitions_are_shorter_than_steps():
    profile = profiles.load("winds-jazz")
    middles = {}
    for name, steps in {"repeat": (0,), "step": (2,), "leap": (9,)}.items():
        part = eighths(64, 240.0, steps)
        middles[name] = np.median(parametric.play(part, profile, DICE).articulation_log2)
    assert middles["repeat"] < middles["step"] - 0.1
    assert middles["leap"] < middles["step"] - 0.1


def test_loudness_by_rule_where_accents_are_replaced():
    part = eighths(64, 120.0, (1,))
    part.pitch[part.bar % 2 == 1] += 12
    made = parametric.play(part, profiles.load("sax-jazz"), DICE, keep_accents=False)
    high = part.bar % 2 == 1
    assert made.velocity[high].mean() - made.velocity[~high].mean() == pytest.approx(6.0, abs=2.0)
