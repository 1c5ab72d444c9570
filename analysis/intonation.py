"""Intonation: of every note the centre of its pitch, its slow drift and its vibrato; of a take its tuning.

Conventions
-----------
Pitches are MIDI numbers, A4 = 69 = 440 Hz; cents are sharp-positive. A note's pitch is told apart into three that add
up: the centre, a straight drift about it (cents from the note's beginning to its end) and the vibrato, whose extent is
half of what lies between its peaks (the "±" of a vibrato). Scoops into a note, glides out of it and the breaks of a
voice belong to none of the three and do not bend them. NaN = not known; a note without vibrato has NaN for its rate,
extent and delay.

A vibrato is told from chance: a random walk, which a held pitch without vibrato most resembles, is fitted as well by
some sinusoid of 3.5 to 9 Hz in one note of a hundred. Short notes therefore need a very regular vibrato to show one.

References
----------
de Cheveigné and Kawahara 2002 (see `pitch`); Fisher 1993, Statistical Analysis of Circular Data, sections 2.3 and 4.4
(the tuning is a direction on a circle of one semitone); Prame 1994, Measurements of the vibrato rate of ten singers,
J. Acoust. Soc. Am. 96, 1979-1984 (rate and extent).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.columns import Columns, real
from ..core.errors import TakeprintError
from .pitch import PitchTrack
from .pitch_frames import swing_kept

# What a vibrato can be, Hz, and how many of its cycles a note must hold.
_SLOWEST, _FASTEST, _CYCLES = 3.5, 9.0, 1.7
# The share of its variance that the best sinusoid explains of a random walk without its parabola, in one case of a
# hundred (simulated), by the walk's length in seconds.
_WALK_S = np.array([0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0])
_WALK_SHARE = np.array([0.85, 0.76, 0.64, 0.45, 0.30, 0.19, 0.09, 0.033])
_LEAST_EXTENT = 3.0
# The least scale of what scatters about a note's course, cents: finer than a singer, coarser than the tracker.
_LEAST_SCATTER = 3.0
_LEAST_FRAMES = 6
# A centre in doubt by a semitone is none, nor one in doubt by half of that which drifts by more than one: a glide, or
# two notes taken for one. A wide vibrato that is not seen as such is in doubt, too, but does not drift.
_MOST_DOUBT, _MOST_DRIFT = 100.0, 150.0


@dataclass(frozen=True, eq=False)
class Intonation(Columns):
    """The pitch of notes, a row per note.

    Parameters
    ----------
    onset_s, duration_s : ndarray [shape=(n,)], seconds
    pitch : ndarray [shape=(n,)], MIDI number
        The centre; A4 = 69 = 440 Hz.
    intonation_cents : ndarray [shape=(n,)], cents
        The centre against what was meant: equal temperament at the take's tuning, or the pitches given.
    intonation_uncertainty_cents : ndarray [shape=(n,)], cents
        Half width of the centre's 90 % interval, without the tuning's own doubt.
    drift_cents : ndarray [shape=(n,)], cents
        From the note's beginning to its end, along a straight line.
    vibrato_rate_hz : ndarray [shape=(n,)], Hz
    vibrato_extent_cents : ndarray [shape=(n,)], cents
        Half of what lies between its peaks.
    vibrato_delay_s : ndarray [shape=(n,)], seconds
        From the note's onset until the vibrato has half of its extent; known to about a third of a cycle.
    """

    onset_s: np.ndarray = real()
    duration_s: np.ndarray = real()
    pitch: np.ndarray = real()
    intonation_cents: np.ndarray = real()
    intonation_uncertainty_cents: np.ndarray = real()
    drift_cents: np.ndarray = real()
    vibrato_rate_hz: np.ndarray = real()
    vibrato_extent_cents: np.ndarray = real()
    vibrato_delay_s: np.ndarray = real()


@dataclass(frozen=True)
class Tuning:
    """What a take is tuned to.

    Parameters
    ----------
    tuning_hz : float, Hz
        Of A4; 440 and an infinite doubt where nothing is known.
    tuning_cents : float, cents
        The same against 440 Hz, between -50 and 50.
    tuning_uncertainty_cents : float, cents
        Half width of the 90 % interval.
    """

    tuning_hz: float
    tuning_cents: float
    tuning_uncertainty_cents: float


def measure_intonation(
    track: PitchTrack,
    onset_s: np.ndarray,
    duration_s: np.ndarray,
    *,
    written: np.ndarray | None = None,
    tuning: Tuning | None = None,
) -> Intonation:
    """Measure the pitch of every note of a take of one voice or instrument.

    Parameters
    ----------
    track : PitchTrack
    onset_s, duration_s : ndarray [shape=(n,)], seconds
        The notes.
    written : ndarray [shape=(n,)] or None, MIDI number
        What was meant: the score's pitches, or another take's (its ``pitch`` column, with ``tuning`` of that take and
        this one being alike). None: the nearest step of equal temperament. NaN rows have no ``intonation_cents``.
    tuning : Tuning or None
        What steps and written pitches refer to. None: the take's own, from these very notes.

    Returns
    -------
    Intonation

    Raises
    ------
    TakeprintError
        For notes of unequal lengths.

    Examples
    --------
    >>> from takeprint.analysis.pitch import track_pitch
    >>> t = np.arange(2 * 44100) / 44100
    >>> y = 0.3 * np.sin(2 * np.pi * 440.0 * t + 0.15 * np.sin(2 * np.pi * 5.5 * t) * 5.5)
    >>> notes = measure_intonation(track_pitch(y, 44100), np.array([0.0]), np.array([2.0]))
    >>> round(float(notes.vibrato_rate_hz[0]), 1)
    5.5
    """
    onset_s, duration_s = np.asarray(onset_s, dtype=np.float64), np.asarray(duration_s, dtype=np.float64)
    lengths = {onset_s.shape, duration_s.shape} | ({np.shape(written)} if written is not None else set())
    if len(lengths) != 1 or onset_s.ndim != 1:
        raise TakeprintError(
            f"onsets of shape {onset_s.shape}, durations of {duration_s.shape}", rule="a row of each column is a note"
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        height = 6900 + 1200 * np.log2(track.pitch_hz / 440.0)
    rows = [_of_note(track, height, *note) for note in zip(onset_s, duration_s, strict=True)]
    centre, doubt, drift, rate, extent, delay = np.array(rows, dtype=np.float64).reshape(-1, 6).T
    notes = Intonation.build(
        onset_s=onset_s,
        duration_s=duration_s,
        pitch=centre / 100,
        intonation_uncertainty_cents=doubt,
        drift_cents=drift,
        vibrato_rate_hz=rate,
        vibrato_extent_cents=extent,
        vibrato_delay_s=delay,
    )
    shift = (tuning or take_tuning(notes)).tuning_cents
    sounding = centre - shift
    meant = 100 * np.round(sounding / 100) if written is None else 100 * np.asarray(written, dtype=np.float64)
    return notes.replace(intonation_cents=sounding - meant)


def take_tuning(notes: Intonation) -> Tuning:
    """Estimate what a take is tuned to, from the centres of its notes.

    The centres' distances from equal temperament lie on a circle of one semitone; their mean direction is taken, each
    note weighted by its length (to one second) and its certainty, and again with those farther off counting less.

    Parameters
    ----------
    notes : Intonation

    Returns
    -------
    Tuning
    """
    known = np.isfinite(notes.pitch)
    cents = 100 * notes.pitch[known]
    doubt = np.maximum(notes.intonation_uncertainty_cents[known], 2.0)
    weight = np.clip(notes.duration_s[known], 0.0, 1.0) / (1 + (doubt / 10) ** 2)
    if not weight.sum() > 0:
        return Tuning(440.0, 0.0, np.inf)
    turn = np.exp(2j * np.pi * cents / 100)
    mean, now = np.sum(weight * turn), weight
    for _ in range(20):
        off = np.angle(turn / (mean / max(abs(mean), 1e-12))) * 100 / (2 * np.pi)
        now = weight / (1 + (off / 15) ** 2)  # 15 cents: how far off notes lie in tune, more or less
        mean = np.sum(now * turn)
    shift = float(np.angle(mean) * 100 / (2 * np.pi))
    off = np.angle(turn * np.exp(-2j * np.pi * shift / 100)) * 100 / (2 * np.pi)
    count = max(weight.sum() ** 2 / np.sum(weight**2), 1.0)
    # The scatter of one note is not known from one; a second or third says little: Student's distribution, roughly.
    scatter = np.sqrt(np.sum(now * off**2) / np.sum(now) + np.sum(now * doubt**2) / np.sum(now))
    spread = 1.645 * scatter / np.sqrt(count) * (1 + 2.0 / count)
    return Tuning(440.0 * 2 ** (shift / 1200), shift, float(min(spread, 50.0)))


def _of_note(
    track: PitchTrack, height: np.ndarray, onset_s: float, duration_s: float
) -> tuple[float, float, float, float, float, float]:
    """Return centre (cents above MIDI 0), its doubt, drift, and the vibrato's rate, extent and delay."""
    nothing = (np.nan,) * 6
    if not (np.isfinite(onset_s) and duration_s > 0 and len(track)):
        return nothing
    begin, end = np.searchsorted(track.time_s, [onset_s, onset_s + duration_s])
    heard = np.flatnonzero(np.isfinite(height[begin:end])) + begin
    if len(heard) < _LEAST_FRAMES:
        return nothing
    time, cents, sure = track.time_s[heard], height[heard], track.confidence[heard]
    hop_s = float(track.time_s[1] - track.time_s[0])
    middle = np.median(cents[len(cents) // 5 : len(cents) - len(cents) // 5])
    near = np.abs(cents - middle) < 250.0  # a vibrato may be wide; an octave is another note
    if near.sum() < _LEAST_FRAMES:
        return nothing
    time, cents, sure = time[near], cents[near], sure[near]
    span = (time - time[0]) / max(time[-1] - time[0], hop_s)
    inner = (span > 0.2) & (span < 0.8) if len(time) >= 2 * _LEAST_FRAMES else np.ones(len(time), dtype=bool)
    rate = _vibrato_rate(time[inner], cents[inner])
    weight = np.where(inner, sure, 0.0)
    for _ in range(6):
        course = _course(time, rate, onset_s, duration_s)
        factor = _fitted(course, cents, weight)
        off = cents - course @ factor
        scatter = max(1.4826 * float(np.median(np.abs(off[inner]))), _LEAST_SCATTER)
        # Tukey's biweight: what lies four scatters off is no part of the held note.
        weight = sure * np.clip(1 - (off / (4.0 * scatter)) ** 2, 0.0, None) ** 2
    held = weight > 0
    if held.sum() < _LEAST_FRAMES:
        return nothing
    rate, extent, delay = _vibrato(time[held], cents[held], onset_s)
    course = _course(time, rate, onset_s, duration_s)
    if np.isfinite(rate):  # it swells and fades, and must leave nothing of itself to the centre
        course[:, 2:] *= np.interp(time, time[held], _swing(time[held], cents[held], rate) / extent)[:, None]
    factor = _fitted(course, cents, weight)
    off = cents - course @ factor
    # The line is told where it was heard: its height in the middle of that, its slope over the note.
    centre = factor[0] + factor[1] * np.sum(weight * course[:, 1]) / np.sum(weight)
    doubt = _doubt(off[held], weight[held])
    if doubt > _MOST_DOUBT or (doubt > 0.5 * _MOST_DOUBT and abs(2 * factor[1]) > _MOST_DRIFT):
        return nothing
    return centre, doubt, 2 * factor[1], rate, extent, delay


def _course(time: np.ndarray, rate: float, onset_s: float, duration_s: float) -> np.ndarray:
    """Return the columns of a note's course: 1, the line from -1 to 1 over the note, and the vibrato if any."""
    line = 2 * (time - onset_s) / duration_s - 1
    columns = [np.ones(len(time)), line]
    if np.isfinite(rate):
        columns += [np.cos(2 * np.pi * rate * time), np.sin(2 * np.pi * rate * time)]
    return np.stack(columns, axis=1)


def _fitted(course: np.ndarray, cents: np.ndarray, weight: np.ndarray) -> np.ndarray:
    root = np.sqrt(weight)[:, None]
    return np.linalg.lstsq(root * course, root[:, 0] * cents, rcond=None)[0]


def _doubt(off: np.ndarray, weight: np.ndarray) -> float:
    """Return the half width of the 90 % interval of a mean, whose neighbours are alike."""
    off = off - np.average(off, weights=weight)
    variance = float(np.average(off**2, weights=weight))
    alike = float(np.sum(off[1:] * off[:-1]) / max(np.sum(off**2), 1e-12)) if len(off) > 2 else 0.0
    alike = min(max(alike, 0.0), 0.98)
    # The course that was taken away took up to three of the independent readings with it.
    count = max(len(off) * (1 - alike) / (1 + alike) - 3.0, 1.0)
    # 2.1 and not 1.645: with it nine in ten of planted centres lie inside (scoops and part-vibratos are no noise).
    return 2.1 * float(np.sqrt(variance / count + 0.3**2))


def _explained(time: np.ndarray, cents: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, float]:
    """Return which share of the variance about a parabola a sinusoid of each rate explains, and that variance."""
    line = 2 * (time - time[0]) / (time[-1] - time[0]) - 1
    slow, _ = np.linalg.qr(np.stack([np.ones(len(line)), line, line * line], axis=1))
    rest = cents - slow @ (slow.T @ cents)
    total = float(rest @ rest)
    turn = 2 * np.pi * np.outer(time - time[0], rates)
    a, b = np.cos(turn), np.sin(turn)
    a -= slow @ (slow.T @ a)
    b -= slow @ (slow.T @ b)
    aa, bb, ab = (a * a).sum(axis=0), (b * b).sum(axis=0), (a * b).sum(axis=0)
    ra, rb = rest @ a, rest @ b
    gain = (bb * ra**2 - 2 * ab * ra * rb + aa * rb**2) / np.maximum(aa * bb - ab**2, 1e-12)
    return gain / max(total, 1e-12), total / len(time)


def _vibrato_rate(time: np.ndarray, cents: np.ndarray) -> float:
    """Return the rate at which a stretch of pitch swings, NaN if that may be chance."""
    length = time[-1] - time[0] if len(time) else 0.0
    slowest = max(_SLOWEST, _CYCLES / max(length, 1e-9))
    if slowest > _FASTEST - 0.5:
        return np.nan
    rates = np.linspace(slowest, _FASTEST, 2 + int((_FASTEST - slowest) * max(8 * length, 4)))
    share, variance = _explained(time, cents, rates)
    i = int(np.argmax(share))
    needed = float(np.interp(np.log(length), np.log(_WALK_S), _WALK_SHARE))
    if share[i] < needed or 2 * share[i] * variance < _LEAST_EXTENT**2 or i in (0, len(rates) - 1):
        return np.nan
    for _ in range(2):
        step = rates[1] - rates[0]
        rates = np.linspace(rates[i] - step, rates[i] + step, 9)
        share, _ = _explained(time, cents, rates)
        i = int(np.argmax(share))
    return float(rates[i])


def _vibrato(time: np.ndarray, cents: np.ndarray, onset_s: float) -> tuple[float, float, float]:
    """Return a held note's vibrato: rate, extent, and its delay after the onset; NaN where it has none."""
    none = (np.nan, np.nan, np.nan)
    rate = _vibrato_rate(time, cents)
    if not np.isfinite(rate):  # one that begins late may be seen in what follows only
        late = time > time[0] + 0.4 * (time[-1] - time[0])
        rate = _vibrato_rate(time[late], cents[late])
    if not np.isfinite(rate):
        return none
    swing = _swing(time, cents, rate)
    full = swing > 0.6 * np.percentile(swing, 90)
    if full.sum() < _LEAST_FRAMES:
        return none
    first, last = np.flatnonzero(full)[[0, -1]]
    finer = _vibrato_rate(time[first : last + 1], cents[first : last + 1])
    if np.isfinite(finer):
        rate = finer
        swing = _swing(time, cents, rate)
        full = swing > 0.7 * np.percentile(swing, 90)
    pitch_hz = 440.0 * 2 ** ((cents - 6900) / 1200)
    extent = float(np.median(swing[full] / swing_kept(pitch_hz[full], rate)))
    if extent < _LEAST_EXTENT:
        return none
    begins = int(np.argmax(swing >= 0.5 * np.median(swing[full])))
    return rate, extent, float(max(time[begins] - onset_s, 0.0))


def _swing(time: np.ndarray, cents: np.ndarray, rate: float) -> np.ndarray:
    """Return the vibrato's extent at every moment: line and sinusoid fitted to the cycle and a half around.

    At both ends it is that of the first and the last whole stretch.
    """
    hop_s = float(np.median(np.diff(time)))
    even = np.interp(np.arange(time[0], time[-1] + hop_s / 2, hop_s), time, cents)  # over gaps, if there are any
    half = min(round(0.75 / rate / hop_s), (len(even) - 1) // 2)
    at = np.arange(-half, half + 1)
    weight = np.cos(0.5 * np.pi * at / (half + 1))[:, None]
    turn = 2 * np.pi * rate * hop_s * at
    course = np.stack([np.ones(len(at)), at / max(half, 1), np.cos(turn), np.sin(turn)], axis=1)
    # The extent does not depend on the phase, so one fit serves every stretch.
    fit = np.linalg.pinv(weight * course)[2:] * weight.T
    stretches = np.lib.stride_tricks.sliding_window_view(even - even.mean(), len(at))
    extent = np.hypot(*(stretches @ fit.T).T)
    return np.interp(time, time[0] + hop_s * (half + np.arange(len(extent))), extent)
