"""Findings: what a take does differently from its reference, each in one sentence with its figures.

Conventions
-----------
The summary of live against studio: tempo, timing, dynamics, articulation, intonation, breath, friction and slips, in
this order. A finding is told only where it is sure: a difference beyond two standard errors (a bootstrap over runs of
eight notes where notes hang together), an event with a confidence of at least 0.7. Faster, late, louder, longer
and sharp are positive. See ``finding_words`` for what a finding holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from .finding_tempo import tempo_findings
from .finding_words import (
    Finding,
    bar_words,
    bars_of,
    clock_words,
    count_words,
    finding,
    list_words,
    number_words,
    reference_words,
)
from .slips import likely

_SURE = 2.0
_LEAST_NOTES = 8
_BLOCK_NOTES = 8
_RESAMPLES = 200
_SEED = 20
_LEAST_CONFIDENCE = 0.7
_EVENT_REACH_S = 0.5
_MOST_TIMES = 5
_SAME_S = 1e-6
_SLIP_WORDS = {
    "wrong": ("wrong note", "wrong notes"),
    "missed": ("missed note", "missed notes"),
    "added": ("added note", "added notes"),
    "repeated": ("repetition", "repetitions"),
    "hesitation": ("hesitation", "hesitations"),
    "ghosted": ("ghosted note", "ghosted notes"),
}
_PITCH_NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


def find_differences(deviations: Deviations) -> tuple[Finding, ...]:
    """Tell what a take does differently from its reference.

    Parameters
    ----------
    deviations : Deviations
        As measured; of a recording as the reference, ``reference`` holds what was measured on it alone (``summary``,
        ``breath``, ``friction``) and how it lies to the take (``transposition_cents``, ``parts``).

    Returns
    -------
    tuple of dict
        ``trace``, ``kind``, ``text``, ``figures``, ``start_s``, ``end_s`` and, where bar lines are known, ``bars``.
        One that says so where nothing differs; none where nothing was matched.
    """
    notes = deviations.notes
    if not (notes.label == "match").any():
        return ()
    if _is_identical(deviations):
        text = f"Nothing differs: every note of the take is where {reference_words(deviations)} has it."
        return (finding(deviations, "all", "identical", text, {"n": int((notes.label == "match").sum())}),)
    parts: tuple[Callable[[Deviations], list[Finding]], ...] = (
        tempo_findings,
        _tightness,
        _dynamics,
        _articulation,
        _intonation,
        _breath,
        _friction,
        _slips,
    )
    return tuple(found for part in parts for found in part(deviations))


def _is_identical(deviations: Deviations) -> bool:
    """Tell whether both sides are the same, note for note, to the microsecond."""
    notes = deviations.notes
    if deviations.reference.get("kind") not in ("score", "take") or (notes.label != "match").any() or deviations.slips:
        return False
    late_s = notes.onset_s - notes.reference_onset_s
    same = np.isfinite(late_s).all() and np.ptp(late_s) < _SAME_S
    for ours, theirs in ((notes.velocity, notes.reference_velocity), (notes.level_db, notes.reference_level_db)):
        both = np.isfinite(ours) & np.isfinite(theirs)
        same &= bool((np.abs(ours[both] - theirs[both]) < _SAME_S).all())
    longer = notes.articulation_log2[np.isfinite(notes.articulation_log2)]
    if notes.reference_level_db.size and np.isfinite(notes.reference_level_db).any():
        longer = longer[:0]  # where a recorded note ends is a matter of hearing
    return bool(same and (np.abs(longer) < 1e-3).all() and not _unmatched(deviations, "breath"))


def _main(deviations: Deviations) -> np.ndarray:
    return (deviations.notes.label == "match") & (deviations.notes.ornament == "")


def _tightness(deviations: Deviations) -> list[Finding]:
    notes = deviations.notes.rows(_main(deviations))
    known = np.isfinite(notes.timing_ms)
    timing = notes.timing_ms[known]
    if len(timing) < _LEAST_NOTES:
        return []
    doubt = notes.onset_uncertainty_ms[known]
    doubt_ms = float(np.median(doubt[np.isfinite(doubt)])) / 1.645 if np.isfinite(doubt).any() else 0.0
    off = np.abs(timing - np.median(timing))
    half, most = np.percentile(off, [50.0, 90.0])
    chords_ms = _chord_spreads_ms(notes.reference_beat[known], notes.onset_s[known])
    figures = {"half_within_ms": half, "ninety_percent_within_ms": most, "sd_ms": float(timing.std(ddof=1))}
    around = "the click" if deviations.reference.get("timing_basis") == "reference" else "the tempo curve"
    # Of a normal error, half lies within 0.67 standard deviations.
    if half <= 0.67 * doubt_ms:
        text = f"Single notes lie as near to {around} as can be measured here ({number_words(doubt_ms)} ms)."
        return [finding(deviations, "timing", "tightness", text, figures)]
    text = (
        f"Half of the notes lie within {number_words(half)} ms of {around}, nine in ten within {number_words(most)} ms"
    )
    if len(chords_ms) >= _LEAST_NOTES and np.median(chords_ms) > doubt_ms:
        figures["chord_spread_ms"] = float(np.median(chords_ms))
        text += f"; notes meant together are spread over {number_words(float(np.median(chords_ms)))} ms (median)"
    return [finding(deviations, "timing", "tightness", text + ".", figures)]


def _chord_spreads_ms(beat: np.ndarray, onset_s: np.ndarray) -> np.ndarray:
    """Return from first to last of the notes that are written together."""
    _, index, count = np.unique(np.round(beat, 6), return_inverse=True, return_counts=True)
    first_s, last_s = np.full(len(count), np.inf), np.full(len(count), -np.inf)
    np.minimum.at(first_s, index, onset_s)
    np.maximum.at(last_s, index, onset_s)
    return 1000.0 * (last_s - first_s)[count > 1]


def _dynamics(deviations: Deviations) -> list[Finding]:
    notes = deviations.notes.rows(_main(deviations))
    for ours, theirs, unit in (
        (notes.velocity, notes.reference_velocity, "velocity steps"),
        (notes.level_db, notes.reference_level_db, "dB"),
    ):
        known = ours[np.isfinite(ours)]
        if len(known) >= _LEAST_NOTES and np.ptp(known) > 0.0:
            return [_dynamics_range(deviations, ours, theirs, unit)]
    return []


def _dynamics_range(deviations: Deviations, ours: np.ndarray, theirs: np.ndarray, unit: str) -> Finding:
    both = np.isfinite(ours) & np.isfinite(theirs)
    if both.sum() < _LEAST_NOTES or np.ptp(theirs[both]) == 0.0:
        wide = _range(ours[np.isfinite(ours)])
        text = f"The notes' loudness ranges over {number_words(wide)} {unit} (5th to 95th percentile)."
        return finding(deviations, "dynamics", "range", text, {"range": wide, "unit": unit})
    mine, other = ours[both], theirs[both]
    wide, theirs_wide = _range(mine), _range(other)
    error = _bootstrap_error(lambda rows: _range(mine[rows]) - _range(other[rows]), len(mine))
    if abs(wide - theirs_wide) <= _SURE * error:
        text = f"The dynamics range as in the reference: over {number_words(wide)} {unit} (5th to 95th percentile)."
    else:
        way = "wider" if wide > theirs_wide else "narrower"
        text = (
            f"The dynamics range {way}: over {number_words(wide)} {unit} (5th to 95th percentile of the notes) "
            f"against {number_words(theirs_wide)} in the reference."
        )
    figures = {"range": wide, "reference_range": theirs_wide, "difference": wide - theirs_wide}
    return finding(deviations, "dynamics", "range", text, {**figures, "standard_error": error, "unit": unit})


def _range(values: np.ndarray) -> float:
    low, high = np.percentile(values, [5.0, 95.0])
    return float(high - low)


def _bootstrap_error(of_rows: Callable[[np.ndarray], float], count: int) -> float:
    """Return the standard error of a statistic, its rows drawn anew in runs."""
    random = np.random.default_rng(_SEED)
    length = min(_BLOCK_NOTES, max(count // 4, 1))
    blocks = -(-count // length)
    starts = random.integers(0, count - length + 1, (_RESAMPLES, blocks))
    inside = np.arange(length)
    return float(np.std([of_rows((row[:, None] + inside).ravel()[:count]) for row in starts], ddof=1))


def _articulation(deviations: Deviations) -> list[Finding]:
    notes = deviations.notes.rows(_main(deviations))
    longer = notes.articulation_log2[np.isfinite(notes.articulation_log2)]
    if len(longer) < 2 * _LEAST_NOTES:
        return []
    middle = float(np.median(longer))
    error = _bootstrap_error(lambda rows: float(np.median(longer[rows])), len(longer))
    percent = 100.0 * (2.0**middle - 1.0)
    if abs(middle) <= _SURE * error or abs(percent) < 1.0:
        return []
    written = "in the reference" if deviations.reference.get("kind") == "take" else "written"
    way = "longer" if percent > 0 else "shorter"
    text = f"Notes are held {number_words(abs(percent))} % {way} than {written} (median of {len(longer)} notes)."
    figures = {"percent": percent, "median_log2": middle, "standard_error_log2": error, "n": len(longer)}
    return [finding(deviations, "articulation", "length", text, figures)]


def _intonation(deviations: Deviations) -> list[Finding]:
    out = []
    reference = deviations.reference
    ours = deviations.summary.get("intonation", {})
    theirs = (reference.get("summary") or {}).get("intonation", {})
    shift = _number(reference.get("transposition_cents"))
    semitones = int(np.round(shift / 100.0)) if shift is not None else 0
    if semitones:
        way = "higher" if semitones > 0 else "lower"
        text = f"The take is {count_words(abs(semitones), 'semitone')} {way} than {reference_words(deviations)}."
        out.append(finding(deviations, "intonation", "key", text, {"semitones": semitones}))
    tuned, other = _number(ours.get("tuning_cents")), _number(theirs.get("tuning_cents"))
    if tuned is not None and other is not None:
        # Both are 90 % half widths, and both are known to a semitone only.
        doubt = np.hypot(
            _number(ours.get("tuning_uncertainty_cents")) or 0.0, _number(theirs.get("tuning_uncertainty_cents")) or 0.0
        )
        apart = (tuned - other + 50.0) % 100.0 - 50.0
        if abs(apart) > max(_SURE * doubt / 1.645, 1.0):
            way = "sharper" if apart > 0 else "flatter"
            text = f"It is tuned {number_words(abs(apart))} cents {way} than the reference."
            figures = {"cents": apart, "uncertainty_cents": doubt}
            out.append(finding(deviations, "intonation", "tuning", text, figures))
    return [*out, *_intonation_spread(deviations, ours, theirs)]


def _intonation_spread(deviations: Deviations, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Finding]:
    spread, n = _number(ours.get("sd")), int(ours.get("n") or 0)
    if spread is None or n < _LEAST_NOTES or spread <= 0.0:
        return []
    other, m = _number(theirs.get("sd")), int(theirs.get("n") or 0)
    text = f"The notes' pitches scatter by {number_words(spread)} cents (standard deviation)"
    figures: dict[str, Any] = {"sd_cents": spread, "n": n, "reference_sd_cents": other}
    if other is not None and m >= _LEAST_NOTES and other > 0.0:
        is_other = abs(np.log(spread / other)) > _SURE * np.sqrt(0.5 / (n - 1) + 0.5 / (m - 1))
        if is_other:
            text += f", {'more' if spread > other else 'less'} than in the reference: {number_words(other)} cents"
        else:
            text += f", as in the reference ({number_words(other)} cents)"
    return [finding(deviations, "intonation", "spread", f"{text}.", figures)]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


def _breath(deviations: Deviations) -> list[Finding]:
    return _events(deviations, "breath", "breath", "breaths")


def _friction(deviations: Deviations) -> list[Finding]:
    sound = deviations.notes.sound[deviations.notes.sound != ""]
    if len(sound) and np.mean(sound == "percussive") > 0.5:
        return []  # among drums most of what sounds like a finger or a string is a drum
    return _events(deviations, "friction", "friction noise", "friction noises")


def _sure(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [e for e in events if e.get("confidence") is None or float(e["confidence"]) >= _LEAST_CONFIDENCE]


def _unmatched(deviations: Deviations, trace: str) -> list[Mapping[str, Any]] | None:
    """Return the take's events, within the common music, that the reference does not have; None: it is no recording."""
    theirs = deviations.reference.get(trace)
    knots = deviations.alignment
    if theirs is None or len(knots) < 2:
        return None
    # The reference's doubtful events count: they may be the same one heard worse.
    at_s = np.array([float(e["start_s"]) for e in theirs])
    at_s = np.interp(at_s, knots.reference_s, knots.time_s, left=np.inf, right=np.inf)
    out = []
    for event in _sure(getattr(deviations, trace)):
        start_s = float(event["start_s"])
        inside = knots.time_s[0] <= start_s <= knots.time_s[-1]
        if inside and not (np.abs(at_s - start_s) <= _EVENT_REACH_S + float(event.get("duration_s") or 0.0)).any():
            out.append(event)
    return out


