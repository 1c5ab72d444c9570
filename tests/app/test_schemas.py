"""The JSON schemas: every document we write keeps them, and they can tell a broken one."""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.core.deviations import DeviationNotes, Deviations

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is in the test extra")
ROOT = Path(__file__).resolve().parents[2]


def schema(name: str) -> dict[str, Any]:
    return json.loads((files("takeprint.app") / "schemas" / f"{name}.json").read_text(encoding="utf-8"))


def faults(document: Any, name: str) -> list[str]:
    checker = jsonschema.Draft202012Validator(schema(name))
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:120]}" for e in checker.iter_errors(document)]


@pytest.fixture(scope="module")
def measured(midi_take: Path) -> Deviations:
    return measure(midi_take)


@pytest.mark.parametrize("name", ["deviations-1", "comparison-1", "profile-1"])
def test_the_schema_itself_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_a_measurement_keeps_the_schema(measured: Deviations) -> None:
    assert faults(json.loads(measured.dumps()), "deviations-1") == []
    nobody = {"name": "", "sha256": None, "kind": "none", "duration_s": 0}
    empty = Deviations(take=nobody, reference={"kind": "none"})
    assert faults(json.loads(empty.dumps()), "deviations-1") == []


def test_a_measurement_against_a_score_keeps_the_schema(midi_take: Path, midi_score: Path) -> None:
    document = json.loads(measure(midi_take, midi_score).dumps())
    assert faults(document, "deviations-1") == []
    assert {"missed", "added"} <= {slip["kind"] for slip in document["slips"]}


def test_every_column_is_in_the_schema_and_described() -> None:
    columns = schema("deviations-1")["properties"]["notes"]
    # Columns that came later are not asked of documents that were written before them.
    assert set(columns["required"]) <= set(columns["properties"]) == set(DeviationNotes.names())
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    missing = [name for name in DeviationNotes.names() if f"`{name}`" not in page]
    assert missing == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("schema",), "takeprint.deviations/2"),
        (("notes", "label"), ["matched"]),
        (("notes", "timing_ms"), ["12"]),
        (("take", "kind"), "video"),
        (("slips",), [{"kind": "oops", "time_s": 1.0}]),
        (("warnings",), [""]),
        (("repairs",), [{"offset": 0, "code": "x"}]),
        (("tempo", "tempo_bpm"), [0.0]),
    ],
)
def test_a_broken_document_is_found_out(measured: Deviations, place: tuple[str, ...], value: Any) -> None:
    document = copy.deepcopy(json.loads(measured.dumps()))
    at = document
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    assert faults(document, "deviations-1") != []


def test_a_comparison_keeps_the_schema(measured: Deviations) -> None:
    from takeprint.analysis.compare import compare

    tight = measured.scaled(timing=0.3, dynamics=0.5)
    document = compare(measured, tight, permutations=99).to_json()
    assert faults(json.loads(json.dumps(document)), "comparison-1") == []


def test_a_fitted_profile_keeps_the_schema(measured: Deviations, tmp_path: Path) -> None:
    from takeprint.analysis.fit import fit

    profile = fit(measured, name="ada")
    profile.save(tmp_path / "ada.json")
    document = json.loads((tmp_path / "ada.json").read_text(encoding="utf-8"))
    assert faults(document, "profile-1") == []
    assert np.isfinite(document["card"]["figures"]["notes"])


def test_the_shipped_profiles_keep_the_schema() -> None:
    shipped = [item for item in files("takeprint.humanize.profiles").iterdir() if item.name.endswith(".json")]
    assert len(shipped) >= 7
    for item in shipped:
        assert faults(json.loads(item.read_text(encoding="utf-8")), "profile-1") == [], item.name
