"""What a person reads: summaries of measurements, performances, comparisons and files.

Conventions
-----------
Plain text, one fact a line, units always said, late, louder and longer positive. Bounds are 95 % confidence bounds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from .progress import one_line

_MOST_WARNINGS = 12
_MOST_LISTED = 8


def _known(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def number(value: Any, digits: int = 1, sign: bool = False) -> str:
    """Return a figure, or ``unknown``."""
    if not _known(value):
        return "unknown"
    said = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return said if float(said) != 0.0 else f"{0.0:.{digits}f}"  # never "-0.0"


def count(n: Any, thing: str) -> str:
    """Return a number of things in words."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def clock(seconds: Any) -> str:
    """Return a length as ``m:ss.s``."""
    if not _known(seconds):
        return "unknown length"
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def _line(name: str, said: str) -> str:
    return f"  {name:<13} {said}"


def _bounded(facts: Mapping[str, Any], value: str, low: str, high: str) -> str:
    said = number(facts.get(value), 2)
    if _known(facts.get(low)) and _known(facts.get(high)):
        said += f" ({number(facts[low], 2)} to {number(facts[high], 2)})"
    return said


def _memory(facts: Mapping[str, Any]) -> str:
    """Return lag-1 and DFA with their bounds, where the series is long enough to know them."""
    said = []
    if _known(facts.get("lag1")):
        said.append("lag-1 " + _bounded(facts, "lag1", "lag1_low", "lag1_high"))
    if _known(facts.get("dfa_exponent")):
        said.append("DFA " + _bounded(facts, "dfa_exponent", "dfa_low", "dfa_high"))
    return "; " + ", ".join(said) if said else ""


def reference_words(reference: Mapping[str, Any]) -> str:
    """Return what was measured against, in words."""
    kind = str(reference.get("kind") or "none")
    name = reference.get("name")
    tempo = _one_tempo(reference)
    if kind == "click":
        said = "a click" + (f" ({name})" if name else "")
        return said + (f" of {number(tempo)} bpm" if _known(tempo) else "")
    if kind == "none":
        return "the beat found in it"
    return f"the {kind} {name}" if name else f"a {kind}"


def _one_tempo(reference: Mapping[str, Any]) -> float | None:
    """Return the tempo of a reference that has only one, bpm."""
    tempo_map = reference.get("tempo_map")
    if not tempo_map:
        return None
    from ..core.timeline import Timeline

    timeline = Timeline.from_dict(tempo_map)
    bpm = timeline.tempo_bpm_at(timeline.beat[:-1])
    return float(bpm[0]) if np.ptp(bpm) < 0.05 else None


def measure_words(deviations: Deviations) -> list[str]:
    """Return the summary of a measurement, line by line."""
    take, summary = deviations.take, deviations.summary
    notes = deviations.notes
    labels = Counter(notes.label[(notes.label == "match") | (notes.ornament == "")].tolist())
    heard = labels["match"] + labels["insertion"]
    said = f"{take.get('name') or 'take'}: {count(heard, 'note')}, {clock(take.get('duration_s'))}"
    lines = [f"{said}, against {reference_words(deviations.reference)}"]
    if labels["deletion"] or labels["insertion"]:
        only = f"{labels['deletion']} not played, {labels['insertion']} added"
        lines.append(_line("matched", f"{labels['match']}, {only}"))
    latency = f"{number(deviations.latency_ms, 1, True)} ms, constant and kept apart"
    lines.append(
        _line("latency", latency if _known(deviations.latency_ms) else "unknown: nothing says when it was due")
    )
    lines.append(_line("tempo", _tempo_words(deviations)))
    lines += _trace_lines(deviations, summary)
    from ..analysis.slips import likely

    kinds = Counter(str(e.get("kind")) for e in likely(deviations.slips))
    nothing = "not known without a score" if _against_click(deviations) else "none"
    lines.append(_line("slips", ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())) or nothing))
    if deviations.reference.get("kind") in ("score", "take") and deviations.findings:
        lines.append("  what stands out:")
        lines += [f"    {one_line(str(found['text']))}" for found in deviations.findings]
    lines += doubt_lines(deviations.repairs, deviations.warnings)
    return lines


def _tempo_words(deviations: Deviations) -> str:
    bpm = deviations.tempo.tempo_bpm[np.isfinite(deviations.tempo.tempo_bpm)]
    if len(bpm) == 0:
        return "unknown"
    low, middle, high = np.percentile(bpm, [5, 50, 95])
    said = f"{number(float(middle))} bpm"
    if high - low >= 0.1:
        said += f", 90 % of it between {number(float(low))} and {number(float(high))}"
    facts = deviations.summary.get("tempo") or {}
    return said + _memory(facts)


