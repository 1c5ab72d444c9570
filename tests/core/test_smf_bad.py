"""Broken Standard MIDI Files: a result with its repairs, or one refusal; nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes
from takeprint.core.smf import read_smf
from tests.smf_files import EOT, note, smf_of


def seeds() -> list[bytes]:
    plain = note(0, 480, 60) + note(0, 240, 64) + note(10, 480, 67)
    running = b"\x00\x90\x3c\x50\x83\x60\x3c\x00\x00\x40\x50\x60\x40\x00"
    rich = (
        b"\x00\xff\x03\x04name\x00\xff\x51\x03\x07\xa1\x20\x00\xff\x58\x04\x04\x02\x18\x08\x00\xff\x59\x02\x00\x00"
        b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7\x00\xc0\x05\x00\xb0\x40\x7f\x00\xe0\x00\x40\x00\xd0\x20\x00\xa0\x3c\x10"
    )
    body = smf_of(rich + plain + EOT, form=0)
    return [
        smf_of(rich + EOT, plain + EOT, running + EOT),
        body,
        smf_of(running + EOT, form=0, division=0xE728),
        b"RIFF" + (len(body) + 12).to_bytes(4, "little") + b"RMIDdata" + len(body).to_bytes(4, "little") + body,
        smf_of(plain + EOT, plain + EOT, form=2),
    ]


def mutated(rng: np.random.Generator, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        kind, at = int(rng.integers(0, 6)), int(rng.integers(0, max(1, len(out))))
        if not out:
            break
        if kind == 0:
            out[at] = int(rng.integers(0, 256))
        elif kind == 1:
            out[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 2:
            del out[at : at + int(rng.integers(1, 8))]
        elif kind == 3:
            out[at:at] = bytes(rng.integers(0, 256, int(rng.integers(1, 8)), dtype=np.uint8))
        elif kind == 4:
            del out[at:]
        else:
            out[at : at + 4] = bytes([[0xFF, 0x7F, 0x80, 0x00][int(rng.integers(0, 4))]]) * 4
    return bytes(out)


def test_mutated_files_give_a_result_or_one_refusal():
    rng = np.random.default_rng(20)
    loaded = refused = unequal = 0
    for k in range(3000):
        data = mutated(rng, seeds()[k % 5])
        try:
            smf = read_smf(data)
        except TakeprintError:
            refused += 1
            continue
        loaded += 1
        assert smf.to_bytes() == data
        notes = smf.notes()
        assert np.isfinite(notes.onset_s).all()
        assert (notes.duration_s >= 0).all()
        assert isinstance(smf.warnings, tuple)
        smf.metre(), smf.track_names(), smf.programs
        try:
            smf.tempo_map()
            after = smf.edited(tick=smf.events.tick + 1)
        except TakeprintError:
            continue
        if not smf.repairs:
            assert after.repairs == ()
            assert (after.events.tick == smf.events.tick + 1).all()
        unequal += after.origin is None
    assert loaded > 1000
    assert refused > 300
    assert unequal < loaded / 20


def verdict(entry: dict, folder: Path) -> tuple[str, str]:
    """Return (verdict, what was said) on one file of the corpus; a verdict in capitals is a failure."""
    try:
        smf = read_smf(folder / entry["file"])
    except TakeprintError as refusal:
        good = entry["must"] == "refuse" or entry["refuse_ok"]
        return "refused" if good else "REJECTED", str(refusal).removeprefix(str(folder))
    said = "; ".join([r.code for r in smf.repairs] + list(smf.warnings))
    if entry["must"] == "refuse" and not entry["load_ok"]:
        return "LOADED", said
    if entry["warn"] and not said:
        return "SILENT", said
    wrong = wrong_facts(entry["expect"], smf.notes())
    return ("WRONG: " + wrong, said) if wrong else ("loaded", said)


def wrong_facts(expect: dict, notes: Notes) -> str:
    ends = notes.onset_s + notes.duration_s
    if "notes" in expect:
        got = sorted(
            zip(notes.onset_s.tolist(), notes.pitch.tolist(), notes.velocity.tolist(), ends.tolist(), strict=True)
        )
        want = sorted(
            (on, pitch, velocity, end if end is not None else -1.0) for on, end, pitch, velocity in expect["notes"]
        )
        if len(got) != len(want):
            return f"{len(got)} notes, not {len(want)}"
        for g, w in zip(got, want, strict=True):
            near = [abs(a - b) <= 1e-6 + 1e-9 * abs(b) for a, b in zip(g, w, strict=True)]
            if not all(near[:3]) or not (near[3] or w[3] == -1.0):
                return f"note {g}, not {w}"
    if "n_notes" in expect and len(notes) != expect["n_notes"]:
        return f"{len(notes)} notes, not {expect['n_notes']}"
    if "n_notes_in" in expect and len(notes) not in range(expect["n_notes_in"][0], expect["n_notes_in"][1] + 1):
        return f"{len(notes)} notes, not {expect['n_notes_in']}"
    if "last_end_s" in expect and abs(ends.max() - expect["last_end_s"]) > 1e-3:
        return f"last end {ends.max()}, not {expect['last_end_s']}"
    if "onsets" in expect and not np.allclose(notes.onset_s, expect["onsets"], atol=1e-6):
        return f"onsets {notes.onset_s}"
    if "ends_in" in expect and not any(np.allclose(sorted(ends), e, atol=1e-6) for e in expect["ends_in"]):
        return f"ends {ends}"
    return ""


@pytest.mark.shared
def test_the_corpus_of_bad_files(bad_inputs, capsys):
    entries = [e for e in json.loads((bad_inputs / "manifest.json").read_text("utf-8")) if e["kind"] == "midi"]
    assert len(entries) > 100
    rows = [(e["file"], e["must"], *verdict(e, bad_inputs)) for e in entries]
    for name, must, said, words in rows:
        # pytest -s or -rP prints the table of verdicts
        print(f"{name[:34]!r:38} must {must:7} {said:10} {words[:120]}")  # noqa: T201
    assert [row for row in rows if row[2][0].isupper()] == []


@pytest.mark.shared
def test_every_bad_file_that_loads_is_written_back_as_it_was(bad_inputs):
    for entry in json.loads((bad_inputs / "manifest.json").read_text("utf-8")):
        if entry["kind"] != "midi":
            continue
        try:
            smf = read_smf(bad_inputs / entry["file"])
        except TakeprintError:
            continue
        assert smf.edited_bytes() == smf.data == (bad_inputs / entry["file"]).read_bytes()
        try:
            after = smf.edited(tick=smf.events.tick + 1)
        except TakeprintError as refusal:
            assert "wait of more than" in str(refusal)  # noqa: PT017
            continue
        assert after.format == smf.format
        assert after.n_tracks == smf.n_tracks
        assert len(after.notes()) == len(smf.notes())


@pytest.mark.parametrize("flaw", ["header length", "track length", "between chunks", "RIFF length"])
def test_lengths_that_lie_do_not_survive_an_edit(flaw):
    first, second = note(0, 480, 60) + EOT, note(0, 480, 62) + EOT
    data = bytearray(smf_of(first, second))
    if flaw == "header length":
        data[4:8] = (len(data) - 8 + 1).to_bytes(4, "big")
    elif flaw == "track length":
        at = 14 + 8 + len(first) + 4
        data[at : at + 4] = (len(second) + 2).to_bytes(4, "big")  # two bytes past the file's end
    elif flaw == "between chunks":
        data[14 + 8 + len(first) : 14 + 8 + len(first)] = b"JUNK\x00\x00\x01\x00"
    else:
        size = (len(data) + 3).to_bytes(4, "little")
        data[:0] = b"RIFF" + (len(data) + 12).to_bytes(4, "little") + b"RMIDdata" + size
    smf = read_smf(bytes(data))
    assert len(smf.repairs) == 1
    assert len(smf.notes()) == 2
    tick = smf.events.tick.copy()
    tick[:3] += 1000  # only the first track, which grows
    after = smf.edited(tick=tick)
    assert len(after.data) > len(smf_of(first, second))
    assert after.repairs == ()
    assert after.notes().onset_tick.tolist() == [0, 1000]
