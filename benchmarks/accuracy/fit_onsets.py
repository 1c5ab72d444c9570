"""Fit the networks that tell onsets and what they are of, and write them to `analysis/detection_weights.py`.

    python benchmarks/accuracy/fit_onsets.py [--scenes 240] [--seeds 2] [--hidden 20] [-o FILE]

Fitted on `onset_scenes` and fold 0 of the sets, without the piano set, whose performances may not ship. What is told
of is each single sound; that those of a flam or a strum are one event is the detector's own rule. Checked on fold 1.
Needs scikit-learn, which librosa brings along.
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

import numpy as np
import onset_scenes
import sets
from mixing import Sound

from takeprint.analysis.onset_evidence import CLASSES, candidates, evidence
from takeprint.analysis.onset_frames import Grid, heard

SETS = ("drums_solo", "drums_kit", "drums_kit_live", "guitar_line", "guitar_line_live", "guitar_strum",
        "guitar_strum_live", "bass", "bass_live", "mono")  # fmt: skip
# A candidate this near to a sound's beginning is its; between the two it counts neither way.
OWN_S, NEITHER_S = 0.015, 0.012
LATE_S = 0.002  # by which traces are late
EASY_KEPT, QUIET_WEIGHT, MOST_OF_A_CLASS, LEAST_OF_A_CLASS = 0.2, 8.0, 4000, 1500

HEAD = '''"""The fitted networks of `analysis.onset_evidence`: by benchmarks/accuracy/fit_onsets.py, not by hand.

Fitted on FluidR3 (MIT), Karoryfer guitars and basses (CC0), rhythms of Groove MIDI (CC BY), textures of POP909 (MIT)
and our own synthesis.
"""

from __future__ import annotations

import base64

import numpy as np

# The figures, in the order of the networks' inputs.
FIGURES = (
{figures}
)
# Each network's middles and spreads of the figures, then weight and bias of two layers: shape, little-endian float16.
_ARRAYS: dict[str, tuple[tuple[tuple[int, ...], str], ...]] = {{
{arrays}
}}


def networks() -> dict[str, list[np.ndarray]]:
    """Return the arrays of each network, float64."""
    return {{
        name: [
            np.frombuffer(base64.b85decode(text), dtype="<f2").astype(np.float64).reshape(shape)
            for shape, text in arrays
        ]
        for name, arrays in _ARRAYS.items()
    }}
'''


def rows(samples: np.ndarray, rate: float, truth: Sound | None) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Return the figures' names, and of every candidate the figures, 1 or 0 or -1 (neither), and its class or -1."""
    traces = heard(samples / np.abs(samples).max(), Grid.at(rate))
    at = candidates(traces)
    when = at * traces.grid.hop / rate - LATE_S
    named = evidence(traces, at)
    begins, what = np.zeros(len(at), dtype=int), np.full(len(at), -1)
    if truth is None:
        begins[when < 0.05] = -1  # a recording's beginning is no onset, nor none
    else:
        kinds = truth.kinds[truth.note_event]
        held = kinds == "sustained"
        for start in truth.maybe_s:
            begins[np.abs(when - start) < 0.05] = -1
        for start in truth.note_onset_s[held]:
            begins[(when > start - 0.06) & (when < start + 0.15)] = -1
        for start in truth.note_onset_s:
            begins[np.abs(when - start) < NEITHER_S] = -1
        for start in truth.note_onset_s[~held]:
            nearest = int(np.argmin(np.abs(when - start)))
            if abs(when[nearest] - start) < OWN_S:
                begins[nearest] = 1
        for row in np.flatnonzero((begins == 1) | held.any()):
            near = np.flatnonzero(np.abs(truth.note_onset_s - when[row]) < 0.02)
            if len(near):
                loudest = near[np.argmax(truth.note_level_db[near])]
                name = str(truth.note_name[loudest]) if kinds[loudest] == "percussive" else str(kinds[loudest])
                what[row] = CLASSES.index(name if name in CLASSES else "other")
    return list(named), np.stack(list(named.values()), axis=1), begins, what


