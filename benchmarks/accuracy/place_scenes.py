"""Scenes on which the placing of onsets is fitted: the sets' own material of one fold, and more of other kinds.

Only what may ship is heard: FluidR3 (MIT), the Karoryfer guitars and basses (CC0), rhythms of the Groove MIDI data
(CC BY), and sounds of our own synthesis. Rooms, noise, codecs, rates and densities are drawn anew for every scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rooms
import sets
from mixing import RATE, Note, Sound, faded, mixed, with_samples
from soundfont import soundfont

CONDITIONS = ("dry", "live", "codec", "any", "any")
# Programs of General MIDI: keyboards, and what else is struck or plucked.
KEYBOARDS = ((0, 28, 96), (4, 36, 88), (6, 40, 84), (3, 36, 90))
OTHERS = ((11, 53, 84), (12, 48, 84), (13, 60, 96), (46, 36, 90), (105, 48, 79), (45, 48, 84), (24, 40, 76),
          (25, 40, 76), (26, 40, 76), (27, 40, 76), (28, 40, 72), (36, 28, 52), (107, 50, 76),
          (106, 48, 76))  # fmt: skip
BLOWN = ((40, 56, 88), (73, 62, 90), (52, 50, 76), (56, 55, 80), (65, 52, 78), (68, 60, 84), (48, 40, 84))


@dataclass(frozen=True, eq=False)
class Scene:
    """A recording, the seconds of its events, what it is of and where it is heard."""

    samples: np.ndarray
    rate: int
    onset_s: np.ndarray
    kind: str
    condition: str


def own_drum(rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """Return a drum hit of our own synthesis; every one differs."""
    t = np.arange(int(0.6 * RATE)) / RATE
    noise = rng.normal(0, 1, len(t))
    rise = (1 - np.exp(-t / 10 ** rng.uniform(-4, -2.7))) ** rng.uniform(0.7, 2.0)
    kind = ("kick", "snare", "hat", "cymbal", "tom")[int(rng.integers(5))]
    if kind in ("kick", "tom"):
        hz = rng.uniform(42, 65) if kind == "kick" else rng.uniform(80, 220)
        drop = rng.uniform(0.2, 3) * hz * 0.03
        sound = np.sin(2 * np.pi * (hz * t - drop * np.exp(-t / 0.03)) + rng.uniform(0, 6.28)) * np.exp(-t / 0.12)
        sound += rng.uniform(0, 0.3) * noise * np.exp(-t / rng.uniform(0.002, 0.006))
    elif kind == "snare":
        shell = np.sin(2 * np.pi * rng.uniform(150, 260) * t) * np.exp(-t / 0.06)
        sound = rng.uniform(0.1, 0.7) * shell + 0.4 * noise * np.exp(-t / rng.uniform(0.05, 0.15))
    else:
        bright = np.diff(noise, 2 if rng.random() < 0.5 else 1)
        sound = np.resize(bright, len(t)) * np.exp(-t / (rng.uniform(0.015, 0.06) if kind == "hat" else 0.3))
    return kind, sound * rise


def own_tone(key: int, rng: np.random.Generator) -> np.ndarray:
    """Return a struck or plucked tone of our own synthesis: partials that rise one after another, and a knock."""
    t = np.arange(int(1.6 * RATE)) / RATE
    hz = 440 * 2 ** ((key - 69) / 12)
    rise, spread, power = 10 ** rng.uniform(-3.6, -2.2), rng.uniform(0, 1), rng.uniform(0.8, 2.5)
    slope, place = rng.uniform(0.7, 2.2), rng.uniform(0.07, 0.5)
    sound = np.zeros(len(t))
    for k in range(1, int(min(24, 16_000 / hz)) + 1):
        own_rise = rise * (1 - spread + spread * 2 * rng.random()) / (1 + 0.1 * k * rng.random()) + 1e-5
        partial = np.sin(2 * np.pi * hz * k * np.sqrt(1 + 1e-4 * k * k) * t + rng.uniform(0, 6.28))
        sound += (
            np.sin(np.pi * k * place)
            / k**slope
            * partial
            * np.exp(-t * (0.7 + 0.3 * k))
            * (1 - np.exp(-((t / own_rise) ** power)))
        )
    sound /= np.abs(sound).max()
    knock = rng.normal(0, 1, len(t)) * np.exp(-t / 0.005) * (1 - np.exp(-t / rng.uniform(0.0003, 0.003)))
    return sound + 10 ** rng.uniform(-3, -0.8) * knock


def tone(program: int, key: int, velocity: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a note of the sound font, or of our own synthesis (program -1)."""
    if program < 0:
        return own_tone(key, rng)
    sound = soundfont().note(0, program, key, velocity, seconds + 0.3, cents=int(rng.integers(-8, 9)))
    return sets.duller(sound, sets.strength(velocity)[1]) if rng.random() < 0.7 else sound


