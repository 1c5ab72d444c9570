"""Evidence of breath: features of frames and of stretches, relative to the recording they are in.

Conventions
-----------
Everything is relative to the recording's own floor and level: a gain changes nothing. One row a frame of 10 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .breath_frames import BAND_EDGES_HZ, NARROW_BANDS, Frames
from .breath_weights import FRAME_WEIGHTS, STRETCH_WEIGHTS

_FLOOR_PERCENTILE = 4.0
_LEAST_DB = -95.0  # below the recording's peak: what is softer is digital silence or the codec's
# A frame that hardly stands out of the floor, is silence or has a pitch is no breath, whatever else it is like.
_AUDIBLE_DB, _IMPOSSIBLE_SCORE = 1.5, -8.0
_CANDIDATE_SCORE = -1.5  # frames above this make the stretches that are weighed as a whole
_DEAD_DB = -60.0
_BLOCK, _CONTEXT = 60_000, 80  # frames worked on at once, and how far a frame's features may look
# Edges: how far below its own top a breath is taken to begin, and how far above what surrounds it, dB.
_BELOW_TOP_DB, _ABOVE_BASE_DB = 17.0, 2.0
_RISING_DB = 3.0
_REACH = 15  # frames an edge may move outwards
FRAME_FEATURES = (
    "salience", "coverage", "slope", "slope^2", "curve", "curve^2", "ripple", "peaked", "flat_low", "flat_mid",
    "harmonic", "whitened", "low", "level", "level^2", "crest", "change", "jump", "rise", "swell", "stands",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a recording's frames tell.

    Parameters
    ----------
    score : ndarray [shape=(n,)]
        Log odds that a frame is breath.
    spans : list of (int, int)
        Stretches of frames ``[begin, end)`` that may be breaths.
    features : ndarray [shape=(len(spans), len(STRETCH_FEATURES))]
    outline_db : ndarray [shape=(n,)], dB
        Mean level of the bands above 0.5 kHz.
    voiced : ndarray of bool [shape=(n,)]
    is_narrow : bool
        Whether nothing is known of what lies above 3.9 kHz.
    """

    score: np.ndarray
    spans: list[tuple[int, int]]
    features: np.ndarray
    outline_db: np.ndarray
    voiced: np.ndarray
    is_narrow: bool


def weighed(frames: Frames) -> Evidence:
    """Weigh every frame, and gather the stretches that may be breaths."""
    frames, is_narrow = known(frames)
    features, salience, outline_db = frame_features(frames)
    weights = FRAME_WEIGHTS[is_narrow]
    score = weights["bias"] + features @ np.array([weights[name] for name in FRAME_FEATURES])
    voiced = voiced_frames(frames)
    score = np.where(audible(frames, salience) & ~voiced, score, _IMPOSSIBLE_SCORE)
    spans: list[tuple[int, int]] = []
    likely = stretches(score, _CANDIDATE_SCORE)
    for (begin, end), (following, _) in zip(likely, [*likely[1:], (len(frames), 0)], strict=False):
        spans.append(edges(begin, end, outline_db, voiced, (spans[-1][1] if spans else 0, following)))
    return Evidence(
        score, spans, stretch_features(spans, score, features, salience, frames), outline_db, voiced, is_narrow
    )


def confidences(evidence: Evidence) -> np.ndarray:
    """Return the probability that each stretch is a breath."""
    weights = STRETCH_WEIGHTS[evidence.is_narrow]
    z = weights["bias"] + evidence.features @ np.array([weights[name] for name in STRETCH_FEATURES])
    return 1 / (1 + np.exp(-np.clip(z, -30, 30)))


def known(frames: Frames) -> tuple[Frames, bool]:
    """Return the readings, without the upper bands where nothing is there, and whether they are left out."""
    narrow = frames.bands_db.shape[1] <= NARROW_BANDS
    if not narrow:
        loudest = np.percentile(frames.bands_db, 95, axis=0)
        narrow = bool(loudest[NARROW_BANDS:].max() - loudest[:NARROW_BANDS].max() < _DEAD_DB)
        frames = frames.narrowed() if narrow else frames
    return frames, narrow


