"""Score listening for drums: which written stroke is which onset.

Conventions
-----------
Times are seconds of the recording. Drums have no partials to tell them by; they are told by the onsets heard without
the score and what each is named, and by what rises in four bands at it. What a kick or a hat raises is learnt from the
take itself: the score says at which onsets it is written, and nearly all that is written is played. Drums struck
together are one onset at the first of them; each one's own moment is where its own band rises most steeply within the
30 ms of the onset, placed to the sample there (`analysis.onset_places`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .listening import Chunk, Sound
from .score_chain import moment_offsets, spread_kernel

if TYPE_CHECKING:
    from .onsets import Onsets

# General MIDI's drums as `Onsets.instrument` names them; the Roland pads beyond it too.
_KEYS = {
    "kick": (35, 36),
    "snare": (37, 38, 39, 40),
    "hat": (22, 26, 42, 44, 46),
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
}
KINDS = (*_KEYS, "other")
_STEP_MS, _WIDE_MS = 4, 120
# A stroke lies so near its moment (ms): Laplace's scale.
_SPREAD_MS = 6.0
# How well an onset with another name, or none, fits a stroke: the loudest drum gives the name.
_NAMELESS = 0.3
# One stroke of so many is not played; an onset of strength 1 says this much for a stroke at it.
_MISSING, _SAYS = 0.02, 30.0
_BANDS_HZ = (30.0, 150.0, 700.0, 4000.0, 12_000.0)
_BEFORE_S, _AFTER_S = 0.025, 0.035
# As many onsets with and without a drum are needed to learn what it raises.
_ENOUGH = 12
# Drums struck together: each one's own band, how far from the onset its rise is looked for, how steep that is at least
# (dB), and how near to the onset it is the onset's (ms).
_OWN_BAND = {"kick": 0, "snare": 2, "hat": 3, "cymbal": 3, "other": 1}
_FRAME_MS, _SEEN_MS, _LONGEST_MS, _STEEP_DB, _SAME_MS = 6.0, 12, 36, 9.0, 3.5
# Strokes this near (s) tell of each other's places.
_AROUND_S = 0.15
# What may be wrong with a moment that was found so, and with one whose band does not rise, or where it was not placed
# (ms, 90 %): the errors of invented beats played loosely on FluidR3's kits (benchmarks/accuracy/fit_pairs.py, fold 0).
_FOUND_MS, _TOGETHER_MS = 16.0, 21.0


def kind_of(pitch: np.ndarray) -> np.ndarray:
    """Return the name of each key's drum."""
    named = {key: name for name, keys in _KEYS.items() for key in keys}
    return np.array([named.get(int(k), "other") if np.isfinite(k) else "other" for k in pitch], dtype="<U8")


def listen_for_drums(
    expected_s: np.ndarray, kind: np.ndarray, sound: Sound, onsets: Onsets
) -> Mapping[str, np.ndarray]:
    """Find the onsets at which written strokes begin.

    Parameters
    ----------
    expected_s : ndarray [shape=(n,)], seconds
        In order.
    kind : ndarray of str [shape=(n,)]
        Of `KINDS`.
    sound : Sound
    onsets : Onsets

    Returns
    -------
    mapping
        Columns of `ScoreOnsets`: onset_s, onset_uncertainty_ms, confidence, level_db.
    """
    count = len(expected_s)
    out = {n: np.full(count, np.nan) for n in ("onset_s", "onset_uncertainty_ms", "level_db")}
    out["confidence"] = np.zeros(count)
    if not count or not len(onsets):
        return out
    group = np.concatenate([[0], np.cumsum(np.diff(expected_s) > 0.0015)])
    group_s = np.bincount(group, expected_s) / np.bincount(group)
    fits = _fits(onsets)
    offset_ms = np.arange(-_WIDE_MS, _WIDE_MS + 1, _STEP_MS, dtype=np.float64)
    ratio = np.full((count, len(offset_ms)), _MISSING)
    for i in range(count):
        low, high = np.searchsorted(onsets.onset_s, expected_s[i] + np.array([-0.15, 0.15]))
        off_ms = 1000.0 * (onsets.onset_s[low:high] - expected_s[i])
        ratio[i] += _SAYS * (
            spread_kernel(offset_ms[:, None] - off_ms[None, :], _SPREAD_MS) @ fits[str(kind[i])][low:high]
        )
    posterior = moment_offsets(ratio, group, group_s, np.diff(group_s, prepend=group_s[:1]) > 12.0, float(_STEP_MS))
    rows = np.full(count, -1, dtype=np.int64)
    odds = np.zeros(count)
    for i in range(count):
        low, high = np.searchsorted(onsets.onset_s, expected_s[i] + np.array([-0.15, 0.15]))
        if low == high:
            continue
        off_ms = 1000.0 * (onsets.onset_s[low:high] - expected_s[i])
        prior = spread_kernel(off_ms[:, None] - offset_ms[None, :], _SPREAD_MS) @ posterior[group[i]]
        said = _SAYS * fits[str(kind[i])][low:high] * prior
        rows[i], odds[i] = low + int(said.argmax()), float(said.max()) / _MISSING
    found = np.flatnonzero(odds > 0.05)
    own = _own_odds(rows[found], kind[found], sound, onsets)
    event = onsets.rows(rows[found])
    out["confidence"][found] = 1.0 / (1.0 + 1.0 / np.maximum(odds[found] * own, 1e-9))
    out["onset_s"][found] = event.onset_s
    alone = np.bincount(rows[found], minlength=len(onsets))[rows[found]] == 1
    out["onset_uncertainty_ms"][found] = event.onset_uncertainty_ms
    several = found[~alone]
    placed_s, doubt_ms = _apart(rows[several], kind[several], sound, onsets)
    out["onset_s"][several] = placed_s
    out["onset_uncertainty_ms"][several] = np.hypot(out["onset_uncertainty_ms"][several], doubt_ms)
    out["level_db"][found] = event.level_db
    return out


