"""Takes with planted noises of fingers, strings and picks, and music without any: truth by construction.

Notes come from the `emilyguitar` samples and the FluidR3 sound font, noises from `emilyguitar`, `swagbass` and
`fluidr3-noises`. A noise's level is the RMS of its loudest 50 ms against that of the take's notes; its start is where
the RMS of 5 ms first passes -20 dB of its largest. Everything is divided into a half to tune on and a half to check
on: notes by their pitch, noises by their class and pitch, so that no sample is in both.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from soundfont import resampled, soundfont

RATE = 44_100
# (file stem begins with) -> (class, half): 0 to tune on, 1 to check on. Round robins of one key are near twins.
NOISES = {
    "emilyguitar/noises/fingering1": ("fingering", None),
    "emilyguitar/noises/pickrest1": ("pickrest", None),
    "emilyguitar/noises/muted1": ("muted", 0),
    "emilyguitar/noises/muted3": ("muted", 0),
    "emilyguitar/noises/muted2": ("muted", 1),
    "emilyguitar/noises/muted4": ("muted", 1),
    "emilyguitar/noises/muted5": ("muted", 1),
    "emilyguitar/release/": ("release", None),
    "swagbass/noises/noise_fingering": ("fingering", 0),
    "swagbass/noises/noise_palm": ("palm", 0),
    "swagbass/noises/noise_muted": ("muted", 0),
    "swagbass/release/": ("release", 0),
    "fluidr3-noises/Fretnoise": ("squeak", 0),
}
# Presets of the sound font with ranges of keys: to tune on, and to check on.
PLUCKED = ({24: (42, 76), 25: (42, 76), 33: (30, 55), 34: (30, 55)}, {26: (42, 76), 27: (42, 76), 32: (30, 55)})
OTHERS = (
    {"piano": 0, "harpsichord": 6, "marimba": 12, "clarinet": 71, "electric piano 2": 5, "celesta": 8, "harp": 46,
     "dulcimer": 15, "xylophone": 13, "trumpet": 56, "tenor sax": 66, "violin": 40, "glockenspiel": 9,
     "music box": 10, "tubular bells": 14, "organ": 16, "rock organ": 18, "accordion": 21, "strings": 48, "choir": 52,
     "trombone": 57, "horn": 60, "oboe": 68, "recorder": 74, "kalimba": 108, "steel drum": 114},
    {"bright piano": 1, "electric piano": 4, "vibraphone": 11, "flute": 73, "banjo": 105, "cello": 42},
)  # fmt: skip
KITS = ((0, 0, 25, 0, 8), (16, 40, 24))
VOICES = (
    ("vocadito/Audio/vocadito_1.wav", "respiro-en/samples/train-clean-100_19_198_000010_000003.wav",
     "respiro-en/samples/train-clean-360_14_208_000001_000000.wav", "sms-tools-sounds/singing-female.wav",
     "sms-tools-sounds/violin-B3.wav", "sms-tools-sounds/cello-phrase.wav", "librosa-examples/198-209-0000.hq.ogg",
     "nit-song070/nitech_jp_song070_f001_004.wav"),
    ("respiro-en/samples/train-other-500_20_205_000002_000002.wav", "sms-tools-sounds/sax-phrase.wav",
     "sms-tools-sounds/speech-female.wav", "sms-tools-sounds/trumpet-A4.wav",
     "librosa-examples/3436-172162-0000.hq.ogg", "librosa-examples/sorohanro_-_solo-trumpet-06.hq.ogg"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Planted:
    """A take with its truth: where noises start, their class, their level in dB against the notes."""

    name: str
    y: np.ndarray
    note_s: np.ndarray
    start_s: np.ndarray
    kind: np.ndarray
    level_db: np.ndarray


def data() -> Path:
    """Return the folder of recordings."""
    said = os.environ.get("TAKEPRINT_DATA")
    return Path(said) if said else Path(__file__).resolve().parents[3] / "shared" / "data"


def read(path: Path) -> np.ndarray:
    """Return a recording's mono mix at the common rate."""
    y, rate = soundfile.read(path, always_2d=True)
    return resampled(y.mean(1), rate / RATE)


@cache
def noises(half: int) -> dict[str, list[np.ndarray]]:
    """Return the noises of one half by class, cut at their start."""
    out: dict[str, list[np.ndarray]] = {}
    for stem, (kind, where) in NOISES.items():
        files = sorted(data().glob(stem + "*.wav"))
        keys = sorted({f.stem.rsplit("_rr", 1)[0] for f in files})
        for i, f in enumerate(files):
            single = len(keys) == 1
            mine = (i % 2 if single else keys.index(f.stem.rsplit("_rr", 1)[0]) % 2) if where is None else where
            if mine == half:
                out.setdefault(kind, []).append(_shaped(read(f)) if kind == "fingering" else read(f))
    return out


