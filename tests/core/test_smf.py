"""Reading, editing and writing Standard MIDI Files: every byte."""

from __future__ import annotations

import io

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takeprint.core.errors import TakeprintError
from takeprint.core.kernels.note_pairs import note_pairs
from takeprint.core.kernels.smf_decode import smf_decode
from takeprint.core.kernels.smf_encode import smf_encode
from takeprint.core.notes import Notes
from takeprint.core.smf import Smf, SmfLimits, read_smf, write_new_smf
from takeprint.core.timeline import Metre, Timeline
from tests import referee
from tests.naive.note_pairs import note_pairs as naive_pairs
from tests.naive.smf_decode import smf_decode as naive_decode
from tests.naive.smf_encode import smf_encode as naive_encode
from tests.smf_files import EOT, chunk, midi_below, note, smf_of, vlq

# ---------------------------------------------------------------------------------------------- random files

data_byte = st.integers(0, 127)
payload = st.binary(max_size=20)
channel_event = st.one_of(
    st.tuples(st.integers(0x80, 0xBF), data_byte, data_byte).map(bytes),
    st.tuples(st.integers(0xE0, 0xEF), data_byte, data_byte).map(bytes),
    st.tuples(st.integers(0xC0, 0xDF), data_byte).map(bytes),
)
free_meta = st.tuples(st.sampled_from([1, 2, 3, 5, 6, 0x0A, 0x7F]), payload).map(
    lambda p: bytes([0xFF, p[0]]) + vlq(len(p[1])) + p[1]
)
tempo = st.integers(1, 0xFFFFFF).map(lambda us: b"\xff\x51\x03" + us.to_bytes(3, "big"))
sysex = st.lists(data_byte, max_size=12).map(lambda b: b"\xf0" + vlq(len(b) + 1) + bytes(b) + b"\xf7")
escape = payload.map(lambda p: b"\xf7" + vlq(len(p)) + p)
an_event = st.one_of(channel_event, channel_event, channel_event, free_meta, tempo, sysex, escape)
wait = st.one_of(st.integers(0, 5), st.integers(0, 500), st.integers(0, 1 << 22))


