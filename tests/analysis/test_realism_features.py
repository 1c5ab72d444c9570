"""Features of windows against their definitions, note by note."""

from __future__ import annotations

import numpy as np
import pytest

from takeprint.analysis.realism_features import CHANNELS, WINDOW, feature_words, windows_of
from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.errors import TakeprintError
from tests.analysis.handmade import player


@pytest.fixture(scope="module")
def take() -> Deviations:
    return player(24, seed=4)


def keyboard(moments: int, seed: int) -> Deviations:
    """Two- to four-part chords on eighths, all deviations random."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 5, moments)
    beat = np.repeat(np.arange(moments) * 0.5, size)
    n = len(beat)
    pitch = np.concatenate([np.sort(rng.choice(np.arange(40, 90), k, replace=False)) for k in size]).astype(float)
    timing = rng.normal(0.0, 15.0, n)
    notes = DeviationNotes.build(
        n,
        label=np.full(n, "match"),
        channel=np.zeros(n, dtype=int),
        reference_beat=beat,
        reference_duration_beat=np.full(n, 0.5),
        reference_pitch=pitch,
        pitch=pitch,
        onset_s=beat * 0.5 + timing / 1000.0,
        duration_s=rng.uniform(0.1, 0.4, n),
        velocity=rng.integers(30, 100, n).astype(float),
        dynamics_velocity=rng.normal(0.0, 8.0, n),
        timing_ms=timing,
        articulation_log2=rng.normal(-0.5, 0.4, n),
    )
    return Deviations(
        notes=notes,
        take={"name": "k.mid", "kind": "midi"},
        reference={
            "kind": "score",
            "timing_basis": "tempo",
            "metre": [{"beat": 0.0, "numerator": 4, "denominator": 4}],
            "tempo_map": {"beat": [0.0, 1.0], "time_s": [0.0, 0.5]},
        },
    )


def first_window(take: Deviations) -> list[dict]:
    """The notes of the first window in the order of the music, one dict each."""
    n = take.notes
    order = sorted(range(len(n)), key=lambda i: (round(n.reference_beat[i] * 100), n.onset_s[i], n.pitch[i]))
    fields = ("reference_beat", "timing_ms", "velocity", "instrument", "pitch", "onset_s", "articulation_log2")
    return [{f: getattr(n, f)[i] for f in fields} for i in order[:WINDOW]]


def feature(take: Deviations, name: str, kind: str = "drums") -> float:
    windows = windows_of([take], kind)
    return float(windows.values[0, windows.names.index(name)])


def naive_acf(x: list[float], lag: int) -> float:
    mean = sum(x) / len(x)
    power = sum((a - mean) ** 2 for a in x) / len(x)
    pairs = [(x[i] - mean) * (x[i + lag] - mean) for i in range(len(x) - lag)]
    return sum(pairs) / len(pairs) / power


def by_moment(notes: list[dict], column: str) -> list[float]:
    places = sorted({n["reference_beat"] for n in notes})
    return [float(np.mean([n[column] for n in notes if n["reference_beat"] == place])) for place in places]


def test_marginals_and_memory_are_the_definitions(take):
    notes = first_window(take)
    timing, velocity = [n["timing_ms"] for n in notes], [n["velocity"] for n in notes]
    assert feature(take, "timing.sd") == pytest.approx(np.std(timing))
    assert feature(take, "timing.acf2") == pytest.approx(naive_acf(timing, 2))
    assert feature(take, "velocity.q25") == pytest.approx(np.quantile(velocity, 0.25) - np.mean(velocity))
    assert feature(take, "velocity.alphabet") == pytest.approx(len(set(velocity)) / WINDOW)
    assert feature(take, "velocity.commonest") == pytest.approx(max(velocity.count(v) for v in velocity) / WINDOW)
    assert feature(take, "coupling.all") == pytest.approx(np.corrcoef(timing, velocity)[0, 1])
    moments = by_moment(notes, "timing_ms")
    assert feature(take, "timing.moment_acf1") == pytest.approx(naive_acf(moments, 1))
    blocks = [np.mean(moments[i : i + 4]) for i in range(0, len(moments) - 3, 4)]
    assert feature(take, "timing.scale4") == pytest.approx(np.std(blocks) / np.std(moments))


def test_voices_places_and_repetition_are_the_definitions(take):
    notes = first_window(take)
    hats = [n for n in notes if n["instrument"] == "hat"]
    assert feature(take, "velocity.hat_sd") == pytest.approx(np.std([n["velocity"] for n in hats]))
    assert feature(take, "timing.hat_acf1") == pytest.approx(naive_acf([n["timing_ms"] for n in hats], 1))
    half = [n["velocity"] for n in notes if n["reference_beat"] % 1.0 == 0.5]
    assert feature(take, "velocity.half_mean") == pytest.approx(np.mean(half) - np.mean([n["velocity"] for n in notes]))
    steps, inside = [], []
    for n in notes:
        last = [
            m for m in notes
            if m["instrument"] == n["instrument"] and m["reference_beat"] == n["reference_beat"] - 4.0
        ]  # fmt: skip
        steps += [abs(n["velocity"] - m["velocity"]) for m in last]
        alike = [
            m["timing_ms"] for m in notes
            if m["instrument"] == n["instrument"] and m["reference_beat"] % 1.0 == n["reference_beat"] % 1.0
        ]  # fmt: skip
        inside += [n["timing_ms"] - np.mean(alike)] if len(alike) > 1 else []
    assert len(steps) > 10
    assert feature(take, "velocity.bar_step") == pytest.approx(np.mean(steps))
    assert feature(take, "timing.slot_sd") == pytest.approx(np.std(inside))


def test_chords_are_the_definitions(take):
    notes = first_window(take)
    lead, late, loud = [], [], []
    for place in {n["reference_beat"] for n in notes}:
        chord = [n for n in notes if n["reference_beat"] == place]
        by_name = {n["instrument"]: n["timing_ms"] for n in chord}
        if {"kick", "hat"} <= set(by_name):
            lead.append(by_name["kick"] - by_name["hat"])
        if len(chord) > 1:
            late += [n["timing_ms"] - np.mean([m["timing_ms"] for m in chord]) for n in chord]
            loud += [n["velocity"] - np.mean([m["velocity"] for m in chord]) for n in chord]
    assert feature(take, "timing.kick_hat_lead") == pytest.approx(np.mean(lead))
    assert feature(take, "timing.kick_hat_spread") == pytest.approx(np.std(lead))
    assert feature(take, "timing.chord_sd") == pytest.approx(np.std(late))
    assert feature(take, "coupling.chord") == pytest.approx(np.corrcoef(late, loud)[0, 1])


def test_keyboard_features_are_the_definitions():
    take = keyboard(60, 1)
    notes = first_window(take)
    length = [n["articulation_log2"] for n in notes]
    assert feature(take, "articulation.acf1", "keyboard") == pytest.approx(naive_acf(length, 1))
    lead = []
    for place in {n["reference_beat"] for n in notes}:
        chord = [n for n in notes if n["reference_beat"] == place]
        if len(chord) > 1:
            top = max(chord, key=lambda n: n["pitch"])
            lead.append(top["timing_ms"] - np.mean([n["timing_ms"] for n in chord]))
    assert feature(take, "timing.melody", "keyboard") == pytest.approx(np.mean(lead))
    played = np.log2(np.diff(by_moment(notes, "onset_s")) / 0.25)
    assert feature(take, "timing.ioi_sd", "keyboard") == pytest.approx(np.std(played))


def test_a_window_looks_at_nothing_outside_it(take):
    whole = windows_of([take], "drums")
    order = np.lexsort((take.notes.pitch, take.notes.onset_s, np.round(take.notes.reference_beat * 100)))
    second = take.replace(notes=take.notes.rows(order[WINDOW : 2 * WINDOW]))
    alone = windows_of([second], "drums")
    assert np.allclose(alone.values[0], whole.values[1], equal_nan=True, atol=1e-9)
    assert whole.take.tolist() == [0] * (len(take.notes) // WINDOW)


def test_order_of_rows_and_names_of_files_do_not_matter(take):
    rng = np.random.default_rng(0)
    mixed = take.replace(notes=take.notes.rows(rng.permutation(len(take.notes))), take={"name": "x", "kind": "midi"})
    a, b = windows_of([take, take]), windows_of([mixed, mixed])
    assert np.allclose(a.values, b.values, equal_nan=True, atol=1e-9)
    assert a.take.tolist() == [0] * (len(a) // 2) + [1] * (len(a) // 2)


@pytest.mark.parametrize("kind", ["drums", "keyboard", "melody"])
def test_each_feature_has_a_channel_and_words_of_its_own(kind):
    words = feature_words(kind)
    assert {name.split(".")[0] for name in words} <= set(CHANNELS)
    assert len(set(words.values())) == len(words)
    assert tuple(words) == windows_of([], kind).names


@pytest.mark.parametrize("notes", [0, 1, 47, 48, 49])
@pytest.mark.parametrize("kind", ["drums", "keyboard", "melody"])
def test_whole_windows_only(take, notes, kind):
    some = take if kind == "drums" else keyboard(60, 2)
    few = some.replace(notes=some.notes.rows(slice(0, notes)))
    windows = windows_of([few], kind)
    assert windows.values.shape == (notes // WINDOW, len(windows.names))


def test_channels_are_a_choice_of_columns(take):
    windows = windows_of([take])
    timing = windows.channels(("timing",))
    assert all(name.startswith("timing.") for name in timing.names)
    assert timing.values.shape == (len(windows), len(timing.names))
    with pytest.raises(TakeprintError, match="channel 'pitch'"):
        windows.channels(("pitch",))


def test_refusals(take):
    with pytest.raises(TakeprintError, match="kind='choir'"):
        windows_of([take], "choir")
    with pytest.raises(TakeprintError, match="window=4"):
        windows_of([take], window=4)
