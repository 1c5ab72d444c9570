"""Onsets of written notes in a recording, told by the score, against the truth of rendered performances.

Pianists of Vienna 4x22 on FluidR3's piano, dry and live, the other piece on other instruments, and drummers of Groove
against their quantized strokes; one written note of 25 is left out. Fold 0 is what was looked at while building (odd
pianists of the Chopin), fold 1 everything else. Every set is listened to twice: with the truth wandering by some
25 ms as the alignment, and with our own alignment of sound and score. ``--peers`` adds parangonar's audio matcher on
one piece. Median, bias, spread and 95th percentile are of notes that were played and heard; "not heard" is the share
of those played that these figures leave out (false misses), which count as missed in "<10ms" and "<50ms"; "c<.5" have
a confidence below a half. "blind" is the share of notes with an onset of their own within 50 ms when no score is known.
CPU is of `listen_for` ("notes"), and of all that it needs from samples on: blind onsets and, where the alignment is our
own, features and alignment ("all").
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import score_scenes
import scoring
import sets
from score_scenes import Scene
from settings import SETTINGS

from takeprint.analysis.listening import Sound, listen
from takeprint.analysis.onsets import OnsetDetector, Onsets
from takeprint.analysis.score_listening import ScoreOnsets, TakeMap, listen_for, unexplained

CHOPIN, MOZART = "Chopin_op38", "Mozart_K331_1st-mov"
# Notes whose 90 % interval is no wider than this either way are counted apart as sure.
SURE_MS = 12.0
PIANO = {
    0: [(CHOPIN, 1, 0, "dry"), (CHOPIN, 3, 0, "live"), (CHOPIN, 5, 0, "dry"), (CHOPIN, 7, 0, "live")],
    1: [(CHOPIN, 2, 0, "dry"), (CHOPIN, 4, 0, "live"), (CHOPIN, 6, 0, "dry"), (CHOPIN, 8, 0, "live"),
        (MOZART, 2, 0, "dry"), (MOZART, 4, 0, "live"), (MOZART, 6, 0, "dry"), (MOZART, 8, 0, "live")],
}  # fmt: skip
OTHERS = {
    0: [(CHOPIN, 9, 1, "dry"), (CHOPIN, 11, 6, "dry")],
    1: [(MOZART, 10, 1, "dry"), (MOZART, 12, 6, "dry"), (MOZART, 14, 25, "dry"), (MOZART, 16, 11, "live")],
}


@dataclass(frozen=True, eq=False)
class Figures:
    """What was found in one scene: errors and half widths (ms) of the notes played, NaN of those not heard."""

    error_ms: np.ndarray
    half_ms: np.ndarray
    confidence: np.ndarray
    missing_heard: np.ndarray
    missing_confidence: np.ndarray
    blind: np.ndarray
    unexplained: int
    added_found: int
    added: int
    minutes: float
    cpu_s: float
    before_s: float


def heard_blind(scene: Scene) -> tuple[Sound, Onsets]:
    """Return the recording and the onsets heard without the score."""
    sound = Sound.of_samples(scene.samples, scene.rate)
    detector = OnsetDetector(sound.rate, sound.peak)
    listen(sound, detector)
    return sound, detector.result()


def own_warp(scene: Scene, sound: Sound) -> TakeMap:
    """Return our own alignment of the recording and the score."""
    from takeprint.analysis.warp import align_features
    from takeprint.analysis.warp_features import WarpListener, written_features

    listener = WarpListener(sound.rate)
    listen(sound, listener)
    return align_features(listener.result(), written_features(scene.score))


def figures(scene: Scene, sound: Sound, onsets: Onsets, warp: TakeMap, before_s: float = 0.0) -> Figures:
    """Listen once, and hold what is found against the truth; what comes before that took ``before_s`` of CPU time."""
    begin = time.process_time()
    found: ScoreOnsets = listen_for(scene.score, sound, warp, onsets)
    cpu_s = time.process_time() - begin
    played = np.isfinite(scene.onset_s)
    rest = onsets.onset_s[unexplained(found, onsets)]
    hits = sum(bool(len(rest)) and float(np.min(np.abs(rest - t))) < 0.03 for t in scene.added_s)
    truth = scene.onset_s[played]
    order = np.argsort(truth, kind="stable")
    pairs = scoring.matched(truth[order], onsets.onset_s, scoring.WIDE_S)
    blind = np.zeros(len(truth), dtype=bool)
    blind[order[[i for i, _ in pairs]]] = True
    return Figures(
        1000 * (found.onset_s - scene.onset_s)[played],
        found.onset_uncertainty_ms[played],
        found.confidence[played],
        np.isfinite(found.onset_s[~played]),
        found.confidence[~played],
        blind,
        len(rest),
        hits,
        len(scene.added_s),
        len(scene.samples) / scene.rate / 60,
        cpu_s,
        before_s,
    )


HEAD = (
    f"{'':44s}    n  med|e|   bias  spread  p95|e| not heard <10ms <50ms blind in 90%   sure  p95|e| | c<.5"
    " | left out: not heard c<.5 | added: found, unexplained/min | CPU s/min: notes, all"
)


def line(name: str, parts: list[Figures]) -> str:
    """Return the figures of some scenes, pooled."""

    def pooled(field: str) -> np.ndarray:
        return np.concatenate([getattr(p, field) for p in parts])

    error, half, missing = pooled("error_ms"), pooled("half_ms"), pooled("missing_heard")
    known = np.isfinite(error)
    e, h = error[known], half[known]
    if not len(e):
        return f"{name:44s} {len(error):4d}  nothing found"
    bias, sure = float(np.median(e)), h <= SURE_MS
    text = (
        f"{name:44s} {len(error):4d} {np.median(np.abs(e)):7.2f} {bias:+6.2f} "
        f"{1.4826 * np.median(np.abs(e - bias)):7.2f} {np.percentile(np.abs(e), 95):7.1f} {np.mean(~known):9.4f} "
        f"{np.sum(np.abs(e) <= 10) / len(error):5.3f} {np.sum(np.abs(e) <= 50) / len(error):5.3f} "
        f"{np.mean(pooled('blind')):5.3f} {np.mean(np.abs(e) <= h):6.3f} {np.mean(sure):6.3f} "
        f"{np.percentile(np.abs(e[sure]), 95) if sure.any() else np.nan:7.1f}"
    )
    text += f" | {np.mean(pooled('confidence') < 0.5):4.3f}"
    if len(missing):
        doubted = np.mean(pooled("missing_confidence") < 0.5)
        text += f" | {len(missing):4d} {np.mean(~missing):14.2f} {doubted:4.2f}"
    else:
        text += f" | {0:4d} {'':19s}"
    minutes, added = sum(p.minutes for p in parts), sum(p.added for p in parts)
    rest = sum(p.unexplained for p in parts) / minutes
    text += f" | {sum(p.added_found for p in parts):3d} of {added:3d}, {rest:12.1f}"
    notes_s, before_s = sum(p.cpu_s for p in parts) / minutes, sum(p.before_s for p in parts) / minutes
    return text + f" | {notes_s:16.2f}, {notes_s + before_s:4.2f}"


def measured(scenes: list[Scene], group: str, aligned: bool = True) -> None:
    """Print a line for each scene, and the group's."""
    told, own, refused = [], [], 0
    for scene in scenes:
        begin = time.process_time()
        sound, onsets = heard_blind(scene)
        blind_s = time.process_time() - begin
        told.append(figures(scene, sound, onsets, scene.warp(np.random.default_rng(SETTINGS.seed + 5)), blind_s))
        print(line(scene.name, told[-1:]), flush=True)
        if not aligned:
            continue
        begin = time.process_time()
        try:
            warp = own_warp(scene, sound)
        except ValueError as said:
            refused += 1
            print(f"  not aligned: {said}")
            continue
        own.append(figures(scene, sound, onsets, warp, blind_s + time.process_time() - begin))
    if scenes:
        print(line(f"= {group}, all", told))
    if own:
        print(line(f"= {group}, our own alignment", own))
    if refused:
        print(f"  {refused} of {len(scenes)} not aligned: they are not in the line of our own alignment")


