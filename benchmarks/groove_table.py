"""Measure every take of a Groove MIDI folder against its own click and print a table per drummer.

    python benchmarks/groove_table.py GROOVE_FOLDER

Medians and quartiles over takes of at least 300 hits; `within` is the spread about the mean of each instrument and
position in the bar, `kit` what remains of a moment's mean after that template. Beside them stand the figures of the
trial that the project starts from (271 straight and triplet takes of the full set, other code, nearest grid line).
"""

import csv
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from takeprint.analysis import measure
from takeprint.analysis.fluctuation import describe
from takeprint.analysis.tempo import mean_onsets

TRIAL = (
    "trial, 196 takes: timing sd 22.4 [19.0, 25.6], within 17.9 [15.4, 20.3], "
    "kit lag-1 0.55 [0.45, 0.64], kit DFA 0.97 [0.89, 1.03], asynchrony 17.6"
)


def within(d):
    """Return the spread about the template, and lag-1 and DFA exponent of the kit's mean residual after it."""
    rows = (d.notes.ornament == "") & (d.notes.label == "match")
    _, in_bar = d.metre.position(d.notes.reference_beat[rows])
    key = [f"{i}@{round(b * 12)}" for i, b in zip(d.notes.instrument[rows], in_bar, strict=True)]
    _, index = np.unique(key, return_inverse=True)
    timing = d.notes.timing_ms[rows]
    count = np.bincount(index)
    several = count[index] > 1
    mean = np.bincount(index, weights=timing) / count
    residual = timing - mean[index]
    spread = float(np.sqrt((residual[several] ** 2).sum() / max(several.sum() - (count > 1).sum(), 1)))
    _, kit, _ = mean_onsets(d.notes.reference_beat[rows], residual)
    memory = describe(kit)
    return spread, memory["lag1"], memory["dfa_exponent"]


def main(folder):
    rows = list(csv.DictReader(open(folder / "info.csv")))
    by_drummer, failures, start = defaultdict(list), [], time.perf_counter()
    for row in rows:
        path = folder / row["midi_filename"]
        try:
            d = measure(path, click="file")
        except ValueError as wrong:
            failures.append(f"{path}: {wrong}")
            continue
        t = d.summary.get("timing", {})
        if t.get("n", 0) >= 300:
            spread, lag1, exponent = within(d)
            figures = (
                t["sd"],
                spread,
                t["lag1"],
                t["dfa_exponent"],
                lag1,
                exponent,
                d.latency_ms,
                t["asynchrony_sd_ms"],
            )
            by_drummer[row["drummer"]].append(figures)
            by_drummer["all"].append(figures)
    seconds = time.perf_counter() - start
    print(f"{len(rows) - len(failures)} of {len(rows)} takes measured in {seconds:.1f} s, {len(failures)} failures")
    print(*failures, sep="\n")
    names = ("timing sd ms", "within sd ms", "lag-1", "DFA", "kit lag-1", "kit DFA", "latency ms", "asynchrony ms")
    print(f"{'drummer':<10}{'takes':>6}" + "".join(f"{n:>23}" for n in names))
    for drummer in sorted(by_drummer, key=lambda d: (d == "all", len(d), d)):
        figures = np.array(by_drummer[drummer])
        cells = [f"{m:.2f} [{a:.2f}, {b:.2f}]" for a, m, b in np.nanpercentile(figures, [25, 50, 75], axis=0).T]
        print(f"{drummer:<10}{len(figures):>6}" + "".join(f"{c:>23}" for c in cells))
    print(TRIAL)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
