"""A small built-in synth, so that timing can be heard without any sound font.

Conventions
-----------
Samples are float64 [shape=(frames, 2)], full scale 1.0; every sound starts at the sample nearest to its onset. A
harder stroke is louder and brighter. The same notes give the same sound: noise comes from named random streams.

It sketches a drum kit (channel 10, here 9, General MIDI keys; or notes whose ``instrument`` is a drum's name) and one
struck string for everything else. It is no instrument to record with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..core.errors import TakeprintError
from ..core.files import Name
from ..core.notes import Notes
from ..core.randomness import Stream
from ..core.take import DRUM_NAMES

LONGEST_S = 3600.0  # the mix is held in memory
PEAK = 0.89  # -1 dB: a louder mix is turned down
_VARIANTS = 4  # of the noise of one drum: two hits never sound quite the same
_RELEASE_S = 0.07  # time constant of the damper
_LONGEST_NOTE_S = 8.0
# where each drum sits, -1 left to 1 right, as the drummer hears it
_PAN = {"kick": 0.0, "snare": -0.1, "hat": -0.4, "ride": 0.45, "crash": 0.35, "clap": 0.1, "cowbell": 0.2}
_TOM_HZ = {41: 82.0, 43: 98.0, 45: 116.0, 47: 138.0, 48: 164.0, 50: 196.0, 58: 90.0}
# the key that stands for a drum where only its name is known
_KEYS = {"kick": 36, "snare": 38, "hat": 42, "tom": 45, "crash": 49, "ride": 51, "clap": 39, "cowbell": 56}
_OPEN_HATS = (26, 46)
_CLOSING_HATS = (22, 42, 44)


def synthesize(notes: Notes, *, sample_rate: int = 44100) -> np.ndarray:
    """Play notes.

    Parameters
    ----------
    notes : Notes
        Read are onset, duration, pitch, velocity, channel and instrument; an unknown velocity is 80.
    sample_rate : int, Hz
        8000 or more.

    Returns
    -------
    ndarray [shape=(frames, 2)]
        From time 0 until the last sound has died away; turned down as a whole where it would pass -1 dB.

    Raises
    ------
    TakeprintError
        For a rate below 8 kHz, a negative onset, or more than an hour.

    Examples
    --------
    >>> import numpy as np
    >>> from takeprint.core.notes import Notes
    >>> y = synthesize(Notes.build(onset_s=[0.5], pitch=[38], channel=[9]))
    >>> int(np.flatnonzero(np.abs(y).max(axis=1) > 0)[0])
    22050
    """
    if not 8000 <= sample_rate <= 192_000:
        raise TakeprintError(f"sample_rate={sample_rate}", rule="the sketch synth plays at 8000 to 192000 Hz")
    rate = int(sample_rate)
    notes = notes.rows(np.isfinite(notes.onset_s))
    if len(notes) and notes.onset_s.min() < 0.0:
        raise TakeprintError(f"a note starts at {notes.onset_s.min():.3f} s", rule="an onset is not negative")
    if len(notes) and notes.onset_s.max() > LONGEST_S:
        raise TakeprintError(f"the music lasts {notes.onset_s.max():.0f} s", rule="the sketch synth plays an hour")
    start = np.round(notes.onset_s * rate).astype(np.int64)
    velocity = np.clip(np.where(np.isfinite(notes.velocity), notes.velocity, 80.0), 1.0, 127.0)
    key = _drum_keys(notes)
    ends_s = _choked(notes, key)
    sounds: list[tuple[int, np.ndarray, float]] = []
    heard: dict[int, int] = {}
    for i in range(len(notes)):
        if key[i] >= 0:
            variant = heard.get(int(key[i]), 0) % _VARIANTS
            heard[int(key[i])] = variant + 1
            sound = _drum(int(key[i]), variant, rate)(velocity[i] / 127.0)
            if np.isfinite(ends_s[i]):
                sound = _cut(sound, int(ends_s[i] * rate), rate, 0.012)
            pan = _PAN.get(DRUM_NAMES.get(int(key[i]), ""), 0.25 * np.sign(45.0 - key[i]))
        else:
            sound = _string(notes.pitch[i], velocity[i] / 127.0, notes.duration_s[i], rate)
            pan = 0.3 * np.clip((np.nan_to_num(notes.pitch[i], nan=60.0) - 62.0) / 24.0, -1.0, 1.0)
        sounds.append((int(start[i]), sound, float(pan)))
    frames = max((at + len(sound) for at, sound, _ in sounds), default=rate // 10)
    mix = np.zeros((frames, 2))
    for at, sound, pan in sounds:
        # equal power: the angle runs from 0 (left) to 90 degrees (right)
        angle = (pan + 1.0) * np.pi / 4.0
        mix[at : at + len(sound), 0] += np.cos(angle) * sound
        mix[at : at + len(sound), 1] += np.sin(angle) * sound
    peak = float(np.abs(mix).max(initial=0.0))
    return mix * (PEAK / peak) if peak > PEAK else mix


def write_wav(path: Name, samples: np.ndarray, *, sample_rate: int = 44100, force: bool = False) -> None:
    """Write samples [shape=(frames, channels)] as a 16-bit WAV file, atomically."""
    from ..core.audio import write_audio

    write_audio(path, samples, sample_rate=sample_rate, subtype="PCM_16", force=force)


def _drum_keys(notes: Notes) -> np.ndarray:
    """Return the percussion key of every note, -1 for a string."""
    pitch = np.where(np.isfinite(notes.pitch), notes.pitch, -1.0).astype(np.int64)
    key = np.where(notes.channel == 9, np.maximum(pitch, 0), -1)
    for name, stands in _KEYS.items():
        named = (notes.instrument == name) & (notes.channel != 9)
        own = np.isin(pitch, [k for k, n in DRUM_NAMES.items() if n == name])
        key[named] = np.where(own[named], pitch[named], stands)
    return key


def _choked(notes: Notes, key: np.ndarray) -> np.ndarray:
    """Return after how many seconds a closing hat ends an open one, NaN for sounds that ring on."""
    ends_s = np.full(len(notes), np.nan)
    closing = np.sort(notes.onset_s[np.isin(key, _CLOSING_HATS)])
    for i in np.flatnonzero(np.isin(key, _OPEN_HATS)):
        later = closing[closing > notes.onset_s[i] + 1e-4]
        if len(later):
            ends_s[i] = later[0] - notes.onset_s[i]
    return ends_s


def _cut(sound: np.ndarray, frames: int, rate: int, fall_s: float) -> np.ndarray:
    """End a sound after some frames with a short fade instead of a click."""
    if frames >= len(sound):
        return sound
    tail = int(8 * fall_s * rate)
    out = sound[: frames + tail].copy()
    n = len(out) - frames
    # exponential fall that reaches exactly 0 at its last sample
    out[frames:] *= np.exp(-np.arange(n) / (fall_s * rate)) * np.linspace(1.0, 0.0, n)
    return out


def _rise(n: int, rate: int, rise_s: float) -> np.ndarray:
    """Return an attack: a raised cosine from just above 0 to 1, then 1."""
    out = np.ones(n)
    k = min(n, max(1, int(rise_s * rate)))
    out[:k] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(k) + 1.0) / (k + 1.0))
    return out


def _ring(freqs_hz: np.ndarray, levels: np.ndarray, decays_s: np.ndarray, n: int, rate: int) -> np.ndarray:
    """Return a sum of ``n`` samples of decaying sines.

    A sample ``b * B + m`` of a decaying sine is a product of one factor for ``b`` and one for ``m``: the whole sum is
    one product of two small matrices.
    """
    below = freqs_hz < 0.45 * rate
    pole = np.exp((-1.0 / decays_s[below] + 2j * np.pi * freqs_hz[below]) / rate)
    size = max(1, int(np.sqrt(n)))
    blocks = -(-n // size)
    coarse = pole[None, :] ** (np.arange(blocks)[:, None] * size)
    # from 1: a sine's sample 0 would be silence
    fine = levels[below][:, None] * pole[:, None] ** np.arange(1, size + 1)[None, :]
    return (coarse @ fine).imag.ravel()[:n]


def _noise(key: int, variant: int, n: int) -> np.ndarray:
    return Stream(0, "sketch synth", str(key), str(variant)).normal(n)


def _band(noise: np.ndarray, rate: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Return noise between two frequencies with soft edges, unit power, by one Fourier transform."""
    n = len(noise)
    freq = np.fft.rfftfreq(n, 1.0 / rate)
    gain = 1.0 / (1.0 + (low_hz / np.maximum(freq, 1.0)) ** 4) / (1.0 + (freq / high_hz) ** 4)
    shaped = np.fft.irfft(np.fft.rfft(noise) * gain, n)
    return shaped / (np.sqrt(np.mean(shaped**2)) + 1e-12)


