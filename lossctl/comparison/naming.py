"""What models are called that have a file each: like the file, without what its name ends in."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lossctl.errors import UsageError
from lossctl.reading.location import STDIN, SUFFIXES
from lossctl.reading.recognition import format_by_suffix


def names_of(sources: Sequence[Any], given: Sequence[str] = ()) -> tuple[str, ...]:
    """What the models of some sources are called: as said, by the stems of their files, by their paths.

    Raises:
        UsageError: two are called alike by those who named them.
    """
    said = [*given, *[""] * (len(sources) - len(given))]
    for name, times in Counter(filter(None, said)).items():
        if times > 1:
            raise UsageError(f"two models are called {name!r}", "Give each another name.")
    paths = [path_of(source) for source in sources]
    stems = [said[place] or (stem_of(path) if path else "") for place, path in enumerate(paths)]
    whole = [said[place] or path for place, path in enumerate(paths)]
    if len({*whole}) > len({*stems}):
        stems = whole
    tables = [
        "baseline",
        *("candidate" if len(sources) == 2 else f"candidate {place}" for place in range(1, len(said))),
    ]
    names: list[str] = []
    for stem, table in zip(stems, tables, strict=True):
        name, number = stem or table, 2
        while name in names or (not stem and name in stems):
            name, number = f"{stem or table} ({number})", number + 1
        names.append(name)
    return tuple(names)


def stem_of(path: str) -> str:
    """The name of a file without what it ends in.

    >>> stem_of("runs/main.csv.gz"), stem_of("https://example.org/pr.parquet?v=1"), stem_of("runs/new/"), stem_of("-")
    ('main', 'pr', 'new', 'stdin')
    """
    if path == STDIN:
        return "stdin"
    whole = path.partition("?")[0] if "://" in path else path
    name = os.path.basename(whole.rstrip("/")) or whole
    name = _without(name, (*SUFFIXES, ".zip"))
    known = format_by_suffix(name.replace("?", "x")) if "." in name else None  # what is left of these is no query
    return name if known is None else _without(name, sorted(known.suffixes, key=len, reverse=True))


def _without(name: str, suffixes: Sequence[str]) -> str:
    end = next((end for end in suffixes if name.lower().endswith(end) and len(name) > len(end)), "")
    return name[: len(name) - len(end)]


def path_of(source: Any) -> str:
    """The path that a source is; empty where it is something else, or several."""
    if isinstance(source, list | tuple) and len(source) == 1:
        source = source[0]
    return os.fspath(source) if isinstance(source, str | os.PathLike) else ""
