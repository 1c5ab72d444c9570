"""Deviations of one or more takes as plain columns, ready to be fitted or copied from.

Conventions
-----------
A row is a matched note whose deviations are its own: ornaments (flams, rolls) share their hit's and are left out.
``value`` is what the dynamics figures are made of: the velocity itself for drums, whose accents belong to the groove,
and the velocity against the local level for other instruments. A timing further out than 3.5 robust standard
deviations (an arpeggio, a note matched wrongly) counts as lying there. Milliseconds, late positive; NaN = not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.columns import Columns, real, text, whole
from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from ..core.metrical import TWELFTHS, VOICES, cells, groups, ranks_from_top, voices

KINDS = ("drums", "keyboard", "melody")
DRUM_CHANNEL = 9
# With fewer chords than this share of its moments, a part counts as one voice.
CHORDAL_SHARE = 0.15
_ENOUGH = 16


@dataclass(frozen=True, eq=False)
class Observations(Columns):
    """A row per note.

    Parameters
    ----------
    take : number of the take, from 0
    bar, cell : place in the metre, see ``core.metrical``
    beat : position on the reference, beats
    group : number of the moment, rising through each take
    rank : place in its moment from the top, 0 = highest (0 for drums)
    voice : the instrument of the kit; ``top``, ``inner`` or ``bass`` otherwise
    timing_ms, value, velocity, articulation_log2 : the deviations
    """

    take: np.ndarray = whole()
    bar: np.ndarray = whole()
    cell: np.ndarray = whole()
    beat: np.ndarray = real()
    group: np.ndarray = whole()
    rank: np.ndarray = whole()
    voice: np.ndarray = text()
    timing_ms: np.ndarray = real()
    value: np.ndarray = real()
    velocity: np.ndarray = real()
    articulation_log2: np.ndarray = real()


def is_drum(deviations: Deviations) -> np.ndarray:
    """Return a mask of the rows that belong to a drum kit: MIDI channel 10, or audio hits named as such."""
    notes = deviations.notes
    return (notes.channel == DRUM_CHANNEL) | ((notes.channel < 0) & (notes.instrument != ""))


def kind_of(deviations: Sequence[Deviations]) -> str:
    """Return ``"drums"`` where most notes are drum hits, ``"keyboard"`` where chords are common, else ``"melody"``."""
    drums = sum(int(is_drum(d).sum()) for d in deviations)
    if drums * 2 > sum(len(d.notes) for d in deviations):
        return "drums"
    moments = chords = 0
    for d in deviations:
        rows = d.notes.rows((d.notes.label == "match") & ~is_drum(d))
        group = groups(rows.reference_beat, np.zeros(len(rows), dtype=np.int64))
        sizes = np.bincount(group) if len(group) else np.zeros(0)
        moments += len(sizes)
        chords += int((sizes > 1).sum())
    return "keyboard" if chords > CHORDAL_SHARE * max(moments, 1) else "melody"


def observe(deviations: Sequence[Deviations], kind: str) -> Observations:
    """Return the rows of several takes that a profile of ``kind`` is fitted to.

    Raises
    ------
    TakeprintError
        For an unknown kind, or when no note of that kind has a position and a timing.
    """
    if kind not in KINDS:
        raise TakeprintError(f"kind={kind!r}", rule=f"a profile's kind is one of {', '.join(KINDS)}")
    parts = [_of_take(d, kind, number) for number, d in enumerate(deviations)]
    seen = Observations.concatenate(parts) if parts else Observations.build(0)
    if not len(seen):
        raise TakeprintError(
            f"no {kind} note with a position and a timing in {len(deviations)} take(s)",
            rule="a profile is fitted to matched notes",
            remedy="measure the takes against a click or a score first, or give another kind",
        )
    return seen


def _of_take(deviations: Deviations, kind: str, number: int) -> Observations:
    notes = deviations.notes
    drums = is_drum(deviations)
    wanted = (notes.label == "match") & np.isfinite(notes.timing_ms) & np.isfinite(notes.reference_beat)
    wanted &= (notes.ornament == "") & (drums if kind == "drums" else ~drums)
    rows = notes.rows(wanted)
    rows = rows.rows(np.lexsort((rows.pitch, rows.reference_beat)))
    if not len(rows):
        return Observations.build(0)
    bar, cell = cells(rows.reference_beat, deviations.metre)
    group = groups(rows.reference_beat, np.zeros(len(rows), dtype=np.int64))
    if kind == "drums":
        voice = np.where(rows.instrument == "", "percussion", rows.instrument)
        rank = np.zeros(len(rows), dtype=np.int64)
        value = rows.velocity
    else:
        pitch = np.where(np.isfinite(rows.reference_pitch), rows.reference_pitch, rows.pitch)
        voice, rank = np.array(VOICES)[voices(pitch, group)], ranks_from_top(pitch, group)
        value = rows.dynamics_velocity
    return Observations.build(
        take=np.full(len(rows), number),
        bar=bar,
        cell=cell,
        beat=rows.reference_beat,
        group=group,
        rank=rank,
        voice=voice,
        timing_ms=_without_outliers(rows.timing_ms),
        value=value,
        velocity=rows.velocity,
        articulation_log2=rows.articulation_log2,
    )


def _without_outliers(timing_ms: np.ndarray) -> np.ndarray:
    """Draw outliers in to 3.5 robust standard deviations (1.4826 MAD) from the median."""
    middle = float(np.median(timing_ms))
    reach = 3.5 * 1.4826 * float(np.median(np.abs(timing_ms - middle)))
    if len(timing_ms) < _ENOUGH or reach <= 0.0:
        return timing_ms
    return np.clip(timing_ms, middle - reach, middle + reach)


def codes(seen: Observations, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return (voice number, slot number) per row; voices not in ``names`` get the number after the last."""
    known = {name: i for i, name in enumerate(names)}
    voice = np.array([known.get(v, len(known)) for v in seen.voice], dtype=np.int64)
    # 4096 twelfths are 341 beats: no bar is longer (255/1 has 1020, and shares slots, which does no harm).
    return voice, voice * 4096 + np.clip(seen.cell, 0, 341 * TWELFTHS)
