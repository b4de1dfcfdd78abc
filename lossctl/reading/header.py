"""The beginning of a delimited text: where its rows begin, and what its columns are called."""

import csv
import itertools
import re
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv

from lossctl.dataclass import dataclass
from lossctl.errors import DataError, option
from lossctl.reading.counted import Counted, counts, is_apart
from lossctl.reading.dialect import Dialect
from lossctl.reading.format import Reading
from lossctl.reading.inferred_types import is_number
from lossctl.reading.lines import BOM, before_text
from lossctl.reading.look_alikes import ensure_narrow, not_utf8
from lossctl.words import free

SEPARATOR = rb'(?i)"?sep=([\t -!#-&(-/:-@[-^`{-~])"?\r?(?:\n|$)'
"""A first line that says what separates cells, as Excel writes and reads it."""
SEPARATORS = ",;\t|"
"""What may separate the cells of a line that seems to have only one."""
LOOK = 1 << 14
"""How many bytes are looked at to tell how numbers are written."""
COMMAS = r"[-+]?[\d.]*(,[\d.]+)+([eE][-+]?\d+)?"
"""What has commas and may be a number."""
DECIMAL_COMMA = r"[-+]?(\d*|[1-9]\d{0,2}(\.\d{3})+),\d+([eE][-+]?\d+)?"
THOUSANDS = r"[-+]?[1-9]\d{0,2}(,\d{3})+"
ROW_NAMES = "row.names"
"""What R calls the column that it writes no name for."""


@dataclass(frozen=True)
class Header:
    """What the first lines say."""

    names: tuple[str, ...]
    dialect: Dialect
    start: int
    """Where the rows begin."""
    counted: Counted | None = None
    """What the first line is, where it counts its cells: names or a row."""


def header_of(title: str, head: bytes, dialect: Dialect, reading: Reading) -> Header:
    """The names of the columns, and where the rows begin.

    Args:
        title: what messages call the file.
        head: its first bytes: all of the lines before its rows, and some of these.
        dialect: how it is written, as far as that is known.
        reading: what is said of it.

    Raises:
        DataError: it is not UTF-8 text with a header.
    """
    ensure_narrow(title, head)
    start = len(BOM) if head.startswith(BOM) else 0
    left = reading.skip_rows
    while left and start < len(head):
        start, left = _next_line(head, start), left - 1
    start += before_text(head[start:])
    separator = re.compile(SEPARATOR).match(head, start)
    if separator is not None:
        if reading.delimiter is None:
            dialect = replace(dialect, delimiter=separator[1].decode("latin-1"))
        start = separator.end() + before_text(head[separator.end() :])
    while dialect.comment is not None and head.startswith(dialect.comment.encode(), start):
        start = _next_line(head, start)
        start += before_text(head[start:])
    stop = _end_of_line(head, start, dialect)
    cells = _cells(title, head[start:stop], dialect, head[stop:])
    if not reading.header:
        named = tuple(f"#{number}" for number in range(1, len(cells) + 1))
        return Header(named, dialect, start, _counted(cells, head[stop:], dialect, named=False))
    _ensure_header(title, head[start:stop], cells, head[stop:], dialect)
    names = _names(title, cells, dialect, head[stop:])
    if _names_rows(head[start:stop], len(names), head[stop:], dialect):
        names = (free(ROW_NAMES, names), *names)
    return Header(names, dialect, stop, _counted(names, head[stop:], dialect, named=True))


def _counted(cells: tuple[str, ...], body: bytes, dialect: Dialect, *, named: bool) -> Counted | None:
    """What a first line is that counts its cells; ``None`` of another."""
    if not (counts(cells) or (not named and counts(cells, start=1))):
        return None
    line = dialect.delimiter.join(cells[:3]) + (f"{dialect.delimiter}…" if len(cells) > 3 else "")
    return Counted(line, named, is_apart(cells, dialect.without_comments(body), dialect))


