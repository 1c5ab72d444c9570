"""Onsets against a known truth: Takeprint beside librosa's defaults.

    python benchmarks/accuracy_onsets.py [SET ...]

Truth is physical: the first sample of a sound above -40 dB of its own peak, at the sample where it was mixed in. Sets:
drums of our own synthesis, one at a time and as a kit (rhythms of the Groove MIDI data where it is there, else a
pattern of our own), real guitar and bass notes (CC0) where the shared data is there, and each again in a room with
noise. Errors are over onsets matched one to one within 50 ms; late is positive.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

RATE = 44_100
Sound = tuple[np.ndarray, np.ndarray, np.ndarray]  # samples, onset seconds, source names


def shared() -> Path | None:
    said = os.environ.get("TAKEPRINT_DATA")
    folder = Path(said) if said else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def start_of(sound: np.ndarray) -> int:
    """Return the first sample above -40 dB of the sound's own peak."""
    return int(np.argmax(np.abs(sound) >= 0.01 * np.abs(sound).max()))


def drum(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Return one drum hit; every one differs."""
    t = np.arange(int(0.5 * RATE)) / RATE
    noise = rng.normal(0, 1, len(t))
    if kind == "kick":
        rise = 1 - np.exp(-t / rng.uniform(0.0008, 0.002))
        phase = 2 * np.pi * (rng.uniform(45, 60) * t - 110 * 0.03 * np.exp(-t / 0.03))
        return rise * np.sin(phase) * np.exp(-t / 0.12) + 0.15 * noise * np.exp(-t / 0.004)
    if kind == "snare":
        rise = 1 - np.exp(-t / 0.0004)
        shell = np.sin(2 * np.pi * rng.uniform(170, 210) * t) * np.exp(-t / 0.06)
        return rise * (0.5 * shell + 0.4 * noise * np.exp(-t / rng.uniform(0.07, 0.11)))
    bright = np.diff(np.diff(noise, prepend=0.0), prepend=0.0)
    if kind == "hat":
        return (1 - np.exp(-t / 0.0003)) * 0.2 * bright * np.exp(-t / rng.uniform(0.02, 0.05))
    return (1 - np.exp(-t / 0.002)) * 0.1 * bright * np.exp(-t / 0.25)  # cymbal


def mixed(events: list[tuple[float, np.ndarray, float, str]], tail_s: float = 1.0) -> Sound:
    """Mix (time, sound, gain, name) sample-exactly."""
    length = int((max(e[0] for e in events) + tail_s + 1.0) * RATE)
    out = np.zeros(length)
    times, names = [], []
    for time_s, sound, gain, name in sorted(events, key=lambda e: e[0]):
        first = start_of(sound)
        place = max(round(time_s * RATE) - first, 0)
        part = sound[: length - place]
        out[place : place + len(part)] += gain * part
        times.append((place + first) / RATE)
        names.append(name)
    return 0.7 * out / np.abs(out).max(), np.array(times), np.array(names)


def room(sound: Sound, rng: np.random.Generator, reverb_s: float, noise_db: float) -> Sound:
    """Add a room of the given reverberation time and noise below the sound's level."""
    from scipy.signal import fftconvolve

    samples, times, names = sound
    t = np.arange(int(reverb_s * RATE)) / RATE
    tail = rng.normal(0, 1, len(t)) * 10 ** (-3 * t / reverb_s)
    tail[: int(0.004 * RATE)] = 0.0
    tail *= 0.3 / np.sqrt((tail**2).sum())
    wet = samples + fftconvolve(samples, tail)[: len(samples)]
    wet += rng.normal(0, 1, len(wet)) * np.sqrt((wet**2).mean()) * 10 ** (noise_db / 20)
    return 0.7 * wet / np.abs(wet).max(), times, names


def groove_events(rng: np.random.Generator) -> list[tuple[float, str, float]]:
    """Return (time, drum, gain) of real drummers where their data is there, else of a pattern of our own."""
    keys = {"kick": (35, 36), "snare": (37, 38, 40), "hat": (22, 42, 44), "cymbal": (26, 46, 49, 51, 53, 55, 57, 59)}
    names = {key: kind for kind, some in keys.items() for key in some}
    folder = shared()
    if folder is not None:
        import mido

        files = sorted((folder / "groove").rglob("*beat*.mid"))
        out, offset = [], 0.5
        for path in files[5 :: max(len(files) // 4, 1)][:4]:
            now = 0.0
            for message in mido.MidiFile(path):
                now += message.time
                if now > 20:
                    break
                if message.type == "note_on" and message.velocity > 15 and message.note in names:
                    out.append((offset + now, names[message.note], (message.velocity / 127) ** 1.5))
            offset += min(now, 20) + 1.5
        return out
    out = []
    for step in range(160):
        kind = ("kick", "hat", "snare", "hat")[step // 2 % 4] if step % 2 == 0 else "hat"
        out.append((0.5 + 0.125 * step + rng.normal(0, 0.008), kind, rng.uniform(0.3, 1.0)))
    return out


def make_drums_solo(rng: np.random.Generator) -> Sound:
    kinds = ["kick", "snare", "hat"]
    events = [(0.5 + 0.25 * i + rng.normal(0, 0.0076), drum(kinds[i % 3], rng), rng.uniform(0.3, 1.0), kinds[i % 3])
              for i in range(240)]  # fmt: skip
    return mixed(events)


def make_drums_kit(rng: np.random.Generator) -> Sound:
    return mixed([(t, drum(kind, rng), gain, kind) for t, kind, gain in groove_events(rng)])


def samples_of(folder: str) -> list[np.ndarray]:
    import soundfile

    base = shared()
    if base is None:
        return []
    paths = [p for p in sorted((base / folder).glob("*.wav")) if "fingering" not in p.name and "strum" not in p.name]
    return [s for s in (soundfile.read(p)[0] for p in paths) if np.abs(s).max() > 0.05]


def make_line(folder: str, name: str, step_s: float, rng: np.random.Generator) -> Sound | None:
    notes = samples_of(folder)
    if not notes:
        return None
    events = []
    for i in range(120):
        note = notes[int(rng.integers(len(notes)))][: int(rng.uniform(0.6, 1.6) * step_s * RATE)].copy()
        fade = min(len(note), int(0.02 * RATE))
        note[-fade:] *= np.linspace(1, 0, fade)
        events.append((0.5 + step_s * i + rng.normal(0, 0.01), note, rng.uniform(0.3, 1.0), name))
    return mixed(events)


def make_sets() -> dict[str, Sound]:
    rng = np.random.default_rng(20)
    sets: dict[str, Sound | None] = {
        "drums_solo": make_drums_solo(rng),
        "drums_kit": make_drums_kit(rng),
        "guitar": make_line("emilyguitar/notes", "guitar", 0.35, rng),
        "bass": make_line("swagbass/noises", "bass", 0.3, rng),
    }
    dry = {name: room(sound, rng, 0.35, -60) for name, sound in sets.items() if sound is not None}
    live = {f"{name}_live": room(sets[name], rng, 1.1, -26) for name in dry}  # type: ignore[arg-type]
    return {**dry, **live}


def merged(times: np.ndarray, names: np.ndarray, gap_s: float = 0.03) -> tuple[np.ndarray, np.ndarray]:
    """Make one event of hits closer than ``gap_s``, at the first one; its name is kept where the hit stands alone."""
    keep_t, keep_n = [], []
    for t, name in zip(times, names, strict=True):
        if keep_t and t - keep_t[-1] < gap_s:
            keep_n[-1] = keep_n[-1] if name == keep_n[-1] else "several"
            continue
        keep_t.append(float(t))
        keep_n.append(str(name))
    return np.array(keep_t), np.array(keep_n)


def matched(truth: np.ndarray, found: np.ndarray, window_s: float) -> list[tuple[int, int]]:
    """Match one to one, nearest pairs first."""
    pairs = []
    for i, t in enumerate(truth):
        low, high = np.searchsorted(found, [t - window_s, t + window_s])
        pairs += [(abs(found[j] - t), i, j) for j in range(low, high)]
    used_i: set[int] = set()
    used_j: set[int] = set()
    out = []
    for _, i, j in sorted(pairs):
        if i not in used_i and j not in used_j:
            used_i.add(i)
            used_j.add(j)
            out.append((i, j))
    return sorted(out)


def f_measure(truth: np.ndarray, found: np.ndarray, window_s: float) -> float:
    return 2 * len(matched(truth, found, window_s)) / max(len(truth) + len(found), 1)


def figures(sound: Sound, found: np.ndarray) -> dict[str, float]:
    truth, names = merged(sound[1], sound[2])
    pairs = matched(truth, found, 0.05)
    error = np.array([found[j] - truth[i] for i, j in pairs]) * 1000
    kinds = [names[i] for i, _ in pairs]
    bias = {k: float(np.median(error[[n == k for n in kinds]])) for k in sorted(set(kinds)) if kinds.count(k) >= 8}
    single = {k: v for k, v in bias.items() if k != "several"}
    return {
        "F50": f_measure(truth, found, 0.05),
        "F10": f_measure(truth, found, 0.01),
        "F2": f_measure(truth, found, 0.002),
        "median_abs_ms": float(np.median(np.abs(error))),
        "bias_ms": float(np.median(error)),
        "p95_ms": float(np.percentile(np.abs(error - np.median(error)), 95)),
        "spread_ms": max(single.values()) - min(single.values()) if len(single) > 1 else float("nan"),
        "sd_ms": float(error.std()),
        "found": float(len(found)),
        "truth": float(len(truth)),
    }


def librosa_default(samples: np.ndarray) -> np.ndarray:
    import librosa

    y = librosa.resample(samples, orig_sr=RATE, target_sr=22_050)
    return librosa.onset.onset_detect(y=y, sr=22_050, units="time")


def librosa_native(samples: np.ndarray) -> np.ndarray:
    import librosa

    return librosa.onset.onset_detect(y=samples, sr=RATE, units="time")


def ours(samples: np.ndarray) -> np.ndarray:
    from takeprint.analysis.onsets import detect_onsets

    return detect_onsets(samples, RATE).onset_s


def micro_timing(sound: Sound, found: np.ndarray) -> tuple[float, float, float]:
    """Return planted and measured sd (ms) of the deviation from a grid of 250 ms, and their correlation."""
    truth = sound[1]
    pairs = matched(truth, found, 0.05)
    i = np.array([a for a, _ in pairs])
    grid = 0.5 + 0.25 * np.round((truth[i] - 0.5) / 0.25)
    planted, measured = truth[i] - grid, found[[b for _, b in pairs]] - grid
    return planted.std() * 1000, measured.std() * 1000, float(np.corrcoef(planted, measured)[0, 1])


def mdb_drums() -> None:
    """Real drum tracks with human annotations, where they are there; the annotation itself is good to some ms."""
    base = shared()
    folder = base / "restricted" / "mdb-drums" if base is not None else None
    if folder is None or not folder.is_dir():
        return
    import soundfile

    totals: dict[str, list[tuple[float, float, float, float]]] = {}
    for path in sorted((folder / "audio").rglob("*.wav")):
        stem = path.stem.replace("_Drum", "").replace("_MIX", "")
        notes = list((folder / "annotations" / "class").glob(f"{stem}*.txt"))
        if not notes:
            continue
        truth = np.sort([float(line.split()[0]) for line in notes[0].read_text().splitlines() if line.strip()])
        truth, _ = merged(truth, np.array(["x"] * len(truth)))
        samples, rate = soundfile.read(path, always_2d=True)
        if rate != RATE:
            continue
        for label, run in PEERS.items():
            found = run(samples.mean(1))
            error = np.array([found[j] - truth[i] for i, j in matched(truth, found, 0.05)]) * 1000
            row = (f_measure(truth, found, 0.05), f_measure(truth, found, 0.01), float(np.median(error)),
                   float(np.median(np.abs(error - np.median(error)))))  # fmt: skip
            totals.setdefault(label, []).append(row)
    for label, rows in totals.items():
        mean = np.mean(rows, axis=0)
        print(f"{'mdb-drums':16s} {label:16s} files {len(rows)}  F50 {mean[0]:.3f}  F10 {mean[1]:.3f}  "
              f"bias {mean[2]:+.2f} ms  median abs (bias removed) {mean[3]:.2f} ms")  # fmt: skip


PEERS = {"takeprint": ours, "librosa 22k": librosa_default, "librosa 44k": librosa_native}


def main() -> None:
    wanted = sys.argv[1:]
    print(f"{'set':16s} {'detector':16s}   F50   F10    F2  med|e|   bias    p95 spread     sd  found truth  cpu s")
    sums: dict[str, list[dict[str, float]]] = {}
    for name, sound in make_sets().items():
        if wanted and name not in wanted:
            continue
        for label, run in PEERS.items():
            run(sound[0][: 5 * RATE])  # compile and import before the clock
            begin = time.process_time()
            found = run(sound[0])
            spent = time.process_time() - begin
            row = figures(sound, found)
            sums.setdefault(label, []).append(row)
            print(f"{name:16s} {label:16s} {row['F50']:.3f} {row['F10']:.3f} {row['F2']:.3f} "
                  f"{row['median_abs_ms']:7.2f} "
                  f"{row['bias_ms']:+6.2f} {row['p95_ms']:6.2f} {row['spread_ms']:6.2f} {row['sd_ms']:6.2f} "
                  f"{row['found']:6.0f} {row['truth']:5.0f} {spent:6.2f}")  # fmt: skip
            if name == "drums_solo":
                planted, measured, correlation = micro_timing(sound, found)
                print(
                    f"{'':33s} micro-timing sd planted {planted:.2f} measured {measured:.2f} ms, r = {correlation:.4f}"
                )
    for label, rows in sums.items():
        biases = [r["bias_ms"] for r in rows]
        print(f"{'all':16s} {label:16s} mean F50 {np.mean([r['F50'] for r in rows]):.3f} "
              f"F10 {np.mean([r['F10'] for r in rows]):.3f}; "
              f"bias spread between sets {max(biases) - min(biases):.2f} ms")  # fmt: skip
    if not wanted or "mdb" in wanted:
        mdb_drums()


if __name__ == "__main__":
    main()