@st.composite
def a_track(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A track's bytes with lawful running status and some padded delta times, and its (tick, event) list."""
    out, listed, tick, running = b"", [], 0, None
    for event, delta, left_out, padded in draw(
        st.lists(st.tuples(an_event, wait, st.booleans(), st.booleans()), max_size=25)
    ):
        tick += delta
        listed.append((tick, event))
        said = vlq(delta)
        if padded and len(said) < 4:
            said = b"\x80" + said
        out += said
        if event[0] < 0xF0:
            out += event[1:] if left_out and running == event[0] else event
            running = event[0]
        else:
            out += event
            running = None
    return out + EOT, [*listed, (tick, b"\xff\x2f\x00")]


def spelled(smf: Smf) -> list[list[tuple[int, bytes]]]:
    """Every track's (tick, whole event with status) list, by way of the columns."""
    events, out = smf.events, [[] for _ in range(smf.n_tracks)]
    for i in range(len(events)):
        raw = smf.data[events.offset[i] : events.offset[i] + events.length[i]]
        if events.running[i]:
            raw = bytes([events.status[i]]) + raw
        out[events.track[i]].append((int(events.tick[i]), raw))
    return out


@settings(max_examples=150, deadline=None)
@given(st.lists(a_track(), min_size=1, max_size=3), st.integers(1, 32767))
def test_random_files_are_read_event_by_event(tracks, division):
    data = smf_of(*(t for t, _ in tracks), division=division)
    smf = read_smf(data, strict=True)
    assert smf.to_bytes() == data
    assert smf.edited().data == data
    assert spelled(smf) == [listed for _, listed in tracks]
    assert smf.repairs == ()


@settings(max_examples=150, deadline=None)
@given(st.lists(a_track(), min_size=1, max_size=3), st.randoms(use_true_random=False), st.booleans())
def test_random_edits_change_what_was_asked_and_nothing_else(tracks, random, with_drops):
    smf = read_smf(smf_of(*(t for t, _ in tracks)))
    events, n = smf.events, len(smf.events)
    ends = (events.status == 0xFF) & (events.data1 == 0x2F)
    chosen = random.randrange(smf.n_tracks)
    mine = (events.track == chosen) & ~ends
    tick, data2, drop = events.tick.copy(), events.data2.astype(np.int64), np.zeros(n, bool)
    for i in np.flatnonzero(mine):
        tick[i] = max(0, tick[i] + random.randint(-40, 40))
        if smf.events.is_note_on[i]:
            data2[i] = random.randint(1, 127)
        drop[i] = with_drops and random.random() < 0.2
    new = (chosen, random.randint(0, 2000), b"\xff\x01\x02hi", random.choice([-1, 1]))
    inserts = [new] if random.random() < 0.5 else []
    after = smf.edited(tick=tick, data2=data2, drop=drop, insert=inserts)
    origin = after.origin
    assert origin is not None
    assert sorted(origin[origin >= 0]) == np.flatnonzero(~drop).tolist()
    assert (origin < 0).sum() == len(inserts)
    for k in range(len(after.events)):
        old = origin[k]
        if old < 0:
            assert (after.events.tick[k], after.events.track[k]) == (new[1], chosen)
            continue
        assert after.events.status[k] == events.status[old]
        assert after.events.data1[k] == events.data1[old]
        assert after.events.data2[k] == data2[old]
        if not ends[old]:
            assert after.events.tick[k] == tick[old]
    for before_track, (chunk_at, end_at), (new_chunk, new_end) in zip(
        range(smf.n_tracks),
        zip(smf.layout.chunks, smf.layout.ends, strict=True),
        zip(after.layout.chunks, after.layout.ends, strict=True),
        strict=True,
    ):
        if before_track != chosen:
            assert smf.data[chunk_at:end_at] == after.data[new_chunk:new_end]
    for track in range(after.n_tracks):
        mine = after.events.track == track
        assert (np.diff(after.events.tick[mine]) >= 0).all()
        # events of one tick keep their old order
        rows = origin[mine]
        same = (np.diff(after.events.tick[mine]) == 0) & (rows[1:] >= 0) & (rows[:-1] >= 0)
        assert (rows[1:][same] > rows[:-1][same]).all()
        assert after.events.status[mine][-1] == 0xFF
    assert after.repairs == ()


@settings(max_examples=100, deadline=None)
@given(a_track())
def test_moving_everything_there_and_back_restores_the_bytes(track):
    data = smf_of(track[0])
    smf = read_smf(data)
    there = smf.edited(tick=smf.events.tick + 3)
    back = there.edited(tick=there.events.tick - 3)
    # only the padding of the first delta time is lost on the way
    assert spelled(back) == spelled(smf)
    assert len(back.data) <= len(data)


# ---------------------------------------------------------------------------------------------- naive twins


def run_decode(body: bytes) -> tuple[list[tuple], str]:
    wide, narrow = np.zeros((2, len(body) + 4), np.int64), np.zeros((7, len(body) + 4), np.int32)
    spans, issues = np.zeros((1, 5), np.int64), np.zeros((400, 4), np.int64)
    raw = np.frombuffer(body, np.uint8)
    outcome, n, n_issues, _, _ = smf_decode(
        raw, np.array([0]), np.array([len(body)]), True, 1 << 30, wide, narrow, spans, issues
    )
    rows = [
        (int(wide[0, i]), int(wide[1, i]), *(int(narrow[k, i]) for k in range(1, 6)), bool(narrow[6, i] & 1))
        for i in range(n)
    ]
    seen = {int(k) for k in issues[:n_issues, 0]}
    ended = "number" if outcome == 2 else "truncated" if 1 in seen else "missing" if 2 in seen else "end"
    return rows, ended


@settings(max_examples=200, deadline=None)
@given(a_track(), st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_decoding_is_its_naive_twin_on_whole_cut_and_broken_tracks(track, place, byte, cut):
    body = track[0]
    place %= len(body)
    for bent in (body, body[:place] if cut else body[:place] + bytes([byte]) + body[place + 1 :]):
        assert run_decode(bent) == naive_decode(bent)


@settings(max_examples=100, deadline=None)
@given(a_track(), st.randoms(use_true_random=False))
def test_encoding_is_its_naive_twin(track, random):
    smf = read_smf(smf_of(track[0]))
    events, n = smf.events, len(smf.events)
    order = np.array(random.sample(range(n), n), np.int64)
    tick = np.zeros(n, np.int64)
    tick[order] = np.cumsum([random.choice([0, 1, 130, 20000, 3000000]) for _ in range(n)])
    edited = (events.status < 0xF0) & (np.array([random.random() < 0.3 for _ in range(n)]))
    first, second = events.data1.astype(np.int64), events.data2.astype(np.int64)
    first[edited] = 77
    columns = (
        tick,
        events.offset,
        events.length,
        events.delta_length,
        events.status,
        events.running,
        first,
        second,
        edited,
    )
    out = np.zeros(int(events.length.sum()) + 5 * n, np.uint8)
    size = smf_encode(np.frombuffer(smf.data, np.uint8), order, *columns, out)
    lists = [c.tolist() for c in columns]
    assert bytes(out[:size]) == naive_encode(smf.data, order.tolist(), *lists)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from([0x80, 0x81, 0x90, 0x91, 0x90, 0xB0, 0xC0, 0xFF]),
            st.sampled_from([60, 61, 120, 123]),
            st.sampled_from([0, 1, 90]),
        ),
        max_size=60,
    )
)
def test_pairing_is_its_naive_twin(rows):
    rows.sort(key=lambda r: r[0])
    columns = [np.array([r[k] for r in rows], np.int32) for k in range(4)]
    on, off, cut, orphans = note_pairs(*columns)
    assert (on.tolist(), off.tolist(), cut.tolist(), orphans) == naive_pairs(*(c.tolist() for c in columns))