def _events(deviations: Deviations, trace: str, one: str, several: str) -> list[Finding]:
    events = _sure(getattr(deviations, trace))
    only = _unmatched(deviations, trace)
    told = events if only is None else only
    if not told:
        return []
    loudest = max((_number(e.get("level_db")) or -np.inf for e in told), default=-np.inf)
    figures: dict[str, Any] = {"n": len(told), "n_take": len(events)}
    text = f"{count_words(len(told), one, several)} {'is' if len(told) == 1 else 'are'} heard"
    if only is not None:
        figures["n_reference"] = len(_sure(deviations.reference[trace]))
        text += " that the reference does not have"
    times = [clock_words(float(e["start_s"])) for e in told]
    shown = list_words(times) if len(times) <= _MOST_TIMES else f"{', '.join(times[:_MOST_TIMES])} and later"
    text += f" (at {shown}"
    if np.isfinite(loudest):
        figures["loudest_db"] = loudest
        text += f"; the loudest at {loudest:.0f} dB, full scale 0 dB" if len(told) > 1 else f"; at {loudest:.0f} dB"
    span_s = float(told[0]["start_s"]), float(told[-1]["start_s"]) + float(told[-1].get("duration_s") or 0.0)
    return [finding(deviations, trace, "only_in_take" if only is not None else "heard", f"{text}).", figures, span_s)]


