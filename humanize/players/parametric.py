"""The parametric player: plays from a profile's figures, every part of it explainable.

Conventions
-----------
See ``analysis.player_model`` for the model. Chords and kit strokes written at one moment share one clock and one motor
deviation and come apart by their voices' asynchrony only; flams and rolls move with the hit they decorate. Late,
louder and longer are positive.

How near it comes: a strong classifier still tells such playing from a person's nearly always. It is the fallback where
there is no donor, and the player whose every figure can be read and changed.

References
----------
Hennig et al. 2011, PLoS ONE 6:e26457. Goebl 2001, JASA 110 (melody lead follows from velocity).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.fractional import circle_length, fractional_noise
from ...core.metrical import phrase_arch, previous_of
from ...core.profile import Profile
from .chords import rolls
from .line import connected, contrast, in_turn, lengths, motor_sizes, swing
from .part import Dice, Invented, Part, SlotTable, Voices, known_voices

# How much of a drummer's clock and velocity spread passes to other instruments, and the other way round.
GENTLE = 0.5
# Groove MIDI, 71 rock and funk takes: what a take does on beat 1 it does again on beat 3 (correlation 0.44 in timing,
# 0.52 in velocity), and its instruments' levels go together (0.36 to 0.59). One half stands for all of these.
_SHARED = 0.5
_HALF_BAR = 24
_MOST_STEPS = 64  # a clock's steps a moment: notes years apart need none between them
_CHORDAL = 0.15  # of a part's moments at least so many are chords where lone notes are something else


def play(
    part: Part,
    profile: Profile,
    dice: Dice,
    *,
    keep_accents: bool = True,
    follow: tuple[np.ndarray, np.ndarray] | None = None,
) -> Invented:
    """Invent deviations for one part from a profile's figures.

    Parameters
    ----------
    part : Part
    profile : Profile
        A drum profile on other instruments, or the reverse, lends its clock and velocity spread at half size only.
    dice : Dice
    keep_accents : bool
        True: velocities vary around the written ones. False: the profile's own accents replace them.
    follow : (beat, ms) or None
        The clock of another player to follow instead of an own one, at half size.

    Returns
    -------
    Invented
    """
    gentle = part.drums != (profile.kind == "drums")
    model = _gentle(profile.model) if gentle else profile.model
    voice = known_voices(part, model["timing"]["voices"])
    residual, template = _dynamics(part, model, voice, dice)
    # The profile's own accents only suit instruments of its own kind.
    absolute = not keep_accents and not gentle
    if absolute:
        base = template if model["dynamics"].get("absolute") else part.level() + template
        base = base + _by_rule(part, model["dynamics"].get("rules"))
        velocity = base + residual
    else:
        velocity = residual
    clock_ms = _clock(part, model, dice) if follow is None else GENTLE * np.interp(part.beat, *follow)
    timing_ms = clock_ms + _own_timing(part, model, voice, dice)
    louder = residual if part.drums else _within_moments(part, velocity if absolute else part.velocity + velocity)
    timing_ms = timing_ms + float(model["timing"]["coupling"]["ms_per_velocity"]) * louder
    offset_ms, rolled = rolls(part, model["timing"].get("roll"), dice)
    # A roll's order is the hand's: who is louder does not come first there.
    timing_ms = np.where(rolled, part.group_mean(timing_ms) + offset_ms, timing_ms)
    late_ms = swing(part, model["timing"].get("swing"), dice)
    timing_ms = timing_ms + late_ms + contrast(part, model["timing"].get("contrast"))
    if model["timing"].get("motor"):
        timing_ms = in_turn(part, timing_ms)
    held_log2 = _articulation(part, model, dice)
    if model["articulation"].get("table"):
        held_log2 = held_log2 + connected(part, timing_ms)
    return Invented(
        timing_ms=timing_ms[part.leader],
        velocity=_with_leader(part, velocity, absolute),
        articulation_log2=held_log2,
        clock_ms=clock_ms[part.leader],
        absolute=absolute,
        swing_ms=late_ms[part.leader] if late_ms.any() else None,
    )


def _within_moments(part: Part, velocity: np.ndarray) -> np.ndarray:
    return velocity - part.group_mean(velocity)


def _with_leader(part: Part, velocity: np.ndarray, absolute: bool) -> np.ndarray:
    """Let an ornament's strokes follow their hit's velocity, keeping the written difference."""
    if absolute:
        return velocity[part.leader] + part.velocity - part.velocity[part.leader]
    return velocity[part.leader]


def _gentle(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that pass from one kind of instrument to another: clock, motor and velocity spread, halved."""
    clock = model["timing"]["clock"]
    dynamics = model["dynamics"]["voices"].values()
    weight = sum(v["n"] for v in dynamics) or 1
    pooled = float(np.sqrt(sum(v["n"] * (v["sd"] or 0.0) ** 2 for v in dynamics) / weight))
    return {
        "template": [],
        "timing": {
            "voices": {},
            "clock": {**clock, "sd": GENTLE * clock["sd"], "motor": GENTLE * clock["motor"]},
            "coupling": {"ms_per_velocity": 0.0},
        },
        "dynamics": {**model["dynamics"], "voices": {"*": {"sd": GENTLE * pooled, "mean": 0.0}}},
        "articulation": {"n": 0, "mean_log2": 0.0, "sd_log2": 0.0, "lag1": 0.0},
    }


