"""Where written moments lie in a recording, all of them together.

Conventions
-----------
A coarse alignment is off by tens of milliseconds, slowly changing: so the notes that are heard surely tell where
those between them are to be expected. The state is how far a written moment (a note, or all notes of a chord) lies
from where the alignment expects it, on a grid of milliseconds; it changes little from one moment to the next, and
every note says how likely it begins at each offset. Both directions are passed through, so that each moment is told
by all others.

References
----------
Rabiner 1989, A tutorial on hidden Markov models, Proc. IEEE 77, 257-286, section III (the forward-backward procedure).
Cont 2010, A coupled duration-focused architecture for real-time music-to-score alignment, IEEE PAMI 32, 974-987 (a
score's moments as states, what sounds as their evidence).
"""

from __future__ import annotations

import numpy as np

# How much the alignment's error changes from one moment to the next: at once, and for each second (ms).
_AT_ONCE_MS, _A_SECOND_MS = 7.0, 14.0
# Now and then by any amount.
_JUMP = 2e-3
# Notes of one chord share what they hear: together they say less than the sum.
_TOGETHER = 0.7
_LADDER = 24


def spread_kernel(offset_ms: np.ndarray, scale_ms: float, wide: float = 0.1) -> np.ndarray:
    """Return how likely a note begins that far from its written moment: Laplace's, some of it thrice as wide."""
    near = np.exp(-np.abs(offset_ms) / scale_ms) / scale_ms
    far = np.exp(-np.abs(offset_ms) / (3.0 * scale_ms)) / (3.0 * scale_ms)
    return 0.5 * ((1.0 - wide) * near + wide * far)


def moment_offsets(
    note_ratio: np.ndarray, note_group: np.ndarray, group_s: np.ndarray, breaks: np.ndarray, step_ms: float
) -> np.ndarray:
    """Return the posterior of every written moment's offset.

    Parameters
    ----------
    note_ratio : ndarray [shape=(n, states)]
        How much likelier each note begins at every offset than not at all.
    note_group : ndarray of int64 [shape=(n,)]
    group_s : ndarray [shape=(g,)], seconds
        Where the moments are expected, in order.
    breaks : ndarray of bool [shape=(g,)]
        Where nothing is known from the moment before.
    step_ms : float
        Between states.

    Returns
    -------
    ndarray [shape=(g, states)]
        Each row's sum is 1.
    """
    groups, states = len(group_s), note_ratio.shape[1]
    said = np.zeros((groups, states))
    np.add.at(said, note_group, _TOGETHER * np.log(note_ratio))
    said = np.exp(said - said.max(1, keepdims=True, initial=-np.inf)) if groups else said
    gaps = np.clip(np.diff(group_s, prepend=group_s[:1]), 0.0, 10.0)
    scale = np.hypot(_AT_ONCE_MS, _A_SECOND_MS * gaps)
    rung = np.clip(np.round(np.log(scale / _AT_ONCE_MS) / np.log(20.0) * (_LADDER - 1)), 0, _LADDER - 1).astype(int)
    distance = np.abs(np.subtract.outer(np.arange(states), np.arange(states))) * step_ms
    moves = []
    for r in range(_LADDER):
        move = np.exp(-distance / (_AT_ONCE_MS * 20.0 ** (r / (_LADDER - 1))))
        move /= move.sum(0, keepdims=True)
        moves.append((1.0 - _JUMP) * move + _JUMP / states)
    # At first small errors are likelier than great ones.
    prior = np.exp(-np.abs(np.arange(states) - states // 2) * step_ms / 40.0)
    prior /= prior.sum()
    ahead = np.empty((groups, states))
    for g in range(groups):
        before = prior if g == 0 or breaks[g] else moves[rung[g]] @ ahead[g - 1]
        ahead[g] = before * said[g]
        ahead[g] /= ahead[g].sum()
    out, back = ahead, np.ones(states)
    for g in range(groups - 1, -1, -1):
        out[g] *= back
        out[g] /= out[g].sum()
        if g and breaks[g]:
            back = np.ones(states)
        elif g:
            back = moves[rung[g]].T @ (back * said[g])
            back /= back.sum()
    return out
