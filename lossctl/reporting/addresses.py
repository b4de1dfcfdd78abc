"""Addresses without what lets whoever has them in: a page is made to be passed on."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
USER = re.compile(r"(?<=://)[^/?#]*@")
VALUE = re.compile(r"(?<=[?&])([^=&#/]*)=[^&#]*")
LEFT_OUT = "users, and values behind ? in addresses, are left out: whoever has them may read there"


def secret(inputs: Any) -> Mapping[str, str]:
    """The addresses in what was measured that have a user or a query, and each without what these say."""
    named = {text: _public(text) for text in _texts(inputs) if ADDRESS.match(text)}
    return {text: public for text, public in named.items() if text != public}


def hidden(value: Any, secrets: Mapping[str, str]) -> Any:
    """A value with other addresses in all texts in it, of whatever they are a part."""
    if isinstance(value, str):
        for text in sorted(secrets, key=len, reverse=True):
            value = value.replace(text, secrets[text])
        return value
    if isinstance(value, list | tuple):
        return type(value)(hidden(each, secrets) for each in value)
    if isinstance(value, Mapping):
        return {hidden(key, secrets): hidden(each, secrets) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: hidden(getattr(value, field.name), secrets) for field in fields(value)})
    return value


def _public(address: str) -> str:
    return VALUE.sub(r"\1=…", USER.sub("…@", address))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
