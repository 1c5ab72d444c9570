"""Two recordings of the same music with the truth of which moment is which, rendered sample-exactly.

`pianists` pairs real pianists of one excerpt of Vienna 4x22: the truth is, for every written onset that both play, the
first sound on either side of the notes that both play. `drummers` holds a real drummer of Groove against the same
beat on its grid, `guitars` a line against the same line by another hand on another guitar; there every event is known.
A side is ``studio`` (dry room, noise at -66 dB) or ``live`` (reverberation of 1.1 s, noise 26 dB below, MP3).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rooms
import sets
from mixing import RATE, Note, Sound, faded, mixed
from score_scenes import Played, sounding
from truth import Truth, half, vienna

LEAD_S = 0.5


@dataclass(frozen=True, eq=False)
class Pair:
    """Two recordings; ``truth`` [shape=(n, 2)] are seconds of the reference and of the take, in order of the first."""

    name: str
    reference: np.ndarray
    take: np.ndarray
    truth: np.ndarray
    reference_rate: int = RATE
    take_rate: int = RATE


def pairs_of(fold: int) -> list[tuple[Truth, Truth]]:
    """Return eight pairs of pianists of a fold, four of each excerpt: reference, take."""
    takes = half(vienna(), fold)
    out = []
    for piece in sorted({t.piece for t in takes}):
        own = [t for t in takes if t.piece == piece]
        out += list(zip(own[::2], own[1::2], strict=True))
    return out


def pianists(reference: Truth, take: Truth, condition: str = "studio", **more) -> Pair:
    """Render two pianists; ``more`` changes the take: ``program``, ``stretch``, ``keys`` (transposed by so many).

    ``live`` is a live take, on another instrument, of a studio reference; ``stage`` are two live ones.
    """
    live = condition != "studio"
    y, own = _rendered(reference, 0, "live" if condition == "stage" else "studio")
    z, other = _rendered(take, more.pop("program", 2 if live else 0), "live" if live else "studio", **more)
    return Pair(f"{reference.name} {take.name[-3:]}", y, z, first_common(reference, take, own, other))


def first_common(reference: Truth, take: Truth, reference_s: np.ndarray, take_s: np.ndarray) -> np.ndarray:
    """Return the first sound on either side of the notes of every written onset that both play."""
    ours, theirs = dict(reference.pairs.tolist()), dict(take.pairs.tolist())
    common = np.array(sorted(ours.keys() & theirs.keys()))
    beat = np.round(reference.score.onset_beat[common], 4)
    out = []
    for place in np.unique(beat):
        rows = common[beat == place]
        out.append((min(reference_s[ours[r]] for r in rows), min(take_s[theirs[r]] for r in rows)))
    return np.array(sorted(out))


def _rendered(
    truth: Truth, program: int, condition: str, stretch: float = 1.0, keys: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return samples, and when each note of the take begins."""
    onset_s = np.round((truth.take.onset_s * stretch + LEAD_S) * RATE) / RATE
    path = _cache() / f"{truth.name}-{program}-{condition}-{stretch}-{keys}.npy"
    if not path.exists():
        notes = [
            Played(at, at + length * stretch, int(key) + keys, float(velocity), row)
            for row, (at, length, key, velocity) in enumerate(
                zip(onset_s, truth.take.duration_s, truth.take.pitch, truth.take.velocity, strict=True)
            )
        ]
        pedal = [(t * stretch + LEAD_S, down) for t, down in _pedal(truth.midi)]
        sound = mixed(sounding(notes, program, pedal), [])
        _store(path, _heard(sound, condition, path.name))
    return np.load(path).astype(np.float64), onset_s


