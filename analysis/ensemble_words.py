"""What an ensemble measurement says, in sentences with their figures.

Conventions
-----------
Late and behind are positive. Only what the 95 % bounds leave no doubt of is said of direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .ensemble import Ensemble

# Nearer than this nobody hears two parts apart; a difference below it is not worth a sentence.
_HEARD_MS = 3.0
_MOST_SECTIONS = 3


def sentences(found: Ensemble) -> list[str]:
    """Return what was found, a sentence each: tightness, who is ahead, who leads, where it pushes and drags."""
    said = []
    if found.pairs:
        tight = min(found.pairs, key=lambda p: p["sd_ms"])
        loose = max(found.pairs, key=lambda p: p["sd_ms"])
        said.append(
            f"{tight['first']} and {tight['second']} are tightest together: asynchrony sd {tight['sd_ms']:.1f} ms over "
            f"{tight['n']} shared moments."
        )
        if loose is not tight:
            said.append(
                f"{loose['first']} and {loose['second']} are loosest: asynchrony sd {loose['sd_ms']:.1f} ms over "
                f"{loose['n']}."
            )
    said += [line for part in found.parts if (line := _placed(part))]
    said += [_leading(pair) for pair in found.pairs if pair["leader"]]
    return said + _pushes(found)


def _placed(part: Mapping[str, Any]) -> str:
    low, middle, high = (part[f"placement{end}_ms"] for end in ("_low", "", "_high"))
    if low is None or middle is None or abs(middle) < _HEARD_MS or (low <= 0.0 <= high):
        return ""
    where = "behind" if middle > 0.0 else "ahead of"
    return (
        f"{part['name']} plays {abs(middle):.0f} ms {where} the others "
        f"[{min(abs(low), abs(high)):.0f} to {max(abs(low), abs(high)):.0f}]."
    )


def _leading(pair: Mapping[str, Any]) -> str:
    leads_first = pair["leader"] == pair["first"]
    follower = pair["second"] if leads_first else pair["first"]
    own, others = ("gain_first", "gain_second") if leads_first else ("gain_second", "gain_first")
    return (
        f"{pair['leader']} leads {follower}: {follower} takes back {_percent(pair[others])} of the last asynchrony, "
        f"{pair['leader']} {_percent(pair[own])}."
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _pushes(found: Ensemble) -> list[str]:
    """Return the sections that a part pushes or drags through most, against its usual placement."""
    rows = [
        (abs(p["push_ms"]), section, name, p)
        for section in found.sections
        for name, p in section["parts"].items()
        if p["push_ms"] is not None
    ]
    if len(found.sections) < 2 or not rows:
        return []
    usual = float(np.median([size for size, *_ in rows]))
    out = []
    for size, section, name, p in sorted(rows, key=lambda row: -row[0])[:_MOST_SECTIONS]:
        if size < max(2.0 * usual, 2.0 * _HEARD_MS):
            continue
        word = "drags" if p["push_ms"] > 0.0 else "pushes"
        first, last = section["start_bar"] + 1, section["start_bar"] + section["bars"]
        out.append(f"{name} {word} in bars {first} to {last}: {p['push_ms']:+.0f} ms against its usual place.")
    return out
