"""The command line: results, words, exit codes, and refusals in one line."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from takeprint.app import cli
from takeprint.app.cli import build_parser, main
from takeprint.app.progress import COMPILING, Progress, compile_notice, one_line
from takeprint.core.deviations import Deviations
from takeprint.core.errors import TakeprintError

COMMANDS = ("measure", "humanize", "compare", "fit", "profiles", "export", "inspect", "demo")
HEAVY = ("librosa", "numba", "numpy", "scipy", "matplotlib", "mido", "soundfile", "pretty_midi", "partitura")


def takeprint(*args: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "takeprint.app.cli", *args]
    return subprocess.run(command, capture_output=True, timeout=120, check=False, **options)  # type: ignore[call-overload]


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """Run a command that must be refused: exit code 2, nothing on standard output, one line of words."""
    assert main(list(args)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("takeprint: ")
    return lines[0]


# ---- help and version


def test_help_is_light() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "takeprint.app.cli", "--help"],
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert loaded & set(HEAVY) == set()
    assert all(command in done.stdout for command in COMMANDS)


def test_help_is_quick() -> None:
    # The whole process beside a bare interpreter's: a loaded machine slows both.
    def seconds(*args: str) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([sys.executable, *args], capture_output=True, check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    assert seconds("-m", "takeprint.app.cli", "--help") < seconds("-c", "pass") + 0.3


def subparsers() -> dict[str, argparse.ArgumentParser]:
    actions = build_parser()._actions
    return next(a.choices for a in actions if isinstance(a, argparse._SubParsersAction))  # type: ignore[return-value]


def test_every_command_has_a_help_with_examples_that_it_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(subparsers()) == set(COMMANDS)
    for name, parser in subparsers().items():
        text = parser.format_help()
        assert "examples:" in text, name
        examples = re.findall(r"^ {2}takeprint (.+?)(?: {2,}.*)?$", text, re.MULTILINE)
        assert examples, name
        for example in examples:
            args = build_parser().parse_args(example.split("|")[0].split())
            assert args.command in COMMANDS


def test_the_guide_shows_commands_that_exist() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    examples = re.findall(r"^takeprint (.+?)(?: +#.*)?$", page, re.MULTILINE)
    assert {e.split()[0] for e in examples} >= set(COMMANDS)
    for example in examples:
        if example not in ("--version", "--help"):
            build_parser().parse_args(example.split("|")[0].split(">")[0].split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"takeprint \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


# ---- measure


def test_measure_tells_a_person(midi_take: Path, midi_score: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", str(midi_take), "--against", str(midi_score)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    for word in ("latency", "tempo", "timing", "sd", "lag-1", "DFA", "dynamics", "articulation", "slips", "score.mid"):
        assert word in said.out, word
    sd_ms = float(re.search(r"timing +sd ([\d.]+) ms", said.out)[1])  # type: ignore[index]
    assert 6.5 < sd_ms < 9.5  # 8 ticks of 1.04 ms were planted; the tempo curve follows a little of it


def test_measure_writes_json_to_standard_output_and_words_to_standard_error(
    midi_take: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in (["--json"], ["-o", "-"]):
        assert main(["measure", str(midi_take), *option]) == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["schema"] == "takeprint.deviations/1"
        assert "timing" in said.err


def test_measure_against_a_score_writes_all_it_is_asked_for(
    midi_take: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "dev.json"
    args = ["measure", str(midi_take), "--against", str(midi_score), "-o", str(out)]
    assert main([*args, "--csv", str(tmp_path / "csv"), "--plot", str(tmp_path / "plot")]) == 0
    assert "2 missed" in capsys.readouterr().out
    assert len(Deviations.load(out).notes) > 100
    tables = ["alignment.csv", "events.csv", "level.csv", "notes.csv", "pitch.csv", "tempo.csv"]
    assert sorted(p.name for p in (tmp_path / "csv").iterdir()) == tables
    pictures = list((tmp_path / "plot").glob("*.png"))
    assert "timing.png" in {p.name for p in pictures}
    assert all(p.read_bytes()[:4] == b"\x89PNG" for p in pictures)


def test_measure_of_several_takes_without_an_output_tells_all(
    midi_take: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"")
    assert main(["measure", str(midi_take), str(bad), str(midi_score), "--json"]) == 1
    said = capsys.readouterr()
    names = [json.loads(line)["take"]["name"] for line in said.out.splitlines()]
    assert names == ["take.mid", "score.mid"]
    assert "takeprint: " in said.err
    assert "bad.mid" in said.err
    assert main(["measure", str(bad), str(tmp_path / "none.mid")]) == 2


def test_a_folder_is_a_batch_that_goes_on(midi_take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    takes, out = tmp_path / "takes", tmp_path / "out"
    takes.mkdir()
    for name in ("a.mid", "b.mid"):
        shutil.copy(midi_take, takes / name)
    (takes / "bad.mid").write_bytes(b"MThd")
    (takes / "notes.txt").write_text("not music")
    args = ["measure", str(takes), "-o", str(out), "--jobs", "1", "--csv", str(out / "csv")]
    assert main(args) == 1
    said = capsys.readouterr().err
    assert "2 done, 1 failed" in said
    assert "1 .txt" in said
    assert (out / "csv" / "a.mid" / "notes.csv").is_file()
    assert main(args) == 1
    assert "0 done, 2 kept from an earlier run, 1 failed" in capsys.readouterr().err
    (takes / "bad.mid").unlink()
    assert main(args) == 0


def test_batches_give_the_same_bytes_with_any_number_of_workers(
    midi_take: Path, drum_pattern: Path, tmp_path: Path
) -> None:
    inputs = [str(midi_take), str(drum_pattern)]
    for command in ("measure", "humanize"):
        one, two = tmp_path / f"{command}-1", tmp_path / f"{command}-2"
        assert main([command, *inputs, "-o", str(one), "--jobs", "1"]) == 0
        assert main([command, *inputs[::-1], "-o", str(two), "--jobs", "2"]) == 0
        names = sorted(p.name for p in one.iterdir() if not p.name.startswith("."))
        assert len(names) == 2
        for name in names:
            assert (one / name).read_bytes() == (two / name).read_bytes()


# ---- humanize


def test_humanize_plays_and_reports(drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "played.mid"
    assert main(["humanize", str(drum_pattern), "-o", str(out), "--seed", "7", "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["seed"] == 7
    assert report["report"]["timing"]["n_changed"] > 100
    assert "timing" in said.err
    assert main(["inspect", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["disclosure"]["seed"] == "7"
    assert told["disclosure"]["amounts"]["timing"] == 1.0


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(drum_pattern: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["humanize", str(drum_pattern), "-o", str(tmp_path / f"{name}.mid"), "--seed", seed]) == 0
    a, b, c = ((tmp_path / f"{name}.mid").read_bytes() for name in "abc")
    assert a == b != c


def test_takes_are_seeds_in_a_row(drum_pattern: Path, tmp_path: Path) -> None:
    out = tmp_path / "takes"
    assert main(["humanize", str(drum_pattern), "-o", str(out), "--takes", "3", "--seed", "4", "--jobs", "1"]) == 0
    assert main(["humanize", str(drum_pattern), "-o", str(tmp_path / "six.mid"), "--seed", "6"]) == 0
    assert (out / "beat.take3.mid").read_bytes() == (tmp_path / "six.mid").read_bytes()
    assert len({p.read_bytes() for p in out.glob("*.mid")}) == 3


def test_amount_zero_copies_the_bytes(drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k, amounts in enumerate((["--amount", "0"], [f"--{trace}=0" for trace in cli.TRACE_AMOUNTS])):
        out = tmp_path / f"{k}.mid"
        assert main(["humanize", str(drum_pattern), "-o", str(out), *amounts]) == 0
        assert out.read_bytes() == drum_pattern.read_bytes()
        assert "byte for byte" in capsys.readouterr().err


def test_amounts_are_laid_in_trace_by_trace(
    drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.mid"
    assert main(["humanize", str(drum_pattern), "-o", str(out), "--timing", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["report"]
    assert report["timing"]["n_changed"] == 0
    assert report["dynamics"]["n_changed"] > 0
    assert main(["humanize", str(drum_pattern), "-o", str(out), "--breath", "1", "--force"]) == 0
    assert "--breath has no effect" in capsys.readouterr().err


@pytest.mark.parametrize("amount", ["nan", "inf", "-inf", "1e300", "11", "-10.5", "much", ""])
def test_amounts_out_of_range_are_refused(amount: str, capsys: pytest.CaptureFixture[str], drum_pattern: Path) -> None:
    assert "no amount" in refusal(capsys, "humanize", str(drum_pattern), "-o", "x.mid", f"--timing={amount}")


def test_a_take_can_lend_its_deviations(
    midi_take: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "like.mid"
    assert main(["humanize", str(midi_score), "-o", str(out), "--like", str(midi_take)]) == 0
    assert "like take.mid" in capsys.readouterr().err
    assert out.read_bytes() != midi_score.read_bytes()


def test_tracks_by_name_and_number(
    drum_pattern: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for k, track in enumerate(("Part", "part", "0")):
        assert main(["humanize", str(drum_pattern), "-o", str(tmp_path / f"{k}.mid"), "--track", track]) == 0
    capsys.readouterr()
    said = refusal(capsys, "humanize", str(drum_pattern), "-o", str(tmp_path / "x.mid"), "--track", "Bass")
    assert "its tracks are 0 Part" in said


# ---- compare, fit, profiles, export, inspect


def test_fit_compare_and_profiles(
    midi_take: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, played, out = tmp_path / "ada.json", tmp_path / "played.mid", tmp_path / "cmp.json"
    assert main(["fit", str(midi_take), "--against", str(midi_score), "-o", str(profile), "--name", "ada"]) == 0
    assert main(["humanize", str(midi_score), "-o", str(played), "--profile", str(profile)]) == 0
    args = ["compare", str(midi_take), str(played), "--against", str(midi_score)]
    capsys.readouterr()
    assert main([*args, "-o", str(out), "--plot", str(tmp_path / "plot")]) == 0
    said = capsys.readouterr().out
    assert "take.mid (real) against played.mid (synthetic)" in said
    assert json.loads(out.read_text(encoding="utf-8"))["schema"] == "takeprint.comparison/1"
    assert (tmp_path / "plot" / "comparison.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["inspect", str(out)]) == 0
    assert "take.mid (real)" in capsys.readouterr().out
    assert main(["profiles", "show", str(profile)]) == 0
    assert "ada: a " in capsys.readouterr().out


def test_compare_takes_measured_documents_and_lists(
    midi_take: Path, midi_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = tmp_path / "dev.json"
    assert main(["measure", str(midi_take), "-o", str(dev)]) == 0
    capsys.readouterr()
    assert main(["compare", "--real", str(dev), str(midi_take), "--synthetic", str(dev), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["real"]["n_takes"] == 2
    assert document["traces"]["timing"]["distance"] == pytest.approx(0.0)


def test_profiles_lists_what_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert sum(p["kind"] == "drums" for p in listed) >= 6
    assert main(["profiles"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(listed)
    assert "shipped are" in refusal(capsys, "profiles", "show", "nobody")


@pytest.mark.parametrize("to", cli.EXPORTS)
def test_export_writes_every_format(
    to: str, midi_take: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    dev, out = tmp_path / "dev.json", tmp_path / "out"
    assert main(["measure", str(midi_take), "-o", str(dev)]) == 0
    assert main(["export", str(dev), "--to", to, "-o", str(out)]) == 0
    capsysbinary.readouterr()
    assert main(["export", str(dev), "--to", to, "-o", "-"]) == 0
    assert capsysbinary.readouterr().out == out.read_bytes() != b""


# ---- refusals


def test_refusals_are_one_line(
    midi_take: Path, midi_score: Path, drum_pattern: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there.mid"
    there.write_bytes(b"mine")
    dev = tmp_path / "broken.json"
    dev.write_text('{"schema": "takeprint.deviations/1"}')
    deep = tmp_path / "deep.json"
    deep.write_text('{"a":' * 50_000)
    (tmp_path / "empty").mkdir()
    take, score, beat = str(midi_take), str(midi_score), str(drum_pattern)
    cases = [
        (["measure"], "required: TAKE"),
        (["oops"], "invalid choice"),
        (["measure", take, "--click", "0"], "no click"),
        (["measure", take, "--click", "nan"], "no click"),
        (["measure", take, "--click", "120", "--against", score], "one reference"),
        (["measure", take, "--meter", "4/3"], "meter"),
        (["measure", "nowhere.mid"], "no such file"),
        (["measure", "no\nsuch\x1b[31m.mid"], "no"),
        (["measure", str(tmp_path / "empty")], "no MIDI or audio"),
        (["measure", take, score, "-o", str(there)], "folder"),
        (["measure", take, score, "-o", "all.json"], "folder"),
        (["measure", take, "-o", str(there)], "--force"),
        (["measure", take, "-o", take, "--force"], "input"),
        (["measure", str(dev)], "JSON"),
        (["measure", take, "-o", str(tmp_path / "no" / "such" / "folder.json")], ""),
        (["measure", take, "--jobs", "0"], "no count"),
        (["humanize", beat], "-o"),
        (["humanize", beat, "-o", "-"], "file"),
        (["humanize", beat, "-o", beat, "--force"], "input"),
        (["humanize", beat, "-o", str(there)], "--force"),
        (["humanize", beat, "-o", "x.wav"], "MIDI in is MIDI out"),
        (["humanize", beat, "-o", "x.mid", "--takes", "2"], "folder"),
        (["humanize", beat, "-o", "x.mid", "--profile", "nobody"], "shipped are"),
        (["humanize", beat, "-o", "x.mid", "--profile", str(dev)], "profile"),
        (["humanize", beat, "-o", "x.mid", "--like", "nowhere.mid"], "no such file"),
        (["humanize", beat, "-o", take, "--like", take, "--force"], "input"),
        (["humanize", beat, "-o", "x.mid", "--seed", "-1"], "no seed"),
        (["compare", take], "two"),
        (["compare"], "missing"),
        (["compare", take, take, "--real", take], "one way"),
        (["compare", take, "nowhere.mid"], "no such file"),
        (["fit", take, "-o", str(tmp_path / "p.npz")], "JSON"),
        (["fit", str(deep), "-o", str(tmp_path / "p.json")], "JSON"),
        (["export", str(dev), "--to", "csv", "-o", "x"], "missing"),
        (["export", take, "--to", "csv", "-o", "x"], "JSON"),
        (["inspect", str(deep)], "JSON"),
        (["inspect", str(tmp_path)], "folder"),
    ]
    for args, words in cases:
        assert words in refusal(capsys, *args), args
    assert there.read_bytes() == b"mine"


def test_strict_refuses_what_would_be_repaired(
    midi_take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.mid"
    cut.write_bytes(midi_take.read_bytes()[:-40])
    assert main(["measure", str(cut)]) == 0
    assert "repaired" in capsys.readouterr().out
    refusal(capsys, "measure", str(cut), "--strict")


def test_odd_names_are_safe(midi_take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    odd = [b"-dash.mid", b"new\nline.mid", b"\xff\xfe.mid", "ピアノ é🎹.mid".encode(), b"sp ace'\"$(x).mid", b"%s.mid"]
    for name in odd:
        shutil.copy(midi_take, os.fsencode(folder) + b"/" + name)
    monkeypatch.chdir(folder)
    done = takeprint("measure", ".", "-o", str(tmp_path / "out"), "--jobs", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert len(json.loads(done.stdout)["files"]) == len(odd)
    assert len(list((tmp_path / "out").glob("*.json"))) == len(odd)
    done = takeprint("measure", os.fsdecode(odd[2]), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["notes"]
    for k, args in enumerate((["--", "-dash.mid"], ["./-dash.mid"], ["new\nline.mid"], [os.fsdecode(odd[2])])):
        assert main(["measure", "-o", str(tmp_path / f"{k}.json"), *args]) == 0


def test_without_standard_output_it_still_works(
    midi_take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["measure", str(midi_take), "-o", str(tmp_path / "d.json")]) == 0
    assert main(["measure", "nowhere.mid"]) == 2


def test_the_limits_in_the_help_are_those_that_hold() -> None:
    from takeprint.core.smf_file import SmfLimits

    limits, text = SmfLimits(), " ".join(subparsers()["measure"].format_help().split())
    assert f"{limits.max_bytes >> 20} MiB, {limits.max_tracks} tracks, {limits.max_events} events" in text
    assert f"{limits.max_message_bytes >> 20} MiB a message" in text


def test_a_folder_of_documents_is_fitted_and_compared(
    midi_take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "devs"
    assert main(["measure", str(midi_take), "-o", f"{folder}/", "--jobs", "1"]) == 0
    assert main(["fit", str(folder), "-o", str(tmp_path / "p.json")]) == 0
    capsys.readouterr()
    assert main(["compare", str(folder), str(midi_take), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["real"]["takes"] == ["take.mid"]


def test_a_reference_is_known_by_its_content(midi_take: Path, midi_score: Path, tmp_path: Path) -> None:
    out, copied = tmp_path / "out", tmp_path / "copied.mid"
    shutil.copy(midi_score, copied)
    args = ["measure", str(midi_take), "-o", f"{out}/", "--jobs", "1", "--against"]
    assert main([*args, str(midi_score)]) == 0
    assert main([*args, str(copied)]) == 0  # kept: the same reference by another name
    copied.write_bytes(midi_take.read_bytes())
    assert main([*args, str(copied)]) == 2  # another reference: the old output is not replaced


# ---- the process


def test_an_error_of_ours_is_one_line_and_70(
    midi_take: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("takeprint.app.jobs.measured", broken)
    monkeypatch.delenv("TAKEPRINT_DEBUG", raising=False)
    assert main(["measure", str(midi_take)]) == 70
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "KeyError" in said
    assert "report" in said
    monkeypatch.setenv("TAKEPRINT_DEBUG", "1")
    assert main(["measure", str(midi_take)]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 2, "memory"),
        (OSError(28, "No space left on device"), 2, "No space left"),
        (TakeprintError("two\nlines"), 2, "two lines"),
    ],
)
def test_whatever_happens_is_one_line(
    wrong: BaseException,
    code: int,
    words: str,
    midi_take: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise wrong

    monkeypatch.setattr("takeprint.app.jobs.measured", broken)
    assert main(["measure", str(midi_take)]) == code
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert words in said


def test_warnings_of_libraries_do_not_leak(
    midi_take: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    from takeprint.app.jobs import measured

    def noisy(*args: object, **options: object) -> Deviations:
        warnings.warn("a library is old", DeprecationWarning, stacklevel=1)
        return measured(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("takeprint.app.jobs.measured", noisy)
    assert main(["measure", str(midi_take)]) == 0
    assert capsys.readouterr().err == ""


def test_libraries_in_c_are_hushed_and_our_words_are_not() -> None:
    script = (
        "import os, sys; from takeprint.app.progress import hushed_libraries, complain\n"
        "with hushed_libraries():\n    os.write(2, b'noise of a decoder'); complain('é \\udcff')\n"
        "os.write(2, b'after')"
    )
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", script], capture_output=True, check=True)
    assert done.stderr.decode() == "takeprint: é \\udcff\nafter"


def test_a_closed_pipe_is_quiet(midi_take: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "takeprint.app.cli", "measure", str(midi_take), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 141
    assert said == b""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_batch_in_one_line_and_leaves_nothing_half(midi_take: Path, tmp_path: Path) -> None:
    takes, out = tmp_path / "takes", tmp_path / "out"
    takes.mkdir()
    for k in range(300):
        shutil.copy(midi_take, takes / f"{k:03}.mid")
    command = [sys.executable, "-m", "takeprint.app.cli", "measure", str(takes), "-o", str(out), "--jobs", "2"]
    # A shell that runs the tests in the background lets its children ignore Ctrl-C; this child must not inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    signal.signal(signal.SIGINT, before)
    with process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(list(out.glob("*.json"))) < 5:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "takeprint: interrupted; nothing half-written is left"
    assert len([line for line in said.splitlines() if "compiling" not in line]) == 1
    done = list(out.glob("*.json"))
    assert 5 <= len(done) < 300
    for path in done:
        json.loads(path.read_text(encoding="utf-8"))
    assert list(out.glob(".takeprint-*.tmp")) == []


# ---- what is said while waiting


def test_compiling_is_said_once_and_only_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import event

    monkeypatch.setattr("takeprint.app.progress._PATIENCE_S", 0.05)
    said: list[str] = []
    with compile_notice(said.append):
        event.start_event("numba:compile", data={})
        event.end_event("numba:compile", data={})
        assert said == []
        for _ in range(2):
            event.start_event("numba:compile", data={})
            time.sleep(0.1)
            event.end_event("numba:compile", data={})
    assert said == [COMPILING]


def test_one_line_shows_what_a_terminal_must_not_get() -> None:
    assert one_line("a\x1b[31m b\nc \udcff") == "a\\x1b[31m b c \\udcff"


def test_numbers_never_say_minus_zero() -> None:
    from takeprint.app.words import number

    assert number(-0.04) == "0.0"
    assert number(np.nan) == "unknown"
    assert number(0.05, 2, True) == "+0.05"


class Screen(io.StringIO):
    """A standard error that is a terminal, or not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_drawn_on_a_terminal_only(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress(4, "files") as progress:
        progress.step()
    assert ("1/4 files" in screen.getvalue()) is terminal
    if terminal:
        assert screen.getvalue().endswith("\r\x1b[K")  # and it is taken away at the end
    assert "\x1b[3" not in screen.getvalue()  # no colour, so NO_COLOR is honoured


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("measure", "{take}"), "other.mid"),
        (("fit", "{take}"), "other.wav"),
        (("compare", "{take}", "{take}"), "other.flac"),
        (("export", "{document}", "--to", "csv"), "other.mid"),
        (("humanize", "{take}"), "other.json"),
    ],
)
def test_a_document_never_takes_the_name_of_a_take(
    options: tuple[str, ...], name: str, midi_take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, target = tmp_path / "d.json", tmp_path / name
    assert main(["measure", str(midi_take), "-o", str(document)]) == 0
    capsys.readouterr()
    target.write_bytes(b"a recording")
    said = refusal(
        capsys, *(o.format(take=midi_take, document=document) for o in options), "-o", str(target), "--force"
    )
    assert f"ends in {target.suffix}" in said
    assert target.read_bytes() == b"a recording"


def test_a_missing_folder_is_refused_before_the_work(
    midi_take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there is no folder" in refusal(capsys, "measure", str(midi_take), "-o", str(tmp_path / "none" / "d.json"))


def test_a_name_cannot_speak_to_the_terminal(
    midi_take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a\n\x1b[31mb.mid"
    source.write_bytes(midi_take.read_bytes())
    assert main(["measure", str(source)]) == 0
    assert main(["humanize", str(source), "-o", str(tmp_path / "\x1b]0;c.mid")]) == 0
    assert main(["inspect", str(source)]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "a\\n\\x1b[31mb.mid: " in out


def test_a_profile_of_next_to_nothing_says_so(
    midi_take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import mido

    few = mido.MidiFile()
    few.add_track().extend(mido.Message(kind, note=60, time=240) for kind in ("note_on", "note_off") * 5)
    few.save(tmp_path / "few.mid")
    profile, played = tmp_path / "few.json", tmp_path / "played.mid"
    assert main(["fit", str(tmp_path / "few.mid"), "-o", str(profile), "--click", "file"]) == 0
    assert "5 notes tell little" in capsys.readouterr().err
    assert main(["humanize", str(tmp_path / "few.mid"), "-o", str(played), "--profile", str(profile)]) == 0
    assert "nothing was moved" in capsys.readouterr().err
    document = json.loads(profile.read_text())
    document["model"]["timing"]["clock"]["sd"] = "x"
    profile.write_text(json.dumps(document))
    said = refusal(capsys, "humanize", str(midi_take), "-o", str(tmp_path / "no.mid"), "--profile", str(profile))
    assert "timing.clock.sd is 'x'" in said


def test_ctrl_c_before_the_work_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("takeprint.app.cli.build_parser", interrupted)
    assert main(["profiles"]) == 130
    assert capsys.readouterr().err == "takeprint: interrupted; nothing half-written is left\n"
