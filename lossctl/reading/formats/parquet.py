"""Apache Parquet; a shard is a row group, or several small ones."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import DataError, option
from lossctl.reading.column_blocks import BESIDE, MANY, apart, many_columns
from lossctl.reading.fields import columns_needed, paths_needed
from lossctl.reading.footer import ROWS as LARGE
from lossctl.reading.footer import Part, PartedSource
from lossctl.reading.format import Reading, Wanted, columns_in, formats
from lossctl.reading.location import Location
from lossctl.reading.stamp import Stamp
from lossctl.reading.stamped import check, natively, unchanged
from lossctl.reading.stores import REFUSALS, is_remote, unreadable
from lossctl.reading.thrift import Reader, Structure
from lossctl.words import in_bytes

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ROWS, WORDS = 200_000, 1 << 16
"""How many rows a batch has at most, and one with texts, for which Arrow keeps some times the room that they take.

Arrow reads a column into room for the next power of two, and makes room for the rest of a page in which a batch ends: a
batch of just that power is moved to twice the room, and back.
"""
COLUMN_BYTES, BATCH_BYTES = 1 << 22, 1 << 24
"""About how many bytes of one column, and of all, a batch may hold: long lists stay in the cache, and many columns come
enough rows at a time."""
BUFFER, BUFFERS = 1 << 16, 1 << 23
"""How many bytes of a column are read at a time, and of all together: what a page needs beyond that is read at once."""
DICTIONARY = 1 << 26
"""How many bytes a column of texts may take in a row group, of which Arrow is to keep the words as a dictionary."""
FEW = 256
"""How many rows the smallest batch has, unless they take more than `MOST`."""
LONGEST_FOOTER = 1 << 17
"""How many bytes of a footer are read here, in Python: they take 40 ms."""
MOST = 1 << 28
"""How many bytes a row may take, which cannot be read in parts: a file of a kilobyte may hold lists of gigabytes."""
MISMATCH = "CRC checksum verification failed"
"""What Arrow says of a page that is not what its checksum says."""


_footers: "dict[tuple[str, Stamp], pq.FileMetaData]" = {}
"""The footers of the last two files, kept for their next row groups."""


def _footer(file: Any, path: str, stamp: Stamp) -> "pq.FileMetaData":
    """The footer of an open file."""
    import pyarrow.parquet as pq

    key = path, replace(stamp, keeper=None)
    footer = _footers.get(key) or pq.read_metadata(file)
    _footers.pop(key, None)
    _footers[key] = footer
    for old in [*_footers][:-2]:
        _footers.pop(old, None)
    return footer


def _lengths(file: Any) -> tuple[dict[str, int], ...]:
    """How many values the columns of each row group of an open file hold; of lists, these are many a row.

    The footer says it. Arrow would end the process where that part of it is damaged, so it is read here; there is
    nothing in what cannot be read, or takes long: a file of so many columns or row groups is not one of few bytes.
    """
    size = file.seek(-8, os.SEEK_END)
    length = min(int.from_bytes(file.read(4), "little"), size)
    if length > LONGEST_FOOTER:
        return ()
    file.seek(size - length)
    try:
        groups = Reader(file.read(length)).structure()[4]
        return tuple(_values(group[1]) for group in groups)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return ()


def _values(chunks: list[Structure]) -> dict[str, int]:
    """How many values columns, and fields inside them, hold in a row group, by the description of their parts."""
    values: dict[str, int] = {}
    for chunk in (chunk[3] for chunk in chunks):
        for path in accumulate((part.decode() for part in chunk[3]), "{}.{}".format):
            values[path] = values.get(path, 0) + chunk[5]
    return values


def _coded(part: Part, file: "pq.ParquetFile", fields: list[pa.Field], wanted: Wanted) -> list[str]:
    """The columns of which Arrow is to give the words as a dictionary, and codes of them.

    It has one for each row group, and a batch ends with it: row groups of few rows are not worth it.
    """
    names = {field.name for field in fields if field.name in wanted.coded and _is_words(field.type)}
    for index in part.members if names else ():
        group = file.metadata.row_group(index)
        if group.num_rows < WORDS:
            return []
        chunks = [group.column(place) for place in range(group.num_columns)]
        names -= {chunk.path_in_schema for chunk in chunks if chunk.total_uncompressed_size > DICTIONARY}
    return sorted(names)


def _rows(
    part: Part, raw: Any, file: "pq.ParquetFile", fields: list[pa.Field], coded: Sequence[str]
) -> tuple[int, int]:
    """How many rows a batch of some columns of a part may have, and about how many bytes a row takes.

    Args:
        part: the row groups.
        raw: their file, open.
        file: the same as Arrow reads it.
        fields: the columns, and fields inside some.
        coded: those that come as codes.

    Raises:
        DataError: a row takes more than `MOST` bytes.
    """
    widest = 0
    rows = WORDS if any(_is_text(field.type) for field in fields if field.name not in coded) else ROWS
    lengths = _lengths(raw) if any(not _bytes(field.type, 1) for field in fields) else ()
    for index in part.members:
        group = file.metadata.row_group(index)
        n = max(group.num_rows, 1)
        whole = max(group.total_byte_size, 1) // n + 1
        values = lengths[index] if index < len(lengths) else {}
        widths = [_bytes(field.type, whole) or 8 * values.get(field.name, 0) // n for field in fields]
        total = max(sum(widths), 1)
        widest = max(widest, total)
        texts = [width for field, width in zip(fields, widths, strict=True) if _is_text(field.type)]
        least = total - sum(texts) + max(texts, default=0)  # each may be all of the row, but not all of them are
        if least > MOST and group.num_rows:
            what = (
                f"{part.file}: a row takes {in_bytes(least >> 20 << 20)}, and more than {in_bytes(MOST)} are not read"
            )
            raise DataError(what, "Cut its lists into rows or columns of their own.")
        held = [8 if field.name in coded else width for field, width in zip(fields, widths, strict=True)]
        fitting = min(COLUMN_BYTES // max([1, *held]), BATCH_BYTES // max(sum(held), 1))
        rows = min(rows, max(fitting, min(FEW, MOST // least), 1))
    return rows, widest


def _bytes(kind: pa.DataType, whole: int) -> int:
    """About how many bytes a value takes in memory; 0 for a list, of which only reading some rows tells.

    Text and the like take ``whole`` bytes at most, the size of a row on average.
    """
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size) * _bytes(kind.value_type, whole)
    if pa.types.is_nested(kind):
        return 0
    return whole if _is_text(kind) else 8


def _is_words(kind: pa.DataType) -> bool:
    """Whether it is text, or words in a dictionary."""
    return bool(pa.types.is_string(kind) or (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)))


def _is_text(kind: pa.DataType) -> bool:
    """Whether it is text and the like: anything of no certain length."""
    return not (pa.types.is_primitive(kind) or pa.types.is_nested(kind))


def _open(
    file: Any, path: str, stamp: Stamp, *, verify: bool, columns: int = 1, coded: Sequence[str] = ()
) -> "pq.ParquetFile":
    """Open a Parquet file, with its footer from the cache where it is the same file; batches are to be `_checked`.

    ``verify`` has Arrow check the checksums of the pages that have one; so many ``columns`` are read side by side, and
    the texts that are ``coded`` as dictionaries.
    """
    import pyarrow.parquet as pq

    # The buffer keeps a giant row group from being held whole, but costs a request a page where the file is remote.
    # Reading ahead is done in threads of Arrow's, for which one would wait deaf to signals.
    remote = is_remote(path)
    metadata = None if remote else _footer(file, path, stamp)
    return pq.ParquetFile(
        natively(file),
        metadata=metadata,
        pre_buffer=False,
        buffer_size=0 if remote else min(BUFFER, BUFFERS // columns),
        page_checksum_verification=verify,
        read_dictionary=[*coded],
    )


@dataclass(frozen=True)
class RowGroups(Part):
    """Row groups of a Parquet file."""

    verify: bool = True
    """Whether the checksums of pages are checked."""

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, up to `ROWS` at a time."""
        try:
            yield from self._batches(wanted)
        finally:
            if len(wanted.names) > MANY:
                pa.default_memory_pool().release_unused()  # pages, which Arrow keeps for its next ones in this thread

    def _batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        try:
            with unchanged(self.path, self.stamp) as raw:
                beside = max(len(wanted.names), 1)
                file = _open(raw, self.path, self.stamp, verify=self.verify, columns=beside)
                schema = file.schema_arrow
                fields = [*schema] if wanted.others else paths_needed(schema, wanted.names, wanted.whole)
                many = apart(schema, fields)
                coded = [] if many else _coded(self, file, fields, wanted)
                (rows, width), names = _rows(self, raw, file, fields, coded), [field.name for field in fields]
                # A name that several columns have stands for all of them each time: of all columns, none is named.
                columns = None if wanted.others else names
                again = not is_remote(self.path)
                if many or coded:
                    beside = BESIDE if many else beside
                    file = _open(raw, self.path, self.stamp, verify=self.verify, columns=beside, coded=coded)
                try:
                    for possible, groups in self._runs(file, wanted):
                        if possible and many:
                            records = many_columns(file, groups, names, width, rows, again=again)
                            yield from _checked(records, raw)
                        elif possible:
                            records = file.iter_batches(rows, row_groups=groups, columns=columns, use_threads=False)
                            yield from _checked(records, raw)
                        else:
                            lengths = [file.metadata.row_group(group).num_rows for group in groups]
                            yield from _nulls(schema, wanted, sum(lengths), rows)
                except OSError as error:
                    if MISMATCH in str(error):
                        raise _mismatch(self, file, names, rows) from None
                    raise
        except REFUSALS as error:
            raise unreadable(self.file, error) from None

    def _runs(self, file: "pq.ParquetFile", wanted: Wanted) -> Iterator[tuple[bool, list[int]]]:
        """The row groups that follow each other and may all hold rows that are wanted, or all hold none."""
        where = wanted.where
        if where is None:
            yield True, [*self.members]
            return
        from lossctl.reading.parquet_bounds import bounds_in, excluded

        def possible(group: int) -> bool:
            return not excluded(where, bounds_in(file, group))

        for holds, groups in groupby(self.members, possible):
            yield holds, [*groups]