def _trace_lines(deviations: Deviations, summary: Mapping[str, Any]) -> list[str]:
    lines = []
    facts = summary.get("timing") or {}
    if _known(facts.get("sd")):
        said = f"sd {number(facts['sd'])} ms, 95 % within {number(facts.get('p95'))} ms"
        lines.append(_line("timing", said + _memory(facts)))
    else:
        lines.append(_line("timing", "unknown"))
    facts = summary.get("dynamics") or {}
    unit = "dB" if deviations.take.get("kind") == "audio" else "velocity"
    lines.append(
        _line("dynamics", f"sd {number(facts['sd'])} {unit}{_memory(facts)}" if _known(facts.get("sd")) else "unknown")
    )
    facts = summary.get("articulation") or {}
    if _known(facts.get("median")):
        held = 100.0 * 2.0 ** facts["median"]
        said = f"{number(held, 0)} % of the written length"
        said += f", sd {number(facts['sd'], 2)} log2{_memory(facts)}" if _known(facts.get("sd")) else ", of one note"
        lines.append(_line("articulation", said))
    else:
        lines.append(_line("articulation", "not known without a score" if _against_click(deviations) else "unknown"))
    return lines + _sound_lines(deviations, summary)


def _sound_lines(deviations: Deviations, summary: Mapping[str, Any]) -> list[str]:
    """Return what only a recording tells: pitch, breaths and friction."""
    if deviations.take.get("kind") != "audio":
        return []
    lines = []
    facts = summary.get("intonation") or {}
    if _known(facts.get("sd")):
        said = f"sd {number(facts['sd'], 0)} cents, tuned to A4 = {number(facts.get('tuning_hz'))} Hz"
        if facts.get("n_vibrato"):
            said += f"; vibrato on {facts['n_vibrato']} of {count(facts['n'], 'note')}: "
            said += f"{number(facts.get('vibrato_rate_hz'))} Hz, ±{number(facts.get('vibrato_extent_cents'), 0)} cents"
        lines.append(_line("intonation", said))
    else:
        lines.append(_line("intonation", "not known: no single line of pitch"))
    for trace in ("breath", "friction"):
        events = getattr(deviations, trace)
        facts = summary.get(trace) or {}
        said = "none heard"
        if events:
            kinds = Counter(str(e.get("kind") or "noise") for e in events)
            said = f"{len(events)}, {number(facts.get('per_min'))} a minute"
            said += f", about {number(facts.get('median_level_db'), 0)} dB"
            if trace == "friction":
                said += f" ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))})"
        lines.append(_line(trace, said))
    return lines


def _against_click(deviations: Deviations) -> bool:
    return deviations.reference.get("kind") in ("click", "none")


def doubt_lines(repairs: Sequence[Any], warnings: Sequence[str]) -> list[str]:
    """Return every repair and every doubt about the input, a line each; many alike are counted."""
    said = []
    for repair in repairs:
        facts = repair if isinstance(repair, Mapping) else repair.to_dict()
        at = f"byte {facts['offset']}: " if facts.get("offset", -1) >= 0 else ""
        said.append(f"  repaired: {at}{one_line(facts['text'])}")
    said += [f"  note: {one_line(w)}" for w in warnings]
    if len(said) > _MOST_WARNINGS:
        rest = len(said) - _MOST_WARNINGS
        said = [*said[:_MOST_WARNINGS], f"  and {rest} more repairs and notes (all of them in the JSON)"]
    return said


def _listed(values: Sequence[Any]) -> str:
    rest = len(values) - _MOST_LISTED
    said = ", ".join(map(str, values[:_MOST_LISTED]))
    return f"{said} and {rest} more" if rest > 0 else said


def plain_lines(document: Mapping[str, Any], indent: int = 2) -> list[str]:
    """Return nested facts as ``name: value`` lines."""
    lines = []
    pad = " " * indent
    for name, value in document.items():
        label = str(name).replace("_", " ")
        if isinstance(value, Mapping) and value:
            lines.append(f"{pad}{label}:")
            lines += plain_lines(value, indent + 2)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            lines.append(f"{pad}{label}: {len(value)}")
        elif value not in (None, "", (), [], {}):
            shown = _listed(value) if isinstance(value, list | tuple) else value
            shown = f"{shown:.6g}" if isinstance(shown, float) else shown
            lines.append(f"{pad}{label}: {one_line(shown)}")
    return lines


def compare_words(comparison: Any) -> list[str]:
    """Return a comparison as a table a trace, and what gives the synthetic side away."""
    lines = [
        f"{_side(comparison.real)} (real) against {_side(comparison.synthetic)} (synthetic)",
        f"  {'':<13} {'real sd':>9} {'synth. sd':>9} {'distance':>9} {'p':>7}  {'effect':>6}",
    ]
    for trace, facts in comparison.traces.items():
        real, synthetic = facts["real"], facts["synthetic"]
        spread = "rate" if trace in ("breath", "friction", "slips") else "sd"
        cells = [number(side.get(spread), 2) for side in (real, synthetic)] + [number(facts.get("distance"), 2)]
        p_value = number(facts.get("p_value"), 4)
        row = " ".join(f"{cell:>9}" for cell in cells)
        lines.append(f"  {trace:<13} {row} {p_value:>7}  {number(facts.get('effect'), 2, True):>6}  {facts['unit']}")
    lines += [f"  {one_line(sentence)}" for sentence in comparison.sentences()]
    return lines


def _side(side: Mapping[str, Any]) -> str:
    takes = side["takes"]
    return one_line(takes[0]) if len(takes) == 1 else f"{len(takes)} takes"
