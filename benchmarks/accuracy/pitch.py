"""Pitch, voicing, and what is made of them: tuning, centre, drift and vibrato of notes.

Three kinds of truth. Sung, bowed and blown lines of our own synthesis whose fundamental is known at every moment
(`sung`: slurs, scoops, consonants, rests of 0 to 0.7 s; in a dry and a live room). Lines of single notes with a
planted tuning, centre, drift and vibrato each, without a room and in the dry one. One singer (vocadito 1) whose pitch
people corrected by hand.

Cents are taken 60 ms and more from the edges of what sounds; "recall" is of all frames that sound, fades included,
"inner" of those away from the edges; "false" is of all frames between what sounds, where the room rings, "far" of
those more than 40 ms from what sounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import rooms
import sung
from mixing import RATE
from peers import PITCH, installed, versions
from sets import make, shared
from settings import SETTINGS

from takeprint.analysis.intonation import measure_intonation, take_tuning
from takeprint.analysis.pitch import track_pitch

Track = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]
SETS = ("mono_voice", "mono_violin", "mono_flute", "mono_voice_live", "mono_violin_live", "mono_flute_live")
EDGE_S, FAR_S = 0.06, 0.04


def ours(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    track = track_pitch(np.asarray(samples, dtype=np.float64), rate)
    return track.time_s, track.pitch_hz


def score(time_s: np.ndarray, truth_hz: np.ndarray, at_s: np.ndarray, said_hz: np.ndarray) -> dict[str, float]:
    """Compare a track with the truth, at the truth's moments; truth and track are NaN where nothing sounds."""
    row = np.round(np.interp(time_s, at_s, np.arange(len(at_s)))).astype(int)
    sounds = np.isfinite(truth_hz)
    # The truth is read at the track's own moments, so that its hop is no error of its pitch.
    wanted = np.interp(at_s[row], time_s, np.where(sounds, truth_hz, np.nan))
    said = np.where(said_hz[row] > 0, said_hz[row], np.nan)
    with np.errstate(invalid="ignore"):
        cents = 1200 * np.log2(said / wanted)
    away = edge_distance(time_s, sounds)
    inner = sounds & (away > EDGE_S)
    far = ~sounds & (away > FAR_S)
    known = cents[inner & np.isfinite(cents)]
    return {
        "median": float(np.median(np.abs(known))),
        "bias": float(np.median(known)),
        "p95": float(np.percentile(np.abs(known), 95)),
        "gross": 100 * float(np.mean(np.abs(known) > 50)),
        "rpa50": 100 * float(np.mean(np.abs(cents[sounds & np.isfinite(wanted)]) < 50)),
        "recall": 100 * float(np.isfinite(said[sounds]).mean()),
        "inner": 100 * float(np.isfinite(said[inner]).mean()),
        "false": 100 * float(np.isfinite(said[~sounds]).mean()),
        "far": 100 * float(np.isfinite(said[far]).mean()),
    }


def edge_distance(time_s: np.ndarray, sounds: np.ndarray) -> np.ndarray:
    """Return how far every moment lies from the nearest change between sounding and not, seconds."""
    edges = time_s[np.flatnonzero(np.diff(sounds.astype(int)) != 0)]
    if len(edges) == 0:
        return np.full(len(time_s), np.inf)
    at = np.clip(np.searchsorted(edges, time_s), 1, len(edges) - 1) if len(edges) > 1 else np.zeros(len(time_s), int)
    return np.minimum(np.abs(time_s - edges[at]), np.abs(time_s - edges[np.maximum(at - 1, 0)]))


def told(who: str, name: str, figures: dict[str, float], cpu_s: float) -> None:
    cells = [
        f"{figures[k]:7.2f}" for k in ("median", "bias", "p95", "gross", "rpa50", "recall", "inner", "false", "far")
    ]
    print(f"{who:17s} {name:17s} {' '.join(cells)} {cpu_s:8.2f}", flush=True)


