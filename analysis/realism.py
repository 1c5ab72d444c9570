"""A classifier two-sample test: how well a trained judge tells synthetic windows from real ones it has not seen.

Conventions
-----------
A window is a run of neighbouring notes of one take, its features are those of ``realism_features``. AUC 0.5 = cannot
tell them apart, 1.0 = always. What belongs together is a group: a real take with the synthetic takes of the same music,
where the player is told all takes of one player, with few takes a contiguous fifth of a take. A group is never in the
training and the testing part at once, and bounds come from drawing groups.

References
----------
Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests, ICLR. ``docs/realism.md`` tells the test in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.deviations import Deviations
from ..core.errors import TakeprintError
from .judge import Judge, auc, auc_bounds, energy_ratio, train_judge, what_told
from .observe import kind_of
from .realism_features import CHANNELS, WINDOW, Windows, feature_words, windows_of

__all__ = ["Judge", "auc", "auc_bounds", "energy_ratio", "realism", "train_judge"]

LEAST_WINDOWS = 12
_SHORT_WINDOW = WINDOW // 2
_FOLDS = 5
_LEAST_GROUPS = 4
_MOST_WINDOWS = 2500
_FLOOR_DRAWS = {"ridge": 10, "trees": 2}
_FIGURES = ("auc", "auc_low", "auc_high", "floor_auc", "null_auc", "energy_ratio")


@dataclass(frozen=True)
class _Sides:
    """Windows of both sides; ``take`` holds the number of the group."""

    real: Windows
    synthetic: Windows

    @property
    def joined(self) -> Windows:
        values = np.concatenate([self.real.values, self.synthetic.values])
        return Windows(self.real.names, values, np.concatenate([self.real.take, self.synthetic.take]))

    @property
    def side(self) -> np.ndarray:
        return np.repeat([0, 1], [len(self.real), len(self.synthetic)])


def realism(
    real: Sequence[Deviations],
    synthetic: Sequence[Deviations],
    seed: int = 0,
    groups: tuple[Sequence[str], Sequence[str]] | None = None,
    *,
    same_music: bool = True,
) -> dict[str, Any]:
    """Return how well a judge tells the sides apart, with bounds, floors and what told it.

    Parameters
    ----------
    real, synthetic : sequence of Deviations
    seed : int
    groups : (labels of the real takes, labels of the synthetic ones) or None
        Takes of one label (one player) stay in one fold.
    same_music : bool
        Whether both sides play the same music; else the judge may not look at how dense the notes are and who plays.

    Returns
    -------
    dict
        ``auc, auc_low, auc_high``; ``floor_auc``: mean AUC of real against real, groups of the real side dealt to two
        halves; ``null_auc``: the windows of both sides dealt to two at random; ``energy_ratio``; ``n_windows,
        window_notes, n_groups``; ``judge`` and ``groups`` in words; ``told_by``: list of ``feature, words, share,
        real, synthetic, auc_alone``; ``reason``. The figures are None and ``reason`` says why where there is too
        little to train on.

    Notes
    -----
    Five folds by group. Fifths of one take share its mood, so that a single take a side flatters neither: the floors
    show how much of the AUC is due to that. With few groups cross-validation errs to below 0.5 when there is nothing
    to find. An AUC near 0.5 says that this judge found nothing in this much music, not that nothing is there.
    """
    rng = np.random.default_rng(seed)
    kind = kind_of([*real, *synthetic])
    for size in (WINDOW, _SHORT_WINDOW):
        windows = [windows_of(takes, kind, size) for takes in (real, synthetic)]
        fewest = min(map(len, windows))
        if fewest >= 2 * LEAST_WINDOWS:
            break
    found: dict[str, Any] = dict.fromkeys(_FIGURES)
    found |= {"n_windows": sum(map(len, windows)), "window_notes": size, "n_groups": 0, "told_by": [], "reason": ""}
    found |= {"judge": "", "groups": ""}
    if fewest < LEAST_WINDOWS:
        counts = f"{len(windows[0])} real and {len(windows[1])} synthetic windows of {size} notes"
        return found | {"reason": f"{counts}, {LEAST_WINDOWS} are needed of each"}
    sides, said = _grouped(windows, real, synthetic, groups)
    if not same_music:
        seen = [c for c in CHANNELS if c != "context"]
        sides = _Sides(sides.real.channels(seen), sides.synthetic.channels(seen))
    sides = _Sides(_thinned(sides.real), _thinned(sides.synthetic))
    n_groups = len(np.unique(sides.joined.take))
    score, judges = _cross_judged(sides, _folds(sides, _FOLDS, rng), seed)
    low, high = auc_bounds(score, sides.side, sides.joined.take, rng)
    found |= {"auc": auc(score, sides.side), "auc_low": low, "auc_high": high, "n_groups": n_groups}
    found |= {"judge": judges[0].said, "groups": said, "told_by": _told_by(judges, sides, kind)}
    return found | _floors(sides, judges, seed, rng) | {"energy_ratio": _known(energy_ratio(*_both(sides), seed))}


def _both(sides: _Sides) -> tuple[Windows, Windows]:
    return sides.real, sides.synthetic


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# ---- what belongs together


def _grouped(
    windows: Sequence[Windows],
    real: Sequence[Deviations],
    synthetic: Sequence[Deviations],
    labels: tuple[Sequence[str], Sequence[str]] | None,
) -> tuple[_Sides, str]:
    """Return the windows with their group's number in ``take``, and what a group is in words."""
    pieces, said = _pieces(real, synthetic)
    if labels is not None:
        if [len(side) for side in labels] != [len(real), len(synthetic)]:
            raise TakeprintError(
                f"{len(labels[0])} and {len(labels[1])} group labels for {len(real)} and {len(synthetic)} takes",
                rule="groups= holds a label for each take of either side",
            )
        joined = _joined_by(pieces, labels)
        if len(np.unique(np.concatenate(joined))) > 1:
            pieces, said = joined, "all takes of one label, and the same music"
        else:
            labels, said = None, f"{said} (all takes are of one label: players cannot be kept apart)"
    whole = len(np.unique(np.concatenate(pieces))) >= (_FOLDS if labels is None else 2)
    out = []
    for w, piece in zip(windows, pieces, strict=True):
        group = piece[w.take] if len(w) else w.take
        if not whole:
            group = group * _FOLDS + _fifth(w.take)
        out.append(replace(w, take=group))
    return _Sides(*out), said if whole else f"a fifth of a take{said[said.find(' (') :] if ' (' in said else ''}"


