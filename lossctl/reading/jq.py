"""Paths and programs for jq, which makes columns of what stands inside others and is not read."""

import re

_PLAIN = r"(?a)[A-Za-z_]\w*"


def inside(path: str, name: str) -> str:
    """The path to a key of the object at a path, which is empty of a row.

    >>> inside("", "choices"), inside(".choices[]?", "two words"), inside("", "a.b")
    ('.choices', '.choices[]?["two words"]', '.["a.b"]')
    """
    if re.fullmatch(_PLAIN, name):
        return f"{path}.{name}"
    import json  # noqa: PLC0415  (few runs need it)

    return f"{path or '.'}[{json.dumps(name, ensure_ascii=False)}]"


def column(name: str, value: str) -> str:
    """The command that writes rows with one more column, as a shell reads it.

    >>> column("values", ".choices[0]")
    "jq -c '. + {values: .choices[0]}'"
    """
    import shlex  # noqa: PLC0415  (few runs need it)

    return f"jq -c {shlex.quote(f'. + {{{name}: {value}}}')}"