def tracks(peers: bool) -> None:
    print("targets: median <= 0.6 cents, recall >= 99 %, false <= 5 %, <= 0.2 CPU s a minute")
    print("cents: median |error|, median error, 95th percentile; the rest is percent; CPU s a minute of sound, warm")
    head = ("median", "bias", "p95", "gross", "RPA50", "recall", "inner", "false", "far", "CPU s")
    print(f"{'':17s} {'':17s} {' '.join(f'{h:>7s}' for h in head)}")
    who: list[tuple[str, Track]] = [("takeprint", ours), *(installed(PITCH) if peers else [])]
    names = [n for n in SETS if not SETTINGS.only or n in SETTINGS.only]
    singer = singer_truth()
    for label, track in who:
        track(np.zeros(RATE), RATE)  # compiles, loads models
        for name in names:
            found = []
            for seed in range(SETTINGS.seed, SETTINGS.seed + SETTINGS.seeds):
                sound = make(name, seed=seed, fold=SETTINGS.fold)
                figures, cpu_s = timed(track, sound.samples, sound.rate, sound.f0_time_s, sound.f0_hz)
                found.append({**figures, "cpu": cpu_s})
            mean = {k: float(np.mean([f[k] for f in found])) for k in found[0]}
            told(label, name, mean, mean["cpu"])
        told(label, "vocadito 1", *timed(track, *singer))


def timed(
    track: Track, samples: np.ndarray, rate: int, time_s: np.ndarray, truth_hz: np.ndarray
) -> tuple[dict[str, float], float]:
    began = time.process_time()
    at_s, said_hz = track(samples, rate)
    cpu_s = (time.process_time() - began) * 60 * rate / len(samples)
    return score(time_s, truth_hz, at_s, said_hz), cpu_s


def singer_truth() -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
    import soundfile

    folder = shared() / "vocadito"
    samples, rate = soundfile.read(folder / "Audio" / "vocadito_1.wav")
    truth = np.loadtxt(folder / "Annotations" / "F0" / "vocadito_1_f0.csv", delimiter=",")
    return samples, rate, truth[:, 0], np.where(truth[:, 1] > 0, truth[:, 1], np.nan)


# --- notes -----------------------------------------------------------------------------------------------------------