def _pieces(real: Sequence[Deviations], synthetic: Sequence[Deviations]) -> tuple[tuple[np.ndarray, np.ndarray], str]:
    """Give the takes of either side numbers by the music they play; by their rank where that is not known.

    The score or take they were measured against names the music; else equal file names do.
    """
    for name_of, said in ((_music_of, "the takes of one score"), (_name_of, "the takes of one name")):
        keys = [[name_of(d) for d in side] for side in (real, synthetic)]
        number = {key: i for i, key in enumerate(dict.fromkeys([*keys[0], *keys[1]]))}
        told_apart = len(number) > 1 or len(real) == len(synthetic) == 1
        if "" not in number and set(keys[1]) <= set(keys[0]) and told_apart:
            numbers = [np.array([number[key] for key in side]) for side in keys]
            return (numbers[0], numbers[1]), said
    return (np.arange(len(real)), np.arange(len(synthetic))), "the n-th take of either side"


def _name_of(d: Deviations) -> str:
    return str(d.take.get("name") or "")


def _music_of(d: Deviations) -> str:
    """Return what names the written music: the score or take it was measured against; "" for a click."""
    if d.reference.get("kind") not in ("score", "take"):
        return ""
    return str(d.reference.get("sha256") or d.reference.get("name") or "")


def _joined_by(
    pieces: tuple[np.ndarray, np.ndarray], labels: tuple[Sequence[str], Sequence[str]]
) -> tuple[np.ndarray, np.ndarray]:
    """Join pieces that share a label, and labels that share a piece."""
    parent: dict[Any, Any] = {}

    def root(x: Any) -> Any:
        while parent.setdefault(x, x) != x:
            x = parent[x]
        return x

    for piece, label in zip(pieces, labels, strict=True):
        for p, name in zip(piece.tolist(), label, strict=True):
            parent[root(p)] = root(f"label {name}")
    numbers: dict[Any, int] = {}
    out = [np.array([numbers.setdefault(root(p), len(numbers)) for p in piece.tolist()]) for piece in pieces]
    return out[0], out[1]


