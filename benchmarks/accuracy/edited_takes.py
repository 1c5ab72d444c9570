"""Real takes edited as players and editors do it, the truth edited along.

    from edited_takes import EDITS, edited
    take, passage = edited(truth, "restart", rng)

``stopped`` ends after six tenths; ``cut`` passes over some bars; ``restart`` breaks off, waits and goes back some beats
(the later go holds the matches, the first is added); ``mistakes`` leaves out, misses by a step and adds one note in
twenty each; ``apart`` plays the lower staff late by 80 ms, wandering; ``slow`` is at half the tempo. Where the lower
staff is not told, the notes below middle C are it.

Repeats are written out in the scores: to cut most of a part that comes again is the same music as to leave out its
repeat. Such a take has two true answers, of which one is asked for here (Mozart's theme has several).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from truth import Truth

from takeprint.core.notes import Notes

EDITS = ("stopped", "cut", "restart", "mistakes", "apart", "slow")
# The passage that an aligner may tell, by edit.
PASSAGES = {"stopped": "stopped", "cut": "skipped", "restart": "replayed"}
_MIDDLE_C = 60
Stretch = tuple[float, float] | None


def edited(truth: Truth, edit: str, rng: np.random.Generator) -> tuple[Truth, Stretch]:
    """Return the edited take with its truth, and from which to which beat its passage goes."""
    partner = np.full(len(truth.take), -1)
    partner[truth.pairs[:, 1]] = truth.pairs[:, 0]
    beat, time_s, _ = truth.first_onsets()
    time_s = np.maximum.accumulate(time_s)
    take, stretch = truth.take, None
    if edit == "stopped":
        k = int(0.6 * len(beat))
        keep = take.onset_s < time_s[k]
        take, partner, stretch = take.rows(keep), partner[keep], (float(beat[k]), float(truth.score.onset_beat.max()))
    elif edit == "cut":
        k = int(rng.uniform(0.3, 0.5) * len(beat))
        end = min(int(np.searchsorted(beat, beat[k] + rng.choice([12.0, 18.0, 24.0]))), len(beat) - 1)
        inside = (take.onset_s >= time_s[k]) & (take.onset_s < time_s[end])
        later = take.onset_s >= time_s[end]
        take = take.replace(onset_s=take.onset_s - later * (time_s[end] - time_s[k]))
        take, partner, stretch = take.rows(~inside), partner[~inside], (float(beat[k]), float(beat[end]))
    elif edit == "restart":
        k = int(rng.uniform(0.4, 0.7) * len(beat))
        back = int(np.searchsorted(beat, beat[k] - rng.choice([3.0, 6.0, 12.0])))
        again = (take.onset_s >= time_s[back]) & (take.onset_s < time_s[k])
        shift_s = time_s[k] - time_s[back] + rng.uniform(0.3, 1.5)
        goes = take.rows(again).replace(onset_s=take.onset_s[again] + shift_s)
        later = take.onset_s >= time_s[k]
        take = Notes.concatenate([take.replace(onset_s=take.onset_s + later * shift_s), goes])
        partner = np.r_[np.where(again, -1, partner), partner[again]]
        stretch = (float(beat[back]), float(beat[k]))
    elif edit == "mistakes":
        take, partner = _with_mistakes(take, partner, rng)
    elif edit == "apart":
        staff = truth.score.track[np.maximum(partner, 0)]
        low = np.where((partner >= 0) & (staff >= 0), staff == 1, take.pitch < _MIDDLE_C)
        wander_s = 0.08 + 0.04 * np.sin(2 * np.pi * take.onset_s / 7.0)
        take = take.replace(onset_s=take.onset_s + low * wander_s)
    else:
        take = take.replace(onset_s=2.0 * take.onset_s, duration_s=2.0 * take.duration_s)
    return _with(truth, take, partner), stretch


def _with_mistakes(take: Notes, partner: np.ndarray, rng: np.random.Generator) -> tuple[Notes, np.ndarray]:
    draw = rng.uniform(size=len(take))
    missed, wrong = (draw < 0.05) & (partner >= 0), (draw >= 0.05) & (draw < 0.1) & (partner >= 0)
    step = rng.choice([-2, -1, 1, 2], len(take))
    pitch = np.where(wrong, np.clip(take.pitch + step, 21, 108), take.pitch)
    more = np.flatnonzero(rng.uniform(size=len(take)) < 0.05)
    added = take.rows(more).replace(
        pitch=np.clip(take.pitch[more] + rng.choice([-2, -1, 1, 2], len(more)), 21, 108),
        onset_s=take.onset_s[more] + rng.uniform(-0.1, 0.1, len(more)),
    )
    take = Notes.concatenate([take.replace(pitch=pitch).rows(~missed), added])
    return take, np.r_[np.where(wrong, -1, partner)[~missed], np.full(len(more), -1)]


def _with(truth: Truth, take: Notes, partner: np.ndarray) -> Truth:
    """Return the truth with another take, of which each row's written note is known."""
    order = np.lexsort((take.pitch, take.onset_s))
    take, partner = take.rows(order).replace(onset_tick=np.full(len(take), -1)), partner[order]
    rows = np.flatnonzero(partner >= 0)
    pairs = np.c_[partner[rows], rows]
    return replace(
        truth,
        take=take,
        pairs=pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))],
        ornaments=np.zeros((0, 2), dtype=np.int64),
        deletions=np.setdiff1d(np.arange(len(truth.score)), pairs[:, 0]),
        insertions=np.flatnonzero(partner < 0),
    )
