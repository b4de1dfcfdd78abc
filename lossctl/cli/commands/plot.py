"""``lossctl plot``: the shapes of losses and activations, or what a file of predictions looks like."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.command import Voice, Without, as_typed, command, prepared, refuse_given, through
from lossctl.cli.completers import complete_names
from lossctl.cli.input_options import Input, Join
from lossctl.cli.options import Columns, LossOptions, RunningOptions
from lossctl.cli.output_options import Output, output_option
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError
from lossctl.words import did_you_mean, shell_word

if TYPE_CHECKING:
    from lossctl.document import Chart
    from lossctl.functions.activation import BoundActivation
    from lossctl.functions.bound_loss import BoundLoss


shape_option = partial(typer.Option, rich_help_panel="Shapes")
Subjects = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME|FILE]...",
        help="Losses and activations such as huber:delta=0.5, or files; to draw the shapes of those, or what these "
        "hold. Files may be URLs, globs or directories, together one data set; - or nothing is stdin.",
        show_default=False,
        autocompletion=complete_names,
    ),
]
Pictures = Annotated[
    list[str] | None,
    output_option(
        "-o",
        "--output",
        metavar="PATH",
        help="Write a file instead, format by suffix; {picture_suffixes}. Repeatable. With --format, both.",
    ),
]


@dataclass(frozen=True)
class Axis:
    """Where the shape of a loss is drawn."""

    low: Annotated[float | None, shape_option("--from", metavar="X", help="Where the axis begins.")] = None
    high: Annotated[float | None, shape_option("--to", metavar="X", help="Where the axis ends.")] = None


@command("plot", "lossctl plot mse mae huber:delta=0.5; lossctl plot preds.csv -l huber -o preds.html")
def plot(
    *,
    subjects: Subjects = None,
    axis: Axis,
    source: Input,
    join: Join,
    columns: Columns,
    losses: LossOptions,
    pictures: Pictures = None,
    output: Annotated[Output, Without("output", "precision")],
    running: RunningOptions,
) -> None:
    """Draw losses and activations, or what a file of predictions looks like.

    Of names, the value and its slope: over the error, the margin, the probability or the angle, as their domains
    say, or at the labels that --label gives. Of a file, the losses of its rows, predictions against labels, and the
    calibration of probabilities.
    """
    import shutil

    from lossctl.cli.output import refuse, replacing
    from lossctl.document import charted
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.picture import writer_for

    voice, renderer, subjects = output.voice, output.renderer("table"), subjects or ["-"]
    written = [(path, writer_for(path)) for path in pictures or ()]
    named = _named(subjects)
    inputs = input_files(subjects, join.labels) if written and named is None else ()
    for path, _ in written:
        refuse(path, inputs)
    if named is not None:
        refuse_given(
            *(source, join, columns, losses, running),
            but=("label", "activation", "from_logits"),
            because=f"is for files, and {subjects[0]} is a name",
            hint="A file of that name is ./NAME.",
        )
        charts = _shapes(named, axis, as_typed(columns), as_typed(losses), voice)
        if len(charts) > 1:
            voice.note(f"{len(charts)} charts, because the axes differ")
    else:
        from lossctl.inference.request import Request
        from lossctl.plots.overview import overview

        refuse_given(axis, because="is for the shapes of losses, not for files")
        joined, request = join.asked(subjects), Request(**losses.asked(), **columns.asked())
        with output.progress(subjects) as progress:
            how = running.over(subjects, join, progress)
            ready = prepared(voice, subjects, request, source.reading(voice), **joined)
            charts = overview(ready.source, ready.plan, how)
    screen = shutil.get_terminal_size()
    height = min(max(screen.lines // 2 - 2, 14), 20)
    shown = output.is_json or output.form is not None or not written
    text = renderer.render(charted(charts), replace(output.style, height=height)) if shown else ""
    for path, writer in written:
        content = writer.write(charts, width=screen.columns, height=height, color=False)
        with replacing(path, inputs) as file:
            file.write(content)
        voice.note(f"wrote {path}")
    voice.result(text)


def _named(subjects: list[str]) -> "list[BoundLoss | BoundActivation] | None":
    """The losses and activations that the arguments name; ``None`` when they are files.

    Raises:
        UsageError: they are some of each, or neither.
    """
    from lossctl.functions.activation import activations, get_activation
    from lossctl.functions.definition import split_specs
    from lossctl.functions.lookup import example_of
    from lossctl.functions.loss import losses

    found: list[BoundLoss | BoundActivation] = []
    files, unknown = [], []
    for subject in subjects:
        for spec in [subject] if _is_file(subject) else split_specs([subject]):
            name = spec.partition(":")[0]
            if name in losses:
                found.append(example_of(spec))
            elif name in activations:
                found.append(get_activation(spec))
            elif _is_file(spec):
                files.append(spec)
            else:
                unknown.append(name)
    if not (found or files or unknown):
        raise UsageError("nothing named to draw", "lossctl plot --help says what can be drawn.")
    if unknown:
        names = [*losses.names(), *activations.names()]
        raise UsageError(
            f"{unknown[0]!r} is no loss, no activation and no file",
            did_you_mean(unknown[0], names) or "lossctl plot --help says what can be drawn.",
        )
    if found and files:
        raise UsageError(
            f"{subjects[0]} and others are some names, some files ({files[0]})",
            f"To measure a file: lossctl plot {shell_word(files[0])} --loss {found[0]}.",
        )
    return found or None


def _is_file(subject: str) -> bool:
    """Whether an argument that names no definition is meant as a file, be it there or not."""
    import os

    from lossctl.reading.format import suffixes
    from lossctl.reading.stores import scheme_of

    return (
        subject == "-"
        or bool(scheme_of(subject))
        or any(sign in subject for sign in "*?[/\\")
        or os.path.exists(subject)
        or ("." in subject and subject.lower().endswith(suffixes()))
    )


def _shapes(
    named: "Sequence[BoundLoss | BoundActivation]", axis: Axis, columns: Columns, losses: LossOptions, voice: Voice
) -> "tuple[Chart, ...]":
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.plots.curves import curves

    if not any(isinstance(bound, BoundLoss) for bound in named):
        refuse_given(columns, losses, because=f"is for losses, and {named[0].name} is an activation")
    bounds = [
        through(voice, bound, losses.activation, from_logits=losses.from_logits)
        if isinstance(bound, BoundLoss)
        else bound
        for bound in named
    ]
    return curves(bounds, labels=[_number(text) for text in columns.label or ()], low=axis.low, high=axis.high)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"--label {text!r} is not a number", "For the shape of a loss it is the label, such as 1."
        ) from None
