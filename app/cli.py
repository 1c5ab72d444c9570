"""The command line: options in, one call of the Python API each, exit code out.

Conventions
-----------
Results go to standard output, words to standard error. Exit codes: 0 done; 1 done with failures listed; 2 refused,
with one clear line; 70 an error of Takeprint's own, in one line (``TAKEPRINT_DEBUG=1`` shows the traceback); 130
interrupted; 141 the reader of a pipe went away. Only ``argparse`` is imported here, so that ``--help`` is quick: what
a command needs it imports when it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from ..core.errors import TakeprintError
from .progress import complain, hushed_libraries
from .steering_options import add_steering

DONE, SOME_FAILED, REFUSED, INTERNAL, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 70, 130, 141
AMOUNT_LIMIT = 10.0
TRACE_AMOUNTS = ("tempo", "timing", "dynamics", "articulation", "intonation", "breath", "friction", "slips")
EXPORTS = ("csv", "json", "audacity", "tempo-map", "match")

_MEASURE_EXAMPLES = """examples:
  takeprint measure drums.mid                          against the file's own tempo map, or the beat found in it
  takeprint measure live.wav --click 96                against a click of 96 bpm
  takeprint measure live.mid --against score.mid -o live.json --plot pictures
  takeprint measure live.wav --against studio.wav      live against the studio version, either side audio or MIDI
  takeprint measure live.wav --against score.musicxml  every written note is listened for
  takeprint measure live.wav --json | jq .summary      JSON on standard output
  takeprint measure takes/ -o results --jobs 4         a folder: resumable, one bad file stops nothing

limits: MIDI of at most 256 MiB, 16384 tracks, 20000000 events, 16 MiB a message; audio of at most 64 channels and
1 to 768 kHz. What a file claims is never allocated before it is there.
"""
_HUMANIZE_EXAMPLES = """examples:
  takeprint humanize beat.mid -o played.mid            with a shipped profile that fits
  takeprint humanize beat.mid -o played.mid --profile drums-rock --amount 0.8 --seed 7
  takeprint humanize beat.mid -o played.mid --like take.mid --tempo 0
  takeprint humanize song.mid -o played.mid --track Bass --track 3
  takeprint humanize beat.mid -o takes --takes 5       five different takes into the folder `takes`
  takeprint humanize loop.wav -o played.wav            audio in, audio out: attacks are moved
  takeprint humanize beat.mid -o played.mid --nail-the-one --tight "&:0.5"
  takeprint humanize beat.mid -o played.mid --late snare:8 --push 3      snare laid back, all a little ahead
  takeprint humanize beat.mid -o played.mid --swing 0.62 --protect beat=1
  takeprint humanize song.mid -o played.mid --set track=Bass timing=0.5 --set bars=1-4 amount=0
  takeprint humanize beat.mid -o played.mid --profile drums-funk:0.7,drums-rock:0.3
  takeprint humanize song.mid -o played.mid --profile piano-plain --drums drums-jazz --slip-rate 1

amounts: 0 leaves a trace as it is written, 1 is as measured, 0 to 1.3 is the musical range, a negative amount inverts.
--amount multiplies the amount of every trace; --amount 0 copies the file, byte for byte.
--slips A: A times the slips that the profile's player makes, or A in 100 notes where it does not know.
"""
_COMPARE_EXAMPLES = """examples:
  takeprint compare take.mid played.mid
  takeprint compare take.json played.json -o comparison.json --plot pictures
  takeprint compare --real a.mid b.mid --synthetic c.mid d.mid --against score.mid
  takeprint compare --real ann bob --synthetic made/ann made/bob --click file --group-by folder
"""
_FIT_EXAMPLES = """examples:
  takeprint fit take1.mid take2.mid --click file -o ada.json --name ada
  takeprint fit take.json -o ada.json                  from deviations that are measured already
  takeprint humanize beat.mid -o played.mid --profile ada.json
"""
_PROFILES_EXAMPLES = """examples:
  takeprint profiles                                   the shipped profiles
  takeprint profiles show drums-rock                   its source, licence and figures
  takeprint profiles show ada.json --json
"""
_EXPORT_EXAMPLES = """examples:
  takeprint export live.json --to csv -o notes.csv           a row a note, for any spreadsheet
  takeprint export live.json --to audacity -o labels.txt     File > Import > Labels in Audacity
  takeprint export live.json --to tempo-map -o tempo.mid     the grid of a DAW follows the take
"""
_INSPECT_EXAMPLES = """examples:
  takeprint inspect played.mid                         what the file is, and whether it says it was humanized
  takeprint inspect live.json --json
"""
_DEMO_EXAMPLES = """examples:
  takeprint demo                                       into the folder takeprint-demo
  takeprint demo listen --force
"""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose refusals are one line."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message}; see `{self.prog} --help`")
        raise SystemExit(REFUSED)


class _Version(argparse.Action):
    """``--version``, asked of the installed package only when it is wanted."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        sys.stdout.write(f"takeprint {version()}\n")
        parser.exit(DONE)


def version() -> str:
    """Return the installed version."""
    from ..humanize.disclosure import program_version

    return program_version()


