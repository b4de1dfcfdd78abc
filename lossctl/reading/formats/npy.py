"""NumPy's ``.npy``: one array, whose columns are its fields, or are numbered; a shard is a range of rows."""

from collections.abc import Iterator
from typing import BinaryIO, NoReturn

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import DataError
from lossctl.reading.arrays import MAGIC, Array, read_header
from lossctl.reading.columns import Column
from lossctl.reading.format import Reading, Wanted, columns_in, formats, not_written
from lossctl.reading.location import Location
from lossctl.reading.stamp import Stamp
from lossctl.reading.stamped import unchanged
from lossctl.reading.stores import REFUSALS, unreadable

SHARD, ROWS, BATCH = 1 << 23, 1 << 20, 1 << 16
"""About how many bytes a shard has, how many rows at most, and how many are passed on at once."""


@dataclass(frozen=True)
class Rows:
    """Some rows of an array in a file."""

    path: str
    file: str
    index: int
    stamp: Stamp
    array: Array
    start: int
    stop: int

    @property
    def nbytes(self) -> int:
        """How many bytes they have."""
        return (self.stop - self.start) * self.array.row_bytes

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, up to 65 536 at a time."""
        names = [name for name in self.array.names if wanted.others or name in wanted.names]
        try:
            with unchanged(self.path, self.stamp) as file:
                for start in range(self.start, self.stop, BATCH):
                    rows = self.array.read(file, start, min(start + BATCH, self.stop))
                    yield self.array.columns(rows, names)
        except REFUSALS as error:
            raise unreadable(self.file, error) from None


@dataclass(frozen=True)
class ArraySource:
    """An open array."""

    path: str
    title: str
    array: Array
    stamp: Stamp
    columns: tuple[Column, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.title,)

    @property
    def numbers(self) -> None:
        """``None``: no row is left out."""

    @property
    def once(self) -> bool:
        """False: what came through a pipe was copied to a temporary file."""
        return False

    def shards(self) -> Iterator[Rows]:
        """Ranges of rows."""
        step = min(max(SHARD // self.array.row_bytes, 1), ROWS)
        for index, start in enumerate(range(0, self.array.rows, step)):
            stop = min(start + step, self.array.rows)
            yield Rows(self.path, self.title, index, self.stamp, self.array, start, stop)


class Npy:
    """The format of one array."""

    name = "npy"
    suffixes: tuple[str, ...] = (".npy",)
    magic = MAGIC  # b"\x93NUMPY", by which the module is found
    text = False
    typed = True
    read_only = True

    def open(self, location: Location, reading: Reading) -> ArraySource:  # noqa: ARG002  (it says all itself)
        """Open a file by its header; a pipe is put into a file first.

        Raises:
            DataError: the array is none of numbers or text, has no rows and columns, or is not whole.
        """
        spooled, title = location.spooled(), location.title
        try:
            with unchanged(spooled.path, spooled.stamp) as file:
                array = read_header(file, title)
            columns = columns_in(array.columns(array.empty(), array.names).schema)
        except REFUSALS as error:
            raise unreadable(title, error) from None
        over = spooled.size - array.offset - array.nbytes
        if over < 0:
            raise DataError(f"{title}: cut: it lacks {-over:,} bytes of an array of shape {array.shape}", WHOLE)
        if over > 0:
            raise DataError(f"{title}: holds {over:,} bytes behind an array of shape {array.shape}", ALONE)
        return ArraySource(spooled.path, title, array, spooled.stamp, columns)

    def writer(self, file: BinaryIO, schema: pa.Schema) -> NoReturn:  # noqa: ARG002
        """Raise a `UsageError`: a header says how many rows there are, which nobody knows before."""
        raise not_written(self)


WHOLE = "Is the file whole?"
ALONE = "Save each array in a file of its own, or all as .npz."

formats.add(Npy.name, Npy())
