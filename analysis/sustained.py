"""Notes of one sustained line: when sung, bowed and blown notes begin, told by pitch and swell where nothing strikes.

Conventions
-----------
Times are seconds of the recording. A note of a line begins in one of three ways: out of silence or a consonant
(``"attack"``: the place where it rises above -40 dB of its own peak), by a change of pitch while the sound goes on
(``"slur"``: where the glide crosses the middle between both pitches), or on the same pitch after the sound has dipped
(``"again"``). Lines whose notes are struck or plucked are left to `analysis.onsets`.

Method
------
The voiced stretches of the pitch track are cut into plateaus: the piecewise constant course nearest to the curve, where
each step has a price that a vibrato does not pay and a short semitone does. Attacks are placed by `analysis.swells`.

References
----------
Mauch et al. 2015, Computer-aided melody note transcription using the Tony software, Proc. TENOR (notes as plateaus of
a pitch track). Potts 1952, Proc. Cambridge Phil. Soc. 48, 106-109 (a price for every change of state).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..core.columns import Columns, real, text
from .onsets import Onsets
from .pitch import PitchTrack, is_monophonic
from .swells import SHORTEST_S, again, amplitude, attack, dip_db

# Voiced stretches this near, s, are one where the sound goes on: in the gap it falls by less than this, dB.
_BRIDGE_S, _BRIDGE_DB = 0.07, 10.0
# The price of a step, cents x s: half a period of a wide vibrato (100 cents, 5 Hz) off its centre costs less, a
# semitone held for 0.2 s more than two of them.
_STEP_PRICE, _CAP_CENTS, _LEVEL_CENTS = 6.5, 150.0, 10.0
_LEAST_STEP_CENTS = 60.0
# Plateaus that move by this share of the step between them are none: the pitch glides.
_GLIDING = 0.6
# A step of pitch in a dip deeper than this is no slur: the sound begins anew.
_BREAK_DB = 10.0
# How far off a slur may be, ms, by how sure the pitch is about it: as of attacks in `analysis.swells`.
_SURE, _SLUR_MS = (0.65, 0.78, 0.89, 0.95), (32.0, 26.0, 8.0, 4.0)
# What `analysis.onsets` finds within this of a note vouches for it, s.
_VOUCHED_S = 0.05
# A line's pitch is at least so sure, and voiced in this share of what is loud. Its notes rise for at least so many ms
# and fall by at most so many dB in 0.18 s: plucked and struck ones fall by 2 to 4, blown ones may begin with a stroke.
_LEAST_CONFIDENCE, _LEAST_VOICED = 0.89, 0.7
_SUSTAINED = ((8.0, 1.0), (16.0, 2.0))
# What has a pitch and is so much softer than the line's notes is hum in a pause, dB.
_HUM_DB = -40.0
# Slower than this, ms from a tenth to nine tenths of the amplitude, nothing struck the sound.
_SLOW_MS = 9.0


@dataclass(frozen=True, eq=False)
class SustainedNotes(Columns):
    """The notes of a sustained line, in order of time.

    Parameters
    ----------
    onset_s, end_s : ndarray [shape=(n,)], seconds
    onset_uncertainty_ms : ndarray [shape=(n,)], milliseconds
        Half width of the 90 % interval.
    pitch_hz : ndarray [shape=(n,)], Hz
        Median over the note.
    rise_ms : ndarray [shape=(n,)], milliseconds
        From a tenth to nine tenths of the amplitude; NaN after a slur.
    how : ndarray of str [shape=(n,)]
        ``"attack"``, ``"slur"`` or ``"again"``.
    """

    onset_s: np.ndarray = real()
    end_s: np.ndarray = real()
    onset_uncertainty_ms: np.ndarray = real()
    pitch_hz: np.ndarray = real()
    rise_ms: np.ndarray = real()
    how: np.ndarray = text()


def sustained_notes(track: PitchTrack, power: np.ndarray, bin_s: float) -> SustainedNotes:
    """Cut a pitch track into the notes of a sustained line.

    Parameters
    ----------
    track : PitchTrack
    power : ndarray [shape=(bins,)]
        Mean square of the sound in bins of ``bin_s`` seconds, from the beginning: see
        `analysis.swells.SwellListener`.

    Returns
    -------
    SustainedNotes
        Also those that begin at once, as plucked ones do: ``rise_ms`` tells.
    """
    rows = []
    runs = _voiced_runs(track, power, bin_s)
    hop_s = float(np.median(np.diff(track.time_s))) if len(track) > 1 else 0.005
    for number, (begin, end) in enumerate(runs):
        free_s = track.time_s[runs[number - 1][1] - 1] if number else 0.0
        rows += _notes_of_run(track, begin, end, free_s, power, bin_s, hop_s)
    if not rows:
        return SustainedNotes.build()
    columns = list(zip(*rows, strict=True))
    onset = np.array(columns[0])
    order = np.argsort(onset, kind="stable")
    found = SustainedNotes.build(
        onset_s=onset,
        end_s=np.array(columns[1]),
        onset_uncertainty_ms=np.array(columns[2]),
        pitch_hz=np.array(columns[3]),
        rise_ms=np.array(columns[4]),
        how=np.array(columns[5], dtype=np.str_),
    )
    return found.rows(order)


def _voiced_runs(track: PitchTrack, power: np.ndarray, bin_s: float) -> list[tuple[int, int]]:
    """Return the voiced stretches [begin, end) in frames; gaps are bridged in which the sound goes on."""
    voiced = np.isfinite(track.pitch_hz)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and _goes_on(track.time_s[runs[-1][1] - 1], track.time_s[begin], power, bin_s):
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((begin, end))
    return [(b, e) for b, e in runs if track.time_s[e - 1] - track.time_s[b] >= SHORTEST_S]


def _goes_on(left_s: float, right_s: float, power: np.ndarray, bin_s: float) -> bool:
    """Tell whether the sound holds its level over a short gap in the voice."""
    if right_s - left_s > _BRIDGE_S:
        return False
    first, stop = max(int((left_s - 0.03) / bin_s), 0), int((right_s + 0.03) / bin_s) + 1
    size = amplitude(power, first, min(stop, len(power)), 10)
    if len(size) < 30:
        return True
    inner = size[10:-10]
    around = min(size[:20].max(), size[-20:].max())
    return bool(20.0 * np.log10(max(around, 1e-9) / max(inner.min(), 1e-9)) < _BRIDGE_DB)


def _notes_of_run(
    track: PitchTrack, begin: int, end: int, free_s: float, power: np.ndarray, bin_s: float, hop_s: float
) -> list[tuple[float, float, float, float, float, str]]:
    """Return (onset, end, doubt, pitch, rise, how) of the notes of one voiced stretch."""
    time_s = track.time_s[begin:end]
    cents = 1200.0 * np.log2(track.pitch_hz[begin:end] / 440.0)
    known = np.isfinite(cents)
    cents = np.interp(time_s, time_s[known], cents[known])
    steps = _steps(cents, known, hop_s)
    bounds = [0, *steps, len(cents)]
    out = []
    for i, (first, last) in enumerate(pairwise(bounds)):
        pitch_hz = 440.0 * 2.0 ** (float(np.median(cents[first:last])) / 1200.0)
        stop_s = float(time_s[last - 1]) + hop_s
        if i == 0:
            onset, doubt, rise = attack(power, bin_s, float(time_s[0]), stop_s, free_s, pitch_hz)
            start = (onset, doubt, rise, "attack")
        else:
            sure = track.confidence[max(begin + first - 8, begin) : begin + first + 9]
            onset, doubt = _crossing(time_s, cents, bounds[i - 1], first, last)
            doubt = max(doubt, float(np.interp(float(sure.mean()), _SURE, _SLUR_MS)))
            start = (onset, doubt, np.nan, "slur")
            if dip_db(power, bin_s, onset, pitch_hz) > _BREAK_DB:
                start = (*attack(power, bin_s, onset, stop_s, onset - 0.1, pitch_hz), "attack")
        begins = [start, *again(power, bin_s, start[0] + 0.06, stop_s, pitch_hz)]
        for j, (onset, doubt, rise, how) in enumerate(begins):
            stop = begins[j + 1][0] if j + 1 < len(begins) else stop_s
            out.append((onset, stop, doubt, pitch_hz, rise, how))
    for i in range(len(out) - 1):
        out[i] = (out[i][0], min(out[i][1], out[i + 1][0]), *out[i][2:])
    return out


def _steps(cents: np.ndarray, known: np.ndarray, hop_s: float) -> list[int]:
    """Return the frames at which another plateau begins."""
    from ..core.kernels.level_steps import level_steps

    low, high = np.percentile(cents, [0.5, 99.5])
    levels = np.arange(low - _LEVEL_CENTS, high + 2 * _LEVEL_CENTS, _LEVEL_CENTS)
    course = level_steps(np.ascontiguousarray(cents), known.astype(np.float64), levels, _CAP_CENTS, _STEP_PRICE / hop_s)
    steps: list[int] = []
    for at in (np.flatnonzero(np.diff(course)) + 1).tolist():
        if abs(levels[course[at]] - levels[course[at - 1]]) >= _LEAST_STEP_CENTS:
            steps.append(at)
    steps = [
        at
        for at, last, after in zip(steps, [0, *steps], [*steps[1:], len(cents)], strict=False)
        if not _is_glide(cents[last:at], cents[at:after], float(levels[course[at]] - levels[course[at - 1]]))
    ]
    # A glide may stop for a moment half way: of steps nearer than a short note the largest is the note.
    least = round(SHORTEST_S / hop_s)
    kept: list[int] = []
    for at in steps:
        if kept and at - kept[-1] < least:
            continue
        if at >= least and len(cents) - at >= least:
            kept.append(at)
    return kept


def _is_glide(before: np.ndarray, after: np.ndarray, step: float) -> bool:
    """Tell whether the pitch only moves on through a step: a plateau beside it moves as it does, the other not back."""
    moves = []
    for part in (before, after):
        third = max(len(part) // 3, 1)
        moves.append(float(np.median(part[-third:]) - np.median(part[:third])) * np.sign(step))
    return max(moves) > _GLIDING * abs(step) and min(moves) > -0.1 * abs(step)


def _crossing(time_s: np.ndarray, cents: np.ndarray, before: int, at: int, after: int) -> tuple[float, float]:
    """Return when a glide crosses the middle between the plateaus on both sides of ``at``, and the doubt in ms."""
    hop_s = float(time_s[1] - time_s[0])
    gap, reach = max(round(0.03 / hop_s), 1), max(round(0.11 / hop_s), 2)
    left = cents[max(at - reach, before) : max(at - gap, before + 1)]
    right = cents[min(at + gap, after - 1) : min(at + reach, after)]
    low, high = float(np.median(left)), float(np.median(right))
    middle = 0.5 * (low + high)
    first, last = max(at - reach, before), min(at + reach, after) - 1
    side = (cents[first : last + 1] - middle) * np.sign(high - low)
    crossings = np.flatnonzero((side[:-1] < 0) & (side[1:] >= 0))
    if not len(crossings):
        return float(time_s[at]), 25.0
    nearest = int(crossings[np.argmin(np.abs(crossings + first - at))])
    share = side[nearest] / (side[nearest] - side[nearest + 1])
    slope = max((side[nearest + 1] - side[nearest]) / hop_s, 1.0)  # cents/s
    unsure = 0.5 * (np.ptp(left) + np.ptp(right)) * 0.5
    return float(time_s[first + nearest] + share * hop_s), float(np.clip(1000.0 * unsure / slope, 2.0, 40.0))


def is_sustained(
    track: PitchTrack, notes: SustainedNotes, power: np.ndarray, bin_s: float, struck: Onsets | None = None
) -> bool:
    """Tell whether a take is one line of sung, bowed or blown notes: voiced, slow to rise, and holding its level.

    Where most notes coincide with what sounds plucked or struck, they must hold their level the better.
    """
    voiced = np.isfinite(track.pitch_hz)
    begins = notes.rows(notes.how != "slur")
    if not len(begins) or float(np.median(track.confidence[voiced])) < _LEAST_CONFIDENCE:
        return False
    # A sound that is loud and yet has no pitch is no line: a tenth of it may be consonants and breath.
    frame = (track.time_s / bin_s).astype(np.int64).clip(0, len(power) - 1)
    loud = power[frame] > 0.01 * np.percentile(power[frame], 95)
    if loud.any() and float(voiced[loud].mean()) < _LEAST_VOICED:
        return False
    rise_ms = float(np.median(begins.rise_ms - 1000.0 / begins.pitch_hz))
    falls = [_fall_db(power, bin_s, note) for note in notes.onset_s[notes.end_s - notes.onset_s > 0.3]]
    fall_db = float(np.median(falls)) if falls else 0.0
    limits: tuple[tuple[float, float], ...] = _SUSTAINED
    if struck is not None and len(struck):
        near = _nearest(struck.onset_s, notes.onset_s)
        at_once = np.isin(struck.kind[near], ("percussive", "plucked", "struck"))
        if np.mean(at_once & (np.abs(struck.onset_s[near] - notes.onset_s) < _VOUCHED_S)) > 0.5:
            limits = limits[:1]
    return any(rise_ms >= rise and fall_db <= fall for rise, fall in limits)


def _fall_db(power: np.ndarray, bin_s: float, onset_s: float) -> float:
    """Return by how much a note's level falls between its first and its third tenth of a second, dB."""
    at = [int((onset_s + s) / bin_s) for s in (0.04, 0.10, 0.22, 0.28)]
    early, late = power[at[0] : at[1]], power[at[2] : at[3]]
    if not len(early) or not len(late):
        return 0.0
    return float(10.0 * np.log10((early.mean() + 1e-20) / (late.mean() + 1e-20)))


