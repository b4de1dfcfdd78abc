"""Gates as text: the lines of a configuration, which is TOML."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossctl.cli.limits import LIMITS
from lossctl.cli.nearest import OWN
from lossctl.comparison.declared import LISTS, SETTINGS, listed
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.cli.configuration import Configuration

OF_GATES = frozenset({*SETTINGS, "by"}) - {"eps"}
"""The keys that a gate has for itself; a floor under probabilities is none of losses that take no logarithm."""
LIMITED = ("max", "min_n")
"""The keys that are limits."""
HEAD = """\
# Gates of lossctl: `lossctl check` exits with 1 where one fails. What can stand here: lossctl help config.
"""
EACH = """\
# Each group has a limit of its own. A group that is new has none until a gate is written for it; of one that is gone,
# the gate is an error.
"""
TAIL = """
# A loss must not grow beyond that of an earlier model: of another column, or of another file with the same rows.
"""
WORDS = {
    "on_inconclusive": "where a single row puts the loss above the limit",
    "baseline": 'or a file with the same rows, "main.parquet", or "main.json" of lossctl baseline save',
    "itself": 'put in its place the file of an earlier model, or "main.json" of lossctl baseline save',
    "max_increase": "of the baseline; or a number",
    "by": "each group is held against it",
    "cluster": "rows that are alike in it count as one",
    "join": "rows stand in the same order; else id = the columns that tell them apart",
}
"""What is to be said of the keys of gates."""


def written(
    gates: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    example: Mapping[str, Any] | None,
    told: Mapping[str, str],
    doubts: Mapping[str, str],
    names: Mapping[str, str],
    before: "Configuration | None",
    *,
    fails: bool,
) -> Iterator[str]:
    """The text of a configuration, or what is added to one, with an example behind ``#``, and that it fails if so.

    What a gate can say itself it says, so that nothing reaches other files.

    Args:
        gates: those that hold.
        settings: what they are measured with, by key.
        example: one more gate, which is no claim yet.
        told: what is to be said of limits, by the names of gates.
        doubts: why the bounds of some are not to be trusted, likewise.
        names: what the gates are called in the file.
        before: what is there before.
        fails: whether the example fails.

    Raises:
        UsageError: a setting of all gates is to be added below gates that there are.
    """
    own = {key: listed(key, ",".join(value)) if _is_text(key, value) else value for key, value in settings.items()}
    own = {key: value for key, value in own.items() if key in OF_GATES}
    shared = {key: value for key, value in settings.items() if key not in own}
    if before is None:
        yield HEAD
    else:
        missing = [key for key, value in shared.items() if before.values.get(key) != value]
        if missing:
            line = f"{missing[0]} = {toml(shared[missing[0]])}"
            what = f"{OWN}: is there already, without {line}, which would be for all of its gates"
            raise UsageError(what, "Write that above its gates first.")
        shared = {}
    said = before.text if before is not None else ""
    for words, are_due in (
        (LIMITS, any("max" in gate and "fail_if" not in gate for gate in gates)),
        (EACH, any("only" in gate for gate in gates)),
    ):
        if are_due and words not in said:
            yield words if before is None else f"\n{words}"
    for name, value in shared.items():
        yield f"{name} = {toml(value)}\n"
    for gate in gates:
        yield "\n[[gate]]\n"
        doubt = doubts.get(gate["name"])
        beside = dict.fromkeys(LIMITED, told.get(gate["name"], ""))
        beside["fail_if"] = f"bounds are not to be trusted: {doubt}" if doubt else ""
        yield from _lines(_whole(gate, names, own), beside)
    if example is not None:
        yield TAIL + ("# This fails as the files are now.\n" if fails else "")
        yield "# [[gate]]\n"
        yield from (f"# {line}" for line in _lines(_whole(example, names, own)))


def _whole(gate: Mapping[str, Any], names: Mapping[str, str], own: Mapping[str, Any]) -> dict[str, Any]:
    """A gate under its name in the file, with what it is measured with behind the file."""
    first = {"name": names[gate["name"]], "file": gate["file"]}
    last = {"by": own["by"]} if "by" in own and "only" not in gate else {}
    said = {key: value for key, value in own.items() if key != "by"}
    return {**first, **said, **{key: value for key, value in gate.items() if key not in first}, **last}


def _is_text(key: str, value: Any) -> bool:
    """Whether a value is several comma lists."""
    return key in LISTS and isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)


def _lines(gate: Mapping[str, Any], told: Mapping[str, str] | None = None) -> Iterator[str]:
    """The keys of a gate, with what is to be said of them; of this one by its ``told``."""
    own = told or {}
    for name, value in gate.items():
        itself = name == "baseline" and value in (gate["file"], f"./{gate['file']}")
        words = own.get(name) or WORDS.get("itself" if itself else name)
        yield f"{name} = {toml(value)}" + (f"  # {words}\n" if words else "\n")


def toml(value: Any) -> str:
    """A value as TOML has it.

    Raises:
        UsageError: it is text that no TOML can hold.
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(name)} = {toml(word)}' for name, word in value.items())} }}"
    if isinstance(value, str):
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise UsageError(f"{value!r} is not UTF-8, and no TOML can hold it")
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _key(name: str) -> str:
    """A key as TOML has it."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else toml(name)
