"""Batches: resumable, any number of workers, any order, one bad file stops nothing."""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType

import pytest

from takeprint.app.batch import Outcome, Task, run_batch
from takeprint.app.intake import Found, gather, output_names, refuse_inputs_as_outputs
from takeprint.app.journal import NAME, Journal, settings_hash
from takeprint.core.errors import TakeprintError

# Jobs in a module of their own: a worker process imports them by name.
JOBS = """
    import os, signal, time
    from takeprint.core.errors import TakeprintError
    from takeprint.core.files import read_regular, write_atomic

    def reverse(task, mark):
        mark("measure")
        data = read_regular(task.source, 1000)
        if data == b"refuse":
            raise TakeprintError("it says so", where=task.source, rule="it must not")
        if data == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if data == b"crash":
            raise KeyError("an error of ours")
        if data == b"slow":
            time.sleep(30)
        mark("write")
        write_atomic(task.target, data[::-1], force=task.force)
        return {"bytes": len(data)}
"""


@pytest.fixture
def own_jobs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "batch_jobs_of_test.py").write_text(textwrap.dedent(JOBS))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "batch_jobs_of_test", raising=False)
    return importlib.import_module("batch_jobs_of_test")


def tasks_of(files: list[Path], out: Path, job: object, force: bool = False) -> list[Task]:
    return [Task(job, str(f), f"{f.name}.out", str(out), {"command": "reverse"}, force=force) for f in files]


def written(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]


def states(outcomes: list[Outcome]) -> dict[str, str]:
    return {Path(o.source).name: o.state for o in outcomes}


def outputs(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.out"))}


def test_workers_and_order_do_not_change_a_byte(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {f"{i}.bin": str(i * 7919).encode() for i in range(9)} | {"bad": b"refuse"})
    run_batch(tasks_of(files, tmp_path / "one", own_jobs.reverse), tmp_path / "one", jobs=1)
    shuffled = list(files)
    random.Random(4).shuffle(shuffled)
    run_batch(tasks_of(shuffled, tmp_path / "three", own_jobs.reverse), tmp_path / "three", jobs=3)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "three")
    assert len(outputs(tmp_path / "one")) == 9
    one, three = ((tmp_path / f / "failures.csv").read_bytes() for f in ("one", "three"))
    assert one == three


def test_a_bad_file_a_crash_and_a_killed_worker_are_one_failed_file_each(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {"a": b"abc", "k": b"kill", "c": b"crash", "r": b"refuse", "z": b"xyz"})
    out = tmp_path / "out"
    outcomes = run_batch(tasks_of([*files, tmp_path / "in" / "gone"], out, own_jobs.reverse), out, jobs=2)
    assert states(outcomes) == dict(a="done", k="failed", c="failed", r="failed", z="done", gone="failed")
    with (out / "failures.csv").open(newline="") as handle:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(handle)}
    assert set(rows) == {"k", "c", "r", "gone"}
    assert (rows["k"]["stage"], rows["r"]["stage"], rows["gone"]["stage"]) == ("worker", "measure", "read")
    assert "signal 9" in rows["k"]["reason"]
    assert "KeyError" in rows["c"]["reason"]
    assert rows["r"]["reason"] == "it says so; it must not"
    assert outputs(out) == {"a.out": b"cba", "z.out": b"zyx"}


def test_a_second_run_keeps_what_is_done_and_does_the_rest(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {"a": b"abc", "b": b"refuse"})
    out = tmp_path / "out"
    first = run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)
    assert states(first) == {"a": "done", "b": "failed"}
    stamp = (out / "a.out").stat().st_mtime_ns
    files[1].write_bytes(b"mended")
    second = run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)
    assert states(second) == {"a": "kept", "b": "done"}
    assert (out / "a.out").stat().st_mtime_ns == stamp
    assert not (out / "failures.csv").exists()


def test_an_output_that_is_not_ours_or_has_changed_is_kept_unless_forced(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {"a": b"abc", "b": b"def"})
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.out").write_bytes(b"somebody's")
    assert states(run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)) == {"a": "failed", "b": "done"}
    assert (out / "a.out").read_bytes() == b"somebody's"
    (out / "b.out").write_bytes(b"edited")
    assert states(run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)) == {"a": "failed", "b": "failed"}
    assert outputs(out) == {"a.out": b"somebody's", "b.out": b"edited"}
    assert states(run_batch(tasks_of(files, out, own_jobs.reverse, force=True), out, jobs=1)) == dict(
        a="done", b="done"
    )
    assert outputs(out) == {"a.out": b"cba", "b.out": b"fed"}


def test_an_output_written_just_before_a_crash_is_made_again(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {"a": b"abc"})
    out = tmp_path / "out"
    out.mkdir()
    with Journal(out) as journal:
        journal.begin("a.out", settings_hash({"command": "reverse"}))
    with (out / NAME).open("ab") as handle:
        handle.write(b'{"done": "a.out", "sett')  # torn by the crash
    (out / "a.out").write_bytes(b"whole, but not noted")
    assert states(run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)) == {"a": "done"}
    assert outputs(out) == {"a.out": b"cba"}
    assert states(run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)) == {"a": "kept"}


