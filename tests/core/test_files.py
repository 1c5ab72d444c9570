"""Whole files in and out: what is refused, what a crash leaves, what is never replaced."""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from takeprint.core import files
from takeprint.core.errors import TakeprintError
from takeprint.core.files import check_output, copy_atomic, read_regular, sha256_of, write_atomic, write_together


def code_of(work) -> str | None:
    with pytest.raises(TakeprintError) as refusal:
        work()
    assert "\n" not in str(refusal.value)
    assert str(pickle.loads(pickle.dumps(refusal.value))) == str(refusal.value)
    return refusal.value.code


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "ü\n.bin"
    data = os.urandom(3_000_000)
    write_atomic(path, data)
    assert read_regular(path, len(data)) == data
    assert sha256_of(path) == hashlib.sha256(data).hexdigest()
    assert os.listdir(tmp_path) == [path.name]


def test_only_regular_files_are_read(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    assert code_of(lambda: read_regular(tmp_path, 10)) == "file.kind"
    assert code_of(lambda: read_regular(tmp_path / "gone", 10)) == "file.missing"
    assert code_of(lambda: read_regular(tmp_path / "nowhere", 10)) == "file.missing"
    assert code_of(lambda: read_regular(tmp_path / "loop", 10)) == "file.os"
    assert code_of(lambda: read_regular(tmp_path / "pipe", 10)) == "file.kind"
    assert code_of(lambda: read_regular(tmp_path / "zero", 10)) == "file.kind"
    assert code_of(lambda: sha256_of(tmp_path / "pipe")) == "file.kind"
    assert code_of(lambda: read_regular("a\0b", 10)) == "file.name"
    assert code_of(lambda: read_regular(tmp_path / ("n" * 300), 10)) == "file.os"


def test_a_long_file_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "long", "wb") as file:
        file.truncate(1 << 40)  # sparse
    assert code_of(lambda: read_regular(tmp_path / "long", 1 << 20)) == "file.too-long"
    (tmp_path / "exact").write_bytes(b"12345")
    assert read_regular(tmp_path / "exact", 5) == b"12345"
    assert code_of(lambda: read_regular(tmp_path / "exact", 4)) == "file.too-long"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_and_folders(tmp_path):
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    assert code_of(lambda: read_regular(tmp_path / "secret", 10)) == "file.os"
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    assert code_of(lambda: write_atomic(folder / "a", b"x")) == "file.os"
    folder.chmod(0o700)


def test_an_existing_output_is_replaced_only_by_force(tmp_path):
    path = tmp_path / "a"
    write_atomic(path, b"old")
    assert code_of(lambda: write_atomic(path, b"new")) == "file.exists"
    assert path.read_bytes() == b"old"
    write_atomic(path, b"new", force=True)
    assert path.read_bytes() == b"new"
    assert code_of(lambda: write_atomic(tmp_path, b"x", force=True)) == "file.kind"
    assert code_of(lambda: write_atomic(tmp_path / "no" / "a", b"x")) == "file.no-folder"


def test_an_input_is_never_an_output(tmp_path):
    source = tmp_path / "In.mid"
    source.write_bytes(b"input")
    (tmp_path / "symbolic").symlink_to(source)
    os.link(source, tmp_path / "hard")
    (tmp_path / "to_folder").symlink_to(tmp_path)
    for name in ("In.mid", "symbolic", "hard", "to_folder/In.mid", "./In.mid"):
        for force in (False, True):
            write = lambda name=name, force=force: write_atomic(tmp_path / name, b"x", force=force, inputs=[source])  # noqa: E731
            assert code_of(write) == "file.input-is-output"
    assert source.read_bytes() == b"input"
    assert code_of(lambda: check_output(source, force=True, inputs=[tmp_path / "hard"])) == "file.input-is-output"
    # a missing input and a new output of one name are the same file too
    assert code_of(lambda: check_output(tmp_path / "new", inputs=[tmp_path / "new"])) == "file.input-is-output"
    check_output(tmp_path / "other", inputs=[source])


def test_on_a_file_system_that_ignores_case_the_same_file_is_found(tmp_path, monkeypatch):
    """Two names of one file are told by device and inode, not by spelling."""
    source = tmp_path / "In.mid"
    source.write_bytes(b"input")
    real = os.stat
    monkeypatch.setattr(
        files.os,
        "stat",
        lambda path, **k: real(str(path).replace("IN.MID", "In.mid") if "IN.MID" in str(path) else path, **k),
    )
    assert code_of(lambda: write_atomic(tmp_path / "IN.MID", b"x", inputs=[source])) == "file.input-is-output"


def test_through_a_symbolic_link_the_file_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomic(tmp_path / "link", b"new", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("failing", ["fsync", "replace", "write"])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, failing):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    if failing == "write":

        class Full:
            def __init__(self, descriptor, _mode):
                self.descriptor = descriptor

            def __enter__(self):
                return self

            def __exit__(self, *_):
                os.close(self.descriptor)

            write = fail

        monkeypatch.setattr(files.os, "fdopen", Full)
    else:
        monkeypatch.setattr(files.os, failing, fail)
    with pytest.raises(TakeprintError, match="No space left"):
        write_atomic(path, b"new", force=True)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_files_that_belong_together_are_all_written_or_none(tmp_path, monkeypatch):
    first, second = tmp_path / "a.npz", tmp_path / "a.json"
    write_together({first: b"old rows", second: b"old"})
    real, calls = os.fsync, []

    def full_at_the_second(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(files.os, "fsync", full_at_the_second)
    with pytest.raises(TakeprintError, match=r"a\.json: .*No space left"):
        write_together({first: b"new rows", second: b"new"}, force=True)
    monkeypatch.undo()
    assert (first.read_bytes(), second.read_bytes()) == (b"old rows", b"old")
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.npz"]


def test_a_missing_folder_is_said_before_any_work(tmp_path):
    assert code_of(lambda: check_output(tmp_path / "none" / "a")) == "file.no-folder"
    (tmp_path / "file").write_bytes(b"")
    assert code_of(lambda: check_output(tmp_path / "file" / "a")) == "file.no-folder"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_no_output():
    assert code_of(lambda: write_atomic("/dev/full", b"x", force=True)) == "file.kind"


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX")
def test_killed_at_any_moment_the_old_or_the_whole_new_file_is_there(tmp_path):
    path = tmp_path / "a"
    size = 200_000
    path.write_bytes(b"0" * size)
    script = textwrap.dedent(
        f"""
        from takeprint.core.files import write_atomic
        print("go", flush=True)
        k = 0
        while True:
            k += 1
            write_atomic({str(path)!r}, (str(k % 10) * {size}).encode(), force=True)
        """
    )
    for round_ in range(12):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(0.001 * (1 + 3 * round_ % 23))
            child.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == size
        assert set(content) == {content[0]}


def test_a_copy_is_the_same_bytes_and_never_replaces_its_source(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 9000)  # more than two blocks
    copy_atomic(source, target)
    assert target.read_bytes() == source.read_bytes()
    with pytest.raises(TakeprintError, match="already there"):
        copy_atomic(source, target)
    with pytest.raises(TakeprintError, match="is an input"):
        copy_atomic(source, source, force=True)
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(TakeprintError, match="is an input"):
        copy_atomic(source, tmp_path / "link", force=True)
    with pytest.raises(TakeprintError, match="no such file"):
        copy_atomic(tmp_path / "gone", tmp_path / "other")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "source", "target"]
