"""``takeprint humanize``: which player, how much, and what became of it.

Conventions
-----------
Amounts multiply: the overall one times the trace's own. With every amount 0 the output is the input, byte for byte, and
says nothing about itself. Take ``k`` of several uses the seed ``S + k - 1``, so that each can be made again alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import TakeprintError
from ..core.files import check_output, copy_atomic
from .batch import Task, run_batch
from .cli import DONE, TRACE_AMOUNTS, version
from .commands import finish_batch, identity, is_folder_output, tell_intake, write_json
from .intake import Intake, gather, output_names, refuse_inputs_as_outputs
from .jobs import unmarked
from .progress import compile_notice, say, shown

if TYPE_CHECKING:
    from ..core.profile import Profile
    from ..core.take import Take
    from .batch import Mark

_DOCUMENT_SUFFIXES = (".json", ".csv", ".npz", ".txt", ".png", ".xml", ".musicxml", ".mxl")
_NOT_INVENTED = ("intonation", "breath", "friction", "slips")


def run_humanize(args: argparse.Namespace) -> int:
    """``takeprint humanize``."""
    settings = _settings(args)
    intake = gather(args.input, leave_out=args.output)
    if args.takes > 1 or is_folder_output(args.output, intake, args.input):
        return _humanize_batch(args, intake, settings)
    for path, reason in intake.refused.items():
        raise TakeprintError(reason, where=path, remedy="give a MIDI or audio file")
    source, target = intake.found[0].path, Path(args.output)
    if args.output == "-":
        raise TakeprintError("-o -", rule="music is written to a file", remedy="give -o FILE")
    check_output(target, force=args.force, inputs=_inputs(source, settings))
    with compile_notice():
        report = humanized(source, target, settings, force=args.force)
    say(shown(report_words(report)))
    if args.json:
        write_json(report)
    return DONE


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    traces = {name: getattr(args, name) for name in TRACE_AMOUNTS if getattr(args, name) is not None}
    profile = args.profile
    if profile is not None and profile not in profile_names() and not os.path.lexists(profile):
        profile_named(profile)  # refuses, and says which there are
    return {
        "command": "humanize",
        "version": version(),
        "profile": profile,
        "like": args.like,
        "player": args.player or "auto",
        "amount": args.amount,
        "traces": traces,
        "seed": args.seed,
        "tracks": args.track,
        "tempo_as": args.tempo_as,
        "regenerate": args.regenerate,
        "disclosure": not args.no_disclosure,
    }


def _inputs(source: str, settings: Mapping[str, Any]) -> list[str]:
    """Return every file that is read: none of them may be written."""
    named = [settings.get("like"), settings.get("profile")]
    return [source, *(str(path) for path in named if path and os.path.isfile(path))]


def _humanize_batch(args: argparse.Namespace, intake: Intake, settings: dict[str, Any]) -> int:
    if args.takes > 1:
        is_folder_output(args.output, intake, [*args.input, ""])  # a file's name is refused: there are several outputs
    folder = Path(args.output)
    settings["like_sha256"] = identity(settings["like"])
    if settings["profile"] not in (None, *profile_names()):
        settings["profile_sha256"] = identity(settings["profile"])
    tell_intake(intake)
    tasks = []
    digits = len(str(args.takes))
    for k in range(args.takes):

        def rename(name: str, k: int = k) -> str:
            stem, suffix = os.path.splitext(name)
            return name if args.takes == 1 else f"{stem}.take{k + 1:0{digits}}{suffix}"

        names = output_names(intake.found, rename)
        refuse_inputs_as_outputs(folder, names, intake.found)
        own = {**settings, "seed": settings["seed"] + k}
        for item, name in zip(intake.found, names, strict=True):
            tasks.append(Task(humanize_file, item.path, name, str(folder), own, force=args.force))
    outcomes = run_batch(tasks, folder, jobs=args.jobs, refused=intake.refused)
    return finish_batch(outcomes, folder, args.json)


def humanize_file(task: Task, mark: Mark) -> dict[str, Any]:
    """Humanize one file of a batch."""
    return humanized(task.source, task.target, task.settings, force=task.force, mark=mark)


def humanized(
    source: str, target: Path, settings: Mapping[str, Any], *, force: bool = False, mark: Mark = unmarked
) -> dict[str, Any]:
    """Humanize one file by the options of the command line and write it.

    Returns
    -------
    dict
        ``input, output, identical, seed, amounts, player, report, warnings``, ready for JSON.

    Raises
    ------
    TakeprintError
        As ``perform`` and ``render``; for an output whose name does not suit what is written.
    """
    mark("read")
    from ..core.scaling import amounts_of
    from ..core.take import load_take

    take = load_take(source)
    _refuse_unsuited_name(take, source, target)
    traces = settings["traces"]
    amounts = amounts_of(settings["amount"], traces)
    about = {"input": take.name, "output": target.name, "seed": settings["seed"], "amounts": amounts}
    inputs = _inputs(source, settings)
    if not any(amounts.values()):
        mark("write")
        copy_atomic(source, target, force=force, inputs=inputs)
        return about | {"identical": True, "player": None, "report": {}, "warnings": list(take.warnings)}
    mark("humanize")
    from ..humanize import perform, render

    tracks = _tracks(take, settings["tracks"])
    deviations = perform(
        take,
        settings["profile"],
        like=settings["like"],
        player=settings["player"],
        seed=settings["seed"],
        amount=settings["amount"],
        tracks=tracks,
        keep_accents=not settings["regenerate"],
        **traces,
    )
    facts = _disclosed(deviations, settings, amounts) if settings["disclosure"] else False
    rendered = render(take, deviations, tempo_as=settings["tempo_as"], tracks=tracks, disclosure=facts)
    mark("write")
    rendered.save(target, force=force, inputs=inputs)
    said = [*take.warnings, *deviations.warnings, *rendered.warnings, *_without_effect(deviations, traces)]
    said = [line.replace("keep_accents=False", "--regenerate") for line in said]
    return about | {
        "identical": False,
        "player": deviations.reference.get("player"),
        "report": dict(rendered.report),
        "warnings": list(dict.fromkeys(said)),
    }


def _refuse_unsuited_name(take: Take, source: str, target: Path) -> None:
    from ..core.take import AUDIO_SUFFIXES, MIDI_SUFFIXES

    own, wanted = Path(source).suffix.lower(), target.suffix.lower()
    midi_as_audio = take.kind != "audio" and wanted in (*AUDIO_SUFFIXES, *_DOCUMENT_SUFFIXES)
    audio_as_other = take.kind == "audio" and own in AUDIO_SUFFIXES and wanted != own
    if midi_as_audio or audio_as_other or (take.kind == "audio" and wanted in MIDI_SUFFIXES):
        raise TakeprintError(
            f"the output's name ends in {wanted or 'nothing'}",
            where=str(target),
            rule="MIDI in is MIDI out, audio in is audio out in the input's own format",
            remedy=f"give a name that ends in {own or '.mid'}",
        )


def _tracks(take: Take, asked: list[str] | None) -> list[int] | None:
    """Return the numbers of the tracks that are asked for by number, from 0, or by name."""
    if asked is None:
        return None
    if take.smf is None:
        raise TakeprintError("this file has no tracks", where=take.name, remedy="leave --track out")
    names = take.smf.track_names()
    chosen: set[int] = set()
    for said in asked:
        alike = [k for k, name in enumerate(names) if name.casefold() == said.strip().casefold() and name]
        if said.isascii() and said.isdigit() and int(said[:6]) < len(names):
            chosen.add(int(said))
        elif alike:
            chosen.update(alike)
        else:
            there = ", ".join(f"{k} {name}".strip() for k, name in enumerate(names))
            raise TakeprintError(f"there is no track {said!r}", where=take.name, rule=f"its tracks are {there}")
    return sorted(chosen)


def _disclosed(deviations: Any, settings: Mapping[str, Any], amounts: Mapping[str, float]) -> dict[str, Any]:
    parts = (deviations.reference.get("player") or {}).get("parts") or {}
    used = sorted({str(part["profile"]) for part in parts.values() if part.get("profile")})
    players = sorted({str(part["player"]) for part in parts.values() if part.get("player")})
    return {
        "profile": ",".join(used) or None,
        "player": ",".join(players) or None,
        "seed": settings["seed"],
        "amounts": {name: value for name, value in amounts.items() if name not in _NOT_INVENTED},
    }


def _without_effect(deviations: Any, traces: Mapping[str, float]) -> list[str]:
    """Return a line for every trace that was asked for and that nobody invents yet."""
    import numpy as np

    there = {
        "intonation": bool(np.isfinite(deviations.notes.intonation_cents).any()),
        "breath": bool(deviations.breath),
        "friction": bool(deviations.friction),
        "slips": bool(deviations.slips) or bool((deviations.notes.label != "match").any()),
    }
    return [
        f"no {name} is invented in this version: --{name} has no effect" for name in traces if not there.get(name, True)
    ]


def report_words(report: Mapping[str, Any]) -> list[str]:
    """Return what was changed and by how much, line by line."""
    from .words import doubt_lines, plain_lines

    if report["identical"]:
        return [f"{report['output']}: every amount is 0, so it is a copy of {report['input']}, byte for byte"]
    parts = (report["player"] or {}).get("parts") or {}
    who = "; ".join(f"{name} by {part['profile']} ({part['player']})" for name, part in parts.items())
    lines = [f"{report['output']}: {report['input']} as played by {who or 'the deviations'}, seed {report['seed']}"]
    facts = dict(report["report"])
    for trace in TRACE_AMOUNTS:
        told = facts.pop(trace, None)
        if isinstance(told, Mapping):
            lines.append(_trace_words(trace, told))
    changed = [t.get("n_changed") if isinstance(t, Mapping) else 0 for t in report["report"].values()]
    if not any(changed) and not facts.get("moved"):
        lines.append("  note: nothing was moved: at these amounts this player does what is written")
    facts.pop("disclosure", None)
    facts.pop("coupled", None)
    lines += plain_lines(facts)
    return [*lines, *doubt_lines((), report["warnings"])]


def _trace_words(trace: str, told: Mapping[str, Any]) -> str:
    from .words import number

    said = f"{told.get('n_changed', 0)} changed"
    for name, value in told.items():
        kind, _, unit = name.partition("_")
        if kind in ("mean", "max") and told.get("n_changed"):
            said += f", {'on average' if kind == 'mean' else 'at most'} {number(value)} {unit}"
    if "low_bpm" in told:
        said += f", {number(told['low_bpm'])} to {number(told['high_bpm'])} bpm"
    if told.get("n_limited"):
        said += f"; {told['n_limited']} limited: {'; '.join(told.get('why') or ['no room'])}"
    return f"  {trace:<13} {said}"


# ---- profiles and disclosures, as the other commands ask for them


def profile_names() -> list[str]:
    """Return the names of the shipped profiles."""
    from ..humanize.profiles import names

    return names()


def profile_named(name: str) -> Profile:
    """Return a shipped profile, or one from a file.

    Raises
    ------
    TakeprintError
        For a name that is neither.
    """
    from ..core.profile import Profile
    from ..humanize import profiles

    if name not in profile_names() and (os.path.lexists(name) or os.sep in name or name.lower().endswith(".json")):
        return Profile.load(name)
    return profiles.load(name)


def read_disclosure(take: Take) -> dict[str, Any] | None:
    """Return what a file says of having been humanized, None where it says nothing."""
    if take.path is None or take.kind == "score":
        return None
    from ..humanize import read_disclosure as read

    return read(take.path)
