"""What a waiting user is told on standard error.

Conventions
-----------
Standard output carries results only; words, progress and waits go to standard error. A progress bar is drawn only
where standard error is a terminal. Nothing is coloured, so ``NO_COLOR`` is honoured by itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

COMPILING = "compiling the numeric kernels for this machine, once; later runs start at once ..."
_PATIENCE_S = 1.0  # a wait shorter than this needs no excuse
_BAR_WIDTH = 24


def one_line(text: object) -> str:
    """Return the text on one line: control characters and undecodable bytes are shown as escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(str(text).split()))


def shown(lines: Iterable[object]) -> str:
    """Return lines of words as one text: what a terminal must not get, in a file's name say, is shown as escapes."""
    return "\n".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in str(line)) for line in lines)


def say(text: object = "") -> None:
    """Write a line of words to standard error, where there is one."""
    if sys.stderr is None:
        return
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def complain(text: object) -> None:
    """Write the one line of a refusal, a warning or a failure."""
    say(f"takeprint: {one_line(text)}")


@contextlib.contextmanager
def hushed_libraries() -> Iterator[None]:
    """Keep what C libraries write to standard error off the screen; our own words still come.

    Decoders complain there about damage that we report in our own words. Workers that are started inside inherit it.
    """
    try:
        ours = sys.stderr.fileno() == 2
    except (AttributeError, ValueError, OSError):
        ours = False
    if not ours:
        yield
        return
    old = sys.stderr
    old.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    words = open(kept, "w", buffering=1, encoding=old.encoding, errors="backslashreplace", closefd=False)
    try:
        os.dup2(nowhere, 2)
        sys.stderr = words
        yield
    finally:
        with contextlib.suppress(OSError):
            words.flush()
        sys.stderr = old
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Progress:
    """A counter of finished pieces, drawn only on a terminal.

    Parameters
    ----------
    total : int
        Number of pieces.
    label : str
        What the pieces are, e.g. ``"files"``.
    """

    def __init__(self, total: int, label: str) -> None:
        self.total, self.label, self.done = total, label, 0
        self._shown = sys.stderr is not None and sys.stderr.isatty() and total > 1

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def step(self) -> None:
        """Count one more finished piece."""
        self.done += 1
        self._draw()

    def clear(self) -> None:
        """Take the bar off the screen, e.g. before a line of words."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _draw(self) -> None:
        if self._shown:
            filled = _BAR_WIDTH * self.done // max(self.total, 1)
            bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
            sys.stderr.write(f"\r\x1b[K[{bar}] {self.done}/{self.total} {self.label}")
            sys.stderr.flush()


class _Stopwatch:
    """Adds up the time numba compiles and speaks once when it passes the patience of a user."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._depth = 0
        self._since_s = 0.0
        self._total_s = 0.0
        self._timer: threading.Timer | None = None
        self._said = False

    def start(self) -> None:
        with self._lock:
            self._depth += 1
            if self._depth > 1 or self._said:
                return
            self._since_s = time.monotonic()
            self._timer = threading.Timer(max(0.0, _PATIENCE_S - self._total_s), self._speak)
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._timer is not None:
                self._timer.cancel()
                self._timer = None
                self._total_s += time.monotonic() - self._since_s

    def _speak(self) -> None:
        with self._lock:
            if self._said:
                return
            self._said = True
        self._tell(COMPILING)


@contextlib.contextmanager
def compile_notice(tell: Callable[[str], None] = complain) -> Iterator[None]:
    """Say why it waits when kernels are really compiled, and not loaded from numba's cache, for more than a second.

    Parameters
    ----------
    tell : callable
        Gets the one line of words.
    """
    try:
        from numba.core import event
    except ImportError:  # the command itself will say what is missing
        yield
        return
    watch = _Stopwatch(tell)

    class Listener(event.Listener):
        def on_start(self, _event: Any) -> None:
            watch.start()

        def on_end(self, _event: Any) -> None:
            watch.end()

    listener = Listener()
    event.register("numba:compile", listener)
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)
