import numpy as np
import pytest

from takeprint.core.errors import TakeprintError
from takeprint.core.timeline import Metre, Timeline


def test_a_click_maps_beats_to_seconds_and_back():
    click = Timeline.constant(90.0, 0.25)
    beats = np.linspace(-8, 400, 1001)
    np.testing.assert_allclose(click.beats_at(click.seconds_at(beats)), beats, atol=1e-9)
    assert click.seconds_at(3.0) == pytest.approx(0.25 + 2.0)
    np.testing.assert_allclose(click.tempo_bpm_at([-1, 0, 50]), 90.0)


def test_knots_are_exact_and_ends_go_on_at_their_slope():
    line = Timeline(np.array([0.0, 4.0, 6.0]), np.array([1.0, 3.0, 5.0]))
    assert line.seconds_at([0.0, 4.0, 6.0]).tolist() == [1.0, 3.0, 5.0]
    assert line.seconds_at([-2.0, 8.0]).tolist() == [0.0, 7.0]
    assert line.tempo_bpm_at([0.0, 3.99, 4.0, 9.0]).tolist() == [120.0, 120.0, 60.0, 60.0]
    assert Timeline.from_dict(line.to_dict()) == line


@pytest.mark.parametrize(
    ("beat", "time_s"),
    [([0.0], [0.0]), ([0, 1], [1, 1]), ([1, 0], [0, 1]), ([0, 1], [0, np.nan]), ([0, 1, 2], [0, 1])],
)
def test_a_timeline_must_increase(beat, time_s):
    with pytest.raises(TakeprintError, match="timeline"):
        Timeline(np.array(beat, float), np.array(time_s, float))


@pytest.mark.parametrize("bpm", [0, -3, np.nan, np.inf, 1e9])
def test_no_such_tempo(bpm):
    with pytest.raises(TakeprintError, match="bpm"):
        Timeline.constant(bpm)


def test_metre_counts_bars_over_changes():
    metre = Metre.of([(0, 3, 4), (6, 4, 4), (15, 6, 8)])  # the last change cuts a bar: it counts as one
    bar, inside = metre.position([0, 2.5, 3, 6, 9.5, 10, 14, 15, 18])
    assert bar.tolist() == [0, 0, 1, 2, 2, 3, 4, 5, 6]
    assert inside.tolist() == [0, 2.5, 0, 0, 3.5, 0, 0, 0, 0]
    assert metre.bar_beats_at([0, 7, 16]).tolist() == [3.0, 4.0, 3.0]
    assert Metre.from_list(metre.to_list()) == metre


def test_metre_holds_before_its_first_change():
    assert Metre.of([(4, 3, 4)]).changes == ((0.0, 4, 4), (4.0, 3, 4))
    assert Metre.parse("12/8").bar_beats_at(0.0) == 6.0


@pytest.mark.parametrize("said", ["", "4", "4/3", "0/4", "a/b", "4/4/4", "-3/4", "300/4"])
def test_no_such_metre(said):
    with pytest.raises(TakeprintError, match="meter"):
        Metre.parse(said)
