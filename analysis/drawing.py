"""The parts that pictures are made of: axes of bars, limits, histograms, memory and scaling.

Conventions
-----------
A part draws on the axes it is given and knows nothing of files. Colours are Okabe & Ito's, told apart by colour-blind
eyes too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core.deviations import Deviations
from .block_sums import slots
from .fluctuation import autocorrelation, dfa
from .passages import hits_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REAL, SYNTHETIC = "#0072B2", "#D55E00"
GREY = "#6b6b6b"


def plain(said: object) -> str:
    """Return text that matplotlib shows as it is: a ``$`` would start a formula, control characters a box."""
    kept = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(said))
    return kept.replace("$", r"\$")


def short(name: object, longest: int = 60) -> str:
    """Return a name short enough for a title, its end kept."""
    said = str(name)
    return said if len(said) <= longest else f"{said[: longest - 13]}…{said[-12:]}"


def varies(values: np.ndarray) -> bool:
    """Return whether there is a series long and lively enough to have memory."""
    return not autocorrelation(values).reason


def bars_axis(axes: Axes, deviations: Deviations, beats: np.ndarray) -> None:
    """Label a horizontal axis of beats with the bars, from 1, with not more marks than one can read."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("bar")
    if not len(beats):
        axes.set_xticks([])
        return
    first, last = float(beats.min()), float(beats.max())
    span = np.arange(np.floor(first), np.ceil(last) + 2.0)
    number, inside = deviations.metre.position(span)
    lines, numbers = span[inside < 1e-6], number[inside < 1e-6] + 1
    wanted = MaxNLocator(nbins=12, integer=True, steps=[1, 2, 4, 5, 8, 10]).tick_values(1, max(int(numbers.max()), 2))
    chosen = np.isin(numbers, np.round(wanted)) | (numbers == 1)
    if len(lines) and chosen.any():
        axes.set_xticks(lines[chosen], [str(n) for n in numbers[chosen]])
    margin = 0.01 * max(last - first, 1.0)
    axes.set_xlim(first - margin, last + margin)


def limits_of(*series: np.ndarray, least: float) -> tuple[float, float]:
    """Return symmetric limits that hold all but the farthest half percent."""
    known = np.concatenate([s[np.isfinite(s)] for s in series])
    reach = float(np.quantile(np.abs(known), 0.995)) if len(known) else 0.0
    reach = max(1.15 * reach, least)
    return -reach, reach


def span_of(*series: np.ndarray, least: float) -> tuple[float, float]:
    """Return limits about the middle of the series that hold all but half a percent at either end."""
    known = np.concatenate([s[np.isfinite(s)] for s in series])
    if not len(known):
        return -least, least
    low, high = np.quantile(known, [0.005, 0.995])
    room = max(0.12 * (high - low), least)
    return float(low - room), float(high + room)


def held_inside(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Hold what lies outside on the rim, where a mark shows it."""
    return np.clip(values, *limits)


def edges_of(limits: tuple[float, float], whole: bool) -> np.ndarray:
    """Return the edges of a histogram; whole numbers get bars of whole width, or a comb would show."""
    if whole:
        width = max(1.0, round((limits[1] - limits[0]) / 40.0))
        return np.arange(np.floor(limits[0]) - 0.5, limits[1] + width, width)
    return np.linspace(*limits, 42)


def shares_of(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the percentage of the known values in each bin; what lies outside counts in the outermost."""
    known = values[np.isfinite(values)]
    return 100.0 * np.histogram(np.clip(known, edges[0], edges[-1]), edges)[0] / max(len(known), 1)


def histogram(axes: Axes, values: np.ndarray, edges: np.ndarray, colour: str) -> None:
    """Draw a histogram that lies beside a time series."""
    axes.stairs(shares_of(values, edges), edges, orientation="horizontal", fill=True, color=colour, alpha=0.55)


def legend(axes: Axes) -> None:
    """Put the legend above the axes, where no mark lies under it."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.2)


def zero(axes: Axes) -> None:
    """Mark zero."""
    axes.axhline(0.0, color=GREY, lw=0.8, zorder=0)


def moving_median(beats: np.ndarray, values: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (places, median of the values within half a ``width`` of each)."""
    known = np.isfinite(values)
    beats, values = beats[known], values[known]
    if len(beats) < 8:
        return np.zeros(0), np.zeros(0)
    at = np.linspace(beats.min(), beats.max(), min(400, 2 * len(beats)))
    low, high = np.searchsorted(beats, at - width / 2), np.searchsorted(beats, at + width / 2)
    middle = [np.median(values[a:b]) if b - a >= 3 else np.nan for a, b in zip(low, high, strict=True)]
    return at, np.array(middle)


def two_panels(figure: Figure) -> tuple[Axes, Axes]:
    """Return axes for a time series and, beside it, its distribution."""
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[5, 1])
    right.tick_params(labelleft=False)
    right.set_xlabel("notes (%)")
    return left, right