def line(programs: tuple, kind: str, rng: np.random.Generator, fold: int, count: int = 70) -> Sound:
    """Return single notes of one program, ringing into each other more or less."""
    program, low, high = programs[int(rng.integers(len(programs)))]
    if rng.random() < 0.2 and kind != "sustained":
        program = -1
    keys = sets.keys_of(0, program, low, high, fold) if program >= 0 else tuple(range(low, high))
    step, over, spread = rng.uniform(0.15, 0.45), float(rng.choice([0.8, 1.0, 1.6, 2.5])), rng.uniform(3, 16)
    notes, at = [], 0.5
    for _ in range(count):
        key, length = int(rng.choice(keys)), over * step * rng.uniform(0.6, 1.6)
        sound = faded(tone(program, key, int(rng.integers(40, 127)), length, rng), length, rng.uniform(0.02, 0.1))
        if np.abs(sound).max() > 0:
            gain = 10 ** (-rng.uniform(0, spread) / 20) / np.abs(sound).max()
            notes.append(sets.laid(at + rng.normal(0, 0.01), sound, "line", kind, float(key), gain=gain))
        at += step * float(rng.choice([0.5, 1, 1, 2]))
    return mixed(notes, [])


def keyboard(rng: np.random.Generator, fold: int) -> Sound:
    """Return chords and notes on a keyboard, as dense and as pedalled as chance will."""
    program, low, high = KEYBOARDS[int(rng.choice([0, 0, 0, 1, 2, 3]))]
    if rng.random() < 0.2:
        program = -1
    keys = np.array(sets.keys_of(0, program, low, high, fold) if program >= 0 else range(low, high))
    density, notes, at, middle = rng.uniform(0.1, 0.4), [], 0.5, rng.uniform(54, 70)
    spread, span = rng.uniform(6, 24), rng.uniform(0.3, 2.5)
    while at < 22:
        together = rng.uniform(0, 0.012)
        for _ in range(int(rng.choice([1, 1, 2, 3, 4]))):
            key = int(keys[np.argmin(np.abs(keys - np.clip(rng.normal(middle, 13), low, high)))])
            velocity, length = int(rng.integers(30, 115)), rng.uniform(0.12, span)
            sound = faded(tone(program, key, velocity, length, rng), length, 0.08)
            gain = 10 ** (-rng.uniform(0, spread) / 20) / max(np.abs(sound).max(), 1e-9)
            notes.append(sets.laid(at + abs(rng.normal(0, together)), sound, "keys", "struck", float(key), gain=gain))
        at += density * float(rng.choice([0.5, 1, 1, 1, 2])) * rng.uniform(0.85, 1.15)
    return mixed(notes, [])


def own_drums(rng: np.random.Generator, fold: int) -> Sound:
    """Return drums of our own synthesis, from well apart to overlapping."""
    step, notes = rng.uniform(0.08, 0.35), []
    for i in range(90):
        name, sound = own_drum(rng)
        sound /= np.abs(sound).max()
        when = 0.5 + step * i + rng.normal(0, 0.008)
        notes.append(sets.laid(when, sound, name, "percussive", gain=10 ** (-rng.uniform(0, 20) / 20)))
    return mixed(notes, [])


def strums(rng: np.random.Generator, fold: int) -> Sound:
    """Return strums of the sets' recorded guitar and of our own synthesis: an event is a strum."""
    own, notes, at = rng.random() < 0.4, [], 0.5
    recorded = sets.half(sets.recorded("emilyguitar/notes", "*.wav"), fold)
    for i in range(50):
        count, each, root = int(rng.integers(3, 7)), rng.uniform(0.004, 0.014), int(rng.integers(40, 53))
        for place in range(count):
            sound = own_tone(root + 5 * place, rng) if own else recorded[int(rng.integers(len(recorded)))][1]
            sound = faded(sets.duller(sound, 10 ** rng.uniform(3.4, 4.2)), rng.uniform(0.3, 1.0), 0.05)
            when = at + place * each * rng.uniform(0.9, 1.1)
            gain = 10 ** (-rng.uniform(0, 8) / 20) / np.abs(sound).max()
            notes.append(sets.laid(when, sound, "strum", "plucked", float(root), gain=gain, event=i))
        at += rng.uniform(0.3, 0.7)
    return mixed(notes, [])


