"""The JSON Schema of the configuration, from the same facts as its reader: editors complete and check with it."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from lossctl.cli.command import commands
from lossctl.cli.help import whole
from lossctl.cli.settings import Setting, every_setting, settings_of
from lossctl.comparison.declared import CLAIMS, HINTS, KEYS, LISTS, PERCENT, SETTINGS
from lossctl.comparison.gate import Gate
from lossctl.schema import DIALECT, GIVEN, Schemas, identity

TEXT: Mapping[str, Any] = {"type": ["string", "number"]}


def configuration_schema() -> dict[str, Any]:
    """The schema of ``lossctl.toml``, and of ``[tool.lossctl]`` in ``pyproject.toml``."""
    settings = {
        name: {"description": words_of(name), **_without_words(_one_of([_setting(way) for way in ways]))}
        for name, ways in every_setting().items()
    }
    gates = {"type": "array", "items": _gate(), "description": "Claims that lossctl check decides."}
    return {
        "$schema": DIALECT,
        "$id": identity("config"),
        "title": "lossctl.toml",
        "description": "Defaults of the options of lossctl, and the gates of lossctl check.",
        **_table({**settings, "gate": gates}),
    }


def words_of(name: str) -> str:
    """What a key sets, as its option says it; what each command says, where they do not say the same."""
    told: dict[str, list[str]] = {}
    for entry in commands:
        if (setting := settings_of(entry.run).get(name)) is not None:
            told.setdefault(whole(setting.words), []).append(entry.name)
    return " ".join(f"{', '.join(names)}: {words}" if len(told) > 1 else words for words, names in told.items())


def _table(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A table of these keys and no others; ``-`` is ``_`` in a key."""
    dashed = {f"^{name.replace('_', '-')}$": schema for name, schema in properties.items() if "_" in name}
    return {
        "type": "object",
        "properties": dict(properties),
        "patternProperties": dashed,
        "additionalProperties": False,
    }


def _setting(setting: Setting) -> dict[str, Any]:
    """What an option may be set to."""
    one: dict[str, Any] = dict(GIVEN[setting.kind])
    if setting.kind is str:
        one = {"enum": list(setting.choices)} if setting.choices else dict(TEXT)
    one |= {} if setting.low is None else {"minimum": setting.low}
    one |= {} if setting.high is None else {"maximum": setting.high}
    if setting.many or setting.is_listed:
        one = {"anyOf": [one, {"type": "array", "items": one}]}
    return {"description": whole(setting.words), **one}


def _one_of(ways: list[dict[str, Any]]) -> dict[str, Any]:
    """What is right in any of several ways; the first alone where they are alike but for their words."""
    distinct = [way for place, way in enumerate(ways) if _without_words(way) not in map(_without_words, ways[:place])]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def _without_words(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "description"}


def _gate() -> dict[str, Any]:
    """What a gate may be: a name, one claim, and what it is about."""
    options = every_setting()
    usual = {field.name: field.default for field in fields(Gate)}
    properties: dict[str, Any] = {}
    for name, key in KEYS.items():
        default = usual.get(name)
        shown = {"default": default} if isinstance(default, str | float) else {}
        properties[name] = {"description": key.words, **_hinted(key.hint), **shown}
    properties["max_increase"]["anyOf"] = [{"type": "number"}, {"type": "string", "pattern": f"^{PERCENT}$"}]
    properties["name"]["pattern"] = r"\S"
    properties["min_n"]["minimum"] = properties["min_skill"]["maximum"] = 1
    properties["confidence"] |= {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
    for name in SETTINGS:
        properties[name] = _one_of([_setting(way) for way in options[name]])
        if name in LISTS:
            properties[name] = {"description": whole(options[name][0].words), **_hinted(HINTS[name])}
    claims = [{"required": [name]} for name in CLAIMS]
    dashed = [{"required": [name.replace("_", "-")]} for name in CLAIMS if "_" in name]
    increase = [claim for claim in (*claims, *dashed) if "increase" in claim["required"][0]]
    return {
        **_table(properties),
        "required": ["name"],
        "oneOf": [*claims, *dashed],
        "dependentSchemas": {"baseline": {"anyOf": increase}},
    }


def _hinted(hint: Any) -> dict[str, Any]:
    """The schema of a type, as far as TOML has it: there is no null, and nothing that is read once."""
    if get_origin(hint) in {Union, UnionType}:
        parts = (part for part in get_args(hint) if part is not NoneType and get_origin(part) is not Iterator)
        hint = reduce(or_, parts)
    return Schemas(GIVEN).of(hint)
