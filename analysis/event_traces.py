"""Breaths, friction and slips of both sides: how often, where, how long, how loud, and how surely they differ.

Conventions
-----------
Events are laid on the blocks of ``passages`` by their time, so that dealing the blocks anew tests them as it tests the
notes. Rates are events a minute (slips: a hundred written notes), durations seconds, levels dB against the take's own
median note, as recordings are made at any gain. An event is *in a gap* when the notes around it are at least
twice as far apart as is usual in the take, *in a fast passage* when at most three quarters of that, and *at a bar line*
when it begins within half a beat of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.columns import Columns, real, whole
from ..core.deviations import Deviations
from .block_sums import ratio, sums
from .passages import Passages
from .tells import Feature, dealt

TRACES = ("breath", "friction", "slips")
_LEAST_SECONDS = 20.0
_LEAST_EVENTS = 6
_GAP = 2.0
_FAST = 0.75
_AT_BAR_LINE_BEATS = 0.5
_PERMUTATIONS_AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class Events(Columns):
    """A row an event of one trace; 1.0 and 0.0 say whether it lies in a gap, a fast passage, at a bar line."""

    block: np.ndarray = whole()
    duration_s: np.ndarray = real()
    level_db: np.ndarray = real()
    in_gap: np.ndarray = real()
    in_fast: np.ndarray = real()
    at_bar_line: np.ndarray = real()


@dataclass(frozen=True)
class _Words:
    """How the events of a trace are spoken of."""

    many: str
    unit: str
    least_rate: float
    least_duration_s: float


_WORDS = {
    "breath": _Words("breaths", "a minute", 0.5, 0.05),
    "friction": _Words("squeaks and other friction noises", "a minute", 1.0, 0.02),
    "slips": _Words("slips", "a hundred written notes", 0.3, 0.02),
}


def event_features(passages: Passages, takes: Sequence[Deviations]) -> list[Feature]:
    """Return what can be told of the events of both sides; ``takes`` in the order of the passages.

    A trace of which neither side has an event has no feature: nothing was looked for, or nothing found.
    """
    seconds = _block_seconds(passages)
    out: list[Feature] = []
    for trace in TRACES:
        found = _events_of(trace, passages, takes)
        if len(found):
            out += _features(trace, found, passages, seconds)
    return out


def _features(trace: str, found: Events, p: Passages, seconds: np.ndarray) -> Iterator[Feature]:
    words, k = _WORDS[trace], len(p.block_side)
    said = words.many
    count = np.bincount(found.block, minlength=k).astype(np.float64)
    if trace == "slips":
        size, per = np.bincount(p.hits.block, minlength=k).astype(np.float64), 100.0
    else:
        size, per = seconds, 60.0
    yield Feature(
        f"{trace}_rate",
        trace,
        f"{{s:.1f}} {said} {words.unit} against {{r:.1f}}",
        f"There are too few {said}",
        f"There are too many {said}",
        np.stack([count, size], axis=1),
        lambda s: per * ratio(s),
        words.least_rate,
        f"There are no {said}",
        _LEAST_SECONDS,
    )
    placed = [
        ("gap", found.in_gap, "in gaps between phrases", "do not lie in the gaps", "lie in the gaps too strictly"),
        ("bar_line", found.at_bar_line, "at bar lines", "do not lie at bar lines", "lie at bar lines too strictly"),
    ]
    if trace == "slips":
        placed[0] = ("fast", found.in_fast, "in fast passages", "avoid fast passages", "come only in fast passages")
    for name, flag, where, lower, higher in placed:
        yield Feature(
            f"{trace}_{name}",
            trace,
            f"{{s:.0%}} of them {where} against {{r:.0%}}",
            f"{said.capitalize()} {lower}",
            f"{said.capitalize()} {higher}",
            sums(k, *_known(found, flag)),
            ratio,
            0.1,
            "",
            _LEAST_EVENTS,
        )
    for name, values, unit, lower, higher, least in (
        ("duration", found.duration_s, "s", "are too short", "are too long", words.least_duration_s),
        ("level", found.level_db, "dB against the notes", "are too soft", "are too loud", 2.0),
    ):
        if np.isfinite(values).any():
            yield Feature(
                f"{trace}_{name}",
                trace,
                f"mean {{s:.2f}} {unit} against {{r:.2f}}",
                f"{said.capitalize()} {lower}",
                f"{said.capitalize()} {higher}",
                sums(k, *_known(found, values)),
                ratio,
                least,
                "",
                _LEAST_EVENTS,
            )


def _known(found: Events, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    known = np.isfinite(values)
    return found.block[known], values[known], np.ones(int(known.sum()))


def event_traces(
    features: Sequence[Feature], passages: Passages, takes: Sequence[Deviations], permutations: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return the comparison of each trace of events, as ``Comparison.traces`` holds it.

    ``p_value`` is of the rate; ``figures`` holds ``real, synthetic, p_value`` of every figure. No p-value where there
    are too few blocks, or too few events to speak of their place, length or level.
    """
    side = passages.block_side
    rng = np.random.default_rng([seed, 77])
    deals = dealt(side, permutations, rng)
    weights = np.stack([side == 0, side == 1]).astype(np.float64)
    out: dict[str, dict[str, Any]] = {}
    for trace in dict.fromkeys(f.trace for f in features):
        figures = {}
        for feature in (f for f in features if f.trace == trace):
            a, b = (float(v) for v in feature.value(weights @ feature.sums))
            enough = min(feature.sums[side == which, -1].sum() for which in (0, 1)) >= feature.enough
            p_value = _p_value(feature, b - a, deals) if enough and passages.testable else np.nan
            figures[feature.name.removeprefix(f"{trace}_")] = {"real": a, "synthetic": b, "p_value": p_value}
        rate = figures["rate"]
        sides = [
            _counted(trace, [d for d, s in zip(takes, passages.take_side, strict=True) if s == which])
            | {name: figure[key] for name, figure in figures.items()}
            for which, key in ((0, "real"), (1, "synthetic"))
        ]
        effect = rate["synthetic"] - rate["real"]
        out[trace] = {
            "unit": f"{trace if trace == 'slips' else 'events'} {_WORDS[trace].unit}".replace("a hundred", "a 100"),
            "real": sides[0],
            "synthetic": sides[1],
            "distance": abs(effect),
            "p_value": rate["p_value"],
            "effect": effect,
            "effect_name": "difference of the rates",
            "figures": figures,
        }
    return out


