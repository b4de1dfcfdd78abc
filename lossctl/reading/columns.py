"""What a column of a source is: a name, and the kind of its cells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column as the file declares it."""

    name: str
    kind: str
    """``number``, ``text``, ``list`` or ``other``."""
