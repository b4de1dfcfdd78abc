"""A stream that can be looked at before it is read."""

from typing import Any

from lossctl.reading.readable import Readable


class Pipe(Readable):
    """A file that is read once, from its beginning to its end, whose next bytes can be looked at before they are read.

    Args:
        file: an open file of bytes, which is closed at its end.
    """

    def __init__(self, file: Any) -> None:
        self.file, self.put_back = file, b""

    def ahead(self, n: int) -> bytes:
        """The next ``n`` bytes, fewer only at the end; they will be read all the same."""
        while len(self.put_back) < n and (more := self._more(n - len(self.put_back))):
            self.put_back += more
        return self.put_back[:n]

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1."""
        if n < 0:
            taken, self.put_back = self.put_back, b""
            return taken + self._more(-1)
        taken, self.put_back = self.put_back[:n], self.put_back[n:]
        return taken + self._more(n - len(taken)) if len(taken) < n else taken

    def _more(self, n: int) -> bytes:
        """Up to ``n`` more bytes of the file, all for -1; none at its end."""
        if self.file.closed:
            return b""
        more = bytes(self.file.read(n))
        if not more or n < 0:
            self.file.close()
        return more

    def close(self) -> None:
        """Do nothing: a pipe cannot be opened again, and whoever is done with one part of it may close it."""
