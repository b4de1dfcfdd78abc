"""What Arrow does not decompress: streams of xz, and the members of ZIP archives; each is checked by its checksums."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from lossctl.dataclass import dataclass
from lossctl.words import in_bytes

if TYPE_CHECKING:
    import zipfile

MEMORY = 1 << 28
"""How many bytes decompressing xz may take, which a file says of itself: a few kilobytes could ask for 4 GiB."""
METHODS = (0, 8, 12)
"""How members of ZIP archives may be compressed, in memory that is bounded: not at all, deflate, bzip2."""
BLOCK = 1 << 18


class Damaged(OSError):
    """Compressed bytes are not what they were when they were written."""


class Xz:
    """An open file of xz, decompressed as it is read.

    Args:
        file: the compressed bytes.
    """

    closed = False

    def __init__(self, file: Any) -> None:
        import lzma  # noqa: PLC0415  (few runs need it)

        self.file, self.lzma = file, lzma
        self.decompressor: lzma.LZMADecompressor | None = None
        self.stored = b""

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1.

        Raises:
            Damaged: the bytes are not what they were, are cut, or take too much memory.
        """
        pieces, missing = [], n
        try:
            while missing and (piece := self._some(missing if n >= 0 else BLOCK)):
                pieces.append(piece)
                missing -= len(piece) if n >= 0 else 0
        except self.lzma.LZMAError as error:
            if "limit" in str(error):
                raise Damaged(f"its xz takes more than {in_bytes(MEMORY)} to decompress") from None
            raise Damaged(f"its xz is damaged: {str(error).lower()}") from None
        return b"".join(pieces)

    def _some(self, n: int) -> bytes:
        """Up to ``n`` bytes; none at the end."""
        while True:
            if self.decompressor is None:
                # Streams follow each other, with zeros between them.
                stored = self.stored.lstrip(b"\0")
                while not stored and (more := bytes(self.file.read(BLOCK))):
                    stored = more.lstrip(b"\0")
                self.stored = stored
                if not stored:
                    return b""
                self.decompressor = self.lzma.LZMADecompressor(self.lzma.FORMAT_XZ, MEMORY)
            if self.decompressor.needs_input and not self.stored:
                self.stored = bytes(self.file.read(BLOCK))
                if not self.stored:
                    raise Damaged("its xz is cut: it breaks off before its end")
            piece, self.stored = self.decompressor.decompress(self.stored, n), b""
            if self.decompressor.eof:
                self.stored, self.decompressor = self.decompressor.unused_data, None
            if piece:
                return piece

    def readable(self) -> bool:
        """True: asked by Arrow."""
        return True

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Member:
    """A file in a ZIP archive."""

    name: str
    size: int
    """How many bytes it has, decompressed, as the archive says."""
    encrypted: bool


def members_of(file: Any) -> list[Member]:
    """The files in a ZIP archive, without what macOS adds to them and what tells of folders only.

    Raises:
        Damaged: it is no whole ZIP archive.
    """
    with _zip(file) as archive:
        infos = archive.infolist()
    return [
        Member(info.filename, info.file_size, bool(info.flag_bits & 1))
        for info in infos
        if not (info.is_dir() or info.filename.startswith("__MACOSX/") or info.filename.endswith(".DS_Store"))
    ]


def open_member(file: Any, name: str, check: Callable[[], None] = lambda: None) -> "Inflated":
    """A member of a ZIP archive, from its beginning.

    Args:
        file: the archive, open; it is closed with the member.
        name: of the member.
        check: called once all of it was read.

    Raises:
        Damaged: it is no whole ZIP archive, has no such member, or one that is compressed in an unusual way.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(file.close)
        archive = stack.enter_context(_zip(file))
        with _damage():
            if archive.getinfo(name).compress_type not in METHODS:
                raise Damaged("a ZIP archive whose way of compression is unusual: unpack it first")
            member = stack.enter_context(archive.open(name))
        return Inflated(member, stack.pop_all(), check)
    raise AssertionError


class Inflated:
    """An open member of a ZIP archive.

    Args:
        member: as Python reads it.
        stack: closes it, and the archive.
        check: called at its end.
    """

    closed = False

    def __init__(self, member: Any, stack: contextlib.ExitStack, check: Callable[[], None]) -> None:
        self.member, self.stack, self.check = member, stack, check

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end, where its checksum is compared; all for -1.

        Raises:
            Damaged: the bytes are not what they were.
        """
        pieces, missing = [], n
        with _damage():
            while missing and (piece := self.member.read(min(missing, 1 << 24) if n >= 0 else 1 << 24)):
                pieces.append(piece)
                missing -= len(piece) if n >= 0 else 0
        if missing:
            self.check()
        return b"".join(pieces)

    def readable(self) -> bool:
        """True: asked by Arrow."""
        return True

    def close(self) -> None:
        """Close the archive."""
        self.closed = True
        self.stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _zip(file: Any) -> "zipfile.ZipFile":
    """The ZIP archive in an open file."""
    import zipfile  # noqa: PLC0415  (few runs need it)

    with _damage():
        return zipfile.ZipFile(file)


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Raise a `Damaged` for what Python raises of ZIP archives."""
    import zipfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        words = str(error.args[0]) if error.args else "it is cut"
        raise Damaged(f"a damaged ZIP archive: {words}") from None
