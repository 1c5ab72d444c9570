"""Hold the alignment, tempo and timing of Vienna 4x22 performances against the human match files.

    python benchmarks/vienna_truth.py VIENNA_FOLDER

Each performance is measured against its score MIDI, written here from the MusicXML. The same tempo curve and residual
are computed from the match file's own pairs. Printed a piece: matched notes found and wrongly found, the greatest
difference of matched onsets, and the correlation of tempo and of timing over the notes both have.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

from takeprint.analysis import measure
from takeprint.analysis.tempo import FREE_BANDWIDTH_BEATS, fit_tempo
from takeprint.core.smf import read_smf, write_new_smf
from takeprint.core.take import load_take, take_of_smf
from takeprint.core.timeline import Timeline


def score_midi(path):
    score = load_take(path)
    notes = score.notes.replace(velocity=np.full(len(score.notes), 64.0), channel=np.zeros(len(score.notes), int))
    data = write_new_smf(None, notes, score.timeline, score.metre, ticks_per_beat=4800)
    return take_of_smf(read_smf(data), path.name)


def human_pairs(path):
    """Return (beat from the first note, pitch, onset_s) of the matched notes of a match file."""
    import partitura

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        performance, alignment, score = partitura.load_match(str(path), create_score=True)
    played = {n["id"]: n for n in performance.note_array()}
    written = {n["id"]: n for n in score.note_array()}
    first = min(float(n["onset_quarter"]) for n in written.values())
    out = []
    for row in alignment:
        if row["label"] == "match" and row["score_id"] in written:
            note, heard = written[row["score_id"]], played[row["performance_id"]]
            out.append((float(note["onset_quarter"]) - first, int(note["pitch"]), float(heard["onset_sec"])))
    return out


def one(path, match, score):
    d = measure(path, score)
    rows = d.notes.rows(d.notes.label == "match")
    truth = human_pairs(match)
    first = score.notes.onset_beat.min()
    # Unisons of two voices share a place and a pitch: the pairs are compared as multisets of (place, pitch, onset).
    place = np.round(rows.reference_beat - first, 3)
    ours = list(zip(place, rows.reference_pitch.astype(int), rows.onset_s, strict=True))
    by_place = {}
    for beat, pitch, onset_s in truth:
        by_place.setdefault((round(beat, 3), pitch), []).append(onset_s)
    right, off_ms = 0, []
    for beat, pitch, onset_s in ours:
        found = by_place.get((float(beat), int(pitch)), [])
        if found:
            nearest = min(found, key=lambda t: abs(t - onset_s))
            if abs(nearest - onset_s) < 0.005:
                right += 1
                off_ms.append(1000 * (onset_s - nearest))
    at = np.array([b for b, _, _ in truth]) + first
    onset_s = np.array([t for _, _, t in truth])
    clock = d.reference_timeline
    curve = fit_tempo(at, onset_s, clock, FREE_BANDWIDTH_BEATS)
    human = Timeline(curve.beat, curve.time_s)
    common = np.intersect1d(curve.beat, d.tempo.beat)[:-1]
    tempo = np.corrcoef(human.tempo_bpm_at(common), d.basis.tempo_bpm_at(common))[0, 1]
    residual = {}
    for beat, (_, pitch, t) in zip(at, truth, strict=True):
        residual.setdefault((round(float(beat), 3), pitch), []).append(1000 * (t - float(human.seconds_at(beat))))
    pairs = []
    for beat, pitch, timing in zip(rows.reference_beat, rows.reference_pitch, rows.timing_ms, strict=True):
        found = residual.get((round(float(beat), 3), int(pitch)))
        if found:
            pairs.append((timing, min(found, key=lambda v: abs(v - timing)) if len(found) > 1 else found[0]))
    timing = np.corrcoef(np.array(pairs).T)[0, 1]
    spread = [float(np.std(v)) for v in np.array(pairs).T]
    return len(truth), len(ours), right, np.max(np.abs(off_ms)), tempo, timing, *spread


def main(folder):
    for piece in sorted((folder / "musicxml").glob("*.musicxml")):
        score = score_midi(piece)
        table = []
        print(f"{piece.stem}: {len(score.notes)} written notes")
        for path in sorted((folder / "midi").glob(f"{piece.stem}*.mid")):
            figures = one(path, folder / "match" / f"{path.stem}.match", score)
            table.append(figures)
            print("  {}: true {} found {} right {}, onsets within {:.3f} ms, r tempo {:.4f}, r timing {:.4f}, "
                  "timing sd {:.1f} (human {:.1f}) ms".format(path.stem[-3:], *figures))  # fmt: skip
        true, found, right = (sum(t[i] for t in table) for i in range(3))
        print(f"  all: precision {right / found:.4f}, recall {right / true:.4f}, lowest r tempo "
              f"{min(t[4] for t in table):.4f}, lowest r timing {min(t[5] for t in table):.4f}")  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
