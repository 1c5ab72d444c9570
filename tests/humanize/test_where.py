"""Which notes a control means, by hand on small scores."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Metre
from takeprint.humanize.score_parts import parts_of, written
from takeprint.humanize.where import Place, Places, Where, place_of

from .made_scores import chorale, groove, take_of


def places_of(take, names=()):
    notes, clock, metre = written(take)
    return Places.of(notes, parts_of(take, notes, clock, metre), metre, names)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("1", Place(0, 0.0)),
        ("2&", Place(1, 0.5)),
        ("4e", Place(3, 0.25)),
        ("3a", Place(2, 0.75)),
        ("2.5", Place(1, 0.5)),
        ("&", Place(None, 0.5)),
        (" e ", Place(None, 0.25)),
    ],
)
def test_places(said, place):
    assert place_of(said) == place


@pytest.mark.parametrize("said", ["", "0", "0.5", "b", "1b", "-1", "1.5&", "1,2", ".5", "one", "1 &", "٣"])
def test_no_places(said):
    with pytest.raises(TakeprintError, match="place in the bar"):
        place_of(said)


def test_every_condition_on_a_groove():
    take = take_of(groove(4) + chorale(4), name="both")
    places = places_of(take, ("Drums", "Keys"))
    notes = take.notes
    beat = notes.onset_beat
    expected = {
        "all": np.ones(len(notes), bool),
        "": np.ones(len(notes), bool),
        "snare": notes.instrument == "snare",
        "drum=kick,drum=snare": np.isin(notes.instrument, ("kick", "snare")),
        "Keys": notes.track == 1,
        "track=0": notes.track == 0,
        "channel=10": notes.channel == 9,
        "bars=2-3": (beat >= 4) & (beat < 12),
        "bar=2": (beat >= 4) & (beat < 8),
        "bars=3-": beat >= 8,
        "beat=1": beat % 4 == 0,
        "beat=2&": beat % 4 == 1.5,
        "beat=&": beat % 1 == 0.5,
        "beat=1,beat=3": beat % 2 == 0,
        "drum=snare,bars=1": (notes.instrument == "snare") & (beat < 4),
        "pitch=36-40": (notes.pitch >= 36) & (notes.pitch <= 40),
        "TRACK=keys": notes.track == 1,
    }
    for said, mask in expected.items():
        assert (Where.read(said).mask(places) == mask).all(), said


def test_a_hair_before_the_bar_line_is_the_next_one():
    take = take_of([(0.0, 1, 60, 64, 0, 0), (3.97, 1, 62, 64, 0, 0), (3.9, 1, 64, 64, 0, 0), (8.03, 1, 65, 64, 0, 0)])
    places = places_of(take)
    assert (Where.read("beat=1").mask(places) == np.isin(take.notes.pitch, (60, 62, 65))).all()
    assert (Where.read("bars=2").mask(places) == (take.notes.pitch == 62)).all()


def test_flams_stand_where_their_hit_stands():
    rows = [(0.0, 0.2, 36, 90, 0, 9), (3.96, 0.03, 38, 40, 0, 9), (4.0, 0.2, 38, 100, 0, 9), (3.5, 0.2, 38, 80, 0, 9)]
    take = take_of(rows)
    mask = Where.read("beat=1").mask(places_of(take))
    assert take.notes.onset_beat[mask].tolist() == [0.0, 3.96, 4.0]
    assert (Where.read("bars=2").mask(places_of(take)) == (take.notes.onset_beat > 3.6)).all()


def test_a_spread_chord_stands_at_one_place():
    # 0.03 and 0.045 beats behind the first: the last alone would be beyond a 24th of a beat.
    rows = [(4.0, 1, 48, 64, 0, 0), (4.015, 1, 52, 64, 0, 0), (4.03, 1, 55, 64, 0, 0), (4.045, 1, 60, 64, 0, 0)]
    take = take_of(rows)
    assert Where.read("beat=1").mask(places_of(take)).all()


def test_other_metres():
    take = take_of([(k * 0.5, 0.5, 60 + k, 64, 0, 0) for k in range(14)])
    notes, clock, _ = written(take)
    metre = Metre.of([(0.0, 7, 8)])
    places = Places.of(notes, parts_of(take, notes, clock, metre), metre)
    assert take.notes.pitch[Where.read("beat=1").mask(places)].tolist() == [60, 67]
    assert take.notes.pitch[Where.read("beat=4").mask(places)].tolist() == [66, 73]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("drum=cello", "the kit has"),
        ("channel=0", "1 to 16"),
        ("channel=17", "1 to 16"),
        ("bars=5-3", "no range"),
        ("bars=0-3", "no range"),
        ("pitch=60-200", "no range"),
        ("bars=", "names no notes"),
        ("colour=red", "names no notes"),
        ("drum=snare,,", "names no notes"),
        ("bars=٣", "no range"),
        (7, "names no notes"),
    ],
)
def test_refusals(said, word):
    with pytest.raises(TakeprintError, match=word):
        Where.read(said)


def test_an_unknown_track_names_those_there():
    places = places_of(take_of(groove(1)), ("Drums",))
    with pytest.raises(TakeprintError, match="0 Drums"):
        Where.read("Bass").mask(places)
    with pytest.raises(TakeprintError, match="no tracks"):
        Where.read("Bass").mask(places_of(take_of(groove(1))))
