"""Two performances at one resolution: what every pair of their moments is worth to an alignment.

Conventions
-----------
A level of factor r has a row every r frames of `analysis.warp_features`, centred on ``i * r * HOP_S`` seconds. The gain
of a pair of rows is told in standard deviations of the gains of pairs drawn at random, less a threshold: positive
where two moments are likelier to belong together than two moments of the same two recordings that do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .warp_features import A_OCTAVE, WarpFeatures

_PITCHES = 12
# An onset is seen in the rows after it for so long, ever less (s): the path may miss it by as much and still feel it.
_DECAY_S = 0.2
# Onsets are held against the strongest so far around them (s).
_AROUND_S = 1.5
# Chroma of coarse levels is smoothed over so long, at least two rows (s).
_SMOOTH_S = 0.4
# A pair of rows is worth something from here on, in standard deviations of pairs at random.
_THRESHOLD = 1.0


@dataclass(frozen=True, eq=False)
class Side:
    """One performance at one level: ``chroma`` [shape=(n, 12)], ``onset`` [shape=(n, 12 + 7)], both float32."""

    hop_s: float
    chroma: np.ndarray
    onset: np.ndarray


def tuning_thirds(features: WarpFeatures) -> float:
    """Return how far the pitches lie above those of A = 440 Hz, in thirds of a semitone, -1.5 to 1.5."""
    total = features.chroma.astype(np.float32).sum(0, dtype=np.float64)
    turn = np.sum(total * np.exp(2j * np.pi * np.arange(A_OCTAVE) / 3.0))
    return float(np.angle(turn) * 3.0 / (2 * np.pi))


@dataclass(frozen=True, eq=False)
class Pooled:
    """One performance's features at one level, before pitches are moved and folded; all float32."""

    hop_s: float
    chroma: np.ndarray
    pitched: np.ndarray
    wide: np.ndarray

    def side(self, thirds: int) -> Side:
        """Return the performance with its pitches moved down by a number of thirds of a semitone."""
        chroma, pitched = _by_semitone(self.chroma, thirds), _by_semitone(self.pitched, thirds)
        norm = np.sqrt((chroma**2).sum(1, keepdims=True))
        chroma /= norm + 0.1 * (np.sqrt(np.mean(norm**2)) + 1e-9)
        chroma -= chroma.mean(0, keepdims=True)
        onset = np.concatenate([_decaying(_relative(x, self.hop_s), self.hop_s) for x in (pitched, self.wide)], axis=1)
        return Side(self.hop_s, chroma, onset)

    def backwards(self) -> Pooled:
        """Return the same sounds in the opposite order."""
        return Pooled(self.hop_s, self.chroma[::-1], self.pitched[::-1], self.wide[::-1])

    def strokes(self) -> np.ndarray:
        """Return how much the wide bands rise, relative to the strongest around [shape=(n, 7)]."""
        return _relative(self.wide, self.hop_s)


def pooled(features: WarpFeatures, factor: int) -> Pooled:
    """Return a performance at a level."""
    chroma = features.chroma.astype(np.float32)
    pitched = features.onset[:, :A_OCTAVE].astype(np.float32)
    wide = features.onset[:, A_OCTAVE:].astype(np.float32)
    if factor > 1:
        chroma = _smoothed(chroma, factor, max(round(_SMOOTH_S / features.hop_s), 2 * factor))
        pitched, wide = _summed(pitched, factor), _summed(wide, factor)
    return Pooled(factor * features.hop_s, chroma, pitched, wide)


def _by_semitone(columns: np.ndarray, thirds: int) -> np.ndarray:
    """Fold thirds of semitones [shape=(n, 36)] to semitones."""
    weights = np.zeros((A_OCTAVE, _PITCHES), dtype=np.float32)
    for pitch in range(_PITCHES):
        for off, weight in ((-1, 0.5), (0, 1.0), (1, 0.5)):
            weights[(3 * pitch + off + thirds) % A_OCTAVE, pitch] = weight
    return np.asarray(columns @ weights)


