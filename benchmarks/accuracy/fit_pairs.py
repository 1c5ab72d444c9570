"""Constants of onset pairs and of drums told by a score, measured on invented music: no recording and no player.

    python benchmarks/accuracy/fit_pairs.py [fold] [scenes]

Fold 0 is what the constants in `analysis.onset_pairs` and `analysis.score_drums` are from, fold 1 (other keys, other
kits) is for checking them. Printed is what each constant names, then how good pairs and drums are with the present
ones, and how often their 90 % intervals hold the truth.
"""

from __future__ import annotations

import sys

import numpy as np
import score_scenes
import sets
from score_scenes import Scene

from takeprint.analysis import onset_pairs, score_drums
from takeprint.analysis.listening import Sound, listen
from takeprint.analysis.onset_prints import TOGETHER_S, take_prints
from takeprint.analysis.onsets import OnsetDetector, Onsets
from takeprint.analysis.score_listening import listen_for
from takeprint.analysis.warp import align_features
from takeprint.analysis.warp_features import WarpFeatures, WarpListener

# An onset this near to a true one (s) is that one; events of others are farther away from a pair's than this.
_OWN_S, _OTHER_S = 0.012, 0.08


def heard(scene: Scene) -> tuple[Sound, Onsets, WarpFeatures]:
    sound = Sound.of_samples(scene.samples, scene.rate)
    detector, listener = OnsetDetector(sound.rate, sound.peak), WarpListener(sound.rate)
    listen(sound, detector, listener)
    return sound, detector.result(), listener.result()


