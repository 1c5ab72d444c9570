"""The keyboard player: what was planted in a pianist's takes comes out of the player fitted to them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from takeprint.analysis.fit import fit
from takeprint.analysis.keyboard_model import arrays_are_sound, keyboard_arrays, keyboard_words, played_of
from takeprint.analysis.measure import measure
from takeprint.analysis.verbatim import verbatim_blocks
from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Metre
from takeprint.humanize import perform
from takeprint.humanize.players import keyboard
from takeprint.humanize.players.figures import check_figures
from takeprint.humanize.players.part import Dice, Part

from .made_scores import chorale, groove, take_of

DICE = Dice(1, "score", "it")


def _pianist(seed, bars=24, lead_ms=25.0, louder=15.0, held=0.5, start=0):
    """Return (score, take) of a pianist whose top voice leads and is louder, and who holds half of what is written."""
    rng = np.random.default_rng(seed)
    score = take_of([(b, d, p + (i * 7) % 5, 64, t, c) for i, (b, d, p, _, t, c) in enumerate(chorale(bars))])
    notes = score.notes
    beat = notes.onset_beat
    top = np.array([p == notes.pitch[beat == b].max() for b, p in zip(beat, notes.pitch, strict=True)])
    slow = np.interp(beat, np.arange(0, 4 * bars + 8, 8.0), rng.normal(0, 20, len(np.arange(0, 4 * bars + 8, 8.0))))
    late_ms = slow + rng.normal(0, 5, len(beat)) - lead_ms * (top & np.isin(beat, np.floor(beat)))
    velocity = np.clip(np.rint(60 + louder * top + rng.normal(0, 3, len(beat))), 1, 127)
    played = notes.replace(
        onset_s=notes.onset_s + 1.0 + late_ms / 1000.0,
        duration_s=notes.duration_s * held * 2.0 ** rng.normal(0, 0.1, len(beat)),
        velocity=velocity,
    )
    order = np.lexsort((played.pitch, played.onset_s))
    name = f"played {seed}"
    return score, dataclasses.replace(score, name=name, sha256=name, notes=played.rows(order), duration_s=200.0)


@pytest.fixture(scope="module")
def takes():
    return [measure(take, against=score) for score, take in (_pianist(seed) for seed in (1, 2))]


@pytest.fixture(scope="module")
def profile(takes):
    return fit(takes, name="planted", kind="keyboard")


def _other_music():
    return take_of(
        [(b * 1.0, d, p, 64, 0, 0) for b in range(200) for d, p in ((1.0, 45 + b % 3), (1.0, 60), (1.0, 70 + b % 7))]
    )


def _top(notes):
    return np.array(
        [
            p == notes.reference_pitch[notes.reference_beat == b].max()
            for b, p in zip(notes.reference_beat, notes.reference_pitch, strict=True)
        ]
    )


def test_the_melody_leads_and_is_louder_and_notes_are_as_short_as_planted(profile):
    rows = [(b, d, p + 2 + (i * 7) % 5, 64, t, c) for i, (b, d, p, _, t, c) in enumerate(chorale(40))]
    played = perform(take_of(rows), profile, seed=3, keep_accents=False).notes
    top, on_beat = _top(played), played.reference_beat % 1.0 == 0.0
    assert np.mean(played.timing_ms[top & on_beat]) - np.mean(played.timing_ms[~top]) == pytest.approx(-25.0, abs=5.0)
    assert np.mean(played.velocity[top]) - np.mean(played.velocity[~top]) == pytest.approx(15.0, abs=5.0)
    assert np.median(played.articulation_log2) == pytest.approx(-1.0, abs=0.2)


def test_the_melody_leads_and_notes_are_short_in_music_of_another_texture_too(profile):
    # How much louder it is there hangs on few takes' chance: two takes of one texture do not tell it.
    played = perform(_other_music(), profile, seed=3, keep_accents=False).notes
    top = _top(played)
    assert np.mean(played.timing_ms[top]) - np.mean(played.timing_ms[~top]) == pytest.approx(-25.0, abs=10.0)
    assert np.median(played.articulation_log2) == pytest.approx(-1.0, abs=0.2)


def test_perform_takes_this_player_and_says_so(profile):
    told = perform(_other_music(), profile, seed=3).reference["player"]
    assert [part["player"] for part in told["parts"].values()] == ["keyboard"]
    assert "in 2 takes" in profile.card["keyboard_player"]


def test_the_same_seed_plays_the_same_and_another_something_else(profile):
    first, again, other = (perform(_other_music(), profile, seed=s).notes.timing_ms for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1.0


def test_nothing_is_copied_to_the_tick(takes, profile):
    score, _ = _pianist(1)
    made = perform(score, profile, seed=1, keep_accents=False)
    made = made.replace(notes=made.notes.replace(velocity=np.rint(made.notes.velocity)))
    assert verbatim_blocks(takes, [made])["verbatim_blocks"] == 0


def test_a_profile_survives_its_file(profile, tmp_path):
    profile.save(tmp_path / "p.json")
    from takeprint.core.profile import Profile

    again = perform(_other_music(), Profile.load(tmp_path / "p.json"), seed=5)
    np.testing.assert_array_equal(again.notes.timing_ms, perform(_other_music(), profile, seed=5).notes.timing_ms)


def test_keeping_accents_adds_no_expected_loudness(profile):
    kept = perform(_other_music(), profile, seed=3, keep_accents=True).notes
    top = kept.reference_pitch >= 70
    assert abs(np.mean(kept.velocity[top]) - np.mean(kept.velocity[~top])) < 15.0 / 2


def test_a_take_without_a_score_plays_without_articulation():
    _, take = _pianist(4, bars=12)
    alone = fit(measure(take, click=110.0), kind="keyboard")
    assert "no lengths were written" in alone.card["keyboard_player"]
    assert not perform(_other_music(), alone, seed=1).notes.articulation_log2.any()


def test_too_little_gives_no_arrays_and_says_so():
    _, take = _pianist(4, bars=12)
    few = measure(take, click=110.0)
    few = few.replace(notes=few.notes.rows(slice(0, 10)))
    assert played_of(few) is None
    assert keyboard_arrays([few]) == {}
    assert keyboard_words({}).startswith("none:")


def test_a_kit_is_not_played_and_refused_in_words(profile):
    take = take_of(groove(4))
    kit = Part.of("kit", True, take.notes, np.arange(len(take.notes)), take.timeline, Metre())
    assert not keyboard.can_play(profile, kit)
    with pytest.raises(TakeprintError, match="has no keyboard player"):
        keyboard.play(kit, profile, DICE)


def test_bars_are_as_long_as_their_lines_are_apart(profile):
    take = take_of([(b * 0.5, 0.5, 60 + b % 12, 64, 0, 0) for b in range(60)])
    part = Part.of("it", False, take.notes, np.arange(60), take.timeline, Metre.parse("3/4"))
    written = keyboard.written_of(part)
    assert set(written.bar_beats.tolist()) == {3.0}
    np.testing.assert_allclose(written.bpm, 110.0)
    assert np.isfinite(keyboard.invent(profile.arrays, written, DICE)).all()


def test_a_single_note_can_be_played(profile):
    made = perform(take_of([(0, 1, 60, 64, 0, 0)]), profile, seed=1)
    assert np.isfinite(made.notes.onset_s).all()


def _log2_of_another_machine(seed):
    """Return a log2 that is off by up to one in the last bit, as another mathematical library's may be."""
    rng, log2 = np.random.default_rng(seed), np.log2

    def other(values):
        out = np.asarray(log2(values))
        return np.where(out == np.rint(out), out, np.nextafter(out, rng.choice([-np.inf, np.inf], out.shape)))

    return other