def _smoothed(x: np.ndarray, factor: int, width: int) -> np.ndarray:
    """Smooth columns and keep every so-manieth row."""
    from scipy.ndimage import convolve1d

    window = np.hanning(width + 3)[1:-1]
    window = window if len(window) % 2 else np.hanning(width + 4)[1:-1]
    return np.asarray(convolve1d(x, (window / window.sum()).astype(np.float32), axis=0, mode="nearest")[::factor])


def _summed(x: np.ndarray, factor: int) -> np.ndarray:
    """Sum the rows around every so-manieth row."""
    half = factor // 2
    rows = -(-len(x) // factor)
    padded = np.pad(x, ((half, rows * factor - len(x) + factor), (0, 0)))[: rows * factor]
    return padded.reshape(rows, factor, -1).sum(1)


def _relative(x: np.ndarray, hop_s: float) -> np.ndarray:
    """Return onsets relative to the strongest around them."""
    from scipy.ndimage import maximum_filter1d

    strength = np.sqrt((x**2).sum(1))
    strongest = maximum_filter1d(strength, 2 * max(round(_AROUND_S / hop_s), 1) + 1, mode="nearest")
    return np.asarray(x / (strongest[:, None] + 0.05 * strength.max(initial=0.0) + np.float32(1e-9)))


def _decaying(x: np.ndarray, hop_s: float) -> np.ndarray:
    """Return onsets that each die away over the rows that follow."""
    out = x.copy()
    for k in range(1, max(int(np.ceil(_DECAY_S / hop_s)), 1)):
        np.maximum(out[k:], np.float32(np.sqrt(1.0 - k * hop_s / _DECAY_S)) * x[:-k], out=out[k:])
    return out


@dataclass(frozen=True, eq=False)
class Gains:
    """What pairs of rows are worth: ``take[i] @ reference[:, j] + take_own[i] + reference_own[j]``."""

    take: np.ndarray
    reference: np.ndarray
    take_own: np.ndarray
    reference_own: np.ndarray

    def matrix(self) -> np.ndarray:
        """Return the gains of all pairs."""
        out = self.take @ self.reference
        out += self.take_own[:, None]
        out += self.reference_own
        return out

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the gains of some pairs."""
        product = np.einsum("kd,dk->k", self.take[rows], self.reference[:, columns])
        return np.asarray(product + self.take_own[rows] + self.reference_own[columns])


def gains(take: Side, reference: Side) -> Gains:
    """Return what pairs of rows are worth by their tones and onsets.

    Chroma by its scalar product, onsets by their squared distance; each is divided by its own spread over pairs at
    random, so that neither a toneless nor a sustained music is judged by what says nothing about it.
    """
    rng = np.random.default_rng(0)
    i, j = (rng.integers(0, len(side.chroma), 4000) for side in (take, reference))
    alike = (take.chroma[i] * reference.chroma[j]).sum(1)
    apart = 0.5 * ((take.onset[i] - reference.onset[j]) ** 2).sum(1)
    tone_sd, apart_sd = (max(float(x.std()), 1e-6) for x in (alike, apart))
    both = alike / tone_sd - apart / apart_sd
    mean, sd = float(both.mean()), max(float(both.std()), 1e-6)
    of_tone, of_onset = 1.0 / (tone_sd * sd), 1.0 / (apart_sd * sd)
    own = [(-0.5 * of_onset) * (side.onset**2).sum(1) for side in (take, reference)]
    left, right = (np.concatenate([side.chroma * np.sqrt(of_tone), side.onset * np.sqrt(of_onset)], axis=1)
                   for side in (take, reference))  # fmt: skip
    return Gains(
        np.ascontiguousarray(left, dtype=np.float32),
        np.ascontiguousarray(right.T, dtype=np.float32),
        (own[0] - mean / sd - _THRESHOLD).astype(np.float32),
        own[1].astype(np.float32),
    )
