"""Deviations for other programs: spreadsheets, Audacity, the tempo grid of a DAW.

Conventions
-----------
Each writer returns the whole file as bytes; who calls it writes them. Text is UTF-8. Late, louder and longer are
positive, as everywhere.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.deviations import Deviations, finite
from ..core.errors import TakeprintError
from ..core.timeline import Timeline
from .progress import one_line

TICKS_PER_BEAT = 960
_US_PER_S = 1e6
_MOST_BEATS = 1_000_000
_MAX_TEMPO_US = 0xFFFFFF  # a tempo event holds three bytes
_SHORTEST_US = 1.0


def export(deviations: Deviations, to: str) -> bytes:
    """Return the deviations in another format.

    Parameters
    ----------
    deviations : Deviations
    to : str
        ``"csv"``, ``"json"``, ``"audacity"``, ``"tempo-map"`` or ``"match"``.

    Raises
    ------
    TakeprintError
        For an unknown format, or deviations that hold no tempo where one is needed.
    """
    writers: dict[str, Callable[[Deviations], bytes]] = {
        "csv": to_csv,
        "json": to_json,
        "audacity": to_audacity,
        "tempo-map": to_tempo_map,
        "match": to_match,
    }
    if to not in writers:
        raise TakeprintError(f"format {to!r}", rule=f"formats are {', '.join(writers)}")
    return writers[to](deviations)


def to_csv(deviations: Deviations) -> bytes:
    """Return the notes as CSV: a header line of column names, then a row a note."""
    from ..core.tables import table_csv

    return table_csv(deviations.notes).encode("utf-8", "backslashreplace")


def to_match(deviations: Deviations) -> bytes:
    """Return a match file of version 1.0.0: the score, the performance and which note is which."""
    from ..core.match_write import match_text

    return match_text(deviations).encode()


def to_json(deviations: Deviations) -> bytes:
    """Return the document with one line a column or event, for reading and for line-wise comparison."""
    document = finite(deviations.to_json())
    return (_readable(document, 0) + "\n").encode("utf-8", "backslashreplace")


def _readable(value: Any, depth: int) -> str:
    if isinstance(value, dict) and value and depth < 2:
        pad = " " * (depth + 1)
        rows = [f"{pad}{json.dumps(k, ensure_ascii=False)}: {_readable(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + " " * depth + "}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        rows = [json.dumps(v, ensure_ascii=False, allow_nan=False) for v in value]
        return "[\n  " + ",\n  ".join(rows) + "\n ]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def to_audacity(deviations: Deviations) -> bytes:
    r"""Return an Audacity label track: ``start<TAB>end<TAB>text`` a line, in seconds and in time order.

    A note is a point label with its deviations, an event with a length is a region.
    """
    labels: list[tuple[float, float, str]] = []
    notes = deviations.notes
    for i in np.flatnonzero(np.isfinite(notes.onset_s)):
        labels.append((notes.onset_s[i], notes.onset_s[i], _note_text(deviations, int(i))))
    for i in np.flatnonzero((notes.label == "deletion") & np.isfinite(notes.reference_beat)):
        at = _heard_at(deviations, float(notes.reference_beat[i]))
        if at is not None:
            labels.append((at, at, f"missed {_sound(notes.instrument[i], notes.reference_pitch[i])}".strip()))
    for trace in ("breath", "friction"):
        for event in getattr(deviations, trace):
            start, length = event.get("start_s"), event.get("duration_s") or 0.0
            if start is not None:
                labels.append((start, start + length, str(event.get("kind") or trace)))
    for event in deviations.slips:
        if event.get("time_s") is not None and event.get("kind") not in ("missed", "added"):  # these are labelled above
            labels.append((event["time_s"], event["time_s"] + (event.get("duration_s") or 0.0), str(event.get("kind"))))
    labels.sort()
    return "".join(f"{a:.6f}\t{b:.6f}\t{one_line(t)}\n" for a, b, t in labels).encode("utf-8", "backslashreplace")


def _heard_at(deviations: Deviations, beat: float) -> float | None:
    """Return when a position of the reference comes in the take, seconds; None where no clock is known."""
    try:
        basis = deviations.basis
    except TakeprintError:
        return None
    latency_s = deviations.latency_ms / 1000.0 if math.isfinite(deviations.latency_ms) else 0.0
    return float(basis.seconds_at(beat)) + latency_s


def _sound(instrument: str, pitch: float) -> str:
    if instrument:
        return str(instrument)
    if not math.isfinite(pitch):
        return ""
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    return f"{names[round(pitch) % 12]}{round(pitch) // 12 - 1}"  # middle C, 60, is C4


def _note_text(deviations: Deviations, i: int) -> str:
    notes = deviations.notes
    said = [_sound(notes.instrument[i], notes.pitch[i])]
    if notes.label[i] == "insertion":
        said.append("added")
    parts = (
        (notes.timing_ms[i], "{:+.1f} ms"),
        (notes.dynamics_velocity[i], "{:+.0f} vel"),
        (notes.dynamics_db[i], "{:+.1f} dB"),
        (notes.articulation_log2[i], "{:+.2f} log2"),
        (notes.intonation_cents[i], "{:+.0f} cents"),
    )
    said += [form.format(value) for value, form in parts if math.isfinite(value)]
    return " ".join(s for s in said if s) or "note"


def to_tempo_map(deviations: Deviations) -> bytes:
    """Return a MIDI file whose tempo map follows the take, with markers, and no notes.

    Its time 0 is the take's: before the first beat lies a lead-in (a bar of its own where that is shorter than a
    beat). Tempo events are rounded to microseconds a beat so that the error never adds up: every beat lies within
    a microsecond of the curve.

    Raises
    ------
    TakeprintError
        When the deviations hold neither a tempo curve nor a click.
    """
    import mido

    curve, first, last = _curve(deviations)
    start_s = float(curve.seconds_at(first))
    lead = _lead_in(start_s, float(curve.seconds_at(first + 1.0)) - start_s)
    positions = _positions(curve, first, last)
    lead_ticks = round(lead * TICKS_PER_BEAT)
    lead_in = range(
        0, lead_ticks, TICKS_PER_BEAT
    )  # a tempo event a beat here too: one for all would round too coarsely
    ticks = [*lead_in, *(lead_ticks + round((b - first) * TICKS_PER_BEAT) for b in positions)]
    times_s = [start_s * tick / lead_ticks for tick in lead_in] + curve.seconds_at(np.array(positions)).tolist()
    if lead_ticks == 0:
        times_s[0] = 0.0
    messages: list[tuple[int, int, Any]] = [(0, 0, mido.MetaMessage("track_name", name="takeprint tempo map"))]
    messages += [(t, 2, mido.MetaMessage("set_tempo", tempo=us)) for t, us in _tempi(ticks, times_s)]
    messages += [(t, 1, m) for t, m in _signatures(deviations, first, last, lead_ticks)]
    for at, text in _markers(deviations):
        beat = float(curve.beats_at(at)) - first
        tick = max(0, lead_ticks + round(beat * TICKS_PER_BEAT))
        messages.append((tick, 3, mido.MetaMessage("marker", text=text)))
    messages.sort(key=lambda m: m[:2])
    end = ticks[-1]
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in messages:
        if tick <= end:
            track.append(message.copy(time=tick - now))
            now = tick
    track.append(mido.MetaMessage("end_of_track", time=end - now))
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def _curve(deviations: Deviations) -> tuple[Timeline, float, float]:
    """Return the performed beats to seconds, and the first and last whole beat to write."""
    if len(deviations.tempo) >= 2:
        curve = Timeline(deviations.tempo.beat, deviations.tempo.time_s)
    elif deviations.reference.get("tempo_map"):
        curve = deviations.reference_timeline
    else:
        raise TakeprintError(
            "the deviations hold no tempo curve and no click",
            rule="a tempo map needs one of them",
            remedy="measure the take against a click or a score",
        )
    known = deviations.notes.onset_s[np.isfinite(deviations.notes.onset_s)]
    ends = [float(curve.beats_at(t)) for t in (known.min(), known.max())] if len(known) else []
    span = [*ends, *deviations.tempo.beat.tolist()] or curve.beat.tolist()
    farthest = max(map(abs, span))
    if not farthest <= _MOST_BEATS:
        raise TakeprintError(f"a note {farthest:.3g} beats away", rule="a tempo map has at most a million beats")
    first = math.floor(min(span) + 1e-9)
    # The file's clock begins with the take's: beats before it cannot be written.
    first = max(first, math.ceil(float(curve.beats_at(0.0)) - 1e-9))
    last = max(math.ceil(max(span) - 1e-9), first + 1)
    if last - first > _MOST_BEATS:
        raise TakeprintError(f"{last - first} beats", rule="a tempo map has at most a million beats")
    return curve, float(first), float(last)


def _lead_in(start_s: float, beat_s: float) -> float:
    """Return how many beats lie before the first: 0, a quarter, a half or whole ones, nearest to its tempo."""
    if start_s * _US_PER_S < _SHORTEST_US:
        return 0.0
    wanted = max(start_s / beat_s, start_s * _US_PER_S / _MAX_TEMPO_US)
    if wanted <= 0.75:
        return 0.25 if wanted < 0.375 else 0.5
    return float(math.ceil(wanted)) if wanted > 16 else float(max(1, round(wanted)))


def _positions(curve: Timeline, first: float, last: float) -> list[float]:
    """Return the beats that get a tempo event: every whole beat, and the curve's own knots between them."""
    inside = curve.beat[(curve.beat > first) & (curve.beat < last)]
    ticks = {round((b - first) * TICKS_PER_BEAT) for b in inside}
    ticks |= {k * TICKS_PER_BEAT for k in range(round(last - first) + 1)}
    return [first + t / TICKS_PER_BEAT for t in sorted(ticks)]


