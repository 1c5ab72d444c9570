from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from takeprint.analysis import measure
from takeprint.core.errors import TakeprintError
from takeprint.core.take import load_take
from takeprint.humanize import perform, render
from takeprint.humanize.players.part import Dice
from takeprint.humanize.players.slip_desk import key_odds
from takeprint.humanize.players.slip_makers import SHARES, invent_slips

from .midi_cases import midi

EIGHTH = 240


def events_of(notes, channel=0):
    out = []
    for on, off, key, velocity in notes:
        out.append((on, bytes([0x90 | channel, key, velocity])))
        out.append((off, bytes([0x80 | channel, key, 64])))
    return out


def piano_piece(bars=48):
    """Moving chords of three under a melody in eighths with leaps: rows of (on, off, key, velocity)."""
    roots = [48, 45, 53, 43, 50, 52]
    tune = [72, 74, 76, 79, 77, 84, 81, 74, 71, 69, 72, 67]
    rows = []
    for bar in range(bars):
        for half in range(2):
            at, root = (8 * bar + 4 * half) * EIGHTH, roots[(bar + half) % 6]
            rows += [(at, at + 4 * EIGHTH - 20, root + k, 58 + 3 * half) for k in (0, 7, 16)]
        rows += [
            ((8 * bar + k) * EIGHTH, (8 * bar + k + 1) * EIGHTH - 20, tune[(5 * bar + k) % 12], 80) for k in range(8)
        ]
    return rows


def kit_piece(bars=48):
    rows = []
    for bar in range(bars):
        at = 8 * bar * EIGHTH
        rows += [(at + k * EIGHTH, at + k * EIGHTH + 60, 42, 90 if k % 2 == 0 else 60) for k in range(8)]
        rows += [(at + k * 4 * EIGHTH, at + k * 4 * EIGHTH + 60, 36, 100) for k in range(2)]
        rows += [((at + (2 + 4 * k) * EIGHTH), at + (2 + 4 * k) * EIGHTH + 60, 38, 105) for k in range(2)]
    return rows


@pytest.fixture(scope="module")
def piano(tmp_path_factory):
    path = tmp_path_factory.mktemp("slips") / "piano.mid"
    path.write_bytes(midi([events_of(piano_piece())]))
    return load_take(path)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    path = tmp_path_factory.mktemp("slips") / "kit.mid"
    path.write_bytes(midi([events_of(kit_piece(), 9)]))
    return load_take(path)


def slipped(take, rate, seed=3, **options):
    made = perform(take, seed=seed)
    return invent_slips(made, take.notes, take.timeline, rate, Dice(seed, take.sha256, "slips"), **options)


def heard_again(take, made, folder):
    rendered = render(take, made)
    path = folder / "played.mid"
    rendered.save(path)
    return rendered, measure(path, against=take.path)


def found_of(planted, told):
    """Count the planted slips that are told with their kind, place and pitch."""
    out, used = Counter(), set()
    for slip in planted:
        for i, other in enumerate(told):
            near = abs(other["time_s"] - slip["time_s"]) < 0.15 and other["kind"] == slip["kind"]
            same = all(
                other.get(name) == slip.get(name)
                for name in ("pitch_written", "pitch_played")
                if slip["kind"] in ("wrong", "missed")
            )
            if i not in used and near and same:
                used.add(i)
                out[slip["kind"]] += 1
                break
    return out


def test_measuring_finds_the_slips_again(piano, tmp_path):
    made = slipped(piano, 4.0)
    planted = Counter(slip["kind"] for slip in made.slips)
    assert set(planted) == set(SHARES)
    rendered, back = heard_again(piano, made, tmp_path)
    found = found_of(made.slips, back.slips)
    audible = sum(n for kind, n in planted.items() if kind != "ghosted")
    assert sum(found.values()) >= 0.9 * audible
    assert len(back.slips) <= 1.1 * audible
    # Every added note found its room.
    assert np.isfinite(rendered.applied.notes.onset_s[made.notes.label == "insertion"]).all()


