"""Sung, bowed and blown lines of our own synthesis: every fundamental and every onset is known.

Notes of one breath or bow share a phase and glide into each other (a slur: the onset is where the glide crosses the
middle between both pitches); others begin from silence over 35-60 ms, a third of the sung ones after a consonant. Sung
sounds are harmonics under five formants, bowed ones under a body's resonances with bow noise, blown ones a few
harmonics with breath noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mixing import RATE, Noise, Note, first_loud, mixed

HOP = 44  # samples between control points, about 1 ms
# First three formants of vowels, Hz (Peterson and Barney 1952, women), two more common to all.
VOWELS = {"a": (850, 1220, 2810), "e": (610, 2330, 2990), "i": (310, 2790, 3310), "o": (590, 920, 2710),
          "u": (370, 950, 2670)}  # fmt: skip
SCALE = (0, 2, 4, 5, 7, 9, 11)


@dataclass(frozen=True)
class Manner:
    """How an instrument sounds and is played."""

    name: str
    keys: tuple[int, int]
    slurred: float  # share of notes slurred to the one before
    vibrato_cents: tuple[float, float]
    vibrato_hz: tuple[float, float]
    rise_s: tuple[float, float]
    noise: float
    scoop: float  # share of attacks that begin below their pitch
    consonants: float


MANNERS = {
    "voice": Manner("voice", (55, 74), 0.35, (25, 70), (4.8, 6.3), (0.035, 0.06), 0.02, 0.4, 0.34),
    "violin": Manner("violin", (57, 86), 0.4, (12, 35), (5.2, 6.8), (0.035, 0.06), 0.03, 0.0, 0.0),
    "flute": Manner("flute", (62, 90), 0.4, (8, 25), (4.5, 5.8), (0.035, 0.06), 0.05, 0.0, 0.0),
}


def line(name: str, rng: np.random.Generator, count: int = 75):
    """Return a line of ``count`` notes and its fundamental as a Sound."""
    manner = MANNERS[name]
    notes: list[Note] = []
    noises: list[Noise] = []
    curves: list[tuple[float, np.ndarray]] = []
    body = _body(rng)
    degree, at = int(rng.integers(3, 8)), 0.5
    while len(notes) < count:
        pitches, lengths = [], []
        while not pitches or (rng.random() < manner.slurred and len(pitches) < 4):
            degree = int(np.clip(degree + rng.choice([-3, -2, -1, -1, 1, 1, 2, 3]), 0, 11))
            key = manner.keys[0] + 12 * (degree // 7) + SCALE[degree % 7]
            pitches.append(min(key, manner.keys[1]) + rng.normal(0, 0.08))
            if len(pitches) > 1 and abs(pitches[-1] - pitches[-2]) < 0.5:
                pitches[-1] += 2  # a slur goes somewhere
            lengths.append(rng.choice([0.22, 0.3, 0.45, 0.6, 0.9]) * rng.uniform(0.9, 1.1))
        sound, f0, middles = _breath(manner, pitches, lengths, body, rng)
        sound = sound * 10 ** (rng.uniform(-10, 0) / 20) / np.abs(sound).max()
        first = first_loud(sound)
        sound = sound[first:]
        consonant = rng.random() < manner.consonants
        if consonant:
            burst, lead = _consonant(rng, np.abs(sound).max())
            noises.append(Noise(at - lead, burst, "consonant", counts=False))
        how = ["consonant" if consonant else "attack"] + ["slur"] * (len(pitches) - 1)
        for i, middle in enumerate([0.0, *(m - first / RATE for m in middles)]):
            # the first note carries the whole breath's sound, the slurred ones only say where in it they begin
            part = sound if i == 0 else sound[int(middle * RATE) :] * 0.0
            notes.append(Note(at + middle if i else at, part, name, "sustained", pitches[i], how[i]))
        curves.append((at - first / RATE, f0))
        rest = rng.uniform(0.25, 0.7) if rng.random() < 0.3 else rng.uniform(0.0, 0.08)
        at += len(sound) / RATE + rest + (0.15 if consonant else 0.0)
    return _told(notes, noises, curves)


def _told(notes: list[Note], noises: list[Noise], curves: list[tuple[float, np.ndarray]]):
    """Mix, and add the fundamental every 5 ms."""
    from dataclasses import replace

    sound = mixed(notes, noises)
    time_s = np.arange(0, sound.duration_s, 0.005)
    f0 = np.full(len(time_s), np.nan)
    for begin, curve in curves:
        position = (time_s - begin) * RATE / HOP
        inside = (position >= 0) & (position <= len(curve) - 1)
        f0[inside] = np.interp(position[inside], np.arange(len(curve)), curve)
    slurs = np.flatnonzero(sound.note_how == "slur")
    level, rise, end = sound.note_level_db.copy(), sound.note_rise_ms.copy(), sound.note_end_s.copy()
    for i in slurs:  # they sound in the breath they belong to
        level[i], rise[i] = level[i - 1], np.nan
        end[i], end[i - 1] = end[i - 1], sound.note_onset_s[i]
    return replace(sound, note_level_db=level, note_rise_ms=rise, note_end_s=end, f0_time_s=time_s, f0_hz=f0)


def _breath(
    manner: Manner, pitches: list[float], lengths: list[float], body: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Return the sound of slurred notes, their fundamental every HOP samples, and where each glide has its middle."""
    step = HOP / RATE
    points = int(sum(lengths) / step) + 1
    t = np.arange(points) * step
    key = np.full(points, pitches[0])
    bounds = np.cumsum(lengths)[:-1]
    gain = np.ones(points)
    starts = [0.0, *bounds]
    for i, middle in enumerate(bounds):
        width = rng.uniform(0.03, 0.09)
        key += (pitches[i + 1] - pitches[i]) * _step((t - middle) / width + 0.5)
        gain *= 1 - rng.uniform(0.05, 0.35) * np.exp(-(((t - middle) / (0.5 * width)) ** 2))
    for i, start in enumerate(starts):
        stop = starts[i + 1] if i + 1 < len(starts) else t[-1]
        begins = start + rng.uniform(0.1, 0.25)
        swell = _step((t - begins) / 0.15) * (1 - _step((t - stop + 0.06) / 0.06))
        extent, rate = rng.uniform(*manner.vibrato_cents), rng.uniform(*manner.vibrato_hz)
        key += swell * extent / 100 * np.sin(2 * np.pi * rate * (t - begins))
        gain *= 1 + 0.08 * swell * np.sin(2 * np.pi * rate * (t - begins) + 1.0)
    if rng.random() < manner.scoop:
        key -= rng.uniform(0.5, 1.5) * np.exp(-t / rng.uniform(0.02, 0.05))
    wander = np.cumsum(rng.normal(0, 1, points)) * np.sqrt(step)
    key += 0.04 * (wander - np.linspace(wander[0], wander[-1], points))
    rise, fall = rng.uniform(*manner.rise_s), rng.uniform(0.03, 0.09)
    shape = rng.uniform(1.0, 2.0)
    gain *= np.sin(np.pi / 2 * np.clip(t / rise, 0, 1)) ** shape * np.sin(np.pi / 2 * np.clip((t[-1] - t) / fall, 0, 1))
    gain *= 1 - 0.3 * rng.random() * t / t[-1]
    f0 = 440 * 2 ** ((key - 69) / 12)
    return _voiced(manner, f0, gain, body, rng), f0, list(map(float, bounds))


