"""Train the learned kit player's network.

    python benchmarks/train_player.py OUT.npz [--setting all|same|unseen] [--rotation R] [--epochs N] [--seed S]

`benchmarks/train_judge.py OUT.npz` then adds the judge by which the player chooses. Needs torch
(`pip install "takeprint[train]"`) and the shared Groove MIDI Dataset. ``all`` is what ships: every take of
the folder, fills too. ``same`` and ``unseen`` learn from part G of the realism benchmark's split alone. A tenth of the
takes is left out of the training to choose the epoch by; takes of the same name stem are not kept together there.

The network draws each hit's velocity, then its timing, given what is written around it, what was played before it
(`core.kernels.kit_player`) and the take's habits (`analysis.kit_context.habits`), which in training come from a random
part of the same take. What was played before it is now and then bent the way the network's own playing strays, so that
it learns to come back (after Ross, Gordon and Bagnell 2011, AISTATS, who train on the states a learner's own acts lead
to).
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from realism import sets, splits
from torch import nn
from torch.nn import functional

from takeprint.analysis import measure
from takeprint.analysis.kit_context import (
    GROUP,
    HABITS_A_CLASS,
    N_ASKED,
    N_CLASSES,
    N_HABITS,
    TIMING_UNIT_MS,
    VELOCITY_MIDDLE,
    VELOCITY_UNIT,
    asked,
    class_habits,
    context,
    habits,
    links,
    places,
    played,
)  # fmt: skip
from takeprint.analysis.observe import is_drum
from takeprint.core.kernels.kit_player import N_HISTORY, kit_history, kit_player
from takeprint.core.metrical import slot_means

FARTHEST_MS = 150.0
LEAST_HITS = 8
CHUNK, BATCH = 112, 16
BLENDS, PARTS = 8, 6
NARROWEST, WIDEST = -3.5, 1.5
WIDEST_TIMING = 2.0
OF_CLASS = N_CLASSES * HABITS_A_CLASS
# What goes straight to the mixtures: habits of the class, what is asked, what was heard.
STRAIGHT = HABITS_A_CLASS + N_ASKED + N_HISTORY
# How often accents to keep are asked for; how often these are as loose as played, or in coarse steps.
KEPT, AS_PLAYED, COARSE = 0.4, 0.2, 0.3
# How much is drawn nearer than the network believes: shares of the mixtures' parts, classes, widths. Chosen on
# setting "same", rotation 0.
COOLER = {"parts": 0.7, "classes": 0.8, "width": 0.85, "timing_parts": 0.8, "timing_width": 0.97}


class Player(nn.Module):
    """The network as it is trained; ``weights`` gives it to ``kit_player``."""

    def __init__(self, n_context: int, hidden: int, style: int = 20, wide: int = 128) -> None:
        super().__init__()
        self.habits = nn.Linear(N_HABITS, style)
        self.input = nn.Linear(n_context + STRAIGHT + style, wide)
        self.memory = nn.GRU(wide, hidden, batch_first=True)
        self.trunk = nn.Linear(hidden + wide, wide)
        self.velocity = nn.Linear(wide, 128 + 3 * BLENDS)
        self.skip = nn.Linear(STRAIGHT, 1 + 3 * BLENDS)
        self.timing = nn.Linear(wide + 2, 64)
        self.mixture = nn.Linear(64, 3 * PARTS)
        self.near = nn.Linear(STRAIGHT, 2 * PARTS)
        for layer in (self.skip, self.near):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.some, self.more = nn.Dropout(0.05), nn.Dropout(0.1)

    def forward(self, written: Any, want: Any, heard: Any, habit: Any, velocity: Any) -> tuple[Any, Any]:
        """Return the parameters of velocity and timing, [batch, hits, …]."""
        own = torch.bmm(written[..., :N_CLASSES], habit[:, :OF_CLASS].view(-1, N_CLASSES, HABITS_A_CLASS))
        straight = torch.cat([own, want, heard], -1)
        style = torch.relu(self.habits(habit)).unsqueeze(1).expand(-1, written.shape[1], -1)
        a = torch.relu(self.input(torch.cat([written, straight, style], -1)))
        h, _ = self.memory(self.some(a))
        c = self.some(torch.relu(self.trunk(torch.cat([self.more(h), a], -1))))
        v = self.velocity(c)
        v = torch.cat([v[..., :127], v[..., 127:] + self.skip(straight)], -1)
        loud = torch.stack([(velocity - VELOCITY_MIDDLE) / VELOCITY_UNIT, (velocity > 126.5).float()], -1)
        t = self.mixture(torch.relu(self.timing(torch.cat([c, loud], -1))))
        return v, torch.cat([t[..., :PARTS], t[..., PARTS:] + self.near(straight)], -1)

    def weights(self) -> tuple[np.ndarray, ...]:
        """Return the arrays of ``kit_player``, in its order."""
        m = self.memory
        layers: list[tuple[Any, Any]] = [(x.weight, x.bias) for x in (self.habits, self.input)]
        layers += [(m.weight_ih_l0, m.bias_ih_l0), (m.weight_hh_l0, m.bias_hh_l0)]
        layers += [
            (x.weight, x.bias) for x in (self.trunk, self.velocity, self.skip, self.timing, self.mixture, self.near)
        ]
        out: list[np.ndarray] = []
        for weight, bias in layers:
            out += [weight.detach().numpy().T, bias.detach().numpy()]
        return tuple(np.ascontiguousarray(a, dtype=np.float32) for a in out)


def velocity_loss(told: Any, velocity: Any) -> Any:
    """Return the negative log likelihood of each velocity: classes, or one of the blends with open ends."""
    place = (velocity.long() - 1).clamp(0, 126).unsqueeze(-1)
    classes = torch.log_softmax(told[..., :127], -1).gather(-1, place).squeeze(-1)
    share = torch.log_softmax(told[..., 127 : 128 + BLENDS], -1)
    centre = told[..., 128 + BLENDS : 128 + 2 * BLENDS]
    width = told[..., 128 + 2 * BLENDS :].clamp(NARROWEST, WIDEST)
    x, narrow, half = (
        ((velocity - VELOCITY_MIDDLE) / VELOCITY_UNIT).unsqueeze(-1),
        torch.exp(-width),
        0.5 / VELOCITY_UNIT,
    )
    full, least = (velocity > 126.5).unsqueeze(-1), (velocity < 1.5).unsqueeze(-1)
    high = torch.where(full, torch.full_like(centre, 40.0), (x + half - centre) * narrow)
    low = torch.where(least, torch.full_like(centre, -40.0), (x - half - centre) * narrow)
    chance = torch.sigmoid(high) - torch.sigmoid(low)
    z = (x - centre) * narrow
    # Far out the difference of two sigmoids is all rounding: the density stands for it there.
    density = -z - width - 2.0 * functional.softplus(-z) - math.log(VELOCITY_UNIT)
    blends = torch.where(chance > 1e-5, torch.log(chance.clamp_min(1e-5)), density)
    return -torch.logsumexp(torch.cat([(share[..., 0] + classes).unsqueeze(-1), share[..., 1:] + blends], -1), -1)


def timing_loss(told: Any, timing: Any) -> Any:
    """Return the negative log likelihood of each timing under a mixture of logistics."""
    share = torch.log_softmax(told[..., :PARTS], -1)
    width = told[..., 2 * PARTS :].clamp(NARROWEST, WIDEST_TIMING)
    z = (timing.unsqueeze(-1) - told[..., PARTS : 2 * PARTS]) * torch.exp(-width)
    return -torch.logsumexp(share - z - width - 2.0 * functional.softplus(-z), -1)


# ---------------------------------------------------------------- takes


class Lesson:
    """One take as the network sees it, and as it is bent for an epoch."""

    def __init__(self, deviations: Any) -> None:
        hits, timing_ms, velocity = played(deviations, is_drum(deviations))
        self.hits = hits
        self.timing = np.clip(timing_ms, -FARTHEST_MS, FARTHEST_MS) / TIMING_UNIT_MS
        self.velocity = np.rint(velocity)
        self.strayed: tuple[np.ndarray, np.ndarray] | None = None
        if len(hits) < LEAST_HITS:
            return
        self.written = context(hits, deviations.reference_timeline.tempo_bpm_at(hits.beat))
        self.link, self.place = links(hits), places(hits)
        self.nothing = asked(hits, None)
        heard, habit = self.heard(self.timing, self.velocity), self.habit(0, len(hits), self.timing)
        usual = asked(hits, np.rint(self.usual(1.0)))
        self.plain = {False: (self.nothing, heard, habit), True: (usual, heard, habit)}

    def __len__(self) -> int:
        return len(self.hits)

    def heard(self, timing: np.ndarray, velocity: np.ndarray) -> np.ndarray:
        """Return what each hit hears of the hits before it."""
        loud = ((velocity - VELOCITY_MIDDLE) / VELOCITY_UNIT).astype(np.float32)
        h = self.hits
        return kit_history(h.slot, h.kind, GROUP, self.link, self.place, timing.astype(np.float32), loud)

    def habit(self, start: int, end: int, timing: np.ndarray) -> np.ndarray:
        """Return the habits of a part of the take."""
        return habits(self.hits.part(start, end), timing[start:end] * TIMING_UNIT_MS, self.velocity[start:end])

    def usual(self, weight: float) -> np.ndarray:
        """Return the accents as somebody would program them: each place's mean."""
        return slot_means(self.velocity, self.hits.kind, self.place, weight)

    def accents(self, rng: np.random.Generator) -> np.ndarray:
        """Draw accents that this take may be said to keep."""
        if rng.uniform() < AS_PLAYED:
            out = self.velocity + rng.normal(0.0, rng.uniform(4.0, 12.0), len(self))
        else:
            out = self.usual(float(rng.uniform(0.3, 3.0)))
        if rng.uniform() < COARSE:
            step = rng.uniform(4.0, 20.0)
            out = step * np.rint(out / step)
        return np.clip(np.rint(out), 1.0, 127.0)

    def bend(self, rng: np.random.Generator) -> None:
        """Draw this epoch's variant: timing a little wider and shifted by class, the past as the network strays."""
        n, kind = len(self), self.hits.kind
        count = np.maximum(np.bincount(kind, minlength=N_CLASSES), 1)
        usual = np.bincount(kind, self.timing, N_CLASSES) / count
        wider = np.exp(rng.normal(0.0, 0.1))
        timing = usual[kind] + wider * (self.timing - usual[kind]) + rng.normal(0.0, 0.15, N_CLASSES)[kind]
        start, end = 0, n
        if n >= 100:
            length = max(80, int(n * rng.uniform(0.5, 1.0)))
            start = int(rng.integers(0, n - length + 1))
            end = start + length
        kept = rng.uniform() < KEPT
        want = asked(self.hits, self.accents(rng)) if kept else self.nothing
        habit = self.habit(start, end, timing)
        past, loud = timing, self.velocity
        if rng.uniform() < 0.35:
            share = rng.uniform(0.0, 0.7)
            if self.strayed is not None and not kept:
                past, loud = past + share * self.strayed[0], loud + share * self.strayed[1]
            past = past + rng.normal(0.0, 0.06, N_CLASSES)[kind]
            off = rng.normal(0.0, 0.06, N_CLASSES) + rng.normal(0.0, 0.03)
            loud = np.clip(loud + VELOCITY_UNIT * off[kind], 1.0, 127.0)
        self.bent = (timing.astype(np.float32), want, self.heard(past, loud), habit)

    def stray(self, weights: tuple[np.ndarray, ...], rng: np.random.Generator) -> None:
        """Let the network play the take and keep how far, and which way, it strays."""
        habit = self.plain[False][2]
        written = np.concatenate([self.written, class_habits(habit)[self.hits.kind], self.nothing], axis=1)
        noise = rng.uniform(1e-9, 1.0 - 1e-9, (len(self), 4))
        h, nothing = self.hits, np.zeros((0, 2), dtype=np.float32)
        scale = (np.float32(VELOCITY_MIDDLE), np.float32(VELOCITY_UNIT))
        timing, velocity = kit_player(
            np.ascontiguousarray(written), habit, h.slot, h.kind, GROUP, self.link, self.place, nothing, noise, *scale,
            weights,
        )  # fmt: skip
        off = (np.clip(_lately(timing - self.timing, h.kind), -1.5, 1.5), _lately(velocity - self.velocity, h.kind))
        self.strayed = off


