"""What a constructed set is: notes laid at exact samples, and the truth about each of them.

Truth is physical: a note begins at the first sample over -40 dB of its own peak. Notes are cut there, so the sample
at which one is mixed in is its onset, exactly. Notes of one event (a chord, a flam, a strum) are one event at the
first of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

RATE = 44_100
TOGETHER_S = 0.03


@dataclass(frozen=True, eq=False)
class Sound:
    """A recording with its truth; times in seconds of the recording, in order.

    ``onset_s, names, kinds`` are events (merged notes; a name is "several" where notes of several names meet), each
    ``note_*`` is a row per note (``note_event``: its event; ``note_how``: "attack", "slur", "consonant";
    ``note_rise_ms``: from the onset to half of the note's peak; ``note_pitch``: MIDI key, NaN where there is none).
    ``noise_*`` are sounds that are no notes (squeaks, consonants). ``maybe_s`` are moments at which an onset counts
    neither way (consonants, the other instrument of a bleed). ``grid_s`` is where an event was meant, NaN where
    nothing was planted. ``f0_*``: the exact fundamental, NaN where nothing has one.
    """

    samples: np.ndarray
    rate: int
    onset_s: np.ndarray
    names: np.ndarray
    kinds: np.ndarray
    grid_s: np.ndarray
    note_onset_s: np.ndarray
    note_end_s: np.ndarray
    note_name: np.ndarray
    note_pitch: np.ndarray
    note_level_db: np.ndarray
    note_rise_ms: np.ndarray
    note_event: np.ndarray
    note_how: np.ndarray
    noise_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    noise_end_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    noise_name: np.ndarray = field(default_factory=lambda: np.zeros(0, "U16"))
    maybe_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    f0_time_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    f0_hz: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate

    def moved(self, by_s: float) -> dict[str, np.ndarray]:
        """Return every table with its times moved."""
        times = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("samples", "rate")}
        return {k: v + by_s if k.endswith("_s") else v for k, v in times.items()}

    def part(self, begin_s: float, end_s: float) -> Sound:
        """Return a stretch; only what begins inside it is told."""
        first, last = (int(np.clip(round(t * self.rate), 0, len(self.samples))) for t in (begin_s, end_s))
        tables = self.moved(-first / self.rate)
        length_s = (last - first) / self.rate
        inside = (tables["onset_s"] >= 0) & (tables["onset_s"] < length_s)
        new_number = np.cumsum(inside) - 1
        for stem, mask in (
            ("note_", inside[self.note_event]),
            ("noise_", (tables["noise_s"] >= 0) & (tables["noise_s"] < length_s)),
            ("f0_", (tables["f0_time_s"] >= 0) & (tables["f0_time_s"] < length_s)),
            ("maybe_", (tables["maybe_s"] >= 0) & (tables["maybe_s"] < length_s)),
        ):
            tables.update({k: v[mask] for k, v in tables.items() if k.startswith(stem)})
        tables.update({k: tables[k][inside] for k in ("onset_s", "names", "kinds", "grid_s")})
        tables["note_event"] = new_number[tables["note_event"]]
        return Sound(self.samples[first:last], self.rate, **tables)


@dataclass
class Note:
    """One note to mix in: its sound begins with its onset."""

    time_s: float
    samples: np.ndarray
    name: str
    kind: str
    pitch: float = np.nan
    how: str = "attack"
    event: int = -1  # notes of one number are one event; -1: by nearness
    grid_s: float = np.nan
    truth_s: float = 0.0  # where in its sound the note begins, for a slur


@dataclass
class Noise:
    """A sound that is no note; ``counts`` says whether an onset reported at its start is wrong."""

    time_s: float
    samples: np.ndarray
    name: str
    counts: bool = True


def first_loud(sound: np.ndarray) -> int:
    """Return the first sample over -40 dB of the sound's own peak."""
    return int(np.argmax(np.abs(sound) > 0.01 * np.abs(sound).max()))


def cut(sound: np.ndarray) -> np.ndarray:
    """Return the sound from its onset on."""
    return sound[first_loud(sound) :]


def faded(sound: np.ndarray, seconds: float, fade_s: float, rate: int = RATE) -> np.ndarray:
    """Return a sound released after some seconds, fading by half a cosine."""
    out = sound[: int((seconds + fade_s) * rate)].copy()
    length = min(int(fade_s * rate), len(out))
    if length:
        out[len(out) - length :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, length + 1) / length)
    return out