def audible(frames: Frames, salience_db: np.ndarray) -> np.ndarray:
    """Return where a frame stands out of the floor and is no digital silence."""
    return (smoothed(salience_db, 3) > _AUDIBLE_DB) & (frames.level_db > _LEAST_DB + 7)


def smoothed(values: np.ndarray, frames: int) -> np.ndarray:
    """Return the running mean over an odd number of frames, along the first axis; ends repeat."""
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(values, frames, axis=0, mode="nearest")


def floor_of(bands_db: np.ndarray, level_db: np.ndarray) -> np.ndarray:
    """Return each band's floor: a low percentile over all that is no digital silence."""
    heard = level_db > _LEAST_DB
    if not heard.any():
        return np.full(bands_db.shape[1], _LEAST_DB)
    low = [np.percentile(smoothed(band, 5)[heard], _FLOOR_PERCENTILE) for band in bands_db.T]
    return np.maximum(np.array(low, dtype=np.float64), _LEAST_DB - 20)


def loud_of(level_db: np.ndarray) -> float:
    """Return the level of a recording's loud passages: the 90th percentile over all that is no digital silence."""
    heard = level_db > _LEAST_DB
    return float(np.percentile(level_db[heard], 90)) if heard.any() else 0.0


def frame_features(frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the features of every frame and how far it stands above the floor.

    Returns
    -------
    features : ndarray [shape=(n, len(FRAME_FEATURES))], float32
    salience_db : ndarray [shape=(n,)], dB
        Mean over the bands above 0.5 kHz, not smoothed.
    outline_db : ndarray [shape=(n,)], dB
        Mean level of the same bands, not below the floor.
    """
    floor, loud, n = floor_of(frames.bands_db, frames.level_db), loud_of(frames.level_db), len(frames)
    features = np.zeros((n, len(FRAME_FEATURES)), dtype=np.float32)
    salience, outline = np.zeros(n), np.zeros(n)
    for begin in range(0, n, _BLOCK):  # an hour at once would take hundreds of megabytes
        first, end = max(begin - _CONTEXT, 0), min(begin + _BLOCK, n)
        parts = _block_features(frames.part(first, min(end + _CONTEXT, n)), floor, loud)
        kept = slice(begin - first, end - first)
        features[begin:end], salience[begin:end], outline[begin:end] = (part[kept] for part in parts)
    return features, salience, outline


def _block_features(frames: Frames, floor: np.ndarray, loud: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    bands, level = frames.bands_db, frames.level_db
    mids = np.sqrt(np.array(BAND_EDGES_HZ[:-1]) * np.array(BAND_EDGES_HZ[1:]))[: bands.shape[1]]
    upper = mids > 500
    above = np.clip(bands - floor, 0, 60)
    salience = np.minimum(above[:, upper], 30).mean(axis=1)
    calm = smoothed(bands, 5)
    high = np.clip(calm - floor, 0, 60)
    # The spectrum of what stands out: floor taken away, about its own mean, against log frequency (octaves).
    power = np.maximum(10 ** (calm / 10) - 1.3 * 10 ** (floor / 10), 0.2 * 10 ** (floor / 10))
    shape = 10 * np.log10(power)
    shape = np.clip(shape - shape.mean(axis=1, keepdims=True), -30, 30)
    octave = np.log2(mids / 1500)
    basis = np.linalg.qr(np.stack([np.ones_like(octave), octave, octave**2], axis=1))[0]
    parts = shape @ basis
    sign = np.sign(basis[-1])
    slope, curve = np.clip(parts[:, 1:] * sign[1:], -35, 35).T
    rest = shape - parts @ basis.T
    relative = np.clip(smoothed(level, 3) - loud, -70, 5)
    low = frames.low_db - 10 * np.log10(np.maximum((10 ** (bands / 10)).mean(axis=1), 1e-14))
    change = np.abs(
        calm[np.minimum(np.arange(len(calm)) + 2, len(calm) - 1)] - calm[np.maximum(np.arange(len(calm)) - 2, 0)]
    )
    strength = smoothed(salience, 3)
    step = np.diff(salience, prepend=salience[:1])
    two = step + np.concatenate([[0.0], step[:-1]])
    # A strike is a sudden rise of what has no pitch; a note's own beginning says nothing against a breath after it.
    struck = np.where(np.concatenate([frames.whitened[2:], frames.whitened[-2:]])[: len(two)] < 0.5, two, 0.0)
    features = np.stack([
        smoothed(salience, 5),
        (1 / (1 + np.exp(-(high[:, upper] - 5) / 1.5))).mean(axis=1),
        slope, slope**2, curve, curve**2, np.abs(rest).mean(axis=1), rest.max(axis=1),
        smoothed(np.maximum(frames.flatness_db[:, 0], -15), 5),
        smoothed(np.maximum(frames.flatness_db[:, 1:].mean(axis=1), -15), 5),
        smoothed(frames.harmonicity, 5), smoothed(frames.whitened, 5),
        np.clip(smoothed(low, 3), -30, 40), relative, relative**2,
        smoothed(frames.crest_db, 5), change.mean(axis=1),
        maximum_filter1d(two, 5),
        maximum_filter1d(struck, 30, origin=14),
        strength - minimum_filter1d(strength, 41, origin=20),
        strength - minimum_filter1d(strength, 61),
    ], axis=1)  # fmt: skip
    return features, salience, np.maximum(bands, floor)[:, upper].mean(axis=1)


STRETCH_FEATURES = (
    "evidence", "best", "length", "length^2", "onset", "ending", "jump", "before", "after", "nearest", "level", "slope",
    "change", "voiced", "decay", "overshadow", "flat", "harmonic", "crest", "peaked", "top_at", "inner_rise",
    "noisy_before", "length*level", "length*nearest",
)  # fmt: skip


def voiced_frames(frames: Frames) -> np.ndarray:
    """Return where something with a pitch sounds, at most 40 dB below the loud."""
    return (smoothed(frames.whitened, 3) > 0.55) & (frames.level_db > loud_of(frames.level_db) - 40)


def stretches(score: np.ndarray, least: float, fill: int = 6, shortest: int = 7) -> list[tuple[int, int]]:
    """Return the stretches ``[begin, end)`` of frames above a score: holes are filled, short ones left out."""
    inside = np.concatenate([[False], smoothed(score, 5) > least, [False]]).astype(np.int8)
    begins, ends = np.flatnonzero(np.diff(inside) == 1), np.flatnonzero(np.diff(inside) == -1)
    out: list[tuple[int, int]] = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if out and begin - out[-1][1] < fill:
            out[-1] = (out[-1][0], end)
        else:
            out.append((begin, end))
    return [(b, e) for b, e in out if e - b >= shortest]


def edges(begin: int, end: int, outline_db: np.ndarray, voiced: np.ndarray, within: tuple[int, int]) -> tuple[int, int]:
    """Return where a stretch of likely frames rises out of, and falls into, what surrounds it.

    ``outline_db`` is the level of the upper bands. An edge moves outwards while the breath still sinks towards its
    base, or inwards to where it has risen; a voice, whatever rises again, or the end of ``within`` stops it.
    """
    top = float(np.percentile(outline_db[begin:end], 75))
    inner = max((end - begin) // 3, 1)

    def moved(edge: int, step: int) -> int:
        """Return the outermost frame of the breath on one side."""
        ahead = np.arange(edge, edge + step * (_REACH + 1), step)
        ahead = ahead[(ahead >= within[0]) & (ahead < within[1])]
        stop = np.flatnonzero(voiced[ahead])
        ahead = ahead[: int(stop[0]) + 1] if len(stop) else ahead  # the window hears a voice 10 ms beyond its end
        path = outline_db[ahead]
        rising = np.flatnonzero(path > np.minimum.accumulate(path) + _RISING_DB)
        if len(rising):
            path = path[: int(np.argmin(path[: rising[0]])) + 1]
        least = max(top - _BELOW_TOP_DB, float(path.min()) + _ABOVE_BASE_DB)
        if path[0] >= least:
            under = np.flatnonzero(path < least)
            return int(ahead[under[0] - 1] if len(under) else ahead[len(path) - 1])
        back = np.arange(edge, edge - step * inner, -step)
        over = np.flatnonzero(outline_db[back] >= least)
        return int(back[over[0]]) if len(over) else edge

    left, right = moved(begin, -1), moved(end - 1, 1)
    return left, max(right + 1, left + 1)


def stretch_features(
    spans: list[tuple[int, int]], score: np.ndarray, features: np.ndarray, salience: np.ndarray, frames: Frames
) -> np.ndarray:
    """Return what each stretch of frames is like and where it stands.

    Returns
    -------
    ndarray [shape=(len(spans), len(STRETCH_FEATURES))]
    """
    column = {name: features[:, i] for i, name in enumerate(FRAME_FEATURES)}
    voiced = voiced_frames(frames)
    at = np.flatnonzero(voiced)
    calm, strength, level = smoothed(score, 5), smoothed(salience, 3), smoothed(frames.level_db, 3)
    step = np.diff(level, prepend=level[:1])
    sudden = step + np.concatenate([[0.0], step[:-1]])
    loud = loud_of(frames.level_db)
    slow = smoothed(salience, 9)
    unpitched = np.where(frames.whitened < 0.45, level, -100.0)
    n, rows = len(score), []
    for b, e in spans:
        i = int(np.searchsorted(at, b))
        gap_before = min(b - at[i - 1], 50) if i > 0 else 50
        j = int(np.searchsorted(at, e))
        gap_after = min(at[j] - e, 50) if j < len(at) else 50
        top = float(np.percentile(strength[b:e], 80))
        own = float(np.percentile(level[b:e], 80))
        middle = slice(b + (e - b) // 5, max(e - (e - b) // 5, b + (e - b) // 5 + 1))
        length = max(np.log((e - b) * 0.01 / 0.35), -1.0)  # shorter than 0.13 s says no more
        trend = np.polyfit(np.arange(e - b), level[b:e], 1)[0] * (e - b)
        rows.append([
            calm[b:e].mean(), calm[b:e].max(), length, length**2,
            np.clip(top - strength[max(b - 15, 0) : b + 5].min(), 0, 20),
            np.clip(top - strength[max(e - 5, 0) : e + 15].min(), 0, 20),
            np.clip(sudden[max(b - 6, 0) : b + 4].max(), 0, 25),
            gap_before / 50, gap_after / 50, min(gap_before, gap_after) / 50,
            np.clip(own - loud, -60, 5), np.clip(column["slope"][middle].mean(), -30, 30), column["change"][b:e].min(),
            voiced[max(b - 300, 0) : min(e + 300, n)].mean(),
            np.clip(trend, -30, 30),
            np.clip(level[max(b - 25, 0) : b + 1].max() - own, -10, 40),
            np.clip(column["flat_mid"][middle].mean(), -12, 0), column["harmonic"][middle].mean(),
            column["crest"][middle].mean(),
            column["peaked"][middle].mean(),
            np.argmax(slow[b:e]) / (e - b),
            np.clip(top - strength[b : b + 3].mean(), -5, 20),
            np.clip(unpitched[max(b - 25, 0) : b + 1].max() - own, -10, 30),
            length * np.clip(own - loud + 30, -30, 35) / 10,
            length * min(gap_before, gap_after) / 50,
        ])  # fmt: skip
    return np.array(rows).reshape(len(rows), len(STRETCH_FEATURES))