def _lately(difference: np.ndarray, kind: np.ndarray, hits: int = 24) -> np.ndarray:
    """Return the mean of each class's last differences."""
    out = np.zeros(len(difference))
    for c in np.unique(kind):
        rows = np.flatnonzero(kind == c)
        total = np.concatenate([[0.0], np.cumsum(difference[rows])])
        at = np.arange(len(rows))
        first = np.maximum(at - hits, 0)
        out[rows] = (total[at + 1] - total[first]) / (at + 1 - first)
    return out


def batches(lessons: list[Lesson], rng: np.random.Generator, *, kept: bool | None = None, chunk: int = CHUNK) -> Any:
    """Yield (written, asked, heard, habits, velocity, timing, mask) of chunks of about equal length.

    ``kept``: the takes as they are, with accents to keep or without; None: this epoch's variants.
    """
    pieces = []
    for i, lesson in enumerate(lessons):
        n = len(lesson)
        shift = int(rng.integers(0, chunk)) if n > chunk else 0
        for start in range(-shift, n, chunk):
            a, b = max(start, 0), min(start + chunk, n)
            if b - a >= LEAST_HITS:
                pieces.append((i, a, b))
    rng.shuffle(pieces)
    pieces.sort(key=lambda piece: (piece[2] - piece[1]) // 40 + rng.uniform())
    groups = [pieces[k : k + BATCH] for k in range(0, len(pieces), BATCH)]
    rng.shuffle(groups)
    for group in groups:
        longest = max(b - a for _, a, b in group)
        shape = (len(group), longest)
        written = np.zeros((*shape, lessons[0].written.shape[1]), np.float32)
        want, heard = np.zeros((*shape, N_ASKED), np.float32), np.zeros((*shape, N_HISTORY), np.float32)
        habit = np.zeros((len(group), N_HABITS), np.float32)
        velocity, timing = np.full(shape, VELOCITY_MIDDLE, np.float32), np.zeros(shape, np.float32)
        mask = np.zeros(shape, np.float32)
        for k, (i, a, b) in enumerate(group):
            lesson, n = lessons[i], b - a
            played_as = lesson.bent if kept is None else (lesson.timing, *lesson.plain[kept])
            written[k, :n], velocity[k, :n], mask[k, :n] = lesson.written[a:b], lesson.velocity[a:b], 1.0
            timing[k, :n], want[k, :n], heard[k, :n] = (x[a:b] for x in played_as[:3])
            habit[k] = played_as[3]
        yield tuple(torch.from_numpy(x) for x in (written, want, heard, habit, velocity, timing, mask))


def losses(player: Player, batch: Any) -> tuple[Any, Any, Any]:
    """Return (sum of the velocities' losses, of the timings', number of hits)."""
    written, want, heard, habit, velocity, timing, mask = batch
    v, t = player(written, want, heard, habit, velocity)
    return (velocity_loss(v, velocity) * mask).sum(), (timing_loss(t, timing) * mask).sum(), mask.sum()


def train(lessons: list[Lesson], judged: list[Lesson], epochs: int, hidden: int, seed: int) -> Player:
    """Return the network of the epoch that foretells the takes left out best."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    player = Player(lessons[0].written.shape[1], hidden)
    fast, began = 2.5e-3, time.perf_counter()
    descent = torch.optim.AdamW(player.parameters(), lr=fast, weight_decay=1e-3)
    best: tuple[float, dict[str, Any]] = (math.inf, {})
    for epoch in range(epochs):
        rate = 2e-5 + (0.3 if epoch == 0 else 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))) * fast
        for group in descent.param_groups:
            group["lr"] = rate
        if epoch >= 6 and epoch % 4 == 2:
            player.eval()
            for lesson in lessons:
                lesson.stray(player.weights(), rng)
        for lesson in lessons:
            lesson.bend(rng)
        player.train()
        told = np.zeros(3)
        for batch in batches(lessons, rng):
            batch[3].copy_(_forgetful(batch[3]))
            loss_v, loss_t, n = losses(player, batch)
            descent.zero_grad()
            ((loss_v + loss_t) / n).backward()
            nn.utils.clip_grad_norm_(player.parameters(), 1.0)
            descent.step()
            told += [loss_v.item(), loss_t.item(), n.item()]
        if epoch % 3 == 2 or epoch == epochs - 1:
            own, keeping = _judged(player, judged, False), _judged(player, judged, True)
            if own.sum() + keeping.sum() < best[0]:
                best = (own.sum() + keeping.sum(), {k: x.clone() for k, x in player.state_dict().items()})
            said = f"epoch {epoch + 1}: velocity {told[0] / told[2]:.3f}, timing {told[1] / told[2]:.3f} nats a hit"
            said += f"; left out {own[0]:.3f}, {own[1]:.3f}, with accents to keep {keeping[0]:.3f}, {keeping[1]:.3f}"
            print(f"{said}; {time.perf_counter() - began:.0f} s", flush=True)
    player.load_state_dict(best[1])
    return player


def _forgetful(habit: Any) -> Any:
    """Drop the habits of a class now and then, and blur the rest: at times they are of another take."""
    keep = (torch.rand(habit.shape[0], N_CLASSES, 1) > 0.08).float()
    by_class = (habit[:, :OF_CLASS].view(-1, N_CLASSES, HABITS_A_CLASS) * keep).view(-1, OF_CLASS)
    out = torch.cat([by_class, habit[:, OF_CLASS:]], 1)
    return out + 0.05 * torch.randn_like(out) * (out != 0)


def _judged(player: Player, judged: list[Lesson], kept: bool) -> np.ndarray:
    player.eval()
    told = np.zeros(3)
    with torch.no_grad():
        for batch in batches(judged, np.random.default_rng(5), kept=kept, chunk=400):
            told += [x.item() for x in losses(player, batch)]
    return told[:2] / told[2]


def cooled(weights: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """Return the weights with ``COOLER`` worked in, named, in half precision."""
    names = ("habits", "input", "memory_in", "memory_back", "trunk", "velocity", "skip", "timing", "mixture", "near")
    named = {f"{n}_{k}": weights[2 * i + j].copy() for i, n in enumerate(names) for j, k in enumerate("wb")}
    for k in "wb":
        named[f"velocity_{k}"][..., :127] /= COOLER["classes"]
        named[f"velocity_{k}"][..., 127 : 128 + BLENDS] /= COOLER["parts"]
        named[f"skip_{k}"][..., : 1 + BLENDS] /= COOLER["parts"]
        named[f"mixture_{k}"][..., :PARTS] /= COOLER["timing_parts"]
    named["velocity_b"][128 + 2 * BLENDS :] += math.log(COOLER["width"])
    named["mixture_b"][2 * PARTS :] += math.log(COOLER["timing_width"])
    return {name: value.astype(np.float16) for name, value in named.items()}


def takes_of(setting: str, rotation: int) -> list[Any]:
    """Return the measured takes to learn from."""
    folder = sets.data_folder() / "groove"
    if setting != "all":
        return [item.deviations for item in splits.SPLITS[setting](sets.groove_takes(folder), rotation)[0]]
    with (folder / "info.csv").open(newline="") as file:
        return [measure(folder / row["midi_filename"], click="file") for row in csv.DictReader(file)]


def main() -> None:
    """Train, print the course, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--setting", choices=("all", "same", "unseen"), default="all")
    parser.add_argument("--rotation", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=26)
    parser.add_argument("--hidden", type=int, default=112)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    lessons = [x for x in map(Lesson, takes_of(chosen.setting, chosen.rotation)) if len(x) >= LEAST_HITS]
    order = np.random.default_rng(0).permutation(len(lessons))
    out = max(3, len(lessons) // 10)
    judged, kept = [lessons[i] for i in order[:out]], [lessons[i] for i in order[out:]]
    print(f"{len(kept)} takes, {sum(map(len, kept))} hits; {out} takes left out", flush=True)
    player = train(kept, judged, chosen.epochs, chosen.hidden, chosen.seed)
    np.savez_compressed(chosen.out, **cooled(player.weights()))  # type: ignore[arg-type]
    print(f"{chosen.out}: {chosen.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