def test_a_wait_is_as_long_as_said(piano, tmp_path):
    made = slipped(piano, 14.0)
    waits = [slip for slip in made.slips if slip["kind"] == "hesitation"]
    back = heard_again(piano, made, tmp_path)[1]
    told = [slip for slip in back.slips if slip["kind"] == "hesitation"]
    pairs = [(a["duration_s"], b["duration_s"]) for a in waits for b in told if abs(a["beat"] - b["beat"]) < 0.01]
    assert len(waits) >= 3
    assert len(pairs) >= 0.8 * len(waits)
    off_s = [b - a for a, b in pairs]
    assert np.median(np.abs(off_s)) < 0.05


def test_a_ghosted_stroke_hardly_sounds(kit, tmp_path):
    made = slipped(kit, 5.0)
    rows = [slip["slip_id"] for slip in made.slips if slip["kind"] == "ghosted"]
    assert len(rows) >= 5
    _, back = heard_again(kit, made, tmp_path)
    ghosts = made.notes.rows(np.isin(made.notes.slip_id, rows))
    own = back.notes.rows(back.notes.label == "match")
    velocity = {int(i): v for i, v in zip(own.reference_index, own.velocity, strict=True)}
    played = np.array([velocity[int(i)] for i in ghosts.reference_index])
    assert played.max() <= 26
    assert (played <= 0.3 * ghosts.reference_velocity).all()


def test_a_kit_keeps_the_click_and_its_pitches(kit, tmp_path):
    made = slipped(kit, 8.0)
    assert {slip["kind"] for slip in made.slips} == {"missed", "ghosted", "repeated"}
    assert (made.tempo.time_s == perform(kit, seed=3).tempo.time_s).all()
    _, back = heard_again(kit, made, tmp_path)
    found, planted = found_of(made.slips, back.slips), Counter(slip["kind"] for slip in made.slips)
    assert found["missed"] + found["repeated"] >= 0.85 * (planted["missed"] + planted["repeated"])


@pytest.mark.parametrize("rate", [1.0, 5.0, 20.0])
def test_the_rate_is_kept(piano, rate):
    counts = [len(slipped(piano, rate, seed).slips) for seed in range(6)]
    expected = rate / 100.0 * len(piano.notes)
    # Half-normal error of six Poisson draws, and up to a fifth that finds no free key.
    assert 0.75 * expected - 3 * np.sqrt(expected / 6) < np.mean(counts) < expected + 3 * np.sqrt(expected / 6)


def test_no_key_sounds_twice(piano):
    for seed in range(4):
        made = slipped(piano, 20.0, seed)
        rows = made.notes.rows(made.notes.label != "deletion")
        end_s = rows.onset_s + rows.duration_s
        for key in np.unique(rows.pitch):
            own = np.flatnonzero(rows.pitch == key)
            own = own[np.argsort(rows.onset_s[own])]
            beside = (made.notes.label == "insertion")[np.flatnonzero(made.notes.label != "deletion")[own]]
            gap = rows.onset_s[own[1:]] - end_s[own[:-1]]
            assert (gap[beside[1:] | beside[:-1]] > 0.0).all()


def test_rows_and_events_share_their_numbers(piano):
    made = slipped(piano, 10.0)
    label, number = made.notes.label, made.notes.slip_id
    wanted = {
        "wrong": ["deletion", "insertion"],
        "missed": ["deletion"],
        "ghosted": ["match"],
        "added": ["insertion"],
        "repeated": ["insertion"],
    }
    for slip in made.slips:
        if slip["kind"] != "hesitation":
            assert sorted(label[number == slip["slip_id"]].tolist()) == wanted[slip["kind"]]
    assert (np.sort(np.unique(number[number >= 0])) == np.arange(number.max() + 1)).all()
    times = [slip["time_s"] for slip in made.slips]
    assert times == sorted(times)