def _checked(records: Iterator[pa.RecordBatch], file: Any) -> Iterator[pa.RecordBatch]:
    """Record batches of a file that Arrow reads by itself, each once it is known that the file is what it was."""
    for record in records:
        check(file)
        yield record
    check(file)  # one that was cut has no more rows


def _large(footer: "pq.FileMetaData") -> dict[int, int]:
    """How many rows the row groups have that have more than two shards should."""
    lengths = {index: footer.row_group(index).num_rows for index in range(footer.num_row_groups)}
    return {index: rows for index, rows in lengths.items() if rows > 2 * LARGE}


def _nulls(schema: pa.Schema, wanted: Wanted, n: int, most: int) -> Iterator[pa.RecordBatch]:
    """So many rows of nulls in place of those that are not wanted, up to ``most`` at a time."""
    names = columns_needed(schema, wanted.names)
    fields = [field for field in schema if wanted.others or field.name in names]
    arrays = [pa.nulls(min(n, most), field.type) for field in fields]
    part = pa.RecordBatch.from_arrays(arrays, [field.name for field in fields])
    for start in range(0, n, most):
        yield part.slice(0, min(most, n - start))


def _mismatch(part: Part, file: "pq.ParquetFile", names: list[str], rows: int) -> DataError:
    """The error for some columns of a part, read so many rows at a time, of which a page has another checksum."""

    def damaged(group: int, name: str) -> bool:
        try:
            for _ in file.iter_batches(rows, row_groups=[group], columns=[name], use_threads=False):
                pass
        except REFUSALS:
            return True
        return False

    places = ((group, name) for group in part.members for name in names if damaged(group, name))
    group, name = next(places, (None, ""))
    place = "" if group is None else f"row group {group + 1} of {file.num_row_groups}, column {name!r}: "
    return DataError(
        f"{part.file}: {place}a page does not have the checksum it should: the file is damaged",
        f"Write it again, or copy it anew. It is read as it is with {option(verify=False)}.",
    )


class Parquet:
    """The Parquet format."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq")
    magic = b"PAR1"
    text = False
    typed = True

    def open(self, location: Location, reading: Reading) -> PartedSource:
        """Open a file by its footer; a pipe is put into a file first."""
        spooled = location.spooled()
        try:
            with unchanged(spooled.path, spooled.stamp) as raw:
                file = _open(raw, spooled.path, spooled.stamp, verify=reading.verify)
                columns, footer = columns_in(file.schema_arrow), file.metadata
                parts, rows = footer.num_row_groups, footer.num_rows
                part = partial(RowGroups, verify=reading.verify)
                large = _large(footer) if rows > 2 * LARGE * parts and not is_remote(spooled.path) else {}
                return PartedSource(location, spooled.path, columns, parts, rows, spooled.stamp, part, large)
        except REFUSALS as error:
            raise unreadable(location.title, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> "pq.ParquetWriter":
        """Begin a file."""
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, schema)


formats.add(Parquet.name, Parquet())