def _slips(deviations: Deviations) -> list[Finding]:
    if deviations.reference.get("kind") not in ("score", "take"):
        return []
    slips = likely(deviations.slips)
    if not slips:
        return []
    counted = {kind: sum(s["kind"] == kind for s in slips) for kind in _SLIP_WORDS}
    named = [count_words(n, *_SLIP_WORDS[kind]) for kind, n in counted.items() if n]
    largest = sorted(slips, key=_weight, reverse=True)[:3]
    told = [_slip_words(deviations, slip) for slip in largest]
    text = f"{count_words(len(slips), 'slip')}: {list_words(named)}. "
    text += f"{'The largest' if len(slips) > len(largest) else 'Namely'}: {'; '.join(told)}."
    if len(slips) == 1:
        text = f"1 slip: {told[0]}."
    figures = {"n": len(slips), **counted}
    at = [float(s["time_s"]) for s in slips if s.get("time_s") is not None]
    return [finding(deviations, "slips", "slips", text, figures, (min(at), max(at)) if at else None)]


def _weight(slip: Mapping[str, Any]) -> float:
    """Return how much a slip disturbs: seconds lost, else notes; of single notes the surer ones."""
    lost_s = _number(slip.get("duration_s")) or 0.0
    return lost_s + 0.1 * float(slip.get("n_notes") or 1) + 0.05 * float(_number(slip.get("confidence")) or 0.0)


