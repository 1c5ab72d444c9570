"""Alignment with planted slips: every match is checked against the written note it was played for."""

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.analysis.align import align_notes
from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes
from takeprint.core.smf import read_smf
from takeprint.core.take import take_of_smf
from takeprint.core.timeline import Timeline


def written(n, seed=0):
    """Return the score's notes: a random line over chords on the beats."""
    rng = np.random.default_rng(seed)
    rows, at, key = [], 0.0, 72
    while len(rows) < n:
        step = rng.choice([0.25, 0.5, 0.5, 1.0])
        key = int(np.clip(key + rng.integers(-4, 5), 60, 90))
        rows.append((at, key))
        if at % 1.0 == 0.0:
            root = 36 + int(rng.integers(0, 12))
            rows += [(at, root + k) for k in rng.choice([0, 4, 7, 12], rng.integers(1, 4), replace=False)]
        at += step
    beat, pitch = np.array(sorted(set(rows))).T
    return Notes.build(
        onset_beat=beat, onset_s=0.5 * beat, pitch=pitch, track=np.zeros(len(beat)), channel=np.zeros(len(beat))
    )


def played(score, share, seed=1, period_s=0.6):
    """Return (take, truth): rubato, 12 ms of timing, and a share of omitted, wrong, added and repeated notes."""
    rng = np.random.default_rng(seed)
    n = len(score)
    knots = np.arange(score.onset_beat[-1] + 3)
    line = Timeline(knots, 1 + np.r_[0, np.cumsum(period_s * np.exp(0.12 * np.sin(knots / 7)))[:-1]])
    onset_s = line.seconds_at(score.onset_beat) + rng.normal(0, 0.012, n)
    kind = np.where(rng.random(n) < share, rng.integers(1, 5, n), 0)
    pitch = score.pitch + np.where(kind == 2, rng.choice([-2, -1, 1, 2], n), 0)
    kept, added, repeated = kind != 1, kind == 3, kind == 4
    time_s = np.r_[onset_s[kept], onset_s[added] + 0.06, onset_s[repeated] + rng.uniform(0.1, 0.15, repeated.sum())]
    keys = np.r_[pitch[kept], rng.integers(40, 95, added.sum()), pitch[repeated]]
    truth = np.r_[np.where(kind == 2, -1, np.arange(n))[kept], np.full(added.sum() + repeated.sum(), -1)]
    order = np.lexsort((keys, time_s))
    take = Notes.build(onset_s=time_s, pitch=keys, track=np.zeros(len(keys)), channel=np.zeros(len(keys)))
    return take.rows(order), truth[order]


def precision_and_recall(score, take, truth):
    row = align_notes(score, take).take_row
    found = np.flatnonzero(row >= 0)
    right = (truth[row[found]] == found).sum()
    return right / len(found), right / (truth >= 0).sum()


@pytest.mark.parametrize("period_s", [0.3, 0.6, 1.2])
@pytest.mark.parametrize(("share", "least"), [(0.0, 1.0), (0.02, 0.997), (0.05, 0.993), (0.1, 0.985), (0.2, 0.98)])
def test_planted_slips(share, least, period_s):
    score = written(600)
    assert min(precision_and_recall(score, *played(score, share, period_s=period_s))) >= least


@pytest.mark.parametrize(("first", "last"), [(0.0, 0.1), (0.0, 0.5), (0.5, 1.0), (0.8, 1.0), (0.4, 0.7)])
def test_a_take_of_a_part_lies_on_that_part(first, last):
    """The last notes of a take that stops must not be strewn over what was not played."""
    score = written(600)
    take, truth = played(score, 0.02)
    end_s = take.onset_s.max()
    part = (take.onset_s >= first * end_s) & (take.onset_s <= last * end_s)
    assert min(precision_and_recall(score, take.rows(part), truth[part])) >= 0.99


def test_a_skipped_section_is_missed_and_the_rest_matched():
    score = written(600)
    take, truth = played(score, 0.02)
    end_s = take.onset_s.max()
    after = take.onset_s > 0.6 * end_s
    take = take.replace(onset_s=np.where(after, take.onset_s - 0.2 * end_s, take.onset_s))
    kept = after | (take.onset_s < 0.4 * end_s)
    assert min(precision_and_recall(score, take.rows(kept), truth[kept])) >= 0.98


