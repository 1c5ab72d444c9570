"""Scenes on which the detection of onsets is fitted: short pieces drawn at random, nothing of them in any set's fold 1.

Sources that may ship: FluidR3 (MIT), Karoryfer guitars and basses (CC0), rhythms of Groove MIDI (CC BY), textures of
POP909 (MIT; its onsets are quantized, the spread of chords is drawn here), our own synthesis. Every scene goes through
a room, noise, soft clipping, MP3 and another rate by chance.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import sets
from mixing import RATE, Noise, Note, Sound, duller, faded, first_loud, mixed
from soundfont import soundfont

DRUM_KITS = (0, 8, 24, 40, 48)
PLUCKED = (24, 25, 26, 27, 28, 29, 30, 45, 46, 104, 105, 106, 107)
BASSES = (32, 33, 34, 35, 36, 37)
STRUCK = (0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13)
HELD = (19, 21, 40, 41, 42, 48, 49, 52, 56, 57, 58, 60, 61, 64, 65, 66, 68, 71, 73, 74, 75)
SHAPES = ((0, 4, 7, 12, 16, 19), (0, 7, 12, 16, 19, 24), (0, 7, 12, 15, 19, 24), (0, 3, 7, 12, 15, 19))
RATES = (8_000, 16_000, 22_050, 48_000, 96_000)


@dataclass
class Scene:
    """What is mixed: notes, and sounds that are none."""

    notes: list[Note] = field(default_factory=list)
    noises: list[Noise] = field(default_factory=list)

    def add(self, when: float, sound: np.ndarray, gain: float, name: str, kind: str, event: int = -1) -> None:
        self.notes.append(Note(when, gain * sound[first_loud(sound) :] / np.abs(sound).max(), name, kind, event=event))


def tone(program: int, key: int, velocity: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a note of the sound font, duller where softer, damped at its end."""
    velocity = int(np.clip(velocity // 4 * 4 + 2, 2, 126))
    sound = soundfont().note(0, int(program), int(key), velocity, round(float(seconds), 1) + 0.2)
    if rng.random() < 0.6:
        sound = duller(sound, sets.strength(velocity)[1])
    return faded(sound, seconds, rng.uniform(0.005, 0.08))


def drums(scene: Scene, rng: np.random.Generator, seconds: float) -> None:
    """Add a stretch of a real performance of fold 0."""
    import mido

    paths = sets.performances(0)
    kit, power, start, now, own = (
        int(rng.choice(DRUM_KITS)),
        rng.uniform(0.7, 1.8),
        rng.uniform(0, 15),
        0.0,
        rng.random() < 0.25,
    )
    for message in mido.MidiFile(paths[int(rng.integers(len(paths)))]):
        now += message.time
        if now > start + seconds:
            break
        if message.type != "note_on" or message.velocity < 12 or now < start:
            continue
        name = next((n for n, keys in sets.DRUMS.items() if message.note in keys), "")
        if not name:
            continue
        sound = drawn_drum(name, rng) if own and name != "tom" else soundfont().note(
            128, kit, sets.GENERAL_MIDI.get(message.note, message.note), message.velocity, 1.5)  # fmt: skip
        gain = (message.velocity / 127) ** power * {"hat": 0.4, "cymbal": 0.5}.get(name, 1.0)
        scene.add(now - start + 0.3, sound, gain, name, "percussive")


def drawn_drum(name: str, rng: np.random.Generator) -> np.ndarray:
    """Return a drum of our own synthesis; no two are alike."""
    t = np.arange(int(0.6 * RATE)) / RATE
    noise = rng.normal(0, 1, len(t))
    if name == "kick":
        phase = 2 * np.pi * (rng.uniform(40, 80) * t - rng.uniform(0, 4) * np.exp(-t / 0.03))
        body = np.sin(phase) * np.exp(-t / rng.uniform(0.06, 0.2))
        body += rng.uniform(0.02, 0.2) * noise * np.exp(-t / rng.uniform(0.002, 0.006))
        return (1 - np.exp(-t / rng.uniform(0.0003, 0.002))) * body
    if name == "snare":
        shell = np.sin(2 * np.pi * rng.uniform(150, 250) * t) * np.exp(-t / rng.uniform(0.03, 0.1))
        wires = (noise + rng.uniform(-0.7, 0.7) * np.roll(noise, 1)) * np.exp(-t / rng.uniform(0.04, 0.16))
        rise = 1 - np.exp(-t / rng.uniform(0.0002, 0.001))
        return rise * (rng.uniform(0.1, 0.6) * shell + rng.uniform(0.2, 0.6) * wires)
    bright = np.diff(noise, 1 + int(rng.random() < 0.7), prepend=[0.0])[: len(t)]
    bright = np.pad(bright, (0, len(t) - len(bright)))
    if name == "hat":
        return (1 - np.exp(-t / 0.0003)) * bright * np.exp(-t / rng.uniform(0.012, 0.08))
    return (1 - np.exp(-t / 0.002)) * bright * np.exp(-t / rng.uniform(0.1, 0.5))


@cache
def noises() -> tuple[tuple[str, np.ndarray], ...]:
    """Return the squeaks and releases of fold 0."""
    real = sets.recorded("emilyguitar/noises", "fingering*.wav") + sets.recorded("emilyguitar/noises", "pickrest*.wav")
    real += sets.recorded("emilyguitar/release", "*_rr1.wav")
    return sets.half(real, 0) + sets.half(sets.recorded("swagbass/noises", "noise_fingering*.wav"), 0)


def squeak(rng: np.random.Generator) -> np.ndarray:
    """Return a real squeak, or one of a gliding, trembling whistle."""
    if rng.random() < 0.7:
        sound = noises()[int(rng.integers(len(noises())))][1]
        sound = faded(sound[first_loud(sound) :], rng.uniform(0.1, 0.4), 0.02)
        speed = rng.uniform(0.8, 1.25)
        return np.interp(np.arange(int(len(sound) / speed)) * speed, np.arange(len(sound)), sound)
    t = np.linspace(0, 1, int(rng.uniform(0.05, 0.35) * RATE))
    hertz = np.exp(np.interp(t, [0, 0.5, 1], np.log(rng.uniform(700, 4000)) + np.cumsum(rng.normal(0, 0.4, 3))))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    body = np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.7 * rng.normal(0, 1, len(t)) * np.sin(phase)
    return body * np.sin(np.pi * t) ** rng.uniform(0.3, 1.5)


def line(scene: Scene, rng: np.random.Generator, seconds: float, programs: tuple[int, ...], kind: str,
         squeaks: float = 0.0, low: int = 40, high: int = 76, gain: float = 1.0) -> None:  # fmt: skip
    """Add single notes, some with a squeak between."""
    program, when, key = int(rng.choice(programs)), rng.uniform(0.4, 0.6), int(rng.integers(low + 5, high - 5))
    step = float(rng.choice([0.12, 0.18, 0.25, 0.35, 0.5]))
    while when < seconds:
        length = step * float(rng.choice([1, 1, 1, 2, 0.5]))
        key = int(np.clip(key + rng.integers(-5, 6), low, high))
        sound = tone(program, key, int(rng.integers(40, 120)), length * rng.uniform(0.5, 1.5), rng)
        scene.add(when, sound, gain * rng.uniform(0.25, 1), "note", kind)
        if rng.random() < squeaks:
            noise = squeak(rng)
            level = gain * rng.uniform(0.03, 0.25) / np.abs(noise).max()
            scene.noises.append(Noise(when + length * rng.uniform(0.3, 0.8), level * noise, "squeak"))
        when += length + rng.normal(0, 0.01)


def strums(scene: Scene, rng: np.random.Generator, seconds: float) -> None:
    """Add chords of three to six strings, 4-14 ms a string."""
    program, when, number = int(rng.choice((24, 25, 26, 27, 28, 105))), 0.4, 0
    step = float(rng.choice([0.25, 0.35, 0.5, 0.6]))
    while when < seconds:
        root = int(rng.integers(40, 52))
        keys = [root + k for k in SHAPES[int(rng.integers(len(SHAPES)))][: int(rng.integers(3, 7))]]
        keys = keys if rng.random() < 0.6 else keys[::-1]
        each, at, loud = rng.uniform(0.004, 0.014), when, rng.uniform(0.3, 1)
        for key in keys:
            sound = tone(program, key, int(rng.integers(60, 115)), step * rng.uniform(0.8, 1.3), rng)
            scene.add(at, sound, loud * rng.uniform(0.6, 1), "note", "plucked", event=number)
            at += each * rng.uniform(0.7, 1.3)
        number += 1
        when += step * float(rng.choice([1, 1, 2])) + rng.normal(0, 0.01)


def texture(scene: Scene, rng: np.random.Generator, seconds: float, programs: tuple[int, ...], kind: str,
            gain: float = 1.0) -> None:  # fmt: skip
    """Add melody, bass and chords of very different loudness."""
    program = programs[0] if rng.random() < 0.5 else int(rng.choice(programs))
    step, when, melody, bass = float(rng.choice([0.1, 0.15, 0.2, 0.3, 0.45])), 0.4, 67, 40
    pedal, spread = 4 if rng.random() < 0.5 else 1, float(rng.choice([0.003, 0.008, 0.015]))
    while when < seconds:
        keys = []
        if rng.random() < 0.75:
            melody = int(np.clip(melody + rng.integers(-4, 5), 57, 88))
            keys.append((melody, 1.0, 1))
        if rng.random() < 0.35:
            bass = int(np.clip(bass + rng.integers(-7, 8), 28, 52))
            keys.append((bass, 0.6, 2))
        if rng.random() < 0.5:
            keys += [(int(rng.integers(48, 66)), 0.45, 1) for _ in range(int(rng.integers(1, 4)))]
        for key, weight, long in keys:
            velocity = float(np.clip(rng.normal(75, 18) * weight**0.5, 12, 120))
            sound = tone(program, key, int(velocity), min(step * long * rng.uniform(0.6, 1.2) * pedal, 2.5), rng)
            loud = gain * (velocity / 100) ** rng.uniform(1.6, 2.2)
            scene.add(when + abs(rng.normal(0, spread)), sound, loud, "note", kind)
        when += step * float(rng.choice([1, 1, 1, 2])) + rng.normal(0, 0.008)


@cache
def songs() -> list[bytes]:
    """Return the MIDI files of POP909."""
    with tarfile.open(sets.shared() / "pop909" / "pop909_main.tar.gz") as archive:
        members = sorted((m for m in archive if m.name.endswith(".mid")), key=lambda m: m.name)
        return [archive.extractfile(m).read() for m in members[:200]]  # type: ignore[union-attr]


def pop(scene: Scene, rng: np.random.Generator, seconds: float) -> None:
    """Add a stretch of a keyboard part, its chords spread and its melody ahead as players do."""
    import io

    import mido

    start, now, held, notes = rng.uniform(20, 90), 0.0, {}, []
    for message in mido.MidiFile(file=io.BytesIO(songs()[int(rng.integers(len(songs())))])):
        now += message.time
        if now > start + seconds:
            break
        if message.type == "note_on" and message.velocity:
            held[message.note] = (now, message.velocity)
        elif message.type in ("note_on", "note_off") and message.note in held:
            begin, velocity = held.pop(message.note)
            if begin >= start:
                notes.append((round(begin - start + 0.4, 2), message.note, velocity, now - begin))
    program, slow = int(rng.choice((0, 0, 0, 1, 2, 3, 4, 5, 6))), float(rng.choice([0.8, 1, 1.3]))
    spread, lead = float(rng.choice([0.002, 0.006, 0.01, 0.015])), float(rng.choice([0, 0.01, 0.025, 0.035]))
    contrast, pedal = rng.uniform(1, 1.8), rng.random() < 0.5
    for when in sorted({n[0] for n in notes}):
        chord = [n for n in notes if n[0] == when]
        top = max(n[1] for n in chord)
        for _, key, pressed, written in chord:
            softer = 1.0 if key == top else rng.uniform(0.5, 1)
            velocity = float(np.clip(127 * (pressed / 127) ** contrast * softer, 18, 124))
            ahead = 0.0 if key == top else lead * rng.uniform(0.6, 1.3) * (len(chord) > 1)
            length = min(written * slow * (rng.uniform(1, 3) if pedal else 1), 3.0)
            sound = duller(tone(program, key, int(velocity), length, rng), sets.strength(velocity)[1])
            scene.add(
                when * slow + ahead + abs(rng.normal(0, spread)), sound, sets.strength(velocity)[0], "note", "struck"
            )


def synthetic(scene: Scene, rng: np.random.Generator, seconds: float) -> None:
    """Add drums, plucks and clicks of our own synthesis; in one of four cymbals over each other."""
    when, step = 0.5, float(rng.choice([0.13, 0.2, 0.25, 0.4]))
    cymbals = rng.random() < 0.25
    while when < seconds:
        names = ("kick", "snare", "hat", "cymbal", "pluck", "click")
        name = "cymbal" if cymbals else str(rng.choice(names, p=(0.25, 0.25, 0.2, 0.08, 0.17, 0.05)))
        if name == "pluck":
            t, hertz = np.arange(RATE // 2) / RATE, rng.uniform(80, 700)
            sound = sum(
                np.sin(2 * np.pi * hertz * h * t + h) / h * np.exp(-t * h / rng.uniform(0.2, 0.8)) for h in range(1, 10)
            )
            sound = faded(sound * (1 - np.exp(-t / rng.uniform(0.0005, 0.004))), 0.4, 0.1)
            scene.add(when, sound, rng.uniform(0.1, 1), "note", "plucked")
        elif name == "click":
            scene.add(when, np.eye(1, 200)[0], rng.uniform(0.2, 1), "tom", "percussive")
        else:
            softest = 0.6 if cymbals else 0.1
            scene.add(
                when,
                drawn_drum(name, rng),
                rng.uniform(softest, 1) * (1 if name in ("kick", "snare") else 0.4),
                name,
                "percussive",
            )
        when += step + rng.normal(0, 0.008)


def held(scene: Scene, rng: np.random.Generator, seconds: float) -> None:
    """Add bowed and blown notes, some with vibrato."""
    program, when, key = int(rng.choice(HELD)), 0.4, 65
    while when < seconds:
        length, key = float(rng.choice([0.3, 0.5, 0.8, 1.5])), int(np.clip(key + rng.integers(-5, 6), 48, 80))
        sound = tone(program, key, int(rng.integers(50, 115)), length, rng)
        if rng.random() < 0.4:
            n = np.arange(len(sound))
            sway = (
                rng.uniform(0.5, 3) * RATE / 1000 * np.sin(2 * np.pi * 5.5 * n / RATE) * np.clip(n / RATE / 0.3, 0, 1)
            )
            sound = np.interp(n + sway, n, sound)
        scene.add(when, sound, rng.uniform(0.4, 1), "note", "sustained")
        when += length * rng.uniform(0.9, 1.2)


def quiet(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Return what has no onset: noise, swells, tones that sway, beat, glide or fade."""
    t = np.arange(int(seconds * RATE)) / RATE
    noise, which = coloured(rng, len(t)), int(rng.integers(6))
    if which < 2:
        return noise * np.interp(t, [0, seconds / 2, seconds], rng.uniform(0.05, 1, 3))
    if which == 2:
        swell = np.ones(len(t))
        for begin in np.arange(1, seconds - 1, rng.uniform(0.7, 1.5)):
            up = rng.uniform(0.06, 0.4)
            swell += rng.uniform(0.5, 4) * np.interp(t - begin, [0, up, up + 0.1, up + 0.6], [0, 1, 1, 0])
        return noise * swell
    out = np.zeros(len(t))
    for _ in range((int(rng.integers(1, 5)), 1, 12)[which - 3]):
        sway = rng.uniform(0, 0.03) * np.sin(2 * np.pi * rng.uniform(4, 7) * t) if which == 3 else 0.0 * t
        glide = np.interp(t, np.arange(seconds + 1), rng.uniform(-1, 1, int(seconds) + 1)) if which == 4 else 0.0
        phase = 2 * np.pi * np.cumsum(rng.uniform(80, 1500) * (1 + sway) * 2**glide) / RATE
        partials = 9 if which == 3 else 2
        out += rng.uniform(0.2, 1) * sum(np.sin(h * phase) / h ** rng.uniform(0.7, 2) for h in range(1, partials))
    out *= np.clip(t / 0.3, 0, 1) * (np.exp(-t / rng.uniform(0.5, 5)) if which == 5 else 1.0)
    return out + 10 ** rng.uniform(-4.5, -1.5) * noise * np.abs(out).max() / np.abs(noise).max()


def coloured(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return noise: white, pink, or of one pole."""
    from scipy.signal import lfilter

    noise, which = rng.normal(0, 1, count), rng.random()
    if which < 0.35:
        return noise
    if which < 0.6:
        spectrum = np.fft.rfft(noise)
        return np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), count)
    return lfilter([1.0], [1.0, -rng.uniform(-0.95, 0.95)], noise)


def worn(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put a recording through a room, noise and soft clipping, each by chance."""
    from scipy.signal import fftconvolve, lfilter

    y = y / np.abs(y).max()
    if rng.random() < 0.8:
        count = int(rng.uniform(0.2, 1.5) * RATE)
        tail = rng.normal(0, 1, count) * 10 ** (-3 * np.arange(count) / count)
        tail[: int(rng.uniform(0.001, 0.015) * RATE)] = 0
        pole = float(rng.choice([0.0, rng.uniform(0, 0.8)]))
        tail = lfilter([1 - pole], [1, -pole], tail)
        y = y + fftconvolve(y, rng.uniform(0.05, 0.45) * tail / np.sqrt((tail**2).sum()))[: len(y)]
    noise = coloured(rng, len(y))
    y = y + noise / noise.std() * 10 ** (rng.uniform(-80, -22) / 20) * np.sqrt((y**2).mean())
    if rng.random() < 0.15:
        y = np.tanh(rng.uniform(1, 4) * y / np.abs(y).max())
    return y / np.abs(y).max()


def scene(seed: int, seconds: float = 12.0) -> tuple[Sound | None, np.ndarray, int]:
    """Return (truth, samples, rate) of a scene; the truth is None where nothing begins."""
    from scipy.signal import resample_poly

    rng = np.random.default_rng([seed, 9091])
    out, which = Scene(), seed % 20
    if which < 3:
        return None, quiet(rng, seconds), RATE
    if which < 8:
        synthetic(out, rng, seconds)
    elif which < 10:
        line(out, rng, seconds, PLUCKED, "plucked", squeaks=0.4)
    elif which == 10:
        line(out, rng, seconds, BASSES, "plucked", squeaks=0.2, low=28, high=56)
    elif which == 11:
        strums(out, rng, seconds)
    elif which < 15:
        pop(out, rng, seconds)
    elif which == 15:
        texture(out, rng, seconds, STRUCK, "struck")
    elif which == 16:
        texture(out, rng, seconds, PLUCKED, "plucked")
    elif which == 17:
        held(out, rng, seconds)
    elif which == 18:
        line(out, rng, seconds, STRUCK, "struck")
    else:
        drums(out, rng, seconds)
        line(out, rng, seconds, BASSES, "plucked", low=28, high=50, gain=0.5)
        if rng.random() < 0.5:
            texture(out, rng, seconds, STRUCK, "struck", gain=0.4)
    if not out.notes:
        return scene(seed + 1000, seconds)
    truth = mixed(out.notes, out.noises)
    samples, rate = worn(truth.samples, rng), RATE
    if rng.random() < 0.25:
        rate = int(rng.choice(RATES))
        common = int(np.gcd(rate, RATE))
        samples = resample_poly(samples, rate // common, RATE // common)
    return truth, samples, rate
