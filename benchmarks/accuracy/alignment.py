"""Note alignment of real pianists' takes with their scores, against the human match files.

Sets are ``vienna`` and ``asap`` (see `truth`), halved by takes: ``--fold``. A matched pair is right where the truth has
it, a missed note where the truth says it is not played, an added note where the truth knows no written note for it;
counts are pooled over the takes of a set.

- Unisons: two voices that write the same pitch at the same beat are one place with two notes; which of the two was
  played cannot be heard. So pairs and missed notes are compared by (beat, pitch), as multisets.
- The notes of an ornament that the truth labels so (trill, turn) have no written note: to add them is right. The files
  here label none, their trills are plain insertions; grace notes are written notes and must be paired.
- A written note that more than half of a piece's takes miss (of at least three takes) is rather a fault of the score
  file: missed notes are told with and without these places.

- Where the truth leaves a written note out and the same pitch, played just there, without a written note
  (`Truth.contradictions`: a Haydn cadenza), it may be wrong itself: the figures are told without these notes too.

Then the same takes edited (`edited_takes`): stopped, cut, begun again, full of mistakes, hands apart, at half the
tempo; and whether the passage that was cut or replayed is told as one, within a quarter of its beats. The dual matcher
is not made for leaps; it stands beside ours on Vienna's.

With ``--extras`` every wrong pair is printed. CPU seconds are the process's own, of the whole set, after one warming
run. parangonar's automatic matcher takes ten seconds a piece, so it runs on four takes spread over each set, named
there, and ours is told for the same takes beside it; its dual matcher runs on all.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from edited_takes import EDITS, PASSAGES, Stretch, edited
from peers import installed
from settings import SETTINGS
from truth import Truth, asap, half, vienna

from takeprint.analysis.align import align_notes
from takeprint.core.errors import TakeprintError
from takeprint.core.notes import Notes

SETS = {"vienna": vienna, "asap": asap}
TARGETS = {
    ("vienna", "matches"): "target 0.998, parangonar 0.9975, its least 0.991",
    ("asap", "matches"): "target 0.994, parangonar 0.986 to 1.000",
    ("vienna", "insertions"): "target 0.93",
    ("asap", "insertions"): "target 0.93",
    ("vienna", "deletions"): "target 0.85",
    ("asap", "deletions"): "target 0.85",
}
Place = tuple[float, int]
# (score, take) -> score row, take row of the matches
Aligner = Callable[[Truth], np.ndarray]


@dataclass
class Tally:
    """Hits, truths and answers of one kind."""

    hits: int = 0
    truths: int = 0
    told: int = 0

    def add(self, truth: Counter[Any], told: Counter[Any]) -> None:
        self.hits += sum((truth & told).values())
        self.truths += sum(truth.values())
        self.told += sum(told.values())

    @property
    def precision(self) -> float:
        return self.hits / self.told if self.told else 1.0

    @property
    def recall(self) -> float:
        return self.hits / self.truths if self.truths else 1.0

    @property
    def f(self) -> float:
        return 2 * self.hits / (self.told + self.truths) if self.told + self.truths else 1.0

    def __str__(self) -> str:
        return (
            f"F {self.f:.4f}  precision {self.precision:.4f}  recall {self.recall:.4f}  "
            f"({self.hits} right of {self.told} told, {self.truths} true)"
        )


@dataclass
class Figures:
    """Figures of one aligner on one set."""

    matches: Tally = field(default_factory=Tally)
    insertions: Tally = field(default_factory=Tally)
    deletions: Tally = field(default_factory=Tally)
    sporadic: Tally = field(default_factory=Tally)  # deletions, those of most takes apart
    sure: tuple[Tally, Tally, Tally] = field(default_factory=lambda: (Tally(), Tally(), Tally()))
    contradictions: int = 0
    by_take: dict[str, tuple[Tally, Tally, Tally]] = field(default_factory=dict)
    cpu_s: float = 0.0
    n_notes: int = 0
    refused: list[str] = field(default_factory=list)


def places(notes: Notes) -> list[Place]:
    """Return (beat, pitch) of each written note."""
    return list(zip(np.round(notes.onset_beat, 4).tolist(), notes.pitch.astype(int).tolist(), strict=True))


def recurring(takes: tuple[Truth, ...]) -> dict[str, set[Place]]:
    """Return by piece the places that more than half of at least three takes miss."""
    out: dict[str, set[Place]] = {}
    for piece in {t.piece for t in takes}:
        own = [t for t in takes if t.piece == piece]
        missed = Counter(p for t in own for p in set(missed_places(t, t.pairs)))
        out[piece] = {p for p, n in missed.items() if len(own) >= 3 and n > len(own) / 2}
    return out


def missed_places(truth: Truth, pairs: np.ndarray) -> Counter[Place]:
    """Return how many notes of each place have no partner."""
    place = places(truth.score)
    return Counter(place) - Counter(place[row] for row in pairs[:, 0].tolist())


def judge(truth: Truth, pairs: np.ndarray, faults: set[Place], figures: Figures) -> None:
    """Count what an aligner says of one take; ``--extras`` prints each pair that it has and the truth has not."""
    place = places(truth.score)
    own = [Tally(), Tally(), Tally()]
    sides = []
    for rows in (truth.pairs, pairs):
        added = set(range(len(truth.take))) - set(rows[:, 1].tolist())
        sides.append((Counter((place[a], b) for a, b in rows.tolist()), Counter(added), missed_places(truth, rows)))
    for tally, pooled, true, told in zip(
        own, (figures.matches, figures.insertions, figures.deletions), *sides, strict=True
    ):
        tally.add(true, told)
        pooled.add(true, told)
    if SETTINGS.extras:
        print_wrong(truth, pairs, set(sides[0][0]), set(sides[1][0]))
    figures.sporadic.add(*(Counter({p: n for p, n in side[2].items() if p not in faults}) for side in sides))
    written, played = truth.contradictions()
    figures.contradictions += len(written)
    left_out, columns = Counter(place[row] for row in written.tolist()), set(played.tolist())
    sure = []
    for matches, added, missed in sides:
        without = Counter({key: n for key, n in matches.items() if key[1] not in columns})
        sure.append((without, Counter(added.keys() - columns), missed - left_out))
    for tally, true, told in zip(figures.sure, *sure, strict=True):
        tally.add(true, told)
    figures.by_take[f"{truth.piece}/{truth.name}"] = (own[0], own[1], own[2])
    figures.n_notes += len(truth.score)


def print_wrong(truth: Truth, pairs: np.ndarray, true: set[Any], told: set[Any]) -> None:
    """Print what is told and not true, and what is true and not told."""
    places_of = {row: place for place, row in true}
    for (beat, pitch), row in sorted(told - true):
        said = f"pitch {pitch} at {truth.take.onset_s[row]:.3f} s is beat {beat:.3f}"
        print(f"    {truth.name}: told: {said}; true: {places_of.get(row, 'added')}")
    used = set(pairs[:, 1].tolist())
    for (beat, pitch), row in sorted(true - told):
        said = f"pitch {pitch} at {truth.take.onset_s[row]:.3f} s is beat {beat:.3f}"
        print(f"    {truth.name}: true: {said}; told: {'another note' if row in used else 'added'}")


def ours(truth: Truth) -> np.ndarray:
    """Return our pairs; a slip's wrong note is a missed and an added one."""
    alignment = align_notes(truth.score, truth.take)
    rows = np.flatnonzero(alignment.take_row >= 0)
    return np.c_[rows, alignment.take_row[rows]]


