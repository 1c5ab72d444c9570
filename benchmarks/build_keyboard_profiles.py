"""Make the keyboard profiles from material that may be built upon.

    python benchmarks/build_keyboard_profiles.py DATA_FOLDER [OUT_FOLDER]

DATA_FOLDER holds `rolls/` (Welte-Mignon piano rolls as MIDI: when and how long pianists of 1905 to 1930 held their
keys) and `pop909/` (pop accompaniments: how loud the notes of a chord are, how long they are held, on a known grid).
Neither tells everything: the rolls have no loudness of a single note and no metre, the pop songs no timing. What is
missing comes from published figures, as `piano-plain` has them; the card of each profile says which figure is whose.
Only aggregates are written. OUT_FOLDER defaults to humanize/profiles/.
"""

from __future__ import annotations

import copy
import io
import sys
import tarfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from takeprint.analysis.dynamics import level_at, local_level
from takeprint.analysis.fit import fit
from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.fractional import autocovariance
from takeprint.core.metrical import groups, ranks_from_top
from takeprint.core.profile import Profile
from takeprint.core.take import load_take
from takeprint.core.timeline import Metre, Timeline
from takeprint.humanize import profiles
from takeprint.humanize.players.line import STEPS, followers, step_of

COMMAND = "python benchmarks/build_keyboard_profiles.py DATA_FOLDER"
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LENGTH_EDGES_S = (0.15, 0.25, 0.40, 0.70, None)
FEWEST_IN_ROW = 300
# Rolls: onsets lie on a punch grid of about 10.4 ms and scatter by 9.7 ms (robust sd of a single onset).
ROLL_NOISE_MS = 9.7
CHAIN_S, ALONE_S, HELD_ALONG_S = 0.10, 0.15, 0.05
# Two onsets at one moment differ by 13.7 ms (sd) from noise alone: 3.3 times that is a roll.
ROLLED_MS = 45.0
SPAN_EDGES = (12.0, 19.0, None)
MOMENT_S = 0.045
# Intervals of one written length differ by less than a dotted one does (log2 1.5 is 0.58).
EVEN_LOG2, FEWEST_EVEN = 0.5, 32
USUAL_BEAT_S = 0.6  # the rolls tell no beat: 100 bpm, to count intervals in beats
SPAN, WINDOW, LAGS = 4, 8, (0, 1, 2, 3)
# Even passages tell nothing of what is slower than twice their window: there the drift rises no more.
CORNER = 1 / (2 * WINDOW)
POP_EVERY = 3
POP_ON_GRID = 0.95


# ---------------------------------------------------------------- piano rolls


