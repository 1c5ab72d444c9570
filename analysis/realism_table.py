"""The notes of whole windows as flat columns, with everything the features of a window look at.

Conventions
-----------
Rows are in the order of the music (take, moment, onset, pitch), ``size`` rows a window, windows one after another; the
notes that do not fill a window at the end of a take are left out. Ornaments (flams, rolls) belong to the hit they
decorate: they are told in columns of that hit and are no rows of their own. A moment is a set of notes written at one
time; a moment cut by the edge of a window is two. NaN = not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core.columns import Columns, real, whole
from ..core.deviations import Deviations
from ..core.metrical import TWELFTHS, VOICES, cells, groups, voices
from ..core.timeline import Metre
from .observe import is_drum
from .window_sums import Cut

# The foot on the hi-hat is another limb than the hand: General MIDI pedal hi-hat.
_PEDAL_HAT = 44
DRUM_VOICES = ("kick", "snare", "hat", "foot", "ride", "tom", "crash", "other")
_SPOKEN = {"hat": "hi-hat", "foot": "hi-hat pedal", "tom": "toms"}
_DRUM_NAMES = re.compile(r"\b(hat|foot|tom)\b")
_MEASURED_VOICES = {"drums": DRUM_VOICES[:6], "keyboard": VOICES, "melody": ()}


@dataclass(frozen=True, eq=False)
class Rows(Columns):
    """A row per note.

    Parameters
    ----------
    take, moment, voice, bar, cell : whole numbers; ``cell`` in twelfths of a beat since the bar line
    twelfth : place on the reference in twelfths of a beat
    beat, onset_s, written_s, pitch : place and pitch; ``written_s`` on the reference's own clock
    beat_s : length of a beat here, seconds
    timing, velocity, dynamics, articulation : the deviations; ms, velocity (or dB), log2
    written_beats : written length, beats
    grace_ms, grace_velocity : how long before the note its ornament begins and how much softer it is
    """

    take: np.ndarray = whole()
    moment: np.ndarray = whole()
    voice: np.ndarray = whole()
    bar: np.ndarray = whole()
    cell: np.ndarray = whole()
    twelfth: np.ndarray = whole()
    beat: np.ndarray = real()
    onset_s: np.ndarray = real()
    duration_s: np.ndarray = real()
    written_s: np.ndarray = real()
    pitch: np.ndarray = real()
    beat_s: np.ndarray = real()
    timing: np.ndarray = real()
    velocity: np.ndarray = real()
    dynamics: np.ndarray = real()
    articulation: np.ndarray = real()
    written_beats: np.ndarray = real()
    grace_ms: np.ndarray = real()
    grace_velocity: np.ndarray = real()


@dataclass(frozen=True)
class Table:
    """Rows cut into windows, and their moments.

    Parameters
    ----------
    rows : Rows [n = w * size]
    kind : ``"drums"``, ``"keyboard"`` or ``"melody"``
    size : int, notes a window
    notes : Cut of the rows
    moments : Cut of the moments [m]
    moment : ndarray of int64 [shape=(n,)], the moment of each row, rising
    """

    rows: Rows
    kind: str
    size: int
    notes: Cut
    moments: Cut
    moment: np.ndarray

    @property
    def voices(self) -> tuple[str, ...]:
        """Return the voices that have features of their own; their place is their number in ``rows.voice``."""
        return _MEASURED_VOICES[self.kind]

    def of_moment(self, x: np.ndarray) -> np.ndarray:
        """Return the mean of each moment's known values [shape=(m,)]."""
        known = np.isfinite(x)
        n = np.bincount(self.moment, known, len(self.moments.window))
        total = np.bincount(self.moment, np.where(known, x, 0.0), len(self.moments.window))
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)

    def of_voice(self, x: np.ndarray, voice: int) -> np.ndarray:
        """Return each moment's value of a voice, the first by onset; NaN where it is silent [shape=(m,)]."""
        out = np.full(len(self.moments.window), np.nan)
        index = np.flatnonzero(self.rows.voice == voice)[::-1]
        out[self.moment[index]] = x[index]
        return out

    def written_steps(self) -> np.ndarray:
        """Return the written time from the moment before, seconds [shape=(m,)]."""
        return self.moments.step(self.of_moment(self.rows.written_s))

    def moment_size(self) -> np.ndarray:
        """Return how many notes each moment has [shape=(m,)]."""
        return np.bincount(self.moment, minlength=len(self.moments.window))


@dataclass
class Sheet:
    """The features found so far, a column of one value a window each, with what each is in words."""

    values: dict[str, np.ndarray] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, words: str, values: np.ndarray) -> None:
        """Add one feature."""
        self.values[name] = values
        self.words[name] = _DRUM_NAMES.sub(lambda found: _SPOKEN[found[0]], words)


