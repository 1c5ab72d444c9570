"""Whether a profile's figures can be played: asked once, before a player stumbles over them.

Conventions
-----------
A profile may come from anywhere. Every figure the players read is a finite number within wide limits, far beyond what
people do; what is damaged is refused with the figure's place in the document. Milliseconds, velocity steps, log2.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from ...analysis.keyboard_model import arrays_are_sound as keys_are_sound
from ...analysis.kit_model import arrays_are_sound
from ...analysis.shape_model import shapes_are_sound
from ...core.errors import TakeprintError
from ...core.fractional import BETA_LIMITS
from ...core.profile import Profile
from .line import STEPS

KINDS = ("drums", "keyboard", "melody")
_TRACES = ("template", "timing", "dynamics", "articulation", "tempo", "voices")
_MS = (-10_000.0, 10_000.0)
_MS_SD = (0.0, 10_000.0)
_VELOCITY = (-1_000.0, 1_000.0)
_VELOCITY_SD = (0.0, 1_000.0)
_LOG2 = (-20.0, 20.0)
_LOG2_SD = (0.0, 20.0)
_COUNT = (0.0, 1e12)
_SHARE = (-1.0, 1.0)
_WINDOW = (2.0, 65_536.0)
_CORNER = (0.0, 1e6)
_CLOCK = {"sd": _MS_SD, "motor": _MS_SD, "beta": BETA_LIMITS, "window": _WINDOW}
_TEMPO = {"arch_log2": _LOG2, "drift_sd_log2": _LOG2_SD}
_TEMPO_CURVE = {"phrase_beats": (1e-3, 1e6), "beta": BETA_LIMITS, "window": _WINDOW}
_ARTICULATION = {"mean_log2": _LOG2, "sd_log2": _LOG2_SD, "lag1": _SHARE}
_BREATH = {key: (0.05, 600.0) for key in ("comfort_s", "longest_s", "gap_short_s", "gap_long_s")}
_RULES = {"per_octave": (-64.0, 64.0), "lone": (-64.0, 64.0), "arch": (-64.0, 64.0), "phrase_beats": (1e-3, 1e6)}
_TIMING_VOICE = {"asynchrony": _MS_SD, "between_takes": _MS_SD, "between_takes_cell": _MS_SD}
_DYNAMICS_VOICE = {
    "lag1": _SHARE, "bar_memory": _SHARE,
    "between_takes": _VELOCITY_SD, "between_takes_cell": _VELOCITY_SD,
}  # fmt: skip
# A donor's columns and the limits of their values; NaN is allowed where a value may be unknown.
_ROWS = {
    "take": (0.0, 32_767.0), "bar": (-100_000.0, 100_000.0), "cell": (0.0, 32_767.0), "beat": (-1_000.0, 1_000.0),
    "group": (-1e9, 1e9), "rank": (0.0, 127.0), "voice": (-1.0, 127.0),
}  # fmt: skip
_VALUES = {"timing_ms": _MS, "dynamics_velocity": _VELOCITY, "articulation_log2": _LOG2}


def check_figures(profile: Profile) -> None:
    """Refuse a profile that no player can play.

    Raises
    ------
    TakeprintError
        Naming the first figure that is missing, of another type or out of its limits.
    """
    name = profile.name
    if profile.kind not in KINDS:
        _refuse(name, "kind", profile.kind, f"a profile is for {', '.join(KINDS)}")
    model = profile.model
    missing = sorted(set(_TRACES) - set(model)) if isinstance(model, Mapping) else ["model"]
    if missing:
        raise TakeprintError(
            f"profile {name!r} has no figures for {missing[0]!r}",
            rule=f"a profile's model holds {', '.join(sorted(_TRACES))}",
            remedy="fit it again with `takeprint fit`",
        )
    _check_timing(name, model)
    _check_dynamics(name, model)
    _check_template(name, model["template"])
    _numbers(name, "articulation", _table(name, "articulation", model["articulation"]), _ARTICULATION)
    _check_line(name, model)
    tempo = _table(name, "tempo", model["tempo"])
    _numbers(name, "tempo", tempo, _TEMPO)
    if tempo["arch_log2"] or tempo["drift_sd_log2"]:
        _numbers(name, "tempo", tempo, _TEMPO_CURVE)
        _numbers(name, "tempo", tempo, {"corner": _CORNER}, unless=("missing",))
    if not _is_list(model["voices"]) or not all(isinstance(voice, str) for voice in model["voices"]):
        _refuse(name, "voices", model["voices"], "a list of names")
    if len(profile.arrays.get("take", ())):
        _check_rows(name, profile.arrays)
    if "kit_take" in profile.arrays and not arrays_are_sound(dict(profile.arrays)):
        raise TakeprintError(
            f"profile {name!r}: the takes for the learned player are damaged",
            rule="its kit_ arrays fit together and lie within their limits",
            remedy="fit it again with `takeprint fit`",
        )
    if any(key.startswith("keys.") for key in profile.arrays) and not keys_are_sound(profile.arrays):
        raise TakeprintError(
            f"profile {name!r}: the takes for the keyboard player are damaged",
            rule="its keys. arrays fit together and lie within their limits",
            remedy="fit it again with `takeprint fit`",
        )
    if any(key.startswith("shape.") for key in profile.arrays) and not shapes_are_sound(profile.arrays):
        raise TakeprintError(
            f"profile {name!r}: the tempo and level of its takes are damaged",
            rule="its shape. arrays fit together and lie within their limits",
            remedy="fit it again with `takeprint fit`",
        )


def _check_line(name: str, model: Mapping[str, Any]) -> None:
    """Check what only some profiles have: lengths by the next note, swing by tempo, breaths, loudness by rule."""
    articulation, swing = model["articulation"], model["timing"].get("swing")
    if articulation.get("table"):
        levels = _rising(name, "articulation.quantile_levels", articulation.get("quantile_levels"), (1e-9, 1.0 - 1e-9))
        _numbers(name, "articulation", articulation, {"between_takes": _LOG2_SD}, unless=("missing",))
        rows = articulation["table"] if _is_list(articulation["table"]) else [None]
        for i, row in enumerate(rows):
            place = f"articulation.table[{i}]"
            _table(name, place, row)
            if not isinstance(row.get("voice"), str) or row.get("step") not in (*STEPS, "*"):
                _refuse(name, place, row.get("step"), f"it has a voice and a step: {', '.join(STEPS)} or *")
            _numbers(name, place, row, {"upto_s": (0.0, 1e6)}, unless=("unknown",))
            if len(_rising(name, f"{place}.quantiles", row.get("quantiles"), _LOG2, strictly=False)) != len(levels):
                _refuse(name, f"{place}.quantiles", row["quantiles"], "a number a quantile level")
    if swing:
        tempi = _rising(name, "timing.swing.tempo_bpm", _table(name, "timing.swing", swing).get("tempo_bpm"), (1, 1e4))
        shares = swing.get("share")
        if not _is_list(shares) or len(shares) != len(tempi):
            _refuse(name, "timing.swing.share", shares, "a share a tempo")
        for share in shares:
            _number(name, "timing.swing.share", share, (0.3, 0.8))
    if model["timing"].get("contrast"):
        figures = _table(name, "timing.contrast", model["timing"]["contrast"])
        _numbers(name, "timing.contrast", figures, {"softened": _SHARE, "upto_s": (0.0, 60.0), "entry_ms": _MS})
    motor = model["timing"].get("motor")
    if motor:
        gaps = _rising(name, "timing.motor.gap_s", _table(name, "timing.motor", motor).get("gap_s"), (1e-3, 1e3))
        sizes = motor.get("sd_ms")
        if not _is_list(sizes) or len(sizes) != len(gaps):
            _refuse(name, "timing.motor.sd_ms", sizes, "a number a gap")
        for size in sizes:
            _number(name, "timing.motor.sd_ms", size, _MS_SD)
    if model["timing"].get("roll"):
        _check_rolls(name, _table(name, "timing.roll", model["timing"]["roll"]))
    if model.get("breath"):
        _numbers(name, "breath", _table(name, "breath", model["breath"]), _BREATH, unless=("missing",))
    if model["dynamics"].get("rules"):
        rules = _table(name, "dynamics.rules", model["dynamics"]["rules"])
        _numbers(name, "dynamics.rules", rules, _RULES, unless=("missing",))


def _check_rolls(name: str, roll: Mapping[str, Any]) -> None:
    levels = _rising(name, "timing.roll.spread_levels", roll.get("spread_levels"), (1e-9, 1.0 - 1e-9))
    if len(_rising(name, "timing.roll.spread_ms", roll.get("spread_ms"), _MS_SD, strictly=False)) != len(levels):
        _refuse(name, "timing.roll.spread_ms", roll["spread_ms"], "a number a level")
    _numbers(name, "timing.roll", roll, {"between_takes": (0.0, 5.0)}, unless=("missing",))
    rows: Any = roll.get("table")
    for i, row in enumerate(rows if _is_list(rows) else [rows]):
        place = f"timing.roll.table[{i}]"
        _numbers(name, place, _table(name, place, row), {"share": (0.0, 1.0), "up": (0.0, 1.0)})
        _numbers(name, place, row, {"upto_semitones": (0.0, 1e6)}, unless=("unknown",))


def _rising(
    profile: str, place: str, values: Any, limits: tuple[float, float], *, strictly: bool = True
) -> Sequence[float]:
    if not _is_list(values) or not values:
        _refuse(profile, place, values, "a list of numbers")
    for value in values:
        _number(profile, place, value, limits)
    if any(b < a or (strictly and b == a) for a, b in itertools.pairwise(values)):
        _refuse(profile, place, values, "numbers that rise")
    return values


def _refuse(profile: str, place: str, value: Any, rule: str) -> NoReturn:
    said = repr(value)
    raise TakeprintError(
        f"profile {profile!r}: {place} is {said if len(said) <= 40 else said[:37] + '...'}",
        rule=rule,
        remedy="fit it again with `takeprint fit`",
        code="profile.figure",
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _table(profile: str, place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse(profile, place, value, "it maps names to figures")
    return value


def _number(profile: str, place: str, value: Any, limits: tuple[float, float]) -> None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and limits[0] <= value <= limits[1]
    if not good:
        _refuse(profile, place, value, f"a number from {limits[0]:g} to {limits[1]:g}")


def _numbers(
    profile: str,
    place: str,
    table: Mapping[str, Any],
    limits: Mapping[str, tuple[float, float]],
    *,
    unless: tuple[str, ...] = (),
) -> None:
    """Check the numbers of one table; those that may be ``"missing"`` or ``"unknown"`` (null) say so in ``unless``."""
    for key, limit in limits.items():
        state = "missing" if key not in table else "unknown" if table[key] is None else "there"
        if state not in unless:
            _number(profile, f"{place}.{key}", table.get(key), limit)


def _check_timing(name: str, model: Mapping[str, Any]) -> None:
    timing = _table(name, "timing", model["timing"])
    clock = _table(name, "timing.clock", timing.get("clock"))
    _numbers(name, "timing.clock", clock, _CLOCK)
    _numbers(name, "timing.clock", clock, {"corner": _CORNER, "step_s": (0.01, 60.0)}, unless=("missing",))
    coupling = _table(name, "timing.coupling", timing.get("coupling"))
    _number(name, "timing.coupling.ms_per_velocity", coupling.get("ms_per_velocity"), (-1_000.0, 1_000.0))
    for voice, figures in _table(name, "timing.voices", timing.get("voices")).items():
        place = f"timing.voices.{voice}"
        _numbers(name, place, _table(name, place, figures), {"n": _COUNT}, unless=("missing",))
        _numbers(name, place, figures, _TIMING_VOICE, unless=("missing", "unknown"))


def _check_dynamics(name: str, model: Mapping[str, Any]) -> None:
    dynamics = _table(name, "dynamics", model["dynamics"])
    levels = dynamics.get("quantile_levels") or []
    place = "dynamics.quantile_levels"
    if not _is_list(levels):
        _refuse(name, place, levels, "a list of numbers")
    below = 0.0
    for level in levels:
        _number(name, place, level, (1e-9, 1.0 - 1e-9))
        if level <= below:
            _refuse(name, place, level, "numbers that rise")
        below = level
    for voice, figures in _table(name, "dynamics.voices", dynamics.get("voices")).items():
        place = f"dynamics.voices.{voice}"
        _numbers(name, place, _table(name, place, figures), {"n": _COUNT})
        _numbers(name, place, figures, {"sd": _VELOCITY_SD}, unless=("unknown",))
        _numbers(name, place, figures, _DYNAMICS_VOICE, unless=("missing", "unknown"))
        quantiles = figures.get("quantiles") or []
        if not _is_list(quantiles) or (len(quantiles) and len(levels) and len(quantiles) != len(levels)):
            _refuse(name, f"{place}.quantiles", quantiles, "a list of numbers, one a quantile level")
        for value in quantiles:
            _number(name, f"{place}.quantiles", value, (-1_000.0, 1_000.0))


def _check_template(name: str, rows: Any) -> None:
    if not _is_list(rows):
        _refuse(name, "template", rows, "a list of places in the bar")
    for i, given in enumerate(rows):
        place = f"template[{i}]"
        row = _table(name, place, given)
        if not isinstance(row.get("voice"), str):
            _refuse(name, f"{place}.voice", row.get("voice"), "a name")
        if not isinstance(row.get("cell"), int):
            _refuse(name, f"{place}.cell", row.get("cell"), "a whole number")
        _numbers(name, place, row, {"cell": _ROWS["cell"], "n": _COUNT, "timing_ms": _MS})
        if "velocity" not in row:
            _refuse(name, f"{place}.velocity", None, "a number, or null where it is not known")
        if row["velocity"] is not None:
            _numbers(name, place, row, {"velocity": _VELOCITY, "velocity_sd": _VELOCITY_SD})


def _check_rows(name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Check a donor's rows: all columns there, equally long, within their limits."""
    n = len(arrays["take"])
    for column, (low, high) in (_ROWS | _VALUES).items():
        values = np.asarray(arrays.get(column, ()))
        if values.shape != (n,) or values.dtype.kind not in "iuf":
            _refuse(name, f"donor column {column!r}", f"{values.dtype}{list(values.shape)}", f"{n} numbers")
        outside = ~((values >= low) & (values <= high))
        if column in _VALUES:
            outside &= ~np.isnan(values.astype(np.float64))
        if outside.any():
            _refuse(name, f"donor column {column!r}", values[outside][0].item(), f"numbers from {low:g} to {high:g}")
    bpm = np.asarray(arrays.get("take_bpm", ()))
    if bpm.ndim != 1 or bpm.dtype.kind not in "iuf" or len(bpm) <= int(arrays["take"].max()) or not (bpm > 0.0).all():
        _refuse(name, "donor column 'take_bpm'", f"{bpm.dtype}{list(bpm.shape)}", "a tempo above 0 for each take")
