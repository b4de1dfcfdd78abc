"""Where bytes come from: local files, pipes, compressed files, object stores, the web.

A location is opened lazily: nothing touches the network before its bytes are needed.
"""

import contextlib
import functools
import glob
import os
import re
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa

from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.registry import natural, near

STDIN = "-"
SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}
ARROW_STORES = ("s3", "gs", "gcs", "abfs", "abfss")
FSSPEC_STORES = ("https", "http", "hf", "ftp", "memory")

_temporary = contextlib.ExitStack()


def clean() -> None:
    """Remove what was put aside in temporary files."""
    _temporary.close()


def scheme_of(path: str) -> str:
    """The scheme of a URL; empty for a local path."""
    found = re.match(r"([a-z][a-z0-9+.-]*)://", path)
    return found[1] if found else ""


def unreadable(path: str, error: Exception) -> LossctlError:
    """The error for a file that the operating system, a store or Arrow refused."""
    if isinstance(error, FileNotFoundError):
        folder = os.path.dirname(path) or "."
        others = os.listdir(folder) if os.path.isdir(folder) else []
        close = near(os.path.basename(path), others, cutoff=0.8)
        shown = " or ".join(os.path.join(os.path.dirname(path), name) for name in close)
        return DataError(f"{path}: no such file", f"Did you mean {shown}?" if close else "")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: permission denied")
    first = str(error).strip().partition("\n")[0]
    return DataError(f"{path}: cannot be read: {first}", "Is the file whole, and of the format its name says?")


@dataclass
class Location:
    """One file, wherever it is."""

    path: str
    """As it was named; ``-`` is stdin."""
    compression: str | None = None
    pipe: bool = False
    """Whether it can be read only once, from its beginning to its end."""
    keys: tuple[tuple[str, str], ...] = ()
    """Hive partition keys in its path."""
    handle: Any = field(default=None, repr=False)
    """The open file of a pipe: a buffered reader."""

    @property
    def title(self) -> str:
        """What messages call it."""
        return "stdin" if self.path == STDIN else self.path

    @property
    def ranges(self) -> bool:
        """Whether parts of it can be read by themselves."""
        return not self.pipe and self.compression is None

    @functools.cached_property
    def size(self) -> int:
        """Its size in bytes; 0 where nobody knows."""
        if self.pipe:
            return 0
        try:
            with open_binary(self.path) as file:
                return int(file.seek(0, os.SEEK_END))
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.path, error) from None

    def head(self, n: int = 16) -> bytes:
        """Its first bytes, as they are stored.

        Raises:
            DataError: it cannot be read.
        """
        try:
            if self.handle is not None:
                return cast("Any", self.handle).peek(n)[:n]  # type: ignore[no-any-return]  # a buffered reader
            with open_binary(self.path) as file:
                return bytes(file.read(n))
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.title, error) from None

    def beginning(self) -> bytes:
        """The first bytes of its content; of a compressed pipe, which cannot be looked into, the stored ones."""
        if self.compression is None or self.pipe:
            return self.head()
        try:
            with self.open() as file:
                return bytes(file.read(16))
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.title, error) from None

    def open(self) -> Any:
        """Its bytes from the beginning, decompressed; of a pipe, from where it stands."""
        raw: Any = self.handle if self.handle is not None else open_binary(self.path)
        if self.compression is None:
            return raw
        return pa.CompressedInputStream(raw, self.compression)

    def spooled(self) -> "Location":
        """The same bytes, uncompressed in a file of their own, for who must read them out of order."""
        if self.ranges:
            return self
        aside = _temporary.enter_context(tempfile.NamedTemporaryFile(prefix="lossctl-"))  # noqa: SIM115  (see clean)
        try:
            shutil.copyfileobj(self.open(), aside, 1 << 20)
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.title, error) from None
        aside.flush()
        return Location(aside.name, keys=self.keys)


def open_binary(path: str) -> Any:
    """A seekable file of the bytes of a local path or URL.

    Raises:
        OSError: as the file system says.
        UsageError: nothing here reads such a URL.
    """
    scheme = scheme_of(path)
    if scheme in {"", "file"}:
        return open(path.removeprefix("file://"), "rb")
    if scheme in ARROW_STORES:
        store, inside = _store(path)
        return store.open_input_file(inside)
    if scheme in FSSPEC_STORES:
        try:
            import fsspec  # noqa: PLC0415  (an optional extra)
        except ImportError:
            raise UsageError(f"{path}: reading {scheme}:// needs an extra", "pip install 'lossctl[remote]'") from None
        return fsspec.open(path, "rb").open()
    known = ", ".join(f"{it}://" for it in (*ARROW_STORES, *FSSPEC_STORES))
    raise UsageError(f"{path}: unknown kind of URL", f"Known: {known}.")


