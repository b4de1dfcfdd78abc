"""Classes and the columns that are named for them."""

import os
import re
from collections.abc import Sequence

from lossctl.errors import UsageError


def class_names(columns: Sequence[str]) -> list[tuple[str, ...]]:
    """The names classes may have by the columns of a vector: what is left without a common prefix, shortest first.

    >>> class_names(("p_very_bad", "p_very_good"))
    [('bad', 'good'), ('very_bad', 'very_good'), ('p_very_bad', 'p_very_good')]
    """
    if len(columns) < 2:
        return []
    prefix = os.path.commonprefix(list(columns))  # noqa: RUF071  (characters are what is meant)
    cuts = [place + 1 for place, sign in enumerate(prefix) if sign in "_.-: "]
    if not cuts:
        # class1, class2: the names are the numbers.
        cuts = [len(re.sub(r"\d.*", "", prefix))] if any(name[len(prefix) :].isdecimal() for name in columns) else []
    cuts = [cut for cut in cuts if all(len(name) > cut for name in columns)]
    return [tuple(name[cut:] for name in columns) for cut in dict.fromkeys([*reversed(cuts), 0])]


def match_classes(classes: Sequence[str], columns: Sequence[str]) -> tuple[str, ...] | None:
    """The columns in the order of the classes they end with, after a separator; ``None`` when no column does.

    Raises:
        UsageError: some classes have a column, and others none or several.
    """
    matches = {}
    for name in classes:
        end = re.compile(rf"(^|[^0-9A-Za-z]){re.escape(name)}$", re.IGNORECASE)
        matches[name] = [column for column in columns if end.search(column)]
    if not any(matches.values()):
        return None
    for name, matching in matches.items():
        if len(matching) != 1:
            what = "no column" if not matching else f"several columns: {', '.join(matching)}"
            raise UsageError(f"class {name!r} has {what}", f"The columns are {', '.join(columns)}.")
    return tuple(matching[0] for matching in matches.values())
