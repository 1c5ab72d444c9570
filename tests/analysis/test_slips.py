"""Slips: each kind by hand, whole passages as one event, waits against rubato, and what is no slip."""

from dataclasses import dataclass

import numpy as np
import pytest

from takeprint.analysis.align import align_notes
from takeprint.analysis.rows import score_rows
from takeprint.analysis.slips import find_slips, interval_name
from takeprint.analysis.waits import find_waits
from takeprint.core.deviations import DeviationNotes
from takeprint.core.notes import Notes


@dataclass
class Passage:
    kind: str
    start_s: float
    end_s: float
    start_beat: float
    end_beat: float
    take_rows: np.ndarray
    score_rows: np.ndarray


class Table:
    """Rows of an aligned take, made by hand: a scale in quarters of half a second, C4 upwards and round again."""

    def __init__(self, n=40):
        self.rows = [self.match(i, 60 + i % 12, i, 0.5 * i) for i in range(n)]

    @staticmethod
    def match(beat, pitch, index, onset_s, length=1.0):
        return {
            "label": "match", "reference_beat": beat, "reference_pitch": pitch, "reference_index": index,
            "reference_duration_beat": length, "take_index": index, "onset_s": onset_s, "pitch": pitch,
            "duration_s": 0.4, "velocity": 64.0, "due_s": onset_s, "slip_id": -1, "confidence": np.nan,
        }  # fmt: skip

    def miss(self, i, number=-1):
        row = self.rows[i]
        row |= {"label": "deletion", "take_index": -1, "onset_s": np.nan, "pitch": np.nan, "velocity": np.nan}
        row |= {"duration_s": np.nan, "slip_id": number}
        return self

    def add(self, onset_s, pitch, number=-1, **more):
        row = self.match(np.nan, np.nan, -1, onset_s, np.nan)
        row |= {"label": "insertion", "pitch": pitch, "take_index": 1000 + len(self.rows), "slip_id": number}
        self.rows.append(row | more)
        return self

    def wrong(self, i, by, number):
        onset_s, pitch = self.rows[i]["onset_s"], self.rows[i]["pitch"]
        return self.miss(i, number).add(onset_s, pitch + by, number)

    def later(self, first, by_s):
        for row in self.rows[first:]:
            row["onset_s"] += by_s
            row["due_s"] += by_s
        return self

    def columns(self, due_s=None):
        rows = sorted(self.rows, key=lambda row: row["due_s"])
        columns = {name: [row.get(name, "") for row in rows] for name in {k for row in rows for k in row}}
        own_s = np.array(columns.pop("due_s"))
        return DeviationNotes.build(**columns), own_s if due_s is None else due_s

    def find(self, passages=()):
        return find_slips(*self.columns(), passages)


def test_a_clean_take_has_no_slips():
    slips, notes = Table().find()
    assert slips == ()
    assert (notes.slip_id == -1).all()


@pytest.mark.parametrize(
    ("by", "name"),
    [(1, "semitone"), (-1, "semitone"), (2, "neighbour"), (-12, "octave"), (24, "octave"), (4, "other"), (11, "other")],
)
def test_a_wrong_note_is_one_slip_and_says_how_far_off(by, name):
    (slip,), notes = Table().wrong(7, by, 0).find()
    assert (slip["kind"], slip["beat"], slip["pitch_written"], slip["pitch_played"]) == ("wrong", 7, 67, 67 + by)
    assert slip["interval"] == interval_name(by) == name
    assert slip["time_s"] == 3.5
    assert sorted(notes.label[notes.slip_id == slip["slip_id"]]) == ["deletion", "insertion"]


def test_missed_added_and_repeated_notes():
    # 70 is written at beat 10 (5.0 s) and lasts until 5.5 s; 64 at beat 4 is long over.
    slips, notes = Table().miss(20).add(5.3, 70).add(5.8, 64).find()
    assert [(s["kind"], s["pitch_written"], s["pitch_played"]) for s in slips] == [
        ("repeated", 70, 70),
        ("added", None, 64),
        ("missed", 68, None),
    ]
    assert [s["beat"] for s in slips] == [pytest.approx(10.6), pytest.approx(11.6), 20]
    assert slips[2]["time_s"] == 10.0
    assert len({s["slip_id"] for s in slips}) == 3
    assert (notes.slip_id >= 0).sum() == 3


def test_the_next_key_struck_along_is_added_though_it_was_just_played():
    (slip,), _ = Table().add(5.51, 70).find()
    assert slip["kind"] == "added"


def test_a_stroke_too_early_is_repeated():
    (slip,), _ = Table().add(4.75, 70).find()
    assert slip["kind"] == "repeated"


def test_a_brush_of_a_key_is_less_sure_than_a_stroke():
    slips, _ = Table().add(5.2, 85, duration_s=0.01, velocity=30.0).add(8.2, 85).find()
    assert slips[0]["confidence"] < slips[1]["confidence"]


def test_what_the_alignment_knows_of_a_note_is_the_confidence():
    (slip,), _ = Table().add(5.2, 85, confidence=0.42).find()
    assert slip["confidence"] == pytest.approx(0.42)


