"""What every result makes of itself: sections of lines, tables, facts and charts for people, records for machines.

A renderer draws any document and knows no result. Numbers stand in it unrounded, text as it is: a renderer rounds the
one and makes the other printable.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any, Literal

from lossctl.dataclass import dataclass
from lossctl.errors import argued
from lossctl.records import Records
from lossctl.version import __version__

if TYPE_CHECKING:  # help and lists need no NumPy
    from lossctl.domain import BoolArray, FloatArray

SCHEMA_VERSION = 1
"""Stands in every JSON object; goes up by one when a field changes its meaning or goes away."""

Tone = Literal["", "strong", "faint", "code", "good", "bad", "doubtful", "noted", "command"]
"""How a piece of text is meant; a ``command`` is never broken, so that it can be copied."""
Kind = Literal["name", "text", "number", "count", "share", "entries"]
"""What a column holds. A name tells rows apart; a number may be the numbers of a vector; a share is of 1; entries are
some numbers of a vector by their names."""
BEST = "*"
"""What marks the best of several numbers."""
Mark = Literal["line", "points", "intervals", "bars", "heat"]
FAR = 1e300
"""No axis goes further from 0: lengths and steps stay finite."""


@dataclass(frozen=True)
class Piece:
    """Some text that is meant in one way."""

    text: str
    tone: Tone = ""
    brief: str | None = None
    """What may stand for it where there is little room."""
    ends: bool = False
    """Whether a line ends behind it."""


Phrase = tuple[Piece, ...]
Words = str | Piece | Phrase


@dataclass(frozen=True)
class Approximate:
    """A number, or those of a vector, known only nearly."""

    value: float | tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Estimates:
    """A column of numbers, each known as well as its standard error says: it is written with the digits this warrants.

    Iterating gives the numbers, ``None`` where there is none.
    """

    value: "FloatArray"
    """The numbers, ``(n,)``; where there is none, anything."""
    standard_error: "FloatArray"
    """That of each, ``(n,)``; NaN where it is unknown."""
    best: "BoolArray | None" = None
    """Which are marked as the best of those they are compared with, ``(n,)``; ``None`` where none is."""
    missing: "BoolArray | None" = None
    """Where there is no number, ``(n,)``; ``None`` where each is there."""

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self.value)

    def __iter__(self) -> "Iterator[float | None]":
        values = self.value.tolist()
        if self.missing is None:
            return iter(values)
        return (None if gone else value for value, gone in zip(values, self.missing.tolist(), strict=True))

    def __getitem__(self, rows: "slice | BoolArray") -> "Estimates":
        best, missing = (None if column is None else column[rows] for column in (self.best, self.missing))
        return Estimates(self.value[rows], self.standard_error[rows], best, missing)

    @classmethod
    def of(
        cls, values: Sequence[float | None], errors: Sequence[float], best: "Sequence[bool] | BoolArray | None" = None
    ) -> "Estimates":
        """Numbers, ``None`` where there is none, with their standard errors."""
        import numpy as np  # noqa: PLC0415  (help and lists have none)

        missing = np.array([value is None for value in values], dtype=bool) if None in values else None
        numbers = [math.nan if value is None else value for value in values]
        marks = None if best is None else np.asarray(best, dtype=bool)
        return cls(np.array(numbers, dtype=np.float64), np.array(errors, dtype=np.float64), marks, missing)


Cells = Sequence[Any] | Estimates
"""Those of a column, from the top."""


@dataclass(frozen=True)
class Spelled:
    """A number that is written in a way of its own, such as a probability, in a column of numbers."""

    value: float
    text: str


@dataclass(frozen=True)
class Entries:
    """The numbers of a vector that matter, each with its name."""

    named: tuple[tuple[str, float], ...]
    """The most important first."""
    rest: str = ""
    """What is to be said of those left out; empty where there are none."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    kind: Kind = "text"
    digits: int | None = None
    """Significant digits, where they are not for the reader to choose."""
    missing: str = ""
    """What stands where there is no value."""
    tone: Tone = ""
    key: bool = False
    """Whether it says which row is which, and so stands in each part of a table that is taken apart."""
    spare: bool = False
    """Whether it says little that others do not, and may be left out where that saves a part: the last one first."""
    joined: bool = False
    """Whether it is left out with the spare column before it, and not alone."""
    brief: str = ""
    """A shorter title for where that saves a part, where what stands above the table says what is meant."""

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers, which are not broken."""
        return self.kind not in {"name", "text"}

    @property
    def right(self) -> bool:
        """Whether what it holds stands right."""
        return self.numeric and self.kind != "entries"


@dataclass(frozen=True)
class Table:
    """Columns of typed cells; words in a column of numbers stand as they are."""

    columns: tuple[Column, ...]
    cells: Sequence[Cells]
    """Those of each column, from the top."""
    title: Words = ""
    folds: bool = False
    """Whether cells are folded where room is short; else the columns of numbers are spread over several tables."""
    framed: bool = True
    """Whether it may have a frame."""
    tall: bool = False
    """Whether its cells have several lines: rows need lines between them, or no header where there are none."""
    tells: bool = False
    """Whether it is said below it which columns there was no room for."""

    @classmethod
    def of(cls, columns: tuple[Column, ...], rows: Sequence[Sequence[Any]], title: Words = "", **how: bool) -> "Table":
        """A table of few rows, made row by row; the other arguments are the fields."""
        return cls(columns, [*zip(*rows, strict=True)] if rows else [()] * len(columns), title, **how)

    @property
    def height(self) -> int:
        """How many rows it has."""
        return len(self.cells[0]) if self.cells else 0


@dataclass(frozen=True)
class Facts:
    """Texts by name."""

    rows: tuple[tuple[str, Words], ...]
    indent: int = 0


@dataclass(frozen=True)
class Line:
    """A line of words, folded where it is too long."""

    words: Words
    indent: int = 0


@dataclass(frozen=True)
class Heading:
    """What the sections below it, up to the next heading, are about."""

    text: str


@dataclass(frozen=True)
class Notes:
    """What to know of what stands above, a line each."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Axis:
    """One axis of a panel."""

    title: str
    """What is along it."""
    low: float
    """Where it begins."""
    high: float
    """Where it begins and ends: what lies beyond is in the series all the same, and not drawn."""
    names: tuple[str, ...] = ()
    """What 0, 1, 2, … stand for, where the axis is one of categories."""


