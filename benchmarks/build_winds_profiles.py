"""Make the profiles of winds from the Weimar Jazz Database.

    python benchmarks/build_winds_profiles.py DATA_FOLDER [OUT_FOLDER]

DATA_FOLDER holds `wjd-notes/` (wjd_notes.csv.gz, wjd_meta.csv) and `wjd-beats/` (wjd_beats.csv). Each solo is measured
against its hand-marked beats, smoothed as `takeprint measure` smooths a tempo; off-beat eighths of swung solos are
measured from where the solo's own swing puts them, so that swing is a figure of its own. Only aggregate figures are
written: no note of a solo. OUT_FOLDER defaults to humanize/profiles/.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import itertools
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from takeprint.analysis.fit import fit
from takeprint.analysis.tempo import fit_tempo
from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.fractional import circle_length, fractional_noise
from takeprint.core.profile import Profile
from takeprint.core.timeline import Metre, Timeline
from takeprint.humanize.players.line import STEPS, step_of

SAXES, BRASS, REEDS = ("ts", "as", "ss", "bs", "ts-c"), ("tp", "tb", "cor"), ("cl", "bcl")
# Profile name -> (instruments, rhythmic feels).
WINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sax-jazz": (SAXES, ("SWING",)),
    "brass-jazz": (BRASS, ("SWING",)),
    "winds-jazz": (SAXES + BRASS + REEDS, ("SWING", "TWOBEAT")),
    "winds-straight": (SAXES + BRASS + REEDS, ("LATIN", "FUNK", "LATIN/FUNK")),
}
TITLES = {
    "sax-jazz": "Saxophones, swung jazz",
    "brass-jazz": "Trumpets, cornets and trombones, swung jazz",
    "winds-jazz": "Saxophones, brass and clarinets, swung jazz",
    "winds-straight": "Saxophones, brass and clarinets, straight eighths (Latin and funk)",
}
ATTRIBUTION = (
    "Weimar Jazz Database, Jazzomat Research Project (Martin Pfleiderer, Klaus Frieler, Jakob Abesser, Wolf-Georg "
    "Zaddach), ODbL 1.0, by way of jazzodata (MIT). These are statistics of it, no part of the table itself."
)
# Marked beats scatter by a hand's 10 ms and more: the band's tempo is what remains over so many beats.
BEAT_BANDWIDTH = 3.0
# Onsets were set by hand, about 10 ms wrong: that variance is no player's.
ERROR_MS = 10.0
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
GAP_EDGES_S = (0.10, 0.14, 0.20, 0.30, 0.50, None)
MOTOR_EDGES_S = (0.03, 0.07, 0.10, 0.13, 0.17, 0.22, 0.30, 0.60)
FEWEST_NOTES, FEWEST_IN_ROW = 64, 150
TEMPI_BPM = (110.0, 140.0, 180.0, 220.0, 260.0, 310.0)
BREATH_GAP_S = 0.20
CONTRAST_S = 0.2


@dataclass(frozen=True, eq=False)
class Solo:
    """One solo, note by note; ``share`` is its own swing, NaN where it has too few off-beats."""

    performer: str
    instrument: str
    feel: str
    beats_a_bar: int
    beat: np.ndarray  # position on the marked beats, as notated
    onset_s: np.ndarray
    pitch: np.ndarray
    held: np.ndarray  # share of the time to the next onset, 0 to 1
    phrase: np.ndarray
    swings: np.ndarray  # mask: off-beat eighths
    curve: Timeline
    tempo_bpm: float
    share: float


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def solos_of(folder: Path) -> list[Solo]:
    """Read the solos whose bars are whole and counted on."""
    with (folder / "wjd-notes" / "wjd_meta.csv").open(newline="") as f:
        meta = {row["melid"]: row for row in csv.DictReader(f)}
    beats: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    with (folder / "wjd-beats" / "wjd_beats.csv").open(newline="") as f:
        for row in csv.DictReader(f):
            beats[row["melid"]].append((int(row["bar"]), int(row["beat"]), float(row["onset"])))
    notes: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(folder / "wjd-notes" / "wjd_notes.csv.gz", "rt", newline="") as f:
        for row in csv.DictReader(f):
            notes[row["melid"]].append(row)
    solos = (_solo(meta[melid], beats[melid], notes[melid]) for melid in notes)
    return [solo for solo in solos if solo is not None]


def _solo(meta: dict[str, str], beats: list[tuple[int, int, float]], notes: list[dict[str, str]]) -> Solo | None:
    said = meta["signature"].partition("/")[0]
    if said not in ("3", "4") or len(notes) < FEWEST_NOTES:
        return None
    a_bar = int(said)
    beats = sorted(beats)
    first = -a_bar * min(0, beats[0][0])
    at = np.array([first + a_bar * bar + beat - 1 for bar, beat, _ in beats], dtype=float)
    time_s = np.array([onset for _, _, onset in beats])
    good = np.append(True, (np.diff(at) > 0) & (np.diff(time_s) > 0))
    at, time_s = at[good], time_s[good]
    if len(at) < 16 or np.median(np.diff(at)) != 1.0:
        return None
    tempo = fit_tempo(at, time_s, Timeline(at, time_s), BEAT_BANDWIDTH)
    curve = Timeline(tempo.beat, tempo.time_s)
    division = np.array([int(n["division"]) for n in notes])
    tatum = np.array([int(n["tatum"]) for n in notes])
    whole = np.array([first + a_bar * int(n["bar"]) + int(n["beat"]) - 1 for n in notes], dtype=float)
    onset_s = np.array([float(n["onset"]) for n in notes])
    swings = _eighth_pairs(whole, division, tatum)
    beat = whole + np.where(swings, 0.5, (tatum - 1) / division)
    period_s = curve.seconds_at(whole + 1.0) - curve.seconds_at(whole)
    shares = ((onset_s - curve.seconds_at(whole)) / period_s)[swings]
    return Solo(
        performer=meta["performer"],
        instrument=meta["instrument"],
        feel=meta["rhythmfeel"],
        beats_a_bar=a_bar,
        beat=beat,
        onset_s=onset_s,
        pitch=np.array([float(n["pitch_raw"]) for n in notes]),
        held=np.array([_number(n["articulation_raw"]) for n in notes]),
        phrase=np.array([_number(n["phrase_id_raw"]) for n in notes]),
        swings=swings,
        curve=curve,
        tempo_bpm=60.0 / float(np.median(period_s)),
        share=float(np.median(shares)) if len(shares) >= 20 else float("nan"),
    )


def _eighth_pairs(whole: np.ndarray, division: np.ndarray, tatum: np.ndarray) -> np.ndarray:
    """Tell the off-beats of beats with two notes: the transcriber's half of a beat, or the last third of three."""
    number = (whole - whole.min()).astype(int)
    size = np.bincount(number)[number]
    on_beat = np.bincount(number, tatum == 1)[number] > 0
    off = ((division == 2) & (tatum == 2)) | ((division == 3) & (tatum == 3))
    return off & on_beat & (size == 2)