def roll_notes(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (onset_s, end_s, pitch, keyboard half) of each roll, in order of time."""
    for path in sorted((folder / "rolls" / "midi" / "welte-red").glob("*.mid")):
        notes = load_take(path).notes
        if notes is None or len(notes) < 100:
            continue
        order = np.argsort(notes.onset_s, kind="stable")
        onset_s = notes.onset_s[order]
        yield onset_s, onset_s + notes.duration_s[order], notes.pitch[order], notes.track[order]


def chords_of(onset_s: np.ndarray, end_s: np.ndarray, pitch: np.ndarray) -> list[tuple[float, float, float]]:
    """Return (span, spread_ms, direction -1 to 1) of the chords that stand alone and are held together."""
    first = np.flatnonzero(np.diff(onset_s, prepend=-9.0) > CHAIN_S)
    last = np.append(first[1:], len(onset_s)) - 1
    before_s = np.append(9.0, onset_s[first[1:]] - onset_s[last[:-1]])
    after_s = np.append(before_s[1:], 9.0)
    out = []
    for a, b, early, late in zip(first, last, before_s, after_s, strict=True):
        n = b - a + 1
        if not 2 <= n <= 8 or min(early, late) < ALONE_S or (end_s[a : b + 1] < onset_s[b] + HELD_ALONG_S).any():
            continue
        keys, times = pitch[a : b + 1], onset_s[a : b + 1]
        signs = [np.sign(keys[j] - keys[i]) * np.sign(times[j] - times[i]) for i, j in combinations(range(n), 2)]
        out.append((float(np.ptp(keys)), 1000.0 * float(times[-1] - times[0]), float(np.mean(signs))))
    return out


def rolls_of(chords: list[np.ndarray]) -> dict[str, Any]:
    """Return how often chords are rolled, which way and how wide, by their span."""
    span, spread_ms, direction = np.concatenate(chords).T
    rolled = (spread_ms > ROLLED_MS) & (np.abs(direction) > 0.5)
    table, low = [], 0.0
    for upto in SPAN_EDGES:
        here = (span > low) & (span <= (np.inf if upto is None else upto))
        low = upto or np.inf
        up = float((direction[here & rolled] > 0).mean())
        table.append(
            {
                "upto_semitones": upto,
                "n": int(here.sum()),
                "share": round(float(rolled[here].mean()), 4),
                "up": round(up, 3),
            }
        )
    shares = np.array([((c[:, 1] > ROLLED_MS) & (np.abs(c[:, 2]) > 0.5)).mean() for c in chords if len(c) >= 50])
    # Half of the interquartile range in logs over 0.674 is the sd of a normal distribution.
    quarters = np.log(np.quantile(shares[shares > 0], (0.25, 0.75)))
    levels = (0.05, 0.25, 0.5, 0.75, 0.9)
    return {
        "n": len(span),
        "n_rolled": int(rolled.sum()),
        "table": table,
        "spread_levels": list(levels),
        "spread_ms": [round(float(q), 1) for q in np.quantile(spread_ms[rolled], levels)],
        "between_takes": round(float(np.ptp(quarters) / 1.349), 3),
    }


def even_runs(onset_s: np.ndarray) -> list[np.ndarray]:
    """Return log2 of the intervals of passages whose moments follow each other evenly."""
    at_s = onset_s[np.diff(onset_s, prepend=-9.0) > MOMENT_S]
    step = np.log2(np.diff(at_s))
    even = (np.abs(np.diff(step)) < EVEN_LOG2) & (np.diff(at_s)[1:] > 0.1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], even, [False]]).astype(np.int8)))
    return [step[a : b + 1] for a, b in edges.reshape(-1, 2) if b - a + 1 >= FEWEST_EVEN]


def drift_of(runs: list[np.ndarray]) -> dict[str, Any]:
    """Return the drift of the tempo inside even passages, free of single onsets' noise and of patterns in the beat.

    Four intervals are taken together: patterns of two and four notes are gone, most of those of three. The noise of one
    onset lengthens one such span and shortens the next; its share is taken from their variance and covariance. Size and
    exponent are those of the fractional noise whose covariances in a window are nearest to what is left.
    """
    shared = []
    for run in runs:
        n = len(run) // SPAN
        lasts_s = np.exp2(run[: SPAN * n]).reshape(n, SPAN).sum(axis=1)
        tempo = np.log2(lasts_s)
        # Both ends of a span are wrong by the noise of an onset; d(log2 x) = dx / (x ln 2).
        one_end = (ROLL_NOISE_MS / 1000.0 / np.median(lasts_s) / np.log(2.0)) ** 2
        noise = np.zeros(len(LAGS))
        noise[:2] = 2.0 * one_end, -one_end * (WINDOW - 1) / WINDOW
        for k in range(0, n - WINDOW + 1, WINDOW):
            x = tempo[k : k + WINDOW] - tempo[k : k + WINDOW].mean()
            shared.append([float((x[lag:] * x[: WINDOW - lag]).sum()) / WINDOW for lag in LAGS] - noise)
    found = np.mean(shared, axis=0)
    fits = []
    for beta in np.round(np.arange(0.2, 2.41, 0.1), 1).tolist():
        model = _covariances(beta)
        size = float(found @ model / (model @ model))
        fits.append((float(((found - size * model) ** 2).sum()), beta, size))
    _, beta, size = min(fits)
    interval_s = float(np.median(np.exp2(np.concatenate(runs))))
    return {
        "n": int(sum(len(r) for r in runs)),
        "n_passages": len(runs),
        "drift_sd_log2": round(float(np.sqrt(max(size, 0.0))), 4),
        "beta": beta,
        "window": max(2, round(SPAN * WINDOW * interval_s / USUAL_BEAT_S)),
        # Cycles a span are cycles in so many beats.
        "corner": round(CORNER / (SPAN * interval_s / USUAL_BEAT_S), 4),
        "interval_s": round(interval_s, 3),
    }


def _covariances(beta: float) -> np.ndarray:
    """Return what covariances about a window's mean the model expects, for a variance of 1 in the window."""
    c = autocovariance(beta, np.arange(256), WINDOW, n=256, corner=CORNER)
    i = np.arange(WINDOW)
    mean = c[np.abs(i[:, None] - i[None, :])].mean(axis=1)
    ends = [(mean[lag:] + mean[: WINDOW - lag]).mean() for lag in LAGS]
    return np.array(
        [(WINDOW - lag) / WINDOW * (c[lag] - both + mean.mean()) for lag, both in zip(LAGS, ends, strict=True)]
    )


def lengths_of(groups: list[tuple[np.ndarray, np.ndarray, np.ndarray]], longest_log2: float) -> dict[str, Any]:
    """Return the table of lengths from (seconds to the next note of the line, semitones to it, held share) per take."""
    gap = np.concatenate([g for g, _, _ in groups])
    kind = step_of(np.concatenate([s for _, s, _ in groups]))
    value = np.minimum(np.log2(np.concatenate([h for _, _, h in groups])), longest_log2)
    take = np.repeat(np.arange(len(groups)), [len(g) for g, _, _ in groups])
    middles = np.array([np.median(value[take == t]) for t in range(len(groups))])
    away = value - (middles - np.median(middles))[take]
    table, low = [], 0.0
    for upto in LENGTH_EDGES_S:
        here = (gap > low) & (gap <= (np.inf if upto is None else upto))
        low = upto or np.inf
        for i, name in [*enumerate(STEPS), (-1, "*")]:
            rows = here & ((kind == i) | (i < 0))
            if rows.sum() >= FEWEST_IN_ROW:
                spread = np.minimum(np.quantile(away[rows], LEVELS), longest_log2)
                table.append(
                    {
                        "voice": "*",
                        "upto_s": upto,
                        "step": name,
                        "n": int(rows.sum()),
                        "quantiles": [round(float(q), 3) for q in spread],
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


def tops_of(onset_s: np.ndarray, end_s: np.ndarray, pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (seconds to the next, semitones to it, held share) of the highest notes of a hand's moments."""
    group = np.cumsum(np.diff(onset_s, prepend=-9.0) > MOMENT_S) - 1
    order = np.lexsort((pitch, group))
    top = order[np.append(np.diff(group[order]) != 0, True)]
    gap_s = np.diff(onset_s[top])
    held = (end_s - onset_s)[top][:-1] / gap_s
    good = (gap_s > 0.08) & (gap_s < 2.0) & (held > 0.02) & (held < 2.0)
    return gap_s[good], np.diff(pitch[top])[good], held[good]


def piano_romantic(folder: Path) -> Profile:
    """Return the profile of the piano rolls' pianists."""
    chords, runs, lines = [], [], []
    for onset_s, end_s, pitch, half in roll_notes(folder):
        found = chords_of(onset_s, end_s, pitch)
        chords += [np.array(found)] if found else []
        runs += even_runs(onset_s)
        treble = half == np.unique(half)[np.argmax([pitch[half == h].mean() for h in np.unique(half)])]
        line = tops_of(onset_s[treble], end_s[treble], pitch[treble])
        lines += [line] if len(line[0]) >= 100 else []
    plain = profiles.load("piano-plain")
    model: dict[str, Any] = copy.deepcopy(dict(plain.model))
    roll, drift = rolls_of(chords), drift_of(runs)
    model["timing"]["roll"] = roll
    model["articulation"] = lengths_of(lines, 0.5)
    model["tempo"] |= {**drift, "arch_log2": plain.model["tempo"]["arch_log2"]}
    model["takes"], model["notes"] = len(lines), int(model["articulation"]["n"])
    card = {
        "title": "Piano, romantic: pianists of 1905 to 1930 on Welte-Mignon rolls, and published findings",
        "source": [
            "Welte-Mignon red rolls, Stanford University Piano Roll Archive, by way of pianolatron-data: rolled "
            "chords, drift of the tempo in even passages, lengths",
            *plain.card["source"],
        ],
        "licence": "MIT, (c) 2022 Piano Rolls (pianolatron-data); aggregate figures only, no sequence of notes",
        "attribution": "Stanford University Piano Rolls, Pianolatron data. Zhengshan Shi, Craig Sapp, Kumaran Arul, "
        "Jerry McBride and Julius O. Smith, SUPRA: Digitizing the Stanford University Piano Roll Archive, ISMIR 2019",
        "method": "rolls: chords of 2 to 8 keys held together with 0.15 s before and behind, rolled where they spread "
        "over more than 45 ms in one direction; the noise of a single onset (9.7 ms) spreads two keys by 14 ms. "
        "Drift: passages of 32 and more even intervals, four together: the fractional noise with their variance and "
        "covariances, the onsets' noise taken away; in beats of 100 bpm. Lengths: the highest notes of the "
        "treble half against the time to the next one. Timing inside chords that are not rolled, the clock, loudness "
        "and voicing, the phrase arch: as in piano-plain, published or chosen",
        "command": COMMAND,
        "limits": "Onsets lie on a grid of about 10 ms: nothing finer is measured here. The rolls tell no loudness of "
        "a single note, no beat and no pedal foot. Pianists rolled chords more then than now: use --timing for less. "
        "Some rolls are re-issues of one performance.",
        "figures": {
            "takes": len(lines),
            "chords": roll["n"],
            "chords_rolled": roll["n_rolled"],
            "even_intervals": drift["n"],
            "notes": int(model["articulation"]["n"]),
            "drift_sd_log2": drift["drift_sd_log2"],
            "ms_per_velocity": -1.5,
        },
    }
    return Profile(name="piano-romantic", kind="keyboard", card=card, model=model)


# ---------------------------------------------------------------- pop accompaniments


def pop_songs(folder: Path) -> Iterator[tuple[str, bytes, np.ndarray]]:
    """Yield (name, MIDI bytes, beats as rows of time, second-beat flag, downbeat flag) of every third song."""
    with tarfile.open(folder / "pop909" / "pop909_main.tar.gz") as tar:
        members = {m.name: m for m in tar.getmembers() if m.isfile()}
        for name in sorted(n for n in members if n.endswith(".mid"))[::POP_EVERY]:
            beside = name.rsplit("/", 1)[0] + "/beat_midi.txt"
            if beside not in members:
                continue
            midi, beats = tar.extractfile(members[name]), tar.extractfile(members[beside])
            if midi is not None and beats is not None:
                yield name, midi.read(), np.loadtxt(io.BytesIO(beats.read()))


def pop_deviations(name: str, data: bytes, beats: np.ndarray, scratch: Path) -> Deviations | None:
    """Return a song's piano against its beats: loudness against the level around; timing 0, for it is quantized."""
    path = scratch / "song.mid"
    path.write_bytes(data)
    notes = load_take(path).notes
    if notes is None or len(beats) < 32:
        return None
    notes = notes.rows(notes.track == notes.track.max())
    downbeats = np.flatnonzero(beats[:, 2] == 1.0)
    time_s = beats[:, 0]
    if len(downbeats) < 4 or (np.diff(downbeats) != 4).mean() > 0.05 or (np.diff(time_s) <= 0).any():
        return None
    clock = Timeline(np.arange(len(time_s)) - downbeats[0] + 4.0, time_s)
    beat = clock.beats_at(notes.onset_s)
    inside = (notes.onset_s > time_s[0] - 0.1) & (beat >= 0) & np.isfinite(notes.duration_s)
    notes, beat = notes.rows(inside), beat[inside]
    if len(notes) < 200 or (np.abs(beat * 4 - np.rint(beat * 4)) < 0.2).mean() < POP_ON_GRID:
        return None
    loud = notes.velocity - level_at(local_level(notes.onset_s, notes.velocity), notes.onset_s)
    n = len(notes)
    rows = DeviationNotes.build(
        label=np.full(n, "match"),
        reference_index=np.arange(n),
        track=np.zeros(n, dtype=int),
        channel=np.zeros(n, dtype=int),
        reference_beat=np.rint(beat * 12) / 12,
        reference_pitch=notes.pitch,
        onset_s=notes.onset_s,
        duration_s=notes.duration_s,
        pitch=notes.pitch,
        velocity=notes.velocity,
        timing_ms=np.zeros(n),
        dynamics_velocity=loud,
    )
    reference = {"kind": "click", "timing_basis": "reference", "metre": Metre().to_list(), "tempo_map": clock.to_dict()}
    return Deviations(notes=rows, take={"name": name, "kind": "midi"}, reference=reference)


def pop_line(d: Deviations) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (seconds to the next moment, semitones to its nearest note, held share) of the notes that lead there."""
    rows = d.notes
    order = np.lexsort((rows.pitch, rows.reference_beat))
    rows = rows.rows(order)
    group = np.cumsum(np.diff(rows.reference_beat, prepend=-9.0) > 1e-6) - 1
    gap_s, apart = followers(group, rows.onset_s, rows.pitch)
    held = rows.duration_s / gap_s
    # A key of the next moment beside this one: the finger that held it goes on; longer notes are other voices.
    good = (gap_s > 0.08) & (gap_s < 2.0) & (apart <= 9.0) & (held > 0.05) & (held < 1.4)
    return gap_s[good], apart[good], held[good]


def _lone_apart(takes: list[Deviations]) -> tuple[list[Deviations], float]:
    """Return the takes with lone notes as loud as the chords' top notes, and how much louder than these they were."""
    lone, top = [], []
    for d in takes:
        alone, highest = _alone(d.notes)
        lone.append(float(d.notes.dynamics_velocity[alone].mean()) if alone.any() else np.nan)
        top.append(float(d.notes.dynamics_velocity[highest & ~alone].mean()))
    apart = float(np.nanmedian(np.array(lone) - np.array(top)))
    out = []
    for d in takes:
        loud = d.notes.dynamics_velocity - np.where(_alone(d.notes)[0], apart, 0.0)
        out.append(d.replace(notes=d.notes.replace(dynamics_velocity=loud)))
    return out, apart


def _alone(rows: DeviationNotes) -> tuple[np.ndarray, np.ndarray]:
    """Return (which notes stand alone at their moment, which are the highest there)."""
    group = groups(rows.reference_beat, np.zeros(len(rows), dtype=np.int64))
    return np.bincount(group)[group] == 1, ranks_from_top(rows.reference_pitch, group) == 0


def keys_pop(folder: Path) -> Profile:
    """Return the profile of the pop accompaniments."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        found = [pop_deviations(name, data, beats, Path(scratch)) for name, data, beats in pop_songs(folder)]
    takes, lone = _lone_apart([d for d in found if d is not None])
    fitted = fit(takes, name="keys-pop", kind="keyboard")
    plain = profiles.load("piano-plain").model
    model: dict[str, Any] = copy.deepcopy(dict(fitted.model))
    model["timing"] = copy.deepcopy(dict(plain["timing"]))
    model["timing"]["voices"] = {v: dict(plain["timing"]["voices"][v]) for v in model["voices"]}
    # Bars, not whole songs: level and density rise and fall with the song, which is the arranger's, not the hand's.
    model["template"] = [{**row, "timing_ms": 0.0, "timing_sd_ms": None} for row in model["template"]]
    model["articulation"] = lengths_of([pop_line(d) for d in takes], 0.3)
    model["tempo"] |= {"arch_log2": 0.0, "drift_sd_log2": 0.0}
    model["dynamics"] = {**model["dynamics"], "rules": {"lone": round(lone, 2)}}
    voices = model["dynamics"]["voices"]
    card = {
        "title": f"Keys, pop: accompaniments of {len(takes)} songs, and published findings for the timing",
        "source": [
            "POP909, https://github.com/music-x-lab/POP909-Dataset: loudness in chords, accents in the bar, lengths",
            *profiles.load("piano-plain").card["source"],
        ],
        "licence": "MIT (POP909); aggregate figures only",
        "attribution": "POP909: Ziyu Wang, Ke Chen, Junyan Jiang, Yiyi Zhang, Maoran Xu, Shuqi Dai, Guxian Bin and Gus "
        "Xia, POP909: A Pop-song Dataset for Music Arrangement Generation, ISMIR 2020",
        "method": "every third song of which 95 in 100 onsets lie on the sixteenths of its beats; velocities against "
        "the level around (as takeprint measure has it), by voice and place in the bar with shrinkage, spread and "
        "memory, notes between the chords apart; lengths as quantiles against the time to the next moment, of notes "
        "with a neighbour there. Timing: the songs are quantized, so clock, asynchrony and the lead of louder notes "
        "are piano-plain's, published or chosen",
        "command": COMMAND,
        "limits": "No timing was measured. Velocities are those of a few arrangers' keyboards, lightly edited as it "
        "seems. Lengths of notes that sound through others were not measured.",
        "figures": {
            "takes": len(takes),
            "notes": int(model["notes"]),
            "lone_louder": round(lone, 2),
            "top_louder": voices["top"]["mean"],
            "inner_louder": voices["inner"]["mean"],
            "bass_louder": voices["bass"]["mean"],
            "ms_per_velocity": -1.5,
        },
    }
    return Profile(name="keys-pop", kind="keyboard", card=card, model=model)


def main(folder: Path, out: Path) -> None:
    """Make and write both profiles."""
    out.mkdir(parents=True, exist_ok=True)
    for make in (piano_romantic, keys_pop):
        profile = make(folder)
        profile.save(out / f"{profile.name}.json", force=True)
        print(f"{profile.name}: {profile.card['figures']}")
        print(f"  roll {profile.model['timing'].get('roll')}")
        print(f"  tempo {profile.model['tempo']}")
        print(f"  held {profile.model['articulation']['mean_log2']}, lag-1 {profile.model['articulation']['lag1']}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    here = Path(__file__).resolve().parents[1] / "humanize" / "profiles"
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else here)
