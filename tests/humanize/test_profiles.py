from __future__ import annotations

import json
from importlib.resources import files

import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.profile import CARD_FIELDS
from takeprint.humanize import profiles

NAMES = profiles.names()


def test_there_are_drummers_and_a_piano():
    assert sum(name.startswith("drums-") for name in NAMES) >= 6
    assert "piano-plain" in NAMES
    assert profiles.DEFAULT_DRUMS in NAMES
    assert profiles.DEFAULT_OTHERS in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_card_is_complete(name):
    profile = profiles.load(name)
    assert profile.name == name
    for field in (*CARD_FIELDS, "title", "limits", "command"):
        assert profile.card.get(field), field
    if profile.kind == "drums":
        assert "CC BY 4.0" in profile.card["licence"]
        assert "Gillick" in profile.card["attribution"]
        for field in ("takes", "notes", "timing_sd_ms", "timing_lag1", "timing_dfa_exponent"):
            assert profile.card["figures"][field] > 0, field


@pytest.mark.parametrize("name", NAMES)
def test_donor_rows_are_attributed_take_by_take(name):
    profile = profiles.load(name)
    if not profile.arrays:
        assert profile.kind != "drums"
        return
    donors = profile.card["donors"]
    assert set(profile.arrays["take"].tolist()) == set(range(len(donors)))
    assert {d["take"] for d in donors} <= set(profile.card["takes"])
    assert len({len(a) for n, a in profile.arrays.items() if n != "take_bpm" and not n.startswith("kit_")}) == 1
    heard = profile.card["listened_to"]
    assert set(profile.arrays["kit_take"].tolist()) == set(range(len(heard)))
    assert set(heard) <= set(profile.card["takes"])


@pytest.mark.parametrize("name", NAMES)
def test_nothing_forbidden_is_in_it(name):
    said = json.dumps(profiles.load(name).to_json()).lower()
    for word in ("vienna", "asap", "restricted", "mdb", "/work", "/tmp"):
        assert word not in said


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_tells_how_much_it_stands_on(name):
    model = profiles.load(name).model
    assert all("n" in model[trace] for trace in ("timing", "dynamics", "articulation", "tempo"))
    assert all("n" in row for row in model["template"])
    assert all("n" in voice for voice in model["timing"]["voices"].values())


def test_they_are_small():
    sizes = [len(item.read_bytes()) for item in files(profiles).iterdir() if item.name.endswith((".json", ".npz"))]
    assert sum(sizes) < 3_000_000


def test_an_unknown_name_tells_the_known_ones():
    with pytest.raises(TakeprintError, match="piano-plain"):
        profiles.load("nobody")
    with pytest.raises(TakeprintError):
        profiles.load("../perform")
