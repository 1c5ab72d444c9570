"""Ensemble: how the parts of one piece stand to each other: asynchrony, who leads, section-wise push and drag.

Conventions
-----------
An asynchrony is the first part less the second, ms: positive = the first is later. Placement is a part against the
mean of the others that sound with it, push and drag are placement section by section: late is positive. A moment is
what is written together; a part that plays a chord there counts with its mean, ornaments are left out. Medians and
spreads are of the onsets as they are; correlations, gains and exponents are of what is left after each part's own mean
at each place of the bar, so that a groove is no conversation.

Against a click the parts' common drift is in these figures; against a score or with an inferred beat it was taken off
with the tempo curve. Both parts obeying one unseen clock looks like mutual following: the difference of two gains
tells who leads, their size alone does not prove that they listen.

Speed: the 28 pairs of nine parts with 6000 onsets take about 0.5 s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ..core.deviations import Deviations, finite
from ..core.errors import TakeprintError
from ..core.metrical import cells, groups, slot_means
from ..core.timeline import Metre, Timeline
from .ensemble_statistics import (
    MAX_LAG,
    Bounded,
    Following,
    block_length,
    detrended_correlation,
    follow,
    lagged_correlation,
    median_bounded,
)
from .fluctuation import autocorrelation, dfa

DRUM_CHANNEL = 9
LEAST_SHARED = 32
SECTION_BARS = 8
# Moments further apart than this many beats do not answer each other: a part was silent in between.
_SILENCE_BEATS = 8.0
_SHRINK = 4.0
_SEED = 20140829


@dataclass(frozen=True)
class Ensemble:
    """How the parts of one piece stand to each other.

    Parameters
    ----------
    parts : tuple of dict
        A part each: ``name, n`` (moments), ``n_shared``, ``placement_ms`` (median lateness against the others) with
        ``placement_low_ms, placement_high_ms``, ``sd_ms, lag1, dfa_exponent`` (of its own residuals), ``lead`` (mean of
        how much more the others follow it than it follows them; NaN = not known).
    pairs : tuple of dict
        A pair each with at least 32 shared moments: ``first, second, n, median_ms`` with bounds, ``sd_ms``, ``p95_ms``
        (of the distance from the median), ``lag1`` and ``dfa_exponent`` of the asynchrony, ``lags, correlation,
        correlation_low, correlation_high``, ``lean`` (correlation where the second comes later, less where the first
        does), ``gain_first, gain_second`` (share of the last asynchrony that each takes back), ``lead`` (positive: the
        first leads), each with bounds, ``leader`` (a name, or "" where the bounds leave it open),
        ``detrended_window, detrended_correlation``.
    sections : tuple of dict
        ``start_bar`` (from 0), ``bars``, ``start_beat``, ``ensemble_ms`` (median of all parts' mean: the group early or
        late), ``parts`` {name: {n, placement_ms, push_ms}}; ``push_ms`` is the placement against the part's usual one.
    n_moments : int
        Moments that at least two parts share.
    basis : str
        What the deviations are counted from: ``"reference"`` or ``"tempo"``.
    warnings : tuple of str
    """

    parts: tuple[Mapping[str, Any], ...]
    pairs: tuple[Mapping[str, Any], ...]
    sections: tuple[Mapping[str, Any], ...]
    n_moments: int
    basis: str
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The parts' names in order."""
        return tuple(part["name"] for part in self.parts)

    def pair(self, first: str, second: str) -> Mapping[str, Any]:
        """Return a pair by its two names, in the order it was measured.

        Raises
        ------
        TakeprintError
            When the two share too few moments, or one is no part.
        """
        for found in self.pairs:
            if {found["first"], found["second"]} == {first, second}:
                return found
        raise TakeprintError(
            f"no figures of {first!r} and {second!r}", rule=f"a pair shares at least {LEAST_SHARED} moments"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the document as JSON has it; None = not known."""
        return finite({name: getattr(self, name) for name in self.__dataclass_fields__})

    def sentences(self) -> list[str]:
        """Say what was found, a sentence each: who is ahead, who leads, how tight, where it pushes and drags."""
        from .ensemble_words import sentences

        return sentences(self)


@dataclass(frozen=True, eq=False)
class PartTimes:
    """All parts on one line of moments.

    Parameters
    ----------
    names : tuple of str
    beat : ndarray [shape=(k,)], beats
    late_ms : ndarray [shape=(k, p)], ms, NaN where a part is silent
    metre : Metre
    basis : str
    """

    names: tuple[str, ...]
    beat: np.ndarray
    late_ms: np.ndarray
    metre: Metre
    basis: str = "reference"


def ensemble(
    deviations: Deviations | Sequence[Deviations],
    parts: str | Sequence[str] | np.ndarray | None = None,
    *,
    section_bars: int = SECTION_BARS,
    sections: Iterable[float] | None = None,
) -> Ensemble:
    """Measure how the parts of one piece stand to each other.

    Parameters
    ----------
    deviations : Deviations or list of Deviations
        One document with several parts, or a document a part (stems), all measured against one reference; stems must
        begin at the same instant.
    parts : {"players", "tracks", "instruments"}, list of str, array of str or None
        Of one document: what a part is. ``players``: the kit, and every track and channel; ``tracks``; ``instruments``:
        each instrument of the kit by itself; or a name for every row. None: players, and the kit's instruments where
        only a kit plays. Of several documents: their names; None takes the files'.
    section_bars : int
        Length of a section.
    sections : iterable of float or None
        Beats at which sections start, instead of sections of equal length.

    Returns
    -------
    Ensemble

    Raises
    ------
    TakeprintError
        For fewer than two parts, documents against different references, or names that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from takeprint.core.deviations import DeviationNotes
    >>> late = np.random.default_rng(1).normal(0.0, 5.0, 128) + np.tile([0.0, 12.0], 64)   # the second part drags
    >>> notes = DeviationNotes.build(
    ...     label=np.full(128, "match"), track=np.tile([0, 1], 64), channel=np.tile([0, 1], 64),
    ...     reference_beat=np.repeat(np.arange(64.0), 2), timing_ms=late)
    >>> found = ensemble(Deviations(notes=notes))
    >>> found.names, bool(found.pairs[0]["median_ms"] < -8.0)
    (('track 0', 'track 1'), True)
    """
    if section_bars < 1:
        raise TakeprintError(f"section_bars={section_bars}", rule="a section has at least one bar")
    times = _of_one(deviations, parts) if isinstance(deviations, Deviations) else _of_several(deviations, parts)
    starts = None if sections is None else np.unique(np.asarray(list(sections), dtype=np.float64))
    return ensemble_of(times, section_bars=section_bars, sections=starts)


def ensemble_of(times: PartTimes, *, section_bars: int = SECTION_BARS, sections: np.ndarray | None = None) -> Ensemble:
    """Measure parts that lie on one line of moments already: see ``ensemble``."""
    if len(times.names) < 2:
        raise TakeprintError(
            f"{len(times.names)} part(s) with a position and a timing",
            rule="an ensemble has at least two parts",
            remedy="give parts='instruments' for a kit, or a list of stems",
        )
    rng = np.random.default_rng(_SEED)
    late = times.late_ms
    played = np.isfinite(late)
    shared = played.sum(axis=1) >= 2
    own = residuals(times)
    against = _against_others(late)
    pairs = []
    few = []
    for i, j in combinations(range(len(times.names)), 2):
        both = played[:, i] & played[:, j]
        if both.sum() < LEAST_SHARED:
            few.append(f"{times.names[i]} and {times.names[j]}")
            continue
        pairs.append(_pair(times, own, both, i, j, rng))
    parts = [_part(times, own, against, i, pairs, rng) for i in range(len(times.names))]
    found = _sections(times, against, parts, section_bars, sections)
    warnings = []
    if few:
        said = ", ".join(few[:3]) + (f" and {len(few) - 3} more" if len(few) > 3 else "")
        warnings.append(f"fewer than {LEAST_SHARED} shared moments, so no figures of the pair: {said}")
    return Ensemble(tuple(parts), tuple(pairs), tuple(found), int(shared.sum()), times.basis, tuple(warnings))


def ensemble_summary(deviations: Deviations) -> dict[str, float]:
    """Return the few figures of an ensemble that a summary holds; empty where fewer than two players share moments.

    Returns
    -------
    dict
        ``n`` shared moments, ``n_parts``, ``n_pairs``, ``asynchrony_sd_ms`` and ``asynchrony_p95_ms`` (medians over the
        pairs), ``correlation`` (of residuals at one moment, mean over the pairs) and ``correlation_next`` (a shared
        moment later).
    """
    notes = deviations.notes
    main = (notes.label == "match") & np.isfinite(notes.timing_ms) & np.isfinite(notes.reference_beat)
    if len(np.unique(notes.track[main] * 16 + notes.channel[main])) < 2:
        return {}
    times = _of_one(deviations, "players")
    played = np.isfinite(times.late_ms)
    shared = int((played.sum(axis=1) >= 2).sum())
    own = residuals(times)
    figures = []
    for i, j in combinations(range(len(times.names)), 2):
        both = played[:, i] & played[:, j]
        if both.sum() < LEAST_SHARED:
            continue
        apart = times.late_ms[both, i] - times.late_ms[both, j]
        lagged = lagged_correlation(own[both, i], own[both, j])
        aside = 0.5 * (lagged[MAX_LAG - 1] + lagged[MAX_LAG + 1])
        p95 = float(np.percentile(np.abs(apart - np.median(apart)), 95.0))
        figures.append((float(apart.std(ddof=1)), p95, float(lagged[MAX_LAG]), float(aside)))
    if not figures:
        return {}
    sd, p95, together, after = np.array(figures).T
    return {
        "n": shared,
        "n_parts": len(times.names),
        "n_pairs": len(figures),
        "asynchrony_sd_ms": float(np.median(sd)),
        "asynchrony_p95_ms": float(np.median(p95)),
        "correlation": _mean_known(together),
        "correlation_next": _mean_known(after),
    }


def _mean_known(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


# ---------------------------------------------------------------- gathering the parts


def _of_one(deviations: Deviations, parts: Any) -> PartTimes:
    notes = deviations.notes
    name = _names_of(deviations, parts)
    wanted = (notes.label == "match") & (notes.ornament == "") & (name != "")
    wanted &= np.isfinite(notes.timing_ms) & np.isfinite(notes.reference_beat)
    late_ms = notes.timing_ms[wanted]
    basis = str(deviations.reference.get("timing_basis", "reference"))
    return _gathered(name[wanted], notes.reference_beat[wanted], late_ms, deviations.metre, basis)


def _names_of(deviations: Deviations, parts: Any) -> np.ndarray:
    """Return the part of each row, "" for none."""
    notes = deviations.notes
    if parts is not None and not isinstance(parts, str):
        given = np.asarray(parts, dtype=np.str_)
        if given.shape != (len(notes),):
            raise TakeprintError(f"{given.size} names for {len(notes)} rows", rule="every row has the name of its part")
        return given
    if parts not in (None, "players", "tracks", "instruments"):
        raise TakeprintError(f"parts={parts!r}", rule="parts are players, tracks or instruments")
    kit = (notes.channel == DRUM_CHANNEL) | ((notes.channel < 0) & (notes.instrument != ""))
    tracks = np.array([f"track {t}" if t >= 0 else "take" for t in notes.track.tolist()], dtype="<U48")
    if parts == "tracks":
        return tracks
    out = tracks.copy()
    for track in np.unique(notes.track[~kit]):
        rows = (notes.track == track) & ~kit
        if len(np.unique(notes.channel[rows])) > 1:
            out[rows] = [f"track {track} channel {c + 1}" for c in notes.channel[rows].tolist()]
    instrument = np.where(notes.instrument == "", "percussion", notes.instrument)
    alone = parts is None and bool(kit.all())
    out[kit] = instrument[kit] if parts == "instruments" or alone else "kit"
    return out


def _of_several(deviations: Sequence[Deviations], parts: Any) -> PartTimes:
    documents = list(deviations)
    if not documents or not all(isinstance(d, Deviations) for d in documents):
        raise TakeprintError("no list of deviations", rule="give one Deviations or a list of them, one a part")
    names = [str(d.take.get("name") or f"part {i + 1}") for i, d in enumerate(documents)]
    if parts is not None:
        names = [parts] if isinstance(parts, str) else [str(p) for p in parts]
    if len(names) != len(documents):
        raise TakeprintError(f"{len(names)} names for {len(documents)} documents", rule="each part has one name")
    names = [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]
    _refuse_strangers(documents)
    name, beat, onset_s = [], [], []
    for said, d in zip(names, documents, strict=True):
        rows = d.notes.rows((d.notes.label == "match") & (d.notes.ornament == ""))
        rows = rows.rows(np.isfinite(rows.onset_s) & np.isfinite(rows.reference_beat))
        name += [said] * len(rows)
        beat.append(rows.reference_beat)
        onset_s.append(rows.onset_s)
    where, when = np.concatenate(beat), np.concatenate(onset_s)
    clock = documents[0].reference_timeline
    basis = "tempo" if any(d.reference.get("timing_basis") == "tempo" for d in documents) else "reference"
    if basis == "tempo" and len(where):
        from .tempo import fit_tempo

        curve = fit_tempo(where, when, clock, 1.0)
        clock = Timeline(curve.beat, curve.time_s)
    late_ms = 1000.0 * (when - clock.seconds_at(where))
    return _gathered(np.array(name, dtype=np.str_), where, late_ms, documents[0].metre, basis)


def _refuse_strangers(documents: Sequence[Deviations]) -> None:
    """Refuse stems that were not measured against one and the same reference."""
    first = documents[0].reference
    for d in documents:
        for key in ("kind", "sha256", "tempo_map"):
            if d.reference.get(key) != first.get(key):
                raise TakeprintError(
                    f"{d.take.get('name', 'a part')} was measured against another reference ({key} differs)",
                    rule="all parts are measured against one reference",
                    remedy="measure each stem with the same --against or --click",
                )


def _gathered(name: np.ndarray, beat: np.ndarray, late_ms: np.ndarray, metre: Metre, basis: str) -> PartTimes:
    names = tuple(dict.fromkeys(name[np.argsort(beat, kind="stable")].tolist()))
    code = np.array([names.index(n) for n in name.tolist()], dtype=np.int64)
    moment = groups(beat, np.zeros(len(beat), dtype=np.int64))
    count = int(moment.max()) + 1 if len(moment) else 0
    cell = moment * max(len(names), 1) + code
    total = np.bincount(cell, late_ms, count * len(names))
    notes = np.bincount(cell, minlength=count * len(names))
    with np.errstate(invalid="ignore"):
        late = (total / notes).reshape(count, len(names))
    at = np.bincount(moment, beat, count) / np.maximum(np.bincount(moment, minlength=count), 1)
    return PartTimes(names, at, late, metre, basis)


# ---------------------------------------------------------------- figures


def residuals(times: PartTimes) -> np.ndarray:
    """Return each part's deviations less its own mean at each place of the bar, ndarray [shape=(k, p)], ms."""
    _, cell = cells(times.beat, times.metre)
    zero = np.zeros(len(cell), dtype=np.int64)
    out = np.full_like(times.late_ms, np.nan)
    for i in range(out.shape[1]):
        out[:, i] = times.late_ms[:, i] - slot_means(times.late_ms[:, i], zero, cell, _SHRINK)
    return out


def _against_others(late: np.ndarray) -> np.ndarray:
    """Return each part's lateness against the mean of the others at the moment; NaN where it plays alone."""
    played = np.isfinite(late)
    total = np.where(played, late, 0.0).sum(axis=1, keepdims=True)
    others = played.sum(axis=1, keepdims=True) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(others > 0, late - (total - late) / others, np.nan)


def _pair(
    times: PartTimes, own: np.ndarray, both: np.ndarray, i: int, j: int, rng: np.random.Generator
) -> dict[str, Any]:
    apart = times.late_ms[both, i] - times.late_ms[both, j]
    x, y = own[both, i], own[both, j]
    joined = np.cumsum(np.diff(times.beat[both], prepend=times.beat[both][0]) > _SILENCE_BEATS)
    n = int(both.sum())
    middle = median_bounded(apart, rng)
    memory, scaling = autocorrelation(x - y, 1), dfa(x - y)
    windows = np.unique(np.round(np.geomspace(6, max(n // 4, 8), 8)).astype(np.int64))
    found = follow(x, y, joined, rng) if x.std() > 0.0 and y.std() > 0.0 else _unknown()
    first, second = times.names[i], times.names[j]
    out: dict[str, Any] = {
        "first": first,
        "second": second,
        "n": n,
        **_said("median", middle, "_ms"),
        "sd_ms": float(apart.std(ddof=1)),
        "p95_ms": float(np.percentile(np.abs(apart - middle.value), 95.0)),
        "lag1": float(memory.value[1]) if len(memory.value) > 1 else np.nan,
        "dfa_exponent": scaling.exponent,
        "lags": list(range(-MAX_LAG, MAX_LAG + 1)),
        "correlation": found.correlation,
        "correlation_low": found.low,
        "correlation_high": found.high,
    }
    for name in ("lean", "gain_first", "gain_second", "lead"):
        out |= _said(name, getattr(found, name))
    # Who leads is followed: a part that merely flees the other makes no leader of it.
    followed = {1: found.gain_second.sign > 0, -1: found.gain_first.sign > 0, 0: False}[found.lead.sign]
    out["leader"] = {1: first, -1: second}[found.lead.sign] if followed else ""
    out["detrended_window"] = windows
    out["detrended_correlation"] = detrended_correlation(x, y, windows)
    return finite(out)


def _unknown() -> Following:
    none, nothing = np.full(2 * MAX_LAG + 1, np.nan), Bounded(float("nan"))
    return Following(none, none.copy(), none.copy(), nothing, nothing, nothing, nothing)


def _said(name: str, value: Bounded, unit: str = "") -> dict[str, float]:
    return {f"{name}{unit}": value.value, f"{name}_low{unit}": value.low, f"{name}_high{unit}": value.high}


def _part(
    times: PartTimes,
    own: np.ndarray,
    against: np.ndarray,
    i: int,
    pairs: Sequence[Mapping[str, Any]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    name = times.names[i]
    late = own[np.isfinite(own[:, i]), i]
    shared = against[np.isfinite(against[:, i]), i]
    memory, scaling = autocorrelation(late, 1), dfa(late)
    leads = [(p["lead"] if p["first"] == name else -p["lead"], p["n"]) for p in pairs
             if name in (p["first"], p["second"]) and p["lead"] is not None]  # fmt: skip
    lead = np.average([v for v, _ in leads], weights=[n for _, n in leads]) if leads else np.nan
    return finite(
        {
            "name": name,
            "n": len(late),
            "n_shared": len(shared),
            **_said("placement", median_bounded(shared, rng), "_ms"),
            "sd_ms": float(late.std(ddof=1)) if len(late) > 1 else np.nan,
            "lag1": float(memory.value[1]) if len(memory.value) > 1 else np.nan,
            "dfa_exponent": scaling.exponent,
            "lead": float(lead),
        }
    )


def _sections(
    times: PartTimes,
    against: np.ndarray,
    parts: Sequence[Mapping[str, Any]],
    section_bars: int,
    starts: np.ndarray | None,
) -> list[dict[str, Any]]:
    """Return group and parts' placement a section; a part with fewer than a block of shared moments is left out."""
    if not len(times.beat):
        return []
    bar, _ = cells(times.beat, times.metre)
    if starts is None:
        number = (bar - bar[0]) // section_bars
    else:
        number = np.searchsorted(starts, times.beat + 1e-6, side="right")
    together = np.isfinite(against).any(axis=1)
    mean = np.full(len(together), np.nan)
    mean[together] = np.nanmean(times.late_ms[together], axis=1)
    out = []
    for section in np.unique(number):
        rows = np.flatnonzero(number == section)
        said = {}
        for i, part in enumerate(parts):
            values = against[rows, i][np.isfinite(against[rows, i])]
            if len(values) >= block_length(LEAST_SHARED):
                placed = float(np.median(values))
                push = placed - float(part["placement_ms"])
                said[part["name"]] = {"n": len(values), "placement_ms": placed, "push_ms": push}
        shared = mean[rows][together[rows]]
        out.append(
            finite(
                {
                    "start_bar": int(bar[rows[0]]),
                    "bars": int(bar[rows[-1]] - bar[rows[0]]) + 1,
                    "start_beat": float(times.beat[rows[0]]),
                    "ensemble_ms": float(np.median(shared)) if len(shared) else np.nan,
                    "parts": said,
                }
            )
        )
    return out
