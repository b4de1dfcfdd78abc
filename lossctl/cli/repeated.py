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
    said = [
        (parameter, context.params[parameter.name])
        for parameter in context.command.params
        if parameter.name in context.params
        and parameter.name not in LOOKS | RUNS
        and getattr(context.get_parameter_source(parameter.name), "name", "") != "DEFAULT"
    ]
    words = ["lossctl", context.info_name or ""]
    for parameter, value in said:
        words += _words(parameter, value)
    named = {parameter.name for parameter, _ in said}
    if plan is not None:
        words += _taken(plan, named)
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


def _taken(plan: "Plan", named: set[str | None]) -> Iterator[str]:
    """The columns and losses that nobody named."""
    models = [model.columns for model in plan.models]
    if "label" not in named and 0 < len(plan.roles.label) <= MANY:
        yield from (shell_word(f"--label={name}") for name in plan.roles.label)
    if "prediction" not in named and all(len(columns) <= MANY for columns in models) and len(models) <= MANY:
        yield from (shell_word(f"--pred={','.join(columns)}") for columns in models)
    if "loss" not in named:
        losses = dict.fromkeys(str(bound) for _, bound in plan.losses)
        yield shell_word(f"--loss={','.join(losses)}")
