"""The sets: recordings with a known truth, each in two halves.

    from sets import make, names
    sound = make("drums_kit_live", seed=0, fold=0)

``fold`` 0 is the half to tune on, 1 the half to report: other samples, drummers and pianists. A name is a set's, or
a set's with an ending: ``_live`` (reverberation of 1.1 s, 26 dB of noise, MP3 at 128 kbit/s), ``_bleed`` (another
instrument in the microphone, 28 dB lower), ``_8k``, ``_22k``, ``_96k``, ``_raw`` (no room and no noise at all);
without one the set is dry: a room of 0.35 s and noise at -66 dB of full scale. ``_uncut`` notes keep what comes
before their -40 dB point; the truth is that point all the same.

Sources: note samples of FluidR3 (Debian's fluid-soundfont-gm), of the Karoryfer guitars and basses (CC0), real
drummers of the Groove MIDI data and real pianists of Vienna 4x22 from the shared data; sung, bowed and blown lines
are our own synthesis (`sung`). Hi-hats and cymbals are the same samples in most of FluidR3's kits, so in both folds.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import rooms
import sung
from mixing import RATE, Noise, Note, Sound, cut, duller, faded, first_loud, joined, mixed
from soundfont import installed, soundfont

KITS = ((0, 8, 24), (16, 32, 25))  # banks of drums by fold: Standard, Room, Electronic; Power, Jazz, TR-808
DRUMS = {"kick": (35, 36), "snare": (37, 38, 40), "hat": (22, 26, 42, 44, 46), "cymbal": (49, 51, 52, 53, 55, 57, 59),
         "tom": (41, 43, 45, 47, 48, 50, 58)}  # fmt: skip
GENERAL_MIDI = {22: 42, 26: 46, 58: 43}  # the Roland pads that General MIDI does not know
DRUMMERS = (("drummer1", "drummer2", "drummer4", "drummer10"), ("drummer5", "drummer6", "drummer8"))
PITCHES = {n: i for i, n in enumerate(("c", "db", "d", "eb", "e", "f", "gb", "g", "ab", "a", "bb", "b"))}


def shared() -> Path:
    """Return the folder of the shared data, or end the program with what is missing."""
    said = os.environ.get("TAKEPRINT_DATA")
    folder = Path(said) if said else Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        raise SystemExit(f"the sets need the shared data: set TAKEPRINT_DATA to it (it is not at {folder})")
    return folder


def available() -> bool:
    """Whether sets can be built here."""
    said = os.environ.get("TAKEPRINT_DATA")
    folder = Path(said) if said else Path(__file__).resolve().parents[3] / "shared" / "data"
    return installed() is not None and folder.is_dir()


# --- notes ---------------------------------------------------------------------------------------------------------


class Uncut:
    """Whether notes keep what comes before their onset; set by `make` for ``_uncut`` sets."""

    now = False


def laid(time_s: float, sound: np.ndarray, *about, gain: float = 1.0, **more) -> Note:
    """Return a note whose onset falls on ``time_s``."""
    if not Uncut.now:
        return Note(time_s, gain * cut(sound), *about, **more)
    first = min(first_loud(sound), int(0.05 * RATE))
    begin = first_loud(sound) - first
    place = round(time_s * RATE) - first
    return Note(place / RATE, gain * sound[begin:], *about, truth_s=first / RATE, **more)


def strength(velocity: float) -> tuple[float, float]:
    """Return gain and low-pass (Hz) of a stroke: softer is duller."""
    return (velocity / 127) ** 1.2, 2500 * 7 ** (velocity / 127)


def drum_note(time_s: float, kit: int, key: int, velocity: float, rng: np.random.Generator, **more) -> Note:
    """Return one drum hit; no two are alike."""
    name = next(n for n, keys in DRUMS.items() if key in keys)
    gain, cutoff = strength(velocity)
    sound = soundfont().note(128, kit, GENERAL_MIDI.get(key, key), 100, 2.0, cents=int(5 * rng.integers(-4, 5)))
    cutoff *= rng.uniform(0.85, 1.15)
    return laid(time_s, faded(duller(sound, cutoff), 1.5, 0.45), name, "percussive", np.nan, gain=gain, **more)


@cache
def recorded(folder: str, pattern: str) -> tuple[tuple[str, np.ndarray], ...]:
    """Return (name, samples) of recordings in the shared data, peak 1."""
    import soundfile

    out = []
    for path in sorted((shared() / folder).glob(pattern)):
        samples, rate = soundfile.read(path, always_2d=True)
        if rate != RATE:
            raise SystemExit(f"{path.name} is at {rate} Hz, not at {RATE}")
        out.append((path.stem, samples.mean(1) / np.abs(samples.mean(1)).max()))
    if not out:
        raise SystemExit(f"the shared data has no {folder}/{pattern}")
    return tuple(out)


def half(items: tuple, fold: int) -> tuple:
    """Return every other item."""
    return items[fold::2]


def key_of(stem: str) -> int:
    """Return the MIDI key of a file named like ``eb4_mf_rr1``."""
    found = re.match(r"([a-g]b?)(\d)", stem)
    assert found is not None
    return 12 + 12 * int(found[2]) + PITCHES[found[1]]


@cache
def keys_of(bank: int, program: int, low: int, high: int, fold: int) -> tuple[int, ...]:
    """Return the keys whose sample belongs to a fold."""
    font = soundfont()
    sources = sorted({font.source(bank, program, k) for k in range(low, high)})
    mine = set(sources[fold::2])
    return tuple(k for k in range(low, high) if font.source(bank, program, k) in mine)


def pluck(program: int, key: int, velocity: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a plucked note of the sound font, at least ``seconds`` long."""
    sound = soundfont().note(0, program, key, velocity, np.ceil(seconds + 0.1), cents=int(4 * rng.integers(-2, 3)))
    return duller(sound, strength(velocity)[1])


