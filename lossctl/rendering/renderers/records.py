"""Documents as strict JSON: the whole as one object, or one line for each of what it is about."""

import json
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

from lossctl.document import Document
from lossctl.rendering.renderer import Style, renderers


class Json:
    """One object."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)

    def render(self, document: Document, style: Style) -> str:  # noqa: ARG002
        """The whole, indented unless it is thousands of numbers."""
        record = document.to_dict()
        return (_line(record) if document.dense else indented(record)) + "\n"


class JsonLines:
    """One line each."""

    name = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def render(self, document: Document, style: Style) -> str:  # noqa: ARG002
        """A result, a finding, a check … a line."""
        return "".join(_line(item) + "\n" for item in document.lines())


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


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


renderers.add(Json.name, Json())
renderers.add(JsonLines.name, JsonLines())