def deviations_of(solo: Solo, name: str) -> Deviations:
    """Return a solo against its beats; where it swings, off-beats against its own swing."""
    late_s = np.zeros(len(solo.beat))
    if np.isfinite(solo.share):
        late_s[solo.swings] = (solo.share - 0.5) * 60.0 / solo.tempo_bpm
    timing_ms = 1000.0 * (solo.onset_s - solo.curve.seconds_at(solo.beat) - late_s)
    n = len(timing_ms)
    rows = DeviationNotes.build(
        label=np.full(n, "match"),
        reference_index=np.arange(n),
        track=np.zeros(n, dtype=int),
        channel=np.zeros(n, dtype=int),
        reference_beat=solo.beat,
        reference_pitch=solo.pitch,
        onset_s=solo.onset_s,
        pitch=solo.pitch,
        timing_ms=timing_ms - np.median(timing_ms),
        dynamics_velocity=np.zeros(n),
        articulation_log2=np.full(n, np.nan),
    )
    reference = {
        "kind": "click",
        "timing_basis": "reference",
        "metre": Metre(((0.0, solo.beats_a_bar, 4),)).to_list(),
        "tempo_map": solo.curve.to_dict(),
    }
    return Deviations(notes=rows, take={"name": name, "kind": "midi"}, reference=reference)


