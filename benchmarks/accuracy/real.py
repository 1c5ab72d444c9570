"""Onsets of real recordings that people annotated: drums, and two singers.

The annotations are good to some ms at best (three quarters of MDB's times are round to 10 ms; sung notes are marked by
hand, and two annotators of one take differ by what the table says), so F at 50 ms, bias and spread are told, no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import peers as peers_table
from onsets import ours
from scoring import score_times
from sets import shared

# MDB's classes by the names used here.
CLASSES = {"KD": "kick", "SD": "snare", "HH": "hat", "CY": "cymbal", "TT": "tom", "OT": "other"}


@dataclass(frozen=True, eq=False)
class Annotated:
    """A recording with what people said of it; ``maybe_s`` counts neither way."""

    group: str
    samples: np.ndarray
    rate: int
    onset_s: np.ndarray
    names: np.ndarray
    maybe_s: np.ndarray


def recordings() -> Iterator[Annotated]:
    """Yield every annotated recording that is there."""
    yield from _drums(shared() / "restricted" / "mdb-drums")
    yield from _vocadito(shared() / "vocadito")
    yield from _nit(shared() / "nit-song070")


def _read(path: Path) -> tuple[np.ndarray, int]:
    import soundfile

    samples, rate = soundfile.read(path, always_2d=True)
    return samples.mean(1), rate


def together(times: np.ndarray, names: np.ndarray, gap_s: float = 0.03) -> tuple[np.ndarray, np.ndarray]:
    """Make one event of hits less than ``gap_s`` after its first."""
    keep_t: list[float] = []
    keep_n: list[str] = []
    for t, name in sorted(zip(times.tolist(), names.tolist(), strict=True)):
        if keep_t and t - keep_t[-1] < gap_s:
            keep_n[-1] = keep_n[-1] if name == keep_n[-1] else "several"
        else:
            keep_t.append(t)
            keep_n.append(name)
    return np.array(keep_t), np.array(keep_n)


def _drums(folder: Path) -> Iterator[Annotated]:
    for path in sorted((folder / "audio" / "drum_only").glob("*.wav")):
        text = (folder / "annotations" / "class" / path.name.replace("_Drum.wav", "_class.txt")).read_text()
        rows = [line.split() for line in text.splitlines() if line.strip()]
        names = np.array([CLASSES.get(r[1], r[1]) for r in rows])
        times, names = together(np.array([float(r[0]) for r in rows]), names)
        yield Annotated("mdb-drums", *_read(path), times, names, np.zeros(0))


def _vocadito(folder: Path) -> Iterator[Annotated]:
    for path in sorted((folder / "Audio").glob("*.wav")):
        for annotator in ("A1", "A2"):
            rows = np.loadtxt(folder / "Annotations" / "Notes" / f"{path.stem}_notes{annotator}.csv", delimiter=",")
            names = np.array([annotator] * len(rows))
            yield Annotated(f"vocadito {annotator}", *_read(path), rows[:, 0], names, np.zeros(0))


def _nit(folder: Path) -> Iterator[Annotated]:
    """Sung vowels: a phoneme is between - and +, vowels are marked v; other phonemes' starts count neither way."""
    for label in sorted(folder.rglob("*.lab")):
        sound = next(iter(folder.rglob(label.stem + ".wav")), None)
        if sound is None:
            continue
        rows = [line.split(maxsplit=2) for line in label.read_text().splitlines() if line.strip()]
        start = np.array([int(r[0]) * 1e-7 for r in rows])
        vowel = np.array([bool(re.match(r"v@.*?-[aiueo]\+", r[2])) for r in rows])
        names = np.array(["vowel"] * int(vowel.sum()))
        yield Annotated("nit-song070", *_read(sound), start[vowel], names, start[~vowel])


def run(peers: bool) -> None:
    """Print the table."""
    detectors = {"takeprint": ours}
    if peers:
        detectors.update(peers_table.installed(peers_table.ONSETS))
    print(
        f"{'recordings':14s} {'detector':20s}   F50  recall  precision   bias ms  robust sd ms  "
        "med|e| (bias removed)  bias of each instrument (ms)"
    )
    takes = list(recordings())
    if not takes:
        print("none is here")
    for group in dict.fromkeys(t.group for t in takes):
        some = [t for t in takes if t.group == group]
        for label, detect in detectors.items():
            print(_pooled(group, label, detect, some), flush=True)
    _annotators(takes)


def _pooled(group: str, label: str, detect, takes: list[Annotated]) -> str:
    """Return a row: recordings of a group one after another, an hour apart."""
    truth, found, names, maybe = [], [], [], []
    for i, take in enumerate(takes):
        times = detect(take.samples, take.rate)
        found.append(np.asarray(getattr(times, "onset_s", times), dtype=float) + 3600 * i)
        truth.append(take.onset_s + 3600 * i)
        maybe.append(take.maybe_s + 3600 * i)
        names.append(take.names)
    s = score_times(*(np.concatenate(x) for x in (truth, found, names, maybe)))
    each = "  ".join(f"{n} {b:+.1f}" for n, b in s.bias_by_name.items())
    rest = float(np.median(np.abs(s.error_ms - s.bias_ms))) if len(s.error_ms) else np.nan
    return (f"{group:14s} {label:20s} {s.f50:.3f} {s.recall:7.3f} {s.precision:10.3f} {s.bias_ms:+9.2f} "
            f"{s.robust_sd_ms:13.2f} {rest:23.2f}  {each}")  # fmt: skip


def _annotators(takes: list[Annotated]) -> None:
    """Print how two annotators of one take agree: no detector can be held to more."""
    first = [t for t in takes if t.group == "vocadito A1"]
    second = [t for t in takes if t.group == "vocadito A2"]
    for a, b in zip(first, second, strict=True):
        s = score_times(a.onset_s, b.onset_s)
        rest = np.median(np.abs(s.error_ms - s.bias_ms))
        print(f"{'vocadito A1':14s} {'annotator A2':20s} {s.f50:.3f} {s.recall:7.3f} {s.precision:10.3f} "
              f"{s.bias_ms:+9.2f} {s.robust_sd_ms:13.2f} {rest:23.2f}")  # fmt: skip
