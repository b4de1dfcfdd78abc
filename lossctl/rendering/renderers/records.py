"""Documents as strict JSON: the whole as one object, or one line for each of what it is about."""

import json
from collections.abc import Iterator
from functools import partial
from json.encoder import encode_basestring
from math import isfinite
from typing import TYPE_CHECKING, Any

from lossctl.document import Document, strict, versioned
from lossctl.records import MANY, Records
from lossctl.rendering.renderer import Style, renderers

if TYPE_CHECKING:
    from lossctl.rendering.long_records import Brackets


class Json:
    """One object."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)

    def render(self, document: Document, style: Style) -> str:
        """The whole, indented unless it is thousands of numbers."""
        return "".join(self.pieces(document, style))

    def pieces(self, document: Document, style: Style) -> Iterator[str]:  # noqa: ARG002
        """The same, of many records some at a time."""
        record = versioned(document.record())
        if document.dense:
            yield _line(record)
        else:
            behind = "{\n  "
            for key, value in record.items():
                yield f"{behind}{encode_basestring(key)}: "
                yield from _listed(value, "\n  ") if isinstance(value, Records) else [indented(value, "\n  ")]
                behind = ",\n  "
            yield "\n}"
        yield "\n"


class JsonLines:
    """One line each."""

    name = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def render(self, document: Document, style: Style) -> str:
        """A result, a finding, a check … a line."""
        return "".join(self.pieces(document, style))

    def pieces(self, document: Document, style: Style) -> Iterator[str]:  # noqa: ARG002
        """The same, of many records some at a time."""
        items = (document.items or document.rows)()
        if isinstance(items, Records) and len(items) >= MANY:
            from lossctl.rendering.long_records import objects  # noqa: PLC0415  (of few records nobody needs it)

            yield from objects(items, _in_line(), "\n")
        else:
            yield "".join(_line(strict(item)) + "\n" for item in items)


def indented(value: Any, margin: str = "\n") -> str:
    """What ``json.dumps(value, indent=2)`` writes, in less than half the time.

    Args:
        value: as strict JSON can hold it; keys are text.
        margin: the line end, and the spaces that the value's own line begins with.

    Raises:
        ValueError: a number is not finite.
    """
    inner = margin + "  "
    if type(value) is dict and value:
        lines = []
        for key, item in value.items():
            kind = type(item)
            if kind is int or (kind is float and isfinite(item)):  # as most are
                lines.append(f"{encode_basestring(key)}: {item!r}")
            elif kind is str:
                lines.append(f"{encode_basestring(key)}: {encode_basestring(item)}")
            else:
                lines.append(f"{encode_basestring(key)}: {indented(item, inner)}")
        return f"{{{inner}{f',{inner}'.join(lines)}{margin}}}"
    if type(value) is list and value:
        return f"[{inner}{f',{inner}'.join([indented(item, inner) for item in value])}{margin}]"
    return _line(value)


def _listed(records: Records, margin: str) -> Iterator[str]:
    """Records as a list, indented as `indented` does it."""
    if len(records) < MANY:
        yield indented([*map(strict, records)], margin)
        return
    from lossctl.rendering.long_records import objects  # noqa: PLC0415  (likewise)

    inner = margin + "  "
    behind = f",{inner}"
    yield f"[{inner}"
    last = ""
    for piece in objects(records, _indented(inner), behind):
        yield last
        last = piece
    yield last.removesuffix(behind)
    yield f"{margin}]"


def _indented(margin: str) -> "Brackets":
    """How objects are laid out whose own line begins with some spaces."""
    from lossctl.rendering.long_records import Brackets  # noqa: PLC0415  (of few records nobody needs it)

    inner = margin + "  "
    write = partial(indented, margin=inner)
    return Brackets(f"{{{inner}", f",{inner}", f"{margin}}}", write, partial(_indented, inner))


def _in_line() -> "Brackets":
    """How objects are laid out on one line."""
    from lossctl.rendering.long_records import Brackets  # noqa: PLC0415  (of few records nobody needs it)

    return Brackets("{", ", ", "}", _line, _in_line)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


renderers.add(Json.name, Json())
renderers.add(JsonLines.name, JsonLines())