def _shaped(y: np.ndarray) -> np.ndarray:
    """Return a faint noise with its ends faded: brought to the level of music its hiss would begin and end at once."""
    n = int(0.05 * RATE)
    y = y[: int(0.55 * RATE)].copy()
    fade = np.sin(0.5 * np.pi * np.arange(n) / n) ** 2
    y[:n] *= fade
    y[-n:] *= fade[::-1]
    return y


def loudest(y: np.ndarray, seconds: float = 0.05) -> float:
    """Return the RMS of the loudest stretch."""
    n = min(int(seconds * RATE), len(y))
    total = np.concatenate([[0.0], np.cumsum(y**2)])
    return float(np.sqrt(max((total[n:] - total[:-n]).max() / n, 1e-20)))


def begins(y: np.ndarray) -> float:
    """Return where a noise starts, in seconds."""
    n = int(0.005 * RATE)
    total = np.concatenate([[0.0], np.cumsum(y**2)])
    power = total[n:] - total[:-n]
    return float(np.argmax(power > 0.01 * power.max()) / RATE) if power.max() > 0 else 0.0


@cache
def emily_notes(half: int) -> list[np.ndarray]:
    """Return every other of the guitar's notes."""
    return [read(f) for f in sorted(data().glob("emilyguitar/notes/*.wav"))[half::2]]


@cache
def _emily_note(half: int, which: int, semitones: int) -> np.ndarray:
    return resampled(emily_notes(half)[which], 2 ** (semitones / 12))


def _note(rng: np.random.Generator, half: int, source: str | int) -> np.ndarray:
    if source == "strings":
        return _string(rng)
    if source == "emily":
        return _emily_note(half, int(rng.integers(len(emily_notes(half)))), int(rng.integers(-3, 4)))
    low, high = PLUCKED[half][int(source)]
    return soundfont().note(0, int(source), int(rng.integers(low, high)), int(rng.choice([60, 85, 110])), 3.0)


def take(
    seed: int,
    half: int,
    source: str | int,
    seconds: float = 30.0,
    levels: tuple[float, float] = (-40.0, -12.0),
    varied: bool = False,
) -> Planted:
    """Return a played line with noises between its notes, dry.

    The source is "emily", "strings" (notes and noises synthetic) or a program of the sound font.
    Notes are single, in pairs or strummed, ring on or are damped; noises lie at random at least 0.1 s from every onset
    and 0.4 s from each other, most releases where a note ends. ``varied``: no noise is quite as it was recorded, but
    up to a third faster or slower and brighter or duller.
    """
    rng = np.random.default_rng([seed, half, 77])
    y = np.zeros(int((seconds + 4) * RATE))
    pace, damped = rng.uniform(0.3, 0.9), rng.random() < 0.6
    at, onsets, ends = 0.3, [], []
    while at < seconds - 1:
        gap = pace * rng.choice([0.5, 1.0, 1.0, 2.0]) * rng.uniform(0.95, 1.05)
        for k in range(int(rng.choice([1, 1, 1, 2, 4]))):
            note = _note(rng, half, source)
            note = note / loudest(note) * 10 ** (-rng.uniform(0, 10) / 20)
            length = int(gap * rng.uniform(0.6, 1.1) * RATE) if damped else len(note)
            note = (note * np.clip((length - np.arange(len(note))) / (0.03 * RATE), 0, 1))[:length]
            first = int((at + 0.008 * k) * RATE)
            n = min(len(note), len(y) - first)
            y[first : first + n] += note[:n]
            if k == 0:
                onsets.append(at + np.argmax(np.abs(note) > 0.01 * np.abs(note).max()) / RATE)
                ends.append(at + len(note) / RATE)
        at += gap
    note_s, planted = np.array(onsets), []
    bank = noises(half)
    for at in rng.uniform(0.6, seconds - 1.5, int(3 * seconds)):
        if source == "strings" or (half == 0 and rng.random() < 0.2):
            kind = str(rng.choice(["squeak", "tap"]))
            wave = _scratch(rng, kind)
        else:
            kind = str(rng.choice(sorted(bank)))
            wave = bank[kind][rng.integers(len(bank[kind]))]
            wave = _varied(wave, rng) if varied else wave
        at = min(ends, key=lambda e: abs(e - at)) - 0.02 if kind == "release" and rng.random() < 0.6 else at  # noqa: PLW2901
        start = at + begins(wave)
        others = np.array([p[0] for p in planted])
        if np.any(np.abs(note_s - start) < 0.1) or np.any(np.abs(others - start) < 0.4) or start > seconds - 1:
            continue
        if len(planted) >= 0.8 * seconds:
            break
        level = rng.uniform(*levels)
        first = int(at * RATE)
        n = min(len(wave), len(y) - first)
        y[first : first + n] += wave[:n] / loudest(wave) * 10 ** (level / 20)
        planted.append((start, kind, level))
    planted.sort()
    y = y[: int(seconds * RATE)]
    start_s, kinds, level_db = zip(*planted, strict=True)
    return Planted(
        str(source), 0.5 * y / np.abs(y).max(), note_s, np.array(start_s), np.array(kinds), np.array(level_db)
    )


