"""CSV tables of a deviations document.

Conventions
-----------
UTF-8, comma separated, one header line of column names that carry units, six decimals, empty = not known. Text that
a spreadsheet would take for a formula is kept harmless by a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import TakeprintError
from .files import write_atomic

if TYPE_CHECKING:
    from .columns import Columns
    from .deviations import Deviations


# What an event has beside its trace, kind and start; the last six only slips.
_EVENT = (
    "duration_s", "beat", "level_db", "confidence",
    "pitch_written", "pitch_played", "interval", "beat_from", "beat_to", "n_notes",
)  # fmt: skip


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    said = str(value)
    return "'" + said if said[:1] in ("=", "+", "-", "@", "\t", "\r") and not isinstance(value, int) else said


def table_csv(table: Columns) -> str:
    """Return one table as CSV text."""
    columns = table.to_dict()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([_cell(v) for v in row])
    return out.getvalue()


def events_csv(deviations: Deviations) -> str:
    """Return breaths, frictions and slips as one CSV text, a row an event."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["trace", "kind", "start_s", *_EVENT])
    for trace in ("breath", "friction", "slips"):
        for event in getattr(deviations, trace):
            start = event.get("start_s", event.get("time_s"))
            cells = [
                event.get("kind"),
                start,
                *(event.get(k) for k in _EVENT),
            ]
            writer.writerow([trace, *(_cell(v) for v in cells)])
    return out.getvalue()


def write_csv_tables(deviations: Deviations, folder: str | Path, *, force: bool = False) -> list[Path]:
    """Write ``notes.csv, tempo.csv, level.csv, pitch.csv, alignment.csv`` and ``events.csv`` into ``folder``.

    Raises
    ------
    TakeprintError
        When the folder cannot be made or a file exists and ``force`` is not given.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise TakeprintError(f"cannot make the folder ({wrong.strerror})", where=str(folder)) from wrong
    texts = {
        "notes.csv": table_csv(deviations.notes),
        "tempo.csv": table_csv(deviations.tempo),
        "level.csv": table_csv(deviations.level),
        "pitch.csv": table_csv(deviations.pitch_curve),
        "alignment.csv": table_csv(deviations.alignment),
        "events.csv": events_csv(deviations),
    }
    for name, said in texts.items():
        write_atomic(folder / name, said.encode(), force=force)
    return [folder / name for name in texts]
