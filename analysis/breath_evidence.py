"""Evidence of breath: features of frames and of stretches, relative to the recording they are in.

Conventions
-----------
Everything is relative to the recording's own floor and level: a gain changes nothing. One row a frame of 10 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
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
_BLOCK, _CONTEXT = 6_000, 80  # frames worked on at once, and how far a frame's features may look
# Edges: how far below its own top a breath is taken to begin, and how far above what surrounds it, dB.
_BELOW_TOP_DB, _ABOVE_BASE_DB = 17.0, 2.0
_RISING_DB = 3.0
_REACH = 15  # frames an edge may move outwards
FRAME_FEATURES = (
    "salience", "coverage", "slope", "slope^2", "curve", "curve^2", "ripple", "peaked", "flat_low", "flat_mid",
    "harmonic", "whitened", "low", "level", "level^2", "crest", "change", "jump", "rise", "swell", "stands",
)  # fmt: skip
# What of a frame's features is asked of a stretch as a whole: an hour of all of them would take tens of megabytes.
KEPT_FEATURES = ("slope", "change", "flat_mid", "harmonic", "crest", "peaked")


@dataclass(frozen=True, eq=False)
class Ground:
    """What a recording is measured against.

    Parameters
    ----------
    floor_db : ndarray [shape=(bands,)], dB
        Each band's floor: a low percentile over all that is no digital silence.
    loud_db : float, dB
        Level of the loud passages: the 90th percentile over all that is no digital silence.
    """

    floor_db: np.ndarray
    loud_db: float

    @classmethod
    def of(cls, frames: Frames) -> Ground:
        """Learn it from the whole recording."""
        heard = frames.level_db > _LEAST_DB
        if not heard.any():
            return cls(np.full(frames.bands_db.shape[1], _LEAST_DB), 0.0)
        low = [np.percentile(smoothed(band, 5)[heard], _FLOOR_PERCENTILE) for band in frames.bands_db.T]
        loud = float(np.percentile(frames.level_db[heard].astype(np.float32), 90))
        return cls(np.maximum(np.array(low, dtype=np.float64), _LEAST_DB - 20), loud)


@dataclass(frozen=True, eq=False)
class Course:
    """What is kept of every frame while the stretches are weighed.

    Parameters
    ----------
    score : ndarray [shape=(n,)], float32
        Log odds that a frame is breath.
    salience_db : ndarray [shape=(n,)], float32, dB
        How far it stands above the floor: mean over the bands above 0.5 kHz, not smoothed.
    outline_db : ndarray [shape=(n,)], float32, dB
        Mean level of the same bands, not below the floor.
    kept : ndarray [shape=(n, len(KEPT_FEATURES))], float16
    voiced : ndarray of bool [shape=(n,)]
    level_db : ndarray [shape=(n,)], float16, dB
    whitened : ndarray [shape=(n,)], float16
    """

    score: np.ndarray
    salience_db: np.ndarray
    outline_db: np.ndarray
    kept: np.ndarray
    voiced: np.ndarray
    level_db: np.ndarray
    whitened: np.ndarray

    @classmethod
    def of(cls, frames: Frames, ground: Ground, weights: dict[str, float]) -> Course:
        """Weigh every frame, a block at a time."""
        n, factors = len(frames), np.array([weights[name] for name in FRAME_FEATURES])
        score, salience, outline = (np.zeros(n, dtype=np.float32) for _ in range(3))
        kept = np.zeros((n, len(KEPT_FEATURES)), dtype=np.float16)
        columns = [FRAME_FEATURES.index(name) for name in KEPT_FEATURES]
        for begin, end, features, salience_db, outline_db in blocks(frames, ground):
            score[begin:end] = weights["bias"] + (features * factors).sum(axis=1)
            kept[begin:end] = features[:, columns]
            salience[begin:end], outline[begin:end] = salience_db, outline_db
        voiced = voiced_frames(frames, ground)
        score[~audible(frames, salience) | voiced] = _IMPOSSIBLE_SCORE
        return cls(score, salience, outline, kept, voiced, frames.level_db, frames.whitened)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a recording's frames tell.

    Parameters
    ----------
    course : Course
    spans : list of (int, int)
        Stretches of frames ``[begin, end)`` that may be breaths.
    features : ndarray [shape=(len(spans), len(STRETCH_FEATURES))]
    is_narrow : bool
        Whether nothing is known of what lies above 3.9 kHz.
    """

    course: Course
    spans: list[tuple[int, int]]
    features: np.ndarray
    is_narrow: bool