def _string(rng: np.random.Generator) -> np.ndarray:
    """Return a plucked string: partials, not quite harmonic, that decay the faster the higher, and a pluck."""
    t = np.arange(int(2.5 * RATE)) / RATE
    f0, bend, slope = 55 * 2 ** (rng.integers(0, 36) / 12), 10 ** rng.uniform(-5, -3.5), rng.uniform(0.6, 1.8)
    decay, damping, spot = rng.uniform(0.3, 3.0), rng.uniform(0.02, 0.25), rng.uniform(0.08, 0.4)
    y = np.zeros(len(t))
    for k in range(1, 40):
        hertz = k * f0 * np.sqrt(1 + bend * k * k)
        if hertz > 9000:
            break
        size = k**-slope * abs(np.sin(np.pi * k * spot))
        y += (
            size * np.sin(2 * np.pi * hertz * t + rng.uniform(0, 6.28)) * np.exp(-t * (1 + damping * k * k / 4) / decay)
        )
    pluck = rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.002, 0.01)) * rng.uniform(0.02, 0.3)
    return (y + pluck) * np.clip(t / rng.uniform(0.0005, 0.004), 0, 1)


def _scratch(rng: np.random.Generator, kind: str) -> np.ndarray:
    """Return a synthetic noise: a gliding, swelling squeak, or the tap of a finger, some with a short dull tone."""
    if kind == "squeak":
        n = int(rng.uniform(0.06, 0.3) * RATE)
        u = np.arange(n) / n
        swell = np.sin(np.pi * u ** rng.uniform(0.4, 1.2)) ** rng.uniform(0.7, 2)
        ridge = rng.uniform(800, 4000) * 2 ** (rng.uniform(-1, 1) * np.sin(np.pi * u) + rng.uniform(-0.5, 0.5) * u)
        turn = 2 * np.pi * np.cumsum(ridge) / RATE
        tone = np.sin(turn) + rng.uniform(0, 0.8) * np.sin(2 * turn)
        y = (tone * (1 + 0.4 * rng.standard_normal(n)) * rng.uniform(0, 1.5) + _coloured(rng, n)) * swell
    else:
        n = int(0.12 * RATE)
        t = np.arange(n) / RATE
        y = _coloured(rng, n) * np.exp(-t / rng.uniform(0.002, 0.02)) * np.clip(t / rng.uniform(0.0003, 0.004), 0, 1)
        if rng.random() < 0.4:
            y += (
                rng.uniform(0, 1.5)
                * np.sin(2 * np.pi * rng.uniform(150, 1500) * t)
                * np.exp(-t / rng.uniform(0.004, 0.025))
            )
    return y