# --- sets ----------------------------------------------------------------------------------------------------------


def drums_solo(rng: np.random.Generator, fold: int) -> Sound:
    """Single hits of three drums on a grid of 250 ms with planted jitter of 7.6 ms sd; grid_s holds the grid."""
    notes, kit = [], KITS[fold][0]
    kinds = [("kick", 36), ("snare", 38), ("hat", 42)]
    for i in range(358):
        if i % 120 == 0:
            kit = KITS[fold][i // 120 % len(KITS[fold])]
        name, key = kinds[int(rng.integers(3))]
        grid = 0.5 + 0.25 * i
        when = grid + np.clip(rng.normal(0, 0.0076), -0.02, 0.02)
        hit = drum_note(when, kit, key, rng.uniform(35, 127), rng, grid_s=grid)
        hit.samples = faded(hit.samples, 0.15 + (0.05 if name != "hat" else 0.0), 0.03)
        notes.append(hit)
    return mixed(notes, [])


def performances(fold: int) -> list[Path]:
    """Return groove performances of a fold's drummers, the beats of at least 20 s."""
    import csv

    with open(shared() / "groove" / "info.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["beat_type"] == "beat" and float(r["duration"]) > 20]
    paths = [shared() / "groove" / r["midi_filename"] for r in rows if r["drummer"] in DRUMMERS[fold]]
    return sorted(p for p in paths if p.exists())


def drums_kit(rng: np.random.Generator, fold: int) -> Sound:
    """Real performances on a kit, four of 20 s, sounds overlapping as they do."""
    import mido

    parts = []
    for number, path in enumerate(rng.choice(np.array(performances(fold), dtype=object), 4, replace=False)):
        kit, now, notes = KITS[fold][number % len(KITS[fold])], 0.3, []
        for message in mido.MidiFile(path):
            now += message.time
            if now > 20:
                break
            known = any(message.note in keys for keys in DRUMS.values()) if message.type == "note_on" else False
            if known and message.velocity >= 20:
                notes.append(drum_note(now, kit, message.note, message.velocity, rng))
        if notes:
            parts.append(mixed(notes, []))
    return joined(parts)


def guitar_note(when: float, length_s: float, rng: np.random.Generator, fold: int) -> Note:
    """Return a note of one of three guitars."""
    which = ("emily", "emily", "steel", "nylon")[int(rng.integers(4))]
    velocity = int(rng.integers(50, 127))
    gain, cutoff = strength(velocity)
    if which == "emily":
        notes = half(recorded("emilyguitar/notes", "*.wav"), fold)
        stem, sound = notes[int(rng.integers(len(notes)))]
        sound, key = duller(sound, cutoff), key_of(stem)
    else:
        program = {"nylon": 24, "steel": 25}[which]
        key = int(rng.choice(keys_of(0, program, 40, 80, fold)))
        sound = pluck(program, key, velocity, length_s, rng)
    return laid(when, faded(sound, length_s, 0.04), which, "plucked", float(key), gain=gain)


def guitar_line(rng: np.random.Generator, fold: int) -> Sound:
    """Single notes of three guitars, ringing a little into each other, with 24 squeaks between them."""
    notes, noises, at = [], [], 0.5
    squeaks = half(recorded("emilyguitar/noises", "fingering*.wav") + recorded("emilyguitar/noises", "pickrest*.wav")
                   + recorded("emilyguitar/release", "*_rr1.wav"), fold)  # fmt: skip
    with_squeak = set(rng.choice(172, 24, replace=False).tolist())
    for i in range(173):
        step = float(rng.choice([0.2, 0.25, 0.3, 0.4, 0.5])) if i not in with_squeak else 0.5
        notes.append(guitar_note(at + rng.normal(0, 0.01), step * rng.uniform(0.7, 1.3), rng, fold))
        if i in with_squeak:
            name, squeak = squeaks[int(rng.integers(len(squeaks)))]
            level = 10 ** (rng.uniform(-32, -16) / 20)
            noises.append(Noise(at + rng.uniform(0.15, 0.35), level * cut(squeak)[: int(0.3 * RATE)], name[:16]))
        at += step
    return mixed(notes, noises)


CHORDS = {
    "E": (40, 47, 52, 56, 59, 64),
    "G": (43, 47, 50, 55, 59, 67),
    "C": (48, 52, 55, 60, 64),
    "D": (50, 57, 62, 66),
    "Am": (45, 52, 57, 60, 64),
    "Em": (40, 47, 52, 55, 59, 64),
    "F": (41, 48, 53, 57, 60, 65),
}


def guitar_strum(rng: np.random.Generator, fold: int) -> Sound:
    """Strummed chords, down and up, 4-14 ms a string: an event is a strum, at its first string."""
    notes, at = [], 0.5
    shift = (0, 1)[fold]
    for i in range(93):
        program = (24, 25)[int(rng.integers(2))]
        chord = list(CHORDS.values())[int(rng.integers(len(CHORDS)))]
        each, velocity = rng.uniform(0.004, 0.014), rng.uniform(60, 120)
        step = float(rng.choice([0.35, 0.5, 0.7]))
        for place, key in enumerate(chord if rng.random() < 0.65 else chord[::-1]):
            own = int(np.clip(velocity + rng.normal(0, 8), 30, 127))
            sound = faded(pluck(program, key + shift, own, 1.1 * step, rng), step * rng.uniform(0.8, 1.1), 0.05)
            when = at + place * each + rng.normal(0, 0.0008) * (place > 0)
            gain = strength(own)[0]
            notes.append(laid(when, sound, "strum", "plucked", float(key + shift), gain=gain, event=i))
        at += step + rng.normal(0, 0.01)
    return mixed(notes, [])


def piano_take(path: Path, rng: np.random.Generator, seconds: float) -> Sound:
    """Return the beginning of a performance on the sound font's piano, the pedal holding notes."""
    import mido

    now, pedal, held, done = 0.3, False, {}, []  # held: key -> (start, velocity, released while the pedal is down)
    for message in mido.MidiFile(path):
        now += message.time
        if now > seconds:
            break
        if message.type == "control_change" and message.control == 64:
            pedal = message.value >= 64
            for key in [k for k, h in held.items() if h[2]] if not pedal else []:
                done.append((*held.pop(key)[:2], key, now))
        elif message.type in ("note_on", "note_off"):
            key = message.note
            if message.type == "note_on" and message.velocity:
                if key in held:
                    done.append((*held.pop(key)[:2], key, now))
                held[key] = (now, message.velocity, False)
            elif key in held and pedal:
                held[key] = (*held[key][:2], True)
            elif key in held:
                done.append((*held.pop(key)[:2], key, now))
    done += [(*h[:2], key, seconds) for key, h in held.items()]
    notes = []
    for start, velocity, key, end in sorted(done):
        gain, cutoff = strength(velocity)
        length = max(end - start, 0.05)
        longest = next((s for s in (0.5, 1.0, 2.0, 4.0) if s > length + 0.1), 8.0)
        sound = soundfont().note(0, 0, key, 80, longest)  # its layers differ by their filters only, which are ours here
        sound = faded(duller(sound, cutoff), length, 0.08)
        notes.append(laid(start, sound, "piano", "struck", float(key), gain=gain))
    return mixed(notes, [])


def piano(rng: np.random.Generator, fold: int) -> Sound:
    """Four real performances, 60 s each; a chord (30 ms) is one event at its first note."""
    players = rng.permutation(np.arange(1, 9) + 8 * fold)[:4]
    pieces = ("Chopin_op38", "Mozart_K331_1st-mov")
    folder = shared() / "vienna4x22" / "midi"
    paths = [folder / f"{pieces[i % 2]}_p{p:02d}.mid" for i, p in enumerate(players)]
    return joined([piano_take(path, rng, 60.0) for path in paths])


def mono_sampled(rng: np.random.Generator, fold: int) -> Sound:
    """Violin, flute, voices and reed of the sound font; a third of the notes crossfade from the one before."""
    parts = []
    for program, name, low, high in ((40, "violin", 56, 90), (73, "flute", 62, 92), (53, "voice", 50, 76)):
        keys = keys_of(0, program, low, high, fold)
        notes, at, key = [], 0.5, int(rng.choice(keys))
        for i in range(30):
            slur = i > 0 and rng.random() < 0.33
            near = [k for k in keys if 0 < abs(k - key) <= 7] or [k for k in keys if k != key]
            key, length = int(rng.choice(near)), float(rng.choice([0.3, 0.45, 0.6, 0.9]))
            sound = soundfont().note(0, program, key, 90, 2.5)
            fall = rng.uniform(0.04, 0.09)
            level = 10 ** (rng.uniform(-8, 0) / 20)
            if slur:  # enters in its steady state while the other fades; begins in the middle of that
                fade = rng.uniform(0.03, 0.06)
                begin = first_loud(sound) + int(0.2 * RATE)
                ramp = np.clip(np.arange(len(sound) - begin) / (fade * RATE), 0, 1)
                body = faded(sound[begin:] * np.sin(np.pi / 2 * ramp), length, fall)
                notes[-1].samples = faded(notes[-1].samples, at - notes[-1].time_s, fade)
                notes.append(Note(at, level * body, name, "sustained", float(key), "slur", truth_s=0.5 * fade))
            else:
                notes.append(laid(at, faded(sound, length, fall), name, "sustained", float(key), gain=level))
            at += length + (rng.uniform(0.2, 0.6) if rng.random() < 0.3 else 0.0)
        parts.append(mixed(notes, []))
    return joined(parts)


def mono(rng: np.random.Generator, fold: int) -> Sound:
    """Return voice, violin and flute of our synthesis, and the sampled lines, one after another."""
    return joined([*(sung.line(name, rng) for name in sung.MANNERS), mono_sampled(rng, fold)])


def bass(rng: np.random.Generator, fold: int) -> Sound:
    """Fingered, picked and acoustic bass with muted strokes of a real one, and its finger noises between."""
    muted = half(
        recorded("swagbass/noises", "noise_muted[acdg]_*.wav") + recorded("swagbass/noises", "*slap*.wav"), fold
    )
    fingers = half(recorded("swagbass/noises", "noise_fingering*.wav"), fold)
    notes, noises, at = [], [], 0.5
    for i in range(150):
        step = float(rng.choice([0.2, 0.25, 0.3, 0.4]))
        when, velocity = at + rng.normal(0, 0.008), int(rng.integers(55, 127))
        gain, cutoff = strength(velocity)
        if rng.random() < 0.25:
            sound, key = duller(muted[int(rng.integers(len(muted)))][1], cutoff), np.nan
            notes.append(laid(when, faded(sound, step, 0.02), "muted", "plucked", key, gain=gain))
        else:
            program, name = ((33, "fingered"), (34, "picked"), (32, "acoustic"))[int(rng.integers(3))]
            key = float(rng.choice(keys_of(0, program, 28, 56, fold)))
            sound = faded(pluck(program, int(key), velocity, 1.1 * step, rng), step * rng.uniform(0.7, 1.1), 0.04)
            notes.append(laid(when, sound, name, "plucked", key, gain=gain))
        if i % 10 == 9:
            level = 10 ** (rng.uniform(-34, -20) / 20)
            noise = cut(fingers[int(rng.integers(len(fingers)))][1])[: int(0.25 * RATE)]
            noises.append(Noise(at + 0.6 * step, level * noise, "fingering"))
            at += 0.15
        at += step
    return mixed(notes, noises)


BUILDERS: dict[str, Callable[[np.random.Generator, int], Sound]] = {
    "drums_solo": drums_solo,
    "drums_kit": drums_kit,
    "guitar_line": guitar_line,
    "guitar_strum": guitar_strum,
    "piano": piano,
    "mono": mono,
    "mono_voice": lambda rng, fold: sung.line("voice", rng),
    "mono_violin": lambda rng, fold: sung.line("violin", rng),
    "mono_flute": lambda rng, fold: sung.line("flute", rng),
    "mono_sampled": mono_sampled,
    "bass": bass,
}
NEIGHBOURS = {"drums_kit": "bass", "drums_solo": "guitar_line"}  # who bleeds into a microphone; guitar_line elsewhere
RATES = {"8k": 8_000, "22k": 22_050, "96k": 96_000}


def names() -> list[str]:
    """Return the names of the plain sets."""
    return list(BUILDERS)


def make(name: str, seed: int = 0, fold: int = 0) -> Sound:
    """Return a set, from the cache in the system's temporary folder where it is there."""
    path = _folder() / f"{name}-{seed}-{fold}-{_code()}.npz"
    if not path.exists():
        sound = _made(name, seed, fold)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            tables = {f.name: getattr(sound, f.name) for f in fields(Sound)}
            np.savez(file, **{**tables, "samples": sound.samples.astype(np.float32)})
        os.replace(part, path)
        for old in path.parent.glob(f"{name}-{seed}-{fold}-*.npz"):
            if old != path:  # made by other code
                old.unlink(missing_ok=True)
    with np.load(path) as stored:
        tables = {k: stored[k] for k in stored.files}
    return Sound(tables.pop("samples").astype(np.float64), int(tables.pop("rate")), **tables)


def _made(name: str, seed: int, fold: int) -> Sound:
    stem, _, ending = name.rpartition("_")
    if ending not in ("live", "bleed", "raw", "uncut", *RATES):
        stem, ending = name, ""
    if stem not in BUILDERS:
        raise SystemExit(f"no set is called {name!r}; there are {', '.join(BUILDERS)}")
    # a set and its variants hold the same notes, so the stem alone seeds them
    rng = np.random.default_rng([seed, fold, zlib.crc32(stem.encode())])
    Uncut.now = ending == "uncut"
    try:
        raw = BUILDERS[stem](rng, fold)
    finally:
        Uncut.now = False
    place = np.random.default_rng([seed, fold, zlib.crc32(name.encode())])
    if ending == "raw":
        return raw
    if ending == "live":
        return rooms.live(raw, place)
    if ending == "bleed":
        other = NEIGHBOURS.get(stem, "drums_solo" if stem.startswith("guitar") else "guitar_line")
        raw = rooms.bleeding(raw, _made(f"{other}_raw", seed + 1, fold))
    sound = rooms.dry(raw, place)
    return rooms.at_rate(sound, RATES[ending]) if ending in RATES else sound


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"takeprint-accuracy-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@cache
def _code() -> str:
    """Return a hash of the code that makes the sets."""
    here = Path(__file__).parent
    text = b"".join((here / f"{n}.py").read_bytes() for n in ("soundfont", "mixing", "rooms", "sung", "sets"))
    return hashlib.sha256(text).hexdigest()[:12]
