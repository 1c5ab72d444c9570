"""Do our players listen to each other as people do? Ensemble statistics of whole songs, real and invented.

    python benchmarks/realism ensemble [--data FOLDER] [--draws N] [--seed N]

Three songs of the IEMP corpus of Cuban son and salsa: onsets of seven to nine parts on a grid of sixteenths. Every
player keeps the song's own onsets and metrical templates; only what is left of the timing is invented:

- ``own series, shifted``: each part's own real residuals, moved along by a random number of notes, so that its spread
  and memory are exactly the real ones and only the listening is gone (the strongest independent jitter there is);
- ``1/f, independent`` and ``Gaussian, independent``: with each part's own real spread;
- ``..., coupled``: the same players after ``humanize.ensemble.couple``, its figures fitted to the other two songs;
- ``figures of other songs, coupled``: spread, memory and coupling all from the other two songs.

Distances to the real song, mean over the pairs that share at least 60 moments: of the asynchrony's sd (ms), of the
correlations at lags -4 to 4 (root mean square), of the asynchrony's lag-1 autocorrelation. Of the parts: lag-1 and the
sd of their push and drag from section to section (ms). What was not fitted to: who leads (the gain of strings, bass
and winds on percussion less the reverse) and the asynchrony's DFA exponent. The floor is a song's one half against the
other, which stands on half the moments, so it is rather too high.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np

from takeprint.analysis.ensemble import PartTimes, residuals
from takeprint.analysis.ensemble_statistics import correction_gains, lagged_correlation
from takeprint.analysis.fluctuation import dfa
from takeprint.core.fractional import circle_length, fit_noise, fractional_noise
from takeprint.core.notes import Notes
from takeprint.core.randomness import Stream
from takeprint.core.timeline import Metre, Timeline
from takeprint.humanize.ensemble import Coupling, couple
from takeprint.humanize.players.part import Dice, Invented, Part

from .trio_placement import print_placements

PARTS = ("Clave", "Bass", "Guitar", "Tres", "Bongo", "Bell", "Cajon", "Conga", "Trumpet")
PERCUSSION = ("Clave", "Bongo", "Bell", "Cajon", "Conga")
LEAST_ONSETS = 60
LEAST_SHARED = 60
SECTION_ROWS = 128  # eight bars of sixteen sixteenths
WINDOW = 256
GRID = {
    "steady": (0.5,),  # by design: half of the hand's texture is nobody else's business
    "anticipation": (0.2, 0.4, 0.6, 0.8),
    "correction": (0.05, 0.1, 0.2, 0.4),
    "keep": (0.9, 0.96),
    "push": (0.0, 0.1, 0.2, 0.3),
    "heed": (1.0, 3.0),
}
FIT_DRAWS = 3
# What one unit of cost is: about the distance of players who do not listen, as measured on these songs.
SIZES = np.array([5.0, 0.25, 0.2, 5.0])


@dataclass(frozen=True, eq=False)
class Song:
    """One song: its parts on a line of sixteenths, and what is left of their timing after their own templates.

    Parameters
    ----------
    name : str
    names : tuple of str
    own_ms : ndarray [shape=(k, p)], ms, NaN where a part is silent; each part has mean 0
    parts : list of Part
    """

    name: str
    names: tuple[str, ...]
    own_ms: np.ndarray
    parts: list[Part]


@dataclass(frozen=True, eq=False)
class Figures:
    """The ensemble statistics of one song; pairs in a fixed order."""

    sd: np.ndarray
    correlation: np.ndarray
    lag1: np.ndarray
    dfa: np.ndarray
    own_lag1: np.ndarray
    push: float
    lead: float


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the topic's options."""
    parser.add_argument("--data", type=Path, help="folder with iemp-ensemble/; default: TAKEPRINT_DATA")
    parser.add_argument("--draws", type=int, default=20, help="how often each player plays each song")
    parser.add_argument("--seed", type=int, default=0)


