"""The learned kit player: what it listens to, what it keeps, and that nothing damaged is played."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from takeprint.analysis.fit import fit
from takeprint.analysis.kit_context import HABITS_A_CLASS, N_ASKED, N_HABITS, Hits, context
from takeprint.analysis.measure import measure
from takeprint.core.errors import TakeprintError
from takeprint.core.profile import Profile
from takeprint.core.smf import write_new_smf
from takeprint.core.take import load_take
from takeprint.core.timeline import Metre, Timeline
from takeprint.humanize import perform, render
from takeprint.humanize.players import learned
from takeprint.humanize.players.part import Dice, Part
from tests.analysis.planted import drum_pattern, midi_take
from tests.made_network import network_of

from .made_scores import chorale, groove, planted, take_of

DICE = Dice(1, "score", "kit")
N_WRITTEN = context(Hits.of(np.zeros(1), np.zeros(1), np.zeros(1, np.int64), Metre()), np.full(1, 120.0)).shape[1]
N_READ = N_WRITTEN + HABITS_A_CLASS + N_ASKED


def _drummer(seed, bpm=110.0, cymbal=42, bars=16):
    """Measure a drummer who is late on the snare and strikes the off-beats softer."""
    rng = np.random.default_rng(seed)
    beat, key = drum_pattern(bars)
    key = np.where(key == 42, cymbal, key)
    late_s = rng.normal(0.0, 0.006, len(beat)) + 0.012 * (key == 38)
    velocity = np.clip(np.rint(80 - 20 * (beat % 1 > 0) + rng.normal(0, 6, len(beat))), 1, 126)
    clock = Timeline.constant(bpm)
    take = midi_take(clock.seconds_at(beat + 4) + late_s, 0.05, key, velocity, channel=9, clock=clock)
    return measure(dataclasses.replace(take, sha256=f"{seed}"), click=bpm)


def _with(profile, **arrays):
    return dataclasses.replace(profile, arrays={**profile.arrays, **arrays})


def _network(**changed):
    made = {f"network_{n}": a for n, a in network_of(3, N_READ, N_HABITS, size=0.6).items()}
    return made | changed


@pytest.fixture(scope="module")
def profile():
    fitted = fit([_drummer(1), _drummer(2), _drummer(3, cymbal=51), _drummer(4, bpm=180.0)], name="d", kind="drums")
    return _with(fitted, **_network())


def _part(rows, metre="4/4", tempo_bpm=110.0):
    take = take_of(rows, tempo_bpm)
    return Part.of("kit", True, take.notes, np.arange(len(take.notes)), take.timeline, Metre.parse(metre))


def _play(part, profile, keep_accents=False, dice=DICE):
    made = learned.play(part, profile, dice, keep_accents=keep_accents)
    for values in (made.timing_ms, made.velocity, made.articulation_log2, made.clock_ms):
        assert values.shape == (len(part),)
        assert np.isfinite(values).all()
    assert made.absolute
    if len(part):
        assert made.velocity.min() >= 1
        assert made.velocity.max() <= 127
    return made


# ---------------------------------------------------------------- who plays


def test_it_plays_kits_from_drum_profiles_with_takes(profile):
    kit = _part(groove(2))
    take = take_of(chorale(2))
    piano = Part.of("it", False, take.notes, np.arange(len(take.notes)), take.timeline, Metre())
    assert learned.can_play(profile, kit)
    assert not learned.can_play(profile, piano)
    assert not learned.can_play(dataclasses.replace(profile, kind="keyboard"), kit)
    assert not learned.can_play(planted(), kit)
    with pytest.raises(TakeprintError, match="no sound takes"):
        learned.play(kit, planted(), DICE)


@pytest.mark.parametrize("player", ["auto", "learned"])
def test_perform_takes_this_player_and_says_so(profile, player):
    made = perform(take_of(groove(4)), profile, player=player, seed=2)
    assert made.reference["player"]["parts"]["kit"]["player"] == "learned"
    assert not [w for w in made.warnings if "no learned player" in w]
    assert np.ptp(made.notes.timing_ms) > 1.0


def test_others_still_play_where_they_are_asked_for(profile):
    for player in ("donor", "parametric"):
        made = perform(take_of(groove(4)), profile, player=player, seed=2)
        assert made.reference["player"]["parts"]["kit"]["player"] == player


# ---------------------------------------------------------------- the same and something else


def test_the_same_seed_plays_the_same_bytes_and_another_something_else(profile, tmp_path):
    take = take_of(groove(8))
    data = write_new_smf(None, take.notes, take.timeline, Metre(), ticks_per_beat=480)
    (tmp_path / "score.mid").write_bytes(data)
    score = load_take(tmp_path / "score.mid")
    first, again, other = (render(score, perform(score, profile, player="learned", seed=s)).data for s in (5, 5, 6))
    assert first == again
    assert first != other
    assert first != data


def test_whichever_tracks_are_selected_a_hit_is_played_alike(profile):
    rows = [(b, d, p, v, int(p == 42), c) for b, d, p, v, _, c in groove(6)] + chorale(6, track=2)
    score = take_of(rows)
    whole = perform(score, profile, player="learned", seed=3).notes
    for track in (0, 1):
        made = perform(score, profile, player="learned", seed=3, tracks=track).notes
        a, b = np.argsort(whole.reference_index), np.argsort(made.reference_index)
        chosen = made.track[b] == track
        np.testing.assert_array_equal(made.timing_ms[b][chosen], whole.timing_ms[a][chosen])
        np.testing.assert_array_equal(made.velocity[b][chosen], whole.velocity[a][chosen])
        assert not made.timing_ms[b][~chosen].any()


def test_a_profile_survives_its_file(profile, tmp_path):
    profile.save(tmp_path / "p.json")
    loaded = Profile.load(tmp_path / "p.json")
    part = _part(groove(8))
    a, b = _play(part, profile), _play(part, loaded)
    np.testing.assert_array_equal(a.timing_ms, b.timing_ms)
    np.testing.assert_array_equal(a.velocity, b.velocity)


def test_half_precision_weights_are_played(profile):
    half = {n: a.astype(np.float16) for n, a in _network().items()}
    assert np.ptp(_play(_part(groove(4)), _with(profile, **half)).timing_ms) > 1.0


@pytest.mark.parametrize("name", ["drums-rock", "drums-jazz"])
def test_the_shipped_network_plays_the_shipped_profiles(name):
    made = perform(take_of(groove(16)), name, player="learned", seed=4, keep_accents=False)
    assert made.reference["player"]["parts"]["kit"]["player"] == "learned"
    # A click is kept within some hundredths of a second, and no drummer strikes all alike.
    assert 3.0 < made.notes.timing_ms.std() < 40.0
    assert len(set(made.notes.velocity.tolist())) > 20


def test_two_drummers_in_turn(profile):
    made = perform(take_of(groove(16)), "drums-funk:0.7,drums-rock:0.3", player="learned", seed=4)
    assert made.reference["player"]["parts"]["kit"]["player"] == "learned"
    assert np.ptp(made.notes.timing_ms) > 1.0


def test_a_recording_is_listened_to_by_its_instruments_names(profile):
    heard = perform(take_of(groove(8)), profile, player="learned", seed=1)
    rows = heard.notes.replace(pitch=np.full(len(heard.notes), np.nan), channel=np.full(len(heard.notes), -1))
    arrays = fit(heard.replace(notes=rows), name="heard", kind="drums").arrays
    assert set(arrays["kit_kind"].tolist()) == {0, 1, 7}
    made = _play(_part(groove(4)), dataclasses.replace(profile, arrays=dict(arrays) | _network()))
    assert np.ptp(made.timing_ms) > 1.0


# ---------------------------------------------------------------- what it listens to


def test_it_listens_to_the_takes_most_like_the_part(profile, monkeypatch):
    monkeypatch.setattr(learned, "_BEST", 3)

    def chosen(rows, tempo_bpm):
        part = _part(rows, tempo_bpm=tempo_bpm)
        hits = Hits.of(part.beat, part.onset_s, learned.class_of(part.pitch, part.voices.text), part.metre)
        seeds = range(40)
        return {
            int(learned._listened_to(hits, part.velocity[hits.row], part, profile, Dice(s, "score", "kit"))[0])
            for s in seeds
        }

    ride = [(b, d, 51 if p == 42 else p, v, t, c) for b, d, p, v, t, c in groove(8)]
    # Of four takes one stays out: another tempo (3), or another cymbal (2).
    assert chosen(ride, 110.0) == {0, 1, 2}
    assert chosen(groove(8), 180.0) == {0, 1, 3}


def test_what_is_heard_first_changes_what_is_played(profile):
    deaf = _with(profile, kit_velocity=np.full_like(profile.arrays["kit_velocity"], 20))
    part = _part(groove(8))
    assert (_play(part, profile).timing_ms != _play(part, deaf).timing_ms).any()


def test_habits_reach_the_network(profile):
    other = _with(profile, kit_habits=-profile.arrays["kit_habits"])
    part = _part(groove(8))
    assert (_play(part, profile).timing_ms != _play(part, other).timing_ms).any()


# ---------------------------------------------------------------- accents and ornaments


def test_with_its_own_accents_the_written_ones_do_not_matter(profile):
    made = _play(_part(groove(8)), profile)
    flat = _play(_part(groove(8, velocity=77)), profile)
    np.testing.assert_array_equal(made.velocity, flat.velocity)
    np.testing.assert_array_equal(made.timing_ms, flat.timing_ms)


def test_kept_accents_are_varied_around(profile):
    part = _part(groove(64))
    louder = _play(part, profile, keep_accents=True).velocity - part.velocity
    assert louder.std() > 1.0
    cell = part.cell
    for name in part.voices.names:
        for c in np.unique(cell[part.voices.text == name]):
            own = louder[(part.voices.text == name) & (cell == c)]
            # What a place is louder in the mean is taken out beyond some steps.
            assert abs(own.mean()) < 12.0


def test_a_place_played_louder_than_written_comes_back_to_it(profile):
    hits = Hits.of(np.arange(64.0), np.arange(64.0), np.zeros(64, np.int64), Metre())
    written = np.full(64, 80.0)
    drawn = written + np.tile([2.0, -2.0, 30.0, 0.0], 16) + np.tile([5.0, -5.0, 5.0, -5.0, -5.0, 5.0, -5.0, 5.0], 8)
    made = learned._about_the_written(hits, written, drawn, DICE)
    # Three places vary as drawn; the one that was 30 louder varies as much, about what is written.
    kept = hits.cell != 24
    np.testing.assert_array_equal(made[kept], drawn[kept])
    assert (made - written)[~kept].mean() == pytest.approx(7.0, abs=2.0)
    assert (made - drawn)[~kept].std() == 0.0


def test_full_scale_is_not_moved_down_as_one_velocity(profile):
    hits = Hits.of(np.arange(64.0), np.arange(64.0), np.ones(64, np.int64), Metre())
    made = learned._about_the_written(hits, np.full(64, 90.0), np.full(64, 127.0), DICE)
    assert made.std() > 3.0
    assert abs(made.mean() - 90.0) < 9.0


def test_soft_notes_stray_less_far(profile):
    wild = _with(profile, **{f"network_{n}": a for n, a in network_of(5, N_READ, N_HABITS, size=8.0).items()})
    part = _part(groove(32, velocity=20))
    louder = _play(part, wild, keep_accents=True).velocity - part.velocity
    assert np.abs(louder).max() == 14.0


def test_a_hit_stays_nearer_to_its_place_than_to_the_next():
    # Eighths at 120 bpm: 250 ms; one sixteenth among them: 125 ms.
    beat = np.sort(np.append(np.arange(32) / 2, 8.25))
    hits = Hits.of(beat, beat / 2, np.zeros(33, np.int64), Metre())
    wandering = 60.0 * np.sin(np.arange(33) / 8)
    np.testing.assert_allclose(learned._in_its_place(hits, wandering), wandering)
    off = wandering + np.where(beat == 8.25, 130.0, np.where(beat == 12.0, -140.0, 0.0))
    made = learned._in_its_place(hits, off)
    moved = beat == 8.25
    assert (made - wandering)[moved][0] == pytest.approx(0.45 * 125.0, abs=15.0)
    assert (made - wandering)[beat == 12.0][0] == pytest.approx(-0.45 * 250.0, abs=15.0)
    np.testing.assert_allclose(made[~moved & (beat != 12.0)], wandering[~moved & (beat != 12.0)])
    dense = Hits.of(np.arange(96) / 48, np.arange(96) / 96, np.zeros(96, np.int64), Metre())
    one = np.where(np.arange(96) == 50, 100.0, 0.0)
    assert learned._in_its_place(dense, one).max() == 20.0


def test_regenerated_accents_are_not_sought_by_the_written_ones(profile, monkeypatch):
    sought = []
    found = learned._listened_to
    monkeypatch.setattr(learned, "_listened_to", lambda hits, v, *a: sought.append(v) or found(hits, v, *a))
    part = _part(groove(8))
    _play(part, profile), _play(part, profile, keep_accents=True)
    assert np.ptp(sought[0]) == 0.0 < np.ptp(sought[1])


def test_what_is_written_at_full_scale_stays_there():
    hits = Hits.of(np.arange(400.0), np.arange(400.0), np.ones(400, np.int64), Metre())
    full = np.full(400, 127.0)
    np.testing.assert_array_equal(learned._about_the_written(hits, full, full, DICE), full)


def test_no_kept_accent_is_turned_into_another(profile):
    # A drummer whose network says now 1, now 127: the written accents stand all the same.
    wild = _with(profile, **{f"network_{n}": a for n, a in network_of(5, N_READ, N_HABITS, size=8.0).items()})
    part = _part(groove(32))
    own, kept = (_play(part, wild, keep_accents) for keep_accents in (False, True))
    assert np.ptp(own.velocity) == 126
    assert np.abs(kept.velocity - part.velocity).max() <= 40.0


def test_kept_accents_reach_the_network(profile):
    part = _part(groove(16))
    softer = _part([(b, d, p, v - 30 if p == 38 else v, t, c) for b, d, p, v, t, c in groove(16)])
    assert (_play(part, profile, True).timing_ms != _play(softer, profile, True).timing_ms).any()


def test_a_take_is_heard_as_loud_as_is_written():
    hits, prompt = (Hits.of(np.arange(float(n)), np.arange(float(n)), np.arange(n) % 2, Metre()) for n in (20, 30))
    accents, heard = np.where(hits.kind == 0, 60.0, 100.0), np.where(prompt.kind == 0, 90.0, 80.0)
    habits, moved = learned._as_loud_as(hits, accents, prompt, np.zeros(N_HABITS, np.float32), heard)
    np.testing.assert_array_equal(moved, np.where(prompt.kind == 0, 60.0, 100.0))
    assert learned.class_habits(habits)[:3, 0] * 32 == pytest.approx([-30.0, 20.0, 0.0])


def _flams(bars=8):
    """A snare with a grace stroke 20 ms before each, and three strokes of a roll on the tom."""
    near = 0.02 * 110 / 60
    rows = [row for row in groove(bars, velocity=80) if row[2] != 38]
    for bar in range(bars):
        rows += [(4.0 * bar + b - early, 0.05, 38, 80, 0, 9) for b in (1, 3) for early in (near, 0.0)]
        rows += [(4.0 * bar + 3.5 + k / 48, 0.02, 45, 80, 0, 9) for k in range(3)]
    return rows


def test_strokes_of_a_flam_move_as_one_and_lead_softly(profile):
    part = _part(_flams())
    made = _play(part, profile)
    follows = part.leader != np.arange(len(part))
    assert follows.sum() == 8 * 4
    np.testing.assert_array_equal(made.timing_ms, made.timing_ms[part.leader])
    assert (made.velocity[follows] <= made.velocity[part.leader][follows]).all()
    assert np.mean(made.velocity[follows] / made.velocity[part.leader][follows]) == pytest.approx(0.7, abs=0.15)
    played = perform(take_of(_flams()), profile, player="learned", seed=1).notes
    snare = np.flatnonzero(played.reference_pitch == 38)
    apart = np.diff(played.onset_s[snare][np.argsort(played.reference_onset_s[snare])])[::2]
    np.testing.assert_allclose(apart, 0.02, atol=1e-6)


def test_written_grace_notes_keep_their_difference(profile):
    rows = [(b, d, p, 50 if p == 38 and b % 1 else v, t, c) for b, d, p, v, t, c in _flams()]
    part = _part(rows)
    made = _play(part, profile)
    soft = (part.velocity == 50) & (part.leader != np.arange(len(part)))
    assert soft.sum() == 16
    np.testing.assert_array_equal(made.velocity[soft], np.maximum(made.velocity[part.leader][soft] - 30, 1))
    assert np.median(made.velocity[soft]) > 1


# ---------------------------------------------------------------- odd scores


def test_nothing_is_rendered_before_the_beginning(profile, tmp_path):
    take = take_of(groove(2))
    data = write_new_smf(None, take.notes, take.timeline, Metre(), ticks_per_beat=480)
    (tmp_path / "score.mid").write_bytes(data)
    score = load_take(tmp_path / "score.mid")
    early = network_of(3, N_READ, N_HABITS)
    early["near_b"][:2] = -4.0
    eager = _with(profile, **{f"network_{n}": a for n, a in early.items()})
    made = perform(score, eager, player="learned", seed=1)
    assert np.mean(made.notes.timing_ms < 0) > 0.3
    (tmp_path / "out.mid").write_bytes(render(score, made).data)
    out = load_take(tmp_path / "out.mid").notes
    assert len(out) == len(score.notes)
    assert out.onset_beat.min() >= 0.0


@pytest.mark.parametrize("keep_accents", [True, False])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_kit_of_hardly_a_hit(profile, n, keep_accents):
    take = take_of([(float(k), 0.25, 36, 80, 0, 9) for k in range(3)])
    part = Part.of("kit", True, take.notes, np.arange(n), take.timeline, Metre())
    _play(part, profile, keep_accents)


def test_one_hit_is_performed(profile):
    made = perform(take_of([(0, 1, 36, 80, 0, 9)]), profile, player="learned", seed=1)
    assert np.isfinite(made.notes.onset_s).all()


@pytest.mark.parametrize("metre", ["5/4", "7/8", "12/8", "255/1"])
def test_any_metre_is_played(profile, metre):
    made = _play(_part(groove(10), metre), profile)
    assert np.ptp(made.timing_ms) > 1.0


def test_tempo_changes_are_followed(profile):
    take = take_of(groove(8))
    clock = Timeline(np.array([0.0, 16.0, 32.0]), np.array([0.0, 16.0, 22.0]))
    notes = take.notes.replace(onset_s=clock.seconds_at(take.notes.onset_beat))
    part = Part.of("kit", True, notes, np.arange(len(notes)), clock, Metre())
    hits = Hits.of(part.beat, part.onset_s, np.zeros(len(part), np.int64), Metre())
    bpm = learned._tempo_at(hits, part)
    np.testing.assert_allclose(bpm[hits.beat < 13.5], 60.0)
    np.testing.assert_allclose(bpm[hits.beat > 18.5], 160.0)
    steady = _play(_part(groove(8), tempo_bpm=60.0), profile)
    assert (_play(part, profile).timing_ms != steady.timing_ms).any()


def test_an_hour_of_drums_does_not_run_away(profile):
    rows = groove(64)
    far = [(b + 256.0 * k, d, p, v, t, c) for k in range(26) for b, d, p, v, t, c in rows]
    part = _part(far)
    assert part.onset_s[-1] > 3600.0
    made = _play(part, profile)
    first, last = made.timing_ms[: len(rows)], made.timing_ms[-len(rows) :]
    assert np.abs(made.timing_ms).max() <= 150.0
    assert abs(first.mean() - last.mean()) < 3.0 * first.std()
    assert last.std() == pytest.approx(first.std(), rel=0.5)


def test_a_rest_of_years_costs_nothing(profile):
    made = _play(_part([*groove(2), *[(b + 4e8, d, p, v, t, c) for b, d, p, v, t, c in groove(2)]]), profile)
    assert np.ptp(made.timing_ms) > 1.0


def test_keys_outside_general_midi_are_struck_too(profile):
    rows = [(k / 4, 0.1, key, 80, 0, 9) for k, key in enumerate([0, 20, 34, 82, 100, 127, 36, 38])]
    assert np.ptp(_play(_part(rows), profile).timing_ms) > 0.1


def test_strokes_out_of_order_and_at_one_place_are_played(profile):
    rows = [(1.0, 0.1, key, 80, 0, 9) for key in range(35, 60)] + [(1.0, 0.1, 36, 80, 1, 9)]
    _play(_part(rows), profile)


# ---------------------------------------------------------------- damage


def _damaged_networks():
    whole = _network()
    for name in whole:
        layer = name.removeprefix("network_")
        yield f"{layer} missing", {n: a for n, a in whole.items() if n != name}
        yield f"{layer} longer", whole | {name: np.concatenate([whole[name]] * 2)}
    one = whole["network_trunk_w"].copy()
    one[0, 0] = np.nan
    yield "NaN", whole | {"network_trunk_w": one}
    yield "infinite", whole | {"network_trunk_w": np.full_like(one, np.inf)}
    yield "too large", whole | {"network_trunk_w": one.astype(np.float64) * 0 + 1e300}
    yield "text", whole | {"network_near_b": np.array(["a"] * 4)}
    yield "complex", whole | {"network_near_b": np.zeros(4, complex)}
    yield "empty", whole | {"network_mixture_w": np.zeros((4, 0)), "network_mixture_b": np.zeros(0)}
    yield "a number", whole | {"network_near_b": np.array(1.0)}
    yield "another name", whole | {"network_habits_w": whole["network_near_w"]}
    wider = network_of(3, N_READ + 1, N_HABITS)
    yield "for more context", {f"network_{n}": a for n, a in wider.items()}
    for name in ("skip_b", "velocity_b"):
        both = {f"network_{name[:-1]}{k}": whole[f"network_{name[:-1]}{k}"][..., :-1] for k in "wb"}
        yield f"{name} shorter with its weights", whole | both
    layers = [f"network_{n}_{k}" for n in ("skip", "velocity") for k in "wb"]
    yield "half a blend", whole | {name: whole[name][..., :-1] for name in layers}
    fewer = network_of(3, N_READ, N_HABITS - 9)
    yield "for fewer habits", {f"network_{n}": a for n, a in fewer.items()}


def test_damaged_networks_are_refused(profile):
    part = _part(groove(1))
    plain = {n: a for n, a in profile.arrays.items() if not n.startswith("network_")}
    for said, arrays in _damaged_networks():
        broken = dataclasses.replace(profile, arrays=plain | arrays)
        with pytest.raises(TakeprintError) as told:
            learned.play(part, broken, DICE)
        assert "the network's array" in str(told.value), said
        assert "profile 'd'" in str(told.value), said


def test_perform_refuses_damage_in_one_clear_line(profile):
    broken = _with(profile, network_near_b=np.zeros(1))
    with pytest.raises(TakeprintError, match="near_b") as told:
        perform(take_of(groove(1)), broken, player="learned")
    assert "\n" not in str(told.value)
    with pytest.raises(TakeprintError):
        perform(take_of(groove(1)), _with(profile, kit_kind=profile.arrays["kit_kind"] + 50), player="learned")


def test_damaged_takes_are_refused(profile):
    part = _part(groove(1))
    for name in ("kit_habits", "kit_bpm", "kit_kind"):
        broken = _with(profile, **{name: profile.arrays[name][:-1]})
        with pytest.raises(TakeprintError, match="no sound takes"):
            learned.play(part, broken, DICE)
