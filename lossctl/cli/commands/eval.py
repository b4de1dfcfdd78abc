"""``lossctl eval``: losses with standard errors, by model and group."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli import command
from lossctl.cli.command import Entry, Voice, commands
from lossctl.errors import DataError, UsageError
from lossctl.words import split

if TYPE_CHECKING:
    from lossctl.evaluation.report import Report
    from lossctl.evaluation.result import Result

Format = Annotated[
    str | None,
    typer.Option(
        "-f",
        "--format",
        metavar="NAME",
        help="table, plain, json, jsonl, csv, tsv, markdown, value. Default: table on a terminal, else plain.",
        rich_help_panel=command.OUTPUT,
    ),
]
Grad = Annotated[bool, typer.Option("--grad", help="Gradient norms too.", rich_help_panel=command.OUTPUT)]
Skill = Annotated[
    bool,
    typer.Option(
        "--skill",
        help="The best constant prediction of each loss too, its loss, and the skill: 1 minus the ratio to it.",
        rich_help_panel=command.OUTPUT,
    ),
]
Samples = Annotated[
    int,
    typer.Option(
        "--samples", min=0, metavar="N", help="The N worst rows of each result too.", rich_help_panel=command.OUTPUT
    ),
]
FailAbove = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-above",
        metavar="[LOSS=]VALUE",
        help="Exit 1 when the loss is above the value; repeatable.",
        rich_help_panel=command.OUTPUT,
    ),
]


def evaluate(
    files: command.Files = None,
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
    by: command.By = None,
    classes: command.Classes = None,
    loss: command.Losses = None,
    activation: command.ActivationName = None,
    from_logits: command.FromLogits = False,
    eps: command.Eps = None,
    reduction: command.ReductionName = None,
    normalize_rows: command.NormalizeRows = False,
    nulls: command.NullRows = command.NullPolicy.error,
    form: Format = None,
    output: command.Outputs = None,
    grad: Grad = False,
    samples: Samples = 0,
    skill: Skill = False,
    fail_above: FailAbove = None,
    precision: command.Precision = 6,
    color: command.ColorWhen = command.Color.auto,
    no_progress: command.NoProgress = False,
    quiet: command.Quiet = 0,
    engine: command.EngineName = None,
    threads: command.Threads = None,
    scheduler: command.Scheduler = None,
    profile: command.Profile = False,
    verbose: command.Verbose = False,  # noqa: ARG001  (read by cli.main)
) -> None:
    """Evaluate losses on the predictions in files.

    Prints the losses with their standard errors, by model and group, and says what it did: the columns, the effective
    parameters, the rows used, dropped and clipped.
    """
    import sys
    import time

    from lossctl.cli.output import refuse
    from lossctl.evaluation.document import profiled
    from lossctl.evaluation.evaluate import evaluate as measure
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.renderer import renderers

    files = files or ["-"]
    running = command.running(files, labels, engine, threads, scheduler)
    voice, style = Voice(quiet), command.style_of(color, precision)
    shown = renderers.get(form or ("table" if sys.stdout.isatty() else "plain"))
    written = [(path, _renderer_for(path)) for path in output or ()]
    inputs = input_files(files, labels) if written else ()
    for path, _ in written:
        refuse(path, inputs)
    command.check_join(files, labels, ids, join)
    imported = time.process_time()
    gates = [_gate(text) for text in fail_above or ()]
    with command.progress_bar(files, wanted=not (no_progress or quiet)) as progress:
        report = measure(
            list(files),
            loss,
            label=label,
            prediction=prediction,
            weight=weight,
            by=[name for names in by or () for name in split(names) or ("",)],
            activation=activation,
            from_logits=from_logits,
            reduction=reduction,
            gradient=grad,
            samples=samples,
            skill=skill,
            nulls=nulls.value,
            engine=replace(running, progress=progress),
            classes=split(classes),
            eps=eps,
            normalize_rows=normalize_rows,
            labels=labels,
            ids=split(ids),
            join=join,
            reading=command.reading(input_format, delimiter, null_values, no_header=no_header),
            profile=profile,
        )
    verdicts = [verdict for gate in gates for verdict in gate.judge(report)]
    begun = time.perf_counter()
    text = shown.render(report.document(), style)
    if report.profile is not None:
        rendered = time.perf_counter() - begun
        report = replace(report, profile={**report.profile, "import": imported, "render": rendered})
        text = shown.render(report.document(), style)  # with the time that it took to do so
    for note in report.notes:
        voice.note(note)
    for warning in report.warnings:
        voice.warn(warning)
    for path, renderer in written:
        _write(path, renderer.render(report.document(), style), inputs, voice)
    voice.result(text)
    if report.profile is not None:
        where = profiled(report.profile)
        voice.say(renderers.get("table").render(where, replace(style, color=False)).rstrip())
    failed = [words for words, passed in verdicts if not passed]
    for words, passed in verdicts:
        voice.say(f"{'PASS' if passed else 'FAIL'} {words}")
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Gate:
    """A bound on a loss."""

    loss: str | None
    """``None`` for the only one there is."""
    bound: float

    def judge(self, report: "Report") -> list[tuple[str, bool]]:
        """For each result of the loss, the inequality in full and whether it holds.

        Raises:
            UsageError: no result is of that loss, or no loss is named where there are several.
            DataError: a value is no number.
        """
        names = list(dict.fromkeys(result.loss for result in report.results))
        if self.loss is None and len(names) > 1:
            hint = f"Say which: --fail-above {names[0]}={self.bound!r}."
            raise UsageError("--fail-above VALUE needs a single loss", hint)
        try:
            chosen = report.results if self.loss is None else report.of(self.loss)
        except UsageError as wrong:
            raise UsageError(f"--fail-above {self.loss}: {wrong.what}", wrong.hint) from None
        return [self._verdict(result, report) for result in chosen]

    def _verdict(self, result: "Result", report: "Report") -> tuple[str, bool]:
        several = len({it.model for it in report.results}) > 1
        title = " ".join(
            [
                result.loss,
                *([result.model] if several else []),
                *(f"{name}={word}" for name, word in result.group.items()),
            ]
        )
        if result.value != result.value:
            raise DataError(f"--fail-above: {title} is not a number", "Nothing was measured, which is never a pass.")
        passed = result.value <= self.bound
        return f"{title} {result.value!r} {'<=' if passed else '>'} {self.bound!r}", passed


def _gate(text: str) -> Gate:
    """Read ``VALUE`` or ``LOSS=VALUE``; a parameter's ``=`` may stand before the last one."""
    name, _, bound = text.rpartition("=")
    try:
        number = float(bound)
    except ValueError:
        raise UsageError(f"--fail-above {text!r}: {bound!r} is not a number", "Write VALUE or LOSS=VALUE.") from None
    if number != number:  # noqa: PLR0124  (NaN)
        raise UsageError("--fail-above nan can neither hold nor fail")
    return Gate(name or None, number)


def _renderer_for(path: str) -> "Renderer":
    from lossctl.rendering.renderer import renderers

    for renderer in renderers:
        if renderer.suffixes and path.lower().endswith(renderer.suffixes):
            return renderer
    known = ", ".join(suffix for renderer in renderers for suffix in renderer.suffixes)
    raise UsageError(f"{path}: no output format has this suffix", f"Known: {known}.")


def _write(path: str, text: str, files: tuple[str, ...], voice: Voice) -> None:
    from lossctl.cli.output import replacing

    with replacing(path, files) as file:
        file.write(text.encode())
    voice.note(f"wrote {path}")


if TYPE_CHECKING:
    from lossctl.rendering.renderer import Renderer

commands.add(
    "eval",
    Entry(
        "eval",
        evaluate,
        "Example: lossctl eval preds.csv -l mse,huber:delta=0.5 --by segment --fail-above mse=0.2",
    ),
)
