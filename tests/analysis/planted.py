"""Takes with known deviations: ground truth by construction."""

import numpy as np

from takeprint.core.notes import Notes
from takeprint.core.smf import read_smf, write_new_smf
from takeprint.core.take import take_of_smf
from takeprint.core.timeline import Metre, Timeline

KICK, SNARE, HAT = 36, 38, 42


def midi_take(
    onset_s, duration_s, pitch, velocity, *, clock=None, metre=None, channel=0, ticks_per_beat=9600, name="t"
):
    """Write notes as a MIDI file and open it: a tick at 120 bpm is 0.05 ms."""
    clock = clock or Timeline.constant(120.0)
    onset_s = np.asarray(onset_s, float)
    notes = Notes.build(
        onset_s=onset_s,
        duration_s=np.broadcast_to(duration_s, onset_s.shape),
        onset_beat=clock.beats_at(onset_s),
        duration_beat=clock.beats_at(onset_s + duration_s) - clock.beats_at(onset_s),
        pitch=np.broadcast_to(pitch, onset_s.shape),
        velocity=np.broadcast_to(velocity, onset_s.shape),
        track=np.zeros(len(onset_s)),
        channel=np.full(len(onset_s), channel),
    )
    data = write_new_smf(None, notes, clock, metre or Metre(), ticks_per_beat=ticks_per_beat)
    return take_of_smf(read_smf(data), name)


def drum_pattern(bars, lines=(0.0, 0.25, 0.5, 0.75)):
    """Return (beat, pitch) of hats on the lines, kick on 1 and 3, snare on 2 and 4, in 4/4."""
    beat, pitch = [], []
    for quarter in range(4 * bars):
        for line in lines:
            beat.append(quarter + line)
            pitch.append(HAT)
        beat.append(float(quarter))
        pitch.append(SNARE if quarter % 2 else KICK)
    order = np.lexsort((pitch, beat))
    return np.array(beat)[order], np.array(pitch)[order]
