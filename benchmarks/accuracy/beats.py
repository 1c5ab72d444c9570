"""Beats, bars and tempo without a reference: ours beside the peers.

F at 70 ms; CMLt and AMLt (the share of beats that are right with the one before them, to 17.5 % of the period; AMLt
allows half, double and off-beat). Onsets are trimmed to the truth's stretch. ``cover`` is how many true beats the 90 %
interval holds. The tempo's error is held against that of the true onsets at their true places under the same fit.
The weights were fitted on drummers 1, 2, 4 and 5 (``--fold 0``); the table is of the others.
"""

from __future__ import annotations

import warnings

import numpy as np
from beat_scenes import ROCK, Scene, asap, groove, periods, planted
from scoring import f_measure
from sets import available, drum_note, shared
from settings import SETTINGS

from takeprint.analysis.beats import infer_beat
from takeprint.analysis.grid import fit_grid
from takeprint.analysis.tempo import FREE_BANDWIDTH_BEATS, fit_tempo
from takeprint.core.timeline import Timeline

TARGET_F, TARGET_TEMPO = 0.99, 1.1
RIGHT = 0.85  # F from which level and phase count as right


def _right(found: np.ndarray, true: np.ndarray) -> float:
    """Return the share of beats that are right with the one before, of the longer of the two series."""
    if len(found) < 2 or len(true) < 2:
        return 0.0
    period = np.gradient(true)
    nearest = np.abs(found[:, None] - true).argmin(axis=1)
    near = np.abs(found - true[nearest]) < 0.175 * period[nearest]
    steady = np.abs(np.diff(found) / np.diff(true)[np.clip(nearest[1:] - 1, 0, None)] - 1.0) < 0.175
    ok = near[1:] & near[:-1] & (np.diff(nearest) == 1) & steady
    return float(ok.sum() / (max(len(found), len(true)) - 1))


