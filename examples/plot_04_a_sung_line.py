"""
A sung line: pitch, vibrato, breath
===================================

A recording holds more than times and levels. From one pass over the sound ``measure`` tells when each note begins, how
its pitch lies and moves, and where the singer breathes.
"""

# %%
# A take
# ------
# Use your own recording here. So that this page needs no download, a line is synthesised in which everything is known:
# ten notes with their mistuning, a vibrato on the long ones, and a breath before each phrase.
import matplotlib.pyplot as plt
import numpy as np

from takeprint.analysis import measure

rate = 44_100
rng = np.random.default_rng(3)
written = np.array([62, 64, 65, 67, 65, 64, 62, 60, 62, 62])
lengths = np.array([0.6, 0.4, 0.4, 1.4, 0.5, 0.4, 1.3, 0.5, 0.5, 1.6])
planted_cents = rng.normal(0, 8, len(written)).round()
begins_phrase = np.isin(np.arange(len(written)), (0, 4, 7))

y = 10 ** (-70 / 20) * rng.normal(0, 1, int(13 * rate))
at, planted_s, breaths_s = 0.3, [], []
for pitch, length, cents, is_first in zip(written, lengths, planted_cents, begins_phrase, strict=True):
    if is_first:  # noise through two resonances of a throat, swelling and fading
        n = int(0.45 * rate)
        spectrum = np.fft.rfft(rng.normal(0, 1, n))
        hz = np.fft.rfftfreq(n, 1 / rate)
        throat = 1 / (1 + ((hz - 1500) / 500) ** 2) + 0.5 / (1 + ((hz - 3500) / 900) ** 2)
        noise = np.fft.irfft(spectrum * throat, n) * np.sin(np.pi * np.linspace(0, 1, n)) ** 0.8
        first = int((at + 0.1) * rate)
        y[first : first + n] += 10 ** (-36 / 20) * noise / noise.std()
        breaths_s.append(at + 0.1)
        at += 0.7
    t = np.arange(int(length * rate)) / rate
    vibrato = 45 * np.clip((t - 0.25) / 0.2, 0, 1) * np.sin(2 * np.pi * 5.6 * t) if length > 1 else 0 * t
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12 + (cents + vibrato) / 1200)) / rate
    tone = sum(np.sin(k * phase) / k**1.3 for k in range(1, 14))
    shape = np.sin(np.pi / 2 * np.clip(t / 0.045, 0, 1)) * np.sin(np.pi / 2 * np.clip((length - t) / 0.07, 0, 1))
    first = int(at * rate)
    y[first : first + len(t)] += 0.12 * tone * shape
    planted_s.append(at)
    at += length + 0.02

# %%
# Measured
# --------
# An array and its rate are a take, as in librosa. There is no reference here, so pitch is held against equal
# temperament at the take's own tuning.
take = measure((y, rate), click="none")
notes = take.notes
tuning = take.summary["intonation"]
print(f"{len(notes)} notes of {len(written)}; tuned to A4 = {tuning['tuning_hz']:.1f} Hz")
for row in range(len(notes)):
    said = f"  {notes.onset_s[row]:6.3f} s  {notes.pitch[row]:3.0f}  {notes.intonation_cents[row]:+5.1f} cents"
    if np.isfinite(notes.vibrato_rate_hz[row]):
        said += f"  vibrato {notes.vibrato_rate_hz[row]:.2f} Hz ±{notes.vibrato_extent_cents[row]:.0f} cents"
    print(said)
for event in take.breath:
    print(f"  breath at {event['start_s']:.2f} s, {event['duration_s']:.2f} s long, {event['level_db']:.0f} dB")
print(f"planted: notes at {np.round(planted_s, 2).tolist()} s, breaths at {np.round(breaths_s, 2).tolist()} s")
print(f"planted cents: {planted_cents.astype(int).tolist()}")

# %%
# Drawn: the curve, each note's centre, and the breaths between the phrases.
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
curve = take.pitch_curve
axes.plot(curve.time_s, 69 + 12 * np.log2(curve.pitch_hz / tuning["tuning_hz"]), lw=0.9, label="pitch")
for row in range(len(notes)):
    centre = notes.pitch[row] + notes.intonation_cents[row] / 100
    axes.plot(notes.onset_s[row] + np.array([0, 0.3]), [centre, centre], color="#0072B2", lw=2.5)
for event in take.breath:
    axes.axvspan(event["start_s"], event["start_s"] + event["duration_s"], color="#009E73", alpha=0.3, lw=0)
axes.set(xlabel="time (s)", ylabel="pitch (MIDI number)", ylim=(58, 70), title="A sung line; breaths are green")
axes.legend(frameon=False)