def in_line(struck: Onsets, track: PitchTrack, power: np.ndarray, bin_s: float) -> tuple[Onsets, bool]:
    """Return the onsets of a take, and whether it is a sustained line: then they are those of its notes.

    Parameters
    ----------
    struck : Onsets
        What strikes, as `analysis.onsets.OnsetDetector` finds it.
    track : PitchTrack
    power : ndarray [shape=(bins,)]
    bin_s : float, seconds
        See `analysis.swells.SwellListener`.
    """
    if not is_monophonic(track):
        return struck, False
    notes = sustained_notes(track, power, bin_s)
    if not is_sustained(track, notes, power, bin_s, struck):
        return struck, False
    first = (notes.onset_s / bin_s).astype(np.int64)
    last = np.maximum((notes.end_s / bin_s).astype(np.int64), first + 1)
    loudest = np.array([float(power[a:b].max(initial=0.0)) for a, b in zip(first, last, strict=True)])
    notes = notes.rows(loudest > 10.0 ** (0.1 * _HUM_DB) * float(np.median(loudest)))
    return line_onsets(struck, notes, power, bin_s), True


def line_onsets(struck: Onsets, notes: SustainedNotes, power: np.ndarray, bin_s: float) -> Onsets:
    """Return the onsets of a sustained line, a row a note.

    What was found to strike places a note that begins at once, and vouches for a new one on an old pitch; the rest of
    it, consonants and breaths, is no note.
    """
    near = _nearest(struck.onset_s, notes.onset_s)
    distance = np.abs(struck.onset_s[near] - notes.onset_s) if len(struck) else np.full(len(notes), np.inf)
    kept = (notes.how != "again") | (distance < _VOUCHED_S)
    near, distance, notes = near[kept], distance[kept], notes.rows(kept)
    at_once = (notes.how != "slur") & (notes.rise_ms < _SLOW_MS) & (distance < 0.5 * _VOUCHED_S)
    struck = struck if len(struck) else Onsets.build(1)
    first = (notes.onset_s / bin_s).astype(np.int64)
    peaks = [float(power[at : at + round(0.05 / bin_s)].max(initial=0.0)) for at in first.tolist()]
    level_db = 10.0 * np.log10(2.0 * np.maximum(np.array(peaks), 1e-20))  # of a sine the peak is twice its power
    vouched = distance < _VOUCHED_S
    return Onsets.build(
        onset_s=np.where(at_once, struck.onset_s[near], notes.onset_s),
        onset_uncertainty_ms=np.where(at_once, struck.onset_uncertainty_ms[near], notes.onset_uncertainty_ms),
        strength=np.where(vouched, struck.strength[near], 1.0),
        level_db=np.where(vouched, struck.level_db[near], level_db),
        instrument=np.full(len(notes), ""),
        kind=np.full(len(notes), "sustained"),
    )


def _nearest(places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the row of the place nearest to each wanted one; 0 where there is none."""
    if not len(places):
        return np.zeros(len(wanted), dtype=np.int64)
    right = np.searchsorted(places, wanted).clip(0, len(places) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(places[left] - wanted) <= np.abs(places[right] - wanted), left, right)
