import json

import numpy as np
import pytest

from takeprint.core.deviations import DeviationNotes, Deviations, LevelCurve, TempoCurve
from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Timeline


def made(basis="tempo"):
    """Four matched notes, a missed one and an added one, played slower than written and late."""
    clock = Timeline.constant(120.0)
    beat = np.array([0.0, 1.0, 2.0, 3.0, 1.5])
    played = Timeline(np.arange(5.0), np.array([0.1, 0.62, 1.2, 1.7, 2.3]))
    base = played if basis == "tempo" else clock
    timing_ms = np.array([5.0, -10.0, 0.0, 20.0, np.nan])
    onset_s = base.seconds_at(beat) + 0.012 + timing_ms / 1000
    length_s = played.seconds_at(beat + 0.5) - played.seconds_at(beat)
    notes = DeviationNotes.build(
        label=["match"] * 4 + ["deletion", "insertion"],
        reference_index=[0, 1, 2, 3, 4, -1],
        take_index=[0, 1, 2, 3, -1, 4],
        reference_beat=[*beat, np.nan],
        reference_duration_beat=[0.5] * 5 + [np.nan],
        reference_velocity=[64.0] * 5 + [np.nan],
        reference_onset_s=[*clock.seconds_at(beat), np.nan],
        reference_pitch=[60, 62, 64, 65, 67, np.nan],
        onset_s=[*onset_s, 1.0],
        duration_s=[*(length_s[:4] * 2**0.25), np.nan, 0.2],
        pitch=[60, 62, 64, 65, np.nan, 66],
        velocity=[70, 60, 64, 80, np.nan, 50],
        timing_ms=[*timing_ms, np.nan],
        dynamics_velocity=[2.0, -8.0, -4.0, 12.0, np.nan, -18.0],
        articulation_log2=[0.25] * 4 + [np.nan] * 2,
        slip_id=[-1] * 4 + [0, 1],
    )
    return Deviations(
        notes=notes,
        tempo=TempoCurve(beat=played.beat, time_s=played.time_s, tempo_bpm=played.tempo_bpm_at(played.beat)),
        level=LevelCurve(time_s=[0.0, 3.0], level=[68.0, 68.0]),
        slips=({"kind": "missed", "time_s": 0.9},),
        reference={"kind": "score", "metre": [], "tempo_map": clock.to_dict(), "timing_basis": basis},
        latency_ms=12.0,
    )


def test_amount_one_is_the_same_document():
    d = made()
    assert d.scaled() is d


@pytest.mark.parametrize("basis", ["tempo", "reference"])
def test_amount_zero_is_the_reference_exactly(basis):
    notes = made(basis).scaled(0).notes
    assert (notes.label == "match").all()
    np.testing.assert_array_equal(notes.onset_s, notes.reference_onset_s)
    np.testing.assert_array_equal(notes.velocity, notes.reference_velocity)
    np.testing.assert_array_equal(notes.pitch, notes.reference_pitch)
    np.testing.assert_allclose(notes.duration_s, 0.25, atol=1e-12)


@pytest.mark.parametrize("basis", ["tempo", "reference"])
@pytest.mark.parametrize("amount", [-1.0, 0.5, 1.3])
def test_totals_follow_from_the_parts(basis, amount):
    d = made(basis).scaled(timing=amount, tempo=0.7)
    match = d.notes.label == "match"
    due = d.basis.seconds_at(d.notes.reference_beat[match])
    np.testing.assert_allclose(
        d.notes.onset_s[match], due + (d.latency_ms + d.notes.timing_ms[match]) / 1000, atol=1e-12
    )
    np.testing.assert_allclose(
        np.sort(d.notes.timing_ms[match]), np.sort(amount * made().notes.timing_ms[:4]), atol=1e-9
    )


def test_tempo_scales_as_a_log_ratio_and_inverts():
    d = made()
    inverse = d.scaled(tempo=-1.0)
    ratio = np.log(d.tempo.tempo_bpm[:-1] / 120.0)
    np.testing.assert_allclose(np.log(inverse.tempo.tempo_bpm[:-1] / 120.0), -ratio, atol=1e-12)


def test_traces_are_scaled_apart():
    d, louder = made(), made().scaled(dynamics=2.0)
    in_order = d.notes.rows(np.argsort(np.nan_to_num(d.notes.onset_s, nan=0.75), kind="stable"))
    np.testing.assert_allclose(louder.notes.onset_s, in_order.onset_s, atol=1e-12)
    assert louder.notes.velocity[0] == 76.0
    longer = d.scaled(articulation=2.0)
    ratio = longer.notes.duration_s[:2] / d.notes.duration_s[:2]
    np.testing.assert_allclose(ratio, 2**0.25)


def test_slips_can_be_left_out():
    clean = made().scaled(slips=0.0)
    assert clean.notes.label.tolist() == ["match"] * 5
    assert clean.slips == ()


@pytest.mark.parametrize("wrong", [{"nonsense": 1.0}, {"timing": np.nan}, {"amount": np.inf}])
def test_no_such_amount(wrong):
    with pytest.raises(TakeprintError, match=r"trace|amount"):
        made().scaled(**wrong)


