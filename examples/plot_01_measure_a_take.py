"""
Measure a take
==============

What did the player do? ``measure`` holds a take against a reference and tells, note by note, how late, how loud and
how long each note was. Late, louder and longer are positive, everywhere.
"""

# %%
# A take
# ------
# Use your own recording here: any MIDI or audio file. So that this page needs no download, a drum pattern that ships
# is played by one of the shipped profiles, and written to a file. What follows knows nothing of how it was made.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from takeprint.analysis import measure
from takeprint.app.tunes import drum_pattern
from takeprint.humanize import perform, render

folder = Path(tempfile.mkdtemp())
score, take = folder / "pattern.mid", folder / "take.mid"
score.write_bytes(drum_pattern().to_midi())
render(score, perform(score, "drums-rock", seed=4, keep_accents=False)).save(take)

# %%
# Against its click
# -----------------
# ``click="file"`` takes the tempo map of the MIDI file; for audio give the tempo, e.g. ``click=104``. The result is a
# table: a row per note.
played = measure(take, click="file")
notes = played.notes
print(f"{len(notes)} notes, constant lateness {played.latency_ms:+.1f} ms (kept apart from timing)")
for row in range(4):
    print(
        f"  beat {notes.reference_beat[row]:6.2f}  {notes.instrument[row]:<6} {notes.timing_ms[row]:+6.1f} ms"
        f"  velocity {notes.velocity[row]:.0f}"
    )

# %%
# The summary holds the figures that players differ by. ``lag1`` says how much a note's lateness tells about the next
# one's; ``dfa_exponent`` is 0.5 for random numbers without memory and near 1 for the drift that people have. Both come
# with bounds, since a short take says little.
timing = played.summary["timing"]
print(f"sd {timing['sd']:.1f} ms, lag-1 {timing['lag1']:.2f} [{timing['lag1_low']:.2f}, {timing['lag1_high']:.2f}]")
print(f"DFA exponent {timing['dfa_exponent']:.2f} [{timing['dfa_low']:.2f}, {timing['dfa_high']:.2f}]")

# %%
# Drawn: the slow wander is the drummer's, and each instrument has its own place around it.
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
for name in ("kick", "snare", "hat"):
    rows = notes.instrument == name
    axes.plot(notes.reference_beat[rows] / 4 + 1, notes.timing_ms[rows], "o", ms=4, alpha=0.7, label=name)
axes.axhline(0, color="grey", lw=0.8)
axes.set(xlabel="bar", ylabel="timing (ms), late is up", title="Against the click")
axes.legend(frameon=False, ncols=3)

# %%
# Against the score
# -----------------
# Held against the written music instead, the tempo curve is fitted first and ``timing`` is what remains: the wander
# moves from one trace to the other. Neither is wrong; they answer different questions.
against_score = measure(take, against=score)
print(f"matched {np.mean(against_score.notes.label == 'match'):.0%} of the notes")
print(
    f"timing sd {timing['sd']:.1f} ms against the click, {against_score.summary['timing']['sd']:.1f} ms after the tempo"
)

# %%
# Keep it
# -------
# The document is plain JSON, and every table also a CSV file.
played.save(folder / "take.json")
print(sorted(p.name for p in played.to_csv(folder / "csv")))