# ---------------------------------------------------------------------------------------------- by hand


def test_running_status_is_written_out_where_the_event_before_went_away():
    body = b"\x00\x90\x3c\x50" + b"\x60\x3c\x00" + b"\x00\x40\x50" + b"\x60\x40\x00" + EOT
    smf = read_smf(smf_of(body))
    assert smf.events.running.tolist() == [False, True, True, True, False]
    dropped = smf.edited(drop=np.array([True, False, False, False, False]))
    assert dropped.data[22:] == b"\x60\x90\x3c\x00" + b"\x00\x40\x50" + b"\x60\x40\x00" + EOT
    between = smf.edited(insert=[(0, 96, b"\xff\x01\x01x", -1)])
    assert between.data[22:] == (
        b"\x00\x90\x3c\x50" + b"\x60\xff\x01\x01x" + b"\x00\x90\x3c\x00" + b"\x00\x40\x50" + b"\x60\x40\x00" + EOT
    )
    assert between.repairs == ()


def test_foreign_chunks_and_trailing_bytes_stay():
    first, second = note(0, 480, 60) + EOT, note(0, 480, 62) + EOT
    data = (
        smf_of(first, first)[: 14 + 8 + len(first)] + chunk(b"XFIH", b"abc") + chunk(b"MTrk", second) + b"\x1a\x00tail"
    )
    smf = read_smf(data)
    assert smf.n_tracks == 2
    assert any("after the last track" in w for w in smf.warnings)
    tick = smf.events.tick.copy()
    tick[3] = 7
    after = smf.edited(tick=tick).data
    moved = b"\x07\x90\x3e\x50" + vlq(473) + b"\x80\x3e\x40" + EOT
    assert after == data.replace(chunk(b"MTrk", second), chunk(b"MTrk", moved))


