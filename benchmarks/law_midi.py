"""The law on MIDI: what was measured, rendered and measured again comes out as it was.

    python benchmarks/law_midi.py SHARED_DATA_FOLDER [EVERY]

Drums (Groove MIDI): each take is measured against its click and quantized by rendering it without its timing; the
take is measured against that score, rendered onto it and measured again. Piano (Vienna 4x22): the score is the
MusicXML as MIDI. Printed: the greatest difference of onsets in ticks of the rendered file, of timing, tempo,
articulation, velocity, and how many notes changed their label.
"""

import sys
from pathlib import Path

import numpy as np

from takeprint.analysis import measure
from takeprint.core.smf import read_smf, write_new_smf
from takeprint.core.take import Take, load_take, take_of_smf
from takeprint.humanize import render


def quantized(path):
    take = load_take(path)
    d = measure(take, click="file")
    return take_of_smf(read_smf(render(take, d.scaled(timing=0.0)).data), path.name)


def score_midi(path):
    score = load_take(path)
    notes = score.notes.replace(velocity=np.full(len(score.notes), 64.0), channel=np.zeros(len(score.notes), int))
    data = write_new_smf(None, notes, score.timeline, score.metre, ticks_per_beat=4800)
    return take_of_smf(read_smf(data), path.name)


def one(take: Path, score: Take):
    d = measure(take, score)
    again_take = take_of_smf(read_smf(render(score, d).data), "rendered")
    again = measure(again_take, score)
    a, b = d.notes, again.notes
    if len(a) != len(b):
        return {"rows": abs(len(a) - len(b))}
    order = [np.lexsort((n.onset_s, n.pitch, n.reference_index, n.label)) for n in (a, b)]
    a, b = a.rows(order[0]), b.rows(order[1])
    clock = again_take.timeline
    tick_s = 60.0 / clock.tempo_bpm_at(clock.beats_at(np.nan_to_num(a.onset_s))) / again_take.smf.ticks_per_beat
    on = np.isfinite(a.onset_s)
    same_knots = len(d.tempo) == len(again.tempo)
    tempo = np.max(np.abs(np.log(d.tempo.tempo_bpm / again.tempo.tempo_bpm))) if same_knots else np.inf
    return {
        "rows": int((a.label != b.label).sum()),
        "onset_ticks": float(np.max(np.abs(a.onset_s - b.onset_s)[on] / tick_s[on])),
        "timing_ms": float(np.nanmax(np.abs(a.timing_ms - b.timing_ms), initial=0.0)),
        "tempo_percent": 100.0 * float(tempo),
        "articulation_log2": float(np.nanmax(np.abs(a.articulation_log2 - b.articulation_log2), initial=0.0)),
        "velocity": float(np.nanmax(np.abs(a.velocity - b.velocity), initial=0.0)),
    }


def main(folder, every):
    grooves = sorted((folder / "groove").rglob("*.mid"))[::every]
    sets = {"groove": [(path, quantized(path)) for path in grooves], "vienna": []}
    for piece in sorted((folder / "vienna4x22" / "musicxml").glob("*.musicxml")):
        score = score_midi(piece)
        takes = sorted((folder / "vienna4x22" / "midi").glob(f"{piece.stem}*.mid"))[::every]
        sets["vienna"] += [(path, score) for path in takes]
    for name, pairs in sets.items():
        found = [(path.name, one(path, score)) for path, score in pairs]
        print(f"{name}: {len(found)} takes")
        for key in ("rows", "onset_ticks", "timing_ms", "tempo_percent", "articulation_log2", "velocity"):
            values = [(figures.get(key, np.inf), file) for file, figures in found]
            worst = max(values)
            print(f"  {key:>18}: median {np.median([v for v, _ in values]):.4f}, worst {worst[0]:.4f} ({worst[1]})")
            if key == "onset_ticks":
                print(f"  {'':>18}  beyond half a tick: {sum(v > 0.5 + 1e-6 for v, _ in values)}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 1)