def measured(aligner: Aligner, takes: tuple[Truth, ...], faults: dict[str, set[Place]]) -> Figures:
    """Align takes and count; the first is aligned once before, unmeasured."""
    figures = Figures()
    for number, truth in enumerate([takes[0], *takes]):
        begin = time.process_time()
        try:
            pairs = aligner(truth)
        except TakeprintError as refused:
            pairs = np.zeros((0, 2), dtype=np.int64)
            if number:
                figures.refused.append(f"{truth.name}: {refused}")
        if number:
            figures.cpu_s += time.process_time() - begin
            judge(truth, pairs, faults[truth.piece], figures)
    return figures


def report(name: str, figures: Figures, full: bool) -> None:
    """Print the figures of a set beside their targets, and the takes that miss them."""
    for kind in ("matches", "insertions", "deletions"):
        print(f"  {kind:24s} {getattr(figures, kind)}  [{TARGETS[name, kind]}]")
        if kind == "deletions":
            print(f"  {'less those of most takes':24s} {figures.sporadic}")
    if figures.contradictions:
        print(f"  less {figures.contradictions} notes about which the truth contradicts itself:")
        for kind, tally in zip(("matches", "insertions", "deletions"), figures.sure, strict=True):
            print(f"    {kind:22s} {tally}")
    worst = sorted(figures.by_take.items(), key=lambda item: item[1][0].f)
    print(f"  least take: matches {worst[0][1][0].f:.4f} ({worst[0][0]}); {len(worst)} takes")
    print(f"  {figures.cpu_s:.2f} s of CPU, {1e6 * figures.cpu_s / figures.n_notes:.0f} us a written note")
    for said in figures.refused:
        print(f"  refused: {said}")
    if full:
        floor = 0.998 if name == "vienna" else 0.994
        for take, tallies in worst:
            if tallies[0].f < floor:
                said = "  ".join(f"{t.f:.3f} ({t.hits}/{t.told}/{t.truths})" for t in tallies)
                print(f"    below {floor}: {take}: matches, insertions, deletions {said}")