def continuity(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Return CMLt and AMLt."""
    middle = (true[1:] + true[:-1]) / 2.0
    others = (middle, np.sort(np.r_[true, middle]), true[::2], true[1::2])
    correct = _right(found, true)
    return correct, max(correct, *(_right(found, other) for other in others))


def trimmed(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    return found[(found > true[0] - 0.15) & (found < true[-1] + 0.15)]


def tempo_ratio(scene: Scene, clock: Timeline) -> tuple[float, float]:
    """Return the median errors of the tempo, bpm, under one fit: of the beats found, and of the true onsets."""
    truth = Timeline(np.arange(len(scene.beat_s), dtype=float), scene.beat_s)
    voice = np.unique(scene.instrument, return_inverse=True)[1]
    ours = fit_grid(scene.onset_s, voice, scene.weight, clock).reference_beat
    theirs = scene.onset_beat if scene.planted else fit_grid(scene.onset_s, voice, scene.weight, truth).reference_beat
    errors = []
    for place in (ours, theirs):
        order = np.argsort(place, kind="stable")
        steady = Timeline.constant(120.0)
        curve = fit_tempo(place[order], scene.onset_s[order], steady, FREE_BANDWIDTH_BEATS)
        basis = Timeline(curve.beat, curve.time_s)
        at = (scene.beat_s[1:-1] + scene.beat_s[2:]) / 2.0
        true_bpm = truth.tempo_bpm_at(truth.beats_at(at))
        errors.append(float(np.median(np.abs(basis.tempo_bpm_at(basis.beats_at(at)) - true_bpm))))
    return errors[0], errors[1]


def figures(scene: Scene, *, named: bool = True) -> dict[str, float]:
    """Return the figures of one scene."""
    found = infer_beat(scene.onset_s, scene.weight, instrument=scene.instrument if named else None)
    beat_s = trimmed(found.beat_s, scene.beat_s)
    f = f_measure(scene.beat_s, beat_s, 0.07)
    correct, allowed = continuity(beat_s, scene.beat_s)
    out = {"f": f, "cmlt": correct, "amlt": allowed, "belief": found.belief, "right": float(f >= RIGHT)}
    if f >= RIGHT:
        nearest = np.abs(found.beat_s - scene.beat_s[:, None]).argmin(axis=1)
        off_ms = 1000.0 * np.abs(found.beat_s[nearest] - scene.beat_s)
        if scene.planted:
            # Against a click a drummer's own latency would count as an error of the beat.
            out["cover"] = float(np.mean(off_ms[off_ms < 70.0] <= found.beat_uncertainty_ms[nearest][off_ms < 70.0]))
        first = int(np.abs(scene.beat_s - found.beat_s[min(found.bars.phase, len(found.beat_s) - 1)]).argmin())
        length = found.bars.beats_per_bar == scene.beats_per_bar
        if scene.beats_per_bar > 1:
            out["bar"] = float(length and scene.bar[first] == 0)
            out["bar_belief"] = found.bars.probability
        if len(scene.onset_beat):
            out["tempo"], out["tempo_floor"] = tempo_ratio(scene, found.clock)
    return out


def row(name: str, all_of: list[dict[str, float]]) -> None:
    """Print the means of a group."""

    def mean(key: str) -> float:
        values = [said[key] for said in all_of if key in said]
        return float(np.mean(values)) if values else np.nan

    ratio = mean("tempo") / mean("tempo_floor") if mean("tempo_floor") > 0 else np.nan
    cells = [mean(k) for k in ("f", "cmlt", "amlt", "right", "belief", "cover", "bar", "bar_belief")]
    print(f"  {name:<30}{len(all_of):>4}" + "".join(f"{c:>8.3f}" for c in cells)
          + f"{mean('tempo'):>10.2f}{mean('tempo_floor'):>7.2f}{ratio:>7.2f}", flush=True)  # fmt: skip


def calibration(name: str, all_of: list[dict[str, float]]) -> None:
    """Print how often readings were right by their belief."""
    belief, right = (np.array([said[k] for said in all_of]) for k in ("belief", "right"))
    cells = []
    for low, high in ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        rows = (belief >= low) & (belief < high)
        if rows.any():
            cells.append(f"{belief[rows].mean():.2f} -> {right[rows].mean():.2f} ({int(rows.sum())})")
    print(f"  {name}: belief -> right: " + ", ".join(cells))


def drum_sound(rng: np.random.Generator) -> tuple[np.ndarray, int, Scene]:
    """Return two minutes of drums at 120 bpm, +-5 bpm of a sine and +4 bpm of drift, jitter 7.6 ms, and the truth."""
    from mixing import mixed

    n = 240
    beat_s = 0.5 + np.r_[0.0, np.cumsum(periods("drift", 120, n, rng))]
    notes, place = [], []
    for bar in range(0, n, 4):
        for name, hits in ROCK.items():
            for hit in hits:
                when = np.interp(bar + hit, np.arange(n + 1), beat_s) + np.clip(rng.normal(0, 0.0076), -0.02, 0.02)
                key = {"kick": 36, "snare": 38, "hat": 42}[name]
                notes.append(drum_note(when, 16, key, rng.uniform(60, 120), rng))
                place.append((when, bar + hit, name))
    place.sort()
    onset_s, at, names = (np.array(column) for column in zip(*place, strict=True))
    sound = mixed(notes, [])
    true = Scene("drums, audio", onset_s, np.ones(len(at)), names, beat_s[:n], np.arange(n) % 4, at, planted=True)
    return sound.samples, sound.rate, true


def recordings() -> list[tuple[str, np.ndarray, int, np.ndarray | float]]:
    """Return real recordings with their beats, or with the tempo they were made at."""
    import soundfile

    out: list[tuple[str, np.ndarray, int, np.ndarray | float]] = []
    for name, bpm in (("beatnet-808/808kick120bpm.mp3", 120.0),
                      ("librosa-examples/sorohanro_-_solo-trumpet-06.hq.ogg", 90.0)):  # fmt: skip
        y, rate = soundfile.read(shared() / name, always_2d=True)
        out.append((name.rsplit("/", maxsplit=1)[-1][:24], y.mean(axis=1), rate, bpm))
    folder = shared() / "restricted" / "mdb-drums"
    for path in sorted((folder / "annotations" / "beats").glob("*.beats")):
        audio = next((folder / "audio" / "drum_only").glob(path.stem.removesuffix("_MIX") + "*"), None)
        if audio is not None:
            y, rate = soundfile.read(audio, always_2d=True)
            beat_s = np.array([float(line.split()[0]) for line in path.read_text().splitlines() if line.strip()])
            out.append((path.stem, y.mean(axis=1), rate, beat_s))
    return out


def trackers(peers: bool):
    """Return (name, function of samples and rate) of ours and of the installed peers."""
    from takeprint.analysis.onsets import detect_onsets

    def ours(y: np.ndarray, rate: int) -> np.ndarray:
        onsets = detect_onsets(y, rate)
        return infer_beat(onsets.onset_s, onsets.level_db, instrument=onsets.instrument).beat_s

    out = [("takeprint", ours)]
    if peers:
        from peers import BEATS, installed

        out += list(installed(BEATS))
    return out


def audio(peers: bool) -> None:
    """Print the table of sounds: ours and the peers'."""
    if not available():
        print("  no sound font or no shared data here: the sounds are left out")
        return
    y, rate, true = drum_sound(np.random.default_rng([SETTINGS.seed, 7]))
    real = recordings()
    print(f"audio{'':<27}F70    CMLt    AMLt   median error ms   tempo (target F {TARGET_F})")
    for name, track in trackers(peers):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for title, samples, sample_rate, beat_s in [("drums 120 bpm, drift", y, rate, true.beat_s), *real]:
                found = np.asarray(track(samples, sample_rate), dtype=float)
                bpm = 60.0 / np.median(np.diff(found)) if len(found) > 2 else np.nan
                if isinstance(beat_s, float):
                    print(f"  {name:<10} {title:<26} tempo {bpm:.2f} of {beat_s:.0f}", flush=True)
                    continue
                found = trimmed(found, beat_s)
                error = 1000 * np.abs(found[:, None] - beat_s).min(axis=1) if len(found) else np.array([np.nan])
                cells = (f_measure(beat_s, found, 0.07), *continuity(found, beat_s), float(np.median(error)))
                print(f"  {name:<10} {title:<26}" + "".join(f"{c:>8.3f}" for c in cells) + f"{bpm:>12.2f}", flush=True)


def run(peers: bool) -> None:
    """Print the tables of beats."""
    rng = np.random.default_rng([SETTINGS.seed, 11])
    print(f"onsets{'':<30}n     F70    CMLt    AMLt   right  belief   cover     bar  belief  tempo bpm  floor  ratio")
    print(f"  targets{'':<27}{TARGET_F:>8.3f}{'':>32}  85-95 %{'':>32}{TARGET_TEMPO:>4.2f}")
    every = []
    for one in planted(rng):
        said = figures(one)
        every.append(said)
        row(one.name, [said])
    row("all planted", every)
    for named in (True, False):
        by_style: dict[str, list[dict[str, float]]] = {}
        for style, one in groove(SETTINGS.fold):
            by_style.setdefault(style, []).append(figures(one, named=named))
        print(f"Groove MIDI, {'drums named' if named else 'onsets alone'}")
        for style in sorted(by_style):
            row(style, by_style[style])
        whole = [said for style in by_style.values() for said in style]
        row("all", whole)
        calibration("all", whole)
    whole = [figures(one) for one in asap()]
    if whole:
        row("ASAP, piano", whole)
        calibration("ASAP", whole)
    audio(peers)
