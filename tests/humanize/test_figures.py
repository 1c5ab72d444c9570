from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.profile import Profile
from takeprint.humanize import perform, profiles
from takeprint.humanize.players.figures import check_figures

from .made_scores import chorale, groove, take_of

# What a vandal, a bug or a damaged disk may put where a figure stands.
DAMAGE = (1e308, -1e308, 1e12, -1, 0, "x", None, [], {}, True, [1e300], 10**30)


@pytest.fixture(scope="module")
def band():
    return take_of(groove(2, track=0) + chorale(2, track=1))


@pytest.mark.parametrize("name", profiles.names())
def test_what_ships_can_be_played(name):
    check_figures(profiles.load(name))


def places(node, path=()):
    """Return every place of a document once: of a list only its first item, of the voices only one."""
    items = node.items() if isinstance(node, dict) else enumerate(node[:1]) if isinstance(node, list) else ()
    for key, value in items:
        if not (isinstance(key, str) and path and path[-1] == "voices" and key != next(iter(node))):
            yield from places(value, (*path, key))
    if path:
        yield path


def damaged(model, path, value):
    model = copy.deepcopy(model)
    node = model
    for key in path[:-1]:
        node = node[key]
    if value is KeyError:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return model


@pytest.mark.parametrize("name", ["drums-jazz", "piano-plain"])
def test_a_damaged_figure_is_refused_or_played_within_reason(name, band):
    whole = profiles.load(name)
    refused = 0
    for path in places(json.loads(json.dumps(whole.model))):
        for value in (KeyError, *DAMAGE):
            profile = Profile(whole.name, whole.kind, whole.card, damaged(whole.model, path, value), {})
            try:
                check_figures(profile)
            except TakeprintError:
                refused += 1
                continue
            made = perform(band, profile, seed=1)
            assert np.isfinite(made.notes.onset_s).all(), (path, value)
            assert np.abs(made.notes.timing_ms).max() < 60_000.0, (path, value)
    assert refused > 100


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("timing_ms", np.array(["x"])),
        ("timing_ms", np.full((2, 2), 0.0)),
        ("bar", np.array([2**31 - 1, 0])),
        ("voice", np.array([1j, 0])),
        ("take_bpm", np.array([])),
        ("take_bpm", np.array([np.nan])),
        ("beat", np.array([np.inf, 0.0])),
    ],
)
def test_damaged_donor_rows_are_refused(column, value):
    whole = profiles.load("drums-jazz")
    of_rows = [key for key in whole.arrays if key != "take_bpm" and not key.startswith("kit_")]
    rows = {key: whole.arrays[key][:2] for key in of_rows}
    rows["take_bpm"] = whole.arrays["take_bpm"]
    check_figures(Profile(whole.name, whole.kind, whole.card, whole.model, rows))
    with pytest.raises(TakeprintError, match=column):
        check_figures(Profile(whole.name, whole.kind, whole.card, whole.model, rows | {column: value}))


def test_a_kind_that_is_none_is_refused():
    whole = profiles.load("piano-plain")
    with pytest.raises(TakeprintError, match="kind"):
        check_figures(Profile(whole.name, "flute", whole.card, whole.model, {}))