def _tempi(ticks: list[int], times_s: list[float]) -> list[tuple[int, int]]:
    """Return (tick, microseconds a beat), each chosen from where the rounding of the ones before has led."""
    out = []
    reached_us = 0.0
    for i in range(len(ticks) - 1):
        beats = (ticks[i + 1] - ticks[i]) / TICKS_PER_BEAT
        tempo = round((times_s[i + 1] * _US_PER_S - reached_us) / beats)
        tempo = min(max(tempo, 1), _MAX_TEMPO_US)
        out.append((ticks[i], tempo))
        reached_us += tempo * beats
    return out


def _signatures(deviations: Deviations, first: float, last: float, lead_ticks: int) -> list[tuple[int, Any]]:
    import mido

    out = []
    if lead_ticks:
        quarters = lead_ticks / TICKS_PER_BEAT
        top, bottom = {0.25: (1, 16), 0.5: (1, 8)}.get(quarters, (min(round(quarters), 255), 4))
        out.append((0, mido.MetaMessage("time_signature", numerator=top, denominator=bottom)))
    changes = deviations.metre.changes
    holding = [c for c in changes if c[0] <= first][-1:] or changes[:1]
    for beat, top, bottom in [(first, *holding[0][1:]), *(c for c in changes if first < c[0] <= last)]:
        tick = lead_ticks + round((beat - first) * TICKS_PER_BEAT)
        out.append((tick, mido.MetaMessage("time_signature", numerator=top, denominator=bottom)))
    return out


def _markers(deviations: Deviations) -> list[tuple[float, str]]:
    """Return (seconds, text) of what a listener wants to find again."""
    out = []
    for trace in ("breath", "friction", "slips"):
        for event in getattr(deviations, trace):
            at = event.get("start_s", event.get("time_s"))
            if at is not None and math.isfinite(at):
                out.append((float(at), one_line(event.get("kind") or trace)))
    return sorted(out)
