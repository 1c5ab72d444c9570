"""Written music played, rendered sample-exactly, with the truth about every written note.

`invented` makes up music of many textures (what is fitted on), `vienna` renders real pianists of Vienna 4x22 through
their match files and `drumming` real drummers of Groove (what is measured on; nothing derived from these ships). Some
written notes are left out and some are played that are not written. The warp that a scene gives is the truth with
the wander of a coarse alignment: some 25 ms, slow, and some jitter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import place_scenes
import rooms
import sets
from mixing import RATE, Note, faded, mixed
from soundfont import soundfont

from takeprint.core.notes import Notes

# Programs of General MIDI with the keys that sound natural: to fit on, and others to check on.
FITTED = ((0, 24, 100), (0, 24, 100), (0, 24, 100), (3, 28, 96), (4, 30, 90), (24, 40, 80), (26, 40, 80),
          (46, 30, 92), (12, 45, 90), (105, 48, 79))  # fmt: skip
OTHERS = {"piano": 0, "bright piano": 1, "harpsichord": 6, "steel guitar": 25, "vibraphone": 11}
_SNOTE = re.compile(
    r"snote\(([^,]*),\[([A-G]),([^\]]*)\],(-?\d+),[^,]*,[^,]*,[^,]*,(-?[\d.]+),(-?[\d.]+),\[([^\]]*)\]\)"
)
_NOTE = re.compile(r"note\(([^,]*),(\d+),(-?\d+),(-?\d+),(\d+),")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"n": 0, "#": 1, "b": -1, "x": 2, "##": 2, "bb": -2}


@dataclass(frozen=True, eq=False)
class Scene:
    """A recording with what was written.

    ``onset_s`` is the truth of every row of ``score`` (NaN: left out), ``added_s`` that of notes that are not written.
    """

    score: Notes
    samples: np.ndarray
    rate: int
    onset_s: np.ndarray
    added_s: np.ndarray
    name: str

    def warp(self, rng: np.random.Generator, wander_ms: float = 25.0, jitter_ms: float = 6.0) -> KnotWarp:
        """Return the truth as a coarse alignment would tell it."""
        known = np.isfinite(self.onset_s)
        at = np.unique(self.score.onset_s[known])
        mean = np.array([self.onset_s[known & (self.score.onset_s == t)].mean() for t in at])
        knots = np.arange(mean[0] - 2.0, mean[-1] + 2.0, 0.75)
        slow = np.interp(mean, knots, wander_ms / 1000 * rng.normal(0, 1, len(knots)))
        moved = mean + slow + jitter_ms / 1000 * rng.normal(0, 1, len(mean))
        for i in range(1, len(moved)):
            moved[i] = max(
                moved[i], moved[i - 1] + 0.3 * min(at[i] - at[i - 1], mean[i] - mean[i - 1]), moved[i - 1] + 1e-3
            )
        return KnotWarp(at, moved)


@dataclass(frozen=True, eq=False)
class KnotWarp:
    """The part of a warp that listening needs."""

    reference_s: np.ndarray
    time_s: np.ndarray
    transposition_cents: float = 0.0

    @property
    def part(self) -> np.ndarray:
        return np.zeros(len(self.reference_s), dtype=np.int64)

    def take_at(self, reference_s: np.ndarray) -> np.ndarray:
        from takeprint.core.timeline import through_knots

        return through_knots(self.reference_s, self.time_s, reference_s)


@dataclass
class Played:
    """A note as played; ``row`` is its written note, -1 for none."""

    onset_s: float
    end_s: float
    key: int
    velocity: float
    row: int


def sounding(
    played: list[Played], program: int, pedal: list[tuple[float, bool]] = (), rng: np.random.Generator | None = None
) -> list[Note]:
    """Return notes to mix: held while the pedal is down, ended by the same key's next."""
    notes = []
    ups = [t for t, down in pedal if not down]
    downs = [t for t, down in pedal if down]
    following: dict[int, float] = {}
    for p in sorted(played, key=lambda p: -p.onset_s):
        end = p.end_s
        last_down = max((t for t in downs if t <= end), default=-np.inf)
        if last_down > max((t for t in ups if t <= end), default=-np.inf):
            end = min((t for t in ups if t > end), default=end + 4.0)
        end = min(end, following.get(p.key, np.inf))
        following[p.key] = p.onset_s
        gain, cutoff = sets.strength(p.velocity)
        length = min(max(end - p.onset_s, 0.05), 7.5)
        longest = next((s for s in (0.5, 1.0, 2.0, 4.0) if s > length + 0.1), 8.0)
        if program < 0 and rng is not None:
            sound = place_scenes.own_tone(p.key, rng)
        else:
            sound = soundfont().note(0, program, p.key, 80, longest)
        sound = faded(sets.duller(sound, cutoff), length, 0.08)
        if len(sound) and np.abs(sound).max() > 0:
            notes.append(sets.laid(p.onset_s, sound, str(p.row), "struck", float(p.key), gain=gain))
    return notes


