"""All JSON that tests get, held against the schemas of the package, which then allow no field that they do not name."""

import functools
import json
from contextlib import contextmanager
from pathlib import Path

import jsonschema_rs
import pytest

import lossctl
from lossctl.document import Document
from lossctl.rendering.renderers.records import Json, JsonLines

FOLDER = Path(lossctl.__file__).parent / "cli" / "schemas"
LARGE = 1 << 20
"""Characters of text that are too many to be parsed once more."""


def schema(name):
    """What the package has under that name."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def closed(part):
    """A schema, or part of one, by which an object has none but the fields that it names."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    inside = {key: closed(value) for key, value in part.items()}
    return {"additionalProperties": False, **inside} if part.get("type") == "object" else inside


@functools.cache
def validator(name):
    """What holds values against the closed schema of that name."""
    return jsonschema_rs.Draft202012Validator(closed(schema(name)))


def faults(name, value):
    """What the schema of that name has against a value."""
    errors = validator(name).iter_errors(value)
    return [f"{name}: {'/'.join(map(str, error.instance_path))}: {error.message}"[:400] for error in errors]


@contextmanager
def held(told):
    """Have each document that becomes JSON add to a list what its schema has against it."""

    def pieces(renderer, suffix, parsed):
        inner = renderer.pieces

        def watched(self, document, style):
            text = []
            for piece in inner(self, document, style):
                text.append(piece)
                yield piece
            if document.schema and sum(map(len, text)) < LARGE:
                told.extend(
                    fault for value in parsed("".join(text)) for fault in faults(document.schema + suffix, value)
                )

        return watched

    def record(inner, suffix):
        def watched(self):
            value = inner(self)
            if self.schema:
                values = value if suffix else [value]
                told.extend(fault for each in values for fault in faults(self.schema + suffix, each))
            return value

        return watched

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Json, "pieces", pieces(Json, "", lambda text: [json.loads(text)]))
        patch.setattr(
            JsonLines, "pieces", pieces(JsonLines, "-line", lambda text: map(json.loads, text.split("\n")[:-1]))
        )
        patch.setattr(Document, "to_dict", record(Document.to_dict, ""))
        patch.setattr(Document, "lines", record(Document.lines, "-line"))
        yield