def lengths_of(solos: list[Solo]) -> dict[str, Any]:
    """Return the table of lengths: how long notes inside phrases are held, by what follows and how soon."""
    gap, step, value, take = [], [], [], []
    for number, solo in enumerate(solos):
        between_s = np.diff(solo.onset_s)
        inside = (solo.phrase[1:] == solo.phrase[:-1]) & (between_s > 0.04) & (solo.held[:-1] > 0.02)
        gap.append(between_s[inside])
        step.append(step_of(np.diff(solo.pitch))[inside])
        value.append(np.log2(np.minimum(solo.held[:-1][inside], 1.0)))
        take.append(np.full(int(inside.sum()), number))
    gap, step, value, take = (np.concatenate(x) for x in (gap, step, value, take))
    middles = np.array([np.median(value[take == t]) for t in np.unique(take)])
    away = value - (np.median(value) + (middles - np.median(middles)))[np.unique(take, return_inverse=True)[1]]
    table = []
    low = 0.0
    for upto in GAP_EDGES_S:
        here = (gap > low) & (gap <= (np.inf if upto is None else upto))
        low = upto or np.inf
        for i, name in [*enumerate(STEPS), (-1, "*")]:
            rows = here & ((step == i) | (i < 0))
            if rows.sum() >= FEWEST_IN_ROW:
                spread = np.quantile(away[rows] + np.median(value), LEVELS)
                table.append(
                    {
                        "voice": "*",
                        "upto_s": upto,
                        "step": name,
                        "n": int(rows.sum()),
                        "quantiles": [round(float(min(q, 0.0)), 3) for q in spread],
                    }
                )
    same = np.diff(take) == 0
    low_q, high_q = np.quantile(value, (0.25, 0.75))
    return {
        "n": len(value),
        "mean_log2": round(float(np.median(value)), 3),
        "sd_log2": round(0.7413 * float(high_q - low_q), 3),
        "lag1": round(float(np.corrcoef(away[:-1][same], away[1:][same])[0, 1]), 3),
        "between_takes": round(float(middles.std()), 3),
        "quantile_levels": list(LEVELS),
        "table": table,
    }


def _clock_part(gap_s: float, clock: dict[str, Any]) -> float:
    """Return the sd of a note's distance from its neighbours' middle that the clock alone makes, over sqrt(1.5), ms."""
    n = 1 << 14
    noise = np.random.default_rng(0).normal(size=circle_length(n, clock["window"]))
    drift = clock["sd"] * fractional_noise(noise, n, clock["beta"], clock["window"], clock["corner"])
    at = np.arange(1.0, n - 2.0, 0.37)
    before, now, after = (np.interp(at + k * gap_s / clock["step_s"], np.arange(n), drift) for k in (-1, 0, 1))
    return float((now - 0.5 * (before + after)).std() / np.sqrt(1.5))


def motor_of(solos: list[Solo], clock: dict[str, Any]) -> dict[str, Any]:
    """Return a note's own unevenness by the time around it: how far it lies from the middle of its neighbours.

    Of three evenly written notes; robust sd of the distance over sqrt(1.5), which is what a white part has. The
    transcription's error and what the clock moves meanwhile are taken away.
    """
    gap, away = [], []
    for solo in solos:
        late_s = np.where(solo.swings, (np.nan_to_num(solo.share, nan=0.5) - 0.5) * 60.0 / solo.tempo_bpm, 0.0)
        written_s = solo.curve.seconds_at(solo.beat)
        off_ms = 1000.0 * (solo.onset_s - written_s - late_s)
        step_s = np.maximum(np.diff(written_s), 1e-3)
        even = (np.abs(np.diff(np.log2(step_s))) < 0.3) & (solo.phrase[2:] == solo.phrase[:-2]) & (step_s[1:] > 0.03)
        gap.append(np.minimum(step_s[1:], step_s[:-1])[even])
        away.append((off_ms[1:-1] - 0.5 * (off_ms[:-2] + off_ms[2:]))[even])
    gaps, offs = np.concatenate(gap), np.concatenate(away)
    middle, size, number = [], [], []
    for low, high in itertools.pairwise(MOTOR_EDGES_S):
        here = (gaps >= low) & (gaps < high)
        if here.sum() >= FEWEST_IN_ROW:
            quarters = np.quantile(offs[here], (0.25, 0.75))
            white_ms = 0.7413 * float(np.ptp(quarters)) / np.sqrt(1.5)
            middle.append(round(float(np.median(gaps[here])), 4))
            others_ms = ERROR_MS**2 + _clock_part(middle[-1], clock) ** 2
            size.append(round(float(np.sqrt(max(white_ms**2 - others_ms, 0.0))), 2))
            number.append(int(here.sum()))
    return {"n": number, "gap_s": middle, "sd_ms": size}


