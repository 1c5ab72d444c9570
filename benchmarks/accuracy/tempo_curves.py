"""Tempo curves and timing of real pianists' takes, against those that the human match files give.

Each take's MIDI file is measured against what is written (`measure`), as a user would: alignment, curve and residual
are ours. The truth is the same smoother over the human pairs, so what differs is what was paired otherwise. Printed
by piece: correlation of the tempo on every beat, and of the timing of the notes that both have; the least, and who
misses 0.99. A third column has the correlation after the few notes beyond 100 ms are left out: a chord rolled over two
seconds has a timing that no curve explains, and one such note carries a correlation by itself.

With ``--peers`` the human pairs also go through partitura's performance codec (`encode_performance`). The two differ in
what tempo is:

- partitura's beat period is that of each gap between written onsets, taken from mean onsets: an interpolation. All that
  happens from onset to onset is tempo; its timing holds only how the notes of one chord spread about their mean, and is
  positive for a note that is early. A chord that is rolled stands at its mean; in ours it begins at its first note.
- ours is a local parabola over about a beat either side: tempo is what lasts, timing is what does not, the
  unevenness from onset to onset as well as the spread of chords, and late is positive.

So beat periods are correlated from onset to onset, as they come; then over whole beats, on the lines between
partitura's equivalent onsets; then with these onsets through our smoother, where only that is left which is not the
smoother. Timing is correlated as it comes and within chords (less each chord's own mean on either side).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from alignment import SETS
from settings import SETTINGS
from truth import Truth, half

from takeprint.analysis import measure
from takeprint.analysis.tempo import FREE_BANDWIDTH_BEATS, fit_tempo
from takeprint.core.deviations import Deviations
from takeprint.core.timeline import Timeline

TARGET = 0.99
FAR_MS = 100.0


@dataclass
class Figures:
    """Figures of one take: correlations of tempo and timing, of timing without the far notes, and what was paired."""

    name: str
    piece: str
    tempo: float
    timing: float
    timing_near: float
    sd_ms: tuple[float, float]
    paired: tuple[int, int, int]  # right, told, true


def human(truth: Truth) -> tuple[Any, Timeline]:
    """Return the tempo curve through the human pairs, and the same as a map from beats to seconds."""
    clock = Timeline.constant(120.0)
    beat, onset_s = truth.score.onset_beat[truth.pairs[:, 0]], truth.take.onset_s[truth.pairs[:, 1]]
    curve = fit_tempo(beat, onset_s, clock, FREE_BANDWIDTH_BEATS)
    return curve, Timeline(curve.beat, curve.time_s)


def residual_ms(truth: Truth, basis: Timeline) -> np.ndarray:
    """Return the timing of each human pair, with zero median."""
    beat, onset_s = truth.score.onset_beat[truth.pairs[:, 0]], truth.take.onset_s[truth.pairs[:, 1]]
    late_ms = 1000.0 * (onset_s - basis.seconds_at(beat))
    return late_ms - np.median(late_ms)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's; 1.0 for two constants."""
    if len(a) < 3 or np.std(a) == 0 or np.std(b) == 0:
        return 1.0 if np.allclose(a, b) else 0.0
    return float(np.corrcoef(a, b)[0, 1])


def compare(truth: Truth, d: Deviations) -> Figures:
    """Hold a measured take against the human pairs."""
    curve, basis = human(truth)
    rows = d.notes.rows(d.notes.label == "match")
    # The reference's beat 0 may be moved to the beginning of an upbeat.
    shift = float(np.min(d.notes.reference_beat[d.notes.reference_index >= 0]) - truth.score.onset_beat.min())
    common = np.intersect1d(np.round(curve.beat + shift, 6), np.round(d.tempo.beat, 6))[:-1]
    measured = Timeline(d.tempo.beat, d.tempo.time_s)
    tempo = correlation(basis.tempo_bpm_at(common - shift), measured.tempo_bpm_at(common))
    # Unisons of two voices are one place: each of our notes is held against the nearest onset the truth has there.
    late_ms = residual_ms(truth, basis)
    there: dict[tuple[float, int], list[tuple[float, float]]] = {}
    for (row, column), late in zip(truth.pairs.tolist(), late_ms.tolist(), strict=True):
        place = (round(float(truth.score.onset_beat[row]) + shift, 3), int(truth.score.pitch[row]))
        there.setdefault(place, []).append((float(truth.take.onset_s[column]), late))
    pairs, right = [], 0
    for beat, pitch, onset_s, timing in zip(
        rows.reference_beat.tolist(), rows.reference_pitch.tolist(), rows.onset_s, rows.timing_ms, strict=True
    ):
        found = there.get((round(beat, 3), int(pitch)))
        if found:
            nearest = min(found, key=lambda f: abs(f[0] - onset_s))
            right += abs(nearest[0] - onset_s) < 0.002
            pairs.append((timing, nearest[1]))
    ours, theirs = np.array(pairs).reshape(-1, 2).T
    near = (np.abs(ours) < FAR_MS) & (np.abs(theirs) < FAR_MS)
    return Figures(
        truth.name, truth.piece, tempo, correlation(ours, theirs), correlation(ours[near], theirs[near]),
        (float(np.std(ours)), float(np.std(theirs))), (right, len(rows), len(truth.pairs)),
    )  # fmt: skip


