"""Files are written beside their target and renamed: whole, or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from typing import BinaryIO

from lossctl.errors import DataError, UsageError


@contextlib.contextmanager
def replacing(path: str, inputs: tuple[str, ...] = ()) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` when the block ends well, and vanishes when it does not.

    Args:
        path: the target.
        inputs: files that must not be the target.

    Raises:
        UsageError: the target is a directory or an input.
        DataError: it cannot be written.
    """
    refuse(path, inputs)
    path = os.path.realpath(path)  # a link stays a link
    beside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{secrets.token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(beside)


def _same(path: str, other: str) -> bool:
    return os.path.exists(other) and os.path.samefile(path, other)


def refuse(path: str, inputs: tuple[str, ...] = ()) -> None:
    """Check that a file may be written; see `replacing`."""
    if os.path.isdir(path):
        raise UsageError(f"{path}: is a directory", "Name a file to write.")
    if not os.path.isdir(os.path.dirname(path) or "."):
        raise UsageError(f"{path}: no such directory")
    if os.path.exists(path) and any(_same(path, it.removeprefix("file://")) for it in inputs):
        raise UsageError(f"{path}: is an input", "Write to another file.")
