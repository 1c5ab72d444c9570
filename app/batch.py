"""Many files, one by one or in worker processes: resumable, and one bad file stops nothing.

Conventions
-----------
Only the parent writes the journal and ``failures.csv``; a worker reads one input and writes its outputs. Each worker
has its own pipe, so that a worker that is killed (mostly for memory) costs the one file it was at. Outputs do not
depend on the number of workers or the order of the files.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any

from ..core.errors import TakeprintError
from ..core.files import check_output, sha256_of, write_atomic
from .intake import FAILURES_NAME
from .journal import Journal, settings_hash
from .progress import Progress, compile_notice, complain, one_line

_FAILURES_HEADER = ["file", "stage", "reason"]
_GRACE_S = 5.0  # how long a worker may take to put its temporary files away
Mark = Callable[[str], None]
Job = Callable[[Any, Mark], dict[str, Any]]  # the first is a Task


@dataclass(frozen=True)
class Task:
    """One output to make.

    Parameters
    ----------
    job : callable
        ``job(task, mark) -> report``, a function of a module, so that a worker finds it by its name.
    source : str
        The input's path.
    output : str
        The main output's name under ``folder``, with ``/``.
    folder : str
    settings : dict
        What the job needs to know, picklable.
    force : bool
        Outputs may be replaced.
    known : dict
        What the journal knows of this output: {input's sha256: output's sha256}.
    """

    job: Job
    source: str
    output: str
    folder: str
    settings: dict[str, Any]
    force: bool = False
    known: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Path:
        """The main output's path."""
        return Path(self.folder) / self.output


@dataclass(frozen=True)
class Outcome:
    """What became of a task: ``state`` is ``done``, ``kept`` (an earlier run had made it) or ``failed``."""

    source: str
    output: str
    state: str
    stage: str = ""
    reason: str = ""
    input_sha256: str = ""
    output_sha256: str = ""
    report: dict[str, Any] = field(default_factory=dict)


def carry_out(task: Task) -> Outcome:
    """Do one task; every failure comes back as an outcome with its stage and one line of reason."""
    stage = ["read"]

    def mark(name: str) -> None:
        stage[0] = name

    failed = Outcome(task.source, task.output, "failed")
    try:
        digest = sha256_of(task.source)
        wanted = task.known.get(digest)
        if wanted and os.path.isfile(task.target) and sha256_of(task.target) == wanted:
            return replace(failed, state="kept", input_sha256=digest, output_sha256=wanted)
        mark("write")
        check_output(task.target, force=task.force, inputs=[task.source])
        mark("read")
        report = task.job(task, mark)
        return replace(failed, state="done", input_sha256=digest, output_sha256=sha256_of(task.target), report=report)
    except TakeprintError as refusal:
        return replace(failed, stage=stage[0], reason=_without_name(str(refusal), task.source))
    except MemoryError:
        return replace(failed, stage=stage[0], reason="the memory of this machine is not enough for this file")
    except OSError as wrong:
        return replace(failed, stage=stage[0], reason=one_line(wrong.strerror or wrong))
    except Exception as wrong:
        if os.environ.get("TAKEPRINT_DEBUG"):
            import traceback

            traceback.print_exc()
        said = f"an error of Takeprint itself, please report it: {type(wrong).__name__}: {wrong}"
        return replace(failed, stage=stage[0], reason=one_line(said))


def _without_name(reason: str, source: str) -> str:
    """Return the reason without the file's name before it: the failure list has a column for that."""
    reason = one_line(reason)
    for name in (one_line(source), one_line(os.path.basename(source))):
        for joint in (": ", ", "):
            if reason.startswith(name + joint):
                return reason[len(name + joint) :]
    return reason


def run_batch(
    tasks: Sequence[Task], folder: Path, *, jobs: int | None = None, refused: dict[str, str] | None = None
) -> list[Outcome]:
    """Do all tasks and write the journal and ``failures.csv`` into ``folder``.

    Parameters
    ----------
    tasks : sequence of Task
        Of one command with one set of settings each.
    folder : path
        Made where it is missing.
    jobs : int or None
        Worker processes; None = one a core; 1 = none, all in this process.
    refused : dict
        Inputs that cannot be taken, with the reason: they are failures too.

    Returns
    -------
    list of Outcome
        In the order of ``tasks``, then the refused ones.

    Raises
    ------
    TakeprintError
        When the folder cannot be made or written, or another run is writing into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise TakeprintError(f"cannot make the folder ({wrong.strerror})", where=str(folder)) from wrong
    outcomes: dict[int, Outcome] = {}
    with Journal(folder) as journal, Progress(len(tasks), "files") as progress:
        hashes = [settings_hash(_by_content(task.settings)) for task in tasks]
        queue = []
        for i, (task, settings) in enumerate(zip(tasks, hashes, strict=True)):
            own = journal.interrupted(task.output, settings)
            queue.append((i, replace(task, force=task.force or own, known=journal.known(task.output, settings))))

        def begin(i: int) -> None:
            # Only what may be written is begun: an output of somebody else's must not become ours by this line.
            task = queue[i][1]
            if not task.target.exists() or task.force:
                task.target.parent.mkdir(parents=True, exist_ok=True)
                journal.begin(task.output, hashes[i])

        # Closing ends the workers before anything else is said or done, also when the user interrupts.
        with contextlib.closing((_here if jobs == 1 else _in_workers)(queue, begin, jobs, progress)) as made:
            for i, outcome in made:
                outcomes[i] = outcome
                if outcome.state == "failed":
                    journal.give_up(outcome.output, hashes[i])
                else:
                    journal.finish(outcome.output, hashes[i], outcome.input_sha256, outcome.output_sha256)
                progress.step()
        listed = [outcomes[i] for i in range(len(tasks))]
        listed += [Outcome(path, "", "failed", "read", reason) for path, reason in (refused or {}).items()]
        _list_failures(listed, folder)
    return listed


def _by_content(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with files told by their content instead of their path, where both are known."""
    told = {name for name in settings if settings.get(f"{name}_sha256")}
    return {name: value for name, value in settings.items() if name not in told}