def rendered(score: Notes, played: list[Played], program: int, pedal, condition: str, rng, name: str) -> Scene:
    """Mix what is played, in a room."""
    sound = mixed(sounding(played, program, pedal, rng), [])
    if condition == "live":
        sound = rooms.live(sound, rng)
    elif condition == "dry":
        sound = rooms.dry(sound, rng)
    truth, added = np.full(len(score), np.nan), []
    for p in played:
        if p.row >= 0:
            truth[p.row] = round(p.onset_s * RATE) / RATE
        else:
            added.append(round(p.onset_s * RATE) / RATE)
    return Scene(score, sound.samples, sound.rate, truth, np.sort(np.array(added)), name)


# --- invented music ------------------------------------------------------------------------------------------------


def invented(
    rng: np.random.Generator, fold: int, seconds: float = 30.0, condition: str | None = None, own: float = 0.2
) -> Scene:
    """Return music of chance: melodies, broken and block chords, repeated notes and trills, with or without pedal.

    A share of ``own`` is played by strings of our own synthesis, no two alike.
    """
    program, low, high = FITTED[int(rng.integers(len(FITTED)))]
    if rng.random() < own:
        program = -1
    keys = np.array(sets.keys_of(0, program, low, high, fold) if program >= 0 else range(low, high))
    score, melody = composed(rng, keys, seconds)
    played, pedal = _performed(score.onset_s, score.duration_s, score.pitch.astype(int), melody, keys, rng)
    said = condition or str(rng.choice(["dry", "live", "raw"], p=[0.45, 0.4, 0.15]))
    return rendered(score, played, program, pedal, said, rng, f"program {program} {said}")


def invented_twice(rng: np.random.Generator, fold: int, seconds: float = 30.0) -> tuple[Scene, Scene]:
    """Return one music of chance played twice, by two hands in two rooms, half of the time on two instruments."""
    chosen = FITTED[int(rng.integers(len(FITTED)))]
    other = chosen if rng.random() < 0.5 else FITTED[int(rng.integers(len(FITTED)))]
    low, high = max(chosen[1], other[1]), min(chosen[2], other[2])
    keys = np.array(sets.keys_of(0, chosen[0], low, high, fold))
    score, melody = composed(rng, keys, seconds)
    scenes = []
    for program in (chosen[0], other[0]):
        played, pedal = _performed(score.onset_s, score.duration_s, score.pitch.astype(int), melody, keys, rng)
        said = str(rng.choice(["dry", "live"]))
        scenes.append(rendered(score, played, program, pedal, said, rng, f"program {program} {said}"))
    return scenes[0], scenes[1]


def composed(rng: np.random.Generator, keys: np.ndarray, seconds: float) -> tuple[Notes, np.ndarray]:
    """Return written music of chance, and which of its notes are a melody's."""
    written: list[tuple[float, float, int, bool]] = []
    at = 0.0
    while at < seconds:
        texture = int(rng.choice(6, p=[0.2, 0.2, 0.25, 0.15, 0.1, 0.1]))
        beat, scale = rng.uniform(0.25, 0.9), rng.choice(12, 7, replace=False)
        tuned = keys[np.isin(keys % 12, scale)]
        if not len(tuned):
            continue
        written += _passage(texture, at, beat, tuned, rng)
        at = max(w[0] for w in written) + beat
    written = sorted({(round(t, 6), k): (round(t, 6), d, int(k), m) for t, d, k, m in written}.values())
    onset, duration, pitch, melody = (np.array(c) for c in zip(*written, strict=True))
    return Notes.build(onset_s=onset, duration_s=duration, pitch=pitch.astype(float)), melody