def _amount(said: str) -> float:
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and abs(value) <= AMOUNT_LIMIT):
        raise argparse.ArgumentTypeError(f"{said!r} is no amount: -10 to 10; 0 to 1.3 is the musical range")
    return value


def _click(said: str) -> float | str:
    if said in ("file", "none"):
        return said
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not 10.0 <= value <= 1000.0:
        raise argparse.ArgumentTypeError(f"{said!r} is no click: give 10 to 1000 bpm, `file` or `none`")
    return value


def _count(said: str) -> int:
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:7]) <= 10_000):
        raise argparse.ArgumentTypeError(f"{said!r} is no count: give 1 to 10000")
    return int(said)


def _seed(said: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) <= 18):
        raise argparse.ArgumentTypeError(f"{said!r} is no seed: give a whole number from 0 to 10^18")
    return int(said)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="takeprint",
        description="Measures the human trace in a recorded performance, adds such traces to quantized MIDI or audio, "
        "and holds real and synthetic takes side by side.",
        epilog="A file whose name starts with a dash is written ./-name. `takeprint COMMAND --help` shows examples.\n"
        "Exit codes: 0 done, 1 done with failures listed, 2 refused, 70 an error of Takeprint itself.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for add in (
        _add_measure,
        _add_humanize,
        _add_compare,
        _add_fit,
        _add_profiles,
        _add_export,
        _add_inspect,
        _add_demo,
    ):
        add(commands)
    return parser


def _command(commands: Any, name: str, said: str, examples: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=said,
        description=said[0].upper() + said[1:] + ".",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(command=name)
    return command


def _add_reference(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--against", metavar="REF", help="the reference: MIDI, MusicXML, a match file or audio (the studio version)"
    )
    command.add_argument(
        "--click",
        type=_click,
        metavar="BPM|file|none",
        help="a click of so many bpm; `file`: the MIDI file's own tempo map; `none`: find the beat in the notes "
        "(default: the file's own map where the notes agree with it)",
    )
    command.add_argument("--meter", metavar="4/4", help="the metre, where the file does not say it")


def _add_output(command: argparse.ArgumentParser, said: str, *, required: bool = False) -> None:
    command.add_argument("-o", "--output", metavar="OUT", required=required, help=said)
    command.add_argument("--force", action="store_true", help="let an existing output be replaced; an input never is")


def _add_measure(commands: Any) -> None:
    command = _command(commands, "measure", "measure what a player did, note by note", _MEASURE_EXAMPLES)
    command.add_argument("take", nargs="+", metavar="TAKE", help="MIDI or audio files, or folders of them")
    _add_reference(command)
    _add_output(command, "DEV.json, or - for standard output; a folder where there are several takes")
    command.add_argument("--csv", metavar="DIR", help="write the tables as CSV into this folder")
    command.add_argument("--plot", metavar="DIR", help="draw the traces into this folder, as PNG")
    command.add_argument("--jobs", type=_count, metavar="N", help="worker processes of a batch (default: one a core)")
    command.add_argument("--strict", action="store_true", help="refuse what would be repaired")
    command.add_argument("--json", action="store_true", help="write JSON to standard output")


def _add_humanize(commands: Any) -> None:
    command = _command(commands, "humanize", "add human traces to quantized MIDI or audio", _HUMANIZE_EXAMPLES)
    command.add_argument("input", nargs="+", metavar="IN", help="MIDI or audio files, or folders of them")
    _add_output(command, "the played file; a folder where there are several inputs or takes", required=True)
    who = command.add_mutually_exclusive_group()
    who.add_argument(
        "--profile",
        metavar="NAME|FILE",
        help="a shipped profile, one of your own (see `profiles`), or a mixture: drums-funk:0.7,drums-rock:0.3",
    )
    who.add_argument("--like", metavar="TAKE", help="lay the deviations of this take (MIDI, audio, DEV.json) on it")
    command.add_argument("--drums", metavar="NAME|FILE", help="another profile for the kit")
    command.add_argument(
        "--player", choices=("auto", "learned", "donor", "parametric"), help="who invents (default: the best there is)"
    )
    command.add_argument("--amount", type=_amount, default=1.0, metavar="A", help="over all; 0 to 1.3 is musical")
    for trace in TRACE_AMOUNTS:
        usual = "none" if trace == "slips" else "1"
        command.add_argument(f"--{trace}", type=_amount, metavar="A", help=f"amount of {trace} (default {usual})")
    command.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="another number is another take (default 0)"
    )
    command.add_argument("--track", action="append", metavar="N|NAME", help="only this track (may be given again)")
    command.add_argument(
        "--tempo-as",
        choices=("tempo-events", "notes"),
        default="tempo-events",
        help="write tempo as tempo events (bars stay on the grid) or by moving every event",
    )
    command.add_argument(
        "--regenerate", action="store_true", help="let the player's own accents replace the written velocities"
    )
    command.add_argument("--no-disclosure", action="store_true", help="leave out the text that says it was humanized")
    command.add_argument("--takes", type=_count, default=1, metavar="N", help="so many different takes of every input")
    command.add_argument("--jobs", type=_count, metavar="N", help="worker processes of a batch (default: one a core)")
    command.add_argument("--json", action="store_true", help="write the report as JSON to standard output")
    add_steering(command)


