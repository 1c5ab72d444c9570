"""Exports: what other programs read is what the deviations say."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import mido
import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.app.exports import TICKS_PER_BEAT, export
from takeprint.core.deviations import DeviationNotes, Deviations, TempoCurve
from takeprint.core.errors import TakeprintError
from takeprint.core.match_file import read_match

_WRITTEN = [("onset_quarter", "f8"), ("duration_quarter", "f8"), ("pitch", "i4")]
_PLAYED = [("onset_sec", "f8"), ("duration_sec", "f8"), ("pitch", "i4"), ("velocity", "i4")]


def drifting(start_s: float, n_beats: int = 80, first_beat: int = 0) -> Deviations:
    """Return deviations whose beats lie where a drifting player put them."""
    rng = np.random.default_rng(3)
    step_s = 0.5 * np.exp(0.1 * np.sin(np.arange(n_beats) / 9.0) + rng.normal(0, 0.02, n_beats))
    time_s = start_s + np.concatenate([[0.0], np.cumsum(step_s)])
    beat = np.arange(first_beat, first_beat + n_beats + 1.0)
    bpm = 60.0 / np.append(step_s, step_s[-1])
    return Deviations(tempo=TempoCurve(beat, time_s, bpm), reference={"kind": "none", "timing_basis": "tempo"})


def beat_times_s(data: bytes, beats: int, lead_ticks: int) -> np.ndarray:
    """Return when each beat of a tempo map comes, counted from the set_tempo events as a DAW does."""
    file = mido.MidiFile(file=io.BytesIO(data))
    tempi, tick = [], 0
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            tempi.append((tick, message.tempo))
    ticks = lead_ticks + np.arange(beats) * file.ticks_per_beat
    out = []
    for at in ticks:
        us = 0.0
        for (start, tempo), stop in zip(tempi, [t for t, _ in tempi[1:]] + [np.inf], strict=True):
            us += max(0.0, min(at, stop) - start) * tempo / file.ticks_per_beat
        out.append(us / 1e6)
    return np.array(out)


@pytest.mark.parametrize(
    ("start_s", "lead_beats"), [(0.0, 0), (0.02, 0.25), (0.25, 0.5), (0.5, 1), (1.9, 4), (9.77, 19)]
)
def test_every_beat_of_the_tempo_map_lies_where_it_was_played(start_s: float, lead_beats: float) -> None:
    played = drifting(start_s)
    data = export(played, "tempo-map")
    file = mido.MidiFile(file=io.BytesIO(data))
    signatures = [m for m in file.tracks[0] if m.type == "time_signature"]
    lead_ticks = round(lead_beats * TICKS_PER_BEAT)
    if lead_beats:
        bar = signatures[0].numerator * 4 * TICKS_PER_BEAT // signatures[0].denominator
        assert lead_ticks % bar == 0
    found_s = beat_times_s(data, 81, lead_ticks)
    assert np.abs(found_s - played.tempo.time_s).max() <= 1.0e-6


def test_a_tempo_map_of_a_take_that_begins_before_its_beat_zero() -> None:
    played = drifting(-1.3)
    data = export(played, "tempo-map")
    first = int(np.flatnonzero(played.tempo.time_s >= 0)[0])
    start_s = played.tempo.time_s[first]
    tick, ticks = 0, []
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[0]:
        tick += message.time
        ticks += [tick] if message.type == "set_tempo" else []
    lead = TICKS_PER_BEAT // 2  # 0.22 s before beats of 0.47 s
    assert lead in ticks
    found_s = beat_times_s(data, 81 - first, lead)
    assert found_s[0] == pytest.approx(start_s, abs=1e-6)
    assert np.abs(found_s - played.tempo.time_s[first:]).max() <= 1.0e-6


def test_a_tempo_map_carries_the_slips_as_markers(midi_take: Path, midi_score: Path) -> None:
    measured = measure(midi_take, midi_score)
    file = mido.MidiFile(file=io.BytesIO(export(measured, "tempo-map")), charset="utf-8")
    said = [m.text for m in file.tracks[0] if m.type == "marker"]
    assert sorted(said) == sorted(str(slip["kind"]) for slip in measured.slips)
    assert not [m for m in file.tracks[0] if m.type.startswith("note")]


def test_a_tempo_map_needs_a_tempo() -> None:
    with pytest.raises(TakeprintError, match="tempo curve"):
        export(Deviations(), "tempo-map")


def test_audacity_labels_hold_every_note_and_slip(midi_take: Path, midi_score: Path) -> None:
    measured = measure(midi_take, midi_score)
    rows = [line.split("\t") for line in export(measured, "audacity").decode().splitlines()]
    assert all(len(row) == 3 for row in rows)
    starts = np.array([float(row[0]) for row in rows])
    assert (np.diff(starts) >= 0).all()
    heard = int(np.isfinite(measured.notes.onset_s).sum())
    missed = int((measured.notes.label == "deletion").sum())
    assert missed == 2
    assert len(rows) == heard + missed
    assert sum("missed" in row[2] for row in rows) == missed
    assert sum("added" in row[2] for row in rows) == int((measured.notes.label == "insertion").sum()) == 1
    matched = measured.notes.rows(measured.notes.label == "match")
    label = next(row[2] for row in rows if abs(float(row[0]) - matched.onset_s[7]) < 1e-6)
    assert f"{matched.timing_ms[7]:+.1f} ms" in label


def test_labels_stay_one_line_whatever_a_file_says() -> None:
    rows = DeviationNotes.build(label=["match"], onset_s=[1.0], instrument=["a\tb\nc\u2028d"])
    line = export(Deviations(notes=rows), "audacity").decode()
    assert line.count("\n") == 1
    assert line.count("\t") == 2
    assert "\u2028" not in line


def test_regions_of_noises_have_a_length() -> None:
    breath = ({"kind": "inhale", "start_s": 2.0, "duration_s": 0.4, "level_db": -50.0},)
    assert export(Deviations(breath=breath), "audacity") == b"2.000000\t2.400000\tinhale\n"


def test_csv_and_json_hold_the_same_figures(midi_take: Path) -> None:
    measured = measure(midi_take)
    table = list(csv.DictReader(io.StringIO(export(measured, "csv").decode())))
    assert list(table[0]) == list(DeviationNotes.names())
    timing = [float(row["timing_ms"]) for row in table]
    assert np.allclose(timing, measured.notes.timing_ms, atol=1e-6)
    again = Deviations.from_json(json.loads(export(measured, "json")))
    assert again.notes == measured.notes
    assert again.tempo == measured.tempo


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TakeprintError, match="audacity"):
        export(Deviations(), "svl")


def test_a_note_at_the_end_of_time_has_no_tempo_map() -> None:
    note = DeviationNotes.build(label=np.array(["match"]), onset_s=np.array([1e300]))
    with pytest.raises(TakeprintError, match="a million beats"):
        export(drifting(0.0).replace(notes=note), "tempo-map")


def test_a_match_file_reads_back_as_what_was_measured(tmp_path: Path) -> None:
    score = np.array([(i / 2, 0.5, 60 + i * 5 % 12) for i in range(24)], dtype=_WRITTEN)
    played = np.array([(0.3 * i + 0.01 * (i % 3), 0.25, 60 + i * 5 % 12, 70) for i in range(1, 24)], dtype=_PLAYED)
    measured = measure(played, against=score)
    path = tmp_path / "take.match"
    path.write_bytes(export(measured, "match"))
    found, rows = read_match(path), measured.notes
    written, played = rows.rows(rows.label != "insertion"), rows.rows(rows.label != "deletion")
    assert np.allclose(np.sort(found.score.onset_beat), np.sort(written.reference_beat), atol=1e-3)
    assert np.allclose(np.sort(found.performance.onset_s), np.sort(played.onset_s), atol=1e-4)
    assert len(found.pairs) == (rows.label == "match").sum() == 23
