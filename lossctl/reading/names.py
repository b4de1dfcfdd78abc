"""Names that a file lists, one a line."""

import os

from lossctl.errors import UsageError
from lossctl.words import split

MOST = 1 << 24
"""Bytes of such a file."""


def names_in(text: str, what: str) -> tuple[str, ...]:
    """The names in a comma list; of the path of a file, which is no list, those of its lines.

    Args:
        text: the list, or the path.
        what: what they are names of, for a message.

    Raises:
        UsageError: the file is no text, or too long.
    """
    names = split(text)
    if len(names) != 1 or not os.path.isfile(names[0]):
        return names
    path = names[0]
    try:
        if os.path.getsize(path) > MOST:
            raise UsageError(f"{what}: {path} is too long for a list of names", "It has a name a line.")
        with open(path, encoding="utf-8-sig") as file:
            return tuple(line.strip() for line in file if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{what}: {path} is no list of names: {error}", "It has a name a line, in UTF-8.") from None