def _ensure_header(title: str, line: bytes, cells: tuple[str, ...], body: bytes, dialect: Dialect) -> None:
    """Check that the first line looks no less like a header than the second.

    Raises:
        DataError: it looks like a comment, or a title.
    """
    second = _first_line(body, dialect)
    try:
        others = _cells(title, second, dialect)
    except DataError:
        return
    signs = ("#", "%", "//") if dialect.comment is None else ()
    sign = next((sign for sign in signs if line.startswith(sign.encode())), None)
    if sign is not None and others and (second.startswith(sign.encode()) or len(others) != len(cells)):
        above = itertools.takewhile(lambda text: text.startswith(sign.encode()), body.splitlines())
        comment = option(comment=sign) if len(sign) == 1 else option(skip_rows=1 + sum(1 for _ in above))
        raise DataError(f"{title}: the first line looks like a comment: {_shown(line)}", f"If so, say {comment}.")
    gaps = (gap for gap in " :" if gap != dialect.delimiter and _splits_alike(line, second, gap))
    gap = next(gaps, None) if len(cells) == 1 else None
    if gap is not None and len(others) == 1:
        what = f"{title}: a single column {cells[0]!r}: is {gap!r} the separator?"
        raise DataError(what, f"If so, say {option(delimiter=gap)}.")
    if len(cells) == 1 and len(others) > 1 and not any(mark in cells[0] for mark in SEPARATORS):
        what = f"{title}: the first line has a single field, and the second {len(others)}: {_shown(line)}"
        raise DataError(what, f"If it stands above the header, say {option(skip_rows=1)}.")


def _splits_alike(line: bytes, second: bytes, sign: str) -> bool:
    """Whether a sign cuts two lines into as many pieces, none of them empty, and what is below into numbers."""
    above, below = (text.decode(errors="replace").strip().split(sign) for text in (line, second))
    numbers = [piece.strip("\"'") for piece in below]
    return len(above) == len(below) > 1 and all(above) and all(map(is_number, numbers))


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace").strip()
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _first_line(body: bytes, dialect: Dialect) -> bytes:
    """The first line that is neither empty nor a comment."""
    body = body[before_text(body) :]
    while dialect.comment is not None and body.startswith(dialect.comment.encode()):
        body = body[_next_line(body, 0) :]
        body = body[before_text(body) :]
    return body[: _end_of_line(body, 0, dialect)]


def _names_rows(header: bytes, columns: int, body: bytes, dialect: Dialect) -> bool:
    """Whether rows begin with a name that the header has no name for, as R writes them.

    So it is where every row has one cell more, and the first cells are all different, and are no numbers, or quoted,
    or count the rows. Where commas separate, they are quoted, as is the header: else cells may hold commas.
    """
    first = _first_line(body, dialect)
    try:
        cells = _cells("", first, dialect)
    except DataError:
        return False
    if len(cells) != columns + 1 or not cells[-1]:
        return False
    quoted = [dialect.quote is not None and line.startswith(dialect.quote.encode()) for line in (header, first)]
    if dialect.delimiter == "," and not all(quoted):
        return False
    whole = body[: dialect.ends().last(body)] or body
    converting = pyarrow.csv.ConvertOptions(include_columns=["0"], column_types={"0": pa.string()})
    try:
        table = dialect.table(dialect.without_comments(whole), columns + 1, converting)
    except (pa.ArrowException, UnicodeError):
        return False
    names = table.column("0").to_pylist()
    words = quoted[1] or not any(map(is_number, names)) or names == [str(row) for row in range(1, len(names) + 1)]
    return len(set(names)) == len(names) and words


def _next_line(head: bytes, start: int) -> int:
    """Where the line after that of an offset begins."""
    end = b"\n" if b"\n" in head else b"\r"  # old Macs
    return head.find(end, start) + 1 or len(head)