def _counted(trace: str, takes: Sequence[Deviations]) -> dict[str, Any]:
    """Return how many events there are, over all and a kind."""
    kinds = [str(event.get("kind", "")) for d in takes for event in getattr(d, trace)]
    return {"n": len(kinds)} | {f"n_{kind}": kinds.count(kind) for kind in sorted(set(kinds)) if kind}


def _p_value(feature: Feature, observed: float, deals: np.ndarray) -> float:
    """Return how often sides dealt at random differ as much, two-sided."""
    if not np.isfinite(observed):
        return np.nan
    reached = 0
    for start in range(0, len(deals), _PERMUTATIONS_AT_ONCE):
        deal = deals[start : start + _PERMUTATIONS_AT_ONCE]
        moved = feature.value(deal @ feature.sums) - feature.value((1.0 - deal) @ feature.sums)
        reached += int((np.abs(np.nan_to_num(moved)) >= abs(observed) * (1.0 - 1e-9)).sum())
    return (1.0 + reached) / (len(deals) + 1.0)


def _block_seconds(p: Passages) -> np.ndarray:
    """Return how long each block lasts: the time from each of its notes to the next note of the take."""
    out = np.zeros(len(p.block_side))
    for take in np.unique(p.hits.take):
        rows = np.flatnonzero(p.hits.take == take)
        rows = rows[np.argsort(p.hits.onset_s[rows], kind="stable")]
        out += np.bincount(p.hits.block[rows[:-1]], np.diff(p.hits.onset_s[rows]), len(out))
    return out


def _events_of(trace: str, p: Passages, takes: Sequence[Deviations]) -> Events:
    parts = []
    for number, d in enumerate(takes):
        rows = np.flatnonzero(p.hits.take == number)
        events = getattr(d, trace)
        if len(rows) and events:
            rows = rows[np.argsort(p.hits.onset_s[rows], kind="stable")]
            parts.append(_laid(events, p, rows, d))
    return Events.concatenate(parts) if parts else Events.build(0)


def _laid(events: Sequence[Mapping[str, Any]], p: Passages, rows: np.ndarray, d: Deviations) -> Events:
    """Lay the events of one take on its notes ``rows``, in order of time."""
    onset_s, beat = p.hits.onset_s[rows], p.hits.beat[rows]
    start = np.array([_number(e, "start_s", "time_s") for e in events])
    at_beat = np.array([_number(e, "beat") for e in events])
    start = np.where(np.isfinite(start), start, np.interp(np.nan_to_num(at_beat), np.maximum.accumulate(beat), onset_s))
    after = np.searchsorted(onset_s, start, side="right")
    before = np.maximum(after - 1, 0)
    moments = np.unique(onset_s)
    step = np.diff(moments)
    step = step[step > 0.03] if (step > 0.03).any() else step
    usual = float(np.median(step)) if len(step) else np.nan
    inside = (after > 0) & (after < len(rows))
    around = np.where(inside, onset_s[np.minimum(after, len(rows) - 1)] - onset_s[before], np.inf)
    # A breath begins after the note before it: the note sounding at a slip itself is found among those just after it.
    near = np.minimum(np.searchsorted(moments, start + 0.03), len(moments) - 1)
    last = np.where(near > 0, moments[near] - moments[np.maximum(near - 1, 0)], np.inf)
    notes = d.notes.level_db
    level = float(np.nanmedian(notes)) if np.isfinite(notes).any() else 0.0
    place = np.interp(start, onset_s, np.maximum.accumulate(beat))
    return Events.build(
        len(start),
        block=p.hits.block[rows][before],
        duration_s=np.array([_number(e, "duration_s") for e in events]),
        level_db=np.array([_number(e, "level_db") for e in events]) - level,
        in_gap=(around >= _GAP * usual).astype(np.float64),
        in_fast=(last <= _FAST * usual).astype(np.float64),
        at_bar_line=_near_bar_line(d, place),
    )


def _near_bar_line(d: Deviations, beat: np.ndarray) -> np.ndarray:
    bar, inside = d.metre.position(beat)
    soon, _ = d.metre.position(beat + _AT_BAR_LINE_BEATS)
    return ((inside < _AT_BAR_LINE_BEATS) | (soon != bar)).astype(np.float64)


def _number(event: Mapping[str, Any], *names: str) -> float:
    for name in names:
        value = event.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            return float(value)
    return np.nan