def run(chosen: argparse.Namespace) -> int:
    """Print the tables; return 1 where the coupled players are not closer than the same players alone."""
    folder = chosen.data or Path(os.environ.get("TAKEPRINT_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
    songs = songs_of(Path(folder) / "iemp-ensemble")
    real = [figures_of(song, song.own_ms) for song in songs]
    print(f"{len(songs)} songs, {sum(len(r.sd) for r in real)} pairs, {chosen.draws} draws each\n")
    costs, settings = searched(songs, real, chosen.seed)
    for i, song in enumerate(songs):
        best = settings[chosen_of(np.delete(costs, i, axis=1))]
        print(f"coupling for {song.name}, from the other songs: {said(best)}")
    print(f"from all songs: {said(settings[chosen_of(costs)])}\nwhat ships: {said(Coupling())}\n")
    closer = True
    totals: dict[str, list[np.ndarray]] = {}
    for i, song in enumerate(songs):
        best = settings[chosen_of(np.delete(costs, i, axis=1))]
        others = [other for j, other in enumerate(songs) if j != i]
        table = {name: drawn(song, real[i], play, chosen) for name, play in players(song, others, best).items()}
        print_song(song, real[i], table)
        for name, (distances, _) in table.items():
            totals.setdefault(name, []).append(distances.mean(axis=0))
        alone, together = (table[f"own series, {how}"][0][:, :2].mean(axis=0) for how in ("shifted", "coupled"))
        closer &= bool((together < alone).all())
    print("all songs, mean of the songs")
    print_header()
    print_row("floor: one half against the other", np.mean([halves(song) for song in songs], axis=0))
    for name, rows in totals.items():
        print_row(name, np.mean(rows, axis=0))
    print_placements(Path(folder) / "jtd-feel")
    print(f"\ncoupled closer than shifted in every song, in sd and in correlations: {'yes' if closer else 'NO'}")
    return 0 if closer else 1


# ---------------------------------------------------------------- the songs


def songs_of(folder: Path) -> list[Song]:
    """Read the whole songs of the corpus."""
    paths = sorted(folder.glob("CSS_IEMP_*.csv"))
    if len(paths) < 2:
        sys.exit(f"{folder}: fewer than two songs CSS_IEMP_*.csv; say --data FOLDER")
    return [song_of(path) for path in paths]


def song_of(path: Path) -> Song:
    """Read one song: a row per sixteenth, the onset of every part there, and the isochronous grid."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    grid_s = np.array([number(row["Isochronous.SD.Time"]) for row in rows])
    onset_s = {name: np.array([number(row.get(name)) for row in rows]) for name in PARTS}
    names = tuple(name for name in PARTS if np.isfinite(onset_s[name]).sum() >= LEAST_ONSETS)
    late_ms = np.stack([1000.0 * (onset_s[name] - grid_s) for name in names], axis=1)
    beat = np.arange(len(rows)) / 4.0
    own_ms = residuals(PartTimes(names, beat, late_ms, Metre()))
    own_ms = own_ms - np.nanmean(own_ms, axis=0)
    parts = [part_of(name, beat[np.isfinite(own_ms[:, i])]) for i, name in enumerate(names)]
    return Song(path.stem.removeprefix("CSS_IEMP_"), names, own_ms, parts)


def number(text: str | None) -> float:
    """Return a cell's number, NaN where it is empty."""
    return float(text) if text not in (None, "", "NA") else float("nan")


def part_of(name: str, beat: np.ndarray) -> Part:
    """Return one player of the song as our players see it."""
    clock = Timeline.constant(90.0)
    notes = Notes.build(
        len(beat),
        onset_s=clock.seconds_at(beat),
        onset_beat=beat,
        duration_beat=np.full(len(beat), 0.25),
        pitch=np.full(len(beat), 36.0 if name == "Bass" else 60.0),
        velocity=np.full(len(beat), 80.0),
    )
    return Part.of(name, False, notes, np.arange(len(beat)), clock, Metre())


# ---------------------------------------------------------------- the statistics


def figures_of(song: Song, own_ms: np.ndarray) -> Figures:
    """Return the ensemble statistics of residuals that lie on the song's onsets."""
    sd, correlation, lag1, scaling, leads, weights = [], [], [], [], [], []
    for i, j in pairs_of(song.own_ms):
        both = np.isfinite(own_ms[:, i]) & np.isfinite(own_ms[:, j])
        x, y = own_ms[both, i], own_ms[both, j]
        sd.append((x - y).std())
        correlation.append(lagged_correlation(x, y))
        lag1.append(neighbours(x - y))
        scaling.append(dfa(x - y).exponent)
        drums = [song.names[k] in PERCUSSION for k in (i, j)]
        if drums[0] != drums[1]:
            first, second = correction_gains(x, y)
            leads.append(second - first if drums[0] else first - second)
            weights.append(both.sum())
    return Figures(
        sd=np.array(sd),
        correlation=np.array(correlation),
        lag1=np.array(lag1),
        dfa=np.array(scaling),
        own_lag1=np.array([neighbours(part[np.isfinite(part)]) for part in own_ms.T]),
        push=push_sd(own_ms),
        lead=float(np.average(leads, weights=weights)),
    )


def pairs_of(own_ms: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs that share enough moments."""
    played = np.isfinite(own_ms)
    together = combinations(range(own_ms.shape[1]), 2)
    return [(i, j) for i, j in together if (played[:, i] & played[:, j]).sum() >= LEAST_SHARED]


def neighbours(x: np.ndarray) -> float:
    """Return the correlation of neighbours."""
    return float(np.corrcoef(x[:-1], x[1:])[0, 1])


def push_sd(own_ms: np.ndarray) -> float:
    """Return the sd of the parts' mean placement against the others from section to section, ms."""
    played = np.isfinite(own_ms)
    total = np.where(played, own_ms, 0.0).sum(axis=1, keepdims=True)
    others = played.sum(axis=1, keepdims=True) - 1
    against = np.where(played & (others > 0), own_ms - (total - own_ms) / np.maximum(others, 1), np.nan)
    out = []
    for part in against.T:
        sections = [part[at : at + SECTION_ROWS] for at in range(0, len(part), SECTION_ROWS)]
        means = [s[np.isfinite(s)].mean() for s in sections if np.isfinite(s).sum() >= 16]
        if len(means) >= 4:
            out.append(np.std(means, ddof=1))
    return float(np.mean(out))


def distances(a: Figures, b: Figures) -> np.ndarray:
    """Return how far two songs' statistics lie apart: sd, correlation, lag1, own lag1, push, lead, dfa."""
    return np.array(
        [
            np.abs(a.sd - b.sd).mean(),
            np.sqrt(np.nanmean((a.correlation - b.correlation) ** 2)),
            np.abs(a.lag1 - b.lag1).mean(),
            np.abs(a.own_lag1 - b.own_lag1).mean(),
            abs(a.push - b.push),
            abs(a.lead - b.lead),
            np.nanmean(np.abs(a.dfa - b.dfa)),
        ]
    )


def halves(song: Song) -> np.ndarray:
    """Return the distance of a song's first half to its second, over the pairs that play together in both."""
    middle = len(song.own_ms) // 2
    cut = [song.own_ms[:middle], song.own_ms[middle:]]
    shared = sorted(set(pairs_of(cut[0])) & set(pairs_of(cut[1])))
    keep = sorted({i for pair in shared for i in pair})
    pieces = [Song(song.name, tuple(song.names[i] for i in keep), half[:, keep], []) for half in cut]
    # Pairs that only one half has enough of are left out of both.
    chosen = set(pairs_of(pieces[0].own_ms)) & set(pairs_of(pieces[1].own_ms))
    found = []
    for piece in pieces:
        rows = [k for k, pair in enumerate(pairs_of(piece.own_ms)) if pair in chosen]
        f = figures_of(piece, piece.own_ms)
        found.append(Figures(f.sd[rows], f.correlation[rows], f.lag1[rows], f.dfa[rows], f.own_lag1, f.push, f.lead))
    return distances(*found)


# ---------------------------------------------------------------- the players


Player = Callable[[int], np.ndarray]


def shifted(song: Song, seed: int) -> np.ndarray:
    """Return each part's own residuals, moved along by a random number of its notes."""
    out = np.full_like(song.own_ms, np.nan)
    for i, name in enumerate(song.names):
        rows = np.isfinite(song.own_ms[:, i])
        n = int(rows.sum())
        step = n // 8 + int(Stream(seed, song.name, name, "shift").integers(1, n - n // 4)[0])
        out[rows, i] = np.roll(song.own_ms[rows, i], step)
    return out


def noise(song: Song, seed: int, kind: str) -> np.ndarray:
    """Return Gaussian or 1/f noise with each part's own real spread."""
    out = np.full_like(song.own_ms, np.nan)
    for i, name in enumerate(song.names):
        rows = np.isfinite(song.own_ms[:, i])
        n = int(rows.sum())
        if kind == "white":
            made = Stream(seed, song.name, name, kind).normal(n)
        else:
            made = fractional_noise(Stream(seed, song.name, name, kind).normal(circle_length(n, WINDOW)), n, 1.0)
        out[rows, i] = sized(made, song.own_ms[rows, i].std())
    return out


def sized(values: np.ndarray, sd: float) -> np.ndarray:
    """Return the values with mean 0 and the given spread."""
    return (values - values.mean()) * sd / values.std()


def from_others(song: Song, others: Sequence[Song], seed: int) -> np.ndarray:
    """Return clock and motor noise whose figures come from other songs' percussion and other parts."""
    out = np.full_like(song.own_ms, np.nan)
    fits = {}
    for drums in (True, False):
        series = [
            other.own_ms[np.isfinite(other.own_ms[:, i]), i]
            for other in others
            for i, name in enumerate(other.names)
            if (name in PERCUSSION) == drums
        ]
        fits[drums] = (fit_noise(series, WINDOW), float(np.mean([s.std() for s in series])))
    for i, name in enumerate(song.names):
        rows = np.isfinite(song.own_ms[:, i])
        n = int(rows.sum())
        fit, sd = fits[name in PERCUSSION]
        clock = Stream(seed, song.name, name, "clock").normal(circle_length(n, WINDOW))
        made = fit.fractional_sd * fractional_noise(clock, n, fit.beta, WINDOW, fit.corner)
        out[rows, i] = sized(made + fit.white_sd * Stream(seed, song.name, name, "motor").normal(n), sd)
    return out


def coupled(song: Song, alone_ms: np.ndarray, coupling: Coupling, seed: int) -> np.ndarray:
    """Return what the same players play when they listen to each other."""
    made = []
    for i in range(len(song.parts)):
        values = alone_ms[np.isfinite(alone_ms[:, i]), i]
        made.append(Invented(values, np.zeros(len(values)), np.zeros(len(values)), values, False))
    out = np.full_like(alone_ms, np.nan)
    for i, played in enumerate(couple(song.parts, made, Dice(seed, song.name, "ensemble"), coupling)):
        out[np.isfinite(alone_ms[:, i]), i] = played.timing_ms - played.timing_ms.mean()
    return out


def players(song: Song, others: Sequence[Song], coupling: Coupling) -> dict[str, Player]:
    """Return every player of a song by name: a seed gives its residuals."""
    return {
        "Gaussian, independent": lambda seed: noise(song, seed, "white"),
        "1/f, independent": lambda seed: noise(song, seed, "1/f"),
        "own series, shifted": lambda seed: shifted(song, seed),
        "1/f, coupled": lambda seed: coupled(song, noise(song, seed, "1/f"), coupling, seed),
        "own series, coupled": lambda seed: coupled(song, shifted(song, seed), coupling, seed),
        "figures of other songs": lambda seed: from_others(song, others, seed),
        "figures of other songs, coupled": lambda seed: coupled(song, from_others(song, others, seed), coupling, seed),
    }


def drawn(song: Song, real: Figures, play: Player, chosen: argparse.Namespace) -> tuple[np.ndarray, list[Figures]]:
    """Return (distances of each draw, the figures of each draw)."""
    found = [figures_of(song, play(1000 * chosen.seed + k + 1)) for k in range(chosen.draws)]
    return np.array([distances(real, f) for f in found]), found


# ---------------------------------------------------------------- fitting the coupling


def searched(songs: Sequence[Song], real: Sequence[Figures], seed: int) -> tuple[np.ndarray, list[Coupling]]:
    """Return (cost of each setting in each song, the settings): how far the figures that are fitted lie from the real.

    A cost is the mean of four distances, each in its own ``SIZES``.
    """
    settings = [
        Coupling(
            steady=s,
            anticipation=g,
            correction=w,
            keep=k,
            push=p,
            heed=dict.fromkeys(PERCUSSION, h) | {"kit": h},
        )
        for s, g, w, k, p, h in product(*GRID.values())
    ]
    costs = np.zeros((len(settings), len(songs)))
    for i, song in enumerate(songs):
        for draw in range(FIT_DRAWS):
            alone = shifted(song, 900_000 + 1000 * seed + draw)
            truth = fast(song, song.own_ms)
            for s, coupling in enumerate(settings):
                found = fast(song, coupled(song, alone, coupling, 900_000 + draw))
                costs[s, i] += float(np.mean(apart(truth, found) / SIZES)) / FIT_DRAWS
    return costs, settings


def chosen_of(costs: np.ndarray) -> int:
    """Return the setting whose worst song is best: with two or three songs a mean would be one song's say."""
    return int(np.argmin(costs.max(axis=1)))


def fast(song: Song, own_ms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the fitted figures alone: sd, correlations, lag-1 of the pairs' asynchrony, and push."""
    sd, correlation, lag1 = [], [], []
    for i, j in pairs_of(song.own_ms):
        both = np.isfinite(own_ms[:, i]) & np.isfinite(own_ms[:, j])
        x, y = own_ms[both, i], own_ms[both, j]
        sd.append((x - y).std())
        correlation.append(lagged_correlation(x, y))
        lag1.append(neighbours(x - y))
    return np.array(sd), np.array(correlation), np.array(lag1), push_sd(own_ms)


def apart(a: tuple[Any, ...], b: tuple[Any, ...]) -> np.ndarray:
    """Return the fitted distances."""
    correlation = np.sqrt(np.nanmean((a[1] - b[1]) ** 2))
    return np.array([np.abs(a[0] - b[0]).mean(), correlation, np.abs(a[2] - b[2]).mean(), abs(a[3] - b[3])])


def said(coupling: Coupling) -> str:
    """Return a coupling in words."""
    return (
        f"steady {coupling.steady:g}, anticipation {coupling.anticipation:g}, correction {coupling.correction:g}, "
        f"keep {coupling.keep:g} a beat, push {coupling.push:g} of the spread, "
        f"percussion heeded {coupling.heed.get('kit', 1.0):g}-fold"
    )


# ---------------------------------------------------------------- printing


def print_header() -> None:
    print(
        f"{'player':<36}{'async sd':>9}{'xcorr':>8}{'async lag1':>11}{'own lag1':>10}{'push':>7}{'lead':>7}{'DFA':>7}"
    )


def print_row(name: str, row: np.ndarray) -> None:
    sd, correlation, lag1, own, push, lead, scaling = row
    print(f"{name:<36}{sd:9.2f}{correlation:8.3f}{lag1:11.3f}{own:10.3f}{push:7.2f}{lead:7.2f}{scaling:7.2f}")


def print_song(song: Song, real: Figures, table: dict[str, tuple[np.ndarray, list[Figures]]]) -> None:
    """Print a song's distances, and its mean correlation by lag."""
    print(f"{song.name}: {len(song.names)} parts, {len(real.sd)} pairs; distance to the real song (sd over the draws)")
    print_header()
    print_row("floor: one half against the other", halves(song))
    for name, (found, _) in table.items():
        print_row(name, found.mean(axis=0))
        spread = found.std(axis=0)
        print(f"{'':<36}{f'({spread[0]:.2f})':>9}{f'({spread[1]:.3f})':>8}{f'({spread[2]:.3f})':>11}")
    print("mean correlation, lags -4 to 4; asynchrony sd, ms; percussion leads by")
    rows = {"real": [real]} | {name: found for name, (_, found) in table.items()}
    for name, found in rows.items():
        curve = np.mean([np.nanmean(f.correlation, axis=0) for f in found], axis=0)
        sd, lead = np.mean([f.sd.mean() for f in found]), np.mean([f.lead for f in found])
        print(f"{name:<36}" + "".join(f"{c:6.2f}" for c in curve) + f"{sd:8.1f}{lead:8.2f}")
    print()
