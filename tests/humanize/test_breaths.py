from __future__ import annotations

import numpy as np
import pytest

from takeprint.core.kernels.breath_path import breath_path
from takeprint.core.take import load_take
from takeprint.core.timeline import Metre
from takeprint.humanize import perform, profiles, render
from takeprint.humanize.players import breaths
from takeprint.humanize.players.part import Dice, Part

from ..naive.breath_path import breath_path as naive_breath_path
from .made_scores import take_of
from .midi_cases import midi

DICE = Dice(1, "score", "program 65")


def line_part(rows, name="program 65", tempo_bpm=120.0) -> Part:
    """Make a part of (beat, duration_beat, pitch) rows."""
    take = take_of([(b, d, p, 80, 0, 0) for b, d, p in rows], tempo_bpm)
    return Part.of(name, False, take.notes, np.arange(len(take.notes)), take.timeline, Metre())


def endless(bars=32, long_every=0) -> Part:
    """Eighths without a rest, with a half note at the end of every ``long_every`` bars."""
    rows = []
    for bar in range(bars):
        ends = bool(long_every) and bar % long_every == long_every - 1
        rows += [(4.0 * bar + k / 2, 0.5, 60 + (3 * k) % 7) for k in range(4 if ends else 8)]
        rows += [(4.0 * bar + 2, 2.0, 62)] if ends else []
    return line_part(rows)


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_the_cheapest_breaths_are_found(n):
    rng = np.random.default_rng(4)
    for _ in range(40):
        step_s = rng.uniform(0.2, 0.9, n)
        begin_s = np.concatenate([[0.0], np.cumsum(step_s)[:-1]])
        end_s = begin_s + step_s * rng.choice([1.0, 0.9, 0.5], n)
        is_free = np.append(begin_s[1:] - end_s[:-1] >= 0.20, True)
        cost = rng.uniform(0.1, 1.5, n)
        found = breath_path(begin_s, end_s, is_free, cost, 1.5, 3.0, 1.5, 4.0, 100.0)
        assert found.tolist() == naive_breath_path(begin_s, end_s, is_free, cost, 1.5, 3.0, 1.5, 4.0)


@pytest.mark.parametrize("long_every", [0, 2])
def test_nobody_blows_for_ever(long_every):
    part = endless(64, long_every)
    cut = breaths.gaps(part, profiles.load("piano-plain"), DICE)
    places = np.flatnonzero(cut < 0.0)
    assert len(places)
    held_s = 2.0**cut * part.duration_beat * 0.5
    begins = np.concatenate([[0.0], part.onset_s[places + 1]])
    stops = np.concatenate([(part.onset_s + held_s)[places], [(part.onset_s + held_s)[-1]]])
    assert (stops - begins).max() < 1.3 * breaths.USUAL["longest_s"]
    # Nor does anybody breathe at every place where a phrase might end.
    assert np.median(stops - begins) > 2.5


def test_breaths_come_after_long_notes_and_are_short():
    part = endless(64, 2)
    cut = breaths.gaps(part, profiles.load("piano-plain"), DICE)
    places = cut < 0.0
    long = part.duration_beat == 2.0
    assert long[places].mean() > 0.9
    gap_s = (1.0 - 2.0 ** cut[places]) * part.duration_beat[places] * 0.5
    assert gap_s.min() > 0.1
    assert gap_s.max() <= breaths.USUAL["gap_long_s"] + 1e-9


def test_a_rest_is_breath_enough():
    rows = [(4.0 * bar + k, 1.0, 60 + k) for bar in range(16) for k in range(3)]
    assert not breaths.gaps(line_part(rows), profiles.load("piano-plain"), DICE).any()


@pytest.mark.parametrize(
    ("name", "blown"),
    [("program 56", True), ("program 79", True), ("program 52", True), ("program 0", False), ("program 40", False),
     ("program 80", False), ("track 56", False), ("other sounds", False), ("kit", False)],
)  # fmt: skip
def test_only_winds_and_voices_breathe(name, blown):
    rows = [(k / 2, 0.5, 60 + k % 5) for k in range(256)]
    cut = breaths.gaps(line_part(rows, name), profiles.load("piano-plain"), DICE)
    assert bool(cut.any()) == blown


def test_a_choir_breathes_together():
    rows = [(float(k), 1.0, p + k % 3) for k in range(96) for p in (60, 64, 67)]
    part = line_part(rows, "program 52")
    cut = breaths.gaps(part, profiles.load("piano-plain"), DICE)
    by_moment = [set((cut[part.group == g] < 0.0).tolist()) for g in np.unique(part.group)]
    assert all(len(said) == 1 for said in by_moment)
    assert {True} in by_moment


def test_takes_breathe_differently_and_the_same_take_the_same():
    part = endless(64, 2)
    profile = profiles.load("sax-jazz")
    takes = [breaths.gaps(part, profile, Dice(seed, "score", "program 65")) for seed in (1, 1, 2)]
    assert (takes[0] == takes[1]).all()
    assert (takes[0] != takes[2]).any()


def test_breaths_sound_in_the_rendered_file_whoever_plays(tmp_path):
    events, at = [(0, bytes([0xC0, 65]))], 0
    for k in range(256):
        length = 960 if k % 16 == 15 else 240
        events += [(at, bytes([0x90, 60 + k % 7, 80])), (at + length, bytes([0x80, 60 + k % 7, 64]))]
        at += length
    path = tmp_path / "sax.mid"
    path.write_bytes(midi([events]))
    take = load_take(path)
    for profile in ("piano-plain", "sax-jazz", "drums-rock"):
        out = tmp_path / f"{profile}.mid"
        render(take, perform(take, profile, seed=2)).save(out)
        notes = load_take(out).notes
        gap_s = notes.onset_s[1:] - (notes.onset_s + notes.duration_s)[:-1]
        long = take.notes.duration_beat[:-1] > 1.5
        assert (gap_s[long] > 0.12).mean() > 0.4, profile
        assert len(notes) == 256


def test_profiles_of_winds_know_their_breaths():
    for name in ("sax-jazz", "brass-jazz", "winds-jazz", "winds-straight"):
        profile = profiles.load(name)
        assert profile.kind == "melody"
        assert 2.0 < profile.model["breath"]["comfort_s"] < 5.0
        assert not profile.arrays
        assert "loudness" in profile.card["limits"]
