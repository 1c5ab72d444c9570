"""Players who listen to each other: the coupling's effect, its limits, and the kernel against its twin."""

import numpy as np
import pytest

from takeprint.analysis import ensemble
from takeprint.analysis.ensemble import PartTimes, ensemble_of
from takeprint.analysis.ensemble_statistics import lagged_correlation
from takeprint.core.errors import TakeprintError
from takeprint.core.kernels.coupled_clocks import coupled_clocks
from takeprint.core.notes import Notes
from takeprint.core.timeline import Metre, Timeline
from takeprint.humanize import Controls, perform
from takeprint.humanize.ensemble import Coupling, couple, role_of
from takeprint.humanize.players.part import Dice, Invented, Part
from tests.naive.coupled_clocks import coupled_clocks as twin

CLOCK = Timeline.constant(120.0)
DICE = Dice(7, "song", "ensemble")


def part(name, beat, pitch, *, drums=False, instrument=None):
    beat = np.asarray(beat, dtype=float)
    notes = Notes.build(
        len(beat),
        onset_s=CLOCK.seconds_at(beat),
        onset_beat=beat,
        duration_beat=np.full(len(beat), 0.2),
        pitch=np.broadcast_to(np.asarray(pitch, dtype=float), beat.shape),
        velocity=np.full(len(beat), 80.0),
        instrument=np.broadcast_to(np.asarray(instrument or "", dtype=str), beat.shape),
    )
    return Part.of(name, drums, notes, np.arange(len(beat)), CLOCK, Metre())


def alone(of, seed, sd_ms=10.0, memory=0.6):
    """What a player plays alone: a clock with memory, shared within a moment, and a texture of each note's own."""
    rng = np.random.default_rng(seed)
    n = int(of.group.max()) + 1
    clock = np.zeros(n)
    for k in range(1, n):
        clock[k] = memory * clock[k - 1] + np.sqrt(1.0 - memory**2) * rng.standard_normal()
    clock = sd_ms * clock[of.group]
    return Invented(
        timing_ms=clock + rng.standard_normal(len(of)),
        velocity=rng.standard_normal(len(of)),
        articulation_log2=np.zeros(len(of)),
        clock_ms=clock,
        absolute=False,
    )


def band(bars=64):
    eighths = np.arange(0.0, 4.0 * bars, 0.5)
    kit = np.where(np.arange(len(eighths)) % 4 == 0, "kick", "hat")
    hats = part("kit", eighths, np.where(kit == "kick", 36, 42), drums=True, instrument=kit.tolist())
    return [
        hats,
        part("program 33", eighths[::2], 40),
        part("program 0", np.repeat(eighths, 2), [60, 64] * len(eighths)),
    ]


def correlations(parts, played):
    """Correlation at one moment, mean over the pairs."""
    out = []
    for i, (a, x) in enumerate(zip(parts, played, strict=True)):
        for b, y in list(zip(parts, played, strict=True))[i + 1 :]:
            _, ia, ib = np.intersect1d(a.group_beat, b.group_beat, return_indices=True)
            first, second = x.clock_ms[a.group_first][ia], y.clock_ms[b.group_first][ib]
            out.append(lagged_correlation(first, second)[4])
    return np.array(out)


def test_the_kernel_is_its_twin():
    rng = np.random.default_rng(1)
    for _ in range(20):
        players = int(rng.integers(1, 5))
        played = rng.random((30, players)) < 0.6
        moment, player = np.nonzero(played)
        _, moment = np.unique(moment, return_inverse=True)
        beat = np.cumsum(rng.random(30))[np.nonzero(played)[0]]
        n = len(moment)
        said = (
            moment, player, rng.standard_normal(n), (rng.random(n) < 0.3).astype(float), beat, rng.random(players),
            rng.random((players, players)) * (rng.random((players, players)) < 0.8), rng.random(players),
            rng.random(players), rng.random(players), rng.random(players),
        )  # fmt: skip
        assert coupled_clocks(*said) == pytest.approx(np.array(twin(*said)), abs=1e-9)


def test_the_kernel_on_nothing_and_on_one():
    none, one, whole = np.zeros(0), np.ones(1), np.zeros(0, dtype=np.int64)
    settings = (one, np.ones((1, 1)), one, one, one, one)
    assert len(coupled_clocks(whole, whole, none, none, none, *settings)) == 0
    clock, alone = np.array([1.0, -2.0, 3.0]), np.zeros(3, dtype=np.int64)
    found = coupled_clocks(np.arange(3), alone, clock, np.zeros(3), np.arange(3.0), *settings)
    assert found.tolist() == [1.0, -2.0, 3.0]


