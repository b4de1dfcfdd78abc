"""What Arrow asks of a file that is written in Python."""

from typing import Self


class Readable:
    """A file to be read; each kind has a ``read``, and a ``seek`` where any of its bytes can be had."""

    closed = False

    def readable(self) -> bool:
        """True."""
        return True

    def writable(self) -> bool:
        """False."""
        return False

    def seekable(self) -> bool:
        """Whether it can go to a place."""
        return False

    def close(self) -> None:
        """Read no more."""
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