@pytest.mark.parametrize("key_count", [1, 2])
def test_riff_wrapper_keeps_its_sizes_right(key_count):
    smf_bytes = smf_of(b"".join(note(0, 480, 60 + k) for k in range(key_count)) + EOT, form=0)
    info = b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    pad = b"\x00" * (len(smf_bytes) & 1)
    body = b"RMIDdata" + len(smf_bytes).to_bytes(4, "little") + smf_bytes + pad + info
    data = b"RIFF" + len(body).to_bytes(4, "little") + body
    smf = read_smf(data, strict=True)
    for text in (b"a", b"ab"):
        after = smf.edited(insert=[(0, 0, b"\xff\x01" + bytes([len(text)]) + text, -1)])
        assert after.repairs == ()
        assert int.from_bytes(after.data[4:8], "little") == len(after.data) - 8
        size = int.from_bytes(after.data[16:20], "little")
        assert after.data[20 + size + (size & 1) :] == info
        assert len(after.events) == len(smf.events) + 1


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (dict(tick=[-1, 480, 480]), "tick -1"),
        (dict(tick=[0, 1]), "shape"),
        (dict(tick=[0.0, 1.0, 2.0]), "whole numbers"),
        (dict(data2=[0, 64, -1]), "velocity"),
        (dict(data2=[128, 64, -1]), "data2"),
        (dict(data1=[60, 60, 3]), "data1"),
        (dict(drop=[False, False, True]), "End of Track"),
        (dict(drop=[0, 1, 0]), "mask"),
        (dict(insert=[(0, 0, b"\x90\x3c", 1)]), "insert"),
        (dict(insert=[(0, 0, b"\xff\x2f\x00", 1)]), "insert"),
        (dict(insert=[(1, 0, b"\xf6", 1)]), "insert"),
        (dict(insert=[(1, 0, b"\xc0\x05", 1)]), "insert"),
        (dict(tick=[0, 1 << 30, 1 << 30]), "wait"),
    ],
)
def test_edits_that_cannot_be_are_refused(edit, said):
    smf = read_smf(smf_of(note(0, 480, 60) + EOT))
    with pytest.raises(TakeprintError, match=said):
        smf.edited(**edit)


def test_times_are_exact_and_tempo_events_of_any_track_count():
    slow = vlq(960) + b"\xff\x51\x03" + (1_000_000).to_bytes(3, "big") + EOT
    smf = read_smf(smf_of(note(0, 480, 60) + note(480, 480, 62) + note(0, 480, 64) + EOT, slow))
    assert smf.seconds_at_tick([0, 480, 960, 1440, 1920]).tolist() == [0.0, 0.5, 1.0, 2.0, 3.0]
    assert smf.tempo_map().seconds_at([0.0, 1.0, 2.0, 3.0, 4.0]).tolist() == [0.0, 0.5, 1.0, 2.0, 3.0]
    assert smf.tempo_map().tempo_bpm_at([1.0, 2.0]).tolist() == [120.0, 60.0]
    notes = smf.notes()
    assert notes.onset_s.tolist() == [0.0, 1.0, 2.0]
    assert notes.onset_beat.tolist() == [0.0, 2.0, 3.0]
    assert notes.duration_s.tolist() == [0.5, 1.0, 1.0]


def test_notes_left_open_end_at_all_notes_off_or_the_end_of_the_track():
    body = b"\x00\x90\x3c\x50\x00\x90\x3e\x50" + vlq(480) + b"\xb0\x7b\x00\x00\x90\x40\x50" + vlq(480) + b"\x80\x3e\x00"
    smf = read_smf(smf_of(body + b"\x60\xff\x2f\x00"))
    notes = smf.notes()
    assert notes.pitch.tolist() == [60.0, 62.0, 64.0]
    assert notes.duration_beat.tolist() == [1.0, 2.0, 1.2]  # cut; its own note-off; the end of the track
    assert notes.off_event.tolist() == [-1, 4, -1]
    assert notes.offset_tick.tolist() == [-1, 960, -1]
    assert any("without note-off" in w for w in smf.warnings)