def _slip_words(deviations: Deviations, slip: Mapping[str, Any]) -> str:
    kind = str(slip["kind"])
    notes, lost_s = int(slip.get("n_notes") or 1), _number(slip.get("duration_s"))
    played, written = _number(slip.get("pitch_played")), _number(slip.get("pitch_written"))
    if kind == "hesitation":
        said = f"a hesitation of {number_words(lost_s or 0.0)} s"
    elif notes > 1:
        way = {"wrong": "played wrong", "missed": "passed over", "repeated": "played again"}.get(kind, "added")
        said = f"{notes} notes {way}"
        if kind == "repeated" and lost_s:
            said += f", which takes {number_words(lost_s)} s"
    elif kind == "wrong" and played is not None and written is not None:
        said = f"{_note_name(deviations, slip, played)} for {_note_name(deviations, slip, written)}"
    else:
        pitch = written if kind == "missed" else played
        name = f" {_note_name(deviations, slip, pitch)}" if pitch is not None else ""
        said = {"missed": f"a missed{name or ' note'}", "repeated": f"{name.strip() or 'a note'} struck again"}.get(
            kind, f"an added{name or ' note'}"
        )
    beat = _number(slip.get("beat"))
    bars = bars_of(deviations, beat, beat) if beat is not None else None
    where = f" in {bar_words(bars)}" if bars else ""
    time_s = _number(slip.get("time_s"))
    return f"{said}{where}" + (f" at {clock_words(time_s)}" if time_s is not None else "")


def _note_name(deviations: Deviations, slip: Mapping[str, Any], pitch: float) -> str:
    """Return a note's name, of a drum the drum's."""
    notes = deviations.notes
    own = (notes.slip_id == slip.get("slip_id", -1)) & (notes.slip_id >= 0) & (notes.channel == 9)
    keys = np.where(np.isfinite(notes.pitch), notes.pitch, notes.reference_pitch)
    rows = np.flatnonzero(own & (notes.instrument != "") & ((keys == pitch) | (notes.reference_pitch == pitch)))
    return str(notes.instrument[rows[0]]) if len(rows) else _pitch_name(pitch)


def _pitch_name(pitch: float) -> str:
    number = int(np.round(pitch))
    return f"{_PITCH_NAMES[number % 12]}{number // 12 - 1}" if 0 <= number < 128 else "a note"