def _fits(onsets: Onsets) -> dict[str, np.ndarray]:
    """Return how well every onset fits a stroke of each kind."""
    sure = 1.0 - np.exp(-np.maximum(onsets.strength, 0.0) / 3.0)
    return {k: np.where(onsets.instrument == k, sure, _NAMELESS * sure) for k in KINDS}


def _own_odds(rows: np.ndarray, kind: np.ndarray, sound: Sound, onsets: Onsets) -> np.ndarray:
    """Return how much likelier a stroke of each kind is at its onset than not, by what rises there."""
    own = np.ones(len(rows))
    figures = _rises(sound, onsets.onset_s)
    used = np.unique(rows)
    for name in KINDS:
        mine = kind == name
        has = np.zeros(len(onsets), dtype=bool)
        has[rows[mine]] = True
        with_it, without = used[has[used]], used[~has[used]]
        if len(with_it) < _ENOUGH or len(without) < _ENOUGH:
            continue
        own[mine] = _discriminated(figures, with_it, without)[rows[mine]]
    return own


def _discriminated(figures: np.ndarray, with_it: np.ndarray, without: np.ndarray) -> np.ndarray:
    """Return the odds by Fisher's linear discriminant, each side's scores taken for normal, within bounds."""
    a, b = figures[with_it], figures[without]
    inner = (len(a) * np.cov(a.T) + len(b) * np.cov(b.T)) / (len(a) + len(b)) + 4.0 * np.eye(figures.shape[1])
    direction = np.linalg.solve(inner, np.median(a, axis=0) - np.median(b, axis=0))
    score = figures @ direction

    def middle_spread(values: np.ndarray) -> tuple[float, float]:
        middle = float(np.median(values))
        return middle, max(1.4826 * float(np.median(np.abs(values - middle))), 0.3)

    (at, wide), (other_at, other_wide) = middle_spread(score[with_it]), middle_spread(score[without])
    # Louder than usual speaks not against a stroke.
    off = np.minimum((score - at) * np.sign(at - other_at), 0.0) / wide
    other = (score - other_at) / other_wide
    log_odds = -0.5 * off**2 - np.log(wide) + 0.5 * other**2 + np.log(other_wide)
    return np.exp(np.clip(log_odds, -6.0, 6.0))


def _rises(sound: Sound, onset_s: np.ndarray) -> np.ndarray:
    """Return the levels of four bands after every onset, and by how much they rise there [shape=(n, 8)], dB."""
    out = np.zeros((len(onset_s), 2 * (len(_BANDS_HZ) - 1)))
    for chunk in sound.chunks():
        place = np.round(onset_s * chunk.rate).astype(np.int64)
        for row in np.flatnonzero((place >= chunk.begin) & (place < chunk.end)):
            out[row] = _levels(chunk, int(place[row]))
    return out


def _levels(chunk: Chunk, place: int) -> np.ndarray:
    """Return one onset's row."""
    at = place - chunk.first
    levels = []
    for begin, end in ((at, at + round(_AFTER_S * chunk.rate)), (at - round(_BEFORE_S * chunk.rate), at)):
        piece = chunk.samples[max(begin, 0) : max(end, 1)]
        if len(piece) < 16:
            levels.append(np.full(len(_BANDS_HZ) - 1, -90.0))
            continue
        power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2 / len(piece) ** 2
        hz = np.fft.rfftfreq(len(piece), 1.0 / chunk.rate)
        edges = np.searchsorted(hz, _BANDS_HZ)
        sums = np.concatenate([[0.0], np.cumsum(power)])
        levels.append(10.0 * np.log10(np.diff(sums[edges]) + 1e-9))
    return np.concatenate([levels[0], levels[0] - levels[1]])


