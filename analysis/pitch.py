"""Pitch: the fundamental frequency of one voice or instrument, moment by moment.

Conventions
-----------
One row every 5 ms (to the nearest sample). ``time_s`` is the centre of what was heard, ``pitch_hz`` is NaN where no
note sounds: in silence, breath, consonants, noise, and while a room rings on after the note. ``confidence`` is 0 to 1.

Method: the sound is filtered and decimated to about 11 kHz. Candidates are the peaks of the autocorrelation of
67 ms, weighed by it and by how the spectrum's harmonics stand out from the middles between them. A Viterbi search
chooses one candidate or none in every frame: no leap without reason. The chosen period is then found exactly in the
24 ms around the moment, by the correlation of two stretches several periods apart, symmetric about the moment and
interpolated within its band.

References
----------
Boersma 1993, Accurate short-term analysis of the fundamental frequency, Proc. Inst. Phonetic Sciences 17, 97-110
(autocorrelation, costs and the path through the candidates).
Camacho and Harris 2008, A sawtooth waveform inspired pitch estimator, J. Acoust. Soc. Am. 124, 1638-1652 (contrast).
McLeod and Wyvill 2005, A smarter way to find pitch, Proc. ICMC; de Cheveigné and Kawahara 2002, YIN, J. Acoust. Soc.
Am. 111, 1917-1930 (periods by likeness in a short window).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.columns import Columns, real
from ..core.errors import TakeprintError
from .listening import Chunk, Sound, listen
from .pitch_frames import CANDIDATES, Candidates, Grid, Heard, candidates, periods

# Boersma's costs: an octave lower among one frame's candidates; an octave between frames; a beginning or an end.
_OCTAVE_COST, _JUMP_COST, _VOICING_COST = 0.05, 1.0, 0.3
# What a frame without pitch scores; how much the contrast of the harmonics counts beside the autocorrelation.
_UNVOICED, _CONTRAST = 0.5, 1.0
# A pitch whose first two harmonics are weaker than this share of its greatest costs so much, and is less sure by half:
# it may be the common period of several tones.
_FOOTING, _FLOATING_COST = 0.06, 0.2
# A frame's candidate is chosen when the path is known this many frames farther, so many at a time.
_LOOKAHEAD, _BLOCK = 300, 100
# Two stretches of one tone must be this much alike at its full level, and by so much more a dB below it, from so many
# dB on: consonants, breath and the room between the notes are quieter than they.
_ALIKE, _ALIKE_PER_DB, _FREE_DB, _ALIKE_MOST, _NEAR_S = 0.2, 0.03, 6.0, 0.9, 0.4
# A tone has ended where its level is so many dB below what it was (a memory that sinks by so many dB a second) and
# falls on by so many dB within so many seconds; it begins again when the level has risen by so many dB, or a quarter
# of it if the pitch is another by so many octaves.
_DROP_DB, _LEAK_DB_S, _FALL_DB, _FALL_S, _RISE_DB, _TURN = 10.0, 25.0, 3.0, 0.1, 10.0, 0.06


# A frame that surely has one pitch; the share of such that a line has and a chord has not.
_SURE, _MONOPHONIC = 0.9, 0.55


@dataclass(frozen=True, eq=False)
class PitchTrack(Columns):
    """The pitch of a recording, one row every 5 ms.

    Parameters
    ----------
    time_s : ndarray [shape=(n,)], seconds
        Centre of the frame.
    pitch_hz : ndarray [shape=(n,)], Hz
        NaN where no note sounds.
    confidence : ndarray [shape=(n,)]
        0 to 1: how surely the frame's pitch is that of a single note; below one half where ``pitch_hz`` is NaN.
    level_db : ndarray [shape=(n,)], dB
        Level of the 20 ms around, full scale = 0.
    """

    time_s: np.ndarray = real()
    pitch_hz: np.ndarray = real()
    confidence: np.ndarray = real()
    level_db: np.ndarray = real()


def track_pitch(y: np.ndarray, sample_rate: float, *, low_hz: float = 40.0, high_hz: float = 3500.0) -> PitchTrack:
    """Follow the pitch of a mono recording of one voice or instrument.

    Parameters
    ----------
    y : ndarray [shape=(frames,)], float, full scale 1.0
    sample_rate : float, Hz
        1 kHz to 768 kHz; pitches up to 0.32 of it are found.
    low_hz, high_hz : float, Hz
        The range looked at, 25 Hz to 5000 Hz.

    Returns
    -------
    PitchTrack

    Raises
    ------
    TakeprintError
        For another shape, an impossible rate or range, or samples that are no finite numbers.

    Examples
    --------
    >>> y = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(44100) / 44100)
    >>> round(float(np.nanmedian(track_pitch(y, 44100).pitch_hz)), 2)
    440.0
    """
    sound = Sound.of_samples(y, sample_rate)
    tracker = PitchTracker(sound.rate, low_hz=low_hz, high_hz=high_hz)
    listen(sound, tracker)
    return tracker.result()


def monophonic_share(track: PitchTrack) -> float:
    """Return how much of what is loud is surely a single note.

    Parameters
    ----------
    track : PitchTrack

    Returns
    -------
    float
        0 to 1: of the frames less than 20 dB below the loud ones' level (its 95th percentile), those that have a pitch
        with confidence 0.9. Sung, bowed, blown and plucked lines have 0.6 and more, speech about that, chords, bands
        and drums less than 0.5. NaN for an empty track.
    """
    if not len(track):
        return float("nan")
    loud = track.level_db > np.percentile(track.level_db, 95) - 20
    return float(np.mean((track.confidence > _SURE)[loud])) if loud.any() else 0.0


def is_monophonic(track: PitchTrack) -> bool:
    """Whether a track is that of one voice or instrument, so that its intonation means something."""
    return monophonic_share(track) > _MONOPHONIC


class PitchTracker:
    """Listens for pitch.

    Parameters
    ----------
    rate : float, Hz
    low_hz, high_hz : float, Hz
        The range looked at, 25 Hz to 5000 Hz.

    Raises
    ------
    TakeprintError
        For an impossible range.
    """

    def __init__(self, rate: float, *, low_hz: float = 40.0, high_hz: float = 3500.0) -> None:
        if not 25.0 <= low_hz < high_hz <= 5000.0:
            raise TakeprintError(
                f"pitch range {low_hz} to {high_hz} Hz", rule="pitches are looked for between 25 and 5000 Hz"
            )
        self._grid = Grid.at(rate, low_hz, high_hz)
        self._path = _Path()
        self._next = 0  # the first frame whose candidates are not known yet
        self._waiting: list[Candidates] = []  # of the frames that the path knows and has not decided
        self._parts: list[tuple[np.ndarray, ...]] = []

    def feed(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        grid = self._grid
        last = chunk.first + len(chunk.samples)
        until = -(-last // grid.step) if chunk.is_last else max((last // grid.factor - grid.margin) // grid.hop, 0)
        until = max(until, self._next)
        heard = Heard.of(chunk, grid)
        found = candidates(heard, self._next, until, grid)
        self._next = until
        self._waiting.append(found)
        choice = self._path.extended(*_scored(found, grid), chunk.is_last)
        if not len(choice):
            return
        known = Candidates(*(np.concatenate(c) for c in zip(*map(Candidates.columns, self._waiting), strict=True)))
        self._waiting = [Candidates(*(column[len(choice) :] for column in known.columns()))]
        rows, chosen = np.arange(len(choice)), np.maximum(choice, 0)
        lag = np.where(choice >= 0, known.lag[rows, chosen], np.nan)
        period, likeness, late = periods(heard, until - len(known.lag), lag, grid)
        likeness = likeness * (0.5 + 0.5 * np.clip(known.footing[rows, chosen] / _FOOTING, 0.0, 1.0))
        part = (grid.rate / period, likeness, late / grid.rate, known.level_db[rows])
        self._parts.append(tuple(column.astype(np.float32) for column in part))

    def result(self) -> PitchTrack:
        """Return the pitch of all that was heard."""
        if not self._parts:
            return PitchTrack.build()
        pitch, likeness, late_s, level_db = (
            np.concatenate(c).astype(np.float64) for c in zip(*self._parts, strict=True)
        )
        hop_s = self._grid.step / self._grid.source_rate
        sounds, confidence = _sounding(pitch, likeness, level_db, hop_s)
        return PitchTrack(
            time_s=np.arange(len(pitch)) * hop_s,
            pitch_hz=np.where(sounds, _in_time(pitch, late_s, hop_s), np.nan),
            confidence=confidence,
            level_db=level_db,
        )


def _in_time(pitch: np.ndarray, late_s: np.ndarray, hop_s: float) -> np.ndarray:
    """Bring pitches that were read a little before or after their frames' centres to these, along their slope."""
    out = pitch.copy()
    if len(pitch) < 3:
        return out
    rise = np.log(pitch[2:] / pitch[:-2])
    slope = rise / (2 * hop_s + late_s[2:] - late_s[:-2])
    # More than half a semitone in 10 ms is no glide.
    glides = np.isfinite(slope) & (np.abs(rise) < np.log(2) / 24) & (np.abs(late_s[1:-1]) < hop_s)
    out[1:-1] *= np.exp(np.where(glides, -slope * late_s[1:-1], 0.0))
    return out