def test_a_player_fitted_to_steady_music_plays_alike_on_machines_whose_logarithms_differ(monkeypatch):
    steady = [measure(_pianist(seed, bars=16)[1], click=110.0) for seed in (1, 2)]
    profile = fit(steady, name="steady", kind="keyboard")
    here = [perform(_other_music(), profile, seed=s, keep_accents=False).notes for s in range(3)]
    for machine in range(2):
        monkeypatch.setattr(np, "log2", _log2_of_another_machine(machine))
        there = [perform(_other_music(), profile, seed=s, keep_accents=False).notes for s in range(3)]
        monkeypatch.undo()
        for a, b in zip(here, there, strict=True):
            np.testing.assert_allclose(a.timing_ms, b.timing_ms, rtol=0, atol=1e-6)
            np.testing.assert_allclose(a.velocity, b.velocity, rtol=0, atol=1e-6)


def test_what_fit_makes_is_sound(takes, profile):
    assert arrays_are_sound(profile.arrays)
    _, take = _pianist(4, bars=12)
    assert arrays_are_sound(keyboard_arrays([measure(take, click=110.0)]))
    assert arrays_are_sound(keyboard_arrays(takes, memory=False))


def _with(array, at, value):
    out = array.copy()
    out[at] = value
    return out


DAMAGES = {
    "short memory": ("keys.memory", lambda v: v[:, :4]),
    "tiny memory": ("keys.memory", lambda v: v[:1, :1, :1]),
    "wild memory": ("keys.memory", lambda v: v * 0 + 50),
    "one NaN": ("keys.fresh", lambda v: _with(v, (3, 1), np.nan)),
    "infinite": ("keys.like", lambda v: _with(v, (0, 0), np.inf)),
    "fewer notes": ("keys.fresh", lambda v: v[:50]),
    "fewer channels": ("keys.moment", lambda v: v[:, :3]),
    "narrow likeness": ("keys.like", lambda v: v[:, :3]),
    "takes without style": ("keys.take", lambda v: v + 100),
    "negative take": ("keys.take", lambda v: v - 1),
    "takes out of order": ("keys.take", lambda v: v[::-1]),
    "takes as fractions": ("keys.take", lambda v: v + 0.5),
    "words": ("keys.beat", lambda v: v.astype(str)),
    "beats backwards": ("keys.beat", lambda v: v[::-1]),
    "one moment for all": ("keys.beat", lambda v: v * 0),
    "fewer moments": ("keys.take_of_moment", lambda v: v[:-5]),
    "moments of another take": ("keys.take_of_moment", lambda v: v * 0),
    "short pace": ("keys.pace", lambda v: v[:2]),
    "short style": ("keys.style", lambda v: v[:, :2]),
    "unknown column": ("keys.loud.mean.column", lambda v: v + 90),
    "negative column": ("keys.loud.mean.column", lambda v: v - 90),
    "no mean": ("keys.loud.size.mean", lambda v: v[:0]),
    "fewer values": ("keys.loud.mean.value", lambda v: v[:, :2]),
    "fewer tables": ("keys.loud.mean.value", lambda v: v[:-1]),
    "fewer thresholds": ("keys.loud.mean.threshold", lambda v: v[:, :1]),
    "threshold NaN": ("keys.loud.mean.threshold", lambda v: v * np.nan),
    "sizes without end": ("keys.together.size.mean", lambda v: v + 1000),
    "units without end": ("keys.together.unit.mean", lambda v: v + 1000),
    "flat table": ("keys.together.unit.value", lambda v: v.ravel()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_arrays_are_refused_in_words(profile, damage):
    key, change = DAMAGES[damage]
    arrays = {**profile.arrays, key: change(profile.arrays[key])}
    with pytest.raises(TakeprintError, match=r"'planted'.*keyboard player are damaged"):
        perform(_other_music(), dataclasses.replace(profile, arrays=arrays), seed=1)


def test_missing_arrays_are_refused_in_words(profile):
    keys = [key for key in profile.arrays if key.startswith("keys.")]
    assert len(keys) > 40
    for key in keys:
        arrays = {k: v for k, v in profile.arrays.items() if k != key}
        with pytest.raises(TakeprintError, match="keyboard player are damaged"):
            check_figures(dataclasses.replace(profile, arrays=arrays))


def test_profiles_from_before_there_were_units_still_play(profile):
    arrays = {k: v for k, v in profile.arrays.items() if ".unit." not in k}
    check_figures(dataclasses.replace(profile, arrays=arrays))