@dataclass(frozen=True)
class Series:
    """One named set of numbers of a panel."""

    name: str
    """What it is called."""
    mark: Mark
    """How it is drawn."""
    x: tuple[float, ...]
    """Where the points are; for bars and heat the edges of the cells, one more than there are cells."""
    y: tuple[float, ...]
    """How high; for bars one a cell, for heat the edges of the cells."""
    counts: tuple[tuple[int, ...], ...] = ()
    """For heat, the rows in each cell: one tuple for each cell of y, from the bottom. For points, rows behind each."""
    beyond: int = 0
    """Rows that lie in none of the cells."""
    guide: bool = False
    """Whether it is there for the eye and not for its numbers."""
    ends: tuple[tuple[float, float], ...] = ()
    """For intervals, where each begins and ends, along x."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes and what is drawn over them."""

    title: str
    """What it shows; empty where the axes say it."""
    x: Axis
    """The axis along it."""
    y: Axis
    """The upright axis."""
    series: tuple[Series, ...]
    """What is drawn."""

    @property
    def counts(self) -> bool:
        """Whether its heights are counts, between which there is nothing."""
        return all(series.mark == "bars" for series in self.series if not series.guide)


@dataclass(frozen=True)
class Chart:
    """Panels that belong together; series of one name are one thing in all of them."""

    title: str
    """What it shows."""
    panels: tuple[Panel, ...]
    """The panels, side by side or below each other."""
    notes: tuple[str, ...] = ()
    """What to know of it."""
    subject: str = ""
    """What it is a picture of, such as a file; empty where the title says it."""

    @property
    def heading(self) -> str:
        """Title and subject."""
        return f"{self.title}: {self.subject}" if self.subject else self.title

    @property
    def names(self) -> tuple[str, ...]:
        """The series, each once."""
        return tuple(dict.fromkeys(series.name for panel in self.panels for series in panel.series if not series.guide))

    def to_dict(self) -> dict[str, Any]:
        """What is drawn as strict JSON can hold it: a number that is not finite becomes ``None``."""
        return {name: _finite(value) for name, value in asdict(self).items() if name != "subject"}


Part = Heading | Line | Table | Facts | Notes | Chart
Section = tuple[Part, ...]
"""Parts right below each other. Between sections is a blank line."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What was decided of one claim, for formats that carry decisions."""

    name: str
    state: Literal["pass", "fail", "inconclusive", "error"]
    words: str
    """What was decided, in one line."""
    fails: bool
    """Whether the exit status says so."""
    file: str = ""
    """The file that it is about; empty where it is of several, or of none."""
    properties: Mapping[str, Any] = field(default_factory=dict)


