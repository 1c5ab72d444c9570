"""The commands: each is one call of the Python API and the words around it.

Conventions
-----------
A command takes the parsed options and returns the exit code; it raises ``TakeprintError`` for a refusal. Results go to
standard output, words to standard error, except where the words are all there is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import TakeprintError
from ..core.files import check_output, sha256_of, write_atomic
from . import jobs
from .batch import Outcome, Task, run_batch
from .cli import DONE, REFUSED, SOME_FAILED, version
from .intake import FAILURES_NAME, Intake, gather, output_names, refuse_inputs_as_outputs
from .progress import Progress, compile_notice, complain, say, shown

_MOST_FAILURES_SHOWN = 20
_FEW_NOTES = 200  # a minute of drums has more


def run(args: argparse.Namespace) -> int:
    """Run the command that was asked for.

    Raises
    ------
    TakeprintError
        For every refusal.
    """
    from . import humanizing, looking

    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "measure": run_measure,
        "humanize": humanizing.run_humanize,
        "compare": run_compare,
        "fit": run_fit,
        "profiles": looking.run_profiles,
        "export": run_export,
        "inspect": looking.run_inspect,
        "demo": run_demo,
    }
    return commands[args.command](args)


# ---- what several commands need


def write_out(text: str) -> None:
    """Write a result to standard output, UTF-8 whatever the terminal's encoding."""
    if sys.stdout is None:
        return  # started without one
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    raw.write(jobs.json_bytes(text))
    raw.flush()


def deliver(args: argparse.Namespace, document: Any, words: Sequence[str]) -> None:
    """Write the words to standard output; where JSON is wanted there, that, and the words to standard error."""
    said = shown(words)
    if args.json or args.output == "-":
        write_out(document.dumps())
        say(said)
    else:
        write_out(said + "\n")


