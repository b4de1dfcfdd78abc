"""What an object of JSON holds, told from the class that it is made of: types, and what docstrings say of fields.

Nothing that runs needs it: the schemas are written into files, and tests hold all output against them.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import reduce
from itertools import pairwise
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from lossctl.dataclass import dataclass
from lossctl.document import SCHEMA_VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

GIVEN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
}
"""The schemas of plain types, as somebody gives them."""
WRITTEN: Mapping[Any, Schema] = {**GIVEN, int: {"type": "integer", "minimum": 0}, float: {"type": ["number", "null"]}}
"""The same as lossctl writes them: whole numbers are counts and places, a number that is not finite is null."""
Finite = Annotated[float, "finite"]
"""A number that is never null for not being finite."""
NONFINITE = "nonfinite"
WORD: Schema = {"enum": ["NaN", "Infinity", "-Infinity"]}
NAMED = "The numbers that are null because they are not finite, and what each is."


def identity(name: str) -> str:
    """What the schema of that name is called, wherever it is kept."""
    return f"urn:lossctl:schema:{name}:{SCHEMA_VERSION}"


@dataclass(frozen=True)
class Member:
    """One field of an object."""

    hint: Any
    """The type of its value."""
    words: str = ""
    """What it is."""
    required: bool = True
    """Whether the object always has it."""


@dataclass(frozen=True, eq=False)
class Object:
    """What an object holds."""

    title: str
    words: str
    members: Mapping[str, Member]
    together: tuple[tuple[str, ...], ...] = ()
    """Fields that it has all of, or none."""
    others: Any = None
    """The type of fields whose names come from the data; ``None`` where it has none."""


def object_of(kind: type, *, together: Sequence[Iterable[str]] = (), others: Any = None) -> Object:
    """The object that has the fields of a dataclass or a typed dictionary, called like that.

    Args:
        kind: the class.
        together, others: as of `Object`.
    """
    words = plain(inspect.getdoc(kind) or "")
    return Object(kind.__name__, words, members_of(kind), tuple(map(tuple, together)), others)


def members_of(kind: type) -> dict[str, Member]:
    """The fields of a dataclass or a typed dictionary, with what the text behind each says of it."""
    hints, words = get_type_hints(kind, include_extras=True), _texts(kind)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else [*hints]
    return {
        name: Member(hints[name], words.get(name, ""), required=get_origin(hints[name]) is not NotRequired)
        for name in names
    }


def optional(members: Mapping[str, Member], *names: str) -> dict[str, Member]:
    """The same fields, of which an object may lack some, all where none is named: those are never ``None``."""
    return {
        name: Member(_something(member.hint), member.words, required=False) if not names or name in names else member
        for name, member in members.items()
    }


def without(members: Mapping[str, Member], *names: str) -> dict[str, Member]:
    """All fields but some.

    Raises:
        KeyError: there is none of that name.
    """
    left = dict(members)
    for name in names:
        del left[name]
    return left


def plain(text: str) -> str:
    """The text of a docstring on one line, in the words of JSON and without marks for code."""
    return re.sub(r"`{1,2}([^`]+)`{1,2}", r"\1", " ".join(text.split()).replace("``None``", "null"))


def _texts(kind: type) -> dict[str, str]:
    """What the text behind each field of a class says."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    texts = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            texts[ast.unparse(field.target)] = plain(str(text.value.value))
    return texts


def _something(hint: Any) -> Any:
    """A type without ``None``."""
    if get_origin(hint) is Annotated:
        return _something(get_args(hint)[0])
    if get_origin(hint) in {Union, UnionType}:
        return reduce(or_, (part for part in get_args(hint) if part is not NoneType))
    return hint


