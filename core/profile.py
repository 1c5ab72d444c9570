"""The Profile document: what a player does, as figures.

Conventions
-----------
A profile is JSON (schema ``takeprint.profile/1``) that a person can read: a card (source, licence, method, how much
data each figure stands on) and, per trace, the fitted figures. Large arrays (a donor's rows) lie in a sidecar ``.npz``
file beside it, named in the document together with its sha256.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .deviations import finite
from .errors import TakeprintError
from .files import read_regular, write_together

SCHEMA = "takeprint.profile/1"
CARD_FIELDS = ("source", "licence", "attribution", "method", "figures")


@dataclass(frozen=True)
class Profile:
    """What a player does.

    Parameters
    ----------
    name : str
        Short name, e.g. ``"drums-rock"``.
    kind : str
        ``"drums"``, ``"keyboard"`` or ``"melody"``.
    card : dict
        ``source, licence, attribution, method, figures`` in words and numbers.
    model : dict
        The parametric player's figures, by trace.
    arrays : dict of ndarray
        The donor's rows; empty for a purely parametric profile.
    """

    name: str
    kind: str
    card: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def to_json(self, sidecar: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON document; ``sidecar`` is ``{"file", "sha256"}`` of the arrays."""
        document = {"schema": SCHEMA, "name": self.name, "kind": self.kind, "card": self.card, "model": self.model}
        if sidecar:
            document["sidecar"] = dict(sidecar)
        return finite(document)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write ``PATH`` and, where there are arrays, ``PATH`` with suffix ``.npz``: on a full disk neither changes."""
        import hashlib

        path = Path(path)
        sidecar, contents = None, {}
        if self.arrays:
            packed = io.BytesIO()
            np.savez_compressed(packed, **dict(sorted(self.arrays.items())))  # type: ignore[arg-type]
            data = packed.getvalue()
            beside = path.with_suffix(".npz")
            sidecar = {"file": beside.name, "sha256": hashlib.sha256(data).hexdigest()}
            contents[beside] = data
        said = json.dumps(self.to_json(sidecar), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        contents[path] = said.encode()
        write_together(contents, force=force)

    @classmethod
    def load(cls, path: str | Path) -> Profile:
        """Read a profile and its sidecar.

        Raises
        ------
        TakeprintError
            For another schema, a missing field, or a sidecar whose sha256 is not the one named.
        """
        import hashlib

        path = Path(path)
        where = str(path)
        try:
            document = json.loads(read_regular(path, max_bytes=200_000_000))
        except (ValueError, RecursionError) as wrong:
            if isinstance(wrong, TakeprintError):
                raise
            raise TakeprintError(f"not JSON ({wrong})", where=where, rule="a profile is a JSON text") from wrong
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            found = document.get("schema") if isinstance(document, dict) else type(document).__name__
            raise TakeprintError(
                f"schema is {found!r}",
                where=where,
                rule=f"a profile says {SCHEMA!r}",
                remedy="make one with `takeprint fit`",
            )
        missing = [k for k in ("name", "kind", "card", "model") if k not in document]
        if missing:
            raise TakeprintError(
                f"field {missing[0]!r} is missing", where=where, rule="a profile has name, kind, card, model"
            )
        for key in ("card", "model", "sidecar"):
            if not isinstance(document.get(key) or {}, dict) or (key != "sidecar" and document[key] is None):
                raise TakeprintError(
                    f"field {key!r} is {type(document[key]).__name__}", where=where, rule=f"{key} maps names to values"
                )
        arrays: dict[str, np.ndarray] = {}
        sidecar = document.get("sidecar")
        if sidecar:
            # The name only: a profile from elsewhere must not make us read other folders.
            beside = path.parent / Path(str(sidecar.get("file", ""))).name
            data = read_regular(beside, max_bytes=500_000_000)
            if hashlib.sha256(data).hexdigest() != sidecar.get("sha256"):
                raise TakeprintError(
                    "the sidecar's sha256 is not the one the profile names",
                    where=str(beside),
                    remedy="fetch or fit both again",
                )
            arrays = _unpacked(data, str(beside))
        return cls(str(document["name"]), str(document["kind"]), document["card"], document["model"], arrays)


def _unpacked(data: bytes, where: str) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` file; pickled objects are never opened."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as packed:
            return {name: packed[name] for name in packed.files}
    except (
        ValueError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
    ) as wrong:
        raise TakeprintError(
            f"the sidecar cannot be read ({type(wrong).__name__})",
            where=where,
            rule="a sidecar is an .npz file of plain arrays",
            remedy="fetch or fit both again",
        ) from wrong
