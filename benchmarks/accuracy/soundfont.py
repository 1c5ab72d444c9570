"""Single notes out of a SoundFont 2 file, placed to the sample: what the sets of this benchmark are built from.

The reader knows the generators that shape when and how a note begins and rings (ranges, tuning, loop, volume
envelope) and leaves the rest alone: attenuation, filters, panning and modulators are ignored, the two sides of a
stereo pair are added. Source: SoundFont Technical Specification 2.04 (Creative, 2006), sections 5-9.
The file is Debian's ``fluid-soundfont-gm`` (FluidR3, MIT); nothing of it is part of this repository.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numba
import numpy as np

PLACES = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/soundfonts/FluidR3_GM.sf2")
TAPS = 24  # zero crossings of the interpolating sinc, either side

# Generators of the specification's section 8.1.2, by the names used here.
GENERATORS = {
    0: "start", 1: "end", 2: "loop_start", 3: "loop_end", 4: "start_coarse", 12: "end_coarse", 34: "attack",
    35: "hold", 36: "decay", 37: "sustain", 39: "key_hold", 40: "key_decay", 41: "instrument", 43: "keys",
    44: "velocities", 45: "loop_start_coarse", 50: "loop_end_coarse", 51: "coarse_tune", 52: "fine_tune",
    53: "sample", 54: "mode", 56: "scale_tuning", 58: "root",
}  # fmt: skip
SAMPLE = np.dtype(
    [
        ("name", "S20"),
        *((n, "<u4") for n in ("start", "end", "loop_start", "loop_end", "rate")),
        *(("root", "u1"), ("correction", "i1"), ("link", "<u2"), ("kind", "<u2")),
    ]
)
PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", 3)])
INSTRUMENT = np.dtype([("name", "S20"), ("bag", "<u2")])
BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
GENERATOR = np.dtype([("kind", "<u2"), ("amount", "<i2")])


def installed() -> Path | None:
    """Return the sound font's file; the environment's ``TAKEPRINT_SOUNDFONT`` goes first."""
    places = [os.environ.get("TAKEPRINT_SOUNDFONT", ""), *PLACES]
    return next((Path(p) for p in places if p and Path(p).is_file()), None)


def soundfont() -> SoundFont:
    """Return the installed sound font, or end the program with what to install."""
    path = installed()
    if path is None:
        raise SystemExit(
            "the sets of this benchmark need FluidR3_GM.sf2: `apt install fluid-soundfont-gm`, "
            "or set TAKEPRINT_SOUNDFONT to the file"
        )
    return _opened(path)


@cache
def _opened(path: Path) -> SoundFont:
    return SoundFont(path)


@dataclass(frozen=True)
class Zone:
    """A sample and how a preset plays it: generators of the instrument with the preset's added."""

    sample: int
    values: dict[str, int]
    keys: tuple[int, int]
    velocities: tuple[int, int]


