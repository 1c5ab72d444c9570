"""Fit the model of `analysis.friction` on planted noises and write its tables into `analysis/friction_model.py`.

Uses the tuning half of every set only (see `accuracy/friction_sets.py`): noises of `swagbass` and `fluidr3-noises`,
half of `emilyguitar`'s and synthetic ones, among FluidR3's guitars and basses, half of `emilyguitar`'s notes and
synthetic strings; drums, keys, winds, strings, singing and speech without any. Every take is heard dry and in a room
with noise, half of them tilted in their spectrum and at various rates. Every second take has noises that are faster or
slower and brighter or duller than they were recorded, every fifth is told the true onsets in place of those detected.
The same tables come out of every run on one machine.

    python benchmarks/fit_friction.py [--cache FILE]
"""

from __future__ import annotations

import argparse
import pickle
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "accuracy"))
import friction_sets as sets
from scoring import matched

from takeprint.analysis import friction_model
from takeprint.analysis.friction import CONTEXT, FrictionListener, _beside, gathered, looks_of
from takeprint.analysis.friction_frames import NAMES, Candidates
from takeprint.analysis.friction_model import believed, hinges, standard
from takeprint.analysis.listening import Sound, listen

MATCH_S = 0.05
TAKES = 96
HIDDEN, DECAY, ADDED_DECAY, SEEDS, STEPS = 10, 15.0, 3.0, 2, 250
KINDS = {
    "fingering": "squeak",
    "squeak": "squeak",
    "release": "release",
    "pickrest": "pick",
    "muted": "",
    "palm": "",
    "tap": "",
}


@dataclass(frozen=True, eq=False)
class Heard:
    """What is heard in a recording, and its truth: onsets of notes, starts and classes of noises."""

    found: Candidates
    onset_s: np.ndarray
    note_s: np.ndarray
    start_s: np.ndarray
    kind: np.ndarray


def sounds() -> Iterator[tuple[np.ndarray, sets.Planted]]:
    """Yield recordings with their truth."""
    rng = np.random.default_rng([0, 1])
    sources = ["emily", "strings", *sets.PLUCKED[0]]
    for s in range(TAKES):
        planted = sets.take(s, 0, sources[s % len(sources)], 20.0, varied=s % 2 == 1)
        yield planted.y, planted
        wet = sets.live(planted.y, s, rng.uniform(0.2, 1.4), rng.uniform(22, 60), rng.random() < 0.5)
        yield wet, planted
    nothing = np.zeros(0)
    for s in range(2):
        music = {f"drums {i}": sets.drums(40 + 10 * s + i, kit, 20.0) for i, kit in enumerate(sets.KITS[0])}
        music |= {name: sets.keys(s, program, 20.0) for name, program in sets.OTHERS[0].items()}
        music |= {name: sets.read(sets.data() / name)[: 40 * sets.RATE] for name in sets.VOICES[0]}
        for name, y in music.items():
            planted = sets.Planted(name, y, nothing, nothing, np.zeros(0, "U1"), nothing)
            yield y if s == 0 else sets.live(y, s, rng.uniform(0.2, 1.4), rng.uniform(22, 60), False), planted


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


