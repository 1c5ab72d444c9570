"""Pictures of an ensemble: how tight each pair is, who is ahead, who leads whom, where a part pushes or drags.

Conventions
-----------
Late, behind and dragging are orange and lie to the right, early, ahead and pushing are blue. What the 95 % bounds leave
open is pale. Pictures are PNG, drawn without matplotlib's global state.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import Deviations
from .drawing import GREY, REAL, SYNTHETIC, plain, short
from .ensemble import Ensemble, ensemble

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 120
_PALE = 0.35
_LONGEST_NAME = 18
_MOST_PAIRS = 18


def plot_ensemble(found: Ensemble, path: str | Path, *, force: bool = False) -> Path:
    """Draw an ensemble measurement as one picture.

    Parameters
    ----------
    found : Ensemble
    path : path
        Of the PNG file.
    force : bool
        Let an existing picture be replaced.

    Returns
    -------
    Path

    Raises
    ------
    TakeprintError
        When the picture exists and ``force`` is not given.
    """
    import warnings

    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from ..core.files import check_output, write_atomic

    check_output(path, force=force)
    style: Any = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left"}
    with rc_context(style), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; that is no reason to fail.
        warnings.filterwarnings("ignore", message=".*Glyph.*", category=UserWarning)
        figure = Figure(layout="constrained")
        FigureCanvasAgg(figure)
        draw_ensemble(figure, found)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=_DPI, metadata={"Software": "Takeprint"})
    write_atomic(path, drawn.getvalue(), force=force)
    return Path(path)


def draw_ensemble(figure: Figure, found: Ensemble) -> None:
    """Draw an ensemble measurement on a figure of its own size."""
    figure.set_size_inches(13.0, 4.2 + 0.55 * max(len(found.parts), 4))
    grid = figure.subplots(2, 2, width_ratios=[1.15, 1.0], height_ratios=[1.25, 1.0])
    _matrix(grid[0, 0], found)
    _leads(grid[0, 1], found.pairs)
    _placements(grid[1, 1], found.parts)
    _sections(grid[1, 0], found)


def draw_players(figure: Figure, deviations: Deviations) -> None:
    """Draw the players of one measured file."""
    draw_ensemble(figure, ensemble(deviations, "players"))


def _named(name: str) -> str:
    return plain(short(name, _LONGEST_NAME))


def _matrix(axes: Axes, found: Ensemble) -> None:
    """Draw the spread of each pair's asynchrony, below the diagonal, and the median, above it."""
    names = found.names
    n = len(names)
    spread, median = np.full((n, n), np.nan), np.full((n, n), np.nan)
    for pair in found.pairs:
        i, j = sorted((names.index(pair["first"]), names.index(pair["second"])))
        spread[j, i] = pair["sd_ms"]
        # Of the row's part against the column's.
        median[i, j] = pair["median_ms"] if names[i] == pair["first"] else -pair["median_ms"]
    reach = max(float(np.nanmax(np.abs(median))) if np.isfinite(median).any() else 0.0, 1.0)
    axes.imshow(spread, cmap="Greys", vmin=0.0, vmax=1.6 * max(np.nanmax(spread, initial=1.0), 1.0))
    axes.imshow(median, cmap="RdYlBu_r", vmin=-1.4 * reach, vmax=1.4 * reach)
    for i in range(n):
        for j in range(n):
            if np.isfinite(spread[i, j]):
                axes.text(j, i, f"{spread[i, j]:.0f}", ha="center", va="center", fontsize=8)
            elif np.isfinite(median[i, j]):
                axes.text(j, i, f"{median[i, j]:+.0f}", ha="center", va="center", fontsize=8)
            elif i == j:
                axes.text(j, i, "·", ha="center", va="center", color=GREY)
    labels = [_named(name) for name in names]
    axes.set_xticks(range(n), labels, rotation=35, ha="right")
    axes.set_yticks(range(n), labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Asynchrony, ms. Below: sd of the pair.\nAbove: how much later the row plays than the column")


def _leads(axes: Axes, pairs: Sequence[Mapping[str, Any]]) -> None:
    """Draw for each pair how much more the one follows the other."""
    known = [p for p in pairs if p["lead"] is not None and p["lead_low"] is not None]
    chosen = sorted(known, key=lambda p: (not p["leader"], -p["n"]))[:_MOST_PAIRS]
    chosen.sort(key=lambda p: abs(p["lead"]))
    said = []
    for row, pair in enumerate(chosen):
        first = pair["lead"] >= 0.0
        leader, follower = (pair["first"], pair["second"]) if first else (pair["second"], pair["first"])
        low, high = sorted((abs(pair["lead"]) - _half(pair, first), abs(pair["lead"]) + _other(pair, first)))
        colour, alpha = (SYNTHETIC, 0.9) if pair["leader"] else (GREY, _PALE)
        axes.barh(row, abs(pair["lead"]), color=colour, alpha=alpha, height=0.62)
        axes.plot([low, high], [row, row], color="#222222", lw=0.8)
        said.append(f"{_named(follower)} follows {_named(leader)}")
    axes.axvline(0.0, color=GREY, lw=0.8)
    axes.set_yticks(range(len(said)), said, fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("share of an asynchrony taken back, follower less leader")
    axes.set_title("Who follows whom (grey: left open)")
    if not chosen:
        axes.text(0.5, 0.5, "too few shared moments", transform=axes.transAxes, ha="center", color=GREY)


def _half(pair: Mapping[str, Any], first: bool) -> float:
    return float(pair["lead"] - pair["lead_low"] if first else pair["lead_high"] - pair["lead"])


def _other(pair: Mapping[str, Any], first: bool) -> float:
    return float(pair["lead_high"] - pair["lead"] if first else pair["lead"] - pair["lead_low"])


def _placements(axes: Axes, parts: Sequence[Mapping[str, Any]]) -> None:
    """Draw each part's placement against the others with its bounds."""
    for row, part in enumerate(reversed(parts)):
        value = part["placement_ms"]
        if value is None:
            continue
        low, high = part["placement_low_ms"], part["placement_high_ms"]
        sure = low is not None and (low > 0.0 or high < 0.0)
        axes.barh(row, value, color=SYNTHETIC if value > 0 else REAL, alpha=0.85 if sure else _PALE, height=0.62)
        if low is not None:
            axes.plot([low, high], [row, row], color="#222222", lw=1.0)
    axes.axvline(0.0, color=GREY, lw=0.8)
    axes.set_yticks(range(len(parts)), [_named(p["name"]) for p in reversed(parts)])
    axes.set_xlabel("ms against the others, behind to the right")
    axes.set_title("Placement")


def _sections(axes: Axes, found: Ensemble) -> None:
    """Draw push and drag by section and part, the group's own in the last row."""
    names = [*found.names, "all together"]
    table = np.full((len(names), len(found.sections)), np.nan)
    middle = np.nanmedian([s["ensemble_ms"] for s in found.sections if s["ensemble_ms"] is not None] or [0.0])
    for column, section in enumerate(found.sections):
        for name, part in section["parts"].items():
            table[names.index(name), column] = part["push_ms"]
        if section["ensemble_ms"] is not None:
            table[-1, column] = section["ensemble_ms"] - middle
    reach = max(float(np.nanquantile(np.abs(table), 0.97)) if np.isfinite(table).any() else 0.0, 5.0)
    image = axes.imshow(table, cmap="RdYlBu_r", vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest")
    axes.set_facecolor("#eeeeee")
    axes.set_yticks(range(len(names)), [_named(n) for n in names])
    step = max(1, -(-len(found.sections) // 12))
    at = range(0, len(found.sections), step)
    axes.set_xticks(at, [str(found.sections[i]["start_bar"] + 1) for i in at])
    axes.set_xlabel("section from bar")
    axes.tick_params(length=0)
    bar = axes.figure.colorbar(image, ax=axes, pad=0.01)
    bar.set_label("ms, drags above 0")
    axes.set_title("Push and drag by section, against each part's usual place")
