"""How well noises of fingers, strings and picks are found among notes, and how rarely where there are none.

A planted noise is found if an event starts within 50 ms of its start (one to one, nearest pairs first); every other
event is a false one, a second one for the same noise too. The looser figure counts starts within 100 ms, since a squeak
swells. No peer that finds such noises is known.
"""

from __future__ import annotations

import time
from collections import defaultdict

import friction_sets as sets
import numpy as np
from scoring import matched
from settings import SETTINGS

from takeprint.analysis.friction import find_friction

TARGET_F = 0.85
LEVELS = ((-40, -33), (-33, -26), (-26, -19), (-19, -12))


def run(peers: bool) -> None:
    """Print the tables."""
    half = SETTINGS.fold
    sources = {"emily": 6} | {program: 1 for program in sets.PLUCKED[half]}
    takes = [
        sets.take(9000 + 100 * SETTINGS.seed + 10 * k + s, half, source, 20.0)
        for k, (source, count) in enumerate(sources.items())
        for s in range(count)
    ]
    heard = {
        name: [(t, find_friction(y, sets.RATE)) for t, y in pairs]
        for name, pairs in (
            ("emilyguitar, clean", [(t, t.y) for t in takes if t.name == "emily"]),
            ("emilyguitar, live", [(t, sets.live(t.y, i)) for i, t in enumerate(takes) if t.name == "emily"]),
            ("other guitars and basses, clean", [(t, t.y) for t in takes if t.name != "emily"]),
            (
                "other guitars and basses, live",
                [(t, sets.live(t.y, i)) for i, t in enumerate(takes) if t.name != "emily"],
            ),
        )
    }
    print(f"planted -40..-12 dB against the notes, at least 0.1 s from an onset; half {half} of all samples")
    print(
        f"{'set':34} {'noises':>6} {'F':>6} {'recall':>7} {'prec.':>6} {'F100':>6} {'start ms':>9} {'p95':>6}  target F"
    )
    for name, found in heard.items():
        _row(name, found)
    for name, found in heard.items():
        _by_class_and_level(name, found)
    if peers:
        print("peers: none is known")
    _calibration([pair for found in heard.values() for pair in found])
    _false_alarms(half)
    _cost(takes[0].y)
    print("targets: F >= 0.85; CPU <= 0.25 s a minute")


def _starts(events: tuple[dict[str, float | int | str], ...]) -> np.ndarray:
    return np.array([float(e["start_s"]) for e in events])


def _row(name: str, found: list[tuple[sets.Planted, tuple]]) -> None:
    hits = wide = planted = events = 0
    errors: list[float] = []
    for take, said in found:
        starts = _starts(said)
        pairs = matched(take.start_s, starts, 0.05)
        hits += len(pairs)
        wide += len(matched(take.start_s, starts, 0.1))
        planted += len(take.start_s)
        events += len(starts)
        errors += [1000 * (starts[j] - take.start_s[i]) for i, j in pairs]
    error = np.array(errors) if errors else np.full(1, np.nan)
    print(
        f"{name:34} {planted:7d} {2 * hits / max(planted + events, 1):6.3f} {hits / max(planted, 1):7.2f} "
        f"{hits / max(events, 1):6.2f} {2 * wide / max(planted + events, 1):6.3f} {np.median(error):+9.1f} "
        f"{np.percentile(np.abs(error), 95):6.1f}  {TARGET_F}"
    )


def _by_class_and_level(name: str, found: list[tuple[sets.Planted, tuple]]) -> None:
    table: dict[str, list[bool]] = defaultdict(list)
    named: dict[str, list[str]] = defaultdict(list)
    for take, said in found:
        pairs = dict(matched(take.start_s, _starts(said), 0.05))
        for i, (kind, level) in enumerate(zip(take.kind, take.level_db, strict=True)):
            table[str(kind)].append(i in pairs)
            low = next(a for a, b in LEVELS if level < b or b == LEVELS[-1][1])
            table[f"{low} dB"].append(i in pairs)
            if i in pairs:
                named[str(kind)].append(str(said[pairs[i]]["kind"]) or "-")
    print(f"recall, {name}: " + ", ".join(f"{k} {np.mean(v):.2f} ({len(v)})" for k, v in sorted(table.items())))
    said_kinds = {k: {w: v.count(w) for w in sorted(set(v))} for k, v in sorted(named.items())}
    print("    called: " + "; ".join(f"{k} {v}" for k, v in said_kinds.items()))


def _calibration(found: list[tuple[sets.Planted, tuple]]) -> None:
    """Print of the events said with some confidence, how many are planted noises (a second event for one counts)."""
    sure, true = [], []
    for take, said in found:
        for event in said:
            sure.append(float(event["confidence"]))
            true.append(bool(np.any((event["start_s"] > take.start_s - 0.1) & (event["start_s"] < take.start_s + 0.4))))
    sure_, true_ = np.array(sure), np.array(true)
    rows = []
    for low, high in ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        mask = (sure_ >= low) & (sure_ < high)
        if mask.any():
            rows.append(f"{sure_[mask].mean():.2f} said, {true_[mask].mean():.2f} true ({mask.sum()})")
    print("confidence: " + "; ".join(rows))


def _false_alarms(half: int) -> None:
    print("false events a minute where nothing was planted:")
    events = minutes = 0.0
    for name, y in sets.silent_music(half).items():
        count, length = len(find_friction(y, sets.RATE)), len(y) / sets.RATE / 60
        print(f"    {name:58} {count / length:6.1f}")
        events, minutes = events + count, minutes + length
    print(f"    {'all':58} {events / max(minutes, 1e-9):6.1f}")


def _cost(y: np.ndarray) -> None:
    nothing = np.zeros(0)
    find_friction(y, sets.RATE, nothing)
    begin = time.process_time()
    find_friction(y, sets.RATE, nothing)
    print(f"CPU seconds a minute: {(time.process_time() - begin) / (len(y) / sets.RATE / 60):.2f}")
