"""Real and synthetic deviations side by side: what differs, how surely, and what gives the synthetic one away.

Conventions
-----------
Each side is one take or several. Both must have been measured in one way: MIDI with MIDI or audio with audio, against
the same kind of reference. Distances are in the trace's unit. p-values come from dealing blocks of bars (or whole
takes) to the two sides anew, which leaves what hangs together in time together; where there are fewer than five blocks
a side there is no p-value and no tell, in words.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..core.deviations import Deviations, finite
from ..core.errors import TakeprintError
from .block_sums import slots
from .event_traces import event_features, event_traces
from .fluctuation import describe
from .passages import LEAST_BLOCKS, Passages, hits_of, passages_of
from .realism_words import copy_warnings, realism_sentences
from .tells import BOOTSTRAPS, dealt, find_tells, resampled
from .verbatim import verbatim_blocks

SCHEMA = "takeprint.comparison/1"
_REFERENCES = {"score": "a score", "click": "a click", "take": "another take", "none": "nothing"}
_GRID_POINTS = 2048
# From here on a judge has surely found something.
_TOLD_APART = 0.55
# Below the first the music itself may tell, below the second the judge may not look at what is played.
_SAME_MUSIC = 0.6
_VERY_SAME_MUSIC = 0.9
_SLIP_KINDS = ("wrong", "missed", "added", "repeated", "hesitation")
_SERIES = ("lag1", "dfa_exponent", "spectral_exponent")
_BOUNDS = {
    "lag1": ("lag1_low", "lag1_high"),
    "dfa_exponent": ("dfa_low", "dfa_high"),
    "spectral_exponent": ("spectral_low", "spectral_high"),
}


@dataclass(frozen=True)
class Comparison:
    """What differs between a real and a synthetic side.

    Parameters
    ----------
    real, synthetic : dict
        ``takes`` (names), ``n_takes``, ``n_notes``, ``n_bars``.
    traces : dict
        ``{trace: {unit, real, synthetic, distance, energy_distance, p_value, effect, effect_low, effect_high,
        spread_ratio, spread_ratio_low, spread_ratio_high}}``. ``real`` and ``synthetic`` hold the statistics of
        ``describe``; ``distance`` is Wasserstein-1 in the trace's unit, ``p_value`` of the larger of
        it and the difference of the sds; ``effect`` is Cliff's delta, the chance that a
        synthetic value lies above a real one less the opposite, -1 to 1; ``spread_ratio`` is sd over sd.
    realism : dict
        ``auc, auc_low, auc_high, floor_auc, n_windows`` and more, see ``analysis.realism``; ``verbatim_blocks`` of
        ``blocks`` of eight notes are real ones to the tick.
    tells : tuple of dict
        What gives the synthetic side away, strongest first; each has a ``sentence`` and its figures.
    basis : dict
        What the tests stand on: ``block`` in words, ``real_blocks``, ``synthetic_blocks``, ``permutations``, ``seed``.
    warnings : tuple of str
    """

    real: Mapping[str, Any]
    synthetic: Mapping[str, Any]
    traces: Mapping[str, Mapping[str, Any]]
    realism: Mapping[str, Any]
    tells: tuple[Mapping[str, Any], ...] = ()
    basis: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document as schema ``takeprint.comparison/1`` has it; None = not known."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"schema": SCHEMA, **finite(parts)}

    def dumps(self) -> str:
        """Return the document as one JSON text."""
        return json.dumps(self.to_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the JSON document atomically; an existing file only with ``force``."""
        from ..core.files import write_atomic

        write_atomic(path, self.dumps().encode(), force=force)

    @classmethod
    def from_json(cls, document: Any, where: str | None = None) -> Comparison:
        """Read what ``to_json`` wrote.

        Raises
        ------
        TakeprintError
            Unless the document is of schema ``takeprint.comparison/1``.
        """
        found = document.get("schema") if isinstance(document, Mapping) else type(document).__name__
        if found != SCHEMA:
            raise TakeprintError(
                f"schema is {found!r}",
                where=where,
                rule=f"a comparison document says {SCHEMA!r}",
                remedy="make one with `takeprint compare REAL SYNTHETIC -o CMP.json`",
            )
        parts = {name: document.get(name) for name in cls.__dataclass_fields__}
        maps, lists = ("real", "synthetic", "traces", "realism", "basis"), ("tells", "warnings")
        if not all(isinstance(parts[name], Mapping) for name in maps) or not all(
            isinstance(parts[name], list) for name in lists
        ):
            raise TakeprintError("the document is damaged", where=where, rule="tables are objects and tells a list")
        return cls(**(parts | {name: tuple(parts[name]) for name in lists}))

    @classmethod
    def load(cls, path: str | Path) -> Comparison:
        """Read a JSON document from a regular file."""
        from ..core.files import read_regular

        try:
            document = json.loads(read_regular(path, max_bytes=200_000_000))
        except (ValueError, RecursionError) as wrong:
            if isinstance(wrong, TakeprintError):
                raise
            raise TakeprintError(f"not JSON ({wrong})", where=str(path), rule="CMP.json is a JSON text") from wrong
        return cls.from_json(document, where=str(path))

    def sentences(self) -> list[str]:
        """Return the findings in words: the tells, or that there are none, and how much they stand on."""
        said = [str(tell["sentence"]) for tell in self.tells]
        stands = (
            f"{self.real['n_notes']} real and {self.synthetic['n_notes']} synthetic notes,"
            f" {self.basis['real_blocks']} and {self.basis['synthetic_blocks']} blocks of {self.basis['block']}"
        )
        if min(self.basis["real_blocks"], self.basis["synthetic_blocks"]) < LEAST_BLOCKS:
            said.append(f"Too little to test ({stands}): {LEAST_BLOCKS} blocks a side are needed.")
        elif not self.tells and (self.realism.get("auc_low") or 0.0) > _TOLD_APART:
            said.append(f"No single figure gives the synthetic side away ({stands}), but all together do:")
        elif not self.tells:
            said.append(f"Nothing gives the synthetic side away ({stands}): that is no proof that nothing could.")
        else:
            said.append(f"Standing on {stands}.")
        said += realism_sentences(self.realism)
        return [*said, *(f"Warning: {w}." for w in self.warnings)]