def labelled(found: Candidates, planted: Heard) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 1 for a noise's start and 0 for none, the weight of each in the fit, and the noise's class.

    What else rises beside a start weighs nothing, what trails one counts half as no start.
    """
    label, weight = np.zeros(len(found.start_s)), np.ones(len(found.start_s))
    kind = np.full(len(label), "", dtype="U12")
    note = np.array([np.abs(planted.note_s - t).min(initial=9.0) < MATCH_S for t in found.start_s], dtype=bool)
    for start in planted.start_s:
        weight[(found.start_s >= start + MATCH_S) & (found.start_s < start + 0.3) & ~note] = 0.5
    for start in planted.start_s:
        weight[(np.abs(found.start_s - start) < MATCH_S) & ~note] = 0.0
    for start, name in zip(planted.start_s, planted.kind, strict=True):
        distance = np.where(note, 9.0, np.abs(found.start_s - start))
        if len(distance) and distance.min() <= MATCH_S:
            i = np.argmin(distance)
            label[i], weight[i], kind[i] = 1.0, 1.0, name
    return label, weight, kind


def heard(source: Iterator[tuple[np.ndarray, sets.Planted]]) -> Iterator[Heard]:
    """Yield the candidates and onsets of every recording."""
    from takeprint.analysis.onsets import OnsetDetector

    rng = np.random.default_rng(2)
    for y, planted in source:
        played, rate = varied(y, rng) if rng.random() < 0.5 else (y, sets.RATE)
        sound = Sound.of_samples(played, rate)
        listener, detector = FrictionListener(sound.rate, sound.peak), OnsetDetector(sound.rate, sound.peak)
        listen(sound, listener, detector)
        yield Heard(listener.found(), detector.result().onset_s, planted.note_s, planted.start_s, planted.kind)


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
        a, b, c, e = (p.astype(np.float32) for p in parts(v))
        h = np.tanh(z @ a + b)
        logit = (h @ c).astype(np.float64) + e[0]
        value = (weight * (np.logaddexp(0, logit) - target * logit)).sum()
        value += 0.5 * DECAY * ((v[: d * HIDDEN] ** 2).sum() + (v[-HIDDEN - 1 : -1] ** 2).sum())
        g = (weight * (1 / (1 + np.exp(-logit)) - target)).astype(np.float32)
        gh = np.outer(g, c) * (1 - h**2)
        grad = [(z.T @ gh + DECAY * a).ravel(), gh.sum(0), h.T @ g + DECAY * c, [g.sum()]]
        return value, np.concatenate(grad).astype(np.float64)

    return parts(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x)


def additive(z: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fit a logistic model of hinges [shape=(features * (1 + knots) + 1,)]."""
    from scipy.optimize import minimize

    bank = hinges(z).astype(np.float32)

    def loss(v: np.ndarray) -> tuple[float, np.ndarray]:
        logit = (bank @ v[:-1].astype(np.float32)).astype(np.float64) + v[-1]
        value = (weight * (np.logaddexp(0, logit) - target * logit)).sum() + 0.5 * ADDED_DECAY * (v[:-1] ** 2).sum()
        g = weight * (1 / (1 + np.exp(-logit)) - target)
        return value, np.append(bank.T @ g.astype(np.float32) + ADDED_DECAY * v[:-1], g.sum())

    options = {"maxiter": STEPS}
    return minimize(loss, np.zeros(bank.shape[1] + 1), jac=True, method="L-BFGS-B", options=options).x


@dataclass(frozen=True, eq=False)
class Example:
    """A recording's candidates with what the model looks at and what is true of them."""

    found: Candidates
    onset_s: np.ndarray
    truth_s: np.ndarray
    looks: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    kind: np.ndarray


def examples(recordings: list[Heard]) -> list[Example]:
    """Return every recording labelled; every fifth take is told the true onsets."""
    rng = np.random.default_rng(0)
    out = []
    for h in recordings:
        told = len(h.note_s) > 0 and rng.random() < 0.2
        onset_s = h.note_s if told else h.onset_s
        out.append(Example(h.found, onset_s, h.start_s, looks_of(h.found, onset_s), *labelled(h.found, h)))
    return out


