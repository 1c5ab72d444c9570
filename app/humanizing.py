"""``takeprint humanize``: which player, how much, and what became of it.

Conventions
-----------
Amounts multiply: the overall one times the trace's own. With every amount 0 the output is the input, byte for byte, and
says nothing about itself. Take ``k`` of several uses the seed ``S + k - 1``, so that each can be made again alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
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
from .steering_options import controls_asked

if TYPE_CHECKING:
    from ..core.profile import Profile
    from ..core.take import Take
    from .batch import Mark, Outcome

_MOST_SHARES = 24
_DOCUMENT_SUFFIXES = (".json", ".csv", ".npz", ".txt", ".png", ".xml", ".musicxml", ".mxl")


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
    for asked in (args.profile, args.drums):
        for name in named_profiles(asked):
            if name not in profile_names() and not os.path.lexists(name):
                profile_named(name)  # refuses, and says which there are
    return {
        "command": "humanize",
        "version": version(),
        "profile": args.profile,
        "drums": args.drums,
        "controls": controls_asked(args),
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
    named = [settings.get("like"), *(n for k in ("profile", "drums") for n in named_profiles(settings.get(k)))]
    return [source, *(str(path) for path in named if path and os.path.isfile(path))]


def named_profiles(asked: str | None) -> list[str]:
    """Return the names and paths that an option names: one profile, or those of a mixture."""
    if asked is None:
        return []
    from ..humanize.profiles.mixing import mixture_said

    mixed = None if asked in profile_names() or os.path.lexists(asked) else mixture_said(asked)
    return [asked] if mixed is None else [name for name, _ in mixed]


def _humanize_batch(args: argparse.Namespace, intake: Intake, settings: dict[str, Any]) -> int:
    if args.takes > 1:
        is_folder_output(args.output, intake, [*args.input, ""])  # a file's name is refused: there are several outputs
    folder = Path(args.output)
    settings["like_sha256"] = identity(settings["like"])
    for option in ("profile", "drums"):
        files = [name for name in named_profiles(settings[option]) if name not in profile_names()]
        if files == [settings[option]]:
            settings[f"{option}_sha256"] = identity(files[0])
        elif files:  # the shares stay told beside what the files hold
            settings[f"{option}_members"] = [identity(name) for name in files]
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
    _tell_takes_alike(outcomes)
    return finish_batch(outcomes, folder, args.json)


def _tell_takes_alike(outcomes: Sequence[Outcome]) -> None:
    """Say which takes of one input came out alike: what is copied from was too short for so many."""
    first: dict[tuple[str, str], str] = {}
    for outcome in outcomes:
        if outcome.output_sha256 and not outcome.report.get("identical"):
            # Files name their seed; what is played in them tells whether they differ.
            key = (outcome.source, str(outcome.report.get("played") or outcome.output_sha256))
            if key in first:
                say(shown([f"{outcome.output} is played as {first[key]} is: there is too little to copy from"]))
            first.setdefault(key, outcome.output)


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
        ``input, output, identical, seed, amounts, player, disclosure, report, warnings``, ready for JSON; ``played``
        is a short name of what is played, the same for the same notes at the same times.

    Raises
    ------
    TakeprintError
        As ``perform`` and ``render``; for an output whose name does not suit what is written.
    """
    mark("read")
    from ..core.scaling import amounts_of
    from ..core.take import load_take
    from ..humanize import Controls

    take = load_take(source)
    _refuse_unsuited_name(take, source, target)
    traces, controls = settings["traces"], Controls(**settings["controls"])
    amounts = amounts_of(settings["amount"], traces)
    about = {"input": take.name, "output": target.name, "seed": settings["seed"], "amounts": amounts}
    inputs = _inputs(source, settings)
    if settings["amount"] == 0.0 or not (any(amounts.values()) or controls.told()):
        mark("write")
        copy_atomic(source, target, force=force, inputs=inputs)
        said = [*take.warnings, *(["--amount 0: the controls have nothing to act on"] if controls.told() else [])]
        return about | {"identical": True, "player": None, "disclosure": None, "report": {}, "warnings": said}
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
        drums=settings["drums"],
        controls=controls,
        **traces,
    )
    facts = _disclosed(deviations, take, tracks)
    rendered = render(
        take,
        deviations,
        tempo_as=settings["tempo_as"],
        tracks=tracks,
        disclosure=facts if settings["disclosure"] else False,
    )
    mark("write")
    rendered.save(target, force=force, inputs=inputs)
    said = [
        *_repaired(take),
        *take.warnings,
        *deviations.warnings,
        *rendered.warnings,
        *_without_effect(deviations, traces),
    ]
    if not settings["disclosure"]:
        said.append(_not_disclosed(facts, take))
    said = [line.replace("keep_accents=False", "--regenerate") for line in said]
    return about | {
        "identical": False,
        "player": deviations.reference.get("player"),
        "played": _fingerprint(rendered.applied),
        "disclosure": {**facts, "source-sha256": take.sha256} if settings["disclosure"] else None,
        "report": dict(rendered.report),
        "warnings": list(dict.fromkeys(said)),
    }


