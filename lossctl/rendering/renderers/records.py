"""Documents as strict JSON: the whole as one object, or one line for each of what it is about."""

import json

from lossctl.document import Document
from lossctl.rendering.renderer import Style, renderers


class Json:
    """One object."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)

    def render(self, document: Document, style: Style) -> str:  # noqa: ARG002
        """The whole, indented unless it is thousands of numbers."""
        indent = None if document.dense else 2
        return json.dumps(document.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


class JsonLines:
    """One line each."""

    name = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def render(self, document: Document, style: Style) -> str:  # noqa: ARG002
        """A result, a finding, a check … a line."""
        return "".join(json.dumps(item, ensure_ascii=False, allow_nan=False) + "\n" for item in document.lines())


renderers.add(Json.name, Json())
renderers.add(JsonLines.name, JsonLines())
