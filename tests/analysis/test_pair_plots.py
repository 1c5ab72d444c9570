"""Pictures of a take against its reference: there for what is known, and drawn of any input."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from takeprint.analysis.pair_plots import pair_pictures
from takeprint.analysis.plots import plot_deviations
from takeprint.analysis.rows import free_deviations
from takeprint.core.deviations import Deviations
from tests.analysis.test_findings import CLOCK, take
from tests.analysis.test_plots import size_of

SLIPS = (
    {"kind": "wrong", "time_s": 4.0, "beat": 6.0, "pitch_written": 60.0, "pitch_played": 61.0, "confidence": 0.9},
    {"kind": "missed", "time_s": 9.0, "beat": 16.0, "beat_from": 16.0, "beat_to": 24.0, "n_notes": 16},
    {"kind": "repeated", "time_s": 20.0, "beat": 38.0, "beat_from": 32.0, "beat_to": 38.0, "n_notes": 12,
     "duration_s": 3.2, "confidence": 0.9},
    {"kind": "hesitation", "time_s": 30.0, "beat": 60.0, "duration_s": 0.8, "confidence": 0.9},
    {"kind": "added", "time_s": 33.0, "beat": None, "pitch_written": None, "pitch_played": 67.0, "confidence": 0.2},
)  # fmt: skip


def cut_in_two() -> Deviations:
    parts = [
        {"reference_start_s": 0.0, "reference_end_s": 30.0, "start_s": 1.0, "end_s": 31.0},
        {"reference_start_s": 36.0, "reference_end_s": 64.0, "start_s": 51.0, "end_s": 79.0},
    ]
    plain = take(lambda b: 0.05 * np.sin(b / 20.0), parts=parts, beats_known=True, duration_s=70.0)
    after = plain.notes.reference_onset_s >= 36.0
    label = np.where((plain.notes.reference_onset_s > 30.0) & ~after, "deletion", "match")
    onset_s = np.where(label == "match", plain.notes.onset_s + np.where(after, 14.0, 0.0), np.nan)
    rows = plain.notes.replace(label=label, onset_s=onset_s)
    return free_deviations(rows, CLOCK).replace(reference=plain.reference, take={"duration_s": 90.0})


def drawn(d: Deviations) -> dict[str, np.ndarray]:
    """Draw each picture; return its pixels."""
    out = {}
    for name, draw in pair_pictures(d).items():
        figure = Figure(layout="constrained")
        canvas = FigureCanvasAgg(figure)
        draw(figure, d)
        canvas.draw()
        out[name] = np.asarray(canvas.buffer_rgba())[:, :, :3] / 255.0
    return out


def test_all_four_pictures_are_among_the_others(tmp_path):
    d = take(lambda b: 0.06 * np.sin(b / 10.0), beats=48, bars_known=True).replace(slips=SLIPS)
    names = {path.stem for path in plot_deviations(d, tmp_path) if path.stem.startswith("pair_")}
    assert names == {"pair_tempo", "pair_timing", "pair_level", "pair_map"}
    for name in names:
        assert size_of(tmp_path / f"{name}.png")[0] >= 1200


@pytest.mark.parametrize("bars_known", [False, True])
def test_the_take_is_drawn_in_its_blue(bars_known):
    d = take(lambda b: 0.06 * np.sin(b / 10.0), bars_known=bars_known).replace(slips=SLIPS)
    pictures = drawn(d)
    assert len(pictures) == 4
    for image in pictures.values():
        assert (image[:, :, 2] > image[:, :, 0] + 0.25).sum() > 500


def test_a_cut_is_drawn_on_both_sides():
    image = drawn(cut_in_two())["pair_map"]
    shaded = np.abs(image - np.array([0.95, 0.84, 0.75])).max(axis=2) < 0.06
    assert shaded.sum() > 20_000  # the 20 s of the take alone, across the picture


def test_few_notes_and_other_references_are_no_trouble():
    d = take(beats=16)
    for n in (0, 1, 2, 3):
        few = free_deviations(d.notes.rows(slice(0, n)), CLOCK).replace(reference=d.reference, slips=SLIPS[:1])
        assert len(drawn(few)) <= 4
    assert pair_pictures(take(kind="click")) == {}
    assert pair_pictures(take(kind="none")) == {}
    assert pair_pictures(Deviations()) == {}