def _sounding(
    pitch: np.ndarray, likeness: np.ndarray, level_db: np.ndarray, hop_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Tell where a note sounds, and how surely."""
    from ..core.kernels.ring_out import ring_out

    reach = round(_NEAR_S / hop_s)
    around = np.pad(level_db, reach, constant_values=-300.0)
    near = _greatest(around, 2 * reach + 1)
    least = np.clip(_ALIKE + _ALIKE_PER_DB * (near - level_db - _FREE_DB), _ALIKE, _ALIKE_MOST)
    smooth = np.convolve(np.pad(level_db, 1, mode="edge"), np.full(3, 1 / 3), "valid")
    ahead = max(round(_FALL_S / hop_s), 1)
    rings = ring_out(smooth, np.log2(pitch), _DROP_DB, _LEAK_DB_S * hop_s, ahead, _FALL_DB, _RISE_DB, _TURN)
    sounds = np.isfinite(pitch) & (likeness > least) & ~rings
    surely = 0.5 + 0.5 * (likeness - least) / (1 - least)
    return sounds, np.clip(np.where(sounds, surely, np.minimum(0.5 * likeness, 0.49)), 0.0, 1.0)


def _greatest(x: np.ndarray, width: int) -> np.ndarray:
    """Return the greatest of every ``width`` neighbours, by doubling."""
    out, have = x, 1
    while have < width:
        more = min(have, width - have)
        out = np.maximum(out[:-more], out[more:])
        have += more
    return out


class _Path:
    """The likeliest course through the candidates, decided block by block with a fixed lookahead.

    What is decided of a frame depends on the frames before and on a fixed number after it, not on the chunks.
    """

    def __init__(self) -> None:
        self._best = np.full(CANDIDATES + 1, np.nan)
        self._height = np.full(CANDIDATES, np.nan)
        self._back = np.zeros((0, CANDIDATES + 1), dtype=np.int8)  # of the frames not decided yet
        self._sums = np.zeros((0, CANDIDATES + 1))

    def extended(self, height: np.ndarray, score: np.ndarray, silent: np.ndarray, is_last: bool) -> np.ndarray:
        """Take in more frames and return the choices that are now decided: an index, or -1 for none."""
        from ..core.kernels.pitch_path import pitch_path

        back, sums = pitch_path(height, score, silent, _JUMP_COST, _VOICING_COST, self._height, self._best)
        if len(height):
            self._height, self._best = height[-1], sums[-1]
        self._back, self._sums = np.concatenate([self._back, back]), np.concatenate([self._sums, sums])
        choices = []
        while len(self._back) >= _BLOCK + _LOOKAHEAD or (is_last and len(self._back)):
            count = min(_BLOCK, len(self._back)) if len(self._back) >= _BLOCK + _LOOKAHEAD else len(self._back)
            known = min(count + _LOOKAHEAD, len(self._back))
            state = int(np.argmax(self._sums[known - 1]))
            before = self._back[:known].tolist()
            states = [state]
            for i in range(known - 1, 0, -1):
                state = before[i][state]
                states.append(state)
            choices.append(np.array(states[: -count - 1 : -1]))
            self._back, self._sums = self._back[count:], self._sums[count:]
        course = np.concatenate(choices) if choices else np.zeros(0, dtype=np.int64)
        return np.where(course < CANDIDATES, course, -1)


def _scored(found: Candidates, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the candidates' heights in octaves, their scores, and the score of having no pitch."""
    height = np.log2(grid.rate / found.lag)
    floating = np.clip(1 - found.footing / _FOOTING, 0.0, 1.0)
    top = np.maximum(found.contrast.max(axis=1, keepdims=True), 1e-30)
    relative = np.clip(found.contrast / top, 0.0, 1.0)
    score = (
        found.strength
        - _FLOATING_COST * floating
        + _CONTRAST * (relative - 1.0)
        + _OCTAVE_COST * (height - np.log2(110.0))
    )
    return height, score, np.full(len(height), _UNVOICED)
