"""
Real against synthetic
======================

Random numbers of the right size are not yet human. ``compare`` holds real takes against synthetic ones and says what
gives the synthetic side away, how surely, and with which figures.
"""

# %%
# The real side
# -------------
# The shipped drum profiles hold what real drummers did (Groove MIDI Dataset, Magenta, CC BY 4.0): each note's distance
# from the click. Your own takes, measured with ``measure``, serve as well.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from takeprint.analysis import measure
from takeprint.analysis.compare import compare
from takeprint.analysis.fluctuation import autocorrelation
from takeprint.app.demo import gaussian_of, real_takes
from takeprint.app.tunes import drum_pattern
from takeprint.humanize import perform, profiles, render

profile = profiles.load("drums-funk")
print(profile.card["attribution"])
real = real_takes(profile)
print(f"{len(real)} real takes, {sum(len(t.notes) for t in real)} notes")

# %%
# Two synthetic sides
# -------------------
# The same pattern six times: once with independent Gaussian numbers, the usual "humanize" button, and once as
# Takeprint's player invents it. Both have the same spread.
folder = Path(tempfile.mkdtemp())
score = folder / "pattern.mid"
score.write_bytes(drum_pattern().to_midi())
sides = {"gaussian": [], "takeprint": []}
for seed in range(6):
    planted = perform(score, profile, seed=seed, keep_accents=False)
    around = perform(score, profile, seed=seed)
    for name, deviations in (("gaussian", gaussian_of(around, seed)), ("takeprint", planted)):
        path = folder / f"{name}-{seed}.mid"
        render(score, deviations).save(path)
        sides[name].append(measure(path, click="file"))

# %%
# What gives them away
# --------------------
# A tell is a figure that differs more than chance deals; the sentence holds both sides' values. That nothing is found
# is no proof that nothing is there: the last lines say on how much data it stands.
found = {}
for name, side in sides.items():
    found[name] = compare(real, side, permutations=499, seed=1)
    print(f"\n{name}:")
    for sentence in found[name].sentences():
        print(f"  {sentence}")

# %%
# The plainest of all tells is memory: a drummer who is late stays late for a while.
figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
for name, take in (("real", real[0]), ("gaussian", sides["gaussian"][0]), ("takeprint", sides["takeprint"][0])):
    rows = take.notes.rows(np.argsort(take.notes.onset_s))
    # one value a moment: what sounds together is one decision
    _, first = np.unique(np.round(rows.reference_beat * 12), return_index=True)
    memory = autocorrelation(rows.timing_ms[np.sort(first)], max_lag=16)
    axes.plot(memory.lag, memory.value, "o-", ms=4, label=name)
axes.axhline(0, color="grey", lw=0.8)
axes.set(xlabel="lag (moments)", ylabel="autocorrelation of timing", title="Being late lasts")
axes.legend(frameon=False, ncols=3)
assert found["gaussian"].traces["timing"]["synthetic"]["lag1"] < found["gaussian"].traces["timing"]["real"]["lag1"]