def planted(name: str, rng: np.random.Generator, tuning: float, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return single notes and their truth.

    A row each: onset, duration, key, centre in cents against the tuning, drift, and the vibrato's rate, extent and
    delay, NaN without one. A little wandering is part of centre and drift; scoops are not.
    """
    manner, step = sung.MANNERS[name], sung.HOP / RATE
    body = sung._body(rng)
    sound, rows, at = [np.zeros(RATE // 2)], [], 0.5
    for _ in range(count):
        key, off, drift = int(rng.integers(*manner.keys)), rng.normal(0, 8), rng.uniform(-20, 20)
        t = np.arange(int(rng.uniform(0.3, 1.4) / step) + 1) * step
        line = 2 * t / t[-1] - 1
        course = off + drift * line / 2
        walk = np.cumsum(rng.normal(0, 1, len(t))) * np.sqrt(step) * 2
        walk -= np.linspace(walk[0], walk[-1], len(t))
        off, drift = off + walk.mean(), drift + 2 * (walk @ line) / (line @ line)
        course = course + walk
        swings = rng.random() < 0.65
        rate, extent, delay = rng.uniform(4.5, 7), rng.uniform(10, 70), rng.uniform(0.0, 0.35) * t[-1]
        if swings:
            swell = sung._step((t - delay + 0.05) / 0.1)
            course = course + extent * swell * np.sin(2 * np.pi * rate * (t - delay) + rng.uniform(0, 2 * np.pi))
        if rng.random() < 0.4:
            course = course - rng.uniform(50, 150) * np.exp(-t / rng.uniform(0.02, 0.05))
        gain = np.sin(np.pi / 2 * np.clip(t / 0.045, 0, 1)) * np.sin(np.pi / 2 * np.clip((t[-1] - t) / 0.06, 0, 1))
        tone = sung._voiced(manner, 440 * 2 ** ((key - 69) / 12 + (course + tuning) / 1200), gain, body, rng)
        tone *= 10 ** (rng.uniform(-8, 0) / 20) / np.abs(tone).max()
        rest = np.zeros(int(rng.uniform(0.05, 0.3) * RATE))
        rows.append((at, len(tone) / RATE, key, off, drift, *((rate, extent, delay) if swings else [np.nan] * 3)))
        sound += [tone, rest]
        at += (len(tone) + len(rest)) / RATE
    return np.concatenate([*sound, np.zeros(RATE)]), np.array(rows)


def placed(y: np.ndarray, place: str, rng: np.random.Generator) -> np.ndarray:
    """Return the notes without a room (noise at -66 dB), in the dry or in the live room, as `rooms` has them."""
    from scipy.signal import oaconvolve

    if place != "no room":
        reverb_s, level = (0.35, 0.25) if place == "dry" else (1.1, 0.4)
        y = y + oaconvolve(y, rooms.tail(rng, reverb_s, level, RATE))[: len(y)]
    y = 0.7 * y / np.abs(y).max()
    noise = np.sqrt((y**2).mean()) * 10 ** (-26 / 20) if place == "live" else 10 ** (-66 / 20)
    return y + rng.normal(0, noise, len(y))


def notes() -> None:
    print("\nnotes with planted tuning, centre, drift and vibrato (medians over notes; targets: extent 3 %, rate 2 %)")
    print("covered: share of centres inside their 90 % interval; extent and rate: bias, and median |error|, in percent")
    print(f"{'':7s} {'place':8s} {'tuning c':>9s} {'centre c':>9s} {'p95':>5s} {'covered':>8s} {'drift c':>8s} "
          f"{'found':>7s} {'invented':>9s} {'rate %':>12s} {'extent %':>14s} {'delay ms':>9s}")  # fmt: skip
    for name in sung.MANNERS:
        for place in ("no room", "dry", "live"):
            rows, said, tuned = [], [], []
            for seed in range(SETTINGS.seed, SETTINGS.seed + max(SETTINGS.seeds, 2)):
                rng = np.random.default_rng([seed, SETTINGS.fold, len(name)])
                tuning = float(rng.uniform(-45, 45))
                y, truth = planted(name, rng, tuning)
                found = measure_intonation(track_pitch(placed(y, place, rng), RATE), truth[:, 0], truth[:, 1])
                meant = tuning + np.mean(truth[:, 3])  # the notes' own mean belongs to the tuning
                tuned.append(abs((take_tuning(found).tuning_cents - meant + 50) % 100 - 50))
                truth[:, 3] += tuning
                rows.append(truth)
                said.append(found)
            told_notes(name, place, np.concatenate(rows), type(said[0]).concatenate(said), float(np.mean(tuned)))


def told_notes(name: str, place: str, truth: np.ndarray, said, tuned: float) -> None:
    error = 100 * (said.pitch - truth[:, 2]) - truth[:, 3]
    swings, found = np.isfinite(truth[:, 5]), np.isfinite(said.vibrato_rate_hz)
    both = swings & found
    rate = 100 * (said.vibrato_rate_hz[both] / truth[both, 5] - 1)
    extent = 100 * (said.vibrato_extent_cents[both] / truth[both, 6] - 1)
    delay = 1000 * np.abs(said.vibrato_delay_s[both] - truth[both, 7])
    print(
        f"{name:7s} {place:8s} {tuned:9.2f} {np.nanmedian(np.abs(error)):9.2f} "
        f"{np.nanpercentile(np.abs(error), 95):5.1f} "
        f"{np.mean(np.abs(error) <= said.intonation_uncertainty_cents):8.2f} "
        f"{np.nanmedian(np.abs(said.drift_cents - truth[:, 4])):8.2f} {both.sum():3d}/{swings.sum():3d} "
        f"{(found & ~swings).sum():5d}/{(~swings).sum():3d} {np.median(rate):+6.2f} {np.median(np.abs(rate)):5.2f} "
        f"{np.median(extent):+7.2f} {np.median(np.abs(extent)):6.2f} {np.median(delay):9.0f}",
        flush=True,
    )


def run(peers: bool) -> None:
    """Print the tables."""
    if peers:
        print(f"peers: {versions()}")
    tracks(peers)
    notes()
