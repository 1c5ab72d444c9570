"""Mixtures of profiles: figures are weighted means, copied playing alternates by its shares."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.humanize import perform
from takeprint.humanize.players.figures import check_figures
from takeprint.humanize.players.part import Dice, Invented
from takeprint.humanize.profiles import load, names
from takeprint.humanize.profiles.mixing import Mixture, alternated, blended, mixture_said
from takeprint.humanize.score_parts import parts_of, written

from .made_scores import chorale, groove, planted, take_of


def scaled(model, factor, late=0.0):
    """Return a model with its clock and spreads larger, and its template later."""
    timing = {**model["timing"], "clock": {**model["timing"]["clock"], "sd": factor * model["timing"]["clock"]["sd"]}}
    template = [{**row, "timing_ms": row["timing_ms"] + late} for row in model["template"]]
    return {**model, "timing": timing, "template": template}


def test_figures_are_weighted_means():
    one = planted().model
    other = scaled(one, 3.0, late=10.0)
    mixed = blended([(one, 0.75), (other, 0.25)])
    assert mixed["timing"]["clock"]["sd"] == pytest.approx(1.5 * one["timing"]["clock"]["sd"])
    late = {(r["voice"], r["cell"]): r["timing_ms"] for r in one["template"]}
    assert {(r["voice"], r["cell"]): r["timing_ms"] for r in mixed["template"]} == pytest.approx(
        {place: ms + 2.5 for place, ms in late.items()}
    )
    same = blended([(one, 0.4), (one, 0.6)])
    assert same["dynamics"]["voices"]["hat"]["quantiles"] == pytest.approx(
        one["dynamics"]["voices"]["hat"]["quantiles"]
    )
    assert same["timing"]["clock"]["window"] == one["timing"]["clock"]["window"]


def test_what_only_one_knows_is_taken_from_it():
    one = planted().model
    other = {**one, "template": [row for row in one["template"] if row["voice"] != "snare"], "voices": ["hat", "kick"]}
    other = {**other, "tempo": {**one["tempo"], "n": None}}
    mixed = blended([(one, 0.1), (other, 0.9)])
    rows = {(r["voice"], r["cell"]): r for r in mixed["template"]}
    assert rows["snare", 12]["timing_ms"] == pytest.approx(8.0)
    assert mixed["voices"] == ["hat", "kick", "snare"]


@pytest.mark.parametrize("pair", [("drums-funk", "drums-rock"), ("drums-jazz", "drums-hiphop")])
def test_shipped_mixtures_can_be_played(pair):
    mixture = Mixture.of([(load(pair[0]), 7.0), (load(pair[1]), 3.0)])
    assert mixture.blend.name == f"{pair[0]}:0.7+{pair[1]}:0.3"
    check_figures(mixture.blend)
    assert [share for _, share in mixture.members] == pytest.approx([0.7, 0.3])


def test_every_shipped_profile_mixes_with_those_of_its_kind():
    kinds = {}
    for name in names():
        profile = load(name)
        kinds.setdefault(profile.kind, []).append((profile, 1.0))
    for members in kinds.values():
        for a, b in itertools.pairwise(members):
            check_figures(Mixture.of([a, b]).blend)


def test_stretches_alternate_by_their_shares():
    take = take_of([(k / 2, 0.25, 42, 80, 0, 9) for k in range(8 * 4 * 200)])
    notes, clock, metre = written(take)
    (part,) = parts_of(take, notes, clock, metre)
    n = len(part)

    def playing(number):
        values = np.full(n, float(number))
        jitter = np.where(np.arange(n) % 2 == 0, 1.0, -1.0) * number
        return Invented(jitter, values, values, jitter, False)

    made = alternated(part, [(playing(1), 0.7), (playing(2), 0.3)], Dice(3, "score", "kit"))
    who = made.velocity
    assert set(who) == {1.0, 2.0}
    assert (who == 1.0).mean() == pytest.approx(0.7, abs=0.06)
    assert (np.abs(made.timing_ms) == who).all()
    assert (made.articulation_log2 == who).all()
    stretch = part.bar // 4
    assert all(len(set(who[stretch == s])) == 1 for s in np.unique(stretch))
    again = alternated(part, [(playing(1), 0.7), (playing(2), 0.3)], Dice(3, "score", "kit"))
    assert (again.velocity == who).all()
    other = alternated(part, [(playing(1), 0.7), (playing(2), 0.3)], Dice(4, "score", "kit"))
    assert (other.velocity != who).any()


def test_beside_absolute_velocities_ghost_notes_stay_ghosts():
    take = take_of([(k / 2, 0.25, 42, 16, 0, 9) for k in range(8 * 4 * 20)])
    notes, clock, metre = written(take)
    (part,) = parts_of(take, notes, clock, metre)
    nothing, twenty = np.zeros(len(part)), np.full(len(part), 20.0)
    around, told = (Invented(nothing, twenty, nothing, nothing, absolute) for absolute in (False, True))
    made = alternated(part, [(around, 0.5), (told, 0.5)], Dice(3, "score", "kit"))
    assert made.absolute
    # A quarter of the spread at 16, as alone.
    assert set(made.velocity) == {20.0, 21.0}
    made = alternated(part, [(around, 0.999), (told, 0.001)], Dice(3, "score", "kit"))
    assert set(made.velocity) == {21.0}


def test_flams_come_from_one_playing():
    rows = [(4.0 * b, 0.25, 38, 100, 0, 9) for b in range(64)]
    rows += [(4.0 * b - 0.04, 0.03, 38, 50, 0, 9) for b in range(1, 64)]
    take = take_of(rows)
    d = perform(take, {"drums-funk": 0.5, "drums-jazz": 0.5}, seed=1)
    timing = np.empty(len(take.notes))
    timing[d.notes.reference_index] = d.notes.timing_ms
    beat = take.notes.onset_beat
    for b in range(1, 64):
        assert timing[beat == 4.0 * b - 0.04] == timing[beat == 4.0 * b]


def test_perform_takes_mixtures_as_mapping_and_text():
    score = take_of(groove(16) + chorale(16))
    said = perform(score, "drums-funk:0.7,drums-rock:0.3", seed=2)
    given = perform(score, {"drums-funk": 0.7, load("drums-rock").name: 0.3}, seed=2)
    assert said.dumps() == given.dumps()
    assert said.reference["player"]["parts"]["kit"]["profile"] == "drums-funk:0.7+drums-rock:0.3"
    alone = perform(score, "drums-funk", seed=2)
    assert said.dumps() != alone.dumps()
    only = perform(score, {"drums-funk": 1.0, "drums-rock": 0.0}, seed=2)
    assert (only.notes.timing_ms == alone.notes.timing_ms).all()


def test_the_kit_has_its_own_mixture():
    score = take_of(groove(8) + chorale(8))
    parts = perform(score, "piano-plain", drums="drums-funk:1,drums-jazz:1", seed=2).reference["player"]["parts"]
    assert parts["kit"]["profile"] == "drums-funk:0.5+drums-jazz:0.5"
    assert {p["profile"] for name, p in parts.items() if name != "kit"} == {"piano-plain"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a:1,b:2", [("a", 1.0), ("b", 2.0)]),
        ("a:.5+b:.5", [("a", 0.5), ("b", 0.5)]),
        ("my/own.json:0.2,drums-rock:0.8", [("my/own.json", 0.2), ("drums-rock", 0.8)]),
        ("a", None),
        ("a,b", None),
        ("a:1,b", None),
        ("a:-1,b:2", None),
        ("a:x", None),
    ],
)
def test_texts(text, found):
    assert mixture_said(text) == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"drums-rock": 0.5, "piano-plain": 0.5}, "one kind"),
        ("drums-rock:1,drums-rock:2", "each profile once"),
        ({"drums-rock": -1.0, "drums-funk": 2.0}, "positive"),
        ({"drums-rock": 0.0, "drums-funk": 0.0}, "positive"),
        ({"drums-rock": float("nan"), "drums-funk": 1.0}, "positive"),
        ({"drums-rock": "much", "drums-funk": 1.0}, "positive"),
        ({}, "up to 8"),
        ("drums-rock:1,nobody:1", "nobody"),
    ],
)
def test_refusals(given, said):
    with pytest.raises(TakeprintError, match=said):
        perform(take_of(groove(2)), given)
