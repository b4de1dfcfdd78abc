"""``lossctl doctor``: what the columns look like, which pairing fits, and what is suspicious."""

from dataclasses import replace
from typing import Annotated

import typer

from lossctl.cli import command
from lossctl.cli.command import Entry, Voice, commands
from lossctl.words import split

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit 1 when a finding is an error or a warning.", rich_help_panel=command.OUTPUT),
]


def doctor(
    files: command.Files = None,
    input_format: command.InputFormat = None,
    delimiter: command.Delimiter = None,
    no_header: command.NoHeader = False,
    null_values: command.NullValues = None,
    ids: command.Ids = None,
    label: command.Label = None,
    prediction: command.Prediction = None,
    weight: command.Weight = None,
    classes: command.Classes = None,
    loss: command.Losses = None,
    as_json: command.Json = False,
    strict: Strict = False,
    color: command.ColorWhen = command.Color.auto,
    no_progress: command.NoProgress = False,
    quiet: command.Quiet = 0,
    engine: command.EngineName = None,
    threads: command.Threads = None,
    scheduler: command.Scheduler = None,
    verbose: command.Verbose = False,  # noqa: ARG001  (read by cli.main)
) -> None:
    """Look at the columns before you evaluate them.

    Says in one pass what each column holds, which task that is, which loss and activation fit, with the command line to
    copy, and what is suspicious: logits taken for probabilities, swapped columns, leaks, duplicate ids and the like.
    Nulls and illegal values are found, not refused.
    """
    import sys

    from lossctl.doctor.diagnose import diagnose
    from lossctl.doctor.shell import quoted
    from lossctl.evaluation.evaluate import several
    from lossctl.rendering.renderer import renderers

    files = files or ["-"]
    running = command.running(files, None, engine, threads, scheduler)
    voice, style = Voice(quiet), command.style_of(color, 6)
    words = [quoted(f"./{path}" if path.startswith("-") else path) for path in files if path != "-"]
    words += ["-F", quoted(input_format)] if input_format is not None else []
    words += ["-d", quoted(delimiter)] if delimiter is not None else []
    words += ["--no-header"] if no_header else []
    words += [quoted(f"--null-values={null_values}")] if null_values is not None else []
    with command.progress_bar(files, wanted=not (no_progress or quiet)) as progress:
        found = diagnose(
            list(files),
            loss or (),
            label=several(label),
            prediction=several(prediction),
            weight=weight,
            ids=split(ids),
            classes=split(classes),
            reading=command.reading(input_format, delimiter, null_values, no_header=no_header),
            command=words,
            engine=replace(running, progress=progress),
        )
    if not as_json:
        for note in found.notes:
            voice.note(note)
    form = "json" if as_json else "table" if sys.stdout.isatty() else "plain"
    voice.result(renderers.get(form).render(found.document(), style))
    if strict and found.suspicious:
        raise typer.Exit(1)


commands.add(
    "doctor",
    Entry("doctor", doctor, "Example: lossctl doctor preds.csv"),
)