def test_notes_of_an_ornament_are_no_slips():
    slips, notes = Table().add(5.1, 71, ornament="trill").add(5.2, 70, ornament="trill").find()
    assert slips == ()
    assert (notes.slip_id == -1).all()


def test_a_second_voice_on_the_same_key_is_not_missed():
    table = Table()
    table.rows.append(Table.match(10, 70, 40, 5.0))
    slips, _ = table.miss(40).find()
    assert slips == ()


def test_one_stroke_told_twice_is_not_repeated():
    assert Table().add(5.002, 70).find()[0] == ()


def test_a_missed_note_that_was_never_due_is_placed_by_its_beat():
    table = Table().miss(20)
    slips, _ = find_slips(*table.columns(due_s=np.full(40, np.nan)))
    assert [s["time_s"] for s in slips] == [pytest.approx(10.0)]


def test_a_replay_is_one_event_and_its_break_no_hesitation():
    table = Table().later(20, 3.0)
    first_go = [i for i in range(16, 20)]
    for i in first_go:
        table.add(table.rows[i]["onset_s"], table.rows[i]["pitch"])
        table.rows[-1]["take_index"] = 100 + i
        table.rows[i]["onset_s"] += 3.0
        table.rows[i]["due_s"] += 3.0
    passage = Passage("replayed", 8.0, 9.5, 16.0, 19.0, np.array(first_go) + 100, np.array(first_go))
    (slip,), notes = table.find((passage,))
    assert slip["kind"] == "repeated"
    assert (slip["beat_from"], slip["beat_to"], slip["n_notes"]) == (16, 19, 4)
    assert slip["duration_s"] == pytest.approx(3.0)
    assert (notes.slip_id == slip["slip_id"]).sum() == 4


def restarted(goes, first=16, last=20, gap_s=1.0):
    """Play beats ``first`` to ``last`` (not included) ``goes`` times more than written; the last go is matched."""
    table = Table()
    lost_s = 0.5 * (last - first) + gap_s
    for go in range(goes):
        for i in range(first, last):
            table.add(0.5 * i + go * lost_s, 60 + i % 12)
    for row in table.rows[first:40]:
        row["onset_s"] += goes * lost_s
        row["due_s"] += goes * lost_s
    return table


@pytest.mark.parametrize(("first", "last"), [(16, 19), (10, 20)])
def test_a_replay_that_the_alignment_left_as_single_notes_is_one_event(first, last):
    slips, notes = restarted(1, first, last).find()
    (slip,) = (s for s in slips if s["kind"] == "repeated")
    assert (slip["beat_from"], slip["beat_to"], slip["n_notes"]) == (first, last - 1, last - first)
    assert slip["duration_s"] == pytest.approx(0.5 * (last - first) + 1.0)
    assert len(slips) == 1
    assert (notes.slip_id >= 0).sum() == last - first


def test_two_restarts_in_a_row_are_two_events():
    slips, _ = restarted(2).find()
    assert [(s["kind"], s["n_notes"]) for s in slips] == [("repeated", 4)] * 2


def test_added_notes_that_were_not_played_before_are_no_replay():
    slips, _ = Table().add(5.1, 90).add(5.2, 95).add(5.3, 91).add(5.4, 88).find()
    assert [s["kind"] for s in slips] == ["added"] * 4


def test_a_wrong_note_before_a_wait_is_wrong_though_it_came_late():
    table = Table().later(21, 1.5).miss(20).add(10.4, 69)
    slips, _ = table.find()
    assert [(s["kind"], s.get("interval")) for s in slips if s["kind"] != "hesitation"] == [("wrong", "semitone")]


def test_a_missed_note_and_one_added_elsewhere_are_two_slips():
    slips, _ = Table().miss(20).add(10.75, 69).find()
    assert [s["kind"] for s in slips] == ["missed", "repeated"]


def test_a_skip_is_one_event():
    table = Table().later(30, -5.0)
    for i in range(20, 30):
        table.miss(i)
    passage = Passage("skipped", 9.5, 10.0, 20.0, 29.0, np.zeros(0, int), np.arange(20, 30))
    (slip,), _ = table.find((passage,))
    assert (slip["kind"], slip["beat_from"], slip["beat_to"], slip["n_notes"]) == ("missed", 20, 29, 10)


def test_a_repeat_that_was_not_taken_is_no_slip():
    # The table's scale comes round every twelve beats.
    table = Table().later(30, -6.0)
    for i in range(18, 30):
        table.miss(i)
    passage = Passage("skipped", 8.5, 9.0, 18.0, 29.0, np.zeros(0, int), np.arange(18, 30))
    assert table.find((passage,))[0] == ()


def test_a_stray_note_does_not_stretch_a_replay_over_the_take():
    table = restarted(1).later(30, 0.8).add(0.1, 90)
    rows = np.array([row["take_index"] for row in table.rows[40:]])
    passage = Passage("replayed", 0.1, 9.5, 16.0, 19.0, rows, np.zeros(0, int))
    slips, _ = table.find((passage,))
    assert sorted(s["kind"] for s in slips) == ["added", "hesitation", "repeated"]