def weighed(frames: Frames) -> Evidence:
    """Weigh every frame, and gather the stretches that may be breaths."""
    frames, is_narrow = known(frames)
    ground = Ground.of(frames)
    course = Course.of(frames, ground, FRAME_WEIGHTS[is_narrow])
    spans: list[tuple[int, int]] = []
    likely = stretches(course.score, _CANDIDATE_SCORE)
    for (begin, end), (following, _) in zip(likely, [*likely[1:], (len(frames), 0)], strict=False):
        within = (spans[-1][1] if spans else 0, following)
        spans.append(edges(begin, end, course.outline_db, course.voiced, within))
    return Evidence(course, spans, stretch_features(spans, course, ground.loud_db), is_narrow)


def confidences(evidence: Evidence) -> np.ndarray:
    """Return the probability that each stretch is a breath."""
    weights = STRETCH_WEIGHTS[evidence.is_narrow]
    z = weights["bias"] + evidence.features @ np.array([weights[name] for name in STRETCH_FEATURES])
    return 1 / (1 + np.exp(-np.clip(z, -30, 30)))


def known(frames: Frames) -> tuple[Frames, bool]:
    """Return the readings, without the upper bands where nothing is there, and whether they are left out."""
    narrow = frames.bands_db.shape[1] <= NARROW_BANDS
    if not narrow:
        loudest = np.array([np.percentile(band.astype(np.float32), 95) for band in frames.bands_db.T])
        narrow = bool(loudest[NARROW_BANDS:].max() - loudest[:NARROW_BANDS].max() < _DEAD_DB)
        frames = frames.narrowed() if narrow else frames
    return frames, narrow


def audible(frames: Frames, salience_db: np.ndarray) -> np.ndarray:
    """Return where a frame stands out of the floor and is no digital silence."""
    return (smoothed(salience_db, 3) > _AUDIBLE_DB) & (frames.level_db > _LEAST_DB + 7)


def voiced_frames(frames: Frames, ground: Ground) -> np.ndarray:
    """Return where something with a pitch sounds, at most 40 dB below the loud."""
    return (smoothed(frames.whitened, 3) > 0.55) & (frames.level_db > ground.loud_db - 40)


