"""The ensemble benchmark on invented songs: it reads the corpus' tables, and tells listening from not listening."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from takeprint.humanize.ensemble import Coupling

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")
if BENCHMARKS not in sys.path:
    sys.path.append(BENCHMARKS)

from realism import ensemble as topic  # noqa: E402

ROWS, STEP_S = 16 * 40, 0.2


def written(path: Path, late_ms: np.ndarray, names: tuple[str, ...]) -> Path:
    """Write a table as the corpus has it: a row a sixteenth, empty where a part is silent."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Piece", *names, "Isochronous.SD.Time"])
        for k, row in enumerate(late_ms):
            cells = ["" if np.isnan(x) else f"{k * STEP_S + x / 1000.0:.6f}" for x in row]
            table.writerow(["made", *cells, f"{k * STEP_S:.6f}"])
    return path


@pytest.fixture
def listening(tmp_path: Path) -> topic.Song:
    """Three parts of which two follow the conga: each takes back half of its last asynchrony to it."""
    rng = np.random.default_rng(3)
    late = np.zeros((ROWS, 3))
    for k in range(1, ROWS):
        late[k] = late[k - 1] + 6.0 * rng.standard_normal(3)
        late[k, 0] -= 0.2 * late[k - 1, 0]
        late[k, 1:] -= 0.5 * (late[k - 1, 1:] - late[k - 1, 0])
    late[rng.random((ROWS, 3)) < 0.2] = np.nan
    return topic.song_of(written(tmp_path / "CSS_IEMP_Made.csv", late, ("Conga", "Bass", "Tres")))


def test_a_song_is_read_with_its_silences_and_without_its_templates(listening: topic.Song) -> None:
    assert listening.name == "Made"
    assert set(listening.names) == {"Conga", "Bass", "Tres"}
    assert np.isnan(listening.own_ms).any()
    assert np.nanmean(listening.own_ms, axis=0) == pytest.approx(0.0, abs=1e-9)
    assert [len(part) for part in listening.parts] == np.isfinite(listening.own_ms).sum(axis=0).tolist()


def test_shifting_takes_the_listening_and_nothing_else(listening: topic.Song) -> None:
    real, alone = listening.own_ms, topic.shifted(listening, 1)
    assert (np.isnan(real) == np.isnan(alone)).all()
    for a, b in zip(real.T, alone.T, strict=True):
        assert np.sort(a[np.isfinite(a)]).tolist() == np.sort(b[np.isfinite(b)]).tolist()
    truth, apart = topic.figures_of(listening, real), topic.figures_of(listening, alone)
    assert truth.lead > 0.25
    assert abs(apart.lead) < 0.15
    assert truth.correlation[:, 4].min() > 0.3
    assert np.abs(apart.correlation[:, 4]).max() < 0.3


def test_listening_again_comes_nearer(listening: topic.Song) -> None:
    real = topic.figures_of(listening, listening.own_ms)
    alone = topic.shifted(listening, 2)
    together = topic.coupled(listening, alone, Coupling(heed=dict.fromkeys(topic.PERCUSSION, 3.0)), 2)
    apart, near = (topic.distances(real, topic.figures_of(listening, x)) for x in (alone, together))
    assert (near[:2] < 0.8 * apart[:2]).all()
    assert topic.distances(real, real) == pytest.approx(0.0, abs=1e-12)


def test_the_setting_is_chosen_by_its_worst_song() -> None:
    assert topic.chosen_of(np.array([[0.1, 0.9], [0.5, 0.5], [0.6, 0.4]])) == 1


def test_a_folder_without_songs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="fewer than two songs"):
        topic.songs_of(tmp_path)