def _passage(texture: int, at: float, beat: float, keys: np.ndarray, rng) -> list[tuple[float, float, int, bool]]:
    """Return (onset_s, duration_s, key, is melody) of a few bars in one texture."""
    middle = float(rng.uniform(keys.min(), keys.max()))

    def near(where: float, spread: float = 5.0) -> int:
        return int(keys[np.argmin(np.abs(keys - rng.normal(where, spread)))])

    out: list[tuple[float, float, int, bool]] = []
    if texture == 0:  # chords
        for i in range(int(rng.integers(3, 8))):
            size, step = int(rng.integers(2, 7)), float(rng.choice([1, 1, 2]))
            chosen = {near(middle, 12.0) for _ in range(size)}
            out += [(at + i * 2 * beat, step * beat, k, k == max(chosen)) for k in chosen]
    elif texture == 1:  # a melody over broken chords
        figure = [near(min(middle, 62) - 12, 6.0) for _ in range(int(rng.integers(3, 7)))]
        for i in range(int(rng.integers(8, 24))):
            out.append((at + i * beat / 2, beat / 2, figure[i % len(figure)], False))
            if i % 2 == 0:
                out.append((at + i * beat / 2, beat, near(middle + 8, 4.0), True))
    elif texture == 2:  # voices
        for voice in range(int(rng.integers(2, 5))):
            where, when = middle - 9 * voice + 9, at
            while when < at + 6 * beat:
                length = float(rng.choice([0.5, 1, 1, 2])) * beat
                where = float(near(where, 2.5))
                out.append((when, length, int(where), voice == 0))
                when += length
    elif texture == 3:  # runs
        where = middle
        for i in range(int(rng.integers(8, 24))):
            where = near(where + rng.choice([-2, 2]), 1.0)
            out.append((at + i * beat / 4 if beat > 0.4 else at + i * beat / 2, beat / 4, int(where), True))
    elif texture == 4:  # repeated notes and chords
        chosen = sorted({near(middle, 7.0) for _ in range(int(rng.integers(1, 4)))})
        for i in range(int(rng.integers(4, 12))):
            out += [(at + i * beat / 2, beat / 2, k, k == chosen[-1]) for k in chosen]
    else:  # a trill over a chord
        lower = near(middle)
        upper = int(keys[min(int(np.searchsorted(keys, lower)) + 1, len(keys) - 1)])
        step = rng.uniform(0.06, 0.12)
        out += [(at + i * step, step, (lower, upper)[i % 2], True) for i in range(int(rng.integers(8, 20)))]
        out += [(at, 4 * beat, near(middle - 14, 5.0), False) for _ in range(3)]
    return out


