"""Piano: what a judge makes of our player, of jitter, of the trial's players and of other pianists' own deviations.

python benchmarks/realism piano --guards                 guards, the trial's players, ours; floors
python benchmarks/realism piano --rotation 1 --players ours free; free-tempo, free-level: only that
python benchmarks/realism piano --setting pieces-known   pianists apart, pieces shared
python benchmarks/realism piano --nearness               is a player fitted from one take nearer to that pianist?

G, A and B share no pianist and (``unseen``) no piece. A synthetic take keeps the tempo and level curves of the real
take on its score, as in the trial; ``free`` has to invent tempo and level too.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import piano_nearness
from .bench import Bench, Verdict
from .cache import Cache, measuring, sources
from .piano_players import Free, Gaussian, Generator, Hennig, Ours, Partly, Quantized, Shuffled, TrialMotif
from .piano_sets import ROTATIONS, PianoItem, pianist_split, piano_items, piano_split, remeasured
from .piano_transplant import transplant_floor

COLUMNS: dict[str, tuple[str, ...] | None] = {
    "all": None,
    "timing": ("timing", "context"),
    "velocity": ("velocity", "context"),
    "articulation": ("articulation", "context"),
}
PLAYERS: dict[str, Callable[[], Generator]] = {
    "quantized": Quantized,
    "gaussian": Gaussian,
    "hennig": Hennig,
    "trial-j8": lambda: TrialMotif(standardised=False),
    "trial-k8": lambda: TrialMotif(standardised=True),
    "ours": Ours,
    "no-memory": lambda: Ours(memory=False),
    "shuffled": Shuffled,
    "free-tempo": lambda: Partly(tempo=True, level=False),
    "free-level": lambda: Partly(tempo=False, level=True),
    "free": Free,
}
SPLITS = {"unseen": piano_split, "pieces-known": pianist_split}
GUARDS = ("gaussian", "hennig", "trial-j8", "trial-k8")
LEAST_IID, NULL, LEAST_TRIAL = 0.97, (0.40, 0.60), 0.80


def options(said: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    said.add_argument("--setting", choices=tuple(SPLITS), default="unseen", help="pieces of A and B are in G, or not")
    said.add_argument("--rotation", type=int, default=0, choices=range(ROTATIONS), help="0 is tuned on")
    said.add_argument("--players", nargs="*", default=[], choices=tuple(PLAYERS))
    said.add_argument("--guards", action="store_true", help="the guards and the trial's players too, with verdicts")
    said.add_argument("--seed", type=int, default=0)
    said.add_argument("--channels", choices=tuple(COLUMNS), action="append", help="columns; default all")
    said.add_argument("--vienna", metavar="DIR", help="Vienna 4x22; default vienna4x22 of the shared data")
    said.add_argument("--asap", metavar="DIR", help="ASAP; default restricted/asap of the shared data")
    said.add_argument("--cache", metavar="DIR", help="default: a folder below the temporary one")
    said.add_argument("--jobs", type=int, default=1)
    said.add_argument("--no-floors", action="store_true")
    said.add_argument("--nearness", action="store_true", help="only: players fitted from one take each")


def run(chosen: argparse.Namespace) -> int:
    """Print the tables; return 1 where a guard fails."""
    cache = Cache(chosen.cache)
    items = _items(chosen, cache)
    if not items:
        raise SystemExit("no piano takes: say --vienna DIR or --asap DIR")
    if chosen.nearness:
        return piano_nearness.run(items, chosen.seed)
    bench = Bench(
        SPLITS[chosen.setting](items, chosen.rotation),
        "keyboard",
        seed=chosen.seed,
        jobs=chosen.jobs,
        cache=cache,
        remeasure=lambda item, made, _: remeasured(item, made),
        columns={name: COLUMNS[name] for name in (chosen.channels or COLUMNS)},
    )
    _say_split(chosen, bench)
    held = chosen.no_floors or _floors(bench, items)
    print(f"\n{'player':12s}" + "".join(f"{name:>24s}" for name in bench.columns) + "  energy copied seconds")
    verdicts: dict[str, Verdict] = {}
    for name in (*(GUARDS if chosen.guards else ()), *(chosen.players or ["ours"])):
        depends = (chosen.setting, chosen.rotation, _program())
        played = bench.played(name, PLAYERS[name], depends)
        verdicts[name] = bench.judged(name, played, depends)
        _line(name, verdicts[name], played.seconds)
    if chosen.guards and "all" in bench.columns:
        held &= _guards_hold(verdicts)
    for name in chosen.players or ["ours"]:
        print(f"\nwhat gives {name} away (made against real, medians over windows of B):")
        print(*(f"  {said}" for said in verdicts[name].tells), sep="\n")
    return int(not held)


def _items(chosen: argparse.Namespace, cache: Cache) -> list[PianoItem]:
    data = Path(os.environ.get("TAKEPRINT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    vienna = Path(chosen.vienna) if chosen.vienna else data / "vienna4x22"
    asap = Path(chosen.asap) if chosen.asap else data / "restricted" / "asap"
    key = (vienna, asap, measuring(), sources("benchmarks/realism/piano_sets.py", "humanize/render_midi.py"))
    return cache.of("piano-items", key, lambda: piano_items(vienna, asap))


def _program() -> str:
    return sources(
        "benchmarks/realism/piano_players.py", "benchmarks/realism/piano_sets.py", "humanize/players/*.py",
        "humanize/perform.py", "analysis/keyboard_model.py", "analysis/shape_model.py", "analysis/boosting.py",
        "core/*.py", "core/kernels/*.py",
    )  # fmt: skip


def _say_split(chosen: argparse.Namespace, bench: Bench) -> None:
    what = {"unseen": "unseen pianists and pieces", "pieces-known": "unseen pianists, known pieces"}[chosen.setting]
    print(f"piano, {what}, rotation {chosen.rotation}, seed {chosen.seed}")
    for role, part in zip("GAB", bench.split, strict=True):
        pieces, people = len({i.piece for i in part}), len({i.group for i in part})
        vienna = sum(i.piece.startswith("vienna") for i in part)
        print(
            f"  {role}: {len(part)} takes ({vienna} of Vienna), {sum(map(len, part))} notes, {people} pianists, ",
            end="",
        )
        print(f"{pieces} pieces")
    print(f"  windows of 48 notes: A {len(bench.real[0])}, B {len(bench.real[1])}")


def _floors(bench: Bench, items: list[PianoItem]) -> bool:
    null = bench.random_labels()
    print(f"\nfloor, random labels: {' '.join(f'{a:.2f}' for a in null)}")
    for said in transplant_floor(items, bench.seed):
        print(f"floor, {said}")
    mean = float(np.mean(null))
    held = NULL[0] <= mean <= NULL[1]
    print(f"guard, random labels within {NULL}: {'holds' if held else 'FAILS'} (mean {mean:.2f})")
    return held


def _line(name: str, verdict: Verdict, seconds: float) -> None:
    cells = "".join(f"{a:10.3f} [{low:.3f}, {high:.3f}]".rjust(24) for a, low, high in verdict.auc.values())
    print(f"{name:12s}{cells}  {verdict.energy:5.2f}x {verdict.copied:6.4f} {seconds:6.0f}", flush=True)


def _guards_hold(verdicts: dict[str, Verdict]) -> bool:
    iid = verdicts["gaussian"].auc["all"][0]
    trial = min(verdicts[name].auc["all"][0] for name in ("trial-j8", "trial-k8"))
    print(f"\nguard, iid Gaussian at least {LEAST_IID}: {'holds' if iid >= LEAST_IID else 'FAILS'} ({iid:.3f})")
    held = "holds" if trial >= LEAST_TRIAL else "FAILS"
    print(f"guard, the trial's players at least {LEAST_TRIAL}: {held} ({trial:.3f})")
    if "ours" in verdicts:
        best = min(("trial-j8", "trial-k8"), key=lambda name: verdicts[name].auc["all"][0])
        ours, theirs = verdicts["ours"].auc["all"], verdicts[best].auc["all"]
        apart = ours[2] < theirs[1]
        print(f"gate, ours below {best} by more than both intervals: {'holds' if apart else 'FAILS'}")
    return iid >= LEAST_IID and trial >= LEAST_TRIAL