def joined(takes: tuple[Truth, ...], n_notes: int) -> tuple[Notes, Notes]:
    """Return takes one after another, until there are that many written notes."""
    scores, played, beat, time_s = [], [], 0.0, 0.0
    while sum(len(s) for s in scores) < n_notes:
        t = takes[len(scores) % len(takes)]
        scores.append(t.score.replace(onset_beat=t.score.onset_beat + beat))
        played.append(t.take.replace(onset_s=t.take.onset_s + time_s))
        beat = float(np.ceil(scores[-1].onset_beat.max() + 8.0))
        time_s = float(played[-1].onset_s.max() + 2.0)
    return Notes.concatenate(scores).rows(slice(n_notes)), Notes.concatenate(played)


def long_one(takes: tuple[Truth, ...]) -> None:
    """Print the time of 10 000 written notes, best of three."""
    score, take = joined(takes, 10_000)
    take = take.rows(take.onset_s <= np.sort(take.onset_s)[min(10_200, len(take) - 1)])
    best = np.inf
    for _ in range(3):
        begin = time.process_time()
        align_notes(score, take)
        best = min(best, time.process_time() - begin)
    print(f"\n{len(score)} written and {len(take)} played notes: {best:.2f} s of CPU [target < 1 s]")


# --- edited --------------------------------------------------------------------------------------------------------


def told_as_one(truth: Truth, kind: str, stretch: Stretch) -> bool:
    """Tell whether our alignment has one passage of that kind, from and to about where it goes."""
    try:
        found = [p for p in align_notes(truth.score, truth.take).passages if p.kind == kind]
    except TakeprintError:
        return False
    if stretch is None or len(found) != 1:
        return False
    far = max(0.25 * (stretch[1] - stretch[0]), 2.0)
    return abs(found[0].start_beat - stretch[0]) <= far and abs(found[0].end_beat - stretch[1]) <= far


def edits(takes: tuple[Truth, ...], faults: dict[str, set[Place]], aligners: dict[str, Aligner]) -> None:
    """Print how each aligner does on edited takes, pooled."""
    for edit in EDITS:
        made = [edited(t, edit, np.random.default_rng([SETTINGS.seed, n])) for n, t in enumerate(takes)]
        for who, aligner in aligners.items():
            figures = measured(aligner, tuple(t for t, _ in made), faults)
            f = [figures.matches.f, figures.insertions.f, figures.deletions.f]
            least = min(tallies[0].f for tallies in figures.by_take.values())
            said = f"    {edit:9s} {who:30s} F of matches {f[0]:.4f} (least {least:.4f}), insertions {f[1]:.4f}, "
            said += f"deletions {f[2]:.4f}"
            if who == "ours" and edit in PASSAGES:
                told = sum(told_as_one(t, PASSAGES[edit], stretch) for t, stretch in made)
                said += f"; told as one {PASSAGES[edit]} passage: {told} of {len(made)}"
            print(said + (f"; {len(figures.refused)} refused" if figures.refused else ""))


# --- peers ---------------------------------------------------------------------------------------------------------


def _ids(n: int) -> list[str]:
    return [f"n{i}" for i in range(n)]


