"""Humanizing a file of one million notes beside mido's mere reading of it: CPU time in one run.

    python benchmarks/bench_render.py [NOTES]

Given deviations (timing, velocity and length of every note) are laid into 16 tracks with pedals; reading the file,
rendering and encoding are all counted, compiling the kernels is not. mido only reads.
"""

from __future__ import annotations

import io
import sys
import time

import mido
import numpy as np

from takeprint.core.deviations import DeviationNotes, Deviations
from takeprint.core.notes import Notes
from takeprint.core.smf import read_smf, write_new_smf
from takeprint.core.take import Take, take_of_smf
from takeprint.humanize import render

TRACKS = 16


def file_of(n_notes: int) -> bytes:
    """Return a file of ``n_notes`` sixteenths in 16 tracks, four keys at a time, with a pedal event every beat."""
    i = np.arange(n_notes)
    track = i % TRACKS
    step = i // TRACKS
    notes = Notes.build(
        onset_beat=(step // 4) * 0.25,
        duration_beat=np.full(n_notes, 0.24),
        pitch=36 + (step % 4) * 7 + (step // 16) % 7,
        velocity=60 + i % 40,
        track=track,
        channel=track % 16,
    )
    data = write_new_smf(None, notes, ticks_per_beat=480)
    smf = read_smf(data)
    beats = int(notes.onset_beat.max()) + 1
    pedals = [
        (1 + t, 480 * beat + 10, bytes([0xB0 | t, 64, 127 * (beat % 2)]), 1)
        for t in range(TRACKS)
        for beat in range(0, beats, max(1, beats // 1000))
    ]
    return smf.edited_bytes(insert=pedals)


def deviations_for(take: Take, seed: int = 0) -> Deviations:
    """Return random deviations for every note of a take."""
    notes, rng = take.notes, np.random.default_rng(seed)
    n = len(notes)
    timing_ms = rng.normal(0, 15, n)
    rows = DeviationNotes.build(
        label=np.full(n, "match"),
        reference_index=np.arange(n),
        track=notes.track,
        channel=notes.channel,
        reference_beat=notes.onset_beat,
        onset_s=notes.onset_s + timing_ms / 1000.0,
        duration_s=notes.duration_s * 2.0 ** rng.normal(0, 0.2, n),
        pitch=notes.pitch,
        velocity=notes.velocity + rng.normal(0, 8, n),
        timing_ms=timing_ms,
    )
    return Deviations(notes=rows, reference={"kind": "click", "timing_basis": "reference"})


def main() -> None:
    """Print the table."""
    n_notes = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    small = read_take(file_of(2_000))
    render(small, deviations_for(small))  # compile
    data = file_of(n_notes)
    asked = deviations_for(read_take(data))
    begin = time.process_time()
    take = read_take(data)
    read_s = time.process_time() - begin
    begin = time.process_time()
    made = render(take, asked)
    render_s = time.process_time() - begin
    begin = time.process_time()
    mido.MidiFile(file=io.BytesIO(data))
    mido_s = time.process_time() - begin
    print(f"{n_notes} notes, {len(take.smf.events)} events, {len(data) / 1e6:.1f} MB")
    print(f"read {read_s:.2f} s CPU, render {render_s:.2f} s CPU; mido reads in {mido_s:.2f} s CPU")
    print(f"limited: {made.report['timing']['n_limited']} onsets, {made.report['articulation']['n_limited']} ends")
    print(f"humanizing / mido's reading = {(read_s + render_s) / mido_s:.3f} (promised: below 1)")


def read_take(data: bytes) -> Take:
    """Return the take of a file in memory."""
    return take_of_smf(read_smf(data), "benchmark")


if __name__ == "__main__":
    main()