def _fade_out(n: int) -> np.ndarray:
    out = np.ones(n)
    k = max(1, n // 8)
    out[-k:] = 0.5 + 0.5 * np.cos(np.pi * (np.arange(k) + 1.0) / k)
    return out


@lru_cache(maxsize=512)
def _drum(key: int, variant: int, rate: int) -> Callable[[float], np.ndarray]:
    """Return a function strength (0 to 1) -> samples: body and bright part are mixed by the strength."""
    name = DRUM_NAMES.get(key, "percussion")
    if name == "kick":
        body, bright, level = _kick(key, variant, rate)
    elif name == "snare":
        body, bright, level = _snare(key, variant, rate)
    elif name == "hat":
        tau = 0.30 if key in _OPEN_HATS else 0.035 if key == 44 else 0.05
        body, bright, level = _metal(key, variant, rate, tau, 7000.0)
        level *= 0.55 if key != 44 else 0.4
    elif name in ("crash", "ride"):
        body, bright, level = _metal(key, variant, rate, 0.9 if name == "crash" else 0.55, 4200.0)
        level *= 0.8 if name == "crash" else 0.5
    elif name == "tom":
        body, bright, level = _tom(key, variant, rate)
    else:
        body, bright, level = _block(key, variant, rate)

    def strike(strength: float) -> np.ndarray:
        # softer strokes lose their bright part first
        return level * strength**1.5 * (body + strength * bright)

    return strike


def _kick(key: int, variant: int, rate: int) -> tuple[np.ndarray, np.ndarray, float]:
    n = int(0.45 * rate)
    t = np.arange(n) / rate
    # the head's tension falls after the stroke: 160 Hz glide to 50 Hz
    phase = 2.0 * np.pi * (50.0 * t + 110.0 * 0.022 * (1.0 - np.exp(-t / 0.022)))
    body = np.sin(phase + 0.6) * np.exp(-t / 0.11) * _rise(n, rate, 0.0008) * _fade_out(n)
    click = _band(_noise(key, variant, n), rate, 1500.0, 6000.0) * np.exp(-t / 0.004) * _rise(n, rate, 0.0003)
    return body, 0.18 * click, 0.75


def _snare(key: int, variant: int, rate: int) -> tuple[np.ndarray, np.ndarray, float]:
    n = int(0.35 * rate)
    t = np.arange(n) / rate
    if key == 37:  # side stick: wood, no wires
        modes = _ring(
            np.array([410.0, 1130.0, 1770.0]), np.array([0.5, 0.4, 0.3]), np.array([0.02, 0.015, 0.01]), n, rate
        )
        return modes * _rise(n, rate, 0.0003), 0.3 * modes, 0.5
    shell = _ring(np.array([186.0, 278.0, 331.0]), np.array([0.6, 0.3, 0.25]), np.array([0.07, 0.05, 0.04]), n, rate)
    wires = _band(_noise(key, variant, n), rate, 1800.0, 9000.0) * np.exp(-t / 0.075)
    edge = _rise(n, rate, 0.0004) * _fade_out(n)
    return (shell + 0.13 * wires) * edge, 0.22 * wires * edge, 0.55


def _metal(key: int, variant: int, rate: int, tau_s: float, low_hz: float) -> tuple[np.ndarray, np.ndarray, float]:
    n = int(min(3.0, 6.0 * tau_s) * rate)
    t = np.arange(n) / rate
    high_hz = min(15_000.0, 0.42 * rate)
    low_hz = min(low_hz, 0.25 * rate)
    air = _band(_noise(key, variant, n), rate, low_hz, high_hz)
    # inharmonic partials of a cymbal, spread evenly in the logarithm with a golden-ratio shift
    k = np.arange(14)
    freqs = low_hz * 0.55 * 2.0 ** (2.2 * np.modf((k + key) * 0.6180339887)[0])
    bars = _ring(freqs, np.full(14, 0.12), np.full(14, tau_s), n, rate)
    edge = _rise(n, rate, 0.0003) * _fade_out(n)
    decay = np.exp(-t / tau_s)
    if DRUM_NAMES.get(key) == "ride":
        bars = bars + 0.4 * _ring(np.array([790.0, 1490.0, 2330.0]), np.full(3, 0.4), np.full(3, 0.35), n, rate)
        return (0.10 * air * decay + bars) * edge, 0.10 * air * decay * edge, 0.5
    return (0.16 * air * decay + bars) * edge, 0.16 * air * np.exp(-t / (0.6 * tau_s)) * edge, 0.6


def _tom(key: int, variant: int, rate: int) -> tuple[np.ndarray, np.ndarray, float]:
    n = int(0.6 * rate)
    t = np.arange(n) / rate
    hz = _TOM_HZ.get(key, 120.0)
    phase = 2.0 * np.pi * (hz * t + 0.35 * hz * 0.03 * (1.0 - np.exp(-t / 0.03)))
    body = (np.sin(phase + 0.4) + 0.3 * np.sin(1.59 * phase)) * np.exp(-t / 0.16)
    click = _band(_noise(key, variant, n), rate, 800.0, 5000.0) * np.exp(-t / 0.008)
    edge = _rise(n, rate, 0.0006) * _fade_out(n)
    return 0.8 * body * edge, 0.12 * click * edge, 0.65


def _block(key: int, variant: int, rate: int) -> tuple[np.ndarray, np.ndarray, float]:
    n = int(0.2 * rate)
    t = np.arange(n) / rate
    hz = 500.0 * 2.0 ** (np.modf(key * 0.6180339887)[0])
    wood = _ring(hz * np.array([1.0, 1.48, 2.6]), np.array([0.6, 0.3, 0.15]), np.array([0.04, 0.03, 0.02]), n, rate)
    puff = _band(_noise(key, variant, n), rate, 1000.0, 7000.0) * np.exp(-t / 0.02)
    edge = _rise(n, rate, 0.0004) * _fade_out(n)
    return wood * edge, 0.15 * puff * edge, 0.5


@lru_cache(maxsize=256)
def _struck(pitch: float, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the warm and the bright part of a struck string that is never damped."""
    n = int(_LONGEST_NOTE_S * rate)
    hz = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    number = np.arange(1, 29)
    number = number[hz * number < min(0.45 * rate, 9000.0)]
    if not len(number):
        number = np.array([1])
    # stiffness makes upper partials sharp (Fletcher 1964); higher partials and higher strings die sooner
    stiff = 0.0004 * 2.0 ** ((pitch - 60.0) / 18.0)
    freqs = hz * number * np.sqrt(1.0 + stiff * number**2)
    slow_s = 2.2 * 2.0 ** (-(pitch - 60.0) / 20.0) / (1.0 + 0.12 * number)
    place = np.abs(np.sin(np.pi * number / 7.3)) + 0.05  # struck near a seventh of its length
    warm = place / number**1.9
    bright = place / number**0.9 * (1.0 - np.exp(-number / 3.0))
    size = 0.9 / np.sum(warm)
    # two strings a little apart, one dying sooner: the double decay and slow beating of a piano
    both = np.concatenate([freqs, freqs * 1.0004])
    decays = np.concatenate([slow_s, 0.3 * slow_s])
    edge = _rise(n, rate, 0.0012) * _fade_out(n)
    parts = [_ring(both, np.concatenate([0.45 * a, 0.55 * a]), decays, n, rate) * edge * size for a in (warm, bright)]
    return parts[0], 0.45 * parts[1]


def _string(pitch: float, strength: float, duration_s: float, rate: int) -> np.ndarray:
    """Return one damped note: louder and brighter with its strength (0 to 1)."""
    pitch = float(np.clip(np.nan_to_num(pitch, nan=72.0), 0.0, 127.0))
    length_s = float(np.clip(duration_s, 0.02, _LONGEST_NOTE_S)) if np.isfinite(duration_s) else 0.25
    warm, bright = _struck(pitch, rate)
    n = min(len(warm), int((length_s + 8 * _RELEASE_S) * rate) + 1)
    sound = 0.8 * strength**1.5 * (warm[:n] + strength**1.2 * bright[:n])
    return _cut(sound, int(length_s * rate), rate, _RELEASE_S)