def first_sounds(scenes: tuple[Scene, Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Return when every written moment of which both play a note begins on either side, of the notes both play."""
    common = np.isfinite(scenes[0].onset_s) & np.isfinite(scenes[1].onset_s)
    written = scenes[0].score.onset_s
    moments = np.unique(written[common])
    sides = [np.array([s.onset_s[common & (written == m)].min() for m in moments]) for s in scenes]
    return sides[0], sides[1]


def nearest(known_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Return the row of the onset that is each moment's, -1 for none."""
    if not len(known_s):
        return np.full(len(wanted_s), -1)
    row = np.abs(known_s[None, :] - wanted_s[:, None]).argmin(1)
    return np.where(np.abs(known_s[row] - wanted_s) <= _OWN_S, row, -1)


def pairs(fold: int, count: int) -> None:
    """Print what the constants of `analysis.onset_pairs` name."""
    rng = np.random.default_rng([41, fold])
    alike, others, off_s, shared, spread, gaps, errors, held, own_held, left = ([] for _ in range(10))
    for _ in range(count):
        scenes = score_scenes.invented_twice(rng, fold)
        (ref, ref_onsets, ref_features), (take, take_onsets, take_features) = (heard(s) for s in scenes)
        try:
            warp = align_features(take_features, ref_features)
        except ValueError as said:
            print(f"refused: {said}")
            continue
        truth = first_sounds(scenes)
        rows = nearest(ref_onsets.onset_s, truth[0]), nearest(take_onsets.onset_s, truth[1])
        both = (rows[0] >= 0) & (rows[1] >= 0)
        shared.append(both.sum() / max((rows[0] >= 0).sum(), 1))
        gap = np.diff(ref_onsets.onset_s)
        event = np.searchsorted(truth[0], ref_onsets.onset_s + _OWN_S) - 1
        second = (np.diff(event) == 0) & (gap <= TOGETHER_S)
        spread.append(second.mean())
        gaps += gap[second].tolist()
        top_hz = 0.45 * scenes[0].rate
        a = take_prints(ref, ref_onsets.onset_s, top_hz).prints[: len(ref_onsets)]
        b = take_prints(take, take_onsets.onset_s, top_hz, warp.transposition_cents).prints[: len(take_onsets)]
        cosine = a[rows[0][both]] @ b.T
        alike += cosine[np.arange(both.sum()), rows[1][both]].tolist()
        away = np.abs(take_onsets.onset_s[None, :] - truth[1][both][:, None])
        others += cosine[(away > _OTHER_S) & (away < onset_pairs._REACH_S)].tolist()
        off = take_onsets.onset_s[rows[1][both]] - warp.take_at(ref_onsets.onset_s[rows[0][both]])
        off_s += np.abs(off[np.isfinite(off)]).tolist()
        found = onset_pairs.pair_onsets(take_onsets, take, ref_onsets, ref, warp)
        if len(found) < 2:
            continue
        inside = (truth[0] >= found.reference_s[0]) & (truth[0] <= found.reference_s[-1])
        got = np.interp(truth[0][inside], found.reference_s, found.time_s)
        errors += (1000 * np.abs(got - truth[1][inside])).tolist()
        left.append(1.0 - inside.mean())
        for at, to in zip(*truth, strict=True):
            row = int(np.abs(found.reference_s - at).argmin())
            error_ms = 1000 * np.array([found.reference_s[row] - at, found.time_s[row] - to])
            if np.abs(error_ms).max() < 20:
                doubt_ms = np.array([found.reference_uncertainty_ms[row], found.uncertainty_ms[row]])
                own_held += (np.abs(error_ms) <= doubt_ms).tolist()
                held.append(abs(error_ms[1] - error_ms[0]) <= np.hypot(*doubt_ms))
    for name, values in (("_ALIKE", alike), ("_OTHERS", others)):
        middle = float(np.median(values))
        sd = 1.4826 * np.median(np.abs(np.array(values) - middle))
        print(f"{name:9s} median {middle:.3f}, sd {sd:.3f} (mean {np.mean(values):.3f}, sd {np.std(values):.3f}, "
              f"{len(values)}); now {getattr(onset_pairs, name)}")  # fmt: skip
    # Laplace's scale by the median: where the warp itself is lost, no start helps.
    print(f"_OFF_S    {np.median(off_s) / np.log(2):.4f} (mean {np.mean(off_s):.4f}); now {onset_pairs._OFF_S}")
    print(f"_SHARED   {np.mean(shared):.3f}; now {onset_pairs._SHARED}")
    print(f"_SPREAD   {np.mean(spread):.3f}, _SPREAD_S {np.mean(gaps):.4f}; "
          f"now {onset_pairs._SPREAD}, {onset_pairs._SPREAD_S}")  # fmt: skip
    e = np.array(errors)
    print(f"pairs, fold {fold}: n {len(e)}, median {np.median(e):.2f} ms, p95 {np.percentile(e, 95):.1f}, "
          f"within 10 ms {(e < 10).mean():.3f}, 50 ms {(e < 50).mean():.3f}, beyond the pairs {np.mean(left):.3f}; "
          f"90 % intervals hold {np.mean(own_held):.3f} of onsets, {np.mean(held):.3f} of differences")  # fmt: skip


def drums(fold: int, count: int) -> None:
    """Print what the constants of `analysis.score_drums` name."""
    rng = np.random.default_rng([42, fold])
    kept = score_drums._FOUND_MS, score_drums._TOGETHER_MS
    error, half, kind = [], [], []
    for _ in range(count):
        scene = score_scenes.invented_drums(rng, fold)
        sound, onsets, _ = heard(scene)
        warp = scene.warp(rng, 10.0)
        now = listen_for(scene.score, sound, warp, onsets)
        # Marked so, the half widths tell how each stroke was placed.
        score_drums._FOUND_MS, score_drums._TOGETHER_MS = 1e3, 1e6
        marked = listen_for(scene.score, sound, warp, onsets).onset_uncertainty_ms
        score_drums._FOUND_MS, score_drums._TOGETHER_MS = kept
        known = np.isfinite(scene.onset_s) & np.isfinite(now.onset_s)
        error += (1000 * np.abs(now.onset_s - scene.onset_s)[known]).tolist()
        half += now.onset_uncertainty_ms[known].tolist()
        kind += np.digitize(marked[known], [9e2, 9e5]).tolist()
    e, h, k = np.array(error), np.array(half), np.array(kind)
    for number, name in enumerate(("alone", "together, found", "together, not found")):
        mine = k == number
        if mine.any():
            print(f"{name:26s} {mine.sum():5d} of {len(k)}: median {np.median(e[mine]):.2f} ms, 90 % within "
                  f"{np.percentile(e[mine], 90):.1f}; intervals hold {(e <= h)[mine].mean():.3f}")  # fmt: skip
    print(f"_FOUND_MS, _TOGETHER_MS now {kept}; all, fold {fold}: intervals hold {(e <= h).mean():.3f}")


if __name__ == "__main__":
    if sets.installed() is None:
        sys.exit("this needs FluidR3 (Debian's fluid-soundfont-gm)")
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    scenes = int(sys.argv[2]) if len(sys.argv) > 2 else 24
    pairs(chosen, scenes)
    drums(chosen, max(scenes // 2, 1))
