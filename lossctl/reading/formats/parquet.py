"""Apache Parquet; a shard is a row group, or several small ones."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from lossctl.reading.footer import Part, PartedSource
from lossctl.reading.format import Reading, Wanted, columns_in, formats
from lossctl.reading.location import Location
from lossctl.reading.stamp import Stamp, unchanged
from lossctl.reading.stores import REFUSALS, is_remote, unreadable

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ROWS = 1 << 16
COLUMN_BYTES, BATCH_BYTES = 1 << 22, 1 << 25
"""About how many bytes of one column, and of all, a batch may hold: long lists stay in the cache, and many columns come
enough rows at a time."""
BUFFER = 1 << 18
LOOK = 256
"""How many rows the smallest batch has, and how many are read to see how long lists are."""


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


def _rows(file: "pq.ParquetFile", index: int, fields: list[pa.Field]) -> int:
    """How many rows a batch of some columns of a row group may have.

    The footer would say how much a column holds, but Arrow ends the process where that part of it is damaged.
    """
    group = file.metadata.row_group(index)
    whole = max(group.total_byte_size, 1) // max(group.num_rows, 1) + 1
    widths = [_bytes(field.type, whole) for field in fields]
    lists = [field.name for field, width in zip(fields, widths, strict=True) if not width]
    if lists:
        first = next(file.iter_batches(LOOK, row_groups=[index], columns=lists, use_threads=False), None)
        widths += [] if first is None else [column.nbytes // max(len(column), 1) for column in first.columns]
    return max(min(ROWS, COLUMN_BYTES // max([1, *widths]), BATCH_BYTES // max(sum(widths), 1)), LOOK)


def _bytes(kind: pa.DataType, whole: int) -> int:
    """About how many bytes a value takes in memory; 0 for a list, of which only reading some rows tells.

    Text and the like take ``whole`` bytes at most, the size of a row on average.
    """
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size) * _bytes(kind.value_type, whole)
    if pa.types.is_nested(kind):
        return 0
    return 8 if pa.types.is_primitive(kind) else whole


def _open(file: Any, path: str, stamp: Stamp) -> "pq.ParquetFile":
    """Open a Parquet file, with its footer from the cache where it is the same file."""
    import pyarrow.parquet as pq

    # The buffer keeps a giant row group from being held whole, but costs a request a page where the file is remote.
    remote = is_remote(path)
    metadata = None if remote else _footer(file, path, stamp)
    return pq.ParquetFile(file, metadata=metadata, pre_buffer=remote, buffer_size=0 if remote else BUFFER)


class RowGroups(Part):
    """Row groups of a Parquet file."""

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, up to 65 536 at a time."""
        try:
            with unchanged(self.path, self.stamp) as raw:
                file = _open(raw, self.path, self.stamp)
                fields = [field for field in file.schema_arrow if wanted.others or field.name in wanted.names]
                filled = (index for index in self.members if file.metadata.row_group(index).num_rows)
                rows, names = _rows(file, next(filled, self.members[0]), fields), [field.name for field in fields]
                # A name that several columns have stands for all of them each time: of all columns, none is named.
                columns = None if wanted.others else names
                yield from file.iter_batches(rows, row_groups=[*self.members], columns=columns, use_threads=False)
        except REFUSALS as error:
            raise unreadable(self.file, error) from None


class Parquet:
    """The Parquet format."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq")
    magic = b"PAR1"
    text = False
    typed = True

    def open(self, location: Location, reading: Reading) -> PartedSource:  # noqa: ARG002  (it says all itself)
        """Open a file by its footer; a pipe is put into a file first."""
        spooled = location.spooled()
        try:
            with unchanged(spooled.path, spooled.stamp) as raw:
                file = _open(raw, spooled.path, spooled.stamp)
                columns, footer = columns_in(file.schema_arrow), file.metadata
                parts, rows = footer.num_row_groups, footer.num_rows
                return PartedSource(location, spooled.path, columns, parts, rows, spooled.stamp, RowGroups)
        except REFUSALS as error:
            raise unreadable(location.title, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> "pq.ParquetWriter":
        """Begin a file."""
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, schema)


formats.add(Parquet.name, Parquet())
