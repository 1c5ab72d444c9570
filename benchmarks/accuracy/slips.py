"""Slips: planted ones, the regions that teachers marked in novices' takes, and clean takes.

A planted slip counts as found where the kind is right and: the pitches are right and the time within 0.15 s (a note
struck twice: of either stroke; a missed note: its written place, or that close to when it was played); of a stop the
same written place and the length within a third or 0.25 s; of a restart half of the replayed beats in common, told as
one. All else that is told is false. A marked region counts as hit where a slip lies in it or within 0.25 s of its
edges.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import slip_sets
from sets import shared
from settings import SETTINGS

from takeprint.analysis.align import align_notes
from takeprint.analysis.rows import score_rows
from takeprint.analysis.slips import find_slips
from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes
from takeprint.core.take import load_take

KINDS = ("missed", "wrong", "added", "repeated", "restart", "hesitation")
NEAR_S, EDGE_S = 0.15, 0.25
FAMILIES = ("vienna", "asap", "performed")
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.01)
RATES = (0.01, 0.03, 0.1)
Slip = dict[str, Any]


def slips_of(score: Notes, take: Notes, clock: Any = None) -> tuple[list[Slip], Any]:
    """Return the slips that are told of a take, and its rows; a restart has a kind of its own here."""
    alignment = align_notes(score, take, clock)
    rows, due_s = score_rows(score, take, alignment)
    slips, rows = find_slips(rows, due_s, getattr(alignment, "passages", ()))
    return [{**s, "kind": "restart"} if s["kind"] == "repeated" and "n_notes" in s else dict(s) for s in slips], rows


# --- planted -------------------------------------------------------------------------------------------------------


def _agree(truth: Slip, said: Slip) -> bool:
    if truth["kind"] != said["kind"]:
        return False
    if truth["kind"] == "restart":
        low, high = max(truth["beat_from"], said["beat_from"]), min(truth["beat_to"], said["beat_to"])
        whole = max(truth["beat_to"], said["beat_to"]) - min(truth["beat_from"], said["beat_from"])
        return high - low >= 0.5 * whole
    if truth["kind"] == "hesitation":
        off_s = abs(said["duration_s"] - truth["duration_s"])
        inside = truth["after_s"] - NEAR_S <= said["time_s"] <= truth["time_s"] + truth["duration_s"] + NEAR_S
        return inside and off_s <= max(truth["duration_s"] / 3.0, 0.25)
    if any(truth[p] is not None and truth[p] != said[p] for p in ("pitch_written", "pitch_played")):
        return False
    if truth["kind"] == "missed" and abs(said["beat"] - truth["beat"]) < 1e-3:
        return True
    return min(abs(said["time_s"] - truth[t]) for t in ("time_s", "first_s")) <= NEAR_S


def compare(planted: list[Slip], found: list[Slip]) -> tuple[Counter[str], list[Slip], list[Slip]]:
    """Pair planted and told slips; return counts by kind (hits, truths, told), what was missed, what is false."""
    counts: Counter[str] = Counter()
    free = list(found)
    lost = []
    for truth in planted:
        counts[f"{truth['kind']} truths"] += 1
        said = next((s for s in free if _agree(truth, s)), None)
        if said is None:
            lost.append(truth)
            continue
        counts[f"{truth['kind']} hits"] += 1
        counts[f"{truth['kind']} told"] += 1
        free.remove(said)
    goes = [s for s in planted if s["kind"] == "restart"]
    false = []
    for said in free:
        # The wrong note that a restart mends may be told or not: it is neither.
        if said["kind"] in ("added", "wrong") and any(abs(said["time_s"] - g["last_s"]) < NEAR_S for g in goes):
            continue
        counts[f"{said['kind']} told"] += 1
        false.append(said)
    return counts, lost, false


def _figures(counts: Counter[str], kinds: tuple[str, ...] = KINDS) -> tuple[int, float, float, float]:
    hits, truths, told = (sum(counts[f"{kind} {what}"] for kind in kinds) for what in ("hits", "truths", "told"))
    precision, recall = hits / max(told, 1), hits / max(truths, 1)
    return truths, precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def planted(family: str, fold: int) -> list[tuple[float, bool]]:
    """Print F on planted slips, by kind and by rate; return (confidence, whether right) of all that was told."""
    by_rate: dict[float, Counter[str]] = {}
    verdicts: list[tuple[float, bool]] = []
    for i, base in enumerate(slip_sets.bases(family, fold)):
        for rate in RATES:
            for seed in range(SETTINGS.seed, SETTINGS.seed + SETTINGS.seeds):
                rng = np.random.default_rng([seed, i, round(1000 * rate)])
                scene = slip_sets.plant(base, rate, rng)
                found, _ = slips_of(scene.score, scene.take)
                counts, _, false = compare(scene.planted, found)
                by_rate.setdefault(rate, Counter()).update(counts)
                wrongly = {id(said) for said in false}
                verdicts += [(said["confidence"], id(said) not in wrongly) for said in found]
    print(f"\nPlanted into {family}, fold {fold}; target F >= 0.95 over all\n")
    print("| slips a note | planted | precision | recall | F | " + " | ".join(KINDS) + " |")
    print("| --- " * (5 + len(KINDS)) + "|")
    everything: Counter[str] = sum(by_rate.values(), Counter())
    for name, counts in (*((f"{100 * r:.0f} %", c) for r, c in by_rate.items()), ("all", everything)):
        n, p, r, f = _figures(counts)
        kinds = " | ".join(f"{_figures(counts, (k,))[3]:.3f} ({counts[f'{k} truths']})" for k in KINDS)
        print(f"| {name} | {n} | {p:.3f} | {r:.3f} | {f:.3f} | {kinds} |")
    return verdicts


def confidences(verdicts: list[tuple[float, bool]]) -> None:
    """Print how often what was told with a confidence was right."""
    print("\nWhat the confidence is worth, planted slips of all families\n")
    print("| confidence | told | right |\n| --- | --- | --- |")
    for low, high in pairwise(BINS):
        inside = [right for said, right in verdicts if low <= said < high]
        if inside:
            print(f"| {low:.2f} to {min(high, 1.0):.2f} | {len(inside)} | {100 * np.mean(inside):.0f} % |")


# --- marked regions ------------------------------------------------------------------------------------------------


def marked_takes() -> list[tuple[str, Path, Path, np.ndarray]]:
    """Return (name, take, score, regions [shape=(k, 2)], seconds of the take) of the annotated novices' takes.

    An annotated file may be shifted against its take: the shift that most notes agree on is taken out.
    """
    out = []
    for marked in sorted((shared() / "restricted" / "expert-novice-piano").rglob("*-annot.mid")):
        path = marked.with_name(marked.name.replace("-annot", ""))
        notes, take = load_take(marked).notes, load_take(path).notes
        region, played = notes.rows(notes.pitch == 0), notes.rows(notes.pitch > 0)
        apart = (take.onset_s[:, None] - played.onset_s)[take.pitch[:, None] == played.pitch]
        value, count = np.unique(np.round(apart, 2), return_counts=True)
        shift = float(np.median(apart[np.abs(apart - value[count.argmax()]) < 0.03]))
        edges = np.c_[region.onset_s, region.onset_s + region.duration_s] + shift
        out.append((path.stem, path, path.with_name(f"{path.parent.name}.mxl"), edges))
    return out


def span(slip: Slip) -> tuple[float, float]:
    """Return from when to when a slip lasts."""
    return slip["time_s"], slip["time_s"] + slip.get("duration_s", 0.0)


def marked() -> None:
    """Print the share of marked regions hit, and what is told outside them."""
    print("\nRegions that teachers marked in novices' takes; target >= 0.8 hit\n")
    print("| take | half | regions | hit | slips told | outside the regions | a minute |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    total = np.zeros((2, 5))
    for i, (name, path, score, regions) in enumerate(marked_takes()):
        half = i % 2
        take = load_take(path)
        try:
            found, _ = slips_of(load_take(score).notes, take.notes, take.timeline)
        except TakeprintError as refused:
            print(f"{name} is refused, its regions count as not hit: {refused.problem}")
            found = []
        hit = [any(span(s)[1] >= a - EDGE_S and span(s)[0] <= b + EDGE_S for s in found) for a, b in regions]
        outside = [
            s for s in found if not any(span(s)[1] >= a - EDGE_S and span(s)[0] <= b + EDGE_S for a, b in regions)
        ]
        minutes = np.ptp(take.notes.onset_s) / 60.0
        total[half] += len(regions), sum(hit), len(found), len(outside), minutes
        print(f"| {name} | {half} | {len(regions)} | {sum(hit)} | {len(found)} | {len(outside)} "
              f"| {len(outside) / minutes:.1f} |")  # fmt: skip
    for name, row in (("tuning half (0)", total[0]), ("checking half (1)", total[1]), ("all", total.sum(axis=0))):
        print(f"| {name} | | {row[0]:.0f} | {row[1]:.0f} = {row[1] / row[0]:.2f} | {row[2]:.0f} | {row[3]:.0f} "
              f"| {row[3] / row[4]:.1f} |")  # fmt: skip


def unmarked() -> None:
    """Print what is told in the novices' takes that no one marked: they have slips too, how many is not known."""
    told, seconds = 0, 0.0
    for path in sorted((shared() / "restricted" / "expert-novice-piano").rglob("*.mid")):
        if "annot" in path.name or path.with_name(f"{path.stem}-annot.mid").exists():
            continue
        take = load_take(path)
        found, _ = slips_of(load_take(path.with_name(f"{path.parent.name}.mxl")).notes, take.notes, take.timeline)
        told, seconds = told + len(found), seconds + float(np.ptp(take.notes.onset_s))
    rate = 60.0 * told / seconds
    print(f"\nThe takes without marks: {told} slips told in {seconds / 60:.1f} minutes, {rate:.1f} a minute")