def _performed(onset, duration, pitch, melody, keys, rng) -> tuple[list[Played], list[tuple[float, bool]]]:
    """Return the notes as played, some left out and some added, and the pedal."""
    knots = np.arange(onset.min() - 2, onset.max() + 4, 1.5)
    tempo = np.cumsum(1.5 * np.exp(0.12 * rng.normal(0, 1, len(knots))))
    when = 0.5 + np.interp(onset, knots, tempo) - np.interp(onset.min(), knots, tempo)
    lead, spread, loose = -0.06 * rng.random() ** 1.5, rng.uniform(0.002, 0.018), rng.uniform(0.002, 0.012)
    middle, width = rng.uniform(45, 90), rng.uniform(4, 14)
    missing = rng.choice([0.05, 0.2])
    per_chord: dict[float, tuple[float, float]] = {}
    played, length = [], rng.uniform(0.4, 1.1)
    for row in np.lexsort((pitch, onset)):
        shift, rolled = per_chord.setdefault(
            float(onset[row]), (loose * rng.normal(), rng.uniform(0.01, 0.06) if rng.random() < 0.08 else 0.0)
        )
        place = int(((onset == onset[row]) & (pitch < pitch[row])).sum())
        t = when[row] + shift + rolled * place + spread * rng.normal() + (lead if melody[row] and not rolled else 0.0)
        velocity = np.clip(rng.normal(middle + 12 * bool(melody[row]), width), 15, 125)
        if rng.random() < missing:
            if rng.random() < 0.3:  # another key instead
                other = int(rng.choice(keys[np.abs(keys - pitch[row]) <= 3]))
                if other != pitch[row] and not ((onset == onset[row]) & (pitch == other)).any():
                    played.append(Played(t, t + duration[row] * length, other, velocity, -1))
            continue
        played.append(Played(max(t, 0.2), t + max(duration[row] * length, 0.06), int(pitch[row]), velocity, int(row)))
    pedal: list[tuple[float, bool]] = []
    if rng.random() < 0.5:
        end, t = max(p.end_s for p in played), 0.4
        while t < end:
            held = rng.uniform(0.5, 3.0)
            pedal += [(t, True), (t + held, False)]
            t += held + rng.uniform(0.03, 0.3)
    return played, pedal


# --- real players --------------------------------------------------------------------------------------------------


