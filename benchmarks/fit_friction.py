"""Fit the model of `analysis.friction` on planted noises and print it as `analysis/friction_model.py` holds it.

Uses the tuning half of every set only (see `accuracy/friction_sets.py`): noises of `swagbass` and `fluidr3-noises`,
half of `emilyguitar`'s and synthetic ones, among FluidR3's guitars and basses, half of `emilyguitar`'s notes and
synthetic strings; drums, keys, winds, strings, singing and speech without any. Every take is heard dry and in a room
with noise, half of them tilted in their spectrum and at various rates.

    python benchmarks/fit_friction.py [--cache FILE] > tables.txt
"""

from __future__ import annotations

import argparse
import pickle
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "accuracy"))
import friction_sets as sets

from takeprint.analysis.friction import CONTEXT, FrictionListener
from takeprint.analysis.friction_frames import NAMES, Candidates
from takeprint.analysis.listening import Sound, listen

MATCH_S = 0.05
HIDDEN, DECAY, SEEDS = 10, 4.0, 3
KINDS = {
    "fingering": "squeak",
    "squeak": "squeak",
    "release": "release",
    "pickrest": "pick",
    "muted": "",
    "palm": "",
    "tap": "",
}


def sounds() -> Iterator[tuple[np.ndarray, sets.Planted]]:
    """Yield recordings with their truth."""
    rng = np.random.default_rng([0, 1])
    sources = ["emily", "strings", *sets.PLUCKED[0], "emily", "strings"]
    for s in range(32):
        planted = sets.take(s, 0, sources[s % len(sources)], 20.0)
        yield planted.y, planted
        wet = sets.live(planted.y, s, rng.uniform(0.2, 1.4), rng.uniform(22, 60), rng.random() < 0.5)
        yield wet, planted
    nothing = np.zeros(0)
    for name, y in sets.silent_music(0).items():
        yield y, sets.Planted(name, y, nothing, nothing, np.zeros(0, "U1"), nothing)


