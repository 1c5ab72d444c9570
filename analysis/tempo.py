"""Measure ``tempo``: the slow drift, as a curve through matched onsets.

Conventions
-----------
A knot at every beat, beats to seconds; tempo in bpm right after each knot; a tempo above the reference's is a
positive log ratio. The curve is fitted first and timing is the residual, so a ritardando is tempo and not lateness.

Method
------
Local quadratic regression of onset time on beat with a Gaussian window: standard deviation 1 beat against a score or a
take that is played freely, 4 beats against a click (where the curve is told beside the timing and not subtracted),
widened where fewer than 6 onsets lie within two standard deviations. A local line would cut the bend of a ritardando
(at a beat that grows by 0.1 s a beat by 50 ms); a parabola follows it. Notes written together count once, at their
mean.

References
----------
Fan and Gijbels 1996, Local Polynomial Modelling and Its Applications, chapter 2.
"""

from __future__ import annotations

import numpy as np

from ..core.deviations import TempoCurve
from ..core.timeline import Timeline

FREE_BANDWIDTH_BEATS = 1.0
CLICK_BANDWIDTH_BEATS = 4.0
_LEAST_ONSETS = 6
# No music is faster: it keeps the curve increasing where onsets contradict each other.
_SHORTEST_BEAT_S = 0.02


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
    distinct, index = np.unique(np.round(beat, 6), return_inverse=True)
    count = np.bincount(index, minlength=len(distinct))
    return distinct, np.bincount(index, weights=onset_s, minlength=len(distinct)) / np.maximum(count, 1), index


def fit_tempo(beat: np.ndarray, onset_s: np.ndarray, clock: Timeline, bandwidth_beats: float) -> TempoCurve:
    """Fit the tempo curve through matched onsets.

    Parameters
    ----------
    beat : ndarray [shape=(n,)], beats, where the notes are written
    onset_s : ndarray [shape=(n,)], seconds, where they were played
    clock : Timeline
        The reference's own clock: its tempo stands where the take says nothing.
    bandwidth_beats : float
        Standard deviation of the window.

    Returns
    -------
    TempoCurve
        A knot per beat from the first to the last note; empty without notes.
    """
    from ..core.kernels.local_fit import local_quadratic

    if len(beat) == 0:
        return TempoCurve.build(0)
    at, mean_s, _ = mean_onsets(beat, onset_s)
    knots = np.arange(np.floor(at[0]), max(np.ceil(at[-1]), np.floor(at[0]) + 1.0) + 0.5)
    written_s = clock.seconds_at(knots)
    if len(at) < 2:
        time_s = written_s + mean_s[0] - float(clock.seconds_at(at[0]))
    else:
        # What is smoothed is the lateness against the clock: a clock followed exactly comes out exactly.
        late_s = mean_s - clock.seconds_at(at)
        smooth_s = local_quadratic(at, np.ascontiguousarray(late_s), knots, bandwidth_beats, _LEAST_ONSETS)
        time_s = written_s + smooth_s
    time_s = _increasing(time_s)
    tempo_bpm = 60.0 * np.diff(knots) / np.diff(time_s)
    return TempoCurve(beat=knots, time_s=time_s, tempo_bpm=np.append(tempo_bpm, tempo_bpm[-1]))


def _increasing(time_s: np.ndarray) -> np.ndarray:
    steps = np.arange(len(time_s)) * _SHORTEST_BEAT_S
    return np.maximum.accumulate(time_s - steps) + steps


def tempo_summary(tempo: TempoCurve, clock: Timeline) -> dict[str, float]:
    """Return median tempo, spread and drift against the reference's clock.

    Returns
    -------
    dict
        ``n`` beats; ``median_bpm``, ``low_bpm``, ``high_bpm`` (5th and 95th percentile); ``log_ratio_sd``;
        ``drift_percent_per_min`` (slope of the log ratio); ``gained_s`` (seconds won on the reference by the end,
        positive = the take is shorter).
    """
    if len(tempo) < 2:
        return {"n": 0}
    bpm = tempo.tempo_bpm[:-1]
    written = 60.0 * np.diff(tempo.beat) / np.diff(clock.seconds_at(tempo.beat))
    ratio = np.log(bpm / written)
    drift = np.nan
    if len(bpm) >= 8:
        drift = 6000.0 * np.polyfit(tempo.time_s[:-1] - tempo.time_s[0], ratio, 1)[0]
    low, median, high = np.percentile(bpm, [5, 50, 95])
    written_s = np.ptp(clock.seconds_at(tempo.beat[[0, -1]]))
    return {
        "n": len(bpm),
        "median_bpm": float(median),
        "low_bpm": float(low),
        "high_bpm": float(high),
        "log_ratio_sd": float(np.std(ratio)),
        "drift_percent_per_min": float(drift),
        "gained_s": float(written_s - (tempo.time_s[-1] - tempo.time_s[0])),
    }