def _note_arrays(truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides as partitura's note arrays, with what parangonar reads of them."""
    score, take = truth.score, truth.take
    grace = score.duration_beat <= 0
    voice = [next((m[1:] for m in marks if m[:1] == "v" and m[1:].isdigit()), "1") for marks in truth.match.marks]
    written = np.empty(len(score), dtype=[
        ("onset_beat", "f4"), ("duration_beat", "f4"), ("onset_quarter", "f4"), ("duration_quarter", "f4"),
        ("onset_div", "i4"), ("duration_div", "i4"), ("pitch", "i4"), ("voice", "i4"), ("id", "U256"),
        ("is_grace", "?"), ("grace_type", "U20"), ("divs_pq", "i4")])  # fmt: skip
    for name in ("beat", "quarter"):
        written[f"onset_{name}"], written[f"duration_{name}"] = score.onset_beat, score.duration_beat
    written["onset_div"] = np.round(480 * score.onset_beat)
    written["duration_div"], written["divs_pq"] = np.round(480 * score.duration_beat), 480
    written["pitch"], written["voice"], written["id"] = score.pitch, [int(v) for v in voice], _ids(len(score))
    written["is_grace"], written["grace_type"] = grace, np.where(grace, "grace", "")
    played = np.empty(len(take), dtype=[
        ("onset_sec", "f4"), ("duration_sec", "f4"), ("onset_tick", "i4"), ("duration_tick", "i4"), ("pitch", "i4"),
        ("velocity", "i4"), ("track", "i4"), ("channel", "i4"), ("id", "U256")])  # fmt: skip
    played["onset_sec"], played["duration_sec"] = take.onset_s, np.nan_to_num(take.duration_s, nan=0.05)
    played["onset_tick"], played["duration_tick"] = np.round(960 * take.onset_s), np.round(960 * played["duration_sec"])
    played["pitch"], played["velocity"], played["id"] = take.pitch, take.velocity, _ids(len(take))
    played["track"], played["channel"] = 0, 0
    return written, played


def _parangonar(name: str) -> Callable[[], Aligner]:
    def opening() -> Aligner:
        import parangonar

        matcher = getattr(parangonar, name)()

        def align(truth: Truth) -> np.ndarray:
            written, played = _note_arrays(truth)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if name == "DualDTWNoteMatcher":
                    said = matcher(written, played, process_ornaments=False)
                else:
                    said = matcher(written, played, verbose_time=False)
            pairs = {(int(a["score_id"][1:]), int(a["performance_id"][1:])) for a in said if a["label"] == "match"}
            return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)

        return align

    return opening


PEERS = {f"parangonar {n}": _parangonar(n) for n in ("DualDTWNoteMatcher", "AutomaticNoteMatcher")}
FEW = {"parangonar AutomaticNoteMatcher": 4}


def spread(takes: tuple[Truth, ...], n: int) -> tuple[Truth, ...]:
    """Return some takes, spread over all."""
    return tuple(takes[i] for i in np.unique(np.linspace(0, len(takes) - 1, n).round().astype(int)))


def chosen() -> Iterator[tuple[str, tuple[Truth, ...], dict[str, set[Place]]]]:
    """Yield name, takes and faults of the score of the sets that the command line chose."""
    for name, takes in SETS.items():
        if not SETTINGS.only or name in SETTINGS.only:
            every = takes()
            yield name, half(every, SETTINGS.fold), recurring(every)


def run(peers: bool) -> None:
    """Print the figures."""
    used: list[Truth] = []
    for name, takes, faults in chosen():
        print(f"\n{name}, fold {SETTINGS.fold}: {len(takes)} takes, {sum(len(t.score) for t in takes)} written notes")
        own = measured(ours, takes, faults)
        report(name, own, full=True)
        used += takes
        print("  edited:")
        dual = {n: p for n, p in PEERS.items() if peers and name == "vienna" and n not in FEW}
        edits(takes, faults, {"ours": ours} | dict(installed(dual)))
        for peer, aligner in installed(PEERS) if peers else ():
            some = spread(takes, FEW.get(peer, len(takes)))
            print(f"\n{name}, {peer}, {len(some)} takes")
            theirs = measured(aligner, some, faults)
            report(name, theirs, full=False)
            beside = own
            if len(some) < len(takes):
                print(f"  ours, the same takes: {', '.join(t.name for t in some)}")
                beside = measured(ours, some, faults)
                report(name, beside, full=False)
            print(f"  ours is {theirs.cpu_s / beside.cpu_s:.0f} times as fast [target 50]")
    if used:
        long_one(tuple(used))