class SoundFont:
    """A SoundFont 2 file, its samples memory-mapped."""

    def __init__(self, path: Path) -> None:
        raw = np.memmap(path, dtype=np.uint8, mode="r")
        chunks = dict(_chunks(raw, 12, len(raw)))
        self.wave = raw[chunks["smpl"]].view("<i2")
        self.headers = np.frombuffer(raw[chunks["shdr"]].tobytes(), SAMPLE)
        self._presets = np.frombuffer(raw[chunks["phdr"]].tobytes(), PRESET)
        self._instruments = np.frombuffer(raw[chunks["inst"]].tobytes(), INSTRUMENT)
        self._bags = {k: np.frombuffer(raw[chunks[f"{k}bag"]].tobytes(), BAG) for k in "pi"}
        self._generators = {k: np.frombuffer(raw[chunks[f"{k}gen"]].tobytes(), GENERATOR) for k in "pi"}

    def presets(self) -> list[tuple[int, int, str]]:
        """Return (bank, program, name) of every preset."""
        return [(int(p["bank"]), int(p["program"]), p["name"].split(b"\0")[0].decode()) for p in self._presets[:-1]]

    def _zones_of(self, kind: str, first: int, last: int, target: str) -> list[dict[str, int]]:
        """Return the generators of bags ``[first, last)``, a leading global bag's under each."""
        base: dict[str, int] = {}
        out = []
        for b in range(first, last):
            begin, end = (int(self._bags[kind][i]["generator"]) for i in (b, b + 1))
            values = dict(base)
            for g in self._generators[kind][begin:end]:
                if int(g["kind"]) in GENERATORS:
                    values[GENERATORS[int(g["kind"])]] = int(g["amount"])
            if target in values:
                out.append(values)
            elif b == first:
                base = values
        return out

    @lru_cache(maxsize=256)  # noqa: B019  one font lives as long as the program
    def zones(self, bank: int, program: int) -> tuple[Zone, ...]:
        """Return every zone of a preset."""
        at = [i for i, (b, p, _) in enumerate(self.presets()) if (b, p) == (bank, program)]
        if not at:
            raise SystemExit(f"the sound font has no preset {bank}:{program}")
        out = []
        for upper in self._zones_of("p", *(int(self._presets[i]["bag"]) for i in (at[0], at[0] + 1)), "instrument"):
            number = upper["instrument"] & 0xFFFF
            bags = (int(self._instruments[i]["bag"]) for i in (number, number + 1))
            for lower in self._zones_of("i", *bags, "sample"):
                values = dict(lower)
                for name in ("attack", "hold", "decay", "sustain", "coarse_tune", "fine_tune", "scale_tuning"):
                    if name in upper:
                        values[name] = values.get(name, DEFAULTS.get(name, 0)) + upper[name]
                low, high = zip(*(_range(v, "keys") for v in (lower, upper)), strict=True)
                soft, loud = zip(*(_range(v, "velocities") for v in (lower, upper)), strict=True)
                zone = Zone(lower["sample"] & 0xFFFF, values, (max(low), min(high)), (max(soft), min(loud)))
                if zone.keys[0] <= zone.keys[1] and zone.velocities[0] <= zone.velocities[1]:
                    out.append(zone)
        return tuple(out)

    def chosen(self, bank: int, program: int, key: int, velocity: int) -> tuple[Zone, ...]:
        """Return the zones that sound for a key and velocity."""
        return tuple(
            z
            for z in self.zones(bank, program)
            if z.keys[0] <= key <= z.keys[1] and z.velocities[0] <= velocity <= z.velocities[1]
        )

    def source(self, bank: int, program: int, key: int, velocity: int = 100) -> str:
        """Return the name of the (first) sample that sounds, "" for a key without one."""
        zones = self.chosen(bank, program, key, velocity)
        return self.headers[zones[0].sample]["name"].split(b"\0")[0].decode() if zones else ""

    @lru_cache(maxsize=2048)  # noqa: B019
    def note(
        self, bank: int, program: int, key: int, velocity: int, seconds: float, rate: int = 44_100, cents: int = 0
    ) -> np.ndarray:
        """Return a held note's samples, peak 1, as long as it sounds and at most ``seconds``."""
        parts = [self._played(z, key, seconds, rate, cents) for z in self.chosen(bank, program, key, velocity)]
        if not parts:
            raise SystemExit(f"preset {bank}:{program} has no sample for key {key}")
        out = np.zeros(max(len(p) for p in parts))
        for part in parts:
            out[: len(part)] += part
        out /= np.abs(out).max()
        out.setflags(write=False)
        return out

    def _played(self, zone: Zone, key: int, seconds: float, rate: int, cents: int) -> np.ndarray:
        """Return one zone's sound at its pitch, looped as its mode says and under its volume envelope."""
        head, values = self.headers[zone.sample], zone.values
        start = int(head["start"]) + values.get("start", 0) + 32768 * values.get("start_coarse", 0)
        end = int(head["end"]) + values.get("end", 0) + 32768 * values.get("end_coarse", 0)
        wave = self.wave[start:end].astype(np.float64) / 32768
        root = values.get("root", -1)
        root = root if 0 <= root <= 127 else int(head["root"])
        tune = 100 * values.get("coarse_tune", 0) + values.get("fine_tune", 0) + int(head["correction"]) + cents
        step = int(head["rate"]) / rate * 2 ** (((key - root) * values.get("scale_tuning", 100) + tune) / 1200)
        wanted = int(seconds * rate * step) + TAPS
        if values.get("mode", 0) in (1, 3):
            first = int(head["loop_start"]) - start + values.get("loop_start", 0)
            first += 32768 * values.get("loop_start_coarse", 0)
            last = int(head["loop_end"]) - start + values.get("loop_end", 0) + 32768 * values.get("loop_end_coarse", 0)
            if 0 <= first < last <= len(wave) and wanted > last:
                turns = -(-(wanted - last) // (last - first))
                wave = np.concatenate([wave[:last], np.tile(wave[first:last], turns)])
        out = resampled(wave[:wanted], step)[: int(seconds * rate)]
        return out * _envelope(values, key, len(out), rate)


DEFAULTS = {"attack": -12000, "hold": -12000, "decay": -12000, "sustain": 0, "scale_tuning": 100}


def _chunks(raw: np.ndarray, begin: int, end: int) -> list[tuple[str, slice]]:
    """Return name and place of every chunk, those inside lists too."""
    out = []
    while begin + 8 <= end:
        name = raw[begin : begin + 4].tobytes().decode("latin-1")
        size = int.from_bytes(raw[begin + 4 : begin + 8].tobytes(), "little")
        if name == "LIST":
            out += _chunks(raw, begin + 12, begin + 8 + size)
        else:
            out.append((name, slice(begin + 8, begin + 8 + size)))
        begin += 8 + size + size % 2
    return out


def _range(values: dict[str, int], name: str) -> tuple[int, int]:
    """Return a range generator's bytes (low, high), all of 0-127 where there is none."""
    both = values.get(name, 127 << 8) & 0xFFFF
    return both & 0xFF, both >> 8


def _envelope(values: dict[str, int], key: int, frames: int, rate: int) -> np.ndarray:
    """Return the gain of attack (linear), hold, decay (linear in dB, 100 dB in its time) and sustain level."""
    t = np.arange(frames) / rate
    attack = 2 ** (values.get("attack", -12000) / 1200)
    hold = 2 ** ((values.get("hold", -12000) + (60 - key) * values.get("key_hold", 0)) / 1200)
    decay = 2 ** ((values.get("decay", -12000) + (60 - key) * values.get("key_decay", 0)) / 1200)
    softer = np.clip(100 * (t - attack - hold) / decay, 0, np.clip(values.get("sustain", 0) / 10, 0, 100))
    gain = 10 ** (-softer / 20)
    if attack > 0.003:  # the default of 1 ms is no attack; it would only blunt a sample's own
        gain *= np.clip(t / attack, 0, 1)
    return gain


def resampled(wave: np.ndarray, step: float) -> np.ndarray:
    """Read a sound at every ``step`` of its samples, band-limited (Kaiser-windowed sinc); length as long as it goes."""
    return wave.copy() if step == 1.0 else _sinc(np.ascontiguousarray(wave), step, TAPS)


@numba.njit(cache=True)
def _sinc(wave: np.ndarray, step: float, taps: int) -> np.ndarray:
    cutoff = min(1.0, 1.0 / step) * 0.97
    reach = taps / cutoff
    grain = 512
    table = np.zeros(taps * grain + 2)
    for i in range(len(table)):
        x = i / grain
        ratio = min(x / taps, 1.0)
        window = _kaiser(9.0, ratio)
        table[i] = window * (1.0 if x == 0.0 else np.sin(np.pi * x) / (np.pi * x))
    count = int(np.ceil(len(wave) / step))
    out = np.zeros(count)
    for k in range(count):
        at = k * step
        low = max(int(np.ceil(at - reach)), 0)
        high = min(int(np.floor(at + reach)), len(wave) - 1)
        total = 0.0
        for n in range(low, high + 1):
            x = abs(at - n) * cutoff * grain
            i = int(x)
            total += wave[n] * (table[i] + (x - i) * (table[i + 1] - table[i]))
        out[k] = total * cutoff
    return out


@numba.njit(cache=True)
def _kaiser(beta: float, ratio: float) -> float:
    return _bessel(beta * np.sqrt(1.0 - ratio * ratio)) / _bessel(beta)


@numba.njit(cache=True)
def _bessel(x: float) -> float:
    """Return the modified Bessel function of order 0, by its series."""
    total, term = 1.0, 1.0
    for k in range(1, 40):
        term *= (x / (2.0 * k)) ** 2
        total += term
    return total
