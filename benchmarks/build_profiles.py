"""Make the shipped profiles from the Groove MIDI Dataset and from published figures.

    python benchmarks/build_profiles.py GROOVE_FOLDER [OUT_FOLDER]

GROOVE_FOLDER holds info.csv and the drummers' folders (Groove MIDI Dataset v1.0.0, CC BY 4.0). Each take is measured
against its own click (the file's tempo map), as `takeprint measure TAKE --click file` does, and fitted with
`takeprint.analysis.fit`; the constant lateness of module and click is not part of a profile. OUT_FOLDER defaults to
humanize/profiles/.
"""

from __future__ import annotations

import csv
import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np

from takeprint.analysis.fit import fit
from takeprint.analysis.measure import measure
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError
from takeprint.core.profile import Profile

ATTRIBUTION = (
    "Groove MIDI Dataset v1.0.0, Jon Gillick, Adam Roberts, Jesse Engel, Douglas Eck and David Bamman, 'Learning to "
    "Groove with Inverse Sequence Transformations', ICML 2019, Google Magenta, CC BY 4.0. Changes: deviations from the "
    "click were measured and statistics fitted; donor rows hold the measured deviations of parts of the takes listed, "
    "the kit_ arrays the last 300 hits and the habits of up to 48 of them; the network was trained on the dataset's "
    "deviations."
)
# Profile name -> which takes: (column of info.csv, values).
DRUMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "drums-rock": ("style", ("rock",)),
    "drums-funk": ("style", ("funk",)),
    "drums-jazz": ("style", ("jazz",)),
    "drums-hiphop": ("style", ("hiphop",)),
    "drums-latin": ("style", ("latin",)),
    "drums-afro": ("style", ("afrobeat", "afrocuban", "highlife")),
    "drums-neworleans": ("style", ("neworleans",)),
    "drums-drummer1": ("drummer", ("drummer1",)),
    "drums-drummer2": ("drummer", ("drummer2",)),
    "drums-drummer5": ("drummer", ("drummer5",)),
    "drums-drummer6": ("drummer", ("drummer6",)),
    "drums-drummer8": ("drummer", ("drummer8",)),
}
MIN_HITS = 96
DONOR_TAKES = 12
DONOR_HITS = 900