def fitted(rows: list[Example]) -> dict[str, np.ndarray]:
    """Return the tables of belief by name, rounded as they are written."""
    looks = np.concatenate([r.looks for r in rows])
    target, weight = np.concatenate([r.label for r in rows]), np.concatenate([r.weight for r in rows])
    mine = weight > 0
    centre, scale = (np.asarray(v, np.float64) for v in (looks[mine].mean(0), looks[mine].std(0) + 1e-6))
    # The level itself says how the recording was made, not what this is.
    scale[NAMES.index("level_db")] = 1e9
    centre, scale = np.round(centre, 3), np.maximum(np.round(scale, 3), 0.001)
    z = standard(looks, centre, scale).astype(np.float32)
    nets = [network(z[mine], target[mine], weight[mine], seed) for seed in range(SEEDS)]
    tables = dict(zip(("INTO", "BIAS", "OUT", "LAST"), map(np.stack, zip(*nets, strict=True)), strict=True))
    tables |= {"ADDED": additive(z[mine], target[mine], weight[mine])}
    return {"CENTRE": centre, "SCALE": scale} | {k: np.round(v, 3) for k, v in tables.items()}


def kinds_fitted(rows: list[Example], tables: dict[str, np.ndarray]) -> np.ndarray:
    """Return the table of kinds."""
    looks, kind = np.concatenate([r.looks for r in rows]), np.concatenate([r.kind for r in rows])
    z = standard(looks, tables["CENTRE"], tables["SCALE"])[kind != ""]
    said = np.array([KINDS[k] for k in kind[kind != ""]])
    names = friction_model.KINDS
    return np.round(softmax_fit(z, np.stack([said == k for k in names], axis=1).astype(float)), 3)


def trust(rows: list[Example]) -> np.ndarray:
    """Return the line from an event's log odds to those of its truth, among takes left out of the fit; print F."""
    from scipy.optimize import minimize

    odds, true, planted = [], [], 0
    for fold in range(2):
        use(fitted([r for i, r in enumerate(rows) if (i // 2) % 2 != fold]))
        for r in (r for i, r in enumerate(rows) if (i // 2) % 2 == fold and len(r.truth_s)):
            belief = believed(r.looks)
            belief = np.where(_beside(r.found.start_s, belief, r.onset_s)[1], 0.0, belief)
            events = gathered(r.found.start_s, belief)
            hits = {j for _, j in matched(r.truth_s, np.array([t for t, _ in events]), MATCH_S)}
            values = np.clip([v for _, v in events], 1e-4, 1 - 1e-4)
            odds.extend(np.log(values / (1 - values)))
            true.extend(j in hits for j in range(len(events)))
            planted += len(r.truth_s)
    x, y = np.array(odds), np.array(true, dtype=float)
    print(f"takes left out: F {2 * y.sum() / (planted + len(y)):.3f}, precision {y.mean():.2f}", file=sys.stderr)
    loss = lambda v: (np.logaddexp(0, v[0] * x + v[1]) - y * (v[0] * x + v[1])).sum()  # noqa: E731
    return np.round(minimize(loss, np.array([1.0, 0.0])).x, 3)


def use(tables: dict[str, np.ndarray]) -> None:
    """Let `friction_model` hold these tables."""
    for name, values in tables.items():
        setattr(friction_model, name, values)


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
    text = np.array2string(values, separator=", ", threshold=10**6, max_line_width=112, floatmode="unique")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return f"{name} = np.array(\n    " + "\n    ".join(lines) + "\n)"


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path)
    cache = parser.parse_args().cache
    if cache and cache.is_file():
        recordings = pickle.loads(cache.read_bytes())
    else:
        recordings = list(heard(sounds()))
        if cache:
            cache.write_bytes(pickle.dumps(recordings))
    rows = examples(recordings)
    line = trust(rows)
    tables = fitted(rows)
    tables |= {"KIND": kinds_fitted(rows, tables), "TRUST": line}
    count, noises = sum(len(r.label) for r in rows), int(sum(r.label.sum() for r in rows))
    path = Path(friction_model.__file__)
    code = path.read_text(encoding="utf-8").split("# fmt: off")[0]
    about = textwrap.fill(
        f"Fitted on {count} candidates, {noises} of them noises. Columns: " + ", ".join((*NAMES, *CONTEXT)),
        116, initial_indent="# ", subsequent_indent="# ",
    )  # fmt: skip
    text = "\n".join([code + "# fmt: off", about, *(table(k, v) for k, v in tables.items()), ""])
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
