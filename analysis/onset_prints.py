"""Fingerprints of onsets: which tones and bands begin there, told apart from what already sounds.

Conventions
-----------
A fingerprint is a row of float32 of length 1: for each semitone from E1 (41 Hz) up the rise of the fourth root of its
power, from the 60 ms before the onset to the 60 ms after it (or until the next one); what falls counts nothing. The
root weighs a melody and its accompaniment nearly alike, as a logarithm would, and needs no floor where nothing sounds.
The fingerprint of several onsets as one event (a spread chord) is that of what begins between the first and the last.
Neither gain nor, with ``cents``, another tuning changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .listening import Chunk, Sound, listen
from .onset_foreruns import Second, second_beginnings

# Semitones, from E1 on; the top one is at 12.5 kHz, so that drums have a print too.
_LOWEST_HZ, _SEMITONES = 41.2, 100
_WINDOW_S, _LEAST_S, _GAP_S = 0.06, 0.04, 0.003
# So many onsets, within so much, may be one event.
MOST, TOGETHER_S = 3, 0.12
_BLOCK = 128
# Onsets this near tell of each other's places, seconds.
_AROUND_S = 0.15


@dataclass(frozen=True, eq=False)
class Prints:
    """Fingerprints of the onsets of one side.

    Parameters
    ----------
    prints : ndarray of float32 [shape=(m, bands)]
    spans : ndarray of int64 [shape=(n, MOST)]
        Of each onset the row of its own print, of the one it has together with the next, with the next two; -1 where
        these are too far away to be the same event.
    second : Second
        What begins anew just after each onset.
    """

    prints: np.ndarray
    spans: np.ndarray
    second: Second


def spans_of(onset_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the table of spans [shape=(n, MOST)], and of every span its first and last onset."""
    n = len(onset_s)
    spans = np.full((n, MOST), -1, dtype=np.int64)
    firsts, lasts, count = [], [], 0
    for more in range(MOST):
        first = np.arange(max(n - more, 0))
        first = first[onset_s[first + more] - onset_s[first] <= TOGETHER_S] if more else first
        spans[first, more] = count + np.arange(len(first))
        count += len(first)
        firsts.append(first)
        lasts.append(first + more)
    return spans, np.concatenate(firsts), np.concatenate(lasts)


def take_prints(sound: Sound, onset_s: np.ndarray, top_hz: float, cents: float = 0.0) -> Prints:
    """Return the fingerprints of a recording's onsets: one pass over it.

    Parameters
    ----------
    sound : Sound
    onset_s : ndarray of float64 [shape=(n,)], seconds
        Rising.
    top_hz : float
        Bands above are left out: the least of what both sides can hold.
    cents : float
        How much higher the recording is than what it is compared with.
    """
    spans, first, last = spans_of(onset_s)
    after = np.concatenate([onset_s[1:], [np.inf]])[last] if len(onset_s) else np.zeros(0)
    listener = PrintListener(sound.rate, onset_s[first], onset_s[last], after, top_hz, cents)
    if len(onset_s):
        listen(sound, listener)
    return Prints(listener.result(), spans, listener.second(len(onset_s)))


