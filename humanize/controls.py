"""What a producer asks for beyond the amounts: tightness, bias, swing, amounts here and there, protected notes, slips.

Conventions
-----------
Late is positive. Everything multiplies: a note's amount of a trace is the overall amount, times the trace's own, times
that of every ``amounts`` entry that means this note, and for timing times the tightness of its place. Nothing wins over
anything, so the order does not matter; 0 anywhere is 0.

Bias and swing are explicit: they come on top of what is invented and are not scaled by the timing's amount. They follow
the overall amount (and ``amount=`` of an ``amounts`` entry) from 0 to 1, so that amount 0 is the score itself; a bias
goes on beyond that and inverts with it, swing does not. Protected notes are stronger than everything: they stay where
they are written, as loud and as long.

Controls act on a hit and what decorates it as one, and on all notes written at one moment as one where they are chosen
by place; which notes are meant is written as ``where`` tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.deviations import TRACES
from ..core.errors import TakeprintError
from ..core.timeline import Metre
from .where import Places, Where, place_of, words_of

AMOUNT_LIMIT = 10.0
BIAS_LIMIT_MS = 500.0
SWING_RANGE = (0.5, 0.75)
SWING_UNITS = (8, 16)
SLIPS_LIMIT = 30.0
ENSEMBLE_LIMIT = 4.0
# What a note can have of its own; the tempo belongs to all, and only whole bars can have their own of it.
_PER_NOTE = ("timing", "dynamics", "articulation", "slips")
_LOCAL = ("amount", "tempo", *_PER_NOTE)


@dataclass(frozen=True)
class Controls:
    """Controls of a performance; nothing is asked for by default.

    Parameters
    ----------
    tight : mapping of str to float
        Amount of timing by place in the bar, ``{"1": 0.0, "2&": 0.5}``; other places have 1.
    bias_ms : mapping of str to float, ms
        How much later (positive) or earlier notes are: ``{"all": -5.0, "snare": 8.0}``. Several add up.
    swing : float or None
        Where the off-beats go, as a share of the way from beat to beat: 0.5 straight, 0.667 triplets. None: kept.
    swing_unit : 8 or 16
        Whether eighths or sixteenths swing.
    amounts : sequence of (where, mapping)
        Amounts by trace for some notes: ``[("track=Bass", {"timing": 0.5}), ("bars=9-16", {"amount": 0.0})]``.
    protect : sequence of str
        Notes that stay exactly as they are written.
    slips_per_100 : float or None
        Slips in 100 notes. None: what the profile has, where the trace ``slips`` is asked for; else none.
    ensemble : float, 0 to 4
        How closely the players of several parts listen to each other; 0: each plays alone.
    leader : str or None
        Notes of the part that the others follow.

    Raises
    ------
    TakeprintError
        For a value out of its limits or a where that cannot be read.

    Examples
    --------
    >>> Controls(tight={"1": 0.0}, bias_ms={"snare": 8.0}, swing=0.62).told()
    {'tight': '1:0', 'bias': 'snare:8', 'swing': '0.62:8'}
    """

    tight: Mapping[str, float] = field(default_factory=dict)
    bias_ms: Mapping[str, float] = field(default_factory=dict)
    swing: float | None = None
    swing_unit: int = 8
    amounts: Sequence[tuple[str, Mapping[str, float]]] = ()
    protect: Sequence[str] = ()
    slips_per_100: float | None = None
    ensemble: float = 1.0
    leader: str | None = None

    def __post_init__(self) -> None:
        tight = {str(place): _number("tight", value, AMOUNT_LIMIT) for place, value in _pairs("tight", self.tight)}
        bias = {str(said): _number("bias", value, BIAS_LIMIT_MS) for said, value in _pairs("bias_ms", self.bias_ms)}
        for place in tight:
            place_of(place)
        for said in bias:
            Where.read(said)
        if self.swing is not None:
            _number("swing", self.swing, 1.0)
            if not SWING_RANGE[0] <= self.swing <= SWING_RANGE[1]:
                raise TakeprintError(f"swing={self.swing}", rule="swing is 0.5 (straight) to 0.75, or kept")
        if self.swing_unit not in SWING_UNITS:
            raise TakeprintError(f"swing_unit={self.swing_unit!r}", rule="eighths (8) or sixteenths (16) swing")
        amounts = tuple(_local(entry) for entry in _listed("amounts", self.amounts))
        protect = tuple(_listed("protect", self.protect))
        for said in protect:
            Where.read(said)
        if self.slips_per_100 is not None:
            rate = _number("slips_per_100", self.slips_per_100, SLIPS_LIMIT)
            if rate < 0.0:
                raise TakeprintError(f"slips_per_100={rate:g}", rule=f"a rate is 0 to {SLIPS_LIMIT:g} in 100 notes")
        if _number("ensemble", self.ensemble, ENSEMBLE_LIMIT) < 0.0:
            raise TakeprintError(f"ensemble={self.ensemble:g}", rule=f"it is a number from 0 to {ENSEMBLE_LIMIT:g}")
        if self.leader is not None:
            Where.read(self.leader)
        for name, value in {"tight": tight, "bias_ms": bias, "amounts": amounts, "protect": protect}.items():
            object.__setattr__(self, name, value)

    def told(self) -> dict[str, str]:
        """Return what is asked for, each control in the words of the command line; empty where nothing is."""
        out = {}
        if self.tight:
            out["tight"] = ";".join(f"{place}:{value:g}" for place, value in self.tight.items())
        if self.bias_ms:
            out["bias"] = ";".join(f"{said}:{value:g}" for said, value in self.bias_ms.items())
        if self.swing is not None:
            out["swing"] = f"{self.swing:g}:{self.swing_unit}"
        if self.amounts:
            out["set"] = ";".join(words_of(said, values) for said, values in self.amounts)
        if self.protect:
            out["protect"] = ";".join(self.protect)
        if self.slips_per_100 is not None:
            out["slip-rate"] = f"{self.slips_per_100:g}"
        if self.ensemble != 1.0:
            out["ensemble"] = f"{self.ensemble:g}"
        if self.leader is not None:
            out["leader"] = self.leader
        return out

    def on(self, places: Places) -> Acting:
        """Return what the controls mean for each note of a score.

        Raises
        ------
        TakeprintError
            For a track that the score has not.
        """
        n = len(places)
        factor = {name: np.ones(n) for name in ("amount", *_PER_NOTE)}
        bias_ms, protected = np.zeros(n), np.zeros(n, dtype=bool)
        acted: list[dict[str, Any]] = []

        def note(control: str, chosen: np.ndarray) -> np.ndarray:
            acted.append({"control": control, "n_notes": int(chosen.sum())})
            return chosen

        for place, value in self.tight.items():
            here = note(f"tight {place}:{value:g}", place_of(place).holds(places.since_bar_line))
            factor["timing"] = np.where(here, factor["timing"] * value, factor["timing"])
        for said, values in self.amounts:
            here = note(f"set {words_of(said, values)}", Where.read(said).mask(places))
            for name in values.keys() & factor.keys():
                factor[name] = np.where(here, factor[name] * values[name], factor[name])
        for said, value in self.bias_ms.items():
            here = note(f"bias {said.strip() or 'all'}:{value:g}", Where.read(said).mask(places))
            bias_ms += np.where(here, value, 0.0)
        for said in self.protect:
            protected |= note(f"protect {said.strip() or 'all'}", Where.read(said).mask(places))
        amount = factor.pop("amount")
        factor = {name: values * amount for name, values in factor.items()}
        return Acting(factor, amount, bias_ms, protected, tuple(acted))

    def tempo_factor(self, beat: np.ndarray, metre: Metre) -> np.ndarray:
        """Return the amount of tempo at each beat: entries that mean whole bars alone count."""
        bar, _ = metre.position(beat)
        out = np.ones(len(beat))
        for said, values in self.amounts:
            where = Where.read(said)
            if where.bars_alone:
                value = values.get("amount", 1.0) * values.get("tempo", 1.0)
                out = np.where(where.bars_hold(bar + 1), out * value, out)
        return out


@dataclass(frozen=True, eq=False)
class Acting:
    """What controls mean for each note of a score.

    Parameters
    ----------
    factor : dict of ndarray [shape=(n,)]
        Amount of ``timing``, ``dynamics``, ``articulation`` and ``slips``.
    amount : ndarray [shape=(n,)]
        The part of these that is meant for everything, bias and swing too.
    bias_ms : ndarray [shape=(n,)], ms
    protected : ndarray of bool [shape=(n,)]
    acted : tuple of dict
        ``control, n_notes``: what acts on how many notes.
    """

    factor: dict[str, np.ndarray]
    amount: np.ndarray
    bias_ms: np.ndarray
    protected: np.ndarray
    acted: tuple[dict[str, Any], ...]

    @property
    def idle(self) -> list[str]:
        """The controls that act on no note."""
        return [str(one["control"]) for one in self.acted if not one["n_notes"]]


def _number(name: str, value: Any, limit: float) -> float:
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or abs(value) > limit:
        raise TakeprintError(f"{name}: {value!r}", rule=f"it is a number from {-limit:g} to {limit:g}")
    return float(value)


def _pairs(name: str, given: Any) -> list[tuple[Any, Any]]:
    if not isinstance(given, Mapping):
        raise TakeprintError(f"{name} is {type(given).__name__}", rule=f"{name} maps places to numbers")
    return list(given.items())


def _listed(name: str, given: Any) -> list[Any]:
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise TakeprintError(f"{name} is {type(given).__name__}", rule=f"{name} is a list")
    return list(given)


def _local(entry: Any) -> tuple[str, dict[str, float]]:
    if isinstance(entry, str) or not isinstance(entry, Sequence) or len(entry) != 2:
        raise TakeprintError(f"amounts holds {entry!r}", rule="an entry is (where, {trace: amount})")
    where = Where.read(entry[0])
    values = {str(name): _number(str(name), value, AMOUNT_LIMIT) for name, value in _pairs("amounts", entry[1])}
    wrong = [name for name in values if name not in _LOCAL]
    if wrong and wrong[0] in TRACES:
        raise TakeprintError(f"{wrong[0]} cannot be set for some notes", rule=f"these can: {', '.join(_LOCAL)}")
    if wrong or not values:
        raise TakeprintError(f"{entry[0]}: {wrong[0] if wrong else 'no trace'!r}", rule=f"give {', '.join(_LOCAL)}")
    if "tempo" in values and not where.bars_alone:
        raise TakeprintError(
            f"tempo cannot be set for {entry[0]!r}",
            rule="the tempo belongs to all notes of a bar",
            remedy="name bars alone, as in bars=9-16",
        )
    return where.said, values
