"""Looking without changing: what a file is and says of itself, and which profiles there are.

Conventions
-----------
Facts are a flat mapping that JSON can hold; the words are the same facts, a line each.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from typing import Any

import numpy as np

from ..core.errors import TakeprintError
from ..core.sniff import sniff
from .commands import write_json, write_out
from .progress import one_line, shown
from .words import clock, compare_words, count, doubt_lines, measure_words, number, plain_lines

_MAX_JSON_BYTES = 2_000_000_000


# ---- inspect


def run_inspect(args: argparse.Namespace) -> int:
    """``takeprint inspect``."""
    kind = sniff(args.file)
    if kind == "json":
        facts, words = _of_document(args.file)
    else:
        facts, words = _of_take(args.file)
    if args.json:
        write_json(facts)
    else:
        write_out(shown(words) + "\n")
    return 0


def _of_document(path: str) -> tuple[dict[str, Any], list[str]]:
    """Return the facts of a JSON document of ours."""
    from ..core.files import read_regular

    try:
        document = json.loads(read_regular(path, max_bytes=_MAX_JSON_BYTES))
    except TakeprintError:
        raise
    except (ValueError, RecursionError) as wrong:
        raise TakeprintError(f"not JSON ({wrong})", where=path) from wrong
    schema = document.get("schema") if isinstance(document, dict) else None
    name = os.path.basename(path)
    if schema == "takeprint.deviations/1":
        from ..core.deviations import Deviations

        deviations = Deviations.from_json(document, where=path)
        facts = {"file": name, "schema": schema, "take": deviations.take, "reference": deviations.reference}
        return facts | {"notes": len(deviations.notes)}, measure_words(deviations)
    if schema == "takeprint.profile/1":
        facts = {"file": name} | {k: document.get(k) for k in ("schema", "name", "kind", "card")}
    elif schema == "takeprint.comparison/1":
        from ..analysis.compare import Comparison

        facts = {"file": name} | {k: document.get(k) for k in ("schema", "real", "synthetic", "realism", "tells")}
        return facts, compare_words(Comparison.from_json(document, where=path))
    else:
        raise TakeprintError(
            f"schema is {schema!r}",
            where=path,
            rule="documents of Takeprint say takeprint.deviations/1, profile/1 or comparison/1",
        )
    return facts, [f"{name}: {schema}", *plain_lines({k: v for k, v in facts.items() if k not in ("file", "schema")})]


def _of_take(path: str) -> tuple[dict[str, Any], list[str]]:
    """Return the facts of a MIDI file, a score or a recording, and its disclosure."""
    from ..core.take import load_take
    from .humanizing import read_disclosure

    take = load_take(path)
    said = read_disclosure(take)
    facts: dict[str, Any] = {**take.to_dict(), "disclosure": said}
    if take.notes is not None:
        facts |= _of_notes(take)
        format_words = (
            f"MIDI format {facts['format']}, {count(facts['tracks'], 'track')}" if take.smf is not None else "a score"
        )
        line = f"{take.name}: {format_words}, {count(len(take.notes), 'note')}, {clock(take.duration_s)}"
    else:
        rate = number((take.facts.get("sample_rate") or 0) / 1000.0, 1)
        line = (
            f"{take.name}: audio, {count(take.facts.get('channels'), 'channel')}, {rate} kHz, {clock(take.duration_s)}"
        )
    facts["repairs"] = [r.to_dict() for r in take.repairs]
    facts["warnings"] = list(take.warnings)
    words = [line]
    if take.notes is not None:
        words.append(f"  tempo         {facts['tempo_words']}")
        words.append(f"  metre         {facts['metre_words']}")
        if facts["instruments"]:
            listed = ", ".join(f"{name} {n}" for name, n in facts["instruments"].items())
            words.append(f"  instruments   {listed}")
        facts.pop("tempo_words")
        facts.pop("metre_words")
    if said is None:
        words.append("  disclosure    none: the file does not say that it was humanized (that is no proof it was not)")
    else:
        words.append("  disclosure    humanized, as the file itself says:")
        words += plain_lines(said, 4)
    return facts, words + doubt_lines(take.repairs, take.warnings)


def _of_notes(take: Any) -> dict[str, Any]:
    notes = take.notes
    facts: dict[str, Any] = {"notes": len(notes)}
    if take.smf is not None:
        facts |= {"format": take.smf.format, "tracks": take.smf.n_tracks, "ticks_per_beat": take.smf.ticks_per_beat}
    bpm = np.unique(np.round(take.timeline.tempo_bpm_at(take.timeline.beat[:-1]), 3))
    facts |= {"tempo_bpm_lowest": float(bpm.min()), "tempo_bpm_highest": float(bpm.max())}
    same = bpm.min() == bpm.max()
    facts["tempo_words"] = f"{number(float(bpm.min()))}" + ("" if same else f" to {number(float(bpm.max()))}") + " bpm"
    facts["metre"] = take.metre.to_list()
    metres = [f"{top}/{bottom}" for _, top, bottom in take.metre.changes]
    facts["metre_words"] = ", ".join(metres[:8]) + (" ..." if len(metres) > 8 else "")
    names = Counter(str(n) for n in notes.instrument.tolist() if n)
    facts["instruments"] = dict(sorted(names.items(), key=lambda item: (-item[1], item[0])))
    return facts


# ---- profiles


def run_profiles(args: argparse.Namespace) -> int:
    """``takeprint profiles [show NAME]``."""
    from .humanizing import profile_named, profile_names

    if args.action == "show":
        if not args.name:
            raise TakeprintError("no profile is named", remedy=f"takeprint profiles show NAME, one of {_listed()}")
        profile = profile_named(args.name)
        if args.json:
            write_json(profile.to_json())
        else:
            lines = [f"{profile.name}: a {profile.kind} profile", *plain_lines(profile.card), "  model:"]
            write_out(shown([*lines, *plain_lines(profile.model, 4)]) + "\n")
        return 0
    listed = [profile_named(name) for name in profile_names()]
    if args.json:
        write_json([{"name": p.name, "kind": p.kind, "card": p.card} for p in listed])
        return 0
    width = max((len(p.name) for p in listed), default=0)
    for p in listed:
        about = p.card.get("title") or p.card.get("source")
        said = about if isinstance(about, str) else f"fitted to {len(about or [])} takes"
        write_out(f"{p.name:<{width}}  {p.kind:<8}  {one_line(said)}\n")
    return 0


def _listed() -> str:
    from .humanizing import profile_names

    return ", ".join(profile_names())
