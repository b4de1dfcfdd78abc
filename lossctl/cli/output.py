"""Where output goes: a file is replaced, whole or not at all; a pipe or a device is written into, as stdout is."""

import contextlib
import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lossctl.errors import DataError, UsageError
from lossctl.words import shell_word

if TYPE_CHECKING:
    from lossctl.cli.command import Voice
    from lossctl.document import Document
    from lossctl.rendering.renderer import Renderer, Style

DEVICE = os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""How what is no file is opened: never to become our terminal; nor, on Windows, with other line ends."""

_begun: set[str] = set()
"""Files that are to take the place of others."""


def clean() -> None:
    """Remove the files that were begun and will not be finished."""
    while _begun:
        with contextlib.suppress(OSError):
            os.unlink(_begun.pop())


class Sink(io.RawIOBase):
    """Bytes on their way out.

    Formats end their files when their writers are dropped, which must not make half a table look whole: a sink that is
    abandoned takes nothing more.

    Args:
        descriptor: where the bytes go; not closed here.
        title: what messages call it.
        stays: whether what was written stays, whatever comes after it.

    ``begun`` is whether some was written.
    """

    def __init__(self, descriptor: int, title: str, *, stays: bool) -> None:
        self.descriptor, self.title, self.stays = descriptor, title, stays
        self.begun = self.abandoned = False

    def writable(self) -> bool:
        """True: asked by Arrow."""
        return True

    def write(self, data: Any, /) -> int:
        """Write all of it."""
        rest = memoryview(data).cast("B")
        size, before = len(rest), self.begun
        self.begun = True  # a signal may come as soon as some of it is written
        while rest and not self.abandoned:
            try:
                rest = rest[os.write(self.descriptor, rest) :]
            except OSError:
                self.begun = before or len(rest) < size
                raise
        return size


@contextlib.contextmanager
def standard_output(inputs: tuple[str, ...], *, wanted: bool) -> Iterator[Sink]:
    """Stdout as a sink, or nowhere where it is not ``wanted``.

    Raises:
        UsageError: it leads into an input, which would never end.
        OSError: it is closed.
    """
    if wanted:
        descriptor = sys.stdout.fileno()
        _refuse_inputs(os.fstat(descriptor), "stdout", inputs)
        yield Sink(descriptor, "stdout", stays=True)
        return
    with open(os.devnull, "wb") as nowhere:
        yield Sink(nowhere.fileno(), os.devnull, stays=False)


@contextlib.contextmanager
def replacing(path: str, inputs: tuple[str, ...] = ()) -> Iterator[Sink]:
    """A file to write that takes the place of ``path`` when the block ends well, and vanishes when it does not.

    A link stays a link, and a file that is replaced leaves its mode and owner; its other hard links keep what was in
    it. What is no file, such as a named pipe, a device or a descriptor of this process, is written into.

    Args:
        path: the target.
        inputs: files that must not be the target.

    Raises:
        UsageError: the target is a directory or an input.
        DataError: it cannot be written.
    """
    before, ours = refuse(path, inputs), _descriptor(path)
    try:
        if ours is not None or not (before is None or stat.S_ISREG(before.st_mode)):
            descriptor = os.open(path, DEVICE) if ours is None else os.dup(ours)
            try:
                yield Sink(descriptor, path, stays=True)
            finally:
                os.close(descriptor)
            return
        folder, name = os.path.split(os.path.realpath(path))
        beside = os.path.join(folder, f".{name[:50]}.{os.urandom(4).hex()}.tmp")
        _begun.add(beside)
        with open(beside, "xb", opener=None if before is None else _private) as file:
            if before is not None:
                _keep_ownership(file.fileno(), before)
            yield Sink(file.fileno(), path, stays=False)
            os.fsync(file.fileno())
        os.replace(beside, os.path.join(folder, name))
        _begun.discard(beside)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        clean()


def show(document: "Document", renderer: "Renderer", style: "Style", voice: "Voice") -> None:
    """Write a document to stdout; errors as for `summarize`."""
    voice.result(renderer.render(document, style))
    summarize(document, renderer, style)


def summarize(document: "Document", renderer: "Renderer", style: "Style") -> None:
    """Write what is shown in the log of a GitHub workflow into the summary of its step as well, as Markdown.

    Raises:
        DataError: it cannot be written.
    """
    summary = os.environ.get("GITHUB_STEP_SUMMARY") if renderer.name == "github" else None
    if not summary:
        return
    from lossctl.rendering.renderer import renderers

    markdown = renderers.get("markdown").render(document, style)
    try:
        with open(summary, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{markdown}\n")
    except OSError as error:
        raise DataError(f"{summary}: cannot be written: {error.strerror}") from None


def write_report(path: str, text: Iterable[str], files: tuple[str, ...], voice: "Voice") -> None:
    """Write a rendered document, or pieces of one, to a file; arguments and errors as for `replacing`."""
    with replacing(path, files) as file:
        for piece in [text] if isinstance(text, str) else text:
            file.write(piece.encode(errors="backslashreplace"))  # as stdout does
    voice.note(f"wrote {path}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_ownership(descriptor: int, before: os.stat_result) -> None:
    """Give a file the owner and the mode of the one it replaces."""
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid) and hasattr(os, "fchown"):
        try:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        except PermissionError as error:
            error.strerror = "it belongs to others, as what replaced it could not; write to another file"
            raise
    if now.st_mode != before.st_mode and hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def _descriptor(path: str) -> int | None:
    """Which descriptor of this process a path such as /dev/stdout is; ``None`` for what has a name of its own."""
    for _ in range(8):  # links; more lead there from nowhere
        folder, name = os.path.split(path)
        if name.isdecimal() and os.path.realpath(folder) in {f"/proc/{os.getpid()}/fd", "/dev/fd"}:
            return int(name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None


def refuse(path: str, inputs: tuple[str, ...] = ()) -> os.stat_result | None:
    """Check that a file may be written; see `replacing`.

    Returns:
        What is there now, if anything is.
    """
    try:
        before = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.isdir(os.path.dirname(os.path.realpath(path))):
            hint = f"Make it: mkdir -p {shell_word(os.path.dirname(path))}" if os.path.dirname(path) else ""
            raise UsageError(f"{path}: no such directory", hint) from None
        return None
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
    if stat.S_ISDIR(before.st_mode):
        raise UsageError(f"{path}: is a directory", "Name a file to write.")
    _refuse_inputs(before, path, inputs)
    if _descriptor(path) is None and stat.S_ISREG(before.st_mode):
        for number, name in ((1, "stdout"), (2, "stderr")):
            if os.path.samestat(before, os.fstat(number)):  # what is said there would be lost
                raise UsageError(f"{path}: is where {name} goes", "Write to another file.")
    if not os.access(path, os.W_OK):
        raise DataError(f"{path}: cannot be written: Permission denied")
    return before


def _refuse_inputs(target: os.stat_result, title: str, inputs: tuple[str, ...]) -> None:
    """Check that what is written into is not what is read, but for a device such as a terminal."""
    for file in inputs:
        try:
            status = os.fstat(0) if file == "-" else os.stat(file.removeprefix("file://"))
        except (OSError, ValueError):  # elsewhere, or not there
            continue
        # On Windows all pipes have the same number, 0.
        if target.st_ino and os.path.samestat(target, status) and not stat.S_ISCHR(target.st_mode):
            raise UsageError(f"{title}: is an input", "Write to another file.")
