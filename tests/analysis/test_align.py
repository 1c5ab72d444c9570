"""Alignment with planted slips: every match is checked against the written note it was played for."""

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.analysis.align import align_notes
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