def table_of(takes: Sequence[Deviations], kind: str, size: int) -> Table:
    """Lay the notes of several takes out in windows."""
    by_velocity = any(np.isfinite(d.notes.velocity).any() for d in takes)
    parts = [_rows_of(d, kind, number, by_velocity) for number, d in enumerate(takes)]
    parts = [part.rows(slice(0, len(part) // size * size)) for part in parts]
    rows = Rows.concatenate(parts) if parts else Rows.build(0)
    count = len(rows) // size
    window = np.repeat(np.arange(count), size)
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(window) != 0) | (np.diff(rows.moment) != 0)
    moment = np.cumsum(new) - 1
    return Table(rows, kind, size, Cut(window, count), Cut(window[new], count), moment)


def _rows_of(d: Deviations, kind: str, number: int, by_velocity: bool) -> Rows:
    notes, drums = d.notes, is_drum(d)
    known = (notes.label == "match") & np.isfinite(notes.reference_beat) & np.isfinite(notes.onset_s)
    known &= drums if kind == "drums" else ~drums
    plain = np.flatnonzero(known & (notes.ornament == ""))
    if not len(plain):
        return Rows.build(0)
    loud = notes.velocity if by_velocity else notes.level_db
    grace_ms, grace_velocity = _graces(notes, loud, plain, np.flatnonzero(known & (notes.ornament != "")))
    kept = notes.rows(plain)
    beat = kept.reference_beat
    group = groups(beat, np.zeros(len(kept), dtype=np.int64))
    pitch = np.where(np.isfinite(kept.reference_pitch), kept.reference_pitch, kept.pitch)
    bar, cell = cells(beat, d.metre)
    # In bars of four beats the cell counts whole twelfths through, whatever the metre.
    bar_of_four, within = cells(beat, Metre())
    written_s, beat_s = _clock(d, beat, kept.onset_s)
    rows = Rows.build(
        len(kept),
        take=np.full(len(kept), number),
        moment=group,
        voice=_drum_voices(kept.instrument, kept.pitch) if kind == "drums" else _voices(kind, pitch, group),
        # Whole columns keep -1 for none: upbeats before bar 0 are moved up.
        bar=bar - min(0, int(bar.min())),
        cell=cell,
        twelfth=(twelfth := bar_of_four * 4 * TWELFTHS + within) - min(0, int(twelfth.min())),
        beat=beat,
        onset_s=kept.onset_s,
        duration_s=kept.duration_s,
        written_s=written_s,
        pitch=pitch,
        beat_s=beat_s,
        timing=kept.timing_ms,
        velocity=loud[plain],
        dynamics=kept.dynamics_velocity if by_velocity else kept.dynamics_db,
        articulation=kept.articulation_log2,
        written_beats=kept.reference_duration_beat,
        grace_ms=grace_ms,
        grace_velocity=grace_velocity,
    )
    return rows.rows(np.lexsort((pitch, kept.onset_s, group)))


def _clock(d: Deviations, beat: np.ndarray, onset_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (written time, length of a beat) of each note, seconds; from the playing where there is no clock."""
    if d.reference.get("tempo_map"):
        clock = d.reference_timeline
        return clock.seconds_at(beat), 60.0 / clock.tempo_bpm_at(beat)
    span = float(np.ptp(beat))
    beat_s = float(np.ptp(onset_s)) / span if span > 0.0 else np.nan
    return beat * beat_s, np.full(len(beat), beat_s)


def _drum_voices(instrument: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    names = np.where((instrument == "hat") & (pitch == _PEDAL_HAT), "foot", instrument)
    out = np.full(len(names), DRUM_VOICES.index("other"), dtype=np.int64)
    for number, name in enumerate(DRUM_VOICES):
        out[names == name] = number
    return out


def _voices(kind: str, pitch: np.ndarray, group: np.ndarray) -> np.ndarray:
    return voices(pitch, group) if kind == "keyboard" else np.zeros(len(pitch), dtype=np.int64)


def _graces(
    notes: Columns, loud: np.ndarray, plain: np.ndarray, ornaments: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (ms before, velocity below) of the first ornament of each plain note; NaN where it has none."""
    early, softer = np.full(len(plain), np.nan), np.full(len(plain), np.nan)
    onset_s, instrument = notes.onset_s, notes.instrument  # type: ignore[attr-defined]
    for name in np.unique(instrument[ornaments]):
        hits = np.flatnonzero(instrument[plain] == name)
        if not len(hits):
            continue
        hits = hits[np.argsort(onset_s[plain[hits]], kind="stable")]
        times = onset_s[plain[hits]]
        mine = ornaments[instrument[ornaments] == name]
        mine = mine[np.argsort(onset_s[mine], kind="stable")[::-1]]
        right = np.clip(np.searchsorted(times, onset_s[mine]), 0, len(times) - 1)
        left = np.maximum(right - 1, 0)
        nearer = np.abs(times[left] - onset_s[mine]) < np.abs(times[right] - onset_s[mine])
        target = hits[np.where(nearer, left, right)]
        # Latest first, so that of several the earliest is written last and stays.
        early[target] = 1000.0 * (onset_s[plain[target]] - onset_s[mine])
        softer[target] = loud[plain[target]] - loud[mine]
    return early, softer
