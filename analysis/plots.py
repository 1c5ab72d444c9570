"""Pictures of deviations and of comparisons: matplotlib without its global state.

Conventions
-----------
Real is blue, synthetic is orange (Okabe & Ito's palette, told apart by colour-blind eyes too). Late, sharp, louder and
longer point upwards. Lines that mark a place, zero and bounds are grey. Pictures are PNG, 1200 pixels wide or more.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from .drawing import (
    GREY,
    REAL,
    SYNTHETIC,
    bars_axis,
    draw_memory,
    draw_scaling,
    edges_of,
    held_inside,
    histogram,
    legend,
    limits_of,
    mark_size,
    memory_axes,
    moving_median,
    plain,
    scaling_axes,
    shares_of,
    short,
    span_of,
    spread_words,
    timing_series,
    two_panels,
    varies,
    zero,
)
from .ensemble_plots import draw_players
from .pair_plots import pair_pictures
from .passages import hits_of, loudness_unit, tempo_of
from .sound_plots import draw_events, draw_intonation, has_intonation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .compare import Comparison

_FLAM = "#CC79A7"
_LEVEL = "#009E73"
_DPI = 120
_STYLE = {
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": "#222222",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "takeprint",
}


def plot_deviations(deviations: Deviations, folder: str | Path, *, force: bool = False) -> list[Path]:
    """Draw one picture for each trace that the deviations hold.

    Parameters
    ----------
    deviations : Deviations
    folder : path
        Made if need be. Files are named by trace: ``tempo.png, timing.png, dynamics.png, articulation.png,
        fluctuation.png, intonation.png, breath.png, friction.png``; of several players ``ensemble.png``; of a take
        against a score or another take also ``pair_tempo.png, pair_timing.png, pair_level.png, pair_map.png``.
    force : bool
        Let existing pictures be replaced.

    Returns
    -------
    list of Path
        The pictures written; none for a trace of which nothing is known.

    Raises
    ------
    TakeprintError
        When the folder cannot be made, or a picture exists and ``force`` is not given.
    """
    from ..core.files import check_output, write_atomic

    folder = Path(folder)
    hits = hits_of(deviations, loudness_unit([deviations]))
    drawn = {
        "tempo": (_draw_tempo, len(tempo_of(deviations)) > 0),
        "timing": (_draw_timing, bool(np.isfinite(hits.timing_ms).any())),
        "dynamics": (_draw_dynamics, bool(np.isfinite(hits.velocity).any())),
        "articulation": (_draw_articulation, bool(np.isfinite(hits.articulation_log2).any())),
        "fluctuation": (_draw_fluctuation, varies(hits.timing_ms)),
        "intonation": (_draw_intonation, has_intonation(deviations)),
        "breath": (partial(_draw_events, trace="breath"), len(deviations.breath) > 0),
        "friction": (partial(_draw_events, trace="friction"), len(deviations.friction) > 0),
        "ensemble": (draw_players, "ensemble" in deviations.summary),
    }
    drawn |= {name: (draw, True) for name, draw in pair_pictures(deviations).items()}
    paths = [folder / f"{name}.png" for name, (_, there) in drawn.items() if there]
    if not paths:
        return []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise TakeprintError(f"cannot make the folder ({wrong.strerror})", where=str(folder)) from wrong
    for path in paths:
        check_output(path, force=force)
    for path in paths:
        write_atomic(path, _picture(drawn[path.stem][0], deviations), force=force)
    return paths


def plot_comparison(
    comparison: Comparison,
    real: Deviations | Sequence[Deviations],
    synthetic: Deviations | Sequence[Deviations],
    path: str | Path,
    *,
    force: bool = False,
) -> Path:
    """Draw a real and a synthetic side beside each other, the strongest tells below.

    Parameters
    ----------
    comparison : Comparison
    real, synthetic : Deviations or list of these
        Of a list, distributions hold all takes, time series and memory the first.
    path : path
        Of the PNG file.
    force : bool
        Let an existing picture be replaced.

    Raises
    ------
    TakeprintError
        When the picture exists and ``force`` is not given, or a side holds nothing.
    """
    from ..core.files import check_output, write_atomic

    sides = [[side] if isinstance(side, Deviations) else list(side) for side in (real, synthetic)]
    if not all(sides):
        raise TakeprintError("a side holds no take", rule="each side has at least one take")
    path = Path(path)
    check_output(path, force=force)
    write_atomic(path, _picture(_draw_comparison, comparison, *sides), force=force)
    return path


def _picture(draw: Any, *arguments: Any) -> bytes:
    """Draw on a fresh figure and return it as PNG bytes."""
    import warnings

    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: Any = _STYLE
    with mpl.rc_context(style), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; that is no reason to fail.
        warnings.filterwarnings("ignore", message=".*Glyph.*", category=UserWarning)
        figure = Figure(layout="constrained")
        layout: Any = figure.get_layout_engine()
        layout.set(w_pad=0.1, h_pad=0.1)
        FigureCanvasAgg(figure)
        draw(figure, *arguments)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": "Takeprint"})
    return out.getvalue()


def _title(figure: Figure, deviations: Deviations, what: str) -> None:
    against = deviations.reference.get("name") or {
        "click": "its click",
        "score": "its score",
        "take": "the other take",
    }.get(str(deviations.reference.get("kind")), "the beat found in it")
    name = plain(short(deviations.take.get("name") or "invented"))
    figure.suptitle(f"{what}: {name} against {plain(short(against))}", x=0.01, ha="left", fontsize=12)


def _draw_tempo(figure: Figure, deviations: Deviations) -> None:
    figure.set_size_inches(11, 4.2)
    axes = figure.subplots()
    tempo = deviations.tempo
    beat, bpm = tempo.beat[:-1], tempo.tempo_bpm[:-1]
    if deviations.reference.get("tempo_map"):
        written = deviations.reference_timeline.tempo_bpm_at(beat)
        # A score without a tempo of its own would squeeze the curve to the rim.
        if 0.8 < np.nanmedian(bpm) / np.nanmedian(written) < 1.25:
            axes.step(beat, written, where="post", color=GREY, lw=1.0, label="written")
    axes.step(beat, bpm, where="post", color=REAL, lw=0.8, alpha=0.45, label="played, beat by beat")
    at, middle = moving_median(beat, bpm, 4.0 if len(beat) < 64 else 8.0)
    if len(at):
        axes.plot(at, middle, color=REAL, lw=2.0, label="moving median")
    known = bpm[np.isfinite(bpm)]
    if len(known):
        low, high = np.quantile(known, [0.005, 0.995])
        room = max(0.15 * (high - low), 0.02 * abs(high))
        low, high = min(low, _shown_tempo(deviations, known)), max(high, _shown_tempo(deviations, known))
        axes.set_ylim(low - room, high + room)
    axes.set_ylabel("tempo (bpm)")
    bars_axis(axes, deviations, beat)
    legend(axes)
    _title(figure, deviations, "Tempo")


def _shown_tempo(deviations: Deviations, bpm: np.ndarray) -> float:
    """Return the written tempo where it belongs into the picture, else the played median."""
    middle = float(np.median(bpm))
    if not deviations.reference.get("tempo_map"):
        return middle
    written = float(deviations.reference_timeline.tempo_bpm_at(0.0))
    return written if 0.8 < middle / written < 1.25 else middle


def _draw_timing(figure: Figure, deviations: Deviations) -> None:
    left, right = two_panels(figure)
    hits = hits_of(deviations)
    limits = limits_of(hits.timing_ms, least=5.0)
    zero(left)
    zero(right)
    size = mark_size(len(hits))
    left.plot(hits.beat, held_inside(hits.timing_ms, limits), "o", ms=size, mew=0, color=REAL, alpha=0.45)
    flams = deviations.notes.rows((deviations.notes.ornament != "") & np.isfinite(deviations.notes.timing_ms))
    if len(flams):
        # A flam's own onset: how far it lies from where its hit is written.
        own_ms = 1000.0 * (flams.onset_s - flams.reference_onset_s) - np.nan_to_num(deviations.latency_ms)
        own_ms = np.where(np.isfinite(own_ms), own_ms, flams.timing_ms)
        named = f"{len(flams)} flam and roll notes, at their own onset"
        left.plot(
            flams.reference_beat, held_inside(own_ms, limits), "x", ms=4.5, mew=1.0, alpha=0.8, color=_FLAM, label=named
        )
        legend(left)
    at, middle = moving_median(hits.beat, hits.timing_ms, 8.0)
    left.plot(at, middle, color="#003a5c", lw=1.8)
    left.set_ylim(*limits)
    left.set_ylabel("timing (ms): late is up")
    bars_axis(left, deviations, hits.beat)
    histogram(right, hits.timing_ms, edges_of(limits, False), REAL)
    right.set_title(spread_words(hits.timing_ms, "ms"))
    _title(figure, deviations, "Timing")


def _draw_dynamics(figure: Figure, deviations: Deviations) -> None:
    unit = loudness_unit([deviations])
    hits = hits_of(deviations, unit)
    left, right = two_panels(figure)
    words = "velocity" if unit == "velocity" else "level (dB)"
    left.plot(hits.beat, hits.velocity, "o", ms=mark_size(len(hits)), mew=0, color=REAL, alpha=0.45)
    level = deviations.level
    if len(level) >= 2 and deviations.reference.get("tempo_map"):
        beat = deviations.basis.beats_at(level.time_s - np.nan_to_num(deviations.latency_ms) / 1000.0)
        left.plot(beat, level.level, color=_LEVEL, lw=2.0, label="local level")
        legend(left)
    known = hits.velocity[np.isfinite(hits.velocity)]
    limits = (0.0, 128.0) if unit == "velocity" else (float(known.min()) - 1.0, float(known.max()) + 1.0)
    left.set_ylim(*limits)
    left.set_ylabel(words)
    bars_axis(left, deviations, hits.beat)
    histogram(right, hits.velocity, edges_of(limits, unit == "velocity"), REAL)
    right.set_title(spread_words(hits.velocity, "" if unit == "velocity" else "dB"))
    _title(figure, deviations, "Dynamics")


def _draw_articulation(figure: Figure, deviations: Deviations) -> None:
    hits = hits_of(deviations)
    left, right = two_panels(figure)
    limits = span_of(hits.articulation_log2, least=0.1)
    zero(left)
    zero(right)
    size = mark_size(len(hits))
    left.plot(hits.beat, held_inside(hits.articulation_log2, limits), "o", ms=size, mew=0, color=REAL, alpha=0.45)
    at, middles = moving_median(hits.beat, hits.articulation_log2, 8.0)
    left.plot(at, middles, color="#003a5c", lw=1.8)
    left.set_ylim(*limits)
    left.set_ylabel("sounding / written length (log2): longer is up")
    bars_axis(left, deviations, hits.beat)
    histogram(right, hits.articulation_log2, edges_of(limits, False), REAL)
    right.set_title(spread_words(hits.articulation_log2, "", ".2f"))
    _title(figure, deviations, "Articulation")


def _draw_fluctuation(figure: Figure, deviations: Deviations) -> None:
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2)
    series = timing_series(deviations)
    lowest = draw_memory(left, series, REAL, "")
    memory_axes(left, lowest)
    doubt = draw_scaling(right, series, REAL, "")
    scaling_axes(right)
    if right.lines:
        right.legend(loc="lower right")
    words = "bars: 95 % bounds;  α 0.5 = no memory, 1.0 = 1/f"
    figure.supxlabel(f"{words};  {doubt}" if doubt else words, x=0.01, ha="left", fontsize=8.5, color=GREY, wrap=True)
    _title(figure, deviations, "Fluctuation")


def _draw_intonation(figure: Figure, deviations: Deviations) -> None:
    draw_intonation(figure, deviations)
    figure.suptitle(_take_title(deviations, "Intonation"), x=0.01, ha="left", fontsize=12)


def _draw_events(figure: Figure, deviations: Deviations, trace: str) -> None:
    draw_events(figure, deviations, trace)
    figure.suptitle(_take_title(deviations, trace.capitalize()), x=0.01, ha="left", fontsize=12)


def _take_title(deviations: Deviations, what: str) -> str:
    return f"{what}: {plain(short(deviations.take.get('name') or 'invented'))}"


def _draw_comparison(
    figure: Figure, comparison: Comparison, real: Sequence[Deviations], synthetic: Sequence[Deviations]
) -> None:
    sides = (real, synthetic)
    unit = loudness_unit([*real, *synthetic])
    hits = [[hits_of(d, unit) for d in side] for side in sides]
    figure.set_size_inches(12.5, 10.2)
    bands: Any = figure.subfigures(4, 1, height_ratios=[2.2, 2.5, 2.9, 2.1])
    top, middle, bottom, words = bands
    _draw_series(top, sides, [side[0] for side in hits])
    _draw_distributions(middle, comparison, sides, hits, unit)
    left, right = bottom.subplots(1, 2)
    lowest = 0.0
    for side, colour, name, shift in zip(sides, (REAL, SYNTHETIC), ("real", "synthetic"), (-0.12, 0.12), strict=True):
        series = timing_series(side[0])
        lowest = min(lowest, draw_memory(left, series, colour, name, shift))
        draw_scaling(right, series, colour, name)
    memory_axes(left, lowest)
    scaling_axes(right)
    for axes in (left, right):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper right" if axes is left else "lower right")
    _write_tells(words, comparison)


def _draw_series(figure: Any, sides: Sequence[Sequence[Deviations]], hits: Sequence[Any]) -> None:
    axes = figure.subplots(1, 2, sharey=True)
    limits = limits_of(*(h.timing_ms for h in hits), least=5.0)
    for at, side, table, colour, name in zip(axes, sides, hits, (REAL, SYNTHETIC), ("Real", "Synthetic"), strict=True):
        zero(at)
        marks = held_inside(table.timing_ms, limits)
        at.plot(table.beat, marks, "o", ms=mark_size(len(table)), mew=0, color=colour, alpha=0.45)
        more = f" and {len(side) - 1} more" if len(side) > 1 else ""
        at.set_title(f"{name}: {plain(short(side[0].take.get('name') or 'invented', 44))}{more}", color=colour)
        at.set_ylim(*limits)
        bars_axis(at, side[0], table.beat)
    axes[0].set_ylabel("timing (ms)")


def _draw_distributions(
    figure: Any, comparison: Comparison, sides: Sequence[Sequence[Deviations]], hits: Sequence[Sequence[Any]], unit: str
) -> None:
    columns = {"timing": "timing_ms", "dynamics": "dynamics", "articulation": "articulation_log2"}
    values = {t: [np.concatenate([getattr(h, c) for h in side]) for side in hits] for t, c in columns.items()}
    values["tempo"] = [np.concatenate([tempo_of(d).value for d in side]) for side in sides]
    shown = [t for t in ("timing", "dynamics", "articulation", "tempo") if t in comparison.traces]
    shown = [t for t in shown if any(np.nanstd(v) > 1e-9 for v in values[t] if np.isfinite(v).any())]
    units = {"timing": "ms", "dynamics": unit, "articulation": "log2", "tempo": "%"}
    if not shown:
        return
    for axes, trace in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        both, found = values[trace], comparison.traces[trace]
        limits = span_of(*both, least=1e-3)
        edges = edges_of(limits, trace == "dynamics" and unit == "velocity")
        shares = [shares_of(side, edges) for side in both]
        axes.stairs(shares[0], edges, fill=True, color=REAL, alpha=0.55)
        axes.stairs(shares[1], edges, color=SYNTHETIC, lw=1.6)
        # A quantized side is one needle: it must not squeeze the other one flat.
        tallest = [share.max() for share in shares]
        axes.set_ylim(0.0, 1.1 * min(max(tallest), 3.0 * max(min(tallest), 2.0)))
        axes.set_xlabel(f"{trace} ({units[trace]})")
        p = found.get("p_value")
        said = "" if p is None else f", p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
        axes.set_title(f"distance {found['distance']:.3g} {units[trace]}{said}")
    figure.axes[0].set_ylabel("share (%)")


def _write_tells(figure: Any, comparison: Comparison) -> None:
    import textwrap

    told = comparison.sentences()
    tells, rest = told[: len(comparison.tells)], told[len(comparison.tells) :]
    heading = "What gives the synthetic side away" if tells else rest.pop(0)
    more = len(tells) - 5
    lines = [f"{number}.  {said}" for number, said in enumerate(tells[:5], 1)]
    if more > 0:
        lines.append(f"… and {more} more.")
    folded = [part for line in [*lines, *rest] for part in textwrap.wrap(line, 175, subsequent_indent="     ")]
    figure.text(0.01, 0.97, heading, fontsize=11, fontweight="bold", va="top")
    figure.text(0.01, 0.83, "\n".join(plain(line) for line in folded[:9]), fontsize=9.2, va="top", linespacing=1.45)