def _heard(sound: Sound, condition: str, name: str) -> np.ndarray:
    """Return a mix as a side of a pair."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return (rooms.live if condition == "live" else rooms.dry)(sound, rng).samples


def on_tape(pair: Pair, cents: float) -> Pair:
    """Return the pair with its take played so much higher, and faster with it."""
    from soundfont import resampled

    step = 2 ** (cents / 1200)
    truth = pair.truth.copy()
    truth[:, 1] /= step
    return replace(pair, take=resampled(pair.take, step), truth=truth)


def introduced(pair: Pair, intro: np.ndarray, seconds: float) -> Pair:
    """Return the pair with other music before its take."""
    begin = intro[: round(seconds * RATE)]
    truth = pair.truth.copy()
    truth[:, 1] += len(begin) / RATE
    return replace(pair, take=np.concatenate([begin, pair.take]), truth=truth)


def in_stereo(pair: Pair) -> Pair:
    """Return the pair with a take of two channels, the second one softer and 0.4 ms later."""
    late = round(0.0004 * RATE)
    other = 0.5 * np.concatenate([np.zeros(late), pair.take[:-late]])
    return replace(pair, take=np.stack([pair.take, other]))


def drummers(fold: int, number: int) -> Pair:
    """Return a drummer's take, live, against the same beat on its grid of sixteenths in the studio, on another kit."""
    import csv
    import re

    import mido

    path = sets.performances(fold)[number]
    with open(sets.shared() / "groove" / "info.csv", newline="") as file:
        bpm = next(float(r["bpm"]) for r in csv.DictReader(file) if path.as_posix().endswith(r["midi_filename"]))
    rng = np.random.default_rng([fold, number])
    line_s, now, events, hits = 15.0 / bpm, 0.0, {}, {"studio": [], "live": []}
    for message in mido.MidiFile(path):
        now += message.time
        known = message.type == "note_on" and message.velocity >= 20
        if now > 60 or not known or not any(message.note in keys for keys in sets.DRUMS.values()):
            continue
        line = round(now / line_s)
        at = round((now + LEAD_S) * RATE) / RATE
        hits["live"].append(sets.drum_note(at, sets.KITS[fold][0], message.note, message.velocity, rng))
        if (line, message.note) not in events:
            grid_s = round((line * line_s + LEAD_S) * RATE) / RATE
            hits["studio"].append(sets.drum_note(grid_s, sets.KITS[fold][1], message.note, 90, rng))
            events[line, message.note] = (grid_s, at)
    truth: dict[int, tuple[float, float]] = {}
    for (line, _), (grid_s, at) in events.items():
        truth[line] = (grid_s, min(at, truth.get(line, (0.0, np.inf))[1]))
    sides = {k: _heard(mixed(v, []), k, f"{path.stem}-{k}") for k, v in hits.items()}
    told = np.array(sorted(truth.values()))
    told = told[np.concatenate([[True], np.diff(told[:, 1]) > 0])]
    return Pair(re.sub("_beat.*", "", path.stem), sides["studio"], sides["live"], told)


def guitars(fold: int, seed: int) -> Pair:
    """Return a line on a nylon guitar, live, against the same on a steel one: another tempo, 12 ms of play, slips."""
    rng = np.random.default_rng([fold, seed, 7])
    keys = sorted(set(sets.keys_of(0, 24, 45, 76, fold)) & set(sets.keys_of(0, 25, 45, 76, 0)) or range(50, 70))
    n = 140
    step = rng.choice([0.15, 0.2, 0.3, 0.4, 0.6], n)
    reference_s = LEAD_S + np.cumsum(step) - step[0]
    pitch = [int(keys[k]) for k in np.cumsum(rng.integers(-3, 4, n)) % len(keys)]
    take_s = LEAD_S + 0.94 * (reference_s - LEAD_S) + 0.15 * np.sin(reference_s / 7) + 0.15 + rng.normal(0, 0.012, n)
    played = rng.random(n) > 0.04
    sides = []
    for program, at, which, condition in (
        (25, reference_s, np.ones(n, bool), "studio"), (24, take_s, played, "live"),
    ):  # fmt: skip
        notes = []
        for i in np.flatnonzero(which):
            sound = faded(sets.pluck(program, pitch[i], int(rng.integers(60, 120)), 1.5, rng), step[i] * 1.1, 0.04)
            notes.append(Note(round(at[i] * RATE) / RATE, sets.cut(sound), "guitar", "plucked", float(pitch[i])))
        sides.append(_heard(mixed(notes, []), condition, f"guitars-{fold}-{seed}-{condition}"))
    both = np.flatnonzero(played)
    return Pair(f"guitars {seed}", *sides, np.round(np.stack([reference_s, take_s], 1)[both] * RATE) / RATE)


def _pedal(path: Path) -> list[tuple[float, bool]]:
    import mido

    now, out = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "control_change" and message.control == 64:
            down = message.value >= 64
            if not out or out[-1][1] != down:
                out.append((now, down))
    return out


def _cache() -> Path:
    here = Path(__file__).parent
    code = b"".join(
        (here / f"{n}.py").read_bytes()
        for n in ("soundfont", "mixing", "rooms", "score_scenes", "recording_scenes", "truth")
    )
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"takeprint-recordings-{user}-{zlib.crc32(code):08x}"
    if not folder.is_dir():
        for old in folder.parent.glob(f"takeprint-recordings-{user}-*"):  # made by other code
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _store(path: Path, samples: np.ndarray) -> None:
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.save(file, samples.astype(np.float32))
    os.replace(part, path)