def matched(path: Path) -> tuple[Notes, list[Played], list[tuple[float, bool]]]:
    """Read a match file of version 1: the score at 100 beats a minute, what was played and the pedal."""
    rate, written, played, pedal = 1.0, [], [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("info(midiClockUnits"):
            units = float(re.findall(r"[\d.]+", line)[0])
        elif line.startswith("info(midiClockRate"):
            rate = float(re.findall(r"[\d.]+", line)[0]) / 1e6 / units
        elif line.startswith("sustain("):
            tick, value = re.findall(r"-?\d+", line)[:2]
            down = int(value) >= 64
            if not pedal or pedal[-1][1] != down:
                pedal.append((int(tick) * rate + 0.5, down))
        said, heard = (
            _SNOTE.match(line),
            _NOTE.search(line.split(")-")[-1]) if "note(" in line.split(")-")[-1] else None,
        )
        if line.startswith("insertion-"):
            heard = _NOTE.search(line)
        row = -1
        if said:
            _, step, sign, octave, onset, offset, attributes = said.groups()
            if "grace" in attributes:
                said = None
            else:
                key = 12 * (int(octave) + 1) + _STEPS[step] + _SIGNS[sign]
                row = len(written)
                written.append((float(onset), float(offset) - float(onset), key))
        if heard:
            _, key, on, off, velocity = heard.groups()
            begin, end = int(on) * rate + 0.5, int(off) * rate + 0.5
            played.append(Played(begin, end, int(key), float(velocity), row))
    # Two voices that share a note share one sound: it is one row, as long as the longer.
    table = np.array(written, dtype=float)
    _, first, back = np.unique(np.round(table[:, [0, 2]], 4), axis=0, return_index=True, return_inverse=True)
    onset, duration, pitch = table[first].T
    np.maximum.at(duration, back, table[:, 1])
    for p in played:
        p.row = int(back[p.row]) if p.row >= 0 else -1
    score = Notes.build(onset_s=0.6 * (onset - onset.min()), duration_s=0.6 * duration, pitch=pitch)
    return score, played, pedal


def vienna(
    piece: str, pianist: int, program: int = 0, condition: str = "dry", seed: int = 0, missing: float = 0.04,
    folder: Path | None = None,
) -> Scene:  # fmt: skip
    """Render a pianist of Vienna 4x22 with some written notes left out."""
    rng = np.random.default_rng([seed, pianist, program, len(piece)])
    where = folder or sets.shared() / "vienna4x22" / "match"
    score, played, pedal = matched(where / f"{piece}_p{pianist:02d}.match")
    low, high = (0, 127) if program != 25 else (28, 100)
    played = [p for p in played if p.row < 0 or rng.random() >= missing]
    for p in played:
        p.key = int(np.clip(p.key, low, high))
    return rendered(score, played, program, pedal, condition, rng, f"{piece} p{pianist:02d} {program} {condition}")


def invented_drums(rng: np.random.Generator, fold: int, seconds: float = 30.0, condition: str | None = None) -> Scene:
    """Return a beat of chance on a grid of sixteenths, played loosely: each hand and foot has its own time."""
    sixteenth, steps = rng.uniform(0.1, 0.19), 32
    chance = {36: 0.35, 38: 0.25, 42: 0.6, 46: 0.06, 49: 0.04, 45: 0.08, 51: 0.1}
    pattern = {key: rng.random(steps) < share * rng.uniform(0.6, 1.4) for key, share in chance.items()}
    late = {key: rng.normal(0, 0.006) for key in chance}
    loose, kit = rng.uniform(0.003, 0.012), sets.KITS[fold][int(rng.integers(len(sets.KITS[fold])))]
    written, truth, notes = [], [], []
    for step in range(int(seconds / sixteenth)):
        for key in chance:
            if pattern[key][step % steps] != (rng.random() < 0.05):
                t = round((0.5 + step * sixteenth + late[key] + loose * rng.normal()) * RATE) / RATE
                written.append((step * sixteenth, float(key)))
                played = rng.random() >= 0.04
                truth.append(t if played else np.nan)
                if played:
                    notes.append(sets.drum_note(t, kit, key, float(np.clip(rng.normal(85, 20), 25, 127)), rng))
    sound, said = mixed(notes, []), condition or str(rng.choice(["dry", "live"]))
    sound = rooms.live(sound, rng) if said == "live" else rooms.dry(sound, rng)
    onset, key = np.array(written).T
    score = Notes.build(
        onset_s=onset, duration_s=np.full(len(onset), sixteenth), pitch=key, channel=np.full(len(onset), 9)
    )
    return Scene(score, sound.samples, sound.rate, np.array(truth), np.zeros(0), f"invented drums {kit} {said}")


def drumming(path: Path, fold: int, seed: int = 0, condition: str = "dry", seconds: float = 30.0) -> Scene:
    """Render a drummer of Groove; what is written is the nearest sixteenth of the take's own tempo."""
    import mido

    rng = np.random.default_rng([seed, fold, len(path.stem)])
    file = mido.MidiFile(path)
    tempo = next((m.tempo for track in file.tracks for m in track if m.type == "set_tempo"), 500_000) / 1e6
    now, strokes = 0.0, []
    for message in file:
        now += message.time
        if now > seconds:
            break
        known = any(message.note in keys for keys in sets.DRUMS.values()) if message.type == "note_on" else False
        if known and message.velocity >= 20:
            strokes.append((now, sets.GENERAL_MIDI.get(message.note, message.note), message.velocity))
    sixteenth = tempo / 4.0
    written = sorted({(round(t / sixteenth) * sixteenth, key) for t, key, _ in strokes})
    row_of = {w: i for i, w in enumerate(written)}
    kit, truth, notes, added = sets.KITS[fold][seed % len(sets.KITS[fold])], np.full(len(written), np.nan), [], []
    for t, key, velocity in strokes:
        row = row_of[(round(t / sixteenth) * sixteenth, key)]
        if np.isfinite(truth[row]):  # a second stroke in the same sixteenth is not written
            added.append(t + 0.3)
        elif rng.random() < 0.04:
            continue
        else:
            truth[row] = round((t + 0.3) * RATE) / RATE
        notes.append(sets.drum_note(t + 0.3, kit, key, velocity, rng))
    sound = mixed(notes, [])
    sound = rooms.live(sound, rng) if condition == "live" else rooms.dry(sound, rng)
    onset, key = (np.array(c, dtype=float) for c in zip(*written, strict=True))
    score = Notes.build(
        onset_s=onset, duration_s=np.full(len(onset), sixteenth), pitch=key, channel=np.full(len(onset), 9)
    )
    return Scene(score, sound.samples, sound.rate, truth, np.array(added), f"drums {path.stem[:18]} {condition}")
