"""Controls on files of every odd kind: nothing breaks, and the guarantees stand."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from takeprint.core.errors import TakeprintError
from takeprint.core.smf import read_smf
from takeprint.core.take import take_of_smf
from takeprint.humanize import Controls, perform, read_disclosure, render
from tests import referee
from tests.humanize import midi_cases as cases

WHERES = (
    "all",
    "track=0",
    "channel=1",
    "bars=1",
    "bars=2-",
    "beat=1",
    "beat=&",
    "pitch=60",
    "bars=1,beat=1,pitch=60-61",
)
TRACES = ("amount", "timing", "dynamics", "articulation", "slips")
AMOUNTS = (0.0, 0.5, 1.0, 1.3, -1.0)
PLACES = ("1", "2", "&", "a", "1.33", "4e")


@st.composite
def controls(draw) -> Controls:
    amount = st.floats(-2.0, 2.0)
    traces = st.dictionaries(st.sampled_from(TRACES), amount, min_size=1)
    return Controls(
        tight=draw(st.dictionaries(st.sampled_from(PLACES), amount, max_size=2)),
        bias_ms=draw(st.dictionaries(st.sampled_from(WHERES), st.floats(-120.0, 120.0), max_size=2)),
        swing=draw(st.one_of(st.none(), st.floats(0.5, 0.75))),
        swing_unit=draw(st.sampled_from([8, 16])),
        amounts=draw(st.lists(st.tuples(st.sampled_from(WHERES), traces), max_size=2)),
        protect=draw(st.lists(st.sampled_from(WHERES), max_size=1)),
        ensemble=draw(st.sampled_from([0.0, 1.0, 3.0])),
        leader=draw(st.one_of(st.none(), st.sampled_from(WHERES))),
    )


# Without shrinking: a failing file is small as it is, and shrinking would take minutes.
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=cases.midi_files(), asked=controls(), amount=st.sampled_from(AMOUNTS), tempo=st.booleans())
def test_any_file_with_any_controls(data, asked, amount, tempo):
    take = take_of_smf(read_smf(data), "case.mid")
    if not len(take.notes):
        with pytest.raises(TakeprintError, match="no notes"):
            perform(take, controls=asked)
        return
    # Files without tempo events of their own get the tempo by moving every event, the stated exception to G8.
    tempo = tempo and take.smf.format != 2 and take.smf.ticks_per_second is None
    d = perform(take, seed=1, amount=amount, controls=asked, tempo=float(tempo))
    made = render(take, d, disclosure=False)
    if amount == 0.0:
        assert made.data == data
    broken = referee.check_guarantees(data, made.data, allow_tempo=True, moved_kinds=cases.MOVED_KINDS)
    assert broken == []
    told = render(take, d)
    if told.data != data:
        with tempfile.TemporaryDirectory() as folder:
            told.save(Path(folder) / "out.mid")
            assert read_disclosure(Path(folder) / "out.mid").get("controls", {}) == asked.told()
    protected = np.array(d.reference.get("protected", []), dtype=int)
    smf = take.smf
    if len(protected) and smf.format != 2:
        before, after = smf.events, read_smf(made.data)
        kept = take.notes.rows(protected)
        # The referee has matched every note; here the protected ones' own bytes are looked for at their tick.
        there = set(zip(after.events.tick.tolist(), after.events.status.tolist(), after.events.data1.tolist(),
                        after.events.data2.tolist(), strict=True))  # fmt: skip
        for row in kept.on_event.tolist():
            event = (before.tick[row], before.status[row], before.data1[row], before.data2[row])
            assert tuple(int(v) for v in event) in there
