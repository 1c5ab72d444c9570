"""
Humanize, and measure it back
=============================

Takeprint's one law: what is planted is what is measured. A ``Deviations`` table is the same type whether it was
measured or invented, so it can be invented, laid into a score, measured in the file that comes out, and compared.
"""

# %%
# Invent
# ------
# ``perform`` invents what a player could have done with this score. Nothing is written yet.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from takeprint.analysis import measure
from takeprint.app.sketch_synth import synthesize
from takeprint.app.tunes import minuet
from takeprint.core.take import load_take
from takeprint.humanize import perform, render
from takeprint.humanize.render_audio import render_audio

folder = Path(tempfile.mkdtemp())
score = folder / "minuet.mid"
score.write_bytes(minuet().to_midi())
planted = perform(score, "piano-plain", seed=11)
print(
    f"{len(planted.notes)} notes, tempo {planted.tempo.tempo_bpm.min():.1f} to {planted.tempo.tempo_bpm.max():.1f} bpm"
)

# %%
# Lay it in
# ---------
# ``render`` edits the file's own bytes: only what has to move moves. It also returns what it really applied, after the
# rounding to MIDI ticks and the limits (no note before the beginning, none past its neighbour).
rendered = render(score, planted)
rendered.save(folder / "played.mid")

# %%
# Measure it back
# ---------------
# The measuring side sees two files and nothing else.
found = measure(folder / "played.mid", against=score)


def lateness_ms(deviations):
    """Return how late each note is against the written clock, in the order of the score."""
    rows = deviations.notes.rows(np.argsort(deviations.notes.reference_index, kind="stable"))
    return 1000 * (rows.onset_s - rows.reference_onset_s)


error = lateness_ms(found) - lateness_ms(rendered.applied)
print(f"spread planted {np.std(lateness_ms(planted)):.2f} ms, found {np.std(lateness_ms(found)):.2f} ms")
print(f"largest error of the measurement {np.abs(error).max():.6f} ms")
assert np.abs(error).max() < 0.001

# %%
# Both on top of each other, with the tempo curve below them.
figure, (upper, lower) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
order = np.argsort(found.notes.reference_index, kind="stable")
bar = found.notes.reference_beat[order] / 3 + 1
upper.plot(bar, lateness_ms(planted), "o", ms=7, mfc="none", label="planted")
upper.plot(bar, lateness_ms(found), ".", ms=4, label="measured back")
upper.set(ylabel="lateness against the\nwritten clock (ms)")
upper.legend(frameon=False, ncols=2)
lower.plot(planted.tempo.beat / 3 + 1, planted.tempo.tempo_bpm, drawstyle="steps-post", label="planted")
lower.plot(found.tempo.beat / 3 + 1, found.tempo.tempo_bpm, drawstyle="steps-post", label="fitted to the notes")
lower.set(xlabel="bar", ylabel="tempo (bpm)")
lower.legend(frameon=False, ncols=2)

# %%
# How much of it
# --------------
# Amounts scale each trace; 0 is the score itself, byte for byte, and a negative amount turns late into early.
for amount in (0.0, 0.5, 1.0):
    made = render(score, planted.scaled(amount))
    same = " (the input's own bytes)" if made.data == score.read_bytes() else ""
    print(f"amount {amount}: spread {np.std(lateness_ms(made.applied)):.1f} ms{same}")
assert render(score, planted.scaled(0.0)).data == score.read_bytes()

# %%
# Audio, too
# ----------
# ``render_audio`` moves the attacks of a recording to their exact sample and stretches only what lies between them.
sound = synthesize(load_take(score).notes)
moved = render_audio((sound.T, 44100), planted.scaled(tempo=0.0, dynamics=0.0))
report = moved.report
print(f"{report['moved']} of {report['attacks']} attacks moved, up to {report['largest_shift_ms']:.0f} ms")