def test_other_settings_do_not_keep_the_old_output(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {"a": b"abc"})
    out = tmp_path / "out"
    run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)
    other = [Task(own_jobs.reverse, str(files[0]), "a.out", str(out), {"command": "reverse", "strict": True})]
    assert states(run_batch(other, out, jobs=1)) == {"a": "failed"}


def test_two_runs_into_one_folder_do_not_meet(tmp_path: Path, own_jobs: ModuleType) -> None:
    with Journal(tmp_path), pytest.raises(TakeprintError, match="another run"):
        run_batch([], tmp_path, jobs=1)
    assert run_batch([], tmp_path, jobs=1) == []


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {"a": b"abc", "s": b"slow", "z": b"xyz"})
    out = tmp_path / "out"
    script = tmp_path / "runs.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(Path(own_jobs.__file__).parent)!r})
        from pathlib import Path
        import batch_jobs_of_test
        from takeprint.app.batch import Task, run_batch
        if __name__ == "__main__":
            out = Path({str(out)!r})
            names = {[str(f) for f in files]!r}
            run_batch([Task(batch_jobs_of_test.reverse, n, Path(n).name + ".out", str(out), {{"command": "reverse"}})
                       for n in names], out, jobs=2)
        """)
    )
    with subprocess.Popen([sys.executable, str(script)]) as process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and len(list(out.glob("*.out"))) < 2:
            time.sleep(0.05)
        process.kill()
    assert len(outputs(out)) == 2
    files[1].write_bytes(b"quick")
    outcomes = run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)
    assert set(states(outcomes).values()) <= {"kept", "done"}
    assert outputs(out) == {"a.out": b"cba", "s.out": b"kciuq", "z.out": b"zyx"}


def test_output_names_depend_on_the_set_alone(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    written(one, {"x.mid": b"first", "other.mid": b"o"})
    written(two, {"X.mid": b"second"})
    found = [Found(str(p), p.name) for p in (one / "x.mid", two / "X.mid", one / "other.mid")]
    names = output_names(found, lambda name: name + ".json")
    marks = [hashlib.sha256(data).hexdigest()[:8] for data in (b"first", b"second")]
    assert names == [f"x-{marks[0]}.mid.json", f"X-{marks[1]}.mid.json", "other.mid.json"]
    assert output_names(found[::-1], lambda name: name + ".json") == names[::-1]


def test_odd_names_become_names_that_every_system_holds(tmp_path: Path) -> None:
    odd = [
        "new\nline.mid",
        "-dash.mid",
        ".hidden.mid",
        "a:b?.mid",
        "n" * 251 + ".mid",
        "\udcff\udcfe.mid",
        "é🎹.mid",
        "failures.csv",
    ]
    names = output_names([Found(str(tmp_path / n), n) for n in odd], lambda name: name)
    assert names[:4] == ["new_line.mid", "_dash.mid", "_hidden.mid", "a_b_.mid"]
    assert len(names[4].encode()) <= 200
    assert names[4].endswith(".mid")
    assert names[5:7] == ["__.mid", "é🎹.mid"]
    assert names[7] != "failures.csv"
    assert len({n.casefold() for n in names}) == len(names)


def test_the_same_file_twice_under_two_names_is_refused_clearly(tmp_path: Path) -> None:
    one, two = (written(tmp_path / d, {"x.mid": b"same"})[0] for d in ("1", "2"))
    with pytest.raises(TakeprintError, match="same name and the same content"):
        output_names([Found(str(one), "x.mid"), Found(str(two), "x.mid")], lambda name: name)


def test_a_folder_gives_its_takes_and_tells_what_it_passed_over(tmp_path: Path) -> None:
    written(tmp_path / "in", {"b.WAV": b"", "a.mid": b"", "notes.txt": b"", "cover.png": b"", ".hidden.mid": b""})
    written(tmp_path / "in" / "sub", {"c.mid": b"", "noext": b"MThd\0\0\0\6"})
    written(tmp_path / "in" / "out", {"d.mid": b""})
    intake = gather([str(tmp_path / "in"), str(tmp_path / "in" / "a.mid")], leave_out=str(tmp_path / "in" / "out"))
    assert [f.name for f in intake.found] == ["a.mid", "b.WAV", "sub/c.mid", "sub/noext"]
    assert intake.passed_over == {".txt": 1, ".png": 1}
    (tmp_path / "empty").mkdir()
    assert list(gather([str(tmp_path / "empty")]).refused) == [str(tmp_path / "empty")]


def test_an_output_that_is_any_input_is_refused(tmp_path: Path) -> None:
    (one,) = written(tmp_path / "in", {"x.mid": b"x"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "y.mid").hardlink_to(one)
    with pytest.raises(TakeprintError, match="is an input"):
        refuse_inputs_as_outputs(tmp_path / "out", ["y.mid"], [Found(str(one), "x.mid")])


def test_the_journal_holds_what_it_says(tmp_path: Path, own_jobs: ModuleType) -> None:
    files = written(tmp_path / "in", {"a": b"abc"})
    out = tmp_path / "out"
    run_batch(tasks_of(files, out, own_jobs.reverse), out, jobs=1)
    begun, done = (json.loads(line) for line in (out / NAME).read_text().splitlines())
    assert begun["begun"] == done["done"] == "a.out"
    assert done["input"] == hashlib.sha256(b"abc").hexdigest()
    assert done["sha256"] == hashlib.sha256(b"cba").hexdigest()
