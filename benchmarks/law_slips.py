"""Plant slips in performances of written MIDI, render, measure, and count what is found again.

    python benchmarks/law_slips.py FOLDER [--rate 1 3 10] [--every 1]

FOLDER is searched for MIDI files that are written out (scores, drum grooves); each is performed by the shipped
profiles, slips are laid in, and the rendered file is measured against the score. Found: same kind within 150 ms, and
for wrong and missed notes the same written pitch. Ghosted strokes are no slips to a listener: they count as found where
their velocity came out as planted.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from takeprint.analysis import measure
from takeprint.core.errors import TakeprintError
from takeprint.core.take import load_take
from takeprint.humanize import perform, render
from takeprint.humanize.players.part import Dice
from takeprint.humanize.players.slip_makers import SHARES, invent_slips

NEAR_S = 0.15


def trial(path: Path, rate: float, seed: int, scratch: Path) -> tuple[Counter[str], Counter[str], Counter[str], int]:
    """Return (planted, found, told) by kind, and how many notes the score has."""
    take = load_take(path)
    made = perform(take, seed=seed)
    made = invent_slips(made, take.notes, take.timeline, rate, Dice(seed, take.sha256, "slips"))
    rendered = render(take, made)
    out = scratch / "played.mid"
    rendered.save(out, force=True)
    back = measure(out, against=path)
    found: Counter[str] = Counter()
    used: set[int] = set()
    for slip in made.slips:
        for i, other in enumerate(back.slips):
            near = other["kind"] == slip["kind"] and abs(other["time_s"] - slip["time_s"]) < NEAR_S
            exact = slip["kind"] not in ("wrong", "missed") or other.get("pitch_written") == slip["pitch_written"]
            if i not in used and near and exact:
                used.add(i)
                found[slip["kind"]] += 1
                break
    ghosts = [slip["slip_id"] for slip in made.slips if slip["kind"] == "ghosted"]
    planted = made.notes.rows(np.isin(made.notes.slip_id, ghosts))
    heard = back.notes.rows(back.notes.label == "match")
    velocity = dict(zip(heard.reference_index.tolist(), heard.velocity.tolist(), strict=True))
    found["ghosted"] = sum(
        abs(velocity.get(i, np.inf) - v) <= 0.5
        for i, v in zip(planted.reference_index.tolist(), planted.velocity.tolist(), strict=True)
    )
    kinds = (Counter(slip["kind"] for slip in slips) for slips in (made.slips, back.slips))
    of_made, of_back = kinds
    return of_made, found, of_back, len(take.notes)


def main() -> None:
    """Print a table a rate."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("folder", type=Path)
    ask.add_argument("--rate", type=float, nargs="+", default=[1.0, 3.0, 10.0])
    ask.add_argument("--every", type=int, default=1)
    ask.add_argument("--pattern", default="*.mid")
    said = ask.parse_args()
    paths = sorted(said.folder.rglob(said.pattern))[:: said.every]
    for rate in said.rate:
        planted, found, told, notes, files = Counter(), Counter(), Counter(), 0, 0
        with tempfile.TemporaryDirectory() as scratch:
            for seed, path in enumerate(paths):
                try:
                    p, f, t, n = trial(path, rate, seed, Path(scratch))
                except TakeprintError as refused:
                    print(f"left out: {refused}")
                    continue
                planted, found, told, notes, files = planted + p, found + f, told + t, notes + n, files + 1
        print(f"rate {rate:g} in 100: {files} files, {notes} notes, {sum(planted.values())} slips planted")
        print(f"  {'kind':12}{'planted':>9}{'found':>9}{'told':>9}{'recall':>9}{'precision':>11}")
        for kind in SHARES:
            recall = found[kind] / planted[kind] if planted[kind] else float("nan")
            sure = found[kind] / told[kind] if told[kind] else float("nan")
            print(f"  {kind:12}{planted[kind]:9}{found[kind]:9}{told[kind]:9}{recall:9.3f}{sure:11.3f}")


if __name__ == "__main__":
    main()