def _step(x: np.ndarray) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0, 1))


def _body(rng: np.random.Generator) -> np.ndarray:
    """Return a body's resonances: (Hz, dB, octaves wide) rows."""
    return np.stack([rng.uniform(200, 6000, 14), rng.uniform(-9, 9, 14), rng.uniform(0.1, 0.4, 14)], 1)


def _voiced(manner: Manner, f0: np.ndarray, gain: np.ndarray, body: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return harmonics of a fundamental under the manner's envelope, and its noise."""
    frames = (len(f0) - 1) * HOP
    coarse, fine = np.arange(len(f0)) * HOP, np.arange(frames)
    hz = np.interp(fine, coarse, f0)
    turn = np.exp(2j * np.pi * (np.cumsum(hz) / RATE + rng.random()))
    vowel = list(VOWELS.values())[int(rng.integers(len(VOWELS)))]
    out, power = np.zeros(frames), np.ones(frames, dtype=complex)
    phases = rng.uniform(0, 2 * np.pi, 200)
    for k in range(1, int(10_000 / f0.min()) + 1):
        power = power * turn
        level = _envelope(manner.name, k, k * f0, vowel, body)
        level[k * f0 > 0.45 * RATE] = 0.0
        out += np.interp(fine, coarse, level) * (power * np.exp(1j * phases[k])).imag
    smooth = np.interp(fine, coarse, gain)
    noise = np.convolve(rng.normal(0, 1, frames), [0.5, 0.35, 0.15], "same")
    return smooth * (out + manner.noise * out.std() * noise)


def _envelope(name: str, k: int, hz: np.ndarray, vowel: tuple[float, ...], body: np.ndarray) -> np.ndarray:
    """Return the amplitude of harmonic ``k`` where it lies at ``hz``."""
    if name == "voice":
        peaks = zip((*vowel, 3600, 4500), (1.0, 0.6, 0.35, 0.25, 0.12), (90, 110, 140, 200, 250), strict=True)
        shape = sum(a / (1 + ((hz - f) / w) ** 2) for f, a, w in peaks)
        return (shape + 0.01) / k**0.9
    if name == "violin":
        level = sum(db * np.exp(-((np.log2(hz / f) / width) ** 2)) for f, db, width in body)
        return 10 ** (np.clip(level, -15, 15) / 20) / k**1.1
    return np.full(len(hz), (1.0, 0.5, 0.22, 0.1, 0.05, 0.02)[min(k, 6) - 1] * (0.6 ** max(k - 6, 0)))


def _consonant(rng: np.random.Generator, level: float) -> tuple[np.ndarray, float]:
    """Return a consonant's noise and by how many seconds it begins before the vowel."""
    from scipy.signal import butter, sosfilt

    plosive = rng.random() < 0.4
    length = rng.uniform(0.012, 0.025) if plosive else rng.uniform(0.07, 0.14)
    band = (1500, 6000) if plosive else ((4500, 11000) if rng.random() < 0.5 else (1500, 9000))
    n = int(length * RATE)
    noise = sosfilt(butter(2, band, "band", fs=RATE, output="sos"), rng.normal(0, 1, n + 400))[400:]
    x = np.arange(n) / n
    shape = np.exp(-4 * x) if plosive else np.sin(np.pi * np.clip(x, 0, 1)) ** 0.6
    lead = length + rng.uniform(0.015, 0.04) if plosive else length - rng.uniform(0.0, 0.02)
    return noise * shape / np.abs(noise * shape).max() * level * 10 ** (rng.uniform(-22, -8) / 20), lead
