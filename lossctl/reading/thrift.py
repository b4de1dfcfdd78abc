"""Reads Thrift's compact protocol, in which the footer of a Parquet file is written."""

from typing import Any

Structure = dict[int, Any]
"""Values by the number of their field."""

TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCTURE = 1, 2, 3, 7, 8, 9, 10, 11, 12


class Reader:
    """Reads values one after the other.

    Args:
        data: the bytes, at which it begins.
    """

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def structure(self) -> Structure:
        """The fields of a structure.

        Raises:
            IndexError: the bytes end within it.
            ValueError: a value is of no type that there is.
            RecursionError: it is nested too deeply.
        """
        fields: Structure = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            fields[number] = kind == TRUE if kind <= FALSE else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind <= BYTE:
            return self._byte()
        if kind < DOUBLE:
            return self._integer()
        if kind == DOUBLE:
            return self._bytes(8)
        if kind == BINARY:
            return self._bytes(self._natural())
        if kind in {LIST, SET}:
            head = self._byte()
            return [self._value(head & 15) for _ in range(head >> 4 if head >> 4 < 15 else self._natural())]
        if kind == MAP:
            count = self._natural()
            kinds = self._byte() if count else 0
            return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(count)]
        if kind == STRUCTURE:
            return self.structure()
        raise ValueError(f"no type {kind}")

    def _byte(self) -> int:
        self.place += 1
        return self.data[self.place - 1]

    def _bytes(self, n: int) -> bytes:
        if self.place + n > len(self.data):
            raise IndexError(n)
        self.place += n
        return self.data[self.place - n : self.place]

    def _natural(self) -> int:
        value, shift = 0, 0
        while (byte := self._byte()) & 0x80:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
        return value | byte << shift

    def _integer(self) -> int:
        natural = self._natural()
        return natural >> 1 ^ -(natural & 1)