def duller(sound: np.ndarray, cutoff_hz: float, rate: int = RATE) -> np.ndarray:
    """Return a sound through a low-pass of one pole, as a softer stroke is."""
    from scipy.signal import lfilter

    pole = np.exp(-2 * np.pi * cutoff_hz / rate)
    return lfilter([1 - pole], [1, -pole], sound)


def rise_ms(sound: np.ndarray, rate: int) -> float:
    """Return the time from the sound's first sample to half of its peak."""
    return 1000 * int(np.argmax(np.abs(sound) > 0.5 * np.abs(sound).max())) / rate


def mixed(notes: list[Note], noises: list[Noise], rate: int = RATE, tail_s: float = 1.0) -> Sound:
    """Mix notes and noises, peak 0.7, and tell the truth about them."""
    notes = sorted(notes, key=lambda n: round(n.time_s * rate) / rate + n.truth_s)
    noises = sorted(noises, key=lambda n: n.time_s)
    ends = [n.time_s + len(n.samples) / rate for n in [*notes, *noises]]
    out = np.zeros(int((max(ends) + tail_s) * rate))
    for item in [*notes, *noises]:
        place = round(item.time_s * rate)
        out[place : place + len(item.samples)] += item.samples
    scale = 0.7 / np.abs(out).max()
    onset = np.array([round(n.time_s * rate) / rate + n.truth_s for n in notes])
    event = _events(onset, [n.event for n in notes])
    firsts = [int(np.argmax(event == e)) for e in range(int(event[-1]) + 1)]
    members = [{notes[i].name for i in np.flatnonzero(event == e)} for e in range(len(firsts))]
    peaks = np.array([np.abs(n.samples[int(n.truth_s * rate) :]).max() for n in notes])
    return Sound(
        samples=out * scale,
        rate=rate,
        onset_s=onset[firsts],
        names=np.array([m.pop() if len(m) == 1 else "several" for m in members]),
        kinds=np.array([notes[i].kind for i in firsts]),
        grid_s=np.array([notes[i].grid_s for i in firsts]),
        note_onset_s=onset,
        note_end_s=np.array([round(n.time_s * rate) / rate + len(n.samples) / rate for n in notes]),
        note_name=np.array([n.name for n in notes]),
        note_pitch=np.array([n.pitch for n in notes]),
        note_level_db=20 * np.log10(np.maximum(peaks * scale, 1e-9)),
        note_rise_ms=np.array([rise_ms(n.samples[int(n.truth_s * rate) :], rate) for n in notes]),
        note_event=event,
        note_how=np.array([n.how for n in notes]),
        noise_s=np.array([round(n.time_s * rate) / rate for n in noises]),
        noise_end_s=np.array([n.time_s + len(n.samples) / rate for n in noises]),
        noise_name=np.array([n.name for n in noises], dtype="U16"),
        maybe_s=np.array([round(n.time_s * rate) / rate for n in noises if not n.counts]),
    )


def _events(onset: np.ndarray, said: list[int]) -> np.ndarray:
    """Number the events in order of time: as said, else notes less than 30 ms after an event's first one."""
    number = np.zeros(len(onset), dtype=int)
    seen: dict[int, int] = {}
    last, count = -np.inf, 0
    for i, t in enumerate(onset):
        if said[i] >= 0:
            if said[i] not in seen:
                seen[said[i]] = count
                count += 1
            number[i] = seen[said[i]]
        else:
            if t - last >= TOGETHER_S:
                last = t
                count += 1
            number[i] = count - 1
    return number


def joined(sounds: list[Sound], gap_s: float = 1.0) -> Sound:
    """Return sounds one after another."""
    at, events, parts, samples = 0, 0, [], []
    for sound in sounds:
        tables = sound.moved(at / sound.rate)
        tables["note_event"] = sound.note_event + events
        parts.append(tables)
        samples += [sound.samples, np.zeros(int(gap_s * sound.rate))]
        at += len(samples[-2]) + len(samples[-1])
        events += len(sound.onset_s)
    merged = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    return Sound(np.concatenate(samples), sounds[0].rate, **merged)


def with_samples(sound: Sound, samples: np.ndarray, rate: int | None = None) -> Sound:
    """Return the same truth over other samples."""
    return replace(sound, samples=samples, rate=rate or sound.rate)
