"""A first line of numbers, ``0,1,…``: what is said of it, and whether it is asked what it is."""

from collections.abc import Iterator, Sequence

from lossctl.errors import Undecided, option
from lossctl.inference.request import Elsewhere, Request, Settings
from lossctl.reading.files import counted_line
from lossctl.reading.format import Source

WAYS = 2
"""How many ways to go on are shown where the line names columns."""


def counted_notes(source: Source, elsewhere: Elsewhere | None) -> Iterator[str]:
    """That such a line was taken for names, of each data set once."""
    for side in _sides(source, elsewhere):
        counted = counted_line(side)
        if counted is not None and counted.named:
            yield f"the first line of {side.files[0]}, {counted.line}, names its columns"


def doubted_names(source: Source, request: Request, elsewhere: Elsewhere | None) -> str:
    """Which first line may be names or a row, as nothing that is asked for tells; empty where there is none.

    It is names where a column is asked for by such a name; and where rows are matched in order with a file whose first
    line is clear, since they would not be as many.
    """
    sides = _sides(source, elsewhere)
    doubted = [(side, counted) for side in sides if (counted := counted_line(side)) is not None and counted.doubtful]
    by_order = elsewhere is not None and not elsewhere.keys
    if not doubted or (by_order and len(doubted) < len(sides)):
        return ""
    names = {column.name for side, _ in doubted for column in side.columns}
    patterns = [*request.label, *request.prediction, *filter(None, [request.weight]), *request.by]
    pieces = {piece.strip() for pattern in patterns for piece in pattern.rpartition("=")[2].split(",")}
    return "" if names & pieces else f"{doubted[0][0].files[0]}: the first line is {doubted[0][1].line}"


def _sides(source: Source, elsewhere: Elsewhere | None) -> list[Source]:
    return [source] if elsewhere is None else [source, elsewhere.labels]


def names_or_row(line: str, ways: Sequence[Settings]) -> Undecided:
    """The question what a first line is.

    Args:
        line: which.
        ways: what to ask for where it names the columns.
    """
    rows = [(("header", False), *map(_placed, way)) for way in ways[:1]]
    what = f"{line}: the names of the columns, as pandas writes them, or a row?"
    hint = f"Name the columns by it, as in {option(label='0')}, or say {option(header=False)}: they are #1, #2, … then."
    return Undecided(what, hint, (*ways[:WAYS], *rows))


def _placed(setting: tuple[str, str | bool | float]) -> tuple[str, str | bool | float]:
    """A setting of columns that are called by their numbers, from 0, with their places, from 1."""
    name, value = setting
    if name not in {"label", "prediction"}:
        return name, value
    return name, ",".join(f"#{int(number) + 1}" for number in str(value).split(","))
