"""The shipped profiles: what real players do, as figures, each with its card.

Conventions
-----------
A profile is a JSON document beside this file; where it can lend a real take's bars, these lie in an ``.npz`` beside it
that the document names with its sha256. ``load(name).card`` tells the source, licence, attribution and method.
"""

from __future__ import annotations

from importlib.resources import as_file, files

from ...core.errors import TakeprintError
from ...core.profile import Profile

# What is played where nothing is asked for.
DEFAULT_DRUMS = "drums-rock"
DEFAULT_OTHERS = "piano-plain"


def names() -> list[str]:
    """Return the names of the shipped profiles, sorted.

    Examples
    --------
    >>> "piano-plain" in names()
    True
    """
    return sorted(item.name[:-5] for item in files(__package__).iterdir() if item.name.endswith(".json"))


def load(name: str) -> Profile:
    """Return a shipped profile.

    Raises
    ------
    TakeprintError
        For an unknown name; says which there are.

    Examples
    --------
    >>> load("piano-plain").kind
    'keyboard'
    """
    known = names()
    if name not in known:
        raise TakeprintError(
            f"no shipped profile {name!r}",
            rule=f"shipped are {', '.join(known) or 'none'}",
            remedy="give one of these names, or the path of a profile made by `takeprint fit`",
        )
    with as_file(files(__package__)) as folder:
        return Profile.load(folder / f"{name}.json")
