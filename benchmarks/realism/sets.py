"""The real takes: what was played, and the same music written flat on its grid for a player to play again.

Conventions
-----------
An ``Item`` is one take. ``deviations`` is what ``measure(path, click="file")`` says of it; ``score(...)`` is the take
with every note at its measured place on the grid (flams and rolls keep their distance to their hit), of one velocity
(80) or with the real ones. A score starts a bar later than the take where the take begins near 0, so that early notes
find room. Positions in beats (quarter notes), late positive.
"""

from __future__ import annotations

import csv
import hashlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from takeprint.analysis import measure
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes
from takeprint.core.smf import read_smf
from takeprint.core.smf_write import write_new_smf
from takeprint.core.take import Take, take_of_smf

from .cache import Cache, mapped, measuring

FLAT_VELOCITY = 80
TICKS_PER_BEAT = 480  # as the drummers' files have it: both sides lie on one tick grid
LEAST_HITS = 96
_DURATION_BEAT = 0.125
_ROOM_BEAT = 1.0
# A take that does not follow its click cannot be written on its grid.
_OFF_THE_CLICK = "hardly better than chance"


@dataclass(frozen=True, eq=False)
class Item:
    """One real take and its score.

    Parameters
    ----------
    name : str
        Path below the set's folder.
    group : str
        The player.
    piece : str
        Takes of one piece never come into two parts of a split.
    style, metre : str
    bpm : float
    deviations : Deviations
    rows : ndarray of int64 [shape=(n,)]
        Row of ``deviations.notes`` of each note of the score.
    flat, accented : bytes
        The score as a MIDI file, of velocity 80 and with the real velocities.
    """

    name: str
    group: str
    piece: str
    style: str
    metre: str
    bpm: float
    deviations: Deviations
    rows: np.ndarray
    flat: bytes
    accented: bytes

    def score(self, accents: bool = False) -> Take:
        """Return the score as a take; ``accents`` with the real velocities."""
        return take_of_smf(read_smf(self.accented if accents else self.flat), self.name)

    def __len__(self) -> int:
        return len(self.rows)


def measured(data: bytes, name: str) -> Deviations:
    """Measure a rendered file with the very call that measured the real takes."""
    return measure(take_of_smf(read_smf(data), name), click="file")


def data_folder() -> Path:
    """Return the folder of the shared data, or end the program with what is missing."""
    said = os.environ.get("TAKEPRINT_DATA")
    folder = Path(said) if said else Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        raise SystemExit(f"the benchmark needs the shared data: set TAKEPRINT_DATA to it (it is not at {folder})")
    return folder


def written(deviations: Deviations) -> tuple[np.ndarray, bytes, bytes]:
    """Return (row of each score note, the score flat, the score with real velocities)."""
    notes = deviations.notes
    beat = notes.reference_beat
    bar = float(deviations.metre.bar_beats_at(np.array([0.0]))[0])
    shift = bar if np.nanmin(beat) < _ROOM_BEAT else 0.0
    tick = np.round((beat + shift) * TICKS_PER_BEAT)
    # Two hits of one key at one place cannot be written: the louder stays.
    order = np.lexsort((-notes.velocity, notes.pitch, tick))
    order = order[np.isfinite(tick[order])]
    first = np.append(True, (np.diff(tick[order]) != 0) | (np.diff(notes.pitch[order]) != 0))
    rows = order[first]
    onset = tick[rows] / TICKS_PER_BEAT
    duration = np.minimum(_DURATION_BEAT, _next_of_key(onset, notes.pitch[rows]))
    made = []
    for velocity in (np.full(len(rows), float(FLAT_VELOCITY)), np.clip(notes.velocity[rows], 1.0, 127.0)):
        table = Notes.build(
            onset_beat=onset,
            duration_beat=duration,
            pitch=notes.pitch[rows],
            velocity=velocity,
            track=np.zeros(len(rows), dtype=np.int64),
            channel=np.full(len(rows), 9),
        )
        clock = deviations.reference_timeline
        made.append(write_new_smf(None, table, clock, deviations.metre, ticks_per_beat=TICKS_PER_BEAT))
    found = read_smf(made[0]).notes()
    if not np.array_equal(found.onset_tick, tick[rows]) or not np.array_equal(found.pitch, notes.pitch[rows]):
        raise TakeprintError("a score's notes are not in the order they were written in")
    return rows, made[0], made[1]


def _next_of_key(onset: np.ndarray, key: np.ndarray) -> np.ndarray:
    order = np.lexsort((onset, key))
    gap = np.full(len(onset), np.inf)
    same = np.diff(key[order]) == 0
    gap[order[:-1][same]] = np.diff(onset[order])[same]
    return gap


def groove_takes(
    folder: Path | None = None, *, cache: Cache | None = None, jobs: int = 1, least_hits: int = LEAST_HITS
) -> list[Item]:
    """Return the beats (no single fills) of a Groove MIDI folder with enough hits, in order of name.

    Parameters
    ----------
    folder : path or None
        With ``info.csv``; None takes ``groove`` of the shared data.
    cache : Cache or None
    jobs : int
    least_hits : int
    """
    folder = folder or data_folder() / "groove"
    with (folder / "info.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["beat_type"] == "beat"]
    rows = sorted((r for r in rows if (folder / r["midi_filename"]).exists()), key=lambda r: r["midi_filename"])

    def make() -> list[Item]:
        found = [item for item in mapped(partial(_groove_item, folder, least_hits), rows, jobs) if item is not None]
        return _each_once(found)

    if cache is None:
        return make()
    state = [(r["midi_filename"], (folder / r["midi_filename"]).stat().st_size) for r in rows]
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return cache.of("groove", (folder.resolve(), state, least_hits, measuring(), own), make)


def _groove_item(folder: Path, least_hits: int, row: dict[str, str]) -> Item | None:
    try:
        found = measure(folder / row["midi_filename"], click="file")
    except TakeprintError:
        return None
    if len(found.notes) < least_hits or any(_OFF_THE_CLICK in said for said in found.warnings):
        return None
    rows, flat, accented = written(found)
    return Item(
        name=row["midi_filename"],
        group=row["drummer"],
        piece="/".join((row["session"], row["style"], row["bpm"], row["time_signature"])),
        style=row["style"].split("/")[0],
        metre=row["time_signature"],
        bpm=float(row["bpm"]),
        deviations=found,
        rows=rows,
        flat=flat,
        accented=accented,
    )


def _each_once(items: list[Item]) -> list[Item]:
    """Leave out takes that are in the set twice: one would be on two sides of a split."""
    seen, out = set(), []
    for item in items:
        notes = item.deviations.notes
        facts = np.stack([notes.onset_s - notes.onset_s.min(), notes.pitch, notes.velocity])
        key = hashlib.sha256(np.ascontiguousarray(np.round(facts, 6)).tobytes()).hexdigest()
        if key not in seen:
            seen.add(key)
            out.append(item)
    return out
