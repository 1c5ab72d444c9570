"""Match files: both dialects read, 1.0.0 written, damage refused in words."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import pytest

from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.match_file import MatchClock, read_match
from takeprint.core.match_write import match_of_notes, write_match
from takeprint.core.notes import Notes
from takeprint.core.timeline import Metre

# An upbeat of an eighth in 6/8, a change to 3/4, a grace note, a triplet, a trill, a wrong note.
NEW = """info(matchFileVersion,1.0.0).
info(piece,An (invented) piece, op. 1).
info(scoreFileName,invented.musicxml).
info(midiFileName,invented.mid).
info(composer,-).
info(performer,Nobody).
info(midiClockUnits,480).
info(midiClockRate,500000).
scoreprop(keySignature,Eb,0:6,0,-1.0000).
scoreprop(timeSignature,6/8,0:6,0,-1.0000).
scoreprop(timeSignature,3/4,2:1,0,6.0000).
snote(n1,[B,b],4,0:6,0,1/8,-1.0000,0.0000,[v1,staff1])-note(n0,70,960,1100,60,0,0).
snote(n2,[E,b],5,1:1,0,3/8,0.0000,3.0000,[v1,staff1])-note(n1,75,1440,2100,64,0,0).
snote(n3,[E,b],3,1:1,0,3/4,0.0000,6.0000,[v2,staff2])-note(n2,51,1450,3900,50,0,0).
snote(n4,[F,##],5,1:4,0,0,3.0000,3.0000,[v1,staff1,grace])-note(n3,79,2150,2190,55,0,0).
snote(n5,[A,b],5,1:4,0,3/8,3.0000,6.0000,[v1,staff1])-note(n4,80,2200,2900,66,0,0).
ornament(n5,[trill])-note(n5,82,2300,2350,60,0,0).
ornament(n5,[trill])-note(n6,80,2400,2450,61,0,0).
snote(n6,[G,n],5,2:1,0,1/12,6.0000,6.3333,[v1,staff1])-note(n7,79,3000,3100,70,0,0).
snote(n7,[F,n],5,2:1,1/12,1/12,6.3333,6.6667,[v1,staff1])-deletion.
insertion-note(n8,76,3150,3200,40,0,0).
snote(n8,[E,b],5,2:1,1/6,1/12,6.6667,7.0000,[v1,staff1])-note(n9,75,3300,3400,72,0,0).
sustain(1000,0).
sustain(1500,90).
soft(1500,12).
"""

OLD = """info(matchFileVersion,5.0).
info(midiClockUnits,500).
info(midiClockRate,400000).
info(keySignature,[Ab Maj]).
info(timeSignature,[3/8]).
meta(timeSignature,3/8,1,-1.5).
snote(n1-1,[C,b],4,0:3,1/16,1/16,-0.5,0.0,[])-note(n0,[B,n],3,1000,1100,1300,44).
snote(n2-1,[e,b],4,1:1,0,1/8+1/16,0.0,1.5,[s])-note(n1,[D,#],4,1250,1400,1400,50).
snote(n3-1,[G,n],4,1:2,1/16,1/8/3,1.5,1.8333,[])-no_played_note.
hammer_bounce-note(n2,[D,#],4,1450,1460,1460,9).
trill(n2-1)-note(n3,[F,n],4,1500,1510,1520,30).
trailing_played_note-note(n4,[C,n],2,2000,2100,2100,31).
"""
OLDEST = """info(matchFileVersion,1.0).
info(scoreFileName,'invented.scr').
info(midiClockUnits,480).
info(midiClockRate,500000).
info(keySignature,[bb,major]).
snote(1,[c,n],5,1:1,0,1/4,0.0,1.0,[])-note(1,[c,n],5,480.00,950.50,61).
snote(2,[d,n],5,1:2,0,1/4,1.0,2.0,[])-trailing_score_note.
no_score_note-note(2,[e,b],5,960.00,990.00,40).
"""
NEWER = """info(matchFileVersion,1.1.0).
info(midiClockUnits,480).
info(midiClockRate,500000).
scoreprop(timeSignature,4/4,1:1,0,0.0000).
section(0.0000,4.0000,0.0000,4.0000,[end]).
stime(1:1,0,0.0000,[beat,downbeat])-ptime([480]).
snote(n1,[C,n],5,1:1,0,1/4,0.0000,1.0000,[v1,staff1])-note(n0,72,480,900,61,0,0).
snote(n2,[C,n],5,1:1,0,1/4,0.0000,1.0000,[v2,staff1])-virtualPnote(n0,).
virtualSnote(n1,[v1,staff1])-note(n1,72,1480,1900,60,0,0).
"""


@pytest.fixture
def new(tmp_path: Path) -> Path:
    path = tmp_path / "new.match"
    path.write_text(NEW, encoding="utf-8")
    return path


def test_the_new_dialect(new):
    match = read_match(new)
    assert match.version == "1.0.0"
    assert match.warnings == ()
    assert match.info["piece"] == "An (invented) piece, op. 1"
    assert match.score_ids == tuple(f"n{i}" for i in range(1, 9))
    # Eighths of 6/8 are halves of a beat; quarters of 3/4 are beats; thirds are exact.
    third = 1 / 3
    np.testing.assert_allclose(
        match.score.onset_beat, [-0.5, 0, 0, 1.5, 1.5, 3, 3 + third, 3 + 2 * third], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(match.score.duration_beat, [0.5, 1.5, 3, 0, 1.5, third, third, third], atol=1e-12)
    assert match.score.pitch.tolist() == [70, 75, 51, 79, 80, 79, 77, 75]
    assert match.spelling[3] == "F##5"
    assert match.marks[3] == ("v1", "staff1", "grace")
    assert match.score.track.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert match.metre == Metre(((0.0, 6, 8), (3.0, 3, 4)))
    assert match.keys == ((-0.5, "Eb"),)
    assert match.performance.onset_s[0] == 1.0
    assert match.performance.duration_s[0] == pytest.approx(140 / 960, abs=1e-12)
    assert match.performance.onset_tick[1] == 1440
    assert match.performance.velocity.tolist() == [60, 64, 50, 55, 66, 60, 61, 70, 40, 72]
    assert match.pairs.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 7], [7, 9]]
    assert match.ornaments.tolist() == [[4, 5], [4, 6]]
    assert match.ornament_kinds == ("trill", "trill")
    assert match.deletions.tolist() == [6]
    assert match.insertions.tolist() == [8]
    assert match.sustain.tolist() == [[1000 / 960, 0], [1500 / 960, 90]]
    assert match.soft.tolist() == [[1500 / 960, 12]]


def test_the_old_dialect(tmp_path):
    (tmp_path / "old.match").write_text(OLD)
    match = read_match(tmp_path / "old.match")
    assert match.clock == MatchClock(500, 400_000)
    assert match.score.pitch.tolist() == [59, 63, 67]
    assert match.score.onset_beat.tolist() == [-0.25, 0.0, 0.75]
    np.testing.assert_allclose(match.score.duration_beat, [0.25, 0.75, 1 / 6], atol=1e-12)
    assert match.metre == Metre(((0.0, 3, 8),))
    np.testing.assert_allclose(match.performance.onset_s, np.array([1000, 1250, 1450, 1500, 2000]) * 0.8e-3)
    # The key's own end, not that of the sound held by the pedal.
    np.testing.assert_allclose(match.performance.duration_s, np.array([100, 150, 10, 10, 100]) * 0.8e-3)
    assert match.performance.velocity.tolist() == [44, 50, 9, 30, 31]
    assert match.pairs.tolist() == [[0, 0], [1, 1]]
    assert match.ornaments.tolist() == [[1, 3]]
    assert match.insertions.tolist() == [2, 4]
    assert match.deletions.tolist() == [2]


def test_a_metre_told_for_the_whole_file_holds_up_to_the_first_that_has_a_place(tmp_path):
    (tmp_path / "a.match").write_text(OLD.replace("meta(timeSignature,3/8,1,-1.5)", "meta(timeSignature,2/4,2,3.0)"))
    match = read_match(tmp_path / "a.match")
    assert match.metre == Metre(((0.0, 3, 8), (1.5, 2, 4)))
    assert match.score.onset_beat.tolist() == [-0.25, 0.0, 0.75]


def test_the_oldest_dialect_tells_no_end_of_sound_and_no_metre(tmp_path):
    (tmp_path / "oldest.match").write_text(OLDEST)
    match = read_match(tmp_path / "oldest.match")
    assert match.performance.onset_s.tolist() == [0.5, 1.0]
    assert match.performance.velocity.tolist() == [61, 40]
    assert match.deletions.tolist() == [1]
    assert match.insertions.tolist() == [1]
    assert match.info["scoreFileName"] == "invented.scr"
    assert match.warnings == ("no time signature is told: taken as 4/4",)


def test_notes_that_stand_for_others_are_left_without_partner(tmp_path):
    (tmp_path / "newer.match").write_text(NEWER)
    match = read_match(tmp_path / "newer.match")
    assert match.pairs.tolist() == [[0, 0]]
    assert match.deletions.tolist() == [1]
    assert match.insertions.tolist() == [1]
    assert match.warnings == ()


@pytest.mark.parametrize("text", [NEW, OLD, OLDEST, NEWER])
def test_what_is_written_reads_back_the_same(tmp_path, text):
    (tmp_path / "a.match").write_text(text)
    first = read_match(tmp_path / "a.match")
    write_match(tmp_path / "b.match", first)
    second = read_match(tmp_path / "b.match")
    assert second.version == "1.0.0"
    for name in ("pairs", "ornaments", "sustain", "soft"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.score == second.score
    assert first.score_ids == second.score_ids
    assert first.performance_ids == second.performance_ids
    assert (first.spelling, first.metre, first.clock) == (second.spelling, second.metre, second.clock)
    for name in ("onset_s", "pitch", "velocity"):
        tolerance = 0.6 * first.clock.tick_s if name == "onset_s" else 0.0
        np.testing.assert_allclose(getattr(first.performance, name), getattr(second.performance, name), atol=tolerance)


def _by_partitura(path: Path):
    import partitura

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        performance, alignment, score = partitura.load_match(str(path), create_score=True)
        written = {n["id"]: n for n in score.note_array(include_grace_notes=True)}
    return {n["id"]: n for n in performance.note_array()}, alignment, written


def _agrees_with_partitura(path: Path) -> None:
    match = read_match(path)
    played, alignment, written = _by_partitura(path)
    # partitura leaves out the notes of ornaments.
    rows = np.setdiff1d(np.arange(len(match.performance)), match.ornaments[:, 1]).tolist()
    names = [match.performance_ids[row] for row in rows]
    assert set(played) == set(names)
    assert set(written) == set(match.score_ids)
    pairs = {(a["score_id"], a["performance_id"]) for a in alignment if a["label"] == "match"}
    assert pairs == {(match.score_ids[a], match.performance_ids[b]) for a, b in match.pairs}
    assert sum(a["label"] == "deletion" for a in alignment) == len(match.deletions)
    assert sum(a["label"] == "insertion" for a in alignment) == len(match.insertions)
    for name, ours, atol in (("onset_quarter", "onset_beat", 1e-4), ("duration_quarter", "duration_beat", 1e-4)):
        theirs = np.array([float(written[i][name]) for i in match.score_ids])
        own = getattr(match.score, ours)
        # The zero of the two differs in pieces with rests before the first note.
        theirs = theirs - theirs[0] + own[0] if name == "onset_quarter" else theirs
        np.testing.assert_allclose(theirs, own, rtol=0, atol=atol)
    onset_s = np.array([float(played[i]["onset_sec"]) for i in names])
    np.testing.assert_allclose(onset_s, match.performance.onset_s[rows], rtol=0, atol=1e-4)
    assert [int(played[i]["pitch"]) for i in names] == match.performance.pitch[rows].tolist()
    assert [int(written[i]["pitch"]) for i in match.score_ids] == match.score.pitch.tolist()


def test_partitura_reads_what_is_written(tmp_path, new):
    pytest.importorskip("partitura")
    write_match(tmp_path / "again.match", read_match(new))
    _agrees_with_partitura(tmp_path / "again.match")


def test_notes_put_together_are_read_by_partitura_to_the_hundredth_of_a_millisecond(tmp_path):
    pytest.importorskip("partitura")
    rng = np.random.default_rng(3)
    beat = np.repeat(np.arange(24) / 2.0, 2)
    score = Notes.build(onset_beat=beat, duration_beat=np.full(48, 0.5), pitch=np.tile([60.0, 67.0], 24))
    onset_s = 0.4 + 0.5 * beat + rng.uniform(-0.02, 0.02, 48)
    take = Notes.build(onset_s=onset_s, duration_s=np.full(48, 0.2), pitch=score.pitch, velocity=np.full(48, 70.0))
    keep = np.arange(1, 48)
    match = match_of_notes(score, take, np.c_[keep, keep], metre=Metre.parse("3/4"))
    write_match(tmp_path / "put.match", match)
    again = read_match(tmp_path / "put.match")
    assert len(again.pairs) == 47
    assert len(again.deletions) == len(again.insertions) == 1
    of_ours = {name: row for row, name in enumerate(again.performance_ids)}
    for row, name in enumerate(match.performance_ids):
        assert again.performance.onset_s[of_ours[name]] == pytest.approx(take.onset_s[row], abs=1.1e-5)
    _agrees_with_partitura(tmp_path / "put.match")


def test_a_measured_take_is_written_with_its_ornaments(tmp_path):
    rows = DeviationNotes.build(
        label=["match", "insertion", "insertion", "deletion", "match"],
        reference_beat=[0.0, np.nan, np.nan, 1.0, 2.0],
        reference_duration_beat=[1.0, np.nan, np.nan, 1.0, np.nan],
        reference_pitch=[60, np.nan, np.nan, 64, 67],
        onset_s=[1.0, 1.1, 1.2, np.nan, 2.0],
        duration_s=[0.1, 0.1, 0.1, np.nan, np.nan],
        pitch=[60, 62, 90, np.nan, 67],
        velocity=[50, 40, 30, np.nan, np.nan],
        ornament=["", "trill", "", "", ""],
    )
    deviations = Deviations(notes=rows, take={"name": "t.mid"}, reference={"metre": Metre.parse("3/4").to_list()})
    write_match(tmp_path / "d.match", deviations)
    match = read_match(tmp_path / "d.match")
    assert match.info["midiFileName"] == "t.mid"
    assert match.metre == Metre.parse("3/4")
    assert match.score.pitch.tolist() == [60, 64, 67]
    assert match.score.duration_beat.tolist() == [1.0, 1.0, 0.25]
    assert match.pairs.tolist() == [[0, 0], [2, 3]]
    assert match.ornaments.tolist() == [[0, 1]]
    assert match.ornament_kinds == ("trill",)
    assert match.insertions.tolist() == [2]
    assert match.performance.velocity.tolist() == [50, 40, 30, 64]


def test_keys_are_spelt_as_version_1_spells_them(tmp_path):
    for text, said in ((OLDEST, "Bb"), (OLD, "Ab"), (OLD.replace("Ab Maj", "F# min"), "F#m"), (NEW, "Eb")):
        (tmp_path / "a.match").write_text(text)
        write_match(tmp_path / "b.match", read_match(tmp_path / "a.match"), force=True)
        assert f"scoreprop(keySignature,{said}," in (tmp_path / "b.match").read_text()


def test_what_has_no_place_or_pitch_is_refused(tmp_path):
    rows = DeviationNotes.build(label=["match"], reference_beat=[np.nan], onset_s=[1.0], pitch=[60])
    with pytest.raises(TakeprintError, match="onset_beat"):
        write_match(tmp_path / "d.match", Deviations(notes=rows))
    score = Notes.build(onset_beat=[0.0], pitch=[60.0])
    take = Notes.build(onset_s=[0.0], pitch=[60.0])
    for pairs in ([[0, 1]], [[1, 0]], [[-1, 0]], [[0, 0], [0, 0]]):
        with pytest.raises(TakeprintError):
            match_of_notes(score, take, pairs)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path, new):
    match = read_match(new)
    with pytest.raises(TakeprintError, match="already there"):
        write_match(new, match)
    with pytest.raises(TakeprintError, match="input"):
        write_match(new, match, force=True, inputs=[new])
    assert new.read_text() == NEW


@pytest.mark.parametrize(
    ("old", "damaged", "said"),
    [
        ("1:4,0,3/8,3.0000,6.0000,[v1,staff1])-note(n4", "1:4,0,3/0,3.0000,6.0000,[v1,staff1])-note(n4", "length"),
        ("[A,b],5", "[H,b],5", "note name"),
        ("[A,b],5", "[A,b],99", "out of range"),
        ("note(n4,80", "note(n4,180", "out of range"),
        ("note(n4,80,2200", "note(n4,80,inf", "out of range"),
        ("note(n4,80,2200", "note(n4,80,x", "no number"),
        ("note(n4,80,2200,2900,66,0,0).", "note(n4,80,2200,", "cut"),
        ("note(n4,80,2200,2900,66,0,0).", "note(n4,80).", "damaged"),
        ("note(n4,80,2200,2900,66,0,0).", "nonsense.", "not known"),
        (")-note(n4,", ")-note(n3,", "told twice"),
        ("snote(n5,", "snote(n2,", "told twice"),
        ("3.0000,6.0000,[v1,staff1])-note(n4", "nan,6.0000,[v1,staff1])-note(n4", "out of range"),
    ],
)
def test_a_damaged_line_is_refused_with_its_number(tmp_path, old, damaged, said):
    assert NEW.count(old) == 1
    (tmp_path / "bad.match").write_text(NEW.replace(old, damaged))
    line = NEW[: NEW.index(old)].count("\n") + 1
    with pytest.raises(TakeprintError, match=said) as refused:
        read_match(tmp_path / "bad.match")
    assert f"bad.match, line {line}" in str(refused.value)


def test_other_lines_that_are_not_known_are_passed_over_in_words(tmp_path):
    (tmp_path / "a.match").write_text(NEW + "weather(fine).\nweather(rain).\n")
    match = read_match(tmp_path / "a.match")
    assert match.warnings == (f"line {NEW.count(chr(10)) + 1}: 'weather' is not known, such lines are passed over",)


def test_a_note_told_in_two_pairs_counts_once(tmp_path):
    more = "snote(n2,[E,b],5,1:1,0,3/8,0.0000,3.0000,[v1,staff1])-note(n10,75,1470,1500,64,0,0).\n"
    told = NEW.replace("-deletion.", "-note(n7,79,3000,3100,70,0,0).")
    (tmp_path / "a.match").write_text(told + more)
    match = read_match(tmp_path / "a.match")
    assert len(match.pairs) == 7
    assert match.deletions.tolist() == [6]
    assert len(match.warnings) == 2
    assert match.ornaments[0, 0] == 1


def test_a_staff_of_odd_digits_is_no_staff(tmp_path):
    (tmp_path / "a.match").write_text(NEW.replace("staff1", "staff\u00b2"), encoding="utf-8")
    assert (read_match(tmp_path / "a.match").score.track == -1).any()


def test_no_damage_raises_anything_else(tmp_path):
    path, chance = tmp_path / "torn.match", random.Random(5)
    refused = 0
    for number in range(400):
        data = bytearray((NEW if number % 2 else OLD).encode())
        if number < 100:
            data = data[: chance.randrange(len(data))]
        else:
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.choice(b"0919.,()[]-/+:x\n\xff\x00") if number % 3 else (
                    chance.randrange(256))  # fmt: skip
        path.write_bytes(bytes(data))
        try:
            read_match(path)
        except TakeprintError:
            refused += 1
    assert 100 < refused < 400


def test_no_file_no_note_no_text(tmp_path):
    with pytest.raises(TakeprintError, match="no such file"):
        read_match(tmp_path / "nothing.match")
    for content in (b"", b"hello\n", b"\x00\x01", b"info(midiClockUnits,480).\n"):
        (tmp_path / "empty.match").write_bytes(content)
        with pytest.raises(TakeprintError):
            read_match(tmp_path / "empty.match")
    (tmp_path / "clock.match").write_text(NEW.replace("midiClockUnits,480", "midiClockUnits,0"))
    with pytest.raises(TakeprintError, match="midiClockUnits"):
        read_match(tmp_path / "clock.match")


def test_shared_files_are_read_whole(shared_data):
    found = sorted(shared_data.rglob("*.match"))
    assert found
    for path in found[::6]:
        heads = [line for line in path.read_text(encoding="utf-8").splitlines() if "note(" in line]
        match = read_match(path)
        assert len(match.score) == sum(line.startswith("snote(") for line in heads), path.name
        assert len(match.deletions) == sum(line.endswith("-deletion.") for line in heads), path.name
        assert len(match.insertions) == sum(line.startswith("insertion-") for line in heads), path.name
        assert len(match.pairs) == sum(")-note(" in line for line in heads), path.name
        assert match.warnings == (), path.name


def test_shared_files_of_both_dialects_are_read_as_partitura_reads_them(shared_data, tmp_path):
    pytest.importorskip("partitura")
    folders = ["vienna4x22/match/Mozart*p03.match", "restricted/asap/Schubert/Piano_Sonatas/894-2/KimSY16.match"]
    found = [path for pattern in folders for path in sorted(shared_data.glob(pattern))]
    if not found:
        pytest.skip("the shared data has no match files")
    for number, path in enumerate(found):
        # The first notes will do, and take a tenth of the time.
        short = tmp_path / f"short{number}.match"
        short.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:400]), encoding="utf-8")
        _agrees_with_partitura(short)
        write_match(tmp_path / f"{number}.match", read_match(path))
        assert read_match(tmp_path / f"{number}.match").score == read_match(path).score
