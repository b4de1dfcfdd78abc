"""Cells as numbers of 64 bits that are the same in every format, on every machine and in every version.

A cell is its text in UTF-8, hashed by FNV-1a (Fowler, Noll & Vo; RFC 9923) and mixed by the finaliser of MurmurHash3,
so that the first bits are as good as any. Files hold what was told apart by these numbers: they never change.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.arrow import filled, in_numpy
from lossctl.domain import IntArray
from lossctl.reading.cells import text_of

Hashes = npt.NDArray[np.uint64]
_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_SHIFT, _FIRST, _SECOND = np.uint64(33), np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


def joined(columns: Sequence[tuple[Hashes, IntArray]]) -> tuple[Hashes, IntArray]:
    """As `coded`, of the rows of several columns that are coded each."""
    if not columns:
        raise TypeError("no column to hash")
    (hashes, index), *others = columns
    for more, place in others:
        hashes = mixed_with(hashes[index], more[place])
        index = np.arange(len(hashes))
    return hashes, index


def mixed_with(hashes: Hashes, others: Hashes) -> Hashes:
    """One number for each two, ``(n,)``, in this order."""
    return _mixed((hashes * _PRIME) ^ others)


def coded(array: pa.Array, name: str, written: Callable[[pa.Array], pa.Array] | None = None) -> tuple[Hashes, IntArray]:
    """A number for each cell that occurs in a column, the last that of null, and the place of each row's among them.

    Args:
        array, name: the column.
        written: how its words are written where that is not as they stand.

    Raises:
        BadRow: cells cannot be read as text.
    """
    if pa.types.is_dictionary(array.type) and len(array.dictionary) > len(array):
        array = array.dictionary_decode()  # of a dictionary for other rows too
    try:
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    except pa.ArrowException:
        encoded = text_of(array, name).dictionary_encode()
    words = text_of(encoded.dictionary, name)
    words = words if written is None else written(words)
    index = filled(encoded.indices.cast(pa.int64()), len(words))
    return np.append(_words(words), EMPTY), in_numpy(index)


def _words(words: pa.Array) -> Hashes:
    """A number for each text."""
    binary = filled(words, "").cast(pa.large_string())
    offsets = np.frombuffer(binary.buffers()[1], np.int64)[binary.offset : binary.offset + len(binary) + 1]
    data = binary.buffers()[2]
    text = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    lengths = np.diff(offsets)
    hashes = np.full(len(binary), _OFFSET)
    order = np.argsort(-lengths, kind="stable")
    begins, lengths = offsets[:-1][order], lengths[order]
    for place in range(int(lengths.max(initial=0))):
        longer = int(np.searchsorted(-lengths, -place))  # the longest come first
        rows = order[:longer]
        hashes[rows] = (hashes[rows] ^ text[begins[:longer] + place]) * _PRIME
    return _mixed(hashes)


def _mixed(hashes: Hashes) -> Hashes:
    """Every bit of a number spread over all bits."""
    hashes = (hashes ^ (hashes >> _SHIFT)) * _FIRST
    hashes = (hashes ^ (hashes >> _SHIFT)) * _SECOND
    mixed: Hashes = hashes ^ (hashes >> _SHIFT)
    return mixed


EMPTY = _mixed(np.array([_OFFSET]))[0]
"""The number of an empty text, and of null."""
