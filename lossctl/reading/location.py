"""Where bytes come from: local files, pipes, compressed files, object stores, the web.

A location is opened lazily: nothing touches the network before its bytes are needed.
"""

import atexit
import contextlib
import functools
import glob
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.registry import natural, near

STDIN = "-"
SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}
ARROW_STORES = ("s3", "gs", "gcs", "abfs", "abfss")
FSSPEC_STORES = ("https", "http", "hf", "ftp", "memory")

REFUSALS = (OSError, pa.ArrowException, MemoryError, IndexError, UnicodeError, SystemError, ValueError)
"""What a reader raises where a file is damaged; a whole one gives none of these."""
Stamp = tuple[int, ...]
"""How long a file is and when it was written last: the same on every machine that sees it. Empty where nobody knows."""

_temporary = contextlib.ExitStack()


def clean() -> None:
    """Remove what was put aside in temporary files."""
    _temporary.close()


atexit.register(clean)


def scheme_of(path: str) -> str:
    """The scheme of a URL; empty for a local path."""
    found = re.match(r"([a-z][a-z0-9+.-]*)://", path)
    return found[1] if found else ""


def is_remote(path: str) -> bool:
    """Whether a path is a URL of something elsewhere."""
    return scheme_of(path) not in {"", "file"}


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


class Pipe:
    """A pipe that can be looked into, however little it gives at first."""

    def __init__(self, file: Any) -> None:
        self.file, self.put_back, self.closed = file, b"", False

    def ahead(self, n: int) -> bytes:
        """The next ``n`` bytes, or what there is, without taking them."""
        while len(self.put_back) < n and (more := self._more(n - len(self.put_back))):
            self.put_back += more
        return self.put_back[:n]

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1."""
        if n < 0:
            taken, self.put_back = self.put_back, b""
            return taken + self._more(-1)
        taken, self.put_back = self.put_back[:n], self.put_back[n:]
        return taken + self._more(n - len(taken)) if len(taken) < n else taken

    def _more(self, n: int) -> bytes:
        if self.file.closed:
            return b""
        more = bytes(self.file.read(n))
        if not more or n < 0:
            self.file.close()
        return more

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Leave it open: it cannot be opened again."""


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
    """The open pipe."""

    @property
    def title(self) -> str:
        """What messages call it."""
        return "stdin" if self.path == STDIN else self.path

    @property
    def ranges(self) -> bool:
        """Whether parts of it can be read by themselves."""
        return not self.pipe and self.compression is None

    @functools.cached_property
    def stamp(self) -> Stamp:
        """Which file it is now."""
        if not self.ranges:
            return ()
        try:
            with open_binary(self.path) as file:
                return stamp_of(file)
        except REFUSALS as error:
            raise unreadable(self.path, error) from None

    @functools.cached_property
    def size(self) -> int:
        """Its size in bytes; 0 where nobody knows."""
        if self.pipe:
            return 0
        try:
            with open_binary(self.path) as file:
                return int(file.seek(0, os.SEEK_END))
        except REFUSALS as error:
            raise unreadable(self.path, error) from None

    def head(self, n: int = 16) -> bytes:
        """Its first bytes, as they are stored.

        Raises:
            DataError: it cannot be read.
        """
        try:
            if self.handle is not None:
                return bytes(self.handle.ahead(n))
            with open_binary(self.path) as file:
                return bytes(file.read(n))
        except REFUSALS as error:
            raise unreadable(self.title, error) from None

    def beginning(self) -> bytes:
        """The first bytes of its content; the stored ones where too few came to decompress."""
        if self.compression is None:
            return self.head()
        if self.pipe:
            some = pa.BufferReader(self.head(1 << 16))
            with contextlib.suppress(*REFUSALS):
                return bytes(pa.CompressedInputStream(some, self.compression).read(16))
            return self.head()
        try:
            with self.open() as file:
                return bytes(file.read(16))
        except REFUSALS as error:
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
        except REFUSALS as error:
            raise unreadable(self.title, error) from None
        aside.flush()
        return Location(aside.name, keys=self.keys)


