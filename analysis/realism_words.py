"""What the judge found, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST_TOLD = 3
# Below this the judge found nothing, and what it looked at says nothing.
_FOUND = 0.6


def realism_sentences(found: Mapping[str, Any]) -> list[str]:
    """Return how well a judge tells the sides apart, what it looked at, and whether notes are copied."""
    said = []
    if found.get("auc") is not None:
        floors = [
            text.format(found[name])
            for name, text in (
                ("floor_auc", "the same test tells real from real at {:.2f}"),
                ("null_auc", "windows dealt at random at {:.2f}"),
            )
            if found.get(name) is not None
        ]
        beside = f"; {', '.join(floors)}" if floors else ""
        judge = found.get("judge") or "a classifier"
        said.append(
            f"A judge ({judge}) tells windows of {found['window_notes']} notes apart with AUC {found['auc']:.2f}"
            f" [{found['auc_low']:.2f}, {found['auc_high']:.2f}] (0.50 is chance){beside}."
        )
        if found.get("energy_ratio") is not None:
            said.append(
                f"The sides lie {found['energy_ratio']:.1f} times as far apart as random halves of the real one do"
                " (energy distance)."
            )
        if found["auc"] >= _FOUND and found.get("told_by"):
            told = [_told(one) for one in found["told_by"][:_MOST_TOLD]]
            said.append(f"It looks most at: {'; '.join(told)}.")
    elif found.get("reason"):
        said.append(f"No judge was tried: {found['reason']}.")
    return said


def _told(one: Mapping[str, Any]) -> str:
    figures = ""
    if one.get("real") is not None and one.get("synthetic") is not None:
        figures = f" ({one['synthetic']:.3g} against {one['real']:.3g} in the real takes)"
    return f"{one.get('words', one['feature'])}{figures}"


def copy_warnings(found: Mapping[str, Any]) -> list[str]:
    """Return a warning where blocks of the synthetic side are real ones note for note."""
    copies, blocks = found.get("verbatim_blocks"), found.get("blocks")
    if not copies or not blocks:
        return []
    return [
        f"{copies} of the synthetic side's {blocks} blocks of 8 notes ({copies / blocks:.1%}) are real ones to the tick"
        " and the velocity: they were copied, not invented"
    ]
