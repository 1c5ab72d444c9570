"""Breath: where a singer, speaker or player of a wind instrument audibly breathes.

Conventions
-----------
Times are seconds of the recording, levels dB with full scale 0. A recording is read in frames of 10 ms
(`analysis.breath_frames`); what they tell is weighed relative to the recording's own floor and level
(`analysis.breath_evidence`): first each frame, then each stretch of likely frames, with what surrounds it.

A breath is noise without a pitch, broad and formant-like between 0.5 and 8 kHz, softer than the voice yet above the
floor; it swells and sinks over 0.1 to 1.6 s and is not struck. Consonants are shorter, brighter and hang on a vowel.
At rates below 15.5 kHz all is told from what lies under 3.9 kHz, where a breath and an s are alike: fewer are found
and confidence is lower. Below 7.9 kHz nothing is found.

References
----------
Ruinskiy and Lavner 2007, An effective algorithm for automatic detection and exact demarcation of breath sounds in
speech and song signals, IEEE Trans. Audio Speech Lang. Process. 15 (3), 838-850 (features of frames, then edges).
Nakano, Ogata, Goto and Hiraga 2008, Analysis and automatic detection of breath sounds in unaccompanied singing voice,
Proc. ICMPC 10 (breaths of singers share the shape of their spectrum).
"""

from __future__ import annotations

import numpy as np

from .breath_evidence import confidences, weighed
from .breath_frames import HOP_S, SLOWEST_HZ, FrameReader, Frames
from .listening import Chunk, Sound, listen

_LEAST_CONFIDENCE = 0.4  # where finding one more and inventing one more are worth about the same
_SHORTEST_S = 0.08
_SILENT_PEAK = 1e-6  # of full scale: below, there is nothing to hear in 16 or 24 bits
# A breath is taken in when a voice follows this soon, given out when one has just ended and none follows for long.
_SOON_S, _JUST_S, _LONG_S = 0.4, 0.08, 0.8


def find_breaths(y: np.ndarray, sample_rate: float) -> tuple[dict[str, float | str], ...]:
    """Find the audible breaths in a mono recording.

    Parameters
    ----------
    y : ndarray [shape=(frames,)], float, full scale 1.0
    sample_rate : float, Hz
        7.9 kHz or more to find anything, 15.5 kHz or more to find most.

    Returns
    -------
    tuple of dict
        In order of time: ``start_s, duration_s`` (seconds), ``level_db`` (RMS of the loudest 50 ms, full scale 0),
        ``confidence`` (0.4 to 1), ``kind`` (``"in"``, ``"out"``, or "" where it cannot be told).

    Raises
    ------
    TakeprintError
        For another shape, an impossible rate or samples that are no numbers.

    Examples
    --------
    >>> find_breaths(np.zeros(44100), 44100)
    ()
    """
    sound = Sound.of_samples(y, sample_rate)
    listener = BreathListener(sound.rate, sound.peak)
    listen(sound, listener)
    return listener.result()


class BreathListener:
    """Listens for breaths.

    Parameters
    ----------
    rate : float, Hz
    peak : float
        The largest sample of the recording.
    """

    def __init__(self, rate: float, peak: float) -> None:
        self._peak = peak
        self._deaf = peak < _SILENT_PEAK or rate < SLOWEST_HZ
        self._reader = None if self._deaf else FrameReader(rate)
        self._hop_s = HOP_S if self._reader is None else self._reader.hop / rate
        self._tables: list[np.ndarray] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        if self._reader is None or chunk.end <= chunk.begin:
            return
        hop = self._reader.hop
        first = chunk.begin + -chunk.begin % hop  # frames lie on multiples of the hop, whatever the chunk
        count = len(range(first, chunk.end, hop))
        if not count:
            return
        margin = 2 * hop + 4 * self._reader.half
        low = max(first - margin - chunk.first, 0)
        high = first + (count - 1) * hop + margin - chunk.first
        place = first - chunk.first - low
        self._tables.append(self._reader.read(chunk.samples[low:high], place, count, self._peak))

    def result(self) -> tuple[dict[str, float | str], ...]:
        """Return the breaths of all that was heard, in order of time."""
        if not self._tables:
            return ()
        frames = Frames.of_table(self._joined())
        evidence = weighed(frames)
        out: list[dict[str, float | str]] = []
        for (begin, end), confidence in zip(evidence.spans, confidences(evidence), strict=True):
            if confidence < _LEAST_CONFIDENCE or (end - begin) * self._hop_s < _SHORTEST_S:
                continue
            out.append({
                "start_s": begin * self._hop_s,
                "duration_s": (end - begin) * self._hop_s,
                "level_db": _loudest(frames.level_db[begin:end]) + 20 * float(np.log10(self._peak)),
                "confidence": float(confidence),
                "kind": _kind(begin, end, evidence.course.voiced, evidence.course.outline_db, self._hop_s),
            })  # fmt: skip
        return tuple(out)

    def _joined(self) -> np.ndarray:
        """Return all readings as one table; the parts are let go one by one, for an hour of them is large."""
        rows = sum(len(table) for table in self._tables)
        whole = np.empty((rows, self._tables[0].shape[1]), dtype=self._tables[0].dtype)
        while self._tables:
            table = self._tables.pop()
            rows -= len(table)
            whole[rows : rows + len(table)] = table
        self._tables = [whole]
        return whole


def _loudest(level_db: np.ndarray) -> float:
    """Return the RMS of the loudest 50 ms, from frames of 40 ms every 10."""
    power = 10 ** (level_db.astype(np.float64) / 10)
    width = min(3, len(power))
    return float(10 * np.log10(np.convolve(power, np.full(width, 1 / width), mode="valid").max()))


def _kind(begin: int, end: int, voiced: np.ndarray, outline_db: np.ndarray, hop_s: float) -> str:
    """Tell a breath taken in from one given out, by where the voice is and how the breath runs."""
    at = np.flatnonzero(voiced)
    i, j = np.searchsorted(at, (begin, end))
    since = (begin - at[i - 1]) * hop_s if i else np.inf
    until = (at[j] - end) * hop_s if j < len(at) else np.inf
    half = begin + (end - begin) // 2
    rising = outline_db[half:end].mean() - outline_db[begin:half].mean()
    if until < _SOON_S and (since >= _JUST_S or rising > -3.0):
        return "in"
    if since < _JUST_S and until > _LONG_S and rising < 0.0:
        return "out"
    return ""