def stamp_of(file: Any) -> Stamp:
    """The stamp of an open file."""
    try:
        found = os.fstat(file.fileno())
    except (AttributeError, OSError, ValueError):
        return ()
    return found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def unchanged(path: str, stamp: Stamp) -> Iterator[Any]:
    """The file of a path, open, if it is still the one that was stamped.

    Raises:
        DataError: it was changed since.
    """
    with open_binary(path) as file:
        if stamp_of(file) != stamp:
            raise DataError(f"{path}: was changed while it was read", "Run it again once nobody writes to the file.")
        yield file


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
        try:
            return fsspec.open(path, "rb").open()
        except ImportError as missing:
            raise UsageError(f"{path}: {missing}", "pip install 'lossctl[remote]'") from None
    known = ", ".join(f"{it}://" for it in (*ARROW_STORES, *FSSPEC_STORES))
    raise UsageError(f"{path}: unknown kind of URL", f"Known: {known}.")


def _store(path: str) -> tuple[Any, str]:
    from pyarrow import fs  # noqa: PLC0415  (loads the clients of the stores)

    base, _, options = path.rpartition("?") if "=" in path.rpartition("?")[2] else (path, "", "")
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
        found.pipe, found.handle = True, Pipe(open(0, "rb", closefd=False))  # noqa: SIM115  (stays open)
    elif scheme_of(path) in FSSPEC_STORES:
        found.pipe, found.handle = _unless_ranges(path)
    elif not scheme_of(path):
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                found.pipe = True
                found.handle = Pipe(open_binary(path))
        except OSError as error:
            raise unreadable(path, error) from None
    head = found.head()
    found.compression = _compression(head)
    return found


def _unless_ranges(path: str) -> tuple[bool, Any]:
    """Whether a web address must be read from its beginning to its end, and then the pipe to do so."""
    try:
        with open_binary(path) as file:
            if file.seek(0, os.SEEK_END) > 1:
                file.seek(1)
                file.read(1)
        return False, None
    except FileNotFoundError as error:
        raise unreadable(path, error) from None
    except (OSError, ValueError):
        import fsspec  # noqa: PLC0415  (it was there for the first try)

        return True, Pipe(fsspec.open(path, "rb", block_size=0).open())


def _compression(head: bytes) -> str | None:
    found = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
    if found == "bz2" and head[4:10] not in {b"1AY&SY", b"\x17rE8P\x90"}:
        return None  # a word that begins like a bzip2 file
    return found


def _hive_keys(path: str) -> tuple[tuple[str, str], ...]:
    parts = (part.partition("=") for part in path.split("?", maxsplit=1)[0].split("/")[:-1])
    return tuple((unquote(name), unquote(value)) for name, equals, value in parts if equals and name)


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
        matching = glob.glob(local, recursive=True)
        found = [one for one in matching if os.path.isfile(one)]
        found += [one for folder in matching if os.path.isdir(folder) for one in expand(folder) if not found]
        if not found:
            raise DataError(f"{path}: no file matches")
    else:
        return [local]
    return sorted(found, key=natural)


def _expand_store(path: str) -> list[str]:
    from pyarrow import fs  # noqa: PLC0415

    base, question, options = path.rpartition("?")
    if "=" not in options:  # a glob's ? rather than options
        base, question, options = path, "", ""
    scheme = base.split("://", 1)[0]
    try:
        store, inside = _store(path if options else base)
        is_glob = any(sign in inside for sign in "*?[")
        top = re.split(r"[*?\[]", inside)[0].rpartition("/")[0] if is_glob else inside.rstrip("/")
        kind = store.get_file_info(top).type
        if not is_glob and kind == fs.FileType.NotFound:
            raise FileNotFoundError(path)
        if not is_glob and kind != fs.FileType.Directory:
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