def _repaired(take: Take) -> list[str]:
    """Return what was mended in the input, in words, each with its place in the file."""
    places = [(f"byte {repair.offset}: " if repair.offset >= 0 else "", repair.text) for repair in take.repairs]
    return [f"repaired: {at}{text}" for at, text in places]


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
    from ..humanize.where import tracks_called

    return tracks_called(asked, take.smf.track_names())


def _fingerprint(applied: Any) -> str:
    """Return a short name of what is played: the same notes at the same times, the same name."""
    from hashlib import sha256

    rows = applied.notes
    columns = (rows.onset_s, rows.duration_s, rows.velocity, rows.pitch)
    return sha256(b"".join(column.tobytes() for column in columns)).hexdigest()[:16]


def _disclosed(deviations: Any, take: Take, tracks: list[int] | None) -> dict[str, Any]:
    """Return what the file says of itself: who played, from what, with which amounts and controls."""
    from ..humanize.disclosure import player_facts

    facts = player_facts(deviations)
    if tracks is not None and take.smf is not None:
        facts["tracks"] = ",".join(map(str, tracks))
    return {name: value for name, value in facts.items() if value is not None}


def _not_disclosed(facts: Mapping[str, Any], take: Take) -> str:
    return (
        f"--no-disclosure: the file does not say that it was humanized; left out are {', '.join(facts)} and the "
        f"source's sha256 {take.sha256[:12]}...; `takeprint inspect` will find nothing, and this report is the only "
        "record"
    )


def _without_effect(deviations: Any, traces: Mapping[str, float]) -> list[str]:
    """Return a line for every trace that was asked for and that nobody invents yet."""
    import numpy as np

    there = {
        "intonation": bool(np.isfinite(deviations.notes.intonation_cents).any()),
        "breath": bool(deviations.breath),
        "friction": bool(deviations.friction),
    }
    return [
        f"no {name} is invented in this version: --{name} has no effect" for name in traces if not there.get(name, True)
    ]


def report_words(report: Mapping[str, Any]) -> list[str]:
    """Return what was changed and by how much, line by line."""
    from .words import doubt_lines, plain_lines

    if report["identical"]:
        said = f"{report['output']}: every amount is 0, so it is a copy of {report['input']}, byte for byte"
        return [said, *doubt_lines((), report["warnings"])]
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
    lines += _share_words(facts.pop("drums", [])) + _share_words(facts.pop("tracks", []))
    lines += [
        f"  {'control':<13} {a['control']}: {a['n_notes']} notes" for a in (report["player"] or {}).get("acted", [])
    ]
    facts.pop("disclosure", None)
    facts.pop("coupled", None)
    lines += plain_lines(facts)
    return [*lines, *doubt_lines((), report["warnings"])]


def _share_words(shares: list[dict[str, Any]]) -> list[str]:
    """Return a line for each track or drum of several: how much its notes changed on average, and at most."""
    from .words import number

    if len(shares) < 2:
        return []
    lines = []
    for share in shares[:_MOST_SHARES]:
        said = []
        for trace in ("timing", "dynamics", "articulation"):
            told = share.get(trace) or {}
            ((unit, mean),) = [(name[5:], value) for name, value in told.items() if name[:5] == "mean_"] or [("", 0.0)]
            if told.get("n_changed"):
                held = f", {told['n_limited']} limited" if told["n_limited"] else ""
                said.append(f"{trace} {_sized(mean, unit)} (at most {number(told[f'max_{unit}'])}){held}")
        name = share.get("drum") or f"track {share.get('track')} {share.get('name') or ''}".strip()
        lines.append(f"    {name:<11} {share['n_notes']} notes: {'; '.join(said)}")
    rest = len(shares) - _MOST_SHARES
    return [*lines, f"    and {rest} more (all of them in the JSON)"] if rest > 0 else lines


def _sized(value: Any, unit: str) -> str:
    from .words import number

    return f"{number(value)} {'dB' if unit == 'db' else unit}"


def _trace_words(trace: str, told: Mapping[str, Any]) -> str:
    from .words import number

    said = f"{told.get('n_changed', 0)} changed"
    for name, value in told.items():
        kind, _, unit = name.partition("_")
        if kind in ("mean", "max") and told.get("n_changed"):
            said += f", {'on average' if kind == 'mean' else 'at most'} {_sized(value, unit)}"
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
