"""Making a stretch of sound longer or shorter by a few joints that are hardly heard.

Conventions
-----------
Samples are float64 [shape=(frames, channels)]. All channels are cut at the same frames, so that the stereo image
stays. A gap begins and ends exactly with the source's own samples: it joins what lies before and after it seamlessly.

The idea is that of waveform-similarity overlap-add (WSOLA), with one difference: instead of choosing each joint
greedily, a dynamic program chooses all joints of a gap together. In noise and decaying sounds it cuts once, where it
is quietest; in a steady tone it cuts whole periods and shares the remaining phase among several joints.

References
----------
Verhelst and Roelands 1993, An overlap-add technique based on waveform similarity (WSOLA) for high quality time-scale
modification of speech, ICASSP, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

HOP_S = 0.016  # between possible joints
FADE_S = 0.012  # of a joint
_REACH_S = 0.008  # how far an offset may leave the straight line: two of them hold a period of 62 Hz
_COARSE_S = 0.0005  # grid of offsets in the first search
_PLACES = 24  # joints to choose from in a gap, and more where it changes much
_POINTS = 128  # compared in a fade at most


class Source:
    """The samples from a place onward, read forward once and held only as long as they are needed.

    Parameters
    ----------
    blocks : iterator of ndarray [shape=(frames, channels)]
    channels : int
    """

    def __init__(self, blocks: Iterator[np.ndarray], channels: int) -> None:
        self._blocks = blocks
        self.channels = channels
        self._held = np.zeros((0, channels))
        self._start = 0

    def get(self, start: int, stop: int, keep_from: int | None = None) -> np.ndarray:
        """Return frames ``start`` to ``stop``; frames before ``keep_from`` (default ``start``) may be forgotten."""
        parts = [self._held]
        end = self._start + len(self._held)
        while end < stop:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block)
            end += len(block)
        held = np.concatenate(parts) if len(parts) > 1 else self._held
        drop = max(0, (start if keep_from is None else min(start, keep_from)) - self._start)
        self._held, self._start = held[drop:], self._start + min(drop, len(held))
        return self._held[max(0, start - self._start) : max(0, stop - self._start)]


def bridge(before: np.ndarray, gap: np.ndarray, after: np.ndarray, frames: int, sample_rate: float) -> np.ndarray:
    """Return ``gap`` in another length.

    Parameters
    ----------
    before, after : ndarray [shape=(frames, channels)]
        What lies around the gap: it may be read into by a fade, within reason.
    gap : ndarray [shape=(frames, channels)]
    frames : int
        Wanted length.
    sample_rate : float, Hz

    Returns
    -------
    ndarray [shape=(frames, channels)]
        Starts as ``gap`` starts and ends as it ends.
    """
    if frames == len(gap):
        return gap
    if frames <= 0:
        return gap[:0]
    source = np.ascontiguousarray(np.concatenate([before, gap, after]))
    lead = len(before)
    centre, fade = _joints(frames, frames - len(gap), sample_rate)
    path = _search(source, lead, len(gap), len(after), frames, centre, fade, sample_rate)
    return _joined(source, lead, frames, centre, fade, path)


def _joints(frames: int, longer: int, sample_rate: float) -> tuple[np.ndarray, int]:
    """Return the middles of the possible fades and their length, frames."""
    fade = min(max(2, int(FADE_S * sample_rate)), max(1, frames))
    hop = max(fade, int(HOP_S * sample_rate))
    # A long gap needs no more places to choose from than its change asks for.
    most = _PLACES + int(4 * abs(longer) / (_REACH_S * sample_rate))
    n = min(most, max(1, (frames - fade) // hop + 1)) if frames > fade else 1
    middle = fade // 2 + np.linspace(0.0, frames - fade, n) if n > 1 else np.array([frames / 2.0])
    return np.clip(middle.astype(np.int64), fade // 2, max(fade // 2, frames - (fade + 1) // 2)), fade


def _search(
    source: np.ndarray,
    lead: int,
    length: int,
    tail: int,
    frames: int,
    centre: np.ndarray,
    fade: int,
    sample_rate: float,
) -> np.ndarray:
    """Return the offset (source frame minus output frame, less ``lead``) after each joint, coarse to fine."""
    from ..core.kernels.splice_path import splice_path

    stride = max(1, fade // _POINTS)
    m = max(1, fade // stride)
    rise = (np.arange(m) + 0.5) / m
    weight = rise * (1.0 - rise)  # both sounds are heard most in the middle
    final = length - frames
    k = len(centre)
    # Fades stay inside the gap and what is given around it, or pay as much as the loudest place.
    dear = 8.0 * float(np.max(np.sum(source**2, axis=1))) + 1e-12
    low, high = 0, lead + length + tail
    step = max(1, int(_COARSE_S * sample_rate))
    reach = int(_REACH_S * sample_rate)
    line = np.linspace(0.0, float(final), k + 1)
    rows = [_coarse(line[j], final, reach, step) for j in range(1, k)]
    path = np.zeros(k + 1, np.int64)
    while True:
        table, count = _table([np.zeros(1, np.int64), *rows, np.array([final])])
        path, _ = splice_path(source, centre, weight, stride, table + lead, count, low, high, dear)
        path = path - lead
        if step == 1 or k == 1:
            return path
        finer = max(1, step // 4)
        around = np.arange(-(step // finer), step // finer + 1) * finer
        # The path itself comes first: among equals nothing changes.
        rows = [np.concatenate([[o], o + around[around != 0]]) for o in path[1:-1]]
        step = finer


def _coarse(line: float, final: int, reach: int, step: int) -> np.ndarray:
    """Return the offsets allowed near the straight line; both ends too while the whole change is small."""
    low, high = line - reach, line + reach
    if abs(final) <= 3 * reach:
        low, high = min(0, final) - reach / 2, max(0, final) + reach / 2
    grid = np.arange(int(np.ceil(low / step)), int(np.floor(high / step)) + 1) * step
    return np.unique(np.append(grid, final) if low <= final <= high else grid).astype(np.int64)


def _table(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    count = np.array([len(r) for r in rows], np.int64)
    table = np.zeros((len(rows), int(count.max())), np.int64)
    for j, row in enumerate(rows):
        table[j, : len(row)] = row
    return table, count


def _joined(source: np.ndarray, lead: int, frames: int, centre: np.ndarray, fade: int, path: np.ndarray) -> np.ndarray:
    """Lay the pieces one after another with fades where the offset changes."""
    out = np.empty((frames, source.shape[1]))
    done = 0
    for j, middle in enumerate(centre, start=1):
        if path[j] == path[j - 1]:
            continue
        start = int(middle) - fade // 2
        stop = min(start + fade, frames)
        out[done:start] = _at(source, lead + path[j - 1] + done, lead + path[j - 1] + start)
        one = _at(source, lead + path[j - 1] + start, lead + path[j - 1] + stop)
        two = _at(source, lead + path[j] + start, lead + path[j] + stop)
        out[start:stop] = crossfade(one, two)
        done = stop
    out[done:] = _at(source, lead + path[-1] + done, lead + path[-1] + frames)
    return out


def _at(source: np.ndarray, start: int, stop: int) -> np.ndarray:
    if 0 <= start and stop <= len(source):
        return source[start:stop]
    return source[np.clip(np.arange(start, stop), 0, len(source) - 1)]


def crossfade(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Fade from one sound to another of the same shape at constant level.

    Equal gain for sounds that are alike, equal power for sounds that are not, and between them in between: the level
    follows the measured correlation, clipped to 0 to 1.

    Parameters
    ----------
    one, two : ndarray [shape=(frames, channels)]
    """
    n = len(one)
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n))[:, None]
    fall = 1.0 - rise
    energy = float(np.sqrt(np.sum(one * one) * np.sum(two * two)))
    alike = min(1.0, max(0.0, float(np.sum(one * two)) / energy)) if energy > 0.0 else 1.0
    # power of the sum for unit sounds of that correlation
    power = rise * rise + fall * fall + 2.0 * alike * rise * fall
    return (one * fall + two * rise) / np.sqrt(power)
