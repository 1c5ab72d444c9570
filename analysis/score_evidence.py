"""What a recording tells of one written note: how likely it begins at every moment near where it is expected.

Conventions
-----------
Times are seconds of the recording, moments are milliseconds. A note's own partials are demodulated and kept in cells
of 1 ms; every moment is described by their levels in windows of 8 to 64 ms before and after it, and by what is new in
them (phase too, so that a repeated note under the pedal shows), by how much of them the score says is shared with
other notes, and by how likely any sound begins there (`analysis.onset_places`). A small network, the same for every
partial, its answers weighed by how much of the partial is the note's own, makes of that how likely the note begins
there, and one more answer says that it does not begin at all. It was fitted on invented music whose every beginning is
known (`benchmarks/accuracy/fit_score.py`).

References
----------
Ewert and Müller 2011, Estimating note intensities in music recordings, ICASSP (the score tells which partials are
whose). Wang, Ewert and Dixon 2015, Compensating for asynchronies between musical voices in score-performance alignment,
ICASSP (notes of one chord have their own times). Zaheer et al. 2017, Deep sets, NeurIPS (one network for every member
of a set, then another over their mean).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from . import onset_places as places
from .networks import Layers, read_layers

# So many partials are listened to, of so many: those that are low and the note's own.
PARTIALS, _AMONG = 6, 10
CELL_S = 0.001
SPANS = np.array([8, 16, 32, 64])
STARTS = np.array(
    [[0, -16], [0, -8], [0, 0], [0, 8], [1, -32], [1, -16], [1, 0], [1, 16], [2, -32], [2, 0], [3, -64], [3, 0]]
)
_MARGIN = 64
# Partials above are weak and crowded.
_HIGHEST_HZ = 6_000.0
# A partial is not farther from where it is written than this share of its frequency, nor this much.
_FARTHEST, _FARTHEST_HZ = 0.025, 30.0
_NEAR_S, _WIDTH_HZ = 0.08, 25.0
# Notes ring on under a pedal that no score tells of.
_RING_S = 0.5
_LOW_RATE = 20_000.0
# Places whose every cell is weighed at once: what is worked on stays in the processor's cache.
_AT_ONCE = 4

# What `company` tells.
COMPANY = 9
# Among the features, a note's strongest level.
LOUD = len(STARTS) + len(SPANS) + 5


@dataclass(frozen=True, eq=False)
class Written:
    """Written notes in order of their expected times, each once.

    Parameters
    ----------
    expected_s, end_s : ndarray [shape=(n,)], seconds of the recording
    number, hz : ndarray [shape=(n, PARTIALS)]
        Of every partial.
    shared : ndarray [shape=(n, PARTIALS, 2)]
        See `partial_company`.
    """

    expected_s: np.ndarray
    end_s: np.ndarray
    number: np.ndarray
    hz: np.ndarray
    shared: np.ndarray

    @property
    def height(self) -> np.ndarray:
        """Fundamentals, Hz."""
        return self.hz[:, 0] / self.number[:, 0]

    @classmethod
    def of(cls, expected_s: np.ndarray, end_s: np.ndarray, pitch: np.ndarray, cents: float) -> Written:
        """Make the table; ``cents`` is the recording's transposition and tuning."""
        from ..core.kernels.partial_company import partial_company

        base = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0 + cents / 1200.0)
        number = np.arange(1, _AMONG + 1)
        hz = base[:, None] * number[None, :]
        shared = partial_company(expected_s, end_s + _RING_S, hz, _NEAR_S, _WIDTH_HZ)
        worth = (1.0 - 0.9 * shared[..., 0]) * (1.0 - 0.3 * shared[..., 1]) / np.sqrt(number)
        worth[hz > _HIGHEST_HZ] = 0.0
        chosen = np.sort(np.argsort(-worth, axis=1, kind="stable")[:, :PARTIALS], axis=1)
        return cls(
            expected_s,
            end_s,
            number[chosen],
            np.take_along_axis(hz, chosen, 1),
            np.take_along_axis(shared, chosen[..., None], 1),
        )