def varied(y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Tilt a recording's spectrum by up to 4 dB an octave and bring it to another rate."""
    from scipy.signal import resample_poly

    if rng.random() < 0.6:
        spectrum = np.fft.rfft(y)
        hertz = np.fft.rfftfreq(len(y), 1 / sets.RATE)
        tilt = rng.uniform(-4, 4) * np.log2(np.clip(hertz, 60, 12_000) / 1000)
        y = np.fft.irfft(spectrum * 10 ** (tilt / 20), len(y))
    rate, up, down = [(44_100, 1, 1), (48_000, 160, 147), (22_050, 1, 2), (16_000, 160, 441), (11_025, 1, 4)][
        rng.choice(5, p=[0.6, 0.15, 0.1, 0.1, 0.05])
    ]
    return (y, rate) if up == down else (resample_poly(y, up, down), rate)


def labelled(found: Candidates, planted: sets.Planted) -> tuple[np.ndarray, np.ndarray]:
    """Return 1 for a noise, 0 for none and -1 for what trails one, and the noise's class."""
    label = np.zeros(len(found.start_s), dtype=int)
    kind = np.full(len(label), "", dtype="U12")
    note = np.array([np.abs(planted.note_s - t).min(initial=9.0) < MATCH_S for t in found.start_s], dtype=bool)
    for start in planted.start_s:
        label[(found.start_s > start - MATCH_S) & (found.start_s < start + 0.3) & ~note] = -1
    for start, name in zip(planted.start_s, planted.kind, strict=True):
        distance = np.where(note, 9.0, np.abs(found.start_s - start))
        if len(distance) and distance.min() <= MATCH_S:
            label[np.argmin(distance)] = 1
            kind[np.argmin(distance)] = name
    return label, kind


def examples(source: Iterator[tuple[np.ndarray, sets.Planted]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the model looks at, labels and classes of all candidates."""
    rng = np.random.default_rng(2)
    looks, labels, classes = [], [], []
    for y, planted in source:
        heard, rate = varied(y, rng) if rng.random() < 0.5 else (y, sets.RATE)
        sound = Sound.of_samples(heard, rate)
        listener = FrictionListener(sound.rate, sound.peak)
        listen(sound, listener)
        found, look = listener.heard()
        label, kind = labelled(found, planted)
        looks.append(look)
        labels.append(label)
        classes.append(kind)
    return np.concatenate(looks), np.concatenate(labels), np.concatenate(classes)


def network(z: np.ndarray, target: np.ndarray, weight: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    """Fit one layer of tanh units under a logistic one: cross-entropy with weight decay, by L-BFGS."""
    from scipy.optimize import minimize

    d = z.shape[1]
    rng = np.random.default_rng(seed)
    start = np.concatenate([rng.normal(0, 0.5 / np.sqrt(d), d * HIDDEN), np.zeros(HIDDEN), np.zeros(HIDDEN + 1)])

    def parts(v: np.ndarray) -> tuple[np.ndarray, ...]:
        a, b = v[: d * HIDDEN].reshape(d, HIDDEN), v[d * HIDDEN : d * HIDDEN + HIDDEN]
        return a, b, v[-HIDDEN - 1 : -1], v[-1:]

    def loss(v: np.ndarray) -> tuple[float, np.ndarray]:
        a, b, c, e = parts(v)
        h = np.tanh(z @ a + b)
        logit = h @ c + e[0]
        value = (weight * (np.logaddexp(0, logit) - target * logit)).sum()
        value += 0.5 * DECAY * ((a**2).sum() + (c**2).sum())
        g = weight * (1 / (1 + np.exp(-logit)) - target)
        gh = np.outer(g, c) * (1 - h**2)
        return value, np.concatenate([(z.T @ gh + DECAY * a).ravel(), gh.sum(0), h.T @ g + DECAY * c, [g.sum()]])

    return parts(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 400}).x)


def softmax_fit(z: np.ndarray, target: np.ndarray, decay: float = 3.0) -> np.ndarray:
    """Fit a multinomial logistic model [shape=(features + 1, classes)], classes weighing alike."""
    from scipy.optimize import minimize

    ones = np.column_stack([z, np.ones(len(z))])
    weight = (len(z) / target.sum(0) / target.shape[1])[np.argmax(target, axis=1)]

    def loss(v: np.ndarray) -> tuple[float, np.ndarray]:
        w = v.reshape(ones.shape[1], -1)
        logits = ones @ w
        logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        g = ones.T @ (weight[:, None] * (np.exp(logs) - target)) + decay * w
        return float(-(weight[:, None] * target * logs).sum() + 0.5 * decay * (w**2).sum()), g.ravel()

    size = ones.shape[1] * target.shape[1]
    return minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B").x.reshape(ones.shape[1], -1)


def table(name: str, values: np.ndarray) -> str:
    """Return an array as Python source."""
    text = np.array2string(np.round(values, 2), separator=", ", threshold=10**6, max_line_width=112)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return f"{name} = np.array(\n    " + "\n    ".join(lines) + "\n)"


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path)
    cache = parser.parse_args().cache
    if cache and cache.is_file():
        looks, labels, classes = pickle.loads(cache.read_bytes())
    else:
        looks, labels, classes = examples(sounds())
        if cache:
            cache.write_bytes(pickle.dumps((looks, labels, classes)))
    known = labels >= 0
    centre, scale = looks[known].mean(0), looks[known].std(0) + 1e-6
    # The level itself says how the recording was made, not what this is.
    scale[NAMES.index("level_db")] = 1e9
    z = np.clip((looks - centre) / scale, -3, 3)
    fits = [network(z[known], labels[known].astype(float), np.ones(known.sum()), seed) for seed in range(SEEDS)]
    print("# fmt: off")
    print(textwrap.fill("Columns: " + ", ".join((*NAMES, *CONTEXT)), 116, initial_indent="# ", subsequent_indent="# "))
    print(f"# fitted on {known.sum()} candidates, {(labels == 1).sum()} of them noises", file=sys.stderr)
    print(table("CENTRE", centre))
    print(table("SCALE", scale))
    for name, values in zip(("INTO", "BIAS", "OUT", "LAST"), zip(*fits, strict=True), strict=True):
        print(table(name, np.stack(values)))
    names = ("squeak", "release", "pick", "")
    mine = labels == 1
    said = np.array([KINDS[k] for k in classes[mine]])
    print(table("KIND", softmax_fit(z[mine], np.stack([said == k for k in names], axis=1).astype(float))))


if __name__ == "__main__":
    main()
