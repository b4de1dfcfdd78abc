"""The configuration: which file it is, what it says and on which line; nothing in it is ever run.

Imported where there is one.
"""

import glob
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Any

from lossctl.cli.nearest import LARGEST, SHARED, candidates
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError

TABLE = ("tool", "lossctl")
"""Where the settings stand in the shared file."""
_WORD = r"(?:[\w-]+|\"[^\"]*\"|'[^']*')"
_KEY = re.compile(rf"\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=")
_HEADER = re.compile(r"\[{1,2}\s*([^\[\],]+?)\s*\]{1,2}\s*(?:#.*)?")


@dataclass(frozen=True)
class Configuration:
    """What a file says."""

    path: str
    """The file, as messages call it."""
    values: Mapping[str, Any]
    """What it sets, by key as it is written."""
    gates: Sequence[Mapping[str, Any]] = ()
    table: tuple[str, ...] = ()
    """The table of the file that this is."""
    text: str = field(default="", repr=False)
    is_named: bool = True
    """Whether somebody named the file, rather than that it lies where it was found."""

    def place(self, key: str = "", gate: int | None = None) -> str:
        """Where a key is said: the file, and the line where that can be told.

        Args:
            key: a key; empty for the gate itself.
            gate: which of the gates it is a key of; ``None`` for one of the settings.
        """
        line = self._lines.get((gate, key)) or self._lines.get((gate, "")) or self._lines.get((None, key))
        return f"{self.path}:{line}" if line else self.path

    @cached_property
    def _lines(self) -> dict[tuple[int | None, str], int]:
        """The lines of keys, by the gate that they are of; the empty key is the gate."""
        lines: dict[tuple[int | None, str], int] = {}
        gate: int | None = None
        for number, header, key in _keys_in(self.text):
            path = (*header, *key)
            if path[: len(self.table)] != self.table:
                continue
            path = path[len(self.table) :]
            if path[:1] != ("gate",):
                lines.setdefault((None, path[0] if path else ""), number)
                continue
            if len(path) == 1:
                gate = 0 if gate is None else gate + 1
                lines.setdefault((None, "gate"), number)
            lines.setdefault((gate, path[1] if len(path) > 1 else ""), number)
        return lines

    def holds(self, path: str) -> bool:
        """Whether a path leads into the folder of the file, whatever links there are."""
        folder = os.path.realpath(os.path.dirname(self.path) or ".")
        return os.path.realpath(path).startswith(os.path.join(folder, ""))

    def beside(self, path: str) -> str:
        """A path that the file names, which is relative to where the file is."""
        folder = os.path.dirname(self.path)
        if not folder or path == "-" or os.path.isabs(path) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path):
            return path
        is_glob = any(sign in path for sign in "*?[")
        joined = os.path.join(glob.escape(folder) if is_glob else folder, path)
        plain = os.path.normpath(joined)
        return plain if os.path.realpath(plain) == os.path.realpath(joined) else joined  # a link leads elsewhere


def _keys_in(text: str) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """The lines that begin with a key, each with the header above it; and the headers, without a key."""
    header: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if met := _HEADER.fullmatch(line.strip()):
            header = _parts(met[1])
            yield number, header, ()
        elif met := _KEY.match(line):
            yield number, header, _parts(met[1])


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in key.split("."))


def nearest() -> Configuration | None:
    """The nearest configuration (see `lossctl.cli.nearest`).

    Raises:
        UsageError: the file cannot be read, or is no TOML.
    """
    possible = (read(path, optional=os.path.basename(path) == SHARED) for path in candidates())
    return next(
        (replace(configuration, is_named=False) for configuration in possible if configuration is not None), None
    )


def read(path: str, *, optional: bool = False) -> Configuration | None:
    """What a file says.

    Args:
        path: the file; of ``pyproject.toml``, the table ``[tool.lossctl]`` is meant.
        optional: whether it may lack that table; then there is nothing.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: cannot be read: {reason}", "Without a configuration: --isolated.") from None
    if len(data) > LARGEST:
        raise UsageError(f"{path}: is too large for a configuration")
    content, text = _parsed(path, data)
    table = TABLE if os.path.basename(path) == SHARED else ()
    for depth, name in enumerate(table):
        if optional and (name not in content or (depth == 0 and not isinstance(content[name], dict))):
            return None
        if not isinstance(content.get(name), dict):
            raise UsageError(f"{path}: has no table [{'.'.join(table[: depth + 1])}]")
        content = content[name]
    values = {key: value for key, value in content.items() if key != "gate"}
    configuration = Configuration(path, values, (), table, text)
    gates = content.get("gate", [])
    if not isinstance(gates, list) or not all(isinstance(gate, dict) for gate in gates):
        header = ".".join((*table, "gate"))
        raise UsageError(f"{configuration.place('gate')}: gate is no list of tables", f"Begin each with [[{header}]].")
    return Configuration(path, values, gates, table, text)


def _parsed(path: str, data: bytes) -> tuple[dict[str, Any], str]:
    """The tables of TOML, and its text.

    Raises:
        UsageError: it is none; with the line.
    """
    try:
        text = data.decode("utf-8-sig")
        return tomllib.loads(text), text.replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: is not UTF-8") from None
    except RecursionError:
        raise UsageError(f"{path}: is nested too deeply") from None
    except ValueError as error:
        what, _, place = str(error).partition(" (at ")
        met = re.match(r"line (\d+), column (\d+)", place)
        line = int(met[1]) if met else text.count("\n") + 1
        raise UsageError(f"{path}:{line}: is no TOML: {what}" + (f", at column {met[2]}" if met else "")) from None
