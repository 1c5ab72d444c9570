"""Where an onset lies, to the sample: what `analysis.onset_frames` proposed is placed in the waveform.

Conventions
-----------
Places are samples of the stretch given. What rings on is predicted and taken away, and the change of variance of what
remains is found.

References
----------
Sleeman and van Eck 1999, Robust automatic P-phase picking, Phys. Earth Planet. Inter. 113, 265-275 (autoregressive
prediction before Akaike's criterion).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .onset_frames import Grid

_PREDICTOR_ORDER = 32
_WHITENING = 1e-7
# Share of the seen rise, and how long a softer start may be that noise hides wholly: chosen so that about nine of ten
# plucked strings, the hardest of these sounds, lie in the stated interval; single drum hits nearly all do.
_SEEN_SHARE, _HIDDEN_MS = 0.7, 3.0


@dataclass(frozen=True)
class _Pick:
    """Where a sound begins, in samples of the stretch looked at."""

    onset: int
    half_width: float
    gain: float
    quiet_share: float  # mean square before, over that of the loudest 0.4 ms


def placed(x: np.ndarray, place: int, before: int, after: int, grid: Grid) -> tuple[int, float, float]:
    """Return where the sound near ``place`` begins and the half width of its 90 % interval, in samples; the gain last.

    The gain is that of Akaike's criterion, infinite where the stretch is too short to be judged by it.
    """
    begin = max(place - grid.ms(30), before + grid.ms(15), 0)
    end = min(place + grid.ms(35), after, len(x))
    if end - begin < 8:
        return min(max(place, 0), len(x) - 1), float(grid.hop), np.inf
    learn = max(before + grid.ms(5), begin - grid.ms(45), 0)
    pick = _begins(_innovation(x, learn, begin, max(place - grid.ms(15), begin), end, grid), grid)
    if pick is None:
        return min(max(place, begin), end - 1), float(grid.hop), np.inf
    doubt = max(pick.half_width, 1.0, _hidden(x, begin + pick.onset, end, pick.quiet_share, grid))
    if pick.gain < 10:
        doubt = max(doubt, grid.hop)
    return begin + pick.onset, float(doubt), pick.gain


def placed_burst(x: np.ndarray, place: int, before: int, after: int, grid: Grid) -> tuple[int, float, float]:
    """Do as `placed` where noise rises over noise.

    The loudest place says nothing here, and no first sample stands out: the change of variance is all there is.
    """
    from ..core.kernels.change_point import change_point

    begin = max(place - grid.ms(25), before + grid.ms(15), 0)
    end = min(place + grid.ms(20), max(after, place + grid.ms(8)), len(x))
    if end - begin < 8:
        return min(max(place, 0), len(x) - 1), float(grid.hop), np.inf
    learn = max(before + grid.ms(5), begin - grid.ms(45), 0)
    e = _innovation(x, learn, begin, max(place - grid.ms(12), begin), end, grid)
    best, low, high, gain = change_point(np.ascontiguousarray(e), grid.ms(2), 1e-30)
    if best < 0:
        return place, float(grid.hop), np.inf
    return begin + best, (high - low) / 2 + grid.ms(_HIDDEN_MS), gain


def _begins(e: np.ndarray, grid: Grid) -> _Pick | None:
    """Find the change of variance before the loudest place, and from there the first sample of the rise."""
    from ..core.kernels.change_point import change_point

    power = e * e
    smooth = max(grid.ms(0.4), 1)
    envelope = np.convolve(power, np.ones(smooth) / smooth)[: len(power)]
    top = int(np.argmax(envelope))
    stop = min(top + grid.ms(1), len(e))
    guard = max(grid.ms(0.1), 2)
    floor = 1e-12 * float(envelope[top]) + 1e-30
    best, low, high, gain = change_point(np.ascontiguousarray(e[:stop]), guard, floor)
    if best < 0:
        return None
    quiet = float(np.median(envelope[: max(best - guard, 1)])) if best > guard else 0.0
    least = max(1e-4 * float(power[best:stop].max(initial=0.0)), 9.0 * quiet, 1e-18)
    loud = power >= least
    # Back over the rise as long as it is loud without a gap, or on to where it becomes loud.
    reach = max(best - grid.ms(8), 0)
    onset = best
    for hit in np.flatnonzero(loud[reach:best])[::-1]:
        if onset - reach - hit > grid.ms(0.7):
            break
        onset = reach + int(hit)
    if not loud[onset]:
        later = np.flatnonzero(loud[onset:stop])
        onset += int(later[0]) if len(later) else 0
    return _Pick(onset, (high - low) / 2, gain, quiet / max(float(envelope[top]), 1e-30))


def _hidden(x: np.ndarray, onset: int, end: int, quiet_share: float, grid: Grid) -> float:
    """Return how many samples a sound may have begun before it was seen.

    Even without noise a part of the rise to half the peak is doubtful: where it begins is a matter of definition. And
    of the 40 dB by which a sound rises, what was there before covers a part.
    """
    size = np.abs(x[onset : min(end, onset + grid.ms(25))])
    if not len(size):
        return 1.0
    rise = int(np.argmax(size >= 0.5 * size.max()))
    covered = (10 * np.log10(max(9 * quiet_share, 1e-12)) + 40) / 40
    return _SEEN_SHARE * rise + min(max(covered, 0.0), 1.0) * grid.ms(_HIDDEN_MS)


def _innovation(x: np.ndarray, learn: int, begin: int, known: int, end: int, grid: Grid) -> np.ndarray:
    """Return what prediction from the sound before does not explain in ``x[begin:end]``."""
    from scipy.linalg import LinAlgError, solve_toeplitz
    from scipy.signal import lfilter

    order = _PREDICTOR_ORDER
    past = x[learn:known]
    raw = x[begin:end] - (x[begin - 1] if begin else 0.0)
    if len(past) < 6 * order:
        return raw
    tapered = past * np.hanning(len(past))
    r = np.array([tapered[: len(past) - k] @ tapered[k:] for k in range(order + 1)])
    if r[0] < 1e-14:
        return raw
    r[0] = r[0] * (1 + _WHITENING) + 1e-14
    try:
        a = solve_toeplitz(r[:order], r[1:])
    except (LinAlgError, ValueError):
        return raw
    lead = max(begin - order, 0)
    e = lfilter(np.concatenate([[1.0], -a]), [1.0], x[lead:end])
    return e[begin - lead :]