def contrast_of(solos: list[Solo]) -> dict[str, Any]:
    """Return how far a note between a long and a short time moves to the longer side, and how late phrases begin."""
    half, off, entries = [], [], []
    for solo in solos:
        swung_s = np.where(solo.swings, (np.nan_to_num(solo.share, nan=0.5) - 0.5) * 60.0 / solo.tempo_bpm, 0.0)
        due_s = solo.curve.seconds_at(solo.beat) + swung_s
        off_ms = 1000.0 * (solo.onset_s - due_s)
        off_ms -= np.median(off_ms)
        before_s, after_s = np.diff(due_s)[:-1], np.diff(due_s)[1:]
        inside = (solo.phrase[2:] == solo.phrase[:-2]) & (np.minimum(before_s, after_s) > 0.03)
        inside &= np.abs(before_s - after_s) < CONTRAST_S
        half.append(0.5 * (before_s - after_s)[inside])
        off.append(np.clip(off_ms[1:-1][inside], -120.0, 120.0))
        entries.append(off_ms[1:][solo.phrase[1:] != solo.phrase[:-1]])
    x, y = 1000.0 * np.concatenate(half), np.concatenate(off)
    entry = np.concatenate(entries)
    return {
        "n": len(x),
        "softened": round(float(-(x * y).sum() / (x * x).sum()), 4),
        "upto_s": CONTRAST_S,
        "n_entries": len(entry),
        "entry_ms": round(float(np.median(entry)), 2),
    }


def breaths_of(solos: list[Solo]) -> dict[str, Any]:
    """Return how long players blow without a gap, and how short the gaps between their phrases are."""
    blown, gaps = [], []
    for solo in solos:
        between_s = np.diff(solo.onset_s)
        gap_s = between_s * (1.0 - np.minimum(np.nan_to_num(solo.held[:-1], nan=1.0), 1.0))
        end_s = np.append(solo.onset_s[1:] - gap_s, solo.onset_s[-1] + 0.2)
        gaps.append(gap_s[(solo.phrase[1:] != solo.phrase[:-1]) & np.isfinite(solo.held[:-1])])
        cut = np.flatnonzero(gap_s >= BREATH_GAP_S)
        first, last = np.append(0, cut + 1), np.append(cut, len(end_s) - 1)
        blown.append(end_s[last] - solo.onset_s[first])
    blown_s, gap_s = np.concatenate(blown), np.concatenate(gaps)
    short, long = np.quantile(gap_s, (0.05, 0.25))
    return {
        "n": len(blown_s),
        "n_phrases": len(gap_s),
        "comfort_s": round(float(np.quantile(blown_s, 0.75)), 2),
        "longest_s": round(float(np.quantile(blown_s, 0.99)), 2),
        "gap_short_s": round(float(short), 3),
        "gap_long_s": round(float(long), 3),
    }


def swing_of(solos: list[Solo]) -> dict[str, Any]:
    """Return the share of a beat before its off-beat by tempo: medians over solos of like tempo, smoothed by weight."""
    tempo = np.array([s.tempo_bpm for s in solos])
    share = np.array([s.share for s in solos])
    known = np.isfinite(share)
    out = []
    for at in TEMPI_BPM:
        weight = np.exp(-0.5 * (np.log2(tempo[known] / at) / 0.15) ** 2)
        order = np.argsort(share[known])
        upto = np.cumsum(weight[order]) / weight.sum()
        out.append(round(float(share[known][order][np.searchsorted(upto, 0.5)]), 3))
    residual = share[known] - np.interp(tempo[known], TEMPI_BPM, out)
    return {
        "n_solos": int(known.sum()),
        "n": int(sum(int(s.swings.sum()) for s in solos)),
        "tempo_bpm": list(TEMPI_BPM),
        "share": out,
        "between_takes": round(float(residual.std()), 3),
    }


def _dynamics(model: dict[str, Any]) -> dict[str, Any]:
    """Return loudness figures in place of measured ones: the database has none."""
    voices = {
        name: {"n": 0, "mean": 0.0, "sd": 5.0, "lag1": 0.5, "bar_memory": 0.0, "quantiles": None,
               "between_takes": 0.0, "between_takes_cell": 0.0}
        for name in model["voices"]
    }  # fmt: skip
    rules = {"per_octave": 6.0, "arch": 3.0, "phrase_beats": 16.0}
    return {"n": 0, "absolute": False, "quantile_levels": None, "voices": voices, "rules": rules}


