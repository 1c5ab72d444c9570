"""A profile document and its sidecar, whole and damaged."""

import hashlib
import io
import json

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.profile import Profile


def _packed(save, values):
    out = io.BytesIO()
    save(out, values)
    return out.getvalue()


def _write(folder, sidecar_bytes=None, **parts):
    document = {"schema": "takeprint.profile/1", "name": "p", "kind": "drums", "card": {}, "model": {}} | parts
    if sidecar_bytes is not None:
        (folder / "s.npz").write_bytes(sidecar_bytes)
        document["sidecar"] = {"file": "s.npz", "sha256": hashlib.sha256(sidecar_bytes).hexdigest()}
    (folder / "p.json").write_text(json.dumps(document))
    return folder / "p.json"


def test_a_profile_comes_back_with_its_arrays(tmp_path):
    made = Profile("p", "drums", {"source": "s"}, {"timing": {"sd_ms": 3.0}}, {"timing_ms": np.arange(4.0)})
    made.save(tmp_path / "p.json")
    again = Profile.load(tmp_path / "p.json")
    assert (again.name, again.card, again.model) == (made.name, made.card, made.model)
    np.testing.assert_array_equal(again.arrays["timing_ms"], np.arange(4.0))


@pytest.mark.parametrize("key", ["card", "model", "sidecar"])
@pytest.mark.parametrize("value", ["x", 3, True, [1], float("nan")])
def test_a_field_of_another_type_is_refused(tmp_path, key, value):
    with pytest.raises(TakeprintError, match=key):
        Profile.load(_write(tmp_path, **{key: value}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        _packed(np.save, np.arange(3)),
        _packed(np.savez, np.array([{}], dtype=object)),
        _packed(np.savez, np.arange(300.0))[:-40],
    ],
    ids=["empty", "text", "npy", "pickle", "cut"],
)
def test_a_sidecar_that_is_none_is_refused(tmp_path, data):
    with pytest.raises(TakeprintError, match="sidecar"):
        Profile.load(_write(tmp_path, data))