def _fifth(take: np.ndarray) -> np.ndarray:
    """Return which contiguous fifth of its take each window lies in, 0 to 4."""
    out = np.zeros(len(take), dtype=np.int64)
    for number in np.unique(take):
        own = np.flatnonzero(take == number)
        out[own] = np.arange(len(own)) * _FOLDS // len(own)
    return out


def _thinned(windows: Windows) -> Windows:
    if len(windows) <= _MOST_WINDOWS:
        return windows
    return windows.rows(np.linspace(0, len(windows) - 1, _MOST_WINDOWS).astype(int))


# ---- judging


def _folds(sides: _Sides, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal the groups to folds; return each window's, the real side's first."""
    names, number = np.unique(sides.joined.take, return_inverse=True)
    return (rng.permutation(len(names)) % folds)[number]


def _cross_judged(
    sides: _Sides, fold: np.ndarray, seed: int, rounds: int | None = None
) -> tuple[np.ndarray, list[Judge]]:
    """Return (each window's score by a judge that has not seen its group, the judges)."""
    joined, side = sides.joined, sides.side
    score, judges = np.zeros(len(side)), []
    for number in np.unique(fold):
        test = fold == number
        parts = [joined.rows(~test & (side == which)) for which in (0, 1)]
        if not all(map(len, parts)):
            continue
        judge = train_judge(parts[0], parts[1], seed, rounds=rounds)
        # The first judge's takes left out choose for the others too.
        rounds = judge.rounds if judge.trees is not None else rounds
        score[test] = judge.score(joined.rows(test))
        judges.append(judge)
    return score, judges


def _floors(sides: _Sides, judges: Sequence[Judge], seed: int, rng: np.random.Generator) -> dict[str, float | None]:
    """Return the AUCs of sides between which there is nothing to find: they bound what the AUC can mean."""
    trees = judges[0].trees is not None
    draws, rounds = _FLOOR_DRAWS["trees" if trees else "ridge"], judges[0].rounds if trees else None
    folds = 2 if trees else _FOLDS
    out: dict[str, list[float]] = {"floor_auc": [], "null_auc": []}
    for _ in range(draws):
        dealt = rng.permutation(sides.side)
        out["null_auc"].append(_auc_of(sides.joined, dealt, folds, seed, rounds, rng))
        groups = np.unique(sides.real.take)
        if len(groups) >= _LEAST_GROUPS:
            half = np.isin(sides.real.take, rng.permutation(groups)[: len(groups) // 2]).astype(np.int64)
            out["floor_auc"].append(_auc_of(sides.real, half, folds, seed, rounds, rng, by_rank=True))
    return {name: float(np.mean(values)) if np.isfinite(values).any() else None for name, values in out.items()}


def _auc_of(
    windows: Windows,
    side: np.ndarray,
    folds: int,
    seed: int,
    rounds: int | None,
    rng: np.random.Generator,
    *,
    by_rank: bool = False,
) -> float:
    order = np.argsort(side, kind="stable")
    dealt = _Sides(windows.rows(order[side[order] == 0]), windows.rows(order[side[order] == 1]))
    if not len(dealt.real) or not len(dealt.synthetic):
        return float("nan")
    group = [np.unique(w.take, return_inverse=True)[1] for w in _both(dealt)]
    # Where no group is on both sides each side's are dealt alike, so that no fold lacks a side.
    fold = _folds(
        _Sides(*(replace(w, take=g) for w, g in zip(_both(dealt), group, strict=True))) if by_rank else dealt,
        folds,
        rng,
    )
    score, judges = _cross_judged(dealt, fold, seed, rounds)
    return auc(score, dealt.side) if judges else float("nan")


def _told_by(judges: Sequence[Judge], sides: _Sides, kind: str) -> list[Mapping[str, Any]]:
    """Return what the judges looked at most, with the figures of both sides."""
    shares: dict[str, float] = {}
    for judge in judges:
        for name, share in judge.importance().items():
            shares[name] = shares.get(name, 0.0) + share / len(judges)
    words = feature_words(kind)
    return [{**told, "words": words[told["feature"]]} for told in what_told(shares, *_both(sides))]
