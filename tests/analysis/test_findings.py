"""Findings: what is planted is told in words and figures, and what is not there is not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from takeprint.analysis.finding_words import clock_words, list_words, number_words
from takeprint.analysis.findings import find_differences
from takeprint.analysis.rows import free_deviations
from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.timeline import Timeline

CLOCK = Timeline.constant(120.0)


def take(log_ratio=lambda beat: 0.0 * beat, *, beats=128, noise_ms=8.0, seed=0, kind="take", level=None, **facts):
    """A take of eighth notes against a reference at 120 bpm, its tempo ratio and loudness planted."""
    rng = np.random.default_rng(seed)
    beat = np.arange(0.0, beats, 0.5)
    step_s = 0.25 / np.exp(log_ratio(beat))
    due_s = 1.0 + np.concatenate([[0.0], np.cumsum(step_s[:-1])])
    loud = 64.0 + 10.0 * rng.standard_normal(len(beat))
    rows = DeviationNotes.build(
        label=np.full(len(beat), "match"),
        confidence=np.ones(len(beat)),
        reference_index=np.arange(len(beat)),
        take_index=np.arange(len(beat)),
        reference_beat=beat,
        reference_duration_beat=np.full(len(beat), 0.5),
        reference_onset_s=CLOCK.seconds_at(beat),
        reference_pitch=np.full(len(beat), 60.0),
        reference_velocity=loud,
        pitch=np.full(len(beat), 60.0),
        onset_s=due_s + rng.normal(0.0, noise_ms / 1000.0, len(beat)),
        duration_s=step_s,
        velocity=loud if level is None else level(loud),
    )
    found = free_deviations(rows, CLOCK)
    metre = [{"beat": 0.0, "numerator": 4, "denominator": 4}]
    return found.replace(
        reference={**found.reference, "kind": kind, "metre": metre, "tempo_map": CLOCK.to_dict(), **facts}
    )


def told(deviations: Deviations) -> dict[str, list[dict]]:
    out: dict[str, list[dict]] = {}
    for one in find_differences(deviations):
        assert not re.search(r"\bnan\b|\binf\b|None|  ", one["text"])
        assert one["text"].endswith(".")
        assert one["text"][0].isupper() or one["text"][0].isdigit()
        assert one["start_s"] <= one["end_s"]
        out.setdefault(one["kind"], []).append(one)
    return out


def test_a_faster_take_is_said_to_be_faster():
    found = told(take(lambda b: 0.04 + 0.0 * b, bars_known=True))
    (drift,) = found["drift"]
    assert drift["figures"]["percent"] == pytest.approx(4.08, abs=0.05)
    assert drift["figures"]["take_bpm"] == pytest.approx(124.9, abs=0.1)
    assert drift["figures"]["gained_s"] == pytest.approx(2.5, abs=0.1)
    assert "4.1 % faster" in drift["text"]
    assert not {"rushing", "dragging", "trend", "pause", "slips"} & set(found)


def test_a_take_in_tempo_has_no_stretches():
    for seed in range(5):
        found = told(take(seed=seed))
        assert "keeps the tempo" in found["drift"][0]["text"]
        assert not {"rushing", "dragging", "trend"} & set(found)


def test_rushing_and_dragging_are_told_with_their_bars():
    def ratio(beat):
        return np.where((beat >= 32) & (beat < 48), 0.08, np.where((beat >= 80) & (beat < 96), -0.06, 0.0))

    found = told(take(ratio, bars_known=True))
    (fast,), (slow,) = found["rushing"], found["dragging"]
    assert fast["bars"][0] in (8, 9)
    assert fast["bars"][1] in (12, 13)
    assert fast["figures"]["percent"] == pytest.approx(8.0, abs=2.5)
    assert fast["figures"]["gained_s"] == pytest.approx(0.6, abs=0.15)
    assert fast["start_s"] == pytest.approx(17.0, abs=0.8)
    assert slow["bars"][0] in (20, 21)
    assert slow["figures"]["gained_s"] < -0.3
    # Where bar lines are not known, none are said.
    assert all("bars" not in f and "bar" not in f["text"] for f in find_differences(take(ratio)))


def test_a_trend_and_a_pause():
    found = told(take(lambda b: 0.0008 * b))
    (trend,) = found["trend"]
    assert "faster" in trend["text"]
    assert trend["figures"]["change_percent"] == pytest.approx(9.0, abs=1.5)
    stopped = take()
    late_s = stopped.notes.onset_s + np.where(stopped.notes.reference_beat >= 60.0, 1.5, 0.0)
    facts = dict(stopped.reference)
    stopped = free_deviations(stopped.notes.replace(onset_s=late_s), CLOCK).replace(reference=facts)
    (pause,) = told(stopped)["pause"]
    assert pause["figures"]["pause_s"] == pytest.approx(1.5, abs=0.06)
    wait = {"kind": "hesitation", "time_s": 31.0, "beat": 60.0, "duration_s": 1.5, "confidence": 0.9}
    assert "pause" not in told(stopped.replace(slips=(wait,)))


def test_dynamics_are_told_apart_only_where_they_differ():
    (same,) = told(take())["range"]
    assert "as in the reference" in same["text"]
    (narrow,) = told(take(level=lambda v: 64.0 + 0.5 * (v - 64.0)))["range"]
    assert "narrower" in narrow["text"]
    assert narrow["figures"]["range"] == pytest.approx(0.5 * narrow["figures"]["reference_range"], rel=0.01)


def test_articulation_is_told_beyond_its_doubt():
    plain = take()
    cut = plain.notes.replace(articulation_log2=np.random.default_rng(1).normal(-0.4, 0.2, len(plain.notes)))
    (length,) = told(plain.replace(notes=cut))["length"]
    assert length["figures"]["percent"] == pytest.approx(100.0 * (2**-0.4 - 1.0), abs=2.0)
    none = plain.notes.replace(articulation_log2=np.random.default_rng(1).normal(0.0, 0.2, len(plain.notes)))
    assert "length" not in told(plain.replace(notes=none))


def test_breaths_that_only_the_take_has():
    both = take(
        lambda b: 0.1 + 0.0 * b, breath=[{"start_s": 20.0, "duration_s": 0.3, "level_db": -40.0, "confidence": 0.9}]
    )
    at_s = float(np.interp(20.0, both.alignment.reference_s, both.alignment.time_s))
    own = [{"start_s": t, "duration_s": 0.3, "level_db": -35.0 - t / 10, "confidence": c} for t, c in
           ((0.2, 0.9), (10.0, 0.9), (at_s + 0.1, 0.9), (30.0, 0.2), (41.0, 0.8))]  # fmt: skip
    (only,) = told(both.replace(breath=tuple(own)))["only_in_take"]
    assert only["figures"]["n"] == 2
    assert "0:10 and 0:41" in only["text"]
    assert only["figures"]["loudest_db"] == pytest.approx(-36.0)
    facts = {k: v for k, v in both.reference.items() if k != "breath"}
    (heard,) = told(both.replace(breath=tuple(own), reference=facts))["heard"]
    assert heard["figures"]["n"] == 4


def test_tuning_key_and_scatter():
    summary = {"intonation": {"n": 50, "sd": 12.0, "tuning_cents": -4.0, "tuning_uncertainty_cents": 1.0}}
    ours = {"intonation": {"n": 60, "sd": 24.0, "tuning_cents": 11.0, "tuning_uncertainty_cents": 1.0}}
    found = told(take(transposition_cents=215.0, summary=summary).replace(summary=ours))
    assert found["key"][0]["text"] == "The take is 2 semitones higher than the reference."
    assert found["tuning"][0]["figures"]["cents"] == pytest.approx(15.0)
    assert "more than in the reference: 12 cents" in found["spread"][0]["text"]
    same = told(take(summary=summary).replace(summary=summary))
    assert not {"key", "tuning"} & set(same)


def test_slips_are_counted_and_the_largest_named():
    slips = (
        {"kind": "wrong", "time_s": 4.0, "beat": 6.0, "pitch_written": 60.0, "pitch_played": 61.0, "confidence": 0.9},
        {"kind": "missed", "time_s": 9.0, "beat": 16.0, "pitch_written": 64.0, "pitch_played": None, "confidence": 0.8},
        {"kind": "repeated", "time_s": 20.0, "beat": 38.0, "beat_from": 32.0, "beat_to": 38.0, "n_notes": 12,
         "duration_s": 3.2, "confidence": 0.9},
        {"kind": "hesitation", "time_s": 30.0, "beat": 60.0, "duration_s": 0.8, "confidence": 0.9},
        {"kind": "added", "time_s": 33.0, "beat": 66.0, "pitch_written": None, "pitch_played": 67.0, "confidence": 0.2},
    )  # fmt: skip
    (found,) = told(take(bars_known=True).replace(slips=slips))["slips"]
    assert found["text"].startswith("4 slips: 1 wrong note, 1 missed note, 1 repetition and 1 hesitation.")
    assert "12 notes played again, which takes 3.2 s in bar 10 at 0:20" in found["text"]
    assert "a hesitation of 0.80 s in bar 16" in found["text"]
    assert "C sharp4 for C4 in bar 2 at 0:04" in found["text"]
    (one,) = told(take().replace(slips=slips[1:2]))["slips"]
    assert one["text"] == "1 slip: a missed E4 at 0:09."


def test_what_only_one_side_has_is_told_and_not_counted_as_tempo():
    parts = [
        {"reference_start_s": 0.0, "reference_end_s": 30.0, "start_s": 1.0, "end_s": 31.0},
        {"reference_start_s": 30.0, "reference_end_s": 64.0, "start_s": 51.0, "end_s": 85.0},
    ]
    plain = take(parts=parts)
    late_s = plain.notes.onset_s + np.where(plain.notes.reference_onset_s >= 30.0, 20.0, 0.0)
    cut = free_deviations(plain.notes.replace(onset_s=late_s), CLOCK).replace(reference=plain.reference)
    found = told(cut)
    assert found["only_in_take"][0]["figures"]["take_s"] == pytest.approx(20.0)
    assert "0:31 to 0:51" in found["only_in_take"][0]["text"]
    assert "keeps the tempo" in found["drift"][0]["text"]
    assert "pause" not in found


def test_identical_sides_and_nothing_at_all():
    same = take(noise_ms=0.0)
    (only,) = find_differences(same)
    assert only["kind"] == "identical"
    assert only["text"] == "Nothing differs: every note of the take is where the reference has it."
    assert find_differences(Deviations()) == ()
    few = same.replace(notes=same.notes.rows(slice(0, 3)).replace(velocity=np.array([1.0, 2.0, 3.0])))
    told(few)


@pytest.mark.parametrize("kind", ["score", "click", "none"])
def test_every_kind_of_reference_has_its_words(kind):
    found = told(take(lambda b: 0.05 * np.sin(b / 8.0), kind=kind))
    words = {"score": "the score", "click": "the click", "none": "a steady beat"}[kind]
    said = " ".join(f["text"] for group in found.values() for f in group)
    assert words in said or kind == "none"
    assert "the reference" not in said.replace("as in the reference", "")


def test_words():
    assert [clock_words(t) for t in (0.0, 59.6, 3600.0)] == ["0:00", "1:00", "1:00:00"]
    assert [number_words(v) for v in (0.0, 0.0999, 9.96, 123.4)] == ["0", "0.10", "10", "123"]
    assert list_words(["a", "b", "c"]) == "a, b and c"