def test_names_programs_and_metre():
    body = (
        b"\x00\xff\x03\x05T\xc3\xa9no\x00\xc3\x05\x00\xff\x58\x04\x06\x03\x18\x08" + note(0, 480, 60, channel=3) + EOT
    )
    smf = read_smf(smf_of(EOT, body))
    assert smf.track_names() == ["", "Téno"]
    assert smf.programs == {(1, 3): 5}
    assert smf.metre() == Metre(((0.0, 6, 8),))
    assert smf.payload(1) == "Téno".encode()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (SmfLimits(max_bytes=30), "midi.limit"),
        (SmfLimits(max_tracks=1), "midi.limit"),
        (SmfLimits(max_events=3), "midi.limit"),
        (SmfLimits(max_message_bytes=3), "midi.limit"),
    ],
)
def test_limits(limits, code, tmp_path):
    data = smf_of(note(0, 480, 60) + EOT, b"\x00\xff\x01\x04text" + EOT)
    assert len(read_smf(data).events) == 5
    with pytest.raises(TakeprintError) as refusal:
        read_smf(data, limits=limits)
    assert refusal.value.code == code
    (tmp_path / "a.mid").write_bytes(data)
    with pytest.raises(TakeprintError, match=r"a\.mid"):
        read_smf(tmp_path / "a.mid", limits=limits)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "WAVE"),
        (b"fLaC\x00", "FLAC"),
        (b"PK\x03\x04zip", "ZIP"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<?xml version='1.0'?><score-partwise>", "XML"),
        (b"MTrk\x00\x00\x00\x04" + EOT, "without a file header"),
        (b"anything", "not a MIDI file"),
    ],
)
def test_other_files_are_named(data, said):
    with pytest.raises(TakeprintError, match=said) as refusal:
        read_smf(data, name="a\nfile.mid")
    assert "\n" not in str(refusal.value)


def test_strict_refuses_what_would_be_repaired():
    data = smf_of(note(0, 480, 60))  # no End of Track
    assert [r.code for r in read_smf(data).repairs] == ["midi.missing-end-of-track"]
    with pytest.raises(TakeprintError, match="End of Track") as refusal:
        read_smf(data, strict=True)
    assert refusal.value.code == "midi.missing-end-of-track"
    mended = read_smf(data).edited(insert=[(0, 0, b"\xc0\x01", -1)])
    assert mended.repairs == ()
    assert mended.data.endswith(EOT)