def test_json_round_trip(tmp_path):
    d = made()
    d.save(tmp_path / "d.json")
    again = Deviations.load(tmp_path / "d.json")
    assert again.notes == d.notes
    assert again.tempo == d.tempo
    assert again.to_json() == json.loads(d.dumps())
    assert "NaN" not in d.dumps()
    with pytest.raises(TakeprintError, match="already there"):
        d.save(tmp_path / "d.json")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("[]", "schema"),
        ("{}", "schema"),
        ('{"schema": "takeprint.deviations/1"}', "damaged"),
        ("not json", "JSON"),
        ('{"schema": "takeprint.deviations/1", "notes": {"onset_s": ["x"]}, "tempo": {}}', "damaged"),
        ('{"schema": "takeprint.deviations/1", "notes": {"onset_s": [1], "pitch": []}, "tempo": {}}', "rows"),
    ],
)
def test_damaged_documents_are_refused(tmp_path, document, said):
    path = tmp_path / "d.json"
    path.write_text(document)
    with pytest.raises(TakeprintError, match=said):
        Deviations.load(path)


def test_csv_tables(tmp_path):
    paths = made().to_csv(tmp_path / "out")
    assert [p.name for p in paths] == [
        f"{name}.csv" for name in ("notes", "tempo", "level", "pitch", "alignment", "events")
    ]
    rows = paths[0].read_text().splitlines()
    assert rows[0].split(",")[:3] == ["label", "confidence", "reference_index"]
    assert len(rows) == 7
    assert all(len(r.split(",")) == len(rows[0].split(",")) for r in rows)


def _planted(path, value):
    document = json.loads(made().dumps())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize("value", ["x", "NaN", True, [], {}, 10**400, float("inf"), -(2**70), None, [[1]], [None]])
@pytest.mark.parametrize(
    "path",
    [
        ("latency_ms",),
        ("notes",),
        ("notes", "onset_s"),
        ("notes", "onset_s", 0),
        ("notes", "reference_index", 0),
        ("notes", "label", 0),
        ("tempo", "time_s", 1),
        ("slips",),
        ("slips", 0),
        ("slips", 0, "slip_id"),
        ("breath",),
        ("reference",),
        ("reference", "metre"),
        ("reference", "tempo_map"),
        ("reference", "tempo_map", "beat"),
        ("reference", "tempo_map", "time_s", 0),
        ("warnings",),
        ("repairs",),
        ("summary",),
    ],
)
def test_a_hostile_document_is_refused_or_read_and_never_breaks(path, value):
    d, where = None, None
    try:
        d = Deviations.from_json(_planted(path, value), where="DEV.json")
    except TakeprintError as refusal:
        where = refusal.where
    if d is None:
        assert where == "DEV.json"
        return
    assert d.metre is not None
    assert Deviations.from_json(json.loads(d.dumps())).notes == d.notes
    if d.reference.get("tempo_map") and path[0] != "tempo" and path != ("notes",):
        assert len(d.scaled(0.5).notes) >= 4
        assert len(d.scaled(0.0).notes) == 5


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("notes", "onset_s", 0), "1.5"),
        (("notes", "onset_s", 0), "NaN"),
        (("notes", "onset_s", 0), True),
        (("notes", "onset_s", 0), float("inf")),
        (("notes", "reference_index", 0), 0.5),
        (("notes", "label", 0), 3),
        (("latency_ms",), float("inf")),
        (("reference", "metre"), [{"beat": 0.0, "numerator": 3.5, "denominator": 4}]),
        (("reference", "tempo_map", "beat", 0), "0"),
    ],
)
def test_nothing_is_converted_in_silence(path, value):
    with pytest.raises(TakeprintError):
        Deviations.from_json(_planted(path, value))


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.9, 1.5, -1.0])
def test_the_slips_told_are_the_slips_in_the_rows(amount):
    label = ["match"] * 20 + ["deletion"] * 20
    n = len(label)
    notes = DeviationNotes.build(
        label=label,
        reference_index=np.arange(n),
        reference_beat=np.arange(n) / 1.0,
        reference_onset_s=np.arange(n) / 2.0,
        reference_duration_beat=np.full(n, 0.5),
        reference_velocity=np.full(n, 64.0),
        reference_pitch=np.full(n, 60.0),
        onset_s=np.where(np.array(label) == "match", np.arange(n) / 2.0, np.nan),
        timing_ms=np.where(np.array(label) == "match", 0.0, np.nan),
        slip_id=[-1] * 20 + list(range(20)),
    )
    slips = tuple({"kind": "missed", "time_s": 0.5 * i, "slip_id": i - 20} for i in range(20, 40))
    clock = Timeline.constant(120.0)
    d = Deviations(notes=notes, slips=slips, reference={"kind": "score", "tempo_map": clock.to_dict()})
    scaled = d.scaled(amount)
    rows = set(scaled.notes.slip_id[scaled.notes.label == "deletion"].tolist())
    assert {slip["slip_id"] for slip in scaled.slips} == rows
    assert len(rows) == pytest.approx(20 * min(max(amount, 0), 1), abs=2)


@pytest.mark.parametrize("value", [1e308, "x", True, None, [1]])
def test_a_summary_that_holds_no_facts_is_refused(value):
    document = Deviations().to_json() | {"summary": {"timing": value}}
    with pytest.raises(TakeprintError, match="timing is "):
        Deviations.from_json(document)