def test_one_error_does_not_decide_for_a_long_piece():
    score = written(4000, seed=21)
    assert min(precision_and_recall(score, *played(score, 0.04, seed=9))) >= 0.997


def take_of(time_s, pitch, truth):
    """Return (take, truth) in order of time."""
    order = np.lexsort((pitch, time_s))
    zeros = np.zeros(len(order))
    take = Notes.build(onset_s=time_s[order], pitch=pitch[order], track=zeros, channel=zeros)
    return take, np.asarray(truth)[order]


def stretches(score, parts, seed=1, period_s=0.6, pause_s=0.4):
    """Return (take, truth, part): stretches (from beat, to beat) of the score played one after another."""
    rng = np.random.default_rng(seed)
    time_s, pitch, truth, part, at_s = [], [], [], [], 1.0
    for number, (first, end) in enumerate(parts):
        rows = np.flatnonzero((score.onset_beat >= first) & (score.onset_beat < end))
        swing = 0.1 * np.sin(score.onset_beat[rows] / 5.0)
        time_s.append(at_s + period_s * (score.onset_beat[rows] - first + swing) + rng.normal(0, 0.01, len(rows)))
        pitch.append(score.pitch[rows])
        truth.append(rows)
        part.append(np.full(len(rows), number))
        at_s = time_s[-1].max() + period_s * 0.5 + pause_s
    time_s, pitch, truth, part = (np.concatenate(x) for x in (time_s, pitch, truth, part))
    order = np.lexsort((pitch, time_s))
    take, truth = take_of(time_s, pitch, truth)
    return take, truth, part[order]


def expect(score, take, truth, least=0.995):
    """Align, and check matches, added and missed notes against the truth; return the alignment."""
    alignment = align_notes(score, take)
    row = alignment.take_row
    found = np.flatnonzero(row >= 0)
    right = int((truth[row[found]] == found).sum())
    assert 2 * right >= least * (len(found) + int((truth >= 0).sum()))
    added = np.ones(len(take), dtype=bool)
    added[row[found]] = False
    assert np.array_equal(np.isfinite(alignment.insertion_confidence), added)
    assert np.array_equal(np.isfinite(alignment.deletion_confidence), row < 0)
    assert np.array_equal(np.isfinite(alignment.confidence), row >= 0)
    return alignment


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_is_one_replayed_passage_and_the_later_go_counts(seed):
    score = written(500, seed=seed)
    take, truth, part = stretches(score, [(0, 60), (52, 120), (116, 1e9)], seed)
    truth = np.where(
        ((part == 0) & (score.onset_beat[truth] >= 52)) | ((part == 1) & (score.onset_beat[truth] >= 116)), -1, truth
    )
    alignment = expect(score, take, truth)
    replayed = [p for p in alignment.passages if p.kind == "replayed"]
    begins = [(p.start_beat, np.ceil(p.end_beat + 0.1)) for p in replayed]
    assert begins == [(score.onset_beat[score.onset_beat >= a].min(), b) for a, b in ((52, 60), (116, 120))]
    assert set(np.concatenate([p.take_rows for p in replayed])) == set(np.flatnonzero(truth < 0))


def test_a_repeat_that_is_not_written_is_replayed():
    score = written(400, seed=4)
    take, truth, part = stretches(score, [(0, 64), (0, 1e9)], pause_s=0.0)
    alignment = expect(score, take, np.where(part == 0, -1, truth))
    (replayed,) = alignment.passages
    assert (replayed.kind, replayed.start_beat) == ("replayed", 0.0)
    assert len(replayed.take_rows) == (part == 0).sum()


def test_a_repeat_that_is_left_out_is_skipped():
    half = written(200, seed=5)
    beats = np.ceil(half.onset_beat.max()) + 1.0
    score = Notes.concatenate([half, half.replace(onset_beat=half.onset_beat + beats)])
    tail = written(100, seed=6)
    score = Notes.concatenate([score, tail.replace(onset_beat=tail.onset_beat + 2 * beats)])
    take, _, _ = stretches(score, [(0, beats), (2 * beats, 1e9)], pause_s=0.0)
    alignment = align_notes(score, take)
    (skipped,) = alignment.passages
    assert skipped.kind == "skipped"
    # Both halves are the same music: which of them was left out cannot be known.
    assert abs(len(skipped.score_rows) - len(half)) <= 2
    assert (alignment.take_row >= 0).sum() >= 0.99 * len(take)


