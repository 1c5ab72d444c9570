"""What is done with one file: the same for a single call and for a batch.

Conventions
-----------
A job takes a task and ``mark``, which it tells the stage it has come to (``read``, ``measure``, ``humanize``,
``write``), and returns a report that JSON can hold. The main output is written last: it stands for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import TakeprintError
from ..core.files import write_atomic

if TYPE_CHECKING:
    from ..core.deviations import Deviations
    from .batch import Mark, Task


def unmarked(_stage: str) -> None:
    """Take a stage and say nothing, for calls outside a batch."""


def json_bytes(text: str) -> bytes:
    """Return JSON text as UTF-8; bytes of a file name that are no UTF-8 become escapes that JSON knows."""
    return text.encode("utf-8", "backslashreplace")


def measured(source: str, settings: Mapping[str, Any], mark: Mark = unmarked) -> Deviations:
    """Return what was played in one file, by the options of the command line."""
    mark("read")
    from ..core.take import load_take

    take = load_take(source, strict=bool(settings.get("strict")))
    mark("measure")
    from ..analysis.measure import measure

    return measure(
        take,
        settings.get("against"),
        click=settings.get("click"),
        meter=settings.get("meter"),
        strict=bool(settings.get("strict")),
    )


def deviations_of(source: str, settings: Mapping[str, Any]) -> Deviations:
    """Return the deviations that a file holds (DEV.json) or that are measured in it (a take)."""
    from ..core.deviations import Deviations
    from ..core.sniff import sniff

    return Deviations.load(source) if sniff(source) == "json" else measured(source, settings)


def write_deviations(deviations: Deviations, target: Path, *, force: bool, inputs: list[str]) -> None:
    """Write DEV.json."""
    write_atomic(target, json_bytes(deviations.dumps()), force=force, inputs=inputs)


def draw(deviations: Deviations, folder: str | Path, *, force: bool) -> None:
    """Draw the traces of one take as PNG, one picture a trace."""
    from ..analysis.plots import plot_deviations

    plot_deviations(deviations, folder, force=force)


def make_folder(folder: str | Path) -> Path:
    """Make a folder for outputs where it is missing."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise TakeprintError(f"cannot make the folder ({wrong.strerror})", where=str(folder)) from wrong
    return folder


def measure_file(task: Task, mark: Mark) -> dict[str, Any]:
    """Measure one take of a batch into DEV.json, with its tables and pictures."""
    deviations = measured(task.source, task.settings, mark)
    mark("write")
    stem = task.output.removesuffix(".json")
    if task.settings.get("csv"):
        deviations.to_csv(make_folder(Path(task.settings["csv"]) / stem), force=task.force)
    if task.settings.get("plot"):
        draw(deviations, Path(task.settings["plot"]) / stem, force=task.force)
    write_deviations(deviations, task.target, force=task.force, inputs=[task.source])
    facts = deviations.summary.get("timing") or {}
    return {
        "notes": len(deviations.notes),
        "latency_ms": deviations.latency_ms,
        "timing_sd_ms": facts.get("sd"),
        "repairs": len(deviations.repairs),
        "warnings": list(deviations.warnings),
    }