def _figure(voices: Mapping[str, Mapping[str, Any]], voice: Voices, field: str) -> np.ndarray:
    """Return a voice's figure per note; an unknown voice gets the mean of all, weighted by their notes."""
    known = {name: float(v[field]) for name, v in voices.items() if v.get(field) is not None}
    # Figures from the literature stand on no notes of ours (n = 0); each then counts once.
    weights = {name: max(float(voices[name].get("n", 1)), 1.0) for name in known}
    pooled = sum(weights[n] * f for n, f in known.items()) / sum(weights.values()) if known else 0.0
    return voice.per_note({name: known.get(name, pooled) for name in voice.names})


def _clock(part: Part, model: Mapping[str, Any], dice: Dice) -> np.ndarray:
    """Return the clock's and the motor's deviation per note, ms."""
    figures = model["timing"]["clock"]
    n, window = int(part.group.max()) + 1, int(figures["window"])
    at = np.arange(n, dtype=np.float64)
    if figures.get("step_s"):
        # A clock that runs on in time: quick notes share its moment, over rests it wanders on.
        at_s = np.minimum.reduceat(part.onset_s, part.group_first)
        at = np.minimum((at_s - at_s[0]) / float(figures["step_s"]), _MOST_STEPS * n)
    steps = int(at[-1]) + 2 if figures.get("step_s") else n
    noise = dice.normal(circle_length(steps, window), "timing", "clock")
    drift = fractional_noise(noise, steps, figures["beta"], window, figures.get("corner", 0.0))
    drift = np.interp(at, np.arange(steps), drift)
    motor = motor_sizes(part, model["timing"].get("motor"), float(figures["motor"])) * dice.normal(n, "timing", "motor")
    return (figures["sd"] * drift + motor)[part.group]


def _own_timing(part: Part, model: Mapping[str, Any], voice: Voices, dice: Dice) -> np.ndarray:
    """Return template, its change for this take, and asynchrony per note, ms."""
    table = SlotTable((r["voice"], r["cell"], r["timing_ms"], r["n"]) for r in model["template"])
    voices = model["timing"]["voices"]
    change = _changes(part, voices, voice, dice, "timing")
    apart = _figure(voices, voice, "asynchrony") * dice.normal(len(part), "timing", "asynchrony")
    return table.at(voice, part.cell) + change + apart


def _changes(part: Part, voices: Mapping[str, Mapping[str, Any]], voice: Voices, dice: Dice, trace: str) -> np.ndarray:
    """Return how this take's template differs from the player's usual one, per note."""
    out = np.zeros(len(part))
    whole = _figure(voices, voice, "between_takes")
    cell_sd = _figure(voices, voice, "between_takes_cell")
    # A take that is louder is so on all instruments; one that is late on one of them need not be on another.
    together = _SHARED if trace == "dynamics" else 0.0
    kit = np.sqrt(together) * dice.normal(1, trace, "take")[0]
    longest = int(part.cell.max()) + 1
    for i, name in enumerate(voice.names):
        rows = np.flatnonzero(voice.code == i)
        # A number for every cell of the longest bar in use, so that a cell's draw does not hang on which others occur.
        draws = dice.normal(longest, trace, "take", name, "cell")
        half_bar = dice.normal(_HALF_BAR, trace, "take", name, "half bar")
        own = np.sqrt(1.0 - together) * dice.normal(1, trace, "take", name)[0]
        cell = part.cell[rows]
        groove = np.sqrt(_SHARED) * half_bar[cell % _HALF_BAR] + np.sqrt(1.0 - _SHARED) * draws[cell]
        out[rows] = whole[rows] * (kit + own) + cell_sd[rows] * groove
    return out


