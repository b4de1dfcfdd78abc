"""NumPy's ``.npz``: arrays by name, each a column; a shard holds some rows of all, for they are compressed streams."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO, NoReturn

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import DataError
from lossctl.reading.arrays import WIDEST, Array, cells, read_header
from lossctl.reading.columns import Column
from lossctl.reading.format import OneFile, Reading, columns_in, formats, not_written
from lossctl.reading.location import LOOK, Location
from lossctl.reading.memory import Slice
from lossctl.reading.stamped import open_again
from lossctl.reading.stores import REFUSALS, unreadable
from lossctl.words import in_bytes

SHARD, ROWS = 1 << 23, 1 << 16
"""About how many bytes a shard has, and how many rows at most."""
SUFFIX = ".npy"
DECODE = "Decode them where they were saved: numpy.char.decode(array, 'latin-1')."


@dataclass(frozen=True)
class Stored:
    """An array of an archive."""

    name: str
    array: Array
    location: Location
    """The archive; a copy of the array, where that stands column by column and so is no stream of rows."""

    def open(self) -> Any:
        """Its bytes behind its header."""
        location = self.location
        file = open_again(location.path, location.stamp)
        if location.member is not None:
            from lossctl.reading.archives import open_member  # noqa: PLC0415  (of other formats nobody needs it)

            file = open_member(file, location.member, location.confirm)
        read_header(file, self.array.title)
        return file

    def read(self, file: Any, start: int, stop: int) -> pa.Array:
        """Rows of it, the next of its stream; a `DataError` where it is bytes that are no text."""
        if self.location.member is None:
            rows = self.array.read(file, start, stop)
        else:
            rows = self.array.rows_in(bytes(file.read((stop - start) * self.array.row_bytes)), stop - start)
        try:
            return cells(rows)
        except UnicodeError:
            raise DataError(f"{self.array.title}: bytes that are not UTF-8 text", DECODE) from None


@dataclass(frozen=True)
class ArraysSource(OneFile):
    """An open archive of arrays."""

    location: Location
    arrays: tuple[Stored, ...]
    columns: tuple[Column, ...]

    @property
    def once(self) -> bool:
        """True: shards hold their rows."""
        return True

    def shards(self) -> Iterator[Slice]:
        """Some rows of all arrays at a time.

        Raises:
            DataError: an array is damaged, or not whole.
        """
        total, title = self.arrays[0].array.rows, self.location.title
        step = min(max(SHARD // sum(stored.array.row_bytes for stored in self.arrays), 1), ROWS)
        names = [stored.name for stored in self.arrays]
        try:
            with contextlib.ExitStack() as stack:
                files = [stack.enter_context(stored.open()) for stored in self.arrays]
                pairs = [*zip(self.arrays, files, strict=True)]
                for index, start in enumerate(range(0, total, step)):
                    stop = min(start + step, total)
                    rows = pa.Table.from_arrays([stored.read(file, start, stop) for stored, file in pairs], names)
                    if stop == total:
                        _ensure_ended(pairs)
                    yield Slice(rows, index, title)
        except REFUSALS as error:
            raise unreadable(title, error) from None


def _ensure_ended(pairs: list[tuple[Stored, Any]]) -> None:
    """Check that nothing follows the last rows, which is when checksums are compared; a `DataError` where it does."""
    for stored, file in pairs:
        if file.read(1):
            raise DataError(f"{stored.array.title}: more bytes than an array of shape {stored.array.shape} has")


class Npz:
    """The format of several arrays."""

    name = "npz"
    suffixes: tuple[str, ...] = (".npz",)
    magic = b""
    text = False
    typed = True
    read_only = True

    def open(self, location: Location, reading: Reading) -> ArraysSource:  # noqa: ARG002  (it says all itself)
        """Open an archive by the headers of its arrays.

        Raises:
            DataError: it is none, or one of its arrays is not of numbers or text, or has other rows than the first.
        """
        title = location.title
        if location.member is not None:
            raise DataError(f"{title}: npz inside a ZIP archive", "Unpack it, and name the file in it.")
        _refuse_foreign(title, location.head(LOOK))
        names = [member.name for member in location.members()]
        twin = next((name for name in names if names.count(name) > 1), None)
        stranger = next((name for name in names if not name.endswith(SUFFIX)), None)
        if twin is not None or stranger is not None:
            what = f"two members called {twin!r}" if twin is not None else f"member {stranger!r} is no array"
            raise DataError(f"{title}: {what}", "Write it anew: numpy.savez(path, y=…, p=…).")
        if not names:
            raise DataError(f"{title}: holds no array")
        arrays = tuple(_stored(location, name) for name in names)
        first = arrays[0]
        other = next((stored for stored in arrays if stored.array.rows != first.array.rows), None)
        if other is not None:
            what = f"array {first.name!r} has {first.array.rows:,} rows, and {other.name!r} {other.array.rows:,}"
            raise DataError(f"{title}: {what}", "Save arrays of one length: each is a column.")
        width = sum(stored.array.row_bytes for stored in arrays)
        if width > WIDEST:
            raise DataError(f"{title}: a row takes {in_bytes(width)}, and more than {in_bytes(WIDEST)} are not read")
        empty = [cells(stored.array.empty()) for stored in arrays]
        schema = pa.schema([(stored.name, column.type) for stored, column in zip(arrays, empty, strict=True)])
        return ArraysSource(location, arrays, columns_in(schema))

    def writer(self, file: BinaryIO, schema: pa.Schema) -> NoReturn:  # noqa: ARG002
        """Raise a `UsageError`: a header says how many rows there are, which nobody knows before."""
        raise not_written(self)


def _refuse_foreign(title: str, head: bytes) -> None:
    """Raise a `DataError` where a file is no archive, but of a kind that is known and not read."""
    from lossctl.reading.foreign import refuse_foreign  # noqa: PLC0415  (of other formats nobody needs it)

    if not head.startswith(b"PK"):
        refuse_foreign(title, head)


def _stored(location: Location, member: str) -> Stored:
    """An array of an archive; a `DataError` where it cannot be read."""
    from lossctl.reading.archives import open_member  # noqa: PLC0415  (of other formats nobody needs it)

    name = member.removesuffix(SUFFIX)
    title = f"{location.title}: array {name!r}"
    within = replace(location, compression="zip", member=member)
    try:
        with open_member(open_again(location.path, location.stamp), member) as file:
            array = read_header(file, title)
    except REFUSALS as error:
        raise unreadable(title, error) from None
    if array.dtype.names is not None:
        raise DataError(f"{title}: has fields", "Save each field as an array of its own.")
    if array.fortran and len(array.shape) == 2:
        return Stored(name, array, within.spooled())
    return Stored(name, array, within)


formats.add(Npz.name, Npz())
