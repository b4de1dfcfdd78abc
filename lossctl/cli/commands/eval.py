"""``lossctl eval``: losses with standard errors, by model and group."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.command import command, is_typed
from lossctl.cli.input_options import Input, Join
from lossctl.cli.options import (
    By,
    Cluster,
    Columns,
    Files,
    LossOptions,
    Order,
    Reducing,
    RunningOptions,
    ensure_grouped,
    listed,
    running_option,
)
from lossctl.cli.output_options import Output, ensure_shown, output_option
from lossctl.cli.result_options import FailAbove, Sort, Top
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.comparison.gate import Gate
    from lossctl.comparison.verdicts import Verdicts
    from lossctl.evaluation.report import Report

Grad = Annotated[bool, output_option("--grad", help="Gradient norms too.")]
Samples = Annotated[int, output_option("--samples", min=0, metavar="N", help="The N worst rows of each result too.")]
Skill = Annotated[
    bool,
    output_option(
        "--skill",
        help="The best constant prediction too, and the skill; its loss, and 1 minus the ratio to it.",
    ),
]
Level = Annotated[
    float | None,
    output_option("--ci", metavar="LEVEL", help="Confidence intervals too, by Student's t; such as of 0.95."),
]
Profile = Annotated[bool, running_option("--profile", help="Say where the time went, on stderr and in JSON.")]


NUMBERS = ("value", "junit")
"""Formats that have a number or a verdict, and no room for more; a row of CSV is a result."""
UNSHOWN = {"--grad": NUMBERS, "--samples": (*NUMBERS, "csv", "tsv"), "--skill": NUMBERS, "--ci": NUMBERS}
HINTS = {"--samples": "lossctl samples FILE writes the rows themselves, in any format."}


@command("eval", "lossctl eval preds.csv -l mse,huber --by segment --fail-above mse=0.2")
def evaluate(
    *,
    files: Files = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    cluster: Cluster = None,
    sort: Sort = None,
    top: Top = None,
    losses: LossOptions,
    reducing: Reducing,
    grad: Grad = False,
    samples: Samples = 0,
    skill: Skill = False,
    ci: Level = None,
    fail_above: FailAbove = None,
    output: Output,
    running: RunningOptions,
    profile: Profile = False,
) -> None:
    """Evaluate losses on the predictions in files."""
    import sys
    import time

    from lossctl.cli.output import refuse, summarize, write_report
    from lossctl.evaluation.evaluate import evaluate as measure
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.renderer import for_path, pieces, renderers

    files = files or ["-"]
    how = running.over(files, join)
    voice, style = output.voice, output.style
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    written = [(path, for_path(path)) for path in output.output or ()]
    asked = {"--grad": grad, "--samples": samples > 0, "--skill": skill, "--ci": ci is not None}
    typed = {flag: wanted and is_typed(flag[2:]) for flag, wanted in asked.items()}
    ensure_shown(typed, [shown, *dict(written).values()], UNSHOWN, HINTS)
    inputs = input_files(files, join.labels) if written else ()
    for path, _ in written:
        refuse(path, inputs)
    ensure_grouped(by, {"--sort": sort, "--top": top})
    joined = join.asked(files)
    imported = time.process_time()
    gates = [gate_of(text, listed(by) or []) for text in fail_above or ()]
    with output.progress(files) as progress:
        report = measure(
            files,
            **losses.asked(),
            **columns.asked(),
            **joined,
            by=listed(by) or [],
            cluster=listed(cluster),
            **reducing.asked(),
            gradient=grad,
            samples=samples,
            skill=skill,
            ci=ci,
            engine=replace(how, progress=progress),
            reading=source.reading(voice),
            profile=profile,
        )
    verdicts = judged(gates, report) if gates else None
    report = _arranged(report, sort, top) if by else report
    begun = time.perf_counter()
    document = report.document() if verdicts is None else verdicts.beside(report.document())
    text = pieces(shown, document, style)
    if report.profile is not None:
        text = [*text]
        rendered = time.perf_counter() - begun
        report = replace(report, profile={**report.profile, "import": imported, "render": rendered})
        document = report.document() if verdicts is None else verdicts.beside(report.document())
        text = pieces(shown, document, style)  # with the time that it took to do so
    voice.remark(report.notes, report.warnings)
    for path, renderer in written:
        write_report(path, pieces(renderer, document, style), inputs, voice)
    for piece in text:
        voice.result(piece)
    summarize(document, shown, style)
    if report.profile is not None:
        from lossctl.evaluation.tables import profiled

        where = profiled(report.profile)
        voice.say(*renderers.get("table").render(where, replace(style, color=False)).rstrip().split("\n"))
    if verdicts is not None:
        voice.say(*verdicts.lines)
        raise typer.Exit(verdicts.exit_code)


def gate_of(text: str, by: list[str]) -> "Gate":
    """Read ``VALUE`` or ``LOSS=VALUE``, where ``[MODEL,COL=WORD]`` may follow the loss, whose parameters have ``=``."""
    from lossctl.comparison.gate import Gate

    head, _, bound = text.rpartition("=")
    try:
        number = float(bound)
    except ValueError:
        hint = "Write VALUE, LOSS=VALUE or LOSS[MODEL,COL=WORD]=VALUE."
        raise UsageError(f"--fail-above {text!r}: {bound!r} is not a number", hint) from None
    if number != number:  # noqa: PLR0124  (NaN)
        raise UsageError("--fail-above nan can neither hold nor fail")
    loss, bracket, inside = head.removesuffix("]").partition("[") if head.endswith("]") else (head, "", "")
    models = [part.strip() for part in inside.split(",") if bracket and "=" not in part and part.strip()]
    groups = dict(part.strip().split("=", 1) for part in inside.split(",") if "=" in part)
    if len(models) > 1:
        raise UsageError(f"--fail-above {text!r} names two models", "Give it once for each.")
    unknown = [name for name in groups if name not in by]
    if unknown:
        hint = f"Say --by {unknown[0]}." if not by else f"It is by {', '.join(by)}."
        raise UsageError(f"--fail-above {text!r}: nothing is grouped by {unknown[0]!r}", hint)
    return Gate(
        "", "max", number, loss=loss or None, model=(*models, None)[0], by=tuple(by), only=groups, fail_if="point"
    )


def judged(gates: "list[Gate]", report: "Report") -> "Verdicts":
    """What a report says of gates.

    Raises:
        UsageError: a gate is of a loss, model or group that was not measured, or does not say of which.
        DataError: a value is no number.
    """
    from lossctl.comparison.gate import decide
    from lossctl.comparison.judge import measured_in
    from lossctl.comparison.verdicts import Verdicts

    return Verdicts(tuple(decide([(gate, found) for gate in gates for found in measured_in(report, gate)])))


def _arranged(report: "Report", sort: Order | None, top: int | None) -> "Report":
    return report if sort is None and top is None else report.arranged(str(sort or "name"), top)