def gathered(scenes: int, seeds: int) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return names, figures, targets and weights of all there is to fit on."""
    parts, weights, names = [], [], []
    for number in range(scenes):
        truth, samples, rate = onset_scenes.scene(number)
        names, *part = rows(samples, rate, truth)
        parts.append(part)
        weights.append(np.full(len(part[1]), 1.0 if truth else QUIET_WEIGHT))
        print(f"\rscene {number + 1} of {scenes}", end="", file=sys.stderr)
    for name in SETS:
        for seed in range(seeds):
            sound = sets.make(name, seed, 0)
            names, *part = rows(sound.samples, sound.rate, sound)
            parts.append(part)
            weights.append(np.ones(len(part[1])))
    figures, begins, what = (np.concatenate(column) for column in zip(*parts, strict=True))
    return names, figures, begins, what, np.concatenate(weights)


def fitted(figures: np.ndarray, target: np.ndarray, weight: np.ndarray | None, hidden: int):
    """Return a network of one hidden layer, fitted by likelihood."""
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier((hidden,), activation="tanh", alpha=0.3, batch_size=256, max_iter=60, random_state=1,
                            early_stopping=True)  # fmt: skip
    return network.fit(figures, target, sample_weight=weight)


def written(label: str, arrays: list[np.ndarray]) -> str:
    """Return a network's arrays as source."""
    lines = [f'    "{label}": (']
    for array in arrays:
        text = base64.b85encode(np.asarray(array, "<f2").tobytes()).decode()
        body = [f'            "{text[i : i + 100]}"' for i in range(0, len(text), 100)]
        lines += ["        (", f"            {array.shape},", *body[:-1], body[-1] + ",", "        ),"]
    return "\n".join([*lines, "    ),"])


def main() -> None:
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--scenes", type=int, default=240)
    said.add_argument("--seeds", type=int, default=2)
    said.add_argument("--hidden", type=int, default=20)
    said.add_argument(
        "-o", type=Path, default=Path(__file__).resolve().parents[2] / "analysis" / "detection_weights.py"
    )
    options = said.parse_args()
    names, figures, begins, what, weight = gathered(options.scenes, options.seeds)
    rng = np.random.default_rng(0)
    easy = (begins == 0) & (figures[:, names.index("flux")] < np.log(0.03))
    easy &= (figures[:, names.index("burst")] < 0.0) & (weight == 1)
    used = (begins >= 0) & (~easy | (rng.random(len(begins)) < EASY_KEPT))
    middle, spread = figures[used].mean(0), figures[used].std(0)
    scaled = np.clip((figures - middle) / spread, -4, 4)
    onset = fitted(scaled[used], begins[used], weight[used], options.hidden)
    chosen = []
    for number in range(len(CLASSES)):
        mine = np.flatnonzero(what == number)
        if not len(mine):
            raise SystemExit(f"no {CLASSES[number]} among the scenes: take more of them")
        size = min(MOST_OF_A_CLASS, max(len(mine), LEAST_OF_A_CLASS))
        chosen.append(rng.choice(mine, size, replace=len(mine) < size))
    kind = fitted(scaled[np.concatenate(chosen)], what[np.concatenate(chosen)], None, options.hidden)
    arrays = [written(label, [middle, spread, net.coefs_[0], net.intercepts_[0], net.coefs_[1], net.intercepts_[1]])
              for label, net in (("begins", onset), ("what", kind))]  # fmt: skip
    listed = "\n".join(f'    "{n}",' for n in names)
    options.o.write_text(HEAD.format(figures=listed, arrays="\n".join(arrays)))
    print(f"\n{int((begins == 1).sum())} sounds, {int((begins == 0).sum())} moments that are none: {options.o}")


if __name__ == "__main__":
    main()
