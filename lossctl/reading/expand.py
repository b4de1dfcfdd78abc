"""The files that a path stands for: globs and directories, here and in stores."""

import os
import re
import stat
from collections.abc import Sequence

import pyarrow as pa

from lossctl.errors import DataError
from lossctl.reading.location import STDIN
from lossctl.reading.stores import ARROW_STORES, FSSPEC_STORES, scheme_of, store_of, unreadable
from lossctl.reading.waiting import LISTING, asked
from lossctl.words import natural


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
        files = [os.path.join(folder, name) for folder, _, names in os.walk(local) for name in names]
        files = [file for file in files if not _hidden(os.path.relpath(file, local))]
        if not files:
            raise DataError(f"{path}: no files in this directory", "Name a file, or a directory that holds data files.")
    elif any(sign in local for sign in "*?[") and not os.path.exists(local):
        import glob  # noqa: PLC0415  (few runs need it)

        matching = glob.glob(local, recursive=True)
        files = [file for file in matching if os.path.isfile(file)]
        files += [file for folder in matching if os.path.isdir(folder) for file in expand(folder) if not files]
        if not files:
            raise DataError(f"{path}: no file matches")
    else:
        return [local]
    return sorted(files, key=natural)


def repeated(paths: Sequence[str]) -> str:
    """What is to be warned of: that files are named again, be it through a link; empty where none is."""
    first: dict[object, str] = {}
    twins = []
    for path in paths if len(paths) > 1 else ():
        identity = _identity(path)
        known = first.get(identity)
        if known is None:
            first[identity] = path
        else:
            twins.append(f"{path} is named again" if path == known else f"{path} is the same file as {known}")
    more = f" ({len(twins) - 1:,} more are such)" if len(twins) > 1 else ""
    return f"{twins[0]}{more}: its rows count again" if twins else ""


def _identity(path: str) -> object:
    """What tells a file from others: device and inode of one that is here, else its path."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return path
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else path


def _expand_store(path: str) -> list[str]:
    """As `expand`, for a URL of `ARROW_STORES`; a `DataError` also where the store cannot be asked."""
    from pyarrow import fs  # noqa: PLC0415

    base, question, options = path.rpartition("?")
    if "=" not in options:  # a glob's ? rather than options
        base, question, options = path, "", ""
    scheme = base.split("://", 1)[0]
    try:
        store, inside = asked(path, lambda: store_of(path if options else base))
        is_glob = any(sign in inside for sign in "*?[")
        top = re.split(r"[*?\[]", inside)[0].rpartition("/")[0] if is_glob else inside.rstrip("/")
        kind = asked(path, lambda: store.get_file_info(top)).type
        if not is_glob and kind == fs.FileType.NotFound:
            raise FileNotFoundError(path)
        if not is_glob and kind != fs.FileType.Directory:
            return [path]
        within = fs.FileSelector(top, recursive=True, allow_not_found=True)
        infos = asked(path, lambda: store.get_file_info(within), times=LISTING)
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
    expressions = {"*": "[^/]*", "**": ".*", "**/": "(?:.*/)?"}
    return "".join(expressions.get(piece) or fnmatch.translate(piece)[4:-3] for piece in pieces if piece)


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in path.replace(os.sep, "/").split("/"))
