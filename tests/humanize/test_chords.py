"""Rolled chords, and the keyboard profiles made of piano rolls and pop accompaniments."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from takeprint.core.fractional import circle_length, fractional_noise
from takeprint.core.timeline import Metre
from takeprint.humanize import perform, profiles
from takeprint.humanize.players import parametric
from takeprint.humanize.players.chords import rolls
from takeprint.humanize.players.part import Dice, Part

from .made_scores import take_of

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
FIGURES = {
    "table": [
        {"upto_semitones": 12.0, "n": 1, "share": 0.1, "up": 0.9},
        {"upto_semitones": None, "n": 1, "share": 0.6, "up": 0.8},
    ],
    "spread_levels": [0.1, 0.5, 0.9],
    "spread_ms": [50.0, 80.0, 120.0],
}


@pytest.fixture(scope="module")
def builder():
    """Import the program that makes the keyboard profiles."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("build_keyboard_profiles")
    finally:
        sys.path.remove(str(FOLDER))
        sys.modules.pop("build_keyboard_profiles", None)


def chords(keys, n=400, step_beat=2.0) -> Part:
    take = take_of([(step_beat * k, step_beat, p, 80, 0, 0) for k in range(n) for p in keys], 120.0)
    return Part.of("program 0", False, take.notes, np.arange(len(take.notes)), take.timeline, Metre())


def test_wide_chords_are_rolled_more_often_and_mostly_from_the_bass():
    for keys, share, up in (((60, 64, 67), 0.1, 0.9), ((36, 48, 60, 67, 72), 0.6, 0.8)):
        part = chords(keys)
        offset, rolled = rolls(part, FIGURES, Dice(1, "score", "it"))
        table = offset.reshape(-1, len(keys))
        which = rolled.reshape(-1, len(keys))[:, 0]
        assert which.mean() == pytest.approx(share, abs=0.08)
        order = np.argsort(part.pitch.reshape(-1, len(keys)), axis=1)
        rising = np.diff(np.take_along_axis(table, order, axis=1), axis=1)[which]
        # All in one direction, key by key.
        assert ((rising > 0).all(axis=1) | (rising < 0).all(axis=1)).all()
        assert (rising[:, 0] > 0).mean() == pytest.approx(up, abs=0.15)
        assert np.median(np.ptp(table[which], axis=1)) == pytest.approx(80.0, abs=8.0)
        assert np.abs(table.mean(axis=1)).max() < 1e-9
        assert not table[~which].any()


def test_nobody_rolls_in_a_hurry():
    part = chords((36, 48, 60, 67), step_beat=0.2)
    assert not rolls(part, FIGURES, Dice(1, "score", "it"))[1].any()
    offset, rolled = rolls(chords((36, 48, 60, 67), step_beat=0.36), FIGURES, Dice(1, "score", "it"))
    assert rolled.any()
    assert np.ptp(offset.reshape(-1, 4), axis=1).max() <= 0.4 * 180.0 + 1e-9


def test_single_notes_and_no_figures_are_left_alone():
    for part, figures in ((chords((60,)), FIGURES), (chords((60, 64)), None)):
        offset, rolled = rolls(part, figures, Dice(1, "score", "it"))
        assert not offset.any()
        assert not rolled.any()


def test_where_nothing_is_rolled_the_louder_note_leads():
    profile = profiles.load("piano-plain")
    part = chords((48, 55, 60, 76))
    made = parametric.play(part, profile, Dice(2, "score", "it"), keep_accents=False)
    late = made.timing_ms.reshape(-1, 4) - made.timing_ms.reshape(-1, 4).mean(axis=1, keepdims=True)
    loud = made.velocity.reshape(-1, 4) - made.velocity.reshape(-1, 4).mean(axis=1, keepdims=True)
    slope = (late * loud).sum() / (loud**2).sum()
    assert slope == pytest.approx(profile.model["timing"]["coupling"]["ms_per_velocity"], abs=0.15)


def test_the_builder_finds_a_planted_drift_again(builder):
    rng = np.random.default_rng(0)
    for beta in (0.8, 1.5):
        runs = []
        for _ in range(300):
            drift = 0.08 * fractional_noise(rng.normal(size=circle_length(10, 8)), 10, beta, 8, builder.CORNER)
            onset_s = np.cumsum(np.concatenate([[0.0], 0.19 * 2.0 ** np.repeat(drift, 4)]))
            runs.append(np.log2(np.diff(onset_s + rng.normal(0, 0.0097, len(onset_s)))))
        found = builder.drift_of(runs)
        assert found["drift_sd_log2"] == pytest.approx(0.08, rel=0.08)
        assert found["beta"] == pytest.approx(beta, abs=0.2)


def test_the_builder_finds_planted_rolls_again(builder):
    part = chords((36, 48, 60, 67, 72), n=600)
    rng = np.random.default_rng(1)
    offset, _ = rolls(part, FIGURES, Dice(3, "score", "it"))
    # The punches of a roll scatter by 9.7 ms.
    onset_s = part.onset_s + offset / 1000.0 + rng.normal(0, 0.0097, len(part))
    order = np.argsort(onset_s, kind="stable")
    found = builder.chords_of(onset_s[order], (onset_s + 0.8)[order], part.pitch[order])
    assert len(found) > 500
    told = builder.rolls_of([np.array(found), np.array([(5.0, 5.0, 0.0), (5.0, 80.0, 1.0), (15.0, 80.0, 1.0)])])
    assert told["table"][2]["share"] == pytest.approx(0.6, abs=0.08)
    assert told["table"][2]["up"] == pytest.approx(0.8, abs=0.06)
    assert told["spread_ms"][2] == pytest.approx(80.0, abs=12.0)


def test_shipped_keyboards_say_what_they_stand_on():
    for name in ("piano-romantic", "keys-pop"):
        profile = profiles.load(name)
        assert profile.kind == "keyboard"
        assert "aggregate" in profile.card["licence"]
        assert profile.card["figures"]["notes"] > 100_000
        assert not profile.arrays
    roll = profiles.load("piano-romantic").model["timing"]["roll"]
    shares = [row["share"] for row in roll["table"]]
    assert min(shares[1:]) > 1.5 * shares[0]
    assert all(row["up"] > 0.7 for row in roll["table"])


def test_shipped_keyboards_play():
    rows = [(float(k), 1.0, p + k % 5, 70, 0, 0) for k in range(256) for p in (40, 52, 59, 64, 71)]
    score = take_of(rows)
    spreads = {}
    for name in ("piano-plain", "piano-romantic", "keys-pop"):
        d = perform(score, name, seed=4, keep_accents=False)
        onset_s = d.notes.onset_s[np.argsort(d.notes.reference_index)].reshape(-1, 5)
        spreads[name] = np.quantile(np.ptp(onset_s, axis=1), 0.98)
        assert np.isfinite(d.notes.velocity).all()
    assert spreads["piano-romantic"] > spreads["piano-plain"] + 0.02
