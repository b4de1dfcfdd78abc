"""``lossctl plot``: the shapes of losses and activations, or what a file of predictions looks like."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossctl.cli import command
from lossctl.cli.command import Entry, Voice, commands
from lossctl.errors import UsageError
from lossctl.words import did_you_mean, split

if TYPE_CHECKING:
    from lossctl.document import Chart
    from lossctl.evaluation.running import Running
    from lossctl.functions.activation import BoundActivation
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.reading.format import Reading


SHAPES = "Shapes"
Subjects = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME|FILE]...",
        help="Losses and activations such as huber:delta=0.5, to draw their shapes; or files, URLs, globs or "
        "directories, together one data set; - or nothing is stdin.",
        show_default=False,
        autocompletion=command.complete_names,
    ),
]
Low = Annotated[
    float | None, typer.Option("--from", metavar="X", help="Where the axis begins.", rich_help_panel=SHAPES)
]
High = Annotated[float | None, typer.Option("--to", metavar="X", help="Where the axis ends.", rich_help_panel=SHAPES)]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        help="Write a file too, by suffix: .svg, .png, .html, .vl.json, .json, .txt; repeatable.",
        rich_help_panel=command.OUTPUT,
    ),
]


def plot(
    subjects: Subjects = None,
    low: Low = None,
    high: High = None,
    input_format: command.InputFormat = None,
    delimiter: command.Delimiter = None,
    no_header: command.NoHeader = False,
    null_values: command.NullValues = None,
    labels: command.LabelFile = None,
    ids: command.Ids = None,
    join: command.Join = "strict",
    label: command.Label = None,
    prediction: command.Prediction = None,
    weight: command.Weight = None,
    classes: command.Classes = None,
    loss: command.Losses = None,
    activation: command.ActivationName = None,
    from_logits: command.FromLogits = False,
    eps: command.Eps = None,
    normalize_rows: command.NormalizeRows = False,
    nulls: command.NullRows = command.NullPolicy.error,
    output: Outputs = None,
    json: command.Json = False,
    color: command.ColorWhen = command.Color.auto,
    no_progress: command.NoProgress = False,
    quiet: command.Quiet = 0,
    engine: command.EngineName = None,
    threads: command.Threads = None,
    scheduler: command.Scheduler = None,
    verbose: command.Verbose = False,  # noqa: ARG001  (read by cli.main)
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
    from lossctl.rendering.renderer import renderers

    voice, subjects = Voice(quiet), subjects or ["-"]
    written = [(path, writer_for(path)) for path in output or ()]
    named = _named(subjects)
    inputs = input_files(subjects, labels) if written and named is None else ()
    for path, _ in written:
        refuse(path, inputs)
    if named is not None:
        columns = {
            "--pred": prediction, "--weight": weight, "--labels": labels, "--id": ids, "--classes": classes,
            "--loss": loss, "--eps": eps, "--normalize-rows": normalize_rows, "--input-format": input_format,
            "--delimiter": delimiter, "--no-header": no_header, "--null-values": null_values,
        }  # fmt: skip
        for flag in (flag for flag, given in columns.items() if given):
            raise UsageError(f"{flag} is for files, and {subjects[0]} is a name", "A file of that name is ./NAME.")
        charts = _shapes(named, label or (), low, high, activation, voice, from_logits=from_logits)
        if len(charts) > 1:
            voice.note(f"{len(charts)} charts, because the axes differ")
    else:
        if low is not None or high is not None:
            raise UsageError("--from and --to are for the shapes of losses, not for files")
        command.check_join(subjects, labels, ids, join)
        asked = {
            "loss": loss or [],
            "label": tuple(label or ()),
            "prediction": tuple(prediction or ()),
            "weight": weight,
            "classes": split(classes),
            "activation": activation,
            "from_logits": from_logits,
            "eps": eps,
            "normalize_rows": normalize_rows,
            "nulls": nulls.value,
        }
        reading = command.reading(input_format, delimiter, null_values, no_header=no_header)
        with command.progress_bar(subjects, wanted=not (no_progress or quiet)) as progress:
            running = command.running(subjects, labels, engine, threads, scheduler, progress)
            charts = _overview(subjects, asked, reading, labels, split(ids), join, running, voice)
    screen = shutil.get_terminal_size()
    height = min(max(screen.lines // 2 - 2, 14), 20)
    style = replace(command.style_of(color, 6), height=height)
    text = renderers.get("json" if json else "table").render(charted(charts), style)
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
    from lossctl.functions.bound_loss import get_loss
    from lossctl.functions.definition import split_specs
    from lossctl.functions.loss import losses

    found: list[BoundLoss | BoundActivation] = []
    files, unknown = [], []
    for subject in subjects:
        for spec in [subject] if _is_file(subject) else split_specs([subject]):
            name = spec.partition(":")[0]
            if name in losses:
                found.append(get_loss(spec))
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
            f"To measure a file: lossctl plot {files[0]} --loss {found[0]}.",
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
        or subject.lower().endswith(suffixes())
        or os.path.exists(subject)
    )


def _shapes(
    named: "Sequence[BoundLoss | BoundActivation]",
    labels: Sequence[str],
    low: float | None,
    high: float | None,
    activation: str | None,
    voice: Voice,
    *,
    from_logits: bool,
) -> "tuple[Chart, ...]":
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.plots.curves import curves

    bounds = [
        command.through(voice, bound, activation, from_logits=from_logits) if isinstance(bound, BoundLoss) else bound
        for bound in named
    ]
    return curves(bounds, labels=[_number(text) for text in labels], low=low, high=high)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"--label {text!r} is not a number", "For the shape of a loss it is the label, such as 1."
        ) from None


def _overview(
    files: list[str],
    asked: dict[str, Any],
    reading: "Reading",
    labels: list[str] | None,
    ids: tuple[str, ...],
    join: str,
    running: "Running",
    voice: Voice,
) -> "tuple[Chart, ...]":
    from lossctl.inference.request import Request
    from lossctl.plots.overview import overview

    found = command.prepared(voice, files, Request(**asked), reading, labels=labels, ids=ids, join=join)
    return overview(found.source, found.plan, running)


commands.add(
    "plot",
    Entry("plot", plot, "Example: lossctl plot mse mae huber:delta=0.5; lossctl plot preds.csv -l huber -o preds.html"),
)