def report(figures: list[Figures], target: bool) -> None:
    """Print a line a piece, and who misses the target."""
    for piece in sorted({f.piece for f in figures}):
        own = [f for f in figures if f.piece == piece]
        right, told, true = (sum(f.paired[i] for f in own) for i in range(3))
        said = [f"{name} {np.median(v):.4f} ({np.min(v):.4f})" for name, v in (
            ("tempo", [f.tempo for f in own]), ("timing", [f.timing for f in own]),
            (f"timing below {FAR_MS:.0f} ms", [f.timing_near for f in own]))]  # fmt: skip
        print(
            f"  {piece:32s} {len(own):2d} takes: median r (least) of {', '.join(said)}; "
            f"pairs: precision {right / told:.4f}, recall {right / true:.4f}"
        )
    low = [f for f in figures if min(f.tempo, f.timing) < TARGET]
    print(f"  {len(figures) - len(low)} of {len(figures)} takes have both at {TARGET} or more" + (
        " [target: all]" if target else ""))  # fmt: skip
    for f in low:
        print(f"    below: {f.name}: tempo {f.tempo:.4f}, timing {f.timing:.4f} ({f.timing_near:.4f} below "
              f"{FAR_MS:.0f} ms), sd {f.sd_ms[0]:.1f} (human {f.sd_ms[1]:.1f}) ms, "
              f"{f.paired[1] - f.paired[0]} wrong pairs")  # fmt: skip


# --- partitura's codec ---------------------------------------------------------------------------------------------


def codec(truth: Truth) -> tuple[float, ...]:
    """Return correlations with partitura's codec, of beat periods (3) and of timing (2); and both sds of timing."""
    import partitura
    from partitura.musicanalysis import encode_performance

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        performance, pairs, score = partitura.load_match(str(truth.source), create_score=True)
        said, names = encode_performance(score, performance, pairs)
    row = {name: i for i, name in enumerate(truth.match.score_ids)}
    partner = dict(truth.pairs.tolist())
    rows = np.array([row[str(n)] for n in names])
    known = np.array([r in partner for r in rows.tolist()])
    rows, said = rows[known], said[known]
    beat, onset_s = truth.score.onset_beat[rows], truth.take.onset_s[[partner[r] for r in rows.tolist()]]
    curve, basis = human(truth)
    at, first, index = np.unique(np.round(beat, 6), return_index=True, return_inverse=True)
    # Seconds a beat of the time signature become seconds a quarter note.
    changes = np.array([c[0] for c in truth.metre.changes])
    below = np.array([c[2] for c in truth.metre.changes])
    quarter_s = said["beat_period"][first] * below[np.maximum(np.searchsorted(changes, at, "right") - 1, 0)] / 4.0
    ours_s = 60.0 / basis.tempo_bpm_at(at)
    equivalent_s = onset_s[first] + said["timing"][first].astype(float)
    inside = curve.beat[(curve.beat >= at[0]) & (curve.beat <= at[-1])]
    step = np.diff(inside)
    theirs_again = fit_tempo(at, equivalent_s, Timeline.constant(120.0), FREE_BANDWIDTH_BEATS)
    again = Timeline(theirs_again.beat, theirs_again.time_s)
    per_beat_s = [np.diff(t) / step for t in (
        basis.seconds_at(inside), np.interp(inside, at, equivalent_s), again.seconds_at(inside))]  # fmt: skip
    late_ms = 1000.0 * (onset_s - basis.seconds_at(beat))
    theirs_ms = -1000.0 * said["timing"].astype(float)
    count = np.bincount(index)
    chord = [v - (np.bincount(index, weights=v) / count)[index] for v in (late_ms, theirs_ms)]
    several = count[index] > 1
    return (
        correlation(ours_s[:-1], quarter_s[:-1]),
        correlation(per_beat_s[0], per_beat_s[1]),
        correlation(per_beat_s[0], per_beat_s[2]),
        correlation(late_ms, theirs_ms),
        correlation(chord[0][several], chord[1][several]),
        float(np.std(late_ms)),
        float(np.std(theirs_ms)),
    )


def against_codec(takes: tuple[Truth, ...]) -> None:
    """Print how our curve and timing go with partitura's, from the same human pairs."""
    try:
        import partitura  # noqa: F401
    except ImportError:
        print("  not installed: partitura")
        return
    table = np.array([codec(t) for t in takes])
    middle, least = np.median(table, axis=0), np.min(table, axis=0)
    print(f"  beside partitura's codec, {len(takes)} takes, the same human pairs, median r (least):")
    for i, name in enumerate(
        (
            "beat period, each gap",
            "beat period, whole beats",
            "the same, both smoothed",
            "timing",
            "timing within chords",
        )
    ):
        print(f"    {name:26s} {middle[i]:.3f} ({least[i]:.3f})")
    print(f"    sd of timing: ours {middle[5]:.1f} ms, partitura's {middle[6]:.1f} ms")


def run(peers: bool) -> None:
    """Print the figures."""
    for name, every in SETS.items():
        if SETTINGS.only and name not in SETTINGS.only:
            continue
        takes = half(every(), SETTINGS.fold)
        print(f"\n{name}, fold {SETTINGS.fold}")
        report([compare(t, measure(t.midi, t.source)) for t in takes], target=name == "vienna")
        if peers:
            against_codec(takes)