@pytest.mark.parametrize(("first", "end", "kind"), [(0, 40, "stopped"), (50, 1e9, "skipped")])
def test_a_take_of_a_part_says_so(first, end, kind):
    score = written(400, seed=7)
    take, truth, _ = stretches(score, [(first, end)])
    alignment = expect(score, take, truth)
    (passage,) = alignment.passages
    assert passage.kind == kind
    assert len(passage.score_rows) == len(score) - len(take)


def test_a_cut_is_skipped():
    score = written(600, seed=8)
    take, truth, _ = stretches(score, [(0, 50), (90, 1e9)], pause_s=0.0)
    (passage,) = expect(score, take, truth).passages
    assert passage.kind == "skipped"
    assert 89 <= passage.start_beat + 40 <= 92
    assert 88 <= passage.end_beat <= 90


def test_what_is_played_before_and_after_stands_outside():
    score = written(300, seed=9)
    take, truth, _ = stretches(score, [(0, 1e9)])
    warm = np.array([40, 44, 47, 52, 56, 59])
    time_s = np.r_[0.15 * np.arange(6), take.onset_s + 2.0, take.onset_s.max() + 5.0 + 0.15 * np.arange(6)]
    take, truth = take_of(time_s, np.r_[warm, take.pitch, warm + 1], np.r_[[-1] * 6, truth, [-1] * 6])
    kinds = [(p.kind, len(p.take_rows)) for p in expect(score, take, truth).passages]
    assert kinds == [("before", 6), ("after", 6)]


def test_a_trill_is_an_ornament_and_no_slip():
    score = written(300, seed=10)
    take, truth, _ = stretches(score, [(0, 1e9)])
    highest = [np.flatnonzero(score.onset_beat == b)[-1] for b in (20.0, 40.0, 60.0) if (score.onset_beat == b).any()]
    extra_s, extra_pitch = [], []
    for row in highest:
        begin = take.onset_s[truth == row][0]
        extra_s += [begin + 0.09 * k for k in range(1, 8)]
        extra_pitch += [score.pitch[row] + (2 if k % 2 else 0) for k in range(1, 8)]
    n = len(extra_s)
    take, truth = take_of(np.r_[take.onset_s, extra_s], np.r_[take.pitch, extra_pitch], np.r_[truth, [-1] * n])
    alignment = expect(score, take, truth, least=0.99)
    assert (alignment.ornament[truth < 0] == "trill").mean() > 0.8
    assert not (alignment.ornament[alignment.take_row[alignment.take_row >= 0]] != "").any()
    assert len(alignment.wrong) == 0


@pytest.mark.parametrize("span_s", [0.3, 1.0, 2.2])
def test_a_rolled_chord_keeps_its_notes(span_s):
    beat = np.repeat(np.arange(0.0, 64.0, 1.0), 5)
    rng = np.random.default_rng(11)
    root = np.repeat(rng.integers(40, 55, 64), 5)
    score = Notes.build(onset_beat=beat, onset_s=0.5 * beat, pitch=root + np.tile([0, 7, 12, 16, 19], 64))
    time_s, wait_s = 0.7 * beat + rng.normal(0, 0.008, len(beat)), 0.0
    for place in range(64):
        rows = np.flatnonzero(beat == place)
        time_s[rows] += wait_s
        if place % 8 == 4:
            time_s[rows] += np.linspace(0.0, span_s, 5)
            wait_s += span_s
    expect(score, *take_of(time_s, score.pitch, np.arange(len(beat))), least=1.0)


@pytest.mark.parametrize("lag_s", [-0.12, 0.06, 0.12])
def test_hands_apart(lag_s):
    score = written(500, seed=12)
    take, truth, _ = stretches(score, [(0, 1e9)])
    left = score.pitch[truth] < 60
    expect(score, *take_of(take.onset_s + np.where(left, lag_s, 0.0), take.pitch, truth), least=0.998)