def test_two_players_worked_out_by_hand():
    moment, player = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    clock, beat = np.array([8.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
    half, none = np.full(2, 0.5), np.zeros(2)
    found = coupled_clocks(
        moment, player, clock, np.zeros(4), beat, np.ones(2), np.ones((2, 2)), none, half, half, half
    )
    # Each comes half of the way to their mean, 4; half of what is left is taken back, and half of that fades in a beat.
    assert found[:2].tolist() == [6.0, 2.0]
    # They mean to play -0.5 and 0.5 and come half of the way again.
    assert found[2:].tolist() == [-0.25, 0.25]


def test_they_listen_and_keep_their_own_spread():
    parts = band()
    made = [alone(p, i) for i, p in enumerate(parts)]
    played = couple(parts, made, DICE)
    assert np.abs(correlations(parts, made)).max() < 0.2
    assert correlations(parts, played).mean() > 0.15
    together = couple(parts, made, DICE, Coupling(push=0.0))
    assert correlations(parts, together).mean() > 0.2
    for p, before, after in zip(parts, made, played, strict=True):
        first = p.group_first
        assert after.clock_ms[first].std() == pytest.approx(before.clock_ms[first].std(), rel=1e-9)
        # Velocity, articulation and what notes of one moment have of their own stay.
        assert (after.velocity == before.velocity).all()
        own = after.timing_ms - p.group_mean(after.timing_ms)
        assert own == pytest.approx(before.timing_ms - p.group_mean(before.timing_ms), abs=1e-9)


def test_more_listening_more_together_and_none_at_all():
    parts = band()
    made = [alone(p, i) for i, p in enumerate(parts)]
    found = [
        correlations(parts, couple(parts, made, DICE, Coupling(amount=a, push=0.0))).mean() for a in (0.2, 0.5, 1.0)
    ]
    assert (np.diff(found) > 0.05).all()
    untouched = couple(parts, made, DICE, Coupling(amount=0.0))
    assert all(a is b for a, b in zip(untouched, made, strict=True))


def test_one_player_alone_is_untouched():
    one = band()[2]
    made = alone(one, 0)
    assert couple([one], [made], DICE)[0] is made
    assert couple([], [], DICE) == []


def test_players_who_never_meet_move_only_by_what_they_hear():
    first, second = part("program 0", np.arange(0.0, 64.0), 60), part("program 1", np.arange(0.5, 64.0), 60)
    made = [alone(first, 0), alone(second, 1)]
    played = couple([first, second], made, DICE, Coupling(push=0.0))
    assert all(np.isfinite(p.timing_ms).all() for p in played)


def test_the_same_seed_the_same_playing_and_another_another():
    parts = band()
    made = [alone(p, i) for i, p in enumerate(parts)]
    a, b = couple(parts, made, DICE), couple(parts, made, DICE)
    c = couple(parts, made, Dice(8, "song", "ensemble"))
    assert all((x.timing_ms == y.timing_ms).all() for x, y in zip(a, b, strict=True))
    assert any((x.timing_ms != y.timing_ms).any() for x, y in zip(a, c, strict=True))


def measured(parts, played):
    """Return the ensemble statistics of what was played."""
    beats = np.unique(np.concatenate([p.group_beat for p in parts]))
    late = np.full((len(beats), len(parts)), np.nan)
    for i, (p, made) in enumerate(zip(parts, played, strict=True)):
        late[np.searchsorted(beats, p.group_beat), i] = made.clock_ms[p.group_first]
    return ensemble_of(PartTimes(tuple(p.name for p in parts), beats, late, Metre()))


def test_a_named_leader_leads_and_is_measured_to():
    parts = band(128)
    made = [alone(p, 10 + i) for i, p in enumerate(parts)]
    for leader in ("program 0", "program 33"):
        played = couple(parts, made, DICE, Coupling(leader=leader, correction=0.3, push=0.0))
        found = measured(parts, played)
        for other in {p.name for p in parts} - {leader}:
            pair = found.pair(leader, other)
            lead = pair["lead"] if pair["first"] == leader else -pair["lead"]
            assert lead > 0.05, (leader, other)
    with pytest.raises(TakeprintError, match="leader="):
        couple(parts, made, DICE, Coupling(leader="the singer"))


def test_the_bass_is_tied_to_the_kick():
    parts = band(128)
    made = [alone(p, 20 + i) for i, p in enumerate(parts)]
    apart = []
    for tie in (0.0, 10.0):
        kit, bass, _ = couple(parts, made, DICE, Coupling(kick_tie=tie, push=0.0))
        is_kick = parts[0].voices.text == "kick"
        at = np.searchsorted(parts[1].beat, parts[0].beat[is_kick])
        apart.append((kit.clock_ms[is_kick] - bass.clock_ms[at]).std())
    assert apart[1] < 0.98 * apart[0]


def test_push_and_drag_from_section_to_section():
    parts = band(128)
    still = [alone(p, 30 + i, sd_ms=3.0, memory=0.0) for i, p in enumerate(parts)]
    played = couple(parts, still, DICE, Coupling(push=2.5, anticipation=0.0, correction=0.0))
    found = measured(parts, played)
    pushes = np.array([[s["parts"][p.name]["push_ms"] for p in parts] for s in found.sections])
    assert pushes.std(axis=0).min() > 1.5
    calm = measured(parts, couple(parts, still, DICE, Coupling(push=0.0, anticipation=0.0, correction=0.0)))
    calm = np.array([[s["parts"][p.name]["push_ms"] for p in parts] for s in calm.sections])
    assert calm.std(axis=0).max() < 1.0


def test_who_plays_like_a_machine_goes_on_so_and_is_followed():
    parts = band()
    made = [alone(p, i) for i, p in enumerate(parts)]
    still = np.zeros(len(parts[0]))
    made[0] = Invented(still, still, still, still, False)
    played = couple(parts, made, DICE)
    assert (played[0].timing_ms == 0.0).all()
    assert (played[1].timing_ms != made[1].timing_ms).any()


def test_ornaments_move_with_their_hit():
    beat = np.sort(np.concatenate([np.arange(0.0, 64.0), np.arange(3.0, 64.0, 4.0) - 0.03]))
    kit = part("kit", beat, 38, drums=True, instrument="snare")
    assert (kit.leader != np.arange(len(kit))).any()
    bass = part("program 33", np.arange(0.0, 64.0), 40)
    made = [alone(kit, 0), alone(bass, 1)]
    played = couple([kit, bass], made, DICE)
    shift = played[0].timing_ms - made[0].timing_ms
    assert shift == pytest.approx(shift[kit.leader], abs=1e-12)


def test_roles_by_program_and_by_pitch():
    beat = np.arange(8.0)
    assert role_of(part("kit", beat, 36, drums=True)) == "kit"
    assert role_of(part("program 38", beat, 72)) == "bass"
    assert role_of(part("program 0", beat, 30)) == "other"
    assert role_of(part("track 3", beat, 40)) == "bass"
    assert role_of(part("track 3", beat, 60)) == "other"
    assert role_of(part("other sounds", beat, np.nan)) == "other"


@pytest.mark.parametrize(
    "wrong",
    [{"amount": -1.0}, {"anticipation": 1.5}, {"keep": float("nan")}, {"section_bars": 0}, {"heed": {"kit": -1}}],
)
def test_settings_out_of_limits_are_refused(wrong):
    with pytest.raises(TakeprintError):
        Coupling(**wrong)


def song(format_number=1, kinds=("kit", "bass", "keys")):
    """A small song as a MIDI file: a drum kit, a bass and a piano, each on a track of its own."""
    from takeprint.core.smf import read_smf, write_new_smf
    from takeprint.core.take import take_of_smf

    eighths = np.arange(0.0, 128.0, 0.5)
    players = {
        "kit": (9, eighths, np.where(np.arange(len(eighths)) % 4 == 0, 36, 42)),
        "bass": (1, eighths[::2], np.full(len(eighths) // 2, 40)),
        "keys": (0, eighths, np.full(len(eighths), 64)),
    }
    channel, beat, pitch = (
        np.concatenate([np.broadcast_to(players[k][i], players[k][1].shape) for k in kinds]) for i in range(3)
    )
    notes = Notes.build(
        len(beat),
        onset_s=CLOCK.seconds_at(beat),
        duration_s=np.full(len(beat), 0.1),
        onset_beat=beat,
        duration_beat=np.full(len(beat), 0.2),
        pitch=pitch,
        velocity=70.0 + 20.0 * (beat % 2.0 == 0.0),
        track=channel,
        channel=channel,
    )
    data = bytearray(write_new_smf(None, notes, CLOCK, Metre(), ticks_per_beat=960))
    data[9] = format_number
    return take_of_smf(read_smf(bytes(data)), "song.mid")


def test_a_performed_song_is_an_ensemble_and_one_part_is_not():
    apart, together = (perform(song(), seed=5, controls=Controls(ensemble=a)) for a in (0.0, 1.0))
    found = [ensemble(d) for d in (apart, together)]
    kit = [[p["correlation"][4] for p in e.pairs if "kit" in (p["first"], p["second"])] for e in found]
    assert np.mean(kit[1]) > np.mean(kit[0]) + 0.1
    for kinds in (("kit",), ("keys",)):
        one = [perform(song(kinds=kinds), seed=5, controls=Controls(ensemble=a)) for a in (0.0, 1.0)]
        assert (one[0].notes.onset_s == one[1].notes.onset_s).all()


def test_sequences_of_a_format_2_file_never_meet():
    apart, together = (perform(song(2), seed=5, controls=Controls(ensemble=a)) for a in (0.0, 1.0))
    assert (apart.notes.onset_s == together.notes.onset_s).all()