def _add_compare(commands: Any) -> None:
    command = _command(commands, "compare", "hold real and synthetic takes side by side", _COMPARE_EXAMPLES)
    command.add_argument("pair", nargs="*", metavar="REAL SYNTHETIC", help="two takes or DEV.json files")
    command.add_argument("--real", nargs="+", metavar="TAKE", default=[], help="real takes or DEV.json files")
    command.add_argument("--synthetic", nargs="+", metavar="TAKE", default=[], help="synthetic ones")
    command.add_argument(
        "--group-by",
        choices=("take", "folder"),
        default="take",
        help="what the judge never sees parts of before it is asked about the rest: a take with what was made of it "
        "(default), or all takes of a folder (one folder a player)",
    )
    _add_reference(command)
    _add_output(command, "CMP.json, or - for standard output")
    command.add_argument("--plot", metavar="DIR", help="draw both sides into this folder, as PNG")
    command.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the permutation test (default 0)")
    command.add_argument("--json", action="store_true", help="write JSON to standard output")


def _add_fit(commands: Any) -> None:
    command = _command(commands, "fit", "learn a profile from takes", _FIT_EXAMPLES)
    command.add_argument("take", nargs="+", metavar="TAKE", help="takes or DEV.json files")
    _add_reference(command)
    _add_output(command, "PROFILE.json", required=True)
    command.add_argument("--name", help="the profile's name (default: the output's)")
    command.add_argument("--kind", choices=("drums", "keyboard", "melody"), help="default: what the takes hold")
    command.add_argument("--json", action="store_true", help="write the profile to standard output as well")


def _add_profiles(commands: Any) -> None:
    command = _command(commands, "profiles", "list the shipped profiles, or show one", _PROFILES_EXAMPLES)
    command.add_argument("action", nargs="?", choices=("show",), help="show one profile")
    command.add_argument("name", nargs="?", metavar="NAME|FILE")
    command.add_argument("--json", action="store_true", help="write JSON to standard output")


def _add_export(commands: Any) -> None:
    command = _command(commands, "export", "write deviations for other programs", _EXPORT_EXAMPLES)
    command.add_argument("document", metavar="DEV.json")
    command.add_argument("--to", required=True, choices=EXPORTS, help="the format")
    _add_output(command, "the file, or - for standard output", required=True)


def _add_inspect(commands: Any) -> None:
    command = _command(commands, "inspect", "tell what a file is and whether it was humanized", _INSPECT_EXAMPLES)
    command.add_argument("file", metavar="FILE", help="MIDI, audio, a score, or a JSON document of Takeprint")
    command.add_argument("--json", action="store_true", help="write JSON to standard output")


def _add_demo(commands: Any) -> None:
    command = _command(commands, "demo", "see and hear it all on a tune that ships", _DEMO_EXAMPLES)
    command.add_argument("folder", nargs="?", default="takeprint-demo", metavar="DIR")
    command.add_argument("--force", action="store_true", help="replace the files of an earlier demo")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str or None
        The arguments; None takes the process's own.

    Returns
    -------
    int
        The exit code: see the module's Conventions.
    """
    for stream in (sys.stdout, sys.stderr):
        # A file name may hold bytes that no encoding has; it is then shown with escapes.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as left:
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            return _closed_pipe()
        return int(left.code or 0)
    except BrokenPipeError:
        return _closed_pipe()
    except KeyboardInterrupt:
        return _interrupted()
    if os.environ.get("TAKEPRINT_DEBUG"):
        return _guarded(args)
    with warnings.catch_warnings(), hushed_libraries():
        warnings.simplefilter("ignore")  # doubts about an input come in our own words, a library's would leak
        return _guarded(args)


def _guarded(args: argparse.Namespace) -> int:
    """Run the command; whatever happens ends in an exit code and at most one line."""
    try:
        from . import commands

        code = commands.run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except TakeprintError as refusal:
        return _ended(refusal, REFUSED)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        return _closed_pipe()
    except MemoryError:
        return _ended("the memory of this machine is not enough for this input", REFUSED)
    except OSError as wrong:
        where = f"{os.fsdecode(wrong.filename)}: " if isinstance(wrong.filename, str | bytes) else ""
        return _ended(f"{where}{wrong.strerror or wrong}", REFUSED)
    except Exception as wrong:
        said = f"an error of Takeprint itself: {type(wrong).__name__}: {wrong}"
        return _ended(f"{said}; please report it with the traceback that TAKEPRINT_DEBUG=1 shows", INTERNAL)


def _ended(said: object, code: int) -> int:
    if os.environ.get("TAKEPRINT_DEBUG"):
        import traceback

        traceback.print_exc()
    complain(said)
    return code


def _interrupted() -> int:
    complain("interrupted; nothing half-written is left")
    return INTERRUPTED


def _closed_pipe() -> int:
    # Python flushes standard output once more at exit; pointed at nothing, that cannot complain again.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


if __name__ == "__main__":
    raise SystemExit(main())