# --- clean takes ---------------------------------------------------------------------------------------------------


def clean(family: str, fold: int) -> None:
    """Print the share of notes called slips beyond what the match files call so."""
    print(f"\nTakes of {family} as they are, fold {fold}: slips told beyond the match files; target < 1 % of notes\n")
    print("| piece | takes | written notes | match files' | told | told beyond, notes | waits | beyond, % of notes |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    table: dict[str, np.ndarray] = {}
    for truth in slip_sets.takes(family, fold):
        try:
            found, rows = slips_of(truth.score, truth.take)
        except TakeprintError as refused:
            print(f"| {truth.name} refused: {refused} |")
            continue
        waits = [s for s in found if s["kind"] == "hesitation"]
        called = np.flatnonzero(rows.slip_id >= 0)
        missed = np.setdiff1d(rows.reference_index[called][rows.label[called] == "deletion"], truth.deletions)
        added = np.setdiff1d(rows.take_index[called][rows.label[called] == "insertion"], truth.insertions)
        row = np.array([1, len(truth.score), len(truth.deletions) + len(truth.insertions), len(found),
                        len(missed) + len(added), len(waits)])  # fmt: skip
        table[truth.piece] = table.get(truth.piece, 0) + row
    for name, row in (*sorted(table.items()), ("all", sum(table.values()))):
        print(f"| {name} | {row[0]} | {row[1]} | {row[2]} | {row[3]} | {row[4]} | {row[5]} "
              f"| {100 * (row[4] + row[5]) / row[1]:.2f} |")  # fmt: skip


def run(peers: bool) -> None:
    """Print the figures beside the targets; no peer tells slips."""
    print("\n## Slips (no peer is known)" if peers else "\n## Slips")
    families = [s for s in SETTINGS.only if s in FAMILIES] or FAMILIES
    verdicts = [v for family in families for v in planted(family, SETTINGS.fold)]
    confidences(verdicts)
    marked()
    unmarked()
    for family in families:
        if family != "performed":
            clean(family, SETTINGS.fold)