def band(rng: np.random.Generator, fold: int) -> Sound:
    """Return drums, bass and keys together; every note is an onset."""
    parts = [sets.drums_kit(rng, fold).part(0.0, 20.0), sets.bass(rng, fold).part(0.0, 20.0),
             keyboard(rng, fold).part(0.0, 20.0)]  # fmt: skip
    notes = []
    for part, level in zip(parts, (0.0, -rng.uniform(2, 10), -rng.uniform(4, 14)), strict=True):
        gain = 10 ** (level / 20)
        notes.append(Note(0.0, gain * part.samples[: 20 * RATE], "part", "", truth_s=0.0))
    length = max(len(n.samples) for n in notes)
    samples = sum(np.pad(n.samples, (0, length - len(n.samples))) for n in notes)
    onset = np.sort(np.concatenate([p.note_onset_s for p in parts]))
    first = onset[np.diff(onset, prepend=-1.0) >= 0.0]
    kept: list[float] = []
    for t in first:
        if not kept or t - kept[-1] >= 0.03:
            kept.append(float(t))
    whole = parts[0]
    return with_samples(_retold(whole, np.array(kept)), 0.7 * samples / np.abs(samples).max())


def _retold(sound: Sound, onset_s: np.ndarray) -> Sound:
    from dataclasses import replace

    empty = np.array([""] * len(onset_s))
    return replace(sound, onset_s=onset_s, names=empty, kinds=empty, grid_s=np.full(len(onset_s), np.nan))


def blown(rng: np.random.Generator, fold: int) -> Sound:
    """Return notes that are bowed, blown or sung."""
    return line(BLOWN, "sustained", rng, fold, 50)


SETS = {"drums": "drums_solo", "kit": "drums_kit", "guitar": "guitar_line", "bass": "bass", "strum": "guitar_strum",
        "sampled": "mono_sampled"}  # fmt: skip
KINDS = {
    "own drums": own_drums,
    "strums": strums,
    "piano": keyboard,
    "others": lambda rng, fold: line(OTHERS, "plucked", rng, fold),
    "band": band,
    "blown": blown,
}


def coded(sound: Sound, rng: np.random.Generator) -> Sound:
    """Return a dry recording after MP3, in half of the cases silenced where it was quiet: its pre-echo stands alone."""
    samples = sound.samples * min(1.0, 0.9 / np.abs(sound.samples).max())
    if rng.random() < 0.5:
        loud = np.abs(samples) >= 10 ** (-62 / 20)
        samples = np.where(np.convolve(loud, np.ones(2001), "same") > 0.5, samples, 0.0)
    return with_samples(sound, rooms.through_mp3(samples, sound.rate, int(rng.choice([96, 128, 160, 192]))))


def heard(sound: Sound, condition: str, rng: np.random.Generator) -> Sound:
    """Return a scene where it is heard."""
    if condition == "dry":
        return rooms.dry(sound, rng)
    if condition == "live":
        return rooms.live(sound, rng)
    if condition == "codec":
        return coded(rooms.dry(sound, rng), rng)
    out = rooms.in_room(sound, rng, rng.uniform(0.1, 2.0), 10 ** rng.uniform(-1.2, 0.0))
    noise = rng.normal(0, 1, len(out.samples))
    if rng.random() < 0.5:  # of a duller colour
        noise = sets.duller(noise, 10 ** rng.uniform(2, 4))
    level = np.sqrt((out.samples**2).mean() / (noise**2).mean())
    out = with_samples(out, out.samples + level * 10 ** (-rng.uniform(18, 75) / 20) * noise)
    if rng.random() < 0.35:
        wave = out.samples * min(1.0, 0.95 / np.abs(out.samples).max())
        out = with_samples(out, rooms.through_mp3(wave, out.rate, int(rng.choice([96, 128, 192, 256]))))
    if rng.random() < 0.25:
        out = rooms.at_rate(out, int(rng.choice([8_000, 11_025, 16_000, 22_050, 48_000, 96_000])))
    return out


def scenes(fold: int, seed: int) -> Iterator[Scene]:
    """Yield scenes of every kind in every condition; what the sets hold is taken from them."""
    for place, (kind, name) in enumerate(SETS.items()):
        for condition, variant in (("dry", name), ("live", f"{name}_live"), ("any", f"{name}_uncut")):
            sound = sets.make(variant, seed, fold)
            if condition == "any":
                sound = heard(sound, "any", np.random.default_rng([seed, fold, 1, place]))
            yield Scene(sound.samples, sound.rate, sound.onset_s, kind, condition)
            if condition == "dry":
                sound = coded(sound, np.random.default_rng([seed, fold, 3, place]))
                yield Scene(sound.samples, sound.rate, sound.onset_s, kind, "codec")
    for place, (kind, build) in enumerate(KINDS.items()):
        rng = np.random.default_rng([seed, fold, 2, place])
        sets.Uncut.now = bool(rng.random() < 0.4)
        try:
            sound = build(rng, fold)
        finally:
            sets.Uncut.now = False
        for condition in CONDITIONS:
            at = heard(sound, condition, rng)
            yield Scene(at.samples, at.rate, at.onset_s, kind, condition)
