"""Takes with planted slips: real performances, cleaned by their match files, in which a player's accidents are laid.

    from slip_sets import bases, plant
    for base in bases("vienna", fold=0):
        scene = plant(base, rate=0.05, rng=numpy.random.default_rng(0))

A base keeps the written notes that were played and the played notes that are written, in their order in time, so that
nothing else is amiss (a note that came well after the next written one is a fault of the take or of its score).
What is laid in, and how often among all slips: notes left out (30 %, rather inside chords), wrong keys (25 %:
semitones, whole tones, now and then a third or an octave), added notes (20 %: mostly the next key struck along,
softer; else a stray key of the hand between two notes), a key struck twice (12 %), a stop (10 %: as long as the note
that was due at least, and half a second at least), a restart (3 %: a stop, back by 3 to 16 written onsets, and on;
half of them after a wrong note). No pair of slips shares a note; a restart's notes are otherwise played as written.
What no listener could name is not planted: an added key is none that was just struck or still sounds (it would be a
repeated one), a key is not struck again along with the next key (it would be an added one).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sets import shared
from truth import Truth, asap, half, vienna

from takeprint.core.notes import Notes
from takeprint.core.take import load_take
from takeprint.humanize import perform

SHARES = {"missed": 0.30, "wrong": 0.25, "added": 0.20, "repeated": 0.12, "hesitation": 0.10, "restart": 0.03}
WRONG_KEYS = np.array([1, -1, 2, -2, 3, -3, 4, -4, 12, -12])
WRONG_ODDS = np.array([9, 9, 8, 8, 2, 2, 1, 1, 1, 1]) / 42.0
OUT_OF_ORDER_S = 0.12
TOGETHER_S = 0.06  # strokes as near as this are one grasp of the hand


@dataclass(frozen=True)
class Base:
    """A clean performance: note ``i`` of the score is note ``i`` of the take; ``piece`` and ``player`` name it."""

    piece: str
    player: str
    score: Notes
    take: Notes


@dataclass
class Scene:
    """A performance with planted slips, ``planted`` as a listener would note them down.

    ``written_row`` is each played note's row in the score: of a wrong note that which was meant, of an added one -1,
    of a first go before a restart -1.
    """

    score: Notes
    take: Notes
    planted: list[dict[str, Any]] = field(default_factory=list)
    written_row: np.ndarray = field(default_factory=lambda: np.zeros(0, int))


def takes(family: str, fold: int) -> tuple[Truth, ...]:
    """Return the takes of ``vienna`` (fold 0 odd pianists, 1 even) or ``asap`` (every other take) with their truth."""
    if family == "asap":
        return half(asap(), fold)
    return tuple(t for t in vienna() if int(t.name[-2:]) % 2 == 1 - fold)


def base_of(truth: Truth) -> Base:
    """Return what a take and its score have in common."""
    same = truth.score.pitch[truth.pairs[:, 0]] == truth.take.pitch[truth.pairs[:, 1]]
    pairs = truth.pairs[same]
    score, take = truth.score.rows(pairs[:, 0]), truth.take.rows(pairs[:, 1])
    order = np.lexsort((score.pitch, score.onset_beat))
    order = order[~_out_of_order(score.onset_beat[order], take.onset_s[order])]
    return Base(truth.piece, truth.name, score.rows(order), take.rows(order))


def _out_of_order(beat: np.ndarray, onset_s: np.ndarray) -> np.ndarray:
    """Tell the pairs played well after the next written moment, or well before the last."""
    at, index = np.unique(np.round(beat, 6), return_inverse=True)
    moment_s = np.array([np.median(onset_s[index == k]) for k in range(len(at))])
    next_s, last_s = np.append(moment_s[1:], np.inf)[index], np.append(-np.inf, moment_s[:-1])[index]
    return (onset_s > next_s + OUT_OF_ORDER_S) | (onset_s < last_s - OUT_OF_ORDER_S)


def _performed_by_profile(fold: int) -> Iterator[Base]:
    """Yield written scores as the shipped piano profile plays them: the easy case, nothing but slips is unforeseen."""
    paths = [*(shared() / "vienna4x22" / "musicxml").glob("*.musicxml")]
    paths += (shared() / "restricted" / "expert-novice-piano").rglob("*.mxl")
    for i, path in enumerate(sorted(paths)):
        score = load_take(path)
        for take in range(2):
            played = perform(score, "piano-plain", seed=100 * fold + 2 * i + take, amount=1.0 + 0.5 * take).notes
            played = played.rows(np.argsort(played.reference_index, kind="stable"))
            columns = {name: getattr(played, name) for name in ("onset_s", "duration_s", "pitch", "velocity")}
            yield Base(path.stem, f"piano-plain {take}", score.notes, Notes.build(**columns))


def bases(family: str, fold: int) -> Iterator[Base]:
    """Yield the clean performances of ``vienna``, ``asap`` or ``performed``."""
    if family == "performed":
        yield from _performed_by_profile(fold)
        return
    for truth in takes(family, fold):
        yield base_of(truth)


class _Desk:
    """The notes being edited, each with the written place it belongs to."""

    def __init__(self, base: Base, rng: np.random.Generator) -> None:
        self.base, self.rng = base, rng
        n = len(base.take)
        self.beat = np.round(base.score.onset_beat, 6)
        self.onset_s, self.pitch = base.take.onset_s.copy(), base.take.pitch.copy()
        self.kept = np.ones(n, dtype=bool)
        self.free = ~(base.score.duration_beat <= 0)  # a grace note is not a fair target
        self.extra: list[tuple[float, float, float, float, float]] = []  # beat, onset_s, duration_s, pitch, velocity
        self.planted: list[dict[str, Any]] = []
        self.at = np.unique(self.beat[self.free])
        self.time_s = np.array([np.median(self.onset_s[self.free & (self.beat == b)]) for b in self.at])
        self.order = np.argsort(self.onset_s, kind="stable")

    def struck(self, first_s: float, last_s: float) -> set[int]:
        """Return the keys struck in a span of time, left-out notes too: what is missed could be played as well."""
        low, high = np.searchsorted(self.onset_s[self.order], [first_s, last_s])
        keys = {int(k) for k in self.base.take.pitch[self.order[low:high]]}
        keys |= {int(k) for k in self.pitch[self.order[low:high]]}
        return keys | {int(p) for _, t, _, p, _ in self.extra if first_s <= t <= last_s}

    def sounding(self, time_s: float) -> set[int]:
        """Return the keys that are held, by hand or by the score, or were struck lately or soon will be."""
        take = self.base.take
        held = (self.onset_s <= time_s) & (self.onset_s + take.duration_s >= time_s)
        written_s = np.interp(self.beat + self.base.score.duration_beat, self.at, self.time_s)
        held |= (self.onset_s <= time_s) & (written_s + 0.1 >= time_s)
        return {int(k) for k in take.pitch[held]} | self.struck(time_s - 0.45, time_s + 0.4)

    def choose(self, odds: np.ndarray | None = None) -> int | None:
        rows = np.flatnonzero(self.free)
        if len(rows) == 0:
            return None
        share = None if odds is None else odds[rows] / odds[rows].sum()
        row = int(self.rng.choice(rows, p=share))
        self.free[row] = False
        return row

    def add(self, row: int, onset_s: float, duration_s: float, pitch: float, velocity: float) -> None:
        self.extra.append((self.beat[row], onset_s, duration_s, pitch, float(np.clip(velocity, 8, 127))))


def plant(base: Base, rate: float, rng: np.random.Generator) -> Scene:
    """Lay slips into a clean performance.

    Parameters
    ----------
    rate : float
        Slips a written note.
    """
    desk = _Desk(base, rng)
    count = rng.multinomial(rng.binomial(len(base.take), rate), list(SHARES.values()))
    number = dict(zip(SHARES, count.tolist(), strict=True))
    stops = _choose_restarts(desk, number["restart"]) + _choose_pauses(desk, number["hesitation"])
    for kind, lay in (
        ("missed", _leave_out),
        ("wrong", _mistake),
        ("added", _strike_along),
        ("repeated", _strike_twice),
    ):
        for _ in range(number[kind]):
            lay(desk)
    return _performed(desk, sorted(stops, key=lambda stop: stop["index"]))


def _choose_restarts(desk: _Desk, number: int) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for _ in range(number):
        for _ in range(20):
            back = int(desk.rng.integers(3, 17))
            index = int(desk.rng.integers(back + 1, max(len(desk.at) - 2, back + 2)))
            if index >= len(desk.at) - 1 or any(s["from"] - 2 <= index and index - back <= s["index"] + 2 for s in out):
                continue
            gap_s = float(desk.rng.uniform(0.3, 1.2))
            out.append({"kind": "restart", "index": index, "from": index - back, "gap_s": gap_s})
            inside = (desk.beat >= desk.at[index - back]) & (desk.beat < desk.at[index])
            desk.free &= ~inside
            break
    return out


def _choose_pauses(desk: _Desk, number: int) -> list[dict[str, Any]]:
    due_s = np.diff(desk.time_s)
    fair = (due_s > 0.08) & (due_s < 1.2)
    fair[:6] = fair[-6:] = False
    beats = desk.at[1:]
    fair &= np.array([desk.free[desk.beat == b].any() for b in beats])
    rows = np.flatnonzero(fair)
    out = []
    for i in desk.rng.permutation(rows)[:number].tolist():
        if any(abs(i + 1 - s["index"]) < 3 for s in out):
            continue
        gap_s = float(max(0.5, due_s[i] * desk.rng.uniform(1.0, 4.0)))
        out.append({"kind": "pause", "index": i + 1, "gap_s": min(gap_s, 3.0)})
    return out


def _leave_out(desk: _Desk) -> None:
    _, index, size = np.unique(desk.beat, return_inverse=True, return_counts=True)
    row = desk.choose(np.where(size[index] > 1, 2.0, 1.0))
    if row is None:
        return
    desk.kept[row] = False
    desk.planted.append({"kind": "missed", "row": row})


def _mistake(desk: _Desk) -> None:
    row = desk.choose()
    if row is None:
        return
    taken = desk.struck(desk.onset_s[row] - 2 * TOGETHER_S, desk.onset_s[row] + 2 * TOGETHER_S)
    for by in desk.rng.choice(WRONG_KEYS, 8, p=WRONG_ODDS):
        pitch = int(desk.pitch[row] + by)
        if 21 <= pitch <= 108 and pitch not in taken:
            desk.pitch[row] = pitch
            desk.onset_s[row] += desk.rng.normal(0, 0.01)
            desk.planted.append({"kind": "wrong", "row": row})
            return


def _strike_along(desk: _Desk) -> None:
    row = desk.choose()
    if row is None:
        return
    rng, take = desk.rng, desk.base.take
    onset_s = desk.onset_s[row]
    if rng.random() < 0.75:
        time_s, keys = onset_s + rng.uniform(-0.01, 0.03), rng.permutation([1, -1, 2, -2])
    else:
        after = desk.time_s[desk.time_s > onset_s + 0.05]
        room_s = (after[0] if len(after) else onset_s + 0.5) - onset_s
        time_s, keys = onset_s + rng.uniform(0.3, 0.7) * room_s, rng.permutation([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5])
    taken = desk.sounding(time_s)
    for by in keys:
        pitch = int(take.pitch[row] + by)
        if 21 <= pitch <= 108 and pitch not in taken:
            velocity = take.velocity[row] * rng.uniform(0.4, 0.9)
            desk.add(row, time_s, rng.uniform(0.04, 0.3), pitch, velocity)
            desk.planted.append({"kind": "added", "extra": len(desk.extra) - 1})
            return


def _strike_twice(desk: _Desk) -> None:
    """Strike a key again, soon after and before it is written once more."""
    row = desk.choose()
    if row is None:
        return
    take, key = desk.base.take, int(desk.base.take.pitch[row])
    for _ in range(5):
        again_s = desk.onset_s[row] + desk.rng.uniform(0.12, 0.35)
        if not desk.struck(again_s - 0.05, again_s + 0.05) & set(range(key - 2, key + 3)):
            break
    else:
        return
    if key in desk.struck(desk.onset_s[row] + 1e-6, again_s + 0.12):
        return
    velocity = take.velocity[row] * desk.rng.uniform(0.7, 1.1)
    desk.add(row, again_s, max(0.05, take.duration_s[row]), key, velocity)
    desk.planted.append({"kind": "repeated", "extra": len(desk.extra) - 1, "row": row})


def _performed(desk: _Desk, stops: list[dict[str, Any]]) -> Scene:
    """Play the edited notes through, with stops and restarts."""
    base, rng = desk.base, desk.rng
    n, m = len(base.take), len(desk.extra)
    extra = np.array(desk.extra).reshape(m, 5)
    beat = np.r_[desk.beat, extra[:, 0]]
    onset_s, pitch = np.r_[desk.onset_s, extra[:, 1]], np.r_[desk.pitch, extra[:, 3]]
    duration_s = np.r_[base.take.duration_s, extra[:, 2]]
    velocity = np.r_[base.take.velocity, extra[:, 4]]
    kept = np.r_[desk.kept, np.ones(m, dtype=bool)]
    shift_s, first_goes = np.zeros(n + m), []
    planted: list[dict[str, Any]] = []
    for stop in stops:
        q = stop["index"]
        later = beat >= desk.at[q]
        add_s = stop["gap_s"]
        if stop["kind"] == "restart":
            a = stop["from"]
            again = (beat >= desk.at[a]) & ~later
            add_s += desk.time_s[q] - desk.time_s[a]
            before_s = onset_s + shift_s
            copy = np.flatnonzero(again & kept)
            keys = pitch[copy].copy()
            if rng.random() < 0.5 and len(copy):
                last = int(np.argmax(onset_s[copy]))
                keys[last] += rng.choice([-2, -1, 1, 2])
            at_s = before_s[copy] + rng.normal(0, 0.008, len(copy))
            # The hand lifts when it stops.
            held_s = np.minimum(duration_s[copy], at_s.max() + 0.3 - at_s)
            first_goes.append((at_s, np.maximum(held_s, 0.03), keys, velocity[copy]))
            planted.append(
                {"kind": "restart", "beat_from": desk.at[a], "beat_to": desk.at[q], "first_s": at_s.min(),
                 "last_s": at_s.max(), "n_notes": len(copy)}
            )  # fmt: skip
            shift_s[again] += add_s
        else:
            previous_s = desk.time_s[q - 1] + shift_s[beat == desk.at[q - 1]].max(initial=0.0)
            planted.append(
                {"kind": "hesitation", "beat": desk.at[q], "duration_s": add_s, "after_s": previous_s,
                 "time_s": desk.time_s[q] + shift_s[np.flatnonzero(beat == desk.at[q])[0]]}
            )  # fmt: skip
        shift_s[later] += add_s
    at_s = onset_s + shift_s
    for slip in desk.planted:
        row = slip.get("row", -1)
        extra_row = n + slip["extra"] if "extra" in slip else -1
        time_s = at_s[extra_row] if extra_row >= 0 else at_s[row]
        planted.append(
            {
                "kind": slip["kind"],
                "time_s": time_s,
                "first_s": at_s[row] if row >= 0 else time_s,
                "beat": float(beat[extra_row if extra_row >= 0 else row]),
                "pitch_written": float(base.score.pitch[row]) if slip["kind"] in ("wrong", "missed") else None,
                "pitch_played": None if slip["kind"] == "missed" else float(pitch[max(extra_row, row)]),
            }
        )
    parts = [(at_s[kept], duration_s[kept], pitch[kept], velocity[kept]), *first_goes]
    columns = [np.concatenate(c) for c in zip(*parts, strict=True)]
    order = np.lexsort((columns[2], columns[0]))
    take = Notes.build(
        onset_s=columns[0][order], duration_s=columns[1][order], pitch=columns[2][order], velocity=columns[3][order],
        track=np.zeros(len(order), int), channel=np.zeros(len(order), int),
    )  # fmt: skip
    written = np.full(len(order), -1)
    written[: int(kept[:n].sum())] = np.flatnonzero(kept[:n])
    return Scene(base.score, take, sorted(planted, key=lambda s: s.get("time_s", s.get("last_s"))), written[order])