def wind_profile(name: str, solos: list[Solo], command: str) -> Profile:
    """Fit one profile and write its card."""
    taken = [deviations_of(solo, f"solo {i}") for i, solo in enumerate(solos)]
    fitted = fit(taken, name=name, kind="melody")
    model = dict(fitted.model)
    clock = dict(model["timing"]["clock"])
    voices = {v: dict(figures) for v, figures in model["timing"]["voices"].items()}
    white = max((v["asynchrony"] for v in voices.values()), default=0.0)
    # A line has no chords that would part the two white parts; without the transcriber's error they are one.
    clock["motor_measured"] = round(float(np.hypot(clock["motor"], white)), 3)
    clock["motor"] = round(float(np.sqrt(max(clock["motor_measured"] ** 2 - ERROR_MS**2, 0.0))), 3)
    clock["step_s"] = round(float(np.median(np.concatenate([np.diff(s.onset_s) for s in solos]))), 3)
    for figures in voices.values():
        figures["asynchrony"] = 0.0
    timing = {**model["timing"], "clock": clock, "voices": voices, "motor": motor_of(solos, clock)}
    timing["contrast"] = contrast_of(solos)
    swings = name != "winds-straight"
    if swings:
        timing["swing"] = swing_of(solos)
    template = [{**row, "velocity": 0.0, "velocity_sd": 5.0} for row in model["template"]]
    model |= {"template": template, "timing": timing, "dynamics": _dynamics(model)}
    model |= {"articulation": lengths_of(solos), "breath": breaths_of(solos)}
    instruments, feels = WINDS[name]
    players = len({s.performer for s in solos})
    card = {
        "title": f"{TITLES[name]}: {len(solos)} solos by {players} players",
        "source": "Weimar Jazz Database by way of jazzodata: onsets, notated places, lengths and phrases of "
        "improvised solos, with hand-marked beats. https://jazzomat.hfm-weimar.de, https://github.com/klausfrieler/jazzodata",
        "licence": "Open Database License 1.0 (the database); jazzodata MIT. Here are aggregate figures only.",
        "attribution": ATTRIBUTION,
        "method": f"each solo against its marked beats, smoothed over {BEAT_BANDWIDTH:g} beats (sd); off-beats of "
        "beats with two notes against the solo's own swing; clock and white part by Whittle's likelihood; a note's own "
        "unevenness by the time around it, from three evenly written notes, the clock's share and "
        f"{ERROR_MS:g} ms (the transcription's error) taken away; how far notes between a long and a short time move; "
        "lengths as quantiles by the time to the next note and the step to it, inside phrases; breaths: stretches "
        f"without a gap of {BREATH_GAP_S:g} s (75 % and 99 %), gaps between phrases (5 % and 25 %)",
        "command": command,
        "instruments": list(instruments),
        "feels": list(feels),
        "limits": "Onsets were set by hand and are about 10 ms wrong: nothing finer is measured here. The database has "
        "no loudness: spread (5 velocity steps, lag-1 0.5), 6 steps louder an octave up and an arch of 3 steps over "
        "16 beats are our own choice, in the direction of the KTH rules High Loud and Phrase Arch (Friberg, Bresin and "
        "Sundberg 2006, Advances in Cognitive Psychology 2). Lengths count against the time to the next onset, not a "
        "written length, and end there: no overlap was measured. Improvised lines; written parts may differ.",
        "figures": {
            "solos": len(solos),
            "players": players,
            "notes": int(model["notes"]),
            "clock_sd_ms": clock["sd"],
            "softened_contrast": timing["contrast"]["softened"],
            "entry_ms": timing["contrast"]["entry_ms"],
            "beta": clock["beta"],
            "lag1": clock["lag1"],
            "dfa_exponent": clock["dfa_exponent"],
        },
    }
    return dataclasses.replace(fitted, card=card, model=model, arrays={})


def main(folder: Path, out: Path) -> None:
    """Read all solos once, then fit and write every profile."""
    command = "python benchmarks/build_winds_profiles.py DATA_FOLDER"
    solos = solos_of(folder)
    print(f"{len(solos)} solos")
    for name, (instruments, feels) in WINDS.items():
        mine = [s for s in solos if s.instrument in instruments and s.feel in feels]
        profile = wind_profile(name, mine, command)
        out.mkdir(parents=True, exist_ok=True)
        profile.save(out / f"{name}.json", force=True)
        model = profile.model
        print(f"{name}: {profile.card['figures']}")
        print(f"  swing {model['timing'].get('swing')}")
        print(f"  breath {model['breath']}, held {model['articulation']['mean_log2']} octaves (median)")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    here = Path(__file__).resolve().parents[1] / "humanize" / "profiles"
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else here)