def smoothed(values: np.ndarray, frames: int) -> np.ndarray:
    """Return the running mean over an odd number of frames, along the first axis; ends repeat."""
    wide, n = _widened(values, frames // 2, frames // 2), len(values)
    total = wide[:n].copy()
    for k in range(1, frames):
        total += wide[k : n + k]
    total /= frames
    return total


def most(values: np.ndarray, before: int, after: int) -> np.ndarray:
    """Return the greatest value of every frame, those before and those after it; ends repeat."""
    wide = _widened(values, before, after)
    return np.lib.stride_tricks.sliding_window_view(wide, before + after + 1).max(axis=1)


def least(values: np.ndarray, before: int, after: int) -> np.ndarray:
    """Return the smallest value of every frame, those before and those after it; ends repeat."""
    wide = _widened(values, before, after)
    return np.lib.stride_tricks.sliding_window_view(wide, before + after + 1).min(axis=1)


def _widened(values: np.ndarray, before: int, after: int) -> np.ndarray:
    """Return values with their ends repeated, as float32."""
    out = np.empty((before + len(values) + after, *values.shape[1:]), dtype=np.float32)
    out[before : before + len(values)] = values
    out[:before], out[before + len(values) :] = values[0], values[-1]
    return out


def blocks(frames: Frames, ground: Ground) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield ``begin, end, features, salience_db, outline_db`` of frames ``[begin, end)``, block by block.

    ``features`` have a column for each of `FRAME_FEATURES`; the others are told at `Course`.
    """
    n = len(frames)
    for begin in range(0, n, _BLOCK):
        first, end = max(begin - _CONTEXT, 0), min(begin + _BLOCK, n)
        parts = _block_features(frames.part(first, min(end + _CONTEXT, n)), ground)
        features, salience, outline = (part[begin - first : end - first] for part in parts)
        yield begin, end, features, salience, outline


def _block_features(frames: Frames, ground: Ground) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bands, level, floor = frames.bands_db, frames.level_db, ground.floor_db.astype(np.float32)
    mids = np.sqrt(np.array(BAND_EDGES_HZ[:-1]) * np.array(BAND_EDGES_HZ[1:]))[: bands.shape[1]]
    upper = slice(int(np.searchsorted(mids, 500.0)), None)
    salience = np.clip(bands[:, upper] - floor[upper], 0, 30).mean(axis=1)
    calm = smoothed(bands, 5)
    high = np.clip(calm[:, upper] - floor[upper], 0, 60)
    shape = _standing_out(calm, floor)
    octave = np.log2(mids / 1500)
    basis = np.linalg.qr(np.stack([np.ones_like(octave), octave, octave**2], axis=1))[0]
    basis = (basis * np.sign(basis[-1])).astype(np.float32)
    parts = [(shape * column).sum(axis=1) for column in basis.T]
    slope, curve = np.clip(parts[1], -35, 35), np.clip(parts[2], -35, 35)
    rest = shape - sum(part[:, None] * column for part, column in zip(parts, basis.T, strict=True))
    relative = np.clip(smoothed(level, 3) - ground.loud_db, -70, 5)
    low = frames.low_db - 10 * np.log10(np.maximum((10 ** (bands / 10)).mean(axis=1), 1e-14))
    wide = _widened(calm, 2, 2)
    strength = smoothed(salience, 3)
    step = np.diff(salience, prepend=salience[:1])
    two = step + np.concatenate([[0.0], step[:-1]])
    # A strike is a sudden rise of what has no pitch; a note's own beginning says nothing against a breath after it.
    struck = np.where(np.concatenate([frames.whitened[2:], frames.whitened[-2:]])[: len(two)] < 0.5, two, 0.0)
    features = np.stack([
        smoothed(salience, 5),
        (1 / (1 + np.exp(-(high - 5) / 1.5))).mean(axis=1),
        slope, slope**2, curve, curve**2, np.abs(rest).mean(axis=1), rest.max(axis=1),
        smoothed(np.maximum(frames.flatness_db[:, 0], -15), 5),
        smoothed(np.maximum(frames.flatness_db[:, 1:].mean(axis=1), -15), 5),
        smoothed(frames.harmonicity, 5), smoothed(frames.whitened, 5),
        np.clip(smoothed(low, 3), -30, 40), relative, relative**2,
        smoothed(frames.crest_db, 5), np.abs(wide[4:] - wide[:-4]).mean(axis=1),
        most(two, 2, 2),
        most(struck, 29, 0),
        strength - least(strength, 40, 0),
        strength - least(strength, 30, 30),
    ], axis=1)  # fmt: skip
    return features, salience, np.maximum(bands, floor)[:, upper].mean(axis=1)


def _standing_out(calm_db: np.ndarray, floor_db: np.ndarray) -> np.ndarray:
    """Return the spectrum of what stands out: floor taken away, about its own mean."""
    floor = 10 ** (floor_db / 10)
    shape = 10 * np.log10(np.maximum(10 ** (calm_db / 10) - 1.3 * floor, 0.2 * floor))
    return np.clip(shape - shape.mean(axis=1, keepdims=True), -30, 30)


STRETCH_FEATURES = (
    "evidence", "best", "length", "length^2", "onset", "ending", "jump", "before", "after", "nearest", "level", "slope",
    "change", "voiced", "decay", "overshadow", "flat", "harmonic", "crest", "peaked", "top_at", "inner_rise",
    "noisy_before", "length*level", "length*nearest",
)  # fmt: skip


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
    top = quantile(outline_db[begin:end], 0.75)
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


def stretch_features(spans: list[tuple[int, int]], course: Course, loud_db: float) -> np.ndarray:
    """Return what each stretch of frames is like and where it stands.

    Returns
    -------
    ndarray [shape=(len(spans), len(STRETCH_FEATURES))]
    """
    column = {name: course.kept[:, i] for i, name in enumerate(KEPT_FEATURES)}
    voiced, at = course.voiced, np.flatnonzero(course.voiced)
    calm, strength, level = smoothed(course.score, 5), smoothed(course.salience_db, 3), smoothed(course.level_db, 3)
    slow = smoothed(course.salience_db, 9)
    n, rows = len(calm), []
    for b, e in spans:
        i = int(np.searchsorted(at, b))
        gap_before = min(b - at[i - 1], 50) if i > 0 else 50
        j = int(np.searchsorted(at, e))
        gap_after = min(at[j] - e, 50) if j < len(at) else 50
        top, own = quantile(strength[b:e], 0.8), quantile(level[b:e], 0.8)
        middle = slice(b + (e - b) // 5, max(e - (e - b) // 5, b + (e - b) // 5 + 1))
        mean = {name: float(values[middle].astype(np.float64).mean()) for name, values in column.items()}
        length = max(np.log((e - b) * 0.01 / 0.35), -1.0)  # shorter than 0.13 s says no more
        run = np.arange(e - b) - (e - b - 1) / 2
        trend = float(run @ level[b:e]) / max(float(run @ run), 1.0) * (e - b)
        first = max(b - 25, 0)
        unpitched = np.where(course.whitened[first : b + 1] < 0.45, level[first : b + 1], -100.0)
        rows.append([
            calm[b:e].mean(), calm[b:e].max(), length, length**2,
            np.clip(top - strength[max(b - 15, 0) : b + 5].min(), 0, 20),
            np.clip(top - strength[max(e - 5, 0) : e + 15].min(), 0, 20),
            np.clip(_sudden(level, max(b - 6, 0), b + 4), 0, 25),
            gap_before / 50, gap_after / 50, min(gap_before, gap_after) / 50,
            np.clip(own - loud_db, -60, 5), np.clip(mean["slope"], -30, 30), column["change"][b:e].min(),
            voiced[max(b - 300, 0) : min(e + 300, n)].mean(),
            np.clip(trend, -30, 30),
            np.clip(level[first : b + 1].max() - own, -10, 40),
            np.clip(mean["flat_mid"], -12, 0), mean["harmonic"], mean["crest"], mean["peaked"],
            np.argmax(slow[b:e]) / (e - b),
            np.clip(top - strength[b : b + 3].mean(), -5, 20),
            np.clip(unpitched.max() - own, -10, 30),
            length * np.clip(own - loud_db + 30, -30, 35) / 10,
            length * min(gap_before, gap_after) / 50,
        ])  # fmt: skip
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(STRETCH_FEATURES))


def quantile(values: np.ndarray, share: float) -> float:
    """Return a quantile of a few values, between neighbours where it falls between them."""
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def _sudden(level_db: np.ndarray, begin: int, end: int) -> float:
    """Return the greatest rise of the level over two frames that ends in ``[begin, end)``."""
    now = np.arange(begin, min(end, len(level_db)))
    return float((level_db[now] - level_db[np.maximum(now - 2, 0)]).max())