def _apart(rows: np.ndarray, kind: np.ndarray, sound: Sound, onsets: Onsets) -> tuple[np.ndarray, np.ndarray]:
    """Return the own moments of drums that are struck together, and what may be wrong with each (ms).

    Parameters
    ----------
    rows : ndarray of int64 [shape=(n,)]
        Their onsets.
    kind : ndarray of str [shape=(n,)]
    """
    from .onset_places import place_onsets

    time_s = onsets.onset_s[rows].copy()
    doubt_ms = np.full(len(rows), _TOGETHER_MS)
    place = np.round(time_s * sound.rate).astype(np.int64)
    around = round(_AROUND_S * sound.rate)
    for chunk in sound.chunks():
        # Those just before and after the chunk are placed with its own, which they tell where to begin and end; what
        # is told of them here is told again by their own chunk, or was.
        inside = (place >= chunk.begin) & (place < chunk.end)
        mine = np.flatnonzero((place >= chunk.begin - around) & (place < chunk.end + around))
        if not inside.any():
            continue
        steep = {int(p): _steepest(chunk, int(p) - chunk.first) for p in np.unique(place[mine])}
        at = np.array([steep[int(place[i])][_OWN_BAND[str(kind[i])]] for i in mine])
        same = np.abs(at) <= _SAME_MS
        doubt_ms[mine[same & inside[mine]]] = _FOUND_MS
        later = np.flatnonzero(np.isfinite(at) & ~same)
        if not len(later):
            continue
        proposed = place[mine[later]] - chunk.first + np.round(0.001 * at[later] * chunk.rate).astype(np.int64)
        every, back = np.unique(np.clip(proposed, 0, len(chunk.samples) - 1), return_inverse=True)
        found = place_onsets(chunk.samples / sound.peak, every, chunk.rate)
        # Placed farther away than the band can be wrong, it is the other drum that was placed.
        off_ms = 1000.0 * (found.onset[back] - proposed) / chunk.rate
        near = np.abs(off_ms) < 2.0 * _SAME_MS
        own = inside[mine[later]]
        placed = (chunk.first + np.where(near, found.onset[back], proposed)) / chunk.rate
        time_s[mine[later[own]]] = placed[own]
        doubt_ms[mine[later[own]]] = np.where(near, _FOUND_MS, _TOGETHER_MS)[own]
    return time_s, doubt_ms


def _steepest(chunk: Chunk, at: int) -> np.ndarray:
    """Return where each band rises most steeply near an onset, ms from it; NaN where it does not."""
    hop, size = max(round(0.001 * chunk.rate), 1), max(round(_FRAME_MS / 1000 * chunk.rate), 16)
    count = _SEEN_MS + _LONGEST_MS + 1
    # Frame i begins i - _SEEN_MS ms from the onset; its sound before is the frame that ends there.
    begin = at - _SEEN_MS * hop - size
    frames = np.zeros(size + (count - 1) * hop + size)
    low, high = max(begin, 0), min(begin + len(frames), len(chunk.samples))
    if high > low:
        frames[low - begin : high - begin] = chunk.samples[low:high]
    view = np.lib.stride_tricks.sliding_window_view(frames, size)
    hz = np.fft.rfftfreq(size, 1.0 / chunk.rate)
    edges = np.maximum(np.searchsorted(hz, _BANDS_HZ), 0)
    edges[0], edges[1] = 0, max(int(edges[1]), 2)
    edges = np.maximum.accumulate(edges)

    def bands(begins: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(view[begins] * np.hanning(size), axis=1)) ** 2
        sums = np.concatenate([np.zeros((len(begins), 1)), np.cumsum(power, axis=1)], axis=1)
        return np.diff(sums[:, edges], axis=1)

    after = bands(size + hop * np.arange(count))
    before = bands(hop * np.arange(count))
    floor = 1e-4 * after.max(0, keepdims=True) + 1e-20
    rise = 10.0 * np.log10((after + floor) / (before + floor))
    # A late small rise is no new stroke: what is reached counts too.
    reached = 10.0 * np.log10((after + floor) / (after.max(0, keepdims=True) + floor))
    score = rise + np.minimum(reached + 6.0, 0.0)
    best = score.argmax(0)
    ms = 1000.0 * hop / chunk.rate
    return np.where(score.max(0) > _STEEP_DB, (best - _SEEN_MS) * ms, np.nan)