def _end_of_line(head: bytes, start: int, dialect: Dialect) -> int:
    """Where the line ends that begins at an offset; a line end in quotes ends none."""
    stop = _next_line(head, start)
    if not dialect.quotes_in(head[start:stop]):
        return stop
    for size in (1 << 12, len(head)):  # a short line is not looked for in a megabyte
        lines = head[start : start + size]
        ends = dialect.ends().all(lines if b"\n" in head else lines.replace(b"\r", b"\n"))
        if len(ends):
            return start + int(ends[0])
    return len(head)


def _cells(title: str, line: bytes, dialect: Dialect, body: bytes = b"") -> tuple[str, ...]:
    """The cells of a line above others; a `DataError` where it is no text, or its quotes are no quotes."""
    if b"\0" in line:
        raise DataError(f"{title}: not text", "Is it another format under a wrong name?")
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise not_utf8(title, line) from None
    if dialect.quote is not None:
        text = re.sub(rf"({dialect.quote}) +(?={re.escape(dialect.delimiter)}|$)", r"\1", text)
    limit = csv.field_size_limit(len(text) + 1)
    try:
        reader = csv.reader(
            [text],
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            skipinitialspace=dialect.delimiter != " ",
            strict=True,
        )
        return tuple(next(reader, ()))
    except csv.Error as error:
        quoted = "expected" in str(error) or "unexpected end" in str(error)
        behind = re.match(rf"\s*{dialect.quote}[^{dialect.quote}]*{dialect.quote}([;\t| ])", text) if quoted else None
        if behind is not None:
            raise DataError(
                f"{title}: after the first name comes {behind[1]!r}: is that the separator?",
                f"If so, say {_split_by(behind[1], dialect, body)}.",
            ) from None
        hint = MISQUOTED if quoted else "Are its line ends whole?"
        raise DataError(f"{title}: the first line cannot be read: {error}", hint) from None
    finally:
        csv.field_size_limit(limit)


MISQUOTED = f"Double a quote that is a character of the cell; if the file does not quote, say {option(quote='none')}."
"""What to do where text follows a closing quote."""


def _split_by(sign: str, dialect: Dialect, body: bytes) -> str:
    """How to read lines whose cells a sign separates: with a decimal comma where numbers have one comma each."""
    said = [option(delimiter=sign)]
    lines = body[:LOOK].decode(errors="replace").splitlines()
    cells = [cell.strip(" \"'") for line in lines for cell in line.split(sign)]
    commas = [cell for cell in cells if re.fullmatch(COMMAS, cell)]
    decimal = all(re.fullmatch(DECIMAL_COMMA, cell) for cell in commas)
    either = all(re.fullmatch(THOUSANDS, cell) for cell in commas)  # such as 1,234, of which people are asked next
    if dialect.decimal == "." and decimal and not either:
        said.append(option(decimal=","))
        if dialect.thousands is None and any("." in cell for cell in commas):
            said.append(option(thousands="."))
    return " ".join(said)


def _names(title: str, cells: tuple[str, ...], dialect: Dialect, body: bytes) -> tuple[str, ...]:
    """The names of the columns: the cells of the first line; a `DataError` where they cannot be names."""
    cells = tuple(cell.strip() for cell in cells)
    if not any(cells):
        raise DataError(f"{title}: no header line")
    separator = next((sign for sign in SEPARATORS if sign in cells[0] and sign != dialect.delimiter), None)
    quoted = all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    if quoted and dialect.quote == '"':
        raise DataError(f"{title}: the names stand in single quotes", f"If so, say {option(quote=chr(39))}.")
    if len(cells) == 1 and separator is not None:
        hint = f"If so, say {_split_by(separator, dialect, body)}."
        raise DataError(f"{title}: a single column {cells[0]!r}: is {separator!r} the separator?", hint)
    if all(is_number(cell) for cell in cells) and not counts(cells):
        names = f"{option(header=False)} {option(skip_rows=1)}"
        hint = f"If it is a row, say {option(header=False)}; if they are names, {names}: columns are #1, #2, … then."
        raise DataError(f"{title}: the first line holds numbers, not names", hint)
    return cells