def compare(
    real: Any,
    synthetic: Any,
    *,
    against: Any = None,
    permutations: int = 2000,
    seed: int = 0,
    click: Any = None,
    meter: str | None = None,
    strict: bool = False,
    groups: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Comparison:
    """Hold a real and a synthetic side against each other.

    Parameters
    ----------
    real, synthetic : Deviations, path of a DEV.json, take, or a list of these
        Takes are anything ``measure`` takes; all of them are measured alike.
    against, click, meter, strict
        As in ``measure``, for the takes that are not measured yet.
    permutations : int
        99 to 1 000 000; the smallest possible p-value is 1 / (permutations + 1).
    seed : int
    groups : (labels of the real takes, labels of the synthetic ones) or None
        Who plays: takes of one label are never in the training and the testing part of the judge at once.

    Returns
    -------
    Comparison

    Raises
    ------
    TakeprintError
        When one side is audio and the other MIDI, when the references are of different kinds, or a side is empty.
    """
    if not 99 <= permutations <= 1_000_000:
        raise TakeprintError(f"permutations={permutations}", rule="from 99 to 1000000")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise TakeprintError(f"seed={seed!r}", rule="a seed is a whole number from 0 to 2**63 - 1")
    options = {"against": against, "click": click, "meter": meter, "strict": strict}
    sides = {"real": _side(real, "real", options), "synthetic": _side(synthetic, "synthetic", options)}
    warnings = _check_one_path(sides["real"], sides["synthetic"])
    passages = passages_of(sides["real"], sides["synthetic"])
    common = _common_music(passages)
    if passages.testable and common < _SAME_MUSIC:
        warnings.append(
            f"the two sides play different music ({common:.0%} of the places in the bar agree): tells may come of that"
        )
    takes = [*sides["real"], *sides["synthetic"]]
    events = event_features(passages, takes)
    traces = _traces(sides, passages, permutations, int(seed))
    traces |= event_traces(events, passages, takes, permutations, int(seed))
    if any(_tells_slips(d) for d in takes):
        traces["slips"] = traces.get("slips", {}) | _slips(sides, traces.get("slips", {}))
    judged = _judged(sides, int(seed), groups, common)
    warnings += copy_warnings(judged)
    return Comparison(
        _told(sides["real"]),
        _told(sides["synthetic"]),
        finite(traces),
        finite(judged),
        tuple(finite(_with_exponents(find_tells(passages, permutations, int(seed), events), traces))),
        {
            "block": passages.unit,
            "real_blocks": int((passages.block_side == 0).sum()),
            "synthetic_blocks": int((passages.block_side == 1).sum()),
            "permutations": int(permutations),
            "seed": int(seed),
        },
        tuple(warnings),
    )


def _side(given: Any, name: str, options: Mapping[str, Any]) -> list[Deviations]:
    listed = given if isinstance(given, list) else [given]
    if not listed:
        raise TakeprintError(f"the {name} side is empty", rule="each side has at least one take")
    return [_deviations(one, options) for one in listed]


def _deviations(one: Any, options: Mapping[str, Any]) -> Deviations:
    if isinstance(one, Deviations):
        return one
    if isinstance(one, str | os.PathLike):
        from ..core.sniff import sniff

        if sniff(Path(one)) == "json":
            return Deviations.load(Path(one))
    from .measure import measure

    return measure(one, **options)


def _check_one_path(real: Sequence[Deviations], synthetic: Sequence[Deviations]) -> list[str]:
    kinds = [{str(d.take.get("kind", "none")) for d in side} for side in (real, synthetic)]
    heard = (kinds[0] | kinds[1]) - {"none"}
    if len(heard) > 1:
        raise TakeprintError(
            f"the real side is {_joined(kinds[0])}, the synthetic side {_joined(kinds[1])}",
            rule="both sides go through one measuring path: its own errors would tell them apart",
            remedy="compare MIDI with MIDI or audio with audio; render the MIDI to audio if need be",
        )
    bases = [{str(d.reference.get("timing_basis", "")) for d in side} - {""} for side in (real, synthetic)]
    if len(bases[0] | bases[1]) > 1:
        mixed = [name for name, found in zip(("real", "synthetic"), bases, strict=True) if len(found) > 1]
        raise TakeprintError(
            f"takes of the {mixed[0]} side were measured against a click and others after their own tempo curve"
            if mixed
            else "one side was measured against a click, the other after its own tempo curve",
            rule="timing against a click holds the tempo's drift, timing after a tempo curve does not",
            remedy="measure all takes against the same kind of reference",
        )
    references = [{str(d.reference.get("kind", "")) for d in side} - {""} for side in (real, synthetic)]
    warnings = []
    if all(references) and references[0] != references[1]:
        said = [" and ".join(sorted(_REFERENCES.get(kind, kind) for kind in found)) for found in references]
        warnings.append(
            f"the real side was measured against {said[0]}, the synthetic one against {said[1]}: the measuring may tell"
        )
    if heard and "none" in kinds[0] | kinds[1]:
        warnings.append(
            "one side was invented and never played: the limits of a file (ticks, velocities 1 to 127) may tell"
        )
    return warnings


def _joined(kinds: Iterable[str]) -> str:
    return " and ".join(sorted("MIDI" if k == "midi" else "invented" if k == "none" else k for k in kinds))


def _judged(
    sides: Mapping[str, list[Deviations]],
    seed: int,
    groups: tuple[Sequence[str], Sequence[str]] | None,
    common: float,
) -> dict[str, Any]:
    """Return what the judge found, and how many blocks of notes were copied."""
    from .realism import realism

    found = realism(sides["real"], sides["synthetic"], seed, groups, same_music=common >= _VERY_SAME_MUSIC)
    return found | verbatim_blocks(sides["real"], sides["synthetic"])


def _common_music(passages: Passages) -> float:
    """Return the share of places in the bar that both sides play: a difference of music is no tell of a machine."""
    hits = passages.hits
    if not len(hits):
        return 1.0
    shares = []
    for which in (0, 1):
        rows = passages.take_side[hits.take] == which
        shares.append(np.bincount(hits.cell[rows], minlength=int(hits.cell.max()) + 1) / max(rows.sum(), 1))
    return float(np.minimum(*shares).sum()) if min(s.sum() for s in shares) > 0 else 1.0


def _told(takes: Sequence[Deviations]) -> dict[str, Any]:
    notes = [hits_of(d) for d in takes]
    return {
        "takes": [str(d.take.get("name", "")) for d in takes],
        "n_takes": len(takes),
        "n_notes": int(sum(len(n) for n in notes)),
        "n_bars": int(sum(len(np.unique(n.bar)) for n in notes)),
    }


def _traces(
    sides: Mapping[str, list[Deviations]], passages: Passages, permutations: int, seed: int
) -> dict[str, dict[str, Any]]:
    hits, tempo = passages.hits, passages.tempo
    columns = {
        "tempo": ("%", tempo.value, tempo.take, tempo.block),
        "timing": ("ms", hits.timing_ms, hits.take, hits.block),
        "dynamics": (passages.loudness_unit, hits.dynamics, hits.take, hits.block),
        "articulation": ("log2", hits.articulation_log2, hits.take, hits.block),
    }
    out = {}
    placed = slots(hits, hits.timing_ms)
    for number, (trace, (unit, values, take, block)) in enumerate(columns.items()):
        known = np.isfinite(values)
        side = passages.take_side[take[known]]
        if not {0, 1} <= set(side.tolist()):
            continue
        rng = np.random.default_rng([seed, number])
        # Notes written together are one moment of the series that has memory.
        series = (values, take)
        if trace == "timing":
            series = (placed[2], placed[0])
        out[trace] = {
            "unit": unit,
            "real": _statistics(values, take, series, passages.take_side == 0),
            "synthetic": _statistics(values, take, series, passages.take_side == 1),
        } | _distance(values[known], block[known], passages, permutations, rng)
    return out


def _with_exponents(
    tells: Sequence[Mapping[str, Any]], traces: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Add the DFA exponents to the sentences on memory, where both sides have one."""
    out = []
    for tell in tells:
        pair = [traces.get(tell["trace"], {}).get(s, {}).get("dfa_exponent", np.nan) for s in ("synthetic", "real")]
        said = str(tell["sentence"])
        if tell["feature"].endswith("_memory") and np.isfinite(pair).all():
            said = f"{said[:-1]} (DFA exponent {pair[0]:.2f} against {pair[1]:.2f})."
        out.append({**tell, "sentence": said})
    return out


def _statistics(
    values: np.ndarray, take: np.ndarray, series: tuple[np.ndarray, np.ndarray], members: np.ndarray
) -> dict[str, Any]:
    """Describe all takes' values together, and their series take by take, averaged by length."""
    chosen = np.flatnonzero(members)
    told_series = [describe(series[0][series[1] == number]) for number in chosen]
    out = {key: v for key, v in describe(values[members[take]]).items() if key in ("n", "median", "iqr", "sd", "p95")}
    for name in _SERIES:
        told = [(s["n"], s[name], *(s[b] for b in _BOUNDS[name])) for s in told_series if np.isfinite(s[name])]
        bounds = dict.fromkeys((name, *_BOUNDS[name]), np.nan)
        if told:
            n, value, low, high = np.array(told, dtype=np.float64).T
            weight = n / n.sum()
            mean = float(weight @ value)
            bounds = {
                name: mean,
                _BOUNDS[name][0]: mean - float(np.sqrt((weight**2) @ (value - low) ** 2)),
                _BOUNDS[name][1]: mean + float(np.sqrt((weight**2) @ (high - value) ** 2)),
            }
        out |= bounds
    return out


def _distance(
    values: np.ndarray, block: np.ndarray, passages: Passages, permutations: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return distances, p-value and effect from the blocks' histograms on a common grid."""
    grid = np.unique(values)
    if len(grid) > _GRID_POINTS:
        grid = np.unique(np.quantile(values, np.linspace(0.0, 1.0, _GRID_POINTS)))
    k, g, side = len(passages.block_side), len(grid), passages.block_side
    place = np.clip(np.searchsorted(grid, values), 0, g - 1)
    counts = np.bincount(block * g + place, minlength=k * g).reshape(k, g).astype(np.float64)
    step = np.diff(grid)
    weights = np.stack([side == 0, side == 1]).astype(np.float64)
    below = _below(weights @ counts)
    gap = below[1, :-1] - below[0, :-1]
    out: dict[str, Any] = {"distance": float(np.abs(gap) @ step), "energy_distance": float(2.0 * gap**2 @ step)}
    real, synthetic = weights @ counts
    out |= {
        "p_value": np.nan,
        "effect": float(_cliffs_delta(real[None], synthetic[None])[0]),
        "effect_name": "Cliff's delta",
    }
    out["spread_ratio"] = float(_spread_ratio(real[None], synthetic[None], grid)[0])
    names = ("effect_low", "effect_high", "spread_ratio_low", "spread_ratio_high")
    if not passages.testable:
        return out | dict.fromkeys(names, np.nan)
    moved = []
    # In slices: a million permutations at once would not fit into memory.
    for start in range(0, permutations, 500):
        deal = dealt(side, min(500, permutations - start), rng)
        moved.append(_differences((1.0 - deal) @ counts, deal @ counts, grid))
    out["p_value"] = _largest_of_both(_differences(real[None], synthetic[None], grid), np.concatenate(moved))
    drawn = (resampled(side == 0, BOOTSTRAPS, rng) @ counts, resampled(side == 1, BOOTSTRAPS, rng) @ counts)
    bounds = np.concatenate(
        [
            np.nanpercentile(_cliffs_delta(*drawn), [2.5, 97.5]),
            _safe_percentiles(_spread_ratio(*drawn, grid)),
        ]
    )
    return out | dict(zip(names, bounds.tolist(), strict=True))


def _differences(real: np.ndarray, synthetic: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return (Wasserstein-1, difference of the sds) of each row, [shape=(p, 2)]."""
    distance = np.abs(_below(synthetic) - _below(real))[:, :-1] @ np.diff(grid)
    return np.stack([distance, np.abs(_sd(synthetic, grid) - _sd(real, grid))], axis=1)


def _largest_of_both(observed: np.ndarray, moved: np.ndarray) -> float:
    """Return the p-value of the larger of both standardised differences.

    Wasserstein-1 alone is blind to a change of spread where the blocks' means wander far.
    """
    centre, scale = moved.mean(axis=0), moved.std(axis=0)
    scale = np.where(scale > 1e-12, scale, np.inf)
    largest = ((moved - centre) / scale).max(axis=1)
    # A hair below the value itself, so that a deal equal to the real one counts.
    reached = largest >= ((observed - centre) / scale).max() - 1e-9
    return float((1.0 + reached.sum()) / (len(moved) + 1.0))


def _below(counts: np.ndarray) -> np.ndarray:
    total = counts.sum(axis=1, keepdims=True)
    return np.cumsum(counts, axis=1) / np.where(total > 0, total, 1.0)


def _cliffs_delta(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    # In whole numbers, so that equal sides give exactly 0.
    below = np.cumsum(real, axis=1)
    before = below - real
    pairs = np.maximum(real.sum(axis=1) * synthetic.sum(axis=1), 1.0)
    return (synthetic * (before + below)).sum(axis=1) / pairs - 1.0


def _spread_ratio(real: np.ndarray, synthetic: np.ndarray, grid: np.ndarray) -> np.ndarray:
    sds = _sd(real, grid), _sd(synthetic, grid)
    return np.where(sds[0] > 1e-9, sds[1] / np.where(sds[0] > 1e-9, sds[0], 1.0), np.nan)


def _sd(counts: np.ndarray, grid: np.ndarray) -> np.ndarray:
    n = np.maximum(counts.sum(axis=1), 1.0)
    mean = counts @ grid / n
    return np.sqrt(np.maximum(counts @ grid**2 / n - mean**2, 0.0))


def _safe_percentiles(values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.percentile(known, [2.5, 97.5]) if len(known) else np.full(2, np.nan)


def _tells_slips(d: Deviations) -> bool:
    """Tell whether slips could be known: without a score none are found, which is not the same as none."""
    return d.reference.get("kind") not in ("click", "none") or bool(d.slips)


def _slips(sides: Mapping[str, list[Deviations]], tested: Mapping[str, Any]) -> dict[str, Any]:
    """Return slips per 100 written notes by kind; where neither side has one there is nothing to test."""
    rates = {}
    for side, takes in sides.items():
        written = sum(int((d.notes.label != "insertion").sum()) for d in takes)
        found = [str(event.get("kind", "")) for d in takes for event in d.slips]
        per_100 = 100.0 / written if written else np.nan
        rates[side] = {**tested.get(side, {}), "n": len(found), "rate": len(found) * per_100}
        rates[side] |= {f"{kind}_rate": found.count(kind) * per_100 for kind in _SLIP_KINDS}
    effect = rates["synthetic"]["rate"] - rates["real"]["rate"]
    return {
        "unit": "slips a 100 written notes",
        **rates,
        "distance": abs(effect),
        "p_value": tested.get("p_value", np.nan),
        "effect": effect,
        "effect_name": "difference of the rates",
    }