def _nothing() -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Document:
    """A result, described once for all formats.

    Sections, record, rows and items are functions, called only by the formats that need them: a number for a script
    does not wait for tables.
    """

    title: str
    sections: Callable[[], Iterable[Section]] = _nothing
    """For people."""
    pages: Callable[[], Iterable[Section]] | None = None
    """The same for a page, where lines are better as a table; the sections where left out."""
    record: Callable[[], Row] = dict
    """The whole in numbers, strings, lists and dictionaries."""
    rows: Callable[[], Iterable[Row]] = _nothing
    """Tidy rows, as CSV has them: one value a field, or a tuple of numbers."""
    items: Callable[[], Iterable[Row]] | None = None
    """The same rows for JSON lines, where a field may hold a list or a dictionary; the rows where left out."""
    values: Sequence[float] = ()
    """The numbers that the result comes down to; empty where it is more than numbers."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    bare: bool = False
    """Whether plain text of it has no colour, whatever is asked for: scripts read it."""
    outcomes: tuple[Outcome, ...] = ()
    """What was decided; empty where nothing was to be."""
    dense: bool = False
    """Whether its record is thousands of numbers, which are not written a line each."""
    schema: str = ""
    """Which JSON Schema its record has, and with ``-line`` behind each of its items; empty where there is none."""

    def to_dict(self) -> dict[str, Any]:
        """The whole as strict JSON takes it, with the version of its schema."""
        facts = self.record().items()
        return versioned({name: [*value] if isinstance(value, Records) else value for name, value in facts})

    def lines(self) -> list[Any]:
        """The items, or rows, as strict JSON takes them: one object each."""
        return [strict(item) for item in (self.items or self.rows)()]


def phrase(*words: Words) -> Phrase:
    """Words one behind the other, as one phrase."""
    pieces: list[Piece] = []
    for word in words:
        pieces += [Piece(word)] if isinstance(word, str) else [word] if isinstance(word, Piece) else word
    return tuple(pieces)


def prose(text: str) -> Phrase:
    """Text of a docstring: what stands between backticks is code."""
    pieces = re.split(r"`{1,2}([^`]+)`{1,2}", text)
    return tuple(Piece(piece, "code" if index % 2 else "") for index, piece in enumerate(pieces))


def charted(charts: Sequence[Chart]) -> Document:
    """Charts one below the other; a row is a point, the edge of a bar or of a cell."""
    return Document(
        title=", ".join(chart.title for chart in charts),
        sections=lambda: [(chart,) for chart in charts],
        record=lambda: {"charts": [chart.to_dict() for chart in charts]},
        rows=lambda: [row for chart in charts for row in _points(chart)],
        dense=True,
        schema="plot",
    )


def _points(chart: Chart) -> Iterable[Row]:
    for panel in chart.panels:
        for series in panel.series:
            place = {"chart": chart.title, "panel": panel.title or panel.y.title, "series": series.name}
            if series.mark == "heat":
                for y, counts in zip(series.y, series.counts, strict=False):
                    yield from ({**place, "x": x, "y": y, "rows": n} for x, n in zip(series.x, counts, strict=False))
            else:  # bars have one edge more than heights
                yield from ({**place, "x": x, "y": y} for x, y in zip(series.x, series.y, strict=False))


PLAIN = frozenset({str, int, bool, type(None)})
"""Types of what stays as it is."""


def versioned(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as strict JSON takes them, behind the version of the schema and of lossctl."""
    said = {name: [argued(text) for text in facts[name]] for name in ("notes", "warnings") if facts.get(name)}
    return {"schema_version": SCHEMA_VERSION, "lossctl": __version__, **strict({**facts, **said})}


def strict(value: Any) -> Any:
    """The value with non-finite numbers as ``None``, named in a field ``nonfinite`` of their object."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Mapping):
        plain, nonfinite = dict(value), {}
        for key, item in value.items():
            kind = type(item)
            if kind in PLAIN or (kind is float and math.isfinite(item)):
                continue
            plain[key], word = strict(item), word_of(item)
            if word is not None:
                nonfinite[key] = word
        return {**plain, "nonfinite": nonfinite} if nonfinite else plain
    return [strict(item) for item in value] if isinstance(value, list | tuple) else _finite(value)


def word_of(value: Any) -> Any:
    """What a number that is not finite is called; for a vector, what each such entry is; ``None`` if all are finite."""
    if type(value) in PLAIN:
        return None
    if isinstance(value, list | tuple):
        words = [word_of(item) for item in value]
        return words if any(words) else None
    if not isinstance(value, float) or math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _finite(value: Any) -> Any:
    """The value with non-finite numbers as ``None``, without a word about it."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