def first_call() -> None:
    """Compile what is compiled at first use, so that it counts for no scene."""
    rng = np.random.default_rng(0)
    scene = score_scenes.invented(rng, 0, 3.0, "dry")
    sound, onsets = heard_blind(scene)
    listen_for(scene.score, sound, scene.warp(rng), onsets)


def drum_scenes(fold: int) -> list[Scene]:
    """Return some drummers of a fold."""
    paths = sets.performances(fold)
    chosen = np.random.default_rng([SETTINGS.seed, fold]).choice(len(paths), 4, replace=False)
    return [
        score_scenes.drumming(paths[i], fold, n, ("dry", "live")[n % 2]) for n, i in enumerate(np.sort(chosen).tolist())
    ]


def run(peers: bool) -> None:
    """Print the table."""
    if not sets.available():
        print("this topic needs FluidR3 (Debian's fluid-soundfont-gm) and the shared data")
        return
    fold = SETTINGS.fold
    first_call()
    print(HEAD)
    wanted = SETTINGS.only
    if not wanted or "piano" in wanted:
        for condition in ("dry", "live"):
            chosen = [q for q in PIANO[fold] if q[3] == condition]
            measured([score_scenes.vienna(*q, seed=SETTINGS.seed) for q in chosen], f"piano {condition}")
    if not wanted or "others" in wanted:
        measured([score_scenes.vienna(*q, seed=SETTINGS.seed) for q in OTHERS[fold]], "other instruments")
    if not wanted or "drums" in wanted:
        measured(drum_scenes(fold), "drums", aligned=False)
    if not wanted or "invented" in wanted:
        rng = np.random.default_rng([SETTINGS.seed, fold, 77])
        measured([score_scenes.invented(rng, fold, 30.0) for _ in range(6)], "invented music", aligned=False)
    print("targets: median <= 2 ms, p95 <= 12 ms [parangonar's audio matcher 15.8, 75.8], CPU <= 1 s/min")
    if peers:
        _peer(score_scenes.vienna(*PIANO[fold][0], seed=SETTINGS.seed))


def _peer(scene: Scene) -> None:
    """Print what parangonar's audio matcher makes of one scene."""
    try:
        from score_peer import parangonar_onsets
    except ImportError as missing:
        print(f"parangonar: not here ({missing})")
        return
    begin = time.process_time()
    onset_s = parangonar_onsets(scene)
    cpu_s = time.process_time() - begin
    error = 1000 * (onset_s - scene.onset_s)[np.isfinite(scene.onset_s)]
    e = np.abs(error[np.isfinite(error)])
    print(f"parangonar audio matcher, {scene.name}: n {len(e)} med|e| {np.median(e):.1f} bias "
          f"{np.nanmedian(error):+.1f} p95 {np.percentile(e, 95):.1f} <10 {np.mean(e <= 10):.3f} <50 "
          f"{np.mean(e <= 50):.3f}, {60 * cpu_s / (len(scene.samples) / scene.rate):.1f} CPU s/min")  # fmt: skip
