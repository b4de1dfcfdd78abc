"""What there is to choose from, for help and for the shell that completes it: told by who holds it, listed nowhere.

Registries that NumPy or Arrow would have to be imported for are read rather than asked: what their modules spell out
is what they register.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from lossctl.registry import entry_points_of


def source_of(module: str) -> ast.Module:
    """What a module says, without importing it."""
    path = find_spec(module)
    return ast.parse(Path(path.origin).read_bytes() if path is not None and path.origin else b"")


def constants(statements: Iterable[ast.stmt]) -> dict[str, Any]:
    """The names that statements give to something written out."""
    values = {}
    for statement in statements:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            try:
                values[ast.unparse(target)] = ast.literal_eval(statement.value)
            except ValueError:
                continue
    return values


def keys_of(module: ast.Module, name: str) -> list[str]:
    """The keys of a mapping that a module writes out."""
    written = (each for each in module.body if isinstance(each, ast.AnnAssign))
    values = (each.value for each in written if ast.unparse(each.target) == name)
    return [ast.literal_eval(key) for value in values if isinstance(value, ast.Dict) for key in value.keys if key]


def built_in(package: str) -> Iterator[dict[str, Any]]:
    """What the classes that a plural folder holds say of themselves: ``name``, ``suffixes`` and the like."""
    for module in iter_modules(import_module(package).__path__):
        for statement in source_of(f"{package}.{module.name}").body:
            if isinstance(statement, ast.ClassDef) and "name" in (facts := constants(statement.body)):
                yield facts


def named(package: str, group: str) -> list[str]:
    """The names of what a plural folder and plug-ins hold."""
    return [facts["name"] for facts in built_in(package)] + [point.name for point in entry_points_of(group)]


def renderers() -> list[str]:
    """The names of the formats of results."""
    from lossctl.rendering.renderer import renderers

    return renderers.names()


def suffixes(items: Iterable[Any]) -> list[str]:
    """What names of files end in, one for each of the items that has some."""
    return [item.suffixes[0] for item in items if item.suffixes]


def report_suffixes() -> list[str]:
    """The suffixes of files for results."""
    from lossctl.rendering.renderer import renderers

    return suffixes(renderers)


def picture_suffixes() -> list[str]:
    """The suffixes of files for charts."""
    from lossctl.rendering.picture import writers

    return suffixes(writers)


def output_suffixes() -> list[str]:
    """The suffixes of files for results that have charts."""
    return [*report_suffixes(), *picture_suffixes()]


def written_formats() -> Iterator[dict[str, Any]]:
    """What the formats say of themselves in which files are written."""
    return (facts for facts in built_in("lossctl.reading.formats") if not facts.get("read_only"))


CHOICES: dict[str, Callable[[], list[str]]] = {
    "engines": lambda: named("lossctl.evaluation.engines", "lossctl.engines"),
    "formats": lambda: named("lossctl.reading.formats", "lossctl.formats"),
    "format_suffixes": lambda: [facts["suffixes"][0] for facts in written_formats()],
    "joins": lambda: [*constants(source_of("lossctl.evaluation.join").body)["HOW"]],
    "output_suffixes": output_suffixes,
    "picture_suffixes": picture_suffixes,
    "reductions": lambda: [*constants(source_of("lossctl.functions.loss").body)["REDUCTIONS"]],
    "peers": lambda: keys_of(source_of("lossctl.functions.compat"), "PEERS"),
    "renderers": renderers,
    "report_suffixes": report_suffixes,
    "written_formats": lambda: [
        *(facts["name"] for facts in written_formats()),
        *(point.name for point in entry_points_of("lossctl.formats")),
    ],
}
"""By the word that stands for them, in braces, in a help or a metavar."""


def filled(text: str | None, between: str) -> str | None:
    """The text with its choices."""
    return text and re.sub(
        r"\{(\w+)\}",
        lambda word: between.join(dict.fromkeys(CHOICES[word[1]]())) if word[1] in CHOICES else word[0],
        text,
    )


def completing(choices: str) -> Callable[[str], list[str]]:
    """What completes one of the choices in a shell."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in dict.fromkeys(CHOICES[choices]()) if word.startswith(incomplete)]

    return complete
