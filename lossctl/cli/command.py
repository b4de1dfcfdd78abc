"""What commands share: options declared once, and where their words go.

Imported for ``--help``, so neither NumPy nor Arrow may be imported here.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossctl.errors import UsageError
from lossctl.registry import Registry

if TYPE_CHECKING:
    from lossctl.evaluation.evaluate import Prepared
    from lossctl.evaluation.running import Progress, Running
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.reading.format import Reading
    from lossctl.rendering.renderer import Style


@dataclass(frozen=True)
class Entry:
    """A command as the application wires it."""

    name: str
    run: Callable[..., None]
    epilog: str


commands: Registry[Entry] = Registry("command", "lossctl.cli.commands", group="lossctl.commands")


class Color(StrEnum):
    """When to colour."""

    auto = "auto"
    always = "always"
    never = "never"


class Kind(StrEnum):
    """What a name may be that both have."""

    loss = "loss"
    activation = "activation"


class NullPolicy(StrEnum):
    """What to do with rows that have a null."""

    error = "error"
    drop = "drop"


def complete_losses(incomplete: str) -> list[tuple[str, str]]:
    """Names of losses for shell completion, with what they are."""
    from lossctl.functions.loss import losses  # noqa: PLC0415  (NumPy; see the module's docstring)

    done, comma, last = incomplete.rpartition(",")
    return [(f"{done}{comma}{it.name}", it.summary) for it in losses if it.name.startswith(last)]


def complete_activations(incomplete: str) -> list[tuple[str, str]]:
    """Names of activations for shell completion, with what they are."""
    from lossctl.functions.activation import activations  # noqa: PLC0415

    return [(it.name, it.summary) for it in activations if it.name.startswith(incomplete)]


def complete_names(incomplete: str) -> list[tuple[str, str]]:
    """Names of losses and activations for shell completion, with what they are."""
    return [*complete_losses(incomplete), *complete_activations(incomplete)]


INPUT, COLUMNS, LOSS, OUTPUT, RUN = "Input", "Columns", "Loss", "Output", "Running"

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Files, URLs, globs or directories, together one data set; - or nothing is stdin.",
        show_default=False,
    ),
]
InputFormat = Annotated[
    str | None,
    typer.Option(
        "-F",
        "--input-format",
        metavar="NAME",
        help="Format of the input: csv, tsv, jsonl, parquet, arrow or arrows; else known by suffix and first bytes.",
        rich_help_panel=INPUT,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "-d", "--delimiter", metavar="CHAR", help="What separates the cells of delimited text.", rich_help_panel=INPUT
    ),
]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The first line is data; columns are #1, #2, …", rich_help_panel=INPUT)
]
NullValues = Annotated[
    str | None,
    typer.Option(
        "--null-values",
        metavar="A,B,C",
        help="What a missing number looks like in text, instead of nothing, NA, N/A, #N/A, null, NULL, None, NaN, nan.",
        rich_help_panel=INPUT,
    ),
]
LabelFile = Annotated[
    list[str] | None,
    typer.Option("--labels", metavar="FILE", help="File with the labels, matched by --id.", rich_help_panel=INPUT),
]
Ids = Annotated[
    str | None,
    typer.Option(
        "--id", metavar="COL[,COL]", help="Key columns of a row, which both files share.", rich_help_panel=INPUT
    ),
]
Join = Annotated[
    str,
    typer.Option(
        "--join",
        metavar="strict|inner|left",
        help="Every key in both files, keys in both only, or every prediction.",
        rich_help_panel=INPUT,
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "-y", "--label", metavar="COL", help="Label column; several or a glob for a vector.", rich_help_panel=COLUMNS
    ),
]
Prediction = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        "--pred",
        metavar="COL",
        help="Prediction column, NAME=COL, glob, comma list, /REGEX/ or #N. Repeat it for several models; "
        "a glob or list is one vector-valued model.",
        rich_help_panel=COLUMNS,
    ),
]
Weight = Annotated[
    str | None,
    typer.Option("-w", "--weight", metavar="COL", help="Column of row weights >= 0.", rich_help_panel=COLUMNS),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="COL[,COL]", help="Columns to group by.", rich_help_panel=COLUMNS),
]
Classes = Annotated[
    str | None,
    typer.Option(
        "--classes", metavar="A,B,C", help="Names of the classes, in the order of their codes.", rich_help_panel=COLUMNS
    ),
]
Losses = Annotated[
    list[str] | None,
    typer.Option(
        "-l",
        "--loss",
        metavar="SPEC",
        help="Losses, such as mse,huber:delta=0.5. Left out: what suits the columns.",
        autocompletion=complete_losses,
        rich_help_panel=LOSS,
    ),
]
ActivationName = Annotated[
    str | None,
    typer.Option(
        "--activation",
        metavar="SPEC",
        help="Apply an activation to the predictions first, such as tanh or leaky_relu:slope=0.2; gradients are then "
        "on the pre-activations.",
        autocompletion=complete_activations,
        rich_help_panel=LOSS,
    ),
]
FromLogits = Annotated[
    bool,
    typer.Option(
        "--from-logits",
        help="Predictions are scores before the loss's natural activation (sigmoid, softmax, exp).",
        rich_help_panel=LOSS,
    ),
]
Eps = Annotated[
    float | None,
    typer.Option(
        "--eps",
        metavar="EPS",
        help="Floor under probabilities inside logarithms; 0 for none. Default: 2.22e-16.",
        rich_help_panel=LOSS,
    ),
]
ReductionName = Annotated[
    str | None,
    typer.Option(
        "--reduction",
        metavar="mean|sum|root-mean",
        help="How rows become one number; else the loss's own.",
        rich_help_panel=LOSS,
    ),
]
NormalizeRows = Annotated[
    bool,
    typer.Option("--normalize-rows", help="Divide each row of a vector prediction by its sum.", rich_help_panel=LOSS),
]
KindOf = Annotated[
    Kind | None,
    typer.Option("--kind", help="What a name is that a loss and an activation share.", rich_help_panel=LOSS),
]
NullRows = Annotated[
    NullPolicy,
    typer.Option("--nulls", help="Rows with a null or NaN: an error, or left out and counted.", rich_help_panel=LOSS),
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "-o", "--output", metavar="PATH", help="Write a file too, format by suffix; repeatable.", rich_help_panel=OUTPUT
    ),
]
Precision = Annotated[
    int, typer.Option("--precision", min=1, max=17, help="Significant digits in tables.", rich_help_panel=OUTPUT)
]
ColorWhen = Annotated[Color, typer.Option("--color", help="When to colour.", rich_help_panel=OUTPUT)]
Json = Annotated[bool, typer.Option("--json", help="The same as strict JSON.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    int,
    typer.Option(
        "-q", "--quiet", count=True, help="No notes; twice: nothing but the exit status.", rich_help_panel=OUTPUT
    ),
]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="No progress bar.", rich_help_panel=OUTPUT)]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="serial, threads, processes, or dask for a cluster; the numbers are the same. Default: processes where "
        "forking is safe, else threads.",
        rich_help_panel=RUN,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        metavar="N",
        help="How many threads or worker processes; on a cluster, how many of its threads to keep busy. Default: all.",
        rich_help_panel=RUN,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler of a cluster, such as tcp://host:8786, for --engine dask. Its workers read the files; "
        "stdin is sent to them. Default: what Dask is configured for, else worker processes on this machine.",
        rich_help_panel=RUN,
    ),
]
Profile = Annotated[
    bool, typer.Option("--profile", help="Say where the time went, on stderr and in JSON.", rich_help_panel=RUN)
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Tracebacks of bugs.", rich_help_panel=RUN)]


def tell(text: str) -> None:
    """Write a line to stderr; that nobody listens there changes nothing."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr)


