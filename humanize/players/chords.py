"""Chords rolled as people roll them: from the bass up, some of them, wide ones more often.

Conventions
-----------
Spans are semitones from the lowest note of a moment to the highest, spreads ms from the first to the last onset. Late
is positive. A row of the table of rolls holds for spans up to ``upto_semitones`` (None: any): the share of chords that
are rolled, and of these the share that goes up.

A rolled chord keeps its middle in time: the bass comes early, the top late, or the reverse. In quick succession nobody
rolls: there the spread would reach the neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.randomness import normal_quantile
from .part import Dice, Part

# A roll is measured, and played, only with so much time on either side, and takes at most so much of it.
_ALONE_S, _MOST_OF_GAP = 0.15, 0.4
_MOST_SHARE = 0.9


def rolls(part: Part, figures: Mapping[str, Any] | None, dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Choose the chords that are rolled and how.

    Parameters
    ----------
    part : Part
    figures : mapping or None
        ``table``, ``spread_levels`` and ``spread_ms`` (quantiles of the spread), ``between_takes`` (sd of the log of
        the share from take to take).
    dice : Dice

    Returns
    -------
    offset_ms : ndarray [shape=(n,)], ms from the chord's middle
    rolled : ndarray of bool [shape=(n,)]
    """
    offset, rolled = np.zeros(len(part)), np.zeros(len(part), dtype=bool)
    if not figures or part.drums or not len(part):
        return offset, rolled
    first = part.group_first
    m = len(first)
    size = np.diff(np.append(first, len(part)))
    pitch = np.nan_to_num(part.pitch)
    low, high = np.minimum.reduceat(pitch, first), np.maximum.reduceat(pitch, first)
    at_s = np.minimum.reduceat(part.onset_s, first)
    gap_s = np.diff(at_s)
    room_s = np.minimum(np.append(np.inf, gap_s), np.append(gap_s, np.inf))
    share, up = _shares(figures["table"], high - low)
    share = share * np.exp(float(figures.get("between_takes") or 0.0) * dice.normal(1, "roll", "take")[0])
    draws = {name: dice.uniform(m, "roll", name) for name in ("whether", "direction", "spread")}
    chosen = (draws["whether"] < np.minimum(share, _MOST_SHARE)) & (size > 1) & (high > low) & (room_s >= _ALONE_S)
    knots = normal_quantile(np.asarray(figures["spread_levels"], dtype=np.float64))
    spread = np.interp(normal_quantile(draws["spread"]), knots, figures["spread_ms"])
    spread = np.minimum(spread, 1000.0 * _MOST_OF_GAP * room_s)
    sign = np.where(draws["direction"] < up, 1.0, -1.0)
    rolled = chosen[part.group]
    # Steps from finger to finger are uneven: each is between half of and one and a half of the usual one.
    step = 0.5 + dice.uniform(len(part), "roll", "step")
    order = np.lexsort((pitch, part.group))
    step[order[first]] = 0.0
    along = np.cumsum(step[order])
    along -= along[first][part.group]
    whole = along[np.append(first[1:], len(part)) - 1]
    place = along / np.where(whole > 0.0, whole, 1.0)[part.group] - 0.5
    offset[order] = (sign * spread)[part.group] * place
    offset -= part.group_mean(offset)
    return np.where(rolled, offset, 0.0), rolled


def _shares(table: Any, span: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per moment (share of such chords that are rolled, share of those that goes up)."""
    share, up, fit = np.zeros(len(span)), np.full(len(span), 0.5), np.full(len(span), np.inf)
    for row in table:
        upto = np.inf if row["upto_semitones"] is None else float(row["upto_semitones"])
        mine = (span <= upto) & (min(upto, 1e6) < fit)
        share[mine], up[mine], fit[mine] = float(row["share"]), float(row["up"]), min(upto, 1e6)
    return share, up