def chosen_rows(folder: Path) -> list[dict[str, str]]:
    """Return the takes to measure: whole grooves in 4/4, no single fills."""
    with (folder / "info.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    return [r for r in rows if r["beat_type"] == "beat" and r["time_signature"] == "4-4"]


def takes_of(rows: list[dict[str, str]], column: str, values: tuple[str, ...]) -> list[int]:
    """Return which rows belong to a profile; of a style like ``funk/rock`` the first word counts."""
    return [i for i, r in enumerate(rows) if r[column].split("/")[0] in values]


def with_few_donors(profile: Profile, drummers: list[str]) -> tuple[Profile, list[int]]:
    """Keep the donor rows of a few takes, drummers in turn, the longest first, and of each the first bars.

    Returns
    -------
    (profile, numbers of the takes kept)
    """
    take, bar = profile.arrays["take"], profile.arrays["bar"]
    hits = np.bincount(take, minlength=len(drummers))
    queues = {
        d: [t for t in np.argsort(-hits, kind="stable").tolist() if drummers[t] == d] for d in sorted(set(drummers))
    }
    kept: list[int] = []
    while len(kept) < DONOR_TAKES and any(queues.values()):
        for queue in queues.values():
            if queue and len(kept) < DONOR_TAKES:
                kept.append(queue.pop(0))
    keep = np.zeros(len(take), dtype=bool)
    for number in kept:
        rows = np.flatnonzero(take == number)
        last_bar = bar[rows[min(DONOR_HITS, len(rows) - 1)]]
        keep[rows[bar[rows] <= last_bar]] = True
    number_of = np.full(len(drummers), -1)
    number_of[kept] = np.arange(len(kept))
    of_kit = {n: a for n, a in profile.arrays.items() if n.startswith("kit_")}
    arrays = {n: a[keep] for n, a in profile.arrays.items() if n != "take_bpm" and n not in of_kit}
    arrays["take"] = number_of[arrays["take"]].astype(np.int16)
    arrays["take_bpm"] = profile.arrays["take_bpm"][kept]
    return dataclasses.replace(profile, arrays=arrays | of_kit), kept


def drum_profile(name: str, rows: list[dict[str, str]], takes: list[Deviations], command: str) -> Profile:
    """Fit one drum profile and write its card."""
    drummers = [r["drummer"] for r in rows]
    summaries = [d.summary.get("timing", {}) for d in takes]

    def middle(field: str) -> float | None:
        values = [float(s[field]) for s in summaries if s.get(field) is not None and np.isfinite(s[field])]
        return round(float(np.median(values)), 3) if values else None

    what = "style " + ", ".join(sorted({r["style"].split("/")[0] for r in rows}))
    if name.startswith("drums-drummer"):
        what = f"drummer {name.removeprefix('drums-drummer')} of the Groove MIDI Dataset"
    card: dict[str, Any] = {
        "title": f"Drums, {what}",
        "source": "Groove MIDI Dataset v1.0.0, https://magenta.tensorflow.org/datasets/groove",
        "licence": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
        "attribution": ATTRIBUTION,
        "method": "each take measured against its own click, the constant lateness taken away; metrical template per "
        "instrument and cell with shrinkage; 1/f**beta clock and white parts by Whittle's likelihood; velocity "
        "spread, memory and coupling; donor rows as measured; for the learned player the last hits and the habits of "
        "single takes, and a network (kit-network.npz) trained on the whole dataset by benchmarks/train_player.py "
        "and train_judge.py",
        "command": command,
        "drummers": sorted(set(drummers)),
        "takes": [r["midi_filename"] for r in rows],
        "limits": "Velocities and latency are those of one electronic kit. 4/4 grooves played to a click, no fills on "
        "their own. A strong classifier tells the donor's and the parametric playing from a drummer's nearly always, "
        "the learned one less surely: docs/realism.md has the figures.",
        "figures": {
            "timing_sd_ms": middle("sd"),
            "timing_lag1": middle("lag1"),
            "timing_dfa_exponent": middle("dfa_exponent"),
            "asynchrony_sd_ms": middle("asynchrony_sd_ms"),
        },
    }
    profile = fit(takes, name=name, kind="drums", card=card)
    profile, kept = with_few_donors(profile, drummers)
    donors = [
        {"take": rows[t]["midi_filename"], "drummer": rows[t]["drummer"], "bpm": int(rows[t]["bpm"])} for t in kept
    ]
    heard = [rows[t]["midi_filename"] for t in profile.arrays["kit_source"].tolist()]
    return dataclasses.replace(profile, card={**profile.card, "donors": donors, "listened_to": heard})


def piano_plain(command: str) -> Profile:
    """Return the plain piano profile: what is published, and plain choices where nothing is; no take is in it."""
    names = ["bass", "inner", "top"]
    apart = {"bass": 6.0, "inner": 5.0, "top": 4.0}
    louder = {"bass": -2.0, "inner": -6.0, "top": 6.0}
    nothing = {"between_takes": 0.0, "between_takes_cell": 0.0}
    timing = {v: {"n": 0, "mean": 0.0, "sd": None, "asynchrony": apart[v], **nothing} for v in names}
    dynamics = {
        v: {"n": 0, "mean": louder[v], "sd": 5.0, "lag1": 0.3, "bar_memory": 0.0, "quantiles": None, **nothing}
        for v in names
    }
    # One cell per voice stands for all: the template has no metrical accents, the voices differ in loudness only.
    template = [
        {"voice": v, "cell": 0, "beat": 1.0, "n": 1, "timing_ms": 0.0, "velocity": louder[v], "velocity_sd": 5.0}
        for v in names
    ]
    model = {
        "takes": 0,
        "notes": 0,
        "voices": names,
        "template": template,
        "timing": {
            "n": 0,
            "voices": timing,
            "clock": {"n": 0, "measured": False, "beta": 1.0, "sd": 8.0, "window": 128, "motor": 3.0},
            "coupling": {"n": 0, "ms_per_velocity": -1.5, "correlation": None},
        },
        "dynamics": {"n": 0, "absolute": False, "quantile_levels": None, "voices": dynamics},
        "articulation": {"n": 0, "mean_log2": -0.07, "sd_log2": 0.12, "lag1": 0.2},
        "tempo": {
            "n": 0,
            "arch_log2": 0.02,
            "phrase_beats": 16,
            "drift_sd_log2": 0.02,
            "beta": 1.0,
            "corner": 1 / 64,
            "window": 64,
        },
    }
    card = {
        "title": "Piano, plain: published findings and plain choices, no recording",
        "source": [
            "Goebl 2001, Melody lead in piano performance: expressive device or artifact?, JASA 110, "
            "doi 10.1121/1.1376133: the melody sounds about 30 ms early, and nearly all of it follows from its being "
            "louder. Taken: the timing inside a chord follows velocity alone; the slope is chosen so that 20 steps "
            "of velocity give 30 ms.",
            "Repp 1997, Variability of timing in expressive piano performance increases with interval duration: the "
            "sd of intervals grows in proportion to them above about 300 ms. Taken: tempo changes are ratios.",
            "Hennig et al. 2011, PLoS ONE 6:e26457; Gilden, Thornton and Mallon 1995, Science 267: timing of people "
            "holds a 1/f part and a white part. Taken: a clock with beta 1 and a white motor part.",
            "Todd 1992, The dynamics of dynamics, JASA 91: tempo arches over phrases. Taken: the shape.",
        ],
        "licence": "CC0 1.0, https://creativecommons.org/publicdomain/zero/1.0/",
        "attribution": "none needed; the findings are the cited authors'",
        "method": "written by hand. Chosen by us, not published: the sizes of clock (8 ms), motor (3 ms), asynchrony "
        "(4 to 6 ms), velocity spread (5), voicing (top 6 louder, inner 6 softer), articulation (5 % shorter than "
        "written, sd 0.12 octaves), arch and drift of the tempo (sd 0.02 octaves each, phrases of 16 beats)",
        "command": command,
        "limits": "Plain on purpose: no rubato at cadences, no pedal, no style. Fit your own takes for a pianist.",
        "figures": {"takes": 0, "notes": 0, "clock_sd_ms": 8.0, "beta": 1.0, "ms_per_velocity": -1.5},
    }
    return Profile(name="piano-plain", kind="keyboard", card=card, model=model)


def main(groove: Path, out: Path) -> None:
    """Measure every take once, then fit and write every profile."""
    command = "python benchmarks/build_profiles.py GROOVE_FOLDER"
    out.mkdir(parents=True, exist_ok=True)
    piano_plain(command).save(out / "piano-plain.json", force=True)
    rows = chosen_rows(groove)
    measured: dict[int, Deviations] = {}
    for i, row in enumerate(rows):
        try:
            d = measure(groove / row["midi_filename"], click="file")
        except TakeprintError as refused:
            print(f"left out: {refused}")
            continue
        if (d.notes.label == "match").sum() >= MIN_HITS:
            measured[i] = d
    print(f"{len(measured)} of {len(rows)} takes have {MIN_HITS} hits or more")
    heads = ("takes", "hits", "sd ms", "clock", "beta", "corner", "lag-1", "DFA", "kB")
    print(f"{'profile':18}" + "".join(f"{head:>9}" for head in heads))
    for name, (column, values) in DRUMS.items():
        mine = [i for i in takes_of(rows, column, values) if i in measured]
        profile = drum_profile(name, [rows[i] for i in mine], [measured[i] for i in mine], command)
        profile.save(out / f"{name}.json", force=True)
        clock, figures = profile.model["timing"]["clock"], profile.card["figures"]
        size = sum((out / f"{name}.{end}").stat().st_size for end in ("json", "npz")) / 1000
        cells: tuple[float, ...] = (
            profile.model["takes"],
            profile.model["notes"],
            figures["timing_sd_ms"],
            clock["sd"],
            clock["beta"],
        )
        cells += (clock["corner"], clock["lag1"], clock["dfa_exponent"], round(size))
        print(f"{name:18}" + "".join(f"{round(cell, 3):>9}" for cell in cells))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    here = Path(__file__).resolve().parents[1] / "humanize" / "profiles"
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else here)