def test_a_hand_in_another_octave_is_wrong_notes():
    score = written(300, seed=17)
    take, truth, _ = stretches(score, [(0, 1e9)])
    right = take.pitch >= 60
    alignment = align_notes(score, take.replace(pitch=take.pitch + 12 * right))
    wrong = {(int(a), int(b)) for a, b in alignment.wrong}
    meant = {(int(truth[b]), int(b)) for b in np.flatnonzero(right)}
    assert len(wrong & meant) >= 0.95 * len(meant)
    assert alignment.passages == ()


@pytest.mark.parametrize("semitones", [-12, -2, 1, 5])
def test_a_transposed_take_is_refused_with_the_interval(semitones):
    score = written(200, seed=13)
    take, _, _ = stretches(score, [(0, 1e9)])
    with pytest.raises(TakeprintError, match=rf"moved by \{-semitones:+d} semitones"):
        align_notes(score, take.replace(pitch=take.pitch + semitones))


@pytest.mark.parametrize("seed", range(4))
def test_other_music_of_the_same_style_is_refused_with_figures(seed):
    take, _, _ = stretches(written(300, seed=20 + seed), [(0, 1e9)])
    with pytest.raises(TakeprintError, match=r"only \d+ of \d+ notes find a partner .* \d+ do by chance"):
        align_notes(written(350, seed=40 + seed), take)


def test_identical_sides_align_exactly():
    score = written(300, seed=14)
    alignment = align_notes(score, score.replace(onset_s=0.5 * score.onset_beat))
    np.testing.assert_array_equal(alignment.take_row, np.arange(len(score)))
    assert len(alignment.wrong) == len(alignment.passages) == 0
    assert np.nanmin(alignment.confidence) > 0.999


def test_one_note_and_none():
    one = Notes.build(onset_beat=[0.0], onset_s=[0.3], pitch=[60.0])
    assert align_notes(one, one).take_row.tolist() == [0]
    nothing = one.rows(slice(0, 0))
    assert align_notes(one, nothing).take_row.tolist() == [-1]
    empty = align_notes(nothing, one)
    assert len(empty.take_row) == 0
    assert empty.insertion_confidence.tolist() == [0.5]
    with pytest.raises(TakeprintError):
        align_notes(one, one.replace(pitch=[66.0]))


def test_unpitched_parts_are_missed_with_no_confidence():
    score = written(200, seed=15)
    take, _, _ = stretches(score, [(0, 1e9)])
    drums = Notes.build(onset_beat=np.arange(40.0), pitch=np.full(40, np.nan))
    both = Notes.concatenate([score, drums])
    alignment = align_notes(both, take)
    assert (alignment.take_row[: len(score)] >= 0).all()
    assert (alignment.deletion_confidence[len(score) :] == 0.0).all()


def test_two_free_takes_of_one_piece():
    """Both sides have rubato and spread chords; the reference's beats are the ticks of its file."""
    score = written(500, seed=16)
    one, first, _ = stretches(score, [(0, 1e9)], seed=1)
    two, second, _ = stretches(score, [(0, 1e9)], seed=2, period_s=0.5)
    of_row = np.argsort(first)
    reference = one.replace(onset_beat=2.0 * one.onset_s)
    expect(reference, two, of_row[second], least=0.998)


def test_a_note_of_a_second_sequence_keeps_its_own_clock():
    """In a file of format 2 every track has its own tempo; amount 0 puts each note where it is written."""
    sequences = []
    for us_per_quarter, key in ((500_000, 60), (400_000, 72)):
        body = b"\x00\xff\x51\x03" + us_per_quarter.to_bytes(3, "big")
        for _ in range(12):
            body += b"\x30\x90" + bytes([key, 64]) + b"\x30\x80" + bytes([key, 64])
        body += b"\x00\xff\x2f\x00"
        sequences.append(b"MTrk" + len(body).to_bytes(4, "big") + body)
    data = b"MThd\x00\x00\x00\x06\x00\x02\x00\x02\x00\x60" + b"".join(sequences)
    take = take_of_smf(read_smf(data), "two")
    still = measure(take, take).scaled(0.0).notes
    still = still.rows(np.argsort(still.reference_index))
    np.testing.assert_array_equal(still.onset_s, take.notes.onset_s)