class Schemas:
    """The schemas of types. Those of objects are kept as definitions, to which others refer by name."""

    def __init__(self, plain: Mapping[Any, Schema] = WRITTEN) -> None:
        """Begin with none.

        Args:
            plain: `WRITTEN` or `GIVEN`.
        """
        self.plain = plain
        self.definitions: dict[str, Schema] = {}

    def of(self, hint: Any) -> Schema:
        """The schema of a type.

        Raises:
            TypeError: there is none.
        """
        if isinstance(hint, Object):
            return self._reference(hint)
        origin, parts = get_origin(hint), get_args(hint)
        if hint == Finite:
            return GIVEN[float]
        if origin is Annotated:
            return self.of(next((note for note in hint.__metadata__ if isinstance(note, Object)), parts[0]))
        if origin is NotRequired:
            return self.of(parts[0])
        if origin in {Union, UnionType}:
            return _either([self.of(part) for part in parts])
        if origin is Literal:
            return {"const": parts[0]} if len(parts) == 1 else {"enum": [*parts]}
        if isinstance(origin, type):
            return self._container(origin, parts)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return {"enum": [member.value for member in hint]}
        return self.plain[hint] if hint in self.plain else self._reference(object_of(hint))

    def _container(self, origin: type, parts: tuple[Any, ...]) -> Schema:
        """The schema of a list, or of an object whose names come from somewhere else."""
        if issubclass(origin, Mapping):
            finite = self._word(parts[1]) is not None  # settings are, and nothing else has numbers by such names
            return {"type": "object", "additionalProperties": (Schemas(GIVEN) if finite else self).of(parts[1])}
        if origin is tuple and Ellipsis not in parts:
            exact = {"minItems": len(parts), "maxItems": len(parts)}
            return {"type": "array", "prefixItems": [self.of(part) for part in parts], **exact}
        return {"type": "array", "items": self.of(parts[0])}

    def object(self, about: Object) -> Schema:
        """The schema of an object, itself."""
        properties = {name: self._member(member) for name, member in about.members.items()}
        words = {name: self._word(member.hint) for name, member in about.members.items()}
        words = {name: word for name, word in words.items() if word is not None}
        if words:
            properties[NONFINITE] = {"description": NAMED, "type": "object", "properties": words, "minProperties": 1}
        schema = {
            "description": about.words,
            "type": "object",
            "properties": properties,
            "required": [name for name, member in about.members.items() if member.required],
        }
        if about.together:
            pairs = ((name, [*group]) for group in about.together for name in group)
            schema["dependentRequired"] = {name: [one for one in group if one != name] for name, group in pairs}
        return schema if about.others is None else {**schema, "additionalProperties": self.of(about.others)}

    def _reference(self, about: Object) -> Schema:
        schema = self.object(about)
        if self.definitions.setdefault(about.title, schema) != schema:
            raise ValueError(f"two objects are called {about.title}")
        return {"$ref": f"#/$defs/{about.title}"}

    def _member(self, member: Member) -> Schema:
        return {**({"description": member.words} if member.words else {}), **self.of(member.hint)}

    def _word(self, hint: Any) -> Schema | None:
        """How it is said what a value is that is not finite, or what entries of it are; ``None`` where all are."""
        origin, parts = get_origin(hint), get_args(hint)
        if self.plain is GIVEN or isinstance(hint, Object) or hint == Finite:
            return None
        if hint is float:
            return WORD
        if hint is Any:
            return {}
        if origin in {Annotated, NotRequired}:
            notes = hint.__metadata__ if origin is Annotated else ()
            return None if any(isinstance(note, Object) for note in notes) else self._word(parts[0])
        if origin in {Union, UnionType}:
            words = [word for word in map(self._word, parts) if word is not None]
            return _either(words) if words else None
        if isinstance(origin, type) and issubclass(origin, Sequence):
            word = self._word(parts[0])
            return None if word is None else {"type": "array", "items": _either([word, {"type": "null"}])}
        return None


def _either(schemas: Sequence[Schema]) -> Schema:
    """The schema of what is right by any of several."""
    together = [schema for schema in schemas if "type" in schema and schema["type"] != "object"]
    merged: Schema = {}
    for schema in together:
        if any(merged.get(key, value) != value for key, value in schema.items() if key != "type"):
            return {"anyOf": [*schemas]}
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        known = merged.get("type", [])
        merged |= {**schema, "type": [*known, *(kind for kind in types if kind not in known)]}
    if len(merged.get("type", ())) == 1:
        (merged["type"],) = merged["type"]
    ways = ([merged] if merged else []) + [schema for schema in schemas if schema not in together]
    return ways[0] if len(ways) == 1 else {"anyOf": ways}