def write_json(document: Any) -> None:
    """Write a JSON document to standard output."""
    from ..core.deviations import finite

    write_out(json.dumps(finite(document), ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def refuse_music_name(output: str, rule: str, suffix: str) -> None:
    """Refuse a document under the name of a take: with ``--force`` a slip of the hand would cost a recording."""
    from ..core.take import AUDIO_SUFFIXES, MIDI_SUFFIXES

    found = os.path.splitext(output)[1].lower()
    if found in MIDI_SUFFIXES or found in AUDIO_SUFFIXES:
        raise TakeprintError(
            f"the output's name ends in {found}", where=output, rule=rule, remedy=f"give a name that ends in {suffix}"
        )


def is_folder_output(output: str | None, intake: Intake, given: Sequence[str]) -> bool:
    """Tell whether the output is a folder: there are several inputs, or it is one or is written like one."""
    if output in (None, "-"):
        return False
    several = len(intake.found) > 1 or len(given) > 1 or any(os.path.isdir(path) for path in given)
    like_folder = os.path.isdir(str(output)) or str(output).endswith(("/", os.sep))
    if several and not like_folder:
        if os.path.lexists(str(output)):
            raise TakeprintError(
                "this is a file", where=str(output), rule="several outputs need a folder", remedy="give -o DIR"
            )
        if os.path.splitext(str(output))[1].lower() in (".json", ".mid", ".midi", ".wav", ".flac", ".mp3", ".ogg"):
            raise TakeprintError(
                "this is a file's name", where=str(output), rule="several outputs need a folder",
                remedy=f"give -o DIR, or -o {output}/ if it shall be a folder",
            )  # fmt: skip
    return several or like_folder


def tell_intake(intake: Intake) -> None:
    """Say what was passed over in folders."""
    if intake.passed_over:
        kinds = ", ".join(f"{n} {suffix}" for suffix, n in sorted(intake.passed_over.items()))
        say(f"passed over, neither MIDI nor audio by name: {kinds}")


def finish_batch(outcomes: Sequence[Outcome], folder: Path, as_json: bool) -> int:
    """Tell how a batch went and return its exit code."""
    failed = [o for o in outcomes if o.state == "failed"]
    done = [o for o in outcomes if o.state == "done"]
    kept = len(outcomes) - len(failed) - len(done)
    for outcome in failed[:_MOST_FAILURES_SHOWN]:
        complain(f"{outcome.source}: {outcome.stage}: {outcome.reason}")
    if len(failed) > _MOST_FAILURES_SHOWN:
        complain(f"and {len(failed) - _MOST_FAILURES_SHOWN} more failures")
    said = f"{len(done)} done"
    said += f", {kept} kept from an earlier run" if kept else ""
    said += f", {len(failed)} failed, listed in {folder / FAILURES_NAME}" if failed else ""
    say(shown([f"{said}; in {folder}"]))
    if as_json:
        write_json(
            {
                "folder": str(folder),
                "files": [
                    {"file": o.source, "state": o.state, "output": o.output or None}
                    | ({"stage": o.stage, "reason": o.reason} if o.state == "failed" else o.report)
                    for o in outcomes
                ],
            }
        )
    if len(failed) == len(outcomes):
        return REFUSED
    return SOME_FAILED if failed else DONE


def identity(path: str | None) -> str | None:
    """Return the content hash of a file that settings name, so that a batch knows when it has changed."""
    return None if path is None else sha256_of(path)


def reference_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say what is measured against."""
    if args.against and args.click is not None:
        raise TakeprintError(
            "--against and --click are both given", rule="a take is measured against one reference", remedy="leave one"
        )
    return {"against": args.against, "click": args.click, "meter": args.meter}


# ---- measure


def run_measure(args: argparse.Namespace) -> int:
    """``takeprint measure``."""
    settings = {**reference_settings(args), "strict": args.strict, "csv": args.csv, "plot": args.plot}
    intake = gather(args.take, leave_out=None if args.output in (None, "-") else args.output)
    if is_folder_output(args.output, intake, args.take):
        return _measure_batch(args, intake, settings)
    if len(intake.found) + len(intake.refused) > 1:
        return _measure_each(args, intake, settings)
    for path, reason in intake.refused.items():
        raise TakeprintError(reason, where=path, rule="a take is a regular file", remedy="give a MIDI or audio file")
    with compile_notice():
        _measure_one(args, intake.found[0].path, settings, "")
    return DONE


def _measure_batch(args: argparse.Namespace, intake: Intake, settings: dict[str, Any]) -> int:
    folder = Path(args.output)
    settings |= {"command": "measure", "version": version(), "against_sha256": identity(args.against)}
    names = output_names(intake.found, lambda name: name + ".json")
    refuse_inputs_as_outputs(folder, names, intake.found)
    tell_intake(intake)
    tasks = [
        Task(jobs.measure_file, item.path, name, str(folder), settings, force=args.force)
        for item, name in zip(intake.found, names, strict=True)
    ]
    outcomes = run_batch(tasks, folder, jobs=args.jobs, refused=intake.refused)
    return finish_batch(outcomes, folder, args.json)


def _measure_each(args: argparse.Namespace, intake: Intake, settings: dict[str, Any]) -> int:
    """Measure several takes without keeping them: a summary each, or JSON a line."""
    tell_intake(intake)
    failed = len(intake.refused)
    for path, reason in intake.refused.items():
        complain(f"{path}: {reason}")
    names = output_names(intake.found, lambda name: name)
    with compile_notice():
        for item, name in zip(intake.found, names, strict=True):
            try:
                _measure_one(args, item.path, settings, name)
            except TakeprintError as refusal:
                failed += 1
                complain(refusal)
    if failed == 0:
        return DONE
    return SOME_FAILED if failed < len(intake.found) + len(intake.refused) else REFUSED


def _measure_one(args: argparse.Namespace, path: str, settings: dict[str, Any], name: str) -> None:
    """Measure one take; ``name`` is its own part of the folders for tables and pictures, "" when it is alone."""
    from .words import measure_words

    inputs = [path] + ([args.against] if args.against else [])
    keep = args.output not in (None, "-")
    if keep:
        check_output(args.output, force=args.force, inputs=inputs)
        refuse_music_name(args.output, "a measurement is JSON", ".json")
    deviations = jobs.measured(path, settings)
    if args.csv:
        deviations.to_csv(jobs.make_folder(Path(args.csv) / name), force=args.force)
    if args.plot:
        jobs.draw(deviations, Path(args.plot) / name, force=args.force)
    if keep:
        jobs.write_deviations(deviations, Path(args.output), force=args.force, inputs=inputs)
    deliver(args, deviations, measure_words(deviations))


# ---- compare, fit, export, demo


def _load_all(paths: Sequence[str], settings: dict[str, Any], label: str) -> list[Any]:
    """Return the deviations of takes and DEV.json files, folders included."""
    intake = gather(paths, documents=True)
    for path, reason in intake.refused.items():
        raise TakeprintError(reason, where=path, remedy="give takes or DEV.json files")
    tell_intake(intake)
    loaded = []
    with Progress(len(intake.found), label) as progress, compile_notice():
        for item in intake.found:
            loaded.append(jobs.deviations_of(item.path, settings))
            progress.step()
    return loaded


def _folders(paths: Sequence[str]) -> list[str]:
    """Return the name of the folder each take lies in, in the order of ``_load_all``."""
    return [Path(item.path).resolve().parent.name for item in gather(paths, documents=True).found]


def run_compare(args: argparse.Namespace) -> int:
    """``takeprint compare``."""
    if args.pair and (args.real or args.synthetic):
        raise TakeprintError("takes are given both with and without --real", remedy="use one way or the other")
    if args.pair and len(args.pair) != 2:
        raise TakeprintError(
            f"{len(args.pair)} take{'s' * (len(args.pair) != 1)} given",
            rule="compare takes two, REAL SYNTHETIC",
            remedy="for more, use --real A... --synthetic B...",
        )
    real, synthetic = ([args.pair[0]], [args.pair[1]]) if args.pair else (args.real, args.synthetic)
    if not real or not synthetic:
        raise TakeprintError(
            f"{'a real' if not real else 'a synthetic'} take is missing",
            rule="compare takes REAL SYNTHETIC, or --real A... --synthetic B...",
        )
    inputs = [*real, *synthetic] + ([args.against] if args.against else [])
    keep = args.output not in (None, "-")
    if keep:
        check_output(args.output, force=args.force, inputs=inputs)
        refuse_music_name(args.output, "a comparison is JSON", ".json")
    settings = reference_settings(args)
    sides = _load_all(real, settings, "real takes"), _load_all(synthetic, settings, "synthetic takes")
    from ..analysis.compare import compare
    from .words import compare_words

    groups = (_folders(real), _folders(synthetic)) if args.group_by == "folder" else None
    comparison = compare(*sides, seed=args.seed, groups=groups)
    if args.plot:
        from ..analysis.plots import plot_comparison

        plot_comparison(comparison, *sides, jobs.make_folder(args.plot) / "comparison.png", force=args.force)
    if keep:
        write_atomic(args.output, jobs.json_bytes(comparison.dumps()), force=args.force, inputs=inputs)
    deliver(args, comparison, compare_words(comparison))
    return DONE


def run_fit(args: argparse.Namespace) -> int:
    """``takeprint fit``."""
    settings = reference_settings(args)
    inputs = [*args.take] + ([args.against] if args.against else [])
    target = Path(args.output)
    check_output(target, force=args.force, inputs=inputs)
    check_output(target.with_suffix(".npz"), force=args.force, inputs=inputs)
    refuse_music_name(args.output, "a profile is JSON", ".json")
    if target.suffix.lower() == ".npz":
        raise TakeprintError("a profile is JSON", where=args.output, remedy="give a name that ends in .json")
    takes = _load_all(args.take, settings, "takes")
    from ..analysis.fit import fit

    profile = fit(*takes, name=args.name or target.stem, kind=args.kind)
    profile.save(target, force=args.force)
    from .words import count, plain_lines

    head = f"{profile.name}: a {profile.kind} profile of {count(len(takes), 'take')}, written to {args.output}"
    say(shown([head, *plain_lines(profile.card), *_thin(profile.card)]))
    if args.json:
        write_json(profile.to_json())
    return DONE


def _thin(card: Mapping[str, Any]) -> list[str]:
    """Return a doubt about a profile that stands on next to nothing."""
    notes = (card.get("figures") or {}).get("notes")
    if not isinstance(notes, int) or notes >= _FEW_NOTES:
        return []
    return [f"  note: {notes} notes tell little of a player: below {_FEW_NOTES} the figures are mostly chance"]


def run_export(args: argparse.Namespace) -> int:
    """``takeprint export``."""
    from ..core.deviations import Deviations
    from .exports import export

    keep = args.output != "-"
    if keep:
        check_output(args.output, force=args.force, inputs=[args.document])
        if args.to != "tempo-map":
            refuse_music_name(args.output, f"{args.to} is text", ".txt" if args.to == "audacity" else f".{args.to}")
    data = export(Deviations.load(args.document), args.to)
    if keep:
        write_atomic(args.output, data, force=args.force, inputs=[args.document])
        say(shown([f"{args.to} written to {args.output}, {len(data)} bytes"]))
        return DONE
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        raise TakeprintError("standard output takes no bytes here", remedy="give -o FILE")
    sys.stdout.flush()
    raw.write(data)
    raw.flush()
    return DONE


def run_demo(args: argparse.Namespace) -> int:
    """``takeprint demo``."""
    from .demo import run_demo as show

    with compile_notice():
        return show(args.folder, force=args.force)