@dataclass(frozen=True)
class Voice:
    """Where words for the user go: results to stdout, everything else to stderr."""

    quiet: int = 0

    def result(self, text: str) -> None:
        """Something asked for."""
        if self.quiet < 2:
            sys.stdout.write(text)
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something good to know."""
        if not self.quiet:
            tell(f"note: {text}")

    def warn(self, text: str) -> None:
        """Something that may be wrong."""
        if self.quiet < 2:
            tell(f"warning: {text}")

    def say(self, text: str) -> None:
        """A verdict, or what was written."""
        if self.quiet < 2:
            tell(text)


def colored(when: Color) -> bool:
    """Whether to colour stdout."""
    if when is not Color.auto:
        return when is Color.always
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def style_of(when: Color, precision: int) -> "Style":
    """How to write for the terminal there is."""
    from lossctl.rendering.renderer import Style  # noqa: PLC0415

    return Style(width=shutil.get_terminal_size().columns, color=colored(when), precision=precision)


@contextlib.contextmanager
def progress_bar(files: list[str], *, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A function to call with bytes as they are done: a bar on stderr after one second, on a terminal only."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _: None
        return
    import time  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    total = sum(os.path.getsize(path) for path in files if os.path.isfile(path))
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task, begun = bar.add_task("reading", total=total), time.monotonic()

    def advance(nbytes: int) -> None:
        bar.advance(task, nbytes)
        if time.monotonic() - begun > 1.0:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()


def prepared(voice: Voice, *arguments: Any, **options: Any) -> "Prepared":
    """`lossctl.evaluation.evaluate.prepare`, saying what was chosen and which pairs are risky."""
    from lossctl.evaluation.evaluate import prepare  # noqa: PLC0415

    found = prepare(*arguments, **options)
    for note in found.plan.roles.notes:
        voice.note(note)
    for doubt in found.plan.doubts:
        voice.warn(doubt)
    return found


def through(voice: Voice, bound: "BoundLoss", activation: str | None, *, from_logits: bool) -> "BoundLoss":
    """The loss through the activation asked for, saying whether the pair is risky.

    Raises:
        UsageError: an unknown activation, or both ways of asking.
    """
    from lossctl.functions.pairing import doubts  # noqa: PLC0415

    if from_logits and activation is not None:
        raise UsageError("--from-logits and --activation say the same thing twice", "Give one.")
    found = bound.from_logits() if from_logits else bound.through(activation)
    for doubt in doubts(found, 2 if found.rows else 1):
        voice.warn(doubt)
    return found


def reading(form: str | None, delimiter: str | None, null_values: str | None, *, no_header: bool) -> "Reading":
    """How to read files that do not say it themselves."""
    from lossctl.reading.format import NULLS, Reading  # noqa: PLC0415

    nulls = NULLS if null_values is None else tuple(part.strip() for part in null_values.split(","))
    return Reading(form, delimiter, not no_header, nulls)


def running(
    files: list[str],
    labels: list[str] | None,
    engine: str | None,
    threads: int | None,
    scheduler: str | None,
    progress: "Progress | None" = None,
) -> "Running":
    """How to run: by the engine asked for, or the usual one; what is joined is in memory, where threads are."""
    from lossctl.evaluation.engine import usual_engine  # noqa: PLC0415
    from lossctl.evaluation.running import Running  # noqa: PLC0415

    return Running(engine or ("threads" if labels else usual_engine(files)), threads, scheduler, progress)


def check_join(files: list[str], labels: list[str] | None, ids: str | None, join: str) -> None:
    """Refuse flags of a join that joins nothing.

    Raises:
        UsageError: ``--id`` or ``--join`` without ``--labels``.
    """
    if "-" in files and "-" in (labels or ()):
        raise UsageError("stdin can be read only once")
    if not labels and (ids is not None or join != "strict"):
        raise UsageError("--id and --join need --labels FILE, the file to join with")
