"""Measure ``tempo``: the slow drift, as a curve through matched onsets.

Conventions
-----------
A knot at every beat and at either side of a pause, beats to seconds; tempo in bpm right after each knot; a tempo above
the reference's is a positive log ratio. The curve is fitted first and timing is the residual, so a ritardando is tempo
and not lateness.

Method
------
Local quadratic regression of lateness on beat with a Gaussian window: standard deviation 1 beat against a score or a
take that is played freely, 4 beats against a click (where the curve is told beside the timing and not subtracted),
widened where fewer than 6 onsets lie within two standard deviations. A local line would cut the bend of a ritardando
(at a beat that grows by 0.1 s a beat by 50 ms); a parabola follows it. One stray onset does not pull it, and a pause is
a break in it: see ``tempo_fit``. Notes written together are one moment: their mean, of the larger part of them where a
few lie far off, and their first where they are rolled.

The uncertainty takes the moments' errors for independent: what hangs together from note to note is tempo here.
"""

from __future__ import annotations

import numpy as np

from ..core.deviations import TempoCurve
from ..core.timeline import Timeline
from .tempo_fit import fit_robustly, pauses

FREE_BANDWIDTH_BEATS = 1.0
CLICK_BANDWIDTH_BEATS = 4.0
_LEAST_MOMENTS = 8
# No music is faster: it keeps the curve increasing where onsets contradict each other.
_SHORTEST_BEAT_S = 0.02
# A melody leads its chord by some 0.03 s (Goebl 2001, J. Acoust. Soc. Am. 110, 563-572): three times that is chosen as
# the span of a chord that is struck; what takes longer is rolled or torn apart.
_CHORD_S = 0.1
# Of Student's t: a variance found from 17 moments, of which a local parabola uses up about 5.
_NINETY_PERCENT = 1.78