def _dynamics(part: Part, model: Mapping[str, Any], voice: Voices, dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Return (velocity residual, the profile's own velocity for the place) per note."""
    from ...core.kernels.linked_memory import linked_memory

    figures = model["dynamics"]
    voices = figures["voices"]
    rows = [r for r in model["template"] if r["velocity"] is not None]
    accents = SlotTable((r["voice"], r["cell"], r["velocity"], r["n"]) for r in rows)
    spread = SlotTable((r["voice"], r["cell"], r["velocity_sd"], r["n"]) for r in rows)
    size = spread.at(voice, part.cell)
    size = np.where(size > 0.0, size, _figure(voices, voice, "sd"))
    line = voice.code
    place = line * 8192 + np.minimum(part.cell, 8191)
    before = previous_of(line, part.beat)
    bar_before = previous_of(place, part.beat)
    gap = np.where(bar_before >= 0, part.bar - part.bar[bar_before], 0)
    noise = dice.normal(len(part), "dynamics", "residual")
    noise = linked_memory(noise, before, np.clip(_figure(voices, voice, "lag1"), -0.95, 0.95))
    memory = np.clip(_figure(voices, voice, "bar_memory"), 0.0, 0.95) ** np.maximum(gap, 1)
    unit = linked_memory(noise, bar_before, memory)
    residual = size * _shaped(unit, figures, voice)
    usual = accents.at(voice, part.cell) + _changes(part, voices, voice, dice, "dynamics")
    return residual, usual


def _shaped(unit: np.ndarray, figures: Mapping[str, Any], voice: Voices) -> np.ndarray:
    """Give standard normal numbers the shape of each voice's measured distribution."""
    levels = figures.get("quantile_levels")
    if not levels:
        return unit
    from ...core.randomness import normal_quantile

    knots = normal_quantile(np.asarray(levels))
    out = unit.copy()
    for i, name in enumerate(voice.names):
        quantiles = figures["voices"].get(name, {}).get("quantiles")
        if quantiles:
            rows = voice.code == i
            # Beyond the outer quantiles the outermost measured value holds: velocities have no long tails.
            out[rows] = np.interp(unit[rows], knots, quantiles)
    return out


def _by_rule(part: Part, rules: Mapping[str, Any] | None) -> np.ndarray:
    """Return how much louder notes are by rule: the higher the louder, an arch over each phrase, lone notes apart."""
    if not rules or part.drums:
        return np.zeros(len(part))
    pitch = np.nan_to_num(part.pitch)
    high = float(rules.get("per_octave", 0.0)) * (pitch - np.median(pitch)) / 12.0
    arch = float(rules.get("arch", 0.0)) * phrase_arch(part.beat, float(rules.get("phrase_beats", 16.0)))
    size = np.bincount(part.group)
    # Between chords a lone note is one of a broken chord; in a line all notes are.
    lone = float(rules.get("lone", 0.0)) * ((size == 1)[part.group] if (size > 1).mean() > _CHORDAL else 0.0)
    return np.clip(high, -24.0, 24.0) + arch + lone


def _articulation(part: Part, model: Mapping[str, Any], dice: Dice) -> np.ndarray:
    """Return how much longer each note is held: half of the spread is the chord's, half the finger's."""
    from ...core.kernels.linked_memory import linked_memory

    figures = model["articulation"]
    if figures.get("table") and not part.drums:
        return lengths(part, figures, dice)
    if part.drums or (figures["mean_log2"] == 0.0 and figures["sd_log2"] == 0.0):
        return np.zeros(len(part))
    n = int(part.group.max()) + 1
    memory = np.full(n, min(max(2.0 * float(figures["lag1"]), -0.9), 0.9))
    hand = linked_memory(dice.normal(n, "articulation", "chord"), np.arange(-1, n - 1), memory)
    finger = dice.normal(len(part), "articulation", "finger")
    return figures["mean_log2"] + figures["sd_log2"] * np.sqrt(0.5) * (hand[part.group] + finger)


def has_tempo(profile: Profile) -> bool:
    """Tell whether the profile knows of a tempo curve; takes measured against a click tell of none."""
    figures = profile.model["tempo"]
    return figures["arch_log2"] != 0.0 or figures["drift_sd_log2"] != 0.0


def tempo_curve(beat: np.ndarray, profile: Profile, dice: Dice) -> np.ndarray:
    """Return log2 of the tempo ratio at each beat: an arch over each phrase and a fractional drift.

    Parameters
    ----------
    beat : ndarray [shape=(k,)], whole beats in order
    profile : Profile
    dice : Dice

    Returns
    -------
    ndarray [shape=(k,)], faster is positive; its mean is 0, so that the piece keeps its length
    """
    if not has_tempo(profile):
        return np.zeros(len(beat))
    figures = profile.model["tempo"]
    n, window = len(beat), int(figures["window"])
    noise = dice.normal(circle_length(n, window), "tempo", "drift")
    drift = fractional_noise(noise, n, figures["beta"], window, figures.get("corner", 0.0))
    ratio = figures["arch_log2"] * phrase_arch(beat, figures["phrase_beats"]) + figures["drift_sd_log2"] * drift
    return ratio - ratio.mean()