@dataclass(frozen=True, eq=False)
class Lowered:
    """A stretch of sound at a rate that is enough for partials; ``x[0]`` is the recording's sample ``first`` there."""

    x: np.ndarray
    rate: float
    first: int

    @classmethod
    def of(cls, samples: np.ndarray, rate: float, first: int) -> Lowered:
        """Filter and thin out samples, the first of which is the recording's sample ``first``.

        Kept are multiples of the recording's samples, not of the stretch's: where it begins moves nothing.
        """
        from ..core.kernels.decimation import decimation

        factor = max(int(rate // _LOW_RATE), 1)
        if factor == 1:
            return cls(np.ascontiguousarray(samples, dtype=np.float64), rate, first)
        skip = -first % factor
        samples = samples[skip:]
        half = 12 * factor
        j = np.arange(-half, half + 1)
        taps = np.sinc(0.9 * j / factor) * (0.5 + 0.5 * np.cos(np.pi * j / (half + 1)))
        x = decimation(np.ascontiguousarray(samples, dtype=np.float64), taps / taps.sum(), factor)
        return cls(x, rate / factor, (first + skip) // factor)


def described(
    sound: Lowered,
    written: Written,
    which: np.ndarray,
    centre_s: np.ndarray,
    reach: int,
    peak: float,
    stride: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Describe the moments from ``reach`` ms before to ``reach`` ms after some centres.

    Parameters
    ----------
    sound : Lowered
    written : Written
    which : ndarray of int64 [shape=(n,)]
        Rows of ``written``.
    centre_s : ndarray [shape=(n,)], seconds
    reach : int
    peak : float
        The recording's largest sample.
    stride : int
        1, 2 or 4: every so-manieth moment is described.

    Returns
    -------
    features : ndarray of float32 [shape=(n, 2 * reach / stride + 1, PARTIALS, f)]
    weights : ndarray of float32 [shape=(n, PARTIALS)]
        How much each partial counts; the sum is 1 (0 where a note has none).
    begin_s : ndarray [shape=(n,)], seconds
        The first moments.
    tops : ndarray [shape=(n, PARTIALS)], dB
        Of every partial; -200 of none.
    """
    from ..core.kernels.partial_cells import partial_cells
    from ..core.kernels.partial_moments import partial_moments
    from ..core.kernels.partial_tuning import partial_tuning

    cell = max(round(CELL_S * sound.rate), 1)
    hz = written.hz[which]
    turns = np.where(hz < min(_HIGHEST_HZ, 0.45 * sound.rate), hz / sound.rate, 0.0)
    begins = np.round(centre_s * sound.rate).astype(np.int64) - sound.first - (reach + _MARGIN) * cell
    moments = 2 * reach // stride + 1
    cells = partial_cells(sound.x, begins, turns, cell, 2 * (reach + _MARGIN + 1))
    most = np.minimum(_FARTHEST * hz, _FARTHEST_HZ) * cell / sound.rate
    cells, _ = partial_tuning(cells, _MARGIN + reach, 32, 8, most)
    levels, tops = partial_moments(cells, _MARGIN, moments, stride, SPANS, STARTS)
    known = turns > 0.0
    loudest = tops.max(1)
    fixed = np.stack(
        [
            written.number[which] / _AMONG,
            written.shared[which, :, 0],
            written.shared[which, :, 1],
            np.clip((tops - loudest[:, None]) / 20.0, -3.0, 0.0),
            np.log2(np.maximum(hz, 20.0) / 500.0) / 3.0,
            np.broadcast_to(np.clip((loudest - 20.0 * np.log10(peak))[:, None] / 20.0, -5.0, 0.0), hz.shape),
        ],
        axis=2,
    )
    features = np.empty((len(which), moments, PARTIALS, levels.shape[3] + fixed.shape[2]), dtype=np.float32)
    features[..., : levels.shape[3]] = levels.transpose(0, 2, 1, 3) / 20.0
    features[..., levels.shape[3] :] = fixed[:, None]
    weights = np.where(known, 1.05 - written.shared[which, :, 0], 0.0)
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-9)
    return features, weights.astype(np.float32), (sound.first + begins + _MARGIN * cell) / sound.rate, tops


def pooled(features: np.ndarray, weights: np.ndarray, layers: Layers) -> np.ndarray:
    """Return what the partials of a note say together [shape=(n, moments, width)]."""
    hidden = features
    for weight, bias in layers:
        hidden = hidden @ weight + bias
        hidden = np.maximum(hidden, 0.1 * hidden)
    return np.einsum("nmkw,nk->nmw", hidden, weights, optimize=True)


def headed(inputs: np.ndarray, layers: Layers) -> np.ndarray:
    """Return the score of every moment [shape=(n, moments)]."""
    hidden = inputs
    for number, (weight, bias) in enumerate(layers):
        hidden = hidden @ weight + bias
        if number < len(layers) - 1:
            hidden = np.maximum(hidden, 0.1 * hidden)
    return hidden[..., 0]


def company(score: np.ndarray, group: np.ndarray, loud: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Describe what the other notes of a chord do at a note's moments.

    The loud beginning of one note is heard in the partials of others: what another note explains says less.

    Parameters
    ----------
    score : ndarray [shape=(n, moments)]
        Against that of not being played at all; the moments of a chord's notes are the same.
    group : ndarray of int64 [shape=(n,)]
        The chord of each note; a chord's notes follow each other.
    loud : ndarray [shape=(n,)]
        Level of each note's strongest partial, in units of 20 dB.
    height : ndarray [shape=(n,)]
        Orders the notes by pitch.

    Returns
    -------
    ndarray of float32 [shape=(n, moments, COMPANY)]
        How surely another note begins within 3 ms; that times by how much it is louder; how many of the others have
        begun; whether the highest note has, and the same 25 ms ago; then whether the note is the highest or the
        lowest, how many others there are, and how much louder it is than the loudest of them.
    """
    count, moments = score.shape
    out = np.zeros((count, moments, COMPANY), dtype=np.float32)
    top = np.maximum(score.max(1, keepdims=True), 0.0)
    belief = np.exp(score - top)
    belief /= belief.sum(1, keepdims=True) + np.exp(-top)
    begun = np.cumsum(belief, axis=1)
    padded = np.pad(begun, ((0, 0), (4, 3)), mode="edge")
    padded[:, :4] = 0.0
    near = padded[:, 7:] - padded[:, :-7]
    earlier = np.pad(begun, ((0, 0), (25, 0)))[:, :moments]
    edges = np.flatnonzero(np.diff(group, prepend=group[:1] - 1, append=group[-1:] + 1))
    for first, last in pairwise(edges):
        rows = np.arange(first, last)
        highest = first + int(height[rows].argmax())
        lowest = first + int(height[rows].argmin())
        for i in rows:
            others = rows[rows != i]
            out[i, :, 5] = float(i == highest)
            out[i, :, 6] = float(i == lowest)
            if not len(others):
                continue
            louder = np.clip(loud[others] - loud[i], -1.5, 1.5)
            out[i, :, 0] = near[others].max(0)
            out[i, :, 1] = (near[others] * np.maximum(louder, 0.0)[:, None]).max(0)
            out[i, :, 2] = begun[others].mean(0)
            out[i, :, 3] = begun[highest] if highest != i else 0.0
            out[i, :, 4] = earlier[highest] if highest != i else 0.0
            out[i, :, 7] = len(others) / 4.0
            out[i, :, 8] = -float(louder.max())
    return out


def note_level_db(features: np.ndarray, weights: np.ndarray, tops: np.ndarray) -> np.ndarray:
    """Return the level of a note's own partials in the 64 ms after every moment [shape=(n, moments)], dB."""
    after = int(np.flatnonzero((STARTS[:, 0] == len(SPANS) - 1) & (STARTS[:, 1] == 0))[0])
    own = weights > 0.5 * weights.max(1, keepdims=True)
    level = 20.0 * features[..., after] + np.where(own, tops, -200.0)[:, None, :]
    # A tone of amplitude a is a / 2 in its cells; full scale is a sine of amplitude 1.
    return 10.0 * np.log10((4.0 * 10.0 ** (level / 10.0)).sum(2) + 1e-20)


@lru_cache(maxsize=1)
def network() -> dict[str, Layers]:
    """Return the layers (weight, bias) of the fitted network."""
    from .score_weights import LAYERS

    return read_layers(LAYERS)


def anything(x: np.ndarray, centre: np.ndarray, rate: float, reach: int) -> np.ndarray:
    """Return the logarithm of how likely a sound begins at every cell about some centres.

    Parameters
    ----------
    x : ndarray of float64 [shape=(frames,)]
    centre : ndarray of int64 [shape=(n,)], samples, in order
    rate : float, Hz
    reach : int
        Cells of 0.25 ms on either side.

    Returns
    -------
    ndarray of float64 [shape=(n, 2 * reach + 1)]
    """
    narrow = places.Scale.coarse(rate)
    more = reach - narrow.reach
    scale = places.Scale(narrow.cell, narrow.before + more, narrow.after + more, reach)
    evidence = places.predicted(x, centre, rate).evidence(centre, scale)
    out = np.empty((len(centre), 2 * reach + 1))
    for begin in range(0, len(centre), _AT_ONCE):
        which = np.arange(begin, min(begin + _AT_ONCE, len(centre)))
        features = places.moments(evidence.rows(which), scale)
        features[:, :, -2:] = 0.0  # how far from the proposal: here all of them are as likely
        out[which] = places.likelihood(features, places.weights()["coarse"])
    return np.log(np.maximum(out, 1e-12))


def by_moment(log_belief: np.ndarray, cell_s: float, lead_s: np.ndarray, moments: int) -> np.ndarray:
    """Return what `anything` says of every moment: its share, and against the most within 6 ms.

    Parameters
    ----------
    log_belief : ndarray of float64 [shape=(n, cells)]
    cell_s : float, seconds
    lead_s : ndarray [shape=(n,)], seconds
        From the first cell to the first moment.
    moments : int

    Returns
    -------
    ndarray of float32 [shape=(n, moments, 2)]
    """
    sums = np.concatenate([np.zeros((len(log_belief), 1)), np.cumsum(np.exp(log_belief), axis=1)], axis=1)
    edge = (lead_s[:, None] + CELL_S * (np.arange(moments + 1) - 0.5)[None, :]) / cell_s + 0.5
    edge = np.clip(edge, 0.0, sums.shape[1] - 1.0)
    low = np.minimum(edge.astype(np.int64), sums.shape[1] - 2)
    left, right = np.take_along_axis(sums, low, 1), np.take_along_axis(sums, low + 1, 1)
    share = np.diff(left + (edge - low) * (right - left), axis=1)
    share = np.log(np.maximum(share, 1e-5))
    padded = np.pad(share, ((0, 0), (6, 6)), mode="edge")
    most = np.lib.stride_tricks.sliding_window_view(padded, 13, axis=1).max(2)
    return np.stack([share / 4.0, (share - most) / 4.0], axis=2).astype(np.float32)
