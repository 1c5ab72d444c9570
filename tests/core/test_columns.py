import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes


def test_missing_columns_are_not_known():
    notes = Notes.build(onset_s=[0.0, 1.0], pitch=[60, 61])
    assert np.isnan(notes.velocity).all()
    assert notes.track.tolist() == [-1, -1]
    assert notes.instrument.tolist() == ["", ""]
    assert notes.to_dict()["velocity"] == [None, None]
    assert notes.to_dict()["track"] == [None, None]


def test_tables_are_frozen():
    notes = Notes.build(onset_s=[0.0])
    with pytest.raises(ValueError, match="read-only"):
        notes.onset_s[0] = 1.0
    with pytest.raises(AttributeError):
        notes.onset_s = np.zeros(1)


def test_a_table_does_not_share_memory_with_what_it_was_made_of():
    mine = np.zeros(2)
    notes = Notes.build(onset_s=mine)
    mine[0] = 5.0
    assert notes.onset_s[0] == 0.0


def test_json_round_trip_keeps_everything():
    notes = Notes.build(onset_s=[0.1, np.nan], pitch=[60, np.nan], track=[0, -1], instrument=["kick", ""])
    assert Notes.from_dict(notes.to_dict()) == notes


@pytest.mark.parametrize(
    ("columns", "said"),
    [({"nonsense": [1]}, "nonsense"), ({"onset_s": [1], "pitch": [1, 2]}, "rows"), ({"onset_s": [[1]]}, "dimensions")],
)
def test_wrong_tables_are_refused(columns, said):
    with pytest.raises(TakeprintError, match=said):
        Notes.build(**columns)


def test_rows_replace_and_concatenate():
    notes = Notes.build(onset_s=[0.0, 1.0, 2.0])
    assert notes.rows(np.array([2, 0])).onset_s.tolist() == [2.0, 0.0]
    assert notes.replace(pitch=[1, 2, 3]).pitch.tolist() == [1, 2, 3]
    assert len(Notes.concatenate([notes, notes])) == 6
    assert len(Notes.build(0)) == 0
