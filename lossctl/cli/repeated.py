"""The command line that is running, spelled out: what was typed, set elsewhere, or taken from the columns."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any

from typer._click.globals import get_current_context  # Typer has no name for it

from lossctl.words import shell_word

if TYPE_CHECKING:
    from lossctl.evaluation.plan import Plan

LOOKS = {"form", "json", "written", "color", "no_progress", "quiet", "verbose", "config", "isolated"}
"""Parameters that change how a result looks, not what it is."""
RUNS = {"engine", "threads", "scheduler", "timeout", "no_verify"}
"""Those that change how it comes about."""
MANY = 12
"""More columns than these are not listed."""


def repeated_line(plan: "Plan | None") -> str:
    """The command that is running, with all that changes a number.

    Args:
        plan: what is measured, whose columns and losses are named where nobody did; ``None`` where they could not be.
    """
    context = get_current_context(silent=True)
    if context is None:
        return ""
    words, taken = ["lossctl", context.info_name or ""], {} if plan is None else _taken(plan)
    for parameter in context.command.params:
        name = parameter.name
        if name not in context.params or name in LOOKS | RUNS:
            continue
        left_out = getattr(context.get_parameter_source(name), "name", "") == "DEFAULT"
        words += _words(parameter, taken.get(name) if left_out else context.params[name])
    return " ".join(words)


def _words(parameter: Any, value: Any) -> Iterator[str]:
    """A parameter and its values as a shell takes them."""
    values = value if isinstance(value, list | tuple) else [value]
    if parameter.param_type_name == "argument":
        yield from (shell_word(f"./{each}" if each.startswith("-") and each != "-" else each) for each in values)
        return
    flag = next(name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--"))
    for each in values:
        if each is None or each is False:
            continue
        text = each.value if isinstance(each, Enum) else str(each)
        yield flag if each is True else shell_word(f"{flag}={text}")


def _taken(plan: "Plan") -> dict[str, list[str]]:
    """The columns and losses of a plan by the parameters that name them; none of those that are too many to list."""
    models = [model.columns for model in plan.models]
    few = max(len(plan.roles.label), len(models), *map(len, models)) <= MANY
    columns = {"label": [*plan.roles.label], "prediction": [",".join(names) for names in models]} if few else {}
    return {**columns, "loss": [",".join(dict.fromkeys(str(bound) for _, bound in plan.losses))]}
