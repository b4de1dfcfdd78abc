"""Run many command lines, each in a process of its own that is forked from one in which everything is imported."""

import contextlib
import importlib
import io
import os
import pkgutil
import re
import resource
import shlex
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import lossctl
from lossctl.cli.app import Commands

MEMORY = 8 << 30
"""What a command may ask for, so that a runaway ends in an error rather than in this machine."""
ALLOWED = {0, 1, 2, 3, 130, 141, 143}
"""Every exit status there is, but for a bug's."""
COMMANDING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What may command a terminal, or turn its text round."""
FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.system")
"""What no command does that names neither a URL nor a cluster: see `sys.audit`."""
LATER = (
    *("pyarrow.compute", "pyarrow.csv", "pyarrow.ipc", "pyarrow.json", "pyarrow.parquet"),
    *("numpy.ma", "plotext", "rich.console", "rich.table"),
)
"""What is imported where it is needed first."""


@dataclass(frozen=True)
class Run:
    """A command line and how it ended."""

    arguments: tuple[str, ...]
    status: int | None
    """The exit status, minus the number of a signal, or None where it had to be ended."""
    out: bytes
    err: bytes
    seconds: float

    def faults(self) -> Iterator[str]:
        """What of the contract of every command this one broke."""
        words = self.err.decode("utf-8", "replace")
        if self.status is None:
            yield "does not end"
        elif self.status not in ALLOWED:
            yield f"exit {self.status}"
        for sign in ("Traceback", "bug in lossctl", "Warning:"):
            if sign in words:
                yield f"{sign} on stderr"
        quiet = sum(word.count("q") for word in self.arguments if re.fullmatch("-q+", word))
        quiet += self.arguments.count("--quiet")
        if self.status in {2, 3} and quiet < 2 and "error: " not in words:
            yield "an error without words"
        if self.status in {2, 3} and self.arguments[0] != "samples" and self.out:
            yield "output before an error"
        if COMMANDING.search(words):
            yield "a control character on stderr"


class Broken:
    """Command lines that broke the contract, those that broke it alike together."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}

    def add(self, ended: Run, fault: str, file: str = "") -> None:
        """Note what a run broke; ``file`` is what its message names, that others name otherwise."""
        first = ended.err.decode("utf-8", "replace").partition("\n")[0]
        first = first.replace(file, "FILE")[:200] if file else first[:200]
        self.lines.setdefault(f"{fault}: {first!r}", []).append(shlex.join(ended.arguments))

    def told(self) -> int:
        """Print them, so that they can be typed again; the exit status."""
        for fault, lines in self.lines.items():
            print(f"{len(lines)} × {fault}", *(ascii(line) for line in lines[:3]), sep="\n    ")
        return bool(self.lines)


def load() -> None:
    """Import all that a command may import, so that a fork has it."""
    optional = ("cluster", "own_workers", "remote", "images", "__main__")
    for module in pkgutil.walk_packages(lossctl.__path__, "lossctl."):
        if not module.name.endswith(optional):
            importlib.import_module(module.name)
    for name in LATER:
        importlib.import_module(name)
    [*Commands().values()]  # wires each with its options


def run(arguments: list[str], stdin: bytes = b"", cwd: str | None = None, timeout: float = 30) -> Run:
    """Run one command line to its end, or for ``timeout`` seconds."""
    with contextlib.ExitStack() as stack:
        given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        given.write(stdin)
        given.seek(0)
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            _be(arguments, cwd, (given.fileno(), out.fileno(), err.fileno()))
        status = None
        while time.monotonic() - start < timeout:
            ended, code = os.waitpid(child, os.WNOHANG)
            if ended:
                status = os.waitstatus_to_exitcode(code)
                break
            time.sleep(0.001)
        else:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        seconds = time.monotonic() - start
        for file in (out, err):
            file.seek(0)
        return Run(tuple(arguments), status, out.read(), err.read(), seconds)


def _forbid(event: str, arguments: tuple[object, ...]) -> None:
    if event in FORBIDDEN:
        os.write(2, f"Warning: {event}{arguments}".encode())


def _be(arguments: list[str], cwd: str | None, streams: tuple[int, int, int]) -> None:
    """Become the command line."""
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        if cwd is not None:
            os.chdir(cwd)
        for target, source in enumerate(streams):
            os.dup2(source, target)
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), errors="surrogateescape")
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8")
        sys.stderr = io.TextIOWrapper(
            io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace", line_buffering=True
        )
        sys.argv = ["lossctl", *arguments]
        sys.addaudithook(_forbid)
        from lossctl.cli.app import main

        main()
    except BaseException:  # noqa: BLE001  (nothing may return into the parent's code)
        os.write(2, traceback.format_exc().encode())
    os._exit(99)