def mean_onsets(beat: np.ndarray, onset_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average the onsets that are written together.

    Parameters
    ----------
    beat, onset_s : ndarray [shape=(n,)]

    Returns
    -------
    beat, onset_s : ndarray [shape=(k,)]
        Distinct positions, increasing, and the mean onset of each.
    index : ndarray of int [shape=(n,)]
        Which position each note lies at.
    """
    distinct, first, index = np.unique(np.round(beat, 6), return_index=True, return_inverse=True)
    count = np.bincount(index, minlength=len(distinct))
    return beat[first], np.bincount(index, weights=onset_s, minlength=len(distinct)) / np.maximum(count, 1), index


def moments(beat: np.ndarray, onset_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the notes written together stand in time, rolled or torn apart as they may be.

    Parameters
    ----------
    beat, onset_s : ndarray [shape=(n,)]

    Returns
    -------
    beat, onset_s : ndarray [shape=(k,)]
        Distinct positions, increasing, and the onset of each: the mean of its notes where they are struck within
        0.1 s; of those within some 0.1 s where these are more than half; else the first, where a roll begins.
    index : ndarray of int [shape=(n,)]
        Which position each note lies at.
    """
    at, place_s, index = mean_onsets(beat, onset_s)
    first_s, last_s = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    np.minimum.at(first_s, index, onset_s)
    np.maximum.at(last_s, index, onset_s)
    wide = np.flatnonzero(last_s - first_s > _CHORD_S)
    if len(wide):
        order = np.argsort(index, kind="stable")
        bounds = np.searchsorted(index[order], np.concatenate([wide, wide + 1]))
        for row, low, high in zip(wide, bounds[: len(wide)], bounds[len(wide) :], strict=True):
            place_s[row] = _chord_s(np.sort(onset_s[order[low:high]]))
    return at, place_s, index


def _chord_s(onset_s: np.ndarray) -> float:
    inside = np.searchsorted(onset_s, onset_s + _CHORD_S, side="right") - np.arange(len(onset_s))
    fullest = int(np.argmax(inside))
    if 2 * inside[fullest] > len(onset_s):
        return float(onset_s[fullest : fullest + inside[fullest]].mean())
    return float(onset_s[0])


def fit_tempo(
    beat: np.ndarray,
    onset_s: np.ndarray,
    clock: Timeline,
    bandwidth_beats: float,
    breaks: np.ndarray | None = None,
) -> TempoCurve:
    """Fit the tempo curve through matched onsets.

    Parameters
    ----------
    beat : ndarray [shape=(n,)], beats, where the notes are written
    onset_s : ndarray [shape=(n,)], seconds, where they were played
    clock : Timeline
        The reference's own clock: its tempo stands where the take says nothing.
    bandwidth_beats : float
        Standard deviation of the window.
    breaks : ndarray [shape=(b,)], beats, or None
        Where the take goes on elsewhere: after a cut, a passage passed over or played again.

    Returns
    -------
    TempoCurve
        A knot per beat from the first to the last note, and one at either side of a pause or break; empty without
        notes. The uncertainty is NaN across these, and throughout where there are fewer than 8 moments.
    """
    if len(beat) == 0:
        return TempoCurve.build(0)
    at, place_s, index = moments(beat, onset_s)
    beats = np.arange(np.floor(at[0]), max(np.ceil(at[-1]), np.floor(at[0]) + 1.0) + 0.5)
    written_s = clock.seconds_at(at)
    if len(at) < 2:
        return _curve(beats, clock.seconds_at(beats) + place_s[0] - written_s[0], np.full(len(beats), np.nan))
    part = np.zeros(len(at), dtype=np.int64)
    part[pauses(written_s, place_s) + 1] = 1
    if breaks is not None:
        begins = np.searchsorted(at, np.asarray(breaks) - 1e-6)
        part[begins[(begins > 0) & (begins < len(at))]] = 1
    part = np.cumsum(part)
    # What is smoothed is the lateness against the clock: a clock followed exactly comes out exactly.
    agreeing = np.bincount(index, weights=np.abs(onset_s - place_s[index]) < _CHORD_S, minlength=len(at))
    fit = fit_robustly(at, place_s - written_s, part, bandwidth_beats, agreeing)
    knots, smooth_s, step_s2 = [], [], []
    for number in range(int(part[-1]) + 1):
        inside = at[part == number]
        low = beats[0] if number == 0 else inside[0]
        high = beats[-1] if number == part[-1] else inside[-1]
        own = np.unique(np.r_[low, beats[(beats > low) & (beats < high)], high])
        value_s, variance_s2 = fit.at(own, number)
        knots.append(own)
        smooth_s.append(value_s)
        step_s2.append(variance_s2)
    known = len(at) >= _LEAST_MOMENTS
    doubt_s = np.sqrt(np.concatenate(step_s2)) if known else np.full(sum(map(len, knots)), np.nan)
    beat_of = np.concatenate(knots)
    return _curve(beat_of, clock.seconds_at(beat_of) + np.concatenate(smooth_s), doubt_s)


def _curve(beat: np.ndarray, time_s: np.ndarray, step_doubt_s: np.ndarray) -> TempoCurve:
    """Make the curve of its knots and the standard error of each step's length."""
    time_s = _increasing(time_s)
    step_s = np.diff(time_s)
    tempo_bpm = 60.0 * np.diff(beat) / step_s
    half_bpm = tempo_bpm * _NINETY_PERCENT * step_doubt_s[:-1] / step_s
    return TempoCurve(
        beat=beat,
        time_s=time_s,
        tempo_bpm=np.append(tempo_bpm, tempo_bpm[-1]),
        tempo_uncertainty_bpm=np.append(half_bpm, half_bpm[-1]),
    )


def _increasing(time_s: np.ndarray) -> np.ndarray:
    steps = np.arange(len(time_s)) * _SHORTEST_BEAT_S
    return np.maximum.accumulate(time_s - steps) + steps


def tempo_summary(tempo: TempoCurve, clock: Timeline) -> dict[str, float]:
    """Return median tempo, spread and drift against the reference's clock; pauses count apart.

    Returns
    -------
    dict
        ``n`` beats; ``median_bpm``, ``low_bpm``, ``high_bpm`` (5th and 95th percentile); ``uncertainty_bpm`` (median of
        the 90 % half widths of a beat's tempo, NaN where none is known); ``log_ratio_sd``; ``drift_percent_per_min``
        (slope of the log ratio); ``gained_s`` (seconds won on the reference by the end, positive = the take is
        shorter); ``n_pauses`` and ``paused_s`` (beyond what the median tempo makes due).
    """
    if len(tempo) < 2:
        return {"n": 0}
    written_s = np.diff(clock.seconds_at(tempo.beat))
    ratio = np.log(60.0 * np.diff(tempo.beat) / written_s)
    ratio = np.log(tempo.tempo_bpm[:-1]) - ratio
    in_time = ~pause_steps(tempo)
    bpm, ratio_in_time = tempo.tempo_bpm[:-1][in_time], ratio[in_time]
    drift = np.nan
    if len(bpm) >= 8:
        drift = 6000.0 * np.polyfit(tempo.time_s[:-1][in_time] - tempo.time_s[0], ratio_in_time, 1)[0]
    low, median, high = np.percentile(bpm, [5, 50, 95])
    half = tempo.tempo_uncertainty_bpm[:-1][in_time]
    over_s = np.diff(tempo.time_s) - written_s / np.exp(np.median(ratio_in_time))
    is_cut = ~in_time & (over_s < 0.0)
    paused_s = over_s[~in_time & ~is_cut]
    return {
        "n": len(bpm),
        "median_bpm": float(median),
        "low_bpm": float(low),
        "high_bpm": float(high),
        "uncertainty_bpm": float(np.median(half[np.isfinite(half)])) if np.isfinite(half).any() else np.nan,
        "log_ratio_sd": float(np.std(ratio_in_time)),
        "drift_percent_per_min": float(drift),
        "gained_s": float(written_s.sum() - (tempo.time_s[-1] - tempo.time_s[0])),
        "n_pauses": int(_runs(~in_time) - _runs(is_cut)),
        "paused_s": float(paused_s.sum()),
    }


def pause_steps(tempo: TempoCurve) -> np.ndarray:
    """Tell which steps between knots are pauses: those alone have no uncertainty in a curve that has one.

    Returns
    -------
    ndarray of bool [shape=(max(k - 1, 0),)]
    """
    half = tempo.tempo_uncertainty_bpm[:-1]
    known = np.isfinite(half)
    return ~known if known.any() else np.zeros(len(half), dtype=bool)


def _runs(flags: np.ndarray) -> int:
    return int((flags & ~np.r_[False, flags[:-1]]).sum())