def test_same_seed_same_slips_and_a_higher_rate_keeps_them(piano):
    assert slipped(piano, 5.0).dumps() == slipped(piano, 5.0).dumps()
    assert slipped(piano, 5.0).dumps() != slipped(piano, 5.0, seed=4).dumps()

    def places(made):
        return {(s["kind"], round(s["beat"], 6), s["pitch_written"]) for s in made.slips if s["kind"] != "hesitation"}

    few, many = places(slipped(piano, 2.0)), places(slipped(piano, 6.0))
    assert len(few & many) >= 0.8 * len(few)


def test_none_are_laid_unasked(piano):
    made = perform(piano, seed=3)
    assert invent_slips(made, piano.notes, piano.timeline, 0.0, Dice(3, piano.sha256, "slips")) is made
    assert slipped(piano, 5.0).scaled(slips=0.0).slips == ()
    quiet = slipped(piano, 5.0).scaled(slips=0.0).notes
    assert (quiet.label == "match").all()
    assert (quiet.slip_id == -1).all()
    assert quiet.velocity.min() > 40.0


def test_notes_that_may_not_be_touched_stay(piano):
    kept = np.zeros(len(piano.notes), dtype=bool)
    kept[::2] = True
    made = slipped(piano, 20.0, eligible=kept)
    touched = made.notes.reference_index[(made.notes.slip_id >= 0) & (made.notes.reference_index >= 0)]
    assert len(touched) > 10
    assert kept[touched].all()
    assert not any(slip["kind"] == "hesitation" for slip in made.slips)
    assert not any(slip["kind"] == "hesitation" for slip in slipped(piano, 20.0, may_wait=False).slips)


def test_slips_can_be_laid_in_turns(piano):
    every_other = np.arange(len(piano.notes)) % 2 == 0
    made = perform(piano, seed=3)
    for number, eligible in enumerate((every_other, ~every_other, None)):
        dice = Dice(3, piano.sha256, f"slips {number}")
        made = invent_slips(made, piano.notes, piano.timeline, 15.0, dice, eligible=eligible)
    assert len({slip["slip_id"] for slip in made.slips if "slip_id" in slip}) == sum(
        slip["kind"] != "hesitation" for slip in made.slips
    )
    number = made.notes.slip_id
    assert np.bincount(number[number >= 0]).max() <= 2
    assert len(made.slips) > 0.25 * len(piano.notes)


def test_slips_lie_where_they_do_in_people(piano):
    inside, on_top = 0, 0
    for seed in range(12):
        for slip in slipped(piano, 10.0, seed).slips:
            if slip["kind"] in ("wrong", "missed"):
                inside += slip["pitch_written"] < 70
                on_top += slip["pitch_written"] >= 70
    share = (piano.notes.pitch < 70).mean()
    # Fewer of the notes, more of the slips.
    assert inside / (inside + on_top) > share + 0.1


def test_wrong_keys_are_neighbours_by_hand():
    for pitch in range(21, 109):
        keys, odds = key_odds(pitch)
        assert odds.sum() == pytest.approx(1.0)
        assert odds[np.abs(keys - pitch) <= 2].sum() > 0.8
        assert keys.min() >= 21
        assert keys.max() <= 108
    # Beside e lies f, a white key, and no black one: a semitone is likelier than from c to c sharp.
    keys, odds = key_odds(64)
    semitone = odds[keys == 65][0]
    keys, odds = key_odds(60)
    assert semitone > odds[keys == 61][0]


@pytest.mark.parametrize("rate", [-1.0, 31.0, float("nan"), True])
def test_a_rate_beyond_its_limits_is_refused(piano, rate):
    with pytest.raises(TakeprintError, match="rate lies between"):
        slipped(piano, rate)


def test_one_note_and_two_have_no_slips(tmp_path):
    for n in (1, 2):
        path = tmp_path / f"{n}.mid"
        path.write_bytes(midi([events_of([(480 * k, 480 * k + 400, 60 + k, 80) for k in range(n)])]))
        assert slipped(load_take(path), 30.0).slips == ()