def test_new_files_read_back(tmp_path):
    notes = Notes.build(
        onset_beat=[0, 0, 1.5, 2, 2],
        duration_beat=[1, 1, 0.5, 1, 0],
        pitch=[60, 64, 60, 60, 70],
        velocity=[80, 1, 127, 64, np.nan],
        channel=[0, 0, 0, 0, 9],
        track=[0, 0, 0, 0, 1],
    )
    tempi = Timeline(np.array([0.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    data = write_new_smf(tmp_path / "n.mid", notes, tempi, Metre.parse("3/4"), programs={0: 5}, names={1: "Drums"})
    assert (tmp_path / "n.mid").read_bytes() == data
    smf = read_smf(data, strict=True)
    back = smf.notes()
    assert back.onset_beat.tolist() == [0.0, 0.0, 1.5, 2.0, 2.0]
    assert back.duration_beat.tolist() == [1.0, 1.0, 0.5, 1.0, 0.0]
    assert back.velocity.tolist() == [80.0, 1.0, 127.0, 64.0, 80.0]
    assert back.onset_s[-1] == 1.0
    assert smf.metre() == Metre.parse("3/4")
    assert smf.programs == {(1, 0): 5}
    assert smf.track_names()[2] == "Drums"
    assert smf.tempo_map().tempo_bpm_at([0.0, 2.5]).tolist() == [120.0, 60.0]
    theirs = mido.MidiFile(file=io.BytesIO(data))
    assert sum(m.type == "note_on" and m.velocity > 0 for t in theirs.tracks for m in t) == 5


# ---------------------------------------------------------------------------------------------- real files


@pytest.mark.shared
def test_real_files_come_out_as_they_went_in(shared_data):
    paths = midi_below(shared_data / "groove") + midi_below(shared_data / "vienna4x22")
    rest = [p for p in midi_below(shared_data) if p not in set(paths)]
    paths += rest[::5]
    assert len(paths) > 600
    for path in paths:
        data = path.read_bytes()
        smf = read_smf(path)
        assert smf.to_bytes() == smf.edited_bytes() == data, path
        there = smf.edited(tick=smf.events.tick + 1)
        back = there.edited_bytes(tick=there.events.tick - 1)
        assert back == data, path
        assert len(smf.notes()) == int(smf.events.is_note_on.sum())


@pytest.mark.shared
def test_real_files_read_as_mido_and_the_referee_read_them(shared_data):
    paths = midi_below(shared_data / "groove")[::40] + midi_below(shared_data / "vienna4x22")[::8]
    paths += midi_below(shared_data / "rolls")[::120]
    assert len(paths) >= 15
    for path in paths:
        smf = read_smf(path)
        judged = referee.parse(path.read_bytes())
        for track, events in enumerate(judged.tracks):
            mine = smf.events.track == track
            assert [e.tick for e in events] == smf.events.tick[mine].tolist()
            assert [e.raw[0] for e in events] == smf.events.status[mine].tolist()
        theirs = mido.MidiFile(path)
        elapsed, onsets = 0.0, []
        for message in theirs:
            elapsed += message.time
            if message.type == "note_on" and message.velocity > 0:
                onsets.append(elapsed)
        np.testing.assert_allclose(smf.notes().onset_s, onsets, rtol=0, atol=1e-7)


@pytest.mark.shared
def test_the_referee_sees_what_is_broken(shared_data):
    path = next(p for p in midi_below(shared_data / "vienna4x22"))
    smf = read_smf(path)
    events = smf.events
    assert referee.check_guarantees(smf.data, smf.data) == []
    on, off = np.flatnonzero(events.is_note_on), np.flatnonzero(events.is_note_off)
    gentle = smf.edited(data2=np.where(events.is_note_on, np.minimum(events.data2 + 3, 127), events.data2))
    assert referee.check_guarantees(smf.data, gentle.data) == []
    drop = np.zeros(len(events), bool)
    drop[off[3]] = True
    assert any(v.startswith("G3") for v in referee.check_guarantees(smf.data, smf.edited(drop=drop).data))
    drop[:] = False
    drop[on[3]] = True
    assert any(v.startswith("G5") for v in referee.check_guarantees(smf.data, smf.edited(drop=drop).data))
    added = b"\xff\x01\x02hi"
    more = smf.edited(insert=[(0, 5, added, 1)])
    assert any(v.startswith("G1") for v in referee.check_guarantees(smf.data, more.data))
    assert referee.check_guarantees(smf.data, more.data, added=(added,)) == []
    tick = events.tick.copy()
    notes = smf.notes()
    tick[notes.on_event[5]] = tick[notes.off_event[5]] + 10
    assert any(v.startswith("G4") for v in referee.check_guarantees(smf.data, smf.edited(tick=tick).data))
    tick = events.tick.copy()
    tick[np.flatnonzero(events.status == 0xFF)[0]] += 400
    assert any(v.startswith("G8") for v in referee.check_guarantees(smf.data, smf.edited(tick=tick).data))
    shorter = smf.edited(tick=np.minimum(events.tick, events.tick.max() - 50))
    assert any("end moved" in v for v in referee.check_guarantees(smf.data, shorter.data))