def _here(
    queue: Sequence[tuple[int, Task]], begin: Callable[[int], None], jobs: int | None, progress: Progress
) -> Generator[tuple[int, Outcome], None, None]:
    def tell(text: str) -> None:
        progress.clear()
        complain(text)

    with compile_notice(tell):
        for i, task in queue:
            begin(i)
            yield i, carry_out(task)


def _serve(pipe: connection.Connection) -> None:
    """Run a worker: tasks in, outcomes out, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, _leave)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # the workers are the parallelism
    warnings.simplefilter("ignore")
    guard = threading.Lock()  # the notice comes from a timer's thread

    def send(message: str | Outcome) -> None:
        with guard:
            pipe.send(message)

    try:
        with compile_notice(send):
            while (task := pipe.recv()) is not None:
                send(carry_out(task))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is gone


def _leave(*_: Any) -> None:
    raise SystemExit(0)  # through the finally clauses, which take temporary files away


class _Worker:
    """A worker process, its pipe and what it is at."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.at = -1

    def death(self, task: Task) -> Outcome:
        """Return the outcome of a task that the worker did not survive."""
        self.process.join(_GRACE_S)
        code = self.process.exitcode
        how = f"ended by signal {-code}" if code is not None and code < 0 else f"left with code {code}"
        reason = f"the worker process was {how}" if "signal" in how else f"the worker process {how}"
        return Outcome(task.source, task.output, "failed", "worker", reason + "; mostly a lack of memory: try --jobs 1")

    def stop(self) -> None:
        """End the process, letting it put its temporary files away."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(_GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _in_workers(
    queue: Sequence[tuple[int, Task]], begin: Callable[[int], None], jobs: int | None, progress: Progress
) -> Generator[tuple[int, Outcome], None, None]:
    waiting = list(reversed(queue))
    workers: list[_Worker] = []
    said: set[str] = set()
    try:
        while waiting or any(w.at >= 0 for w in workers):
            while waiting and len(workers) < (jobs or os.cpu_count() or 1):
                workers.append(_Worker())
                _hand_out(workers[-1], waiting, begin)
            for pipe in connection.wait([w.pipe for w in workers if w.at >= 0]):
                worker = next(w for w in workers if w.pipe is pipe)
                i = worker.at
                try:
                    message = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    workers.remove(worker)
                    yield i, worker.death(queue[i][1])
                    continue
                if isinstance(message, str):
                    if message not in said:
                        said.add(message)
                        progress.clear()
                        complain(message)
                    continue
                worker.at = -1
                yield i, message
                if waiting:
                    _hand_out(worker, waiting, begin)
    finally:
        for worker in workers:
            worker.stop()


def _hand_out(worker: _Worker, waiting: list[tuple[int, Task]], begin: Callable[[int], None]) -> None:
    i, task = waiting.pop()
    begin(i)
    worker.at = i
    try:
        worker.pipe.send(task)
    except (BrokenPipeError, ConnectionResetError):
        return  # it died between two files; reading from it will say so


def _list_failures(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Write ``failures.csv``, or take away that of an earlier run where nothing fails any more."""
    failures = sorted((one_line(o.source), o.stage, o.reason) for o in outcomes if o.state == "failed")
    path = folder / FAILURES_NAME
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_FAILURES_HEADER)
    for row in failures:
        # A spreadsheet takes a cell that starts like a formula for one.
        writer.writerow(["'" + cell if cell[:1] in ("=", "+", "-", "@") else cell for cell in row])
    if failures:
        write_atomic(path, out.getvalue().encode("utf-8", "backslashreplace"), force=True)
    elif path.is_file() and path.read_bytes().startswith((",".join(_FAILURES_HEADER) + "\n").encode()):
        path.unlink()
