"""Every shipped profile says where it comes from and under which licence, and pretends to be nobody."""

from __future__ import annotations

import re

import pytest

from takeprint.humanize import profiles

NAMES = profiles.names()
# What a card may say of a licence: those that let figures be passed on.
OPEN = re.compile(r"\b(CC0|CC BY 4\.0|CC BY-SA 4\.0|Open Database License|ODbL|MIT|public domain)\b", re.I)
CLOSED = re.compile(r"\bBY-NC|non-?commercial|NoDerivatives|BY-ND", re.I)
PERSON_FIELDS = re.compile(r"artist|performer|pianist|singer|musician", re.I)


@pytest.mark.parametrize("name", NAMES)
def test_source_and_licence_are_named(name):
    card = profiles.load(name).card
    for field in ("source", "licence", "attribution", "method"):
        said = card.get(field)
        assert said, field
        assert isinstance(said, str | list), field
    assert OPEN.search(str(card["licence"])), card["licence"]
    assert not CLOSED.search(str(card["licence"]))


@pytest.mark.parametrize("name", NAMES)
def test_no_artist_is_claimed(name):
    profile = profiles.load(name)
    # A kind of instrument and a style, or a number: never a name of a person.
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+[0-9]*", name)
    kind = name.split("-")[0]
    assert profile.card["title"].casefold().startswith({"brass": "trumpets", "winds": "saxophones"}.get(kind, kind))
    assert not [field for field in profile.card if PERSON_FIELDS.search(field)]
    assert all(re.fullmatch(r"drummer\d+", player) for player in profile.card.get("drummers", ()))
    said = f"{profile.card['title']} {profile.card.get('limits')}"
    assert not re.search(r"\b(sounds? like|in the style of|plays? like)\b", said, re.I)
