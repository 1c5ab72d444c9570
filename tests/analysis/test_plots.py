"""Pictures: written whole, of the right traces, and of any input."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from takeprint.analysis.compare import compare
from takeprint.analysis.drawing import plain
from takeprint.analysis.plots import plot_comparison, plot_deviations
from takeprint.core.deviations import Deviations, LevelCurve, TempoCurve
from takeprint.core.errors import TakeprintError
from tests.analysis.handmade import groove, player, remade


@pytest.fixture(scope="module")
def real() -> Deviations:
    take = player(16, seed=1)
    beat = take.tempo.beat
    bpm = 100.0 + np.sin(beat)
    seconds = np.concatenate([[0.0], np.cumsum(60.0 / bpm[:-1])])
    notes = take.notes.replace(articulation_log2=np.random.default_rng(0).normal(-0.5, 0.3, len(take.notes)))
    level = LevelCurve(np.array([0.0, 10.0]), np.array([60.0, 70.0]))
    return take.replace(tempo=TempoCurve(beat, seconds, bpm), notes=notes, level=level)


def size_of(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data.endswith(b"IEND\xaeB`\x82")
    return struct.unpack(">II", data[16:24])


def pixels(path: Path) -> np.ndarray:
    from matplotlib.image import imread

    return imread(path)[:, :, :3]


def test_one_picture_a_trace(real, tmp_path):
    paths = plot_deviations(real, tmp_path / "new" / "folder")
    assert [p.name for p in paths] == ["tempo.png", "timing.png", "dynamics.png", "articulation.png", "fluctuation.png"]
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == sorted(p.name for p in paths)
    for path in paths:
        width, height = size_of(path)
        assert width >= 1200
        assert height >= 400
        # Something is drawn in the colour of the real side.
        image = pixels(path)
        assert (image[:, :, 2] > image[:, :, 0] + 0.25).sum() > 500


def test_no_picture_without_its_trace(real, tmp_path):
    notes = real.notes.replace(articulation_log2=np.full(len(real.notes), np.nan))
    bare = real.replace(notes=notes, tempo=TempoCurve.build(0))
    assert [p.name for p in plot_deviations(bare, tmp_path)] == ["timing.png", "dynamics.png", "fluctuation.png"]
    assert plot_deviations(Deviations(), tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_pictures_are_replaced_only_by_force(real, tmp_path):
    (tmp_path / "timing.png").write_bytes(b"mine")
    with pytest.raises(TakeprintError):
        plot_deviations(real, tmp_path)
    # Refused before anything was written.
    assert [p.name for p in tmp_path.iterdir()] == ["timing.png"]
    assert (tmp_path / "timing.png").read_bytes() == b"mine"
    assert len(plot_deviations(real, tmp_path, force=True)) == 5
    assert size_of(tmp_path / "timing.png")[0] >= 1200


def test_comparison_picture_shows_both_sides(real, tmp_path):
    fake = remade(real, np.random.default_rng(1).normal(0, 20, len(real.notes)))
    found = compare(real, fake, permutations=99)
    path = plot_comparison(found, real, [fake, fake], tmp_path / "cmp.png")
    assert size_of(path)[0] >= 1200
    image = pixels(path)
    for colour in ((0.0, 0x72, 0xB2), (0xD5, 0x5E, 0.0)):
        assert (np.abs(image - np.array(colour) / 255).max(axis=2) < 0.2).sum() > 500
    with pytest.raises(TakeprintError):
        plot_comparison(found, real, fake, path)
    with pytest.raises(TakeprintError):
        plot_comparison(found, real, [], tmp_path / "other.png")


@pytest.mark.parametrize("notes", [0, 1, 40])
def test_little_is_drawn_without_a_word(real, tmp_path, notes):
    little = real.replace(notes=real.notes.rows(slice(0, notes)), tempo=real.tempo.rows(slice(0, notes)))
    plot_deviations(little, tmp_path)
    plot_comparison(compare(little, real, permutations=99), little, real, tmp_path / "cmp.png")


def test_a_quantized_side_is_drawn(real, tmp_path):
    n = len(real.notes)
    flat = remade(real, np.zeros(n), np.full(n, 90.0))
    assert "fluctuation.png" not in [p.name for p in plot_deviations(flat, tmp_path)]
    plot_comparison(compare(flat, flat, permutations=99), flat, flat, tmp_path / "cmp.png")


NAMES = ("a $x_1^2$ \\frac{.mid", "$", "日本語.mid", "two\nlines\x07.mid", "x" * 300, "$\\badmacro$")


def test_any_name_is_a_title(real, tmp_path):
    for number, name in enumerate(NAMES):
        named = Deviations(tempo=real.tempo, take={"name": name}, reference={**real.reference, "name": name})
        assert len(plot_deviations(named, tmp_path / str(number))) == 1


def test_any_name_is_a_title_of_a_comparison(real, tmp_path):
    a, b = (real.replace(take={"name": name, "kind": "midi"}, notes=real.notes.rows(slice(9))) for name in NAMES[::5])
    plot_comparison(compare(a, b, permutations=99), a, b, tmp_path / "cmp.png")


def test_a_formula_in_a_name_is_shown_as_it_is_written():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    for name in NAMES[:3]:
        shown, is_formula = figure.text(0, 0, plain(name))._preprocess_math(plain(name))
        assert (shown, bool(is_formula)) == (name, False)


def test_plain_leaves_no_formula():
    assert plain("a.mid") == "a.mid"
    assert plain("a$b") == r"a\$b"
    assert "\n" not in plain("a\nb")


def test_drawing_leaves_no_global_state(real, tmp_path):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plot_deviations(Deviations(tempo=real.tempo), tmp_path)
    assert dict(mpl.rcParams) == before
    import sys

    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


def test_a_real_groove_is_drawn(shared_data, tmp_path):
    path = max((shared_data / "groove").rglob("*_beat_4-4.mid"), key=lambda p: p.stat().st_size)
    assert "timing.png" in [p.name for p in plot_deviations(groove(path), tmp_path)]