@pytest.mark.parametrize("kind", ["stopped", "before", "after"])
def test_what_lies_outside_the_playing_is_no_slip(kind):
    table = Table()
    if kind == "stopped":
        for i in range(30, 40):
            table.miss(i)
        passage = Passage(kind, 15.0, 15.0, 30.0, 39.0, np.zeros(0, int), np.arange(30, 40))
    else:
        table.add(-3.0, 50).add(-2.0, 52)
        rows = [row["take_index"] for row in table.rows[-2:]]
        passage = Passage(kind, -3.0, -2.0, 0.0, 0.0, np.array(rows), np.zeros(0, int))
    assert table.find((passage,))[0] == ()


def test_a_hand_in_another_octave_is_one_slip_and_single_octaves_are_single():
    table = Table()
    for number, i in enumerate(range(10, 16)):
        table.wrong(i, 12, number)
    table.wrong(30, -12, 6)
    slips, notes = table.find()
    assert [(s["kind"], s.get("n_notes")) for s in slips] == [("wrong", 6), ("wrong", None)]
    assert (slips[0]["beat_from"], slips[0]["beat_to"]) == (10, 15)
    assert (notes.slip_id == slips[0]["slip_id"]).sum() == 12


def test_a_wait_is_told_with_its_length():
    (slip,), _ = Table().later(20, 0.8).find()
    assert (slip["kind"], slip["beat"]) == ("hesitation", 20)
    assert slip["duration_s"] == pytest.approx(0.8)
    assert slip["time_s"] == pytest.approx(10.0)


def line(period_s, spread_s=0.012, seed=0):
    """Return written beats (eighths) and onsets whose beats last as told."""
    rng = np.random.default_rng(seed)
    beat = np.arange(0, len(period_s), 0.5)
    return beat, np.interp(beat, np.arange(len(period_s) + 1), np.r_[0, np.cumsum(period_s)]) + rng.normal(
        0, spread_s, len(beat)
    )


@pytest.mark.parametrize("seed", range(4))
def test_rubato_ritardando_and_a_tempo_are_no_waits(seed):
    k = np.arange(60)
    period_s = 0.55 * np.exp(0.15 * np.sin(k / 5))
    period_s[24:32] *= np.linspace(1.0, 1.9, 8)
    period_s[54:] *= np.linspace(1.2, 2.5, 6)
    assert find_waits(*line(period_s, seed=seed)) == []


@pytest.mark.parametrize("wait_s", [0.5, 1.0, 2.0])
def test_waits_under_rubato_are_found_one_by_one(wait_s):
    beat, onset_s = line(0.55 * np.exp(0.15 * np.sin(np.arange(60) / 5)))
    for at in (11.0, 13.5, 40.0):
        onset_s[beat >= at] += wait_s
    found = find_waits(beat, onset_s)
    assert [w.beat for w in found] == [11.0, 13.5, 40.0]
    assert [w.excess_s for w in found] == pytest.approx([wait_s] * 3, abs=0.12)
    assert all(0.5 <= w.confidence <= 1.0 for w in found)


def test_a_swinging_player_does_not_wait_at_every_beat():
    beat, onset_s = line(np.full(60, 0.6))
    onset_s[beat % 1.0 == 0.5] += 0.11
    assert find_waits(beat, onset_s) == []
    onset_s[beat >= 30.5] += 1.0
    assert [w.beat for w in find_waits(beat, onset_s)] == [30.5]


def test_few_notes_tell_no_tempo():
    assert find_waits(np.arange(4.0), np.array([0.0, 0.5, 1.0, 9.0])) == []
    assert find_waits(np.zeros(0), np.zeros(0)) == []


def test_a_hand_in_another_octave_is_the_same_music_and_one_slip():
    rng = np.random.default_rng(3)
    low = np.repeat(np.arange(0, 48, 2.0), 3), np.concatenate([40 + rng.permutation(12)[:3] for _ in range(24)])
    high = np.arange(0.5, 48.5, 0.5), 72 + np.abs(np.cumsum(rng.integers(-3, 4, 96))) % 12
    beat, pitch, hand = np.r_[low[0], high[0]], np.r_[low[1], high[1]], np.repeat([0, 1], [72, 96])
    order = np.lexsort((pitch, beat))
    beat, pitch, hand = beat[order], pitch[order], hand[order]
    score = Notes.build(onset_beat=beat, onset_s=0.5 * beat, duration_beat=np.full(len(beat), 0.5), pitch=pitch)
    onset_s = 0.55 * beat + rng.normal(0, 0.01, len(beat))
    take = Notes.build(onset_s=onset_s, duration_s=np.full(len(beat), 0.25), pitch=pitch + 12 * hand)
    alignment = align_notes(score, take)
    slips, _ = find_slips(*score_rows(score, take, alignment), alignment.passages)
    assert max(s.get("n_notes", 1) for s in slips if s["kind"] == "wrong" and s["interval"] == "octave") > 80
