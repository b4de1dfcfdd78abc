"""JSON that holds a table in another way than rows: what it is, and how to write it as rows."""

import json
import re
import shlex
from typing import Any

from lossctl.errors import DataError, option
from lossctl.reading import jq
from lossctl.reading.nesting import too_deep

MOST = 1 << 22
"""Bytes of JSON that are read whole to tell what they are; of more, the beginning is looked at."""
RECORDS = 'Write its rows: pandas, to_json(path, orient="records", lines=True).'
COLUMNS = "one JSON object that holds columns, not rows"
KEYED = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"(?:[^"\\]|\\.)*"\s*:')


def ensure_rows(title: str, head: bytes, *, columns: bool) -> None:
    """Check that the first lines of JSON are no table in one object.

    Args:
        title: the file.
        head: the first bytes, which hold a line end unless the file has none.
        columns: whether an object of lists of one length, where there is one object only, is such a table; else it is
            a row.

    Raises:
        DataError: they are; it says what they are instead.
    """
    text = head.strip()
    if b"\n" in text or not text.startswith(b"{"):
        return
    shape = shape_of(text, columns=columns)
    if shape is not None:
        raise DataError(f"{title}: {shape[0]}", shape[1])


def shape_of(text: bytes, *, columns: bool = False) -> tuple[str, str] | None:
    """What one object that holds a table is called, and what to do about it; ``None`` where it holds none."""
    if len(text) > MOST or too_deep(text):
        return _guessed(text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _of_object(value, columns=columns) if isinstance(value, dict) else None


def _guessed(text: bytes) -> tuple[str, str] | None:
    """As `shape_of`, by the beginning of an object: a row of this length holds no objects first."""
    return (COLUMNS, RECORDS) if KEYED.match(text[: 1 << 12]) else None


def _of_object(value: dict[str, Any], *, columns: bool) -> tuple[str, str] | None:
    values = list(value.values())
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        return 'one JSON object, as pandas writes with orient="split"', RECORDS
    if isinstance(value.get("schema"), dict) and isinstance(value.get("data"), list):
        return 'one JSON object, as pandas writes with orient="table"', RECORDS
    if values and all(isinstance(cell, dict) and cell for cell in values):
        inner = [set(cell) for cell in values]
        alike = all(keys == inner[0] for keys in inner)
        if alike and all(key.isdigit() for key in inner[0]):
            return f"{COLUMNS}, as pandas writes where it is not told otherwise", RECORDS
        if alike and all(key.isdigit() for key in value):
            return 'one JSON object, as pandas writes with orient="index"', RECORDS
    nested = [key for key, cell in value.items() if _are_objects(cell) and not (len(value) > 1 and _are_scores(cell))]
    if len(nested) == 1 and not any(isinstance(cell, int | float) for cell in values):  # a row has a label
        rows = shlex.quote(jq.inside("", nested[0]) + "[]")
        return f"one JSON object, whose rows stand under the key {nested[0]!r}", f"jq -c {rows} FILE"
    lengths = {len(cell) if isinstance(cell, list) else 0 for cell in values}
    if columns and len(values) > 1 and len(lengths) == 1 and not lengths & {0, 1}:
        return COLUMNS, f"{RECORDS} If it is one row of lists, say {option(format='jsonl')}."
    return None


def _are_objects(cell: Any) -> bool:
    """Whether a cell is a list of objects."""
    return isinstance(cell, list) and bool(cell) and all(isinstance(item, dict) for item in cell)


def _are_scores(cells: list[dict[str, Any]]) -> bool:
    """Whether objects are pairs of a class and a number, each class once: what a row holds of a model's output."""
    pairs = [{type(part): part for part in cell.values()} for cell in cells if len(cell) == 2]
    named = {pair[str] for pair in pairs if str in pair and pair.keys() & {int, float}}
    return len(named) == len(cells)