def spread_words(values: np.ndarray, unit: str, form: str = ".1f") -> str:
    """Return the standard deviation in words."""
    known = values[np.isfinite(values)]
    return f"sd {known.std(ddof=1):{form}} {unit}" if len(known) > 1 else f"n = {len(known)}"


def mark_size(count: int) -> float:
    """Return how large a mark may be among so many, points."""
    return float(np.clip(110.0 / np.sqrt(max(count, 1)), 2.6, 6.0))


def timing_series(deviations: Deviations) -> np.ndarray:
    """Return the timing in the order of the music; notes written together are one moment, as in ``summary``."""
    hits = hits_of(deviations)
    return slots(hits, hits.timing_ms)[2]


def draw_memory(axes: Axes, series: np.ndarray, colour: str, label: str, shift: float = 0.0) -> float:
    """Draw the autocorrelation with its bounds; return the lowest bound."""
    found = autocorrelation(series, 24)
    if found.reason or len(found.lag) < 2:
        axes.plot([], [], lw=1.6, color=colour, label=f"{label}: {found.reason or 'too short'}".lstrip(": "))
        return 0.0
    lag = found.lag[1:] + shift
    axes.vlines(lag, found.low[1:], found.high[1:], color=colour, alpha=0.3, lw=3.5)
    axes.plot(lag, found.value[1:], "o-", ms=3.5, lw=1.1, color=colour, label=label)
    return float(np.nanmin(found.low[1:]))


def draw_scaling(axes: Axes, series: np.ndarray, colour: str, label: str) -> str:
    """Draw fluctuation by window with its fitted line; return the doubt about it."""
    found = dfa(series)
    if found.reason:
        axes.plot([], [], lw=1.6, color=colour, label=f"{label}: {found.reason}".lstrip(": "))
        return found.reason
    x = np.log(found.window)
    middle = np.log(found.fluctuation).mean()
    line = np.exp(middle + found.exponent * (x - x.mean()))
    named = f"{label} α = {found.exponent:.2f} [{found.low:.2f}, {found.high:.2f}]".strip()
    axes.plot(found.window, found.fluctuation, "o", ms=4.5, mew=0, color=colour, alpha=0.75)
    axes.plot(found.window, line, lw=1.6, color=colour, label=named)
    return found.warning


def memory_axes(axes: Axes, lowest: float) -> None:
    """Label the axes of an autocorrelation."""
    zero(axes)
    if not any(np.size(line.get_xdata()) for line in axes.lines[:-1]):
        axes.set_xticks([])
    axes.set_ylim(min(-0.25, 1.1 * max(lowest, -0.9)), 1.0)
    axes.set_xlabel("lag (onsets)")
    axes.set_ylabel("autocorrelation")
    axes.set_title("Timing: memory")


def scaling_axes(axes: Axes) -> None:
    """Label the axes of a fluctuation analysis."""
    from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

    axes.set_xlabel("window (onsets)")
    axes.set_ylabel("fluctuation (ms)")
    axes.set_title("Timing: detrended fluctuation")
    if not any(np.size(line.get_xdata()) for line in axes.lines):
        axes.set(xticks=[], yticks=[])
        return
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        marks = [base * 10.0**power for power in range(-2, 6) for base in (1, 2, 5)]
        axis.set_major_locator(FixedLocator(marks))
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_formatter(NullFormatter())
