"""Every file of the corpus of odd and hostile files through ``takeprint measure``, as one batch."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takeprint.app.cli import main

TICK_S = 0.0006  # half a tick at 120 bpm and 480 ticks is 0.52 ms


@pytest.fixture(scope="module")
def verdicts(bad_inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Measure the corpus once: the exit code, what was said, the documents and the failures."""
    out = tmp_path_factory.mktemp("verdicts") / "out"
    manifest = json.loads((bad_inputs / "manifest.json").read_text(encoding="utf-8"))
    files = [str(bad_inputs / entry["file"]) for entry in manifest]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = main(["measure", "-o", str(out), "--jobs", "1", "--json", "--", *files])
    with (out / "failures.csv").open(newline="", encoding="utf-8") as handle:
        failures = list(csv.DictReader(handle))
    report = {os.path.basename(f["file"]): f for f in json.loads(said.getvalue())["files"]}
    return {"manifest": manifest, "code": code, "report": report, "failures": failures, "out": out}


def test_every_file_has_a_verdict_and_none_is_an_error_of_ours(verdicts: dict[str, Any]) -> None:
    assert verdicts["code"] == 1
    assert len(verdicts["report"]) == len(verdicts["manifest"]) == 267
    failed = [f for f in verdicts["report"].values() if f["state"] == "failed"]
    assert len(failed) == len(verdicts["failures"])
    for entry in failed:
        assert "\n" not in entry["reason"]
        assert len(entry["reason"]) >= 10
        assert "error of Takeprint" not in entry["reason"], entry
        assert entry["stage"] in ("read", "measure"), entry


def test_what_must_load_loads_and_what_must_be_refused_is(verdicts: dict[str, Any]) -> None:
    wrong = []
    for entry in verdicts["manifest"]:
        loaded = verdicts["report"][entry["file"]]["state"] == "done"
        if loaded and entry["must"] == "refuse" and not entry["load_ok"]:
            wrong.append(f"{entry['file']} was taken: {entry['odd']}")
        if not loaded and entry["must"] == "load" and not entry["refuse_ok"]:
            reason = verdicts["report"][entry["file"]]["reason"]
            wrong.append(f"{entry['file']} was refused: {entry['odd']}: {reason}")
    assert wrong == []


def test_what_is_odd_and_loads_is_said(verdicts: dict[str, Any]) -> None:
    silent = [
        f"{entry['file']}: {entry['odd']}"
        for entry in verdicts["manifest"]
        if entry["warn"]
        and (told := verdicts["report"][entry["file"]])["state"] == "done"
        and not (told["warnings"] or told["repairs"])
    ]
    assert silent == []


def test_what_loads_has_the_facts_of_the_manifest(verdicts: dict[str, Any]) -> None:
    wrong = []
    for entry in verdicts["manifest"]:
        told = verdicts["report"][entry["file"]]
        if told["state"] == "done":
            document = json.loads((verdicts["out"] / told["output"]).read_text(encoding="utf-8"))
            check = midi_faults if entry["kind"] == "midi" else audio_faults
            wrong += [f"{entry['file']}: {fault}" for fault in check(document, entry["expect"])]
    assert wrong == []


def midi_faults(document: dict[str, Any], expect: dict[str, Any]) -> list[str]:
    notes = document["notes"]
    columns = (notes["onset_s"], notes["duration_s"], notes["pitch"], notes["velocity"])
    rows = sorted(zip(*columns, strict=True), key=lambda r: (round(r[0], 3), r[2], r[3]))
    faults = []
    if "notes" in expect:
        wanted = sorted(expect["notes"], key=lambda r: (round(r[0], 3), r[2], r[3]))
        if len(rows) != len(wanted):
            return [f"{len(rows)} notes, not {len(wanted)}"]
        for (onset, length, pitch, velocity), (at, end, key, loud) in zip(rows, wanted, strict=True):
            if abs(onset - at) > TICK_S or (pitch, velocity) != (key, loud):
                faults.append(f"note {(onset, pitch, velocity)}, not {(at, key, loud)}")
            if end is not None and length is not None and abs(onset + length - end) > TICK_S:
                faults.append(f"note at {onset} ends at {onset + length}, not {end}")
    if "n_notes" in expect and len(rows) != expect["n_notes"]:
        faults.append(f"{len(rows)} notes, not {expect['n_notes']}")
    if "n_notes_in" in expect and len(rows) not in expect["n_notes_in"]:
        faults.append(f"{len(rows)} notes, not one of {expect['n_notes_in']}")
    if expect.get("last_onset_s") is not None and rows and abs(rows[-1][0] - expect["last_onset_s"]) > 0.001:
        faults.append(f"last onset {rows[-1][0]}, not {expect['last_onset_s']}")
    return faults


def audio_faults(document: dict[str, Any], expect: dict[str, Any]) -> list[str]:
    take, faults = document["take"], []
    for name, key in (("samplerate", "sample_rate"), ("channels", "channels")):
        if name in expect and abs(take[key] - expect[name]) > 0.5:
            faults.append(f"{key} {take[key]}, not {expect[name]}")
    if "frames" in expect and abs(take["frames"] - expect["frames"]) > expect.get("frames_tol", 0):
        faults.append(f"{take['frames']} frames, not {expect['frames']}")
    if "peak" in expect and not np.isclose(take["peak"], expect["peak"], rtol=0.05, atol=0.002):
        faults.append(f"peak {take['peak']}, not {expect['peak']}")
    return faults
