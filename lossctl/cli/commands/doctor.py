"""``lossctl doctor``: what the columns look like, which pairing fits, and what is suspicious."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.command import Without, command, dumped
from lossctl.cli.options import (
    Columns,
    Files,
    Input,
    Losses,
    Output,
    RunningOptions,
    column_option,
    output_option,
)
from lossctl.words import split

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from lossctl.doctor.diagnosis import Diagnosis, Reported
    from lossctl.doctor.survey import Role
    from lossctl.rendering.renderer import Style

COLORS = {"error": "bold red", "warning": "yellow", "note": "cyan"}

Ids = Annotated[
    str | None,
    column_option("--id", metavar="COL[,COL]", help="Columns that identify a row. Left out: a column named id."),
]
Strict = Annotated[bool, output_option("--strict", help="Exit 1 when a finding is an error or a warning.")]


@command("doctor", "lossctl doctor preds.csv")
def doctor(
    *,
    files: Files = None,
    source: Input,
    ids: Ids = None,
    columns: Columns,
    loss: Losses = None,
    strict: Strict = False,
    output: Annotated[Output, Without("form", "output", "precision")],
    running: RunningOptions,
) -> None:
    """Look at the columns before you evaluate them.

    Says in one pass what each column holds, which task that is, which loss and activation fit, with the command line to
    copy, and what is suspicious: logits taken for probabilities, swapped columns, leaks, duplicate ids and the like.
    Nulls and illegal values are found, not refused.
    """
    import sys

    from lossctl.doctor.diagnosis import diagnose

    files = files or ["-"]
    how = running.over(files)
    voice, style = output.voice, output.style
    with output.progress(files) as progress:
        found = diagnose(
            files,
            loss or (),
            **columns.asked(),
            ids=split(ids),
            reading=source.reading(),
            command=_repeated(files, source),
            engine=replace(how, progress=progress),
        )
    if output.json:
        voice.result(dumped(found.to_dict()))
    else:
        for note in found.notes:
            voice.note(note)
        voice.result(page(found, style, boxed=sys.stdout.isatty()))
    if strict and found.suspicious:
        raise typer.Exit(1)


def _repeated(files: list[str], source: Input) -> list[str]:
    """What a suggested command line repeats of this one, as a shell takes it."""
    from lossctl.doctor.shell import quoted

    words = [quoted(f"./{path}" if path.startswith("-") else path) for path in files if path != "-"]
    words += ["-F", quoted(source.input_format)] if source.input_format is not None else []
    words += ["-d", quoted(source.delimiter)] if source.delimiter is not None else []
    words += ["--no-header"] if source.no_header else []
    words += [quoted(f"--null-values={source.null_values}")] if source.null_values is not None else []
    return words


def page(found: "Diagnosis", style: "Style", *, boxed: bool) -> str:
    """The diagnosis for people: tables in a terminal, the same as aligned text, never folded, in a pipe."""
    from lossctl.rendering.terminal import drawn

    return drawn(style if boxed else replace(style, width=100_000), *_parts(found, boxed=boxed))


def _parts(found: "Diagnosis", *, boxed: bool) -> "Iterator[RenderableType]":
    """Columns, tasks, command lines, findings."""
    from rich.text import Text

    from lossctl.words import counted, printable

    title = printable(", ".join(found.files) or "table")
    used = "" if found.columns or found.rows_used == found.rows else f", {found.rows_used:,} without nulls and weight 0"
    yield Text(f"{title}: {counted(found.rows, 'row')}{used}", style="bold")
    yield ""
    yield _columns(found, boxed=boxed) if found.columns else _roles(found, boxed=boxed)
    yield ""
    yield from _tasks(found)
    yield from _commands(found)
    if not found.findings:
        yield Text("findings: none", style="green")
        return
    counts = [counted(sum(it.severity == name for it in found.findings), name) for name in COLORS]
    yield Text(f"findings: {', '.join(counts)}", style="bold")
    yield ""
    yield _findings(found, boxed=boxed)


def _tasks(found: "Diagnosis") -> "Iterator[RenderableType]":
    """Task and pairing of each model."""
    from rich.padding import Padding
    from rich.text import Text

    from lossctl.words import printable

    for model in found.models:
        of = f" of {printable(model.model)}" if len(found.models) > 1 else ""
        if model.task is None:
            yield Text(f"task{of}: none fits these columns", style="bold")
            continue
        yield Text.assemble((f"task{of}: ", "bold"), model.task)
        pairs = f"{' or '.join(model.activations)} with {', '.join(model.losses)}"
        for name, words in (("because", model.why), ("pairing", pairs)):
            yield Padding(Text(f"{name} {printable(words)}"), (0, 0, 0, 2), expand=False)
    if found.models:
        yield ""


def _commands(found: "Diagnosis") -> "Iterator[RenderableType]":
    """The command lines, unbroken so that they can be copied."""
    from rich.text import Text

    if not found.commands:
        return
    yield Text("run:" if found.runs or found.columns else "run once the errors below are mended:", style="bold")
    for line in found.commands:
        yield Text(f"  {line}", style="green", no_wrap=True, overflow="ignore")
    yield ""


def _table(*, boxed: bool) -> "Table":
    from rich import box
    from rich.table import Table

    return Table(box=box.ROUNDED if boxed else None, padding=(0, 1) if boxed else (0, 2, 0, 0), pad_edge=boxed)


def _roles(found: "Diagnosis", *, boxed: bool) -> "Table":
    from lossctl.words import printable

    table = _table(boxed=boxed)
    table.add_column("role")
    table.add_column("column", overflow="fold")
    table.add_column("distinct", justify="right")
    table.add_column("null", justify="right")
    table.add_column("what it holds", overflow="fold")
    for role in found.roles:
        name = role.name if len(role.columns) == 1 or role.kind == "text" else f"{role.name} ({len(role.columns)})"
        distinct = "many" if role.distinct is None else f"{role.distinct:,}"
        table.add_row(role.role, printable(name), distinct, f"{role.nulls:,}", printable("; ".join(_held(role))))
    return table


def _held(role: "Role") -> Iterator[str]:
    """What a column holds, in words."""
    if role.kind == "text":
        if role.words:
            more = role.distinct is None or role.distinct > len(role.words)
            yield ", ".join(role.words) + (", …" if more else "")
        else:
            yield "ids" if role.role == "id" else "text"
        return
    if role.low is None or role.high is None:
        yield "nothing"
        return
    kind = "whole numbers" if role.integers else "numbers"
    many = "vectors of " if role.kind == "vector" else ""
    yield f"{many}{kind} from {role.low:.6g} to {role.high:.6g}"
    shares = [f"{100 * share:.3g} % are exactly {value}" for value, share in ((0, role.zeros), (1, role.ones)) if share]
    if shares:
        yield ", ".join(shares)
    if role.sum_to_one is not None:
        yield f"{100 * role.sum_to_one:.3g} % of the rows sum to 1"


def _columns(found: "Diagnosis", *, boxed: bool) -> "Table":
    from lossctl.words import printable

    table = _table(boxed=boxed)
    for name, number in (("column", False), ("type", False), ("distinct", True), ("null", True), ("from", True)):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    table.add_column("to", justify="right")
    table.add_column("could be")
    for it in found.columns:
        numbers = it.content.numbers
        span = [f"{numbers.quantile(q):.4g}" for q in (0.0, 1.0)] if numbers.n else ["", ""]
        distinct = "" if it.kind == "list" else "many" if it.distinct is None else f"{it.distinct:,}"
        table.add_row(printable(it.name), it.kind, distinct, f"{it.content.nulls:,}", *span, ", ".join(it.roles))
    return table


def _findings(found: "Diagnosis", *, boxed: bool) -> "Table":
    from rich.text import Text

    from lossctl.words import printable

    table = _table(boxed=boxed)
    table.add_column("severity")
    table.add_column("finding")
    if boxed:
        table.show_lines = True
    else:
        table.show_header = False
    for it in found.findings:
        what = printable(f"{it.model}: {it.what}" if it.model else it.what)
        body = Text.assemble((it.name, "bold"), f"\n{what}", *_where(it, several=len(found.files) > 1))
        body.append(f"\n→ {printable(it.advice)}", style="dim")
        table.add_row(Text(str(it.severity), style=COLORS[it.severity]), body)
    return table


def _where(it: "Reported", *, several: bool) -> Iterator[str]:
    """How many rows, and the first of them."""
    from lossctl.words import counted, printable

    if it.count is not None and it.row is not None:
        file = f" of {printable(it.file)}" if several and it.file is not None else ""
        yield f"\n{counted(it.count, 'row')}, first row {it.row:,}{file}"
