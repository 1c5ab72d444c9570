"""The Deviations table: one type for what was measured and for what was invented.

Conventions
-----------
Late, sharp, louder and longer are positive. Times are seconds, positions beats (a beat is a quarter note).

A document holds a row per reference note (``label`` match or deletion) plus one per added note (insertion), in time
order; the tempo, level and pitch curves; the lists of events. Each row holds both the total (``onset_s``,
``duration_s``, ``velocity``: what is heard) and its parts (``timing_ms``, ``articulation_log2``,
``dynamics_velocity``):

    onset_s    = basis(reference_beat) + (latency_ms + timing_ms) / 1000
    velocity   = level at the onset + dynamics_velocity
    duration_s = 2 ** articulation_log2 * (the written duration in local time)

``basis`` is the reference's own clock where ``reference["timing_basis"]`` is ``"reference"`` (a click: the tempo curve
is told beside the timing, not subtracted) and the tempo curve where it is ``"tempo"`` (a score played freely, a take,
or nothing).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .columns import Columns, real, text, whole
from .errors import TakeprintError
from .timeline import Metre, Timeline

SCHEMA = "takeprint.deviations/1"
_LONGEST_LATENCY_MS = 1e9
TRACES = ("tempo", "timing", "dynamics", "articulation", "intonation", "breath", "friction", "slips")


@dataclass(frozen=True, eq=False)
class DeviationNotes(Columns):
    """A row per reference note plus one per added note, in time order.

    Parameters
    ----------
    label : ``"match"``, ``"deletion"`` (in the reference only) or ``"insertion"`` (in the take only)
    confidence : 0 to 1, how sure the label is
    reference_index, take_index : row of the note in the reference's and the take's ``Notes``; -1 for none
    track, channel : of the reference note, of the take's note for an insertion
    reference_beat, reference_duration_beat : where and how long it is written, beats
    reference_velocity, reference_onset_s, reference_pitch : what is written; seconds on the reference's own clock
    reference_level_db : how loud the reference's own note is, dB, where the reference is a recording
    onset_s, onset_uncertainty_ms, duration_s, pitch, velocity, level_db, instrument : what is heard
    sound : ``"percussive"``, ``"plucked"``, ``"struck"`` or ``"sustained"``: how a sound in a recording begins
    timing_ms, dynamics_velocity, dynamics_db, articulation_log2, intonation_cents : the deviations
    intonation_uncertainty_cents : half width of the 90 % interval of ``intonation_cents``
    drift_cents : how far the pitch glides over the note, its vibrato apart
    vibrato_rate_hz, vibrato_extent_cents, vibrato_delay_s : modulation of the pitch; the extent is half of peak to
        peak, the delay counts from the onset; NaN where there is none
    ornament : ``""``; ``"flam"`` or ``"roll"``, a note that belongs to the hit it decorates and moves with it;
        ``"trill"`` or ``"mordent"``, an added note that shakes a written one; ``"chord"``, a sound of a spread chord
        that only one of two recordings tells apart
    slip_id : rows that share one slip (a wrong note = a deletion and an insertion); -1 for none
    """

    label: np.ndarray = text()
    confidence: np.ndarray = real()
    reference_index: np.ndarray = whole()
    take_index: np.ndarray = whole()
    track: np.ndarray = whole()
    channel: np.ndarray = whole()
    reference_beat: np.ndarray = real()
    reference_duration_beat: np.ndarray = real()
    reference_velocity: np.ndarray = real()
    reference_onset_s: np.ndarray = real()
    reference_pitch: np.ndarray = real()
    onset_s: np.ndarray = real()
    onset_uncertainty_ms: np.ndarray = real()
    duration_s: np.ndarray = real()
    pitch: np.ndarray = real()
    velocity: np.ndarray = real()
    level_db: np.ndarray = real()
    instrument: np.ndarray = text()
    sound: np.ndarray = text()
    timing_ms: np.ndarray = real()
    dynamics_velocity: np.ndarray = real()
    dynamics_db: np.ndarray = real()
    articulation_log2: np.ndarray = real()
    intonation_cents: np.ndarray = real()
    intonation_uncertainty_cents: np.ndarray = real()
    drift_cents: np.ndarray = real()
    vibrato_rate_hz: np.ndarray = real()
    vibrato_extent_cents: np.ndarray = real()
    vibrato_delay_s: np.ndarray = real()
    reference_level_db: np.ndarray = real()
    ornament: np.ndarray = text()
    slip_id: np.ndarray = whole()


@dataclass(frozen=True, eq=False)
class TempoCurve(Columns):
    """Knots of the performed tempo: ``beat`` -> ``time_s``, and the tempo right after each knot, bpm.

    ``tempo_uncertainty_bpm`` is the half width of the 90 % interval of ``tempo_bpm``; NaN where it is not known, as in
    invented and scaled curves, and across a pause. It may be left out.
    """

    beat: np.ndarray = real()
    time_s: np.ndarray = real()
    tempo_bpm: np.ndarray = real()
    tempo_uncertainty_bpm: np.ndarray = field(default=None, metadata={"kind": "real"})  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        if self.tempo_uncertainty_bpm is None:
            object.__setattr__(self, "tempo_uncertainty_bpm", np.full(len(self.beat), np.nan))
        super().__post_init__()


@dataclass(frozen=True, eq=False)
class LevelCurve(Columns):
    """The local level that dynamics is measured from: velocity for MIDI, dB for audio."""

    time_s: np.ndarray = real()
    level: np.ndarray = real()


@dataclass(frozen=True, eq=False)
class PitchCurve(Columns):
    """Fundamental frequency over time; ``pitch_hz`` NaN where unvoiced."""

    time_s: np.ndarray = real()
    pitch_hz: np.ndarray = real()
    confidence: np.ndarray = real()


@dataclass(frozen=True, eq=False)
class AlignmentKnots(Columns):
    """Knots of the monotone map from the reference's time to the take's time, seconds."""

    reference_s: np.ndarray = real()
    time_s: np.ndarray = real()


Event = Mapping[str, Any]


def _empty(kind: type[Columns]) -> Any:
    return field(default_factory=lambda: kind.build(0))


@dataclass(frozen=True)
class Deviations:
    """What a player did, or could have done, against a reference: see the module's Conventions.

    Parameters
    ----------
    notes : DeviationNotes
    tempo : TempoCurve
        Empty where no tempo is known.
    level, pitch_curve, alignment : LevelCurve, PitchCurve, AlignmentKnots
    breath, friction, slips : tuple of dict
        Events as in the schema.
    take : dict
        ``name, sha256, kind (midi|audio|none), duration_s, sample_rate, channels, frames, peak``.
    reference : dict
        ``kind (score|click|take|none), name, sha256, metre, tempo_map {beat, time_s}, timing_basis`` and more.
    latency_ms : float
        The constant lateness, apart from timing; NaN where it cannot be known.
    summary, findings, repairs, warnings
        Statistics a trace; what they say, a sentence each; what was mended; every doubt about the input in words.
    """

    notes: DeviationNotes = _empty(DeviationNotes)
    tempo: TempoCurve = _empty(TempoCurve)
    level: LevelCurve = _empty(LevelCurve)
    pitch_curve: PitchCurve = _empty(PitchCurve)
    alignment: AlignmentKnots = _empty(AlignmentKnots)
    breath: tuple[Event, ...] = ()
    friction: tuple[Event, ...] = ()
    slips: tuple[Event, ...] = ()
    take: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: float = 0.0
    summary: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Event, ...] = ()
    repairs: tuple[Event, ...] = ()
    warnings: tuple[str, ...] = ()

    def replace(self, **parts: Any) -> Deviations:
        """Return a copy with the given parts exchanged."""
        return replace(self, **parts)

    @property
    def metre(self) -> Metre:
        """The reference's metre; 4/4 where none is known."""
        return Metre.from_list(self.reference.get("metre", []))

    @property
    def reference_timeline(self) -> Timeline:
        """The reference's own clock, beats to seconds.

        Raises
        ------
        TakeprintError
            When the reference has no tempo map.
        """
        tempo_map = self.reference.get("tempo_map")
        if not tempo_map:
            raise TakeprintError("the deviations hold no tempo map", rule="a reference's clock is needed here")
        return Timeline.from_dict(tempo_map)

    @property
    def basis(self) -> Timeline:
        """The clock that ``timing_ms`` is counted from: the tempo curve or the reference's own."""
        if self.reference.get("timing_basis") == "tempo" and len(self.tempo) >= 2:
            return Timeline(self.tempo.beat, self.tempo.time_s)
        return self.reference_timeline

    def scaled(self, amount: float = 1.0, **traces: float) -> Deviations:
        """Return the deviations with every trace multiplied: 0 is the reference, 1 as it is, negative inverts.

        Parameters
        ----------
        amount : float
            Over all; multiplies each trace's own.
        **traces : float
            Amounts by trace name, default 1.

        Raises
        ------
        TakeprintError
            For an unknown trace or an amount that is not finite.
        """
        from .scaling import scale

        return scale(self, amount, traces)

    def to_json(self) -> dict[str, Any]:
        """Return the document as schema ``takeprint.deviations/1`` has it; None = not known."""
        known = np.isfinite(self.latency_ms)
        return {
            "schema": SCHEMA,
            "take": dict(self.take),
            "reference": dict(self.reference),
            "latency_ms": float(self.latency_ms) if known else None,
            "notes": self.notes.to_dict(),
            "alignment": self.alignment.to_dict(),
            "tempo": self.tempo.to_dict(),
            "level": self.level.to_dict(),
            "pitch_curve": self.pitch_curve.to_dict(),
            "breath": [dict(e) for e in self.breath],
            "friction": [dict(e) for e in self.friction],
            "slips": [dict(e) for e in self.slips],
            "summary": dict(self.summary),
            "findings": [dict(e) for e in self.findings],
            "repairs": [dict(e) for e in self.repairs],
            "warnings": list(self.warnings),
        }

    def dumps(self) -> str:
        """Return the document as one JSON text; NaN never occurs in it."""
        return json.dumps(finite(self.to_json()), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"

    @classmethod
    def from_json(cls, document: Any, where: str | None = None) -> Deviations:
        """Read what ``to_json`` wrote.

        Raises
        ------
        TakeprintError
            Unless the document is of schema ``takeprint.deviations/1``.
        """
        if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
            found = document.get("schema") if isinstance(document, Mapping) else type(document).__name__
            raise TakeprintError(
                f"schema is {found!r}",
                where=where,
                rule=f"a deviations document says {SCHEMA!r}",
                remedy="make one with `takeprint measure TAKE -o DEV.json`",
            )
        try:
            found = cls(
                notes=DeviationNotes.from_dict(document["notes"]),
                tempo=TempoCurve.from_dict(document["tempo"]),
                level=LevelCurve.from_dict(document.get("level", {})),
                pitch_curve=PitchCurve.from_dict(document.get("pitch_curve", {})),
                alignment=AlignmentKnots.from_dict(document.get("alignment", {})),
                breath=_events(document, "breath"),
                friction=_events(document, "friction"),
                slips=_events(document, "slips"),
                take=_mapping(document, "take"),
                reference=_mapping(document, "reference"),
                latency_ms=_latency(document.get("latency_ms")),
                summary={trace: _mapping(document["summary"], trace) for trace in _mapping(document, "summary")},
                findings=_events(document, "findings"),
                repairs=_events(document, "repairs"),
                warnings=tuple(str(said) for said in _list(document, "warnings")),
            )
            if found.reference.get("tempo_map"):
                Timeline.from_dict(found.reference["tempo_map"])
            Metre.from_list(found.reference.get("metre", []))
            return found
        except TakeprintError as wrong:
            if where is None or wrong.where is not None:
                raise
            raise TakeprintError(wrong.problem, where=where, rule=wrong.rule, remedy=wrong.remedy) from wrong
        except KeyError as wrong:
            raise TakeprintError(
                f"{wrong} is missing",
                where=where,
                rule="a deviations document has notes and tempo",
                remedy="measure the take again",
            ) from wrong

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the JSON document atomically; an existing file only with ``force``."""
        from .files import write_atomic

        write_atomic(path, self.dumps().encode(), force=force)

    @classmethod
    def load(cls, path: str | Path) -> Deviations:
        """Read a JSON document from a regular file."""
        from .files import read_regular

        data = read_regular(path, max_bytes=2_000_000_000)
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as wrong:
            raise TakeprintError(f"not JSON ({wrong})", where=str(path), rule="DEV.json is a JSON text") from wrong
        return cls.from_json(document, where=str(path))

    def to_csv(self, folder: str | Path, *, force: bool = False) -> list[Path]:
        """Write the tables as CSV into ``folder``; return their paths: see ``core.tables``."""
        from .tables import write_csv_tables

        return write_csv_tables(self, folder, force=force)


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    found = document.get(name, [])
    if not isinstance(found, list | tuple):
        raise TakeprintError(f"{name} is {type(found).__name__}", rule=f"{name} is a list")
    return list(found)


def _events(document: Mapping[str, Any], name: str) -> tuple[Event, ...]:
    found = _list(document, name)
    if not all(isinstance(event, Mapping) for event in found):
        raise TakeprintError(f"{name} holds something else than events", rule="an event maps names to values")
    return tuple(dict(event) for event in found)


def _mapping(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, Mapping):
        raise TakeprintError(f"{name} is {type(found).__name__}", rule=f"{name} maps names to values")
    return dict(found)


def _latency(value: Any) -> float:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LONGEST_LATENCY_MS:
        raise TakeprintError(
            f"latency_ms={str(value)[:40]}", rule="a latency is a finite number of milliseconds or null"
        )
    return float(value)


def finite(value: Any) -> Any:
    """Return a JSON-ready copy: numpy scalars as Python's, NaN and infinities as None, text that UTF-8 can hold."""
    if isinstance(value, str):
        # A file name that is no UTF-8 comes from the system with lone surrogates.
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {finite(str(k)): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
