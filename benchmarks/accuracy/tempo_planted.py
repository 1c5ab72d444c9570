"""The tempo curve on planted tempos: what strays, rolls and pauses do to it, its uncertainty, and phrase arcs.

Eighth notes at 100 bpm with a planted tempo and independent timing errors; ten seeds each. Printed: the worst error of
a beat's tempo and of the curve, beside the same smoother without its robustness; how often the true tempo lies within
the 90 % interval; and how many planted arcs and final ritardandi are found, each within 1.5 beats of either end.
"""

from __future__ import annotations

import numpy as np

from takeprint.analysis import tempo, tempo_fit
from takeprint.analysis.phrase_arcs import phrase_arcs
from takeprint.core.deviations import TempoCurve
from takeprint.core.timeline import Timeline

CLOCK = Timeline.constant(120.0)
SEEDS = range(10)


def wave(beat):
    return np.log(100.0) + 0.06 * np.sin(2.0 * np.pi * beat / 32.0)


def arches(length, depth):
    return lambda beat: np.log(100.0) + np.log1p(depth) * (1.0 - (2.0 * (beat % length) / length - 1.0) ** 2)


def ending(length, reached):
    return lambda beat: np.log(100.0) + np.log1p((reached**3 - 1) * np.clip((beat - 96 + length) / length, 0, 1)) / 3


def played(log_bpm, noise_s, seed, beats=96, grid=0.5):
    """Return (beat, onset_s, the true times)."""
    fine = np.arange(0.0, beats + 0.005, 0.01)
    time_s = np.concatenate([[0.0], np.cumsum(0.6 / np.exp(log_bpm(fine[:-1] + 0.005)))])
    beat = np.arange(0.0, beats + 1e-9, grid)
    true_s = np.interp(beat, fine, time_s)
    return beat, true_s + np.random.default_rng(seed).normal(0.0, noise_s, len(beat)), true_s


def disturbed(case, seed):
    beat, onset_s, true_s = played(wave, 0.008, seed, beats=48)
    if case == "a pause of 2 s":
        onset_s[60:] += 2.0
        true_s[60:] += 2.0
    elif case == "a stray of 0.3 s":
        onset_s[40] += 0.3
    elif case == "the last onset a stray of 0.3 s":
        onset_s[-1] += 0.3
    elif case == "a chord rolled over 2 s":
        rolled_s = onset_s[40] + 0.25 * np.arange(1, 9)
        return np.append(beat, np.full(8, beat[40])), np.append(onset_s, rolled_s), beat, true_s
    return beat, onset_s, beat, true_s


def plain(beat, onset_s) -> TempoCurve:
    """Fit the same smoother to the means of what is written together, believing all of them."""
    at, place_s, _ = tempo.mean_onsets(beat, onset_s)
    nothing = np.zeros(len(at))
    fit = tempo_fit.Fit(at, place_s - CLOCK.seconds_at(at), nothing.astype(int), nothing + 1, nothing, nothing, 1.0)
    knots = np.arange(at[0], at[-1] + 0.5)
    time_s = CLOCK.seconds_at(knots) + fit.at(knots, 0)[0]
    bpm = 60.0 / np.diff(time_s)
    return TempoCurve(beat=knots, time_s=time_s, tempo_bpm=np.append(bpm, bpm[-1]))


def worst(curve, at, true_s):
    true_bpm = 60.0 * np.diff(curve.beat) / np.diff(np.interp(curve.beat, at, true_s))
    off_ms = 1000.0 * (np.interp(at, curve.beat, curve.time_s) - true_s)
    return np.abs(curve.tempo_bpm[:-1] - true_bpm).max(), np.abs(off_ms).max()


def robustness():
    cases = (
        "nothing",
        "a stray of 0.3 s",
        "the last onset a stray of 0.3 s",
        "a chord rolled over 2 s",
        "a pause of 2 s",
    )
    for case in cases:
        both = []
        for seed in SEEDS:
            beat, onset_s, at, true_s = disturbed(case, seed)
            ours = tempo.fit_tempo(beat, onset_s, CLOCK, tempo.FREE_BANDWIDTH_BEATS)
            both.append([*worst(ours, at, true_s), *worst(plain(beat, onset_s), at, true_s)])
        bpm, ms, plain_bpm, plain_ms = np.mean(both, axis=0)
        print(
            f"  {case:32s} worst beat {bpm:4.1f} bpm (plain {plain_bpm:4.1f}), "
            f"worst place {ms:3.0f} ms ({plain_ms:3.0f})"
        )


def coverage():
    for noise_ms in (5, 15, 40):
        for grid in (0.25, 0.5, 1.0):
            inside = []
            for seed in SEEDS:
                beat, onset_s, true_s = played(wave, noise_ms / 1000.0, seed, grid=grid)
                curve = tempo.fit_tempo(beat, onset_s, CLOCK, tempo.FREE_BANDWIDTH_BEATS)
                true_bpm = 60.0 * np.diff(curve.beat) / np.diff(np.interp(curve.beat, beat, true_s))
                inside.append(
                    np.abs(curve.tempo_bpm - np.append(true_bpm, np.nan))[:-1] <= curve.tempo_uncertainty_bpm[:-1]
                )
            inside = np.array(inside)
            ends = np.c_[inside[:, :2], inside[:, -2:]].mean()
            print(f"  timing {noise_ms:2d} ms, a note every {grid:.2f} beat: {100 * inside[:, 2:-2].mean():.0f} % of "
                  f"the beats lie inside, {100 * ends:.0f} % of the outer two")  # fmt: skip


def arcs():
    for noise_ms in (5, 15, 30):
        for length, depth in ((8, 0.1), (16, 0.1), (16, 0.2), (32, 0.1)):
            right, others, planted, told = 0, 0, 0, []
            for seed in SEEDS:
                beat, onset_s, _ = played(arches(length, depth), noise_ms / 1000.0, seed)
                starts = np.arange(0, 96, length)
                planted += len(starts)
                for arc in phrase_arcs(tempo.fit_tempo(beat, onset_s, CLOCK, tempo.FREE_BANDWIDTH_BEATS)):
                    ends = np.maximum(abs(arc["start_beat"] - starts), abs(arc["end_beat"] - starts - length))
                    hit = arc["kind"] == "arc" and ends.min() <= 1.5
                    right += hit
                    others += not hit
                    told += [arc["depth_percent"]] if hit else []
            said = f"{np.mean(told):.1f} %" if told else "-"
            print(f"  timing {noise_ms:2d} ms, arcs of {length:2d} beats and {100 * depth:.0f} %: {right} of {planted} "
                  f"found, {others} others, depth {said}")  # fmt: skip
    for length, reached in ((4, 0.6), (8, 0.6), (4, 0.85), (4, 1.0)):
        found = []
        for seed in SEEDS:
            beat, onset_s, _ = played(ending(length, reached), 0.01, seed)
            curve = tempo.fit_tempo(beat, onset_s, CLOCK, tempo.FREE_BANDWIDTH_BEATS)
            found += [96 - arc["start_beat"] for arc in phrase_arcs(curve) if arc["kind"] == "final_ritardando"]
        said = f", over {np.mean(found):.1f} beats" if found else ""
        print(f"  the last {length} beats fall to {100 * reached:.0f} %: {len(found)} of {len(SEEDS)} told{said}")


def run(peers: bool) -> None:
    """Print the figures; there is no peer."""
    print("\nwhat disturbs the curve")
    robustness()
    print("\nthe 90 % interval of a beat's tempo")
    coverage()
    print("\nphrase arcs and final ritardandi")
    arcs()


if __name__ == "__main__":
    run(False)
