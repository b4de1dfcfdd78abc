"""A stream that can be looked at before it is read."""

from typing import Any


class Pipe:
    """A pipe that can be looked into, however little it gives at first."""

    def __init__(self, file: Any) -> None:
        self.file, self.put_back, self.closed = file, b"", False

    def ahead(self, n: int) -> bytes:
        """The next ``n`` bytes, or what there is, without taking them."""
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
        if self.file.closed:
            return b""
        more = bytes(self.file.read(n))
        if not more or n < 0:
            self.file.close()
        return more

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Leave it open: it cannot be opened again."""