class PrintListener:
    """Listens for what begins between some moments.

    Parameters
    ----------
    rate : float, Hz
    first_s, last_s, until_s : ndarray of float64 [shape=(m,)], seconds
        What begins from ``first_s`` to ``last_s``, which is heard from ``last_s`` to ``until_s``.
    top_hz, cents : float
        See `take_prints`.
    seconds : bool
        Whether what begins anew after single moments is listened for, too.
    """

    def __init__(
        self,
        rate: float,
        first_s: np.ndarray,
        last_s: np.ndarray,
        until_s: np.ndarray,
        top_hz: float,
        cents: float,
        seconds: bool = True,
    ) -> None:
        from scipy.sparse import csr_array

        self._seconds = seconds
        self._rate = rate
        self._first, self._last = np.round(first_s * rate).astype(np.int64), np.round(last_s * rate).astype(np.int64)
        self._length = np.round(np.clip(until_s - last_s - _GAP_S, _LEAST_S, _WINDOW_S) * rate).astype(np.int64)
        self._size = 1 << int(np.ceil(np.log2(_WINDOW_S * rate + 1)))
        # Sparse, it is quick, and each row's sums are the same however many are looked at together.
        self._bands = csr_array(semitones(rate, self._size, top_hz, cents).T)
        self._prints = np.zeros((len(first_s), self._bands.shape[0]), dtype=np.float32)
        self._second = Second.none(len(first_s))

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        rows = np.flatnonzero((self._first >= chunk.begin) & (self._first < chunk.end))
        window, gap = round(_WINDOW_S * self._rate), round(_GAP_S * self._rate)
        for begin in range(0, len(rows), _BLOCK):
            some = rows[begin : begin + _BLOCK]
            first, last = self._first[some] - chunk.first, self._last[some] - chunk.first
            before = self._roots(chunk.samples, first - gap - window, np.full(len(some), window))
            after = self._roots(chunk.samples, last, self._length[some])
            self._prints[some] = np.maximum(after - before, 0.0)
        if not self._seconds:
            return
        # Those just before and after the chunk are placed with its own: where one begins tells where others may.
        around = round(_AROUND_S * self._rate)
        near = np.flatnonzero((self._first >= chunk.begin - around) & (self._first < chunk.end + around))
        near = near[self._first[near] == self._last[near]]
        found = second_beginnings(chunk.samples, self._first[near] - chunk.first, self._rate)
        own = (self._first[near] >= chunk.begin) & (self._first[near] < chunk.end)
        single = near[own]
        self._second.step_db[single] = found.step_db[own]
        self._second.onset_s[single] = found.onset_s[own] + chunk.first / self._rate
        self._second.uncertainty_ms[single] = found.uncertainty_ms[own]

    def second(self, count: int) -> Second:
        """Return what begins anew after each of the first so many moments."""
        said = self._second
        return Second(said.step_db[:count], said.onset_s[:count], said.uncertainty_ms[:count])

    def sizes(self) -> np.ndarray:
        """Return how much begins in all, in the unit of the fourth root of power [shape=(m,)]."""
        return np.sqrt((self._prints.astype(np.float64) ** 2).sum(1))

    def result(self) -> np.ndarray:
        """Return the fingerprints [shape=(m, bands)], each of length 1, or 0 where nothing begins."""
        return (self._prints / np.maximum(self.sizes()[:, None], 1e-12)).astype(np.float32)

    def _roots(self, x: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the fourth root of the power in every band of some stretches [shape=(n, bands)]."""
        from scipy.fft import rfft

        frames = np.zeros((len(begins), self._size), dtype=np.float32)
        for row, (begin, length) in enumerate(zip(begins.tolist(), lengths.tolist(), strict=True)):
            low, high = max(begin, 0), min(begin + length, len(x))
            if high > low:
                frames[row, low - begin : high - begin] = x[low:high] * _window(length)[low - begin : high - begin]
        spectrum = rfft(frames, axis=1)[:, : self._bands.shape[1]]
        power = spectrum.real**2 + spectrum.imag**2
        return (self._bands @ np.ascontiguousarray(power.T)).T ** 0.25


def semitones(rate: float, size: int, top_hz: float, cents: float) -> np.ndarray:
    """Return the weights of a transform's bins in overlapping bands a semitone apart [shape=(bins, bands)]."""
    hertz = _LOWEST_HZ * 2.0 ** (np.arange(_SEMITONES) / 12)
    hertz = hertz[hertz * 2 ** (1 / 12) < top_hz] * 2.0 ** (cents / 1200)
    width = np.maximum(hertz * (2 ** (1 / 12) - 1), rate / size)
    bins = np.arange(size // 2 + 1) * rate / size
    weights = np.maximum(1.0 - np.abs(bins[:, None] - hertz) / width, 0.0).astype(np.float32)
    return np.ascontiguousarray(weights[: int(np.flatnonzero(weights.any(1)).max(initial=0)) + 1])


@lru_cache(maxsize=4096)
def _window(length: int) -> np.ndarray:
    """Return a Hann window whose squares add up to 1."""
    shape = np.hanning(length + 2)[1:-1]
    return (shape / np.sqrt((shape**2).sum())).astype(np.float32)
