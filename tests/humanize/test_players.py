from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from takeprint.analysis.fit import fit
from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Metre
from takeprint.humanize import perform
from takeprint.humanize.players import donor, parametric
from takeprint.humanize.players.part import Dice, Part, SlotTable, Voices, known_voices
from takeprint.humanize.profiles import load

from .made_scores import chorale, groove, planted, take_of


def part_of(rows, drums) -> Part:
    take = take_of(rows)
    return Part.of("it", drums, take.notes, np.arange(len(take.notes)), take.timeline, Metre())


DICE = Dice(1, "score", "it")


def test_slot_table_falls_back_step_by_step():
    table = SlotTable([("kick", 0, 5.0, 10.0), ("kick", 12, 7.0, 30.0), ("kick", 6, 1.0, 10.0)])
    found = table.at(Voices(("kick", "snare"), np.array([0, 0, 0, 0, 1])), np.array([0, 24, 6, 3, 0]))
    # A beat never heard: the mean of the beats; a place never heard: the mean of the instrument; nothing: 0.
    assert found.tolist() == [5.0, (50 + 210) / 40, 1.0, (50 + 210 + 10) / 50, 0.0]


def test_an_unheard_instrument_gets_the_most_alike():
    part = part_of([(0, 1, 51, 90, 0, 9), (1, 1, 36, 90, 0, 9), (2, 1, 56, 90, 0, 9)], True)
    assert known_voices(part, ["hat", "kick"]).text.tolist() == ["hat", "kick", "hat"]
    assert known_voices(part, ["tom"]).text.tolist() == ["*", "*", "*"]


def test_clock_has_the_profile_s_exponent():
    profile = planted()
    profile.model["timing"]["clock"]["beta"] = 1.4
    part = part_of([(k / 2, 0.25, 42, 90, 0, 9) for k in range(4096)], True)
    powers = []
    for seed in range(8):
        x = parametric.play(part, profile, Dice(seed, "score", "kit")).clock_ms
        powers.append(np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x)))) ** 2)
    f = np.fft.rfftfreq(len(part))
    rows = (f > 0.002) & (f < 0.4)
    slope = np.polyfit(np.log(f[rows]), np.log(np.mean(powers, axis=0)[rows]), 1)[0]
    assert slope == pytest.approx(-1.4, abs=0.08)


def test_a_moment_s_strokes_differ_by_their_asynchrony_only():
    profile = planted()
    for voice in profile.model["timing"]["voices"].values():
        voice["asynchrony"] = 0.0
    profile.model["timing"]["coupling"]["ms_per_velocity"] = 0.0
    part = part_of(groove(16), True)
    made = parametric.play(part, profile, DICE)
    means = {"hat": 0.0, "kick": -6.0, "snare": 8.0}
    left = made.timing_ms - np.array([means[v] for v in part.voices.text])
    for group in np.unique(part.group):
        assert np.ptp(left[part.group == group]) == pytest.approx(0.0, abs=1e-9)


def test_donor_gives_measured_residuals_in_the_order_they_were_played():
    source = perform(take_of(groove(16)), planted(), seed=4)
    profile = fit(source)
    part = part_of(groove(16), True)
    made = donor.play(part, profile, DICE)
    real = source.notes.timing_ms
    # Template and residual come from one cell: their sum is a deviation that was measured, to the stored 1/16 ms.
    near = np.abs(made.timing_ms[:, None] - real[None, :]).min(axis=1)
    assert near.max() < 0.05
    # Kick and hat of one moment were measured in one moment.
    pairs = set()
    for beat in np.unique(source.notes.reference_beat):
        rows = np.flatnonzero(source.notes.reference_beat == beat)
        pairs.add(tuple(np.round(np.sort(real[rows]), 1)))
    heard = [tuple(np.round(np.sort(made.timing_ms[part.group == g]), 1)) for g in np.unique(part.group)]
    known = sum(any(np.allclose(h, p, atol=0.15) for p in pairs if len(p) == len(h)) for h in heard)
    assert known == len(heard)


def test_donor_serves_instruments_and_places_it_never_heard():
    profile = fit(perform(take_of(groove(8)), planted(), seed=4))
    part = part_of([(k / 3, 0.2, p, 80, 0, 9) for k in range(48) for p in (36, 51, 75)], True)
    made = donor.play(part, profile, DICE)
    assert np.isfinite(made.timing_ms).all()
    assert np.isfinite(made.velocity).all()
    assert made.timing_ms.std() > 3.0


@pytest.mark.parametrize("bars", [1, 2, 3])
def test_a_short_donor_runs_round(bars):
    profile = fit(perform(take_of(groove(bars)), planted(), seed=4))
    part = part_of(groove(20), True)
    made = donor.play(part, profile, DICE)
    assert len(made.timing_ms) == len(part)
    assert np.isfinite(made.timing_ms).all()


def test_donor_blocks_of_a_melodic_take():
    source = perform(take_of(chorale(32)), "piano-plain", seed=4)
    profile = fit(source)
    part = part_of(chorale(16), False)
    made = donor.play(part, profile, DICE)
    assert made.timing_ms.std() == pytest.approx(source.notes.timing_ms.std(), rel=0.35)
    assert np.median(made.articulation_log2) == pytest.approx(np.median(source.notes.articulation_log2), abs=0.05)
    # Chord notes come from one donor chord: the louder top leads in the copy as in the take.
    top = (part.pitch >= 72) & (part.beat % 1 == 0)
    assert made.timing_ms[top].mean() < made.timing_ms[part.pitch < 72].mean() - 15.0


def test_donor_takes_differ_with_the_seed():
    part = part_of(groove(16), True)
    profile = load("drums-rock")
    made = [donor.play(part, profile, Dice(seed, "score", "kit")).timing_ms for seed in range(4)]
    assert len({m.tobytes() for m in made}) == 4


def test_donor_refuses_what_it_cannot_play():
    part = part_of(groove(4), True)
    with pytest.raises(TakeprintError, match="parametric"):
        donor.play(part, load("piano-plain"), DICE)
    empty = dataclasses.replace(load("drums-rock"), arrays={})
    with pytest.raises(TakeprintError, match="donor rows"):
        donor.play(part, empty, DICE)


def test_no_donor_is_said():
    d = perform(take_of(chorale(4)), "piano-plain", player="donor")
    assert any("parametric" in said for said in d.warnings)
