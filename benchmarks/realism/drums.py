"""Drums: what a judge makes of our players, of the guards and of people, on the Groove drummers.

python benchmarks/realism drums --guards                     guards, the trial's donors, ours; floors
python benchmarks/realism drums --setting unseen --rotation 1 --players learned --weights DIR
python benchmarks/realism drums --accents --players donor    scores with accents, kept
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np

from . import players
from .accents import with_usual_accents
from .bench import COLUMNS, Bench, Verdict, evenly
from .cache import Cache, sources
from .figures import statistics_of, table
from .guards import GUARDS
from .other_eyes import other_auc
from .sets import groove_takes
from .splits import SPLITS

TRIAL = ("trial-i", "trial-i2", "trial-i3")
OURS = ("parametric", "donor")
# What must hold in every run that says how real a player is: else the test has failed, not the player.
LEAST_IID, NULL, LEAST_TRIAL = 0.97, (0.40, 0.60), 0.80


def options(said: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    said.add_argument("--setting", choices=tuple(SPLITS), default="same", help="drummers of A and B are in G, or not")
    said.add_argument("--rotation", type=int, default=0, help="which part is G, A, B: 0 to 5; 0 is tuned on")
    said.add_argument("--players", nargs="*", default=[], metavar="NAME", help="name or name:option=value,…")
    said.add_argument("--guards", action="store_true", help="the guards and the trial's players too, with verdicts")
    said.add_argument("--seed", type=int, default=0)
    said.add_argument("--channels", choices=tuple(COLUMNS), action="append", help="columns; default all three")
    said.add_argument(
        "--accents",
        nargs="?",
        const="usual",
        choices=("usual", "played"),
        help="scores with accents, which players keep: the take's mean of each place (default), or all as played",
    )
    said.add_argument("--weights", metavar="DIR", help="holds learned-<setting>-<rotation>.npz")
    said.add_argument("--cache", metavar="DIR", help="default: a folder below the temporary one")
    said.add_argument("--groove", metavar="DIR", help="another folder laid out like the Groove MIDI Dataset")
    said.add_argument("--jobs", type=int, default=1)
    said.add_argument("--windows", type=int, default=40, metavar="N", help="windows a take at most")
    said.add_argument("--takes", type=int, default=0, metavar="N", help="a quick look: only N takes of A and of B")
    said.add_argument("--no-floors", action="store_true")
    said.add_argument("--other-eyes", action="store_true", help="a second judge, that sees none of the features")
    said.add_argument("--stats", action="store_true", help="figures a drummer, real and made, for every player named")


def run(chosen: argparse.Namespace) -> int:
    """Print the tables; return 1 where a guard fails."""
    cache = Cache(chosen.cache)
    items = groove_takes(Path(chosen.groove) if chosen.groove else None, cache=cache, jobs=chosen.jobs)
    split = SPLITS[chosen.setting](items, chosen.rotation)
    if not all(split):
        counts = ", ".join(f"{role} {len(part)}" for role, part in zip("GAB", split, strict=True))
        raise SystemExit(f"too few takes for this setting ({counts}): it needs three parts of players or of pieces")
    if chosen.takes:
        split = (split[0], _some(split[1], chosen.takes), _some(split[2], chosen.takes))
    if chosen.accents == "usual":
        split = (split[0], *([with_usual_accents(item) for item in part] for part in split[1:]))
    bench = Bench(
        split,
        "drums",
        seed=chosen.seed,
        jobs=chosen.jobs,
        cache=cache,
        accents=bool(chosen.accents),
        per_take=chosen.windows,
        columns={name: COLUMNS[name] for name in (chosen.channels or COLUMNS)},
    )
    _say_split(chosen, bench)
    held = chosen.no_floors or _floors(bench)
    ours = chosen.players or ([*OURS] if chosen.guards else ["ours"])
    guards = [*GUARDS, *TRIAL] if chosen.guards else []
    print(_head(bench.columns))
    verdicts: dict[str, Verdict] = {}
    for name in (*guards, *ours):
        depends = _depends(name, chosen)
        played = bench.played(name, lambda name=name: _make(name, chosen), depends)
        verdicts[name] = bench.judged(name, played, depends)
        print(_line(name, verdicts[name], played.seconds), flush=True)
        if chosen.other_eyes:
            real = tuple([item.deviations for item in part] for part in bench.split[1:])
            auc, low, high = other_auc(real, played.takes, chosen.seed)  # type: ignore[arg-type]
            print(f"{'  by random convolutions':<26}{f'{auc:.3f} [{low:.2f}, {high:.2f}]':>20}", flush=True)
        if chosen.stats and name in ours:
            _statistics(bench, name, bench.statistics(played))
    if chosen.guards and not chosen.accents and "all" in bench.columns:
        held &= _guards_hold(verdicts)
        _gates(verdicts, ours)
    _best(bench, verdicts, [name for name in ours if name != "itself"], chosen)
    return int(not held)


def _best(bench: Bench, verdicts: dict[str, Verdict], names: list[str], chosen: argparse.Namespace) -> None:
    """Print what gives the best of some players away, and how its takes stand beside real ones."""
    if not names or "all" not in bench.columns:
        return
    best = min(names, key=lambda name: verdicts[name].auc["all"][0])
    print(f"\nwhat gives {best} away (made against real, medians over windows of B):")
    print(*(f"  {said}" for said in verdicts[best].tells), sep="\n")
    if not chosen.stats:
        played = bench.played(best, lambda: _make(best, chosen), _depends(best, chosen))
        _statistics(bench, best, bench.statistics(played))


def _some(items: list, n: int) -> list:
    """Return ``n`` items, evenly over the list."""
    return [items[i] for i in evenly(len(items), n)]


def _make(name: str, chosen: argparse.Namespace):
    weights = Path(chosen.weights) if chosen.weights else None
    return players.make(name, setting=chosen.setting, rotation=chosen.rotation, weights=weights)


def _depends(name: str, chosen: argparse.Namespace) -> tuple:
    """Return what else a player's playing depends on than the benchmark's own files."""
    base = name.partition(":")[0]
    if base in GUARDS or base in TRIAL or base == "itself":
        return (chosen.setting, chosen.rotation, *([chosen.accents] if chosen.accents else []))
    found = [sources("analysis/*.py", "core/**/*.py", "humanize/**/*.py", "humanize/**/*.json", "humanize/**/*.npz")]
    found.append(sources("benchmarks/realism/ours.py"))
    if chosen.weights:
        path = Path(chosen.weights) / f"learned-{chosen.setting}-{chosen.rotation}.npz"
        found.append(hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none")
    return (chosen.setting, chosen.rotation, *([chosen.accents] if chosen.accents else []), *found)


def _say_split(chosen: argparse.Namespace, bench: Bench) -> None:
    kept = {"usual": "each place's usual accents kept", "played": "accents as played kept", None: "accents regenerated"}
    mode = kept[chosen.accents]
    print(f"drums, {chosen.setting} drummers, rotation {chosen.rotation}, seed {chosen.seed}, {mode}")
    for role, part in zip("GAB", bench.split, strict=True):
        groups = {}
        for item in part:
            groups[item.group] = groups.get(item.group, 0) + 1
        said = ", ".join(f"{name} {count}" for name, count in sorted(groups.items()))
        print(f"  {role}: {len(part)} takes, {sum(map(len, part))} hits ({said})")
    print(f"  windows of 48 hits, at most {bench.per_take} a take: A {len(bench.real[0])}, B {len(bench.real[1])}")


def _floors(bench: Bench) -> bool:
    """Print the floors; return whether random labels stay within their bounds."""
    null, people = bench.floors()
    print(f"\nfloor, random labels: {' '.join(f'{a:.2f}' for a in null)}")
    if people:
        pairs = [a for _, _, a in people]
        said = ", ".join(f"{one}-{other} {a:.2f}" for one, other, a in people)
        print(f"floor, drummer against drummer: mean {np.mean(pairs):.2f} ({said})")
    print("floor, another drummer's own deviations on the same score: no two drummers play one score in this set")
    held = all(NULL[0] <= a <= NULL[1] for a in null)
    print(f"{'held  ' if held else 'FAILED'}  random labels lie within {NULL[0]} and {NULL[1]}")
    return held


def _head(columns: dict) -> str:
    return f"\n{'player':<26}" + "".join(f"{name:>20}" for name in columns) + f"{'energy':>8}{'copied':>10}{'s':>7}"


def _line(name: str, verdict: Verdict, seconds: float) -> str:
    cells = "".join(f"{f'{a:.3f} [{low:.2f}, {high:.2f}]':>20}" for a, low, high in verdict.auc.values())
    return f"{name:<26}{cells}{verdict.energy:>7.1f}x{100 * verdict.copied:>8.2f} %{seconds:>7.1f}"


def _statistics(bench: Bench, name: str, made: np.ndarray) -> None:
    part = bench.split[2]
    real = np.array([statistics_of(item.deviations) for item in part])
    print(f"\n{name}: takes of B with 300 hits or more, medians")
    print(*table(np.array([item.group for item in part]), real, made), sep="\n")


def _guards_hold(verdicts: dict[str, Verdict]) -> bool:
    """Print whether the guards hold."""
    iid = verdicts["iid"].auc["all"][0]
    trial = _trial(verdicts)
    held = [
        (f"independent noise is told: {iid:.3f} >= {LEAST_IID}", iid >= LEAST_IID),
        (f"the trial's best donor is told: {trial[0]:.3f} >= {LEAST_TRIAL}", trial[0] >= LEAST_TRIAL),
    ]
    print()
    for said, true in held:
        print(f"{'held  ' if true else 'FAILED'}  {said}")
    return all(true for _, true in held)


def _trial(verdicts: dict[str, Verdict]) -> tuple[float, float, float]:
    return min((verdicts[name].auc["all"] for name in TRIAL), key=lambda found: found[0])


def _gates(verdicts: dict[str, Verdict], ours: list[str]) -> None:
    """Print of each player whether it comes below the trial's best by more than the bounds, and copies nothing."""
    trial = _trial(verdicts)
    for name in ours:
        (found, low, high), copied = verdicts[name].auc["all"], verdicts[name].copied
        below = "" if high < trial[1] else "not "
        print(
            f"gate    {name}: {found:.3f} [{low:.3f}, {high:.3f}] is {below}below the trial's {trial[0]:.3f} "
            f"[{trial[1]:.3f}, {trial[2]:.3f}] by more than the bounds; {100 * copied:.3f} % of its blocks are copies"
        )


__all__ = ["options", "run"]
