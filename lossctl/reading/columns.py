"""Which column plays which role: names, globs, patterns, numbers, and detection of common names.

Decided once a data set, from the names and types of its columns, before a row is read.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column as the file declares it."""

    name: str
    kind: str
    """``number``, ``text``, ``list`` or ``other``."""
