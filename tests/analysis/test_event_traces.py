"""Planted breaths, frictions and slips: rate, place, length and level, and what is said of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from takeprint.analysis.compare import compare
from takeprint.core.deviations import DeviationNotes, Deviations

BARS = 64
FAST = {"permutations": 400}


def singer(seed: int, *, kind: str = "audio") -> Deviations:
    """Eighths with a rest at the end of every second bar, as a recording measured against a score."""
    rng = np.random.default_rng(seed)
    beat = np.array([4.0 * bar + e / 2 for bar in range(BARS) for e in range(8) if not (bar % 2 and e > 5)])
    n = len(beat)
    timing = rng.normal(0.0, 10.0, n)
    onset_s = beat * 0.6 + timing / 1000.0
    notes = DeviationNotes.build(
        n,
        label=np.full(n, "match"),
        reference_index=np.arange(n),
        reference_beat=beat,
        reference_duration_beat=np.full(n, 0.5),
        reference_pitch=np.full(n, 60.0) + rng.integers(0, 12, n),
        onset_s=onset_s,
        duration_s=np.full(n, 0.25),
        level_db=rng.normal(-20.0, 2.0, n),
        timing_ms=timing,
        dynamics_db=rng.normal(0.0, 2.0, n),
    )
    return Deviations(
        notes=notes,
        take={"name": f"{seed}.wav", "kind": kind},
        reference={
            "kind": "score",
            "timing_basis": "tempo",
            "metre": [{"beat": 0.0, "numerator": 4, "denominator": 4}],
            "tempo_map": {"beat": [0.0, 1.0], "time_s": [0.0, 0.6]},
        },
    )


def breaths(seed: int, *, every: int = 2, at_beat: float = 7.1, length_s: float = 0.4, level_db: float = -45.0):
    """A breath every so many bars, by default in the rest."""
    rng = np.random.default_rng(1000 + seed)
    return tuple(
        {
            "start_s": 0.6 * (4.0 * bar + at_beat) + rng.normal(0.0, 0.02),
            "duration_s": length_s + rng.normal(0.0, 0.03),
            "level_db": level_db + rng.normal(0.0, 1.0),
            "confidence": 0.9,
            "kind": "inhalation",
        }
        for bar in range(0, BARS - 2, every)
    )


@pytest.fixture(scope="module")
def real() -> Deviations:
    return singer(1).replace(breath=breaths(1))


def told(real: Deviations, synthetic: Deviations):
    found = compare(real, synthetic, **FAST)
    return found, {t["feature"]: t["sentence"] for t in found.tells if t["trace"] in ("breath", "friction", "slips")}


def test_breaths_alike_are_no_tell(real):
    found, tells = told(real, singer(2).replace(breath=breaths(2)))
    assert tells == {}
    breath = found.traces["breath"]
    # 31 breaths in 255.5 beats from the first note to the last.
    assert breath["real"]["rate"] == pytest.approx(60.0 * 31 / (0.6 * 254.5), rel=0.01)
    assert breath["real"]["gap"] == pytest.approx(1.0)
    assert breath["real"]["duration"] == pytest.approx(0.4, abs=0.03)
    assert breath["real"]["level"] == pytest.approx(-25.0, abs=1.0)
    assert breath["p_value"] > 0.3
    assert breath["figures"]["gap"]["p_value"] > 0.3
    assert breath["unit"] == "events a minute"


def test_each_planted_difference_is_told(real):
    plain = singer(2)
    cases = {
        "breath_rate": plain.replace(breath=breaths(2, every=8)),
        "breath_gap": plain.replace(breath=breaths(2, at_beat=2.2)),
        "breath_bar_line": plain.replace(breath=breaths(2, at_beat=6.8)),
        "breath_duration": plain.replace(breath=breaths(2, length_s=0.7)),
        "breath_level": plain.replace(breath=breaths(2, level_db=-35.0)),
    }
    moved = real.replace(breath=breaths(1, at_beat=7.7))
    for name, synthetic in cases.items():
        _, tells = told(moved if name == "breath_bar_line" else real, synthetic)
        assert name in tells, name
        assert "breaths" in tells[name].lower()
    _, tells = told(real, cases["breath_gap"])
    assert tells["breath_gap"].startswith(
        "Breaths do not lie in the gaps: 0% of them in gaps between phrases against 100%"
    )
    assert told(real, cases["breath_duration"])[1].keys() == {"breath_duration"}


def test_no_breath_at_all_is_told(real):
    found, tells = told(real, singer(2))
    assert tells["breath_rate"].startswith("There are no breaths: 0.0 breaths a minute against")
    assert found.traces["breath"]["synthetic"]["n"] == 0
    assert found.traces["breath"]["p_value"] < 0.01
    json.loads(found.dumps())


def test_a_recording_at_another_gain_breathes_the_same(real):
    other = singer(2).replace(breath=breaths(2, level_db=-57.0))
    quiet = other.replace(notes=other.notes.replace(level_db=other.notes.level_db - 12.0))
    assert "breath_level" not in told(real, quiet)[1]


def test_slips_and_friction_have_words_of_their_own(real):
    rng = np.random.default_rng(0)
    squeaks = tuple(
        {"start_s": float(t), "duration_s": 0.05, "level_db": -40.0, "kind": "squeak"}
        for t in np.sort(rng.uniform(0, 150, 90))
    )
    slips = tuple({"kind": "wrong", "time_s": float(t), "beat": None} for t in np.sort(rng.uniform(0, 150, 40)))
    found, tells = told(real, singer(2).replace(breath=breaths(2), friction=squeaks, slips=slips))
    assert tells["friction_rate"].startswith("There are too many squeaks and other friction noises")
    assert tells["slips_rate"].startswith("There are too many slips")
    assert found.traces["slips"]["synthetic"]["wrong_rate"] == pytest.approx(100 * 40 / len(real.notes))
    assert found.traces["friction"]["synthetic"]["n_squeak"] == 90


def test_events_of_few_blocks_are_told_but_not_tested(real):
    short = real.replace(notes=real.notes.rows(slice(0, 20)), breath=real.breath[:2])
    found = compare(short, short, permutations=99)
    assert found.traces["breath"]["real"]["n"] == 2
    assert found.traces["breath"]["p_value"] is None
    assert found.tells == ()


def test_events_without_times_or_levels_are_borne(real):
    odd = ({"kind": "missed", "beat": 8.0}, {"kind": "wrong", "time_s": None, "beat": None}, {"time_s": "soon"})
    found = compare(real, singer(2).replace(slips=odd), permutations=99)
    assert found.traces["slips"]["synthetic"]["n"] == 3
    json.loads(found.dumps())