def _store(path: str) -> tuple[Any, str]:
    from pyarrow import fs  # noqa: PLC0415  (loads the clients of the stores)

    base, _, options = path.partition("?")
    scheme, rest = base.split("://", 1)
    bucket = rest.split("/", 1)[0]
    found = _file_system(f"{scheme}://{bucket}" + (f"?{options}" if options else ""))
    if not isinstance(found, fs.FileSystem):
        raise TypeError(found)
    return found, rest


@functools.lru_cache(maxsize=32)
def _file_system(bucket: str) -> Any:
    from pyarrow import fs  # noqa: PLC0415

    return fs.FileSystem.from_uri(bucket)[0]


def locate(path: str) -> Location:
    """The location a path or URL names.

    Raises:
        UsageError: stdin is a terminal.
        DataError: it cannot be read.
    """
    found = Location(path, keys=_hive_keys(path))
    if path == STDIN:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("no file to read, and stdin is a terminal", "Name a file, or pipe one in.")
        found.pipe, found.handle = True, open(0, "rb", closefd=False)  # noqa: SIM115  (stays open)
    elif not scheme_of(path):
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                found.pipe = True
                found.handle = open_binary(path)
        except OSError as error:
            raise unreadable(path, error) from None
    head = found.head()
    found.compression = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
    return found


def _hive_keys(path: str) -> tuple[tuple[str, str], ...]:
    parts = (part.partition("=") for part in path.split("?", maxsplit=1)[0].split("/")[:-1])
    return tuple((name, value) for name, equals, value in parts if equals and name)


def expand(path: str) -> list[str]:
    """The files that a path stands for: itself, those a glob matches, those in a directory.

    Raises:
        DataError: a glob matches nothing, or a directory holds nothing.
    """
    scheme = scheme_of(path)
    if path == STDIN or scheme in FSSPEC_STORES:
        return [path]
    if scheme in ARROW_STORES:
        return _expand_store(path)
    local = path.removeprefix("file://")
    if os.path.isdir(local):
        found = [os.path.join(folder, name) for folder, _, names in os.walk(local) for name in names]
        found = [one for one in found if not _hidden(os.path.relpath(one, local))]
        if not found:
            raise DataError(f"{path}: no files in this directory", "Name a file, or a directory that holds data files.")
    elif any(sign in local for sign in "*?[") and not os.path.exists(local):
        found = [one for one in glob.glob(local, recursive=True) if os.path.isfile(one)]
        if not found:
            raise DataError(f"{path}: no file matches")
    else:
        return [local]
    return sorted(found, key=natural)


def _expand_store(path: str) -> list[str]:
    from pyarrow import fs  # noqa: PLC0415

    base, question, options = path.partition("?")
    if options and "=" not in options:  # a glob's ? rather than options
        base, question, options = path, "", ""
    scheme = base.split("://", 1)[0]
    try:
        store, inside = _store(path if options else base)
        is_glob = any(sign in inside for sign in "*[")
        top = re.split(r"[*?\[]", inside)[0].rpartition("/")[0] if is_glob else inside.rstrip("/")
        if not is_glob and store.get_file_info(top).type != fs.FileType.Directory:
            return [path]
        infos = store.get_file_info(fs.FileSelector(top, recursive=True, allow_not_found=True))
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None
    names = [info.path for info in infos if info.type == fs.FileType.File and not _hidden(info.path[len(top) + 1 :])]
    if is_glob:
        pattern = re.compile(glob_pattern(inside))
        names = [name for name in names if pattern.fullmatch(name)]
    if not names:
        raise DataError(f"{path}: no file matches" if is_glob else f"{path}: no files in this directory")
    return [f"{scheme}://{name}{question}{options}" for name in sorted(names, key=natural)]


def glob_pattern(text: str) -> str:
    """A glob as a regular expression: ``*`` stops at a slash, ``**`` does not."""
    import fnmatch  # noqa: PLC0415

    pieces = re.split(r"(\*\*/?|\*)", text)
    shown = {"*": "[^/]*", "**": ".*", "**/": "(?:.*/)?"}
    return "".join(shown.get(piece) or fnmatch.translate(piece)[4:-3] for piece in pieces if piece)


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in path.split("/"))
