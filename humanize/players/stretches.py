"""Choosing what to copy: stretches of a performance that are alike in what lies ahead and agree with what was played.

Conventions
-----------
A better place is likelier to be drawn; a place just used counts as worn.

References
----------
Hunt and Black 1996, ICASSP (units of a recording chosen by target cost and join cost).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .part import Dice

# Random numbers are read off a ring at a drawn place; prime, so that no pattern of places fits it.
_RING = 65521


@dataclass(frozen=True)
class Choosing:
    """How stretches are chosen.

    Parameters
    ----------
    stride : int
        Moments copied before the choice is made again; going on is one of the choices.
    ahead : int
        Moments ahead that are compared.
    seam : float
        What a disagreement of one standard deviation with the past counts, beside a unit of unlikeness.
    heat : float
        How much worse than the best a choice may be.
    again : float
        What copying a place again soon counts.
    """

    stride: int = 4
    ahead: int = 4
    seam: float = 0.35
    heat: float = 0.15
    again: float = 0.5


def chosen_places(
    given: np.ndarray, moment: np.ndarray, begins: np.ndarray, wanted: np.ndarray, dice: Dice, how: Choosing
) -> np.ndarray:
    """Return the row of the performance that each wanted row copies.

    Parameters
    ----------
    given : ndarray [shape=(m, k)]
        What each moment of the performance is like.
    moment : ndarray [shape=(m, c)]
        What was left of it.
    begins : ndarray of bool [shape=(m,)]
        Where a take begins.
    wanted : ndarray [shape=(n, k)]
    dice : Dice
    how : Choosing

    Returns
    -------
    ndarray of int64 [shape=(n,)]
    """
    from ...core.kernels.stretch_choice import stretch_choice

    u = dice.uniform(_RING, "keyboard", "ring")
    offset = dice.uniform(-(-len(wanted) // how.stride), "keyboard", "stretches")
    return stretch_choice(
        np.ascontiguousarray(given),
        np.ascontiguousarray(moment),
        begins,
        np.ascontiguousarray(wanted),
        # Gumbel's distribution: the best of costs less such numbers is a draw with the odds exp(-cost / heat).
        -np.log(-np.log(u)),
        (offset * _RING).astype(np.int64),
        how.stride,
        how.ahead,
        how.seam,
        how.heat,
        how.again,
    )
