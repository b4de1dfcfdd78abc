"""The messages of Arrow IPC, looked into before Arrow decompresses what they hold: 30 kB may hold gigabytes."""

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lossctl.errors import DataError
from lossctl.reading.readable import Readable
from lossctl.words import in_bytes

MOST = 1 << 28
"""How many bytes a compressed batch may take, which cannot be read in parts, unless it takes little less as it is."""
RATIO = 64
"""How many times its size a batch of data may take; predictions are not equal to each other."""
DICTIONARY, BATCH = 2, 3
DAMAGED = (struct.error, IndexError, OverflowError)


def check_batches(file: Any, title: str, members: range) -> None:
    """Raise a `DataError` where one of some record batches of an Arrow file, or a dictionary, would take too much.

    What is damaged is not checked: Arrow says what is wrong with it.
    """
    try:
        file.seek(-10, 2)
        end = file.tell()
        (length,) = struct.unpack("<i", file.read(4))
        file.seek(end - length)
        footer = file.read(max(length, 0))
        root = _offset(footer, 0)
        blocks = [*_blocks(footer, root, 2), *_blocks(footer, root, 3)[members.start : members.stop]]
        for place, length, size in blocks:
            file.seek(place)
            metadata = _unframed(file.read(length))
            _check(title, metadata, size, partial(_at, file, place + length))
    except DAMAGED:
        return


def _at(file: Any, start: int, place: int) -> bytes:
    file.seek(start + place)
    return bytes(file.read(8))


def _slice(body: bytes, place: int) -> bytes:
    return body[place : place + 8]


def _unframed(message: bytes) -> bytes:
    """The metadata of a message without the mark and the length before it."""
    return message[8 if message.startswith(b"\xff\xff\xff\xff") else 4 :]


def _check(title: str, metadata: bytes, size: int, read: Callable[[int], bytes]) -> None:
    """Raise a `DataError` where the body of a message would take too much; ``read`` gives 8 bytes at a place of it."""
    taken = sum(_inflated(metadata, read))
    if taken > max(MOST, RATIO * size):
        what = f"{title}: a batch of {in_bytes(size)} takes {in_bytes(taken >> 20 << 20)} once it is decompressed"
        raise DataError(what, "Write fewer rows to a batch, or do not compress them.")


def _inflated(metadata: bytes, read: Callable[[int], bytes]) -> Iterator[int]:
    """How long the buffers of a message are once they are decompressed; nothing where they are not compressed."""
    message = _offset(metadata, 0)
    kind, batch = _field(metadata, message, 1), _field(metadata, message, 2)
    if not kind or not batch or metadata[kind] not in {DICTIONARY, BATCH}:
        return
    table = _offset(metadata, batch)
    if metadata[kind] == DICTIONARY:
        table = _offset(metadata, _field(metadata, table, 1))
    buffers = _field(metadata, table, 2)
    if not buffers or not _field(metadata, table, 3):
        return
    vector = _offset(metadata, buffers)
    (count,) = struct.unpack_from("<I", metadata, vector)
    for place, length in struct.iter_unpack("<qq", metadata[vector + 4 : vector + 4 + 16 * count]):
        if length > 8:
            (whole,) = struct.unpack("<q", read(place))
            yield max(whole, 0)


def _blocks(footer: bytes, root: int, number: int) -> list[tuple[int, int, int]]:
    """Where blocks of a file begin, and how long their metadata and their bodies are."""
    field = _field(footer, root, number)
    if not field:
        return []
    vector = _offset(footer, field)
    (count,) = struct.unpack_from("<I", footer, vector)
    return list(struct.iter_unpack("<qi4xq", footer[vector + 4 : vector + 4 + 24 * count]))


def _offset(data: bytes, place: int) -> int:
    """What an offset points to, which counts from where it stands."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def _field(data: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer's table stands; 0 where it has none."""
    head = table - int(struct.unpack_from("<i", data, table)[0])
    (size,) = struct.unpack_from("<H", data, head)
    if 4 + 2 * number >= size:
        return 0
    (offset,) = struct.unpack_from("<H", data, head + 4 + 2 * number)
    return table + int(offset) if offset else 0


class Checked(Readable):
    """A stream of messages, which passes none on that would take too much, and knows whether its reader met their end.

    Arrow takes the end of the bytes for the end of the stream, but a writer that comes to the end marks it.

    Args:
        file: gives its bytes.
        title: what messages call it.
    """

    def __init__(self, file: Any, title: str) -> None:
        self.file, self.title, self.ahead, self.cut = file, title, b"", False
        self.parts = filter(None, self._parts())

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end.

        Raises:
            DataError: a batch would take too much.
        """
        taken = []
        while n and (block := self.ahead or next(self.parts, b"")):
            taken.append(block[:n] if n > 0 else block)
            self.ahead = block[n:] if 0 < n < len(block) else b""
            n -= len(taken[-1]) if n > 0 else 0
        self.cut = n > 0 and not taken
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _parts(self) -> Iterator[bytes]:
        """The stream, in parts that were checked; as it is from where it is no message."""
        while len(prefix := bytes(self.file.read(4))) == 4:
            if prefix == b"\xff\xff\xff\xff":
                yield prefix
                prefix = bytes(self.file.read(4))
            yield prefix
            metadata = bytes(self.file.read(max(int.from_bytes(prefix, "little", signed=True), 0)))
            yield metadata
            try:
                length = _field(metadata, message := _offset(metadata, 0), 3)
                size = struct.unpack_from("<q", metadata, length)[0] if message and length else 0
                body = bytes(self.file.read(max(size, 0)))
                _check(self.title, metadata, size, partial(_slice, body))
            except DAMAGED:
                size, body = 0, b""
            yield body
        yield prefix
        while block := bytes(self.file.read(1 << 20)):
            yield block