def _varied(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a noise at another speed, tilted by up to 3 dB an octave."""
    y = resampled(y, 2 ** rng.uniform(-0.4, 0.4))
    spectrum = np.fft.rfft(y)
    octaves = np.log2(np.clip(np.fft.rfftfreq(len(y), 1 / RATE), 80, 12_000) / 1000)
    return np.fft.irfft(spectrum * 10 ** (rng.uniform(-3, 3) * octaves / 20), len(y))


def _coloured(rng: np.random.Generator, n: int) -> np.ndarray:
    hertz = np.fft.rfftfreq(n, 1 / RATE)
    shape = np.exp(-0.5 * (np.log2(np.maximum(hertz, 50) / rng.uniform(600, 5000)) / rng.uniform(0.6, 2.0)) ** 2)
    y = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * shape, n)
    return y / np.sqrt(np.mean(y**2))


def room(y: np.ndarray, seed: int, rt_s: float = 1.1, share: float = 0.35) -> np.ndarray:
    """Add an exponentially decaying, darkening room: ``share`` of the direct sound's power."""
    rng = np.random.default_rng([seed, 5])
    n = int(rt_s * RATE)
    t = np.arange(n) / RATE
    from scipy.signal import fftconvolve, lfilter

    tail = rng.standard_normal(n) * 10 ** (-3 * t / rt_s)
    dull = lfilter([0.35], [1, -0.65], tail)
    tail = tail * np.exp(-t / 0.25) + 2.0 * dull * (1 - np.exp(-t / 0.25))
    tail[: int(0.004 * RATE)] = 0
    tail *= np.sqrt(share / np.sum(tail**2))
    return y + fftconvolve(y, tail)[: len(y)]


def mp3(y: np.ndarray, kbps: int = 128) -> np.ndarray:
    """Return a recording after MP3 (constant bit rate), moved back to its place."""
    buffer = io.BytesIO()
    level = {128: 0.75, 96: 0.8, 192: 0.55}.get(kbps, 0.75)
    with soundfile.SoundFile(
        buffer, "w", RATE, 1, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=level
    ) as f:
        f.write(np.clip(y, -1, 1))
    buffer.seek(0)
    out, _ = soundfile.read(buffer)
    # Encoders delay: find it.
    m = min(len(out), len(y), 10 * RATE)
    cross = np.fft.irfft(np.conj(np.fft.rfft(y[:m], 2 * m)) * np.fft.rfft(out[:m], 2 * m))
    delay = int(np.argmax(cross[:4000]))
    out = out[delay:]
    return np.pad(out, (0, max(len(y) - len(out), 0)))[: len(y)]


def live(y: np.ndarray, seed: int, rt_s: float = 1.1, snr_db: float = 26.0, coded: bool = True) -> np.ndarray:
    """Put a take into a room with noise, and through MP3."""
    rng = np.random.default_rng([seed, 6])
    wet = room(y, seed, rt_s)
    wet = wet + rng.standard_normal(len(wet)) * np.sqrt(np.mean(wet**2)) * 10 ** (-snr_db / 20)
    wet = 0.7 * wet / np.abs(wet).max()
    return mp3(wet) if coded else wet


def drums(seed: int, kit: int = 0, seconds: float = 30.0) -> np.ndarray:
    """Return a played drum kit: kick, snare, hats, toms with ghost notes, velocities and jitter."""
    rng = np.random.default_rng([seed, 8])
    y = np.zeros(int((seconds + 3) * RATE))
    step = rng.uniform(0.11, 0.2)
    for i in range(int(seconds / step)):
        hits = []
        if i % 8 in (0, 5) or rng.random() < 0.05:
            hits.append((36, rng.uniform(-4, 0)))
        if i % 8 == 4 or rng.random() < 0.12:
            hits.append((38, rng.uniform(-20, 0) if i % 8 != 4 else rng.uniform(-4, 0)))
        if i % 2 == 0 or rng.random() < 0.3:
            hits.append((int(rng.choice([42, 42, 42, 46])), rng.uniform(-26, -8)))
        if rng.random() < 0.04:
            hits.append((int(rng.choice([45, 48, 50, 51, 49, 37, 39])), rng.uniform(-12, 0)))
        for key, level in hits:
            wave = soundfont().note(128, kit, key, 100, 1.5)
            first = int((0.3 + i * step + 0.006 * rng.standard_normal()) * RATE)
            n = min(len(wave), len(y) - first)
            y[first : first + n] += wave[:n] * 10 ** (level / 20)
    y = y[: int(seconds * RATE)]
    return 0.6 * y / np.abs(y).max()


def keys(seed: int, program: int, seconds: float = 30.0) -> np.ndarray:
    """Return two voices of any of the font's instruments, without noises."""
    rng = np.random.default_rng([seed, 9])
    y = np.zeros(int((seconds + 3) * RATE))
    for low, pace in ((40, rng.uniform(0.4, 1.0)), (60, rng.uniform(0.15, 0.5))):
        at = 0.3
        while at < seconds - 1:
            gap = pace * rng.choice([1, 1, 2]) * rng.uniform(0.95, 1.05)
            key = int(low + rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]))
            if soundfont().source(0, program, key):
                wave = soundfont().note(0, program, key, int(rng.choice([50, 80, 110])), 2.0)
                length = min(len(wave), int(gap * rng.uniform(0.7, 1.3) * RATE))
                fall = np.clip((length - np.arange(length)) / (0.04 * RATE), 0, 1)
                first = int(at * RATE)
                y[first : first + length] += (wave[:length] * fall)[: len(y) - first] * 10 ** (-rng.uniform(0, 18) / 20)
            at += gap
    y = y[: int(seconds * RATE)]
    return 0.6 * y / np.abs(y).max()


def silent_music(half: int, seconds: float = 20.0) -> dict[str, np.ndarray]:
    """Return music and speech without a planted noise, by name."""
    out = {f"drums, kit {kit} ({s})": drums(100 * half + s, kit, seconds) for s, kit in enumerate(KITS[half])}
    out |= {name: keys(50 * half + s, program, seconds) for s, (name, program) in enumerate(OTHERS[half].items())}
    return out | {name.split("/")[-1]: read(data() / name) for name in VOICES[half]}
