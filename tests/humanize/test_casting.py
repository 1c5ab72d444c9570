"""Who plays what: the best player that a profile can feed, and words where that is not the one asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from takeprint.core.deviations import Deviations
from takeprint.humanize import casting, perform
from takeprint.humanize.players.part import Invented

from .made_scores import chorale, groove, planted, take_of


@pytest.fixture
def band():
    return take_of(groove(4) + chorale(4))


def stub(kind, shift_ms):
    """Return a learned player of one kind of part, whose playing is known."""

    def play(part, profile, dice, *, keep_accents=True):
        n = len(part)
        timing = np.where(np.arange(n) % 2 == 0, shift_ms, -shift_ms)
        timing = timing[part.group[part.leader]] if part.drums else timing[part.group]
        return Invented(timing, np.zeros(n), np.zeros(n), np.zeros(n), False)

    return SimpleNamespace(can_play=lambda profile, part: part.drums == (kind == "drums"), play=play)


def players(d):
    return {name: part["player"] for name, part in d.reference["player"]["parts"].items()}


def test_auto_takes_a_learned_player_before_the_donor(band, monkeypatch):
    monkeypatch.setattr(casting, "_learned", {"learned": stub("drums", 7.0), "keyboard": stub("keys", 3.0)}.get)
    d = perform(band, "piano-plain", drums="drums-rock", seed=1)
    assert players(d) == {"kit": "learned", "track 1": "keyboard"}
    assert set(players(perform(band, "piano-plain", drums="drums-rock", player="donor")).values()) == {
        "donor",
        "parametric",
    }
    assert set(players(perform(band, "piano-plain", drums="drums-rock", player="parametric")).values()) == {
        "parametric"
    }
    mixed = perform(band, "piano-plain", drums="drums-rock:1,drums-funk:1", player="learned")
    assert players(mixed)["kit"] == "learned"


def test_without_a_learned_player_the_next_best_plays_and_says_so(band, monkeypatch):
    monkeypatch.setattr(casting, "_learned", lambda name: None)
    d = perform(band, "drums-rock", player="learned")
    assert players(d)["kit"] == "donor"
    assert any("no learned player" in said and "donor player plays" in said for said in d.warnings)
    d = perform(band, planted(), player="donor")
    assert players(d)["kit"] == "parametric"
    assert any("no donor's bars" in said for said in d.warnings)
    assert not any("learned" in said for said in perform(band, "drums-rock").warnings)


def test_like_what_was_measured_of_a_recording_gets_velocities(band):
    source = perform(take_of(groove(16)), planted(), seed=9)
    rows = source.notes
    level_db = 40.0 * np.log10(rows.velocity / 64.0) - 20.0
    unknown = np.full(len(rows), np.nan)
    heard = source.replace(
        notes=rows.replace(
            velocity=unknown,
            dynamics_velocity=unknown,
            reference_velocity=unknown,
            level_db=level_db,
            dynamics_db=40.0 * np.log10(np.clip(64.0 + rows.dynamics_velocity, 1, 127) / 64.0),
        )
    )
    kit = take_of(groove(8))
    loud, deaf = (perform(kit, like=d, player="donor", seed=1) for d in (source, heard))
    assert np.abs(deaf.notes.dynamics_velocity).mean() > 2.0
    # The law is exact, up to where the take's middle lies: louder stays louder.
    order = [d.notes.reference_index for d in (loud, deaf)]
    assert (order[0] == order[1]).all()
    assert np.corrcoef(loud.notes.dynamics_velocity, deaf.notes.dynamics_velocity)[0, 1] > 0.8


def test_like_a_document_on_disk(band, tmp_path):
    source = perform(take_of(groove(16)), planted(), seed=9)
    source.save(tmp_path / "dev.json")
    by_file = perform(band, like=tmp_path / "dev.json", seed=1)
    by_hand = perform(band, like=Deviations.load(tmp_path / "dev.json"), seed=1)
    assert (by_file.notes.timing_ms == by_hand.notes.timing_ms).all()
