"""Where bytes are: this machine, object stores, the web."""

import errno
import functools
import os
import re
import threading
from typing import Any
from urllib.parse import parse_qsl

import pyarrow as pa

from lossctl.errors import DataError, LossctlError, UsageError, too_little_memory
from lossctl.reading.waiting import FarFile, Unreached, patience
from lossctl.words import near

ARROW_STORES = ("s3", "gs", "gcs", "abfs", "abfss")
"""Schemes that Arrow reads itself."""
FSSPEC_STORES = ("https", "http", "hf", "ftp", "memory")
"""Schemes that fsspec reads, an extra."""
VERSIONS = ("etag", "content-md5", "last-modified", "lastmodified", "mtime", "modify", "created")
"""What stores call the version of a file, or when it was written; the first that is there tells."""
REFUSALS = (
    OSError, pa.ArrowException, MemoryError, IndexError, UnicodeError, SystemError, ValueError, NotImplementedError,
)  # fmt: skip
"""What the readers of Arrow and of stores may raise where a file is damaged; reading a whole file raises none of it."""

CONNECTIONS = 64
"""How many connections to a store a process may have: as many files are asked for ahead of the turn of two tasks."""
_counting = threading.Lock()
"""Held while Arrow's number of threads is another, or who reads it meanwhile would leave it so."""
NO_MEMORY = "(?i)bad_alloc|[mc]alloc of size .* failed|cannot allocate memory"
"""What Arrow says of memory in an error of another kind."""


def scheme_of(path: str) -> str:
    """The scheme of a URL; empty for a local path."""
    match = re.match(r"([a-z][a-z0-9+.-]*)://", path)
    return match[1] if match else ""


def is_remote(path: str) -> bool:
    """Whether a path is a URL of something elsewhere."""
    return scheme_of(path) not in {"", "file"}


def unreadable(path: str, error: Exception) -> LossctlError:
    """The error for a file that the operating system, a store or Arrow refused."""
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return DataError(f"{path}: no such file", f"It is a link to {os.readlink(path)}.")
        folder = os.path.dirname(path) or "."
        others = os.listdir(folder) if os.path.isdir(folder) else []
        close = near(os.path.basename(path), others, cutoff=0.8)
        shown = " or ".join(os.path.join(os.path.dirname(path), name) for name in close)
        return DataError(f"{path}: no such file", f"Did you mean {shown}?" if close else "")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: permission denied")
    if (
        isinstance(error, MemoryError)
        or getattr(error, "errno", None) == errno.ENOMEM
        or re.search(NO_MEMORY, str(error))
    ):
        return too_little_memory(path)
    if isinstance(error, Unreached):
        return DataError(f"{path}: {error.why}", error.hint)
    line = str(error).strip().partition("\n")[0]
    return DataError(f"{path}: cannot be read: {line}", "Is the file whole, and of the format its name says?")


def open_binary(path: str, *, ranges: bool = True, alone: bool = False) -> Any:
    """A file of the bytes of a local path or URL.

    Args:
        path: where it is.
        ranges: whether it must be seekable; else a web page is read from its beginning to its end.
        alone: whether this thread waits for a store itself, and asks for nothing once more.

    Raises:
        OSError: as the file system says.
        ValueError: a web page can only be read from its beginning to its end.
        UsageError: nothing here reads such a URL.
    """
    scheme = scheme_of(path)
    if scheme in {"", "file"}:
        return open(path.removeprefix("file://"), "rb")
    if scheme in ARROW_STORES:

        def from_store() -> Any:
            store, inside = store_of(path)
            return store.open_input_file(inside)

        return FarFile(path, from_store, alone=alone)
    if scheme in FSSPEC_STORES:
        try:
            import fsspec  # noqa: PLC0415  (an optional extra)
        except ImportError:
            raise UsageError(f"{path}: reading {scheme}:// needs an extra", "pip install 'lossctl[remote]'") from None
        try:
            settings = {} if ranges else {"block_size": 0}
            return FarFile(path, lambda: fsspec.open(path, "rb", **settings).open(), ranges=ranges, alone=alone)
        except ImportError as missing:
            raise UsageError(f"{path}: {missing}", "pip install 'lossctl[remote]'") from None
    known = ", ".join(f"{name}://" for name in (*ARROW_STORES, *FSSPEC_STORES))
    raise UsageError(f"{path}: unknown kind of URL", f"Known: {known}.")


def version_of(file: FarFile) -> tuple[str, ...]:
    """What a store calls the version of an open file: its tag, or when it was written; empty where it says neither.

    Raises:
        OSError: as the store says.
    """
    try:
        said = file.ask(lambda raw: raw.metadata() if isinstance(raw, pa.NativeFile) else raw.fs.info(raw.path))
    except NotImplementedError:
        return ()
    words = {_text(name).lower(): value for name, value in said.items()}
    known = [words[name] for name in VERSIONS if words.get(name)]
    return tuple(_text(value) for value in known[:1])


def _text(value: Any) -> str:
    """What a store says, as text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def store_of(path: str) -> tuple[Any, str]:
    """Arrow's file system for a URL of `ARROW_STORES`, and the path within it, which begins with the bucket.

    Raises:
        OSError: as the store says.
        ArrowException: Arrow has no such file system, or the URL is malformed.
    """
    from pyarrow import fs  # noqa: PLC0415  (loads the clients of the stores)

    base, _, options = path.rpartition("?") if "=" in path.rpartition("?")[2] else (path, "", "")
    scheme, rest = base.split("://", 1)
    file_system = _file_system(scheme, rest.split("/", 1)[0], options, patience.seconds)
    if not isinstance(file_system, fs.FileSystem):
        raise TypeError(file_system)
    return file_system, rest


@functools.lru_cache(maxsize=32)
def _file_system(scheme: str, bucket: str, options: str, seconds: float) -> Any:
    """The file system of a bucket, whose client is kept, where it can be, from asking again for minutes, in silence.

    It waits a second longer than who asks it, and who says so: that of S3 would wait for three, and one to connect.
    """
    from pyarrow import fs  # noqa: PLC0415

    settings = dict(parse_qsl(options))
    if scheme == "s3" and bucket and "@" not in bucket and settings.keys() <= {"region", "scheme", "endpoint_override"}:
        if not settings.keys() & {"region", "endpoint_override"}:
            settings["region"] = fs.resolve_s3_region(bucket)
        once, wait = fs.AwsStandardS3RetryStrategy(max_attempts=1), seconds + 1
        with _counting:
            threads = pa.io_thread_count()
            pa.set_io_thread_count(max(threads, CONNECTIONS))  # as many connections it has, and 25 at least
            try:
                return fs.S3FileSystem(**settings, retry_strategy=once, request_timeout=wait, connect_timeout=wait)
            finally:
                pa.set_io_thread_count(threads)
    if scheme in {"gs", "gcs"} and "retry_limit_seconds" not in settings:
        options = f"{options}{'&' if options else ''}retry_limit_seconds=1"
    return fs.FileSystem.from_uri(f"{scheme}://{bucket}" + (f"?{options}" if options else ""))[0]
